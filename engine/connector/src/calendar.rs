//! Days and hours of a system: when its next day begins, and in which hours it may be called.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

/// Minutes of a day.
const DAY: u16 = 24 * 60;
/// Most stretches that are written in practice; a list with more is a mistake.
const SPANS_MAX: usize = 24;

/// Stretches of every day, such as `22:00-06:00`. None at all = any time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hours {
    /// Minutes of the day, begin and end; an end at or before the begin is on the next day.
    spans: Vec<(u16, u16)>,
}

impl Hours {
    /// Adds `HH:MM-HH:MM`; says whether it is one. `24:00` is the end of a day.
    pub(crate) fn add(&mut self, text: &str) -> bool {
        let read = || {
            let (from, to) = text.split_once('-')?;
            let (from, to) = (minute(from.trim())?, minute(to.trim())?);
            (from < DAY && from != to).then_some((from, to))
        };
        let Some(span) = read().filter(|_| self.spans.len() < SPANS_MAX) else {
            return false;
        };
        self.spans.push(span);
        true
    }

    /// Reads one stretch.
    pub fn parse(text: &str) -> Option<Self> {
        let mut hours = Hours::default();
        hours.add(text).then_some(hours)
    }

    fn contains(&self, minute: u16) -> bool {
        let within = |(from, to): &(u16, u16)| match from < to {
            true => (*from..*to).contains(&minute),
            false => minute >= *from || minute < *to,
        };
        self.spans.is_empty() || self.spans.iter().any(within)
    }

    /// When calls may be made again; `None` = now.
    pub fn opens(&self, now_ms: i64, zone: &TimeZone) -> Option<i64> {
        let now = zoned(now_ms, zone);
        let minute = u16::try_from(i32::from(now.hour()) * 60 + i32::from(now.minute())).unwrap_or(0);
        if self.contains(minute) {
            return None;
        }
        // A day on which the clock jumps over the begin opens right after the jump.
        let begins = |days: i64| {
            let date = now.date().checked_add(days.days()).ok()?;
            let each = self.spans.iter().filter_map(|(from, _)| {
                let time = Time::new(i8::try_from(from / 60).ok()?, i8::try_from(from % 60).ok()?, 0, 0);
                let at = zone.to_zoned(DateTime::from_parts(date, time.ok()?)).ok()?;
                Some(at.timestamp().as_millisecond())
            });
            each.filter(|at| *at > now_ms).min()
        };
        begins(0).or_else(|| begins(1))
    }

    /// As it is written: `22:00-06:00, 12:00-13:00`.
    pub fn text(&self) -> String {
        let each = self.spans.iter().map(|(from, to)| {
            let clock = |minute: &u16| format!("{:02}:{:02}", minute / 60, minute % 60);
            format!("{}-{}", clock(from), clock(to))
        });
        each.collect::<Vec<_>>().join(", ")
    }
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two = |text: &str| (text.len() == 2).then(|| text.parse::<u16>().ok()).flatten();
    let (hour, minute) = (two(hour)?, two(minute)?);
    let total = hour * 60 + minute;
    (hour <= 24 && minute < 60 && total <= DAY).then_some(total)
}

fn zoned(at_ms: i64, zone: &TimeZone) -> Zoned {
    Timestamp::from_millisecond(at_ms)
        .unwrap_or_default()
        .to_zoned(zone.clone())
}

/// The day of an instant, as `2026-11-22`.
pub(crate) fn day(at_ms: i64, zone: &TimeZone) -> String {
    zoned(at_ms, zone).date().to_string()
}

/// When the next day begins.
pub(crate) fn midnight(after_ms: i64, zone: &TimeZone) -> i64 {
    let today = zoned(after_ms, zone);
    let next = today
        .date()
        .checked_add(1.day())
        .and_then(|date| date.to_zoned(zone.clone()));
    next.map_or(after_ms, |next| next.timestamp().as_millisecond())
}

/// An instant as people in that zone read it: `2026-11-23 00:00`.
pub(crate) fn clock(at_ms: i64, zone: &TimeZone) -> String {
    zoned(at_ms, zone).strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, zone: &TimeZone) -> i64 {
        let time: DateTime = text.parse().expect("a time");
        zone.to_zoned(time)
            .expect("it is one")
            .timestamp()
            .as_millisecond()
    }

    #[test]
    fn hours_are_read() {
        for (text, good) in [
            ("22:00-06:00", true),
            ("08:00-24:00", true),
            ("08:30 - 12:15", true),
            ("8:00-12:00", false),
            ("08:00", false),
            ("08:00-08:00", false),
            ("24:00-08:00", false),
            ("08:00-24:01", false),
            ("08:60-09:00", false),
            ("", false),
        ] {
            assert_eq!(Hours::default().add(text), good, "{text}");
        }
        let mut many = Hours::default();
        assert_eq!((0..100).filter(|_| many.add("01:00-02:00")).count(), SPANS_MAX);
    }

    /// Hours, now, when they open; in Beijing, and where the clock jumps.
    #[test]
    fn hours_open() {
        let beijing = TimeZone::get("Asia/Shanghai").expect("a zone");
        let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
        for (hours, zone, now, want) in [
            (&["22:00-06:00"][..], &beijing, "2026-11-22T23:59", None),
            (&["22:00-06:00"], &beijing, "2026-11-22T05:59", None),
            (
                &["22:00-06:00"],
                &beijing,
                "2026-11-22T06:00",
                Some("2026-11-22T22:00"),
            ),
            (
                &["12:00-13:00", "01:00-02:00"],
                &beijing,
                "2026-11-22T13:00",
                Some("2026-11-23T01:00"),
            ),
            (
                &["12:00-13:00", "01:00-02:00"],
                &beijing,
                "2026-11-22T02:00",
                Some("2026-11-22T12:00"),
            ),
            (&["08:00-24:00"], &beijing, "2026-11-22T23:59", None),
            (
                &["08:00-24:00"],
                &beijing,
                "2026-11-23T00:00",
                Some("2026-11-23T08:00"),
            ),
            (&[], &beijing, "2026-11-22T13:00", None),
            // 02:00 to 03:00 is no time on that day.
            (
                &["02:30-04:00"],
                &berlin,
                "2026-03-29T01:00",
                Some("2026-03-29T03:30"),
            ),
        ] {
            let mut opens = Hours::default();
            assert!(hours.iter().all(|text| opens.add(text)), "{hours:?}");
            let got = opens.opens(at(now, zone), zone);
            assert_eq!(
                got,
                want.map(|want| at(want, zone)),
                "{hours:?} at {now}: {got:?}"
            );
        }
    }

    #[test]
    fn days_begin_where_the_system_is() {
        let beijing = TimeZone::get("Asia/Shanghai").expect("a zone");
        let now = at("2026-11-22T23:30", &beijing);
        assert_eq!(day(now, &beijing), "2026-11-22");
        assert_eq!(day(now, &TimeZone::UTC), "2026-11-22");
        assert_eq!(day(now + 3_600_000, &beijing), "2026-11-23");
        assert_eq!(midnight(now, &beijing), at("2026-11-23T00:00", &beijing));
        assert_eq!(
            midnight(now, &TimeZone::UTC),
            at("2026-11-23T00:00", &TimeZone::UTC)
        );
        assert_eq!(clock(midnight(now, &beijing), &beijing), "2026-11-23 00:00");
        let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
        let night = at("2026-10-25T00:00", &berlin);
        assert_eq!(midnight(night, &berlin) - night, 25 * 3_600_000, "an hour twice");
    }
}
