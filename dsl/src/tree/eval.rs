//! Evaluation of a tree for one record.
//!
//! A value is computed lazily: a look-up that missed, or a field that is absent, counts only where a branch reads
//! it. What is left out leaves no trace in the sink; a map all of whose members are left out is left out itself.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use jiff::tz::TimeZone;

use crate::catalogue::record;
use crate::diagnostic::Failure;
use crate::facts::Action;
use crate::json;
use crate::lines::LineList;
use crate::lookup::{Hit, Hits, LookupWant};
use crate::path::{Path, Segment};
use crate::tree::compile::from_segments;
use crate::tree::get::{Got, Settled, lookup_miss, missing_field};
use crate::tree::sink::{Sink, ValueSink, write_value};
use crate::tree::term::{EachTerm, Made, Maker, Missing, Term, TermKind, Tree};
use crate::value::Value;

/// Where a tree gets its values from.
pub trait Scope {
    /// A field of the record; `slot` is its number in [`Tree::slots`]. `None` is a missing field.
    fn field(&self, slot: usize, path: &Path) -> Option<Cow<'_, Value>>;

    /// A field for an aggregate function: where the path passes through lists, the list of its values.
    fn list(&self, slot: usize, path: &Path) -> Option<Cow<'_, Value>> {
        self.field(slot, path)
    }

    /// A name of the engine, `$` included. `None` is one without a value here.
    fn name(&self, path: &Path) -> Option<Cow<'_, Value>>;

    /// The one instant of the run, in milliseconds since 1970.
    fn now_ms(&self) -> i64;

    /// The zone in which times are read and printed.
    fn zone(&self) -> &TimeZone;

    /// The action of a target document; `None` where there is none.
    fn action(&self) -> Option<Action>;

    /// The line around all values, and its number from 1, where there is one.
    fn line(&self) -> Option<(&Value, usize)> {
        None
    }

    /// The target's id of a line, by the place of its list and its key; `None` for a line not written yet.
    fn line_id(&self, _list: &Path, _key: &str) -> Option<Cow<'_, Value>> {
        None
    }

    /// Whether a missing field is empty text in expressions.
    fn compat_qeasy(&self) -> bool {
        false
    }

    /// Whether a member that is null is left out unless the author asks for null.
    fn drops_null(&self) -> bool {
        false
    }
}

/// What became of a tree.
#[derive(Debug, Clone, PartialEq)]
pub enum Evaluated {
    /// It was written.
    Written,
    /// It was left out; the sink is as it was.
    Omitted,
    /// A look-up that waits found nothing; the sink is as it was.
    Deferred(LookupWant),
}

/// How the members of a document came about.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trace {
    /// One for each value that is more than a constant, in the order of the document.
    pub entries: Vec<TraceEntry>,
}

/// How one value came about.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceEntry {
    /// Its place in the document.
    pub field: String,
    /// What the author wrote.
    pub source: String,
    /// The value; `None` when it was left out.
    pub value: Option<Value>,
    /// For look-ups, how many rows match; two may stand for more.
    pub matches: Option<usize>,
    /// Whether the value must not be shown.
    pub sensitive: bool,
}

/// What an evaluation leaves behind besides values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Left {
    /// The look-ups that were read, and how many rows each matched, where that is not one.
    pub(crate) looked: Vec<(LookupWant, usize)>,
    /// The lists whose lines have keys, in the order of the document.
    pub(crate) lines: Vec<LineList>,
}

/// Evaluates a tree into a sink.
pub fn eval(
    tree: &Tree,
    scope: &dyn Scope,
    hits: &Hits,
    sink: &mut dyn Sink,
    trace: Option<&mut Trace>,
) -> Result<Evaluated, Failure> {
    eval_noting(tree, scope, hits, sink, trace, &mut Left::default())
}

