//! One evaluation: where values come from, what it may still spend, and how absence is taken.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::ast::{Node, Piece};
use super::compare::as_shown;
use super::eval;
use super::sql::{Date, DateTime, Int, Sql, Text, Time, Ty, compare, exact_prefix};
use super::{Bounds, Env, Expr};
use crate::builtin::CallError;
use crate::catalogue::evaluation;
use crate::decimal::Decimal;
use crate::diagnostic::Failure;
use crate::filter::Filter;
use crate::path::Path;
use crate::value::{Kind, Value};

/// The state of one evaluation.
pub(crate) struct Run<'a> {
    expr: Option<&'a Expr>,
    pub(crate) env: &'a dyn Env,
    pub(crate) bounds: Bounds,
    fuel: Cell<u64>,
    /// Inside IFNULL and its like a missing field is NULL.
    tolerant: Cell<bool>,
    /// The line an aggregate function is at.
    line: Cell<Option<usize>>,
    /// Lists of the lines, each gathered once.
    gathered: RefCell<BTreeMap<usize, Gathered>>,
    /// Types that were derived already, by the node's address: each branch asks for those of all branches.
    types: RefCell<HashMap<usize, Ty>>,
}

/// A list that a path leads to; `None` where nothing is there. It is a copy, because a run that could hand out what
/// it keeps would have to outlive its arguments.
type Gathered = Option<Rc<Value>>;

