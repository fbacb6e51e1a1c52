//! One layout for all files: what `engine fmt` changes.
//!
//! Only blanks, line ends and quotes that say nothing are touched, each as an edit of its own; no value, no comment
//! and no order changes. The rules:
//!
//! 1. two blanks a level, elements of a list included; what goes on over several lines moves with its first line;
//! 2. one blank behind `:`, `,` and `-`, none before `:` and `,`, none inside of `{}` and `[]`; values that stand in one
//!    column with those of the line above or below stay there;
//! 3. no blanks at the end of a line, at most one blank line in a row, one line end at the end of the file;
//! 4. a blank line before and after each part of the top level that takes more than one line;
//! 5. a text of nothing but letters, `_` and `-` stands without quotes, unless some reader of YAML takes the bare word
//!    for something else;
//! 6. a comment behind a value stays in its column where that is possible, one on its own line has the indentation of
//!    what it stands before, or of the part that it ends.
//!
//! The result is read again. It must have the same pieces in the same order and the same values, or nothing changes.

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, SourceFile};
use crate::edit::{Edit, apply};
use crate::yaml::tokens::{Token, TokenKind, Tokens, tokens};
use crate::yaml::{Node, NodeKind, Style, read_all};

/// Blanks of a level.
const STEP: usize = 2;

/// Why a file was left as it is.
#[derive(Debug)]
pub enum NotFormatted {
    /// There are errors in it.
    Unreadable(Vec<Diagnostic>),
    /// It is written in a manner that is not known here, such as with explicit keys (`? key`).
    Unknown,
    /// It would not be read as the same.
    Differs,
}

/// The file in the layout of all files: the same text where there is nothing to do.
pub fn format(file: &Arc<SourceFile>) -> Result<String, NotFormatted> {
    let before = read_all(file);
    let Some(root) = before.node else {
        return Err(NotFormatted::Unreadable(before.problems));
    };
    if before.problems.iter().any(Diagnostic::is_error) {
        return Err(NotFormatted::Unreadable(before.problems));
    }
    let pieces = tokens(&file.text).ok_or(NotFormatted::Unknown)?;
    let text = apply(&file.text, edits(&file.text, &pieces));
    if text == file.text {
        return Ok(text);
    }
    let after = read_all(&SourceFile::new(file.name.as_str(), text.as_str()));
    let again = tokens(&text).ok_or(NotFormatted::Differs)?;
    let is_same = after.node.is_some_and(|node| same(&node, &root))
        && after.problems.len() == before.problems.len()
        && same_pieces((&file.text, &pieces), (&text, &again));
    if is_same {
        Ok(text)
    } else {
        Err(NotFormatted::Differs)
    }
}

/// The same values in the same order.
fn same(one: &Node, other: &Node) -> bool {
    match (&one.kind, &other.kind) {
        (NodeKind::Map(one), NodeKind::Map(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| one.key == other.key && same(&one.value, &other.value))
        }
        (NodeKind::List(one), NodeKind::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (NodeKind::Scalar(left), NodeKind::Scalar(right)) => {
            left.text == right.text && one.plain_value() == other.plain_value()
        }
        _ => false,
    }
}

/// The same pieces in the same order: words (values were compared before), punctuation, comments, anchors.
fn same_pieces(one: (&str, &Tokens), other: (&str, &Tokens)) -> bool {
    let is_text = |token: &Token| matches!(token.kind, TokenKind::Key(_) | TokenKind::Scalar(_));
    let pairs = one.1.all.iter().zip(&other.1.all);
    one.1.all.len() == other.1.all.len()
        && pairs.into_iter().all(|(left, right)| {
            (is_text(left) && is_text(right))
                || (left.kind == right.kind && one.0[left.span.clone()] == other.0[right.span.clone()])
        })
}

/// A line of the file.
struct Line {
    /// Its first byte, and the one where its end begins.
    start: usize,
    end: usize,
    /// The pieces that begin in it.
    tokens: Range<usize>,
    /// The piece that began before it and goes on in it.
    goes_on: Option<usize>,
}

impl Line {
    fn is_blank(&self) -> bool {
        self.tokens.is_empty() && self.goes_on.is_none()
    }
}

fn edits(text: &str, pieces: &Tokens) -> Vec<Edit> {
    let mut layout = Layout::new(text, pieces);
    layout.indent();
    layout.gaps();
    layout.blank_lines();
    layout.edits
}

struct Layout<'t> {
    text: &'t str,
    all: &'t [Token],
    lines: Vec<Line>,
    /// By piece: the line it begins in.
    line_of: Vec<usize>,
    /// By level: how many levels are around it, and the column it has now.
    levels: Vec<(usize, usize)>,
    parents: Vec<Option<usize>>,
    /// By line: its indentation, before and after.
    indents: Vec<(usize, usize)>,
    edits: Vec<Edit>,
}

