//! Several rows that are one document: frozen with it, following it, and taken apart only where it was not written.

use flow::decision::{Content, Decided, Decision, Ruling};
use flow::ids::{Blob, RecordId};
use flow::op::{
    LedgerOp, LedgerReply, Loose, NewPart, OnSeen, RecordState, Resolution, Settlement, SightingOutcome,
    SuspectKind,
};
use flow::window::Interval;

use super::{Desk, SCHEME, done, row, why};
use crate::error::reason;
use crate::read::RecordFilter;
use crate::{Blobs, Ledger};

const RETRY: Decision = Decision::Retry(Content::Latest);

fn desk(open: &dyn Fn() -> Ledger) -> Desk {
    let mut ledger = open();
    ledger.gather(SCHEME, true).expect("a note");
    Desk::new(ledger)
}

fn loose(desk: &mut Desk) -> Vec<Loose> {
    let pick = LedgerOp::PickLoose {
        scheme: SCHEME.into(),
        limit: 100,
        now: desk.now,
    };
    match desk.one(pick) {
        LedgerReply::Loose(rows) => rows,
        other => panic!("{other:?}"),
    }
}

/// Freezes a document of rows given as (key, version); gives whether it was.
fn freeze(desk: &mut Desk, part: u32, rows: &[(&str, &str)]) -> bool {
    let mut blobs = Blobs::new();
    blobs.insert(Blob(0), format!("{{\"part\":{part}}}").into_bytes());
    let members: Vec<(RecordId, String)> = rows
        .iter()
        .map(|(key, version)| (desk.record(key).record, (*version).to_owned()))
        .collect();
    let freeze = LedgerOp::Freeze {
        scheme: SCHEME.into(),
        parts: vec![NewPart {
            key: format!("[\"$part\",\"S\",\"{part}\"]"),
            group: "S".into(),
            part,
            number: number(part),
            version: "f".into(),
            source: Blob(0),
            members,
        }],
        now: desk.now,
    };
    match desk.try_one(freeze, &blobs).expect("a document") {
        LedgerReply::Count(hit) => hit == 1,
        other => panic!("{other:?}"),
    }
}

fn number(part: u32) -> String {
    format!("S-{part}")
}

fn states(desk: &Desk, keys: &[&str]) -> Vec<RecordState> {
    keys.iter().map(|key| desk.state(key)).collect()
}

fn code(desk: &Desk, key: &str) -> Option<String> {
    desk.record(key).reason.map(|why| why.code)
}

/// What a gauge says of it.
fn waiting(desk: &Desk) -> u64 {
    let rows = desk.ledger.reader().waiting().expect("a question");
    rows.iter().map(|row| row.records).sum()
}

/// Records that are done: all, and those that may have a document of their own.
fn listed(desk: &Desk) -> [usize; 2] {
    [false, true].map(|documents| {
        let filter = RecordFilter {
            state: Some(RecordState::Done),
            documents,
            ..RecordFilter::default()
        };
        desk.ledger
            .reader()
            .list_records(&filter)
            .expect("a question")
            .len()
    })
}

fn verified(desk: &Desk) {
    let report = desk.ledger.verify(None).expect("a question");
    assert!(report.is_clean(), "{:#?}", report.findings);
}

