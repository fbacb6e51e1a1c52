//! What a scheme makes of one row that somebody gives: without a ledger, a connection or a clock.
//!
//! Rows of other schemes are looked up among those that are given with it. What the engine knows of a record beside its
//! row (its id at the target, say) is not known here: an update is shown as it is before its id is put in.

use dsl::aggregate::AggregatePlan;
use dsl::diagnostic::Failure;
use dsl::facts::Action;
use dsl::ingest::{IngestCx, Ingested};
use dsl::lines::LineIds;
use dsl::lookup::Hits;
use dsl::path::{Path, Segment};
use dsl::plan::{Plan, TargetPlan};
use dsl::target::{Build, RecordCx};
use dsl::tree::Trace;
use dsl::value::{Map, Value};
use flow::ids::Ms;

use super::TraceLine;
use crate::error::AppError;
use crate::mask;

/// Records of one row that are shown; a person looks at a few.
pub const MOST_SHOWN: usize = 100;

/// Records that a row may become: each is the row once more, and all are in memory together.
const MOST_RECORDS: usize = 10_000;

/// Bytes that they may take together, by the size of the row.
const MOST_BYTES: usize = 64 << 20;

/// A row, and what belongs to it.
#[derive(Debug, Clone)]
pub struct Given {
    /// As the source gives it.
    pub row: Value,
    /// Its size as JSON, in bytes.
    pub bytes: usize,
    /// Rows of other schemes, by their ids.
    pub lookups: Vec<(String, Vec<Value>)>,
    /// The action; `None` = `create`, or `void` where the row says so.
    pub action: Option<Action>,
    /// Places of the document to be shown; empty = all of it.
    pub fields: Vec<Path>,
    /// The instant of the run.
    pub now: Ms,
}

/// What became of the row.
#[derive(Debug, Clone)]
pub struct Shown {
    /// One for each record, in order, up to [`MOST_SHOWN`].
    pub records: Vec<Made>,
    /// How many records there are.
    pub all: usize,
}

/// One record of it.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its key; `None` = it has none.
    pub key: Option<String>,
    /// What people call it.
    pub label: String,
    /// What would be done.
    pub action: Action,
    /// What came of it.
    pub outcome: Outcome,
    /// Where each field comes from.
    pub trace: Vec<TraceLine>,
}

/// What came of a record.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// A document; of a scheme without a target, the row as it is stored. Sensitive places are masked.
    Document(Value),
    /// It waits for a row of another scheme that was not given.
    Waits {
        /// The scheme that is looked up.
        scheme: String,
        /// The keys.
        keys: Vec<String>,
    },
    /// It is left out, for this reason.
    Dropped(&'static str),
    /// It cannot be made.
    Failed(Box<Failure>),
}

/// Evaluates a row.
pub fn of_row(plan: &Plan, given: &Given) -> Result<Shown, AppError> {
    if would_burst(plan, given) {
        return Err(AppError::wrong_use(
            format!("这一行会变成太多数据(最多 {MOST_RECORDS} 条);请缩短 explode 的列表"),
            format!(
                "the row would become too many records (at most {MOST_RECORDS}): make the lists of `explode` shorter"
            ),
        ));
    }
    let cx = IngestCx {
        now_ms: given.now,
        zone: &plan.source.zone,
        push: None,
        xml: false,
    };
    let ingested = plan.source.ingest(given.row.clone(), &cx);
    if let Some(target) = &plan.target
        && let Some(aggregate) = &target.aggregate
    {
        return Ok(gathered(plan, aggregate, given, &ingested));
    }
    let records = ingested.iter().take(MOST_SHOWN);
    Ok(Shown {
        records: records.map(|record| made(plan, given, record)).collect(),
        all: ingested.len(),
    })
}

