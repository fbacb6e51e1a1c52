//! Expressions over slots: what most of them are made of, computed with borrowed texts and small exact numbers.
//!
//! Each rule here is one of [`crate::expr`], for the values for which it is simple. For all others, and for every function
//! that is not among [`functions`], the answer is [`Slow`]: the expression is computed once more by its own evaluator, so
//! that nothing has two meanings. What an evaluation may spend needs no counting: [`MOST_PARTS`] parts over texts of
//! [`MOST_TEXT`] bytes stay far below [`crate::expr::Bounds`].

use std::borrow::Cow;
use std::cmp::Ordering;

use super::number::{Num, SCALE};
use super::program::Place;
use super::raw::{Escapes, Kind, Raw, write_text};
use crate::builtin::Builtin;
use crate::expr::Expr;
use crate::expr::ast::{self, Binary, Is, Node, Sense, Unary};
use crate::expr::sql::Int;
use crate::expr::{Sql, text};
use crate::value::Number;

/// It is for the evaluator of expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slow;

/// Parts of an expression that is computed here.
const MOST_PARTS: usize = 200;
/// Bytes of any text in it.
const MOST_TEXT: usize = 4096;
/// The same of a text of the row.
const MOST_FIELD: u32 = 4096;

/// A part of an expression.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Null,
    Number(Num),
    Text(Words),
    Field(Place),
    /// Quoted text with placeholders.
    Interpolated(Vec<Piece>),
    Chain(Box<Part>, Vec<(Binary, Part)>),
    Not(Box<Part>),
    Minus(Box<Part>),
    IsNull(Box<Part>, bool),
    In(Box<Part>, Vec<Part>, bool),
    Case {
        subject: Option<Box<Part>>,
        arms: Vec<(Part, Part)>,
        otherwise: Option<Box<Part>>,
    },
    If(Box<[Part; 3]>),
    /// `IFNULL`, whose last argument must be there, and `COALESCE`, where none must.
    First(Vec<Part>, bool),
    Concat(Vec<Part>),
    Replace(Box<[Part; 3]>),
    Round(Box<Part>, u8),
}

/// A constant text, and whether it is written without escapes.
#[derive(Debug, Clone)]
pub(super) struct Words {
    text: Box<str>,
    bare: bool,
    clean: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Piece {
    Text(Box<str>, bool),
    Field(Place),
}

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Val<'a> {
    Null,
    Number(Num),
    Text {
        text: Cow<'a, str>,
        /// A placeholder gave it: as a number it is exact.
        bare: bool,
        /// It is written without escapes.
        clean: bool,
    },
}

/// Where an expression gets its values from.
pub(super) trait Fields<'a> {
    fn row(&self) -> &'a str;
    fn raw(&self, place: Place) -> Raw;
    /// Whether a missing field is empty text.
    fn compat(&self) -> bool;
}

/// The parts of an expression, where all of them are known here.
pub(super) fn lower(expr: &Expr, places: &[Place]) -> Option<Part> {
    if expr.filters().iter().any(|filters| !filters.is_empty()) {
        return None;
    }
    let mut left = MOST_PARTS;
    part(expr.root(), places, &mut left)
}

