//! For trials: a process that ends, or is held up, at a named instant between two effects.
//!
//! The instants are [`flow::point`]'s. They are reached at the two places that everything passes: the ledger's
//! transactions and the actions of a run. A process that nobody has told to fail looks at one empty option there.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flow::point::{Point, Side};

/// Longest delay; a trial that needs more would be mistaken for one that hangs.
const MAX_DELAY_MS: u64 = 60_000;

/// What happens at which instant.
#[derive(Debug)]
pub struct Failpoint {
    what: What,
    /// How often the instant was reached.
    reached: AtomicU64,
}

#[derive(Debug, PartialEq, Eq)]
enum What {
    /// Every instant is written into a file, in order.
    Note(PathBuf),
    /// The n-th time that an instant is reached.
    At(Point, Side, u64, Then),
}

#[derive(Debug, PartialEq, Eq)]
enum Then {
    /// The process ends as if it had been killed: nothing is closed, nothing is told.
    Abort,
    /// The process stands still for so long.
    Delay(Duration),
}

impl Failpoint {
    /// Reads `POINT:before|after:N:abort`, `POINT:before|after:N:delay=MS`, or `note:FILE`.
    pub fn parse(text: &str) -> Option<Self> {
        let what = match text.strip_prefix("note:") {
            Some(path) => What::Note(PathBuf::from(path)),
            None => at(text)?,
        };
        Some(Failpoint {
            what,
            reached: AtomicU64::new(0),
        })
    }

    /// An instant is reached.
    pub fn reach(&self, side: Side, point: Point) {
        match &self.what {
            What::Note(path) => note(path, side, point),
            What::At(wanted, on, nth, then) if *wanted == point && *on == side => {
                if self.reached.fetch_add(1, Ordering::SeqCst) + 1 == *nth {
                    happen(then);
                }
            }
            What::At(..) => {}
        }
    }

    /// As the ledger takes it.
    pub fn watch(self: &Arc<Self>) -> ledger::Watch {
        let own = Arc::clone(self);
        Arc::new(move |side, point| own.reach(side, point))
    }
}

fn at(text: &str) -> Option<What> {
    let mut parts = text.split(':');
    let (point, side) = (Point::from_word(parts.next()?)?, Side::from_word(parts.next()?)?);
    let nth = parts.next()?.parse().ok().filter(|nth| *nth > 0)?;
    let then = match parts.next()? {
        "abort" => Then::Abort,
        other => {
            let ms = other.strip_prefix("delay=")?.parse().ok()?;
            Then::Delay(Duration::from_millis(Some(ms).filter(|ms| *ms <= MAX_DELAY_MS)?))
        }
    };
    parts.next().is_none().then_some(What::At(point, side, nth, then))
}

fn note(path: &PathBuf, side: Side, point: Point) {
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
    let line = format!("{} {}\n", point.word(), side.word());
    // The trial misses what could not be written.
    drop(file.and_then(|mut file| file.write_all(line.as_bytes())));
}

fn happen(then: &Then) {
    match then {
        Then::Abort => std::process::abort(),
        #[expect(clippy::disallowed_methods, reason = "stands for a process that is held up")]
        Then::Delay(length) => std::thread::sleep(*length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings() {
        for (text, want) in [
            (
                "claim:after:2:abort",
                Some(What::At(Point::Claim, Side::After, 2, Then::Abort)),
            ),
            (
                "call_create:before:1:delay=250",
                Some(What::At(
                    Point::Create,
                    Side::Before,
                    1,
                    Then::Delay(Duration::from_millis(250)),
                )),
            ),
            ("note:a:b", Some(What::Note(PathBuf::from("a:b")))),
            ("claim:after:0:abort", None),
            ("claim:after:x:abort", None),
            ("claim:beside:1:abort", None),
            ("moon:after:1:abort", None),
            ("claim:after:1", None),
            ("claim:after:1:delay", None),
            ("claim:after:1:delay=60001", None),
            ("claim:after:1:abort:now", None),
            ("", None),
        ] {
            assert_eq!(Failpoint::parse(text).map(|found| found.what), want, "{text}");
        }
    }

    #[test]
    fn only_the_nth_time_of_its_own_instant_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seen");
        let noted = Failpoint::parse(&format!("note:{}", path.display())).unwrap();
        noted.reach(Side::Before, Point::Claim);
        noted.reach(Side::After, Point::Claim);
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "claim before\nclaim after\n"
        );
        let point = Failpoint::parse("claim:after:2:delay=1").unwrap();
        point.reach(Side::Before, Point::Claim);
        point.reach(Side::After, Point::Settle);
        assert_eq!(point.reached.load(Ordering::SeqCst), 0);
        point.reach(Side::After, Point::Claim);
        assert_eq!(point.reached.load(Ordering::SeqCst), 1);
    }
}
