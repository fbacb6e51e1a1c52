//! Lists: records, runs, schemes.

use flow::ids::{AttemptId, Ms, RecordId, RunId};
use flow::op::{Counts, Reason, RecordState, RunStatus, WriteAction};
use flow::window::Interval;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, params_from_iter};

use super::find::state;
use super::{Reader, closed_intervals, states};
use crate::error::StoreError;

/// Which records to list; what is `None` does not matter. Newest records first.
#[derive(Debug, Clone, Default)]
pub struct RecordFilter {
    /// Of this scheme.
    pub scheme: Option<String>,
    /// In this state.
    pub state: Option<RecordState>,
    /// With this key, label, number or id, as a person writes it.
    pub key: Option<String>,
    /// With this code as the reason.
    pub error: Option<String>,
    /// Changed at or after this time.
    pub since: Option<Ms>,
    /// Sighted in this run.
    pub run: Option<RunId>,
    /// Only what may have a document of its own, not the rows that were made into one with others.
    pub documents: bool,
    /// With ids below this one: the next page of a list.
    pub before: Option<RecordId>,
    /// At most; 0 = no bound.
    pub limit: u32,
}

/// A record in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// The record.
    pub record: RecordId,
    /// Its scheme.
    pub scheme: String,
    /// Identity within the scheme, a canonical JSON list.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// Its state.
    pub state: RecordState,
    /// Version of its current row.
    pub version: String,
    /// Version that was settled last.
    pub done_version: Option<String>,
    /// A newer version waits beside the current one.
    pub waiting_version: Option<String>,
    /// It means "cancelled".
    pub void: bool,
    /// What the last claim wanted to do.
    pub action: Option<WriteAction>,
    /// Sends spent on the current version; those that certainly were not executed are not counted.
    pub attempts: u32,
    /// Sends of any version that are on record.
    pub sends: u64,
    /// Earliest next send.
    pub not_before: Option<Ms>,
    /// Earliest next question to the target.
    pub resolve_after: Option<Ms>,
    /// Connection it is written to.
    pub target: Option<String>,
    /// Kind of document there.
    pub form: Option<String>,
    /// Frozen key there.
    pub tkey: Option<String>,
    /// Internal id there.
    pub target_id: Option<String>,
    /// Number there.
    pub number: Option<String>,
    /// Why it is in this state.
    pub reason: Option<Reason>,
    /// First sighting.
    pub first: Ms,
    /// Newest row stored.
    pub seen: Ms,
    /// Last change of state.
    pub changed: Ms,
    /// Last settlement.
    pub done: Option<Ms>,
    /// Since when it waits for what a look-up has not found; `None` = it does not.
    pub waits_since: Option<Ms>,
    /// The further call that is next; `None` = the document itself.
    pub step: Option<String>,
    /// An earlier attempt may have been executed.
    pub maybe_sent: bool,
    /// A document may be there that this ledger knows nothing of.
    pub suspect: bool,
    /// The newest attempt.
    pub attempt: Option<AttemptId>,
    /// The attempt whose document is sent instead of a new one.
    pub as_stored: Option<AttemptId>,
}

pub(super) const RECORD_COLUMNS: &str = "r.id, r.scheme, r.src_key, r.label, r.state, r.version, r.done_version, \
    r.waiting_version, r.void, r.action, r.attempts, r.not_before_ms, r.resolve_after_ms, r.target, r.form, r.tkey, \
    r.target_id, r.target_number, r.err_code, r.err_text, r.first_ms, r.seen_ms, r.changed_ms, r.done_ms, \
    r.waits_since_ms, r.step, r.maybe_sent, r.suspect IS NOT NULL, r.as_stored, r.attempt, \
    (SELECT count(*) FROM attempt_row WHERE record = r.id)";

