//! What to tell an author when the parser stops.
//!
//! The parser names what it wanted; the author needs to know what to change. So the place is looked at once more: an
//! unquoted placeholder, a colon inside a value or a full-width colon explain most of what can go wrong.

use std::ops::Range;
use std::sync::Arc;

use granit_parser::{ErrorKind, ScanError};

use super::{MAX_DEPTH, pieces, traps, wide};
use crate::catalogue::{Entry, yaml as words};
use crate::diagnostic::{Diagnostic, SourceFile};

/// The problem behind a refusal of the parser at a byte of the file; `bracket` is the last one still open there.
pub(super) fn explain(
    file: &Arc<SourceFile>,
    at: usize,
    bracket: Option<usize>,
    error: &ScanError,
) -> Diagnostic {
    Scene {
        bracket,
        ..Scene::new(file, at)
    }
    .explain(error)
}

/// An unquoted `{{x}}` that ends where `span` ends.
pub(super) fn placeholder(file: &Arc<SourceFile>, span: Range<usize>) -> Diagnostic {
    let braces = &file.text[span.clone()];
    let name = braces.trim_start_matches('{').trim_end_matches('}').trim();
    Diagnostic::new(&words::PLACEHOLDER, file, span.clone())
        .with("braces", braces)
        .with("angles", format_args!("<<{name}>>"))
}

/// The place where the parser stopped.
struct Scene<'a> {
    file: &'a Arc<SourceFile>,
    source: &'a str,
    at: usize,
    /// The line of that place, and where it begins.
    line: &'a str,
    line_start: usize,
    /// The last bracket that is still open.
    bracket: Option<usize>,
}

impl<'a> Scene<'a> {
    fn new(file: &'a Arc<SourceFile>, at: usize) -> Self {
        let source = file.text.as_str();
        let at = (0..=at.min(source.len()))
            .rev()
            .find(|at| source.is_char_boundary(*at))
            .unwrap_or(0);
        // At the end of the file the last line that holds something is the one to look at.
        let shown = if source[at..].trim().is_empty() {
            source[..at].trim_end().len()
        } else {
            at
        };
        let line_start = source[..shown].rfind('\n').map_or(0, |newline| newline + 1);
        let line = source[line_start..].lines().next().unwrap_or("");
        Scene {
            file,
            source,
            at,
            line,
            line_start,
            bracket: None,
        }
    }

    fn new_problem(&self, entry: &'static Entry, span: Range<usize>) -> Diagnostic {
        Diagnostic::new(entry, self.file, span)
    }

    /// The character at a place, and nothing at the end of the file.
    fn one(&self, at: usize) -> Range<usize> {
        at..at
            + self.source[at..]
                .chars()
                .next()
                .filter(|char| *char != '\n')
                .map_or(0, char::len_utf8)
    }

    fn here(&self, entry: &'static Entry) -> Diagnostic {
        self.new_problem(entry, self.one(self.at))
    }

    /// The line without its indentation.
    fn line_span(&self) -> Range<usize> {
        let indent = self.line.len() - self.line.trim_start().len();
        self.line_start + indent..self.line_start + self.line.trim_end().len()
    }

