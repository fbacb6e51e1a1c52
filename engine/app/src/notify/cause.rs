//! What is known of a cause: since when, how often, and when it was told.

use flow::ids::Ms;

use super::message::{Facts, Kind};

/// The longest pause between two digests of one cause.
const LONGEST: Ms = 4 * 3_600_000;

/// By what a cause is told apart: its rule and what it is about.
pub type Key = (String, String);

/// A cause that was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Open {
    /// Since when.
    pub since: Ms,
    /// When it was last told; `None` = not yet.
    pub told: Option<Ms>,
    /// How often it was seen.
    pub seen: u64,
    /// How often since it was last told.
    pub untold: u64,
    /// Digests so far.
    pub digests: u32,
    /// Somebody was called by name.
    pub escalated: bool,
    /// When it was over.
    pub recovered: Option<Ms>,
    /// It was over, and that waits to be told.
    pub(super) good_news: bool,
    pub(super) facts: Facts,
}

impl Open {
    /// As it was before a restart.
    pub fn kept(
        since: Ms,
        told: Ms,
        counts: (u64, u64, u32),
        escalated: bool,
        recovered: Option<Ms>,
    ) -> Self {
        let (seen, untold, digests) = counts;
        Open {
            since,
            told: Some(told),
            seen,
            untold,
            digests,
            escalated,
            recovered,
            // Told since it came, and not since it was over.
            good_news: told >= since && recovered.is_some_and(|over| told < over),
            ..Open::default()
        }
    }

    /// When it may be told again.
    pub(super) fn due(&self, every: Ms) -> Ms {
        let Some(told) = self.told else { return Ms::MIN };
        let factor = 1_i64 << self.digests.min(12);
        told.saturating_add(every.saturating_mul(factor).min(LONGEST.max(every)))
    }

    /// It is over, and so is the pause after that was told.
    pub(super) fn is_past(&self, every: Ms, now: Ms) -> bool {
        self.recovered.is_some() && !self.good_news && now >= self.due(every)
    }

    /// Notes that it was told.
    pub(super) fn was_told(&mut self, kind: Kind, now: Ms) {
        self.told = Some(now);
        self.untold = 0;
        match kind {
            Kind::Problem => {}
            Kind::Digest => self.digests += 1,
            Kind::Escalated => self.escalated = true,
            Kind::Recovered => {
                self.good_news = false;
                self.digests = 0;
                self.escalated = false;
            }
        }
    }
}
