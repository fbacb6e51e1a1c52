//! The stored rows of a scheme as the source of another one.
//!
//! They are taken by the order of their changes ([`super::publish`]): what lies behind a place goes into the inbox of the
//! scheme that takes them, and the place moves in the transaction of those pushes
//! ([`flow::op::LedgerOp::MovePlace`]). A row that changed twice meanwhile is taken once, as it is now. Rows of records
//! stay for good ([`crate::Ledger::prune`] gives up none), so however long nobody took them, they are all there.

use flow::ids::Ms;
use flow::op::SuspectKind;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::feed::IS_ROW;
use crate::error::StoreError;
use crate::{Ledger, Reader};

/// Changes that one question looks through: a tenth of a second where none of them is a row that is kept.
const LOOKED: i64 = 20_000;

/// Stored rows that a scheme takes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakingPage {
    /// Whose rows they are.
    pub giver: String,
    /// The place up to which they were taken.
    pub from: i64,
    /// The place up to which they are once these are.
    pub to: i64,
    /// In the order of their changes.
    pub rows: Vec<TakingRow>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakingRow {
    /// The key of its record, as the ledger keeps it.
    pub key: String,
    /// It means "cancelled".
    pub void: bool,
    /// Somebody else may have taken it before.
    pub doubt: Option<SuspectKind>,
    /// The row.
    pub source: Vec<u8>,
}

impl Ledger {
    /// From now on a scheme takes the stored rows of this one, or of none. It goes on where it stood; a place that the
    /// order of changes never came to belongs to another one, and it begins anew.
    pub fn take_from(&mut self, scheme: &str, giver: Option<&str>, now: Ms) -> Result<(), StoreError> {
        {
            let conn = self.lock();
            conn.prepare_cached(
                "UPDATE taking SET active = 0 WHERE scheme = ?1 AND giver IS NOT ?2 AND active = 1",
            )?
            .execute((scheme, giver))?;
            let Some(giver) = giver else { return Ok(()) };
            conn.prepare_cached(
                "INSERT INTO taking (scheme, giver, place, active) VALUES (?1, ?2, 0, 1)
                 ON CONFLICT (scheme, giver) DO UPDATE SET active = 1 WHERE active = 0",
            )?
            .execute((scheme, giver))?;
            conn.prepare_cached(
                "UPDATE taking SET place = 0 WHERE scheme = ?1 AND giver = ?2 AND place >
                    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'change'), 0)",
            )?
            .execute((scheme, giver))?;
        }
        giver.map_or(Ok(()), |giver| self.publish(giver, now))
    }
}

impl Reader {
    /// The stored rows of another scheme that a scheme takes next: at most so many, and, but for the first, so many
    /// bytes. `None` = it takes none, or there are none behind its place.
    pub fn rows_to_take(
        &self,
        scheme: &str,
        most: u32,
        most_bytes: usize,
    ) -> Result<Option<TakingPage>, StoreError> {
        self.ask(|conn| {
            let Some((giver, from)) = place(conn, scheme)? else {
                return Ok(None);
            };
            let last: Option<i64> = conn
                .prepare_cached(
                    "SELECT max(seq) FROM
                        (SELECT seq FROM change WHERE scheme = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3)",
                )?
                .query_row((&giver, from, LOOKED), |row| row.get(0))?;
            let Some(last) = last else { return Ok(None) };
            let mut statement = conn.prepare_cached(&format!(
                "SELECT c.seq, r.src_key, coalesce(r.waiting_void, r.void), coalesce(b.waiting, b.source),
                    CASE WHEN c.doubted > ?2 THEN c.doubt END
                 FROM change c JOIN record r ON r.id = c.record JOIN body b ON b.record = r.id
                 WHERE c.scheme = ?1 AND c.seq > ?2 AND c.seq <= ?3 AND {IS_ROW} ORDER BY c.seq"
            ))?;
            let mut found = statement.query(params![giver, from, last])?;
            let (mut rows, mut bytes, mut to) = (Vec::new(), 0, from);
            while let Some(row) = found.next()? {
                let source = row.get_ref(3)?.as_bytes().map_err(rusqlite::Error::from)?;
                bytes += source.len();
                let is_enough =
                    rows.len() >= usize::try_from(most).unwrap_or(usize::MAX) || bytes > most_bytes;
                if is_enough && !rows.is_empty() {
                    return Ok(Some(TakingPage {
                        giver,
                        from,
                        to,
                        rows,
                    }));
                }
                to = row.get(0)?;
                rows.push(TakingRow {
                    key: row.get(1)?,
                    void: row.get(2)?,
                    doubt: row
                        .get::<_, Option<String>>(4)?
                        .and_then(|word| SuspectKind::from_word(&word)),
                    source: source.to_vec(),
                });
            }
            Ok(Some(TakingPage {
                giver,
                from,
                to: last,
                rows,
            }))
        })
    }

    /// How many stored rows of another scheme a scheme has not taken; `None` = it takes none.
    pub fn rows_behind(&self, scheme: &str) -> Result<Option<u64>, StoreError> {
        self.ask(|conn| match place(conn, scheme)? {
            Some(_) => Ok(Some(behind(conn, scheme)?)),
            None => Ok(None),
        })
    }
}

/// Whose rows a scheme takes, and up to where it has.
fn place(conn: &Connection, scheme: &str) -> Result<Option<(String, i64)>, StoreError> {
    Ok(conn
        .prepare_cached("SELECT giver, place FROM taking WHERE scheme = ?1 AND active = 1")?
        .query_row([scheme], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// How many stored rows of another scheme a scheme has not taken.
pub(crate) fn behind(conn: &Connection, scheme: &str) -> Result<u64, StoreError> {
    let rows: i64 = conn
        .prepare_cached(&format!(
            "SELECT count(*) FROM taking t JOIN change c ON c.scheme = t.giver AND c.seq > t.place
                JOIN record r ON r.id = c.record
             WHERE t.scheme = ?1 AND t.active = 1 AND {IS_ROW}"
        ))?
        .query_row([scheme], |row| row.get(0))?;
    Ok(rows.unsigned_abs())
}
