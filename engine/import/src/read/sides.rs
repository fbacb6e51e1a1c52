//! Finding the sides of schemes in a JSON document: `{source, target}`, either alone, several beside each other, or
//! sides under names such as `a_source` and `b_target`.

use dsl::{Map, Value};
use indexmap::IndexMap;

/// How deep schemes are looked for in a document.
const DEPTH: usize = 4;

/// The schemes of a document, each by the name that it has there; every leaf of the document is in one of them.
pub(super) fn schemes(value: Value) -> Vec<(String, Value)> {
    found(value, 0)
}

fn found(value: Value, depth: usize) -> Vec<(String, Value)> {
    match value {
        Value::Map(map) => in_map(map, depth),
        Value::List(items) if depth < DEPTH => {
            let mut all = Vec::new();
            let mut rest = Map::new();
            for (index, item) in items.into_iter().enumerate() {
                let some = found(item.clone(), depth + 1);
                if some.is_empty() {
                    rest.insert(format!("element_{}", index + 1), item);
                }
                all.extend(some.into_iter().map(|(name, value)| {
                    let name = joined(&(index + 1).to_string(), &name);
                    (name, value)
                }));
            }
            add_rest(&mut all, rest);
            all
        }
        _ => Vec::new(),
    }
}

fn in_map(map: Map, depth: usize) -> Vec<(String, Value)> {
    let groups = map
        .iter()
        .any(|(key, value)| matches!(role(key), Some((_, "source" | "target"))) && value.as_map().is_some());
    if groups {
        return grouped(map);
    }
    if let Some(side) = side(&map) {
        return vec![(
            String::new(),
            Value::Map(Map::from_iter([(side.to_owned(), Value::Map(map))])),
        )];
    }
    if depth >= DEPTH {
        return Vec::new();
    }
    // Schemes under names of their own.
    let mut all: Vec<(String, Value)> = Vec::new();
    let mut rest = Map::new();
    for (key, value) in map {
        let some = match value.as_map().is_some() || value.as_list().is_some() {
            true => found(value.clone(), depth + 1),
            false => Vec::new(),
        };
        match some.is_empty() {
            true => {
                rest.insert(key, value);
            }
            false => all.extend(some.into_iter().map(|(name, value)| (joined(&key, &name), value))),
        }
    }
    add_rest(&mut all, rest);
    all
}

/// Sides of a map by their names; what is beside them belongs to the first scheme.
fn grouped(map: Map) -> Vec<(String, Value)> {
    let mut groups: IndexMap<String, Map> = IndexMap::new();
    let mut rest = Map::new();
    for (key, value) in map {
        match role(&key) {
            Some((group, role)) if value.as_map().is_some() => {
                let scheme = groups.entry(group.to_owned()).or_default();
                match scheme.contains_key(role) {
                    false => {
                        scheme.insert(role.to_owned(), value);
                    }
                    true => {
                        rest.insert(key, value);
                    }
                }
            }
            _ => {
                rest.insert(key, value);
            }
        }
    }
    let mut all: Vec<(String, Value)> = groups
        .into_iter()
        .map(|(name, scheme)| (name, Value::Map(scheme)))
        .collect();
    add_rest(&mut all, rest);
    all
}

fn add_rest(all: &mut [(String, Value)], rest: Map) {
    if let Some((_, Value::Map(first))) = all.first_mut() {
        for (key, value) in rest {
            // A name that is taken, such as `source` beside `x_source`, keeps both.
            let free = match first.contains_key(&key) {
                true => format!("{key}_beside"),
                false => key,
            };
            first.insert(free, value);
        }
    }
}

fn joined(one: &str, other: &str) -> String {
    match (one.is_empty(), other.is_empty()) {
        (_, true) => one.to_owned(),
        (true, _) => other.to_owned(),
        _ => format!("{one}-{other}"),
    }
}

/// What a key stands for, and the name of the scheme in it.
fn role(key: &str) -> Option<(&str, &'static str)> {
    const WHOLE: [(&str, &str); 6] = [
        ("源平台元数据配置", "source"),
        ("目标平台元数据配置", "target"),
        ("源平台", "source"),
        ("目标平台", "target"),
        ("sourceStrategy", "source"),
        ("targetStrategy", "target"),
    ];
    if let Some((_, role)) = WHOLE.iter().find(|(name, _)| *name == key) {
        return Some(("", role));
    }
    for role in ["source", "target", "schedule"] {
        if key == role
            || key
                .strip_prefix(role)
                .is_some_and(|rest| matches!(rest, "_keys" | "_metadata"))
        {
            return Some(("", role));
        }
        if let Some(group) = key.strip_suffix(role).and_then(|front| front.strip_suffix('_')) {
            return Some((group, role));
        }
    }
    None
}

/// Whether a map is one side of a scheme, and which.
fn side(map: &Map) -> Option<&'static str> {
    let has = |key: &str| map.contains_key(key);
    if !(map
        .get("request")
        .is_some_and(|request| request.as_list().is_some())
        || has("api") && has("type"))
    {
        return None;
    }
    let word = map.get("type").and_then(Value::as_text).unwrap_or_default();
    let writes = ["EXECUTE", "WRITE", "CREATE", "UPDATE"].contains(&word.to_ascii_uppercase().as_str());
    Some(match writes || has("groupCalculate") || has("callBackStrategy") {
        true => "target",
        false => "source",
    })
}
