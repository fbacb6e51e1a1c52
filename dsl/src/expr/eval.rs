//! Computing an expression: one function per kind of node, three-valued logic, the server's arithmetic.

use std::cmp::Ordering;

use regex::{Regex, RegexBuilder};

use super::ast::{Binary, Case, Cast, Is, Link, Node, Pattern, Sense, Unary};
use super::run::{Lazy, Run};
use super::sql::{Double, Num, Sql, compare, compare_numbers};
use super::{text, time};
use crate::builtin::{Args, Builtin, Call};
use crate::catalogue::evaluation;
use crate::decimal::{Decimal, OutOfRange};
use crate::diagnostic::Failure;

/// Bytes a compiled pattern may take.
const PATTERN_SIZE: usize = 1 << 20;

/// Computes one node.
pub(super) fn node<'a>(run: &Run<'a>, node: &'a Node) -> Result<Sql<'a>, Failure> {
    run.spend(1)?;
    match node {
        Node::Const(value) => Ok(value.borrowed()),
        Node::Field(slot) => run.field(*slot),
        Node::Interpolated(pieces) => run.interpolate(pieces),
        Node::Glued(pieces) => run.glue(pieces),
        Node::Lookup(index) => run.lookup(*index),
        Node::Unary(op, inner) => unary(run, *op, inner),
        Node::Chain(first, links) => chain(run, first, links),
        Node::Is(inner, what, sense) => is(run, inner, *what, *sense),
        Node::In(inner, list, sense) => within(run, inner, list, *sense),
        Node::Between(inner, bounds, sense) => between(run, inner, bounds, *sense),
        Node::Like(inner, pattern, escape, sense) => like(run, inner, pattern, *escape, *sense),
        Node::Regexp(inner, pattern, sense) => regexp(run, inner, pattern, *sense),
        Node::Case(cases) => case(run, cases),
        Node::Call(builtin, args) => call(run, builtin, args),
        Node::Cast(inner, to) => cast(run, inner, *to),
        Node::Interval(amount, unit) => {
            let amount = self::node(run, amount)?;
            Ok(time::interval(&amount, unit).map_or(Sql::Null, Sql::Interval))
        }
    }
}

/// TRUE, FALSE or NULL, turned around by NOT.
fn truth(value: Option<bool>, sense: Sense) -> Sql<'static> {
    match value {
        None => Sql::Null,
        Some(value) => Sql::bool(value != (sense == Sense::Negated)),
    }
}

fn out_of_range(what: &str) -> Failure {
    Failure::new(&evaluation::NUMBER_OUT_OF_RANGE).with("what", what)
}

fn unary<'a>(run: &Run<'a>, op: Unary, inner: &'a Node) -> Result<Sql<'a>, Failure> {
    let value = node(run, inner)?;
    Ok(match op {
        Unary::Plus => value,
        Unary::Not => truth(value.truth(), Sense::Negated),
        Unary::Minus => match value.to_num() {
            None => Sql::Null,
            Some(Num::Exact(number)) => Sql::Number(number.neg()),
            Some(Num::Float(double)) => Sql::Double(Double {
                value: -double.value,
                ..double
            }),
        },
    })
}

fn chain<'a>(run: &Run<'a>, first: &'a Node, links: &'a [Link]) -> Result<Sql<'a>, Failure> {
    // `<=>` is made for what may be absent, on either side.
    let tolerant = links.first().is_some_and(|link| link.op == Binary::NullSafe);
    let mut left = if tolerant {
        run.tolerating(|| node(run, first))?
    } else {
        node(run, first)?
    };
    for link in links {
        run.spend(1)?;
        left = binary(run, left, link)?;
    }
    Ok(left)
}

