//! Printing times by `%` formats: `DATE_FORMAT`, `TIME_FORMAT`, and what `FROM_UNIXTIME` shares with them.

use std::fmt::Write;

use dsl::builtin::{Builtin, Call, Example, Param, Type, Typing, both};
use dsl::expr::sql::{Date, DateTime, Sql};
use dsl::expr::time::{Time, Weeks, week};

/// The months in English.
pub(crate) const MONTHS: [&str; 12] = [
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
/// The days of the week in English, from Monday on.
pub(crate) const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

const FORMAT: Param = Param::required(
    "format",
    Type::Text,
    both("格式;空文本得到 NULL。", "The format; an empty one gives NULL."),
);

/// `DATE_FORMAT(time, format)`.
pub const DATE_FORMAT: Builtin = Builtin {
    name: "DATE_FORMAT",
    aliases: &[],
    summary: both(
        "按格式输出时间:%Y 年 %m 月 %d 日 %H 时 %i 分 %s 秒 %T 时分秒。",
        "Prints a time: %Y year, %m month, %d day, %H hour, %i minute, %s second, %T all three.",
    ),
    params: &[
        Param::required(
            "time",
            Type::Time,
            both(
                "时间,例如 '2023-06-06 11:00:00' 或 20230606。",
                "A time, such as '2023-06-06 11:00:00' or 20230606.",
            ),
        ),
        FORMAT,
    ],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[
        Example::is(
            "DATE_FORMAT('2023-06-06 11:30:00', '%Y-%m-%d %T')",
            "2023-06-06 11:30:00",
        ),
        Example::is("DATE_FORMAT(20230606, '%c/%e/%y')", "6/6/23"),
        Example::is(
            "DATE_FORMAT('2023-06-06 01:02:03.5', '%Y年%m月%d日 %r %f')",
            "2023年06月06日 01:02:03 AM 500000",
        ),
        Example::is(
            "DATE_FORMAT('2023-01-01', '%U %u %v %x %W %D %j')",
            "01 00 52 2022 Sunday 1st 001",
        ),
        Example::is("DATE_FORMAT('2023-06-00', '%Y-%m-%d')", "2023-06-00"),
        Example::null("DATE_FORMAT('2023-00-00', '%M')"),
        Example::null("DATE_FORMAT(NOW(), '')"),
        Example::null("DATE_FORMAT('', '%Y')"),
    ],
    constant: false,
    call: Call::Eager(|args| {
        // A time of the day has no day, not today's.
        let shown = match args.dayless(0) {
            Some(time) => Some(Shown { date: None, time }),
            None => args.time(0).map(|at| Shown::of(&at)),
        };
        let text = shown.and_then(|shown| print(&shown, &args.text(1)));
        Ok(text.map_or(Sql::Null, Sql::text))
    }),
};

/// `TIME_FORMAT(time, format)`.
pub const TIME_FORMAT: Builtin = Builtin {
    name: "TIME_FORMAT",
    aliases: &[],
    summary: both(
        "按格式输出时分秒;格式里有年月日则为 NULL。",
        "Prints a time of the day or a length of time; NULL when the format asks for a day.",
    ),
    params: &[
        Param::required(
            "time",
            Type::Time,
            both(
                "时间或时长,例如 '11:30:00' 或 '100:00'。",
                "A time or a length of time, such as '11:30:00' or '100:00'.",
            ),
        ),
        FORMAT,
    ],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[
        Example::is("TIME_FORMAT('100:30:00', '%H %k %h %i %p')", "100 100 04 30 AM"),
        Example::is("TIME_FORMAT('-36:30', 'x%H')", "-x36"),
        Example::is("TIME_FORMAT('2023-06-06 11:30:00', '%T')", "11:30:00"),
        Example::null("TIME_FORMAT('11:30', '%Y')"),
    ],
    constant: false,
    call: Call::Eager(|args| {
        let dated = "YycmdeDMbWajwUuVvXx";
        let format = args.text(1);
        let asks_for_day = letters(&format).any(|letter| dated.contains(letter));
        let time = args.clock(0).filter(|_| !asks_for_day);
        let text = time.and_then(|time| print(&Shown { date: None, time }, &format));
        Ok(text.map_or(Sql::Null, Sql::text))
    }),
};

/// What is printed.
pub(crate) struct Shown {
    /// A time of the day has none.
    date: Option<Date>,
    time: Time,
}

impl Shown {
    /// A day and a time.
    pub(crate) fn of(at: &DateTime) -> Shown {
        Shown {
            date: Some(at.date),
            time: at.time(),
        }
    }
}

/// The letters that stand behind a `%`.
fn letters(format: &str) -> impl Iterator<Item = char> {
    let mut chars = format.chars();
    std::iter::from_fn(move || {
        chars.by_ref().find(|char| *char == '%')?;
        chars.next()
    })
}

/// Prints a time. A letter that means nothing stands for itself, as on the server. `None` when the format is empty
/// or asks for what the day does not have.
pub(crate) fn print(shown: &Shown, format: &str) -> Option<String> {
    if format.is_empty() {
        return None;
    }
    let mut text = String::with_capacity(format.len() + 16);
    if shown.time.negative {
        text.push('-');
    }
    let mut chars = format.chars();
    while let Some(char) = chars.next() {
        match (char, if char == '%' { chars.next() } else { None }) {
            ('%', Some(letter)) => field(&mut text, shown, letter)?,
            _ => text.push(char),
        }
    }
    Some(text)
}

fn field(text: &mut String, shown: &Shown, letter: char) -> Option<()> {
    let date = shown.date.unwrap_or(Date {
        year: 0,
        month: 0,
        day: 0,
    });
    let (hour, minute, second) = shown.time.parts();
    let twelve = (hour % 24 + 11) % 12 + 1;
    let half = if hour % 24 < 12 { "AM" } else { "PM" };
    let month = || MONTHS.get(usize::from(date.month).checked_sub(1)?).copied();
    let day = || {
        let known = shown.date.is_some() && (date.year > 0 || date.month > 0);
        known.then(|| DAYS[usize::from(date.weekday() % 7)])
    };
    let week = |mode| week(date, Weeks::mode(mode));
    let written = match letter {
        'Y' => write!(text, "{:04}", date.year),
        'y' => write!(text, "{:02}", date.year % 100),
        'm' => write!(text, "{:02}", date.month),
        'c' => write!(text, "{}", date.month),
        'd' => write!(text, "{:02}", date.day),
        'e' => write!(text, "{}", date.day),
        'D' => write!(text, "{}{}", date.day, ordinal(date.day)),
        'H' => write!(text, "{hour:02}"),
        'k' => write!(text, "{hour}"),
        'h' | 'I' => write!(text, "{twelve:02}"),
        'l' => write!(text, "{twelve}"),
        'i' => write!(text, "{minute:02}"),
        's' | 'S' => write!(text, "{second:02}"),
        'f' => write!(text, "{:06}", shown.time.micros),
        'p' => text.write_str(half),
        'T' => write!(text, "{hour:02}:{minute:02}:{second:02}"),
        'r' => write!(text, "{twelve:02}:{minute:02}:{second:02} {half}"),
        'j' if date.year == 0 || date.month == 0 => return None,
        'j' => write!(text, "{:03}", date.day_of_year()),
        'M' => text.write_str(month()?),
        'b' => text.write_str(&month()?[..3]),
        'W' => text.write_str(day()?),
        'a' => text.write_str(&day()?[..3]),
        'w' => {
            day()?;
            write!(text, "{}", (date.weekday() + 1) % 7)
        }
        'U' => write!(text, "{:02}", week(0).1),
        'u' => write!(text, "{:02}", week(1).1),
        'V' => write!(text, "{:02}", week(2).1),
        'v' => write!(text, "{:02}", week(3).1),
        'X' => write!(text, "{:04}", week(2).0),
        'x' => write!(text, "{:04}", week(3).0),
        other => write!(text, "{other}"),
    };
    written.ok()
}

fn ordinal(day: u8) -> &'static str {
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
