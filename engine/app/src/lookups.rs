//! Look-ups of a page of records: level by level, one ledger query for all records that ask by the same columns.
//!
//! A memo for the run keeps hits only; a miss is asked again, because the feeding scheme may have run meanwhile. What a
//! look-up asks beyond equality is judged here, over the rows that its equalities leave (or over all rows of the scheme),
//! newest first and up to a bound: what is not decided within it is an error, never "nothing found".

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use dsl::catalogue::mapping as words;
use dsl::diagnostic::Failure;
use dsl::json;
use dsl::lookup::{FieldTable, Found as Hit, Hits, Known, LookupWant, Within};
use dsl::path::Path;
use dsl::plan::Plan;
use dsl::tree::Tree;
use dsl::value::Value;
use ledger::read::{MappedFrom, StoredRow};
use ledger::service::fields::{FieldPlace, FieldSide};
use ledger::{Columns, Ledger, Reader};

use crate::error::AppError;
use crate::tape::{Looked, Tape};

/// Hits kept for the run. About 200 B each: a bound of a few megabytes whatever the number of records.
const MEMO: usize = 10_000;

/// How far a look-up with conditions may look, for all records of a page together.
#[derive(Debug, Clone, Copy)]
struct Reach {
    /// Rows that have the texts of one key, newest first.
    per_key: u32,
    /// Rows of the scheme where no column is compared for equality, newest first.
    rows: u32,
    /// Rows judged, counted once for each condition they are held against.
    steps: u64,
}

/// About a second of work in the worst case.
const REACH: Reach = Reach {
    per_key: 1_000,
    rows: 20_000,
    steps: 2_000_000,
};

/// What the look-ups of a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LookupReport {
    /// Look-ups of records that found nothing; only those that their branch read.
    pub misses: u64,
    /// Look-ups of records that found several rows: the newest was taken.
    pub several: u64,
    /// One of those, as `scheme column=text (3)`.
    pub several_example: Option<String>,
    /// Queries to the ledger.
    pub queries: u64,
}

/// What look-ups found, kept over the pages of one run.
pub(crate) struct Memo {
    hits: Hits,
    /// Hits in it.
    kept: usize,
    /// Look-ups of this page that their reach did not decide.
    undecided: Vec<LookupWant>,
    /// Look-ups of this page of which the only rows are dead.
    dead: Vec<LookupWant>,
    /// Look-ups of this page in a table that is in several places, and what is to be said of them.
    unplaced: Vec<(LookupWant, Box<Failure>)>,
    reach: Reach,
    /// Where look-ups are taken down, or answered from.
    tape: Option<Arc<Tape>>,
    pub(crate) report: LookupReport,
}

impl Default for Memo {
    fn default() -> Self {
        Memo {
            hits: Hits::new(),
            kept: 0,
            undecided: Vec::new(),
            dead: Vec::new(),
            unplaced: Vec::new(),
            reach: REACH,
            tape: None,
            report: LookupReport::default(),
        }
    }
}

/// The look-ups of one level by the same columns of the same scheme: one query.
#[derive(Default)]
struct Group {
    /// Each set of texts once, with its place in the query.
    places: HashMap<Vec<String>, usize>,
    keys: Vec<Vec<String>>,
    wants: Vec<(LookupWant, usize)>,
}

/// Scheme, columns by name, and whether more than equality is asked.
type GroupKey = (String, Vec<String>, bool);

/// Mappings that are asked by one side of one table: one query. Scheme or table, from and to.
type MapKey = (String, String, String);

