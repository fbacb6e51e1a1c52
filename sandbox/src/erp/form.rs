//! What a home-grown ERP speaks: JSON, the same as a text, or XML with the names of JSON as elements. XML has no lists: an
//! element that comes again is another element of a list, and every value is a text.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use crate::kingdee::store::Fields;
use crate::reply::Reply;

/// Deepest nesting that is read; a document with lines has four.
const DEPTH: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Text,
    Xml,
}

impl Form {
    /// The form that a request has; `None` when it is no form that is spoken here.
    pub(super) fn of(content_type: &str) -> Option<Form> {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        match kind.to_ascii_lowercase().as_str() {
            "application/json" => Some(Form::Json),
            "text/plain" => Some(Form::Text),
            "application/xml" | "text/xml" => Some(Form::Xml),
            _ => None,
        }
    }

    /// The members of a body. Digits of JSON stay as they are.
    pub(super) fn read(self, body: &[u8]) -> Result<Fields, String> {
        match self {
            Form::Json | Form::Text => {
                serde_json::from_slice(body).map_err(|error| format!("不是 JSON 对象：{error}"))
            }
            Form::Xml => match xml(body)? {
                Value::Object(members) => Ok(members
                    .into_iter()
                    .map(|(name, value)| (name, raw(&value)))
                    .collect()),
                _ => Ok(Fields::new()),
            },
        }
    }

    /// An answer, whose `data` is JSON already.
    pub(super) fn answer(self, code: &str, message: &str, data: &str) -> Reply {
        let quoted = |text: &str| Value::from(text).to_string();
        let json = format!(
            r#"{{"code":{},"message":{},"data":{data}}}"#,
            quoted(code),
            quoted(message)
        );
        match self {
            Form::Json => Reply::json(json),
            Form::Text => Reply::text(200, json),
            Form::Xml => {
                let value = serde_json::from_str(&json).unwrap_or(Value::Null);
                let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_owned();
                write("response", &value, &mut out);
                Reply::new(200, "application/xml; charset=utf-8", out)
            }
        }
    }
}

pub(super) fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).expect("a value is always JSON")
}

/// An element that is open: its name, its members, its text.
type Open = (String, Map<String, Value>, String);

fn closed((_, members, text): Open) -> Value {
    if members.is_empty() {
        Value::from(text)
    } else {
        Value::Object(members)
    }
}

fn add(members: &mut Map<String, Value>, name: String, value: Value) {
    match members.get_mut(&name) {
        None => {
            members.insert(name, value);
        }
        Some(Value::Array(list)) => list.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
}

/// What stands in the root element; document types and attributes are refused.
fn xml(body: &[u8]) -> Result<Value, String> {
    let wrong = |what: &str| format!("不是 XML：{what}");
    let text = std::str::from_utf8(body).map_err(|_| wrong("UTF-8"))?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    loop {
        let ended = match reader.read_event().map_err(|error| wrong(&error.to_string()))? {
            Event::Start(start) | Event::Empty(start) if start.attributes().next().is_some() => {
                return Err(wrong("属性"));
            }
            Event::Start(start) => {
                if open.len() >= DEPTH || root.is_some() {
                    return Err(wrong("层次"));
                }
                let name = start.local_name().into_inner().to_owned();
                open.push((name, Map::new(), String::new()));
                None
            }
            Event::Empty(start) => {
                let name = start.local_name().into_inner().to_owned();
                Some((name, Map::new(), String::new()))
            }
            Event::End(_) => open.pop(),
            Event::Text(text) => {
                if let Some((_, _, own)) = open.last_mut() {
                    own.push_str(&text.xml10_content());
                }
                None
            }
            Event::CData(text) => {
                if let Some((_, _, own)) = open.last_mut() {
                    own.push_str(&text.xml10_content());
                }
                None
            }
            Event::GeneralRef(reference) => {
                let char = match &*reference {
                    "lt" => Some('<'),
                    "gt" => Some('>'),
                    "amp" => Some('&'),
                    "quot" => Some('"'),
                    "apos" => Some('\''),
                    _ => reference.resolve_char_ref().ok().flatten(),
                };
                let char = char.ok_or_else(|| wrong("实体"))?;
                if let Some((_, _, own)) = open.last_mut() {
                    own.push(char);
                }
                None
            }
            Event::DocType(_) => return Err(wrong("DOCTYPE")),
            Event::Eof => break,
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => None,
        };
        if let Some(element) = ended {
            let name = element.0.clone();
            match open.last_mut() {
                Some((_, members, _)) => add(members, name, closed(element)),
                None => root = Some(closed(element)),
            }
        }
    }
    root.filter(|_| open.is_empty())
        .ok_or_else(|| wrong("没有根元素"))
}

fn write(name: &str, value: &Value, out: &mut String) {
    if let Value::Array(list) = value {
        return list.iter().for_each(|one| write(name, one, out));
    }
    out.push_str(&format!("<{name}>"));
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| write(name, value, out)),
        Value::String(text) => escape(text, out),
        Value::Null | Value::Array(_) => {}
        other => out.push_str(&other.to_string()),
    }
    out.push_str(&format!("</{name}>"));
}

fn escape(text: &str, out: &mut String) {
    for char in text.chars() {
        match char {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            char => out.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_says_what_json_says() {
        let text = "<?xml version=\"1.0\"?><r><objAPIName>a&amp;b</objAPIName><masterFieldVal><no>00123</no></masterFieldVal>\
                    <detailFieldVals><l><no>1</no></l><l><no>2</no></l></detailFieldVals></r>";
        let fields = Form::Xml.read(text.as_bytes()).unwrap();
        assert_eq!(fields["objAPIName"].get(), r#""a&b""#);
        assert_eq!(fields["masterFieldVal"].get(), r#"{"no":"00123"}"#);
        assert_eq!(
            fields["detailFieldVals"].get(),
            r#"{"l":[{"no":"1"},{"no":"2"}]}"#
        );
        for bad in [
            "",
            "<a>",
            "<!DOCTYPE a><a/>",
            "<a b='1'/>",
            "<a>&x;</a>",
            "<a/><b>1</b>",
        ] {
            assert!(Form::Xml.read(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn answers_have_the_form_of_their_requests() {
        let data = r#"{"masterDataId":"7","detailDataIds":{"l":["1","2"]}}"#;
        let of = |form: Form| {
            let reply = form.answer("0", "a<b", data);
            (reply.content_type, String::from_utf8(reply.body).unwrap())
        };
        let json =
            r#"{"code":"0","message":"a<b","data":{"masterDataId":"7","detailDataIds":{"l":["1","2"]}}}"#;
        assert_eq!(of(Form::Json).1, json);
        assert_eq!(of(Form::Text), ("text/plain; charset=utf-8", json.to_owned()));
        let (kind, text) = of(Form::Xml);
        assert_eq!(kind, "application/xml; charset=utf-8");
        let read = Form::Xml.read(text.as_bytes()).unwrap();
        assert_eq!(read["message"].get(), r#""a<b""#);
        assert!(text.contains("<l>1</l><l>2</l>"), "{text}");
        assert_eq!(Form::of("text/xml; charset=utf-8"), Some(Form::Xml));
        assert_eq!(Form::of("application/x-www-form-urlencoded"), None);
    }
}
