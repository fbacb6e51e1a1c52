//! A stream to a server, to an address that the connection may go to.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::net::TcpStream;
use transport::{Lookup as _, Reason, SendError, SystemLookup};

use crate::pool::Place;
use crate::session::not_sent;

/// The addresses of a place that may be connected to, in the order in which they are to be tried.
pub(crate) async fn addresses(place: &Place) -> Result<Vec<IpAddr>, SendError> {
    let refused = |refusal: transport::Refusal| not_sent(Reason::NotAllowed, refusal.to_string());
    let found = match place.host.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) => SystemLookup
            .lookup(&place.host)
            .await
            .map_err(|error| not_sent(Reason::Dns, error.to_string()))?,
    };
    let near = place.host == "localhost";
    let mut last = None;
    let mut permitted = Vec::new();
    for address in found {
        match place.allow.permits_address(address) {
            Ok(()) => permitted.push(address),
            // `localhost` is this machine by its very name.
            Err(_) if near && address.is_loopback() => permitted.push(address),
            Err(refusal) => last = Some(refusal),
        }
    }
    match last {
        Some(refusal) if permitted.is_empty() => Err(refused(refusal)),
        None if permitted.is_empty() => Err(not_sent(Reason::Dns, "the name has no address")),
        _ => Ok(permitted),
    }
}

/// A stream to the first address that takes one.
pub(crate) async fn connect(place: &Place, within: Duration) -> Result<TcpStream, SendError> {
    let mut last = not_sent(Reason::Connect, "no address");
    let until = tokio::time::Instant::now() + within;
    for address in addresses(place).await? {
        let address = SocketAddr::new(address, place.port);
        match tokio::time::timeout_at(until, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // A statement is small and waits for its answer.
                drop(stream.set_nodelay(true));
                return Ok(stream);
            }
            Ok(Err(error)) => last = not_sent(Reason::Connect, error.to_string()),
            Err(_) => return Err(not_sent(Reason::ConnectTimeout, format!("{within:?}"))),
        }
    }
    Err(last)
}

/// The certificate authorities of this machine, read once.
pub(crate) fn roots() -> &'static [rustls::pki_types::CertificateDer<'static>] {
    static ROOTS: OnceLock<Vec<rustls::pki_types::CertificateDer<'static>>> = OnceLock::new();
    ROOTS.get_or_init(|| rustls_native_certs::load_native_certs().certs)
}

/// How TLS is spoken to a place: with the certificates that its connection trusts, and else the machine's authorities.
pub(crate) fn tls(place: &Place) -> Result<Arc<rustls::ClientConfig>, SendError> {
    tls_of(place, rustls::DEFAULT_VERSIONS)
}

/// The same where the protocol wraps the handshake, which its servers do for TLS 1.2 only.
#[cfg(feature = "sqlserver")]
pub(crate) fn tls_12(place: &Place) -> Result<Arc<rustls::ClientConfig>, SendError> {
    tls_of(place, &[&rustls::version::TLS12])
}

fn tls_of(
    place: &Place,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Result<Arc<rustls::ClientConfig>, SendError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(|error| not_sent(Reason::Tls, error.to_string()))?;
    let builder = match place.trust.verifier(&provider) {
        Some(verifier) => builder.dangerous().with_custom_certificate_verifier(verifier),
        None => {
            let mut store = rustls::RootCertStore::empty();
            store.add_parsable_certificates(roots().iter().chain(&place.authorities).cloned());
            builder.with_root_certificates(store)
        }
    };
    Ok(Arc::new(builder.with_no_client_auth()))
}
