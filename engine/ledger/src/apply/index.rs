//! The index for look-ups: (columns, values) -> record, for the sets of columns that some scheme looks up.

use flow::ids::RecordId;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::Cx;
use crate::columns::Known;
use crate::error::StoreError;
use crate::{Columns, Ledger};

/// Records indexed in one transaction while a field is added, so that the writer is never away for long.
const BATCH: i64 = 500;

impl Cx<'_> {
    /// Makes the entries of a record those of its newest row.
    pub(super) fn index_row(
        &self,
        scheme: &str,
        record: RecordId,
        fields: &[(String, String)],
        known: bool,
    ) -> Result<(), StoreError> {
        if known {
            self.conn
                .prepare_cached("DELETE FROM lookup_index WHERE record = ?1")?
                .execute([record.0])?;
        }
        for (field, value) in fields {
            let id = field_id(self.conn, scheme, field)?;
            insert(self.conn, id, value, record.0)?;
        }
        Ok(())
    }
}

impl Ledger {
    /// Makes a set of columns of a scheme's rows fit for look-ups, the first time one needs it: indexes the stored rows
    /// once, in bounded batches, and goes on where it was interrupted. An empty set is a look-up over all rows, newest
    /// first. From then on every staged row must carry an entry
    /// for each of [`crate::Reader::indexed`]. What the ledger itself knows of a record needs no entries.
    ///
    /// `extract` gives the texts of [`Columns::own`] in a row; `None` where the row lacks one. Gives how many rows were
    /// read.
    pub fn ensure_index(
        &mut self,
        scheme: &str,
        columns: &Columns,
        extract: &dyn Fn(&[u8]) -> Option<Vec<String>>,
    ) -> Result<u64, StoreError> {
        let conn = self.lock();
        for (_, known) in columns.known() {
            // Made only where a look-up needs it: every write would pay for it.
            let sql = match known {
                Known::Key => continue,
                Known::Label => "CREATE INDEX IF NOT EXISTS record_label ON record (scheme, label)",
                Known::TargetId => {
                    "CREATE INDEX IF NOT EXISTS record_target_id ON record (scheme, target_id)
                     WHERE target_id IS NOT NULL"
                }
                Known::TargetNumber => {
                    "CREATE INDEX IF NOT EXISTS record_target_number ON record (scheme, target_number)
                     WHERE target_number IS NOT NULL"
                }
            };
            conn.execute_batch(sql)?;
        }
        if columns.names().is_empty() {
            conn.execute_batch("CREATE INDEX IF NOT EXISTS record_newest ON record (scheme, seen_ms, id)")?;
        }
        let Some(field) = columns.stored() else {
            return Ok(0);
        };
        let mut read = 0;
        loop {
            let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
            let (batch, complete) = index_batch(&tx, scheme, &field, extract)?;
            tx.commit()?;
            read += batch;
            if complete {
                return Ok(read);
            }
        }
    }
}

fn index_batch(
    conn: &Connection,
    scheme: &str,
    field: &str,
    extract: &dyn Fn(&[u8]) -> Option<Vec<String>>,
) -> Result<(u64, bool), StoreError> {
    let id = field_id(conn, scheme, field)?;
    let (upto, complete): (i64, bool) = conn
        .prepare_cached("SELECT upto, complete FROM indexed_field WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if complete {
        return Ok((0, true));
    }
    let mut statement = conn.prepare_cached(
        // `+` keeps the planner on the order of the ids.
        "SELECT r.id, coalesce(b.waiting, b.source) FROM record r JOIN body b ON b.record = r.id
         WHERE r.id > ?1 AND +r.scheme = ?2 AND r.bundle IS NOT r.id ORDER BY r.id LIMIT ?3",
    )?;
    let mut rows = statement.query((upto, scheme, BATCH))?;
    let (mut read, mut last) = (0, upto);
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        let source = row.get_ref(1)?.as_bytes().map_err(rusqlite::Error::from)?;
        if let Some(texts) = extract(source) {
            insert(conn, id, &Columns::entry(&texts), last)?;
        }
        read += 1;
    }
    let complete = read < BATCH.unsigned_abs();
    conn.prepare_cached("UPDATE indexed_field SET upto = ?2, complete = ?3 WHERE id = ?1")?
        .execute((id, last, complete))?;
    Ok((read, complete))
}

fn insert(conn: &Connection, field: i64, value: &str, record: i64) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR IGNORE INTO lookup_index (field, value, record) VALUES (?1, ?2, ?3)")?
        .execute((field, value, record))?;
    Ok(())
}

/// The number of a field, given on first use.
fn field_id(conn: &Connection, scheme: &str, field: &str) -> Result<i64, StoreError> {
    let known = conn
        .prepare_cached("SELECT id FROM indexed_field WHERE scheme = ?1 AND field = ?2")?
        .query_row((scheme, field), |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    conn.prepare_cached("INSERT INTO indexed_field (scheme, field, upto, complete) VALUES (?1, ?2, 0, 0)")?
        .execute((scheme, field))?;
    Ok(conn.last_insert_rowid())
}
