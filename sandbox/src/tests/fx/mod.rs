//! Fxiaoke: its tokens of both generations, its limits and its queries.

mod writes;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Answer, control, json_type, sandbox, send};
use crate::fault::{FaultKind, FaultPlan};
use crate::{Config, Running};

const TRACE: &str = "thirdTraceId=0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";
const HOUR_MS: i64 = 3_600_000;

pub(super) fn credentials() -> Value {
    json!({
        "appId": "FSAID_sandbox", "appSecret": "sandbox-fx-secret", "permanentCode": "sandbox-fx-code",
        "grantType": "app_secret",
    })
}

async fn post(at: &Running, path: &str, headers: &[(&'static str, &str)], body: &Value) -> Option<Answer> {
    let own = headers.iter().map(|(name, value)| (*name, (*value).to_owned()));
    let headers = std::iter::once(json_type()).chain(own).collect();
    send(
        at,
        "POST",
        &format!("/fx/{path}"),
        &headers,
        body.to_string().as_bytes(),
    )
    .await
}

async fn token_call(at: &Running, body: &Value) -> Value {
    let path = format!("oauth2.0/token?{TRACE}");
    post(at, &path, &[], body).await.unwrap().json()
}

pub(super) async fn token(at: &Running) -> String {
    let answer = token_call(at, &credentials()).await;
    assert_eq!(answer["errorCode"], 0, "{answer}");
    answer["accessToken"].as_str().unwrap().to_owned()
}

/// A call with a token in its headers.
pub(super) async fn call(at: &Running, token: &str, path: &str, body: &Value) -> Option<Answer> {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("x-fs-ea", "fs_sandbox"),
        ("x-fs-userid", "1000"),
    ];
    post(at, &format!("{path}?{TRACE}"), &headers, body).await
}

pub(super) async fn code(at: &Running, token: &str, path: &str, body: &Value) -> Value {
    call(at, token, path, body).await.unwrap().json()["errorCode"].clone()
}

pub(super) async fn unlimited(change: impl FnOnce(&mut Config)) -> (Running, String) {
    let at = sandbox(|config| {
        config.settings.calls_per_s = Some(0);
        config.settings.calls_per_min = Some(0);
        change(config);
    })
    .await;
    let token = token(&at).await;
    (at, token)
}

const QUERY: &str = "cgi/crm/v2/data/query";

/// A query of accounts; `more` is laid over what it searches.
pub(super) fn query(more: Value) -> Value {
    let mut info =
        json!({"limit": 100, "offset": 0, "filters": [], "orders": [{"fieldName": "_id", "isAsc": true}]});
    for (name, value) in more.as_object().unwrap() {
        info[name] = value.clone();
    }
    json!({"data": {"dataObjectApiName": "AccountObj", "find_explicit_total_num": true, "search_query_info": info}})
}

async fn rows(at: &Running, token: &str, more: Value) -> Vec<Value> {
    let answer = call(at, token, QUERY, &query(more)).await.unwrap().json();
    assert_eq!(answer["errorCode"], 0, "{answer}");
    answer["data"]["dataList"].as_array().unwrap().clone()
}

fn filter(field: &str, op: &str, values: Value) -> Value {
    json!({"filters": [{"field_name": field, "operator": op, "field_values": values}]})
}

#[tokio::test]
async fn a_token_is_the_same_until_shortly_before_its_end() {
    let at = sandbox(|_| {}).await;
    let first = token_call(&at, &credentials()).await;
    assert_eq!(first["expiresIn"], 7200, "{first}");
    assert_eq!(first["ea"], "fs_sandbox");
    at.advance_ms(6_599_000);
    let same = token_call(&at, &credentials()).await;
    assert_eq!(same["accessToken"], first["accessToken"]);
    let left = same["expiresIn"].as_i64().unwrap();
    assert!((599..=601).contains(&left), "{left}");
    at.advance_ms(2_000);
    let next = token(&at).await;
    let first = first["accessToken"].as_str().unwrap();
    assert_ne!(next, first);
    for both in [first, &next] {
        assert_eq!(code(&at, both, QUERY, &query(json!({}))).await, 0);
    }
    at.advance_ms(600_000);
    assert_eq!(code(&at, first, QUERY, &query(json!({}))).await, 20016);
    assert_eq!(code(&at, &next, QUERY, &query(json!({}))).await, 0);
    control(&at, "POST", "clock", json!({"session_ttl_ms": 1000})).await;
    assert_eq!(
        code(&at, &next, QUERY, &query(json!({}))).await,
        20016,
        "a life that was told"
    );
}

#[tokio::test]
async fn the_older_token_stands_in_the_body() {
    let at = sandbox(|_| {}).await;
    let mut body = credentials();
    body.as_object_mut().unwrap().remove("grantType");
    let path = format!("cgi/corpAccessToken/get/V2?{TRACE}");
    let answer = post(&at, &path, &[], &body).await.unwrap().json();
    assert_eq!(
        (&answer["errorCode"], &answer["expiresIn"]),
        (&json!(0), &json!(7200))
    );
    let asked = |member: &str, value: Value| {
        let mut asked = query(json!({}));
        asked["corpAccessToken"] = answer["corpAccessToken"].clone();
        asked["corpId"] = answer["corpId"].clone();
        asked["currentOpenUserId"] = json!("1000");
        asked[member] = value;
        asked
    };
    for (member, value, want) in [
        ("corpId", answer["corpId"].clone(), 0),
        ("corpId", json!("another"), 20022),
        ("corpId", json!(""), 20017),
        ("currentOpenUserId", json!("1001"), 20022),
        ("corpAccessToken", json!("x"), 20016),
        ("corpAccessToken", Value::Null, 20017),
    ] {
        let path = format!("{QUERY}?{TRACE}");
        let got = post(&at, &path, &[], &asked(member, value)).await.unwrap().json();
        assert_eq!(got["errorCode"], want, "{member}: {got}");
    }
    // Neither generation is good in the place of the other.
    let old = answer["corpAccessToken"].as_str().unwrap();
    assert_eq!(code(&at, old, QUERY, &query(json!({}))).await, 20016);
}

#[tokio::test]
async fn who_is_let_in_and_what_is_looked_at_first() {
    let at = sandbox(|config| config.settings.calls_per_min = Some(0)).await;
    for member in ["appId", "appSecret", "permanentCode"] {
        let mut wrong = credentials();
        let value = wrong[member].as_str().unwrap().to_owned() + "x";
        wrong[member] = json!(value);
        let answer = token_call(&at, &wrong).await;
        assert_eq!(answer["errorCode"], 10006, "{member}");
        assert!(!answer.to_string().contains("sandbox-fx"), "{answer}");
    }
    let mut wrong = credentials();
    wrong["grantType"] = json!("password");
    assert_eq!(token_call(&at, &wrong).await["errorCode"], 10000);
    let token = token(&at).await;
    let bearer = format!("Bearer {token}");
    let all = [
        ("authorization", bearer.as_str()),
        ("x-fs-ea", "fs_sandbox"),
        ("x-fs-userid", "1000"),
    ];
    let unknown = [("authorization", "Bearer x"), all[1], all[2]];
    let elsewhere = [all[0], ("x-fs-ea", "another"), all[2]];
    for (headers, trace, want) in [
        (&all[..], TRACE, 0),
        (&all[..], "", 10000),
        (&all[..], "thirdTraceId=1", 10000),
        (&all[..], "thirdTraceId=0a1b2c3d4e5f4a6b8c7d9e0f1a2b3c4d", 10000),
        (
            &all[..],
            "thirdTraceId=0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4g",
            10000,
        ),
        (&unknown[..], "", 20016),
        (&elsewhere[..], TRACE, 20022),
        (&all[..2], TRACE, 20017),
        (&all[1..], "", 20017),
        (&[][..], "", 20017),
    ] {
        let path = format!("{QUERY}?{trace}");
        let answer = post(&at, &path, headers, &query(json!({}))).await.unwrap();
        assert_eq!(answer.status, 200);
        let answer = answer.json();
        assert_eq!(answer["errorCode"], want, "{trace} {answer}");
        assert_ne!(answer["traceId"], "", "{answer}");
    }
    assert_eq!(
        code(&at, &token, "cgi/crm/v2/data/nothing", &json!({"data": {}})).await,
        10001
    );
    control(&at, "POST", "clock", json!({"session_max_calls": 1})).await;
    assert_eq!(code(&at, &token, QUERY, &query(json!({}))).await, 20016);
}

#[tokio::test]
async fn calls_are_limited_for_each_path_and_each_day() {
    let at = sandbox(|config| config.settings.calls_per_min = Some(0)).await;
    let token = token(&at).await;
    let asked = query(json!({"limit": 1}));
    for _ in 0..100 {
        assert_eq!(code(&at, &token, QUERY, &asked).await, 0);
    }
    assert_eq!(code(&at, &token, QUERY, &asked).await, 30004);
    assert_eq!(at.throttled("fx"), 1);
    let custom = json!({"data": {
        "dataObjectApiName": "object_1__c", "search_query_info": {"limit": 1, "offset": 0}}});
    let other = "cgi/crm/custom/v2/data/query";
    assert_eq!(code(&at, &token, other, &custom).await, 0, "another path");
    at.advance_ms(20_001);
    assert_eq!(code(&at, &token, QUERY, &asked).await, 0);
    control(&at, "POST", "clock", json!({"calls_per_day": 102})).await;
    assert_eq!(code(&at, &token, QUERY, &asked).await, 30002);
    at.advance_ms(24 * HOUR_MS);
    let again = self::token(&at).await;
    assert_eq!(code(&at, &again, QUERY, &asked).await, 0, "another day");
}

#[tokio::test]
async fn tokens_are_given_ten_times_a_minute_and_one_at_a_time() {
    let at = sandbox(|_| {}).await;
    for _ in 0..10 {
        assert_eq!(token_call(&at, &credentials()).await["errorCode"], 0);
    }
    assert_eq!(token_call(&at, &credentials()).await["errorCode"], 14001);
    at.advance_ms(60_000);
    let slow = FaultPlan {
        delay_ms: Some(300),
        ..FaultPlan::nth("oauth2.0/token", 1, FaultKind::Delay)
    };
    at.fault(slow).unwrap();
    let credentials = credentials();
    let (one, other) = tokio::join!(token_call(&at, &credentials), token_call(&at, &credentials));
    let codes = BTreeSet::from([one, other].map(|answer| answer["errorCode"].as_i64()));
    assert_eq!(codes, BTreeSet::from([Some(0), Some(14001)]));
    assert_eq!(token_call(&at, &credentials).await["errorCode"], 0);
}

#[tokio::test]
async fn every_account_comes_once_page_by_page() {
    let (at, token) = unlimited(|_| {}).await;
    let mut all = Vec::new();
    for offset in [0, 100, 200, 300] {
        let answer = call(&at, &token, QUERY, &query(json!({"offset": offset}))).await;
        let answer = answer.unwrap().json();
        assert_eq!(answer["data"]["total"], 300);
        all.extend(answer["data"]["dataList"].as_array().unwrap().clone());
    }
    let ids: BTreeSet<String> = all.iter().map(|row| row["_id"].to_string()).collect();
    let numbers: BTreeSet<&str> = all
        .iter()
        .map(|row| row["account_no"].as_str().unwrap())
        .collect();
    assert_eq!((all.len(), ids.len(), numbers.len()), (300, 300, 300));
    assert!(
        numbers.contains("00000001") && numbers.contains("B000130"),
        "{numbers:?}"
    );
    assert!(
        all.iter()
            .any(|row| row["name"].as_str().unwrap().contains("有限公司"))
    );
    assert!(
        all.iter()
            .all(|row| row["last_modified_time"].as_i64().unwrap() > 1_000_000_000_000)
    );
    // Without being asked it tells no total; some fields only, and by key from a row on.
    let mut asked = query(json!({"fieldProjection": ["account_no"], "limit": 2}));
    asked["data"]["find_explicit_total_num"] = json!(false);
    let answer = call(&at, &token, QUERY, &asked).await.unwrap().json();
    assert_eq!(answer["data"]["total"], 0);
    let second = &answer["data"]["dataList"][1];
    assert_eq!(
        second,
        &json!({"_id": all[1]["_id"], "account_no": all[1]["account_no"]})
    );
    let rest = rows(&at, &token, filter("_id", "GT", json!([second["_id"]]))).await;
    assert_eq!(rest[0]["_id"], all[2]["_id"]);
    let mut down = query(json!({"orders": [{"fieldName": "account_no", "isAsc": false}], "limit": 1}));
    down["data"]["search_query_info"]["fieldProjection"] = json!(["account_no"]);
    let answer = call(&at, &token, QUERY, &down).await.unwrap().json();
    assert_eq!(
        answer["data"]["dataList"][0]["account_no"],
        *numbers.last().unwrap()
    );
    let same = sandbox(|config| config.seed = 8).await;
    let other = rows(&same, &self::token(&same).await, json!({})).await;
    assert_ne!(other[0]["name"], all[0]["name"], "another seed");
}

#[tokio::test]
async fn conditions() {
    let (at, token) = unlimited(|config| config.trades = 120).await;
    let all = rows(&at, &token, json!({})).await;
    assert_eq!(all.len(), 30);
    let (first, time) = (&all[0], all[0]["last_modified_time"].as_i64().unwrap());
    let count = |holds: &dyn Fn(&Value) -> bool| all.iter().filter(|row| holds(row)).count();
    let ms = |row: &Value| row["last_modified_time"].as_i64().unwrap();
    let has = |row: &Value| row["name"].as_str().unwrap().contains("有限公司");
    for (field, op, values, want) in [
        ("account_no", "EQ", json!(["00000001"]), 1),
        ("account_no", "EQ", json!(["1"]), 0),
        ("account_no", "N", json!(["00000001"]), 29),
        ("account_no", "IN", json!(["00000001", "00000002", "x"]), 2),
        ("account_no", "NIN", json!(["00000001", "00000002", "x"]), 28),
        (
            "name",
            "EQ",
            json!([first["name"]]),
            count(&|row| row["name"] == first["name"]),
        ),
        ("name", "LIKE", json!(["有限公司"]), count(&has)),
        ("name", "NLIKE", json!(["有限公司"]), 30 - count(&has)),
        (
            "last_modified_time",
            "GT",
            json!([time.to_string()]),
            count(&|row| ms(row) > time),
        ),
        (
            "last_modified_time",
            "GTE",
            json!([time.to_string()]),
            count(&|row| ms(row) >= time),
        ),
        (
            "last_modified_time",
            "LT",
            json!([time]),
            count(&|row| ms(row) < time),
        ),
        (
            "last_modified_time",
            "LTE",
            json!([time]),
            count(&|row| ms(row) <= time),
        ),
        (
            "last_modified_time",
            "BETWEEN",
            json!(["0", time.to_string()]),
            count(&|row| ms(row) <= time),
        ),
        ("owner", "EQ", json!(["1000"]), 30),
        ("remark", "IS", json!([]), 30),
        ("remark", "ISN", json!([]), 0),
        ("name", "ISN", json!([]), 30),
        ("remark", "LIKE", json!(["x"]), 0),
    ] {
        let got = rows(&at, &token, filter(field, op, values.clone())).await;
        assert_eq!(got.len(), want, "{field} {op} {values}");
    }
    for (what, more) in [
        ("an operator", filter("name", "EQUALS", json!(["x"]))),
        ("a field", filter("nam", "EQ", json!(["x"]))),
        ("no value", filter("name", "EQ", json!([]))),
        ("no list", filter("name", "EQ", json!("x"))),
        ("a tree", filter("name", "EQ", json!([["x"]]))),
        ("one end", filter("name", "BETWEEN", json!(["x"]))),
        ("too many rows", json!({"limit": 101})),
        ("no rows", json!({"limit": 0})),
        ("between pages", json!({"limit": 100, "offset": 50})),
        ("too deep", json!({"offset": 10_100})),
        (
            "an order",
            json!({"orders": [{"fieldName": "nam", "isAsc": true}]}),
        ),
        ("a projection", json!({"fieldProjection": ["nam"]})),
    ] {
        assert_eq!(code(&at, &token, QUERY, &query(more)).await, 10000, "{what}");
    }
    assert_eq!(
        code(&at, &token, QUERY, &query(json!({"offset": 10_000}))).await,
        0
    );
}

#[tokio::test]
async fn objects_have_paths_of_their_own() {
    let (at, token) = unlimited(|_| {}).await;
    for (object, preset, custom) in [
        ("AccountObj", 0, 10002),
        ("object_1__c", 10002, 0),
        ("Nobody", 10002, 10002),
        ("", 10000, 10000),
    ] {
        let asked =
            json!({"data": {"dataObjectApiName": object, "search_query_info": {"limit": 1, "offset": 0}}});
        assert_eq!(code(&at, &token, QUERY, &asked).await, preset, "{object}");
        let path = "cgi/crm/custom/v2/data/query";
        assert_eq!(code(&at, &token, path, &asked).await, custom, "{object}");
    }
}

#[tokio::test]
async fn a_renamed_customer_is_an_account_that_was_modified() {
    let (at, token) = unlimited(|_| {}).await;
    let since = at.now_ms();
    let changed = filter("last_modified_time", "GTE", json!([since.to_string()]));
    assert_eq!(rows(&at, &token, changed.clone()).await.len(), 0);
    control(&at, "POST", "change", json!({"customers": 3})).await;
    let got = rows(&at, &token, changed).await;
    assert_eq!(got.len(), 3);
    assert!(
        got.iter()
            .all(|row| row["name"].as_str().unwrap().contains("更名1")),
        "{got:?}"
    );
}

#[tokio::test]
async fn faults_of_a_query() {
    let (at, token) = unlimited(|_| {}).await;
    let struck = async |kind: FaultKind, offset: u64| {
        at.clear_faults();
        at.fault(FaultPlan::nth("data/query", 1, kind)).unwrap();
        call(&at, &token, QUERY, &query(json!({"offset": offset})))
            .await
            .unwrap()
            .json()
    };
    let first = struck(FaultKind::SkewedDate, 0).await["data"]["dataList"].clone();
    assert_eq!(
        struck(FaultKind::RepeatedPage, 100).await["data"]["dataList"],
        first
    );
    assert_eq!(
        struck(FaultKind::EmptyPage, 0).await["data"]["dataList"],
        json!([])
    );
    assert_eq!(struck(FaultKind::WrongTotal, 0).await["data"]["total"], 299);
    assert_eq!(struck(FaultKind::MsgCode13, 0).await["errorCode"], -1);
    assert_eq!(struck(FaultKind::MsgCode14, 0).await["errorCode"], 30004);
    assert_eq!(struck(FaultKind::SessionLost, 0).await["errorCode"], 20016);
    assert_eq!(
        code(&at, &token, QUERY, &query(json!({}))).await,
        20016,
        "it is gone for good"
    );
    assert_ne!(self::token(&at).await, token);
}

#[tokio::test]
async fn an_object_tells_its_fields() {
    const DESCRIBE: &str = "cgi/crm/v2/object/describe";
    let (at, token) = unlimited(|_| {}).await;
    let told = async |body: &Value| call(&at, &token, DESCRIBE, body).await.unwrap().json();
    for body in [
        json!({"includeDetail": false, "data": {"apiName": "AccountObj"}}),
        json!({"includeDetail": true, "apiName": "AccountObj"}),
    ] {
        let answer = told(&body).await;
        let describe = &answer["data"]["describe"];
        assert_eq!(describe["api_name"], "AccountObj", "{answer}");
        assert_eq!(
            describe["fields"]["account_no"]["api_name"], "account_no",
            "{answer}"
        );
        assert!(describe["fields"].get("FNumber").is_none());
    }
    // One of one's own has what was written of it.
    let own = json!({"includeDetail": false, "data": {"apiName": "bill__c"}});
    assert!(
        told(&own).await["data"]["describe"]["fields"]
            .get("sum__c")
            .is_none()
    );
    let made =
        json!({"data": {"object_data": {"dataObjectApiName": "bill__c", "name": "B1", "sum__c": "1.50"}}});
    assert_eq!(code(&at, &token, "cgi/crm/custom/v2/data/create", &made).await, 0);
    assert!(
        told(&own).await["data"]["describe"]["fields"]
            .get("sum__c")
            .is_some()
    );
    for (body, wanted) in [
        (
            json!({"includeDetail": false, "data": {"apiName": "NoObj"}}),
            10002,
        ),
        (json!({"data": {"apiName": "AccountObj"}}), 10000),
    ] {
        assert_eq!(told(&body).await["errorCode"], wanted, "{body}");
    }
}