    fn explain(&self, error: &ScanError) -> Diagnostic {
        use ErrorKind as K;
        if let Some(problem) = self.wide(error) {
            return problem;
        }
        match error.kind() {
            K::ExpectedFlowMappingSeparator
            | K::ExpectedFlowSequenceSeparator
            | K::UnexpectedEofFlowMapping
            | K::UnexpectedEofFlowSequence
            | K::UnexpectedEofImplicitFlowMapping
            | K::FlowMappingValueAdjacentCollection => self.in_brackets(error),
            K::UnclosedFlowCollection { open } => self.unclosed(*open),
            K::MismatchedFlowCollectionEnd { .. } | K::MisplacedFlowCollectionEnd => {
                self.bracket_trap().unwrap_or_else(|| self.stray(error))
            }
            K::MappingValueNotAllowed | K::InvalidColonPlacement | K::InvalidMappingValueWhitespace => {
                self.colon()
            }
            K::ExpectedBlockMappingKey | K::SimpleKeyExpected | K::InvalidSimpleKey => self.no_key(),
            K::InvalidIndentation | K::ExpectedDocumentStart => self.no_key(),
            K::ExpectedBlockSequenceEntry
            | K::BlockSequenceEntryNotAllowed
            | K::BlockEntryInFlowCollection
            | K::InvalidBlockEntryWhitespace
            | K::PlainScalarStartsWithDashFlowIndicator => self.list_place(),
            K::TabNotAllowed
            | K::TabInBlockIndentation
            | K::TabInIndentation
            | K::TabInPlainScalar
            | K::TabAtBlockScalarStart => self.tab(),
            K::UnclosedQuotedScalar | K::DocumentIndicatorInQuotedScalar => self.here(&words::UNCLOSED_QUOTE),
            K::InvalidTrailingSingleQuotedScalar | K::InvalidTrailingDoubleQuotedScalar => {
                self.here(&words::AFTER_QUOTE)
            }
            K::UnknownQuotedScalarEscape
            | K::InvalidQuotedScalarHexEscape
            | K::InvalidLowSurrogateHexEscape
            | K::InvalidLowSurrogate
            | K::MissingLowSurrogate
            | K::UnpairedLowSurrogate
            | K::InvalidUnicodeEscape => self.escape(),
            K::UnexpectedCharacter { .. } | K::InvalidBlockScalarHeader | K::ZeroBlockScalarIndent => {
                self.first_character()
            }
            K::InvalidQuotedScalarIndent => self.open_quote(),
            K::InvalidFlowScalarIndent | K::InvalidBlockScalarIndent => self.here(&words::INDENT),
            K::CommentInterceptedScalar => self.comment_inside(),
            K::DirectiveDisallowed | K::MissingDocumentEndBeforeDirective => {
                self.new_problem(&words::DIRECTIVE, self.line_span())
            }
            K::InvalidDocumentEnd | K::MultipleDocumentsUnsupported => self.here(&words::DOCUMENTS),
            K::RecursionLimitExceeded => self.here(&words::DEPTH).with("max", MAX_DEPTH),
            K::MissingAnchorOrAliasName => self.first_character(),
            _ => self.syntax(error),
        }
    }

    /// A full-width character, where the refusal is about the shape of a line.
    fn wide(&self, error: &ScanError) -> Option<Diagnostic> {
        use ErrorKind as K;
        let shape = matches!(
            error.kind(),
            K::ExpectedFlowMappingSeparator
                | K::ExpectedFlowSequenceSeparator
                | K::MappingValueNotAllowed
                | K::InvalidColonPlacement
                | K::ExpectedBlockMappingKey
                | K::SimpleKeyExpected
                | K::InvalidSimpleKey
                | K::InvalidIndentation
                | K::MismatchedFlowCollectionEnd { .. }
                | K::MisplacedFlowCollectionEnd
                | K::UnclosedFlowCollection { .. }
        );
        let unset = self.bracket_trap().is_none();
        let line = shape.then_some(self.line)?;
        wide::line(self.file, line, self.line_start).filter(|_| unset)
    }

    fn syntax(&self, error: &ScanError) -> Diagnostic {
        self.here(&words::SYNTAX).with("parser", error.info())
    }

    /// Something in `{…}` or `[…]` that is neither a separator nor the end.
    fn in_brackets(&self, error: &ScanError) -> Diagnostic {
        if let Some(trap) = self.bracket_trap() {
            return trap;
        }
        match self.source[self.at..].chars().next() {
            Some(char @ ('{' | '[')) => self.here(&words::BRACKET_IN_VALUE).with("char", char),
            Some(':') => self.colon(),
            Some('}' | ']') => self.stray(error),
            Some(',') => self.here(&words::EMPTY_ITEM),
            _ if self.source[..self.at].trim_end().ends_with(',') => {
                let comma = self.source[..self.at].trim_end().len() - 1;
                self.new_problem(&words::EMPTY_ITEM, self.one(comma))
            }
            _ => self.never_closed().unwrap_or_else(|| self.syntax(error)),
        }
    }

    /// A bracket of a line above that is still open here.
    fn never_closed(&self) -> Option<Diagnostic> {
        let bracket = self.bracket.filter(|bracket| *bracket < self.line_start)?;
        let open = self.source[bracket..].chars().next()?;
        let close = if open == '{' { '}' } else { ']' };
        let problem = self.new_problem(&words::UNCLOSED_BRACKET, self.one(bracket));
        Some(problem.with("open", open).with("close", close))
    }

