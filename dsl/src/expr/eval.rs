//! Computing an expression: one function per kind of node, three-valued logic, the server's arithmetic.

use std::cmp::Ordering;

use super::arith::{arithmetic, bits, invert, sign};
use super::ast::{Aggregate, Binary, Case, Is, Link, Node, Pattern, Sense, Unary};
use super::cast::cast;
use super::json_operand::operand;
use super::regexp::matcher;
use super::run::{Lazy, Run};
use super::sql::{Sql, Text, Ty, TyKind, Unit, compare_numbers};
use super::types::{self, Types};
use super::{text, time};
use crate::builtin::{Args, Builtin, Call, Typing};
use crate::catalogue::evaluation;
use crate::diagnostic::Failure;

/// Computes one node.
pub(super) fn node<'a>(run: &Run<'a>, node: &'a Node) -> Result<Sql<'a>, Failure> {
    run.spend(1)?;
    match node {
        Node::Const(value) => Ok(value.borrowed()),
        Node::Truth(value) => Ok(Sql::bool(*value)),
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
        Node::Aggregate(lines) => aggregate(run, lines),
        Node::Cast(inner, to) => cast(run, self::node(run, inner)?, *to),
        Node::Interval(amount, unit) => {
            let amount = self::node(run, amount)?;
            let interval = Unit::parse(unit).and_then(|unit| time::interval(&amount, unit));
            Ok(interval.map_or(Sql::Null, Sql::Interval))
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

fn unary<'a>(run: &Run<'a>, op: Unary, inner: &'a Node) -> Result<Sql<'a>, Failure> {
    let value = operand(inner, node(run, inner)?, None);
    Ok(match op {
        Unary::Not => truth(value.truth(), Sense::Negated),
        Unary::Invert => invert(&value),
        Unary::Plus | Unary::Minus => sign(op, value),
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
    left = operand(first, left, links.first().map(|link| link.op));
    for link in links {
        run.spend(1)?;
        left = binary(run, left, link)?;
    }
    Ok(left)
}

fn binary<'a>(run: &Run<'a>, left: Sql<'a>, link: &'a Link) -> Result<Sql<'a>, Failure> {
    let right = || Ok(operand(&link.right, node(run, &link.right)?, Some(link.op)));
    let compared = |wanted: fn(Ordering) -> bool| -> Result<Sql<'a>, Failure> {
        Ok(truth(
            run.compare_shown(&left, &right()?).map(wanted),
            Sense::Plain,
        ))
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
                both_null || run.compare_shown(&left, &right) == Some(Ordering::Equal),
            ))
        }
        Binary::Eq => compared(Ordering::is_eq),
        Binary::Ne => compared(Ordering::is_ne),
        Binary::Lt => compared(Ordering::is_lt),
        Binary::Le => compared(Ordering::is_le),
        Binary::Gt => compared(Ordering::is_gt),
        Binary::Ge => compared(Ordering::is_ge),
        op @ (Binary::BitAnd | Binary::BitOr | Binary::BitXor | Binary::ShiftLeft | Binary::ShiftRight) => {
            Ok(bits(op, &left, &right()?))
        }
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
        let candidate = node(run, candidate)?;
        // One alone is compared as `=` does.
        let order = match list.len() {
            1 => run.compare_shown(&value, &candidate),
            _ => run.compare(&value, &candidate),
        };
        match order {
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
    let values = [node(run, inner)?, node(run, &bounds.0)?, node(run, &bounds.1)?];
    // A time that is NULL still makes times of the others.
    let kind = |value: &Sql<'a>, node: &'a Node| match value {
        Sql::Null => types::of(run, node).kind,
        value => Ty::of(value).kind,
    };
    let kinds = [
        kind(&values[0], inner),
        kind(&values[1], &bounds.0),
        kind(&values[2], &bounds.1),
    ];
    let [value, low, high] = time::as_one_kind(values, kinds, run.env.zone(), || run.today());
    // One number among the three makes all of them numbers, unless one is a time.
    let numbers = kinds.iter().any(|kind| kind.is_number()) && !kinds.iter().any(|kind| kind.is_temporal());
    let order = |a: &Sql<'_>, b: &Sql<'_>| {
        if numbers {
            compare_numbers(a, b)
        } else {
            run.compare(a, b)
        }
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
    let mut steps = 0;
    // A character is far cheaper than a node.
    let most = run.fuel_left().saturating_mul(4);
    let matched = if matches!(value, Sql::Bytes(_)) || matches!(pattern, Sql::Bytes(_)) {
        let (Some(text), Some(pattern)) = (value.to_bytes(), pattern.to_bytes()) else {
            return Ok(Sql::Null);
        };
        text::like_bytes(&text, &pattern, escape, most, &mut steps)
    } else {
        let (Some(text), Some(pattern)) = (value.to_text(), pattern.to_text()) else {
            return Ok(Sql::Null);
        };
        text::like(&text, &pattern, escape, most, &mut steps)
    };
    run.spend(steps / 4)?;
    match matched {
        Some(matched) => Ok(truth(Some(matched), sense)),
        None => Err(Failure::new(&evaluation::OUT_OF_FUEL)),
    }
}

fn regexp<'a>(
    run: &Run<'a>,
    inner: &'a Node,
    pattern: &'a Pattern,
    sense: Sense,
) -> Result<Sql<'a>, Failure> {
    let value = node(run, inner)?;
    let Some(text) = value.to_bytes() else {
        return Ok(Sql::Null);
    };
    run.spend_text(text.len())?;
    let binary = matches!(value, Sql::Bytes(_));
    let pattern = match pattern {
        Pattern::Literal(matcher) if !binary => return Ok(truth(Some(matcher.is_match(&text)), sense)),
        Pattern::Literal(matcher) => Sql::text(matcher.source()),
        Pattern::Computed(pattern) => node(run, pattern)?,
    };
    let binary = binary || matches!(pattern, Sql::Bytes(_));
    let Some(pattern) = pattern.to_text() else {
        return Ok(Sql::Null);
    };
    run.spend(
        u64::try_from(pattern.len())
            .unwrap_or(u64::MAX)
            .saturating_mul(16),
    )?;
    let matched = matcher(&pattern, binary)
        .map_err(|what| Failure::new(&evaluation::BAD_PATTERN_VALUE).with("what", what))?
        .is_match(&text);
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
            Some(subject) => run.compare(subject, &candidate) == Some(Ordering::Equal),
            None => candidate.truth() == Some(true),
        };
        if holds {
            return branch(run, node(run, then)?, || types::branches(run, case));
        }
    }
    match &case.otherwise {
        Some(otherwise) => branch(run, node(run, otherwise)?, || types::branches(run, case)),
        None => Ok(Sql::Null),
    }
}

