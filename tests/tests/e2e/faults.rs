//! Calls that go wrong at the target: whatever happens to one of them, nothing is lost and nothing is doubled.

use std::collections::BTreeSet;
use std::time::Duration;

use sandbox::FaultKind;
use serde_json::{Value, json};
use tests::e2e::{CUSTOMERS, FEEDER, MAIN, Strictness, World, judge, judge_with, numbers};

/// Records a call, so that thirty customers are three calls.
const BATCH: u32 = 10;

fn world() -> World {
    let world = World::small();
    world.batch(BATCH);
    world.impatient();
    world.feed();
    world
}

/// Runs until nothing is open, at most twice, and compares journal and ledger.
#[track_caller]
fn settled(world: &World, what: &str) {
    let words = ["run", MAIN, "--json", "--settle-wait", "20s"];
    let mut codes = Vec::new();
    for _ in 0..2 {
        let ran = world.engine(&words);
        codes.push(ran.code);
        let run = ran.json()["runs"][0].clone();
        tests::e2e::adds_up(&run);
        if ran.code == Some(0) && run["states"]["done"] == CUSTOMERS {
            let journal = world.journal();
            assert_eq!(judge(&journal), Vec::<String>::new(), "{what}");
            assert_eq!(numbers(&journal).len(), CUSTOMERS, "{what}: lost");
            assert_eq!(
                journal.len(),
                CUSTOMERS,
                "{what}: one executed write per customer"
            );
            world.verify();
            return;
        }
    }
    panic!(
        "{what}: not settled after two runs ({codes:?})\n{}",
        world.engine(&["rows", "list"])
    );
}

/// One fault at every call of a save.
fn at_every_call(kind: FaultKind) {
    for nth in 1..=3 {
        let world = world();
        world.fault("BatchSave", nth, kind);
        settled(&world, &format!("{kind:?} at save {nth}"));
    }
}

/// One test per kind, so that they run side by side.
macro_rules! faults {
    ($($name:ident $kind:ident)*) => {
        mod at_every_save {
            $(#[test]
            fn $name() {
                super::at_every_call(sandbox::FaultKind::$kind);
            })*
        }
    };
}

faults! {
    lost_before_the_commit DropBefore
    lost_after_the_commit DropAfter
    error_500_before_the_commit Http500Before
    error_500_after_the_commit Http500After
    delayed Delay
    committed_and_never_answered Hang
    committed_after_the_loss LateCommit
    half_a_body HalfBody
    a_wrong_length WrongLength
    an_empty_body EmptyBody
    a_login_page HtmlLogin
    too_many_requests TooMany
    the_gateways_answer Http519
    an_exception_as_text ResponseError
    try_again MsgCode13
    the_session_is_gone SessionLost
}

#[test]
fn the_call_limit_is_waited_for() {
    // The vendor wants thirty seconds; once is enough.
    let world = world();
    world.fault("BatchSave", 2, FaultKind::MsgCode14);
    let words = ["run", MAIN, "--json", "--settle-wait", "60s"];
    let run = world.engine(&words).expect(0).json()["runs"][0].clone();
    assert_eq!(run["states"]["done"], CUSTOMERS);
    assert_eq!(judge(&world.journal()), Vec::<String>::new());
    assert_eq!(
        world.calls("kingdee/BatchSave"),
        4,
        "no attempt but the one that was refused"
    );
    world.verify();
}

#[test]
fn a_session_may_end_at_any_call() {
    let whole = world();
    settled(&whole, "nothing goes wrong");
    let calls = whole.calls("kingdee");
    assert!(
        calls >= 5,
        "a login, a question and a save for each batch: {calls}"
    );
    for nth in 1..=calls {
        let world = world();
        world.fault("kingdee", nth, FaultKind::SessionLost);
        settled(&world, &format!("session lost at call {nth}"));
        assert!(
            world.calls("kingdee/LoginBySign") <= 2,
            "renewed once at call {nth}: {}",
            world.state()
        );
    }
}

