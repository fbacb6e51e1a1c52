//! Whether the ledger agrees with itself: the invariants that can be seen from inside (the target is not asked).
//!
//! Each check is one query that lists what breaks it. A finding is a code of the catalogue with facts, and a plain
//! English sentence; a sound ledger has none.

use flow::op::Counts;
use rusqlite::Connection;

use crate::error::{Facts, StoreError};
use crate::prune::GIVEN_UP;
use crate::read::{RunFilter, RunRow, count_run};
use crate::{Ledger, Reader};

/// Codes of the findings.
pub mod finding {
    /// The file itself is damaged.
    pub const DAMAGED: &str = "E5060";
    /// `fetched = done + dead + held + skipped + open` does not hold, or the sightings are not those counted.
    pub const COUNTS: &str = "E5061";
    /// Dead, held or skipped without a reason.
    pub const NO_REASON: &str = "E5062";
    /// Sending without an attempt in flight.
    pub const NOT_IN_FLIGHT: &str = "E5063";
    /// Two records have one key at the target.
    pub const KEY_TWICE: &str = "E5064";
    /// Closed intervals overlap or touch.
    pub const INTERVALS: &str = "E5065";
    /// Done with another version than the one settled.
    pub const DONE_VERSION: &str = "E5066";
    /// The number of records in a state is not the one kept.
    pub const STATES: &str = "E5067";
    /// A newer version waits where none may, or its row is missing.
    pub const WAITING: &str = "E5068";
    /// Sent again before it was known what became of the attempt before.
    pub const BLIND_RESEND: &str = "E5069";
    /// A row is not in the state of the document that it is in.
    pub const MEMBER_STATE: &str = "E5026";
    /// All of them.
    pub const ALL: [&str; 11] = [
        DAMAGED,
        COUNTS,
        NO_REASON,
        NOT_IN_FLIGHT,
        KEY_TWICE,
        INTERVALS,
        DONE_VERSION,
        STATES,
        WAITING,
        BLIND_RESEND,
        MEMBER_STATE,
    ];
}

/// Findings of one kind that are listed; more of the same say nothing new.
const MAX_FINDINGS: usize = 50;

/// One thing that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Code of the catalogue, one of [`finding::ALL`].
    pub code: &'static str,
    /// What it is about: `scheme`, and `key`, `run` or `what`.
    pub facts: Facts,
    /// A plain sentence.
    pub text: String,
}

/// What was looked at, and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Runs looked at.
    pub runs: u64,
    /// Records looked at.
    pub records: u64,
    /// At most fifty of each kind.
    pub findings: Vec<Finding>,
}

impl VerifyReport {
    /// Nothing was found.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    fn add(&mut self, code: &'static str, facts: Facts) {
        let text = facts
            .iter()
            .map(|(name, value)| format!("{name} {value}"))
            .collect::<Vec<_>>()
            .join(", ");
        if self.findings.iter().filter(|known| known.code == code).count() < MAX_FINDINGS {
            self.findings.push(Finding {
                code,
                text: format!("{}: {text}", meaning(code)),
                facts,
            });
        }
    }
}

impl Ledger {
    /// See [`Reader::verify`].
    pub fn verify(&self, scheme: Option<&str>) -> Result<VerifyReport, StoreError> {
        self.reader().verify(scheme)
    }
}

impl Reader {
    /// Checks the ledger, or what belongs to one scheme. Reads the whole file.
    pub fn verify(&self, scheme: Option<&str>) -> Result<VerifyReport, StoreError> {
        self.ask(|conn| {
            let mut report = VerifyReport::default();
            integrity(conn, &mut report)?;
            let records = "SELECT count(*) FROM record WHERE (?1 IS NULL OR scheme = ?1)";
            report.records = conn
                .query_row(records, [scheme], |row| row.get::<_, i64>(0))?
                .unsigned_abs();
            for (code, sql) in CHECKS {
                listed(conn, scheme, code, sql, &mut report)?;
            }
            Ok(report)
        })
        .and_then(|mut report| {
            let filter = RunFilter {
                scheme: scheme.map(str::to_owned),
                ..RunFilter::default()
            };
            for run in self.list_runs(&filter)? {
                report.runs += 1;
                self.ask(|conn| check_run(conn, &run, &mut report))?;
            }
            Ok(report)
        })
    }
}