impl<'t> Layout<'t> {
    fn new(text: &'t str, pieces: &'t Tokens) -> Self {
        let all = pieces.all.as_slice();
        let mut lines = Vec::new();
        let mut start = bom(text);
        let mut nth = 0_usize;
        while start < text.len() {
            let behind = text[start..].find('\n').map_or(text.len(), |at| start + at + 1);
            let end = start + text[start..behind].trim_end_matches(['\n', '\r']).len();
            let goes_on = nth.checked_sub(1).filter(|last| all[*last].span.end > start);
            let first = nth;
            while all.get(nth).is_some_and(|token| token.span.start < behind) {
                nth += 1;
            }
            lines.push(Line {
                start,
                end,
                tokens: first..nth,
                goes_on,
            });
            start = behind;
        }
        let mut line_of = vec![0; all.len()];
        for (nth, line) in lines.iter().enumerate() {
            line_of[line.tokens.clone()].fill(nth);
        }
        let parents: Vec<Option<usize>> = pieces.levels.iter().map(|level| level.parent).collect();
        let mut levels: Vec<(usize, usize)> = Vec::with_capacity(parents.len());
        for parent in &parents {
            // A level is made before those inside of it.
            levels.push((parent.map_or(0, |parent| levels[parent].0 + 1), 0));
        }
        let mut is_known = vec![false; levels.len()];
        for (nth, token) in all.iter().enumerate() {
            let makes = matches!(token.kind, TokenKind::Key(_) | TokenKind::Dash) && token.bracket.is_none();
            if let Some(level) = token.level.filter(|level| makes && !is_known[*level]) {
                is_known[level] = true;
                levels[level].1 = width(&text[lines[line_of[nth]].start..token.span.start]);
            }
        }
        let indents = vec![(0, 0); lines.len()];
        Layout {
            text,
            all,
            lines,
            line_of,
            levels,
            parents,
            indents,
            edits: Vec::new(),
        }
    }

    fn edit(&mut self, span: Range<usize>, text: String) {
        if self.text[span.clone()] != text {
            self.edits.push(Edit { span, text });
        }
    }

    fn column(&self, level: usize) -> usize {
        self.levels[level].0 * STEP
    }

    /// The column of what belongs to a level and stands on its own line.
    fn inside(&self, level: Option<usize>) -> usize {
        level.map_or(0, |level| self.column(level) + STEP)
    }

    /// Rule 1 and the second half of rule 6.
    fn indent(&mut self) {
        for nth in 0..self.lines.len() {
            let line = &self.lines[nth];
            if let Some(owner) = line.goes_on {
                self.indent_rest(nth, owner);
                continue;
            }
            let Some(first) = line.tokens.clone().next() else {
                continue;
            };
            let old = width(&self.text[line.start..self.all[first].span.start]);
            let new = self.indent_of(nth, first, old);
            self.indents[nth] = (old, new);
            let span = line.start..self.all[first].span.start;
            self.edit(span, " ".repeat(new));
        }
    }

