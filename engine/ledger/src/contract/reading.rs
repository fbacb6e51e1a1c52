//! Pages, windows and transactions.

use flow::ids::{AttemptId, Ms};
use flow::op::{
    LedgerOp, LedgerReply, OnSeen, Reason, RecordState, Resolution, Settlement, SightingOutcome, StagedRow,
    WindowEnd,
};
use flow::window::Interval;

use super::{Desk, SCHEME, done, named, row, why};
use crate::{Blobs, Ledger};

/// Every state, seen again with the same and with another version, under each rule for seen keys.
pub(super) fn staging_by_state(open: &dyn Fn() -> Ledger) {
    use RecordState::{Dead, Done, Held, Pending, Sending, Skipped, Unknown};
    use SightingOutcome::{Changed, Unchanged};
    // before, version, rule -> outcome, after, waits
    let if_changed = [
        (Pending, "v1", Unchanged, Pending, false),
        (Pending, "v2", Changed, Pending, false),
        (Sending, "v1", Unchanged, Sending, false),
        (Sending, "v2", Changed, Sending, true),
        (Unknown, "v1", Unchanged, Unknown, false),
        (Unknown, "v2", Changed, Unknown, true),
        (Held, "v1", Unchanged, Held, false),
        (Held, "v2", Changed, Held, true),
        (Done, "v1", Unchanged, Done, false),
        (Done, "v2", Changed, Pending, false),
        (Dead, "v1", Unchanged, Dead, false),
        (Dead, "v2", Changed, Pending, false),
        (Skipped, "v1", Unchanged, Skipped, false),
        (Skipped, "v2", Changed, Pending, false),
    ];
    for (before, version, outcome, after, waits) in if_changed {
        let mut desk = Desk::new(open());
        desk.bring("a", before);
        let context = format!("{before:?}, {version}");
        assert_eq!(desk.see("a", version), outcome, "{context}");
        let record = desk.record("a");
        assert_eq!(
            (record.state, record.waiting_version.is_some()),
            (after, waits),
            "{context}"
        );
        desk.end();

        // `skip`: nothing, whatever changed; but a dead record was never written, and its mended row is taken.
        if before == Dead {
            continue;
        }
        let mut desk = Desk::new(open());
        desk.bring("a", before);
        assert_eq!(
            desk.stage(&[("a", version)], OnSeen::Skip),
            [(Unchanged, 1)],
            "{context}"
        );
        let record = desk.record("a");
        assert_eq!(
            (record.state, record.version.as_str(), record.waiting_version),
            (before, "v1", None),
            "{context}"
        );

        // `update`: as if changed, but a done one is written again with the same version too.
        let mut desk = Desk::new(open());
        desk.bring("a", before);
        let again = (before, version) == (Done, "v1");
        let wanted = if again {
            (Changed, Pending)
        } else {
            (outcome, after)
        };
        assert_eq!(
            desk.stage(&[("a", version)], OnSeen::Update)[0].0,
            wanted.0,
            "{context}"
        );
        assert_eq!(desk.state("a"), wanted.1, "{context}");
        desk.end();
    }
}