/// Each query gives (scheme, what) of whatever breaks the invariant.
const CHECKS: [(&str, &str); 12] = [
    (
        finding::NO_REASON,
        // The code is the reason; its text is what a system said, and empty where the sentence of the code needs none.
        "SELECT scheme, src_key FROM record
         WHERE state IN ('dead', 'held', 'skipped') AND (coalesce(err_code, '') = '' OR err_text IS NULL)",
    ),
    (
        finding::NOT_IN_FLIGHT,
        "SELECT r.scheme, r.src_key FROM record r
         WHERE r.state = 'sending' AND NOT EXISTS
            (SELECT 1 FROM attempt a JOIN attempt_row ar ON ar.attempt = a.id AND ar.record = r.id
             WHERE a.id = r.attempt AND a.ended_ms IS NULL)",
    ),
    (
        finding::MEMBER_STATE,
        "SELECT r.scheme, r.src_key FROM record r JOIN record p ON p.id = r.bundle
         WHERE r.bundle <> r.id AND (r.attempt IS NOT NULL OR p.bundle IS NOT p.id OR r.scheme <> p.scheme
            OR r.apart = 0 AND r.state <>
               CASE WHEN p.state IN ('pending', 'sending', 'unknown') THEN 'pending' ELSE p.state END)",
    ),
    (
        finding::MEMBER_STATE,
        "SELECT r.scheme, r.src_key FROM record r LEFT JOIN bundle b ON b.record = r.id
         WHERE (r.bundle IS r.id) <> (b.record IS NOT NULL)
            OR r.bundle = r.id AND r.state NOT IN ('skipped', 'held') AND NOT EXISTS
               (SELECT 1 FROM record m WHERE m.bundle = r.id AND m.id <> r.id)",
    ),
    (
        finding::KEY_TWICE,
        "SELECT min(scheme), tkey FROM record WHERE tkey IS NOT NULL GROUP BY target, form, tkey HAVING count(*) > 1",
    ),
    (
        finding::INTERVALS,
        "SELECT scheme, from_ms || '..' || to_ms FROM
            (SELECT scheme, from_ms, to_ms, lag(to_ms) OVER (PARTITION BY scheme, cursor ORDER BY from_ms) AS before
             FROM closed_interval)
         WHERE from_ms <= before",
    ),
    (
        finding::DONE_VERSION,
        "SELECT scheme, src_key FROM record WHERE state = 'done' AND done_version IS NOT version",
    ),
    (
        finding::STATES,
        "SELECT scheme, state || ' ' || sum(kept) || ' / ' || sum(found) FROM
            (SELECT scheme, state, n AS kept, 0 AS found FROM scheme_state
             UNION ALL SELECT scheme, state, 0, count(*) FROM record GROUP BY scheme, state)
         GROUP BY scheme, state HAVING sum(kept) <> sum(found)",
    ),
    (
        finding::WAITING,
        "SELECT r.scheme, r.src_key FROM record r LEFT JOIN body b ON b.record = r.id
         WHERE b.record IS NULL OR (r.waiting_version IS NULL) <> (b.waiting IS NULL)
            OR (r.waiting_version IS NOT NULL AND r.state NOT IN ('sending', 'unknown', 'held')
                AND NOT (r.state = 'pending' AND (r.maybe_sent OR r.step IS NOT NULL))
                AND NOT (r.state = 'dead' AND r.step IS NOT NULL AND r.waiting_after))",
    ),
    (
        finding::BLIND_RESEND,
        "SELECT r.scheme, r.src_key FROM attempt_row a JOIN record r ON r.id = a.record
         WHERE (a.settlement IS NULL
                OR (a.settlement = 'unknown' AND coalesce(a.resolution, 'ask_again') = 'ask_again'))
           AND (EXISTS (SELECT 1 FROM attempt_row newer WHERE newer.record = a.record AND newer.id > a.id)
                OR r.state NOT IN ('sending', 'unknown'))",
    ),
    (
        finding::COUNTS,
        // Sightings of windows that ended before the instant that pruning noted may have been given up.
        "SELECT w.scheme, 'window ' || w.id || ': ' || w.seen || ' / ' || coalesce(s.n, 0) FROM window_run w
         LEFT JOIN (SELECT run, window, count(*) AS n FROM sighting GROUP BY run, window) s
            ON s.run = w.run AND s.window = w.id
         WHERE w.seen < coalesce(s.n, 0)
            OR (w.seen > coalesce(s.n, 0) AND coalesce(w.ended_ms, 9e18) >= coalesce(
                (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'given_up_before_ms'), -9e18))",
    ),
    (
        finding::COUNTS,
        "SELECT scheme, 'run ' || run.id || ': no window ' || s.window FROM sighting s JOIN run ON run.id = s.run
         WHERE NOT EXISTS (SELECT 1 FROM window_run w WHERE w.id = s.window AND w.run = s.run)",
    ),
];

