//! A pace learnt from refusals: how far apart calls must start where nobody wrote down how often they may.
//!
//! Written limits are kept by [`crate::limiter`]; this is for the limit that no file knows, or that somebody else uses
//! up as well. What the far side let through before it refused says how fast it may be called; a little slower than
//! that is the pace. After many calls that went through a faster one is tried, in steps that grow: a true limit is met
//! again once in some hundred calls, and a pace that is far too slow is soon forgotten. It knows no clock, and how long
//! to wait after a refusal is not its business.

use std::collections::VecDeque;

/// Slower than what was let through: the far side's clock and the way there are not ours.
const SLOWER_PERCENT: i64 = 5;
/// How much faster is tried, step by step, in percent of the distance; the last one repeats.
const FASTER_PERCENT: [i64; 7] = [2, 2, 4, 8, 16, 32, 50];
/// Calls let through after which the next step is tried, and the time that must have passed: far more than a refusal
/// costs in calls and in waiting, so that it stays rare.
const STEP_CALLS: u32 = 100;
const STEP_MS: i64 = 10_000;
/// With a slow pace fewer calls are enough, in more time.
const STEP_CALLS_SLOW: u32 = 20;
const STEP_MS_SLOW: i64 = 20_000;
/// The slowest pace that is learnt. A far side that lets through less is waited for, refusal by refusal.
const GAP_MAX_US: i64 = 5_000_000;
/// A distance below a millisecond is none.
const GAP_LEAST_US: i64 = 1_000;
/// A pause longer than this (and than a few distances) is the caller's own: it says nothing about the far side.
const IDLE_MS: i64 = 2_000;
/// Fewer calls than this between two refusals are no measure of a rate.
const MEASURE: u32 = 5;
/// What is remembered of the last second; a limit of more calls than this a second cannot be told in milliseconds.
const RECENT_MAX: usize = 1_000;
const SECOND_MS: i64 = 1_000;

