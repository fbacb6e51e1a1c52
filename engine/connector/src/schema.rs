//! JSON Schema of connector files and of connections files, written from the table of keys, for editors.
//!
//! The schema refuses the keys and words that the loader refuses; what needs the rest of the file (names that are
//! declared, recipes that compile) is left to `check`. Keys that this version does not carry out are not in it.

use std::sync::Arc;

use dsl::Lang;
use serde_json::{Map, Value, json};

use crate::holds::{Holds, holds, required};
use crate::keys::{self, KEYS, KeyRow, Place, State};
use crate::model::{Connector, Param, ParamType};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of a connector file, with descriptions in one language.
pub fn connector_schema(lang: Lang) -> Value {
    let mut defs = dsl::schema::value_defs(lang);
    add_places(&mut defs, lang, |place| !is_of_connections(place));
    json!({
        "$schema": DIALECT,
        "title": lang.pick("连接器", "connector"),
        "$ref": reference(Place::Connector),
        "$defs": defs,
    })
}

/// The schema of a connections file for those who have these connectors: their parameters are known by name.
pub fn connections_schema(lang: Lang, connectors: &[Arc<Connector>]) -> Value {
    let mut defs = Map::new();
    add_places(&mut defs, lang, is_of_connections);
    let ids: Vec<&str> = connectors.iter().map(|connector| connector.id()).collect();
    let connection = &mut defs[&name(Place::Connection)];
    connection["properties"]["connector"]["enum"] = json!(ids);
    connection["allOf"] = connectors.iter().map(|one| with_params(one, lang)).collect();
    json!({
        "$schema": DIALECT,
        "title": lang.pick("连接", "connections"),
        "$ref": reference(Place::Connections),
        "$defs": defs,
    })
}

fn is_of_connections(place: Place) -> bool {
    matches!(
        place,
        Place::Connections
            | Place::Connection
            | Place::ConnectionEnv
            | Place::ConnectionLimits
            | Place::Timeouts
            | Place::Proxy
            | Place::Tls
    )
}

fn add_places(defs: &mut Map<String, Value>, lang: Lang, wanted: impl Fn(Place) -> bool) {
    for row in KEYS.iter().filter(|row| wanted(row.place)) {
        defs.entry(name(row.place))
            .or_insert_with(|| block(row.place, lang));
    }
}

/// The name of a place's definition.
fn name(place: Place) -> String {
    format!("{place:?}")
}

fn reference(place: Place) -> String {
    format!("#/$defs/{place:?}")
}

fn block(place: Place, lang: Lang) -> Value {
    let properties: Map<String, Value> = keys::at(place)
        .filter(|row| row.state == State::Now)
        .map(|row| (row.name.to_owned(), property(row, lang)))
        .collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "required": required(place),
        "additionalProperties": false,
    });
    if place == Place::Login {
        schema["oneOf"] = json!([{"required": ["path", "ok"]}, {"required": ["steps"]}]);
    }
    if place == Place::Outcome {
        schema["oneOf"] = json!([{"required": ["when"]}, {"required": ["code"]}]);
    }
    schema
}

/// Maps that may be laid over others, by `extends` or as an environment: `$drop` takes a key away there.
fn lays_over(place: Place) -> bool {
    matches!(
        place,
        Place::Operation
            | Place::Option
            | Place::Part
            | Place::Fields
            | Place::Filter
            | Place::FilterNames
            | Place::Window
            | Place::Page
            | Place::Rows
            | Place::Batch
            | Place::Items
            | Place::ItemIndex
            | Place::Item
            | Place::Unknown
            | Place::ConnectionEnv
            | Place::ConnectionLimits
            | Place::Timeouts
            | Place::Proxy
            | Place::Tls
    )
}

fn property(row: &KeyRow, lang: Lang) -> Value {
    let dropped = || json!({"const": "$drop"});
    let mut schema = match (lays_over(row.place), holds(row)) {
        (true, Holds::Blocks(place)) => {
            let inner = json!({"anyOf": [{"$ref": reference(place)}, dropped()]});
            json!({"anyOf": [{"type": "object", "additionalProperties": inner}, dropped()]})
        }
        (true, other) => json!({"anyOf": [held(&other), dropped()]}),
        (false, other) => held(&other),
    };
    schema["title"] = row.name.into();
    schema["description"] = lang.pick(row.zh, row.en).into();
    schema
}

