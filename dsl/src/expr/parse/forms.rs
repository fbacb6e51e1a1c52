//! Spellings of their own become ordinary calls and casts: `TRIM(LEADING x FROM y)` is `TRIM(y, x, 'LEADING')`,
//! `EXTRACT(DAY FROM t)` is `EXTRACT('DAY', t)`, `a->'$.b'` is `JSON_EXTRACT(a, '$.b')`.
//!
//! The evaluator knows only what stands in `ast.rs`; what has a keyword among its arguments ends here.

use std::ops::Range;

use pest::iterators::Pair;

use super::grammar::Rule;
use super::{Builder, chained, inside, literal, span, unescape};
use crate::builtin::{Builtin, Call, Type};
use crate::catalogue::expression;
use crate::expr::ExprError;
use crate::expr::ast::{Aggregate, Binary, Cast, Node, Piece, Unary};
use crate::expr::scan::{MOST_PROBLEMS, unknown_function};
use crate::expr::sql::Sql;
use crate::expr::time::{self, UNITS};

/// How many of [`UNITS`] are a single unit, which is all that TIMESTAMPDIFF and TIMESTAMPADD take.
const SINGLE: usize = 9;

/// Types of CAST and CONVERT.
const CAST_TYPES: &str =
    "SIGNED, UNSIGNED, DECIMAL(m,n), DOUBLE, CHAR(n), BINARY(n), DATE, TIME(n), DATETIME(n)";
/// Character sets whose characters are all those a text here may have.
const CHARSETS: &[&str] = &["utf8mb4", "utf8", "utf8mb3"];

fn null() -> Node {
    Node::Const(Sql::Null)
}

fn constant(text: &str) -> Node {
    Node::Const(Sql::text(text.to_owned()))
}

