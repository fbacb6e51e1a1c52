//! From text to an expression: pest reads, a Pratt parser orders the operators, names are looked up.
//!
//! The text has passed [`super::scan`]. pest's own words and rule names stay in this file.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::LazyLock;

use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};
use pest::iterators::Pair;
use pest::pratt_parser::{Assoc, Op, PrattParser};

use super::ast::{Aggregate, Binary, Case, Cast, Is, Link, Node, Pattern, Piece, Sense, Unary};
use super::find::{FindSpec, parse_find};
use super::scan::{tokens_of, unknown_function, unknown_functions};
use super::sql::{Double, Int, Sql};
use super::{ExprError, time};
use crate::builtin::{Builtin, Call, Registry};
use crate::catalogue::expression;
use crate::decimal::Decimal;
use crate::diagnostic::Lang;
use crate::filter::Filter;
use crate::path::Path;

mod grammar {
    #![allow(missing_docs, reason = "generated from the grammar")]

    #[derive(pest_derive::Parser)]
    #[grammar = "expr/grammar.pest"]
    pub(super) struct Grammar;
}

use grammar::{Grammar, Rule};

/// Rule applications one parse may take. The largest expression that the scan lets pass needs a small part of it;
/// the limit is the last line of defence against a text that makes the grammar go back and forth.
const PARSER_CALLS: NonZeroUsize = NonZeroUsize::new(5_000_000).expect("not zero");

/// Bounds every later parse. The setting is the parser library's and holds for the whole process, so the
/// application calls this once, when it starts.
pub fn limit_parser_calls() {
    pest::set_call_limit(Some(PARSER_CALLS));
}

/// What was read, before it is checked.
pub(super) struct Parsed {
    pub(super) root: Node,
    pub(super) reads: Vec<(Path, Range<usize>)>,
    pub(super) filters: Vec<Vec<String>>,
    pub(super) lookups: Vec<FindSpec>,
    /// Each call with its name's place, in the order of the text.
    pub(super) calls: Vec<(&'static Builtin, usize, Range<usize>)>,
    pub(super) errors: Vec<ExprError>,
}

static PRATT: LazyLock<PrattParser<Rule>> = LazyLock::new(|| {
    let infix = |rule| Op::infix(rule, Assoc::Left);
    PrattParser::new()
        .op(infix(Rule::or))
        .op(infix(Rule::xor))
        .op(infix(Rule::and))
        .op(Op::prefix(Rule::not))
        .op(infix(Rule::eq)
            | infix(Rule::null_safe)
            | infix(Rule::ne)
            | infix(Rule::lt)
            | infix(Rule::le)
            | infix(Rule::gt)
            | infix(Rule::ge)
            | Op::postfix(Rule::is_tail))
        .op(Op::postfix(Rule::in_tail)
            | Op::postfix(Rule::between_tail)
            | Op::postfix(Rule::like_tail)
            | Op::postfix(Rule::regexp_tail))
        .op(infix(Rule::add) | infix(Rule::sub))
        .op(infix(Rule::mul) | infix(Rule::div) | infix(Rule::rem) | infix(Rule::int_div))
        .op(Op::prefix(Rule::minus) | Op::prefix(Rule::plus))
        .op(Op::prefix(Rule::bang))
});

/// Reads a text that has been scanned.
pub(super) fn parse(text: &str, registry: &Registry) -> Result<Parsed, Vec<ExprError>> {
    let mut pairs = match Grammar::parse(Rule::whole, text) {
        Ok(pairs) => pairs,
        Err(error) => {
            let mut errors = unknown_functions(text, registry);
            errors.push(unexpected(text, &error));
            errors.sort_by_key(|error| error.span.start);
            return Err(errors);
        }
    };
    let mut builder = Builder {
        registry,
        parsed: Parsed {
            root: Node::Const(Sql::Null),
            reads: Vec::new(),
            filters: Vec::new(),
            lookups: Vec::new(),
            calls: Vec::new(),
            errors: Vec::new(),
        },
    };
    if let Some(pair) = pairs.next() {
        builder.parsed.root = builder.expr(pair);
    }
    Ok(builder.parsed)
}

const A_VALUE: (&str, &str) = (
    "此处需要一个值:数字、'文本'、<<字段>> 或函数",
    "a value is needed here: a number, 'text', <<field>> or a function",
);
const AN_OPERATOR: (&str, &str) = (
    "此处需要运算符,或到此结束",
    "an operator is needed here, or nothing more",
);

/// What the grammar would have taken, in the author's words.
fn expected(rules: &[Rule]) -> (&'static str, &'static str) {
    let any = |wanted: &[Rule]| rules.iter().any(|rule| wanted.contains(rule));
    if any(&[
        Rule::number,
        Rule::text,
        Rule::field,
        Rule::call,
        Rule::case,
        Rule::name,
        Rule::primary,
        Rule::expr,
    ]) {
        return A_VALUE;
    }
    if any(&[Rule::kw_then]) {
        return ("此处需要 THEN", "THEN is needed here");
    }
    if any(&[
        Rule::kw_end,
        Rule::arm,
        Rule::otherwise,
        Rule::kw_when,
        Rule::kw_else,
    ]) {
        return ("此处需要 WHEN、ELSE 或 END", "WHEN, ELSE or END is needed here");
    }
    if any(&[Rule::unit]) {
        return ("INTERVAL 需要单位,例如 DAY", "INTERVAL needs a unit, such as DAY");
    }
    if any(&[Rule::type_name]) {
        return (
            "此处需要类型,例如 DECIMAL(10,2)",
            "a type is needed here, such as DECIMAL(10,2)",
        );
    }
    if any(&[Rule::kw_as]) {
        return (
            "CAST 写作 `CAST(值 AS 类型)`",
            "CAST is written `CAST(value AS type)`",
        );
    }
    AN_OPERATOR
}

fn unexpected(text: &str, error: &pest::error::Error<Rule>) -> ExprError {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    let rules = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => positives.as_slice(),
        ErrorVariant::CustomError { .. } => return ExprError::new(&expression::TOO_COMPLEX, 0..text.len()),
    };
    let (zh, en) = expected(rules);
    let tokens = tokens_of(text);
    let error = match tokens.iter().find(|token| token.span.end > at) {
        Some(token) => {
            let span = token.span.clone();
            ExprError::new(&expression::UNEXPECTED, span.clone()).with("found", &text[span])
        }
        None => {
            let last = tokens.last().map_or(0..text.len(), |token| token.span.clone());
            ExprError::new(&expression::ENDS_EARLY, last)
        }
    };
    error.with("expected_zh", zh).with("expected_en", en)
}

