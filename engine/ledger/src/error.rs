//! What can go wrong with the ledger, as a code and facts. The words a user reads stand in the catalogue under the same
//! code; `Display` is a plain English sentence for logs and tests.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;

/// Facts of a problem: name and value, as the catalogue's texts name them.
pub type Facts = Vec<(&'static str, String)>;

/// A problem of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process works with this data directory.
    #[error("the data directory {} is in use by process {}", dir.display(), pid_text(*pid))]
    Locked {
        /// The data directory.
        dir: PathBuf,
        /// The process that holds it, where its note can be read.
        pid: Option<u32>,
    },
    /// There is no ledger here and none may be created.
    #[error("there is no ledger in {}", dir.display())]
    Missing {
        /// The data directory.
        dir: PathBuf,
    },
    /// The ledger belongs to another environment.
    #[error("the ledger in {} belongs to the environment `{stored}`, not to `{asked}`", dir.display())]
    WrongEnvironment {
        /// The data directory.
        dir: PathBuf,
        /// Whose it is.
        stored: String,
        /// Who asked.
        asked: String,
    },
    /// Written by a newer engine.
    #[error("the ledger has version {found}, this engine knows {known}")]
    Newer {
        /// Version of the file.
        found: i64,
        /// Newest version known here.
        known: i64,
    },
    /// Written by an older engine, and opened only for reading.
    #[error("the ledger has version {found} and must first be brought to {known}")]
    Older {
        /// Version of the file.
        found: i64,
        /// Version known here.
        known: i64,
    },
    /// The file is something else.
    #[error("{} is not a ledger", path.display())]
    NotALedger {
        /// The file.
        path: PathBuf,
    },
    /// The SQLite library is too old to be trusted with two connections.
    #[error("SQLite {found} is too old, {needed} is needed")]
    OldSqlite {
        /// Version linked.
        found: String,
        /// Least version.
        needed: &'static str,
    },
    /// The data directory lies on a file system whose locks cannot be trusted.
    #[error("{} lies on a network file system ({kind})", dir.display())]
    NetworkFileSystem {
        /// The data directory.
        dir: PathBuf,
        /// Its kind.
        kind: String,
    },
    /// The file is damaged.
    #[error("the ledger is damaged: {what}")]
    Damaged {
        /// First finding.
        what: String,
    },
    /// No space left.
    #[error("no space left for the ledger: {what}")]
    Full {
        /// The library's words.
        what: String,
    },
    /// The disk or the operating system failed.
    #[error("the ledger cannot be read or written: {what}")]
    Io {
        /// The system's words.
        what: String,
    },
    /// Another connection kept the file too long.
    #[error("the ledger is busy: {what}")]
    Busy {
        /// The library's words.
        what: String,
    },
    /// A connection now leads to another system than the one this ledger wrote to.
    #[error("connection `{connection}` led to {stored} and now leads to {given}")]
    OriginChanged {
        /// Name of the connection.
        connection: String,
        /// Where it led.
        stored: String,
        /// Where it leads now.
        given: String,
    },
    /// The ledger knows less than the note beside it: it was put back from a copy, or it is new beside an old note.
    #[error("the ledger in {} is an old copy: it knows {knows}, and there has been {noted}", dir.display())]
    OldCopy {
        /// The data directory.
        dir: PathBuf,
        /// What it knows: generation and last claim.
        knows: String,
        /// What the note knows; `-` = there is no note.
        noted: String,
    },
    /// A file that would be written over.
    #[error("{} exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Too much ledger work is waiting.
    #[error("the queue of the ledger is full")]
    QueueFull,
    /// The writer has ended.
    #[error("the ledger has been closed")]
    Closed,
    /// Something that must not happen: a fault of the engine.
    #[error("ledger: {0}")]
    Bug(String),
}

