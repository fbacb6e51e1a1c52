//! The units of `INTERVAL`, `EXTRACT`, `TIMESTAMPDIFF` and `TIMESTAMPADD`.

/// The one list of units: the enum, all of it, and its words.
macro_rules! units {
    ($($unit:ident $word:literal,)*) => {
        /// A unit; the composite ones run from the first to the last part they name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is the word it is written as")]
        pub enum Unit {
            $($unit,)*
        }

        const ALL: &[(Unit, &str)] = &[$((Unit::$unit, $word),)*];

        /// The words, for messages.
        pub const UNITS: &[&str] = &[$($word,)*];
    };
}

units! {
    Microsecond "MICROSECOND",
    Second "SECOND",
    Minute "MINUTE",
    Hour "HOUR",
    Day "DAY",
    Week "WEEK",
    Month "MONTH",
    Quarter "QUARTER",
    Year "YEAR",
    SecondMicrosecond "SECOND_MICROSECOND",
    MinuteMicrosecond "MINUTE_MICROSECOND",
    MinuteSecond "MINUTE_SECOND",
    HourMicrosecond "HOUR_MICROSECOND",
    HourSecond "HOUR_SECOND",
    HourMinute "HOUR_MINUTE",
    DayMicrosecond "DAY_MICROSECOND",
    DaySecond "DAY_SECOND",
    DayMinute "DAY_MINUTE",
    DayHour "DAY_HOUR",
    YearMonth "YEAR_MONTH",
}

use Unit::*;

impl Unit {
    /// The unit of a word in any case; `SQL_TSI_DAY` is `DAY`.
    pub fn parse(word: &str) -> Option<Unit> {
        let upper = word.to_ascii_uppercase();
        let name = upper.strip_prefix("SQL_TSI_").unwrap_or(&upper);
        ALL.iter().find(|(_, word)| *word == name).map(|(unit, _)| *unit)
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
        for (unit, word) in ALL {
            let debug = format!("{unit:?}").to_ascii_uppercase();
            assert_eq!(word.replace('_', ""), debug);
            assert_eq!(Unit::parse(word), Some(*unit));
        }
        assert_eq!(Unit::parse("sql_tsi_week"), Some(Week));
        assert_eq!(Unit::parse("FORTNIGHT"), None);
    }
}
