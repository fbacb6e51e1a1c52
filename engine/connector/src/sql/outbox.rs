//! A file that is written: its name, its head and a text for each record.
//!
//! What a record cannot say in a file is told of that record and keeps nobody else out. The text is made here, so that
//! a preview shows what will stand in the file; the bytes of the charset, the file itself and what is noted about it are
//! left to whoever takes the statement.

use dsl::catalogue::source;
use dsl::{Failure, Map, Number, Value};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Parts, frame_fault, map};

/// Longest first part of a file's name, in characters: with instant and id behind it every system takes it.
const NAME_MAX: usize = 64;

/// Characters of a document's key: what the notes take.
const KEY_MAX: usize = 400;

/// What becomes of a text that a spreadsheet would take for a formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Formulas {
    /// Its record is refused.
    Refuse,
    /// An apostrophe is put before it: spreadsheets show the text without it, programs read it with it.
    Prefix,
    /// It is written as it is, for files that only programs read.
    Keep,
}

impl Formulas {
    fn parse(word: &str) -> Option<Formulas> {
        match word {
            "refuse" => Some(Formulas::Refuse),
            "prefix" => Some(Formulas::Prefix),
            "keep" => Some(Formulas::Keep),
            _ => None,
        }
    }
}

/// How the records of a CSV file are written.
struct Csv {
    columns: Vec<String>,
    separator: char,
    formulas: Formulas,
}

/// `{file: …}`: one file of one call.
pub(super) fn file(parts: &Parts<'_>) -> Result<Value, Failure> {
    let name = parts.text("name")?;
    check_stem(&name)?;
    let records = parts.need("records")?.as_list();
    let records = records.ok_or_else(|| frame_fault("records", "list"))?;
    let texts = parts.need("keys")?.get("texts").and_then(Value::as_list);
    let texts: Vec<String> = texts
        .unwrap_or_default()
        .iter()
        .filter_map(Value::to_plain_text)
        .collect();
    if texts.len() != records.len() {
        return Err(frame_fault("keys", &texts.len().to_string()));
    }
    let format = parts.text("format")?;
    let csv = match format.as_str() {
        "csv" => Some(Csv {
            columns: checked(parts.texts("columns")?)?,
            separator: separator(parts.optional_text("separator").as_deref())?,
            formulas: parts
                .optional_text("formulas")
                .map_or(Some(Formulas::Refuse), |word| Formulas::parse(&word))
                .ok_or_else(|| frame_fault("formulas", "refuse prefix keep"))?,
        }),
        "ndjson" => None,
        _ => return Err(frame_fault("format", "csv ndjson")),
    };
    let charset = parts
        .optional_text("charset")
        .unwrap_or_else(|| "utf-8".to_owned());
    let (charset, mark) = match charset.strip_suffix("-bom") {
        Some(charset) => (charset.to_owned(), "\u{feff}"),
        None => (charset, ""),
    };
    let has_head = parts
        .get("header")
        .is_none_or(|value| value.as_bool() != Some(false));
    let head = match &csv {
        Some(csv) if has_head => format!("{mark}{}", csv.head()),
        _ => mark.to_owned(),
    };
    let rows = records.iter().zip(texts).map(|(record, key)| {
        let made = match &csv {
            _ if key.chars().count() > KEY_MAX => Err(("key", format!("> {KEY_MAX}"))),
            Some(csv) => csv.line(record),
            None => json_line(record),
        };
        let of = match made {
            Ok(text) => ("text", Value::from(text)),
            Err((code, message)) => ("error", map([("code", code.into()), ("message", message.into())])),
        };
        map([("key", key.into()), of])
    });
    let rows: Vec<Value> = rows.collect();
    let attempt = parts.text("attempt")?;
    let id: String = attempt.chars().filter(char::is_ascii_alphanumeric).collect();
    let at = parts
        .need("at")?
        .to_plain_text()
        .and_then(|ms| ms.parse().ok())
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .ok_or_else(|| frame_fault("at", "ms"))?;
    let at = at.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%S%3fZ");
    Ok(map([(
        "file",
        map([
            ("of", name.as_str().into()),
            ("file", format!("{name}-{at}-{id}.{format}").into()),
            ("attempt", attempt.into()),
            ("charset", charset.into()),
            ("head", head.into()),
            ("rows", rows.into()),
        ]),
    )]))
}

