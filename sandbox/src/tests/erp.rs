//! The home-grown ERP of the standard channel.

use serde_json::{Value, json};

use super::{Headers, sandbox, send};
use crate::{ErpLines, FaultKind, FaultPlan, NewSettings, Running};

const JSON: &str = "application/json";
const CUSTOMER: &str = "BD_Customer.BillHead";
const ORDER: &str = "erpSalesOrderObj";

fn headers(kind: &str) -> Headers {
    vec![
        ("content-type", kind.to_owned()),
        ("token", "sandbox-erp-token".to_owned()),
    ]
}

async fn post(at: &Running, what: &str, body: &Value) -> Value {
    let path = format!("/erp-sim/{what}");
    let answer = send(at, "POST", &path, &headers(JSON), body.to_string().as_bytes()).await;
    answer.expect("answered").json()
}

async fn get(at: &Running, query: &str) -> Value {
    let headers = vec![("token", "sandbox-erp-token".to_owned())];
    let path = format!("/erp-sim/{query}");
    send(at, "GET", &path, &headers, b"")
        .await
        .expect("answered")
        .json()
}

fn customer(number: &str, name: &str) -> Value {
    json!({"objAPIName": CUSTOMER, "masterFieldVal": {"number": number, "name": name}, "detailFieldVals": {}})
}

fn told(answer: &Value) -> (&str, &str) {
    (
        answer["code"].as_str().unwrap(),
        answer["message"].as_str().unwrap(),
    )
}

#[tokio::test]
async fn what_is_refused_and_with_which_code() {
    let at = sandbox(|_| {}).await;
    let body = customer("1", "a").to_string();
    let wrong = |token: Option<&str>| -> Headers {
        let token = token.map(|token| ("token", token.to_owned()));
        [("content-type", JSON.to_owned())]
            .into_iter()
            .chain(token)
            .collect()
    };
    for headers in [wrong(None), wrong(Some("sandbox-erp-tokeN"))] {
        let answer = send(&at, "POST", "/erp-sim/create", &headers, body.as_bytes())
            .await
            .unwrap();
        assert_eq!(told(&answer.json()), ("401", "token 无效"));
    }
    let no_update = json!({"objAPIName": CUSTOMER, "masterFieldVal": {"name": "b"}});
    let unknown = json!({"objAPIName": CUSTOMER, "masterFieldVal": {"id": "60000009"}});
    let detail =
        json!({"objAPIName": CUSTOMER, "masterFieldVal": {"number": "1"}, "detailFieldVals": {"x": []}});
    for (what, body, code) in [
        ("create", json!({"objAPIName": "a", "masterFieldVal": {}}), "1002"),
        (
            "create",
            json!({"objAPIName": CUSTOMER, "masterFieldVal": {}}),
            "1004",
        ),
        ("create", detail, "1001"),
        ("update", no_update, "1001"),
        ("update", unknown, "1003"),
        ("queryMasterBatch", json!({}), "1001"),
    ] {
        let answer = post(&at, what, &body).await;
        assert_eq!(told(&answer).0, code, "{what} {body}: {answer}");
    }
    for (query, code) in [
        ("queryMasterBatch?objAPIName=a", "1002"),
        (
            "queryMasterBatch?objAPIName=erpSalesOrderObj&includeDetail=yes",
            "1001",
        ),
        (
            "queryMasterById?objAPIName=erpSalesOrderObj&includeDetail=true&dataId=x",
            "0",
        ),
        ("create", "1001"),
    ] {
        assert_eq!(told(&get(&at, query).await).0, code, "{query}");
    }
    assert_eq!(at.journal().len(), 0);
}

#[tokio::test]
async fn a_document_is_made_changed_and_found() {
    let at = sandbox(|_| {}).await;
    let made = post(&at, "create", &customer("00123", "张三")).await;
    assert_eq!(made["code"], "0", "{made}");
    let id = made["data"]["masterDataId"].as_str().unwrap().to_owned();
    // Nobody says that numbers are unique.
    let again = post(&at, "create", &customer("00123", "张三")).await;
    assert_ne!(again["data"]["masterDataId"], id.as_str());
    let body = json!({"objAPIName": CUSTOMER, "masterFieldVal": {"id": id, "name": "李四"}});
    assert_eq!(
        post(&at, "update", &body).await["data"]["masterDataId"],
        id.as_str()
    );
    for asked in [id.as_str(), "00123"] {
        let query = format!("queryMasterById?objAPIName={CUSTOMER}&includeDetail=true&dataId={asked}");
        let found = get(&at, &query).await["data"].clone();
        assert_eq!(
            found["masterFieldVal"],
            json!({"id": id, "number": "00123", "name": "李四"})
        );
    }
    at.set(&NewSettings {
        erp_unique: Some(true),
        ..NewSettings::default()
    })
    .unwrap();
    assert_eq!(
        told(&post(&at, "create", &customer("00123", "x")).await),
        ("1005", "单号 00123 已存在")
    );
}