pub(super) fn staging_a_page(open: &dyn Fn() -> Ledger) {
    use SightingOutcome::{Changed, New, Unchanged};
    // The same key twice on a page: the later one wins, the earlier one is superseded.
    let mut desk = Desk::new(open());
    let seen = desk.stage(
        &[("b", "v1"), ("a", "v1"), ("b", "v2"), ("a", "v1")],
        OnSeen::UpdateIfChanged,
    );
    assert_eq!(seen, [(New, 2), (Changed, 1), (Unchanged, 1)]);
    assert_eq!(desk.record("b").version, "v2");
    // A newer version before the old one was sent supersedes it in the counts of the run.
    desk.see("a", "v2");
    let counts = desk.end();
    assert_eq!(
        (
            counts.fetched,
            counts.pending,
            counts.superseded,
            counts.unchanged
        ),
        (5, 2, 2, 1)
    );

    // Back to the settled version while pending: done and unchanged, nothing is sent.
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Done);
    assert_eq!(desk.see("a", "v2"), Changed);
    assert_eq!(desk.see("a", "v1"), Unchanged);
    assert_eq!(desk.state("a"), RecordState::Done);
    assert!(desk.pick().is_empty());
    let counts = desk.end();
    assert_eq!((counts.done, counts.superseded, counts.unchanged), (1, 1, 1));

    // ... but not when an attempt of the version in between may have been executed: that one is settled first.
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Done);
    desk.see("a", "v2");
    let attempt = desk.claim(&[("a", "v2", "a")]).0.expect("claimed");
    let lost = Settlement::Unknown {
        resolve_after: desk.now,
        reason: why("lost"),
    };
    desk.settle(attempt, "a", lost);
    desk.resolve("a", Resolution::Resend);
    assert_eq!(desk.see("a", "v1"), Changed);
    let record = desk.record("a");
    assert_eq!(
        (record.state, record.version.as_str()),
        (RecordState::Pending, "v2")
    );
    assert_eq!(record.waiting_version.as_deref(), Some("v1"));
    assert_eq!(desk.see("a", "v2"), Unchanged);
    assert_eq!(desk.record("a").waiting_version, None);
    desk.end();

    // While it is out: the newest version waits, an older waiting one is superseded, and a return drops it.
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Sending);
    assert_eq!(
        (desk.see("a", "v2"), desk.see("a", "v2"), desk.see("a", "v3")),
        (Changed, Unchanged, Changed)
    );
    assert_eq!(desk.record("a").waiting_version.as_deref(), Some("v3"));
    assert_eq!(desk.see("a", "v1"), Unchanged);
    assert_eq!(desk.record("a").waiting_version, None);
    let life = desk
        .ledger
        .reader()
        .show_record(None, "a")
        .expect("a question")
        .remove(0);
    let outcomes: Vec<&str> = life
        .sightings
        .iter()
        .map(|sighting| sighting.outcome.as_str())
        .collect();
    assert_eq!(
        outcomes,
        ["new", "superseded", "unchanged", "superseded", "unchanged"]
    );
    desk.end();

    // Fresh keys are counted per window, each once.
    let mut desk = Desk::new(open());
    for (keys, wanted) in [(["a", "b", "a"], 2), (["b", "c", "c"], 1), (["a", "b", "c"], 0)] {
        let rows = keys
            .iter()
            .enumerate()
            .map(|(i, key)| row(i, key, "v1"))
            .collect();
        let (op, blobs) = desk.page(rows, OnSeen::UpdateIfChanged);
        let reply = desk.try_one(op, &blobs).expect("a page");
        let LedgerReply::Staged { fresh, open, .. } = reply else {
            panic!("{reply:?}")
        };
        assert_eq!(fresh, wanted, "{keys:?}");
        assert!(open >= 2);
    }
    desk.open_window(Interval { from: 1000, to: 2000 });
    let (op, blobs) = desk.page(vec![row(0, "a", "v1")], OnSeen::UpdateIfChanged);
    let reply = desk.try_one(op, &blobs).expect("a page");
    assert!(matches!(reply, LedgerReply::Staged { fresh: 1, .. }), "{reply:?}");
    // A cancelled row differs from the same row before.
    let cancelled = StagedRow {
        void: true,
        ..row(0, "a", "v1")
    };
    let (op, blobs) = desk.page(vec![cancelled], OnSeen::UpdateIfChanged);
    let reply = desk.try_one(op, &blobs).expect("a page");
    let LedgerReply::Staged { outcomes, .. } = reply else {
        panic!("{reply:?}")
    };
    assert_eq!(named(outcomes), [(Changed, 1)]);
    assert!(desk.record("a").void && desk.pick()[0].void);
    desk.end();
}

