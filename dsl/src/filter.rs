//! Filters of placeholders (`<<created|date>>`) and the types of `$type`.
//!
//! Both take one value and give one value, or say that it does not fit. Null and empty text pass unchanged: what
//! happens to them is said by manners, not here. Times without a zone of their own are read and printed in the
//! zone that is handed in.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::catalogue::record;
use crate::decimal::Decimal;
use crate::diagnostic::Failure;
use crate::json;
use crate::value::{Instant, Number, Value};

/// A filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Filter {
    /// `2026-11-21`
    Date,
    /// `2026-11-21 08:00:00`
    DateTime,
    /// Milliseconds since 1970, a number.
    Ms,
    /// Seconds since 1970, a number.
    S,
    /// `2026-11-21T08:00:00+08:00`
    Rfc3339,
    /// Text of a single value.
    Text,
    /// The number that a text writes.
    Number,
    /// JSON text.
    Json,
    /// Without blanks at both ends.
    Trim,
    /// In capital letters.
    Upper,
    /// In small letters.
    Lower,
}

const FILTERS: &[(&str, Filter)] = &[
    ("date", Filter::Date),
    ("datetime", Filter::DateTime),
    ("ms", Filter::Ms),
    ("s", Filter::S),
    ("rfc3339", Filter::Rfc3339),
    ("text", Filter::Text),
    ("number", Filter::Number),
    ("json", Filter::Json),
    ("trim", Filter::Trim),
    ("upper", Filter::Upper),
    ("lower", Filter::Lower),
];

impl Filter {
    /// The filter with this name; case does not matter (`dateTime` is what customers write).
    pub fn parse(name: &str) -> Option<Filter> {
        FILTERS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name.trim()))
            .map(|(_, filter)| *filter)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        FILTERS
            .iter()
            .find(|(_, filter)| *filter == self)
            .map_or("", |(name, _)| name)
    }

    /// All names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FILTERS.iter().map(|(name, _)| *name)
    }

    /// Whether it prints an instant.
    pub fn prints_time(self) -> bool {
        matches!(
            self,
            Filter::Date | Filter::DateTime | Filter::Ms | Filter::S | Filter::Rfc3339
        )
    }

    /// Applies it to one value.
    pub fn apply(self, value: Value, zone: &TimeZone) -> Result<Value, Failure> {
        if self != Filter::Json && value.is_empty() {
            return Ok(value);
        }
        let unfit = |value: &Value| {
            Failure::new(&record::FILTER_UNFIT)
                .with("filter", self.name())
                .with("value", shown(value))
        };
        match self {
            Filter::Date | Filter::DateTime | Filter::Ms | Filter::S | Filter::Rfc3339 => {
                let ms = moment(&value, zone).ok_or_else(|| unfit(&value))?;
                self.print(ms, zone).ok_or_else(|| unfit(&value))
            }
            Filter::Json => Ok(json::to_string(&value).into()),
            Filter::Text => value
                .to_plain_text()
                .map(Value::Text)
                .ok_or_else(|| unfit(&value)),
            Filter::Number => number(&value).map(Value::Number).ok_or_else(|| unfit(&value)),
            Filter::Trim | Filter::Upper | Filter::Lower => {
                let text = value.to_plain_text().ok_or_else(|| unfit(&value))?;
                Ok(Value::Text(match self {
                    Filter::Trim => text.trim().to_owned(),
                    Filter::Upper => text.to_uppercase(),
                    _ => text.to_lowercase(),
                }))
            }
        }
    }

    fn print(self, ms: i64, zone: &TimeZone) -> Option<Value> {
        let at = Timestamp::from_millisecond(ms).ok()?.to_zoned(zone.clone());
        Some(match self {
            Filter::Date => at.strftime("%Y-%m-%d").to_string().into(),
            Filter::DateTime => at.strftime("%Y-%m-%d %H:%M:%S").to_string().into(),
            Filter::S => Value::from(ms.div_euclid(1000)),
            Filter::Rfc3339 if ms % 1000 == 0 => at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string().into(),
            Filter::Rfc3339 => at.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string().into(),
            _ => Value::from(ms),
        })
    }
}

/// Applies the filter called `name`; one that does not exist is a failure, because names are checked before.
pub fn apply(name: &str, value: Value, zone: &TimeZone) -> Result<Value, Failure> {
    match Filter::parse(name) {
        Some(filter) => filter.apply(value, zone),
        None => Err(Failure::new(&record::FILTER_UNFIT)
            .with("filter", name)
            .with("value", shown(&value))),
    }
}

/// A type of `$type` and of a connector's typed places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fit {
    /// Text of a single value.
    Text,
    /// A number, as it was written.
    Number,
    /// A number without fraction.
    Int,
    /// A number without exponent.
    Decimal,
    /// `true` or `false`.
    Bool,
    /// The text `true` or `false`.
    BoolText,
    /// `2026-11-21`
    Date,
    /// `2026-11-21 08:00:00`
    DateTime,
    /// Milliseconds since 1970.
    Ms,
    /// A list.
    List,
}

const FITS: &[(&str, Fit, &str, &str)] = &[
    ("text", Fit::Text, "文本", "a text"),
    ("number", Fit::Number, "数字", "a number"),
    ("int", Fit::Int, "整数", "an integer"),
    ("decimal", Fit::Decimal, "小数", "a decimal number"),
    ("bool", Fit::Bool, "布尔值", "true or false"),
    ("bool_text", Fit::BoolText, "布尔值", "true or false"),
    ("date", Fit::Date, "日期", "a date"),
    ("datetime", Fit::DateTime, "日期时间", "a date and time"),
    ("ms", Fit::Ms, "时间", "a time"),
    ("list", Fit::List, "列表", "a list"),
];