/// How far apart calls start.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    /// Distance of two starts in microseconds; 0 = nothing learnt.
    gap_us: i64,
    next_us: i64,
    /// When calls of the last second went through.
    recent: VecDeque<i64>,
    /// Since when calls go through, but for one refusal at the end, and how many.
    since: Option<(i64, u32)>,
    /// When anything last happened.
    latest: i64,
    /// The last answer was a refusal.
    refused: bool,
    /// Calls let through since the pace changed, and when that was.
    clean: u32,
    changed: i64,
    steps: usize,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Pace {
            gap_us: 0,
            next_us: i64::MIN,
            recent: VecDeque::new(),
            since: None,
            latest: 0,
            refused: false,
            clean: 0,
            changed: 0,
            steps: 0,
        }
    }

    /// The earliest start of the next call, in milliseconds.
    pub(crate) fn not_before(&self) -> i64 {
        if self.gap_us == 0 {
            return i64::MIN;
        }
        // Rounded up: a start that is early by a part of a millisecond is early.
        self.next_us
            .div_euclid(1_000)
            .saturating_add(i64::from(self.next_us.rem_euclid(1_000) > 0))
    }

    /// A call starts.
    pub(crate) fn started(&mut self, now_ms: i64) {
        let idle = now_ms.saturating_sub(self.latest) > IDLE_MS.max(3 * self.gap_us / 1_000);
        if idle && !self.refused {
            self.since = None;
        }
        self.since.get_or_insert((now_ms, 0));
        self.latest = now_ms;
        self.next_us = self
            .next_us
            .max(now_ms.saturating_mul(1_000))
            .saturating_add(self.gap_us);
    }

    /// A call was answered, and not with "too many".
    pub(crate) fn let_through(&mut self, now_ms: i64) {
        if std::mem::take(&mut self.refused) {
            self.since = Some((now_ms, 0));
        }
        if let Some((_, count)) = &mut self.since {
            *count = count.saturating_add(1);
        }
        self.latest = now_ms;
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(now_ms);
        self.clean = self.clean.saturating_add(1);
        let passed = now_ms.saturating_sub(self.changed);
        let enough = (self.clean >= STEP_CALLS && passed >= STEP_MS)
            || (self.clean >= STEP_CALLS_SLOW && passed >= STEP_MS_SLOW);
        if self.gap_us > 0 && enough {
            let step = FASTER_PERCENT[self.steps.min(FASTER_PERCENT.len() - 1)];
            self.steps += 1;
            self.changed_to(self.gap_us - self.gap_us * step / 100, now_ms);
        }
    }

    /// A call was refused because there were too many.
    pub(crate) fn refused(&mut self, now_ms: i64) {
        let is_first = !std::mem::replace(&mut self.refused, true);
        self.latest = now_ms;
        self.steps = 0;
        // Refused again and again: so many went through in all that time, and no more may.
        let over_time = match self.since {
            Some((since, count)) if count >= MEASURE => {
                now_ms.saturating_sub(since).saturating_mul(1_000) / i64::from(count)
            }
            _ => 0,
        };
        if !is_first {
            return self.changed_to(self.gap_us.max(self.if_far_slower(over_time)), now_ms);
        }
        let begun = now_ms.saturating_sub(SECOND_MS);
        let in_a_second = self.recent.iter().filter(|at| **at > begun).count();
        let by_second = i64::try_from(in_a_second)
            .ok()
            .filter(|count| *count > 0)
            .map_or(0, |count| SECOND_MS * 1_000 / count);
        let seen = self.gap_us.max(self.if_far_slower(by_second.max(over_time)));
        self.changed_to(seen + seen * SLOWER_PERCENT / 100, now_ms);
    }

    /// What was seen is coarse, and a mean of faster and slower times: beside a pace it counts only where it says that
    /// the pace is far too fast.
    fn if_far_slower(&self, seen_us: i64) -> i64 {
        if seen_us > self.gap_us + self.gap_us / 4 {
            seen_us
        } else {
            0
        }
    }

    fn changed_to(&mut self, gap_us: i64, now_ms: i64) {
        let gap_us = gap_us.min(GAP_MAX_US);
        self.gap_us = if gap_us < GAP_LEAST_US { 0 } else { gap_us };
        self.clean = 0;
        self.changed = now_ms;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A far side that lets through so many calls in any stretch of so many milliseconds.
    struct Side {
        calls: usize,
        per_ms: i64,
        passed: VecDeque<i64>,
    }

    impl Side {
        fn new(calls: usize, per_ms: i64) -> Self {
            Side {
                calls,
                per_ms,
                passed: VecDeque::new(),
            }
        }

        fn takes(&mut self, now: i64) -> bool {
            while self.passed.front().is_some_and(|at| now - at >= self.per_ms) {
                self.passed.pop_front();
            }
            let room = self.passed.len() < self.calls;
            if room {
                self.passed.push_back(now);
            }
            room
        }
    }

    /// Calls until an instant, each answered after `took`, after a refusal again in 1 s, 2 s, 4 s ...; gives what was
    /// let through and what was refused from `from` on.
    fn calls(pace: &mut Pace, side: &mut Side, took: i64, from: i64, until: i64) -> (u32, u32) {
        let (mut now, mut through, mut refused, mut busy) = (0_i64, 0, 0, 0_u32);
        while now < until {
            now = now.max(pace.not_before());
            pace.started(now);
            let taken = side.takes(now);
            now += took;
            if taken {
                pace.let_through(now);
                busy = 0;
            } else {
                pace.refused(now);
                busy += 1;
            }
            if now >= from {
                through += u32::from(taken);
                refused += u32::from(!taken);
            }
            if busy > 0 {
                now += 1_000 << (busy - 1).min(6);
            }
        }
        (through, refused)
    }

    /// After the first minutes hardly a call is refused, and nearly as many go through as may.
    #[test]
    fn a_limit_is_learnt() {
        const MINUTE: i64 = 60_000;
        // limit, answer after, minutes to learn; then refused at most in a thousand, let through at least in percent
        for (calls_, per_ms, took, learn, most, least) in [
            (10, 1_000, 2, 1, 6, 90),
            (10, 1_000, 30, 1, 6, 90),
            (10, 1_000, 90, 1, 6, 90),
            (100, 1_000, 1, 1, 6, 85),
            (1, 1_000, 5, 1, 30, 85),
            (60, 60_000, 5, 5, 30, 85),
            (20, 10_000, 5, 3, 20, 85),
        ] {
            let (mut pace, mut side) = (Pace::new(), Side::new(calls_, per_ms));
            let (from, until) = (learn * MINUTE, (learn + 20) * MINUTE);
            let (through, refused) = calls(&mut pace, &mut side, took, from, until);
            let all = i64::try_from(calls_).unwrap() * 20 * MINUTE / per_ms;
            let what = format!("{calls_} in {per_ms} ms: {through} of {all} let through, {refused} refused");
            assert!(refused * 1_000 <= most * (through + refused), "{what}");
            assert!(i64::from(through) * 100 >= least * all, "{what}");
        }
    }

    /// A refusal that had nothing to do with our calls costs minutes at the most.
    #[test]
    fn what_was_learnt_in_error_is_forgotten() {
        let mut pace = Pace::new();
        for now in [0, 1_500] {
            pace.started(now);
            pace.let_through(now + 5);
        }
        pace.started(1_600);
        pace.refused(1_605);
        assert!(pace.gap_us > 0);
        let (through, refused) = calls(&mut pace, &mut Side::new(1_000_000, 1), 10, 300_000, 360_000);
        assert_eq!(refused, 0);
        assert!(through > 5_000, "{through} calls of 10 ms in the sixth minute");
    }

    /// Six minutes without a call are no measure of what the far side lets through.
    #[test]
    fn a_pause_of_ours_is_no_evidence() {
        let mut pace = Pace::new();
        for call in 0..20 {
            pace.started(call * 50);
            pace.let_through(call * 50 + 1);
        }
        for call in 0..10 {
            let now = 360_000 + call * 5;
            pace.started(now);
            pace.let_through(now + 1);
        }
        pace.started(360_060);
        pace.refused(360_061);
        assert_eq!(pace.gap_us, 105_000, "ten in a second, and a little slower");
    }

    #[test]
    fn there_is_a_slowest_pace() {
        let mut pace = Pace::new();
        for call in 0..5 {
            pace.started(call);
            pace.let_through(call);
        }
        pace.refused(10);
        for again in 1..100 {
            pace.started(again * 3_600_000);
            pace.refused(again * 3_600_000);
        }
        assert_eq!(pace.gap_us, GAP_MAX_US);
    }
}
