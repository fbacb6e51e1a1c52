use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Headers, batch, control, customer, huke_rows, k3, login, query, sandbox, send};
use crate::{Config, Running, start};

async fn nicks(at: &Running) -> BTreeMap<String, String> {
    let rows = huke_rows(at, "customer/searchCustomers", None, 100).await;
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    rows.iter().map(|r| (text(&r["cid"]), text(&r["nick"]))).collect()
}

#[tokio::test]
async fn a_change_renames_customers_and_gives_each_a_fresh_trade() {
    let at = sandbox(|c| c.trades = 100).await;
    let before = nicks(&at).await;
    at.advance_ms(30 * 3_600_000);
    let from = at.now_ms();
    let answer = control(&at, "POST", "change", json!({"customers": 3, "new": 2})).await;
    let after = nicks(&at).await;
    let changed: Vec<&String> = before
        .iter()
        .filter(|(c, n)| after[*c] != **n)
        .map(|(c, _)| c)
        .collect();
    assert_eq!((changed.len(), after.len() - before.len()), (3, 2));
    at.advance_ms(1);
    let fresh = huke_rows(&at, "trade/searchTrades", Some((from, at.now_ms() + 1)), 10).await;
    assert_eq!(fresh.len(), 5);
    for trade in &fresh {
        assert_eq!(
            after[trade["buyerCid"].as_str().unwrap()],
            trade["buyerNick"].as_str().unwrap()
        );
    }
    let named = |list: &str| answer[list].as_array().unwrap().len();
    assert_eq!((named("changed"), named("new")), (3, 2));
    let all = huke_rows(&at, "trade/searchTrades", None, 100).await;
    assert!(
        all.iter()
            .all(|t| after[t["buyerCid"].as_str().unwrap()] == t["buyerNick"].as_str().unwrap())
    );
}

#[tokio::test]
async fn a_folder_keeps_documents_ids_changes_and_data() {
    let folder = tempfile::tempdir().unwrap();
    let config = || Config {
        state: Some(folder.path().to_owned()),
        trades: 40,
        ..Config::default()
    };
    let at = start(config()).await.unwrap();
    let s = login(&at).await;
    let trades = huke_rows(&at, "trade/searchTrades", None, 100).await;
    let saved = k3(
        &at,
        "BatchSave",
        &s,
        batch(&[customer("1", "甲"), customer("2", "乙")]),
    )
    .await;
    let id = saved["Result"]["ResponseStatus"]["SuccessEntitys"][0]["Id"].clone();
    at.change(2, 1).unwrap();
    let (nicks_then, journal) = (nicks(&at).await, at.journal());
    let rows = query(&at, &s, "FCUSTID,FNumber,FName,FModifyDate", "").await;
    let twice = start(config()).await.unwrap_err();
    assert!(twice.to_string().contains("in use"), "{twice}");
    at.stop().await;

    let at = start(config()).await.unwrap();
    let lost = query(&at, &s, "FCUSTID", "").await;
    assert_eq!(
        lost[0][0]["Result"]["ResponseStatus"]["MsgCode"], 1,
        "sessions die with their server"
    );
    let s = login(&at).await;
    assert_eq!((nicks(&at).await, at.journal()), (nicks_then, journal));
    assert_eq!(
        query(&at, &s, "FCUSTID,FNumber,FName,FModifyDate", "").await,
        rows
    );
    let now = huke_rows(&at, "trade/searchTrades", None, 100).await;
    let tids = |rows: &[Value]| rows.iter().map(|r| r["tid"].clone()).collect::<Vec<_>>();
    assert_eq!(
        tids(&now)[..40],
        tids(&trades)[..],
        "the same trades at the same times"
    );
    let next = k3(&at, "BatchSave", &s, batch(&[customer("3", "丙")])).await;
    assert!(next["Result"]["ResponseStatus"]["SuccessEntitys"][0]["Id"].as_u64() > id.as_u64());
    assert_eq!(at.journal().last().unwrap().seq, 3);
    at.stop().await;

    let other = start(Config { seed: 8, ..config() }).await.unwrap_err();
    assert!(other.to_string().contains("--seed 7"), "{other}");
}

