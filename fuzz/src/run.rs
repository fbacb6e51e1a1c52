//! A run over many inputs: the process that tries them, the one that watches it, and what is told in the end.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use fuzz::minimise::minimise;
use fuzz::mutate::Mutator;
use fuzz::report::{self, Report};
use fuzz::{Judge, Limits, Target, World, bombs, pairs};

use crate::Given;

/// How long a thousand inputs may take before they count as hanging, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(120);
/// Inputs between two signs of life.
const STRIDE: u64 = 1_000;
/// Rows that a made-up scheme is tried with: compiling it takes as long as some dozens of them.
const ROWS: usize = 50;

/// Tries so many inputs in another process and tells what they came to.
pub(crate) fn run(target: Target, given: &Given) -> Result<(), String> {
    let folder = given.folder.join(target.name());
    // What an earlier run left behind is not this run's.
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let lost = match &given.guided {
        Some(program) => guided(target, given, program, &folder)?,
        None => blind(target, given, &folder)?,
    };
    let mut found = report::read(&folder);
    found.offences.extend(lost);
    tell(target, given, &folder, &found)
}

/// libFuzzer chooses the inputs. Gives the one that ended the process, if one did.
fn guided(
    target: Target,
    given: &Given,
    program: &Path,
    folder: &Path,
) -> Result<Vec<(String, Vec<u8>)>, String> {
    let fail = |e: std::io::Error| format!("{}: {e}", folder.display());
    let (corpus, seeds, log) = (folder.join("corpus"), folder.join("seeds"), folder.join("log"));
    fs::create_dir_all(&corpus).map_err(fail)?;
    fs::create_dir_all(&seeds).map_err(fail)?;
    for (index, seed) in Mutator::new(target, &World::new()).seeds().iter().enumerate() {
        fs::write(seeds.join(index.to_string()), seed).map_err(fail)?;
    }
    let out = fs::File::create(&log).map_err(fail)?;
    let status = Command::new(program)
        .args([
            format!("-runs={}", given.inputs),
            // 0 would mean: any.
            format!("-seed={}", given.seed.max(1) % u64::from(u32::MAX)),
            format!("-max_len={}", target.usual()),
            "-len_control=100".to_owned(),
            format!("-timeout={}", PATIENCE.as_secs()),
            "-rss_limit_mb=2048".to_owned(),
            "-print_final_stats=1".to_owned(),
            "-verbosity=1".to_owned(),
            format!("-artifact_prefix={}/ended-", folder.display()),
        ])
        .args([&corpus, &seeds])
        .env("FUZZ_TARGET", target.name())
        .env("FUZZ_INPUTS", given.inputs.to_string())
        .env("FUZZ_REPORT", folder)
        .stdout(Stdio::null())
        .stderr(out)
        .status()
        .map_err(|e| format!("{}: {e}", program.display()))?;
    let ended: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(fail)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("ended-"))
        })
        .collect();
    if !status.success() && ended.is_empty() {
        return Err(format!("{} {status}, see {}", program.display(), log.display()));
    }
    let mut lost = Vec::new();
    for path in ended {
        let input = fs::read(&path).map_err(fail)?;
        lost.push((
            format!("ended the process ({status})"),
            smaller(target, input, folder)?,
        ));
    }
    Ok(lost)
}

/// We choose the inputs. Gives the ones that ended the process.
fn blind(target: Target, given: &Given, folder: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut child = worker(target, given, given.from, given.inputs, folder)?;
    let Some((reached, how)) = watch(&mut child)? else {
        return Ok(Vec::new());
    };
    // Once more from the last sign of life, one input a sign.
    let mutator = Mutator::new(target, &World::new());
    for n in reached..(reached + STRIDE).min(given.inputs) {
        let input = mutator.make(given.seed, n);
        if !survives(target, &input, folder)? {
            return Ok(vec![(how, smaller(target, input, folder)?)]);
        }
    }
    Err(format!(
        "{how} after input {reached}, but none of the next {STRIDE} does it alone"
    ))
}

fn worker(target: Target, given: &Given, from: u64, inputs: u64, folder: &Path) -> Result<Child, String> {
    let me = std::env::current_exe().map_err(|e| e.to_string())?;
    Command::new(&me)
        .args(["work", "--target", target.name(), "--folder"])
        .arg(folder)
        .args(["--seed", &given.seed.to_string(), "--from", &from.to_string()])
        .args(["--inputs", &inputs.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("{}: {e}", me.display()))
}

/// Waits for a worker. `Some` is the last input it is known to have survived, and how it ended.
fn watch(child: &mut Child) -> Result<Option<(u64, String)>, String> {
    let (say, heard) = channel();
    let out = child.stdout.take().ok_or("a pipe was asked for")?;
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if say.send(line.parse().unwrap_or(0)).is_err() {
                return;
            }
        }
    });
    let mut reached = 0;
    let hung = loop {
        match heard.recv_timeout(PATIENCE) {
            Ok(n) => reached = n,
            Err(RecvTimeoutError::Disconnected) => break false,
            Err(RecvTimeoutError::Timeout) => {
                drop(child.kill());
                break true;
            }
        }
    };
    let status = child.wait().map_err(|e| e.to_string())?;
    drop(reader.join());
    Ok(match (hung, status.success()) {
        (true, _) => Some((reached, "hung".to_owned())),
        (false, false) => Some((reached, format!("ended the process ({status})"))),
        (false, true) => None,
    })
}

