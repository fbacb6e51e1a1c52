//! A scheme's own `tests:`, run without any system: a row in, the document out, compared as data.

use jiff::tz::TimeZone;

use crate::aggregate::AggregatePlan;
use crate::diagnostic::{Failure, Lang};
use crate::each::step_of;
use crate::facts::Action;
use crate::ingest::{IngestCx, Ingested};
use crate::json;
use crate::lines::LineIds;
use crate::lookup::{Condition, Found, Hits, Known, LookupWant};
use crate::path::Path;
use crate::plan::{Plan, TargetPlan, TestCase};
use crate::target::{Build, RecordCx, StepDone};
use crate::value::{Map, Number, Value};

/// The instant at which tests run: 2023-11-15 06:13:20.100 in Shanghai.
pub const TEST_NOW_MS: i64 = 1_700_000_000_100;

/// What the target calls a document in a test.
const TEST_ID: &str = "test-id";
/// And its number.
const TEST_NUMBER: &str = "test-number";

/// Rounds of look-ups after which a test gives up; a scheme with more would be unreadable.
const MOST_LEVELS: usize = 64;

/// What became of one test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestOutcome {
    /// Its name.
    pub name: String,
    /// Whether the document is the one that was expected.
    pub passed: bool,
    /// What differs, in the order of the expected document; then what was not expected.
    pub diff: Vec<Difference>,
    /// What `expect` would have to be; `None` when there is no document.
    pub got: Option<Value>,
}

/// One place that differs.
#[derive(Debug, Clone, PartialEq)]
pub enum Difference {
    /// A value is another.
    Changed {
        /// Where.
        path: String,
        /// What was expected.
        want: Value,
        /// What came.
        got: Value,
    },
    /// A value is not there.
    Absent {
        /// Where.
        path: String,
        /// What was expected.
        want: Value,
    },
    /// A value is there that was not expected.
    Extra {
        /// Where.
        path: String,
        /// What came.
        got: Value,
    },
    /// There is no document.
    Failed(Box<Failure>),
    /// The record waits for a row that the test does not give.
    Waits {
        /// The scheme that is looked up.
        scheme: String,
        /// The keys that were not found.
        keys: Vec<String>,
    },
    /// The row was dropped.
    Dropped(&'static str),
    /// The row made several records, and the test expects one.
    Several(usize),
    /// One of several records has no document.
    Of {
        /// Its place in `expect`.
        path: String,
        /// Why.
        what: Box<Difference>,
    },
}

impl Difference {
    /// One line for a person.
    pub fn line(&self, lang: Lang) -> String {
        let text = |value: &Value| json::to_string(value);
        match (self, lang) {
            (Difference::Changed { path, want, got }, Lang::Zh) => {
                format!("{path}:应为 {},实际 {}", text(want), text(got))
            }
            (Difference::Changed { path, want, got }, Lang::En) => {
                format!("{path}: expected {}, got {}", text(want), text(got))
            }
            (Difference::Absent { path, want }, Lang::Zh) => format!("{path}:应为 {},实际没有", text(want)),
            (Difference::Absent { path, want }, Lang::En) => {
                format!("{path}: expected {}, got nothing", text(want))
            }
            (Difference::Extra { path, got }, Lang::Zh) => format!("{path}:不应有,实际 {}", text(got)),
            (Difference::Extra { path, got }, Lang::En) => {
                format!("{path}: expected nothing, got {}", text(got))
            }
            (Difference::Failed(failure), lang) => format!("{} {}", failure.code(), failure.message(lang)),
            (Difference::Waits { scheme, keys }, Lang::Zh) => {
                format!("等待 {scheme} 的数据 {}:测试的 lookups 里没有", keys.join("/"))
            }
            (Difference::Waits { scheme, keys }, Lang::En) => {
                format!(
                    "waits for the row {} of {scheme}, which `lookups` of the test does not have",
                    keys.join("/")
                )
            }
            (Difference::Dropped(why), Lang::Zh) => format!("这一行被丢弃({})", key_of(why)),
            (Difference::Dropped(why), Lang::En) => format!("the row was dropped ({})", key_of(why)),
            (Difference::Of { path, what }, lang) => {
                format!("{path}{}{}", lang.pick(":", ": "), what.line(lang))
            }
            (Difference::Several(count), Lang::Zh) => {
                format!("这一行变成了 {count} 条,`expect` 应为 {count} 项的列表")
            }
            (Difference::Several(count), Lang::En) => {
                format!("the row made {count} records: `expect` must be a list of {count}")
            }
        }
    }
}

/// What `expect` can say of a record in the place of its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// `{$dropped: keep}`, `{$dropped: explode}`: it is left out, by what the scheme says there.
    Dropped(&'static str),
    /// `{$failed: E2003}`
    Failed(String),
    /// `{$void: true}`: it means "cancelled".
    Void,
    /// `{$waits: SCHEME}`: a look-up finds nothing yet.
    Waits(String),
}

/// A key that says what becomes of a record.
pub(crate) struct FateKey {
    pub(crate) key: &'static str,
    /// The words that may follow; none where they are not a closed list.
    pub(crate) words: &'static [&'static str],
    /// What must follow, in Chinese and English.
    pub(crate) want: (&'static str, &'static str),
}

