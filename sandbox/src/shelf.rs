//! Documents of a system that takes the same key twice and keeps one document, rebuilt from the journal at start.

use std::collections::BTreeMap;

use crate::journal::{Action, RowLine};

/// First internal id.
const FIRST_ID: u64 = 800_001;

#[derive(Debug)]
struct Document {
    id: u64,
    version: u64,
}

/// Documents by organisation and key.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    by_key: BTreeMap<(String, String), Document>,
}

impl Shelf {
    pub(crate) fn count(&self) -> usize {
        self.by_key.len()
    }

    /// What a save of this document is: the first of its key, or a change.
    pub(crate) fn save(&self, dindex: usize, org: &str, key: &str, content: &str) -> RowLine {
        let old = self.by_key.get(&(org.to_owned(), key.to_owned()));
        let next = || FIRST_ID + u64::try_from(self.by_key.len()).unwrap_or(0);
        RowLine {
            dindex,
            action: if old.is_some() {
                Action::Update
            } else {
                Action::Create
            },
            org: org.to_owned(),
            number: key.to_owned(),
            id: old.map_or_else(next, |old| old.id),
            status: 'A',
            content: content.to_owned(),
            keeps_lines: false,
            version: old.map_or(0, |old| old.version) + 1,
        }
    }

    /// Does what a row says.
    pub(crate) fn apply(&mut self, row: &RowLine) {
        let key = (row.org.clone(), row.number.clone());
        let document = Document {
            id: row.id,
            version: row.version,
        };
        self.by_key.insert(key, document);
    }
}
