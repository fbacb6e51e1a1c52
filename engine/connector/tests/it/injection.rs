//! Texts that try to be more than a value, through every place of a call in which a value may stand.

use std::sync::Arc;

use crate::common::{connect, json, secrets};
use connector::{Call, Connection, Connector, FilterValue, PageState, connections};
use dsl::cond::{Asked, Op};
use dsl::{Map, Path, SourceFile, Value};

const AT: i64 = 1_700_000_000_000;

/// The corpus of the whole project; a line is a JSON string, `#` begins a heading.
fn strings() -> Vec<String> {
    let lines = include_str!("../../../../tests/corpus/injection/strings.txt").lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let texts: Vec<String> = lines
        .map(|line| match json(line) {
            Value::Text(text) => text,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(texts.len() >= 300, "{}", texts.len());
    texts
}

/// A filter taken apart: what stands outside of quotes, and the texts inside. `None` when a quote is open at the end.
fn apart(filter: &str) -> Option<(String, Vec<String>)> {
    let (mut outside, mut texts) = (String::new(), Vec::new());
    let mut chars = filter.chars().peekable();
    while let Some(char) = chars.next() {
        if char != '\'' {
            outside.push(char);
            continue;
        }
        let mut text = String::new();
        loop {
            match chars.next()? {
                '\'' if chars.peek() == Some(&'\'') => text.extend(chars.next()),
                '\'' => break,
                char => text.push(char),
            }
        }
        outside.push('?');
        texts.push(text);
    }
    Some((outside, texts))
}

/// Refused before anything is asked: control characters and their like, and what is too long to be a code.
fn is_refused(text: &str) -> bool {
    let odd = |char: char| char.is_control() || matches!(char, '\u{2028}' | '\u{2029}' | '\u{feff}');
    text.contains(odd) || text.chars().count() > 256
}

#[test]
fn a_value_cannot_leave_its_place_in_a_filter() {
    let k3 = connect("k3", "default");
    let options = match json(r#"{"FormId":"BD_Customer"}"#) {
        Value::Map(map) => map,
        _ => Map::new(),
    };
    let fields = [("id".to_owned(), "FCUSTID".to_owned())];
    let test = |op: Op, values: &[&str]| Asked::Test {
        field: Path::parse("FNumber").unwrap(),
        op,
        values: values.iter().map(|value| Value::from(*value)).collect(),
    };
    let filter = |asked: Asked| {
        let call = Call {
            fields: Some(&fields),
            filter: Some(FilterValue::Asked(asked)),
            page: Some(PageState {
                number: 1,
                size: 10,
                ..PageState::default()
            }),
            ..Call::new("executeBillQuery", &options, AT)
        };
        let body = k3.prepare(&call).map_err(|failure| failure.code())?.body;
        let body = json(std::str::from_utf8(&body).expect("JSON is text"));
        let filter = body.get("data").and_then(|data| data.get("FilterString"));
        Ok::<_, &str>(filter.and_then(Value::as_text).expect("a filter").to_owned())
    };
    let mut refused = 0;
    for text in strings() {
        let text = text.as_str();
        for (asked, outside, count) in [
            (test(Op::Eq, &[text]), "FNumber = ?", 1),
            (test(Op::Like, &[text]), "FNumber LIKE ?", 1),
            (test(Op::In, &[text, "x", text]), "FNumber IN (?, ?, ?)", 3),
            (test(Op::Between, &["a", text]), "FNumber BETWEEN ? AND ?", 2),
            (
                Asked::Any(vec![
                    test(Op::Neq, &[text]),
                    Asked::Not(Box::new(test(Op::Gt, &[text]))),
                ]),
                "FNumber <> ? OR NOT (FNumber > ?)",
                2,
            ),
        ] {
            let got = filter(asked);
            if is_refused(text) {
                assert_eq!(got, Err("E3008"), "{text:?}");
                refused += 1;
                continue;
            }
            let printed = got.unwrap_or_else(|code| panic!("{code}: {text:?}"));
            let (around, texts) = apart(&printed).unwrap_or_else(|| panic!("an open quote: {printed}"));
            assert_eq!(around, outside, "{text:?}");
            assert_eq!(texts.len(), count);
            assert!(
                texts
                    .iter()
                    .all(|found| found == text || found == "x" || found == "a"),
                "{printed}"
            );
        }
        // As a field it is nothing at all, unless it looks like one.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
        if let Ok(path) = Path::parse(text)
            && !path.to_string().bytes().all(plain)
        {
            let asked = Asked::Test {
                field: path,
                op: Op::Eq,
                values: vec!["x".into()],
            };
            assert_eq!(filter(asked), Err("E3007"), "{text:?}");
        }
    }
    assert!(refused > 0, "the corpus has control characters");
}

/// A system with a value at every place of a call.
const PLACES: &str = r#"
connector: places
name: {zh: 各处, en: places}
version: 1
zone: UTC
params:
  server: {type: url}
hosts: [<<$param.server>>]
outcome: [{when: body.ok, class: ok}]
operations:
  form: {kind: read, method: POST, path: rows, encode: form, query: {a: x, q: <<$request.v>>}, body: {f: <<$request.v>>, z: y}, rows: {at: data}}
  json: {kind: read, method: POST, path: rows, headers: {x-v: <<$request.v>>}, body: {f: <<$request.v>>, z: [<<$request.v>>]}, rows: {at: data}}
  path: {kind: read, method: GET, path: "rows/<<$request.v>>/lines", encode: none, rows: {at: data}}
"#;

fn places() -> Connection {
    let registry = functions::registry();
    let file = SourceFile::new("connector.yaml", PLACES);
    let connector: Arc<Connector> = Arc::new(connector::load(&file, &registry).expect("a good file"));
    let file = SourceFile::new(
        "connections.yaml",
        "connections: {p: {connector: places, params: {server: \"https://erp.example.com/api/\"}}}\n",
    );
    let connections = connections::load(&file, &[connector], &registry).expect("a good file");
    connections
        .resolve("p", "default", &secrets(&[]))
        .expect("nothing is missing")
}

/// The only percent-encoding that an address holds is undone.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let pair = [rest.next().expect("two digits"), rest.next().expect("two digits")];
            let pair = std::str::from_utf8(&pair).expect("ASCII");
            bytes.push(u8::from_str_radix(pair, 16).expect("hex"));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).expect("it was text")
}

