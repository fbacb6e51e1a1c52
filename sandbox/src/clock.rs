//! The sandbox's own clock: the machine's, moved by control.
//!
//! Everything that the simulators judge by time (signatures, sessions, trade times, the `Date`
//! header) reads this clock, so a test can live through an outage of 30 hours without waiting.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// Farthest the clock can be moved from the machine's: a hundred years, so that sums never overflow.
pub(crate) const MAX_OFFSET_MS: i64 = 100 * 366 * 86_400_000;

#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset_ms: AtomicI64,
}

impl Clock {
    pub(crate) fn now_ms(&self) -> i64 {
        machine_ms() + self.offset_ms.load(Ordering::Relaxed)
    }

    /// Makes `now` the present; time goes on from there.
    pub(crate) fn set(&self, now_ms: i64) {
        let offset = now_ms.saturating_sub(machine_ms());
        self.offset_ms
            .store(offset.clamp(-MAX_OFFSET_MS, MAX_OFFSET_MS), Ordering::Relaxed);
    }

    pub(crate) fn advance(&self, by_ms: i64) {
        self.set(self.now_ms().saturating_add(by_ms));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the sandbox is a system of its own and has its own clock"
)]
fn machine_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX / 2)
}

fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}

/// The value of a `Date` header.
pub(crate) fn http_date(ms: i64) -> String {
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    printer
        .timestamp_to_rfc9110_string(&timestamp(ms))
        .unwrap_or_default()
}

/// `yyyy-MM-ddTHH:mm:ss` in Beijing time, as Kingdee prints its times.
pub(crate) fn beijing(ms: i64) -> String {
    let local = Offset::constant(8).to_datetime(timestamp(ms));
    local.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// `yyyy-MM-dd HH:mm:ss` in Beijing time, as most of the others print theirs.
pub(crate) fn local(ms: i64) -> String {
    beijing(ms).replace('T', " ")
}

/// Milliseconds of such a text; `None` when it is not exactly of that form.
pub(crate) fn parse_local(text: &str) -> Option<i64> {
    // The parser takes other widths too; a vendor may not.
    if text.len() != "yyyy-MM-dd HH:mm:ss".len() {
        return None;
    }
    let time = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
    let instant = Offset::constant(8).to_timestamp(time).ok()?;
    Some(instant.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_both_forms() {
        assert_eq!(http_date(1_700_000_000_000), "Tue, 14 Nov 2023 22:13:20 GMT");
        assert_eq!(beijing(1_700_000_000_000), "2023-11-15T06:13:20");
    }

    #[test]
    fn local_times_are_read_back() {
        assert_eq!(local(1_700_000_000_999), "2023-11-15 06:13:20");
        assert_eq!(parse_local("2023-11-15 06:13:20"), Some(1_700_000_000_000));
        for bad in [
            "",
            "2023-11-15",
            "2023-11-15T06:13:20",
            "2023-11-15 6:13:20",
            "2023-13-15 06:13:20",
            "2023-11-15 06:13:20Z",
            "１2023-11-15 06:13",
        ] {
            assert_eq!(parse_local(bad), None, "{bad}");
        }
    }

    #[test]
    fn can_be_moved() {
        let clock = Clock::default();
        clock.set(1_700_000_000_000);
        clock.advance(30 * 3_600_000);
        assert!((1_700_108_000_000..1_700_108_060_000).contains(&clock.now_ms()));
    }
}
