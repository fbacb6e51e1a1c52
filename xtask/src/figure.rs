//! `cargo xtask figure`: measures this machine and writes the rows into `docs/figures.md`. A word names one of the
//! acceptance figures, whose row is added when the page has none yet; `small` runs all of those in their small size,
//! on the debug build, and writes nothing.

use std::path::Path;
use std::process::Command;

use crate::Place;
use crate::crash::built;
use crate::run::Report;

/// The page the rows stand in.
const PAGE: &str = "docs/figures.md";

/// The table that named figures are added to.
const NAMED: &str = "## Acceptance";

/// The figure beside which another scheduler runs.
const BESIDE_JOBS: &str = "schemes";

/// Measures the release build; with `--debug` first, the debug build, and nothing is written. `arguments` are the
/// trial's: `--trades`, `--starts`, or the name of a figure and its sizes.
pub(crate) fn figure(place: &Place, arguments: &[&str]) -> Report {
    let mut report = Report::new(&place.root);
    let (debug, arguments) = match arguments.split_first() {
        Some((&"--debug", rest)) => (true, rest),
        _ => (arguments.first() == Some(&"small"), arguments),
    };
    let Some((trial, engine)) = built(&mut report, place, !debug) else {
        return report;
    };
    let Some(library) = preload(&mut report, place) else {
        return report;
    };
    if arguments.first() == Some(&"small") {
        let environment = [("ENGINE_BIN", engine.as_str()), ("POWER_LIBRARY", &library)];
        report.command_with("small", &trial, &["figure", "small"], &environment);
        return report;
    }
    let mut command = Command::new(&trial);
    command
        .arg("figure")
        .args(arguments)
        .env("ENGINE_BIN", &engine)
        .env("POWER_LIBRARY", &library)
        .current_dir(&place.root);
    if arguments.first() == Some(&BESIDE_JOBS) {
        let Some(jobs) = jobs(&mut report, place) else {
            report.not_run(&["figure"], "what stands beside it could not be built");
            return report;
        };
        command.env("JOBS_BIN", jobs);
    }
    let rows = report.step("figure", || {
        let output = command.output().map_err(|e| format!("{trial}: {e}"))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        print!("{said}");
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(said)
    });
    if let Some(rows) = rows.filter(|_| !debug) {
        report.step("write", || write(&place.root, &rows));
    }
    report
}

/// Builds the program that runs jobs of another scheduler, a workspace of its own, and gives its path.
fn jobs(report: &mut Report, place: &Place) -> Option<String> {
    let folder = place.target.join("bench").to_string_lossy().into_owned();
    let build = [
        "build",
        "--release",
        "--manifest-path",
        "bench/peers/Cargo.toml",
        "--package",
        "jobs",
        "--target-dir",
        &folder,
    ];
    let end = std::env::consts::EXE_SUFFIX;
    report
        .command("jobs", "cargo", &build)
        .then(|| format!("{folder}/release/jobs{end}"))
}

/// Builds the library that stands between a trial and its disk, and gives its path. The compiler is the one that the
/// bundled SQLite needs anyway; elsewhere than on Linux there is nothing to build, and what needs it says so.
pub(crate) fn preload(report: &mut Report, place: &Place) -> Option<String> {
    let library = place.target.join("preload").join("libpowercut.so");
    let path = library.to_string_lossy().into_owned();
    if !cfg!(target_os = "linux") {
        return Some(path);
    }
    report.step("preload", || {
        let folder = place.target.join("preload");
        std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let output = Command::new("cc")
            .args(["-Wall", "-Wextra", "-O1", "-shared", "-fPIC", "-o", &path])
            .arg(place.root.join("xtask/preload/powercut.c"))
            .args(["-ldl", "-lpthread"])
            .output()
            .map_err(|e| format!("cc: {e}"))?;
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    })?;
    Some(path)
}

