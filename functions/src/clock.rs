//! The instant of the run, and seconds since 1970. All parts of a run see the same instant.

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both};
use dsl::decimal::Decimal;
use dsl::expr::sql::{Num, Sql};
use dsl::expr::time;

use crate::format::date_format;

/// Digits of a second the server knows.
const MOST_DIGITS: u8 = 6;
/// The last second the server converts, in the year 3001; milliseconds taken for seconds lie far behind it.
const LAST_SECOND: i64 = 32_536_771_199;

/// `NOW(digits)`.
pub const NOW: Builtin = Builtin {
    name: "NOW",
    aliases: &["CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "SYSDATE"],
    summary: both(
        "本次运行的时刻,按方案的时区。",
        "The instant of the run in the scheme's zone.",
    ),
    params: &[Param::optional(
        "digits",
        Type::Integer,
        both(
            "秒的小数位数,0 到 6,缺省 0。",
            "Digits of a second, 0 to 6; 0 if left out.",
        ),
    )],
    returns: Type::Time,
    ty: Typing::Date,
    examples: &[
        Example::is("NOW()", "2023-11-15 06:13:20"),
        Example::is("NOW(3)", "2023-11-15 06:13:20.100"),
        Example::is("CURRENT_TIMESTAMP", "2023-11-15 06:13:20"),
        Example::is(
            "REPLACE(UNIX_TIMESTAMP(CURRENT_TIMESTAMP(3)) - 72000, '.', '')",
            "1699928000100",
        ),
    ],
    constant: false,
    call: Call::Eager(now),
};

fn now(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let digits = u8::try_from(args.count(0)).map_or(MOST_DIGITS, |digits| digits.min(MOST_DIGITS));
    Ok(time::at_zone(args.now_ms(), args.zone(), digits).map_or(Sql::Null, Sql::DateTime))
}

/// `CURDATE()`.
pub const CURDATE: Builtin = Builtin {
    name: "CURDATE",
    aliases: &["CURRENT_DATE"],
    summary: both(
        "本次运行的日期,按方案的时区。",
        "The day of the run in the scheme's zone.",
    ),
    params: &[],
    returns: Type::Time,
    ty: Typing::Date,
    examples: &[
        Example::is("CURDATE()", "2023-11-15"),
        Example::is("CURDATE() - INTERVAL 1 DAY", "2023-11-14"),
    ],
    constant: false,
    call: Call::Eager(|args| {
        let now = time::at_zone(args.now_ms(), args.zone(), 0);
        Ok(now.map_or(Sql::Null, |now| Sql::Date(now.date)))
    }),
};

/// `UNIX_TIMESTAMP(time)`.
pub const UNIX_TIMESTAMP: Builtin = Builtin {
    name: "UNIX_TIMESTAMP",
    aliases: &[],
    summary: both(
        "1970 年以来的秒数,小数位与参数相同。",
        "Seconds since 1970, with as many digits as the time has.",
    ),
    params: &[Param::optional(
        "time",
        Type::Time,
        both(
            "时间;省略则为本次运行的时刻。",
            "The time; the instant of the run if left out.",
        ),
    )],
    returns: Type::Number,
    ty: Typing::Double,
    examples: &[
        Example::is("UNIX_TIMESTAMP()", "1700000000"),
        Example::is("UNIX_TIMESTAMP(NOW(3))", "1700000000.100"),
        Example::is("UNIX_TIMESTAMP('2023-11-15 06:13:20')", "1700000000"),
        Example::is("UNIX_TIMESTAMP('2023-11-14T22:13:20Z')", "1700000000"),
        Example::null("UNIX_TIMESTAMP('')"),
    ],
    constant: false,
    call: Call::Eager(unix_timestamp),
};

fn unix_timestamp(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    if args.is_empty() {
        return Ok(Sql::int(args.now_ms().div_euclid(1000)));
    }
    let Some(at) = args.time(0) else {
        return Ok(Sql::Null);
    };
    let Some(micros) = time::to_micros(&at, args.zone()) else {
        return Ok(Sql::Null);
    };
    if micros < 0 {
        return Ok(Sql::int(0));
    }
    if at.fraction == 0 {
        return Ok(Sql::int(micros / 1_000_000));
    }
    let seconds = Decimal::from_scaled(micros, MOST_DIGITS);
    Ok(Sql::Decimal(seconds.truncate(i32::from(at.fraction))?))
}

/// `FROM_UNIXTIME(seconds, format)`.
pub const FROM_UNIXTIME: Builtin = Builtin {
    name: "FROM_UNIXTIME",
    aliases: &[],
    summary: both(
        "把 1970 年以来的秒数变成时间,按方案的时区;毫秒要先除以 1000。",
        "The time of seconds since 1970 in the scheme's zone; divide milliseconds by 1000 first.",
    ),
    params: &[
        Param::required(
            "seconds",
            Type::Number,
            both(
                "秒数;小数位数决定结果的小数位数。",
                "Seconds; their digits are the digits of the result.",
            ),
        ),
        Param::optional(
            "format",
            Type::Text,
            both("格式,见 DATE_FORMAT。", "A format as in DATE_FORMAT."),
        ),
    ],
    returns: Type::Time,
    ty: Typing::Date,
    examples: &[
        Example::is("FROM_UNIXTIME(1700000000)", "2023-11-15 06:13:20"),
        Example::is("FROM_UNIXTIME(1679033795123/1000)", "2023-03-17 14:16:35.1230"),
        Example::is(
            "FROM_UNIXTIME(1700000000 - 600, '%Y-%m-%d %H:%i:%s')",
            "2023-11-15 06:03:20",
        ),
        Example::null("FROM_UNIXTIME(1679033795123)"),
        Example::null("FROM_UNIXTIME(-1)"),
    ],
    constant: false,
    call: Call::Eager(from_unixtime),
};

fn from_unixtime(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let number = args.num(0);
    let digits = number.decimals().unwrap_or(MOST_DIGITS).min(MOST_DIGITS);
    let seconds = match number {
        Num::Int(int) => int.to_decimal(),
        Num::Exact(number) => number,
        Num::Float(double) => double.to_decimal(),
    };
    if seconds.is_negative() || seconds > Decimal::from(LAST_SECOND) {
        return Ok(Sql::Null);
    }
    let micros = seconds.round(i32::from(digits))?.to_scaled_i64(MOST_DIGITS);
    let at = micros.and_then(|micros| time::from_micros(micros, args.zone(), digits));
    let Some(at) = at else { return Ok(Sql::Null) };
    if args.len() > 1 {
        return Ok(Sql::text(date_format(&at, &args.text(1))));
    }
    Ok(Sql::DateTime(at))
}
