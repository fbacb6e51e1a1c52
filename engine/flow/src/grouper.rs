//! Between reading and writing: rows of which several become one document are gathered, and frozen with it.
//!
//! A document is durable before it is sent, and what it is made of never changes afterwards, so nothing here is repeated
//! or taken back: a process that dies before the transaction gathers the same rows once more.

use crate::codes;
use crate::event::{Action, Event, Grouped, Stopped, TargetFacts};
use crate::ids::Ms;
use crate::op::{LedgerOp, LedgerReply, Reason, Refusal};
use crate::reader::{HIGH_WATER, Step};
use crate::trouble::Trouble;

/// Times that rows are gathered where some of them changed meanwhile. Nobody else writes during a run but people, so that
/// a second time is rare.
const MAX_TIMES: u32 = 3;

/// Rows gathered at a time: reading pauses before there are more, but for a page.
const MOST: u64 = 2 * HIGH_WATER;

enum State {
    Start,
    Picking,
    Grouping,
    Freezing(u64),
}

/// Gathers the rows of one scheme.
pub(crate) struct Grouper {
    scheme: String,
    limit: Option<u64>,
    stop_at_first_dead: bool,
    state: State,
    times: u32,
    /// There may be more rows than were picked.
    more: bool,
    /// A row is in no document, for a reason of its own.
    pub(crate) trouble: Trouble,
    pub(crate) stopped: Option<Stopped>,
}

impl Grouper {
    pub(crate) fn new(scheme: &str, target: &TargetFacts, limit: Option<u64>) -> Self {
        Grouper {
            scheme: scheme.to_owned(),
            limit,
            stop_at_first_dead: target.stop_at_first_dead,
            state: State::Start,
            times: 0,
            more: false,
            trouble: Trouble::default(),
            stopped: None,
        }
    }

    pub(crate) fn step(&mut self, now: Ms, event: Option<Event>) -> Step {
        match (std::mem::replace(&mut self.state, State::Start), event) {
            (State::Start, _) => self.pick(now),
            (State::Picking, Some(Event::Ledger(replies))) => match replies.into_iter().next() {
                Some(LedgerReply::Loose(rows)) if rows.is_empty() => Step::Done,
                Some(LedgerReply::Loose(rows)) => {
                    self.more = self.limit.is_none() && rows.len() as u64 >= MOST;
                    self.state = State::Grouping;
                    Step::Act(Action::Group(rows))
                }
                _ => self.bug("no rows to gather"),
            },
            (State::Grouping, Some(Event::Grouped(grouped))) => self.freeze(now, grouped),
            (State::Freezing(wanted), Some(Event::Ledger(replies))) => {
                let hit = replies.iter().rev().find_map(|reply| match reply {
                    LedgerReply::Count(hit) => Some(*hit),
                    _ => None,
                });
                match hit {
                    _ if self.stopped.is_some() => Step::Done,
                    // Whatever was frozen is picked no more, so that this comes to an end.
                    Some(hit) if self.more && hit > 0 => self.pick(now),
                    Some(hit) if hit < wanted && self.times < MAX_TIMES => self.pick(now),
                    _ => Step::Done,
                }
            }
            (_, _) => self.bug("event out of order while gathering"),
        }
    }

    fn pick(&mut self, now: Ms) -> Step {
        self.times += 1;
        self.state = State::Picking;
        let most = self.limit.unwrap_or(u64::MAX).min(MOST);
        Step::Act(Action::Ledger(vec![LedgerOp::PickLoose {
            scheme: self.scheme.clone(),
            limit: u32::try_from(most).unwrap_or(u32::MAX),
            now,
        }]))
    }

    /// One transaction: what is in no document is told in the one that makes the documents.
    fn freeze(&mut self, now: Ms, mut grouped: Grouped) -> Step {
        for (_, _, refusal) in &grouped.refused {
            if let Refusal::Dead(reason) = refusal {
                self.trouble.note(reason);
                if self.stop_at_first_dead && self.stopped.is_none() {
                    self.stopped = Some(Stopped::FirstDead(reason.clone()));
                }
            }
        }
        if self.stopped.is_some() {
            grouped.parts.clear();
        }
        let wanted = u64::try_from(grouped.parts.len()).unwrap_or(u64::MAX);
        self.state = State::Freezing(wanted);
        let mut ops = Vec::with_capacity(2);
        if !grouped.refused.is_empty() {
            ops.push(LedgerOp::Refuse {
                rows: grouped.refused,
                now,
            });
        }
        if !grouped.parts.is_empty() {
            ops.push(LedgerOp::Freeze {
                scheme: self.scheme.clone(),
                parts: grouped.parts,
                now,
            });
        }
        if ops.is_empty() {
            return Step::Done;
        }
        Step::Act(Action::Ledger(ops))
    }

    fn bug(&mut self, what: &str) -> Step {
        self.stopped = Some(Stopped::Target(Reason::new(codes::BUG, what)));
        Step::Done
    }
}