/// Tries inputs one after the other, with a sign of life now and then.
pub(crate) fn work(target: Target, given: &Given) -> Result<(), String> {
    let mut judge = Judge::new(target, Limits::default());
    let mutator = Mutator::new(target, judge.world());
    for n in given.from..given.inputs {
        if n.is_multiple_of(STRIDE) {
            println!("{n}");
        }
        judge.one(&mutator.make(given.seed, n));
    }
    report::write(&judge, &given.folder).map_err(|e| e.to_string())
}

/// Tries the input of a file and says what became of it.
pub(crate) fn one(target: Target, given: &Given) -> Result<(), String> {
    let path = given.file.as_ref().ok_or("which file?")?;
    let input = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut judge = Judge::new(target, Limits::default());
    let offence = judge.one(&input);
    println!("{} us", judge.figures().slowest.as_micros());
    match offence {
        Some(offence) => Err(offence.to_string()),
        None => {
            println!("{:?}", judge.world().codes(target, &input));
            Ok(())
        }
    }
}

/// Whether a process that tries this input lives.
fn survives(target: Target, input: &[u8], folder: &Path) -> Result<bool, String> {
    let me = std::env::current_exe().map_err(|e| e.to_string())?;
    let path = folder.join("try");
    fs::write(&path, input).map_err(|e| e.to_string())?;
    let status = Command::new(me)
        .args(["one", "--target", target.name()])
        .arg(&path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|e| e.to_string())?;
    // 1 is an offence that was noticed; anything else is a process that ended.
    Ok(status.code().is_some_and(|code| code < 2))
}

fn smaller(target: Target, input: Vec<u8>, folder: &Path) -> Result<Vec<u8>, String> {
    if survives(target, &input, folder)? {
        return Ok(input);
    }
    Ok(minimise(&input, |text| {
        matches!(survives(target, text, folder), Ok(false))
    }))
}

fn tell(target: Target, given: &Given, folder: &Path, found: &Report) -> Result<(), String> {
    let limits = Limits::default();
    let figures = &found.figures;
    let mut judge = Judge::new(target, limits);
    for (index, (why, input)) in found.offences.iter().enumerate() {
        let input = match judge.one(input) {
            Some(offence) => minimise(input, |text| {
                judge.one(text).is_some_and(|now| now.is_like(&offence))
            }),
            None => input.clone(),
        };
        let path = folder.join(format!("minimal-{index}"));
        fs::write(&path, &input).map_err(|e| format!("{}: {e}", path.display()))?;
        println!(
            "{why}\n    {} bytes, {}: {:?}",
            input.len(),
            path.display(),
            String::from_utf8_lossy(&input)
        );
    }
    let mean = figures.total.as_nanos() / u128::from(figures.inputs.max(1));
    println!(
        "| fuzz, {target} ({} inputs, seed {}, {}) | {} offences; {} compiled, {} gave a value; {} us a piece, slowest {} ms; peak {} MiB |",
        figures.inputs,
        given.seed,
        if given.guided.is_some() {
            "guided by coverage"
        } else {
            "by mutation"
        },
        found.offences.len(),
        figures.compiled,
        figures.evaluated,
        mean / 1_000,
        figures.slowest.as_millis(),
        found.peak_kib >> 10,
    );
    if !found.offences.is_empty() {
        return Err(format!("{} inputs of {target} went wrong", found.offences.len()));
    }
    if figures.inputs < given.inputs.saturating_sub(given.from) {
        return Err(format!("only {} inputs were tried", figures.inputs));
    }
    if found.peak_kib > limits.memory_kib {
        return Err(format!("{} MiB of memory for {target}", found.peak_kib >> 10));
    }
    Ok(())
}

/// Compares so many pairs of a scheme and a row, from a seed on; stops at the first that differ.
pub(crate) fn pairs(seed: u64, inputs: u64) -> Result<(), String> {
    let (registry, mut counts) = (functions::registry(), pairs::Counts::default());
    let mut next = seed.wrapping_mul(1 << 32);
    while counts.pairs < inputs {
        pairs::try_scheme(next, ROWS, &registry, &mut counts)?;
        next += 1;
        if next.is_multiple_of(STRIDE) {
            println!("{counts:?}");
        }
    }
    println!("{counts:?}: none differ");
    Ok(())
}

/// Measures the bombs and prints them as a table.
pub(crate) fn bombs(limits: &Limits) -> Result<(), String> {
    let world = World::new();
    let mut wrong = Vec::new();
    println!("| bomb | door | became | CPU |\n|---|---|---|---|");
    for bomb in bombs::ALL {
        let text = bomb.text();
        let before = fuzz::cpu();
        let codes = bomb.codes(&world, &text);
        let took = fuzz::cpu().saturating_sub(before);
        let became = codes.first().copied().unwrap_or("harmless");
        println!(
            "| {} | {} | {became} | {:.1} ms |",
            bomb.name,
            bomb.door,
            took.as_secs_f64() * 1e3
        );
        if !bomb.is_defused(&codes) {
            let codes: Vec<&str> = codes.into_iter().take(4).collect();
            wrong.push(format!("{}: {codes:?} in place of {:?}", bomb.name, bomb.want));
        }
        if took > bombs::MOST {
            wrong.push(format!("{} took {} ms", bomb.name, took.as_millis()));
        }
    }
    let peak = fuzz::peak_kib();
    println!("{} bombs, peak memory {} MiB", bombs::ALL.len(), peak >> 10);
    if peak > limits.memory_kib {
        wrong.push(format!("{} MiB of memory", peak >> 10));
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n"))
    }
}
