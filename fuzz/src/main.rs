//! `fuzz`: tries hostile texts and says what they came to. Started by `cargo xtask fuzz`, which builds it.
//!
//! Inputs are tried in a process of their own, so that one that ends it (no stack left, a hang) is found and told too.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool whose output is its work"
)]

mod run;

use std::path::PathBuf;
use std::process::ExitCode;

use fuzz::{Limits, Target};

const HELP: &str = "\
fuzz run --target TARGET [--inputs 1000000] [--seed 1] [--folder DIR] [--guided PROGRAM]
fuzz one --target TARGET FILE       try one input and say what became of it
fuzz pairs [--inputs 1000000] [--seed 1]   made-up schemes and rows, by the plain evaluator and over slots
fuzz bombs                          texts that are made to cost much, with what they cost
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(given) = Given::read(&words) else {
        eprint!("{HELP}");
        return ExitCode::from(2);
    };
    let done = match (given.command.as_str(), given.target) {
        ("run", Some(target)) => run::run(target, &given),
        ("work", Some(target)) => run::work(target, &given),
        ("one", Some(target)) => run::one(target, &given),
        ("pairs", None) => run::pairs(given.seed, given.inputs),
        ("bombs", None) => run::bombs(&Limits::default()),
        _ => Err(HELP.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("FAILED: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The command line.
#[derive(Debug, Default)]
struct Given {
    command: String,
    target: Option<Target>,
    inputs: u64,
    seed: u64,
    from: u64,
    folder: PathBuf,
    guided: Option<PathBuf>,
    file: Option<PathBuf>,
}

impl Given {
    fn read(words: &[String]) -> Option<Given> {
        let mut words = words.iter();
        let mut given = Given {
            command: words.next()?.clone(),
            inputs: 1_000_000,
            seed: 1,
            folder: PathBuf::from("target/fuzz"),
            ..Given::default()
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--target" => given.target = Some(Target::parse(words.next()?)?),
                "--inputs" => given.inputs = words.next()?.parse().ok()?,
                "--seed" => given.seed = words.next()?.parse().ok()?,
                "--from" => given.from = words.next()?.parse().ok()?,
                "--folder" => given.folder = words.next()?.into(),
                "--guided" => given.guided = Some(words.next()?.into()),
                file if !file.starts_with('-') => given.file = Some(file.into()),
                _ => return None,
            }
        }
        Some(given)
    }
}
