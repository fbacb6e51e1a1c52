//! Rows for the transform, and look-ups by field.

use std::collections::BTreeMap;

use flow::ids::{AttemptId, Ms, RecordId};
use flow::op::{RecordState, WriteAction};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use super::Reader;
use super::list::{one_key, push_text};
use crate::Columns;
use crate::columns::Known;
use crate::error::StoreError;
use crate::generation::LEDGER_NAME;

/// Ids in one query.
const CHUNK: usize = 500;

/// Keys of look-ups in one query: those of 500 records with twenty lines each. A bound on the text they travel in.
const KEYS: usize = 10_000;

/// Sends of one version that are looked at: a lost one is followed by a question, so that they are few.
const SENDS: i64 = 100;

/// A record for the transform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRow {
    /// The record.
    pub record: RecordId,
    /// Identity within the scheme, a canonical JSON list.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// The version of `source`.
    pub version: String,
    /// It means "cancelled".
    pub void: bool,
    /// The row as it was staged.
    pub source: Vec<u8>,
    /// The newer row that waits until the further calls of the version that is written are through, where the scheme does not
    /// change what is written.
    pub newer: Option<Vec<u8>>,
    /// State of the record.
    pub state: RecordState,
    /// What the last claim wanted to do.
    pub action: Option<WriteAction>,
    /// Kind of document of the last claim.
    pub form: Option<String>,
    /// Frozen key at the target, a canonical JSON list.
    pub tkey: Option<String>,
    /// Internal id at the target.
    pub target_id: Option<String>,
    /// Number at the target.
    pub number: Option<String>,
    /// Since when it is in this state.
    pub since: Ms,
    /// Since when it waits for what a look-up has not found; `None` = it does not.
    pub waits_since: Option<Ms>,
    /// How long it has waited while it was tried, up to the last try.
    pub waited: Ms,
    /// When that was.
    pub tried: Option<Ms>,
    /// The further call that is next; `None` = the document itself.
    pub step: Option<String>,
    /// The call that it is about, where somebody takes it for the row of a step that is made for each line. The ledger
    /// leaves it empty.
    pub line: Option<String>,
    /// The key in the last claim of that further call.
    pub step_tkey: Option<String>,
    /// An earlier attempt may have been executed, although the target did not know of it when it was asked.
    pub maybe_sent: bool,
    /// The ids of its document's lines, as they were given with a settlement.
    pub lines: Option<Vec<u8>>,
    /// The stored document that is sent instead of a new one.
    pub as_stored: Option<Vec<u8>>,
    /// A version of it is at the target, as far as is known; not said of rows that are only kept.
    pub written: bool,
    /// What the target accepted last was that its document is void.
    pub voided: bool,
    /// The last send of another version: the same version before it was another write.
    pub behind: Option<AttemptId>,
    /// It is one of several rows of a document that may be at the target.
    pub in_document: bool,
    /// The further calls that were accepted, of whatever version.
    pub steps: Vec<StepMade>,
    /// What the scheme keeps beside it, as JSON.
    pub saved: Option<Vec<u8>>,
}

/// A further call for a record that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepMade {
    /// Its name in the scheme.
    pub step: String,
    /// Internal id of what it wrote.
    pub id: Option<String>,
    /// Its number.
    pub number: Option<String>,
    /// A person said so, and the record has not gone on yet.
    pub said: bool,
}

/// What tells one send from every other, also from those of other ledgers and of other lives of this one: durable
/// before the send, so that it can be computed again when the answer was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptMark {
    /// What the ledger drew when it was made.
    pub ledger: String,
    /// The number of the send.
    pub attempt: AttemptId,
    /// When it was claimed. Two copies of one ledger may give the same number twice.
    pub sent: Ms,
}

/// A hit of a look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    /// The record.
    pub record: RecordId,
    /// Identity within its scheme.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// State of the record.
    pub state: RecordState,
    /// The newest row stored.
    pub source: Vec<u8>,
    /// Internal id at the target.
    pub target_id: Option<String>,
    /// Number at the target.
    pub number: Option<String>,
    /// What the scheme keeps beside it, as JSON.
    pub saved: Option<Vec<u8>>,
}

/// What a look-up found under one key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The newest stored row that is not dead.
    pub newest: Option<StoredRow>,
    /// How many are not dead.
    pub matches: u64,
    /// Where all are dead, the newest of them: why nothing was found.
    pub dead: Option<RecordId>,
}

