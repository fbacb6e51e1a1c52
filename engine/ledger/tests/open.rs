//! The data directory: locks, rights, environments, copies, and what a restart finds.

use std::collections::BTreeSet;
use std::path::Path;

use flow::op::{LedgerReply, RecordState};
use ledger::contract::{Desk, SCHEME};
use ledger::read::RecordFilter;
use ledger::{CheckBudget, Checked, Ledger, OpenOptions, StoreError};

fn open(dir: &Path) -> Result<Ledger, StoreError> {
    Ledger::open(dir, OpenOptions::new("test"))
}

fn files(dir: &Path) -> BTreeSet<String> {
    let names = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn one_at_a_time() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join(".engine/test");
    let first = open(&dir).unwrap();
    let refused = open(&dir).err().unwrap();
    assert_eq!(
        refused,
        StoreError::Locked {
            dir: dir.clone(),
            pid: Some(std::process::id())
        }
    );
    // Questions need no lock.
    assert!(
        Ledger::open_read_only(&dir)
            .unwrap()
            .schemes()
            .unwrap()
            .is_empty()
    );
    drop(first);
    assert_eq!(open(&dir).unwrap().opened().checked, Checked::Sound);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join(".engine/test");
    let ledger = open(&dir).unwrap();
    let rights = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((rights(&dir), rights(dir.parent().unwrap())), (0o700, 0o700));
    for file in files(&dir) {
        assert_eq!(rights(&dir.join(&file)), 0o600, "{file}");
    }
    drop(ledger);
    std::fs::set_permissions(dir.join("ledger.db"), std::fs::Permissions::from_mode(0o644)).unwrap();
    drop(open(&dir).unwrap());
    assert_eq!(rights(&dir.join("ledger.db")), 0o600);
}

#[test]
fn belongs_to_one_environment() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path();
    drop(open(dir).unwrap());
    let refused = Ledger::open(dir, OpenOptions::new("prod")).err().unwrap();
    assert_eq!(
        refused,
        StoreError::WrongEnvironment {
            dir: dir.to_owned(),
            stored: "test".into(),
            asked: "prod".into()
        }
    );
    assert_eq!(
        Ledger::open_read_only(dir)
            .unwrap()
            .environment()
            .unwrap()
            .as_deref(),
        Some("test")
    );
}

#[test]
fn a_connection_leads_to_one_place() {
    let mut ledger = Ledger::in_memory().unwrap();
    ledger.remember_origin("k3", "https://a/1").unwrap();
    ledger.remember_origin("k3", "https://a/1").unwrap();
    ledger.remember_origin("huke", "https://h/1").unwrap();
    let refused = ledger.remember_origin("k3", "https://b/1").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "connection `k3` led to https://a/1 and now leads to https://b/1"
    );
    ledger.replace_origin("k3", "https://b/1").unwrap();
    ledger.remember_origin("k3", "https://b/1").unwrap();
    assert_eq!(ledger.reader().origins().unwrap().len(), 2);
}

/// Versions of one system's rows say nothing about another's: read by them, it would seem empty for ever.
#[test]
fn versions_are_those_of_one_place() {
    use flow::op::{LedgerOp, LedgerReply};
    use flow::version::{VersionMark, VersionMarks};
    let mark = VersionMark { at: 1, version: 70 };
    let marks = VersionMarks {
        read: mark,
        seen: vec![mark],
    };
    let (jst, other) = (("s", "jst/orders"), ("s", "jst2/orders"));
    let mut ledger = Ledger::in_memory().unwrap();
    let known = |ledger: &mut Ledger, (scheme, source): (&str, &str)| {
        let (scheme, source) = (scheme.to_owned(), source.to_owned());
        let read = LedgerOp::ReadVersions { scheme, source };
        let replies = ledger.apply(&[read], &ledger::Blobs::new()).unwrap();
        matches!(replies[..], [LedgerReply::Versions(Some(_))])
    };
    ledger.remember_origin("jst", "https://a/1").unwrap();
    for (scheme, source) in [jst, other] {
        let note = LedgerOp::NoteVersions {
            scheme: scheme.to_owned(),
            source: source.to_owned(),
            marks: marks.clone(),
        };
        ledger.apply(&[note], &ledger::Blobs::new()).unwrap();
    }
    ledger.replace_origin("jst", "https://a/1").unwrap();
    assert!(known(&mut ledger, jst));
    ledger.replace_origin("jst", "https://b/1").unwrap();
    assert!(!known(&mut ledger, jst));
    assert!(known(&mut ledger, other));
}

