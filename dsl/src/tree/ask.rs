//! What a look-up asks beyond equality, before its values are known.

use crate::catalogue::record;
use crate::diagnostic::Failure;
use crate::lookup::{Condition, Field, Pattern, Test};
use crate::tree::eval::{Eval, Lines};
use crate::tree::get::Got;
use crate::tree::term::{Piece, Seen, Term, TermKind};
use crate::value::Value;

/// A condition whose operands are terms.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    Test { field: Field, test: AskTest },
    All(Vec<Ask>),
    Any(Vec<Ask>),
    Not(Box<Ask>),
}

#[derive(Debug, Clone)]
pub(crate) enum AskTest {
    Compare(Comparison, Term),
    In(Vec<Term>),
    Exists,
    /// A pattern without placeholders.
    Regex(Pattern),
    /// A pattern with placeholders: what they give stands for itself in it, whatever signs it holds.
    RegexOf(Vec<Piece>, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Eq,
    Gt,
    Gte,
    Lt,
    Lte,
}

/// What became of a condition.
pub(crate) enum Asked {
    Condition(Condition),
    /// A placeholder has no value, so nothing is asked.
    Nothing,
    /// A value cannot be computed, or waits.
    Got(Got),
}

/// Why a condition has no values.
enum Stop {
    Nothing,
    Got(Got),
    Failure(Failure),
}

impl Ask {
    /// Calls `visit` for every term in it.
    pub(crate) fn each_term(&mut self, visit: &mut dyn FnMut(&mut Term)) {
        match self {
            Ask::Test { test, .. } => match test {
                AskTest::Compare(_, term) => visit(term),
                AskTest::In(terms) => terms.iter_mut().for_each(visit),
                AskTest::Exists | AskTest::Regex(_) | AskTest::RegexOf(..) => {}
            },
            Ask::All(parts) | Ask::Any(parts) => parts.iter_mut().for_each(|part| part.each_term(visit)),
            Ask::Not(part) => part.each_term(visit),
        }
    }

    /// The terms in it.
    pub(crate) fn terms<'t>(&'t self, found: &mut Vec<&'t Term>) {
        match self {
            Ask::Test { test, .. } => match test {
                AskTest::Compare(_, term) => found.push(term),
                AskTest::In(terms) => found.extend(terms),
                AskTest::Exists | AskTest::Regex(_) | AskTest::RegexOf(..) => {}
            },
            Ask::All(parts) | Ask::Any(parts) => parts.iter().for_each(|part| part.terms(found)),
            Ask::Not(part) => part.terms(found),
        }
    }

    /// Calls `visit` for the placeholders of its patterns, which are no terms.
    pub(crate) fn walk_patterns(&mut self, visit: &mut dyn FnMut(Seen<'_>)) {
        match self {
            Ask::Test {
                test: AskTest::RegexOf(pieces, _),
                ..
            } => {
                for piece in pieces {
                    if let Piece::Read(read) = piece {
                        visit(Seen::Ref(&mut read.from));
                    }
                }
            }
            Ask::Test { .. } => {}
            Ask::All(parts) | Ask::Any(parts) => parts.iter_mut().for_each(|part| part.walk_patterns(visit)),
            Ask::Not(part) => part.walk_patterns(visit),
        }
    }
}

impl Eval<'_> {
    /// A condition with the values of a record.
    pub(crate) fn asked(&self, ask: &Ask, lines: Option<&Lines<'_>>) -> Result<Asked, Failure> {
        match self.condition(ask, lines) {
            Ok(condition) => Ok(Asked::Condition(condition)),
            Err(Stop::Nothing) => Ok(Asked::Nothing),
            Err(Stop::Got(got)) => Ok(Asked::Got(got)),
            Err(Stop::Failure(failure)) => Err(failure),
        }
    }

    fn condition(&self, ask: &Ask, lines: Option<&Lines<'_>>) -> Result<Condition, Stop> {
        let all = |parts: &[Ask]| -> Result<Vec<Condition>, Stop> {
            parts.iter().map(|part| self.condition(part, lines)).collect()
        };
        Ok(match ask {
            Ask::Test { field, test } => Condition::Test {
                field: field.clone(),
                test: self.test(test, lines)?,
            },
            Ask::All(parts) => Condition::All(all(parts)?),
            Ask::Any(parts) => Condition::Any(all(parts)?),
            Ask::Not(part) => Condition::Not(Box::new(self.condition(part, lines)?)),
        })
    }

    fn test(&self, test: &AskTest, lines: Option<&Lines<'_>>) -> Result<Test, Stop> {
        Ok(match test {
            AskTest::Compare(comparison, term) => {
                let value = self.operand(term, lines)?.ok_or(Stop::Nothing)?;
                match comparison {
                    Comparison::Eq => Test::Eq(value),
                    Comparison::Gt => Test::Gt(value),
                    Comparison::Gte => Test::Gte(value),
                    Comparison::Lt => Test::Lt(value),
                    Comparison::Lte => Test::Lte(value),
                }
            }
            AskTest::In(terms) => {
                let mut values = Vec::new();
                for term in terms {
                    match self.operand(term, lines)? {
                        // A placeholder may give the whole list.
                        Some(Value::List(list)) if !is_constant(term) => values.extend(list),
                        value => values.extend(value),
                    }
                }
                Test::In(values)
            }
            AskTest::Exists => Test::Exists,
            AskTest::Regex(pattern) => Test::Regex(pattern.clone()),
            AskTest::RegexOf(pieces, flags) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(part) => text.push_str(part),
                        Piece::Read(read) => match self.text_of_read(read, lines).map_err(Stop::Failure)? {
                            Got::Value(Value::Text(part)) if !part.is_empty() => {
                                text.push_str(&regex::escape(&part));
                            }
                            Got::Value(_) => return Err(Stop::Nothing),
                            got => return Err(Stop::Got(got)),
                        },
                    }
                }
                Test::Regex(Pattern::new(&text, flags).map_err(|why| {
                    Stop::Failure(
                        Failure::new(&record::PATTERN_UNFIT)
                            .with("pattern", &text)
                            .with("why", why),
                    )
                })?)
            }
        })
    }

    /// The value of an operand; `None` when a placeholder gives null or empty text.
    fn operand(&self, term: &Term, lines: Option<&Lines<'_>>) -> Result<Option<Value>, Stop> {
        match self.get(term, lines).map_err(Stop::Failure)? {
            Got::Value(value) if value.is_empty() && !is_constant(term) => Ok(None),
            Got::Value(Value::Instant(_)) => Err(Stop::Failure(
                Failure::new(&record::INSTANT_UNPRINTED)
                    .with("path", term.source.as_deref().unwrap_or("$now")),
            )),
            Got::Value(value) => Ok(Some(value)),
            Got::Omitted => Ok(None),
            got @ (Got::Missing(_) | Got::Deferred(_)) => Err(Stop::Got(got)),
        }
    }
}

fn is_constant(term: &Term) -> bool {
    matches!(term.kind, TermKind::Literal(_))
}