impl Memo {
    /// A memo whose look-ups go by way of a tape, where there is one.
    pub(crate) fn on(tape: Option<&Arc<Tape>>) -> Memo {
        Memo {
            tape: tape.cloned(),
            ..Memo::default()
        }
    }

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
        self.undecided.clear();
        self.dead.clear();
        self.unplaced.clear();
    }

    /// Whether the reach of a look-up of this page did not decide it: that it found nothing says nothing.
    pub(crate) fn is_undecided(&self, want: &LookupWant) -> bool {
        self.undecided.contains(want)
    }

    /// Whether a look-up of this page found nothing because the row is there and dead.
    pub(crate) fn is_dead(&self, want: &LookupWant) -> bool {
        self.dead.contains(want)
    }

    /// Why it is not known in which place a look-up of this page is to be asked. An entry that somebody sets elsewhere
    /// makes the records wait that need the table, and stops no run.
    pub(crate) fn unplaced(&self, want: &LookupWant) -> Option<&Failure> {
        let found = self.unplaced.iter().find(|(known, _)| known == want);
        found.map(|(_, failure)| failure.as_ref())
    }

    /// Counts what a document read; `redact` takes secrets out of the example.
    pub(crate) fn count(&mut self, looked: &[(LookupWant, usize)], redact: impl Fn(String) -> String) {
        for (want, matches) in looked {
            if *matches == 0 {
                self.report.misses += 1;
            } else {
                self.report.several += 1;
                self.report
                    .several_example
                    .get_or_insert_with(|| redact(format!("{} ({matches})", shown(want))));
            }
        }
    }

    /// Fetches what is wanted and not known yet.
    pub(crate) fn fetch(&mut self, reader: &Reader, wants: Vec<LookupWant>) -> Result<(), AppError> {
        let Some(tape) = self.tape.clone() else {
            return self.ask(reader, wants);
        };
        if tape.is_playing() {
            for want in &wants {
                match tape.look_up(want) {
                    _ if self.hits.knows(want) => {}
                    Some(looked) => self.as_recorded(want, looked),
                    None => self.hits.insert(want, Hit::none()),
                }
            }
            return Ok(());
        }
        self.ask(reader, wants.clone())?;
        for want in &wants {
            let (is_dead, is_undecided) = (self.is_dead(want), self.is_undecided(want));
            tape.looked(
                Looked::new(want, self.hits.get(want), is_dead, is_undecided),
                want,
            );
        }
        Ok(())
    }

    fn as_recorded(&mut self, want: &LookupWant, looked: Looked) {
        if looked.is_dead {
            self.dead.push(want.clone());
        }
        if looked.is_undecided {
            self.undecided.push(want.clone());
            return;
        }
        match (want.spec.only && looked.matches > 1, looked.value) {
            (true, _) => self.hits.insert_several(want, looked.matches),
            (false, value) => self.hits.insert(
                want,
                Hit {
                    value,
                    matches: looked.matches,
                },
            ),
        }
    }

    fn ask(&mut self, reader: &Reader, wants: Vec<LookupWant>) -> Result<(), AppError> {
        let mut groups: BTreeMap<GroupKey, Group> = BTreeMap::new();
        let mut mapped: BTreeMap<MapKey, (Within, Group)> = BTreeMap::new();
        #[expect(
            clippy::mutable_key_type,
            reason = "a compiled pattern keeps scratch space; it is compared by its text"
        )]
        let mut seen = HashSet::new();
        for want in wants {
            let asked = (
                (want.spec.scheme.clone(), want.spec.get.clone(), want.spec.only),
                (want.spec.by.clone(), want.keys.clone(), want.also.clone()),
            );
            if self.hits.knows(&want) || !seen.insert(asked) {
                continue;
            }
            let (by, texts) = in_order(&want);
            let group = match &want.spec.within {
                Within::Rows => {
                    let key = (want.spec.scheme.clone(), by, want.spec.filtered);
                    groups.entry(key).or_default()
                }
                within => {
                    let key = (want.spec.scheme.clone(), by.concat(), want.spec.get.to_string());
                    let place = mapped.entry(key);
                    &mut place.or_insert_with(|| (within.clone(), Group::default())).1
                }
            };
            let next = group.keys.len();
            let place = *group.places.entry(texts.clone()).or_insert(next);
            if place == next {
                group.keys.push(texts);
            }
            group.wants.push((want, place));
        }
        for ((scheme, by, is_filtered), group) in groups {
            let before = reader.look_ups();
            let columns = Columns::new(by);
            if is_filtered {
                self.judge(reader, &scheme, &columns, &group)?;
            } else {
                let found = reader.find(&scheme, &columns, &group.keys)?;
                for (want, place) in &group.wants {
                    let found = &found[*place];
                    if found.dead.is_some() {
                        self.dead.push(want.clone());
                    }
                    self.keep(want, found.newest.as_ref(), found.matches)?;
                }
            }
            self.report.queries += reader.look_ups() - before;
        }
        for ((scheme, from, to), (within, group)) in mapped {
            let before = reader.look_ups();
            let texts: Vec<String> = group.keys.iter().map(|key| key.concat()).collect();
            let found = match &within {
                Within::Fields(table) => match field_values(reader, &scheme, table, (&from, &to), &texts) {
                    Err(AppError::Denied(failure)) => {
                        let wants = group.wants.into_iter();
                        self.unplaced
                            .extend(wants.map(|(want, _)| (want, failure.clone())));
                        continue;
                    }
                    found => found?,
                },
                Within::Mapping | Within::Rows => documents(reader, &scheme, &from, &texts)?,
            };
            for (want, place) in &group.wants {
                let (value, matches) = found[*place].clone();
                self.keep_mapped(want, value, matches);
            }
            self.report.queries += reader.look_ups() - before;
        }
        Ok(())
    }

    fn keep_mapped(&mut self, want: &LookupWant, value: Option<String>, matches: u64) {
        let matches = usize::try_from(matches).unwrap_or(usize::MAX);
        if matches > 1 && want.spec.only {
            self.hits.insert_several(want, matches);
            return;
        }
        self.kept += usize::from(value.is_some());
        let value = value.map(Value::Text);
        self.hits.insert(want, Hit { value, matches });
    }

    /// Look-ups with conditions: one query gives the rows that come into question, newest first.
    fn judge(
        &mut self,
        reader: &Reader,
        scheme: &str,
        columns: &Columns,
        group: &Group,
    ) -> Result<(), AppError> {
        let mut search = Search::new(group, self.reach);
        if columns.names().is_empty() {
            let mut visit = |row: StoredRow| search.row(0, row);
            let has_more = reader.newest_each(scheme, self.reach.rows, &mut visit)?;
            if has_more {
                search.cut.extend(0..group.keys.len());
            }
        } else {
            let per_key = self.reach.per_key;
            let mut visit = |place: usize, rows: u64, row: StoredRow| {
                if rows > u64::from(per_key) {
                    search.cut.insert(place);
                }
                search.row(place, row)
            };
            reader.find_each(scheme, columns, &group.keys, per_key, &mut visit)?;
        }
        if search.broken {
            return Err(AppError::bug("a stored row is not JSON"));
        }
        let Search {
            found, cut, spent, ..
        } = search;
        for ((want, place), found) in group.wants.iter().zip(found) {
            let is_cut = spent || cut.contains(place);
            let is_open = found.matches == 0 || (want.spec.only && found.matches == 1);
            if is_cut && is_open {
                self.undecided.push(want.clone());
            } else {
                self.keep(want, found.newest.as_ref(), found.matches)?;
            }
        }
        Ok(())
    }

    fn keep(&mut self, want: &LookupWant, newest: Option<&StoredRow>, matches: u64) -> Result<(), AppError> {
        let Some(row) = newest else {
            self.hits.insert(want, Hit::none());
            return Ok(());
        };
        let matches = usize::try_from(matches).unwrap_or(usize::MAX);
        if matches > 1 && want.spec.only {
            self.hits.insert_several(want, matches);
            return Ok(());
        }
        let value = field_of(&want.spec.get, row)?;
        self.kept += usize::from(value.is_some());
        self.hits.insert(want, Hit { value, matches });
        Ok(())
    }
}

