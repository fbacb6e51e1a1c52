//! Days and times: the calendar, the spellings, moving, zones.
//!
//! A civil time has no zone of its own; the zone of the scheme decides where an instant is needed. What is no date
//! is NULL. The functions over times are in the crate `functions`; how times compare stands in [`order`].

mod calendar;
mod offset;
mod order;
mod read;
mod shift;
mod unit;
mod week;
mod zone;

use jiff::tz::TimeZone;

pub use calendar::{
    Date, DateTime, LONGEST_MICROS, LONGEST_SECONDS, MICROS_PER_DAY, Time, days_in_month, from_day_micros,
    is_leap,
};
pub(super) use order::{as_one_kind, order};
pub use read::{Clock, Days, Reading};
pub use shift::{interval, shift};
pub use unit::{UNITS, Unit};
pub use week::{Weeks, week};
pub use zone::{at_zone, from_micros, to_micros};

use super::sql::{Num, Sql};
use crate::decimal::Decimal;

/// The day and time a value means: a time, a text in a usual spelling, or a number like `20230606113000`. A time of
/// the day has no day; the caller that knows today asks before.
pub fn to_datetime(value: &Sql<'_>, zone: &TimeZone) -> Option<DateTime> {
    match read_date_time(value, Days::Real, zone)? {
        Reading::Date(date) => Some(DateTime::midnight(date)),
        Reading::DateTime(at) => Some(at),
        Reading::Time(_) | Reading::Long(..) => None,
    }
}

/// The time of the day or the length of time a value means: `11:30`, `-838:59:59`, `113000`, the clock of a date
/// and time.
pub fn to_time(value: &Sql<'_>, zone: &TimeZone) -> Option<Time> {
    match read_time(value, Clock::Time, Days::Any, zone)? {
        Reading::Date(_) => Some(Time::from_micros(0, 0)),
        Reading::DateTime(at) => Some(at.time()),
        Reading::Time(time) => Some(time),
        Reading::Long(..) => None,
    }
}

/// A value that is to be a day, or a day and a time.
pub fn read_date_time(value: &Sql<'_>, days: Days, zone: &TimeZone) -> Option<Reading> {
    match value {
        Sql::Null | Sql::Interval(_) | Sql::Time(_) => None,
        Sql::Date(date) => Some(Reading::Date(*date)),
        Sql::DateTime(at) => Some(Reading::DateTime(*at)),
        Sql::Text(text) if text.moment => read_date_time(&moment(value)?, days, zone),
        Sql::Text(_) | Sql::Bytes(_) => {
            let text = value.to_text()?;
            instant(&text, zone).unwrap_or_else(|| read::date_time(&text, days))
        }
        Sql::Int(_) | Sql::Decimal(_) | Sql::Double(_) => {
            let number = Digits::of(&value.to_num()?)?;
            (!number.negative)
                .then(|| read::number_date_time(number.whole, number.micros, number.shown, days))?
        }
    }
}

/// A value that is to be a time, or a day and a time whose clock is meant.
pub fn read_time(value: &Sql<'_>, clock: Clock, days: Days, zone: &TimeZone) -> Option<Reading> {
    match value {
        Sql::Null | Sql::Interval(_) => None,
        Sql::Time(time) => Some(Reading::Time(*time)),
        Sql::Date(date) => Some(Reading::Date(*date)),
        Sql::DateTime(at) => Some(Reading::DateTime(*at)),
        Sql::Text(text) if text.moment => read_time(&moment(value)?, clock, days, zone),
        Sql::Text(_) | Sql::Bytes(_) => {
            let text = value.to_text()?;
            instant(&text, zone).unwrap_or_else(|| read::time(&text, clock, days))
        }
        // As a length, floating point is the digits it prints; one with an exponent is none.
        Sql::Double(double) if clock == Clock::Length => read::time(&double.to_string(), clock, days),
        Sql::Int(_) | Sql::Decimal(_) | Sql::Double(_) => {
            let number = Digits::of(&value.to_num()?)?;
            read::number_time(
                number.negative,
                number.whole,
                number.micros,
                number.shown,
                clock,
                days,
            )
        }
    }
}

/// Digits of a second that a value has as a day and a time; six when it is none.
pub fn digits_of(value: &Sql<'_>, zone: &TimeZone) -> u8 {
    match value {
        Sql::Text(_) | Sql::Bytes(_) => match read_date_time(value, Days::Real, zone) {
            Some(Reading::DateTime(at)) => at.fraction,
            Some(_) => 0,
            None => 6,
        },
        other => number_digits(other),
    }
}

