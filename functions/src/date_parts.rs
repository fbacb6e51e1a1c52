//! The parts of a time: year to microsecond, weeks, days of the week and their names. What is no date gives NULL.

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both};
use dsl::expr::sql::{Date, DateTime, Sql, Unit};
use dsl::expr::time::{Clock, Days, Reading, Time, Weeks, week};

use crate::format::{DAYS, MONTHS};

const TIME: Param = Param::required(
    "time",
    Type::Time,
    both(
        "时间,例如 '2023-06-06 11:00:00' 或 20230606。",
        "A time, such as '2023-06-06 11:00:00' or 20230606.",
    ),
);
const CLOCK: Param = Param::required(
    "time",
    Type::Time,
    both(
        "时间或时长,例如 '11:30:00'、'-100:00' 或 113000。",
        "A time or a length of time, such as '11:30:00', '-100:00' or 113000.",
    ),
);
const MODE: Param = Param::optional(
    "mode",
    Type::Integer,
    both(
        "数法,0 到 7:1 表示周一起,2 表示不用第 0 周,4 换第一周的定义;缺省 0。",
        "How to count, 0 to 7: 1 begins on Monday, 2 has no week 0, 4 is the other first week; 0 if left out.",
    ),
);

/// `YEAR(time)`.
pub const YEAR: Builtin = Builtin {
    name: "YEAR",
    aliases: &[],
    summary: both("年。", "The year."),
    params: &[TIME],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("YEAR('2023-06-07')", "2023"),
        Example::is("YEAR('70-1-1')", "1970"),
        Example::is("YEAR('0000-00-00')", "0"),
        Example::null("YEAR('2023-06-31')"),
    ],
    constant: false,
    call: Call::Eager(|args| part(args.time(0), |at| i64::from(at.date.year))),
};

/// `QUARTER(time)`.
pub const QUARTER: Builtin = Builtin {
    name: "QUARTER",
    aliases: &[],
    summary: both(
        "季度,1 到 4;没有月份为 0。",
        "The quarter, 1 to 4; 0 without a month.",
    ),
    params: &[TIME],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("QUARTER('2023-04-01')", "2"),
        Example::is("QUARTER('2023-00-00')", "0"),
    ],
    constant: false,
    call: Call::Eager(|args| part(args.time(0), |at| i64::from(at.date.month.div_ceil(3)))),
};

/// `MONTH(time)`.
pub const MONTH: Builtin = Builtin {
    name: "MONTH",
    aliases: &[],
    summary: both("月,1 到 12;没有月份为 0。", "The month, 1 to 12; 0 without one."),
    params: &[TIME],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("MONTH('2023-06-07')", "6"),
        Example::is("MONTH('2023-00-07')", "0"),
    ],
    constant: false,
    call: Call::Eager(|args| part(args.time(0), |at| i64::from(at.date.month))),
};

/// `DAY(time)`.
pub const DAY: Builtin = Builtin {
    name: "DAY",
    aliases: &["DAYOFMONTH"],
    summary: both("日,1 到 31;没有日为 0。", "The day of the month; 0 without one."),
    params: &[TIME],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("DAY('2023-06-07')", "7"),
        Example::is("DAY('2023-06-00')", "0"),
        Example::is("DAYOFMONTH(20230607113000)", "7"),
    ],
    constant: false,
    call: Call::Eager(|args| part(args.time(0), |at| i64::from(at.date.day))),
};

/// `DAYOFWEEK(time)`.
pub const DAYOFWEEK: Builtin = Builtin {
    name: "DAYOFWEEK",
    aliases: &[],
    summary: both(
        "星期几:1 为周日,7 为周六。",
        "The day of the week: 1 is Sunday, 7 Saturday.",
    ),
    params: &[TIME],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("DAYOFWEEK('2023-06-06')", "3"),
        Example::null("DAYOFWEEK('2023-06-00')"),
    ],
    constant: false,
    call: Call::Eager(|args| part(real(args), |at| i64::from((at.date.weekday() + 1) % 7 + 1))),
};

