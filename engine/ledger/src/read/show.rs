//! The whole life of one record, and one run in full.

use flow::ids::{AttemptId, Ms, RecordId, RunId, WindowId};
use flow::op::{Counts, FromRow, Reason, RecordState};
use flow::window::Interval;
use rusqlite::{Connection, OptionalExtension, Row};

use super::find::{bytes, optional_bytes};
use super::list::{RECORD_COLUMNS, RUN_COLUMNS, one_key, reason, record_row, run_row};
use super::{Reader, RecordRow, RunRow, closed_intervals, count_run};
use crate::apply::LIVE;
use crate::error::StoreError;

/// Records shown for one key or label: labels need not be unique.
const MAX_RECORDS: i64 = 20;

/// Sightings and attempts shown of one record, the newest ones.
const MAX_LINES: i64 = 200;

/// Everything the ledger knows of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordLife {
    /// The record.
    pub record: RecordRow,
    /// Its current row.
    pub source: Vec<u8>,
    /// The row of the newer version that waits.
    pub waiting: Option<Vec<u8>>,
    /// The newest sightings, in order of time.
    pub sightings: Vec<SightingRow>,
    /// How many there are in all.
    pub sightings_total: u64,
    /// The newest attempts, in order of time.
    pub attempts: Vec<AttemptRow>,
    /// The calls for its document that were accepted, where it takes several; in order of time.
    pub steps: Vec<StepRow>,
    /// The document that it is in, with other rows.
    pub document: Option<InDocument>,
    /// The rows that it is made of, where it is a document of several; at most [`MOST_MEMBERS`].
    pub members: Vec<MemberRow>,
    /// How many they are.
    pub members_total: u64,
    /// What its scheme keeps beside it since it was written, as JSON.
    pub saved: Option<Vec<u8>>,
    /// The row of another scheme that it is made of.
    pub from: Option<FromRow>,
}

/// A document of several rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InDocument {
    /// Its record.
    pub record: RecordId,
    /// Its key, as the ledger keeps it.
    pub key: String,
    /// Its identity.
    pub number: String,
    /// Which document of its group.
    pub part: u32,
    /// Its state.
    pub state: RecordState,
    /// Internal id at the target.
    pub target_id: Option<String>,
}

/// One of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// Its key, as the ledger keeps it.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// Its state.
    pub state: RecordState,
}

/// Rows of a document that are shown.
pub const MOST_MEMBERS: u32 = 200;

/// One of several calls for a document, accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRow {
    /// Its name in the scheme; `None` = the document itself.
    pub step: Option<String>,
    /// Version of the row it was made for.
    pub version: String,
    /// Internal id of what it wrote.
    pub target_id: Option<String>,
    /// Its number.
    pub number: Option<String>,
    /// When it was accepted.
    pub done: Ms,
}

/// A row of a page that was this record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SightingRow {
    /// The run.
    pub run: RunId,
    /// The window.
    pub window: WindowId,
    /// What was asked of the source; `None` where it sent by itself.
    pub asked: Option<Interval>,
    /// The page, from 1.
    pub page: u32,
    /// Version of the row.
    pub version: String,
    /// Word for what became of it.
    pub outcome: String,
    /// When.
    pub seen: Ms,
}

/// One send of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRow {
    /// The attempt.
    pub attempt: AttemptId,
    /// The run.
    pub run: RunId,
    /// Name of the target.
    pub target: String,
    /// Records in the same call.
    pub rows: u64,
    /// Version that was sent.
    pub version: String,
    /// Which further call it was; `None` = the document itself.
    pub step: Option<String>,
    /// Word for what was wanted.
    pub action: String,
    /// Kind of document.
    pub form: String,
    /// Key at the target.
    pub tkey: String,
    /// The document; `None` once it has been pruned.
    pub payload: Option<Vec<u8>>,
    /// When it was claimed, just before the send.
    pub sent: Ms,
    /// When the answer, or the lack of one, was known.
    pub ended: Option<Ms>,
    /// Word for how the send ended.
    pub outcome: Option<String>,
    /// Status of the answer.
    pub http_status: Option<u16>,
    /// Start of the answer.
    pub excerpt: Option<String>,
    /// What the target calls the call, for a question to its people.
    pub vendor_trace: Option<String>,
    /// The task that the target took the call on as.
    pub task: Option<String>,
    /// Word for how this record was settled.
    pub settlement: Option<String>,
    /// Why.
    pub reason: Option<Reason>,
    /// Word for what the target said later, when it was asked.
    pub resolution: Option<String>,
    /// When.
    pub resolved: Option<Ms>,
    /// Why.
    pub resolution_reason: Option<Reason>,
}

