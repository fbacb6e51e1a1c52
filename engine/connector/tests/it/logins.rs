//! Logins of several calls, what of them is kept, where they may lead, and the token that writes carry.

use std::sync::Arc;

use connector::{Call, Connection, HttpAnswer, LoggingIn, Session};
use dsl::builtin::Registry;
use dsl::diagnostic::Lang;
use dsl::{Map, SourceFile};
use expect_test::expect;

use crate::common::{answer, connections_of, json, secrets};

const AT: i64 = 1_700_000_000_000;
const ENTROPY: [u8; 16] = [7; 16];

const FILE: &str = r#"
connections:
  yonbip:
    connector: yonyou-yonbip
    params: {tenant: t01, app_key: akey, app_secret: "${secret:yonbip}"}
  oa:
    connector: weaver-ecology
    params: {server: "https://oa.example.com/", appid: OA-1, user_id: "21", public_key: MIGfMA0}
  s4:
    connector: sap-odata
    params: {server: "https://s4.example.com/", user: u, password: "${secret:sap}"}
"#;

fn connect(name: &str) -> Arc<Connection> {
    let table = secrets(&[("secret", "yonbip", "asecret"), ("secret", "sap", "canary-sap")]);
    let connection = connections_of(FILE).resolve(name, "default", &table);
    Arc::new(connection.unwrap_or_else(|failure| panic!("{failure:?}")))
}

