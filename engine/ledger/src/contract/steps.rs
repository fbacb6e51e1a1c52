//! Documents that take several calls, sends in doubt, targets that cannot be reached, waits that were tried.

use flow::ids::{Blob, Ms};
use flow::op::{
    ClaimRow, LedgerOp, LedgerReply, RecordState, Refusal, Resolution, Settlement, WAIT_GAP, WriteAction,
};

use super::{Desk, done, why};
use crate::{Blobs, Ledger};

fn stepped(next: &str) -> Settlement {
    Settlement::Stepped {
        id: Some("100".into()),
        number: Some("A".into()),
        lines: None,
        next: next.into(),
    }
}

/// Claims the record `a` at a step; gives whether it was claimed.
fn claim_at(desk: &mut Desk, version: &str, step: Option<&str>) -> Option<flow::ids::AttemptId> {
    let mut blobs = Blobs::new();
    blobs.insert(Blob(0), b"{}".to_vec());
    let claim = LedgerOp::Claim {
        run: desk.run,
        target: "k3 submit".into(),
        rows: vec![ClaimRow {
            record: desk.record("a").record,
            version: version.into(),
            action: WriteAction::Step,
            step: step.map(str::to_owned),
            form: "BD_Customer".into(),
            tkey: "[\"of the step\"]".into(),
            payload: Blob(0),
            wrote: Vec::new(),
        }],
        resolve_after: desk.now + 500,
        now: desk.now,
    };
    match desk.try_one(claim, &blobs).expect("a claim") {
        LedgerReply::Claimed { attempt, .. } => attempt,
        other => panic!("{other:?}"),
    }
}

/// A document that is written is not written again: what is next is the step, whatever else happens.
pub(super) fn steps(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    desk.see("a", "v1");
    let attempt = desk.claim(&[("a", "v1", "a")]).0.expect("claimed");
    assert!(desk.settle(attempt, "a", stepped("submit")));
    let record = desk.record("a");
    assert_eq!(
        (record.state, record.step.as_deref(), record.target_id.as_deref()),
        (RecordState::Pending, Some("submit"), Some("100"))
    );
    assert_eq!(record.done_version, None, "not done before the last step");
    let picked = desk.pick().remove(0);
    assert_eq!(
        (picked.step.as_deref(), picked.has_target),
        (Some("submit"), true)
    );
    // The document itself is not claimed again, nor another step.
    assert_eq!(claim_at(&mut desk, "v1", None), None);
    assert_eq!(claim_at(&mut desk, "v1", Some("audit")), None);
    // A newer version waits until the steps of this one have ended.
    desk.see("a", "v2");
    assert_eq!(desk.record("a").waiting_version.as_deref(), Some("v2"));
    // A crash in the middle of a step: the record is in doubt at that step, under the step's own key.
    claim_at(&mut desk, "v1", Some("submit")).expect("claimed");
    desk.begin();
    desk.now += 500;
    let unknown = desk.unknown().0.remove(0);
    assert_eq!(
        (unknown.step.as_deref(), unknown.action, unknown.tkey.as_str()),
        (Some("submit"), WriteAction::Step, "[\"of the step\"]")
    );
    let frozen = desk.record("a").tkey;
    assert_eq!(frozen.as_deref(), Some("[\"a\"]"), "the record's own key stays");
    desk.resolve("a", Resolution::Resend);
    assert_eq!(desk.pick()[0].step.as_deref(), Some("submit"));
    let attempt = claim_at(&mut desk, "v1", Some("submit")).expect("claimed");
    desk.settle(
        attempt,
        "a",
        Settlement::Unknown {
            resolve_after: desk.now,
            reason: why("lost"),
        },
    );
    let next = Resolution::Stepped {
        id: None,
        number: None,
        next: "audit".into(),
    };
    assert!(desk.resolve("a", next));
    assert_eq!(desk.pick()[0].step.as_deref(), Some("audit"));
    // With the last step the version is done, and the newer one begins with its document.
    let attempt = claim_at(&mut desk, "v1", Some("audit")).expect("claimed");
    desk.settle(
        attempt,
        "a",
        Settlement::Done {
            id: Some("another document".into()),
            number: None,
            lines: None,
        },
    );
    let record = desk.record("a");
    assert_eq!(
        (
            record.state,
            record.version.as_str(),
            record.step,
            record.done_version.as_deref()
        ),
        (RecordState::Pending, "v2", None, Some("v1"))
    );
    assert_eq!(
        record.target_id.as_deref(),
        Some("100"),
        "what a step wrote is not the document"
    );
    let life = desk
        .ledger
        .reader()
        .show_record(None, "a")
        .expect("a life")
        .remove(0);
    let steps: Vec<Option<&str>> = life.steps.iter().map(|step| step.step.as_deref()).collect();
    assert_eq!(steps.len(), 3);
    for step in [None, Some("submit"), Some("audit")] {
        assert!(steps.contains(&step), "{steps:?}");
    }
    let of_attempts: Vec<Option<&str>> = life.attempts.iter().map(|at| at.step.as_deref()).collect();
    assert_eq!(of_attempts, [None, Some("submit"), Some("submit"), Some("audit")]);
    desk.end();
    // A step that was refused keeps its place; a newer version starts afresh.
    let mut desk = Desk::new(open());
    desk.see("a", "v1");
    let attempt = desk.claim(&[("a", "v1", "a")]).0.expect("claimed");
    desk.settle(attempt, "a", stepped("submit"));
    let attempt = claim_at(&mut desk, "v1", Some("submit")).expect("claimed");
    desk.settle(attempt, "a", Settlement::Dead(why("no")));
    assert_eq!(desk.record("a").step.as_deref(), Some("submit"));
    desk.see("a", "v2");
    let picked = desk.pick().remove(0);
    assert_eq!((picked.step, picked.has_target), (None, true));
    // Once a later version is written, an earlier one is not the settled one any more, even before its last step.
    let attempt = desk.claim(&[("a", "v2", "a")]).0.expect("claimed");
    desk.settle(attempt, "a", done("a"));
    desk.see("a", "v3");
    let attempt = desk.claim(&[("a", "v3", "a")]).0.expect("claimed");
    desk.settle(attempt, "a", stepped("submit"));
    let attempt = claim_at(&mut desk, "v3", Some("submit")).expect("claimed");
    desk.settle(attempt, "a", Settlement::Dead(why("no")));
    desk.see("a", "v4");
    desk.see("a", "v2");
    assert_eq!(
        desk.record("a").state,
        RecordState::Pending,
        "v2 is written again"
    );
    desk.end();
}

