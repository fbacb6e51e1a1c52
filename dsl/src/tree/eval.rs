//! Evaluation of a tree for one record.
//!
//! A value is computed lazily: a look-up that missed, or a field that is absent, counts only where a branch reads
//! it. What is left out leaves no trace in the sink; a map all of whose members are left out is left out itself.

use std::borrow::Cow;
use std::cell::RefCell;

use jiff::tz::TimeZone;

use crate::catalogue::{evaluation, record};
use crate::diagnostic::Failure;
use crate::expr::Env;
use crate::facts::Action;
use crate::filter::shown;
use crate::json;
use crate::lookup::{Hit, Hits, LookupWant};
use crate::path::Path;
use crate::tree::formula::Formula;
use crate::tree::sink::{Sink, ValueSink, write_value};
use crate::tree::term::{
    EachTerm, Empty, LookupTerm, Made, Maker, Missing, OnError, Piece, Read, Ref, Term, TermKind, Tree,
};
use crate::value::{Number, Value};

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

    /// Whether a missing field is empty text in expressions.
    fn compat_qeasy(&self) -> bool {
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
    /// For look-ups, whether a row was found.
    pub matches: Option<usize>,
    /// Whether the value must not be shown.
    pub sensitive: bool,
}

/// Evaluates a tree into a sink.
pub fn eval(
    tree: &Tree,
    scope: &dyn Scope,
    hits: &Hits,
    sink: &mut dyn Sink,
    trace: Option<&mut Trace>,
) -> Result<Evaluated, Failure> {
    let eval = Eval {
        scope,
        hits,
        trace: trace.is_some().then(RefCell::default),
    };
    let mark = sink.mark();
    let flow = eval.write(&tree.root, None, None, sink);
    if let (Some(trace), Some(found)) = (trace, eval.trace) {
        trace.entries.extend(found.into_inner());
    }
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
    Eval {
        scope,
        hits,
        trace: None,
    }
    .optional(term, None)
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
}

/// The line of an `$each`, and the lines around it.
#[derive(Clone, Copy)]
pub(crate) struct Lines<'l> {
    pub(crate) value: &'l Value,
    pub(crate) index: usize,
    pub(crate) up: Option<&'l Lines<'l>>,
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

enum Flow {
    Written,
    Omitted,
    Deferred(Box<LookupWant>),
}

/// What a term gives before manners.
pub(crate) enum Got {
    Value(Value),
    Missing(Box<Gap>),
    Omitted,
    Deferred(Box<LookupWant>),
}

/// A value that is not there.
pub(crate) struct Gap {
    /// What to say when nothing else is said.
    failure: Failure,
    policy: Missing,
    /// What to wait for.
    want: Option<LookupWant>,
}

