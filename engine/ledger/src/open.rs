//! Opening a ledger: for work (one process at a time), for questions (any number), in memory.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flow::ids::Ms;
use flow::op::AuditNote;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::error::{StoreError, Words, plain_words};
use crate::generation::{Note, Noted};
use crate::lock::{DirLock, network_file_system};
use crate::read::{HiddenOf, Reader};
use crate::{Ledger, Place, Watch, backup, generation, schema};

/// Name of the ledger's file in the data directory.
pub const LEDGER_FILE: &str = "ledger.db";

/// Before this one, two connections could damage a WAL file (sqlite.org/wal.html#walresetbug).
const LEAST_SQLITE: (i32, &str) = (3_051_003, "3.51.3");

/// How long a connection waits for another one's lock.
const BUSY: Duration = Duration::from_secs(5);

/// How to open a ledger for work.
#[derive(Clone)]
pub struct OpenOptions {
    /// The environment; a ledger of another one is refused.
    pub env: String,
    /// Sentences for the reasons that the ledger itself gives.
    pub words: Words,
    /// How much the look for damage at the start may cost.
    pub check: CheckBudget,
    /// Accept a network file system, whose locks may not hold.
    pub allow_network_file_system: bool,
    /// Take the ledger for one of which somebody else may know more: an old copy is accepted, and the target is asked
    /// before anything is sent.
    pub suspect: Option<Suspect>,
    /// Told of every transaction.
    pub watch: Option<Watch>,
    /// The ledger may not grow beyond so many pages of 4 KiB; beyond, work fails as on a full disk.
    pub max_pages: Option<u32>,
}

/// Somebody's word that a ledger is to be taken with suspicion.
#[derive(Debug, Clone)]
pub struct Suspect {
    /// Rows that the source had before this instant may have been written.
    pub until: Ms,
    /// Who and why.
    pub note: AuditNote,
    /// Now.
    pub now: Ms,
}

impl OpenOptions {
    /// The usual way for an environment.
    pub fn new(env: impl Into<String>) -> Self {
        OpenOptions {
            env: env.into(),
            words: plain_words(),
            check: CheckBudget::default(),
            allow_network_file_system: false,
            suspect: None,
            watch: None,
            max_pages: None,
        }
    }
}

/// Bounds of `quick_check` at the start. A larger or slower file is checked by `verify`.
#[derive(Debug, Clone, Copy)]
pub struct CheckBudget {
    /// Larger files are not checked: the start to the first send must stay below two seconds.
    pub max_bytes: u64,
    /// The check is given up after this.
    pub time: Duration,
}

impl Default for CheckBudget {
    fn default() -> Self {
        CheckBudget {
            max_bytes: 256 << 20,
            time: Duration::from_secs(10),
        }
    }
}

/// What the look for damage found out; damage itself is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// No damage.
    Sound,
    /// The file is larger than the bound.
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// It took too long.
    OutOfTime,
    /// There was nothing to check.
    Fresh,
}

/// What happened while the ledger was opened, for a line in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// Result of the look for damage.
    pub checked: Checked,
    /// The older version it was brought up from.
    pub migrated_from: Option<i64>,
}

