//! Values to YAML text, in the style of hand-written schemes: what fits on a line in braces, everything else in blocks.
//!
//! Promises that [`super::read`] reads the text as the same value. Spans of an existing file are the caller's affair.

use crate::value::{Map, Value};

/// Columns of a line, beyond which a value is broken into a block: what editors show beside a list of files.
const WIDTH: usize = 110;
/// Maps in maps on one line; deeper ones are hard to read.
const FLAT: usize = 3;

/// A value that the format has no words for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unwritable {
    /// A number of more than 15 digits or with an exponent: without quotes it would be read as text.
    Number(String),
    /// An instant, which has no text before a filter prints it.
    Instant,
    /// A text or a name with characters that a file may not have.
    Control,
}

/// A member as it stands behind its name: ` value` on the same line, or a line break and a block that begins in the
/// column `indent` (from 0). Without a line break at the end.
pub fn member(value: &Value, indent: usize) -> Result<String, Unwritable> {
    if indent == 0 || !is_short(value, indent)? {
        return Ok(format!("\n{}", block(value, indent)?));
    }
    Ok(format!(" {}", flow(value)?))
}

/// A value in lines of its own that begin in the column `indent`. An empty or single value is one line.
pub fn block(value: &Value, indent: usize) -> Result<String, Unwritable> {
    let mut lines = Vec::new();
    let pad = " ".repeat(indent);
    match value {
        Value::Map(map) if !map.is_empty() => {
            for (name, value) in map {
                lines.push(format!("{pad}{}:{}", name_of(name)?, below(value, indent + 2)?));
            }
        }
        Value::List(items) if !items.is_empty() => {
            for item in items {
                let text = if is_short(item, indent + 2)? {
                    flow(item)?
                } else {
                    // The first line of the block stands behind the dash.
                    block(item, indent + 2)?.trim_start().to_owned()
                };
                lines.push(format!("{pad}- {text}"));
            }
        }
        single => lines.push(format!("{pad}{}", flow(single)?)),
    }
    Ok(lines.join("\n"))
}

