//! What a process holds, as the kernel tells it. Linux only; elsewhere the figures that need it say so.

use std::time::Duration;

/// Clock ticks of a second, the same on every Linux.
const TICKS: u64 = 100;

/// What a process holds at an instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    /// Resident memory.
    pub(super) kib: u64,
    /// Open files.
    pub(super) files: u64,
}

/// What it holds now.
pub(super) fn held(id: u32) -> Result<Held, String> {
    let path = format!("/proc/{id}/status");
    let text = read(&path)?;
    let line = text.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    let files = std::fs::read_dir(format!("/proc/{id}/fd")).map_err(|e| e.to_string())?;
    Ok(Held {
        kib: kib.ok_or_else(|| format!("{path} says nothing of VmRSS"))?,
        files: u64::try_from(files.count()).unwrap_or(u64::MAX),
    })
}

/// Processor time since its start.
pub(super) fn cpu(id: u32) -> Result<Duration, String> {
    let path = format!("/proc/{id}/stat");
    let text = read(&path)?;
    // The name stands in brackets and may hold anything; user and system time are the 12th and 13th word behind it.
    let behind = text.rsplit_once(')').map_or("", |(_, behind)| behind);
    let words: Vec<&str> = behind.split_whitespace().collect();
    let ticks = |nth: usize| words.get(nth).and_then(|word| word.parse::<u64>().ok());
    let sum = ticks(11).zip(ticks(12)).map(|(user, system)| user + system);
    let sum = sum.ok_or_else(|| format!("{path} says nothing of times"))?;
    Ok(Duration::from_millis(sum * 1_000 / TICKS))
}

fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}; this figure needs Linux"))
}
