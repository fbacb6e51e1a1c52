//! The `%` formats of DATE_FORMAT and FROM_UNIXTIME.

use std::fmt::Write;

use dsl::expr::sql::DateTime;
use jiff::civil::{Date, Weekday};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// Prints a time. A letter that means nothing stands for itself, as on the server.
pub(crate) fn date_format(at: &DateTime, format: &str) -> String {
    let mut text = String::with_capacity(format.len() + 16);
    let mut chars = format.chars();
    while let Some(char) = chars.next() {
        match (char, if char == '%' { chars.next() } else { None }) {
            // Writing to a String does not fail.
            ('%', Some(letter)) => field(&mut text, at, letter).unwrap_or_default(),
            _ => text.push(char),
        }
    }
    text
}

fn field(text: &mut String, at: &DateTime, letter: char) -> std::fmt::Result {
    let Some(civil) = at.civil() else { return Ok(()) };
    let (date, time) = (civil.date(), civil.time());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    let twelve = (hour + 11) % 12 + 1;
    let half = if hour < 12 { "AM" } else { "PM" };
    let month = MONTHS[usize::try_from(date.month() - 1).unwrap_or(0) % 12];
    let day = DAYS[usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0) % 7];
    match letter {
        'Y' => write!(text, "{:04}", date.year()),
        'y' => write!(text, "{:02}", date.year().rem_euclid(100)),
        'm' => write!(text, "{:02}", date.month()),
        'c' => write!(text, "{}", date.month()),
        'd' => write!(text, "{:02}", date.day()),
        'e' => write!(text, "{}", date.day()),
        'D' => write!(text, "{}{}", date.day(), ordinal(date.day())),
        'H' => write!(text, "{hour:02}"),
        'k' => write!(text, "{hour}"),
        'h' | 'I' => write!(text, "{twelve:02}"),
        'l' => write!(text, "{twelve}"),
        'i' => write!(text, "{minute:02}"),
        's' | 'S' => write!(text, "{second:02}"),
        'f' => write!(text, "{:06}", time.subsec_nanosecond() / 1000),
        'p' => text.write_str(half),
        'T' => write!(text, "{hour:02}:{minute:02}:{second:02}"),
        'r' => write!(text, "{twelve:02}:{minute:02}:{second:02} {half}"),
        'j' => write!(text, "{:03}", date.day_of_year()),
        'M' => text.write_str(month),
        'b' => text.write_str(&month[..3]),
        'W' => text.write_str(day),
        'a' => text.write_str(&day[..3]),
        'w' => write!(text, "{}", date.weekday().to_sunday_zero_offset()),
        'v' => write!(text, "{:02}", date.iso_week_date().week()),
        'x' => write!(text, "{:04}", date.iso_week_date().year()),
        'u' => write!(text, "{:02}", monday_week(date)),
        'U' => write!(text, "{:02}", sunday_week(date)),
        'V' => write!(text, "{:02}", sunday_week_year(date).1),
        'X' => write!(text, "{:04}", sunday_week_year(date).0),
        other => write!(text, "{other}"),
    }
}

fn ordinal(day: i8) -> &'static str {
    match day {
        11..=13 => "th",
        _ => match day % 10 {
            1 => "st",
            2 => "nd",
            3 => "rd",
            _ => "th",
        },
    }
}

/// Weeks begin on Monday; the first has four days of the year. 0 to 53.
fn monday_week(date: Date) -> i16 {
    let january = i16::from(date.first_of_year().weekday().to_monday_zero_offset());
    let offset = if january <= 3 { january } else { january - 7 };
    (date.day_of_year() - 1 + offset).div_euclid(7) + 1
}

/// Weeks begin on Sunday; the first begins in the year. 0 to 53.
fn sunday_week(date: Date) -> i16 {
    (date.day_of_year() + 6 - i16::from(date.weekday().since(Weekday::Sunday))) / 7
}

/// The same, the days before the first Sunday counted to the year before.
fn sunday_week_year(date: Date) -> (i16, i16) {
    match (sunday_week(date), date.first_of_year().yesterday()) {
        (0, Ok(last)) => (last.year(), sunday_week(last)),
        (week, _) => (date.year(), week),
    }
}
