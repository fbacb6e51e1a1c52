//! From text to an expression: pest reads, a Pratt parser orders the operators, names are looked up.
//!
//! The text has passed [`super::scan`]. pest's own words and rule names stay in this file.

mod forms;
mod literal;

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::LazyLock;

use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};
use pest::iterators::Pair;
use pest::pratt_parser::{Assoc, Op, PrattParser};

use literal::{inside, number, unescape};

use super::ExprError;
use super::ast::{Binary, Case, Cast, Is, Link, Node, Pattern, Piece, Sense, Unary};
use super::find::{FindSpec, parse_find};
use super::scan::{MOST_PROBLEMS, tokens_of, unknown_functions};
use super::sql::Sql;
use crate::builtin::{Builtin, Registry};
use crate::catalogue::expression;
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

// How tightly operators bind, loosest first; a table in the tests holds what the server does. INTERVAL behind
// `+` and `-` is a tail: what follows its unit works on the result.
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
        .op(infix(Rule::bit_or))
        .op(infix(Rule::bit_and))
        .op(infix(Rule::shift_left) | infix(Rule::shift_right))
        .op(infix(Rule::add) | infix(Rule::sub) | Op::postfix(Rule::shift_tail))
        .op(infix(Rule::mul) | infix(Rule::div) | infix(Rule::rem) | infix(Rule::int_div))
        .op(infix(Rule::bit_xor))
        .op(Op::prefix(Rule::minus)
            | Op::prefix(Rule::plus)
            | Op::prefix(Rule::bang)
            | Op::prefix(Rule::invert)
            | Op::prefix(Rule::binary))
        .op(Op::postfix(Rule::arrow))
});