#[test]
fn other_files_are_refused_and_left_alone() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("ledger.db");
    let refused = |what: &str| {
        let before = std::fs::read(&path).unwrap();
        let error = open(base.path()).err().unwrap();
        assert!(Ledger::open_read_only(base.path()).is_err(), "{what}");
        assert!(Ledger::copy_to_memory(Some(base.path())).is_err(), "{what}");
        assert_eq!(std::fs::read(&path).unwrap(), before, "{what}");
        error.code()
    };
    std::fs::write(
        &path,
        "this is a text of some length and no database at all".repeat(20),
    )
    .unwrap();
    assert_eq!(refused("text"), "E5006");

    std::fs::remove_file(&path).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(other);
    assert_eq!(refused("another program's database"), "E5006");

    std::fs::remove_file(&path).unwrap();
    drop(open(base.path()).unwrap());
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer
        .execute_batch("PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE);")
        .unwrap();
    drop(newer);
    assert_eq!(refused("a newer ledger"), "E5004");
}

#[test]
fn damage_is_found_at_the_start() {
    let base = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(open(base.path()).unwrap());
    for i in 0..200 {
        desk.see(&format!("key {i}"), "v1");
    }
    drop(desk);
    let path = base.path().join("ledger.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xA5);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(open(base.path()).err().unwrap().code(), "E5009");
    // A file above the bound is not checked at the start, and says so.
    let options = OpenOptions {
        check: CheckBudget {
            max_bytes: 1,
            ..CheckBudget::default()
        },
        ..OpenOptions::new("test")
    };
    if let Ok(ledger) = Ledger::open(base.path(), options) {
        assert!(matches!(ledger.opened().checked, Checked::TooLarge { .. }));
    }
}

#[test]
fn questions_create_nothing() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("none");
    assert_eq!(
        Ledger::open_read_only(&dir).err().unwrap(),
        StoreError::Missing { dir: dir.clone() }
    );
    assert!(
        Ledger::copy_to_memory(Some(&dir))
            .unwrap()
            .reader()
            .schemes()
            .unwrap()
            .is_empty()
    );
    assert!(
        Ledger::copy_to_memory(None)
            .unwrap()
            .reader()
            .schemes()
            .unwrap()
            .is_empty()
    );
    assert!(!dir.exists());

    let mut desk = Desk::new(open(&dir).unwrap());
    desk.see("a", "v1");
    drop(desk);
    let before = files(&dir);
    assert_eq!(
        before,
        ["generation", "ledger.db", "lock"].map(str::to_owned).into()
    );
    let reader = Ledger::open_read_only(&dir).unwrap();
    assert_eq!(reader.list_records(&RecordFilter::default()).unwrap().len(), 1);
    let copy = Ledger::copy_to_memory(Some(&dir)).unwrap();
    assert_eq!(copy.reader().states(SCHEME).unwrap()[0], 1);
    drop((reader, copy));
    assert_eq!(files(&dir), before);
}

/// The copy of a dry run: equal to the original while a writer is active, and apart from it.
#[test]
fn a_copy_is_equal_and_apart() {
    let base = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(open(base.path()).unwrap());
    for state in RecordState::ALL {
        desk.bring(state.word(), state);
    }
    // Not checkpointed: what the copy reads stands in the write-ahead log.
    let copy = Ledger::copy_to_memory(Some(base.path())).unwrap();
    let all = RecordFilter::default();
    let (theirs, ours) = (copy.reader(), desk.ledger.reader());
    assert_eq!(
        theirs.list_records(&all).unwrap(),
        ours.list_records(&all).unwrap()
    );
    for state in RecordState::ALL {
        assert_eq!(
            theirs.show_record(None, state.word()).unwrap(),
            ours.show_record(None, state.word()).unwrap()
        );
    }
    assert_eq!(theirs.environment().unwrap().as_deref(), Some("test"));
    desk.see("later", "v1");
    assert!(theirs.show_record(None, "later").unwrap().is_empty());
    // Work on the copy does not reach the original.
    let mut rehearsal = Desk::new(copy);
    rehearsal.now += 10_000;
    rehearsal.see("only here", "v1");
    rehearsal.end();
    assert!(ours.show_record(None, "only here").unwrap().is_empty());
    assert_eq!(desk.state("sending"), RecordState::Sending);
    // A reader of another process sees the live file.
    let outside = Ledger::open_read_only(base.path()).unwrap();
    assert_eq!(
        outside.list_records(&all).unwrap(),
        ours.list_records(&all).unwrap()
    );
    desk.see("even later", "v1");
    assert_eq!(outside.show_record(None, "even later").unwrap().len(), 1);
    desk.end();
}

