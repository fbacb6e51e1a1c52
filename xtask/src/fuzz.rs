//! `cargo xtask fuzz`: hostile texts through the doors of the language, and the bombs.
//!
//! Each target gets the inputs twice: once made by the crate `fuzz` itself, of full length; once chosen by libFuzzer,
//! which follows the coverage of our code. The compiler counts that on the stable toolchain (`-Cpasses=sancov-module`);
//! libFuzzer is built from source and needs a C++ compiler, which is installed where it is missing. On systems where
//! this cannot be done at all that part is left out, and said so.
//! Overflow and debug assertions are checked in both.

use crate::run::Report;
use crate::{Place, tools};

/// Built for the machine it runs on. Naming it keeps the counters out of build scripts and macros.
const HOST: &str = "x86_64-unknown-linux-gnu";

/// What makes the compiler count.
const COUNT: [&str; 4] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=3",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
];

/// Optimised, but an overflow or a broken assertion still ends the program.
pub(crate) const CHECKED: [(&str, &str); 2] = [
    ("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true"),
    ("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true"),
];

const TARGETS: [&str; 3] = ["template", "expression", "scheme"];

/// `arguments`: `--target` for one target only, and the program's: `--inputs`, `--seed`.
pub(crate) fn fuzz(place: &Place, arguments: &[&str]) -> Report {
    let mut report = Report::new(&place.root);
    let Some((targets, more)) = report.step("arguments", || split(arguments)) else {
        return report;
    };
    let Some(program) = built(&mut report, place, "fuzz") else {
        return report;
    };
    let guided = if !cfg!(all(
        target_os = "linux",
        target_arch = "x86_64",
        target_env = "gnu"
    )) {
        println!("inputs are not guided by coverage here: that needs {HOST}");
        None
    } else if report.step("compiler", tools::cxx_compiler).is_some() {
        built(&mut report, place, "guided")
    } else {
        report.not_run(&["guided"], "there is no C++ compiler");
        None
    };
    let folder = place.target.join("fuzz").to_string_lossy().into_owned();
    for target in targets {
        let mut words = vec!["run", "--target", target, "--folder", &folder];
        words.extend(&more);
        report.command(target, &program, &words);
        if let Some(guided) = &guided {
            words.extend(["--guided", guided]);
            report.command(target, &program, &words);
        }
    }
    report.command("bombs", &program, &["bombs"]);
    report
}

/// The targets, and the words that are the program's.
fn split<'a>(arguments: &[&'a str]) -> Result<(Vec<&'static str>, Vec<&'a str>), String> {
    let mut targets = TARGETS.to_vec();
    let mut more = Vec::new();
    for pair in arguments.chunks(2) {
        match pair {
            ["--target", name] => {
                let found = TARGETS.into_iter().find(|target| target == name);
                targets = vec![found.ok_or_else(|| format!("there are {}", TARGETS.join(", ")))?];
            }
            ["--inputs" | "--seed", number] if number.parse::<u64>().is_ok() => more.extend(pair),
            _ => return Err(format!("{}?", pair.join(" "))),
        }
    }
    Ok((targets, more))
}

/// Builds one of the two programs; gives its path. Their builds are kept apart: one counts, the other does not.
fn built(report: &mut Report, place: &Place, program: &str) -> Option<String> {
    let counts = program == "guided";
    let folder = place
        .target
        .join(if counts { "fuzz-guided" } else { "fuzz-plain" });
    let shown = folder.to_string_lossy().into_owned();
    let mut words = vec![
        "build",
        "--locked",
        "--release",
        "--package",
        "fuzz",
        "--bin",
        program,
    ];
    let mut environment = CHECKED.to_vec();
    environment.push(("CARGO_TARGET_DIR", &shown));
    let flags = COUNT.join("\u{1f}");
    if counts {
        words.extend(["--features", "guided", "--target", HOST]);
        environment.push(("CARGO_ENCODED_RUSTFLAGS", &flags));
    }
    let built = report.command_with("build", "cargo", &words, &environment);
    let inside = if counts {
        format!("{HOST}/release")
    } else {
        "release".to_owned()
    };
    let path = folder
        .join(inside)
        .join(format!("{program}{}", std::env::consts::EXE_SUFFIX));
    built.then(|| path.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_split() {
        assert_eq!(split(&[]), Ok((TARGETS.to_vec(), vec![])));
        let words = ["--target", "scheme", "--inputs", "5", "--seed", "7"];
        assert_eq!(
            split(&words),
            Ok((vec!["scheme"], vec!["--inputs", "5", "--seed", "7"]))
        );
        for wrong in [
            &["--target", "x"][..],
            &["--inputs", "many"],
            &["--inputs"],
            &["--else", "1"],
        ] {
            assert!(split(wrong).is_err(), "{wrong:?}");
        }
    }
}
