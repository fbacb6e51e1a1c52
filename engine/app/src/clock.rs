//! The only place that asks the machine what time it is.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Milliseconds since the Unix epoch, and waiting until such an instant.
pub trait Clock: Send + Sync {
    /// Now.
    fn now_ms(&self) -> i64;

    /// How long to sleep until `until_ms`; zero when it has passed.
    fn until(&self, until_ms: i64) -> Duration {
        Duration::from_millis(u64::try_from(until_ms - self.now_ms()).unwrap_or(0))
    }
}

/// The machine's clock, never going back within a process (a clock set back must not shorten a quiet period).
#[derive(Debug, Default)]
pub struct SystemClock {
    latest: AtomicI64,
}

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the clock everything else is given"
        )]
        let now = jiff::Timestamp::now().as_millisecond();
        self.latest.fetch_max(now, Ordering::Relaxed).max(now)
    }
}
