//! What a process that tried inputs leaves behind for the one that started it: a folder.
//!
//! `figures` holds a name and a number a line; `offence-N` an input that went wrong and `offence-N.why` in what way.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::judge::{Figures, Judge, peak_kib};

/// Figures of another process, and the offenders it found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What the inputs came to.
    pub figures: Figures,
    /// The most memory it held, in KiB.
    pub peak_kib: u64,
    /// What went wrong, and the input.
    pub offences: Vec<(String, Vec<u8>)>,
}

/// Writes what is known so far.
pub fn write(judge: &Judge, folder: &Path) -> io::Result<()> {
    let figures = judge.figures();
    let lines = [
        ("inputs", u128::from(figures.inputs)),
        ("compiled", u128::from(figures.compiled)),
        ("evaluated", u128::from(figures.evaluated)),
        ("total_ns", figures.total.as_nanos()),
        ("slowest_ns", figures.slowest.as_nanos()),
        ("peak_kib", u128::from(peak_kib())),
    ]
    .map(|(name, number)| format!("{name} {number}\n"));
    for (index, (offence, input)) in judge.offences().iter().enumerate() {
        fs::write(folder.join(format!("offence-{index}")), input)?;
        fs::write(folder.join(format!("offence-{index}.why")), offence.to_string())?;
    }
    fs::write(folder.join("figures"), lines.concat())
}

/// Reads what was left behind; nothing when the process did not come so far.
pub fn read(folder: &Path) -> Report {
    let text = fs::read_to_string(folder.join("figures")).unwrap_or_default();
    let number = |name: &str| -> u64 {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|line| line.parse().ok()).unwrap_or(0)
    };
    let offences = (0..)
        .map_while(|index| {
            let input = fs::read(folder.join(format!("offence-{index}"))).ok()?;
            let why = fs::read_to_string(folder.join(format!("offence-{index}.why"))).ok()?;
            Some((why, input))
        })
        .collect();
    Report {
        figures: Figures {
            inputs: number("inputs"),
            compiled: number("compiled"),
            evaluated: number("evaluated"),
            total: Duration::from_nanos(number("total_ns")),
            slowest: Duration::from_nanos(number("slowest_ns")),
        },
        peak_kib: number("peak_kib"),
        offences,
    }
}
