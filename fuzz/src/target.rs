//! The doors through which text comes in.

use std::fmt;

/// A kind of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// The text of one value: `C-<<shop>>`, `_function …`, `_findCollection …`, and the same under `$template`.
    Template,
    /// The text behind `_function `.
    Expression,
    /// A whole scheme file, as `engine check` and `engine test` take it.
    Scheme,
}

/// How far an input came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// It was refused with at least one problem.
    Refused,
    /// It compiled, and each evaluation failed.
    Compiled,
    /// It gave at least one value.
    Evaluated,
}

impl Target {
    /// All of them.
    pub const ALL: [Target; 3] = [Target::Template, Target::Expression, Target::Scheme];

    /// Its word on the command line and its folder in the corpus.
    pub fn name(self) -> &'static str {
        match self {
            Target::Template => "template",
            Target::Expression => "expression",
            Target::Scheme => "scheme",
        }
    }

    /// The target with this word.
    pub fn parse(word: &str) -> Option<Target> {
        Target::ALL.into_iter().find(|target| target.name() == word)
    }

    /// Longest input worth trying: a little more than what the language itself takes, so that its bound is tried too.
    /// Scheme files may be larger; a file of this size already holds every construct many times.
    pub fn longest(self) -> usize {
        match self {
            Target::Template => 5 << 10,
            Target::Expression => 9 << 10,
            Target::Scheme => 16 << 10,
        }
    }

    /// Length up to which libFuzzer lets inputs grow: long ones cost time and reach nothing that short ones do not.
    pub fn usual(self) -> usize {
        match self {
            Target::Template | Target::Expression => 1 << 10,
            Target::Scheme => 4 << 10,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
