//! Look-ups of a page of records: level by level, one ledger query per look-up and at most 500 keys.
//!
//! A memo for the run keeps hits only; a miss is asked again, because the feeding scheme may have run meanwhile.

use std::collections::BTreeMap;

use dsl::json;
use dsl::lookup::{Hits, LookupSpec, LookupWant};
use dsl::value::Value;
use ledger::Reader;
use ledger::read::StoredRow;

use crate::error::AppError;

/// Keys in one query; a page of records has at most as many.
const KEYS: usize = 500;
/// Hits kept for the run. About 200 B each: a bound of a few megabytes whatever the number of records.
const MEMO: usize = 10_000;

/// What look-ups found, kept over the pages of one run.
#[derive(Default)]
pub(crate) struct Memo {
    hits: Hits,
    size: usize,
    /// Keys that no stored row has, over the whole run.
    pub(crate) misses: u64,
}

impl Memo {
    /// What is known so far.
    pub(crate) fn hits(&self) -> &Hits {
        &self.hits
    }

    /// Forgets misses, and everything once the bound is reached. Called between pages.
    pub(crate) fn next_page(&mut self) {
        if self.size > MEMO {
            self.hits = Hits::new();
            self.size = 0;
        } else {
            self.hits.forget_misses();
        }
    }

    /// Fetches what is wanted and not known yet.
    pub(crate) fn fetch(&mut self, reader: &Reader, wants: Vec<LookupWant>) -> Result<(), AppError> {
        let mut by_spec: BTreeMap<String, (LookupSpec, Vec<Vec<String>>)> = BTreeMap::new();
        for want in wants {
            if self.hits.knows(&want) {
                continue;
            }
            let slot = format!(
                "{:?}",
                (&want.spec.scheme, &want.spec.get, &want.spec.by, want.spec.only)
            );
            let entry = by_spec
                .entry(slot)
                .or_insert_with(|| (want.spec.clone(), Vec::new()));
            if !entry.1.contains(&want.keys) {
                entry.1.push(want.keys);
            }
        }
        for (spec, keys) in by_spec.into_values() {
            let by: Vec<String> = spec.by.iter().map(ToString::to_string).collect();
            for chunk in keys.chunks(KEYS) {
                let found = reader.find(&spec.scheme, &by, chunk)?;
                for (keys, rows) in chunk.iter().zip(found) {
                    self.size += 1;
                    match rows.as_slice() {
                        [] => {
                            self.misses += 1;
                            self.hits.insert(&spec, keys, None);
                        }
                        [_, _, ..] if spec.only => self.hits.insert_several(&spec, keys, rows.len()),
                        [row, ..] => self.hits.insert(&spec, keys, field_of(&spec, row)?),
                    }
                }
            }
        }
        Ok(())
    }
}

/// The wanted field of a stored row: one of its own fields, or what the ledger knows of it.
fn field_of(spec: &LookupSpec, row: &StoredRow) -> Result<Option<Value>, AppError> {
    let name = spec.get.to_string();
    let known = match name.as_str() {
        "$key" => Some(first_key(&row.key)),
        "$label" => Some(row.label.clone()),
        "$target.id" => return Ok(row.target_id.clone().map(Value::Text)),
        "$target.number" => return Ok(row.number.clone().map(Value::Text)),
        _ => None,
    };
    if let Some(text) = known {
        return Ok(Some(Value::Text(text)));
    }
    let source = json::parse(&row.source).map_err(|_| AppError::bug("a stored row is not JSON"))?;
    Ok(spec.get.get(&source).cloned())
}

/// A key of one field as that field's text, else the canonical list.
fn first_key(key: &str) -> String {
    match json::parse(key.as_bytes()) {
        Ok(Value::List(parts)) => match parts.as_slice() {
            [Value::Text(only)] => only.clone(),
            _ => key.to_owned(),
        },
        _ => key.to_owned(),
    }
}
