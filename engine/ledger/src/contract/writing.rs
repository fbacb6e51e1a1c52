//! Claims, settlements, resolutions, recovery, counts.

use flow::ids::{Blob, RecordId};
use flow::op::{
    ClaimRefused, Counts, LedgerOp, LedgerReply, OnSeen, RecordState, Refusal, Resolution, RunStatus,
    Settlement, WriteAction,
};

use super::{Desk, SCHEME, done, why};
use crate::error::reason;
use crate::{Blobs, Ledger};

pub(super) fn claims(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    desk.stage(&[("a", "v1"), ("b", "v1"), ("c", "v1")], OnSeen::Skip);
    let (a, b) = (desk.record("a").record, desk.record("b").record);
    let ids: Vec<RecordId> = desk.pick().iter().map(|picked| picked.record).collect();
    assert!(ids.is_sorted() && ids.len() == 3);
    // Two records of one claim with one key; another version than the one transformed.
    let (attempt, refused) = desk.claim(&[
        ("a", "v1", "X"),
        ("b", "v1", "X"),
        ("c", "v0", "Y"),
        ("a", "v1", "X"),
    ]);
    assert!(attempt.is_some());
    assert_eq!(
        refused,
        [
            (
                b,
                ClaimRefused::KeyTaken {
                    holder: "[\"a\"]".into()
                }
            ),
            (desk.record("c").record, ClaimRefused::Stale),
            (a, ClaimRefused::Stale)
        ]
    );
    let held = desk.record("b");
    assert_eq!(held.state, RecordState::Held);
    let held_for = held.reason.expect("held has a reason");
    assert_eq!(held_for.code, reason::KEY_TAKEN);
    assert!(held_for.text.contains("[\"a\"]"), "{}", held_for.text);
    // The holder keeps its key whatever becomes of it.
    let attempt = attempt.expect("claimed");
    for (i, settlement) in [
        Settlement::Unknown {
            resolve_after: 0,
            reason: why("lost"),
        },
        done("a"),
    ]
    .into_iter()
    .enumerate()
    {
        if i == 0 {
            desk.settle(attempt, "a", settlement);
        } else {
            desk.resolve(
                "a",
                Resolution::Done {
                    id: Some("1".into()),
                    number: None,
                },
            );
        }
        let key = format!("d{i}");
        desk.see(&key, "v1");
        let (attempt, refused) = desk.claim(&[(&key, "v1", "X")]);
        assert_eq!(attempt, None);
        assert!(matches!(&refused[0].1, ClaimRefused::KeyTaken { holder } if holder == "[\"a\"]"));
    }
    // A key without parts is nobody's.
    desk.stage(&[("e", "v1"), ("f", "v1")], OnSeen::Skip);
    assert_eq!(desk.claim(&[("e", "v1", ""), ("f", "v1", "")]).1, []);
    let first = desk.record("e").record;
    assert_eq!(
        desk.one(LedgerOp::Adopt {
            rows: vec![(first, "9".into(), None)],
            now: 0
        }),
        LedgerReply::Count(0)
    );
    desk.end();
}

pub(super) fn keys_that_change(open: &dyn Fn() -> Ledger) {
    // No document known: the new key is used, and the old one is free again.
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Dead);
    desk.see("a", "v2");
    assert_eq!(desk.claim(&[("a", "v2", "Z")]).1, []);
    desk.see("b", "v1");
    assert_eq!(desk.claim(&[("b", "v1", "a")]).1, []);
    desk.end();
    // A document known, or possible: held.
    for known in [RecordState::Done, RecordState::Unknown] {
        let mut desk = Desk::new(open());
        desk.bring("a", known);
        if known == RecordState::Unknown {
            desk.resolve("a", Resolution::Resend);
        } else {
            desk.see("a", "v2");
        }
        let version = desk.record("a").version;
        let (attempt, refused) = desk.claim(&[("a", &version, "Z")]);
        assert_eq!((attempt, refused.len()), (None, 1), "{known:?}");
        let record = desk.record("a");
        assert_eq!(record.state, RecordState::Held);
        assert_eq!(
            record.reason.expect("held has a reason").code,
            reason::KEY_CHANGED
        );
        assert_eq!(record.tkey.as_deref(), Some("[\"a\"]"));
        desk.end();
    }
    // A write by id that names no key keeps the frozen one.
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Done);
    desk.see("a", "v2");
    assert_eq!(desk.claim(&[("a", "v2", "")]).1, []);
    assert_eq!(desk.record("a").tkey.as_deref(), Some("[\"a\"]"));
    desk.end();
}

