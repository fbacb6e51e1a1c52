//! Cursors, suspicious windows, and rows that come later than newer ones.

use flow::ids::Ms;
use flow::op::{
    Cursor, LedgerOp, LedgerReply, OnSeen, RecordState, Refusal, SightingOutcome, StagedRow, WindowEnd,
};
use flow::window::Interval;

use super::reading::last_page;
use super::{Desk, SCHEME, row, why};
use crate::{Blobs, Ledger};

const HOUR: Ms = 3_600_000;
const WEEK: Ms = 7 * 24 * HOUR;

fn between(from: Ms, to: Ms) -> Interval {
    Interval { from, to }
}

fn cover(desk: &mut Desk, cursor: Cursor, now: Ms) -> (Vec<Interval>, u32, Vec<Interval>) {
    let reply = desk.one(LedgerOp::Cover {
        scheme: SCHEME.into(),
        cursor,
        now,
    });
    let LedgerReply::Coverage {
        closed,
        unstable,
        kept,
    } = reply
    else {
        panic!("{reply:?}")
    };
    (closed, unstable, kept)
}

/// Reads a window that has so many rows; what the ledger finds suspicious.
fn read(desk: &mut Desk, asked: Interval, rows: usize, close: Option<Interval>) -> Option<u64> {
    desk.open_window(asked);
    finish(desk, rows, OnSeen::UpdateIfChanged, close)
}

fn finish(desk: &mut Desk, rows: usize, on_seen: OnSeen, close: Option<Interval>) -> Option<u64> {
    let keys: Vec<String> = (0..rows).map(|i| format!("k{i}")).collect();
    let rows = keys
        .iter()
        .enumerate()
        .map(|(i, key)| row(i, key, "v1"))
        .collect();
    let (op, blobs) = desk.page(rows, on_seen);
    desk.try_one(op, &blobs).expect("a page");
    let last = match last_page(desk, close) {
        LedgerOp::StagePage {
            run,
            window,
            scheme,
            rows,
            total,
            fingerprint,
            store_only,
            close,
            now,
            ..
        } => LedgerOp::StagePage {
            run,
            window,
            scheme,
            page: 2,
            rows,
            total,
            fingerprint,
            on_seen,
            updates: true,
            store_only,
            close,
            now,
        },
        other => panic!("{other:?}"),
    };
    let reply = desk.one(last);
    let LedgerReply::Staged { suspicious, .. } = reply else {
        panic!("{reply:?}")
    };
    suspicious
}

/// Every cursor has its own closed time; a replay of everything fills gaps of the live one, and only gaps.
pub(super) fn cursors(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    for (from, to) in [(10, 20), (40, 50)] {
        read(&mut desk, between(from, to), 0, Some(between(from, to)));
    }
    desk.open_window_of(Cursor::Sweep, between(0, 30));
    finish(&mut desk, 1, OnSeen::UpdateIfChanged, Some(between(0, 30)));
    let live = [between(10, 20), between(40, 50)];
    assert_eq!(cover(&mut desk, Cursor::Live, 0).0, live);
    assert_eq!(cover(&mut desk, Cursor::Sweep, 0).0, [between(0, 30)]);
    // Only what is missing: a changed row of the gap was not taken, so the gap stays.
    let range = between(0, 100);
    let replay = Cursor::Replay(range);
    desk.open_window_of(replay, between(0, 30));
    finish(&mut desk, 1, OnSeen::Skip, Some(between(0, 30)));
    assert_eq!(cover(&mut desk, Cursor::Live, 0).0, live);
    assert_eq!(cover(&mut desk, replay, 0).0, [between(0, 30)]);
    assert_eq!(
        cover(&mut desk, Cursor::Replay(between(0, 99)), 0).0,
        [],
        "another replay"
    );
    // All of it, up to 45: what lies before the first closed instant stays unread, or the live cursor would go back.
    desk.open_window_of(replay, between(0, 45));
    finish(&mut desk, 1, OnSeen::UpdateIfChanged, Some(between(0, 45)));
    assert_eq!(cover(&mut desk, Cursor::Live, 0).0, [between(10, 50)]);
    desk.open_window_of(replay, between(45, 100));
    finish(&mut desk, 1, OnSeen::UpdateIfChanged, Some(between(45, 100)));
    assert_eq!(cover(&mut desk, Cursor::Live, 0).0, [between(10, 50)]);
    let forget = |cursor| LedgerOp::Forget {
        scheme: SCHEME.into(),
        cursor,
    };
    assert!(
        desk.try_one(forget(Cursor::Live), &Blobs::new()).is_err(),
        "what was read for good"
    );
    desk.one(forget(Cursor::Sweep));
    assert_eq!(cover(&mut desk, Cursor::Sweep, 0).0, []);
    assert_eq!(
        desk.ledger
            .reader()
            .closed_by(SCHEME, replay)
            .expect("a question"),
        [range]
    );
    desk.end();
}

