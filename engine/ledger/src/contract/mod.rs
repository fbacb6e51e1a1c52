//! What every ledger must do, as a suite that runs against whatever `open` gives. It panics at the first difference.
//!
//! It uses ops and questions only, never the tables, so that another store can be held against it.

mod asking;
mod bundles;
mod covering;
mod decisions;
mod desk;
mod earlier;
mod inbox;
mod mappings;
mod operations;
mod reading;
mod steps;
mod suspects;
mod taking;
mod tasks;
mod writing;

pub use desk::Desk;
pub use earlier::{checksum, earlier_version, fill};
use flow::ids::Blob;
use flow::op::{Reason, Settlement, SightingOutcome, StagedRow};

use crate::Ledger;

/// The scheme of the suite.
pub const SCHEME: &str = "customers";

/// Runs the whole suite; `open` gives an empty ledger each time.
pub fn check(open: &dyn Fn() -> Ledger) {
    reading::staging_by_state(open);
    reading::staging_a_page(open);
    reading::filtered_and_invalid(open);
    reading::cancelled_by_its_key(open);
    reading::store_only(open);
    reading::closing(open);
    reading::all_or_nothing(open);
    covering::cursors(open);
    covering::unstable(open);
    covering::suspicious(open);
    covering::newest(open);
    writing::claims(open);
    writing::keys_that_change(open);
    writing::settlements(open);
    writing::resolutions(open);
    writing::refusals(open);
    writing::recovery(open);
    writing::runs_and_counts(open);
    asking::look_ups(open);
    asking::look_ups_by_the_page(open);
    asking::look_ups_by_identity(open);
    writing::waiting(open);
    writing::lines(open);
    asking::life_of_a_record(open);
    asking::decisions(open);
    suspects::what_is_pending(open);
    suspects::what_is_read(open);
    suspects::without_windows(open);
    suspects::answers(open);
    suspects::keys(open);
    suspects::what_is_alike(open);
    tasks::tasks(open);
    tasks::versions(open);
    inbox::inbox(open);
    inbox::doors(open);
    inbox::published(open);
    taking::places(open);
    taking::a_place_ahead(open);
    taking::doubts(open);
    steps::steps(open);
    steps::unchanged(open);
    steps::documents(open);
    steps::lines_of_a_step(open);
    steps::a_lost_step_under_another_key(open);
    steps::what_people_say_of_documents(open);
    steps::documents_under_suspicion(open);
    steps::documents_that_are_taken_over(open);
    steps::a_doubt_ends_with_its_answer(open);
    steps::what_is_kept(open);
    steps::what_is_turned_down(open);
    steps::what_others_made(open);
    steps::doubts(open);
    steps::circuits(open);
    steps::waits_that_were_tried(open);
    decisions::by_state(open);
    decisions::in_doubt(open);
    decisions::what_a_person_says(open);
    decisions::conflicts(open);
    decisions::quiet_periods(open);
    decisions::another_call(open);
    decisions::documents(open);
    decisions::newer_versions(open);
    decisions::as_stored(open);
    decisions::any_order(open);
    bundles::documents(open);
    bundles::changed_rows(open);
    bundles::people(open);
    bundles::forgotten(open);
    bundles::booked_elsewhere(open);
    mappings::ahead(open);
    mappings::without_ids(open);
    mappings::voided(open);
    mappings::elsewhere(open);
    mappings::on_the_way(open);
    mappings::fields(open);
    operations::notices(open);
    operations::revisions(open);
}

/// A row with a key of one text.
pub fn row(i: usize, key: &str, version: &str) -> StagedRow {
    StagedRow {
        key: format!("[\"{key}\"]"),
        label: format!("客户 {key}"),
        version: version.into(),
        rank: None,
        source: Blob(i as u64),
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

fn why(text: &str) -> Reason {
    Reason::new("E4000", text)
}

fn done(key: &str) -> Settlement {
    Settlement::Done {
        id: Some(format!("id-{key}")),
        number: Some(format!("no-{key}")),
        lines: None,
    }
}

/// The outcomes that occurred, with their counts.
fn named(outcomes: [u64; 6]) -> Vec<(SightingOutcome, u64)> {
    SightingOutcome::ALL
        .into_iter()
        .zip(outcomes)
        .filter(|(_, n)| *n > 0)
        .collect()
}
