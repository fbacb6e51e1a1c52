//! Lines of a document that the target knows by ids of its own.
//!
//! `$key` of an `$each` names what identifies a line in the source. A document says in which order its lines were
//! sent ([`LineList`]); whoever reads the answer stores the target's ids under the lines' keys, and hands them back as
//! [`LineIds`] when the record is written again, where `<<$line_id>>` reads them.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::path::Path;

/// A list of a target's document whose lines have a key, as the plan knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedList {
    /// Its place in every document; a star stands for the lines around it (`orders.*.batches`).
    pub list: Path,
    /// The list in the row, lines around it as stars.
    pub source: Path,
    /// The field that identifies a line, below a line of the row.
    pub key: Path,
}

/// The lines of one list of one document, in the order in which they are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineList {
    /// The place of the list in every document, as in [`KeyedList`].
    pub list: Path,
    /// Its place in this document (`orders.0.batches`).
    pub at: Path,
    /// The key of each line: a JSON list of texts, those of the lines around it first. One for each element.
    pub keys: Vec<String>,
}

/// What the target calls the lines of one record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LineIds {
    ids: HashMap<(String, String), String>,
}

impl LineIds {
    /// None yet.
    pub fn new() -> LineIds {
        LineIds::default()
    }

    /// None, for records that were never written.
    pub fn none() -> &'static LineIds {
        static NONE: LazyLock<LineIds> = LazyLock::new(LineIds::default);
        &NONE
    }

    /// Remembers what the target calls a line: the place of its list as text, its key as in [`LineList::keys`].
    pub fn insert(&mut self, list: &str, key: &str, id: String) {
        self.ids.insert((list.to_owned(), key.to_owned()), id);
    }

    /// What the target calls a line.
    pub fn get(&self, list: &str, key: &str) -> Option<&str> {
        self.ids
            .get(&(list.to_owned(), key.to_owned()))
            .map(String::as_str)
    }
}

impl FromIterator<((String, String), String)> for LineIds {
    fn from_iter<I: IntoIterator<Item = ((String, String), String)>>(ids: I) -> LineIds {
        LineIds {
            ids: ids.into_iter().collect(),
        }
    }
}