struct Builder<'r> {
    registry: &'r Registry,
    parsed: Parsed,
}

fn span(pair: &Pair<'_, Rule>) -> Range<usize> {
    pair.as_span().start()..pair.as_span().end()
}

impl Builder<'_> {
    fn expr(&mut self, pair: Pair<'_, Rule>) -> Node {
        // The Pratt parser calls back for operands and for operators; both need `self`.
        let builder = std::cell::RefCell::new(self);
        PRATT
            .map_primary(|pair| builder.borrow_mut().primary(pair))
            .map_prefix(|op, operand| prefix(&op, operand))
            .map_postfix(|operand, tail| builder.borrow_mut().tail(operand, tail))
            .map_infix(|left, op, right| infix(left, &op, right))
            .parse(pair.into_inner())
    }

    fn primary(&mut self, pair: Pair<'_, Rule>) -> Node {
        match pair.as_rule() {
            Rule::expr | Rule::arith => self.expr(pair),
            Rule::case => self.case(pair),
            Rule::cast | Rule::convert => self.cast(pair),
            Rule::interval => self.interval(pair),
            Rule::call => self.call(pair),
            Rule::now_word => self.now_word(&pair),
            Rule::field => self.field(pair),
            Rule::number => Node::Const(number(pair.as_str())),
            Rule::text => self.text(&pair),
            Rule::yes => Node::Const(Sql::bool(true)),
            Rule::no => Node::Const(Sql::bool(false)),
            Rule::find => self.find(&pair),
            _ => Node::Const(Sql::Null),
        }
    }

    fn exprs<'p>(&mut self, pairs: impl Iterator<Item = Pair<'p, Rule>>) -> Vec<Node> {
        pairs
            .filter(|pair| matches!(pair.as_rule(), Rule::expr | Rule::arith))
            .map(|pair| self.expr(pair))
            .collect()
    }

    fn tail(&mut self, operand: Node, tail: Pair<'_, Rule>) -> Node {
        let inner: Vec<Pair<'_, Rule>> = tail.clone().into_inner().collect();
        let has = |rule| inner.iter().any(|pair| pair.as_rule() == rule);
        let sense = if has(Rule::negated) {
            Sense::Negated
        } else {
            Sense::Plain
        };
        let operand = Box::new(operand);
        let escape = inner
            .iter()
            .find(|pair| pair.as_rule() == Rule::text)
            .and_then(|pair| unescape(inside(pair.as_str()).1, '\'', false).chars().next());
        let mut parts = self.exprs(inner.iter().cloned()).into_iter();
        let mut part = || parts.next().unwrap_or(Node::Const(Sql::Null));
        match tail.as_rule() {
            Rule::in_tail => Node::In(operand, parts.collect(), sense),
            Rule::between_tail => Node::Between(operand, Box::new((part(), part())), sense),
            Rule::like_tail => Node::Like(operand, Box::new(part()), escape.unwrap_or('\\'), sense),
            Rule::regexp_tail => Node::Regexp(operand, Pattern::Computed(Box::new(part())), sense),
            _ if has(Rule::null) => Node::Is(operand, Is::Null, sense),
            _ if has(Rule::yes) => Node::Is(operand, Is::True, sense),
            _ => Node::Is(operand, Is::False, sense),
        }
    }

    fn case(&mut self, pair: Pair<'_, Rule>) -> Node {
        let mut case = Case {
            subject: None,
            arms: Vec::new(),
            otherwise: None,
        };
        for part in pair.into_inner() {
            let rule = part.as_rule();
            let mut nodes = self.exprs(part.into_inner()).into_iter();
            match rule {
                Rule::subject => case.subject = nodes.next(),
                Rule::otherwise => case.otherwise = nodes.next(),
                _ => case.arms.extend(nodes.next().zip(nodes.next())),
            }
        }
        Node::Case(Box::new(case))
    }

    fn call(&mut self, pair: Pair<'_, Rule>) -> Node {
        let mut inner = pair.into_inner();
        let Some(name) = inner.next() else {
            return Node::Const(Sql::Null);
        };
        let index = self.parsed.calls.len();
        let builtin = self.registry.get(name.as_str());
        if let Some(builtin) = builtin {
            self.parsed.calls.push((builtin, 0, span(&name)));
        } else {
            self.parsed
                .errors
                .push(unknown_function(name.as_str(), span(&name), self.registry));
        }
        let args = self.exprs(inner);
        match builtin {
            Some(builtin) => {
                self.parsed.calls[index].1 = args.len();
                if matches!(builtin.call, Call::Aggregate(_)) {
                    return Node::Aggregate(Box::new(Aggregate {
                        builtin,
                        args,
                        distinct: false,
                        order: Vec::new(),
                    }));
                }
                Node::Call(builtin, args)
            }
            None => Node::Const(Sql::Null),
        }
    }

    fn now_word(&mut self, pair: &Pair<'_, Rule>) -> Node {
        match self.registry.get(pair.as_str()) {
            Some(builtin) => {
                self.parsed.calls.push((builtin, 0, span(pair)));
                Node::Call(builtin, Vec::new())
            }
            None => {
                self.parsed
                    .errors
                    .push(unknown_function(pair.as_str(), span(pair), self.registry));
                Node::Const(Sql::Null)
            }
        }
    }

    fn interval(&mut self, pair: Pair<'_, Rule>) -> Node {
        let mut inner = pair
            .into_inner()
            .filter(|part| part.as_rule() != Rule::kw_interval);
        let amount = inner
            .next()
            .map_or(Node::Const(Sql::Null), |amount| self.expr(amount));
        let unit = inner.next();
        let name = unit.as_ref().map_or("", |unit| unit.as_str());
        if time::interval(&Sql::int(1), name).is_none()
            && let Some(unit) = &unit
        {
            let error = ExprError::new(&expression::UNKNOWN_UNIT, span(unit)).with("name", name);
            self.parsed.errors.push(error.with("all", time::UNITS.join(", ")));
        }
        Node::Interval(Box::new(amount), name.to_ascii_uppercase())
    }

    fn cast(&mut self, pair: Pair<'_, Rule>) -> Node {
        let mut value = Node::Const(Sql::Null);
        // CONVERT(x USING utf8mb4) is text already.
        let mut cast = Cast::Char(None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::expr => value = self.expr(part),
                Rule::type_name => match cast_type(part.clone()) {
                    Some(known) => cast = known,
                    None => {
                        let error = ExprError::new(&expression::UNKNOWN_TYPE, span(&part));
                        self.parsed
                            .errors
                            .push(error.with("name", part.as_str()).with("all", CAST_TYPES));
                    }
                },
                _ => {}
            }
        }
        Node::Cast(Box::new(value), cast)
    }

    fn find(&mut self, pair: &Pair<'_, Rule>) -> Node {
        let word = "_findCollection".len();
        match parse_find(&pair.as_str()[word..]) {
            Ok(mut spec) => {
                let by = span(pair).start + word;
                spec.shift(by);
                spec.span = span(pair);
                self.parsed.lookups.push(spec);
                Node::Lookup(self.parsed.lookups.len() - 1)
            }
            Err(errors) => {
                let by = span(pair).start + word;
                self.parsed
                    .errors
                    .extend(errors.into_iter().map(|error| error.shifted(by)));
                Node::Const(Sql::Null)
            }
        }
    }

    fn field(&mut self, pair: Pair<'_, Rule>) -> Node {
        let mut pieces: Vec<Piece> = Vec::new();
        for part in pair.into_inner() {
            pieces.push(match part.as_rule() {
                Rule::placeholder => Piece::Slot(self.slot(part.as_str(), span(&part))),
                _ => Piece::Text(part.as_str().to_owned()),
            });
        }
        match pieces.as_slice() {
            [Piece::Slot(slot)] => Node::Field(*slot),
            _ => Node::Glued(pieces),
        }
    }

    /// Takes a whole placeholder apart and gives it a number.
    fn slot(&mut self, written: &str, at: Range<usize>) -> usize {
        let inner = &written[2..written.len() - 2];
        let mut parts = inner.split('|');
        let name = parts.next().unwrap_or("").trim();
        let path = Path::parse(name).unwrap_or_else(|error| {
            self.parsed.errors.push(
                ExprError::new(&expression::BAD_PATH, at.clone())
                    .with("what_zh", error.what.words(Lang::Zh))
                    .with("what_en", error.what.words(Lang::En)),
            );
            Path::names(["?"])
        });
        let filters: Vec<String> = parts.map(|filter| filter.trim().to_owned()).collect();
        for filter in filters.iter().filter(|filter| Filter::parse(filter).is_none()) {
            let all: Vec<&str> = Filter::names().collect();
            let error = ExprError::new(&expression::UNKNOWN_FILTER, at.clone()).with("name", filter);
            let similar = crate::diagnostic::did_you_mean(filter, all.iter().copied());
            self.parsed
                .errors
                .push(error.with("all", all.join(" ")).similar(similar));
        }
        self.parsed.reads.push((path, at));
        self.parsed.filters.push(filters);
        self.parsed.reads.len() - 1
    }

    /// Quoted text; its placeholders become pieces.
    fn text(&mut self, pair: &Pair<'_, Rule>) -> Node {
        let (quote, body) = inside(pair.as_str());
        let offset = span(pair).start + 1;
        let mut pieces = Vec::new();
        let (mut start, mut at) = (0, 0);
        while at < body.len() {
            let rest = &body[at..];
            let closing = match rest.as_bytes() {
                [b'{', b'{', ..] => "}}",
                [b'<', b'<', ..] => ">>",
                [b'\\', ..] => {
                    at += 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                    continue;
                }
                _ => {
                    at += rest.chars().next().map_or(1, char::len_utf8);
                    continue;
                }
            };
            let length = rest[2..].find(closing).map_or(rest.len(), |inner| inner + 4);
            if start < at {
                pieces.push(Piece::Text(unescape(&body[start..at], quote, true)));
            }
            let slot = self.slot(&rest[..length], offset + at..offset + at + length);
            pieces.push(Piece::Slot(slot));
            at += length;
            start = at;
        }
        if pieces.is_empty() {
            return Node::Const(Sql::text(unescape(body, quote, true)));
        }
        if start < body.len() {
            pieces.push(Piece::Text(unescape(&body[start..], quote, true)));
        }
        Node::Interpolated(pieces)
    }
}