/// The value of a branch as the type of all branches together. Text stays text whatever the others are.
fn branch<'a>(run: &Run<'a>, value: Sql<'a>, ty: impl FnOnce() -> Ty) -> Result<Sql<'a>, Failure> {
    match value {
        // What showed a time is mere text from here on.
        Sql::Text(text) => {
            return Ok(Sql::Text(Text {
                moment: false,
                ..text
            }));
        }
        Sql::Null => return Ok(Sql::Null),
        _ => {}
    }
    let ty = ty();
    if ty == Ty::of(&value) || ty.kind == TyKind::Null {
        return Ok(value);
    }
    Ok(ty.coerce(value, || run.today()))
}

fn call<'a>(run: &Run<'a>, builtin: &'static Builtin, nodes: &'a [Node]) -> Result<Sql<'a>, Failure> {
    let failed = |error: crate::builtin::CallError| error.into_failure(builtin.name);
    let result = match builtin.call {
        Call::Lazy(function) => {
            let value = function(&Lazy { nodes, run }).map_err(failed)?;
            match builtin.ty {
                Typing::Merge(from) => branch(run, value, || Types::new(nodes, run).merged(from))?,
                _ => value,
            }
        }
        // The parser makes a node of its own of these.
        Call::Aggregate(_) => Sql::Null,
        Call::Eager(function) | Call::Nullable(function) => {
            let mut values = Vec::with_capacity(nodes.len());
            for argument in nodes {
                let value = node(run, argument)?;
                if value.is_null() && matches!(builtin.call, Call::Eager(_)) {
                    return Ok(Sql::Null);
                }
                run.spend_work(bytes_of(&value))?;
                values.push(value);
            }
            function(&Args::new(&values, nodes, run)).map_err(failed)?
        }
    };
    bounded(run, result, builtin)
}

