//! Makers and manners: how a map with `$` keys becomes a value.

use std::borrow::Cow;

use crate::catalogue::record;
use crate::diagnostic::Failure;
use crate::filter::{Fit, shown};
use crate::json;
use crate::tree::eval::{Eval, Flow, Lines};
use crate::tree::get::{Gap, Got, Settled, gives_null, missing_field};
use crate::tree::sink::ValueSink;
use crate::tree::term::{Empty, Made, Maker, Missing, OnError, Read, Term, TermKind};
use crate::value::{Map, Value};

impl Eval<'_> {
    pub(crate) fn applies(&self, made: &Made) -> bool {
        match (made.manners.only, self.scope.action()) {
            (Some(only), Some(action)) => only == action,
            _ => true,
        }
    }

    /// A maker with its manners, in the order in which they apply.
    pub(crate) fn made(&self, term: &Term, made: &Made, lines: Option<&Lines<'_>>) -> Result<Got, Failure> {
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
            // The old ways cut a fraction off.
            Some(Fit::Int) if self.scope.compat_qeasy() => {
                Fit::whole(value, self.scope.zone()).map(Got::Value)
            }
            Some(fit) => fit.fit(value, self.scope.zone()).map(Got::Value),
            None => Ok(Got::Value(value)),
        }
    }

    fn make(&self, term: &Term, made: &Made, lines: Option<&Lines<'_>>) -> Result<Got, Failure> {
        match &made.maker {
            // Said outright, what is not found is missing; otherwise it is null.
            Maker::Value(Term {
                kind: TermKind::Find(lookup),
                ..
            }) if made.manners.missing.is_some() => self.lookup(lookup, lines),
            // A type that is said is given to the value as it came.
            Maker::Value(Term {
                kind: TermKind::Read(read),
                ..
            }) if made.manners.fit.is_some() => self.read_as(read, lines, false),
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
            Maker::Template(text) => self.template(text, lines),
            Maker::Json(inner) => match self.settled(inner, lines)? {
                Settled::Value(value) => Ok(Got::Value(json::to_string(&value).into())),
                Settled::Omitted => Ok(Got::Omitted),
                Settled::Deferred(want) => Ok(Got::Deferred(want)),
            },
        }
    }

    fn translate(&self, of: &Term, to: &Map, lines: Option<&Lines<'_>>) -> Result<Got, Failure> {
        let value = match self.get(of, lines)? {
            Got::Value(value) => value,
            got => return Ok(got),
        };
        let text = value.to_plain_text().unwrap_or_default();
        if let Some(value) = to.get(text.as_str()) {
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
        let value = self.fetch_all(&list.from, lines).map(Cow::into_owned);
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
        let mut merged = Map::new();
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
            take_away(&mut merged, part);
        }
        Ok(Got::Value(Value::Map(merged)))
    }
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

/// `$drop`, as the author wrote it in a part, takes away what lies below.
fn take_away(merged: &mut Map, part: &Term) {
    let TermKind::Map(members) = &part.kind else {
        return;
    };
    for (name, member) in members {
        match (&member.kind, merged.get_mut(name)) {
            (TermKind::Drop, _) => {
                merged.shift_remove(name);
            }
            (TermKind::Map(_), Some(Value::Map(below))) => take_away(below, member),
            _ => {}
        }
    }
}

/// Maps member by member, anything else replaces.
pub(crate) fn lay_over(base: &mut Map, over: Map) {
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
