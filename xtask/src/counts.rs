//! `cargo xtask bench micro [--renew]`: how many instructions the work of `bench`'s `counted` takes, under callgrind.
//!
//! Counts are the same on a busy machine and on an idle one, so a change that makes the engine slower is refused where
//! it is made. What is expected stands in `bench/counts.txt` with the place where it was counted: the processor's
//! architecture, the compiler and the C library. Where these are the same, every count is held against its own; elsewhere
//! the counts are others, and what is held is how they compare with the mapping by hand.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::Place;
use crate::run::Report;
use crate::tools;

/// What is expected.
const FILE: &str = "bench/counts.txt";
/// The function inside of which is counted; a hash may stand behind its name.
const COUNTED: &str = "bench::counted::work*";
/// So much more than expected is refused, in per cent; the same code differs by a tenth of one.
const SLACK: u64 = 3;
/// The same for ratios, where compiler, library or processor are others.
const SLACK_ELSEWHERE: u64 = 20;
/// The count to which the others are compared elsewhere.
const BASE: &str = "hand";
/// The three transactions of a page have a program of their own: it brings SQLite.
const LEDGER: &str = "ledger";

/// Counts, and judges; with `--renew` writes down what was counted.
pub(crate) fn micro(place: &Place, arguments: &[&str]) -> Report {
    let mut report = Report::new(&place.root);
    match arguments {
        [] => step(&mut report, place, false),
        ["--renew"] => step(&mut report, place, true),
        [word, ..] => {
            report.step("arguments", || Err::<(), _>(format!("{word}?")));
        }
    }
    report
}

/// The steps of it, for `cargo xtask test` too. Callgrind is Linux's.
pub(crate) fn step(report: &mut Report, place: &Place, renew: bool) {
    if !cfg!(target_os = "linux") {
        println!(
            "\n== counts: callgrind needs Linux; nothing is counted on {}",
            std::env::consts::OS
        );
        return;
    }
    if report.step("valgrind", tools::valgrind).is_none() {
        report.not_run(&["counts"], "valgrind is not there");
        return;
    }
    // For the plainest processor of its kind: no flags of this machine may come in.
    let build = [
        "build",
        "--locked",
        "--release",
        "--package",
        "bench",
        "--package",
        "job",
        "--bin",
        "counted",
        "--bin",
        "counted-ledger",
    ];
    if !report.command_with("counted", "cargo", &build, &[("RUSTFLAGS", "")]) {
        report.not_run(&["counts"], "the build failed");
        return;
    }
    report.step("counts", || {
        let counts = all(&place.target)?;
        let here = here()?;
        let path = place.root.join(FILE);
        if renew {
            return std::fs::write(&path, written(&here, &counts)).map_err(|e| format!("{FILE}: {e}"));
        }
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{FILE}: {e}"))?;
        let expected = Expected::read(&text).ok_or_else(|| format!("{FILE} cannot be read"))?;
        if expected.place != here {
            println!(
                "counted here: {here}; {FILE} is of {}: only ratios to `{BASE}` are held",
                expected.place
            );
        }
        let (table, wrong) = judged(&expected, &here, &counts);
        print!("{table}");
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(format!(
                "{}; where that is meant: cargo xtask bench micro --renew",
                wrong.join(", ")
            )),
        }
    });
}

/// All counts, by name.
fn all(target: &Path) -> Result<BTreeMap<String, u64>, String> {
    let program = |name: &str| target.join("release").join(name).to_string_lossy().into_owned();
    let counted = program("counted");
    let names = Command::new(&counted)
        .output()
        .map_err(|e| format!("{counted}: {e}"))?;
    let names = String::from_utf8_lossy(&names.stdout).into_owned();
    let mut counts = BTreeMap::new();
    for name in names.lines() {
        counts.insert(name.to_owned(), one(target, &counted, &[name])?);
    }
    counts.insert(LEDGER.to_owned(), one(target, &program("counted-ledger"), &[])?);
    Ok(counts)
}