impl Ledger {
    /// Opens the ledger of a data directory (`.engine/<env>`) for work, creating what is missing.
    ///
    /// Nobody else can open it for work until this value is dropped; others can still ask ([`Ledger::open_read_only`]).
    pub fn open(dir: &Path, options: OpenOptions) -> Result<Self, StoreError> {
        assert_sqlite()?;
        create_private_dir(dir)?;
        if !options.allow_network_file_system
            && let Some(kind) = network_file_system(dir)
        {
            return Err(StoreError::NetworkFileSystem {
                dir: dir.to_owned(),
                kind,
            });
        }
        let lock = DirLock::take(dir)?;
        let path = dir.join(LEDGER_FILE);
        let bytes = create_private_file(&path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut conn = Connection::open_with_flags(&path, flags)?;
        recognise(&conn, &path)?;
        conn.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;")?;
        if bytes == 0 {
            // The rollback journal of the file's first page was unlinked: after a power cut it must not be there again.
            generation::sync_dir(dir)?;
        }
        prepare_writer(&conn)?;
        let checked = match bytes {
            0 => Checked::Fresh,
            _ if bytes > options.check.max_bytes => Checked::TooLarge { bytes },
            _ => quick_check(&conn, options.check.time)?,
        };
        let from = schema::migrate(&mut conn, schema::MIGRATIONS, |conn, version| {
            keep_copy(conn, &path, version)
        })?;
        forbid_other_transitions(&conn)?;
        let stored = claim_environment(&conn, &options.env)?;
        if stored != options.env {
            return Err(StoreError::WrongEnvironment {
                dir: dir.to_owned(),
                stored,
                asked: options.env,
            });
        }
        let note = count_opening(dir, &conn, options.suspect.as_ref())?;
        if let Some(pages) = options.max_pages {
            conn.execute_batch(&format!("PRAGMA max_page_count = {pages}"))?;
        }
        let migrated_from = (0 < from && from < schema::known(schema::MIGRATIONS)).then_some(from);
        Ok(Ledger {
            conn: Arc::new(Mutex::new(conn)),
            place: Place::File(path),
            words: options.words,
            opened: Opened {
                checked,
                migrated_from,
            },
            note: Some(note),
            watch: options.watch,
            _lock: Some(lock),
        })
    }

    /// Opens the ledger of a data directory for questions only: takes no lock and creates nothing, also while another
    /// process works with it.
    pub fn open_read_only(dir: &Path) -> Result<Reader, StoreError> {
        assert_sqlite()?;
        let path = existing(dir)?;
        let (conn, _) = open_for_reading(&path)?;
        let (found, known) = (schema::version(&conn)?, schema::known(schema::MIGRATIONS));
        if found < known {
            return Err(StoreError::Older { found, known });
        }
        drop(conn);
        Ok(Reader::of_file(path))
    }

    /// An empty ledger in memory.
    pub fn in_memory() -> Result<Self, StoreError> {
        assert_sqlite()?;
        Self::on_memory(Connection::open_in_memory()?)
    }

    /// A copy in memory of the ledger of a data directory, which is left untouched and may be in use; an empty ledger
    /// where there is none. What a dry run works on.
    pub fn copy_to_memory(dir: Option<&Path>) -> Result<Self, StoreError> {
        assert_sqlite()?;
        let path = match dir.map(existing).transpose() {
            Ok(Some(path)) => path,
            Ok(None) | Err(StoreError::Missing { .. }) => return Self::in_memory(),
            Err(other) => return Err(other),
        };
        // A file at rest is read as unchanging; if an engine starts meanwhile, the copy is taken again.
        for _ in 0..3 {
            let (from, at_rest) = open_for_reading(&path)?;
            let mut conn = Connection::open_in_memory()?;
            copy(&from, &mut conn)?;
            if !at_rest || !wal_of(&path).exists() {
                return Self::on_memory(conn);
            }
        }
        Err(StoreError::Busy {
            what: path.display().to_string(),
        })
    }

    fn on_memory(mut conn: Connection) -> Result<Self, StoreError> {
        conn.execute_batch("PRAGMA journal_mode = MEMORY;")?;
        prepare_writer(&conn)?;
        schema::migrate(&mut conn, schema::MIGRATIONS, |_, _| Ok(()))?;
        forbid_other_transitions(&conn)?;
        Ok(Ledger {
            conn: Arc::new(Mutex::new(conn)),
            place: Place::Memory,
            words: plain_words(),
            opened: Opened {
                checked: Checked::Fresh,
                migrated_from: None,
            },
            note: None,
            watch: None,
            _lock: None,
        })
    }

    /// The same ledger with other sentences for the reasons it gives itself.
    pub fn with_words(mut self, words: Words) -> Self {
        self.words = words;
        self
    }

    /// What happened while it was opened.
    pub fn opened(&self) -> Opened {
        self.opened
    }

    /// A handle for questions, apart from the writer.
    pub fn reader(&self) -> Reader {
        match &self.place {
            Place::File(path) => Reader::of_file(path.clone()),
            Place::Memory => Reader::of_shared(Arc::clone(&self.conn)),
        }
    }

    /// Remembers where a connection leads (origin and account), or refuses when it led elsewhere: the ids stored here
    /// mean nothing in another system.
    pub fn remember_origin(&mut self, connection: &str, origin: &str) -> Result<(), StoreError> {
        let conn = self.lock();
        conn.prepare_cached("INSERT OR IGNORE INTO connection_origin (connection, origin) VALUES (?1, ?2)")?
            .execute((connection, origin))?;
        let stored: String = conn
            .prepare_cached("SELECT origin FROM connection_origin WHERE connection = ?1")?
            .query_row([connection], |row| row.get(0))?;
        if stored == origin {
            return Ok(());
        }
        Err(StoreError::OriginChanged {
            connection: connection.to_owned(),
            stored,
            given: origin.to_owned(),
        })
    }

    /// Remembers which places of a scheme's rows or documents people must not see; they are written as paths.
    pub fn remember_hidden(
        &mut self,
        scheme: &str,
        of: HiddenOf,
        fields: &[String],
    ) -> Result<(), StoreError> {
        let text = crate::read::hidden_text(fields);
        self.lock()
            .prepare_cached(
                "INSERT INTO meta (name, value) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE value IS NOT excluded.value",
            )?
            .execute((crate::read::hidden_name(scheme, of), text))?;
        Ok(())
    }

    /// Accepts that a connection leads elsewhere from now on: a decision of a person. The versions of the other system's
    /// rows mean nothing there: a source that is read by them is read from its beginning.
    pub fn replace_origin(&mut self, connection: &str, origin: &str) -> Result<(), StoreError> {
        let conn = self.lock();
        conn.prepare_cached(
            "DELETE FROM version_mark WHERE substr(source, 1, length(?1) + 1) = ?1 || '/' AND NOT EXISTS
             (SELECT 1 FROM connection_origin WHERE connection = ?1 AND origin = ?2)",
        )?
        .execute((connection, origin))?;
        conn.prepare_cached(
            "INSERT INTO connection_origin (connection, origin) VALUES (?1, ?2)
                 ON CONFLICT (connection) DO UPDATE SET origin = excluded.origin",
        )?
        .execute((connection, origin))?;
        Ok(())
    }
}

pub(crate) fn assert_sqlite() -> Result<(), StoreError> {
    if rusqlite::version_number() < LEAST_SQLITE.0 {
        return Err(StoreError::OldSqlite {
            found: rusqlite::version().to_owned(),
            needed: LEAST_SQLITE.1,
        });
    }
    Ok(())
}

/// Compares the ledger with the note beside it and counts one more opening in both. An old copy is refused, unless it
/// is taken for suspect.
fn count_opening(dir: &Path, conn: &Connection, suspect: Option<&Suspect>) -> Result<Note, StoreError> {
    let (stored, noted) = (generation::stored(conn)?, Note::read(dir)?);
    let next = match suspect {
        Some(suspect) => backup::mark(conn, noted, suspect)?,
        None if generation::is_behind(stored, noted) => {
            let shown = |noted: Option<Noted>| {
                noted.map_or_else(
                    || "-".to_owned(),
                    |noted| format!("{}/{}", noted.generation, noted.claims),
                )
            };
            return Err(StoreError::OldCopy {
                dir: dir.to_owned(),
                knows: shown(stored),
                noted: shown(noted),
            });
        }
        None => {
            if stored.is_none() && noted.is_none() {
                // The note first: a ledger that has a generation always had one beside it.
                drop(Note::write(dir, Noted::default())?);
            }
            let tx = conn.unchecked_transaction()?;
            let next = generation::next(&tx, noted)?;
            tx.commit()?;
            next
        }
    };
    Note::write(dir, next)
}

/// What every writing connection is set to.
fn prepare_writer(conn: &Connection) -> Result<(), StoreError> {
    conn.busy_timeout(BUSY)?;
    conn.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA wal_autocheckpoint = 1000;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA mmap_size = 0;
         PRAGMA trusted_schema = OFF;",
    )?;
    // A statement whose plan may depend on what is bound is compiled anew for each value (partial indexes, STAT4): two
    // thirds of the time of a look into the mappings. Every condition that an index is made for is a constant here.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Some 360 different statements exist, a few kilobytes each; none is compiled twice.
    conn.set_prepared_statement_cache_capacity(512);
    Ok(())
}

