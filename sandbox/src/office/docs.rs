//! Documents by internal id, and by the number their system knows them by; rebuilt from the journal at start.
//!
//! A document keeps its fields as they were sent; what an update does not name stays. Whether a number may come twice
//! is left to the system that asks.

use std::collections::{BTreeMap, HashMap};

use crate::journal::{Action, RowLine};
use crate::kingdee::store::Fields;

/// First internal id; seeded rows have lower ones.
const FIRST_ID: u64 = 900_000_001;

#[derive(Debug)]
pub(crate) struct Doc {
    pub(crate) org: Box<str>,
    pub(crate) number: Box<str>,
    pub(crate) fields: Fields,
    pub(crate) created_ms: i64,
    pub(crate) modified_ms: i64,
    pub(crate) version: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Docs {
    by_id: BTreeMap<u64, Doc>,
    /// The first document of a number, by organisation and number.
    by_number: HashMap<(Box<str>, Box<str>), u64>,
}

impl Docs {
    pub(super) fn count(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn get(&self, id: u64) -> Option<&Doc> {
        self.by_id.get(&id)
    }

    pub(super) fn find(&self, org: &str, number: &str) -> Option<u64> {
        self.by_number.get(&(org.into(), number.into())).copied()
    }

    /// All of an organisation, by rising id.
    pub(super) fn all(&self, org: &str) -> impl Iterator<Item = (u64, &Doc)> {
        let of_org = move |(_, doc): &(&u64, &Doc)| *doc.org == *org;
        self.by_id.iter().filter(of_org).map(|(id, doc)| (*id, doc))
    }

    pub(super) fn next_id(&self) -> u64 {
        let last = self.by_id.last_key_value().map_or(0, |(id, _)| *id);
        (last + 1).max(FIRST_ID)
    }

    /// The line of a document that is new.
    pub(super) fn create(&self, dindex: usize, org: &str, number: &str, content: &str) -> RowLine {
        super::line(Action::Create, dindex, org, number, self.next_id(), content, 1)
    }

    /// The line of a change; a seeded row has no version that a journal knows.
    pub(super) fn update(&self, dindex: usize, org: &str, number: &str, id: u64, content: &str) -> RowLine {
        let version = self.get(id).map_or(0, |doc| doc.version) + 1;
        super::line(Action::Update, dindex, org, number, id, content, version)
    }

    /// Does what a row of the journal says.
    pub(super) fn apply(&mut self, at_ms: i64, row: &RowLine) {
        let sent: Fields = serde_json::from_str(&row.content).unwrap_or_default();
        let doc = self.by_id.entry(row.id).or_insert_with(|| Doc {
            org: row.org.as_str().into(),
            number: row.number.as_str().into(),
            fields: Fields::new(),
            created_ms: at_ms,
            modified_ms: at_ms,
            version: 0,
        });
        doc.modified_ms = at_ms;
        doc.version = row.version;
        doc.fields.extend(sent);
        let key = (doc.org.clone(), doc.number.clone());
        self.by_number.entry(key).or_insert(row.id);
    }
}