/// Rows are no documents; a document is one, and they follow it.
pub(super) fn documents(open: &dyn Fn() -> Ledger) {
    use RecordState::{Done, Pending};
    let mut desk = desk(open);
    desk.stage(&[("a", "v1"), ("b", "v1"), ("c", "v1")], OnSeen::UpdateIfChanged);
    assert_eq!(desk.pick(), [], "rows of such a scheme are not sent");
    let (claimed, refused) = desk.claim(&[("a", "v1", "a")]);
    assert_eq!((claimed, refused.len()), (None, 1));
    assert_eq!(loose(&mut desk).len(), 3);
    // Another version, another part than the next one: all or nothing.
    assert!(!freeze(&mut desk, 1, &[("a", "v1"), ("b", "v2")]));
    assert!(!freeze(&mut desk, 2, &[("a", "v1"), ("b", "v1")]));
    assert!(freeze(&mut desk, 1, &[("a", "v1"), ("b", "v1")]));
    assert!(
        !freeze(&mut desk, 2, &[("b", "v1"), ("c", "v1")]),
        "b is in a document"
    );
    assert_eq!(loose(&mut desk).len(), 1);
    let picked = desk.pick();
    let [part] = picked.as_slice() else {
        panic!("{picked:?}")
    };
    assert_eq!(part.record, desk.record("S-1").record);
    verified(&desk);
    let (claimed, refused) = desk.claim(&[("a", "v1", "a")]);
    assert_eq!((claimed, refused.len()), (None, 1), "nor are members");
    assert_eq!(waiting(&desk), 3, "a document is counted by its rows");
    let attempt = desk.claim(&[("S-1", "f", "S-1")]).0.expect("claimed");
    assert_eq!(states(&desk, &["a", "b", "c"]), [Pending, Pending, Pending]);
    assert_eq!(waiting(&desk), 3, "also while it is sent");
    verified(&desk);
    desk.settle(attempt, "S-1", done("S-1"));
    assert_eq!(
        states(&desk, &["S-1", "a", "b", "c"]),
        [Done, Done, Done, Pending]
    );
    assert_eq!((waiting(&desk), listed(&desk)), (1, [3, 1]));
    let shown = desk.ledger.reader().show_record(None, "a").expect("a question");
    let document = shown[0].document.clone().expect("it names its document");
    assert_eq!((document.number.as_str(), document.part), ("S-1", 1));
    assert_eq!(document.target_id.as_deref(), Some("id-S-1"));
    let shown = desk.ledger.reader().show_record(None, "S-1").expect("a question");
    let members: Vec<&str> = shown[0].members.iter().map(|row| row.key.as_str()).collect();
    assert_eq!((members, shown[0].members_total), (vec!["[\"a\"]", "[\"b\"]"], 2));
    // The same rows once more change nothing, and a row that comes later makes the next one.
    assert_eq!(desk.see("a", "v1"), SightingOutcome::Unchanged);
    assert_eq!(
        desk.ledger.reader().last_part(SCHEME, "S").expect("a question"),
        1
    );
    assert!(freeze(&mut desk, 2, &[("c", "v1")]));
    let counts = desk.end();
    assert_eq!(
        (counts.fetched, counts.done, counts.pending, counts.skipped),
        (4, 2, 1, 1)
    );
    // A process that dies while it sends: the document is asked about, its rows wait.
    desk.begin();
    desk.claim(&[("S-2", "f", "S-2")]).0.expect("claimed");
    desk.begin();
    assert_eq!(desk.state("S-2"), RecordState::Unknown);
    assert_eq!(desk.state("c"), Pending);
    desk.resolve(
        "S-2",
        Resolution::Done {
            id: None,
            number: None,
        },
    );
    assert_eq!(desk.state("c"), Done);
    desk.end();
}

