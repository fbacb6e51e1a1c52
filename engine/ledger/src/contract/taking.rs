//! The stored rows of a scheme as the source of others.

use flow::ids::Blob;
use flow::op::{FromRow, LedgerOp, LedgerReply, NewPush, OnSeen, SightingOutcome, StagedRow, SuspectKind};

use super::{Desk, SCHEME, row, why};
use crate::service::taking::TakingPage;
use crate::{Blobs, Ledger};

const TAKER: &str = "notes";
const OTHER: &str = "bills";

fn next(desk: &Desk, taker: &str, most: u32) -> Option<TakingPage> {
    let page = desk.ledger.reader().rows_to_take(taker, most, 1 << 20);
    page.expect("a question")
}

/// The pushes of a page, and the place that it reaches.
fn ops(taker: &str, page: &TakingPage) -> (Vec<LedgerOp>, Blobs) {
    let mut blobs = Blobs::new();
    let mut ops = Vec::new();
    for (nth, row) in (0..).zip(&page.rows) {
        blobs.insert(Blob(nth), row.source.clone());
        let mut hash = [u8::from(row.void); 32];
        for (at, byte) in row.source.iter().enumerate() {
            hash[at % 32] ^= byte.rotate_left(u32::try_from(at % 7).expect("small"));
        }
        ops.push(LedgerOp::StorePush {
            giver: None,
            scheme: taker.to_owned(),
            push: NewPush {
                sender: row.key.clone(),
                hash,
                void: row.void,
                creates: None,
                rows: 1,
                content: Blob(nth),
                doubt: row.doubt,
                most_rows: u64::MAX,
                most_bytes: u64::MAX,
            },
            now: 1,
        });
    }
    ops.push(LedgerOp::MovePlace {
        scheme: taker.to_owned(),
        giver: page.giver.clone(),
        from: page.from,
        to: page.to,
    });
    (ops, blobs)
}

/// Takes one page: what was taken, as `key version`, with marks for "cancelled" and for doubt.
fn take(desk: &mut Desk, taker: &str, most: u32) -> Vec<String> {
    let Some(page) = next(desk, taker, most) else {
        return Vec::new();
    };
    let (ops, blobs) = ops(taker, &page);
    desk.ledger.apply(&ops, &blobs).expect("a page");
    let told = page.rows.iter().map(|row| {
        let source = String::from_utf8_lossy(&row.source);
        let version = source.split("\"v\":\"").nth(1).expect("a version");
        let key = row.key.trim_matches(['[', ']', '"']);
        let void = if row.void { " void" } else { "" };
        let doubt = row.doubt.map_or("", |_| " doubt");
        format!("{key} {}{void}{doubt}", version.trim_end_matches("\"}"))
    });
    told.collect()
}

fn behind(desk: &mut Desk, taker: &str) -> u64 {
    let asked = desk.ledger.reader().rows_behind(taker).expect("a question");
    let waiting = desk.ledger.reader().inbox(taker).expect("a question").pushes;
    let scheme = taker.to_owned();
    match desk.one(LedgerOp::CountPushes { scheme }) {
        LedgerReply::Waiting(all) => assert_eq!(all, waiting + asked.unwrap_or_default()),
        other => panic!("{other:?}"),
    }
    asked.unwrap_or_default()
}

fn takes(desk: &mut Desk, taker: &str, giver: Option<&str>) {
    desk.ledger.take_from(taker, giver, 5).expect("taken note of");
}

