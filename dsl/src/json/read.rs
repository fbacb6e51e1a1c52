//! Bytes to values.

use super::{JsonError, JsonFault, MAX_DEPTH};
use crate::value::{Map, Number, Value};

/// Reads bytes that are exactly one JSON value. A byte order mark in front is skipped: some servers send one.
///
/// A name that appears twice in one map is an error: whichever of the two a reader takes, the other is lost.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    read(bytes, MAX_DEPTH)
}

/// The same for a document of ours, in which a row as deep as may be stands at some place.
pub(crate) fn parse_own(bytes: &[u8]) -> Result<Value, JsonError> {
    read(bytes, 4 * MAX_DEPTH)
}

fn read(bytes: &[u8], most: usize) -> Result<Value, JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|error| JsonError {
        offset: error.valid_up_to(),
        what: JsonFault::Utf8,
    })?;
    let at = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let mut reader = Reader {
        text,
        at,
        depth: 0,
        most,
    };
    let value = reader.value()?;
    reader.blanks();
    if reader.at < text.len() {
        return Err(reader.fault(JsonFault::Trailing));
    }
    Ok(value)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// Deepest nesting that is read.
    most: usize,
}

impl Reader<'_> {
    fn fault(&self, what: JsonFault) -> JsonError {
        JsonError {
            offset: self.at,
            what,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// What is wrong where something else was wanted.
    fn unexpected(&self) -> JsonError {
        self.fault(if self.at < self.text.len() {
            JsonFault::Unexpected
        } else {
            JsonFault::End
        })
    }

    fn value(&mut self) -> Result<Value, JsonError> {
        self.blanks();
        match self.peek() {
            Some(b'{') => self.nested(Self::map),
            Some(b'[') => self.nested(Self::list),
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.unexpected()),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, JsonError>) -> Result<Value, JsonError> {
        if self.depth == self.most {
            return Err(self.fault(JsonFault::Depth));
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.fault(JsonFault::Unexpected));
        }
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let rest = &self.text[self.at..];
        let is_part = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
        let length = rest.bytes().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let number = Number::parse(&rest[..length]).ok_or_else(|| self.fault(JsonFault::Number))?;
        self.at += length;
        Ok(Value::Number(number))
    }

    fn list(&mut self) -> Result<Value, JsonError> {
        let mut list = Vec::new();
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(list));
        }
        loop {
            list.push(self.value()?);
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::List(list));
                }
                _ => return Err(self.unexpected()),
            }
        }
    }

    fn map(&mut self) -> Result<Value, JsonError> {
        let mut map = Map::new();
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Map(map));
        }
        loop {
            self.blanks();
            let name_at = self.at;
            let name = match self.peek() {
                Some(b'"') => self.string()?,
                _ => return Err(self.unexpected()),
            };
            self.blanks();
            match self.peek() {
                Some(b':') => self.at += 1,
                _ => return Err(self.unexpected()),
            }
            if map.contains_key(&name) {
                return Err(JsonError {
                    offset: name_at,
                    what: JsonFault::Duplicate(name),
                });
            }
            let value = self.value()?;
            map.insert(name, value);
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::Map(map));
                }
                _ => return Err(self.unexpected()),
            }
        }
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let end = rest
                .bytes()
                .position(|byte| byte < 0x20 || matches!(byte, b'"' | b'\\'))
                .unwrap_or(rest.len());
            out.push_str(&rest[..end]);
            self.at += end;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => return Err(self.fault(JsonFault::Control)),
                None => return Err(self.fault(JsonFault::End)),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let fault = self.fault(JsonFault::Escape);
        self.at += 1;
        let char = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode().ok_or(fault);
            }
            _ => return Err(fault),
        };
        self.at += 1;
        Ok(char)
    }

    /// The character of `\uXXXX`, or of two that make a surrogate pair; reading stands behind the first `\u`.
    fn unicode(&mut self) -> Option<char> {
        let first = self.hex4()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        if !self.text[self.at..].starts_with("\\u") {
            return None;
        }
        self.at += 2;
        let second = self.hex4()?;
        let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + low)
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}