impl<'a> Run<'a> {
    pub(super) fn new(expr: &'a Expr, env: &'a dyn Env) -> Run<'a> {
        Run {
            expr: Some(expr),
            ..Run::bare(env, expr.bounds)
        }
    }

    /// A run of constant parts.
    pub(super) fn bare(env: &'a dyn Env, bounds: Bounds) -> Run<'a> {
        let (fuel, tolerant, line) = (Cell::new(bounds.fuel), Cell::new(false), Cell::new(None));
        Run {
            expr: None,
            env,
            bounds,
            fuel,
            tolerant,
            line,
            gathered: RefCell::default(),
            types: RefCell::default(),
        }
    }

    pub(super) fn whole(&self) -> Result<Sql<'a>, Failure> {
        match self.expr {
            Some(expr) => eval::node(self, &expr.root),
            None => Ok(Sql::Null),
        }
    }

    /// The type of a node, derived once for each line.
    pub(super) fn typed(&self, node: &'a Node, derive: impl FnOnce() -> Ty) -> Ty {
        let address = std::ptr::from_ref(node).addr();
        if let Some(ty) = self.types.borrow().get(&address) {
            return *ty;
        }
        let ty = derive();
        self.types.borrow_mut().insert(address, ty);
        ty
    }

    /// Goes to a line, or away from all of them.
    fn go_to(&self, line: Option<usize>) {
        self.line.set(line);
        self.types.borrow_mut().clear();
    }

    /// The list a path leads to.
    fn list(&self, slot: usize, path: &Path) -> Gathered {
        let mut gathered = self.gathered.borrow_mut();
        let list = gathered
            .entry(slot)
            .or_insert_with(|| self.env.list(slot, path).map(|list| Rc::new(list.into_owned())));
        list.clone()
    }

    /// Spends steps.
    pub(crate) fn spend(&self, steps: u64) -> Result<(), Failure> {
        match self.fuel.get().checked_sub(steps) {
            Some(left) => {
                self.fuel.set(left);
                Ok(())
            }
            None => Err(Failure::new(&evaluation::OUT_OF_FUEL)),
        }
    }

    /// Spends what handling a text costs.
    pub(super) fn spend_text(&self, bytes: usize) -> Result<(), Failure> {
        self.spend(u64::try_from(bytes / 64).unwrap_or(u64::MAX))
    }

    /// Spends what it costs a function to work through a text: far more than handing it on.
    pub(super) fn spend_work(&self, bytes: usize) -> Result<(), Failure> {
        self.spend(work(bytes))
    }

    /// Refuses a text that could not be paid for once it is made.
    pub(crate) fn can_afford(&self, bytes: usize) -> Result<(), Failure> {
        match work(bytes) > self.fuel.get() {
            true => Err(Failure::new(&evaluation::OUT_OF_FUEL)),
            false => Ok(()),
        }
    }

    pub(super) fn fuel_left(&self) -> u64 {
        self.fuel.get()
    }

    /// Computes `work` with missing fields taken for NULL.
    pub(super) fn tolerating<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = self.tolerant.replace(true);
        let result = work();
        self.tolerant.set(before);
        result
    }

    /// What a missing field reads as.
    fn missing(&self, path: &Path) -> Result<Sql<'a>, Failure> {
        if self.env.compat_qeasy() {
            return Ok(Sql::Text(Text {
                text: Cow::Borrowed(""),
                bare: true,
                moment: false,
            }));
        }
        if self.tolerant.get() {
            return Ok(Sql::Null);
        }
        Err(Failure::new(&evaluation::FIELD_MISSING).with("path", path))
    }

    fn read(&self, slot: usize) -> Option<&'a (Path, std::ops::Range<usize>)> {
        self.expr.and_then(|expr| expr.reads.get(slot))
    }

    /// The raw value of a placeholder, its filters applied; `None` when the field is missing.
    fn value(&self, slot: usize) -> Result<Option<Cow<'a, Value>>, Failure> {
        let (Some(expr), Some((path, _))) = (self.expr, self.read(slot)) else {
            return Ok(None);
        };
        let found = match self.line.get() {
            None => self.env.field(slot, path),
            Some(line) => self.list(slot, path).and_then(|list| element(&list, line)),
        };
        let Some(mut value) = found else { return Ok(None) };
        for name in &expr.filters[slot] {
            let filter = Filter::parse(name);
            let applied = filter.map(|filter| filter.apply(value.into_owned(), self.env.zone()));
            value = Cow::Owned(applied.transpose()?.unwrap_or(Value::Null));
        }
        Ok(Some(value))
    }

    /// A bare placeholder.
    pub(super) fn field(&self, slot: usize) -> Result<Sql<'a>, Failure> {
        let Some((path, _)) = self.read(slot) else {
            return Ok(Sql::Null);
        };
        match self.value(slot)? {
            None => self.missing(path),
            Some(value) => self.convert(value, path),
        }
    }

    /// Whether the record has true or false there.
    pub(super) fn is_truth(&self, slot: usize) -> bool {
        matches!(self.value(slot), Ok(Some(value)) if matches!(&*value, Value::Bool(_)))
    }

    fn convert(&self, value: Cow<'a, Value>, path: &Path) -> Result<Sql<'a>, Failure> {
        Ok(match value {
            Cow::Borrowed(Value::Text(text)) => Sql::Text(Text {
                text: Cow::Borrowed(text),
                bare: true,
                moment: false,
            }),
            Cow::Owned(Value::Text(text)) => Sql::Text(Text {
                text: Cow::Owned(text),
                bare: true,
                moment: false,
            }),
            other => match &*other {
                Value::Null => Sql::Null,
                Value::Bool(truth) => Sql::bool(*truth),
                Value::Number(number) => number_value(number.as_str()),
                Value::Instant(instant) => match super::time::at_zone(instant.ms, self.env.zone(), 3) {
                    Some(at) => Sql::DateTime(at),
                    None => Sql::Null,
                },
                value => return Err(no_single_value(path, value.kind())),
            },
        })
    }

    /// Quoted text with placeholders. NULL prints as nothing.
    pub(super) fn interpolate(&self, pieces: &'a [Piece]) -> Result<Sql<'a>, Failure> {
        let mut text = String::new();
        for piece in pieces {
            let slot = match piece {
                Piece::Text(fixed) => {
                    text.push_str(fixed);
                    continue;
                }
                Piece::Slot(slot) => *slot,
            };
            let Some((path, _)) = self.read(slot) else {
                continue;
            };
            match self.value(slot)? {
                None => match self.missing(path)? {
                    Sql::Null => return Ok(Sql::Null),
                    _ => continue,
                },
                Some(value) => match &*value {
                    Value::Null => {}
                    Value::Instant(_) => {
                        return Err(Failure::new(&evaluation::INSTANT_IN_TEXT).with("path", path));
                    }
                    value => match value.to_plain_text() {
                        Some(plain) => text.push_str(&plain),
                        None => return Err(no_single_value(path, value.kind())),
                    },
                },
            }
            self.within(text.len(), "'…'")?;
        }
        self.spend_text(text.len())?;
        Ok(Sql::text(text))
    }

    /// The number that digits and values make when they are written one behind the other.
    pub(super) fn glue(&self, pieces: &'a [Piece]) -> Result<Sql<'a>, Failure> {
        let Sql::Text(joined) = self.interpolate(pieces)? else {
            return Ok(Sql::Null);
        };
        let mut absent = false;
        for slot in pieces.iter().filter_map(Piece::slot) {
            absent |= self.value(slot)?.is_none_or(|value| value.is_empty());
        }
        match Decimal::parse(joined.text.trim()) {
            Some(_) if !absent => Ok(exact_prefix(joined.text.trim()).into_sql()),
            _ => Err(Failure::new(&evaluation::GLUED_NOT_NUMBER).with("text", &joined.text)),
        }
    }

    /// What a nested look-up found; NULL when nothing.
    pub(super) fn lookup(&self, index: usize) -> Result<Sql<'a>, Failure> {
        match self.env.lookup(index) {
            None => Ok(Sql::Null),
            Some(value) => {
                let name = self
                    .expr
                    .and_then(|expr| expr.lookups.get(index))
                    .map(|spec| spec.get.clone());
                self.convert(
                    Cow::Owned(value),
                    &name.unwrap_or_else(|| Path::names(["_findCollection"])),
                )
            }
        }
    }

    /// Refuses a value that has grown too large.
    pub(super) fn within(&self, bytes: usize, what: &str) -> Result<(), Failure> {
        if bytes > self.bounds.value {
            return Err(Failure::new(&evaluation::VALUE_TOO_LARGE).with("what", what));
        }
        Ok(())
    }

    /// Whether a node reads what is another value on each line.
    pub(crate) fn varies(&self, node: &Node) -> bool {
        let is_list = |slot: usize| {
            let path = self.read(slot).map(|(path, _)| path);
            path.is_some_and(|path| {
                self.list(slot, path)
                    .is_some_and(|list| matches!(&*list, Value::List(_)))
            })
        };
        self.line.get().is_some() && node.slots().into_iter().any(is_list)
    }

    /// The values of an aggregate function's argument, line by line, NULLs left out; each with what orders it.
    pub(super) fn lines(
        &self,
        argument: &'a Node,
        order: &'a [(Node, bool)],
    ) -> Result<Vec<(Sql<'a>, Vec<Sql<'a>>)>, Failure> {
        let mut count = None;
        let by = order.iter().flat_map(|(by, _)| by.slots());
        for slot in argument.slots().into_iter().chain(by) {
            let Some((path, _)) = self.read(slot) else {
                continue;
            };
            if let Some(list) = self.list(slot, path)
                && let Value::List(elements) = &*list
            {
                count = Some(count.unwrap_or(0).max(elements.len()));
            }
        }
        let mut values = Vec::new();
        let before = self.line.get();
        let lines: Vec<Option<usize>> = count.map_or(vec![None], |count| (0..count).map(Some).collect());
        for line in lines {
            self.go_to(line);
            let row = self.tolerating(|| {
                let value = eval::node(self, argument)?;
                let keys: Result<Vec<_>, _> = order.iter().map(|(by, _)| eval::node(self, by)).collect();
                Ok::<_, Failure>((value, keys?))
            });
            self.go_to(before);
            let row = row?;
            if !row.0.is_null() {
                values.push(row);
            }
        }
        Ok(values)
    }
}

/// The element of a list; a single value is the same on every line.
fn element<'a>(list: &Value, line: usize) -> Option<Cow<'a, Value>> {
    match list {
        Value::List(elements) => elements.get(line).cloned().map(Cow::Owned),
        single => Some(Cow::Owned(single.clone())),
    }
}

/// Steps of working through so many bytes: with all that an evaluation may spend, some 16 MB, which the slowest
/// functions work through in a twentieth of a second.
fn work(bytes: usize) -> u64 {
    u64::try_from(bytes / 16).unwrap_or(u64::MAX)
}

/// A JSON number, exactly; one that no decimal holds is floating point.
fn number_value(text: &str) -> Sql<'static> {
    if let Some(int) = text.parse::<i128>().ok().and_then(Int::literal) {
        return Sql::Int(int);
    }
    match Decimal::parse_json(text) {
        Some(number) => Sql::Decimal(number),
        None => exact_prefix(text).into_sql(),
    }
}

