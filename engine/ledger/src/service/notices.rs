//! Messages to people: those that wait, what became of the others, and which causes are open.
//!
//! A message and the state of its cause are written in one transaction, so that a process that dies tells nothing twice
//! and forgets nothing. What a message says is made elsewhere; no secret is in it.

use std::collections::BTreeMap;

use flow::ids::Ms;
use flow::op::Reason;
use rusqlite::{OptionalExtension, Row, Transaction, TransactionBehavior, params};

use crate::error::StoreError;
use crate::{Ledger, Reader};

/// Messages that may wait; the oldest make room. A platform that refuses for days must not fill the disk.
const WAITING_MAX: u32 = 1_000;

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotice {
    /// The channel it goes to.
    pub channel: String,
    /// The rule it comes from.
    pub rule: String,
    /// The scheme or connection it is about; empty for the machine.
    pub subject: String,
    /// The word of its cause.
    pub cause: String,
    /// `problem`, `digest`, `escalated`, `recovered` or `test`.
    pub kind: String,
    /// Its first line.
    pub title: String,
    /// The rest.
    pub body: String,
}

/// A message and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeRow {
    /// Its number.
    pub id: i64,
    /// When it was made.
    pub at: Ms,
    /// What it is.
    pub notice: NewNotice,
    /// `waiting`, `sent`, `failed` or `dropped`.
    pub state: String,
    /// How often it was tried.
    pub tries: u32,
    /// When it is tried next, while it waits.
    pub next: Ms,
    /// When its end was known.
    pub done: Option<Ms>,
    /// What the platform said last.
    pub answer: Option<String>,
}

/// Something that is wrong and was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CauseRow {
    /// The rule that tells it.
    pub rule: String,
    /// The scheme or connection it is about; empty for the machine.
    pub subject: String,
    /// Its word.
    pub cause: String,
    /// Since when.
    pub since: Ms,
    /// When it was last told.
    pub told: Ms,
    /// How often it was seen.
    pub seen: u64,
    /// How often since it was last told.
    pub untold: u64,
    /// How many digests followed the first message.
    pub digests: u32,
    /// Whether somebody was called by name.
    pub escalated: bool,
    /// When it was over; `None` = it is not.
    pub recovered: Option<Ms>,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The platform took it.
    Sent,
    /// It is tried again then.
    Later(Ms),
    /// It is given up.
    Failed,
    /// Its channel is silent: it is not sent.
    Muted,
}

/// How a scheme's last run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastEnd {
    /// When.
    pub at: Ms,
    /// It failed as a whole.
    pub failed: bool,
    /// Why, where it is not plain.
    pub reason: Option<Reason>,
}

/// Connection failures in a row after which a target is left alone but for a probe a minute.
const FAILURES: u32 = 5;
/// How long after the end of its pause a target is still held for unreachable: the next probe has not been answered.
const GRACE: Ms = 120_000;

/// A scheme with records that need somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The scheme.
    pub scheme: String,
    /// Dead records.
    pub dead: u64,
    /// Records that wait for a person.
    pub held: u64,
    /// Records of unknown outcome.
    pub unknown: u64,
    /// Since when the oldest of them is.
    pub unknown_since: Option<Ms>,
}

/// Which messages.
#[derive(Debug, Clone, Default)]
pub struct NoticeFilter {
    /// To this channel.
    pub channel: Option<String>,
    /// In this state.
    pub state: Option<String>,
    /// At most so many, the newest; 0 = all.
    pub limit: u32,
}

const COLUMNS: &str =
    "id, at_ms, channel, rule, subject, cause, kind, title, body, state, tries, next_ms, done_ms, answer";

