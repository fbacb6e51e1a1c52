//! The units of `INTERVAL`, `EXTRACT`, `TIMESTAMPDIFF` and `TIMESTAMPADD`.

/// A unit; the composite ones run from the first to the last part they name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the word it is written as")]
pub enum Unit {
    Microsecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    SecondMicrosecond,
    MinuteMicrosecond,
    MinuteSecond,
    HourMicrosecond,
    HourSecond,
    HourMinute,
    DayMicrosecond,
    DaySecond,
    DayMinute,
    DayHour,
    YearMonth,
}

use Unit::*;

/// In the order of [`UNITS`].
const ALL: &[Unit] = &[
    Microsecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    SecondMicrosecond,
    MinuteMicrosecond,
    MinuteSecond,
    HourMicrosecond,
    HourSecond,
    HourMinute,
    DayMicrosecond,
    DaySecond,
    DayMinute,
    DayHour,
    YearMonth,
];

/// The words, for messages.
pub const UNITS: &[&str] = &[
    "MICROSECOND",
    "SECOND",
    "MINUTE",
    "HOUR",
    "DAY",
    "WEEK",
    "MONTH",
    "QUARTER",
    "YEAR",
    "SECOND_MICROSECOND",
    "MINUTE_MICROSECOND",
    "MINUTE_SECOND",
    "HOUR_MICROSECOND",
    "HOUR_SECOND",
    "HOUR_MINUTE",
    "DAY_MICROSECOND",
    "DAY_SECOND",
    "DAY_MINUTE",
    "DAY_HOUR",
    "YEAR_MONTH",
];

impl Unit {
    /// The unit of a word in any case; `SQL_TSI_DAY` is `DAY`.
    pub fn parse(word: &str) -> Option<Unit> {
        let upper = word.to_ascii_uppercase();
        let name = upper.strip_prefix("SQL_TSI_").unwrap_or(&upper);
        let at = UNITS.iter().position(|known| *known == name)?;
        ALL.get(at).copied()
    }

    /// Whether a day stays a day when this much is added.
    pub fn keeps_day(self) -> bool {
        matches!(self, Day | Week | Month | Quarter | Year | YearMonth)
    }

    /// Whether a time of the day can be moved by it: it is no longer than a day.
    pub fn moves_clock(self) -> bool {
        !self.keeps_day() || self == Day
    }

    /// Digits of a second that an amount of this unit has of itself.
    pub fn digits(self) -> u8 {
        match self {
            Microsecond | SecondMicrosecond | MinuteMicrosecond | HourMicrosecond | DayMicrosecond => 6,
            _ => 0,
        }
    }

    /// How many numbers an amount of a composite unit consists of; 1 for the others.
    pub(super) fn parts(self) -> usize {
        match self {
            SecondMicrosecond | MinuteSecond | HourMinute | DayHour | YearMonth => 2,
            MinuteMicrosecond | HourSecond | DayMinute => 3,
            HourMicrosecond | DaySecond => 4,
            DayMicrosecond => 5,
            _ => 1,
        }
    }

    /// What one of the last number of an amount is, in microseconds.
    pub(super) fn micros(self) -> i64 {
        const SECOND: i64 = 1_000_000;
        match self {
            Second | MinuteSecond | HourSecond | DaySecond => SECOND,
            Minute | HourMinute | DayMinute => 60 * SECOND,
            Hour | DayHour => 3600 * SECOND,
            Day => 86_400 * SECOND,
            Week => 7 * 86_400 * SECOND,
            Month | Quarter | Year | YearMonth => 0,
            _ => 1,
        }
    }

    /// What one of the last number of an amount is, in months.
    pub(super) fn months(self) -> i64 {
        match self {
            Month | YearMonth => 1,
            Quarter => 3,
            Year => 12,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_the_units() {
        for (word, unit) in UNITS.iter().zip(ALL) {
            let debug = format!("{unit:?}").to_ascii_uppercase();
            assert_eq!(word.replace('_', ""), debug);
            assert_eq!(Unit::parse(word), Some(*unit));
        }
        assert_eq!(UNITS.len(), ALL.len());
        assert_eq!(Unit::parse("sql_tsi_week"), Some(Week));
        assert_eq!(Unit::parse("FORTNIGHT"), None);
    }
}