impl<'a> Eval<'a> {
    pub(crate) fn new(scope: &'a dyn Scope, hits: &'a Hits) -> Eval<'a> {
        Eval {
            scope,
            hits,
            trace: None,
        }
    }

    fn write(
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
                    self.write_each(term, each, made, lines, at, sink)
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

    fn write_each(
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
                self.note(term, at, None, false);
                return Ok(Flow::Omitted);
            }
        };
        sink.begin_list();
        let mut written = 0;
        for (index, value) in list.iter().enumerate() {
            let line = Lines {
                value,
                index: index + 1,
                up: lines,
            };
            if !self.keeps(each, &line)? {
                continue;
            }
            let here = At {
                step: Step::Index(written),
                up: at,
            };
            if let Flow::Deferred(want) = self.write_element(&each.body, Some(&line), Some(&here), sink)? {
                return Ok(Flow::Deferred(want));
            }
            written += 1;
        }
        sink.end_list();
        Ok(Flow::Written)
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
        let sensitive = matches!(&term.kind, TermKind::Made(made) if made.manners.sensitive);
        let got = self.settled(term, lines).map_err(|failure| {
            let failure = placed(failure, at);
            if sensitive { masked(failure) } else { failure }
        })?;
        match got {
            Settled::Value(value) => {
                self.note(term, at, Some(&value), sensitive);
                write_value(sink, &value);
                Ok(Flow::Written)
            }
            Settled::Omitted => {
                self.note(term, at, None, sensitive);
                Ok(Flow::Omitted)
            }
            Settled::Deferred(want) => Ok(Flow::Deferred(want)),
        }
    }

    fn note(&self, term: &Term, at: Option<&At<'_>>, value: Option<&Value>, sensitive: bool) {
        let (Some(trace), Some(source)) = (&self.trace, &term.source) else {
            return;
        };
        let found = value.is_some_and(|value| !value.is_null());
        let looks_up = match &term.kind {
            TermKind::Find(_) => true,
            TermKind::Made(made) => matches!(made.maker, Maker::Lookup(_)),
            _ => false,
        };
        trace.borrow_mut().push(TraceEntry {
            field: place_text(at),
            source: source.to_string(),
            value: value.cloned(),
            matches: looks_up.then_some(usize::from(found)),
            sensitive,
        });
    }

    /// A value after manners and policies.
    fn settled(&self, term: &Term, lines: Option<&Lines<'_>>) -> Result<Settled, Failure> {
        let got = self.get(term, lines)?;
        let omit_null = gives_null(term);
        match got {
            Got::Value(Value::Null) if omit_null => Ok(Settled::Omitted),
            Got::Value(Value::Instant(_)) => {
                let path = term
                    .source
                    .as_deref()
                    .unwrap_or("$now")
                    .trim_matches(['<', '>', '{', '}'])
                    .to_owned();
                Err(Failure::new(&record::INSTANT_UNPRINTED).with("path", path))
            }
            Got::Value(value) => Ok(Settled::Value(value)),
            Got::Omitted => Ok(Settled::Omitted),
            Got::Deferred(want) => Ok(Settled::Deferred(want)),
            Got::Missing(gap) => gap.settle(None),
        }
    }

    /// A value for a comparison or a key; `None` when it is absent for whatever reason that is no failure.
    pub(crate) fn optional(&self, term: &Term, lines: Option<&Lines<'_>>) -> Result<Option<Value>, Failure> {
        Ok(match self.get(term, lines)? {
            Got::Value(value) => Some(value),
            Got::Omitted | Got::Deferred(_) => None,
            Got::Missing(gap) if gap.policy == Missing::Omit => None,
            Got::Missing(gap) => match gap.settle(None)? {
                Settled::Value(value) => Some(value),
                Settled::Omitted | Settled::Deferred(_) => None,
            },
        })
    }

    /// What a term gives; manners of the term itself are applied, the policy for a missing value is not.
    pub(crate) fn get(&self, term: &Term, lines: Option<&Lines<'_>>) -> Result<Got, Failure> {
        match &term.kind {
            TermKind::Literal(value) => Ok(Got::Value(value.clone())),
            TermKind::Read(read) => self.read(read, lines),
            TermKind::Text(pieces) => self.text(pieces, lines),
            TermKind::Formula(formula) => self.formula(formula, lines),
            TermKind::Find(lookup) => match self.lookup(lookup, lines)? {
                Got::Missing(gap) if gap.want.is_some() || gap.policy == Missing::Defer => {
                    Ok(Got::Value(Value::Null))
                }
                got => Ok(got),
            },
            TermKind::Drop => Ok(Got::Omitted),
            TermKind::Map(_) | TermKind::List(_) => self.built(term, lines),
            TermKind::Made(made) => self.made(term, made, lines),
        }
    }

    fn built(&self, term: &Term, lines: Option<&Lines<'_>>) -> Result<Got, Failure> {
        let mut sink = ValueSink::new();
        Ok(match self.write(term, lines, None, &mut sink)? {
            Flow::Written => Got::Value(sink.finish().unwrap_or(Value::Null)),
            Flow::Omitted => Got::Omitted,
            Flow::Deferred(want) => Got::Deferred(want),
        })
    }

    fn read(&self, read: &Read, lines: Option<&Lines<'_>>) -> Result<Got, Failure> {
        let Some(value) = self.fetch(&read.from, lines) else {
            if read.missing == Missing::Empty {
                return Ok(Got::Value(Value::Text(String::new())));
            }
            let gap = Gap {
                failure: missing_field(&read.from),
                policy: read.missing,
                want: None,
            };
            return Ok(Got::Missing(Box::new(gap)));
        };
        let mut value = value.into_owned();
        for filter in &read.filters {
            value = filter.apply(value, self.scope.zone())?;
        }
        if read.plain && matches!(value, Value::Number(_) | Value::Bool(_)) {
            value = value.to_plain_text().map_or(Value::Null, Value::Text);
        }
        Ok(Got::Value(value))
    }

    /// The value behind a reference.
    pub(crate) fn fetch<'v>(&'v self, from: &Ref, lines: Option<&'v Lines<'v>>) -> Option<Cow<'v, Value>> {
        match from {
            Ref::Field { slot, path } => self.scope.field(*slot, path),
            Ref::Line { up, rest, .. } => {
                let line = line_at(lines, *up)?;
                match rest {
                    Some(rest) => rest.get(line.value).map(Cow::Borrowed),
                    None => Some(Cow::Borrowed(line.value)),
                }
            }
            Ref::Index { up } => {
                let index = u64::try_from(line_at(lines, *up)?.index).unwrap_or(u64::MAX);
                Some(Cow::Owned(Value::Number(Number::from(index))))
            }
            Ref::Name(path) => self.name(path),
            Ref::Seconds(path) => match self.name(path)?.as_ref() {
                Value::Instant(instant) => Some(Cow::Owned(Value::from(instant.ms.div_euclid(1000)))),
                other => Some(Cow::Owned(other.clone())),
            },
        }
    }

    fn name(&self, path: &Path) -> Option<Cow<'_, Value>> {
        if path.first_name() == Some("$now") {
            return Some(Cow::Owned(Value::Instant(crate::value::Instant {
                ms: self.scope.now_ms(),
            })));
        }
        self.scope.name(path)
    }

    fn text(&self, pieces: &[Piece], lines: Option<&Lines<'_>>) -> Result<Got, Failure> {
        let mut text = String::new();
        for piece in pieces {
            let read = match piece {
                Piece::Text(part) => {
                    text.push_str(part);
                    continue;
                }
                Piece::Read(read) => read,
            };
            match self.read(read, lines)? {
                Got::Value(Value::Null) => {}
                Got::Value(Value::Instant(_)) => {
                    return Err(Failure::new(&record::INSTANT_UNPRINTED).with("path", read.from.shown()));
                }
                Got::Value(value) => match value.to_plain_text() {
                    Some(part) => text.push_str(&part),
                    None => {
                        return Err(Failure::new(&record::NOT_TEXT)
                            .with("path", read.from.shown())
                            .with("kind", value.kind()));
                    }
                },
                got => return Ok(got),
            }
        }
        Ok(Got::Value(Value::Text(text)))
    }

    fn formula(&self, formula: &Formula, lines: Option<&Lines<'_>>) -> Result<Got, Failure> {
        let env = FormulaEnv {
            eval: self,
            formula,
            lines,
            failure: RefCell::new(None),
        };
        let result = formula.expr.eval(&env);
        if let Some(failure) = env.failure.into_inner() {
            return Err(failure);
        }
        match result {
            Err(failure) if failure.entry.code == evaluation::FIELD_MISSING.code => {
                Ok(Got::Missing(Box::new(Gap {
                    failure,
                    policy: Missing::Fail,
                    want: None,
                })))
            }
            result => result.map(Got::Value),
        }
    }

    /// What a look-up found; a miss says what to wait for.
    pub(crate) fn lookup(&self, lookup: &LookupTerm, lines: Option<&Lines<'_>>) -> Result<Got, Failure> {
        let mut keys = Vec::with_capacity(lookup.keys.len());
        for term in &lookup.keys {
            match self.get(term, lines)? {
                Got::Value(value) => keys.push(value.to_plain_text().unwrap_or_default()),
                Got::Omitted => keys.push(String::new()),
                got => return Ok(got),
            }
        }
        let want = LookupWant {
            spec: lookup.spec.clone(),
            keys,
        };
        let empty = want.keys.iter().any(String::is_empty);
        let hit = if empty {
            None
        } else {
            self.hits.get(&want.spec, &want.keys)
        };
        match hit {
            Some(Hit::One(value)) => Ok(Got::Value(value.clone())),
            Some(Hit::Several(count)) => Err(Failure::new(&record::LOOKUP_SEVERAL)
                .with("scheme", &want.spec.scheme)
                .with("keys", keys_text(&want))
                .with("count", count)),
            Some(Hit::None) | None => {
                let policy = if empty { Missing::Fail } else { Missing::Defer };
                Ok(Got::Missing(Box::new(Gap {
                    failure: lookup_miss(&want),
                    policy,
                    want: Some(want),
                })))
            }
        }
    }

    fn applies(&self, made: &Made) -> bool {
        match (made.manners.only, self.scope.action()) {
            (Some(only), Some(action)) => only == action,
            _ => true,
        }
    }

    /// A maker with its manners, in the order in which they apply.
    fn made(&self, term: &Term, made: &Made, lines: Option<&Lines<'_>>) -> Result<Got, Failure> {
        let manners = &made.manners;
        if !self.applies(made) {
            return Ok(Got::Omitted);
        }
        let mut got = match (self.make(term, made, lines), manners.on_error) {
            (Err(_), Some(OnError::Null)) => Got::Value(Value::Null),
            (Err(_), Some(OnError::Literal)) => Got::Value(literal_of(made).into()),
            (result, _) => result?,
        };
        let null_by_nature = matches!(&made.maker, Maker::Value(term) if gives_null(term));
        if let Some(default) = &manners.default
            && (matches!(got, Got::Missing(_)) || matches!(&got, Got::Value(value) if value.is_empty()))
        {
            got = self.get(default, lines)?;
        }
        let value = match got {
            Got::Value(value) => value,
            Got::Missing(gap) => {
                let waits = manners.missing.unwrap_or(gap.policy) == Missing::Defer && gap.want.is_some();
                if manners.required && !waits {
                    return Err(Failure::new(&record::REQUIRED_EMPTY));
                }
                match (manners.missing, manners.empty) {
                    (None, Some(Empty::Omit)) if !waits => return Ok(Got::Omitted),
                    (None, Some(Empty::Null)) if !waits => Value::Null,
                    (policy, _) => match gap.settle(policy)? {
                        Settled::Value(value) => value,
                        Settled::Omitted => return Ok(Got::Omitted),
                        Settled::Deferred(want) => return Ok(Got::Deferred(want)),
                    },
                }
            }
            other => return Ok(other),
        };
        if manners.required && value.is_empty() {
            return Err(Failure::new(&record::REQUIRED_EMPTY));
        }
        let value = match (manners.empty, &value) {
            (Some(Empty::Omit), empty) if empty.is_empty() => return Ok(Got::Omitted),
            (Some(Empty::Null), empty) if empty.is_empty() => Value::Null,
            (None, Value::Null) if null_by_nature => return Ok(Got::Omitted),
            _ => value,
        };
        match manners.fit {
            Some(fit) => fit.fit(value, self.scope.zone()).map(Got::Value),
            None => Ok(Got::Value(value)),
        }
    }

    fn make(&self, term: &Term, made: &Made, lines: Option<&Lines<'_>>) -> Result<Got, Failure> {
        match &made.maker {
            Maker::Value(inner) => self.get(inner, lines),
            Maker::Each(each) => {
                let mut sink = ValueSink::new();
                Ok(match self.write_each(term, each, made, lines, None, &mut sink)? {
                    Flow::Written => Got::Value(sink.finish().unwrap_or(Value::Null)),
                    Flow::Omitted => Got::Omitted,
                    Flow::Deferred(want) => Got::Deferred(want),
                })
            }
            Maker::Lookup(lookup) => self.lookup(lookup, lines),
            Maker::Map { of, to } => self.translate(of, to, lines),
            Maker::Join { list, with } => self.join(list, with, lines),
            Maker::Split { of, with } => match self.get(of, lines)? {
                Got::Value(Value::Null) => Ok(Got::Value(Value::Null)),
                Got::Value(value) => match value.to_plain_text() {
                    Some(text) if text.is_empty() => Ok(Got::Value(Value::List(Vec::new()))),
                    Some(text) => Ok(Got::Value(
                        text.split(with.as_str())
                            .map(Value::from)
                            .collect::<Vec<_>>()
                            .into(),
                    )),
                    None => Err(Failure::new(&record::NOT_TEXT)
                        .with("path", term_text(of))
                        .with("kind", value.kind())),
                },
                got => Ok(got),
            },
            Maker::Merge(parts) => self.merge(parts, lines),
            Maker::Json(inner) => match self.settled(inner, lines)? {
                Settled::Value(value) => Ok(Got::Value(json::to_string(&value).into())),
                Settled::Omitted => Ok(Got::Omitted),
                Settled::Deferred(want) => Ok(Got::Deferred(want)),
            },
        }
    }

    fn translate(
        &self,
        of: &Term,
        to: &[(String, Value)],
        lines: Option<&Lines<'_>>,
    ) -> Result<Got, Failure> {
        let value = match self.get(of, lines)? {
            Got::Value(value) => value,
            got => return Ok(got),
        };
        let text = value.to_plain_text().unwrap_or_default();
        if let Some((_, value)) = to.iter().find(|(from, _)| *from == text) {
            return Ok(Got::Value(value.clone()));
        }
        let failure = Failure::new(&record::NOT_IN_TABLE).with("value", shown(&value));
        Ok(Got::Missing(Box::new(Gap {
            failure,
            policy: Missing::Fail,
            want: None,
        })))
    }

    fn join(&self, list: &Read, with: &str, lines: Option<&Lines<'_>>) -> Result<Got, Failure> {
        let value = match &list.from {
            Ref::Field { slot, path } if path.has_all() => self.scope.list(*slot, path).map(Cow::into_owned),
            from => self.fetch(from, lines).map(Cow::into_owned),
        };
        let parts = match value {
            None | Some(Value::Null) => {
                let gap = Gap {
                    failure: missing_field(&list.from),
                    policy: list.missing,
                    want: None,
                };
                return Ok(Got::Missing(Box::new(gap)));
            }
            Some(Value::List(parts)) => parts,
            Some(other) => {
                return Err(Failure::new(&record::NOT_A_LIST)
                    .with("path", list.from.shown())
                    .with("kind", other.kind()));
            }
        };
        let mut texts = Vec::with_capacity(parts.len());
        for part in parts.iter().filter(|part| !part.is_null()) {
            texts.push(part.to_plain_text().ok_or_else(|| {
                Failure::new(&record::NOT_TEXT)
                    .with("path", list.from.shown())
                    .with("kind", part.kind())
            })?);
        }
        Ok(Got::Value(texts.join(with).into()))
    }

    fn merge(&self, parts: &[Term], lines: Option<&Lines<'_>>) -> Result<Got, Failure> {
        let mut merged = crate::value::Map::new();
        for (index, part) in parts.iter().enumerate() {
            match self.settled(part, lines)? {
                Settled::Value(Value::Map(map)) => lay_over(&mut merged, map),
                Settled::Value(Value::Null) | Settled::Omitted => {}
                Settled::Value(other) => {
                    return Err(Failure::new(&record::NOT_A_MAP)
                        .with("index", index + 1)
                        .with("kind", other.kind()));
                }
                Settled::Deferred(want) => return Ok(Got::Deferred(want)),
            }
        }
        Ok(Got::Value(Value::Map(merged)))
    }
}

