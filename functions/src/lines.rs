//! Over the lines of a document: `SUM(<<details.qty>>)`, or line by line over an expression. NULLs and lines
//! without the field are left out. Over a single value they give that value.

use std::cmp::Ordering;

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both};
use dsl::decimal::Decimal;
use dsl::expr::sql::{Double, NOT_FIXED, Num, Sql, compare};

/// Digits a mean shows beyond those of its values.
const AVERAGE_ADDS: u8 = 4;

const LINES: Param = Param::required(
    "values",
    Type::List,
    both(
        "明细字段,例如 <<details.qty>>,或按行计算的表达式。",
        "A field of the lines, such as <<details.qty>>, or an expression over them.",
    ),
);

/// `SUM(values)`.
pub const SUM: Builtin = Builtin {
    name: "SUM",
    aliases: &[],
    summary: both(
        "各行之和;没有值时为 NULL。",
        "The sum over the lines; NULL if there is no value.",
    ),
    params: &[LINES],
    returns: Type::Number,
    ty: Typing::Double,
    examples: &[
        Example::is("SUM(<<details.qty>>)", "6.50"),
        Example::is("SUM(<<details.qty>> * <<details.price>>)", "65.000"),
        Example::is("SUM(<<details.*.qty>>)", "6.50"),
        Example::null("SUM(NULL)"),
        Example::fails("SUM(10, 20, 30)", "E1302"),
    ],
    constant: true,
    call: Call::Aggregate(|values, _| sum(values)),
};

