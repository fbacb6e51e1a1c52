//! Building [`ExprError`]s, and the words for what an author may write at a place.

use std::fmt::Display;
use std::ops::Range;

use super::ExprError;
use crate::catalogue::Entry;

impl ExprError {
    /// A problem at a place, without facts yet.
    pub fn new(entry: &'static Entry, span: Range<usize>) -> ExprError {
        ExprError {
            entry,
            facts: Vec::new(),
            span,
            similar: Vec::new(),
        }
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Display) -> ExprError {
        self.facts.push((name, value.to_string()));
        self
    }

    /// Names to suggest, nearest first.
    #[must_use]
    pub fn similar(mut self, names: Vec<String>) -> ExprError {
        self.similar = names;
        self
    }

    /// The same problem, its place moved by what stands before this text.
    #[must_use]
    pub fn shifted(mut self, by: usize) -> ExprError {
        self.span = self.span.start + by..self.span.end + by;
        self
    }
}