/// Which runs to list. Newest first.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Of this scheme.
    pub scheme: Option<String>,
    /// Ended like this.
    pub status: Option<RunStatus>,
    /// Only those that have not ended.
    pub running: bool,
    /// Started at or after this time.
    pub since: Option<Ms>,
    /// With ids below this one: the next page of a list.
    pub before: Option<RunId>,
    /// At most; 0 = no bound.
    pub limit: u32,
}

impl RunFilter {
    fn word(&self) -> Option<&'static str> {
        if self.running {
            return Some("running");
        }
        self.status.map(RunStatus::word)
    }
}

/// A run in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// The run.
    pub run: RunId,
    /// Its scheme.
    pub scheme: String,
    /// Revision of the scheme's file.
    pub revision: String,
    /// Word for why it was started.
    pub trigger: String,
    /// Start.
    pub started: Ms,
    /// End.
    pub ended: Option<Ms>,
    /// `running`, or the word of how it ended.
    pub status: String,
    /// Why it ended so, where it is not plain.
    pub reason: Option<Reason>,
    /// Fixed at its end.
    pub counts: Option<Counts>,
}

pub(super) const RUN_COLUMNS: &str = "id, scheme, revision, cause, started_ms, ended_ms, status, err_code, err_text, \
    fetched, done, dead, held, skipped, pending, sending, unknown, unchanged, superseded, filtered";

/// Which runs a filter means.
const RUN_WHERE: &str =
    "(?1 IS NULL OR scheme = ?1) AND (?2 IS NULL OR status = ?2) AND (?3 IS NULL OR started_ms >= ?3)";

/// A scheme as far as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemeRow {
    /// Its id.
    pub id: String,
    /// Revision of the last run.
    pub revision: String,
    /// When it was first run here.
    pub enabled: Ms,
    /// What has been read for good.
    pub closed: Vec<Interval>,
    /// Records by state, in the order of [`RecordState::ALL`].
    pub states: [u64; 7],
}

impl Reader {
    /// Records, newest first.
    pub fn list_records(&self, filter: &RecordFilter) -> Result<Vec<RecordRow>, StoreError> {
        let (wheres, params) = conditions(filter);
        let sql = format!(
            "SELECT {RECORD_COLUMNS} FROM record r WHERE {wheres} ORDER BY r.id DESC LIMIT {}",
            limit(filter.limit)
        );
        self.ask(|conn| {
            let mut statement = conn.prepare(&sql)?;
            let mut rows = statement.query(params_from_iter(params))?;
            let mut records = Vec::new();
            while let Some(row) = rows.next()? {
                records.push(record_row(row)?);
            }
            Ok(records)
        })
    }

