use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Answer, ask_huke, batch, control, customer, huke_rows, k3_raw, login, sandbox};
use crate::fault::{FaultKind, FaultPlan, TABLE};
use crate::{Delivery, Level, Running};

/// What the client sees of a call.
fn seen(answer: Option<&Answer>) -> String {
    match answer {
        None => "nothing".to_owned(),
        Some(a) if !a.whole => format!("{} broken", a.status),
        Some(a) => match serde_json::from_slice::<Value>(&a.body) {
            Ok(json) => format!("{} {}", a.status, json["Result"]["ResponseStatus"]["MsgCode"]),
            Err(_) => format!("{} {}", a.status, a.text().chars().take(5).collect::<String>()),
        },
    }
}

async fn save(at: &Running, session: &str, number: &str) -> Option<Answer> {
    k3_raw(
        at,
        "BatchSave",
        session,
        &batch(&[customer(number, "甲")]).to_string(),
    )
    .await
}

#[tokio::test]
async fn every_kind_on_a_write() {
    use FaultKind::*;
    // kind -> what the client sees; how often it is executed.
    let cases = [
        (DropBefore, "nothing", 0),
        (DropAfter, "nothing", 1),
        (Http500Before, "500 <html", 0),
        (Http500After, "500 <html", 1),
        (Delay, "200 0", 1),
        (SlowCommit, "200 0", 1),
        (Duplicate, "200 0", 2),
        (Replayed, "200 0", 2),
        (HalfBody, "200 broken", 1),
        (WrongLength, "200 broken", 1),
        (HtmlLogin, "200 <!DOC", 0),
        (Redirect, "302 <html", 0),
        (TooMany, "429 Too M", 0),
        (MsgCode13, "200 13", 0),
        (MsgCode14, "200 14", 0),
        (Http519, "519 null", 0),
        (ResponseError, "200 respo", 0),
        (EmptyBody, "200 ", 1),
        (WrongType, "200 0", 1),
        (SlowBody, "200 0", 1),
        (SlowHeaders, "200 0", 1),
        (DeepJson, "200 [[[[[", 1),
        (Doctype, "200 <?xml", 1),
        (GbkBody, "200 0", 1),
        (GbkUnmarked, "200 0", 1),
        (InvalidUtf8, "200 {\"Res", 1),
        (NulBytes, "200 {\"Res", 1),
        (Bom, "200 \u{feff}{\"Re", 1),
        (SkewedDate, "200 0", 1),
        (SessionLost, "200 1", 0),
        (RowErrors, "200 11", 0),
        (BatchRefused, "200 11", 0),
        (RowsUnnamed, "200 0", 1),
        (WrongRowCount, "200 0", 1),
    ];
    // Without unique numbers a second execution shows.
    let at = sandbox(|c| c.settings.kingdee = Some(Level::Query)).await;
    for (n, (kind, want, executed)) in cases.into_iter().enumerate() {
        let session = login(&at).await;
        let before = at.journal().len();
        at.fault(FaultPlan {
            delay_ms: [Delay, SlowCommit, SlowBody, SlowHeaders]
                .contains(&kind)
                .then_some(1),
            ..FaultPlan::nth("BatchSave", 1, kind)
        })
        .unwrap();
        let answer = save(&at, &session, &n.to_string()).await;
        assert_eq!(seen(answer.as_ref()), want, "{kind:?}");
        assert_eq!(at.journal().len() - before, executed, "{kind:?}");
        control(&at, "POST", "fault", json!({"clear": true})).await;
    }
}

#[tokio::test]
async fn a_broken_body_still_shows_its_first_half() {
    let at = sandbox(|_| {}).await;
    let session = login(&at).await;
    at.fault(FaultPlan::nth("BatchSave", 1, FaultKind::HalfBody))
        .unwrap();
    let half = save(&at, &session, "1").await.unwrap();
    assert!(
        !half.whole && half.body.starts_with(b"{\"Result\""),
        "{}",
        half.text()
    );
    at.fault(FaultPlan::nth("BatchSave", 1, FaultKind::WrongLength))
        .unwrap();
    let longer = save(&at, &session, "2").await.unwrap();
    assert!(!longer.whole && serde_json::from_slice::<Value>(&longer.body).is_ok());
}