/// The quote and what stands between the quotes.
fn inside(text: &str) -> (char, &str) {
    let quote = text.chars().next().unwrap_or('\'');
    (quote, text.get(1..text.len() - 1).unwrap_or(""))
}

/// Takes out doubled quotes and backslash escapes, as the server does. `\%` and `\_` keep their backslash: they
/// are for LIKE.
fn unescape(body: &str, quote: char, keep_like: bool) -> String {
    let mut text = String::with_capacity(body.len());
    let mut chars = body.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some('b') => text.push('\u{8}'),
                Some('0') => text.push('\0'),
                Some('Z') => text.push('\u{1a}'),
                Some(like @ ('%' | '_')) if keep_like => {
                    text.push('\\');
                    text.push(like);
                }
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            _ if char == quote => {
                text.push(quote);
                chars.next();
            }
            _ => text.push(char),
        }
    }
    text
}

/// A literal with an exponent is floating point, as on the server.
fn number(text: &str) -> Sql<'static> {
    if let Some(int) = text.parse::<i128>().ok().and_then(Int::literal) {
        return Sql::Int(int);
    }
    match Decimal::parse(text) {
        Some(number) => Sql::Decimal(number),
        None => match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Sql::Double(Double::new(value)),
            _ => Sql::Null,
        },
    }
}