#[tokio::test]
async fn the_journal_holds_the_exact_bytes() {
    let at = sandbox(|_| {}).await;
    let s = login(&at).await;
    let body = "{\"formid\":\"BD_Customer\",\n \"data\":{\"Model\":[{\"FName\":\"甲\\u4e59\",\"FNumber\":9007199254740993123,\
        \"FCreateOrgId\":{\"FNumber\":\"100\"},\"FUseOrgId\":{\"FNumber\":\"100\"},\"FX\":1.50}]}}";
    super::k3_raw(&at, "BatchSave", &s, body).await.unwrap();
    let entry = &at.journal()[0];
    assert_eq!(
        (&*entry.body, entry.number.as_str()),
        (body, "9007199254740993123")
    );
    assert!(entry.content.ends_with("\"FX\":1.50}") && body.contains(&entry.content));
    assert_eq!(entry.body_sha256, crate::crypto::sha256_hex(body.as_bytes()));
    k3(
        &at,
        "BatchSave",
        &s,
        batch(&[customer("2", "乙"), customer("3", "丙")]),
    )
    .await;
    let all = control(&at, "GET", "journal", Value::Null).await;
    assert_eq!(
        (all["entries"].as_array().unwrap().len(), &all["more"]),
        (3, &json!(false))
    );
    assert_eq!(all["entries"][0]["body"], body);
    let page = control(&at, "GET", "journal?from=2&limit=1&bodies=0", Value::Null).await;
    assert_eq!(
        (&page["entries"][0]["seq"], &page["next"], &page["more"]),
        (&json!(2), &json!(3), &json!(true))
    );
    assert!(page["entries"][0]["body"].is_null());
    assert_eq!(
        control(&at, "GET", "state", Value::Null).await["documents"]["BD_Customer"],
        3
    );
}

#[tokio::test]
async fn control_is_for_this_machine_and_strict() {
    let at = sandbox(|_| {}).await;
    let ask = async |method: &str, path: &str, headers: Headers, body: &str| {
        send(&at, method, path, &headers, body.as_bytes())
            .await
            .unwrap()
            .status
    };
    let header = |name, value: &str| vec![(name, value.to_owned())];
    let none = Headers::new;
    assert_eq!(ask("GET", "/_sandbox/state", none(), "").await, 200);
    assert_eq!(
        ask("GET", "/_sandbox/state", header("host", "evil.example.com"), "").await,
        403
    );
    assert_eq!(
        ask(
            "POST",
            "/_sandbox/change",
            header("origin", "http://evil.example.com"),
            "{}"
        )
        .await,
        403
    );
    assert_eq!(ask("GET", "/_sandbox/other", none(), "").await, 404);
    for (path, body) in [
        ("change", r#"{"customer": 3}"#),
        ("change", r#"{"customers": 100000000}"#),
        ("change", r#"{"customers": 301}"#),
        ("clock", r#"{"now": 3}"#),
        ("fault", r#"{"endpoint": "*", "kind": "explode"}"#),
        ("fault", r#"{"endpoint": "*", "kind": "delay", "nth": 0}"#),
        ("fault", r#"{"plan": []}"#),
    ] {
        assert_eq!(
            ask("POST", &format!("/_sandbox/{path}"), none(), body).await,
            400,
            "{path} {body}"
        );
    }
    let plans = json!({"clear": true, "plans": [{"endpoint": "searchTrades", "kind": "delay", "nth": 2}]});
    assert_eq!(
        control(&at, "POST", "fault", plans).await["plans"][0]["kind"],
        "delay"
    );
    let open = Config {
        listen: ([0, 0, 0, 0], 0).into(),
        ..Config::default()
    };
    assert!(
        start(open)
            .await
            .unwrap_err()
            .to_string()
            .contains("loopback only")
    );
}

#[tokio::test]
async fn connections_name_what_the_exports_hold() {
    let at = sandbox(|_| {}).await;
    let ids = ["netease-huke", "kingdee-k3cloud"];
    let yaml = at.connections_yaml(&ids);
    for (name, secret) in at.exports(&ids) {
        assert!(
            yaml.contains(&format!("${{env:{name}}}")) && !yaml.contains(&secret),
            "{yaml}"
        );
    }
    assert!(yaml.contains(&format!("http://{}/k3cloud/", at.addr())));
    let k3 = at.params("kingdee-k3cloud").unwrap();
    assert_eq!(k3["auth"], "login_by_sign");
    assert_eq!(
        at.params("netease-huke").unwrap()["server"],
        format!("http://{}/huke/openapi/", at.addr())
    );
    assert_eq!(at.params("none"), None);
}
