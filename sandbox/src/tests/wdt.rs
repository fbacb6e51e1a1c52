//! Wangdiantong Enterprise: counted characters, pages from 0, windows, pushed trades.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::forms::{Form, encoded, form, in_order, md5, off_by_one};
use super::{Answer, Headers, at_vector_time, control, sandbox, send};
use crate::clock::local;
use crate::fault::{FaultKind, FaultPlan};
use crate::{Config, Running, start};

const SECRET: &str = "sandbox-wdt-secret";

/// `LL-name:VVVV-value` in order, then the secret; the lengths as `len` counts them.
fn sign(secret: &str, pairs: &Form, len: impl Fn(&str) -> usize) -> String {
    let one =
        |(name, value): (String, String)| format!("{:0>2}-{name}:{:0>4}-{value}", len(&name), len(&value));
    let parts: Vec<String> = in_order(pairs).into_iter().map(one).collect();
    md5(&(parts.join(";") + secret))
}

fn characters(text: &str) -> usize {
    text.chars().count()
}

async fn post(at: &Running, name: &str, pairs: &Form) -> Option<Answer> {
    let kind = "application/x-www-form-urlencoded".to_owned();
    let headers: Headers = vec![("content-type", kind)];
    let body = encoded(pairs);
    send(
        at,
        "POST",
        &format!("/wdt/openapi2/{name}.php"),
        &headers,
        body.as_bytes(),
    )
    .await
}

fn signed(at: &Running, more: &[(&str, &str)]) -> Form {
    let time = (at.now_ms() / 1000).to_string();
    let mut pairs = form(&[
        ("sid", "sandbox"),
        ("appkey", "sandbox-wdt"),
        ("timestamp", &time),
    ]);
    for (name, value) in more {
        pairs.retain(|(known, _)| known != name);
        pairs.extend(form(&[(name, value)]));
    }
    pairs.push(("sign".to_owned(), sign(SECRET, &pairs, characters)));
    pairs
}

async fn call(at: &Running, name: &str, more: &[(&str, &str)]) -> Option<Answer> {
    post(at, name, &signed(at, more)).await
}

async fn said(at: &Running, name: &str, more: &[(&str, &str)]) -> Value {
    call(at, name, more).await.unwrap().json()
}

/// Reads `[from, to)` in steps of a window that is allowed, page by page.
async fn rows(at: &Running, name: &str, list: &str, span: (i64, i64), step: i64, size: u64) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut from = span.0;
    while from < span.1 {
        let to = (from + step).min(span.1);
        let (start, end, before) = (local(from), local(to), rows.len());
        let mut total = 0;
        for page in 0.. {
            let (no, size_text) = (page.to_string(), size.to_string());
            let more = [
                ("start_time", start.as_str()),
                ("end_time", &end),
                ("page_no", &no),
                ("page_size", &size_text),
            ];
            let answer = said(at, name, &more).await;
            assert_eq!(answer["code"], 0, "{answer}");
            assert_eq!(
                answer.get("total_count").is_some(),
                page == 0,
                "on the first page and no other"
            );
            total = answer["total_count"].as_u64().unwrap_or(total);
            let got = answer[list].as_array().unwrap().clone();
            rows.extend(got);
            if (page + 1) * size >= total {
                break;
            }
        }
        assert_eq!(u64::try_from(rows.len() - before).unwrap(), total);
        from = to;
    }
    rows
}

/// Whole seconds around everything the simulator was seeded with.
fn everything(at: &Running) -> (i64, i64) {
    let now = at.now_ms() / 1000 * 1000;
    (now - 13 * 3_600_000, now + 3_600_000)
}

