//! What people ask of a service beside its schedules: past stretches to be read once more, and targets that nobody is to
//! write to for a while. Both are known again after a restart.

use std::collections::BTreeMap;

use flow::ids::Ms;
use flow::op::{AuditNote, Reason, Trigger};
use flow::timetable::Paused;
use flow::window::Interval;
use rusqlite::{OptionalExtension, Row, Transaction, TransactionBehavior, params};

use crate::apply::audit;
use crate::error::StoreError;
use crate::{Ledger, Reader};

/// How a replay stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayState {
    /// It waits for its turn.
    Queued,
    /// It has begun. It goes on over restarts.
    Running,
    /// A person ended it.
    Stopped,
    /// All of it was read, and every record of it ended well.
    Done,
    /// It ended, and something did not end well.
    DoneWithErrors,
}

impl ReplayState {
    /// All of them.
    pub const ALL: [ReplayState; 5] = [
        ReplayState::Queued,
        ReplayState::Running,
        ReplayState::Stopped,
        ReplayState::Done,
        ReplayState::DoneWithErrors,
    ];

    /// The word stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            ReplayState::Queued => "queued",
            ReplayState::Running => "running",
            ReplayState::Stopped => "stopped",
            ReplayState::Done => "done",
            ReplayState::DoneWithErrors => "done_with_errors",
        }
    }

    /// Whether it goes on.
    pub fn is_open(self) -> bool {
        matches!(self, ReplayState::Queued | ReplayState::Running)
    }

    fn of(word: &str) -> ReplayState {
        let known = ReplayState::ALL.into_iter().find(|state| state.word() == word);
        // The table's own check knows the words.
        known.unwrap_or(ReplayState::DoneWithErrors)
    }
}

/// A replay to be queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReplay {
    /// The scheme.
    pub scheme: String,
    /// The stretch.
    pub range: Interval,
    /// Longest slice.
    pub step: Ms,
    /// Take only rows whose key is not known yet.
    pub only_missing: bool,
    /// How many windows there were to read when it was asked for.
    pub windows: u64,
    /// Who wants it.
    pub who: String,
    /// Why.
    pub reason: String,
}

/// A replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayRow {
    /// Its number.
    pub id: i64,
    /// What was asked for.
    pub asked: NewReplay,
    /// When.
    pub at: Ms,
    /// How it stands.
    pub state: ReplayState,
    /// When it first had its turn.
    pub started: Option<Ms>,
    /// When it ended.
    pub ended: Option<Ms>,
    /// Rows that were read, over all its turns.
    pub rows: u64,
    /// Records that the target accepted, over all its turns.
    pub written: u64,
    /// Why it ended so.
    pub why: Option<Reason>,
}

/// One turn of a replay, as it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turn {
    /// Rows that were read.
    pub rows: u64,
    /// Records that the target accepted.
    pub written: u64,
}

/// Which replays. Newest first.
#[derive(Debug, Clone, Default)]
pub struct ReplayFilter {
    /// Of this scheme.
    pub scheme: Option<String>,
    /// Only those that go on.
    pub open: bool,
    /// With numbers below this one.
    pub before: Option<i64>,
    /// At most.
    pub limit: u32,
}

const COLUMNS: &str = "id, scheme, from_ms, to_ms, step_ms, only_missing, windows, who, reason, asked_ms, state, \
                       started_ms, ended_ms, n_rows, written, err_code, err_text";

/// Which replays a filter means.
const WHERE: &str = "(?1 IS NULL OR scheme = ?1) AND (NOT ?2 OR state IN ('queued', 'running'))";

