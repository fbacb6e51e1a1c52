//! Hours of the day in which something may happen, or may not.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

/// Minutes of a day.
pub(super) const DAY: u16 = 24 * 60;

/// Stretches of the day, in the minutes of a clock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hours {
    spans: Vec<(u16, u16)>,
}

impl Hours {
    /// Most stretches: nobody means more of a day than this.
    pub const MOST: usize = 12;

    /// Adds `HH:MM-HH:MM`, which may go over midnight; says whether it is one.
    pub fn add(&mut self, text: &str) -> bool {
        let span = span(text).filter(|_| self.spans.len() < Hours::MOST);
        self.spans.extend(span);
        span.is_some()
    }

    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// As they are written, with commas.
    pub fn text(&self) -> String {
        let each = self.spans.iter().map(|(from, to)| {
            let clock = |minute: &u16| format!("{:02}:{:02}", minute / 60, minute % 60);
            format!("{}-{}", clock(from), clock(to))
        });
        each.collect::<Vec<_>>().join(",")
    }

    /// Whether a minute of the day is in one of them.
    pub(super) fn contains(&self, minute: u16) -> bool {
        self.spans.iter().any(|span| is_in(*span, minute))
    }

    /// The first beginning of one after an instant.
    pub(super) fn begins(&self, at: &Zoned) -> Option<i64> {
        let begins = self.spans.iter().map(|(from, _)| *from);
        begins.filter_map(|from| next_clock(at, from)).min()
    }

    /// The end of the one that an instant is in.
    pub(super) fn ends(&self, at: &Zoned) -> Option<i64> {
        let minute = minute_of(at);
        let inside = self.spans.iter().filter(|span| is_in(**span, minute));
        inside.filter_map(|(_, to)| next_clock(at, *to % DAY)).max()
    }
}

fn is_in((from, to): (u16, u16), minute: u16) -> bool {
    if from < to {
        (from..to).contains(&minute)
    } else {
        minute >= from || minute < to
    }
}

/// `22:00-06:00`, as minutes of the day. `24:00` is the end of a day.
pub(crate) fn span(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-')?;
    let (from, to) = (minute(from)?, minute(to)?);
    (from < DAY && from != to).then_some((from, to))
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = (two(hour)?, two(minute)?);
    let total = hour * 60 + minute;
    (hour <= 24 && minute < 60 && total <= DAY).then_some(total)
}

/// The minute of the day that a clock shows.
pub(super) fn minute_of(at: &Zoned) -> u16 {
    u16::try_from(i32::from(at.hour()) * 60 + i32::from(at.minute())).unwrap_or(0)
}

/// When a clock shows a minute of the day the next time after an instant. Where it jumps over it, as far behind the jump as
/// it would have been behind its beginning.
fn next_clock(at: &Zoned, minute: u16) -> Option<i64> {
    let time = Time::new(
        i8::try_from(minute / 60).ok()?,
        i8::try_from(minute % 60).ok()?,
        0,
        0,
    );
    let time = time.ok()?;
    let now = at.timestamp();
    // A day may be left out, as on some island at the date line; three in a row are not.
    for days in 0..4 {
        let date = at.date().checked_add(days.days()).ok()?;
        let both = at
            .time_zone()
            .to_ambiguous_zoned(DateTime::from_parts(date, time));
        let each = [both.clone().earlier(), both.later()];
        let found = each
            .into_iter()
            .flatten()
            // Of the two that stand for a time which is left out, the one behind the jump.
            .filter(|found| found.date() == date && found.time() >= time)
            .map(|found| found.timestamp())
            .filter(|found| *found > now)
            .min();
        if let Some(found) = found {
            return Some(found.as_millisecond());
        }
    }
    None
}

/// An instant in a zone.
pub(super) fn zoned(at_ms: i64, zone: &TimeZone) -> Zoned {
    Timestamp::from_millisecond(at_ms)
        .unwrap_or_default()
        .to_zoned(zone.clone())
}
