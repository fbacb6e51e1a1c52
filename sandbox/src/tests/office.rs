//! The systems that share tokens, documents and marks of pages: what is refused, when a token is over, where a limit is,
//! and that every row is on one page.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Answer, Headers, at_vector_time, json_type, sandbox, send};
use crate::{Running, crypto};

async fn post(at: &Running, path: &str, headers: &[(&'static str, String)], body: &str) -> Answer {
    call(at, "POST", path, headers, body).await
}

async fn call(
    at: &Running,
    method: &str,
    path: &str,
    headers: &[(&'static str, String)],
    body: &str,
) -> Answer {
    let mut all: Headers = vec![json_type()];
    all.extend(headers.iter().cloned());
    send(at, method, path, &all, body.as_bytes())
        .await
        .expect("an answer")
}

/// A token of each system that gives one, put where its calls carry it.
async fn token(at: &Running, system: &str) -> (Vec<(&'static str, String)>, String) {
    let text = |value: &Value| value.as_str().expect("a token").to_owned();
    let bearer = |token: String| vec![("authorization", format!("Bearer {token}"))];
    match system {
        "okki" => {
            let body = json!({"grant_type": "client_credentials", "client_id": "sandbox-okki",
                "client_secret": "sandbox-okki-secret", "scope": "invoices company"});
            let told = post(at, "/okki/v1/oauth2/access_token", &[], &body.to_string()).await;
            (bearer(text(&told.json()["access_token"])), String::new())
        }
        "feishu" => {
            let body = json!({"app_id": "cli_sandbox", "app_secret": "sandbox-feishu-secret"});
            let path = "/feishu/open-apis/auth/v3/tenant_access_token/internal";
            let told = post(at, path, &[], &body.to_string()).await;
            (bearer(text(&told.json()["tenant_access_token"])), String::new())
        }
        "dingtalk" => {
            let body = json!({"appKey": "dingsandbox", "appSecret": "sandbox-dingtalk-secret"});
            let told = post(at, "/dingtalk/v1.0/oauth2/accessToken", &[], &body.to_string()).await;
            let header = ("x-acs-dingtalk-access-token", text(&told.json()["accessToken"]));
            (vec![header], "?operatorId=unionSandbox".to_owned())
        }
        "wecom" => {
            let path = "/wecom/cgi-bin/gettoken?corpid=ww_sandbox&corpsecret=sandbox-wecom-secret";
            let told = call(at, "GET", path, &[], "").await.json();
            let token = text(&told["access_token"]);
            (Vec::new(), format!("?access_token={token}"))
        }
        "u8" => {
            let who = "from_account=sandbox_dev&app_key=opasandbox";
            let path = format!("/u8/system/token?{who}&app_secret=sandbox-u8-secret");
            let told = call(at, "GET", &path, &[], "").await.json();
            let token = text(&told["token"]["id"]);
            (Vec::new(), format!("?{who}&to_account=sandbox_ent&token={token}"))
        }
        other => panic!("no token of {other}"),
    }
}

const FEISHU: &str = "/feishu/open-apis/bitable/v1/apps/bascnSandbox/tables/tblCustomers/records/";
const DINGTALK: &str = "/dingtalk/v1.0/notable/bases/baseSandbox/sheets/tblCustomers/records";

/// A read of each system: its path, its body, and the words for a token that is over.
const READS: &[(&str, &str, &str, &str, &str)] = &[
    ("okki", "GET", "/okki/v1/company/list", "", "expired"),
    ("feishu", "POST", FEISHU, "{}", "99991663"),
    ("dingtalk", "POST", DINGTALK, "{}", "InvalidAuthentication"),
    (
        "wecom",
        "POST",
        "/wecom/cgi-bin/externalcontact/batch/get_by_user",
        r#"{"userid_list":["zhangsan"]}"#,
        "40014",
    ),
    ("u8", "GET", "/u8/api/customer/batch_get", "", "20008"),
];

fn path(system: &str, base: &str, query: &str) -> String {
    let tail = match system {
        "feishu" => "search",
        "dingtalk" => "/list",
        _ => "",
    };
    format!("{base}{tail}{query}")
}

#[tokio::test]
async fn a_token_lives_its_time_and_no_longer() {
    for (system, method, base, body, words) in READS {
        let at = sandbox(|config| config.trades = 40).await;
        let (headers, query) = token(&at, system).await;
        let ask = async || {
            let whole = path(system, base, &query);
            call(&at, method, &whole, &headers, body).await.text()
        };
        assert!(!ask().await.contains(words), "{system}");
        at.advance_ms(6_900_000);
        assert!(!ask().await.contains(words), "{system}: still good");
        at.advance_ms(22_000_000);
        assert!(ask().await.contains(words), "{system}: over");
        // One that nobody gave.
        let (other, wrong) = (sandbox(|config| config.trades = 40).await, "another process");
        let whole = path(system, base, &query);
        let told = call(&other, method, &whole, &headers, body).await.text();
        assert!(told.contains(words), "{system}: {wrong}: {told}");
    }
}

/// The published vector, its twin, and the clock.
#[tokio::test]
async fn mabang_verifies_every_byte() {
    let at = at_vector_time(|config| {
        config
            .credentials
            .others
            .insert("mabang.token".to_owned(), "token".to_owned());
    })
    .await;
    let body =
        r#"{"api":"order-get-order-list-new","appkey":"200000","data":{"status":3},"timestamp":1700000000}"#;
    let sign = "5705255349a6e8a5e080999d8b49cbe246f70e4a231bad5e189839596bbc36a7";
    assert_eq!(crypto::hmac_hex(b"token", body.as_bytes()), sign);
    let said = async |sign: &str, body: &str| {
        let headers = [("authorization", sign.to_owned())];
        let told = post(&at, "/mabang/api/v2", &headers, body).await.json();
        told["message"].as_str().unwrap_or_default().to_owned()
    };
    // Signed rightly, and refused for the window that it lacks; hex may be in capitals.
    for sign in [sign.to_owned(), sign.to_uppercase()] {
        assert!(said(&sign, body).await.contains("updateTimeStart"));
    }
    assert!(said(sign, &format!("{body} ")).await.contains("签名"));
    assert!(said(&sign.replace('5', "6"), body).await.contains("签名"));
    at.advance_ms(3_600_000);
    assert!(said(sign, body).await.contains("timestamp"));
}

#[tokio::test]
async fn every_row_is_on_one_page() {
    let at = sandbox(|config| config.trades = 92).await;
    let customers = 23;
    // By a mark of the page before.
    let (headers, _) = token(&at, "feishu").await;
    let (mut seen, mut mark) = (BTreeSet::new(), String::new());
    loop {
        let query = format!("search?page_size=5&page_token={mark}");
        let told = post(&at, &format!("{FEISHU}{query}"), &headers, "{}")
            .await
            .json();
        for item in told["data"]["items"].as_array().expect("items") {
            assert!(seen.insert(item["record_id"].to_string()), "{item}");
            assert_eq!(item["fields"]["编号"][0]["type"], "text", "text stands in pieces");
        }
        match told["data"]["page_token"].as_str() {
            Some(next) if told["data"]["has_more"] == true => mark = next.to_owned(),
            _ => break,
        }
    }
    assert_eq!(seen.len(), customers);
    // By number, with a total as text.
    let (_, query) = token(&at, "u8").await;
    let mut codes = BTreeSet::new();
    for page in 1..=5 {
        let path = format!("/u8/api/customer/batch_get{query}&page_index={page}&rows_per_page=5");
        let told = call(&at, "GET", &path, &[], "").await.json();
        assert_eq!(
            (&told["row_count"], &told["page_count"]),
            (&json!("23"), &json!("5"))
        );
        let rows = told["customer"].as_array().expect("rows");
        codes.extend(rows.iter().map(|row| row["code"].to_string()));
    }
    assert_eq!(codes.len(), customers);
}

#[tokio::test]
async fn what_is_refused_and_how() {
    let at = sandbox(|config| config.trades = 40).await;
    let (feishu, _) = token(&at, "feishu").await;
    let (dingtalk, operator) = token(&at, "dingtalk").await;
    let (_, wecom) = token(&at, "wecom").await;
    let (_, u8) = token(&at, "u8").await;
    let (okki, _) = token(&at, "okki").await;
    let add = format!("/u8/api/customer/add{u8}");
    let customer = r#"{"customer":{"code":"X1","name":"a"}}"#;
    let send_to = format!("/wecom/cgi-bin/message/send{wecom}");
    let message = |agent: &str| {
        json!({"touser": "zhangsan", "msgtype": "text", "agentid": agent, "text": {"content": "a"}})
            .to_string()
    };
    let none: Vec<(&str, String)> = Vec::new();
    type Call<'a> = (String, &'a Vec<(&'static str, String)>, String, &'static str);
    let rows: Vec<Call> = vec![
        (
            format!("{FEISHU}search?page_size=501"),
            &feishu,
            "{}".to_owned(),
            "1254030",
        ),
        (
            format!("{FEISHU}batch_create"),
            &feishu,
            r#"{"records":[]}"#.to_owned(),
            "1254104",
        ),
        (
            format!("{FEISHU}batch_update"),
            &feishu,
            r#"{"records":[{"record_id":"rec9","fields":{"a":1}}]}"#.to_owned(),
            "1254043",
        ),
        (
            format!("{FEISHU}search"),
            &feishu,
            r#"{"filter":{"conjunction":"or","conditions":[]}}"#.to_owned(),
            "1254018",
        ),
        (
            format!("{DINGTALK}/list"),
            &dingtalk,
            "{}".to_owned(),
            "operatorId",
        ),
        (
            format!("{DINGTALK}/list{operator}"),
            &dingtalk,
            r#"{"maxResults":101}"#.to_owned(),
            "maxResults",
        ),
        (send_to.clone(), &none, message("1"), "40056"),
        (add.clone(), &none, customer.to_owned(), "tradeid 与 biz_id"),
        (
            format!("{add}&biz_id=X1&tradeid=t"),
            &none,
            customer.to_owned(),
            "tradeid 与 biz_id",
        ),
        (format!("{add}&biz_id=X1"), &none, customer.to_owned(), "sync"),
        (
            "/okki/v1/invoices/order/push".to_owned(),
            &okki,
            r#"{"order_no":"1"}"#.to_owned(),
            "name",
        ),
        (
            "/okki/v1/invoices/order/push".to_owned(),
            &okki,
            r#"{"name":"a","order_id":7}"#.to_owned(),
            "Not Found Resource",
        ),
    ];
    for (path, headers, body, words) in rows {
        let told = post(&at, &path, headers, &body).await.text();
        assert!(told.contains(words), "{path}: {told}");
    }
    assert_eq!(at.journal().len(), 0);
    // A code stands once, a pushed order as often as it is pushed, a message that is checked goes out once.
    let add = format!("{add}&biz_id=X1&sync=1");
    assert!(
        post(&at, &add, &none, customer)
            .await
            .text()
            .contains(r#""errcode":"0""#)
    );
    assert!(post(&at, &add, &none, customer).await.text().contains("已存在"));
    for _ in 0..2 {
        let path = "/okki/v1/invoices/order/push";
        let told = post(&at, path, &okki, r#"{"name":"a","order_no":"1"}"#)
            .await
            .json();
        assert_eq!(told["code"], 200, "{told}");
    }
    let checked = message("1000002").replace("\"touser\"", "\"enable_duplicate_check\":1,\"touser\"");
    let first = post(&at, &send_to, &none, &checked).await.json()["msgid"].clone();
    assert_eq!(post(&at, &send_to, &none, &checked).await.json()["msgid"], first);
    let forms: Vec<String> = at.journal().into_iter().map(|entry| entry.form).collect();
    assert_eq!(
        forms,
        ["u8_customer", "okki_order", "okki_order", "wecom_message"]
    );
}

#[tokio::test]
async fn too_many_calls_are_refused_in_each_ones_words() {
    let at = sandbox(|config| config.trades = 40).await;
    let settings = json!({"calls_per_s": 1, "calls_per_min": 2});
    super::control(&at, "POST", "clock", settings).await;
    for (system, words) in [
        ("feishu", "99991400"),
        ("dingtalk", "90018"),
        ("wecom", "45009"),
        ("u8", "20011"),
    ] {
        let (headers, query) = token(&at, system).await;
        let (_, method, base, body, _) = READS.iter().find(|row| row.0 == system).expect("a read");
        let mut said = String::new();
        for _ in 0..3 {
            said.push_str(
                &call(&at, method, &path(system, base, &query), &headers, body)
                    .await
                    .text(),
            );
        }
        assert!(said.contains(words), "{system}: {said}");
    }
}

#[tokio::test]
async fn a_process_is_started_by_a_form_in_parts() {
    let at = sandbox(|_| {}).await;
    let path = "/landray/api/km-review/kmReviewRestService/addReview";
    let part = |name: &str, value: &str| {
        format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = [
        part("docSubject", "采购"),
        part("fdTemplateId", "t1"),
        part("docCreator", r#"{"LoginName":"zhangsan"}"#),
        part("formValues", r#"{"fd_number":"00123"}"#),
        "--b--\r\n".to_owned(),
    ]
    .concat();
    let ask = async |password: &str, body: &str| {
        let basic = crypto::base64(format!("sandbox:{password}").as_bytes());
        let headers: Headers = vec![
            ("authorization", format!("Basic {basic}")),
            ("content-type", "multipart/form-data; boundary=b".to_owned()),
        ];
        send(&at, "POST", path, &headers, body.as_bytes())
            .await
            .expect("an answer")
    };
    assert_eq!(ask("sandbox-landray-passworD", &body).await.status, 401);
    let right = "sandbox-landray-password";
    let bad = body.replace(r#"{"LoginName":"zhangsan"}"#, "zhangsan");
    assert!(ask(right, &bad).await.text().contains("docCreator"));
    assert_eq!(at.journal().len(), 0);
    let told = ask(right, &body).await.json();
    assert_eq!(
        (&told["success"], told["data"].as_str().map(str::len)),
        (&json!(true), Some(32))
    );
    let entry = &at.journal()[0];
    assert_eq!((entry.number.as_str(), entry.org.as_str()), ("00123", "t1"));
}

#[tokio::test]
async fn a_record_is_added_once_under_a_key() {
    let at = sandbox(|_| {}).await;
    let (headers, _) = token(&at, "feishu").await;
    let add = async |key: &str, number: &str| {
        let body = json!({"fields": {"编号": number}}).to_string();
        let path = format!("{}?client_token={key}", FEISHU.trim_end_matches('/'));
        let told = post(&at, &path, &headers, &body).await.json();
        told["data"]["record"]["record_id"].as_str().map(str::to_owned)
    };
    let key = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";
    let first = add(key, "A").await;
    assert!(first.is_some());
    assert_eq!(add(key, "A").await, first);
    // Whatever stands in it: the key says that it is the same call.
    assert_eq!(add(key, "B").await, first);
    assert_eq!(at.journal().len(), 1);
    for not_one in ["0a1b2c3d-4e5f-1a6b-8c7d-9e0f1a2b3c4d", "abc"] {
        assert_eq!(add(not_one, "C").await, None, "{not_one}");
    }
    assert_ne!(add("", "A").await, add("", "A").await);
    assert_eq!(at.journal().len(), 3);
    // A key is not known for ever.
    at.advance_ms(3_600_000);
    assert!(add(key, "A").await.is_some_and(|id| Some(id) != first));
    assert_eq!(at.journal().len(), 4);
}