impl StoreError {
    /// The code in the catalogue.
    pub fn code(&self) -> &'static str {
        match self {
            StoreError::Locked { .. } => "E5001",
            StoreError::Missing { .. } => "E5002",
            StoreError::WrongEnvironment { .. } => "E5003",
            StoreError::Newer { .. } => "E5004",
            StoreError::Older { .. } => "E5005",
            StoreError::NotALedger { .. } => "E5006",
            StoreError::OldSqlite { .. } => "E5007",
            StoreError::NetworkFileSystem { .. } => "E5008",
            StoreError::Damaged { .. } => "E5009",
            StoreError::Full { .. } => "E5010",
            StoreError::Io { .. } => "E5011",
            StoreError::Busy { .. } => "E5012",
            StoreError::OriginChanged { .. } => "E5013",
            StoreError::QueueFull => "E5014",
            StoreError::Closed => "E5015",
            StoreError::OldCopy { .. } => "E5016",
            StoreError::Exists { .. } => "E5017",
            StoreError::Bug(_) => "E9000",
        }
    }

    /// The facts the catalogue's texts name.
    pub fn facts(&self) -> Facts {
        let path = |p: &Path| p.display().to_string();
        match self {
            StoreError::Locked { dir, pid } => vec![("dir", path(dir)), ("pid", pid_text(*pid))],
            StoreError::Missing { dir } => vec![("dir", path(dir))],
            StoreError::WrongEnvironment { dir, stored, asked } => {
                vec![
                    ("dir", path(dir)),
                    ("stored", stored.clone()),
                    ("asked", asked.clone()),
                ]
            }
            StoreError::Newer { found, known } | StoreError::Older { found, known } => {
                vec![("found", found.to_string()), ("known", known.to_string())]
            }
            StoreError::NotALedger { path: file } | StoreError::Exists { path: file } => {
                vec![("path", path(file))]
            }
            StoreError::OldCopy { dir, knows, noted } => {
                vec![
                    ("dir", path(dir)),
                    ("knows", knows.clone()),
                    ("noted", noted.clone()),
                ]
            }
            StoreError::OldSqlite { found, needed } => {
                vec![("found", found.clone()), ("needed", (*needed).to_owned())]
            }
            StoreError::NetworkFileSystem { dir, kind } => vec![("dir", path(dir)), ("kind", kind.clone())],
            StoreError::Damaged { what }
            | StoreError::Full { what }
            | StoreError::Io { what }
            | StoreError::Busy { what } => vec![("what", what.clone())],
            StoreError::OriginChanged {
                connection,
                stored,
                given,
            } => {
                vec![
                    ("connection", connection.clone()),
                    ("stored", stored.clone()),
                    ("given", given.clone()),
                ]
            }
            StoreError::QueueFull | StoreError::Closed => Vec::new(),
            StoreError::Bug(what) => vec![("what", what.clone())],
        }
    }

    /// A failed operation on a file or folder.
    pub(crate) fn file(path: &Path, error: &std::io::Error) -> Self {
        let what = format!("{}: {error}", path.display());
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::Full { what },
            _ => StoreError::Io { what },
        }
    }
}

fn pid_text(pid: Option<u32>) -> String {
    pid.map_or_else(|| "?".to_owned(), |pid| pid.to_string())
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let what = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full { what },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged { what },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { what },
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::OutOfMemory,
            ) => StoreError::Io { what },
            _ => StoreError::Bug(what),
        }
    }
}

