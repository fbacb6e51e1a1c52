//! Decisions about records, beside the writer that runs use.

use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn records_are_decided_about() {
    let house = House::open().await;
    house.pass("huke-customers").await;
    house.pass("huke-to-k3").await;
    let dead = house
        .ask("GET", "/records?scheme=huke-to-k3&state=dead", "")
        .await
        .is(200)
        .json();
    let count = dead["total"].as_i64().unwrap();
    assert!(count > 0, "the simulator refuses some: {dead}");
    let id = dead["items"][0]["record"].as_i64().unwrap();
    let act = async |word: &str, body: serde_json::Value| {
        house
            .ask("POST", &format!("/records/actions/{word}"), &body.to_string())
            .await
    };
    let all = serde_json::json!({"scheme": "huke-to-k3", "state": "dead"});
    let rehearsed = act(
        "retry",
        serde_json::json!({"filter": all, "reason": "r", "dry_run": true}),
    )
    .await;
    assert_eq!(rehearsed.is(202).json()["moved"], count);
    let still = house
        .ask("GET", "/records?scheme=huke-to-k3&state=dead", "")
        .await
        .is(200)
        .json();
    assert_eq!(still["total"], count);
    let held = act("hold", serde_json::json!({"ids": [id], "reason": "r"}))
        .await
        .is(202)
        .json();
    assert_eq!(
        (held["moved"].as_i64(), held["left"]["unfit"].as_i64()),
        (Some(0), Some(1))
    );
    let skipped = act("skip", serde_json::json!({"ids": [id], "reason": "obsolete"}))
        .await
        .is(202)
        .json();
    assert_eq!(
        (skipped["moved"].as_i64(), skipped["state"].as_str()),
        (Some(1), Some("done"))
    );
    let polled = house
        .ask("GET", &format!("/operations/{}", skipped["id"]), "")
        .await
        .is(200)
        .json();
    assert_eq!(polled, skipped);
    let story = house
        .ask("GET", &format!("/records/{id}"), "")
        .await
        .is(200)
        .json();
    assert_eq!(story["record"]["state"], "skipped");
    assert_eq!(story["decisions"][0]["reason"], "obsolete");
    if count > 1 {
        let retried = act("retry", serde_json::json!({"filter": all, "reason": "mended"}))
            .await
            .is(202)
            .json();
        assert_eq!(retried["moved"], count - 1);
    }
    for (word, body) in [
        ("retry", r#"{"reason":"r"}"#),
        ("retry", r#"{"ids":[1],"filter":{"scheme":"a"},"reason":"r"}"#),
        ("retry", r#"{"ids":[1],"reason":" "}"#),
        ("skip", r#"{"ids":[1],"reason":"r","not_there":true}"#),
        ("resolve", r#"{"ids":[1],"reason":"r"}"#),
        ("skip", r#"{"ids":[1],"reason":"r","as_stored":true}"#),
    ] {
        house
            .ask("POST", &format!("/records/actions/{word}"), body)
            .await
            .refused(400, "E6005");
    }
    act("skip", serde_json::json!({"ids": [424242], "reason": "r"}))
        .await
        .refused(404, "E6003");
    let runs = house.ask("GET", "/runs?limit=1", "").await.is(200).json();
    let run = runs["items"][0]["run"].as_i64().unwrap();
    house
        .ask("POST", &format!("/runs/{run}/cancel"), "")
        .await
        .refused(409, "E6010");
}

/// Somebody looks at the target, and finds nothing; meanwhile it is sent once more. What they found is not said of that.
#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_about_what_was_seen() {
    let house = House::open().await;
    house.pass("huke-customers").await;
    house.pass("huke-to-k3").await;
    let dead = house
        .ask("GET", "/records?scheme=huke-to-k3&state=dead", "")
        .await
        .is(200)
        .json();
    let record = &dead["items"][0];
    let id = record["record"].to_string();
    let sends = record["sends"].as_u64().unwrap();
    let seen = serde_json::json!({"state": "dead", "version": record["version"], "sends": sends});
    let resolve = |more: serde_json::Value| {
        let mut body = serde_json::json!({"reason": "looked", "not_there": true});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let house = &house;
        async move {
            house
                .ask("POST", "/records/actions/resolve", &body.to_string())
                .await
        }
    };
    let ids = [record["record"].as_i64().unwrap()];
    for unseen in [
        serde_json::json!({"ids": ids}),
        serde_json::json!({"ids": ids, "seen": {}}),
        serde_json::json!({"ids": ids, "seen": {"424242": seen}}),
        serde_json::json!({"ids": ids, "seen": {&id: seen, "424242": seen}}),
        serde_json::json!({"filter": {"scheme": "huke-to-k3", "state": "dead"}}),
    ] {
        resolve(unseen).await.refused(400, "E6005");
    }
    for (what, other) in [
        ("state", serde_json::json!("unknown")),
        ("version", serde_json::json!("another")),
        ("sends", serde_json::json!(sends - 1)),
    ] {
        let mut before = seen.clone();
        before[what] = other;
        for dry_run in [true, false] {
            let body = serde_json::json!({"ids": ids, "seen": {&id: before}, "dry_run": dry_run});
            let left = resolve(body).await.is(202).json();
            assert_eq!(left["moved"], 0, "{what}: {left}");
            assert_eq!(left["left"]["changed"], 1, "{what}: {left}");
            assert_eq!(left["examples"][0]["why"], "changed", "{what}: {left}");
        }
    }
    let path = format!("/records/{id}");
    let still = house.ask("GET", &path, "").await.is(200).json();
    assert_eq!(still["record"]["state"], "dead");
    let moved = resolve(serde_json::json!({"ids": ids, "seen": {&id: seen}})).await;
    assert_eq!(moved.is(202).json()["moved"], 1);
    let now = house.ask("GET", &path, "").await.is(200).json();
    assert_ne!(now["record"]["state"], "dead");
}