/// `WEEKDAY(time)`.
pub const WEEKDAY: Builtin = Builtin {
    name: "WEEKDAY",
    aliases: &[],
    summary: both(
        "星期几:0 为周一,6 为周日。",
        "The day of the week: 0 is Monday, 6 Sunday.",
    ),
    params: &[TIME],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("WEEKDAY('2023-06-06')", "1"),
        Example::null("WEEKDAY('')"),
    ],
    constant: false,
    call: Call::Eager(|args| part(real(args), |at| i64::from(at.date.weekday()))),
};

/// `DAYOFYEAR(time)`.
pub const DAYOFYEAR: Builtin = Builtin {
    name: "DAYOFYEAR",
    aliases: &[],
    summary: both("一年中的第几天。", "Which day of the year."),
    params: &[TIME],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[Example::is("DAYOFYEAR('2024-12-31')", "366")],
    constant: false,
    call: Call::Eager(|args| part(real(args), |at| at.date.day_of_year())),
};

/// `DAYNAME(time)`.
pub const DAYNAME: Builtin = Builtin {
    name: "DAYNAME",
    aliases: &[],
    summary: both("星期的英文名。", "The name of the day of the week, in English."),
    params: &[TIME],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[Example::is("DAYNAME('2023-06-06')", "Tuesday")],
    constant: false,
    call: Call::Eager(|args| {
        Ok(real(args).map_or(Sql::Null, |at| {
            Sql::text(DAYS[usize::from(at.date.weekday() % 7)])
        }))
    }),
};

/// `MONTHNAME(time)`.
pub const MONTHNAME: Builtin = Builtin {
    name: "MONTHNAME",
    aliases: &[],
    summary: both("月份的英文名。", "The name of the month, in English."),
    params: &[TIME],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[
        Example::is("MONTHNAME('2023-02-00')", "February"),
        Example::null("MONTHNAME('2023-00-01')"),
    ],
    constant: false,
    call: Call::Eager(|args| {
        Ok(args
            .time(0)
            .filter(|at| at.date.month > 0)
            .map_or(Sql::Null, |at| {
                Sql::text(MONTHS[usize::from(at.date.month.saturating_sub(1)) % 12])
            }))
    }),
};

/// `WEEK(time, mode)`.
pub const WEEK: Builtin = Builtin {
    name: "WEEK",
    aliases: &[],
    summary: both("一年中的第几周。", "Which week of the year."),
    params: &[TIME, MODE],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("WEEK('2023-01-01')", "1"),
        Example::is("WEEK('2023-01-01', 1)", "0"),
        Example::is("WEEK('2023-01-01', 3)", "52"),
        Example::is("WEEK('2024-12-31', 3)", "1"),
        Example::is("WEEK('2023-01-01', NULL)", "1"),
        Example::null("WEEK('2023-00-01')"),
    ],
    constant: false,
    call: Call::Nullable(|args| {
        part(real(args), |at| {
            i64::from(week(at.date, Weeks::mode(args.integer(1))).1)
        })
    }),
};

/// `WEEKOFYEAR(time)`.
pub const WEEKOFYEAR: Builtin = Builtin {
    name: "WEEKOFYEAR",
    aliases: &[],
    summary: both(
        "一年中的第几周,周一起,1 到 53,即 WEEK(time, 3)。",
        "Which week of the year, from Monday on, 1 to 53: `WEEK(time, 3)`.",
    ),
    params: &[TIME],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[Example::is("WEEKOFYEAR('2023-01-01')", "52")],
    constant: false,
    call: Call::Eager(|args| part(real(args), |at| i64::from(week(at.date, Weeks::mode(3)).1))),
};

