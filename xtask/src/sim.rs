//! `cargo xtask sim`: simulated worlds by the thousand, in the release build.
//!
//! The worlds are `tests/src/sim`, played by `tests/src/bin/sim.rs`; here they are only built and started.

use crate::Place;
use crate::run::Report;

/// `arguments` are the program's: `--seeds`, `--from`.
pub(crate) fn sim(place: &Place, arguments: &[&str]) -> Report {
    let mut report = Report::new(&place.root);
    let build = [
        "build",
        "--locked",
        "--package",
        "tests",
        "--bin",
        "sim",
        "--release",
    ];
    if !report.command("build", "cargo", &build) {
        report.not_run(&["sim"], "the build failed");
        return report;
    }
    let program = place
        .target
        .join("release")
        .join(format!("sim{}", std::env::consts::EXE_SUFFIX));
    report.command("sim", &program.to_string_lossy(), arguments);
    report
}