/// In debug builds the database itself refuses a transition that the guard table does not name.
fn forbid_other_transitions(conn: &Connection) -> Result<(), StoreError> {
    if cfg!(debug_assertions) {
        conn.execute_batch(&crate::apply::transition_trigger())?;
    }
    Ok(())
}

/// Refuses a file that is not a ledger before anything in it is changed.
fn recognise(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let not_a_ledger = || StoreError::NotALedger {
        path: path.to_owned(),
    };
    let tables: i64 = match conn.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)) {
        Ok(tables) => tables,
        Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
            return Err(not_a_ledger());
        }
        Err(e) => return Err(e.into()),
    };
    let id: i32 = conn.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if tables > 0 && id != schema::APPLICATION_ID {
        return Err(not_a_ledger());
    }
    let (found, known) = (schema::version(conn)?, schema::known(schema::MIGRATIONS));
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    Ok(())
}

fn quick_check(conn: &Connection, budget: Duration) -> Result<Checked, StoreError> {
    let interrupt = conn.get_interrupt_handle();
    let (finished, waiting) = mpsc::channel::<()>();
    let answer = std::thread::scope(|scope| {
        scope.spawn(move || {
            if waiting.recv_timeout(budget) == Err(mpsc::RecvTimeoutError::Timeout) {
                interrupt.interrupt();
            }
        });
        let answer = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        drop(finished);
        answer
    });
    match answer {
        Ok(text) if text == "ok" => Ok(Checked::Sound),
        Ok(what) => Err(StoreError::Damaged { what }),
        Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) => {
            Ok(Checked::OutOfTime)
        }
        Err(e) => Err(e.into()),
    }
}

