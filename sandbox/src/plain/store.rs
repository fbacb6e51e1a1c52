//! The documents of the plain system, rebuilt from the journal at start.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde_json::json;

use crate::journal::{Action, RowLine, Write};
use crate::kingdee::filter::Cell;

/// What the journal calls them.
pub(super) const FORM: &str = "documents";
const FIRST_ID: u64 = 700_001;
/// Most idempotency keys remembered; the oldest goes first.
const MAX_KEYS: usize = 100_000;

#[derive(Debug)]
pub(crate) struct Document {
    pub(super) id: u64,
    pub(super) version: u64,
    pub(super) updated_ms: i64,
    key: Box<str>,
    content: Box<str>,
}

impl Document {
    /// What a condition compares.
    pub(super) fn cell(&self, field: &str) -> Cell {
        match field {
            "key" => Cell::Text(self.key.to_string()),
            "id" => Cell::Number(self.id.to_string()),
            _ => Cell::Null,
        }
    }

    /// As it is answered; the content stands there as it was sent.
    pub(super) fn json(&self) -> String {
        let (id, version, at) = (self.id, self.version, self.updated_ms);
        let (key, content) = (json!(self.key), &self.content);
        format!(r#"{{"id":{id},"key":{key},"version":{version},"updated_ms":{at},"document":{content}}}"#)
    }
}

/// An executed call that carried an idempotency key.
#[derive(Debug)]
pub(super) struct Known {
    at_ms: i64,
    key: String,
    pub(super) sha256: String,
    pub(super) status: u16,
    pub(super) answer: String,
}

#[derive(Debug, Default)]
pub(crate) struct Documents {
    by_id: BTreeMap<u64, Document>,
    by_key: HashMap<Box<str>, Vec<u64>>,
    known: VecDeque<Known>,
}

impl Documents {
    pub(crate) fn count(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn next_id(&self) -> u64 {
        self.by_id.last_key_value().map_or(FIRST_ID, |(id, _)| id + 1)
    }

    /// All documents with this key, oldest first.
    pub(super) fn with_key(&self, key: &str) -> impl Iterator<Item = &Document> {
        let ids = self.by_key.get(key).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| self.by_id.get(id))
    }

    /// All documents by rising id.
    pub(super) fn all(&self) -> impl Iterator<Item = &Document> {
        self.by_id.values()
    }

    /// The call with this idempotency key, if it was executed since.
    pub(super) fn replay(&self, key: &str, since_ms: i64) -> Option<&Known> {
        let mut known = self.known.iter().rev();
        known.find(|known| known.key == key && known.at_ms >= since_ms)
    }

    /// Does again what a line of the journal says.
    pub(crate) fn apply(&mut self, write: &Write) {
        if write.form == FORM {
            write.rows.iter().for_each(|row| self.apply_row(write.at_ms, row));
            self.remember(write);
        }
    }

    pub(super) fn remember(&mut self, write: &Write) {
        let Some(replay) = &write.replay else { return };
        if self.known.len() >= MAX_KEYS {
            self.known.pop_front();
        }
        self.known.push_back(Known {
            at_ms: write.at_ms,
            key: replay.key.clone(),
            sha256: write.sha256.clone(),
            status: replay.status,
            answer: replay.answer.clone(),
        });
    }

    pub(super) fn apply_row(&mut self, at_ms: i64, row: &RowLine) {
        let document = Document {
            id: row.id,
            version: row.version,
            updated_ms: at_ms,
            key: row.number.as_str().into(),
            content: row.content.as_str().into(),
        };
        if row.action == Action::Create {
            self.by_key.entry(document.key.clone()).or_default().push(row.id);
        }
        self.by_id.insert(row.id, document);
    }
}
