//! Many simulated worlds, started by `cargo xtask sim`. Ends with one line of figures; the exit code is 0 only if every
//! invariant held in every world. A world that breaks one is named by its seed, with its trace.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool whose output is its work"
)]

use std::process::ExitCode;

use tests::sim::play;

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
        "{seeds} seeds from {from}: {} broken invariants; {report}",
        broken.len()
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
