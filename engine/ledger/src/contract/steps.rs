//! Documents that take several calls, sends in doubt, targets that cannot be reached, waits that were tried.

use flow::codes;
use flow::decision::{Decision, Ruling};
use flow::ids::{Blob, Ms, RecordId};
use flow::op::{
    ClaimRow, LedgerOp, LedgerReply, NewPush, Reason, RecordState, Refusal, Resolution, Settlement, WAIT_GAP,
    WriteAction,
};

use super::{Desk, done, row, why};
use crate::service::inbox::REPEATED_FOR;
use crate::{Blobs, Ledger};
use flow::op::{ClaimRefused, OnSeen, SightingOutcome, StagedRow, SuspectKind};
use flow::window::Interval;

/// The scheme that is given rows.
const TAKER: &str = "takers";

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

/// Claims the document of a step of a record under a key of its own.
fn claim_document(
    desk: &mut Desk,
    of: (&str, &str, &str),
    action: WriteAction,
) -> (Option<flow::ids::AttemptId>, Vec<ClaimRefused>) {
    claim_call(desk, of, action, "contact")
}

fn claim_call(
    desk: &mut Desk,
    (key, version, tkey): (&str, &str, &str),
    action: WriteAction,
    call: &str,
) -> (Option<flow::ids::AttemptId>, Vec<ClaimRefused>) {
    let mut blobs = Blobs::new();
    blobs.insert(Blob(0), b"{}".to_vec());
    let claim = LedgerOp::Claim {
        run: desk.run,
        target: "k3".into(),
        rows: vec![ClaimRow {
            record: desk.record(key).record,
            version: version.into(),
            action,
            step: Some(call.into()),
            form: "BD_CommonContact".into(),
            tkey: format!("[\"{tkey}\"]"),
            payload: Blob(0),
            wrote: Vec::new(),
        }],
        resolve_after: desk.now + 500,
        now: desk.now,
    };
    match desk.try_one(claim, &blobs).expect("a claim") {
        LedgerReply::Claimed { attempt, refused } => {
            (attempt, refused.into_iter().map(|(_, why)| why).collect())
        }
        other => panic!("{other:?}"),
    }
}

/// A record whose document is written, at the step that writes a second one.
fn at_contact(desk: &mut Desk, key: &str, version: &str) {
    desk.see(key, version);
    let attempt = desk.claim(&[(key, version, key)]).0.expect("claimed");
    let stepped = Settlement::Stepped {
        id: Some(format!("id of {key}")),
        number: None,
        lines: None,
        next: "contact".into(),
    };
    assert!(desk.settle(attempt, key, stepped));
}

/// The document of a step has a key of its own, which is frozen before the first send and no other record may have.
pub(super) fn documents(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    at_contact(&mut desk, "a", "v1");
    at_contact(&mut desk, "b", "v1");
    let attempt = claim_document(&mut desk, ("a", "v1", "C1"), WriteAction::Create).0;
    let attempt = attempt.expect("claimed");
    // A crash behind the send: asked about under the step's key.
    desk.begin();
    desk.now += 500;
    let unknown = desk.unknown().0.remove(0);
    assert_eq!(
        (unknown.step.as_deref(), unknown.action, unknown.tkey.as_str()),
        (Some("contact"), WriteAction::Create, "[\"C1\"]")
    );
    assert_eq!(unknown.suspect, None);
    // What was sent for the step is not what was sent for the record's own document.
    let stored = |step| {
        let reader = desk.ledger.reader();
        let found = reader.stored_document(desk.record("a").record, "v1", step);
        found.expect("a question").map(|(attempt, _)| attempt)
    };
    assert_eq!(stored(Some("contact")), Some(attempt));
    assert!(stored(None).is_some_and(|own| own != attempt));
    // Another record may not have that key, while it is in doubt and when it is made.
    let (claimed, refused) = claim_document(&mut desk, ("b", "v1", "C1"), WriteAction::Create);
    assert_eq!(claimed, None);
    assert!(
        matches!(refused.as_slice(), [ClaimRefused::KeyTaken { holder }] if holder.contains('a')),
        "{refused:?}"
    );
    assert_eq!(desk.record("b").state, RecordState::Held);
    let found = Resolution::Done {
        id: Some("81".into()),
        number: Some("C1".into()),
    };
    assert!(desk.resolve("a", found));
    let record = desk.record("a");
    assert_eq!(
        (record.state, record.target_id.as_deref()),
        (RecordState::Done, Some("id of a"))
    );
    let sources = desk.ledger.reader().sources(&[record.record]).expect("a row");
    let made = &sources[0].steps[0];
    assert_eq!((made.step.as_str(), made.id.as_deref()), ("contact", Some("81")));
    // What is made under one key is not made under another one.
    at_contact(&mut desk, "a", "v2");
    let (claimed, _) = claim_document(&mut desk, ("a", "v2", "C2"), WriteAction::Update);
    assert_eq!(claimed, None);
    assert_eq!(desk.record("a").state, RecordState::Held);
    desk.end();
}