/// One run in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunLife {
    /// The run, with the counts fixed at its end.
    pub run: RunRow,
    /// The counts as they are now, after later runs went on with its records.
    pub now: Counts,
    /// Its windows.
    pub windows: Vec<WindowRow>,
    /// What its scheme has read for good by now, sorted, merged: what lies between two of them is a gap.
    pub closed: Vec<Interval>,
}

/// One window of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowRow {
    /// The window.
    pub window: WindowId,
    /// What was asked of the source; `None` where it sent by itself.
    pub asked: Option<Interval>,
    /// Where its progress is noted: `live`, `sweep`, or a replay.
    pub cursor: String,
    /// `open`, `closed`, `failed`, `unstable`, `left`.
    pub state: String,
    /// Last page stored.
    pub page: u32,
    /// Rows seen.
    pub seen: u64,
    /// Total the source claimed.
    pub total: Option<u64>,
    /// What it closed.
    pub closed: Option<Interval>,
    /// When it ended.
    pub ended: Option<Ms>,
    /// Why it ended so.
    pub reason: Option<Reason>,
}

impl Reader {
    /// The life of the record with this key; where there is none, of those with this label, number or id.
    pub fn show_record(&self, scheme: Option<&str>, key: &str) -> Result<Vec<RecordLife>, StoreError> {
        self.ask(|conn| {
            let by_key = "r.src_key IN (?2, ?3)";
            let by_name = "(r.label = ?2 OR r.target_number = ?2 OR r.target_id = ?2) AND ?3 IS NOT NULL";
            let mut records = records(conn, by_key, scheme, key)?;
            if records.is_empty() {
                records = self::records(conn, by_name, scheme, key)?;
            }
            records.into_iter().map(|record| life(conn, record)).collect()
        })
    }

    /// The life of one record.
    pub fn show_record_by_id(&self, record: RecordId) -> Result<Option<RecordLife>, StoreError> {
        self.ask(|conn| {
            let sql = format!("SELECT {RECORD_COLUMNS} FROM record r WHERE r.id = ?1");
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query([record.0])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            Ok(Some(life(conn, record_row(row)?)?))
        })
    }

    /// One run with its windows.
    pub fn show_run(&self, run: RunId) -> Result<Option<RunLife>, StoreError> {
        self.ask(|conn| {
            let sql = format!("SELECT {RUN_COLUMNS} FROM run WHERE id = ?1");
            let Some(row) = conn.prepare_cached(&sql)?.query_row([run.0], run_row).optional()? else {
                return Ok(None);
            };
            let mut statement = conn.prepare_cached(
                "SELECT id, from_ms, to_ms, state, page, seen, total, closed_from, closed_to, ended_ms, err_code,
                        err_text, cursor
                 FROM window_run WHERE run = ?1 ORDER BY id",
            )?;
            let windows = statement.query_map([run.0], window_row)?.collect::<Result<_, _>>()?;
            let closed = closed_intervals(conn, &row.scheme, LIVE)?;
            Ok(Some(RunLife {
                run: row,
                now: count_run(conn, run)?,
                windows,
                closed,
            }))
        })
    }
}