pub(crate) const FATES: &[FateKey] = &[
    FateKey {
        key: "$dropped",
        words: &["keep", "explode"],
        want: ("keep 或 explode", "keep or explode"),
    },
    FateKey {
        key: "$failed",
        words: &[],
        want: ("错误代码,例如 E2003", "the code of an error, such as E2003"),
    },
    FateKey {
        key: "$void",
        words: &["true"],
        want: ("true", "true"),
    },
    FateKey {
        key: "$waits",
        words: &[],
        want: ("被查找的方案", "a scheme that is looked up"),
    },
];

/// Why a record was dropped, and the key of the scheme that says so.
const DROPPED: &[(&str, &str)] = &[("filter", "keep"), ("explode_empty", "explode")];

impl Fate {
    /// What an item of `expect` says, if it is no document.
    pub(crate) fn read(item: &Value) -> Option<Fate> {
        let map = item.as_map().filter(|map| map.len() == 1)?;
        let (key, value) = map.first()?;
        let text = value.to_plain_text()?;
        match key.as_str() {
            "$dropped" => {
                let (_, word) = DROPPED.iter().find(|(_, word)| *word == text)?;
                Some(Fate::Dropped(word))
            }
            "$failed" => crate::catalogue::find(&text)
                .filter(|entry| entry.code == text)
                .map(|_| Fate::Failed(text)),
            "$void" => (text == "true").then_some(Fate::Void),
            "$waits" => (!text.is_empty()).then_some(Fate::Waits(text)),
            _ => None,
        }
    }

    /// Whether this is what became of a record.
    fn is(&self, result: &Result<Value, Box<Difference>>, void: bool) -> bool {
        match (self, result) {
            (Fate::Void, result) => void && result.is_ok(),
            (Fate::Dropped(word), Err(why)) => {
                matches!(**why, Difference::Dropped(why) if key_of(why) == *word)
            }
            (Fate::Failed(code), Err(why)) => {
                matches!(&**why, Difference::Failed(failure) if failure.code() == code)
            }
            (Fate::Waits(wanted), Err(why)) => {
                matches!(&**why, Difference::Waits { scheme, .. } if scheme == wanted)
            }
            (_, Ok(_)) => false,
        }
    }
}

fn key_of(why: &str) -> &'static str {
    DROPPED
        .iter()
        .find(|(reason, _)| *reason == why)
        .map_or("", |(_, word)| word)
}

/// What `expect` would say of a record without a document.
fn fate_of(why: &Difference) -> Value {
    let (key, text) = match why {
        Difference::Dropped(why) => ("$dropped", key_of(why).to_owned()),
        Difference::Failed(failure) => ("$failed", failure.code().to_owned()),
        Difference::Waits { scheme, .. } => ("$waits", scheme.clone()),
        _ => return Value::Null,
    };
    Value::Map([(key.to_owned(), Value::Text(text))].into_iter().collect())
}

