//! A13: a target that lets ten requests a second through, says so only by refusing, and is called by a scheme that would
//! call it a hundred times as fast.
//!
//! First in simulated time, over the real job, ledger and limiter, at targets that count in different ways; then the
//! real binary over real HTTP for as long as the figure is given.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::json;

use super::named::{Given, Say, Size, Trial};
use super::plain;
use crate::sim::line::{BEGIN, Fate, Line, MINUTE, Made, Manner, Ms, SECOND};

/// Calls that the target lets through in any second.
const ALLOWED: usize = 10;
/// Refused calls of a thousand that the figure allows, after the first minute.
const MOST_PER_MILLE: u64 = 20;

pub(super) const TRIAL: Trial = Trial {
    name: "A13",
    what: "a target that lets 10 requests a second through: refused calls after the first minute, sends used up by them",
    sizes: &[
        Size {
            flag: "--minutes",
            full: 60,
            small: 3,
        },
        Size {
            flag: "--seconds",
            full: 120,
            small: 8,
        },
    ],
    run,
};

/// How the target counts and what it says.
#[derive(Debug, Clone, Copy)]
struct Counts {
    name: &'static str,
    /// A refused call counts as well.
    refused_too: bool,
    /// What it asks to wait.
    says: Option<Ms>,
    /// Shortest and longest time of a call.
    takes: (Ms, Ms),
    /// Somebody else uses so many of its calls, every other minute.
    others: usize,
}

const COUNTS: [Counts; 5] = [
    Counts {
        name: "plain",
        refused_too: false,
        says: None,
        takes: (2, 3),
        others: 0,
    },
    Counts {
        name: "slow and uneven",
        refused_too: false,
        says: None,
        takes: (5, 90),
        others: 0,
    },
    Counts {
        name: "refused calls count",
        refused_too: true,
        says: None,
        takes: (2, 40),
        others: 0,
    },
    Counts {
        name: "says how long to wait",
        refused_too: false,
        says: Some(5 * SECOND),
        takes: (2, 40),
        others: 0,
    },
    Counts {
        name: "shared",
        refused_too: false,
        says: None,
        takes: (2, 40),
        others: 4,
    },
];

fn run(given: &Given, say: Say<'_>) -> Result<String, String> {
    let minutes = given.get("--minutes");
    let mut worst = (0, 1, "");
    let mut slowest = u64::MAX;
    let mut calls = 0;
    for counts in COUNTS {
        let seen = simulated(counts, minutes).map_err(|why| format!("{}: {why}", counts.name))?;
        say(format!("{}: {seen:?}", counts.name));
        seen.is_good()
            .map_err(|why| format!("{}: {why}: {seen:?}", counts.name))?;
        if seen.refused * worst.1 >= worst.0 * seen.calls {
            worst = (seen.refused, seen.calls, counts.name);
        }
        if counts.others == 0 {
            slowest = slowest.min(seen.through * 100 / seen.allowed.max(1));
        }
        calls += seen.calls;
    }
    let seconds = given.get("--seconds");
    let real = real(seconds)?;
    say(format!("over HTTP: {real:?}"));
    real.is_good()
        .map_err(|why| format!("over HTTP: {why}: {real:?}"))?;
    Ok(format!(
        "{} targets, {minutes} simulated minutes each, {calls} calls after the first: at most {} refused ({}), {slowest} % \
         or more of what is allowed let through, 0 sends used up; the binary over HTTP for {seconds} s: {} of {} calls \
         refused after the first {} s",
        COUNTS.len(),
        percent(worst.0, worst.1),
        worst.2,
        real.refused,
        real.calls,
        warm(seconds),
    ))
}

fn percent(part: u64, whole: u64) -> String {
    let hundredths = part * 10_000 / whole.max(1);
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

/// What was seen after the first minute.
#[derive(Debug, Clone, Copy)]
struct Seen {
    calls: u64,
    refused: u64,
    through: u64,
    /// Calls that the target would have let through.
    allowed: u64,
    /// Sends used up by refusals, from the beginning.
    spent: u64,
    /// Refused calls beyond the share that one run may have by chance, as it is short.
    grace: u64,
}

impl Seen {
    fn is_good(&self) -> Result<(), &'static str> {
        if self.calls == 0 || self.through == 0 {
            return Err("nothing was called after the first minute");
        }
        if self.refused * 1_000 >= self.calls * MOST_PER_MILLE + 1_000 * self.grace {
            return Err("too many calls are refused");
        }
        if self.through * 2 < self.allowed {
            return Err("less than half of what is allowed goes through");
        }
        if self.spent > 0 {
            return Err("a refusal used up a send");
        }
        Ok(())
    }
}

