//! What other systems send by themselves: by a token, and by a signature over the body as it came.

use std::sync::Arc;

use connector::{Inbound, Received, Refusal};
use dsl::{Map, SourceFile, Value};

use crate::files::problems_of_connector;

const SHOP: &str = r#"
connector: shop
params: {server: {type: url}, key: {type: text, secret: true}}
hosts: [<<$param.server>>]
outcome: [{when: http.status == 200, class: ok}]
operations:
  orders:
    kind: receive
    path: hooks/orders
    accept: [json, form, xml]
    options: {topic: {type: text}}
    verify: {given: "headers['x-sign']", equals: "(headers['x-time'] ~ '.' ~ (raw | hex)) | hmac_sha256(key) | hex", at: "headers['x-time']", within: 5m}
    push: {id: "headers['x-id']", void: body.status == 'cancelled', rows: "body.list | default([body])", ok: "body.text is undefined or body.text is startingwith('<')"}
    answer:
      stored: {body: {ok: true, id: <<$push.id>>, count: <<$push.count>>}}
      refused: {status: 403, headers: {x-why: <<$error.code>>}, body: "no: <<$error.message>>"}
"#;

const NOW: i64 = 1_700_000_000_000;

fn shop() -> connector::Connection {
    let file = SourceFile::new("connector.yaml", SHOP);
    let loaded =
        connector::load(&file, &functions::registry()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let yaml = "connections:\n  shop: {connector: shop, params: {server: \"https://shop.example.com/\", key: \"${env:K}\"}}\n";
    let file = SourceFile::new("connections.yaml", yaml);
    let known = [Arc::new(loaded)];
    let connections =
        connector::connections::load(&file, &known, &functions::registry()).expect("a good file");
    struct One;
    impl connector::Secrets for One {
        fn get(&self, _kind: connector::SecretKind, _name: &str) -> Option<String> {
            Some("s3cret".to_owned())
        }
    }
    connections
        .resolve("shop", "default", &One)
        .expect("all is there")
}

/// HMAC-SHA-256 by its definition, with nothing of the connector crate.
fn sign(time: &str, body: &[u8]) -> String {
    use sha2::Digest as _;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let pad = |with: u8| {
        let mut key = [with; 64];
        key.iter_mut().zip(b"s3cret").for_each(|(pad, key)| *pad ^= key);
        key
    };
    let text = format!("{time}.{}", hex(body));
    let inner = sha2::Sha256::new()
        .chain_update(pad(0x36))
        .chain_update(text)
        .finalize();
    hex(&sha2::Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner)
        .finalize())
}

fn push(time: &str, signed: &[u8], body: &[u8], kind: &str) -> Inbound {
    let headers = [
        ("X-Time", time.to_owned()),
        ("X-Sign", sign(time, signed)),
        ("X-Id", "A-7".to_owned()),
        ("Topic", "orders".to_owned()),
        ("Content-Type", kind.to_owned()),
    ];
    Inbound {
        method: "POST".to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
        query: Vec::new(),
        body: body.to_vec(),
        came_as_xml: false,
    }
}

fn told(received: &Received) -> String {
    match received {
        Received::Refused(refusal) => refusal.name().to_owned(),
        Received::Accepted(pushed) => format!(
            "{} {} {}",
            pushed.id.as_deref().unwrap_or("-"),
            pushed.void,
            dsl::json::to_string(&Value::List(pushed.rows.clone()))
        ),
    }
}

