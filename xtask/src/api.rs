//! `cargo xtask api`: a schema-driven fuzzer over the HTTP API of a real server.
//!
//! It sends what the description allows and what it forbids, and looks for a 500 and for answers off their schema.
//! Bounded: three minutes at most.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::Place;
use crate::run::{Report, finish};

/// Installed from the Python package index into the build folder; MIT.
const TOOL: &str = "schemathesis==4.32.5";

/// What an answer has to be. Whether a wrong request is refused is tested by our own tests.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance,response_headers_conformance";

/// Operations that are not called: one never ends, one ends the session, one takes the fuzzer's own token
/// away.
const LEFT: &str = "^(streamEvents|logout|revokeToken)$";

pub(crate) fn api(place: &Place) -> Report {
    let mut report = Report::new(&place.root);
    let built = report.command("build", "cargo", &["build", "--locked", "-p", "engine"]);
    if !built {
        report.not_run(&["fuzz"], "the build failed");
        return report;
    }
    step(&mut report, place);
    report
}

/// The step alone, for those who have built the engine.
pub(crate) fn step(report: &mut Report, place: &Place) {
    report.step("api", || fuzz(place));
}

fn fuzz(place: &Place) -> Result<(), String> {
    let folder = place.target.join("api");
    let python = installed(&folder)?;
    let work = folder.join("work");
    drop(std::fs::remove_dir_all(&work));
    copy(&place.root.join("schemes"), &work.join("schemes"))?;
    let connections = work.join("connections.yaml");
    std::fs::copy(place.root.join("connections.yaml"), &connections).map_err(|e| e.to_string())?;
    let engine = place
        .target
        .join("debug")
        .join(format!("engine{}", std::env::consts::EXE_SUFFIX));
    let made = Command::new(&engine)
        .args([
            "token",
            "create",
            "fuzz",
            "--scope",
            "admin",
            "--sandbox",
            "--json",
        ])
        .current_dir(&work)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("{}: {e}", engine.display()))?;
    let text = String::from_utf8_lossy(&made.stdout).into_owned();
    let token = text
        .split("\"token\": \"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .ok_or_else(|| format!("no token: {text}"))?
        .to_owned();
    let mut server = Command::new(&engine)
        .args([
            "serve",
            "--sandbox",
            "--trades",
            "50",
            "--lang",
            "en",
            "--listen",
            "127.0.0.1:0",
        ])
        .current_dir(&work)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("{}: {e}", engine.display()))?;
    let fuzzed = address(&mut server).and_then(|address| {
        finish(
            Command::new(python.with_file_name("schemathesis"))
                .args(["run", &format!("{address}/api/v1/openapi.json")])
                .args(["--header", &format!("Authorization: Bearer {token}")])
                .args(["--checks", CHECKS, "--exclude-operation-id-regex", LEFT])
                .args(["--phases", "examples,coverage,fuzzing", "--max-time", "120"])
                .args(["--max-examples", "25", "--seed", "7", "--workers", "2"])
                .args(["--request-timeout", "30", "--no-color"])
                .current_dir(&folder),
        )
    });
    drop(server.kill());
    drop(server.wait());
    fuzzed
}

/// Where the server listens, as it says by itself.
fn address(server: &mut Child) -> Result<String, String> {
    let stderr = server.stderr.take().ok_or("no stderr")?;
    let mut lines = BufReader::new(stderr).lines();
    let found = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let at = line.find("http://")?;
        let address = line[at..].split("/api").next().unwrap_or_default();
        Some(address.trim().to_owned())
    });
    // Read to its end, or the server would stand still when the pipe is full.
    std::thread::spawn(move || lines.for_each(drop));
    found.ok_or_else(|| "the server ended before it listened".to_owned())
}

fn installed(folder: &Path) -> Result<std::path::PathBuf, String> {
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let environment = folder.join("venv");
    let python = environment.join("bin/python");
    if !python.exists() {
        finish(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    }
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        TOOL,
    ];
    finish(Command::new(&python).args(pip))?;
    Ok(python)
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let told = |e: std::io::Error| format!("{}: {e}", from.display());
    std::fs::create_dir_all(to).map_err(told)?;
    for entry in std::fs::read_dir(from).map_err(told)? {
        let entry = entry.map_err(told)?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target).map_err(told)?;
        }
    }
    Ok(())
}
