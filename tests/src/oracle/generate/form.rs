//! Operators, and what has a syntax of its own.

use super::super::node::{Node, Shape, quoted};
use super::leaf::{LONG_AMOUNTS, LONG_UNITS, UNITS};
use super::{Family, Making, Want};

/// One operator or form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    IntDiv,
    Bits,
    Invert,
    Negate,
    Compare,
    Logic,
    Not,
    Is,
    In,
    Between,
    Like,
    Regexp,
    SearchedCase,
    SimpleCase,
    ToInteger,
    ToDecimal,
    ToDouble,
    ToChar,
    ToTime,
    Convert,
    Using,
    PlusInterval,
    MinusInterval,
    DistinctLines,
    GroupConcat,
    TrimSide,
    Extract,
    Position,
    UnitFunction,
    Arrow,
    TimeLiteral,
    Adjacent,
    HexLiteral,
    Binary,
    ToClock,
    ToBinary,
}

impl Form {
    pub(super) const ALL: &'static [Form] = &[
        Form::Add,
        Form::Sub,
        Form::Mul,
        Form::Div,
        Form::Rem,
        Form::IntDiv,
        Form::Bits,
        Form::Invert,
        Form::Negate,
        Form::Compare,
        Form::Logic,
        Form::Not,
        Form::Is,
        Form::In,
        Form::Between,
        Form::Like,
        Form::Regexp,
        Form::SearchedCase,
        Form::SimpleCase,
        Form::ToInteger,
        Form::ToDecimal,
        Form::ToDouble,
        Form::ToChar,
        Form::ToTime,
        Form::Convert,
        Form::Using,
        Form::PlusInterval,
        Form::MinusInterval,
        Form::DistinctLines,
        Form::GroupConcat,
        Form::TrimSide,
        Form::Extract,
        Form::Position,
        Form::UnitFunction,
        Form::Arrow,
        Form::TimeLiteral,
        Form::Adjacent,
        Form::HexLiteral,
        Form::Binary,
        Form::ToClock,
        Form::ToBinary,
    ];

    /// A text that compiles where the form is known.
    pub(super) fn probe(self) -> &'static str {
        match self {
            Form::Bits => "1 & 2",
            Form::Invert => "~1",
            Form::Using => "CONVERT('a' USING utf8mb4)",
            Form::DistinctLines => "SUM(DISTINCT <<lines.q0>>)",
            Form::GroupConcat => "GROUP_CONCAT(DISTINCT <<lines.q0>> SEPARATOR ';')",
            Form::TrimSide => "TRIM(LEADING 'a' FROM 'abc')",
            Form::Extract => "EXTRACT(DAY FROM '2023-01-01')",
            Form::Position => "POSITION('a' IN 'abc')",
            Form::UnitFunction => "TIMESTAMPDIFF(DAY, '2023-01-01', '2023-01-02')",
            Form::Arrow => "<<a>>->'$.a'",
            Form::TimeLiteral => "DATE'2023-01-01'",
            Form::Adjacent => "'a' 'b'",
            Form::HexLiteral => "0x41",
            Form::Binary => "BINARY 'a'",
            Form::ToClock => "CAST('10:00:00' AS TIME)",
            Form::ToBinary => "CAST('a' AS BINARY)",
            _ => "1",
        }
    }

    pub(super) fn families(self) -> &'static [Family] {
        match self {
            Form::Add
            | Form::Sub
            | Form::Mul
            | Form::Div
            | Form::Rem
            | Form::IntDiv
            | Form::Negate
            | Form::Bits
            | Form::Invert => &[Family::Numeric],
            Form::Compare | Form::In | Form::Between => &[Family::Numeric, Family::Flow],
            Form::Logic | Form::Not | Form::Is | Form::SearchedCase | Form::SimpleCase => &[Family::Flow],
            Form::Like | Form::Regexp | Form::TrimSide | Form::Position | Form::Adjacent => &[Family::Text],
            Form::ToInteger
            | Form::ToDecimal
            | Form::ToDouble
            | Form::ToChar
            | Form::Convert
            | Form::Using => &[Family::Cast],
            Form::HexLiteral | Form::Binary | Form::ToBinary => &[Family::Cast, Family::Text],
            Form::ToTime | Form::ToClock => &[Family::Cast, Family::Time],
            Form::PlusInterval
            | Form::MinusInterval
            | Form::Extract
            | Form::UnitFunction
            | Form::TimeLiteral => &[Family::Time],
            Form::DistinctLines | Form::GroupConcat => &[Family::Lines],
            Form::Arrow => &[Family::Json],
        }
    }

    pub(super) fn gives(self) -> Want {
        match self {
            Form::Add
            | Form::Sub
            | Form::Mul
            | Form::Div
            | Form::Rem
            | Form::Negate
            | Form::DistinctLines => Want::Number,
            Form::Bits | Form::Invert | Form::IntDiv | Form::ToInteger | Form::Extract | Form::Position => {
                Want::Integer
            }
            Form::Compare
            | Form::Logic
            | Form::Not
            | Form::Is
            | Form::In
            | Form::Between
            | Form::Like
            | Form::Regexp => Want::Bool,
            Form::SearchedCase | Form::SimpleCase | Form::Convert | Form::UnitFunction => Want::Any,
            Form::ToDecimal => Want::Decimal,
            Form::ToDouble => Want::Double,
            Form::ToTime | Form::ToClock | Form::PlusInterval | Form::MinusInterval | Form::TimeLiteral => {
                Want::Temporal
            }
            Form::ToChar
            | Form::Using
            | Form::GroupConcat
            | Form::TrimSide
            | Form::Arrow
            | Form::Adjacent
            | Form::HexLiteral
            | Form::Binary
            | Form::ToBinary => Want::Text,
        }
    }

    pub(super) fn make(self, making: &mut Making<'_>, depth: u32) -> Node {
        match self {
            Form::Add => infix(making, "+", [Want::Number, Want::Number], depth),
            Form::Sub => infix(making, "-", [Want::Number, Want::Number], depth),
            Form::Mul => infix(making, "*", [Want::Number, Want::Number], depth),
            Form::Div => infix(making, "/", [Want::Number, Want::Number], depth),
            Form::Rem => {
                let sign = making.rng.pick(&["%", "MOD"]);
                infix(making, sign, [Want::Number, Want::Number], depth)
            }
            Form::IntDiv => infix(making, "DIV", [Want::Number, Want::Number], depth),
            Form::Bits => {
                let sign = making.rng.pick(&["&", "|", "^", "<<", ">>"]);
                infix(making, sign, [Want::Integer, Want::Integer], depth)
            }
            Form::Invert => {
                let kid = making.operand(Want::Integer, depth);
                wrap(making, "~", "~", kid, "")
            }
            Form::Negate => {
                let kid = making.operand(Want::Number, depth);
                let (open, close) = parens(making, &kid);
                Node::build("-x", vec![format!("-{open}"), close.to_owned()], vec![kid])
            }
            Form::Compare => {
                let sign = making
                    .rng
                    .pick(&["=", "=", "<>", "!=", "<", "<=", ">", ">=", "<=>"]);
                let wants = pair(making);
                infix(making, sign, wants, depth)
            }
            Form::Logic => {
                let sign = making.rng.pick(&["AND", "OR", "XOR", "&&", "||"]);
                infix(making, sign, [Want::Bool, Want::Bool], depth)
            }
            Form::Not => {
                let kid = making.operand(Want::Bool, depth);
                let sign = making.rng.pick(&["NOT ", "!"]);
                wrap(making, "NOT", sign, kid, "")
            }
            Form::Is => {
                let kid = making.operand(Want::Any, depth);
                let tail = making.rng.pick(&[
                    " IS NULL",
                    " IS NOT NULL",
                    " IS TRUE",
                    " IS NOT TRUE",
                    " IS FALSE",
                    " IS NOT FALSE",
                ]);
                wrap(making, "IS", "", kid, tail)
            }
            Form::In => membership(making, depth),
            Form::Between => between(making, depth),
            Form::Like => like(making, depth),
            Form::Regexp => {
                let kids = vec![
                    making.operand(Want::Text, depth),
                    making.operand(Want::Regex, depth),
                ];
                let sign = making.rng.pick(&[" REGEXP ", " NOT REGEXP ", " RLIKE "]);
                fenced("REGEXP", &["", sign, ""], kids)
            }
            Form::SearchedCase | Form::SimpleCase => case(making, depth, self == Form::SimpleCase),
            Form::ToInteger => {
                let target = making.rng.pick(&[
                    "SIGNED",
                    "UNSIGNED",
                    "SIGNED INTEGER",
                    "INTEGER",
                    "UNSIGNED INTEGER",
                ]);
                cast(making, target, Want::Any, depth)
            }
            Form::ToDecimal => {
                let target = making.rng.pick(&[
                    "DECIMAL",
                    "DECIMAL(10,2)",
                    "DECIMAL(5,5)",
                    "DECIMAL(65,30)",
                    "DECIMAL(4)",
                    "DECIMAL(3,1)",
                    "DECIMAL(20,6)",
                    "DECIMAL(66,2)",
                    "DECIMAL(2,5)",
                    "DECIMAL(38,10)",
                ]);
                cast(making, target, Want::Any, depth)
            }
            Form::ToDouble => cast(making, "DOUBLE", Want::Any, depth),
            Form::ToChar => {
                let target = making
                    .rng
                    .pick(&["CHAR", "CHAR(3)", "CHAR(10)", "CHAR(0)", "NCHAR"]);
                cast(making, target, Want::Any, depth)
            }
            Form::ToTime => {
                let target = making
                    .rng
                    .pick(&["DATE", "DATETIME", "DATETIME(3)", "DATETIME(6)"]);
                cast(making, target, Want::Temporal, depth)
            }
            Form::ToClock => {
                let target = making.rng.pick(&["TIME", "TIME(2)", "TIME(6)"]);
                cast(making, target, Want::Temporal, depth)
            }
            Form::ToBinary => {
                let target = making.rng.pick(&["BINARY", "BINARY(3)"]);
                cast(making, target, Want::Any, depth)
            }
            Form::Convert => {
                let target = making.rng.pick(&[
                    "SIGNED",
                    "UNSIGNED",
                    "DECIMAL(10,2)",
                    "CHAR",
                    "CHAR(4)",
                    "DATE",
                    "DATETIME",
                ]);
                let kid = making.operand(Want::Any, depth);
                Node::build(
                    "CONVERT",
                    vec!["CONVERT(".to_owned(), format!(", {target})")],
                    vec![kid],
                )
            }
            Form::Using => {
                let kid = making.operand(Want::Text, depth);
                Node::build(
                    "CONVERT USING",
                    vec!["CONVERT(".to_owned(), " USING utf8mb4)".to_owned()],
                    vec![kid],
                )
            }
            Form::PlusInterval => {
                let kids = vec![making.operand(Want::Temporal, depth), interval(making, depth)];
                fenced("+ INTERVAL", &["", " + ", ""], kids)
            }
            Form::MinusInterval => {
                let kids = vec![making.operand(Want::Temporal, depth), interval(making, depth)];
                fenced("- INTERVAL", &["", " - ", ""], kids)
            }
            Form::DistinctLines => {
                let name = making.rng.pick(&["SUM", "COUNT", "AVG", "MIN", "MAX"]);
                making.over_lines(name, "DISTINCT ", depth)
            }
            Form::GroupConcat => group_concat(making, depth),
            Form::TrimSide => {
                let side = making.rng.pick(&["LEADING ", "TRAILING ", "BOTH ", ""]);
                let kids = vec![
                    making.operand(Want::Needle, depth),
                    making.operand(Want::Text, depth),
                ];
                fenced("TRIM FROM", &[&format!("TRIM({side}"), " FROM ", ")"], kids)
            }
            Form::Extract => {
                let unit = any_unit(making);
                let kid = making.operand(Want::Temporal, depth);
                fenced("EXTRACT", &[&format!("EXTRACT({unit} FROM "), ")"], vec![kid])
            }
            Form::Position => {
                let kids = vec![
                    making.operand(Want::Needle, depth),
                    making.operand(Want::Text, depth),
                ];
                fenced("POSITION", &["POSITION(", " IN ", ")"], kids)
            }
            Form::UnitFunction => {
                let unit = making.rng.pick(UNITS);
                if making.chance(60) {
                    let kids = vec![
                        making.operand(Want::Temporal, depth),
                        making.operand(Want::Temporal, depth),
                    ];
                    fenced(
                        "TIMESTAMPDIFF",
                        &[&format!("TIMESTAMPDIFF({unit}, "), ", ", ")"],
                        kids,
                    )
                } else {
                    let kids = vec![
                        making.operand(Want::Amount, depth),
                        making.operand(Want::Temporal, depth),
                    ];
                    fenced(
                        "TIMESTAMPADD",
                        &[&format!("TIMESTAMPADD({unit}, "), ", ", ")"],
                        kids,
                    )
                }
            }
            Form::Arrow => arrow(making),
            Form::TimeLiteral => time_literal(making),
            Form::Adjacent => {
                let (a, b) = (making.text(), making.text());
                Node::literal(format!("{} {}", quoted(&a), quoted(&b)))
            }
            Form::HexLiteral => hex_literal(making),
            Form::Binary => {
                let kid = making.operand(Want::Text, depth);
                wrap(making, "BINARY", "BINARY ", kid, "")
            }
        }
    }
}