enum Settled {
    Value(Value),
    Omitted,
    Deferred(Box<LookupWant>),
}

impl Gap {
    /// What would have been found.
    pub(crate) fn want(&self) -> Option<&LookupWant> {
        self.want.as_ref()
    }

    /// What a missing value becomes, by the policy that is said or by its own.
    fn settle(self, said: Option<Missing>) -> Result<Settled, Failure> {
        match (said.unwrap_or(self.policy), self.want) {
            (Missing::Omit, _) => Ok(Settled::Omitted),
            (Missing::Null, _) => Ok(Settled::Value(Value::Null)),
            (Missing::Empty, _) => Ok(Settled::Value(Value::Text(String::new()))),
            (Missing::Defer, Some(want)) if !want.keys.iter().any(String::is_empty) => {
                Ok(Settled::Deferred(Box::new(want)))
            }
            (Missing::Fail | Missing::Defer, _) => Err(self.failure),
        }
    }
}

struct FormulaEnv<'e> {
    eval: &'e Eval<'e>,
    formula: &'e Formula,
    lines: Option<&'e Lines<'e>>,
    /// What went wrong in a look-up, which an expression cannot pass on.
    failure: RefCell<Option<Failure>>,
}

impl Env for FormulaEnv<'_> {
    fn field(&self, slot: usize, _path: &Path) -> Option<Cow<'_, Value>> {
        self.eval.fetch(self.formula.refs.get(slot)?, self.lines)
    }

    fn list(&self, slot: usize, _path: &Path) -> Option<Cow<'_, Value>> {
        match self.formula.refs.get(slot)? {
            Ref::Field { slot, path } => self.eval.scope.list(*slot, path),
            Ref::Line {
                up, rest: Some(rest), ..
            } => crate::expr::gather(line_at(self.lines, *up)?.value, rest),
            other => self.eval.fetch(other, self.lines),
        }
    }

    fn lookup(&self, index: usize) -> Option<Value> {
        match self.eval.lookup(self.formula.lookups.get(index)?, self.lines) {
            Ok(Got::Value(value)) => Some(value),
            Ok(Got::Missing(gap)) if gap.want.is_none() => {
                *self.failure.borrow_mut() = Some(gap.failure);
                None
            }
            Ok(_) => None,
            Err(failure) => {
                *self.failure.borrow_mut() = Some(failure);
                None
            }
        }
    }

    fn now_ms(&self) -> i64 {
        self.eval.scope.now_ms()
    }

    fn zone(&self) -> &TimeZone {
        self.eval.scope.zone()
    }

    fn compat_qeasy(&self) -> bool {
        self.eval.scope.compat_qeasy()
    }
}