fn servers(gateway: &str, token: &str) -> HttpAnswer {
    let text = format!(r#"{{"code":"00000","data":{{"gatewayUrl":"{gateway}","tokenUrl":"{token}"}}}}"#);
    answer(200, &text)
}

/// The address of the next call of a login, or the code of its failure.
fn next(connection: &Connection, under_way: &LoggingIn) -> String {
    match connection.login_request(under_way, AT, ENTROPY) {
        Ok(Some(request)) => request.url.split('?').next().unwrap_or_default().to_owned(),
        Ok(None) => "-".to_owned(),
        Err(failure) => failure.code().to_owned(),
    }
}

#[test]
fn a_login_goes_only_where_the_file_permits() {
    let yonbip = connect("yonbip");
    for (token, want) in [
        (
            "https://c1.yonyoucloud.com/iuap-api-auth",
            "https://c1.yonyoucloud.com/iuap-api-auth/open-auth/selfAppAuth/base/v1/getAccessToken",
        ),
        (
            "https://C1.YonyouCloud.com",
            "https://c1.yonyoucloud.com/open-auth/selfAppAuth/base/v1/getAccessToken",
        ),
        ("https://evil.example.com/", "E7008"),
        ("https://yonyoucloud.com.evil.example.com/", "E7008"),
        ("https://evilyonyoucloud.com/", "E7008"),
        ("https://yonyoucloud.com/", "E7008"),
        ("http://c1.yonyoucloud.com/", "E7008"),
        ("https://169.254.169.254/", "E7008"),
        ("https://u:p@c1.yonyoucloud.com/", "E7008"),
        ("https://c1.yonyoucloud.com/?a=b", "E7008"),
        ("c1.yonyoucloud.com", "E7008"),
    ] {
        let mut under_way = yonbip.begin_login(None, AT);
        let named = servers("https://c1.yonyoucloud.com/gw", token);
        yonbip.login_answer(&mut under_way, &named, AT).unwrap();
        assert_eq!(next(&yonbip, &under_way), want, "{token}");
    }
    // The same holds for every call that follows.
    for (gateway, want) in [
        (
            "https://c2.yonyoucloud.com/gw/",
            Ok("https://c2.yonyoucloud.com/gw/yonbip/sd/voucherorder/list?access_token=tok"),
        ),
        ("https://evil.example.com/gw", Err("E7008")),
    ] {
        let session = logged_in(&yonbip, gateway);
        let options = Map::new();
        let call = Call {
            page: Some(connector::PageState {
                number: 1,
                size: 10,
                ..Default::default()
            }),
            ..Call::new("sales_order_list", &options, AT)
        };
        let prepared = yonbip.prepare(&call).unwrap();
        // A preview knows no gateway yet.
        assert_eq!(prepared.origin, "https://apigateway.yonyoucloud.com");
        let request = yonbip.sign(&prepared, Some(&session), AT, ENTROPY);
        let got = request
            .as_ref()
            .map(|request| request.url.as_str())
            .map_err(dsl::Failure::code);
        assert_eq!(got, want);
        if let Ok(request) = request {
            let shown = request.preview();
            assert_eq!(
                shown.url,
                "https://c2.yonyoucloud.com/gw/yonbip/sd/voucherorder/list?access_token=***"
            );
        }
    }
}

fn logged_in(yonbip: &Connection, gateway: &str) -> Session {
    let mut under_way = yonbip.begin_login(None, AT);
    let named = servers(gateway, "https://c1.yonyoucloud.com/auth");
    yonbip.login_answer(&mut under_way, &named, AT).unwrap();
    let token = answer(
        200,
        r#"{"code":"00000","data":{"access_token":"tok","expire":7200}}"#,
    );
    yonbip.login_answer(&mut under_way, &token, AT).unwrap();
    assert!(!yonbip.login_goes_on(&under_way));
    under_way.into_session()
}

#[test]
fn what_a_step_took_is_taken_again_until_its_time_is_over() {
    let yonbip = connect("yonbip");
    assert!(yonbip.keeps_sessions());
    let session = logged_in(&yonbip, "https://c1.yonyoucloud.com/gw");
    assert!(session.is_over(AT + 6_600_000) && !session.is_over(AT + 6_599_999));
    // The addresses are no secrets; the token is one.
    assert_eq!(session.secrets().collect::<Vec<_>>(), ["tok"]);
    let kept = yonbip.to_be_kept(&session);
    let text = kept.to_text();
    assert!(text.contains("/gw") && !text.contains("tok\""), "{text}");
    let kept = Session::from_text(&text).expect("ours");
    assert!(kept.is_over(AT), "it is no session by itself");
    const DAY: i64 = 86_400_000;
    for (at, want) in [
        (
            AT,
            "https://c1.yonyoucloud.com/auth/open-auth/selfAppAuth/base/v1/getAccessToken",
        ),
        (
            AT + DAY - 1,
            "https://c1.yonyoucloud.com/auth/open-auth/selfAppAuth/base/v1/getAccessToken",
        ),
        (
            AT + DAY,
            "https://apigateway.yonyoucloud.com/open-auth/dataCenter/getGatewayAddress",
        ),
    ] {
        assert_eq!(next(&yonbip, &yonbip.begin_login(Some(&kept), at)), want);
    }
    // What is refused with what was kept is made anew, once; then it is refused.
    let mut under_way = yonbip.begin_login(Some(&kept), AT);
    let refused = answer(200, r#"{"code":"50001","message":"签名不正确"}"#);
    yonbip.login_answer(&mut under_way, &refused, AT).unwrap();
    assert!(next(&yonbip, &under_way).ends_with("getGatewayAddress"));
    let named = servers("https://c1.yonyoucloud.com/gw", "https://c1.yonyoucloud.com/auth");
    yonbip.login_answer(&mut under_way, &named, AT).unwrap();
    let failure = yonbip.login_answer(&mut under_way, &refused, AT).unwrap_err();
    assert_eq!(
        (failure.code(), failure.vendor.as_deref()),
        ("E7001", Some("50001 签名不正确"))
    );
    // A file from before there were steps, and one that somebody else wrote.
    assert!(Session::from_text(r#"{"taken":{"a":"b"},"until_ms":5}"#).is_some());
    assert!(Session::from_text(r#"{"taken":{},"until_ms":5,"kept":{"x":1}}"#).is_none());
}

#[test]
fn every_call_says_anew_who_calls() {
    let oa = connect("oa");
    const SPK: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC1mEv4ozfcVV9S204p6wTAmRvWgyxPT2HvUk/6w/BfENyRZOLQM6fGfC/xop82CE8KW3zEEzXZsV6Fa4bDnhDoCvkcXos8dVKXDKC2qlCMZT7v/8MhBzxQWVMVFCCCClkHuZTc8JY9sWfVHsWvpFwHedqoUBkGHB7uj/jqkjdkxQIDAQAB";
    let mut under_way = oa.begin_login(None, AT);
    let registered = answer(
        200,
        &format!(r#"{{"status":true,"secrit":"canary-secrit","spk":"{SPK}"}}"#),
    );
    oa.login_answer(&mut under_way, &registered, AT).unwrap();
    let request = oa
        .login_request(&under_way, AT, ENTROPY)
        .unwrap()
        .expect("a second step");
    let header = |name: &str| {
        request
            .headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    };
    assert_eq!(header("secret").map(|text| text.len()), Some(172));
    assert!(!format!("{:?} {request:?}", request.preview()).contains(&header("secret").unwrap()));
    oa.login_answer(
        &mut under_way,
        &answer(200, r#"{"status":true,"token":"tok-canary"}"#),
        AT,
    )
    .unwrap();
    let session = under_way.into_session();
    let options = Map::from_iter([("workflowId".to_owned(), dsl::Value::from("1001"))]);
    let call = Call {
        records: Some(
            vec![json(
                r#"{"requestName":"a","mainData":[{"fieldName":"khbh","fieldValue":"00123"}]}"#,
            )]
            .into(),
        ),
        ..Call::new("request_create", &options, AT)
    };
    let prepared = oa.prepare(&call).unwrap();
    let texts: Vec<String> = [[1; 16], [2; 16]]
        .map(|entropy| {
            let request = oa.sign(&prepared, Some(&session), AT, entropy).unwrap();
            assert!(!format!("{:?}", request.preview()).contains("tok-canary"));
            let user = request.headers.iter().find(|(name, _)| name == "userid");
            user.expect("who calls").1.clone()
        })
        .into();
    assert_ne!(texts[0], texts[1]);
    assert_eq!(
        String::from_utf8_lossy(&prepared.body),
        "workflowId=1001&requestName=a&mainData=%5B%7B%22fieldName%22%3A%22khbh%22%2C%22fieldValue%22%3A%2200123%22%7D%5D&detailData=%5B%5D"
    );
}

#[test]
fn a_write_carries_token_and_cookies_as_they_were_given() {
    let s4 = connect("s4");
    assert!(s4.needs_guard("sales_order_create") && !s4.needs_guard("sales_order_list"));
    let fetch = s4.guard_request(None, AT, ENTROPY).unwrap().expect("a call");
    assert_eq!(
        fetch.url,
        "https://s4.example.com/sap/opu/odata/sap/API_SALES_ORDER_SRV/"
    );
    assert!(
        fetch
            .headers
            .contains(&("x-csrf-token".to_owned(), "Fetch".to_owned()))
    );
    let given = |status, headers: &[(&str, &str)]| HttpAnswer {
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..answer(status, "{}")
    };
    let good = [
        ("X-CSRF-Token", "canary-csrf=="),
        ("set-cookie", "sap-usercontext=sap-client=100; path=/"),
        ("set-cookie", "SAP_SESSIONID=canary-cookie; path=/; secure"),
    ];
    for (status, headers, code) in [
        (200, &[][..], "E7002"),
        (200, &[("x-csrf-token", "Required")], "E7002"),
        (200, &[("x-csrf-token", "fetch")], "E7002"),
        (401, &good, "E7001"),
        (403, &good, "E7001"),
    ] {
        assert_eq!(s4.guard_answer(&given(status, headers)).unwrap_err().code(), code);
    }
    // Some services answer the question with "not found", and give the token all the same.
    let guard = s4.guard_answer(&given(404, &good)).unwrap();
    assert!(!format!("{guard:?}").contains("canary"));
    let session = Session::default().guarded(Arc::new(guard));
    let options = Map::new();
    let call = Call {
        records: Some(vec![json(r#"{"SoldToParty":"1","PurchaseOrderByCustomer":"A"}"#)].into()),
        ..Call::new("sales_order_create", &options, AT)
    };
    let prepared = s4.prepare(&call).unwrap();
    let request = s4.sign(&prepared, Some(&session), AT, ENTROPY).unwrap();
    for (name, value) in [
        ("x-csrf-token", "canary-csrf=="),
        (
            "cookie",
            "sap-usercontext=sap-client=100; SAP_SESSIONID=canary-cookie",
        ),
    ] {
        assert!(
            request.headers.contains(&(name.to_owned(), value.to_owned())),
            "{name}"
        );
    }
    assert!(!format!("{request:?} {:?}", request.preview()).contains("canary"));
    assert!(!session.to_text().contains("canary"));
    for (status, headers, is_refused) in [
        (403, &[("x-csrf-token", "Required")][..], true),
        (403, &[("x-csrf-token", "required")], true),
        (403, &[], false),
        (200, &[("x-csrf-token", "Required")], false),
    ] {
        let answer = given(status, headers);
        assert_eq!(s4.is_guard_refused(&answer), is_refused);
        let judged = s4.judge("sales_order_create", &options, 1, &answer);
        assert_eq!(judged.replay_write, is_refused, "{headers:?}");
        // A read is never sent again for that reason.
        assert!(!s4.judge("sales_order_list", &options, 0, &answer).replay_write);
    }
}

#[test]
fn a_key_in_a_path_stays_one_text() {
    let s4 = connect("s4");
    let options = Map::new();
    for (id, path) in [
        ("7", "A_SalesOrder('7')"),
        ("a'b/../c", "A_SalesOrder('a%27%27b%2F..%2Fc')"),
    ] {
        let record = json(&format!(r#"{{"SalesOrder":"{id}","SoldToParty":"1"}}"#));
        let call = Call {
            records: Some(vec![record].into()),
            ..Call::new("sales_order_update", &options, AT)
        };
        let prepared = s4.prepare(&call).unwrap();
        assert!(prepared.path.ends_with(path), "{}", prepared.path);
        assert!(
            prepared
                .headers
                .contains(&("if-match".to_owned(), "*".to_owned()))
        );
    }
}

#[test]
fn a_login_that_is_written_wrongly() {
    let file = SourceFile::new(
        "connector.yaml",
        r#"connector: demo
params: {server: {type: url}, key: {type: text, secret: true}}
hosts: ["*.example.com", <<$param.server>>, "*.com", "*.a*.com", "https://*.example.com/", "*.ok.example.com"]
auth:
  token:
    path: login
    rotate: true
    steps:
      - {path: one, ok: body.ok, take: {a: a, b: b}, host: <<$auth.c>>, keep: soon}
      - {let: {s: session.c | md5 | hex}, path: <<$auth.a>>, ok: body.ok, take: {b: b}, kept: 1d}
    apply: {host: <<$auth.x>>}
  sign: {let: {s: session.spk | rsa_pkcs1(key) | b64}, headers: {s: <<$let.s>>}}
csrf: {header: "x token", again_when: bdy.ok}
outcome: [{when: http.status == 200, class: ok}]
operations:
  list: {kind: read, path: list, rows: {at: data, dates: sap}, filter: {as: odata_text, types: {a: date}}}
  save: {kind: write, path: $batch, encode: odata_batch, body: <<$record>>, writes: [create], key: [a]}
  one: {kind: write, path: one, part: {methd: POST, path: ../x}, body: <<$record>>, writes: [create], key: [a]}
"#,
    );
    let problems = connector::load(&file, &Registry::default()).expect_err("all of it is wrong");
    let shown: Vec<String> = problems
        .iter()
        .map(|problem| {
            let (line, column) = problem.position();
            format!(
                "{line}:{column} {} {}\n",
                problem.entry.code,
                problem.message(Lang::En)
            )
        })
        .collect();
    expect![[r#"
        3:9 E1506 `hosts` must be an address, or behind it `*.domain` with at least two parts, not `*.example.com`
        3:45 E1506 `hosts` must be an address, or behind it `*.domain` with at least two parts, not `*.com`
        3:54 E1506 `hosts` must be an address, or behind it `*.domain` with at least two parts, not `*.a*.com`
        3:66 E1506 `hosts` must be an address, or behind it `*.domain` with at least two parts, not `https://*.example.com/`
        6:5 E1500 there is no key `path` in a login with `steps`
        7:5 E1500 there is no key `rotate` in a login with `steps`
        9:60 E1508 `$auth.c` is not declared
        9:79 E1506 `keep` must be a duration such as 30s, not `soon`
        10:89 E1500 there is no key `kept` in a step of a login
        10:19 E1503 there is no name `session.c` in this recipe
        10:81 E1509 `b` is already a name of operation `steps`
        6:5 E1507 login lacks `start`
        11:19 E1508 `$auth.x` is not declared
        12:19 E1503 there is no name `session.spk` in this recipe
        16:100 E1505 `a` cannot be `date`
        16:58 E1505 `dates` cannot be `sap`
        18:40 E1500 there is no key `methd` in part
        18:59 E1516 the path `../x` cannot be called: ..
        13:7 E1507 csrf lacks `path`
        13:16 E1506 `header` must be a header such as x-csrf-token, not `x token`
        13:39 E1503 there is no name `bdy` in this recipe
        17:37 E1507 save lacks `part`
        18:33 E1507 one lacks `encode: odata_batch`
    "#]].assert_eq(&shown.concat());
}
