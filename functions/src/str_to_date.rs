//! `STR_TO_DATE(text, format)`: reading a time by a `%` format.

use dsl::builtin::Types;
use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both};
use dsl::expr::sql::{Date, Sql, Ty, TyKind};
use dsl::expr::time::{DateTime, MICROS_PER_DAY, Time};

use crate::format::{DAYS, MONTHS};

/// `STR_TO_DATE(text, format)`.
pub const STR_TO_DATE: Builtin = Builtin {
    name: "STR_TO_DATE",
    aliases: &[],
    summary: both(
        "按格式读出时间;格式决定得到日期、时间,还是两者。",
        "Reads a time by a format, which decides whether it is a day, a time, or both.",
    ),
    params: &[
        Param::required("text", Type::Text, both("文本。", "The text.")),
        Param::required(
            "format",
            Type::Text,
            both("格式,见 DATE_FORMAT。", "A format as in DATE_FORMAT."),
        ),
    ],
    returns: Type::Time,
    ty: Typing::By(type_of),
    examples: &[
        Example::is("STR_TO_DATE('06/06/2023', '%d/%m/%Y')", "2023-06-06"),
        Example::is("STR_TO_DATE('2023年6月6日', '%Y年%m月%d日')", "2023-06-06"),
        Example::is("STR_TO_DATE('11:30:15 PM', '%r')", "23:30:15"),
        Example::is(
            "STR_TO_DATE('2023-06-06', '%Y-%m-%d %H:%i')",
            "2023-06-06 00:00:00",
        ),
        Example::is("STR_TO_DATE('6 Jun 23', '%d %b %y')", "2023-06-06"),
        Example::is("STR_TO_DATE('2023-02-30', '%Y-%m-%d')", "2023-02-30"),
        Example::is("STR_TO_DATE('2023', '%Y')", "2023-00-00"),
        Example::null("STR_TO_DATE('2023/06/06', '%Y-%m-%d')"),
    ],
    constant: true,
    call: Call::Eager(str_to_date),
};

/// What a format asks for: letters of a day make a day, letters of a clock a time.
fn type_of(types: &Types<'_, '_>) -> Ty {
    match types.value(1).to_text().filter(|_| !types.varies(1)) {
        Some(format) => asked_for(&format),
        None => Ty::new(TyKind::DateTime, 6),
    }
}

fn asked_for(format: &str) -> Ty {
    let (mut day, mut clock, mut fraction) = (false, false, false);
    let mut chars = format.chars();
    while let Some(char) = chars.next() {
        if char != '%' {
            continue;
        }
        match chars.next() {
            Some('f') => (clock, fraction) = (true, true),
            Some('H' | 'I' | 'S' | 'T' | 'h' | 'i' | 'k' | 'l' | 'r' | 's') => clock = true,
            Some(
                'M' | 'V' | 'U' | 'X' | 'Y' | 'W' | 'a' | 'b' | 'c' | 'j' | 'm' | 'v' | 'u' | 'x' | 'y' | 'w',
            ) => day = true,
            _ => {}
        }
    }
    let digits = if fraction { 6 } else { 0 };
    match (day, clock) {
        (_, false) => Ty::DATE,
        (true, true) => Ty::new(TyKind::DateTime, digits),
        (false, true) => Ty::new(TyKind::Time, digits),
    }
}

fn str_to_date(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let format = args.text(1);
    let mut found = Found::default();
    let text = args.text(0);
    let read = found.read(&text, &format).and_then(|_| found.finish());
    let Some((date, clock)) = read else {
        return Ok(Sql::Null);
    };
    let ty = asked_for(&format);
    Ok(match ty.kind {
        TyKind::Date => Sql::Date(date),
        TyKind::Time => {
            let micros = clock.total_micros() + i64::from(date.day) * MICROS_PER_DAY;
            Sql::Time(Time::from_micros(micros, ty.decimals))
        }
        _ => {
            let (hour, minute, second) = clock.parts();
            let small = |number: u32| u8::try_from(number).unwrap_or(0);
            Sql::DateTime(DateTime {
                date,
                hour: small(hour),
                minute: small(minute),
                second: small(second),
                micros: clock.micros,
                fraction: ty.decimals,
            })
        }
    })
}