/// The same, and what it leaves behind.
pub(crate) fn eval_noting(
    tree: &Tree,
    scope: &dyn Scope,
    hits: &Hits,
    sink: &mut dyn Sink,
    trace: Option<&mut Trace>,
    left: &mut Left,
) -> Result<Evaluated, Failure> {
    let eval = Eval {
        trace: trace.is_some().then(RefCell::default),
        ..Eval::new(scope, hits)
    };
    let mark = sink.mark();
    let line = around(scope);
    let flow = eval.write(&tree.root, line.as_ref(), None, sink);
    if let (Some(trace), Some(found)) = (trace, eval.trace) {
        trace.entries.extend(found.into_inner());
    }
    for (want, matches) in eval.looked.into_inner() {
        if !left.looked.iter().any(|(known, _)| known.searches_as(&want)) {
            left.looked.push((want, matches));
        }
    }
    left.lines.append(&mut eval.lines.into_inner());
    match flow {
        Ok(Flow::Written) => Ok(Evaluated::Written),
        Ok(Flow::Omitted) => {
            sink.rollback(mark);
            Ok(Evaluated::Omitted)
        }
        Ok(Flow::Deferred(want)) => {
            sink.rollback(mark);
            Ok(Evaluated::Deferred(*want))
        }
        Err(failure) => {
            sink.rollback(mark);
            Err(failure)
        }
    }
}

/// The value of one term; `None` when it is left out or missing. A look-up that waits counts as missing.
pub(crate) fn value_of(term: &Term, scope: &dyn Scope, hits: &Hits) -> Result<Option<Value>, Failure> {
    Eval::new(scope, hits).optional(term, around(scope).as_ref())
}

/// The value of a tree; `None` when it is left out. A look-up that waits is a failure.
pub fn eval_value(tree: &Tree, scope: &dyn Scope, hits: &Hits) -> Result<Option<Value>, Failure> {
    let mut sink = ValueSink::new();
    match eval(tree, scope, hits, &mut sink, None)? {
        Evaluated::Written => Ok(sink.finish()),
        Evaluated::Omitted => Ok(None),
        Evaluated::Deferred(want) => Err(lookup_miss(&want)),
    }
}

pub(crate) struct Eval<'a> {
    pub(crate) scope: &'a dyn Scope,
    pub(crate) hits: &'a Hits,
    trace: Option<RefCell<Vec<TraceEntry>>>,
    /// The look-ups that were read, and how many rows each matched, where that is not one.
    looked: RefCell<Vec<(LookupWant, usize)>>,
    /// How many rows the last look-up matched.
    matched: Cell<Option<usize>>,
    lines: RefCell<Vec<LineList>>,
    /// Whether what is evaluated belongs to a sensitive value.
    pub(crate) hidden: Cell<bool>,
}

/// The line of an `$each`, and the lines around it.
#[derive(Clone, Copy)]
pub(crate) struct Lines<'l> {
    pub(crate) value: &'l Value,
    /// Its number in the source, from 1.
    pub(crate) index: usize,
    pub(crate) up: Option<&'l Lines<'l>>,
    /// What it is known by at the target.
    pub(crate) line: Option<LineName<'l>>,
}

/// The line that all of a tree is evaluated for.
pub(crate) fn around(scope: &dyn Scope) -> Option<Lines<'_>> {
    scope.line().map(|(value, index)| Lines {
        value,
        index,
        up: None,
        line: None,
    })
}

/// What a line is known by, when its list has a `$key`.
#[derive(Clone, Copy)]
pub(crate) struct LineName<'l> {
    /// The place of the list in every document.
    pub(crate) list: &'l Path,
    /// The texts of the keys, outermost line first.
    pub(crate) keys: &'l [String],
    /// Its place among the lines that are sent, from 0.
    pub(crate) position: usize,
}

/// A place in the document.
#[derive(Clone, Copy)]
pub(crate) struct At<'p> {
    step: Step<'p>,
    up: Option<&'p At<'p>>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Name(&'p str),
    Index(usize),
}

pub(crate) enum Flow {
    Written,
    Omitted,
    Deferred(Box<LookupWant>),
}

