//! Deterministic simulation of whole runs: the real [`flow::Job`] over the real [`ledger::Ledger`] in memory, between a
//! model source and a model target that fail as drawn from a seed.
//!
//! One thread, no clock but the simulated one, no randomness but the seed's: a seed that breaks an invariant breaks it
//! again, with a trace. A crash drops the job at any step and keeps the ledger, as `kill -9` would. Real HTTP, real
//! files and the end of the process itself are the crash loop's; here it is the order of things.
//!
//! Invariants, at every end of a run: no key twice at a target that can prevent it, a done record's document says what
//! the ledger thinks, each version written as often as the target's proof promises, nothing below the watermark
//! missing, every run's counts add up, reasons with everything dead or held, only allowed transitions, never two
//! attempts in flight for one key. A record that waits for another one is tried by every run, goes on in the first run
//! after that one has come, keeps since when it waits over crashes, and is given up after a day, not before. And when the weather clears, everything settles in a few runs.

mod check;
mod content;
pub mod drift;
pub(crate) mod line;
pub(crate) mod rng;
mod setup;
mod shell;
mod source;
mod target;

use std::fmt;

/// What a seed did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Runs begun.
    pub runs: u64,
    /// Crashes among them.
    pub crashes: u64,
    /// Steps of the job.
    pub steps: u64,
    /// Calls whose answer was not plain.
    pub faults: u64,
    /// Records at the end.
    pub records: u64,
    /// Records whose answer was lost at some time.
    pub in_doubt: u64,
    /// Records that waited for another one.
    pub waited: u64,
    /// Those that were given up.
    pub given_up: u64,
    /// Simulated time.
    pub simulated_ms: i64,
}

impl Report {
    /// Adds another seed's.
    pub fn add(&mut self, other: &Report) {
        self.runs += other.runs;
        self.crashes += other.crashes;
        self.steps += other.steps;
        self.faults += other.faults;
        self.records += other.records;
        self.in_doubt += other.in_doubt;
        self.waited += other.waited;
        self.given_up += other.given_up;
        self.simulated_ms += other.simulated_ms;
    }
}

/// A broken invariant.
#[derive(Debug, Clone)]
pub struct Violation {
    /// Breaks it again.
    pub seed: u64,
    /// What is wrong.
    pub what: String,
    /// The last steps before it.
    pub trace: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {}", self.seed, self.what)?;
        self.trace.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

impl std::error::Error for Violation {}

/// Lines of the trace kept.
const TRACE: usize = 400;

/// Plays one world to its end. A violation is played once more to write the trace.
pub fn run_seed(seed: u64) -> Result<Report, Violation> {
    shell::play(seed, false).0.map_err(|_| {
        let (result, mut trace) = shell::play(seed, true);
        let what = result
            .err()
            .unwrap_or_else(|| "not deterministic: the second time it held".to_owned());
        let surplus = trace.len().saturating_sub(TRACE);
        trace.drain(..surplus);
        Violation { seed, what, trace }
    })
}

/// Plays many worlds; stops at the first violation.
pub fn run_seeds(seeds: std::ops::Range<u64>) -> Result<Report, Violation> {
    let mut sum = Report::default();
    for seed in seeds {
        sum.add(&run_seed(seed)?);
    }
    Ok(sum)
}
