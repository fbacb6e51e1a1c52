//! A ledger at work, for tests.

use std::cell::Cell;

use flow::decision::{Decided, Decision, Ruling};
use flow::ids::{AttemptId, Blob, Ms, RecordId, RunId, WindowId};
use flow::op::{
    ClaimRefused, ClaimRow, Counts, Cursor, Identity, LedgerOp, LedgerReply, OnSeen, Picked, RecordState,
    Refusal, Resolution, RunStatus, Settlement, SightingOutcome, StagedRow, SuspectKind, Trigger, Unknown,
    WriteAction,
};
use flow::window::Interval;

use super::{SCHEME, done, named, row, why};
use crate::read::{RecordFilter, RecordRow};
use crate::{Blobs, Ledger, StoreError};

/// A ledger with a run and an open window, and short ways to work with them.
pub struct Desk {
    /// The ledger.
    pub ledger: Ledger,
    /// The run under way.
    pub run: RunId,
    /// The window under way.
    pub window: WindowId,
    /// The clock.
    pub now: Ms,
    /// Whether the scheme changes documents that are written.
    pub updates: bool,
    page: Cell<u32>,
}

impl Desk {
    /// Begins a run and opens a window.
    pub fn new(ledger: Ledger) -> Self {
        let mut desk = Desk {
            ledger,
            run: RunId(0),
            window: WindowId(0),
            now: 1_000_000,
            updates: true,
            page: Cell::new(0),
        };
        desk.begin();
        desk
    }

    /// Begins the next run, as after a restart.
    pub fn begin(&mut self) -> LedgerReply {
        let begin = LedgerOp::BeginRun {
            scheme: SCHEME.into(),
            revision: "r1".into(),
            trigger: Trigger::Manual,
            now: self.now,
        };
        let reply = self.one(begin);
        let LedgerReply::RunBegun { run, .. } = &reply else {
            panic!("{reply:?}")
        };
        self.run = *run;
        self.open_window(Interval { from: 0, to: 1000 });
        reply
    }

    /// Opens the next window.
    pub fn open_window(&mut self, asked: Interval) {
        self.open_window_of(Cursor::Live, asked);
    }

    /// Opens the next window of a cursor.
    pub fn open_window_of(&mut self, cursor: Cursor, asked: Interval) {
        let reply = self.one(LedgerOp::OpenWindow {
            run: self.run,
            scheme: SCHEME.into(),
            asked,
            cursor,
        });
        let LedgerReply::WindowOpened(window) = reply else {
            panic!("{reply:?}")
        };
        self.window = window;
    }

    /// Applies one op that needs no bytes.
    pub fn one(&mut self, op: LedgerOp) -> LedgerReply {
        self.try_one(op, &Blobs::new()).expect("the op is right")
    }

    /// Applies one op.
    pub fn try_one(&mut self, op: LedgerOp, blobs: &Blobs) -> Result<LedgerReply, StoreError> {
        let mut replies = self.ledger.apply(&[op], blobs)?;
        assert_eq!(replies.len(), 1);
        Ok(replies.remove(0))
    }

    /// An op that stages a page, and its bytes.
    pub fn page(&self, rows: Vec<StagedRow>, on_seen: OnSeen) -> (LedgerOp, Blobs) {
        let blobs = rows
            .iter()
            .map(|row| {
                (
                    row.source,
                    format!("{{\"key\":{},\"v\":\"{}\"}}", row.key, row.version).into_bytes(),
                )
            })
            .collect();
        self.page.set(self.page.get() + 1);
        let op = LedgerOp::StagePage {
            run: self.run,
            window: self.window,
            scheme: SCHEME.into(),
            page: self.page.get(),
            rows,
            total: None,
            fingerprint: u64::MAX,
            on_seen,
            updates: self.updates,
            store_only: false,
            close: None,
            now: self.now,
        };
        (op, blobs)
    }