#[test]
fn what_was_signed_is_what_came() {
    let shop = shop();
    let now = NOW.to_string();
    let json = "application/json";
    let body = r#"{"no": "客户-00123", "qty": 1.50}"#.as_bytes();
    let one_more = [body, b" "].concat();
    let gbk = b"{\"no\": \"\xbf\xcd\xbb\xa7\"}";
    let old = (NOW - 300_001).to_string();
    let early = (NOW + 300_000).to_string();
    for (push, want) in [
        (
            push(&now, body, body, json),
            r#"A-7 false [{"no":"客户-00123","qty":1.50}]"#,
        ),
        (push(&now, body, &one_more, json), "verify"),
        (push(&now, &one_more, body, json), "verify"),
        (push(&old, body, body, json), "stale"),
        (
            push(&early, body, body, json),
            r#"A-7 false [{"no":"客户-00123","qty":1.50}]"#,
        ),
        (
            push(&now, gbk, gbk, "application/json; charset=gbk"),
            r#"A-7 false [{"no":"客户"}]"#,
        ),
        // The signature is right; the bytes are no text of the charset they name.
        (push(&now, gbk, gbk, json), "content"),
        (push(&now, b"{\"a\":", b"{\"a\":", json), "content"),
        (
            push(
                &now,
                b"a=1&b=%E5%AE%A2",
                b"a=1&b=%E5%AE%A2",
                "application/x-www-form-urlencoded",
            ),
            r#"A-7 false [{"a":"1","b":"客"}]"#,
        ),
        (
            push(&now, b"<order/>", b"<order/>", "text/xml"),
            r#"A-7 false [{"order":"","text":"<order/>"}]"#,
        ),
        (push(&now, b"order", b"order", "text/plain"), "content"),
        (
            push(
                &now,
                br#"{"status":"cancelled"}"#,
                br#"{"status":"cancelled"}"#,
                json,
            ),
            r#"A-7 true [{"status":"cancelled"}]"#,
        ),
        (
            push(
                &now,
                br#"{"list":[{"a":1},{"a":2}]}"#,
                br#"{"list":[{"a":1},{"a":2}]}"#,
                json,
            ),
            r#"A-7 false [{"a":1},{"a":2}]"#,
        ),
        (push(&now, br#"{"list":[1]}"#, br#"{"list":[1]}"#, json), "form"),
        (push(&now, br#"{"text":"no"}"#, br#"{"text":"no"}"#, json), "form"),
    ] {
        let received = shop.receive("orders", &push, NOW).expect("it receives");
        assert_eq!(told(&received), want, "{:?}", String::from_utf8_lossy(&push.body));
    }
    let mut put = push(&now, body, body, json);
    put.method = "PUT".to_owned();
    assert_eq!(
        told(&shop.receive("orders", &put, NOW).expect("it receives")),
        "method"
    );
    let large = vec![b' '; connector::PUSH_MAX + 1];
    let large = push(&now, b"", &large, json);
    assert_eq!(
        told(&shop.receive("orders", &large, NOW).expect("it receives")),
        "size"
    );
    // Without the header there is nothing to compare; without a key on our side nobody is believed.
    let mut bare = push(&now, body, body, json);
    bare.headers.retain(|(name, _)| name != "X-Sign");
    assert_eq!(
        told(&shop.receive("orders", &bare, NOW).expect("it receives")),
        "verify"
    );
}

#[test]
fn what_is_answered() {
    let shop = shop();
    let now = NOW.to_string();
    let good = shop
        .receive("orders", &push(&now, b"{}", b"{}", "application/json"), NOW)
        .expect("it receives");
    let reply = shop.reply("orders", &good).expect("an answer");
    assert_eq!(
        (reply.status, reply.body.as_slice()),
        (200, &br#"{"ok":true,"id":"A-7","count":1}"#[..])
    );
    let reply = shop
        .reply("orders", &Received::Refused(Refusal::Verify))
        .expect("an answer");
    assert_eq!(reply.status, 403);
    assert_eq!(reply.header("x-why"), Some("verify"));
    assert_eq!(reply.body, b"no: token or signature refused");
}

#[test]
fn a_scheme_takes_the_pushes_its_options_name() {
    let shop = shop();
    let push = push("0", b"", b"", "application/json");
    for (topic, takes) in [(Some("orders"), true), (Some("refunds"), false), (None, true)] {
        let options: Map = topic
            .map(|topic| ("topic".to_owned(), Value::from(topic)))
            .into_iter()
            .collect();
        assert_eq!(shop.takes_push("orders", &options, &push), Ok(takes), "{topic:?}");
    }
}

/// It is never called.
#[test]
fn an_operation_that_receives_is_not_sent() {
    let options = Map::new();
    let call = connector::Call::new("orders", &options, NOW);
    assert!(shop().prepare(&call).is_err());
}

#[test]
fn a_door_without_a_lock_is_refused() {
    for (from, to, codes) in [
        ("    accept: [json, form, xml]\n", "", &["E1507"][..]),
        ("accept: [json, form, xml]", "accept: []", &["E1506"]),
        ("accept: [json, form, xml]", "accept: [jsom]", &["E1505", "E1506"]),
        ("given: \"headers['x-sign']\", ", "", &["E1507"]),
        ("given: \"headers['x-sign']\"", "given: header.sign", &["E1503"]),
        // Before it is believed, nobody parses it.
        ("given: \"headers['x-sign']\"", "given: body.sign", &["E1503"]),
        (
            "equals: \"(headers['x-time'] ~ '.' ~ (raw | hex)) | hmac_sha256(key) | hex\"",
            "equals: raw | sha256 | hex",
            &["E1506"],
        ),
        (", at: \"headers['x-time']\"", "", &["E1507"]),
        ("refused: {status: 403,", "refused: {status: 99,", &["E1506"]),
        ("<<$push.id>>", "<<$record.id>>", &["E1205"]),
        (
            "kind: receive",
            "kind: call",
            &["E1506", "E1506", "E1506", "E1506"],
        ),
    ] {
        assert!(SHOP.contains(from), "{from}");
        let problems = problems_of_connector(&SHOP.replacen(from, to, 1));
        let found: Vec<&str> = problems.iter().map(|problem| problem.entry.code).collect();
        assert_eq!(found, codes, "{from} -> {to}");
    }
    let at = SHOP.find("    verify:").expect("it has one");
    let end = SHOP[at..].find('\n').expect("a line") + at + 1;
    let open = format!("{}{}", &SHOP[..at], &SHOP[end..]);
    let problems = problems_of_connector(&open);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert_eq!(problems[0].entry.code, "E1507");
}
