//! What people decide about records.

use flow::codes;
use flow::decision::{Content, Decided, Decision, Ruling, possible};
use flow::ids::{AttemptId, Ms, RecordId};
use flow::op::{LedgerOp, LedgerReply, OnSeen, Reason, RecordState, Refusal, Resolution, Settlement};

use super::{Desk, done, row, why};
use crate::error::reason;
use crate::read::AuditFilter;
use crate::{Blobs, Ledger};

const RETRY: Decision = Decision::Retry(Content::Latest);

fn done_as(id: &str) -> Decision {
    Decision::DoneAs {
        id: id.to_owned(),
        number: Some("no-9".to_owned()),
    }
}

/// Every decision in every state: where it leads, and that it is refused everywhere else. Each leaves a note.
pub(super) fn by_state(open: &dyn Fn() -> Ledger) {
    use RecordState::{Dead, Done, Held, Pending, Skipped, Unknown};
    let table: [(Decision, &[(RecordState, RecordState)]); 5] = [
        (
            Decision::Skip,
            &[(Pending, Skipped), (Dead, Skipped), (Held, Skipped)],
        ),
        (Decision::Hold, &[(Pending, Held), (Unknown, Held)]),
        (done_as("id-9"), &[(Unknown, Done), (Held, Done), (Dead, Done)]),
        (
            Decision::NotThere,
            &[(Unknown, Pending), (Held, Pending), (Dead, Pending)],
        ),
        // The held one of the desk was sent, and nobody knows what became of it.
        (RETRY, &[(Dead, Pending), (Held, Unknown)]),
    ];
    for (decision, leads) in table {
        for state in RecordState::ALL {
            let mut desk = Desk::new(open());
            desk.bring("a", state);
            let expected = leads.iter().find(|(from, _)| *from == state);
            let ruling = desk.decide("a", decision.clone());
            let notes = desk
                .ledger
                .reader()
                .audit(&AuditFilter::default())
                .expect("a question");
            match expected {
                Some((_, to)) => {
                    assert_eq!(ruling, Ruling::Moved(*to), "{decision:?} of {state:?}");
                    assert_eq!(desk.state("a"), *to);
                    let note = &notes[0].note;
                    assert_eq!((note.who.as_str(), note.action.as_str()), ("li", decision.word()));
                    assert!(
                        note.what
                            .starts_with(&format!("{} -> {}", state.word(), to.word())),
                        "{note:?}"
                    );
                    assert!(possible(state).contains(&decision.word()), "{state:?}");
                }
                None => {
                    assert_eq!(ruling, Ruling::Unfit { state }, "{decision:?} of {state:?}");
                    assert_eq!(desk.state("a"), state);
                    assert!(notes.is_empty(), "nothing was decided");
                }
            }
            desk.end();
        }
    }
    let mut desk = Desk::new(open());
    desk.bring("a", Dead);
    for (state, version) in [(Held, "v1"), (Dead, "v0")] {
        let ruling = desk.decide_as_seen("a", state, version, Decision::Skip);
        assert_eq!(ruling, Ruling::Changed { state: Dead }, "compare-and-set");
    }
    let blank = LedgerOp::Decide {
        rows: vec![Decided {
            record: desk.record("a").record,
            state: Dead,
            version: "v1".into(),
            attempt: desk.record("a").attempt,
            decision: Decision::Skip,
        }],
        who: "li".into(),
        reason: " ".into(),
        now: desk.now,
    };
    desk.try_one(blank, &Blobs::new())
        .expect_err("no reason is given");
    assert_eq!(desk.state("a"), Dead);
    desk.decide("a", Decision::Skip);
    assert_eq!(
        desk.record("a").reason.expect("it says why").code,
        reason::SKIPPED_BY_HAND
    );
}

