//! The values an expression computes with, and how the server turns one kind into another.
//!
//! Exact numbers are [`Decimal`]s, whole ones included. Text written in quotes counts as floating point in
//! arithmetic, as on the server; text that came bare from a record counts as the exact decimal it would have
//! been, had it been written into the expression. Only [`Double`] is ever a float.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::civil;

use super::text;
use super::time;
use crate::decimal::Decimal;
use crate::value::{Number, Value};

/// A value during evaluation.
#[derive(Debug, Clone)]
pub enum Sql<'a> {
    /// Unknown or absent.
    Null,
    /// An integer or a decimal, with its digits.
    Number(Decimal),
    /// Floating point: a literal with an exponent, or arithmetic with quoted text.
    Double(Double),
    /// Text.
    Text(Text<'a>),
    /// A day.
    Date(civil::Date),
    /// A day and a time of the scheme's zone.
    DateTime(DateTime),
    /// A length of time; only the operand of date arithmetic.
    Interval(Interval),
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
}

/// A civil date and time, shown with `fraction` digits after the seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime {
    /// The clock's reading.
    pub at: civil::DateTime,
    /// Digits of a second that are shown, 0 to 6.
    pub fraction: u8,
}

/// `INTERVAL n UNIT`: months are counted apart, because they have no fixed length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Months and years.
    pub months: i64,
    /// Everything shorter, in microseconds.
    pub micros: i64,
    /// Whether it is made of whole days, months and years, so that a day stays a day.
    pub whole_days: bool,
}

/// A number of either sort.
#[derive(Debug, Clone)]
pub enum Num {
    /// Exact.
    Exact(Decimal),
    /// Floating point.
    Float(Double),
}

impl<'a> Sql<'a> {
    /// TRUE is 1, FALSE is 0.
    pub fn bool(value: bool) -> Sql<'static> {
        Sql::Number(Decimal::from(value))
    }

    /// A whole number.
    pub fn int(value: i64) -> Sql<'static> {
        Sql::Number(Decimal::from(value))
    }

    /// Text that an expression made.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Sql<'a> {
        Sql::Text(Text {
            text: text.into(),
            bare: false,
        })
    }

    /// Whether it is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Sql::Null)
    }

    /// Cut loose from what it borrows.
    pub fn into_owned(self) -> Sql<'static> {
        match self {
            Sql::Null => Sql::Null,
            Sql::Number(number) => Sql::Number(number),
            Sql::Double(double) => Sql::Double(double),
            Sql::Text(Text { text, bare }) => Sql::Text(Text {
                text: Cow::Owned(text.into_owned()),
                bare,
            }),
            Sql::Date(date) => Sql::Date(date),
            Sql::DateTime(at) => Sql::DateTime(at),
            Sql::Interval(interval) => Sql::Interval(interval),
        }
    }

    /// A copy that borrows from this one.
    pub fn borrowed(&self) -> Sql<'_> {
        match self {
            Sql::Text(Text { text, bare }) => Sql::Text(Text {
                text: Cow::Borrowed(text),
                bare: *bare,
            }),
            other => other.clone_scalar(),
        }
    }

    fn clone_scalar(&self) -> Sql<'static> {
        match self {
            Sql::Null | Sql::Text(_) => Sql::Null,
            Sql::Number(number) => Sql::Number(number.clone()),
            Sql::Double(double) => Sql::Double(*double),
            Sql::Date(date) => Sql::Date(*date),
            Sql::DateTime(at) => Sql::DateTime(*at),
            Sql::Interval(interval) => Sql::Interval(*interval),
        }
    }

    /// As text, printed as the server prints it; `None` for NULL.
    pub fn to_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Sql::Null | Sql::Interval(_) => None,
            Sql::Number(number) => Some(Cow::Owned(number.to_string())),
            Sql::Double(double) => Some(Cow::Owned(double.to_string())),
            Sql::Text(text) => Some(Cow::Borrowed(&text.text)),
            Sql::Date(date) => Some(Cow::Owned(date.to_string())),
            Sql::DateTime(at) => Some(Cow::Owned(time::print(at))),
        }
    }

    /// As a number; text gives its numeric beginning, or zero. `None` for NULL.
    pub fn to_num(&self) -> Option<Num> {
        match self {
            Sql::Null | Sql::Interval(_) => None,
            Sql::Number(number) => Some(Num::Exact(number.clone())),
            Sql::Double(double) => Some(Num::Float(*double)),
            Sql::Text(Text { text, bare: true }) => Some(exact_prefix(text)),
            Sql::Text(Text { text, bare: false }) => Some(Num::Float(Double::new(float_prefix(text)))),
            Sql::Date(date) => Some(Num::Exact(time::date_number(*date))),
            Sql::DateTime(at) => Some(Num::Exact(time::datetime_number(at))),
        }
    }

    /// As an exact number: floating point by the digits it prints. `None` for NULL.
    pub fn to_decimal(&self) -> Option<Decimal> {
        match self {
            // Quoted text that is a plain decimal needs no detour through floating point.
            Sql::Text(Text { text, .. }) => match exact_prefix(text) {
                Num::Exact(number) => Some(number),
                Num::Float(double) => Some(double.to_decimal()),
            },
            other => match other.to_num()? {
                Num::Exact(number) => Some(number),
                Num::Float(double) => Some(double.to_decimal()),
            },
        }
    }

    /// Whether a condition holds; `None` for NULL.
    pub fn truth(&self) -> Option<bool> {
        Some(match self.to_num()? {
            Num::Exact(number) => !number.is_zero(),
            Num::Float(double) => double.value != 0.0,
        })
    }

    /// The JSON value it is sent as: a number keeps its digits.
    pub fn to_value(&self) -> Value {
        let number = |text: String| match Number::parse(&text) {
            Some(number) => Value::Number(number),
            None => Value::Text(text),
        };
        match self {
            Sql::Null | Sql::Interval(_) => Value::Null,
            Sql::Number(decimal) => number(decimal.to_string()),
            Sql::Double(double) => number(double.to_string()),
            Sql::Text(text) => Value::Text(text.text.to_string()),
            Sql::Date(_) | Sql::DateTime(_) => self
                .to_text()
                .map_or(Value::Null, |text| Value::Text(text.into_owned())),
        }
    }
}

