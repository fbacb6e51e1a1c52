//! Placeholders in text: `<<a.b>>`, `{{a.b}}`, both with filters.
//!
//! Only finds them; what a path may be at a place, and what it reads, is decided where the text is compiled. Text
//! of an expression is not handled here: its grammar has the placeholders of its own.

use std::ops::Range;

/// One stretch of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'t> {
    /// As written.
    Text(&'t str),
    /// What stands between the marks, with the bytes of the whole placeholder and of its inside.
    Placeholder {
        /// The path and the filters, without the marks.
        inside: &'t str,
        /// The bytes of `inside`.
        at: Range<usize>,
    },
}

/// A placeholder that is not closed; the bytes of its opening mark and the mark that would close it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclosed {
    /// Where it begins.
    pub at: Range<usize>,
    /// What is missing.
    pub mark: &'static str,
}

const MARKS: [(&str, &str); 2] = [("<<", ">>"), ("{{", "}}")];

/// Whether a text holds a placeholder or the beginning of one.
pub fn has_placeholder(text: &str) -> bool {
    MARKS.iter().any(|(open, _)| text.contains(open))
}

/// Takes a text apart.
///
/// ```
/// use dsl::template::{Piece, pieces};
/// let parts = pieces("C-<<a.b|date>>").unwrap();
/// assert_eq!(parts[0], Piece::Text("C-"));
/// assert_eq!(parts[1], Piece::Placeholder { inside: "a.b|date", at: 4..12 });
/// ```
pub fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Unclosed> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some((at, open, close)) = next_mark(text, from) {
        let inside = at + open.len();
        let Some(length) = text[inside..].find(close) else {
            return Err(Unclosed {
                at: at..inside,
                mark: close,
            });
        };
        if at > from {
            found.push(Piece::Text(&text[from..at]));
        }
        let end = inside + length;
        found.push(Piece::Placeholder {
            inside: &text[inside..end],
            at: inside..end,
        });
        from = end + close.len();
    }
    if from < text.len() {
        found.push(Piece::Text(&text[from..]));
    }
    Ok(found)
}

fn next_mark(text: &str, from: usize) -> Option<(usize, &'static str, &'static str)> {
    MARKS
        .iter()
        .filter_map(|(open, close)| text[from..].find(open).map(|at| (from + at, *open, *close)))
        .min_by_key(|(at, _, _)| *at)
}

/// The path of a placeholder's inside and its filters, each with its bytes in the inside, blanks around them left out.
pub fn path_and_filters(inside: &str) -> (Range<usize>, Vec<Range<usize>>) {
    let mut parts = Vec::new();
    let mut from = 0;
    for part in inside.split('|') {
        let blanks = part.len() - part.trim_start().len();
        let start = from + blanks;
        parts.push(start..start + part.trim().len());
        from += part.len() + 1;
    }
    let path = parts.remove(0);
    (path, parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unclosed() {
        assert_eq!(pieces("a <<b"), Err(Unclosed { at: 2..4, mark: ">>" }));
        assert_eq!(pieces("{{b}"), Err(Unclosed { at: 0..2, mark: "}}" }));
    }

    #[test]
    fn both_spellings() {
        let parts = pieces("<<a>>-{{ b | date|text }}").unwrap();
        assert_eq!(parts.len(), 3);
        let Piece::Placeholder { inside, .. } = &parts[2] else {
            panic!("a placeholder")
        };
        let (path, filters) = path_and_filters(inside);
        assert_eq!(&inside[path], "b");
        assert_eq!(
            filters.iter().map(|at| &inside[at.clone()]).collect::<Vec<_>>(),
            ["date", "text"]
        );
    }
}