/// What may have been executed is asked about before it is sent again, and not before its time.
pub(super) fn in_doubt(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Unknown);
    let ask_after = desk.record("a").resolve_after.expect("it is unknown");
    assert_eq!(desk.decide("a", Decision::Hold), Ruling::Moved(RecordState::Held));
    assert_eq!(
        desk.record("a").reason.expect("it says why").code,
        reason::HELD_BY_HAND
    );
    assert_eq!(desk.decide("a", RETRY), Ruling::Moved(RecordState::Unknown));
    assert_eq!(
        desk.unknown(),
        (Vec::new(), Some(ask_after), 1),
        "the quiet period stays"
    );
    desk.now = ask_after;
    assert_eq!(desk.unknown().0.len(), 1);
    assert!(desk.resolve("a", Resolution::Resend));
    assert!(desk.claim(&[("a", "v1", "a")]).0.is_some(), "it was asked about");
    desk.end();

    // Refused after it was asked about and sent again: its first send may still have been executed.
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Unknown);
    desk.resolve("a", Resolution::Resend);
    let attempt = desk.claim(&[("a", "v1", "a")]).0.expect("it was asked about");
    desk.settle(attempt, "a", Settlement::Dead(why("refused")));
    assert_eq!(desk.decide("a", RETRY), Ruling::Moved(RecordState::Unknown));
    desk.end();

    // Only refused: nothing of it is there.
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Dead);
    assert_eq!(desk.decide("a", RETRY), Ruling::Moved(RecordState::Pending));
    let record = desk.record("a");
    assert_eq!((record.attempts, record.reason), (0, None));
    desk.end();

    // Given up in doubt: a later version must not become a second document.
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Held);
    desk.decide("a", Decision::Skip);
    desk.see("a", "v2");
    assert_eq!(desk.state("a"), RecordState::Unknown);
    desk.end();
}

/// A person's word about what is there.
pub(super) fn what_a_person_says(open: &dyn Fn() -> Ledger) {
    // It is there, under this id: the same as if the target had said so.
    let mut desk = Desk::new(open());
    desk.bring("holder", RecordState::Done);
    desk.bring("a", RecordState::Held);
    let taken = desk.decide("a", done_as("id-holder"));
    assert!(
        matches!(&taken, Ruling::Taken { holder } if holder.contains("holder")),
        "{taken:?}"
    );
    desk.decide("a", done_as("id-9"));
    let record = desk.record("a");
    assert_eq!(record.target_id.as_deref(), Some("id-9"));
    assert_eq!(record.done_version.as_deref(), Some("v1"));
    let mapping = desk.ledger.reader().mappings(record.record).expect("a question");
    assert_eq!(mapping[0].target_id.as_deref(), Some("id-9"));
    desk.see("a", "v2");
    assert!(desk.pick()[0].has_target, "the next version is an update");
    desk.end();

    // It is not there: written again, but not while it may still come.
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Unknown);
    let ask_after = desk.record("a").resolve_after.expect("it is unknown");
    desk.decide("a", Decision::NotThere);
    assert!(desk.pick().is_empty(), "what was sent may still be executed");
    desk.now = ask_after;
    assert!(
        desk.pick()[0].maybe_sent,
        "and may be after that: never forgotten"
    );
    assert!(desk.claim(&[("a", "v1", "a")]).0.is_some());
    desk.end();

    // A number that somebody else's document has is still somebody else's when the person was wrong.
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Unknown);
    let conflict = Reason::new(codes::KEY_CONFLICT, "taken");
    desk.resolve("a", Resolution::Held(conflict));
    assert_eq!(
        desk.decide_as_seen("a", RecordState::Held, "v1", Decision::NotThere),
        Ruling::Moved(RecordState::Pending)
    );
    assert!(!desk.pick()[0].maybe_sent);
    desk.end();

    // A row without a usable key can never be written.
    let mut desk = Desk::new(open());
    let mut invalid = row(0, "x", "v1");
    let key = flow::ids::keyless(7);
    invalid.key = key.clone();
    invalid.invalid = Some(why("no key"));
    let (op, blobs) = desk.page(vec![invalid], OnSeen::UpdateIfChanged);
    desk.try_one(op, &blobs).expect("a page");
    for decision in [RETRY, Decision::NotThere] {
        assert_eq!(desk.decide(&key, decision), Ruling::Keyless);
    }
    desk.end();
}

/// A lost answer, or one that says that the key is taken.
fn unknown(desk: &mut Desk, key: &str, version: &str, code: &str) -> Ms {
    let attempt = desk
        .claim(&[(key, version, key)])
        .0
        .expect("nothing is in its way");
    let resolve_after = desk.now + 500;
    let settlement = Settlement::Unknown {
        resolve_after,
        reason: Reason::new(code, "as the target said"),
    };
    assert!(desk.settle(attempt, key, settlement));
    resolve_after
}

