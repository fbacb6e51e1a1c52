//! Days and times: reading the spellings the server reads, printing, counting.
//!
//! The calendar is the server's: it knows days that are none (`0000-00-00`, `2023-06-00`), years up to 9999, and
//! lengths of time up to 838 hours with a sign. A civil time has no zone of its own; the zone of the scheme decides
//! where an instant is needed. A text that carries an offset (`Z`, `+08:00`) is moved into that zone. What is no
//! date is NULL.

use std::fmt;

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::{Offset, TimeZone};

use super::sql::{Int, Interval, Num, Sql};
use crate::decimal::Decimal;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
/// The longest time: 838:59:59.
pub const LONGEST_SECONDS: u32 = 838 * 3600 + 59 * 60 + 59;

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
    /// Digits of a second that are shown, 0 to 6.
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
    /// Digits of a second that are shown, 0 to 6.
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

    /// Whether year, month or day is missing, so that nothing can be counted from it.
    pub fn has_zero(self) -> bool {
        self.month == 0 || self.day == 0
    }

    /// `20230606`.
    pub fn number(self) -> i64 {
        i64::from(self.year) * 10_000 + i64::from(self.month) * 100 + i64::from(self.day)
    }

    /// Days since the year 0, counted as `TO_DAYS` does.
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

    /// The day with this number; `None` outside the years 0 to 9999.
    pub fn from_day_number(days: i64) -> Option<Date> {
        // Years are at most 366 days long, so this is at or before the year sought, by a few years at most.
        if !(366..=3_652_424).contains(&days) {
            return None;
        }
        let mut year = u16::try_from(days / 366).ok()?;
        while year < 9999
            && (Date {
                year: year + 1,
                month: 1,
                day: 1,
            })
            .day_number()
                <= days
        {
            year += 1;
        }
        let mut month = 12u8;
        while month > 1 && (Date { year, month, day: 1 }).day_number() > days {
            month -= 1;
        }
        let first = Date { year, month, day: 1 }.day_number();
        Date::new(year, month, u8::try_from(days - first + 1).ok()?)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

fn write_fraction(f: &mut fmt::Formatter<'_>, micros: u32, fraction: u8) -> fmt::Result {
    if fraction == 0 {
        return Ok(());
    }
    let digits = format!("{micros:06}");
    write!(f, ".{}", &digits[..usize::from(fraction.min(6))])
}

fn with_micros(whole: i64, micros: u32, fraction: u8) -> Num {
    if fraction == 0 {
        return Num::Int(Int::Signed(whole));
    }
    let fraction = fraction.min(6);
    let unit = 10u32.pow(u32::from(6 - fraction));
    let cut = i128::from(micros / unit);
    // Fourteen digits of a time and six behind the point are more than 64 bits hold.
    let scaled = i128::from(whole.abs()) * 10i128.pow(u32::from(fraction)) + cut;
    Num::Exact(Decimal::from_scaled(
        if whole < 0 { -scaled } else { scaled },
        fraction,
    ))
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
        let fraction = fraction.min(6);
        let unit = 10u32.pow(u32::from(6 - fraction));
        DateTime {
            micros: self.micros / unit * unit,
            fraction,
            ..self
        }
    }

    /// Seconds since midnight.
    pub fn seconds_of_day(self) -> u32 {
        u32::from(self.hour) * 3600 + u32::from(self.minute) * 60 + u32::from(self.second)
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
    pub fn civil(self) -> Option<civil::DateTime> {
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
    pub fn from_civil(at: civil::DateTime, fraction: u8) -> Option<DateTime> {
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
        let fraction = fraction.min(6);
        let unit = 10u32.pow(u32::from(6 - fraction));
        Time {
            micros: self.micros / unit * unit,
            fraction,
            ..self
        }
    }

    /// Microseconds, below zero when negative.
    pub fn total_micros(self) -> i64 {
        let total = i64::from(self.seconds) * MICROS_PER_SECOND + i64::from(self.micros);
        if self.negative { -total } else { total }
    }

    /// So many microseconds; what is longer than the server knows becomes the longest time.
    pub fn from_micros(micros: i64, fraction: u8) -> Time {
        let most = i64::from(LONGEST_SECONDS) * MICROS_PER_SECOND;
        let total = micros.unsigned_abs().min(most.unsigned_abs());
        Time {
            negative: micros < 0 && total > 0,
            // Both are below the longest time.
            seconds: u32::try_from(total / 1_000_000).unwrap_or(LONGEST_SECONDS),
            micros: u32::try_from(total % 1_000_000).unwrap_or(0),
            fraction,
        }
    }

    /// `113000`, with its fraction.
    pub fn number(self) -> Num {
        let whole =
            i64::from(self.seconds / 3600 * 10_000 + self.seconds / 60 % 60 * 100 + self.seconds % 60);
        match with_micros(whole, self.micros, self.fraction) {
            Num::Int(int) if self.negative => Num::Int(Int::Signed(-int.clamped())),
            Num::Exact(number) if self.negative => Num::Exact(number.neg()),
            number => number,
        }
    }

    /// This time counted from the beginning of a day.
    pub fn on(self, date: Date) -> Option<DateTime> {
        let total = date.day_number() * MICROS_PER_DAY + self.total_micros();
        from_day_micros(total, self.fraction)
    }
}

/// `11:30:00`, with its fraction when it has one.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let (hours, minutes, seconds) = (self.seconds / 3600, self.seconds / 60 % 60, self.seconds % 60);
        write!(f, "{sign}{hours:02}:{minutes:02}:{seconds:02}")?;
        write_fraction(f, self.micros, self.fraction)
    }
}

