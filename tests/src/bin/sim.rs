//! Many simulated worlds, started by `cargo xtask sim`. Ends with one line of figures; the exit code is 0 only if every
//! invariant held in every world. A world that breaks one is named by its seed, with its trace.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool whose output is its work"
)]

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tests::sim::{Report, Violation, run_seed};

const HELP: &str = "sim [--seeds N] [--from S]\n";
/// Seeds when nothing is said: what one change must survive.
const SEEDS: u64 = 10_000;
/// Worlds that are shown with their traces; one that breaks seldom comes alone.
const SHOWN: usize = 3;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((seeds, from)) = read(&words) else {
        eprint!("{HELP}");
        return ExitCode::from(2);
    };
    let (report, broken) = play(seeds, from);
    for violation in broken.iter().take(SHOWN) {
        eprintln!("{violation}");
    }
    println!(
        "{seeds} seeds from {from}: {} broken invariants; {} runs, {} crashes, {} faults, {} records ({} in doubt at \
         some time), {} steps, {} simulated days",
        broken.len(),
        report.runs,
        report.crashes,
        report.faults,
        report.records,
        report.in_doubt,
        report.steps,
        report.simulated_ms / 86_400_000,
    );
    for violation in broken.iter().skip(SHOWN).take(20) {
        eprintln!("seed {}: {}", violation.seed, violation.what);
    }
    if broken.is_empty() {
        ExitCode::SUCCESS
    } else {
        let again: Vec<String> = broken.iter().take(10).map(|v| v.seed.to_string()).collect();
        eprintln!(
            "once more: cargo xtask sim --seeds 1 --from {}",
            again.join(" | ")
        );
        ExitCode::FAILURE
    }
}

fn read(words: &[String]) -> Option<(u64, u64)> {
    let (mut seeds, mut from) = (SEEDS, 0);
    for pair in words.chunks(2) {
        let number = pair.get(1)?.parse().ok()?;
        match pair[0].as_str() {
            "--seeds" => seeds = number,
            "--from" => from = number,
            _ => return None,
        }
    }
    Some((seeds, from))
}

/// Every core takes the next seed; the sum does not depend on which took which.
fn play(seeds: u64, from: u64) -> (Report, Vec<Violation>) {
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
