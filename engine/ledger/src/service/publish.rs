//! The rows of published schemes, in the order of their last change.
//!
//! A place in that order is a number that is given once: a row that changes moves to the end with a new one. Whoever
//! reads on from the last number seen meets every row that changed since, however much is written meanwhile, and no row
//! twice unless it changed again.

use flow::ids::Ms;
use rusqlite::types::Value;
use rusqlite::{Transaction, TransactionBehavior, params_from_iter};

use crate::columns::Columns;
use crate::error::StoreError;
use crate::{Ledger, Reader};

/// Records brought into the order in one transaction when a scheme is published.
const BATCH: i64 = 500;

/// Changes that one question looks through for rows that fit: a tenth of a second in the worst case. Where fewer fit than
/// were asked for, the answer says how far it looked, and the next question goes on there.
const LOOKED: i64 = 20_000;

/// What is asked of the rows of a published scheme.
#[derive(Debug, Clone, Default)]
pub struct PublishedAsk {
    /// The scheme.
    pub scheme: String,
    /// Behind this place.
    pub after: i64,
    /// At most so many.
    pub limit: u32,
    /// Only rows with one of these texts in a field: each is the name of an index and its texts.
    pub fields: Vec<(Columns, Vec<String>)>,
    /// Only these keys, as the ledger keeps them.
    pub keys: Vec<String>,
}

/// Rows, and where the next question goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedPage {
    /// In the order of their changes.
    pub rows: Vec<PublishedRow>,
    /// Behind what was looked at; as asked where there was nothing.
    pub next: i64,
    /// Whether there may be more behind it now.
    pub more: bool,
}

/// A row as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedRow {
    /// Its place in the order of changes.
    pub seq: i64,
    /// Its key, as the ledger keeps it.
    pub key: String,
    /// State of its record.
    pub state: String,
    /// It means "cancelled".
    pub void: bool,
    /// When this row came.
    pub seen: Ms,
    /// The target's id of its document.
    pub target_id: Option<String>,
    /// The row.
    pub source: Vec<u8>,
}

impl Ledger {
    /// From now on the changes of a scheme's rows are put in order; those that are there are, once, in the order of
    /// their arrival.
    pub fn publish(&mut self, scheme: &str, now: Ms) -> Result<(), StoreError> {
        let conn = self.lock();
        conn.prepare_cached("INSERT OR IGNORE INTO publication (scheme, upto, since_ms) VALUES (?1, 0, ?2)")?
            .execute((scheme, now))?;
        loop {
            let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
            let upto: i64 = tx
                .prepare_cached("SELECT upto FROM publication WHERE scheme = ?1")?
                .query_row([scheme], |row| row.get(0))?;
            let last: Option<i64> = tx
                .prepare_cached(
                    "SELECT max(id) FROM (SELECT id FROM record WHERE id > ?1 AND +scheme = ?2 ORDER BY id LIMIT ?3)",
                )?
                .query_row((upto, scheme, BATCH), |row| row.get(0))?;
            let Some(last) = last else { return Ok(()) };
            tx.prepare_cached(
                "INSERT OR IGNORE INTO change (scheme, record)
                 SELECT scheme, id FROM record WHERE id > ?1 AND id <= ?2 AND +scheme = ?3 AND bundle IS NOT id ORDER BY id",
            )?
            .execute((upto, last, scheme))?;
            tx.prepare_cached("UPDATE publication SET upto = ?2 WHERE scheme = ?1")?
                .execute((scheme, last))?;
            tx.commit()?;
        }
    }

    /// Whether the changes of a scheme's rows are put in order.
    pub fn is_published(&self, scheme: &str) -> Result<bool, StoreError> {
        let conn = self.lock();
        let mut statement = conn.prepare_cached("SELECT 1 FROM publication WHERE scheme = ?1")?;
        Ok(statement.exists([scheme])?)
    }

