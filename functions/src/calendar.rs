//! Days: what a time makes of one, counting them, and periods of months. What is no date gives NULL.

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both};
use dsl::expr::sql::{Date, DateTime, Sql, Ty, TyKind};
use dsl::expr::time::{self, Clock, Days, Reading, days_in_month};

const TIME: Param = Param::required(
    "time",
    Type::Time,
    both(
        "时间,例如 '2023-06-06 11:00:00' 或 20230606。",
        "A time, such as '2023-06-06 11:00:00' or 20230606.",
    ),
);

const PERIOD: Param = Param::required(
    "period",
    Type::Integer,
    both(
        "年月,例如 202311 或 2311。",
        "A year and a month, such as 202311 or 2311.",
    ),
);

/// `DATE(time)`.
pub const DATE: Builtin = Builtin {
    name: "DATE",
    aliases: &[],
    summary: both("时间的日期部分。", "The day of a time."),
    params: &[TIME],
    returns: Type::Time,
    ty: Typing::Date,
    examples: &[
        Example::is("DATE('2023-06-06 11:00:00')", "2023-06-06"),
        Example::is("DATE(20230606)", "2023-06-06"),
        Example::is("DATE('10:11:12')", "2010-11-12"),
        Example::is("DATE('0000-00-00')", "0000-00-00"),
        Example::null("DATE('')"),
        Example::null("DATE('2023-02-30')"),
    ],
    constant: false,
    call: Call::Eager(|args| Ok(args.time(0).map_or(Sql::Null, |at| Sql::Date(at.date)))),
};

/// `TIMESTAMP(time, length)`.
pub const TIMESTAMP: Builtin = Builtin {
    name: "TIMESTAMP",
    aliases: &[],
    summary: both(
        "日期和时间;给出第二个参数则加上这段时长。",
        "A day and a time; a second argument is a length of time that is added.",
    ),
    params: &[
        TIME,
        Param::optional(
            "length",
            Type::Time,
            both("时长,例如 '1:30:00'。", "A length of time, such as '1:30:00'."),
        ),
    ],
    returns: Type::Time,
    ty: Typing::By(|types| {
        let longer = if types.len() > 1 {
            types.length_digits(1)
        } else {
            0
        };
        Ty::new(TyKind::DateTime, types.digits(0).max(longer))
    }),
    examples: &[
        Example::is("TIMESTAMP('2023-01-01')", "2023-01-01 00:00:00"),
        Example::is("TIMESTAMP('2023-01-01', '25:00')", "2023-01-02 01:00:00"),
        Example::is(
            "TIMESTAMP('2023-01-01 10:00:00.50', '1 1:1:1')",
            "2023-01-02 11:01:01.50",
        ),
        Example::null("TIMESTAMP('2023-01-01', '2023-01-01 10:00:00')"),
    ],
    constant: false,
    call: Call::Eager(timestamp),
};

fn timestamp(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let Some(at) = args.time(0) else {
        return Ok(Sql::Null);
    };
    let mut digits = args.digits(0);
    if args.len() == 1 {
        return Ok(Sql::DateTime(at.with_fraction(digits)));
    }
    digits = digits.max(args.length_digits(1));
    let length = match args.reading(1, Clock::Length, Days::Real) {
        Some(Reading::Time(time)) => time.total_micros(),
        Some(Reading::Long(micros, _)) => micros,
        _ => return Ok(Sql::Null),
    };
    let sum = time::from_day_micros(at.day_micros() + length, digits);
    Ok(sum.map_or(Sql::Null, |at| Sql::DateTime(at.with_fraction(digits))))
}

/// `LAST_DAY(time)`.
pub const LAST_DAY: Builtin = Builtin {
    name: "LAST_DAY",
    aliases: &[],
    summary: both("该月的最后一天。", "The last day of the month."),
    params: &[TIME],
    returns: Type::Time,
    ty: Typing::Date,
    examples: &[
        Example::is("LAST_DAY('2024-02-05')", "2024-02-29"),
        Example::is("LAST_DAY('2023-02-00')", "2023-02-28"),
        Example::null("LAST_DAY('x')"),
    ],
    constant: false,
    call: Call::Eager(|args| {
        let at = args.time(0).filter(|at| at.date.month > 0);
        Ok(at.map_or(Sql::Null, |at| {
            Sql::Date(Date {
                day: days_in_month(at.date.year, at.date.month),
                ..at.date
            })
        }))
    }),
};

