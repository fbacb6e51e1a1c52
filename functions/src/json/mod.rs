//! JSON in texts, as the server takes it apart. What is cut out keeps the digits it was written with; only the
//! blanks around it become the server's.

mod contains;
mod make;
mod path;
mod read;

use std::borrow::Cow;
use std::collections::HashSet;

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both};
use dsl::expr::sql::Sql;

use crate::units::size;
use path::{Path, found};
use read::{Item, Kind, begins_with_scalar, first_string, spaced, unquoted};

pub use contains::JSON_CONTAINS;
pub use make::{JSON_ARRAY, JSON_OBJECT};

const JSON: Param = Param::required(
    "json",
    Type::Text,
    both("JSON 文本;不是 JSON 则得 NULL。", "The JSON; NULL if it is none."),
);
const PATH: Param = Param::required(
    "path",
    Type::Text,
    both(
        "路径,例如 '$.items[0].name';写错则得 NULL。",
        "A path, as '$.items[0].name'; NULL if it is none.",
    ),
);

/// `JSON_EXTRACT(json, path, …)`; also `json->path`.
pub const JSON_EXTRACT: Builtin = Builtin {
    name: "JSON_EXTRACT",
    aliases: &[],
    summary: both(
        "路径所指的部分,仍是 JSON;几处则组成列表,没有则为 NULL。",
        "The part that the path leads to, still JSON; several become a list, none is NULL.",
    ),
    params: &[
        JSON,
        PATH,
        Param::rest("more", Type::Text, both("更多的路径。", "More paths.")),
    ],
    returns: Type::Json,
    ty: Typing::Text,
    examples: &[
        Example::is("JSON_EXTRACT('{\"a\": 1.50}', '$.a')", "1.50"),
        Example::is("JSON_EXTRACT('{\"a\": \"x\"}', '$.a')", "\"x\""),
        Example::is("JSON_EXTRACT('[1,{\"b\":[2,3]}]', '$[1].b')", "[2, 3]"),
        Example::is("JSON_EXTRACT('[{\"q\":1},{\"q\":2}]', '$[*].q')", "[1, 2]"),
        Example::null("JSON_EXTRACT('{\"a\": 1}', '$.b')"),
        Example::null("JSON_EXTRACT('{\"a\": 1', '$.a')"),
    ],
    // As an operand it is more than its text, so it stays a call.
    constant: false,
    call: Call::Eager(json_extract),
};

/// Reads a text, and has it paid for before.
fn read<'t>(text: &'t str, args: &Args<'_>) -> Result<(Item<'t>, bool), CallError> {
    let values = text.bytes().filter(|byte| matches!(byte, b',' | b'[' | b'{'));
    args.spend(values.count())?;
    Ok(read::read(text))
}

fn json_extract(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let paths: Option<Vec<Path>> = (1..args.len())
        .map(|index| Path::read(&args.text(index)))
        .collect();
    let text = args.text(0);
    let (Some(paths), (root, true)) = (paths, read(&text, args)?) else {
        return Ok(Sql::Null);
    };
    let hits = found(&root, &paths, args)?;
    let many = paths.len() > 1 || paths.iter().any(Path::is_wide);
    let Some(first) = hits.first() else {
        return Ok(Sql::Null);
    };
    let mut out = String::new();
    if many {
        out.push('[');
        for (index, item) in hits.iter().enumerate() {
            out.push_str(if index > 0 { ", " } else { "" });
            // `**` may find a part of a part of what it has found already.
            args.room_for(out.len() + item.text.len())?;
            spaced(item.text, &mut out);
        }
        out.push(']');
    } else {
        spaced(first.text, &mut out);
    }
    args.room_for(out.len())?;
    Ok(Sql::text(out))
}