/// A step that is made for each line is a step for each line: claimed, frozen, asked about and settled by itself.
pub(super) fn lines_of_a_step(open: &dyn Fn() -> Ledger) {
    let [one, two] = [r#"contact/["1"]"#, r#"contact/["2"]"#];
    let next = |next: &str, id: &str| Settlement::Stepped {
        id: Some(id.into()),
        number: None,
        lines: None,
        next: next.into(),
    };
    let mut desk = Desk::new(open());
    desk.see("a", "v1");
    let attempt = desk.claim(&[("a", "v1", "a")]).0.expect("claimed");
    assert!(desk.settle(attempt, "a", next(one, "10")));
    // It stands at the first line, and no other one is claimed.
    let create = WriteAction::Create;
    assert_eq!(claim_call(&mut desk, ("a", "v1", "C1"), create, two).0, None);
    let attempt = claim_call(&mut desk, ("a", "v1", "C1"), create, one).0;
    assert!(desk.settle(attempt.expect("claimed"), "a", next(two, "81")));
    // Two lines may not have one document.
    let (claimed, refused) = claim_call(&mut desk, ("a", "v1", "C1"), create, two);
    assert_eq!(claimed, None);
    assert!(
        matches!(refused.as_slice(), [ClaimRefused::KeyTaken { holder }] if holder == "[\"a\"] contact/[\"1\"]"),
        "{refused:?}"
    );
    assert_eq!(desk.record("a").state, RecordState::Held);
    assert_eq!(
        desk.decide("a", Decision::NotThere),
        Ruling::Moved(RecordState::Pending)
    );
    let attempt = claim_call(&mut desk, ("a", "v1", "C2"), create, two).0;
    assert!(attempt.is_some());
    // A crash behind the send: it is this line that is asked about.
    desk.begin();
    desk.now += 500;
    let unknown = desk.unknown().0.remove(0);
    assert_eq!(
        (unknown.step.as_deref(), unknown.tkey.as_str()),
        (Some(two), "[\"C2\"]")
    );
    assert!(desk.resolve("a", Resolution::Resend));
    assert_eq!(desk.record("a").step.as_deref(), Some(two));
    let attempt = claim_call(&mut desk, ("a", "v1", "C2"), create, two).0;
    let end = Settlement::Done {
        id: Some("82".into()),
        number: None,
        lines: None,
    };
    assert!(desk.settle(attempt.expect("claimed"), "a", end));
    let record = desk.record("a");
    assert_eq!(
        (record.state, record.target_id.as_deref()),
        (RecordState::Done, Some("10"))
    );
    let sources = desk.ledger.reader().sources(&[record.record]).expect("a row");
    let made: Vec<(&str, Option<&str>)> = sources[0]
        .steps
        .iter()
        .map(|made| (made.step.as_str(), made.id.as_deref()))
        .collect();
    assert_eq!(made, [(one, Some("81")), (two, Some("82"))]);
    desk.end();
}

/// What was lost of a step is in doubt until something proves the contrary: writing the record's own document anew, or leaving
/// it aside, is no such thing, and neither is another key.
pub(super) fn a_lost_step_under_another_key(open: &dyn Fn() -> Ledger) {
    let lost = |desk: &Desk, code: &str| Settlement::Unknown {
        resolve_after: desk.now,
        reason: Reason::new(code, "lost"),
    };
    for ended in ["refused", "skipped", "crashed"] {
        let mut desk = Desk::new(open());
        at_contact(&mut desk, "a", "v1");
        let create =
            |desk: &mut Desk, version, tkey| claim_document(desk, ("a", version, tkey), WriteAction::Create);
        let attempt = create(&mut desk, "v1", "C1").0.expect("claimed");
        if ended == "crashed" {
            desk.begin();
            desk.now += 500;
        } else {
            let lost = lost(&desk, "E7002");
            assert!(desk.settle(attempt, "a", lost));
        }
        assert!(desk.resolve("a", Resolution::Resend));
        let attempt = create(&mut desk, "v1", "C1").0.expect("sent again");
        assert!(desk.settle(attempt, "a", Settlement::Dead(why("no"))));
        if ended == "skipped" {
            let skipped = Ruling::Moved(RecordState::Skipped);
            assert_eq!(desk.decide("a", Decision::Skip), skipped);
        }
        at_contact(&mut desk, "a", "v2");
        let (claimed, refused) = create(&mut desk, "v2", "C2");
        assert_eq!(claimed, None, "{ended}: {refused:?}");
        let record = desk.record("a");
        let why = record.reason.expect("it says why");
        assert_eq!((record.state, why.code.as_str()), (RecordState::Held, "E5031"));
        // Only a person can say that it is not there.
        let pending = Ruling::Moved(RecordState::Pending);
        assert_eq!(desk.decide("a", Decision::NotThere), pending);
        // Of what a person left aside the target is asked, in any case.
        let claimed = create(&mut desk, "v2", "C2").0;
        assert_eq!(claimed.is_some(), ended != "skipped", "{ended}");
        let asked = desk.state("a") == RecordState::Unknown;
        assert_eq!(asked, ended == "skipped", "{ended}");
        desk.end();
    }
    // A number that is taken is a refusal: another one is free to be sent.
    let mut desk = Desk::new(open());
    at_contact(&mut desk, "a", "v1");
    let attempt = claim_document(&mut desk, ("a", "v1", "C1"), WriteAction::Create).0;
    let taken = lost(&desk, codes::EXISTS);
    assert!(desk.settle(attempt.expect("claimed"), "a", taken));
    let conflict = Reason::new(codes::KEY_CONFLICT, "of somebody else");
    assert!(desk.resolve("a", Resolution::Held(conflict)));
    desk.see("a", "v2");
    assert_eq!(
        desk.decide("a", Decision::Skip),
        Ruling::Moved(RecordState::Pending)
    );
    at_contact(&mut desk, "a", "v2");
    let claimed = claim_document(&mut desk, ("a", "v2", "C2"), WriteAction::Create).0;
    assert!(claimed.is_some());
    desk.end();
}

/// What a person says of a record at the step that writes a second document is about that one.
pub(super) fn what_people_say_of_documents(open: &dyn Fn() -> Ledger) {
    let done_as = Decision::DoneAs {
        id: "81".into(),
        number: Some("C1".into()),
    };
    let made = |desk: &Desk| {
        let sources = desk.ledger.reader().sources(&[desk.record("a").record]);
        let steps = sources.expect("a row").remove(0).steps;
        let steps = steps.into_iter().filter(|made| made.step == "contact");
        steps.map(|made| (made.id, made.said)).next()
    };
    let at_step = |desk: &Desk, state| {
        let record = desk.record("a");
        let at = (record.state, record.step.as_deref(), record.target_id.as_deref());
        assert_eq!(at, (state, Some("contact"), Some("id of a")));
    };
    for settlement in [
        Settlement::Dead(why("no")),
        Settlement::Held(why("who knows")),
        Settlement::Unknown {
            resolve_after: 1 << 50,
            reason: why("lost"),
        },
    ] {
        // Not there: the step is made once more, the record's own document is not.
        let mut desk = Desk::new(open());
        at_contact(&mut desk, "a", "v1");
        let claimed = claim_document(&mut desk, ("a", "v1", "C1"), WriteAction::Create).0;
        assert!(desk.settle(claimed.expect("claimed"), "a", settlement.clone()));
        let pending = Ruling::Moved(RecordState::Pending);
        assert_eq!(desk.decide("a", Decision::NotThere), pending);
        at_step(&desk, RecordState::Pending);
        assert_eq!(
            desk.ledger
                .reader()
                .mappings(desk.record("a").record)
                .expect("mappings")
                .len(),
            1
        );
        desk.now = 1 << 51;
        let claimed = claim_document(&mut desk, ("a", "v1", "C1"), WriteAction::Create).0;
        assert!(desk.settle(claimed.expect("claimed again"), "a", settlement));
        // There: it goes on with whatever the scheme says is next, and nothing is sent before that.
        let unknown = Ruling::Moved(RecordState::Unknown);
        assert_eq!(desk.decide("a", done_as.clone()), unknown);
        at_step(&desk, RecordState::Unknown);
        assert_eq!(made(&desk), Some((Some("81".into()), true)));
        let question = desk.unknown().0.remove(0);
        assert!(question.said, "{question:?}");
        let answer = Resolution::Stepped {
            id: Some("81".into()),
            number: None,
            next: "submit".into(),
        };
        assert!(desk.resolve("a", answer));
        let record = desk.record("a");
        assert_eq!(
            (record.state, record.step.as_deref(), record.target_id.as_deref()),
            (RecordState::Pending, Some("submit"), Some("id of a"))
        );
        assert_eq!(made(&desk), Some((Some("81".into()), false)));
        desk.end();
    }
    // What was said is taken back.
    let mut desk = Desk::new(open());
    at_contact(&mut desk, "a", "v1");
    let claimed = claim_document(&mut desk, ("a", "v1", "C1"), WriteAction::Create).0;
    assert!(desk.settle(claimed.expect("claimed"), "a", Settlement::Dead(why("no"))));
    desk.decide("a", done_as.clone());
    desk.decide("a", Decision::NotThere);
    at_step(&desk, RecordState::Pending);
    assert_eq!(made(&desk), None);
    desk.end();
    // Refused before anything of the step was sent: there is nothing that an id could be of.
    let mut desk = Desk::new(open());
    at_contact(&mut desk, "a", "v1");
    assert!(desk.refuse("a", "v1", Refusal::Dead(why("no template"))));
    let state = RecordState::Dead;
    assert_eq!(desk.decide("a", done_as), Ruling::Unfit { state });
    desk.decide("a", Decision::NotThere);
    at_step(&desk, RecordState::Pending);
    desk.end();
}

/// A life that is forgotten may have made the documents of steps, whatever is known of the record's own.
pub(super) fn documents_under_suspicion(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    for key in ["a", "d"] {
        at_contact(&mut desk, key, "v1");
    }
    desk.suspect(SuspectKind::Restored, desk.now, desk.now);
    let (claimed, refused) = claim_document(&mut desk, ("a", "v1", "C1"), WriteAction::Create);
    assert_eq!((claimed, refused), (None, vec![ClaimRefused::Stale]));
    let unknown = desk.unknown().0.remove(0);
    assert_eq!(
        (unknown.step.as_deref(), unknown.tkey.as_str(), unknown.suspect),
        (Some("contact"), "[\"C1\"]", Some(SuspectKind::Restored))
    );
    // Not there: it is made, and asked about no second time.
    assert!(desk.resolve("a", Resolution::Resend));
    let claimed = claim_document(&mut desk, ("a", "v1", "C1"), WriteAction::Create).0;
    let attempt = claimed.expect("asked already");
    assert!(desk.settle(attempt, "a", done("7")));
    assert_eq!(desk.record("a").state, RecordState::Done);
    // There, in whatever version: the record stands at the step, which updates what is there.
    let claimed = claim_document(&mut desk, ("d", "v1", "C4"), WriteAction::Create).0;
    assert_eq!(claimed, None, "asked first");
    let known = Resolution::Known {
        id: "84".into(),
        number: None,
    };
    assert!(desk.resolve("d", known));
    let record = desk.record("d");
    assert_eq!(
        (record.state, record.step.as_deref(), record.target_id.as_deref()),
        (RecordState::Pending, Some("contact"), Some("id of d"))
    );
    let made = desk.ledger.reader().sources(&[record.record]).expect("a row");
    assert_eq!(made[0].steps[0].id.as_deref(), Some("84"));
    let claimed = claim_document(&mut desk, ("d", "v1", "C4"), WriteAction::Update).0;
    assert!(desk.settle(claimed.expect("the update"), "d", done("84")));
    assert_eq!(desk.record("d").done_version.as_deref(), Some("v1"));
    // A record whose own document is found is remembered, too.
    desk.see("b", "v1");
    desk.suspect(SuspectKind::Restored, desk.now, desk.now);
    desk.now += 500;
    let found = Resolution::Stepped {
        id: Some("9".into()),
        number: None,
        next: "contact".into(),
    };
    assert!(desk.resolve("b", found));
    let (claimed, _) = claim_document(&mut desk, ("b", "v1", "C9"), WriteAction::Create);
    assert_eq!(claimed, None, "asked first");
    desk.end();
}

/// What another tool made of a step is taken as it is, as long as the version is the one that was taken over; behind a
/// version that was written here it is not what the record says.
pub(super) fn documents_that_are_taken_over(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    let suspected = |desk: &mut Desk, version: &str, call: &str| {
        let claimed = claim_call(desk, ("a", version, call), WriteAction::Create, call).0;
        assert_eq!(claimed, None, "asked first");
        desk.now += 500;
        desk.unknown().0.remove(0).suspect
    };
    desk.see("a", "v1");
    desk.suspect(SuspectKind::Adopted, desk.now, desk.now);
    desk.now += 500;
    let found = Resolution::Stepped {
        id: Some("9".into()),
        number: None,
        next: "contact".into(),
    };
    assert!(desk.resolve("a", found));
    assert_eq!(suspected(&mut desk, "v1", "contact"), Some(SuspectKind::Adopted));
    let found = Resolution::Done {
        id: Some("81".into()),
        number: None,
    };
    assert!(desk.resolve("a", found));
    desk.see("a", "v2");
    let attempt = desk.claim(&[("a", "v2", "a")]).0.expect("claimed");
    assert!(desk.settle(attempt, "a", stepped("bill")));
    assert_eq!(suspected(&mut desk, "v2", "bill"), Some(SuspectKind::Restored));
    desk.end();
}

/// A person has one call of a record asked about: that is no reason to ask about its other ones.
pub(super) fn a_doubt_ends_with_its_answer(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    at_contact(&mut desk, "a", "v1");
    let attempt = claim_document(&mut desk, ("a", "v1", "C1"), WriteAction::Create).0;
    let end = Settlement::Held(why("half"));
    assert!(desk.settle(attempt.expect("claimed"), "a", end));
    let again = Decision::Retry(flow::decision::Content::Latest);
    assert_eq!(desk.decide("a", again), Ruling::Moved(RecordState::Unknown));
    desk.now += 500;
    let found = Resolution::Stepped {
        id: Some("81".into()),
        number: None,
        next: "tell".into(),
    };
    assert!(desk.resolve("a", found));
    let tell = claim_call(&mut desk, ("a", "v1", "T1"), WriteAction::Create, "tell");
    assert!(tell.0.is_some(), "{tell:?}");
    desk.end();
}

fn settle_op(desk: &Desk, attempt: flow::ids::AttemptId, record: RecordId, end: Settlement) -> LedgerOp {
    LedgerOp::Settle {
        attempt,
        outcome: "ok".into(),
        http_status: None,
        excerpt: None,
        vendor_trace: None,
        rows: vec![(record, end)],
        now: desk.now,
    }
}

/// Ends a call as its caller believes that it ended, with what is then kept and given in the same transaction; gives how
/// many rows the taker has.
pub(super) fn followed(desk: &mut Desk, end: LedgerOp, record: RecordId, body: &str) -> u64 {
    followed_to(desk, TAKER, end, (record, body))
}

fn followed_to(desk: &mut Desk, taker: &str, end: LedgerOp, (record, body): (RecordId, &str)) -> u64 {
    let blobs = Blobs::from_iter([(Blob(0), body.as_bytes().to_vec())]);
    let save = LedgerOp::Save {
        rows: vec![(record, Blob(0))],
    };
    let give = LedgerOp::StorePush {
        giver: Some(record),
        scheme: taker.to_owned(),
        push: NewPush {
            sender: format!("of {record}"),
            hash: [body.bytes().fold(0, u8::wrapping_add); 32],
            void: false,
            creates: None,
            rows: 1,
            content: Blob(0),
            doubt: None,
            most_rows: u64::MAX,
            most_bytes: u64::MAX,
        },
        now: desk.now,
    };
    desk.ledger
        .apply(&[end, save, give], &blobs)
        .expect("a transaction");
    let scheme = taker.to_owned();
    match desk.one(LedgerOp::CountPushes { scheme }) {
        LedgerReply::Waiting(waiting) => waiting,
        other => panic!("{other:?}"),
    }
}

/// Of a call that the ledger does not take as accepted nothing is kept, and nothing is given.
pub(super) fn what_is_turned_down(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    desk.see("a", "v1");
    let record = desk.record("a").record;
    let attempt = desk.claim(&[("a", "v1", "a")]).0.expect("claimed");
    let lost = Settlement::Unknown {
        resolve_after: desk.now,
        reason: why("lost"),
    };
    assert!(desk.settle(attempt, "a", lost));
    // A person decides while a question is under way.
    assert_eq!(
        desk.decide("a", Decision::NotThere),
        Ruling::Moved(RecordState::Pending)
    );
    let found = LedgerOp::Resolve {
        rows: vec![(
            record,
            Resolution::Done {
                id: Some("1".into()),
                number: None,
            },
        )],
        now: desk.now,
    };
    assert_eq!(followed(&mut desk, found, record, "{}"), 0);
    let late = settle_op(&desk, attempt, record, done("a"));
    assert_eq!(followed(&mut desk, late, record, "{}"), 0);
    let sources = desk.ledger.reader().sources(&[record]).expect("a row");
    assert_eq!(sources[0].saved, None);
    assert_eq!(desk.state("a"), RecordState::Pending);
    desk.end();
}

/// What another tool has made gives nothing, and what is sent because it was not there does. A row that may have been given
/// before carries that doubt, however late it comes, and no other row does.
pub(super) fn what_others_made(open: &dyn Fn() -> Ledger) {
    let found = |desk: &Desk, record| LedgerOp::Resolve {
        rows: vec![(
            record,
            Resolution::Done {
                id: Some(format!("id of {record}")),
                number: None,
            },
        )],
        now: desk.now,
    };
    let doubts = |desk: &Desk| {
        let waiting = desk.ledger.reader().waiting_pushes(TAKER, 100, 100, 1 << 20);
        let waiting = waiting.expect("pushes").0;
        waiting.into_iter().map(|push| push.doubt).collect::<Vec<_>>()
    };
    let mut desk = Desk::new(open());
    for key in ["a", "b"] {
        desk.see(key, "v1");
    }
    desk.suspect(SuspectKind::Adopted, desk.now, desk.now);
    let record = desk.record("a").record;
    assert!(desk.identify("a", "v1", "a"));
    let end = found(&desk, record);
    assert_eq!(followed(&mut desk, end, record, "{}"), 0);
    assert_eq!(desk.state("a"), RecordState::Done);
    assert!(desk.identify("b", "v1", "b"));
    assert!(desk.resolve("b", Resolution::Resend));
    let of_b = desk.record("b").record;
    let attempt = desk.claim(&[("b", "v1", "b")]).0.expect("claimed");
    let end = settle_op(&desk, attempt, of_b, done("b"));
    assert_eq!(followed(&mut desk, end, of_b, "{}"), 1, "it is ours");
    assert_eq!(doubts(&desk), [None]);
    // What the other tool has made changes: its taker may know nothing of it, and asks. Once it was given it is ours.
    desk.now += REPEATED_FOR + 1;
    for (version, doubt) in [("v2", Some(SuspectKind::Restored)), ("v3", None)] {
        desk.see("a", version);
        let attempt = desk.claim(&[("a", version, "a")]).0.expect("claimed");
        let end = settle_op(&desk, attempt, record, done("a"));
        followed(&mut desk, end, record, version);
        assert_eq!(doubts(&desk).last(), Some(&doubt), "{version}");
    }
    desk.end();

    // A life that is forgotten may have given what was open, and what is read of its time, in any version.
    let mut desk = Desk::new(open());
    for key in ["a", "b", "c"] {
        desk.see(key, "v1");
    }
    for key in ["b", "c"] {
        let attempt = desk.claim(&[(key, "v1", key)]).0.expect("claimed");
        let record = desk.record(key).record;
        let end = settle_op(&desk, attempt, record, done(key));
        followed(&mut desk, end, record, "{}");
    }
    desk.suspect(SuspectKind::Restored, desk.now, desk.now);
    assert!(desk.identify("a", "v1", "a"));
    desk.see("b", "v2");
    for window in 0..3 {
        desk.begin();
        desk.open_window(Interval {
            from: desk.now,
            to: desk.now + 1,
        });
        let (mut last, blobs) = desk.page(Vec::new(), OnSeen::Skip);
        if let LedgerOp::StagePage { close, .. } = &mut last {
            *close = Some(Some(Interval {
                from: desk.now,
                to: desk.now + 1,
            }));
        }
        desk.try_one(last, &blobs).expect("a page");
        desk.now += 1 + window;
    }
    desk.begin();
    desk.open_window(Interval {
        from: desk.now,
        to: desk.now + 1,
    });
    desk.see("c", "v2");
    desk.see("new", "v1");
    assert_eq!(
        desk.state("new"),
        RecordState::Pending,
        "the time of doubt is over"
    );
    desk.now += REPEATED_FOR + 1;
    let record = desk.record("a").record;
    let end = found(&desk, record);
    followed(&mut desk, end, record, "a");
    for (key, version) in [("b", "v2"), ("c", "v2"), ("new", "v1")] {
        let attempt = desk.claim(&[(key, version, key)]).0.expect("claimed");
        let record = desk.record(key).record;
        let end = settle_op(&desk, attempt, record, done(key));
        followed(&mut desk, end, record, key);
    }
    let lost = Some(SuspectKind::Restored);
    assert_eq!(doubts(&desk), [None, None, lost, lost, None, None]);

    // The record that is made of such a row is asked for before it is made, and gives with that doubt itself.
    let given = |i, key, version, doubt| StagedRow {
        doubt,
        ..row(i, key, version)
    };
    let rows = vec![given(0, "late", "v1", lost), given(1, "own", "v1", None)];
    let (op, blobs) = desk.page(rows, OnSeen::UpdateIfChanged);
    desk.try_one(op, &blobs).expect("a page");
    assert_eq!(desk.state("late"), RecordState::Unknown);
    assert_eq!(desk.state("own"), RecordState::Pending);
    assert!(desk.identify("late", "v1", "late"));
    let record = desk.record("late").record;
    let end = found(&desk, record);
    followed(&mut desk, end, record, "late");
    assert_eq!(doubts(&desk).last(), Some(&lost));
    desk.end();
}

/// Where the scheme changes no document, a changed row is a new chance for a step that was refused, and what is called done
/// is what the document says.
pub(super) fn unchanged(open: &dyn Fn() -> Ledger) {
    let at_refused = |on_seen| {
        let mut desk = Desk::new(open());
        desk.updates = false;
        desk.stage(&[("a", "v1")], on_seen);
        let attempt = desk.claim(&[("a", "v1", "a")]).0.expect("claimed");
        desk.settle(attempt, "a", stepped("submit"));
        let attempt = claim_at(&mut desk, "v1", Some("submit")).expect("claimed");
        desk.settle(attempt, "a", Settlement::Dead(why("no")));
        desk
    };
    let at = |desk: &Desk| {
        let record = desk.record("a");
        (record.state, record.version, record.waiting_version, record.step)
    };
    let stands = |state, newer: &str| {
        let step = Some("submit".to_owned());
        (state, "v1".to_owned(), Some(newer.to_owned()), step)
    };
    for on_seen in [OnSeen::Skip, OnSeen::UpdateIfChanged] {
        let mut desk = at_refused(on_seen);
        let see = |desk: &mut Desk, version| desk.stage(&[("a", version)], on_seen)[0].0;
        assert_eq!(see(&mut desk, "v1"), SightingOutcome::Unchanged);
        assert_eq!(see(&mut desk, "v2"), SightingOutcome::Changed);
        assert_eq!(at(&desk), stands(RecordState::Pending, "v2"));
        // Who makes what is next can see what the row has come to.
        let sources = desk.ledger.reader().sources(&[desk.record("a").record]);
        let newer = sources.expect("a row").remove(0).newer.expect("a newer row");
        assert!(String::from_utf8_lossy(&newer).contains("v2"), "{newer:?}");
        assert_eq!(desk.pick()[0].step.as_deref(), Some("submit"));
        assert_eq!(claim_at(&mut desk, "v2", Some("submit")), None);
        // Refused once more: the row that waits takes nothing away, and is no chance again; another one is.
        let attempt = claim_at(&mut desk, "v1", Some("submit")).expect("claimed");
        desk.settle(attempt, "a", Settlement::Dead(why("no")));
        assert_eq!(at(&desk), stands(RecordState::Dead, "v2"));
        assert_eq!(see(&mut desk, "v2"), SightingOutcome::Unchanged);
        assert_eq!(desk.state("a"), RecordState::Dead);
        assert_eq!(see(&mut desk, "v3"), SightingOutcome::Changed);
        let attempt = claim_at(&mut desk, "v1", Some("submit")).expect("claimed");
        desk.settle(attempt, "a", done("a"));
        // Through: what is done is what was written, and the newer row is next, to be passed over with a reason.
        let record = desk.record("a");
        assert_eq!(
            (record.state, record.version.as_str()),
            (RecordState::Pending, "v3")
        );
        assert_eq!((record.step, record.done_version.as_deref()), (None, Some("v1")));
        assert!(desk.refuse("a", "v3", Refusal::Skipped(why("no update"))));
        assert_eq!(desk.record("a").done_version.as_deref(), Some("v1"));
        desk.end();
    }
    // A person is to decide about it: what the row has come to by then decides, also that it is what it was.
    for on_seen in [OnSeen::Skip, OnSeen::UpdateIfChanged] {
        let mut desk = at_refused(on_seen);
        let see = |desk: &mut Desk, version| desk.stage(&[("a", version)], on_seen)[0].0;
        assert_eq!(see(&mut desk, "v2"), SightingOutcome::Changed);
        assert!(desk.refuse("a", "v1", Refusal::Held(why("no such line"))));
        assert_eq!(see(&mut desk, "v3"), SightingOutcome::Changed);
        assert_eq!(at(&desk), stands(RecordState::Held, "v3"));
        assert_eq!(see(&mut desk, "v1"), SightingOutcome::Unchanged);
        assert_eq!(desk.record("a").waiting_version, None);
        let again = Decision::Retry(flow::decision::Content::Latest);
        assert_eq!(desk.decide("a", again), Ruling::Moved(RecordState::Pending));
        let attempt = claim_at(&mut desk, "v1", Some("submit")).expect("claimed");
        desk.settle(attempt, "a", done("a"));
        desk.end();
    }
    // What an earlier call of the step may have made is asked about first: by `retry`.
    let mut desk = at_refused(OnSeen::Skip);
    assert_eq!(
        desk.decide("a", Decision::NotThere),
        Ruling::Moved(RecordState::Pending)
    );
    let mut desk = at_refused(OnSeen::Skip);
    desk.see("a", "v2");
    let attempt = claim_at(&mut desk, "v1", Some("submit")).expect("claimed");
    let lost = Settlement::Unknown {
        resolve_after: desk.now,
        reason: why("lost"),
    };
    desk.settle(attempt, "a", lost);
    assert!(desk.resolve("a", Resolution::Resend));
    let attempt = claim_at(&mut desk, "v1", Some("submit")).expect("claimed");
    desk.settle(attempt, "a", Settlement::Dead(why("no")));
    desk.see("a", "v3");
    assert_eq!(at(&desk), stands(RecordState::Dead, "v3"));
    desk.end();
    // A row that is cancelled is about the document, and an edited scheme that changes documents writes the newest row.
    let mut desk = at_refused(OnSeen::Skip);
    desk.see("a", "v2");
    let attempt = claim_at(&mut desk, "v1", Some("submit")).expect("claimed");
    desk.settle(attempt, "a", Settlement::Dead(why("no")));
    desk.updates = true;
    desk.see("a", "v2");
    let record = desk.record("a");
    assert_eq!(
        (record.version.as_str(), record.step, record.waiting_version),
        ("v2", None, None)
    );
    assert_eq!(desk.pick()[0].version, "v2");
    desk.end();
    let mut desk = at_refused(OnSeen::Skip);
    let cancelled = StagedRow {
        void: true,
        ..row(0, "a", "v2")
    };
    let (op, blobs) = desk.page(vec![cancelled], OnSeen::Skip);
    desk.try_one(op, &blobs).expect("a page");
    assert_eq!(desk.record("a").step, None);
    assert!(desk.pick()[0].void);
    desk.end();
}

/// What a scheme keeps beside a record is there with its settlement, and what look-ups find says so.
pub(super) fn what_is_kept(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    desk.see("a", "v1");
    let record = desk.record("a").record;
    let attempt = desk.claim(&[("a", "v1", "a")]).0.expect("claimed");
    let ends = [stepped("submit"), done("a")];
    let mut attempts = [Some(attempt), None];
    for ((body, end), attempt) in ["{\"n\":1}", "{\"n\":2}"]
        .into_iter()
        .zip(ends)
        .zip(&mut attempts)
    {
        let attempt = attempt
            .take()
            .or_else(|| claim_at(&mut desk, "v1", Some("submit")));
        let is_last = matches!(end, Settlement::Done { .. });
        let end = settle_op(&desk, attempt.expect("claimed"), record, end);
        let given = followed(&mut desk, end, record, body);
        assert_eq!(given, u64::from(is_last), "with the last call");
        let sources = desk.ledger.reader().sources(&[record]).expect("a row");
        assert_eq!(sources[0].saved.as_deref(), Some(body.as_bytes()));
    }
    let shown = desk.ledger.reader().show_record(None, "a").expect("a life");
    assert_eq!(shown[0].saved.as_deref(), Some(&b"{\"n\":2}"[..]));
    desk.end();
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