/// `{noted: …}`: in which files documents stand.
pub(super) fn noted(parts: &Parts<'_>) -> Result<Value, Failure> {
    let mut keys = Vec::new();
    if let Some(filter) = parts.get("where") {
        keys_of(filter, &mut keys)?;
    }
    Ok(map([(
        "noted",
        map([("of", parts.text("name")?.into()), ("keys", keys.into())]),
    )]))
}

/// The keys that a condition names; it asks for nothing else.
fn keys_of(asked: &Value, keys: &mut Vec<Value>) -> Result<(), Failure> {
    if let Some(list) = asked.as_list() {
        return list.iter().try_for_each(|part| keys_of(part, keys));
    }
    let part = |name: &str| asked.get(name);
    if let Some(inner) = part("all").or(part("any")) {
        return keys_of(inner, keys);
    }
    let is_key = part("field").and_then(Value::as_text) == Some("doc_key");
    let is_same = matches!(part("op").and_then(Value::as_text), Some("eq" | "in"));
    match part("values").and_then(Value::as_list) {
        Some(values) if is_key && is_same => {
            keys.extend(values.iter().filter_map(Value::to_plain_text).map(Value::from));
            Ok(())
        }
        _ => Err(frame_fault("where", "doc_key")),
    }
}

/// What is wrong with the options of a file.
pub(super) fn option_faults(options: &Map) -> Vec<(&'static str, Failure)> {
    let mut faults = Vec::new();
    if let Some(name) = options.get("file").and_then(Value::as_text) {
        faults.extend(check_stem(name).err().map(|failure| ("file", failure)));
    }
    if let Some(columns) = options.get("columns").and_then(Value::as_list) {
        let columns = columns.iter().filter_map(Value::to_plain_text).collect();
        let told = checked(columns).and_then(|columns| {
            let charset = options.get("charset").and_then(Value::as_text);
            sayable(&columns, charset.unwrap_or("utf-8"))
        });
        faults.extend(told.err().map(|failure| ("columns", failure)));
    }
    if options.contains_key("formulas")
        && let Some(text) = options.get("separator").and_then(Value::as_text)
    {
        faults.extend(separator(Some(text)).err().map(|failure| ("separator", failure)));
    }
    faults
}

/// A part of a file's name is never a path.
fn check_stem(name: &str) -> Result<(), Failure> {
    let fine = |char: char| char.is_alphanumeric() || matches!(char, '-' | '_');
    let count = name.chars().count();
    if (1..=NAME_MAX).contains(&count) && name.chars().all(fine) {
        Ok(())
    } else {
        Err(Failure::new(&source::FILE_NAME).with("name", name))
    }
}

/// A file whose head lacks a name is read as one without a head.
fn sayable(columns: &[String], charset: &str) -> Result<(), Failure> {
    let Some(encoding) = encoding_rs::Encoding::for_label(charset.as_bytes()) else {
        return Ok(());
    };
    let unsaid = columns.iter().find(|name| encoding.encode(name).2);
    unsaid.map_or(Ok(()), |name| {
        Err(frame_fault("columns", &format!("{charset}: {name}")))
    })
}

fn checked(columns: Vec<String>) -> Result<Vec<String>, Failure> {
    let twice = columns
        .iter()
        .enumerate()
        .find(|(nth, name)| name.is_empty() || columns[..*nth].contains(name));
    match twice {
        Some((_, name)) => Err(frame_fault("columns", name)),
        None if columns.is_empty() => Err(frame_fault("columns", "[]")),
        None => Ok(columns),
    }
}

fn separator(text: Option<&str>) -> Result<char, Failure> {
    let mut chars = text.unwrap_or(",").chars();
    match (chars.next(), chars.next()) {
        (Some(char), None)
            if char.is_ascii() && !char.is_ascii_alphanumeric() && !"\"\r\n".contains(char) =>
        {
            Ok(char)
        }
        _ => Err(frame_fault("separator", text.unwrap_or_default())),
    }
}