/// Since when a version may have been executed: from its first send, until that is known.
pub(super) fn doubts(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    desk.see("a", "v1");
    let doubted = |desk: &mut Desk| desk.pick()[0].doubted;
    assert_eq!(doubted(&mut desk), None);
    let again = |desk: &Desk| Settlement::Retry {
        not_before: desk.now,
        spend: false,
        reason: why("busy"),
    };
    let attempt = desk.claim(&[("a", "v1", "a")]).0.expect("claimed");
    let settlement = again(&desk);
    desk.settle(attempt, "a", settlement);
    assert_eq!(doubted(&mut desk), None, "proven not executed");
    let first = desk.now;
    for _ in 0..3 {
        let attempt = desk.claim(&[("a", "v1", "a")]).0.expect("claimed");
        desk.settle(
            attempt,
            "a",
            Settlement::Unknown {
                resolve_after: desk.now,
                reason: why("lost"),
            },
        );
        assert_eq!(desk.unknown().0[0].doubted, first);
        desk.now += 10_000;
        desk.resolve("a", Resolution::Resend);
        assert_eq!(
            doubted(&mut desk),
            Some(first),
            "the first send counts, not the last"
        );
    }
    let attempt = desk.claim(&[("a", "v1", "a")]).0.expect("claimed");
    let settlement = again(&desk);
    desk.settle(attempt, "a", settlement);
    assert_eq!(
        doubted(&mut desk),
        Some(first),
        "that one was not executed, an earlier one may be"
    );
    let attempt = desk.claim(&[("a", "v1", "a")]).0.expect("claimed");
    desk.settle(attempt, "a", done("a"));
    desk.see("a", "v2");
    assert_eq!(doubted(&mut desk), None);
    desk.end();
}

pub(super) fn circuits(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    let read = |desk: &mut Desk, target: &str| {
        let reply = desk.one(LedgerOp::ReadCircuit {
            target: target.into(),
        });
        match reply {
            LedgerReply::Circuit { failures, until } => (failures, until),
            other => panic!("{other:?}"),
        }
    };
    let set = |desk: &mut Desk, failures, until| {
        let target = "k3".into();
        assert_eq!(
            desk.one(LedgerOp::SetCircuit {
                target,
                failures,
                until
            }),
            LedgerReply::Ok
        );
    };
    assert_eq!(read(&mut desk, "k3"), (0, 0));
    for (failures, until) in [(5, 60_000), (6, 120_000), (0, 0), (0, 3_600_000)] {
        set(&mut desk, failures, until);
        assert_eq!(read(&mut desk, "k3"), (failures, until));
        assert_eq!(read(&mut desk, "crm"), (0, 0), "one target is not another");
    }
    desk.begin();
    assert_eq!(read(&mut desk, "k3"), (0, 3_600_000), "runs do not forget it");
    desk.end();
}

/// A wait counts while it is tried: an outage of days adds no more than one pause between two tries.
pub(super) fn waits_that_were_tried(open: &dyn Fn() -> Ledger) {
    const MINUTE: Ms = 60_000;
    let mut desk = Desk::new(open());
    desk.see("a", "v1");
    let later = |desk: &mut Desk| {
        let refusal = Refusal::Later {
            not_before: desk.now,
            reason: why("look-up"),
        };
        assert!(desk.refuse("a", "v1", refusal));
    };
    let waited = |desk: &Desk| {
        let rows = desk.ledger.reader().sources(&[desk.record("a").record]);
        let row = rows.expect("a question").remove(0);
        (row.waited, row.tried)
    };
    assert_eq!(waited(&desk), (0, None));
    later(&mut desk);
    assert_eq!(waited(&desk), (0, Some(desk.now)));
    desk.now += 5 * MINUTE;
    later(&mut desk);
    assert_eq!(waited(&desk), (5 * MINUTE, Some(desk.now)));
    // The machine was off for four days.
    desk.now += 4 * 24 * 60 * MINUTE;
    desk.begin();
    later(&mut desk);
    assert_eq!(waited(&desk), (5 * MINUTE + WAIT_GAP, Some(desk.now)));
    // A newer version waits afresh.
    desk.see("a", "v2");
    assert_eq!(waited(&desk), (0, None));
    desk.end();
}