/// The civil time so many microseconds after the beginning of the calendar.
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

/// A civil time as comparisons need it; no zone is known there.
pub(super) fn civil(value: &Sql<'_>) -> Option<(i64, u32, u32)> {
    to_datetime(value, &TimeZone::UTC).map(DateTime::sort_key)
}

/// The day and time a value means: a time, a text in a usual spelling, or a number like `20230606113000`.
pub fn to_datetime(value: &Sql<'_>, zone: &TimeZone) -> Option<DateTime> {
    match value {
        Sql::Null | Sql::Interval(_) => None,
        Sql::Date(date) => Some(DateTime::midnight(*date)),
        Sql::DateTime(at) => Some(*at),
        // The caller that knows today asks before.
        Sql::Time(_) => None,
        other => parse(&other.to_text()?, zone),
    }
}

/// The time of the day or the length of time a value means: `11:30`, `-838:59:59`, `113000`, the clock of a date
/// and time.
pub fn to_time(value: &Sql<'_>, zone: &TimeZone) -> Option<Time> {
    match value {
        Sql::Null | Sql::Interval(_) => None,
        Sql::Time(time) => Some(*time),
        Sql::Date(_) => Some(Time::from_micros(0, 0)),
        Sql::DateTime(at) => Some(at.time()),
        other => {
            let text = other.to_text()?;
            match parse(&text, zone) {
                Some(at) if text.contains([' ', 'T']) => Some(at.time()),
                _ => parse_time(&text),
            }
        }
    }
}

/// `[-]hours:minutes:seconds.fraction`, the last parts left out, or their digits without signs.
fn parse_time(text: &str) -> Option<Time> {
    let text = text.trim();
    let (negative, body) = text.strip_prefix('-').map_or((false, text), |body| (true, body));
    let (clock, rest) = body.split_once('.').unwrap_or((body, ""));
    let (micros, shown) = if rest.is_empty() { (0, 0) } else { fraction(rest)? };
    let parts: Option<Vec<i64>> = clock.split(':').map(|part| part.parse().ok()).collect();
    let (hours, minutes, seconds) = match parts?.as_slice() {
        [digits] => (digits / 10_000, digits / 100 % 100, digits % 100),
        [hours, minutes] => (*hours, *minutes, 0),
        [hours, minutes, seconds] => (*hours, *minutes, *seconds),
        _ => return None,
    };
    if hours > 1_000_000 || minutes > 59 || seconds > 59 {
        return None;
    }
    let total = ((hours * 60 + minutes) * 60 + seconds) * MICROS_PER_SECOND + micros;
    Some(Time::from_micros(if negative { -total } else { total }, shown))
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
    DateTime::from_civil(zone.to_datetime(instant), fraction)
}

/// The instant a civil time means in a zone, in microseconds since 1970; in a gap or fold, as jiff resolves it.
pub fn to_micros(at: &DateTime, zone: &TimeZone) -> Option<i64> {
    let instant = zone.to_ambiguous_timestamp(at.civil()?).compatible().ok()?;
    Some(instant.as_microsecond())
}

/// Moves a time; a day stays a day when only whole days are added. `None` outside the calendar.
pub fn shift(value: &Sql<'_>, by: Interval, back: bool, zone: &TimeZone) -> Option<Sql<'static>> {
    let sign = if back { -1 } else { 1 };
    let from = to_datetime(value, zone)?;
    if from.date.has_zero() {
        return None;
    }
    let mut at = from;
    if by.months != 0 {
        let months = i64::from(from.date.year) * 12 + i64::from(from.date.month) - 1;
        let months = months.checked_add(by.months.checked_mul(sign)?)?;
        let year = u16::try_from(months.div_euclid(12)).ok()?;
        let month = u8::try_from(months.rem_euclid(12) + 1).ok()?;
        at.date = Date::new(year, month, from.date.day.min(days_in_month(year, month)))?;
    }
    let fraction = if by.micros % MICROS_PER_SECOND == 0 {
        from.fraction
    } else {
        6
    };
    let clock = i64::from(at.seconds_of_day()) * MICROS_PER_SECOND + i64::from(at.micros);
    let total = (at.date.day_number() * MICROS_PER_DAY + clock).checked_add(by.micros.checked_mul(sign)?)?;
    let at = from_day_micros(total, fraction)?;
    let day_only = matches!(value, Sql::Date(_)) || (!matches!(value, Sql::DateTime(_)) && is_day(value));
    if day_only && by.whole_days {
        return Some(Sql::Date(at.date));
    }
    Some(Sql::DateTime(at))
}

/// Whether a text or number gives a day without a time.
fn is_day(value: &Sql<'_>) -> bool {
    value.to_text().is_some_and(|text| {
        let text = text.trim();
        text.len() <= 10 && !text.contains([':', ' ', 'T', 't'])
    })
}

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
                .to_ambiguous_timestamp(at.civil()?)
                .unambiguous()
                .ok()?;
            DateTime::from_civil(zone.to_datetime(instant), at.fraction)
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
    let small = |number: i64, most: u8| u8::try_from(number).ok().filter(|number| *number <= most);
    Some(DateTime {
        date: Date::new(u16::try_from(year).ok()?, small(month, 12)?, small(day, 31)?)?,
        hour: small(hour, 23)?,
        minute: small(minute, 59)?,
        second: small(second, 59)?,
        micros: u32::try_from(micros).ok()?,
        fraction: shown,
    })
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
                parse(text, &zone).map(|at| at.to_string()).as_deref(),
                Some(want),
                "{text}"
            );
        }
        for text in [
            "",
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
