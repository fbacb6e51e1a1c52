//! A database beside the simulators: one file of SQLite, real in everything, that stands in for every system that speaks
//! SQL. What a server of its own would do otherwise (types, locks, refusals) is not simulated.
//!
//! It has `customers`, a table as an ERP keeps it: a number, names, a time of the last change. Other tables may be made
//! in it by whoever opens it; it is kept with the state of the simulators.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use jiff::tz::{TimeZone, offset};
use rusqlite::{Connection, params};

/// The connectors that it stands in for.
const CONNECTORS: [&str; 4] = ["postgresql", "mysql", "sqlserver", "sqlite"];

/// The zone of its clock times, which have no summer.
const ZONE: &str = "Asia/Shanghai";

/// Customers; a table of two pages and a bit.
const CUSTOMERS: u64 = 1_200;

/// The database of one start. In memory it lives as long as this does.
#[derive(Debug)]
pub(crate) struct Databases {
    address: String,
    _open: Connection,
}

impl Databases {
    /// Opens the database of a folder, or one in memory; a new one is filled.
    pub(crate) fn open(state: Option<&Path>, seed: u64, now_ms: i64) -> io::Result<Databases> {
        static NTH: AtomicU64 = AtomicU64::new(0);
        let address = match state {
            Some(folder) => folder.join("databases.sqlite").display().to_string(),
            None => {
                let nth = NTH.fetch_add(1, Ordering::Relaxed);
                format!(
                    "file:sandbox-{}-{nth}?mode=memory&cache=shared",
                    std::process::id()
                )
            }
        };
        let open = filled(&address, seed, now_ms).map_err(io::Error::other)?;
        Ok(Databases { address, _open: open })
    }

    /// Parameters of a connection; `None` for a connector that speaks no SQL.
    pub(crate) fn params(&self, connector: &str) -> Option<BTreeMap<String, String>> {
        if !CONNECTORS.contains(&connector) {
            return None;
        }
        let given = [
            ("server", format!("sqlite:{}", self.address)),
            ("file", self.address.clone()),
            ("user", "sandbox".to_owned()),
            ("password", "sandbox-password".to_owned()),
            ("zone", ZONE.to_owned()),
        ];
        Some(given.map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// The connectors it stands in for.
    pub(crate) fn connectors() -> [&'static str; 4] {
        CONNECTORS
    }
}

fn filled(address: &str, seed: u64, now_ms: i64) -> rusqlite::Result<Connection> {
    let mut open = Connection::open(address)?;
    open.busy_timeout(std::time::Duration::from_secs(30))?;
    let is_new: bool = open.query_row(
        "SELECT count(*) = 0 FROM sqlite_schema WHERE name = 'customers'",
        [],
        |row| row.get(0),
    )?;
    if !is_new {
        return Ok(open);
    }
    let all = open.transaction()?;
    all.execute_batch(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, name TEXT NOT NULL, \
         contact TEXT, credit DECIMAL(12,2), updated_at DATETIME NOT NULL); \
         CREATE INDEX customers_changed ON customers (updated_at, id)",
    )?;
    let zone = TimeZone::fixed(offset(8));
    let begin_ms = now_ms - 12 * 3_600_000;
    for nth in 0..CUSTOMERS {
        let id = seed.wrapping_mul(1000) + nth + 1;
        let share = i64::try_from(nth * 12 * 3_600_000 / CUSTOMERS).unwrap_or_default();
        let at = Timestamp::from_millisecond(begin_ms + share).unwrap_or_default();
        let at = at
            .to_zoned(zone.clone())
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string();
        let contact = (nth % 5 > 0).then(|| format!("联系人{}", nth % 97));
        let credit = format!("{}.{:02}", nth * 37 % 90_000, nth % 100);
        all.execute(
            "INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?)",
            params![
                i64::try_from(id).unwrap_or(i64::MAX),
                format!("DB{nth:05}"),
                format!("客户 {nth:05} 有限公司"),
                contact,
                credit,
                at
            ],
        )?;
    }
    all.commit()?;
    Ok(open)
}
