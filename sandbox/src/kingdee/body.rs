//! The five shapes in which public clients send one and the same call.
//!
//! A: `{"formid": ..., "data": {...}}`. B: the same with `data` as JSON text. C: `{"parameters":
//! [formid, data]}` (for queries `[data]`). D: C inside an envelope with `format`, `rid`, ... and
//! `parameters` possibly as JSON text. E: a form with `formid` and `data`. A bare array is refused,
//! as the real server does.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::store::{Fields, scalar};
use crate::form;

/// The arguments of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Args {
    /// Every argument as JSON or plain text, in order; `data` comes last.
    list: Vec<String>,
    named: BTreeMap<String, String>,
}

impl Args {
    /// A positional argument of form C, else the form field of that name (form E).
    pub(crate) fn at(&self, index: usize, name: &str) -> Option<&str> {
        self.named
            .get(name)
            .or_else(|| self.list.get(index))
            .map(String::as_str)
    }

    pub(crate) fn form(&self) -> Option<&str> {
        self.at(0, "formid")
    }

    /// The JSON text of `data`.
    pub(crate) fn data(&self) -> Option<&str> {
        self.named
            .get("data")
            .or_else(|| self.list.last())
            .map(String::as_str)
    }
}

/// Whether the server reads bodies of this type.
pub(crate) fn is_known(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    ["application/json", "application/x-www-form-urlencoded"]
        .iter()
        .any(|known| kind.eq_ignore_ascii_case(known))
}

/// Reads a body; the error is the sentence of the exception the server would throw.
pub(crate) fn parse(content_type: &str, body: &[u8]) -> Result<Args, String> {
    let mut args = Args {
        list: Vec::new(),
        named: BTreeMap::new(),
    };
    if content_type.starts_with("application/x-www-form-urlencoded") {
        for (name, value) in form::split(body) {
            args.named
                .insert(form::lossy(name).to_ascii_lowercase(), form::lossy(value));
        }
        return Ok(args);
    }
    let text = std::str::from_utf8(body).map_err(|_| "请求不是 UTF-8 文本".to_owned())?;
    if text.trim_start().starts_with('[') {
        return Err("Additional text found in JSON string after parsing object.".to_owned());
    }
    let fields: Fields = serde_json::from_str(text).map_err(|e| format!("JSON 解析失败：{e}"))?;
    for (name, value) in &fields {
        if name.eq_ignore_ascii_case("parameters") {
            let inner = plain(value);
            let list: Vec<Box<RawValue>> =
                serde_json::from_str(&inner).map_err(|e| format!("parameters 不是数组：{e}"))?;
            args.list = list.iter().map(|v| plain(v)).collect();
        } else {
            args.named.insert(name.to_ascii_lowercase(), plain(value));
        }
    }
    Ok(args)
}

/// Text without its quotes, everything else as its JSON.
fn plain(raw: &RawValue) -> String {
    scalar(raw).unwrap_or_else(|| raw.get().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_shapes_say_the_same() {
        let json = "application/json; charset=utf-8";
        let data = r#"{"Model":{"FName":"张 三+"}}"#;
        let text = serde_json::to_string(data).unwrap();
        let inner = serde_json::to_string(&format!(r#"["BD_Customer",{text}]"#)).unwrap();
        let form =
            "formid=BD_Customer&data=%7B%22Model%22%3A%7B%22FName%22%3A%22%E5%BC%A0+%E4%B8%89%2B%22%7D%7D";
        let cases = [
            (json, format!(r#"{{"formid":"BD_Customer","data":{data}}}"#)),
            (json, format!(r#"{{"formid":"BD_Customer","data":{text}}}"#)),
            (json, format!(r#"{{"parameters":["BD_Customer",{data}]}}"#)),
            (json, format!(r#"{{"parameters":["BD_Customer",{text}]}}"#)),
            (
                json,
                format!(r#"{{"format":1,"useragent":"ApiClient","rid":"1","parameters":{inner},"v":"1.0"}}"#),
            ),
            ("application/x-www-form-urlencoded", form.to_owned()),
        ];
        for (content_type, body) in cases {
            let args = parse(content_type, body.as_bytes()).unwrap_or_else(|e| panic!("{body}: {e}"));
            assert_eq!(args.form(), Some("BD_Customer"), "{body}");
            assert_eq!(args.data(), Some(data), "{body}");
        }
        let query = parse(json, br#"{"parameters":[{"FormId":"X"}]}"#).unwrap();
        assert_eq!(query.data(), Some(r#"{"FormId":"X"}"#));
    }

    #[test]
    fn broken_bodies_are_refused() {
        for body in ["", "[1]", "{", "{\"parameters\":5}", "\u{feff}{}"] {
            assert!(parse("application/json", body.as_bytes()).is_err(), "{body}");
        }
        assert!(parse("application/json", b"{\"a\":\"\xff\"}").is_err());
    }
}
