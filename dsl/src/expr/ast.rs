//! An expression, taken apart. Names are resolved, numbers and quoted texts are values, literals are folded.

use std::ops::Range;
use std::sync::Arc;

use super::regexp::Matcher;
use super::sql::Sql;
use crate::builtin::Builtin;

/// One operand or operation.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// A literal, or what constant parts came to.
    Const(Sql<'static>),
    /// TRUE or FALSE, written as that.
    Truth(bool),
    /// A bare placeholder, by its number.
    Field(usize),
    /// Quoted text with placeholders.
    Interpolated(Vec<Piece>),
    /// A placeholder with digits written on to it.
    Glued(Vec<Piece>),
    /// A nested look-up, by its number.
    Lookup(usize),
    /// A sign in front.
    Unary(Unary, Box<Node>),
    /// `a op b op c`, from left to right: a chain is as long as its author likes and never deep.
    Chain(Box<Node>, Vec<Link>),
    /// `IS [NOT] NULL`, `TRUE`, `FALSE`.
    Is(Box<Node>, Is, Sense),
    /// `[NOT] IN (…)`.
    In(Box<Node>, Vec<Node>, Sense),
    /// `[NOT] BETWEEN low AND high`.
    Between(Box<Node>, Box<(Node, Node)>, Sense),
    /// `[NOT] LIKE pattern ESCAPE char`.
    Like(Box<Node>, Box<Node>, char, Sense),
    /// `[NOT] REGEXP pattern`; a literal pattern is compiled.
    Regexp(Box<Node>, Pattern, Sense),
    /// Both forms of CASE.
    Case(Box<Case>),
    /// A function.
    Call(&'static Builtin, Vec<Node>),
    /// A function over the lines of a document.
    Aggregate(Box<Aggregate>),
    /// CAST and CONVERT.
    Cast(Box<Node>, Cast),
    /// `INTERVAL n UNIT`.
    Interval(Box<Node>, String),
}

/// One operator and its right operand.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) op: Binary,
    pub(crate) right: Node,
    /// The operator in the text.
    pub(crate) span: Range<usize>,
}

/// A part of an interpolated text.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    Text(String),
    Slot(usize),
}

impl Piece {
    /// The placeholder, if this is one.
    pub(crate) fn slot(&self) -> Option<usize> {
        match self {
            Piece::Slot(slot) => Some(*slot),
            Piece::Text(_) => None,
        }
    }
}

/// Whether NOT was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sense {
    Plain,
    Negated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unary {
    Not,
    Minus,
    Plus,
    Invert,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    Or,
    Xor,
    And,
    Eq,
    NullSafe,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    IntDiv,
    BitAnd,
    BitOr,
    BitXor,
    ShiftLeft,
    ShiftRight,
}

impl Binary {
    /// The operator, for messages.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Binary::Or => "OR",
            Binary::Xor => "XOR",
            Binary::And => "AND",
            Binary::Eq => "=",
            Binary::NullSafe => "<=>",
            Binary::Ne => "<>",
            Binary::Lt => "<",
            Binary::Le => "<=",
            Binary::Gt => ">",
            Binary::Ge => ">=",
            Binary::Add => "+",
            Binary::Sub => "-",
            Binary::Mul => "*",
            Binary::Div => "/",
            Binary::Rem => "%",
            Binary::IntDiv => "DIV",
            Binary::BitAnd => "&",
            Binary::BitOr => "|",
            Binary::BitXor => "^",
            Binary::ShiftLeft => "<<",
            Binary::ShiftRight => ">>",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Is {
    Null,
    True,
    False,
}

#[derive(Debug, Clone)]
pub(crate) enum Pattern {
    Literal(Arc<Matcher>),
    Computed(Box<Node>),
}

#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) subject: Option<Node>,
    pub(crate) arms: Vec<(Node, Node)>,
    pub(crate) otherwise: Option<Node>,
}

/// A call of a function over lines.
#[derive(Debug, Clone)]
pub(crate) struct Aggregate {
    pub(crate) builtin: &'static Builtin,
    /// The first is computed line by line, the others once.
    pub(crate) args: Vec<Node>,
    /// Equal values count once.
    pub(crate) distinct: bool,
    /// By what the lines are put in order, and whether the greatest comes first.
    pub(crate) order: Vec<(Node, bool)>,
}

/// What CAST makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cast {
    Signed,
    Unsigned,
    Decimal { digits: u8, scale: u8 },
    Double,
    Char(Option<usize>),
    Bytes(Option<usize>),
    Date,
    Time(u8),
    DateTime(u8),
}

/// Functions whose value is the instant of the run, or a part of it.
const CLOCKS: [&str; 6] = [
    "NOW",
    "CURDATE",
    "CURTIME",
    "UTC_DATE",
    "UTC_TIME",
    "UTC_TIMESTAMP",
];

impl Node {
    /// The operands, in order.
    pub(crate) fn children(&self) -> Vec<&Node> {
        match self {
            Node::Const(_)
            | Node::Truth(_)
            | Node::Field(_)
            | Node::Interpolated(_)
            | Node::Glued(_)
            | Node::Lookup(_) => vec![],
            Node::Unary(_, inner) | Node::Is(inner, ..) | Node::Cast(inner, _) | Node::Interval(inner, _) => {
                vec![inner]
            }
            Node::Chain(first, links) => std::iter::once(&**first)
                .chain(links.iter().map(|link| &link.right))
                .collect(),
            Node::In(inner, list, _) => std::iter::once(&**inner).chain(list).collect(),
            Node::Between(inner, bounds, _) => vec![inner, &bounds.0, &bounds.1],
            Node::Like(inner, pattern, ..) | Node::Regexp(inner, Pattern::Computed(pattern), _) => {
                vec![inner, pattern]
            }
            Node::Regexp(inner, Pattern::Literal(_), _) => vec![inner],
            Node::Case(case) => {
                let arms = case.arms.iter().flat_map(|(when, then)| [when, then]);
                case.subject.iter().chain(arms).chain(&case.otherwise).collect()
            }
            Node::Call(_, args) => args.iter().collect(),
            Node::Aggregate(lines) => {
                let order = lines.order.iter().map(|(by, _)| by);
                lines.args.iter().chain(order).collect()
            }
        }
    }

    /// Whether a part asks what time it is.
    pub(crate) fn reads_clock(&self) -> bool {
        let asks = |builtin: &Builtin, args: &[Node]| {
            CLOCKS.contains(&builtin.name) || (builtin.name == "UNIX_TIMESTAMP" && args.is_empty())
        };
        matches!(self, Node::Call(builtin, args) if asks(builtin, args))
            || self.children().into_iter().any(Node::reads_clock)
    }

    /// The placeholders in this part, in order.
    pub(crate) fn slots(&self) -> Vec<usize> {
        match self {
            Node::Field(slot) => vec![*slot],
            Node::Interpolated(pieces) | Node::Glued(pieces) => {
                pieces.iter().filter_map(Piece::slot).collect()
            }
            other => other.children().into_iter().flat_map(Node::slots).collect(),
        }
    }
}
