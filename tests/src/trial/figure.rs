//! Figures of this machine: memory of long runs, and the time from start to the first request.
//!
//! Prints table rows as they stand in `docs/figures.md`. Date and commit are put behind them by `cargo xtask figure`.

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use super::Watch;
use crate::e2e::{Config, FEEDER, Lone, MAIN, Ran, World};

/// How often the peak is looked at. It only grows, so the last look is the peak but for what the last moment added.
const LOOK: Duration = Duration::from_millis(50);

/// What to measure.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Trades of the large run; the small one has a tenth.
    pub trades: u64,
    /// Starts of which the median is taken.
    pub starts: u64,
}

/// Measures and prints.
pub fn run(plan: &Plan, say: &dyn Fn(String)) -> Result<(), String> {
    let mut peaks = Vec::new();
    for trades in [plan.trades / 10, plan.trades] {
        let run = memory(trades)?;
        say(format!(
            "| memory of a run over {} trades | {} MiB peak, {} s | `cargo xtask figure` | STAMP |",
            grouped(trades),
            run.peak_kib / 1024,
            run.took.as_secs()
        ));
        peaks.push(run.peak_kib);
    }
    say(format!(
        "| large run / small run, peak memory | {}.{:02} | `cargo xtask figure` | STAMP |",
        peaks[1] / peaks[0],
        peaks[1] * 100 / peaks[0] % 100
    ));
    let (median, worst) = start(plan.starts)?;
    say(format!(
        "| release binary, start to first request | median {} ms of {}, slowest {} ms | `cargo xtask figure` | STAMP |",
        median.as_millis(),
        plan.starts,
        worst.as_millis()
    ));
    if peaks[1] > peaks[0] * 3 / 2 {
        return Err(format!(
            "ten times the rows take {} KiB in place of {} KiB",
            peaks[1], peaks[0]
        ));
    }
    Ok(())
}

struct Long {
    peak_kib: u64,
    took: Duration,
}

/// A run against simulators in another process.
fn memory(trades: u64) -> Result<Long, String> {
    let world = World::small();
    let lone = Lone::start(&["--trades", &trades.to_string()]);
    world.write("connections.yaml", &lone.connections);
    world.edit(MAIN, "pageSize: \"50\"", "pageSize: \"100\"");
    let start = |words: &[&str]| {
        let command = world.command(words);
        lone.exports
            .iter()
            .fold(command, |command, (name, value)| command.env(name, value))
            .start()
    };
    let fed = start(&["run", FEEDER]).finish_within(Duration::from_secs(1_800));
    if fed.code != Some(0) {
        return Err(fed.to_string());
    }
    let watch = Watch::start();
    let mut process = start(&["run", MAIN, "--json"]);
    let status = format!("/proc/{}/status", process.id());
    let mut peak_kib = 0;
    while !process.wait(LOOK) {
        peak_kib = high_water(Path::new(&status)).unwrap_or(peak_kib).max(peak_kib);
    }
    let took = watch.passed();
    let ran = process.finish();
    check(&ran, trades)?;
    if peak_kib == 0 {
        return Err(format!("{status} says nothing; this figure needs Linux"));
    }
    Ok(Long { peak_kib, took })
}

fn check(ran: &Ran, trades: u64) -> Result<(), String> {
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).map_err(|_| ran.to_string())?;
    let run = &document["runs"][0];
    if ran.code == Some(0) && run["counts"]["fetched"] == trades && run["states"]["done"] == trades / 4 {
        Ok(())
    } else {
        Err(ran.to_string())
    }
}

/// `VmHWM`: the most memory the process has held so far, in KiB.
fn high_water(status: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// From the start of the process to the first byte of its first request; median and slowest.
fn start(times: u64) -> Result<(Duration, Duration), String> {
    let world = World::of(|config: &mut Config| config.trades = 4);
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    let here = listener.local_addr().map_err(|e| e.to_string())?;
    world.edit("connections.yaml", &world.addr().to_string(), &here.to_string());
    let mut took = Vec::new();
    for _ in 0..times.max(1) {
        let watch = Watch::start();
        let process = world.command(&["run", MAIN]).start();
        let (mut stream, _) = listener.accept().map_err(|e| e.to_string())?;
        stream.read_exact(&mut [0]).map_err(|e| e.to_string())?;
        took.push(watch.passed());
        process.kill();
    }
    took.sort();
    Ok((took[took.len() / 2], took[took.len() - 1]))
}

/// Digits in groups of three.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
