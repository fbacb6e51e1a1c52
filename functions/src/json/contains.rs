//! `JSON_CONTAINS`: whether one JSON holds another.

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both};
use dsl::decimal::Decimal;
use dsl::expr::sql::Sql;

use super::path::{Path, found};
use super::read::{Item, Kind, first_number, unquoted};
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
    // What stands behind a value may be anything.
    let (root, valid) = read(&text, args)?;
    let root = first_number(&text).filter(|_| root.is_broken()).unwrap_or(root);
    let (candidate, _) = read(&wanted, args)?;
    let wanted = first_number(&wanted)
        .filter(|_| candidate.is_broken())
        .unwrap_or(candidate);
    if args.len() > 2 {
        return Ok(match found(&root, &[path], args)?.first() {
            Some(item) => shown(holds(item, &wanted, args)?),
            None if valid => Sql::bool(false),
            None => Sql::Null,
        });
    }
    Ok(shown(holds(&root, &wanted, args)?))
}

fn shown(held: Option<bool>) -> Sql<'static> {
    held.map_or(Sql::Null, Sql::bool)
}

/// Whether `item` holds `wanted`; `None` when one of them ends or is wrong before that is known. Depth is bounded by
/// what is read, work by steps.
fn holds(item: &Item<'_>, wanted: &Item<'_>, args: &Args<'_>) -> Result<Option<bool>, CallError> {
    if item.items.is_empty() {
        // Whoever compares with many compares long texts as often.
        args.spend(2 + (item.text.len() + wanted.text.len()) / 64)?;
    }
    args.spend(1)?;
    if item.is_broken() || wanted.kind == Kind::Broken {
        return Ok(None);
    }
    match (item.kind, wanted.kind) {
        (Kind::Map, Kind::Map) => {
            for member in &wanted.items {
                args.spend(item.items.len() + item.text.len() / 64)?;
                let name = said(member.name.unwrap_or_default());
                // Of two with one name the first counts.
                let same = item
                    .items
                    .iter()
                    .find(|own| own.name.is_some_and(|own| said(own) == name));
                match same.map(|own| holds(own, member, args)).transpose()?.flatten() {
                    Some(true) => {}
                    None if same.is_some() => return Ok(None),
                    _ => return Ok(Some(false)),
                }
            }
            Ok((!wanted.is_broken()).then_some(true))
        }
        (Kind::List, Kind::List) => {
            for part in &wanted.items {
                match any_holds(item, part, args)? {
                    Some(true) => {}
                    other => return Ok(other),
                }
            }
            Ok((!wanted.is_broken()).then_some(true))
        }
        (Kind::List, _) => any_holds(item, wanted, args),
        // Whatever follows: no single value holds a map or a list, and no map a list.
        (_, Kind::Map | Kind::List) => Ok(Some(false)),
        _ if wanted.is_broken() => Ok(None),
        (Kind::Text, Kind::Text) => Ok(Some(unquoted(item.text) == unquoted(wanted.text))),
        (Kind::Number, Kind::Number) => Ok(Some(same_number(item.text, wanted.text))),
        (Kind::Word, Kind::Word) => Ok(Some(item.text == wanted.text)),
        _ => Ok(Some(false)),
    }
}

/// Whether an element of the list holds it.
fn any_holds(list: &Item<'_>, wanted: &Item<'_>, args: &Args<'_>) -> Result<Option<bool>, CallError> {
    let mut unknown = wanted.is_broken();
    for item in &list.items {
        match holds(item, wanted, args)? {
            Some(true) => return Ok(Some(true)),
            Some(false) => {}
            None => unknown = true,
        }
    }
    Ok((!unknown).then_some(false))
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
