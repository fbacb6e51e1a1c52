//! Angles: floating point, in radians.

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both};
use dsl::expr::sql::Sql;

use super::NUMBER;
use super::math::{arg, float};

const ANGLE: Param = Param::required("angle", Type::Number, both("弧度。", "In radians."));

/// `SIN(number)`.
pub const SIN: Builtin = Builtin {
    name: "SIN",
    aliases: &[],
    summary: both("正弦。", "The sine."),
    params: &[ANGLE],
    returns: Type::Number,
    ty: Typing::Double,
    examples: &[
        Example::is("SIN(0)", "0"),
        Example::is("SIN(1)", "0.8414709848078965"),
    ],
    constant: true,
    call: Call::Eager(|args| float(arg(args, 0).sin())),
};

/// `COS(number)`.
pub const COS: Builtin = Builtin {
    name: "COS",
    aliases: &[],
    summary: both("余弦。", "The cosine."),
    params: &[ANGLE],
    returns: Type::Number,
    ty: Typing::Double,
    examples: &[
        Example::is("COS(0)", "1"),
        Example::is("COS(1)", "0.5403023058681398"),
    ],
    constant: true,
    call: Call::Eager(|args| float(arg(args, 0).cos())),
};

/// `TAN(number)`.
pub const TAN: Builtin = Builtin {
    name: "TAN",
    aliases: &[],
    summary: both("正切。", "The tangent."),
    params: &[ANGLE],
    returns: Type::Number,
    ty: Typing::Double,
    examples: &[
        Example::is("TAN(0)", "0"),
        Example::is("TAN(1)", "1.5574077246549023"),
    ],
    constant: true,
    call: Call::Eager(|args| float(arg(args, 0).tan())),
};

/// `COT(number)`.
pub const COT: Builtin = Builtin {
    name: "COT",
    aliases: &[],
    summary: both("余切。", "The cotangent."),
    params: &[ANGLE],
    returns: Type::Number,
    ty: Typing::Double,
    examples: &[
        Example::is("COT(1)", "0.6420926159343306"),
        Example::fails("COT(0)", "E2054"),
    ],
    constant: true,
    call: Call::Eager(|args| float(1.0 / arg(args, 0).tan())),
};

/// `ASIN(number)`.
pub const ASIN: Builtin = Builtin {
    name: "ASIN",
    aliases: &[],
    summary: both(
        "反正弦;超出 -1 到 1 得 NULL。",
        "The angle with this sine; NULL outside -1 to 1.",
    ),
    params: &[NUMBER],
    returns: Type::Number,
    ty: Typing::Double,
    examples: &[
        Example::is("ASIN(1)", "1.5707963267948966"),
        Example::null("ASIN(2)"),
    ],
    constant: true,
    call: Call::Eager(|args| inverse(arg(args, 0), f64::asin)),
};

/// `ACOS(number)`.
pub const ACOS: Builtin = Builtin {
    name: "ACOS",
    aliases: &[],
    summary: both(
        "反余弦;超出 -1 到 1 得 NULL。",
        "The angle with this cosine; NULL outside -1 to 1.",
    ),
    params: &[NUMBER],
    returns: Type::Number,
    ty: Typing::Double,
    examples: &[Example::is("ACOS(1)", "0"), Example::null("ACOS(1.5)")],
    constant: true,
    call: Call::Eager(|args| inverse(arg(args, 0), f64::acos)),
};

fn inverse(number: f64, function: fn(f64) -> f64) -> Result<Sql<'static>, CallError> {
    if (-1.0..=1.0).contains(&number) {
        float(function(number))
    } else {
        Ok(Sql::Null)
    }
}

/// `ATAN(y, x)`.
pub const ATAN: Builtin = Builtin {
    name: "ATAN",
    aliases: &["ATAN2"],
    summary: both(
        "反正切;有两个参数时是点 (x, y) 的方向角。",
        "The angle with this tangent; with two arguments the direction of the point (x, y).",
    ),
    params: &[
        Param::required(
            "y",
            Type::Number,
            both("正切,或点的 y。", "The tangent, or the point's y."),
        ),
        Param::optional("x", Type::Number, both("点的 x。", "The point's x.")),
    ],
    returns: Type::Number,
    ty: Typing::Double,
    examples: &[
        Example::is("ATAN(1)", "0.7853981633974483"),
        Example::is("ATAN(1, 2)", "0.4636476090008061"),
        Example::is("ATAN2(1, -1)", "2.356194490192345"),
    ],
    constant: true,
    call: Call::Eager(atan),
};

fn atan(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let y = arg(args, 0);
    float(if args.len() < 2 {
        y.atan()
    } else {
        y.atan2(arg(args, 1))
    })
}

/// `DEGREES(number)`.
pub const DEGREES: Builtin = Builtin {
    name: "DEGREES",
    aliases: &[],
    summary: both("弧度换成角度。", "Radians in degrees."),
    params: &[ANGLE],
    returns: Type::Number,
    ty: Typing::Double,
    examples: &[
        Example::is("DEGREES(PI())", "180"),
        Example::is("DEGREES(1)", "57.29577951308232"),
    ],
    constant: true,
    call: Call::Eager(|args| float(arg(args, 0) * (180.0 / std::f64::consts::PI))),
};

/// `RADIANS(number)`.
pub const RADIANS: Builtin = Builtin {
    name: "RADIANS",
    aliases: &[],
    summary: both("角度换成弧度。", "Degrees in radians."),
    params: &[NUMBER],
    returns: Type::Number,
    ty: Typing::Double,
    examples: &[Example::is("RADIANS(180)", "3.141592653589793")],
    constant: true,
    call: Call::Eager(|args| float(arg(args, 0) * (std::f64::consts::PI / 180.0))),
};
