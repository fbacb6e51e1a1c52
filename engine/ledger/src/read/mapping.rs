//! Which source record became which document: by source key, by document, with what is wrong and what was before.

use flow::ids::{Ms, RecordId};
use flow::op::RecordState;
use rusqlite::{Connection, Params, Row, params};

use super::Reader;
use super::list::{one_key, push_text};
use crate::error::StoreError;
use crate::service::mapping::{EntryFilter, Flaw, MadeBy, MappingChange, MappingEntry, MappingKey};

/// Which mappings. By source key.
#[derive(Debug, Clone, Default)]
pub struct MappingFilter {
    /// Of this scheme.
    pub scheme: String,
    /// Of the record with this key, as it is stored.
    pub key: Option<String>,
    /// With this id or number at the target.
    pub target_id: Option<String>,
    /// At this connection.
    pub target: Option<String>,
    /// Behind the key of the mapping of the scheme with this number; one of another scheme means the beginning.
    pub after: Option<i64>,
    /// At most so many records.
    pub limit: u32,
}

/// A source record and the documents that it became, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedRow {
    /// Its key.
    pub key: String,
    /// The documents.
    pub documents: Vec<MappingEntry>,
}

/// What a source id, or an id of a document, is on the other side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapped {
    /// The newest: a key as it is stored, or an id.
    pub newest: Option<String>,
    /// How many there are.
    pub matches: u64,
}

/// From which side a mapping is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// From the source record to the document.
    Source,
    /// From the document to the source record.
    Document,
}

/// Keys in one query: a bound on the text they travel in.
const KEYS: usize = 10_000;

const COLUMNS: &str = "m.id, m.scheme, m.src_key, m.target, m.form, m.record, r.state, m.label, m.tkey, m.target_id, \
                       m.target_number, m.target_label, m.master, m.remark, m.made_by, m.created_ms, m.changed_ms";

const JOINED: &str = "data_mapping m LEFT JOIN record r ON r.id = m.record";

const WHERE: &str = "m.scheme = ?1 AND (?2 IS NULL OR m.src_key = ?2) \
                     AND (?3 IS NULL OR m.target_id = ?3 OR m.target_number = ?3) AND (?4 IS NULL OR m.target = ?4)";

