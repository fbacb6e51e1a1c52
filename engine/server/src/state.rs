//! What all requests share.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use app::AppError;
use app::service::Service;
use flow::ids::Ms;
use ledger::{Ledger, Reader};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::access::{Logins, Places, TokenBook};
use crate::api::decisions::Operations;
use crate::body;
use crate::fxiaoke::who::Book;
use crate::metrics::Counters;
use crate::openapi;
use crate::problem::Problem;
use crate::publish::Published;

/// Streams of events at a time. One browser holds one for all its tabs.
const STREAMS: usize = 64;
/// Writes at a time, those whose callers are gone included: far more than there are connections.
const WRITES: u32 = 2_048;
/// Dry runs at a time: each copies the ledger into memory.
const DRY_RUNS: usize = 2;
/// Readers of the log at a time: each goes through all that is kept of it, 50 MiB.
const LOGS: usize = 2;
/// Rows that are evaluated at a time: each keeps a core busy.
const PREVIEWS: usize = 4;

/// Pages of stored rows that are read for other systems at a time: each may be a hundred megabytes while it is made.
const ROW_READERS: usize = 4;

/// What an operator may set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether connections are encrypted: cookies are then sent over such ones only.
    pub is_tls: bool,
    /// Largest body of the API, in bytes.
    pub most_bytes: usize,
    /// How long a body may take to arrive.
    pub body_time: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            is_tls: false,
            most_bytes: body::MOST_BYTES,
            body_time: body::MOST_TIME,
        }
    }
}

/// What all requests share. Cheap to clone.
#[derive(Clone)]
pub struct State(Arc<Shared>);

struct Shared {
    service: Arc<Service>,
    settings: Settings,
    tokens: TokenBook,
    /// Held while the tokens are read and put in place: what is read later comes later.
    reading_tokens: Mutex<()>,
    logins: Logins,
    counters: Counters,
    published: Published,
    speakers: Book,
    passwords: Places,
    streams: Arc<Semaphore>,
    dry_runs: Arc<Semaphore>,
    previews: Arc<Semaphore>,
    logs: Arc<Semaphore>,
    row_readers: Semaphore,
    writes: Arc<Semaphore>,
    /// Writes with a key that are being carried out.
    under_way: Mutex<HashSet<(String, String)>>,
    description: String,
    operations: Operations,
    editing: tokio::sync::Mutex<()>,
}

impl State {
    /// For a service. Reads the tokens that the ledger has.
    pub fn new(service: Arc<Service>, settings: Settings) -> Result<Self, AppError> {
        let state = State(Arc::new(Shared {
            service,
            settings,
            tokens: TokenBook::default(),
            reading_tokens: Mutex::default(),
            logins: Logins::default(),
            counters: Counters::default(),
            published: Published::default(),
            speakers: Book::default(),
            passwords: Places::default(),
            streams: Arc::new(Semaphore::new(STREAMS)),
            dry_runs: Arc::new(Semaphore::new(DRY_RUNS)),
            previews: Arc::new(Semaphore::new(PREVIEWS)),
            logs: Arc::new(Semaphore::new(LOGS)),
            row_readers: Semaphore::new(ROW_READERS),
            writes: Arc::new(Semaphore::new(WRITES as usize)),
            under_way: Mutex::default(),
            description: openapi::text(),
            operations: Operations::default(),
            editing: tokio::sync::Mutex::default(),
        }));
        state.read_tokens()?;
        Ok(state)
    }

    /// Reads the tokens again: after one was made. Waits for the ledger.
    pub(crate) fn read_tokens(&self) -> Result<(), AppError> {
        let _alone = self
            .0
            .reading_tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let rows = self.reader().token_hashes()?;
        self.0.tokens.fill(rows);
        Ok(())
    }

    /// Knows a token no more: after it was revoked in the ledger. Asks the ledger nothing, so that it cannot fail; waits
    /// for those who do.
    pub(crate) fn forget_token(&self, id: i64) {
        let _alone = self
            .0
            .reading_tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.0.tokens.forget(id);
    }

    /// Whether anybody could log in: there is a user or a token that may be used.
    pub fn has_anybody(&self) -> Result<bool, AppError> {
        let now = self.now_ms();
        Ok(self.0.tokens.has_any(now) || !self.reader().users()?.is_empty())
    }

    /// The service.
    pub fn service(&self) -> &Arc<Service> {
        &self.0.service
    }

    /// Now, by the clock of the service.
    pub fn now_ms(&self) -> Ms {
        self.0.service.now_ms()
    }

    /// Questions to the ledger.
    pub fn reader(&self) -> Reader {
        self.0.service.loaded().engine.reader().clone()
    }

    /// Work on the ledger that belongs to no run.
    pub async fn with_ledger<T: Send + 'static>(
        &self,
        errand: impl FnOnce(&mut Ledger) -> T + Send + 'static,
    ) -> Result<T, AppError> {
        self.0.service.loaded().engine.with_ledger(errand).await
    }

    /// What the operator has set.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The tokens that are known.
    pub fn tokens(&self) -> &TokenBook {
        &self.0.tokens
    }

    /// Sessions and mistakes.
    pub(crate) fn logins(&self) -> &Logins {
        &self.0.logins
    }

    /// Who reads what of published schemes.
    pub(crate) fn published(&self) -> &Published {
        &self.0.published
    }

    /// Who speaks the ERP protocol.
    pub(crate) fn speakers(&self) -> &Book {
        &self.0.speakers
    }

    /// What is counted.
    pub fn counters(&self) -> &Counters {
        &self.0.counters
    }

    pub(crate) fn passwords(&self) -> &Places {
        &self.0.passwords
    }

    pub(crate) fn streams(&self) -> &Arc<Semaphore> {
        &self.0.streams
    }

    pub(crate) fn dry_runs(&self) -> &Arc<Semaphore> {
        &self.0.dry_runs
    }

    pub(crate) fn previews(&self) -> &Arc<Semaphore> {
        &self.0.previews
    }

    /// To be held while the log is read.
    pub fn logs(&self) -> &Arc<Semaphore> {
        &self.0.logs
    }

    /// To be held while stored rows are read for another system. Waits: whoever asks comes page by page, and the time of
    /// its request is bounded.
    pub(crate) async fn reading_rows(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.0.row_readers.acquire().await.map_err(Problem::bug)
    }

    /// To be held while something is written: the end of the server waits for it.
    pub(crate) async fn writing(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let free = Arc::clone(&self.0.writes).acquire_owned().await;
        free.map_err(|_| Problem::conflict("stopping"))
    }

    /// Waits for everything that is being written, whoever has hung up meanwhile; from then on nothing is.
    pub(crate) async fn written(&self) {
        if self.0.writes.acquire_many(WRITES).await.is_ok() {
            self.0.writes.close();
        }
    }

    pub(crate) fn under_way(&self) -> &Mutex<HashSet<(String, String)>> {
        &self.0.under_way
    }

    pub(crate) fn description(&self) -> &str {
        &self.0.description
    }

    pub(crate) fn operations(&self) -> &Operations {
        &self.0.operations
    }

    /// One change of a scheme file at a time.
    pub(crate) fn editing(&self) -> &tokio::sync::Mutex<()> {
        &self.0.editing
    }
}
