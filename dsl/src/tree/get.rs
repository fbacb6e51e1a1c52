//! What the terms of a tree give: placeholders, text, expressions, look-ups.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::catalogue::{evaluation, record};
use crate::diagnostic::Failure;
use crate::expr::{Env, Expr};
use crate::lookup::Within;
use crate::lookup::{Hit, LookupWant};
use crate::path::Path;
use crate::tree::ask::Asked;
use crate::tree::eval::{Eval, Flow, Lines, line_key};
use crate::tree::formula::Formula;
use crate::tree::sink::ValueSink;
use crate::tree::term::{Empty, LookupTerm, Maker, Missing, Piece, Read, Ref, Term, TermKind};
use crate::value::{Number, Value};

const DAY_MS: i64 = 86_400_000;

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
    pub(crate) failure: Failure,
    pub(crate) policy: Missing,
    /// What to wait for.
    pub(crate) want: Option<LookupWant>,
}

/// What a term gives after manners.
pub(crate) enum Settled {
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
    pub(crate) fn settle(self, said: Option<Missing>) -> Result<Settled, Failure> {
        match (said.unwrap_or(self.policy), self.want) {
            (Missing::Omit, _) => Ok(Settled::Omitted),
            (Missing::Null, _) => Ok(Settled::Value(Value::Null)),
            (Missing::Empty, _) => Ok(Settled::Value(Value::Text(String::new()))),
            (Missing::Defer, Some(want)) if !want.has_empty_key() => Ok(Settled::Deferred(Box::new(want))),
            (Missing::Fail | Missing::Defer, _) => Err(self.failure),
        }
    }
}

