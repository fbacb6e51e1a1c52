//! What the values of fields are called on the other side: employees, departments, units, currencies, option values.

use flow::ids::Ms;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::mapping::{MadeBy, Manner};
use crate::apply::cut;
use crate::error::StoreError;
use crate::{Ledger, Reader};

/// Entries of a ledger. A company has thousands of employees and option values; more than this is a mistake of whoever
/// fills the table, and it would slow down every copy of the ledger.
pub const MOST_ENTRIES: i64 = 1_000_000;

/// Texts in one query: a bound on the text they travel in.
const TEXTS: usize = 10_000;

/// Which table of values: a kind of value, in one channel of one data centre.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldPlace {
    /// The data centre; empty where there is only one.
    pub data_center: String,
    /// The channel.
    pub channel: String,
    /// What the values are: `employee`, `department`, `unit`.
    pub data_type: String,
}

/// A value on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPair {
    /// Its id on the platform's side.
    pub fs_id: String,
    /// Its id on the ERP's side.
    pub erp_id: String,
    /// What it is called on the platform's side.
    pub fs_name: String,
    /// What it is called on the ERP's side.
    pub erp_name: String,
}

/// An entry to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetField {
    /// The table.
    pub place: FieldPlace,
    /// The value.
    pub pair: FieldPair,
    /// What may be there already.
    pub manner: Manner,
    /// Who.
    pub by: MadeBy,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldRuling {
    /// There was none.
    Made,
    /// There was another one.
    Changed,
    /// It was there already.
    Same,
    /// The id on the platform's side has another one on the other.
    Taken {
        /// That one.
        erp_id: String,
    },
    /// The id on the ERP's side belongs to another value.
    Double {
        /// The id of that value on the platform's side.
        fs_id: String,
    },
    /// There is none.
    Missing,
    /// There are as many as there may be.
    Full,
}

impl FieldRuling {
    /// Whether it is now as it was asked for.
    pub fn is_done(&self) -> bool {
        matches!(self, FieldRuling::Made | FieldRuling::Changed | FieldRuling::Same)
    }
}

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRow {
    /// Its number.
    pub id: i64,
    /// The table.
    pub place: FieldPlace,
    /// The value.
    pub pair: FieldPair,
    /// Who made it.
    pub by: MadeBy,
    /// When it was made.
    pub created: Ms,
    /// When it was last written.
    pub changed: Ms,
}

/// Which entries, in the order in which they were made.
#[derive(Debug, Clone, Default)]
pub struct FieldFilter {
    /// Of this data centre.
    pub data_center: Option<String>,
    /// Of this channel.
    pub channel: Option<String>,
    /// Of this kind.
    pub data_type: Option<String>,
    /// With this id on either side.
    pub id: Option<String>,
    /// Behind the entry with this number.
    pub after: i64,
    /// At most.
    pub limit: u32,
}

/// A side of a field mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldSide {
    /// The id on the platform's side.
    FsId,
    /// The id on the ERP's side.
    ErpId,
    /// The name on the platform's side.
    FsName,
    /// The name on the ERP's side.
    ErpName,
}

impl FieldSide {
    /// All of them.
    pub const ALL: [FieldSide; 4] = [
        FieldSide::FsId,
        FieldSide::ErpId,
        FieldSide::FsName,
        FieldSide::ErpName,
    ];

    /// The word that authors write, and the column.
    pub fn word(self) -> &'static str {
        match self {
            FieldSide::FsId => "fs_id",
            FieldSide::ErpId => "erp_id",
            FieldSide::FsName => "fs_name",
            FieldSide::ErpName => "erp_name",
        }
    }
}

const COLUMNS: &str = "id, data_center, channel, data_type, fs_id, erp_id, fs_name, erp_name, made_by, \
                       created_ms, changed_ms";

const AT: &str = "data_type = ?1 AND channel = ?2 AND data_center = ?3";