/// Refuses a result that has grown too large, and counts what making it cost.
fn bounded<'a>(run: &Run<'a>, result: Sql<'a>, builtin: &Builtin) -> Result<Sql<'a>, Failure> {
    let bytes = bytes_of(&result);
    run.within(bytes, builtin.name)?;
    match builtin.call {
        // It chose one of its arguments.
        Call::Lazy(_) => run.spend_text(bytes)?,
        _ => run.spend_work(bytes)?,
    }
    Ok(result)
}

/// How long a text is; other values are small.
fn bytes_of(value: &Sql<'_>) -> usize {
    match value {
        Sql::Text(text) => text.text.len(),
        Sql::Bytes(bytes) => bytes.len(),
        _ => 0,
    }
}

fn aggregate<'a>(run: &Run<'a>, lines: &'a Aggregate) -> Result<Sql<'a>, Failure> {
    let Call::Aggregate(function) = lines.builtin.call else {
        return Ok(Sql::Null);
    };
    let [value, rest @ ..] = lines.args.as_slice() else {
        return Ok(Sql::Null);
    };
    let mut rows = run.lines(value, &lines.order)?;
    sort(run, &mut rows, &lines.order)?;
    let mut values: Vec<Sql<'a>> = rows.into_iter().map(|(value, _)| value).collect();
    // The lines are one column: its type is that of all of them together.
    let ty = values.iter().fold(Ty::NULL, |ty, value| ty.merge(Ty::of(value)));
    if values.iter().any(|value| Ty::of(value) != ty) && !values.iter().any(is_bare) {
        values = values
            .into_iter()
            .map(|value| ty.coerce(value, || run.today()))
            .collect();
    }
    if lines.distinct {
        // The server keeps them in a column: without hidden digits, and as numbers where numbers are asked for.
        let sums = matches!(lines.builtin.name, "SUM" | "AVG");
        values = values.into_iter().map(|value| in_column(value, sums)).collect();
        let mut kept: Vec<Sql<'a>> = Vec::new();
        for value in values {
            run.spend(u64::try_from(kept.len()).unwrap_or(u64::MAX))?;
            if !kept
                .iter()
                .any(|other| run.compare(other, &value) == Some(Ordering::Equal))
            {
                kept.push(value);
            }
        }
        values = kept;
    }
    let mut others = Vec::with_capacity(rest.len());
    for argument in rest {
        others.push(node(run, argument)?);
    }
    let failed = |error: crate::builtin::CallError| error.into_failure(lines.builtin.name);
    let result = function(&values, &Args::new(&others, rest, run)).map_err(failed)?;
    bounded(run, result, lines.builtin)
}

fn in_column<'a>(value: Sql<'a>, sums: bool) -> Sql<'a> {
    match value {
        Sql::Decimal(number) => {
            let shown = number.round(i32::from(number.scale()));
            Sql::Decimal(shown.unwrap_or(number))
        }
        value if sums && Ty::of(&value).kind.is_text() => {
            value.to_num().map_or(Sql::Null, |number| number.into_sql())
        }
        value => value,
    }
}

fn is_bare(value: &Sql<'_>) -> bool {
    matches!(value, Sql::Text(text) if text.bare)
}

/// Puts lines in the order that was asked for; NULL comes first, equal lines keep their places.
fn sort<'a>(
    run: &Run<'a>,
    rows: &mut [(Sql<'a>, Vec<Sql<'a>>)],
    order: &[(Node, bool)],
) -> Result<(), Failure> {
    if order.is_empty() {
        return Ok(());
    }
    run.spend(u64::try_from(rows.len()).unwrap_or(u64::MAX).saturating_mul(16))?;
    rows.sort_by(|(_, a), (_, b)| {
        let unequal = a.iter().zip(b).zip(order).find_map(|((x, y), (_, descending))| {
            let order = match (x.is_null(), y.is_null()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => run.compare(x, y).unwrap_or(Ordering::Equal),
            };
            let order = if *descending { order.reverse() } else { order };
            order.is_ne().then_some(order)
        });
        unequal.unwrap_or(Ordering::Equal)
    });
    Ok(())
}