fn held(holds: &Holds) -> Value {
    let text = || json!({"type": ["string", "number", "boolean"]});
    let int = || json!({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^-?[0-9]{1,18}$"}]});
    let list = |items: Value| json!({"type": "array", "items": items});
    let map = |inner: Value| json!({"type": "object", "additionalProperties": inner});
    let value = || json!({"$ref": "#/$defs/value"});
    let at = |place: Place| json!({"$ref": reference(place)});
    match holds {
        Holds::Text => text(),
        Holds::Words2 => json!({"anyOf": [text(), {
            "type": "object",
            "properties": {"zh": text(), "en": text()},
            "additionalProperties": false,
        }]}),
        Holds::Int => int(),
        Holds::Bool => truth(),
        Holds::Word(words) => words_of(words),
        Holds::WordOrValue(words) => {
            json!({"anyOf": [words_of(words), {"type": "string", "pattern": "<<|\\{\\{|^_function"}]})
        }
        Holds::Words(words) => list(words_of(words)),
        Holds::WordMap(words) => map(words_of(words)),
        Holds::Named(words) => json!({
            "type": "object", "propertyNames": {"enum": words}, "additionalProperties": text(),
        }),
        Holds::Value => value(),
        Holds::Values(None) => list(value()),
        Holds::Values(Some(count)) => {
            json!({"type": "array", "items": value(), "minItems": count, "maxItems": count})
        }
        Holds::ValueMap => map(value()),
        Holds::TextMap => map(text()),
        Holds::Texts => list(text()),
        Holds::TextOrTexts => json!({"anyOf": [text(), list(text())]}),
        Holds::IntOrList => json!({"anyOf": [int(), {"type": "array"}]}),
        Holds::Cond => json!({"$ref": "#/$defs/cond"}),
        Holds::Block(place) => at(*place),
        Holds::Either(one, other) => json!({"anyOf": [at(*one), at(*other)]}),
        Holds::TextOrBlock(place) => json!({"anyOf": [text(), at(*place)]}),
        Holds::Blocks(place) => map(at(*place)),
        Holds::Rows(place) => list(at(*place)),
        Holds::Data => json!({}),
        Holds::DataList => json!({"type": "array"}),
        Holds::DataMap => json!({"type": "object"}),
    }
}

/// The words, and what an editor takes an unquoted `1.1` for.
fn words_of(words: &[&str]) -> Value {
    let numbers = words
        .iter()
        .filter_map(|word| serde_json::from_str::<Value>(word).ok())
        .filter(Value::is_number);
    let all: Vec<Value> = words.iter().map(|word| json!(word)).chain(numbers).collect();
    json!({"enum": all})
}

fn truth() -> Value {
    json!({"enum": [true, false, "true", "false"]})
}

/// The parameters of a connection and of each of its environments, when it has this connector.
fn with_params(connector: &Connector, lang: Lang) -> Value {
    let properties: Map<String, Value> = connector
        .params()
        .iter()
        .map(|param| (param.name.clone(), param_schema(param, lang)))
        .collect();
    let params = json!({"type": "object", "properties": properties, "additionalProperties": false});
    let with = |inner: Value| json!({"properties": {"params": inner}});
    let env = json!({"additionalProperties": with(json!({"anyOf": [params, {"const": "$drop"}]}))});
    json!({
        "if": {"properties": {"connector": {"const": connector.id()}}, "required": ["connector"]},
        "then": {"properties": {"params": params, "env": env}},
    })
}

fn param_schema(param: &Param, lang: Lang) -> Value {
    let scalar = json!({"type": ["string", "number", "boolean"]});
    let reference = json!({"type": "string", "pattern": "\\$\\{(env|secret):[A-Za-z0-9_.-]+\\}|^\\$drop$"});
    let held = match param.ty {
        _ if param.secret => reference,
        ParamType::Text | ParamType::Url | ParamType::Path => scalar,
        ParamType::Int => json!({"anyOf": [held(&Holds::Int), reference]}),
        ParamType::Bool => json!({"anyOf": [truth(), reference]}),
        ParamType::Choice => json!({"anyOf": [{"enum": param.of}, reference]}),
        ParamType::List => json!({"anyOf": [{"type": "array"}, {"const": "$drop"}]}),
        ParamType::Map => json!({"anyOf": [{"type": "object"}, {"const": "$drop"}]}),
    };
    let mut schema = held;
    let label = param.label.get(lang);
    schema["description"] = match &param.note {
        Some(note) => format!("{label}: {note}").into(),
        None => label.into(),
    };
    if let Some(example) = &param.example {
        schema["examples"] = json!([example]);
    }
    schema
}
