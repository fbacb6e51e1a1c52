//! Encryption of the kind that this protocol has: the handshake travels inside packets of the greeting, everything
//! behind it is encrypted.
//!
//! A task stands between the library and the server. It asks the server for encryption where the library says that it
//! has none, makes the handshake, tells the library what it expects to hear, and then carries bytes. A server that
//! offers no encryption is not logged into.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf};
use tokio::sync::oneshot;

/// Bytes on their way between library and task.
const BUFFER: usize = 64 << 10;

/// A packet's head: kind, status, length, and four bytes that nobody looks at.
const HEAD: usize = 8;

/// The kind of a packet of the greeting.
const GREETING: u8 = 0x12;

/// The longest greeting that is read; real ones have some dozens of bytes.
const GREETING_MAX: usize = 4096;

/// Places of the greeting: encryption, and the end of the list.
const ENCRYPTION: u8 = 0x01;
const END: u8 = 0xFF;

/// What is said about encryption.
const ON: u8 = 0x01;
const NOT_SUPPORTED: u8 = 0x02;

/// Most bytes of a handshake in one packet.
const PIECE: usize = 4096 - HEAD;

/// The library's end, and why the handshake failed if it did.
pub(super) fn around<S>(
    server: S,
    config: Arc<rustls::ClientConfig>,
    host: String,
) -> (DuplexStream, oneshot::Receiver<String>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (near, far) = tokio::io::duplex(BUFFER);
    let (tell, told) = oneshot::channel();
    tokio::spawn(async move {
        // When either side ends, both do.
        match greet(far, server, config, host).await {
            Ok((mut far, mut tls)) => {
                drop(tokio::io::copy_bidirectional(&mut far, &mut tls).await);
            }
            Err(error) => drop(tell.send(error.to_string())),
        }
    });
    (near, told)
}

type Secured<S> = tokio_rustls::client::TlsStream<Wrapped<S>>;

async fn greet<S>(
    mut library: DuplexStream,
    mut server: S,
    config: Arc<rustls::ClientConfig>,
    host: String,
) -> io::Result<(DuplexStream, Secured<S>)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut ours = packet(&mut library).await?;
    *encryption(&mut ours)? = ON;
    server.write_all(&ours).await?;
    server.flush().await?;
    let mut theirs = packet(&mut server).await?;
    let offered = encryption(&mut theirs)?;
    if *offered == NOT_SUPPORTED {
        return Err(io::Error::other("the server offers no encryption"));
    }
    *offered = NOT_SUPPORTED;
    let name = rustls::pki_types::ServerName::try_from(host)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let is_wrapped = Arc::new(AtomicBool::new(true));
    let wrapped = Wrapped::new(server, Arc::clone(&is_wrapped));
    let mut tls = tokio_rustls::TlsConnector::from(config)
        .connect(name, wrapped)
        .await?;
    tls.flush().await?;
    is_wrapped.store(false, Ordering::SeqCst);
    library.write_all(&theirs).await?;
    Ok((library, tls))
}

/// One packet of the greeting, its head included.
async fn packet(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut packet = vec![0; HEAD];
    from.read_exact(&mut packet).await?;
    let length = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
    if !(HEAD..=GREETING_MAX).contains(&length) {
        return Err(io::Error::other("a greeting of an unknown form"));
    }
    packet.resize(length, 0);
    from.read_exact(&mut packet[HEAD..]).await?;
    Ok(packet)
}

/// The byte of a greeting that says something about encryption.
fn encryption(packet: &mut [u8]) -> io::Result<&mut u8> {
    let unknown = || io::Error::other("a greeting without a word about encryption");
    let body = &mut packet[HEAD..];
    let mut at = 0;
    loop {
        match body.get(at) {
            None | Some(&END) => return Err(unknown()),
            Some(&ENCRYPTION) => break,
            // A place, an offset and a length.
            Some(_) => at += 5,
        }
    }
    let offset = body.get(at + 1..at + 3).ok_or_else(unknown)?;
    let offset = usize::from(u16::from_be_bytes([offset[0], offset[1]]));
    body.get_mut(offset).ok_or_else(unknown)
}

/// A stream whose bytes travel in packets of the greeting for as long as the handshake takes.
struct Wrapped<S> {
    server: S,
    is_wrapped: Arc<AtomicBool>,
    /// Bytes that wait to be a packet.
    waiting: Vec<u8>,
    /// A packet that is being sent, and how much of it was.
    sending: (Vec<u8>, usize),
    /// The head of a packet that is being read.
    head: (Vec<u8>, usize),
}

impl<S> Wrapped<S> {
    fn new(server: S, is_wrapped: Arc<AtomicBool>) -> Wrapped<S> {
        Wrapped {
            server,
            is_wrapped,
            waiting: Vec::new(),
            sending: (Vec::new(), 0),
            head: (Vec::new(), 0),
        }
    }
}

