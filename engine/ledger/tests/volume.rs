//! Many rows, flat memory. `cargo xtask figure` measures a whole run over 200,000.

use flow::op::{LedgerOp, LedgerReply, OnSeen};
use ledger::contract::{Desk, SCHEME, row};
use ledger::{Blobs, Ledger, OpenOptions};

/// Peak memory of this process in KiB, where the system tells.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?
        .trim()
        .trim_end_matches(" kB")
        .trim()
        .parse()
        .ok()
}

/// Stages pages of 100 rows of about a kilobyte, then reads all of them a second time.
fn stage(rows: usize) {
    let dir = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(Ledger::open(dir.path(), OpenOptions::new("test")).unwrap());
    let mut early = None;
    for pass in 0..2 {
        for page in 0..rows / 100 {
            let key = |i: usize| format!("{:07}", (page * 100 + i) * 7919 % rows);
            let staged: Vec<_> = (0..100).map(|i| row(i, &key(i), "0123456789abcdef")).collect();
            let blobs: Blobs = staged
                .iter()
                .map(|row| (row.source, format!("{:>1000}", row.key).into_bytes()))
                .collect();
            let (op, _) = desk.page(staged, OnSeen::UpdateIfChanged);
            let reply = desk.try_one(op, &blobs).unwrap();
            assert!(
                matches!(reply, LedgerReply::Staged { fresh, .. } if fresh == if pass == 0 { 100 } else { 0 })
            );
            if pass == 0 && page == rows / 1000 {
                early = peak();
            }
        }
    }
    let states = desk.one(LedgerOp::CountStates {
        scheme: SCHEME.into(),
    });
    assert!(
        matches!(states, LedgerReply::States([pending, ..]) if pending == rows as u64),
        "{states:?}"
    );
    if let (Some(early), Some(late)) = (early, peak()) {
        // The page cache of SQLite is 2 MiB; the rest is noise of the allocator.
        assert!(
            late < early + 16 * 1024,
            "{early} KiB after a tenth, {late} KiB at the end"
        );
    }
    assert_eq!(desk.end().fetched, 2 * rows as u64);
}

#[test]
fn memory_is_flat() {
    stage(5_000);
}