/// The number belongs to somebody else's document: whatever people decide, the next send is a create that is told so
/// again, never a question whose answer would be taken for ours.
pub(super) fn conflicts(open: &dyn Fn() -> Ledger) {
    let told = [
        (codes::KEY_CONFLICT, &[Decision::Skip][..]),
        (codes::KEY_CONFLICT, &[RETRY]),
        (codes::KEY_CONFLICT, &[Decision::NotThere]),
        (codes::EXISTS_NOT_FOUND, &[RETRY]),
        (codes::EXISTS_NOT_FOUND, &[Decision::Skip]),
        // Before anybody could ask.
        ("", &[Decision::Hold, RETRY]),
        ("", &[Decision::Hold, Decision::Skip]),
    ];
    for (held_as, decisions) in told {
        let mut desk = Desk::new(open());
        desk.see("a", "v1");
        let ask_after = unknown(&mut desk, "a", "v1", codes::EXISTS);
        if !held_as.is_empty() {
            desk.resolve("a", Resolution::Held(Reason::new(held_as, "taken")));
        }
        for decision in decisions {
            let ruling = desk.decide("a", decision.clone());
            assert!(
                matches!(ruling, Ruling::Moved(_)),
                "{held_as} {decision:?}: {ruling:?}"
            );
        }
        if desk.state("a") == RecordState::Skipped {
            desk.see("a", "v2");
        }
        assert_eq!(desk.state("a"), RecordState::Pending, "{held_as} {decisions:?}");
        desk.now = ask_after;
        let picked = &desk.pick()[0];
        assert!(
            !picked.maybe_sent && !picked.has_target,
            "{held_as} {decisions:?}: {picked:?}"
        );
        desk.end();
    }

    // An earlier send of ours may be the document that has the number.
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Unknown);
    desk.now += 500;
    desk.resolve("a", Resolution::Resend);
    unknown(&mut desk, "a", "v1", codes::EXISTS);
    desk.decide("a", Decision::Hold);
    assert_eq!(desk.decide("a", RETRY), Ruling::Moved(RecordState::Unknown));
    desk.end();
}

/// What is out may still be executed: whatever people decide, nothing of the record is sent or asked before that.
pub(super) fn quiet_periods(open: &dyn Fn() -> Ledger) {
    // An update: sent again, or followed by a newer version.
    for newer in [false, true] {
        for decision in [RETRY, Decision::Skip] {
            let mut desk = Desk::new(open());
            desk.bring("a", RecordState::Done);
            desk.see("a", "v2");
            let ask_after = unknown(&mut desk, "a", "v2", "E0000");
            desk.decide("a", Decision::Hold);
            if newer && decision == RETRY {
                desk.see("a", "v3");
            }
            desk.decide("a", decision.clone());
            if decision == Decision::Skip {
                desk.see("a", "v3");
            }
            assert!(desk.pick().is_empty(), "{decision:?}");
            desk.now = ask_after;
            assert_eq!(desk.pick().len(), 1, "{decision:?}");
            desk.end();
        }
    }
    // A create: a newer version of it is asked about, and not earlier either.
    for waits in [false, true] {
        let mut desk = Desk::new(open());
        desk.bring("a", RecordState::Unknown);
        let ask_after = desk.record("a").resolve_after;
        desk.decide("a", Decision::Hold);
        if waits {
            desk.see("a", "v2");
        }
        desk.decide("a", Decision::Skip);
        if !waits {
            desk.see("a", "v2");
        }
        let record = desk.record("a");
        assert_eq!(
            (record.state, record.resolve_after),
            (RecordState::Unknown, ask_after)
        );
        desk.end();
    }
}

/// What a person has seen of one call is not said of a later one.
pub(super) fn another_call(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Held);
    let seen = desk.record("a");
    desk.decide("a", Decision::NotThere);
    let attempt = desk.claim(&[("a", "v1", "a")]).0.expect("somebody said so");
    desk.settle(attempt, "a", Settlement::Held(why("person")));
    let ruling = desk.decide_row(Decided {
        record: seen.record,
        state: seen.state,
        version: seen.version,
        attempt: seen.attempt,
        decision: Decision::NotThere,
    });
    assert_eq!(
        ruling,
        Ruling::Changed {
            state: RecordState::Held
        }
    );
    desk.end();
}