/// Instructions inside of the counted function.
fn one(target: &Path, program: &str, arguments: &[&str]) -> Result<u64, String> {
    let out = target.join("counted.out");
    let output = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .args(arguments)
        .output()
        .map_err(|e| format!("valgrind: {e}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = std::fs::read_to_string(&out).map_err(|e| format!("{}: {e}", out.display()))?;
    match total(&text) {
        Some(count) if count > 0 => Ok(count),
        _ => Err(format!(
            "{program} {arguments:?}: nothing was counted in {COUNTED}"
        )),
    }
}

/// The sum that callgrind writes down.
fn total(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("totals: "))?;
    line.trim().parse().ok()
}

/// What the counts depend on, beside the code.
fn here() -> Result<String, String> {
    let rustc = said("rustc", &["--version"])?;
    let rustc = rustc.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let libc = said("getconf", &["GNU_LIBC_VERSION"]).unwrap_or_else(|_| "another libc".to_owned());
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let wide = match cpu.split_whitespace().any(|word| word == "avx2") {
        true => " avx2",
        false => "",
    };
    Ok(format!("{}{wide}, rustc {rustc}, {libc}", std::env::consts::ARCH))
}

fn said(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|e| format!("{program}: {e}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(format!("{program}: {}", output.status)),
    }
}

/// The file.
#[derive(Debug, PartialEq, Eq)]
struct Expected {
    place: String,
    counts: BTreeMap<String, u64>,
}

impl Expected {
    fn read(text: &str) -> Option<Expected> {
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        let place = lines.next()?.strip_prefix("at ")?.to_owned();
        let counts = lines
            .map(|line| {
                let (name, count) = line.split_once(' ')?;
                Some((name.to_owned(), count.trim().parse().ok()?))
            })
            .collect::<Option<_>>()?;
        Some(Expected { place, counts })
    }
}

fn written(place: &str, counts: &BTreeMap<String, u64>) -> String {
    let mut text = "# Instructions of 100 records (compile: of one scheme), written by `cargo xtask bench micro --renew`.\n"
        .to_owned();
    text.push_str(&format!("at {place}\n"));
    for (name, count) in counts {
        text.push_str(&format!("{name} {count}\n"));
    }
    text
}

/// A line for each count, and what is too much.
fn judged(expected: &Expected, here: &str, counts: &BTreeMap<String, u64>) -> (String, Vec<String>) {
    let same = expected.place == here;
    let base = |of: &BTreeMap<String, u64>| of.get(BASE).copied().filter(|_| !same).unwrap_or(1).max(1);
    let (base_then, base_now) = (u128::from(base(&expected.counts)), u128::from(base(counts)));
    let slack = if same { SLACK } else { SLACK_ELSEWHERE };
    let (mut table, mut wrong) = (String::new(), Vec::new());
    for (name, count) in counts {
        let Some(before) = expected.counts.get(name) else {
            wrong.push(format!("{name} is not in {FILE}"));
            continue;
        };
        // now/base_now against before/base_then, in per mille, without fractions.
        let now = u128::from(*count) * base_then * 1_000;
        let then = (u128::from(*before) * base_now).max(1);
        let per_mille = now / then;
        table.push_str(&format!(
            "{name:<8} {count:>12} instructions, {}.{} % of what is expected\n",
            per_mille / 10,
            per_mille % 10
        ));
        if per_mille > 1_000 + u128::from(slack) * 10 {
            wrong.push(format!("{name} takes {}.{} %", per_mille / 10, per_mille % 10));
        }
    }
    for name in expected.counts.keys().filter(|name| !counts.contains_key(*name)) {
        wrong.push(format!("{name} of {FILE} was not counted"));
    }
    (table, wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: &[(&str, u64)]) -> BTreeMap<String, u64> {
        of.iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let of = counts(&[("hand", 1_000), ("slots", 700)]);
        let read = Expected::read(&written("x, rustc 1", &of));
        let want = Expected {
            place: "x, rustc 1".to_owned(),
            counts: of,
        };
        assert_eq!(read, Some(want));
        assert_eq!(Expected::read("hand 7\n"), None);
        assert_eq!(Expected::read("at x\nhand much\n"), None);
    }

    #[test]
    fn more_than_three_per_cent_is_refused() {
        let expected = Expected {
            place: "x".to_owned(),
            counts: counts(&[("hand", 1_000), ("slots", 700)]),
        };
        let judge = |place: &str, of: &[(&str, u64)]| judged(&expected, place, &counts(of)).1;
        assert_eq!(
            judge("x", &[("hand", 1_030), ("slots", 100)]),
            Vec::<String>::new()
        );
        assert_eq!(
            judge("x", &[("hand", 1_000), ("slots", 722)]),
            ["slots takes 103.1 %"]
        );
        // Elsewhere everything may be twice as much, but not one of them.
        assert_eq!(
            judge("y", &[("hand", 2_000), ("slots", 1_600)]),
            Vec::<String>::new()
        );
        assert_eq!(
            judge("y", &[("hand", 1_000), ("slots", 900)]),
            ["slots takes 128.5 %"]
        );
        assert_eq!(
            judge("x", &[("hand", 1_000), ("other", 1)]),
            [
                "other is not in bench/counts.txt",
                "slots of bench/counts.txt was not counted"
            ]
        );
    }

    #[test]
    fn the_sum_is_found() {
        assert_eq!(total("events: Ir\nfn=(1)\ntotals: 3307251\n"), Some(3_307_251));
        assert_eq!(total("events: Ir\n"), None);
    }
}
