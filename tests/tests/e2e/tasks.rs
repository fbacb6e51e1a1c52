//! Batches that Kingdee takes on as a task: asked for until they are over, and never written twice when the asking fails.

use serde_json::json;
use tests::e2e::{MAIN, World, judge, repository};

fn world() -> World {
    let world = World::small();
    world.edit(MAIN, "  api: batchSave\n", "  api: BatchSaveQuery\n");
    world.impatient();
    world
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
    let own = repository().join("connectors/kingdee-k3cloud/connector.yaml");
    let own = std::fs::read_to_string(own).expect("it is there");
    assert!(own.contains("every: 1s,") && own.contains("timeout: 10m}"));
    let own = own
        .replace("every: 1s,", "every: 100ms,")
        .replace("timeout: 10m}", "timeout: 400ms}");
    world.write("connectors/kingdee-k3cloud/connector.yaml", &own);
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
