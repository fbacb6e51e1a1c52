//! Waiting for what another process does.

use std::time::{Duration, Instant};

/// Longer than anything here takes on a machine that is slow and busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Looks again and again until something is there.
///
/// # Panics
/// When it does not come.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    #[expect(clippy::disallowed_methods, reason = "it bounds a wait, and judges nothing")]
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what}");
    }
}
