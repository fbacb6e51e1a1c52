//! Records whose document may be at the target without the ledger's knowledge.

use flow::op::{ClaimRefused, RecordState, Resolution, SuspectKind};
use flow::window::Interval;

use super::{Desk, SCHEME, done};
use crate::Ledger;
use crate::error::reason;

const KIND: SuspectKind = SuspectKind::Restored;

/// What waits for its first send is asked about first; what the ledger knows is left as it is.
pub(super) fn what_is_pending(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    for state in RecordState::ALL {
        desk.bring(state.word(), state);
    }
    desk.bring("changed", RecordState::Done);
    desk.see("changed", "v2");
    let later = desk.now + 9_000;
    assert_eq!(desk.suspect(KIND, desk.now, later), 1);
    for state in RecordState::ALL {
        let expected = if state == RecordState::Pending {
            RecordState::Unknown
        } else {
            state
        };
        assert_eq!(desk.state(state.word()), expected);
    }
    let record = desk.record("pending");
    assert_eq!(record.reason.expect("it says why").code, reason::SUSPECT);
    // Its document is known: the same update again has the same effect.
    assert_eq!(desk.state("changed"), RecordState::Pending);
    // Whoever wrote may have sent just before it went: nobody is asked before that has passed.
    assert_eq!(desk.unknown(), (Vec::new(), Some(later), 2));
    desk.now = later;
    let (asked, _, _) = desk.unknown();
    let suspects: Vec<_> = asked.iter().filter(|one| one.suspect == Some(KIND)).collect();
    assert!(
        suspects.iter().any(|one| one.tkey == "[]" && one.version == "v1"),
        "{asked:?}"
    );
    // What had failed, or was left aside, may have been written since: a new version of it is asked about.
    for key in ["dead", "skipped"] {
        desk.see(key, "v2");
        assert_eq!(desk.state(key), RecordState::Unknown, "{key}");
    }
    desk.end();
}

/// Rows of a window that begins before the instant of the suspicion.
pub(super) fn what_is_read(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    desk.suspect(KIND, 500, desk.now);
    desk.see("old", "v1");
    assert_eq!(desk.state("old"), RecordState::Unknown);
    desk.see("old", "v2");
    assert_eq!(desk.record("old").waiting_version.as_deref(), Some("v2"));
    // What was written before that instant and has changed since comes in a later window.
    for run in ["in the same run", "in the next one", "in the last one"] {
        desk.open_window(Interval { from: 500, to: 900 });
        desk.see(run, "v1");
        let trusted = run == "in the last one";
        let expected = if trusted {
            RecordState::Pending
        } else {
            RecordState::Unknown
        };
        assert_eq!(desk.state(run), expected, "{run}");
        read_up_to(&mut desk, 500);
        // It stays in force when the engine is started again.
        desk.end();
        desk.begin();
    }
    desk.see("old too", "v1");
    assert_eq!(desk.state("old too"), RecordState::Unknown);
    desk.end();
}

/// A window that is closed up to an instant.
fn read_up_to(desk: &mut Desk, to: i64) {
    desk.open_window(Interval { from: 0, to });
    let (mut last, blobs) = desk.page(Vec::new(), flow::op::OnSeen::Skip);
    if let flow::op::LedgerOp::StagePage { close, .. } = &mut last {
        *close = Some(Some(Interval { from: 0, to }));
    }
    desk.try_one(last, &blobs).expect("a page");
}

/// Without windows nothing tells old rows from new ones, until all were read once.
pub(super) fn without_windows(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    desk.suspect(SuspectKind::Adopted, desk.now, desk.now);
    desk.open_window(Interval { from: 0, to: 0 });
    desk.see("a", "v1");
    assert_eq!(desk.state("a"), RecordState::Unknown);
    let (mut last, blobs) = desk.page(Vec::new(), flow::op::OnSeen::Skip);
    if let flow::op::LedgerOp::StagePage { close, .. } = &mut last {
        *close = Some(None);
    }
    desk.try_one(last, &blobs).expect("a page");
    desk.open_window(Interval { from: 0, to: 0 });
    desk.see("b", "v1");
    assert_eq!(desk.state("b"), RecordState::Pending);
    desk.end();
}

