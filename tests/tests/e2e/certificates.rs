//! Certificates that a test makes for itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A certificate that vouches for itself, with its key.
pub(crate) struct Made {
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

impl Made {
    /// For a server of this name.
    pub(crate) fn of(name: &str) -> Self {
        Made::until(name, 4096)
    }

    /// The same, over since the end of a year.
    pub(crate) fn until(name: &str, year: i32) -> Self {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.not_before = rcgen::date_time_ymd(1975, 1, 1);
        params.not_after = rcgen::date_time_ymd(year, 12, 31);
        let certificate = params.self_signed(&key).expect("a certificate");
        Made {
            certificate: certificate.der().to_vec(),
            key: key.serialize_der(),
        }
    }

    /// The certificate as a file.
    pub(crate) fn pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }

    /// The key as a file.
    pub(crate) fn key_pem(&self) -> String {
        pem("PRIVATE KEY", &self.key)
    }
}

/// RFC 7468.
fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).expect("base64 is ASCII"))
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}
