//! A scheme of the other tool as it was read, whatever form it came in.

use std::collections::{BTreeMap, BTreeSet};

use dsl::catalogue::imported as words;
use dsl::diagnostic::{Diagnostic, Failure};
use dsl::{Map, Value};

use crate::account::member;

/// One scheme.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The file it came from.
    pub file: String,
    /// Where in the file; empty for the whole of it.
    pub at: String,
    /// The id it gets.
    pub id: String,
    /// `source`, `target`, `schedule` and what else there was.
    pub value: Value,
}

/// Fields that the compiler refused, each with its first problem and the column in the value.
pub type Blocked = BTreeMap<String, (Diagnostic, usize)>;

/// One field of a request.
#[derive(Debug, Clone)]
pub struct Field<'v> {
    /// Its path in the account.
    pub at: String,
    /// Its name at the target or in the request.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// Its type, in small letters.
    pub ty: String,
    /// Its value.
    pub value: &'v Value,
    /// How the value is wrapped.
    pub parser: Option<&'v Map>,
    /// Fields below it.
    pub children: Vec<Field<'v>>,
}

impl<'v> Field<'v> {
    /// Its value as text.
    pub fn text(&self) -> Option<String> {
        self.value.to_plain_text()
    }
}

/// The fields of a list, as far as they are fields. Those that name a `parent` beside them stand below it.
pub fn fields<'v>(list: Option<&'v Value>, at: &str, depth: usize) -> Vec<Field<'v>> {
    let Some(Value::List(items)) = list else {
        return Vec::new();
    };
    let mut found: Vec<(Field<'v>, Option<String>)> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some(map) = item.as_map() else { continue };
        let text = |name: &str| map.get(name).and_then(Value::to_plain_text).unwrap_or_default();
        let name = text("field");
        if name.is_empty() {
            continue;
        }
        let at = format!("{at}[{index}]");
        let children = match depth < crate::MAX_DEPTH {
            true => fields(map.get("children"), &member(&at, "children"), depth + 1),
            false => Vec::new(),
        };
        let parent = Some(text("parent")).filter(|parent| !parent.is_empty());
        found.push((
            Field {
                at,
                name,
                label: text("label"),
                ty: text("type").to_ascii_lowercase(),
                value: map.get("value").unwrap_or(&Value::Null),
                parser: map.get("parser").and_then(Value::as_map),
                children,
            },
            parent,
        ));
    }
    nested(found)
}

/// Puts fields below the one that they name as their parent, where that one stands in the same list.
fn nested<'v>(found: Vec<(Field<'v>, Option<String>)>) -> Vec<Field<'v>> {
    let names: Vec<String> = found.iter().map(|(field, _)| field.name.clone()).collect();
    let mut top: Vec<Field<'v>> = Vec::new();
    for (field, parent) in found {
        let is_here = |parent: &String| names.contains(parent) && *parent != field.name;
        let holder = parent
            .filter(is_here)
            .and_then(|parent| holder(&mut top, &parent));
        match holder {
            Some(holder) => holder.children.push(field),
            None => top.push(field),
        }
    }
    top
}

fn holder<'f, 'v>(fields: &'f mut [Field<'v>], name: &str) -> Option<&'f mut Field<'v>> {
    for field in fields {
        if field.name == name {
            return Some(field);
        }
        if let Some(found) = holder(&mut field.children, name) {
            return Some(found);
        }
    }
    None
}

/// The last name of a path.
pub fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// A refusal because of a bound.
pub fn too_much(file: &str, (zh, en): (&str, &str), count: usize, max: usize) -> Failure {
    Failure::new(&words::TOO_MUCH)
        .with("file", file)
        .with("what_zh", zh)
        .with("what_en", en)
        .with("count", count)
        .with("max", max)
}

/// What may stand for an id: small letters, digits, hyphens.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for char in text.chars() {
        match char {
            _ if char.is_ascii_alphanumeric() => slug.push(char.to_ascii_lowercase()),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    slug.truncate(56);
    slug.trim_matches('-').to_owned()
}

/// An id that none of the others has.
pub fn unique(id: &str, taken: &mut BTreeSet<String>) -> String {
    let id = if id.is_empty() { "scheme" } else { id };
    let numbered = (2u32..).map(|number| format!("{id}-{number}"));
    // There are fewer ids than numbers.
    let free = std::iter::once(id.to_owned())
        .chain(numbered)
        .find(|id| !taken.contains(id))
        .unwrap_or_default();
    taken.insert(free.clone());
    free
}