fn part(node: &Node, places: &[Place], left: &mut usize) -> Option<Part> {
    *left = left.checked_sub(1)?;
    let mut each = |nodes: &[Node]| {
        nodes
            .iter()
            .map(|node| part(node, places, left))
            .collect::<Option<Vec<_>>>()
    };
    Some(match node {
        Node::Const(value) => constant(value)?,
        Node::Truth(truth) => Part::Number(Num::Int(i64::from(*truth))),
        Node::Field(slot) => Part::Field(*places.get(*slot)?),
        Node::Interpolated(pieces) => Part::Interpolated(
            pieces
                .iter()
                .map(|piece| match piece {
                    ast::Piece::Text(text) => Some(Piece::Text(text.as_str().into(), is_clean(text))),
                    ast::Piece::Slot(slot) => Some(Piece::Field(*places.get(*slot)?)),
                })
                .collect::<Option<_>>()?,
        ),
        Node::Unary(Unary::Not, inner) => Part::Not(Box::new(part(inner, places, left)?)),
        Node::Unary(Unary::Minus, inner) => Part::Minus(Box::new(part(inner, places, left)?)),
        Node::Unary(Unary::Plus, inner) => part(inner, places, left)?,
        Node::Chain(first, links) => {
            let first = Box::new(part(first, places, left)?);
            let links = links
                .iter()
                .map(|link| is_known(link.op).then(|| Some((link.op, part(&link.right, places, left)?)))?)
                .collect::<Option<Vec<_>>>()?;
            Part::Chain(first, links)
        }
        Node::Is(inner, Is::Null, sense) => {
            Part::IsNull(Box::new(part(inner, places, left)?), *sense == Sense::Negated)
        }
        Node::In(inner, list, sense) => {
            let list = each(list)?;
            Part::In(
                Box::new(part(inner, places, left)?),
                list,
                *sense == Sense::Negated,
            )
        }
        Node::Case(case) => {
            let subject = match &case.subject {
                Some(subject) => Some(Box::new(part(subject, places, left)?)),
                None => None,
            };
            let arms = case
                .arms
                .iter()
                .map(|(when, then)| Some((part(when, places, left)?, part(then, places, left)?)))
                .collect::<Option<Vec<_>>>()?;
            let otherwise = match &case.otherwise {
                Some(otherwise) => Some(Box::new(part(otherwise, places, left)?)),
                None => None,
            };
            Part::Case {
                subject,
                arms,
                otherwise,
            }
        }
        Node::Call(builtin, args) => functions(builtin, args, each(args)?)?,
        _ => return None,
    })
}

/// The functions that are known here. A registry may give their names to others, as tests do; those that behave as the
/// server's have examples, which are run.
fn functions(builtin: &Builtin, nodes: &[Node], mut args: Vec<Part>) -> Option<Part> {
    if builtin.examples.is_empty() {
        return None;
    }
    Some(match (builtin.name, args.len()) {
        ("CONCAT", _) => Part::Concat(args),
        ("IFNULL", 2) => Part::First(args, true),
        ("COALESCE", _) => Part::First(args, false),
        ("IF", 3) => Part::If(Box::new(args.try_into().ok()?)),
        ("REPLACE", 3) => Part::Replace(Box::new(args.try_into().ok()?)),
        ("ROUND", 1 | 2) => {
            let places = match nodes.get(1) {
                None => 0,
                Some(Node::Const(Sql::Int(places))) => u8::try_from(places.wide()).ok()?,
                Some(_) => return None,
            };
            (places <= SCALE).then(|| Part::Round(Box::new(args.swap_remove(0)), places))?
        }
        _ => return None,
    })
}

fn is_known(op: Binary) -> bool {
    use Binary::{Add, And, Eq, Ge, Gt, Le, Lt, Mul, Ne, Or, Sub};
    matches!(op, Add | Sub | Mul | And | Or | Eq | Ne | Lt | Le | Gt | Ge)
}

fn constant(value: &Sql<'_>) -> Option<Part> {
    Some(match value {
        Sql::Null => Part::Null,
        Sql::Int(Int::Signed(value)) => Part::Number(Num::Int(*value)),
        Sql::Decimal(number) if number.shown().is_none() => match Num::parse(&number.to_string())? {
            number @ Num::Dec(..) => Part::Number(number),
            // A decimal without a fraction is not a whole number.
            Num::Int(_) => return None,
        },
        Sql::Text(text) if !text.moment && text.text.len() <= MOST_TEXT => Part::Text(Words {
            text: text.text.as_ref().into(),
            bare: text.bare,
            clean: is_clean(&text.text),
        }),
        _ => return None,
    })
}

/// Whether JSON writes a text as it is.
fn is_clean(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
}

