//! Inboxes: what waits in them, the doors they are reached by, what was refused.
//!
//! Storing and taking a push are ops ([`flow::op::LedgerOp::StorePush`], [`flow::op::LedgerOp::TakePushes`]): pushes
//! that come together share one sync of the disk, and a push is taken in the transaction that stages its rows.

use flow::ids::{Ms, PushId};
use flow::op::SuspectKind;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::error::StoreError;

use super::feed::IS_ROW;
use crate::{Ledger, Reader};

/// So long after its arrival a push that comes again is known: a sender repeats what was not answered for minutes or
/// hours, some for two days. Repetitions do not prolong it. Each costs about 200 bytes of disk.
pub const REPEATED_FOR: Ms = 3 * 86_400_000;

/// Rows looked at in one transaction of giving up, so that the writer is never away for long.
const BATCH: i64 = 1_000;

/// Transactions of one call: a hundred thousand pushes; the next call goes on.
const MAX_BATCHES: u32 = 100;

/// Days that refusals are counted for.
const REFUSALS_FOR: Ms = 90 * 86_400_000;

/// The last push about something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastPush {
    /// Its place in the order of arrival.
    pub id: PushId,
    /// It says that this was cancelled.
    pub void: bool,
    /// When it came.
    pub arrived: Ms,
}

/// A push that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingPush {
    /// Its place in the order of arrival.
    pub id: PushId,
    /// The sender's id of what it is about; empty = none.
    pub sender: String,
    /// It says that this was cancelled.
    pub void: bool,
    /// When it came.
    pub arrived: Ms,
    /// What was stored.
    pub content: Vec<u8>,
    /// Another scheme gave it, and somebody else may have given it before.
    pub doubt: Option<SuspectKind>,
}

/// A push as people see it: never its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushRow {
    /// Its place in the order of arrival.
    pub id: PushId,
    /// The scheme.
    pub scheme: String,
    /// The sender's id of what it is about; empty = none.
    pub sender: String,
    /// It says that this was cancelled.
    pub void: bool,
    /// Rows it holds.
    pub rows: u64,
    /// Bytes that are kept of it while it waits.
    pub bytes: u64,
    /// When it came.
    pub arrived: Ms,
    /// `waiting` or `staged`.
    pub state: String,
    /// The run that took it.
    pub run: Option<i64>,
    /// How often it came again.
    pub repeats: u64,
    /// It says what an earlier push about the same thing said, with another one in between: the document went back, or
    /// it came late.
    pub back: bool,
}

/// What waits in an inbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InboxSize {
    /// Pushes.
    pub pushes: u64,
    /// Their rows.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest came.
    pub oldest: Option<Ms>,
}

/// The door of a scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorRow {
    /// The scheme.
    pub scheme: String,
    /// Its door.
    pub door: String,
    /// What the scheme took when it could last be read, as JSON.
    pub takes: Option<String>,
}

/// Pushes that were refused on one day for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRow {
    /// The scheme; empty = at no door.
    pub scheme: String,
    /// Begin of the day, UTC.
    pub day: Ms,
    /// The reason's word.
    pub why: String,
    /// How many.
    pub count: u64,
}

impl Ledger {
    /// The door of a scheme: the one it has, or the one given, from now on. What the scheme takes is kept beside it.
    pub fn door(
        &mut self,
        scheme: &str,
        fresh: &str,
        takes: Option<&str>,
        now: Ms,
    ) -> Result<String, StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        tx.prepare_cached("INSERT OR IGNORE INTO door (scheme, door, made_ms) VALUES (?1, ?2, ?3)")?
            .execute((scheme, fresh, now))?;
        tx.prepare_cached(
            "UPDATE door SET takes = ?2 WHERE scheme = ?1 AND ?2 IS NOT NULL AND takes IS NOT ?2",
        )?
        .execute((scheme, takes))?;
        let door = tx
            .prepare_cached("SELECT door FROM door WHERE scheme = ?1")?
            .query_row([scheme], |row| row.get(0))?;
        tx.commit()?;
        Ok(door)
    }

    /// Another door for a scheme; the old one leads nowhere from now on.
    pub fn new_door(&mut self, scheme: &str, fresh: &str, now: Ms) -> Result<(), StoreError> {
        let conn = self.lock();
        conn.prepare_cached(
            "INSERT INTO door (scheme, door, made_ms) VALUES (?1, ?2, ?3)
             ON CONFLICT (scheme) DO UPDATE SET door = excluded.door, made_ms = excluded.made_ms",
        )?
        .execute((scheme, fresh, now))?;
        Ok(())
    }

    /// Adds to the counts of refusals; each entry is a scheme, a reason and how many.
    pub fn count_refused(&mut self, day: Ms, refused: &[(String, String, u64)]) -> Result<(), StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        for (scheme, why, count) in refused {
            tx.prepare_cached(
                "INSERT INTO push_refused (scheme, day_ms, why, n) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (scheme, day_ms, why) DO UPDATE SET n = n + excluded.n",
            )?
            .execute((scheme, day, why, i64::try_from(*count).unwrap_or(i64::MAX)))?;
        }
        tx.execute("DELETE FROM push_refused WHERE day_ms < ?1", [day - REFUSALS_FOR])?;
        tx.commit()?;
        Ok(())
    }

    /// Gives up the rows of pushes that were taken and came longer ago than a sender repeats them; they are not known any
    /// more by then, given up or not. Gives how many.
    pub fn forget_pushes(&mut self, now: Ms) -> Result<u64, StoreError> {
        let conn = self.lock();
        let mut gone = 0;
        for _ in 0..MAX_BATCHES {
            let batch = conn
                .prepare_cached(
                    "DELETE FROM push WHERE id IN
                        (SELECT id FROM push WHERE state = 'staged' AND arrived_ms < ?1
                            LIMIT ?2)",
                )?
                .execute((now.saturating_sub(REPEATED_FOR), BATCH))?;
            gone += u64::try_from(batch).unwrap_or(u64::MAX);
            if i64::try_from(batch).unwrap_or(BATCH) < BATCH {
                break;
            }
        }
        Ok(gone)
    }
}