#[tokio::test]
async fn the_published_vectors_and_the_twin_that_counts_bytes() {
    let at = at_vector_time(|config| {
        let own = [
            ("wdt.sid", "demo"),
            ("wdt.appkey", "demo-ga"),
            ("wdt.appsecret", "secret"),
        ];
        config.credentials.others = own
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    })
    .await;
    let usual = [
        ("sid", "demo"),
        ("appkey", "demo-ga"),
        ("timestamp", "1700000000"),
    ];
    let plain = form(
        &[
            &usual[..],
            &[
                ("page_no", "0"),
                ("page_size", "40"),
                ("start_time", "2023-11-14 00:00:00"),
                ("end_time", "2023-11-14 01:00:00"),
            ],
        ]
        .concat(),
    );
    let chinese = form(&[&usual[..], &[("name", "客户")]].concat());
    assert_eq!(
        sign("secret", &chinese, str::len),
        "142a2e55566e673cfce9bc19801606ae"
    );
    for (pairs, sign, want) in [
        (&plain, "8217462dc72b2b6b46bb1e6b7ad96014".to_owned(), 0),
        (&plain, off_by_one("8217462dc72b2b6b46bb1e6b7ad96014"), 1003),
        // Signed right, and told that a window is missing.
        (&chinese, "30af5cfc700beffdae52015a8266cf5f".to_owned(), 2900),
        (&chinese, "142a2e55566e673cfce9bc19801606ae".to_owned(), 1003),
    ] {
        let mut pairs = pairs.clone();
        pairs.extend(form(&[("sign", &sign)]));
        let answer = post(&at, "trade_query", &pairs).await.unwrap().json();
        assert_eq!(answer["code"], want, "{sign}: {answer}");
    }
}

#[tokio::test]
async fn what_is_refused_and_how() {
    let at = sandbox(|_| {}).await;
    let seconds = |off: i64| (at.now_ms() / 1000 + off).to_string();
    let (old, young, ahead) = (seconds(-301), seconds(-299), seconds(302));
    let span = |start, end| vec![("start_time", start), ("end_time", end)];
    let hour = || span("2024-01-01 00:00:00", "2024-01-01 01:00:00");
    let with = |name, value| [hour(), vec![(name, value)]].concat();
    for (name, more, want) in [
        ("trade_query", hour(), 0),
        ("trade_query", with("timestamp", &young), 0),
        ("trade_query", with("timestamp", &old), 1004),
        ("trade_query", with("timestamp", &ahead), 1004),
        ("trade_query", with("timestamp", "1700000000000"), 1004),
        ("trade_query", with("sid", "other"), 1001),
        ("trade_query", with("appkey", "other"), 1002),
        ("trade_query", with("page_size", "41"), 1005),
        ("trade_query", with("page_size", "0"), 1005),
        ("trade_query", with("page_no", "-1"), 1005),
        (
            "trade_query",
            span("2024-01-01 00:00:00", "2024-01-01 01:00:01"),
            1005,
        ),
        (
            "trade_query",
            span("2024-01-01 00:00:01", "2024-01-01 00:00:00"),
            1005,
        ),
        (
            "trade_query",
            span("2024-01-01T00:00:00", "2024-01-01 00:00:01"),
            1005,
        ),
        ("trade_query", vec![], 2900),
        (
            "stockout_order_query_trade",
            span("2024-01-01 00:00:00", "2024-01-31 00:00:00"),
            0,
        ),
        (
            "stockout_order_query_trade",
            span("2024-01-01 00:00:00", "2024-01-31 00:00:01"),
            1005,
        ),
        ("stockout_order_query_trade", with("page_size", "100"), 0),
        ("goods_query", with("page_size", "101"), 1005),
        ("goods", hour(), 1006),
    ] {
        let answer = said(&at, name, &more).await;
        assert_eq!(answer["code"], want, "{name} {more:?}: {answer}");
    }
    let json = vec![super::json_type()];
    let answer = send(&at, "POST", "/wdt/openapi2/trade_query.php", &json, b"{}").await;
    assert_eq!(answer.unwrap().json()["code"], 1005);
}

#[tokio::test]
async fn every_row_is_on_one_page() {
    let at = sandbox(|config| config.trades = 300).await;
    let span = everything(&at);
    let hour = 3_600_000;
    for (name, list, key, step, want) in [
        ("trade_query", "trades", "trade_id", hour, 300),
        (
            "stockout_order_query_trade",
            "stockout_list",
            "stockout_no",
            20 * hour,
            300,
        ),
        ("goods_query", "goods_list", "goods_no", 20 * hour, 100),
    ] {
        let reference = rows(&at, name, list, span, step, 40).await;
        let ids: BTreeSet<&str> = reference.iter().map(|row| row[key].as_str().unwrap()).collect();
        assert_eq!((reference.len(), ids.len()), (want, want), "{name}");
        assert_eq!(rows(&at, name, list, span, step, 7).await, reference, "{name}");
    }
    // Windows that touch lose nothing and give nothing twice, wherever they are cut.
    let odd = rows(&at, "trade_query", "trades", span, 1_234_000, 40).await;
    assert_eq!(odd.len(), 300);
}

