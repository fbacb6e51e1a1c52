//! Reads that page wrongly, and rows that move while somebody pages.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ask_huke, control, huke_rows, k3, login, query, sandbox};
use crate::fault::{FaultKind, FaultPlan};
use crate::{Config, Running, start};

async fn page(at: &Running, n: u32) -> Value {
    let body = format!(r#"{{"page":{n},"pageSize":10}}"#);
    ask_huke(at, "trade/searchTrades", &body).await.unwrap().json()["data"].clone()
}

fn tids<'a>(rows: impl IntoIterator<Item = &'a Value>) -> Vec<String> {
    rows.into_iter()
        .map(|row| row["tid"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn pages_that_were_not_asked_for() {
    let at = sandbox(|c| c.trades = 40).await;
    let pages = [page(&at, 1).await, page(&at, 2).await, page(&at, 3).await];
    // kind -> what is seen in place of page 3.
    for (kind, rows, total) in [
        (FaultKind::RepeatedPage, &pages[1]["list"], 40),
        (FaultKind::IgnoresPaging, &pages[0]["list"], 40),
        (FaultKind::EmptyPage, &json!([]), 0),
        (FaultKind::WrongTotal, &pages[2]["list"], 39),
    ] {
        at.clear_faults();
        at.fault(FaultPlan::nth("searchTrades", 1, kind)).unwrap();
        let got = page(&at, 3).await;
        assert_eq!((&got["list"], &got["total"]), (rows, &json!(total)), "{kind:?}");
        assert_eq!(page(&at, 3).await, pages[2], "{kind:?} strikes once");
    }
    let plan = FaultPlan {
        total_by: Some(60),
        ..FaultPlan::every("*", FaultKind::WrongTotal)
    };
    at.fault(plan).unwrap();
    assert_eq!(page(&at, 1).await["total"], 100);
}

#[tokio::test]
async fn a_bill_query_pages_wrongly_too() {
    let at = sandbox(|_| {}).await;
    let session = login(&at).await;
    let models: Vec<Value> = (1..=6).map(|n| super::customer(&n.to_string(), "甲")).collect();
    k3(&at, "BatchSave", &session, super::batch(&models)).await;
    let rows = async |start: usize| {
        let data = json!({"FormId": "BD_Customer", "FieldKeys": "FNumber", "FilterString": "", "StartRow": start, "Limit": 2});
        k3(&at, "ExecuteBillQuery", &session, json!({"data": data})).await
    };
    for (kind, want) in [
        (FaultKind::RepeatedPage, json!([["3"], ["4"]])),
        (FaultKind::IgnoresPaging, json!([["1"], ["2"]])),
        (FaultKind::EmptyPage, json!([])),
    ] {
        at.clear_faults();
        at.fault(FaultPlan::every("ExecuteBillQuery", kind)).unwrap();
        assert_eq!(rows(4).await, want, "{kind:?}");
    }
    at.clear_faults();
    assert_eq!(
        query(&at, &session, "FNumber", "")
            .await
            .as_array()
            .unwrap()
            .len(),
        6
    );
}

/// Reads all pages; before page `at_page` rows move.
async fn read_while(moves: FaultPlan, at_page: u64) -> (Running, Vec<String>, Vec<String>, u64) {
    let at = sandbox(|c| c.trades = 40).await;
    let before = tids(&huke_rows(&at, "trade/searchTrades", None, 10).await);
    at.fault(FaultPlan {
        nth: Some(at_page),
        ..moves
    })
    .unwrap();
    let mut seen = Vec::new();
    for n in 1..=4 {
        seen.extend(tids(page(&at, n).await["list"].as_array().unwrap()));
    }
    let total = page(&at, 1).await["total"].as_u64().unwrap();
    (at, before, seen, total)
}

#[tokio::test]
async fn an_insert_shifts_rows_to_the_next_page() {
    let moves = FaultPlan::every("searchTrades", FaultKind::RowsMove);
    let (_at, before, seen, total) = read_while(moves, 2).await;
    assert_eq!(total, 41);
    assert_eq!(
        seen[9], seen[10],
        "the last row of page 1 comes again as the first of page 2"
    );
    assert_eq!(seen[..10], before[..10]);
    assert!(!seen.contains(&before[39]), "and the last one is on page 5 now");
}

#[tokio::test]
async fn deletes_and_updates_shift_rows_past_the_reader() {
    let moved = |deletes, updates| FaultPlan {
        deletes: Some(deletes),
        updates: Some(updates),
        ..FaultPlan::every("searchTrades", FaultKind::RowsMove)
    };
    // So many that some certainly stood on page 1.
    let (_at, before, seen, total) = read_while(moved(20, 0), 2).await;
    assert_eq!(total, 20);
    let lost = before
        .iter()
        .filter(|tid| !seen.contains(tid))
        .collect::<BTreeSet<_>>();
    assert!(!lost.is_empty(), "rows that exist were never shown or are gone");
    let (at, before, seen, total) = read_while(moved(0, 20), 2).await;
    assert_eq!(total, 40, "updated rows stand at the end of everything");
    let again = huke_rows(&at, "trade/searchTrades", None, 10).await;
    let now: BTreeSet<String> = tids(&again).into_iter().collect();
    assert_eq!(now, before.iter().cloned().collect(), "no row is gone");
    assert!(
        seen.iter().collect::<BTreeSet<_>>().len() < 40,
        "but the reader did not see them all"
    );
    let base = at.now_ms();
    let changed = again.iter().filter(|row| row["status"] == "TRADE_CHANGED");
    let stamps: Vec<i64> = changed.map(|row| row["createTime"].as_i64().unwrap()).collect();
    assert_eq!(stamps.len(), 20);
    assert!(stamps.iter().all(|ms| base - ms < 60_000), "their time is now");
}

#[tokio::test]
async fn rows_move_by_control_and_stay_moved() {
    let folder = tempfile::tempdir().unwrap();
    let config = || Config {
        trades: 40,
        state: Some(folder.path().to_owned()),
        ..Config::default()
    };
    let at = start(config()).await.unwrap();
    let order = json!({"inserts": 2, "updates": 3, "deletes": 4});
    let answer = control(&at, "POST", "move", order.clone()).await;
    assert_eq!(answer["updated"].as_array().unwrap().len(), 3, "{answer}");
    let rows = huke_rows(&at, "trade/searchTrades", None, 10).await;
    assert_eq!(rows.len(), 40 + 2 - 4);
    let gone: Vec<&str> = answer["deleted"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(tids(&rows).iter().all(|tid| !gone.contains(&tid.as_str())));
    let once: BTreeSet<String> = tids(&rows).into_iter().collect();
    assert_eq!(once.len(), 38);
    at.stop().await;
    let at = start(config()).await.unwrap();
    assert_eq!(
        huke_rows(&at, "trade/searchTrades", None, 7).await,
        rows,
        "after a restart"
    );
    control(&at, "POST", "move", order).await;
    assert_eq!(huke_rows(&at, "trade/searchTrades", None, 10).await.len(), 36);
    // More than there are: what is there moves.
    at.move_rows(0, i64::MAX, [0, 0, 1000]).unwrap();
    assert!(at.move_rows(0, i64::MAX, [1 << 40, 0, 0]).is_err());
}
