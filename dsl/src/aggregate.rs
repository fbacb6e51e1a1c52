//! Several rows become one document: rows with equal header fields are a group, a value of the `by` fields is a line,
//! and a group with more lines than a document may have becomes several parts.
//!
//! Pure: the ledger keeps what was made. Values are reckoned by the functions of the expression language, so that a sum
//! here and a `_function SUM(…)` over lines are the same number.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;
use jiff::tz::TimeZone;

use crate::catalogue::{aggregate, record};
use crate::diagnostic::Failure;
use crate::expr::{Env, Expr};
use crate::json;
use crate::lookup::Hits;
use crate::path::{Path, Segment};
use crate::scope::{NUMBER, PART, RowScope};
use crate::tree::{Tree, eval_value};
use crate::value::{Map, Value};

/// Most lines of one document, and what holds where a scheme says nothing: no system takes more, and one document is in
/// memory as a whole.
pub const MOST_LINES: usize = 10_000;

/// How rows become documents.
#[derive(Debug, Clone)]
pub struct AggregatePlan {
    /// Fields that are equal in a group.
    pub header: Vec<Path>,
    /// The name of the list of lines.
    pub lines: String,
    /// Fields that are equal in a line.
    pub by: Vec<Path>,
    /// What is reckoned over the rows of a line.
    pub calc: Vec<Calc>,
    /// Most lines of a document.
    pub max_lines: usize,
    /// The identity of a document.
    pub number: Tree,
    /// Old ways: a missing field is empty text.
    pub compat_qeasy: bool,
}

/// One field of a line that is reckoned.
#[derive(Debug, Clone)]
pub struct Calc {
    /// The field, in the row and in the line.
    pub path: Path,
    /// What becomes of its values.
    pub how: How,
}

/// What becomes of the values of a line.
#[derive(Debug, Clone)]
pub enum How {
    /// A function of the expression language over all of them.
    Function(Arc<Expr>),
    /// The first one, in the order in which the rows were stored.
    First,
    /// The last one.
    Last,
    /// All of them, as a list.
    Push,
    /// Each different one once, as a list.
    Set,
}

/// The words of `calc`. The first four are functions of the expression language.
pub const CALCS: [&str; 8] = ["sum", "avg", "min", "max", "first", "last", "push", "add_to_set"];

/// One document in the making.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What its members have in common, as a JSON list.
    pub group: String,
    /// Which document of the group, from 1 for ever on.
    pub part: u32,
    /// Its identity.
    pub number: String,
    /// The row that the target sees.
    pub row: Value,
    /// Its members, as they were named when they were added, in that order.
    pub members: Vec<usize>,
}

/// What came of rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Folded {
    /// The documents, in the order of their first members.
    pub parts: Vec<Part>,
    /// Members that are in no document, and why.
    pub failed: Vec<(usize, Failure)>,
}

/// Rows on their way into documents.
#[derive(Debug)]
pub struct Folding<'p> {
    plan: &'p AggregatePlan,
    now_ms: i64,
    zone: &'p TimeZone,
    groups: IndexMap<String, Group>,
}

#[derive(Debug)]
struct Group {
    header: Vec<Value>,
    lines: IndexMap<String, Line>,
}

#[derive(Debug)]
struct Line {
    by: Vec<Value>,
    /// For each of `calc`, the values of all members.
    values: Vec<Vec<Value>>,
    members: Vec<usize>,
}

impl AggregatePlan {
    /// The fields of a row that count: the others vanish.
    pub fn reads(&self) -> Vec<Path> {
        let calc = self.calc.iter().map(|calc| &calc.path);
        let mut reads: Vec<Path> = self.header.iter().chain(&self.by).chain(calc).cloned().collect();
        reads.sort();
        reads.dedup();
        reads
    }

    /// The fields of the rows behind fields of a document.
    pub fn behind(&self, fields: &[Path]) -> Vec<Path> {
        let list = Path::names([self.lines.clone()]);
        fields
            .iter()
            .map(|field| match field.below(&list) {
                Some(below) => {
                    let names = below.segments().iter();
                    let names = names.filter(|segment| **segment != Segment::All);
                    crate::tree::from_segments(&names.cloned().collect::<Vec<_>>())
                }
                None => field.clone(),
            })
            .collect()
    }

    /// Begins with no rows.
    pub fn fold<'p>(&'p self, now_ms: i64, zone: &'p TimeZone) -> Folding<'p> {
        Folding {
            plan: self,
            now_ms,
            zone,
            groups: IndexMap::new(),
        }
    }

    fn value(&self, row: &Value, path: &Path) -> Result<Value, Failure> {
        match path.get(row) {
            Some(value) => Ok(value.clone()),
            None if self.compat_qeasy => Ok(Value::Text(String::new())),
            None => Err(Failure::new(&record::MISSING_FIELD)
                .with("path", path)
                .at(path.to_string())),
        }
    }

    fn values(&self, row: &Value, paths: &[Path]) -> Result<Vec<Value>, Failure> {
        paths.iter().map(|path| self.value(row, path)).collect()
    }
}

