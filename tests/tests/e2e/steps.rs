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
