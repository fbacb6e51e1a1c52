//! What is allowed but probably not meant, and what a tool that pastes values into the text first would make of it.
//!
//! The second list is for those who bring their schemes from such a tool: it names every placeholder whose value
//! can make a difference, and leaves out those that always have a plain value. It is not shown to authors who
//! never used one.

use std::cmp::Ordering;
use std::ops::Range;

use super::ExprError;
use super::ast::{Aggregate, Binary, Case, Link, Node, Piece};
use super::find::FindSpec;
use super::print::print;
use super::scan::{TokenKind, tokens_of};
use super::sql::{Sql, compare};
use crate::builtin::{Builtin, Type};
use crate::catalogue::pasted;
use crate::catalogue::{Entry, expression};
use crate::path::Path;

/// Warnings of one text; one with hundreds of placeholders does not need them all.
const MOST: usize = 100;
/// Names that always hold a number.
const ALWAYS: &[&str] = &["LAST_SYNC_TIME", "CURRENT_TIME", "PAGINATION_"];
/// Functions that are asked for a text and would take a sum for one.
const OF_TEXT: &[&str] = &[
    "MD5",
    "SHA",
    "SHA1",
    "SHA2",
    "CRC32",
    "TO_BASE64",
    "UPPER",
    "LOWER",
];

/// Functions whose second argument is a format.
const WITH_FORMAT: &[&str] = &["DATE_FORMAT", "TIME_FORMAT", "FROM_UNIXTIME", "STR_TO_DATE"];

/// What there is to say.
pub(super) struct Told {
    pub(super) warnings: Vec<ExprError>,
    pub(super) pasted: Vec<ExprError>,
}

/// Looks at a whole expression that has no errors.
pub(super) fn warn(
    root: &Node,
    text: &str,
    reads: &[(Path, Range<usize>)],
    filters: &[Vec<String>],
    lookups: &[FindSpec],
    calls: &[(&'static Builtin, usize, Range<usize>)],
) -> Told {
    let mut warner = Warner {
        text,
        reads,
        filters,
        lookups,
        calls,
        told: Told {
            warnings: Vec::new(),
            pasted: Vec::new(),
        },
    };
    warner.quoted_names();
    warner.node(root, Place::Text);
    let mut told = warner.told;
    for list in [&mut told.warnings, &mut told.pasted] {
        list.sort_by_key(|error| (error.span.start, error.entry.code));
        list.truncate(MOST);
    }
    told
}

/// What a value is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// As it is: a result, or the argument of a function that takes text.
    Text,
    /// As a number.
    Number,
    /// As the operand of CASE, which is told apart.
    Subject,
    /// In a function over lines.
    Lines,
}

struct Warner<'t> {
    text: &'t str,
    reads: &'t [(Path, Range<usize>)],
    filters: &'t [Vec<String>],
    lookups: &'t [FindSpec],
    calls: &'t [(&'static Builtin, usize, Range<usize>)],
    told: Told,
}

