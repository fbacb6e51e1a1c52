//! Documents of a system that may know a number twice, rebuilt from the journal at start.
//!
//! A document keeps what was sent last, as it was sent. Whether a number may be taken twice is each system's own rule.

use std::collections::{BTreeMap, HashMap};

use crate::journal::{Action, RowLine, Write};

/// One of them.
#[derive(Debug)]
pub(crate) struct Bill {
    pub(crate) id: u64,
    pub(crate) number: String,
    /// The JSON object that was sent last.
    pub(crate) content: String,
    pub(crate) modified_ms: i64,
    /// Saves so far.
    pub(crate) version: u64,
}

/// Documents of one kind.
#[derive(Debug)]
pub(crate) struct Bills {
    first: u64,
    by_id: BTreeMap<u64, Bill>,
    by_number: HashMap<String, Vec<u64>>,
}

impl Bills {
    /// None yet; the first one gets this id.
    pub(crate) fn from_id(first: u64) -> Bills {
        Bills {
            first,
            by_id: BTreeMap::new(),
            by_number: HashMap::new(),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Bill> {
        self.by_id.get(&id)
    }

    /// All of them by rising id.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Bill> {
        self.by_id.values()
    }

    /// Those with this number, oldest first.
    pub(crate) fn with_number(&self, number: &str) -> impl Iterator<Item = &Bill> {
        let ids = self.by_number.get(number).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| self.by_id.get(id))
    }

    fn next_id(&self) -> u64 {
        let last = self.by_id.last_key_value().map(|(id, _)| id + 1);
        last.unwrap_or(self.first)
    }

    /// The journal row of a new document, which takes its place at once.
    pub(crate) fn create(&mut self, dindex: usize, now_ms: i64, number: &str, content: &str) -> RowLine {
        let row = line(Action::Create, dindex, self.next_id(), number, content, 1);
        self.apply(now_ms, &row);
        row
    }

    /// The journal row of a change; `None` when there is no such document.
    pub(crate) fn update(&mut self, dindex: usize, now_ms: i64, id: u64, content: &str) -> Option<RowLine> {
        let bill = self.by_id.get(&id)?;
        let row = line(
            Action::Update,
            dindex,
            id,
            &bill.number.clone(),
            content,
            bill.version + 1,
        );
        self.apply(now_ms, &row);
        Some(row)
    }

    /// Does what a line of the journal says.
    pub(crate) fn replay(&mut self, write: &Write) {
        for row in &write.rows {
            self.apply(write.at_ms, row);
        }
    }

    fn apply(&mut self, at_ms: i64, row: &RowLine) {
        if row.action == Action::Create {
            let ids = self.by_number.entry(row.number.clone()).or_default();
            ids.push(row.id);
        }
        let bill = Bill {
            id: row.id,
            number: row.number.clone(),
            content: row.content.clone(),
            modified_ms: at_ms,
            version: row.version,
        };
        self.by_id.insert(row.id, bill);
    }
}

fn line(action: Action, dindex: usize, id: u64, number: &str, content: &str, version: u64) -> RowLine {
    RowLine {
        dindex,
        action,
        org: String::new(),
        number: number.to_owned(),
        id,
        status: 'A',
        content: content.to_owned(),
        keeps_lines: false,
        version,
    }
}
