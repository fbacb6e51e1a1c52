//! Values of fields: placeholders and variables in our spelling, types, parsers.

use std::collections::BTreeSet;

use dsl::catalogue::imported as words;
use dsl::diagnostic::Failure;
use dsl::{Map, Value};

use super::Mapper;
use crate::account::{is_expression, member};
use crate::model::Field;
use crate::write::{Body, Item, data_name};

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the request of a source.
    Source,
    /// In a document.
    Target,
}

/// A piece of a text of the other tool.
pub(super) enum Piece<'t> {
    /// Text.
    Text(&'t str),
    /// What stands between two pairs of braces.
    Field(&'t str),
}

/// Takes a text apart. Braces without an end, or with braces inside, stay text.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(open) = text[at..].find("{{").map(|found| at + found) {
        let inside = open + 2;
        let Some(end) = text[inside..].find("}}").map(|found| inside + found) else {
            break;
        };
        let name = &text[inside..end];
        if name.contains(['{', '}']) || name.trim().is_empty() {
            at = open + 1;
            continue;
        }
        if from < open {
            pieces.push(Piece::Text(&text[from..open]));
        }
        pieces.push(Piece::Field(name));
        from = end + 2;
        at = from;
    }
    if from < text.len() {
        pieces.push(Piece::Text(&text[from..]));
    }
    pieces
}

/// The paths of a text's placeholders, without filters.
pub(super) fn paths(text: &str) -> Vec<String> {
    let inside = |piece: Piece<'_>| match piece {
        Piece::Field(name) => Some(name.split('|').next().unwrap_or(name).trim().to_owned()),
        Piece::Text(_) => None,
    };
    pieces(text).into_iter().filter_map(inside).collect()
}

/// A text in our spelling. An expression keeps its variables; elsewhere they become names of the window and the page.
pub(super) fn converted(text: &str, place: Place) -> String {
    let in_expression = is_expression(text);
    let pieces = pieces(text);
    let mut out = String::with_capacity(text.len());
    let mut eaten = 0;
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(text) => out.push_str(text.get(std::mem::take(&mut eaten)..).unwrap_or_default()),
            Piece::Field(inside) => {
                let zeros = matches!(pieces.get(index + 1), Some(Piece::Text(next)) if next.starts_with("000") && !next[3..].starts_with(|c: char| c.is_ascii_digit()));
                let (name, filters) = match inside.split_once('|') {
                    Some((name, filters)) => (name.trim(), Some(filters)),
                    None => (inside.trim(), None),
                };
                let filters = filters.map(lowered).unwrap_or_default();
                let known = variable(name, place).filter(|_| !in_expression);
                match known {
                    Some((name, true)) if filters.is_empty() && zeros => {
                        eaten = 3;
                        out.push_str(&format!("<<{name}|ms|text>>"));
                    }
                    Some((name, true)) if filters.is_empty() => out.push_str(&format!("<<{name}|s|text>>")),
                    Some((name, false)) if filters.is_empty() => out.push_str(&format!("<<{name}|text>>")),
                    Some((name, _)) => out.push_str(&format!("<<{name}{filters}>>")),
                    None => out.push_str(&format!("<<{name}{filters}>>")),
                }
            }
        }
    }
    out
}

/// `|dateTime` and `| datetime` as `|datetime`.
fn lowered(filters: &str) -> String {
    filters
        .split('|')
        .map(|filter| {
            let filter = filter.trim();
            let lower = filter.to_ascii_lowercase();
            match lower.as_str() {
                "date" | "datetime" | "trim" | "upper" | "lower" | "number" => format!("|{lower}"),
                "timestamp" => "|s".to_owned(),
                _ => format!("|{filter}"),
            }
        })
        .collect()
}

/// The name of a variable, and whether it is an instant.
fn variable(name: &str, place: Place) -> Option<(&'static str, bool)> {
    Some(match (name, place) {
        ("LAST_SYNC_TIME", Place::Source) => ("$window.start", true),
        ("CURRENT_TIME", Place::Source) => ("$window.end", true),
        ("CURRENT_TIME", Place::Target) => ("$now", true),
        ("PAGINATION_START_PAGE", Place::Source) => ("$page.number", false),
        ("PAGINATION_START_ROW", Place::Source) => ("$page.offset", false),
        ("PAGINATION_PAGE_SIZE", Place::Source) => ("$page.size", false),
        _ => return None,
    })
}

/// How a field is typed beyond text.
fn typed(ty: &str) -> Option<&'static str> {
    Some(match ty {
        "int" | "integer" => "int",
        "float" | "double" | "decimal" | "number" => "decimal",
        "bool" | "boolean" => "bool",
        _ => return None,
    })
}

