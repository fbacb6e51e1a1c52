//! The values an expression computes with, and how the server turns one kind into another.
//!
//! Whole numbers are 64-bit integers with or without a sign, as on the server; everything else that is exact is a
//! [`Decimal`]. Text written in quotes counts as floating point in arithmetic; text that came bare from a record
//! counts as the number it would have been, had it been written into the expression. Only [`Double`] is ever a
//! float. What type a value has before it is known stands in [`super::ty`].

use std::borrow::Cow;

pub use super::compare::{compare, compare_numbers};
pub use super::time::{Date, DateTime, Time, Unit};
pub use super::ty::{NOT_FIXED, Ty, TyKind};
use crate::decimal::Decimal;
use crate::value::{Number, Value};

/// A value during evaluation.
#[derive(Debug, Clone)]
pub enum Sql<'a> {
    /// Unknown or absent.
    Null,
    /// A whole number; also TRUE and FALSE.
    Int(Int),
    /// An exact number with its digits.
    Decimal(Decimal),
    /// Floating point: a literal with an exponent, or arithmetic with quoted text.
    Double(Double),
    /// Text.
    Text(Text<'a>),
    /// Bytes, which are compared byte by byte: `UNHEX`, `BINARY`.
    Bytes(Cow<'a, [u8]>),
    /// A day.
    Date(Date),
    /// A time of the day, or a length of time.
    Time(Time),
    /// A day and a time of the scheme's zone.
    DateTime(DateTime),
    /// A length of time; only the operand of date arithmetic.
    Interval(Interval),
}

/// A BIGINT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Int {
    /// With a sign.
    Signed(i64),
    /// Without one.
    Unsigned(u64),
}

/// A floating-point number and how many digits it shows: all that matter, unless `ROUND` fixed them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Double {
    /// The number; finite.
    pub value: f64,
    /// Digits after the point, when they are fixed.
    pub decimals: Option<u8>,
}

/// Text, and whether it came bare from a record.
#[derive(Debug, Clone)]
pub struct Text<'a> {
    /// The characters.
    pub text: Cow<'a, str>,
    /// A bare placeholder gave it: as a number it is exact.
    pub bare: bool,
    /// A function that moves times gave it: read as a time or a number it is the time it shows.
    pub moment: bool,
}

/// `INTERVAL n UNIT`: months are counted apart, because they have no fixed length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Months and years.
    pub months: i64,
    /// Everything shorter, in microseconds.
    pub micros: i64,
    /// What it was written in: it decides whether a day stays a day.
    pub unit: Unit,
    /// Digits of a second that the result shows at least.
    pub digits: u8,
}

/// A number of any sort.
#[derive(Debug, Clone)]
pub enum Num {
    /// A whole number.
    Int(Int),
    /// Exact.
    Exact(Decimal),
    /// Floating point.
    Float(Double),
}

impl Int {
    /// The number, whichever way it is kept.
    pub fn wide(self) -> i128 {
        match self {
            Int::Signed(value) => i128::from(value),
            Int::Unsigned(value) => i128::from(value),
        }
    }

    /// `value` as a BIGINT with or without a sign; `None` when it does not fit.
    pub fn fit(value: i128, unsigned: bool) -> Option<Int> {
        if unsigned {
            u64::try_from(value).ok().map(Int::Unsigned)
        } else {
            i64::try_from(value).ok().map(Int::Signed)
        }
    }

    /// A literal: unsigned only when it needs the room.
    pub fn literal(value: i128) -> Option<Int> {
        Int::fit(value, false).or_else(|| Int::fit(value, true))
    }

    /// Whether it is without a sign.
    pub fn is_unsigned(self) -> bool {
        matches!(self, Int::Unsigned(_))
    }

    /// The same number as a decimal without a fraction.
    pub fn to_decimal(self) -> Decimal {
        Decimal::from(self.wide())
    }

