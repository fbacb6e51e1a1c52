//! Moving a time by an interval, and counting the intervals between two.

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both};
use dsl::expr::sql::{Int, Interval, Sql, Ty, Unit};
use dsl::expr::time::{self, DateTime, MICROS_PER_DAY};

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
    both(
        "例如 `INTERVAL 1 DAY`、`INTERVAL '1 2:30' DAY_MINUTE`。",
        "Such as `INTERVAL 1 DAY` or `INTERVAL '1 2:30' DAY_MINUTE`.",
    ),
);
const DAYS: Param = Param::required(
    "days",
    Type::Days,
    both(
        "天数,或 `INTERVAL 1 MONTH` 这样的时长。",
        "A number of days, or an interval such as `INTERVAL 1 MONTH`.",
    ),
);
const UNIT: Param = Param::required(
    "unit",
    Type::Text,
    both("单位,例如 MONTH。", "A unit, such as MONTH."),
);

/// `DATE_ADD(time, interval)`.
pub const DATE_ADD: Builtin = Builtin {
    name: "DATE_ADD",
    aliases: &[],
    summary: both(
        "时间加上一段长度;文本给出文本。",
        "The time that much later; text gives text.",
    ),
    params: &[TIME, INTERVAL],
    returns: Type::Time,
    ty: Typing::By(|types| types.shifted(0, 1)),
    examples: &[
        Example::is("DATE_ADD('2023-01-31', INTERVAL 1 MONTH)", "2023-02-28"),
        Example::is(
            "DATE_ADD('2023-06-06', INTERVAL 90 MINUTE)",
            "2023-06-06 01:30:00",
        ),
        Example::is(
            "DATE_ADD(CURDATE(), INTERVAL 1.5 SECOND)",
            "2023-11-15 00:00:01.5",
        ),
        Example::is(
            "DATE_ADD('2023-01-31', INTERVAL '1 2:3' DAY_MINUTE)",
            "2023-02-01 02:03:00",
        ),
        Example::is("DATE_ADD('2023-01-31', INTERVAL 1.5 DAY)", "2023-02-02"),
        Example::null("DATE_ADD('9999-12-31', INTERVAL 1 DAY)"),
        Example::fails("DATE_ADD('2023-06-06', 1)", "E1322"),
    ],
    constant: false,
    call: Call::Eager(|args| shift(args, args.interval(1), false)),
};

/// `DATE_SUB(time, interval)`.
pub const DATE_SUB: Builtin = Builtin {
    name: "DATE_SUB",
    aliases: &[],
    summary: both(
        "时间减去一段长度;文本给出文本。",
        "The time that much earlier; text gives text.",
    ),
    params: &[TIME, INTERVAL],
    returns: Type::Time,
    ty: Typing::By(|types| types.shifted(0, 1)),
    examples: &[
        Example::is("DATE_SUB('2024-03-31', INTERVAL 1 MONTH)", "2024-02-29"),
        Example::is(
            "DATE_SUB(CURDATE(), INTERVAL DAY(CURDATE()) - 1 DAY)",
            "2023-11-01",
        ),
    ],
    constant: false,
    call: Call::Eager(|args| shift(args, args.interval(1), true)),
};

/// `ADDDATE(time, days)`.
pub const ADDDATE: Builtin = Builtin {
    name: "ADDDATE",
    aliases: &[],
    summary: both(
        "时间加上若干天,或加上一段长度。",
        "The time so many days later, or an interval later.",
    ),
    params: &[TIME, DAYS],
    returns: Type::Time,
    ty: Typing::By(days_type),
    examples: &[
        Example::is("ADDDATE('2023-01-31', 31)", "2023-03-03"),
        Example::is("ADDDATE('2023-01-31', 1.5)", "2023-02-02"),
        Example::is("ADDDATE('2023-01-31', '1.5')", "2023-02-01"),
        Example::is("ADDDATE('2023-01-31', INTERVAL 1 HOUR)", "2023-01-31 01:00:00"),
    ],
    constant: false,
    call: Call::Eager(|args| shift(args, days(args), false)),
};

/// `SUBDATE(time, days)`.
pub const SUBDATE: Builtin = Builtin {
    name: "SUBDATE",
    aliases: &[],
    summary: both(
        "时间减去若干天,或减去一段长度。",
        "The time so many days earlier, or an interval earlier.",
    ),
    params: &[TIME, DAYS],
    returns: Type::Time,
    ty: Typing::By(days_type),
    examples: &[Example::is("SUBDATE('2023-01-31', 31)", "2022-12-31")],
    constant: false,
    call: Call::Eager(|args| shift(args, days(args), true)),
};

