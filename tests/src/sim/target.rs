//! The model target: documents with a key, a journal of what was executed, and calls that are executed late.

use std::collections::BTreeMap;

use flow::classify::Proof;
use flow::ids::Ms;
use flow::op::WriteAction;

use super::content::{Content, Kind};
use super::setup::Setup;

/// A document.
#[derive(Debug, Clone)]
pub(super) struct Document {
    /// Its natural key.
    pub(super) tkey: String,
    /// What it says; `None` = written by somebody else and never by us.
    pub(super) content: Option<Content>,
}

/// One row of a call, as the target sees it.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// What is to be done.
    pub(super) action: WriteAction,
    /// The document's id, for all but a create.
    pub(super) id: Option<String>,
    /// Its key.
    pub(super) tkey: String,
    /// What it will say.
    pub(super) content: Content,
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Executed.
    Accepted(String),
    /// Refused, nothing happened.
    Rejected,
    /// Refused: the key is taken.
    Exists,
}

/// Something the target executed.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// A new document was made.
    pub(super) created: bool,
    /// The document.
    pub(super) id: String,
    /// What it says since.
    pub(super) content: Content,
}

/// The target.
#[derive(Debug, Default)]
pub(super) struct Target {
    /// By id.
    pub(super) documents: BTreeMap<String, Document>,
    /// Everything executed, in order.
    pub(super) journal: Vec<Entry>,
    late: Vec<(Ms, Vec<Row>)>,
    keys_used: BTreeMap<String, String>,
}

impl Target {
    /// A target; with `foreign` some documents are there already.
    pub(super) fn new(setup: &Setup) -> Self {
        let mut target = Target::default();
        for customer in (0..100).filter(|customer| setup.is_foreign(*customer)) {
            let id = format!("F{customer}");
            let tkey = setup.tkey(customer);
            if target.of_key(&tkey).is_empty() {
                target.documents.insert(id, Document { tkey, content: None });
            }
        }
        target
    }

    /// Ids of the documents with a key.
    pub(super) fn of_key(&self, tkey: &str) -> Vec<&str> {
        let with_key = self
            .documents
            .iter()
            .filter(|(_, document)| document.tkey == tkey);
        with_key.map(|(id, _)| id.as_str()).collect()
    }

    /// Executes a row now.
    pub(super) fn execute(&mut self, setup: &Setup, row: &Row) -> Outcome {
        if row.content.kind == Kind::Poison {
            return Outcome::Rejected;
        }
        if row.action != WriteAction::Create {
            let id = row.id.clone().unwrap_or_default();
            return match self.documents.get_mut(&id) {
                Some(document) => {
                    document.content = Some(row.content);
                    self.wrote(false, id, row.content)
                }
                None => Outcome::Rejected,
            };
        }
        if setup.proof == Proof::Upsert
            && let Some(id) = self.of_key(&row.tkey).first()
        {
            let id = (*id).to_owned();
            self.documents.get_mut(&id).expect("just found").content = Some(row.content);
            return self.wrote(false, id, row.content);
        }
        let idempotency_key = format!("{} {}", row.tkey, row.content);
        if setup.proof == Proof::IdempotencyKey
            && let Some(id) = self.keys_used.get(&idempotency_key)
        {
            return Outcome::Accepted(id.clone());
        }
        if setup.unique && !self.of_key(&row.tkey).is_empty() {
            return Outcome::Exists;
        }
        let id = format!("D{}", self.journal.len());
        self.keys_used.insert(idempotency_key, id.clone());
        self.documents.insert(
            id.clone(),
            Document {
                tkey: row.tkey.clone(),
                content: Some(row.content),
            },
        );
        self.wrote(true, id, row.content)
    }

    fn wrote(&mut self, created: bool, id: String, content: Content) -> Outcome {
        self.journal.push(Entry {
            created,
            id: id.clone(),
            content,
        });
        Outcome::Accepted(id)
    }

    /// Will be executed later, whatever the caller thinks.
    pub(super) fn execute_later(&mut self, at: Ms, rows: Vec<Row>) {
        self.late.push((at, rows));
    }

    /// Whether a call with this key is still to be executed.
    pub(super) fn is_late(&self, tkey: &str) -> bool {
        self.late
            .iter()
            .any(|(_, rows)| rows.iter().any(|row| row.tkey == tkey))
    }

    /// Time passes.
    pub(super) fn advance(&mut self, setup: &Setup, now: Ms) {
        self.late.sort_by_key(|(at, _)| *at);
        while self.late.first().is_some_and(|(at, _)| *at <= now) {
            let (_, rows) = self.late.remove(0);
            for row in &rows {
                self.execute(setup, row);
            }
        }
    }
}
