//! A value of a row that was found but not read: its kind and its bytes, as they stand in the row.

use std::borrow::Cow;

use crate::json;
use crate::value::{Number, Value};

/// What a slot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The row has nothing there.
    Missing,
    Null,
    True,
    False,
    Number,
    Text,
    List,
    Map,
}

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// As it reads.
    None,
    /// With escapes, each of them as [`json::write`] would write it.
    Ours,
    /// With others, as `\/` and `\u4e2d`.
    Others,
}

/// A slot: where in the row its value stands. Of a text, what is between the quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raw {
    pub(super) kind: Kind,
    pub(super) escapes: Escapes,
    pub(super) start: u32,
    pub(super) end: u32,
    /// Of a list that is walked, the frame of its first line; in the head of a frame, that of the next one.
    pub(super) first: u32,
}

/// No frame.
pub(super) const NO_FRAME: u32 = u32::MAX;

impl Raw {
    pub(super) const MISSING: Raw = Raw {
        kind: Kind::Missing,
        escapes: Escapes::None,
        start: 0,
        end: 0,
        first: NO_FRAME,
    };

    /// Its bytes.
    pub(super) fn of<'r>(&self, row: &'r str) -> &'r str {
        &row[self.start as usize..self.end as usize]
    }

    fn bytes<'r>(&self, row: &'r str) -> &'r [u8] {
        &row.as_bytes()[self.start as usize..self.end as usize]
    }

    /// A text that is copied as it stands, quotes included. A number that became a text has none around it.
    fn with_quotes<'r>(&self, row: &'r str) -> Option<&'r [u8]> {
        if self.escapes == Escapes::Others {
            return None;
        }
        let (start, end) = (self.start as usize, self.end as usize);
        let text = row.as_bytes().get(start.checked_sub(1)?..=end)?;
        matches!(text, [b'"', .., b'"']).then_some(text)
    }

    /// What a text says.
    pub(super) fn text<'r>(&self, row: &'r str) -> Cow<'r, str> {
        match self.escapes {
            Escapes::None => Cow::Borrowed(self.of(row)),
            Escapes::Ours | Escapes::Others => Cow::Owned(unescaped(self.of(row))),
        }
    }

    /// The value as the plain reader gives it; `None` for one that is missing.
    pub(super) fn value(&self, row: &str) -> Option<Value> {
        Some(match self.kind {
            Kind::Missing => return None,
            Kind::Null => Value::Null,
            Kind::True => Value::Bool(true),
            Kind::False => Value::Bool(false),
            Kind::Number => Value::Number(Number::parse(self.of(row))?),
            Kind::Text => Value::Text(self.text(row).into_owned()),
            Kind::List | Kind::Map => json::parse(self.of(row).as_bytes()).ok()?,
        })
    }

    /// Whether it is null or empty text.
    pub(super) fn is_empty(&self) -> bool {
        self.kind == Kind::Null || (self.kind == Kind::Text && self.start == self.end)
    }

    /// Writes it as [`json::write`] writes what the plain reader gives.
    pub(super) fn write(&self, row: &str, out: &mut Vec<u8>) {
        match self.kind {
            Kind::Missing | Kind::Null => out.extend_from_slice(b"null"),
            Kind::True => out.extend_from_slice(b"true"),
            Kind::False => out.extend_from_slice(b"false"),
            Kind::Number => out.extend_from_slice(self.bytes(row)),
            Kind::Text => match self.with_quotes(row) {
                Some(text) => out.extend_from_slice(text),
                None => {
                    out.push(b'"');
                    self.write_inside(row, out);
                    out.push(b'"');
                }
            },
            Kind::List | Kind::Map => {
                // Blanks between its parts and other ways to escape do not stay.
                if let Some(value) = self.value(row) {
                    json::write(&value, out);
                }
            }
        }
    }

    /// The inside of a text, as it stands between quotes.
    pub(super) fn write_inside(&self, row: &str, out: &mut Vec<u8>) {
        match self.escapes {
            Escapes::None | Escapes::Ours => out.extend_from_slice(self.bytes(row)),
            Escapes::Others => write_escaped(&unescaped(self.of(row)), out),
        }
    }
}

/// The inside of a JSON text.
pub(super) fn write_escaped(text: &str, out: &mut Vec<u8>) {
    if text
        .bytes()
        .all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
    {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let begin = out.len();
    json::write_text(text, out);
    // Without its quotes.
    out.pop();
    out.remove(begin);
}

/// Writes a whole JSON text.
pub(super) fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    write_escaped(text, out);
    out.push(b'"');
}

/// What the inside of a text says; the scanner has seen that its escapes are escapes.
pub(super) fn unescaped(inside: &str) -> String {
    let mut text = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let bytes = rest.as_bytes();
        let mut length = 2;
        text.push(match bytes.get(at + 1) {
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                length = 6;
                let first = hex4(bytes, at + 2).unwrap_or(0);
                let code = if (0xd800..0xdc00).contains(&first) {
                    length = 12;
                    let second = hex4(bytes, at + 8).unwrap_or(0xdc00);
                    0x10000 + ((first - 0xd800) << 10) + second.saturating_sub(0xdc00)
                } else {
                    first
                };
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            Some(byte) => char::from(*byte),
            None => '\\',
        });
        rest = rest.get(at + length..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

/// Four hexadecimal digits.
pub(super) fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.iter().try_fold(0, |number, byte| {
        Some(number << 4 | char::from(*byte).to_digit(16)?)
    })
}