impl Reader {
    /// Records with the documents that they became, by source key. Reads no further than the page goes.
    pub fn list_mappings(&self, filter: &MappingFilter) -> Result<Vec<MappedRow>, StoreError> {
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        // In the order of an index. Where a mapping stood that was taken away meanwhile, its history tells.
        let sql = format!(
            "SELECT {COLUMNS} FROM {JOINED}
             WHERE {WHERE} AND m.src_key > coalesce(
                (SELECT src_key FROM data_mapping WHERE id = ?5 AND scheme = ?1),
                (SELECT src_key FROM mapping_change WHERE mapping = ?5 AND scheme = ?1 LIMIT 1), '')
             ORDER BY m.src_key, m.target, m.form"
        );
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query(params![
                filter.scheme,
                filter.key,
                filter.target_id,
                filter.target,
                filter.after
            ])?;
            let mut found: Vec<MappedRow> = Vec::new();
            while let Some(row) = rows.next()? {
                let document = entry(row)?;
                let is_full = found.len() == limit;
                match found.last_mut() {
                    Some(last) if last.key == document.at.key => last.documents.push(document),
                    _ if is_full => break,
                    _ => found.push(MappedRow {
                        key: document.at.key.clone(),
                        documents: vec![document],
                    }),
                }
            }
            Ok(found)
        })
    }

    /// How many records a filter means, counted no further than `most`.
    pub fn count_mappings(&self, filter: &MappingFilter, most: u32) -> Result<u32, StoreError> {
        let sql = format!(
            "SELECT count(*) FROM (SELECT DISTINCT src_key FROM data_mapping m WHERE {WHERE} LIMIT ?5)"
        );
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(&sql)?;
            let counted = statement.query_row(
                params![filter.scheme, filter.key, filter.target_id, filter.target, most],
                |row| row.get(0),
            )?;
            Ok(counted)
        })
    }

    /// Mappings in the order in which they were made.
    pub fn mapping_entries(&self, filter: &EntryFilter) -> Result<Vec<MappingEntry>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM {JOINED}
             WHERE (?1 IS NULL OR m.scheme IN (SELECT value FROM json_each(?1))) AND (?2 IS NULL OR m.src_key = ?2)
               AND (?3 IS NULL OR m.target_id = ?3 OR m.target_number = ?3) AND (?4 IS NULL OR m.form = ?4)
               AND m.id > ?5
             ORDER BY m.id LIMIT ?6"
        );
        let schemes = (!filter.schemes.is_empty()).then(|| list_text(&filter.schemes));
        self.ask(|conn| {
            entries(
                conn,
                &sql,
                params![
                    schemes,
                    filter.key,
                    filter.target_id,
                    filter.form,
                    filter.after,
                    filter.limit
                ],
            )
        })
    }

    /// What is known of source records by their keys, as they are stored: their mappings to one kind of document, and of
    /// those that have none the record.
    pub fn mappings_of_keys(
        &self,
        scheme: &str,
        (target, form): (&str, &str),
        keys: &[String],
    ) -> Result<Vec<MappingEntry>, StoreError> {
        let sql = "SELECT coalesce(m.id, 0), ?2, k.value, ?3, ?4, r.id, r.state, coalesce(m.label, r.label), m.tkey,
                    coalesce(m.target_id, CASE WHEN r.target IS NULL OR r.target = ?3 AND r.form = ?4 THEN r.target_id END),
                    m.target_number, m.target_label, m.master, m.remark, coalesce(m.made_by, 'engine'),
                    coalesce(m.created_ms, r.first_ms), coalesce(m.changed_ms, r.changed_ms)
             FROM json_each(?1) k
             LEFT JOIN data_mapping m ON m.scheme = ?2 AND m.src_key = k.value AND m.target = ?3 AND m.form = ?4
             LEFT JOIN record r ON r.scheme = ?2 AND r.src_key = k.value
             WHERE m.id IS NOT NULL OR r.id IS NOT NULL ORDER BY k.key";
        self.ask(|conn| {
            let mut found = Vec::new();
            for chunk in keys.chunks(KEYS) {
                found.extend(entries(
                    conn,
                    sql,
                    params![list_text(chunk), scheme, target, form],
                )?);
            }
            Ok(found)
        })
    }

    /// Mappings without a record or a document, and records that were written and have no mapping; at most `limit` of
    /// each kind.
    pub fn orphans(&self, scheme: Option<&str>, limit: u32) -> Result<Vec<(Flaw, MappingEntry)>, StoreError> {
        let mapped = |what: &str| {
            format!(
                "SELECT {COLUMNS} FROM {JOINED} WHERE (?1 IS NULL OR m.scheme = ?1) AND {what} ORDER BY m.id LIMIT ?2"
            )
        };
        let unmapped =
            "SELECT 0, r.scheme, r.src_key, r.target, r.form, r.id, r.state, r.label, r.tkey, r.target_id,
                    r.target_number, NULL, NULL, NULL, 'engine', r.first_ms, r.changed_ms
             FROM record r
             WHERE (?1 IS NULL OR r.scheme = ?1) AND r.target IS NOT NULL AND r.done_version IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM data_mapping m WHERE m.scheme = r.scheme AND m.src_key = r.src_key)
             ORDER BY r.id LIMIT ?2"
                .to_owned();
        let kinds = [
            (Flaw::NoRecord, mapped("m.record IS NULL")),
            (
                Flaw::NoDestination,
                // Where no document of this kind ever had one, there is none to be known.
                mapped(
                    "m.record IS NOT NULL AND m.target_id IS NULL AND (r.done_version IS NULL OR EXISTS
                        (SELECT 1 FROM data_mapping o WHERE o.target = m.target AND o.form = m.form
                           AND o.target_id IS NOT NULL))",
                ),
            ),
            (Flaw::NoMapping, unmapped),
        ];
        self.flawed(&kinds, scheme, limit)
    }

    /// Mappings whose document another source record of the same scheme has, too.
    pub fn doubles(&self, scheme: Option<&str>, limit: u32) -> Result<Vec<(Flaw, MappingEntry)>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM {JOINED} WHERE (?1 IS NULL OR m.scheme = ?1) AND m.target_id IS NOT NULL
               AND EXISTS (SELECT 1 FROM data_mapping o WHERE o.target = m.target AND o.form = m.form
                  AND o.target_id = m.target_id AND o.scheme = m.scheme AND o.src_key <> m.src_key)
             ORDER BY m.scheme, m.target, m.form, m.target_id, m.id LIMIT ?2"
        );
        self.flawed(&[(Flaw::Double, sql)], scheme, limit)
    }

    fn flawed(
        &self,
        kinds: &[(Flaw, String)],
        scheme: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(Flaw, MappingEntry)>, StoreError> {
        self.ask(|conn| {
            let mut found = Vec::new();
            for (flaw, sql) in kinds {
                let some = entries(conn, sql, params![scheme, limit])?;
                found.extend(some.into_iter().map(|entry| (*flaw, entry)));
            }
            Ok(found)
        })
    }

    /// The changes of the mappings of a record, the newest `limit` of them, in the order in which they happened.
    pub fn mapping_history(
        &self,
        scheme: &str,
        key: &str,
        limit: u32,
    ) -> Result<Vec<MappingChange>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT id, at_ms, by, who, before, after FROM mapping_change
                 WHERE scheme = ?1 AND src_key = ?2 ORDER BY id DESC LIMIT ?3",
            )?;
            let rows = statement.query_map((scheme, key, limit), |row| {
                Ok(MappingChange {
                    id: row.get(0)?,
                    at: row.get(1)?,
                    by: MadeBy::of(row.get_ref(2)?.as_str()?),
                    who: row.get(3)?,
                    before: row.get(4)?,
                    after: row.get(5)?,
                })
            })?;
            let mut changes: Vec<MappingChange> = rows.collect::<Result<_, _>>()?;
            changes.reverse();
            Ok(changes)
        })
    }

    /// What source ids, or ids of documents, are on the other side of the mappings of a scheme, in the order asked. One
    /// query, whatever the number of texts up to 10,000.
    pub fn mapped(&self, scheme: &str, from: From, texts: &[String]) -> Result<Vec<Mapped>, StoreError> {
        let sql = look_up(from);
        self.ask(|conn| {
            let mut found = Vec::with_capacity(texts.len());
            for chunk in texts.chunks(KEYS) {
                self.count_look_up();
                let start = found.len();
                found.resize_with(start + chunk.len(), Mapped::default);
                let mut asked = String::from("[");
                for (nth, text) in chunk.iter().enumerate() {
                    asked.push_str(if nth == 0 { "[" } else { ",[" });
                    push_text(&mut asked, text);
                    asked.push(',');
                    push_text(&mut asked, &one_key(text));
                    asked.push(']');
                }
                asked.push(']');
                let mut statement = conn.prepare_cached(&sql)?;
                let mut rows = statement.query((asked, scheme))?;
                while let Some(row) = rows.next()? {
                    let at = usize::try_from(row.get::<_, i64>(0)?).expect("the number of a text");
                    let here = &mut found[start + at];
                    if here.newest.is_none() {
                        here.newest = row.get(1)?;
                        here.matches = row.get::<_, i64>(2)?.unsigned_abs();
                    }
                }
            }
            Ok(found)
        })
    }
}

