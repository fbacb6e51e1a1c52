//! Wangdiantong Ultimate: the body is signed, the query carries the page, a refusal is a sentence.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::forms::{Form, encoded, form, in_order, md5, off_by_one};
use super::{Answer, Headers, at_vector_time, control, sandbox, send};
use crate::clock::local;
use crate::fault::{FaultKind, FaultPlan};
use crate::{Config, Running};

const TRADES: &str = "sales.TradeQuery.queryWithDetail";
const STOCKOUTS: &str = "wms.stockout.Sales.queryWithDetail";

/// Names and values in order between two secrets; the body is one of them.
fn sign(secret: &str, query: &Form, body: &str) -> String {
    let all = [query.clone(), form(&[("body", body)])].concat();
    let text: String = in_order(&all)
        .into_iter()
        .map(|(name, value)| name + &value)
        .collect();
    md5(&format!("{secret}{text}{secret}"))
}

async fn post(at: &Running, query: &Form, body: &str) -> Option<Answer> {
    let path = format!("/wdtu/openapi?{}", encoded(query));
    send(at, "POST", &path, &vec![super::json_type()], body.as_bytes()).await
}

fn query(at: &Running, method: &str, more: &[(&str, &str)]) -> Form {
    let time = (at.now_ms() / 1000 - 1_325_347_200).to_string();
    let mut pairs = form(&[
        ("sid", "sandbox"),
        ("key", "sandbox-wdtu"),
        ("salt", "sandbox-salt"),
        ("method", method),
        ("timestamp", &time),
        ("v", "1.0"),
        ("page_no", "0"),
        ("page_size", "100"),
        ("calc_total", "1"),
    ]);
    for (name, value) in more {
        pairs.retain(|(known, _)| known != name);
        pairs.extend(form(&[(name, value)]));
    }
    pairs
}

async fn call(at: &Running, method: &str, more: &[(&str, &str)], body: &str) -> Option<Answer> {
    let mut pairs = query(at, method, more);
    pairs.push(("sign".to_owned(), sign("sandbox-wdtu-secret", &pairs, body)));
    post(at, &pairs, body).await
}

async fn said(at: &Running, method: &str, more: &[(&str, &str)], body: &Value) -> Value {
    call(at, method, more, &body.to_string()).await.unwrap().json()
}

fn window(from: i64, to: i64) -> Value {
    json!([{"start_time": local(from), "end_time": local(to), "status_type": 0}])
}

async fn unlimited(change: impl FnOnce(&mut Config)) -> Running {
    sandbox(|config| {
        config.settings.calls_per_min = Some(0);
        change(config);
    })
    .await
}

/// Everything of the last thirteen hours, an hour at a time.
async fn rows(at: &Running, method: &str, size: u64) -> Vec<Value> {
    let (mut rows, hour) = (Vec::new(), 3_600_000);
    let now = at.now_ms() / 1000 * 1000 + hour;
    for n in (0..14).rev() {
        let body = window(now - (n + 1) * hour, now - n * hour);
        let (mut total, before) = (0, rows.len());
        for page in 0.. {
            let (no, size_text) = (page.to_string(), size.to_string());
            let calc = if page == 0 { "1" } else { "0" };
            let more = [
                ("page_no", no.as_str()),
                ("page_size", &size_text),
                ("calc_total", calc),
            ];
            let answer = said(at, method, &more, &body).await;
            assert_eq!(
                (&answer["status"], answer.get("message")),
                (&json!(0), None),
                "{answer}"
            );
            total = answer["data"]["total_count"].as_u64().unwrap_or(total);
            rows.extend(answer["data"]["order"].as_array().unwrap().clone());
            if (page + 1) * size >= total {
                break;
            }
        }
        assert_eq!(u64::try_from(rows.len() - before).unwrap(), total);
    }
    rows
}