#[tokio::test]
async fn ids_of_lines_in_every_shape() {
    let at = sandbox(|_| {}).await;
    let order = json!({
        "objAPIName": ORDER, "masterFieldVal": {"number": "1"},
        "detailFieldVals": {"erpSalesOrderProductObj": [{"number": "1-1"}, {"number": "1-2"}], "erpPaymentPlanObj": [{"number": "P1"}]},
    });
    for (by, products, plan) in [
        (
            ErpLines::Place,
            "/erpSalesOrderProductObj/1",
            "/erpPaymentPlanObj/0",
        ),
        (
            ErpLines::Key,
            "/erpSalesOrderProductObj/1-2",
            "/erpPaymentPlanObj/P1",
        ),
        (ErpLines::Flat, "/1-2", "/P1"),
    ] {
        at.set(&NewSettings {
            erp_lines: Some(by),
            ..NewSettings::default()
        })
        .unwrap();
        let made = post(&at, "create", &order).await["data"].clone();
        let ids = &made["detailDataIds"];
        assert_ne!(ids.pointer(products), ids.pointer(plan), "{by:?} {made}");
        let line = ids.pointer(products).unwrap_or_else(|| panic!("{by:?} {made}"));
        // A line that is named is changed, one that is not named is added.
        let lines = json!([{"id": line, "number": "1-2", "product_price": "1.50"}, {"number": "1-3"}]);
        let body = json!({"objAPIName": ORDER, "masterFieldVal": {"id": made["masterDataId"]}, "detailFieldVals": {"erpSalesOrderProductObj": lines}});
        assert_eq!(post(&at, "update", &body).await["code"], "0");
        let id = made["masterDataId"].as_str().unwrap();
        let query = format!("queryMasterById?objAPIName={ORDER}&includeDetail=true&dataId={id}");
        let shown = get(&at, &query).await["data"]["detailFieldVals"]["erpSalesOrderProductObj"].clone();
        let shown: Vec<&Value> = shown.as_array().unwrap().iter().collect();
        assert_eq!(
            (shown.len(), &shown[1]["product_price"]),
            (3, &json!("1.50")),
            "{shown:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_has_the_form_of_its_request() {
    let at = sandbox(|_| {}).await;
    let xml = format!(
        "<r><objAPIName>{ORDER}</objAPIName><masterFieldVal><number>7</number></masterFieldVal><detailFieldVals><erpPaymentPlanObj><number>P1</number></erpPaymentPlanObj></detailFieldVals></r>"
    );
    let answer = send(
        &at,
        "POST",
        "/erp-sim/create",
        &headers("application/xml"),
        xml.as_bytes(),
    )
    .await
    .unwrap();
    assert!(
        answer
            .text()
            .contains("<erpPaymentPlanObj>60000001001</erpPaymentPlanObj>"),
        "{}",
        answer.text()
    );
    let text = customer("8", "a").to_string();
    let answer = send(
        &at,
        "POST",
        "/erp-sim/create",
        &headers("text/plain"),
        text.as_bytes(),
    )
    .await
    .unwrap();
    assert!(answer.header("content-type").unwrap().starts_with("text/plain"));
    assert_eq!(answer.json()["code"], "0");
    let answer = send(&at, "POST", "/erp-sim/create", &headers("text/csv"), b"a,b")
        .await
        .unwrap();
    assert_eq!(answer.json()["code"], "1001");
}

/// Every order of a stretch of time once, over all pages, what was sent behind what was there; a fault moves rows.
#[tokio::test]
async fn orders_are_read_page_by_page() {
    let at = sandbox(|config| config.trades = 40).await;
    for number in 0..5 {
        let body = json!({"objAPIName": ORDER, "masterFieldVal": {"number": format!("S{number}")}});
        post(&at, "create", &body).await;
    }
    at.advance_ms(1_000);
    let page = async |offset: usize| {
        let query = format!(
            "queryMasterBatch?objAPIName={ORDER}&startTime=1000000000000&endTime=9999999999999&includeDetail=true&offset={offset}&limit=7"
        );
        get(&at, &query).await["data"].clone()
    };
    let mut numbers = Vec::new();
    for offset in (0..45).step_by(7) {
        let data = page(offset).await;
        assert_eq!(data["totalNum"], "45", "{offset}");
        let rows = data["dataList"].as_array().unwrap().clone();
        numbers.extend(
            rows.iter()
                .map(|row| row["masterFieldVal"]["number"].as_str().unwrap().to_owned()),
        );
    }
    let all: std::collections::BTreeSet<&String> = numbers.iter().collect();
    assert_eq!((all.len(), numbers.len()), (45, 45));
    assert_eq!(numbers[40..], ["S0", "S1", "S2", "S3", "S4"]);
    let mut plan = FaultPlan::every("erp/queryMasterBatch", FaultKind::RowsMove);
    plan.updates = Some(2);
    at.fault(plan).unwrap();
    let statuses: Vec<String> = [page(28).await, page(35).await]
        .iter()
        .flat_map(|data| data["dataList"].as_array().unwrap().clone())
        .filter_map(|row| row["masterFieldVal"]["status"].as_str().map(str::to_owned))
        .collect();
    assert!(statuses.iter().any(|status| status != "normal"), "{statuses:?}");
}

#[tokio::test]
async fn a_restart_knows_documents_and_lines() {
    let folder = tempfile::tempdir().unwrap();
    let order = json!({"objAPIName": ORDER, "masterFieldVal": {"number": "1"}, "detailFieldVals": {"erpPaymentPlanObj": [{"number": "P1"}]}});
    let query = format!("queryMasterById?objAPIName={ORDER}&includeDetail=true&dataId=1");
    let state = folder.path().to_owned();
    let at = sandbox(|config| config.state = Some(state.clone())).await;
    let id = post(&at, "create", &order).await["data"]["masterDataId"].clone();
    let body = json!({"objAPIName": ORDER, "masterFieldVal": {"id": id, "a": "1"}, "detailFieldVals": {"erpPaymentPlanObj": [{"number": "P2"}]}});
    post(&at, "update", &body).await;
    let before = get(&at, &query).await;
    at.stop().await;
    let at = sandbox(|config| config.state = Some(state)).await;
    assert_eq!(get(&at, &query).await, before);
    assert_eq!(
        before["data"]["detailFieldVals"]["erpPaymentPlanObj"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

/// The ERP has customers that nobody sent: all of a stretch of time once over the pages, found by id and number, changed
/// like any other, the same after a restart, and under no number that the CRM has.
#[tokio::test]
async fn customers_of_its_own() {
    const OWN: usize = 30;
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().to_owned();
    let at = sandbox(|config| config.state = Some(state.clone())).await;
    post(&at, "create", &customer("KH-1", "张三")).await;
    at.advance_ms(1_000);
    let all = async |at: &Running| {
        let mut rows: Vec<Value> = Vec::new();
        for offset in (0..=OWN).step_by(7) {
            let query = format!(
                "queryMasterBatch?objAPIName={CUSTOMER}&startTime=1000000000000&endTime=9999999999999&includeDetail=false&offset={offset}&limit=7"
            );
            let data = get(at, &query).await["data"].clone();
            assert_eq!(data["totalNum"], (OWN + 1).to_string(), "{offset}");
            rows.extend(
                data["dataList"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|row| row["masterFieldVal"].clone()),
            );
        }
        rows
    };
    let found = async |at: &Running, asked: &str| {
        let query = format!("queryMasterById?objAPIName={CUSTOMER}&includeDetail=true&dataId={asked}");
        get(at, &query).await["data"]["masterFieldVal"].clone()
    };
    let before = all(&at).await;
    let numbers: std::collections::BTreeSet<&str> =
        before.iter().map(|row| row["number"].as_str().unwrap()).collect();
    assert_eq!((numbers.len(), before.len()), (OWN + 1, OWN + 1));
    let (row, id) = (&before[3], before[3]["id"].as_str().unwrap());
    for asked in [id, row["number"].as_str().unwrap()] {
        assert_eq!(&found(&at, asked).await, row, "{asked}");
    }
    let body = json!({"objAPIName": CUSTOMER, "masterFieldVal": {"id": id, "phone": "1"}});
    assert_eq!(post(&at, "update", &body).await["data"]["masterDataId"], id);
    let mut wanted = row.clone();
    wanted["phone"] = json!("1");
    at.advance_ms(1_000);
    let after = all(&at).await;
    // What is changed last stands last.
    assert_eq!(after.last(), Some(&wanted));
    let query = format!("queryMasterById?objAPIName={ORDER}&includeDetail=true&dataId={id}");
    assert_eq!(get(&at, &query).await["data"], Value::Null, "it is no order");
    at.stop().await;
    let at = sandbox(|config| config.state = Some(state)).await;
    assert_eq!(all(&at).await, after);
    assert_eq!(found(&at, "KH000031").await, Value::Null);
}