impl Warner<'_> {
    fn node(&mut self, node: &Node, place: Place) {
        match node {
            Node::Field(slot) => self.bare(*slot, place),
            Node::Lookup(index) => self.found(*index, place),
            Node::Interpolated(pieces) => {
                for slot in pieces.iter().filter_map(Piece::slot) {
                    self.in_quotes(slot);
                }
            }
            Node::Glued(pieces) => self.glued(pieces),
            Node::Chain(first, links) => self.chain(first, links),
            Node::Case(case) => self.case(case),
            Node::Aggregate(lines) => self.lines(lines),
            Node::Call(builtin, args) => self.call(builtin, args),
            Node::In(inner, list, _) => {
                for candidate in list {
                    self.compared(inner, candidate, None, Strength::Equal);
                }
                self.all(node, Place::Text);
            }
            Node::Between(inner, bounds, _) => {
                for bound in [&bounds.0, &bounds.1] {
                    self.compared(inner, bound, None, Strength::Equal);
                }
                self.all(node, Place::Text);
            }
            Node::Unary(..) | Node::Interval(..) => self.all(node, Place::Number),
            _ => self.all(node, Place::Text),
        }
    }

    fn all(&mut self, node: &Node, place: Place) {
        for child in node.children() {
            self.node(child, place);
        }
    }

    fn name(&self, slot: usize) -> String {
        self.reads[slot].0.to_string()
    }

    /// Special names and the clock have a value, and it is a number.
    fn always(&self, slot: usize) -> bool {
        let path = &self.reads[slot].0;
        let first = path.first_name().unwrap_or_default();
        path.is_special() || ALWAYS.iter().any(|name| first.starts_with(name))
    }

    fn paste(&mut self, entry: &'static Entry, span: Range<usize>, facts: &[(&'static str, &str)]) {
        let mut error = ExprError::new(entry, span);
        for (name, value) in facts {
            error = error.with(name, value);
        }
        let told = &mut self.told.pasted;
        let same = |other: &ExprError| other.entry == entry && other.facts == error.facts;
        if told.len() < MOST && !told.iter().any(same) {
            told.push(error);
        }
    }

    fn bare(&mut self, slot: usize, place: Place) {
        if self.always(slot) || place == Place::Lines {
            return;
        }
        let (name, span) = (self.name(slot), self.reads[slot].1.clone());
        self.paste(&pasted::TEXT_PASTED, span.clone(), &[("name", &name)]);
        if place != Place::Subject {
            self.paste(&pasted::EMPTY_PASTED, span, &[("name", &name)]);
        }
    }

    /// What is found has no quotes either.
    fn found(&mut self, index: usize, place: Place) {
        let Some(find) = self.lookups.get(index) else {
            return;
        };
        let (name, span) = (find.get.to_string(), find.span.clone());
        self.paste(&pasted::TEXT_PASTED, span.clone(), &[("name", &name)]);
        if place != Place::Subject {
            self.paste(&pasted::EMPTY_PASTED, span, &[("name", &name)]);
        }
    }

    /// A time or a number that a filter prints has no quotes.
    fn in_quotes(&mut self, slot: usize) {
        let plain = |filter: &String| {
            ["date", "datetime", "ms", "s", "number", "rfc3339"]
                .iter()
                .any(|name| name.eq_ignore_ascii_case(filter.trim()))
        };
        if !self.always(slot) && !self.filters[slot].iter().any(plain) {
            let (name, span) = (self.name(slot), self.reads[slot].1.clone());
            self.paste(&pasted::QUOTE_PASTED, span, &[("name", &name)]);
        }
    }

    fn glued(&mut self, pieces: &[Piece]) {
        let slots: Vec<usize> = pieces.iter().filter_map(Piece::slot).collect();
        let (Some(first), Some(last)) = (slots.first().copied(), slots.last().copied()) else {
            return;
        };
        let Some(slot) = slots.iter().copied().find(|slot| !self.always(*slot)) else {
            return;
        };
        let rest: String = pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Text(text) => Some(text.as_str()),
                Piece::Slot(_) => None,
            })
            .collect();
        let edge = |piece: Option<&Piece>| match piece {
            Some(Piece::Text(text)) => text.len(),
            _ => 0,
        };
        let start = self.reads[first].1.start - edge(pieces.first());
        let end = self.reads[last].1.end + edge(pieces.last());
        let (name, written) = (self.name(slot), self.text[start..end].to_owned());
        let left = if rest.is_empty() { "''" } else { &rest };
        self.paste(
            &pasted::GLUED_EMPTY,
            start..end,
            &[("name", &name), ("written", &written), ("pasted", left)],
        );
    }

    fn chain(&mut self, first: &Node, links: &[Link]) {
        let mut left = first;
        for (index, link) in links.iter().enumerate() {
            let right = &link.right;
            if is_number(link.op) {
                let before = if index == 0 { Some(left) } else { None };
                for operand in before.into_iter().chain([right]) {
                    self.as_zero(operand);
                }
            } else if let Some(strength) = Strength::of(link.op) {
                self.compared(left, right, Some(&link.span), strength);
            } else if link.op == Binary::Or
                && &self.text[link.span.clone()] == "||"
                && (is_words(left) || is_words(right))
            {
                let error = ExprError::new(&pasted::OR_NOT_CONCAT, link.span.clone());
                self.told.warnings.push(error);
            }
            left = right;
        }
        let place = |op: Option<&Link>| match op {
            Some(link) if is_number(link.op) => Place::Number,
            _ => Place::Text,
        };
        self.node(first, place(links.first()));
        for link in links {
            self.node(&link.right, place(Some(link)));
        }
    }

    /// A bare placeholder beside quoted digits: a number for a tool that substitutes first, text here if the field
    /// is text. Below and above it deserves a look whoever wrote it; equal it differs for `070` only.
    fn compared(&mut self, left: &Node, right: &Node, at: Option<&Range<usize>>, strength: Strength) {
        for (field, literal) in [(left, right), (right, left)] {
            let (Node::Field(slot), Node::Const(Sql::Text(text))) = (field, literal) else {
                continue;
            };
            let number = &*text.text;
            if number.is_empty() || number.parse::<f64>().is_err() || self.always(*slot) {
                continue;
            }
            let name = self.name(*slot);
            let literal = format!("'{number}'");
            let facts = [("name", &*name), ("literal", &*literal), ("number", number)];
            let span = at.unwrap_or(&self.reads[*slot].1).clone();
            if strength == Strength::Order {
                let mut error = ExprError::new(&expression::COMPARED_AS_TEXT, span.clone());
                for (name, value) in facts {
                    error = error.with(name, value);
                }
                self.told.warnings.push(error);
            }
            self.paste(&expression::COMPARED_AS_TEXT, span, &facts);
        }
    }

    fn case(&mut self, case: &Case) {
        if let Some(subject) = &case.subject {
            self.flips(subject, case);
            for (when, _) in &case.arms {
                self.compared(subject, when, None, Strength::Equal);
            }
            self.node(subject, Place::Subject);
        }
        for (when, then) in &case.arms {
            self.node(when, Place::Text);
            self.node(then, Place::Text);
        }
        if let Some(otherwise) = &case.otherwise {
            self.node(otherwise, Place::Text);
        }
    }

    /// `case  when true then a else b end`: without its subject the first true WHEN holds, here it is ELSE.
    fn flips(&mut self, subject: &Node, case: &Case) {
        let (name, span) = match subject {
            Node::Lookup(index) => match self.lookups.get(*index) {
                Some(find) => (find.get.to_string(), find.span.clone()),
                None => return,
            },
            Node::Field(slot) if !self.always(*slot) => (self.name(*slot), self.reads[*slot].1.clone()),
            _ => return,
        };
        let arm = |holds: &dyn Fn(&Node) -> bool| case.arms.iter().position(|(when, _)| holds(when));
        // A WHEN that is computed may be true.
        let there = arm(&|when| match when {
            Node::Const(value) => value.truth() == Some(true),
            Node::Truth(value) => *value,
            _ => true,
        });
        let nothing = Sql::text("");
        let here = match subject {
            Node::Field(_) => arm(&|when| match when {
                Node::Const(value) => compare(&nothing, value) == Some(Ordering::Equal),
                _ => false,
            }),
            _ => None,
        };
        if there == here {
            return;
        }
        let shown = |arm: Option<usize>| match (arm.and_then(|arm| case.arms.get(arm)), &case.otherwise) {
            (Some((_, then)), _) => format!("THEN {}", print(then, self.reads)),
            (None, Some(otherwise)) => format!("ELSE {}", print(otherwise, self.reads)),
            (None, None) => "NULL".to_owned(),
        };
        let (there, here) = (shown(there), shown(here));
        let facts = [("name", &*name), ("pasted", &*there), ("ours", &*here)];
        if matches!(subject, Node::Lookup(_)) {
            let mut error = ExprError::new(&pasted::CASE_FLIPS, span.clone());
            for (name, value) in facts {
                error = error.with(name, value);
            }
            self.told.warnings.push(error);
        }
        self.paste(&pasted::CASE_FLIPS, span, &facts);
    }

    fn lines(&mut self, lines: &Aggregate) {
        let children: Vec<&Node> = lines
            .args
            .iter()
            .chain(lines.order.iter().map(|(by, _)| by))
            .collect();
        for child in children {
            for slot in child.slots() {
                let path = &self.reads[slot].0;
                if path.segments().len() > 1 && !path.is_special() || path.has_all() {
                    let (name, span) = (self.name(slot), self.reads[slot].1.clone());
                    let facts = [("function", lines.builtin.name), ("name", &*name)];
                    self.paste(&pasted::LIST_PASTED, span, &facts);
                }
            }
            self.node(child, Place::Lines);
        }
    }

    fn call(&mut self, builtin: &'static Builtin, args: &[Node]) {
        for (index, arg) in args.iter().enumerate() {
            let takes = builtin.param(index).map_or(Type::Any, |param| param.takes);
            let number = matches!(takes, Type::Number | Type::Integer | Type::Time | Type::Interval);
            if matches!(takes, Type::Number | Type::Integer) {
                self.as_zero(arg);
            }
            if takes == Type::Text && OF_TEXT.contains(&builtin.name) && is_sum_of_texts(arg) {
                let named = self.calls.iter().find(|(called, ..)| called.name == builtin.name);
                let span = named.map_or(0..self.text.len(), |(.., span)| span.clone());
                let error = ExprError::new(&pasted::PLUS_NOT_CONCAT, span);
                self.told.warnings.push(error.with("function", builtin.name));
            }
            if index == 1 && WITH_FORMAT.contains(&builtin.name) {
                self.format(arg);
            }
            self.node(arg, if number { Place::Number } else { Place::Text });
        }
    }

    /// `DATE_FORMAT(t, 'yyyy-MM-dd')`: another system's letters.
    fn format(&mut self, arg: &Node) {
        let Node::Const(Sql::Text(text)) = arg else { return };
        let Some(format) = with_percents(&text.text) else {
            return;
        };
        let (literal, span) = self.written(&text.text);
        let error = ExprError::new(&pasted::FORMAT_LETTERS, span);
        self.told
            .warnings
            .push(error.with("literal", literal).with("format", format));
    }

    /// A text as it is written, and where; the whole expression where it is written in another way.
    fn written(&self, text: &str) -> (String, Range<usize>) {
        let mut written = ['\'', '"']
            .map(|quote| format!("{quote}{text}{quote}"))
            .into_iter();
        let found = written.find_map(|written| Some((self.text.find(&*written)?, written)));
        match found {
            Some((at, written)) => {
                let end = at + written.len();
                (written, at..end)
            }
            None => (format!("'{text}'"), 0..self.text.len()),
        }
    }

    /// A text that cannot be a number, where a number is needed.
    fn as_zero(&mut self, operand: &Node) {
        let begins_wrong = |text: &str| {
            text.trim_start()
                .starts_with(|first: char| !"+-.0123456789".contains(first))
        };
        let (literal, span) = match operand {
            Node::Const(Sql::Text(text)) => {
                let text = &*text.text;
                if text.trim().is_empty() || text.contains(|char: char| char.is_ascii_digit()) {
                    return;
                }
                self.written(text)
            }
            Node::Interpolated(pieces) => match (pieces.first(), operand.slots().as_slice()) {
                (Some(Piece::Text(text)), [first, .., last] | [first @ last]) if begins_wrong(text) => {
                    let (start, end) = (self.reads[*first].1.start, self.reads[*last].1.end);
                    let open = self.text[..start].rfind(['\'', '"']).unwrap_or(start);
                    let close = self.text[end..].find(['\'', '"']).map_or(end, |at| end + at + 1);
                    (self.text[open..close].to_owned(), open..close)
                }
                _ => return,
            },
            _ => return,
        };
        let error = ExprError::new(&expression::TEXT_AS_ZERO, span);
        self.told.warnings.push(error.with("literal", literal));
    }

    /// `"unit_price" * 2`: double quotes around what looks like a field, beside an operator of numbers.
    fn quoted_names(&mut self) {
        let tokens = tokens_of(self.text);
        let operator = |at: Option<&super::scan::Token>| {
            at.is_some_and(|token| {
                token.kind == TokenKind::Operator
                    && ["+", "-", "*", "/", "%", "<", "<=", ">", ">="]
                        .contains(&&self.text[token.span.clone()])
            })
        };
        for (index, token) in tokens.iter().enumerate() {
            let written = &self.text[token.span.clone()];
            let Some(name) = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
                continue;
            };
            let plain = name.starts_with(|first: char| first == '_' || first.is_alphabetic())
                && name
                    .chars()
                    .all(|char| matches!(char, '_' | '.') || char.is_alphanumeric());
            let counted = operator(index.checked_sub(1).and_then(|at| tokens.get(at)))
                || operator(tokens.get(index + 1));
            let read = self.reads.iter().any(|(path, _)| path.to_string() == name);
            if token.kind == TokenKind::Text && plain && (counted || read) {
                let error = ExprError::new(&pasted::QUOTED_NAME, token.span.clone());
                self.told
                    .warnings
                    .push(error.with("literal", written).with("name", name));
            }
        }
    }
}

