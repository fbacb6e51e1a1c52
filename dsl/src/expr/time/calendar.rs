//! Days, times of the day and both together, counted and printed as the server does.
//!
//! The calendar knows days that are none: `0000-00-00`, `2023-06-00`. They can be shown and compared, and the
//! functions that count with them say no. Years end at 9999; a length of time at 838:59:59.

use std::fmt;

use jiff::civil;

use crate::decimal::Decimal;
use crate::expr::sql::{Int, Num};

pub(super) const MICROS_PER_SECOND: i64 = 1_000_000;
/// Microseconds of a day.
pub const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
/// The longest time: 838:59:59.
pub const LONGEST_SECONDS: u32 = 838 * 3600 + 59 * 60 + 59;
/// The longest time, in microseconds.
pub const LONGEST_MICROS: i64 = LONGEST_SECONDS as i64 * MICROS_PER_SECOND + 999_999;

/// A day of the calendar. Month and day may be zero, as the server lets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// 0 to 9999.
    pub year: u16,
    /// 0 to 12.
    pub month: u8,
    /// 0 to 31.
    pub day: u8,
}

/// A civil date and time, shown with `fraction` digits after the seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime {
    /// The day.
    pub date: Date,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 0 to 999999.
    pub micros: u32,
    /// Digits of a second that are shown, 0 to 6; above that six, unless they are all zero.
    pub fraction: u8,
}

/// A time of the day or a length of time, shown with `fraction` digits after the seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// Before zero.
    pub negative: bool,
    /// Up to [`LONGEST_SECONDS`].
    pub seconds: u32,
    /// 0 to 999999.
    pub micros: u32,
    /// Digits of a second that are shown, 0 to 6; above that six, unless they are all zero.
    pub fraction: u8,
}

/// Whether a year has a 29th of February.
pub fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || (year.is_multiple_of(400) && year > 0))
}

/// Days of a month; 31 for month 0, of which nothing is known.
pub fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