/// `YEARWEEK(time, mode)`.
pub const YEARWEEK: Builtin = Builtin {
    name: "YEARWEEK",
    aliases: &[],
    summary: both(
        "周所在的年和周,结果为 YYYYWW。",
        "The week and the year that it belongs to, as YYYYWW.",
    ),
    params: &[TIME, MODE],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("YEARWEEK('2023-01-01')", "202301"),
        Example::is("YEARWEEK('2023-01-01', 1)", "202252"),
    ],
    constant: false,
    call: Call::Nullable(|args| {
        part(real(args), |at| {
            let (year, week) = week(at.date, Weeks::mode(args.integer(1) | 2));
            // The year before the year 0 runs over in 32 bits, as on the server.
            i64::from(year.wrapping_mul(100).wrapping_add(week))
        })
    }),
};

/// `HOUR(time)`.
pub const HOUR: Builtin = Builtin {
    name: "HOUR",
    aliases: &[],
    summary: both(
        "时;时长可以超过 23,符号不计。",
        "The hour; a length of time may have more than 23, its sign is dropped.",
    ),
    params: &[CLOCK],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("HOUR('11:30')", "11"),
        Example::is("HOUR('-100:30')", "100"),
        Example::is("HOUR('2023-06-06')", "0"),
        Example::null("HOUR('abc')"),
    ],
    constant: false,
    call: Call::Eager(|args| {
        Ok(args
            .clock(0)
            .map_or(Sql::Null, |time| Sql::int(i64::from(time.parts().0))))
    }),
};

/// `MINUTE(time)`.
pub const MINUTE: Builtin = Builtin {
    name: "MINUTE",
    aliases: &[],
    summary: both("分。", "The minute."),
    params: &[CLOCK],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("MINUTE('11:30')", "30"),
        Example::is("MINUTE(113015)", "30"),
        Example::is("MINUTE('2023-06-06')", "20"),
    ],
    constant: false,
    call: Call::Eager(|args| {
        Ok(args
            .clock(0)
            .map_or(Sql::Null, |time| Sql::int(i64::from(time.parts().1))))
    }),
};

/// `SECOND(time)`.
pub const SECOND: Builtin = Builtin {
    name: "SECOND",
    aliases: &[],
    summary: both("秒。", "The second."),
    params: &[CLOCK],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[Example::is("SECOND('11:30:15.7')", "15")],
    constant: false,
    call: Call::Eager(|args| {
        Ok(args
            .clock(0)
            .map_or(Sql::Null, |time| Sql::int(i64::from(time.parts().2))))
    }),
};

/// `MICROSECOND(time)`.
pub const MICROSECOND: Builtin = Builtin {
    name: "MICROSECOND",
    aliases: &[],
    summary: both("微秒。", "The microseconds."),
    params: &[CLOCK],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[Example::is("MICROSECOND('11:30:15.7')", "700000")],
    constant: false,
    call: Call::Eager(|args| {
        Ok(args
            .clock(0)
            .map_or(Sql::Null, |time| Sql::int(i64::from(time.micros))))
    }),
};

fn part(at: Option<DateTime>, read: impl Fn(DateTime) -> i64) -> Result<Sql<'static>, CallError> {
    Ok(at.map_or(Sql::Null, |at| Sql::int(read(at))))
}

/// A time whose day can be counted.
fn real(args: &Args<'_>) -> Option<DateTime> {
    args.time(0).filter(|at| !at.date.has_zero())
}

