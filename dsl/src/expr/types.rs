//! The type of a node: what its value will be, derived without computing more than the types ask for.

use jiff::tz::TimeZone;

use super::arith::arithmetic_ty;
use super::ast::{Binary, Case, Cast, Link, Node, Unary};
use super::eval;
use super::run::Run;
use super::sql::{NOT_FIXED, Sql, Ty, TyKind, Unit};
use crate::builtin::{Builtin, Call, Type, Typing};

/// The arguments of a call whose type is asked for.
pub struct Types<'r, 'a> {
    nodes: &'a [Node],
    run: &'r Run<'a>,
}

impl<'r, 'a> Types<'r, 'a> {
    pub(crate) fn new(nodes: &'a [Node], run: &'r Run<'a>) -> Types<'r, 'a> {
        Types { nodes, run }
    }

    /// How many were written.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether none was written.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The type of one; NULL when it was left out.
    pub fn ty(&self, index: usize) -> Ty {
        self.nodes.get(index).map_or(Ty::NULL, |node| of(self.run, node))
    }

    /// The type of one as a number.
    pub fn number(&self, index: usize) -> Ty {
        self.nodes
            .get(index)
            .map_or(Ty::NULL, |node| of_number(self.run, node))
    }

    /// The value of one, for a type that depends on it, as `ROUND`'s does; NULL when it has none.
    pub fn value(&self, index: usize) -> Sql<'a> {
        self.nodes
            .get(index)
            .map_or(Sql::Null, |node| value(self.run, node))
    }

    /// Whether its value is another one on each line, so that no type can depend on it.
    pub fn varies(&self, index: usize) -> bool {
        self.nodes.get(index).is_some_and(|node| self.run.varies(node))
    }

    /// The type of a time that an interval is added to, both by their numbers.
    pub fn shifted(&self, time: usize, by: usize) -> Ty {
        let by = self.nodes.get(by).and_then(|node| interval(self.run, node));
        shifted(self.ty(time), by)
    }

    /// The type of a time that a number of a unit is added to.
    pub fn shifted_by(&self, time: usize, unit: Unit, amount: usize) -> Ty {
        let digits = if unit == Unit::Second {
            self.ty(amount).decimals.min(6)
        } else {
            unit.digits()
        };
        shifted(self.ty(time), Some((unit, digits)))
    }

    /// Digits of a second that one has as a day and a time: a number's own, six when it is floating point or no
    /// date.
    pub fn digits(&self, index: usize) -> u8 {
        match self.ty(index) {
            ty if ty.kind.is_text() => self.of_text(index, super::time::digits_of),
            ty => ty.decimals.min(6),
        }
    }

    /// Digits of a second that a text has; six when it is NULL.
    fn of_text(&self, index: usize, digits: fn(&Sql<'_>, &TimeZone) -> u8) -> u8 {
        match self.value(index) {
            Sql::Null => 6,
            value => digits(&value, self.run.env.zone()),
        }
    }

    /// Digits of a second that one has as a time.
    pub fn time_digits(&self, index: usize) -> u8 {
        match self.ty(index) {
            ty if ty.kind.is_text() => self.of_text(index, super::time::time_digits_of),
            ty => ty.decimals.min(6),
        }
    }

    /// Digits of a second that one has as a length of time.
    pub fn length_digits(&self, index: usize) -> u8 {
        match self.ty(index) {
            ty if ty.kind.is_text() => self.of_text(index, super::time::length_digits_of),
            ty => ty.decimals.min(6),
        }
    }

    /// Whether an argument is JSON and not a text that looks like it.
    pub fn is_json(&self, index: usize) -> bool {
        self.nodes.get(index).is_some_and(is_json)
    }

    /// Whether an argument is true or false and not a number.
    pub fn is_truth(&self, index: usize) -> bool {
        let told = |leaf: &Node| match leaf {
            Node::Field(slot) => self.run.is_truth(*slot),
            leaf => tells_truth(leaf),
        };
        self.nodes.get(index).is_some_and(|node| all_results(node, &told))
    }

    /// The types of all arguments from one on, merged as branches are.
    pub fn merged(&self, from: usize) -> Ty {
        (from..self.len()).fold(Ty::NULL, |merged, index| merged.merge(self.ty(index)))
    }
}