pub(super) fn settlements(open: &dyn Fn() -> Ledger) {
    let retry = |spend| Settlement::Retry {
        not_before: 1_000_900,
        spend,
        reason: why("throttled"),
    };
    let lost = Settlement::Unknown {
        resolve_after: 1_000_700,
        reason: why("lost"),
    };
    // settlement, a newer version waits -> state, version
    let table = [
        (done("a"), false, RecordState::Done, "v1"),
        (done("a"), true, RecordState::Pending, "v2"),
        (Settlement::Dead(why("refused")), false, RecordState::Dead, "v1"),
        (Settlement::Dead(why("refused")), true, RecordState::Pending, "v2"),
        (retry(true), false, RecordState::Pending, "v1"),
        (retry(true), true, RecordState::Pending, "v2"),
        (lost.clone(), false, RecordState::Unknown, "v1"),
        (lost, true, RecordState::Unknown, "v1"),
        (Settlement::Held(why("person")), false, RecordState::Held, "v1"),
        (Settlement::Held(why("person")), true, RecordState::Held, "v1"),
    ];
    for (settlement, waits, state, version) in table {
        let mut desk = Desk::new(open());
        desk.see("a", "v1");
        let attempt = desk.claim(&[("a", "v1", "X")]).0.expect("claimed");
        if waits {
            desk.see("a", "v2");
        }
        // Compare-and-set on the attempt: another one does not hit, and a second time does not either.
        desk.see("other", "v1");
        let other = desk.claim(&[("other", "v1", "O")]).0.expect("claimed");
        assert!(!desk.settle(other, "a", settlement.clone()), "{settlement:?}");
        assert_eq!(desk.state("a"), RecordState::Sending);
        desk.settle(other, "other", done("other"));
        assert!(desk.settle(attempt, "a", settlement.clone()));
        assert!(!desk.settle(attempt, "a", done("late")), "{settlement:?}");
        let record = desk.record("a");
        assert_eq!(
            (record.state, record.version.as_str()),
            (state, version),
            "{settlement:?}"
        );
        // A newer version that took over has no reason yet.
        let given = !matches!(settlement, Settlement::Done { .. });
        assert_eq!(record.reason.is_some(), given && record.version == "v1");
        match (&settlement, waits) {
            (Settlement::Done { .. }, _) => {
                assert_eq!(
                    (record.target_id.as_deref(), record.number.as_deref()),
                    (Some("id-a"), Some("no-a"))
                );
                assert_eq!(record.done_version.as_deref(), Some("v1"));
            }
            (Settlement::Retry { not_before, .. }, _) => {
                assert_eq!(record.not_before, Some(*not_before));
                assert_eq!(
                    record.attempts,
                    u32::from(!waits),
                    "a newer version starts afresh"
                );
                assert!(desk.pick().is_empty());
                desk.now = *not_before;
                assert_eq!(desk.pick().len(), 1);
            }
            _ => {}
        }
        desk.end();
    }
    // A known id is not replaced by nothing.
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Done);
    desk.see("a", "v2");
    let attempt = desk.claim(&[("a", "v2", "a")]).0.expect("claimed");
    desk.settle(
        attempt,
        "a",
        Settlement::Done {
            id: None,
            number: None,
            lines: None,
        },
    );
    let record = desk.record("a");
    assert_eq!(
        (record.target_id.as_deref(), record.number.as_deref()),
        (Some("id-a"), Some("no-a"))
    );
    desk.end();
}