    /// What a line is indented by that begins with a piece.
    fn indent_of(&self, nth: usize, first: usize, old: usize) -> usize {
        let token = &self.all[first];
        if let Some(bracket) = token.bracket.filter(|bracket| *bracket != first) {
            return self.moved(self.line_of[bracket], token.level, old);
        }
        match token.kind {
            TokenKind::Comment => self.indent_of_comment(nth, old),
            TokenKind::Marker => 0,
            TokenKind::Key(_) | TokenKind::Dash => token.level.map_or(0, |level| self.column(level)),
            TokenKind::Anchor => {
                let mut behind = self.all[first + 1..self.lines[nth].tokens.end].iter();
                let makes = behind.find(|token| matches!(token.kind, TokenKind::Key(_) | TokenKind::Dash));
                match makes.and_then(|token| token.level) {
                    Some(level) => self.column(level),
                    None => old,
                }
            }
            _ => self.inside(token.level),
        }
    }

    /// A line that goes on moves with the line it belongs to, and stays right of the level around it.
    fn moved(&self, with: usize, level: Option<usize>, old: usize) -> usize {
        let (was, is) = self.indents[with];
        let moved = (old + is).saturating_sub(was);
        let Some(level) = level else { return moved };
        let least = self.column(level) + usize::from(old > self.levels[level].1);
        moved.max(least)
    }

    /// A line inside of a text of several lines.
    fn indent_rest(&mut self, nth: usize, owner: usize) {
        let token = &self.all[owner];
        let line = &self.lines[nth];
        let content = &self.text[line.start..line.end];
        let old = content.len() - content.trim_start_matches(' ').len();
        let style = match token.kind {
            TokenKind::Key(style) | TokenKind::Scalar(style) => style,
            _ => return,
        };
        let new = if !matches!(style, Style::Literal | Style::Folded) {
            let first = self.line_of[owner];
            let (was, is) = self.indents[first];
            let least = token.level.map_or(0, |level| self.column(level) + 1);
            ((old + is).saturating_sub(was)).max(least)
        } else {
            let Some(level) = token.level else { return };
            let lines = self.text[token.span.clone()].lines();
            let mut header = lines.clone().next().unwrap_or_default().split('#');
            let digit = header
                .next()
                .is_some_and(|sign| sign.contains(|char: char| char.is_ascii_digit()));
            let (was, is) = if digit {
                (self.levels[level].1, self.column(level))
            } else {
                let mut full = lines.skip(1).filter(|line| !line.trim().is_empty());
                let content = full.next().unwrap_or_default();
                (
                    content.len() - content.trim_start_matches(' ').len(),
                    self.inside(Some(level)),
                )
            };
            if old < was {
                return;
            }
            old + is - was
        };
        if content.trim().is_empty() && !matches!(style, Style::Literal | Style::Folded) {
            return;
        }
        let span = line.start..line.start + old;
        self.edit(span, " ".repeat(new));
    }

    fn indent_of_comment(&self, nth: usize, old: usize) -> usize {
        if let Some(column) = self.goes_on_above(nth, old) {
            return column;
        }
        let code = |line: &&Line| {
            let is_comment = |token: usize| self.all[token].kind == TokenKind::Comment;
            line.goes_on.is_some() || line.tokens.clone().next().is_some_and(|first| !is_comment(first))
        };
        let behind = self.lines[nth + 1..].iter().find(code).and_then(|line| {
            let first = line.tokens.clone().next()?;
            let old = width(&self.text[line.start..self.all[first].span.start]);
            let level = self.all[first].level?;
            let makes = matches!(self.all[first].kind, TokenKind::Key(_) | TokenKind::Dash);
            let new = if makes {
                self.column(level)
            } else {
                self.inside(Some(level))
            };
            Some((old, new))
        });
        let (next_old, next_new) = behind.unwrap_or((0, 0));
        if old <= next_old {
            return next_new;
        }
        // It ends a part that stands further right.
        let before = self.lines[..nth].iter().rev().find(code);
        let last = before.and_then(|line| {
            let mut tokens = self.all[line.tokens.clone()].iter().rev();
            let makes = |token: &&Token| matches!(token.kind, TokenKind::Key(_) | TokenKind::Dash);
            match tokens.find(|token| makes(token) && token.bracket.is_none()) {
                Some(token) => token.level,
                // A line that goes on.
                None => {
                    let owner = line.goes_on.or_else(|| line.tokens.clone().next());
                    owner.and_then(|owner| self.all[owner].level)
                }
            }
        });
        let mut level = last;
        while let Some(one) = level {
            let column = self.levels[one].1;
            if column <= next_old && behind.is_some() {
                break;
            }
            if column <= old {
                return self.column(one);
            }
            level = self.parents[one];
        }
        next_new
    }