fn records(
    conn: &Connection,
    by: &str,
    scheme: Option<&str>,
    key: &str,
) -> Result<Vec<RecordRow>, StoreError> {
    let sql = format!(
        "SELECT {RECORD_COLUMNS} FROM record r WHERE (?1 IS NULL OR r.scheme = ?1) AND {by}
         ORDER BY r.id DESC LIMIT {MAX_RECORDS}"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query((scheme, key, one_key(key)))?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(record_row(row)?);
    }
    Ok(records)
}

fn life(conn: &Connection, record: RecordRow) -> Result<RecordLife, StoreError> {
    let id = record.record;
    let (source, waiting) = {
        let mut statement = conn.prepare_cached("SELECT source, waiting FROM body WHERE record = ?1")?;
        let mut rows = statement.query([id.0])?;
        match rows.next()? {
            Some(row) => (bytes(row, 0)?, optional_bytes(row, 1)?),
            None => (Vec::new(), None),
        }
    };
    let mut statement = conn.prepare_cached(
        "SELECT s.run, s.window, w.from_ms, w.to_ms, s.page, s.version, s.outcome, s.seen_ms
         FROM sighting s LEFT JOIN window_run w ON w.id = s.window
         WHERE s.record = ?1 ORDER BY s.run DESC, s.seq DESC LIMIT ?2",
    )?;
    let mut sightings: Vec<SightingRow> = statement
        .query_map((id.0, MAX_LINES), sighting_row)?
        .collect::<Result<_, _>>()?;
    sightings.reverse();
    let total: i64 = conn
        .prepare_cached("SELECT count(*) FROM sighting WHERE record = ?1")?
        .query_row([id.0], |row| row.get(0))?;
    let saved = conn
        .prepare_cached("SELECT body FROM saved WHERE record = ?1")?
        .query_row([id.0], |row| Ok(row.get_ref(0)?.as_bytes()?.to_vec()))
        .optional()?;
    let from = conn
        .prepare_cached("SELECT giver, giver_key FROM origin WHERE record = ?1")?
        .query_row([id.0], |row| {
            Ok(FromRow {
                scheme: row.get(0)?,
                key: row.get(1)?,
            })
        })
        .optional()?;
    Ok(RecordLife {
        saved,
        from,
        attempts: attempts(conn, id)?,
        steps: steps(conn, id)?,
        document: document(conn, id)?,
        members: members(conn, id)?,
        members_total: members_total(conn, id)?,
        record,
        source,
        waiting,
        sightings,
        sightings_total: total.unsigned_abs(),
    })
}

fn attempts(conn: &Connection, record: RecordId) -> Result<Vec<AttemptRow>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT a.id, a.run, a.target, a.n_rows, r.version, r.action, r.form, r.tkey, r.payload, a.sent_ms, a.ended_ms,
                a.outcome, a.http_status, a.excerpt, r.settlement, r.code, r.text, r.resolution, r.resolved_ms,
                r.resolution_code, r.resolution_text, r.step, a.task, a.vendor_trace
         FROM attempt_row r JOIN attempt a ON a.id = r.attempt
         WHERE r.record = ?1 ORDER BY r.id DESC LIMIT ?2",
    )?;
    let mut rows = statement.query((record.0, MAX_LINES))?;
    let mut attempts = Vec::new();
    while let Some(row) = rows.next()? {
        attempts.push(AttemptRow {
            attempt: AttemptId(row.get(0)?),
            run: RunId(row.get(1)?),
            target: row.get(2)?,
            rows: row.get::<_, i64>(3)?.unsigned_abs(),
            version: row.get(4)?,
            step: row.get(21)?,
            action: row.get(5)?,
            form: row.get(6)?,
            tkey: row.get(7)?,
            payload: optional_bytes(row, 8)?,
            sent: row.get(9)?,
            ended: row.get(10)?,
            outcome: row.get(11)?,
            http_status: row.get(12)?,
            excerpt: row.get(13)?,
            vendor_trace: row.get(23)?,
            task: row.get(22)?,
            settlement: row.get(14)?,
            reason: reason(row.get(15)?, row.get(16)?),
            resolution: row.get(17)?,
            resolved: row.get(18)?,
            resolution_reason: reason(row.get(19)?, row.get(20)?),
        });
    }
    attempts.reverse();
    Ok(attempts)
}

