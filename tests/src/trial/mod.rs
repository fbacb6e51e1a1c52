//! Trials that take minutes: kills by the dozen, and the figures of `docs/figures.md`.

pub mod canaries;
pub mod crash;
pub mod figure;
pub mod named;
pub mod ssrf;

use std::time::Duration;

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
