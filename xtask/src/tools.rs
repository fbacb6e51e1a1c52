//! The programs that the checks need beside cargo itself.
//!
//! A tool on the path that is new enough is used. Otherwise it is built, once, into `target/tools`, at the
//! version below. What can be neither found nor installed fails the run; nothing is left out in silence.

use std::path::Path;
use std::process::Command;

use crate::Place;
use crate::run::finish;

/// A cargo subcommand with the oldest version we accept, which is also the one we install.
struct Tool {
    name: &'static str,
    version: [u64; 3],
}

const NEXTEST: Tool = Tool {
    name: "cargo-nextest",
    version: [0, 9, 143],
};
const DENY: Tool = Tool {
    name: "cargo-deny",
    version: [0, 20, 2],
};

/// Where to start the tools from.
pub(crate) struct Tools {
    pub(crate) nextest: String,
    pub(crate) deny: String,
}

/// Makes sure of everything that `cargo xtask test` starts.
pub(crate) fn for_tests(place: &Place) -> Result<Tools, String> {
    c_compiler()?;
    component("fmt", "rustfmt")?;
    component("clippy", "clippy")?;
    Ok(Tools {
        nextest: NEXTEST.ready(place)?,
        deny: DENY.ready(place)?,
    })
}

/// cargo-deny alone.
pub(crate) fn deny(place: &Place) -> Result<String, String> {
    DENY.ready(place)
}

impl Tool {
    fn ready(&self, place: &Place) -> Result<String, String> {
        let folder = place.target.join("tools");
        let own = folder
            .join("bin")
            .join(format!("{}{}", self.name, std::env::consts::EXE_SUFFIX));
        let own = own.to_string_lossy().into_owned();
        for candidate in [self.name.to_owned(), own.clone()] {
            if let Some(version) = said(&candidate, &["--version"]).as_deref().and_then(version_in) {
                let verdict = if version >= self.version {
                    "is new enough"
                } else {
                    "is too old"
                };
                println!("{candidate} {} {verdict}", dotted(version));
                if version >= self.version {
                    return Ok(candidate);
                }
            }
        }
        self.install(&folder)?;
        Ok(own)
    }

    fn install(&self, folder: &Path) -> Result<(), String> {
        let version = dotted(self.version);
        println!(
            "installing {} {version} into {}; this takes some minutes",
            self.name,
            folder.display()
        );
        let mut install = Command::new("cargo");
        install
            .args(["install", "--locked", "--version", &version, "--root"])
            .arg(folder)
            .arg(self.name);
        finish(&mut install).map_err(|why| format!("{} {version} could not be installed: {why}", self.name))
    }
}

/// Bundled SQLite and ring are compiled from C.
fn c_compiler() -> Result<(), String> {
    compiler("cc", "gcc")
}

/// libFuzzer is compiled from C++.
pub(crate) fn cxx_compiler() -> Result<(), String> {
    compiler("c++", "g++")
}

fn compiler(program: &str, package: &str) -> Result<(), String> {
    if let Some(first) = said(program, &["--version"]) {
        println!("{}", first.lines().next().unwrap_or_default());
        return Ok(());
    }
    install(&format!("no compiler `{program}`"), &[package, "libc6-dev"])
}

/// Callgrind counts instructions.
pub(crate) fn valgrind() -> Result<(), String> {
    if let Some(version) = said("valgrind", &["--version"]) {
        println!("{}", version.trim());
        return Ok(());
    }
    install("no `valgrind`", &["valgrind"])
}

/// Packages of Debian; for others than root the command that is missing.
fn install(missing: &str, packages: &[&str]) -> Result<(), String> {
    if said("id", &["-u"]).as_deref().map(str::trim) != Some("0") {
        return Err(format!(
            "{missing}; as root: apt-get install {}",
            packages.join(" ")
        ));
    }
    finish(Command::new("apt-get").args(["update", "--quiet"]))?;
    finish(
        Command::new("apt-get")
            .args(["install", "--quiet", "--yes", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

/// A part of the toolchain that minimal installations leave out.
fn component(subcommand: &str, component: &str) -> Result<(), String> {
    if let Some(version) = said("cargo", &[subcommand, "--version"]) {
        println!("{}", version.trim());
        return Ok(());
    }
    finish(Command::new("rustup").args(["component", "add", component]))
        .map_err(|why| format!("{component} is missing and could not be added: {why}"))
}

/// What a program prints, if it can be started and ends well.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first `1.2.3` of a version line.
fn version_in(line: &str) -> Option<[u64; 3]> {
    line.split_whitespace().find_map(|word| {
        let mut parts = word.split(['.', '-', '+']).map(|part| part.parse().ok());
        Some([parts.next()??, parts.next()??, parts.next()??])
    })
}

fn dotted([major, minor, patch]: [u64; 3]) -> String {
    format!("{major}.{minor}.{patch}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared() {
        for (line, want) in [
            (
                "cargo-nextest 0.9.143 (60fa45f63 2026-08-04)\nrelease: 0.9.143",
                Some([0, 9, 143]),
            ),
            ("cargo-deny 0.20.2", Some([0, 20, 2])),
            ("cargo-deny 0.21.0-rc.1", Some([0, 21, 0])),
            ("cargo-deny", None),
            ("", None),
        ] {
            assert_eq!(version_in(line), want, "{line}");
        }
        assert!([0, 10, 0] > NEXTEST.version && [0, 9, 99] < NEXTEST.version);
    }

    #[test]
    fn a_program_that_is_missing_or_fails_says_nothing() {
        assert_eq!(said("no-such-program-anywhere", &[]), None);
        assert_eq!(said("false", &[]), None);
    }
}
