//! `bench`: the figures without peers that have to be built first. `cargo xtask bench expr` runs it with them.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool whose output is its work"
)]

use std::process::ExitCode;

use bench::ceiling::Ceiling;
use bench::given::Given;
use bench::jinja::Jinja;
use bench::mapping::measure;
use bench::ours::Ours;
use bench::slots::Slots;
use bench::{table, trade};

fn main() -> ExitCode {
    let Some(given) = Given::read(std::env::args().skip(1)) else {
        eprintln!("[--peers] [--records N] [--json]");
        return ExitCode::from(2);
    };
    if given.expressions {
        println!("{}", table::expressions());
    }
    let records: Vec<String> = (0..given.records).map(trade::trade).collect();
    let first = measure(&mut Ceiling::new(), &records);
    let between = [
        measure(&mut Slots::new(), &records),
        measure(&mut Ours::new(), &records),
        measure(&mut Jinja::new(), &records),
    ];
    let last = measure(&mut Ceiling::new(), &records);
    match given.tell(&first, &between, &last) {
        Ok(table) => {
            println!("{table}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
