//! Copies of a ledger, and putting one back.
//!
//! A copy is taken page by page while the engine works, is checked, and appears under its name only when it is whole.
//! A ledger that is put back does not know what was sent since the copy was taken: it is marked, and every scheme asks
//! its target about what it would send before it sends (see `LedgerOp::Suspect`). The ledger that was there is kept.

use std::path::{Path, PathBuf};

use flow::ids::Ms;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;
use crate::generation::{self, Note, Noted};
use crate::lock::DirLock;
use crate::open::{self, LEDGER_FILE, Suspect};
use crate::{Ledger, schema};

/// Pages copied in one step: half a megabyte.
const STEP_PAGES: i32 = 128;

/// A copy that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// The generation it holds.
    pub generation: i64,
}

/// A ledger that was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Generation of the copy, before it was put back; `None` = older than generations.
    pub generation: Option<i64>,
    /// Where the ledger that was there is kept now.
    pub kept: Option<PathBuf>,
    /// The target is asked about rows that the source had before this instant.
    pub suspect_until: Ms,
}

/// Where copies go when nobody says where: the folder `backups` of the data directory, made when it is missing.
pub fn usual_place(dir: &Path) -> Result<PathBuf, StoreError> {
    open::existing(dir)?;
    let folder = dir.join("backups");
    open::create_private_dir(&folder)?;
    Ok(folder)
}

/// Copies the ledger of a data directory into a file of its own, also while an engine works with it; the engine is not
/// held up. The file must not exist.
pub fn copy_to(dir: &Path, to: &Path) -> Result<Copied, StoreError> {
    let from = open::existing(dir)?;
    let (conn, at_rest) = open::open_for_reading(&from)?;
    let part = open::with_suffix(to, ".part");
    discard(&part)?;
    if to.exists() {
        return Err(StoreError::Exists { path: to.to_owned() });
    }
    let copied = (|| {
        let copy = write_copy(&conn, &part)?;
        if at_rest && open::wal_of(&from).exists() {
            // An engine started meanwhile: a file read as unchanging may have changed.
            return Err(StoreError::Busy {
                what: from.display().to_string(),
            });
        }
        let generation = generation::stored(&copy)?.map_or(0, |noted| noted.generation);
        copy.close().map_err(|(_, error)| error)?;
        open::sync_file(&part)?;
        std::fs::rename(&part, to).map_err(|e| StoreError::file(to, &e))?;
        generation::sync_dir(folder_of(to))?;
        let bytes = std::fs::metadata(to).map_err(|e| StoreError::file(to, &e))?.len();
        Ok(Copied {
            path: to.to_owned(),
            bytes,
            generation,
        })
    })();
    if copied.is_err() {
        // What went wrong is told; half a copy helps nobody.
        drop(discard(&part));
    }
    copied
}

/// Puts a copy in the place of the ledger of a data directory and marks it. Nobody may work with the directory.
pub fn restore(dir: &Path, copy: &Path, env: &str, suspect: &Suspect) -> Result<Restored, StoreError> {
    put_back(dir, copy, env, suspect, Upward::Yes)
}

fn put_back(
    dir: &Path,
    copy: &Path,
    env: &str,
    suspect: &Suspect,
    upward: Upward,
) -> Result<Restored, StoreError> {
    open::assert_sqlite()?;
    open::create_private_dir(dir)?;
    let _lock = DirLock::take(dir)?;
    let (from, _) = open::open_for_reading(copy)?;
    let stored_env = open::environment(&from)?;
    if let Some(stored) = stored_env.filter(|stored| stored != env) {
        return Err(StoreError::WrongEnvironment {
            dir: dir.to_owned(),
            stored,
            asked: env.to_owned(),
        });
    }
    let path = dir.join(LEDGER_FILE);
    let part = open::with_suffix(&path, ".restoring");
    discard(&part)?;
    let mut ledger = write_copy(&from, &part)?;
    drop(from);
    let before = schema::version(&ledger)?;
    let known = if before < schema::MARKED_SINCE {
        None
    } else {
        generation::stored(&ledger)?
    };
    if upward == Upward::Yes {
        schema::migrate(&mut ledger, schema::MIGRATIONS, |_, _| Ok(()))?;
    }
    let noted = Note::read(dir)?;
    let next = if schema::version(&ledger)? < schema::MARKED_SINCE {
        // It knows no marks, and nothing was sent since: it only must not be behind the note when it comes up again.
        Noted::default()
    } else {
        mark(&ledger, noted, suspect)?
    };
    ledger.close().map_err(|(_, error)| error)?;
    open::sync_file(&part)?;
    // From here on only the marked file fits the note: whatever else an interruption leaves is refused.
    drop(Note::write(dir, next)?);
    let kept = set_aside(&path, next.generation)?;
    std::fs::rename(&part, &path).map_err(|e| StoreError::file(&path, &e))?;
    generation::sync_dir(dir)?;
    Ok(Restored {
        generation: known.map(|known| known.generation),
        kept,
        suspect_until: suspect.until,
    })
}

/// The version of the copy that [`roll_back`] would go back to; `None` = none is kept.
pub fn kept_version(dir: &Path) -> Result<Option<i64>, StoreError> {
    let path = open::existing(dir)?;
    let (conn, _) = open::open_for_reading(&path)?;
    Ok(kept_copy(&path, schema::version(&conn)?).map(|(version, _)| version))
}