fn is_json(node: &Node) -> bool {
    all_results(node, &|leaf| match leaf {
        Node::Call(builtin, _) => builtin.returns == Type::Json,
        Node::Const(value) => value.is_null(),
        _ => false,
    })
}

/// Whether a node is a comparison, a test, the words TRUE and FALSE or a field, which may be true or false, or chooses
/// among such.
pub(super) fn may_be_truth(node: &Node) -> bool {
    all_results(node, &|leaf| matches!(leaf, Node::Field(_)) || tells_truth(leaf))
}

fn tells_truth(leaf: &Node) -> bool {
    use Binary::{And, Eq, Ge, Gt, Le, Lt, Ne, NullSafe, Or, Xor};
    match leaf {
        Node::Truth(_)
        | Node::Unary(Unary::Not, _)
        | Node::Is(..)
        | Node::In(..)
        | Node::Between(..)
        | Node::Like(..)
        | Node::Regexp(..) => true,
        Node::Chain(_, links) => links
            .last()
            .is_some_and(|link| matches!(link.op, And | Or | Xor | Eq | NullSafe | Ne | Lt | Le | Gt | Ge)),
        Node::Call(builtin, _) => builtin.returns == Type::Bool,
        _ => false,
    }
}

/// Whether everything that a node may result in passes a test. A NULL of IF and its like does not count.
fn all_results(node: &Node, test: &dyn Fn(&Node) -> bool) -> bool {
    let results: Vec<&Node> = match node {
        Node::Case(case) => {
            let arms = case.arms.iter().map(|(_, then)| then);
            arms.chain(&case.otherwise).collect()
        }
        Node::Call(builtin, args) if matches!(builtin.call, Call::Lazy(_)) => match builtin.ty {
            Typing::Merge(from) => args.iter().skip(from).collect(),
            Typing::Like(index) => args.iter().skip(index).take(1).collect(),
            _ => return test(node),
        },
        _ => return test(node),
    };
    // The server merges the types of all results of these, NULL among them.
    let merged = match node {
        Node::Call(builtin, _) => matches!(builtin.ty, Typing::Merge(0)),
        _ => true,
    };
    let is_null = |node: &Node| matches!(node, Node::Const(Sql::Null));
    let fits = |node: &&Node| is_null(node) && !merged || all_results(node, test);
    results.iter().any(|node| !is_null(node)) && results.iter().all(fits)
}

fn value<'a>(run: &Run<'a>, node: &'a Node) -> Sql<'a> {
    run.tolerating(|| eval::node(run, node)).unwrap_or(Sql::Null)
}

/// The type of a node.
pub(super) fn of<'a>(run: &Run<'a>, node: &'a Node) -> Ty {
    match node {
        Node::Const(value) => Ty::of(value),
        Node::Interpolated(_) => Ty::TEXT,
        _ => run.typed(node, || derive(run, node)),
    }
}

fn derive<'a>(run: &Run<'a>, node: &'a Node) -> Ty {
    match node {
        Node::Const(value) => Ty::of(value),
        Node::Field(_) | Node::Glued(_) | Node::Lookup(_) | Node::Aggregate(_) => Ty::of(&value(run, node)),
        Node::Interpolated(_) => Ty::TEXT,
        Node::Unary(Unary::Plus, inner) => of(run, inner),
        Node::Truth(_)
        | Node::Unary(Unary::Not, _)
        | Node::Is(..)
        | Node::In(..)
        | Node::Between(..)
        | Node::Like(..)
        | Node::Regexp(..) => Ty::INT,
        Node::Unary(Unary::Invert, _) => Ty::UNSIGNED,
        Node::Unary(Unary::Minus, inner) => match of_number(run, inner) {
            ty if ty.kind == TyKind::Unsigned => Ty::of(&value(run, node)),
            ty => ty,
        },
        Node::Chain(first, links) => chain(run, first, links),
        Node::Case(case) => branches(run, case),
        Node::Call(builtin, args) => call(run, builtin, args),
        Node::Cast(_, cast) => cast_ty(*cast),
        Node::Interval(..) => Ty::new(TyKind::Interval, 0),
    }
}

