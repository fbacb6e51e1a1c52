//! YAML text to nodes with byte spans.

use std::ops::Range;
use std::sync::Arc;

use crate::catalogue::internal::INTERNAL;
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::value::Value;

/// One node of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its bytes in the file, quotes included.
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

/// Reads a file: one document in the subset of YAML that the format allows.
pub fn read(file: &Arc<SourceFile>) -> Result<Node, Vec<Diagnostic>> {
    Err(vec![
        Diagnostic::new(&INTERNAL, file, 0..0).with("what", "the YAML reader is not built yet"),
    ])
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

    /// The value by the rule of plain words; maps and lists with all they hold.
    pub fn plain_value(&self) -> Value {
        Value::Null
    }

    /// Bytes of the decoded text as bytes of the file.
    pub fn span_in(&self, _text: Range<usize>) -> Range<usize> {
        self.span.clone()
    }
}
