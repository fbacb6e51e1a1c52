//! The problems of one pass over a file: the first hundred one by one, the others as a number.
//!
//! A file that goes wrong in one way thousands of times is no longer explained by listing them, and making and
//! drawing them would cost more than reading the file.

use std::ops::Range;
use std::sync::Arc;

use super::MAX_PROBLEMS;
use crate::catalogue::yaml as words;
use crate::diagnostic::{Diagnostic, SourceFile};

/// A list of problems that does not grow beyond [`MAX_PROBLEMS`].
#[derive(Debug, Default)]
pub(crate) struct Problems {
    listed: Vec<Diagnostic>,
    /// How many more there are, and where the first of them is.
    more: Option<(usize, Range<usize>)>,
}

impl Problems {
    /// Whether a further problem is only counted, so that its facts need not be gathered.
    pub(crate) fn is_full(&self) -> bool {
        self.listed.len() >= MAX_PROBLEMS
    }

    /// Adds one.
    pub(crate) fn push(&mut self, problem: Diagnostic) {
        match self.is_full() {
            true => self.count(problem.span),
            false => self.listed.push(problem),
        }
    }

    /// Adds one that is not listed.
    pub(crate) fn count(&mut self, span: Range<usize>) {
        match &mut self.more {
            Some((count, _)) => *count += 1,
            None => self.more = Some((1, span)),
        }
    }

    /// The last one that is listed.
    pub(crate) fn pop(&mut self) -> Option<Diagnostic> {
        self.listed.pop()
    }

    /// All of them, the last being the number of those that are not listed.
    pub(crate) fn into_list(mut self, file: &Arc<SourceFile>) -> Vec<Diagnostic> {
        self.listed.extend(
            self.more.map(|(count, first)| {
                Diagnostic::new(&words::MORE_PROBLEMS, file, first).with("count", count)
            }),
        );
        self.listed
    }
}