impl Folding<'_> {
    /// Adds a row. One that fails is in no document, and changes none.
    pub fn add(&mut self, member: usize, row: &Value) -> Result<(), Failure> {
        let header = self.plan.values(row, &self.plan.header)?;
        let by = self.plan.values(row, &self.plan.by)?;
        let mut values = Vec::with_capacity(self.plan.calc.len());
        for calc in &self.plan.calc {
            // As in the functions: over lines, a field that is not there is NULL.
            let value = calc.path.get(row).cloned().unwrap_or(Value::Null);
            if let How::Function(_) = calc.how {
                // What one row spoils is that row's own failure, and not that of all others in its line.
                self.reckon(calc, std::slice::from_ref(&value))?;
            }
            values.push(value);
        }
        let group = self.groups.entry(names_of(&header)).or_insert_with(|| Group {
            header,
            lines: IndexMap::new(),
        });
        let line = group.lines.entry(names_of(&by)).or_insert_with(|| Line {
            by,
            values: vec![Vec::new(); values.len()],
            members: Vec::new(),
        });
        for (all, value) in line.values.iter_mut().zip(values) {
            all.push(value);
        }
        line.members.push(member);
        Ok(())
    }

    /// The documents. `last` says which part of a group was made last; 0 = none.
    pub fn finish(self, last: &dyn Fn(&str) -> u32) -> Folded {
        let mut folded = Folded::default();
        for (name, group) in &self.groups {
            let mut good: Vec<(Value, &Line)> = Vec::new();
            for line in group.lines.values() {
                match self.line(line) {
                    Ok(value) => good.push((value, line)),
                    Err(failure) => folded.fail(&line.members, &failure),
                }
            }
            let mut part = last(name);
            for lines in good.chunks(self.plan.max_lines.clamp(1, MOST_LINES)) {
                let mut members: Vec<usize> = lines
                    .iter()
                    .flat_map(|(_, line)| line.members.iter().copied())
                    .collect();
                members.sort_unstable();
                let values = lines.iter().map(|(value, _)| value.clone()).collect();
                match self.document(&group.header, values, part + 1) {
                    Ok((number, row)) => {
                        part += 1;
                        folded.parts.push(Part {
                            group: name.clone(),
                            part,
                            number,
                            row,
                            members,
                        });
                    }
                    Err(failure) => folded.fail(&members, &failure),
                }
            }
        }
        folded.parts.sort_by_key(|part| part.members.first().copied());
        folded
    }

    fn line(&self, line: &Line) -> Result<Value, Failure> {
        let mut value = Value::Map(Map::new());
        for (path, by) in self.plan.by.iter().zip(&line.by) {
            path.set(&mut value, by.clone());
        }
        for (calc, values) in self.plan.calc.iter().zip(&line.values) {
            calc.path.set(&mut value, self.reckon(calc, values)?);
        }
        Ok(value)
    }

    fn reckon(&self, calc: &Calc, values: &[Value]) -> Result<Value, Failure> {
        let one = |value: Option<&Value>| value.cloned().unwrap_or(Value::Null);
        Ok(match &calc.how {
            How::Function(expr) => {
                let column = Column {
                    values: Value::List(values.to_vec()),
                    folding: self,
                };
                expr.eval(&column)
                    .map_err(|failure| failure.at(calc.path.to_string()))?
            }
            How::First => one(values.first()),
            How::Last => one(values.last()),
            How::Push => Value::List(values.to_vec()),
            How::Set => {
                let mut seen = BTreeSet::new();
                let fresh = values.iter().filter(|value| seen.insert(json::to_string(value)));
                Value::List(fresh.cloned().collect())
            }
        })
    }

    fn document(&self, header: &[Value], lines: Vec<Value>, part: u32) -> Result<(String, Value), Failure> {
        let mut row = Value::Map(Map::new());
        for (path, value) in self.plan.header.iter().zip(header) {
            path.set(&mut row, value.clone());
        }
        let mut set = |name: &str, value: Value| {
            if let Value::Map(members) = &mut row {
                members.insert(name.to_owned(), value);
            }
        };
        set(&self.plan.lines, Value::List(lines));
        set(PART, Value::from(i64::from(part)));
        let scope = RowScope {
            row: &row,
            now_ms: self.now_ms,
            zone: self.zone,
            push: None,
            compat_qeasy: self.plan.compat_qeasy,
        };
        let number = eval_value(&self.plan.number, &scope, &Hits::default())?
            .and_then(|value| value.to_plain_text())
            .filter(|number| !number.trim().is_empty())
            .ok_or_else(|| Failure::new(&aggregate::NUMBER_EMPTY).at("aggregate.number"))?;
        if let Value::Map(members) = &mut row {
            members.insert(NUMBER.to_owned(), Value::Text(number.clone()));
        }
        Ok((number, row))
    }
}

impl Folded {
    fn fail(&mut self, members: &[usize], failure: &Failure) {
        let failed = members.iter().map(|member| (*member, failure.clone()));
        self.failed.extend(failed);
    }
}

/// What values have in common: as texts, so that `1` and `"1"` are one, and NULL is no text.
fn names_of(values: &[Value]) -> String {
    let text = |value: &Value| match value {
        Value::Null => Value::Null,
        value => match value.to_plain_text() {
            Some(text) => Value::Text(text),
            None => value.clone(),
        },
    };
    json::to_string(&Value::List(values.iter().map(text).collect()))
}

/// The values of one field, line by line, for an aggregate function.
struct Column<'f> {
    values: Value,
    folding: &'f Folding<'f>,
}

impl Env for Column<'_> {
    fn field(&self, _slot: usize, _path: &Path) -> Option<Cow<'_, Value>> {
        Some(Cow::Borrowed(&self.values))
    }

    fn lookup(&self, _index: usize) -> Option<Value> {
        None
    }

    fn now_ms(&self) -> i64 {
        self.folding.now_ms
    }

    fn zone(&self) -> &TimeZone {
        self.folding.zone
    }
}