/// What is there comes first, then what is new or changed; each taker has a place of its own, which moves with what is
/// taken or not at all.
pub(super) fn places(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    assert_eq!(desk.ledger.reader().rows_behind(TAKER), Ok(None));
    for key in ["a", "b", "c"] {
        desk.see(key, "v1");
    }
    takes(&mut desk, TAKER, Some(SCHEME));
    takes(&mut desk, TAKER, Some(SCHEME));
    // However old they are, no row is given up.
    let later = desk.now + 100 * crate::service::inbox::REPEATED_FOR;
    desk.ledger.prune(later, later).expect("given up");
    assert_eq!(behind(&mut desk, TAKER), 3);
    assert_eq!(take(&mut desk, TAKER, 2), ["a v1", "b v1"]);
    assert_eq!(behind(&mut desk, TAKER), 1);

    // Whoever took the page meanwhile has the place: the pushes are not stored a second time.
    let page = next(&desk, TAKER, 2).expect("a page");
    let (twice, blobs) = ops(TAKER, &page);
    assert_eq!(take(&mut desk, TAKER, 2), ["c v1"]);
    desk.ledger.apply(&twice, &blobs).expect_err("it was taken");
    assert_eq!(desk.ledger.reader().inbox(TAKER).expect("asked").pushes, 3);
    assert_eq!(next(&desk, TAKER, 2), None);

    // What changes twice is taken once, as it is now; what goes back to what was taken is none the less looked at.
    desk.see("a", "v2");
    desk.see("d", "v1");
    desk.see("a", "v3");
    takes(&mut desk, OTHER, Some(SCHEME));
    assert_eq!(take(&mut desk, TAKER, 9), ["d v1", "a v3"]);
    assert_eq!(take(&mut desk, OTHER, 9), ["b v1", "c v1", "d v1", "a v3"]);
    assert_eq!((behind(&mut desk, TAKER), behind(&mut desk, OTHER)), (0, 0));

    // What is refused, and what cannot be read, is no row of the scheme; what is cancelled is.
    let rows = vec![
        StagedRow {
            filtered: Some(why("no")),
            ..row(0, "e", "v1")
        },
        StagedRow {
            key: flow::ids::keyless(7),
            invalid: Some(why("what")),
            ..row(1, "f", "v1")
        },
        StagedRow {
            void: true,
            ..row(2, "b", "v2")
        },
    ];
    let (op, blobs) = desk.page(rows, OnSeen::UpdateIfChanged);
    desk.try_one(op, &blobs).expect("a page");
    assert_eq!(take(&mut desk, TAKER, 9), ["b v2 void"]);

    // The order is kept while somebody takes by it, however the file of the scheme stands.
    desk.ledger.unpublish(SCHEME).expect("asked");
    desk.see("a", "v4");
    assert_eq!(take(&mut desk, TAKER, 9), ["a v4"]);
    takes(&mut desk, OTHER, None);
    assert_eq!(desk.ledger.reader().rows_behind(OTHER), Ok(None));
    assert!(desk.ledger.is_published(SCHEME).expect("asked"));
    takes(&mut desk, TAKER, Some("another"));
    desk.ledger.unpublish(SCHEME).expect("asked");
    assert!(!desk.ledger.is_published(SCHEME).expect("asked"));

    // An order that was forgotten begins anew behind every place, so that whoever comes back loses nothing.
    desk.see("a", "v5");
    takes(&mut desk, TAKER, Some(SCHEME));
    assert_eq!(take(&mut desk, TAKER, 9), ["a v5", "b v2 void", "c v1", "d v1"]);
    desk.end();
}

/// A place that the order never came to is not believed.
pub(super) fn a_place_ahead(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    takes(&mut desk, TAKER, Some(SCHEME));
    desk.see("a", "v1");
    take(&mut desk, TAKER, 9);
    let at = next(&desk, OTHER, 1);
    assert_eq!(at, None);
    desk.one(LedgerOp::MovePlace {
        scheme: TAKER.to_owned(),
        giver: SCHEME.to_owned(),
        from: 1,
        to: 1_000,
    });
    desk.see("b", "v1");
    takes(&mut desk, TAKER, Some(SCHEME));
    assert_eq!(take(&mut desk, TAKER, 9), ["a v1", "b v1"]);
    desk.end();
}