fn inner(pair: Pair<'_, Rule>) -> impl Iterator<Item = Pair<'_, Rule>> {
    pair.into_inner()
}

fn is_expr(pair: &Pair<'_, Rule>) -> bool {
    matches!(pair.as_rule(), Rule::expr | Rule::arith | Rule::bound)
}

impl Builder<'_> {
    /// A call with its arguments; a name that is none becomes an error and NULL.
    pub(super) fn made(&mut self, name: &str, at: Range<usize>, args: Vec<Node>) -> Node {
        let Some(builtin) = self.known(name, &at) else {
            return null();
        };
        self.parsed.calls.push((builtin, args.len(), at));
        called(builtin, args)
    }

    fn known(&mut self, name: &str, at: &Range<usize>) -> Option<&'static Builtin> {
        let builtin = self.registry.get(name);
        // Looking for names that are near takes time.
        if builtin.is_none() && self.parsed.errors.len() < MOST_PROBLEMS {
            let error = unknown_function(name, at.clone(), self.registry);
            self.parsed.errors.push(error);
        }
        builtin
    }

    pub(super) fn wrong_literal(&mut self, at: Range<usize>, (zh, en): (&str, &str)) {
        let error = ExprError::new(&expression::BAD_LITERAL, at);
        self.parsed
            .errors
            .push(error.with("what_zh", zh).with("what_en", en));
    }

    pub(super) fn call(&mut self, pair: Pair<'_, Rule>) -> Node {
        let mut parts = inner(pair);
        let Some(name) = parts.next() else {
            return null();
        };
        let builtin = self.known(name.as_str(), &span(&name));
        let index = self.parsed.calls.len();
        if let Some(builtin) = builtin {
            self.parsed.calls.push((builtin, 0, span(&name)));
        }
        let (mut args, mut order, mut distinct, mut separator) = (Vec::new(), Vec::new(), false, None);
        let mut lines_only: Option<Range<usize>> = None;
        for part in parts {
            match part.as_rule() {
                Rule::quantity => {
                    lines_only.get_or_insert(span(&part));
                    distinct = part.as_str().eq_ignore_ascii_case("distinct");
                }
                Rule::order => {
                    lines_only.get_or_insert(span(&part));
                    for by in inner(part) {
                        let descending = inner(by.clone()).any(|part| {
                            part.as_rule() == Rule::direction && part.as_str().eq_ignore_ascii_case("desc")
                        });
                        let by = self.exprs(inner(by)).pop().unwrap_or_else(null);
                        order.push((by, descending));
                    }
                }
                Rule::separator => {
                    lines_only.get_or_insert(span(&part));
                    let text = inner(part).find(|part| part.as_rule() == Rule::text);
                    separator = text.map(|text| {
                        let (quote, body) = inside(text.as_str());
                        Node::Const(Sql::text(unescape(body, quote, false)))
                    });
                }
                _ => args.push(self.expr(part)),
            }
        }
        let Some(builtin) = builtin else {
            return null();
        };
        let over_lines = matches!(builtin.call, Call::Aggregate(_));
        let joins = builtin.name == "GROUP_CONCAT";
        if let Some(at) = lines_only
            && !(over_lines && (joins || order.is_empty() && separator.is_none()))
        {
            let error = ExprError::new(&expression::LINES_ONLY, at).with("name", builtin.name);
            self.parsed
                .errors
                .push(error.with("signature", builtin.signature()));
        }
        if joins {
            // Several arguments are written one behind the other.
            if args.len() > 1
                && let Some(concat) = self.registry.get("CONCAT")
            {
                args = vec![Node::Call(concat, args)];
            }
            args.extend(separator);
        }
        self.parsed.calls[index].1 = args.len();
        match over_lines {
            true => Node::Aggregate(Box::new(Aggregate {
                builtin,
                args,
                distinct,
                order,
            })),
            false => Node::Call(builtin, args),
        }
    }

    /// `TRIM([LEADING|TRAILING|BOTH] [x] FROM y)` and `TRIM(y)`.
    pub(super) fn trim(&mut self, pair: Pair<'_, Rule>) -> Node {
        let mut parts = inner(pair);
        let Some(name) = parts.next() else {
            return null();
        };
        let (mut side, mut from, mut values) = (None, None, Vec::new());
        for part in parts {
            match part.as_rule() {
                Rule::side => side = Some(part.as_str().to_ascii_uppercase()),
                Rule::kw_from => from = Some(values.len()),
                _ => values.push(self.expr(part)),
            }
        }
        let at = span(&name);
        if values.len() > 1 && from.is_none() {
            let Some(builtin) = self.known("TRIM", &at) else {
                return null();
            };
            let error = ExprError::new(&expression::ARITY, at).with("name", builtin.name);
            self.parsed.errors.push(
                error
                    .with("want", 1)
                    .with("count", values.len())
                    .with("signature", "TRIM([[LEADING | TRAILING | BOTH] [x] FROM] text)"),
            );
            return null();
        }
        let Some(text) = values.pop() else {
            return self.made("TRIM", at, Vec::new());
        };
        let args = match (from, side) {
            (None, _) => vec![text],
            (Some(_), side) => {
                let what = values.pop().unwrap_or_else(|| constant(" "));
                vec![text, what, constant(side.as_deref().unwrap_or("BOTH"))]
            }
        };
        self.made("TRIM", at, args)
    }

    /// `SUBSTRING(x FROM n FOR m)` and `SUBSTRING(x, n, m)`.
    pub(super) fn substring(&mut self, pair: Pair<'_, Rule>) -> Node {
        let mut parts = inner(pair);
        let Some(name) = parts.next() else {
            return null();
        };
        let mut args = Vec::new();
        for part in parts {
            match is_expr(&part) {
                true => args.push(self.expr(part)),
                false => args.extend(self.exprs(inner(part))),
            }
        }
        self.made(name.as_str(), span(&name), args)
    }

    /// `POSITION(a IN b)` is `LOCATE(a, b)`.
    pub(super) fn position(&mut self, pair: Pair<'_, Rule>) -> Node {
        let mut parts = inner(pair);
        let at = parts.next().map_or(0..0, |name| span(&name));
        let args = self.exprs(parts);
        self.made("LOCATE", at, args)
    }

    /// `EXTRACT(unit FROM t)`, `TIMESTAMPDIFF(unit, a, b)`: the unit becomes the first argument.
    pub(super) fn with_unit(&mut self, pair: Pair<'_, Rule>) -> Node {
        let all = if pair.as_rule() == Rule::extract {
            UNITS
        } else {
            &UNITS[..SINGLE]
        };
        let mut parts = inner(pair);
        let (Some(name), Some(unit)) = (parts.next(), parts.next()) else {
            return null();
        };
        let unit = self.unit(&unit, all);
        let mut args = vec![constant(&unit)];
        args.extend(self.exprs(parts));
        self.made(name.as_str(), span(&name), args)
    }

    /// The unit in capitals, `SQL_TSI_DAY` as `DAY`.
    fn unit(&mut self, pair: &Pair<'_, Rule>, all: &[&str]) -> String {
        let written = pair.as_str().to_ascii_uppercase();
        let unit = written.strip_prefix("SQL_TSI_").unwrap_or(&written);
        if !all.contains(&unit) {
            let similar = crate::diagnostic::did_you_mean(unit, all.iter().copied());
            let some = match all.len() > SINGLE {
                true => format!("{}, DAY_HOUR, YEAR_MONTH …", UNITS[..SINGLE].join(", ")),
                false => all.join(", "),
            };
            let error = ExprError::new(&expression::UNKNOWN_UNIT, span(pair)).with("name", pair.as_str());
            self.parsed.errors.push(error.with("all", some).similar(similar));
        }
        unit.to_owned()
    }

    pub(super) fn interval(&mut self, pair: Pair<'_, Rule>) -> Node {
        let mut amount = null();
        let mut name = String::new();
        for part in inner(pair) {
            match part.as_rule() {
                Rule::expr => amount = self.expr(part),
                Rule::unit => name = self.unit(&part, UNITS),
                _ => {}
            }
        }
        Node::Interval(Box::new(amount), name)
    }

    /// `t + INTERVAL 1 DAY`
    pub(super) fn shift(&mut self, operand: Node, tail: Pair<'_, Rule>) -> Node {
        let (mut op, mut at, mut interval) = (Binary::Add, 0..0, null());
        for part in inner(tail) {
            match part.as_rule() {
                Rule::interval => interval = self.interval(part),
                rule => {
                    at = span(&part);
                    if rule == Rule::sub {
                        op = Binary::Sub;
                    }
                }
            }
        }
        chained(operand, op, interval, at)
    }

    /// `a->'$.b'` and `a->>'$.b'`.
    pub(super) fn arrow(&mut self, operand: Node, tail: Pair<'_, Rule>) -> Node {
        let (mut text, mut at, mut path) = (false, span(&tail), null());
        for part in inner(tail) {
            match part.as_rule() {
                Rule::texts => path = self.texts(part),
                rule => {
                    text = rule == Rule::arrow_text;
                    at = span(&part);
                }
            }
        }
        let found = self.made("JSON_EXTRACT", at.clone(), vec![operand, path]);
        match text {
            true => self.made("JSON_UNQUOTE", at, vec![found]),
            false => found,
        }
    }

    pub(super) fn cast(&mut self, pair: Pair<'_, Rule>) -> Node {
        let mut value = null();
        let mut cast = Cast::Char(None);
        for part in inner(pair) {
            match part.as_rule() {
                Rule::expr => value = self.expr(part),
                Rule::charset if part.as_str().eq_ignore_ascii_case("binary") => cast = Cast::Bytes(None),
                Rule::charset => self.charset(&part),
                Rule::type_name => {
                    if let Some(charset) = inner(part.clone()).find(|part| part.as_rule() == Rule::charset) {
                        self.charset(&charset);
                    }
                    match cast_type(part.clone()) {
                        Some(known) => cast = known,
                        None => {
                            let error = ExprError::new(&expression::UNKNOWN_TYPE, span(&part));
                            self.parsed
                                .errors
                                .push(error.with("name", part.as_str()).with("all", CAST_TYPES));
                        }
                    }
                }
                _ => {}
            }
        }
        Node::Cast(Box::new(value), cast)
    }

    fn charset(&mut self, pair: &Pair<'_, Rule>) {
        let name = pair.as_str();
        if !CHARSETS.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            let error = ExprError::new(&expression::UNKNOWN_TYPE, span(pair)).with("name", name);
            self.parsed
                .errors
                .push(error.with("all", format!("{}, binary", CHARSETS.join(", "))));
        }
    }

    /// `DATE'2023-01-02'`
    pub(super) fn time_literal(&mut self, pair: Pair<'_, Rule>) -> Node {
        let mut parts = inner(pair.clone());
        let (Some(name), Some(text)) = (parts.next(), parts.next()) else {
            return null();
        };
        let kind = name.as_str().to_ascii_uppercase();
        let mut pieces = Vec::new();
        self.pieces(&text, &mut pieces);
        let written = match pieces.as_slice() {
            [] => "",
            [Piece::Text(text)] => text,
            _ => {
                // What it will be is known with the record only; a DATETIME keeps all its digits then.
                let cast = to_time(&kind, 6);
                return Node::Cast(Box::new(Node::Interpolated(pieces)), cast);
            }
        };
        let fraction = literal::fraction_of(&kind, written).unwrap_or_else(|| {
            let (zh, en) = (format!("不是 {kind}"), format!("this is no {kind}"));
            self.wrong_literal(span(&text), (&zh, &en));
            0
        });
        let value = Sql::text(written.to_owned());
        let zone = &jiff::tz::TimeZone::UTC;
        let known = match kind.as_str() {
            "DATE" => time::to_datetime(&value, zone).map(|at| Sql::Date(at.date)),
            "TIME" => time::to_time(&value, zone).map(|at| Sql::Time(at.with_fraction(fraction))),
            _ => time::to_datetime(&value, zone).map(|at| Sql::DateTime(at.with_fraction(fraction))),
        };
        Node::Const(known.unwrap_or(Sql::Null))
    }

    /// `x'41'`, `b'101'`, `N'text'`
    pub(super) fn quoted(&mut self, pair: Pair<'_, Rule>) -> Node {
        let mut parts = inner(pair.clone());
        let (Some(sort), Some(text)) = (parts.next(), parts.next()) else {
            return null();
        };
        let (_, body) = inside(text.as_str());
        let (bytes, (zh, en)) = match sort.as_str() {
            "x" | "X" => (
                literal::hex(body).filter(|_| body.len() % 2 == 0),
                (
                    "x'…' 里是成对的十六进制数字",
                    "x'…' holds pairs of hexadecimal digits",
                ),
            ),
            "b" | "B" => (
                literal::bits(body),
                ("b'…' 里只有 0 和 1", "b'…' holds 0 and 1 only"),
            ),
            _ => {
                let mut pieces = Vec::new();
                self.pieces(&text, &mut pieces);
                return Node::Interpolated(pieces);
            }
        };
        let Some(bytes) = bytes else {
            self.wrong_literal(span(&pair), (zh, en));
            return null();
        };
        let bytes = Node::Const(Sql::bytes(bytes));
        match sort.as_str() {
            "x" | "X" => bytes,
            _ => hybrid(bytes),
        }
    }

    /// `0x41`, `0b101`
    pub(super) fn bits_literal(&mut self, pair: &Pair<'_, Rule>) -> Node {
        let (mark, digits) = pair.as_str().split_at(2);
        let bytes = match mark {
            "0x" => literal::hex(digits),
            _ => literal::bits(digits),
        };
        hybrid(Node::Const(Sql::bytes(bytes.unwrap_or_default())))
    }
}

