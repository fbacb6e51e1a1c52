//! Copies of a ledger: taken while it is at work, put back, and recognised when somebody put one back by hand.

use std::path::Path;

use flow::op::{AuditNote, LedgerOp, Reason, RecordState, Settlement, SuspectKind, Trigger};
use ledger::backup::{copy_to, restore};
use ledger::contract::{Desk, SCHEME};
use ledger::read::{AuditFilter, RecordFilter};
use ledger::{Blobs, Ledger, OpenOptions, StoreError, Suspect};

fn open(dir: &Path) -> Result<Ledger, StoreError> {
    Ledger::open(dir, OpenOptions::new("test"))
}

fn suspect() -> Suspect {
    Suspect {
        until: 700,
        note: AuditNote {
            who: "li".into(),
            action: "restore".into(),
            scheme: None,
            record: None,
            what: "a copy".into(),
            reason: "the disk died".into(),
        },
        now: 5_000,
    }
}

fn keys(ledger: &Ledger) -> usize {
    ledger
        .reader()
        .list_records(&RecordFilter::default())
        .unwrap()
        .len()
}

/// A run that cannot begin: nothing is sent from such a ledger.
fn begin(ledger: &mut Ledger) -> Result<(), StoreError> {
    let begin = LedgerOp::BeginRun {
        scheme: SCHEME.into(),
        revision: "r".into(),
        trigger: Trigger::Manual,
        now: 1,
    };
    ledger.apply(&[begin], &Blobs::new()).map(drop)
}

#[test]
fn a_copy_is_whole_checked_and_of_one_moment() {
    let base = tempfile::tempdir().unwrap();
    let (dir, to) = (base.path().join("data"), base.path().join("copy.db"));
    let mut desk = Desk::new(open(&dir).unwrap());
    // Larger than one step of the copy, with a writer in between.
    for i in 0..1_500 {
        desk.see(&format!("{i:0>900}"), "v1");
    }
    let before = keys(&desk.ledger);
    let copied = desk.ledger.back_up(&to).unwrap();
    desk.see("later", "v1");
    assert_eq!(copied.bytes, std::fs::metadata(&to).unwrap().len());
    assert!(copied.bytes > 1 << 20 && copied.generation == 1, "{copied:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            std::fs::metadata(&to).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    // It does not take the place of another file, and leaves nothing behind when it fails.
    let refused = desk.ledger.back_up(&to).unwrap_err();
    assert_eq!(refused, StoreError::Exists { path: to.clone() });
    assert_eq!(refused.code(), "E5017");
    let nowhere = base.path().join("no such folder/copy.db");
    assert!(matches!(
        desk.ledger.back_up(&nowhere),
        Err(StoreError::Io { .. })
    ));
    desk.end();
    drop(desk);
    // At rest too, and by another process.
    let second = base.path().join("second.db");
    copy_to(&dir, &second).unwrap();
    let back = |copy: &Path, name: &str| {
        let dir = base.path().join(name);
        let restored = restore(&dir, copy, "test", &suspect()).unwrap();
        assert_eq!(restored.kept, None);
        let ledger = open(&dir).unwrap();
        assert!(ledger.verify(None).unwrap().is_clean());
        keys(&ledger)
    };
    assert_eq!(back(&to, "one"), before);
    assert_eq!(back(&second, "two"), before + 1);
    let names: Vec<_> = std::fs::read_dir(base.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("part") || name.contains("journal"))
        .collect();
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn what_is_no_ledger_is_not_put_back() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let mut desk = Desk::new(open(&dir).unwrap());
    desk.see("a", "v1");
    desk.end();
    let copy = base.path().join("copy.db");
    desk.ledger.back_up(&copy).unwrap();
    assert!(
        matches!(
            restore(&dir, &copy, "test", &suspect()),
            Err(StoreError::Locked { .. })
        ),
        "somebody works with it"
    );
    drop(desk);
    let before = std::fs::read(dir.join("ledger.db")).unwrap();
    let wrong = restore(&dir, &copy, "prod", &suspect()).unwrap_err();
    assert_eq!(wrong.code(), "E5003");
    let text = base.path().join("text");
    std::fs::write(&text, "no database".repeat(1_000)).unwrap();
    assert_eq!(
        restore(&dir, &text, "test", &suspect()).unwrap_err().code(),
        "E5006"
    );
    let mut damaged = std::fs::read(&copy).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 8192].fill(0xA5);
    std::fs::write(&text, damaged).unwrap();
    assert_eq!(
        restore(&dir, &text, "test", &suspect()).unwrap_err().code(),
        "E5009"
    );
    assert_eq!(std::fs::read(dir.join("ledger.db")).unwrap(), before);
    drop(open(&dir).unwrap());
}