/// What the target accepted last of the record `r` was that its document is void, and nobody has named another one since.
pub(crate) const IS_VOIDED: &str =
    "(r.target_id IS NOT NULL AND r.done_version LIKE '%-void' AND NOT EXISTS (
    SELECT 1 FROM mapping_change c WHERE c.scheme = r.scheme AND c.src_key = r.src_key AND c.by <> 'engine'
       AND c.after = r.target_id AND c.at_ms >= r.done_ms))";

/// The record `r` is a row of a document that may be at the target. It leaves any other where it is processed again.
const FOLLOWS: &str = "r.bundle IS NOT NULL AND r.bundle <> r.id AND NOT EXISTS (
    SELECT 1 FROM record p WHERE p.id = r.bundle
       AND (p.state = 'held' AND p.err_code = 'E5023'
            OR p.state IN ('pending', 'dead', 'skipped') AND p.target_id IS NULL AND p.maybe_sent = 0
               AND p.done_version IS NULL AND p.suspect IS NULL AND p.step IS NULL))";

/// The last send of another version of the record `r`.
const BEHIND: &str = "SELECT max(o.attempt) FROM attempt_row o
                      WHERE o.record = r.id AND o.version <> r.version AND o.step IS NULL";

impl Reader {
    /// The rows of records, in the order asked; unknown ids are left out.
    pub fn sources(&self, records: &[RecordId]) -> Result<Vec<SourceRow>, StoreError> {
        self.ask(|conn| {
            let mut found = BTreeMap::new();
            for chunk in records.chunks(CHUNK) {
                let sql = format!(
                    "SELECT r.id, r.src_key, r.label, r.version, r.void, b.source, r.state, r.action, r.form, r.tkey,
                            r.target_id, r.target_number, r.changed_ms, r.waits_since_ms, r.maybe_sent, d.lines,
                            r.waited_ms, r.tried_ms, r.step,
                            coalesce((SELECT k.tkey FROM step_document k WHERE k.record = r.id AND k.step = r.step),
                              (SELECT a.tkey FROM attempt_row a WHERE r.step IS NOT NULL AND a.attempt = r.attempt
                                AND a.record = r.id AND a.step = r.step)), s.payload,
                            r.done_version IS NOT NULL AND r.target IS NOT NULL,
                            {IS_VOIDED}, ({BEHIND}), v.body, {FOLLOWS},
                            CASE WHEN r.waiting_after <> 0 THEN b.waiting END
                     FROM record r JOIN body b ON b.record = r.id LEFT JOIN document_lines d ON d.record = r.id
                     LEFT JOIN attempt_row s ON s.attempt = r.as_stored AND s.record = r.id
                     LEFT JOIN saved v ON v.record = r.id
                     WHERE r.id IN ({})",
                    marks(chunk.len())
                );
                let mut statement = conn.prepare(&sql)?;
                let mut rows = statement.query(params_from_iter(chunk.iter().map(|record| record.0)))?;
                while let Some(row) = rows.next()? {
                    let row = source_row(row)?;
                    found.insert(row.record, row);
                }
                let sql = format!(
                    "SELECT record, step, target_id, target_number,
                            EXISTS (SELECT 1 FROM step_document d
                                WHERE d.record = record_step.record AND d.step = record_step.step AND d.said)
                     FROM record_step WHERE step <> '' AND record IN ({}) ORDER BY record, done_ms",
                    marks(chunk.len())
                );
                let mut statement = conn.prepare(&sql)?;
                let mut rows = statement.query(params_from_iter(chunk.iter().map(|record| record.0)))?;
                while let Some(row) = rows.next()? {
                    if let Some(of) = found.get_mut(&RecordId(row.get(0)?)) {
                        of.steps.push(StepMade {
                            step: row.get(1)?,
                            id: row.get(2)?,
                            number: row.get(3)?,
                            said: row.get(4)?,
                        });
                    }
                }
            }
            Ok(records.iter().filter_map(|record| found.get(record).cloned()).collect())
        })
    }