impl<S: AsyncWrite + Unpin> Wrapped<S> {
    /// Sends everything that waits, packet by packet.
    fn send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let (packet, sent) = &mut self.sending;
            while *sent < packet.len() {
                let some = ready!(Pin::new(&mut self.server).poll_write(cx, &packet[*sent..]))?;
                if some == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                *sent += some;
            }
            if self.waiting.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let piece: Vec<u8> = self.waiting.drain(..self.waiting.len().min(PIECE)).collect();
            let is_last = u8::from(self.waiting.is_empty());
            let length = u16::try_from(piece.len() + HEAD)
                .unwrap_or(u16::MAX)
                .to_be_bytes();
            let mut packet = vec![GREETING, is_last, length[0], length[1], 0, 0, 0, 0];
            packet.extend(piece);
            self.sending = (packet, 0);
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wrapped<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_wrapped.load(Ordering::SeqCst) {
            self.waiting.extend_from_slice(buf);
            return Poll::Ready(Ok(buf.len()));
        }
        ready!(self.send(cx))?;
        Pin::new(&mut self.server).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.send(cx))?;
        Pin::new(&mut self.server).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.send(cx))?;
        Pin::new(&mut self.server).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Wrapped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.is_wrapped.load(Ordering::SeqCst) {
            return Pin::new(&mut self.server).poll_read(cx, buf);
        }
        // What was written before must be on its way before an answer can come.
        ready!(self.send(cx))?;
        let this = &mut *self;
        let (head, left) = &mut this.head;
        while *left == 0 {
            let mut one = [0; 1];
            let mut byte = ReadBuf::new(&mut one);
            ready!(Pin::new(&mut this.server).poll_read(cx, &mut byte))?;
            if byte.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            head.push(one[0]);
            if head.len() == HEAD {
                let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
                *left = length.saturating_sub(HEAD);
                head.clear();
            }
        }
        let mut some = buf.take(*left);
        let before = some.filled().len();
        ready!(Pin::new(&mut this.server).poll_read(cx, &mut some))?;
        let read = some.filled().len() - before;
        *left -= read;
        let filled = buf.filled().len() + read;
        // They were read into the same bytes.
        buf.initialize_unfilled_to(read);
        buf.set_filled(filled);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

    use super::*;

    /// A greeting with a version (of which nothing is read) and one word about encryption.
    fn greeting(word: u8) -> Vec<u8> {
        let body = [0, 0, 11, 0, 1, ENCRYPTION, 0, 12, 0, 1, END, 9, word];
        let mut packet = vec![GREETING, 1, 0, 0, 0, 0, 0, 0];
        packet.extend(body);
        packet[3] = u8::try_from(packet.len()).unwrap();
        packet
    }

    fn both_sides() -> (Arc<rustls::ClientConfig>, Arc<rustls::ServerConfig>) {
        let made = rcgen::generate_simple_self_signed(["db.example.com".to_owned()]).unwrap();
        let certificate: CertificateDer<'static> = made.cert.der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let ring = || Arc::new(rustls::crypto::ring::default_provider());
        let versions: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS12];
        let server = rustls::ServerConfig::builder_with_provider(ring())
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate).unwrap();
        let client = rustls::ClientConfig::builder_with_provider(ring())
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        (Arc::new(client), Arc::new(server))
    }

    /// What the server heard first, and the encrypted words that it sends back in capitals.
    async fn serve(mut wire: DuplexStream, config: Arc<rustls::ServerConfig>, word: u8) -> Vec<u8> {
        let heard = packet(&mut wire).await.unwrap();
        wire.write_all(&greeting(word)).await.unwrap();
        if word == NOT_SUPPORTED {
            return heard;
        }
        let is_wrapped = Arc::new(AtomicBool::new(true));
        let wrapped = Wrapped::new(wire, Arc::clone(&is_wrapped));
        let Ok(mut tls) = tokio_rustls::TlsAcceptor::from(config).accept(wrapped).await else {
            return heard;
        };
        tls.flush().await.unwrap();
        is_wrapped.store(false, Ordering::SeqCst);
        let mut words = [0; 5];
        tls.read_exact(&mut words).await.unwrap();
        words.make_ascii_uppercase();
        tls.write_all(&words).await.unwrap();
        tls.flush().await.unwrap();
        heard
    }

    #[tokio::test]
    async fn what_the_library_says_in_the_open_travels_encrypted() {
        let (client, server) = both_sides();
        let (wire, other) = tokio::io::duplex(BUFFER);
        let served = tokio::spawn(serve(other, server, ON));
        let (mut library, mut told) = around(wire, client, "db.example.com".to_owned());
        library.write_all(&greeting(NOT_SUPPORTED)).await.unwrap();
        let answer = packet(&mut library).await.unwrap();
        assert_eq!(
            answer,
            greeting(NOT_SUPPORTED),
            "the library goes on without encryption of its own"
        );
        library.write_all(b"hello").await.unwrap();
        let mut words = [0; 5];
        library.read_exact(&mut words).await.unwrap();
        assert_eq!(&words, b"HELLO");
        assert!(told.try_recv().is_err(), "nothing went wrong");
        assert_eq!(
            served.await.unwrap(),
            greeting(ON),
            "the server was asked for encryption"
        );
    }

    /// A server without encryption, and one whose certificate is another's: nothing is logged into.
    #[tokio::test]
    async fn there_is_no_way_without() {
        for (word, host) in [(NOT_SUPPORTED, "db.example.com"), (ON, "other.example.com")] {
            let (client, server) = both_sides();
            let (wire, other) = tokio::io::duplex(BUFFER);
            let served = tokio::spawn(serve(other, server, word));
            let (mut library, told) = around(wire, client, host.to_owned());
            library.write_all(&greeting(NOT_SUPPORTED)).await.unwrap();
            let mut some = [0; 1];
            assert_eq!(
                library.read(&mut some).await.unwrap(),
                0,
                "the library hears nothing: {word} {host}"
            );
            let why = told.await.unwrap();
            assert!(
                why.contains("no encryption") || why.contains("certificate"),
                "{why}"
            );
            served.await.unwrap();
        }
    }

    #[test]
    fn greetings_of_another_form() {
        for bytes in [
            &[0u8; HEAD][..],
            &[GREETING, 1, 0, 9, 0, 0, 0, 0, END],
            &[0, 0, 0, 13, 0, 0, 0, 0, 1, 0, 99, 0, 1],
        ] {
            assert!(encryption(&mut bytes.to_vec()).is_err(), "{bytes:?}");
        }
    }
}