/// How a comparison treats its sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strength {
    Order,
    Equal,
}

impl Strength {
    fn of(op: Binary) -> Option<Strength> {
        match op {
            Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge => Some(Strength::Order),
            Binary::Eq | Binary::Ne | Binary::NullSafe => Some(Strength::Equal),
            _ => None,
        }
    }
}

fn is_number(op: Binary) -> bool {
    use Binary::{Add, BitAnd, BitOr, BitXor, Div, IntDiv, Mul, Rem, ShiftLeft, ShiftRight, Sub};
    matches!(
        op,
        Add | Sub | Mul | Div | Rem | IntDiv | BitAnd | BitOr | BitXor | ShiftLeft | ShiftRight
    )
}

/// `yyyy-MM-dd HH:mm:ss` as `%Y-%m-%d %H:%i:%s`; `None` for what has a `%` or does not look like it.
fn with_percents(format: &str) -> Option<String> {
    if format.contains('%') {
        return None;
    }
    let (mut out, mut parts) = (String::new(), 0);
    let mut rest = format;
    while let Some(letter) = rest.chars().next() {
        let after = rest.trim_start_matches(letter);
        let run = rest.len() - after.len();
        let part = match (letter, run / letter.len_utf8()) {
            ('y' | 'Y', 4) => "%Y",
            ('y' | 'Y', 2) => "%y",
            ('M', 2) => "%m",
            ('d' | 'D', 2) => "%d",
            ('H', 2) => "%H",
            ('h', 2) => "%h",
            ('m', 2) => "%i",
            ('s' | 'S', 2) => "%s",
            ('S', 3..) => "%f",
            _ => {
                out.push_str(&rest[..run]);
                rest = after;
                continue;
            }
        };
        out.push_str(part);
        parts += 1;
        // `HH24` is Oracle's.
        rest = after
            .strip_prefix("24")
            .filter(|_| letter == 'H')
            .unwrap_or(after);
    }
    // A date or a clock has two parts and more; a word such as `Summary` has not.
    (parts >= 2 || out == "%Y").then_some(out)
}

/// Text that is no number.
fn is_words(node: &Node) -> bool {
    match node {
        Node::Const(Sql::Text(text)) => text.text.parse::<f64>().is_err(),
        Node::Interpolated(_) => true,
        Node::Call(builtin, _) => builtin.returns == Type::Text,
        _ => false,
    }
}

/// `a + b` where each could be text and none is a number.
fn is_sum_of_texts(node: &Node) -> bool {
    let Node::Chain(first, links) = node else {
        return false;
    };
    let textual = |node: &Node| matches!(node, Node::Field(_)) || is_words(node);
    textual(first)
        && links
            .iter()
            .all(|link| link.op == Binary::Add && textual(&link.right))
}
