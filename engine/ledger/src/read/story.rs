//! What else is known of a record: the questions asked about it, and the documents it became.

use flow::ids::{AttemptId, Ms, RecordId};
use flow::op::{Reason, WriteAction};

use super::Reader;
use super::find::{bytes, optional_bytes};
use super::list::reason;
use crate::apply::LEFT;
use crate::error::StoreError;

/// Questions shown of one record, the newest ones.
const MAX_QUESTIONS: i64 = 200;

/// Documents shown that one record left.
const MAX_LEFT: i64 = 20;

/// One answer of the target about a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionRow {
    /// When.
    pub at: Ms,
    /// The attempt whose fate was asked about.
    pub attempt: Option<AttemptId>,
    /// Word for what was concluded.
    pub answer: String,
    /// Why.
    pub reason: Option<Reason>,
}

/// A document that a record became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingRow {
    /// Connection.
    pub target: String,
    /// Kind of document.
    pub form: String,
    /// Key there.
    pub tkey: Option<String>,
    /// Internal id there.
    pub target_id: Option<String>,
    /// Number there.
    pub number: Option<String>,
    /// Last write.
    pub changed: Ms,
}

/// One write of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteRow {
    /// What it did.
    pub action: WriteAction,
    /// The document, without what was sensitive; `None` = given up since.
    pub document: Option<Vec<u8>>,
}

impl Reader {
    /// The newest questions about a record, in order of time.
    pub fn questions(&self, record: RecordId) -> Result<Vec<QuestionRow>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT at_ms, attempt, answer, code, text FROM question WHERE record = ?1 ORDER BY id DESC LIMIT ?2",
            )?;
            let rows = statement.query_map((record.0, MAX_QUESTIONS), |row| {
                Ok(QuestionRow {
                    at: row.get(0)?,
                    attempt: row.get::<_, Option<i64>>(1)?.map(AttemptId),
                    answer: row.get(2)?,
                    reason: reason(row.get(3)?, row.get(4)?),
                })
            })?;
            let mut questions: Vec<QuestionRow> = rows.collect::<Result<_, _>>()?;
            questions.reverse();
            Ok(questions)
        })
    }

    /// The newest write of a version of a record, with the document where it is still kept.
    pub fn last_write(&self, record: RecordId, version: &str) -> Result<Option<WriteRow>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT action, payload FROM attempt_row WHERE record = ?1 AND version = ?2 AND step IS NULL
                 ORDER BY id DESC LIMIT 1",
            )?;
            let mut rows = statement.query((record.0, version))?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let action: String = row.get(0)?;
            Ok(Some(WriteRow {
                action: WriteAction::from_word(&action).ok_or_else(|| StoreError::Damaged {
                    what: format!("action `{action}`"),
                })?,
                document: optional_bytes(row, 1)?,
            }))
        })
    }

    /// The document stored with the newest attempt at a version of a record, and that attempt: its own document, or what
    /// a further call sent.
    pub fn stored_document(
        &self,
        record: RecordId,
        version: &str,
        step: Option<&str>,
    ) -> Result<Option<(AttemptId, Vec<u8>)>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT attempt, payload FROM attempt_row
                 WHERE record = ?1 AND version = ?2 AND step IS ?3 AND payload IS NOT NULL ORDER BY id DESC LIMIT 1",
            )?;
            let mut rows = statement.query((record.0, version, step))?;
            let Some(row) = rows.next()? else { return Ok(None) };
            Ok(Some((AttemptId(row.get(0)?), bytes(row, 1)?)))
        })
    }

    /// The documents a record became, and behind them, the newest first, those that it left because they were voided.
    pub fn mappings(&self, record: RecordId) -> Result<Vec<MappingRow>, StoreError> {
        self.ask(|conn| {
            // By its own identity, because that is how the table is ordered.
            let mut statement = conn.prepare_cached(
                "SELECT m.target, m.form, m.tkey, m.target_id, m.target_number, m.changed_ms
                 FROM record r JOIN data_mapping m ON m.scheme = r.scheme AND m.src_key = r.src_key
                 WHERE r.id = ?1 ORDER BY m.target, m.form",
            )?;
            let mut left = conn.prepare_cached(
                "SELECT coalesce(r.target, ''), coalesce(r.form, ''), r.tkey, c.before, NULL, c.at_ms
                 FROM record r JOIN mapping_change c ON c.scheme = r.scheme AND c.src_key = r.src_key
                 WHERE r.id = ?1 AND c.who = ?2 AND c.after IS NULL AND c.before IS NOT r.target_id
                 ORDER BY c.id DESC LIMIT ?3",
            )?;
            let read = |row: &rusqlite::Row<'_>| {
                Ok(MappingRow {
                    target: row.get(0)?,
                    form: row.get(1)?,
                    tkey: row.get(2)?,
                    target_id: row.get(3)?,
                    number: row.get(4)?,
                    changed: row.get(5)?,
                })
            };
            let rows = statement.query_map([record.0], read)?;
            let left = left.query_map((record.0, LEFT, MAX_LEFT), read)?;
            Ok(rows.chain(left).collect::<Result<_, _>>()?)
        })
    }
}