impl Ledger {
    /// Puts messages into the outbox, sets these causes, and forgets those, all at once.
    pub fn tell_notices(
        &mut self,
        notices: &[NewNotice],
        causes: &[CauseRow],
        forgotten: &[(String, String, String)],
        now: Ms,
    ) -> Result<(), StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        for one in notices {
            tx.prepare_cached(
                "INSERT INTO notice (at_ms, channel, rule, subject, cause, kind, title, body, state, next_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'waiting', ?1)",
            )?
            .execute(params![
                now,
                one.channel,
                one.rule,
                one.subject,
                one.cause,
                one.kind,
                one.title,
                one.body
            ])?;
        }
        for one in causes {
            let (seen, untold) = (count(one.seen), count(one.untold));
            tx.prepare_cached(
                "INSERT INTO notice_cause
                    (rule, subject, cause, since_ms, told_ms, seen, untold, digests, escalated, recovered_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                 ON CONFLICT (rule, subject, cause) DO UPDATE SET since_ms = excluded.since_ms,
                    told_ms = excluded.told_ms, seen = excluded.seen, untold = excluded.untold,
                    digests = excluded.digests, escalated = excluded.escalated, recovered_ms = excluded.recovered_ms",
            )?
            .execute(params![
                one.rule,
                one.subject,
                one.cause,
                one.since,
                one.told,
                seen,
                untold,
                one.digests,
                one.escalated,
                one.recovered
            ])?;
        }
        for (rule, subject, cause) in forgotten {
            tx.prepare_cached("DELETE FROM notice_cause WHERE rule = ?1 AND subject = ?2 AND cause = ?3")?
                .execute((rule, subject, cause))?;
        }
        tx.prepare_cached(
            "UPDATE notice SET state = 'dropped', done_ms = ?1 WHERE state = 'waiting' AND id <=
                (SELECT id FROM notice WHERE state = 'waiting' ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute((now, WAITING_MAX))?;
        tx.commit()?;
        Ok(())
    }

    /// Notes what became of a message, in the platform's words.
    pub fn notice_delivered(
        &mut self,
        id: i64,
        delivery: &Delivery,
        answer: &str,
        now: Ms,
    ) -> Result<(), StoreError> {
        let (state, next, done) = match delivery {
            Delivery::Sent => ("sent", None, Some(now)),
            Delivery::Later(next) => ("waiting", Some(*next), None),
            Delivery::Failed => ("failed", None, Some(now)),
            Delivery::Muted => ("dropped", None, Some(now)),
        };
        self.lock()
            .prepare_cached(
                "UPDATE notice SET state = ?2, tries = tries + 1, next_ms = coalesce(?3, next_ms), done_ms = ?4,
                    answer = ?5 WHERE id = ?1 AND state = 'waiting'",
            )?
            .execute(params![id, state, next, done, crate::apply::cut(answer)])?;
        Ok(())
    }

    /// Forgets messages whose end has been known since before an instant; gives how many.
    pub fn prune_notices(&mut self, before: Ms) -> Result<u64, StoreError> {
        let gone = self
            .lock()
            .prepare_cached("DELETE FROM notice WHERE state <> 'waiting' AND done_ms < ?1")?
            .execute([before])?;
        Ok(u64::try_from(gone).unwrap_or(u64::MAX))
    }
}

impl Reader {
    /// The channels with messages that are due. At most [`WAITING_MAX`] messages wait, so that this reads few.
    pub fn due_channels(&self, now: Ms) -> Result<Vec<String>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT DISTINCT channel FROM notice WHERE state = 'waiting' AND next_ms <= ?1 ORDER BY channel",
            )?;
            let rows = statement.query_map([now], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Messages of one channel that are due, oldest first.
    pub fn due_notices(&self, channel: &str, now: Ms, limit: u32) -> Result<Vec<NoticeRow>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM notice WHERE state = 'waiting' AND next_ms <= ?1 AND channel = ?2
                 ORDER BY id LIMIT ?3"
            ))?;
            let rows = statement.query_map((now, channel, limit), notice)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// How many messages a channel was not sent since an instant.
    pub fn unsaid_notices(&self, channel: &str, since: Ms) -> Result<u64, StoreError> {
        self.ask(|conn| {
            let count: i64 = conn
                .prepare_cached(
                    "SELECT count(*) FROM notice WHERE channel = ?1 AND state = 'dropped' AND done_ms >= ?2",
                )?
                .query_row((channel, since), |row| row.get(0))?;
            Ok(count.unsigned_abs())
        })
    }

    /// When the next message is due; `None` = none waits.
    pub fn next_notice(&self) -> Result<Option<Ms>, StoreError> {
        self.ask(|conn| {
            let next = conn
                .prepare_cached(
                    "SELECT next_ms FROM notice WHERE state = 'waiting' ORDER BY next_ms LIMIT 1",
                )?
                .query_row([], |row| row.get(0))
                .optional()?;
            Ok(next)
        })
    }

