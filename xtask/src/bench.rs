//! `cargo xtask bench expr`: what the expression language costs, beside VRL, minijinja and a mapping by hand.
//!
//! The peers are a workspace of their own (`bench/peers`) with a lock file of its own; its first build takes minutes.

use crate::Place;
use crate::run::Report;

/// Measures. `arguments` has nothing to say yet.
pub(crate) fn bench(place: &Place, arguments: &[&str]) -> Report {
    let mut report = Report::new(&place.root);
    if let Some(word) = arguments.first() {
        report.step("arguments", || Err::<(), _>(format!("{word}?")));
        return report;
    }
    let folder = place.target.join("bench").to_string_lossy().into_owned();
    // Not `--locked`: what our own crates need changes without this lock file hearing of it.
    let build = [
        "build",
        "--release",
        "--manifest-path",
        "bench/peers/Cargo.toml",
        "--target-dir",
        &folder,
    ];
    let counter = [
        "build",
        "--locked",
        "--release",
        "--package",
        "bench",
        "--bin",
        "allocations",
    ];
    let built = report.command("peers", "cargo", &build) && report.command("build", "cargo", &counter);
    if !built {
        report.not_run(&["expr", "allocations"], "the build failed");
        return report;
    }
    let end = std::env::consts::EXE_SUFFIX;
    report.command("expr", &format!("{folder}/release/peers{end}"), &[]);
    let counter = place.target.join("release").join(format!("allocations{end}"));
    report.command("allocations", &counter.to_string_lossy(), &[]);
    report
}
