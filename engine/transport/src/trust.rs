//! Which certificate a server may show.
//!
//! The machine's authorities and those a connection names, unless the connection says otherwise. A single certificate
//! known by its digest is as safe: whoever shows it must hold its key. Anyone at all is for a test bench, and whoever
//! asks for it is told so each time.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use sha2::Digest;

/// Which servers are believed to be who they say they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Trust {
    /// Those that an authority vouches for.
    #[default]
    Authorities,
    /// Those that show the certificate with this SHA-256, whoever made it and however old it is.
    Certificate([u8; 32]),
    /// Everyone: whoever stands in between reads along and answers instead.
    Anyone,
}

impl Trust {
    /// What judges a certificate in place of the authorities; `None` where they judge.
    pub fn verifier(self, provider: &Arc<CryptoProvider>) -> Option<Arc<dyn ServerCertVerifier>> {
        let wanted = match self {
            Trust::Authorities => return None,
            Trust::Certificate(digest) => Some(digest),
            Trust::Anyone => None,
        };
        Some(Arc::new(Known {
            wanted,
            provider: Arc::clone(provider),
        }))
    }
}

/// Takes one certificate, or each; the handshake's signature is verified either way.
#[derive(Debug)]
struct Known {
    wanted: Option<[u8; 32]>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown: [u8; 32] = sha2::Sha256::digest(end_entity.as_ref()).into();
        match self.wanted {
            Some(wanted) if wanted != shown => Err(Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            )),
            Some(_) | None => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