/// Runs one test of a plan.
pub fn run(plan: &Plan, test: &TestCase) -> TestOutcome {
    let cx = IngestCx {
        now_ms: TEST_NOW_MS,
        zone: &plan.zone,
        push: None,
        xml: false,
    };
    let rows = test.rows.iter().cloned();
    let records: Vec<Ingested> = rows.flat_map(|row| plan.source.ingest(row, &cx)).collect();
    let aggregate = plan
        .target
        .as_ref()
        .and_then(|target| Some((target, target.aggregate.as_ref()?)));
    let results: Vec<Become> = match aggregate {
        Some((target, aggregate)) => match gathered(plan, target, aggregate, test, &records) {
            Ok(documents) => documents.into_iter().map(|one| (Ok(one), false)).collect(),
            Err(why) => vec![(Err(why), false)],
        },
        None => records
            .iter()
            .map(|record| (document(plan, test, record), record.void))
            .collect(),
    };
    let further = match (records.as_slice(), results.as_slice()) {
        ([record], [(Ok(_), _)]) if aggregate.is_none() => further(plan, test, record, &plan.zone),
        _ => Vec::new(),
    };
    let (mut diff, got) = judged(&test.expect, results);
    diff.extend(further);
    TestOutcome {
        name: test.name.clone(),
        passed: diff.is_empty(),
        diff,
        got,
    }
}

/// What became of a record, and whether it means "cancelled".
type Become = (Result<Value, Box<Difference>>, bool);

/// What differs from what was expected, and what would have to be expected. A list is one of records, unless the only
/// document is a list itself.
fn judged(expect: &Value, results: Vec<Become>) -> (Vec<Difference>, Option<Value>) {
    let is_list = matches!(results.as_slice(), [(Ok(Value::List(_)), _)]);
    let listed = match expect {
        Value::List(items) if !is_list => Some(items.as_slice()),
        _ => None,
    };
    let mut diff = Vec::new();
    let top = Path::names(Vec::<String>::new());
    let wanted = match listed {
        Some(items) => items,
        None => std::slice::from_ref(expect),
    };
    let several = listed.is_none() && results.len() != 1;
    let count = results.len();
    let mut got = Some(Vec::with_capacity(count));
    for (index, (result, void)) in results.into_iter().enumerate() {
        let at = match listed {
            Some(_) => top.join(&Path::parse(&index.to_string()).expect("a number is a path")),
            None => top.clone(),
        };
        let want = wanted.get(index).filter(|_| !several);
        let fate = want.and_then(Fate::read);
        let kept = match (&fate, &result) {
            (Some(fate), result) if fate.is(result, void) => want.cloned(),
            (_, Ok(document)) => Some(document.clone()),
            // That there is no document is never taken over as what is expected.
            (_, Err(_)) => None,
        };
        got = got.zip(kept).map(|(mut all, one)| {
            all.push(one);
            all
        });
        match (want, fate, result) {
            (_, Some(fate), result) if fate.is(&result, void) => {}
            (Some(want), Some(_), Ok(document)) => diff.push(Difference::Changed {
                path: at.to_string(),
                want: want.clone(),
                got: document,
            }),
            (Some(want), None, Ok(document)) => compare(&at, want, &document, &mut diff),
            (None, _, Ok(_)) if several => {}
            (None, _, Ok(document)) => diff.push(Difference::Extra {
                path: at.to_string(),
                got: document,
            }),
            (want, fate, Err(why)) => {
                if let (Some(want), Some(_)) = (want, fate) {
                    diff.push(Difference::Changed {
                        path: at.to_string(),
                        want: want.clone(),
                        got: fate_of(&why),
                    });
                }
                diff.push(match listed {
                    Some(_) => Difference::Of {
                        path: at.to_string(),
                        what: why,
                    },
                    None => *why,
                });
            }
        }
    }
    if several {
        diff.push(Difference::Several(count));
    } else {
        for (index, want) in wanted.iter().enumerate().skip(count) {
            diff.push(Difference::Absent {
                path: index.to_string(),
                want: want.clone(),
            });
        }
    }
    let got = got.map(|mut all| match all.pop() {
        Some(only) if count == 1 && listed.is_none() => only,
        last => Value::List(all.into_iter().chain(last).collect()),
    });
    (diff, got)
}