impl Mapper<'_> {
    /// The value of a field without fields below it. `None` when it has no value, which is told.
    pub(super) fn single(&mut self, field: &Field<'_>, place: Place, to: &str) -> Option<Body> {
        let at_value = member(&field.at, "value");
        if let Value::Map(_) | Value::List(_) = field.value {
            self.book.carried(&at_value, to);
            return Some(Body::Data(named(field.value)));
        }
        let Some(text) = field.text() else {
            self.empty.push(field.name.clone());
            self.book.reported(&at_value, words::NO_VALUE.code);
            return None;
        };
        if text.starts_with("function ") {
            self.note(&field.at, Failure::new(&words::TYPO).with("field", &field.name));
        }
        self.milliseconds(field, &text);
        self.flips(field, &text);
        self.book.carried(&at_value, to);
        let body = match self.blocked.contains_key(&field.at) && text.contains("{{{") {
            // Kept as it was: it is for a person to mend.
            true => Body::Text(text.clone()),
            false => valued(&text, &field.ty, place),
        };
        self.wrapped_by_parser(field, &text, body, place)
    }

    /// What a field's parser makes of a value.
    fn wrapped_by_parser(&mut self, field: &Field<'_>, text: &str, body: Body, place: Place) -> Option<Body> {
        let Some(parser) = field.parser else {
            return Some(body);
        };
        let param = |name: &str| {
            parser
                .get(name)
                .and_then(Value::to_plain_text)
                .filter(|text| !text.is_empty())
        };
        let name = param("name").unwrap_or_default();
        let params = param("params");
        let at = member(&field.at, "parser");
        let single_path = match pieces(text).as_slice() {
            [Piece::Field(path)] if !path.contains('|') => Some(path.trim().to_owned()),
            _ => None,
        };
        let with = |separator: Option<String>| {
            let separator = separator.unwrap_or_else(|| ",".to_owned());
            Item::new("$with", Body::Text(separator))
        };
        let wrapped = match (name.as_str(), &params) {
            ("ConvertObjectParser", Some(key)) => Body::Map(vec![Item::new(key.clone(), body)]),
            ("ConvertTwoStageObjectParser", _) => {
                let outer = param("params1").or_else(|| params.clone());
                let inner = param("params2");
                match (outer, inner) {
                    (Some(outer), Some(inner)) => {
                        Body::Map(vec![Item::new(outer, Body::Map(vec![Item::new(inner, body)]))])
                    }
                    _ => return self.unknown_parser(field, &name, body),
                }
            }
            ("K3WiseHeiHuCustomParser", Some(key)) => Body::Seq(vec![Body::Map(vec![
                Item::text("keyName", key.clone()),
                Item::new("keyValue", body),
            ])]),
            ("StringToArray", _) => match place {
                // A constant is a list at once.
                _ if pieces(text).iter().all(|piece| matches!(piece, Piece::Text(_)))
                    && !is_expression(text) =>
                {
                    let separator = params.clone().unwrap_or_else(|| ",".to_owned());
                    let parts = text.split(&separator).filter(|part| !part.is_empty());
                    Body::Seq(parts.map(|part| Body::Text(part.to_owned())).collect())
                }
                _ => Body::Map(vec![Item::new("$split", body), with(params.clone())]),
            },
            ("ArrayToString", _) => match single_path {
                Some(path) => Body::Map(vec![Item::text("$join", path), with(params.clone())]),
                None if !text.contains("{{") => body,
                None => return self.unknown_parser(field, &name, body),
            },
            ("", _) => body,
            _ => return self.unknown_parser(field, &name, body),
        };
        self.book.carried(&at, &field.name);
        Some(wrapped)
    }

    /// An unknown parser: the field stands in a comment.
    fn unknown_parser(&mut self, field: &Field<'_>, name: &str, body: Body) -> Option<Body> {
        let at = member(&field.at, "parser");
        self.left(
            &at,
            Failure::new(&words::UNKNOWN_PARSER)
                .with("field", &field.name)
                .with("name", name),
        );
        Some(Body::Map(vec![Item::new("$unknown", body)]))
    }

    /// Milliseconds by gluing zeros or by a factor.
    fn milliseconds(&mut self, field: &Field<'_>, text: &str) {
        let tight: String = text.chars().filter(|char| !char.is_whitespace()).collect();
        let long_number = |length: usize| {
            tight
                .split(|char: char| !char.is_ascii_digit())
                .any(|digits| digits.len() == length && digits.starts_with('1'))
        };
        let label = field.label.to_lowercase();
        let says_ms = label.contains("毫秒") || label.contains("(ms)") || label == "ms";
        let speaks_of_time = ["LAST_SYNC_TIME", "CURRENT_TIME", "unix_timestamp"]
            .iter()
            .any(|name| text.to_ascii_lowercase().contains(&name.to_ascii_lowercase()));
        let how = if tight.contains("}}000") {
            "…000"
        } else if tight.contains("*1000") {
            "* 1000"
        } else if is_expression(text) && tight.contains("/1000") {
            "/ 1000"
        } else if speaks_of_time && tight.to_ascii_lowercase().contains("current_timestamp(3)") {
            "CURRENT_TIMESTAMP(3)"
        } else if is_expression(text) && long_number(13) {
            "13 位常数 · a constant of 13 digits"
        } else if is_expression(text) && long_number(10) && says_ms {
            "10 位常数 · a constant of 10 digits"
        } else if says_ms && speaks_of_time {
            "没有换算的秒 · seconds as they are"
        } else {
            return;
        };
        self.note(
            &field.at,
            Failure::new(&words::MILLISECONDS)
                .with("field", &field.name)
                .with("how", how),
        );
    }

    /// Where a tool that pastes values into the text would have made something else of an expression.
    fn flips(&mut self, field: &Field<'_>, text: &str) {
        let blocked = self.blocked.contains_key(&field.at);
        if !blocked && text.trim_start().starts_with("_findCollection") {
            self.found.push(field.name.clone());
        }
        let Some(source) = text.trim_start().strip_prefix("_function") else {
            return;
        };
        let source = converted_expression(source.trim());
        let bounds = dsl::expr::Bounds::default();
        let Ok(expression) = dsl::expr::compile(&source, self.registry, &bounds) else {
            return;
        };
        // That a name without quotes may be text or empty is true of nearly every expression.
        let telling = [
            dsl::catalogue::pasted::CASE_FLIPS.code,
            dsl::catalogue::pasted::LIST_PASTED.code,
        ];
        let others: BTreeSet<&'static str> = expression
            .pasted()
            .iter()
            .map(|told| told.entry.code)
            .filter(|code| !telling.contains(code))
            .collect();
        if !blocked && !others.is_empty() {
            self.pasted.push((field.name.clone(), others));
        }
        let found: Vec<Failure> = expression
            .pasted()
            .iter()
            .filter(|told| telling.contains(&told.entry.code))
            .map(|told| {
                let mut failure = Failure::new(told.entry);
                failure.facts = told.facts.clone();
                Failure::new(&words::FLIPS)
                    .with("field", &field.name)
                    .with("why", failure.message(dsl::diagnostic::Lang::Zh))
                    .with("why_en", failure.message(dsl::diagnostic::Lang::En))
                    .with("codes", told.entry.code)
            })
            .collect();
        for failure in found {
            self.note(&field.at, failure);
        }
    }
}

