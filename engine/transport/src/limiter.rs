//! How often one credential may call.
//!
//! [`Limiter`] decides and knows no clock; [`Gate`] waits. A call counts in its window from the moment it
//! *ended*: whenever the far side counted it, that was earlier, so its own window can never hold more calls
//! than it allows, however long connecting took. Where nobody wrote a limit down, it is learnt from what the far side
//! refuses: see [`crate::pace`].

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::pace::Pace;

/// So many calls in so long, such as `60/min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    calls: usize,
    per_ms: i64,
}

/// The most calls one window may allow: the times of that many calls are remembered, eight bytes each.
const CALLS_MAX: usize = 1_000_000;

impl Rate {
    /// `calls` in `per_ms` milliseconds; both at least one.
    pub fn new(calls: usize, per_ms: i64) -> Option<Self> {
        ((1..=CALLS_MAX).contains(&calls) && per_ms > 0).then_some(Self { calls, per_ms })
    }

    /// Reads `5/s`, `60/min`, `1000/h`, `100000/day`, or `20/10s`.
    ///
    /// ```
    /// use transport::Rate;
    /// assert_eq!(Rate::parse("60/min"), Rate::new(60, 60_000));
    /// assert_eq!(Rate::parse("0/s"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let (calls, window) = text.split_once('/')?;
        let window = window.trim();
        let unit_at = window.find(|c: char| !c.is_ascii_digit())?;
        let (count, unit) = window.split_at(unit_at);
        let unit_ms: i64 = match unit.trim() {
            "ms" => 1,
            "s" | "sec" | "second" => 1_000,
            "m" | "min" | "minute" => 60_000,
            "h" | "hour" => 3_600_000,
            "d" | "day" => 86_400_000,
            _ => return None,
        };
        let count = if count.is_empty() { 1 } else { count.parse().ok()? };
        Self::new(calls.trim().parse().ok()?, unit_ms.checked_mul(count)?)
    }
}

/// When the next call may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Now.
    Now,
    /// Not before this instant, in milliseconds of the caller's clock.
    At(i64),
    /// Only after one of the calls under way has ended.
    WhenOneEnds,
}

/// The decision, without a clock: the caller tells the time and what happened.
#[derive(Debug, Clone)]
pub struct Limiter {
    rates: Vec<Rate>,
    concurrency: usize,
    under_way: usize,
    ended: VecDeque<i64>,
    not_before: i64,
    pace: Pace,
}

impl Limiter {
    /// All rates hold together; `concurrency` is at least one.
    pub fn new(rates: &[Rate], concurrency: usize) -> Self {
        Self {
            rates: rates.to_vec(),
            concurrency: concurrency.max(1),
            under_way: 0,
            ended: VecDeque::new(),
            not_before: i64::MIN,
            pace: Pace::new(),
        }
    }

    /// When may the next call start, if nothing else happens until then?
    pub fn next_allowed(&self, now_ms: i64) -> Next {
        if self.under_way >= self.concurrency {
            return Next::WhenOneEnds;
        }
        let mut at = self.not_before.max(self.pace.not_before());
        for rate in &self.rates {
            let Some(room) = rate.calls.checked_sub(self.under_way).filter(|room| *room > 0) else {
                return Next::WhenOneEnds;
            };
            if let Some(oldest) = self.ended.len().checked_sub(room) {
                at = at.max(self.ended[oldest].saturating_add(rate.per_ms));
            }
        }
        if at > now_ms { Next::At(at) } else { Next::Now }
    }

    /// A call starts.
    pub fn start(&mut self, now_ms: i64) {
        self.under_way += 1;
        self.pace.started(now_ms);
    }

    /// A call was answered, and not with "too many".
    pub fn let_through(&mut self, now_ms: i64) {
        self.pace.let_through(now_ms);
    }

    /// A call was refused because there were too many: those that follow start farther apart.
    pub fn refused(&mut self, now_ms: i64) {
        self.pace.refused(now_ms);
    }