/// `MAKEDATE(year, day)`.
pub const MAKEDATE: Builtin = Builtin {
    name: "MAKEDATE",
    aliases: &[],
    summary: both("某年的第几天。", "The day of a year by its number."),
    params: &[
        Param::required(
            "year",
            Type::Integer,
            both(
                "年;两位数补成 1970 到 2069。",
                "The year; two digits mean 1970 to 2069.",
            ),
        ),
        Param::required(
            "day",
            Type::Integer,
            both("第几天,从 1 起。", "Which day, from 1 on."),
        ),
    ],
    returns: Type::Time,
    ty: Typing::Date,
    examples: &[
        Example::is("MAKEDATE(2023, 32)", "2023-02-01"),
        Example::is("MAKEDATE(70, 366)", "1971-01-01"),
        Example::null("MAKEDATE(2023, 0)"),
    ],
    constant: true,
    call: Call::Eager(makedate),
};

fn makedate(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let (year, day) = (args.integer(0), args.integer(1));
    let filled = match year {
        0..70 => year + 2000,
        70..100 => year + 1900,
        year => year,
    };
    let Some(year) = u16::try_from(filled).ok().filter(|year| *year <= 9999 && day > 0) else {
        return Ok(Sql::Null);
    };
    let first = Date {
        year,
        month: 1,
        day: 1,
    };
    let number = first.day_number().checked_add(day - 1);
    Ok(number
        .and_then(Date::from_day_number)
        .map_or(Sql::Null, Sql::Date))
}

/// `TO_DAYS(time)`.
pub const TO_DAYS: Builtin = Builtin {
    name: "TO_DAYS",
    aliases: &[],
    summary: both("公元 0 年以来的天数。", "Days since the year 0."),
    params: &[TIME],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("TO_DAYS('2023-06-06')", "739042"),
        Example::is("TO_DAYS('0000-01-01')", "1"),
        Example::null("TO_DAYS('2023-00-01')"),
    ],
    constant: false,
    call: Call::Eager(|args| Ok(day(args, 0).map_or(Sql::Null, |at| Sql::int(at.date.day_number())))),
};

/// `FROM_DAYS(days)`.
pub const FROM_DAYS: Builtin = Builtin {
    name: "FROM_DAYS",
    aliases: &[],
    summary: both(
        "天数对应的日期,与 TO_DAYS 相反;超出 1 到 9999 年为 0000-00-00。",
        "The day with this number, the reverse of TO_DAYS; 0000-00-00 outside the years 1 to 9999.",
    ),
    params: &[Param::required(
        "days",
        Type::Integer,
        both("天数。", "The number."),
    )],
    returns: Type::Time,
    ty: Typing::Date,
    examples: &[
        Example::is("FROM_DAYS(739042)", "2023-06-06"),
        Example::is("FROM_DAYS(365)", "0000-00-00"),
    ],
    constant: true,
    call: Call::Eager(|args| {
        let none = Date {
            year: 0,
            month: 0,
            day: 0,
        };
        Ok(Sql::Date(Date::from_day_number(args.integer(0)).unwrap_or(none)))
    }),
};

/// `TO_SECONDS(time)`.
pub const TO_SECONDS: Builtin = Builtin {
    name: "TO_SECONDS",
    aliases: &[],
    summary: both("公元 0 年以来的秒数。", "Seconds since the year 0."),
    params: &[TIME],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("TO_SECONDS('2023-06-06 11:30:00.9')", "63853270200"),
        Example::null("TO_SECONDS('0000-00-00')"),
    ],
    constant: false,
    call: Call::Eager(|args| {
        Ok(day(args, 0).map_or(Sql::Null, |at| Sql::int(at.day_micros().div_euclid(1_000_000))))
    }),
};

