//! A database beside the simulators: one file of SQLite, real in everything, that stands in for every system that speaks
//! SQL. What a server of its own would do otherwise (types, locks, refusals) is not simulated.
//!
//! A folder of files beside it stands in for systems that hand files over; it has `customers.csv`.
//!
//! The database has `customers`, a table as an ERP keeps it: a number, names, a time of the last change. Other tables may be made
//! in it by whoever opens it; it is kept with the state of the simulators.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::tz::{TimeZone, offset};
use rusqlite::{Connection, params};

/// The connectors that it stands in for.
const CONNECTORS: [&str; 4] = ["postgresql", "mysql", "sqlserver", "sqlite"];

/// The zone of its clock times, which have no summer.
const ZONE: &str = "Asia/Shanghai";

/// Customers; a table of two pages and a bit.
const CUSTOMERS: u64 = 1_200;

/// What reads files.
const FILES: &str = "files";

/// Customers in a file of the folder.
const IN_A_FILE: u64 = 40;

/// The database of one start, and a folder of files. In memory it lives as long as this does, and there is no folder.
#[derive(Debug)]
pub(crate) struct Databases {
    address: String,
    folder: Option<PathBuf>,
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
        let folder = state
            .map(|folder| with_a_file(&folder.join(FILES), now_ms))
            .transpose()?;
        Ok(Databases {
            address,
            folder,
            _open: open,
        })
    }

    /// Parameters of a connection; `None` for a connector that speaks no SQL and reads no files.
    pub(crate) fn params(&self, connector: &str) -> Option<BTreeMap<String, String>> {
        if connector == FILES {
            let folder = self.folder.as_ref()?.display().to_string();
            return Some([("folder".to_owned(), folder)].into());
        }
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
    pub(crate) fn connectors() -> impl Iterator<Item = &'static str> {
        CONNECTORS.into_iter().chain([FILES])
    }
}

/// A folder with a file of customers that nobody has changed for an hour: one that is being written is not read.
fn with_a_file(folder: &Path, now_ms: i64) -> io::Result<PathBuf> {
    let folder = std::path::absolute(folder)?;
    let path = folder.join("customers.csv");
    if !path.exists() {
        std::fs::create_dir_all(&folder)?;
        let mut text = "number,name,contact\n".to_owned();
        for nth in 0..IN_A_FILE {
            text.push_str(&format!(
                "CSV{nth:05},文件客户 {nth:05} 有限公司,联系人{}\n",
                nth % 7
            ));
        }
        std::fs::write(&path, text)?;
        let hour_ago = u64::try_from(now_ms - 3_600_000).unwrap_or_default();
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(hour_ago);
        std::fs::File::options()
            .write(true)
            .open(&path)?
            .set_modified(at)?;
    }
    Ok(folder)
}

fn filled(address: &str, seed: u64, now_ms: i64) -> rusqlite::Result<Connection> {
    let mut open = Connection::open(address)?;
    open.busy_timeout(Duration::from_secs(30))?;
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
