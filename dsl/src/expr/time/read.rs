//! Reading the spellings of days and times, as generously as the server does.
//!
//! Digits only (`20230606`, `230606113000.5`) or numbers with any punctuation between them. What follows a complete
//! date is ignored, so is what follows a time; a part that is out of its range makes the whole none. A text counts
//! as a time of the day when it is asked for one and is too short to be a date and a time.

use super::calendar::{Date, DateTime, Time, days_in_month};

/// Hours of the longest length of time: that of the calendar.
const LONGEST_HOURS: i64 = 87_649_415;

/// Which days pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Days {
    /// Those of the calendar, and those whose month or day is zero.
    Real,
    /// Also the 31st of any month, as in comparisons.
    Any,
}

/// What a text turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// A day alone.
    Date(Date),
    /// A day and a time.
    DateTime(DateTime),
    /// A time of the day or a length of time.
    Time(Time),
    /// A longer time than can be shown, in microseconds; only where one is asked for.
    Long(i64, u8),
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// A time up to the longest; more becomes the longest.
    Time,
    /// A length of time of many more hours, and no date.
    Length,
    /// A length of time, or a date: a text with a sign other than `:`.
    DateOrLength,
    /// The same, and a text of digits is a date as well.
    DayOrLength,
}

/// What did not read as a date: nothing like one, or one that does not exist.
enum Miss {
    Other,
    Wrong,
}

/// The part of a text that is read: a sign, and everything between the blanks and the letters around it.
fn body(text: &str) -> Option<(bool, &[u8])> {
    let bytes = text.trim_ascii_start().as_bytes();
    let negative = bytes.first() == Some(&b'-');
    let bytes = match bytes.first() {
        Some(b'-' | b'+') => bytes[1..].trim_ascii_start(),
        _ => bytes,
    };
    if !bytes.first()?.is_ascii_digit() {
        return None;
    }
    let after = |byte: &u8| !(is_letter(*byte) || is_blank(*byte) || *byte == 0xa0);
    let end = bytes.iter().rposition(after).map_or(0, |last| last + 1);
    // A T that would separate day and time still says that this is a day.
    let end = end + usize::from(bytes.get(end) == Some(&b'T'));
    Some((negative, &bytes[..end]))
}

/// A letter of Latin-1, as the server sees the bytes behind a time whatever they are: those of `ß` are two letters.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic()
        || matches!(byte, 0x81 | 0x83 | 0x8a | 0x8c..=0x90 | 0x9a | 0x9c..=0x9f)
        || (byte >= 0xc0 && !matches!(byte, 0xd7 | 0xf7))
}

fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// A day, or a day and a time.
pub(super) fn date_time(text: &str, days: Days) -> Option<Reading> {
    let (negative, bytes) = body(text)?;
    if negative {
        return None;
    }
    Cursor::new(bytes).date_time(Separators::Any, days).ok()
}

/// A time of the day, or a day and a time whose clock is meant.
pub(super) fn time(text: &str, clock: Clock, days: Days) -> Option<Reading> {
    let (negative, bytes) = body(text)?;
    if may_be_date_time(bytes, clock) {
        let separators = if clock == Clock::Length {
            Separators::NoSign
        } else {
            Separators::BlankOrT
        };
        match Cursor::new(bytes).date_time(separators, days) {
            Ok(_) if negative => return None,
            Ok(reading) => return Some(reading),
            // What is no day may still be a length.
            Err(Miss::Wrong) if clock != Clock::Length => return None,
            Err(_) => {}
        }
    }
    if clock == Clock::DayOrLength && bytes.iter().all(u8::is_ascii_digit) {
        return Cursor::new(bytes).date_time(Separators::BlankOrT, days).ok();
    }
    let (micros, digits, rest) = Cursor::new(bytes).clock()?;
    if clock == Clock::Length && rest.first() == Some(&b'-') {
        return None;
    }
    length(if negative { -micros } else { micros }, digits, clock)
}

fn length(micros: i64, digits: u8, clock: Clock) -> Option<Reading> {
    if clock == Clock::Time {
        return Some(Reading::Time(Time::from_micros(micros, digits)));
    }
    (micros.abs() < (LONGEST_HOURS + 1) * 3_600_000_000).then_some(Reading::Long(micros, digits))
}