fn no_single_value(path: &Path, kind: Kind) -> Failure {
    let zh = if kind == Kind::List { "列表" } else { "对象" };
    Failure::new(&evaluation::NO_SINGLE_VALUE)
        .with("path", path)
        .with("kind", kind)
        .with("kind_zh", zh)
}

/// The arguments of a function that decides itself which of them it needs.
pub struct Lazy<'r, 'a> {
    pub(super) nodes: &'a [Node],
    pub(super) run: &'r Run<'a>,
}

impl<'a> Lazy<'_, 'a> {
    /// How many were written.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether none was written.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Computes one; NULL when it was left out.
    pub fn get(&self, index: usize) -> Result<Sql<'a>, CallError> {
        match self.nodes.get(index) {
            Some(node) => Ok(eval::node(self.run, node)?),
            None => Ok(Sql::Null),
        }
    }

    /// Compares two of them as `=` does; `None` when either is NULL. Times know the day and the zone of the run.
    pub fn compare(&self, a: &Sql<'_>, b: &Sql<'_>) -> Option<Ordering> {
        self.run.compare_shown(a, b)
    }

    /// Computes one, with missing fields taken for NULL.
    pub fn get_or_null(&self, index: usize) -> Result<Sql<'a>, CallError> {
        self.run.tolerating(|| self.get(index))
    }
}