/// A reader that asked before the first write of a process, or before any process was there, sees what comes later.
#[test]
fn readers_see_what_comes_later() {
    let base = tempfile::tempdir().unwrap();
    drop(open(base.path()).unwrap());
    let outside = Ledger::open_read_only(base.path()).unwrap();
    assert!(outside.schemes().unwrap().is_empty());
    let ledger = open(base.path()).unwrap();
    let inside = ledger.reader();
    assert!(inside.schemes().unwrap().is_empty() && outside.schemes().unwrap().is_empty());
    let mut desk = Desk::new(ledger);
    desk.see("a", "v1");
    for reader in [&inside, &outside] {
        assert_eq!(reader.schemes().unwrap().len(), 1);
        assert_eq!(reader.show_record(None, "a").unwrap().len(), 1);
    }
    // Without the last close a crash leaves the write-ahead log; what was committed is read from it.
    let crashed = tempfile::tempdir().unwrap();
    for file in ["ledger.db", "ledger.db-wal"] {
        std::fs::copy(base.path().join(file), crashed.path().join(file)).unwrap();
    }
    let reader = Ledger::open_read_only(crashed.path()).unwrap();
    assert_eq!(reader.show_record(None, "a").unwrap().len(), 1);
    let copy = Ledger::copy_to_memory(Some(crashed.path())).unwrap();
    assert_eq!(copy.reader().show_record(None, "a").unwrap().len(), 1);
}

#[test]
fn a_restart_finds_what_was_in_flight() {
    let base = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(open(base.path()).unwrap());
    desk.bring("a", RecordState::Sending);
    desk.bring("b", RecordState::Done);
    drop(desk);
    let mut desk = Desk::new(open(base.path()).unwrap());
    assert_eq!(
        (desk.state("a"), desk.state("b")),
        (RecordState::Unknown, RecordState::Done)
    );
    let again = desk.begin();
    assert!(
        matches!(again, LedgerReply::RunBegun { recovered: 0, .. }),
        "{again:?}"
    );
    desk.end();
}

#[test]
fn every_code_has_its_words() {
    let codes = ledger::error::reason::ALL
        .iter()
        .chain(&ledger::verify::finding::ALL);
    for code in codes {
        assert!(dsl::catalogue::find(code).is_some(), "{code}");
    }
    let dir = Path::new("d").to_owned();
    let what = "w".to_owned();
    for error in [
        StoreError::Locked {
            dir: dir.clone(),
            pid: None,
        },
        StoreError::Missing { dir: dir.clone() },
        StoreError::WrongEnvironment {
            dir: dir.clone(),
            stored: "a".into(),
            asked: "b".into(),
        },
        StoreError::Newer { found: 2, known: 1 },
        StoreError::Older { found: 1, known: 2 },
        StoreError::NotALedger { path: dir.clone() },
        StoreError::OldSqlite {
            found: "3".into(),
            needed: "4",
        },
        StoreError::NetworkFileSystem {
            dir,
            kind: "nfs".into(),
        },
        StoreError::Damaged { what: what.clone() },
        StoreError::Full { what: what.clone() },
        StoreError::Io { what: what.clone() },
        StoreError::Busy { what: what.clone() },
        StoreError::OriginChanged {
            connection: "c".into(),
            stored: "a".into(),
            given: "b".into(),
        },
        StoreError::OldCopy {
            dir: Path::new("d").to_owned(),
            knows: "1/2".into(),
            noted: "2/3".into(),
        },
        StoreError::Exists {
            path: Path::new("d").to_owned(),
        },
        StoreError::QueueFull,
        StoreError::Closed,
        StoreError::Bug(what),
    ] {
        let entry = dsl::catalogue::find(error.code()).unwrap_or_else(|| panic!("{}", error.code()));
        // Every fact that the words name is given.
        for name in entry
            .en
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}'))
            .map(|(name, _)| name)
        {
            assert!(
                error.facts().iter().any(|(fact, _)| *fact == name),
                "{}: {name}",
                error.code()
            );
        }
    }
}
