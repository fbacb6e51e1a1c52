//! Powers, roots and logarithms: floating point, printed as the server prints it.

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both};
use dsl::expr::sql::{Double, Sql, Ty, TyKind};

use super::NUMBER;

/// A result that is a number; infinity and what is none fail.
pub(super) fn float(value: f64) -> Result<Sql<'static>, CallError> {
    if value.is_finite() {
        Ok(Sql::Double(Double::new(value)))
    } else {
        Err(CallError::OutOfRange)
    }
}

/// The argument as a float.
pub(super) fn arg(args: &Args<'_>, index: usize) -> f64 {
    args.num(index).to_f64()
}

/// `POWER(number, exponent)`.
pub const POWER: Builtin = Builtin {
    name: "POWER",
    aliases: &["POW"],
    summary: both("乘方。", "Raises to a power."),
    params: &[
        NUMBER,
        Param::required("exponent", Type::Number, both("指数。", "The exponent.")),
    ],
    returns: Type::Number,
    ty: Typing::Double,
    examples: &[
        Example::is("POWER(2, 10)", "1024"),
        Example::is("POWER(2, -1)", "0.5"),
        Example::is("POWER(1.10, 2)", "1.2100000000000002"),
        Example::fails("POWER(0, -1)", "E2054"),
        Example::null("POWER(2, NULL)"),
    ],
    constant: true,
    call: Call::Eager(|args| float(arg(args, 0).powf(arg(args, 1)))),
};

/// `SQRT(number)`.
pub const SQRT: Builtin = Builtin {
    name: "SQRT",
    aliases: &[],
    summary: both("平方根;负数得 NULL。", "The square root; NULL below zero."),
    params: &[NUMBER],
    returns: Type::Number,
    ty: Typing::Double,
    examples: &[
        Example::is("SQRT(16)", "4"),
        Example::is("SQRT(2)", "1.4142135623730951"),
        Example::null("SQRT(-1)"),
    ],
    constant: true,
    call: Call::Eager(|args| match arg(args, 0) {
        below if below < 0.0 => Ok(Sql::Null),
        number => float(number.sqrt()),
    }),
};

/// `EXP(number)`.
pub const EXP: Builtin = Builtin {
    name: "EXP",
    aliases: &[],
    summary: both("e 的乘方。", "The power of e."),
    params: &[NUMBER],
    returns: Type::Number,
    ty: Typing::Double,
    examples: &[
        Example::is("EXP(0)", "1"),
        Example::is("EXP(1)", "2.718281828459045"),
        Example::fails("EXP(710)", "E2054"),
    ],
    constant: true,
    call: Call::Eager(|args| float(arg(args, 0).exp())),
};

/// `LN(number)`.
pub const LN: Builtin = Builtin {
    name: "LN",
    aliases: &[],
    summary: both(
        "自然对数;零和负数得 NULL。",
        "The natural logarithm; NULL at zero and below.",
    ),
    params: &[NUMBER],
    returns: Type::Number,
    ty: Typing::Double,
    examples: &[Example::is("LN(2)", "0.6931471805599453"), Example::null("LN(0)")],
    constant: true,
    call: Call::Eager(|args| logarithm(arg(args, 0), f64::ln)),
};

/// Of what is above zero.
fn logarithm(number: f64, log: fn(f64) -> f64) -> Result<Sql<'static>, CallError> {
    if number > 0.0 {
        float(log(number))
    } else {
        Ok(Sql::Null)
    }
}

/// `LOG(number, of)`.
pub const LOG: Builtin = Builtin {
    name: "LOG",
    aliases: &[],
    summary: both(
        "自然对数;有两个参数时第一个是底数。",
        "The natural logarithm; with two arguments the first is the base.",
    ),
    params: &[
        NUMBER,
        Param::optional(
            "of",
            Type::Number,
            both(
                "写了它时,number 是底数。",
                "When it is written, `number` is the base.",
            ),
        ),
    ],
    returns: Type::Number,
    ty: Typing::Double,
    examples: &[
        Example::is("LOG(2)", "0.6931471805599453"),
        Example::is("LOG(2, 8)", "3"),
        Example::is("LOG(10, 1000)", "2.9999999999999996"),
        Example::null("LOG(1, 5)"),
        Example::null("LOG(-2)"),
    ],
    constant: true,
    call: Call::Eager(log),
};

fn log(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let number = arg(args, 0);
    if args.len() < 2 {
        return logarithm(number, f64::ln);
    }
    let of = arg(args, 1);
    if number <= 0.0 || of <= 0.0 || number.ln() == 0.0 {
        return Ok(Sql::Null);
    }
    float(of.ln() / number.ln())
}

/// `LOG2(number)`.
pub const LOG2: Builtin = Builtin {
    name: "LOG2",
    aliases: &[],
    summary: both(
        "以 2 为底的对数;零和负数得 NULL。",
        "The logarithm to base two; NULL at zero and below.",
    ),
    params: &[NUMBER],
    returns: Type::Number,
    ty: Typing::Double,
    examples: &[
        Example::is("LOG2(65536)", "16"),
        Example::is("LOG2(3)", "1.5849625007211563"),
        Example::null("LOG2(0)"),
    ],
    constant: true,
    call: Call::Eager(|args| logarithm(arg(args, 0), |number| number.ln() / std::f64::consts::LN_2)),
};

/// `LOG10(number)`.
pub const LOG10: Builtin = Builtin {
    name: "LOG10",
    aliases: &[],
    summary: both(
        "以 10 为底的对数;零和负数得 NULL。",
        "The logarithm to base ten; NULL at zero and below.",
    ),
    params: &[NUMBER],
    returns: Type::Number,
    ty: Typing::Double,
    examples: &[
        Example::is("LOG10(1000)", "3"),
        Example::is("LOG10(2)", "0.3010299956639812"),
        Example::null("LOG10(-1)"),
    ],
    constant: true,
    call: Call::Eager(|args| logarithm(arg(args, 0), f64::log10)),
};

/// `PI()`.
pub const PI: Builtin = Builtin {
    name: "PI",
    aliases: &[],
    summary: both(
        "圆周率;显示六位小数,计算时用全部位数。",
        "Shows six digits and computes with all of them.",
    ),
    params: &[],
    returns: Type::Number,
    ty: Typing::By(|_| Ty::new(TyKind::Double, 6)),
    examples: &[
        Example::is("PI()", "3.141593"),
        Example::is("PI() * 2", "6.283185"),
        Example::is("DEGREES(PI())", "180"),
    ],
    constant: true,
    call: Call::Eager(|_| {
        Ok(Sql::Double(Double {
            value: std::f64::consts::PI,
            decimals: Some(6),
        }))
    }),
};
