//! What happens in a service, for those who watch: a ring of the last events, each with a number that grows.
//!
//! Events say what changed, not what it is now: whoever watches asks then. The ring is bounded; who comes too late for
//! it is told so, and asks for everything.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use flow::ids::Ms;
use flow::op::{Counts, Reason};
use flow::timetable::{Cause, Half};
use tokio::sync::watch;

/// So long an event is kept: twice what a page may be without its stream before it asks for everything anyway.
const KEPT_FOR: Ms = 10 * 60_000;
/// Events that are kept of this time: those of a service that begins and ends ten runs a second.
const KEPT: usize = 12_000;

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its number. It grows, also over restarts of the process: it begins with the instant of the start.
    pub id: u64,
    /// When it happened.
    pub at: Ms,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A run began.
    RunBegan {
        /// The scheme.
        scheme: String,
        /// Which half of it.
        half: Half,
        /// Why.
        cause: Cause,
        /// How long after its due instant.
        late: Ms,
    },
    /// A run has come further: at most twice a second for each.
    RunGoes {
        /// The scheme.
        scheme: String,
        /// Rows read so far.
        rows: u64,
        /// Records settled so far.
        written: u64,
    },
    /// A run ended.
    RunEnded(Box<RunEnd>),
    /// A scheme is not started any more.
    Paused {
        /// The scheme.
        scheme: String,
        /// Who paused it.
        by: String,
        /// Why.
        reason: Reason,
    },
    /// A scheme is started again.
    Resumed {
        /// The scheme.
        scheme: String,
        /// Who let it.
        by: String,
    },
    /// The files were read again.
    Reloaded {
        /// Schemes that can run.
        ready: usize,
        /// Those that cannot.
        broken: usize,
    },
    /// The files could not be read again; those from before stay in force.
    NotReloaded(Reason),
    /// Something was pushed.
    Arrived {
        /// For this scheme.
        scheme: String,
    },
    /// Records were changed by people.
    Decided {
        /// Of this scheme.
        scheme: String,
        /// How many.
        records: u64,
    },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEnd {
    /// The scheme.
    pub scheme: String,
    /// Which half of it.
    pub half: Half,
    /// Why it was begun.
    pub cause: Cause,
    /// When it began.
    pub began: Ms,
    /// `ok`, `partial`, `failed` or `canceled`.
    pub status: &'static str,
    /// Why, where it is not plain: what stopped it, or kept it from beginning.
    pub reason: Option<Reason>,
    /// Sightings of this run; `None` = it did not come so far.
    pub counts: Option<Counts>,
    /// All records of the scheme, in the order of `RecordState::ALL`.
    pub states: Option<[u64; 7]>,
    /// Windows that could not be closed.
    pub windows_left: u32,
    /// Records accepted by the target.
    pub written: u64,
}

impl What {
    /// The scheme it is about.
    pub fn scheme(&self) -> Option<&str> {
        match self {
            What::RunBegan { scheme, .. }
            | What::RunGoes { scheme, .. }
            | What::Paused { scheme, .. }
            | What::Resumed { scheme, .. }
            | What::Arrived { scheme }
            | What::Decided { scheme, .. } => Some(scheme),
            What::RunEnded(end) => Some(&end.scheme),
            What::Reloaded { .. } | What::NotReloaded(_) => None,
        }
    }

    /// The word for it in the API.
    pub fn word(&self) -> &'static str {
        match self {
            What::RunBegan { .. } => "run.began",
            What::RunGoes { .. } => "run.goes",
            What::RunEnded(_) => "run.ended",
            What::Paused { .. } => "scheme.paused",
            What::Resumed { .. } => "scheme.resumed",
            What::Reloaded { .. } => "reloaded",
            What::NotReloaded(_) => "not_reloaded",
            What::Arrived { .. } => "push.arrived",
            What::Decided { .. } => "records.decided",
        }
    }
}

/// The last events, and a bell for new ones.
#[derive(Debug)]
pub struct Events {
    ring: Mutex<Ring>,
    newest: watch::Sender<u64>,
}

#[derive(Debug)]
struct Ring {
    events: VecDeque<Event>,
    next: u64,
}