/// What a text of a mapping is on the other side, and how many there are.
type Other = (Option<String>, u64);

/// The other side of the data mapping of a scheme.
fn documents(reader: &Reader, scheme: &str, from: &str, texts: &[String]) -> Result<Vec<Other>, AppError> {
    let side = match from {
        "$key" => MappedFrom::Source,
        _ => MappedFrom::Document,
    };
    let found = reader.mapped(scheme, side, texts)?;
    Ok(found
        .into_iter()
        .map(|one| {
            let value = match side {
                MappedFrom::Source => one.newest,
                MappedFrom::Document => one.newest.map(|key| first_key(&key)),
            };
            (value, one.matches)
        })
        .collect())
}

/// The other side of field mappings.
fn field_values(
    reader: &Reader,
    name: &str,
    table: &FieldTable,
    (from, to): (&str, &str),
    texts: &[String],
) -> Result<Vec<Other>, AppError> {
    let side = |word: &str| FieldSide::ALL.into_iter().find(|side| side.word() == word);
    let (Some(from), Some(to)) = (side(from), side(to)) else {
        return Err(AppError::bug("a field mapping of no side"));
    };
    match place_of(reader, name, table)? {
        Some(place) => Ok(reader.field_values(&place, (from, to), texts)?),
        None => Ok(vec![(None, 0); texts.len()]),
    }
}