    /// Stages rows given as (key, version).
    pub fn stage(&mut self, rows: &[(&str, &str)], on_seen: OnSeen) -> Vec<(SightingOutcome, u64)> {
        let rows = rows
            .iter()
            .enumerate()
            .map(|(i, (key, version))| row(i, key, version))
            .collect();
        let (op, blobs) = self.page(rows, on_seen);
        let reply = self.try_one(op, &blobs).expect("a page");
        let LedgerReply::Staged { outcomes, .. } = reply else {
            panic!("{reply:?}")
        };
        named(outcomes)
    }

    /// Stages one row and gives its outcome.
    pub fn see(&mut self, key: &str, version: &str) -> SightingOutcome {
        self.stage(&[(key, version)], OnSeen::UpdateIfChanged)[0].0
    }

    /// The records due now.
    pub fn pick(&mut self) -> Vec<Picked> {
        let pick = LedgerOp::Pick {
            scheme: SCHEME.into(),
            now: self.now,
            after: None,
            limit: 100,
        };
        let reply = self.one(pick);
        let LedgerReply::Picked { records, .. } = reply else {
            panic!("{reply:?}")
        };
        records
    }

    /// Claims records as (key, version, key at the target).
    pub fn claim(
        &mut self,
        rows: &[(&str, &str, &str)],
    ) -> (Option<AttemptId>, Vec<(RecordId, ClaimRefused)>) {
        let mut blobs = Blobs::new();
        let rows = rows
            .iter()
            .enumerate()
            .map(|(i, (key, version, tkey))| {
                let payload = Blob(i as u64);
                blobs.insert(payload, format!("{{\"FNumber\":\"{tkey}\"}}").into_bytes());
                ClaimRow {
                    record: self.record(key).record,
                    version: (*version).into(),
                    action: WriteAction::Create,
                    step: None,
                    form: "BD_Customer".into(),
                    tkey: if tkey.is_empty() {
                        "[]".into()
                    } else {
                        format!("[\"{tkey}\"]")
                    },
                    payload,
                    wrote: Vec::new(),
                }
            })
            .collect();
        let claim = LedgerOp::Claim {
            run: self.run,
            target: "k3 batchSave".into(),
            rows,
            resolve_after: self.now + 500,
            now: self.now,
        };
        let reply = self.try_one(claim, &blobs).expect("a claim");
        let LedgerReply::Claimed { attempt, refused } = reply else {
            panic!("{reply:?}")
        };
        (attempt, refused)
    }

    /// Settles one record of an attempt; gives whether it was hit.
    pub fn settle(&mut self, attempt: AttemptId, key: &str, settlement: Settlement) -> bool {
        let record = self.record(key).record;
        let reply = self.one(LedgerOp::Settle {
            attempt,
            outcome: "ok".into(),
            http_status: Some(200),
            excerpt: Some("{}".into()),
            vendor_trace: Some("E-O.1".into()),
            rows: vec![(record, settlement)],
            now: self.now,
        });
        reply == LedgerReply::Count(1)
    }

    /// Resolves one record; gives whether it was hit.
    pub fn resolve(&mut self, key: &str, resolution: Resolution) -> bool {
        let record = self.record(key).record;
        self.one(LedgerOp::Resolve {
            rows: vec![(record, resolution)],
            now: self.now,
        }) == LedgerReply::Count(1)
    }

    /// Refuses one record; gives whether it was hit.
    pub fn refuse(&mut self, key: &str, version: &str, refusal: Refusal) -> bool {
        let record = self.record(key).record;
        let rows = vec![(record, version.to_owned(), refusal)];
        self.one(LedgerOp::Refuse { rows, now: self.now }) == LedgerReply::Count(1)
    }

    /// The records that may be asked about now.
    pub fn unknown(&mut self) -> (Vec<Unknown>, Option<Ms>, u64) {
        let pick = LedgerOp::PickUnknown {
            scheme: SCHEME.into(),
            now: self.now,
            limit: 100,
        };
        let reply = self.one(pick);
        let LedgerReply::Unknowns {
            records,
            next_due,
            total,
        } = reply
        else {
            panic!("{reply:?}")
        };
        (records, next_due, total)
    }

