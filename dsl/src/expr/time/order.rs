//! Which of two times is the earlier one, when one of them may be a text or a number.
//!
//! With a day on either side both are a day and a time: a time of the day is that of today, and what is no date is
//! the day `0000-00-00`. Otherwise a time on either side makes both times. The 31st of June is a day here.

use std::cmp::Ordering;

use jiff::tz::TimeZone;

use super::calendar::{Date, DateTime, Time};
use super::read::{Clock, Days, Reading};
use super::{read_date_time, read_time};
use crate::expr::sql::{Sql, TyKind};

const NO_DAY: DateTime = DateTime {
    date: Date {
        year: 0,
        month: 0,
        day: 0,
    },
    hour: 0,
    minute: 0,
    second: 0,
    micros: 0,
    fraction: 0,
};

/// Compares two values of which at least one is a day or a time; `None` when neither is, or either is NULL.
pub(crate) fn order(
    a: &Sql<'_>,
    b: &Sql<'_>,
    zone: &TimeZone,
    today: impl Fn() -> Option<Date>,
) -> Option<Ordering> {
    if a.is_null() || b.is_null() {
        return None;
    }
    if has_day(a) || has_day(b) {
        let key = |value: &Sql<'_>| day_and_time(value, zone, &today).sort_key();
        return Some(key(a).cmp(&key(b)));
    }
    let clock = |value: &Sql<'_>| clock_micros(value, zone);
    (has_clock(a) || has_clock(b)).then(|| clock(a).cmp(&clock(b)))
}

/// Three values as `BETWEEN` compares them: when one of them is of the kind of a day or a time, all are.
pub(crate) fn as_one_kind<'a>(
    values: [Sql<'a>; 3],
    kinds: [TyKind; 3],
    zone: &TimeZone,
    today: impl Fn() -> Option<Date>,
) -> [Sql<'a>; 3] {
    if kinds
        .iter()
        .any(|kind| matches!(kind, TyKind::Date | TyKind::DateTime))
    {
        return values.map(|value| match value {
            Sql::Null => Sql::Null,
            value => Sql::DateTime(day_and_time(&value, zone, &today)),
        });
    }
    if kinds.contains(&TyKind::Time) {
        return values.map(|value| match value {
            Sql::Null => Sql::Null,
            value => Sql::Time(Time::from_micros(clock_micros(&value, zone), 6)),
        });
    }
    values
}

fn has_day(value: &Sql<'_>) -> bool {
    matches!(value, Sql::Date(_) | Sql::DateTime(_))
}

fn has_clock(value: &Sql<'_>) -> bool {
    matches!(value, Sql::Time(_))
}

fn day_and_time(value: &Sql<'_>, zone: &TimeZone, today: &impl Fn() -> Option<Date>) -> DateTime {
    if let Sql::Time(time) = value {
        return today().and_then(|today| time.on(today)).unwrap_or(NO_DAY);
    }
    match read_date_time(value, Days::Any, zone) {
        Some(Reading::Date(date)) => DateTime::midnight(date),
        Some(Reading::DateTime(at)) => at,
        _ => NO_DAY,
    }
}

fn clock_micros(value: &Sql<'_>, zone: &TimeZone) -> i64 {
    match read_time(value, Clock::Time, Days::Any, zone) {
        Some(Reading::DateTime(at)) => at.time().total_micros(),
        Some(Reading::Time(time)) => time.total_micros(),
        _ => 0,
    }
}