    /// One record, as in a list.
    pub fn record_row(&self, record: RecordId) -> Result<Option<RecordRow>, StoreError> {
        let sql = format!("SELECT {RECORD_COLUMNS} FROM record r WHERE r.id = ?1");
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query([record.0])?;
            rows.next()?.map(record_row).transpose()
        })
    }

    /// How many records a filter means, counted no further than `most`; where its list goes on does not matter.
    pub fn count_records(&self, filter: &RecordFilter, most: u32) -> Result<u32, StoreError> {
        let whole = RecordFilter {
            before: None,
            ..filter.clone()
        };
        let (wheres, params) = conditions(&whole);
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM record r WHERE {wheres} LIMIT {most})");
        self.ask(|conn| Ok(conn.query_row(&sql, params_from_iter(params), |row| row.get(0))?))
    }

    /// How many runs a filter means, likewise.
    pub fn count_runs(&self, filter: &RunFilter, most: u32) -> Result<u32, StoreError> {
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM run WHERE {RUN_WHERE} LIMIT {most})");
        let facts = (&filter.scheme, filter.word(), filter.since);
        self.ask(|conn| Ok(conn.prepare_cached(&sql)?.query_row(facts, |row| row.get(0))?))
    }

    /// Runs, newest first.
    pub fn list_runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, StoreError> {
        // The index is by scheme: the newest runs of one are few among those of thousands.
        let of = filter.scheme.as_ref().map_or("", |_| "scheme = ?1 AND ");
        let sql = format!(
            "SELECT {RUN_COLUMNS} FROM run
             WHERE {of}{RUN_WHERE} AND (?4 IS NULL OR id < ?4) ORDER BY id DESC LIMIT {}",
            limit(filter.limit)
        );
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(&sql)?;
            let runs = statement
                .query_map(
                    (
                        &filter.scheme,
                        filter.word(),
                        filter.since,
                        filter.before.map(|before| before.0),
                    ),
                    run_row,
                )?
                .collect::<Result<_, _>>()?;
            Ok(runs)
        })
    }

    /// Every scheme that was ever run here.
    pub fn schemes(&self) -> Result<Vec<SchemeRow>, StoreError> {
        self.ask(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT id, revision, enabled_ms FROM scheme ORDER BY id")?;
            let mut rows = statement.query([])?;
            let mut schemes = Vec::new();
            while let Some(row) = rows.next()? {
                let id: String = row.get(0)?;
                schemes.push(SchemeRow {
                    revision: row.get(1)?,
                    enabled: row.get(2)?,
                    closed: closed_intervals(conn, &id, crate::apply::LIVE)?,
                    states: states(conn, &id)?,
                    id,
                });
            }
            Ok(schemes)
        })
    }

    /// What people must not see of a scheme's rows or documents, as its newest run remembered it.
    pub fn hidden(&self, scheme: &str, of: HiddenOf) -> Result<Vec<String>, StoreError> {
        self.ask(|conn| {
            let text: Option<String> = conn
                .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
                .query_row([hidden_name(scheme, of)], |row| row.get(0))
                .optional()?;
            let fields = text.iter().flat_map(|text| text.split('\n'));
            Ok(fields
                .filter(|field| !field.is_empty())
                .map(str::to_owned)
                .collect())
        })
    }

    /// Where each connection leads, as remembered.
    pub fn origins(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.ask(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT connection, origin FROM connection_origin ORDER BY connection")?;
            let origins = statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            Ok(origins)
        })
    }
}

/// What a filter of records asks for, as SQL and its parameters.
fn conditions(filter: &RecordFilter) -> (String, Vec<Value>) {
    let mut wheres: Vec<String> = Vec::new();
    let mut params: Vec<Value> = Vec::new();
    let mut add = |sql: &str, value: Value| {
        wheres.push(sql.to_owned());
        params.push(value);
    };
    if let Some(scheme) = &filter.scheme {
        add("r.scheme = ?", Value::Text(scheme.clone()));
    }
    if let Some(error) = &filter.error {
        add("r.err_code = ?", Value::Text(error.to_ascii_uppercase()));
    }
    if let Some(since) = filter.since {
        add("r.changed_ms >= ?", Value::Integer(since));
    }
    if let Some(run) = filter.run {
        add(
            "r.id IN (SELECT record FROM sighting WHERE run = ?)",
            Value::Integer(run.0),
        );
    }
    if let Some(before) = filter.before {
        add("r.id < ?", Value::Integer(before.0));
    }
    if let Some(state) = filter.state {
        // Written out, not bound: the partial indexes are found by their text.
        wheres.push(format!("r.state = '{}'", state.word()));
    }
    if let Some(key) = &filter.key {
        wheres.push(
            "(r.src_key IN (?, ?) OR r.label = ? OR r.target_number = ? OR r.target_id = ?)".to_owned(),
        );
        params.push(Value::Text(one_key(key)));
        params.extend(std::iter::repeat_n(Value::Text(key.clone()), 4));
    }
    if filter.documents {
        wheres.push("(r.bundle IS NULL OR r.bundle = r.id)".to_owned());
    }
    let wheres = if wheres.is_empty() {
        "1".to_owned()
    } else {
        wheres.join(" AND ")
    };
    (wheres, params)
}

/// What has places that people must not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HiddenOf {
    /// Rows of the source.
    Rows,
    /// Documents for the target.
    Documents,
}

