//! Whether a page lost the braces of its placeholders. Then a field and a plain text look the same, and nothing may be
//! guessed.

use dsl::Value;

use crate::account::{is_expression, leaves};

/// A place and a value that must have had braces, where no placeholder of the whole scheme has any.
pub(crate) fn lost_braces(scheme: &Value) -> Option<(String, String)> {
    let mut has_braces = false;
    leaves(scheme, "", &mut |_, value| {
        has_braces |= value
            .as_text()
            .is_some_and(|text| text.contains("{{") || text.contains("<<"));
    });
    if has_braces {
        return None;
    }
    let mut lists = Vec::new();
    leaves(scheme, "", &mut |path, value| {
        if let (true, Some(text)) = (path.ends_with("].value"), value.as_text())
            && is_name(text)
        {
            lists.push(text.to_owned());
        }
    });
    let mut found: Option<(String, String)> = None;
    leaves(scheme, "", &mut |path, value| {
        let Some(text) = value.as_text().filter(|_| path.ends_with("].value")) else {
            return;
        };
        let is_lost = speaks_of_time(text)
            || is_expression(text) && dotted(text).is_some()
            || path.starts_with("target") && is_line_field(text, &lists)
            || has_bare_filter(text);
        if found.is_none() && is_lost {
            let shown: String = text.chars().take(60).collect();
            found = Some((path.to_owned(), shown));
        }
    });
    found
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && chars.all(|char| char.is_alphanumeric() || char == '_')
}

/// The variables of the other tool are never meant as text.
fn speaks_of_time(text: &str) -> bool {
    ["LAST_SYNC_TIME", "CURRENT_TIME", "PAGINATION_"]
        .iter()
        .any(|name| text.contains(name) && !text.to_ascii_lowercase().contains("current_timestamp"))
}

/// `items.qty`, where `items` is the value of a list beside it.
fn is_line_field(text: &str, lists: &[String]) -> bool {
    text.split_once('.')
        .is_some_and(|(front, rest)| is_name(rest) && lists.iter().any(|list| list == front))
}

/// `created|date`
fn has_bare_filter(text: &str) -> bool {
    text.split_once('|').is_some_and(|(front, filter)| {
        is_name(front) && ["date", "datetime"].contains(&filter.to_ascii_lowercase().as_str())
    })
}

/// A field with a dot in an expression: `items.qty` is no name that SQL would know there.
fn dotted(text: &str) -> Option<&str> {
    // What a look-up names by dots and dashes is no field.
    let words = text.split(|char: char| !(char.is_alphanumeric() || char == '_' || char == '.'));
    words.filter(|word| !word.contains("-")).find(|word| {
        word.split_once('.')
            .is_some_and(|(front, rest)| is_name(front) && is_name(rest))
    })
}
