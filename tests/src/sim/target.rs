//! The model target: documents with a key, a journal of what was executed, and calls that are executed late.

use std::collections::{BTreeMap, BTreeSet};

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
    /// How many of its steps are made.
    pub(super) steps: usize,
}

/// One row of a call, as the target sees it.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// What is to be done.
    pub(super) action: WriteAction,
    /// Which further call, by its place.
    pub(super) step: Option<usize>,
    /// The document's id, for all but a create.
    pub(super) id: Option<String>,
    /// Its key.
    pub(super) tkey: String,
    /// What it will say.
    pub(super) content: Content,
}

impl Row {
    /// The target refuses the document.
    pub(super) fn is_poison(&self) -> bool {
        self.content.kind == Kind::Poison && self.step.is_none()
    }
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Executed.
    Accepted(String),
    /// Written, but what should have followed in the same call was not done.
    Half(String),
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
    /// Which further call.
    pub(super) step: Option<usize>,
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
    /// Keys of calls that it remembers, and since when.
    keys_used: BTreeMap<String, (String, Ms)>,
    /// Steps that were refused.
    refused: BTreeSet<(String, usize)>,
    now: Ms,
}

impl Target {
    /// A target; with `foreign` some documents are there already.
    pub(super) fn new(setup: &Setup) -> Self {
        let mut target = Target::default();
        for customer in (0..100).filter(|customer| setup.is_foreign(*customer)) {
            let id = format!("F{customer}");
            let tkey = setup.tkey(customer);
            if target.of_key(&tkey).is_empty() {
                target.documents.insert(
                    id,
                    Document {
                        tkey,
                        content: None,
                        steps: 0,
                    },
                );
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
        if let Some(step) = row.step {
            return self.step(setup, row, step);
        }
        if row.is_poison() {
            return Outcome::Rejected;
        }
        if row.action != WriteAction::Create {
            let id = row.id.clone().unwrap_or_default();
            if !self.documents.contains_key(&id) {
                return Outcome::Rejected;
            }
            return self.wrote(setup, row, false, id);
        }
        if setup.proof == Proof::Upsert
            && let Some(id) = self.of_key(&row.tkey).first()
        {
            let id = (*id).to_owned();
            return self.wrote(setup, row, false, id);
        }
        let idempotency_key = format!("{} {}", row.tkey, row.content);
        if setup.proof == Proof::IdempotencyKey
            && let Some((id, since)) = self.keys_used.get(&idempotency_key)
            && self.now - since < setup.remembers
        {
            let made = self.documents.get(id).map_or(0, |document| document.steps);
            // What it answered the first time.
            return if setup.by_itself && made < 2 {
                Outcome::Half(id.clone())
            } else {
                Outcome::Accepted(id.clone())
            };
        }
        if setup.unique && !self.of_key(&row.tkey).is_empty() {
            return Outcome::Exists;
        }
        let id = format!("D{}", self.journal.len());
        self.keys_used.insert(idempotency_key, (id.clone(), self.now));
        self.documents.insert(
            id.clone(),
            Document {
                tkey: row.tkey.clone(),
                content: None,
                steps: 0,
            },
        );
        self.wrote(setup, row, true, id)
    }

    /// A further call: only in its turn, and only once.
    fn step(&mut self, setup: &Setup, row: &Row, step: usize) -> Outcome {
        let id = row.id.clone().unwrap_or_default();
        let Some(document) = self.documents.get_mut(&id) else {
            return Outcome::Rejected;
        };
        if document.steps != step {
            return Outcome::Rejected;
        }
        // Where the document does not change, what is wrong with it is put right by somebody else.
        let is_first = self.refused.insert((id.clone(), step));
        if setup.refuses(&row.content, step) && (is_first || setup.updates) {
            return Outcome::Rejected;
        }
        document.steps += 1;
        self.journal.push(Entry {
            created: false,
            id: id.clone(),
            step: Some(step),
            content: row.content,
        });
        Outcome::Accepted(id)
    }

    fn wrote(&mut self, setup: &Setup, row: &Row, created: bool, id: String) -> Outcome {
        let document = self.documents.get_mut(&id).expect("its id is known");
        document.content = Some(row.content);
        document.steps = 0;
        self.journal.push(Entry {
            created,
            id: id.clone(),
            step: None,
            content: row.content,
        });
        if !setup.by_itself || row.action == WriteAction::Void {
            return Outcome::Accepted(id);
        }
        // How far it gets follows from the row, so that a seed gives the same again.
        let gets = usize::try_from(row.content.serial % 3).expect("small");
        let made = Row {
            id: Some(id.clone()),
            ..row.clone()
        };
        let all = (0..gets).all(|step| matches!(self.step(setup, &made, step), Outcome::Accepted(_)));
        if gets == 2 && all {
            Outcome::Accepted(id)
        } else {
            Outcome::Half(id)
        }
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
            let (at, rows) = self.late.remove(0);
            // At its own time: what it remembers, it remembers since then.
            self.now = self.now.max(at);
            for row in &rows {
                self.execute(setup, row);
            }
        }
        self.now = now;
    }
}