    /// Puts the scheme under suspicion; gives how many records became unknown.
    pub fn suspect(&mut self, kind: SuspectKind, until: Ms, ask_after: Ms) -> u64 {
        let reply = self.one(LedgerOp::Suspect {
            scheme: SCHEME.into(),
            kind,
            until,
            ask_after,
            now: self.now,
        });
        let LedgerReply::Count(marked) = reply else {
            panic!("{reply:?}")
        };
        marked
    }

    /// Freezes the key of a suspect record; gives whether it may be asked about.
    pub fn identify(&mut self, key: &str, version: &str, tkey: &str) -> bool {
        let rows = vec![Identity {
            record: self.record(key).record,
            version: version.to_owned(),
            form: "BD_Customer".into(),
            tkey: format!("[\"{tkey}\"]"),
        }];
        let target = "k3 batchSave".into();
        self.one(LedgerOp::Identify {
            target,
            rows,
            now: self.now,
        }) == LedgerReply::Count(1)
    }

    /// A person decides about a record as it is.
    pub fn decide(&mut self, key: &str, decision: Decision) -> Ruling {
        let record = self.record(key);
        self.decide_as_seen(key, record.state, &record.version, decision)
    }

    /// A person decides about a record as it was seen.
    pub fn decide_as_seen(
        &mut self,
        key: &str,
        state: RecordState,
        version: &str,
        decision: Decision,
    ) -> Ruling {
        self.decide_row(Decided {
            record: self.record(key).record,
            state,
            version: version.to_owned(),
            attempt: self.record(key).attempt,
            decision,
        })
    }

    /// A decision as it stands.
    pub fn decide_row(&mut self, row: Decided) -> Ruling {
        let reply = self.one(LedgerOp::Decide {
            rows: vec![row],
            who: "li".into(),
            reason: "sales asked for it".into(),
            now: self.now,
        });
        let LedgerReply::Decided(mut rulings) = reply else {
            panic!("{reply:?}")
        };
        rulings.pop().expect("one decision, one ruling")
    }

    /// The record with this key.
    pub fn record(&self, key: &str) -> RecordRow {
        let filter = RecordFilter {
            key: Some(key.to_owned()),
            ..RecordFilter::default()
        };
        self.ledger
            .reader()
            .list_records(&filter)
            .expect("a question")
            .pop()
            .expect("the record is there")
    }

    /// The state of the record with this key.
    pub fn state(&self, key: &str) -> RecordState {
        self.record(key).state
    }

    /// Ends the run and checks the whole ledger.
    pub fn end(&mut self) -> Counts {
        let end = LedgerOp::EndRun {
            run: self.run,
            status: RunStatus::Ok,
            reason: None,
            now: self.now,
        };
        let reply = self.one(end);
        let LedgerReply::RunEnded(counts) = reply else {
            panic!("{reply:?}")
        };
        assert!(counts.add_up(), "{counts:?}");
        let report = self.ledger.verify(None).expect("a question");
        assert!(report.is_clean(), "{:#?}", report.findings);
        counts
    }

    /// A record with this key and version `v1` in a state. `done`, `dead` etc. are reached as a run reaches them.
    pub fn bring(&mut self, key: &str, state: RecordState) {
        assert_eq!(self.see(key, "v1"), SightingOutcome::New);
        match state {
            RecordState::Pending => {}
            RecordState::Skipped => {
                self.refuse(key, "v1", Refusal::Skipped(why("void")));
            }
            RecordState::Sending
            | RecordState::Done
            | RecordState::Unknown
            | RecordState::Dead
            | RecordState::Held => {
                let attempt = self.claim(&[(key, "v1", key)]).0.expect("nothing is in its way");
                let settlement = match state {
                    RecordState::Done => done(key),
                    RecordState::Dead => Settlement::Dead(why("refused")),
                    RecordState::Held => Settlement::Held(why("person")),
                    _ => Settlement::Unknown {
                        resolve_after: self.now + 500,
                        reason: why("lost"),
                    },
                };
                if state != RecordState::Sending {
                    self.settle(attempt, key, settlement);
                }
            }
        }
        assert_eq!(self.state(key), state);
    }
}