/// `EXTRACT(unit FROM time)`.
pub const EXTRACT: Builtin = Builtin {
    name: "EXTRACT",
    aliases: &[],
    summary: both(
        "时间的一部分,例如 `EXTRACT(YEAR_MONTH FROM NOW())`。",
        "A part of a time, as in `EXTRACT(YEAR_MONTH FROM NOW())`.",
    ),
    params: &[
        Param::required(
            "unit",
            Type::Text,
            both(
                "单位,例如 YEAR、WEEK、DAY_SECOND。",
                "A unit, such as YEAR, WEEK or DAY_SECOND.",
            ),
        ),
        TIME,
    ],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("EXTRACT(YEAR_MONTH FROM '2023-06-06 11:30:15')", "202306"),
        Example::is("EXTRACT(DAY_SECOND FROM '2023-06-06 11:30:15')", "6113015"),
        Example::is("EXTRACT(HOUR FROM '-49:30')", "-1"),
        Example::is("EXTRACT(DAY FROM '49:30')", "2"),
        Example::null("EXTRACT(YEAR FROM '11:30:00')"),
    ],
    constant: false,
    call: Call::Eager(extract),
};

fn extract(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let Some(unit) = Unit::parse(&args.text(0)) else {
        return Ok(Sql::Null);
    };
    if unit.keeps_day() && unit != Unit::Day {
        let at = match args.dayless(1) {
            Some(_) => Some(Date {
                year: 0,
                month: 0,
                day: 0,
            }),
            None => args.time(1).map(|at| at.date),
        };
        return Ok(at.map_or(Sql::Null, |date| Sql::int(of_date(unit, date))));
    }
    let from_day = matches!(
        unit,
        Unit::Day | Unit::DayHour | Unit::DayMinute | Unit::DaySecond
    );
    let clock = if from_day {
        Clock::DayOrLength
    } else {
        Clock::DateOrLength
    };
    let (sign, day, time) = match args.reading(1, clock, Days::Real) {
        None => return Ok(Sql::Null),
        Some(Reading::Date(date)) => (1, i64::from(date.day), 0),
        Some(Reading::DateTime(at)) => (1, i64::from(at.date.day), at.time().total_micros()),
        Some(Reading::Time(time)) => of_length(time.total_micros()),
        Some(Reading::Long(micros, _)) => of_length(micros),
    };
    Ok(Sql::int(sign * of_clock(unit, day, Time::from_micros(time, 6))))
}

/// The sign, the days and what is less than a day.
fn of_length(micros: i64) -> (i64, i64, i64) {
    const DAY: i64 = dsl::expr::time::MICROS_PER_DAY;
    (micros.signum(), micros.abs() / DAY, micros.abs() % DAY)
}

fn of_date(unit: Unit, date: Date) -> i64 {
    let (year, month) = (i64::from(date.year), i64::from(date.month));
    match unit {
        Unit::Year => year,
        Unit::Quarter => i64::from(date.month.div_ceil(3)),
        Unit::Month => month,
        Unit::Week => i64::from(week(date, Weeks::mode(0)).1),
        _ => year * 100 + month,
    }
}

fn of_clock(unit: Unit, day: i64, time: Time) -> i64 {
    let (hour, minute, second) = time.parts();
    let (hour, minute, second) = (i64::from(hour), i64::from(minute), i64::from(second));
    let micros = i64::from(time.micros);
    match unit {
        Unit::Day => day,
        Unit::DayHour => day * 100 + hour,
        Unit::DayMinute => day * 10_000 + hour * 100 + minute,
        Unit::DaySecond => day * 1_000_000 + hour * 10_000 + minute * 100 + second,
        Unit::DayMicrosecond => {
            (day * 1_000_000 + hour * 10_000 + minute * 100 + second) * 1_000_000 + micros
        }
        Unit::Hour => hour,
        Unit::HourMinute => hour * 100 + minute,
        Unit::HourSecond => hour * 10_000 + minute * 100 + second,
        Unit::HourMicrosecond => (hour * 10_000 + minute * 100 + second) * 1_000_000 + micros,
        Unit::Minute => minute,
        Unit::MinuteSecond => minute * 100 + second,
        Unit::MinuteMicrosecond => (minute * 100 + second) * 1_000_000 + micros,
        Unit::Second => second,
        Unit::SecondMicrosecond => second * 1_000_000 + micros,
        _ => micros,
    }
}
