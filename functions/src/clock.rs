//! The instant of the run. All parts of a run see the same one.

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both};
use dsl::expr::sql::{DateTime, Sql, Ty, TyKind};
use dsl::expr::time;
use jiff::tz::TimeZone;

/// Digits of a second the server knows.
const MOST_DIGITS: i64 = 6;

const DIGITS: Param = Param::optional(
    "digits",
    Type::Integer,
    both(
        "秒的小数位数,0 到 6,缺省 0。",
        "Digits of a second, 0 to 6; 0 if left out.",
    ),
);

/// `NOW(digits)`.
pub const NOW: Builtin = Builtin {
    name: "NOW",
    aliases: &["CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "SYSDATE"],
    summary: both(
        "本次运行的时刻,按方案的时区;SYSDATE 也是这一时刻,不随计算推移。",
        "The instant of the run in the scheme's zone; SYSDATE is the same instant, it does not move on.",
    ),
    params: &[DIGITS],
    returns: Type::Time,
    ty: Typing::By(|types| Ty::new(TyKind::DateTime, digits(&types.value(0)))),
    examples: &[
        Example::is("NOW()", "2023-11-15 06:13:20"),
        Example::is("NOW(3)", "2023-11-15 06:13:20.100"),
        Example::is("NOW() + 0", "20231115061320"),
        Example::is("CURRENT_TIMESTAMP", "2023-11-15 06:13:20"),
        Example::is(
            "REPLACE(UNIX_TIMESTAMP(CURRENT_TIMESTAMP(3)) - 72000, '.', '')",
            "1699928000100",
        ),
    ],
    constant: false,
    call: Call::Eager(|args| now(args, args.zone()).map(Sql::DateTime)),
};

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
        Example::is("CURDATE() - 15", "20231100"),
    ],
    constant: false,
    call: Call::Eager(|args| Ok(args.today().map_or(Sql::Null, Sql::Date))),
};

/// `CURTIME(digits)`.
pub const CURTIME: Builtin = Builtin {
    name: "CURTIME",
    aliases: &["CURRENT_TIME"],
    summary: both(
        "本次运行的时分秒,按方案的时区。",
        "The time of the day of the run in the scheme's zone.",
    ),
    params: &[DIGITS],
    returns: Type::Time,
    ty: Typing::By(|types| Ty::new(TyKind::Time, digits(&types.value(0)))),
    examples: &[
        Example::is("CURTIME()", "06:13:20"),
        Example::is("CURTIME(2)", "06:13:20.10"),
        Example::is("CURTIME() + 0", "61320"),
    ],
    constant: false,
    call: Call::Eager(|args| now(args, args.zone()).map(|now| Sql::Time(now.time()))),
};

/// `UTC_DATE()`.
pub const UTC_DATE: Builtin = Builtin {
    name: "UTC_DATE",
    aliases: &[],
    summary: both(
        "本次运行的日期,按世界时。",
        "The day of the run in universal time.",
    ),
    params: &[],
    returns: Type::Time,
    ty: Typing::Date,
    examples: &[Example::is("UTC_DATE()", "2023-11-14")],
    constant: false,
    call: Call::Eager(|args| now(args, &TimeZone::UTC).map(|now| Sql::Date(now.date))),
};

/// `UTC_TIME(digits)`.
pub const UTC_TIME: Builtin = Builtin {
    name: "UTC_TIME",
    aliases: &[],
    summary: both(
        "本次运行的时分秒,按世界时。",
        "The time of the day of the run in universal time.",
    ),
    params: &[DIGITS],
    returns: Type::Time,
    ty: Typing::By(|types| Ty::new(TyKind::Time, digits(&types.value(0)))),
    examples: &[Example::is("UTC_TIME()", "22:13:20")],
    constant: false,
    call: Call::Eager(|args| now(args, &TimeZone::UTC).map(|now| Sql::Time(now.time()))),
};

/// `UTC_TIMESTAMP(digits)`.
pub const UTC_TIMESTAMP: Builtin = Builtin {
    name: "UTC_TIMESTAMP",
    aliases: &[],
    summary: both(
        "本次运行的时刻,按世界时。",
        "The instant of the run in universal time.",
    ),
    params: &[DIGITS],
    returns: Type::Time,
    ty: Typing::By(|types| Ty::new(TyKind::DateTime, digits(&types.value(0)))),
    examples: &[
        Example::is("UTC_TIMESTAMP()", "2023-11-14 22:13:20"),
        Example::is("UTC_TIMESTAMP(1)", "2023-11-14 22:13:20.1"),
    ],
    constant: false,
    call: Call::Eager(|args| now(args, &TimeZone::UTC).map(Sql::DateTime)),
};

fn digits(value: &Sql<'_>) -> u8 {
    let digits = value
        .to_int()
        .map_or(0, |int| int.clamped().clamp(0, MOST_DIGITS));
    u8::try_from(digits).unwrap_or(0)
}

/// The instant in a zone; more digits than there are is refused, as on the server.
fn now(args: &Args<'_>, zone: &TimeZone) -> Result<DateTime, CallError> {
    if args.integer(0) > MOST_DIGITS {
        return Err(CallError::OutOfRange);
    }
    time::at_zone(args.now_ms(), zone, digits(args.get(0))).ok_or(CallError::OutOfRange)
}
