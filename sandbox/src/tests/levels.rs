//! The simulated Kingdee at each level it can have.

use serde_json::json;

use super::{batch, control, customer, k3, login, query, sandbox};
use crate::{Level, NewSettings};

#[tokio::test]
async fn kingdee_at_each_level() {
    for (level, second, rows) in [
        (Level::UniqueKey, 11, 1),
        (Level::Query, 0, 2),
        (Level::None, 0, 0),
    ] {
        let at = sandbox(|c| c.settings.kingdee = Some(level)).await;
        let session = login(&at).await;
        let bill = json!({"formid": "SAL_SaleOrder", "data": {"Model": [{"FBillNo": "1"}]}});
        for body in [batch(&[customer("1", "甲")]), bill] {
            k3(&at, "BatchSave", &session, body.clone()).await;
            let again = k3(&at, "BatchSave", &session, body).await;
            assert_eq!(
                again["Result"]["ResponseStatus"]["MsgCode"], second,
                "{level:?}: {again}"
            );
        }
        let found = query(&at, &session, "FNumber", "FNumber='1'").await;
        match rows {
            0 => assert_eq!(found[0][0]["Result"]["ResponseStatus"]["MsgCode"], 2, "{found}"),
            rows => assert_eq!(found.as_array().unwrap().len(), rows, "{found}"),
        }
    }
}

#[tokio::test]
async fn levels_by_control() {
    let at = sandbox(|_| {}).await;
    let answer = control(
        &at,
        "POST",
        "clock",
        json!({"kingdee": "query", "plain": "upsert"}),
    )
    .await;
    let settings = &answer["settings"];
    assert_eq!(
        (&settings["unique_numbers"], &settings["plain"]),
        (&json!(false), &json!("upsert"))
    );
    for bad in [
        json!({"kingdee": "upsert"}),
        json!({"plain": "best"}),
        json!({"qlain": "none"}),
        json!({"advance_ms": "1"}),
    ] {
        let answer = control(&at, "POST", "clock", bad).await;
        assert!(answer["error"].is_string(), "{answer}");
    }
    let wrong = NewSettings {
        kingdee: Some(Level::IdempotencyKey),
        ..NewSettings::default()
    };
    assert!(at.set(&wrong).unwrap_err().contains("kingdee"));
}

#[tokio::test]
async fn a_session_ends_after_its_time_or_its_calls() {
    for (change, calls, wait_ms) in [
        (json!({"session_ttl_ms": 5000}), 3, 5000),
        (json!({"session_max_calls": 2}), 2, 0),
    ] {
        let at = sandbox(|_| {}).await;
        control(&at, "POST", "clock", change).await;
        let session = login(&at).await;
        let token = super::plain::token(&at).await;
        for _ in 0..calls {
            assert_eq!(query(&at, &session, "FNumber", "").await, json!([]));
            let answer = super::plain::call(&at, "GET", "documents", &token, &json!(null)).await;
            assert_eq!(answer.unwrap().status, 200);
        }
        at.advance_ms(wait_ms);
        let lost = query(&at, &session, "FNumber", "").await;
        assert_eq!(lost[0][0]["Result"]["ResponseStatus"]["MsgCode"], 1, "{lost}");
        let answer = super::plain::call(&at, "GET", "documents", &token, &json!(null)).await;
        assert_eq!(answer.unwrap().status, 401);
    }
}
