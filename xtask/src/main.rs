//! `cargo xtask`: everything the project does to itself, on a bare machine, with one command each.
//!
//! Plain `std`: this crate is built before anything else, by people who have just cloned the repository.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool whose output is its work"
)]

mod api;
mod bench;
mod collation;
mod counts;
mod crash;
mod figure;
mod fuzz;
mod oracle;
mod peers;
mod run;
mod servers;
mod sim;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use run::Report;
use tools::Tools;

const HELP: &str = "\
cargo xtask test         set up what is missing, then every check and test; what CI runs
cargo xtask crash        kill -9 the engine at random instants: [--debug] [--cycles 50] [--seed 1] [--faults PER_MILLE]
cargo xtask sim          simulated worlds with faults drawn from a seed: [--seeds 10000] [--from 0]
cargo xtask figure       measure memory and start-up, write docs/figures.md: [--trades 200000] [--starts 10]
cargo xtask figure A16   an acceptance figure by its name: [--debug] [--small] [--SIZE N]...; small: all of them, in small
cargo xtask figure serve | schemes | A27   `engine serve` with 20 schemes for 10 minutes; with 10,000 of them; with 20 for a day (--minutes N)
cargo xtask oracle       compare generated expressions with a private MariaDB: [--cases 10000] [--seed 1] [--family F]
                         [--root LABEL] [--server SOCKET] [--record], or the expressions given; --imported [--cases 200]:
                         those of published schemes, beside what pasting values into their text gives
cargo xtask fuzz         hostile texts through the doors of the language, and bombs: [--inputs 1000000] [--target T] [--seed 1]
cargo xtask bench expr   what expressions and the mapping of the reference record cost, beside others
cargo xtask bench micro  instructions of the hot places, held against bench/counts.txt: [--renew]
cargo xtask bench peers  the mapping alone: [--records N] [--json]
cargo xtask bench e2e    the whole job over loopback beside the same by hand: [--records 20000] [--rounds 3] [--page 500] [--workers 4]
cargo xtask bench scale  the whole job by its size: [--records 10000,100000]; bench dry: a dry run from process start
cargo xtask api          requests made of openapi.json against a real server (a tool is installed into the build folder)
cargo xtask peers        the same bad days for the engine, dlt and airbyte-cdk (installed into the build folder)
cargo xtask collation    measure how a server compares characters, write dsl/src/expr/collation.rs: arguments of the client `mariadb`
cargo xtask advisories   look the dependencies up in the advisory database (needs the network)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let place = Place::find();
    match words.as_slice() {
        ["test"] => test(&place).close("cargo xtask test"),
        ["crash", more @ ..] => crash::crash(&place, more).close("cargo xtask crash"),
        ["sim", more @ ..] => sim::sim(&place, more).close("cargo xtask sim"),
        ["figure", more @ ..] => figure::figure(&place, more).close("cargo xtask figure"),
        ["oracle", more @ ..] => oracle::oracle(&place, more).close("cargo xtask oracle"),
        ["bench", "micro", more @ ..] => counts::micro(&place, more).close("cargo xtask bench micro"),
        ["bench", what @ ("e2e" | "scale" | "dry"), more @ ..] => {
            bench::job(&place, what, more).close("cargo xtask bench")
        }
        ["bench", "peers", more @ ..] => bench::peers(&place, more).close("cargo xtask bench peers"),
        ["bench", "expr", more @ ..] => bench::bench(&place, more).close("cargo xtask bench expr"),
        ["api"] => api::api(&place).close("cargo xtask api"),
        ["peers"] => peers::peers(&place).close("cargo xtask peers"),
        ["fuzz", more @ ..] => fuzz::fuzz(&place, more).close("cargo xtask fuzz"),
        ["collation", more @ ..] => collation::collation(&place, more).close("cargo xtask collation"),
        ["advisories"] => advisories(&place).close("cargo xtask advisories"),
        ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        _ => {
            eprint!("{HELP}");
            ExitCode::from(2)
        }
    }
}

/// Where the workspace and its build output are.
struct Place {
    root: PathBuf,
    target: PathBuf,
}

