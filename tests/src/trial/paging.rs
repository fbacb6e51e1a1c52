//! A8: rows that come, change and go while a window is read page by page.

use super::named::{Given, Say, Size, Trial};
use crate::sim::drift;

/// Paging drift.
pub(super) const TRIAL: Trial = Trial {
    name: "A8",
    what: "random histories of insert, update and delete while pages are read: rows lost after at most one following run",
    sizes: &[
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
    ],
    run,
};

fn run(given: &Given, _say: Say<'_>) -> Result<String, String> {
    let from = given.get("--from");
    let tally = drift::play_all(from..from + given.get("--histories"))?;
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