/// Windows that shifted count until one closes.
pub(super) fn unstable(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    for (ends, wanted) in [
        (&[][..], 0),
        (&[WindowEnd::Unstable, WindowEnd::Unstable][..], 2),
        (&[WindowEnd::Failed, WindowEnd::Unstable][..], 3),
    ] {
        for end in ends {
            desk.open_window(between(0, 10));
            let (window, end, reason, now) = (desk.window, *end, why("moved"), desk.now);
            desk.one(LedgerOp::EndWindow {
                window,
                end,
                reason,
                now,
            });
        }
        assert_eq!(cover(&mut desk, Cursor::Live, 0).1, wanted, "{ends:?}");
    }
    read(&mut desk, between(0, 10), 0, None);
    assert_eq!(cover(&mut desk, Cursor::Live, 0).1, 0);
    desk.end();
}

/// An empty window where such windows have many rows is kept, handed out three times with growing pauses, and let go
/// when it has rows.
pub(super) fn suspicious(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    let base = 100 * WEEK;
    let window = |week: Ms| between(base + week * WEEK - HOUR, base + week * WEEK);
    // Two weeks tell nothing yet, few rows are nothing to miss, other hours are other hours.
    let quiet = |desk: &mut Desk, week: Ms| read(desk, window(week), 0, Some(window(week)));
    read(&mut desk, window(-9), 99, Some(window(-9)));
    read(&mut desk, window(-3), 30, Some(window(-3)));
    read(&mut desk, window(-2), 50, Some(window(-2)));
    assert_eq!(quiet(&mut desk, 0), None, "eight weeks back, and no further");
    read(&mut desk, window(-1), 40, Some(window(-1)));
    let other = between(window(0).from + 3 * HOUR, window(0).to + 3 * HOUR);
    assert_eq!(read(&mut desk, other, 0, Some(other)), None, "another hour");
    assert_eq!(read(&mut desk, window(0), 0, None), None, "closes nothing");
    // The empty one above is part of what is usual: 0, 30, 40, 50.
    let short = between(window(0).to - HOUR / 2, window(0).to);
    assert_eq!(
        read(&mut desk, short, 0, Some(short)),
        None,
        "half the time, half the rows: 20 are not too many"
    );
    assert_eq!(quiet(&mut desk, 0), Some(40));
    let now = desk.now;
    let due = |desk: &mut Desk, hours: Ms| cover(desk, Cursor::Live, now + hours * HOUR).2;
    assert_eq!(due(&mut desk, 0), []);
    assert_eq!(due(&mut desk, 1), [window(0)]);
    assert_eq!(due(&mut desk, 2), [], "two hours later");
    assert_eq!(due(&mut desk, 3), [window(0)]);
    assert_eq!(cover(&mut desk, Cursor::Sweep, now + 99 * HOUR).2, []);
    assert_eq!(due(&mut desk, 7), [window(0)]);
    assert_eq!(due(&mut desk, 999), [], "three times are enough");
    assert_eq!(quiet(&mut desk, 0), Some(40));
    read(&mut desk, window(0), 1, None);
    assert_eq!(due(&mut desk, 99), [], "it has rows now");
    desk.end();
}