/// Reads a text that has been scanned.
pub(super) fn parse(text: &str, registry: &Registry) -> Result<Parsed, Vec<ExprError>> {
    let mut pairs = match Grammar::parse(Rule::whole, text) {
        Ok(pairs) => pairs,
        Err(error) => {
            let mut errors = unknown_functions(text, registry);
            errors.truncate(MOST_PROBLEMS - 1);
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

/// What the grammar would have taken, in the author's words. What only one form wants is said first.
fn expected(rules: &[Rule]) -> (&'static str, &'static str) {
    let any = |wanted: &[Rule]| rules.iter().any(|rule| wanted.contains(rule));
    if any(&[Rule::kw_in]) && !any(&[Rule::kw_is, Rule::in_tail]) {
        return (
            "POSITION 写作 `POSITION(甲 IN 乙)`",
            "POSITION is written `POSITION(a IN b)`",
        );
    }
    if any(&[Rule::kw_and]) && !any(&[Rule::and]) {
        return (
            "BETWEEN 写作 `值 BETWEEN 下限 AND 上限`",
            "BETWEEN is written `value BETWEEN low AND high`",
        );
    }
    if any(&[Rule::kw_from]) {
        return ("此处需要 FROM", "FROM is needed here");
    }
    if rules == [Rule::text] {
        return ("此处需要引号内的文本", "a quoted text is needed here");
    }
    if any(&[
        Rule::number,
        Rule::field,
        Rule::call,
        Rule::case,
        Rule::name,
        Rule::primary,
        Rule::expr,
    ]) {
        return A_VALUE;
    }
    if any(&[Rule::unknown]) {
        return (
            "IS 后面写 NULL、TRUE、FALSE 或 UNKNOWN",
            "behind IS stands NULL, TRUE, FALSE or UNKNOWN",
        );
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
        return (
            "此处需要时间单位,例如 DAY(不加引号)",
            "a unit of time is needed here, such as DAY, without quotes",
        );
    }
    if any(&[Rule::type_name, Rule::type_word]) {
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
    let tokens = tokens_of(text);
    let token = tokens.iter().find(|token| token.span.end > at);
    let (zh, en) = match token.map(|token| &text[token.span.clone()]) {
        Some(word) if word.eq_ignore_ascii_case("in") => (
            "IN 后面写括号里的列表:`IN (1, 2)`",
            "IN is followed by a list in parentheses: `IN (1, 2)`",
        ),
        _ => expected(rules),
    };
    let error = match token {
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
            Rule::expr | Rule::arith | Rule::bound => self.expr(pair),
            Rule::case => self.case(pair),
            Rule::cast | Rule::convert => self.cast(pair),
            Rule::interval => self.interval(pair),
            Rule::call => self.call(pair),
            Rule::trim => self.trim(pair),
            Rule::substring => self.substring(pair),
            Rule::extract | Rule::stamp => self.with_unit(pair),
            Rule::position => self.position(pair),
            Rule::literal => self.time_literal(pair),
            Rule::quoted => self.quoted(pair),
            Rule::bits_literal => self.bits_literal(&pair),
            Rule::now_word => self.made(pair.as_str(), span(&pair), Vec::new()),
            Rule::field => self.field(pair),
            Rule::number => Node::Const(number(pair.as_str())),
            Rule::texts => self.texts(pair),
            Rule::yes => Node::Truth(true),
            Rule::no => Node::Truth(false),
            Rule::find => self.find(&pair),
            _ => Node::Const(Sql::Null),
        }
    }

    fn exprs<'p>(&mut self, pairs: impl Iterator<Item = Pair<'p, Rule>>) -> Vec<Node> {
        pairs
            .filter(|pair| matches!(pair.as_rule(), Rule::expr | Rule::arith | Rule::bound))
            .map(|pair| self.expr(pair))
            .collect()
    }

    fn tail(&mut self, operand: Node, tail: Pair<'_, Rule>) -> Node {
        let rule = tail.as_rule();
        if rule == Rule::shift_tail {
            return self.shift(operand, tail);
        }
        if rule == Rule::arrow {
            return self.arrow(operand, tail);
        }
        let (mut sense, mut escape, mut is) = (Sense::Plain, '\\', Is::Null);
        let mut parts = Vec::new();
        for part in tail.into_inner() {
            match part.as_rule() {
                Rule::negated => sense = Sense::Negated,
                Rule::yes => is = Is::True,
                Rule::no => is = Is::False,
                Rule::text => escape = self.escape(&part),
                Rule::expr | Rule::arith | Rule::bound => parts.push(self.expr(part)),
                _ => {}
            }
        }
        let operand = Box::new(operand);
        let mut parts = parts.into_iter();
        let mut part = || parts.next().unwrap_or(Node::Const(Sql::Null));
        match rule {
            Rule::in_tail => Node::In(operand, parts.collect(), sense),
            Rule::between_tail => Node::Between(operand, Box::new((part(), part())), sense),
            Rule::like_tail => Node::Like(operand, Box::new(part()), escape, sense),
            Rule::regexp_tail => Node::Regexp(operand, Pattern::Computed(Box::new(part())), sense),
            _ => Node::Is(operand, is, sense),
        }
    }

    /// The character behind ESCAPE; empty text is the backslash, as on the server.
    fn escape(&mut self, pair: &Pair<'_, Rule>) -> char {
        let (quote, body) = inside(pair.as_str());
        let text = unescape(body, quote, false);
        if text.chars().nth(1).is_some() {
            self.wrong_literal(
                span(pair),
                ("ESCAPE 只能是一个字符", "ESCAPE takes one character"),
            );
        }
        text.chars().next().unwrap_or('\\')
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

    /// Quoted texts one behind the other; their placeholders become pieces.
    fn texts(&mut self, pair: Pair<'_, Rule>) -> Node {
        let mut pieces = Vec::new();
        for text in pair.into_inner() {
            self.pieces(&text, &mut pieces);
        }
        if pieces.iter().all(|piece| piece.slot().is_none()) {
            let texts = pieces.into_iter().map(|piece| match piece {
                Piece::Text(text) => text,
                Piece::Slot(_) => String::new(),
            });
            return Node::Const(Sql::text(texts.collect::<String>()));
        }
        Node::Interpolated(pieces)
    }

    fn pieces(&mut self, pair: &Pair<'_, Rule>, pieces: &mut Vec<Piece>) {
        let (quote, body) = inside(pair.as_str());
        let offset = span(pair).start + 1;
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
        if start < body.len() {
            pieces.push(Piece::Text(unescape(&body[start..], quote, true)));
        }
    }
}

fn prefix(op: &Pair<'_, Rule>, operand: Node) -> Node {
    let unary = match op.as_rule() {
        Rule::binary => return Node::Cast(Box::new(operand), Cast::Bytes(None)),
        Rule::minus => Unary::Minus,
        Rule::plus => Unary::Plus,
        Rule::invert => Unary::Invert,
        _ => Unary::Not,
    };
    let operand = match unary {
        Unary::Minus | Unary::Invert => forms::counted(operand),
        _ => operand,
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
        Rule::bit_or => Binary::BitOr,
        Rule::bit_and => Binary::BitAnd,
        Rule::bit_xor => Binary::BitXor,
        Rule::shift_left => Binary::ShiftLeft,
        Rule::shift_right => Binary::ShiftRight,
        _ => Binary::IntDiv,
    };
    let (left, right) = forms::beside(binary, left, right);
    match left {
        // `- INTERVAL 1 DAY + t` is `t - INTERVAL 1 DAY`.
        Node::Unary(Unary::Minus, interval)
            if binary == Binary::Add && matches!(*interval, Node::Interval(..)) =>
        {
            chained(right, Binary::Sub, *interval, span(op))
        }
        left => chained(left, binary, right, span(op)),
    }
}

fn chained(left: Node, op: Binary, right: Node, span: Range<usize>) -> Node {
    let link = Link { op, right, span };
    match left {
        Node::Chain(first, mut links) => {
            links.push(link);
            Node::Chain(first, links)
        }
        first => Node::Chain(Box::new(first), vec![link]),
    }
}
