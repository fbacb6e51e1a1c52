//! Calls that became tasks, and how far sources were read by version.

use flow::decision::Decision;
use flow::ids::{AttemptId, Ms};
use flow::op::{LedgerOp, LedgerReply, RecordState, Settlement, TaskLeft, WriteAction};
use flow::version::{VersionMark, VersionMarks};

use super::{Desk, SCHEME, done, why};
use crate::{Blobs, Ledger};

fn note(desk: &mut Desk, attempt: AttemptId, until: Ms) -> bool {
    let op = LedgerOp::NoteTask {
        attempt,
        task: "T1".to_owned(),
        group: u64::MAX,
        until,
    };
    desk.try_one(op, &Blobs::new()).is_ok()
}

fn left(desk: &mut Desk, now: Ms) -> Vec<TaskLeft> {
    let scheme = SCHEME.to_owned();
    match desk.one(LedgerOp::PickTasks { scheme, now }) {
        LedgerReply::Tasks(left) => left,
        other => panic!("{other:?}"),
    }
}

/// Two records in a call that became a task, and a process that died.
fn lost(open: &dyn Fn() -> Ledger) -> (Desk, AttemptId, Ms) {
    let mut desk = Desk::new(open());
    desk.see("a", "v1");
    desk.see("b", "v1");
    let attempt = desk
        .claim(&[("a", "v1", "a"), ("b", "v1", "b")])
        .0
        .expect("claimed");
    let until = desk.now + 60_000;
    assert!(note(&mut desk, attempt, until));
    assert!(!note(&mut desk, attempt, until), "a call is one task");
    assert_eq!(left(&mut desk, until - 1), [], "it is asked about already");
    desk.begin();
    (desk, attempt, until)
}

pub(super) fn tasks(open: &dyn Fn() -> Ledger) {
    let (mut desk, attempt, until) = lost(open);
    assert_eq!(desk.state("a"), RecordState::Unknown);
    let found = left(&mut desk, until - 1);
    let task = &found[0];
    assert_eq!(
        (
            found.len(),
            task.attempt,
            task.task.as_str(),
            task.group,
            task.until
        ),
        (1, attempt, "T1", u64::MAX, until)
    );
    let rows: Vec<_> = task
        .rows
        .iter()
        .map(|row| (row.record, row.tkey.as_str(), row.action))
        .collect();
    let (a, b) = (desk.record("a").record, desk.record("b").record);
    assert_eq!(
        rows,
        [
            (a, "[\"a\"]", WriteAction::Create),
            (b, "[\"b\"]", WriteAction::Create)
        ],
        "in the order of the call"
    );
    assert_eq!(left(&mut desk, until), [], "its time is over");
    // Its end is settled as if nothing had happened, and once.
    assert!(desk.settle(attempt, "a", done("a")));
    assert_eq!(desk.state("a"), RecordState::Done);
    assert_eq!(desk.record("a").target_id.as_deref(), Some("id-a"));
    assert!(
        !desk.settle(attempt, "b", Settlement::Dead(why("late"))),
        "heard already"
    );
    assert_eq!(left(&mut desk, until - 1), []);
    let life = desk
        .ledger
        .reader()
        .show_record(None, "b")
        .expect("a life")
        .remove(0);
    assert_eq!(life.attempts[0].task.as_deref(), Some("T1"));
    assert!(!note(&mut desk, attempt, until), "an attempt that has ended");
    desk.end();

    // What somebody has decided about is not answered for by place.
    let (mut desk, _, until) = lost(open);
    desk.decide("a", Decision::Hold);
    assert_eq!(left(&mut desk, until - 1), []);
    desk.end();

    // Without a task, an answer that comes after the process has died is nobody's.
    let mut desk = Desk::new(open());
    desk.see("a", "v1");
    let attempt = desk.claim(&[("a", "v1", "a")]).0.expect("claimed");
    desk.begin();
    assert!(!desk.settle(attempt, "a", done("a")));
    assert_eq!(desk.state("a"), RecordState::Unknown);
    desk.end();
}

pub(super) fn versions(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    let read = |desk: &mut Desk, source: &str| {
        let (scheme, source) = (SCHEME.to_owned(), source.to_owned());
        match desk.one(LedgerOp::ReadVersions { scheme, source }) {
            LedgerReply::Versions(marks) => marks,
            other => panic!("{other:?}"),
        }
    };
    let note = |version| LedgerOp::NoteVersions {
        scheme: SCHEME.to_owned(),
        source: "jst/orders".to_owned(),
        marks: VersionMarks {
            read: VersionMark { at: 7, version },
            seen: vec![VersionMark { at: 0, version: 0 }, VersionMark { at: 7, version }],
        },
    };
    assert_eq!(read(&mut desk, "jst/orders"), None);
    // More than any float or integer of the database holds.
    let large = 99_999_999_999_999_999_999_999_999_999_999_999_999;
    for version in [5, large] {
        assert_eq!(desk.one(note(version)), LedgerReply::Ok);
        let marks = read(&mut desk, "jst/orders").expect("marks");
        assert_eq!((marks.read.version, marks.seen.len()), (version, 2));
        assert_eq!(marks.seen[1], VersionMark { at: 7, version });
    }
    assert_eq!(read(&mut desk, "jst/refunds"), None, "each source has its own");
    // They move with the page, or not at all.
    let bad = LedgerOp::NoteTask {
        attempt: AttemptId(999),
        task: String::new(),
        group: 0,
        until: 0,
    };
    assert!(desk.ledger.apply(&[note(6), bad], &Blobs::new()).is_err());
    assert_eq!(
        read(&mut desk, "jst/orders").map(|marks| marks.read.version),
        Some(large)
    );
    desk.end();
}