fn document(plan: &Plan, test: &TestCase, record: &Ingested) -> Result<Value, Box<Difference>> {
    if let Some(failure) = &record.fault {
        return Err(failed(failure.clone()));
    }
    record.kept.map_err(|why| Box::new(Difference::Dropped(why)))?;
    let key = record.key.clone().map_err(failed)?;
    let Some(target) = &plan.target else {
        return Ok(record.row.clone());
    };
    let action = test
        .action
        .unwrap_or(if record.void { Action::Void } else { Action::Create });
    built(plan, target, test, (&record.row, &key, &record.label), action)
}

/// The documents that are made of several rows. Rows that are left out, or mean "cancelled", are in none.
fn gathered(
    plan: &Plan,
    target: &TargetPlan,
    aggregate: &AggregatePlan,
    test: &TestCase,
    records: &[Ingested],
) -> Result<Vec<Value>, Box<Difference>> {
    let mut folding = aggregate.fold(TEST_NOW_MS, &plan.zone);
    for (nth, record) in records.iter().enumerate() {
        if let Some(failure) = &record.fault {
            return Err(failed(failure.clone()));
        }
        record.key.clone().map_err(failed)?;
        if record.kept.is_ok() && !record.void {
            folding.add(nth, &record.row).map_err(failed)?;
        }
    }
    let folded = folding.finish(&|_| 0);
    if let Some((_, failure)) = folded.failed.first() {
        return Err(failed(failure.clone()));
    }
    folded
        .parts
        .iter()
        .map(|part| {
            let record = (&part.row, part.number.as_str(), part.number.as_str());
            built(plan, target, test, record, Action::Create)
        })
        .collect()
}

fn built(
    plan: &Plan,
    target: &TargetPlan,
    test: &TestCase,
    (row, key, label): (&Value, &str, &str),
    action: Action,
) -> Result<Value, Box<Difference>> {
    let known = action != Action::Create;
    let cx = RecordCx {
        row,
        key,
        label,
        target_id: known.then_some(TEST_ID),
        target_number: known.then_some(TEST_NUMBER),
        action,
        line: None,
        now_ms: TEST_NOW_MS,
        zone: &plan.zone,
        line_ids: &test.line_ids,
        steps: &[],
    };
    made(target, &cx, test)
}

/// The document that one target makes of a record.
fn made(target: &TargetPlan, cx: &RecordCx<'_>, test: &TestCase) -> Result<Value, Box<Difference>> {
    let mut hits = Hits::new();
    for level in 0..target.lookup_levels().min(MOST_LEVELS) {
        for want in target.lookup_keys(level, cx, &hits).map_err(failed)? {
            answer(&want, &test.lookups, &mut hits);
        }
    }
    match target.build(cx, &hits, None).map_err(failed)? {
        Build::Built(built) => Ok(built.payload),
        Build::Defer(want) => Err(Box::new(Difference::Waits {
            scheme: want.spec.scheme,
            keys: want.keys,
        })),
    }
}

