//! `counted CASE`: one piece of work under a counter of instructions; without a word, the names of all.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool whose output is its work"
)]

use std::process::ExitCode;

use bench::counted::{NAMES, count};

fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        println!("{}", NAMES.join("\n"));
        return ExitCode::SUCCESS;
    };
    if count(&name).is_none() {
        eprintln!("{name}?");
        return ExitCode::from(2);
    }
    ExitCode::SUCCESS
}