/// What the answer about a suspect makes of it, and that nothing else leads to a send.
pub(super) fn answers(open: &dyn Fn() -> Ledger) {
    let found = || Some("id-7".to_owned());
    let table = [
        (
            Resolution::Done {
                id: found(),
                number: None,
            },
            RecordState::Done,
            false,
        ),
        (
            Resolution::Known {
                id: "id-7".into(),
                number: Some("no-7".into()),
            },
            RecordState::Pending,
            true,
        ),
        (Resolution::Resend, RecordState::Pending, true),
        (Resolution::Unasked, RecordState::Pending, false),
        (Resolution::Held(super::why("many")), RecordState::Held, false),
    ];
    for (resolution, state, may_be_sent) in table {
        let mut desk = Desk::new(open());
        desk.suspect(KIND, 500, desk.now);
        desk.see("a", "v1");
        assert!(desk.identify("a", "v1", "A"));
        assert!(desk.resolve("a", resolution.clone()));
        let record = desk.record("a");
        assert_eq!(record.state, state, "{resolution:?}");
        assert_eq!(record.attempts, 0, "none of its sends is spent");
        if state != RecordState::Pending {
            assert_eq!(
                record.target_id.is_some(),
                state == RecordState::Done,
                "{resolution:?}"
            );
            desk.end();
            continue;
        }
        let known = matches!(resolution, Resolution::Known { .. });
        assert_eq!(desk.pick()[0].has_target, known);
        let (attempt, refused) = desk.claim(&[("a", "v1", "A")]);
        if may_be_sent {
            desk.settle(attempt.expect("claimed"), "a", done("a"));
            assert_eq!(desk.state("a"), RecordState::Done);
        } else {
            assert_eq!(refused, [(record.record, ClaimRefused::Stale)]);
            assert_eq!(
                (attempt, desk.state("a")),
                (None, RecordState::Unknown),
                "{resolution:?}: not sent before the target was asked"
            );
        }
        desk.end();
    }
}

/// The key is frozen before the question; a key that another record has makes no question.
pub(super) fn keys(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    desk.bring("holder", RecordState::Done);
    desk.suspect(KIND, 500, desk.now);
    desk.see("a", "v1");
    desk.see("b", "v1");
    assert!(!desk.identify("a", "v0", "A"), "compare-and-set on the version");
    assert!(desk.identify("a", "v1", "A"));
    let asked = desk.unknown().0;
    let frozen = asked.iter().find(|one| one.record == desk.record("a").record);
    assert_eq!(
        frozen.map(|one| (one.tkey.as_str(), one.form.as_str())),
        Some(("[\"A\"]", "BD_Customer"))
    );
    assert!(!desk.identify("b", "v1", "holder"));
    assert_eq!(
        desk.record("b").reason.expect("it says why").code,
        reason::KEY_TAKEN
    );
    assert_eq!(desk.state("b"), RecordState::Held);
    desk.end();
}

/// What was found, what was not there and what was sent by this ledger are told apart, and each has examples.
pub(super) fn what_is_alike(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    desk.bring("ours", RecordState::Done);
    desk.suspect(SuspectKind::Adopted, 500, desk.now);
    for key in ["found", "missing", "asked once", "unasked"] {
        desk.see(key, "v1");
        desk.identify(key, "v1", key);
    }
    let found = Resolution::Done {
        id: Some("id-7".to_owned()),
        number: None,
    };
    assert!(desk.resolve("found", found));
    assert!(desk.resolve("missing", Resolution::Resend));
    let again = Resolution::AskAgain {
        at: desk.now,
        missed: true,
        reason: super::why("not there yet"),
    };
    assert!(desk.resolve("asked once", again));
    let reader = desk.ledger.reader();
    let alike = reader.alike(SCHEME).expect("a question");
    let told: Vec<_> = alike
        .iter()
        .map(|rows| {
            let some = reader.some_alike(SCHEME, rows, 5).expect("a question");
            assert_eq!(some.len(), 1, "{rows:?}");
            let flags = [rows.has_target, rows.unsent, rows.missed, rows.suspect];
            (some[0].key.clone(), rows.state, flags)
        })
        .collect();
    let is =
        |key: &str, state, flags| assert!(told.contains(&(format!("[\"{key}\"]"), state, flags)), "{told:?}");
    is("ours", RecordState::Done, [true, false, false, false]);
    is("found", RecordState::Done, [true, true, false, false]);
    is("missing", RecordState::Pending, [false, true, false, false]);
    is("asked once", RecordState::Unknown, [false, true, true, true]);
    is("unasked", RecordState::Unknown, [false, true, false, true]);
    assert_eq!(alike.iter().map(|rows| rows.count).sum::<u64>(), 5);
    assert_eq!(reader.count_mapped(SCHEME).expect("a question"), 2);
    desk.end();
}