fn days_type(types: &dsl::builtin::Types<'_, '_>) -> Ty {
    if types.ty(1).kind == dsl::expr::sql::TyKind::Interval {
        return types.shifted(0, 1);
    }
    types.shifted_by(0, Unit::Day, 1)
}

fn days(args: &Args<'_>) -> Option<Interval> {
    args.interval(1)
        .or_else(|| time::interval(args.get(1), Unit::Day))
}

fn shift(args: &Args<'_>, by: Option<Interval>, back: bool) -> Result<Sql<'static>, CallError> {
    let moved = by.and_then(|by| time::shift(args.get(0), by, back, args.zone()));
    Ok(moved.unwrap_or(Sql::Null))
}

/// `TIMESTAMPADD(unit, amount, time)`.
pub const TIMESTAMPADD: Builtin = Builtin {
    name: "TIMESTAMPADD",
    aliases: &[],
    summary: both(
        "时间加上若干个单位,例如 `TIMESTAMPADD(MONTH, 1, NOW())`。",
        "The time so many units later, as in `TIMESTAMPADD(MONTH, 1, NOW())`.",
    ),
    params: &[
        UNIT,
        Param::required("amount", Type::Number, both("数量。", "How many.")),
        TIME,
    ],
    returns: Type::Time,
    ty: Typing::By(|types| match unit(&types.value(0)) {
        Some(unit) => types.shifted_by(2, unit, 1),
        None => Ty::NULL,
    }),
    examples: &[
        Example::is("TIMESTAMPADD(MONTH, 1, '2023-01-31')", "2023-02-28"),
        Example::is("TIMESTAMPADD(SECOND, 1.6, NOW())", "2023-11-15 06:13:21.6"),
    ],
    constant: false,
    call: Call::Eager(|args| {
        let by = unit(args.get(0)).and_then(|unit| time::interval(args.get(1), unit));
        let moved = by.and_then(|by| time::shift(args.get(2), by, false, args.zone()));
        Ok(moved.unwrap_or(Sql::Null))
    }),
};

/// `TIMESTAMPDIFF(unit, from, to)`.
pub const TIMESTAMPDIFF: Builtin = Builtin {
    name: "TIMESTAMPDIFF",
    aliases: &[],
    summary: both(
        "从 from 到 to 的整单位数,例如 `TIMESTAMPDIFF(MONTH, a, b)`。",
        "Whole units from `from` to `to`, as in `TIMESTAMPDIFF(MONTH, a, b)`.",
    ),
    params: &[UNIT, Param { name: "from", ..TIME }, Param { name: "to", ..TIME }],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("TIMESTAMPDIFF(MONTH, '2023-01-31', '2023-02-28')", "0"),
        Example::is("TIMESTAMPDIFF(YEAR, '2020-02-29', '2023-03-01')", "3"),
        Example::is(
            "TIMESTAMPDIFF(HOUR, '2023-01-15 10:00:00', '2023-01-14 11:00:00')",
            "-23",
        ),
        Example::null("TIMESTAMPDIFF(DAY, '2023-00-15', '2023-01-15')"),
    ],
    constant: false,
    call: Call::Eager(difference),
};

fn unit(value: &Sql<'_>) -> Option<Unit> {
    Unit::parse(&value.to_text()?)
}

fn difference(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let real = |index| args.time(index).filter(|at: &DateTime| !at.date.has_zero());
    let (Some(unit), Some(from), Some(to)) = (unit(args.get(0)), real(1), real(2)) else {
        return Ok(Sql::Null);
    };
    let micros = to.day_micros() - from.day_micros();
    Ok(Sql::Int(Int::Signed(match unit {
        Unit::Month => months_between(from, to),
        Unit::Quarter => months_between(from, to) / 3,
        Unit::Year => months_between(from, to) / 12,
        Unit::Week => micros / (7 * MICROS_PER_DAY),
        Unit::Day => micros / MICROS_PER_DAY,
        Unit::Hour => micros / 3_600_000_000,
        Unit::Minute => micros / 60_000_000,
        Unit::Second => micros / 1_000_000,
        Unit::Microsecond => micros,
        // Composite units are not counted.
        _ => return Ok(Sql::Null),
    })))
}

/// Whole months, below zero when `to` is the earlier one.
fn months_between(from: DateTime, to: DateTime) -> i64 {
    if from.sort_key() > to.sort_key() {
        return -months_between(to, from);
    }
    let months = |at: DateTime| i64::from(at.date.year) * 12 + i64::from(at.date.month);
    let in_month = |at: DateTime| (at.date.day, at.seconds_of_day(), at.micros);
    months(to) - months(from) - i64::from(in_month(to) < in_month(from))
}
