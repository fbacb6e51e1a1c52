//! Steps, one after the other, with their times; and what came of them.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

/// What one step came to.
enum Outcome {
    Green,
    Red(String),
    NotRun(&'static str),
}

/// The steps so far. Nothing is left out of it: a step is green, red, or listed with the reason it did not run.
pub(crate) struct Report {
    root: PathBuf,
    steps: Vec<(&'static str, Outcome, Duration)>,
}

impl Report {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            steps: Vec::new(),
        }
    }

    /// A step that gives something to the steps after it.
    pub(crate) fn step<T>(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Result<T, String>,
    ) -> Option<T> {
        println!("\n== {name}");
        let (got, took) = timed(work);
        let (value, outcome) = match got {
            Ok(value) => (Some(value), Outcome::Green),
            Err(why) => (None, Outcome::Red(why)),
        };
        self.note(name, outcome, took);
        value
    }

    /// A step that is a command; green when it exits with 0.
    pub(crate) fn command(&mut self, name: &'static str, program: &str, arguments: &[&str]) -> bool {
        self.command_with(name, program, arguments, &[])
    }

    pub(crate) fn command_with(
        &mut self,
        name: &'static str,
        program: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> bool {
        println!("\n== {name}: {program} {}", arguments.join(" "));
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&self.root)
            .envs(environment.iter().copied());
        let (got, took) = timed(|| finish(&mut command));
        let outcome = got.map_or_else(Outcome::Red, |()| Outcome::Green);
        let green = matches!(outcome, Outcome::Green);
        self.note(name, outcome, took);
        green
    }

    /// Steps that an earlier failure made senseless.
    pub(crate) fn not_run(&mut self, names: &[&'static str], why: &'static str) {
        self.steps.extend(
            names
                .iter()
                .map(|name| (*name, Outcome::NotRun(why), Duration::ZERO)),
        );
    }

    /// Prints every step and the verdict.
    pub(crate) fn close(self, command: &str) -> ExitCode {
        println!();
        for (name, outcome, took) in &self.steps {
            match outcome {
                Outcome::Green => println!("ok       {name:<10} {}", seconds(*took)),
                Outcome::Red(why) => println!("FAILED   {name:<10} {}  {why}", seconds(*took)),
                Outcome::NotRun(why) => println!("not run  {name:<10} {why}"),
            }
        }
        let green = self
            .steps
            .iter()
            .filter(|(_, outcome, _)| matches!(outcome, Outcome::Green))
            .count();
        let total: Duration = self.steps.iter().map(|(_, _, took)| *took).sum();
        let verdict = if green == self.steps.len() { "green" } else { "RED" };
        println!(
            "{command}: {verdict}, {green} of {} steps passed in {}",
            self.steps.len(),
            seconds(total)
        );
        if green == self.steps.len() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    fn note(&mut self, name: &'static str, outcome: Outcome, took: Duration) {
        match &outcome {
            Outcome::Red(why) => println!("-- {name} FAILED after {}: {why}", seconds(took)),
            Outcome::Green | Outcome::NotRun(_) => println!("-- {name} {}", seconds(took)),
        }
        self.steps.push((name, outcome, took));
    }
}

/// Runs a command with our terminal as its own.
pub(crate) fn finish(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Err(error) => Err(format!("{program} cannot be started: {error}")),
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(status.to_string()),
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    #[expect(clippy::disallowed_methods, reason = "how long a step took on this machine")]
    let began = std::time::Instant::now();
    let got = work();
    (got, began.elapsed())
}

fn seconds(took: Duration) -> String {
    let tenths = took.as_millis() / 100;
    match tenths {
        0..600 => format!("{}.{} s", tenths / 10, tenths % 10),
        _ => format!("{} m {:02} s", tenths / 600, tenths % 600 / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_readable() {
        for (ms, want) in [
            (49, "0.0 s"),
            (1_250, "1.2 s"),
            (59_999, "59.9 s"),
            (61_000, "1 m 01 s"),
        ] {
            assert_eq!(seconds(Duration::from_millis(ms)), want);
        }
    }

    #[test]
    fn a_red_step_makes_the_whole_red() {
        let mut report = Report::new(Path::new("."));
        assert!(report.command("true", "true", &[]));
        assert!(!report.command("false", "false", &[]));
        assert!(!report.command("missing", "no-such-program-anywhere", &[]));
        report.not_run(&["later"], "reason");
        assert_eq!(report.steps.len(), 4);
        assert_eq!(report.close("test"), ExitCode::FAILURE);
    }
}