impl<'a> Val<'a> {
    fn bool(value: bool) -> Val<'a> {
        Val::Number(Num::Int(i64::from(value)))
    }

    fn truth_of(value: Option<bool>) -> Val<'a> {
        value.map_or(Val::Null, Val::bool)
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Val::Null)
    }

    /// As an exact number; a quoted text would be floating point.
    fn number(&self) -> Result<Option<Num>, Slow> {
        match self {
            Val::Null => Ok(None),
            Val::Number(number) => Ok(Some(*number)),
            Val::Text { text, bare: true, .. } if text.is_empty() => Ok(Some(Num::Int(0))),
            Val::Text { text, bare: true, .. } => Num::parse(text).map(Some).ok_or(Slow),
            Val::Text { .. } => Err(Slow),
        }
    }

    fn truth(&self) -> Result<Option<bool>, Slow> {
        Ok(self.number()?.map(|number| !number.is_zero()))
    }

    /// As text; `None` for NULL.
    fn words(&self) -> Option<(Cow<'_, str>, bool)> {
        match self {
            Val::Null => None,
            Val::Number(number) => Some((Cow::Owned(number.text()), true)),
            Val::Text { text, clean, .. } => Some((Cow::Borrowed(text), *clean)),
        }
    }

    /// Writes what is not NULL as JSON.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Val::Null => out.extend_from_slice(b"null"),
            Val::Number(number) => number.write(out),
            Val::Text {
                text, clean: true, ..
            } => {
                out.push(b'"');
                out.extend_from_slice(text.as_bytes());
                out.push(b'"');
            }
            Val::Text { text, .. } => write_text(text, out),
        }
    }
}

/// Text of an expression's own.
fn made<'a>(text: String, clean: bool) -> Result<Val<'a>, Slow> {
    if text.len() > MOST_TEXT {
        return Err(Slow);
    }
    Ok(Val::Text {
        text: Cow::Owned(text),
        bare: false,
        clean,
    })
}

/// Computes a part. Where `tolerant`, a field that is missing is NULL.
#[inline]
pub(super) fn eval<'a>(part: &'a Part, fields: &impl Fields<'a>, tolerant: bool) -> Result<Val<'a>, Slow> {
    // Most parts are leaves, and need no more than this.
    match part {
        Part::Null => Ok(Val::Null),
        Part::Number(number) => Ok(Val::Number(*number)),
        Part::Text(words) => Ok(Val::Text {
            text: Cow::Borrowed(&words.text),
            bare: words.bare,
            clean: words.clean,
        }),
        Part::Field(place) => field(*place, fields, tolerant),
        part => computed(part, fields, tolerant),
    }
}

fn computed<'a>(part: &'a Part, fields: &impl Fields<'a>, tolerant: bool) -> Result<Val<'a>, Slow> {
    Ok(match part {
        Part::Null | Part::Number(_) | Part::Text(_) | Part::Field(_) => eval(part, fields, tolerant)?,
        Part::Interpolated(pieces) => interpolated(pieces, fields, tolerant)?,
        Part::Chain(first, links) => {
            let mut left = eval(first, fields, tolerant)?;
            for (op, right) in links {
                left = binary(left, *op, right, fields, tolerant)?;
            }
            left
        }
        Part::Not(inner) => Val::truth_of(eval(inner, fields, tolerant)?.truth()?.map(|truth| !truth)),
        Part::Minus(inner) => match eval(inner, fields, tolerant)?.number()? {
            None => Val::Null,
            Some(number) => Val::Number(number.neg().ok_or(Slow)?),
        },
        Part::IsNull(inner, negated) => Val::bool(eval(inner, fields, true)?.is_null() != *negated),
        Part::In(inner, list, negated) => within(inner, list, *negated, fields, tolerant)?,
        Part::Case {
            subject,
            arms,
            otherwise,
        } => {
            let subject = match subject {
                Some(subject) => Some(eval(subject, fields, tolerant)?),
                None => None,
            };
            let branches = || arms.iter().map(|(_, then)| then).chain(otherwise.as_deref());
            for (when, then) in arms {
                let candidate = eval(when, fields, tolerant)?;
                let holds = match &subject {
                    Some(subject) => compare(subject, &candidate)? == Some(Ordering::Equal),
                    None => candidate.truth()? == Some(true),
                };
                if holds {
                    return branch(eval(then, fields, tolerant)?, branches(), fields);
                }
            }
            match otherwise {
                Some(otherwise) => branch(eval(otherwise, fields, tolerant)?, branches(), fields)?,
                None => Val::Null,
            }
        }
        Part::If(parts) => {
            let [condition, then, otherwise] = &**parts;
            let holds = eval(condition, fields, tolerant)?.truth()? == Some(true);
            let chosen = if holds { then } else { otherwise };
            branch(
                eval(chosen, fields, tolerant)?,
                [then, otherwise].into_iter(),
                fields,
            )?
        }
        Part::First(parts, strict) => {
            for (at, part) in parts.iter().enumerate() {
                let is_last = *strict && at + 1 == parts.len();
                let value = eval(part, fields, tolerant || !is_last)?;
                if !value.is_null() {
                    return branch(value, parts.iter(), fields);
                }
            }
            Val::Null
        }
        Part::Concat(parts) => {
            let (mut joined, mut clean) = (String::new(), true);
            for part in parts {
                let value = eval(part, fields, tolerant)?;
                let Some((text, is_clean)) = value.words() else {
                    return Ok(Val::Null);
                };
                joined.push_str(&text);
                clean &= is_clean;
            }
            made(joined, clean)?
        }
        Part::Replace(parts) => replaced(parts, fields, tolerant)?,
        Part::Round(inner, places) => match eval(inner, fields, tolerant)?.number()? {
            None => Val::Null,
            Some(number) => Val::Number(number.round(*places).ok_or(Slow)?),
        },
    })
}