fn words(pieces: &[&str]) -> Vec<String> {
    pieces.iter().map(|piece| (*piece).to_owned()).collect()
}

/// How tightly an operand holds together without parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bond {
    /// A literal, a placeholder, a call.
    Tight,
    /// `a + b`, `a = b`, `a AND b`.
    Operator,
    /// `a IN (b)`, `NOT a`: the server takes them as operands in few places only.
    Predicate,
}

fn bond(kid: &Node) -> Bond {
    match &kid.shape {
        Shape::Literal(text) if text.starts_with('\'') => Bond::Tight,
        Shape::Literal(text) if text.contains(['-', '/', ' ']) => Bond::Operator,
        Shape::Build { ours, .. } if ours.len() > 1 => match kid.label.as_str() {
            "IN" | "BETWEEN" | "LIKE" | "REGEXP" | "NOT" | "IS" | "INTERVAL" | "BINARY" | "-x" | "~" => {
                Bond::Predicate
            }
            label if label.starts_with(|c: char| c.is_ascii_alphabetic()) && !OPERATORS.contains(&label) => {
                Bond::Tight
            }
            _ => Bond::Operator,
        },
        _ => Bond::Tight,
    }
}

/// Operators whose sign is a word.
const OPERATORS: &[&str] = &["MOD", "DIV", "AND", "OR", "XOR"];