fn listed(
    conn: &Connection,
    scheme: Option<&str>,
    code: &'static str,
    sql: &str,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    let sql = format!(
        "WITH found (scheme, what) AS ({sql}) SELECT scheme, what FROM found WHERE (?1 IS NULL OR scheme = ?1) LIMIT {MAX_FINDINGS}"
    );
    let mut statement = conn.prepare(&sql)?;
    let mut rows = statement.query([scheme])?;
    while let Some(row) = rows.next()? {
        report.add(code, vec![("scheme", row.get(0)?), ("what", row.get(1)?)]);
    }
    Ok(())
}

fn integrity(conn: &Connection, report: &mut VerifyReport) -> Result<(), StoreError> {
    let mut statement = conn.prepare("PRAGMA integrity_check(20)")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let line: String = row.get(0)?;
        if line != "ok" {
            report.add(finding::DAMAGED, vec![("what", line)]);
        }
    }
    let mut statement = conn.prepare("SELECT \"table\", rowid FROM pragma_foreign_key_check LIMIT 20")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (table, id): (String, Option<i64>) = (row.get(0)?, row.get(1)?);
        report.add(
            finding::DAMAGED,
            vec![("what", format!("{table} {}", id.unwrap_or_default()))],
        );
    }
    Ok(())
}

/// The identity holds in what was fixed at the end of the run and in what its sightings come to now, and what cannot
/// change after the end has not changed. A run whose sightings have been pruned has only what was fixed.
fn check_run(conn: &Connection, run: &RunRow, report: &mut VerifyReport) -> Result<(), StoreError> {
    let now = count_run(conn, run.run)?;
    let given_up = crate::generation::meta(conn, GIVEN_UP)?.unwrap_or(i64::MIN);
    let mut broken = |what: String| {
        report.add(
            finding::COUNTS,
            vec![("scheme", run.scheme.clone()), ("what", what)],
        );
    };
    if !now.add_up() {
        broken(format!("run {}: {}", run.run, told(&now)));
    }
    let Some(fixed) = run.counts else {
        if run.ended.is_some() {
            broken(format!("run {}: ended without counts", run.run));
        }
        return Ok(());
    };
    if !fixed.add_up() {
        broken(format!("run {}: {}", run.run, told(&fixed)));
    }
    let same = |counts: &Counts| {
        (
            counts.fetched,
            counts.unchanged,
            counts.superseded,
            counts.filtered,
        )
    };
    // What was given up because it is old is missing; nothing may have come instead.
    let is_whole = run.ended.is_none_or(|ended| ended >= given_up);
    if now.fetched > fixed.fetched || (is_whole && same(&now) != same(&fixed)) {
        broken(format!("run {}: {} / {}", run.run, told(&fixed), told(&now)));
    }
    Ok(())
}

/// Counts in the words of the command line.
fn told(counts: &Counts) -> String {
    format!(
        "fetched {} = done {} + dead {} + held {} + skipped {} + open {}; unchanged {}, superseded {}, filtered {}",
        counts.fetched,
        counts.done,
        counts.dead,
        counts.held,
        counts.skipped,
        counts.open(),
        counts.unchanged,
        counts.superseded,
        counts.filtered,
    )
}

fn meaning(code: &str) -> &'static str {
    match code {
        finding::DAMAGED => "the file is damaged",
        finding::COUNTS => "the counts do not add up",
        finding::NO_REASON => "ended without a reason",
        finding::NOT_IN_FLIGHT => "sending without an attempt in flight",
        finding::KEY_TWICE => "two records have one key at the target",
        finding::INTERVALS => "closed intervals overlap",
        finding::DONE_VERSION => "done, but another version was settled",
        finding::STATES => "the number of records in a state is not the one kept",
        finding::WAITING => "a waiting version or a row is missing or misplaced",
        finding::MEMBER_STATE => "a row is not in the state of its document",
        finding::BLIND_RESEND => "sent again before the fate of the last attempt was known",
        _ => "not as it must be",
    }
}