impl Date {
    /// A day; `None` when the parts are out of their ranges or the month has no such day.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Date> {
        (year <= 9999 && month <= 12 && day <= days_in_month(year, month)).then_some(Date {
            year,
            month,
            day,
        })
    }

    /// Whether month or day is missing, so that nothing can be counted from it.
    pub fn has_zero(self) -> bool {
        self.month == 0 || self.day == 0
    }

    /// Whether the month has such a day.
    pub fn exists(self) -> bool {
        !self.has_zero() && self.day <= days_in_month(self.year, self.month)
    }

    /// `20230606`.
    pub fn number(self) -> i64 {
        i64::from(self.year) * 10_000 + i64::from(self.month) * 100 + i64::from(self.day)
    }

    /// Days since the year 0, counted as `TO_DAYS` does; a month 0 is the one before January.
    pub fn day_number(self) -> i64 {
        if self.year == 0 && self.month == 0 {
            return 0;
        }
        let (year, month, day) = (i64::from(self.year), i64::from(self.month), i64::from(self.day));
        let mut days = 365 * year + 31 * (month - 1) + day;
        let counted = if month <= 2 { year - 1 } else { year };
        if month > 2 {
            days -= (month * 4 + 23) / 10;
        }
        days + counted / 4 - (counted / 100 + 1) * 3 / 4
    }

    /// The day with this number; `None` outside the years 1 to 9999.
    pub fn from_day_number(days: i64) -> Option<Date> {
        if !(366..=3_652_424).contains(&days) {
            return None;
        }
        // No year is longer than 366 days, so this is the year sought or one shortly before it.
        let mut year = u16::try_from(days / 366).ok()?;
        let january = |year: u16| {
            Date {
                year,
                month: 1,
                day: 1,
            }
            .day_number()
        };
        while year < 9999 && january(year + 1) <= days {
            year += 1;
        }
        let mut month = 12u8;
        while month > 1 && (Date { year, month, day: 1 }).day_number() > days {
            month -= 1;
        }
        let first = Date { year, month, day: 1 }.day_number();
        Date::new(year, month, u8::try_from(days - first + 1).ok()?)
    }

    /// The first of January of its year.
    pub fn first_of_year(self) -> Date {
        Date {
            month: 1,
            day: 1,
            ..self
        }
    }

    /// 0 for Monday to 6 for Sunday.
    pub fn weekday(self) -> u8 {
        // The remainder of seven is small.
        u8::try_from((self.day_number() + 5).rem_euclid(7)).unwrap_or(0)
    }

    /// 1 for the first of January.
    pub fn day_of_year(self) -> i64 {
        self.day_number() - self.first_of_year().day_number() + 1
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

fn write_fraction(f: &mut fmt::Formatter<'_>, micros: u32, fraction: u8) -> fmt::Result {
    if fraction == 0 || (fraction > 6 && micros == 0) {
        return Ok(());
    }
    let digits = format!("{micros:06}");
    write!(f, ".{}", &digits[..usize::from(fraction.min(6))])
}

fn cut(micros: u32, fraction: u8) -> u32 {
    let unit = 10u32.pow(u32::from(6 - fraction.min(6)));
    micros / unit * unit
}

fn with_micros(whole: i64, micros: u32, fraction: u8) -> Num {
    if fraction == 0 {
        return Num::Int(Int::Signed(whole));
    }
    let fraction = fraction.min(6);
    // Digits that are all zero are shown, but a quotient gets no further ones for them.
    if micros == 0 {
        return Num::Exact(Decimal::from_scaled(whole, 0).with_scale(fraction));
    }
    let unit = 10u32.pow(u32::from(6 - fraction));
    // Fourteen digits of a time and six behind the point are more than 64 bits hold.
    let scaled = i128::from(whole) * 10i128.pow(u32::from(fraction)) + i128::from(micros / unit);
    Num::Exact(Decimal::from_scaled(scaled, fraction))
}

impl DateTime {
    /// The beginning of a day.
    pub fn midnight(date: Date) -> DateTime {
        DateTime {
            date,
            hour: 0,
            minute: 0,
            second: 0,
            micros: 0,
            fraction: 0,
        }
    }

    /// The same time with another number of digits; digits that are not shown any more are cut.
    pub fn with_fraction(self, fraction: u8) -> DateTime {
        DateTime {
            micros: cut(self.micros, fraction),
            fraction,
            ..self
        }
    }

    /// Seconds since midnight.
    pub fn seconds_of_day(self) -> u32 {
        u32::from(self.hour) * 3600 + u32::from(self.minute) * 60 + u32::from(self.second)
    }

    /// Microseconds since the day 0.
    pub fn day_micros(self) -> i64 {
        self.date.day_number() * MICROS_PER_DAY + self.time().total_micros()
    }

    /// `20230606113000`, with its fraction.
    pub fn number(self) -> Num {
        let clock = i64::from(self.hour) * 10_000 + i64::from(self.minute) * 100 + i64::from(self.second);
        with_micros(self.date.number() * 1_000_000 + clock, self.micros, self.fraction)
    }

    /// The clock without the day.
    pub fn time(self) -> Time {
        Time {
            negative: false,
            seconds: self.seconds_of_day(),
            micros: self.micros,
            fraction: self.fraction,
        }
    }

    /// The order in time.
    pub fn sort_key(self) -> (i64, u32, u32) {
        (self.date.number(), self.seconds_of_day(), self.micros)
    }

    /// For the zone library; `None` for a day that is none.
    pub(super) fn civil(self) -> Option<civil::DateTime> {
        let small = |number: u8| i8::try_from(number).ok();
        civil::DateTime::new(
            i16::try_from(self.date.year).ok()?,
            small(self.date.month)?,
            small(self.date.day)?,
            small(self.hour)?,
            small(self.minute)?,
            small(self.second)?,
            i32::try_from(self.micros * 1000).ok()?,
        )
        .ok()
    }

    /// From the zone library; `None` outside the server's calendar.
    pub(super) fn from_civil(at: civil::DateTime, fraction: u8) -> Option<DateTime> {
        let small = |number: i8| u8::try_from(number).ok();
        Some(DateTime {
            date: Date::new(
                u16::try_from(at.year()).ok()?,
                small(at.month())?,
                small(at.day())?,
            )?,
            hour: small(at.hour())?,
            minute: small(at.minute())?,
            second: small(at.second())?,
            micros: u32::try_from(at.subsec_nanosecond() / 1000).ok()?,
            fraction,
        })
    }
}

/// `2023-06-06 11:30:00`, with its fraction when it has one.
impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {:02}:{:02}:{:02}",
            self.date, self.hour, self.minute, self.second
        )?;
        write_fraction(f, self.micros, self.fraction)
    }
}