impl<'a> Eval<'a> {
    pub(crate) fn new(scope: &'a dyn Scope, hits: &'a Hits) -> Eval<'a> {
        Eval {
            scope,
            hits,
            trace: None,
            looked: RefCell::default(),
            matched: Cell::new(None),
            lines: RefCell::default(),
            hidden: Cell::new(false),
        }
    }

    /// Evaluates what belongs to a term: if its value is sensitive, no failure and no trace of it shows a value.
    pub(crate) fn under<T>(
        &self,
        term: &Term,
        run: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if !term.covers() {
            return run();
        }
        let around = self.hidden.replace(true);
        let result = run();
        self.hidden.set(around);
        result.map_err(masked)
    }

    /// Whether it has left nothing but values behind.
    pub(crate) fn left_nothing(&self) -> bool {
        self.looked.borrow().is_empty() && self.lines.borrow().is_empty()
    }

    /// A look-up was read.
    pub(crate) fn looked(&self, want: &LookupWant, hit: Option<&Hit>) {
        let matches = match hit {
            Some(Hit::One { matches, .. }) => *matches,
            Some(Hit::Several(count)) => *count,
            Some(Hit::None) | None => 0,
        };
        self.matched.set(Some(matches));
        if matches != 1 {
            self.looked.borrow_mut().push((want.clone(), matches));
        }
    }

    pub(crate) fn write(
        &self,
        term: &Term,
        lines: Option<&Lines<'_>>,
        at: Option<&At<'_>>,
        sink: &mut dyn Sink,
    ) -> Result<Flow, Failure> {
        match &term.kind {
            TermKind::Literal(value) => {
                write_value(sink, value);
                Ok(Flow::Written)
            }
            TermKind::Map(members) => self.write_map(members, lines, at, sink),
            TermKind::List(items) => {
                sink.begin_list();
                for (index, item) in items.iter().enumerate() {
                    let here = At {
                        step: Step::Index(index),
                        up: at,
                    };
                    if let Flow::Deferred(want) = self.write_element(item, lines, Some(&here), sink)? {
                        return Ok(Flow::Deferred(want));
                    }
                }
                sink.end_list();
                Ok(Flow::Written)
            }
            TermKind::Drop => Ok(Flow::Omitted),
            TermKind::Made(made) => match &made.maker {
                Maker::Each(each) if made.manners.default.is_none() && self.applies(made) => {
                    self.under(term, || self.write_each(term, each, made, lines, at, sink))
                }
                _ => self.write_got(term, lines, at, sink),
            },
            TermKind::Read(_) | TermKind::Text(_) | TermKind::Formula(_) | TermKind::Find(_) => {
                self.write_got(term, lines, at, sink)
            }
        }
    }

    fn write_map(
        &self,
        members: &[(String, Term)],
        lines: Option<&Lines<'_>>,
        at: Option<&At<'_>>,
        sink: &mut dyn Sink,
    ) -> Result<Flow, Failure> {
        sink.begin_map();
        let mut wrote = members.is_empty();
        for (name, member) in members {
            let mark = sink.mark();
            sink.key(name);
            let here = At {
                step: Step::Name(name),
                up: at,
            };
            match self.write(member, lines, Some(&here), sink)? {
                Flow::Written => wrote = true,
                Flow::Omitted => sink.rollback(mark),
                Flow::Deferred(want) => return Ok(Flow::Deferred(want)),
            }
        }
        if !wrote {
            return Ok(Flow::Omitted);
        }
        sink.end_map();
        Ok(Flow::Written)
    }

    /// An element is never left out: what would be is an empty map, or null.
    fn write_element(
        &self,
        term: &Term,
        lines: Option<&Lines<'_>>,
        at: Option<&At<'_>>,
        sink: &mut dyn Sink,
    ) -> Result<Flow, Failure> {
        let mark = sink.mark();
        match self.write(term, lines, at, sink)? {
            Flow::Omitted => {
                sink.rollback(mark);
                if matches!(term.kind, TermKind::Map(_)) {
                    sink.begin_map();
                    sink.end_map();
                } else {
                    sink.scalar(&Value::Null);
                }
                Ok(Flow::Written)
            }
            flow => Ok(flow),
        }
    }

    pub(crate) fn write_each(
        &self,
        term: &Term,
        each: &EachTerm,
        made: &Made,
        lines: Option<&Lines<'_>>,
        at: Option<&At<'_>>,
        sink: &mut dyn Sink,
    ) -> Result<Flow, Failure> {
        let list = match self.lines_of(each, made, lines, at)? {
            Got::Value(Value::List(list)) => list,
            Got::Value(value) => {
                write_value(sink, &value);
                return Ok(Flow::Written);
            }
            Got::Deferred(want) => return Ok(Flow::Deferred(want)),
            Got::Omitted | Got::Missing(_) => {
                self.note(term, at, None);
                return Ok(Flow::Omitted);
            }
        };
        sink.begin_list();
        let mut written = 0;
        let mut names = each
            .key
            .as_ref()
            .zip(each.place.as_ref())
            .map(|(key, list)| LineNames {
                key,
                list,
                sent: Vec::new(),
                known: HashSet::new(),
            });
        // The list stands before those below it.
        let slot = names.as_ref().map(|names| self.reserve(names, lines));
        for (index, value) in list.iter().enumerate() {
            let mut line = Lines {
                value,
                index: index + 1,
                up: lines,
                line: None,
            };
            if !self.keeps(each, &line)? {
                continue;
            }
            let here = At {
                step: Step::Index(written),
                up: at,
            };
            let keys = match &mut names {
                Some(names) => names
                    .next(each, value, lines)
                    .map_err(|failure| placed(failure, Some(&here)))?,
                None => Vec::new(),
            };
            line.line = each
                .place
                .as_ref()
                .filter(|_| names.is_some())
                .map(|list| LineName {
                    list,
                    keys: &keys,
                    position: written,
                });
            if let Flow::Deferred(want) = self.write_element(&each.body, Some(&line), Some(&here), sink)? {
                return Ok(Flow::Deferred(want));
            }
            written += 1;
        }
        if let (Some(names), Some(slot)) = (names, slot)
            && let Some(list) = self.lines.borrow_mut().get_mut(slot)
        {
            list.keys = names.sent;
        }
        sink.end_list();
        Ok(Flow::Written)
    }

    fn reserve(&self, names: &LineNames<'_>, lines: Option<&Lines<'_>>) -> usize {
        let mut all = self.lines.borrow_mut();
        all.push(LineList {
            list: names.list.clone(),
            at: in_this_document(names.list, lines),
            keys: Vec::new(),
        });
        all.len() - 1
    }

    pub(crate) fn keeps(&self, each: &EachTerm, line: &Lines<'_>) -> Result<bool, Failure> {
        match &each.keep {
            Some(cond) => cond.decide(&mut |term| self.optional(term, Some(line))),
            None => Ok(true),
        }
    }

    /// The list of an `$each`, or what takes its place.
    fn lines_of(
        &self,
        each: &EachTerm,
        made: &Made,
        lines: Option<&Lines<'_>>,
        at: Option<&At<'_>>,
    ) -> Result<Got, Failure> {
        match self.read(&each.list, lines)? {
            Got::Value(Value::List(list)) => Ok(Got::Value(Value::List(list))),
            Got::Value(Value::Null) | Got::Missing(_) => {
                match made.manners.missing.unwrap_or(Missing::Fail) {
                    Missing::Omit => Ok(Got::Omitted),
                    Missing::Null => Ok(Got::Value(Value::Null)),
                    Missing::Empty => Ok(Got::Value(Value::List(Vec::new()))),
                    Missing::Fail | Missing::Defer => Err(placed(missing_field(&each.list.from), at)),
                }
            }
            Got::Value(other) => Err(placed(
                Failure::new(&record::NOT_A_LIST)
                    .with("path", each.list.from.shown())
                    .with("kind", other.kind()),
                at,
            )),
            got => Ok(got),
        }
    }

    fn write_got(
        &self,
        term: &Term,
        lines: Option<&Lines<'_>>,
        at: Option<&At<'_>>,
        sink: &mut dyn Sink,
    ) -> Result<Flow, Failure> {
        self.matched.set(None);
        let got = self
            .under(term, || self.settled(term, lines))
            .map_err(|failure| placed(failure, at))?;
        match got {
            Settled::Value(value) => {
                self.note(term, at, Some(&value));
                write_value(sink, &value);
                Ok(Flow::Written)
            }
            Settled::Omitted => {
                self.note(term, at, None);
                Ok(Flow::Omitted)
            }
            Settled::Deferred(want) => Ok(Flow::Deferred(want)),
        }
    }

    fn note(&self, term: &Term, at: Option<&At<'_>>, value: Option<&Value>) {
        let (Some(trace), Some(source)) = (&self.trace, &term.source) else {
            return;
        };
        let looks_up = match &term.kind {
            TermKind::Find(_) => true,
            TermKind::Made(made) => match &made.maker {
                Maker::Lookup(_) => true,
                Maker::Value(inner) => matches!(inner.kind, TermKind::Find(_)),
                _ => false,
            },
            _ => false,
        };
        trace.borrow_mut().push(TraceEntry {
            field: place_text(at),
            source: source.to_string(),
            value: value.cloned(),
            matches: self.matched.get().filter(|_| looks_up),
            sensitive: term.hides || self.hidden.get(),
        });
    }
}

