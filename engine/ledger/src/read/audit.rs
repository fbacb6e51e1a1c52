//! Who decided what and why.

use flow::ids::{Ms, RecordId};
use flow::op::AuditNote;

use super::Reader;
use crate::error::StoreError;

/// Which notes.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Of this scheme.
    pub scheme: Option<String>,
    /// Of this record.
    pub record: Option<RecordId>,
    /// At most so many, the newest; 0 = all.
    pub limit: u32,
}

/// One note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// When.
    pub at: Ms,
    /// Who, what and why.
    pub note: AuditNote,
}

impl Reader {
    /// The notes, newest first.
    pub fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT at_ms, who, action, scheme, record, what, reason FROM audit
                 WHERE (?1 IS NULL OR scheme = ?1) AND (?2 IS NULL OR record = ?2)
                 ORDER BY id DESC LIMIT ?3",
            )?;
            let limit = if filter.limit == 0 {
                -1
            } else {
                i64::from(filter.limit)
            };
            let record = filter.record.map(|record| record.0);
            let rows = statement.query_map((&filter.scheme, record, limit), |row| {
                Ok(AuditRow {
                    at: row.get(0)?,
                    note: AuditNote {
                        who: row.get(1)?,
                        action: row.get(2)?,
                        scheme: row.get(3)?,
                        record: row.get::<_, Option<i64>>(4)?.map(RecordId),
                        what: row.get(5)?,
                        reason: row.get(6)?,
                    },
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
