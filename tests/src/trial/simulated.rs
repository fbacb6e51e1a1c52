//! A6: whole runs in simulated time, by the thousand; see [`crate::sim`].

use super::named::{Given, Say, Size, Trial};
use crate::sim;

/// Deterministic simulation.
pub(super) const A6: Trial = Trial {
    name: "A6",
    what: "simulated worlds with faults drawn from a seed, and the time in which all settles when the faults stop",
    sizes: &[
        Size {
            flag: "--seeds",
            full: 10_000,
            small: 100,
        },
        Size {
            flag: "--from",
            full: 0,
            small: 0,
        },
    ],
    run,
};

/// Broken worlds that are shown with their traces.
const SHOWN: usize = 2;

fn run(given: &Given, _say: Say<'_>) -> Result<String, String> {
    let (seeds, from) = (given.get("--seeds"), given.get("--from"));
    let (report, broken) = sim::play(seeds, from);
    if broken.is_empty() {
        return Ok(format!(
            "{seeds} seeds from {from}: 0 broken invariants; {report}"
        ));
    }
    let shown: Vec<String> = broken.iter().take(SHOWN).map(ToString::to_string).collect();
    let all: Vec<String> = broken
        .iter()
        .map(|violation| violation.seed.to_string())
        .collect();
    Err(format!(
        "{}\n{} of {seeds} seeds break an invariant: {}; once more: cargo xtask sim --seeds 1 --from {}",
        shown.join("\n"),
        broken.len(),
        all.join(" "),
        all[0]
    ))
}