fn called(builtin: &'static Builtin, args: Vec<Node>) -> Node {
    match builtin.call {
        Call::Aggregate(_) => Node::Aggregate(Box::new(Aggregate {
            builtin,
            args,
            distinct: false,
            order: Vec::new(),
        })),
        _ => Node::Call(builtin, args),
    }
}

fn to_time(kind: &str, fraction: u8) -> Cast {
    match kind {
        "DATE" => Cast::Date,
        "TIME" => Cast::Time(fraction),
        _ => Cast::DateTime(fraction),
    }
}

/// Bytes that are a number beside numbers carry a plus sign, which does nothing else.
fn hybrid(bytes: Node) -> Node {
    Node::Unary(Unary::Plus, Box::new(bytes))
}

/// An operand of arithmetic: `0x41` is 65.
pub(super) fn counted(node: Node) -> Node {
    if let Node::Unary(Unary::Plus, inner) = &node
        && let Node::Const(Sql::Bytes(bytes)) = &**inner
        && let Some(number) = literal::as_number(bytes)
    {
        return Node::Const(number);
    }
    node
}

/// The operands of an operator: in arithmetic, and compared with a number, `0x41` is 65.
pub(super) fn beside(op: Binary, left: Node, right: Node) -> (Node, Node) {
    use Binary::{And, Eq, Ge, Gt, Le, Lt, Ne, NullSafe, Or, Xor};
    match op {
        And | Or | Xor => (left, right),
        Eq | Ne | Lt | Le | Gt | Ge | NullSafe => match (is_number(&left), is_number(&right)) {
            (false, true) => (counted(left), right),
            (true, false) => (left, counted(right)),
            _ => (left, right),
        },
        _ => (counted(left), counted(right)),
    }
}