/// What says that one was cancelled and nothing else leaves what is known of it, in whatever state its record is.
pub(super) fn cancelled_by_its_key(open: &dyn Fn() -> Ledger) {
    use SightingOutcome::{Changed, New, Unchanged};
    let void = |version: &str| StagedRow {
        void: true,
        bare: true,
        label: "[a]".to_owned(),
        filtered: Some(Reason::new("W2001", "keep")),
        ..row(0, "a", version)
    };
    let see = |desk: &mut Desk, row: StagedRow| {
        let (op, blobs) = desk.page(vec![row], OnSeen::UpdateIfChanged);
        let LedgerReply::Staged { outcomes, .. } = desk.try_one(op, &blobs).expect("a page") else {
            panic!("not staged")
        };
        named(outcomes)[0].0
    };
    let said = |desk: &Desk| {
        let row = desk.ledger.reader().fed_row(SCHEME, "[\"a\"]").expect("asked");
        let row = row.expect("a row");
        (String::from_utf8(row.source).expect("text"), row.void)
    };
    let content = |version: &str| format!("{{\"key\":[\"a\"],\"v\":\"{version}\"}}");
    let mut desk = Desk::new(open());
    assert_eq!(see(&mut desk, row(0, "a", "v1")), New);
    let attempt = desk.claim(&[("a", "v1", "a")]).0.expect("claimed");
    // Beside one that is out, and behind a newer one that waits.
    assert_eq!(see(&mut desk, void("w")), Changed);
    assert_eq!(said(&desk), (content("v1"), true));
    assert_eq!(see(&mut desk, row(0, "a", "v2")), Changed);
    assert_eq!(see(&mut desk, void("w")), Changed);
    assert_eq!(said(&desk), (content("v2"), true));
    desk.settle(attempt, "a", done("a"));
    let record = desk.record("a");
    assert_eq!(
        (record.version.as_str(), record.void, record.state),
        ("w-void", true, RecordState::Pending)
    );
    assert_eq!(record.label, "客户 a", "what people call it stays");
    assert!(
        desk.pick()[0].has_target,
        "the void of the document that was made"
    );
    // Once more is the same, and it is carried out once.
    assert_eq!(see(&mut desk, void("w")), Unchanged);
    let attempt = desk.claim(&[("a", "w-void", "a")]).0.expect("claimed");
    desk.settle(attempt, "a", done("a"));
    assert_eq!(see(&mut desk, void("w")), Unchanged);
    assert_eq!(said(&desk), (content("v2"), true));
    // With content it is that.
    let whole = StagedRow {
        void: true,
        ..row(0, "a", "v3")
    };
    assert_eq!(see(&mut desk, whole), Changed);
    assert_eq!(said(&desk), (content("v3"), true));
    assert_eq!(see(&mut desk, row(0, "a", "v2")), Changed);
    assert_eq!(said(&desk), (content("v2"), false));
    // Of one that waits to be sent, and of one that was.
    assert_eq!(see(&mut desk, void("x")), Changed);
    assert_eq!(said(&desk), (content("v2"), true));
    assert_eq!(see(&mut desk, row(0, "a", "v4")), Changed);
    let attempt = desk.claim(&[("a", "v4", "a")]).0.expect("claimed");
    desk.settle(attempt, "a", done("a"));
    assert_eq!(see(&mut desk, void("w")), Changed);
    assert_eq!(said(&desk), (content("v4"), true));
    // Said once more while it is carried out, it takes the place of what came in between and waits; the content of that
    // stays, as look-ups do.
    let attempt = desk.claim(&[("a", "w-void", "a")]).0.expect("claimed");
    let newer = StagedRow {
        label: "客户 a, new".to_owned(),
        ..row(0, "a", "v5")
    };
    assert_eq!(see(&mut desk, newer), Changed);
    assert_eq!(see(&mut desk, void("w")), Unchanged);
    assert_eq!(said(&desk), (content("v5"), true));
    let record = desk.record("a");
    assert_eq!(
        (record.label.as_str(), record.waiting_version),
        ("客户 a, new", None)
    );
    desk.settle(attempt, "a", done("a"));
    assert_eq!(said(&desk), (content("v5"), true));
    // Of one that nobody knows there is nothing else, and look-ups go on finding what they found.
    let unknown = StagedRow {
        filtered: None,
        key: "[\"b\"]".to_owned(),
        ..void("w")
    };
    assert_eq!(see(&mut desk, unknown), New);
    desk.end();
}

