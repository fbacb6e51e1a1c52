//! Values to JSON: compact for programs, laid out for people.

use crate::value::Value;

/// Writes a value as compact JSON: no blanks, numbers with their digits, members in their order. An instant is
/// written as its milliseconds; where a document is built, one without a filter has been refused before.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => out.extend_from_slice(number.as_str().as_bytes()),
        Value::Text(text) => write_text(text, out),
        Value::Instant(instant) => out.extend_from_slice(instant.ms.to_string().as_bytes()),
        Value::List(list) => {
            out.push(b'[');
            for (position, element) in list.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write(element, out);
            }
            out.push(b']');
        }
        Value::Map(map) => {
            out.push(b'{');
            for (position, (name, member)) in map.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write_text(name, out);
                out.push(b':');
                write(member, out);
            }
            out.push(b'}');
        }
    }
}

/// Writes one text with its quotes.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    // Most texts have nothing to escape: what stands between two such bytes is copied at once.
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[from..at]);
        from = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
        }
    }
    out.extend_from_slice(&bytes[from..]);
    out.push(b'"');
}

/// A value as compact JSON text.
pub fn to_string(value: &Value) -> String {
    let mut out = Vec::new();
    write(value, &mut out);
    String::from_utf8(out).expect("texts are UTF-8 and everything between them is ASCII")
}

/// Two spaces a level; a list or map of scalars stays on one line when it is short.
pub fn pretty(value: &Value) -> String {
    let mut text = String::new();
    print(value, 0, &mut text);
    text
}

/// Longest line on which a small list or map is kept together.
const SHORT: usize = 72;

fn print(value: &Value, level: usize, text: &mut String) {
    let line = to_string(value);
    let is_flat = match value {
        Value::List(items) => items.iter().all(is_scalar),
        Value::Map(members) => level > 0 && members.values().all(is_scalar),
        _ => true,
    };
    if is_flat && (line.len() <= SHORT || !matches!(value, Value::List(_) | Value::Map(_))) {
        text.push_str(&line);
        return;
    }
    let indent = "  ".repeat(level + 1);
    match value {
        Value::List(items) => {
            text.push('[');
            for (nth, item) in items.iter().enumerate() {
                text.push_str(if nth > 0 { ",\n" } else { "\n" });
                text.push_str(&indent);
                print(item, level + 1, text);
            }
            text.push_str(&format!("\n{}]", "  ".repeat(level)));
        }
        Value::Map(members) => {
            text.push('{');
            for (nth, (key, member)) in members.iter().enumerate() {
                text.push_str(if nth > 0 { ",\n" } else { "\n" });
                text.push_str(&format!("{indent}{}: ", to_string(&Value::Text(key.clone()))));
                print(member, level + 1, text);
            }
            text.push_str(&format!("\n{}}}", "  ".repeat(level)));
        }
        _ => text.push_str(&line),
    }
}

fn is_scalar(value: &Value) -> bool {
    match value {
        Value::List(items) => items.is_empty(),
        Value::Map(members) => members.is_empty(),
        _ => true,
    }
}
