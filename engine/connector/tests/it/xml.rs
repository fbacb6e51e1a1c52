//! A system that speaks XML: what is sent to it, and what its answers mean.

use std::sync::Arc;

use connector::{Call, Connection, HttpAnswer, PageState, Verdict};
use dsl::diagnostic::Lang;
use dsl::{Map, SourceFile};
use expect_test::expect;

use crate::common::{json, two_secrets};

const AT: i64 = 1_700_000_000_000;

const FILE: &str = r#"connector: own
name: own
zone: UTC
params: {server: {type: url, default: "https://api.example.com/"}, user: {type: text, default: u}}
hosts: [<<$param.server>>]
transport: {xml: true}
auth:
  token:
    path: login
    encode: xml
    root: login
    body: {user: <<$param.user>>}
    ok: body.session.status == '0'
    message: <<session.text>>
    take: {sid: session.id}
    apply: {headers: {x-session: <<$auth.sid>>}}
code: response.code
outcome:
  - {code: "0", class: ok}
  - {code: any, class: rejected, message: <<response.text>>}
operations:
  list:
    kind: read
    path: list
    encode: xml
    root: request
    body: {"@version": "1", page: <<$page.number>>, size: <<$page.size>>}
    page: {by: number, first: 1, size: 2, total: response.total}
    rows: {at: response.list.order}
  save:
    kind: write
    path: save
    encode: xml
    root: orders
    body: {order: <<$records>>}
    writes: [create]
    key: [no]
    batch: {max: 10}
    outcome: [{when: body.response.code == '0', class: rows}]
    items: {all: "body.response.results.result if body.response.results.result is sequence else [body.response.results.result]", index: {key: no}, good_when: item.ok == 'true', id: id, message: <<text>>}
    proof: none
"#;

fn own() -> Arc<Connection> {
    let registry = functions::registry();
    let load = |name: &str, text: &str| SourceFile::new(name.to_owned(), text.to_owned());
    let connector = connector::load(&load("connector.yaml", FILE), &registry).expect("a good file");
    let file = load("connections.yaml", "connections: {own: {connector: own}}");
    let connections =
        connector::connections::load(&file, &[Arc::new(connector)], &registry).expect("a good file");
    Arc::new(
        connections
            .resolve("own", "default", &two_secrets())
            .expect("nothing is secret"),
    )
}

fn xml(kind: &str, body: &str) -> HttpAnswer {
    HttpAnswer {
        status: 200,
        headers: vec![("content-type".to_owned(), kind.to_owned())],
        body: body.as_bytes().to_vec(),
    }
}