/// `JSON_UNQUOTE(json)`.
pub const JSON_UNQUOTE: Builtin = Builtin {
    name: "JSON_UNQUOTE",
    aliases: &[],
    summary: both(
        "去掉 JSON 文本的引号和转义;其他文本原样返回。`json->>path` 是它与 JSON_EXTRACT 的合写。",
        "What a JSON string says, without quotes and escapes; other text as it is. `json->>path` is this of JSON_EXTRACT.",
    ),
    params: &[Param::required(
        "json",
        Type::Text,
        both("JSON 文本。", "The JSON."),
    )],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[
        Example::is("JSON_UNQUOTE('\"\\\\u5e7f\\\\\"\"')", "广\""),
        Example::is("JSON_UNQUOTE('abc')", "abc"),
        Example::is("JSON_UNQUOTE(JSON_EXTRACT('{\"a\": null}', '$.a'))", "null"),
    ],
    constant: true,
    call: Call::Eager(|args| {
        let text = args.text(0);
        Ok(match (first_string(&text), args.get(0)) {
            (Some(string), _) => Sql::text(unquoted(string)),
            (None, Sql::Bytes(bytes)) => Sql::bytes(bytes.to_vec()),
            (None, _) => Sql::text(text.into_owned()),
        })
    }),
};

/// `JSON_VALUE(json, path)`.
pub const JSON_VALUE: Builtin = Builtin {
    name: "JSON_VALUE",
    aliases: &[],
    summary: both(
        "路径所指的单个值,不带引号;列表、对象和 null 得 NULL,true 得 1。",
        "The single value that the path leads to, without quotes; a list, a map and null give NULL, true gives 1.",
    ),
    params: &[JSON, PATH],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[
        Example::is("JSON_VALUE('{\"a\": \"x\"}', '$.a')", "x"),
        Example::is("JSON_VALUE('{\"a\": 1.50}', '$.a')", "1.50"),
        Example::is("JSON_VALUE('{\"a\": true}', '$.a')", "1"),
        Example::null("JSON_VALUE('{\"a\": [1]}', '$.a')"),
        Example::null("JSON_VALUE('{\"a\": null}', '$.a')"),
    ],
    constant: true,
    call: Call::Eager(json_value),
};

fn json_value(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let Some(path) = Path::read(&args.text(1)).filter(|path| !path.is_wide()) else {
        return Ok(Sql::Null);
    };
    let text = args.text(0);
    // What stands behind the value may be anything.
    let (root, _) = read(&text, args)?;
    let hits = found(&root, &[path], args)?;
    Ok(match hits.first().map(|item| (item.kind, item.text)) {
        Some((Kind::Text, string)) => Sql::text(unquoted(string)),
        Some((Kind::Number, number)) => Sql::text(number.to_owned()),
        Some((Kind::Word, "true")) => Sql::text("1"),
        Some((Kind::Word, "false")) => Sql::text("0"),
        _ => Sql::Null,
    })
}

/// `JSON_LENGTH(json, path)`.
pub const JSON_LENGTH: Builtin = Builtin {
    name: "JSON_LENGTH",
    aliases: &[],
    summary: both(
        "列表或对象有多少个成员;单个值得 1。",
        "How many members a list or a map has; a single value has 1.",
    ),
    params: &[
        JSON,
        Param::optional(
            "path",
            Type::Text,
            both(
                "到哪个部分的路径;省略则为全部。",
                "The path to the part in question; all of it if left out.",
            ),
        ),
    ],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("JSON_LENGTH('[1, [2, 3]]')", "2"),
        Example::is("JSON_LENGTH('{\"a\": [1, 2, 3]}', '$.a')", "3"),
        Example::is("JSON_LENGTH('\"abc\"')", "1"),
        Example::null("JSON_LENGTH('[1')"),
    ],
    constant: true,
    call: Call::Eager(json_length),
};

fn json_length(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let path = if args.len() > 1 { args.text(1) } else { "$".into() };
    let Some(path) = Path::read(&path).filter(|path| !path.is_wide()) else {
        return Ok(Sql::Null);
    };
    let text = args.text(0);
    let (root, valid) = read(&text, args)?;
    // The server does not look behind a single value.
    if !valid && !begins_with_scalar(&text) {
        return Ok(Sql::Null);
    }
    Ok(match found(&root, &[path], args)?.first() {
        Some(item) if matches!(item.kind, Kind::Map | Kind::List) => size(item.items.len()),
        Some(_) => Sql::int(1),
        None => Sql::Null,
    })
}