fn binary<'a>(run: &Run<'a>, left: Sql<'a>, link: &'a Link) -> Result<Sql<'a>, Failure> {
    let right = || node(run, &link.right);
    let compared = |wanted: fn(Ordering) -> bool| -> Result<Sql<'a>, Failure> {
        Ok(truth(compare(&left, &right()?).map(wanted), Sense::Plain))
    };
    match link.op {
        Binary::And | Binary::Or => {
            // FALSE decides AND, TRUE decides OR; what is behind is then not computed.
            let decides = link.op == Binary::Or;
            let left = left.truth();
            if left == Some(decides) {
                return Ok(Sql::bool(decides));
            }
            let right = right()?.truth();
            if right == Some(decides) {
                return Ok(Sql::bool(decides));
            }
            Ok(truth(left.and(right), Sense::Plain))
        }
        Binary::Xor => {
            let (left, right) = (left.truth(), right()?.truth());
            Ok(truth(left.zip(right).map(|(a, b)| a != b), Sense::Plain))
        }
        Binary::NullSafe => {
            let right = run.tolerating(right)?;
            let both_null = left.is_null() && right.is_null();
            Ok(Sql::bool(
                both_null || compare(&left, &right) == Some(Ordering::Equal),
            ))
        }
        Binary::Eq => compared(Ordering::is_eq),
        Binary::Ne => compared(Ordering::is_ne),
        Binary::Lt => compared(Ordering::is_lt),
        Binary::Le => compared(Ordering::is_le),
        Binary::Gt => compared(Ordering::is_gt),
        Binary::Ge => compared(Ordering::is_ge),
        op => {
            let right = right()?;
            match (&left, &right, op) {
                (Sql::Interval(by), value, Binary::Add) | (value, Sql::Interval(by), Binary::Add) => {
                    Ok(time::shift(value, *by, false, run.env.zone()).unwrap_or(Sql::Null))
                }
                (value, Sql::Interval(by), Binary::Sub) => {
                    Ok(time::shift(value, *by, true, run.env.zone()).unwrap_or(Sql::Null))
                }
                _ => arithmetic(op, &left, &right),
            }
        }
    }
}

fn arithmetic(op: Binary, left: &Sql<'_>, right: &Sql<'_>) -> Result<Sql<'static>, Failure> {
    // DIV and its operands are exact whatever they were.
    if op == Binary::IntDiv {
        let (Some(a), Some(b)) = (left.to_decimal(), right.to_decimal()) else {
            return Ok(Sql::Null);
        };
        let quotient = a.int_div(&b).map_err(|OutOfRange| out_of_range(op.sign()))?;
        return Ok(quotient.map_or(Sql::Null, Sql::Number));
    }
    let (Some(a), Some(b)) = (left.to_num(), right.to_num()) else {
        return Ok(Sql::Null);
    };
    match (&a, &b) {
        (Num::Exact(a), Num::Exact(b)) => {
            let result = exact(op, a, b).map_err(|OutOfRange| out_of_range(op.sign()))?;
            Ok(result.map_or(Sql::Null, Sql::Number))
        }
        _ => float(op, &a, &b),
    }
}

fn exact(op: Binary, a: &Decimal, b: &Decimal) -> Result<Option<Decimal>, OutOfRange> {
    match op {
        Binary::Add => a.add(b).map(Some),
        Binary::Sub => a.sub(b).map(Some),
        Binary::Mul => a.mul(b).map(Some),
        Binary::Div => a.div(b),
        _ => Ok(a.rem(b)),
    }
}

/// Digits a float does not fix.
const NOT_FIXED: u8 = 31;

fn float(op: Binary, a: &Num, b: &Num) -> Result<Sql<'static>, Failure> {
    let (x, y) = (a.to_f64(), b.to_f64());
    if matches!(op, Binary::Div | Binary::Rem) && y == 0.0 {
        return Ok(Sql::Null);
    }
    let value = match op {
        Binary::Add => x + y,
        Binary::Sub => x - y,
        Binary::Mul => x * y,
        Binary::Div => x / y,
        _ => x % y,
    };
    if !value.is_finite() {
        return Err(out_of_range(op.sign()));
    }
    let longer = a
        .decimals()
        .unwrap_or(NOT_FIXED)
        .max(b.decimals().unwrap_or(NOT_FIXED));
    let shown = if op == Binary::Div {
        longer.saturating_add(4)
    } else {
        longer
    };
    Ok(Sql::Double(Double {
        value,
        decimals: (shown < NOT_FIXED).then_some(shown),
    }))
}

fn is<'a>(run: &Run<'a>, inner: &'a Node, what: Is, sense: Sense) -> Result<Sql<'a>, Failure> {
    let value = run.tolerating(|| node(run, inner))?;
    let holds = match what {
        Is::Null => value.is_null(),
        Is::True => value.truth() == Some(true),
        Is::False => value.truth() == Some(false),
    };
    Ok(truth(Some(holds), sense))
}