/// The documents that the row's records make, as if there were no others: what is in none comes first.
fn gathered(plan: &Plan, aggregate: &AggregatePlan, given: &Given, ingested: &[Ingested]) -> Shown {
    let left = |nth: usize, outcome: Outcome| Made {
        key: ingested.get(nth).and_then(|record| record.key.clone().ok()),
        label: ingested
            .get(nth)
            .map(|record| record.label.clone())
            .unwrap_or_default(),
        action: Action::Create,
        outcome,
        trace: Vec::new(),
    };
    let mut folding = aggregate.fold(given.now, &plan.zone);
    let mut records = Vec::new();
    for (nth, record) in ingested.iter().enumerate() {
        let added = match (&record.fault, record.kept, &record.key) {
            (Some(failure), _, _) | (None, Ok(()), Err(failure)) => {
                Err(Outcome::Failed(Box::new(failure.clone())))
            }
            (None, Err(why), _) => Err(Outcome::Dropped(why)),
            (None, Ok(()), Ok(_)) if record.void => Err(Outcome::Dropped("void")),
            (None, Ok(()), Ok(_)) => folding
                .add(nth, &record.row)
                .map_err(|failure| Outcome::Failed(Box::new(failure))),
        };
        records.extend(added.err().map(|outcome| left(nth, outcome)));
    }
    let folded = folding.finish(&|_| 0);
    for (nth, failure) in folded.failed {
        records.push(left(nth, Outcome::Failed(Box::new(failure))));
    }
    for part in &folded.parts {
        let record = Ingested {
            row: part.row.clone(),
            key: Ok(part.number.clone()),
            label: part.number.clone(),
            version: String::new(),
            rank: None,
            kept: Ok(()),
            void: false,
            bare: false,
            fault: None,
        };
        records.push(made(plan, given, &record));
    }
    let all = records.len();
    records.truncate(MOST_SHOWN);
    Shown { records, all }
}

/// Whether lists within lists would fill the memory. Reckoned from above: by the longest list at each place.
fn would_burst(plan: &Plan, given: &Given) -> bool {
    let mut records: usize = 1;
    for path in &plan.source.explode {
        records = records.saturating_mul(longest(&given.row, path.segments()).max(1));
    }
    records > MOST_RECORDS || records > 1 && records.saturating_mul(given.bytes) > MOST_BYTES
}

fn longest(value: &Value, path: &[Segment]) -> usize {
    let Some((first, rest)) = path.split_first() else {
        return match value {
            Value::List(list) => list.len(),
            _ => 1,
        };
    };
    match (first, value) {
        (Segment::Name(name), Value::Map(map)) => map.get(name).map_or(1, |member| longest(member, rest)),
        (Segment::Index(index), Value::List(list)) => list.get(*index).map_or(1, |one| longest(one, rest)),
        // A list that an earlier `explode` takes apart.
        (Segment::Name(_), Value::List(list)) => list.iter().map(|one| longest(one, path)).max().unwrap_or(1),
        (Segment::All, Value::List(list)) => list.iter().map(|one| longest(one, rest)).max().unwrap_or(1),
        _ => 1,
    }
}

fn made(plan: &Plan, given: &Given, record: &Ingested) -> Made {
    let natural = if record.void { Action::Void } else { Action::Create };
    let mut made = Made {
        key: record.key.clone().ok(),
        label: record.label.clone(),
        action: given.action.unwrap_or(natural),
        outcome: Outcome::Dropped(""),
        trace: Vec::new(),
    };
    let mut trace = Trace::default();
    made.outcome = match outcome(plan, given, record, made.action, &mut trace) {
        Ok(outcome) => outcome,
        Err(failure) => Outcome::Failed(Box::new(failure)),
    };
    made.trace = TraceLine::of(trace);
    if !given.fields.is_empty() {
        made.trace.retain(|line| is_wanted(&line.field, &given.fields));
        if let Outcome::Document(document) = &mut made.outcome {
            *document = part(document, &given.fields);
        }
    }
    made
}

fn outcome(
    plan: &Plan,
    given: &Given,
    record: &Ingested,
    action: Action,
    trace: &mut Trace,
) -> Result<Outcome, Failure> {
    if let Some(failure) = &record.fault {
        return Err(failure.clone());
    }
    if let Err(why) = record.kept {
        return Ok(Outcome::Dropped(why));
    }
    let key = record.key.clone()?;
    match &plan.target {
        None => Ok(Outcome::Document(record.row.clone())),
        Some(target) => document(plan, target, given, (record, &key), action, trace),
    }
}

