//! Days and times: reading the spellings the server reads, printing, counting.
//!
//! A civil time has no zone of its own; the zone of the scheme decides where an instant is needed. A text that
//! carries an offset (`Z`, `+08:00`) is moved into that zone. What is no date is NULL.

use jiff::civil::{self, Date};
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp};

pub use super::sql::DateTime;
use super::sql::{Interval, Sql};
use crate::decimal::Decimal;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// A civil time read without a zone, as comparisons need it.
pub(super) fn civil(value: &Sql<'_>) -> Option<civil::DateTime> {
    to_datetime(value, &TimeZone::UTC).map(|at| at.at)
}

/// The day and time a value means: a time, a text in a usual spelling, or a number like `20230606113000`.
pub fn to_datetime(value: &Sql<'_>, zone: &TimeZone) -> Option<DateTime> {
    match value {
        Sql::Null | Sql::Interval(_) => None,
        Sql::Date(date) => Some(DateTime {
            at: date.to_datetime(civil::Time::midnight()),
            fraction: 0,
        }),
        Sql::DateTime(at) => Some(*at),
        Sql::Text(text) => parse(&text.text, zone),
        Sql::Number(number) => parse(&number.to_string(), zone),
        Sql::Double(double) => parse(&double.to_string(), zone),
    }
}

/// An instant as the clock of a zone shows it, cut to `fraction` digits of a second.
pub fn at_zone(ms: i64, zone: &TimeZone, fraction: u8) -> Option<DateTime> {
    from_micros(ms.checked_mul(1000)?, zone, fraction)
}

/// Microseconds since 1970 as the clock of a zone shows them, cut to `fraction` digits of a second.
pub fn from_micros(micros: i64, zone: &TimeZone, fraction: u8) -> Option<DateTime> {
    let fraction = fraction.min(6);
    let unit = 10i64.pow(u32::from(6 - fraction));
    let instant = Timestamp::from_microsecond(micros.div_euclid(unit) * unit).ok()?;
    Some(DateTime {
        at: zone.to_datetime(instant),
        fraction,
    })
}

/// The instant a civil time means in a zone, in microseconds since 1970; in a gap or fold, as jiff resolves it.
pub fn to_micros(at: &DateTime, zone: &TimeZone) -> Option<i64> {
    let instant = zone.to_ambiguous_timestamp(at.at).compatible().ok()?;
    Some(instant.as_microsecond())
}

/// `2023-06-06 11:30:00`, with its fraction when it has one.
pub fn print(at: &DateTime) -> String {
    let (date, time) = (at.at.date(), at.at.time());
    let mut text = format!(
        "{date} {:02}:{:02}:{:02}",
        time.hour(),
        time.minute(),
        time.second()
    );
    if at.fraction > 0 {
        let micros = format!("{:06}", time.subsec_nanosecond() / 1000);
        text.push('.');
        text.push_str(&micros[..usize::from(at.fraction.min(6))]);
    }
    text
}

pub(super) fn date_number(date: Date) -> Decimal {
    Decimal::from(i64::from(date.year()) * 10_000 + i64::from(date.month()) * 100 + i64::from(date.day()))
}

pub(super) fn datetime_number(at: &DateTime) -> Decimal {
    let digits: String = print(at)
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    Decimal::parse(&digits).unwrap_or(Decimal::ZERO)
}