#[test]
fn a_session_of_few_calls() {
    // With one call a session, no save could ever follow the question before it.
    for most in 2..=4 {
        let world = World::of(|config| config.session_max_calls = Some(most));
        world.batch(BATCH);
        world.feed();
        settled(&world, &format!("sessions of {most} calls"));
    }
}

#[test]
fn every_call_of_the_source_may_fail_once() {
    let kinds = [
        FaultKind::DropBefore,
        FaultKind::Http500Before,
        FaultKind::HalfBody,
        FaultKind::EmptyBody,
        FaultKind::HtmlLogin,
        FaultKind::TooMany,
        FaultKind::RepeatedPage,
    ];
    for (index, kind) in kinds.into_iter().enumerate() {
        let world = world();
        let nth = u64::try_from(index % 3).expect("small") + 1;
        world.fault("searchTrades", nth, kind);
        settled(&world, &format!("{kind:?} at page {nth}"));
    }
}

#[test]
fn a_storm_of_faults_ends_well() {
    let world = world();
    for (kind, seed) in [
        ("drop_after", 1),
        ("http_500_after", 2),
        ("http_500_before", 3),
        ("half_body", 4),
    ] {
        let plan = json!({"endpoint": "BatchSave", "kind": kind, "per_mille": 150, "seed": seed});
        world.control("fault", &plan);
    }
    world.engine(&["run", MAIN, "--settle-wait", "20s"]);
    world.sandbox().change(3, 3).expect("there are customers");
    world.engine(&["run", MAIN, "--settle-wait", "20s"]);
    world.control("fault", &json!({"clear": true}));
    let mut last = Value::Null;
    for _ in 0..2 {
        last = world
            .engine(&["run", MAIN, "--json", "--settle-wait", "20s"])
            .json()["runs"][0]
            .clone();
    }
    assert_eq!(last["states"]["done"], CUSTOMERS + 3, "{last:#}");
    let journal = world.journal();
    assert_eq!(judge_with(&journal, Strictness::Effects), Vec::<String>::new());
    assert_eq!(numbers(&journal).len(), CUSTOMERS + 3);
    let distinct: BTreeSet<_> = journal
        .iter()
        .map(|entry| (&entry.number, &entry.content))
        .collect();
    assert_eq!(
        distinct.len(),
        CUSTOMERS + 3 + 3,
        "every version of every customer"
    );
    world.verify();
}

/// A few kills; `cargo xtask crash` does it fifty times and more.
#[test]
fn killed_at_any_instant() {
    let world = world();
    // Bytes of a body decide nothing here; calls that take a while make room for the kills.
    world.control(
        "fault",
        &json!({"endpoint": "*", "kind": "delay", "delay_ms": 40}),
    );
    let mut kills = 0;
    for cycle in 0..6u64 {
        let mut process = world.command(&["run", MAIN]).start();
        if !process.wait(Duration::from_millis(60 + cycle * 90)) {
            kills += u32::from(process.kill());
        }
        world.sandbox().change(2, 1).expect("there are customers");
    }
    assert!(kills >= 2, "only {kills} of the kills hit a run");
    world.control("fault", &json!({"clear": true}));
    let mut last = Value::Null;
    for _ in 0..2 {
        last = world
            .engine(&["run", MAIN, "--json", "--settle-wait", "20s"])
            .json()["runs"][0]
            .clone();
    }
    assert_eq!(last["states"]["done"], CUSTOMERS + 6, "{last:#}");
    assert_eq!(
        judge_with(&world.journal(), Strictness::Effects),
        Vec::<String>::new()
    );
    world.verify();
}

#[test]
fn killed_while_it_stores_customers() {
    let world = World::small();
    let mut process = world.command(&["run", FEEDER]).start();
    process.wait(Duration::from_millis(50));
    process.kill();
    world.feed();
    world.run(&[], 0);
    assert!(
        world
            .journal()
            .iter()
            .all(|entry| entry.content.contains("FDescription"))
    );
    world.verify();
}