/// What differs in the documents of steps, and in what is kept, as far as the test says what they are.
fn further(plan: &Plan, test: &TestCase, record: &Ingested, zone: &TimeZone) -> Vec<Difference> {
    let mut diff = Vec::new();
    let (Some(target), Ok(key)) = (&plan.target, &record.key) else {
        return diff;
    };
    if test.steps.is_empty() && test.saved.is_none() && test.emitted.is_none() {
        return diff;
    }
    let mut done: Vec<StepDone> = Vec::new();
    let line_ids = LineIds::new();
    fn cx<'a>(
        record: &'a Ingested,
        key: &'a str,
        zone: &'a TimeZone,
        line_ids: &'a LineIds,
        steps: &'a [StepDone],
    ) -> RecordCx<'a> {
        RecordCx {
            row: &record.row,
            key,
            label: &record.label,
            target_id: Some(TEST_ID),
            target_number: Some(TEST_NUMBER),
            action: Action::Create,
            line: None,
            now_ms: TEST_NOW_MS,
            zone,
            line_ids,
            steps,
        }
    }
    let (mut place, mut behind): (usize, Option<String>) = (0, None);
    let mut made_of_lines: Vec<(&str, Vec<Value>)> = Vec::new();
    loop {
        let is_done = |call: &str| done.iter().any(|step| step.name == call);
        let next = target.call_from(
            &cx(record, key, zone, &line_ids, &done),
            place,
            behind.as_deref(),
            &is_done,
        );
        let (call, at) = match next.map(|call| call.and_then(|call| Some((target.step(&call)?, call)))) {
            Ok(Some((at, call))) => (call, at),
            Ok(None) => break,
            Err(failure) => {
                diff.push(*failed(failure));
                break;
            }
        };
        let step = &target.steps[at];
        let line = match step.each().map(|each| each.line(&call, &record.row)) {
            Some(Ok(line)) => line.map(|line| (line.value, line.index)),
            Some(Err(_)) | None => None,
        };
        (place, behind) = match step.each() {
            Some(_) => (at, Some(call.clone())),
            None => (at + 1, None),
        };
        let expected = test.steps.iter().find(|(name, _)| *name == step.name);
        if let (Some(document), Some((name, want))) = (&step.document, expected) {
            let under = Path::names(["steps", name.as_str()]);
            let cx = RecordCx {
                line,
                ..cx(record, key, zone, &line_ids, &done)
            };
            match (made(document, &cx, test), step.each()) {
                (Ok(got), None) => compare(&under, want, &got, &mut diff),
                (Ok(got), Some(_)) => match made_of_lines.last_mut().filter(|(known, _)| known == name) {
                    Some((_, lines)) => lines.push(got),
                    None => made_of_lines.push((name, vec![got])),
                },
                (Err(difference), _) => diff.push(*difference),
            }
        }
        done.push(StepDone {
            id: Some(format!("{call}-id")),
            number: Some(format!("{call}-number")),
            name: call,
        });
    }
    for (name, lines) in &made_of_lines {
        if let Some((_, want)) = test.steps.iter().find(|(known, _)| known == name) {
            compare(
                &Path::names(["steps", *name]),
                want,
                &Value::List(lines.clone()),
                &mut diff,
            );
        }
    }
    for (name, want) in &test.steps {
        // Of a list without lines the test may say so.
        let none = matches!(want, Value::List(list) if list.is_empty());
        if !none && !done.iter().any(|step| step_of(&step.name) == name) {
            diff.push(Difference::Absent {
                path: Path::names(["steps", name.as_str()]).to_string(),
                want: want.clone(),
            });
        }
    }
    let mut answer = Map::new();
    answer.insert("id".to_owned(), TEST_ID.into());
    answer.insert("number".to_owned(), TEST_NUMBER.into());
    let answer = Value::Map(answer);
    let cx = cx(record, key, zone, &line_ids, &done);
    if let Some(want) = &test.emitted {
        match target.emitted(&cx, &answer) {
            Ok(got) => compare(
                &Path::names(["emitted"]),
                want,
                &got.unwrap_or(Value::Null),
                &mut diff,
            ),
            Err(failure) => diff.push(*failed(failure)),
        }
    }
    if let Some(want) = &test.saved {
        let (saved, failures) = target.saved(&cx, &answer);
        diff.extend(failures.into_iter().map(|(_, failure)| *failed(failure)));
        compare(&Path::names(["saved"]), want, &Value::Map(saved), &mut diff);
    }
    diff
}

fn failed(failure: Failure) -> Box<Difference> {
    Box::new(Difference::Failed(Box::new(failure)))
}

