//! Rounding and its relatives. An exact number stays exact; quoted text is floating point, as on the server.

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Types, Typing, both};
use dsl::decimal::{Decimal, MAX_SCALE, OutOfRange};
use dsl::expr::sql::{Double, Int, Num, Sql, Ty, TyKind};

const NUMBER: Param = Param::required(
    "number",
    Type::Number,
    both(
        "数;文本取开头的数字。",
        "The number; of a text its numeric beginning.",
    ),
);
const PLACES: Param = Param::optional(
    "places",
    Type::Integer,
    both(
        "小数位数,缺省 0;负数表示小数点之前。",
        "Digits after the point, 0 if left out; before it when negative.",
    ),
);

/// `ROUND(number, places)`.
pub const ROUND: Builtin = Builtin {
    name: "ROUND",
    aliases: &[],
    summary: both(
        "四舍五入到 places 位小数,并显示这么多位。",
        "Rounds to `places` digits, a half away from zero, and shows as many.",
    ),
    params: &[NUMBER, PLACES],
    returns: Type::Number,
    ty: Typing::By(rounded),
    examples: &[
        Example::is("ROUND(2.345, 2)", "2.35"),
        Example::is("ROUND(2.5)", "3"),
        Example::is("ROUND(-2.5)", "-3"),
        Example::is("ROUND('99.90', 2)", "99.90"),
        Example::is("ROUND('', 2)", "0.00"),
        Example::is("ROUND(5, 2)", "5"),
        Example::is("ROUND(1250, -2)", "1300"),
        Example::is("ROUND(10/3, 7)", "3.3333333"),
        Example::null("ROUND(1/0, 2)"),
    ],
    constant: true,
    call: Call::Eager(|args| cut(args, Decimal::round, f64::round_ties_even)),
};

/// A decimal shows as many digits as it is rounded to, at most those it has.
fn rounded(types: &Types<'_, '_>) -> Ty {
    let number = types.number(0);
    let places = types.value(1).to_int().map_or(0, |places| places.clamped());
    let shown = u8::try_from(places.clamp(0, i64::from(MAX_SCALE))).unwrap_or(0);
    match number.kind {
        TyKind::Int | TyKind::Unsigned | TyKind::Null => number,
        kind => Ty::new(kind, shown),
    }
}

fn whole_ty(types: &Types<'_, '_>) -> Ty {
    match types.number(0) {
        ty if ty.kind == TyKind::Double => Ty::new(TyKind::Double, 0),
        _ => Ty::INT,
    }
}

fn remainder_ty(types: &Types<'_, '_>) -> Ty {
    let (a, b) = (types.number(0), types.number(1));
    match (a.kind, b.kind) {
        (TyKind::Int | TyKind::Unsigned | TyKind::Null, TyKind::Int | TyKind::Unsigned | TyKind::Null) => a,
        _ => a.merge(b),
    }
}

/// `TRUNCATE(number, places)`.
pub const TRUNCATE: Builtin = Builtin {
    name: "TRUNCATE",
    aliases: &[],
    summary: both(
        "截断到 places 位小数,不进位。",
        "Cuts to `places` digits without rounding.",
    ),
    params: &[NUMBER, Param::required("places", Type::Integer, PLACES.about)],
    returns: Type::Number,
    ty: Typing::By(rounded),
    examples: &[
        Example::is("TRUNCATE(2.999, 1)", "2.9"),
        Example::is("TRUNCATE(-2.999, 1)", "-2.9"),
        Example::is("TRUNCATE(199, -2)", "100"),
        Example::fails("TRUNCATE(2.9)", "E1302"),
    ],
    constant: true,
    call: Call::Eager(|args| cut(args, Decimal::truncate, f64::trunc)),
};

/// What the digits beyond are: dropped by `exact` or `float`.
fn cut(
    args: &Args<'_>,
    exact: fn(&Decimal, i32) -> Result<Decimal, OutOfRange>,
    float: fn(f64) -> f64,
) -> Result<Sql<'static>, CallError> {
    let most = i64::from(MAX_SCALE);
    // Beyond a hundred digits before the point everything is zero.
    let places = i32::try_from(args.integer(1).clamp(-100, most)).unwrap_or(0);
    Ok(match args.num(0) {
        Num::Int(int) if places >= 0 => Sql::Int(int),
        Num::Int(int) => {
            let number = exact(&int.to_decimal(), places)?.to_i128();
            Sql::Int(number.and_then(|number| Int::fit(number, int.is_unsigned())).ok_or(CallError::OutOfRange)?)
        }
        Num::Exact(number) => Sql::Decimal(exact(&number, places)?),
        Num::Float(double) => {
            let power = 10f64.powi(places.abs());
            let shifted = if places < 0 {
                double.value / power
            } else {
                double.value * power
            };
            let rounded = float(shifted);
            let value = if places < 0 {
                rounded * power
            } else {
                rounded / power
            };
            let value = if shifted.is_finite() && value.is_finite() {
                value
            } else {
                double.value
            };
            Sql::Double(Double {
                value,
                decimals: Some(u8::try_from(places).unwrap_or(0)),
            })
        }
    })
}

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
        Example::null("ABS(NULL)"),
    ],
    constant: true,
    call: Call::Eager(abs),
};