/// Channels and data centres that a message names.
const SHOWN_PLACES: u32 = 8;

/// Where the entries of a table of field mappings are; `None` = nowhere. Several places are an error: the same id may
/// mean another value in each.
pub(crate) fn place_of(
    reader: &Reader,
    name: &str,
    table: &FieldTable,
) -> Result<Option<FieldPlace>, AppError> {
    let mut places = reader.field_places(
        &table.data_type,
        table.channel.as_deref(),
        table.data_center.as_deref(),
        SHOWN_PLACES,
    )?;
    if places.len() < 2 {
        return Ok(places.pop());
    }
    let shown: Vec<String> = places
        .iter()
        .map(|place| {
            format!("{} {}", place.channel, place.data_center)
                .trim_end()
                .to_owned()
        })
        .collect();
    let failure = Failure::new(&words::FIELD_PLACES)
        .with("name", name)
        .with("type", &table.data_type)
        .with("places", shown.join(", "));
    Err(AppError::Denied(Box::new(failure)))
}

/// What one look-up with conditions has found so far. Two rows are enough: the newest, and that it is not the only one.
#[derive(Default)]
struct Sought {
    newest: Option<StoredRow>,
    matches: u64,
}

struct Search<'g> {
    group: &'g Group,
    /// Look-ups by the place of their key.
    at: Vec<Vec<usize>>,
    found: Vec<Sought>,
    /// How many look-ups still want rows.
    open: usize,
    /// Places whose rows were not all given.
    cut: HashSet<usize>,
    steps: u64,
    spent: bool,
    broken: bool,
}

impl<'g> Search<'g> {
    fn new(group: &'g Group, reach: Reach) -> Self {
        let mut at = vec![Vec::new(); group.keys.len()];
        for (nth, (_, place)) in group.wants.iter().enumerate() {
            at[*place].push(nth);
        }
        Search {
            group,
            at,
            found: group.wants.iter().map(|_| Sought::default()).collect(),
            open: group.wants.len(),
            cut: HashSet::new(),
            steps: reach.steps,
            spent: false,
            broken: false,
        }
    }

    /// Holds a row against the look-ups of its key; says whether more rows are wanted.
    fn row(&mut self, place: usize, stored: StoredRow) -> bool {
        let Some(here) = self.at.get(place).filter(|here| !here.is_empty()) else {
            return true;
        };
        let Ok(source) = json::parse(&stored.source) else {
            self.broken = true;
            return false;
        };
        let key = first_key(&stored.key);
        let known = Known {
            key: Some(&key),
            label: Some(&stored.label),
            target_id: stored.target_id.as_deref(),
            target_number: stored.number.as_deref(),
        };
        for nth in here {
            let sought = &mut self.found[*nth];
            if sought.matches == 2 {
                continue;
            }
            let Some(steps) = self.steps.checked_sub(1) else {
                self.spent = true;
                return false;
            };
            self.steps = steps;
            let condition = self.group.wants[*nth].0.also.as_deref();
            if condition.is_none_or(|condition| condition.matches(&source, &known)) {
                sought.matches += 1;
                sought.newest.get_or_insert_with(|| stored.clone());
                self.open -= usize::from(sought.matches == 2);
            }
        }
        self.open > 0
    }
}

