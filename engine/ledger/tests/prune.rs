//! What is given up after a while, measured by the size of the file.

use flow::ids::Blob;
use flow::op::{
    ClaimRow, LedgerOp, LedgerReply, OnSeen, Reason, RecordState, Resolution, Settlement, WriteAction,
};
use ledger::contract::Desk;
use ledger::{Blobs, Ledger, OpenOptions};

#[test]
fn documents_are_given_up_and_their_space_is_given_back() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ledger.db");
    let mut desk = Desk::new(Ledger::open(dir.path(), OpenOptions::new("test")).unwrap());
    // Some hundred large documents, of which the last ones are younger, and one that waits for a person.
    let large = |i: usize| format!("{i:0>9000}");
    desk.bring("held", RecordState::Held);
    for i in 0..300 {
        if i == 250 {
            desk.now += 10_000;
        }
        desk.see(&i.to_string(), "v1");
        let attempt = desk.claim(&[(&i.to_string(), "v1", &large(i))]).0.unwrap();
        let done = flow::op::Settlement::Done {
            id: Some(i.to_string()),
            number: None,
            lines: None,
        };
        desk.settle(attempt, &i.to_string(), done);
    }
    desk.end();
    let before = desk.now;
    drop(desk);
    let full = std::fs::metadata(&file).unwrap().len();
    let mut ledger = Ledger::open(dir.path(), OpenOptions::new("test")).unwrap();
    let life = |ledger: &Ledger, key: &str| ledger.reader().show_record(None, key).unwrap().remove(0);
    let lives = life(&ledger, "7");
    assert_eq!(
        ledger.prune(1, before).unwrap().payloads,
        0,
        "nothing is that old"
    );
    let pruned = ledger.prune(before, before).unwrap();
    assert_eq!(pruned.payloads, 250);
    assert!(pruned.bytes > 2_000_000, "{pruned:?}");
    assert_eq!(ledger.prune(before, before).unwrap().payloads, 0, "once");
    // The document is gone, what became of it is not.
    let after = life(&ledger, "7");
    assert_eq!(
        (
            after.attempts[0].payload.as_ref(),
            lives.attempts[0].payload.is_some()
        ),
        (None, true)
    );
    assert_eq!((&after.record, &after.source), (&lives.record, &lives.source));
    assert!(life(&ledger, "held").attempts[0].payload.is_some());
    assert!(life(&ledger, "299").attempts[0].payload.is_some());
    assert!(ledger.verify(None).unwrap().is_clean());
    drop(ledger);
    let small = std::fs::metadata(&file).unwrap().len();
    assert!(small + 2_000_000 < full, "{full} bytes before, {small} after");
}

/// Ten years of readings, questions and sends of records that are done come down to the newest of each; what is not
/// done keeps everything, and the ledger still agrees with itself.
#[test]
fn the_past_of_settled_records_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(Ledger::open(dir.path(), OpenOptions::new("test")).unwrap());
    let day = 86_400_000;
    desk.bring("dead", RecordState::Dead);
    desk.end();
    let versions = ["v1", "v2", "v3", "v4"];
    for version in versions {
        desk.now += 100 * day;
        desk.begin();
        for key in ["a", "b"] {
            desk.see(key, version);
            desk.see(key, version);
            let attempt = desk.claim(&[(key, version, key)]).0.unwrap();
            let done = flow::op::Settlement::Done {
                id: Some(key.to_owned()),
                number: None,
                lines: None,
            };
            desk.settle(attempt, key, done);
        }
        if version == "v2" {
            desk.see("dead", "dead v1");
        }
        let (mut last, blobs) = desk.page(Vec::new(), OnSeen::UpdateIfChanged);
        if let LedgerOp::StagePage { close, .. } = &mut last {
            *close = Some(None);
        }
        desk.try_one(last, &blobs).unwrap();
        desk.end();
    }
    let now = desk.now + 100 * day;
    drop(desk);
    let mut ledger = Ledger::open(dir.path(), OpenOptions::new("test")).unwrap();
    let life = |ledger: &Ledger, key: &str| ledger.reader().show_record(None, key).unwrap().remove(0);
    let before = life(&ledger, "dead");
    assert_eq!(life(&ledger, "a").sightings_total, 8);
    // Twice: it goes on where it stopped.
    for (upto, sightings, sends) in [(now - 250 * day, 8, 4), (now, 6, 2)] {
        let pruned = ledger.prune(upto, now).unwrap();
        let told = (pruned.sightings, pruned.sends, pruned.windows);
        assert_eq!(told, (sightings, sends, 1), "{pruned:?}");
        let report = ledger.verify(None).unwrap();
        assert!(report.is_clean(), "{:#?}", report.findings);
    }
    for key in ["a", "b"] {
        let left = life(&ledger, key);
        assert_eq!((left.sightings_total, left.attempts.len()), (1, 1), "{key}");
        assert_eq!(left.attempts[0].version, left.record.version, "the last one");
        assert_eq!(left.record.target_id.as_deref(), Some(key));
    }
    assert_eq!(life(&ledger, "dead"), before, "it still wants somebody");
    let runs = ledger.reader().list_runs(&Default::default()).unwrap();
    assert!(
        runs.iter()
            .all(|run| run.counts.is_some_and(|counts| counts.fetched > 0)),
        "counts stay"
    );
    // Nothing is given up twice, and the next claim does not take an old number.
    let again = ledger.prune(now, now).unwrap();
    assert_eq!(again, Default::default());
}

