//! The time while a tape plays: it stands still, and jumps to whatever is waited for.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::clock::Clock;

/// A clock that nobody waits for.
#[derive(Debug)]
pub(crate) struct TapeClock(AtomicI64);

impl TapeClock {
    /// Begins at an instant, in milliseconds.
    pub(crate) fn at(now_ms: i64) -> TapeClock {
        TapeClock(AtomicI64::new(now_ms))
    }
}

impl Clock for TapeClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn until(&self, until_ms: i64) -> Duration {
        self.0.fetch_max(until_ms, Ordering::SeqCst);
        Duration::ZERO
    }
}
