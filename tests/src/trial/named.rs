//! The acceptance figures by name: what each shows, in which sizes, and the one line that comes of it.
//!
//! A trial is one entry of [`ALL`] and one function. It gives its figure as a text only if every invariant held; what
//! broke, with the seed that breaks it again, is its error. `cargo xtask figure A16` runs the full size on the release
//! build and writes the row of `docs/figures.md`; `cargo xtask figure small` runs all of them in their small size, as
//! CI does.

use super::{bombs, canaries, cost, failpoints, injection, levels, migrate, power, restore, simulated, ssrf};

/// Told lines while a trial goes on.
pub type Say<'a> = &'a dyn Fn(String);

/// How large a trial is, one number: its default in full, and in CI.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// `--kills`
    pub flag: &'static str,
    /// By hand and at night.
    pub full: u64,
    /// On every change: seconds, not minutes, in a debug build.
    pub small: u64,
}

/// One figure.
pub struct Trial {
    /// `A16`.
    pub name: &'static str,
    /// What the row is about; stable, because the row is found by it.
    pub what: &'static str,
    /// What can be set, with defaults.
    pub sizes: &'static [Size],
    /// The figure, or what broke.
    pub run: fn(&Given, Say<'_>) -> Result<String, String>,
}

/// Every figure that has a name, in its order.
pub const ALL: &[Trial] = &[
    levels::A1,
    levels::A2,
    levels::A3,
    failpoints::A4,
    power::A5,
    simulated::A6,
    super::schedule::TRIAL,
    super::paging::A8,
    super::partial::TRIAL,
    Trial {
        name: "A11",
        what: "answers that are bombs",
        sizes: &[Size {
            flag: "--times",
            full: 5,
            small: 1,
        }],
        run: bombs::run,
    },
    super::storm::TRIAL,
    super::outage::TRIAL,
    super::sessions::TRIAL,
    power::A16,
    super::startup::TRIAL,
    cost::A18,
    restore::A19,
    migrate::A20,
    super::pushes::A21,
    Trial {
        name: "A22",
        what: "texts that try to be more than a value",
        sizes: &[],
        run: injection::run,
    },
    Trial {
        name: "A23",
        what: "requests led to addresses that no connection names (literals, names, rebinding, redirects)",
        sizes: &[],
        run: ssrf::run,
    },
    Trial {
        name: "A24",
        what: "secrets and sensitive values in what is said and left behind",
        sizes: &[Size {
            flag: "--modes",
            full: 4,
            small: 1,
        }],
        run: canaries::run,
    },
    super::served::A27,
    super::served::SERVE,
    super::crowd::TRIAL,
    super::pushes::ASYNCPUSH,
    super::pushes::PUSHLOAD,
    super::paging::ERPPAGES,
    super::polled::TRIAL,
    super::mappings::TRIAL,
    super::two_way::TRIAL,
    super::adoption::TRIAL,
];

/// The sizes of one run of a trial.
#[derive(Debug, Clone, Default)]
pub struct Given(Vec<(&'static str, u64)>);

impl Given {
    /// One of them.
    ///
    /// # Panics
    /// When the trial has no such size: a slip in its entry.
    pub fn get(&self, flag: &str) -> u64 {
        let found = self.0.iter().find(|(known, _)| *known == flag);
        found
            .unwrap_or_else(|| panic!("the trial does not list {flag}"))
            .1
    }
}

impl Trial {
    /// A trial by its name.
    pub fn find(name: &str) -> Option<&'static Trial> {
        ALL.iter().find(|trial| trial.name.eq_ignore_ascii_case(name))
    }

    /// Its sizes: `--small` takes the small ones, `--flag N` sets one.
    pub fn given(&self, words: &[String]) -> Result<Given, String> {
        let (small, mut words) = match words.split_first() {
            Some((first, rest)) if first == "--small" => (true, rest),
            _ => (false, words),
        };
        let pick = |size: &Size| (size.flag, if small { size.small } else { size.full });
        let mut given = Given(self.sizes.iter().map(pick).collect());
        while let [flag, rest @ ..] = words {
            let flags: Vec<&str> = self.sizes.iter().map(|size| size.flag).collect();
            let place = given.0.iter_mut().find(|(known, _)| known == flag);
            let place = place.ok_or_else(|| format!("{} takes {flags:?}, not {flag}", self.name))?;
            let [number, more @ ..] = rest else {
                return Err(format!("{flag} takes a number"));
            };
            place.1 = number.parse().map_err(|_| format!("{flag} takes a number"))?;
            words = more;
        }
        Ok(given)
    }

    /// Runs it and says its row, as it stands in `docs/figures.md` but for date and commit.
    pub fn measure(&self, words: &[String], say: Say<'_>) -> Result<(), String> {
        let given = self.given(words)?;
        let figure = (self.run)(&given, say).map_err(|why| format!("{}: {why}", self.name))?;
        let mut command = format!("cargo xtask figure {}", self.name);
        for (size, (flag, number)) in self.sizes.iter().zip(&given.0) {
            if size.full != *number {
                command.push_str(&format!(" {flag} {number}"));
            }
        }
        say(format!(
            "| {}: {} | {figure} | `{command}` | STAMP |",
            self.name, self.what
        ));
        Ok(())
    }
}

/// All of them in their small size; what broke.
pub fn small(say: Say<'_>) -> Result<(), String> {
    let mut broken = Vec::new();
    for trial in ALL {
        if let Err(why) = trial.measure(&["--small".to_owned()], say) {
            say(format!("FAILED {why}"));
            broken.push(why);
        }
    }
    if broken.is_empty() {
        Ok(())
    } else {
        Err(broken.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Trial = Trial {
        name: "A0",
        what: "nothing",
        sizes: &[
            Size {
                flag: "--kills",
                full: 500,
                small: 5,
            },
            Size {
                flag: "--seed",
                full: 1,
                small: 1,
            },
        ],
        run: |given, _| match given.get("--kills") {
            0 => Err("no kills".to_owned()),
            kills => Ok(format!("{kills} kills")),
        },
    };

    fn measured(words: &[&str]) -> Result<String, String> {
        let said = std::cell::RefCell::new(String::new());
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        ONE.measure(&words, &|line| *said.borrow_mut() = line)?;
        Ok(said.into_inner())
    }

    #[test]
    fn a_row_names_the_command_that_gives_it() {
        for (words, row) in [
            (
                &[][..],
                "| A0: nothing | 500 kills | `cargo xtask figure A0` | STAMP |",
            ),
            (
                &["--small"],
                "| A0: nothing | 5 kills | `cargo xtask figure A0 --kills 5` | STAMP |",
            ),
            (
                &["--seed", "7", "--kills", "9"],
                "| A0: nothing | 9 kills | `cargo xtask figure A0 --kills 9 --seed 7` | STAMP |",
            ),
        ] {
            assert_eq!(measured(words).as_deref(), Ok(row), "{words:?}");
        }
    }

    #[test]
    fn what_breaks_or_is_wrong_is_an_error() {
        for words in [
            &["--kills", "0"][..],
            &["--kills"],
            &["--kills", "x"],
            &["--moons", "1"],
        ] {
            measured(words).unwrap_err();
        }
    }

    #[test]
    fn names_are_told_apart() {
        for (n, trial) in ALL.iter().enumerate() {
            assert!(
                ALL[..n].iter().all(|other| other.name != trial.name),
                "{}",
                trial.name
            );
            assert!(!trial.what.contains('|'), "{}", trial.name);
        }
    }
}