/// The kind of a stored word; the table holds no others.
fn doubt(word: Option<String>) -> Option<SuspectKind> {
    SuspectKind::from_word(&word?)
}

impl Reader {
    /// The oldest pushes that wait, and whether there are more: at most so many pushes, and, but for the first, at most
    /// so many rows and bytes.
    pub fn waiting_pushes(
        &self,
        scheme: &str,
        most: u32,
        most_rows: u64,
        most_bytes: u64,
    ) -> Result<(Vec<WaitingPush>, bool), StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT id, sender, void, arrived_ms, n_rows, bytes, content, doubt FROM push
                 WHERE scheme = ?1 AND state = 'waiting' ORDER BY id LIMIT ?2",
            )?;
            let mut found = statement.query(params![scheme, i64::from(most) + 1])?;
            let (mut pushes, mut rows, mut bytes) = (Vec::new(), 0_u64, 0_u64);
            while let Some(row) = found.next()? {
                rows += row.get::<_, i64>(4)?.unsigned_abs();
                bytes += row.get::<_, i64>(5)?.unsigned_abs();
                let is_enough = pushes.len() >= usize::try_from(most).unwrap_or(usize::MAX)
                    || rows > most_rows
                    || bytes > most_bytes;
                if is_enough && !pushes.is_empty() {
                    return Ok((pushes, true));
                }
                pushes.push(WaitingPush {
                    id: PushId(row.get(0)?),
                    sender: row.get(1)?,
                    void: row.get(2)?,
                    arrived: row.get(3)?,
                    content: row
                        .get_ref(6)?
                        .as_bytes()
                        .map_err(rusqlite::Error::from)?
                        .to_vec(),
                    doubt: doubt(row.get(7)?),
                });
            }
            Ok((pushes, false))
        })
    }

    /// The pushes about one thing that wait in the inbox of a scheme, in the order of arrival: the newest of them, where
    /// there are more than `most`.
    pub fn waiting_of(&self, scheme: &str, sender: &str, most: u32) -> Result<Vec<WaitingPush>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT id, sender, void, arrived_ms, content, doubt FROM push
                 WHERE scheme = ?1 AND sender = ?2 AND sender <> '' AND state = 'waiting' ORDER BY id DESC LIMIT ?3",
            )?;
            let found = statement.query_map((scheme, sender, most), |row| {
                Ok(WaitingPush {
                    id: PushId(row.get(0)?),
                    sender: row.get(1)?,
                    void: row.get(2)?,
                    arrived: row.get(3)?,
                    content: row.get_ref(4)?.as_bytes()?.to_vec(),
                    doubt: doubt(row.get(5)?),
                })
            })?;
            let mut pushes = found.collect::<Result<Vec<_>, _>>()?;
            pushes.reverse();
            Ok(pushes)
        })
    }

    /// What waits in the inbox of a scheme.
    pub fn inbox(&self, scheme: &str) -> Result<InboxSize, StoreError> {
        self.ask(|conn| {
            let size = conn
                .prepare_cached("SELECT pushes, n_rows, bytes FROM inbox WHERE scheme = ?1")?
                .query_row([scheme], |row| {
                    Ok(InboxSize {
                        pushes: row.get::<_, i64>(0)?.unsigned_abs(),
                        rows: row.get::<_, i64>(1)?.unsigned_abs(),
                        bytes: row.get::<_, i64>(2)?.unsigned_abs(),
                        oldest: None,
                    })
                })
                .optional()?
                .unwrap_or_default();
            let oldest = conn
                .prepare_cached(
                    "SELECT arrived_ms FROM push WHERE scheme = ?1 AND state = 'waiting' ORDER BY id LIMIT 1",
                )?
                .query_row([scheme], |row| row.get(0))
                .optional()?;
            Ok(InboxSize { oldest, ..size })
        })
    }

    /// The schemes in whose inbox something waits.
    pub fn inboxes_with_pushes(&self) -> Result<Vec<String>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare("SELECT scheme FROM inbox WHERE pushes > 0 ORDER BY scheme")?;
            let found = statement.query_map([], |row| row.get(0))?;
            Ok(found.collect::<Result<_, _>>()?)
        })
    }

    /// The pushes of a scheme that are still known, newest first.
    pub fn pushes(&self, scheme: Option<&str>, limit: u32) -> Result<Vec<PushRow>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT id, scheme, sender, void, n_rows, bytes, arrived_ms, state, run, repeats, back FROM push
                 WHERE ?1 IS NULL OR scheme = ?1 ORDER BY id DESC LIMIT ?2",
            )?;
            let found = statement.query_map(params![scheme, limit], |row| {
                Ok(PushRow {
                    id: PushId(row.get(0)?),
                    scheme: row.get(1)?,
                    sender: row.get(2)?,
                    void: row.get(3)?,
                    rows: row.get::<_, i64>(4)?.unsigned_abs(),
                    bytes: row.get::<_, i64>(5)?.unsigned_abs(),
                    arrived: row.get(6)?,
                    state: row.get(7)?,
                    run: row.get(8)?,
                    repeats: row.get::<_, i64>(9)?.unsigned_abs(),
                    back: row.get(10)?,
                })
            })?;
            Ok(found.collect::<Result<_, _>>()?)
        })
    }

    /// Whether this push, told from others by its hash, came behind another one, and waits or was taken not long ago.
    pub fn is_repeated(
        &self,
        scheme: &str,
        sender: &str,
        hash: &[u8],
        behind: PushId,
        now: Ms,
    ) -> Result<bool, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT 1 FROM push WHERE scheme = ?1 AND sender = ?2 AND hash = ?3 AND id > ?5
                    AND (state = 'waiting' OR arrived_ms >= ?4) LIMIT 1",
            )?;
            let since = now.saturating_sub(REPEATED_FOR);
            Ok(statement.exists((scheme, sender, hash, since, behind.0))?)
        })
    }

    /// The last that was pushed about something, for as long as it is known.
    pub fn last_push(&self, scheme: &str, sender: &str) -> Result<Option<LastPush>, StoreError> {
        self.ask(|conn| last_push(conn, scheme, sender))
    }

    /// When the row with this key, as the ledger keeps keys, or what became of it, changed last.
    pub fn row_changed(&self, scheme: &str, key: &str) -> Result<Option<Ms>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(&format!(
                "SELECT r.changed_ms FROM record r WHERE r.scheme = ?1 AND r.src_key = ?2 AND {IS_ROW}"
            ))?;
            Ok(statement.query_row((scheme, key), |row| row.get(0)).optional()?)
        })
    }

    /// The doors there are: scheme and door.
    pub fn doors(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.ask(doors)
    }

    /// The doors there are, with what their schemes took when they could last be read.
    pub fn doors_taking(&self) -> Result<Vec<DoorRow>, StoreError> {
        self.ask(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT scheme, door, takes FROM door ORDER BY scheme")?;
            let found = statement.query_map([], |row| {
                Ok(DoorRow {
                    scheme: row.get(0)?,
                    door: row.get(1)?,
                    takes: row.get(2)?,
                })
            })?;
            Ok(found.collect::<Result<_, _>>()?)
        })
    }

    /// What was refused, newest day first.
    pub fn refused(&self, limit: u32) -> Result<Vec<RefusedRow>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT scheme, day_ms, why, n FROM push_refused ORDER BY day_ms DESC, scheme, why LIMIT ?1",
            )?;
            let found = statement.query_map([limit], |row| {
                Ok(RefusedRow {
                    scheme: row.get(0)?,
                    day: row.get(1)?,
                    why: row.get(2)?,
                    count: row.get::<_, i64>(3)?.unsigned_abs(),
                })
            })?;
            Ok(found.collect::<Result<_, _>>()?)
        })
    }
}

pub(crate) fn last_push(
    conn: &Connection,
    scheme: &str,
    sender: &str,
) -> Result<Option<LastPush>, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT id, void, arrived_ms FROM push
             WHERE scheme = ?1 AND sender = ?2 AND sender <> '' ORDER BY id DESC LIMIT 1",
        )?
        .query_row((scheme, sender), |row| {
            Ok(LastPush {
                id: PushId(row.get(0)?),
                void: row.get(1)?,
                arrived: row.get(2)?,
            })
        })
        .optional()?)
}

fn doors(conn: &Connection) -> Result<Vec<(String, String)>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT scheme, door FROM door ORDER BY scheme")?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}
