//! Look-ups of a page of records: level by level, one ledger query for all records that ask by the same columns.
//!
//! A memo for the run keeps hits only; a miss is asked again, because the feeding scheme may have run meanwhile.

use std::collections::{BTreeMap, HashMap};

use dsl::json;
use dsl::lookup::{Found as Hit, Hits, LookupSpec, LookupWant};
use dsl::path::Path;
use dsl::plan::Plan;
use dsl::tree::Tree;
use dsl::value::Value;
use ledger::read::StoredRow;
use ledger::{Columns, Found, Ledger, Reader};

use crate::error::AppError;

/// Hits kept for the run. About 200 B each: a bound of a few megabytes whatever the number of records.
const MEMO: usize = 10_000;

/// What the look-ups of a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LookupReport {
    /// Keys that no stored row has.
    pub misses: u64,
    /// Keys that several stored rows have: the newest was taken.
    pub several: u64,
    /// One of those, as `scheme column=text (3)`.
    pub several_example: Option<String>,
    /// Queries to the ledger.
    pub queries: u64,
}

/// What look-ups found, kept over the pages of one run.
#[derive(Default)]
pub(crate) struct Memo {
    hits: Hits,
    /// Hits in it.
    kept: usize,
    pub(crate) report: LookupReport,
}

/// The look-ups of one level by the same columns of the same scheme: one query.
struct Group {
    columns: Columns,
    /// Each set of texts once, with its place in the query.
    places: HashMap<Vec<String>, usize>,
    keys: Vec<Vec<String>>,
    wants: Vec<(LookupSpec, usize)>,
}

impl Memo {
    /// What is known so far.
    pub(crate) fn hits(&self) -> &Hits {
        &self.hits
    }

    /// Forgets misses, and everything once the bound is reached. Called between pages.
    pub(crate) fn next_page(&mut self) {
        if self.kept > MEMO {
            self.hits = Hits::new();
            self.kept = 0;
        } else {
            self.hits.forget_misses();
        }
    }

    /// Fetches what is wanted and not known yet.
    pub(crate) fn fetch(&mut self, reader: &Reader, wants: Vec<LookupWant>) -> Result<(), AppError> {
        let mut groups: BTreeMap<(String, Vec<String>), Group> = BTreeMap::new();
        for want in wants {
            if self.hits.knows(&want) {
                continue;
            }
            if want.spec.filtered {
                self.report.misses += 1;
                self.hits.insert(&want, Hit::none());
                continue;
            }
            let by: Vec<String> = want.spec.by.iter().map(ToString::to_string).collect();
            let group = groups
                .entry((want.spec.scheme.clone(), by.clone()))
                .or_insert_with(|| Group {
                    columns: Columns::new(by),
                    places: HashMap::new(),
                    keys: Vec::new(),
                    wants: Vec::new(),
                });
            let next = group.keys.len();
            let place = *group.places.entry(want.keys.clone()).or_insert(next);
            if place == next {
                group.keys.push(want.keys);
            }
            if !group.wants.contains(&(want.spec.clone(), place)) {
                group.wants.push((want.spec, place));
            }
        }
        for ((scheme, _), group) in groups {
            let before = reader.look_ups();
            let found = reader.find(&scheme, &group.columns, &group.keys)?;
            self.report.queries += reader.look_ups() - before;
            for (spec, place) in &group.wants {
                self.keep(spec, &group.keys[*place], &found[*place])?;
            }
        }
        Ok(())
    }

    fn keep(&mut self, spec: &LookupSpec, keys: &[String], found: &Found) -> Result<(), AppError> {
        let want = LookupWant {
            spec: spec.clone(),
            keys: keys.to_vec(),
            also: None,
        };
        let Some(row) = &found.newest else {
            self.report.misses += 1;
            self.hits.insert(&want, Hit::none());
            return Ok(());
        };
        let matches = usize::try_from(found.matches).unwrap_or(usize::MAX);
        if found.matches > 1 {
            if spec.only {
                self.hits.insert_several(&want, matches);
                return Ok(());
            }
            self.report.several += 1;
            self.report
                .several_example
                .get_or_insert_with(|| format!("{} ({})", shown(spec, keys), found.matches));
        }
        let value = field_of(spec, row)?;
        self.kept += usize::from(value.is_some());
        self.hits.insert(&want, Hit { value, matches });
        Ok(())
    }
}

/// A look-up with its keys as people read it: `units FName=件`.
pub(crate) fn shown(spec: &LookupSpec, keys: &[String]) -> String {
    let mut text = spec.scheme.clone();
    for (column, key) in spec.by.iter().zip(keys) {
        text.push_str(&format!(" {column}={key}"));
    }
    text
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

/// Makes every set of columns that these plans look up by fit for it: the first time one is used, stored rows are read
/// once; after that this costs nothing.
pub(crate) fn ensure_indexes<'p>(
    ledger: &mut Ledger,
    plans: impl IntoIterator<Item = &'p Plan>,
) -> Result<(), AppError> {
    for spec in plans
        .into_iter()
        .flat_map(specs)
        .filter(|spec| !spec.by.is_empty())
    {
        let columns = Columns::new(spec.by.iter().map(ToString::to_string));
        let paths = own_paths(&columns);
        ledger.ensure_index(&spec.scheme, &columns, &|row| {
            texts(&paths, &dsl::json::parse(row).ok()?)
        })?;
    }
    Ok(())
}

fn specs(plan: &Plan) -> impl Iterator<Item = &LookupSpec> {
    let target = plan.target.iter();
    let trees = target.flat_map(|target| {
        let lets = target.lets.iter().map(|(_, tree)| tree);
        lets.chain([&target.options, &target.request])
    });
    trees.flat_map(Tree::lookups).flatten()
}

/// A set of columns by which some scheme looks up the rows of this one.
pub(crate) struct Indexed {
    stored: String,
    paths: Vec<Path>,
}

impl Indexed {
    /// The sets that rows of a scheme must carry entries for.
    pub(crate) fn of(reader: &Reader, scheme: &str) -> Result<Vec<Indexed>, AppError> {
        let sets = reader.indexed(scheme)?;
        Ok(sets
            .iter()
            .filter_map(|columns| {
                Some(Indexed {
                    stored: columns.stored()?,
                    paths: own_paths(columns),
                })
            })
            .collect())
    }

    /// The entry of a row, if it has a text in each of the columns.
    pub(crate) fn entry(&self, row: &Value) -> Option<(String, String)> {
        Some((self.stored.clone(), Columns::entry(&texts(&self.paths, row)?)))
    }
}

fn own_paths(columns: &Columns) -> Vec<Path> {
    // A name that is no path leads nowhere, so no row has an entry.
    let paths = columns.own().map(Path::parse);
    paths.collect::<Result<_, _>>().unwrap_or_default()
}

fn texts(paths: &[Path], row: &Value) -> Option<Vec<String>> {
    if paths.is_empty() {
        return None;
    }
    paths.iter().map(|path| path.get(row)?.to_plain_text()).collect()
}
