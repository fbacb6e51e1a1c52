//! One linear pass over the text before the grammar sees it.
//!
//! It bounds what the grammar has to do (length, nesting, operators) and finds the mistakes that a grammar can
//! only call unexpected: open quotes and parentheses, CASE without END, `? :`, JavaScript, names without
//! placeholders, full-width punctuation, values and operators that are missing. Each is told in the author's
//! terms, all of them at once. What passes is left to the grammar, which is the judge of what is allowed.

mod foreign;
mod names;
mod order;
mod shape;
mod token;

use std::ops::Range;

use shape::Shape;

use super::{Bounds, ExprError};
use crate::builtin::Registry;
use crate::catalogue::expression;

pub(super) use names::unknown_functions;
use token::{hides_the_rest, tokens};

/// Problems that one text is told of. More would not help anybody, and a hostile text would make thousands.
pub(super) const MOST_PROBLEMS: usize = 20;

/// A word of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Number,
    Text,
    Placeholder,
    Find,
    Word,
    Operator,
    Open,
    Close,
    Comma,
}

/// Words that mean something of their own; not fields somebody forgot to mark.
const KEYWORDS: &[&str] = &[
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BINARY",
    "BOTH",
    "BY",
    "CASE",
    "DESC",
    "DISTINCT",
    "DIV",
    "ELSE",
    "END",
    "ESCAPE",
    "FALSE",
    "FOR",
    "FROM",
    "IN",
    "INTERVAL",
    "IS",
    "LEADING",
    "LIKE",
    "MOD",
    "NOT",
    "NULL",
    "OR",
    "ORDER",
    "REGEXP",
    "RLIKE",
    "SEPARATOR",
    "THEN",
    "TRAILING",
    "TRUE",
    "UNKNOWN",
    "USING",
    "WHEN",
    "XOR",
];

/// Checks the text. What is only soft (a function that does not exist) is left to later passes when the rest is
/// in order, and told here when it is not.
pub(super) fn scan(text: &str, registry: &Registry, bounds: &Bounds) -> Result<(), Vec<ExprError>> {
    if text.len() > bounds.text {
        return Err(vec![
            ExprError::new(&expression::TOO_LONG, 0..text.len())
                .with("size", text.len())
                .with("most", bounds.text),
        ]);
    }
    if text.trim().is_empty() {
        return Err(vec![ExprError::new(&expression::EMPTY, 0..text.len())]);
    }
    let mut errors = Vec::new();
    let tokens = tokens(text, &mut errors);
    let cut = errors.iter().any(hides_the_rest);
    let readable = errors.iter().all(reads_on);
    let mut shape = Shape::new(text, bounds, errors);
    shape.check(&tokens);
    if !cut {
        shape.finish();
    }
    let mut errors = shape.errors;
    // What is too large is not looked at any further.
    let large = |error: &ExprError| {
        error.entry == &expression::TOO_DEEP || error.entry == &expression::TOO_MANY_OPERATORS
    };
    if errors.iter().any(large) {
        errors.retain(large);
        return Err(errors);
    }
    let shaped = errors.len();
    names::check(text, &tokens, registry, &mut errors);
    // A lost placeholder or a CASE without END is one fault; what it does to its neighbours is not another.
    if readable && !errors[..shaped].iter().any(is_shape) {
        order::check(text, &tokens, &mut errors);
    }
    if errors.is_empty() {
        return Ok(());
    }
    errors.extend(unknown_functions(text, registry));
    errors.sort_by_key(|error| (error.span.start, error.span.end));
    let mut told: Vec<ExprError> = Vec::new();
    errors.retain(|error| {
        let again = error.entry == &expression::NOT_SUPPORTED
            && told
                .iter()
                .any(|other| other.entry == error.entry && other.facts == error.facts);
        if !again && told.len() < MOST_PROBLEMS {
            told.push(error.clone());
        }
        !again
    });
    errors.truncate(MOST_PROBLEMS);
    Err(errors)
}

/// Whether the words behind a wrong one still mean what they say.
fn reads_on(error: &ExprError) -> bool {
    let entry = error.entry;
    let plain = [
        &expression::BRACE_TYPO,
        &expression::BRACE_COUNT,
        &expression::EQUALS_SIGN,
        &expression::SHIFT_SIGN,
        &expression::BAD_NUMBER,
        &expression::COMMENT,
        &expression::INVISIBLE,
    ];
    plain.contains(&entry) || entry == &expression::FULL_WIDTH && !hides_the_rest(error)
}

fn is_shape(error: &ExprError) -> bool {
    let shape = [
        &expression::NOT_CLOSED,
        &expression::NOT_OPENED,
        &expression::CASE_NOT_ENDED,
        &expression::CASE_WITHOUT_WHEN,
        &expression::CASE_ORDER,
        &expression::THEN_MISSING,
    ];
    shape.contains(&error.entry)
}

/// The words of a text that has been scanned; empty when it is not in order.
pub(super) fn tokens_of(text: &str) -> Vec<Token> {
    tokens(text, &mut Vec::new())
}

pub(super) fn unknown_function(name: &str, span: Range<usize>, registry: &Registry) -> ExprError {
    names::unknown_function(name, span, registry)
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

fn is_keyword(word: &str) -> bool {
    is_one_of(word, KEYWORDS)
}

fn not_supported(found: &str, span: Range<usize>, zh: &str, en: &str) -> ExprError {
    ExprError::new(&expression::NOT_SUPPORTED, span)
        .with("found", found)
        .with("instead_zh", zh)
        .with("instead_en", en)
}