impl Ledger {
    /// Queues a replay and notes who wanted it; `None` = one of the scheme goes on already.
    pub fn add_replay(
        &mut self,
        new: &NewReplay,
        note: &AuditNote,
        now: Ms,
    ) -> Result<Option<i64>, StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        let open: bool = tx.query_row(
            "SELECT EXISTS (SELECT 1 FROM replay WHERE scheme = ?1 AND state IN ('queued', 'running'))",
            [&new.scheme],
            |row| row.get(0),
        )?;
        if open {
            return Ok(None);
        }
        tx.prepare_cached(
            "INSERT INTO replay (scheme, from_ms, to_ms, step_ms, only_missing, windows, who, reason, asked_ms, state,
                                 n_rows, written)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'queued', 0, 0)",
        )?
        .execute(params![
            new.scheme,
            new.range.from,
            new.range.to,
            new.step,
            new.only_missing,
            stored(new.windows),
            new.who,
            crate::apply::cut(&new.reason),
            now,
        ])?;
        let id = tx.last_insert_rowid();
        audit::write(&tx, note, now)?;
        tx.commit()?;
        Ok(Some(id))
    }

    /// A replay has its turn; says whether it has not ended.
    pub fn replay_begins(&mut self, id: i64, now: Ms) -> Result<bool, StoreError> {
        let hit = self
            .lock()
            .prepare_cached(
                "UPDATE replay SET state = 'running', started_ms = ifnull(started_ms, ?2)
                 WHERE id = ?1 AND state IN ('queued', 'running')",
            )?
            .execute((id, now))?;
        Ok(hit > 0)
    }

    /// A turn of a replay ended; `ended` says how all of it did. What has ended stays as it is.
    pub fn replay_turned(
        &mut self,
        id: i64,
        turn: &Turn,
        ended: Option<(ReplayState, Option<&Reason>)>,
        now: Ms,
    ) -> Result<(), StoreError> {
        let (state, why) = ended.unwrap_or((ReplayState::Running, None));
        self.lock()
            .prepare_cached(
                "UPDATE replay SET n_rows = n_rows + ?2, written = written + ?3, state = ?4, err_code = ?5, err_text = ?6,
                        ended_ms = ?7
                 WHERE id = ?1 AND state IN ('queued', 'running')",
            )?
            .execute(params![
                id,
                stored(turn.rows),
                stored(turn.written),
                state.word(),
                why.map(|why| why.code.as_str()),
                why.map(|why| crate::apply::cut(&why.text)),
                (!state.is_open()).then_some(now),
            ])?;
        Ok(())
    }

    /// Ends a replay by a person's word, and notes it; says whether it went on.
    pub fn stop_replay(&mut self, id: i64, note: &AuditNote, now: Ms) -> Result<bool, StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        let hit = tx
            .prepare_cached(
                "UPDATE replay SET state = 'stopped', ended_ms = ?2 WHERE id = ?1 AND state IN ('queued', 'running')",
            )?
            .execute((id, now))?;
        if hit > 0 {
            audit::write(&tx, note, now)?;
        }
        tx.commit()?;
        Ok(hit > 0)
    }

    /// From now on nothing is written to a target, and who said so and why is noted.
    pub fn pause_target(&mut self, connection: &str, paused: &Paused) -> Result<(), StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        tx.prepare_cached(
            "INSERT INTO target_control (connection, paused_ms, paused_by, reason) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (connection) DO UPDATE SET
                paused_ms = excluded.paused_ms, paused_by = excluded.paused_by, reason = excluded.reason",
        )?
        .execute(params![
            connection,
            paused.since,
            paused.by,
            crate::apply::cut(&paused.reason.text)
        ])?;
        let note = note(connection, &paused.by, "pause", &paused.reason.text);
        audit::write(&tx, &note, paused.since)?;
        tx.commit()?;
        Ok(())
    }

    /// A target may be written to again; says whether it might not.
    pub fn resume_target(
        &mut self,
        connection: &str,
        by: &str,
        why: &str,
        now: Ms,
    ) -> Result<bool, StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        let hit = tx.execute("DELETE FROM target_control WHERE connection = ?1", [connection])?;
        if hit > 0 {
            audit::write(&tx, &note(connection, by, "resume", why), now)?;
        }
        tx.commit()?;
        Ok(hit > 0)
    }
}

fn note(connection: &str, who: &str, action: &str, why: &str) -> AuditNote {
    AuditNote {
        who: who.to_owned(),
        action: action.to_owned(),
        scheme: None,
        record: None,
        what: format!("connection {connection}"),
        reason: why.to_owned(),
    }
}

