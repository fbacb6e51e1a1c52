//! `cargo xtask crash`: kill -9 at random instants, over and over, and then a look at what is left.
//!
//! The work is done by `tests/src/bin/trial.rs`, which holds the simulators; here it is only built and started, so
//! that this crate stays free of dependencies.

use crate::Place;
use crate::run::Report;

/// `arguments` are the trial's: `--cycles`, `--seed`, `--faults`; with `--debug` first, the debug build is killed.
pub(crate) fn crash(place: &Place, arguments: &[&str]) -> Report {
    let mut report = Report::new(&place.root);
    let (release, arguments) = match arguments.split_first() {
        Some((&"--debug", rest)) => (false, rest),
        _ => (true, arguments),
    };
    if let Some((trial, engine)) = built(&mut report, place, release) {
        let words: Vec<&str> = ["crash"].into_iter().chain(arguments.iter().copied()).collect();
        report.command_with("crash", &trial, &words, &[("ENGINE_BIN", &engine)]);
    }
    report
}

/// Builds the engine and the trials; gives their paths.
pub(crate) fn built(report: &mut Report, place: &Place, release: bool) -> Option<(String, String)> {
    let words = [
        "build",
        "--locked",
        "--package",
        "engine",
        "--package",
        "tests",
        "--bins",
        "--release",
    ];
    let count = if release { words.len() } else { words.len() - 1 };
    if !report.command("build", "cargo", &words[..count]) {
        report.not_run(&["trial"], "the build failed");
        return None;
    }
    let folder = place.target.join(if release { "release" } else { "debug" });
    let program = |name: &str| {
        let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        path.to_string_lossy().into_owned()
    };
    Some((program("trial"), program("engine")))
}