    /// A placeholder or reference of the line whose braces the parser took for its own.
    fn bracket_trap(&self) -> Option<Diagnostic> {
        let near = |found: usize| self.line_start + found;
        let quoted = |at: usize| {
            let before = &self.line[..at];
            before.matches('"').count() % 2 == 1 || before.matches('\'').count() % 2 == 1
        };
        let first = |needle: &str| {
            self.line
                .match_indices(needle)
                .map(|(at, _)| at)
                .find(|at| !quoted(*at))
        };
        let reference = first("${").map(|found| {
            let start = near(found);
            let length = self.source[start..]
                .lines()
                .next()
                .and_then(|rest| rest.find('}'))
                .map_or(2, |end| end + 1);
            let text = &self.source[start..start + length];
            self.new_problem(&words::REFERENCE, start..start + length)
                .with("reference", text)
        });
        let placeholder = || {
            let start = near(first("{{")?);
            Some(placeholder(
                self.file,
                start..traps::braces_end(self.source, start),
            ))
        };
        reference.or_else(placeholder)
    }

    fn unclosed(&self, open: char) -> Diagnostic {
        let close = if open == '{' { '}' } else { ']' };
        self.bracket_trap().unwrap_or_else(|| {
            self.here(&words::UNCLOSED_BRACKET)
                .with("open", open)
                .with("close", close)
        })
    }

    fn stray(&self, error: &ScanError) -> Diagnostic {
        match self.source[self.at..].chars().next() {
            // Of two brackets that do not match the parser marks the first.
            Some(open @ ('{' | '[')) => self.unclosed(open),
            Some(close @ ('}' | ']')) => self.here(&words::STRAY_BRACKET).with("close", close),
            _ => self.syntax(error),
        }
    }

    /// A colon that separates a key where none can be: inside of a value, or below one.
    fn colon(&self) -> Diagnostic {
        if let Some(problem) = self.never_closed() {
            return problem;
        }
        let column = self.at.saturating_sub(self.line_start).min(self.line.len());
        let before = &self.line[..column];
        let value = before.find(": ").map(|colon| before[colon + 2..].trim_start());
        let value = value.or_else(|| before.trim_start().strip_prefix("- "));
        match value {
            Some(text) if traps::is_computed(text) => self.here(&words::FUNCTION_COLON),
            _ if traps::is_computed(before.trim_start()) => self.here(&words::FUNCTION_COLON),
            Some(_) => self.here(&words::COLON),
            None => self
                .full_width()
                .unwrap_or_else(|| self.new_problem(&words::INDENT, self.line_span())),
        }
    }

    /// A line that should be a key and is not.
    fn no_key(&self) -> Diagnostic {
        let problem = self.bracket_trap().or_else(|| self.never_closed());
        if let Some(problem) = problem.or_else(|| self.full_width()) {
            return problem;
        }
        let column = self.at.saturating_sub(self.line_start).min(self.line.len());
        let before = self.line[..column].trim_end();
        if before.ends_with(['}', ']']) {
            return self.here(&words::AFTER_BRACKET);
        }
        if self.line.trim_start().starts_with("- ") {
            return self.new_problem(&words::LIST_PLACE, self.line_span());
        }
        let entry = if self.line.contains(": ") || self.line.trim_end().ends_with(':') {
            &words::INDENT
        } else {
            &words::NO_COLON
        };
        self.new_problem(entry, self.line_span())
    }

    /// A full-width colon on this line or the one above, where the line has no other.
    fn full_width(&self) -> Option<Diagnostic> {
        const COLON: char = '\u{ff1a}';
        let above = self.line_start.saturating_sub(1);
        let above_start = self.source[..above].rfind('\n').map_or(0, |newline| newline + 1);
        [
            (self.line_start, self.line),
            (above_start, &self.source[above_start..above.max(above_start)]),
        ]
        .into_iter()
        .filter(|(_, line)| !line.contains(": ") && !line.trim_end().ends_with(':'))
        .find_map(|(start, line)| line.find(COLON).map(|found| start + found))
        .map(|at| self.new_problem(&words::FULL_WIDTH, at..at + COLON.len_utf8()))
    }