impl Num {
    /// As floating point.
    pub fn to_f64(&self) -> f64 {
        match self {
            Num::Exact(number) => decimal_to_f64(number),
            Num::Float(double) => double.value,
        }
    }

    /// How many digits it shows after the point; `None` when that is left to the number.
    pub fn decimals(&self) -> Option<u8> {
        match self {
            Num::Exact(number) => Some(number.scale()),
            Num::Float(double) => double.decimals,
        }
    }
}

/// The nearest float; a decimal is finite and prints as a number, so it always parses.
pub fn decimal_to_f64(number: &Decimal) -> f64 {
    number.to_full_string().parse().unwrap_or(0.0)
}

impl Double {
    /// A number that shows all its digits.
    pub fn new(value: f64) -> Double {
        Double {
            value,
            decimals: None,
        }
    }

    /// By the digits it prints. Beyond the decimals' range: the largest there are.
    pub fn to_decimal(self) -> Decimal {
        let shown = self.to_string();
        Decimal::parse_json(&shown).unwrap_or_else(|| {
            let huge = self.value.abs() >= 1.0;
            let edge = if huge { "9".repeat(65) } else { "0".to_owned() };
            let edge = Decimal::parse(&edge).unwrap_or(Decimal::ZERO);
            if self.value < 0.0 { edge.neg() } else { edge }
        })
    }
}

