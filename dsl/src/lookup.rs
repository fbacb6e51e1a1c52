//! Look-ups: a field of a row that another scheme stored, found by the values of some of its fields.
//!
//! A tree lists its look-ups by level ([`Level`]): the keys of one level are collected for a whole page, fetched with
//! one query per look-up, put into [`Hits`], and only then the next level's keys are computed. Fetching is left to
//! the caller; nothing here waits for anything.

mod condition;

use std::collections::HashMap;
use std::sync::Arc;

use crate::path::Path;
use crate::value::Value;

pub use condition::{Condition, Field, Known, Pattern, Test, matches};

/// What a look-up searches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Within {
    /// The rows that a scheme stored.
    #[default]
    Rows,
    /// What a scheme's records became at its target: by `$key` or `$target.id`, for the other one.
    Mapping,
    /// What the values of a field are called on the other side; [`LookupSpec::scheme`] is the name of the table.
    Fields(Box<FieldTable>),
}

/// Whether a kind of field mappings is the options of one field, `OBJECT.FIELD`: fields are the customer's own, so no
/// list has them.
pub fn is_option_field(name: &str) -> bool {
    let is_name = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || char == '_')
    };
    name.contains('.') && name.split('.').all(is_name)
}

/// Entries of field mappings.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldTable {
    /// What the values are: `employee`, `unit`.
    pub data_type: String,
    /// The channel; `None` = the only one that has such entries.
    pub channel: Option<String>,
    /// The data centre; `None` = the only one that has such entries.
    pub data_center: Option<String>,
}

/// One look-up of a tree, without the values of its keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LookupSpec {
    /// Its number in the tree.
    pub id: usize,
    /// What is searched.
    pub within: Within,
    /// The scheme whose rows are searched, by its id.
    pub scheme: String,
    /// The field that is wanted; `$key`, `$target.id` and the like name what the ledger knows of the row.
    pub get: Path,
    /// The fields that are compared as texts, in the order in which keys are given. Empty only if [`Self::filtered`].
    pub by: Vec<Path>,
    /// Whether several rows with these keys are an error; otherwise the newest wins.
    pub only: bool,
    /// Whether more is asked of a row than equality: then [`LookupWant::also`] says what.
    pub filtered: bool,
}

/// The look-ups that can be fetched together: their keys need nothing but the record and the levels before.
pub type Level = Vec<LookupSpec>;

/// A look-up with the values of its keys: what has to be fetched.
///
/// A row is found when each field of `spec.by` is written as its key, and `also` holds.
#[derive(Debug, Clone)]
pub struct LookupWant {
    /// The look-up.
    pub spec: LookupSpec,
    /// The texts of its keys, in the order of `spec.by`.
    pub keys: Vec<String>,
    /// What else must hold; there exactly when the look-up is filtered.
    pub also: Option<Arc<Condition>>,
    /// Whether its keys must not be shown: they, or the value it is for, are sensitive. Says nothing about what is asked.
    pub hidden: bool,
}

impl PartialEq for LookupWant {
    fn eq(&self, other: &Self) -> bool {
        self.spec == other.spec && self.keys == other.keys && self.also == other.also
    }
}

impl Eq for LookupWant {}

impl LookupWant {
    /// What is asked, for a message: `FName=件`, and a condition as it would be written; `FName=***` where that is
    /// sensitive.
    pub fn shown(&self) -> String {
        const MASK: &str = "***";
        let pairs = self.spec.by.iter().zip(&self.keys);
        let mut parts: Vec<String> = pairs
            .map(|(column, key)| format!("{column}={}", if self.hidden { MASK } else { key }))
            .collect();
        parts.extend(self.also.as_ref().map(|also| match self.hidden {
            true => MASK.to_owned(),
            false => also.to_string(),
        }));
        parts.join(" ")
    }

    /// Whether both search the same rows by the same keys; which field they take does not matter.
    pub fn searches_as(&self, other: &LookupWant) -> bool {
        (&self.spec.scheme, &self.spec.within, &self.spec.by)
            == (&other.spec.scheme, &other.spec.within, &other.spec.by)
            && self.keys == other.keys
            && self.also == other.also
    }

    /// Whether a key has no value: then nothing is asked, and nothing is found.
    pub fn has_empty_key(&self) -> bool {
        self.keys.iter().any(String::is_empty)
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The wanted field of the newest row that matches; `None` when no row does, or it has no such field.
    pub value: Option<Value>,
    /// How many rows match; two may stand for more.
    pub matches: usize,
}

impl Found {
    /// No row.
    pub fn none() -> Found {
        Found {
            value: None,
            matches: 0,
        }
    }

    /// The one row's value.
    pub fn one(value: Value) -> Found {
        Found {
            value: Some(value),
            matches: 1,
        }
    }
}

/// What was found for one set of keys.
#[derive(Debug, Clone, PartialEq)]
pub enum Hit {
    /// Nothing.
    None,
    /// One row, or the newest of several where that is allowed.
    One {
        /// The wanted field.
        value: Value,
        /// How many rows match; two may stand for more.
        matches: usize,
    },
    /// So many rows, where only one is allowed.
    Several(usize),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct HitKey {
    within: Within,
    scheme: String,
    get: Path,
    by: Vec<Path>,
    only: bool,
    keys: Vec<String>,
    also: Option<Arc<Condition>>,
}

impl HitKey {
    fn of(want: &LookupWant) -> HitKey {
        HitKey {
            within: want.spec.within.clone(),
            scheme: want.spec.scheme.clone(),
            get: want.spec.get.clone(),
            by: want.spec.by.clone(),
            only: want.spec.only,
            keys: want.keys.clone(),
            also: want.also.clone(),
        }
    }
}

/// What look-ups found so far, shared by the records of a page. Two look-ups that ask the same share one answer.
#[derive(Debug, Clone, Default)]
pub struct Hits {
    found: HashMap<HitKey, Hit>,
}

impl Hits {
    /// Nothing was looked up yet.
    pub fn new() -> Hits {
        Hits::default()
    }

    /// Remembers what was found.
    pub fn insert(&mut self, want: &LookupWant, found: Found) {
        let matches = found.matches;
        let hit = found.value.map_or(Hit::None, |value| Hit::One { value, matches });
        self.found.insert(HitKey::of(want), hit);
    }

    /// Remembers that several rows were found where one was wanted.
    pub fn insert_several(&mut self, want: &LookupWant, count: usize) {
        self.found.insert(HitKey::of(want), Hit::Several(count));
    }

    /// What is known about a look-up; `None` when nobody asked yet.
    pub fn get(&self, want: &LookupWant) -> Option<&Hit> {
        self.found.get(&HitKey::of(want))
    }

    /// Whether the answer is known.
    pub fn knows(&self, want: &LookupWant) -> bool {
        self.get(want).is_some()
    }

    /// Forgets what was not found, so that a later page asks again.
    pub fn forget_misses(&mut self) {
        self.found.retain(|_, hit| matches!(hit, Hit::One { .. }));
    }
}