/// Looks up in rows that are given by scheme; the last one written is the newest.
pub fn answer(want: &LookupWant, given: &[(String, Vec<Value>)], hits: &mut Hits) {
    let rows = given
        .iter()
        .filter(|(scheme, _)| *scheme == want.spec.scheme)
        .flat_map(|(_, rows)| rows);
    let found: Vec<&Value> = rows
        .filter(|row| {
            want.spec.by.iter().zip(&want.keys).all(|(path, key)| {
                column(row, path)
                    .and_then(|value| value.to_plain_text())
                    .as_deref()
                    == Some(key)
            }) && want.also.as_ref().is_none_or(|also| holds(also, row))
        })
        .collect();
    if want.spec.only && found.len() > 1 {
        hits.insert_several(want, found.len());
        return;
    }
    let value = found.last().and_then(|row| column(row, &want.spec.get));
    hits.insert(
        want,
        Found {
            value,
            matches: found.len(),
        },
    );
}

/// What the ledger would know of a row stands beside its fields.
fn holds(also: &Condition, row: &Value) -> bool {
    let text = |name: &str| row.get(name).and_then(Value::to_plain_text);
    let (key, label) = (text("$key"), text("$label"));
    let (id, number) = (text("$target.id"), text("$target.number"));
    also.matches(
        row,
        &Known {
            key: key.as_deref(),
            label: label.as_deref(),
            target_id: id.as_deref(),
            target_number: number.as_deref(),
        },
    )
}

/// A field of a stored row; what the ledger knows of it is written by its name (`$key`).
fn column(row: &Value, path: &Path) -> Option<Value> {
    if path.is_special() {
        return row.get(&path.to_string()).cloned();
    }
    path.get(row).cloned()
}

/// Whether a number, written without quotes, would be read as text.
fn is_long(number: &Number) -> bool {
    crate::yaml::emit::flow(&Value::Number(number.clone())).is_err()
}

/// A document as `expect` can say it: numbers for which a file has no words become their text.
pub fn writable(value: &Value) -> Value {
    match value {
        Value::Number(number) if is_long(number) => Value::Text(number.as_str().to_owned()),
        Value::List(items) => Value::List(items.iter().map(writable).collect()),
        Value::Map(map) => Value::Map(
            map.iter()
                .map(|(name, value)| (name.clone(), writable(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// What differs between the value that was expected and the one that came.
pub fn differences(want: &Value, got: &Value) -> Vec<Difference> {
    let mut diff = Vec::new();
    compare(&Path::names(Vec::<String>::new()), want, got, &mut diff);
    diff
}

fn compare(at: &Path, want: &Value, got: &Value, diff: &mut Vec<Difference>) {
    match (want, got) {
        (Value::Map(wanted), Value::Map(given)) => {
            for (name, want) in wanted {
                let path = at.child(name.clone());
                match given.get(name) {
                    Some(got) => compare(&path, want, got, diff),
                    None => diff.push(Difference::Absent {
                        path: path.to_string(),
                        want: want.clone(),
                    }),
                }
            }
            for (name, got) in given.iter().filter(|(name, _)| !wanted.contains_key(*name)) {
                diff.push(Difference::Extra {
                    path: at.child(name.clone()).to_string(),
                    got: got.clone(),
                });
            }
        }
        (Value::List(wanted), Value::List(given)) => {
            for index in 0..wanted.len().max(given.len()) {
                let path = at.join(&Path::parse(&index.to_string()).expect("a number is a path"));
                match (wanted.get(index), given.get(index)) {
                    (Some(want), Some(got)) => compare(&path, want, got, diff),
                    (Some(want), None) => {
                        diff.push(Difference::Absent {
                            path: path.to_string(),
                            want: want.clone(),
                        });
                    }
                    (None, Some(got)) => diff.push(Difference::Extra {
                        path: path.to_string(),
                        got: got.clone(),
                    }),
                    (None, None) => {}
                }
            }
        }
        (want, got) if want == got => {}
        // A file has no words for such a number: it is written as its text.
        (Value::Text(want), Value::Number(got)) if is_long(got) && want == got.as_str() => {}
        (want, got) => {
            diff.push(Difference::Changed {
                path: at.to_string(),
                want: want.clone(),
                got: got.clone(),
            });
        }
    }
}