    /// A call that was to start is not made.
    pub fn give_up(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// A call has ended, whatever came of it.
    pub fn end(&mut self, now_ms: i64) {
        self.under_way = self.under_way.saturating_sub(1);
        let Some(kept) = self.rates.iter().map(|rate| rate.calls).max() else {
            return;
        };
        // A clock that went back must not unsort the queue.
        let at = self.ended.back().map_or(now_ms, |last| now_ms.max(*last));
        self.ended.push_back(at);
        if self.ended.len() > kept {
            self.ended.pop_front();
        }
    }

    /// The far side asked for a pause: no call before `at_ms`. Never shortens an earlier pause.
    pub fn hold_until(&mut self, at_ms: i64) {
        self.not_before = self.not_before.max(at_ms);
    }
}

/// A [`Limiter`] that one credential's calls wait at, in the order of their coming.
#[derive(Debug)]
pub struct Gate {
    limiter: Mutex<Limiter>,
    /// Held by the first in the queue while it waits.
    turnstile: tokio::sync::Mutex<()>,
    changed: Notify,
    born: Instant,
}

/// The right to make one call; it counts until dropped.
#[derive(Debug)]
pub struct Pass<'a> {
    gate: &'a Gate,
    unused: bool,
}

impl Pass<'_> {
    /// The call is not made after all, and does not count.
    pub fn give_back(mut self) {
        self.unused = true;
    }
}

impl Gate {
    /// A gate that starts empty.
    pub fn new(limiter: Limiter) -> Self {
        Self {
            limiter: Mutex::new(limiter),
            turnstile: tokio::sync::Mutex::new(()),
            changed: Notify::new(),
            born: Instant::now(),
        }
    }