impl Place {
    fn find() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("xtask is a folder of the workspace");
        #[expect(clippy::disallowed_methods, reason = "cargo's own setting, asked once, here")]
        let target =
            std::env::var("CARGO_TARGET_DIR").map_or_else(|_| root.join("target"), |dir| root.join(dir));
        Self {
            root: root.to_owned(),
            target,
        }
    }
}

/// Everything that must hold for a change to be taken, quick answers first.
///
/// All cargo steps select the whole workspace with all its targets and set no flags of their own, so that
/// they agree on features and build every crate once for checking and once for running.
fn test(place: &Place) -> Report {
    let mut report = Report::new(&place.root);
    let Some(tools) = report.step("tools", || tools::for_tests(place)) else {
        return report;
    };
    report.step("servers", || servers::for_tests(place));
    report.command("fetch", "cargo", &["fetch", "--locked"]);
    report.command("fmt", "cargo", &["fmt", "--all", "--check"]);
    // Warnings are errors here and only here: the compiler's are among clippy's.
    let clippy = [
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ];
    report.command("clippy", "cargo", &clippy);
    if report.command(
        "build",
        "cargo",
        &["build", "--locked", "--workspace", "--all-targets"],
    ) {
        let engine = place
            .target
            .join("debug")
            .join(format!("engine{}", std::env::consts::EXE_SUFFIX));
        let engine = engine.to_string_lossy();
        report.command_with(
            "tests",
            &tools.nextest,
            &["nextest", "run", "--locked", "--workspace"],
            &[(
                // End-to-end tests start the binary that was just built.
                "ENGINE_BIN",
                &engine,
            )],
        );
        otlp(&mut report, &tools);
        let trial = place
            .target
            .join("debug")
            .join(format!("trial{}", std::env::consts::EXE_SUFFIX));
        if let Some(library) = figure::preload(&mut report, place) {
            report.command_with(
                "figures",
                &trial.to_string_lossy(),
                &["figure", "small"],
                &[("ENGINE_BIN", &engine), ("POWER_LIBRARY", &library)],
            );
        } else {
            report.not_run(&["figures"], "its library could not be built");
        }
        report.command(
            "doctests",
            "cargo",
            &["test", "--locked", "--doc", "--workspace", "--quiet"],
        );
        report.command("schemes", &engine, &["test", "schemes", "connectors"]);
        api::step(&mut report, place);
        counts::step(&mut report, place, false);
    } else {
        report.not_run(
            &["tests", "figures", "doctests", "schemes", "api", "counts"],
            "the build failed",
        );
    }
    let deny = [
        "--offline",
        "--locked",
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ];
    report.command("deny", &tools.deny, &deny);
    report
}

/// Traces are a feature of the binary, which is shipped without: both kinds are built, and the usual one has nothing of it.
fn otlp(report: &mut Report, tools: &Tools) {
    let check = [
        "clippy",
        "--locked",
        "--package",
        "engine",
        "--features",
        "otlp",
        "--",
        "--deny",
        "warnings",
    ];
    report.command("otlp", "cargo", &check);
    let run = [
        "nextest",
        "run",
        "--locked",
        "--package",
        "app",
        "--features",
        "otlp",
        "--test",
        "telemetry",
    ];
    report.command("traces", &tools.nextest, &run);
    report.step("usual build", || {
        let mut tree = std::process::Command::new("cargo");
        tree.args([
            "tree",
            "--locked",
            "--package",
            "engine",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ]);
        let said = tree.output().map_err(|error| error.to_string())?;
        match String::from_utf8_lossy(&said.stdout).contains("opentelemetry") || !said.status.success() {
            true => Err("opentelemetry is in the build without the feature otlp".to_owned()),
            false => Ok(()),
        }
    });
}

fn advisories(place: &Place) -> Report {
    let mut report = Report::new(&place.root);
    if let Some(deny) = report.step("tools", || tools::deny(place)) {
        report.command("advisories", &deny, &["--locked", "check", "advisories"]);
    }
    report
}
