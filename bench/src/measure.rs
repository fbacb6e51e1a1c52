//! How long something takes.

use std::hint::black_box;
use std::time::Duration;

/// Processor time of one sample: long enough that reading the clock does not show.
const SAMPLE: Duration = Duration::from_millis(5);
/// Samples of which the median is taken.
const SAMPLES: usize = 25;

/// Median processor time of one call, in nanoseconds.
pub fn median_ns<T>(mut work: impl FnMut() -> T) -> f64 {
    let mut once = |times: u64| {
        let before = cpu();
        for _ in 0..times {
            black_box(work());
        }
        cpu().saturating_sub(before)
    };
    // Warms caches and branch predictors, and finds how many calls fill a sample.
    let mut times = 1;
    while once(times) < SAMPLE {
        times *= 2;
    }
    let samples = (0..SAMPLES).map(|_| nanoseconds(once(times), times)).collect();
    median(samples)
}

/// The middle one.
///
/// # Panics
/// When there are none.
pub fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// Time of one of so many.
pub fn nanoseconds(took: Duration, times: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count of calls")]
    let times = times as f64;
    took.as_secs_f64() * 1e9 / times
}

/// Processor time of this thread: what a shared machine does besides does not count.
#[cfg(unix)]
pub fn cpu() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or(0),
        u32::try_from(now.tv_nsec).unwrap_or(0),
    )
}

/// Time of the wall, where a thread's own is not to be had.
#[cfg(not(unix))]
pub fn cpu() -> Duration {
    static BEGAN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    #[expect(
        clippy::disallowed_methods,
        reason = "how long something took on this machine"
    )]
    let now = std::time::Instant::now();
    now.duration_since(*BEGAN.get_or_init(|| now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_work_takes_longer() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(nanoseconds(Duration::from_micros(3), 2), 1_500.0);
    }
}