/// Puts the rows where rows of the same name stand.
fn write(root: &Path, rows: &str) -> Result<(), String> {
    let path = root.join(PAGE);
    let page = std::fs::read_to_string(&path).map_err(|e| format!("{PAGE}: {e}"))?;
    let stamp = format!(
        "{}, {}",
        said("date", &["+%F"])?,
        said("git", &["rev-parse", "--short", "HEAD"])?
    );
    let rows: Vec<String> = rows
        .lines()
        .filter(|row| row.starts_with("| "))
        .map(|row| row.replace("STAMP", &stamp))
        .collect();
    let machine = format!("| reference | {} |", machine());
    let page = rows.iter().chain([&machine]).try_fold(page, |page, row| {
        with_row(&page, row)
            .or_else(|| with_new_row(&page, row))
            .ok_or_else(|| format!("{PAGE} has no row `{}`", name(row)))
    })?;
    std::fs::write(&path, page).map_err(|e| format!("{PAGE}: {e}"))
}

/// The page with one row replaced; `None` when it has no row of that name.
fn with_row(page: &str, row: &str) -> Option<String> {
    let mut found = false;
    let lines: Vec<&str> = page
        .lines()
        .map(|line| {
            let same = line.starts_with("| ") && name(line) == name(row);
            found |= same;
            if same { row } else { line }
        })
        .collect();
    found.then(|| lines.join("\n") + "\n")
}

/// The page with one row more, at its place among the named figures (`A5: ...` before `A16: ...`); `None` for a row
/// that has no such name, or a page without their table.
fn with_new_row(page: &str, row: &str) -> Option<String> {
    let nth = number(row)?;
    let mut lines: Vec<&str> = page.lines().collect();
    let title = lines.iter().position(|line| *line == NAMED)?;
    let head = title + lines[title..].iter().position(|line| line.starts_with("|---"))?;
    let behind = lines[head + 1..]
        .iter()
        .take_while(|line| number(line).is_some_and(|known| known <= nth))
        .count();
    lines.insert(head + 1 + behind, row);
    Some(lines.join("\n") + "\n")
}

/// 16 of `| A16: disk full | ...`; those that have a word in place of a number, as `| serve: ...`, come behind them.
fn number(row: &str) -> Option<u32> {
    let (of, _) = name(row).split_once(':')?;
    match of.strip_prefix('A') {
        Some(number) => number.parse().ok(),
        None => of
            .bytes()
            .all(|byte| byte.is_ascii_lowercase())
            .then_some(u32::MAX),
    }
}

fn name(row: &str) -> &str {
    row.split('|').nth(1).unwrap_or_default().trim()
}

/// Kind of the machine, without its name.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let value = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let cpu =
        value(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let memory = value(&read("/proc/meminfo"), "MemTotal")
        .and_then(|text| text.split(' ').next()?.parse::<u64>().ok())
        .map_or_else(String::new, |kib| format!(", {} GiB", kib.div_ceil(1 << 20)));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{cores} cores of {cpu}{memory}, {}, shared with other work",
        std::env::consts::OS
    )
}

fn said(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|e| format!("{program}: {e}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_replaced_by_its_name() {
        let page = "# Figures\n| what | figure |\n|---|---|\n| one thing | 1 |\n| another | 2 |\n";
        let want = "# Figures\n| what | figure |\n|---|---|\n| one thing | 7 |\n| another | 2 |\n";
        assert_eq!(with_row(page, "| one thing | 7 |").as_deref(), Some(want));
        assert_eq!(with_row(page, "| no such thing | 7 |"), None);
    }

    #[test]
    fn a_named_row_is_added_in_its_place() {
        let page =
            |rows: &str| format!("# Figures\n{NAMED}\n| what | figure |\n|---|---|\n{rows}\n## More\n");
        let add = |rows: &str, row: &str| with_new_row(&page(rows), row);
        let (five, sixteen) = ("| A5: cut | 1 |\n", "| A16: full | 2 |\n");
        assert_eq!(add("", five.trim_end()), Some(page(five)));
        assert_eq!(
            add(five, sixteen.trim_end()),
            Some(page(&[five, sixteen].concat()))
        );
        assert_eq!(
            add(sixteen, five.trim_end()),
            Some(page(&[five, sixteen].concat()))
        );
        let serve = "| serve: a day | 3 |\n";
        assert_eq!(
            add(sixteen, serve.trim_end()),
            Some(page(&[sixteen, serve].concat()))
        );
        assert_eq!(
            add(serve, sixteen.trim_end()),
            Some(page(&[sixteen, serve].concat()))
        );
        assert_eq!(add("", "| memory | 1 |"), None);
    }
}
