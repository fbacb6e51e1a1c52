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
    /// So many documents, and so many rows that are in none.
    Freezing(u64, u64),
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
            (State::Freezing(wanted, refused), Some(Event::Ledger(replies))) => {
                let count = |reply: Option<&LedgerReply>| match reply {
                    Some(LedgerReply::Count(hit)) => Some(*hit),
                    _ => None,
                };
                // A refusal that was carried out is picked no more either.
                let gone = count(replies.first().filter(|_| refused > 0)).unwrap_or_default();
                let hit = replies.iter().rev().find_map(|reply| match reply {
                    LedgerReply::Count(hit) => Some(*hit),
                    _ => None,
                });
                match hit {
                    _ if self.stopped.is_some() => Step::Done,
                    // Whatever was frozen is picked no more, so that this comes to an end.
                    Some(hit) if self.more && hit.max(gone) > 0 => self.pick(now),
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
        let refused = u64::try_from(grouped.refused.len()).unwrap_or(u64::MAX);
        self.state = State::Freezing(wanted, refused);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::RecordId;
    use crate::op::Loose;

    /// A pick of which no row got into a document is not the last one as long as there are more, and fewer each time.
    #[test]
    fn a_pick_that_makes_no_document_is_not_the_last() {
        let mut grouper = Grouper {
            scheme: "s".to_owned(),
            limit: None,
            stop_at_first_dead: false,
            state: State::Start,
            times: MAX_TIMES,
            more: false,
            trouble: Trouble::default(),
            stopped: None,
        };
        let picks = |step: &Step| match step {
            Step::Act(Action::Ledger(ops)) => matches!(ops[..], [LedgerOp::PickLoose { .. }]),
            _ => false,
        };
        assert!(picks(&grouper.step(1, None)));
        let loose = |record| Loose {
            record: RecordId(record),
            version: "v".to_owned(),
            void: false,
        };
        let rows: Vec<Loose> = (0..).map(loose).take(usize::try_from(MOST).unwrap()).collect();
        let refused = |row: &Loose| {
            let why = Refusal::Dead(Reason::new("E2003", "no number"));
            (row.record, row.version.clone(), why)
        };
        let grouped = Grouped {
            // Its row was changed meanwhile.
            parts: vec![crate::op::NewPart {
                key: "p".to_owned(),
                group: "g".to_owned(),
                part: 1,
                number: "g-1".to_owned(),
                version: "v".to_owned(),
                source: crate::ids::Blob(0),
                members: vec![(RecordId(0), "v".to_owned())],
            }],
            refused: rows[1..].iter().map(refused).collect(),
        };
        let group = grouper.step(2, Some(Event::Ledger(vec![LedgerReply::Loose(rows)])));
        assert!(matches!(group, Step::Act(Action::Group(_))));
        let refuse = grouper.step(3, Some(Event::Grouped(grouped)));
        assert!(matches!(refuse, Step::Act(Action::Ledger(_))));
        let replies = vec![LedgerReply::Count(MOST - 1), LedgerReply::Count(0)];
        assert!(picks(&grouper.step(4, Some(Event::Ledger(replies)))));
        let none = vec![LedgerReply::Loose(Vec::new())];
        assert!(matches!(grouper.step(5, Some(Event::Ledger(none))), Step::Done));
    }
}
