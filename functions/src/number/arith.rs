//! The sign of a number, and what a division leaves.

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Types, Typing, both};
use dsl::expr::sql::{Double, Int, NOT_FIXED, Num, Sql, Ty, TyKind};

use super::NUMBER;

/// `ABS(number)`.
pub const ABS: Builtin = Builtin {
    name: "ABS",
    aliases: &[],
    summary: both("绝对值。", "The number without its sign."),
    params: &[NUMBER],
    returns: Type::Number,
    ty: Typing::By(|types| types.number(0)),
    examples: &[
        Example::is("ABS(-12.50)", "12.50"),
        Example::is("ABS('-3')", "3"),
        Example::is("ABS('-3元')", "3"),
        Example::null("ABS(NULL)"),
        Example::fails("ABS(-9223372036854775808)", "E2054"),
    ],
    constant: true,
    call: Call::Eager(abs),
};

fn abs(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    Ok(match args.num(0) {
        Num::Int(int) => {
            let number = Int::fit(int.wide().abs(), int.is_unsigned());
            Sql::Int(number.ok_or(CallError::OutOfRange)?)
        }
        Num::Exact(number) => Sql::Decimal(number.abs()),
        Num::Float(double) => Sql::Double(Double {
            value: double.value.abs(),
            ..double
        }),
    })
}

/// `SIGN(number)`.
pub const SIGN: Builtin = Builtin {
    name: "SIGN",
    aliases: &[],
    summary: both(
        "负数得 -1,零得 0,正数得 1。",
        "-1 below zero, 0 at zero, 1 above.",
    ),
    params: &[NUMBER],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("SIGN(-0.001)", "-1"),
        Example::is("SIGN(0.00)", "0"),
        Example::is("SIGN('+5 件')", "1"),
        Example::is("SIGN('')", "0"),
        Example::null("SIGN(NULL)"),
    ],
    constant: true,
    call: Call::Eager(|args| {
        Ok(Sql::int(match args.num(0) {
            Num::Int(int) => i64::from(int.wide() > 0) - i64::from(int.wide() < 0),
            Num::Exact(number) if number.is_zero() => 0,
            Num::Exact(number) if number.is_negative() => -1,
            Num::Exact(_) => 1,
            Num::Float(double) => i64::from(double.value > 0.0) - i64::from(double.value < 0.0),
        }))
    }),
};

/// `MOD(number, by)`.
pub const MOD: Builtin = Builtin {
    name: "MOD",
    aliases: &[],
    summary: both(
        "除以 by 的余数,符号同被除数。",
        "What division by `by` leaves; it has the sign of the dividend.",
    ),
    params: &[
        NUMBER,
        Param::required(
            "by",
            Type::Number,
            both("除数;0 得 NULL。", "The divisor; 0 gives NULL."),
        ),
    ],
    returns: Type::Number,
    ty: Typing::By(remainder_ty),
    examples: &[
        Example::is("MOD(-7, 3)", "-1"),
        Example::is("MOD(7, -3)", "1"),
        Example::is("MOD(7.50, 2)", "1.50"),
        Example::null("MOD(7, 0)"),
    ],
    constant: true,
    call: Call::Eager(remainder),
};

fn remainder_ty(types: &Types<'_, '_>) -> Ty {
    let (a, b) = (types.number(0), types.number(1));
    let whole = |ty: Ty| matches!(ty.kind, TyKind::Int | TyKind::Unsigned);
    match (whole(a), whole(b)) {
        (true, true) => a,
        _ => a.merge(b),
    }
}

fn remainder(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    Ok(match (args.num(0), args.num(1)) {
        (Num::Int(_), Num::Int(b)) if b.wide() == 0 => Sql::Null,
        (Num::Int(a), Num::Int(b)) => {
            let left = Int::fit(a.wide() % b.wide(), a.is_unsigned());
            Sql::Int(left.ok_or(CallError::OutOfRange)?)
        }
        (a @ (Num::Int(_) | Num::Exact(_)), b @ (Num::Int(_) | Num::Exact(_))) => a
            .to_decimal()
            .rem(&b.to_decimal())
            .map_or(Sql::Null, Sql::Decimal),
        (_, b) if b.to_f64() == 0.0 => Sql::Null,
        (a, b) => {
            let decimals = |number: &Num| number.decimals().unwrap_or(NOT_FIXED);
            let shown = decimals(&a).max(decimals(&b));
            Sql::Double(Double {
                value: a.to_f64() % b.to_f64(),
                decimals: (shown < NOT_FIXED).then_some(shown),
            })
        }
    })
}