/// What a record cannot say: a code and the words.
type Unsaid = (&'static str, String);

fn json_line(record: &Value) -> Result<String, Unsaid> {
    match record {
        Value::Map(_) => Ok(format!("{}\n", dsl::json::to_string(record))),
        other => Err(("nested", other.kind().name().to_owned())),
    }
}

impl Csv {
    fn head(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|name| self.cell(name)).collect();
        self.joined(&names)
    }

    fn joined(&self, cells: &[String]) -> String {
        let mut line = String::new();
        for (nth, cell) in cells.iter().enumerate() {
            if nth > 0 {
                line.push(self.separator);
            }
            line.push_str(cell);
        }
        line.push_str("\r\n");
        line
    }

    fn line(&self, record: &Value) -> Result<String, Unsaid> {
        let members = record
            .as_map()
            .ok_or_else(|| ("nested", record.kind().name().to_owned()))?;
        // A member that is left out in silence would be lost.
        if let Some(name) = members.keys().find(|name| !self.columns.contains(name)) {
            return Err(("column", format!("`{name}`: not in `columns`")));
        }
        let cells = self.columns.iter().map(|name| match members.get(name) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::Number(number)) => Ok(self.cell(number.as_str())),
            Some(value) => {
                let text = value
                    .to_plain_text()
                    .filter(|_| !matches!(value, Value::Instant(_)))
                    .ok_or_else(|| ("nested", format!("`{name}`: {}", value.kind().name())))?;
                self.text(name, &text)
            }
        });
        Ok(self.joined(&cells.collect::<Result<Vec<String>, Unsaid>>()?))
    }

    fn text(&self, name: &str, text: &str) -> Result<String, Unsaid> {
        if text.contains('\0') {
            return Err(("text", format!("`{name}`: U+0000")));
        }
        match (is_formula(text), self.formulas) {
            (true, Formulas::Refuse) => {
                let start: String = text.chars().take(40).collect();
                Err((
                    "formula",
                    format!("`{name}` would be a formula in a spreadsheet (option formulas): {start}"),
                ))
            }
            (true, Formulas::Prefix) => Ok(self.cell(&format!("'{text}"))),
            (true, Formulas::Keep) | (false, _) => Ok(self.cell(text)),
        }
    }

    fn cell(&self, text: &str) -> String {
        let is_plain = |char: char| char != self.separator && !matches!(char, '"' | '\r' | '\n');
        let edge = text.starts_with([' ', '\t']) || text.ends_with([' ', '\t']);
        match text.chars().all(is_plain) && !edge {
            true => text.to_owned(),
            false => format!("\"{}\"", text.replace('"', "\"\"")),
        }
    }
}