#[test]
fn a_value_cannot_leave_its_place_in_a_call() {
    let connection = places();
    let none = Map::new();
    for text in strings() {
        let request = |operation: &'static str| {
            let mut row = Map::new();
            row.insert("v".to_owned(), text.as_str().into());
            let call = Call {
                request: Some(Value::Map(row)),
                ..Call::new(operation, &none, AT)
            };
            let prepared = connection.prepare(&call).map_err(|failure| failure.code())?;
            connection
                .sign(&prepared, None, AT, [7; 16])
                .map_err(|failure| failure.code())
        };
        let sent = request("form").unwrap_or_else(|code| panic!("{code}: {text:?}"));
        let query = sent.url.strip_prefix("https://erp.example.com/api/rows?a=x&q=");
        assert_eq!(query.map(decoded).as_deref(), Some(text.as_str()), "{}", sent.url);
        assert!(
            !query.unwrap_or_default().contains(['&', '#', '=', ' ', '+']),
            "{}",
            sent.url
        );
        let body = std::str::from_utf8(&sent.body).expect("ASCII");
        let inner = body.strip_prefix("f=").and_then(|rest| rest.strip_suffix("&z=y"));
        assert_eq!(inner.map(decoded).as_deref(), Some(text.as_str()), "{body}");

        // A header holds one line, or the call is not made.
        match request("json") {
            Ok(sent) => {
                assert!(!text.chars().any(char::is_control), "{text:?}");
                let values: Vec<&String> = sent
                    .headers
                    .iter()
                    .filter(|(name, _)| name == "x-v")
                    .map(|(_, v)| v)
                    .collect();
                assert_eq!(values, [&text]);
                let body = json(std::str::from_utf8(&sent.body).expect("JSON is text"));
                assert_eq!(body.get("f").and_then(Value::as_text), Some(text.as_str()));
                assert_eq!(body.as_map().map(Map::len), Some(2));
            }
            Err(code) => {
                assert_eq!(code, "E3010");
                assert!(text.chars().any(char::is_control), "{text:?}");
            }
        }

        // In a path it is one part, or the call is not made.
        match request("path") {
            Ok(sent) => {
                let part = sent.url.strip_prefix("https://erp.example.com/api/rows/");
                let part = part.and_then(|rest| rest.strip_suffix("/lines"));
                assert_eq!(part.map(decoded).as_deref(), Some(text.as_str()), "{}", sent.url);
                assert!(
                    !part.unwrap_or_default().contains(['/', '?', '#', ';', '&', '@']),
                    "{}",
                    sent.url
                );
            }
            Err(code) => {
                assert_eq!(code, "E3010");
                assert!(text.is_empty() || text == "." || text == "..", "{text:?}");
            }
        }
    }
}

/// What would lead out of a folder of the server stays one part of the path.
#[test]
fn a_path_is_not_climbed() {
    let connection = places();
    let none = Map::new();
    for (text, part) in [
        ("../admin", Some("..%2Fadmin")),
        ("a/../../b", Some("a%2F..%2F..%2Fb")),
        ("%2e%2e%2fadmin", Some("%252e%252e%252fadmin")),
        ("..\\admin", Some("..%5Cadmin")),
        ("/etc/passwd", Some("%2Fetc%2Fpasswd")),
        ("a?x=1#y", Some("a%3Fx%3D1%23y")),
        ("a\0b", Some("a%00b")),
        ("//evil.example.com", Some("%2F%2Fevil.example.com")),
        ("..", None),
        (".", None),
        ("", None),
    ] {
        let mut row = Map::new();
        row.insert("v".to_owned(), text.into());
        let call = Call {
            request: Some(Value::Map(row)),
            ..Call::new("path", &none, AT)
        };
        let got = connection.prepare(&call).map(|prepared| prepared.path);
        let want = part.map(|part| format!("/api/rows/{part}/lines"));
        assert_eq!(got.ok(), want, "{text:?}");
    }
}
