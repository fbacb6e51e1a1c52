//! Compares generated expressions with a server that is running; `cargo xtask oracle` starts one and calls this.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool whose output is its work"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tests::oracle::{Family, Plan, compare, imported, record, run};

const HELP: &str = "\
oracle --server SOCKET [--cases N] [--seed S] [--family F] [--root LABEL] [--case N,N]
oracle --server SOCKET EXPRESSION...
oracle --server SOCKET --record FOLDER [--seed S]
oracle --server SOCKET --imported FOLDER [--cases N] [--seed S]

Compares N generated expressions with the server, or the expressions given, or writes the recorded sample.
With --imported, the expressions of published schemes in FOLDER, each on N records, beside what pasting values gives.
F is numeric, text, time, flow, json, cast or lines; LABEL an operator or a function's name.
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let asked = match asked(&words) {
        Ok(asked) => asked,
        Err(why) => {
            eprint!("{why}{HELP}");
            return ExitCode::from(2);
        }
    };
    let say = |line: &str| println!("{line}");
    let Asked {
        plan,
        folder,
        corpus,
        expressions,
    } = &asked;
    let done = match (folder, corpus) {
        (_, Some(corpus)) => imported(&plan.socket, corpus, plan.cases, plan.seed, &say),
        (Some(folder), _) => record(&plan.socket, folder, plan.seed, &say),
        _ if expressions.is_empty() => run(plan, &say),
        _ => one_by_one(&plan.socket, expressions),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("FAILED: {why}");
            ExitCode::FAILURE
        }
    }
}

/// What the command line says.
struct Asked {
    plan: Plan,
    folder: Option<PathBuf>,
    corpus: Option<PathBuf>,
    expressions: Vec<String>,
}

fn asked(words: &[String]) -> Result<Asked, String> {
    let mut plan = Plan {
        socket: PathBuf::new(),
        cases: 10_000,
        seed: 1,
        family: None,
        root: None,
        numbers: BTreeSet::new(),
    };
    let mut folder = None;
    let mut corpus = None;
    let mut expressions = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(name) = word.strip_prefix("--") else {
            expressions.push(word.clone());
            continue;
        };
        let value = words.next().ok_or_else(|| format!("--{name} takes a value\n"))?;
        let number = || value.parse().map_err(|_| format!("--{name} takes a number\n"));
        match name {
            "server" => plan.socket = PathBuf::from(value),
            "cases" => plan.cases = number()?,
            "seed" => plan.seed = number()?,
            "record" => folder = Some(PathBuf::from(value)),
            "imported" => corpus = Some(PathBuf::from(value)),
            "case" => {
                for word in value.split(',') {
                    let number = word.parse().map_err(|_| format!("--{name} takes numbers\n"))?;
                    plan.numbers.insert(number);
                }
            }
            "root" => plan.root = Some(value.clone()),
            "family" => {
                let family = Family::ALL.iter().find(|(name, _)| name == value);
                plan.family = Some(family.ok_or_else(|| format!("no family {value}\n"))?.1);
            }
            _ => return Err(format!("--{name}?\n")),
        }
    }
    if plan.socket.as_os_str().is_empty() {
        return Err("--server is missing\n".to_owned());
    }
    Ok(Asked {
        plan,
        folder,
        corpus,
        expressions,
    })
}

fn one_by_one(socket: &Path, expressions: &[String]) -> Result<(), String> {
    let mut differ = 0;
    for text in expressions {
        let (ours, server) = compare(socket, text).map_err(|e| format!("the server: {e}"))?;
        let same = ours.agrees(&server);
        differ += u32::from(!same);
        let mark = if same { "same  " } else { "DIFFER" };
        println!("{mark} {text}\n         ours   {ours}\n         server {server}");
    }
    if differ == 0 {
        Ok(())
    } else {
        Err(format!("{differ} differ"))
    }
}