#[tokio::test]
async fn commit_overrides_what_a_kind_usually_does() {
    let at = sandbox(|_| {}).await;
    let session = login(&at).await;
    let plan = |kind, commit| FaultPlan {
        commit: Some(commit),
        ..FaultPlan::nth("kingdee", 1, kind)
    };
    at.fault(plan(FaultKind::SessionLost, true)).unwrap();
    assert_eq!(seen(save(&at, &session, "1").await.as_ref()), "200 1");
    assert_eq!(
        at.journal().len(),
        1,
        "executed, and then the session was said to be lost"
    );
    let session = login(&at).await;
    at.fault(plan(FaultKind::EmptyBody, false)).unwrap();
    save(&at, &session, "2").await;
    assert_eq!(at.journal().len(), 1);
}

#[tokio::test]
async fn a_late_commit_happens_after_the_connection_is_gone() {
    let at = sandbox(|_| {}).await;
    let session = login(&at).await;
    at.fault(FaultPlan {
        delay_ms: Some(20),
        ..FaultPlan::nth("BatchSave", 1, FaultKind::LateCommit)
    })
    .unwrap();
    assert!(save(&at, &session, "1").await.is_none());
    assert_eq!(at.journal(), []);
    let committed = async {
        while at.journal().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), committed)
        .await
        .expect("it is executed in the end");
    assert_eq!(at.journal()[0].delivery, Delivery::Late);
}

#[tokio::test]
async fn a_slow_commit_outlives_the_client() {
    let at = sandbox(|_| {}).await;
    let session = login(&at).await;
    at.fault(FaultPlan {
        delay_ms: Some(60),
        ..FaultPlan::nth("BatchSave", 1, FaultKind::SlowCommit)
    })
    .unwrap();
    let patience = Duration::from_millis(20);
    assert!(
        tokio::time::timeout(patience, save(&at, &session, "1"))
            .await
            .is_err()
    );
    assert_eq!(
        at.journal(),
        [],
        "the client is gone, and nothing is executed yet"
    );
    executed(&at, 1).await;
    assert_eq!(at.journal()[0].delivery, Delivery::Late);
}

/// Waits until so many writes are executed.
async fn executed(at: &Running, writes: usize) {
    let committed = async {
        while at.journal().len() < writes {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), committed)
        .await
        .expect("it is executed in the end");
}

#[tokio::test]
async fn a_replay_meets_the_wall_of_a_unique_number() {
    let at = sandbox(|_| {}).await;
    let session = login(&at).await;
    at.fault(FaultPlan::nth("BatchSave", 1, FaultKind::Replayed))
        .unwrap();
    let answer = save(&at, &session, "1").await.unwrap().json();
    let status = &answer["Result"]["ResponseStatus"];
    assert_eq!(
        status["MsgCode"], 11,
        "the second execution finds the first: {answer}"
    );
    assert!(
        status["Errors"][0]["Message"]
            .as_str()
            .unwrap()
            .contains("已存在")
    );
    assert_eq!(at.journal().len(), 1);
}

#[tokio::test]
async fn a_duplicate_may_come_later() {
    let at = sandbox(|c| c.settings.kingdee = Some(Level::Query)).await;
    let session = login(&at).await;
    at.fault(FaultPlan {
        delay_ms: Some(20),
        ..FaultPlan::nth("BatchSave", 1, FaultKind::Duplicate)
    })
    .unwrap();
    assert_eq!(seen(save(&at, &session, "1").await.as_ref()), "200 0");
    executed(&at, 2).await;
    let journal = at.journal();
    assert_eq!(
        [journal[0].delivery, journal[1].delivery],
        [Delivery::Call, Delivery::Again]
    );
    assert_eq!(journal[0].call, journal[1].call);
}

