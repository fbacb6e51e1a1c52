//! YAML text to nodes with byte spans; the only module that knows a YAML library.
//!
//! Reads the subset the format allows: UTF-8, one document, no tags, no merge keys, few anchors, bounded size. What
//! YAML would silently read as something else than its author meant is refused here with the way out: an unquoted
//! `{{x}}`, an expression cut at a comma or a ` #`, a key without a value. A scalar keeps the text it was written
//! with, and every byte of that text can be traced to the file. What the keys mean is left to others.

mod build;
pub mod emit;
mod explain;
mod frame;
mod pieces;
mod problems;
mod spans;
pub(crate) mod tokens;
mod traps;
mod wide;

use std::ops::Range;

use crate::diagnostic::Diagnostic;
use crate::value::{Map, Number, Value};

pub use build::{decode, read, read_all};
pub(crate) use problems::Problems;

/// Largest file: a hundred times the largest scheme we know, and small enough to be kept whole.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Deepest nesting; no request of a known system is deeper than 12.
pub const MAX_DEPTH: usize = 64;
/// Most anchors, and most aliases: enough for any hand-written file, too few for a bomb.
pub const MAX_ANCHORS: usize = 100;
/// Most nodes after aliases are expanded: more than fifty times the largest scheme we know, or a table of 15,000 codes,
/// and few enough that a file of nothing else is refused within 100 ms on a busy machine.
pub const MAX_NODES: usize = 30_000;
/// Most problems of one pass over a file that are listed one by one; nobody reads as many. The others are counted.
pub const MAX_PROBLEMS: usize = 100;
/// Most bytes of text after aliases are expanded: a few anchors of long texts must not fill the memory.
pub const MAX_EXPANDED: usize = 8 * MAX_BYTES;

/// One node of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its bytes in the file, quotes included. What an alias stands for has the place where it was written.
    pub span: Range<usize>,
    /// What it is.
    pub kind: NodeKind,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeKind {
    /// A map, in the order written.
    Map(Vec<Pair>),
    /// A list.
    List(Vec<Node>),
    /// Text, or a plain word.
    Scalar(Scalar),
}

/// A member of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Its name.
    pub key: String,
    /// The bytes of the name in the file, quotes included.
    pub key_span: Range<usize>,
    /// What it holds.
    pub value: Node,
}

/// Text as it was decoded, and how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The decoded text.
    pub text: String,
    /// How it was written.
    pub style: Style,
    /// Where the text stands in the file; empty when it could not be traced.
    pieces: Box<[pieces::Piece]>,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// A file as far as it could be read, with all that is wrong in it.
#[derive(Debug)]
pub struct Reading {
    /// What was read. `None` when it is not YAML; else there is a node even with problems, in which each faulty
    /// place holds what was most likely meant, so that checking can go on and all problems come at once.
    pub node: Option<Node>,
    /// The problems, in file order.
    pub problems: Vec<Diagnostic>,
}

impl Node {
    /// The member called `key`, if this is a map that has one.
    pub fn get(&self, key: &str) -> Option<&Pair> {
        self.map()?.iter().find(|pair| pair.key == key)
    }

    /// The members, if this is a map.
    pub fn map(&self) -> Option<&[Pair]> {
        match &self.kind {
            NodeKind::Map(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// The elements, if this is a list.
    pub fn list(&self) -> Option<&[Node]> {
        match &self.kind {
            NodeKind::List(items) => Some(items),
            _ => None,
        }
    }

    /// The scalar, if this is one.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            NodeKind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The text of a scalar, whatever it would be as a value: what a place with a type of its own reads.
    pub fn text(&self) -> Option<&str> {
        self.scalar().map(|scalar| scalar.text.as_str())
    }

    /// The value by the rule of plain words; maps and lists with all they hold.
    pub fn plain_value(&self) -> Value {
        match &self.kind {
            NodeKind::Scalar(scalar) => scalar.plain_value(),
            NodeKind::List(items) => Value::List(items.iter().map(Node::plain_value).collect()),
            NodeKind::Map(pairs) => Value::Map(
                pairs
                    .iter()
                    .map(|pair| (pair.key.clone(), pair.value.plain_value()))
                    .collect::<Map>(),
            ),
        }
    }

    /// Whether it is written in braces or brackets; `text` is the file it was read from.
    pub fn is_flow_in(&self, text: &str) -> bool {
        text[self.span.start..].starts_with(['{', '['])
    }

    /// Whether a part of it was written before this byte: an alias has the place of what it stands for.
    pub fn is_partly_before(&self, at: usize) -> bool {
        self.span.start < at
            || match &self.kind {
                NodeKind::Map(pairs) => pairs.iter().any(|pair| pair.value.is_partly_before(at)),
                NodeKind::List(items) => items.iter().any(|item| item.is_partly_before(at)),
                NodeKind::Scalar(_) => false,
            }
    }

    /// The byte behind it in the file `text`, without the comments and blank lines that follow a block.
    pub fn end_in(&self, text: &str) -> usize {
        let last = match &self.kind {
            NodeKind::Map(pairs) => pairs.last().map(|pair| &pair.value),
            NodeKind::List(items) => items.last(),
            NodeKind::Scalar(_) => None,
        };
        match last {
            Some(last) if !self.is_flow_in(text) => last.end_in(text),
            _ => self.span.start + text[self.span.clone()].trim_end().len(),
        }
    }

    /// Where bytes of the decoded text stand in the file. Without a trace, and for maps and lists, the whole node.
    pub fn span_in(&self, text: Range<usize>) -> Range<usize> {
        self.scalar()
            .and_then(|scalar| pieces::locate(&scalar.pieces, &text))
            .unwrap_or_else(|| self.span.clone())
    }
}

impl Scalar {
    /// The value by the rule of plain words: unquoted `true`, `false`, `null` are that, an unquoted JSON number of at
    /// most 15 digits and without exponent is a number that keeps its digits, everything else is text.
    pub fn plain_value(&self) -> Value {
        /// More digits would not survive the readers on the other side, which use floats.
        const MOST_DIGITS: usize = 15;
        if self.style != Style::Plain {
            return Value::Text(self.text.clone());
        }
        match self.text.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            text if text.contains(['e', 'E']) => Value::Text(text.to_owned()),
            text if text.bytes().filter(u8::is_ascii_digit).count() > MOST_DIGITS => {
                Value::Text(text.to_owned())
            }
            text => Number::parse(text).map_or_else(|| Value::Text(text.to_owned()), Value::Number),
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_syntax;
#[cfg(test)]
mod tests_traps;
