//! Jushuitan: its signature, its tokens, its limits, its pages and its uploads.

mod items;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::forms::{Form, encoded, form, in_order, md5, off_by_one};
use super::{Answer, Headers, at_vector_time, control, sandbox, send};
use crate::fault::{FaultKind, FaultPlan};
use crate::{Config, Running, start};

const SECRET: &str = "sandbox-jst-secret";

/// The secret in front, names and values in order, nothing that is empty.
pub(super) fn sign(secret: &str, pairs: &Form) -> String {
    let full = in_order(pairs).into_iter().filter(|(_, value)| !value.is_empty());
    let text: String = full.map(|(name, value)| name + &value).collect();
    md5(&(secret.to_owned() + &text))
}

fn form_type() -> Headers {
    let kind = "application/x-www-form-urlencoded; charset=utf-8";
    vec![("content-type", kind.to_owned())]
}

async fn post(at: &Running, path: &str, pairs: &Form) -> Option<Answer> {
    let body = encoded(pairs);
    send(at, "POST", &format!("/jst/{path}"), &form_type(), body.as_bytes()).await
}

fn common(at: &Running, more: &[(&str, &str)]) -> Form {
    let time = (at.now_ms() / 1000).to_string();
    let mut pairs = form(&[
        ("app_key", "sandbox-jst"),
        ("timestamp", &time),
        ("charset", "utf-8"),
    ]);
    pairs.extend(form(more));
    pairs
}

fn signed(mut pairs: Form) -> Form {
    pairs.push(("sign".to_owned(), sign(SECRET, &pairs)));
    pairs
}

async fn first(at: &Running) -> Value {
    let pairs = common(at, &[("grant_type", "authorization_code"), ("code", "a1B2c3")]);
    let answer = post(at, "openWeb/auth/getInitToken", &signed(pairs)).await;
    answer.unwrap().json()
}

async fn refresh(at: &Running, token: &str) -> Value {
    let more = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("scope", "all"),
    ];
    let answer = post(at, "openWeb/auth/refreshToken", &signed(common(at, &more))).await;
    answer.unwrap().json()
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

pub(super) async fn token(at: &Running) -> String {
    let answer = first(at).await;
    assert_eq!(answer["code"], 0, "{answer}");
    text(&answer["data"]["access_token"])
}

fn asked(at: &Running, token: &str, biz: &Value) -> Form {
    let biz = biz.to_string();
    signed(common(
        at,
        &[("access_token", token), ("version", "2"), ("biz", &biz)],
    ))
}

pub(super) async fn call(at: &Running, token: &str, path: &str, biz: &Value) -> Option<Answer> {
    post(at, &format!("open/{path}"), &asked(at, token, biz)).await
}

async fn code(at: &Running, token: &str, path: &str, biz: &Value) -> Value {
    call(at, token, path, biz).await.unwrap().json()["code"].clone()
}

/// A simulated system without limits of calls.
async fn unlimited(change: impl FnOnce(&mut Config)) -> (Running, String) {
    let at = sandbox(|config| {
        config.settings.calls_per_s = Some(0);
        config.settings.calls_per_min = Some(0);
        change(config);
    })
    .await;
    let token = token(&at).await;
    (at, token)
}

/// A window over everything the simulator was seeded with.
fn window(at: &Running, page: u64, size: u64) -> Value {
    let day = 86_400_000;
    let [from, to] = [at.now_ms() - day, at.now_ms() + day].map(crate::clock::local);
    json!({"page_index": page, "page_size": size, "modified_begin": from, "modified_end": to})
}

async fn rows(at: &Running, token: &str, path: &str, list: &str, size: u64) -> Vec<Value> {
    let mut rows = Vec::new();
    for page in 1.. {
        let answer = call(at, token, path, &window(at, page, size))
            .await
            .unwrap()
            .json();
        assert_eq!(answer["code"], 0, "{answer}");
        let data = &answer["data"];
        rows.extend(data[list].as_array().unwrap().clone());
        if data["has_next"] == false {
            let count = u64::try_from(rows.len()).unwrap();
            assert_eq!(
                (&data["data_count"], page),
                (&json!(count), count.div_ceil(size).max(1))
            );
            return rows;
        }
    }
    unreachable!("pages end")
}

