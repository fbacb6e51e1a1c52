//! The HTTP interface of `engine serve`: `/api/v1`, its description, health and metrics.
//!
//! One table ([`api::operations`]) says of every operation its address, the scope it needs, the types it takes and
//! gives, and who answers it. The router, the OpenAPI file and the tests are made from that table, so they cannot
//! differ. What schemes do is asked of the [`Service`](app::service::Service); records and runs are asked of the ledger.
//!
//! It promises that nothing is done before the caller is known and may do it, that every answer is JSON of the shape
//! the description names or a `problem+json`, that no value is shown that the command line would mask, and that neither
//! slow nor large nor many requests hold it up. It decides nothing about records: it hands decisions to the ledger.

pub mod access;
pub mod api;
mod body;
mod call;
mod cursor;
mod document;
mod fxiaoke;
pub mod language;
pub mod listen;
pub mod metrics;
mod openapi;
mod operation;
pub mod problem;
pub mod publish;
pub mod receive;
mod router;
mod state;
mod time;

pub use openapi::{document as openapi_document, text as openapi_text};
pub use problem::Problem;
pub use router::router;
pub use state::{Settings, State};

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use app::AppError;
use app::service::Service;
use tokio::net::TcpListener;

/// A server that has its address and does not answer yet.
pub struct Listening {
    listener: TcpListener,
    state: State,
    tls: Option<listen::Tls>,
}

/// Takes an address for a service. One that others can reach is refused while nobody could log in there.
pub async fn open(
    service: &Arc<Service>,
    address: SocketAddr,
    tls: Option<listen::Tls>,
) -> Result<Listening, AppError> {
    let settings = Settings {
        is_tls: tls.is_some(),
        ..Settings::default()
    };
    let state = State::new(Arc::clone(service), settings)?;
    Ok(Listening {
        listener: listen::bind(address, &state).await?,
        state,
        tls,
    })
}

impl Listening {
    /// The address, with the port that was found where none was asked for.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// What all requests share.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Answers until `stop` ends, then waits a while for the requests that go on.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let counting = tokio::spawn(count(self.state.clone()));
        let state = self.state.clone();
        let router = router(self.state);
        listen::serve(self.listener, router, self.tls, listen::Bounds::default(), stop).await;
        counting.abort();
        // Writes whose callers have hung up belong to no connection.
        if tokio::time::timeout(listen::LAST, state.written()).await.is_err() {
            tracing::warn!("writes that took too long were cut off");
        }
        counted(&state, 0).await;
    }
}

/// Who used what is counted in memory and written so often: a process that is killed forgets a minute of it.
const COUNTED_EVERY: std::time::Duration = std::time::Duration::from_secs(60);

async fn count(state: State) {
    loop {
        tokio::time::sleep(COUNTED_EVERY).await;
        counted(&state, 1).await;
    }
}

/// Writes down what was counted; what cannot be written is the next minute's.
async fn counted(state: &State, every: flow::ids::Ms) {
    if state.service().is_read_only() {
        return;
    }
    let now = state.now_ms();
    if let Err(problem) = publish::write_counts(state, now, every).await {
        tracing::warn!("{problem:?}");
    }
    if let Err(error) = state.service().inbox().write_counts(now).await {
        tracing::warn!(code = error.code(), "{error}");
    }
}