pub(super) fn filtered_and_invalid(open: &dyn Fn() -> Ledger) {
    use SightingOutcome::{Changed, Filtered, Invalid, New};
    let mut desk = Desk::new(open());
    let filtered = |i, key, version| StagedRow {
        filtered: Some(Reason::new("W2001", "keep")),
        ..row(i, key, version)
    };
    let invalid = |i| StagedRow {
        invalid: Some(Reason::new("E2001", "no key")),
        ..row(i, "hash", "v1")
    };
    let see = |desk: &mut Desk, rows, on_seen| {
        let (op, blobs) = desk.page(rows, on_seen);
        let reply = desk.try_one(op, &blobs).expect("a page");
        let LedgerReply::Staged { outcomes, .. } = reply else {
            panic!("{reply:?}")
        };
        named(outcomes)
    };
    let first = vec![filtered(0, "a", "v1"), invalid(1), row(2, "b", "v1")];
    assert_eq!(
        see(&mut desk, first, OnSeen::Skip),
        [(New, 1), (Filtered, 1), (Invalid, 1)]
    );
    assert_eq!(
        (desk.state("a"), desk.state("hash")),
        (RecordState::Skipped, RecordState::Dead)
    );
    // Refused again; the record follows the row as long as it was never accepted.
    assert_eq!(
        see(&mut desk, vec![filtered(0, "a", "v2"), invalid(1)], OnSeen::Skip),
        [(Filtered, 1), (Invalid, 1)]
    );
    assert_eq!(desk.record("a").version, "v2");
    // Accepted now, with the same version and even under `skip`: it was never written.
    assert_eq!(
        see(&mut desk, vec![row(0, "a", "v2")], OnSeen::Skip),
        [(Changed, 1)]
    );
    assert_eq!(desk.state("a"), RecordState::Pending);
    // A refused row leaves an accepted record alone.
    assert_eq!(
        see(&mut desk, vec![filtered(0, "b", "v9")], OnSeen::UpdateIfChanged),
        [(Filtered, 1)]
    );
    assert_eq!(
        (desk.state("b"), desk.record("b").version.as_str()),
        (RecordState::Pending, "v1")
    );
    let counts = desk.end();
    assert_eq!(
        (counts.fetched, counts.filtered, counts.dead, counts.pending),
        (7, 3, 2, 2)
    );
}

pub(super) fn store_only(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    let see = |desk: &mut Desk, version: &str| {
        let (op, blobs) = desk.page(vec![row(0, "a", version)], OnSeen::UpdateIfChanged);
        let LedgerOp::StagePage {
            run,
            window,
            scheme,
            page,
            rows,
            total,
            fingerprint,
            on_seen,
            updates,
            close,
            now,
            ..
        } = op
        else {
            unreachable!("a page")
        };
        let store_only = true;
        let op = LedgerOp::StagePage {
            run,
            window,
            scheme,
            page,
            rows,
            total,
            fingerprint,
            on_seen,
            updates,
            store_only,
            close,
            now,
        };
        let reply = desk.try_one(op, &blobs).expect("a page");
        let LedgerReply::Staged { outcomes, open, .. } = reply else {
            panic!("{reply:?}")
        };
        assert_eq!(open, 0);
        named(outcomes)[0].0
    };
    assert_eq!(see(&mut desk, "v1"), SightingOutcome::New);
    assert_eq!(see(&mut desk, "v1"), SightingOutcome::Unchanged);
    assert_eq!(see(&mut desk, "v2"), SightingOutcome::Changed);
    let record = desk.record("a");
    assert_eq!(
        (record.state, record.done_version.as_deref()),
        (RecordState::Done, Some("v2"))
    );
    desk.end();
}

