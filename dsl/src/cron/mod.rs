//! Cron texts: what they say, and the next instant of one in a zone. The only module that names the cron crate.
//!
//! Texts have five fields. Six fields, `?` and `0/6` are Quartz and are read as such, weekdays from 1 = Sunday; they are
//! turned into the form with five (or with seconds, six) fields before anything else sees them. What stands in a field is
//! read here, so that a mistake has its place and a sentence; the calendar is the crate's.
//!
//! It promises for the nights on which clocks change: an instant whose hour is skipped comes once, right after the jump;
//! one whose hour is there twice comes once, unless the text says "every so many minutes" or "every hour". What starts at
//! an instant is decided elsewhere.

mod due;
mod fields;
mod hours;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};

pub use due::Part;
pub use fields::Fault;
use fields::Fields;
pub use hours::Hours;
pub(crate) use hours::span;

/// Instants that [`Cron::gap_below`] looks at: more than the minutes of a day, so that midnight is among them whatever
/// the text says.
const GAPS: usize = 1_500;

const DAY_MS: i64 = 86_400_000;

/// How far it looks: a whole year and the end of the next, so that 31 December and 1 January are neighbours.
const GAPS_MS: i64 = 400 * DAY_MS;

/// Changes of the clock behind which a search that failed goes on: those of two years.
const JUMPS: usize = 4;

/// A cron text that was read.
#[derive(Debug)]
pub struct Cron {
    text: String,
    reading: String,
    is_quartz: bool,
    /// It comes every so many minutes, or every hour: also in the hour that is there twice.
    is_frequent: bool,
    /// It comes in every hour: nothing is missing after a skipped one.
    is_hourly: bool,
    pattern: croner::Cron,
}

impl PartialEq for Cron {
    fn eq(&self, other: &Cron) -> bool {
        self.reading == other.reading && self.text == other.text
    }
}

impl Eq for Cron {}