pub(super) fn resolutions(open: &dyn Fn() -> Ledger) {
    let table = [
        (
            Resolution::Done {
                id: Some("7".into()),
                number: None,
            },
            false,
            RecordState::Done,
        ),
        (
            Resolution::Done {
                id: Some("7".into()),
                number: None,
            },
            true,
            RecordState::Pending,
        ),
        (Resolution::Resend, false, RecordState::Pending),
        (Resolution::Resend, true, RecordState::Pending),
        (
            Resolution::AskAgain {
                at: 1_002_000,
                missed: true,
                reason: why("not there"),
            },
            false,
            RecordState::Unknown,
        ),
        (Resolution::Held(why("many")), false, RecordState::Held),
        (Resolution::Dead(why("refused")), false, RecordState::Dead),
        (Resolution::Dead(why("refused")), true, RecordState::Pending),
    ];
    for (resolution, waits, state) in table {
        let mut desk = Desk::new(open());
        desk.bring("a", RecordState::Unknown);
        // Nobody is asked before the quiet period has passed.
        assert_eq!(desk.unknown(), (Vec::new(), Some(1_000_500), 1));
        desk.now = 1_000_500;
        let (asked, next, total) = desk.unknown();
        assert_eq!((asked.len(), next, total), (1, None, 1));
        assert_eq!(
            (asked[0].tkey.as_str(), asked[0].since, asked[0].maybe_sent),
            ("[\"a\"]", 1_000_000, false)
        );
        assert_eq!(
            (asked[0].reason.clone(), asked[0].action),
            (why("lost"), WriteAction::Create)
        );
        if waits {
            desk.see("a", "v2");
        }
        assert!(desk.resolve("a", resolution.clone()));
        let record = desk.record("a");
        assert_eq!(record.state, state, "{resolution:?}");
        match &resolution {
            Resolution::Done { .. } => assert_eq!(record.done_version.as_deref(), Some("v1")),
            Resolution::Resend => {
                assert!(desk.pick()[0].maybe_sent);
                // The same version goes out again; a newer one waits until it is known what is there.
                assert_eq!(record.version, "v1");
                assert_eq!(record.waiting_version.as_deref(), waits.then_some("v2"));
                desk.see("a", "v3");
                let attempt = desk.claim(&[("a", "v1", "a")]).0.expect("claimed");
                desk.settle(attempt, "a", done("a"));
                let record = desk.record("a");
                assert_eq!(
                    (record.state, record.version.as_str()),
                    (RecordState::Pending, "v3")
                );
                assert!(!desk.pick()[0].maybe_sent);
            }
            Resolution::AskAgain { at, .. } => {
                assert_eq!(desk.unknown().1, Some(*at));
                desk.now = *at;
                let again = desk.unknown().0.remove(0);
                assert_eq!((again.misses, again.since), (1, 1_000_000));
            }
            Resolution::Stepped { .. }
            | Resolution::Dead(_)
            | Resolution::Held(_)
            | Resolution::Known { .. }
            | Resolution::Unasked => {}
        }
        if state != RecordState::Unknown {
            assert!(
                !desk.resolve("a", Resolution::Resend),
                "compare-and-set on unknown"
            );
        }
        desk.end();
    }
}

pub(super) fn refusals(open: &dyn Fn() -> Ledger) {
    let table = [
        (Refusal::Dead(why("empty")), RecordState::Dead),
        (Refusal::Held(why("person")), RecordState::Held),
        (Refusal::Skipped(why("void")), RecordState::Skipped),
        (
            Refusal::Later {
                not_before: 1_000_100,
                reason: why("look-up"),
            },
            RecordState::Pending,
        ),
    ];
    for (refusal, state) in table {
        let mut desk = Desk::new(open());
        desk.see("a", "v1");
        assert!(
            !desk.refuse("a", "v0", refusal.clone()),
            "compare-and-set on the version"
        );
        assert!(desk.refuse("a", "v1", refusal.clone()));
        assert_eq!(desk.state("a"), state);
        if state == RecordState::Pending {
            let pick = LedgerOp::Pick {
                scheme: SCHEME.into(),
                now: desk.now,
                after: None,
                limit: 9,
            };
            assert_eq!(
                desk.one(pick),
                LedgerReply::Picked {
                    records: vec![],
                    next_due: Some(1_000_100)
                }
            );
            // A newer version may not need what the old one waited for.
            desk.see("a", "v2");
            assert_eq!(desk.pick().len(), 1);
        } else {
            assert!(!desk.refuse("a", "v1", refusal), "compare-and-set on pending");
        }
        desk.end();
    }
    // A document that was already there.
    let mut desk = Desk::new(open());
    desk.see("a", "v1");
    assert!(!desk.pick()[0].has_target);
    let record = desk.record("a").record;
    let adopt = LedgerOp::Adopt {
        rows: vec![(record, "9".into(), Some("N9".into()))],
        now: desk.now,
    };
    assert_eq!(desk.one(adopt), LedgerReply::Count(1));
    assert!(desk.pick()[0].has_target);
    desk.end();
}