fn field<'a>(place: Place, fields: &impl Fields<'a>, tolerant: bool) -> Result<Val<'a>, Slow> {
    let raw = fields.raw(place);
    Ok(match raw.kind {
        Kind::Missing if fields.compat() => Val::Text {
            text: Cow::Borrowed(""),
            bare: true,
            clean: true,
        },
        Kind::Missing if tolerant => Val::Null,
        Kind::Null => Val::Null,
        Kind::True => Val::bool(true),
        Kind::False => Val::bool(false),
        Kind::Number => Val::Number(Num::parse(raw.of(fields.row())).ok_or(Slow)?),
        Kind::Text if raw.end - raw.start <= MOST_FIELD => Val::Text {
            text: raw.text(fields.row()),
            bare: true,
            clean: raw.escapes == Escapes::None,
        },
        Kind::Missing | Kind::Text | Kind::List | Kind::Map => return Err(Slow),
    })
}

fn interpolated<'a>(pieces: &[Piece], fields: &impl Fields<'a>, tolerant: bool) -> Result<Val<'a>, Slow> {
    let (mut text, mut clean) = (String::new(), true);
    for piece in pieces {
        let place = match piece {
            Piece::Text(part, is_clean) => {
                text.push_str(part);
                clean &= is_clean;
                continue;
            }
            Piece::Field(place) => *place,
        };
        let raw = fields.raw(place);
        match raw.kind {
            Kind::Missing if fields.compat() => {}
            Kind::Missing if tolerant => return Ok(Val::Null),
            Kind::Null => {}
            Kind::True => text.push_str("true"),
            Kind::False => text.push_str("false"),
            Kind::Number => text.push_str(raw.of(fields.row())),
            Kind::Text => {
                text.push_str(&raw.text(fields.row()));
                clean &= raw.escapes == Escapes::None;
            }
            Kind::Missing | Kind::List | Kind::Map => return Err(Slow),
        }
    }
    made(text, clean)
}

fn binary<'a>(
    left: Val<'a>,
    op: Binary,
    right: &'a Part,
    fields: &impl Fields<'a>,
    tolerant: bool,
) -> Result<Val<'a>, Slow> {
    let right = || eval(right, fields, tolerant);
    let compared = |wanted: fn(Ordering) -> bool| -> Result<Val<'a>, Slow> {
        Ok(Val::truth_of(compare(&left, &right()?)?.map(wanted)))
    };
    Ok(match op {
        Binary::And | Binary::Or => {
            let decides = op == Binary::Or;
            let left = left.truth()?;
            if left == Some(decides) {
                return Ok(Val::bool(decides));
            }
            let right = right()?.truth()?;
            if right == Some(decides) {
                return Ok(Val::bool(decides));
            }
            Val::truth_of(left.and(right))
        }
        Binary::Eq => compared(Ordering::is_eq)?,
        Binary::Ne => compared(Ordering::is_ne)?,
        Binary::Lt => compared(Ordering::is_lt)?,
        Binary::Le => compared(Ordering::is_le)?,
        Binary::Gt => compared(Ordering::is_gt)?,
        Binary::Ge => compared(Ordering::is_ge)?,
        op => {
            let right = right()?;
            let (Some(a), Some(b)) = (left.number()?, right.number()?) else {
                return Ok(Val::Null);
            };
            let result = match op {
                Binary::Add => a.add(b),
                Binary::Sub => a.sub(b),
                Binary::Mul => a.mul(b),
                _ => None,
            };
            Val::Number(result.ok_or(Slow)?)
        }
    })
}