/// The query behind [`Reader::mapped`].
fn look_up(from: From) -> String {
    let (get, condition) = match from {
        From::Source => (
            "m.target_id",
            // The plus keeps the index over documents out of it.
            "m.src_key IN (k.text, k.one) AND +m.target_id IS NOT NULL",
        ),
        From::Document => ("m.src_key", "m.target_id = k.text"),
    };
    // CROSS JOIN keeps the order: from the texts through an index to the mappings.
    format!(
        "WITH k AS (SELECT key AS i, json_extract(value, '$[0]') AS text, json_extract(value, '$[1]') AS one
                    FROM json_each(?1))
         SELECT k.i, {get}, count(*) OVER (PARTITION BY k.i),
                row_number() OVER (PARTITION BY k.i ORDER BY m.changed_ms DESC, m.id DESC) AS place
         FROM k CROSS JOIN data_mapping m
         WHERE m.scheme = ?2 AND {condition} ORDER BY k.i, place"
    )
}

fn entries(conn: &Connection, sql: &str, params: impl Params) -> Result<Vec<MappingEntry>, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(entry(row)?);
    }
    Ok(found)
}

fn entry(row: &Row<'_>) -> Result<MappingEntry, StoreError> {
    let state: Option<String> = row.get(6)?;
    let created: Ms = row.get(15)?;
    Ok(MappingEntry {
        id: row.get(0)?,
        at: MappingKey {
            scheme: row.get(1)?,
            key: row.get(2)?,
            target: row.get(3)?,
            form: row.get(4)?,
        },
        record: row.get::<_, Option<i64>>(5)?.map(RecordId),
        state: state.as_deref().and_then(RecordState::from_word),
        label: row.get(7)?,
        tkey: row.get(8)?,
        target_id: row.get(9)?,
        number: row.get(10)?,
        dest_name: row.get(11)?,
        master: row.get(12)?,
        remark: row.get(13)?,
        by: MadeBy::of(row.get_ref(14)?.as_str().map_err(rusqlite::Error::from)?),
        created,
        changed: row.get(16)?,
    })
}

