//! Times of the day and lengths of time: making, adding and subtracting them.

use dsl::builtin::Types;
use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both};
use dsl::decimal::Decimal;
use dsl::expr::sql::{NOT_FIXED, Num, Sql, Ty, TyKind};
use dsl::expr::time::{self, Clock, DateTime, Days, LONGEST_MICROS, Reading, Time};

const CLOCK: Param = Param::required(
    "time",
    Type::Time,
    both(
        "时间或时长,例如 '11:30:00'、'1 11:30' 或 113000。",
        "A time or a length of time, such as '11:30:00', '1 11:30' or 113000.",
    ),
);
const LENGTH: Param = Param::required(
    "length",
    Type::Time,
    both("时长,例如 '1:30:00'。", "A length of time, such as '1:30:00'."),
);

/// `TIME(time)`.
pub const TIME: Builtin = Builtin {
    name: "TIME",
    aliases: &[],
    summary: both(
        "时间的时分秒部分;太短的文本按时分秒读,最长 838:59:59。",
        "The time of the day of a time; a short text is read as one. 838:59:59 is the longest.",
    ),
    params: &[CLOCK],
    returns: Type::Time,
    ty: Typing::By(|types| Ty::new(TyKind::Time, types.time_digits(0))),
    examples: &[
        Example::is("TIME('2023-01-01 10:00:00.50')", "10:00:00.50"),
        Example::is("TIME('1 11:30')", "35:30:00"),
        Example::is("TIME(113000)", "11:30:00"),
        Example::is("TIME('2023-06-06')", "00:20:23"),
        Example::is("TIME('900:00:00')", "838:59:59"),
        Example::null("TIME('11:60')"),
    ],
    constant: false,
    call: Call::Eager(|args| {
        let digits = args.time_digits(0);
        Ok(args
            .clock(0)
            .map_or(Sql::Null, |time| Sql::Time(time.with_fraction(digits))))
    }),
};

/// `ADDTIME(time, length)`.
pub const ADDTIME: Builtin = Builtin {
    name: "ADDTIME",
    aliases: &[],
    summary: both(
        "时间加上时长;文本给出文本。",
        "A time that much later; text gives text.",
    ),
    params: &[CLOCK, LENGTH],
    returns: Type::Time,
    ty: Typing::By(moved_type),
    examples: &[
        Example::is("ADDTIME('2023-01-01 10:00:00', '1 1:1:1')", "2023-01-02 11:01:01"),
        Example::is("ADDTIME(NOW(), '0:30')", "2023-11-15 06:43:20"),
        Example::is("ADDTIME('10:00', '-11:00:00.5')", "-01:00:00.500000"),
        Example::is("ADDTIME('2023-01-01', '1:00')", "01:20:23"),
        Example::null("ADDTIME(NOW(), NOW())"),
    ],
    constant: false,
    call: Call::Eager(|args| moved(args, 1)),
};

/// `SUBTIME(time, length)`.
pub const SUBTIME: Builtin = Builtin {
    name: "SUBTIME",
    aliases: &[],
    summary: both(
        "时间减去时长;文本给出文本。",
        "A time that much earlier; text gives text.",
    ),
    params: &[CLOCK, LENGTH],
    returns: Type::Time,
    ty: Typing::By(moved_type),
    examples: &[
        Example::is("SUBTIME('2023-01-01 10:00:00', '11:00')", "2022-12-31 23:00:00"),
        Example::is("SUBTIME('1:00', '2:00')", "-01:00:00"),
    ],
    constant: false,
    call: Call::Eager(|args| moved(args, -1)),
};

fn moved_type(types: &Types<'_, '_>) -> Ty {
    let digits = types.ty(0).decimals.min(6).max(types.length_digits(1));
    match types.ty(0).kind {
        TyKind::Date | TyKind::DateTime => Ty::new(TyKind::DateTime, digits),
        TyKind::Time => Ty::new(TyKind::Time, digits),
        _ => Ty::TEXT,
    }
}

