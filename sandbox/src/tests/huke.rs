use std::collections::BTreeSet;

use serde_json::Value;

use super::{Headers, ask_huke, at_vector_time, huke_rows, json_type, sandbox, send};

const BODY: &str = r#"{"source":"2"}"#;
const CHECKSUM: &str = "5D36C58D5730874AD5711B1F31EBD2D898441FD318A05CFEB0BB37E9D51087356B5F635384D34F8C0BC181910FF27FF0766099A5769993DBD0EC47657385AE50";

fn vector() -> Headers {
    vec![
        json_type(),
        ("ur-appkey", "testkey".to_owned()),
        ("ur-sign", "407244c67416d3bbfab12e45e4b6ddd8".to_owned()),
        ("ur-curtime", "1700000000".to_owned()),
        ("ur-checksum", CHECKSUM.to_owned()),
    ]
}

/// Changes one character of one header.
fn spoiled(name: &str) -> Headers {
    let flip = |text: &str| {
        let other = if text.ends_with('0') { "1" } else { "0" };
        format!("{}{other}", &text[..text.len() - 1])
    };
    let change = |(n, v): (&'static str, String)| if n == name { (n, flip(&v)) } else { (n, v) };
    vector().into_iter().map(change).collect()
}

#[tokio::test]
async fn the_published_vector_is_accepted_and_one_byte_less_is_not() {
    let at = at_vector_time(|c| {
        c.credentials.huke_key = "testkey".to_owned();
        c.credentials.huke_secret = "testsecret".to_owned();
    })
    .await;
    let lower: Headers = vector()
        .into_iter()
        .map(|(n, v)| {
            if n == "ur-checksum" {
                (n, v.to_ascii_lowercase())
            } else {
                (n, v)
            }
        })
        .collect();
    let cases: [(&str, Headers, &str, i64); 9] = [
        ("as published", vector(), BODY, 200),
        ("lower-case hex", lower, BODY, 200),
        ("another byte in the body", vector(), r#"{"source":"3"}"#, 40002),
        ("a blank in the body", vector(), r#"{"source": "2"}"#, 40002),
        ("appkey", spoiled("ur-appkey"), BODY, 40001),
        ("sign", spoiled("ur-sign"), BODY, 40002),
        ("time", spoiled("ur-curtime"), BODY, 40003),
        ("checksum", spoiled("ur-checksum"), BODY, 40003),
        ("no headers", vec![json_type()], BODY, 40001),
    ];
    for (what, headers, body, code) in cases {
        let answer = send(
            &at,
            "POST",
            "/huke/openapi/trade/searchTrades",
            &headers,
            body.as_bytes(),
        )
        .await
        .unwrap();
        assert_eq!(answer.status, 200, "{what}");
        let json = answer.json();
        assert_eq!(json["code"], code, "{what}: {json}");
        assert!(
            code == 200 || !json["msg"].as_str().unwrap().is_ascii(),
            "a Chinese sentence: {json}"
        );
    }
    at.advance_ms(11 * 60_000);
    let stale = send(
        &at,
        "POST",
        "/huke/openapi/trade/searchTrades",
        &vector(),
        BODY.as_bytes(),
    )
    .await
    .unwrap();
    assert_eq!(stale.json()["code"], 40004);
}

#[tokio::test]
async fn pages_give_each_trade_once_and_the_window_is_half_open() {
    let at = sandbox(|c| c.trades = 97).await;
    let now = at.now_ms();
    let span = Some((now - 20 * 3_600_000, now));
    let ids = |rows: &[Value]| {
        rows.iter()
            .map(|r| r["tid"].as_str().unwrap().to_owned())
            .collect::<BTreeSet<_>>()
    };
    let all = huke_rows(&at, "trade/searchTrades", span, 10).await;
    assert_eq!((all.len(), ids(&all).len()), (97, 97));
    assert_eq!(
        huke_rows(&at, "trade/searchTrades", span, 7).await,
        all,
        "page size does not change the order"
    );
    let middle = all[40]["createTime"].as_i64().unwrap();
    let early = huke_rows(
        &at,
        "trade/searchTrades",
        Some((now - 20 * 3_600_000, middle)),
        10,
    )
    .await;
    let late = huke_rows(&at, "trade/searchTrades", Some((middle, now)), 10).await;
    assert!(early.iter().all(|r| r["createTime"].as_i64().unwrap() < middle));
    assert_eq!(late[0]["createTime"], middle);
    assert_eq!(early.len() + late.len(), 97);
}

#[tokio::test]
async fn every_buyer_is_a_listed_customer() {
    let at = sandbox(|c| c.trades = 97).await;
    let trades = huke_rows(&at, "trade/searchTrades", None, 100).await;
    let customers = huke_rows(&at, "customer/searchCustomers", None, 10).await;
    let cids: BTreeSet<&str> = customers.iter().map(|c| c["cid"].as_str().unwrap()).collect();
    assert_eq!(
        cids,
        trades.iter().map(|t| t["buyerCid"].as_str().unwrap()).collect()
    );
    assert!(
        customers
            .iter()
            .all(|c| c["唯一ID"].as_str().unwrap().len() == 19)
    );
    assert!(cids.iter().any(|c| c.starts_with("00")) && cids.iter().any(|c| c.len() == 19));
}

#[tokio::test]
async fn rows_made_to_fail_are_there_when_asked_for() {
    let at = sandbox(|c| (c.trades, c.refuse, c.invalid) = (40, 2, 3)).await;
    let trades = huke_rows(&at, "trade/searchTrades", None, 100).await;
    assert_eq!(trades.len(), 45);
    let without = trades
        .iter()
        .filter(|t| t["buyerCid"].as_str().is_none_or(str::is_empty))
        .count();
    assert_eq!(without, 3);
}

#[tokio::test]
async fn a_bad_request_is_told_inside_http_200() {
    let at = sandbox(|c| c.trades = 4).await;
    for body in [
        "{",
        r#"{"pageSize":"1000"}"#,
        r#"{"timeRanges":{"startTime":"1700000000"}}"#,
    ] {
        let answer = ask_huke(&at, "trade/searchTrades", body).await.unwrap();
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (200, &400.into()),
            "{body}"
        );
    }
    assert_eq!(
        ask_huke(&at, "trade/other", "{}").await.unwrap().json()["code"],
        404
    );
}
