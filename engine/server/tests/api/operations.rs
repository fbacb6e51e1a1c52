//! Revisions, logs, mappings, queues, replays and channels.

use std::sync::Arc;

use app::logging;
use app::service::Wish;
use flow::op::AuditNote;
use flow::window::Interval;
use ledger::read::{AuditFilter, RunFilter};
use ledger::service::operating::NewReplay;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::house::House;

const YAML: (&str, &str) = ("content-type", "application/yaml");

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_text_is_put_in_force_again() {
    let house = House::open().await;
    let scheme = "/schemes/huke-to-k3";
    let file = house.folder.join("huke-to-k3.yaml");
    let first = std::fs::read_to_string(&file).unwrap();
    let tag = house.ask("GET", scheme, "").await.headers["etag"]
        .to_str()
        .unwrap()
        .to_owned();
    let second = first.replace("every: 6m", "every: 7m");
    let stored = house
        .ask_with("PUT", scheme, &second, &[YAML, ("if-match", &tag)])
        .await
        .is(200)
        .json();
    let list = house
        .ask("GET", &format!("{scheme}/revisions?limit=1"), "")
        .await
        .is(200)
        .json();
    assert_eq!((&list["total"], &list["items"][0]["seq"]), (&2.into(), &2.into()));
    assert_eq!(list["items"][0]["message"], "replace");
    let next = list["next"].as_str().unwrap();
    let list = house
        .ask("GET", &format!("{scheme}/revisions?limit=1&cursor={next}"), "")
        .await
        .is(200)
        .json();
    assert_eq!(
        (&list["items"][0]["seq"], &list["next"]),
        (&1.into(), &serde_json::Value::Null)
    );
    let shown = house
        .ask("GET", &format!("{scheme}/revisions/1"), "")
        .await
        .is(200)
        .json();
    assert_eq!(shown["text"], first);
    for path in ["/diff", "/diff?against=1"] {
        let diff = house
            .ask("GET", &format!("{scheme}/revisions/2{path}"), "")
            .await
            .is(200)
            .json();
        let of = |kind: &str| -> Vec<&str> {
            let lines = diff["lines"].as_array().unwrap().iter();
            lines
                .filter(|line| line["kind"] == kind)
                .filter_map(|line| line["text"].as_str())
                .collect()
        };
        assert_eq!(of("gone"), ["schedule: {every: 6m}"], "{diff}");
        assert_eq!(of("new"), ["schedule: {every: 7m}"]);
        assert_eq!(of("left_out").len(), 1);
        assert!(of("same").len() <= 6);
    }
    // Whoever read an older text comes too late, and a reason is needed.
    let back = format!("{scheme}/revisions/1/rollback");
    let why = r#"{"message":"seven was too slow"}"#;
    house.ask("POST", &back, why).await.refused(428, "E6008");
    house
        .ask_with("POST", &back, why, &[("if-match", &tag)])
        .await
        .refused(412, "E6009");
    let tag = stored["revision"].as_str().unwrap().to_owned();
    house
        .ask_with("POST", &back, r#"{"message":" "}"#, &[("if-match", &tag)])
        .await
        .refused(400, "E6005");
    house
        .ask_with("POST", &back, why, &[("if-match", &tag)])
        .await
        .is(200);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), first);
    let newest = house
        .ask("GET", &format!("{scheme}/revisions"), "")
        .await
        .is(200)
        .json();
    assert_eq!(newest["items"][0]["seq"], 3);
    assert_eq!(newest["items"][0]["message"], "seven was too slow");
    let notes = house.state.reader().audit(&AuditFilter::default()).unwrap();
    assert_eq!(
        (notes[0].note.action.as_str(), notes[0].note.reason.as_str()),
        ("revert", "seven was too slow")
    );
    for nothing in ["/revisions/9", "/revisions/9/diff", "/revisions/1/diff?against=9"] {
        house
            .ask("GET", &format!("{scheme}{nothing}"), "")
            .await
            .refused(404, "E6003");
    }
    house
        .ask("GET", "/schemes/none/revisions", "")
        .await
        .refused(404, "E6003");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_one_run() {
    let house = House::open().await;
    let dir = house.folder.parent().unwrap().join("data");
    let setting = logging::Setting {
        look: logging::Look::Silent,
        verbosity: 0,
        dir: Some(dir),
        redactor: house.service.loaded().engine.redactor().clone(),
        clock: Arc::new(app::SystemClock::default()),
    };
    assert!(logging::start(setting, None).unwrap());
    for _ in 0..2 {
        house
            .ask("POST", "/schemes/huke-customers/actions/run", "")
            .await
            .is(202);
        house
            .until("/schemes/huke-customers", |shown| {
                shown["scheme"]["running"].is_null()
            })
            .await;
    }
    let ended = |runs: &serde_json::Value| {
        let runs = runs["items"].as_array().unwrap();
        runs.iter().any(|run| run["status"] == "ok")
    };
    let runs = house.until("/runs?scheme=huke-customers", ended).await;
    let run = runs["items"].as_array().unwrap().last().unwrap()["run"].clone();
    let is_whole = |log: &serde_json::Value| {
        let lines = log["lines"].as_array().unwrap();
        lines.iter().any(|line| line["message"] == "run ended")
    };
    let log = house.until(&format!("/runs/{run}/log"), is_whole).await;
    for line in log["lines"].as_array().unwrap() {
        assert_eq!(
            (&line["fields"]["run"], &line["level"]),
            (&run, &"info".into()),
            "{line}"
        );
        assert_eq!(line["fields"]["scheme"], "huke-customers");
    }
    assert_eq!(log["more"], false);
    // Each reader goes through all of the log: there are few at a time.
    let places = Arc::clone(house.state.logs());
    let free = u32::try_from(places.available_permits()).unwrap();
    let all = places.try_acquire_many_owned(free).unwrap();
    house
        .ask("GET", &format!("/runs/{run}/log"), "")
        .await
        .refused(429, "E6012");
    drop(all);
    let none = house
        .ask("GET", &format!("/runs/{run}/log?level=error"), "")
        .await
        .is(200)
        .json();
    assert!(none["lines"].as_array().unwrap().is_empty());
    house.ask("GET", "/runs/999/log", "").await.refused(404, "E6003");
    house
        .ask("GET", &format!("/runs/{run}/log?level=loud"), "")
        .await
        .refused(400, "E6005");
}

