//! How far the cursors of a scheme have come: closed intervals, and closed windows that are worth a second look.

use flow::ids::Ms;
use flow::op::{Cursor, LedgerReply, OnSeen};
use flow::window::{Interval, SUSPICIOUS_ROWS};
use rusqlite::{Connection, OptionalExtension};

use super::stage::Page;
use super::{Cx, integer};
use crate::error::StoreError;
use crate::read;

/// The cursor of ordinary polling: what has been read for good.
pub(crate) const LIVE: &str = "live";

const WEEK: Ms = 7 * 24 * HOUR;
const HOUR: Ms = 3_600_000;
/// Weeks that tell what is usual.
const WEEKS: Ms = 8;
/// Windows at this hour of this weekday below which nothing is usual yet.
const LEAST_SAMPLES: usize = 3;
/// Re-readings of a suspicious window: one, two and four hours later. A permission that was taken away by mistake is
/// mostly back by then, and `engine replay` reads any stretch again.
const REREADINGS: u32 = 3;

/// A window that has just closed.
struct Closed {
    cursor: String,
    asked: Interval,
    seen: u64,
}

impl Cx<'_> {
    /// Notes what a window closed, for its cursor and for what follows from it.
    pub(super) fn note_closed(
        &self,
        page: &Page<'_>,
        interval: Option<Interval>,
    ) -> Result<Option<u64>, StoreError> {
        let closed = self
            .conn
            .prepare_cached("SELECT cursor, from_ms, to_ms, seen FROM window_run WHERE id = ?1")?
            .query_row([page.window.0], |row| {
                Ok(Closed {
                    cursor: row.get(0)?,
                    asked: Interval {
                        from: row.get(1)?,
                        to: row.get(2)?,
                    },
                    seen: row.get::<_, i64>(3)?.unsigned_abs(),
                })
            })?;
        if closed.seen > 0 {
            self.conn
                .prepare_cached("DELETE FROM kept_window WHERE scheme = ?1 AND from_ms = ?2 AND to_ms = ?3")?
                .execute((page.scheme, closed.asked.from, closed.asked.to))?;
        }
        let Some(interval) = interval else {
            return Ok(None);
        };
        close_interval(self.conn, page.scheme, &closed.cursor, interval)?;
        if closed.cursor != LIVE {
            // A replay that takes every row fills the gaps of ordinary polling; beyond its ends it would open new ones.
            let whole = closed.cursor.starts_with("replay-") && page.on_seen != OnSeen::Skip;
            if let Some(inside) = self.live_span(page.scheme)?.filter(|_| whole)
                && let Some(filled) = interval.since(inside.from).and_then(|part| part.until(inside.to))
            {
                close_interval(self.conn, page.scheme, LIVE, filled)?;
            }
            return Ok(None);
        }
        let usual = match closed.seen {
            0 => self.usual(page.scheme, closed.asked)?,
            _ => None,
        };
        let Some(usual) = usual.filter(|usual| *usual > SUSPICIOUS_ROWS) else {
            return Ok(None);
        };
        self.conn
            .prepare_cached(
                "INSERT INTO kept_window (scheme, from_ms, to_ms, usual, due_ms) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO NOTHING",
            )?
            .execute((
                page.scheme,
                closed.asked.from,
                closed.asked.to,
                integer(usual),
                page.now + HOUR,
            ))?;
        Ok(Some(usual))
    }

    /// From the first to the last closed instant of ordinary polling.
    fn live_span(&self, scheme: &str) -> Result<Option<Interval>, StoreError> {
        let closed = read::closed_intervals(self.conn, scheme, LIVE)?;
        Ok(closed
            .first()
            .zip(closed.last())
            .and_then(|(first, last)| Interval::new(first.from, last.to)))
    }

    /// The median of the rows of earlier windows at this hour of this weekday, scaled to the length of this one.
    fn usual(&self, scheme: &str, asked: Interval) -> Result<Option<u64>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT from_ms, to_ms, seen FROM window_run
             WHERE scheme = ?1 AND to_ms < ?2 - ?4 / 2 AND to_ms > ?2 - ?3 * ?5 - ?4
               AND state = 'closed' AND cursor = 'live' AND to_ms > from_ms
               AND (?2 - to_ms + ?4 / 2) % ?3 < ?4",
        )?;
        let length = asked.to - asked.from;
        let mut rows: Vec<i64> = statement
            .query_map((scheme, asked.to, WEEK, HOUR, WEEKS), |row| {
                let (from, to, seen): (Ms, Ms, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(seen.saturating_mul(length) / (to - from))
            })?
            .collect::<Result<_, _>>()?;
        if rows.len() < LEAST_SAMPLES {
            return Ok(None);
        }
        rows.sort_unstable();
        Ok(rows.get(rows.len() / 2).map(|median| median.unsigned_abs()))
    }

    /// What a run must know of a cursor. Suspicious windows that are handed out count as read again.
    pub(super) fn cover(&mut self, scheme: &str, cursor: Cursor, now: Ms) -> Result<LedgerReply, StoreError> {
        let word = cursor.word();
        let unstable: i64 = self
            .conn
            .prepare_cached(
                "SELECT count(*) FROM window_run WHERE scheme = ?1 AND cursor = ?2 AND state = 'unstable'
                   AND id > coalesce((SELECT max(id) FROM window_run
                                      WHERE scheme = ?1 AND cursor = ?2 AND state = 'closed'), 0)",
            )?
            .query_row((scheme, &word), |row| row.get(0))?;
        let kept = match cursor {
            Cursor::Live => self.due_again(scheme, now)?,
            Cursor::Sweep | Cursor::Replay(_) | Cursor::Inbox => Vec::new(),
        };
        Ok(LedgerReply::Coverage {
            closed: read::closed_intervals(self.conn, scheme, &word)?,
            unstable: u32::try_from(unstable).unwrap_or(u32::MAX),
            kept,
        })
    }

    /// Forgets how far a second pass has come.
    pub(super) fn forget(&self, scheme: &str, cursor: Cursor) -> Result<LedgerReply, StoreError> {
        if cursor == Cursor::Live {
            return Err(StoreError::Bug(
                "what has been read for good is never forgotten".to_owned(),
            ));
        }
        self.conn
            .prepare_cached("DELETE FROM closed_interval WHERE scheme = ?1 AND cursor = ?2")?
            .execute((scheme, cursor.word()))?;
        Ok(LedgerReply::Ok)
    }

    fn due_again(&self, scheme: &str, now: Ms) -> Result<Vec<Interval>, StoreError> {
        self.conn
            .prepare_cached("DELETE FROM kept_window WHERE scheme = ?1 AND tries >= ?2")?
            .execute((scheme, REREADINGS))?;
        let mut statement = self.conn.prepare_cached(
            "SELECT from_ms, to_ms FROM kept_window WHERE scheme = ?1 AND due_ms <= ?2 ORDER BY from_ms",
        )?;
        let kept: Vec<Interval> = statement
            .query_map((scheme, now), |row| {
                Ok(Interval {
                    from: row.get(0)?,
                    to: row.get(1)?,
                })
            })?
            .collect::<Result<_, _>>()?;
        self.conn
            .prepare_cached(
                "UPDATE kept_window SET tries = tries + 1, due_ms = ?2 + (?3 << (tries + 1))
                 WHERE scheme = ?1 AND due_ms <= ?2",
            )?
            .execute((scheme, now, HOUR))?;
        Ok(kept)
    }
}

