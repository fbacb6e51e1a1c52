//! Values that people must not see, taken out of documents and rows, and of what others say about them.

use connector::{MASK, RAW, Redactor};
use dsl::json;
use dsl::path::{Path, Segment};
use dsl::value::Value;

/// A value as people may see it.
pub(crate) fn shown(value: &Value, hidden: &[Path]) -> Value {
    let mut shown = value.clone();
    for path in hidden {
        each_mut(&mut shown, path, &mut |value| {
            *value = Value::Text(MASK.to_owned())
        });
    }
    if holds_all(value, hidden)
        && let Value::Map(members) = &mut shown
    {
        members.insert(RAW.to_owned(), Value::from(MASK));
    }
    shown
}

/// Whether the XML that a row came as stands beside what was read of it, hidden places and all. It is hidden whole: in it
/// values are written in other ways than they are read.
pub(crate) fn holds_all(row: &Value, hidden: &[Path]) -> bool {
    let is_xml = |text: &str| text.trim_start_matches('\u{feff}').trim_start().starts_with('<');
    !hidden.is_empty() && row.get(RAW).and_then(Value::as_text).is_some_and(is_xml)
}

/// A stored row as people may see it; one that cannot be read is not shown at all.
pub(crate) fn shown_row(row: &[u8], hidden: &[Path]) -> Vec<u8> {
    if hidden.is_empty() {
        return row.to_vec();
    }
    match json::parse(row) {
        Ok(value) => json::to_string(&shown(&value, hidden)).into_bytes(),
        Err(_) => MASK.as_bytes().to_vec(),
    }
}

/// Learns the hidden values of a document, so that an answer that quotes them can be kept.
pub(crate) fn learn(redactor: &Redactor, value: &Value, hidden: &[Path]) {
    for path in hidden {
        each(value, path.segments(), &mut |text| redactor.add(&text));
    }
}

/// Visits the places a path leads to, through lists.
pub(crate) fn each_mut(value: &mut Value, path: &Path, visit: &mut dyn FnMut(&mut Value)) {
    along(value, path.segments(), visit);
}

fn along(value: &mut Value, path: &[Segment], visit: &mut dyn FnMut(&mut Value)) {
    let Some((first, rest)) = path.split_first() else {
        return visit(value);
    };
    match (first, value) {
        (Segment::Name(name), Value::Map(map)) => {
            if let Some(member) = map.get_mut(name) {
                along(member, rest, visit);
            }
        }
        (Segment::Index(index), Value::List(list)) => {
            if let Some(element) = list.get_mut(*index) {
                along(element, rest, visit);
            }
        }
        (Segment::All, Value::List(list)) => {
            list.iter_mut().for_each(|element| along(element, rest, visit));
        }
        (Segment::Name(_), Value::List(list)) => {
            list.iter_mut().for_each(|element| along(element, path, visit));
        }
        // A row with one line may have the line in place of the list.
        (Segment::All, map @ Value::Map(_)) => along(map, rest, visit),
        _ => {}
    }
}

/// The texts at the places a path leads to.
fn each(value: &Value, path: &[Segment], visit: &mut dyn FnMut(String)) {
    let Some((first, rest)) = path.split_first() else {
        match value {
            Value::Map(map) => map.values().for_each(|member| each(member, path, visit)),
            Value::List(list) => list.iter().for_each(|element| each(element, path, visit)),
            // `true` and `false` say nothing about anybody.
            Value::Bool(_) | Value::Null => {}
            single => single.to_plain_text().into_iter().for_each(visit),
        }
        return;
    };
    match (first, value) {
        (Segment::Name(name), Value::Map(map)) => {
            if let Some(member) = map.get(name) {
                each(member, rest, visit);
            }
        }
        (Segment::Index(index), Value::List(list)) => {
            if let Some(element) = list.get(*index) {
                each(element, rest, visit);
            }
        }
        (Segment::All, Value::List(list)) => list.iter().for_each(|element| each(element, rest, visit)),
        (Segment::Name(_), Value::List(list)) => list.iter().for_each(|element| each(element, path, visit)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(texts: &[&str]) -> Vec<Path> {
        texts.iter().map(|text| Path::parse(text).unwrap()).collect()
    }

    #[test]
    fn places() {
        let row = r#"{"a":"x","b":{"c":"y","d":1},"l":[{"p":"q"},{"p":2,"r":"s"}]}"#;
        let value = json::parse(row.as_bytes()).unwrap();
        for (hidden, want) in [
            (&[][..], row),
            (
                &["a", "b.c"],
                r#"{"a":"***","b":{"c":"***","d":1},"l":[{"p":"q"},{"p":2,"r":"s"}]}"#,
            ),
            (
                &["l.*.p", "b"],
                r#"{"a":"x","b":"***","l":[{"p":"***"},{"p":"***","r":"s"}]}"#,
            ),
            (
                &["l.p", "none.x"],
                r#"{"a":"x","b":{"c":"y","d":1},"l":[{"p":"***"},{"p":"***","r":"s"}]}"#,
            ),
            (&["l.1"], r#"{"a":"x","b":{"c":"y","d":1},"l":[{"p":"q"},"***"]}"#),
        ] {
            let hidden = paths(hidden);
            assert_eq!(json::to_string(&shown(&value, &hidden)), want);
            let bytes = shown_row(row.as_bytes(), &hidden);
            assert_eq!(String::from_utf8(bytes).unwrap(), want);
        }
        assert_eq!(shown_row(b"secret", &paths(&["a"])), MASK.as_bytes());
    }

    /// XML stands as it came beside what was read of it.
    #[test]
    fn what_came_is_hidden_with_what_was_read_of_it() {
        let row = r#"{"Order":{"no":"1","phone":"13800138000"},"text":"\ufeff <Order><no>1</no><phone>13800138000</phone></Order>"}"#;
        let shown = |hidden: &[&str]| {
            let bytes = shown_row(row.as_bytes(), &paths(hidden));
            String::from_utf8(bytes).unwrap()
        };
        assert_eq!(
            shown(&["Order.phone"]),
            r#"{"Order":{"no":"1","phone":"***"},"text":"***"}"#
        );
        assert_eq!(shown(&[]), row);
        let other = r#"{"phone":"13800138000","text":"call me"}"#;
        let bytes = shown_row(other.as_bytes(), &paths(&["phone"]));
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            r#"{"phone":"***","text":"call me"}"#
        );
    }

    #[test]
    fn what_others_say() {
        let value =
            json::parse(r#"{"id":"110101199003","n":[{"t":13800138000},{"t":"short"}],"o":true}"#.as_bytes());
        let redactor = Redactor::default();
        learn(&redactor, &value.unwrap(), &paths(&["id", "n", "o"]));
        assert_eq!(
            redactor.redact("no card 110101199003, call 13800138000, true"),
            "no card ***, call ***, true"
        );
    }
}
