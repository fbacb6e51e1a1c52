//! Compares generated expressions with a server that is running; `cargo xtask oracle` starts one and calls this.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool whose output is its work"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tests::oracle::{Family, Plan, compare, run};

const HELP: &str = "\
oracle --server SOCKET [--cases N] [--seed S] [--family F] [--root LABEL]
oracle --server SOCKET EXPRESSION...

Compares N generated expressions with the server, or the expressions given.
F is numeric, text, time, flow, json, cast or lines; LABEL an operator or a function's name.
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match asked(&words) {
        Ok((plan, expressions)) if expressions.is_empty() => match run(&plan, &|line| println!("{line}")) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("FAILED: {why}");
                ExitCode::FAILURE
            }
        },
        Ok((plan, expressions)) => one_by_one(&plan.socket, &expressions),
        Err(why) => {
            eprint!("{why}{HELP}");
            ExitCode::from(2)
        }
    }
}

fn asked(words: &[String]) -> Result<(Plan, Vec<String>), String> {
    let mut plan = Plan {
        socket: PathBuf::new(),
        cases: 10_000,
        seed: 1,
        family: None,
        root: None,
    };
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
    Ok((plan, expressions))
}

fn one_by_one(socket: &Path, expressions: &[String]) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for text in expressions {
        match compare(socket, text) {
            Ok((ours, server)) => {
                let mark = if ours.agrees(&server) { "same  " } else { "DIFFER" };
                if !ours.agrees(&server) {
                    code = ExitCode::FAILURE;
                }
                println!("{mark} {text}\n         ours   {ours}\n         server {server}");
            }
            Err(why) => {
                eprintln!("FAILED: the server: {why}");
                return ExitCode::FAILURE;
            }
        }
    }
    code
}
