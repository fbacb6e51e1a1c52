//! JSON Schema of a scheme file, written from the table of keys, for editors.
//!
//! The schema refuses what [`crate::keys::walk`] and the rule for maps with `$` keys refuse; what needs connections,
//! samples or a parser for expressions is left to `check`. Keys that this version does not support are not in it.

use serde_json::{Map, Value, json};

use crate::cond::Op;
use crate::diagnostic::Lang;
use crate::keys::{Block, KeyRow, MAKERS, MANNERS, SCHEME, Shape};
use crate::object::keys::OBJECT;

/// The schema of a scheme file, with titles and descriptions in one language.
pub fn scheme_schema(lang: Lang) -> Value {
    let Value::Object(mut root) = block(&SCHEME, lang) else {
        unreachable!("a block is an object");
    };
    root.insert(
        "$schema".into(),
        "https://json-schema.org/draft/2020-12/schema".into(),
    );
    root.insert("title".into(), lang.pick("集成方案", "integration scheme").into());
    root.insert("$defs".into(), Value::Object(value_defs(lang)));
    Value::Object(root)
}

/// The schema of an object file.
pub fn object_schema(lang: Lang) -> Value {
    let mut root = block(&OBJECT, lang);
    root["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    root["title"] = lang.pick("对象", "object").into();
    root
}

/// The definitions by which a value and a condition are described: `value`, `plainMap`, `made`, `cond` and `keep`.
/// Connector files have the same values at their own places.
pub fn value_defs(lang: Lang) -> Map<String, Value> {
    let defs = [
        ("value", value_def(lang)),
        (
            "plainMap",
            json!({
                "type": "object",
                "propertyNames": {"pattern": "^([^$].*|\\$\\$[\\s\\S]*|)$"},
                "additionalProperties": {"$ref": "#/$defs/value"},
            }),
        ),
        ("made", made_def(lang)),
        ("cond", cond_def(false)),
        ("keep", cond_def(true)),
    ];
    defs.map(|(name, def)| (name.to_owned(), def))
        .into_iter()
        .collect()
}

fn block(block: &Block, lang: Lang) -> Value {
    let properties: Map<String, Value> = block
        .rows
        .iter()
        .map(|row| (row.key.to_owned(), property(row, lang)))
        .collect();
    // An operation that is written may stand in for the one that `api` names.
    let stands_in = block.rows.iter().any(|row| row.key == "operation");
    // So may another scheme for the whole system.
    let by_scheme = block.name == "source";
    let is_bound = |row: &&KeyRow| {
        let replaced = stands_in && row.key == "api" || by_scheme && row.key == "connection";
        row.required && !replaced
    };
    let required: Vec<&str> = block.rows.iter().filter(is_bound).map(|row| row.key).collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    if block.least > 0 {
        schema["minProperties"] = block.least.into();
    }
    if !block.one_of.is_empty() {
        let mut sets: Vec<Value> = block.one_of.iter().map(|set| only(block, set)).collect();
        if stands_in {
            sets.push(only(block, &["operation"]));
        }
        schema["oneOf"] = sets.into();
    } else if by_scheme {
        schema["anyOf"] = json!([
            {"required": ["connection", "api"]},
            {"required": ["connection", "operation"]},
            {"required": ["scheme"]},
        ]);
    } else if stands_in {
        schema["anyOf"] = json!([{"required": ["api"]}, {"required": ["operation"]}]);
    }
    schema
}

/// One set of keys whole, and none of the others.
fn only(block: &Block, set: &[&str]) -> Value {
    let mut others: Vec<&str> = Vec::new();
    for key in block.one_of.iter().copied().flatten() {
        if !set.contains(key) && !others.contains(key) {
            others.push(key);
        }
    }
    let others: Vec<Value> = others.iter().map(|key| json!({"required": [key]})).collect();
    json!({"required": set, "not": {"anyOf": others}})
}

fn property(row: &KeyRow, lang: Lang) -> Value {
    let mut schema = shape(&row.shape, lang);
    let words = lang.pick(row.zh, row.en);
    let default = match (row.default, lang) {
        ("", _) => String::new(),
        (default, Lang::Zh) => format!("(默认:{default})"),
        (default, Lang::En) => format!(" (default: {default})"),
    };
    schema["title"] = row.key.into();
    schema["description"] = format!("{words}{default}").into();
    if matches!(row.shape, Shape::Value | Shape::Values) {
        schema["markdownDescription"] = format!("{words}{default}\n\n{}", value_words(lang)).into();
    }
    let example = if row.example.is_empty() {
        default_example(&row.shape)
    } else {
        row.example.to_owned()
    };
    schema["examples"] = json!([example]);
    schema
}

fn default_example(shape: &Shape) -> String {
    match shape {
        Shape::Bool => "true".to_owned(),
        Shape::Int(low, _) => low.to_string(),
        Shape::Choice(words) => words.first().copied().unwrap_or_default().to_owned(),
        Shape::Path | Shape::Paths => "tid".to_owned(),
        Shape::Value | Shape::Values => "{FName: <<buyerNick>>}".to_owned(),
        Shape::Cond(_) => "{field: status, eq: paid}".to_owned(),
        Shape::OneOf(shapes) => shapes.first().map(default_example).unwrap_or_default(),
        _ => String::new(),
    }
}

fn value_words(lang: Lang) -> &'static str {
    lang.pick(
        "`<<字段>>` 取值,`<<字段|date>>` 加过滤器,`_function …` 计算,`_findCollection …` 查找,带 `$` 键的对象见参考手册。",
        "`<<field>>` reads, `<<field|date>>` filters, `_function …` computes, `_findCollection …` looks up; maps with `$` keys are in the reference.",
    )
}