fn prefix(op: &Pair<'_, Rule>, operand: Node) -> Node {
    let unary = match op.as_rule() {
        Rule::minus => Unary::Minus,
        Rule::plus => Unary::Plus,
        _ => Unary::Not,
    };
    Node::Unary(unary, Box::new(operand))
}

fn infix(left: Node, op: &Pair<'_, Rule>, right: Node) -> Node {
    let binary = match op.as_rule() {
        Rule::or => Binary::Or,
        Rule::xor => Binary::Xor,
        Rule::and => Binary::And,
        Rule::eq => Binary::Eq,
        Rule::null_safe => Binary::NullSafe,
        Rule::ne => Binary::Ne,
        Rule::lt => Binary::Lt,
        Rule::le => Binary::Le,
        Rule::gt => Binary::Gt,
        Rule::ge => Binary::Ge,
        Rule::add => Binary::Add,
        Rule::sub => Binary::Sub,
        Rule::mul => Binary::Mul,
        Rule::div => Binary::Div,
        Rule::rem => Binary::Rem,
        _ => Binary::IntDiv,
    };
    let link = Link {
        op: binary,
        right,
        span: span(op),
    };
    match left {
        Node::Chain(first, mut links) => {
            links.push(link);
            Node::Chain(first, links)
        }
        first => Node::Chain(Box::new(first), vec![link]),
    }
}

