//! One half of one scheme: its rule, what is due next, what is owed, and its counts.

use super::LATE;
use super::event::{Cause, DueRow, Half, Tally, Timing};
use super::queue::Key;
use crate::ids::Ms;

/// An instant that came and whose run has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owed {
    /// The first of those that the run makes up for.
    pub(super) due: Ms,
    pub(super) cause: Cause,
    /// Owed after a crash, too. What only a person, a push or stored records asked for is not: the one sees it and asks
    /// again, the others are in the ledger, and whoever begins asks about them.
    pub(super) lasting: bool,
}

impl Owed {
    pub(super) fn new(due: Ms, cause: Cause) -> Owed {
        let lasting = matches!(cause, Cause::Schedule | Cause::After);
        Owed { due, cause, lasting }
    }

    /// What is left of it where its run did not do it: nobody waits any more for what was asked for by hand, and it must
    /// not begin at once again and again.
    pub(super) fn undone(self) -> Option<Owed> {
        if !self.by_hand() {
            return Some(self);
        }
        self.lasting.then(|| Owed::new(self.due, Cause::Schedule))
    }

    /// A person asked for it: nothing but places keeps it from beginning.
    pub(super) fn by_hand(&self) -> bool {
        self.cause == Cause::Manual
    }

    /// Two reasons for one run: the older instant, the weightier cause.
    pub(super) fn and(self, other: Owed) -> Owed {
        Owed {
            due: self.due.min(other.due),
            cause: self.cause.max(other.cause),
            lasting: self.lasting || other.lasting,
        }
    }
}

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) half: Half,
    pub(super) timing: Option<Timing>,
    /// The next instant of the rule, and when its timer fires.
    pub(super) next: Option<Ms>,
    pub(super) fires: Option<Ms>,
    pub(super) owed: Option<Owed>,
    /// What came while a run of this half was under way.
    pub(super) again: Option<Owed>,
    /// Not offered before; a timer fires then.
    pub(super) held: Option<Ms>,
    /// Its place in the queue.
    pub(super) key: Option<Key>,
    /// When a run last began that nobody asked for by hand: the least interval counts from there.
    pub(super) paced: Option<Ms>,
    pub(super) started: Option<Ms>,
    pub(super) ended: Option<Ms>,
    pub(super) tally: Tally,
}

impl Slot {
    pub(super) fn new(half: Half) -> Slot {
        Slot {
            half,
            timing: None,
            next: None,
            fires: None,
            owed: None,
            again: None,
            held: None,
            key: None,
            paced: None,
            started: None,
            ended: None,
            tally: Tally::default(),
        }
    }

    pub(super) fn remember(&mut self, row: &DueRow) {
        self.started = row.started;
        self.paced = row.started;
        self.ended = row.ended;
        self.tally = row.tally;
    }

    /// What is worth remembering.
    pub(super) fn row(&self, scheme: &str) -> DueRow {
        let owed = [self.owed, self.again].into_iter().flatten();
        let owed = owed.filter(|owed| owed.lasting).map(|owed| owed.due).min();
        DueRow {
            scheme: scheme.to_owned(),
            half: self.half,
            rule: self
                .timing
                .as_ref()
                .map_or_else(String::new, |timing| timing.text.clone()),
            next: owed.or(self.next),
            started: self.started,
            ended: self.ended,
            tally: self.tally,
        }
    }

    /// Its run begins.
    pub(super) fn begun(&mut self, now: Ms) {
        self.started = Some(now);
        self.tally.starts += 1;
        let Some(owed) = self.owed.filter(|owed| !owed.by_hand()) else {
            return;
        };
        if owed.cause != Cause::Push {
            self.paced = Some(now);
        }
        let lateness = (now - owed.due).max(0);
        self.tally.lateness = lateness;
        self.tally.worst = self.tally.worst.max(lateness);
        self.tally.late += u64::from(lateness > LATE);
    }

    /// When the timer of an instant fires: spread over its jitter, inside the hours, before the instant that follows.
    pub(super) fn fires_at(&self, scheme: &str, next: Ms) -> Ms {
        let Some(timing) = self.timing.as_ref().filter(|timing| timing.jitter > 0) else {
            return next;
        };
        let room = timing
            .rule
            .next(next)
            .map_or(timing.jitter, |after| (after - next - 1).min(timing.jitter));
        let Ok(room) = u64::try_from(room) else {
            return next;
        };
        let spread = stable_hash(scheme) % (room + 1);
        let at = next.saturating_add(Ms::try_from(spread).unwrap_or(0));
        if timing.rule.opens(at) == at { at } else { next }
    }
}

/// The same for a scheme on every machine, in every version: FNV-1a, and a last stir so that ids that differ in their
/// last digit lie far apart.
pub(super) fn stable_hash(text: &str) -> u64 {
    let mut hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}