/// Parentheses around an operand that has operands; left out now and then, to see how operators bind.
fn parens(making: &mut Making<'_>, kid: &Node) -> (&'static str, &'static str) {
    match bond(kid) {
        Bond::Tight => ("", ""),
        Bond::Operator if making.chance(15) => ("", ""),
        Bond::Operator | Bond::Predicate => ("(", ")"),
    }
}

fn wrap(making: &mut Making<'_>, label: &str, before: &str, kid: Node, after: &str) -> Node {
    let (open, close) = parens(making, &kid);
    Node::build(
        label,
        vec![format!("{before}{open}"), format!("{close}{after}")],
        vec![kid],
    )
}

/// Operands in parentheses of their own, where they need them.
fn fenced(label: &str, pieces: &[&str], kids: Vec<Node>) -> Node {
    let mut pieces = words(pieces);
    for (index, kid) in kids.iter().enumerate() {
        if bond(kid) != Bond::Tight && kid.label != "INTERVAL" {
            pieces[index].push('(');
            pieces[index + 1].insert(0, ')');
        }
    }
    Node::build(label, pieces, kids)
}

fn infix(making: &mut Making<'_>, sign: &str, [left, right]: [Want; 2], depth: u32) -> Node {
    let (left, right) = (making.operand(left, depth), making.operand(right, depth));
    let (a, b) = parens(making, &left);
    let (c, d) = parens(making, &right);
    Node::build(
        sign,
        vec![a.to_owned(), format!("{b} {sign} {c}"), d.to_owned()],
        vec![left, right],
    )
}

