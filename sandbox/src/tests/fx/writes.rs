//! Documents that are made, changed and made invalid, and pushed ERP data.

use serde_json::{Value, json};

use super::{call, code, filter, query, token, unlimited};
use crate::fault::{FaultKind, FaultPlan};
use crate::{Config, FxUnique, start};

const QUERY: &str = "cgi/crm/v2/data/query";
const CREATE: &str = "cgi/crm/v2/data/create";
const UPDATE: &str = "cgi/crm/v2/data/update";
const INVALID: &str = "cgi/crm/v2/data/invalid";
const PUSH: &str = "cgi/crm/erp/syncdata/objdata/push";
const CENTER: &str = "63f82854a8bd974420925e83";

fn account(more: Value) -> Value {
    document("AccountObj", more)
}

fn document(object: &str, mut fields: Value) -> Value {
    fields["dataObjectApiName"] = json!(object);
    json!({"triggerWorkFlow": false, "data": {"object_data": fields}})
}

fn invalid(id: &Value) -> Value {
    json!({"data": {"object_data_id": id, "dataObjectApiName": "AccountObj"}})
}

#[tokio::test]
async fn an_account_is_made_changed_and_made_invalid() {
    let (at, token) = unlimited(|_| {}).await;
    let made =
        account(json!({"name": "杭州云杉", "account_no": "000777", "tel": "0571-1", "note__c": "1.50"}));
    let answer = call(&at, &token, CREATE, &made).await.unwrap().json();
    assert_eq!(answer["errorCode"], 0, "{answer}");
    let id = answer["dataId"].clone();
    assert_eq!(id.as_str().unwrap().len(), 24);
    let found = async || {
        let asked = query(filter("account_no", "EQ", json!(["000777"])));
        let answer = call(&at, &token, QUERY, &asked).await.unwrap().json();
        answer["data"]["dataList"].as_array().unwrap().clone()
    };
    let row = found().await.remove(0);
    assert_eq!((&row["_id"], &row["note__c"]), (&id, &json!("1.50")));
    assert_eq!(row["object_describe_api_name"], "AccountObj");
    let change = account(json!({"_id": id, "name": "杭州远山"}));
    let answer = call(&at, &token, UPDATE, &change).await.unwrap().json();
    assert_eq!((&answer["errorCode"], &answer["dataId"]), (&json!(0), &id));
    let row = found().await.remove(0);
    assert_eq!(
        (&row["name"], &row["tel"]),
        (&json!("杭州远山"), &json!("0571-1"))
    );
    assert_eq!(code(&at, &token, INVALID, &invalid(&id)).await, 0);
    assert_eq!(found().await.len(), 0);
    assert_eq!(code(&at, &token, INVALID, &invalid(&id)).await, 10003);
    assert_eq!(code(&at, &token, UPDATE, &change).await, 10003);
    assert_eq!(
        code(&at, &token, CREATE, &made).await,
        0,
        "its number is free again"
    );
    let effects = at.effects();
    assert_eq!(effects.len(), 1);
    let one = &effects[0];
    assert_eq!((one.form.as_str(), one.number.as_str()), ("AccountObj", "000777"));
    assert_eq!((one.creates, one.updates, one.steps, one.ids.len()), (2, 1, 1, 2));
}

#[tokio::test]
async fn a_seeded_account_is_changed_like_any_other() {
    let (at, token) = unlimited(|_| {}).await;
    let asked = query(filter("account_no", "EQ", json!(["00000001"])));
    let row = async || call(&at, &token, QUERY, &asked).await.unwrap().json()["data"]["dataList"][0].clone();
    let before = row().await;
    let change = account(json!({"_id": before["_id"], "remark": "大客户"}));
    assert_eq!(code(&at, &token, UPDATE, &change).await, 0);
    let after = row().await;
    assert_eq!(
        (&after["remark"], &after["name"]),
        (&json!("大客户"), &before["name"])
    );
    assert!(after["last_modified_time"].as_i64() > before["last_modified_time"].as_i64());
    let entry = at.journal().remove(0);
    assert_eq!(
        (entry.action.as_str(), entry.number.as_str()),
        ("update", "00000001")
    );
    assert_eq!(code(&at, &token, INVALID, &invalid(&before["_id"])).await, 0);
    assert_eq!(row().await, Value::Null);
}

