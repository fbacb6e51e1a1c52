//! A scheme's own `tests:`, run without any system: a row in, the document out, compared as data.

use jiff::tz::TimeZone;

use crate::diagnostic::{Failure, Lang};
use crate::facts::Action;
use crate::ingest::{IngestCx, Ingested};
use crate::json;
use crate::lookup::{Condition, Found, Hits, Known, LookupWant};
use crate::path::Path;
use crate::plan::{Plan, TestCase};
use crate::target::{Build, RecordCx};
use crate::value::{Number, Value};

/// The instant at which tests run: 2023-11-15 06:13:20.100 in Shanghai.
pub const TEST_NOW_MS: i64 = 1_700_000_000_100;

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
            (Difference::Dropped(why), Lang::Zh) => format!("这一行被丢弃({why})"),
            (Difference::Dropped(why), Lang::En) => format!("the row was dropped ({why})"),
            (Difference::Several(count), Lang::Zh) => {
                format!("这一行变成了 {count} 条,`expect` 应为 {count} 项的列表")
            }
            (Difference::Several(count), Lang::En) => {
                format!("the row made {count} records: `expect` must be a list of {count}")
            }
        }
    }
}

/// Runs one test of a plan.
pub fn run(plan: &Plan, test: &TestCase) -> TestOutcome {
    let zone = &plan.zone;
    let records = plan.source.ingest(
        test.row.clone(),
        &IngestCx {
            now_ms: TEST_NOW_MS,
            zone,
            push: None,
            xml: false,
        },
    );
    let results: Result<Vec<Value>, Box<Difference>> = records
        .iter()
        .map(|record| document(plan, test, record, zone))
        .collect();
    let (diff, got) = match results {
        Err(difference) => (vec![*difference], None),
        Ok(mut documents) => {
            let mut diff = Vec::new();
            let as_list = matches!(test.expect, Value::List(_));
            let one = documents.len() == 1 && (plan.source.explode.is_empty() || !as_list);
            let count = documents.len();
            let got = match documents.pop() {
                Some(only) if one => only,
                last => Value::List(documents.into_iter().chain(last).collect()),
            };
            if one || as_list {
                compare(&Path::names(Vec::<String>::new()), &test.expect, &got, &mut diff);
            } else {
                diff.push(Difference::Several(count));
            }
            (diff, Some(got))
        }
    };
    TestOutcome {
        name: test.name.clone(),
        passed: diff.is_empty(),
        diff,
        got,
    }
}

fn document(
    plan: &Plan,
    test: &TestCase,
    record: &Ingested,
    zone: &TimeZone,
) -> Result<Value, Box<Difference>> {
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
    let known = action != Action::Create;
    let cx = RecordCx {
        row: &record.row,
        key: &key,
        label: &record.label,
        target_id: known.then_some("test-id"),
        target_number: known.then_some("test-number"),
        action,
        now_ms: TEST_NOW_MS,
        zone,
        line_ids: &test.line_ids,
    };
    let mut hits = Hits::new();
    for level in 0..target.lookup_levels().min(MOST_LEVELS) {
        for want in target.lookup_keys(level, &cx, &hits).map_err(failed)? {
            answer(&want, &test.lookups, &mut hits);
        }
    }
    match target.build(&cx, &hits, None).map_err(failed)? {
        Build::Built(built) => Ok(built.payload),
        Build::Defer(want) => Err(Box::new(Difference::Waits {
            scheme: want.spec.scheme,
            keys: want.keys,
        })),
    }
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
