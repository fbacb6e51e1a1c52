//! Documents that take several calls: saved, submitted, audited. What failed is gone on with; nothing is saved again.

use sandbox::{FaultKind, JournalEntry};
use tests::e2e::{CUSTOMERS, MAIN, World};

fn world() -> World {
    let world = World::small();
    world.edit(
        MAIN,
        "  api: batchSave\n  options: {FormId: BD_Customer, IsAutoSubmitAndAudit: true}",
        "  steps: [batchSave, submit, audit]\n  options: {FormId: BD_Customer}",
    );
    world.impatient();
    world.feed();
    world
}

fn made(journal: &[JournalEntry], action: &str) -> usize {
    journal.iter().filter(|entry| entry.action == action).count()
}

/// Runs until nothing is open; then every customer was made once, submitted once and audited once.
#[track_caller]
fn settles(world: &World, what: &str) {
    let words = ["run", MAIN, "--json", "--settle-wait", "20s"];
    let mut last = None;
    for _ in 0..4 {
        let ran = world.engine(&words);
        let run = ran.json()["runs"][0].clone();
        tests::e2e::adds_up(&run);
        let done = ran.code == Some(0) && run["states"]["done"] == CUSTOMERS;
        last = Some(run);
        if done {
            let journal = world.journal();
            for action in ["create", "submit", "audit"] {
                assert_eq!(made(&journal, action), CUSTOMERS, "{what}: {action}");
            }
            assert_eq!(made(&journal, "update"), 0, "{what}: saved again");
            world.verify();
            return;
        }
    }
    panic!(
        "{what}: {:#}\n{}",
        last.unwrap_or_default(),
        world.engine(&["rows", "list"])
    );
}

#[test]
fn a_document_is_saved_submitted_and_audited() {
    let world = world();
    settles(&world, "nothing goes wrong");
    let number = world.journal()[0].number.clone();
    world
        .engine(&["rows", "show", &number])
        .expect(0)
        .says("submit")
        .says("audit");
    let shown = world
        .engine(&["rows", "show", &number, "--json"])
        .expect(0)
        .json();
    world.valid("rows-show", &shown);
    // Nothing is left to do, and nothing is done again.
    let calls = world.calls("kingdee/Submit");
    world.engine(&["run", MAIN]).expect(0);
    assert_eq!(world.calls("kingdee/Submit"), calls);
}

#[test]
fn a_step_that_fails_is_gone_on_with() {
    for endpoint in ["Submit", "Audit"] {
        for kind in [
            FaultKind::DropBefore,
            FaultKind::DropAfter,
            FaultKind::Http500Before,
            FaultKind::Http500After,
            FaultKind::HalfBody,
            FaultKind::LateCommit,
            FaultKind::SessionLost,
        ] {
            let world = world();
            world.fault(endpoint, 1, kind);
            settles(&world, &format!("{kind:?} at {endpoint}"));
        }
    }
}

/// The save is lost after it was executed, before anything else.
#[test]
fn a_lost_save_goes_on_with_its_steps() {
    for kind in [FaultKind::DropAfter, FaultKind::HalfBody] {
        let world = world();
        world.fault("BatchSave", 1, kind);
        settles(&world, &format!("{kind:?} at the save"));
    }
}

/// A document is given to two organisations once, whatever becomes of the answer: one copy for each of them.
#[test]
fn what_is_allocated_has_one_copy_for_each_organisation() {
    const ORGS: &str = "schemes/huke-to-k3-orgs.yaml";
    let faults = [
        None,
        Some(FaultKind::DropBefore),
        Some(FaultKind::DropAfter),
        Some(FaultKind::HalfBody),
        Some(FaultKind::Http500After),
        Some(FaultKind::LateCommit),
    ];
    for fault in faults {
        let world = World::small();
        world.write(
            ORGS,
            &std::fs::read_to_string(tests::e2e::repository().join(ORGS)).expect("the repository has it"),
        );
        world.impatient();
        if let Some(kind) = fault {
            world.fault("Allocate", 1, kind);
        }
        world.until_done(ORGS, CUSTOMERS);
        let journal = world.journal();
        let by = |endpoint: &str| {
            let entries = journal.iter().filter(|entry| entry.endpoint == endpoint);
            let mut named: Vec<(String, String)> = entries
                .map(|entry| (entry.number.clone(), entry.org.clone()))
                .collect();
            let all = named.len();
            named.sort();
            named.dedup();
            (all, named.len())
        };
        assert_eq!(by("BatchSave"), (CUSTOMERS, CUSTOMERS), "{fault:?}");
        assert_eq!(by("Allocate"), (2 * CUSTOMERS, 2 * CUSTOMERS), "{fault:?}");
        world.verify();
        // Nothing is left to do.
        let calls = world.calls("kingdee/Allocate");
        world.engine(&["run", ORGS]).expect(0);
        assert_eq!(world.calls("kingdee/Allocate"), calls, "{fault:?}");
    }
}

/// A document that is changed is saved again; that its organisations have it already is no failure.
#[test]
fn a_changed_document_is_not_allocated_twice() {
    const ORGS: &str = "schemes/huke-to-k3-orgs.yaml";
    let world = World::small();
    world.write(
        ORGS,
        &std::fs::read_to_string(tests::e2e::repository().join(ORGS)).expect("the repository has it"),
    );
    world.impatient();
    world.until_done(ORGS, CUSTOMERS);
    let calls = world.calls("kingdee/Allocate");
    // Everything is read again and written again.
    world.edit(
        ORGS,
        "  label: buyerNick",
        "  label: buyerNick\n  on_seen: update",
    );
    let at = |ms: i64| {
        jiff::Timestamp::from_millisecond(ms)
            .expect("our own clock")
            .to_string()
    };
    let now = world.sandbox().now_ms();
    let range = [at(now - 86_400_000), at(now)];
    world
        .engine(&["replay", ORGS, "--from", &range[0], "--to", &range[1], "--yes"])
        .expect(0);
    world.until_done(ORGS, CUSTOMERS);
    let updated = world
        .journal()
        .iter()
        .filter(|entry| entry.action == "update")
        .count();
    assert_eq!(updated, CUSTOMERS);
    assert!(world.calls("kingdee/Allocate") > calls, "it was tried again");
    let copies = world
        .journal()
        .iter()
        .filter(|entry| entry.endpoint == "Allocate")
        .count();
    assert_eq!(copies, 2 * CUSTOMERS);
    world.verify();
}
