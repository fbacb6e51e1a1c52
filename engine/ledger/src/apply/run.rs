//! Runs and windows: their beginning, their end, and the intervals that pages close.

use flow::ids::{Ms, RunId, WindowId};
use flow::op::{Counts, Cursor, LedgerReply, Reason, RecordState, RunStatus, Trigger, WindowEnd};
use flow::window::Interval;
use rusqlite::params;

use super::cover::LIVE;
use super::record::Cause;
use super::stage::Page;
use super::{Cx, cut, integer, length};
use crate::error::{StoreError, reason};
use crate::read;

/// What a process that ended left behind, of one scheme. Asked at the start of every run, so each costs as much as there
/// is of it, and not as many records, windows and runs as there are.
const LEFT_SENDING: &str = "SELECT id FROM record WHERE scheme = ?1 AND state = 'sending'";
const LEFT_OPEN: &str = "SELECT id FROM window_run WHERE scheme = ?1 AND state = 'open'";
/// Runs of a scheme follow one another and each ends what it finds: one that was cut off is the newest. The others of
/// these are for a ledger that was mended by hand.
const LEFT_RUNNING: &str =
    "SELECT id FROM (SELECT id, status FROM run WHERE scheme = ?1 ORDER BY id DESC LIMIT 16)
     WHERE status = 'running'";

/// Where the reason of a run stands that is not all right, in the order in which it is looked for. Each costs at most as
/// much as the counts of the run do.
const WHY_PARTIAL: [&str; 3] = [
    "SELECT err_code, err_text FROM window_run
     WHERE run = ?1 AND state IN ('failed', 'unstable', 'left') AND err_code IS NOT NULL ORDER BY id LIMIT 1",
    "SELECT r.err_code, r.err_text FROM sighting s JOIN record r ON r.id = s.record
     WHERE s.run = ?1 AND r.state IN ('dead', 'held', 'unknown', 'pending') AND r.err_code IS NOT NULL
     ORDER BY CASE r.state WHEN 'dead' THEN 0 WHEN 'held' THEN 1 WHEN 'unknown' THEN 2 ELSE 3 END, r.id LIMIT 1",
    "SELECT r.err_code, r.err_text FROM record r
     WHERE r.scheme = (SELECT scheme FROM run WHERE id = ?1) AND r.state = 'unknown' AND r.err_code IS NOT NULL
     ORDER BY r.resolve_after_ms LIMIT 1",
];

