//! Which week of the year a day is in, in the eight ways of `WEEK`.

use super::calendar::{Date, is_leap};

/// How weeks are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weeks {
    /// Weeks begin on Monday, not on Sunday.
    pub monday_first: bool,
    /// Days before the first week belong to the last week of the year before, not to a week 0.
    pub to_53: bool,
    /// The first week is the first that begins in the year, not the first with four days of it.
    pub begins_in_year: bool,
}

impl Weeks {
    /// The ways by number, as `WEEK(day, mode)` has them: 0 to 7, larger ones and negative ones wrap.
    pub fn mode(mode: i64) -> Weeks {
        let bits = mode & 7;
        let monday_first = bits & 1 != 0;
        Weeks {
            monday_first,
            to_53: bits & 2 != 0,
            begins_in_year: (bits & 4 != 0) == monday_first,
        }
    }
}

/// The week of a day and the year it belongs to.
///
/// For a day that is none the numbers are those of the server, which counts without sign and so runs over.
pub fn week(date: Date, weeks: Weeks) -> (u32, u32) {
    let mut year = u32::from(date.year);
    let day = wrapped(date.day_number());
    let mut first = wrapped(date.first_of_year().day_number());
    let mut weekday = u32::from(date.first_of_year().weekday());
    if !weeks.monday_first {
        weekday = (weekday + 1) % 7;
    }
    let outside = |weekday: u32| {
        if weeks.begins_in_year {
            weekday != 0
        } else {
            weekday >= 4
        }
    };
    let mut to_53 = weeks.to_53;
    if date.month == 1 && u32::from(date.day) <= 7u32.wrapping_sub(weekday) {
        if !to_53 && outside(weekday) {
            return (year, 0);
        }
        to_53 = true;
        if outside(weekday) {
            // Counted in the year before.
            year = year.wrapping_sub(1);
            let days = days_of(year);
            first = first.wrapping_sub(days);
            weekday = (weekday + 53 * 7 - days) % 7;
        }
    }
    let days = if outside(weekday) {
        day.wrapping_sub(first.wrapping_add(7 - weekday))
    } else {
        day.wrapping_sub(first.wrapping_sub(weekday))
    };
    if to_53 && days >= 52 * 7 {
        let next = (weekday + days_of(year)) % 7;
        if !outside(next) {
            return (year.wrapping_add(1), 1);
        }
    }
    (year, days / 7 + 1)
}

fn days_of(year: u32) -> u32 {
    let leap = u16::try_from(year).is_ok_and(is_leap);
    if leap { 366 } else { 365 }
}

fn wrapped(days: i64) -> u32 {
    // Day numbers are below four million; the day before the day 0 runs over.
    u32::try_from(days.rem_euclid(1 << 32)).unwrap_or(0)
}