    /// Messages, newest first.
    pub fn notices(&self, filter: &NoticeFilter) -> Result<Vec<NoticeRow>, StoreError> {
        let limit = if filter.limit == 0 {
            -1
        } else {
            i64::from(filter.limit)
        };
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM notice WHERE (?1 IS NULL OR channel = ?1) AND (?2 IS NULL OR state = ?2)
                 ORDER BY id DESC LIMIT ?3"
            ))?;
            let rows = statement.query_map((&filter.channel, &filter.state, limit), notice)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The schemes with records that need a person or an answer.
    pub fn troubles(&self) -> Result<Vec<Trouble>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT s.scheme, sum(CASE s.state WHEN 'dead' THEN s.n ELSE 0 END),
                        sum(CASE s.state WHEN 'held' THEN s.n ELSE 0 END),
                        sum(CASE s.state WHEN 'unknown' THEN s.n ELSE 0 END),
                        (SELECT min(coalesce(r.unknown_since_ms, r.changed_ms)) FROM record r
                          WHERE r.scheme = s.scheme AND r.state = 'unknown')
                 FROM scheme_state s WHERE s.state IN ('dead', 'held', 'unknown') AND s.n > 0
                 GROUP BY s.scheme ORDER BY s.scheme",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(Trouble {
                    scheme: row.get(0)?,
                    dead: row.get::<_, i64>(1)?.unsigned_abs(),
                    held: row.get::<_, i64>(2)?.unsigned_abs(),
                    unknown: row.get::<_, i64>(3)?.unsigned_abs(),
                    unknown_since: row.get(4)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// When each scheme last had a run that ended well.
    pub fn last_successes(&self) -> Result<BTreeMap<String, Ms>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT s.id, (SELECT r.ended_ms FROM run r WHERE r.scheme = s.id AND r.status IN ('ok', 'partial')
                                ORDER BY r.id DESC LIMIT 1) FROM scheme s",
            )?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, Option<Ms>>(1)?)))?;
            let mut last = BTreeMap::new();
            for row in rows {
                let (scheme, ended) = row?;
                last.extend(ended.map(|ended| (scheme, ended)));
            }
            Ok(last)
        })
    }

    /// How each scheme's last run ended; runs that go on and those that somebody ended say nothing.
    pub fn last_ends(&self) -> Result<BTreeMap<String, LastEnd>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT r.scheme, r.ended_ms, r.status, r.err_code, r.err_text FROM scheme s JOIN run r ON r.id =
                    (SELECT n.id FROM run n WHERE n.scheme = s.id AND n.status IN ('ok', 'partial', 'failed')
                     ORDER BY n.id DESC LIMIT 1)
                 WHERE r.ended_ms IS NOT NULL",
            )?;
            let rows = statement.query_map([], |row| {
                let (code, text): (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
                let end = LastEnd {
                    at: row.get(1)?,
                    failed: row.get::<_, String>(2)? == "failed",
                    reason: code.map(|code| Reason::new(code, text.unwrap_or_default())),
                };
                Ok((row.get(0)?, end))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The targets that are left alone because they could not be reached.
    pub fn open_circuits(&self, now: Ms) -> Result<Vec<String>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT target FROM circuit WHERE failures >= ?1 AND until_ms > ?2 ORDER BY target",
            )?;
            let rows = statement.query_map((FAILURES, now.saturating_sub(GRACE)), |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The causes that were told and are not forgotten.
    pub fn notice_causes(&self) -> Result<Vec<CauseRow>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT rule, subject, cause, since_ms, told_ms, seen, untold, digests, escalated, recovered_ms
                 FROM notice_cause ORDER BY rule, subject, cause",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(CauseRow {
                    rule: row.get(0)?,
                    subject: row.get(1)?,
                    cause: row.get(2)?,
                    since: row.get(3)?,
                    told: row.get(4)?,
                    seen: row.get::<_, i64>(5)?.unsigned_abs(),
                    untold: row.get::<_, i64>(6)?.unsigned_abs(),
                    digests: row.get(7)?,
                    escalated: row.get(8)?,
                    recovered: row.get(9)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn notice(row: &Row<'_>) -> rusqlite::Result<NoticeRow> {
    Ok(NoticeRow {
        id: row.get(0)?,
        at: row.get(1)?,
        notice: NewNotice {
            channel: row.get(2)?,
            rule: row.get(3)?,
            subject: row.get(4)?,
            cause: row.get(5)?,
            kind: row.get(6)?,
            title: row.get(7)?,
            body: row.get(8)?,
        },
        state: row.get(9)?,
        tries: row.get(10)?,
        next: row.get(11)?,
        done: row.get(12)?,
        answer: row.get(13)?,
    })
}