fn moved(args: &Args<'_>, sign: i64) -> Result<Sql<'static>, CallError> {
    let length = match args.reading(1, Clock::Length, Days::Real) {
        Some(Reading::Time(time)) => time.total_micros() * sign,
        Some(Reading::Long(micros, _)) => micros * sign,
        _ => return Ok(Sql::Null),
    };
    // Text and floating point show a fraction of six digits, if there is one.
    let digits = match args.get(0) {
        Sql::Text(_) | Sql::Bytes(_) => NOT_FIXED,
        Sql::Double(double) if double.decimals.is_none() => NOT_FIXED,
        _ => args.time_digits(0).max(args.length_digits(1)),
    };
    let later = |at: DateTime| {
        let at = time::from_day_micros(at.day_micros().checked_add(length)?, digits)?;
        Some(Sql::DateTime(at.with_fraction(digits)))
    };
    let sum = match args.reading(0, Clock::Time, Days::Real) {
        Some(Reading::Date(date)) => later(DateTime::midnight(date)),
        Some(Reading::DateTime(at)) => later(at),
        Some(Reading::Time(time)) => {
            let sum = Time::from_micros(time.total_micros().saturating_add(length), digits);
            Some(Sql::Time(sum.with_fraction(digits)))
        }
        _ => None,
    };
    let temporal = matches!(args.get(0), Sql::Date(_) | Sql::DateTime(_) | Sql::Time(_));
    Ok(match sum {
        Some(sum) if !temporal => Sql::moment(sum.to_text().unwrap_or_default().into_owned()),
        sum => sum.unwrap_or(Sql::Null),
    })
}

/// `TIMEDIFF(time, earlier)`.
pub const TIMEDIFF: Builtin = Builtin {
    name: "TIMEDIFF",
    aliases: &[],
    summary: both(
        "两个时间相差的时长;两边须同为日期时间,或同为时分秒。",
        "The length of time between two times, both with a day or both without.",
    ),
    params: &[
        CLOCK,
        Param {
            name: "earlier",
            ..CLOCK
        },
    ],
    returns: Type::Time,
    ty: Typing::By(|types| Ty::new(TyKind::Time, types.time_digits(0).max(types.time_digits(1)))),
    examples: &[
        Example::is(
            "TIMEDIFF('2023-06-06 11:30:00', '2023-06-05 11:30:00.5')",
            "23:59:59.5",
        ),
        Example::is("TIMEDIFF('11:30:00', '12:30:00')", "-01:00:00"),
        Example::is(
            "TIMEDIFF('2023-06-06 00:00:00', '2020-06-06 00:00:00')",
            "838:59:59",
        ),
        Example::null("TIMEDIFF(NOW(), '6:00')"),
    ],
    constant: false,
    call: Call::Eager(difference),
};

fn difference(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let digits = args.time_digits(0).max(args.time_digits(1));
    let read = |index| args.reading(index, Clock::Time, Days::Any);
    let micros = match (read(0), read(1)) {
        (Some(Reading::Date(a)), Some(Reading::Date(b))) => {
            (a.day_number() - b.day_number()) * time::MICROS_PER_DAY
        }
        (Some(Reading::DateTime(a)), Some(Reading::DateTime(b))) => a.day_micros() - b.day_micros(),
        (Some(Reading::Time(a)), Some(Reading::Time(b))) => a.total_micros() - b.total_micros(),
        _ => return Ok(Sql::Null),
    };
    Ok(Sql::Time(Time::from_micros(micros, digits).with_fraction(digits)))
}

/// `MAKETIME(hour, minute, second)`.
pub const MAKETIME: Builtin = Builtin {
    name: "MAKETIME",
    aliases: &[],
    summary: both(
        "由时、分、秒得到时间。",
        "The time with this hour, minute and second.",
    ),
    params: &[
        Param::required(
            "hour",
            Type::Integer,
            both("时,可以为负。", "The hour; may be negative."),
        ),
        Param::required(
            "minute",
            Type::Integer,
            both("分,0 到 59。", "The minute, 0 to 59."),
        ),
        Param::required(
            "second",
            Type::Number,
            both(
                "秒,不到 60;它的小数位就是结果的小数位。",
                "The second, below 60; its digits are those of the result.",
            ),
        ),
    ],
    returns: Type::Time,
    ty: Typing::By(|types| Ty::new(TyKind::Time, types.ty(2).decimals.min(6))),
    examples: &[
        Example::is("MAKETIME(1, 2, 3.5)", "01:02:03.5"),
        Example::is("MAKETIME(-1, 2, '3')", "-01:02:03.000000"),
        Example::is("MAKETIME(839, 0, 0)", "838:59:59"),
        Example::null("MAKETIME(1, 60, 0)"),
    ],
    constant: true,
    call: Call::Eager(maketime),
};

fn maketime(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let (hour, minute) = (args.int(0).wide(), args.int(1).wide());
    let digits = seconds_digits(args, 2);
    let second = args.decimal(2);
    if !(0..60).contains(&minute) || second.is_negative() || second >= Decimal::from(60i64) {
        return Ok(Sql::Null);
    }
    let second = i128::from(time::seconds_of(&exact_text(args, 2)).unwrap_or(0));
    let total = (hour.abs() * 3600 + minute * 60) * 1_000_000 + second;
    let total = i64::try_from(total).unwrap_or(i64::MAX);
    let total = if hour < 0 { -total } else { total };
    Ok(Sql::Time(Time::from_micros(total, digits).with_fraction(digits)))
}

/// A number of seconds: text by its digits, not by the float they make.
fn exact_text(args: &Args<'_>, index: usize) -> Num {
    match args.get(index) {
        Sql::Text(_) | Sql::Bytes(_) => Num::Exact(args.decimal(index)),
        _ => args.num(index),
    }
}

/// Digits of a number of seconds: text and floating point have six.
fn seconds_digits(args: &Args<'_>, index: usize) -> u8 {
    match args.num(index) {
        Num::Float(double) => double.decimals.unwrap_or(6).min(6),
        number => number.decimals().unwrap_or(0).min(6),
    }
}

/// `SEC_TO_TIME(seconds)`.
pub const SEC_TO_TIME: Builtin = Builtin {
    name: "SEC_TO_TIME",
    aliases: &[],
    summary: both(
        "秒数对应的时长,最长 838:59:59。",
        "The length of time of so many seconds; 838:59:59 is the longest.",
    ),
    params: &[Param::required(
        "seconds",
        Type::Number,
        both("秒数,可以为负。", "The seconds; may be negative."),
    )],
    returns: Type::Time,
    ty: Typing::By(|types| Ty::new(TyKind::Time, types.ty(0).decimals.min(6))),
    examples: &[
        Example::is("SEC_TO_TIME(3661)", "01:01:01"),
        Example::is("SEC_TO_TIME(-3661.5)", "-01:01:01.5"),
        Example::is("SEC_TO_TIME('61x')", "00:01:01.000000"),
        Example::is("SEC_TO_TIME(9999999)", "838:59:59"),
    ],
    constant: true,
    call: Call::Eager(|args| {
        let digits = seconds_digits(args, 0);
        let seconds = args.decimal(0);
        let edge = if seconds.is_negative() {
            -LONGEST_MICROS
        } else {
            LONGEST_MICROS
        };
        let micros = time::seconds_of(&exact_text(args, 0)).unwrap_or(edge);
        Ok(Sql::Time(Time::from_micros(micros, digits).with_fraction(digits)))
    }),
};

/// `TIME_TO_SEC(time)`.
pub const TIME_TO_SEC: Builtin = Builtin {
    name: "TIME_TO_SEC",
    aliases: &[],
    summary: both(
        "时长的秒数,小数位与参数相同。",
        "The seconds of a length of time, with as many digits as it has.",
    ),
    params: &[CLOCK],
    returns: Type::Number,
    ty: Typing::By(|types| match types.time_digits(0) {
        0 => Ty::INT,
        digits => Ty::decimal(digits),
    }),
    examples: &[
        Example::is("TIME_TO_SEC('-1:00:01')", "-3601"),
        Example::is("TIME_TO_SEC('1:00:00.50')", "3600.50"),
        Example::null("TIME_TO_SEC('x')"),
    ],
    constant: false,
    call: Call::Eager(|args| {
        let Some(time) = args.clock(0) else {
            return Ok(Sql::Null);
        };
        let digits = args.time_digits(0);
        if digits == 0 {
            return Ok(Sql::int(time.total_micros() / 1_000_000));
        }
        let micros = time.total_micros();
        // Digits that are all zero are shown, but a quotient gets no further ones for them.
        let seconds = match micros % 1_000_000 {
            0 => Decimal::from_scaled(micros / 1_000_000, 0),
            _ => Decimal::from_scaled(micros, 6),
        };
        // Only the longest time has more digits than it shows.
        Ok(Sql::Decimal(seconds.with_scale(digits)))
    }),
};
