//! Which source record became which document, by source key.

use flow::ids::RecordId;
use rusqlite::params;

use super::Reader;
use super::story::MappingRow;
use crate::error::StoreError;

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
    /// Behind the key of the record of the scheme with this number; one of another scheme means the beginning.
    pub after: Option<i64>,
    /// At most so many records.
    pub limit: u32,
}

/// A record and the documents that it became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedRow {
    /// The record.
    pub record: RecordId,
    /// Its scheme.
    pub scheme: String,
    /// Its key.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// The documents.
    pub documents: Vec<MappingRow>,
}

const WHERE: &str = "scheme = ?1 AND (?2 IS NULL OR src_key = ?2) \
                     AND (?3 IS NULL OR target_id = ?3 OR target_number = ?3) AND (?4 IS NULL OR target = ?4)";

impl Reader {
    /// Records with the documents that they became, by source key. Reads no further than the page goes.
    pub fn list_mappings(&self, filter: &MappingFilter) -> Result<Vec<MappedRow>, StoreError> {
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        // In the order of the table.
        let sql = format!(
            "SELECT record, src_key, label, target, form, tkey, target_id, target_number, changed_ms
             FROM data_mapping
             WHERE {WHERE} AND src_key > ifnull((SELECT src_key FROM record WHERE id = ?5 AND scheme = ?1), '')
             ORDER BY src_key, target, form"
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
                let key: String = row.get(1)?;
                let document = MappingRow {
                    target: row.get(3)?,
                    form: row.get(4)?,
                    tkey: row.get(5)?,
                    target_id: row.get(6)?,
                    number: row.get(7)?,
                    changed: row.get(8)?,
                };
                let is_full = found.len() == limit;
                match found.last_mut() {
                    Some(last) if last.key == key => last.documents.push(document),
                    _ if is_full => break,
                    _ => found.push(MappedRow {
                        record: RecordId(row.get(0)?),
                        scheme: filter.scheme.clone(),
                        key,
                        label: row.get(2)?,
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
            "SELECT count(*) FROM (SELECT DISTINCT src_key FROM data_mapping WHERE {WHERE} LIMIT ?5)"
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ledger;

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
                        "INSERT INTO data_mapping (scheme, src_key, target, form, record, label, target_id, changed_ms)
                         VALUES ('s', ?2, 'k3', ?3, ?1, 'l', ?4, 5)",
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
                filter.after = Some(row.record.0);
            }
        }
        assert_eq!(seen, ["a", "b", "c"]);
        assert_eq!(reader.count_mappings(&filter, 10).unwrap(), 3);
        assert_eq!(reader.count_mappings(&filter, 2).unwrap(), 2);
        // Whoever names a record of another scheme learns nothing of its key.
        ledger
            .lock()
            .execute(
                "INSERT INTO record (id, scheme, src_key, label, state, version, void, first_ms, seen_ms, changed_ms)
                 VALUES (10, 'other', 'b', 'l', 'done', '', 0, 0, 0, 0)",
                [],
            )
            .unwrap();
        filter.after = Some(10);
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