fn document(
    plan: &Plan,
    target: &TargetPlan,
    given: &Given,
    (record, key): (&Ingested, &str),
    action: Action,
    trace: &mut Trace,
) -> Result<Outcome, Failure> {
    let cx = RecordCx {
        row: &record.row,
        key,
        label: &record.label,
        target_id: None,
        target_number: None,
        action,
        line: None,
        now_ms: given.now,
        zone: &plan.zone,
        line_ids: LineIds::none(),
        steps: &[],
    };
    let mut hits = Hits::new();
    for level in 0..target.lookup_levels() {
        for want in target.lookup_keys(level, &cx, &hits)? {
            dsl::testing::answer(&want, &given.lookups, &mut hits);
        }
    }
    Ok(match target.build(&cx, &hits, Some(trace))? {
        Build::Built(built) => Outcome::Document(mask::shown(&built.payload, &target.sensitive)),
        Build::Defer(want) => Outcome::Waits {
            scheme: want.spec.scheme,
            keys: want.keys,
        },
    })
}

/// Whether a place of a document is one that was asked for, or below or above one.
fn is_wanted(field: &str, wanted: &[Path]) -> bool {
    let names = |text: &str| -> Vec<String> {
        let names = text.split(['.', '[', ']']).filter(|name| !name.is_empty());
        // Which element of a list it is does not matter.
        names
            .filter(|name| !name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'*'))
            .map(str::to_owned)
            .collect()
    };
    let field = names(field);
    wanted.iter().any(|path| {
        let path = names(&path.to_string());
        path.iter().zip(&field).all(|(one, other)| one == other)
    })
}

/// The part of a document that was asked for.
fn part(document: &Value, wanted: &[Path]) -> Value {
    let wanted: Vec<&[Segment]> = wanted.iter().map(Path::segments).collect();
    pruned(document, &wanted)
}

fn pruned(value: &Value, wanted: &[&[Segment]]) -> Value {
    if wanted.iter().any(|path| path.is_empty()) {
        return value.clone();
    }
    match value {
        Value::Map(map) => {
            let mut kept = Map::new();
            for (name, member) in map {
                let below: Vec<&[Segment]> = wanted
                    .iter()
                    .filter_map(|path| match path.split_first() {
                        Some((Segment::Name(first), rest)) if first == name => Some(rest),
                        _ => None,
                    })
                    .collect();
                if !below.is_empty() {
                    kept.insert(name.clone(), pruned(member, &below));
                }
            }
            Value::Map(kept)
        }
        Value::List(list) => {
            // All elements, whichever was named: places in a list mean nothing once others are left out.
            let below: Vec<&[Segment]> = wanted
                .iter()
                .map(|path| match path.split_first() {
                    Some((Segment::All | Segment::Index(_), rest)) => rest,
                    _ => path,
                })
                .collect();
            Value::List(list.iter().map(|one| pruned(one, &below)).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        dsl::json::parse(text.as_bytes()).expect("JSON")
    }

    fn paths(texts: &[&str]) -> Vec<Path> {
        texts
            .iter()
            .map(|text| Path::parse(text).expect("a path"))
            .collect()
    }

    #[test]
    fn parts_of_a_document() {
        let document = value(r#"{"a":1.50,"b":{"c":"x","d":2},"l":[{"q":1,"r":2},{"q":3}]}"#);
        for (wanted, want) in [
            (&["a"][..], r#"{"a":1.50}"#),
            (&["b.c"], r#"{"b":{"c":"x"}}"#),
            (&["l.q"], r#"{"l":[{"q":1},{"q":3}]}"#),
            (&["l.0.q", "a"], r#"{"a":1.50,"l":[{"q":1},{"q":3}]}"#),
            (&["none"], "{}"),
        ] {
            assert_eq!(dsl::json::to_string(&part(&document, &paths(wanted))), want);
        }
    }

    #[test]
    fn places_below_and_above_are_wanted() {
        let wanted = paths(&["FEntity.FQty", "FName"]);
        for (field, want) in [
            ("FName", true),
            ("FName.FText", true),
            ("FEntity[3].FQty", true),
            ("FEntity", true),
            ("FEntity[3].FUnit", false),
            ("FNameX", false),
        ] {
            assert_eq!(is_wanted(field, &wanted), want, "{field}");
        }
    }

    #[test]
    fn lists_within_lists_are_counted() {
        let row = value(r#"{"a":[{"b":[1,2,3]},{"b":[1]}],"c":[1,2]}"#);
        for (path, want) in [("a", 2), ("a.b", 3), ("c", 2), ("none", 1)] {
            assert_eq!(longest(&row, paths(&[path])[0].segments()), want, "{path}");
        }
    }
}
