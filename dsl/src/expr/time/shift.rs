//! `INTERVAL n UNIT`, and adding it to a time.

use jiff::tz::TimeZone;

use super::calendar::{Date, DateTime, LONGEST_MICROS, MICROS_PER_DAY, Time, days_in_month, from_day_micros};
use super::read::{Days, Reading};
use super::unit::Unit;
use super::{digits_of, read_date_time};
use crate::expr::sql::{Int, Interval, Num, Sql};

/// An amount of a unit; `None` when it is NULL or too much for the calendar.
///
/// An amount of one number is rounded, text gives its leading integer; seconds keep their fraction. For a composite
/// unit the digits of its text are the parts, the last of them the smallest: `'1 2:30' DAY_MINUTE`.
pub fn interval(amount: &Sql<'_>, unit: Unit) -> Option<Interval> {
    let (months, micros) = if unit.parts() > 1 {
        composite(&amount.to_text()?, unit)?
    } else if unit == Unit::Second {
        let seconds = amount.to_decimal()?.truncate(6).ok()?;
        (0, seconds.to_scaled_i64(6)?)
    } else {
        let mut count = match (amount, amount.to_int()?) {
            // Too long a text runs over.
            (Sql::Text(_) | Sql::Bytes(_), Int::Unsigned(count)) => i128::from(count.cast_signed()),
            (_, count) => count.wide(),
        };
        if unit == Unit::Year {
            // Years are counted in 32 bits and run over.
            count = count.signum() * (count.abs() % (1 << 32));
        }
        let count = i64::try_from(count).ok()?;
        (
            count.checked_mul(unit.months())?,
            if unit.months() == 0 {
                count.checked_mul(unit.micros())?
            } else {
                0
            },
        )
    };
    let digits = if unit == Unit::Second {
        amount_digits(amount)
    } else {
        unit.digits()
    };
    Some(Interval {
        months,
        micros,
        unit,
        digits,
    })
}

/// Digits of a second that an amount of seconds has.
fn amount_digits(amount: &Sql<'_>) -> u8 {
    match amount {
        Sql::Text(_) | Sql::Bytes(_) => 6,
        other => other
            .to_num()
            .and_then(|number| Num::decimals(&number))
            .unwrap_or(6)
            .min(6),
    }
}

/// The numbers of an amount, as months and microseconds.
fn composite(text: &str, unit: Unit) -> Option<(i64, i64)> {
    const SIZES: [i64; 5] = [1, 1_000_000, 60_000_000, 3_600_000_000, MICROS_PER_DAY];
    let text = text.trim_ascii_start();
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let mut numbers = Vec::new();
    let skip = |text: &str| text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    rest = &rest[skip(rest)..];
    let mut last_digits = 0;
    while !rest.is_empty() {
        if numbers.len() == unit.parts() {
            return None;
        }
        let end = rest.bytes().take_while(u8::is_ascii_digit).count();
        // Only the last number may be a fraction, and six digits of it count.
        let fractional = unit.digits() > 0 && !rest[end..].contains(|c: char| c.is_ascii_digit());
        last_digits = end.min(6);
        let digits = if fractional {
            &rest[..last_digits]
        } else {
            &rest[..end]
        };
        numbers.push(digits.parse::<i64>().ok()?);
        rest = &rest[end..];
        rest = &rest[skip(rest)..];
    }
    // What is missing is missing at the front.
    let missing = unit.parts() - numbers.len();
    let mut parts = vec![0; missing];
    parts.append(&mut numbers);
    if unit == Unit::YearMonth {
        let months = parts[0].checked_mul(12)?.checked_add(parts[1])?;
        return Some((sign * months, 0));
    }
    let smallest = SIZES.iter().position(|size| *size == unit.micros())?;
    let mut total: i64 = 0;
    for (place, (number, size)) in parts.iter().rev().zip(&SIZES[smallest..]).enumerate() {
        // Behind the point `5` is half a second.
        let zeros = if place == 0 && unit.digits() > 0 {
            6 - last_digits
        } else {
            0
        };
        let size = size * 10i64.pow(u32::try_from(zeros).ok()?);
        total = total.checked_add(number.checked_mul(size)?)?;
    }
    Some((0, sign * total))
}

/// Moves a time. A day stays a day when whole days are added; a text or number gives text. `None` when it is no time
/// or leaves the calendar.
pub fn shift(value: &Sql<'_>, by: Interval, back: bool, zone: &TimeZone) -> Option<Sql<'static>> {
    let by = if back {
        Interval {
            months: by.months.checked_neg()?,
            micros: by.micros.checked_neg()?,
            ..by
        }
    } else {
        by
    };
    match value {
        Sql::Time(time) => time_of_day(*time, by).map(Sql::Time),
        Sql::Date(date) if by.unit.keeps_day() => {
            moved(DateTime::midnight(*date), by).map(|at| Sql::Date(at.date))
        }
        Sql::Date(date) => {
            let at = moved(DateTime::midnight(*date), by)?;
            Some(Sql::DateTime(at.with_fraction(by.digits)))
        }
        Sql::DateTime(at) => {
            let digits = at.fraction.min(6).max(by.digits);
            moved(*at, by).map(|at| Sql::DateTime(at.with_fraction(digits)))
        }
        Sql::Text(text) if text.moment => {
            let moved = shift(&super::moment(value)?, by, false, zone)?;
            Some(Sql::moment(moved.to_text()?.into_owned()))
        }
        other => {
            let digits = digits_of(other, zone).max(by.digits);
            let text = match read_date_time(other, Days::Real, zone)? {
                Reading::Date(date) if by.unit.keeps_day() => {
                    moved(DateTime::midnight(date), by)?.date.to_string()
                }
                Reading::Date(date) => moved(DateTime::midnight(date), by)?
                    .with_fraction(digits)
                    .to_string(),
                Reading::DateTime(at) => moved(at, by)?.with_fraction(digits).to_string(),
                Reading::Time(_) | Reading::Long(..) => return None,
            };
            Some(Sql::moment(text))
        }
    }
}

fn time_of_day(time: Time, by: Interval) -> Option<Time> {
    let total = time.total_micros().checked_add(by.micros)?;
    (by.unit.moves_clock() && total.abs() <= LONGEST_MICROS)
        .then(|| Time::from_micros(total, time.fraction.min(6).max(by.digits)))
}

fn moved(from: DateTime, by: Interval) -> Option<DateTime> {
    if !from.date.exists() {
        return None;
    }
    if by.unit.months() == 0 {
        return from_day_micros(from.day_micros().checked_add(by.micros)?, from.fraction);
    }
    let months = i64::from(from.date.year) * 12 + i64::from(from.date.month) - 1;
    let months = months.checked_add(by.months)?;
    let year = u16::try_from(months.div_euclid(12)).ok()?;
    let month = u8::try_from(months.rem_euclid(12) + 1).ok()?;
    let day = from.date.day.min(days_in_month(year, month));
    Some(DateTime {
        date: Date::new(year, month, day)?,
        ..from
    })
}
