//! Every finding of `verify` can be found: the ledger is broken by hand, one invariant at a time.

use flow::op::{OnSeen, Reason, RecordState, Refusal, Resolution, Settlement};
use flow::window::Interval;
use ledger::contract::Desk;
use ledger::verify::finding;
use ledger::{Ledger, OpenOptions};

/// A ledger with records in every state, a waiting version and a resent record, sound as it is.
fn sound(dir: &std::path::Path) {
    let mut desk = Desk::new(Ledger::open(dir, OpenOptions::new("test")).unwrap());
    for state in RecordState::ALL {
        desk.bring(state.word(), state);
    }
    desk.see("sending", "v2");
    desk.bring("again", RecordState::Unknown);
    desk.resolve("again", Resolution::Resend);
    desk.claim(&[("again", "v1", "again")]);
    desk.stage(&[("done", "v1")], OnSeen::Skip);
    desk.open_window(Interval { from: 0, to: 10 });
    desk.end();
}

#[test]
fn each_broken_invariant_is_found() {
    let breaks = [
        (finding::COUNTS, "UPDATE run SET done = done + 1"),
        (
            finding::COUNTS,
            "UPDATE run SET fetched = fetched + 1, done = done + 1",
        ),
        (
            finding::COUNTS,
            "UPDATE window_run SET seen = seen + 1 WHERE id = 1",
        ),
        (
            finding::COUNTS,
            "UPDATE sighting SET outcome = 'superseded' WHERE outcome = 'new' AND record = 1",
        ),
        (finding::COUNTS, "UPDATE run SET fetched = NULL"),
        (
            finding::NO_REASON,
            "UPDATE record SET err_text = NULL WHERE state = 'dead'",
        ),
        (
            finding::NO_REASON,
            "UPDATE record SET err_code = '' WHERE state = 'skipped'",
        ),
        (
            finding::NOT_IN_FLIGHT,
            "UPDATE attempt SET ended_ms = 1 WHERE ended_ms IS NULL",
        ),
        (
            finding::KEY_TWICE,
            "DROP INDEX record_tkey; UPDATE record SET tkey = 'x' WHERE tkey IS NOT NULL",
        ),
        (
            finding::INTERVALS,
            "INSERT INTO closed_interval VALUES ('customers', 'live', 0, 10), ('customers', 'live', 10, 20)",
        ),
        (
            finding::DONE_VERSION,
            "UPDATE record SET done_version = 'v0' WHERE state = 'done'",
        ),
        (
            finding::STATES,
            "UPDATE scheme_state SET n = n + 1 WHERE state = 'held'",
        ),
        (finding::STATES, "DELETE FROM scheme_state WHERE state = 'done'"),
        (finding::WAITING, "UPDATE body SET waiting = NULL"),
        (
            finding::WAITING,
            "UPDATE record SET waiting_version = 'v9' WHERE state = 'pending';
             UPDATE body SET waiting = '{}' WHERE record = (SELECT id FROM record WHERE state = 'pending')",
        ),
        (finding::WAITING, "DELETE FROM body WHERE record = 1"),
        (finding::BLIND_RESEND, "UPDATE attempt_row SET resolution = NULL"),
        (
            finding::BLIND_RESEND,
            "UPDATE attempt_row SET settlement = NULL WHERE record = (SELECT id FROM record WHERE state = 'done')",
        ),
        (
            // E5026: a row that is done says that it is in a document that is pending.
            finding::MEMBER_STATE,
            "UPDATE record SET bundle = id WHERE state = 'pending';
             UPDATE record SET bundle = (SELECT id FROM record WHERE state = 'pending') WHERE state = 'done'",
        ),
        (
            finding::DAMAGED,
            "PRAGMA foreign_keys = OFF; UPDATE attempt_row SET record = 4711 WHERE id = 1",
        ),
    ];
    let base = tempfile::tempdir().unwrap();
    sound(base.path());
    let file = std::fs::read(base.path().join("ledger.db")).unwrap();
    for (code, sql) in breaks {
        std::fs::write(base.path().join("ledger.db"), &file).unwrap();
        let conn = rusqlite::Connection::open(base.path().join("ledger.db")).unwrap();
        conn.execute_batch(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
        drop(conn);
        let reader = Ledger::open_read_only(base.path()).unwrap();
        let report = reader.verify(None).unwrap();
        assert!(
            report.findings.iter().any(|found| found.code == code),
            "{sql}: {report:#?}"
        );
        for found in &report.findings {
            assert!(!found.text.is_empty() && !found.facts.is_empty());
        }
        // What belongs to no scheme of this name is not reported for it.
        let other = reader.verify(Some("other")).unwrap();
        assert!(
            other.findings.iter().all(|found| found.code == finding::DAMAGED),
            "{sql}: {other:#?}"
        );
    }
    std::fs::write(base.path().join("ledger.db"), &file).unwrap();
    let report = Ledger::open_read_only(base.path())
        .unwrap()
        .verify(Some("customers"))
        .unwrap();
    assert!(report.is_clean(), "{:#?}", report.findings);
    assert_eq!((report.runs, report.records), (1, 8));
}

#[test]
fn a_reason_whose_sentence_says_it_all_needs_no_text() {
    let dir = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(Ledger::open(dir.path(), OpenOptions::new("test")).unwrap());
    let said = |code: &str| Reason::new(code, "");
    for key in ["never written", "no void", "lost"] {
        desk.see(key, "v1");
    }
    assert!(desk.refuse("never written", "v1", Refusal::Skipped(said("E4019"))));
    assert!(desk.refuse("no void", "v1", Refusal::Held(said("E4021"))));
    let attempt = desk.claim(&[("lost", "v1", "lost")]).0.unwrap();
    assert!(desk.settle(attempt, "lost", Settlement::Dead(said("E4000"))));
    // Verifies.
    desk.end();
    drop(desk);
    let report = Ledger::open_read_only(dir.path()).unwrap().verify(None).unwrap();
    assert!(report.is_clean(), "{:#?}", report.findings);
}
