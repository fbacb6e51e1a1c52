//! A page on which somebody printed the metadata of both sides, one JSON object after the other, under headings.

use dsl::diagnostic::Failure;
use dsl::{Map, Value, json};

use super::parse;

/// Objects of a page that are looked at; a page has two, and code around them some more.
const MOST: usize = 200;

/// The two sides of a page. `None` when it holds no JSON object that could be a side.
pub(super) fn read(name: &str, text: &str) -> Result<Option<Value>, Failure> {
    let text = unescaped(text);
    let mut sides: Vec<(usize, Map)> = Vec::new();
    let mut failed: Option<usize> = None;
    let mut from = 0;
    for _ in 0..MOST {
        let Some(open) = text[from..].find('{').map(|at| from + at) else {
            break;
        };
        let is_placeholder = text[open..].starts_with("{{");
        let Some(end) = end_of(&text, open) else {
            // Only what looks like metadata is worth a complaint.
            if text[open..].contains("\"request\"") {
                failed.get_or_insert(open);
            }
            from = open + 1;
            continue;
        };
        match json::parse(&text.as_bytes()[open..end]) {
            Ok(Value::Map(map)) if is_side(&map) => {
                sides.push((open, map));
                from = end;
            }
            Ok(_) => from = end,
            Err(_) => {
                if text[open..end].contains("\"request\"") && !is_placeholder {
                    failed.get_or_insert(open);
                }
                from = open + if is_placeholder { 2 } else { 1 };
                if failed.is_some() {
                    break;
                }
            }
        }
    }
    if let Some(open) = failed {
        return parse(name, &text, open).map(Some);
    }
    let mut scheme = Map::new();
    for (index, (at, map)) in sides.into_iter().enumerate() {
        // A whole scheme as one object needs no headings.
        if map.contains_key("source") || map.contains_key("target") {
            return Ok(Some(Value::Map(map)));
        }
        let before = &text[..at];
        let last = |word: &str| before.rfind(word);
        let heading = match (last("源平台"), last("目标平台")) {
            (Some(source), Some(target)) => Some(if source > target { "source" } else { "target" }),
            (Some(_), None) => Some("source"),
            (None, Some(_)) => Some("target"),
            (None, None) => None,
        };
        let side = heading.unwrap_or(if index == 0 { "source" } else { "target" });
        let side = match scheme.contains_key(side) {
            true => format!("{side}_{}", index + 1),
            false => side.to_owned(),
        };
        scheme.insert(side, Value::Map(map));
    }
    Ok((!scheme.is_empty()).then_some(Value::Map(scheme)))
}

fn is_side(map: &Map) -> bool {
    ["request", "api", "source", "target"]
        .iter()
        .any(|key| map.contains_key(*key))
}

/// The end of the object that begins at a byte: braces are counted outside of texts.
fn end_of(text: &str, open: usize) -> Option<usize> {
    let (mut depth, mut in_text, mut escaped) = (0usize, false, false);
    for (at, byte) in text.as_bytes()[open..].iter().enumerate() {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b'{') => depth += 1,
            (false, b'}') => {
                depth -= 1;
                if depth == 0 {
                    return Some(open + at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// The few characters that pages write as names.
fn unescaped(text: &str) -> String {
    if !text.contains("&quot;") {
        return text.to_owned();
    }
    text.replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&nbsp;", " ")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}