/// A line whose send was lost and that is not made: the next claim of it asks what was sent under which key, however old.
#[test]
fn a_lost_send_of_a_step_is_kept_until_the_step_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(Ledger::open(dir.path(), OpenOptions::new("test")).unwrap());
    let day = 86_400_000;
    let done = || Settlement::Done {
        id: Some("7".to_owned()),
        number: None,
        lines: None,
    };
    let at_line = |desk: &mut Desk, key: &str| {
        desk.see(key, "v1");
        let attempt = desk.claim(&[(key, "v1", key)]).0.unwrap();
        let next = r#"contact/["1"]"#.to_owned();
        let Settlement::Done { id, number, lines } = done() else {
            unreachable!("it is made above")
        };
        desk.settle(
            attempt,
            key,
            Settlement::Stepped {
                id,
                number,
                lines,
                next,
            },
        );
    };
    let claim_line = |desk: &mut Desk, key: &str| {
        let claim = LedgerOp::Claim {
            run: desk.run,
            target: "k3 save".into(),
            rows: vec![ClaimRow {
                record: desk.record(key).record,
                version: "v1".into(),
                action: WriteAction::Create,
                step: Some(r#"contact/["1"]"#.to_owned()),
                form: "contact".into(),
                tkey: format!("[\"C{key}\"]"),
                payload: Blob(0),
                wrote: Vec::new(),
            }],
            resolve_after: desk.now,
            now: desk.now,
        };
        let mut blobs = Blobs::new();
        blobs.insert(Blob(0), b"{}".to_vec());
        match desk.try_one(claim, &blobs).unwrap() {
            LedgerReply::Claimed { attempt, .. } => attempt.expect("claimed"),
            other => panic!("{other:?}"),
        }
    };
    for (key, end) in [
        ("made", done()),
        ("not made", Settlement::Dead(Reason::new("E4001", "no"))),
    ] {
        at_line(&mut desk, key);
        let attempt = claim_line(&mut desk, key);
        let lost = Settlement::Unknown {
            resolve_after: desk.now,
            reason: Reason::new("E7002", "lost"),
        };
        desk.settle(attempt, key, lost);
        assert!(desk.resolve(key, Resolution::Resend));
        let attempt = claim_line(&mut desk, key);
        desk.settle(attempt, key, end);
        for version in ["v2", "v3"] {
            desk.now += 100 * day;
            desk.see(key, version);
            let attempt = desk.claim(&[(key, version, key)]).0.unwrap();
            desk.settle(attempt, key, done());
        }
    }
    desk.end();
    let now = desk.now + 100 * day;
    drop(desk);
    let mut ledger = Ledger::open(dir.path(), OpenOptions::new("test")).unwrap();
    ledger.prune(now, now).unwrap();
    let left = |key: &str| {
        let shown = ledger.reader().show_record(None, key).unwrap().remove(0);
        shown.attempts.into_iter().map(|one| one.step).collect::<Vec<_>>()
    };
    assert_eq!(left("made"), [None]);
    assert_eq!(left("not made"), [Some(r#"contact/["1"]"#.to_owned()), None]);
}