fn steps(conn: &Connection, record: RecordId) -> Result<Vec<StepRow>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT step, version, target_id, target_number, done_ms FROM record_step
         WHERE record = ?1 ORDER BY done_ms, step LIMIT ?2",
    )?;
    let rows = statement.query_map((record.0, MAX_LINES), |row| {
        let step: String = row.get(0)?;
        Ok(StepRow {
            step: Some(step).filter(|step| !step.is_empty()),
            version: row.get(1)?,
            target_id: row.get(2)?,
            number: row.get(3)?,
            done: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn document(conn: &Connection, record: RecordId) -> Result<Option<InDocument>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT p.id, p.src_key, b.number, b.part, p.state, p.target_id FROM record r
         JOIN record p ON p.id = r.bundle JOIN bundle b ON b.record = p.id WHERE r.id = ?1 AND p.id <> r.id",
    )?;
    let mut rows = statement.query([record.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(InDocument {
        record: RecordId(row.get(0)?),
        key: row.get(1)?,
        number: row.get(2)?,
        part: row.get(3)?,
        state: state(&row.get::<_, String>(4)?)?,
        target_id: row.get(5)?,
    }))
}

fn members(conn: &Connection, record: RecordId) -> Result<Vec<MemberRow>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT src_key, label, state FROM record WHERE bundle = ?1 AND id <> ?1 ORDER BY id LIMIT ?2",
    )?;
    let mut rows = statement.query((record.0, MOST_MEMBERS))?;
    let mut members = Vec::new();
    while let Some(row) = rows.next()? {
        members.push(MemberRow {
            key: row.get(0)?,
            label: row.get(1)?,
            state: state(&row.get::<_, String>(2)?)?,
        });
    }
    Ok(members)
}

fn members_total(conn: &Connection, record: RecordId) -> Result<u64, StoreError> {
    let total: i64 = conn
        .prepare_cached("SELECT count(*) FROM record WHERE bundle = ?1 AND id <> ?1")?
        .query_row([record.0], |row| row.get(0))?;
    Ok(total.unsigned_abs())
}

fn state(word: &str) -> Result<RecordState, StoreError> {
    RecordState::from_word(word).ok_or_else(|| StoreError::Damaged {
        what: format!("state `{word}`"),
    })
}

/// A stretch of time; an empty one stands for pushes, which nobody asked for.
fn stretch(from: Option<Ms>, to: Option<Ms>) -> Option<Interval> {
    let (from, to) = from.zip(to)?;
    Interval::new(from, to)
}

fn sighting_row(row: &Row<'_>) -> rusqlite::Result<SightingRow> {
    let (from, to): (Option<Ms>, Option<Ms>) = (row.get(2)?, row.get(3)?);
    Ok(SightingRow {
        run: RunId(row.get(0)?),
        window: WindowId(row.get(1)?),
        asked: stretch(from, to),
        page: row.get(4)?,
        version: row.get(5)?,
        outcome: row.get(6)?,
        seen: row.get(7)?,
    })
}

fn window_row(row: &Row<'_>) -> rusqlite::Result<WindowRow> {
    let (from, to): (Option<Ms>, Option<Ms>) = (row.get(7)?, row.get(8)?);
    Ok(WindowRow {
        window: WindowId(row.get(0)?),
        asked: stretch(row.get(1)?, row.get(2)?),
        cursor: row.get(12)?,
        state: row.get(3)?,
        page: row.get(4)?,
        seen: row.get::<_, i64>(5)?.unsigned_abs(),
        total: row.get::<_, Option<i64>>(6)?.map(i64::cast_unsigned),
        closed: from.zip(to).map(|(from, to)| Interval { from, to }),
        ended: row.get(9)?,
        reason: reason(row.get(10)?, row.get(11)?),
    })
}