const CAST_TYPES: &str = "SIGNED, UNSIGNED, DECIMAL(m,n), DOUBLE, CHAR(n), DATE, DATETIME(n)";

fn cast_type(pair: Pair<'_, Rule>) -> Option<Cast> {
    let mut words = Vec::new();
    let mut sizes: Vec<usize> = Vec::new();
    let written = pair.as_str().to_ascii_uppercase();
    words.extend(written.split('(').next().unwrap_or("").split_whitespace());
    for size in pair.into_inner().filter(|part| part.as_rule() == Rule::size) {
        sizes.push(size.as_str().parse().ok()?);
    }
    let size = |index: usize, default: u8, most: u8| match sizes.get(index) {
        None => Some(default),
        Some(size) => u8::try_from(*size).ok().filter(|size| *size <= most),
    };
    Some(match (words.as_slice(), sizes.len()) {
        (["SIGNED"] | ["SIGNED", "INTEGER"] | ["INTEGER"], 0) => Cast::Signed,
        (["UNSIGNED"] | ["UNSIGNED", "INTEGER"], 0) => Cast::Unsigned,
        (["DECIMAL"], 0..=2) => Cast::Decimal {
            digits: size(0, 10, 65)?,
            scale: size(1, 0, 30)?,
        },
        (["DOUBLE"] | ["FLOAT"], 0) => Cast::Double,
        (["CHAR"], 0..=1) => Cast::Char(sizes.first().copied()),
        (["DATE"], 0) => Cast::Date,
        (["DATETIME"], 0..=1) => Cast::DateTime(size(0, 0, 6)?),
        _ => return None,
    })
}