    /// The number as the server hands it to what counts in 64 bits with a sign: the nearest that fits.
    pub fn clamped(self) -> i64 {
        i64::try_from(self.wide()).unwrap_or(i64::MAX)
    }
}

impl<'a> Sql<'a> {
    /// TRUE is 1, FALSE is 0.
    pub fn bool(value: bool) -> Sql<'static> {
        Sql::int(i64::from(value))
    }

    /// A whole number.
    pub fn int(value: i64) -> Sql<'static> {
        Sql::Int(Int::Signed(value))
    }

    /// A whole number without a sign.
    pub fn unsigned(value: u64) -> Sql<'static> {
        Sql::Int(Int::Unsigned(value))
    }

    /// Text that an expression made.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Sql<'a> {
        Sql::Text(Text {
            text: text.into(),
            bare: false,
            moment: false,
        })
    }

    /// Text that shows a time, as a function that moves times gives it for text.
    pub fn moment(text: impl Into<Cow<'a, str>>) -> Sql<'a> {
        Sql::Text(Text {
            text: text.into(),
            bare: false,
            moment: true,
        })
    }

    /// Bytes that an expression made.
    pub fn bytes(bytes: impl Into<Cow<'a, [u8]>>) -> Sql<'a> {
        Sql::Bytes(bytes.into())
    }

    /// Whether it is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Sql::Null)
    }

    /// Cut loose from what it borrows.
    pub fn into_owned(self) -> Sql<'static> {
        match self {
            Sql::Text(Text { text, bare, moment }) => Sql::Text(Text {
                text: Cow::Owned(text.into_owned()),
                bare,
                moment,
            }),
            Sql::Bytes(bytes) => Sql::Bytes(Cow::Owned(bytes.into_owned())),
            other => other.clone_scalar(),
        }
    }

    /// A copy that borrows from this one.
    pub fn borrowed(&self) -> Sql<'_> {
        match self {
            Sql::Text(Text { text, bare, moment }) => Sql::Text(Text {
                text: Cow::Borrowed(text),
                bare: *bare,
                moment: *moment,
            }),
            Sql::Bytes(bytes) => Sql::Bytes(Cow::Borrowed(bytes)),
            other => other.clone_scalar(),
        }
    }

    fn clone_scalar(&self) -> Sql<'static> {
        match self {
            Sql::Null | Sql::Text(_) | Sql::Bytes(_) => Sql::Null,
            Sql::Int(int) => Sql::Int(*int),
            Sql::Decimal(number) => Sql::Decimal(number.clone()),
            Sql::Double(double) => Sql::Double(*double),
            Sql::Date(date) => Sql::Date(*date),
            Sql::Time(time) => Sql::Time(*time),
            Sql::DateTime(at) => Sql::DateTime(*at),
            Sql::Interval(interval) => Sql::Interval(*interval),
        }
    }

    /// As text, printed as the server prints it; `None` for NULL. Bytes that are no text show a replacement
    /// character; [`Sql::to_value`] refuses them.
    pub fn to_text(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Sql::Null | Sql::Interval(_) => return None,
            Sql::Int(int) => Cow::Owned(int.wide().to_string()),
            Sql::Decimal(number) => Cow::Owned(number.to_string()),
            Sql::Double(double) => Cow::Owned(double.to_string()),
            Sql::Text(text) => Cow::Borrowed(&text.text),
            Sql::Bytes(bytes) => String::from_utf8_lossy(bytes),
            Sql::Date(date) => Cow::Owned(date.to_string()),
            Sql::Time(time) => Cow::Owned(time.to_string()),
            Sql::DateTime(at) => Cow::Owned(at.to_string()),
        })
    }

    /// The bytes of its text; `None` for NULL.
    pub fn to_bytes(&self) -> Option<Cow<'_, [u8]>> {
        Some(match self {
            Sql::Bytes(bytes) => Cow::Borrowed(bytes),
            other => match other.to_text()? {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            },
        })
    }

    /// As a number; text gives its numeric beginning, or zero. `None` for NULL.
    pub fn to_num(&self) -> Option<Num> {
        Some(match self {
            Sql::Null | Sql::Interval(_) => return None,
            Sql::Int(int) => Num::Int(*int),
            Sql::Decimal(number) => Num::Exact(number.clone()),
            Sql::Double(double) => Num::Float(*double),
            Sql::Text(Text { moment: true, .. }) => {
                let number = super::time::moment(self)?.to_num()?;
                Num::Float(Double::new(number.to_f64()))
            }
            Sql::Text(Text { text, bare: true, .. }) => exact_prefix(text),
            Sql::Text(Text { text, .. }) => Num::Float(Double::new(float_prefix(text))),
            Sql::Bytes(bytes) => Num::Float(Double::new(float_prefix(&String::from_utf8_lossy(bytes)))),
            Sql::Date(date) => Num::Int(Int::Signed(date.number())),
            Sql::Time(time) => time.number(),
            Sql::DateTime(at) => at.number(),
        })
    }

    /// As an exact number: floating point by the digits it prints. `None` for NULL.
    pub fn to_decimal(&self) -> Option<Decimal> {
        let number = match self {
            Sql::Text(Text { moment: true, .. }) => super::time::moment(self)?.to_num()?,
            // Quoted text that is a plain decimal needs no detour through floating point.
            Sql::Text(Text { text, .. }) => exact_prefix(text),
            other => other.to_num()?,
        };
        Some(number.to_decimal())
    }

    /// As a 64-bit whole number, as the server asks a value for one: text gives its leading integer, a decimal and
    /// a float are rounded, a time leaves its fraction out, what does not fit becomes the nearest that does. `None`
    /// for NULL.
    pub fn to_int(&self) -> Option<Int> {
        let text = match self {
            Sql::Text(text) if !text.moment => Cow::Borrowed(&*text.text),
            Sql::Bytes(bytes) => String::from_utf8_lossy(bytes),
            Sql::Time(_) | Sql::DateTime(_) => {
                let whole = self.to_decimal()?.truncate(0).ok()?;
                return Some(Num::Exact(whole).to_int());
            }
            other => return Some(other.to_num()?.to_int()),
        };
        Some(int_prefix(&text))
    }

    /// Whether a condition holds; `None` for NULL.
    pub fn truth(&self) -> Option<bool> {
        Some(match self.to_num()? {
            Num::Int(int) => int.wide() != 0,
            Num::Exact(number) => !number.is_zero(),
            Num::Float(double) => double.value != 0.0,
        })
    }

    /// The JSON value it is sent as: a number keeps its digits. `None` for bytes that are no text.
    pub fn to_value(&self) -> Option<Value> {
        let number = |text: String| match Number::parse(&text) {
            Some(number) => Value::Number(number),
            None => Value::Text(text),
        };
        Some(match self {
            Sql::Null | Sql::Interval(_) => Value::Null,
            Sql::Int(int) => number(int.wide().to_string()),
            Sql::Decimal(decimal) => number(decimal.to_string()),
            Sql::Double(double) => number(double.to_string()),
            Sql::Text(text) => Value::Text(text.text.to_string()),
            Sql::Bytes(bytes) => Value::Text(std::str::from_utf8(bytes).ok()?.to_owned()),
            Sql::Date(_) | Sql::Time(_) | Sql::DateTime(_) => self
                .to_text()
                .map_or(Value::Null, |text| Value::Text(text.into_owned())),
        })
    }
}

