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
//! attempts in flight for one key. People decide about records between the runs, a second scheme wants some of the same
//! documents, and ledgers are lost while their target is not. A record that waits for another one is tried by every run, goes on in the first run
//! after that one has come, keeps since when it waits over crashes, and is given up after a day, not before. And when the
//! weather clears, everything settles within twice the quiet period and the longest wait.

mod check;
mod content;
pub mod drift;
pub(crate) mod line;
pub mod polled;
pub(crate) mod rng;
mod setup;
mod shell;
mod source;
mod target;

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

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
    /// Decisions of people.
    pub decisions: u64,
    /// Questions about tasks.
    pub tasks: u64,
    /// Tasks that a run went on asking about after the one before it had died.
    pub resumed: u64,
    /// Ledgers that were lost.
    pub losses: u64,
    /// Runs of another scheme with the same keys at the target.
    pub rivals: u64,
    /// Refused steps that were gone on with because the row changed.
    pub went_on: u64,
    /// Of the time in which everything must settle once the weather is clear, so many of a hundred were needed at the
    /// worst.
    pub patience_percent: u64,
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
        self.decisions += other.decisions;
        self.tasks += other.tasks;
        self.resumed += other.resumed;
        self.losses += other.losses;
        self.rivals += other.rivals;
        self.went_on += other.went_on;
        self.patience_percent = self.patience_percent.max(other.patience_percent);
        self.simulated_ms += other.simulated_ms;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} runs, {} crashes, {} faults, {} decisions, {} tasks ({} asked about by a later run), {} lost ledgers, \
             {} runs of a second scheme, {} refused steps gone on with, {} records ({} in doubt at some time), {} steps, {} simulated days; settled within {} % of twice the quiet period and the \
             longest wait",
            self.runs,
            self.crashes,
            self.faults,
            self.decisions,
            self.tasks,
            self.resumed,
            self.losses,
            self.rivals,
            self.went_on,
            self.records,
            self.in_doubt,
            self.steps,
            self.simulated_ms / 86_400_000,
            self.patience_percent
        )
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

/// Plays worlds whose scheme changes no document, each with steps that are refused at first; stops at the first violation.
pub fn run_steps(seeds: std::ops::Range<u64>) -> Result<Report, Violation> {
    let change = |setup: &mut setup::Setup| {
        setup.steps = [&["submit", "audit"][..], &["submit", "audit", "notify"]][setup.page % 2];
        (setup.updates, setup.loses) = (false, false);
        (setup.refuses_each, setup.runs) = (2, setup.runs.max(6));
    };
    let mut sum = Report::default();
    for seed in seeds {
        match shell::play_in(seed, false, change).0 {
            Ok(report) => sum.add(&report),
            Err(_) => {
                let (result, mut trace) = shell::play_in(seed, true, change);
                let what = result.err().unwrap_or_default();
                let surplus = trace.len().saturating_sub(TRACE);
                trace.drain(..surplus);
                return Err(Violation { seed, what, trace });
            }
        }
    }
    Ok(sum)
}

/// Plays many worlds to their ends, as many at a time as there are cores; what broke, in the order of the seeds. The sum
/// does not depend on which core took which.
pub fn play(seeds: u64, from: u64) -> (Report, Vec<Violation>) {
    let next = AtomicU64::new(from);
    let sum: Mutex<(Report, Vec<Violation>)> = Mutex::default();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from.saturating_add(seeds) {
                        return;
                    }
                    let played = run_seed(seed);
                    let mut sum = sum.lock().expect("no worker panics while it holds the sum");
                    match played {
                        Ok(report) => sum.0.add(&report),
                        Err(violation) => sum.1.push(violation),
                    }
                }
            });
        }
    });
    let (report, mut broken) = sum.into_inner().expect("the workers have ended");
    broken.sort_by_key(|violation| violation.seed);
    (report, broken)
}

#[cfg(test)]
mod tests {
    use flow::classify::Proof;

    use super::*;

    /// A target that breaks its word is found out, and what was found is found again, step by step.
    #[test]
    fn a_broken_promise_is_seen_and_replays_exactly() {
        let lies = |setup: &mut setup::Setup| setup.unique = false;
        let broken = (0..200).find(|seed| shell::play_in(*seed, false, lies).0.is_err());
        let seed = broken.expect("late calls of a target without unique keys make second documents");
        let (first, trace) = shell::play_in(seed, true, lies);
        let (second, again) = shell::play_in(seed, true, lies);
        assert!(
            first.as_ref().is_err_and(|what| what.contains("documents")),
            "{first:?}"
        );
        assert_eq!((first.err(), trace.len()), (second.err(), again.len()));
        assert!(!trace.is_empty() && trace == again, "seed {seed}");
    }

    #[test]
    fn every_level_and_everything_people_do_is_played() {
        let mut rng = rng::Rng::new(1);
        let drawn: Vec<setup::Setup> = (0..400).map(|_| setup::Setup::draw(&mut rng)).collect();
        for proof in [
            Proof::None,
            Proof::Upsert,
            Proof::IdempotencyKey,
            Proof::UniqueKey,
            Proof::Query,
        ] {
            let of: Vec<_> = drawn.iter().filter(|setup| setup.proof == proof).collect();
            let some = |what: fn(&setup::Setup) -> bool| of.iter().any(|setup| what(setup));
            assert!(some(|setup| !setup.steps.is_empty()), "{proof:?}: steps");
            assert!(some(|setup| setup.people), "{proof:?}: decisions");
            assert!(some(|setup| setup.rival), "{proof:?}: a second scheme");
            assert!(some(|setup| setup.crashes > 0), "{proof:?}: crashes");
            let can_be_asked = matches!(proof, Proof::UniqueKey | Proof::Query);
            assert_eq!(
                some(|setup| setup.loses),
                can_be_asked,
                "{proof:?}: a lost ledger"
            );
        }
    }
}
