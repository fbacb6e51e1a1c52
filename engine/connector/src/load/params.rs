//! `params`: what a connection gives.

use dsl::Value;
use dsl::facts::Text2;
use dsl::yaml::{Node, Pair};

use super::reader::Reader;
use crate::keys::Place;
use crate::model::{Param, ParamType};
use crate::recipe::Missing;

const TYPES: &[(&str, ParamType)] = &[
    ("text", ParamType::Text),
    ("int", ParamType::Int),
    ("bool", ParamType::Bool),
    ("url", ParamType::Url),
    ("path", ParamType::Path),
    ("choice", ParamType::Choice),
    ("list", ParamType::List),
    ("map", ParamType::Map),
];

pub(super) fn params(pair: Option<&Pair>, reader: &mut Reader<'_>) -> Vec<Param> {
    let Some(pair) = pair else { return Vec::new() };
    let pairs = reader.pairs(&pair.value, "params");
    let names: Vec<String> = pairs.iter().map(|pair| pair.key.clone()).collect();
    pairs.iter().map(|pair| param(pair, &names, reader)).collect()
}

fn param(pair: &Pair, names: &[String], reader: &mut Reader<'_>) -> Param {
    let members = reader.members(&pair.value, &pair.key, Place::Param);
    reader.need(members, "type", &pair.key);
    let ty = reader.word(members.get("type"), TYPES).unwrap_or(ParamType::Text);
    let of = reader.texts(members.get("of"));
    if ty == ParamType::Choice {
        reader.need(members, "of", &pair.key);
    }
    let text = |key: &str, reader: &mut Reader<'_>| {
        members
            .get(key)
            .and_then(|pair| reader.text(&pair.value, key))
            .map(str::to_owned)
    };
    let default = members.get("default").and_then(|default| {
        let value = param_value(&default.value, ty, &of);
        if value.is_none() {
            let (zh, en) = type_words(ty, &of);
            reader.bad_value(&default.value, "default", (&zh, &en));
        }
        value
    });
    let when = members
        .get("when")
        .and_then(|when| reader.recipe(&when.value, "when", Missing::IsUndefined, names));
    Param {
        name: pair.key.clone(),
        ty,
        label: reader
            .text2(members.get("label"))
            .unwrap_or_else(|| Text2::same(&pair.key)),
        default,
        secret: reader.bool(members.get("secret")).unwrap_or(false),
        of,
        note: text("note", reader),
        example: text("example", reader),
        when,
    }
}

/// A value of a parameter, by the type of the place and not by how it was written. `None` when it does not fit.
pub(crate) fn param_value(node: &Node, ty: ParamType, of: &[String]) -> Option<Value> {
    match (ty, node.scalar()) {
        (ParamType::List, None) => node.list().map(|_| node.plain_value()),
        (ParamType::Map, None) => node.map().map(|_| node.plain_value()),
        (ParamType::List | ParamType::Map, Some(_)) | (_, None) => None,
        (_, Some(scalar)) => text_value(&scalar.text, ty, of),
    }
}

/// The same for a text from elsewhere.
pub(crate) fn text_value(text: &str, ty: ParamType, of: &[String]) -> Option<Value> {
    match ty {
        ParamType::Text | ParamType::Url => Some(Value::from(text)),
        ParamType::Int => text.parse::<i64>().ok().map(Value::from),
        ParamType::Bool => text.parse::<bool>().ok().map(Value::from),
        ParamType::Path => (text.is_empty() || dsl::Path::parse(text).is_ok()).then(|| Value::from(text)),
        ParamType::Choice => of.iter().any(|word| word == text).then(|| Value::from(text)),
        ParamType::List | ParamType::Map => None,
    }
}

/// What a type is called in messages, in Chinese and English.
pub(crate) fn type_words(ty: ParamType, of: &[String]) -> (String, String) {
    let (zh, en) = match ty {
        ParamType::Text => ("文本", "a text"),
        ParamType::Int => ("整数", "a whole number"),
        ParamType::Bool => ("true 或 false", "true or false"),
        ParamType::Url => ("地址", "an address"),
        ParamType::Path => ("路径", "a path"),
        ParamType::Choice => {
            let words = of.join(" ");
            return (format!("以下之一:{words}"), format!("one of {words}"));
        }
        ParamType::List => ("列表", "a list"),
        ParamType::Map => ("映射", "a map"),
    };
    (zh.to_owned(), en.to_owned())
}