    /// A scheme is no longer published: its order is forgotten, and one that begins anew begins with higher numbers. While
    /// another scheme takes its rows by that order, it is kept.
    pub fn unpublish(&mut self, scheme: &str) -> Result<(), StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        let is_taken = tx
            .prepare_cached("SELECT 1 FROM taking WHERE giver = ?1 AND active = 1")?
            .exists([scheme])?;
        if is_taken {
            return Ok(());
        }
        tx.execute("DELETE FROM publication WHERE scheme = ?1", [scheme])?;
        tx.execute("DELETE FROM change WHERE scheme = ?1", [scheme])?;
        tx.commit()?;
        Ok(())
    }
}

impl Reader {
    /// The schemes that are published.
    pub fn published(&self) -> Result<Vec<String>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare("SELECT scheme FROM publication ORDER BY scheme")?;
            let found = statement.query_map([], |row| row.get(0))?;
            Ok(found.collect::<Result<_, _>>()?)
        })
    }

    /// The rows behind a place, in the order of their changes. Rows that the scheme does not keep, and those it could
    /// not read, are not among them.
    pub fn published_rows(&self, ask: &PublishedAsk) -> Result<PublishedPage, StoreError> {
        self.ask(|conn| {
            let (looked, last): (i64, Option<i64>) = conn
                .prepare_cached(
                    "SELECT count(*), max(seq) FROM
                        (SELECT seq FROM change WHERE scheme = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3)",
                )?
                .query_row((&ask.scheme, ask.after, LOOKED), |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
            let last = last.unwrap_or(ask.after);
            let mut values: Vec<Value> = vec![
                ask.scheme.clone().into(),
                ask.after.into(),
                i64::from(ask.limit).into(),
                last.into(),
            ];
            let mut wanted = String::new();
            let mut bind = |value: String| {
                values.push(value.into());
                format!("?{}", values.len())
            };
            for (columns, texts) in &ask.fields {
                let Some(field) = columns.stored() else {
                    return Err(StoreError::Bug(format!("no index for {columns:?}")));
                };
                let field = bind(field);
                let texts: Vec<String> = texts
                    .iter()
                    .map(|text| bind(Columns::entry(std::slice::from_ref(text))))
                    .collect();
                wanted.push_str(&format!(
                    " AND EXISTS (SELECT 1 FROM lookup_index l JOIN indexed_field f ON f.id = l.field
                        WHERE f.scheme = ?1 AND f.field = {field} AND l.record = r.id AND l.value IN ({}))",
                    texts.join(", ")
                ));
            }
            if !ask.keys.is_empty() {
                let keys: Vec<String> = ask.keys.iter().cloned().map(&mut bind).collect();
                wanted.push_str(&format!(" AND r.src_key IN ({})", keys.join(", ")));
            }
            let mut statement = conn.prepare_cached(&format!(
                "SELECT c.seq, r.src_key, r.state, coalesce(r.waiting_void, r.void), r.seen_ms, r.target_id,
                    coalesce(b.waiting, b.source)
                 FROM change c JOIN record r ON r.id = c.record JOIN body b ON b.record = r.id
                 WHERE c.scheme = ?1 AND c.seq > ?2 AND c.seq <= ?4 AND r.filtered = 0
                   AND NOT (r.state = 'dead' AND r.src_key LIKE '[\"#%' AND length(r.src_key) = 21){wanted}
                 ORDER BY c.seq LIMIT ?3"
            ))?;
            let mut found = statement.query(params_from_iter(values))?;
            let mut rows = Vec::new();
            while let Some(row) = found.next()? {
                rows.push(PublishedRow {
                    seq: row.get(0)?,
                    key: row.get(1)?,
                    state: row.get(2)?,
                    void: row.get(3)?,
                    seen: row.get(4)?,
                    target_id: row.get(5)?,
                    source: row
                        .get_ref(6)?
                        .as_bytes()
                        .map_err(rusqlite::Error::from)?
                        .to_vec(),
                });
            }
            let enough = rows.len() >= usize::try_from(ask.limit).unwrap_or(usize::MAX);
            Ok(PublishedPage {
                next: match rows.last() {
                    Some(row) if enough => row.seq,
                    _ => last,
                },
                more: enough || looked >= LOOKED,
                rows,
            })
        })
    }
}
