//! What the journal says per key, after writes that were doubled, late and changed.

use serde_json::json;

use super::{batch, control, customer, k3, k3_raw, login, sandbox};
use crate::fault::{FaultKind, FaultPlan};
use crate::{Delivery, Level, effects};

#[tokio::test]
async fn effects_are_counted_by_key() {
    let at = sandbox(|c| c.settings.kingdee = Some(Level::Query)).await;
    let session = login(&at).await;
    at.fault(FaultPlan::nth("BatchSave", 1, FaultKind::Duplicate))
        .unwrap();
    k3(
        &at,
        "BatchSave",
        &session,
        batch(&[customer("1", "甲"), customer("2", "乙")]),
    )
    .await;
    k3(&at, "BatchSave", &session, batch(&[customer("3", "丙")])).await;
    let id = at.journal().last().unwrap().id;
    let mut changed = customer("3", "丁");
    changed["FCUSTID"] = json!(id);
    for _ in 0..2 {
        k3(&at, "BatchSave", &session, batch(&[changed.clone()])).await;
    }
    at.fault(FaultPlan {
        delay_ms: Some(0),
        ..FaultPlan::nth("BatchSave", 1, FaultKind::SlowCommit)
    })
    .unwrap();
    k3_raw(
        &at,
        "BatchSave",
        &session,
        &batch(&[customer("4", "戊")]).to_string(),
    )
    .await;

    let found = at.effects();
    assert_eq!(found, effects(&at.journal()), "streamed or not");
    let line: Vec<String> = found
        .iter()
        .map(|e| {
            let (creates, updates, steps) = (e.creates, e.updates, e.steps);
            format!(
                "{}: {creates} {updates} {steps} repeats {} again {} late {}",
                e.number, e.repeats, e.again, e.late
            )
        })
        .collect();
    assert_eq!(
        line,
        [
            "1: 2 0 0 repeats 1 again 1 late 0",
            "2: 2 0 0 repeats 1 again 1 late 0",
            "3: 1 2 0 repeats 1 again 0 late 0",
            "4: 1 0 0 repeats 0 again 0 late 1",
        ]
    );
    assert_eq!(found[0].ids.len(), 2);
    let versions: Vec<u64> = at
        .journal()
        .iter()
        .filter(|e| e.number == "3")
        .map(|e| e.version)
        .collect();
    assert_eq!(versions, [1, 2, 3]);
    let calls: Vec<(u64, Delivery)> = at.journal()[..4].iter().map(|e| (e.call, e.delivery)).collect();
    assert_eq!(calls[0].0, calls[3].0, "one call on the wire: {calls:?}");
    assert_eq!(calls[3].1, Delivery::Again);

    let told = control(&at, "GET", "effects", json!(null)).await;
    assert_eq!((&told["keys"], &told["doubled"]), (&json!(4), &json!(2)));
    assert_eq!(told["effects"][0]["number"], "1");
}