/// The copy knows nothing of what was sent after it was taken: everything it would send is asked about first.
#[test]
fn a_restored_ledger_asks_first() {
    let base = tempfile::tempdir().unwrap();
    let (dir, copy) = (base.path().join("data"), base.path().join("copy.db"));
    let mut desk = Desk::new(open(&dir).unwrap());
    desk.bring("open", RecordState::Pending);
    desk.bring("settled", RecordState::Done);
    desk.ledger.back_up(&copy).unwrap();
    // Sent after the copy was taken.
    let attempt = desk.claim(&[("open", "v1", "open")]).0.unwrap();
    desk.end();
    drop(desk);
    let restored = restore(&dir, &copy, "test", &suspect()).unwrap();
    assert_eq!((restored.generation, restored.suspect_until), (Some(1), 700));
    let kept = restored.kept.unwrap();
    assert!(kept.is_file(), "the ledger that was there is kept");

    let mut ledger = open(&dir).unwrap();
    assert_eq!(ledger.reader().suspicion(SCHEME).unwrap(), Some(700));
    let refused = begin(&mut ledger).unwrap_err();
    assert!(refused.to_string().contains("restored"), "{refused}");
    let put = LedgerOp::Suspect {
        scheme: SCHEME.into(),
        kind: SuspectKind::Restored,
        until: 700,
        ask_after: 9_000,
        now: 5_000,
    };
    ledger.apply(&[put], &Blobs::new()).unwrap();
    assert_eq!(ledger.reader().suspicion(SCHEME).unwrap(), None);
    assert_eq!(ledger.reader().suspicion("another").unwrap(), Some(700));
    let mut desk = Desk::new(ledger);
    assert_eq!(desk.state("open"), RecordState::Unknown);
    assert_eq!(desk.state("settled"), RecordState::Done);
    desk.end();
    let notes = desk.ledger.reader().audit(&AuditFilter::default()).unwrap();
    assert_eq!((notes[0].at, &notes[0].note), (5_000, &suspect().note));
    // The number of a call of the forgotten life is not given again.
    desk.begin();
    desk.open_window(flow::window::Interval { from: 800, to: 900 });
    desk.see("new", "v1");
    assert_eq!(
        desk.state("new"),
        RecordState::Unknown,
        "nobody has read up to the copy's end"
    );
    desk.see("settled", "v2");
    let next = desk.claim(&[("settled", "v2", "settled")]).0.unwrap();
    assert!(next > attempt, "{next} after {attempt}");
    drop(desk);
    // Opened once more it is an ordinary ledger, and the next copy put back is suspect anew.
    let ledger = open(&dir).unwrap();
    assert_eq!(ledger.reader().suspicion(SCHEME).unwrap(), None);
    drop(ledger);
    restore(&dir, &copy, "test", &suspect()).unwrap();
    assert_eq!(open(&dir).unwrap().reader().suspicion(SCHEME).unwrap(), Some(700));
}

#[test]
fn a_copy_put_back_by_hand_is_recognised() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let file = dir.join("ledger.db");
    let saved = base.path().join("saved.db");
    let refused = |what: &str| {
        let before = std::fs::read(&file).unwrap_or_default();
        let error = open(&dir).err().unwrap_or_else(|| panic!("{what}: it is taken"));
        assert_eq!(error.code(), "E5016", "{what}: {error}");
        // Refused again the next time: nothing has become right by trying.
        assert_eq!(open(&dir).err().unwrap().code(), "E5016", "{what}");
        before
    };
    let mut desk = Desk::new(open(&dir).unwrap());
    desk.bring("a", RecordState::Done);
    desk.end();
    drop(desk);
    std::fs::copy(&file, &saved).unwrap();

    // Nothing has happened since: the same file again is the ledger.
    std::fs::copy(&saved, &file).unwrap();
    let mut desk = Desk::new(open(&dir).unwrap());
    desk.bring("b", RecordState::Sending);
    drop(desk);
    std::fs::copy(&saved, &file).unwrap();
    refused("an older file");

    // Copied while the same process worked on: only the claims since then tell.
    std::fs::remove_dir_all(&dir).unwrap();
    let mut desk = Desk::new(open(&dir).unwrap());
    desk.bring("a", RecordState::Done);
    desk.ledger.back_up(&base.path().join("early.db")).unwrap();
    desk.bring("b", RecordState::Done);
    desk.end();
    drop(desk);
    std::fs::copy(base.path().join("early.db"), &file).unwrap();
    refused("a file of the same generation");

    std::fs::remove_file(&file).unwrap();
    refused("the ledger is lost and a new one is begun");

    // The file alone, on another machine.
    let other = base.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::copy(base.path().join("early.db"), other.join("ledger.db")).unwrap();
    assert_eq!(open(&other).err().unwrap().code(), "E5016");
    // A whole data directory that moves takes its note along.
    let moved = base.path().join("moved");
    std::fs::create_dir(&moved).unwrap();
    let whole = tempfile::tempdir().unwrap();
    drop(open(whole.path()).unwrap());
    for name in ["ledger.db", "generation"] {
        std::fs::copy(whole.path().join(name), moved.join(name)).unwrap();
    }
    drop(open(&moved).unwrap());

    // Somebody's word: taken, and suspect.
    let options = OpenOptions {
        suspect: Some(suspect()),
        ..OpenOptions::new("test")
    };
    let mut ledger = Ledger::open(&other, options).unwrap();
    assert_eq!(ledger.reader().suspicion(SCHEME).unwrap(), Some(700));
    begin(&mut ledger).unwrap_err();
    drop(ledger);
    drop(open(&other).unwrap());
}