fn within<'a>(run: &Run<'a>, inner: &'a Node, list: &'a [Node], sense: Sense) -> Result<Sql<'a>, Failure> {
    let value = node(run, inner)?;
    let mut unknown = false;
    for candidate in list {
        match compare(&value, &node(run, candidate)?) {
            Some(Ordering::Equal) => return Ok(truth(Some(true), sense)),
            Some(_) => {}
            None => unknown = true,
        }
    }
    Ok(truth((!unknown).then_some(false), sense))
}

fn between<'a>(
    run: &Run<'a>,
    inner: &'a Node,
    bounds: &'a (Node, Node),
    sense: Sense,
) -> Result<Sql<'a>, Failure> {
    let (value, low, high) = (node(run, inner)?, node(run, &bounds.0)?, node(run, &bounds.1)?);
    // One number among the three makes all of them numbers.
    let numeric = |value: &Sql<'_>| matches!(value, Sql::Number(_) | Sql::Double(_));
    let all = [&value, &low, &high];
    let order = if all.into_iter().any(numeric) {
        compare_numbers
    } else {
        compare
    };
    let above = order(&value, &low).map(Ordering::is_ge);
    let below = order(&value, &high).map(Ordering::is_le);
    let holds = match (above, below) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    };
    Ok(truth(holds, sense))
}

fn like<'a>(
    run: &Run<'a>,
    inner: &'a Node,
    pattern: &'a Node,
    escape: char,
    sense: Sense,
) -> Result<Sql<'a>, Failure> {
    let (value, pattern) = (node(run, inner)?, node(run, pattern)?);
    let (Some(text), Some(pattern)) = (value.to_text(), pattern.to_text()) else {
        return Ok(Sql::Null);
    };
    let mut steps = 0;
    // A character is far cheaper than a node.
    let matched = text::like(
        &text,
        &pattern,
        escape,
        run.fuel_left().saturating_mul(8),
        &mut steps,
    );
    run.spend(steps / 8)?;
    match matched {
        Some(matched) => Ok(truth(Some(matched), sense)),
        None => Err(Failure::new(&evaluation::OUT_OF_FUEL)),
    }
}

/// Compiles a pattern: case does not matter, time is linear. Gives back what is wrong with it.
pub(super) fn compile_pattern(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .case_insensitive(true)
        .size_limit(PATTERN_SIZE)
        .dfa_size_limit(PATTERN_SIZE)
        .nest_limit(64)
        .build()
        .map_err(|error| match error {
            // The crate draws the pattern over several lines; the last one says what is wrong.
            regex::Error::Syntax(drawing) => {
                let last = drawing.lines().last().unwrap_or_default();
                last.strip_prefix("error: ").unwrap_or(last).to_owned()
            }
            regex::Error::CompiledTooBig(_) => "too large".to_owned(),
            other => other.to_string(),
        })
}

fn regexp<'a>(
    run: &Run<'a>,
    inner: &'a Node,
    pattern: &'a Pattern,
    sense: Sense,
) -> Result<Sql<'a>, Failure> {
    let value = node(run, inner)?;
    let Some(text) = value.to_text() else {
        return Ok(Sql::Null);
    };
    run.spend_text(text.len())?;
    let matched = match pattern {
        Pattern::Literal(pattern) => pattern.is_match(&text),
        Pattern::Computed(pattern) => {
            let pattern = node(run, pattern)?;
            let Some(pattern) = pattern.to_text() else {
                return Ok(Sql::Null);
            };
            run.spend(
                u64::try_from(pattern.len())
                    .unwrap_or(u64::MAX)
                    .saturating_mul(16),
            )?;
            compile_pattern(&pattern)
                .map_err(|what| Failure::new(&evaluation::BAD_PATTERN_VALUE).with("what", what))?
                .is_match(&text)
        }
    };
    Ok(truth(Some(matched), sense))
}

