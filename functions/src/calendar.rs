//! Days and times without a clock. What is no date gives NULL.

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both};
use dsl::expr::sql::{Date, DateTime, Sql};
use dsl::expr::time::{self, days_in_month};

use crate::format::date_format;

const TIME: Param = Param::required(
    "time",
    Type::Time,
    both(
        "时间,例如 '2023-06-06 11:00:00' 或 20230606。",
        "A time, such as '2023-06-06 11:00:00' or 20230606.",
    ),
);
const INTERVAL: Param = Param::required(
    "interval",
    Type::Interval,
    both("例如 `INTERVAL 1 DAY`。", "Such as `INTERVAL 1 DAY`."),
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
        Example::null("DATE('')"),
        Example::null("DATE('2023-02-30')"),
    ],
    constant: false,
    call: Call::Eager(|args| Ok(args.time(0).map_or(Sql::Null, |at| Sql::Date(at.date)))),
};

/// `DATE_FORMAT(time, format)`.
pub const DATE_FORMAT: Builtin = Builtin {
    name: "DATE_FORMAT",
    aliases: &[],
    summary: both(
        "按格式输出时间:%Y 年 %m 月 %d 日 %H 时 %i 分 %s 秒 %T 时分秒。",
        "Prints a time: %Y year, %m month, %d day, %H hour, %i minute, %s second, %T all three.",
    ),
    params: &[
        TIME,
        Param::required("format", Type::Text, both("格式。", "The format.")),
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
        Example::null("DATE_FORMAT('', '%Y')"),
    ],
    constant: false,
    call: Call::Eager(|args| {
        Ok(args
            .time(0)
            .map_or(Sql::Null, |at| Sql::text(date_format(&at, &args.text(1)))))
    }),
};

/// `DATE_ADD(time, interval)`.
pub const DATE_ADD: Builtin = Builtin {
    name: "DATE_ADD",
    aliases: &[],
    summary: both("时间加上一段长度。", "The time that much later."),
    params: &[TIME, INTERVAL],
    returns: Type::Time,
    ty: Typing::Date,
    examples: &[
        Example::is("DATE_ADD('2023-01-31', INTERVAL 1 MONTH)", "2023-02-28"),
        Example::is(
            "DATE_ADD('2023-06-06', INTERVAL 90 MINUTE)",
            "2023-06-06 01:30:00",
        ),
        Example::is("DATE_ADD(CURDATE(), INTERVAL -1 DAY)", "2023-11-14"),
        Example::fails("DATE_ADD('2023-06-06', 1)", "E1322"),
    ],
    constant: false,
    call: Call::Eager(|args| shift(args, false)),
};

/// `DATE_SUB(time, interval)`.
pub const DATE_SUB: Builtin = Builtin {
    name: "DATE_SUB",
    aliases: &[],
    summary: both("时间减去一段长度。", "The time that much earlier."),
    params: &[TIME, INTERVAL],
    returns: Type::Time,
    ty: Typing::Date,
    examples: &[
        Example::is("DATE_SUB('2024-03-31', INTERVAL 1 MONTH)", "2024-02-29"),
        Example::is(
            "DATE_SUB(CURDATE(), INTERVAL DAY(CURDATE()) - 1 DAY)",
            "2023-11-01",
        ),
    ],
    constant: false,
    call: Call::Eager(|args| shift(args, true)),
};

fn shift(args: &Args<'_>, back: bool) -> Result<Sql<'static>, CallError> {
    let Some(interval) = args.interval(1) else {
        return Ok(Sql::Null);
    };
    Ok(time::shift(args.get(0), interval, back, args.zone()).unwrap_or(Sql::Null))
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
        Example::null("LAST_DAY('x')"),
    ],
    constant: false,
    call: Call::Eager(|args| {
        Ok(args
            .time(0)
            .map_or(Sql::Null, |at| Sql::Date(Date {
                day: days_in_month(at.date.year, at.date.month),
                ..at.date
            })))
    }),
};

/// `YEAR(time)`.
pub const YEAR: Builtin = Builtin {
    name: "YEAR",
    aliases: &[],
    summary: both("年。", "The year."),
    params: &[TIME],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[Example::is("YEAR('2023-06-07')", "2023")],
    constant: false,
    call: Call::Eager(|args| part(args, |at| i64::from(at.date.year))),
};

/// `MONTH(time)`.
pub const MONTH: Builtin = Builtin {
    name: "MONTH",
    aliases: &[],
    summary: both("月,1 到 12。", "The month, 1 to 12."),
    params: &[TIME],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[Example::is("MONTH('2023-06-07')", "6")],
    constant: false,
    call: Call::Eager(|args| part(args, |at| i64::from(at.date.month))),
};

/// `DAY(time)`.
pub const DAY: Builtin = Builtin {
    name: "DAY",
    aliases: &["DAYOFMONTH"],
    summary: both("日,1 到 31。", "The day of the month."),
    params: &[TIME],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[Example::is("DAY('2023-06-07')", "7")],
    constant: false,
    call: Call::Eager(|args| part(args, |at| i64::from(at.date.day))),
};

fn part(args: &Args<'_>, read: fn(&DateTime) -> i64) -> Result<Sql<'static>, CallError> {
    Ok(args.time(0).map_or(Sql::Null, |at| Sql::int(read(&at))))
}
