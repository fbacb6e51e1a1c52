//! What YAML reads without complaint, and not as it was meant.

use std::ops::Range;

/// The words that begin a text the engine computes.
const COMPUTED: [&str; 3] = ["_function", "_findCollection", "_mongoQuery"];

/// Whether a text is computed by the engine: it begins with one of the words and a blank.
pub(super) fn is_computed(text: &str) -> bool {
    COMPUTED.iter().any(|word| {
        text.strip_prefix(word)
            .is_some_and(|rest| rest.starts_with([' ', '\t', '\n']))
    })
}

/// Whether every quote, parenthesis and placeholder that opens in a text also closes in it.
pub(super) fn is_whole(text: &str) -> bool {
    let mut scan = Scan::default();
    text.chars().for_each(|char| scan.step(char));
    scan.is_closed() && text.matches("<<").count() <= text.matches(">>").count()
}

/// How far an expression that begins at `start` was meant to go: to the end of the line, or to the `,`, `}` or `]` that
/// stands outside of all its quotes and parentheses. A look-up goes on behind a comma with its next `column=value`.
pub(super) fn meant_end(source: &str, start: usize) -> usize {
    let line = source[start..].lines().next().unwrap_or("");
    let is_lookup = COMPUTED[1..].iter().any(|word| line.starts_with(word));
    let mut scan = Scan::default();
    for (at, char) in line.char_indices() {
        let separates = char == ',' && !(is_lookup && is_condition(&line[at + 1..]));
        if scan.is_closed() && (separates || matches!(char, '}' | ']')) {
            return start + line[..at].trim_end().len();
        }
        scan.step(char);
    }
    start + line.trim_end().len()
}

/// Whether a text begins with `column=value` and not with a key.
fn is_condition(text: &str) -> bool {
    let piece = text.split([',', '}', ']']).next().unwrap_or("");
    piece.contains('=') && !piece.contains(": ")
}

/// Where a comment begins that cut off the end of a plain text ending at `end`.
pub(super) fn comment_after(source: &str, end: usize) -> Option<Range<usize>> {
    let line = source[end..].lines().next()?;
    let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
    (blanks > 0 && line[blanks..].starts_with('#')).then(|| end + blanks..end + line.trim_end().len())
}

/// Quotes and parentheses of an expression.
#[derive(Default)]
struct Scan {
    quote: Option<char>,
    depth: usize,
    escaped: bool,
}

impl Scan {
    fn step(&mut self, char: char) {
        if std::mem::take(&mut self.escaped) {
            return;
        }
        match (self.quote, char) {
            (Some(_), '\\') => self.escaped = true,
            (Some(open), _) if open == char => self.quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => self.quote = Some(char),
            (None, '(') => self.depth += 1,
            (None, ')') => self.depth = self.depth.saturating_sub(1),
            (None, _) => {}
        }
    }

    fn is_closed(&self) -> bool {
        self.quote.is_none() && self.depth == 0
    }
}

/// The end of a `{{…}}` that begins at `start`, on its line.
pub(super) fn braces_end(source: &str, start: usize) -> usize {
    let line = source[start..].lines().next().unwrap_or("");
    let inner = line.find("}}").map_or(line.trim_end().len(), |end| end + 2);
    start + inner
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_expressions() {
        for whole in [
            "_function a",
            "_function CONCAT('#', b)",
            "_function 'it''s'",
            r"_function 'a\'b'",
            "<<a>>",
            "a >> b",
        ] {
            assert!(is_whole(whole), "{whole}");
        }
        for cut in [
            "_function IF(a",
            "_function CONCAT('",
            "_function \"a",
            "_function <<a",
            r"_function 'a\'",
        ] {
            assert!(!is_whole(cut), "{cut}");
        }
    }

    #[test]
    fn ends() {
        let check = |source: &str, want: &str| assert_eq!(&source[..meant_end(source, 0)], want);
        check("_function IF(a,1,2), G: 1}", "_function IF(a,1,2)");
        check("_function IF(a,',)',2)}", "_function IF(a,',)',2)");
        check("_function a + 1 ]", "_function a + 1");
        check("_function IF(a,\nb: 1", "_function IF(a,");
    }
}
