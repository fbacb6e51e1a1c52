//! Uploads of items: answered item by item, an upsert by code.

use std::time::Duration;

use serde_json::{Value, json};

use super::{call, code, token, unlimited};
use crate::fault::{FaultKind, FaultPlan};
use crate::{Config, start};

const ITEMS: &str = "jushuitan/itemsku/upload";

fn item(sku: &str, name: &str) -> Value {
    json!({"sku_id": sku, "i_id": "K1", "name": name, "sale_price": "12.50"})
}

#[tokio::test]
async fn an_upload_is_answered_item_by_item_and_keeps_one_of_each_code() {
    let (at, token) = unlimited(|config| config.refuse = 1).await;
    let upload = async |items: &[Value]| {
        let answer = call(&at, &token, ITEMS, &json!({"items": items})).await.unwrap();
        answer.json()
    };
    let items = [
        item("00012", "保温杯"),
        item("12", "杯"),
        item("", "x"),
        item("R000001", "x"),
        json!({"sku_id": "9"}),
        json!(5),
        item("00012", "保温杯 500ml"),
    ];
    let answer = upload(&items).await;
    let datas = answer["data"]["datas"].as_array().unwrap();
    let good: Vec<&Value> = datas.iter().map(|one| &one["is_success"]).collect();
    assert_eq!(good, [true, true, false, false, false, false, true], "{answer}");
    assert!(datas.iter().all(|one| one["is_success"] == (one["msg"] == "")));
    assert_eq!(datas[0]["sku_id"], "00012");
    upload(&[item("12", "杯子")]).await;
    let effects = at.effects();
    let counts: Vec<_> = effects
        .iter()
        .map(|one| (one.number.as_str(), one.creates, one.updates))
        .collect();
    assert_eq!(counts, [("00012", 1, 1), ("12", 1, 1)]);
    assert!(
        effects
            .iter()
            .all(|one| one.form == "itemsku" && one.ids.len() == 1)
    );
    assert_eq!(at.state()["documents"]["itemsku"], 2);
    let many: Vec<Value> = (0..51).map(|n| item(&format!("{n:05}"), "x")).collect();
    assert_eq!(upload(&many).await["code"], 140);
    assert_eq!(upload(&[]).await["code"], 130);
    assert_eq!(
        upload(&many[..50]).await["data"]["datas"]
            .as_array()
            .unwrap()
            .len(),
        50
    );
}

#[tokio::test]
async fn items_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = || Config {
        state: Some(folder.path().to_owned()),
        ..Config::default()
    };
    for versions in [vec![1], vec![1, 2]] {
        let at = start(config()).await.unwrap();
        let token = token(&at).await;
        call(&at, &token, ITEMS, &json!({"items": [item("00012", "杯")]}))
            .await
            .unwrap();
        let got: Vec<u64> = at.journal().iter().map(|entry| entry.version).collect();
        assert_eq!(got, versions);
        at.stop().await;
    }
}

#[tokio::test]
async fn faults_of_an_upload() {
    let (at, token) = unlimited(|_| {}).await;
    let answer = async |kind: FaultKind, sku: &str| {
        at.clear_faults();
        at.fault(FaultPlan::nth(ITEMS, 1, kind)).unwrap();
        let items = json!({"items": [item(sku, "x"), item(&format!("{sku}-2"), "y")]});
        call(&at, &token, ITEMS, &items).await
    };
    for (kind, want, executed) in [
        (FaultKind::MsgCode14, Some(200), 0),
        (FaultKind::MsgCode13, Some(150), 0),
        (FaultKind::BatchRefused, Some(140), 0),
        (FaultKind::DropAfter, None, 2),
        (FaultKind::DropBefore, None, 0),
        (FaultKind::Duplicate, Some(0), 4),
    ] {
        let before = at.journal().len();
        let got = answer(kind, kind.word())
            .await
            .map(|answer| answer.json()["code"].clone());
        assert_eq!(got, want.map(|code: u32| json!(code)), "{kind:?}");
        assert_eq!(at.journal().len() - before, executed, "{kind:?}");
    }
    for (kind, want) in [
        (FaultKind::RowErrors, json!([false, true])),
        (FaultKind::RowsUnnamed, json!([true])),
        (FaultKind::WrongRowCount, json!([true, true, true])),
    ] {
        let got = answer(kind, kind.word()).await.unwrap().json();
        let good: Value = got["data"]["datas"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["is_success"].clone())
            .collect();
        assert_eq!(good, want, "{kind:?}");
    }
    let gateway = answer(FaultKind::Http519, "g").await.unwrap();
    assert_eq!(
        (gateway.status, gateway.header("content-type")),
        (502, Some("text/html; charset=utf-8"))
    );
    assert!(
        at.effects().iter().all(|one| !one.is_doubled()),
        "an upsert makes nothing twice"
    );
    assert_eq!(
        answer(FaultKind::SessionLost, "s").await.unwrap().json()["code"],
        100
    );
    assert_eq!(
        code(&at, &token, "shops/query", &json!({})).await,
        100,
        "the token is gone for good"
    );
}

#[tokio::test]
async fn a_hanging_upload_is_executed_once() {
    let (at, token) = unlimited(|_| {}).await;
    at.fault(FaultPlan::nth(ITEMS, 1, FaultKind::Hang)).unwrap();
    let items = json!({"items": [item("00012", "杯")]});
    let patience = Duration::from_millis(200);
    let hangs = tokio::time::timeout(patience, call(&at, &token, ITEMS, &items)).await;
    assert!(hangs.is_err());
    let again = call(&at, &token, ITEMS, &items).await.unwrap().json();
    assert_eq!(again["data"]["datas"][0]["is_success"], true);
    let effects = at.effects();
    assert_eq!(
        (effects[0].creates, effects[0].updates, effects[0].repeats),
        (1, 1, 1)
    );
}
