use serde_json::{Value, json};

use super::{Answer, ask_huke, batch, control, customer, huke_rows, k3_raw, login, sandbox};
use crate::Running;
use crate::fault::{FaultKind, FaultPlan};

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
    // kind -> what the client sees; whether it is executed.
    let cases = [
        (DropBefore, "nothing", false),
        (DropAfter, "nothing", true),
        (Http500Before, "500 <html", false),
        (Http500After, "500 <html", true),
        (Delay, "200 0", true),
        (HalfBody, "200 broken", true),
        (WrongLength, "200 broken", true),
        (HtmlLogin, "200 <!DOC", false),
        (TooMany, "429 Too M", false),
        (MsgCode13, "200 13", false),
        (MsgCode14, "200 14", false),
        (Http519, "519 null", false),
        (ResponseError, "200 respo", false),
        (EmptyBody, "200 ", true),
        (SkewedDate, "200 0", true),
        (SessionLost, "200 1", false),
    ];
    let at = sandbox(|_| {}).await;
    for (n, (kind, want, executed)) in cases.into_iter().enumerate() {
        let session = login(&at).await;
        let before = at.journal().len();
        at.fault(FaultPlan {
            delay_ms: Some(1),
            ..FaultPlan::nth("BatchSave", 1, kind)
        })
        .unwrap();
        let answer = save(&at, &session, &n.to_string()).await;
        assert_eq!(seen(answer.as_ref()), want, "{kind:?}");
        assert_eq!(at.journal().len() - before, usize::from(executed), "{kind:?}");
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
    tokio::time::timeout(std::time::Duration::from_secs(10), committed)
        .await
        .expect("it is executed in the end");
}

#[tokio::test]
async fn a_hanging_call_is_executed_and_never_answered() {
    let at = sandbox(|_| {}).await;
    let session = login(&at).await;
    at.fault(FaultPlan::nth("BatchSave", 1, FaultKind::Hang)).unwrap();
    let patience = std::time::Duration::from_millis(200);
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
