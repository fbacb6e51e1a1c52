//! The writer thread: order, isolation of submissions that share a transaction, and its end.

use flow::op::{LedgerOp, LedgerReply, OnSeen, RunStatus, Trigger};
use ledger::contract::{Desk, SCHEME, row};
use ledger::{Blobs, Columns, Ledger, OpenOptions, StoreError, Writer};

fn begin(scheme: &str) -> LedgerOp {
    LedgerOp::BeginRun {
        scheme: scheme.into(),
        revision: "r".into(),
        trigger: Trigger::Manual,
        now: 1,
    }
}

fn bad() -> LedgerOp {
    LedgerOp::EndRun {
        run: flow::ids::RunId(999),
        status: RunStatus::Ok,
        reason: None,
        now: 1,
    }
}

#[test]
fn submissions_share_a_transaction_but_not_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let writer = Writer::spawn(Ledger::open(dir.path(), OpenOptions::new("test")).unwrap()).unwrap();
    let waiting: Vec<_> = (0..100)
        .map(|i| {
            let mut ops = vec![begin(&format!("s{i:03}"))];
            if i % 10 == 3 {
                ops.push(bad());
            }
            writer.submit(ops, Blobs::new()).unwrap()
        })
        .collect();
    let mut last = 0;
    for (i, receiver) in waiting.into_iter().enumerate() {
        let answer = receiver.blocking_recv().unwrap();
        if i % 10 == 3 {
            assert!(matches!(answer, Err(StoreError::Bug(_))), "{i}: {answer:?}");
            continue;
        }
        let replies = answer.unwrap();
        let [LedgerReply::RunBegun { run, .. }] = &replies[..] else {
            panic!("{replies:?}")
        };
        assert!(run.0 > last, "in the order of submission");
        last = run.0;
    }
    assert_eq!(writer.reader().schemes().unwrap().len(), 90);
    // The last handle frees the data directory.
    let second = writer.clone();
    drop(writer);
    assert!(Ledger::open(dir.path(), OpenOptions::new("test")).is_err());
    drop(second);
    Ledger::open(dir.path(), OpenOptions::new("test")).unwrap();
}

#[tokio::test]
async fn from_async_code() {
    let writer = Writer::spawn(Ledger::in_memory().unwrap()).unwrap();
    let replies = writer.apply(vec![begin(SCHEME)], Blobs::new()).await.unwrap();
    assert!(matches!(replies[..], [LedgerReply::RunBegun { .. }]));
    writer
        .with_ledger(|ledger| ledger.remember_origin("k3", "https://a"))
        .await
        .unwrap()
        .unwrap();
    let read = writer
        .with_ledger(|ledger| ledger.ensure_index(SCHEME, &Columns::new(["f"]), &|_| None))
        .await
        .unwrap();
    assert_eq!(read, Ok(0));
    assert_eq!(writer.reader().indexed(SCHEME).unwrap(), [Columns::new(["f"])]);
    assert!(writer.apply(vec![bad()], Blobs::new()).await.is_err());
}

/// The rows of a page are the only thing that grows with it: a ledger of many pages works as fast at its end.
#[test]
fn many_pages() {
    let dir = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(Ledger::open(dir.path(), OpenOptions::new("test")).unwrap());
    let (pages, rows) = (40, 100);
    for page in 0..pages {
        let staged = (0..rows)
            .map(|i| row(i, &format!("{:05}", page * rows + i), "v1"))
            .collect();
        let (op, blobs) = desk.page(staged, OnSeen::UpdateIfChanged);
        let reply = desk.try_one(op, &blobs).unwrap();
        let so_far = u64::try_from((page + 1) * rows).unwrap();
        assert!(
            matches!(reply, LedgerReply::Staged { open, fresh: 100, .. } if open == so_far),
            "{reply:?}"
        );
    }
    let mut after = None;
    let mut picked = 0;
    loop {
        let pick = LedgerOp::Pick {
            scheme: SCHEME.into(),
            now: desk.now,
            after,
            limit: 500,
        };
        let LedgerReply::Picked { records, .. } = desk.one(pick) else {
            panic!("records")
        };
        let Some(last) = records.last() else { break };
        (after, picked) = (Some(last.record), picked + records.len());
    }
    assert_eq!(picked, pages * rows);
    assert_eq!(desk.end().pending, 4000);
}
