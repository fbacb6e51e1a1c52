//! A platform that polls us, while what it polls changes.

use super::named::{Size, Trial};
use crate::sim::polled;

pub(super) const TRIAL: Trial = Trial {
    name: "polled",
    what: "random histories of rows that come, change and are sent while platforms poll us by stretches and offsets: rows not known as they are",
    sizes: &[
        Size {
            flag: "--histories",
            full: 10_000,
            small: 60,
        },
        Size {
            flag: "--from",
            full: 0,
            small: 0,
        },
    ],
    run: |given, _| {
        let from = given.get("--from");
        let tally = polled::play_all(from..from + given.get("--histories"))?;
        if tally.between == 0 || tally.lost_by_time == 0 {
            return Err(format!("nothing happened: {tally:?}"));
        }
        Ok(format!(
            "0 lost in {} histories ({} rows, {} changes, {} of them between two pages; {} stretches in {} pages, none of \
             which changed its length); who polls rows by their own time of change lost {}",
            tally.histories,
            tally.rows,
            tally.changes,
            tally.between,
            tally.stretches,
            tally.pages,
            tally.lost_by_time,
        ))
    },
};