/// The newest copy that was kept before an upgrade to a version.
fn kept_copy(path: &Path, now: i64) -> Option<(i64, PathBuf)> {
    (1..now)
        .rev()
        .map(|version| (version, open::with_suffix(path, &format!(".v{version}"))))
        .find(|(_, copy)| copy.is_file())
}

/// Goes back to the copy that was kept before the ledger was brought up to its present version. What was sent since is
/// unknown to it, so it is marked like any other copy that is put back; a version that knows no marks is put back only
/// if nothing was sent since. Gives the version.
pub fn roll_back(dir: &Path, env: &str, suspect: &Suspect) -> Result<(i64, Restored), StoreError> {
    let path = open::existing(dir)?;
    let (conn, _) = open::open_for_reading(&path)?;
    let now = schema::version(&conn)?;
    let now_knows = generation::stored(&conn)?;
    drop(conn);
    let Some((version, copy)) = kept_copy(&path, now) else {
        return Err(StoreError::Missing { dir: dir.to_owned() });
    };
    if version < schema::MARKED_SINCE {
        let (conn, _) = open::open_for_reading(&copy)?;
        let sent: Option<i64> = conn.query_row("SELECT max(id) FROM attempt", [], |row| row.get(0))?;
        let now_sent = now_knows.map_or(0, |knows| knows.claims);
        if sent.unwrap_or(0) < now_sent {
            return Err(StoreError::OldCopy {
                dir: dir.to_owned(),
                knows: format!("-/{}", sent.unwrap_or(0)),
                noted: format!("-/{now_sent}"),
            });
        }
    }
    let restored = put_back(dir, &copy, env, suspect, Upward::No)?;
    Ok((version, restored))
}

/// Whether a copy is brought up to the version of this engine before it is put back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Upward {
    Yes,
    No,
}

/// Counts the ledger as a new generation of which somebody else may know more.
pub(crate) fn mark(
    ledger: &Connection,
    noted: Option<Noted>,
    suspect: &Suspect,
) -> Result<Noted, StoreError> {
    let tx = ledger.unchecked_transaction()?;
    let next = generation::next(&tx, noted)?;
    generation::set_meta(&tx, "suspect_generation", next.generation)?;
    generation::set_meta(&tx, "suspect_until_ms", suspect.until)?;
    crate::apply::audit::write(&tx, &suspect.note, suspect.now)?;
    tx.commit()?;
    Ok(next)
}

/// Moves a ledger and its log out of the way: `ledger.db.replaced-<generation>`.
fn set_aside(path: &Path, generation: i64) -> Result<Option<PathBuf>, StoreError> {
    let kept = open::with_suffix(path, &format!(".replaced-{generation}"));
    let mut moved = None;
    // The log first: an old file without its log is refused by the note, a new one with an old log would be damaged.
    for suffix in ["-wal", "-shm", ""] {
        let (from, to) = (open::with_suffix(path, suffix), open::with_suffix(&kept, suffix));
        match std::fs::rename(&from, &to) {
            Ok(()) => moved = Some(kept.clone()),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(StoreError::file(&from, &e)),
        }
    }
    Ok(moved)
}

/// A whole and checked copy under this name, readable by its owner only.
pub(crate) fn write_copy(from: &Connection, to: &Path) -> Result<Connection, StoreError> {
    open::create_private_file(to)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut copy = Connection::open_with_flags(to, flags)?;
    step_by_step(from, &mut copy)?;
    // A copy is one file: it has no log beside it.
    copy.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;")?;
    let found: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(StoreError::Damaged { what: found });
    }
    Ok(copy)
}

/// A copy that takes the place of an older one of the same name, if there is one.
pub(crate) fn replace_copy(from: &Connection, to: &Path) -> Result<(), StoreError> {
    let part = open::with_suffix(to, ".part");
    discard(&part)?;
    let copy = write_copy(from, &part)?;
    copy.close().map_err(|(_, error)| error)?;
    open::sync_file(&part)?;
    std::fs::rename(&part, to).map_err(|e| StoreError::file(to, &e))?;
    generation::sync_dir(folder_of(to))
}

/// A few pages at a time out of one state of the file, which is held by a read transaction: with a write-ahead log it
/// stands in no writer's way.
fn step_by_step(from: &Connection, to: &mut Connection) -> Result<(), StoreError> {
    let state = from.unchecked_transaction()?;
    state.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
    let backup = Backup::new(&state, to)?;
    loop {
        match backup.step(STEP_PAGES)? {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            other => {
                return Err(StoreError::Busy {
                    what: format!("{other:?}"),
                });
            }
        }
    }
}

fn discard(path: &Path) -> Result<(), StoreError> {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let path = open::with_suffix(path, suffix);
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(StoreError::file(&path, &e)),
        }
    }
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

impl Ledger {
    /// See [`copy_to`]; for the process that works with the ledger.
    pub fn back_up(&self, to: &Path) -> Result<Copied, StoreError> {
        match &self.place {
            crate::Place::File(path) => copy_to(folder_of(path), to),
            crate::Place::Memory => Err(StoreError::Bug("a ledger in memory is not backed up".to_owned())),
        }
    }
}