    /// The column of a comment on the line above that this one goes on, where that one stands behind something.
    fn goes_on_above(&self, nth: usize, old: usize) -> Option<usize> {
        let mut above = nth.checked_sub(1)?;
        loop {
            let line = &self.lines[above];
            let last = line.tokens.clone().next_back()?;
            if self.all[last].kind != TokenKind::Comment {
                return None;
            }
            let column = width(&self.text[line.start..self.all[last].span.start]);
            if column != old {
                return None;
            }
            if line.tokens.len() > 1 || line.goes_on.is_some() {
                return Some(self.comment_column(above));
            }
            above = above.checked_sub(1)?;
        }
    }

    /// Rules 2, 3 and 5 within the lines.
    fn gaps(&mut self) {
        for nth in 0..self.lines.len() {
            let tokens = self.lines[nth].tokens.clone();
            for second in tokens.clone() {
                let Some(first) = self.before(nth, second) else {
                    continue;
                };
                let span = self.all[first].span.end..self.all[second].span.start;
                if self.all[second].kind == TokenKind::Comment {
                    let blanks = self
                        .comment_column(nth)
                        .saturating_sub(self.width_before(nth, second));
                    self.edit(span, " ".repeat(blanks));
                } else if let Some(blanks) = self.gap(first, second) {
                    self.edit(span, " ".repeat(blanks));
                }
            }
            for one in tokens {
                if let Some(bare) = self.bare(one) {
                    self.edit(self.all[one].span.clone(), bare.to_owned());
                }
            }
            self.trim(nth);
        }
    }

    /// The piece before a piece that ends in the same line.
    fn before(&self, nth: usize, second: usize) -> Option<usize> {
        let first = second.checked_sub(1)?;
        (self.all[first].span.end >= self.lines[nth].start).then_some(first)
    }

    /// How many blanks belong between two pieces of a line; `None`: as many as there are.
    fn gap(&self, first: usize, second: usize) -> Option<usize> {
        use TokenKind as K;
        match (self.all[first].kind, self.all[second].kind) {
            (K::Alias | K::Anchor, K::Colon) => Some(1),
            (K::Open, _) | (_, K::Close | K::Comma | K::Colon) => Some(0),
            (K::Colon, _) if self.is_in_columns(first, second) => None,
            (K::Colon | K::Comma | K::Dash | K::Anchor | K::Marker, _) => Some(1),
            _ => None,
        }
    }

    /// Whether a value stands in one column with the one of its map in the line above or below: a table that somebody
    /// has drawn.
    fn is_in_columns(&self, colon: usize, value: usize) -> bool {
        let Some((level, column)) = self.value_at(colon, value) else {
            return false;
        };
        let line = self.line_of[value];
        let near = [line.checked_sub(1), Some(line + 1)].into_iter().flatten();
        near.filter_map(|line| self.lines.get(line)).any(|line| {
            let mut tokens = line.tokens.clone();
            let colon = tokens.find(|one| self.all[*one].kind == TokenKind::Colon);
            let found = colon.and_then(|colon| self.value_at(colon, colon + 1));
            found == Some((level, column))
        })
    }

    /// The level and the column of a value behind the first name of its line; `None` where the column will be another
    /// one, because what stands before it changes.
    fn value_at(&self, colon: usize, value: usize) -> Option<(usize, usize)> {
        let (key, line) = (colon.checked_sub(1)?, self.line_of[colon]);
        let start = self.lines[line].start;
        let token = &self.all[key];
        let is_first = self.lines[line].tokens.start == key
            || (self.lines[line].tokens.start + 1 == key && self.all[key - 1].kind == TokenKind::Dash);
        let is_fine = is_first
            && matches!(token.kind, TokenKind::Key(_))
            && token.bracket.is_none()
            && token.span.end == self.all[colon].span.start
            && self.bare(key).is_none()
            && self
                .all
                .get(value)
                .is_some_and(|value| value.kind != TokenKind::Comment)
            && self.line_of.get(value) == Some(&line);
        let level = token.level.filter(|_| is_fine)?;
        Some((level, width(&self.text[start..self.all[value].span.start])))
    }