/// Under which name of `meta` the hidden places of a scheme stand.
pub(crate) fn hidden_name(scheme: &str, of: HiddenOf) -> String {
    match of {
        HiddenOf::Rows => format!("hidden {scheme}"),
        // The id of a scheme has no blank.
        HiddenOf::Documents => format!("hidden document {scheme}"),
    }
}

/// Paths as they are stored: one a line; a path holds no line end.
pub(crate) fn hidden_text(fields: &[String]) -> String {
    let lines = fields.iter().filter(|field| !field.contains('\n'));
    lines.map(String::as_str).collect::<Vec<_>>().join("\n")
}

pub(super) fn limit(limit: u32) -> i64 {
    if limit == 0 { -1 } else { i64::from(limit) }
}

/// How a key of one part is stored: a JSON list with one text.
pub(crate) fn one_key(text: &str) -> String {
    let mut key = String::from("[");
    push_text(&mut key, text);
    key.push(']');
    key
}

/// A text as JSON.
pub(super) fn push_text(key: &mut String, text: &str) {
    key.push('"');
    for c in text.chars() {
        match c {
            '"' => key.push_str("\\\""),
            '\\' => key.push_str("\\\\"),
            '\n' => key.push_str("\\n"),
            '\r' => key.push_str("\\r"),
            '\t' => key.push_str("\\t"),
            c if c < ' ' => key.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => key.push(c),
        }
    }
    key.push('"');
}

pub(super) fn reason(code: Option<String>, text: Option<String>) -> Option<Reason> {
    code.map(|code| Reason {
        code,
        text: text.unwrap_or_default(),
    })
}

pub(super) fn record_row(row: &Row<'_>) -> Result<RecordRow, StoreError> {
    let action: Option<String> = row.get(9)?;
    Ok(RecordRow {
        record: RecordId(row.get(0)?),
        scheme: row.get(1)?,
        key: row.get(2)?,
        label: row.get(3)?,
        state: state(row, 4)?,
        version: row.get(5)?,
        done_version: row.get(6)?,
        waiting_version: row.get(7)?,
        void: row.get(8)?,
        action: action.as_deref().and_then(WriteAction::from_word),
        attempts: row.get(10)?,
        not_before: row.get(11)?,
        resolve_after: row.get(12)?,
        target: row.get(13)?,
        form: row.get(14)?,
        tkey: row.get(15)?,
        target_id: row.get(16)?,
        number: row.get(17)?,
        reason: reason(row.get(18)?, row.get(19)?),
        first: row.get(20)?,
        seen: row.get(21)?,
        changed: row.get(22)?,
        done: row.get(23)?,
        waits_since: row.get(24)?,
        step: row.get(25)?,
        maybe_sent: row.get(26)?,
        suspect: row.get(27)?,
        as_stored: row.get::<_, Option<i64>>(28)?.map(AttemptId),
        attempt: row.get::<_, Option<i64>>(29)?.map(AttemptId),
        sends: row.get::<_, i64>(30)?.unsigned_abs(),
    })
}

pub(super) fn run_row(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    let fetched: Option<i64> = row.get(9)?;
    let count = |column: usize| {
        row.get::<_, Option<i64>>(column)
            .map(|n| n.unwrap_or(0).unsigned_abs())
    };
    let counts = match fetched {
        None => None,
        Some(fetched) => Some(Counts {
            fetched: fetched.unsigned_abs(),
            done: count(10)?,
            dead: count(11)?,
            held: count(12)?,
            skipped: count(13)?,
            pending: count(14)?,
            sending: count(15)?,
            unknown: count(16)?,
            unchanged: count(17)?,
            superseded: count(18)?,
            filtered: count(19)?,
        }),
    };
    Ok(RunRow {
        run: RunId(row.get(0)?),
        scheme: row.get(1)?,
        revision: row.get(2)?,
        trigger: row.get(3)?,
        started: row.get(4)?,
        ended: row.get(5)?,
        status: row.get(6)?,
        reason: reason(row.get(7)?, row.get(8)?),
        counts,
    })
}
