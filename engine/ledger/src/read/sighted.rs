//! What a run has read, the newest first: for somebody who looks on.

use flow::ids::{Ms, RecordId, RunId};

use super::Reader;
use crate::error::StoreError;

/// A record on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighted {
    /// The run that read it.
    pub run: RunId,
    /// The record.
    pub record: RecordId,
    /// Which sighting of this record in this run.
    pub seq: i64,
    /// The page.
    pub page: i64,
    /// What it was: `new`, `changed`, `unchanged`, `superseded`, `filtered` or `invalid`.
    pub outcome: String,
    /// When.
    pub seen: Ms,
}

impl Reader {
    /// Some of the sightings of a run: those of the records that are newest in the ledger, newest first. The others of a
    /// long run are not looked through.
    pub fn newest_sightings(&self, run: RunId, limit: u32) -> Result<Vec<Sighted>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT record, seq, page, outcome, seen_ms FROM sighting WHERE run = ?1
                 ORDER BY record DESC, seq DESC LIMIT ?2",
            )?;
            let rows = statement.query_map((run.0, limit), |row| {
                Ok(Sighted {
                    run,
                    record: RecordId(row.get(0)?),
                    seq: row.get(1)?,
                    page: row.get(2)?,
                    outcome: row.get(3)?,
                    seen: row.get(4)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
