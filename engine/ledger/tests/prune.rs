//! What is given up after a while, measured by the size of the file.

use flow::op::RecordState;
use ledger::contract::Desk;
use ledger::{Ledger, OpenOptions};

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
    assert_eq!(ledger.prune(1).unwrap().payloads, 0, "nothing is that old");
    let pruned = ledger.prune(before).unwrap();
    assert_eq!(pruned.payloads, 250);
    assert!(pruned.bytes > 2_000_000, "{pruned:?}");
    assert_eq!(ledger.prune(before).unwrap().payloads, 0, "once");
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