/// What somebody gets who has seen events up to a number.
#[derive(Debug, Clone, PartialEq)]
pub enum Since {
    /// Everything that happened since then.
    Events(Vec<Event>),
    /// Some of it is not kept any more: ask for everything, and go on behind this number.
    Lost(u64),
}

impl Events {
    /// None yet. `now` is when the service starts.
    pub fn new(now: Ms) -> Events {
        // A thousand events a millisecond, and numbers for 292 million years.
        let next = u64::try_from(now).unwrap_or(0).saturating_mul(1_000) + 1;
        Events {
            ring: Mutex::new(Ring {
                events: VecDeque::new(),
                next,
            }),
            newest: watch::Sender::new(next - 1),
        }
    }

    /// Something happened.
    pub fn tell(&self, at: Ms, what: What) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let id = ring.next;
        ring.next += 1;
        ring.events.push_back(Event { id, at, what });
        let is_old = |event: &Event| at - event.at > KEPT_FOR;
        while ring.events.len() > KEPT || ring.events.front().is_some_and(is_old) {
            ring.events.pop_front();
        }
        drop(ring);
        self.newest.send_replace(id);
    }

    /// What happened behind a number; `None` = from now on.
    pub fn since(&self, seen: Option<u64>) -> Since {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = ring.next - 1;
        let seen = seen.unwrap_or(newest);
        let oldest = ring.events.front().map_or(ring.next, |event| event.id);
        // A number that is not of this process, or not kept any more.
        if seen > newest || seen + 1 < oldest {
            return Since::Lost(newest);
        }
        let from = usize::try_from(seen + 1 - oldest).unwrap_or(usize::MAX);
        Since::Events(
            ring.events
                .range(from.min(ring.events.len())..)
                .cloned()
                .collect(),
        )
    }

    /// Rings with the number of each new event.
    pub fn bell(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived(n: usize) -> What {
        What::Arrived {
            scheme: n.to_string(),
        }
    }

    #[test]
    fn what_was_seen_is_not_told_again_and_what_is_lost_is_told_as_lost() {
        let events = Events::new(7);
        let Since::Events(none) = events.since(None) else {
            panic!("nothing has happened");
        };
        assert!(none.is_empty());
        for n in 0..3 {
            events.tell(8, arrived(n));
        }
        let Since::Events(all) = events.since(Some(7_000)) else {
            panic!("all are kept");
        };
        let ids: Vec<u64> = all.iter().map(|event| event.id).collect();
        assert_eq!(ids, [7_001, 7_002, 7_003]);
        assert_eq!(events.since(Some(7_002)), Since::Events(all[2..].to_vec()));
        assert_eq!(events.since(Some(7_003)), Since::Events(Vec::new()));
        // Of an earlier process, and of a later one than this.
        assert_eq!(events.since(Some(6_999)), Since::Lost(7_003));
        assert_eq!(events.since(Some(9_000)), Since::Lost(7_003));
        for n in 0..KEPT {
            events.tell(9, arrived(n));
        }
        let newest = 7_003 + u64::try_from(KEPT).unwrap();
        assert_eq!(events.since(Some(7_002)), Since::Lost(newest));
        assert_eq!(*events.bell().borrow(), newest);
        let Since::Events(kept) = events.since(Some(7_003)) else {
            panic!("the ring holds so many");
        };
        assert_eq!(kept.len(), KEPT);
    }

    /// What a process keeps is the same after an hour and after a month.
    #[test]
    fn events_grow_old() {
        let events = Events::new(7);
        for n in 0..10 {
            events.tell(9, arrived(n));
        }
        events.tell(9 + KEPT_FOR, arrived(10));
        let Since::Events(kept) = events.since(Some(7_001)) else {
            panic!("none is too old");
        };
        assert_eq!(kept.len(), 10);
        events.tell(10 + KEPT_FOR, arrived(11));
        assert_eq!(events.since(Some(7_001)), Since::Lost(7_012));
        let Since::Events(kept) = events.since(Some(7_010)) else {
            panic!("the last two are young");
        };
        assert_eq!(kept.len(), 2);
    }
}