/// What a forgotten life may have taken is taken with that doubt, by those who had not taken it, and until they do.
pub(super) fn doubts(open: &dyn Fn() -> Ledger) {
    for of_taker in [false, true] {
        let mut desk = Desk::new(open());
        takes(&mut desk, TAKER, Some(SCHEME));
        takes(&mut desk, OTHER, Some(SCHEME));
        desk.see("a", "v1");
        assert_eq!(take(&mut desk, TAKER, 9), ["a v1"]);
        desk.see("b", "v1");
        // The ledger is put back: either scheme is the first to run.
        let suspect = |scheme: &str, now| LedgerOp::Suspect {
            scheme: scheme.to_owned(),
            kind: SuspectKind::Restored,
            until: now,
            ask_after: now,
            now,
        };
        let now = desk.now;
        match of_taker {
            true => [TAKER, OTHER].map(|taker| desk.one(suspect(taker, now))),
            false => [SCHEME, SCHEME].map(|giver| desk.one(suspect(giver, now))),
        };
        assert_eq!(take(&mut desk, TAKER, 9), ["b v1 doubt"], "{of_taker}");
        // A change brings no trust to whoever may have taken the row before, and no doubt to who has it.
        desk.now += 4 * crate::service::inbox::REPEATED_FOR;
        desk.begin();
        desk.open_window(flow::window::Interval {
            from: desk.now,
            to: desk.now + 1,
        });
        desk.see("a", "v2");
        if of_taker {
            desk.see("c", "v1");
            assert_eq!(take(&mut desk, TAKER, 9), ["a v2", "c v1"]);
            assert_eq!(take(&mut desk, OTHER, 9), ["b v1 doubt", "a v2 doubt", "c v1"]);
        }
        desk.end();
    }

    // What is read of the time in doubt, also where nothing is written, and what was taken with doubt and is taken on.
    let mut desk = Desk::new(open());
    takes(&mut desk, TAKER, Some(SCHEME));
    desk.suspect(SuspectKind::Restored, desk.now, desk.now);
    desk.begin();
    let (mut op, blobs) = desk.page(vec![row(0, "a", "v1")], OnSeen::UpdateIfChanged);
    if let LedgerOp::StagePage { store_only, .. } = &mut op {
        *store_only = true;
    }
    desk.try_one(op, &blobs).expect("a page");
    assert_eq!(take(&mut desk, TAKER, 9), ["a v1 doubt"]);
    desk.end();
    let mut desk = Desk::new(open());
    takes(&mut desk, TAKER, Some(SCHEME));
    let from = FromRow {
        scheme: "first".to_owned(),
        key: "[\"7\"]".to_owned(),
    };
    let given = StagedRow {
        doubt: Some(SuspectKind::Restored),
        from: Some(from.clone()),
        ..row(0, "a", "v1")
    };
    let (op, blobs) = desk.page(vec![given.clone()], OnSeen::UpdateIfChanged);
    desk.try_one(op, &blobs).expect("a page");
    assert_eq!(take(&mut desk, TAKER, 9), ["a v1 doubt"]);
    // It is known which row it was made of, and of which it is now.
    let life = |desk: &Desk| {
        let found = desk.ledger.reader().show_record(Some(SCHEME), "a");
        found.expect("asked").remove(0).from
    };
    assert_eq!(life(&desk), Some(from.clone()));
    let newer = FromRow {
        key: "[\"8\"]".to_owned(),
        ..from
    };
    let (op, blobs) = desk.page(
        vec![StagedRow {
            version: "v2".to_owned(),
            from: Some(newer.clone()),
            ..given
        }],
        OnSeen::UpdateIfChanged,
    );
    desk.try_one(op, &blobs).expect("a page");
    assert_eq!(life(&desk), Some(newer));
    assert_eq!(desk.see("a", "v2"), SightingOutcome::Unchanged);
    desk.end();
}