fn shape(shape_of: &Shape, lang: Lang) -> Value {
    match shape_of {
        Shape::Text => json!({"type": ["string", "number", "boolean"], "minLength": 1}),
        // Neither a constant nor a template: a path names a field.
        Shape::Path => json!({"type": "string", "minLength": 1, "not": {"pattern": "<<|\\{\\{|^_function"}}),
        Shape::Word(word) => {
            // A plain `7` or `true` is a number or truth value to an editor, and text of this form to `check`.
            let mut forms = vec![json!({"type": "string", "pattern": word.pattern})];
            if (word.fits)("7") {
                forms.push(json!({"type": "integer", "minimum": 0}));
            }
            if (word.fits)("true") {
                forms.push(json!({"type": "boolean"}));
            }
            match forms.as_slice() {
                [only] => only.clone(),
                _ => json!({"anyOf": forms}),
            }
        }
        Shape::Bool => json!({"enum": [true, false, "true", "false"]}),
        Shape::Int(low, high) => {
            let mut number = json!({"type": "integer", "minimum": low});
            if *high != i64::MAX {
                number["maximum"] = (*high).into();
            }
            let text = if *low > 0 {
                "^[1-9][0-9]{0,17}$"
            } else {
                "^(0|-?[1-9][0-9]{0,17})$"
            };
            json!({"anyOf": [number, {"type": "string", "pattern": text}]})
        }
        Shape::Choice(words) => json!({"enum": words}),
        Shape::Paths => {
            let path = shape(&Shape::Path, lang);
            json!({"anyOf": [path, {"type": "array", "items": path, "minItems": 1}]})
        }
        Shape::Value => json!({"$ref": "#/$defs/value"}),
        Shape::Values => json!({"anyOf": [{"$ref": "#/$defs/plainMap"}, {"$ref": "#/$defs/made"}]}),
        Shape::Cond(true) => json!({"$ref": "#/$defs/keep"}),
        Shape::Cond(false) => json!({"$ref": "#/$defs/cond"}),
        Shape::Data => json!({}),
        Shape::DataMap => json!({"type": "object"}),
        Shape::Block(inner) => block(inner, lang),
        Shape::List(inner) => json!({"type": "array", "items": shape(inner, lang)}),
        Shape::Map(inner) => json!({"type": "object", "additionalProperties": shape(inner, lang)}),
        Shape::OneOf(shapes) => {
            json!({"anyOf": shapes.iter().map(|inner| shape(inner, lang)).collect::<Vec<_>>()})
        }
    }
}