/// A row that changes, or is cancelled, after it was frozen.
pub(super) fn changed_rows(open: &dyn Fn() -> Ledger) {
    use RecordState::{Dead, Done, Held, Pending, Skipped};
    // Not sent yet: taken apart, whatever row it was.
    let mut desk = desk(open);
    desk.stage(&[("a", "v1"), ("b", "v1")], OnSeen::UpdateIfChanged);
    assert!(freeze(&mut desk, 1, &[("a", "v1"), ("b", "v1")]));
    assert_eq!(desk.see("a", "v2"), SightingOutcome::Changed);
    assert_eq!(states(&desk, &["S-1", "a", "b"]), [Skipped, Pending, Pending]);
    assert_eq!(code(&desk, "S-1").as_deref(), Some(reason::DISSOLVED));
    assert_eq!(desk.claim(&[("S-1", "f", "S-1")]).0, None);
    assert!(!freeze(&mut desk, 1, &[("a", "v2")]), "a number is used once");
    assert!(freeze(&mut desk, 2, &[("a", "v2"), ("b", "v1")]));
    verified(&desk);
    // Refused: a row that was mended at the source is a new chance for all of them.
    let attempt = desk.claim(&[("S-2", "f", "S-2")]).0.expect("claimed");
    desk.settle(attempt, "S-2", Settlement::Dead(why("refused")));
    assert_eq!(states(&desk, &["a", "b"]), [Dead, Dead]);
    desk.see("a", "v3");
    assert_eq!(states(&desk, &["S-2", "a", "b"]), [Skipped, Pending, Pending]);
    assert!(freeze(&mut desk, 3, &[("a", "v3"), ("b", "v1")]));
    // On its way: the row is a person's.
    let attempt = desk.claim(&[("S-3", "f", "S-3")]).0.expect("claimed");
    assert_eq!(desk.see("a", "v4"), SightingOutcome::Changed);
    assert_eq!(
        states(&desk, &["S-3", "a", "b"]),
        [RecordState::Sending, Held, Pending]
    );
    let told = desk.record("a").reason.expect("it says why");
    assert_eq!(told.code, reason::MEMBER_CHANGED);
    assert!(told.text.contains("S-3"), "{told:?}");
    desk.settle(attempt, "S-3", done("S-3"));
    assert_eq!(states(&desk, &["S-3", "a", "b"]), [Done, Held, Done]);
    // Read again it is the same; cancelled it is still held.
    assert_eq!(desk.see("a", "v4"), SightingOutcome::Unchanged);
    let mut cancelled = row(0, "b", "v1");
    cancelled.void = true;
    let (op, blobs) = desk.page(vec![cancelled], OnSeen::UpdateIfChanged);
    desk.try_one(op, &blobs).expect("a page");
    assert_eq!(desk.state("b"), Held);
    // Whoever sees to the document says so; nothing is sent for it again.
    assert_eq!(
        desk.decide("a", RETRY),
        Ruling::Member {
            document: "S-3".to_owned()
        }
    );
    assert_eq!(desk.decide("a", Decision::Skip), Ruling::Moved(Skipped));
    assert_eq!(desk.see("a", "v4"), SightingOutcome::Unchanged);
    desk.see("a", "v5");
    assert_eq!(desk.state("a"), Held);
    assert_eq!(loose(&mut desk), []);
    assert_eq!(desk.pick(), []);
    desk.end();

    // Where rows that were seen are not looked at again, a refused document is.
    let mut desk = self::desk(open);
    desk.stage(&[("a", "v1"), ("b", "v1")], OnSeen::Skip);
    assert!(freeze(&mut desk, 1, &[("a", "v1"), ("b", "v1")]));
    desk.stage(&[("a", "v2")], OnSeen::Skip);
    assert_eq!(states(&desk, &["S-1", "a"]), [Pending, Pending]);
    let attempt = desk.claim(&[("S-1", "f", "S-1")]).0.expect("claimed");
    desk.settle(attempt, "S-1", Settlement::Dead(why("refused")));
    desk.stage(&[("a", "v2")], OnSeen::Skip);
    assert_eq!(states(&desk, &["S-1", "a", "b"]), [Skipped, Pending, Pending]);
    desk.end();

    // The scheme looks at other fields now, the row is the same: it is in its document.
    let mut desk = self::desk(open);
    desk.stage(&[("a", "v1")], OnSeen::UpdateIfChanged);
    assert!(freeze(&mut desk, 1, &[("a", "v1")]));
    let attempt = desk.claim(&[("S-1", "f", "S-1")]).0.expect("claimed");
    desk.settle(attempt, "S-1", done("S-1"));
    let (mut op, _) = desk.page(vec![row(0, "a", "w1")], OnSeen::UpdateIfChanged);
    let mut blobs = Blobs::new();
    blobs.insert(Blob(0), b"{\"key\":[\"a\"],\"v\":\"v1\"}".to_vec());
    if let LedgerOp::StagePage { rows, .. } = &mut op {
        rows[0].version = "w1".to_owned();
    }
    desk.try_one(op, &blobs).expect("a page");
    assert_eq!(desk.state("a"), Done);
    desk.end();
}