/// The keys of the lines of one list, while they are written.
struct LineNames<'e> {
    key: &'e Path,
    list: &'e Path,
    sent: Vec<String>,
    known: HashSet<String>,
}

impl LineNames<'_> {
    /// The keys of the next line, those of the lines around it first.
    fn next(
        &mut self,
        each: &EachTerm,
        value: &Value,
        lines: Option<&Lines<'_>>,
    ) -> Result<Vec<String>, Failure> {
        let outer = lines.and_then(|line| line.line).map_or(&[][..], |line| line.keys);
        let own = self.key.get(value).and_then(Value::to_plain_text);
        let own = own.filter(|text| !text.is_empty()).ok_or_else(|| {
            Failure::new(&record::LINE_KEY_EMPTY)
                .with("list", each.list.from.shown())
                .with("path", self.key)
        })?;
        let keys: Vec<String> = outer.iter().cloned().chain([own]).collect();
        let text = line_key(&keys);
        if !self.known.insert(text.clone()) {
            return Err(Failure::new(&record::LINE_KEY_TWICE)
                .with("list", each.list.from.shown())
                .with("path", self.key)
                .with("value", keys.last().map_or("", String::as_str)));
        }
        self.sent.push(text);
        Ok(keys)
    }
}

/// The key of a line as it is stored: a JSON list of texts.
pub(crate) fn line_key(keys: &[String]) -> String {
    json::to_string(&Value::List(
        keys.iter().map(|key| Value::from(key.as_str())).collect(),
    ))
}