/// Moves a time; a day stays a day when only whole days are added. `None` outside the calendar.
pub fn shift(value: &Sql<'_>, by: Interval, back: bool, zone: &TimeZone) -> Option<Sql<'static>> {
    let sign = if back { -1 } else { 1 };
    let from = to_datetime(value, zone)?;
    let span = Span::new()
        .try_months(by.months.checked_mul(sign)?)
        .and_then(|span| span.try_microseconds(by.micros.saturating_mul(sign)))
        .ok()?;
    let at = from.at.checked_add(span).ok()?;
    let day_only = matches!(value, Sql::Date(_)) || (!matches!(value, Sql::DateTime(_)) && is_day(value));
    if day_only && by.whole_days {
        return Some(Sql::Date(at.date()));
    }
    let fraction = if by.micros % MICROS_PER_SECOND == 0 {
        from.fraction
    } else {
        6
    };
    Some(Sql::DateTime(DateTime { at, fraction }))
}

/// Whether a text or number gives a day without a time.
fn is_day(value: &Sql<'_>) -> bool {
    value.to_text().is_some_and(|text| {
        let text = text.trim();
        text.len() <= 10 && !text.contains([':', ' ', 'T', 't'])
    })
}

/// The units of `INTERVAL`.
pub(super) const UNITS: &[&str] = &[
    "MICROSECOND",
    "SECOND",
    "MINUTE",
    "HOUR",
    "DAY",
    "WEEK",
    "MONTH",
    "QUARTER",
    "YEAR",
];

/// An amount of a unit; `None` for a word that is none. Composite units are not there yet.
pub(super) fn interval(amount: &Sql<'_>, unit: &str) -> Option<Interval> {
    const SECOND: i64 = MICROS_PER_SECOND;
    let upper = unit.to_ascii_uppercase();
    if upper == "SECOND" {
        let micros = amount.to_decimal()?.to_scaled_i64(6)?;
        return Some(Interval {
            months: 0,
            micros,
            whole_days: false,
        });
    }
    let count = amount.to_decimal()?.to_i64()?;
    let (months, micros, whole_days) = match upper.as_str() {
        "YEAR" => (12, 0, true),
        "QUARTER" => (3, 0, true),
        "MONTH" => (1, 0, true),
        "WEEK" => (0, 7 * MICROS_PER_DAY, true),
        "DAY" => (0, MICROS_PER_DAY, true),
        "HOUR" => (0, 3600 * SECOND, false),
        "MINUTE" => (0, 60 * SECOND, false),
        "MICROSECOND" => (0, 1, false),
        _ => return None,
    };
    Some(Interval {
        months: count.checked_mul(months)?,
        micros: count.checked_mul(micros)?,
        whole_days,
    })
}

/// Reads a date or a time: digits only (`20230606`, `20230606113000`), or numbers between any signs.
pub fn parse(text: &str, zone: &TimeZone) -> Option<DateTime> {
    let text = text.trim();
    let (body, offset) = split_offset(text)?;
    let digits = body.split('.').next().unwrap_or(body);
    let (groups, fraction) = if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        compact(digits, body)?
    } else {
        separated(body)?
    };
    let at = build(groups, fraction)?;
    match offset {
        None => Some(at),
        Some(offset) => {
            let instant = TimeZone::fixed(offset)
                .to_ambiguous_timestamp(at.at)
                .unambiguous()
                .ok()?;
            Some(DateTime {
                at: zone.to_datetime(instant),
                fraction: at.fraction,
            })
        }
    }
}

/// Splits `Z`, `+08:00` or `-0530` off the end of a text that has a time.
fn split_offset(text: &str) -> Option<(&str, Option<Offset>)> {
    let Some(clock) = text.find(':') else {
        return Some((text, None));
    };
    if let Some(body) = text.strip_suffix(['Z', 'z']) {
        return Some((body.trim_end(), Some(Offset::UTC)));
    }
    let Some(sign) = text[clock..].find(['+', '-']).map(|at| clock + at) else {
        return Some((text, None));
    };
    let digits: String = text[sign + 1..].chars().filter(|c| *c != ':').collect();
    if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    let seconds = (hours * 60 + minutes) * 60;
    let offset = Offset::from_seconds(if text.as_bytes()[sign] == b'-' {
        -seconds
    } else {
        seconds
    })
    .ok()?;
    Some((text[..sign].trim_end(), Some(offset)))
}

type Groups = [i64; 6];

/// Microseconds and how many digits they were written with.
type Fraction = (i64, u8);