#[tokio::test]
async fn rows_are_what_real_ones_are() {
    let at = sandbox(|config| config.trades = 60).await;
    let outs = rows(
        &at,
        "stockout_order_query_trade",
        "stockout_list",
        everything(&at),
        50_000_000,
        100,
    )
    .await;
    for name in [
        "stockout_no",
        "order_no",
        "shop_no",
        "warehouse_no",
        "consign_time",
        "modified",
    ] {
        assert!(outs.iter().all(|row| row[name].is_string()), "{name}");
    }
    for name in ["rec_id", "spec_no", "num", "sell_price"] {
        assert!(
            outs.iter().all(|row| row["details_list"][0][name].is_string()),
            "{name}"
        );
    }
    let price = outs[0]["details_list"][0]["sell_price"].as_str().unwrap();
    assert!(
        price.split_once('.').is_some_and(|(_, places)| places.len() == 4),
        "{price}"
    );
    assert!(
        outs.iter()
            .any(|row| row["shop_no"].as_str().unwrap().starts_with("000"))
    );
    // A renamed customer and a new one show as fresh trades.
    control(&at, "POST", "change", json!({"customers": 1, "new": 1})).await;
    let now = at.now_ms() / 1000 * 1000;
    let fresh = rows(
        &at,
        "trade_query",
        "trades",
        (now - 60_000, now + 60_000),
        3_600_000,
        40,
    )
    .await;
    let nicks: Vec<&str> = fresh
        .iter()
        .filter_map(|row| row["buyer_nick"].as_str())
        .collect();
    assert!(
        fresh.len() >= 2 && nicks.iter().any(|nick| nick.contains("更名")),
        "{nicks:?}"
    );
}

pub(super) fn trade(tid: &str, nick: &str) -> Value {
    json!({
        "tid": tid, "trade_status": 30, "pay_status": 2, "delivery_term": 1, "buyer_nick": nick,
        "receiver_name": "张三", "receiver_address": "学院路1号", "paid": "25.0000",
        "order_list": [{"oid": format!("{tid}-1"), "num": 2, "price": "12.5000", "status": 30, "spec_no": "00012"}],
    })
}

async fn push(at: &Running, trades: &[Value]) -> Option<Answer> {
    let list = json!(trades).to_string();
    call(at, "trade_push", &[("shop_no", "0012"), ("trade_list", &list)]).await
}

#[tokio::test]
async fn pushed_trades_are_made_once_and_changed_after_that() {
    let folder = tempfile::tempdir().unwrap();
    let config = || Config {
        state: Some(folder.path().to_owned()),
        refuse: 1,
        ..Config::default()
    };
    let at = start(config()).await.unwrap();
    let counts = async |trades: &[Value]| {
        let answer = push(&at, trades).await.unwrap().json();
        [&answer["code"], &answer["new_count"], &answer["chg_count"]].map(|n| n.as_u64())
    };
    assert_eq!(
        counts(&[trade("007", "客户"), trade("7", "乙")]).await,
        [Some(0), Some(2), Some(0)]
    );
    assert_eq!(
        counts(&[trade("7", "丙"), trade("8", "丁"), trade("8", "戊")]).await,
        [Some(0), Some(1), Some(2)]
    );
    let many: Vec<Value> = (0..51).map(|n| trade(&format!("m{n}"), "x")).collect();
    let mut nameless = trade("9", "x");
    nameless["buyer_nick"] = json!("");
    let mut empty = trade("9", "x");
    empty["order_list"] = json!([]);
    for (trades, want) in [
        (vec![], 1005),
        (many, 1005),
        (vec![trade("a", "x"), nameless], 99),
        (vec![trade("a", "x"), empty], 99),
        (vec![trade("a", "x"), trade("R000001", "x")], 99),
        (vec![json!(5)], 99),
    ] {
        let code = counts(&trades).await[0];
        assert_eq!(code, Some(want), "{trades:?}");
    }
    let wrong = call(&at, "trade_push", &[("shop_no", "0012"), ("trade_list", "{}")]).await;
    assert_eq!(wrong.unwrap().json()["code"], 1005);
    assert_eq!(
        at.state()["documents"]["rawtrade"],
        3,
        "a refused call leaves nothing"
    );
    at.stop().await;
    let at = start(config()).await.unwrap();
    let answer = push(&at, &[trade("007", "客户二")]).await.unwrap().json();
    assert_eq!(answer["chg_count"], 1, "{answer}");
    let effects = at.effects();
    let keys: Vec<_> = effects
        .iter()
        .map(|one| (one.number.as_str(), one.creates, one.updates))
        .collect();
    assert_eq!(keys, [("007", 1, 1), ("7", 1, 1), ("8", 1, 1)]);
}