/// Adds an interval to the closed ones of a cursor: those it touches or overlaps become one with it.
fn close_interval(
    conn: &Connection,
    scheme: &str,
    cursor: &str,
    interval: Interval,
) -> Result<(), StoreError> {
    if interval.from >= interval.to {
        return Err(StoreError::Bug(format!(
            "an empty interval cannot be closed: {interval:?}"
        )));
    }
    let (from, to): (Option<Ms>, Option<Ms>) = conn
        .prepare_cached(
            "SELECT min(from_ms), max(to_ms) FROM closed_interval
             WHERE scheme = ?1 AND cursor = ?2 AND from_ms <= ?4 AND to_ms >= ?3",
        )?
        .query_row((scheme, cursor, interval.from, interval.to), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?
        .unwrap_or_default();
    let from = from.map_or(interval.from, |from| from.min(interval.from));
    let to = to.map_or(interval.to, |to| to.max(interval.to));
    conn.prepare_cached(
        "DELETE FROM closed_interval WHERE scheme = ?1 AND cursor = ?2 AND from_ms <= ?4 AND to_ms >= ?3",
    )?
    .execute((scheme, cursor, from, to))?;
    conn.prepare_cached(
        "INSERT INTO closed_interval (scheme, cursor, from_ms, to_ms) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute((scheme, cursor, from, to))?;
    Ok(())
}
