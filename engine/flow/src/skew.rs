//! The source's clock, as far as its answers tell it.
//!
//! Every answer brings one sample: how far the source's clock is from ours. One answer may come from a machine whose
//! clock is off, or from a cache, so the median of the last five counts. Intervals close by it, never by the stamps of
//! rows: a row from the future moves nothing.

use std::collections::VecDeque;

use crate::ids::Ms;

/// Samples of which the median is taken.
const SAMPLES: usize = 5;
/// Clocks further apart than this are worth a warning: windows reach back two minutes when nothing else is said.
pub const WARN: Ms = 120_000;
/// Clocks further apart than this stop the reading: nobody can tell which window a row belongs to.
pub const STOP: Ms = 15 * 60_000;

/// The last samples.
#[derive(Debug, Default)]
pub(crate) struct Skew(VecDeque<Ms>);

impl Skew {
    /// Takes what an answer said at `now`.
    pub(crate) fn add(&mut self, source: Ms, now: Ms) {
        if self.0.len() == SAMPLES {
            self.0.pop_front();
        }
        self.0.push_back(source - now);
    }

    /// How far the source is ahead of us; of an even number of samples the one further behind, which closes less.
    pub(crate) fn median(&self) -> Option<Ms> {
        let mut sorted: Vec<Ms> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        sorted.get(sorted.len().saturating_sub(1) / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_the_last_five_counts() {
        let mut skew = Skew::default();
        assert_eq!(skew.median(), None);
        let mut say = |offset: Ms| {
            skew.add(1_000_000 + offset, 1_000_000);
            skew.median()
        };
        assert_eq!(say(100), Some(100));
        assert_eq!(say(900_000), Some(100), "of two the one further behind");
        assert_eq!(say(200), Some(200), "one answer from another machine");
        assert_eq!(say(300), Some(200));
        assert_eq!(say(400), Some(300));
        assert_eq!(say(500), Some(400), "the first sample has gone");
        assert_eq!(say(600), Some(400));
        assert_eq!(say(700), Some(500), "so has the odd one");
    }
}