#[tokio::test]
async fn faults() {
    let at = sandbox(|config| config.trades = 90).await;
    for (kind, want, executed) in [
        (FaultKind::MsgCode14, Some(1040), 0),
        (FaultKind::MsgCode13, Some(1012), 0),
        (FaultKind::SessionLost, Some(1004), 0),
        (FaultKind::BatchRefused, Some(99), 0),
        (FaultKind::DropAfter, None, 1),
        (FaultKind::LateCommit, None, 0),
        (FaultKind::Replayed, Some(0), 2),
    ] {
        at.clear_faults();
        let before = at.journal().len();
        at.fault(FaultPlan::nth("trade_push", 1, kind)).unwrap();
        let got = push(&at, &[trade(kind.word(), "x")])
            .await
            .map(|answer| answer.json()["code"].clone());
        assert_eq!(got, want.map(|code: u32| json!(code)), "{kind:?}");
        assert_eq!(at.journal().len() - before, executed, "{kind:?}");
    }
    at.clear_faults();
    at.fault(FaultPlan::nth("wdt", 1, FaultKind::Http519)).unwrap();
    assert_eq!(push(&at, &[trade("x", "x")]).await.unwrap().status, 502);
    let wrong = at
        .fault(FaultPlan::every("trade_push", FaultKind::RowErrors))
        .unwrap_err();
    assert!(wrong.contains("row by row"), "{wrong}");
    // Pages that were not asked for.
    let (start, end) = everything(&at);
    let (start, end) = (local(start), local(end));
    let page = async |no: &str| {
        let more = [
            ("start_time", start.as_str()),
            ("end_time", &end),
            ("page_no", no),
            ("page_size", "40"),
        ];
        said(&at, "stockout_order_query_trade", &more).await
    };
    let real = [page("0").await, page("1").await, page("2").await];
    for (kind, want) in [
        (FaultKind::RepeatedPage, &real[1]),
        (FaultKind::IgnoresPaging, &real[0]),
    ] {
        at.clear_faults();
        at.fault(FaultPlan::every("stockout_order_query_trade", kind))
            .unwrap();
        assert_eq!(
            page("2").await["stockout_list"],
            want["stockout_list"],
            "{kind:?}"
        );
    }
    at.clear_faults();
    at.fault(FaultPlan::every("wdt", FaultKind::WrongTotal)).unwrap();
    assert_eq!(page("0").await["total_count"], 89);
    at.clear_faults();
    at.fault(FaultPlan::every("wdt", FaultKind::EmptyPage)).unwrap();
    let empty = page("0").await;
    assert_eq!(
        (&empty["total_count"], &empty["stockout_list"]),
        (&json!(0), &json!([]))
    );
}

#[tokio::test]
async fn a_hanging_push_is_executed_once() {
    let at = sandbox(|_| {}).await;
    at.fault(FaultPlan::nth("trade_push", 1, FaultKind::Hang))
        .unwrap();
    let patience = Duration::from_millis(200);
    assert!(
        tokio::time::timeout(patience, push(&at, &[trade("007", "x")]))
            .await
            .is_err()
    );
    let again = push(&at, &[trade("007", "x")]).await.unwrap().json();
    assert_eq!((&again["new_count"], &again["chg_count"]), (&json!(0), &json!(1)));
    assert!(!at.effects()[0].is_doubled());
}
