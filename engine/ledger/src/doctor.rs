//! What an operator wants to know of a data directory before anything is done with it. Takes no lock for longer than a
//! look, and changes nothing.

use std::path::Path;

use crate::error::StoreError;
use crate::generation::{Note, Noted, is_behind, stored};
use crate::lock::{self, network_file_system};
use crate::open::{LEDGER_FILE, open_for_reading};
use crate::{room, schema};

/// The state of a data directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Version of the SQLite library.
    pub sqlite: String,
    /// Version of the ledger; `None` = there is none, or it cannot be read.
    pub version: Option<i64>,
    /// Version this engine writes.
    pub known: i64,
    /// What the ledger says of itself.
    pub stored: Option<Noted>,
    /// What the note beside it says.
    pub noted: Option<Noted>,
    /// The ledger knows less than its note: an old copy.
    pub is_behind: bool,
    /// Process that works with it.
    pub held_by: Option<u32>,
    /// Kind of a network file system under it.
    pub network: Option<String>,
    /// A file that others may read.
    pub open_to_others: Option<String>,
    /// Bytes of the ledger and its log.
    pub bytes: u64,
    /// Bytes left on the disk.
    pub free: Option<u64>,
    /// What is wrong with the file, where something is.
    pub damage: Option<String>,
    /// Runs that have not ended though nobody works with the directory; the next run of their scheme ends them.
    pub broken: Vec<i64>,
}

/// Runs that are listed as broken off; there is one for each scheme at most.
const MAX_BROKEN: i64 = 20;

/// Looks at a data directory. Reads the whole file.
pub fn look(dir: &Path) -> Result<Health, StoreError> {
    let mut health = Health {
        sqlite: rusqlite::version().to_owned(),
        known: schema::known(schema::MIGRATIONS),
        noted: Note::read(dir)?,
        held_by: lock::holder_of(dir),
        network: network_file_system(dir),
        open_to_others: open_to_others(dir),
        bytes: room::taken(dir),
        free: room::free(dir)?,
        ..Health::default()
    };
    let was_free = lock::is_free(dir);
    let path = dir.join(LEDGER_FILE);
    if !path.exists() {
        health.is_behind = is_behind(None, health.noted);
        return Ok(health);
    }
    match open_for_reading(&path) {
        Ok((conn, _)) => {
            health.version = Some(schema::version(&conn)?);
            if health.version >= Some(schema::MARKED_SINCE) {
                health.stored = stored(&conn)?;
            }
            health.is_behind = is_behind(health.stored, health.noted);
            let found = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
            let mut running =
                conn.prepare("SELECT id FROM run WHERE status = 'running' ORDER BY id LIMIT ?1")?;
            let running: Vec<i64> = running
                .query_map([MAX_BROKEN], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            if was_free && lock::is_free(dir) {
                health.broken = running;
            }
            health.damage = match found {
                Ok(text) if text == "ok" => None,
                Ok(text) => Some(text),
                Err(error) => Some(error.to_string()),
            };
        }
        Err(error) => health.damage = Some(error.to_string()),
    }
    Ok(health)
}

/// The version of the ledger of a data directory.
pub fn version_of(dir: &Path) -> Result<i64, StoreError> {
    let (conn, _) = open_for_reading(&crate::open::existing(dir)?)?;
    schema::version(&conn)
}

/// The version this engine writes.
pub fn known_version() -> i64 {
    schema::known(schema::MIGRATIONS)
}

/// The first file of the ledger, or the directory itself, that others than its owner may read.
fn open_to_others(dir: &Path) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mut paths = vec![dir.to_owned()];
        let ours = |path: &std::path::PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            ["ledger.db", "lock", "generation", "backups"]
                .iter()
                .any(|known| name.starts_with(known))
        };
        let entries = std::fs::read_dir(dir).ok()?.flatten().map(|entry| entry.path());
        paths.extend(entries.filter(ours));
        let open = |path: &std::path::PathBuf| {
            std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
        };
        paths.sort();
        paths
            .into_iter()
            .find(open)
            .map(|path| path.display().to_string())
    }
    #[cfg(not(unix))]
    {
        let _: &Path = dir;
        None
    }
}