/// `JSON_KEYS(json, path)`.
pub const JSON_KEYS: Builtin = Builtin {
    name: "JSON_KEYS",
    aliases: &[],
    summary: both(
        "对象的成员名,组成 JSON 列表;不是对象则得 NULL。",
        "The names of a map's members, as a JSON list; NULL of what is no map.",
    ),
    params: &[
        JSON,
        Param::optional(
            "path",
            Type::Text,
            both(
                "到哪个部分的路径;省略则为全部。",
                "The path to the part in question; all of it if left out.",
            ),
        ),
    ],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[
        Example::is("JSON_KEYS('{\"a\": 1, \"广\": {\"c\": 2}}')", "[\"a\", \"广\"]"),
        Example::is("JSON_KEYS('{\"a\": {\"b\": 1}}', '$.a')", "[\"b\"]"),
        Example::is("JSON_KEYS('{}')", "[]"),
        Example::null("JSON_KEYS('[1, 2]')"),
    ],
    constant: true,
    call: Call::Eager(json_keys),
};

fn json_keys(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let path = if args.len() > 1 { args.text(1) } else { "$".into() };
    let Some(path) = Path::read(&path).filter(|path| !path.is_wide()) else {
        return Ok(Sql::Null);
    };
    let text = args.text(0);
    // What stands behind the map may be anything.
    let (root, _) = read(&text, args)?;
    let hits = found(&root, &[path], args)?;
    let Some(map) = hits
        .first()
        .filter(|item| item.kind == Kind::Map && !item.is_broken())
    else {
        return Ok(Sql::Null);
    };
    let mut out = String::from("[");
    let mut seen = HashSet::new();
    let names = map.items.iter().filter_map(|item| item.name);
    for name in names.filter(|name| seen.insert(*name)) {
        out.push_str(if out.len() > 1 { ", " } else { "" });
        // As it is written, with its escapes.
        out.extend(["\"", name, "\""]);
    }
    out.push(']');
    args.room_for(out.len())?;
    Ok(Sql::text(out))
}

/// `JSON_VALID(text)`.
pub const JSON_VALID: Builtin = Builtin {
    name: "JSON_VALID",
    aliases: &[],
    summary: both("文本是不是 JSON。", "Whether a text is JSON."),
    params: &[Param::required("text", Type::Text, both("文本。", "The text."))],
    returns: Type::Bool,
    ty: Typing::Int,
    examples: &[
        Example::is("JSON_VALID('{\"a\": 1}')", "1"),
        Example::is("JSON_VALID('{a: 1}')", "0"),
        Example::is("JSON_VALID('')", "0"),
        Example::null("JSON_VALID(NULL)"),
    ],
    constant: true,
    call: Call::Eager(|args| Ok(Sql::bool(read(&args.text(0), args)?.1))),
};

/// `JSON_QUOTE(text)`.
pub const JSON_QUOTE: Builtin = Builtin {
    name: "JSON_QUOTE",
    aliases: &[],
    summary: both(
        "文本写成 JSON 文本,带引号和转义;数字得 NULL。",
        "The text as a JSON string, with quotes and escapes; a number gives NULL.",
    ),
    params: &[Param::required("text", Type::Text, both("文本。", "The text."))],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[
        Example::is("JSON_QUOTE('a\"b')", "\"a\\\"b\""),
        Example::is("JSON_QUOTE('广')", "\"广\""),
        Example::null("JSON_QUOTE(5)"),
    ],
    constant: true,
    call: Call::Eager(json_quote),
};

fn json_quote(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    if matches!(args.get(0), Sql::Int(_) | Sql::Decimal(_) | Sql::Double(_)) {
        return Ok(Sql::Null);
    }
    // Bytes are Latin letters here.
    let text: Cow<'_, str> = match args.get(0) {
        Sql::Bytes(bytes) => bytes.iter().copied().map(char::from).collect::<String>().into(),
        _ => args.text(0),
    };
    let mut out = String::with_capacity(text.len() + 2);
    quote(&text, &mut out);
    args.room_for(out.len())?;
    Ok(Sql::text(out))
}

/// Writes a text as a JSON text.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if u32::from(control) < 0x20 => out.push_str(&format!("\\u{:04X}", u32::from(control))),
            _ => out.push(char),
        }
    }
    out.push('"');
}
