//! `cargo xtask peers`: the same bad days for the engine and for two Python tools that move records, side by side.
//!
//! `tests/peers/run.py` does the comparing; here the engine is built and the tools are installed, in a folder of the
//! build output that goes away with it. Nothing of them is part of the engine or of its tests.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::Place;
use crate::run::{Report, finish};

/// Where the comparison stands.
const FOLDER: &str = "tests/peers";

/// Builds, installs, compares. Ends red when the engine itself loses a row or writes one twice.
pub(crate) fn peers(place: &Place) -> Report {
    let mut report = Report::new(&place.root);
    let build = ["build", "--locked", "--release", "--package", "engine"];
    if !report.command("build", "cargo", &build) {
        report.not_run(&["tools", "peers"], "the build failed");
        return report;
    }
    let folder = place.target.join("peers");
    if report.step("tools", || installed(&place.root, &folder)).is_none() {
        report.not_run(&["peers"], "the tools are not there");
        return report;
    }
    let engine = place.target.join("release").join("engine");
    let words = [
        format!("{FOLDER}/run.py"),
        engine.to_string_lossy().into_owned(),
        folder.to_string_lossy().into_owned(),
    ];
    report.command("peers", "python3", &words.each_ref().map(String::as_str));
    report
}

/// Python's virtual environment with both tools at the versions of `requirements.txt`, and a program that runs another
/// one with a clock of ours.
fn installed(root: &Path, folder: &Path) -> Result<(), String> {
    if !starts("faketime", &["--version"]) || !starts("python3", &["-c", "import ensurepip, venv"]) {
        println!("installing faketime and python3-venv");
        finish(Command::new("apt-get").args(["update", "--quiet"]))
            .map_err(|why| format!("as root: apt-get install faketime python3-venv ({why})"))?;
        let install = [
            "install",
            "--quiet",
            "--yes",
            "--no-install-recommends",
            "faketime",
            "python3-venv",
        ];
        finish(
            Command::new("apt-get")
                .args(install)
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )?;
    }
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let environment = folder.join("venv");
    if !environment.join("bin/python").exists() {
        finish(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    }
    finish(
        Command::new(environment.join("bin/python"))
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
            ])
            .arg(root.join(FOLDER).join("requirements.txt")),
    )
}

fn starts(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