impl Ledger {
    /// Sets entries, in order, as one transaction. Each is judged by itself.
    pub fn set_fields(&mut self, wanted: &[SetField], now: Ms) -> Result<Vec<FieldRuling>, StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        let rulings = set_all(&tx, wanted, now)?;
        tx.commit()?;
        Ok(rulings)
    }

    /// Says what setting them would come to, and leaves everything as it is.
    pub fn try_fields(&mut self, wanted: &[SetField], now: Ms) -> Result<Vec<FieldRuling>, StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        // Dropped without a commit.
        set_all(&tx, wanted, now)
    }

    /// Takes an entry away; says whether there was one.
    pub fn remove_field(&mut self, place: &FieldPlace, fs_id: &str) -> Result<bool, StoreError> {
        let gone = self
            .lock()
            .prepare_cached(&format!("DELETE FROM field_mapping WHERE {AT} AND fs_id = ?4"))?
            .execute((&place.data_type, &place.channel, &place.data_center, fs_id))?;
        Ok(gone > 0)
    }
}

fn set_all(conn: &Connection, wanted: &[SetField], now: Ms) -> Result<Vec<FieldRuling>, StoreError> {
    let mut count: i64 = conn.query_row("SELECT count(*) FROM field_mapping", [], |row| row.get(0))?;
    let mut rulings = Vec::with_capacity(wanted.len());
    for set in wanted {
        let ruling = match count >= MOST_ENTRIES {
            true => full(conn, set, now)?,
            false => set_one(conn, set, now)?,
        };
        count += i64::from(ruling == FieldRuling::Made);
        rulings.push(ruling);
    }
    Ok(rulings)
}

/// There is no room for one more; those that are there may change.
fn full(conn: &Connection, set: &SetField, now: Ms) -> Result<FieldRuling, StoreError> {
    match held(conn, &set.place, "fs_id", &set.pair.fs_id)? {
        Some(_) => set_one(conn, set, now),
        None => Ok(FieldRuling::Full),
    }
}

fn set_one(conn: &Connection, set: &SetField, now: Ms) -> Result<FieldRuling, StoreError> {
    let SetField { place, pair, .. } = set;
    let known = held(conn, place, "fs_id", &pair.fs_id)?;
    let other = held(conn, place, "erp_id", &pair.erp_id)?;
    match (&known, set.manner) {
        (Some(row), _) if row.pair == *pair => return Ok(FieldRuling::Same),
        // Names may be given later.
        (Some(row), Manner::Create) if row.pair.erp_id != pair.erp_id => {
            return Ok(FieldRuling::Taken {
                erp_id: row.pair.erp_id.clone(),
            });
        }
        (None, Manner::Update) => return Ok(FieldRuling::Missing),
        _ => {}
    }
    if let Some(other) = other.filter(|other| other.pair.fs_id != pair.fs_id) {
        return Ok(FieldRuling::Double {
            fs_id: other.pair.fs_id,
        });
    }
    conn.prepare_cached(
        "INSERT INTO field_mapping (data_type, channel, data_center, fs_id, erp_id, fs_name, erp_name, made_by,
                                    created_ms, changed_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)
         ON CONFLICT (data_type, channel, data_center, fs_id) DO UPDATE SET erp_id = excluded.erp_id,
            fs_name = CASE excluded.fs_name WHEN '' THEN fs_name ELSE excluded.fs_name END,
            erp_name = CASE excluded.erp_name WHEN '' THEN erp_name ELSE excluded.erp_name END,
            changed_ms = excluded.changed_ms",
    )?
    .execute(params![
        place.data_type,
        place.channel,
        place.data_center,
        pair.fs_id,
        pair.erp_id,
        cut(&pair.fs_name),
        cut(&pair.erp_name),
        set.by.word(),
        now
    ])?;
    Ok(match known {
        None => FieldRuling::Made,
        Some(_) => FieldRuling::Changed,
    })
}

