//! Reading by the versions of rows: a number that the source draws anew with every change of a row, and by which it can
//! be asked for what changed since.
//!
//! The greatest version that was seen is not yet how far the source was read: a change draws its version when it begins
//! and can be seen when it ends, so a row may appear *below* versions that were read before it. What bounds it is how
//! long a change takes, `settle`. With `seen(t)` the greatest version that any page had shown by the instant `t`:
//!
//! * a row that appears below a page read at `t` drew its version after `t - settle`, so that it lies above
//!   `seen(t - settle)`;
//! * a reading that is at the rows of the last `settle` is at the source's newest rows, and reads them faster than they
//!   change: it ends within another `settle`.
//!
//! So everything that a reading which ended at `t` may have missed lies above `seen(t - 2 settle)`, and there the next
//! one begins, however much later that is. A reading that breaks off begins the next one no later than where it had come
//! itself. What is read twice is known by its key and changes nothing.

use crate::ids::Ms;
use crate::op::Reason;
use crate::{codes, event::Page};

/// A version: a whole number that fits 38 digits. It is compared, never calculated with but for the step back to ask.
pub type Version = u128;

/// How a source is read by version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRule {
    /// Whose versions: connection and operation. Each has marks of its own.
    pub source: String,
    /// Behind which version reading begins when nothing was read yet.
    pub first: Version,
    /// Where this run begins, given by hand.
    pub from: Option<Version>,
    /// How long after its version was drawn a row may still appear.
    pub settle: Ms,
    /// The last version is asked for once more with every page: the source gives rows *behind* a version only, and a
    /// page may have ended between two rows of one version.
    pub again: bool,
}

/// A version that was seen by an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionMark {
    /// The instant.
    pub at: Ms,
    /// The greatest version that was seen by then.
    pub version: Version,
}

/// How far a source was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionMarks {
    /// When its last page was read, and where that reading stood: behind it, nothing was read again yet.
    pub read: VersionMark,
    /// The greatest versions seen, oldest first: one that is older than twice `settle`, and those behind it.
    pub seen: Vec<VersionMark>,
}

/// Marks within one `settle`; more of them would make the overlap no smaller that anybody notices.
const MARKS: Ms = 8;

impl VersionMarks {
    /// Where a reading begins that nothing was read before.
    fn new(first: Version) -> Self {
        let begin = VersionMark {
            at: 0,
            version: first,
        };
        VersionMarks {
            read: begin,
            seen: vec![begin],
        }
    }

    /// Where the next reading begins.
    pub fn start(&self, settle: Ms) -> Version {
        let settled = self.read.at.saturating_sub(settle.saturating_mul(2));
        let newest = self.seen.iter().rev().find(|mark| mark.at <= settled);
        let known = newest.or(self.seen.first());
        known.map_or(self.read.version, |mark| mark.version.min(self.read.version))
    }

    /// After a page: where its reading stands now, and whether it was the last one.
    #[must_use]
    pub fn after(mut self, position: Version, last: bool, now: Ms, settle: Ms) -> Self {
        // A clock that was set back makes nothing younger.
        let at = now.max(self.read.at);
        let known = self.seen.last().map_or(position, |mark| mark.version);
        let newest = VersionMark {
            at,
            version: known.max(position),
        };
        // Taking a mark away never lets a reading begin later.
        let crowded = match self.seen.as_slice() {
            [.., before, _] => at - before.at < settle / MARKS,
            _ => false,
        };
        if crowded {
            self.seen.pop();
        }
        self.seen.push(newest);
        let settled = at.saturating_sub(settle.saturating_mul(2));
        let old = self.seen.iter().rposition(|mark| mark.at <= settled);
        self.seen.drain(..old.unwrap_or(0));
        self.read = VersionMark {
            at,
            version: if last { newest.version } else { position },
        };
        self
    }
}

/// A reading by version under way.
#[derive(Debug, Clone)]
pub(crate) struct ByVersion {
    pub(crate) rule: VersionRule,
    marks: VersionMarks,
    /// All up to here was read.
    position: Version,
    /// Begun behind the marks by hand: what lies between is not read, and they stay where they are.
    ahead: bool,
}

impl ByVersion {
    pub(crate) fn new(rule: VersionRule, known: Option<VersionMarks>) -> Self {
        let ahead = match (&known, rule.from) {
            (Some(marks), Some(from)) => from > marks.start(rule.settle),
            _ => false,
        };
        let first = rule.from.unwrap_or(rule.first);
        let marks = known.unwrap_or_else(|| VersionMarks::new(first));
        let position = rule.from.unwrap_or_else(|| marks.start(rule.settle));
        ByVersion {
            rule,
            marks,
            position,
            ahead,
        }
    }

    /// The version that the next page is asked with.
    pub(crate) fn since(&self) -> Version {
        self.position.saturating_sub(u128::from(self.rule.again))
    }