/// A value on one line.
pub fn flow(value: &Value) -> Result<String, Unwritable> {
    Ok(match value {
        Value::Null => "null".to_owned(),
        Value::Bool(true) => "true".to_owned(),
        Value::Bool(false) => "false".to_owned(),
        Value::Number(number) => match plain(number.as_str()) {
            Value::Number(_) => number.as_str().to_owned(),
            _ => return Err(Unwritable::Number(number.as_str().to_owned())),
        },
        Value::Text(text) => scalar(text)?,
        Value::Instant(_) => return Err(Unwritable::Instant),
        Value::List(items) => {
            let items: Result<Vec<String>, Unwritable> = items.iter().map(flow).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Map(map) => {
            let members: Result<Vec<String>, Unwritable> = map
                .iter()
                .map(|(name, value)| Ok(format!("{}: {}", name_of(name)?, flow(value)?)))
                .collect();
            format!("{{{}}}", members?.join(", "))
        }
    })
}

fn below(value: &Value, indent: usize) -> Result<String, Unwritable> {
    if is_short(value, indent)? {
        return Ok(format!(" {}", flow(value)?));
    }
    Ok(format!("\n{}", block(value, indent)?))
}

fn is_short(value: &Value, indent: usize) -> Result<bool, Unwritable> {
    Ok(match value {
        Value::Map(map) if !map.is_empty() => {
            depth(value) <= FLAT && indent + flow(value)?.chars().count() <= WIDTH
        }
        // One line an element, unless they are single values.
        Value::List(items) => {
            items
                .iter()
                .all(|item| !matches!(item, Value::Map(_) | Value::List(_)))
                && indent + flow(value)?.chars().count() <= WIDTH
        }
        _ => true,
    })
}

fn depth(value: &Value) -> usize {
    let most = |values: &mut dyn Iterator<Item = &Value>| values.map(depth).max().unwrap_or(0);
    match value {
        Value::Map(map) => 1 + most(&mut Map::values(map)),
        Value::List(items) => 1 + most(&mut items.iter()),
        _ => 0,
    }
}

/// What the reader makes of a word without quotes.
fn plain(word: &str) -> Value {
    super::Scalar {
        text: word.to_owned(),
        style: super::Style::Plain,
        pieces: Box::default(),
    }
    .plain_value()
}

/// A name of a map; a name is text whatever it looks like.
fn name_of(name: &str) -> Result<String, Unwritable> {
    if is_word(name) {
        return Ok(name.to_owned());
    }
    scalar(name)
}

/// Letters first, then nothing that means something to YAML.
fn is_word(text: &str) -> bool {
    let fine = |char: char| char.is_alphanumeric() || "_-./ ".contains(char);
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && text.chars().all(fine)
        && !text.ends_with(' ')
}

/// A text; without quotes only where no reader of YAML could take it for something else.
fn scalar(text: &str) -> Result<String, Unwritable> {
    const ELSEWHERE: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    if is_word(text) && !ELSEWHERE.contains(&text.to_ascii_lowercase().as_str()) {
        return Ok(text.to_owned());
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            '\u{fffe}' | '\u{ffff}' | '\u{feff}' => return Err(Unwritable::Control),
            control if control.is_control() || matches!(control, '\u{2028}' | '\u{2029}') => {
                quoted.push_str(&format!("\\u{:04X}", u32::from(control)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    Ok(quoted)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use proptest::prelude::*;

    use super::*;
    use crate::diagnostic::SourceFile;
    use crate::json;

    fn value(json: &str) -> Value {
        json::parse(json.as_bytes()).expect("JSON")
    }

    #[test]
    fn a_document_looks_as_if_written_by_hand() {
        let document = value(
            r#"{"FBillNo": "100001", "FDate": "2026-11-20 10:15:00", "FSaleOrgId": {"FNumber": "100"}, "FNote": "易碎,请", "No": "no",
                "Empty": {}, "None": [], "Codes": ["a", "007"], "Deep": {"a": {"b": {"c": {"d": 1}}}},
                "FEntity": [{"FMaterialID": {"FNumber": "A-001"}, "FRealQty": 3.10, "FIsFree": "false"},
                  {"FMaterialID": {"FNumber": "a material with a very long number that needs more than a line of its own"}, "FNote": "and this"}]}"#,
        );
        expect![[r#"

            FBillNo: "100001"
            FDate: "2026-11-20 10:15:00"
            FSaleOrgId: {FNumber: "100"}
            FNote: "易碎,请"
            No: "no"
            Empty: {}
            None: []
            Codes: [a, "007"]
            Deep:
              a: {b: {c: {d: 1}}}
            FEntity:
              - {FMaterialID: {FNumber: A-001}, FRealQty: 3.10, FIsFree: "false"}
              - FMaterialID: {FNumber: a material with a very long number that needs more than a line of its own}
                FNote: and this"#]]
        .assert_eq(&member(&document, 0).expect("writable"));
        assert_eq!(member(&value("[]"), 4), Ok(" []".to_owned()));
    }

    #[test]
    fn what_would_be_read_as_something_else_is_refused() {
        let long = value("1234567890123456");
        assert_eq!(
            flow(&long),
            Err(Unwritable::Number("1234567890123456".to_owned()))
        );
        assert!(matches!(flow(&value("1e3")), Err(Unwritable::Number(_))));
        assert_eq!(
            flow(&Value::Text("\u{feff}x".to_owned())),
            Err(Unwritable::Control)
        );
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let single = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            "-?(0|[1-9][0-9]{0,7})(\\.[0-9]{1,7})?"
                .prop_map(|text| Value::Number(crate::value::Number::parse(&text).expect("a number"))),
            "[a-z0-9:#{}<>,' \"\\\\\n\t\u{4e00}-\u{4e10}~!%&*|?\\[\\]@`-]{0,12}".prop_map(Value::Text),
            any::<String>().prop_map(Value::Text),
        ];
        single.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
                prop::collection::vec(("[a-zA-Z0-9 :#.]{1,8}", inner), 0..5)
                    .prop_map(|members| Value::Map(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value in any_value(), indent in 2usize..9) {
            let Ok(written) = member(&value, indent) else {
                return Ok(());
            };
            let text = format!("outer:{written}");
            let file = SourceFile::new("test.yaml", text.as_str());
            let node = crate::yaml::read(&file).map_err(|problems| {
                TestCaseError::fail(format!("{text}\n{:?}", problems.first().map(|one| one.entry.code)))
            })?;
            prop_assert_eq!(node.get("outer").expect("written").value.plain_value(), value, "{}", text);
        }
    }
}