/// Whether a node is a number by what it is, whatever its values are.
fn is_number(node: &Node) -> bool {
    match node {
        Node::Const(value) => matches!(value, Sql::Int(_) | Sql::Decimal(_) | Sql::Double(_)),
        Node::Unary(Unary::Plus, inner) => is_number(inner),
        Node::Unary(..)
        | Node::Truth(_)
        | Node::Is(..)
        | Node::In(..)
        | Node::Between(..)
        | Node::Like(..)
        | Node::Regexp(..) => true,
        Node::Chain(first, links) => {
            let interval = |node: &Node| matches!(node, Node::Interval(..));
            !interval(first) && !links.iter().any(|link| interval(&link.right))
        }
        Node::Call(builtin, _) => matches!(builtin.returns, Type::Number | Type::Integer | Type::Bool),
        Node::Cast(_, to) => matches!(
            to,
            Cast::Signed | Cast::Unsigned | Cast::Decimal { .. } | Cast::Double
        ),
        _ => false,
    }
}

fn cast_type(pair: Pair<'_, Rule>) -> Option<Cast> {
    let mut words: Vec<String> = Vec::new();
    let mut sizes: Vec<usize> = Vec::new();
    for part in inner(pair) {
        match part.as_rule() {
            Rule::type_word => words.push(part.as_str().to_ascii_uppercase()),
            Rule::size => sizes.push(part.as_str().parse().ok()?),
            _ => {}
        }
    }
    let size = |index: usize, default: u8, most: u8| match sizes.get(index) {
        None => Some(default),
        Some(size) => u8::try_from(*size).ok().filter(|size| *size <= most),
    };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Some(match (words.as_slice(), sizes.len()) {
        (["SIGNED"] | ["SIGNED", "INTEGER" | "INT"] | ["INTEGER" | "INT"], 0) => Cast::Signed,
        (["UNSIGNED"] | ["UNSIGNED", "INTEGER" | "INT"], 0) => Cast::Unsigned,
        (["DECIMAL" | "DEC"], 0..=2) => {
            let (digits, scale) = (size(0, 10, 65)?, size(1, 0, 30)?);
            // DECIMAL(0) is DECIMAL(10), as on the server.
            let digits = if digits == 0 { 10 } else { digits };
            (scale <= digits).then_some(Cast::Decimal { digits, scale })?
        }
        (["DOUBLE"], 0) => Cast::Double,
        (["CHAR" | "NCHAR" | "VARCHAR"], 0..=1) => Cast::Char(sizes.first().copied()),
        (["BINARY"], 0..=1) => Cast::Bytes(sizes.first().copied()),
        (["DATE"], 0) => Cast::Date,
        (["TIME"], 0..=1) => Cast::Time(size(0, 0, 6)?),
        (["DATETIME"], 0..=1) => Cast::DateTime(size(0, 0, 6)?),
        _ => return None,
    })
}
