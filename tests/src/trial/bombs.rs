//! A11, for answers: what a source's bomb costs the engine before it is refused, and that the next page is read.
//!
//! The first page of a run is the bomb, every later call is well. Beside each stands the same run without it: the
//! difference of the two is what the bomb cost, memory as the peak of the process, time as the processor's.

use std::time::Duration;

use serde_json::json;

use super::named::{Given, Say};
use crate::e2e::{CUSTOMERS, MAIN, World};

/// How often the process is looked at; what its last moment added is not seen, with or without a bomb.
const LOOK: Duration = Duration::from_millis(3);
/// Extra memory that a refusal may take.
const MEMORY_KIB: u64 = 64 << 10;
/// Processor time of a refusal. Debug builds unpack and parse about ten times slower, and are not held to it.
const TIME_MS: u64 = 100;
/// The kernel counts processor time in hundredths of a second.
const TICK_MS: u64 = 10;

/// The figure.
pub fn run(given: &Given, say: Say<'_>) -> Result<String, String> {
    let times = given.get("--times").max(1);
    let well = measure(times, None)?;
    say(format!("without: {} KiB, {} ms", well.peak_kib, well.cpu_ms));
    let mut told = Vec::new();
    let mut broken = Vec::new();
    for (name, order) in [
        ("gzip 1:1000 of 512 MiB", json!({"kind": "gzip_bomb", "mib": 512})),
        (
            "JSON a million deep",
            json!({"kind": "deep_json", "depth": 1_000_000}),
        ),
        ("XML with DOCTYPE and entities", json!({"kind": "doctype"})),
    ] {
        let bomb = measure(times, Some(order))?;
        let memory = bomb.peak_kib.saturating_sub(well.peak_kib);
        let time = bomb.cpu_ms.saturating_sub(well.cpu_ms);
        let figure = format!("{name}: {} MiB, {time} ms", memory.div_ceil(1024));
        if memory > MEMORY_KIB || (time > TIME_MS && !cfg!(debug_assertions)) {
            broken.push(figure.clone());
        }
        told.push(figure);
    }
    if broken.is_empty() {
        Ok(format!(
            "extra memory and processor time until refused: {}",
            told.join("; ")
        ))
    } else {
        Err(format!("over 64 MiB or 100 ms: {}", broken.join("; ")))
    }
}

struct Cost {
    peak_kib: u64,
    cpu_ms: u64,
}

/// The median of so many runs.
fn measure(times: u64, bomb: Option<serde_json::Value>) -> Result<Cost, String> {
    let (mut peaks, mut cpus) = (Vec::new(), Vec::new());
    for _ in 0..times {
        let cost = once(bomb.as_ref())?;
        peaks.push(cost.peak_kib);
        cpus.push(cost.cpu_ms);
    }
    peaks.sort_unstable();
    cpus.sort_unstable();
    Ok(Cost {
        peak_kib: peaks[peaks.len() / 2],
        cpu_ms: cpus[cpus.len() / 2],
    })
}

fn once(bomb: Option<&serde_json::Value>) -> Result<Cost, String> {
    let world = World::small();
    world.feed();
    if let Some(order) = bomb {
        let mut order = order.clone();
        order["endpoint"] = "searchTrades".into();
        order["nth"] = 1.into();
        world.control("fault", &order);
    }
    let before = world.calls("huke");
    let mut process = world.command(&["run", MAIN, "--json"]).start();
    let folder = format!("/proc/{}", process.id());
    let mut cost = Cost {
        peak_kib: 0,
        cpu_ms: 0,
    };
    while !process.wait(LOOK) {
        let read = |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).unwrap_or_default();
        cost.peak_kib = peak_kib(&read("status")).unwrap_or(0).max(cost.peak_kib);
        cost.cpu_ms = cpu_ms(&read("stat")).unwrap_or(0).max(cost.cpu_ms);
    }
    let ran = process.finish();
    let done = &ran.json()["runs"][0]["states"]["done"];
    if *done != CUSTOMERS {
        return Err(format!("the run did not go on behind the bomb: {ran}"));
    }
    if bomb.is_some() && world.calls("huke") - before < 4 {
        return Err("the bomb was not met".to_owned());
    }
    if cost.peak_kib == 0 {
        return Err("/proc says nothing; this figure needs Linux".to_owned());
    }
    Ok(cost)
}

fn peak_kib(status: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Of the process in user and in kernel mode: the 14th and 15th field, counted behind the name, which may hold blanks.
fn cpu_ms(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let kernel: u64 = fields.next()?.parse().ok()?;
    Some((user + kernel) * TICK_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proc_says() {
        let stat = "7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 12 3 0 0";
        assert_eq!(cpu_ms(stat), Some(150));
        assert_eq!(peak_kib("Name:\tx\nVmHWM:\t  1234 kB\n"), Some(1234));
    }
}
