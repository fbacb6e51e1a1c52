//! `verify --fix`: what is derived is made anew, and nothing else is touched.

use flow::op::{AuditNote, RecordState};
use ledger::contract::Desk;
use ledger::fix::RepairKind;
use ledger::read::{AuditFilter, RecordFilter};
use ledger::{Ledger, OpenOptions};

fn note() -> AuditNote {
    AuditNote {
        who: "li".into(),
        action: "fix".into(),
        scheme: None,
        record: None,
        what: String::new(),
        reason: "told by verify".into(),
    }
}

#[test]
fn what_is_derived_is_made_anew() {
    let breaks = [
        (
            RepairKind::Counter,
            1,
            "UPDATE scheme_state SET n = n + 1 WHERE state = 'held'",
        ),
        (
            RepairKind::Counter,
            1,
            "DELETE FROM scheme_state WHERE state = 'done'",
        ),
        (
            RepairKind::Orphan,
            2,
            "PRAGMA foreign_keys = OFF; INSERT INTO body (record, source) VALUES (4711, '{}');
             INSERT INTO document_lines (record, lines) VALUES (4712, '{}')",
        ),
        (
            RepairKind::Index,
            1,
            // An index of nothing that says it is of everything.
            "CREATE INDEX later ON record (label) WHERE state = 'nothing'; PRAGMA writable_schema = ON;
             UPDATE sqlite_master SET sql = 'CREATE INDEX later ON record (label)' WHERE name = 'later'",
        ),
    ];
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let mut desk = Desk::new(Ledger::open(&dir, OpenOptions::new("test")).unwrap());
    for state in RecordState::ALL {
        desk.bring(state.word(), state);
    }
    desk.end();
    assert_eq!(desk.ledger.reader().repairs().unwrap(), []);
    assert_eq!(desk.ledger.repair(&note(), 7).unwrap(), []);
    assert_eq!(
        desk.ledger.reader().audit(&AuditFilter::default()).unwrap(),
        [],
        "nothing was done"
    );
    drop(desk);
    let file = dir.join("ledger.db");
    let (sound, noted) = (
        std::fs::read(&file).unwrap(),
        std::fs::read(dir.join("generation")).unwrap(),
    );
    for (kind, least, sql) in breaks {
        std::fs::write(&file, &sound).unwrap();
        std::fs::write(dir.join("generation"), &noted).unwrap();
        let conn = rusqlite::Connection::open(&file).unwrap();
        conn.execute_batch(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
        drop(conn);
        let records = |ledger: &Ledger| ledger.reader().list_records(&RecordFilter::default()).unwrap();
        // Damage that the start would refuse is looked at and mended all the same.
        let options = OpenOptions {
            check: ledger::CheckBudget {
                max_bytes: 0,
                ..ledger::CheckBudget::default()
            },
            ..OpenOptions::new("test")
        };
        let mut ledger = Ledger::open(&dir, options).unwrap();
        let before = records(&ledger);
        let listed = ledger.reader().repairs().unwrap();
        assert!(
            listed.len() >= least && listed.iter().all(|one| one.kind == kind),
            "{sql}: {listed:?}"
        );
        assert_eq!(
            ledger.reader().repairs().unwrap(),
            listed,
            "looking changes nothing"
        );
        assert_eq!(ledger.repair(&note(), 7).unwrap(), listed);
        assert_eq!(ledger.reader().repairs().unwrap(), [], "{sql}");
        let report = ledger.verify(None).unwrap();
        assert!(report.is_clean(), "{sql}: {:#?}", report.findings);
        assert_eq!(records(&ledger), before);
        let notes = ledger.reader().audit(&AuditFilter::default()).unwrap();
        assert_eq!((notes.len(), notes[0].at), (1, 7));
        assert!(notes[0].note.what.contains("counters"), "{:?}", notes[0]);
    }
}

/// What a person must decide is left as it is.
#[test]
fn nothing_is_decided() {
    let dir = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(Ledger::open(dir.path(), OpenOptions::new("test")).unwrap());
    desk.bring("a", RecordState::Done);
    desk.end();
    drop(desk);
    let conn = rusqlite::Connection::open(dir.path().join("ledger.db")).unwrap();
    conn.execute_batch("UPDATE record SET done_version = 'v0'")
        .unwrap();
    drop(conn);
    let mut ledger = Ledger::open(dir.path(), OpenOptions::new("test")).unwrap();
    assert_eq!(ledger.repair(&note(), 7).unwrap(), []);
    assert_eq!(ledger.verify(None).unwrap().findings.len(), 1);
}