impl Fit {
    /// The words a file may use.
    pub const NAMES: &'static [&'static str] = &[
        "text",
        "number",
        "int",
        "decimal",
        "bool",
        "bool_text",
        "date",
        "datetime",
        "ms",
        "list",
    ];

    /// The type with this name.
    pub fn parse(name: &str) -> Option<Fit> {
        FITS.iter().find(|row| row.0 == name).map(|row| row.1)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// What it asks for, in words, in Chinese and English.
    pub fn words(self) -> (&'static str, &'static str) {
        (self.row().2, self.row().3)
    }

    fn row(self) -> &'static (&'static str, Fit, &'static str, &'static str) {
        FITS.iter()
            .find(|row| row.1 == self)
            .expect("every type has a row")
    }

    /// Gives the value this type, or says that it does not fit. Null stays null.
    pub fn fit(self, value: Value, zone: &TimeZone) -> Result<Value, Failure> {
        if value.is_null() {
            return Ok(value);
        }
        let fitted = match self {
            Fit::Text => value.to_plain_text().map(Value::Text),
            Fit::Number => number(&value).map(Value::Number),
            Fit::Int => number(&value)
                .and_then(|number| integer(&number))
                .map(Value::Number),
            Fit::Decimal => number(&value)
                .filter(|number| !number.as_str().contains(['e', 'E']))
                .map(Value::Number),
            Fit::Bool => truth(&value).map(Value::Bool),
            Fit::BoolText => truth(&value).map(|truth| Value::Text(truth.to_string())),
            Fit::Date => moment(&value, zone).and_then(|ms| Filter::Date.print(ms, zone)),
            Fit::DateTime => moment(&value, zone).and_then(|ms| Filter::DateTime.print(ms, zone)),
            Fit::Ms => moment(&value, zone).map(Value::from),
            Fit::List => matches!(value, Value::List(_)).then(|| value.clone()),
        };
        fitted.ok_or_else(|| {
            Failure::new(&record::DOES_NOT_FIT)
                .with("value", shown(&value))
                .with("want", self.row().3)
        })
    }
}

impl Fit {
    /// An integer as `intval` makes it: the fraction of a number is cut off. What is no number does not fit.
    pub(crate) fn whole(value: Value, zone: &TimeZone) -> Result<Value, Failure> {
        let cut = number(&value)
            .and_then(|number| Decimal::parse(number.as_str()))
            .and_then(|number| number.truncate(0).ok())
            .and_then(|number| Number::parse(&number.to_string()));
        match cut {
            Some(cut) => Ok(Value::Number(cut)),
            None => Fit::Int.fit(value, zone),
        }
    }
}

/// A time as people and systems write it, in milliseconds since 1970: an instant, 13 digits (milliseconds),
/// 10 digits (seconds, perhaps with a fraction), or a text with a date and perhaps a time and an offset.
pub fn moment(value: &Value, zone: &TimeZone) -> Option<i64> {
    match value {
        Value::Instant(instant) => Some(instant.ms),
        Value::Number(number) => digits_moment(number.as_str()),
        Value::Text(text) => digits_moment(text.trim()).or_else(|| text_moment(text.trim(), zone)),
        _ => None,
    }
}

fn digits_moment(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !whole.bytes().all(|byte| byte.is_ascii_digit()) || !fraction.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    match whole.len() {
        13 => Some(number),
        9 | 10 => {
            let thousandths: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
            Some(number * 1000 + thousandths)
        }
        _ => None,
    }
}

fn text_moment(text: &str, zone: &TimeZone) -> Option<i64> {
    let text = text.replace('/', "-");
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp.as_millisecond());
    }
    let civil: DateTime = match text.parse::<DateTime>() {
        Ok(civil) => civil,
        Err(_) => text
            .parse::<jiff::civil::Date>()
            .ok()?
            .to_datetime(jiff::civil::Time::midnight()),
    };
    Some(
        zone.to_ambiguous_timestamp(civil)
            .compatible()
            .ok()?
            .as_millisecond(),
    )
}

/// The instant of a moment.
pub fn instant(value: &Value, zone: &TimeZone) -> Option<Instant> {
    moment(value, zone).map(|ms| Instant { ms })
}

fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::Bool(truth) => Some(Number::from(i64::from(*truth))),
        Value::Text(text) => Number::parse(&without_leading_zeros(text.trim())),
        _ => None,
    }
}

/// `00123` as the number 123; where a number is asked for, its zeros carry nothing.
fn without_leading_zeros(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    let stripped = digits.trim_start_matches('0');
    let needs_zero = !stripped.starts_with(|first: char| first.is_ascii_digit());
    let zero = if needs_zero && digits.starts_with('0') {
        "0"
    } else {
        ""
    };
    format!("{sign}{zero}{stripped}")
}

fn integer(number: &Number) -> Option<Number> {
    let text = number.as_str();
    if text.contains(['e', 'E']) {
        return None;
    }
    match text.split_once('.') {
        None => Some(number.clone()),
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => Number::parse(whole),
        Some(_) => None,
    }
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => match number.as_str() {
            "1" => Some(true),
            "0" => Some(false),
            _ => None,
        },
        Value::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A value in a message: its text, shortened; of lists and maps only what they are.
pub(crate) fn shown(value: &Value) -> String {
    const MOST: usize = 60;
    match value.to_plain_text() {
        Some(text) if text.chars().count() > MOST => text.chars().take(MOST).chain("…".chars()).collect(),
        Some(text) => text,
        None => value.kind().name().to_owned(),
    }
}