pub(super) fn recovery(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    desk.stage(&[("a", "v1"), ("b", "v1")], OnSeen::Skip);
    desk.claim(&[("a", "v1", "a")]);
    let broken = desk.run;
    desk.now += 100;
    let LedgerReply::RunBegun {
        recovered,
        open,
        closed,
        ..
    } = desk.begin()
    else {
        panic!("a run")
    };
    assert_eq!((recovered, open, closed), (1, 2, vec![]));
    // Not asked before the time its claim wrote down.
    assert_eq!(desk.unknown().1, Some(1_000_500));
    let record = desk.record("a");
    assert_eq!(record.reason.expect("a reason").code, reason::IN_FLIGHT);
    let reader = desk.ledger.reader();
    let life = reader
        .show_run(broken)
        .expect("a question")
        .expect("the run is there");
    assert_eq!(
        (life.run.status.as_str(), life.windows[0].state.as_str()),
        ("failed", "failed")
    );
    assert!(life.run.counts.expect("fixed").add_up());
    // A second recovery finds nothing; a claim long past may be asked about at once.
    desk.now += 10_000;
    let LedgerReply::RunBegun { recovered, .. } = desk.begin() else {
        panic!("a run")
    };
    assert_eq!((recovered, desk.unknown().0.len()), (0, 1));
    // A clock that is wrong for a while, in either direction, brings no question forward.
    let day = 86_400_000;
    desk.claim(&[("b", "v1", "b")]);
    let ask_after = desk.record("b").resolve_after.expect("it is out");
    desk.now -= 10 * day;
    desk.begin();
    desk.now += 10 * day;
    desk.begin();
    assert_eq!(desk.record("b").resolve_after, Some(ask_after));
    desk.end();
}

pub(super) fn runs_and_counts(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    for state in RecordState::ALL {
        desk.bring(state.word(), state);
    }
    let states = desk.one(LedgerOp::CountStates {
        scheme: SCHEME.into(),
    });
    assert_eq!(states, LedgerReply::States([1; 7]));
    let counts = desk.end();
    let one_each = Counts {
        fetched: 7,
        done: 1,
        dead: 1,
        held: 1,
        skipped: 1,
        pending: 1,
        sending: 1,
        unknown: 1,
        ..Counts::default()
    };
    assert_eq!(counts, one_each);
    // What is fixed stays, what its records came to later is shown beside it.
    let ended = desk.run;
    desk.begin();
    desk.resolve("unknown", Resolution::Held(why("many")));
    let life = desk
        .ledger
        .reader()
        .show_run(ended)
        .expect("a question")
        .expect("the run is there");
    assert_eq!(life.run.counts, Some(one_each));
    // Told "ok", but not everything is done or skipped.
    assert_eq!(life.run.status, "partial");
    // The gravest of its records says why.
    assert_eq!(life.run.reason, desk.record("dead").reason);
    assert!(life.run.reason.is_some());
    assert_eq!((life.now.held, life.now.sending, life.now.unknown), (2, 0, 1));
    // An ended run takes no more work.
    let run = LedgerOp::EndRun {
        run: ended,
        status: RunStatus::Ok,
        reason: None,
        now: desk.now,
    };
    assert!(desk.try_one(run, &Blobs::new()).is_err());
    desk.end();
}

/// Records that wait for a row of another scheme: due again with every run, and since when they wait is kept.
pub(super) fn waiting(open: &dyn Fn() -> Ledger) {
    let later = |not_before| Refusal::Later {
        not_before,
        reason: why("look-up"),
    };
    let since = |desk: &Desk, key: &str| {
        let waits = desk.record(key).waits_since;
        let row = desk.ledger.reader().sources(&[desk.record(key).record]);
        assert_eq!(row.expect("a question")[0].waits_since, waits);
        waits
    };
    let mut desk = Desk::new(open());
    desk.stage(
        &[("waits", "v1"), ("throttled", "v1"), ("pending", "v1")],
        OnSeen::UpdateIfChanged,
    );
    assert_eq!(since(&desk, "waits"), None);
    // Ten seconds pending for other reasons do not count as waiting.
    desk.now += 10_000;
    let began = desk.now;
    desk.refuse("waits", "v1", later(desk.now + 60_000));
    let attempt = desk.claim(&[("throttled", "v1", "t")]).0.expect("claimed");
    let pause = Settlement::Retry {
        not_before: desk.now + 3_600_000,
        spend: false,
        reason: why("busy"),
    };
    desk.settle(attempt, "throttled", pause);
    let due = |desk: &mut Desk| -> Vec<RecordId> { desk.pick().iter().map(|picked| picked.record).collect() };
    let ids = |desk: &Desk, keys: &[&str]| keys.iter().map(|key| desk.record(key).record).collect::<Vec<_>>();
    assert_eq!(
        due(&mut desk),
        ids(&desk, &["pending"]),
        "not tried twice in a run"
    );
    // The next run tries what waits, whenever it begins; a pause that the target asked for is kept.
    desk.now += 5;
    desk.begin();
    let mut wanted = ids(&desk, &["waits", "pending"]);
    wanted.sort();
    assert_eq!(due(&mut desk), wanted);
    desk.refuse("waits", "v1", later(desk.now + 60_000));
    assert_eq!(since(&desk, "waits"), Some(began), "waits since the first time");
    // A crash forgets nothing of it: only what is in the file counts at the next start.
    desk.now += 100;
    desk.begin();
    assert_eq!(since(&desk, "waits"), Some(began));
    // What came is sent; when that goes wrong for another reason, the record no longer waits for a row.
    let attempt = desk.claim(&[("waits", "v1", "w")]).0.expect("claimed");
    assert_eq!(since(&desk, "waits"), None);
    let pause = Settlement::Retry {
        not_before: desk.now + 3_600_000,
        spend: false,
        reason: why("busy"),
    };
    desk.settle(attempt, "waits", pause);
    desk.begin();
    assert_eq!(
        due(&mut desk),
        ids(&desk, &["pending"]),
        "the target's pause holds"
    );
    // A newer version waits afresh; so does one that is given up and comes back.
    desk.refuse("pending", "v1", later(desk.now + 60_000));
    assert_eq!(since(&desk, "pending"), Some(desk.now));
    desk.see("pending", "v2");
    assert_eq!(since(&desk, "pending"), None);
    desk.refuse("pending", "v2", later(desk.now + 60_000));
    desk.begin();
    desk.refuse("pending", "v2", Refusal::Dead(why("24 hours")));
    assert_eq!(
        (desk.state("pending"), since(&desk, "pending")),
        (RecordState::Dead, None)
    );
    desk.end();
}

