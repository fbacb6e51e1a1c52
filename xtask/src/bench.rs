//! `cargo xtask bench expr`: what the expression language costs, beside VRL, minijinja and a mapping by hand.
//! `cargo xtask bench peers [--records N] [--json]`: the mapping alone.
//! `cargo xtask bench e2e|scale|dry`: the whole job, beside the same job by hand.
//!
//! The peers are a workspace of their own (`bench/peers`) with a lock file of its own; its first build takes minutes.

use crate::Place;
use crate::run::Report;

/// Measures the mapping of the reference record alone; the arguments are those of `bench/peers`.
pub(crate) fn peers(place: &Place, arguments: &[&str]) -> Report {
    let mut report = Report::new(&place.root);
    let folder = place.target.join("bench").to_string_lossy().into_owned();
    if !report.command("peers", "cargo", &build_of(&folder)) {
        report.not_run(&["mapping"], "the build failed");
        return report;
    }
    let arguments: Vec<&str> = ["--peers"].iter().chain(arguments).copied().collect();
    let end = std::env::consts::EXE_SUFFIX;
    report.command("mapping", &format!("{folder}/release/peers{end}"), &arguments);
    report
}

/// Measures the whole job over loopback: `e2e` beside the same job by hand, `scale` by the number of records, `dry` the
/// start of a dry run. The arguments are those of `bench/job`.
pub(crate) fn job(place: &Place, what: &str, arguments: &[&str]) -> Report {
    let mut report = Report::new(&place.root);
    let build = [
        "build",
        "--locked",
        "--release",
        "--package",
        "engine",
        "--package",
        "job",
    ];
    if !report.command("build", "cargo", &build) {
        report.not_run(&["job"], "the build failed");
        return report;
    }
    let end = std::env::consts::EXE_SUFFIX;
    let built = |name: &str| {
        let path = place.target.join("release").join(format!("{name}{end}"));
        path.to_string_lossy().into_owned()
    };
    let root = place.root.to_string_lossy().into_owned();
    let engine = built("engine");
    let ours = [what, "--engine", &engine, "--root", &root];
    let words: Vec<&str> = ours.iter().chain(arguments).copied().collect();
    report.command("job", &built("job"), &words);
    report
}

/// The build of the peers. Not `--locked`: what our own crates need changes without their lock file hearing of it.
fn build_of(folder: &str) -> [&str; 6] {
    [
        "build",
        "--release",
        "--manifest-path",
        "bench/peers/Cargo.toml",
        "--target-dir",
        folder,
    ]
}

/// Measures. `arguments` has nothing to say yet.
pub(crate) fn bench(place: &Place, arguments: &[&str]) -> Report {
    let mut report = Report::new(&place.root);
    if let Some(word) = arguments.first() {
        report.step("arguments", || Err::<(), _>(format!("{word}?")));
        return report;
    }
    let folder = place.target.join("bench").to_string_lossy().into_owned();
    let counter = [
        "build",
        "--locked",
        "--release",
        "--package",
        "bench",
        "--bin",
        "allocations",
    ];
    let built =
        report.command("peers", "cargo", &build_of(&folder)) && report.command("build", "cargo", &counter);
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