/// Codes of the reasons that the ledger itself gives to records, windows and runs.
pub mod reason {
    /// Another record of this ledger has the same key at the target. Fact `holder`.
    pub const KEY_TAKEN: &str = "E5030";
    /// The key at the target changed although a document may exist under the old one. Facts `old`, `new`.
    pub const KEY_CHANGED: &str = "E5031";
    /// Was in flight when an earlier process ended.
    pub const IN_FLIGHT: &str = "E5032";
    /// The window was open when an earlier process ended.
    pub const WINDOW_LEFT: &str = "E5033";
    /// The run was under way when an earlier process ended.
    pub const RUN_BROKEN: &str = "E5034";
    /// A document may be at the target that this ledger knows nothing of: it was restored, or is new beside it.
    pub const SUSPECT: &str = "E5035";
    /// A person holds it. Fact `why`.
    pub const HELD_BY_HAND: &str = "E5040";
    /// A person skipped it. Fact `why`.
    pub const SKIPPED_BY_HAND: &str = "E5041";
    /// The partner's write to the same document, or one that may have made it, is in doubt. Fact `holder`.
    pub const PARTNER_IN_DOUBT: &str = "E5042";
    /// Both sides were changed. Facts `holder`, `fields`.
    pub const CONFLICT: &str = "E5043";
    /// Both sides were changed, and the other one won. Facts `holder`, `why`.
    pub const LOST_CONFLICT: &str = "E5044";
    /// Two documents of one system belong to one of the other. Facts `one`, `other`, `holder`.
    pub const DOUBLED: &str = "E5045";
    /// The partner's value came back as another one, each time the same two. Facts `field`, `holder`.
    pub const TO_AND_FRO: &str = "E5046";
    /// A lost create was found as the document that was voided before it. Fact `id`.
    pub const CAME_BACK: &str = "E5047";
    /// A row changed that is in a document. Fact `document`.
    pub const MEMBER_CHANGED: &str = "E5020";
    /// A row of a ledger that was put back may be in a document.
    pub const MAYBE_IN_A_DOCUMENT: &str = "E5022";
    /// The number of a new document is that of one that was forgotten. Fact `number`.
    pub const NUMBER_FOUND: &str = "E5023";
    /// A document of several rows was taken apart before it was written. Fact `why`.
    pub const DISSOLVED: &str = "E5024";
    /// All of them.
    pub const ALL: [&str; 18] = [
        KEY_TAKEN,
        KEY_CHANGED,
        IN_FLIGHT,
        WINDOW_LEFT,
        RUN_BROKEN,
        SUSPECT,
        HELD_BY_HAND,
        SKIPPED_BY_HAND,
        PARTNER_IN_DOUBT,
        CONFLICT,
        LOST_CONFLICT,
        DOUBLED,
        TO_AND_FRO,
        CAME_BACK,
        MEMBER_CHANGED,
        MAYBE_IN_A_DOCUMENT,
        NUMBER_FOUND,
        DISSOLVED,
    ];
}

/// Makes the sentence of a reason that the ledger itself gives: code and facts in, text in the user's language out.
pub type Words = Arc<dyn Fn(&str, &[(&'static str, String)]) -> String + Send + Sync>;

/// English sentences, for tests and where nobody set [`Words`].
pub fn plain_words() -> Words {
    Arc::new(|code, facts| {
        let fact = |name: &str| {
            facts
                .iter()
                .find(|(fact, _)| *fact == name)
                .map(|(_, value)| value.as_str())
                .unwrap_or_default()
        };
        match code {
            reason::KEY_TAKEN => format!("the record {} already has this key at the target", fact("holder")),
            reason::KEY_CHANGED => format!(
                "the key at the target changed from {} to {}, and a document may exist under the old one",
                fact("old"),
                fact("new")
            ),
            reason::IN_FLIGHT => {
                "was being sent when the engine stopped; the target will be asked".to_owned()
            }
            reason::WINDOW_LEFT => "was being read when the engine stopped; it is read again".to_owned(),
            reason::RUN_BROKEN => "the engine stopped during this run".to_owned(),
            reason::SUSPECT => {
                "may have been written without this ledger's knowledge; the target is asked first".to_owned()
            }
            reason::HELD_BY_HAND => format!("held by a person: {}", fact("why")),
            reason::SKIPPED_BY_HAND => format!("skipped by a person: {}", fact("why")),
            reason::PARTNER_IN_DOUBT => {
                format!(
                    "waits until it is known how the write of {} ended",
                    fact("holder")
                )
            }
            reason::CONFLICT => format!(
                "both sides were changed, and a person must decide: {} here, and {}",
                fact("fields"),
                fact("holder")
            ),
            reason::LOST_CONFLICT => format!(
                "both sides were changed, and {} won ({})",
                fact("holder"),
                fact("why")
            ),
            reason::DOUBLED => format!(
                "belongs to {} and to {}, which is {}",
                fact("one"),
                fact("other"),
                fact("holder")
            ),
            reason::TO_AND_FRO => format!(
                "{} says something else than {} wrote, time and again the same: each system writes it in its own way",
                fact("field"),
                fact("holder")
            ),
            reason::CAME_BACK => format!(
                "the answer was lost, and the target has {} again, which was voided before",
                fact("id")
            ),
            reason::MEMBER_CHANGED => format!("is in the document {} and changed since", fact("document")),
            reason::MAYBE_IN_A_DOCUMENT => "may be in a document that this ledger has forgotten".to_owned(),
            reason::NUMBER_FOUND => format!("the target has a document {} already", fact("number")),
            reason::DISSOLVED => format!("was taken apart before it was written: {}", fact("why")),
            other => other.to_owned(),
        }
    })
}