#[tokio::test]
async fn the_published_vector_and_its_neighbours() {
    let at = at_vector_time(|config| {
        let own = [
            ("wdtu.sid", "demo"),
            ("wdtu.key", "ak"),
            ("wdtu.secret", "secret:salt"),
        ];
        config.credentials.others = own
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    })
    .await;
    let body = r#"[{"start_time":"2023-11-14 00:00:00","end_time":"2023-11-14 01:00:00"}]"#;
    let vector = "479fb0cb703f04c5f7048e63d75aab14";
    let pairs = form(&[
        ("key", "ak"),
        ("sid", "demo"),
        ("salt", "salt"),
        ("method", TRADES),
        ("timestamp", "374652800"),
        ("v", "1.0"),
        ("page_size", "100"),
        ("page_no", "0"),
        ("calc_total", "1"),
    ]);
    assert_eq!(sign("secret", &pairs, body), vector);
    let ask = async |sign: &str, body: &str| {
        let pairs = [pairs.clone(), form(&[("sign", sign)])].concat();
        post(&at, &pairs, body).await.unwrap().json()
    };
    let good = ask(vector, body).await;
    assert_eq!(
        (&good["status"], &good["data"]["total_count"]),
        (&json!(0), &json!(0)),
        "{good}"
    );
    for (sign, body) in [
        (off_by_one(vector), body.to_owned()),
        // Another body of the same meaning.
        (vector.to_owned(), body.replace("\",\"", "\", \"")),
        // The secret in front only.
        (
            md5(&format!(
                "secretbody{body}calc_total1keyakmethod{TRADES}page_no0page_size100saltsaltsiddemotimestamp374652800v1.0"
            )),
            body.to_owned(),
        ),
    ] {
        let answer = ask(&sign, &body).await;
        assert_eq!(
            (&answer["status"], &answer["message"]),
            (&json!(1), &json!("验证失败")),
            "{sign}"
        );
    }
}

#[tokio::test]
async fn what_is_refused_and_how() {
    let at = unlimited(|_| {}).await;
    let seconds = |off: i64| (at.now_ms() / 1000 - 1_325_347_200 + off).to_string();
    let (old, young, unix) = (seconds(-121), seconds(-119), (at.now_ms() / 1000).to_string());
    let hour =
        json!([{"start_time": "2024-01-01 00:00:00", "end_time": "2024-01-01 01:00:00", "status_type": 0}]);
    let wide = json!([{"start_time": "2024-01-01 00:00:00", "end_time": "2024-01-01 01:00:01"}]);
    let iso = json!([{"start_time": "2024-01-01T00:00:00", "end_time": "2024-01-01 01:00:01"}]);
    let bare = json!([{"start_time": "2024-01-01 00:00:00", "end_time": "2024-01-01 01:00:00"}]);
    for (method, more, body, status, sentence) in [
        (TRADES, None, &hour, 0, ""),
        (TRADES, None, &bare, 0, ""),
        (STOCKOUTS, None, &hour, 0, ""),
        (STOCKOUTS, None, &bare, 100, "status_type"),
        (TRADES, Some(("timestamp", young.as_str())), &hour, 0, ""),
        (TRADES, Some(("timestamp", &old)), &hour, 7, "时间戳"),
        (TRADES, Some(("timestamp", &unix)), &hour, 7, "时间戳"),
        (TRADES, Some(("v", "2.0")), &hour, 8, "版本"),
        (TRADES, Some(("sid", "other")), &hour, 1, "sid is not found"),
        (TRADES, Some(("key", "other")), &hour, 1, "验证失败"),
        (TRADES, Some(("salt", "other")), &hour, 1, "验证失败"),
        (TRADES, Some(("page_size", "201")), &hour, 100, "page_size"),
        (TRADES, Some(("page_no", "")), &hour, 100, "仅支持分页查询"),
        (TRADES, None, &wide, 100, "60分钟"),
        (TRADES, None, &iso, 100, "Unparseable date"),
        (TRADES, None, &json!([{}]), 100, "起止时间"),
        (TRADES, None, &json!([]), 1, "参数个数错误"),
        (TRADES, None, &json!([{}, {}]), 1, "参数个数错误"),
        (TRADES, None, &json!([5]), 1, "type mismatch"),
        (TRADES, None, &json!({}), 1, "argument count"),
        ("goods.Goods.push", None, &hour, 100, "权限不足"),
    ] {
        let answer = said(&at, method, more.as_slice(), body).await;
        let message = answer["message"].as_str().unwrap_or_default();
        assert_eq!(answer["status"], status, "{more:?} {body}: {answer}");
        assert!(message.contains(sentence), "{more:?} {body}: {message}");
    }
    // Another page, or no wish for it, and the total is not told.
    for more in [("page_no", "1"), ("calc_total", "0")] {
        assert!(
            said(&at, TRADES, &[more], &hour).await["data"]
                .get("total_count")
                .is_none()
        );
    }
}