/// What is compared with what.
fn pair(making: &mut Making<'_>) -> [Want; 2] {
    making.rng.pick(&[
        [Want::Number, Want::Number],
        [Want::Text, Want::Text],
        [Want::Text, Want::Number],
        [Want::Temporal, Want::Temporal],
        [Want::Any, Want::Any],
    ])
}

fn membership(making: &mut Making<'_>, depth: u32) -> Node {
    let [kind, others] = pair(making);
    let count = making.rng.pick(&[1, 2, 2, 3]);
    let mut kids = vec![making.operand(kind, depth)];
    kids.extend((0..count).map(|_| making.operand(others, depth)));
    let (open, close) = parens(making, &kids[0]);
    let not = making.rng.pick(&["", "", "NOT "]);
    let mut pieces = vec![open.to_owned(), format!("{close} {not}IN (")];
    pieces.extend((1..count).map(|_| ", ".to_owned()));
    pieces.push(")".to_owned());
    Node::build("IN", pieces, kids)
}

fn between(making: &mut Making<'_>, depth: u32) -> Node {
    let [kind, others] = pair(making);
    let kids = vec![
        making.operand(kind, depth),
        making.operand(others, depth),
        making.operand(others, depth),
    ];
    let not = making.rng.pick(&["", "", "NOT "]);
    fenced("BETWEEN", &["", &format!(" {not}BETWEEN "), " AND ", ""], kids)
}