/// The lines of a document are kept with the settlement that tells them, or not at all.
pub(super) fn lines(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    desk.stage(&[("a", "v1")], OnSeen::UpdateIfChanged);
    let record = desk.record("a").record;
    let kept = |desk: &Desk| {
        let rows = desk.ledger.reader().sources(&[record]).expect("a question");
        rows[0]
            .lines
            .clone()
            .map(|lines| String::from_utf8_lossy(&lines).into_owned())
    };
    let settle = |desk: &mut Desk, attempt, lines: Option<&str>| {
        let mut blobs = Blobs::new();
        if let Some(lines) = lines {
            blobs.insert(Blob(7), lines.as_bytes());
        }
        let done = Settlement::Done {
            id: Some("1".into()),
            number: None,
            lines: lines.map(|_| Blob(7)),
        };
        let op = LedgerOp::Settle {
            attempt,
            outcome: "rows".into(),
            http_status: Some(200),
            excerpt: None,
            vendor_trace: None,
            rows: vec![(record, done)],
            now: desk.now,
        };
        let hit = desk.try_one(op.clone(), &blobs);
        (hit, op)
    };
    assert_eq!(kept(&desk), None);
    let attempt = desk.claim(&[("a", "v1", "a")]).0.expect("claimed");
    // All or nothing: without its lines the settlement has not happened.
    let lost = Settlement::Done {
        id: Some("1".into()),
        number: None,
        lines: Some(Blob(99)),
    };
    let op = LedgerOp::Settle {
        attempt,
        outcome: "rows".into(),
        http_status: Some(200),
        excerpt: None,
        vendor_trace: None,
        rows: vec![(record, lost)],
        now: desk.now,
    };
    assert!(desk.try_one(op, &Blobs::new()).is_err());
    assert_eq!((desk.state("a"), kept(&desk)), (RecordState::Sending, None));
    let (hit, op) = settle(&mut desk, attempt, Some("{\"L\":1}"));
    assert_eq!(hit, Ok(LedgerReply::Count(1)));
    assert_eq!(kept(&desk).as_deref(), Some("{\"L\":1}"));
    // A second answer to the same attempt changes nothing.
    let mut blobs = Blobs::new();
    blobs.insert(Blob(7), &b"{\"L\":2}"[..]);
    assert_eq!(desk.try_one(op, &blobs), Ok(LedgerReply::Count(0)));
    assert_eq!(kept(&desk).as_deref(), Some("{\"L\":1}"));
    // An update that tells nothing of lines keeps them, one that does replaces them.
    desk.see("a", "v2");
    let attempt = desk.claim(&[("a", "v2", "a")]).0.expect("claimed");
    settle(&mut desk, attempt, None).0.expect("settled");
    assert_eq!(kept(&desk).as_deref(), Some("{\"L\":1}"));
    desk.see("a", "v3");
    let attempt = desk.claim(&[("a", "v3", "a")]).0.expect("claimed");
    settle(&mut desk, attempt, Some("{\"L\":3}")).0.expect("settled");
    assert_eq!(kept(&desk).as_deref(), Some("{\"L\":3}"));
    desk.end();
}
