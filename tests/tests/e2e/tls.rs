//! The API over TLS: who is let in, who is not, and a certificate that is renewed while it serves.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::json;
use tests::e2e::{Serving, World};

use crate::certificates::Made;
use crate::patience::PATIENCE;

/// `GET /healthz` by somebody who trusts this certificate alone.
fn ask(to: SocketAddr, trusted: &Made) -> Result<String, String> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from(trusted.certificate.clone()))
        .expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the usual versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
    let answer = || -> io::Result<String> {
        let mut stream = StreamOwned::new(connection, open(to)?);
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    };
    answer().map_err(|error| error.to_string())
}

fn open(to: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn put(world: &World, made: &Made) {
    world.write("server.pem", &made.pem());
    world.write("server.key", &made.key_pem());
}

fn serve(world: &World, made: &Made) -> Serving {
    put(world, made);
    world.serve(&["--tls-cert", "server.pem", "--tls-key", "server.key"])
}

#[track_caller]
fn is_answered(served: &Serving, made: &Made) {
    let answer = ask(served.address(), made);
    let is_ok = answer.as_ref().is_ok_and(|text| text.starts_with("HTTP/1.1 200"));
    assert!(is_ok, "{answer:?}");
}

#[track_caller]
fn is_refused(served: &Serving, made: &Made, why: &str) {
    let answer = ask(served.address(), made);
    assert!(
        answer.as_ref().is_err_and(|error| error.contains(why)),
        "{answer:?}"
    );
}

#[test]
fn the_api_speaks_tls_with_those_who_trust_it() {
    let (world, made) = (World::small(), Made::of("localhost"));
    let served = serve(&world, &made);
    is_answered(&served, &made);
    is_refused(&served, &Made::of("localhost"), "invalid peer certificate");
    // Somebody who speaks without TLS gets no answer of the API, and disturbs nobody.
    let mut plain = open(served.address()).expect("it listens");
    plain
        .write_all(b"GET /api/v1/schemes HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .expect("it is read");
    let mut answer = Vec::new();
    // A reset is an answer as well.
    drop(plain.read_to_end(&mut answer));
    assert!(
        !answer.starts_with(b"HTTP/"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    is_answered(&served, &made);
}

#[test]
fn a_certificate_that_is_over_is_nobodys() {
    let (world, made) = (World::small(), Made::until("localhost", 2001));
    let served = serve(&world, &made);
    is_refused(&served, &made, "certificate expired");
}

#[test]
fn a_key_that_does_not_fit_is_refused_before_anything_runs() {
    let world = World::small();
    let (made, other) = (Made::of("localhost"), Made::of("localhost"));
    world.write("server.pem", &made.pem());
    world.write("server.key", &other.key_pem());
    world.write("empty.pem", "");
    for (cert, key) in [
        ("server.pem", "server.key"),
        ("empty.pem", "server.key"),
        ("server.pem", "server.pem"),
    ] {
        let ran = world.engine(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--tls-cert",
            cert,
            "--tls-key",
            key,
        ]);
        ran.expect(2).warns("TLS");
        assert!(!ran.to_string().contains("PRIVATE KEY"), "{ran}");
    }
    let missing = world.engine(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--tls-cert",
        "none.pem",
        "--tls-key",
        "server.key",
    ]);
    assert_ne!(missing.code, Some(0), "{missing}");
    missing.warns("none.pem");
}

#[test]
fn a_renewed_certificate_is_shown_after_a_signal() {
    let world = World::small();
    let (first, second) = (Made::of("localhost"), Made::of("localhost"));
    let mut served = serve(&world, &first);
    is_answered(&served, &first);
    put(&world, &second);
    served.signal("HUP");
    served.wait_for("reloaded", "");
    is_answered(&served, &second);
    is_refused(&served, &first, "invalid peer certificate");
    // Half a renewal: the key of another. What was in force stays so.
    world.write("server.key", &first.key_pem());
    served.signal("HUP");
    let told = served.wait_for("not_reloaded", "");
    assert!(
        told["reason"]["text"]
            .as_str()
            .is_some_and(|text| text.contains("TLS")),
        "{told:#}"
    );
    let told = served.wait_for("reloaded", "");
    assert_eq!(told["broken"], json!(0), "{told:#}");
    is_answered(&served, &second);
}
