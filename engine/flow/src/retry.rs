//! How often, and after what pauses, something is tried again that is proven not to have been executed.

use crate::ids::Ms;

/// The first pause, where nobody says another one.
const FIRST: Ms = 1_000;
/// The longest: 1 s, 2 s, 4 s ... 64 s.
const LONGEST: Ms = 64_000;

/// The pace of a scheme where a system is busy, throttles, or cannot be reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retry {
    /// Failures in a row after which a run leaves it to the next one; `None` = each kind has a bound of its own.
    pub max: Option<u32>,
    /// The first pause; it doubles.
    pub first: Option<Ms>,
    /// The longest.
    pub longest: Option<Ms>,
}

impl Retry {
    /// The pause after so many failures in a row.
    pub(crate) fn pause(self, nth: u32) -> Ms {
        let first = self.first.unwrap_or(FIRST);
        let longest = self.longest.unwrap_or(LONGEST.max(first));
        // Twice the longest there may be is below 2^23: no shift of 22 overflows.
        (first << nth.saturating_sub(1).min(22)).min(longest)
    }

    /// The same where the system may have said how long: what a scheme says itself is waited for at least.
    pub(crate) fn pause_told(self, told: Option<Ms>, nth: u32) -> Ms {
        match told {
            Some(told) if self.first.is_none() && self.longest.is_none() => told,
            Some(told) => told.max(self.pause(nth)),
            None => self.pause(nth),
        }
    }

    /// Failures in a row after which it is left, where `bound` holds without a word of the scheme.
    pub(crate) fn most(self, bound: u32) -> u32 {
        self.max.unwrap_or(bound)
    }

    /// Whether the scheme has enough of a target that cannot be reached, before everybody has.
    pub(crate) fn is_enough(self, failures: u32) -> bool {
        self.max.is_some_and(|max| failures >= max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First, longest, told: the pauses of eight failures in a row, in seconds.
    #[test]
    fn pauses() {
        for (first, longest, told, want) in [
            (None, None, None, [1, 2, 4, 8, 16, 32, 64, 64]),
            (
                Some(30_000),
                Some(600_000),
                None,
                [30, 60, 120, 240, 480, 600, 600, 600],
            ),
            (Some(600_000), None, None, [600; 8]),
            (None, Some(5_000), None, [1, 2, 4, 5, 5, 5, 5, 5]),
            (Some(3_600_000), Some(3_600_000), None, [3600; 8]),
            (None, None, Some(0), [0; 8]),
            (Some(2_000), Some(4_000), Some(3_000), [3, 4, 4, 4, 4, 4, 4, 4]),
            (Some(2_000), Some(4_000), Some(90_000), [90; 8]),
        ] {
            let retry = Retry {
                max: None,
                first,
                longest,
            };
            let got: Vec<Ms> = (1..=8).map(|nth| retry.pause_told(told, nth) / 1_000).collect();
            assert_eq!(got, want, "{first:?} {longest:?} {told:?}");
        }
        let last = Retry {
            max: Some(20),
            first: Some(3_600_000),
            longest: Some(3_600_000),
        };
        assert_eq!(last.pause(u32::MAX), 3_600_000);
    }
}