impl Cx<'_> {
    pub(super) fn begin_run(
        &mut self,
        scheme: &str,
        revision: &str,
        trigger: Trigger,
        now: Ms,
    ) -> Result<LedgerReply, StoreError> {
        self.settled_suspicion(scheme)?;
        self.conn
            .prepare_cached(
                "INSERT INTO scheme (id, revision, enabled_ms) VALUES (?1, ?2, ?3)
                 ON CONFLICT (id) DO UPDATE SET revision = excluded.revision",
            )?
            .execute((scheme, revision, now))?;
        let enabled = self
            .conn
            .prepare_cached("SELECT enabled_ms FROM scheme WHERE id = ?1")?
            .query_row([scheme], |row| row.get(0))?;
        let recovered = self.recover(scheme, now)?;
        // Whatever they wait for may have come since: every run tries them once.
        self.conn
            .prepare_cached(
                "UPDATE record SET not_before_ms = NULL
                 WHERE scheme = ?1 AND waits_since_ms IS NOT NULL AND state = 'pending'",
            )?
            .execute([scheme])?;
        self.conn
            .prepare_cached(
                "INSERT INTO run (scheme, revision, cause, started_ms, status) VALUES (?1, ?2, ?3, ?4, 'running')",
            )?
            .execute((scheme, revision, trigger.word(), now))?;
        let run = RunId(self.conn.last_insert_rowid());
        let closed = read::closed_intervals(self.conn, scheme, LIVE)?;
        let open = self.open_records(scheme)?;
        Ok(LedgerReply::RunBegun {
            run,
            enabled,
            closed,
            recovered,
            open,
        })
    }

    /// Whatever an earlier process left in flight, open or running.
    fn recover(&mut self, scheme: &str, now: Ms) -> Result<u64, StoreError> {
        let ids = self.ids(LEFT_SENDING, scheme)?;
        let in_flight = self.own_reason(reason::IN_FLIGHT, &[]);
        for id in &ids {
            let mut rec = self.record(flow::ids::RecordId(*id))?;
            self.enter(&mut rec, RecordState::Unknown, Cause::Recover, now)?;
            rec.resolve_after = Some(rec.resolve_after.map_or(now, |stored| stored.max(now)));
            rec.unknown_since = Some(now);
            rec.reason = Some(in_flight.clone());
            self.save(&rec)?;
            self.conn
                .prepare_cached(
                    "UPDATE attempt_row SET settlement = 'unknown', code = ?3, text = ?4
                     WHERE attempt = ?1 AND record = ?2",
                )?
                .execute((
                    rec.attempt.map(|a| a.0),
                    id,
                    &in_flight.code,
                    cut(&in_flight.text),
                ))?;
            self.conn
                .prepare_cached(
                    "UPDATE attempt SET ended_ms = ?2, outcome = 'lost' WHERE id = ?1 AND ended_ms IS NULL",
                )?
                .execute((rec.attempt.map(|a| a.0), now))?;
        }
        let left = self.own_reason(reason::WINDOW_LEFT, &[]);
        for window in self.ids(LEFT_OPEN, scheme)? {
            self.finish_window(WindowId(window), "failed", Some(&left), None, now)?;
        }
        let broken = self.own_reason(reason::RUN_BROKEN, &[]);
        for run in self.ids(LEFT_RUNNING, scheme)? {
            self.finish_run(RunId(run), RunStatus::Failed, Some(&broken), now)?;
        }
        Ok(length(ids.len()))
    }

    pub(super) fn ids(&self, sql: &str, scheme: &str) -> Result<Vec<i64>, StoreError> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let ids = statement
            .query_map([scheme], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok(ids)
    }

    pub(super) fn open_window(
        &mut self,
        run: RunId,
        scheme: &str,
        asked: Interval,
        cursor: Cursor,
    ) -> Result<LedgerReply, StoreError> {
        self.running(run, scheme)?;
        self.conn
            .prepare_cached(
                "INSERT INTO window_run (run, scheme, from_ms, to_ms, state, cursor)
                 VALUES (?1, ?2, ?3, ?4, 'open', ?5)",
            )?
            .execute((run.0, scheme, asked.from, asked.to, cursor.word()))?;
        Ok(LedgerReply::WindowOpened(WindowId(self.conn.last_insert_rowid())))
    }

    /// A page belongs to an open window of a running run of its scheme.
    pub(super) fn check_page(&self, page: &Page<'_>) -> Result<(), StoreError> {
        self.running(page.run, page.scheme)?;
        let mut statement = self.conn.prepare_cached(
            "SELECT 1 FROM window_run WHERE id = ?1 AND run = ?2 AND scheme = ?3 AND state = 'open'",
        )?;
        if statement.exists((page.window.0, page.run.0, page.scheme))? {
            return Ok(());
        }
        Err(StoreError::Bug(format!(
            "window {} of run {} is not open",
            page.window, page.run
        )))
    }

    fn running(&self, run: RunId, scheme: &str) -> Result<(), StoreError> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT 1 FROM run WHERE id = ?1 AND scheme = ?2 AND status = 'running'")?;
        if statement.exists((run.0, scheme))? {
            return Ok(());
        }
        Err(StoreError::Bug(format!("run {run} of {scheme} is not running")))
    }

    pub(super) fn page_read(
        &self,
        page: &Page<'_>,
        rows: usize,
        total: Option<u64>,
        fingerprint: u64,
    ) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "UPDATE window_run SET page = ?2, seen = seen + ?3, total = ?4, fingerprint = ?5 WHERE id = ?1",
            )?
            .execute(params![
                page.window.0,
                page.number,
                integer(length(rows)),
                total.map(integer),
                integer(fingerprint)
            ])?;
        Ok(())
    }

    /// T3, in the transaction of the last page. `Some` = the window is empty where such windows have so many rows.
    pub(super) fn close_window(
        &self,
        page: &Page<'_>,
        interval: Option<Interval>,
    ) -> Result<Option<u64>, StoreError> {
        self.finish_window(page.window, "closed", None, interval, page.now)?;
        self.end_doubt(page)?;
        self.note_closed(page, interval)
    }

    pub(super) fn end_window(
        &mut self,
        window: WindowId,
        end: WindowEnd,
        why: &Reason,
        now: Ms,
    ) -> Result<LedgerReply, StoreError> {
        let state = match end {
            WindowEnd::Failed => "failed",
            WindowEnd::Unstable => "unstable",
            WindowEnd::Left => "left",
        };
        self.finish_window(window, state, Some(why), None, now)?;
        Ok(LedgerReply::Ok)
    }

    fn finish_window(
        &self,
        window: WindowId,
        state: &str,
        why: Option<&Reason>,
        closed: Option<Interval>,
        now: Ms,
    ) -> Result<(), StoreError> {
        let hit = self
            .conn
            .prepare_cached(
                "UPDATE window_run SET state = ?2, err_code = ?3, err_text = ?4, closed_from = ?5, closed_to = ?6,
                    ended_ms = ?7
                 WHERE id = ?1 AND state = 'open'",
            )?
            .execute(params![
                window.0,
                state,
                why.map(|why| why.code.as_str()),
                why.map(|why| cut(&why.text)),
                closed.map(|closed| closed.from),
                closed.map(|closed| closed.to),
                now
            ])?;
        if hit == 1 {
            Ok(())
        } else {
            Err(StoreError::Bug(format!("window {window} is not open")))
        }
    }

    pub(super) fn end_run(
        &mut self,
        run: RunId,
        status: RunStatus,
        why: Option<&Reason>,
        now: Ms,
    ) -> Result<LedgerReply, StoreError> {
        // A window that nobody ended was not closed either.
        self.conn
            .prepare_cached(
                "UPDATE window_run SET state = 'left', ended_ms = ?2, err_code = ?3, err_text = ?4
                 WHERE run = ?1 AND state = 'open'",
            )?
            .execute((
                run.0,
                now,
                why.map(|why| why.code.as_str()),
                why.map(|why| cut(&why.text)),
            ))?;
        Ok(LedgerReply::RunEnded(self.finish_run(run, status, why, now)?))
    }

    fn finish_run(
        &self,
        run: RunId,
        status: RunStatus,
        why: Option<&Reason>,
        now: Ms,
    ) -> Result<Counts, StoreError> {
        let counts = read::count_run(self.conn, run)?;
        let status = match status {
            RunStatus::Ok if counts.dead + counts.held + counts.open() > 0 => RunStatus::Partial,
            told => told,
        };
        let found = match (why, status) {
            (None, RunStatus::Partial) => self.why_partial(run)?,
            _ => None,
        };
        let why = why.or(found.as_ref());
        if !counts.add_up() {
            return Err(StoreError::Bug(format!(
                "the counts of run {run} do not add up: {counts:?}"
            )));
        }
        let hit = self
            .conn
            .prepare_cached(
                "UPDATE run SET ended_ms = ?2, status = ?3, err_code = ?4, err_text = ?5, fetched = ?6, done = ?7,
                    dead = ?8, held = ?9, skipped = ?10, pending = ?11, sending = ?12, unknown = ?13,
                    unchanged = ?14, superseded = ?15, filtered = ?16
                 WHERE id = ?1 AND status = 'running'",
            )?
            .execute(params![
                run.0,
                now,
                status.word(),
                why.map(|why| why.code.as_str()),
                why.map(|why| cut(&why.text)),
                integer(counts.fetched),
                integer(counts.done),
                integer(counts.dead),
                integer(counts.held),
                integer(counts.skipped),
                integer(counts.pending),
                integer(counts.sending),
                integer(counts.unknown),
                integer(counts.unchanged),
                integer(counts.superseded),
                integer(counts.filtered),
            ])?;
        if hit == 1 {
            Ok(counts)
        } else {
            Err(StoreError::Bug(format!("run {run} is not running")))
        }
    }

    /// Why a run is not all right that nobody gave a reason for: a window that it left, or one of its records, the gravest
    /// first, or one whose fate has been unknown since an earlier run.
    fn why_partial(&self, run: RunId) -> Result<Option<Reason>, StoreError> {
        let ask = |sql: &str| {
            let mut statement = self.conn.prepare_cached(sql)?;
            let mut rows = statement.query([run.0])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let (code, text): (String, Option<String>) = (row.get(0)?, row.get(1)?);
            Ok::<_, StoreError>(Some(Reason::new(&code, text.unwrap_or_default())))
        };
        for sql in WHY_PARTIAL {
            if let Some(why) = ask(sql)? {
                return Ok(Some(why));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ledger, OpenOptions};

    /// How SQLite looks for something, without its numbers.
    fn plan(ledger: &Ledger, sql: &str) -> String {
        let conn = ledger.lock();
        let mut statement = conn
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .expect("a statement");
        let lines = statement.query_map(["s"], |row| row.get::<_, String>(3));
        let lines: Result<Vec<String>, _> = lines.expect("a plan").collect();
        lines.expect("texts").join("; ")
    }

    /// A million settled records, or years of runs, cost a start nothing.
    #[test]
    fn what_was_left_is_found_by_partial_indexes() {
        let dir = tempfile::tempdir().expect("a folder");
        let ledger = Ledger::open(dir.path(), OpenOptions::new("test")).expect("a ledger");
        for (sql, want) in [
            (
                LEFT_SENDING,
                "SEARCH record USING COVERING INDEX record_sending (scheme=?)",
            ),
            (
                LEFT_OPEN,
                "SEARCH window_run USING COVERING INDEX window_run_open (scheme=?)",
            ),
            (
                LEFT_RUNNING,
                "CO-ROUTINE (subquery-1); SEARCH run USING INDEX run_scheme (scheme=?); SCAN (subquery-1)",
            ),
        ] {
            assert_eq!(plan(&ledger, sql), want);
        }
    }
}