    /// The width of a line before one of its pieces, after the edits; without the gap itself.
    fn width_before(&self, nth: usize, behind: usize) -> usize {
        let line = &self.lines[nth];
        let mut columns = match line.goes_on {
            Some(owner) => width(&self.text[line.start..self.all[owner].span.end]),
            None => self.indents[nth].1,
        };
        for one in line.tokens.start..behind {
            if let Some(first) = self.before(nth, one) {
                let old = self.all[one].span.start - self.all[first].span.end;
                columns += self.gap(first, one).unwrap_or(old);
            }
            let span = self.all[one].span.clone();
            columns += self.bare(one).map_or_else(|| width(&self.text[span]), width);
        }
        columns
    }

    /// Where the comment behind a value stands after the edits.
    fn comment_column(&self, nth: usize) -> usize {
        let line = &self.lines[nth];
        let comment = line.tokens.end - 1;
        let start = self.all[comment].span.start;
        let Some(first) = self.before(nth, comment) else {
            return self.indents[nth].1;
        };
        let least = self.width_before(nth, comment) + 1;
        match start - self.all[first].span.end {
            // It stands as near as it can.
            1 => least,
            _ => width(&self.text[line.start..start]).max(least),
        }
    }

    /// A text that needs no quotes.
    fn bare(&self, one: usize) -> Option<&'t str> {
        let style = match self.all[one].kind {
            TokenKind::Key(style) | TokenKind::Scalar(style) => style,
            _ => return None,
        };
        let quoted = &self.text[self.all[one].span.clone()];
        let inner = match style {
            Style::Single => quoted.strip_prefix('\'')?.strip_suffix('\'')?,
            Style::Double => quoted.strip_prefix('"')?.strip_suffix('"')?,
            _ => return None,
        };
        is_bare(inner).then_some(inner)
    }

    /// No blanks at the end of a line; those of a `|` or `>` text are its own.
    fn trim(&mut self, nth: usize) {
        let line = &self.lines[nth];
        let (start, end) = (line.start, line.end);
        let last = line.tokens.clone().next_back().or(line.goes_on);
        let from = match last {
            None => start,
            Some(last) => {
                let is_block = is_block(&self.all[last]);
                if is_block || self.all[last].span.end > end {
                    return;
                }
                self.all[last].span.end
            }
        };
        if self.text[from..end]
            .chars()
            .all(|char| matches!(char, ' ' | '\t'))
        {
            self.edit(from..end, String::new());
        }
    }

    /// The rest of rule 3, and rule 4.
    fn blank_lines(&mut self) {
        let Some(last) = self.lines.iter().rposition(|line| !line.is_blank()) else {
            return;
        };
        let mut earlier: Option<usize> = None;
        for nth in 0..=last {
            if self.lines[nth].is_blank() {
                continue;
            }
            let above = earlier.map_or(0, |earlier| earlier + 1)..nth;
            let keeps = earlier.is_some_and(|earlier| self.ends_with_kept_lines(earlier));
            let allowed = usize::from(earlier.is_some());
            if above.len() > allowed && !keeps {
                let from = self.lines[above.start + allowed].start;
                self.drop(from..self.lines[nth].start);
            }
            earlier = Some(nth);
        }
        for line in self.sections() {
            let start = self.lines[line].start;
            let eol = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
            // Before the indentation of the line, which may be an edit of its own.
            self.edits.insert(
                0,
                Edit {
                    span: start..start,
                    text: eol.to_owned(),
                },
            );
        }
        self.end(last);
    }

    /// Whether blank lines behind a line are part of a text.
    fn ends_with_kept_lines(&self, nth: usize) -> bool {
        let line = &self.lines[nth];
        let last = line.tokens.clone().next_back().or(line.goes_on);
        last.is_some_and(|last| {
            let token = &self.all[last];
            let header = self.text[token.span.clone()].lines().next().unwrap_or_default();
            is_block(token) && header.split('#').next().is_some_and(|sign| sign.contains('+'))
        })
    }

    /// Takes lines away, with the edits in them.
    fn drop(&mut self, span: Range<usize>) {
        self.edits
            .retain(|edit| edit.span.start < span.start || edit.span.start >= span.end);
        self.edit(span, String::new());
    }

    /// The lines before which a blank line is missing.
    fn sections(&self) -> Vec<usize> {
        let is_top = |token: &Token| {
            matches!(token.kind, TokenKind::Key(_)) && token.bracket.is_none() && token.level == Some(0)
        };
        let tops: Vec<usize> = (0..self.all.len())
            .filter(|nth| is_top(&self.all[*nth]))
            .collect();
        let takes_more = |nth: usize| {
            let next = tops.get(nth + 1).copied().unwrap_or(self.all.len());
            let mut own = self.all[tops[nth]..next]
                .iter()
                .filter(|token| token.kind != TokenKind::Comment);
            let first = self.line_of[tops[nth]];
            own.any(|token| token.span.end > self.lines[first].end)
        };
        let mut found = Vec::new();
        for (nth, top) in tops.iter().enumerate().skip(1) {
            if !takes_more(nth) && !takes_more(nth - 1) {
                continue;
            }
            let key = self.line_of[*top];
            // Comments right above belong to it.
            let mut first = key;
            let own_comment = |line: &Line| {
                let mut tokens = self.all[line.tokens.clone()].iter();
                line.goes_on.is_none()
                    && tokens
                        .next()
                        .is_some_and(|token| token.kind == TokenKind::Comment)
            };
            let mut is_apart = false;
            let mut above = key;
            while let Some(line) = above.checked_sub(1) {
                if self.lines[line].is_blank() {
                    is_apart = true;
                    break;
                }
                if !own_comment(&self.lines[line]) {
                    break;
                }
                if self.indents[line].1 == 0 && first == above {
                    first = line;
                }
                above = line;
            }
            if !is_apart && first > 0 && !self.ends_with_kept_lines(first - 1) {
                found.push(first);
            }
        }
        found
    }

    /// One line end at the end.
    fn end(&mut self, last: usize) {
        let line = &self.lines[last];
        let token = line
            .tokens
            .clone()
            .next_back()
            .or(line.goes_on)
            .map(|last| &self.all[last]);
        let is_text = token.is_some_and(is_block);
        let ends = self.text[line.end..].starts_with(['\r', '\n']);
        if self.ends_with_kept_lines(last) || (is_text && !ends) {
            return;
        }
        let behind = self
            .lines
            .get(last + 1)
            .map_or(self.text.len(), |line| line.start);
        if !ends {
            let eol = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
            let end = self.text.len();
            self.edits.push(Edit {
                span: end..end,
                text: eol.to_owned(),
            });
        } else if behind < self.text.len() {
            self.drop(behind..self.text.len());
        }
    }
}

fn is_block(token: &Token) -> bool {
    matches!(
        token.kind,
        TokenKind::Scalar(Style::Literal | Style::Folded) | TokenKind::Key(Style::Literal | Style::Folded)
    )
}

fn bom(text: &str) -> usize {
    match text.starts_with('\u{feff}') {
        true => '\u{feff}'.len_utf8(),
        false => 0,
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Letters, `_` and `-`, and no word that YAML of any version reads as something else.
fn is_bare(text: &str) -> bool {
    const WORDS: [&str; 10] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan"];
    let is_word = text.starts_with(char::is_alphabetic)
        && text
            .chars()
            .all(|char| char.is_alphabetic() || matches!(char, '_' | '-'));
    let lower = text.to_lowercase();
    is_word && !WORDS.contains(&lower.as_str()) && !matches!(text, "inf" | "Infinity")
}

#[cfg(test)]
pub(crate) mod tests;
