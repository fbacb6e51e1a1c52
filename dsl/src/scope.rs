//! Where the trees of a plan get their values from: the clock alone, a row, a record on its way to the target.

use std::borrow::Cow;

use jiff::tz::TimeZone;

use crate::expr::gather;
use crate::facts::Action;
use crate::ingest::PushFacts;
use crate::lines::LineIds;
use crate::path::Path;
use crate::tree::Scope;
use crate::value::{Map, Value};

/// The member of an exploded row that holds its number.
pub(crate) const ROW_NUMBER: &str = "$row";
/// The members of a row that was made of several: the identity of its document,
pub(crate) const NUMBER: &str = "$number";
/// and which document of its group it is.
pub(crate) const PART: &str = "$part";

/// Nothing but the time: proposals for a window.
pub(crate) struct ClockScope<'a> {
    pub(crate) now_ms: i64,
    pub(crate) zone: &'a TimeZone,
}

impl Scope for ClockScope<'_> {
    fn field(&self, _slot: usize, _path: &Path) -> Option<Cow<'_, Value>> {
        None
    }

    fn name(&self, _path: &Path) -> Option<Cow<'_, Value>> {
        None
    }

    fn now_ms(&self) -> i64 {
        self.now_ms
    }

    fn zone(&self) -> &TimeZone {
        self.zone
    }

    fn action(&self) -> Option<Action> {
        None
    }
}

/// A row that was just read.
pub(crate) struct RowScope<'a> {
    pub(crate) row: &'a Value,
    pub(crate) now_ms: i64,
    pub(crate) zone: &'a TimeZone,
    /// The push that brought the row.
    pub(crate) push: Option<&'a PushFacts>,
    pub(crate) compat_qeasy: bool,
}

impl Scope for RowScope<'_> {
    fn field(&self, _slot: usize, path: &Path) -> Option<Cow<'_, Value>> {
        path.get(self.row).map(Cow::Borrowed)
    }

    fn list(&self, _slot: usize, path: &Path) -> Option<Cow<'_, Value>> {
        gather(self.row, path)
    }

    fn name(&self, path: &Path) -> Option<Cow<'_, Value>> {
        match path.first_name() {
            Some("$push") => self.push?.value(path).map(Cow::Owned),
            _ => row_number(self.row, path),
        }
    }

    fn now_ms(&self) -> i64 {
        self.now_ms
    }

    fn zone(&self) -> &TimeZone {
        self.zone
    }

    fn action(&self) -> Option<Action> {
        None
    }

    fn compat_qeasy(&self) -> bool {
        self.compat_qeasy
    }
}

/// A record on its way to the target.
pub(crate) struct RecordScope<'a> {
    pub(crate) row: &'a Value,
    pub(crate) key: Value,
    pub(crate) label: Value,
    pub(crate) target_id: Value,
    pub(crate) target_number: Value,
    pub(crate) action: Action,
    pub(crate) lets: Map,
    pub(crate) now_ms: i64,
    pub(crate) zone: &'a TimeZone,
    pub(crate) compat_qeasy: bool,
    pub(crate) drops_null: bool,
    pub(crate) line_ids: &'a LineIds,
    /// The name of the step that writes the document.
    pub(crate) first_step: Option<&'a str>,
    /// What the others came to.
    pub(crate) steps: &'a [StepDone],
    /// The line that the document is made for, and its number.
    pub(crate) line: Option<(&'a Value, usize)>,
    /// What the target answered.
    pub(crate) answer: Option<&'a Value>,
}

/// What a step of a record came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepDone {
    /// Its name.
    pub name: String,
    /// The id of what it wrote.
    pub id: Option<String>,
    /// The number of it.
    pub number: Option<String>,
}

impl RecordScope<'_> {
    /// `$step.NAME.id`, `$step.NAME.number`.
    fn step(&self, path: &Path) -> Option<Cow<'_, Value>> {
        let names: Vec<String> = path
            .segments()
            .iter()
            .filter_map(crate::tree::term::segment_name)
            .collect();
        let [_, name, what] = names.as_slice() else {
            return None;
        };
        if self.first_step == Some(name) {
            let value = match what.as_str() {
                "id" => &self.target_id,
                _ => &self.target_number,
            };
            let is_known = value.as_text().is_some_and(|text| !text.is_empty());
            return is_known.then_some(Cow::Borrowed(value));
        }
        let done = self.steps.iter().find(|step| step.name == *name)?;
        let text = match what.as_str() {
            "id" => done.id.as_ref(),
            _ => done.number.as_ref(),
        };
        text.map(|text| Cow::Owned(Value::Text(text.clone())))
    }
}

impl Scope for RecordScope<'_> {
    fn field(&self, _slot: usize, path: &Path) -> Option<Cow<'_, Value>> {
        path.get(self.row).map(Cow::Borrowed)
    }

    fn list(&self, _slot: usize, path: &Path) -> Option<Cow<'_, Value>> {
        gather(self.row, path)
    }

    fn name(&self, path: &Path) -> Option<Cow<'_, Value>> {
        let first = path.first_name()?;
        let value = match (first, path.last_name()) {
            ("$key", _) => &self.key,
            ("$label", _) => &self.label,
            ("$target", Some("id")) => &self.target_id,
            ("$target", Some("number")) => &self.target_number,
            ("$let", _) => return path.below(&let_root())?.get_in(&self.lets),
            ("$step", _) => return self.step(path),
            ("$answer", _) => return path.below(&answer_root())?.get(self.answer?).map(Cow::Borrowed),
            _ => return row_number(self.row, path),
        };
        Some(Cow::Borrowed(value))
    }

    fn now_ms(&self) -> i64 {
        self.now_ms
    }

    fn zone(&self) -> &TimeZone {
        self.zone
    }

    fn action(&self) -> Option<Action> {
        Some(self.action)
    }

    fn line(&self) -> Option<(&Value, usize)> {
        self.line
    }

    fn line_id(&self, list: &Path, key: &str) -> Option<Cow<'_, Value>> {
        self.line_ids
            .get(&list.to_string(), key)
            .map(|id| Cow::Owned(id.into()))
    }

    fn compat_qeasy(&self) -> bool {
        self.compat_qeasy
    }

    fn drops_null(&self) -> bool {
        self.drops_null
    }
}

fn answer_root() -> Path {
    Path::parse("$answer").expect("a name is a path")
}

fn let_root() -> Path {
    Path::parse("$let").expect("a name is a path")
}

fn row_number<'v>(row: &'v Value, path: &Path) -> Option<Cow<'v, Value>> {
    match path.first_name() {
        Some(name @ (ROW_NUMBER | NUMBER | PART)) => row.get(name).map(Cow::Borrowed),
        _ => None,
    }
}

/// A path into members that are not held in a [`Value`].
trait GetIn {
    fn get_in<'m>(&self, members: &'m Map) -> Option<Cow<'m, Value>>;
}

impl GetIn for Path {
    fn get_in<'m>(&self, members: &'m Map) -> Option<Cow<'m, Value>> {
        let (first, rest) = self.segments().split_first()?;
        let name = crate::tree::term::segment_name(first)?;
        let value = members.get(&name)?;
        match crate::tree::path_of(rest) {
            Some(rest) => rest.get(value).map(Cow::Borrowed),
            None => Some(Cow::Borrowed(value)),
        }
    }
}