impl Run<'_> {
    /// A time as the run's zone shows it.
    pub(crate) fn time(&self, value: &Sql<'_>) -> Option<DateTime> {
        match value {
            Sql::Time(time) => time.on(self.today()?),
            Sql::Text(text) if text.moment => self.time(&super::time::moment(value)?),
            other => super::time::to_datetime(other, self.env.zone()),
        }
    }

    /// Compares; `None` when either is NULL. Times know the day and the zone of the run.
    pub(crate) fn compare(&self, a: &Sql<'_>, b: &Sql<'_>) -> Option<Ordering> {
        let temporal = |value: &Sql<'_>| Ty::of(value).kind.is_temporal();
        if temporal(a) || temporal(b) {
            return super::time::order(a, b, self.env.zone(), || self.today());
        }
        compare(a, b)
    }

    /// [`Run::compare`] for an operator: exact numbers count as they are shown.
    pub(crate) fn compare_shown(&self, a: &Sql<'_>, b: &Sql<'_>) -> Option<Ordering> {
        self.compare(&as_shown(a, b), &as_shown(b, a))
    }

    /// A time of the day, or a length of time.
    pub(crate) fn clock(&self, value: &Sql<'_>) -> Option<Time> {
        super::time::to_time(value, self.env.zone())
    }

    /// The day of the run in its zone.
    pub(crate) fn today(&self) -> Option<Date> {
        super::time::at_zone(self.env.now_ms(), self.env.zone(), 0).map(|at| at.date)
    }
}
