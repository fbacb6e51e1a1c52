//! Faults on order: which call goes wrong, and how.
//!
//! A plan names an endpoint and either the n-th call from the moment it was given, a share of calls
//! drawn from a seed, or every call; a stretch of time or a rate may narrow it. So "fail call n, for
//! n = 1, 2, ..." is a loop. What a fault does to the connection is in `server`, to the bytes in `spoil`;
//! whether the request is executed is decided by [`Fault::commit`].

mod kind;
mod plan;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

pub use kind::{Effect, FaultKind, KINDS, KindRow, TABLE};
pub use plan::{FaultPlan, Kinds, Wrong};

use crate::twist::Rows;

/// Most plans at a time; they are tried one by one for each call.
pub const MAX_PLANS: usize = 1000;
/// Longest wait of a fault: ten minutes, longer than any client's patience.
pub(crate) const MAX_DELAY_MS: u64 = 600_000;
/// A `Date` may be wrong by ten years.
const MAX_SKEW_MS: i64 = 10 * 366 * 86_400_000;
/// Calls of the last second that a rate remembers; no plan allows more.
const MAX_PER_S: u64 = 10_000;

/// A fault that strikes one call.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    pub(crate) commit: bool,
    /// Whether the plan says how long.
    pub(crate) has_delay: bool,
    pub(crate) delay_ms: u64,
    pub(crate) retry_after_s: Option<u64>,
    pub(crate) skew_ms: i64,
    pub(crate) status: Option<u16>,
    pub(crate) location: String,
    pub(crate) mib: usize,
    pub(crate) depth: usize,
    pub(crate) rows: Rows,
    pub(crate) total_by: i64,
    /// Rows to insert, update and delete.
    pub(crate) moves: [u64; 3],
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    plans: Vec<Known>,
}

/// A plan at work.
#[derive(Debug)]
struct Known {
    plan: FaultPlan,
    /// The sandbox's clock when it was given.
    since_ms: i64,
    calls: u64,
    struck: u64,
    /// When calls were let through in the last second, for a plan with a rate.
    passed: VecDeque<i64>,
}

impl Faults {
    pub(crate) fn add(&mut self, plan: FaultPlan, now_ms: i64) -> Result<(), String> {
        if self.plans.len() >= MAX_PLANS {
            return Err(format!("more than {MAX_PLANS} fault plans"));
        }
        plan.check().map_err(|wrong| wrong.to_string())?;
        self.plans.push(Known {
            plan,
            since_ms: now_ms,
            calls: 0,
            struck: 0,
            passed: VecDeque::new(),
        });
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.plans.clear();
    }

    pub(crate) fn plans(&self) -> impl Iterator<Item = &FaultPlan> {
        self.plans.iter().map(|known| &known.plan)
    }

    /// How often each plan has struck, in the order they were given.
    pub(crate) fn struck(&self) -> impl Iterator<Item = u64> {
        self.plans.iter().map(|known| known.struck)
    }

    /// Counts the call in every plan that concerns it; the first plan that fires decides.
    pub(crate) fn strike(&mut self, system: &str, endpoint: &str, now_ms: i64) -> Option<Fault> {
        let mut found = None;
        for (index, known) in self.plans.iter_mut().enumerate() {
            let age = now_ms.saturating_sub(known.since_ms);
            if !known.plan.concerns(system, endpoint) || !known.plan.is_due(age) {
                continue;
            }
            known.calls += 1;
            if found.is_some() || !known.plan.fires(index, known.calls) || known.has_room(now_ms) {
                continue;
            }
            known.struck += 1;
            found = Some(known.plan.fault(index, known.calls));
        }
        found
    }
}

impl Known {
    /// Whether the rate of the plan lets this call through; a plan without one lets nothing through.
    fn has_room(&mut self, now_ms: i64) -> bool {
        let Some(allowed) = self.plan.above_per_s else {
            return false;
        };
        while self
            .passed
            .front()
            .is_some_and(|at| now_ms.saturating_sub(*at) >= 1000)
        {
            self.passed.pop_front();
        }
        let room = self.passed.len() < usize::try_from(allowed).unwrap_or(usize::MAX);
        if room {
            self.passed.push_back(now_ms);
        }
        room
    }
}