/// Which document it is, and that it is not there any more.
pub(super) fn documents(open: &dyn Fn() -> Ledger) {
    // At a further call, of a document whose id nobody told.
    let mut desk = Desk::new(open());
    desk.see("a", "v1");
    let attempt = desk.claim(&[("a", "v1", "a")]).0.expect("nothing is in its way");
    let stepped = Settlement::Stepped {
        id: None,
        number: None,
        lines: None,
        next: "submit".into(),
    };
    desk.settle(attempt, "a", stepped);
    desk.decide("a", Decision::Hold);
    desk.decide("a", done_as("id-9"));
    let record = desk.record("a");
    assert_eq!((record.target_id.as_deref(), record.step), (Some("id-9"), None));
    desk.see("a", "v2");
    assert!(desk.pick()[0].has_target, "the next version is an update");
    desk.end();

    // It was there; the target refuses to go on with it.
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Done);
    desk.see("a", "v2");
    let attempt = desk.claim(&[("a", "v2", "a")]).0.expect("nothing is in its way");
    desk.settle(attempt, "a", Settlement::Dead(why("no such document")));
    desk.decide("a", Decision::NotThere);
    let picked = desk.pick().remove(0);
    assert!(
        !picked.has_target && !picked.maybe_sent,
        "it is made anew: {picked:?}"
    );
    assert!(
        desk.ledger
            .reader()
            .mappings(picked.record)
            .expect("a question")
            .is_empty()
    );
    desk.end();

    // It was there under an id that nobody told.
    let mut desk = Desk::new(open());
    desk.see("a", "v1");
    let attempt = desk.claim(&[("a", "v1", "a")]).0.expect("nothing is in its way");
    let nameless = Settlement::Done {
        id: None,
        number: None,
        lines: None,
    };
    desk.settle(attempt, "a", nameless);
    desk.see("a", "v2");
    desk.refuse("a", "v2", Refusal::Held(why("which one?")));
    let written = |desk: &Desk| {
        let rows = desk.ledger.reader().sources(&[desk.record("a").record]);
        rows.expect("a question")[0].written
    };
    assert!(written(&desk));
    desk.decide("a", Decision::NotThere);
    assert!(!written(&desk), "it is made anew");
    desk.end();

    // Two records cannot be the same document, not even when neither was ever sent.
    let mut desk = Desk::new(open());
    for key in ["a", "b"] {
        desk.see(key, "v1");
        desk.refuse(key, "v1", Refusal::Dead(why("no sense")));
    }
    desk.decide("a", done_as("id-9"));
    let ruling = desk.decide("b", done_as("id-9"));
    assert!(matches!(&ruling, Ruling::Taken { .. }), "{ruling:?}");
    desk.end();
}

/// A newer version that waited takes over when the decision settles the one before it.
pub(super) fn newer_versions(open: &dyn Fn() -> Ledger) {
    for (decision, state, version) in [
        (done_as("id-9"), RecordState::Pending, "v2"),
        // Whether v1 is there is not known, so v2 is asked about.
        (Decision::Skip, RecordState::Unknown, "v2"),
        (RETRY, RecordState::Unknown, "v1"),
    ] {
        let mut desk = Desk::new(open());
        desk.bring("a", RecordState::Held);
        desk.see("a", "v2");
        let ruling = desk.decide("a", decision.clone());
        let record = desk.record("a");
        assert_eq!(ruling, Ruling::Moved(record.state), "{decision:?}");
        assert_eq!(
            (record.state, record.version.as_str()),
            (state, version),
            "{decision:?}"
        );
        desk.end();
    }
}

/// The stored document goes with the record to its end, and no further.
pub(super) fn as_stored(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Dead);
    let record = desk.record("a").record;
    let life = |desk: &Desk| {
        let life = desk.ledger.reader().show_record_by_id(record);
        life.expect("a question").expect("it is there")
    };
    let attempt = life(&desk).attempts[0].attempt;
    let stored = |desk: &Desk| {
        let rows = desk.ledger.reader().sources(&[record]);
        rows.expect("a question")[0].as_stored.clone()
    };
    let again = |attempt| Decision::Retry(Content::AsStored(attempt));
    assert_eq!(
        desk.decide("a", again(AttemptId(attempt.0 + 1))),
        Ruling::NothingStored
    );
    assert_eq!(
        desk.decide("a", again(attempt)),
        Ruling::Moved(RecordState::Pending)
    );
    assert_eq!(stored(&desk).as_deref(), Some(&b"{\"FNumber\":\"a\"}"[..]));
    let sent = desk.claim(&[("a", "v1", "a")]).0.expect("claimed");
    assert!(stored(&desk).is_some(), "a call that is halved sends it again");
    desk.settle(sent, "a", done("a"));
    assert_eq!(stored(&desk), None);
    desk.end();

    // A newer version is the scheme's again.
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Dead);
    let attempt = life(&desk).attempts[0].attempt;
    desk.decide("a", again(attempt));
    desk.see("a", "v2");
    assert_eq!(stored(&desk), None);
    desk.end();
}