fn like(making: &mut Making<'_>, depth: u32) -> Node {
    let kids = vec![
        making.operand(Want::Text, depth),
        making.operand(Want::LikePattern, depth),
    ];
    let sign = making.rng.pick(&[" LIKE ", " LIKE ", " NOT LIKE "]);
    let escape = making
        .rng
        .pick(&["", "", "", " ESCAPE '!'", " ESCAPE 'a'", " ESCAPE ''"]);
    fenced("LIKE", &["", sign, escape], kids)
}

fn case(making: &mut Making<'_>, depth: u32, simple: bool) -> Node {
    let label = if simple { "CASE x" } else { "CASE" };
    let [subject, values] = pair(making);
    let branch = making.rng.pick(&[
        Want::Any,
        Want::Number,
        Want::Text,
        Want::Decimal,
        Want::Integer,
        Want::Temporal,
    ]);
    let mut kids = Vec::new();
    let mut pieces = vec!["CASE ".to_owned()];
    if simple {
        kids.push(making.operand(subject, depth));
        pieces.push(" WHEN ".to_owned());
    } else {
        pieces[0].push_str("WHEN ");
    }
    let arms = making.rng.pick(&[1, 1, 2, 3]);
    for arm in 0..arms {
        if arm > 0 {
            pieces.push(" WHEN ".to_owned());
        }
        kids.push(making.operand(if simple { values } else { Want::Bool }, depth));
        pieces.push(" THEN ".to_owned());
        kids.push(making.operand(branch, depth));
    }
    if making.chance(75) {
        pieces.push(" ELSE ".to_owned());
        kids.push(making.operand(branch, depth));
    }
    pieces.push(" END".to_owned());
    Node::build(label, pieces, kids)
}

fn cast(making: &mut Making<'_>, target: &str, want: Want, depth: u32) -> Node {
    let kid = making.operand(want, depth);
    let label = format!("CAST AS {}", target.split(['(', ' ']).next().unwrap_or_default());
    Node::build(
        label,
        vec!["CAST(".to_owned(), format!(" AS {target})")],
        vec![kid],
    )
}

