//! What is known of a scheme's records after its target was asked about all of them.

use flow::op::RecordState;
use rusqlite::params;

use super::list::{RECORD_COLUMNS, record_row};
use super::{Reader, RecordRow};
use crate::error::StoreError;

/// Records that are alike as far as an adoption is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlikeRow {
    /// Their state.
    pub state: RecordState,
    /// The code of why they are in it; empty = none.
    pub code: String,
    /// Their documents are known.
    pub has_target: bool,
    /// No send of this ledger has made them.
    pub unsent: bool,
    /// They were asked about, and were not there.
    pub missed: bool,
    /// They have not been asked about.
    pub suspect: bool,
    /// How many.
    pub count: u64,
}

/// What tells them apart, in the order of [`AlikeRow`].
const ALIKE: &str = "r.state, coalesce(r.err_code, ''), r.target_id IS NOT NULL, r.attempt IS NULL, \
    r.resolve_misses > 0, r.suspect IS NOT NULL";

impl Reader {
    /// The records of a scheme, counted by what is alike of them: a few dozen rows, whatever their number.
    pub fn alike(&self, scheme: &str) -> Result<Vec<AlikeRow>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(&format!(
                "SELECT {ALIKE}, count(*) FROM record r WHERE r.scheme = ?1 GROUP BY 1, 2, 3, 4, 5, 6
                 ORDER BY 1, 2, 3, 4, 5, 6"
            ))?;
            let mut rows = statement.query([scheme])?;
            let mut alike = Vec::new();
            while let Some(row) = rows.next()? {
                alike.push(AlikeRow {
                    state: super::find::state(row, 0)?,
                    code: row.get(1)?,
                    has_target: row.get(2)?,
                    unsent: row.get(3)?,
                    missed: row.get(4)?,
                    suspect: row.get(5)?,
                    count: row.get::<_, i64>(6)?.unsigned_abs(),
                });
            }
            Ok(alike)
        })
    }

    /// The first of those that are alike, in the order in which they were read.
    pub fn some_alike(
        &self,
        scheme: &str,
        alike: &AlikeRow,
        limit: u32,
    ) -> Result<Vec<RecordRow>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(&format!(
                "SELECT {RECORD_COLUMNS} FROM record r
                 WHERE r.scheme = ?1 AND ({ALIKE}) = (?2, ?3, ?4, ?5, ?6, ?7) ORDER BY r.id LIMIT ?8"
            ))?;
            let mut rows = statement.query(params![
                scheme,
                alike.state.word(),
                alike.code,
                alike.has_target,
                alike.unsent,
                alike.missed,
                alike.suspect,
                limit
            ])?;
            let mut records = Vec::new();
            while let Some(row) = rows.next()? {
                records.push(record_row(row)?);
            }
            Ok(records)
        })
    }

    /// How many documents are known of a scheme's records.
    pub fn count_mapped(&self, scheme: &str) -> Result<u64, StoreError> {
        self.ask(|conn| {
            let count: i64 = conn
                .prepare_cached(
                    "SELECT count(*) FROM data_mapping WHERE scheme = ?1 AND target_id IS NOT NULL",
                )?
                .query_row([scheme], |row| row.get(0))?;
            Ok(count.unsigned_abs())
        })
    }
}
