//! The operations, by what they are about.

mod access;
mod audit;
mod catalogue;
pub(crate) mod decisions;
mod events;
pub(crate) mod health;
mod mappings;
mod notifications;
mod objects;
mod preview;
mod records;
mod replays;
mod revisions;
mod runs;
mod schemes;
mod system;

use crate::operation::Operation;

/// The table of operations.
pub fn operations() -> Vec<Operation> {
    let mut all = Vec::new();
    all.extend(schemes::operations());
    all.extend(revisions::operations());
    all.extend(preview::operations());
    all.extend(runs::operations());
    all.extend(records::operations());
    all.extend(replays::operations());
    all.extend(decisions::operations());
    all.extend(mappings::operations());
    all.extend(events::operations());
    all.extend(catalogue::operations());
    all.extend(notifications::operations());
    all.extend(objects::operations());
    all.extend(audit::operations());
    all.extend(access::operations());
    all.extend(system::operations());
    all.extend(crate::publish::operations());
    all
}