/// Whether NULL is how this term says "nothing", which leaves the member out.
fn gives_null(term: &Term) -> bool {
    matches!(term.kind, TermKind::Formula(_) | TermKind::Find(_))
}

fn literal_of(made: &Made) -> String {
    match &made.maker {
        Maker::Value(Term {
            kind: TermKind::Formula(formula),
            ..
        }) => formula.text.to_string(),
        _ => String::new(),
    }
}

fn term_text(term: &Term) -> String {
    term.source.as_deref().unwrap_or_default().to_owned()
}

fn line_at<'l>(lines: Option<&'l Lines<'l>>, up: usize) -> Option<&'l Lines<'l>> {
    (0..up).try_fold(lines?, |line, _| line.up)
}

fn missing_field(from: &Ref) -> Failure {
    match from {
        Ref::Name(_) | Ref::Seconds(_) => {
            Failure::new(&record::WINDOW_NAME_ABSENT).with("path", from.shown())
        }
        _ => Failure::new(&record::MISSING_FIELD).with("path", from.shown()),
    }
}

pub(crate) fn lookup_miss(want: &LookupWant) -> Failure {
    Failure::new(&record::LOOKUP_MISS)
        .with("scheme", &want.spec.scheme)
        .with("keys", keys_text(want))
}

fn keys_text(want: &LookupWant) -> String {
    let pairs: Vec<String> = want
        .spec
        .by
        .iter()
        .zip(&want.keys)
        .map(|(column, key)| format!("{column}={key}"))
        .collect();
    pairs.join(" ")
}

impl Ref {
    /// How the author would write it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Ref::Field { path, .. } | Ref::Name(path) | Ref::Seconds(path) => path.to_string(),
            Ref::Line {
                each,
                rest: Some(rest),
                ..
            } => each.join(rest).to_string(),
            Ref::Line { each, rest: None, .. } => each.to_string(),
            Ref::Index { .. } => "$index".to_owned(),
        }
    }
}

/// Maps member by member, anything else replaces.
pub(crate) fn lay_over(base: &mut crate::value::Map, over: crate::value::Map) {
    for (name, value) in over {
        match (base.get_mut(&name), value) {
            (Some(Value::Map(below)), Value::Map(above)) => lay_over(below, above),
            (Some(below), value) => *below = value,
            (None, value) => {
                base.insert(name, value);
            }
        }
    }
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

/// Names the place in the document, unless something closer did.
fn placed(failure: Failure, at: Option<&At<'_>>) -> Failure {
    match (&failure.field, at) {
        (None, Some(_)) => failure.at(place_text(at)),
        _ => failure,
    }
}

fn masked(mut failure: Failure) -> Failure {
    for (name, fact) in &mut failure.facts {
        if *name == "value" {
            *fact = "***".to_owned();
        }
    }
    failure
}
