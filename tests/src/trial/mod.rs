//! Trials that take minutes: kills by the dozen, and the figures of `docs/figures.md`.

mod adoption;
pub mod bombs;
pub mod canaries;
mod cost;
pub mod crash;
mod crowd;
mod failpoints;
pub mod figure;
pub mod injection;
mod judged;
mod killed;
mod levels;
mod mappings;
pub mod migrate;
pub mod named;
mod outage;
mod paging;
mod partial;
mod plain;
mod polled;
pub mod power;
mod process;
mod pushes;
pub mod restore;
mod schedule;
mod served;
mod sessions;
mod simulated;
pub mod ssrf;
mod startup;
mod storm;
mod two_way;

use std::time::Duration;

/// splitmix64.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }
}

/// A stopwatch.
#[derive(Debug, Clone, Copy)]
struct Watch(std::time::Instant);

impl Watch {
    fn start() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "measures this machine, decides nothing in the engine"
        )]
        Watch(std::time::Instant::now())
    }

    fn passed(self) -> Duration {
        self.0.elapsed()
    }
}

/// In microseconds, 1 at least.
fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX).max(1)
}