/// The type of a node as an operand of arithmetic: a bare text counts as the number it spells.
pub(super) fn of_number<'a>(run: &Run<'a>, node: &'a Node) -> Ty {
    match node {
        Node::Field(_) | Node::Lookup(_) => Ty::of_number(&value(run, node)),
        other => of(run, other).numeric(),
    }
}

fn chain<'a>(run: &Run<'a>, first: &'a Node, links: &'a [Link]) -> Ty {
    use Binary::{Add, BitAnd, BitOr, BitXor, Div, IntDiv, Mul, Rem, ShiftLeft, ShiftRight, Sub};
    let mut ty = of(run, first);
    let mut number = of_number(run, first);
    for link in links {
        ty = match link.op {
            BitAnd | BitOr | BitXor | ShiftLeft | ShiftRight => Ty::UNSIGNED,
            Add | Sub if ty.kind == TyKind::Interval => shifted(of(run, &link.right), interval(run, first)),
            Add | Sub if matches!(link.right, Node::Interval(..)) => shifted(ty, interval(run, &link.right)),
            Add | Sub | Mul | Div | Rem | IntDiv => {
                arithmetic_ty(link.op, number, of_number(run, &link.right))
            }
            _ => Ty::INT,
        };
        number = ty.numeric();
    }
    ty
}

/// The unit of an interval and the digits of a second it brings; `None` when there is none.
fn interval<'a>(run: &Run<'a>, node: &'a Node) -> Option<(Unit, u8)> {
    let Node::Interval(amount, unit) = node else {
        return None;
    };
    let unit = Unit::parse(unit)?;
    let digits = match unit {
        Unit::Second => of(run, amount).decimals.min(6),
        unit => unit.digits(),
    };
    Some((unit, digits))
}

/// The type of a time that an interval is added to.
pub(crate) fn shifted(ty: Ty, by: Option<(Unit, u8)>) -> Ty {
    let Some((unit, digits)) = by else { return ty };
    match ty.kind {
        TyKind::Date if unit.keeps_day() => ty,
        TyKind::Date => Ty::new(TyKind::DateTime, digits),
        TyKind::Time if unit.moves_clock() => Ty::new(TyKind::Time, ty.decimals.max(digits)),
        TyKind::DateTime | TyKind::Time => Ty::new(TyKind::DateTime, ty.decimals.max(digits)),
        _ => Ty::TEXT,
    }
}

pub(super) fn branches<'a>(run: &Run<'a>, case: &'a Case) -> Ty {
    let results = case.arms.iter().map(|(_, then)| then).chain(&case.otherwise);
    results.fold(Ty::NULL, |merged, then| merged.merge(of(run, then)))
}

pub(super) fn call<'a>(run: &Run<'a>, builtin: &Builtin, args: &'a [Node]) -> Ty {
    let types = Types::new(args, run);
    match builtin.ty {
        Typing::Int => Ty::INT,
        Typing::Unsigned => Ty::UNSIGNED,
        Typing::Double => Ty::DOUBLE,
        Typing::Text => Ty::TEXT,
        Typing::Bytes => Ty::BYTES,
        Typing::Date => Ty::DATE,
        Typing::Like(index) => types.ty(index),
        Typing::Merge(from) => types.merged(from),
        Typing::By(ty) => ty(&types),
    }
}

pub(super) fn cast_ty(cast: Cast) -> Ty {
    match cast {
        Cast::Signed => Ty::INT,
        Cast::Unsigned => Ty::UNSIGNED,
        Cast::Decimal { scale, .. } => Ty::decimal(scale),
        Cast::Double => Ty::new(TyKind::Double, NOT_FIXED),
        Cast::Char(_) => Ty::TEXT,
        Cast::Bytes(_) => Ty::BYTES,
        Cast::Date => Ty::DATE,
        Cast::Time(fraction) => Ty::new(TyKind::Time, fraction),
        Cast::DateTime(fraction) => Ty::new(TyKind::DateTime, fraction),
    }
}
