//! A plan in the form in which it runs over slots.

use std::sync::Arc;

use crate::cond::Cond;
use crate::expr::Expr;
use crate::filter::{Filter, Fit};
use crate::lookup::LookupSpec;
use crate::slots::formula::Part;
use crate::tree::term::{Empty, Missing, Term};
use crate::value::Value;

/// A slot: of the row, or of the line that is so many lists around the innermost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: Option<u8>,
    pub(super) slot: u32,
}

/// A placeholder.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) place: Place,
    pub(super) filters: Vec<Filter>,
    pub(super) missing: Missing,
    /// Whether a number or truth value is given as text (old ways).
    pub(super) plain: bool,
}

/// One place of the document.
#[derive(Debug, Clone)]
pub(super) enum Op {
    /// A constant, and how it is written.
    Const(Value, Box<[u8]>),
    Read(Read),
    /// The number of the line, so many lists around the innermost.
    Index(u8),
    Text(Vec<Piece>),
    Formula(Box<Formula>),
    Lookup(Lookup),
    Map(Vec<Member>),
    List(Vec<(Op, bool)>),
    /// It is left out, always.
    Omit,
    Each(Box<Each>),
    Made(Box<Made>),
    /// By the plain evaluator, over the fields that it reads.
    Plain(Box<Term>),
}

#[derive(Debug, Clone)]
pub(super) enum Piece {
    /// Escaped already.
    Text(Box<str>, Box<[u8]>),
    Read(Read),
}

#[derive(Debug, Clone)]
pub(super) struct Member {
    /// A comma, its name in quotes, and the colon.
    pub(super) key: Box<[u8]>,
    pub(super) op: Op,
    /// Whether null leaves it out.
    pub(super) omits_null: bool,
    /// The type of its place.
    pub(super) fit: Option<Fit>,
    /// Its number among the fields that identify the document.
    pub(super) identifies: Option<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Formula {
    pub(super) expr: Arc<Expr>,
    pub(super) places: Vec<Place>,
    /// Its parts, where all of them are known here.
    pub(super) part: Option<Part>,
}

#[derive(Debug, Clone)]
pub(super) struct Lookup {
    /// Its number among the look-ups of the program.
    pub(super) number: usize,
    pub(super) spec: LookupSpec,
    pub(super) keys: Vec<Op>,
    /// Whether its keys must not be shown.
    pub(super) hidden: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Each {
    pub(super) list: Place,
    /// Whether a list that is missing counts as empty text, which is no list.
    pub(super) empty: bool,
    pub(super) missing: Missing,
    pub(super) keep: Option<Cond>,
    pub(super) body: Op,
    /// Whether something in its lines is looked up.
    pub(super) looks_up: bool,
    pub(super) omits_null: bool,
}

/// A value with manners.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) of: Op,
    pub(super) null_by_nature: bool,
    pub(super) default: Option<Op>,
    pub(super) missing: Option<Missing>,
    pub(super) empty: Option<Empty>,
    pub(super) required: bool,
    pub(super) fit: Option<Fit>,
}
