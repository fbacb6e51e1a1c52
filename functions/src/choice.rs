//! Choosing between values. Only the value that is chosen is computed.

use dsl::builtin::{Builtin, Call, CallError, Example, Lazy, Param, Type, Typing, both};
use dsl::expr::sql::{Sql, Text};

/// `IF(condition, then, otherwise)`.
pub const IF: Builtin = Builtin {
    name: "IF",
    aliases: &[],
    summary: both(
        "条件成立取 then,否则取 otherwise。",
        "`then` where the condition holds, else `otherwise`.",
    ),
    params: &[
        Param::required(
            "condition",
            Type::Bool,
            both(
                "非零的数成立;NULL 和 0 不成立。",
                "Holds when it is not zero; NULL and 0 do not.",
            ),
        ),
        Param::required(
            "then",
            Type::Any,
            both("条件成立时的值。", "The value where it holds."),
        ),
        Param::required(
            "otherwise",
            Type::Any,
            both("条件不成立时的值。", "The value where it does not."),
        ),
    ],
    returns: Type::Any,
    ty: Typing::Merge(1),
    examples: &[
        Example::is("IF(1 > 0, '是', '否')", "是"),
        Example::is("IF('abc', 't', 'f')", "f"),
        Example::is("IF('1', 't', 'f')", "t"),
        Example::is("IF(NULL, 1, 2)", "2"),
        Example::is("IF(0 = 0, 1.50, 2)", "1.50"),
    ],
    constant: true,
    call: Call::Lazy(choose),
};

fn choose<'a>(args: &Lazy<'_, 'a>) -> Result<Sql<'a>, CallError> {
    if args.get(0)?.truth() == Some(true) {
        args.get(1)
    } else {
        args.get(2)
    }
}

/// `IFNULL(value, otherwise)`.
pub const IFNULL: Builtin = Builtin {
    name: "IFNULL",
    aliases: &["NVL"],
    summary: both(
        "value 是 NULL 或字段缺失时取 otherwise。",
        "`otherwise` where `value` is NULL or its field is missing.",
    ),
    params: &[
        Param::required("value", Type::Any, both("优先使用的值。", "The value to prefer.")),
        Param::required(
            "otherwise",
            Type::Any,
            both("替代的值。", "What to take instead."),
        ),
    ],
    returns: Type::Any,
    ty: Typing::Merge(0),
    examples: &[
        Example::is("IFNULL(NULL, 0)", "0"),
        Example::is("IFNULL('', 0)", ""),
        Example::is("IFNULL(1/0, '无')", "无"),
        Example::is("IFNULL(<<not_there>>, 0) * 3", "0"),
        Example::fails("IFNULL(1)", "E1302"),
    ],
    constant: true,
    call: Call::Lazy(if_null),
};

fn if_null<'a>(args: &Lazy<'_, 'a>) -> Result<Sql<'a>, CallError> {
    let value = args.get_or_null(0)?;
    if value.is_null() { args.get(1) } else { Ok(value) }
}

/// `COALESCE(value, …)`.
pub const COALESCE: Builtin = Builtin {
    name: "COALESCE",
    aliases: &[],
    summary: both(
        "第一个不是 NULL 的值;缺失的字段算 NULL。",
        "The first value that is not NULL; a missing field is NULL.",
    ),
    params: &[
        Param::required("value", Type::Any, both("优先使用的值。", "The value to prefer.")),
        Param::rest(
            "others",
            Type::Any,
            both("依次替代的值。", "What to take instead, in order."),
        ),
    ],
    returns: Type::Any,
    ty: Typing::Merge(0),
    examples: &[
        Example::is("COALESCE(NULL, '', 'z')", ""),
        Example::is("COALESCE(<<not_there>>, '默认')", "默认"),
        Example::null("COALESCE(NULL, NULL)"),
    ],
    constant: true,
    call: Call::Lazy(coalesce),
};

fn coalesce<'a>(args: &Lazy<'_, 'a>) -> Result<Sql<'a>, CallError> {
    for index in 0..args.len() {
        let value = args.get_or_null(index)?;
        if !value.is_null() {
            return Ok(value);
        }
    }
    Ok(Sql::Null)
}

/// `NULLIF(value, unwanted)`.
pub const NULLIF: Builtin = Builtin {
    name: "NULLIF",
    aliases: &[],
    summary: both(
        "value 等于 unwanted 时为 NULL,否则为 value。",
        "NULL where `value` equals `unwanted`, else `value`.",
    ),
    params: &[
        Param::required("value", Type::Any, both("要取的值。", "The value.")),
        Param::required(
            "unwanted",
            Type::Any,
            both("视为没有的值。", "What counts as absent."),
        ),
    ],
    returns: Type::Any,
    ty: Typing::Like(0),
    examples: &[
        Example::null("NULLIF('', '')"),
        Example::null("NULLIF(0.00, 0)"),
        Example::is("NULLIF('杭州', '')", "杭州"),
        Example::null("NULLIF(SEC_TO_TIME(0), CURDATE())"),
    ],
    constant: true,
    call: Call::Lazy(null_if),
};

fn null_if<'a>(args: &Lazy<'_, 'a>) -> Result<Sql<'a>, CallError> {
    let value = args.get(0)?;
    let equal = args
        .compare(&value, &args.get(1)?)
        .is_some_and(std::cmp::Ordering::is_eq);
    Ok(match value {
        _ if equal => Sql::Null,
        // What showed a time is mere text from here on.
        Sql::Text(text) => Sql::Text(Text {
            moment: false,
            ..text
        }),
        value => value,
    })
}

/// `ISNULL(value)`.
pub const ISNULL: Builtin = Builtin {
    name: "ISNULL",
    aliases: &[],
    summary: both(
        "value 是 NULL 或字段缺失时为 1,否则为 0。",
        "1 where `value` is NULL or its field is missing, else 0.",
    ),
    params: &[Param::required(
        "value",
        Type::Any,
        both("要检查的值。", "The value."),
    )],
    returns: Type::Bool,
    ty: Typing::Int,
    examples: &[
        Example::is("ISNULL(NULL)", "1"),
        Example::is("ISNULL(1/0)", "1"),
        Example::is("ISNULL('')", "0"),
        Example::is("ISNULL(<<not_there>>)", "1"),
        Example::fails("ISNULL('', 0)", "E1338"),
    ],
    constant: true,
    call: Call::Lazy(|args| Ok(Sql::bool(args.get_or_null(0)?.is_null()))),
};

/// `NVL2(value, then, otherwise)`.
pub const NVL2: Builtin = Builtin {
    name: "NVL2",
    aliases: &[],
    summary: both(
        "value 有值时取 then;是 NULL 或字段缺失时取 otherwise。",
        "`then` where `value` is there, `otherwise` where it is NULL or its field is missing.",
    ),
    params: &[
        Param::required("value", Type::Any, both("要检查的值。", "The value to look at.")),
        Param::required(
            "then",
            Type::Any,
            both("有值时取它。", "The value where it is there."),
        ),
        Param::required(
            "otherwise",
            Type::Any,
            both("没有值时取它。", "The value where it is not."),
        ),
    ],
    returns: Type::Any,
    ty: Typing::Merge(1),
    examples: &[
        Example::is("NVL2(NULL, 1, 2)", "2"),
        Example::is("NVL2('', 1, 2.50)", "1.00"),
        Example::is("NVL2(<<not_there>>, '有', '无')", "无"),
    ],
    constant: true,
    call: Call::Lazy(|args| {
        if args.get_or_null(0)?.is_null() {
            args.get(2)
        } else {
            args.get(1)
        }
    }),
};