/// Before a migration: `ledger.db.v<old>`, from which an older engine could go on.
fn keep_copy(conn: &Connection, path: &Path, version: i64) -> Result<(), StoreError> {
    let copy = with_suffix(path, &format!(".v{version}"));
    backup::replace_copy(conn, &copy)
}

fn claim_environment(conn: &Connection, env: &str) -> Result<String, StoreError> {
    conn.execute(
        "INSERT OR IGNORE INTO meta (name, value) VALUES ('environment', ?1)",
        [env],
    )?;
    Ok(
        conn.query_row("SELECT value FROM meta WHERE name = 'environment'", [], |row| {
            row.get(0)
        })?,
    )
}

/// The environment a ledger belongs to; one in memory may have none.
pub(crate) fn environment(conn: &Connection) -> Result<Option<String>, StoreError> {
    Ok(conn
        .query_row("SELECT value FROM meta WHERE name = 'environment'", [], |row| {
            row.get(0)
        })
        .optional()?)
}

pub(crate) fn existing(dir: &Path) -> Result<PathBuf, StoreError> {
    let path = dir.join(LEDGER_FILE);
    match std::fs::metadata(&path) {
        Ok(meta) if meta.len() > 0 => Ok(path),
        Ok(_) => Err(StoreError::Missing { dir: dir.to_owned() }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            Err(StoreError::Missing { dir: dir.to_owned() })
        }
        Err(e) => Err(StoreError::file(&path, &e)),
    }
}

/// A connection that only reads, and whether the file was at rest: no process has it open for work. A file at rest is
/// opened as unchanging, because the usual way would create the files of the write-ahead log beside it; such a
/// connection is for one question, since it would not see an engine that starts later.
pub(crate) fn open_for_reading(path: &Path) -> Result<(Connection, bool), StoreError> {
    let at_rest = !wal_of(path).exists();
    let uri = format!(
        "file:{}?mode=ro{}",
        uri_path(path),
        if at_rest { "&immutable=1" } else { "" }
    );
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(uri, flags)?;
    conn.busy_timeout(BUSY)?;
    conn.execute_batch("PRAGMA query_only = ON; PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF;")?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_prepared_statement_cache_capacity(128);
    recognise(&conn, path)?;
    Ok((conn, at_rest))
}

pub(crate) fn wal_of(path: &Path) -> PathBuf {
    with_suffix(path, "-wal")
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The characters that mean something in a URI, escaped.
fn uri_path(path: &Path) -> String {
    path.to_string_lossy()
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23")
}

/// One step, so one state of the file; a writer in WAL mode goes on meanwhile.
fn copy(from: &Connection, to: &mut Connection) -> Result<(), StoreError> {
    let backup = Backup::new(from, to)?;
    match backup.step(-1)? {
        StepResult::Done => Ok(()),
        other => Err(StoreError::Busy {
            what: format!("{other:?}"),
        }),
    }
}

pub(crate) fn create_private_dir(dir: &Path) -> Result<(), StoreError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|e| StoreError::file(dir, &e))?;
    keep_private(dir, 0o700)
}

/// Creates the file where it is missing and gives its size.
pub(crate) fn create_private_file(path: &Path) -> Result<u64, StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|e| StoreError::file(path, &e))?;
    let bytes = file.metadata().map_err(|e| StoreError::file(path, &e))?.len();
    keep_private(path, 0o600)?;
    Ok(bytes)
}

/// Makes the content of a file durable.
pub(crate) fn sync_file(path: &Path) -> Result<(), StoreError> {
    let file = std::fs::OpenOptions::new().write(true).open(path);
    file.and_then(|file| file.sync_all())
        .map_err(|e| StoreError::file(path, &e))
}

#[cfg(unix)]
fn keep_private(path: &Path, mode: u32) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;
    let rights = std::fs::metadata(path)
        .map_err(|e| StoreError::file(path, &e))?
        .permissions();
    if rights.mode() & 0o077 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
            .map_err(|e| StoreError::file(path, &e))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn keep_private(_path: &Path, _mode: u32) -> Result<(), StoreError> {
    Ok(())
}