/// Whatever instant a restore is interrupted at, the next start refuses or works with the marked ledger.
#[test]
fn an_interrupted_restore_is_refused() {
    let base = tempfile::tempdir().unwrap();
    let (dir, copy) = (base.path().join("data"), base.path().join("copy.db"));
    let mut desk = Desk::new(open(&dir).unwrap());
    desk.bring("a", RecordState::Done);
    desk.end();
    desk.ledger.back_up(&copy).unwrap();
    drop(desk);
    let old = std::fs::read(dir.join("ledger.db")).unwrap();
    restore(&dir, &copy, "test", &suspect()).unwrap();
    let marked = std::fs::read(dir.join("ledger.db")).unwrap();
    // The note was written, the file not yet exchanged; or moved away, and the new one not yet there.
    std::fs::write(dir.join("ledger.db"), &old).unwrap();
    assert_eq!(open(&dir).err().unwrap().code(), "E5016");
    std::fs::remove_file(dir.join("ledger.db")).unwrap();
    assert_eq!(open(&dir).err().unwrap().code(), "E5016");
    std::fs::write(dir.join("ledger.db"), &marked).unwrap();
    assert_eq!(open(&dir).unwrap().reader().suspicion(SCHEME).unwrap(), Some(700));
}

/// A note beside what was written names the send: it is told again after a restart, and no other ledger tells the same.
#[test]
fn a_send_has_a_name_of_its_own() {
    let base = tempfile::tempdir().unwrap();
    let marks = |dir: &Path| {
        let mut desk = Desk::new(open(dir).unwrap());
        desk.see("a", "v1");
        let first = desk.claim(&[("a", "v1", "A")]).0.unwrap();
        let record = desk.record("a").record;
        let settled = Settlement::Unknown {
            resolve_after: desk.now,
            reason: Reason::new("X", "lost"),
        };
        desk.settle(first, "a", settled);
        let told = desk.ledger.reader().sends_of(record, None).unwrap();
        assert_eq!(
            told.first(),
            desk.ledger.reader().attempt_mark(first).unwrap().as_ref()
        );
        drop(desk);
        // The process that asks is seldom the one that has sent.
        let reader = open(dir).unwrap();
        assert_eq!(reader.reader().sends_of(record, None).unwrap(), told);
        told
    };
    let (one, other) = (marks(&base.path().join("one")), marks(&base.path().join("other")));
    assert_eq!((one.len(), other.len()), (1, 1));
    assert_eq!((one[0].attempt, one[0].sent), (other[0].attempt, other[0].sent));
    assert_ne!(one[0].ledger, other[0].ledger);
}

/// Content that comes back is another write: what was sent of it before something else was does not prove it.
#[test]
fn sends_of_a_version_begin_behind_another_one() {
    let base = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(open(base.path()).unwrap());
    let mut sent = Vec::new();
    for version in ["v1", "v2", "v1", "v1"] {
        desk.see("a", version);
        let attempt = desk.claim(&[("a", version, "A")]).0.unwrap();
        let end = match sent.len() {
            2 => Settlement::Retry {
                not_before: desk.now,
                spend: true,
                reason: Reason::new("X", "busy"),
            },
            3 => Settlement::Unknown {
                resolve_after: desk.now,
                reason: Reason::new("X", "lost"),
            },
            _ => Settlement::Done {
                id: Some("1".to_owned()),
                number: None,
                lines: None,
            },
        };
        assert!(desk.settle(attempt, "a", end));
        sent.push(attempt);
    }
    let sends = desk
        .ledger
        .reader()
        .sends_of(desk.record("a").record, None)
        .unwrap();
    let sends: Vec<_> = sends.iter().map(|mark| mark.attempt).collect();
    assert_eq!(sends, [sent[3], sent[2]]);
}
