//! A ledger of the version before, with many records: up, back and up again.

use flow::op::AuditNote;
use ledger::backup::roll_back;
use ledger::contract::{checksum, earlier_version};
use ledger::{CheckBudget, Ledger, OpenOptions, Suspect};

use super::Watch;
use super::named::{Given, Say, Size, Trial};

/// Up, back, up. That an interruption at any statement leaves the old ledger is a test of the crate `ledger`.
pub const A20: Trial = Trial {
    name: "A20",
    what: "a ledger of the version before: up, back and up again",
    sizes: &[Size {
        flag: "--records",
        full: 1_000_000,
        small: 5_000,
    }],
    run,
};

fn run(given: &Given, say: Say<'_>) -> Result<String, String> {
    let base = tempfile::tempdir().map_err(|e| e.to_string())?;
    let dir = base.path().join("data");
    let told = |e: ledger::StoreError| format!("{}: {e}", e.code());
    earlier_version(&dir, "trial", given.get("--records")).map_err(told)?;
    let (from, records, sum) = checksum(&dir).map_err(told)?;
    if records.unsigned_abs() != given.get("--records") {
        return Err(format!("{records} records were made"));
    }
    say(format!("{records} records of version {from}"));
    let up = || -> Result<std::time::Duration, String> {
        let watch = Watch::start();
        let options = OpenOptions {
            check: CheckBudget {
                max_bytes: 0,
                ..CheckBudget::default()
            },
            ..OpenOptions::new("trial")
        };
        let ledger = Ledger::open(&dir, options).map_err(told)?;
        let took = watch.passed();
        let report = ledger.verify(None).map_err(told)?;
        drop(ledger);
        let found = checksum(&dir).map_err(told)?;
        if !report.is_clean() || found != (from + 1, records, sum) {
            return Err(format!(
                "{found:?} in place of {records}, {sum}: {:#?}",
                report.findings
            ));
        }
        Ok(took)
    };
    let first = up()?;
    let suspect = Suspect {
        until: 1,
        note: AuditNote {
            who: "trial".to_owned(),
            action: "rollback".to_owned(),
            scheme: None,
            record: None,
            what: String::new(),
            reason: "trial".to_owned(),
        },
        now: 1,
    };
    roll_back(&dir, "trial", &suspect).map_err(told)?;
    let back = checksum(&dir).map_err(told)?;
    if back != (from, records, sum) {
        return Err(format!("{back:?} after going back, in place of {records}, {sum}"));
    }
    up()?;
    Ok(format!(
        "{records} records, counts and checksums equal each time; up from version {from} in {} ms, the copy included",
        first.as_millis()
    ))
}