impl Cron {
    /// Reads a text. A text that was read before and is still in use anywhere is not read again: hundreds of schemes
    /// share a few texts.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the text.
    pub fn parse(text: &str) -> Result<Arc<Cron>, Vec<Fault>> {
        static KNOWN: Mutex<Known> = Mutex::new(Known {
            texts: BTreeMap::new(),
            tidy_at: 64,
        });
        // A panic under the lock leaves a map of whole entries.
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cron) = known.texts.get(text).and_then(Weak::upgrade) {
            return Ok(cron);
        }
        let cron = Arc::new(Cron::read(text)?);
        known.add(text, &cron);
        Ok(cron)
    }

    fn read(text: &str) -> Result<Cron, Vec<Fault>> {
        let fields = Fields::read(text)?;
        let reading = fields.reading();
        let parser = CronParser::builder()
            .seconds(Seconds::Optional)
            .year(Year::Disallowed)
            .build();
        let pattern = parser
            .parse(&reading)
            .map_err(|error| vec![Fault::whole(text, &error.to_string())])?;
        Ok(Cron {
            text: text.to_owned(),
            reading,
            is_quartz: fields.is_quartz,
            is_frequent: fields.is_frequent(),
            is_hourly: fields.is_hourly(),
            pattern,
        })
    }

    /// As it is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// As it was understood: five fields, or six where it has seconds; weekdays from 0 = Sunday.
    pub fn reading(&self) -> &str {
        &self.reading
    }

    /// Whether it was read as Quartz writes it.
    pub fn is_quartz(&self) -> bool {
        self.is_quartz
    }

    /// The first instant after `after_ms`; `None` when there is none (in the next three thousand years).
    ///
    /// ```
    /// use dsl::cron::Cron;
    /// use jiff::tz::TimeZone;
    /// let cron = Cron::parse("*/30 * * * *").unwrap();
    /// assert_eq!(cron.next(0, &TimeZone::UTC), Some(1_800_000));
    /// ```
    pub fn next(&self, after_ms: i64, zone: &TimeZone) -> Option<i64> {
        let after = Timestamp::from_millisecond(after_ms).ok()?;
        let mut next = self.search(&after.to_zoned(zone.clone()))?;
        while !self.is_frequent && is_second(&next) {
            next = self.search(&next)?;
        }
        let made_up = if self.is_hourly {
            None
        } else {
            self.skipped(after, next.timestamp(), zone)
        };
        Some(made_up.unwrap_or(next.timestamp()).as_millisecond())
    }

    /// The last instant up to `at_ms`; `None` when there is none in the four hundred days before.
    ///
    /// It is asked of texts that come daily or seldom: the stretch that is searched grows until there is one in it.
    ///
    /// ```
    /// use dsl::cron::Cron;
    /// use jiff::tz::TimeZone;
    /// let cron = Cron::parse("*/30 * * * *").unwrap();
    /// assert_eq!(cron.last(1_800_000, &TimeZone::UTC), Some(1_800_000));
    /// assert_eq!(cron.last(1_799_999, &TimeZone::UTC), Some(0));
    /// ```
    pub fn last(&self, at_ms: i64, zone: &TimeZone) -> Option<i64> {
        const HOUR_MS: i64 = 3_600_000;
        for back in [HOUR_MS, DAY_MS, 32 * DAY_MS, GAPS_MS] {
            let from = at_ms.checked_sub(back)?;
            let Some(mut last) = self.next(from - 1, zone).filter(|first| *first <= at_ms) else {
                continue;
            };
            while let Some(next) = self.next(last, zone).filter(|next| *next <= at_ms) {
                last = next;
            }
            return Some(last);
        }
        None
    }

    fn search(&self, after: &Zoned) -> Option<Zoned> {
        let found = self.pattern.find_next_occurrence(after, false).ok();
        // Where a zone leaves out a whole day, the search stops before it: it goes on behind.
        let zone = after.time_zone();
        found.or_else(|| {
            let jumps = zone.following(after.timestamp()).take(JUMPS);
            let mut behind = jumps.map(|jump| jump.timestamp().to_zoned(zone.clone()));
            behind.find_map(|from| self.pattern.find_next_occurrence(&from, true).ok())
        })
    }

    /// The end of a jump of the clock in which the text has an instant, before `until`.
    fn skipped(&self, after: Timestamp, until: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        for jump in zone.following(after).take_while(|jump| jump.timestamp() < until) {
            let at = jump.timestamp();
            let before = at.checked_sub(SignedDuration::from_millis(1)).ok()?;
            let from = zone.to_offset(before).to_datetime(at);
            let to = jump.offset().to_datetime(at);
            if from < to && self.names(from, to) {
                return Some(at);
            }
        }
        None
    }

    /// Whether it names a clock time in `[from, to)`.
    fn names(&self, from: DateTime, to: DateTime) -> bool {
        let found = self.pattern.find_next_occurrence(&from, true);
        found.is_ok_and(|found: DateTime| found < to)
    }

    /// A time between two of its instants that is shorter than `least_ms`, if there is one among the instants of a year
    /// (at most [`GAPS`] of them).
    pub fn gap_below(&self, least_ms: i64) -> Option<i64> {
        // 2024 has a 29 February.
        const FROM: i64 = 1_704_067_200_000;
        let first = self.next(FROM - 1, &TimeZone::UTC)?;
        let mut last = first;
        for _ in 0..GAPS {
            let next = self.next(last, &TimeZone::UTC)?;
            if next - last < least_ms {
                return Some(next - last);
            }
            // Every day on which it comes is like the first one. What is left is midnight, between two such days.
            let is_another_day = next.div_euclid(DAY_MS) != first.div_euclid(DAY_MS);
            let over_midnight = DAY_MS - last.rem_euclid(DAY_MS) + first.rem_euclid(DAY_MS);
            if is_another_day && over_midnight >= least_ms || next > FROM + GAPS_MS {
                return None;
            }
            last = next;
        }
        None
    }
}

/// Whether a clock time that is there twice is meant the second time.
fn is_second(time: &Zoned) -> bool {
    let both = time.time_zone().to_ambiguous_zoned(time.datetime());
    match both.offset() {
        AmbiguousOffset::Fold { after, .. } => time.offset() == after,
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Gap { .. } => false,
    }
}

/// The texts in use. Those that nobody uses any more are cleared away when their number has doubled.
struct Known {
    texts: BTreeMap<String, Weak<Cron>>,
    tidy_at: usize,
}

impl Known {
    fn add(&mut self, text: &str, cron: &Arc<Cron>) {
        if self.texts.len() >= self.tidy_at {
            self.texts.retain(|_, cron| cron.strong_count() > 0);
            self.tidy_at = (self.texts.len() * 2).max(64);
        }
        self.texts.insert(text.to_owned(), Arc::downgrade(cron));
    }
}
