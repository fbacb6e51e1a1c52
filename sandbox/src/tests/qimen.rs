//! Wangdiantong through Taobao's gateway: two signatures, and two that can say no.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::forms::{Form, encoded, form, in_order, md5, off_by_one};
use super::{sandbox, send};
use crate::clock::local;
use crate::{Config, Running};

const TRADES: &str = "wdt.sales.tradequery.querywithdetail";
const STOCKOUTS: &str = "wdt.wms.stockout.sales.querywithdetail";

/// Names and values in order, between two secrets.
fn between(secret: &str, pairs: &Form) -> String {
    let text: String = in_order(pairs)
        .into_iter()
        .map(|(name, value)| name + &value)
        .collect();
    format!("{secret}{text}{secret}")
}

/// A call that is right but for what is changed in it, and for the signatures that are spoilt.
struct Call<'a> {
    method: &'a str,
    params: Value,
    page: (u64, u64),
    /// Laid over the pairs of query and form.
    change: &'a [(&'a str, &'a str)],
    spoil: &'a str,
}

impl Call<'_> {
    async fn send(&self, at: &Running) -> Value {
        let time = local(at.now_ms());
        let changed = |pairs: Form| -> Form {
            let new = |name: &str| self.change.iter().find(|(known, _)| *known == name);
            let pairs = pairs.into_iter();
            pairs
                .map(|(name, old)| {
                    let value = new(&name).map_or(old, |(_, value)| (*value).to_owned());
                    (name, value)
                })
                .collect()
        };
        let query = changed(form(&[
            ("app_key", "sandbox-qimen"),
            ("target_app_key", "20000001"),
            ("method", self.method),
            ("timestamp", &time),
            ("v", "2.0"),
            ("format", "json"),
            ("sign_method", "md5"),
        ]));
        let (no, size) = self.page;
        let pager = format!(r#"{{"page_no":{no},"page_size":{size}}}"#);
        let body = changed(form(&[
            ("wdt3_customer_id", "sandbox"),
            ("wdt_appkey", "sandbox-wdtq"),
            ("wdt_salt", "sandbox-salt"),
            ("datetime", &time),
            ("params", &self.params.to_string()),
            ("pager", &pager),
        ]));
        // By hand: what the trees hold, in order of their names.
        let flat: String = self
            .params
            .as_object()
            .expect("a map, which is sorted")
            .iter()
            .map(|(name, value)| format!("{name}{}", value.as_str().unwrap_or_default()))
            .collect();
        let get = |pairs: &Form, name: &str| {
            pairs
                .iter()
                .find(|(known, _)| known == name)
                .expect("there")
                .1
                .clone()
        };
        let inner = md5(&format!(
            "sandbox-wdtq-secretdatetime{}method{}pagerpage_no{no}page_size{size}params{flat}wdt_appkey{}wdt_salt{}sandbox-wdtq-secret",
            get(&body, "datetime"),
            get(&query, "method"),
            get(&body, "wdt_appkey"),
            get(&body, "wdt_salt"),
        ));
        let inner = if self.spoil == "inner" {
            off_by_one(&inner)
        } else {
            inner
        };
        let body = [body, form(&[("wdt_sign", &inner)])].concat();
        let outer = between("sandbox-qimen-secret", &[query.clone(), body.clone()].concat());
        let outer = md5(&outer).to_ascii_uppercase();
        let outer = match self.spoil {
            "outer" => off_by_one(&outer),
            "small" => outer.to_ascii_lowercase(),
            _ => outer,
        };
        let query = [query, form(&[("sign", &outer)])].concat();
        let kind = ("content-type", "application/x-www-form-urlencoded".to_owned());
        let path = format!("/qimen/router/qm?{}", encoded(&query));
        let answer = send(at, "POST", &path, &vec![kind], encoded(&body).as_bytes()).await;
        answer.expect("an answer").json()
    }
}

fn right(at: &Running) -> Call<'static> {
    let now = at.now_ms() / 1000 * 1000;
    Call {
        method: TRADES,
        params: json!({"end_time": local(now), "start_time": local(now - 3_600_000)}),
        page: (1, 100),
        change: &[],
        spoil: "",
    }
}

async fn unlimited(change: impl FnOnce(&mut Config)) -> Running {
    sandbox(|config| {
        config.settings.calls_per_min = Some(0);
        change(config);
    })
    .await
}

#[tokio::test]
async fn the_gateway_and_the_erp_each_check_their_own() {
    let at = unlimited(|_| {}).await;
    let old = local(at.now_ms() - 601_000);
    let young = local(at.now_ms() - 590_000);
    for (spoil, change, no, status) in [
        ("", None, None, Some(0)),
        ("", Some(("timestamp", young.as_str())), None, Some(0)),
        ("outer", None, Some(25), None),
        ("small", None, Some(25), None),
        ("inner", None, None, Some(1)),
        ("", Some(("app_key", "other")), Some(29), None),
        ("", Some(("target_app_key", "other")), Some(22), None),
        ("", Some(("method", "wdt.goods.goods.push")), Some(22), None),
        ("", Some(("timestamp", &old)), Some(31), None),
        ("", Some(("v", "1.0")), Some(41), None),
        ("", Some(("wdt3_customer_id", "other")), None, Some(1)),
        ("", Some(("wdt_appkey", "other")), None, Some(1)),
        ("", Some(("wdt_salt", "other")), None, Some(1)),
    ] {
        let call = Call {
            spoil,
            change: change.as_slice(),
            ..right(&at)
        };
        let told = call.send(&at).await;
        assert_eq!(
            told["error_response"]["code"].as_u64(),
            no,
            "{spoil} {change:?}: {told}"
        );
        assert_eq!(
            told["response"]["status"].as_u64(),
            status,
            "{spoil} {change:?}: {told}"
        );
    }
}

#[tokio::test]
async fn every_row_is_on_one_page_counted_from_one() {
    let at = unlimited(|config| config.trades = 200).await;
    for (method, key) in [(TRADES, "trade_no"), (STOCKOUTS, "order_no")] {
        let (mut ids, mut total) = (BTreeSet::new(), 0);
        let now = at.now_ms() / 1000 * 1000 + 1000;
        for hour in 0..14 {
            let end = now - hour * 3_600_000;
            let params =
                json!({"end_time": local(end), "start_time": local(end - 3_600_000), "status_type": "0"});
            for no in 1.. {
                let call = Call {
                    method,
                    params: params.clone(),
                    page: (no, 7),
                    ..right(&at)
                };
                let told = call.send(&at).await;
                let data = &told["response"]["data"];
                let rows = data["order"].as_array().unwrap_or_else(|| panic!("{told}"));
                total += u64::from(no == 1) * data["total_count"].as_u64().expect("on every page");
                ids.extend(rows.iter().map(|row| row[key].as_str().unwrap().to_owned()));
                if rows.len() < 7 {
                    break;
                }
            }
        }
        assert_eq!((ids.len(), total), (200, 200), "{method}");
    }
    let zero = Call {
        page: (0, 7),
        ..right(&at)
    };
    assert_eq!(zero.send(&at).await["response"]["status"], 100);
}

#[tokio::test]
async fn calls_above_the_limit_are_refused_by_the_gateway() {
    let at = sandbox(|config| config.settings.calls_per_min = Some(2)).await;
    for code in [None, None, Some(7)] {
        let told = right(&at).send(&at).await;
        assert_eq!(told["error_response"]["code"].as_u64(), code, "{told}");
    }
    assert_eq!(at.throttled("qimen"), 1);
}
