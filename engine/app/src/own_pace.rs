//! What a scheme says of its own pace: `limits` of its source and its target.
//!
//! They stand before the queues of the connection, which all schemes share, and never in their place: a call goes out
//! when both have room. They are the scheme's and not a run's: the runs of a process count together, and the calls of a
//! day outlive it.

use std::path::Path;

use connector::Connection;
use dsl::catalogue::target;
use dsl::diagnostic::Failure;
use dsl::plan::OwnLimits;
use flow::ids::Ms;
use transport::{Gate, Limiter, Rate};

use crate::budget::Budget;

/// The side of a scheme that limits are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OwnSide {
    /// Where it reads.
    Source,
    /// Where it writes.
    Target,
}

impl OwnSide {
    fn name(self) -> &'static str {
        match self {
            OwnSide::Source => "source",
            OwnSide::Target => "target",
        }
    }
}

/// The queue and the count of one side of a scheme.
#[derive(Debug)]
pub(crate) struct OwnPace {
    limits: OwnLimits,
    gate: Gate,
    budget: Budget,
    scheme: String,
    side: OwnSide,
}

impl OwnPace {
    /// The pace of one side; its count lies below a data directory. Nothing is opened yet.
    pub(crate) fn new(
        dir: &Path,
        connection: &Connection,
        scheme: &str,
        side: OwnSide,
        limits: &OwnLimits,
    ) -> Self {
        let rate = limits.rate.and_then(|(calls, per_ms)| {
            let calls = usize::try_from(calls).ok()?;
            Rate::new(calls, per_ms)
        });
        // Without a word of it the connection's own number holds, behind this queue.
        let at_once = limits
            .concurrency
            .and_then(|most| usize::try_from(most).ok())
            .unwrap_or(usize::MAX);
        let rates: Vec<Rate> = rate.into_iter().collect();
        OwnPace {
            gate: Gate::new(Limiter::new(&rates, at_once)),
            budget: Budget::of_scheme(dir, connection, scheme, side.name()),
            limits: limits.clone(),
            scheme: scheme.to_owned(),
            side,
        }
    }

    /// Whether it is that of these limits.
    pub(crate) fn is_of(&self, limits: &OwnLimits) -> bool {
        self.limits == *limits
    }

    /// The queue.
    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Takes one call of today's, or says that there is none.
    pub(crate) fn take(&self, connection: &Connection, now: Ms) -> Result<(), Failure> {
        let Some(per_day) = self.limits.per_day else {
            return Ok(());
        };
        match self.budget.take_one(connection, u64::from(per_day), now)? {
            true => Ok(()),
            false => Err(Failure::new(&target::OWN_DAY_SPENT)
                .with("scheme", &self.scheme)
                .with("side", self.side.name())
                .with("count", per_day)
                .with("until", connection.clock(connection.midnight(now)))),
        }
    }
}
