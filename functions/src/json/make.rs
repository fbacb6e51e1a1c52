//! JSON that is made: `JSON_ARRAY`, `JSON_OBJECT`.

use std::borrow::Cow;

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both};
use dsl::catalogue::evaluation::BYTES_ARE_NO_TEXT;
use dsl::diagnostic::Failure;
use dsl::expr::sql::Sql;

use super::quote;

/// `JSON_ARRAY(value, …)`.
pub const JSON_ARRAY: Builtin = Builtin {
    name: "JSON_ARRAY",
    aliases: &[],
    summary: both("由这些值组成的 JSON 列表。", "A JSON list of these values."),
    params: &[Param::rest("value", Type::Json, VALUE)],
    returns: Type::Json,
    ty: Typing::Text,
    examples: &[
        Example::is("JSON_ARRAY(1.50, '广\"', NULL)", "[1.50, \"广\\\"\", null]"),
        Example::is("JSON_ARRAY(TRUE, 1 = 2, 1)", "[true, false, 1]"),
        Example::is("JSON_ARRAY('[1]', JSON_ARRAY(1))", "[\"[1]\", [1]]"),
        Example::is("JSON_ARRAY()", "[]"),
    ],
    // Inside of another one it is more than its text, so it stays a call.
    constant: false,
    call: Call::Nullable(json_array),
};

/// `JSON_OBJECT(key, value, …)`.
pub const JSON_OBJECT: Builtin = Builtin {
    name: "JSON_OBJECT",
    aliases: &[],
    summary: both(
        "由这些名称和值组成的 JSON 对象,按写的次序。",
        "A JSON map of these names and values, in the order written.",
    ),
    params: &[
        Param::paired(
            "key",
            Type::Text,
            both(
                "成员的名称;NULL 为空名称。",
                "The name of a member; NULL is an empty name.",
            ),
        ),
        Param::paired("value", Type::Json, VALUE),
    ],
    returns: Type::Json,
    ty: Typing::Text,
    examples: &[
        Example::is(
            "JSON_OBJECT('code', '00123', 'qty', 1.50)",
            "{\"code\": \"00123\", \"qty\": 1.50}",
        ),
        Example::is(
            "JSON_OBJECT('ok', 1 = 1, 'rows', JSON_ARRAY(1, 2))",
            "{\"ok\": true, \"rows\": [1, 2]}",
        ),
        Example::is("JSON_OBJECT()", "{}"),
        Example::fails("JSON_OBJECT('code')", "E1302"),
    ],
    constant: false,
    call: Call::Nullable(json_object),
};

const VALUE: dsl::builtin::Words = both(
    "数字和真假值(包括数据里的)照原样,JSON 函数的结果仍是 JSON,NULL 为 null,其他是文本。",
    "Numbers and truth values, also of a record, stay what they are, the result of a JSON function stays JSON, NULL is null, anything else is a text.",
);

fn json_array(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let mut out = String::from("[");
    for index in 0..args.len() {
        out.push_str(if index > 0 { ", " } else { "" });
        value(args, index, &mut out)?;
    }
    out.push(']');
    args.room_for(out.len())?;
    Ok(Sql::text(out))
}

fn json_object(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let mut out = String::from("{");
    for index in (0..args.len()).step_by(2) {
        out.push_str(if index > 0 { ", " } else { "" });
        quote(&text(args, index)?, &mut out);
        out.push_str(": ");
        value(args, index + 1, &mut out)?;
    }
    out.push('}');
    args.room_for(out.len())?;
    Ok(Sql::text(out))
}

fn value(args: &Args<'_>, index: usize, out: &mut String) -> Result<(), CallError> {
    let value = args.get(index);
    match value {
        Sql::Null => out.push_str("null"),
        Sql::Int(int) if args.types().is_truth(index) => {
            out.push_str(if int.wide() == 0 { "false" } else { "true" });
        }
        Sql::Int(_) | Sql::Decimal(_) | Sql::Double(_) => out.push_str(&text(args, index)?),
        _ if args.types().is_json(index) => out.push_str(&text(args, index)?),
        _ => quote(&text(args, index)?, out),
    }
    args.room_for(out.len())
}

/// The characters of an argument; JSON has no room for bytes that are none.
fn text<'a>(args: &'a Args<'_>, index: usize) -> Result<Cow<'a, str>, CallError> {
    match args.get(index) {
        Sql::Bytes(bytes) => std::str::from_utf8(bytes)
            .map(Cow::Borrowed)
            .map_err(|_| Failure::new(&BYTES_ARE_NO_TEXT).into()),
        _ => Ok(args.text(index)),
    }
}