fn abs(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    Ok(match args.num(0) {
        Num::Int(int) => Sql::Int(Int::fit(int.wide().abs(), int.is_unsigned()).ok_or(CallError::OutOfRange)?),
        Num::Exact(number) => Sql::Decimal(number.abs()),
        Num::Float(double) => Sql::Double(Double {
            value: double.value.abs(),
            ..double
        }),
    })
}

/// `CEIL(number)`.
pub const CEIL: Builtin = Builtin {
    name: "CEIL",
    aliases: &["CEILING"],
    summary: both(
        "不小于该数的最小整数。",
        "The smallest whole number that is not below.",
    ),
    params: &[NUMBER],
    returns: Type::Integer,
    ty: Typing::By(whole_ty),
    examples: &[
        Example::is("CEIL(2.1)", "3"),
        Example::is("CEIL(-2.1)", "-2"),
        Example::is("CEIL('2.1')", "3"),
    ],
    constant: true,
    call: Call::Eager(|args| whole(args, Decimal::ceil, f64::ceil)),
};

/// `FLOOR(number)`.
pub const FLOOR: Builtin = Builtin {
    name: "FLOOR",
    aliases: &[],
    summary: both(
        "不大于该数的最大整数。",
        "The largest whole number that is not above.",
    ),
    params: &[NUMBER],
    returns: Type::Integer,
    ty: Typing::By(whole_ty),
    examples: &[
        Example::is("FLOOR(2.9)", "2"),
        Example::is("FLOOR(-2.1)", "-3"),
        Example::is("FLOOR(7)", "7"),
    ],
    constant: true,
    call: Call::Eager(|args| whole(args, Decimal::floor, f64::floor)),
};

fn whole(
    args: &Args<'_>,
    exact: fn(&Decimal) -> Result<Decimal, OutOfRange>,
    float: fn(f64) -> f64,
) -> Result<Sql<'static>, CallError> {
    Ok(match args.num(0) {
        Num::Int(int) => Sql::Int(int),
        Num::Exact(number) => {
            let number = exact(&number)?;
            match number.to_i128().and_then(|whole| Int::fit(whole, false)) {
                Some(int) => Sql::Int(int),
                None => Sql::Decimal(number),
            }
        }
        Num::Float(double) => Sql::Double(Double {
            value: float(double.value),
            decimals: Some(0),
        }),
    })
}

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
        Example::is("MOD(7.50, 2)", "1.50"),
        Example::null("MOD(7, 0)"),
    ],
    constant: true,
    call: Call::Eager(remainder),
};

fn remainder(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    Ok(match (args.num(0), args.num(1)) {
        (Num::Int(_), Num::Int(b)) if b.wide() == 0 => Sql::Null,
        (Num::Int(a), Num::Int(b)) => {
            let left = Int::fit(a.wide() % b.wide(), a.is_unsigned());
            Sql::Int(left.ok_or(CallError::OutOfRange)?)
        }
        (a @ (Num::Int(_) | Num::Exact(_)), b @ (Num::Int(_) | Num::Exact(_))) => {
            a.to_decimal().rem(&b.to_decimal()).map_or(Sql::Null, Sql::Decimal)
        }
        (_, b) if b.to_f64() == 0.0 => Sql::Null,
        (a, b) => Sql::Double(Double::new(a.to_f64() % b.to_f64())),
    })
}

/// `FORMAT(number, places)`.
pub const FORMAT: Builtin = Builtin {
    name: "FORMAT",
    aliases: &[],
    summary: both(
        "四舍五入,并用逗号分隔千位;结果是文本。",
        "Rounds and puts commas between thousands; the result is text.",
    ),
    params: &[
        NUMBER,
        Param::required(
            "places",
            Type::Integer,
            both("小数位数。", "Digits after the point."),
        ),
    ],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[
        Example::is("FORMAT(1234567.891, 2)", "1,234,567.89"),
        Example::is("FORMAT(-999.5, 0)", "-1,000"),
        Example::is("FORMAT(5, 2)", "5.00"),
    ],
    constant: true,
    call: Call::Eager(format),
};

fn format(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let places = i32::try_from(args.integer(1).clamp(0, i64::from(MAX_SCALE))).unwrap_or(0);
    let plain = args.decimal(0).round(places)?.to_string();
    let (sign, digits) = plain
        .strip_prefix('-')
        .map_or(("", plain.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut text = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text.push_str(fraction);
    Ok(Sql::text(text))
}
