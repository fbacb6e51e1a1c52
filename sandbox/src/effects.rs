//! What the journal says about each document key: how often it was made, changed, and by what sort of call.
//!
//! Facts only. Which of them are wrong depends on what was promised, and is judged elsewhere; but a key that was
//! created twice is never right.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::crypto::sha256_hex;
use crate::journal::{Delivery, JournalEntry};

/// Everything executed for one key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Effects {
    /// Form id, or `documents` of the plain system.
    pub form: String,
    /// Organisation; empty where there are none.
    pub org: String,
    /// Number or key.
    pub number: String,
    /// Internal ids, in the order they were made.
    pub ids: Vec<u64>,
    /// Executed creates.
    pub creates: u64,
    /// Executed updates.
    pub updates: u64,
    /// Executed steps: submit, audit, delete, ...
    pub steps: u64,
    /// Saves with the very content of the save before.
    pub repeats: u64,
    /// Saves and steps that were executed because a proxy replayed a call.
    pub again: u64,
    /// Saves and steps that were executed after the client was gone, or could have been.
    pub late: u64,
    /// Hash of the content saved last.
    pub last_sha256: String,
}

impl Effects {
    /// There is more than one document where one was meant.
    pub fn is_doubled(&self) -> bool {
        self.creates > 1
    }

    fn add(&mut self, entry: &JournalEntry) {
        self.again += u64::from(entry.delivery == Delivery::Again);
        self.late += u64::from(entry.delivery == Delivery::Late);
        if !self.ids.contains(&entry.id) {
            self.ids.push(entry.id);
        }
        match entry.action.as_str() {
            "create" => self.creates += 1,
            "update" => self.updates += 1,
            _ => {
                self.steps += 1;
                return;
            }
        }
        let sha256 = sha256_hex(entry.content.as_bytes());
        self.repeats += u64::from(self.last_sha256 == sha256);
        self.last_sha256 = sha256;
    }
}

/// Effects by form, organisation and number.
#[derive(Debug, Default)]
pub(crate) struct Counted(BTreeMap<(String, String, String), Effects>);

impl Counted {
    pub(crate) fn add(&mut self, entry: &JournalEntry) {
        let key = (entry.form.clone(), entry.org.clone(), entry.number.clone());
        let effects = self.0.entry(key).or_insert_with(|| Effects {
            form: entry.form.clone(),
            org: entry.org.clone(),
            number: entry.number.clone(),
            ..Effects::default()
        });
        effects.add(entry);
    }

    pub(crate) fn into_list(self) -> Vec<Effects> {
        self.0.into_values().collect()
    }
}

/// Counts what was executed, by key.
pub fn effects<'a>(journal: impl IntoIterator<Item = &'a JournalEntry>) -> Vec<Effects> {
    let mut counted = Counted::default();
    journal.into_iter().for_each(|entry| counted.add(entry));
    counted.into_list()
}
