//! Notes of who decided what and why.

use flow::ids::Ms;
use flow::op::{AuditNote, LedgerReply};
use rusqlite::{Connection, params};

use super::cut;
use crate::error::StoreError;

/// Adds a note. A note without a reason is a fault of the command that wrote it: it must ask for one.
pub(crate) fn write(conn: &Connection, note: &AuditNote, now: Ms) -> Result<LedgerReply, StoreError> {
    if note.reason.trim().is_empty() {
        return Err(StoreError::Bug(format!(
            "{}: a decision without a reason",
            note.action
        )));
    }
    conn.prepare_cached(
        "INSERT INTO audit (at_ms, who, action, scheme, record, what, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        now,
        note.who,
        note.action,
        note.scheme,
        note.record.map(|record| record.0),
        cut(&note.what),
        cut(&note.reason),
    ])?;
    Ok(LedgerReply::Ok)
}
