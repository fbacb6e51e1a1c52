//! Calls: bytes of a request, authentication, sessions, secrets.

use std::sync::Arc;

use crate::common::{answer, connect, connections_of, json, secrets, two_secrets};
use connector::{Call, Connection, FilterValue, HttpAnswer, PageState};
use dsl::cond::{Asked, Op};
use dsl::diagnostic::{Lang, render};
use dsl::{Map, Path, SourceFile, Value};

const AT: i64 = 1_700_000_000_000;
const ENTROPY: [u8; 16] = [9; 16];

fn map(text: &str) -> Map {
    match json(text) {
        Value::Map(map) => map,
        _ => panic!("a map"),
    }
}

fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

#[test]
fn a_page_of_trades() {
    let huke = connect("huke", "default");
    let none = Map::new();
    let call = Call {
        window: Some((1_699_900_000_120, 1_699_986_400_120)),
        page: Some(PageState {
            number: 2,
            offset: 10,
            size: 10,
            ..PageState::default()
        }),
        ..Call::new("openapi/trade/searchTrades", &none, AT)
    };
    let prepared = huke.prepare(&call).unwrap();
    assert_eq!(
        String::from_utf8(prepared.body.clone()).unwrap(),
        r#"{"source":"2","dealerList":[],"timeRanges":{"timeType":"1","startTime":"1699900000120","endTime":"1699986400120","page":"2","pageSize":"10"}}"#
    );
    let request = huke.sign(&prepared, None, AT, ENTROPY).unwrap();
    assert_eq!(request.url, "https://huke.163.com/openapi/trade/searchTrades");
    assert_eq!(
        request.body, prepared.body,
        "the bytes that are signed are the bytes that are sent"
    );
    assert_eq!(header(&request.headers, "ur-curtime"), Some("1700000000"));
    assert_eq!(header(&request.headers, "content-type"), Some("application/json"));
    assert_eq!(request.secret_headers, ["ur-checksum"]);
    // A merged request of a scheme replaces the operation's own.
    let call = Call {
        request: Some(json(r#"{"source":"3"}"#)),
        ..call
    };
    assert_eq!(huke.prepare(&call).unwrap().body, br#"{"source":"3"}"#);
}

#[test]
fn a_batch_of_customers() {
    let k3 = connect("k3", "default");
    let options = map(r#"{"FormId":"BD_Customer","IsAutoSubmitAndAudit":true}"#);
    let records = vec![
        json(r#"{"FName":"张三","FNumber":"00123","FAmount":1.50}"#),
        json(r#"{"FNumber":"B\"2"}"#),
    ];
    let call = Call {
        records: Some(records.into()),
        ..Call::new("batchSave", &options, AT)
    };
    let prepared = k3.prepare(&call).unwrap();
    assert_eq!(
        String::from_utf8(prepared.body).unwrap(),
        r#"{"formid":"BD_Customer","data":{"IsAutoSubmitAndAudit":true,"IsVerifyBaseDataField":false,"IsEntryBatchFill":true,"ValidateFlag":true,"NumberSearch":true,"IsAutoAdjustField":false,"IgnoreInterationFlag":true,"ValidateRepeatJson":false,"Model":[{"FName":"张三","FNumber":"00123","FAmount":1.50},{"FNumber":"B\"2"}]}}"#
    );
    assert!(
        prepared
            .path
            .starts_with("/k3cloud/Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.BatchSave")
    );
    let none = Map::new();
    let failure = k3.prepare(&Call::new("batch_save", &none, AT)).unwrap_err();
    assert_eq!(failure.code(), "E3012");
}

#[test]
fn data_is_never_a_template() {
    let k3 = connect("k3", "default");
    let options = map(r#"{"FormId":"BD_Customer"}"#);
    let record =
        json(r#"{"FName":"{{7*7}} <<$param.app_secret>> _function NOW() ${secret:k3}","$drop":"x"}"#);
    let call = Call {
        records: Some(vec![record.clone()].into()),
        ..Call::new("batch_save", &options, AT)
    };
    let body = String::from_utf8(k3.prepare(&call).unwrap().body).unwrap();
    assert!(body.contains(&dsl::json::to_string(&record)), "{body}");
}

#[test]
fn a_query_with_window_and_filter() {
    let k3 = connect("k3", "default");
    let options = map(r#"{"FormId":"BD_Customer","OrderString":"FNumber ASC"}"#);
    let fields = [
        ("id".to_owned(), "FCUSTID".to_owned()),
        ("no".to_owned(), "FNumber".to_owned()),
    ];
    let filter = Asked::Test {
        field: Path::parse("FName").unwrap(),
        op: Op::Like,
        values: vec!["O'Hara%".into()],
    };
    let mut call = Call {
        fields: Some(&fields),
        filter: Some(FilterValue::Asked(filter)),
        window: Some((AT, AT + 3_600_000)),
        window_field: Some("FModifyDate"),
        page: Some(PageState {
            number: 1,
            offset: 4000,
            size: 2000,
            ..PageState::default()
        }),
        ..Call::new("executeBillQuery", &options, AT)
    };
    let body = |call: &Call<'_>| String::from_utf8(k3.prepare(call).unwrap().body).unwrap();
    assert_eq!(
        body(&call),
        r#"{"data":{"FormId":"BD_Customer","FieldKeys":"FCUSTID,FNumber","FilterString":"(FModifyDate >= '2023-11-15 06:13:20' AND FModifyDate < '2023-11-15 07:13:20') AND FName LIKE 'O''Hara%'","OrderString":"FNumber ASC","StartRow":4000,"Limit":2000,"TopRowCount":0}}"#
    );
    call.filter = None;
    call.window_field = None;
    assert!(
        !body(&call).contains("FilterString"),
        "a filter without content is left out"
    );
    call.fields = None;
    assert_eq!(k3.prepare(&call).unwrap_err().code(), "E3011");
    let bad = [("x".to_owned(), "FNumber; DROP".to_owned())];
    call.fields = Some(&bad);
    assert_eq!(k3.prepare(&call).unwrap_err().code(), "E3007");
}

#[test]
fn a_login_and_its_session() {
    let k3 = connect("k3", "default");
    assert!(k3.needs_login());
    let mut under_way = k3.begin_login(None, AT);
    let login = k3.login_request(&under_way, AT, ENTROPY).unwrap().unwrap();
    assert!(
        login.url.ends_with("AuthService.LoginBySign.common.kdsvc"),
        "{}",
        login.url
    );
    assert!(login.secret_body && login.preview().body == "***");
    let mut good = answer(200, r#"{"LoginResultType":1,"KDSVCSessionId":"sid-canary"}"#);
    good.headers = vec![
        (
            "Set-Cookie".into(),
            "kdservice-sessionid=sid-canary; path=/; HttpOnly".into(),
        ),
        ("set-cookie".into(), "ASP.NET_SessionId=asp1; path=/".into()),
    ];
    k3.login_answer(&mut under_way, &good, AT).unwrap();
    assert!(!k3.login_goes_on(&under_way));
    let mut session = under_way.into_session();
    assert!(!format!("{session:?}").contains("canary"));
    let options = map(r#"{"FormId":"BD_Customer"}"#);
    let call = Call {
        records: Some(vec![json("{}")].into()),
        ..Call::new("batch_save", &options, AT)
    };
    let prepared = k3.prepare(&call).unwrap();
    let request = k3.sign(&prepared, Some(&session), AT, ENTROPY).unwrap();
    assert_eq!(
        header(&request.headers, "kdservice-sessionid"),
        Some("sid-canary")
    );
    assert_eq!(
        header(&request.headers, "cookie"),
        Some("kdservice-sessionid=sid-canary; ASP.NET_SessionId=asp1")
    );
    assert!(!format!("{request:?} {:?}", request.preview()).contains("canary"));
    let mut next = answer(200, "{}");
    next.headers = vec![("Set-Cookie".into(), "ASP.NET_SessionId=asp2".into())];
    assert!(k3.keep_cookies(&mut session, &next));
    assert!(!k3.keep_cookies(&mut session, &next));
    assert!(!session.is_over(i64::MAX));
}

#[test]
fn a_refused_login_says_why() {
    let k3 = connect("k3", "default");
    let refused = |status, body: &str| {
        let mut under_way = k3.begin_login(None, AT);
        k3.login_answer(&mut under_way, &answer(status, body), AT)
            .unwrap_err()
    };
    let failure = refused(200, r#"{"LoginResultType":0,"Message":"应用密钥不正确"}"#);
    assert_eq!(
        (failure.code(), failure.vendor.as_deref()),
        ("E7001", Some("应用密钥不正确"))
    );
    assert_eq!(refused(200, "<html>").code(), "E7002");
    assert_eq!(
        refused(502, r#"{"LoginResultType":1,"KDSVCSessionId":"x"}"#).code(),
        "E7002"
    );
    assert_eq!(
        refused(200, r#"{"LoginResultType":1,"KDSVCSessionId":""}"#).code(),
        "E7002"
    );
    assert_eq!(refused(200, r#"{"LoginResultType":"1"}"#).code(), "E7001");
    // An answer that repeats the secret does not get it printed.
    let failure = refused(
        200,
        r#"{"LoginResultType":0,"Message":"bad secret canary-app-secret"}"#,
    );
    assert_eq!(failure.vendor.as_deref(), Some("bad secret ***"));
}

#[test]
fn every_mode_of_authentication_shows_no_secret() {
    let options = map(r#"{"FormId":"BD_Customer"}"#);
    for env in ["default", "signed", "app_secret", "password"] {
        let k3 = connect("k3", env);
        let mut shown = format!("{k3:?} {} {}", k3.origin(), k3.credential());
        if let Some(login) = k3.login_request(&k3.begin_login(None, AT), AT, ENTROPY).unwrap() {
            shown += &format!("{login:?} {:?}", login.preview());
        }
        let call = Call {
            records: Some(vec![json("{}")].into()),
            ..Call::new("batch_save", &options, AT)
        };
        let prepared = k3.prepare(&call).unwrap();
        let request = k3.sign(&prepared, None, AT, ENTROPY).unwrap();
        shown += &format!("{prepared:?} {request:?} {:?}", request.preview());
        assert!(!shown.contains("canary"), "{env}: {shown}");
        assert_eq!(k3.needs_login(), env != "signed");
        assert_eq!(k3.origin(), "https://erp.example.com acct=acct01");
        assert_eq!(k3.quiet_ms("batch_save"), 500);
    }
    let signed = connect("k3", "signed");
    let call = Call {
        records: Some(vec![json("{}")].into()),
        ..Call::new("batch_save", &options, AT)
    };
    let request = signed
        .sign(&signed.prepare(&call).unwrap(), None, AT, ENTROPY)
        .unwrap();
    assert_eq!(
        request.secret_headers,
        ["X-Kd-Signature"],
        "the other headers do not depend on a secret parameter"
    );
}

#[test]
fn an_id_goes_first() {
    let k3 = connect("k3", "default");
    let options = map(r#"{"FormId":"BD_Customer"}"#);
    let put = |payload: &str, id: &str| {
        let mut payload = json(payload);
        k3.put_id("batch_save", &options, &mut payload, id).unwrap();
        dsl::json::to_string(&payload)
    };
    assert_eq!(
        put(r#"{"FName":"x"}"#, "100482"),
        r#"{"FCUSTID":100482,"FName":"x"}"#
    );
    assert_eq!(
        put(r#"{"FName":"x","FCUSTID":0}"#, "00482"),
        r#"{"FCUSTID":"00482","FName":"x"}"#
    );
}

/// A vendor whose ids are text even where they are digits, and stand below others.
#[test]
fn an_id_goes_to_its_path_and_stays_text() {
    let crm = connections_of(
        "connections: {crm: {connector: fxiaoke, params: {app_id: a, app_secret: '${secret:s}', code: '${secret:s}', user_id: '1'}}}",
    );
    let crm = crm
        .resolve("crm", "default", &secrets(&[("secret", "s", "x")]))
        .unwrap();
    let options = map(r#"{"object":"AccountObj"}"#);
    let id = "653100000000000000000001";
    for (payload, want) in [
        (
            r#"{"object_data":{"name":"x"},"details":{}}"#,
            r#"{"object_data":{"_id":"653100000000000000000001","name":"x"},"details":{}}"#,
        ),
        ("{}", r#"{"object_data":{"_id":"653100000000000000000001"}}"#),
    ] {
        let mut payload = json(payload);
        crm.put_id("update", &options, &mut payload, id).unwrap();
        assert_eq!(dsl::json::to_string(&payload), want);
    }
    let mut payload = json(r#"{"object_data":1}"#);
    let failure = crm.put_id("update", &options, &mut payload, id).unwrap_err();
    assert_eq!(failure.code(), "E3010");
}

/// The key of a call that is taken once: what it stands for is the document, so that it outlives the attempt.
#[test]
fn an_id_made_of_the_document() {
    let own = own("  add:
    kind: write
    method: POST
    path: things
    options: {table: {type: text, send: false}}
    query: {token: <<$record_uuid>>}
    body: {record: <<$records>>}
    writes: [create]
    key: [n]
    batch: {max: 2}
    item: {id: id}
    proof: idempotency_key
    unknown: {wait: 60s, none: resend, remembers: 30m}
");
    let token = |table: &str, records: &[&str], now: i64| {
        let options = map(&format!(r#"{{"table":"{table}"}}"#));
        let call = Call {
            records: Some(records.iter().map(|text| json(text)).collect::<Vec<_>>().into()),
            ..Call::new("add", &options, now)
        };
        let prepared = own.prepare(&call)?;
        let sent = own.sign(&prepared, None, now, [u8::try_from(now).unwrap(); 16])?;
        Ok::<_, dsl::Failure>(sent.query[0].1.clone())
    };
    let first = token("t1", &[r#"{"n":"1","x":1.50}"#], 1).unwrap();
    assert_eq!(first.len(), 36);
    assert_eq!(&first[14..15], "4");
    // The same whenever it is sent, whatever else is new.
    assert_eq!(token("t1", &[r#"{"n":"1","x":1.50}"#], 2).unwrap(), first);
    for (table, record) in [
        ("t1", r#"{"n":"1","x":1.5}"#),
        ("t1", r#"{"n":"2","x":1.50}"#),
        ("t2", r#"{"n":"1","x":1.50}"#),
    ] {
        assert_ne!(token(table, &[record], 1).unwrap(), first, "{table} {record}");
    }
    // Of a record that a ledger knows the document may come out otherwise.
    let known = |identity: &str, record: &str| {
        let options = map(r#"{"table":"t1"}"#);
        let call = Call {
            records: Some(vec![json(record)].into()),
            identity: Some(identity.to_owned()),
            ..Call::new("add", &options, 1)
        };
        let prepared = own.prepare(&call).unwrap();
        own.sign(&prepared, None, 1, [1; 16]).unwrap().query[0].1.clone()
    };
    let sent = known("l 7 v1", r#"{"n":"1","at":"08:00"}"#);
    assert_eq!(known("l 7 v1", r#"{"n":"1","at":"08:05"}"#), sent);
    assert_ne!(known("l 7 v2", r#"{"n":"1","at":"08:00"}"#), sent);
    assert_ne!(known("l 8 v1", r#"{"n":"1","at":"08:00"}"#), sent);
    // In other company it would be another one.
    let failure = token("t1", &[r#"{"n":"1"}"#, r#"{"n":"2"}"#], 1).unwrap_err();
    assert_eq!(failure.code(), "E3010");
    assert_eq!(own.remembers_ms("add"), Some(1_800_000));
}

/// It would be a second document.
#[test]
fn an_update_without_its_id_is_not_built() {
    let k3 = connect("k3", "default");
    let options = map(r#"{"FormId":"BD_Customer"}"#);
    let failure = k3
        .put_id("batch_save", &options, &mut Value::Null, "1")
        .unwrap_err();
    assert_eq!(failure.code(), "E3010");
}

#[test]
fn rows_of_an_answer() {
    let huke = connect("huke", "default");
    let none = Map::new();
    let call = Call {
        page: Some(PageState {
            number: 1,
            size: 2,
            ..PageState::default()
        }),
        ..Call::new("search_trades", &none, AT)
    };
    let rows = |body: &str| huke.rows("search_trades", &call, &answer(200, body));
    let full = rows(r#"{"code":200,"data":{"list":[{"a":1},{"a":2}],"total":9}}"#).unwrap();
    assert_eq!((full.rows.len(), full.more), (2, true));
    let last = rows(r#"{"code":200,"data":{"list":[{"a":1.50}],"total":" 3 "}}"#).unwrap();
    assert_eq!(
        (dsl::json::to_string(&last.rows[0]), last.more),
        (r#"{"a":1.50}"#.to_owned(), false)
    );
    assert_eq!((full.total, last.total), (Some(9), Some(3)));
    assert!(!rows(r#"{"data":{"list":[],"total":0}}"#).unwrap().more);
    for (body, code) in [
        (r#"{"code":200,"data":{}}"#, "E3001"),
        (r#"{"code":200,"data":null}"#, "E3001"),
        (r#"{"code":200,"data":{"list":null}}"#, "E3002"),
        (r#"{"code":200,"data":{"list":{}}}"#, "E3002"),
        (r#"{"code":200,"data":{"list":[1]}}"#, "E3004"),
        ("<html>", "E3005"),
        // A total that is declared and not there: nobody would notice a page that is missing.
        (r#"{"code":200,"data":{"list":[{"a":1}]}}"#, "E3016"),
        (r#"{"code":200,"data":{"list":[],"total":null}}"#, "E3016"),
        (r#"{"code":200,"data":{"list":[],"total":"many"}}"#, "E3016"),
    ] {
        assert_eq!(rows(body).unwrap_err().code(), code, "{body}");
    }
    // Rows that are maps have the names a scheme gave its fields as well.
    let fields = [
        ("no".to_owned(), "F.No".to_owned()),
        ("deep".to_owned(), "b.c".to_owned()),
        ("a".to_owned(), "a".to_owned()),
        ("none".to_owned(), "d".to_owned()),
        ("x".to_owned(), "y".to_owned()),
        ("y".to_owned(), "x".to_owned()),
    ];
    let named = Call {
        fields: Some(&fields),
        ..call.clone()
    };
    let body = r#"{"code":200,"data":{"list":[{"a":1,"F.No":"00123","b":{"c":2},"x":7,"y":8}],"total":1}}"#;
    let found = huke.rows("search_trades", &named, &answer(200, body)).unwrap();
    assert_eq!(
        dsl::json::to_string(&found.rows[0]),
        r#"{"a":1,"F.No":"00123","b":{"c":2},"x":8,"y":7,"no":"00123","deep":2}"#
    );
    let k3 = connect("k3", "default");
    let options = map(r#"{"FormId":"BD_Customer"}"#);
    let fields = [
        ("id".to_owned(), "FCUSTID".to_owned()),
        ("no".to_owned(), "FNumber".to_owned()),
    ];
    let call = Call {
        fields: Some(&fields),
        ..Call::new("bill_query", &options, AT)
    };
    let rows = |body: &str| k3.rows("bill_query", &call, &answer(200, body));
    assert_eq!(
        dsl::json::to_string(&rows(r#"[[1,"a"]]"#).unwrap().rows[0]),
        r#"{"id":1,"no":"a"}"#
    );
    assert_eq!(rows(r#"[[1]]"#).unwrap_err().code(), "E3003");
    assert_eq!(rows(r#"[{"id":1}]"#).unwrap_err().code(), "E3004");
}

/// A connector with one read operation that pages as said.
fn paged(page: &str) -> Arc<Connection> {
    own(&format!(
        "  list:
    kind: read
    method: POST
    path: list
    body: {{cursor: {{$value: <<$page.cursor>>, $missing: omit}}, last: {{$value: <<$page.last>>, $missing: omit}}, from: <<$page.offset>>, size: <<$page.size>>}}
    page: {page}
    rows: {{at: rows}}
"
    ))
}

/// A connector with these operations.
fn own(operations: &str) -> Arc<Connection> {
    let text = format!(
        "connector: own
name: own
zone: Asia/Shanghai
params: {{server: {{type: url, default: \"https://api.example.com/\"}}}}
hosts: [<<$param.server>>]
auth: {{headers: {{}}}}
outcome: [{{when: http.status == 200, class: ok}}]
operations:
{operations}"
    );
    let registry = functions::registry();
    let load = |name: &str, text: &str| SourceFile::new(name.to_owned(), text.to_owned());
    let connector = connector::load(&load("connector.yaml", &text), &registry)
        .unwrap_or_else(|problems| panic!("{}", render(&problems, Lang::En, false, 20)));
    let file = load("connections.yaml", "connections: {own: {connector: own}}");
    let loaded = connector::connections::load(&file, &[Arc::new(connector)], &registry)
        .unwrap_or_else(|problems| panic!("{}", render(&problems, Lang::En, false, 20)));
    Arc::new(
        loaded
            .resolve("own", "default", &two_secrets())
            .expect("nothing is secret"),
    )
}

/// What comes of an answer, and the body of the call that follows it.
fn next_of(page: &str, state: PageState, body: &str) -> (Result<(bool, Option<String>), String>, String) {
    let own = paged(page);
    let none = Map::new();
    let call = |state| Call {
        page: Some(state),
        ..Call::new("list", &none, AT)
    };
    let found = own.rows("list", &call(state.clone()), &answer(200, body));
    let next = found.as_ref().ok().and_then(|rows| rows.next_cursor.clone());
    let by_key = page.contains("by: key");
    let following = PageState {
        cursor: next.clone().filter(|_| !by_key),
        last: next.clone().filter(|_| by_key),
        ..state
    };
    let prepared = own.prepare(&call(following)).expect("a request");
    let text = String::from_utf8_lossy(&prepared.body).into_owned();
    let found = found.map(|rows| (rows.more, rows.next_cursor));
    (found.map_err(|failure| failure.code().to_owned()), text)
}

#[test]
fn pages_by_key_and_by_cursor() {
    let first = || PageState {
        size: 2,
        ..PageState::default()
    };
    let key = "{by: key, field: id, size: 2, more: short}";
    let (found, body) = next_of(key, first(), r#"{"rows":[{"id":7},{"id":9}]}"#);
    assert_eq!(found, Ok((true, Some("9".to_owned()))));
    assert_eq!(body, r#"{"last":"9","from":0,"size":2}"#);
    let (found, _) = next_of(key, first(), r#"{"rows":[{"id":7}]}"#);
    assert_eq!(found, Ok((false, Some("7".to_owned()))));
    let (found, _) = next_of(key, first(), r#"{"rows":[{"id":7},{"no":9}]}"#);
    assert_eq!(found, Err("E3017".to_owned()), "nothing to go on with");
    let cursor = "{by: cursor, take: next, size: 2}";
    let (found, body) = next_of(cursor, first(), r#"{"rows":[{"id":7}],"next":"abc=="}"#);
    assert_eq!(
        found,
        Ok((true, Some("abc==".to_owned()))),
        "a short page is not the last one"
    );
    assert_eq!(body, r#"{"cursor":"abc==","from":0,"size":2}"#);
    for end in [
        r#"{"rows":[{"id":7}],"next":""}"#,
        r#"{"rows":[{"id":7}],"next":null}"#,
        r#"{"rows":[]}"#,
    ] {
        assert_eq!(next_of(cursor, first(), end).0, Ok((false, None)), "{end}");
    }
    let says = "{by: cursor, take: next, size: 2, more: body.more}";
    let (found, _) = next_of(says, first(), r#"{"rows":[{"id":7}],"more":true}"#);
    assert_eq!(found, Err("E3017".to_owned()));
    // A total on the first page only is the total of the others too.
    let total = "{by: offset, size: 2, total: total, total_on: first}";
    assert_eq!(
        next_of(total, first(), r#"{"rows":[{"id":1},{"id":2}],"total":3}"#).0,
        Ok((true, None))
    );
    assert_eq!(
        next_of(total, first(), r#"{"rows":[{"id":1}]}"#).0,
        Err("E3016".to_owned())
    );
    let second = PageState {
        offset: 2,
        total: Some(3),
        ..first()
    };
    assert_eq!(
        next_of(total, second, r#"{"rows":[{"id":3}]}"#).0,
        Ok((false, None))
    );
}

/// A page without the vendor's flag ends nothing: with a mark reading goes on, without one the page fails.
/// The version goes to its place as the number it is, and comes back as one, whatever it was written as.
#[test]
fn pages_by_version() {
    let own = own("  list:
    kind: read
    method: POST
    path: p
    request: {with: {size: <<$page.size>>}}
    body: <<$request>>
    rows: {at: rows}
    page: {by: version, set: with.since, take: max(rows.at.ts), size: 2, first: 3}
");
    let none = Map::new();
    let call = |last: Option<&str>| Call {
        page: Some(PageState {
            size: 2,
            last: last.map(str::to_owned),
            ..PageState::default()
        }),
        ..Call::new("list", &none, AT)
    };
    for (last, since) in [
        (None, "3"),
        // More than a double holds.
        (Some("9007199254740993"), "9007199254740993"),
    ] {
        let prepared = own.prepare(&call(last)).expect("a request");
        let body = String::from_utf8_lossy(&prepared.body).into_owned();
        assert_eq!(body, format!(r#"{{"with":{{"size":2,"since":{since}}}}}"#));
    }
    let facts = own.by_version("list").expect("it is read by version");
    assert_eq!((facts.first, facts.settle_ms, facts.again), (3, 60_000, true));
    for (rows, want) in [
        // The newest first: those below would never be asked for.
        (
            r#"{"at":{"ts":9007199254740993}},{"at":{"ts":"9007199254740992"}}"#,
            Err("E3079"),
        ),
        (
            r#"{"at":{"ts":"9007199254740992"}},{"at":{"ts":9007199254740993}}"#,
            Ok((true, Some((9_007_199_254_740_992, 9_007_199_254_740_993)))),
        ),
        (r#"{"at":{"ts":"007"}}"#, Ok((false, Some((7, 7))))),
        // Compared as numbers, not as texts.
        (
            r#"{"at":{"ts":"99"}},{"at":{"ts":"100"}}"#,
            Ok((true, Some((99, 100)))),
        ),
        ("", Ok((false, None))),
        (r#"{"at":{"ts":1.5}}"#, Err("E3078")),
        (r#"{"at":{"ts":"-1"}}"#, Err("E3078")),
        (r#"{"at":{"ts":"0x1f"}}"#, Err("E3078")),
        (r#"{"at":{"ts":""}}"#, Err("E3078")),
        (r#"{"at":{"ts":null}}"#, Err("E3078")),
        (r#"{"at":{}}"#, Err("E3078")),
        (
            r#"{"at":{"ts":"999999999999999999999999999999999999999"}}"#,
            Err("E3078"),
        ),
    ] {
        let answer = answer(200, &format!(r#"{{"rows":[{rows}]}}"#));
        let found = own.rows("list", &call(None), &answer);
        let found = found.map(|rows| (rows.more, rows.versions));
        let found = found.map_err(|failure| failure.code().to_owned());
        assert_eq!(found, want.map_err(str::to_owned), "{rows}");
    }
}

#[test]
fn a_flag_that_is_missing_ends_nothing() {
    const ALL: &str = r#"
connections:
  mabang: {connector: mabang, params: {appkey: a, token: "${secret:huke}"}}
  feishu: {connector: feishu-bitable, params: {app_id: a, app_secret: "${secret:huke}", app_token: t}}
  dingtalk: {connector: dingtalk, params: {app_key: a, app_secret: "${secret:huke}", operator_id: o, base_id: b}}
"#;
    let cases = [
        (
            "mabang",
            "order_list",
            "{}",
            "hasNext",
            r#"{"code":200,"data":{"data":[],"hasNext":F,"nextCursor":M}}"#,
        ),
        (
            "feishu",
            "search",
            r#"{"table":"t"}"#,
            "has_more",
            r#"{"code":0,"data":{"items":[],"has_more":F,"page_token":M}}"#,
        ),
        (
            "dingtalk",
            "records_list",
            r#"{"sheet":"t"}"#,
            "hasMore",
            r#"{"records":[],"hasMore":F,"nextToken":M}"#,
        ),
    ];
    for (name, operation, options, member, page) in cases {
        let connection = connections_of(ALL).resolve(name, "default", &two_secrets());
        let connection = connection.unwrap_or_else(|failure| panic!("{failure:?}"));
        let options = map(options);
        for (flag, mark, want) in [
            ("true", "\"m\"", Ok(true)),
            ("false", "\"m\"", Ok(false)),
            ("false", "\"\"", Ok(false)),
            ("\"false\"", "null", Ok(false)),
            ("null", "\"m\"", Ok(true)),
            ("null", "\"\"", Err("E3017")),
            ("true", "null", Err("E3017")),
            ("", "\"m\"", Ok(true)),
            ("", "\"\"", Err("E3017")),
        ] {
            let page = match flag {
                "" => page.replace(&format!("\"{member}\":F,"), ""),
                flag => page.replace(":F", &format!(":{flag}")),
            };
            let page = page.replace(":M", &format!(":{mark}"));
            let call = Call {
                page: Some(PageState {
                    size: 2,
                    ..PageState::default()
                }),
                ..Call::new(operation, &options, AT)
            };
            let found = connection.rows(operation, &call, &answer(200, &page));
            let found = found
                .map(|rows| rows.more)
                .map_err(|failure| failure.code().to_owned());
            assert_eq!(found, want.map_err(str::to_owned), "{name} {page}");
        }
    }
}

/// A query by a condition, without one, would give all there is.
#[test]
fn a_filter_that_is_required() {
    let text = "  one:
    kind: read
    method: GET
    path: one
    filter: {as: conditions, required: REQUIRED, names: {field: f, op: o, value: v}, ops: {eq: eq}}
    query: {code: <<$filter.0.v>>}
    rows: {at: rows}
";
    let by_code = FilterValue::Asked(Asked::Test {
        field: Path::parse("code").expect("a path"),
        op: Op::Eq,
        values: vec![Value::from("7")],
    });
    let none = Map::new();
    for (required, filter, want) in [
        ("true", None, Err("E3010")),
        (
            "true",
            Some(FilterValue::Asked(Asked::All(Vec::new()))),
            Err("E3010"),
        ),
        ("true", Some(by_code.clone()), Ok("7")),
        ("false", None, Ok("")),
    ] {
        let own = own(&text.replace("REQUIRED", required));
        let call = Call {
            filter,
            ..Call::new("one", &none, AT)
        };
        let prepared = own.prepare(&call);
        let got = prepared.map(|prepared| {
            let code = prepared.query.iter().find(|(name, _)| name == "code");
            code.map_or_else(String::new, |(_, value)| value.clone())
        });
        let got = got.map_err(|failure| failure.code().to_owned());
        assert_eq!(got, want.map(str::to_owned).map_err(str::to_owned), "{required}");
    }
}

/// A form in parts: no name and no value begins a part of its own, and the same form gives the same bytes.
#[test]
fn a_form_in_parts() {
    let text = "connector: own
name: own
zone: UTC
params: {server: {type: url, default: \"https://api.example.com/\"}}
hosts: [<<$param.server>>]
outcome: [{when: http.status == 200, class: ok}]
operations:
  send: {kind: write, path: send, encode: multipart, writes: [create], key: [a], body: <<$record>>}
";
    let registry = functions::registry();
    let load = |name: &str, text: &str| SourceFile::new(name.to_owned(), text.to_owned());
    let connector = connector::load(&load("connector.yaml", text), &registry).expect("a good file");
    let file = load("connections.yaml", "connections: {own: {connector: own}}");
    let own = connector::connections::load(&file, &[Arc::new(connector)], &registry)
        .expect("a good file")
        .resolve("own", "default", &two_secrets())
        .expect("nothing is secret");
    let none = Map::new();
    let sent = |record: &str| {
        let call = Call {
            records: Some(vec![Value::Map(map(record))].into()),
            ..Call::new("send", &none, AT)
        };
        own.prepare(&call).map_err(|failure| failure.code())
    };
    let body = r#"{"a":"客户","b\"\r\nx: y":"--1\r\n\r\n","n":1.50}"#;
    let prepared = sent(body).expect("a request");
    let (_, kind) = prepared.headers.first().expect("a content type");
    let boundary = kind
        .strip_prefix("multipart/form-data; boundary=")
        .expect("a boundary");
    let part = |name: &str, value: &str| {
        format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let want = [
        part("a", "客户"),
        part("b%22%0D%0Ax: y", "--1\r\n\r\n"),
        part("n", "1.50"),
        format!("--{boundary}--\r\n"),
    ];
    assert_eq!(String::from_utf8_lossy(&prepared.body), want.concat());
    assert_eq!(sent(body).expect("a request").body, prepared.body);
    assert_ne!(
        sent(r#"{"a":"客"}"#).expect("a request").headers,
        prepared.headers
    );
    assert_eq!(
        sent(r#"{"a":[1]}"#).err(),
        Some("E3010"),
        "a part is a single value"
    );
}

#[test]
fn pages_by_link() {
    let own = paged(r"{by: link, take: [d.__next, '@odata\.nextLink'], size: 2}");
    let none = Map::new();
    let call = |cursor: Option<&str>| Call {
        page: Some(PageState {
            cursor: cursor.map(str::to_owned),
            size: 2,
            ..PageState::default()
        }),
        ..Call::new("list", &none, AT)
    };
    for (body, want) in [
        (
            r#"{"rows":[],"d":{"__next":"https://sap.local/x"}}"#,
            Some("https://sap.local/x"),
        ),
        (
            r#"{"rows":[],"d":{"__next":null},"@odata.nextLink":"list?$skiptoken=2"}"#,
            Some("list?$skiptoken=2"),
        ),
        (r#"{"rows":[{"id":1}]}"#, None),
    ] {
        let found = own.rows("list", &call(None), &answer(200, body)).expect("rows");
        assert_eq!(found.next_cursor.as_deref(), want);
        assert_eq!(found.more, want.is_some());
    }
    let url = |link: &str| {
        let prepared = own.prepare(&call(Some(link))).map_err(|failure| failure.code())?;
        own.sign(&prepared, None, AT, ENTROPY)
            .map(|request| request.url)
            .map_err(|failure| failure.code())
    };
    let at = |rest: &str| Ok(format!("https://api.example.com/{rest}"));
    // Whatever host an address names, the call goes to the connection's own.
    for (link, want) in [
        (
            "https://sap.internal:44300/odata/list?$skiptoken=2&x=a%20b",
            at("odata/list?%24skiptoken=2&x=a%20b"),
        ),
        ("//evil.example.com/list?page=2", at("list?page=2")),
        ("/v2/list?page=2", at("v2/list?page=2")),
        ("list?$skiptoken=%E5%AE%A2", at("list?%24skiptoken=%E5%AE%A2")),
        ("?page=2", at("list?page=2")),
        ("../../../etc/passwd", at("etc/passwd")),
        ("http://[", Err("E3010")),
        ("/a//b", Err("E3010")),
        ("x:.evil.example.com/p", Err("E3010")),
        ("mailto:a@b", Err("E3010")),
    ] {
        assert_eq!(url(link), want, "{link}");
    }
    assert_eq!(own.prepare(&call(None)).expect("a request").path, "/list");
}

#[test]
fn patience_asked_for_by_header() {
    let huke = connect("huke", "default");
    let busy = |headers: &[(&str, &str)]| {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let answer = HttpAnswer {
            status: 429,
            headers,
            body: Vec::new(),
        };
        huke.judge("search_trades", &Map::new(), 0, &answer).wait_ms
    };
    assert_eq!(busy(&[("Retry-After", "7")]), Some(7000));
    assert_eq!(busy(&[("retry-after", "999999")]), Some(3_600_000));
    assert_eq!(
        busy(&[
            ("Retry-After", "Wed, 15 Nov 2023 06:13:40 GMT"),
            ("Date", "Wed, 15 Nov 2023 06:13:20 GMT")
        ]),
        Some(20_000)
    );
    assert_eq!(busy(&[("Retry-After", "soon")]), None);
}

/// Documents that are bytes already stand in the body as their trees would.
#[test]
fn documents_stay_bytes() {
    let k3 = connect("k3", "default");
    let options = map(r#"{"FormId":"BD_Customer","IsAutoSubmitAndAudit":true}"#);
    let texts = [
        r#"{"FName":"张三","FNumber":"00123","FAmount":1.50}"#,
        r#"{"FNumber":"B\"2","FNote":"{{7*7}}\n","FLines":[{},{"a":null}]}"#,
    ];
    let bodies = [false, true].map(|is_written| {
        let payloads = texts.iter().map(|text| match is_written {
            true => dsl::Payload::written(text.as_bytes().into()),
            false => json(text).into(),
        });
        let payloads: Vec<dsl::Payload> = payloads.collect();
        let call = Call {
            records: Some(payloads.clone().into()),
            ..Call::new("batchSave", &options, AT)
        };
        let body = String::from_utf8(k3.prepare(&call).unwrap().body).unwrap();
        let unread = payloads.iter().all(|payload| payload.as_written().is_some());
        assert_eq!(unread, is_written, "nobody made a tree of them");
        body
    });
    assert_eq!(bodies[0], bodies[1]);
    assert!(
        bodies[1].ends_with(&format!(r#""Model":[{}]}}}}"#, texts.join(","))),
        "{}",
        bodies[1]
    );
    // What is laid over their place has it.
    let laid = map(r#"{"FormId":"BD_Customer"}"#);
    let one = Call {
        records: Some(vec![dsl::Payload::written(br#"["no map"]"#.as_slice().into())].into()),
        ..Call::new("save", &laid, AT)
    };
    let body = String::from_utf8(k3.prepare(&one).unwrap().body).unwrap();
    assert!(body.ends_with(r#""Model":["no map"]}}"#), "{body}");
}
