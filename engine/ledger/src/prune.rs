//! What is given up after a while, and the space it took given back.
//!
//! The documents that were sent are kept with their attempts so that people can see them; some time after a record was
//! settled nobody asks any more, and they are the larger half of a ledger. Keys, versions, ids, rows and verdicts stay:
//! look-ups and decisions need them. Work is done in small transactions, oldest first, and goes on where it stopped.

use flow::ids::Ms;
use rusqlite::{Transaction, TransactionBehavior};

use crate::error::StoreError;
use crate::{Ledger, generation};

/// Attempts looked at in one transaction, so that the writer is never away for long.
const BATCH: i64 = 200;

/// Transactions of one call: 20,000 attempts, far more than a run makes. What is left is the next call's.
const MAX_BATCHES: u32 = 100;

/// Pages given back in one step: four megabytes.
const PAGES: u32 = 1_000;

/// What was given up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Documents.
    pub payloads: u64,
    /// Bytes given back to the system.
    pub bytes: u64,
}

impl Ledger {
    /// Gives up the documents of attempts that ended before an instant and whose record is done, and gives back the
    /// space. A document that is not settled by then is kept for good: somebody may still want to see it.
    pub fn prune(&mut self, before: Ms) -> Result<Pruned, StoreError> {
        let conn = self.lock();
        let mut pruned = Pruned::default();
        for _ in 0..MAX_BATCHES {
            let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
            let from = generation::meta(&tx, "pruned_upto")?.unwrap_or(0);
            let upto: Option<i64> = tx
                .prepare_cached(
                    "SELECT max(id) FROM (SELECT id, coalesce(ended_ms, ?2) AS ended FROM attempt WHERE id > ?1
                                          ORDER BY id LIMIT ?3)
                     WHERE ended < ?2",
                )?
                .query_row((from, before, BATCH), |row| row.get(0))?;
            let Some(upto) = upto else { break };
            let gone = tx
                .prepare_cached(
                    "UPDATE attempt_row SET payload = NULL
                     WHERE attempt > ?1 AND attempt <= ?2 AND payload IS NOT NULL
                       AND (SELECT state FROM record WHERE id = attempt_row.record) = 'done'
                       AND (SELECT ended_ms FROM attempt WHERE id = attempt_row.attempt) < ?3",
                )?
                .execute((from, upto, before))?;
            generation::set_meta(&tx, "pruned_upto", upto)?;
            tx.commit()?;
            pruned.payloads += u64::try_from(gone).unwrap_or(u64::MAX);
        }
        if pruned.payloads > 0 {
            let pages = || -> Result<i64, StoreError> {
                Ok(conn.query_row("PRAGMA page_count", [], |row| row.get(0))?)
            };
            let size: i64 = conn.query_row("PRAGMA page_size", [], |row| row.get(0))?;
            let full = pages()?;
            loop {
                let free: i64 = conn.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
                if free == 0 {
                    break;
                }
                let left = pages()?;
                conn.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
                if pages()? >= left {
                    // A file made without room for this keeps its pages, and fills them again.
                    break;
                }
            }
            pruned.bytes = (full - pages()?).max(0).unsigned_abs() * size.unsigned_abs();
        }
        Ok(pruned)
    }
}