fn value_def(lang: Lang) -> Value {
    json!({
        "description": value_words(lang),
        "anyOf": [
            {"type": ["string", "number", "boolean", "null"]},
            {"type": "array", "items": {"$ref": "#/$defs/value"}},
            {"$ref": "#/$defs/plainMap"},
            {"$ref": "#/$defs/made"},
        ],
    })
}

/// Exactly one maker with its own arguments, and any manners.
fn made_def(lang: Lang) -> Value {
    let manners: Map<String, Value> = MANNERS
        .iter()
        .map(|row| (row.key.to_owned(), held(row, lang)))
        .collect();
    let makers: Vec<Value> = MAKERS
        .iter()
        .map(|maker| {
            let mut properties = manners.clone();
            if maker.row.key != "$value" {
                properties.remove("$on_error");
            }
            let rows = || [&maker.row].into_iter().chain(maker.arguments);
            properties.extend(rows().map(|row| (row.key.to_owned(), held(row, lang))));
            let required = rows().filter(|row| row.required || row.key == maker.row.key);
            let mut schema = json!({
                "type": "object",
                "properties": properties,
                "required": required.map(|row| row.key).collect::<Vec<_>>(),
                "additionalProperties": false,
            });
            if !maker.one_of.is_empty() {
                schema["oneOf"] = maker
                    .one_of
                    .iter()
                    .map(|key| json!({"required": [key]}))
                    .collect();
            }
            schema
        })
        .collect();
    json!({"description": lang.pick("一个取值键和若干方式", "one maker and any manners"), "anyOf": makers})
}

/// What a `$` key of a value holds. Texts may be empty here, and a plain `null` counts as its word.
fn held(row: &KeyRow, lang: Lang) -> Value {
    let mut schema = match row.shape {
        Shape::Choice(["true", "false"]) => json!({"enum": [true, false, "true", "false"]}),
        Shape::Choice(words) if words.contains(&"null") => {
            let plain = [Value::Null];
            json!({"enum": words.iter().map(|word| (*word).into()).chain(plain).collect::<Vec<Value>>()})
        }
        Shape::Values => {
            json!({"type": "object", "minProperties": 1, "additionalProperties": {"$ref": "#/$defs/value"}})
        }
        Shape::Text | Shape::Path => json!({"type": ["string", "number", "boolean"]}),
        ref other => shape(other, lang),
    };
    schema["description"] = lang.pick(row.zh, row.en).into();
    schema
}

fn cond_def(on_line: bool) -> Value {
    let any = || json!({"$ref": "#/$defs/value"});
    let line = |mut schema: Value| {
        if on_line {
            schema["properties"]["on_line"] = json!({"enum": ["drop_line", "drop_record"]});
        }
        schema
    };
    let group = |key: &str, inner: Value| {
        line(
            json!({"type": "object", "properties": {key: inner}, "required": [key], "additionalProperties": false}),
        )
    };
    let inner = if on_line { "#/$defs/keep" } else { "#/$defs/cond" };
    let list = || json!({"type": "array", "items": {"$ref": inner}});
    let scalar = || json!({"anyOf": [{"type": ["string", "number", "boolean", "null"]}, {"type": "object"}]});
    let mut all: Vec<Value> = Op::names()
        .map(|op| {
            let held = match op {
                "in" | "not_in" => any(),
                "between" => json!({"type": "array", "items": any(), "minItems": 2, "maxItems": 2}),
                "is" => json!({"enum": ["null", "empty", "missing", null]}),
                _ => scalar(),
            };
            line(json!({
                "type": "object",
                "properties": {"field": {"type": ["string", "number", "boolean"]}, op: held},
                "required": ["field", op],
                "additionalProperties": false,
            }))
        })
        .collect();
    all.push(group("all", list()));
    all.push(group("any", list()));
    all.push(group("not", json!({"$ref": inner})));
    json!({"anyOf": all})
}
