//! Where nodes begin and end: the parser marks scalars exactly, the rest is corrected here.

use std::ops::Range;

/// The beginning of a map or list. The parser begins a list that is not indented behind its first dash.
pub(super) fn start(source: &str, at: usize, flow: bool, map: bool) -> usize {
    let before = source[..at].trim_end_matches([' ', '\t']);
    let behind_dash = !map && !flow && !source[at..].starts_with('-') && before.ends_with('-');
    if behind_dash { before.len() - 1 } else { at }
}

/// The first byte at or after `at` that is neither blank nor comment.
pub(super) fn skip_blank(source: &str, mut at: usize) -> usize {
    loop {
        let rest = &source[at..];
        at += rest.len() - rest.trim_start().len();
        if !source[at..].starts_with('#') {
            return at;
        }
        at += source[at..].find('\n').unwrap_or(source.len() - at);
    }
}

/// The end of a map or list: its bracket, or the end of its last member.
pub(super) fn end(span: &Range<usize>, flow: bool, last: Option<usize>, start: usize) -> usize {
    let end = if flow {
        span.end
    } else {
        last.unwrap_or(span.start)
    };
    end.max(start)
}

/// The whole of a `|` or `>` text, from its header to its last line that is not blank. The parser's place begins at
/// the first character of the text.
pub(super) fn block(source: &str, span: &Range<usize>) -> Range<usize> {
    let end = span.start + source[span.clone()].trim_end().len();
    let line_start = source[..span.start].rfind('\n').map_or(0, |newline| newline + 1);
    if !source[line_start..span.start].trim().is_empty() {
        // Without any text the parser's place is the header itself.
        return span.start..end.max(span.start + 1);
    }
    let mut line_end = line_start.saturating_sub(1);
    loop {
        let line_start = source[..line_end].rfind('\n').map_or(0, |newline| newline + 1);
        let line = &source[line_start..line_end];
        if let Some(header) = block_header(line) {
            let start = line_start + header;
            return start..end.max(start + 1);
        }
        if line_start == 0 || !line.trim().is_empty() {
            return span.clone();
        }
        line_end = line_start - 1;
    }
}

/// Where the `|` or `>` stands in a line that ends with a block header.
fn block_header(line: &str) -> Option<usize> {
    line.match_indices(['|', '>']).map(|(at, _)| at).find(|at| {
        let before = line[..*at].chars().next_back();
        let rest = line[at + 1..].trim_start_matches(['+', '-', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
        let comment = rest.trim_start();
        before.is_none_or(|char| matches!(char, ' ' | '\t'))
            && (comment.is_empty() || (comment.starts_with('#') && comment.len() < rest.len()))
    })
}