    fn list_place(&self) -> Diagnostic {
        self.new_problem(&words::LIST_PLACE, self.at..self.at.max(self.line_span().end))
    }

    fn tab(&self) -> Diagnostic {
        let column = self.at.saturating_sub(self.line_start).min(self.line.len());
        let found = self.line[column..].find('\t').map(|found| column + found);
        let tab = found.or_else(|| self.line[..column].rfind('\t'));
        // A value that a tab cuts off is marked at its beginning, lines above.
        let below = || self.source[self.at..].find('\t').map(|found| self.at + found);
        let at = tab
            .map(|tab| self.line_start + tab)
            .or_else(below)
            .unwrap_or(self.at);
        self.new_problem(&words::TAB, self.one(at))
    }

    /// The parser marks the line at which a quoted text can no longer go on; the nearest line above with a quote that
    /// does not close is where it began.
    fn open_quote(&self) -> Diagnostic {
        let mut end = self.source[..self.at]
            .rfind('\n')
            .map_or(0, |newline| newline + 1);
        while end > 0 {
            let start = self.source[..end - 1]
                .rfind('\n')
                .map_or(0, |newline| newline + 1);
            let line = &self.source[start..end];
            let value = line
                .find(": ")
                .map(|colon| colon + 2)
                .or_else(|| line.find("- ").map(|dash| dash + 2));
            let value = value.unwrap_or(0);
            let value = value + line[value..].len() - line[value..].trim_start().len();
            if let Some(quote) = line[value..]
                .chars()
                .next()
                .filter(|char| matches!(char, '"' | '\''))
                && line[value..].matches(quote).count() % 2 == 1
            {
                return self.new_problem(&words::UNCLOSED_QUOTE, start + value..start + value + 1);
            }
            end = start;
        }
        self.here(&words::INDENT)
    }

    /// The parser marks the opening quote; the escape is looked for behind it.
    fn escape(&self) -> Diagnostic {
        let text = &self.source[self.at..];
        let mut at = 1.min(text.len());
        while let Some(slash) = text[at..].find('\\') {
            at += slash;
            let rest = &text[at..];
            let line_break = rest[1..].starts_with(['\n', '\r']);
            match pieces::escape(rest) {
                Some((_, length)) => at += length,
                None if line_break => at += 2,
                None => {
                    let length = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                    let span = self.at + at..self.at + at + length;
                    return self
                        .new_problem(&words::ESCAPE, span)
                        .with("escape", &rest[..length]);
                }
            }
        }
        self.here(&words::ESCAPE).with("escape", "\\")
    }

    fn first_character(&self) -> Diagnostic {
        match self.source[self.at..].chars().next() {
            Some('\t') => self.tab(),
            Some(char) if !char.is_whitespace() => self.here(&words::FIRST_CHARACTER).with("char", char),
            _ => self.first_of_value(),
        }
    }

    /// The parser marks a later place; the value of the line begins after its first colon.
    fn first_of_value(&self) -> Diagnostic {
        let value = self.line.find(": ").map_or(0, |colon| colon + 2);
        let value = value + self.line[value..].len() - self.line[value..].trim_start().len();
        let char = self.line[value..].chars().next().unwrap_or(' ');
        let at = self.line_start + value;
        self.new_problem(&words::FIRST_CHARACTER, self.one(at))
            .with("char", char)
    }

    /// The parser marks the line below the comment.
    fn comment_inside(&self) -> Diagnostic {
        let above = self.source[..self.line_start].trim_end();
        let start = above.rfind('\n').map_or(0, |newline| newline + 1);
        let line = if self.line.contains(" #") {
            (self.line_start, self.line)
        } else {
            (start, &above[start..])
        };
        let Some(found) = line.1.find(" #") else {
            return self.here(&words::COMMENT_INSIDE);
        };
        let value = line
            .1
            .find(": ")
            .map_or(line.1, |colon| line.1[colon + 2..].trim_start());
        let entry = if traps::is_computed(value) {
            &words::FUNCTION_COMMENT
        } else {
            &words::COMMENT_INSIDE
        };
        self.new_problem(entry, line.0 + found + 1..line.0 + line.1.trim_end().len())
    }
}