    /// Takes a page into account; `Err` = the source does not page by version.
    pub(crate) fn take(&mut self, page: &Page) -> Result<(), Reason> {
        let asked = self.since();
        if let Some((lowest, _)) = page.versions.filter(|(lowest, _)| *lowest < asked) {
            return Err(Reason::new(codes::VERSION_IGNORED, format!("{lowest} < {asked}")));
        }
        let greatest = page.versions.map_or(self.position, |(_, greatest)| greatest);
        if page.more && greatest <= self.position {
            return Err(Reason::new(codes::VERSION_STUCK, self.position.to_string()));
        }
        self.position = self.position.max(greatest);
        Ok(())
    }

    /// The marks once the page just taken is stored; `None` = they stay.
    pub(crate) fn stored(&mut self, last: bool, now: Ms) -> Option<VersionMarks> {
        if self.ahead {
            return None;
        }
        let marks = self.marks.clone();
        self.marks = marks.after(self.position, last, now, self.rule.settle);
        Some(self.marks.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Ms = 60_000;

    /// Pages as (instant, position, last), and where the next reading begins.
    #[test]
    fn the_next_reading_begins_where_nothing_can_have_been_missed() {
        for (pages, want) in [
            (vec![], 0),
            // Within two settles everything is read again, whatever the instant of the next reading.
            (vec![(1_000_000, 50, true)], 0),
            (vec![(1_000_000, 50, true), (1_060_000, 90, true)], 0),
            (vec![(1_000_000, 50, true), (1_120_000, 90, true)], 50),
            (vec![(1_000_000, 50, true), (9_000_000, 50, true)], 50),
            // A long reading that breaks off begins two settles before that.
            (
                vec![
                    (1_000_000, 10, false),
                    (1_060_000, 20, false),
                    (1_180_000, 30, false),
                ],
                20,
            ),
            // One that breaks off among what is read again begins where it was, not where the one before it ended.
            (
                vec![
                    (1_000_000, 50, true),
                    (9_000_000, 50, true),
                    (9_500_000, 40, false),
                ],
                40,
            ),
            // The clock was set back.
            (vec![(9_000_000, 50, true), (1_000_000, 60, true)], 0),
        ] {
            let mut marks = VersionMarks::new(0);
            for (at, position, last) in &pages {
                marks = marks.after(*position, *last, *at, SETTLE);
            }
            assert_eq!(marks.start(SETTLE), want, "{pages:?}");
        }
    }

    fn page(versions: Option<(Version, Version)>, more: bool) -> Page {
        Page {
            rows: Vec::new(),
            raw_rows: u64::from(versions.is_some()),
            more,
            total: None,
            fingerprint: 0,
            prints: Vec::new(),
            mark: None,
            versions,
            pushes: Vec::new(),
        }
    }

    fn reading(first: Version, from: Option<Version>, again: bool, known: Option<VersionMarks>) -> ByVersion {
        let source = String::new();
        let rule = VersionRule {
            source,
            first,
            from,
            settle: SETTLE,
            again,
        };
        ByVersion::new(rule, known)
    }

    /// Versions of a page, whether another follows -> the version of the next page, or why there is none.
    #[test]
    fn the_next_page() {
        for (again, versions, more, want) in [
            (true, Some((100, 120)), true, Ok(119)),
            (false, Some((101, 120)), true, Ok(120)),
            (true, Some((99, 120)), true, Ok(119)),
            (true, None, false, Ok(99)),
            // Only the last version, once more.
            (true, Some((100, 100)), false, Ok(99)),
            (true, Some((100, 100)), true, Err("E3076")),
            (true, None, true, Err("E3076")),
            (true, Some((98, 120)), true, Err("E3077")),
            (false, Some((99, 120)), false, Err("E3077")),
        ] {
            let mut reading = reading(100, None, again, None);
            let told = reading.take(&page(versions, more));
            let got = told.map(|()| reading.since()).map_err(|reason| reason.code);
            assert_eq!(got, want.map_err(str::to_owned), "{again} {versions:?} {more}");
        }
    }

    /// Begun by hand: what lies between is not taken for read, and nothing is forgotten.
    #[test]
    fn a_version_given_by_hand() {
        let known = || Some(VersionMarks::new(0).after(500, true, 9_000_000, 0));
        for (from, begins, moves) in [(None, 500, true), (Some(7), 7, true), (Some(900), 900, false)] {
            let mut reading = reading(0, from, false, known());
            assert_eq!(reading.since(), begins);
            let stood = reading.take(&page(Some((1_000, 1_000)), false));
            assert_eq!(
                (stood, reading.stored(true, 9_000_001).is_some()),
                (Ok(()), moves),
                "{from:?}"
            );
        }
        // The first run begins where it is told to.
        let mut reading = reading(0, Some(900), true, None);
        assert_eq!(reading.since(), 899);
        assert!(reading.stored(true, 1).is_some());
    }

    #[test]
    fn marks_stay_few() {
        let mut marks = VersionMarks::new(0);
        for nth in 0..100_000_u32 {
            marks = marks.after(u128::from(nth), false, Ms::from(nth) * 100, SETTLE);
            assert!(marks.seen.len() <= 20, "{}", marks.seen.len());
        }
        assert!(marks.start(SETTLE) > 98_000, "{marks:?}");
    }
}
