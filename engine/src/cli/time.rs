//! Times and durations on the command line.

use app::AppError;
use flow::window::Interval;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// The zone of times that name none (UX 3.1).
pub(crate) const ZONE: &str = "Asia/Shanghai";

/// The zone of output.
pub(crate) fn zone() -> TimeZone {
    TimeZone::get(ZONE).unwrap_or(TimeZone::UTC)
}

/// `2026-11-21 08:00:00`, `2026-11-21T08:00:00+08:00`, or milliseconds since 1970.
pub(crate) fn instant(text: &str) -> Result<i64, AppError> {
    if let Ok(ms) = text.parse::<i64>() {
        return Ok(ms);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at.as_millisecond());
    }
    let local: Result<DateTime, _> = text.replace(' ', "T").parse();
    match local.map(|local| local.to_zoned(zone())) {
        Ok(Ok(at)) => Ok(at.timestamp().as_millisecond()),
        Ok(Err(_)) | Err(_) => Err(AppError::wrong_use(
            format!("`{text}` 不是时间:写 2026-11-21T08:00:00+08:00、2026-11-21 08:00:00 或毫秒数"),
            format!(
                "`{text}` is not a time: write 2026-11-21T08:00:00+08:00, 2026-11-21 08:00:00 or milliseconds"
            ),
        )),
    }
}

/// The same, or `now`.
pub(crate) fn instant_or_now(text: &str, now: i64) -> Result<i64, AppError> {
    if text == "now" { Ok(now) } else { instant(text) }
}

/// `A..B`, half open.
pub(crate) fn interval(text: &str) -> Result<Interval, AppError> {
    let wrong = || {
        AppError::wrong_use(
            format!("`{text}` 不是时间段:写 开始..结束,结束晚于开始"),
            format!("`{text}` is not an interval: write START..END with END after START"),
        )
    };
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    Interval::new(instant(from.trim())?, instant(to.trim())?).ok_or_else(wrong)
}

/// `500ms`, `90s`, `6m`, `2h`, `1d` in milliseconds.
pub(crate) fn duration(text: &str) -> Result<i64, AppError> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let scale = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => 0,
    };
    match number.parse::<i64>().ok().and_then(|n| n.checked_mul(scale)) {
        Some(ms) if scale > 0 => Ok(ms),
        Some(_) | None => Err(AppError::wrong_use(
            format!("`{text}` 不是时长:写 500ms、90s、6m、2h 或 1d"),
            format!("`{text}` is not a duration: write 500ms, 90s, 6m, 2h or 1d"),
        )),
    }
}

/// `2026-11-21 08:06:11` in the zone of output.
pub(crate) fn shown(ms: i64) -> String {
    zoned(ms).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A day of which the ledger counts something: `2026-11-21`. Such days begin at midnight UTC.
pub(crate) fn day(ms: i64) -> String {
    let at = Timestamp::from_millisecond(ms).unwrap_or_default();
    at.strftime("%Y-%m-%d").to_string()
}

/// An instant in the name of a file: `20261121-080000`.
pub(crate) fn stamp(ms: i64) -> String {
    shown(ms)
        .chars()
        .filter_map(|c| match c {
            '0'..='9' => Some(c),
            ' ' => Some('-'),
            _ => None,
        })
        .take("20261121-080000".len())
        .collect()
}

/// `2026-11-21T08:06:11.000+08:00` for machines.
pub(crate) fn rfc3339(ms: i64) -> String {
    zoned(ms).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// `1.4s`, `4m12s`.
pub(crate) fn span(ms: i64) -> String {
    match ms {
        ..1_000 => format!("{ms}ms"),
        1_000..60_000 => format!("{}.{}s", ms / 1_000, ms % 1_000 / 100),
        60_000..3_600_000 => format!("{}m{:02}s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{}h{:02}m", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

fn zoned(ms: i64) -> Zoned {
    Timestamp::from_millisecond(ms)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_zoned(zone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants() {
        for (text, want) in [
            ("1700000000100", Some(1_700_000_000_100)),
            ("2023-11-15T06:13:20+08:00", Some(1_700_000_000_000)),
            ("2023-11-15 06:13:20", Some(1_700_000_000_000)),
            ("2023-11-14T22:13:20Z", Some(1_700_000_000_000)),
            ("yesterday", None),
        ] {
            assert_eq!(instant(text).ok(), want, "{text}");
        }
        assert_eq!(interval("1000..2000").ok(), Interval::new(1_000, 2_000));
        assert!(interval("2000..1000").is_err());
        assert_eq!(shown(1_700_000_000_000), "2023-11-15 06:13:20");
        assert_eq!(rfc3339(1_700_000_000_123), "2023-11-15T06:13:20.123+08:00");
        assert_eq!(day(1_699_920_000_000), "2023-11-14");
    }

    #[test]
    fn durations() {
        for (text, want) in [
            ("500ms", Some(500)),
            ("6m", Some(360_000)),
            ("1d", Some(86_400_000)),
            ("6", None),
            ("m", None),
        ] {
            assert_eq!(duration(text).ok(), want, "{text}");
        }
        for (ms, want) in [
            (12, "12ms"),
            (1_450, "1.4s"),
            (252_000, "4m12s"),
            (7_260_000, "2h01m"),
        ] {
            assert_eq!(span(ms), want);
        }
    }
}