/// What a text has given so far.
#[derive(Default)]
struct Found {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    /// Of twelve hours, and whether it is the second half of the day.
    twelve: Option<bool>,
    day_of_year: i64,
    /// 1 for Monday to 7.
    weekday: Option<i64>,
    week: Option<Week>,
    /// The year of the week, and whether its weeks begin on Sunday.
    week_year: Option<(i64, bool)>,
}

#[derive(Clone, Copy)]
struct Week {
    number: i64,
    sunday_first: bool,
    /// Counted in the week's own year.
    own_year: bool,
}

impl Found {
    /// Reads as long as text and format last; gives back what is left of the text.
    fn read<'t>(&mut self, text: &'t str, format: &str) -> Option<&'t str> {
        let mut rest = text;
        let mut chars = format.chars();
        while let Some(char) = chars.next() {
            rest = rest.trim_start_matches(|blank: char| blank.is_ascii_whitespace() || blank == '\u{b}');
            if rest.is_empty() {
                break;
            }
            if char == '%'
                && let Some(letter) = chars.next()
            {
                rest = self.field(rest, letter)?;
            } else if !char.is_ascii_whitespace() {
                rest = rest.strip_prefix(char)?;
            }
        }
        Some(rest)
    }

    fn field<'t>(&mut self, text: &'t str, letter: char) -> Option<&'t str> {
        let mut rest = text;
        let mut number = |most: usize| {
            let (number, digits, behind) = number(text, most)?;
            rest = behind;
            Some((number, digits))
        };
        match letter {
            'Y' => {
                let (year, digits) = number(4)?;
                self.year = if digits <= 2 { full_year(year) } else { year };
            }
            'y' => self.year = full_year(number(2)?.0),
            'm' | 'c' => self.month = number(2)?.0,
            'd' | 'e' => self.day = number(2)?.0,
            'D' => {
                self.day = number(2)?.0;
                // The ending, whatever it is.
                let mut ending = rest.chars();
                ending.by_ref().take(2).for_each(drop);
                rest = ending.as_str();
            }
            'H' | 'k' => self.hour = number(2)?.0,
            'h' | 'I' | 'l' => {
                self.twelve.get_or_insert(false);
                self.hour = number(2)?.0;
            }
            'i' => self.minute = number(2)?.0,
            's' | 'S' => self.second = number(2)?.0,
            'f' => {
                let (micros, digits) = number(6)?;
                let zeros = u32::try_from(6usize.saturating_sub(digits)).ok()?;
                self.micros = micros * 10i64.pow(zeros);
            }
            'p' => {
                let half = text.get(..2)?;
                self.twelve.as_ref()?;
                self.twelve = Some(if half.eq_ignore_ascii_case("PM") {
                    true
                } else if half.eq_ignore_ascii_case("AM") {
                    false
                } else {
                    return None;
                });
                rest = &text[2..];
            }
            'M' | 'b' => {
                let (index, behind) = name(text, &MONTHS, letter == 'b')?;
                (self.month, rest) = (index, behind);
            }
            'W' | 'a' => {
                let (index, behind) = name(text, &DAYS, letter == 'a')?;
                (self.weekday, rest) = (Some(index), behind);
            }
            'w' => {
                let (weekday, _) = number(1)?;
                self.weekday = Some(if weekday == 0 { 7 } else { weekday }).filter(|_| weekday < 7);
                self.weekday?;
            }
            'j' => self.day_of_year = number(3)?.0,
            'U' | 'u' | 'V' | 'v' => {
                let week = Week {
                    number: number(2)?.0,
                    sunday_first: matches!(letter, 'U' | 'V'),
                    own_year: matches!(letter, 'V' | 'v'),
                };
                if week.number > 53 || (week.own_year && week.number == 0) {
                    return None;
                }
                self.week = Some(week);
            }
            'X' | 'x' => self.week_year = Some((number(4)?.0, letter == 'X')),
            'r' => return self.read(text, "%I:%i:%S %p"),
            'T' => return self.read(text, "%H:%i:%S"),
            '.' => rest = text.trim_start_matches(|char: char| char.is_ascii_punctuation()),
            '@' => rest = text.trim_start_matches(|char: char| char.is_ascii_alphabetic()),
            '#' => rest = text.trim_start_matches(|char: char| char.is_ascii_digit()),
            _ => return None,
        }
        Some(rest)
    }

    /// The day and the clock that the parts make.
    fn finish(&mut self) -> Option<(Date, Time)> {
        if let Some(second_half) = self.twelve {
            if !(1..=12).contains(&self.hour) {
                return None;
            }
            self.hour = self.hour % 12 + if second_half { 12 } else { 0 };
        }
        let mut date = None;
        if self.day_of_year > 0 {
            date = Some(Date::from_day_number(
                first_day(self.year)? + self.day_of_year - 1,
            )?);
        }
        if let (Some(week), Some(weekday)) = (self.week, self.weekday) {
            date = Some(self.day_of_week(week, weekday)?);
        }
        let date = match date {
            Some(date) => date,
            None => Date {
                year: u16::try_from(self.year).ok()?,
                month: u8::try_from(self.month).ok().filter(|month| *month <= 12)?,
                day: u8::try_from(self.day).ok().filter(|day| *day <= 31)?,
            },
        };
        if self.hour > 23 || self.minute > 59 || self.second > 59 {
            return None;
        }
        let seconds = (self.hour * 60 + self.minute) * 60 + self.second;
        Some((date, Time::from_micros(seconds * 1_000_000 + self.micros, 6)))
    }

    /// The day of a week: weeks of their own year go with that year, the others with the calendar's.
    fn day_of_week(&self, week: Week, weekday: i64) -> Option<Date> {
        let year = match (week.own_year, self.week_year) {
            (true, Some((year, sunday_first))) if sunday_first == week.sunday_first => year,
            (false, None) => self.year,
            _ => return None,
        };
        let first = first_day(year)?;
        let january = if week.sunday_first {
            (first + 6) % 7
        } else {
            (first + 5) % 7
        };
        let whole = (week.number - 1) * 7;
        let days = if week.sunday_first {
            let to_first_week = if january == 0 { 0 } else { 7 };
            to_first_week - january + whole + weekday % 7
        } else {
            let to_first_week = if january <= 3 { 0 } else { 7 };
            to_first_week - january + whole + weekday - 1
        };
        Date::from_day_number(first + days)
    }
}

