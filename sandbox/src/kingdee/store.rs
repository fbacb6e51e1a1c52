//! The documents of the simulated Kingdee, rebuilt from the journal at start.
//!
//! A document keeps its fields as the text that was sent, so numbers and blanks stay what they were.
//! Lines get ids when they are first applied, so the same journal gives the same ids.
//! Only [`Store::apply`] changes anything, and it takes what the journal holds; the rules of saving
//! are in `save` and `steps`.

use std::collections::{BTreeMap, HashMap};

use serde_json::value::RawValue;

use super::forms::{self, ENTRY_ID, Form};
use crate::journal::{Action, RowLine};

/// Fields of a document or a row: name and value as it was sent.
pub(crate) type Fields = BTreeMap<String, Box<RawValue>>;

/// First internal id of a document that was written.
const FIRST_ID: u64 = 100_001;
/// First internal id of those that are there from the beginning.
pub(super) const SEEDED_FROM: u64 = 10_001;
/// First id of a line.
const FIRST_LINE: u64 = 500_001;

#[derive(Debug)]
pub(crate) struct Doc {
    pub(crate) id: u64,
    pub(crate) number: Box<str>,
    pub(crate) org: Box<str>,
    pub(crate) status: char,
    pub(crate) created_ms: i64,
    pub(crate) modified_ms: i64,
    /// Saves so far.
    pub(crate) version: u64,
    /// JSON object: everything ever sent for this document, newest value of each field.
    fields: Box<str>,
}

impl Doc {
    pub(crate) fn fields(&self) -> Fields {
        serde_json::from_str(&self.fields).unwrap_or_default()
    }

    /// The lines of one of its lists.
    pub(crate) fn lines(&self, entry: &str) -> Vec<Fields> {
        self.fields().get(entry).map(|raw| lines(raw)).unwrap_or_default()
    }
}

/// The lines of a list as it was sent.
pub(crate) fn lines(raw: &RawValue) -> Vec<Fields> {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

/// The id by which a line is named; none is a new line.
pub(crate) fn line_id(line: &Fields) -> Option<String> {
    line.get(ENTRY_ID)
        .and_then(|raw| scalar(raw))
        .filter(|id| !["", "0"].contains(&id.as_str()))
}

/// The lines of a list after a save: named ones are changed, others are new, and those that were not sent stay or go.
fn merge_lines(old: Vec<Fields>, sent: Vec<Fields>, keeps: bool, next: &mut u64) -> Box<RawValue> {
    let mut merged = if keeps { old.clone() } else { Vec::new() };
    for line in sent {
        let known = line_id(&line).and_then(|id| {
            let is_it = |one: &Fields| line_id(one).as_deref() == Some(&id);
            Some((merged.iter().position(is_it), old.iter().find(|one| is_it(one))?))
        });
        match known {
            Some((place, before)) => {
                let mut changed = before.clone();
                changed.extend(line.into_iter().filter(|(name, _)| name != ENTRY_ID));
                match place {
                    Some(place) => merged[place] = changed,
                    None => merged.push(changed),
                }
            }
            None => {
                let mut new = line;
                let id = RawValue::from_string(next.to_string()).expect("a number is JSON");
                new.insert(ENTRY_ID.to_owned(), id);
                *next += 1;
                merged.push(new);
            }
        }
    }
    let text = serde_json::to_string(&merged).expect("raw values are JSON");
    RawValue::from_string(text).expect("just written")
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
    next_line: u64,
    auto: u64,
}

impl Default for Store {
    fn default() -> Self {
        Store {
            forms: BTreeMap::new(),
            next_id: FIRST_ID,
            next_line: FIRST_LINE,
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

    /// Documents that were written.
    pub(crate) fn count(&self, form: &Form) -> usize {
        let docs = self.forms.get(form.name);
        docs.map_or(0, |docs| docs.by_id.range(FIRST_ID..).count())
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
                    version: 1,
                    fields: with_lines(form, &Fields::new(), row, &mut self.next_line),
                };
                docs.by_number.entry(doc.number.clone()).or_default().push(row.id);
                docs.by_id.insert(row.id, doc);
            }
            Action::Update => {
                let Some(doc) = docs.by_id.get_mut(&row.id) else {
                    return;
                };
                doc.fields = with_lines(form, &doc.fields(), row, &mut self.next_line);
                doc.status = row.status;
                doc.modified_ms = at_ms;
                doc.version += 1;
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

/// The fields of a document after a save of it.
fn with_lines(form: &Form, old: &Fields, row: &RowLine, next: &mut u64) -> Box<str> {
    let Ok(sent) = serde_json::from_str::<Fields>(&row.content) else {
        return row.content.as_str().into();
    };
    let mut fields = old.clone();
    for (name, value) in sent {
        let value = if form.entries.contains(&name.as_str()) {
            let before = old.get(&name).map(|raw| lines(raw)).unwrap_or_default();
            merge_lines(before, lines(&value), row.keeps_lines, next)
        } else {
            value
        };
        fields.insert(name, value);
    }
    serde_json::to_string(&fields)
        .expect("raw values are JSON")
        .into()
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