fn converted_expression(text: &str) -> String {
    let with_word = format!("_function {text}");
    let converted = converted(&with_word, Place::Target);
    converted.trim_start_matches("_function ").to_owned()
}

/// Data with its own names, whatever they begin with.
fn named(value: &Value) -> Value {
    match value {
        Value::Map(map) => Value::Map(
            map.iter()
                .map(|(name, value)| (data_name(name), named(value)))
                .collect(),
        ),
        Value::List(items) => Value::List(items.iter().map(named).collect()),
        other => other.clone(),
    }
}

/// A value with its type.
pub(super) fn valued(text: &str, ty: &str, place: Place) -> Body {
    let is_constant = !text.contains("{{") && !is_expression(text);
    // What only looks like one of our placeholders.
    if is_constant && text.contains("<<") {
        return Body::Map(vec![Item::text("$literal", text)]);
    }
    match (typed(ty), is_constant) {
        (Some("bool"), true) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Body::Raw("true".to_owned()),
            "false" | "0" => Body::Raw("false".to_owned()),
            _ => Body::Text(text.to_owned()),
        },
        (Some("int" | "decimal"), true) => {
            let trimmed = text.trim();
            let is_short = trimmed.bytes().filter(u8::is_ascii_digit).count() <= 15;
            let is_plain = !trimmed.contains(['e', 'E']) && is_short;
            match dsl::value::Number::parse(trimmed).filter(|_| is_plain) {
                Some(number) => Body::Raw(number.as_str().to_owned()),
                None => Body::Text(text.to_owned()),
            }
        }
        (Some(ty), false) if place == Place::Target => Body::Map(vec![
            Item::text("$value", converted(text, place)),
            Item::raw("$type", ty),
        ]),
        _ => Body::Text(converted(text, place)),
    }
}

/// A map of single values as members, each in our spelling.
pub(super) fn members(map: &Map, place: Place) -> Vec<Item> {
    map.iter()
        .map(|(name, value)| {
            let body = match value.to_plain_text() {
                Some(text) => Body::Text(converted(&text, place)),
                None => Body::Data(named(value)),
            };
            Item::new(data_name(name), body)
        })
        .collect()
}
