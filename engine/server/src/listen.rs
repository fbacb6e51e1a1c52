//! Connections: accepted within bounds, encrypted where that is set up, closed when a request head takes too long.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use app::AppError;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use dsl::catalogue::server;
use dsl::diagnostic::Failure;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::state::State;

/// How long the head of a request may take, and how long a connection may wait for one.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long agreeing on keys may take.
const TLS_TIME: Duration = Duration::from_secs(10);
/// Connections at a time.
const MOST: usize = 512;
/// Connections of one address at a time. Behind a proxy all have one; it then has a limit of its own.
const MOST_OF_ONE: usize = 64;
/// Bytes of a request head: cookies and tokens are small.
const MOST_HEAD: usize = 32 * 1024;
/// How long requests that go on are waited for when the server stops.
pub(crate) const LAST: Duration = Duration::from_secs(20);
/// The pause after the system refused a connection, for example because there are no file handles left.
const PAUSE: Duration = Duration::from_millis(100);

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// Bounds, for a test to set smaller ones.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How long the head of a request may take.
    pub head_time: Duration,
    /// Connections at a time.
    pub most: usize,
    /// Connections of one address at a time.
    pub most_of_one: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            head_time: HEAD_TIME,
            most: MOST,
            most_of_one: MOST_OF_ONE,
        }
    }
}

/// Takes an address. One that others can reach is refused while nobody could log in there.
pub async fn bind(address: SocketAddr, state: &State) -> Result<TcpListener, AppError> {
    if !address.ip().is_loopback() && !state.has_anybody()? {
        return Err(Failure::new(&server::NO_USER).with("address", address).into());
    }
    TcpListener::bind(address).await.map_err(|error| {
        Failure::new(&server::NOT_LISTENING)
            .with("address", address)
            .with("what", error)
            .into()
    })
}

/// What is counted of connections.
#[derive(Default)]
struct Peers(Mutex<HashMap<IpAddr, usize>>);

struct Seat {
    peers: Arc<Peers>,
    address: IpAddr,
}

impl Peers {
    fn sit(self: &Arc<Self>, address: IpAddr, most: usize) -> Option<Seat> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Seat {
            peers: Arc::clone(self),
            address,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.peers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// Serves until `stop` ends, then waits a while for the requests that go on.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<Tls>,
    bounds: Bounds,
    stop: impl Future<Output = ()>,
) {
    let (stopping, is_stopping) = watch::channel(false);
    let seats = Arc::new(Semaphore::new(bounds.most));
    let peers = Arc::new(Peers::default());
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        // What has ended is forgotten, or the set would grow.
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let address = address.ip().to_canonical();
        // Beyond the bounds a connection is closed without a word: a word would cost what is missing.
        let Ok(permit) = Arc::clone(&seats).try_acquire_owned() else {
            continue;
        };
        let Some(seat) = peers.sit(address, bounds.most_of_one) else {
            continue;
        };
        let (router, tls, is_stopping) = (router.clone(), tls.clone(), is_stopping.clone());
        connections.spawn(async move {
            let _held = (permit, seat);
            connection(stream, address, router, tls, bounds.head_time, is_stopping).await;
        });
    }
    drop(listener);
    stopping.send_replace(true);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST, all).await.is_err() {
        tracing::warn!("requests that took too long were cut off");
    }
}

async fn connection(
    stream: TcpStream,
    address: IpAddr,
    router: Router,
    tls: Option<Tls>,
    head_time: Duration,
    stopping: watch::Receiver<bool>,
) {
    // Answers are small, and are waited for.
    drop(stream.set_nodelay(true));
    match tls {
        None => converse(stream, address, router, head_time, stopping).await,
        Some(tls) => match tokio::time::timeout(TLS_TIME, tls.acceptor.accept(stream)).await {
            Ok(Ok(stream)) => converse(stream, address, router, head_time, stopping).await,
            Ok(Err(error)) => tracing::debug!(%address, "no TLS: {error}"),
            Err(_) => tracing::debug!(%address, "no TLS in time"),
        },
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    address: IpAddr,
    router: Router,
    head_time: Duration,
    mut stopping: watch::Receiver<bool>,
) {
    let service = router.map_request(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(Peer(address)));
        request
    });
    let service = TowerToHyperService::new(service.map_err(|never: Infallible| match never {}));
    let conversation = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_time)
        .max_buf_size(MOST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(conversation);
    let ended = tokio::select! {
        ended = conversation.as_mut() => ended,
        () = stopped(&mut stopping) => {
            conversation.as_mut().graceful_shutdown();
            conversation.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%address, "{error}");
    }
}

/// Ends when the server stops.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // Whether it said so or is gone already.
    drop(stopping.wait_for(|stopping| *stopping).await);
}

/// Speaks TLS with those who connect. Clones have the same certificate, also when another one takes its place.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    certificate: Arc<Current>,
}

/// The certificate that is shown to those who connect from now on.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current))
    }
}

impl Tls {
    /// With a certificate chain and its key, both PEM.
    pub fn new(certificates: &[u8], key: &[u8]) -> Result<Self, AppError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certified = certified(certificates, key, &provider)?;
        let certificate = Arc::new(Current(RwLock::new(Arc::new(certified))));
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| refused(&error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&certificate) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Tls {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            certificate,
        })
    }

    /// Shows another certificate from now on; one that cannot be used changes nothing.
    pub fn renew(&self, certificates: &[u8], key: &[u8]) -> Result<(), AppError> {
        let provider = rustls::crypto::ring::default_provider();
        let certified = certified(certificates, key, &provider)?;
        let mut current = self.certificate.0.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(certified);
        Ok(())
    }
}

fn refused(what: &str) -> AppError {
    AppError::wrong_use(
        format!("TLS 证书或私钥不可用:{what}"),
        format!("the TLS certificate or its key cannot be used: {what}"),
    )
}

/// A chain with the key that belongs to it.
fn certified(certificates: &[u8], key: &[u8], provider: &CryptoProvider) -> Result<CertifiedKey, AppError> {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let chain = CertificateDer::pem_slice_iter(certificates)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| refused(&error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| refused(&error.to_string()))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| refused(&error.to_string()))
}
