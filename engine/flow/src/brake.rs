//! Brakes: where the numbers of a run are unusual, it stops before it writes, and a person is asked.
//!
//! A brake never loses anything: what was read is stored and pending, what was not read stays open. Which runs are
//! braked (scheduled ones, not those by hand), and who releases a brake, is the shell's.

use crate::codes;
use crate::op::Reason;

/// A run that reads fewer new or changed records is never unusual, whatever the median says: 6 where there are mostly 1.
pub const USUAL: u64 = 100;

/// Runs whose median is taken.
pub const MEDIAN_OF: usize = 10;

/// With fewer runs that brought something, there is no median to speak of.
pub const LEAST_RUNS: usize = 5;

/// What stops a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brakes {
    /// Most new or changed records that it reads; its window stays open for the next run. What was read is written.
    pub records: Option<u64>,
    /// Where it read more new or changed ones, nothing is written.
    pub changes: Option<u64>,
    /// Where more wait, nothing is written: the scheme has never written, and nobody has said that it may.
    pub first: Option<u64>,
    /// An earlier run was stopped by a brake, and nobody has released it.
    pub held: Option<Reason>,
}

impl Brakes {
    /// Why nothing is written, of a run that read `taken` new or changed records of a scheme in which `open` are open.
    pub(crate) fn stop(&self, taken: u64, open: u64) -> Option<Reason> {
        let over = |most: Option<u64>, count: u64, code: &str| {
            let most = most.filter(|most| count > *most)?;
            Some(Reason::new(code, format!("{count} > {most}")))
        };
        over(self.first, open.max(taken), codes::FIRST_RUN)
            .or_else(|| over(self.changes, taken, codes::UNUSUAL_CHANGE))
            .or_else(|| self.held.clone())
    }
}

/// The most new or changed records that are not unusual: so many times the median of the newest runs that brought any
/// (`changes`, newest first). `None` = too few runs to tell.
pub fn most_changes(times: u64, changes: impl IntoIterator<Item = u64>) -> Option<u64> {
    let brought = changes.into_iter().filter(|count| *count > 0);
    let mut counts: Vec<u64> = brought.take(MEDIAN_OF).collect();
    counts.sort_unstable();
    let median = counts
        .get(counts.len() / 2)
        .filter(|_| counts.len() >= LEAST_RUNS)?;
    Some(median.saturating_mul(times).max(USUAL))
}

/// Whether a run was stopped by a brake that a person has to release.
pub fn asks(code: &str) -> bool {
    code == codes::UNUSUAL_CHANGE || code == codes::FIRST_RUN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unusual() {
        for (times, changes, want) in [
            (5, &[][..], None),
            (5, &[100, 100, 100, 100], None),
            (5, &[100, 100, 100, 100, 100], Some(500)),
            // Runs that brought nothing say nothing: most polls of a quiet day are empty.
            (5, &[0, 0, 40, 0, 60, 0, 50, 0, 45, 0, 55], Some(250)),
            (5, &[1, 1, 1, 1, 1, 1], Some(USUAL)),
            // Only the newest ten count.
            (
                2,
                &[100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 9_000, 9_000],
                Some(200),
            ),
            (1_000, &[u64::MAX; 5], Some(u64::MAX)),
        ] {
            assert_eq!(most_changes(times, changes.iter().copied()), want, "{changes:?}");
        }
    }

    #[test]
    fn what_stops() {
        let brakes = Brakes {
            records: Some(1),
            changes: Some(100),
            first: Some(10),
            held: None,
        };
        let held = Brakes {
            held: Some(Reason::new(codes::FIRST_RUN, "7 > 5")),
            ..Brakes::default()
        };
        for (brakes, taken, open, want) in [
            (
                &Brakes {
                    first: None,
                    ..brakes.clone()
                },
                100,
                10,
                None,
            ),
            (
                &Brakes {
                    first: None,
                    ..brakes.clone()
                },
                101,
                10,
                Some("E3082 101 > 100"),
            ),
            (&brakes, 10, 10, None),
            (&brakes, 11, 10, Some("E3083 11 > 10")),
            (&brakes, 101, 11, Some("E3083 101 > 10")),
            (&held, 0, 0, Some("E3083 7 > 5")),
            (&Brakes::default(), u64::MAX, u64::MAX, None),
        ] {
            let reason = brakes.stop(taken, open);
            let told = reason.map(|reason| format!("{} {}", reason.code, reason.text));
            assert_eq!(told.as_deref(), want);
        }
    }
}