#[test]
fn a_login_and_a_page() {
    let own = own();
    let mut under_way = own.begin_login(None, AT);
    let login = own
        .login_request(&under_way, AT, [7; 16])
        .unwrap()
        .expect("a call");
    assert_eq!(
        String::from_utf8_lossy(&login.body),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><login><user>u</user></login>"
    );
    let refused = xml(
        "text/xml",
        "<session><status>7</status><text>密码错误</text></session>",
    );
    let failure = own
        .login_answer(&mut under_way.clone(), &refused, AT)
        .unwrap_err();
    assert_eq!(
        (failure.code(), failure.vendor.as_deref()),
        ("E7001", Some("密码错误"))
    );
    let good = xml(
        "text/xml; charset=utf-8",
        "<session><status>0</status><id>sid-1</id></session>",
    );
    own.login_answer(&mut under_way, &good, AT).unwrap();
    let session = under_way.into_session();
    let options = Map::new();
    let call = Call {
        page: Some(PageState {
            number: 1,
            size: 2,
            ..PageState::default()
        }),
        ..Call::new("list", &options, AT)
    };
    let request = own
        .sign(&own.prepare(&call).unwrap(), Some(&session), AT, [7; 16])
        .unwrap();
    assert!(request.headers.contains(&(
        "content-type".to_owned(),
        "application/xml; charset=utf-8".to_owned()
    )));
    assert_eq!(
        String::from_utf8_lossy(&request.body),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><request version=\"1\"><page>1</page><size>2</size></request>"
    );
    let shown = |kind: &str, body: &str| {
        let answer = xml(kind, body);
        let judged = own.judge("list", &options, 0, &answer);
        match own.rows("list", &call, &answer) {
            Ok(page) => format!(
                "{:?} {} {}",
                judged.class,
                dsl::json::to_string(&dsl::Value::List(page.rows)),
                page.more
            ),
            Err(failure) => format!(
                "{:?} {} {}",
                judged.class,
                failure.code(),
                failure.message(Lang::En)
            ),
        }
    };
    let list = |rows: &str, total: u8| {
        format!("<response><code>0</code><total>{total}</total><list>{rows}</list></response>")
    };
    let answers = [
        shown(
            "application/xml",
            &list("<order><no>00123</no></order><order><no>00124</no></order>", 3),
        ),
        shown("application/soap+xml", &list("<order><no>00123</no></order>", 1)),
        shown("text/xml", &list("", 0)),
        // Without a place for rows, half of it, with a type of its own, and of another kind.
        shown("text/xml", "<response><code>0</code><total>1</total></response>"),
        shown("text/xml", &list("<order>", 1)[..60]),
        shown(
            "text/xml",
            "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><response><code>&x;</code></response>",
        ),
        shown("text/html", "<response><code>0</code></response>"),
    ];
    expect![[r#"
        Ok [{"no":"00123"},{"no":"00124"}] true
        Ok [{"no":"00123"}] false
        Ok [] false
        Ok E3001 the answer has no `response.list.order`
        Fault E3018 the answer is not XML that can be read: not well formed at byte 60
        Fault E3018 the answer is not XML that can be read: a document type is refused at byte 54
        Fault E3005 the answer is not JSON: not JSON here at byte 0"#]]
    .assert_eq(&answers.join("\n"));
}

#[test]
fn what_is_written_keeps_its_place() {
    let own = own();
    let options = Map::new();
    let call = Call {
        records: Some(
            vec![
                json(r#"{"no":"00123","text":"</no><no>x","line":[{"qty":1.50},{"qty":2}]}"#),
                json(r#"{"no":"00124","text":null}"#),
            ]
            .into(),
        ),
        ..Call::new("save", &options, AT)
    };
    let prepared = own.prepare(&call).unwrap();
    assert_eq!(
        String::from_utf8_lossy(&prepared.body),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><orders><order><no>00123</no><text>&lt;/no&gt;&lt;no&gt;x</text><line><qty>1.50</qty></line><line><qty>2</qty></line></order><order><no>00124</no><text/></order></orders>"
    );
    let verdicts = |results: &str| {
        let body = format!("<response><code>0</code><results>{results}</results></response>");
        own.judge_call(&call, 2, &xml("text/xml", &body)).verdicts
    };
    let accepted = |id: &str| Verdict::Accepted {
        id: Some(id.to_owned()),
        number: None,
        lines: Vec::new(),
    };
    let both = verdicts(
        "<result><no>00124</no><ok>false</ok><text>no</text></result><result><no>00123</no><ok>true</ok><id>7</id></result>",
    );
    assert_eq!(both[0], accepted("7"));
    assert!(
        matches!(&both[1], Verdict::Rejected { message, .. } if message == "no"),
        "{both:?}"
    );
    assert_eq!(
        verdicts("<result><no>00123</no><ok>true</ok><id>7</id></result>"),
        [accepted("7"), Verdict::Absent]
    );
    // A name that is none never reaches the wire.
    let call = Call {
        records: Some(vec![json(r#"{"no":"1","a><b":"x"}"#)].into()),
        ..Call::new("save", &options, AT)
    };
    assert_eq!(own.prepare(&call).unwrap_err().code(), "E3010");
}