/// The limit as the target keeps it, by its clock: so many in any second.
fn manner<'a>(counts: Counts) -> Manner<'a> {
    let mut passed = VecDeque::new();
    let mut draw = super::Random(7);
    Box::new(move |now, _, _| {
        let (least, most) = counts.takes;
        let took = least + Ms::try_from(draw.below((most - least).unsigned_abs())).unwrap_or_default();
        while passed.front().is_some_and(|at| now - at >= SECOND) {
            passed.pop_front();
        }
        let others = if (now - BEGIN) / MINUTE % 2 == 1 {
            counts.others
        } else {
            0
        };
        let has_room = passed.len() + others < ALLOWED;
        if has_room || counts.refused_too {
            passed.push_back(now);
        }
        (
            took,
            if has_room {
                Fate::Plain
            } else {
                Fate::TooMany(counts.says)
            },
        )
    })
}

/// One scheme with more to write, one document a call, than the target takes in so many minutes.
fn simulated(counts: Counts, minutes: u64) -> Result<Seen, String> {
    let mut line = Line::new(1, manner(counts))?;
    let allowed = u64::try_from(ALLOWED).unwrap_or_default() * 60;
    let waiting = minutes * allowed;
    for nth in 0..waiting {
        line.put("storm", &format!("K{nth:06}"), 1, BEGIN - MINUTE);
    }
    let mut ended = BEGIN;
    // A run that stops because the target was busy too long leaves the rest to the next one.
    for _ in 0..minutes * 4 {
        line.run("storm")?;
        let states = line.states("storm")?;
        if states[3] == waiting {
            ended = line.now;
            break;
        }
        line.now += MINUTE;
    }
    if ended == BEGIN {
        return Err(format!("not done: {:?} of {waiting}", line.states("storm")?));
    }
    let written = u64::try_from(line.journal.len()).unwrap_or(u64::MAX);
    if written != waiting {
        return Err(format!("{written} writes of {waiting} documents"));
    }
    let after: Vec<&Made> = line
        .calls
        .iter()
        .filter(|made| made.at >= BEGIN + MINUTE)
        .collect();
    let count = |refused: bool| {
        let some = after
            .iter()
            .filter(|made| matches!(made.fate, Fate::TooMany(_)) == refused)
            .count();
        u64::try_from(some).unwrap_or(u64::MAX)
    };
    let (through, refused) = (count(false), count(true));
    let last = line.calls.last().map_or(BEGIN, |made| made.at);
    let seconds = u64::try_from((last - BEGIN - MINUTE) / SECOND).unwrap_or_default();
    let share = u64::try_from(2 * ALLOWED - counts.others).unwrap_or_default();
    Ok(Seen {
        calls: through + refused,
        refused,
        through,
        allowed: seconds * share / 2,
        spent: line.spent,
        grace: 0,
    })
}

/// Seconds after which the real binary must have learnt: the first minute, or the first half of a shorter run.
fn warm(seconds: u64) -> u64 {
    60.min(seconds / 2)
}

/// The real binary, one document a call, until the time is over.
fn real(seconds: u64) -> Result<Seen, String> {
    let rows = (seconds + 1) * u64::try_from(ALLOWED).unwrap_or_default() * 2;
    let (world, shop) = plain::world(sandbox::Level::UniqueKey, 1);
    shop.put("rows", (0..rows).map(|nth| plain::row(nth, "buyer")).collect());
    let limit = json!({"endpoint": "postDocuments", "kind": "too_many", "above_per_s": ALLOWED});
    world.control("fault", &json!({"clear": true, "plans": [limit]}));
    let count = || {
        let refused: u64 = world.sandbox().struck().iter().sum();
        (world.calls("plain/postDocuments"), refused)
    };
    let mut process = world.command(&["run", plain::SCHEME, "--quiet"]).start();
    let ended = |length: u64, process: &mut crate::e2e::Process| process.wait(Duration::from_secs(length));
    if ended(warm(seconds), &mut process) {
        return Err(process.finish().to_string());
    }
    let before = count();
    if ended(seconds - warm(seconds), &mut process) {
        return Err(process.finish().to_string());
    }
    let after = count();
    process.kill();
    let (calls, refused) = (after.0 - before.0, after.1 - before.1);
    Ok(Seen {
        calls,
        refused,
        through: calls - refused,
        allowed: (seconds - warm(seconds)) * u64::try_from(ALLOWED).unwrap_or_default(),
        spent: plain::spent(&world)?,
        // One refusal in some seconds is more than two of a hundred calls.
        grace: u64::from(seconds < 60),
    })
}