/// The place of a list in the document at hand: a star is the line that is being written.
fn in_this_document(list: &Path, lines: Option<&Lines<'_>>) -> Path {
    let mut positions = Vec::new();
    let mut next = lines;
    while let Some(line) = next {
        positions.extend(line.line.map(|line| line.position));
        next = line.up;
    }
    let here: Vec<Segment> = list
        .segments()
        .iter()
        .map(|segment| match segment {
            Segment::All => Segment::Index(positions.pop().unwrap_or_default()),
            other => other.clone(),
        })
        .collect();
    from_segments(&here)
}

fn place_text(at: Option<&At<'_>>) -> String {
    let mut path = Path::names(Vec::<String>::new());
    let mut steps = Vec::new();
    let mut next = at;
    while let Some(at) = next {
        steps.push(at.step);
        next = at.up;
    }
    for step in steps.into_iter().rev() {
        path = match step {
            Step::Name(name) => path.child(name),
            Step::Index(index) => path.join(&Path::parse(&index.to_string()).expect("a number is a path")),
        };
    }
    path.to_string()
}

/// Names the place in the document. What was built apart named the place within itself.
fn placed(failure: Failure, at: Option<&At<'_>>) -> Failure {
    match (failure.field.clone(), at) {
        (_, None) => failure,
        (None, Some(_)) => failure.at(place_text(at)),
        (Some(inner), Some(_)) => failure.at(format!("{}.{inner}", place_text(at))),
    }
}

/// A failure without the values of the row.
pub(crate) fn masked(mut failure: Failure) -> Failure {
    /// Facts that come from the scheme, not from the row.
    const OF_THE_SCHEME: [&str; 10] = [
        "path", "scheme", "list", "filter", "want", "want_en", "kind", "index", "count", "limit",
    ];
    for (name, fact) in &mut failure.facts {
        if !OF_THE_SCHEME.contains(name) {
            *fact = "***".to_owned();
        }
    }
    failure
}
