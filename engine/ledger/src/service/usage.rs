//! Who read how much of what is published, by token and day.

use flow::ids::Ms;
use rusqlite::{Transaction, TransactionBehavior, params};

use crate::error::StoreError;
use crate::{Ledger, Reader};

/// Days that are kept: a year and a month, so that two years' same months can be compared on the day.
const KEPT: Ms = 396 * 86_400_000;

/// The use of one scheme by one token on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRow {
    /// The token's name; never the token.
    pub token: String,
    /// The scheme.
    pub scheme: String,
    /// Begin of the day, UTC.
    pub day: Ms,
    /// Answered calls.
    pub calls: u64,
    /// Rows given.
    pub rows: u64,
    /// Calls refused for want of rate.
    pub refused: u64,
}

impl Ledger {
    /// Adds to the counts.
    pub fn add_usage(&mut self, used: &[UsageRow]) -> Result<(), StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        for row in used {
            tx.prepare_cached(
                "INSERT INTO usage (token, scheme, day_ms, calls, n_rows, refused) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (token, scheme, day_ms) DO UPDATE SET calls = calls + excluded.calls,
                    n_rows = n_rows + excluded.n_rows, refused = refused + excluded.refused",
            )?
            .execute(params![
                row.token,
                row.scheme,
                row.day,
                number(row.calls),
                number(row.rows),
                number(row.refused)
            ])?;
        }
        if let Some(newest) = used.iter().map(|row| row.day).max() {
            tx.execute("DELETE FROM usage WHERE day_ms < ?1", [newest - KEPT])?;
        }
        tx.commit()?;
        Ok(())
    }
}

impl Reader {
    /// The counts from a day on, newest first.
    pub fn usage(&self, since: Ms, scheme: Option<&str>, limit: u32) -> Result<Vec<UsageRow>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT token, scheme, day_ms, calls, n_rows, refused FROM usage
                 WHERE day_ms >= ?1 AND (?2 IS NULL OR scheme = ?2) ORDER BY day_ms DESC, token, scheme LIMIT ?3",
            )?;
            let found = statement.query_map(params![since, scheme, limit], |row| {
                Ok(UsageRow {
                    token: row.get(0)?,
                    scheme: row.get(1)?,
                    day: row.get(2)?,
                    calls: row.get::<_, i64>(3)?.unsigned_abs(),
                    rows: row.get::<_, i64>(4)?.unsigned_abs(),
                    refused: row.get::<_, i64>(5)?.unsigned_abs(),
                })
            })?;
            Ok(found.collect::<Result<_, _>>()?)
        })
    }
}