    /// The document of a record that was sent last; where none is kept, what a step of it sent.
    pub fn last_payload(&self, record: RecordId) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT payload FROM attempt_row WHERE record = ?1 AND payload IS NOT NULL
                 ORDER BY step IS NOT NULL, id DESC LIMIT 1",
            )?;
            let mut rows = statement.query([record.0])?;
            rows.next()?.map(|row| bytes(row, 0)).transpose()
        })
    }

    /// The document of a record's last attempt, where it is of the version of today and its fate is open.
    pub fn doubtful_payload(&self, record: RecordId) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT a.payload FROM record r JOIN attempt_row a ON a.attempt = r.attempt AND a.record = r.id
                 WHERE r.id = ?1 AND a.version = r.version AND a.step IS NULL AND a.payload IS NOT NULL
                   AND a.settlement IN ('unknown', 'held')",
            )?;
            let mut rows = statement.query([record.0])?;
            rows.next()?.map(|row| bytes(row, 0)).transpose()
        })
    }

    /// What tells this send from every other.
    pub fn attempt_mark(&self, attempt: AttemptId) -> Result<Option<AttemptMark>, StoreError> {
        self.ask(|conn| {
            let sql =
                "SELECT m.value, a.id, a.sent_ms FROM attempt a, meta m WHERE m.name = ?1 AND a.id = ?2";
            let mut statement = conn.prepare_cached(sql)?;
            let found = statement.query_row((LEDGER_NAME, attempt.0), mark);
            Ok(found.optional()?)
        })
    }

    /// The sends of a record's version of today, or of a step of it, since another one was sent: a version that comes back is another write.
    /// None of a suspect: who sent that is what the ledger does not know.
    pub fn sends_of(&self, record: RecordId, step: Option<&str>) -> Result<Vec<AttemptMark>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(&format!(
                "SELECT m.value, a.id, a.sent_ms
                 FROM record r JOIN attempt_row x ON x.record = r.id AND x.version = r.version AND x.step IS ?4
                 JOIN attempt a ON a.id = x.attempt JOIN meta m ON m.name = ?1
                 WHERE r.id = ?2 AND r.suspect IS NULL AND x.attempt > coalesce(({BEHIND}), 0)
                 ORDER BY a.id DESC LIMIT ?3",
            ))?;
            let rows = statement.query_map((LEDGER_NAME, record.0, SENDS, step), mark)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Looks up rows of a scheme: for each of `keys` (texts in the order of the columns) the newest stored row that is
    /// not dead, and how many there are. One query, whatever the number of keys up to 10,000. The columns must be indexed
    /// ([`crate::Ledger::ensure_index`]): what nobody indexed is an error, never "nothing found".
    pub fn find(
        &self,
        scheme: &str,
        columns: &Columns,
        keys: &[Vec<String>],
    ) -> Result<Vec<Found>, StoreError> {
        let width = columns.names().len();
        if width == 0 || keys.iter().any(|key| key.len() != width) {
            return Err(StoreError::Bug(
                "a look-up needs as many texts as columns, and at least one".to_owned(),
            ));
        }
        self.ask(|conn| {
            let field = columns
                .stored()
                .map(|stored| complete_field(conn, scheme, &stored))
                .transpose()?;
            let mut found = Vec::with_capacity(keys.len());
            for chunk in keys.chunks(KEYS) {
                let start = found.len();
                found.resize_with(start + chunk.len(), Found::default);
                self.count_look_up();
                let query = Query {
                    scheme,
                    columns,
                    field,
                    keys: chunk,
                    per_key: 1,
                };
                query.run(conn, &mut |at, matches, stored| {
                    found[start + at] = if stored.state == RecordState::Dead {
                        Found {
                            dead: Some(stored.record),
                            ..Found::default()
                        }
                    } else {
                        Found {
                            newest: Some(stored),
                            matches,
                            dead: None,
                        }
                    };
                    true
                })?;
            }
            Ok(found)
        })
    }

    /// As [`Reader::find`], but gives up to `per_key` rows of each key that are not dead, newest first within a key, to
    /// `visit`: the place of the key, how many rows there are, the row. It ends early when `visit` says false.
    pub fn find_each(
        &self,
        scheme: &str,
        columns: &Columns,
        keys: &[Vec<String>],
        per_key: u32,
        visit: &mut dyn FnMut(usize, u64, StoredRow) -> bool,
    ) -> Result<(), StoreError> {
        self.ask(|conn| {
            let field = columns
                .stored()
                .map(|stored| complete_field(conn, scheme, &stored))
                .transpose()?;
            let mut goes_on = true;
            for (nth, chunk) in keys.chunks(KEYS).enumerate() {
                if !goes_on {
                    break;
                }
                self.count_look_up();
                let query = Query {
                    scheme,
                    columns,
                    field,
                    keys: chunk,
                    per_key,
                };
                query.run(conn, &mut |at, matches, stored| {
                    goes_on = stored.state == RecordState::Dead || visit(nth * KEYS + at, matches, stored);
                    goes_on
                })?;
            }
            Ok(())
        })
    }

    /// The rows of a scheme that are not dead, newest first, at most `limit`, until `visit` says false. Gives whether
    /// there are more than were visited.
    pub fn newest_each(
        &self,
        scheme: &str,
        limit: u32,
        visit: &mut dyn FnMut(StoredRow) -> bool,
    ) -> Result<bool, StoreError> {
        self.ask(|conn| {
            self.count_look_up();
            let mut statement = conn.prepare_cached(
                "SELECT r.id, r.src_key, r.label, r.state, coalesce(b.waiting, b.source), r.target_id, r.target_number, v.body
                 FROM record r CROSS JOIN body b ON b.record = r.id LEFT JOIN saved v ON v.record = r.id
                 WHERE r.scheme = ?1 AND r.state <> 'dead' AND r.filtered = 0 AND r.bundle IS NOT r.id
                 ORDER BY r.seen_ms DESC, r.id DESC LIMIT ?2",
            )?;
            let mut rows = statement.query((scheme, i64::from(limit) + 1))?;
            let mut visited = 0;
            while let Some(row) = rows.next()? {
                if visited == limit || !visit(stored_row(row, 0)?) {
                    return Ok(true);
                }
                visited += 1;
            }
            Ok(false)
        })
    }

    /// The last document of a group of rows; 0 = there is none.
    pub fn last_part(&self, scheme: &str, group: &str) -> Result<u32, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT coalesce(max(part), 0) FROM bundle WHERE scheme = ?1 AND group_key = ?2",
            )?;
            Ok(statement.query_row((scheme, group), |row| row.get(0))?)
        })
    }

    /// The sets of columns of a scheme that are indexed: every row staged from now on must carry an entry for each.
    pub fn indexed(&self, scheme: &str) -> Result<Vec<Columns>, StoreError> {
        self.ask(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT field FROM indexed_field WHERE scheme = ?1 ORDER BY field")?;
            let mut rows = statement.query([scheme])?;
            let mut indexed = Vec::new();
            while let Some(row) = rows.next()? {
                indexed.push(Columns::parse(
                    row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?,
                ));
            }
            Ok(indexed)
        })
    }
}

