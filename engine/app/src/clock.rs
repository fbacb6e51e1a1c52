//! The only place that asks the machine what time it is.

use std::time::{Duration, Instant};

/// Milliseconds since the Unix epoch, and waiting until such an instant.
pub trait Clock: Send + Sync {
    /// Now.
    fn now_ms(&self) -> i64;

    /// How long to sleep until `until_ms`; zero when it has passed.
    fn until(&self, until_ms: i64) -> Duration {
        Duration::from_millis(u64::try_from(until_ms - self.now_ms()).unwrap_or(0))
    }
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
