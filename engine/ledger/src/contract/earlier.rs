//! A ledger as the version before this one left it.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction};

use super::SCHEME;
use crate::error::StoreError;
use crate::{open, schema};

/// Writes the ledger of a data directory in the structure of the version before, with so many settled records.
pub fn earlier_version(dir: &Path, env: &str, records: u64) -> Result<(), StoreError> {
    open::create_private_dir(dir)?;
    let path = dir.join(open::LEDGER_FILE);
    open::create_private_file(&path)?;
    let mut conn = Connection::open(&path)?;
    conn.execute_batch(
        "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;",
    )?;
    let (_, before) = schema::MIGRATIONS
        .split_last()
        .ok_or_else(|| StoreError::Bug("no migrations".to_owned()))?;
    schema::migrate(&mut conn, before, |_, _| Ok(()))?;
    let tx = conn.transaction()?;
    tx.execute("INSERT INTO meta (name, value) VALUES ('environment', ?1)", [env])?;
    tx.execute(
        "INSERT INTO scheme (id, revision, enabled_ms) VALUES (?1, 'r', 1)",
        [SCHEME],
    )?;
    settled(&tx, SCHEME, records)?;
    tx.commit()?;
    Ok(())
}

/// Puts so many settled records into a ledger that nobody has open, as if the scheme had written them long ago.
pub fn fill(dir: &Path, scheme: &str, records: u64) -> Result<(), StoreError> {
    let mut conn = Connection::open(dir.join(open::LEDGER_FILE))?;
    conn.execute_batch("PRAGMA synchronous = OFF")?;
    let tx = conn.transaction()?;
    settled(&tx, scheme, records)?;
    tx.commit()?;
    // Or the next one who opens it would have to.
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

fn settled(tx: &Transaction<'_>, scheme: &str, records: u64) -> Result<(), StoreError> {
    let first: i64 = tx.query_row("SELECT ifnull(max(id), 0) FROM record", [], |row| row.get(0))?;
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)";
    let records = i64::try_from(records).map_err(|e| StoreError::Bug(e.to_string()))?;
    tx.execute(
        &format!(
            "{rows} INSERT INTO record (id, scheme, src_key, label, state, version, void, done_version, done_ms, target, form,
                                        tkey, target_id, first_ms, seen_ms, changed_ms)
             SELECT ?2 + i, ?3, printf('[\"%09d\"]', i), 'label ' || i, 'done', 'v' || (i % 7), 0, 'v' || (i % 7), i, 'k3',
                    'BD_Customer', printf('[\"%09d\"]', i), 'id' || i, i, i, i FROM n"
        ),
        (records, first, scheme),
    )?;
    tx.execute(
        &format!(
            "{rows} INSERT INTO body (record, source) SELECT ?2 + i, printf('{{\"n\":%d,\"text\":\"%0200d\"}}', i, i) FROM n"
        ),
        (records, first),
    )?;
    tx.execute(
        "INSERT INTO scheme_state (scheme, state, n) VALUES (?1, 'done', ?2)
         ON CONFLICT (scheme, state) DO UPDATE SET n = n + excluded.n",
        (scheme, records),
    )?;
    Ok(())
}

/// Version, number of records, and a sum over what every version has of them: equal for equal records.
pub fn checksum(dir: &Path) -> Result<(i64, i64, i64), StoreError> {
    let (conn, _) = open::open_for_reading(&dir.join(open::LEDGER_FILE))?;
    let version = schema::version(&conn)?;
    let sum = conn
        .query_row(
            "SELECT count(*), total(length(src_key) * 31 + r.id * 7 + done_ms + length(version || label || target_id || tkey)
                                    + length(source) + unicode(substr(source, 6)))
             FROM record r JOIN body b ON b.record = r.id",
            [],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, f64>(1)?)),
        )
        .optional()?
        .unwrap_or_default();
    // Sums of whole numbers far below 2^53.
    Ok((version, sum.0, sum.1.to_bits().cast_signed()))
}