#[tokio::test]
async fn every_row_is_on_one_page() {
    let at = unlimited(|config| config.trades = 200).await;
    for (method, key) in [(TRADES, "trade_no"), (STOCKOUTS, "order_no")] {
        let reference = rows(&at, method, 100).await;
        let ids: BTreeSet<&str> = reference.iter().map(|row| row[key].as_str().unwrap()).collect();
        assert_eq!((reference.len(), ids.len()), (200, 200), "{method}");
        assert_eq!(rows(&at, method, 7).await, reference, "{method}");
    }
    let outs = rows(&at, STOCKOUTS, 100).await;
    assert!(
        outs.iter()
            .all(|row| row["consign_time"].is_string() && row["stockout_id"].is_u64())
    );
    for name in ["rec_id", "goods_count", "sell_price"] {
        assert!(
            outs.iter().all(|row| row["details_list"][0][name].is_number()),
            "{name}"
        );
    }
    // A number that keeps its places.
    let now = at.now_ms() / 1000 * 1000;
    control(&at, "POST", "change", json!({"customers": 1, "at_ms": now})).await;
    let body = window(now, now + 1000).to_string();
    let fresh = call(&at, TRADES, &[], &body).await.unwrap().text();
    assert!(
        fresh.contains("更名") && fresh.contains("\"post_amount\":0.0000"),
        "{fresh}"
    );
}

#[tokio::test]
async fn calls_above_the_limit_are_a_sentence() {
    let at = sandbox(|config| config.settings.calls_per_min = Some(3)).await;
    let body = window(at.now_ms() - 1000, at.now_ms());
    let mut refused = Vec::new();
    for _ in 0..5 {
        let answer = said(&at, TRADES, &[], &body).await;
        refused.extend(answer["message"].as_str().map(str::to_owned));
        if answer["status"] != 0 {
            assert_eq!(answer["status"], 100);
        }
    }
    assert_eq!(refused, vec!["超过每分钟最大调用频率限制，请稍后重试"; 2]);
    assert_eq!(at.throttled("wdtu"), 2);
    at.advance_ms(60_000);
    assert_eq!(said(&at, TRADES, &[], &body).await["status"], 0);
}

#[tokio::test]
async fn faults() {
    let at = unlimited(|_| {}).await;
    let now = at.now_ms() / 1000 * 1000;
    let body = window(now - 3_600_000, now).to_string();
    for (kind, status, sentence) in [
        (FaultKind::MsgCode14, 100, "每分钟最大调用频率"),
        (FaultKind::MsgCode13, 100, "并发"),
        (FaultKind::SessionLost, 7, "时间戳"),
    ] {
        at.clear_faults();
        at.fault(FaultPlan::nth(TRADES, 1, kind)).unwrap();
        let answer = call(&at, TRADES, &[], &body).await.unwrap().json();
        assert_eq!(answer["status"], status, "{kind:?}");
        assert!(
            answer["message"].as_str().unwrap().contains(sentence),
            "{kind:?}: {answer}"
        );
    }
    at.clear_faults();
    at.fault(FaultPlan::nth("wdtu", 1, FaultKind::Http519)).unwrap();
    assert_eq!(call(&at, STOCKOUTS, &[], &body).await.unwrap().status, 502);
    at.fault(FaultPlan::nth("wdtu", 1, FaultKind::DropAfter)).unwrap();
    assert!(call(&at, STOCKOUTS, &[], &body).await.is_none());
    let real = call(&at, STOCKOUTS, &[], &body).await.unwrap().json();
    at.fault(FaultPlan::every(STOCKOUTS, FaultKind::WrongTotal))
        .unwrap();
    let wrong = call(&at, STOCKOUTS, &[], &body).await.unwrap().json();
    let total = |answer: &Value| answer["data"]["total_count"].as_u64().unwrap();
    assert_eq!(total(&wrong) + 1, total(&real));
    assert_eq!(
        send(&at, "POST", "/wdtu/openapi2", &Headers::new(), b"")
            .await
            .unwrap()
            .status,
        404
    );
}