fn complete_field(conn: &Connection, scheme: &str, field: &str) -> Result<i64, StoreError> {
    conn.prepare_cached("SELECT id FROM indexed_field WHERE scheme = ?1 AND field = ?2 AND complete")?
        .query_row((scheme, field), |row| row.get(0))
        .optional()?
        .ok_or_else(|| StoreError::Bug(format!("the columns `{field}` of {scheme} are not indexed")))
}

/// One query of a look-up.
struct Query<'q> {
    scheme: &'q str,
    columns: &'q Columns,
    field: Option<i64>,
    keys: &'q [Vec<String>],
    per_key: u32,
}

/// Takes the place of a key, how many rows it has, and one of them; says whether to go on.
type Visit<'v> = dyn FnMut(usize, u64, StoredRow) -> bool + 'v;

impl Query<'_> {
    fn run(&self, conn: &Connection, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        let Query {
            scheme,
            columns,
            field,
            keys,
            per_key,
        } = *self;
        // The keys travel as one text, so that the statement is the same for any number of them.
        let mut selected = vec!["json_extract(value, '$[0]') AS v".to_owned()];
        let mut conditions = String::new();
        for (nth, (_, known)) in columns.known().enumerate() {
            let (text, list) = (2 * nth + 1, 2 * nth + 2);
            selected.push(format!("json_extract(value, '$[{text}]') AS t{text}"));
            conditions += &match known {
                Known::Key => {
                    selected.push(format!("json_extract(value, '$[{list}]') AS t{list}"));
                    format!(" AND r.src_key IN (k.t{text}, k.t{list})")
                }
                Known::Label => format!(" AND r.label = k.t{text}"),
                Known::TargetId => format!(" AND r.target_id = k.t{text}"),
                Known::TargetNumber => format!(" AND r.target_number = k.t{text}"),
            };
        }
        // CROSS JOIN keeps the order: from the keys through the index to the records.
        let from = match field {
            Some(_) => {
                "CROSS JOIN lookup_index l ON l.field = ?2 AND l.value = k.v CROSS JOIN record r ON r.id = l.record"
            }
            None => "CROSS JOIN record r ON r.scheme = ?2",
        };
        let sql = format!(
        "WITH k AS (SELECT key AS i, {selected} FROM json_each(?1)),
         hit AS (
            SELECT k.i AS i, r.id AS id,
                row_number() OVER (PARTITION BY k.i ORDER BY r.state = 'dead', r.seen_ms DESC, r.id DESC) AS place,
                count(*) FILTER (WHERE r.state <> 'dead') OVER (PARTITION BY k.i) AS n
            FROM k {from}{conditions}
            WHERE r.filtered = 0)
         SELECT hit.i, hit.n, r.id, r.src_key, r.label, r.state, coalesce(b.waiting, b.source), r.target_id,
                r.target_number, v.body
         FROM hit CROSS JOIN record r ON r.id = hit.id CROSS JOIN body b ON b.record = hit.id
         LEFT JOIN saved v ON v.record = hit.id
         WHERE hit.place <= ?3 ORDER BY hit.i, hit.place",
        selected = selected.join(", "),
    );
        let place = match field {
            Some(field) => Value::Integer(field),
            None => Value::Text(scheme.to_owned()),
        };
        let mut statement = conn.prepare_cached(&sql)?;
        let mut rows = statement.query((keys_text(columns, keys), place, per_key))?;
        while let Some(row) = rows.next()? {
            let at = usize::try_from(row.get::<_, i64>(0)?).expect("the number of a key of this chunk");
            if !visit(at, row.get::<_, i64>(1)?.unsigned_abs(), stored_row(row, 2)?) {
                break;
            }
        }
        Ok(())
    }
}