fn case<'a>(run: &Run<'a>, case: &'a Case) -> Result<Sql<'a>, Failure> {
    let subject = case
        .subject
        .as_ref()
        .map(|subject| node(run, subject))
        .transpose()?;
    for (when, then) in &case.arms {
        let candidate = node(run, when)?;
        let holds = match &subject {
            Some(subject) => compare(subject, &candidate) == Some(Ordering::Equal),
            None => candidate.truth() == Some(true),
        };
        if holds {
            return node(run, then);
        }
    }
    case.otherwise
        .as_ref()
        .map_or(Ok(Sql::Null), |otherwise| node(run, otherwise))
}

fn call<'a>(run: &Run<'a>, builtin: &'static Builtin, nodes: &'a [Node]) -> Result<Sql<'a>, Failure> {
    let failed = |error: crate::builtin::CallError| error.into_failure(builtin.name);
    let result = match builtin.call {
        Call::Lazy(function) => function(&Lazy { nodes, run }).map_err(failed)?,
        Call::Aggregate(function) => {
            let values = nodes
                .first()
                .map_or(Ok(Vec::new()), |argument| run.lines(argument))?;
            function(&values).map_err(failed)?
        }
        Call::Eager(function) | Call::Nullable(function) => {
            let mut values = Vec::with_capacity(nodes.len());
            for argument in nodes {
                let value = node(run, argument)?;
                if value.is_null() && matches!(builtin.call, Call::Eager(_)) {
                    return Ok(Sql::Null);
                }
                values.push(value);
            }
            function(&Args::new(&values, run)).map_err(failed)?
        }
    };
    if let Sql::Text(text) = &result {
        run.within(text.text.len(), builtin.name)?;
        run.spend_text(text.text.len())?;
    }
    Ok(result)
}

fn cast<'a>(run: &Run<'a>, inner: &'a Node, to: Cast) -> Result<Sql<'a>, Failure> {
    let value = node(run, inner)?;
    if value.is_null() {
        return Ok(Sql::Null);
    }
    let unfit = |want: String| {
        let shown = value.to_text().unwrap_or_default();
        Failure::new(&evaluation::CAST_DOES_NOT_FIT)
            .with("value", shown)
            .with("want", want)
    };
    Ok(match to {
        Cast::Char(length) => {
            let text = value.to_text().unwrap_or_default();
            let cut = length
                .and_then(|length| text.char_indices().nth(length))
                .map(|(at, _)| at);
            Sql::text(text[..cut.unwrap_or(text.len())].to_owned())
        }
        Cast::Double => match value.to_num() {
            Some(number) => Sql::Double(Double::new(number.to_f64())),
            None => Sql::Null,
        },
        Cast::Decimal { digits, scale } => {
            let number = value.to_decimal().unwrap_or(Decimal::ZERO);
            let want = || unfit(format!("DECIMAL({digits},{scale})"));
            let rounded = number.round(i32::from(scale)).map_err(|OutOfRange| want())?;
            let whole = rounded
                .truncate(0)
                .map_err(|OutOfRange| want())?
                .abs()
                .to_string();
            let room = usize::from(digits.saturating_sub(scale));
            if whole.trim_start_matches('0').len() > room {
                return Err(want());
            }
            Sql::Number(rounded)
        }
        Cast::Signed | Cast::Unsigned => {
            let name = if to == Cast::Signed { "SIGNED" } else { "UNSIGNED" };
            let number = value.to_decimal().unwrap_or(Decimal::ZERO);
            // Text gives its leading integer, a number is rounded.
            let places = if matches!(value, Sql::Text(_)) {
                number.truncate(0)
            } else {
                number.round(0)
            };
            let whole = places.map_err(|OutOfRange| unfit(name.to_owned()))?;
            let (least, most) = if to == Cast::Signed {
                (Decimal::from(i64::MIN), Decimal::from(i64::MAX))
            } else {
                (
                    Decimal::ZERO,
                    Decimal::parse("18446744073709551615").unwrap_or(Decimal::ZERO),
                )
            };
            if whole < least || whole > most {
                return Err(unfit(name.to_owned()));
            }
            Sql::Number(whole)
        }
        Cast::Date => run.time(&value).map_or(Sql::Null, |at| Sql::Date(at.at.date())),
        Cast::DateTime(fraction) => match run.time(&value) {
            Some(at) => Sql::DateTime(time::DateTime { fraction, ..at }),
            None => Sql::Null,
        },
    })
}