/// What people say of a document is said of its rows; of a row only where its document was not written.
pub(super) fn people(open: &dyn Fn() -> Ledger) {
    use RecordState::{Dead, Pending, Skipped, Unknown};
    let mut desk = desk(open);
    desk.stage(&[("a", "v1"), ("b", "v1")], OnSeen::UpdateIfChanged);
    assert!(freeze(&mut desk, 1, &[("a", "v1"), ("b", "v1")]));
    let member = Ruling::Member {
        document: "S-1".to_owned(),
    };
    assert_eq!(desk.decide("a", Decision::Skip), member);
    assert_eq!(desk.decide("a", Decision::Hold), member);
    let attempt = desk.claim(&[("S-1", "f", "S-1")]).0.expect("claimed");
    desk.settle(attempt, "S-1", Settlement::Dead(why("refused")));
    assert_eq!(desk.decide("S-1", RETRY), Ruling::Moved(Pending));
    assert_eq!(desk.state("a"), Pending);
    let attempt = desk.claim(&[("S-1", "f", "S-1")]).0.expect("claimed");
    desk.settle(attempt, "S-1", Settlement::Dead(why("refused")));
    // Together with its rows: they follow it, whichever comes first.
    let rows = ["a", "S-1", "b"].map(|key| {
        let record = desk.record(key);
        Decided {
            record: record.record,
            state: record.state,
            version: record.version,
            attempt: record.attempt,
            decision: RETRY,
        }
    });
    let all = LedgerOp::Decide {
        rows: rows.to_vec(),
        who: "li".into(),
        reason: "all of them".into(),
        now: desk.now,
    };
    let moved = Ruling::Moved(Pending);
    assert_eq!(
        desk.one(all),
        LedgerReply::Decided(vec![moved.clone(), moved.clone(), moved])
    );
    assert_eq!(states(&desk, &["S-1", "a", "b"]), [Pending, Pending, Pending]);
    let attempt = desk.claim(&[("S-1", "f", "S-1")]).0.expect("claimed");
    desk.settle(attempt, "S-1", Settlement::Dead(why("refused")));
    // A row of it: the document is taken apart.
    assert_eq!(desk.decide("a", RETRY), Ruling::Moved(Pending));
    assert_eq!(states(&desk, &["S-1", "a", "b"]), [Skipped, Pending, Pending]);
    assert!(freeze(&mut desk, 2, &[("a", "v1"), ("b", "v1")]));
    // A document that is skipped takes its rows along; one that changes at the source comes back alone.
    assert_eq!(desk.decide("S-2", Decision::Skip), Ruling::Moved(Skipped));
    assert_eq!(states(&desk, &["a", "b"]), [Skipped, Skipped]);
    desk.see("a", "v2");
    assert_eq!(states(&desk, &["S-2", "a", "b"]), [Skipped, Pending, Skipped]);
    assert!(freeze(&mut desk, 3, &[("a", "v2")]));
    // One whose answer was lost may have been written.
    let attempt = desk.claim(&[("S-3", "f", "S-3")]).0.expect("claimed");
    let lost = Settlement::Unknown {
        resolve_after: desk.now,
        reason: why("lost"),
    };
    desk.settle(attempt, "S-3", lost);
    assert_eq!(states(&desk, &["S-3", "a"]), [Unknown, Pending]);
    desk.see("a", "v3");
    assert_eq!(states(&desk, &["S-3", "a"]), [Unknown, RecordState::Held]);
    // It was not there after all, and is refused: the row may go on.
    desk.resolve("S-3", Resolution::Dead(why("refused")));
    assert_eq!(desk.state("S-3"), Dead);
    assert_eq!(desk.decide("a", RETRY), Ruling::Moved(Pending));
    assert_eq!(loose(&mut desk).len(), 1);
    desk.end();
}

/// A ledger that has forgotten a life: nobody but a person knows whether a row is in a document, and what number a new
/// document may have is asked.
pub(super) fn forgotten(open: &dyn Fn() -> Ledger) {
    use RecordState::{Done, Held, Pending, Skipped, Unknown};
    let mut desk = desk(open);
    desk.stage(&[("a", "v1"), ("b", "v1"), ("c", "v1")], OnSeen::UpdateIfChanged);
    assert!(freeze(&mut desk, 1, &[("a", "v1")]));
    desk.suspect(SuspectKind::Restored, desk.now, desk.now);
    assert_eq!(states(&desk, &["S-1", "a"]), [Unknown, Pending]);
    assert_eq!(states(&desk, &["b", "c"]), [Held, Held]);
    assert_eq!(code(&desk, "b").as_deref(), Some(reason::MAYBE_IN_A_DOCUMENT));
    desk.see("d", "v1");
    assert_eq!(desk.state("d"), Held, "what is read of the time before, too");
    // It is there: it is the one of the copy. If it were not, its rows might be in another one.
    assert!(desk.identify("S-1", "f", "S-1"));
    desk.resolve("S-1", Resolution::Resend);
    assert_eq!(states(&desk, &["S-1", "a"]), [Held, Held]);
    assert_eq!(code(&desk, "S-1").as_deref(), Some(reason::MAYBE_IN_A_DOCUMENT));
    assert_eq!(desk.decide("S-1", Decision::NotThere), Ruling::Moved(Pending));
    assert_eq!(desk.state("a"), Pending);
    // A person says of rows whether they are booked.
    assert_eq!(desk.decide("b", RETRY), Ruling::Moved(Pending));
    assert_eq!(desk.decide("c", RETRY), Ruling::Moved(Pending));
    assert_eq!(desk.decide("d", Decision::Skip), Ruling::Moved(Skipped));
    assert_eq!(loose(&mut desk).len(), 2);
    // The number of a new document may be taken by one that is forgotten: it is asked for, and what is found is another.
    assert!(freeze(&mut desk, 2, &[("b", "v1"), ("c", "v1")]));
    assert_eq!(desk.state("S-2"), Unknown);
    assert!(desk.identify("S-2", "f", "S-2"));
    let found = Resolution::Done {
        id: Some("7".into()),
        number: None,
    };
    let part = desk.record("S-2").record;
    let found = LedgerOp::Resolve {
        rows: vec![(part, found)],
        now: desk.now,
    };
    let given = super::steps::followed(&mut desk, found, part, "{}");
    assert_eq!(given, 0, "it is not the document of these rows");
    let sources = desk.ledger.reader().sources(&[part]).expect("a row");
    assert_eq!(sources[0].saved, None);
    assert_eq!(states(&desk, &["S-2", "b", "c"]), [Held, Held, Held]);
    assert_eq!(code(&desk, "S-2").as_deref(), Some(reason::NUMBER_FOUND));
    // The rows are decided about one by one, and the document is none any more.
    assert_eq!(desk.decide("b", RETRY), Ruling::Moved(Pending));
    assert_eq!(states(&desk, &["S-2", "b", "c"]), [Skipped, Pending, Held]);
    assert_eq!(desk.decide("c", Decision::Skip), Ruling::Moved(Skipped));
    assert_eq!(
        loose(&mut desk).len(),
        1,
        "who retries a row says that it is in none"
    );
    assert!(freeze(&mut desk, 3, &[("b", "v1")]));
    assert!(desk.identify("S-3", "f", "S-3"));
    desk.resolve("S-3", Resolution::Resend);
    assert_eq!(states(&desk, &["S-3", "b"]), [Pending, Pending]);
    let attempt = desk.claim(&[("S-3", "f", "S-3")]).0.expect("claimed");
    desk.settle(attempt, "S-3", done("S-3"));
    assert_eq!(desk.state("b"), Done);
    desk.end();
}

