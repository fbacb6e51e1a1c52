//! How many calls went to each connection, how they ended and how long they took.
//!
//! One for the process, as its memory and its file handles are: a call is counted wherever it is made, and who shows the
//! counts need not know the engines and their callers. Labels are names of connections and words from here.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use connector::HttpAnswer;
use flow::ids::Ms;
use transport::{SendError, Stage};

/// Upper bounds of the classes of durations, in milliseconds; what takes longer is in none of them.
pub const BOUNDS: [Ms; 11] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000,
];

/// Connections that are counted; a connections file has far fewer, and a name once counted stays.
const MOST: usize = 1_000;

/// How calls end: `ok`, `refused` (4xx), `throttled` (429), `failed` (5xx), `lost`, `not_sent`.
pub const OUTCOMES: [&str; 6] = ["ok", "refused", "throttled", "failed", "lost", "not_sent"];

/// The calls of one connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calls {
    /// How they ended, by the words of [`OUTCOMES`].
    pub outcomes: BTreeMap<&'static str, u64>,
    /// How many took no longer than each of [`BOUNDS`].
    pub within: [u64; BOUNDS.len()],
    /// How many there were.
    pub count: u64,
    /// How long they took together, in milliseconds.
    pub took: u64,
}

static METER: Mutex<BTreeMap<String, Calls>> = Mutex::new(BTreeMap::new());

/// A call ended; gives the word for how.
pub(crate) fn note(connection: &str, ended: &Result<HttpAnswer, SendError>, took: Ms) -> &'static str {
    let outcome = outcome(ended);
    let mut meter = METER.lock().unwrap_or_else(PoisonError::into_inner);
    if meter.contains_key(connection) || meter.len() < MOST {
        meter.entry(connection.to_owned()).or_default().add(outcome, took);
    }
    outcome
}

fn outcome(ended: &Result<HttpAnswer, SendError>) -> &'static str {
    match ended {
        Ok(answer) => match answer.status {
            429 => "throttled",
            400..=499 => "refused",
            500.. => "failed",
            _ => "ok",
        },
        Err(error) => match error.stage {
            Stage::NotSent => "not_sent",
            Stage::Lost => "lost",
        },
    }
}

impl Calls {
    fn add(&mut self, outcome: &'static str, took: Ms) {
        *self.outcomes.entry(outcome).or_default() += 1;
        self.count += 1;
        self.took = self.took.saturating_add(took.max(0).unsigned_abs());
        for (within, bound) in self.within.iter_mut().zip(BOUNDS) {
            *within += u64::from(took <= bound);
        }
    }
}

/// What was counted, by connection.
pub fn calls() -> BTreeMap<String, Calls> {
    METER.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_all_that_are_shorter() {
        let mut calls = Calls::default();
        for took in [-3, 50, 51, 400_000] {
            calls.add("ok", took);
        }
        assert_eq!((calls.count, calls.took), (4, 400_101));
        assert_eq!(calls.within, [2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]);
        let answer = |status| {
            Ok(HttpAnswer {
                status,
                headers: Vec::new(),
                body: Vec::new(),
            })
        };
        for (status, want) in [
            (200, "ok"),
            (302, "ok"),
            (404, "refused"),
            (429, "throttled"),
            (503, "failed"),
        ] {
            assert_eq!(outcome(&answer(status)), want);
            assert!(OUTCOMES.contains(&want));
        }
    }
}