impl Num {
    /// As floating point.
    pub fn to_f64(&self) -> f64 {
        match self {
            // The nearest float is what the server computes with.
            Num::Int(int) => decimal_to_f64(&int.to_decimal()),
            Num::Exact(number) => decimal_to_f64(number),
            Num::Float(double) => double.value,
        }
    }

    /// As an exact number: floating point by the digits it prints.
    pub fn to_decimal(&self) -> Decimal {
        match self {
            Num::Int(int) => int.to_decimal(),
            Num::Exact(number) => number.clone(),
            Num::Float(double) => double.to_decimal(),
        }
    }

    /// Rounded to a whole number; what does not fit becomes the nearest that does.
    pub fn to_int(&self) -> Int {
        match self {
            Num::Int(int) => *int,
            Num::Exact(number) => {
                Int::Signed(
                    number
                        .to_i64()
                        .unwrap_or(if number.is_negative() { i64::MIN } else { i64::MAX }),
                )
            }
            Num::Float(double) => {
                let edge = if double.value < 0.0 { i64::MIN } else { i64::MAX };
                let whole = double.to_whole().and_then(|whole| i64::try_from(whole).ok());
                Int::Signed(whole.unwrap_or(edge))
            }
        }
    }

    /// How many digits it shows after the point; `None` when that is left to the number.
    pub fn decimals(&self) -> Option<u8> {
        match self {
            Num::Int(_) => Some(0),
            Num::Exact(number) => Some(number.scale()),
            Num::Float(double) => double.decimals,
        }
    }

