//! Rounding: exact numbers a half away from zero, floating point a half to the even side, as on the server.

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Types, Typing, both};
use dsl::decimal::{Decimal, MAX_SCALE, OutOfRange};
use dsl::expr::sql::{Double, Int, NOT_FIXED, Num, Sql, Ty, TyKind};

use super::NUMBER;

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
        Example::is("ROUND('2.5')", "2"),
        Example::is("ROUND('99.90', 2)", "99.90"),
        Example::is("ROUND('', 2)", "0.00"),
        Example::is("ROUND(5, 2)", "5"),
        Example::is("ROUND(1250, -2)", "1300"),
        Example::is("ROUND(10/3, 7)", "3.3333333"),
        Example::null("ROUND(1/0, 2)"),
    ],
    constant: true,
    call: Call::Eager(|args| cut(args, Cut::Round)),
};

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
        Example::is("TRUNCATE('0.29', 2)", "0.28"),
        Example::fails("TRUNCATE(2.9)", "E1302"),
    ],
    constant: true,
    call: Call::Eager(|args| cut(args, Cut::Truncate)),
};

/// What happens to the digits that do not stay.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    Round,
    Truncate,
}

impl Cut {
    fn exact(self, number: &Decimal, places: i32) -> Result<Decimal, OutOfRange> {
        match self {
            Cut::Round => number.round(places),
            Cut::Truncate => number.truncate(places),
        }
    }

    /// Scales by a power of ten and back, which is what the server does and why `0.29` cut to two places is `0.28`.
    /// `None` when the result has no float.
    pub(super) fn float(self, value: f64, places: i64) -> Option<f64> {
        let power = power_of_ten(places.unsigned_abs());
        let whole = |value: f64| match self {
            Cut::Round => value.round_ties_even(),
            Cut::Truncate => value.trunc(),
        };
        let result = if places < 0 {
            if power.is_infinite() {
                0.0
            } else {
                whole(value / power) * power
            }
        } else {
            let shifted = value * power;
            if shifted.is_finite() {
                whole(shifted) / power
            } else {
                value
            }
        };
        result.is_finite().then_some(result)
    }
}

/// The float nearest to a power of ten; infinite beyond the largest.
fn power_of_ten(places: u64) -> f64 {
    match i32::try_from(places) {
        // These have floats of their own, and so has their product.
        Ok(places @ 0..=22) => 10f64.powi(places),
        _ => format!("1e{places}").parse().unwrap_or(f64::INFINITY),
    }
}

/// The places that were asked for. More than a signed number holds is as good as the largest.
pub(super) fn places(value: &Sql<'_>) -> i64 {
    match (value, value.to_int()) {
        // A text beyond the largest is its bits.
        (Sql::Text(_) | Sql::Bytes(_), Some(Int::Unsigned(bits))) => bits.cast_signed(),
        (_, Some(places)) => places.clamped(),
        (_, None) => 0,
    }
}

/// A decimal shows as many digits as it is rounded to; so does a float, as long as they are fixed.
fn rounded(types: &Types<'_, '_>) -> Ty {
    let number = types.number(0);
    if types.varies(1) {
        return number;
    }
    let places = types.value(1);
    if places.is_null() && types.len() > 1 && matches!(number.kind, TyKind::Decimal | TyKind::Double) {
        return Ty::DOUBLE;
    }
    let places = self::places(&places);
    let shown = |most: u8| u8::try_from(places.clamp(0, i64::from(most))).unwrap_or(0);
    match number.kind {
        TyKind::Int | TyKind::Unsigned => number,
        TyKind::Double => Ty::new(TyKind::Double, shown(NOT_FIXED)),
        kind => Ty::new(kind, shown(MAX_SCALE)),
    }
}

fn cut(args: &Args<'_>, how: Cut) -> Result<Sql<'static>, CallError> {
    let places = places(args.get(1));
    // Beyond a hundred digits before the point everything exact is zero.
    let near = i32::try_from(places.clamp(-100, i64::from(MAX_SCALE))).unwrap_or(0);
    // Places that differ from line to line can take digits away, but show no more.
    let varies = args.types().varies(1);
    Ok(match args.num(0) {
        Num::Int(int) if places >= 0 => Sql::Int(int),
        Num::Int(int) => {
            let number = how.exact(&int.to_decimal(), near)?;
            let fits = number
                .to_i128()
                .and_then(|whole| Int::fit(whole, int.is_unsigned()));
            fits.map_or(Sql::Decimal(number), Sql::Int)
        }
        Num::Exact(number) if varies => {
            let near = near.min(i32::from(number.scale()));
            Sql::Decimal(how.exact(&number, near)?.with_scale(number.scale()))
        }
        Num::Exact(number) => Sql::Decimal(how.exact(&number, near)?),
        Num::Float(double) => {
            // Without a float for it the server shows nothing but a zero.
            let value = how.float(double.value, places).unwrap_or(0.0);
            let shown = places.clamp(0, i64::from(NOT_FIXED));
            Sql::Double(Double {
                value,
                decimals: u8::try_from(shown)
                    .ok()
                    .filter(|shown| *shown < NOT_FIXED && !varies),
            })
        }
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
        Example::is("CEIL(99999999999999999999.5)", "100000000000000000000"),
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
        Example::is("FLOOR('杭州')", "0"),
    ],
    constant: true,
    call: Call::Eager(|args| whole(args, Decimal::floor, f64::floor)),
};

/// From eighteen digits on a whole decimal stays one, so that `ROUND` can show digits of it.
const WIDE: u64 = 100_000_000_000_000_000;

fn whole_ty(types: &Types<'_, '_>) -> Ty {
    match types.number(0) {
        ty if ty.kind == TyKind::Double => Ty::new(TyKind::Double, 0),
        ty if ty.kind == TyKind::Unsigned => ty,
        _ => Ty::INT,
    }
}

fn whole(
    args: &Args<'_>,
    exact: fn(&Decimal) -> Result<Decimal, OutOfRange>,
    float: fn(f64) -> f64,
) -> Result<Sql<'static>, CallError> {
    Ok(match args.num(0) {
        Num::Int(int) => Sql::Int(int),
        Num::Exact(number) => {
            let number = exact(&number)?;
            match number.to_i64() {
                Some(whole) if whole.unsigned_abs() < WIDE => Sql::int(whole),
                _ => Sql::Decimal(number),
            }
        }
        Num::Float(double) => Sql::Double(Double {
            value: float(double.value),
            decimals: Some(0),
        }),
    })
}
