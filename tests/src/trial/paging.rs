//! A8: rows that come, change and go while a window is read page by page.

use super::named::{Given, Size, Trial};
use crate::sim::drift::{self, Sources};

/// Paging drift.
pub(super) const A8: Trial = Trial {
    name: "A8",
    what: "random histories of insert, update and delete while pages are read: rows lost after at most one following run",
    sizes: &SIZES,
    run: |given, _| run(given, Sources::All),
};

/// The same where every source is an ERP that the platform's protocol polls.
pub(super) const ERPPAGES: Trial = Trial {
    name: "erppages",
    what: "random histories at an ERP that is polled by offset up to its total and promises no order: rows lost after at most one following run",
    sizes: &SIZES,
    run: |given, _| run(given, Sources::Erps),
};

const SIZES: [Size; 2] = [
    Size {
        flag: "--histories",
        full: 10_000,
        small: 300,
    },
    Size {
        flag: "--from",
        full: 0,
        small: 0,
    },
];

fn run(given: &Given, sources: Sources) -> Result<String, String> {
    let from = given.get("--from");
    let tally = drift::play_all(from..from + given.get("--histories"), sources)?;
    if tally.changes == 0 || tally.lost_by_trust == 0 {
        return Err(format!("nothing happened: {tally:?}"));
    }
    Ok(format!(
        "0 lost in {} histories ({} rows, {} changes); a reader that trusts page numbers lost {} rows; {} % closed at \
         once, {}.{:02} calls for each of its calls",
        tally.histories,
        tally.rows,
        tally.changes,
        tally.lost_by_trust,
        tally.at_once * 100 / tally.histories.max(1),
        tally.calls / tally.calls_by_trust.max(1),
        tally.calls * 100 / tally.calls_by_trust.max(1) % 100,
    ))
}
