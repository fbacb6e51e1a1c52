//! What must hold of every row of the table, whatever it simulates.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Answer, Headers, control, sandbox, send};
use crate::fault::{FaultKind, FaultPlan, TABLE};
use crate::systems::SYSTEMS;
use crate::{ENDPOINTS, Running};

/// A call that each system takes for one of its own, and the endpoint that it is counted under.
const CALLS: [(&str, &str, &str); 20] = [
    ("huke", "/huke/openapi/trade/searchTrades", "searchTrades"),
    (
        "kingdee",
        "/k3cloud/Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.BatchSave.common.kdsvc",
        "BatchSave",
    ),
    ("plain", "/plain/documents", "postDocuments"),
    ("jst", "/jst/open/orders/single/query", "orders/single/query"),
    ("wdt", "/wdt/openapi2/trade_query.php", "trade_query"),
    (
        "wdtu",
        "/wdtu/openapi?page_no=0&method=sales.TradeQuery.queryWithDetail",
        "sales.TradeQuery.queryWithDetail",
    ),
    ("fx", "/fx/cgi/crm/v2/data/query", "data/query"),
    ("okki", "/okki/v1/invoices/order/list", "okki/order/list"),
    // One address for all calls; this body names none.
    ("mabang", "/mabang/api/v2", "mabang"),
    (
        "feishu",
        "/feishu/open-apis/bitable/v1/apps/bascnSandbox/tables/tblCustomers/records/search",
        "bitable/records/search",
    ),
    (
        "dingtalk",
        "/dingtalk/v1.0/notable/bases/baseSandbox/sheets/tblCustomers/records/list",
        "notable/records/list",
    ),
    ("wecom", "/wecom/cgi-bin/message/send", "message/send"),
    ("u8", "/u8/api/customer/batch_get", "customer/batch_get"),
    (
        "landray",
        "/landray/api/km-review/kmReviewRestService/addReview",
        "km-review/addReview",
    ),
    ("rest", "/rest/api/customers", "rest/customers"),
    (
        "yonbip",
        "/yonbip/gw/yonbip/sd/voucherorder/list",
        "voucherorder/list",
    ),
    (
        "ecology",
        "/ecology/api/workflow/paService/getMyWorkflowRequestList",
        "getMyWorkflowRequestList",
    ),
    (
        "sap",
        "/s4/sap/opu/odata/sap/API_SALES_ORDER_SRV/$batch",
        "batchSalesOrders",
    ),
    (
        "qimen",
        "/qimen/router/qm?app_key=a&method=wdt.sales.tradequery.querywithdetail",
        "wdt.sales.tradequery.querywithdetail",
    ),
    ("erp", "/erp-sim/create", "erp/create"),
];

async fn ask(at: &Running, path: &str) -> Option<Answer> {
    send(at, "POST", path, &Headers::new(), b"{}").await
}

#[tokio::test]
async fn faults_strike_at_each_of_them() {
    use FaultKind as K;
    let named: BTreeSet<&str> = CALLS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(
        named,
        SYSTEMS.iter().map(|row| row.name).collect(),
        "a row without a call here"
    );
    let at = sandbox(|_| {}).await;
    for (name, path, endpoint) in CALLS {
        for place in [name, endpoint] {
            assert!(ENDPOINTS.contains(&place), "{place}");
            let struck = async |kind: K| {
                at.clear_faults();
                at.fault(FaultPlan::every(place, kind)).unwrap();
                ask(&at, path).await
            };
            assert!(struck(K::DropBefore).await.is_none(), "{place}");
            assert!(struck(K::DropAfter).await.is_none(), "{place}");
            for (kind, status) in [(K::Http500Before, 500), (K::TooMany, 429), (K::Redirect, 302)] {
                assert_eq!(struck(kind).await.unwrap().status, status, "{place} {kind:?}");
            }
            assert!(struck(K::Http519).await.unwrap().status > 500, "{place}");
            assert!(
                struck(K::HtmlLogin).await.unwrap().text().contains("<form"),
                "{place}"
            );
            assert!(
                struck(K::DeepJson).await.unwrap().text().starts_with("[[["),
                "{place}"
            );
            assert!(!struck(K::HalfBody).await.unwrap().whole, "{place}");
            // In its own words: busy and too often are not the same, and neither is a session that is gone.
            let said = [
                struck(K::MsgCode13).await.unwrap().text(),
                struck(K::MsgCode14).await.unwrap().text(),
                struck(K::SessionLost).await.unwrap().text(),
            ];
            assert_eq!(BTreeSet::from(said.clone()).len(), 3, "{place} {said:?}");
        }
    }
    let calls = control(&at, "GET", "state", json!(null)).await["calls"].clone();
    for (name, _, endpoint) in CALLS {
        assert_eq!(calls[format!("{name}/{endpoint}")], 24, "{calls}");
    }
}

#[tokio::test]
async fn nobody_gets_in_without_credentials() {
    let at = sandbox(|_| {}).await;
    for (name, path, _) in CALLS {
        let answer = ask(&at, path).await.unwrap();
        if answer.status == 401 {
            continue;
        }
        let json = answer.json();
        let refused = ["code", "status", "errorCode", "errcode"].iter().any(|key| {
            let number = json[key].as_u64().or_else(|| json[key].as_str()?.parse().ok());
            number.is_some_and(|n| n != 0 && n != 200)
        });
        let refused = refused || json["error_response"]["code"].as_u64().is_some();
        let is_kingdee = json["Result"]["ResponseStatus"]["IsSuccess"] == false;
        assert!(refused || is_kingdee, "{name}: {json}");
    }
    assert_eq!(at.journal().len(), 0);
}

#[test]
fn a_plan_is_taken_where_it_can_strike_and_nowhere_else() {
    for row in SYSTEMS {
        for one in row.endpoints {
            for kind in TABLE {
                let plan = FaultPlan::every(one.name, kind.kind);
                let by_system = FaultPlan::every(row.name, kind.kind);
                // What strikes at an endpoint strikes at its system.
                assert!(
                    plan.check().is_err() || by_system.check().is_ok(),
                    "{} {}",
                    one.name,
                    kind.word
                );
            }
        }
    }
    for (endpoint, kind, is_taken) in [
        ("orders/single/query", FaultKind::RowsMove, true),
        ("shops/query", FaultKind::RowsMove, false),
        ("shops/query", FaultKind::RepeatedPage, true),
        ("refreshToken", FaultKind::RepeatedPage, false),
        ("jushuitan/itemsku/upload", FaultKind::RowErrors, true),
        ("trade_push", FaultKind::BatchRefused, true),
        ("trade_push", FaultKind::RowErrors, false),
        ("wdt", FaultKind::RowErrors, false),
        ("wdtu", FaultKind::BatchRefused, false),
        ("ExecuteBillQuery", FaultKind::WrongTotal, false),
        ("View", FaultKind::RepeatedPage, false),
        ("data/query", FaultKind::WrongTotal, true),
        ("data/query", FaultKind::RowsMove, false),
        ("custom/data/create", FaultKind::BatchRefused, true),
        ("data/create", FaultKind::RowErrors, false),
        ("BATCHSAVE", FaultKind::RowsUnnamed, true),
        ("*", FaultKind::RowsMove, true),
    ] {
        let got = FaultPlan::every(endpoint, kind).check();
        assert_eq!(got.is_ok(), is_taken, "{endpoint} {kind:?}: {got:?}");
    }
}