/// Digits of a second that a value has as a time; six when it is none.
pub fn time_digits_of(value: &Sql<'_>, zone: &TimeZone) -> u8 {
    match value {
        Sql::Text(_) | Sql::Bytes(_) => match read_time(value, Clock::Time, Days::Real, zone) {
            Some(Reading::DateTime(at)) => at.fraction,
            Some(Reading::Time(time)) => time.fraction,
            Some(_) => 0,
            None => 6,
        },
        other => number_digits(other),
    }
}

/// Digits of a second that a value has as a length of time; as a time where it is no length.
pub fn length_digits_of(value: &Sql<'_>, zone: &TimeZone) -> u8 {
    if matches!(value, Sql::Double(_)) {
        return number_digits(value);
    }
    match read_time(value, Clock::Length, Days::Real, zone) {
        Some(Reading::Long(_, digits)) => digits.min(6),
        _ => time_digits_of(value, zone),
    }
}

fn number_digits(value: &Sql<'_>) -> u8 {
    match value {
        Sql::Null | Sql::Interval(_) | Sql::Date(_) | Sql::Int(_) => 0,
        Sql::Time(time) => time.fraction.min(6),
        Sql::DateTime(at) => at.fraction.min(6),
        Sql::Decimal(number) => number.scale().min(6),
        Sql::Double(double) => double.decimals.unwrap_or(6).min(6),
        Sql::Text(_) | Sql::Bytes(_) => 6,
    }
}

/// The time that a text shows which a function made of a time.
pub(crate) fn moment(value: &Sql<'_>) -> Option<Sql<'static>> {
    let text = value.to_text()?;
    let reading = if text.as_bytes().get(4) == Some(&b'-') {
        read::date_time(&text, Days::Any)
    } else {
        read::time(&text, Clock::Time, Days::Any)
    };
    Some(match reading? {
        Reading::Date(date) => Sql::Date(date),
        Reading::DateTime(at) => Sql::DateTime(at),
        Reading::Time(time) => Sql::Time(time),
        Reading::Long(..) => return None,
    })
}

/// A text with an offset, in the zone; `None` when it has none.
fn instant(text: &str, zone: &TimeZone) -> Option<Option<Reading>> {
    let (body, offset) = offset::split(text)?;
    match read::date_time(body, Days::Real)? {
        Reading::DateTime(at) => Some(zone::moved(at, offset, zone).map(Reading::DateTime)),
        _ => None,
    }
}

/// A number taken apart, as a date or a time is read from it.
struct Digits {
    negative: bool,
    /// No more than 64 bits without a sign hold.
    whole: i128,
    micros: u32,
    /// Digits behind the point, six at most.
    shown: u8,
}

impl Digits {
    fn of(number: &Num) -> Option<Digits> {
        const MOST: i128 = u64::MAX as i128;
        let shown = number.decimals().unwrap_or(6).min(6);
        let exact: Decimal = number.to_decimal();
        let size = exact.abs();
        let whole = size.truncate(0).ok()?;
        let mut micros = size.sub(&whole).ok()?.truncate(6).ok()?.to_scaled_i64(6)?;
        let mut whole = whole.to_i128().unwrap_or(MOST).min(MOST);
        if let Num::Float(double) = number
            && double.value.abs() < 1e15
        {
            (whole, micros) = float_parts(double.value)?;
        }
        Some(Digits {
            negative: exact.is_negative(),
            whole,
            micros: u32::try_from(micros).ok()?,
            shown,
        })
    }
}

/// The seconds of a number and their millionths. Of floating point they are those of its nearest binary fraction,
/// cut: 5.678 has 677999.
pub fn seconds_of(number: &Num) -> Option<i64> {
    let exact = match number {
        Num::Float(double) if double.value.abs() < 1e12 => {
            let (whole, micros) = float_parts(double.value)?;
            let total = i64::try_from(whole).ok()? * 1_000_000 + micros;
            return Some(if double.value < 0.0 { -total } else { total });
        }
        number => number.to_decimal(),
    };
    exact.truncate(6).ok()?.to_scaled_i64(6)
}

fn float_parts(value: f64) -> Option<(i128, i64)> {
    let whole = value.abs().trunc();
    let micros = ((value.abs() - whole) * 1e6).trunc();
    // Both are whole numbers and print as such.
    Some((whole.to_string().parse().ok()?, micros.to_string().parse().ok()?))
}

#[cfg(test)]
mod tests;
