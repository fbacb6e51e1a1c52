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
    /// Noted at or after this time.
    pub since: Option<Ms>,
    /// Of this kind: `skip`, `restore`, ...
    pub action: Option<String>,
    /// With numbers below this one: the next page of a list.
    pub before: Option<i64>,
    /// At most so many, the newest; 0 = all.
    pub limit: u32,
}

/// One note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number; it grows.
    pub id: i64,
    /// When.
    pub at: Ms,
    /// Who, what and why.
    pub note: AuditNote,
    /// Key of the record it is about, if it is about one.
    pub key: Option<String>,
}

impl Reader {
    /// The notes, newest first.
    pub fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT a.at_ms, a.who, a.action, coalesce(a.scheme, r.scheme), a.record, a.what, a.reason, r.src_key, a.id
                 FROM audit a LEFT JOIN record r ON r.id = a.record
                 WHERE (?1 IS NULL OR coalesce(a.scheme, r.scheme) = ?1) AND (?2 IS NULL OR a.record = ?2)
                   AND (?4 IS NULL OR a.at_ms >= ?4) AND (?5 IS NULL OR a.action = ?5)
                   AND (?6 IS NULL OR a.id < ?6)
                 ORDER BY a.id DESC LIMIT ?3",
            )?;
            let limit = if filter.limit == 0 {
                -1
            } else {
                i64::from(filter.limit)
            };
            let record = filter.record.map(|record| record.0);
            let facts = (&filter.scheme, record, limit, filter.since, &filter.action, filter.before);
            let rows = statement.query_map(facts, |row| {
                Ok(AuditRow {
                    id: row.get(8)?,
                    at: row.get(0)?,
                    note: AuditNote {
                        who: row.get(1)?,
                        action: row.get(2)?,
                        scheme: row.get(3)?,
                        record: row.get::<_, Option<i64>>(4)?.map(RecordId),
                        what: row.get(5)?,
                        reason: row.get(6)?,
                    },
                    key: row.get(7)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
