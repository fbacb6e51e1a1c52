//! So many calls within a stretch of time, counted by the sandbox's clock.
//!
//! The stretches slide: at no instant have more calls been let through in the last second than allowed. Whether real
//! systems count so, or begin anew with each minute of the clock, is not public; sliding is the stricter. Calls that
//! are refused use nothing up.

use std::collections::VecDeque;

/// Most calls remembered; no limit of a vendor is near it.
const MAX_PASSED: usize = 100_000;

/// At most `calls` in `per_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) calls: u64,
    pub(crate) per_ms: i64,
}

impl Limit {
    pub(crate) const fn a_minute(calls: u64) -> Limit {
        Limit {
            calls,
            per_ms: crate::state::MINUTE_MS,
        }
    }

    pub(crate) const fn a_second(calls: u64) -> Limit {
        Limit {
            calls,
            per_ms: crate::state::SECOND_MS,
        }
    }
}

/// The calls of one application at one system.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    passed: VecDeque<i64>,
    /// Calls that were refused.
    pub(crate) refused: u64,
}

impl Gate {
    /// Lets a call through, or says which limit is in the way.
    pub(crate) fn pass(&mut self, now_ms: i64, limits: &[Limit]) -> Result<(), Limit> {
        let longest = limits.iter().map(|limit| limit.per_ms).max().unwrap_or(0);
        // A clock that was set back makes later calls unknown.
        let is_within = |at: i64, per: i64| (0..per).contains(&now_ms.saturating_sub(at));
        self.passed.retain(|at| is_within(*at, longest));
        for limit in limits {
            let passed = self
                .passed
                .iter()
                .filter(|at| is_within(**at, limit.per_ms))
                .count();
            if u64::try_from(passed).unwrap_or(u64::MAX) >= limit.calls {
                self.refused += 1;
                return Err(*limit);
            }
        }
        if self.passed.len() < MAX_PASSED {
            self.passed.push_back(now_ms);
        }
        Ok(())
    }
}

/// The limits of one simulated system and what passed them: the very ones its calls are counted by, for a test that
/// brings its own clock.
#[derive(Debug)]
pub struct CallLimits {
    gate: Gate,
    limits: &'static [Limit],
}

impl CallLimits {
    pub(crate) fn new(limits: &'static [Limit]) -> Self {
        CallLimits {
            gate: Gate::default(),
            limits,
        }
    }

    /// Whether a call at this instant is let through.
    pub fn pass(&mut self, now_ms: i64) -> bool {
        self.gate.pass(now_ms, self.limits).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_stretches_slide() {
        let second = Limit {
            calls: 2,
            per_ms: 1000,
        };
        let minute = Limit {
            calls: 4,
            per_ms: 60_000,
        };
        let mut gate = Gate::default();
        let mut at = |now| gate.pass(now, &[second, minute]).err();
        assert_eq!([at(0), at(999), at(999)], [None, None, Some(second)]);
        assert_eq!([at(1000), at(1998), at(1999)], [None, Some(second), None]);
        assert_eq!(
            [at(59_999), at(60_000), at(60_001)],
            [Some(minute), None, Some(minute)]
        );
        assert_eq!(at(-5), None, "a clock that was set back");
        assert_eq!(gate.refused, 4);
        assert_eq!(gate.pass(0, &[]), Ok(()));
    }
}