impl Time {
    /// The same time with another number of digits; digits that are not shown any more are cut.
    pub fn with_fraction(self, fraction: u8) -> Time {
        let micros = cut(self.micros, fraction);
        Time {
            // What is cut to nothing has no sign.
            negative: self.negative && (self.seconds > 0 || micros > 0),
            seconds: self.seconds,
            micros,
            fraction,
        }
    }

    /// Microseconds, below zero when negative.
    pub fn total_micros(self) -> i64 {
        let total = i64::from(self.seconds) * MICROS_PER_SECOND + i64::from(self.micros);
        if self.negative { -total } else { total }
    }

    /// So many microseconds; what is longer than the server knows becomes the longest time.
    pub fn from_micros(micros: i64, fraction: u8) -> Time {
        let total = micros.unsigned_abs().min(LONGEST_MICROS.unsigned_abs());
        Time {
            negative: micros < 0 && total > 0,
            // Both are below the longest time.
            seconds: u32::try_from(total / 1_000_000).unwrap_or(LONGEST_SECONDS),
            micros: u32::try_from(total % 1_000_000).unwrap_or(0),
            fraction,
        }
    }

    /// Hours, minutes and seconds.
    pub fn parts(self) -> (u32, u32, u32) {
        (self.seconds / 3600, self.seconds / 60 % 60, self.seconds % 60)
    }

    /// `113000`, with its fraction.
    pub fn number(self) -> Num {
        let (hours, minutes, seconds) = self.parts();
        let whole = i64::from(hours * 10_000 + minutes * 100 + seconds);
        match with_micros(whole, self.micros, self.fraction) {
            Num::Int(int) if self.negative => Num::Int(Int::Signed(-int.clamped())),
            Num::Exact(number) if self.negative => Num::Exact(number.neg()),
            number => number,
        }
    }

    /// This time counted from the beginning of a day.
    pub fn on(self, date: Date) -> Option<DateTime> {
        from_day_micros(
            date.day_number() * MICROS_PER_DAY + self.total_micros(),
            self.fraction,
        )
    }
}

/// `11:30:00`, with its fraction when it has one.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let (hours, minutes, seconds) = self.parts();
        write!(f, "{sign}{hours:02}:{minutes:02}:{seconds:02}")?;
        write_fraction(f, self.micros, self.fraction)
    }
}

/// The civil time so many microseconds after the day 0; `None` outside the years 1 to 9999.
pub fn from_day_micros(micros: i64, fraction: u8) -> Option<DateTime> {
    let date = Date::from_day_number(micros.div_euclid(MICROS_PER_DAY))?;
    let rest = micros.rem_euclid(MICROS_PER_DAY);
    let (seconds, micros) = (rest / MICROS_PER_SECOND, rest % MICROS_PER_SECOND);
    let small = |number: i64| u8::try_from(number).ok();
    Some(DateTime {
        date,
        hour: small(seconds / 3600)?,
        minute: small(seconds / 60 % 60)?,
        second: small(seconds % 60)?,
        micros: u32::try_from(micros).ok()?,
        fraction,
    })
}
