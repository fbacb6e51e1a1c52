//! Batches that Kingdee takes on as a task: asked for until they are over, and never written twice when the asking fails.

use serde_json::{Value, json};
use tests::e2e::{MAIN, Recorder, World, judge, repository};

fn world() -> World {
    let world = World::small();
    world.edit(MAIN, "  api: batchSave\n", "  api: BatchSaveQuery\n");
    world.impatient();
    world
}

/// Tasks are asked about more often, and not longer than this.
fn hurried(world: &World, timeout: &str) {
    let own = repository().join("connectors/kingdee-k3cloud/connector.yaml");
    let own = std::fs::read_to_string(own).expect("it is there");
    assert!(own.contains("every: 1s,") && own.contains("timeout: 10m}"));
    let own = own
        .replace("every: 1s,", "every: 100ms,")
        .replace("timeout: 10m}", &format!("timeout: {timeout}}}"));
    world.write("connectors/kingdee-k3cloud/connector.yaml", &own);
}

/// The tasks that were asked about, in order.
fn asked(recorder: &Recorder) -> Vec<String> {
    let calls = recorder.calls("QueryAsyncResult.common.kdsvc");
    let ids = calls.iter().map(|(request, _)| {
        let body = request.json();
        let info = body["queryInfo"].as_str().expect("JSON text");
        let info: Value = serde_json::from_str(info).expect("JSON");
        info["TaskId"].as_str().expect("an id").to_owned()
    });
    ids.collect()
}

/// The process dies once a batch is a task: the next one asks on under the same id, and neither sends it again nor asks
/// by key. One that dies before the id is durable leaves the records in doubt, and they are found by key.
#[test]
fn a_task_outlives_the_process() {
    for (dies, durable) in [
        (Some("note_task:before:1:abort"), false),
        (Some("note_task:after:1:abort"), true),
        (Some("call_task:before:1:abort"), true),
        (Some("call_task:after:1:abort"), true),
        // Killed from outside, between two questions.
        (None, true),
    ] {
        let world = world();
        // One that nobody knows of is asked about by key, once its time is over.
        hurried(&world, if durable { "1m" } else { "400ms" });
        let recorder = world.record();
        match dies {
            Some(point) => {
                let ran = world
                    .command(&["run", MAIN])
                    .env("ENGINE_FAILPOINT", point)
                    .finish();
                assert_ne!(ran.code, Some(0), "{point}");
            }
            None => {
                let process = world.command(&["run", MAIN]).start();
                while world.calls("kingdee/QueryAsyncResult") == 0 {
                    std::thread::yield_now();
                }
                assert!(process.kill(), "it was still at work");
            }
        }
        let (before, saves) = (asked(&recorder), world.calls("kingdee/BatchSave"));
        let questions = world.calls("kingdee/ExecuteBillQuery");
        assert_eq!(saves, 1, "{dies:?}");
        let left = world.engine(&["rows", "list", "--state", "sending", "--json"]);
        let left = left.expect(0).json();
        let key = left["rows"][0]["label"].as_str().expect("a label").to_owned();
        world.run(&["--settle-wait", "60s"], 0);
        let after = asked(&recorder).split_off(before.len());
        let shown = world.engine(&["rows", "show", &key, "--json"]);
        let shown = shown.expect(0).json();
        let attempts = shown["rows"][0]["attempts"].as_array().expect("a list");
        let task = attempts[0]["task"].as_str();
        assert_eq!(attempts.len(), 1, "{dies:?}: sent once");
        assert_eq!(task.is_some(), durable, "{dies:?}");
        if let Some(task) = task {
            assert!(before.iter().all(|id| id == task), "{dies:?}");
            assert_eq!(after.first().map(String::as_str), Some(task), "{dies:?}");
            assert_eq!(
                world.calls("kingdee/ExecuteBillQuery"),
                questions,
                "{dies:?}: not by key"
            );
            world
                .engine(&["rows", "show", &key, "--lang", "en"])
                .says(&format!("task {task}"));
        } else {
            assert!(world.calls("kingdee/ExecuteBillQuery") > questions, "{dies:?}");
        }
        assert_eq!(judge(&world.journal()), Vec::<String>::new(), "{dies:?}");
        world.verify();
    }
}

#[test]
fn a_task_is_asked_for_until_it_is_over() {
    let world = world();
    // A question that is lost is asked once more; the answer to a batch itself is lost, and it is asked by key.
    world.fault("QueryAsyncResult", 2, sandbox::FaultKind::HtmlLogin);
    world.fault("BatchSave", 2, sandbox::FaultKind::DropAfter);
    world.run(&[], 0);
    assert!(world.calls("kingdee/QueryAsyncResult") >= 4);
    let problems = judge(&world.journal());
    assert!(problems.is_empty(), "{problems:?}");
    world.verify();
}

/// Nobody tells how far the tasks are: they are given up, and found by key, each once.
#[test]
fn a_task_that_nobody_tells_of_is_in_doubt() {
    let world = world();
    hurried(&world, "400ms");
    world.control(
        "fault",
        &json!({"endpoint": "QueryAsyncResult", "nth": 1, "times": 100000, "kind": "html_login"}),
    );
    world.run(&["--settle-wait", "60s"], 0);
    assert!(world.calls("kingdee/ExecuteBillQuery") > 0);
    let problems = judge(&world.journal());
    assert!(problems.is_empty(), "{problems:?}");
    world.verify();
}