#[tokio::test]
async fn what_is_refused_is_not_executed() {
    let (at, token) = unlimited(|config| config.refuse = 1).await;
    let good = |number: &str| json!({"name": "客户", "account_no": number});
    for (path, body, want) in [
        (CREATE, json!({}), 10000),
        (CREATE, json!({"data": {}}), 10000),
        (CREATE, json!({"data": {"object_data": {"name": "x"}}}), 10000),
        (CREATE, account(json!({"account_no": "1"})), 10005),
        (CREATE, account(json!({"name": " "})), 10005),
        (CREATE, account(json!({"name": "x", "acount_no": "1"})), 10000),
        (CREATE, account(json!({"name": "x", "_id": "1"})), 10000),
        (CREATE, account(good("00000001")), 10004),
        (CREATE, account(good("B000130")), 10004),
        (CREATE, account(good("R000001")), 10005),
        (CREATE, document("object_1__c", good("1")), 10002),
        (CREATE, document("SalesOrderObj", json!({"amount": "1"})), 10005),
        (UPDATE, account(json!({"name": "x"})), 10000),
        (UPDATE, account(json!({"_id": "1", "name": "x"})), 10003),
        (
            UPDATE,
            account(json!({"_id": "653100000000000000000005", "name": "x"})),
            10003,
        ),
        (UPDATE, account(json!({"_id": 6531, "name": "x"})), 10000),
        (INVALID, invalid(&json!("x")), 10003),
        (INVALID, invalid(&json!(6531)), 10000),
        (
            PUSH,
            json!({"data": {"objAPIName": "o", "masterFieldVal": {}}}),
            10000,
        ),
        (PUSH, json!({"data": {"id": "1", "masterFieldVal": {}}}), 10000),
        (PUSH, json!({"data": {"id": "1", "objAPIName": "o"}}), 10000),
    ] {
        assert_eq!(code(&at, &token, path, &body).await, want, "{path} {body}");
    }
    assert_eq!(at.journal().len(), 0);
}

#[tokio::test]
async fn what_is_unique_can_be_told() {
    let one = || json!({"name": "同名", "account_no": "0001"});
    let other = || json!({"name": "同名", "account_no": "0002"});
    for (unique, want) in [
        (FxUnique::Number, [0, 10004, 0]),
        (FxUnique::Name, [0, 10004, 10004]),
        (FxUnique::None, [0, 0, 0]),
    ] {
        let (at, token) = unlimited(|config| config.settings.fx_unique = Some(unique)).await;
        for (fields, want) in [one(), one(), other()].into_iter().zip(want) {
            assert_eq!(
                code(&at, &token, CREATE, &account(fields)).await,
                want,
                "{unique:?}"
            );
        }
    }
    let (at, token) = unlimited(|_| {}).await;
    let order = document("SalesOrderObj", json!({"order_no__c": "SO1"}));
    let custom = document("object_1__c", json!({"name": "A"}));
    let path = "cgi/crm/custom/v2/data/create";
    assert_eq!(code(&at, &token, CREATE, &order).await, 0);
    assert_eq!(code(&at, &token, CREATE, &order).await, 10004);
    assert_eq!(code(&at, &token, path, &custom).await, 0);
    assert_eq!(code(&at, &token, path, &custom).await, 10004);
    // One of them may keep its own number, and not take that of another.
    for (fields, want) in [
        (json!({"name": "甲", "account_no": "0001"}), 0),
        (json!({"name": "乙", "account_no": "0002"}), 0),
    ] {
        assert_eq!(code(&at, &token, CREATE, &account(fields)).await, want);
    }
    let id = at.journal().last().map(|entry| entry.id).unwrap();
    for (number, want) in [("0002", 0), ("0001", 10004), ("0003", 0), ("0002", 0)] {
        let change = account(json!({"_id": format!("6531{id:020}"), "account_no": number}));
        assert_eq!(code(&at, &token, UPDATE, &change).await, want, "{number}");
    }
    let without = account(json!({"name": "丙"}));
    assert_eq!(code(&at, &token, CREATE, &without).await, 0);
    assert_eq!(
        code(&at, &token, CREATE, &without).await,
        0,
        "each takes a number of its own"
    );
}

#[tokio::test]
async fn documents_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = || Config {
        state: Some(folder.path().to_owned()),
        ..Config::default()
    };
    let mut known = Vec::new();
    for _ in 0..2 {
        let at = start(config()).await.unwrap();
        let token = token(&at).await;
        let asked = query(filter("remark", "EQ", json!(["x"])));
        let rows = call(&at, &token, QUERY, &asked).await.unwrap().json()["data"]["dataList"].clone();
        assert_eq!(rows, json!(known));
        let number = format!("0000{}", known.len());
        let body = account(json!({"name": "客户", "account_no": number, "remark": "x"}));
        assert_eq!(code(&at, &token, CREATE, &body).await, 0);
        let body = json!({"data": {"objAPIName": "erpOrder", "dataCenterId": CENTER, "id": "1", "masterFieldVal": {"a": "1"}}});
        assert_eq!(code(&at, &token, PUSH, &body).await, 0);
        let rows = call(&at, &token, QUERY, &asked).await.unwrap().json()["data"]["dataList"].clone();
        known = rows.as_array().unwrap().clone();
        at.stop().await;
    }
    assert_eq!(known.len(), 2);
    let at = start(config()).await.unwrap();
    let pushed = at.effects().into_iter().find(|one| one.form == "erp").unwrap();
    assert_eq!((pushed.org.as_str(), pushed.number.as_str()), ("erpOrder", "1"));
    assert_eq!((pushed.creates, pushed.updates, pushed.repeats), (1, 1, 1));
}