fn compact(digits: &str, body: &str) -> Option<(Groups, Fraction)> {
    let (year, rest) = match digits.len() {
        8 | 14 => (digits[..4].parse().ok()?, &digits[4..]),
        6 | 12 => (short_year(digits[..2].parse().ok()?), &digits[2..]),
        _ => return None,
    };
    let mut groups: Groups = [year, 0, 0, 0, 0, 0];
    for (slot, at) in groups[1..].iter_mut().zip((0..rest.len()).step_by(2)) {
        *slot = rest[at..at + 2].parse().ok()?;
    }
    let fraction = body.get(digits.len() + 1..).map_or(Some((0, 0)), fraction)?;
    Some((groups, fraction))
}

fn separated(body: &str) -> Option<(Groups, Fraction)> {
    let mut groups: Groups = [0; 6];
    let mut count = 0;
    let mut rest = body;
    loop {
        let end = rest.bytes().take_while(u8::is_ascii_digit).count();
        if end == 0 || end > 4 {
            return None;
        }
        let number: i64 = rest[..end].parse().ok()?;
        *groups.get_mut(count)? = if count == 0 && end <= 2 {
            short_year(number)
        } else {
            number
        };
        count += 1;
        rest = &rest[end..];
        if rest.is_empty() {
            break;
        }
        if count == 6 {
            let written = fraction(rest.strip_prefix('.')?)?;
            return Some((groups, written));
        }
        let between = rest.bytes().take_while(|b| !b.is_ascii_digit()).count();
        let known = |c: char| matches!(c, '-' | '/' | '.' | ':' | ' ' | 'T' | 't' | '_' | ',');
        if !rest[..between].chars().all(known) {
            return None;
        }
        rest = &rest[between..];
    }
    (count >= 3).then_some((groups, (0, 0)))
}

fn fraction(digits: &str) -> Option<Fraction> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let shown = digits.len().min(6);
    let micros = format!("{:0<6}", &digits[..shown]).parse().ok()?;
    Some((micros, u8::try_from(shown).ok()?))
}

fn short_year(year: i64) -> i64 {
    if year < 70 { 2000 + year } else { 1900 + year }
}

fn build([year, month, day, hour, minute, second]: Groups, (micros, shown): Fraction) -> Option<DateTime> {
    let small = |number: i64| i8::try_from(number).ok();
    let nanos = i32::try_from(micros * 1000).ok()?;
    let (hour, minute, second) = (small(hour)?, small(minute)?, small(second)?);
    if year == 0 || !(0..60).contains(&second) {
        return None;
    }
    let year = i16::try_from(year).ok()?;
    let at = civil::DateTime::new(year, small(month)?, small(day)?, hour, minute, second, nanos).ok()?;
    Some(DateTime { at, fraction: shown })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        let zone = TimeZone::fixed(Offset::constant(8));
        let rows = [
            ("2023-06-06", "2023-06-06 00:00:00"),
            ("2023-6-6 1:2:3", "2023-06-06 01:02:03"),
            ("2023/06/06 11:30", "2023-06-06 11:30:00"),
            ("2023-06-06T11:30:00.120", "2023-06-06 11:30:00.120"),
            ("2023-06-06T03:30:00Z", "2023-06-06 11:30:00"),
            ("2023-06-06T03:30:00.5+00:00", "2023-06-06 11:30:00.5"),
            ("20230606", "2023-06-06 00:00:00"),
            ("230606", "2023-06-06 00:00:00"),
            ("20230606113000.25", "2023-06-06 11:30:00.25"),
        ];
        for (text, want) in rows {
            assert_eq!(
                parse(text, &zone).map(|at| print(&at)).as_deref(),
                Some(want),
                "{text}"
            );
        }
        for text in [
            "",
            "0000-00-00",
            "2023-02-30",
            "2023-06",
            "abc",
            "2023-06-06 25:00:00",
            "12",
            "2023-06-06x",
        ] {
            assert_eq!(parse(text, &zone), None, "{text}");
        }
    }
}