fn first_day(year: i64) -> Option<i64> {
    let year = u16::try_from(year).ok()?;
    let first = Date {
        year,
        month: 1,
        day: 1,
    };
    Some(first.day_number())
}

fn full_year(year: i64) -> i64 {
    match year {
        0..70 => year + 2000,
        70..100 => year + 1900,
        year => year,
    }
}

/// Up to `most` digits, of which a plus may be one; how many they were, and what follows.
fn number(text: &str, most: usize) -> Option<(i64, usize, &str)> {
    let sign = usize::from(text.starts_with('+'));
    let end = text
        .bytes()
        .take(most)
        .skip(sign)
        .take_while(u8::is_ascii_digit)
        .count();
    let end = sign + end;
    let number = text[sign..end].parse().ok()?;
    Some((number, end, &text[end..]))
}

/// A name or its beginning, if only one begins so; its number from 1 on, and what follows.
fn name<'t>(text: &'t str, names: &[&str], short: bool) -> Option<(i64, &'t str)> {
    let end = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let word = &text[..end];
    let begins = |name: &&str| {
        let name = if short { &name[..3] } else { name };
        name.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    let mut found = names.iter().enumerate().filter(|(_, name)| begins(name));
    let (index, _) = found.next().filter(|_| !word.is_empty())?;
    let whole = names[index].eq_ignore_ascii_case(word);
    (whole || found.next().is_none()).then(|| Some((i64::try_from(index + 1).ok()?, &text[end..])))?
}