impl Eval<'_> {
    /// A value after manners and policies.
    pub(crate) fn settled(&self, term: &Term, lines: Option<&Lines<'_>>) -> Result<Settled, Failure> {
        let got = self.get(term, lines)?;
        let omit_null = gives_null(term) || (self.scope.drops_null() && !says_null(term));
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
            TermKind::Made(made) => self.under(term, || self.made(term, made, lines)),
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

    pub(crate) fn read(&self, read: &Read, lines: Option<&Lines<'_>>) -> Result<Got, Failure> {
        self.read_as(read, lines, read.plain)
    }

    /// The same; `plain` says whether a number or truth value is given as text.
    pub(crate) fn read_as(
        &self,
        read: &Read,
        lines: Option<&Lines<'_>>,
        plain: bool,
    ) -> Result<Got, Failure> {
        let Some(value) = self.fetch_all(&read.from, lines) else {
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
        if plain && matches!(value, Value::Number(_) | Value::Bool(_)) {
            value = value.to_plain_text().map_or(Value::Null, Value::Text);
        }
        Ok(Got::Value(value))
    }

    /// The value behind a reference; of a path with `*`, the list of values.
    pub(crate) fn fetch_all<'v>(
        &'v self,
        from: &Ref,
        lines: Option<&'v Lines<'v>>,
    ) -> Option<Cow<'v, Value>> {
        match from {
            Ref::Field { slot, path } if path.has_all() => self.scope.list(*slot, path),
            Ref::Line {
                up, rest: Some(rest), ..
            } if rest.has_all() => crate::expr::gather(line_at(lines, *up)?.value, rest),
            from => self.fetch(from, lines),
        }
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
            Ref::LineId => {
                let line = lines?.line?;
                self.scope.line_id(line.list, &line_key(line.keys))
            }
            Ref::Name(path) => self.name(path),
            Ref::Seconds(path) => match self.name(path)?.as_ref() {
                Value::Instant(instant) => Some(Cow::Owned(Value::from(instant.ms.div_euclid(1000)))),
                other => Some(Cow::Owned(other.clone())),
            },
            Ref::DaysAgo(days) => {
                let ms = self.scope.now_ms() - i64::from(*days) * DAY_MS;
                Some(Cow::Owned(Value::from(ms.div_euclid(1000))))
            }
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
            match self.text_of_read(read, lines)? {
                Got::Value(part) => text.push_str(part.as_text().unwrap_or_default()),
                got => return Ok(got),
            }
        }
        Ok(Got::Value(Value::Text(text)))
    }

    /// A placeholder inside text: what it prints.
    pub(crate) fn text_of_read(&self, read: &Read, lines: Option<&Lines<'_>>) -> Result<Got, Failure> {
        Ok(match self.read(read, lines)? {
            Got::Value(Value::Null) => Got::Value(Value::Text(String::new())),
            Got::Value(Value::Instant(_)) => {
                return Err(Failure::new(&record::INSTANT_UNPRINTED).with("path", read.from.shown()));
            }
            Got::Value(value) => match value.to_plain_text() {
                Some(text) => Got::Value(Value::Text(text)),
                None => {
                    return Err(Failure::new(&record::NOT_TEXT)
                        .with("path", read.from.shown())
                        .with("kind", value.kind()));
                }
            },
            got => got,
        })
    }

    fn formula(&self, formula: &Formula, lines: Option<&Lines<'_>>) -> Result<Got, Failure> {
        let env = FormulaEnv {
            eval: self,
            formula,
            lines,
            failure: RefCell::new(None),
        };
        let result = formula.expr.eval(&env);
        if let Some(failure) = env.failure.take() {
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
            Err(failure) => Err(failure.with("read", readings(&formula.expr, &env))),
            Ok(value) => Ok(Got::Value(value)),
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
        let mut also = None;
        if let Some(ask) = &lookup.also {
            match self.asked(ask, lines)? {
                Asked::Condition(condition) => also = Some(Arc::new(condition)),
                // As a key without a value, which finds nothing and waits for nothing.
                Asked::Nothing => keys.push(String::new()),
                Asked::Got(got) => return Ok(got),
            }
        }
        let want = LookupWant {
            spec: lookup.spec.clone(),
            keys,
            also,
            hidden: self.hidden.get(),
        };
        let empty = want.has_empty_key();
        let hit = if empty { None } else { self.hits.get(&want) };
        self.looked(&want, hit);
        match hit {
            Some(Hit::One { value, .. }) => Ok(Got::Value(value.clone())),
            Some(Hit::Several(count)) => Err(Failure::new(&record::LOOKUP_SEVERAL)
                .with("scheme", &want.spec.scheme)
                .with("keys", want.shown())
                .with("count", count)),
            Some(Hit::None) | None if matches!(want.spec.within, Within::Fields(_)) => {
                let value = want.keys.first().map_or("", String::as_str);
                Ok(Got::Missing(Box::new(Gap {
                    failure: Failure::new(&record::NOT_IN_TABLE).with("value", value),
                    policy: Missing::Fail,
                    want: (!empty).then_some(want),
                })))
            }
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
pub(crate) fn gives_null(term: &Term) -> bool {
    matches!(term.kind, TermKind::Formula(_) | TermKind::Find(_))
}

/// Whether the author says that null is what is sent.
pub(crate) fn says_null(term: &Term) -> bool {
    let TermKind::Made(made) = &term.kind else {
        return matches!(term.kind, TermKind::Literal(_));
    };
    let manners = &made.manners;
    let literal = |term: &Term| matches!(term.kind, TermKind::Literal(_));
    matches!(manners.empty, Some(Empty::Keep | Empty::Null))
        || manners.missing == Some(Missing::Null)
        || manners.default.as_ref().is_some_and(literal)
        || matches!(&made.maker, Maker::Value(inner) if literal(inner))
}

fn line_at<'l>(lines: Option<&'l Lines<'l>>, up: usize) -> Option<&'l Lines<'l>> {
    (0..up).try_fold(lines?, |line, _| line.up)
}

pub(crate) fn missing_field(from: &Ref) -> Failure {
    match from {
        Ref::Name(_) | Ref::Seconds(_) => {
            Failure::new(&record::WINDOW_NAME_ABSENT).with("path", from.shown())
        }
        Ref::LineId => Failure::new(&record::LINE_ID_ABSENT),
        _ => Failure::new(&record::MISSING_FIELD).with("path", from.shown()),
    }
}

pub(crate) fn lookup_miss(want: &LookupWant) -> Failure {
    Failure::new(&record::LOOKUP_MISS)
        .with("scheme", &want.spec.scheme)
        .with("keys", want.shown())
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
            Ref::LineId => "$line_id".to_owned(),
            Ref::DaysAgo(days) => format!("DAYS_AGO_{days}"),
        }
    }
}

/// Values a failure shows at most, and characters of each: enough to see what was wrong, not a copy of the row.
const SHOWN: (usize, usize) = (8, 60);

/// `price = 12.50, qty = 'x'`: what an expression that failed had read.
fn readings(expr: &Expr, env: &FormulaEnv<'_>) -> String {
    let shown = expr
        .readings(env, SHOWN.0, SHOWN.1)
        .into_iter()
        .map(|(name, value)| match value {
            Some(value) => format!("{name} = {value}"),
            None => format!("{name} —"),
        });
    shown.collect::<Vec<_>>().join(", ")
}
