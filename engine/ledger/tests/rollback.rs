//! Up one version, back, and up again.

use flow::op::AuditNote;
use ledger::backup::roll_back;
use ledger::contract::{SCHEME, checksum, earlier_version};
use ledger::doctor::known_version;
use ledger::read::AuditFilter;
use ledger::{Ledger, OpenOptions, StoreError, Suspect};

fn suspect() -> Suspect {
    Suspect {
        until: 700,
        note: AuditNote {
            who: "li".into(),
            action: "rollback".into(),
            scheme: None,
            record: None,
            what: String::new(),
            reason: "the new one does not suit".into(),
        },
        now: 5_000,
    }
}

#[test]
fn up_back_and_up_again() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let open = || Ledger::open(&dir, OpenOptions::new("test")).unwrap();
    let newest = known_version();
    earlier_version(&dir, "test", 2_000).unwrap();
    let none = roll_back(&dir, "test", &suspect()).unwrap_err();
    assert!(
        matches!(none, StoreError::Missing { .. }),
        "no copy was kept yet: {none}"
    );
    let (version, records, sum) = checksum(&dir).unwrap();
    assert_eq!((version, records), (newest - 1, 2_000));

    let ledger = open();
    assert_eq!(ledger.opened().migrated_from, Some(newest - 1));
    assert!(ledger.verify(None).unwrap().is_clean());
    drop(ledger);
    assert_eq!(checksum(&dir).unwrap(), (newest, records, sum));
    let kept = dir.join(format!("ledger.db.v{}", newest - 1));
    assert!(kept.is_file(), "a copy is kept first");

    let (version, restored) = roll_back(&dir, "test", &suspect()).unwrap();
    assert_eq!(version, newest - 1);
    assert_eq!(checksum(&dir).unwrap(), (newest - 1, records, sum));
    assert!(
        restored.kept.is_some_and(|path| path.is_file()),
        "what was there is kept"
    );

    // What was sent in between is asked about.
    let ledger = open();
    assert_eq!(ledger.reader().suspicion(SCHEME).unwrap(), Some(700));
    assert!(ledger.verify(None).unwrap().is_clean());
    assert_eq!(
        ledger.reader().audit(&AuditFilter::default()).unwrap()[0].note,
        suspect().note
    );
    drop(ledger);
    assert_eq!(checksum(&dir).unwrap(), (newest, records, sum));
}
