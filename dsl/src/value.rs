//! The value of a field, as it travels from a source row to a target document.
//!
//! Promises that a value leaves as it came: numbers keep their text, maps keep their order, and nothing is
//! ever a float. Arithmetic is left to the expression language, reading and writing JSON to [`crate::json`].

use std::fmt;

/// The members of a map, in the order in which they were written.
pub type Map = indexmap::IndexMap<String, Value>;

/// One value: what JSON can say, and an instant that has not been printed yet.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// JSON `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number with the digits it was written with.
    Number(Number),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A map; the order of its members is kept and sent.
    Map(Map),
    /// A point in time. It has no text of its own: a filter says how it is printed.
    Instant(Instant),
}

/// What a value is, without the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// Text.
    Text,
    /// A list.
    List,
    /// A map.
    Map,
    /// A point in time.
    Instant,
}

impl Kind {
    /// The word for this kind in messages and documentation.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Bool => "bool",
            Kind::Number => "number",
            Kind::Text => "text",
            Kind::List => "list",
            Kind::Map => "map",
            Kind::Instant => "instant",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A number as it was written, in JSON's syntax. Two numbers are equal when their texts are: `1.5` is not `1.50`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Number(Box<str>);

impl Number {
    /// Takes a text that is exactly one JSON number.
    ///
    /// ```
    /// use dsl::value::Number;
    /// assert_eq!(Number::parse("1.50").unwrap().as_str(), "1.50");
    /// assert!(Number::parse("00123").is_none());
    /// assert!(Number::parse("+8").is_none());
    /// ```
    pub fn parse(text: &str) -> Option<Number> {
        is_json_number(text.as_bytes()).then(|| Number(text.into()))
    }

    /// The digits as they were written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number as an integer, when it is written as one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Number(number.to_string().into())
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Number(number.to_string().into())
    }
}

/// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
fn is_json_number(text: &[u8]) -> bool {
    let rest = text.strip_prefix(b"-").unwrap_or(text);
    let Some(rest) = (match rest {
        [b'0', rest @ ..] => Some(rest),
        [b'1'..=b'9', rest @ ..] => Some(skip_digits(rest)),
        _ => None,
    }) else {
        return false;
    };
    let rest = match rest {
        [b'.', b'0'..=b'9', rest @ ..] => skip_digits(rest),
        _ => rest,
    };
    match rest {
        [] => true,
        [b'e' | b'E', b'+' | b'-', b'0'..=b'9', rest @ ..] | [b'e' | b'E', b'0'..=b'9', rest @ ..] => {
            skip_digits(rest).is_empty()
        }
        _ => false,
    }
}

fn skip_digits(text: &[u8]) -> &[u8] {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    &text[end..]
}

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    /// Milliseconds since the epoch.
    pub ms: i64,
}

impl Value {
    /// What this value is.
    pub fn kind(&self) -> Kind {
        match self {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Bool,
            Value::Number(_) => Kind::Number,
            Value::Text(_) => Kind::Text,
            Value::List(_) => Kind::List,
            Value::Map(_) => Kind::Map,
            Value::Instant(_) => Kind::Instant,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether this is `null` or empty text, which is what `$default` and `$empty` look at.
    pub fn is_empty(&self) -> bool {
        matches!(self, Value::Null) || matches!(self, Value::Text(text) if text.is_empty())
    }

    /// The text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The members, if this is a map.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The elements, if this is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// The member called `name`, if this is a map that has one.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_map()?.get(name)
    }

    /// The text of a scalar as a person would type it: a number with its digits, `true`, `false`, text.
    /// `None` for `null`, lists, maps, and for an instant, which only a filter may print.
    pub fn to_plain_text(&self) -> Option<String> {
        match self {
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Number(number) => Some(number.to_string()),
            Value::Text(text) => Some(text.clone()),
            Value::Null | Value::List(_) | Value::Map(_) | Value::Instant(_) => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Value::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Number(number.into())
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Value::Number(number)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Value::Map(map)
    }
}

impl From<Vec<Value>> for Value {
    fn from(list: Vec<Value>) -> Self {
        Value::List(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_json_numbers() {
        for good in [
            "0",
            "-0",
            "7",
            "-7",
            "1.50",
            "0.00",
            "12345678901234567890123",
            "1e3",
            "1.5E-7",
            "2e+0",
        ] {
            assert_eq!(Number::parse(good).as_ref().map(Number::as_str), Some(good));
        }
        for bad in [
            "", "-", "00123", "01", "+8", "1.", ".5", "1e", "1e+", "0x10", "1_000", "1 ", " 1", "NaN", "１",
        ] {
            assert_eq!(Number::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn equality_is_textual() {
        assert_ne!(Number::parse("1.5"), Number::parse("1.50"));
        assert_eq!(Number::parse("-7"), Some(Number::from(-7i64)));
        assert_eq!(Number::from(u64::MAX).as_str(), "18446744073709551615");
    }

    #[test]
    fn plain_text() {
        let text = |value: Value| value.to_plain_text();
        assert_eq!(
            text(Value::Number(Number::parse("1.50").unwrap())),
            Some("1.50".into())
        );
        assert_eq!(text(true.into()), Some("true".into()));
        assert_eq!(text("张三".into()), Some("张三".into()));
        assert_eq!(text(Value::Null), None);
        assert_eq!(text(Value::List(vec![])), None);
        assert_eq!(
            text(Value::Instant(Instant { ms: 0 })),
            None,
            "an instant is printed by a filter only"
        );
    }
}