fn stored_row(row: &Row<'_>, first: usize) -> Result<StoredRow, StoreError> {
    Ok(StoredRow {
        record: RecordId(row.get(first)?),
        key: row.get(first + 1)?,
        label: row.get(first + 2)?,
        state: state(row, first + 3)?,
        source: bytes(row, first + 4)?,
        target_id: row.get(first + 5)?,
        number: row.get(first + 6)?,
        saved: optional_bytes(row, first + 7)?,
    })
}

/// For each key a list: the entry of the index, then for each column that the ledger knows its text, and the text as a
/// stored key of one part.
fn keys_text(columns: &Columns, keys: &[Vec<String>]) -> String {
    let mut text = String::from("[");
    for (nth, key) in keys.iter().enumerate() {
        text.push_str(if nth == 0 { "[" } else { ",[" });
        push_text(&mut text, &columns.wanted(key));
        for (at, _) in columns.known() {
            text.push(',');
            push_text(&mut text, &key[at]);
            text.push(',');
            push_text(&mut text, &one_key(&key[at]));
        }
        text.push(']');
    }
    text.push(']');
    text
}

fn mark(row: &Row<'_>) -> rusqlite::Result<AttemptMark> {
    Ok(AttemptMark {
        ledger: row.get(0)?,
        attempt: AttemptId(row.get(1)?),
        sent: row.get(2)?,
    })
}

fn source_row(row: &Row<'_>) -> Result<SourceRow, StoreError> {
    let action: Option<String> = row.get(7)?;
    Ok(SourceRow {
        record: RecordId(row.get(0)?),
        key: row.get(1)?,
        label: row.get(2)?,
        version: row.get(3)?,
        void: row.get(4)?,
        source: bytes(row, 5)?,
        state: state(row, 6)?,
        action: action.as_deref().and_then(WriteAction::from_word),
        form: row.get(8)?,
        tkey: row.get(9)?,
        target_id: row.get(10)?,
        number: row.get(11)?,
        since: row.get(12)?,
        waits_since: row.get(13)?,
        maybe_sent: row.get(14)?,
        lines: optional_bytes(row, 15)?,
        waited: row.get(16)?,
        tried: row.get(17)?,
        step: row.get(18)?,
        line: None,
        step_tkey: row.get(19)?,
        as_stored: optional_bytes(row, 20)?,
        written: row.get(21)?,
        voided: row.get::<_, Option<bool>>(22)?.unwrap_or(false),
        behind: row.get::<_, Option<i64>>(23)?.map(AttemptId),
        steps: Vec::new(),
        saved: optional_bytes(row, 24)?,
        in_document: row.get(25)?,
        newer: optional_bytes(row, 26)?,
    })
}

/// `?, ?, ?`
fn marks(n: usize) -> String {
    vec!["?"; n].join(", ")
}

pub(super) fn bytes(row: &Row<'_>, column: usize) -> Result<Vec<u8>, StoreError> {
    Ok(row
        .get_ref(column)?
        .as_bytes()
        .map_err(rusqlite::Error::from)?
        .to_vec())
}

pub(crate) fn optional_bytes(row: &Row<'_>, column: usize) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(row
        .get_ref(column)?
        .as_bytes_or_null()
        .map_err(rusqlite::Error::from)?
        .map(<[u8]>::to_vec))
}

pub(super) fn state(row: &Row<'_>, column: usize) -> Result<RecordState, StoreError> {
    let word: String = row.get(column)?;
    RecordState::from_word(&word).ok_or_else(|| StoreError::Damaged {
        what: format!("state `{word}`"),
    })
}
