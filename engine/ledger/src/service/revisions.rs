//! The texts of schemes that were in force, numbered from 1 for each scheme.
//!
//! A run carries the hash of the text that it ran, so that every attempt leads to the very text that made it. A text is
//! never changed; going back to an earlier one is a new number.

use flow::ids::Ms;
use flow::op::AuditNote;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use crate::apply::audit;
use crate::error::StoreError;
use crate::{Ledger, Reader};

/// A text to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRevision {
    /// The scheme.
    pub scheme: String,
    /// What runs of this text carry.
    pub hash: String,
    /// Who put it in force; empty for a text that was found in the folder.
    pub who: String,
    /// Why; empty for one that was found.
    pub message: String,
    /// The file, whole.
    pub text: String,
}

/// One revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionRow {
    /// The scheme.
    pub scheme: String,
    /// Its number.
    pub seq: u32,
    /// What runs of this text carry.
    pub hash: String,
    /// When it was put in force.
    pub at: Ms,
    /// By whom.
    pub who: String,
    /// Why.
    pub message: String,
    /// The file, whole; empty in lists.
    pub text: String,
}

/// Which revision is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// The newest.
    Newest,
    /// By its number.
    Seq(u32),
    /// By the hash that a run carries; the newest of that text.
    Hash(&'a str),
}

impl Ledger {
    /// Keeps texts, each as the newest of its scheme, all at once. One that is the newest already is not kept again.
    /// Gives the number of each, and whether it is new.
    pub fn keep_revisions(&mut self, new: &[NewRevision], now: Ms) -> Result<Vec<(u32, bool)>, StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        let kept: Vec<(u32, bool)> = new
            .iter()
            .map(|one| keep(&tx, one, now))
            .collect::<Result<_, _>>()?;
        if kept.iter().any(|(_, is_new)| *is_new) {
            tx.commit()?;
        }
        Ok(kept)
    }

    /// Puts a text in force by a person's word: keeps what stood in its place before, then the text, and notes who did
    /// what and why. Gives the number of the text.
    pub fn deploy_revision(
        &mut self,
        before: Option<&NewRevision>,
        new: &NewRevision,
        note: &AuditNote,
        now: Ms,
    ) -> Result<u32, StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        if let Some(before) = before {
            keep(&tx, before, now)?;
        }
        let (seq, _) = keep(&tx, new, now)?;
        audit::write(&tx, note, now)?;
        tx.commit()?;
        Ok(seq)
    }
}

fn keep(tx: &Transaction<'_>, new: &NewRevision, now: Ms) -> Result<(u32, bool), StoreError> {
    let newest = find(tx, &new.scheme, Which::Newest)?;
    // A person's word is kept, also for a text that is there already.
    if let Some(newest) = newest
        .as_ref()
        .filter(|newest| newest.hash == new.hash && new.message.is_empty())
    {
        return Ok((newest.seq, false));
    }
    let seq = newest.map_or(1, |newest| newest.seq.saturating_add(1));
    tx.prepare_cached(
        "INSERT INTO revision (scheme, seq, hash, at_ms, who, message, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        new.scheme,
        seq,
        new.hash,
        now,
        new.who,
        crate::apply::cut(&new.message),
        new.text
    ])?;
    Ok((seq, true))
}

impl Reader {
    /// The revisions of a scheme without their texts, newest first; at most so many, 0 = all.
    pub fn revisions(&self, scheme: &str, limit: u32) -> Result<Vec<RevisionRow>, StoreError> {
        let limit = if limit == 0 { -1 } else { i64::from(limit) };
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT scheme, seq, hash, at_ms, who, message, '' FROM revision
                 WHERE scheme = ?1 ORDER BY seq DESC LIMIT ?2",
            )?;
            let rows = statement.query_map((scheme, limit), row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// One revision with its text.
    pub fn revision(&self, scheme: &str, which: Which<'_>) -> Result<Option<RevisionRow>, StoreError> {
        self.ask(|conn| find(conn, scheme, which))
    }
}

fn find(conn: &Connection, scheme: &str, which: Which<'_>) -> Result<Option<RevisionRow>, StoreError> {
    let (seq, hash) = match which {
        Which::Newest => (None, None),
        Which::Seq(seq) => (Some(seq), None),
        Which::Hash(hash) => (None, Some(hash)),
    };
    let found = conn
        .prepare_cached(
            "SELECT scheme, seq, hash, at_ms, who, message, text FROM revision
             WHERE scheme = ?1 AND (?2 IS NULL OR seq = ?2) AND (?3 IS NULL OR hash = ?3)
             ORDER BY seq DESC LIMIT 1",
        )?
        .query_row((scheme, seq, hash), row)
        .optional()?;
    Ok(found)
}

fn row(row: &Row<'_>) -> rusqlite::Result<RevisionRow> {
    Ok(RevisionRow {
        scheme: row.get(0)?,
        seq: row.get(1)?,
        hash: row.get(2)?,
        at: row.get(3)?,
        who: row.get(4)?,
        message: row.get(5)?,
        text: row.get(6)?,
    })
}
