//! Seconds since 1970, and times of other zones. The server counts them up to January 2038.

use std::sync::LazyLock;

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both};
use dsl::decimal::Decimal;
use dsl::expr::sql::{NOT_FIXED, Num, Sql, Ty, TyKind};
use dsl::expr::time;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

use crate::format::{Shown, print};

/// The last second the server converts.
const LAST_SECOND: i64 = 2_147_483_647;
const SECOND: i64 = 1_000_000;

const TIME: Param = Param::required(
    "time",
    Type::Time,
    both(
        "时间,例如 '2023-06-06 11:00:00' 或 20230606。",
        "A time, such as '2023-06-06 11:00:00' or 20230606.",
    ),
);

/// The zones that come with the program, so that every machine has the same.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// `UNIX_TIMESTAMP(time)`.
pub const UNIX_TIMESTAMP: Builtin = Builtin {
    name: "UNIX_TIMESTAMP",
    aliases: &[],
    summary: both(
        "1970 年以来的秒数,小数位与参数相同;1970 年以前和 2038 年 1 月以后为 NULL。",
        "Seconds since 1970, with as many digits as the time has; NULL before 1970 and after January 2038.",
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
    ty: Typing::By(unix_type),
    examples: &[
        Example::is("UNIX_TIMESTAMP()", "1700000000"),
        Example::is("UNIX_TIMESTAMP(NOW(3))", "1700000000.100"),
        Example::is("UNIX_TIMESTAMP('2023-11-15 06:13:20')", "1700000000"),
        Example::is("UNIX_TIMESTAMP('2023-11-15 06:13:20.50')", "1700000000.50"),
        Example::is("UNIX_TIMESTAMP('2023-11-14T22:13:20Z')", "1700000000"),
        Example::is("UNIX_TIMESTAMP('1986-05-04 02:30:00')", "515527200"),
        Example::null("UNIX_TIMESTAMP('')"),
        Example::null("UNIX_TIMESTAMP('2038-01-20')"),
    ],
    constant: false,
    call: Call::Eager(unix_timestamp),
};

fn seconds_type(digits: u8) -> Ty {
    if digits == 0 { Ty::INT } else { Ty::decimal(digits) }
}

fn unix_type(types: &dsl::builtin::Types<'_, '_>) -> Ty {
    if types.is_empty() {
        return Ty::INT;
    }
    seconds_type(types.digits(0))
}

fn unix_timestamp(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    if args.is_empty() {
        return Ok(Sql::int(args.now_ms().div_euclid(1000)));
    }
    let micros = args.time(0).and_then(|at| time::to_micros(&at, args.zone()));
    let Some(micros) = micros.filter(|micros| (0..(LAST_SECOND + 1) * SECOND).contains(micros)) else {
        return Ok(Sql::Null);
    };
    let digits = args.digits(0);
    if digits == 0 {
        return Ok(Sql::int(micros / SECOND));
    }
    let seconds = Decimal::from_scaled(micros, 6);
    Ok(Sql::Decimal(seconds.truncate(i32::from(digits))?))
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
    ty: Typing::By(|types| match types.ty(0) {
        _ if types.len() > 1 => Ty::TEXT,
        ty if ty.decimals >= NOT_FIXED => Ty::new(TyKind::DateTime, NOT_FIXED),
        ty => Ty::new(TyKind::DateTime, ty.decimals.min(6)),
    }),
    examples: &[
        Example::is("FROM_UNIXTIME(1700000000)", "2023-11-15 06:13:20"),
        Example::is("FROM_UNIXTIME(1679033795123/1000)", "2023-03-17 14:16:35.1230"),
        Example::is("FROM_UNIXTIME('1.5')", "1970-01-01 08:00:01.500000"),
        Example::is(
            "FROM_UNIXTIME(1700000000 - 600, '%Y-%m-%d %H:%i:%s')",
            "2023-11-15 06:03:20",
        ),
        Example::is("FROM_UNIXTIME('')", "1970-01-01 08:00:00"),
        Example::null("FROM_UNIXTIME(1679033795123)"),
        Example::null("FROM_UNIXTIME(-1)"),
    ],
    constant: false,
    call: Call::Eager(from_unixtime),
};

fn from_unixtime(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let number = args.num(0);
    let digits = match &number {
        Num::Float(double) => double.decimals.map_or(NOT_FIXED, |digits| digits.min(6)),
        number => number.decimals().unwrap_or(0).min(6),
    };
    let seconds = args.decimal(0);
    if seconds.is_negative() || seconds >= Decimal::from(LAST_SECOND + 1) {
        return Ok(Sql::Null);
    }
    let micros = match args.get(0) {
        // Text counts by its digits, not by the float they make.
        Sql::Text(_) | Sql::Bytes(_) => seconds.truncate(6)?.to_scaled_i64(6),
        _ => time::seconds_of(&number),
    };
    let Some(at) = micros.and_then(|micros| time::from_micros(micros, args.zone(), 6)) else {
        return Ok(Sql::Null);
    };
    if args.len() > 1 {
        return Ok(print(&Shown::of(&at), &args.text(1)).map_or(Sql::Null, Sql::text));
    }
    Ok(Sql::DateTime(at.with_fraction(digits)))
}

/// `CONVERT_TZ(time, from, to)`.
pub const CONVERT_TZ: Builtin = Builtin {
    name: "CONVERT_TZ",
    aliases: &[],
    summary: both(
        "把一个时区的时间换成另一个时区的时间。",
        "The time of one zone as the clocks of another show it.",
    ),
    params: &[
        TIME,
        Param::required(
            "from",
            Type::Text,
            both(
                "时区:`Asia/Shanghai` 这样的名称、`+08:00` 这样的偏移,或 SYSTEM,即方案的时区。",
                "A zone: a name such as `Asia/Shanghai`, an offset such as `+08:00`, or SYSTEM, the scheme's zone.",
            ),
        ),
        Param::required("to", Type::Text, both("换成的时区。", "The zone to convert to.")),
    ],
    returns: Type::Time,
    ty: Typing::By(|types| Ty::new(TyKind::DateTime, types.digits(0))),
    examples: &[
        Example::is(
            "CONVERT_TZ('2023-01-01 00:00:00', '+08:00', '+00:00')",
            "2022-12-31 16:00:00",
        ),
        Example::is(
            "CONVERT_TZ('2023-01-01', 'asia/shanghai', 'UTC')",
            "2022-12-31 16:00:00",
        ),
        Example::is(
            "CONVERT_TZ('2023-03-12 02:30:00', 'America/New_York', 'UTC')",
            "2023-03-12 07:00:00",
        ),
        Example::is(
            "CONVERT_TZ('2040-01-01 00:00:00', '+08:00', '+00:00')",
            "2040-01-01 00:00:00",
        ),
        Example::null("CONVERT_TZ('2023-01-01', '+08', 'UTC')"),
    ],
    constant: false,
    call: Call::Eager(convert_tz),
};

fn convert_tz(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let (from, to) = (zone(args, 1), zone(args, 2));
    let (Some(at), Some(from), Some(to)) = (args.time(0), from, to) else {
        return Ok(Sql::Null);
    };
    let at = at.with_fraction(args.digits(0));
    if !at.date.exists() {
        return Ok(Sql::Null);
    }
    // What the server has no seconds for stays as it is.
    let Some(micros) = time::to_micros(&at, &from) else {
        return Ok(Sql::DateTime(at));
    };
    if !(SECOND..(LAST_SECOND + 1) * SECOND).contains(&micros) {
        return Ok(Sql::DateTime(at));
    }
    Ok(time::from_micros(micros, &to, at.fraction).map_or(Sql::Null, Sql::DateTime))
}

fn zone(args: &Args<'_>, index: usize) -> Option<TimeZone> {
    let name = args.text(index);
    if name.eq_ignore_ascii_case("SYSTEM") {
        return Some(args.zone().clone());
    }
    if name.starts_with(['+', '-']) {
        return offset(&name).map(TimeZone::fixed);
    }
    ZONES.get(&name).ok()
}

/// `+8:00` to `+13:00`, `-12:59` at least.
fn offset(text: &str) -> Option<Offset> {
    let (hours, minutes) = text[1..].split_once(':')?;
    let number = |digits: &str| -> Option<i32> {
        let digits_only = digits.bytes().all(|byte| byte.is_ascii_digit());
        (digits_only && (1..=2).contains(&digits.len())).then(|| digits.parse().ok())?
    };
    let (hours, minutes) = (number(hours)?, number(minutes).filter(|minutes| *minutes < 60)?);
    let seconds = (hours * 60 + minutes) * 60;
    let seconds = if text.starts_with('-') { -seconds } else { seconds };
    let fits = (-13 * 3600 + 1..=13 * 3600).contains(&seconds);
    fits.then(|| Offset::from_seconds(seconds).ok())?
}
