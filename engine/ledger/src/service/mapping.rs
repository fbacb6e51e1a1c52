//! Mappings of documents that people set: what is asked for, and what became of it.
//!
//! The table is the one that the engine fills after each write. A mapping may be there before its record; the record
//! then takes the id when its row comes, so that the scheme updates that document and makes none.

use flow::ids::{Ms, RecordId};
use flow::op::RecordState;

/// Who said which document it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeBy {
    /// A write that the target accepted.
    Engine,
    /// A call of the HTTP API, or of the platform's protocol.
    Api,
    /// A person at the command line.
    Cli,
    /// A line of a file.
    Import,
}

impl MadeBy {
    /// All of them.
    pub const ALL: [MadeBy; 4] = [MadeBy::Engine, MadeBy::Api, MadeBy::Cli, MadeBy::Import];

    /// The word stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            MadeBy::Engine => "engine",
            MadeBy::Api => "api",
            MadeBy::Cli => "cli",
            MadeBy::Import => "import",
        }
    }

    /// The one of a stored word; the tables hold no others.
    pub fn of(word: &str) -> MadeBy {
        let known = MadeBy::ALL.into_iter().find(|by| by.word() == word);
        known.unwrap_or(MadeBy::Engine)
    }
}

/// Which mapping.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MappingKey {
    /// The scheme.
    pub scheme: String,
    /// Key of the source record, as it is stored.
    pub key: String,
    /// Name of the target's connection.
    pub target: String,
    /// Kind of document.
    pub form: String,
}

/// What may already be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Nothing, or the same.
    Create,
    /// A mapping.
    Update,
    /// Anything.
    Put,
}

/// The names that go with a mapping; `None` leaves what is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MappingNames {
    /// What people call the source record; the next row of it says it anew.
    pub source: Option<String>,
    /// What people call the document.
    pub dest: Option<String>,
    /// The id of the source's master, where this is the mapping of one of its lines.
    pub master: Option<String>,
    /// A remark.
    pub remark: Option<String>,
}

/// A mapping to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetMapping {
    /// Which.
    pub at: MappingKey,
    /// The id of the document.
    pub id: String,
    /// The names.
    pub names: MappingNames,
    /// What may be there.
    pub manner: Manner,
    /// The id that was seen there, `Some(None)` = none; where it is another one by now, nothing is done.
    pub seen: Option<Option<String>>,
    /// Whether another source record may have this document.
    pub allow_double: bool,
    /// Whether the mapping of another source record without rows may give the document up.
    pub may_move: bool,
    /// Who, in a word.
    pub by: MadeBy,
    /// Who, by name.
    pub who: String,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MappingRuling {
    /// There was none.
    Made,
    /// There was one with this id.
    Changed {
        /// The id before.
        before: Option<String>,
    },
    /// The id was there already. Names may be new.
    Same,
    /// There is one with another id.
    Taken {
        /// The id.
        id: String,
    },
    /// There is none.
    Missing,
    /// It is not as it was seen.
    Stale {
        /// The id now.
        id: Option<String>,
    },
    /// Another source record has this document.
    Double {
        /// Its key, as it is stored.
        holder: String,
    },
    /// A send of the record is under way or in doubt.
    Busy {
        /// State of the record.
        state: RecordState,
    },
    /// The record became a document of another target, or of another kind.
    Elsewhere {
        /// Connection.
        target: String,
        /// Kind of document.
        form: String,
    },
    /// Taken away.
    Removed,
    /// The record has been written: without the mapping it would be made a second time.
    Written,
}

impl MappingRuling {
    /// Whether it is now as it was asked for.
    pub fn is_done(&self) -> bool {
        matches!(
            self,
            MappingRuling::Made
                | MappingRuling::Changed { .. }
                | MappingRuling::Same
                | MappingRuling::Removed
        )
    }
}

/// A mapping as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingEntry {
    /// Its number; 0 = there is none, only the record.
    pub id: i64,
    /// Which.
    pub at: MappingKey,
    /// The record; `None` = no row of it has come yet.
    pub record: Option<RecordId>,
    /// Its state.
    pub state: Option<RecordState>,
    /// What people call the source record.
    pub label: String,
    /// Key of the document at the target.
    pub tkey: Option<String>,
    /// Internal id at the target.
    pub target_id: Option<String>,
    /// Number at the target.
    pub number: Option<String>,
    /// What people call the document.
    pub dest_name: Option<String>,
    /// The id of the source's master, for the mapping of a line.
    pub master: Option<String>,
    /// A remark.
    pub remark: Option<String>,
    /// Who made it.
    pub by: MadeBy,
    /// When it was made.
    pub created: Ms,
    /// When it was last written.
    pub changed: Ms,
}

/// Which mappings, one for each source record and kind of document, in the order in which they were made.
#[derive(Debug, Clone, Default)]
pub struct EntryFilter {
    /// Of these schemes; empty = of all.
    pub schemes: Vec<String>,
    /// Of the record with this key, as it is stored.
    pub key: Option<String>,
    /// With this id or number at the target.
    pub target_id: Option<String>,
    /// Of this kind of document.
    pub form: Option<String>,
    /// Behind the mapping with this number.
    pub after: i64,
    /// At most.
    pub limit: u32,
}

/// What is wrong with a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// No row of its source record has ever come.
    NoRecord,
    /// It names no document.
    NoDestination,
    /// Its record was written, and there is no mapping.
    NoMapping,
    /// Another source record of the scheme has the same document.
    Double,
}

impl Flaw {
    /// The word shown.
    pub fn word(self) -> &'static str {
        match self {
            Flaw::NoRecord => "no_record",
            Flaw::NoDestination => "no_destination",
            Flaw::NoMapping => "no_mapping",
            Flaw::Double => "double",
        }
    }
}

/// A change of the id at the destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingChange {
    /// Its number: changes happened in this order.
    pub id: i64,
    /// When.
    pub at: Ms,
    /// Who, in a word.
    pub by: MadeBy,
    /// Who, by name.
    pub who: String,
    /// The id before.
    pub before: Option<String>,
    /// The id after; `None` = the mapping was taken away.
    pub after: Option<String>,
}