#[tokio::test]
async fn the_published_vector_and_its_neighbours() {
    let at = at_vector_time(|config| {
        let own = [("jst.app_key", "ak"), ("jst.app_secret", "sec")];
        config.credentials.others = own
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    })
    .await;
    let biz = r#"{"page_index":1,"page_size":50}"#;
    let vector = "fe877762fff0558b80df6719c89830b8";
    let pairs = form(&[
        ("app_key", "ak"),
        ("access_token", "tok"),
        ("timestamp", "1700000000"),
        ("charset", "utf-8"),
        ("version", "2"),
        ("biz", biz),
    ]);
    assert_eq!(sign("sec", &pairs), vector);
    let ask = async |sign: &str, more: &[(&str, &str)]| {
        let mut pairs = pairs.clone();
        for (name, value) in more {
            pairs.retain(|(known, _)| known != name);
            pairs.extend(form(&[(name, value)]));
        }
        pairs.extend(form(&[("sign", sign)]));
        let answer = post(&at, "open/shops/query", &pairs).await.unwrap().json();
        answer["code"].clone()
    };
    // Past the signature, and stopped by the token that nobody was given.
    assert_eq!(ask(vector, &[]).await, 100);
    // What is empty is not signed.
    assert_eq!(ask(vector, &[("note", "")]).await, 100);
    for (sign, more) in [
        (off_by_one(vector), None),
        (vector.to_ascii_uppercase(), None),
        (
            vector.to_owned(),
            Some(("biz", r#"{"page_index":1,"page_size":51}"#)),
        ),
        (vector.to_owned(), Some(("note", "x"))),
        // With the secret behind as well.
        (
            md5(&format!(
                "secaccess_tokentokapp_keyakbiz{biz}charsetutf-8timestamp1700000000version2sec"
            )),
            None,
        ),
    ] {
        assert_eq!(ask(&sign, more.as_slice()).await, 120, "{sign} {more:?}");
    }
}

#[tokio::test]
async fn what_is_refused_and_how() {
    let (at, token) = unlimited(|_| {}).await;
    let good = asked(&at, &token, &json!({}));
    let without = |name: &str| -> Form { good.iter().filter(|(known, _)| known != name).cloned().collect() };
    let with = |name: &str, value: &str| {
        let mut pairs = without(name);
        pairs.retain(|(known, _)| known != "sign");
        pairs.extend(form(&[(name, value)]));
        signed(pairs)
    };
    let old = (at.now_ms() / 1000 - 601).to_string();
    let young = (at.now_ms() / 1000 - 599).to_string();
    for (pairs, want) in [
        (good.clone(), 0),
        (with("timestamp", &young), 0),
        (with("timestamp", &old), 180),
        (with("timestamp", "1700000000000"), 180),
        (with("app_key", "other"), 190),
        (with("access_token", "other"), 100),
        (with("version", "1"), 140),
        (with("biz", "[]"), 140),
        (without("sign"), 130),
        (without("biz"), 130),
        (without("access_token"), 130),
        ([good.clone(), form(&[("biz", "{}")])].concat(), 140),
    ] {
        let answer = post(&at, "open/shops/query", &pairs).await.unwrap().json();
        assert_eq!(answer["code"], want, "{pairs:?}: {answer}");
    }
    let elsewhere = vec![
        form_type()[0].clone(),
        ("x-forwarded-for", "203.0.113.9".to_owned()),
    ];
    let body = encoded(&good);
    for (headers, want) in [(elsewhere, 110), (vec![super::json_type()], 130)] {
        let answer = send(&at, "POST", "/jst/open/shops/query", &headers, body.as_bytes()).await;
        assert_eq!(answer.unwrap().json()["code"], want);
    }
    let span = |from: &str, to: &str| json!({"modified_begin": from, "modified_end": to});
    let orders = "orders/single/query";
    for (path, biz, want) in [
        (orders, span("2024-01-01 00:00:00", "2024-01-08 00:00:00"), 0),
        (orders, span("2024-01-01 00:00:00", "2024-01-08 00:00:01"), 140),
        (orders, span("2024-01-01 00:00:01", "2024-01-01 00:00:00"), 140),
        (orders, span("2024-01-01T00:00:00", "2024-01-02 00:00:00"), 140),
        (orders, span("2024-01-01 00:00:00", ""), 140),
        (orders, json!({}), 140),
        (orders, window(&at, 1, 50), 0),
        (orders, window(&at, 1, 51), 140),
        (orders, window(&at, 0, 50), 140),
        ("shops/query", json!({"page_size": 100}), 0),
        ("shops/query", json!({"page_size": "101"}), 140),
        ("purchase/query", json!({}), 190),
        ("", json!({}), 190),
    ] {
        assert_eq!(code(&at, &token, path, &biz).await, want, "{path} {biz}");
    }
    let mut of_shop = window(&at, 1, 50);
    of_shop["shop_id"] = json!(1);
    assert_eq!(code(&at, &token, orders, &of_shop).await, 170);
    assert_eq!(
        send(&at, "GET", "/jst/open/shops/query", &Headers::new(), b"")
            .await
            .unwrap()
            .status,
        405
    );
}

#[tokio::test]
async fn every_row_is_on_one_page() {
    let (at, token) = unlimited(|config| config.trades = 333).await;
    for (path, list, key, want) in [
        ("orders/single/query", "orders", "o_id", 333),
        ("orders/out/simple/query", "datas", "io_id", 333),
        ("refund/single/query", "datas", "as_id", 37),
    ] {
        let reference = rows(&at, &token, path, list, 50).await;
        let ids: BTreeSet<u64> = reference.iter().map(|row| row[key].as_u64().unwrap()).collect();
        assert_eq!((reference.len(), ids.len()), (want, want), "{path}");
        for size in [7, 37] {
            assert_eq!(
                rows(&at, &token, path, list, size).await,
                reference,
                "{path} by {size}"
            );
        }
    }
    // One shop after the other gives all orders.
    let shops = call(&at, &token, "shops/query", &json!({"page_size": 100}))
        .await
        .unwrap()
        .json();
    let mut sum = 0;
    for shop in shops["data"]["datas"].as_array().unwrap() {
        let mut biz = window(&at, 1, 50);
        biz["shop_id"] = shop["shop_id"].clone();
        let answer = call(&at, &token, "orders/single/query", &biz)
            .await
            .unwrap()
            .json();
        sum += answer["data"]["data_count"].as_u64().unwrap();
    }
    assert_eq!((shops["data"]["datas"].as_array().unwrap().len(), sum), (12, 333));
}

#[tokio::test]
async fn rows_from_a_version_on() {
    let (at, token) = unlimited(|config| config.trades = 200).await;
    control(&at, "POST", "change", json!({"customers": 2})).await;
    let path = "orders/out/simple/query";
    let (mut seen, mut since) = (BTreeSet::new(), 0);
    for _ in 0..20 {
        let biz = json!({"start_ts": since, "is_get_total": false, "page_index": 1, "page_size": 50});
        let answer = call(&at, &token, path, &biz).await.unwrap().json();
        let datas = answer["data"]["datas"].as_array().unwrap();
        let versions: Vec<u64> = datas.iter().map(|row| row["ts"].as_u64().unwrap()).collect();
        assert!(versions.is_sorted() && versions.iter().all(|ts| *ts >= since));
        seen.extend(datas.iter().map(|row| row["io_id"].as_u64().unwrap()));
        since = *versions.last().unwrap();
        if answer["data"]["has_next"] == false {
            // The row of the version that was asked for comes again.
            let again = json!({"start_ts": since, "is_get_total": false, "page_size": 50});
            let answer = call(&at, &token, path, &again).await.unwrap().json();
            assert_eq!(answer["data"]["datas"].as_array().unwrap().len(), 1);
            break;
        }
    }
    assert_eq!(seen.len(), 202);
    let mut both = window(&at, 1, 50);
    both["start_ts"] = json!(0);
    both["is_get_total"] = json!(false);
    assert_eq!(code(&at, &token, path, &both).await, 140);
    let below = json!({"start_ts": "-1", "is_get_total": false});
    assert_eq!(code(&at, &token, path, &below).await, 140);
    // With a total it does not count, and there is no window.
    assert_eq!(code(&at, &token, path, &json!({"start_ts": 5})).await, 140);
}

#[tokio::test]
async fn rows_are_what_real_ones_are() {
    let (at, token) = unlimited(|config| config.trades = 200).await;
    let answer = call(&at, &token, "orders/out/simple/query", &window(&at, 1, 50))
        .await
        .unwrap()
        .text();
    for sign in [
        "\"batch_no\":\"00",
        "\"sku_id\":\"000",
        "T恤-红",
        "\"sale_amount\":",
        ".00,",
    ] {
        assert!(answer.contains(sign), "{sign}");
    }
    let out: Value = serde_json::from_str(&answer).unwrap();
    let row = &out["data"]["datas"][0];
    for name in [
        "io_id", "o_id", "so_id", "shop_id", "io_date", "modified", "items",
    ] {
        assert!(!row[name].is_null(), "{name}: {row}");
    }
    for name in ["ioi_id", "sku_id", "qty", "sale_price", "sale_amount", "batch_no"] {
        assert!(!row["items"][0][name].is_null(), "{name}: {row}");
    }
    // Orders and stock-outs of a sale name each other; amounts are the sums of their lines.
    let orders: BTreeMap<u64, Value> = rows(&at, &token, "orders/single/query", "orders", 50)
        .await
        .into_iter()
        .map(|row| (row["o_id"].as_u64().unwrap(), row))
        .collect();
    for out in rows(&at, &token, "orders/out/simple/query", "datas", 50).await {
        let order = &orders[&out["o_id"].as_u64().unwrap()];
        let skus = |row: &Value| -> Vec<Value> {
            row["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["sku_id"].clone())
                .collect()
        };
        assert_eq!((&out["so_id"], skus(&out)), (&order["so_id"], skus(order)));
    }
}

#[tokio::test]
async fn a_change_shows_as_fresh_rows() {
    let (at, token) = unlimited(|config| config.trades = 40).await;
    let path = "orders/single/query";
    let before = rows(&at, &token, path, "orders", 50).await;
    control(&at, "POST", "change", json!({"customers": 3, "new": 2})).await;
    let after = rows(&at, &token, path, "orders", 50).await;
    assert_eq!(after.len(), before.len() + 5);
    let renamed = after[before.len()..]
        .iter()
        .filter(|row| text(&row["buyer_nick"]).contains("更名"));
    assert_eq!(renamed.count(), 3);
    assert_eq!(
        rows(&at, &token, "orders/out/simple/query", "datas", 50)
            .await
            .len(),
        45
    );
}

#[tokio::test]
async fn tokens_end_and_refresh_tokens_are_good_once() {
    let folder = tempfile::tempdir().unwrap();
    let config = || Config {
        state: Some(folder.path().to_owned()),
        ..Config::default()
    };
    let at = start(config()).await.unwrap();
    let first = "sandbox-jst-refresh-first";
    let one = refresh(&at, first).await;
    assert_eq!(
        (&one["code"], &one["data"]["expires_in"]),
        (&json!(0), &json!(1200)),
        "{one}"
    );
    let said = refresh(&at, first).await;
    assert_eq!(said["code"], 100);
    assert!(text(&said["msg"]).contains("已被使用"), "{said}");
    let two = refresh(&at, &text(&one["data"]["refresh_token"])).await;
    let shops = async |at: &Running, answer: &Value| {
        code(
            at,
            &text(&answer["data"]["access_token"]),
            "shops/query",
            &json!({}),
        )
        .await
    };
    assert_eq!([shops(&at, &one).await, shops(&at, &two).await], [0, 0]);
    at.advance_ms(20 * 60_000);
    assert_eq!(shops(&at, &two).await, 100, "its time is over");
    at.stop().await;
    // Another process remembers which refresh token is next, and no access token.
    let at = start(config()).await.unwrap();
    for used in [first.to_owned(), text(&one["data"]["refresh_token"])] {
        assert!(
            text(&refresh(&at, &used).await["msg"]).contains("已被使用"),
            "{used}"
        );
    }
    let three = refresh(&at, &text(&two["data"]["refresh_token"])).await;
    assert_eq!(three["code"], 0, "{three}");
    assert_eq!([shops(&at, &two).await, shops(&at, &three).await], [100, 0]);
    // A login of one's own begins again.
    token(&at).await;
    assert_eq!(
        refresh(&at, &text(&three["data"]["refresh_token"])).await["code"],
        100
    );
    assert!(text(&refresh(&at, "never given").await["msg"]).contains("不存在"));
    for (name, value, want) in [
        ("code", "12345", 140),
        ("grant_type", "refresh_token", 140),
        ("code", "", 130),
    ] {
        let mut pairs = common(&at, &[("grant_type", "authorization_code"), ("code", "a1B2c3")]);
        pairs.retain(|(known, _)| known != name);
        pairs.extend(form(&[(name, value)]));
        let answer = post(&at, "openWeb/auth/getInitToken", &signed(pairs))
            .await
            .unwrap()
            .json();
        assert_eq!(answer["code"], want, "{name} {value}");
    }
}

#[tokio::test]
async fn calls_above_the_limits_are_refused_and_counted() {
    let at = at_vector_time(|_| {}).await;
    let token = token(&at).await;
    let burst = async |calls: usize| {
        let mut codes = BTreeMap::new();
        for _ in 0..calls {
            let code = code(&at, &token, "shops/query", &json!({}))
                .await
                .as_u64()
                .unwrap();
            *codes.entry(code).or_insert(0_u64) += 1;
        }
        codes
    };
    // The clock goes on while we call: whole seconds are stepped over, so that a burst lies within one.
    let fast = burst(20).await;
    let refused = fast.get(&199).copied().unwrap_or(0);
    assert!(refused > 0 && fast[&0] + refused == 20, "{fast:?}");
    let mut let_through = fast[&0];
    while let_through < 100 {
        at.advance_ms(1000);
        let wanted = usize::try_from(100 - let_through).unwrap().min(5);
        let_through += burst(wanted).await[&0];
    }
    at.advance_ms(1000);
    assert_eq!(
        burst(1).await,
        BTreeMap::from([(200, 1)]),
        "a hundred within the minute"
    );
    let state = control(&at, "GET", "state", json!(null)).await;
    assert_eq!(state["throttled"]["jst"], refused + 1, "{}", state["throttled"]);
    at.advance_ms(60_000);
    assert_eq!(burst(1).await, BTreeMap::from([(0, 1)]));
}

#[tokio::test]
async fn pages_that_were_not_asked_for() {
    let (at, token) = unlimited(|config| config.trades = 60).await;
    let path = "orders/out/simple/query";
    let page = async |number| {
        call(&at, &token, path, &window(&at, number, 20))
            .await
            .unwrap()
            .json()["data"]
            .clone()
    };
    let real = [page(1).await, page(2).await, page(3).await];
    for (kind, rows, more) in [
        (FaultKind::RepeatedPage, &real[1]["datas"], false),
        (FaultKind::IgnoresPaging, &real[0]["datas"], false),
        (FaultKind::EmptyPage, &json!([]), false),
        (FaultKind::WrongTotal, &real[2]["datas"], false),
    ] {
        at.clear_faults();
        at.fault(FaultPlan::every(path, kind)).unwrap();
        let got = page(3).await;
        assert_eq!(
            (&got["datas"], &got["has_next"]),
            (rows, &json!(more)),
            "{kind:?}"
        );
        let count = match kind {
            FaultKind::EmptyPage => 0,
            FaultKind::WrongTotal => 59,
            _ => 60,
        };
        assert_eq!(got["data_count"], count, "{kind:?}");
    }
    at.clear_faults();
    at.fault(FaultPlan {
        deletes: Some(2),
        ..FaultPlan::nth(path, 1, FaultKind::RowsMove)
    })
    .unwrap();
    assert_eq!(page(1).await["data_count"], 58);
}