/// Numbers that look random and are the same each time.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % n
    }
}

/// Whatever people decide, in whatever order, between sends whose answers are lost, rows that change and restarts: a
/// record that may have been executed is not claimed again before the target was asked, or somebody said that it is not
/// there, or under which id it is.
pub(super) fn any_order(open: &dyn Fn() -> Ledger) {
    const HISTORIES: u64 = 24;
    const STEPS: usize = 50;
    let mut resent = 0;
    for seed in 0..HISTORIES {
        let mut draw = Draw(seed);
        let mut desk = Desk::new(open());
        desk.see("a", "v0");
        // It may have been executed, and nobody has found out since.
        let mut doubtful = false;
        let mut known = false;
        let mut attempt = None;
        let mut version = 0;
        for step in 0..STEPS {
            desk.now += 400;
            let decision = match draw.below(14) {
                0 => Some(Decision::Skip),
                1 => Some(Decision::Hold),
                2 => Some(RETRY),
                3 if draw.below(4) == 0 => Some(done_as("id-9")),
                4 if draw.below(4) == 0 => Some(Decision::NotThere),
                5 => {
                    version += 1;
                    desk.see("a", &format!("v{version}"));
                    None
                }
                6 if draw.below(4) == 0 => {
                    // Whatever was in flight is unknown after a restart.
                    doubtful |= attempt.take().is_some() && !known;
                    desk.begin();
                    None
                }
                7 | 8 => {
                    if let Some(record) = desk.unknown().0.first().map(|one| one.record) {
                        doubtful &= !answer(&mut desk, &mut draw, record, &mut known);
                    }
                    None
                }
                _ => {
                    work(
                        &mut desk,
                        &mut draw,
                        &mut attempt,
                        &mut doubtful,
                        known,
                        &mut resent,
                        (seed, step),
                    );
                    None
                }
            };
            if let Some(decision) = decision
                && let Ruling::Moved(_) = desk.decide("a", decision.clone())
            {
                match decision {
                    Decision::DoneAs { .. } => (doubtful, known) = (false, true),
                    Decision::NotThere => doubtful = false,
                    Decision::Skip | Decision::Hold | Decision::Retry(_) => {}
                }
            }
        }
        desk.end();
    }
    assert!(resent > 8, "the histories come to second sends: {resent}");
}

/// The target answers a question; gives whether anything was learnt.
fn answer(desk: &mut Desk, draw: &mut Draw, record: RecordId, known: &mut bool) -> bool {
    let (resolution, learnt) = match draw.below(5) {
        0 => (Resolution::Held(why("person")), false),
        1 => (
            Resolution::AskAgain {
                at: desk.now,
                missed: true,
                reason: why("not yet"),
            },
            false,
        ),
        2 => (
            Resolution::Done {
                id: Some("id-1".into()),
                number: None,
            },
            true,
        ),
        _ => (Resolution::Resend, true),
    };
    *known |= matches!(resolution, Resolution::Done { .. });
    let reply = desk.one(LedgerOp::Resolve {
        rows: vec![(record, resolution)],
        now: desk.now,
    });
    assert_eq!(reply, LedgerReply::Count(1));
    learnt
}

/// The engine's part: it claims what is due, and learns how a send ended, or does not.
fn work(
    desk: &mut Desk,
    draw: &mut Draw,
    attempt: &mut Option<AttemptId>,
    doubtful: &mut bool,
    known: bool,
    resent: &mut u64,
    at: (u64, usize),
) {
    if let Some(attempt) = attempt.take() {
        let settlement = match draw.below(5) {
            0 => Settlement::Dead(why("refused")),
            1 => Settlement::Held(why("person")),
            2 => Settlement::Retry {
                not_before: desk.now,
                spend: false,
                reason: why("busy"),
            },
            _ => Settlement::Unknown {
                resolve_after: desk.now,
                reason: why("lost"),
            },
        };
        *doubtful |= !known && matches!(settlement, Settlement::Held(_) | Settlement::Unknown { .. });
        desk.settle(attempt, "a", settlement);
        return;
    }
    let Some(picked) = desk.pick().into_iter().next() else {
        return;
    };
    *attempt = desk.claim(&[("a", &picked.version, "a")]).0;
    if attempt.is_some() {
        assert!(
            !*doubtful,
            "history {at:?}: sent again although it may have been executed"
        );
        *resent += u64::from(picked.maybe_sent);
    }
}
