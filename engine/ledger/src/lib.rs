//! What the engine remembers: records, sightings, windows, attempts, on SQLite.
//!
//! Work is data: a list of [`flow::op::LedgerOp`] is one transaction, applied in order, all or nothing, by
//! [`Ledger::apply`] (or on a thread of its own by [`Writer`]). Questions go through [`Reader`], on connections apart
//! from the writer. It promises that a state changes only along the transitions that `flow::op` names, that a claim is
//! on the disk before `apply` returns, and that an interval is closed in the transaction of its last page. It leaves
//! to others what a row or a payload means, when to send, and how a failed send is judged.
//!
//! One data directory per environment, one process at a time; see [`Ledger::open`].

pub mod apply;
pub mod backup;
pub mod blobs;
pub mod columns;
pub mod contract;
pub mod doctor;
pub mod error;
pub mod fix;
pub mod generation;
pub mod lock;
pub mod open;
pub mod prune;
pub mod read;
pub mod room;
mod schema;
pub mod service;
pub mod two_way;
pub mod verify;
pub mod writer;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use blobs::Blobs;
pub use columns::Columns;
pub use error::{StoreError, Words, plain_words};
use flow::point::{Point, Side};
pub use open::{CheckBudget, Checked, OpenOptions, Opened, Suspect};
pub use read::{Found, Reader, SourceRow, StoredRow};
use rusqlite::Connection;
pub use verify::{Finding, VerifyReport};
pub use writer::Writer;

/// Told of every transaction, by the kinds of work in it: when it is about to be committed, and when it is durable and
/// nobody has been told yet.
pub type Watch = Arc<dyn Fn(Side, Point) + Send + Sync>;

/// A ledger opened for work.
pub struct Ledger {
    conn: Arc<Mutex<Connection>>,
    place: Place,
    words: Words,
    opened: Opened,
    note: Option<generation::Note>,
    watch: Option<Watch>,
    _lock: Option<lock::DirLock>,
}

enum Place {
    /// Readers open the file themselves.
    File(PathBuf),
    /// Readers share the one connection.
    Memory,
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, Connection> {
        lock_connection(&self.conn)
    }
}

/// A panic under the lock has rolled its transaction back, so the connection itself is sound.
fn lock_connection(conn: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    conn.lock().unwrap_or_else(PoisonError::into_inner)
}
