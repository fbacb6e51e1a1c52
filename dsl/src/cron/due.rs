//! When a scheme is due by its schedule: the rule, in its zone, within its hours.

use jiff::civil::date;

use super::hours::{DAY, minute_of, zoned};
use crate::plan::{Schedule, When};

/// Which half of a scheme is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Reading and writing together.
    All,
    /// Reading, where it has a text of its own.
    Source,
    /// Writing, likewise.
    Target,
}

/// Closed stretches that a search for an instant steps over: more than the days of a year.
const STRETCHES: usize = 400;

impl Schedule {
    /// The halves that have a rule.
    pub fn parts(&self) -> &'static [Part] {
        match &self.when {
            When::Every(_) | When::Cron(_) => &[Part::All],
            When::Both { .. } => &[Part::Source, Part::Target],
            When::OnPush | When::After => &[],
        }
    }

    /// The first instant after `after_ms` at which a half is due, within the hours; `None` = never (again).
    ///
    /// `every` counts from the midnight of a Monday (5 January 1970, in the zone), so that `every: 2h` is 00:00, 02:00, ...,
    /// whenever the process was started.
    pub fn next(&self, part: Part, after_ms: i64) -> Option<i64> {
        let cron = match (&self.when, part) {
            (When::Every(every), Part::All) => {
                let begin = self.grid();
                let steps = after_ms.checked_sub(begin)?.div_euclid(*every).checked_add(1)?;
                let next = steps.checked_mul(*every)?.checked_add(begin)?;
                return Some(self.opens(next));
            }
            (When::Cron(cron), Part::All) => cron,
            (When::Both { source, .. }, Part::Source) => source,
            (When::Both { target, .. }, Part::Target) => target,
            _ => return None,
        };
        let mut after = after_ms;
        for _ in 0..STRETCHES {
            let next = cron.next(after, &self.zone)?;
            let opens = self.opens(next);
            if opens == next {
                return Some(next);
            }
            after = opens - 1;
        }
        None
    }

    /// The first instant from `at_ms` on at which something may be started.
    pub fn opens(&self, at_ms: i64) -> i64 {
        if self.hours.is_empty() && self.quiet.is_empty() {
            return at_ms;
        }
        let mut at = at_ms;
        // Hours and quiet hours may follow each other; as many as there are stretches, and over midnight.
        for _ in 0..4 * super::Hours::MOST {
            let clock = zoned(at, &self.zone);
            let minute = minute_of(&clock);
            let next = if !self.hours.is_empty() && !self.hours.contains(minute) {
                self.hours.begins(&clock)
            } else if self.quiet.contains(minute) {
                self.quiet.ends(&clock)
            } else {
                return at;
            };
            match next {
                Some(next) => at = next,
                None => return at,
            }
        }
        at
    }

    /// Whether there is a minute of the day in which something may be started.
    pub(crate) fn ever_opens(&self) -> bool {
        (0..DAY).any(|minute| {
            (self.hours.is_empty() || self.hours.contains(minute)) && !self.quiet.contains(minute)
        })
    }

    fn grid(&self) -> i64 {
        date(1970, 1, 5)
            .to_zoned(self.zone.clone())
            .map_or(0, |midnight| midnight.timestamp().as_millisecond())
    }

    /// The rule of a half as text: when two differ, what was reckoned with one says nothing about the other.
    pub fn rule(&self, part: Part) -> String {
        let when = match (&self.when, part) {
            (When::Every(ms), _) => format!("every {ms}ms"),
            (When::Cron(cron), _) => format!("cron {}", cron.reading()),
            (When::Both { source, .. }, Part::Source) => format!("cron {}", source.reading()),
            (When::Both { target, .. }, _) => format!("cron {}", target.reading()),
            (When::OnPush | When::After, _) => String::new(),
        };
        let zone = self.zone.iana_name().unwrap_or("UTC");
        let mut text = format!("{when} in {zone}");
        for (name, hours) in [("hours", &self.hours), ("quiet", &self.quiet)] {
            if !hours.is_empty() {
                text.push_str(&format!(" {name} {}", hours.text()));
            }
        }
        text
    }
}
