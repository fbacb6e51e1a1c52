//! The only place that asks the machine what time it is.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Milliseconds since the Unix epoch, and waiting until such an instant.
pub trait Clock: Send + Sync {
    /// Now.
    fn now_ms(&self) -> i64;

    /// How long to sleep until `until_ms`; zero when it has passed.
    fn until(&self, until_ms: i64) -> Duration {
        Duration::from_millis(u64::try_from(until_ms - self.now_ms()).unwrap_or(0))
    }

    /// A count of the milliseconds that pass, from wherever: setting a clock does not move it.
    fn passed_ms(&self) -> i64 {
        self.now_ms()
    }

    /// Told from time to time by a process that goes on for long, and whether nothing is under way whose answer may still
    /// come.
    fn follow(&self, _is_idle: bool) {}
}

/// The machine's clock as it was when this was made, and the time that has passed since then. A clock that is set
/// forward or back while a run goes on neither shortens nor lengthens a quiet period.
#[derive(Debug)]
pub struct SystemClock {
    start_ms: i64,
    started: Instant,
}

impl Default for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock everything else is given"
    )]
    fn default() -> Self {
        SystemClock {
            start_ms: jiff::Timestamp::now().as_millisecond(),
            started: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let passed = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.start_ms.saturating_add(passed)
    }
}

/// The clock of a process that goes on for months. It counts the time that passes, that in which the machine slept too,
/// and goes after the machine's clock where the two differ.
///
/// Where it is behind by more than a minute, time has passed that nothing counted, as in a virtual machine that was saved
/// and goes on hours later: that is taken over whole. Not before it has stood for a minute, so that a slip of the hand
/// is not followed; and not while answers are awaited, but for a quarter of an hour at most, so that a clock that was
/// merely wrong shortens no quiet period to speak of. All other differences are put right by a twentieth of the time.
#[derive(Debug)]
pub struct ServiceClock {
    start_ms: i64,
    started: Passing,
    /// What was put right so far.
    put_right: AtomicI64,
    following: Mutex<Following>,
}

/// How far the going after has come.
#[derive(Debug, Default)]
struct Following {
    /// When it was last looked, in milliseconds since the start.
    looked: i64,
    /// Since when the machine's clock is far ahead.
    ahead: Option<i64>,
    /// A difference was told; it is told again when it was gone meanwhile.
    told: bool,
}

/// Of the time that passes, this part may be put right.
const PART: i64 = 20;

/// A difference beyond this is told to people, and taken over where it goes forward.
const FAR: i64 = 60_000;

/// So long the machine's clock must have been far ahead before it is believed.
const STANDS: i64 = 60_000;

/// The same while answers are awaited: longer than most systems take to carry out what they were asked.
const STANDS_BUSY: i64 = 15 * 60_000;

impl Default for ServiceClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock everything else is given"
    )]
    fn default() -> Self {
        ServiceClock {
            start_ms: jiff::Timestamp::now().as_millisecond(),
            started: Passing::now(),
            put_right: AtomicI64::new(0),
            following: Mutex::default(),
        }
    }
}

impl ServiceClock {
    fn passed(&self) -> i64 {
        self.started.elapsed_ms()
    }
}

/// A point of the time that passes, whether the machine sleeps or not.
#[cfg(target_os = "linux")]
#[derive(Debug)]
struct Passing(i64);

#[cfg(target_os = "linux")]
impl Passing {
    fn now() -> Self {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Passing(
            now.tv_sec
                .saturating_mul(1_000)
                .saturating_add(now.tv_nsec / 1_000_000),
        )
    }

    fn elapsed_ms(&self) -> i64 {
        Passing::now().0 - self.0
    }
}

/// A point of the time that passes; elsewhere than on Linux the time in which the machine sleeps is put right slowly.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
struct Passing(Instant);

#[cfg(not(target_os = "linux"))]
impl Passing {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock everything else is given"
    )]
    fn now() -> Self {
        Passing(Instant::now())
    }

    fn elapsed_ms(&self) -> i64 {
        i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

impl Clock for ServiceClock {
    fn now_ms(&self) -> i64 {
        self.start_ms
            .saturating_add(self.passed())
            .saturating_add(self.put_right.load(Ordering::Relaxed))
    }

    fn passed_ms(&self) -> i64 {
        self.passed()
    }

    #[expect(clippy::disallowed_methods, reason = "see above")]
    fn follow(&self, is_idle: bool) {
        let machine = jiff::Timestamp::now().as_millisecond();
        let differs = machine.saturating_sub(self.now_ms());
        let mut following = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        let by = following.step(self.passed(), differs, is_idle);
        self.put_right.fetch_add(by, Ordering::Relaxed);
        let is_far = differs.abs() > FAR;
        if by > FAR {
            tracing::warn!(
                by_ms = by,
                "time has passed that was not counted: it is now as late as the machine says"
            );
        } else if is_far && !following.told {
            tracing::warn!(differs_ms = differs, "the machine's clock was set");
        }
        following.told = is_far && by <= FAR;
    }
}

impl Following {
    /// How much of a difference is put right now, so long after the start.
    fn step(&mut self, passed: i64, differs: i64, is_idle: bool) -> i64 {
        let since = passed - std::mem::replace(&mut self.looked, passed);
        if differs > FAR {
            let ahead = *self.ahead.get_or_insert(passed);
            if passed - ahead >= if is_idle { STANDS } else { STANDS_BUSY } {
                self.ahead = None;
                return differs;
            }
        } else {
            self.ahead = None;
        }
        let most = (since / PART).max(0);
        differs.clamp(-most, most)
    }
}

#[cfg(test)]
mod tests {
    use super::Following;

    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;

    /// Looks once a minute at a machine's clock that differs by so much from the one that counts alone, and tells how far
    /// it is followed.
    fn follow(machine: &[i64], is_idle: bool) -> Vec<i64> {
        let (mut following, mut right) = (Following::default(), 0);
        let looks = (1..).zip(machine);
        looks
            .map(|(minute, differs)| {
                right += following.step(minute * MINUTE, differs - right, is_idle);
                right
            })
            .collect()
    }

    #[test]
    fn a_clock_that_was_set_is_gone_after() {
        let (slow, far) = (3_000, 6 * HOUR);
        for (machine, is_idle, want) in [
            (&[0, 0][..], true, &[0, 0][..]),
            (&[1_000, 1_000], true, &[1_000, 1_000]),
            (&[-1_000], true, &[-1_000]),
            // By a minute and less, and backwards: slowly.
            (&[MINUTE, MINUTE], true, &[slow, 2 * slow]),
            (&[-far, -far, -far], true, &[-slow, -2 * slow, -3 * slow]),
            // Hours that nobody counted.
            (&[0, far, far, far], true, &[0, slow, far, far]),
            // A slip of the hand.
            (&[far, 0, far, 0], true, &[slow, 0, slow, 0]),
        ] {
            assert_eq!(follow(machine, is_idle), want, "{machine:?}");
        }
        let busy = follow(&[far; 20], false);
        assert_eq!((busy[14], busy[15]), (15 * slow, far), "answers are awaited");
    }

    #[test]
    fn nothing_is_put_right_in_no_time() {
        let mut following = Following::default();
        following.step(1_000, 0, true);
        assert_eq!(following.step(995, HOUR, true), 0);
    }
}