/// Compares; `None` when either is NULL.
fn compare(a: &Val<'_>, b: &Val<'_>) -> Result<Option<Ordering>, Slow> {
    Ok(match (a, b) {
        (Val::Null, _) | (_, Val::Null) => None,
        (Val::Number(a), Val::Number(b)) => Some(a.compare(*b).ok_or(Slow)?),
        (
            Val::Text {
                text: x, bare: true, ..
            },
            Val::Text {
                text: y, bare: true, ..
            },
        ) if Number::parse(x).is_some() && Number::parse(y).is_some() => {
            let (a, b) = (Num::parse(x).ok_or(Slow)?, Num::parse(y).ok_or(Slow)?);
            Some(a.compare(b).ok_or(Slow)?)
        }
        (Val::Text { text: x, .. }, Val::Text { text: y, .. }) => Some(text::compare(x, y)),
        // A text beside a number counts by its digits, quoted or not.
        (Val::Number(a), Val::Text { text, .. }) => Some(a.compare(digits(text)?).ok_or(Slow)?),
        (Val::Text { text, .. }, Val::Number(b)) => Some(digits(text)?.compare(*b).ok_or(Slow)?),
    })
}

fn digits(text: &str) -> Result<Num, Slow> {
    match text {
        "" => Ok(Num::Int(0)),
        text => Num::parse(text).ok_or(Slow),
    }
}

fn within<'a>(
    inner: &'a Part,
    list: &'a [Part],
    negated: bool,
    fields: &impl Fields<'a>,
    tolerant: bool,
) -> Result<Val<'a>, Slow> {
    let value = eval(inner, fields, tolerant)?;
    let mut unknown = false;
    for candidate in list {
        match compare(&value, &eval(candidate, fields, tolerant)?)? {
            Some(Ordering::Equal) => return Ok(Val::bool(!negated)),
            Some(_) => {}
            None => unknown = true,
        }
    }
    Ok(if unknown { Val::Null } else { Val::bool(negated) })
}

/// The value of a branch as the type of all branches together: text stays text; a whole number stays one where the
/// others are whole numbers, too.
fn branch<'a>(
    value: Val<'a>,
    mut branches: impl Iterator<Item = &'a Part>,
    fields: &impl Fields<'a>,
) -> Result<Val<'a>, Slow> {
    let is_whole = |part: &'a Part| match part {
        Part::Null | Part::Number(Num::Int(_)) => true,
        Part::Field(place) => {
            matches!(
                field(*place, fields, false),
                Ok(Val::Null | Val::Number(Num::Int(_)))
            )
        }
        _ => false,
    };
    match value {
        Val::Number(Num::Int(_)) if branches.all(is_whole) => Ok(value),
        Val::Number(_) => Err(Slow),
        Val::Null | Val::Text { .. } => Ok(value),
    }
}

fn replaced<'a>(parts: &'a [Part; 3], fields: &impl Fields<'a>, tolerant: bool) -> Result<Val<'a>, Slow> {
    let [text, from, to] = parts;
    let (text, from, to) = (
        eval(text, fields, tolerant)?,
        eval(from, fields, tolerant)?,
        eval(to, fields, tolerant)?,
    );
    let (Some((from, _)), false) = (from.words(), text.is_null()) else {
        return Ok(Val::Null);
    };
    let there = match &text {
        Val::Text { text, .. } => match from.as_bytes() {
            [] => false,
            // A search for one byte needs no preparing.
            [byte] => text.as_bytes().contains(byte),
            _ => text.contains(&*from),
        },
        _ => return Err(Slow),
    };
    // In text the server asks for `to` whenever there is a `from`.
    let Some((to, is_clean)) = to.words() else {
        return if from.is_empty() { Err(Slow) } else { Ok(Val::Null) };
    };
    let Val::Text { text, clean, .. } = text else {
        return Err(Slow);
    };
    if !there {
        return Ok(Val::Text {
            text,
            bare: false,
            clean,
        });
    }
    made(text.replace(&*from, &to), clean && is_clean)
}