    /// The value it is.
    pub fn into_sql(self) -> Sql<'static> {
        match self {
            Num::Int(int) => Sql::Int(int),
            Num::Exact(number) => Sql::Decimal(number),
            Num::Float(double) => Sql::Double(double),
        }
    }
}

/// The nearest float; a decimal is finite and prints as a number, so it always parses.
pub fn decimal_to_f64(number: &Decimal) -> f64 {
    number.to_full_string().parse().unwrap_or(0.0)
}

/// The integer at the start of a text, as `'12.9'` gives 12.
fn int_prefix(text: &str) -> Int {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r']);
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let end = digits.bytes().take_while(u8::is_ascii_digit).count();
    // Beyond twenty digits only the edge is left.
    let value = digits[..end].bytes().try_fold(0i128, |sum, digit| {
        sum.checked_mul(10)?.checked_add(i128::from(digit - b'0'))
    });
    let value = value.unwrap_or(i128::MAX);
    if negative {
        Int::Signed(i64::try_from(-value).unwrap_or(i64::MIN))
    } else {
        Int::literal(value).unwrap_or(Int::Unsigned(u64::MAX))
    }
}

impl Double {
    /// A number that shows all its digits.
    pub fn new(value: f64) -> Double {
        Double {
            value,
            decimals: None,
        }
    }

    /// The nearest whole number, a half to the even side, with all its digits; `None` beyond 128 bits.
    pub fn to_whole(self) -> Option<i128> {
        format!("{:.0}", self.value.round_ties_even()).parse().ok()
    }

    /// By the digits it prints. Beyond the decimals' range: the largest there are.
    pub fn to_decimal(self) -> Decimal {
        // All of them: those that ROUND hides are still there.
        let digits = Double::new(self.value).to_string();
        Decimal::parse_json(&digits).unwrap_or_else(|| {
            let huge = self.value.abs() >= 1.0;
            let edge = if huge { "9".repeat(65) } else { "0".to_owned() };
            let edge = Decimal::parse(&edge).unwrap_or(Decimal::ZERO);
            if self.value < 0.0 { edge.neg() } else { edge }
        })
    }
}

/// As the server prints it: the shortest digits that read back the same; an exponent below 1e-15, and from 1e15
/// unless there is a fraction to show. With a fixed number of digits the shortest are filled up with zeros, and
/// only more than fit are rounded.
impl std::fmt::Display for Double {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scientific = shortest(self.value);
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        if let Some(decimals) = self.decimals {
            let decimals = usize::from(decimals);
            let mut text = plain(mantissa, exponent);
            let fraction = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            if fraction > decimals {
                text = format!("{:.decimals$}", self.value);
            } else {
                if fraction == 0 && decimals > 0 {
                    text.push('.');
                }
                text.extend(std::iter::repeat_n('0', decimals - fraction));
            }
            let zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
            return f.write_str(if zero { text.trim_start_matches('-') } else { &text });
        }
        if self.value == 0.0 {
            return f.write_str("0");
        }
        let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
        let has_fraction = i32::try_from(digits).is_ok_and(|digits| digits > exponent + 1);
        if exponent >= -15 && (exponent < 15 || has_fraction) {
            f.write_str(&plain(mantissa, exponent))
        } else {
            f.write_str(&scientific)
        }
    }
}