impl Reader {
    /// Replays, newest first.
    pub fn replays(&self, filter: &ReplayFilter) -> Result<Vec<ReplayRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM replay WHERE {WHERE} AND (?3 IS NULL OR id < ?3) ORDER BY id DESC LIMIT ?4"
        );
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(&sql)?;
            let rows = statement.query_map(
                params![filter.scheme, filter.open, filter.before, filter.limit],
                row,
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// How many a filter means, counted no further than `most`.
    pub fn count_replays(&self, filter: &ReplayFilter, most: u32) -> Result<u32, StoreError> {
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM replay WHERE {WHERE} LIMIT ?3)");
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(&sql)?;
            Ok(statement.query_row(params![filter.scheme, filter.open, most], |row| row.get(0))?)
        })
    }

    /// Whether a record that replays of a scheme have read since then is neither done nor skipped: it may have been
    /// refused in a run of another kind.
    pub fn has_replayed_and_left(&self, scheme: &str, since: Ms) -> Result<bool, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT EXISTS (
                    SELECT 1 FROM run
                    JOIN sighting AS seen ON seen.run = run.id
                    JOIN record ON record.id = seen.record AND record.state NOT IN ('done', 'skipped')
                    WHERE run.scheme = ?1 AND run.cause = ?2 AND run.started_ms >= ?3)",
            )?;
            let cause = Trigger::Replay.word();
            Ok(statement.query_row(params![scheme, cause, since], |row| row.get(0))?)
        })
    }

    /// One replay.
    pub fn replay(&self, id: i64) -> Result<Option<ReplayRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM replay WHERE id = ?1");
        self.ask(|conn| Ok(conn.prepare_cached(&sql)?.query_row([id], row).optional()?))
    }

    /// The targets that nobody is to write to.
    pub fn paused_targets(&self) -> Result<BTreeMap<String, Paused>, StoreError> {
        self.ask(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT connection, paused_ms, paused_by, reason FROM target_control")?;
            let rows = statement.query_map([], |row| {
                let paused = Paused {
                    since: row.get(1)?,
                    by: row.get(2)?,
                    reason: Reason::new("", row.get::<_, String>(3)?),
                };
                Ok((row.get(0)?, paused))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn row(row: &Row<'_>) -> rusqlite::Result<ReplayRow> {
    let count = |place: usize| row.get::<_, i64>(place).map(|n| u64::try_from(n).unwrap_or(0));
    let code: Option<String> = row.get(15)?;
    let text: Option<String> = row.get(16)?;
    let state: String = row.get(10)?;
    Ok(ReplayRow {
        id: row.get(0)?,
        asked: NewReplay {
            scheme: row.get(1)?,
            range: Interval {
                from: row.get(2)?,
                to: row.get(3)?,
            },
            step: row.get(4)?,
            only_missing: row.get(5)?,
            windows: count(6)?,
            who: row.get(7)?,
            reason: row.get(8)?,
        },
        at: row.get(9)?,
        state: ReplayState::of(&state),
        started: row.get(11)?,
        ended: row.get(12)?,
        rows: count(13)?,
        written: count(14)?,
        why: code.map(|code| Reason::new(code, text.unwrap_or_default())),
    })
}

fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(scheme: &str) -> NewReplay {
        NewReplay {
            scheme: scheme.to_owned(),
            range: Interval { from: 10, to: 90 },
            step: 20,
            only_missing: true,
            windows: 4,
            who: "li".to_owned(),
            reason: "a month was missing".to_owned(),
        }
    }

    fn noted(action: &str) -> AuditNote {
        AuditNote {
            action: action.to_owned(),
            ..note("", "li", "", "a month was missing")
        }
    }

    #[test]
    fn what_replays_have_read_and_nobody_has_written() {
        let ledger = Ledger::in_memory().unwrap();
        {
            let conn = ledger.lock();
            for scheme in ["a", "b", "d"] {
                conn.execute(
                    "INSERT INTO scheme (id, revision, enabled_ms) VALUES (?1, 'r', 1)",
                    [scheme],
                )
                .unwrap();
            }
            for (id, scheme, cause, started) in [
                (1, "a", "replay", 10),
                (2, "a", "schedule", 20),
                (3, "a", "replay", 30),
                (4, "b", "replay", 30),
                (5, "d", "replay", 10),
                (6, "d", "schedule", 20),
            ] {
                conn.execute(
                    "INSERT INTO run (id, scheme, revision, cause, started_ms, status) VALUES (?1, ?2, '', ?3, ?4, 'ok')",
                    params![id, scheme, cause, started],
                )
                .unwrap();
            }
            for (id, run, state) in [
                (1, 1, "dead"),
                (2, 2, "dead"),
                (3, 3, "done"),
                (4, 3, "held"),
                (5, 3, "pending"),
                (6, 4, "dead"),
                (7, 5, "done"),
                (8, 5, "skipped"),
                (9, 6, "dead"),
            ] {
                conn.execute(
                    "INSERT INTO record (id, scheme, src_key, label, state, version, void, first_ms, seen_ms, changed_ms, err_code)
                     VALUES (?1, ?2, ?1, 'l', ?3, '', 0, 0, 0, 0, 'E')",
                    params![id, ["a", "a", "a", "b", "d", "d"][run - 1], state],
                )
                .unwrap();
                for seq in 0..2 {
                    conn.execute(
                        "INSERT INTO sighting (run, record, seq, window, page, version, outcome, seen_ms)
                         VALUES (?1, ?2, ?3, 0, 0, '', 'new', 0)",
                        params![i64::try_from(run).unwrap(), id, seq],
                    )
                    .unwrap();
                }
            }
        }
        let reader = ledger.reader();
        for (scheme, since, want) in [
            ("a", 30, true),
            ("a", 0, true),
            ("b", 0, true),
            ("a", 31, false),
            ("c", 0, false),
            // Those that died were read by another run.
            ("d", 0, false),
        ] {
            let left = reader.has_replayed_and_left(scheme, since).unwrap();
            assert_eq!(left, want, "{scheme} since {since}");
        }
    }

    #[test]
    fn one_replay_of_a_scheme_goes_on_at_a_time() {
        let mut ledger = Ledger::in_memory().unwrap();
        let first = ledger
            .add_replay(&new("a"), &noted("replay"), 1)
            .unwrap()
            .unwrap();
        assert_eq!(ledger.add_replay(&new("a"), &noted("replay"), 2).unwrap(), None);
        let other = ledger
            .add_replay(&new("b"), &noted("replay"), 3)
            .unwrap()
            .unwrap();
        assert!(ledger.replay_begins(first, 4).unwrap());
        let turn = Turn { rows: 7, written: 5 };
        ledger.replay_turned(first, &turn, None, 5).unwrap();
        assert!(ledger.replay_begins(first, 6).unwrap());
        let reader = ledger.reader();
        let row = reader.replay(first).unwrap().unwrap();
        assert_eq!(
            (row.state, row.started, row.ended, row.rows, row.written),
            (ReplayState::Running, Some(4), None, 7, 5)
        );
        assert_eq!(row.asked, new("a"));
        let why = Reason::new("E2001", "refused");
        let ended = Some((ReplayState::DoneWithErrors, Some(&why)));
        ledger.replay_turned(first, &turn, ended, 8).unwrap();
        // It has ended: neither a late turn nor a person changes that.
        ledger.replay_turned(first, &turn, None, 9).unwrap();
        assert!(!ledger.stop_replay(first, &noted("stop"), 9).unwrap());
        let row = reader.replay(first).unwrap().unwrap();
        assert_eq!(
            (row.state, row.ended, row.rows, row.why),
            (ReplayState::DoneWithErrors, Some(8), 14, Some(why))
        );
        assert!(ledger.stop_replay(other, &noted("stop"), 10).unwrap());
        assert!(!ledger.replay_begins(other, 11).unwrap());
        let open = ReplayFilter {
            open: true,
            limit: 9,
            ..ReplayFilter::default()
        };
        assert!(reader.replays(&open).unwrap().is_empty());
        let all = ReplayFilter {
            limit: 1,
            ..ReplayFilter::default()
        };
        assert_eq!(reader.replays(&all).unwrap()[0].id, other);
        assert_eq!(reader.count_replays(&all, 9).unwrap(), 2);
        let notes = reader.audit(&crate::read::AuditFilter::default()).unwrap();
        let notes: Vec<&str> = notes.iter().map(|note| note.note.action.as_str()).collect();
        assert_eq!(notes, ["stop", "replay", "replay"]);
    }

    #[test]
    fn targets_are_paused_by_somebody_for_a_reason() {
        let mut ledger = Ledger::in_memory().unwrap();
        let mut paused = Paused {
            since: 4,
            by: "li".to_owned(),
            reason: Reason::new("", "month end"),
        };
        ledger.pause_target("k3", &paused).unwrap();
        let reader = ledger.reader();
        assert_eq!(reader.paused_targets().unwrap()["k3"], paused);
        assert!(ledger.resume_target("k3", "li", "done", 9).unwrap());
        assert!(!ledger.resume_target("k3", "li", "done", 9).unwrap());
        assert!(reader.paused_targets().unwrap().is_empty());
        paused.reason.text = " ".to_owned();
        ledger.pause_target("k3", &paused).unwrap_err();
        assert!(reader.paused_targets().unwrap().is_empty());
        let notes = reader.audit(&crate::read::AuditFilter::default()).unwrap();
        let notes: Vec<_> = notes
            .iter()
            .map(|note| (note.note.action.as_str(), note.note.what.as_str()))
            .collect();
        assert_eq!(notes, [("resume", "connection k3"), ("pause", "connection k3")]);
    }
}