/// Whether a text is worth a try as a day and a time. The shortest is `1-1-1 1`; only from twelve bytes on nothing
/// else comes into question.
fn may_be_date_time(bytes: &[u8], clock: Clock) -> bool {
    if bytes.len() >= 12 {
        return true;
    }
    let mut signs = 0;
    for &byte in bytes {
        match byte {
            b'T' => return true,
            b' ' => return signs > 0,
            b':' => signs += 1,
            sign if sign.is_ascii_punctuation() => {
                if matches!(clock, Clock::DateOrLength | Clock::DayOrLength) && bytes.len() >= 5 {
                    return true;
                }
                signs += 1;
            }
            _ => {}
        }
    }
    false
}

/// What may stand between day and time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Separators {
    Any,
    BlankOrT,
    /// As [`Separators::BlankOrT`]; but a letter behind `9:00:00` makes that a day, and so no length of time.
    NoSign,
}

/// Year, month, day, hour, minute, second as they were written.
#[derive(Default)]
struct Parts {
    numbers: [u32; 6],
    count: usize,
    year_digits: usize,
}

struct Cursor<'t> {
    rest: &'t [u8],
}

impl<'t> Cursor<'t> {
    fn new(rest: &'t [u8]) -> Cursor<'t> {
        Cursor { rest }
    }

    fn digits(&self) -> usize {
        self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    }

    fn at(&self, index: usize) -> Option<u8> {
        self.rest.get(index).copied()
    }

    /// Up to `most` digits; the server counts in 32 bits and lets a longer number run over.
    fn number(&mut self, most: usize) -> Option<u32> {
        let end = self.digits().min(most);
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        let add = |sum: u32, byte: &u8| sum.wrapping_mul(10).wrapping_add(u32::from(byte - b'0'));
        (end > 0).then(|| digits.iter().fold(0, add))
    }

    /// Up to six digits after the point; more are passed over.
    fn fraction(&mut self) -> (i64, u8) {
        let end = self.digits();
        let shown = end.min(6);
        let mut micros = 0;
        for place in 0..6 {
            let digit = if place < shown { self.rest[place] - b'0' } else { 0 };
            micros = micros * 10 + i64::from(digit);
        }
        self.rest = &self.rest[end..];
        (micros, u8::try_from(shown).unwrap_or(6))
    }

    fn date_time(mut self, separators: Separators, days: Days) -> Result<Reading, Miss> {
        let mut parts = Parts::default();
        let whole = match self.compact_digits() {
            Some(digits) => {
                parts.year_digits = if matches!(digits, 4 | 8) || digits >= 14 {
                    4
                } else {
                    2
                };
                self.compact(&mut parts)
            }
            None => {
                parts.year_digits = self.digits();
                self.separated(&mut parts, separators)?
            }
        };
        if parts.count < 3 {
            return Err(Miss::Other);
        }
        let mut fraction = (0, 0);
        if whole && self.at(0) == Some(b'.') {
            self.rest = &self.rest[1..];
            fraction = self.fraction();
        }
        finish(parts, fraction, days).ok_or(Miss::Wrong)
    }

    /// How many digits a text of digits has, one `T` and a fraction behind at least twelve not counted.
    fn compact_digits(&self) -> Option<usize> {
        let mut end = self.digits();
        let mut count = end;
        let more = |from: usize| Cursor::new(&self.rest[from..]).digits();
        if self.at(end) == Some(b'T') {
            let behind = more(end + 1);
            count += behind;
            end += 1 + behind;
        }
        if self.at(end) == Some(b'.') && count >= 12 {
            end += 1 + more(end + 1);
        }
        (end == self.rest.len()).then_some(count)
    }

    fn compact(&mut self, parts: &mut Parts) -> bool {
        for index in 0..6 {
            if index == 3 && self.at(0) == Some(b'T') {
                self.rest = &self.rest[1..];
            }
            if self.rest.is_empty() {
                return true;
            }
            let most = if index == 0 { parts.year_digits } else { 2 };
            match self.number(most) {
                Some(number) => parts.push(number),
                None => return false,
            }
        }
        true
    }

    /// Says whether everything up to the second was in order.
    fn separated(&mut self, parts: &mut Parts, separators: Separators) -> Result<bool, Miss> {
        let mut colon = false;
        for index in 0..6 {
            if index == 3 {
                // With colons in the day only a blank or a T and a digit behind it make it one, where a time is asked
                // for.
                if separators != Separators::Any && colon && !self.is_joined(separators) {
                    return Err(Miss::Other);
                }
                match self.separator(separators) {
                    Some(true) => {}
                    Some(false) => return Ok(false),
                    None => return Err(Miss::Other),
                }
            } else if index > 0 && !self.rest.is_empty() {
                if !self.rest[0].is_ascii_punctuation() {
                    return Ok(false);
                }
                colon |= index == 1 && self.rest[0] == b':';
                self.rest = &self.rest[1..];
            }
            if self.rest.is_empty() {
                return Ok(true);
            }
            match self.number(usize::MAX) {
                Some(number) => parts.push(number),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Whether what follows three numbers with colons says that they are a day.
    fn is_joined(&self, separators: Separators) -> bool {
        match self.at(0) {
            Some(b'T') => true,
            Some(blank) if is_blank(blank) => {
                let behind = self.rest.iter().find(|byte| !is_blank(**byte));
                behind.is_some_and(u8::is_ascii_digit)
            }
            Some(other) => separators == Separators::NoSign && !other.is_ascii_punctuation(),
            None => false,
        }
    }

    /// Between day and time; `None` when a sign stands there that would make this no date.
    fn separator(&mut self, separators: Separators) -> Option<bool> {
        let Some(first) = self.at(0) else {
            return Some(true);
        };
        if first == b'T' {
            self.rest = &self.rest[1..];
        } else if first.is_ascii_punctuation() {
            if separators != Separators::Any {
                return None;
            }
            self.rest = &self.rest[1..];
        } else if is_blank(first) {
            let blanks = self.rest.iter().take_while(|byte| is_blank(**byte)).count();
            self.rest = &self.rest[blanks..];
        } else {
            return Some(false);
        }
        Some(true)
    }

    /// `[days] hours:minutes:seconds.fraction`, or their digits. In microseconds, with the digits it was written with and what
    /// follows.
    fn clock(mut self) -> Option<(i64, u8, &'t [u8])> {
        let first = self.long_number()?;
        let blanks = self.rest.iter().take_while(|byte| is_blank(**byte)).count();
        let behind = &self.rest[blanks..];
        let digit_at = |bytes: &[u8], at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        let (hours, minutes, seconds) = if blanks > 0 && behind.len() > 1 && digit_at(behind, 0) {
            self.rest = behind;
            let (hours, minutes, seconds) = self.hours_and_less()?;
            (first.checked_mul(24)?.checked_add(hours)?, minutes, seconds)
        } else if self.at(0) == Some(b':') && digit_at(self.rest, 1) {
            let (minutes, seconds) = self.minutes_and_less()?;
            (first, minutes, seconds)
        } else {
            (first / 10_000, first / 100 % 100, first % 100)
        };
        let mut fraction = (0, 0);
        if self.at(0) == Some(b'.') {
            self.rest = &self.rest[1..];
            fraction = self.fraction();
        }
        if self.exponent() || minutes > 59 || seconds > 59 || hours >= i64::from(u32::MAX) {
            return None;
        }
        // Longer ones are all the same to the caller.
        let hours = hours.min(LONGEST_HOURS + 1);
        let seconds = (hours * 60 + minutes) * 60 + seconds;
        Some((seconds * 1_000_000 + fraction.0, fraction.1, self.rest))
    }

    fn hours_and_less(&mut self) -> Option<(i64, i64, i64)> {
        let hours = self.long_number()?;
        let (minutes, seconds) = self.minutes_and_less()?;
        Some((hours, minutes, seconds))
    }

    /// Seconds follow only minutes.
    fn minutes_and_less(&mut self) -> Option<(i64, i64)> {
        match self.after_colon()? {
            None => Some((0, 0)),
            Some(minutes) => Some((minutes, self.after_colon()?.unwrap_or(0))),
        }
    }

    fn after_colon(&mut self) -> Option<Option<i64>> {
        if self.at(0) == Some(b':') && self.at(1).is_some_and(|byte| byte.is_ascii_digit()) {
            self.rest = &self.rest[1..];
            return self.long_number().map(Some);
        }
        Some(None)
    }

    /// Digits that fit the server's 32 bits.
    fn long_number(&mut self) -> Option<i64> {
        let end = self.digits();
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        let add = |sum: i64, byte: &u8| sum.checked_mul(10)?.checked_add(i64::from(byte - b'0'));
        digits.iter().try_fold(0, add)
    }

    /// `e5`, `E-5`: then this was a float, not a time.
    fn exponent(&self) -> bool {
        let digit = |at: usize| self.at(at).is_some_and(|byte| byte.is_ascii_digit());
        matches!(self.at(0), Some(b'e' | b'E'))
            && (digit(1) || (matches!(self.at(1), Some(b'+' | b'-')) && digit(2)))
    }
}

impl Parts {
    fn push(&mut self, number: u32) {
        if let Some(slot) = self.numbers.get_mut(self.count) {
            *slot = number;
            self.count += 1;
        }
    }
}

fn finish(parts: Parts, (micros, digits): (i64, u8), days: Days) -> Option<Reading> {
    let [mut year, month, day, hour, minute, second] = parts.numbers;
    let written = parts.numbers.iter().any(|number| *number != 0) || micros != 0;
    if parts.year_digits == 2 && written {
        year = year.wrapping_add(if year < 70 { 2000 } else { 1900 });
    }
    let small = |number: u32, most: u8| u8::try_from(number).ok().filter(|number| *number <= most);
    let date = checked(
        u16::try_from(year).ok()?,
        small(month, 12)?,
        small(day, 31)?,
        days,
    )?;
    let at = DateTime {
        date,
        hour: small(hour, 23)?,
        minute: small(minute, 59)?,
        second: small(second, 59)?,
        micros: u32::try_from(micros).ok()?,
        fraction: digits,
    };
    Some(if parts.count > 3 {
        Reading::DateTime(at)
    } else {
        Reading::Date(date)
    })
}

fn checked(year: u16, month: u8, day: u8, days: Days) -> Option<Date> {
    let real = month == 0 || day <= days_in_month(year, month);
    (year <= 9999 && month <= 12 && day <= 31 && (real || days == Days::Any)).then_some(Date {
        year,
        month,
        day,
    })
}

/// A number of at least seven digits is a day, of at least eleven a day and a time; shorter years are filled up.
pub(super) fn number_date_time(whole: i128, micros: u32, digits: u8, days: Days) -> Option<Reading> {
    const CLOCK: i64 = 1_000_000;
    let whole = i64::try_from(whole).ok()?;
    let (filled, clocked) = match whole {
        0 => (0, true),
        10_000_101_000_000.. => (whole, true),
        ..101 => return None,
        101..=691_231 => (whole + 20_000_000, false),
        700_101..=991_231 => (whole + 19_000_000, false),
        10_000_101..=99_991_231 => (whole, false),
        101_000_000..=691_231_235_959 => (whole + 20_000_000_000_000, true),
        700_101_000_000..=991_231_235_959 => (whole + 19_000_000_000_000, true),
        // Thirteen digits are a year of three.
        991_231_235_960..10_000_101_000_000 => (whole, true),
        _ => return None,
    };
    let (date, clock) = if clocked {
        (filled / CLOCK, filled % CLOCK)
    } else {
        (filled, 0)
    };
    let small = |number: i64, most: u8| u8::try_from(number).ok().filter(|number| *number <= most);
    let date = checked(
        u16::try_from(date / 10_000).ok()?,
        small(date / 100 % 100, 12)?,
        small(date % 100, 31)?,
        days,
    )?;
    if !clocked {
        return Some(Reading::Date(date));
    }
    Some(Reading::DateTime(DateTime {
        date,
        hour: small(clock / 10_000, 23)?,
        minute: small(clock / 100 % 100, 59)?,
        second: small(clock % 100, 59)?,
        micros,
        fraction: digits,
    }))
}

/// `113000` is a time; what is longer is a day, or a day and a time.
pub(super) fn number_time(
    negative: bool,
    whole: i128,
    micros: u32,
    digits: u8,
    clock: Clock,
    days: Days,
) -> Option<Reading> {
    const FIRST_DATE_TIME: i128 = 10_000_101_000_000;
    const LAST_DATE_TIME: i128 = 99_991_231_235_959;
    let dates = match clock {
        Clock::Time => 10_000_000..=LAST_DATE_TIME,
        _ => FIRST_DATE_TIME..=LAST_DATE_TIME,
    };
    if !negative && dates.contains(&whole) {
        return number_date_time(whole, micros, digits, days);
    }
    let (minutes, seconds) = (whole / 100 % 100, whole % 100);
    // The last microsecond of a second is too much for the server.
    if minutes > 59 || seconds > 59 || micros == 999_999 {
        return None;
    }
    let hours = i64::try_from(whole / 10_000).map_or(LONGEST_HOURS + 1, |hours| hours.min(LONGEST_HOURS + 1));
    let (minutes, seconds) = (i64::try_from(minutes).ok()?, i64::try_from(seconds).ok()?);
    let total = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + i64::from(micros);
    length(if negative { -total } else { total }, digits, clock)
}