/// The columns of a look-up by name, with its texts in that order: look-ups that name them in another order share a
/// query.
fn in_order(want: &LookupWant) -> (Vec<String>, Vec<String>) {
    let names = want.spec.by.iter().map(ToString::to_string);
    let mut pairs: Vec<(String, String)> = names.zip(want.keys.iter().cloned()).collect();
    pairs.sort();
    pairs.into_iter().unzip()
}

/// A look-up as people read it: `units FName=件`.
pub(crate) fn shown(want: &LookupWant) -> String {
    format!("{} {}", want.spec.scheme, want.shown())
}

/// The wanted field of a stored row: one of its own fields, or what the ledger knows of it.
fn field_of(get: &Path, row: &StoredRow) -> Result<Option<Value>, AppError> {
    let name = get.to_string();
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
    if let Some(saved) = &row.saved {
        let saved = json::parse(saved).map_err(|_| AppError::bug("what is kept of a row is not JSON"))?;
        if let Some(value) = get.get(&saved) {
            return Ok(Some(value.clone()));
        }
    }
    let source = json::parse(&row.source).map_err(|_| AppError::bug("a stored row is not JSON"))?;
    Ok(get.get(&source).cloned())
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
/// once; after that this costs nothing. Said with it, for every ledger that a plan is run with: whether its rows become
/// documents several at a time.
pub(crate) fn ensure_indexes<'p>(
    ledger: &mut Ledger,
    plans: impl IntoIterator<Item = &'p Plan>,
) -> Result<(), AppError> {
    let of_rows = |spec: &&dsl::lookup::LookupSpec| spec.within == Within::Rows;
    for plan in plans {
        let target = plan.target.as_ref();
        ledger.gather(
            &plan.scheme,
            target.is_some_and(|target| target.aggregate.is_some()),
        )?;
        looked_up(ledger, specs(plan).filter(of_rows))?;
    }
    Ok(())
}

fn looked_up<'p>(
    ledger: &mut Ledger,
    specs: impl Iterator<Item = &'p dsl::lookup::LookupSpec>,
) -> Result<(), AppError> {
    for spec in specs {
        let columns = Columns::new(spec.by.iter().map(ToString::to_string));
        ensure_index(ledger, &spec.scheme, &columns)?;
    }
    Ok(())
}

/// Whether the rows that plans look up can be found as they are stored.
pub(crate) fn are_indexed<'p>(
    reader: &Reader,
    plans: impl IntoIterator<Item = &'p Plan>,
) -> Result<bool, AppError> {
    let of_rows = |spec: &&dsl::lookup::LookupSpec| spec.within == Within::Rows;
    for spec in plans.into_iter().flat_map(specs).filter(of_rows) {
        let columns = Columns::new(spec.by.iter().map(ToString::to_string));
        let known = || reader.indexed(&spec.scheme);
        if columns.stored().is_some() && !known()?.iter().any(|known| known.stored() == columns.stored()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes the rows of a scheme fit to be found by these columns.
pub(crate) fn ensure_index(ledger: &mut Ledger, scheme: &str, columns: &Columns) -> Result<(), AppError> {
    let paths = own_paths(columns);
    ledger.ensure_index(scheme, columns, &|row| {
        texts(&paths, &dsl::json::parse(row).ok()?)
    })?;
    Ok(())
}

fn specs(plan: &Plan) -> impl Iterator<Item = &dsl::lookup::LookupSpec> {
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

#[cfg(test)]
mod tests;