/// `DATEDIFF(a, b)`.
pub const DATEDIFF: Builtin = Builtin {
    name: "DATEDIFF",
    aliases: &[],
    summary: both(
        "两个日期相差的天数,不看时分秒。",
        "Days from `b` to `a`; the time of the day does not count.",
    ),
    params: &[
        Param::required("a", Type::Time, both("较晚的时间。", "The later time.")),
        Param::required("b", Type::Time, both("较早的时间。", "The earlier time.")),
    ],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("DATEDIFF('2023-06-06 00:00:01', '2023-06-05 23:59:59')", "1"),
        Example::null("DATEDIFF('2023-06-06', '2023-06-31')"),
    ],
    constant: false,
    call: Call::Eager(|args| {
        let days = |index| day(args, index).map(|at| at.date.day_number());
        Ok(days(0).zip(days(1)).map_or(Sql::Null, |(a, b)| Sql::int(a - b)))
    }),
};

/// A time whose day can be counted.
fn day(args: &Args<'_>, index: usize) -> Option<DateTime> {
    args.time(index).filter(|at| !at.date.has_zero())
}

/// `PERIOD_ADD(period, months)`.
pub const PERIOD_ADD: Builtin = Builtin {
    name: "PERIOD_ADD",
    aliases: &[],
    summary: both(
        "年月加上若干个月,结果为 YYYYMM。",
        "A year and a month so many months later, as YYYYMM.",
    ),
    params: &[
        PERIOD,
        Param::required(
            "months",
            Type::Integer,
            both("月数,可以为负。", "How many months; may be negative."),
        ),
    ],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("PERIOD_ADD(202311, 3)", "202402"),
        Example::is("PERIOD_ADD(7001, -1)", "196912"),
        Example::is("PERIOD_ADD(0, 3)", "0"),
        Example::is("PERIOD_ADD(7, 9223372036854775807)", "200006"),
    ],
    constant: true,
    call: Call::Eager(|args| {
        if args.integer(0) == 0 {
            return Ok(Sql::int(0));
        }
        // The server counts in 32 bits and lets what is too much run over.
        let months = i64::from(months(args.integer(0))).wrapping_add(args.integer(1));
        Ok(Sql::int(period(
            u32::try_from(months.rem_euclid(1 << 32)).unwrap_or(0),
        )))
    }),
};

/// `PERIOD_DIFF(period, earlier)`.
pub const PERIOD_DIFF: Builtin = Builtin {
    name: "PERIOD_DIFF",
    aliases: &[],
    summary: both(
        "两个年月相差的月数。",
        "Months from the second year and month to the first.",
    ),
    params: &[
        PERIOD,
        Param {
            name: "earlier",
            ..PERIOD
        },
    ],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("PERIOD_DIFF(202401, 202311)", "2"),
        Example::is("PERIOD_DIFF(7001, 6912)", "-1199"),
    ],
    constant: true,
    call: Call::Eager(|args| {
        let months = |index| i64::from(months(args.integer(index)));
        Ok(Sql::int(months(0) - months(1)))
    }),
};

/// Months since the year 0 of a year and a month.
fn months(period: i64) -> u32 {
    const LAST: i64 = 999_912;
    let Some(period) = u32::try_from(period)
        .ok()
        .filter(|period| (1..=LAST).contains(&i64::from(*period)))
    else {
        return 0;
    };
    let year = match period / 100 {
        year @ 0..70 => year + 2000,
        year @ 70..100 => year + 1900,
        year => year,
    };
    (year * 12 + period % 100).saturating_sub(1)
}

/// The year and the month so many months after the year 0.
fn period(months: u32) -> i64 {
    if months == 0 {
        return 0;
    }
    let year = match months / 12 {
        year @ 0..70 => year + 2000,
        year @ 70..100 => year + 1900,
        year => year,
    };
    i64::from(year) * 100 + i64::from(months % 12) + 1
}