/// As the server prints it: the shortest digits that read back the same, an exponent below 1e-15 and from 1e15.
impl std::fmt::Display for Double {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.value == 0.0 && self.decimals.is_none() {
            return f.write_str("0");
        }
        if let Some(decimals) = self.decimals {
            let text = format!("{:.*}", usize::from(decimals), self.value);
            let zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
            return f.write_str(if zero { text.trim_start_matches('-') } else { &text });
        }
        let scientific = format!("{:e}", self.value);
        let exponent: i32 = scientific
            .split_once('e')
            .and_then(|(_, e)| e.parse().ok())
            .unwrap_or(0);
        if (-15..15).contains(&exponent) {
            write!(f, "{}", self.value)
        } else {
            f.write_str(&scientific)
        }
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

fn float_prefix(text: &str) -> f64 {
    let value: f64 = numeric_prefix(text).0.parse().unwrap_or(0.0);
    value.clamp(f64::MIN, f64::MAX)
}

fn exact_prefix(text: &str) -> Num {
    let (prefix, exponent) = numeric_prefix(text);
    if prefix.is_empty() {
        return Num::Exact(Decimal::ZERO);
    }
    let exact = if exponent {
        Decimal::parse_json(prefix)
    } else {
        Decimal::parse(prefix)
    };
    exact.map_or_else(|| Num::Float(Double::new(float_prefix(prefix))), Num::Exact)
}

/// Compares as the server does; `None` when either is NULL.
///
/// Text with text ignores case and trailing blanks; a time with text is compared as times when the text is
/// one; everything else is numeric. Exact numbers are compared exactly, with text too: two 19-digit ids that
/// differ in their last digit are never equal. Two bare texts that are both written as JSON numbers (so not
/// `00123`) are compared as the numbers they are.
pub fn compare(a: &Sql<'_>, b: &Sql<'_>) -> Option<Ordering> {
    match (a, b) {
        (Sql::Null | Sql::Interval(_), _) | (_, Sql::Null | Sql::Interval(_)) => None,
        (Sql::Text(x), Sql::Text(y)) => {
            if x.bare && y.bare && Number::parse(&x.text).is_some() && Number::parse(&y.text).is_some() {
                return compare_numbers(a, b);
            }
            Some(text::compare(&x.text, &y.text))
        }
        (Sql::Date(_) | Sql::DateTime(_), Sql::Text(_) | Sql::Date(_) | Sql::DateTime(_))
        | (Sql::Text(_), Sql::Date(_) | Sql::DateTime(_)) => match (time::civil(a), time::civil(b)) {
            (Some(x), Some(y)) => Some(x.cmp(&y)),
            _ => Some(text::compare(&a.to_text()?, &b.to_text()?)),
        },
        _ => compare_numbers(a, b),
    }
}

/// Compares as numbers, whatever they are; `None` when either is NULL.
pub fn compare_numbers(a: &Sql<'_>, b: &Sql<'_>) -> Option<Ordering> {
    let exact = |value: &Sql<'_>| match value {
        Sql::Text(text) => match exact_prefix(&text.text) {
            Num::Exact(number) => Some(number),
            Num::Float(_) => None,
        },
        Sql::Number(number) => Some(number.clone()),
        _ => None,
    };
    if !matches!(a, Sql::Double(_))
        && !matches!(b, Sql::Double(_))
        && let (Some(x), Some(y)) = (exact(a), exact(b))
    {
        return Some(x.cmp(&y));
    }
    a.to_num()?.to_f64().partial_cmp(&b.to_num()?.to_f64())
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

    #[test]
    fn comparison() {
        let (quoted, number) = (
            |t: &'static str| Sql::text(t),
            |t: &str| Sql::Number(Decimal::parse(t).unwrap()),
        );
        let bare = |t: &'static str| {
            Sql::Text(Text {
                text: t.into(),
                bare: true,
            })
        };
        let rows = [
            (quoted("9"), quoted("70"), Ordering::Greater),
            (quoted("9"), number("70"), Ordering::Less),
            (bare("9"), bare("70"), Ordering::Less),
            (bare("00123"), bare("123"), Ordering::Less),
            (bare("1.50"), bare("1.5"), Ordering::Equal),
            (quoted("ABC"), quoted("abc  "), Ordering::Equal),
            (quoted(""), number("0"), Ordering::Equal),
            (quoted("12abc"), number("12.00"), Ordering::Equal),
            (
                quoted("1234567890123456789"),
                number("1234567890123456788"),
                Ordering::Greater,
            ),
        ];
        for (a, b, want) in rows {
            assert_eq!(compare(&a, &b), Some(want), "{a:?} {b:?}");
        }
        assert_eq!(compare(&Sql::Null, &number("1")), None);
    }
}
