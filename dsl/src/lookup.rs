//! Look-ups: a field of a row that another scheme stored, found by the values of some of its fields.
//!
//! A tree lists its look-ups by level ([`Level`]): the keys of one level are collected for a whole page, fetched with
//! one query per look-up, put into [`Hits`], and only then the next level's keys are computed. Fetching is left to
//! the caller; nothing here waits for anything.

use std::collections::HashMap;

use crate::path::Path;
use crate::value::Value;

/// One look-up of a tree, without the values of its keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LookupSpec {
    /// Its number in the tree.
    pub id: usize,
    /// The scheme whose rows are searched, by its id.
    pub scheme: String,
    /// The field that is wanted; `$key`, `$target.id` and the like name what the ledger knows of the row.
    pub get: Path,
    /// The fields that are compared, in the order in which keys are given.
    pub by: Vec<Path>,
    /// Whether several rows with these keys are an error; otherwise the newest wins.
    pub only: bool,
}

/// The look-ups that can be fetched together: their keys need nothing but the record and the levels before.
pub type Level = Vec<LookupSpec>;

/// A look-up with the values of its keys: what has to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupWant {
    /// The look-up.
    pub spec: LookupSpec,
    /// The texts of its keys, in the order of `spec.by`.
    pub keys: Vec<String>,
}

/// What was found for one set of keys.
#[derive(Debug, Clone, PartialEq)]
pub enum Hit {
    /// Nothing.
    None,
    /// One row, or the newest of several where that is allowed.
    One(Value),
    /// So many rows, where only one is allowed.
    Several(usize),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct HitKey {
    scheme: String,
    get: Path,
    by: Vec<Path>,
    only: bool,
    keys: Vec<String>,
}

impl HitKey {
    fn of(spec: &LookupSpec, keys: &[String]) -> HitKey {
        HitKey {
            scheme: spec.scheme.clone(),
            get: spec.get.clone(),
            by: spec.by.clone(),
            only: spec.only,
            keys: keys.to_vec(),
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

    /// Remembers a value, or that nothing was found.
    pub fn insert(&mut self, spec: &LookupSpec, keys: &[String], value: Option<Value>) {
        let hit = value.map_or(Hit::None, Hit::One);
        self.found.insert(HitKey::of(spec, keys), hit);
    }

    /// Remembers that several rows were found where one was wanted.
    pub fn insert_several(&mut self, spec: &LookupSpec, keys: &[String], count: usize) {
        self.found.insert(HitKey::of(spec, keys), Hit::Several(count));
    }

    /// What is known about these keys; `None` when nobody asked yet.
    pub fn get(&self, spec: &LookupSpec, keys: &[String]) -> Option<&Hit> {
        self.found.get(&HitKey::of(spec, keys))
    }

    /// Whether the answer for these keys is known.
    pub fn knows(&self, want: &LookupWant) -> bool {
        self.found.contains_key(&HitKey::of(&want.spec, &want.keys))
    }

    /// Forgets what was not found, so that a later page asks again.
    pub fn forget_misses(&mut self) {
        self.found.retain(|_, hit| matches!(hit, Hit::One(_)));
    }
}