#[tokio::test(flavor = "multi_thread")]
async fn which_record_became_which_document() {
    let house = House::open().await;
    house.pass("huke-customers").await;
    house.pass("huke-to-k3").await;
    let path = "/mappings/data?scheme=huke-to-k3";
    let all = house
        .ask("GET", &format!("{path}&limit=500"), "")
        .await
        .is(200)
        .json();
    let items = all["items"].as_array().unwrap();
    assert!(items.len() > 3, "{all}");
    assert_eq!(all["total"], items.len());
    let keys: Vec<&str> = items.iter().filter_map(|one| one["key"][0].as_str()).collect();
    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = house
            .ask("GET", &format!("{path}&limit=2{cursor}"), "")
            .await
            .is(200)
            .json();
        let items = page["items"].as_array().unwrap();
        paged.extend(items.iter().map(|one| one["key"][0].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, keys);
    let document = &items[0]["documents"][0];
    assert_eq!(
        (&document["connection"], &document["form"]),
        (&"k3".into(), &"BD_Customer".into())
    );
    let id = document["id"].as_str().unwrap();
    for filter in [
        format!("target_id={id}"),
        format!("key={}", keys[0]),
        format!("key=%5B%22{}%22%5D", keys[0]),
        format!("connection=k3&key={}", keys[0]),
    ] {
        let found = house
            .ask("GET", &format!("{path}&{filter}"), "")
            .await
            .is(200)
            .json();
        assert_eq!(
            (&found["total"], &found["items"][0]),
            (&1.into(), &items[0]),
            "{filter}"
        );
    }
    let none = house
        .ask("GET", &format!("{path}&connection=crm"), "")
        .await
        .is(200)
        .json();
    assert_eq!(none["total"], 0);
    house.ask("GET", "/mappings/data", "").await.refused(400, "E6005");
    let token = house.limited("read", &["huke-customers"]).await;
    assert_eq!(house.as_token(&token, "GET", path, "").await, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn mappings_are_set_by_people() {
    let house = House::open().await;
    house.pass("huke-customers").await;
    house.pass("huke-to-k3").await;
    let body = |dest: &str, more: &str| {
        format!(r#"{{"scheme":"huke-to-k3","source_id":"new","dest_id":"{dest}"{more}}}"#)
    };
    let path = "/mappings/data";
    let made = house
        .ask("POST", path, &body("77", r#","remark":"by hand""#))
        .await
        .is(200)
        .json();
    assert_eq!(
        (&made["record"], &made["documents"][0]["made_by"]),
        (&serde_json::Value::Null, &"api".into())
    );
    house.ask("POST", path, &body("77", "")).await.is(200);
    house
        .ask("POST", path, &body("78", ""))
        .await
        .refused(409, "E6130");
    house
        .ask("PATCH", path, &body("78", r#","expected":"76""#))
        .await
        .refused(409, "E6139");
    house
        .ask("PATCH", path, &body("78", ""))
        .await
        .refused(400, "E6005");
    house
        .ask("PATCH", path, &body("78", r#","expected":"77""#))
        .await
        .is(200);
    let one = "scheme=huke-to-k3&source_id=new";
    let history = house
        .ask("GET", &format!("{path}/history?{one}"), "")
        .await
        .is(200)
        .json();
    assert_eq!(history["items"][1]["before"], "77");
    let flaws = house
        .ask("GET", &format!("{path}/flaws"), "")
        .await
        .is(200)
        .json();
    assert_eq!(flaws["items"][0]["flaw"], "no_record");
    // Whoever reads may not write, and who is limited to other schemes learns nothing.
    let token = house.limited("operate", &["huke-customers"]).await;
    assert_eq!(house.as_token(&token, "POST", path, &body("1", "")).await, 404);
    assert_eq!(
        house
            .as_token(&token, "GET", &format!("{path}/history?{one}"), "")
            .await,
        404
    );
    assert_eq!(
        house.as_token(&token, "GET", &format!("{path}/flaws"), "").await,
        400
    );
    assert_eq!(
        house
            .as_token(&token, "POST", &format!("{path}/import"), "")
            .await,
        403
    );
    let reader = house.limited("read", &["huke-to-k3"]).await;
    assert_eq!(house.as_token(&reader, "POST", path, &body("1", "")).await, 403);
    // A written record keeps its mapping.
    let all = house
        .ask("GET", &format!("{path}?scheme=huke-to-k3&limit=1"), "")
        .await
        .is(200)
        .json();
    let (key, id) = (&all["items"][0]["key"][0], &all["items"][0]["documents"][0]["id"]);
    let (key, id) = (key.as_str().unwrap(), id.as_str().unwrap());
    house
        .ask(
            "DELETE",
            &format!("{path}?scheme=huke-to-k3&source_id={key}&expected={id}"),
            "",
        )
        .await
        .refused(409, "E6140");
    house
        .ask("DELETE", &format!("{path}?{one}&expected=78"), "")
        .await
        .is(204);
    house
        .ask("DELETE", &format!("{path}?{one}&expected=78"), "")
        .await
        .refused(409, "E6131");

    let path = "/mappings/fields";
    let value = |erp: &str, channel: &str| {
        format!(r#"{{"channel":"{channel}","data_type":"employee","fs_id":"7","erp_id":"{erp}"}}"#)
    };
    house.ask("POST", path, &value("E7", "OA")).await.is(200);
    house.ask("POST", path, &value("E7", "OA")).await.is(200);
    house
        .ask("POST", path, &value("E8", "OA"))
        .await
        .refused(409, "E6143");
    house
        .ask("POST", path, &value("E8", "ERP"))
        .await
        .refused(409, "E6142");
    // A data centre that no connection names.
    let elsewhere = value("E9", "OA").replace(r#"{"channel""#, r#"{"data_center":"nope","channel""#);
    house.ask("POST", path, &elsewhere).await.refused(409, "E6104");
    let listed = house
        .ask("GET", &format!("{path}?id=E9"), "")
        .await
        .is(200)
        .json();
    assert_eq!(listed["items"], serde_json::json!([]));
    let listed = house
        .ask("GET", &format!("{path}?id=E7"), "")
        .await
        .is(200)
        .json();
    assert_eq!(listed["items"][0]["fs_id"], "7");
    let text = house.ask("GET", &format!("{path}/export"), "").await.is(200);
    assert_eq!(text.headers["content-type"], "text/csv; charset=utf-8");
    assert!(text.text.contains(",OA,employee,7,E7,"), "{}", text.text);
    let gone = format!("{path}?channel=OA&data_type=employee&fs_id=7");
    house.ask("DELETE", &gone, "").await.is(204);
    house.ask("DELETE", &gone, "").await.refused(404, "E6003");
}

fn runs_of(house: &House, scheme: &str) -> usize {
    let filter = RunFilter {
        scheme: Some(scheme.to_owned()),
        ..RunFilter::default()
    };
    house.state.reader().list_runs(&filter).unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_to_a_target_that_is_paused() {
    let house = House::open().await;
    let pause = r#"{"paused":true,"reason":"month end"}"#;
    house
        .ask("PATCH", "/queues/none", pause)
        .await
        .refused(404, "E6003");
    house
        .ask("PATCH", "/queues/k3", r#"{"paused":true,"reason":""}"#)
        .await
        .refused(400, "E6005");
    let paused = house.ask("PATCH", "/queues/k3", pause).await.is(200).json();
    assert_eq!(paused["paused"]["reason"], "month end", "{paused}");
    house
        .ask("POST", "/schemes/huke-to-k3/actions/run", "")
        .await
        .refused(409, "E6010");
    // Others go on; what is due of this one is not begun beside them, nor by the next process.
    let house = house.restarted(false).await;
    let half = flow::timetable::Half::All;
    house.service.run_now("huke-to-k3", half).unwrap();
    house
        .ask("POST", "/schemes/huke-customers/actions/run", "")
        .await
        .is(202);
    house
        .until("/schemes/huke-customers", |shown| {
            shown["scheme"]["last_ok"].is_string()
        })
        .await;
    assert_eq!(runs_of(&house, "huke-to-k3"), 0);
    let queues = house.ask("GET", "/queues", "").await.is(200).json();
    assert_eq!(
        queues["items"][0]["paused"]["by"], paused["paused"]["by"],
        "{queues}"
    );

    let go_on = r#"{"paused":false,"reason":"closed"}"#;
    let open = house.ask("PATCH", "/queues/k3", go_on).await.is(200).json();
    assert!(open["paused"].is_null());
    // What was owed is done.
    house
        .until("/schemes/huke-to-k3", |shown| {
            shown["scheme"]["last"]["ended"].is_string()
        })
        .await;
    let notes = house.state.reader().audit(&AuditFilter::default()).unwrap();
    let notes: Vec<(&str, &str)> = notes
        .iter()
        .filter(|note| note.note.what == "connection k3")
        .map(|note| (note.note.action.as_str(), note.note.reason.as_str()))
        .collect();
    assert_eq!(notes, [("resume", "closed"), ("pause", "month end")]);
}

fn at(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap().to_string()
}

fn is_over(replay: &serde_json::Value) -> bool {
    !["queued", "running"].contains(&replay["state"].as_str().unwrap())
}

/// Customers were created, and none of them twice.
fn created_once(house: &House) {
    let effects = house.simulated.effects();
    assert!(effects.iter().any(|of_number| of_number.creates == 1));
    let doubled: Vec<_> = effects
        .iter()
        .filter(|of_number| of_number.is_doubled())
        .collect();
    assert!(doubled.is_empty(), "{doubled:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_past_stretch_is_read_once_more() {
    let house = House::that_takes_all().await;
    house.pass("huke-customers").await;
    let now = house.simulated.now_ms();
    let (from, to) = (at(now - 30 * 86_400_000), at(now));
    let body = |more: &str| format!(r#"{{"scheme":"huke-to-k3","from":"{from}","to":"{to}"{more}}}"#);
    let planned = house
        .ask("POST", "/replays", &body(r#","dry_run":true"#))
        .await
        .is(202)
        .json();
    assert!(planned["windows"].as_u64().unwrap() > 0, "{planned}");
    assert_eq!(planned["calls_at_least"], planned["windows"]);
    assert!(planned["replay"].is_null());
    let none = house.ask("GET", "/replays", "").await.is(200).json();
    assert_eq!(none["total"], 0);
    for wrong in [
        body(""),
        body(r#","reason":" ""#),
        body(r#","reason":"x","step_seconds":0"#),
        body(r#","reason":"x","step_seconds":9999999999"#),
        format!(r#"{{"scheme":"huke-to-k3","from":"{to}","to":"{from}","reason":"x"}}"#),
    ] {
        house.ask("POST", "/replays", &wrong).await.refused(400, "E6005");
    }
    let whole = body(r#","reason":"a month was missing""#).replace("huke-to-k3", "huke-customers");
    house.ask("POST", "/replays", &whole).await.is(400);
    house
        .ask("POST", "/replays", &whole.replace("huke-customers", "none"))
        .await
        .refused(404, "E6003");

    let begun = house
        .ask("POST", "/replays", &body(r#","reason":"a month was missing""#))
        .await
        .is(202)
        .json();
    let id = begun["replay"]["id"].as_i64().unwrap();
    let ended = house.until(&format!("/replays/{id}"), is_over).await;
    assert!(ended["rows"].as_u64().unwrap() > 0, "{ended}");
    assert_eq!(ended["state"], "done", "{ended}");
    let runs = house
        .ask("GET", "/runs?scheme=huke-to-k3&limit=500", "")
        .await
        .is(200)
        .json();
    let runs = runs["items"].as_array().unwrap();
    assert!(runs.iter().any(|run| run["trigger"] == "replay"), "{runs:?}");
    let notes = house.state.reader().audit(&AuditFilter::default()).unwrap();
    assert!(
        notes
            .iter()
            .any(|note| note.note.action == "replay" && note.note.reason == "a month was missing")
    );
    // It has ended.
    house
        .ask("POST", &format!("/replays/{id}/stop"), r#"{"reason":"x"}"#)
        .await
        .refused(409, "E6010");
    let token = house.limited("operate", &["huke-customers"]).await;
    for (method, path) in [("GET", ""), ("POST", "/stop")] {
        let path = format!("/replays/{id}{path}");
        assert_eq!(
            house.as_token(&token, method, &path, r#"{"reason":"x"}"#).await,
            404
        );
    }
    let own = body(r#","dry_run":true"#);
    assert_eq!(house.as_token(&token, "POST", "/replays", &own).await, 404);
    created_once(&house);
}

/// A replay stands in the ledger before it begins, and the next process goes on with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_goes_on_in_the_next_process() {
    let house = House::that_takes_all().await;
    let now = house.simulated.now_ms();
    let new = NewReplay {
        scheme: "huke-to-k3".to_owned(),
        range: Interval::new(now - 5 * 86_400_000, now).unwrap(),
        step: 86_400_000,
        only_missing: false,
        windows: 5,
        who: "li".to_owned(),
        reason: "a week was missing".to_owned(),
    };
    let note = AuditNote {
        who: "li".to_owned(),
        action: "replay".to_owned(),
        scheme: Some("huke-to-k3".to_owned()),
        record: None,
        what: String::new(),
        reason: "a week was missing".to_owned(),
    };
    let loaded = house.service.loaded();
    let added = loaded.engine.with_ledger(move |ledger| {
        let id = ledger.add_replay(&new, &note, now)?.unwrap();
        // As a process leaves it that is killed in the middle of a turn.
        ledger.replay_begins(id, now)?;
        Ok::<i64, ledger::StoreError>(id)
    });
    let id = added.await.unwrap().unwrap();
    drop(loaded);
    let house = house.restarted(false).await;
    let ended = house.until(&format!("/replays/{id}"), is_over).await;
    assert_eq!(ended["state"], "done", "{ended}");
    assert!(ended["rows"].as_u64().unwrap() > 0, "{ended}");
}

/// Runs of the scheme that read a past stretch.
fn turns_of(house: &House, scheme: &str) -> usize {
    let filter = RunFilter {
        scheme: Some(scheme.to_owned()),
        limit: 500,
        ..RunFilter::default()
    };
    let runs = house.state.reader().list_runs(&filter).unwrap();
    runs.iter().filter(|run| run.trigger == "replay").count()
}

/// The scheme has run, and nothing of it is due.
async fn run_once(house: &House, scheme: &str) {
    house
        .ask("POST", &format!("/schemes/{scheme}/actions/run"), "")
        .await
        .is(202);
    let path = format!("/schemes/{scheme}");
    house
        .until(&path, |shown| {
            shown["scheme"]["running"].is_null() && shown["scheme"]["last"]["ended"].is_string()
        })
        .await;
}

/// A replay makes room between two windows, goes on where it was, and reads none of them twice.
#[tokio::test]
async fn an_ordinary_run_comes_between_two_turns() {
    let house = House::with_short_turns().await;
    house.pass("huke-customers").await;
    let now = house.simulated.now_ms();
    let replay = app::Replay {
        range: Interval::new(now - 6 * 86_400_000, now).unwrap(),
        step: 86_400_000,
        only_missing: false,
    };
    let wish = Wish {
        who: "li".to_owned(),
        reason: "a week was missing".to_owned(),
        again: false,
    };
    let begun = house.service.begin_replay("huke-to-k3", &replay, wish).await;
    let row = begun.unwrap().unwrap();
    // Before anything else has its turn on this thread.
    house
        .service
        .run_now("huke-to-k3", flow::timetable::Half::All)
        .unwrap();
    let ended = house.until(&format!("/replays/{}", row.id), is_over).await;
    assert_eq!(ended["state"], "done", "{ended}");
    let filter = RunFilter {
        scheme: Some("huke-to-k3".to_owned()),
        limit: 500,
        ..RunFilter::default()
    };
    let mut runs = house.state.reader().list_runs(&filter).unwrap();
    runs.sort_by_key(|run| run.run);
    let triggers: Vec<&str> = runs.iter().map(|run| run.trigger.as_str()).collect();
    assert_eq!(triggers[..3], ["replay", "manual", "replay"], "{triggers:?}");
    let turns: Vec<_> = runs.iter().filter(|run| run.trigger == "replay").collect();
    assert_eq!(u64::try_from(turns.len()).unwrap(), row.asked.windows);
    assert!(turns.len() > 4);
    let mut closed: Vec<Interval> = Vec::new();
    for turn in turns {
        let life = house.state.reader().show_run(turn.run).unwrap().unwrap();
        closed.extend(life.windows.iter().filter_map(|window| window.closed));
    }
    closed.sort_by_key(|window| window.from);
    assert_eq!(u64::try_from(closed.len()).unwrap(), row.asked.windows);
    assert!(
        closed.windows(2).all(|pair| pair[0].to == pair[1].from),
        "{closed:?}"
    );
    created_once(&house);
}

/// A replay is no way around a pause.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_of_a_paused_scheme_waits() {
    let house = House::that_takes_all().await;
    house.pass("huke-customers").await;
    run_once(&house, "huke-to-k3").await;
    act(&house, "pause").await;
    let begun = || house.service.status_of("huke-to-k3").unwrap().halves[0].started;
    let before = begun();
    let id = begin(&house, &days(&house, 5, 0)).await;
    // A run that is begun is begun before the answer.
    assert_eq!(begun(), before);
    act(&house, "resume").await;
    let ended = house.until(&format!("/replays/{id}"), is_over).await;
    assert_eq!(ended["state"], "done", "{ended}");
    assert_eq!(turns_of(&house, "huke-to-k3"), 1);
}

async fn act(house: &House, action: &str) {
    let path = format!("/schemes/huke-to-k3/actions/{action}");
    house
        .ask("POST", &path, r#"{"reason":"month end"}"#)
        .await
        .is(202);
}

/// A stretch so many days ago, as it is asked for.
fn days(house: &House, from: i64, to: i64) -> String {
    let ago = |days: i64| at(house.simulated.now_ms() - days * 86_400_000);
    format!(
        r#"{{"scheme":"huke-to-k3","from":"{}","to":"{}","reason":"x"}}"#,
        ago(from),
        ago(to)
    )
}

async fn begin(house: &House, body: &str) -> i64 {
    let begun = house.ask("POST", "/replays", body).await.is(202).json();
    begun["replay"]["id"].as_i64().unwrap()
}

/// A person may end a replay while it stands in the ledger and not yet in the table of those that go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_was_ended_as_it_began_reads_nothing() {
    let house = House::open().await;
    house.pass("huke-customers").await;
    run_once(&house, "huke-to-k3").await;
    act(&house, "pause").await;
    let body = days(&house, 5, 0);
    let id = begin(&house, &body).await;
    let note = AuditNote {
        who: "li".to_owned(),
        action: "stop".to_owned(),
        scheme: Some("huke-to-k3".to_owned()),
        record: None,
        what: format!("replay {id}"),
        reason: "too soon".to_owned(),
    };
    let loaded = house.service.loaded();
    let stopped = loaded
        .engine
        .with_ledger(move |ledger| ledger.stop_replay(id, &note, 1));
    assert!(stopped.await.unwrap().unwrap());
    // Its turn is begun before the answer, and comes to nothing.
    act(&house, "resume").await;
    house
        .until("/schemes/huke-to-k3", |shown| {
            shown["scheme"]["running"].is_null()
        })
        .await;
    assert_eq!(turns_of(&house, "huke-to-k3"), 0);
    begin(&house, &body).await;
}

/// Whoever pauses a target and changes their mind ends no replay.
#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_paused_for_a_moment_ends_no_replay() {
    let house = House::open().await;
    // Decades of empty windows.
    let id = begin(&house, &days(&house, 15_000, 5_000)).await;
    let path = format!("/replays/{id}");
    house.until(&path, |replay| replay["state"] == "running").await;
    let turn = house.service.status_of("huke-to-k3").unwrap().running.unwrap();
    house.service.pause_target("k3", "li", "oh").await.unwrap();
    house.service.resume_target("k3", "li", "no").await.unwrap();
    let is_next = || {
        let running = house.service.status_of("huke-to-k3").unwrap().running;
        running.is_some_and(|run| !Arc::ptr_eq(&run, &turn))
    };
    house.until(&path, |replay| is_over(replay) || is_next()).await;
    let replay = house.ask("GET", &path, "").await.is(200).json();
    assert_eq!(replay["state"], "running", "{replay}");
    house
        .ask("POST", &format!("{path}/stop"), r#"{"reason":"x"}"#)
        .await
        .is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_ended_by_a_person() {
    let house = House::open().await;
    let now = house.simulated.now_ms();
    // Decades of empty windows.
    let body = format!(
        r#"{{"scheme":"huke-to-k3","from":"{}","to":"{}","reason":"x"}}"#,
        at(now - 15_000 * 86_400_000),
        at(now - 5_000 * 86_400_000)
    );
    let begun = house.ask("POST", "/replays", &body).await.is(202).json();
    let id = begun["replay"]["id"].as_i64().unwrap();
    house
        .until(&format!("/replays/{id}"), |replay| replay["state"] == "running")
        .await;
    house.ask("POST", "/replays", &body).await.refused(409, "E6010");
    // What a person asks for beside it is done between two turns, and the schedule waits no longer than a turn.
    let stopped = house
        .ask("POST", &format!("/replays/{id}/stop"), r#"{"reason":"too long"}"#)
        .await
        .is(200)
        .json();
    assert_eq!(stopped["state"], "stopped");
    house
        .until("/schemes/huke-to-k3", |shown| {
            shown["scheme"]["running"].is_null()
        })
        .await;
    let open = house.ask("GET", "/replays?open=true", "").await.is(200).json();
    assert_eq!(open["total"], 0);
    let notes = house.state.reader().audit(&AuditFilter::default()).unwrap();
    let stop = notes.iter().find(|note| note.note.action == "stop").unwrap();
    assert_eq!(stop.note.reason, "too long");
    // One that is ended before its turn came starts nothing in its place.
    house
        .ask("POST", "/schemes/huke-to-k3/actions/run", "")
        .await
        .is(202);
    let begun = house.ask("POST", "/replays", &body).await.is(202).json();
    let id = begun["replay"]["id"].as_i64().unwrap();
    house
        .ask(
            "POST",
            &format!("/replays/{id}/stop"),
            r#"{"reason":"a mistake"}"#,
        )
        .await
        .is(200);
    let is_idle = |runs: &serde_json::Value| {
        let runs = runs["items"].as_array().unwrap();
        runs.iter().all(|run| run["ended"].is_string()) && runs.iter().any(|run| run["trigger"] == "manual")
    };
    house.until("/runs?scheme=huke-to-k3", is_idle).await;
    house
        .until("/schemes/huke-to-k3", |shown| {
            shown["scheme"]["running"].is_null()
        })
        .await;
    let runs = house
        .ask("GET", "/runs?scheme=huke-to-k3", "")
        .await
        .is(200)
        .json();
    let ordinary = runs["items"].as_array().unwrap().iter();
    assert_eq!(
        ordinary.filter(|run| run["trigger"] == "manual").count(),
        1,
        "{runs}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_are_shown_without_addresses_and_tried() {
    let house = House::open().await;
    let none = house
        .ask("GET", "/notifications/channels", "")
        .await
        .is(200)
        .json();
    assert_eq!(none["total"], 0);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = vec![0; 65_536];
        let count = stream.read(&mut bytes).await.unwrap();
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    });
    let text = format!(
        "channels:\n  hook: {{kind: webhook, url: \"http://{address}/canary-2f6d\"}}\n  lost: {{kind: wecom, url: \"${{env:LOST}}\"}}\n"
    );
    let path = house.folder.parent().unwrap().join("notify.yaml");
    std::fs::write(&path, text).unwrap();
    let shown = house.ask("GET", "/notifications/channels", "").await.is(200);
    assert!(!shown.text.contains("canary"), "{}", shown.text);
    let list = shown.json();
    assert_eq!(
        (&list["items"][0]["name"], &list["items"][0]["kind"]),
        (&"hook".into(), &"webhook".into())
    );
    assert!(list["items"][0]["trouble"].is_null());
    assert!(list["items"][1]["trouble"]["code"].is_string(), "{list}");
    let tried = house
        .ask("POST", "/notifications/channels/hook/test", "")
        .await
        .is(200);
    assert_eq!(tried.json()["taken"], true, "{}", tried.text);
    assert!(!tried.text.contains("canary"), "{}", tried.text);
    assert!(heard.await.unwrap().starts_with("POST /canary-2f6d "));
    house
        .ask("POST", "/notifications/channels/none/test", "")
        .await
        .refused(404, "E6003");
}

/// Whoever is limited to schemes reaches no other one, whichever way they ask.
#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_for_every_operation_on_a_scheme() {
    let house = House::open().await;
    let token = house.limited("operate,edit", &["huke-to-k3"]).await;
    let mut seen = 0;
    for operation in server::api::operations() {
        if !operation.path.contains("{scheme}") {
            continue;
        }
        for (scheme, own) in [("huke-customers", false), ("huke-to-k3", true)] {
            let path = operation.path.replace("{scheme}", scheme).replace("{rev}", "1");
            // One that each of them can read.
            let body = match operation.path.rsplit('/').next() {
                Some("check" | "run" | "dry-run") => "",
                Some("rollback") => r#"{"message":"x"}"#,
                _ => r#"{"reason":"x"}"#,
            };
            let status = house
                .as_token(&token, operation.method.as_str(), &path, body)
                .await;
            // One that nobody publishes is not there for anybody.
            if own && !path.starts_with("/data") {
                assert!(status != 404, "{} {path}: {status}", operation.method);
            } else if !own {
                assert!(
                    [403, 404].contains(&status),
                    "{} {path}: {status}",
                    operation.method
                );
            }
        }
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
    // Nor do they remove their own: what others look up there would be gone.
    assert_eq!(
        house.as_token(&token, "DELETE", "/schemes/huke-to-k3", "").await,
        403
    );
    assert!(house.folder.join("huke-to-k3.yaml").exists());
}

/// Whoever only looks writes nothing down.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_only_looks_keeps_no_revisions() {
    let house = House::open().await;
    let count = |house: &House| house.state.reader().revisions("huke-to-k3", 0).unwrap().len();
    let before = count(&house);
    let file = house.folder.join("huke-to-k3.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}# changed\n")).unwrap();
    let house = house.restarted(true).await;
    house.ask("GET", "/schemes", "").await.is(200);
    house.service.reload().await.unwrap();
    assert_eq!(count(&house), before);
    let tokens = house.ask("GET", "/tokens", "").await.is(200).json();
    assert!(
        tokens["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|token| token["last_used"].is_null()),
        "{tokens}"
    );
    let house = house.restarted(false).await;
    assert_eq!(count(&house), before + 1);
}
