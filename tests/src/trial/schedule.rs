//! A7: fifty schemes in three zones, their timetable, rules and windows together, through simulated days with outages.

use app::service::year;

use super::named::{Given, Say, Size, Trial};

pub(super) const TRIAL: Trial = Trial {
    name: "A7",
    what: "schedules through 400 simulated days with outages and the nights on which clocks change",
    sizes: &[Size {
        flag: "--days",
        full: year::DAYS.unsigned_abs(),
        small: 60,
    }],
    run,
};

fn run(given: &Given, _say: Say<'_>) -> Result<String, String> {
    let days = i64::try_from(given.get("--days")).map_err(|error| error.to_string())?;
    // What it finds it says by a panic, as in its own crate's test.
    let told = std::panic::catch_unwind(|| year::days(days)).map_err(|_| "see the panic above".to_owned())?;
    Ok(format!(
        "{days} days, {} schemes in 3 zones, {} outages of a minute to three days: {} runs for {} due instants, 0 left out, 0 ms unread, 0 overlapping runs",
        told.schemes, told.outages, told.runs, told.due
    ))
}