/// A row of which a person said that it is in a document unknown here is in no other one when it changes, whether it
/// changed before or after that was said; nor is one that was seen to before its document was taken apart.
pub(super) fn booked_elsewhere(open: &dyn Fn() -> Ledger) {
    use RecordState::{Held, Pending, Skipped, Unknown};
    let mut desk = desk(open);
    desk.suspect(SuspectKind::Restored, desk.now, desk.now);
    let keys = ["a", "b", "c", "d"];
    desk.stage(&keys.map(|key| (key, "v1")), OnSeen::UpdateIfChanged);
    for key in keys {
        assert_eq!(desk.decide(key, RETRY), Ruling::Moved(Pending));
    }
    assert!(freeze(&mut desk, 1, &keys.map(|key| (key, "v1"))));
    assert_eq!(desk.state("S-1"), Unknown);
    desk.see("d", "v2");
    assert_eq!(desk.decide("d", Decision::Skip), Ruling::Moved(Skipped));
    assert!(desk.identify("S-1", "f", "S-1"));
    let found = Resolution::Done {
        id: Some("7".into()),
        number: None,
    };
    desk.resolve("S-1", found);
    assert_eq!(code(&desk, "S-1").as_deref(), Some(reason::NUMBER_FOUND));
    assert_eq!(desk.decide("a", RETRY), Ruling::Moved(Pending));
    assert_eq!(states(&desk, &keys), [Pending, Held, Held, Skipped]);
    // The doubt about what is read is over; that about these rows is not.
    desk.open_window(Interval { from: 0, to: 0 });
    let (mut last, blobs) = desk.page(Vec::new(), OnSeen::Skip);
    if let LedgerOp::StagePage { close, .. } = &mut last {
        *close = Some(None);
    }
    desk.try_one(last, &blobs).expect("a page");
    desk.open_window(Interval { from: 0, to: 0 });
    desk.see("b", "v2");
    assert_eq!(desk.decide("b", Decision::Skip), Ruling::Moved(Held));
    assert_eq!(desk.decide("b", Decision::Skip), Ruling::Moved(Skipped));
    assert_eq!(desk.decide("c", Decision::Skip), Ruling::Moved(Skipped));
    for (key, version) in [("b", "v3"), ("c", "v2"), ("d", "v3")] {
        desk.see(key, version);
        assert_eq!(desk.state(key), Held, "{key}");
        assert_eq!(
            code(&desk, key).as_deref(),
            Some(reason::MAYBE_IN_A_DOCUMENT),
            "{key}"
        );
    }
    let picked: Vec<RecordId> = loose(&mut desk).iter().map(|row| row.record).collect();
    assert_eq!(picked, [desk.record("a").record]);
    desk.see("new", "v1");
    assert_eq!(desk.state("new"), Pending);
    verified(&desk);
    desk.end();
}
