//! `JSON_CONTAINS`: whether one JSON holds another.

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both};
use dsl::decimal::Decimal;
use dsl::expr::sql::Sql;

use super::path::{Path, found};
use super::read::{Item, Kind, unquoted};
use super::{JSON, read};

/// `JSON_CONTAINS(json, candidate, path)`.
pub const JSON_CONTAINS: Builtin = Builtin {
    name: "JSON_CONTAINS",
    aliases: &[],
    summary: both(
        "JSON 里是否含有 candidate:对象含有它的每个成员,列表含有它的每一项。",
        "Whether the JSON holds the candidate: a map each of its members, a list each of its items.",
    ),
    params: &[
        JSON,
        Param::required(
            "candidate",
            Type::Text,
            both(
                "要找的 JSON;文本要带双引号,例如 '\"a\"'。",
                "The JSON that is looked for; a text has its quotes, as '\"a\"'.",
            ),
        ),
        Param::optional(
            "path",
            Type::Text,
            both(
                "在哪个部分里找;省略则为全部。",
                "The path to the part that is looked into; all of it if left out.",
            ),
        ),
    ],
    returns: Type::Bool,
    ty: Typing::Int,
    examples: &[
        Example::is("JSON_CONTAINS('[1, [2, 3]]', '3')", "1"),
        Example::is("JSON_CONTAINS('{\"a\": 1, \"b\": 2}', '{\"b\": 2.0}')", "1"),
        Example::is("JSON_CONTAINS('[\"广\"]', '\"广\"')", "1"),
        Example::is(
            "JSON_CONTAINS('[2100000000000000001]', '2100000000000000002')",
            "0",
        ),
        Example::is("JSON_CONTAINS('{\"a\": [1]}', '2', '$.a')", "0"),
        Example::null("JSON_CONTAINS('[1', '1')"),
    ],
    constant: true,
    call: Call::Eager(json_contains),
};

fn json_contains(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let path = if args.len() > 2 { args.text(2) } else { "$".into() };
    let Some(path) = Path::read(&path).filter(|path| !path.is_wide()) else {
        return Ok(Sql::Null);
    };
    let (text, wanted) = (args.text(0), args.text(1));
    let (root, is_json) = read(&text, args)?;
    let (wanted, too) = read(&wanted, args)?;
    if !is_json || !too {
        return Ok(Sql::Null);
    }
    // Without a path it is the whole.
    Ok(Sql::bool(match found(&root, &[path], args)?.first() {
        Some(item) => holds(item, &wanted, args)?,
        None => false,
    }))
}

/// Whether `item` holds `wanted`. Depth is bounded by what is read, work by steps.
fn holds(item: &Item<'_>, wanted: &Item<'_>, args: &Args<'_>) -> Result<bool, CallError> {
    if item.items.is_empty() {
        // Whoever compares with many compares long texts as often.
        args.spend(2 + (item.text.len() + wanted.text.len()) / 64)?;
    }
    args.spend(1)?;
    Ok(match (item.kind, wanted.kind) {
        (Kind::Map, Kind::Map) => {
            for member in &wanted.items {
                args.spend(item.items.len() + item.text.len() / 64)?;
                let name = said(member.name.unwrap_or_default());
                // Of two with one name the first counts.
                let same = item
                    .items
                    .iter()
                    .find(|own| own.name.is_some_and(|own| said(own) == name));
                match same {
                    Some(own) if holds(own, member, args)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (Kind::List, Kind::List) => {
            for part in &wanted.items {
                if !any_holds(item, part, args)? {
                    return Ok(false);
                }
            }
            true
        }
        (Kind::List, _) => any_holds(item, wanted, args)?,
        (Kind::Text, Kind::Text) => unquoted(item.text) == unquoted(wanted.text),
        (Kind::Number, Kind::Number) => same_number(item.text, wanted.text),
        (Kind::Word, Kind::Word) => item.text == wanted.text,
        _ => false,
    })
}

/// Whether an element of the list holds it.
fn any_holds(list: &Item<'_>, wanted: &Item<'_>, args: &Args<'_>) -> Result<bool, CallError> {
    for item in &list.items {
        if holds(item, wanted, args)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a name says, as it is written between its quotes.
fn said(name: &str) -> std::borrow::Cow<'_, str> {
    match name.contains('\\') {
        true => unquoted(&format!("\"{name}\"")).into(),
        false => name.into(),
    }
}

/// Ids have more digits than a float can tell apart; only what is written with an exponent is compared as one.
fn same_number(one: &str, other: &str) -> bool {
    if let (Some(one), Some(other)) = (Decimal::parse(one), Decimal::parse(other)) {
        return one == other;
    }
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}