fn sum(values: &[Sql<'_>]) -> Result<Sql<'static>, CallError> {
    Ok(match total(values)? {
        None => Sql::Null,
        Some(Num::Int(int)) => Sql::Decimal(int.to_decimal()),
        Some(other) => other.into_sql(),
    })
}

/// Exact as long as every value is; a float shows as many digits as the longest value.
fn total(values: &[Sql<'_>]) -> Result<Option<Num>, CallError> {
    let mut total: Option<Num> = None;
    for value in values.iter().filter_map(Sql::to_num) {
        total = Some(match (total, value) {
            (None, value) => value,
            (Some(a @ (Num::Int(_) | Num::Exact(_))), b @ (Num::Int(_) | Num::Exact(_))) => {
                Num::Exact(a.to_decimal().add(&b.to_decimal())?)
            }
            (Some(a), b) => {
                let value = a.to_f64() + b.to_f64();
                if !value.is_finite() {
                    return Err(CallError::OutOfRange);
                }
                let decimals = a.decimals().zip(b.decimals()).map(|(a, b)| a.max(b));
                Num::Float(Double { value, decimals })
            }
        });
    }
    Ok(total)
}

/// `AVG(values)`.
pub const AVG: Builtin = Builtin {
    name: "AVG",
    aliases: &[],
    summary: both(
        "各行的平均值,比原值多四位小数;没有值时为 NULL。",
        "The mean over the lines, with four more digits; NULL if there is no value.",
    ),
    params: &[LINES],
    returns: Type::Number,
    ty: Typing::Double,
    examples: &[
        Example::is("AVG(<<details.qty>>)", "3.250000"),
        Example::is("AVG(3)", "3.0000"),
        Example::null("AVG(NULL)"),
    ],
    constant: true,
    call: Call::Aggregate(|values, _| avg(values)),
};

fn avg(values: &[Sql<'_>]) -> Result<Sql<'static>, CallError> {
    let count = i64::try_from(values.len()).unwrap_or(i64::MAX);
    Ok(match total(values)? {
        None => Sql::Null,
        Some(Num::Float(total)) => Sql::Double(Double {
            value: total.value / Num::Exact(Decimal::from(count)).to_f64(),
            decimals: total
                .decimals
                .map(|shown| shown.saturating_add(AVERAGE_ADDS))
                .filter(|shown| *shown < NOT_FIXED),
        }),
        Some(total) => {
            let mean = total.to_decimal().div(&Decimal::from(count))?;
            mean.map_or(Sql::Null, Sql::Decimal)
        }
    })
}

/// `MIN(values)`.
pub const MIN: Builtin = Builtin {
    name: "MIN",
    aliases: &[],
    summary: both("各行中最小的值。", "The least value of the lines."),
    params: &[LINES],
    returns: Type::Any,
    ty: Typing::Merge(0),
    examples: &[
        Example::is("MIN(<<details.qty>>)", "2"),
        Example::null("MIN(NULL)"),
    ],
    constant: true,
    call: Call::Aggregate(|values, _| extreme(values, Ordering::Less)),
};

/// `MAX(values)`.
pub const MAX: Builtin = Builtin {
    name: "MAX",
    aliases: &[],
    summary: both("各行中最大的值。", "The greatest value of the lines."),
    params: &[LINES],
    returns: Type::Any,
    ty: Typing::Merge(0),
    examples: &[
        Example::is("MAX(<<details.qty>>)", "4.50"),
        Example::is("MAX(3)", "3"),
    ],
    constant: true,
    call: Call::Aggregate(|values, _| extreme(values, Ordering::Greater)),
};

fn extreme(values: &[Sql<'_>], wanted: Ordering) -> Result<Sql<'static>, CallError> {
    let mut best: Option<&Sql<'_>> = None;
    for value in values {
        if best.is_none_or(|best| compare(value, best) == Some(wanted)) {
            best = Some(value);
        }
    }
    Ok(best.map_or(Sql::Null, |best| best.borrowed().into_owned()))
}

/// `COUNT(values)`.
pub const COUNT: Builtin = Builtin {
    name: "COUNT",
    aliases: &[],
    summary: both("有值的行数。", "How many lines have a value."),
    params: &[LINES],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("COUNT(<<details.qty>>)", "2"),
        Example::is("COUNT(2)", "1"),
        Example::is("COUNT(NULL)", "0"),
    ],
    constant: true,
    call: Call::Aggregate(|values, _| Ok(Sql::int(i64::try_from(values.len()).unwrap_or(i64::MAX)))),
};

/// `GROUP_CONCAT(values, separator)`.
pub const GROUP_CONCAT: Builtin = Builtin {
    name: "GROUP_CONCAT",
    aliases: &[],
    summary: both(
        "把各行的值用分隔符连成一段文本;没有值时为 NULL。",
        "Joins the values of the lines to one text; NULL if there is no value.",
    ),
    params: &[
        LINES,
        Param::optional(
            "separator",
            Type::Text,
            both(
                "写法是 `SEPARATOR ';'`;缺省是逗号。可以先写 DISTINCT 和 ORDER BY。",
                "Written `SEPARATOR ';'`; a comma if left out. DISTINCT and ORDER BY may be written too.",
            ),
        ),
    ],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[
        Example::is("GROUP_CONCAT(<<details.qty>>)", "2,4.50"),
        Example::is("GROUP_CONCAT('杭州')", "杭州"),
        Example::is("GROUP_CONCAT('')", ""),
        Example::null("GROUP_CONCAT(NULL)"),
    ],
    constant: true,
    call: Call::Aggregate(join),
};

fn join(values: &[Sql<'_>], args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    if values.is_empty() {
        return Ok(Sql::Null);
    }
    let separator = if args.is_empty() { ",".into() } else { args.text(0) };
    if values.iter().any(|value| matches!(value, Sql::Bytes(_))) {
        let mut bytes = Vec::new();
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                bytes.extend_from_slice(separator.as_bytes());
            }
            bytes.extend_from_slice(&value.to_bytes().unwrap_or_default());
            args.room_for(bytes.len())?;
        }
        return Ok(Sql::bytes(bytes));
    }
    let mut text = String::new();
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            text.push_str(&separator);
        }
        text.push_str(&value.to_text().unwrap_or_default());
        args.room_for(text.len())?;
    }
    Ok(Sql::text(text))
}