/// A row with a smaller rank never takes the place of one with a greater one, whatever brings it.
pub(super) fn newest(open: &dyn Fn() -> Ledger) {
    use SightingOutcome::{Changed, Filtered, New, Superseded, Unchanged};
    let mut desk = Desk::new(open());
    let see = |desk: &mut Desk, version: &str, rank: Option<i64>, on_seen| {
        let filtered = (version == "no").then(|| why("keep"));
        let row = StagedRow {
            rank,
            filtered,
            ..row(0, "a", version)
        };
        let (op, blobs) = desk.page(vec![row], on_seen);
        let reply = desk.try_one(op, &blobs).expect("a page");
        let LedgerReply::Staged { outcomes, .. } = reply else {
            panic!("{reply:?}")
        };
        super::named(outcomes)[0].0
    };
    let changed = OnSeen::UpdateIfChanged;
    assert_eq!(see(&mut desk, "v2", Some(20), changed), New);
    assert_eq!(see(&mut desk, "v1", Some(10), changed), Superseded);
    assert_eq!(desk.record("a").version, "v2");
    assert_eq!(
        see(&mut desk, "v3", Some(20), changed),
        Changed,
        "as new: the later reading"
    );
    assert_eq!(see(&mut desk, "v3", Some(30), changed), Unchanged);
    assert_eq!(
        see(&mut desk, "v2", Some(29), changed),
        Superseded,
        "the same version moved the mark"
    );
    assert_eq!(see(&mut desk, "v4", Some(99), OnSeen::Skip), Unchanged);
    assert_eq!(
        see(&mut desk, "v5", Some(31), changed),
        Changed,
        "what was skipped did not"
    );
    assert_eq!(see(&mut desk, "no", Some(40), changed), Filtered);
    assert_eq!(
        see(&mut desk, "v6", Some(35), changed),
        Superseded,
        "the newest row is filtered"
    );
    assert_eq!(
        see(&mut desk, "v7", None, changed),
        Changed,
        "a row that says nothing is taken as it comes"
    );
    // Beside a record that is out, too.
    assert!(desk.refuse("a", "v7", Refusal::Held(why("person"))));
    assert_eq!(desk.state("a"), RecordState::Held);
    assert_eq!(see(&mut desk, "v9", Some(90), changed), Changed);
    assert_eq!(see(&mut desk, "v8", Some(80), changed), Superseded);
    assert_eq!(desk.record("a").waiting_version.as_deref(), Some("v9"));
    cancelled_without_a_time(open);
}

/// A cancellation that names its record alone has no time: it is behind what came before, and before what comes later.
fn cancelled_without_a_time(open: &dyn Fn() -> Ledger) {
    use SightingOutcome::{Changed, New, Superseded, Unchanged};
    let mut desk = Desk::new(open());
    let see = |desk: &mut Desk, row: StagedRow| {
        let (op, blobs) = desk.page(vec![row], OnSeen::UpdateIfChanged);
        let LedgerReply::Staged { outcomes, .. } = desk.try_one(op, &blobs).expect("a page") else {
            panic!("not staged")
        };
        super::named(outcomes)[0].0
    };
    let said = |version: &str, rank: i64| StagedRow {
        rank: Some(rank),
        ..row(0, "a", version)
    };
    let cancelled = |version: &str| StagedRow {
        void: true,
        bare: true,
        ..row(0, "a", version)
    };
    assert_eq!(see(&mut desk, said("v1", 10)), New);
    let attempt = desk.claim(&[("a", "v1", "A")]).0.expect("claimed");
    // Beside what is out, and when that is done.
    for settled in [false, true] {
        if settled {
            assert!(desk.settle(attempt, "a", super::done("a")));
        }
        assert_eq!(
            see(&mut desk, cancelled("w")),
            if settled { Unchanged } else { Changed }
        );
        assert_eq!(see(&mut desk, said("v1", 10)), Superseded, "a late repetition");
        assert_eq!(see(&mut desk, said("v0", 9)), Superseded);
    }
    let record = desk.record("a");
    assert_eq!((record.version.as_str(), record.void), ("w-void", true));
    // However often it is said: a number that grows by one is newer.
    for again in ["w", "x", "y"] {
        see(&mut desk, cancelled(again));
    }
    // What was done is what it says again, and the void was not sent yet.
    assert_eq!(see(&mut desk, said("v1", 11)), Unchanged);
    assert!(!desk.record("a").void);
    // And so on, once for each time that it is there again.
    assert_eq!(see(&mut desk, cancelled("w")), Changed);
    assert_eq!(see(&mut desk, said("v1", 11)), Superseded);
    assert_eq!(see(&mut desk, said("v2", 12)), Changed);
    // One that has a time is compared by it: as new is the later reading.
    let whole = StagedRow {
        void: true,
        ..said("v2", 12)
    };
    assert_eq!(see(&mut desk, whole), Changed);
    assert_eq!(see(&mut desk, said("v2", 12)), Changed);
    // The end of the numbers.
    assert_eq!(see(&mut desk, said("v3", i64::MAX)), Changed);
    assert_eq!(see(&mut desk, cancelled("w")), Changed);
    assert_eq!(see(&mut desk, said("v3", i64::MAX)), Changed);
    desk.end();
}
