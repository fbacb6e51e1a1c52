//! What look-ups found, so laid out that a row asks by the text of its key alone.

use std::collections::HashMap;
use std::sync::Arc;

use crate::json;
use crate::lookup::{Found, Hits, LookupSpec, LookupWant};
use crate::value::Value;

/// What was found for the look-ups of one [`super::Fast`]; what is put in stays until [`Answers::clear`]. How much is
/// kept is for the caller to bound.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// The same for the plain evaluator.
    hits: Hits,
    tables: Vec<Table>,
}

#[derive(Debug, Clone)]
struct Table {
    spec: LookupSpec,
    /// By key; `None` for what the plain evaluator has to see: nothing, or several.
    found: HashMap<Box<str>, Option<Arc<Answer>>>,
}

/// The one row's value.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) value: Value,
    /// As it is written into a document.
    pub(super) json: Box<[u8]>,
}

impl Answers {
    pub(super) fn of(specs: impl Iterator<Item = LookupSpec>) -> Answers {
        let tables = specs.map(|spec| Table {
            spec,
            found: HashMap::new(),
        });
        Answers {
            hits: Hits::new(),
            tables: tables.collect(),
        }
    }

    /// Remembers what was found.
    pub fn insert(&mut self, want: &LookupWant, found: Found) {
        let answer = found.value.as_ref().filter(|_| found.matches == 1).map(|value| {
            let mut json = Vec::new();
            json::write(value, &mut json);
            Arc::new(Answer {
                value: value.clone(),
                json: json.into(),
            })
        });
        self.keep(want, answer);
        self.hits.insert(want, found);
    }

    /// Remembers that several rows were found where one was wanted.
    pub fn insert_several(&mut self, want: &LookupWant, count: usize) {
        self.keep(want, None);
        self.hits.insert_several(want, count);
    }

    fn keep(&mut self, want: &LookupWant, answer: Option<Arc<Answer>>) {
        let key = joined(&want.keys);
        for table in self
            .tables
            .iter_mut()
            .filter(|table| asks_the_same(&table.spec, &want.spec))
        {
            table.found.insert(key.as_ref().into(), answer.clone());
        }
    }

    /// The answers as the plain evaluator reads them.
    pub fn hits(&self) -> &Hits {
        &self.hits
    }

    /// Remembers what somebody else keeps as well: what was found of this look-up, if it is one row. Otherwise it is left
    /// to the plain evaluator.
    pub fn learn(&mut self, want: &LookupWant, found: Option<&Value>) {
        let answer = found.map(|value| {
            let mut json = Vec::new();
            json::write(value, &mut json);
            Arc::new(Answer {
                value: value.clone(),
                json: json.into(),
            })
        });
        self.keep(want, answer);
    }

    /// Forgets what was not found, or several times, so that it is asked again.
    pub fn forget_misses(&mut self) {
        self.hits.forget_misses();
        for table in &mut self.tables {
            table.found.retain(|_, answer| answer.is_some());
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.tables.iter().map(|table| table.found.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.hits = Hits::new();
        for table in &mut self.tables {
            table.found.clear();
        }
    }

    /// Whether somebody asked already.
    pub(super) fn knows(&self, lookup: usize, key: &str) -> bool {
        self.tables
            .get(lookup)
            .is_some_and(|table| table.found.contains_key(key))
    }

    /// The value of the one row that was found.
    pub(super) fn one(&self, lookup: usize, key: &str) -> Option<&Answer> {
        self.tables.get(lookup)?.found.get(key)?.as_deref()
    }
}

/// The keys as one text.
pub(super) fn joined<S: AsRef<str>>(keys: &[S]) -> std::borrow::Cow<'_, str> {
    match keys {
        [key] => key.as_ref().into(),
        // With their lengths: no two lists of keys give the same text.
        keys => keys
            .iter()
            .map(|key| format!("{}:{}", key.as_ref().len(), key.as_ref()))
            .collect::<String>()
            .into(),
    }
}

/// Whether two look-ups share their answers.
fn asks_the_same(one: &LookupSpec, other: &LookupSpec) -> bool {
    LookupSpec {
        id: other.id,
        ..one.clone()
    } == *other
}
