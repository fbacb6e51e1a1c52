//! The documents of the simulated Kingdee, rebuilt from the journal at start.
//!
//! A document keeps its fields as the text that was sent, so numbers and blanks stay what they were.
//! Only [`Store::apply`] changes anything, and it takes what the journal holds; the rules of saving
//! are in `save` and `steps`.

use std::collections::{BTreeMap, HashMap};

use serde_json::value::RawValue;

use super::forms::{self, Form};
use crate::journal::{Action, RowLine};

/// Fields of a document or a row: name and value as it was sent.
pub(crate) type Fields = BTreeMap<String, Box<RawValue>>;

/// First internal id.
const FIRST_ID: u64 = 100_001;

#[derive(Debug)]
pub(crate) struct Doc {
    pub(crate) id: u64,
    pub(crate) number: Box<str>,
    pub(crate) org: Box<str>,
    pub(crate) status: char,
    pub(crate) created_ms: i64,
    pub(crate) modified_ms: i64,
    /// JSON object: everything ever sent for this document, newest value of each field.
    fields: Box<str>,
}

impl Doc {
    pub(crate) fn fields(&self) -> Fields {
        serde_json::from_str(&self.fields).unwrap_or_default()
    }
}

#[derive(Debug, Default)]
struct Docs {
    by_id: BTreeMap<u64, Doc>,
    by_number: HashMap<Box<str>, Vec<u64>>,
}

#[derive(Debug)]
pub(crate) struct Store {
    forms: BTreeMap<&'static str, Docs>,
    next_id: u64,
    auto: u64,
}

impl Default for Store {
    fn default() -> Self {
        Store {
            forms: BTreeMap::new(),
            next_id: FIRST_ID,
            auto: 1,
        }
    }
}

impl Store {
    pub(crate) fn next_id(&self) -> u64 {
        self.next_id
    }

    /// A number for a document that came without one.
    pub(crate) fn auto_number(&self, form: &Form) -> String {
        let prefix = if form.unique { "AUTO" } else { "DJ" };
        format!("{prefix}{:06}", self.auto)
    }

    pub(crate) fn get(&self, form: &Form, id: u64) -> Option<&Doc> {
        self.forms.get(form.name)?.by_id.get(&id)
    }

    /// All documents with this number, of all organisations, oldest first.
    pub(crate) fn with_number(&self, form: &Form, number: &str) -> Vec<&Doc> {
        let Some(docs) = self.forms.get(form.name) else {
            return Vec::new();
        };
        let ids = docs.by_number.get(number).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| docs.by_id.get(id)).collect()
    }

    /// All documents by rising id.
    pub(crate) fn all(&self, form: &Form) -> impl DoubleEndedIterator<Item = &Doc> {
        self.forms
            .get(form.name)
            .into_iter()
            .flat_map(|docs| docs.by_id.values())
    }

    pub(crate) fn count(&self, form: &Form) -> usize {
        self.forms.get(form.name).map_or(0, |docs| docs.by_id.len())
    }

    /// Does what a journal row says.
    pub(crate) fn apply(&mut self, form_name: &str, at_ms: i64, row: &RowLine) {
        let Some(form) = forms::find(form_name) else {
            return;
        };
        let docs = self.forms.entry(form.name).or_default();
        match row.action {
            Action::Create => {
                self.next_id = self.next_id.max(row.id + 1);
                self.auto += u64::from(row.number.starts_with("AUTO") || row.number.starts_with("DJ"));
                let doc = Doc {
                    id: row.id,
                    number: row.number.as_str().into(),
                    org: row.org.as_str().into(),
                    status: row.status,
                    created_ms: at_ms,
                    modified_ms: at_ms,
                    fields: row.content.as_str().into(),
                };
                docs.by_number.entry(doc.number.clone()).or_default().push(row.id);
                docs.by_id.insert(row.id, doc);
            }
            Action::Update => {
                let Some(doc) = docs.by_id.get_mut(&row.id) else {
                    return;
                };
                let mut fields = doc.fields();
                let sent: Fields = serde_json::from_str(&row.content).unwrap_or_default();
                fields.extend(sent);
                doc.fields = serde_json::to_string(&fields)
                    .expect("raw values are JSON")
                    .into();
                doc.status = row.status;
                doc.modified_ms = at_ms;
                let old = std::mem::replace(&mut doc.number, row.number.as_str().into());
                if old.as_ref() != row.number {
                    docs.forget_number(&old, row.id);
                    docs.by_number
                        .entry(row.number.as_str().into())
                        .or_default()
                        .push(row.id);
                }
            }
            Action::Submit | Action::Audit | Action::Unaudit => {
                if let Some(doc) = docs.by_id.get_mut(&row.id) {
                    doc.status = row.status;
                    doc.modified_ms = at_ms;
                }
            }
            Action::Delete => {
                if let Some(doc) = docs.by_id.remove(&row.id) {
                    docs.forget_number(&doc.number, row.id);
                }
            }
        }
    }
}

impl Docs {
    fn forget_number(&mut self, number: &str, id: u64) {
        if let Some(ids) = self.by_number.get_mut(number) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_number.remove(number);
            }
        }
    }
}

/// The text of a scalar: text as it is, numbers and words as written; `None` for null and trees.
pub(crate) fn scalar(raw: &RawValue) -> Option<String> {
    let text = raw.get();
    match text.as_bytes().first()? {
        b'"' => serde_json::from_str(text).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(text.to_owned()),
    }
}

/// A member of an object value, whatever the case of its name (`FNumber`, `FNUMBER`).
pub(crate) fn member(raw: &RawValue, name: &str) -> Option<String> {
    let inner: Fields = serde_json::from_str(raw.get()).ok()?;
    inner
        .iter()
        .find(|(k, _)| k.eq_ignore_ascii_case(name))
        .and_then(|(_, v)| scalar(v))
}
