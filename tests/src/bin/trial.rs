//! Long trials of the real binary, started by `cargo xtask crash` and `cargo xtask figure`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool whose output is its work"
)]

use std::process::ExitCode;

use tests::trial::named::{self, Trial};
use tests::trial::{crash, figure, power, ssrf};

const HELP: &str = "\
trial crash [--cycles N] [--seed N] [--faults PER_MILLE]
trial figure [--trades N] [--starts N]
trial figure small
trial figure NAME [--small] [--SIZE N]...
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((first, rest)) if first == "crash" => {
            numbers(rest, &["--cycles", "--seed", "--faults"]).map(|given| {
                let plan = crash::Plan {
                    cycles: given[0].unwrap_or(50),
                    seed: given[1].unwrap_or(1),
                    faults_per_mille: given[2].unwrap_or(0),
                };
                crash::run(&plan, &|line| println!("{line}"))
            })
        }
        Some((first, rest))
            if first == "figure" && rest.first().is_some_and(|word| !word.starts_with('-')) =>
        {
            named(&rest[0], &rest[1..])
        }
        Some((first, rest)) if first == "figure" => numbers(rest, &["--trades", "--starts"]).map(|given| {
            let plan = figure::Plan {
                trades: given[0].unwrap_or(200_000),
                starts: given[1].unwrap_or(10),
            };
            figure::run(&plan, &|line| println!("{line}"))
        }),
        // A figure's own second process.
        Some((first, _)) if first == "ssrf" => Ok(ssrf::inside(&|line| println!("{line}"))),
        // Started by a trial, under a library of its own.
        Some((first, [dir, commits])) if first == "script" => match commits.parse() {
            Ok(commits) => Ok(power::script(std::path::Path::new(dir), commits)),
            Err(_) => Err(HELP.to_owned()),
        },
        _ => Err(HELP.to_owned()),
    };
    match done {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(why)) => {
            eprintln!("FAILED: {why}");
            ExitCode::FAILURE
        }
        Err(help) => {
            eprint!("{help}");
            ExitCode::from(2)
        }
    }
}

/// One figure by its name, or all of them in small.
fn named(name: &str, words: &[String]) -> Result<Result<(), String>, String> {
    let say = |line| println!("{line}");
    if name == "small" {
        return Ok(named::small(&say));
    }
    let names: Vec<&str> = named::ALL.iter().map(|trial| trial.name).collect();
    let trial =
        Trial::find(name).ok_or_else(|| format!("{HELP}figures with a name: {}\n", names.join(" ")))?;
    trial.given(words).map_err(|why| format!("{why}\n"))?;
    Ok(trial.measure(words, &say))
}

/// `--name N` pairs, in the order of the names.
fn numbers(words: &[String], names: &[&str]) -> Result<Vec<Option<u64>>, String> {
    let mut found = vec![None; names.len()];
    for pair in words.chunks(2) {
        let place = names
            .iter()
            .position(|name| *name == pair[0])
            .ok_or_else(|| format!("{}?\n{HELP}", pair[0]))?;
        let number = pair.get(1).and_then(|text| text.parse().ok());
        found[place] = Some(number.ok_or_else(|| format!("{} takes a number\n{HELP}", pair[0]))?);
    }
    Ok(found)
}