#[tokio::test]
async fn rows_of_a_batch() {
    // kind, rows, value, commit -> good, bad, executed
    type Case<'a> = (
        FaultKind,
        Option<Vec<usize>>,
        Option<&'a str>,
        Option<bool>,
        Value,
        Value,
        usize,
    );
    use FaultKind::{BatchRefused, RowErrors, RowsUnnamed, WrongRowCount};
    let cases: [Case<'_>; 9] = [
        (RowErrors, None, None, None, json!([1, 2]), json!([0]), 2),
        (
            RowErrors,
            Some(vec![0, 2]),
            None,
            None,
            json!([1]),
            json!([0, 2]),
            1,
        ),
        (RowErrors, None, Some("毒"), None, json!([0, 2]), json!([1]), 2),
        (
            RowErrors,
            Some(vec![7]),
            None,
            None,
            json!([0, 1, 2]),
            json!([]),
            3,
        ),
        (BatchRefused, None, Some("毒"), None, json!([]), json!([0]), 0),
        (
            BatchRefused,
            None,
            Some("无"),
            None,
            json!([0, 1, 2]),
            json!([]),
            3,
        ),
        (
            RowsUnnamed,
            Some(vec![1]),
            None,
            None,
            json!([0, 2]),
            json!([]),
            3,
        ),
        (
            RowsUnnamed,
            Some(vec![1]),
            None,
            Some(false),
            json!([0, 2]),
            json!([]),
            2,
        ),
        (WrongRowCount, None, None, None, json!([0, 1, 2, 3]), json!([]), 3),
    ];
    for (kind, rows, value, commit, good, bad, writes) in cases {
        let at = sandbox(|c| c.seed = 8).await;
        let session = login(&at).await;
        let plan = FaultPlan {
            rows: rows.clone(),
            value: value.map(str::to_owned),
            commit,
            ..FaultPlan::every("BatchSave", kind)
        };
        at.fault(plan).unwrap();
        let body = batch(&[customer("1", "甲"), customer("2", "毒药"), customer("3", "丙")]);
        let answer = k3_raw(&at, "BatchSave", &session, &body.to_string())
            .await
            .unwrap()
            .json();
        let status = &answer["Result"]["ResponseStatus"];
        let places = |list: &Value| -> Value {
            let list = list.as_array().unwrap();
            list.iter().map(|row| row["DIndex"].clone()).collect()
        };
        let what = format!("{kind:?} {rows:?} {value:?}: {answer}");
        assert_eq!(places(&status["SuccessEntitys"]), good, "{what}");
        assert_eq!(places(&status["Errors"]), bad, "{what}");
        assert_eq!(at.journal().len(), writes, "{what}");
    }
}