fn any_unit(making: &mut Making<'_>) -> &'static str {
    if making.chance(70) {
        making.rng.pick(UNITS)
    } else {
        making.rng.pick(LONG_UNITS)
    }
}

/// `INTERVAL n UNIT`.
pub(super) fn interval(making: &mut Making<'_>, depth: u32) -> Node {
    let unit = any_unit(making);
    let kid = if unit.contains('_') {
        if making.chance(80) {
            Node::literal(quoted(making.rng.pick(LONG_AMOUNTS)))
        } else {
            making.operand(Want::Amount, depth)
        }
    } else {
        making.operand(Want::Amount, depth)
    };
    let (open, close) = parens(making, &kid);
    Node::build(
        "INTERVAL",
        vec![format!("INTERVAL {open}"), format!("{close} {unit}")],
        vec![kid],
    )
}

fn group_concat(making: &mut Making<'_>, depth: u32) -> Node {
    let distinct = making.rng.pick(&["", "", "DISTINCT "]);
    let node = making.over_lines("GROUP_CONCAT", distinct, depth);
    let (column, down) = making
        .rng
        .pick(&[("", ""), ("", ""), ("q0", ""), ("q1", " DESC"), ("q1", "")]);
    let order = |mark: &str, end: &str| match column {
        "" => String::new(),
        column => format!(" ORDER BY {mark}{column}{end}{down}"),
    };
    let separator = making
        .rng
        .pick(&["", "", " SEPARATOR ';'", " SEPARATOR ''", " SEPARATOR '、'"]);
    let Shape::Build {
        mut ours,
        server,
        kids,
    } = node.shape
    else {
        return node;
    };
    ours[1].insert_str(0, &format!("{}{separator}", order("<<lines.", ">>")));
    let node = Node::build("GROUP_CONCAT", ours, kids);
    match server {
        Some(mut server) => {
            server[1].insert_str(0, &format!("{}{separator}", order("l.", "")));
            node.for_server(server)
        }
        None => node,
    }
}

/// The server knows the function only; the arrows are MySQL's.
fn arrow(making: &mut Making<'_>) -> Node {
    let kids = vec![making.json_field(), making.json_path()];
    if making.chance(50) {
        fenced("->", &["", "->", ""], kids).for_server(words(&["JSON_EXTRACT(", ", ", ")"]))
    } else {
        fenced("->>", &["", "->>", ""], kids).for_server(words(&["JSON_UNQUOTE(JSON_EXTRACT(", ", ", "))"]))
    }
}

/// Bytes as an argument, a number in arithmetic and beside a number; elsewhere nobody can tell.
fn hex_literal(making: &mut Making<'_>) -> Node {
    let digits = making
        .rng
        .pick(&["41", "616263", "00", "e4b8ad", "ff", "0A", "7fffffffffffffff"]);
    let literal = if making.chance(60) {
        format!("0x{digits}")
    } else {
        format!("x'{digits}'")
    };
    let (before, after) = making.rng.pick(&[
        ("HEX(", ")"),
        ("LENGTH(", ")"),
        ("CONCAT(", ", 'b')"),
        ("MD5(", ")"),
        ("CONVERT(", " USING utf8mb4)"),
        ("", " + 1"),
        ("2 * ", ""),
        ("", " > 65"),
        ("", " = 'A'"),
        ("ASCII(", ")"),
    ]);
    // `x'41'` is never a number to the server.
    let number = after.starts_with([' ', '+']) || before.starts_with('2');
    let literal = if number {
        literal.replace("x'", "0x").replace('\'', "")
    } else {
        literal
    };
    let pieces = vec![before.to_owned(), after.to_owned()];
    Node::build("0x", pieces, vec![Node::literal(literal)])
}

fn time_literal(making: &mut Making<'_>) -> Node {
    let text = match making.below(3) {
        0 => making.rng.pick(&[
            "DATE'2023-11-15'",
            "DATE'2024-02-29'",
            "DATE '20231115'",
            "DATE'2023-02-30'",
            "DATE'23-1-2'",
        ]),
        1 => making.rng.pick(&[
            "TIME'10:20:30'",
            "TIME'-1:00:00'",
            "TIME'10:20:30.5'",
            "TIME '838:59:59'",
            "TIME'abc'",
        ]),
        _ => making.rng.pick(&[
            "TIMESTAMP'2023-11-15 06:13:20'",
            "TIMESTAMP'2023-11-15 06:13:20.125'",
            "TIMESTAMP '2023-11-15'",
            "TIMESTAMP'2023-11-15 25:00:00'",
        ]),
    };
    Node::literal(text)
}