/// Texts as a JSON list.
pub(crate) fn list_text(texts: &[String]) -> String {
    let mut list = String::from("[");
    for (nth, text) in texts.iter().enumerate() {
        if nth > 0 {
            list.push(',');
        }
        push_text(&mut list, text);
    }
    list.push(']');
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ledger;

    /// A page of values costs a step into an index for each value, whatever the number of mappings.
    #[test]
    fn a_look_up_reads_no_more_than_it_finds() {
        let ledger = Ledger::in_memory().unwrap();
        for (from, index) in [(From::Source, "src_key=?"), (From::Document, "target_id=?")] {
            let conn = ledger.lock();
            let mut plan = conn
                .prepare(&format!("EXPLAIN QUERY PLAN {}", look_up(from)))
                .unwrap();
            let steps = plan
                .query_map(("[]", "s"), |row| row.get::<_, String>(3))
                .unwrap();
            let steps: Vec<String> = steps.collect::<Result<_, _>>().unwrap();
            let step = steps.iter().find(|step| step.contains("SEARCH m")).unwrap();
            assert!(step.contains(index), "{steps:?}");
        }
    }

    #[test]
    fn pages_keep_the_documents_of_a_record_together() {
        let ledger = Ledger::in_memory().unwrap();
        {
            let conn = ledger.lock();
            for (id, key) in [(7, "c"), (8, "a"), (9, "b")] {
                conn.execute(
                    "INSERT INTO record (id, scheme, src_key, label, state, version, void, first_ms, seen_ms, changed_ms)
                     VALUES (?1, 's', ?2, 'l', 'done', '', 0, 0, 0, 0)",
                    params![id, key],
                )
                .unwrap();
                for form in ["order", "receipt"] {
                    conn.execute(
                        "INSERT INTO data_mapping (scheme, src_key, target, form, record, label, target_id, made_by,
                                                   created_ms, changed_ms)
                         VALUES ('s', ?2, 'k3', ?3, ?1, 'l', ?4, 'engine', 5, 5)",
                        params![id, key, form, format!("{key}-{form}")],
                    )
                    .unwrap();
                }
            }
        }
        let reader = ledger.reader();
        let mut filter = MappingFilter {
            scheme: "s".to_owned(),
            limit: 1,
            ..MappingFilter::default()
        };
        let mut seen = Vec::new();
        // Three pages and an empty one.
        for _ in 0..4 {
            let page = reader.list_mappings(&filter).unwrap();
            for row in &page {
                assert_eq!(row.documents.len(), 2);
                seen.push(row.key.clone());
                filter.after = Some(row.documents[0].id);
            }
        }
        assert_eq!(seen, ["a", "b", "c"]);
        assert_eq!(reader.count_mappings(&filter, 10).unwrap(), 3);
        assert_eq!(reader.count_mappings(&filter, 2).unwrap(), 2);
        // Whoever names a mapping of another scheme learns nothing of its key.
        ledger
            .lock()
            .execute(
                "INSERT INTO data_mapping (id, scheme, src_key, target, form, label, made_by, created_ms, changed_ms)
                 VALUES (99, 'other', 'b', 'k3', '', 'l', 'api', 0, 0)",
                [],
            )
            .unwrap();
        filter.after = Some(99);
        assert_eq!(reader.list_mappings(&filter).unwrap()[0].key, "a");
        filter.after = None;
        filter.limit = 9;
        filter.target_id = Some("b-receipt".to_owned());
        let found = reader.list_mappings(&filter).unwrap();
        assert_eq!((found.len(), found[0].key.as_str()), (1, "b"));
        assert_eq!(found[0].documents.len(), 1);
        filter.target = Some("other".to_owned());
        assert!(reader.list_mappings(&filter).unwrap().is_empty());
    }
}