/// What a spreadsheet computes instead of showing: a text behind `=`, `+`, `-`, `@`, a tab or a line's end. A number is
/// none, and a sign alone is none either.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
        && text.chars().count() > 1
        && Number::parse(text).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(more: &str, record: &str) -> String {
        let (format, more) = more
            .strip_prefix("ndjson")
            .map_or(("csv", more), |more| ("ndjson", more));
        let body = format!(
            r#"{{"file": {{"format": "{format}", "name": "orders", "columns": ["no", "名称", "qty"], "at": 1795132800250,
            "attempt": "0b1d-2e", "keys": {{"fields": ["no"], "texts": ["[\"A\"]"]}}, "records": [{record}]{more}}}}}"#
        );
        let body = dsl::json::parse(body.as_bytes()).unwrap();
        let zone = TimeZone::UTC;
        let cx = super::super::Cx {
            driver: super::super::Driver::Files,
            zone: &zone,
        };
        String::from_utf8(super::super::statement(&body, &cx).unwrap()).unwrap()
    }

    #[track_caller]
    fn row(more: &str, record: &str, want: &str) {
        let said = said(more, record);
        assert!(said.ends_with(&format!("{want}]}}}}")), "{said}");
    }

    #[test]
    fn a_file_and_its_rows() {
        assert_eq!(
            said("", r#"{"qty": 1.50, "no": "00123", "名称": "客户, \"A\""}"#),
            r#"{"file":{"of":"orders","file":"orders-20261120T000000250Z-0b1d2e.csv","attempt":"0b1d-2e","charset":"utf-8","head":"no,名称,qty\r\n","rows":[{"key":"[\"A\"]","text":"00123,\"客户, \"\"A\"\"\",1.50\r\n"}]}}"#
        );
        let bom = said(r#", "charset": "utf-8-bom""#, r#"{"no": 1}"#);
        assert!(
            bom.contains("\"charset\":\"utf-8\",\"head\":\"\u{feff}no,"),
            "{bom}"
        );
        let bare = said(r#", "header": false"#, r#"{"no": 1}"#);
        assert!(bare.contains(r#""head":"""#), "{bare}");
        let lines = said("ndjson", r#"{"no": 1.50, "l": [1]}"#);
        assert!(
            lines.contains(r#""head":"","rows":[{"key":"[\"A\"]","text":"{\"no\":1.50,\"l\":[1]}\n"}]"#),
            "{lines}"
        );
    }

    /// What is refused is refused by record; every text stays in its cell.
    #[test]
    fn cells() {
        for (more, record, want) in [
            ("", r#"{"no": null, "qty": true}"#, r#""text":",,true\r\n"}"#),
            ("", r#"{"no": "a\nb"}"#, r#""text":"\"a\nb\",,\r\n"}"#),
            ("", r#"{"no": " a"}"#, r#""text":"\" a\",,\r\n"}"#),
            (
                r#", "separator": ";""#,
                r#"{"no": "a,b"}"#,
                r#""text":"a,b;;\r\n"}"#,
            ),
            ("", r#"{"no": "-5.00", "qty": -3}"#, r#""text":"-5.00,,-3\r\n"}"#),
            ("", r#"{"no": "-"}"#, r#""text":"-,,\r\n"}"#),
            (
                "",
                r#"{"no": "=1+1"}"#,
                r#""error":{"code":"formula","message":"`no` would be a formula in a spreadsheet (option formulas): =1+1"}}"#,
            ),
            (
                "",
                r#"{"no": "@A1"}"#,
                r#""error":{"code":"formula","message":"`no` would be a formula in a spreadsheet (option formulas): @A1"}}"#,
            ),
            (
                r#", "formulas": "prefix""#,
                r#"{"no": "+86 1"}"#,
                r#""text":"'+86 1,,\r\n"}"#,
            ),
            (
                r#", "formulas": "keep""#,
                r#"{"no": "=1+1"}"#,
                r#""text":"=1+1,,\r\n"}"#,
            ),
            (
                "",
                r#"{"no": [1]}"#,
                r#""error":{"code":"nested","message":"`no`: list"}}"#,
            ),
            (
                "",
                r#"{"other": 1}"#,
                r#""error":{"code":"column","message":"`other`: not in `columns`"}}"#,
            ),
        ] {
            row(more, record, want);
        }
    }

    #[test]
    fn names_and_columns_are_looked_at_before_anything_runs() {
        for (options, at) in [
            (r#"{"file": "../orders"}"#, "file"),
            (r#"{"file": ".orders"}"#, "file"),
            (r#"{"file": ""}"#, "file"),
            (r#"{"columns": ["a", "a"]}"#, "columns"),
            (r#"{"columns": []}"#, "columns"),
            (r#"{"separator": "ab", "formulas": "keep"}"#, "separator"),
        ] {
            let options = dsl::json::parse(options.as_bytes()).unwrap();
            let faults = option_faults(options.as_map().unwrap());
            assert_eq!(faults.iter().map(|(name, _)| *name).collect::<Vec<_>>(), [at]);
        }
        let fine = dsl::json::parse(
            r#"{"file": "出库-1_a", "columns": ["a"], "separator": "\t", "formulas": "keep"}"#.as_bytes(),
        )
        .unwrap();
        assert!(option_faults(fine.as_map().unwrap()).is_empty());
    }
}