#[tokio::test]
async fn a_target_allows_so_many_calls_a_second() {
    let at = sandbox(|c| c.trades = 40).await;
    at.fault(FaultPlan {
        above_per_s: Some(3),
        retry_after_s: Some(1),
        ..FaultPlan::every("huke", FaultKind::TooMany)
    })
    .unwrap();
    let statuses = async || {
        let mut statuses = Vec::new();
        for _ in 0..5 {
            let page = ask_huke(&at, "trade/searchTrades", r#"{"page":1}"#)
                .await
                .unwrap();
            statuses.push(page.status);
        }
        statuses
    };
    assert_eq!(statuses().await, [200, 200, 200, 429, 429]);
    at.advance_ms(1000);
    assert_eq!(statuses().await, [200, 200, 200, 429, 429]);
    assert_eq!(at.struck(), [4]);
}

#[tokio::test]
async fn a_fault_from_until() {
    let at = sandbox(|c| c.trades = 40).await;
    at.fault(FaultPlan {
        from_ms: Some(60_000),
        until_ms: Some(120_000),
        ..FaultPlan::every("huke", FaultKind::DropBefore)
    })
    .unwrap();
    for (minute, answered) in [(0, true), (1, false), (2, true)] {
        let page = ask_huke(&at, "trade/searchTrades", r#"{"page":1}"#).await;
        assert_eq!(page.is_some(), answered, "minute {minute}");
        at.advance_ms(60_000);
    }
}

#[tokio::test]
async fn an_outage_refuses_connections_and_ends() {
    let at = sandbox(|_| {}).await;
    let session = login(&at).await;
    let plan = FaultPlan {
        delay_ms: Some(50),
        ..FaultPlan::nth("BatchSave", 1, FaultKind::Outage)
    };
    at.fault(plan).unwrap();
    assert!(save(&at, &session, "1").await.is_none());
    let refused = tokio::net::TcpStream::connect(at.addr()).await;
    assert_eq!(
        refused.unwrap_err().kind(),
        std::io::ErrorKind::ConnectionRefused,
        "nobody listens"
    );
    assert!(back(&at).await >= Duration::from_millis(20));
    assert_eq!(seen(save(&at, &session, "1").await.as_ref()), "200 0");
    assert_eq!(
        at.journal().len(),
        1,
        "the call that was cut off was not executed"
    );
    at.outage_ms(1);
    back(&at).await;
}

/// Waits until the sandbox can be reached.
async fn back(at: &Running) -> Duration {
    let start = Instant::now();
    let listening = async {
        while tokio::net::TcpStream::connect(at.addr()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), listening)
        .await
        .expect("the outage ends");
    start.elapsed()
}

#[test]
fn the_page_of_this_crate_lists_every_kind() {
    let page = include_str!("../../README.md");
    for row in TABLE {
        let line = page
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", row.word)))
            .unwrap_or_else(|| panic!("README.md does not list {}", row.word));
        assert!(line.contains(row.en), "{line}");
        for key in row.keys {
            assert!(line.contains(&format!("`{key}`")), "{line}");
        }
    }
}

/// A new kind without a test would only be a promise.
#[test]
fn every_kind_has_a_test() {
    let tests = [
        include_str!("faults.rs"),
        include_str!("answers.rs"),
        include_str!("paging.rs"),
    ]
    .concat();
    for row in TABLE {
        let name = format!("{:?}", row.kind);
        let named = |text: &str| tests.contains(&text.replace('@', &name));
        assert!(
            named("FaultKind::@)") || named("(@,") || named("FaultKind::@,"),
            "{name} has no test"
        );
    }
}

#[tokio::test]
async fn a_hanging_call_is_executed_and_never_answered() {
    let at = sandbox(|_| {}).await;
    let session = login(&at).await;
    at.fault(FaultPlan::nth("BatchSave", 1, FaultKind::Hang)).unwrap();
    let patience = Duration::from_millis(200);
    assert!(
        tokio::time::timeout(patience, save(&at, &session, "1"))
            .await
            .is_err()
    );
    assert_eq!(at.journal().len(), 1);
}

#[tokio::test]
async fn faults_of_reads() {
    let at = sandbox(|c| c.trades = 40).await;
    let page = async |n: u32| {
        ask_huke(
            &at,
            "trade/searchTrades",
            &format!(r#"{{"page":{n},"pageSize":10}}"#),
        )
        .await
        .unwrap()
    };
    let (first, second) = (page(1).await.json(), page(2).await.json());
    at.fault(FaultPlan::nth("searchTrades", 1, FaultKind::RepeatedPage))
        .unwrap();
    assert_eq!(page(2).await.json()["data"]["list"], first["data"]["list"]);
    assert_eq!(page(2).await.json(), second);
    at.fault(FaultPlan {
        retry_after_s: Some(3),
        ..FaultPlan::nth("huke", 1, FaultKind::TooMany)
    })
    .unwrap();
    let limited = page(1).await;
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("3")));
    let date = page(1).await.header("date").map(str::to_owned);
    at.fault(FaultPlan {
        skew_ms: Some(-86_400_000),
        ..FaultPlan::nth("huke", 1, FaultKind::SkewedDate)
    })
    .unwrap();
    assert_ne!(
        page(1).await.header("date").map(|d| d[..16].to_owned()),
        date.map(|d| d[..16].to_owned())
    );
    assert_eq!(huke_rows(&at, "trade/searchTrades", None, 10).await.len(), 40);
}
