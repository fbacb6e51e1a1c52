//! Rows for the transform, and look-ups by field.

use std::collections::BTreeMap;

use flow::ids::{Ms, RecordId};
use flow::op::{RecordState, WriteAction};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use super::Reader;
use crate::error::StoreError;

/// Keys or ids in one query.
const CHUNK: usize = 500;

/// Hits kept per key: one is the answer, two say that it is not the only one.
const HITS: i64 = 2;

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
}

impl Reader {
    /// The rows of records, in the order asked; unknown ids are left out.
    pub fn sources(&self, records: &[RecordId]) -> Result<Vec<SourceRow>, StoreError> {
        self.ask(|conn| {
            let mut found = BTreeMap::new();
            for chunk in records.chunks(CHUNK) {
                let sql = format!(
                    "SELECT r.id, r.src_key, r.label, r.version, r.void, b.source, r.state, r.action, r.form, r.tkey,
                            r.target_id, r.target_number, r.changed_ms
                     FROM record r JOIN body b ON b.record = r.id WHERE r.id IN ({})",
                    marks(chunk.len())
                );
                let mut statement = conn.prepare(&sql)?;
                let mut rows = statement.query(params_from_iter(chunk.iter().map(|record| record.0)))?;
                while let Some(row) = rows.next()? {
                    let row = source_row(row)?;
                    found.insert(row.record, row);
                }
            }
            Ok(records.iter().filter_map(|record| found.get(record).cloned()).collect())
        })
    }

    /// The payload of the last attempt of a record.
    pub fn last_payload(&self, record: RecordId) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT payload FROM attempt_row WHERE record = ?1 AND payload IS NOT NULL ORDER BY id DESC LIMIT 1",
            )?;
            let mut rows = statement.query([record.0])?;
            rows.next()?.map(|row| bytes(row, 0)).transpose()
        })
    }

    /// Looks up rows of a scheme: for each of `keys` (texts in the order of the fields `by`) the newest rows that are
    /// not dead, at most two. One query per 500 keys. Every field must be indexed ([`crate::Ledger::ensure_index`]).
    pub fn find(
        &self,
        scheme: &str,
        by: &[String],
        keys: &[Vec<String>],
    ) -> Result<Vec<Vec<StoredRow>>, StoreError> {
        if by.is_empty() || keys.iter().any(|key| key.len() != by.len()) {
            return Err(StoreError::Bug(
                "a look-up needs as many texts as fields, and at least one".to_owned(),
            ));
        }
        self.ask(|conn| {
            let fields = by
                .iter()
                .map(|field| complete_field(conn, scheme, field))
                .collect::<Result<Vec<_>, _>>()?;
            let mut hits = Vec::with_capacity(keys.len());
            for chunk in keys.chunks(CHUNK) {
                let start = hits.len();
                hits.resize_with(start + chunk.len(), Vec::new);
                find_chunk(conn, &fields, chunk, &mut hits[start..])?;
            }
            Ok(hits)
        })
    }

    /// The fields of a scheme that are indexed: every row staged from now on must carry them.
    pub fn indexed_fields(&self, scheme: &str) -> Result<Vec<String>, StoreError> {
        self.ask(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT field FROM indexed_field WHERE scheme = ?1 ORDER BY field")?;
            let fields = statement
                .query_map([scheme], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            Ok(fields)
        })
    }
}

fn complete_field(conn: &Connection, scheme: &str, field: &str) -> Result<i64, StoreError> {
    conn.prepare_cached("SELECT id FROM indexed_field WHERE scheme = ?1 AND field = ?2 AND complete")?
        .query_row((scheme, field), |row| row.get(0))
        .optional()?
        .ok_or_else(|| StoreError::Bug(format!("the field `{field}` of {scheme} is not indexed")))
}

fn find_chunk(
    conn: &Connection,
    fields: &[i64],
    keys: &[Vec<String>],
    hits: &mut [Vec<StoredRow>],
) -> Result<(), StoreError> {
    let columns: Vec<String> = (0..fields.len()).map(|i| format!("v{i}")).collect();
    let values = vec![format!("(?, {})", marks(fields.len())); keys.len()].join(", ");
    // CROSS JOIN keeps the order: from the keys through the index to the records.
    let mut joins = String::new();
    for i in 0..fields.len() {
        let same = if i == 0 {
            ""
        } else {
            " AND l0.record = l{i}.record"
        }
        .replace("{i}", &i.to_string());
        joins += &format!(" CROSS JOIN lookup_index l{i} ON l{i}.field = ? AND l{i}.value = k.v{i}{same}");
    }
    let sql = format!(
        "WITH k (i, {columns}) AS (VALUES {values}),
         hit AS (
            SELECT k.i, r.id, row_number() OVER (PARTITION BY k.i ORDER BY r.seen_ms DESC, r.id DESC) AS place
            FROM k{joins} CROSS JOIN record r ON r.id = l0.record
            WHERE r.state <> 'dead')
         SELECT hit.i, r.id, r.src_key, r.label, r.state, coalesce(b.waiting, b.source), r.target_id, r.target_number
         FROM hit CROSS JOIN record r ON r.id = hit.id CROSS JOIN body b ON b.record = hit.id
         WHERE hit.place <= {HITS} ORDER BY hit.i, hit.place",
        columns = columns.join(", "),
    );
    let mut params: Vec<Value> = Vec::with_capacity(keys.len() * (fields.len() + 1) + fields.len());
    for (i, key) in keys.iter().enumerate() {
        params.push(Value::Integer(i64::try_from(i).expect("a chunk is short")));
        params.extend(key.iter().map(|text| Value::Text(text.clone())));
    }
    params.extend(fields.iter().map(|field| Value::Integer(*field)));
    let mut statement = conn.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(params))?;
    while let Some(row) = rows.next()? {
        let place = usize::try_from(row.get::<_, i64>(0)?).expect("the number of a key of this chunk");
        hits[place].push(StoredRow {
            record: RecordId(row.get(1)?),
            key: row.get(2)?,
            label: row.get(3)?,
            state: state(row, 4)?,
            source: bytes(row, 5)?,
            target_id: row.get(6)?,
            number: row.get(7)?,
        });
    }
    Ok(())
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

pub(super) fn state(row: &Row<'_>, column: usize) -> Result<RecordState, StoreError> {
    let word: String = row.get(column)?;
    RecordState::from_word(&word).ok_or_else(|| StoreError::Damaged {
        what: format!("state `{word}`"),
    })
}
