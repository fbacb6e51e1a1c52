//! Quotes of a text with separators.
//!
//! The reader of such texts takes whatever comes: a quote that is not closed makes one cell of all that is behind it, and
//! text behind a closing quote becomes part of its cell. Both lose rows without a word, so they are looked for before.

use crate::Lines;

/// What is wrong with a quote, and the line in which it opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuoteFault {
    /// Nothing closes it.
    Open(u64),
    /// Text stands between its closing quote and the end of the cell.
    TextBehind(u64),
}

/// Where a reader of cells is.
#[derive(Clone, Copy)]
enum State {
    /// Before the first character of a cell.
    Begin,
    /// In a cell without quotes: one inside is a character of it.
    Plain,
    Quoted,
    /// Behind a quote that closes, or is the first of two that stand for one.
    Closed,
    /// Behind blanks that are behind a closing quote.
    Blank,
}

/// The first fault of the quotes (`"`) of a text, told as `csv` would read it; each byte is looked at once.
pub fn quote_fault(text: &[u8], separator: u8) -> Option<QuoteFault> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let line = |opened: usize| Lines::of(text).at(opened);
    let (mut state, mut opened) = (State::Begin, 0);
    for (place, &byte) in text.iter().enumerate() {
        let ends = byte == separator || matches!(byte, b'\r' | b'\n');
        state = match state {
            State::Begin if byte == b'"' => {
                opened = place;
                State::Quoted
            }
            State::Quoted if byte == b'"' => State::Closed,
            State::Closed if byte == b'"' => State::Quoted,
            State::Quoted => State::Quoted,
            _ if ends => State::Begin,
            State::Begin | State::Plain => State::Plain,
            State::Closed | State::Blank if matches!(byte, b' ' | b'\t') => State::Blank,
            State::Closed | State::Blank => return Some(QuoteFault::TextBehind(line(opened))),
        };
    }
    matches!(state, State::Quoted).then(|| QuoteFault::Open(line(opened)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fault_is_told_with_the_line_in_which_its_quote_opens() {
        use QuoteFault::{Open, TextBehind};
        for (text, want) in [
            ("", None),
            ("a,b\n1,\"x\"\n", None),
            ("a,b\n1,\"x\"", None),
            ("\u{feff}\"a\",\"b\"\r\n\"x,\r\ny\",\"\"\r\n", None),
            ("a\n\"say \"\"so\"\"\"\n\"\"\"\"\n", None),
            // No quote of a cell: an inch, a blank before it.
            ("a,b\n6\",x\"y\"\n 7\", \"z\n", None),
            // Blanks behind it are no text.
            ("a,b\n\"x\" ,\"y\"\t\n", None),
            ("a,b\n1,a\n2,\"b\n3,c\n", Some(Open(3))),
            ("a,b\r\n1,a\r\n\r\n2,\"b\r\n3,c\r\n", Some(Open(4))),
            ("a,b\r1,\"b\r3,c\r", Some(Open(2))),
            ("a\n\"b\"\"\nc\n", Some(Open(2))),
            ("a\n\"", Some(Open(2))),
            ("\u{feff}\"a,b\n1,2\n", Some(Open(1))),
            ("a,b\n3,\"c\"d\n", Some(TextBehind(2))),
            ("a,b\n3,\"c\" d\n", Some(TextBehind(2))),
            ("a,b\n3,\"c\" \"\n", Some(TextBehind(2))),
            // The next cell with quotes closes the one that was left open.
            ("a,b\n1,\"x\n2,y\n3,\"z\"\n", Some(TextBehind(2))),
            ("a,b\n\"1\n1\",\"x\n2,y\n", Some(Open(3))),
        ] {
            assert_eq!(quote_fault(text.as_bytes(), b','), want, "{text:?}");
        }
        assert_eq!(quote_fault(b"a;b\n\"1\";2\n", b';'), None);
        assert_eq!(quote_fault(b"a\tb\n\"1\"\t2\n", b'\t'), None);
        assert_eq!(quote_fault(b"a;b\n\"1\",2\n", b';'), Some(TextBehind(2)));
    }
}
