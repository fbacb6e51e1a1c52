//! A value as a database gives it, with every digit it has.

use base64::Engine as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Bool(bool),
    /// A whole number or a decimal, in JSON's syntax.
    Number(String),
    Text(String),
    Bytes(Vec<u8>),
    /// A point in time; a clock's text without zone is [`Cell::Text`].
    Moment(Timestamp),
}

impl Cell {
    /// A number of floating point: the shortest text that gives it back.
    pub(crate) fn float(number: f64) -> Cell {
        Cell::of_float(number.is_finite(), number.to_string())
    }

    /// The same of half the width.
    pub(crate) fn short_float(number: f32) -> Cell {
        Cell::of_float(number.is_finite(), number.to_string())
    }

    fn of_float(is_finite: bool, text: String) -> Cell {
        match is_finite {
            true => Cell::Number(text),
            false => Cell::Text(text),
        }
    }

    /// A decimal as its database writes it; what JSON has no number for is a text.
    pub(crate) fn decimal(text: String) -> Cell {
        let digits = text.strip_prefix('-').unwrap_or(&text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match all_digits(whole) && all_digits(fraction) && (whole.len() == 1 || !whole.starts_with('0')) {
            true => Cell::Number(text),
            false => Cell::Text(text),
        }
    }

    /// How many bytes it takes in an answer, about.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Cell::Null | Cell::Bool(_) => 5,
            Cell::Number(text) => text.len(),
            Cell::Text(text) => text.len() + 2,
            Cell::Bytes(bytes) => bytes.len() / 3 * 4 + 6,
            Cell::Moment(_) => 32,
        }
    }

    /// Adds it to an answer.
    pub(crate) fn write(&self, out: &mut String, zone: &TimeZone) {
        match self {
            Cell::Null => out.push_str("null"),
            Cell::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Cell::Number(text) => out.push_str(text),
            Cell::Text(text) => quote(text, out),
            Cell::Bytes(bytes) => quote(&base64::engine::general_purpose::STANDARD.encode(bytes), out),
            Cell::Moment(at) => quote(&clock(*at, zone), out),
        }
    }

    /// Adds it as the place where the next page begins: an instant without regard to any zone, because a clock shows
    /// an hour of autumn twice.
    pub(crate) fn write_key(&self, out: &mut String) {
        match self {
            Cell::Moment(at) => quote(&format!("{}+00:00", clock(*at, &TimeZone::UTC)), out),
            other => other.write(out, &TimeZone::UTC),
        }
    }
}

/// `2026-11-20 08:15:00.25`, without zeros at its end.
fn clock(at: Timestamp, zone: &TimeZone) -> String {
    let zoned = at.to_zoned(zone.clone());
    let seconds = zoned.strftime("%Y-%m-%d %H:%M:%S").to_string();
    seconds + &fraction(u32::try_from(zoned.subsec_nanosecond()).unwrap_or(0))
}

/// `.25` of so many nanoseconds; nothing of none.
pub(crate) fn fraction(nanoseconds: u32) -> String {
    match nanoseconds {
        0 => String::new(),
        some => format!(".{some:09}").trim_end_matches('0').to_owned(),
    }
}

/// Adds a text in JSON's quotes.
pub(crate) fn quote(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            char if u32::from(char) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(char))),
            char => out.push(char),
        }
    }
    out.push('"');
}