/// The shortest digits that read back the same, with an exponent. Of two that are equally near the server takes
/// the even one; only numbers with many digits can lie between two.
fn shortest(value: f64) -> String {
    let text = format!("{value:e}");
    let digits = text
        .bytes()
        .take_while(|byte| *byte != b'e')
        .filter(u8::is_ascii_digit)
        .count();
    if digits < 16 {
        return text;
    }
    let even = format!("{value:.*e}", digits - 1);
    if even.parse() == Ok(value) { even } else { text }
}

/// `-1.5` and 3 as `-1500`.
fn plain(mantissa: &str, exponent: i32) -> String {
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    match usize::try_from(exponent) {
        Err(_) => {
            let zeros = usize::try_from(exponent.unsigned_abs())
                .unwrap_or(0)
                .saturating_sub(1);
            format!("{sign}0.{}{digits}", "0".repeat(zeros))
        }
        Ok(before) if before + 1 >= digits.len() => {
            format!("{sign}{digits}{}", "0".repeat(before + 1 - digits.len()))
        }
        Ok(before) => format!("{sign}{}.{}", &digits[..=before], &digits[before + 1..]),
    }
}

/// The length of the number at the start of `text`, blanks before it included.
fn numeric_prefix(text: &str) -> (&str, bool) {
    let trimmed = text.trim_start_matches([' ', '\t', '\n', '\r']);
    let bytes = trimmed.as_bytes();
    let digits = |from: usize| {
        bytes
            .get(from..)
            .map_or(0, |b| b.iter().take_while(|b| b.is_ascii_digit()).count())
    };
    let mut end = usize::from(matches!(bytes.first(), Some(b'-' | b'+')));
    let whole = digits(end);
    end += whole;
    let mut fraction = 0;
    if bytes.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        if whole + fraction > 0 {
            end += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return ("", false);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'-' | b'+')));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            return (&trimmed[..end + 1 + sign + exponent], true);
        }
    }
    (&trimmed[..end], false)
}

pub(super) fn float_prefix(text: &str) -> f64 {
    let value: f64 = numeric_prefix(text).0.parse().unwrap_or(0.0);
    value.clamp(f64::MIN, f64::MAX)
}

pub(super) fn exact_prefix(text: &str) -> Num {
    let (prefix, exponent) = numeric_prefix(text);
    if prefix.is_empty() {
        return Num::Int(Int::Signed(0));
    }
    if !exponent
        && let Ok(whole) = prefix.parse::<i128>()
        && let Some(int) = Int::literal(whole)
    {
        return Num::Int(int);
    }
    let exact = if exponent {
        Decimal::parse_json(prefix)
    } else {
        Decimal::parse(prefix)
    };
    exact.map_or_else(|| Num::Float(Double::new(float_prefix(prefix))), Num::Exact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_print_as_on_the_server() {
        let rows = [
            (0.1 + 0.2, "0.30000000000000004"),
            (1500.0, "1500"),
            (1e14, "100000000000000"),
            (1e15, "1e15"),
            (-1.5e20, "-1.5e20"),
            (1e-15, "0.000000000000001"),
            (1e-16, "1e-16"),
            (-0.0, "0"),
        ];
        for (value, want) in rows {
            assert_eq!(Double::new(value).to_string(), want);
        }
        assert_eq!(
            Double {
                value: 99.9,
                decimals: Some(2)
            }
            .to_string(),
            "99.90"
        );
        assert_eq!(
            Double {
                value: -0.0,
                decimals: Some(2)
            }
            .to_string(),
            "0.00"
        );
    }
}