fn held(
    conn: &Connection,
    place: &FieldPlace,
    column: &str,
    text: &str,
) -> Result<Option<FieldRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM field_mapping WHERE {AT} AND {column} = ?4");
    let mut statement = conn.prepare_cached(&sql)?;
    let given = (&place.data_type, &place.channel, &place.data_center, text);
    Ok(statement.query_row(given, field).optional()?)
}

impl Reader {
    /// Entries in the order in which they were made.
    pub fn field_mappings(&self, filter: &FieldFilter) -> Result<Vec<FieldRow>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM field_mapping
                 WHERE (?1 IS NULL OR data_type = ?1) AND (?2 IS NULL OR channel = ?2)
                   AND (?3 IS NULL OR data_center = ?3) AND (?4 IS NULL OR fs_id = ?4 OR erp_id = ?4) AND id > ?5
                 ORDER BY id LIMIT ?6"
            ))?;
            let rows = statement.query_map(
                params![
                    filter.data_type,
                    filter.channel,
                    filter.data_center,
                    filter.id,
                    filter.after,
                    filter.limit
                ],
                field,
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The channels and data centres that have entries of a kind, at most `limit`.
    pub fn field_places(
        &self,
        data_type: &str,
        channel: Option<&str>,
        data_center: Option<&str>,
        limit: u32,
    ) -> Result<Vec<FieldPlace>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT DISTINCT data_center, channel FROM field_mapping
                 WHERE data_type = ?1 AND (?2 IS NULL OR channel = ?2) AND (?3 IS NULL OR data_center = ?3)
                 ORDER BY channel, data_center LIMIT ?4",
            )?;
            let rows = statement.query_map((data_type, channel, data_center, limit), |row| {
                Ok(FieldPlace {
                    data_center: row.get(0)?,
                    channel: row.get(1)?,
                    data_type: data_type.to_owned(),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// What texts of one side are on the other, in the order asked, with how many entries have them: names may be there
    /// several times. One query, whatever the number of texts up to 10,000.
    pub fn field_values(
        &self,
        place: &FieldPlace,
        (from, to): (FieldSide, FieldSide),
        texts: &[String],
    ) -> Result<Vec<(Option<String>, u64)>, StoreError> {
        let sql = format!(
            "SELECT k.key, f.{}, count(*) OVER (PARTITION BY k.key),
                    row_number() OVER (PARTITION BY k.key ORDER BY f.changed_ms DESC, f.id DESC) AS place
             FROM json_each(?4) k CROSS JOIN field_mapping f
             WHERE f.data_type = ?1 AND f.channel = ?2 AND f.data_center = ?3 AND f.{} = k.value ORDER BY k.key, place",
            to.word(),
            from.word(),
        );
        self.ask(|conn| {
            let mut found = Vec::with_capacity(texts.len());
            for chunk in texts.chunks(TEXTS) {
                self.count_look_up();
                let start = found.len();
                found.resize(start + chunk.len(), (None, 0));
                let asked = crate::read::list_text(chunk);
                let mut statement = conn.prepare_cached(&sql)?;
                let given = (&place.data_type, &place.channel, &place.data_center, asked);
                let mut rows = statement.query(given)?;
                while let Some(row) = rows.next()? {
                    let at = usize::try_from(row.get::<_, i64>(0)?).expect("the number of a text");
                    let (value, matches) = &mut found[start + at];
                    if value.is_none() {
                        *value = row.get(1)?;
                        *matches = row.get::<_, i64>(2)?.unsigned_abs();
                    }
                }
            }
            Ok(found)
        })
    }
}

fn field(row: &Row<'_>) -> rusqlite::Result<FieldRow> {
    Ok(FieldRow {
        id: row.get(0)?,
        place: FieldPlace {
            data_center: row.get(1)?,
            channel: row.get(2)?,
            data_type: row.get(3)?,
        },
        pair: FieldPair {
            fs_id: row.get(4)?,
            erp_id: row.get(5)?,
            fs_name: row.get(6)?,
            erp_name: row.get(7)?,
        },
        by: MadeBy::of(row.get_ref(8)?.as_str()?),
        created: row.get(9)?,
        changed: row.get(10)?,
    })
}