#[tokio::test]
async fn a_push_names_its_data_centre_and_where_it_goes() {
    let (at, token) = unlimited(|_| {}).await;
    let standard = json!({"objAPIName": "erpOrder", "dataCenterId": CENTER, "id": "1", "masterFieldVal": {"a": "1"}, "detailFieldVals": {}});
    for (name, value, want) in [
        ("remark", json!(null), 0),
        ("objAPIName", json!(""), 10000),
        ("dataCenterId", json!(null), 10000),
        ("dataCenterId", json!("another"), 10000),
        ("directSync", json!(false), 0),
        ("directSync", json!(true), 10000),
        ("directSync", json!("yes"), 10000),
        ("id", json!(null), 10000),
        ("masterFieldVal", json!("text"), 10000),
        ("detailFieldVals", json!([]), 10000),
    ] {
        let mut data = standard.clone();
        data[name] = value.clone();
        let answer = call(&at, &token, PUSH, &json!({"data": data}))
            .await
            .unwrap()
            .json();
        assert_eq!(answer["errorCode"], want, "{name} {value}: {answer}");
        assert!(
            answer["traceId"].as_str().unwrap().starts_with("E-O."),
            "{answer}"
        );
    }
    for (object, want) in [("SalesOrderObj", 0), ("Nobody", 10002)] {
        let mut data = standard.clone();
        (data["directSync"], data["destObjectApiName"]) = (json!(true), json!(object));
        assert_eq!(
            code(&at, &token, PUSH, &json!({"data": data})).await,
            want,
            "{object}"
        );
    }
}

#[tokio::test]
async fn an_order_has_lines_that_an_update_replaces() {
    let (at, token) = unlimited(|_| {}).await;
    let order = |more: Value, details: Value| {
        let mut body = document("SalesOrderObj", more);
        body["data"]["details"] = details;
        body
    };
    let lines = json!({"SalesOrderProductObj": [{"name": "1"}], "order_plan__c": [{"name": "P1"}]});
    let made = order(json!({"order_no__c": "1"}), lines.clone());
    let id = call(&at, &token, CREATE, &made).await.unwrap().json()["dataId"].clone();
    let kept: Value = serde_json::from_str(&at.journal()[0].content).unwrap();
    assert_eq!(kept["details"], lines);
    let change = order(json!({"_id": id, "remark": "x"}), json!({"order_plan__c": []}));
    assert_eq!(code(&at, &token, UPDATE, &change).await, 0);
    for (details, want) in [
        (json!({"PaymentObj": []}), 10002),
        (json!([]), 10000),
        (json!({"x__c": {}}), 10000),
    ] {
        let body = order(json!({"order_no__c": "2"}), details.clone());
        assert_eq!(code(&at, &token, CREATE, &body).await, want, "{details}");
    }
    let asked = json!({"data": {"dataObjectApiName": "SalesOrderObj", "search_query_info": {"limit": 1, "offset": 0}}});
    let row = call(&at, &token, QUERY, &asked).await.unwrap().json()["data"]["dataList"][0].clone();
    assert_eq!((&row["remark"], row.get("details")), (&json!("x"), None), "{row}");
}

#[tokio::test]
async fn faults_of_a_create() {
    let (at, token) = unlimited(|config| config.settings.fx_unique = Some(FxUnique::None)).await;
    for (kind, want, executed) in [
        (FaultKind::MsgCode13, Some(-1), 0),
        (FaultKind::MsgCode14, Some(30004), 0),
        (FaultKind::BatchRefused, Some(10005), 0),
        (FaultKind::DropBefore, None, 0),
        (FaultKind::DropAfter, None, 1),
        (FaultKind::Duplicate, Some(0), 2),
        (FaultKind::SessionLost, Some(20016), 0),
    ] {
        at.clear_faults();
        at.fault(FaultPlan::nth("data/create", 1, kind)).unwrap();
        let before = at.journal().len();
        let body = account(json!({"name": "客户", "account_no": kind.word()}));
        let got = call(&at, &token, CREATE, &body).await;
        let got = got.map(|answer| answer.json()["errorCode"].clone());
        assert_eq!(got, want.map(|code: i64| json!(code)), "{kind:?}");
        assert_eq!(at.journal().len() - before, executed, "{kind:?}");
    }
}