    /// Waits until a call may start. Dropping the future leaves the queue.
    pub async fn enter(&self) -> Pass<'_> {
        self.wait(Limiter::start).await;
        Pass {
            gate: self,
            unused: false,
        }
    }

    /// Waits until a call could start, without starting one: what must not be old when it goes out is made after this.
    pub async fn ready(&self) {
        self.wait(|_, _| ()).await;
    }

    async fn wait(&self, then: impl Fn(&mut Limiter, i64)) {
        let _first = self.turnstile.lock().await;
        loop {
            let changed = self.changed.notified();
            let next = {
                let mut limiter = self.limiter();
                let now_ms = self.now_ms();
                let next = limiter.next_allowed(now_ms);
                if next == Next::Now {
                    then(&mut limiter, now_ms);
                }
                next
            };
            match next {
                Next::Now => return,
                Next::WhenOneEnds => changed.await,
                Next::At(at_ms) => {
                    let wait = u64::try_from(at_ms.saturating_sub(self.now_ms())).unwrap_or(0);
                    tokio::select! {
                        () = tokio::time::sleep(Duration::from_millis(wait)) => {}
                        () = changed => {}
                    }
                }
            }
        }
    }

    /// A call was answered, and not with "too many".
    pub fn let_through(&self) {
        let now_ms = self.now_ms();
        self.limiter().let_through(now_ms);
    }

    /// A call was refused because there were too many: those that follow start farther apart.
    pub fn refused(&self) {
        let now_ms = self.now_ms();
        self.limiter().refused(now_ms);
    }

    /// No call of this credential starts for this long: the far side said "too many".
    pub fn hold(&self, pause: Duration) {
        let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        self.limiter().hold_until(self.now_ms().saturating_add(pause));
        self.changed.notify_one();
    }

    fn limiter(&self) -> MutexGuard<'_, Limiter> {
        // The limiter's methods cannot panic half-way.
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Monotonic, so that a clock set back cannot stop the calls nor one set forward release a burst.
    fn now_ms(&self) -> i64 {
        i64::try_from(self.born.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let now_ms = self.gate.now_ms();
        if self.unused {
            self.gate.limiter().give_up();
        } else {
            self.gate.limiter().end(now_ms);
        }
        self.gate.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read() {
        for (text, want) in [
            ("5/s", Rate::new(5, 1_000)),
            ("60/min", Rate::new(60, 60_000)),
            ("60 / min", Rate::new(60, 60_000)),
            ("1000/h", Rate::new(1_000, 3_600_000)),
            ("100000/day", Rate::new(100_000, 86_400_000)),
            ("20/10s", Rate::new(20, 10_000)),
            ("5", None),
            ("0/s", None),
            ("5/0s", None),
            ("-1/s", None),
            ("5/fortnight", None),
            ("99999999/s", None),
        ] {
            assert_eq!(Rate::parse(text), want, "{text}");
        }
    }

    /// Calls that each take `took` ms, started as early as allowed; gives the starts.
    fn starts(rates: &[&str], took: i64, count: usize) -> Vec<i64> {
        let rates: Vec<Rate> = rates.iter().map(|text| Rate::parse(text).unwrap()).collect();
        let mut limiter = Limiter::new(&rates, 1);
        let (mut now, mut starts) = (0, Vec::new());
        while starts.len() < count {
            match limiter.next_allowed(now) {
                Next::Now => {
                    limiter.start(now);
                    assert_eq!(limiter.next_allowed(now), Next::WhenOneEnds);
                    starts.push(now);
                    now += took;
                    limiter.end(now);
                }
                Next::At(at) => {
                    assert!(at > now);
                    now = at;
                }
                Next::WhenOneEnds => unreachable!("one call at a time"),
            }
        }
        starts
    }

    #[test]
    fn windows_are_kept() {
        assert_eq!(starts(&["2/s"], 10, 5), [0, 10, 1010, 1020, 2020]);
        assert_eq!(
            starts(&["5/s", "6/min"], 1, 8),
            [0, 1, 2, 3, 4, 1001, 60_001, 60_002]
        );
        assert_eq!(starts(&[], 7, 3), [0, 7, 14]);
    }

    /// However late each call was counted at the far side, no window of it holds too many.
    #[test]
    fn arrival_jitter_cannot_break_a_window() {
        let starts = starts(&["3/s"], 400, 60);
        for first in 0..starts.len() - 3 {
            // The earliest at the end of its call, the fourth at its very start.
            assert!(
                starts[first + 3] - (starts[first] + 400) >= 1_000,
                "{:?}",
                &starts[first..first + 4]
            );
        }
    }

    #[test]
    fn concurrency_and_pauses() {
        let mut limiter = Limiter::new(&[Rate::new(2, 1_000).unwrap()], 5);
        limiter.start(0);
        limiter.start(0);
        assert_eq!(
            limiter.next_allowed(0),
            Next::WhenOneEnds,
            "both places of the window are taken"
        );
        limiter.end(100);
        assert_eq!(limiter.next_allowed(100), Next::At(1_100));
        limiter.hold_until(5_000);
        limiter.hold_until(3_000);
        assert_eq!(limiter.next_allowed(1_100), Next::At(5_000));
        assert_eq!(limiter.next_allowed(5_000), Next::Now);
    }

    #[tokio::test(start_paused = true)]
    async fn the_gate_waits() {
        let gate = Gate::new(Limiter::new(&[Rate::new(2, 60_000).unwrap()], 1));
        let began = Instant::now();
        let mut seen = Vec::new();
        for _ in 0..5 {
            let _pass = gate.enter().await;
            seen.push(began.elapsed().as_secs());
        }
        assert_eq!(seen, [0, 0, 60, 60, 120]);
    }

    /// Ten calls went through at once, the next one was refused: from then on there is a tenth of a second between two.
    #[tokio::test(start_paused = true)]
    async fn what_is_given_back_does_not_count() {
        let gate = Gate::new(Limiter::new(&[Rate::new(1, 60_000).unwrap()], 1));
        let began = Instant::now();
        gate.enter().await.give_back();
        drop(gate.enter().await);
        assert_eq!(began.elapsed(), Duration::ZERO);
        drop(gate.enter().await);
        assert_eq!(began.elapsed(), Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn the_gate_learns() {
        let gate = Gate::new(Limiter::new(&[], 1));
        for _ in 0..10 {
            drop(gate.enter().await);
            gate.let_through();
        }
        drop(gate.enter().await);
        gate.refused();
        let began = Instant::now();
        for _ in 0..11 {
            drop(gate.enter().await);
            gate.let_through();
        }
        assert_eq!(began.elapsed().as_millis(), 1_050, "the first at once");
    }

    #[tokio::test(start_paused = true)]
    async fn one_at_a_time_and_in_order() {
        let gate = std::sync::Arc::new(Gate::new(Limiter::new(&[], 1)));
        let order = std::sync::Arc::new(Mutex::new(Vec::new()));
        let tasks: Vec<_> = (0..10)
            .map(|number| {
                let (gate, order) = (gate.clone(), order.clone());
                tokio::spawn(async move {
                    let _pass = gate.enter().await;
                    order.lock().unwrap().push((number, "in"));
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    order.lock().unwrap().push((number, "out"));
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let want: Vec<_> = (0..10)
            .flat_map(|number| [(number, "in"), (number, "out")])
            .collect();
        assert_eq!(*order.lock().unwrap(), want);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_and_a_dropped_waiter_leaves() {
        let gate = Gate::new(Limiter::new(&[], 1));
        let began = Instant::now();
        gate.hold(Duration::from_secs(30));
        assert!(
            tokio::time::timeout(Duration::from_secs(1), gate.enter())
                .await
                .is_err()
        );
        drop(gate.enter().await);
        assert_eq!(began.elapsed(), Duration::from_secs(30));
    }
}