/// An op that closes the window with its last, empty page.
pub(super) fn last_page(desk: &Desk, close: Option<Interval>) -> LedgerOp {
    LedgerOp::StagePage {
        run: desk.run,
        window: desk.window,
        scheme: SCHEME.into(),
        page: 1,
        rows: Vec::new(),
        total: Some(0),
        fingerprint: 0,
        on_seen: OnSeen::Skip,
        updates: true,
        store_only: false,
        close: Some(close),
        now: desk.now,
    }
}

pub(super) fn closing(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    let pair = |(from, to)| Interval { from, to };
    // Closed in any order: sorted, merged where they touch or overlap, gaps stay.
    type Step = ((Ms, Ms), &'static [(Ms, Ms)]);
    let steps: [Step; 6] = [
        ((10, 20), &[(10, 20)]),
        ((30, 40), &[(10, 20), (30, 40)]),
        ((50, 60), &[(10, 20), (30, 40), (50, 60)]),
        ((12, 18), &[(10, 20), (30, 40), (50, 60)]),
        ((20, 30), &[(10, 40), (50, 60)]),
        ((0, 55), &[(0, 60)]),
    ];
    for (close, wanted) in steps {
        desk.open_window(pair(close));
        desk.one(last_page(&desk, Some(pair(close))));
        let closed = desk.ledger.reader().closed_intervals(SCHEME).expect("a question");
        assert_eq!(
            closed,
            wanted.iter().copied().map(pair).collect::<Vec<_>>(),
            "after {close:?}"
        );
    }
    // The window is closed for good.
    let again = last_page(&desk, None);
    assert!(desk.try_one(again, &Blobs::new()).is_err());
    // A window without an interval, and one that ends without proof, close nothing.
    desk.open_window(pair((100, 200)));
    desk.one(last_page(&desk, None));
    desk.open_window(pair((100, 200)));
    desk.one(LedgerOp::EndWindow {
        window: desk.window,
        end: WindowEnd::Failed,
        reason: why("page"),
        now: desk.now,
    });
    assert_eq!(
        desk.ledger.reader().closed_intervals(SCHEME).expect("a question"),
        [pair((0, 60))]
    );
    desk.end();
    let LedgerReply::RunBegun { closed, enabled, .. } = desk.begin() else {
        panic!("a run")
    };
    assert_eq!((closed, enabled), (vec![pair((0, 60))], 1_000_000));
}

/// A failing op takes back the ops before it: rows, counts and the closed interval.
pub(super) fn all_or_nothing(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    let (op, blobs) = desk.page(vec![row(0, "a", "v1")], OnSeen::Skip);
    let close = last_page(&desk, Some(Interval { from: 0, to: 10 }));
    let bad = LedgerOp::Settle {
        attempt: AttemptId(999),
        outcome: "ok".into(),
        http_status: None,
        excerpt: None,
        vendor_trace: None,
        rows: Vec::new(),
        now: 0,
    };
    desk.ledger
        .apply(&[op.clone(), close.clone(), bad], &blobs)
        .expect_err("there is no such attempt");
    let reader = desk.ledger.reader();
    assert!(reader.closed_intervals(SCHEME).expect("a question").is_empty());
    assert_eq!(reader.states(SCHEME).expect("a question"), [0; 7]);
    // Missing bytes fail a page as a whole.
    assert!(desk.try_one(op.clone(), &Blobs::new()).is_err());
    assert_eq!(reader.states(SCHEME).expect("a question"), [0; 7]);
    // The same ops without the bad one.
    let replies = desk.ledger.apply(&[op, close], &blobs).expect("right now");
    assert_eq!(replies.len(), 2);
    assert_eq!(reader.closed_intervals(SCHEME).expect("a question").len(), 1);
    desk.end();
}
