//! Pages of trades as the ledger is given them: staged, claimed, settled, each a transaction.

use flow::ids::{AttemptId, Blob};
use flow::op::{ClaimRow, LedgerOp, LedgerReply, OnSeen, Settlement, StagedRow, WriteAction};
use ledger::contract::{Desk, SCHEME};
use ledger::{Blobs, Ledger};

use bench::trade::trade;

/// What is known of a row that has nothing special, but for its key.
fn row(at: u64, key: String) -> StagedRow {
    StagedRow {
        label: key.clone(),
        key: format!("[\"{key}\"]"),
        version: format!("{:032x}", at.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        rank: None,
        source: Blob(at),
        filtered: None,
        invalid: None,
        void: false,
        bare: false,
        indexed: Vec::new(),
        paired: None,
        doubt: None,
        from: None,
    }
}

/// A ledger through which pages go.
pub struct Pages {
    desk: Desk,
    next: u64,
}

impl Pages {
    /// Over this ledger, with a run and a window under way.
    pub fn new(ledger: Ledger) -> Self {
        Pages {
            desk: Desk::new(ledger),
            next: 0,
        }
    }

    /// The next page through all three transactions.
    ///
    /// # Panics
    /// When the ledger refuses anything.
    pub fn pass(&mut self, size: u32) {
        let numbers = self.next..self.next + u64::from(size);
        self.next = numbers.end;
        self.stage(numbers);
        let attempt = self.claim(size);
        self.settle(attempt);
    }

    fn stage(&mut self, numbers: std::ops::Range<u64>) {
        let rows: Vec<StagedRow> = numbers
            .clone()
            .map(|number| row(number, format!("T2026{number:012}")))
            .collect();
        let (op, _) = self.desk.page(rows, OnSeen::UpdateIfChanged);
        let blobs: Blobs = numbers
            .map(|number| (Blob(number), trade(number).into_bytes()))
            .collect();
        let reply = self.desk.try_one(op, &blobs).expect("a page");
        assert!(matches!(reply, LedgerReply::Staged { .. }), "{reply:?}");
    }

    fn claim(&mut self, size: u32) -> (AttemptId, Vec<flow::ids::RecordId>) {
        let pick = LedgerOp::Pick {
            scheme: SCHEME.into(),
            now: self.desk.now,
            after: None,
            limit: size,
        };
        let LedgerReply::Picked { records, .. } = self.desk.one(pick) else {
            panic!("a pick is answered by what was picked")
        };
        assert_eq!(records.len() as u64, u64::from(size));
        let mut blobs = Blobs::new();
        let mut rows = Vec::new();
        for record in &records {
            let payload = Blob(rows.len() as u64);
            // A document has about two thirds of the size of its row.
            blobs.insert(
                payload,
                format!("{{\"FBillNo\":\"{:>580}\"}}", record.record.0).into_bytes(),
            );
            rows.push(ClaimRow {
                record: record.record,
                version: record.version.clone(),
                action: WriteAction::Create,
                step: None,
                form: String::new(),
                tkey: format!("[\"{}\"]", record.record.0),
                payload,
                wrote: Vec::new(),
            });
        }
        let op = LedgerOp::Claim {
            run: self.desk.run,
            target: "reference save".into(),
            rows,
            resolve_after: self.desk.now + 60_000,
            now: self.desk.now,
        };
        let LedgerReply::Claimed { attempt, .. } = self.desk.try_one(op, &blobs).expect("a claim") else {
            panic!("a claim is answered by what was claimed")
        };
        let attempt = attempt.expect("every row is claimed");
        (attempt, records.iter().map(|record| record.record).collect())
    }

    fn settle(&mut self, (attempt, records): (AttemptId, Vec<flow::ids::RecordId>)) {
        let done = |record| {
            let settled = Settlement::Done {
                id: None,
                number: None,
                lines: None,
            };
            (record, settled)
        };
        let settle = LedgerOp::Settle {
            attempt,
            outcome: "ok".into(),
            http_status: Some(200),
            excerpt: None,
            vendor_trace: None,
            rows: records.into_iter().map(done).collect(),
            now: self.desk.now,
        };
        let reply = self.desk.one(settle);
        assert!(matches!(reply, LedgerReply::Count(_)), "{reply:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_end_done() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path(), ledger::OpenOptions::new("bench")).unwrap();
        let mut pages = Pages::new(ledger);
        pages.pass(3);
        pages.pass(2);
        assert_eq!(pages.desk.end().fetched, 5);
        let states = pages.desk.one(LedgerOp::CountStates {
            scheme: SCHEME.into(),
        });
        let done = flow::op::RecordState::ALL
            .iter()
            .position(|state| state.word() == "done")
            .unwrap();
        assert!(
            matches!(states, LedgerReply::States(counts) if counts[done] == 5),
            "{states:?}"
        );
    }
}
