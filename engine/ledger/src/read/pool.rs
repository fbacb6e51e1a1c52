//! Connections for questions.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, TransactionBehavior};

use crate::error::StoreError;
use crate::{lock_connection, open};

/// Asks the ledger. Cheap to clone, usable from several threads; each question sees one state of the ledger.
#[derive(Clone)]
pub struct Reader {
    source: Arc<Source>,
    /// Queries of look-ups so far, of all clones.
    look_ups: Arc<AtomicU64>,
}

enum Source {
    /// The one connection of a ledger in memory.
    Shared(Arc<Mutex<Connection>>),
    /// A file, and connections to it that are not in use.
    File {
        path: PathBuf,
        idle: Mutex<Vec<Connection>>,
    },
}

/// Connections kept open between questions; more than this many at once are closed again.
const MAX_IDLE: usize = 4;

impl Reader {
    pub(crate) fn of_shared(conn: Arc<Mutex<Connection>>) -> Self {
        Reader {
            source: Arc::new(Source::Shared(conn)),
            look_ups: Arc::default(),
        }
    }

    pub(crate) fn of_file(path: PathBuf) -> Self {
        Reader {
            source: Arc::new(Source::File {
                path,
                idle: Mutex::default(),
            }),
            look_ups: Arc::default(),
        }
    }

    /// Answers one question inside one read transaction.
    pub(crate) fn ask<T>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match &*self.source {
            Source::Shared(conn) => question(&lock_connection(conn)),
            Source::File { path, idle } => {
                let taken = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let (mut conn, at_rest) = match taken {
                    Some(conn) => (conn, false),
                    None => open::open_for_reading(path)?,
                };
                let tx = conn.transaction_with_behavior(TransactionBehavior::Deferred)?;
                let answer = question(&tx)?;
                tx.finish()?;
                let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
                if !at_rest && idle.len() < MAX_IDLE {
                    idle.push(conn);
                }
                Ok(answer)
            }
        }
    }

    /// How many queries look-ups have made on this reader and its clones: what a page of records costs.
    pub fn look_ups(&self) -> u64 {
        self.look_ups.load(Ordering::Relaxed)
    }

    pub(crate) fn count_look_up(&self) {
        self.look_ups.fetch_add(1, Ordering::Relaxed);
    }

    /// The environment the ledger belongs to; one in memory may belong to none.
    pub fn environment(&self) -> Result<Option<String>, StoreError> {
        self.ask(open::environment)
    }
}
