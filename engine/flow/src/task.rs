//! Tasks that an earlier process left: the target took a call on, and nobody heard its end.
//!
//! The id of a task is durable before the task is first asked about. So a process that dies while it waits has left
//! more than a record in doubt: the next run asks on, with the same id, as long as the operation's time lasts (counted
//! from the send), and settles the call as if it had never been interrupted. Where that cannot be done - the time is
//! over, the scheme makes another call of the records by now, somebody has decided about one of them - they stay
//! unknown, and the target is asked by key.

use std::collections::VecDeque;

use crate::event::{Action, Event, Note, TransformItem, Transformed};
use crate::ids::{AttemptId, Ms};
use crate::op::{ClaimRow, TaskLeft, TaskRow};
use crate::reader::Step;
use crate::writer::{Batch, BatchRow, Writer};

/// How far that is.
#[derive(Debug)]
pub(crate) enum Resuming {
    Begin(Vec<TaskLeft>),
    /// The documents are made once more: an answer names them by their place, or by their keys.
    Evaluating {
        left: TaskLeft,
        rest: VecDeque<TaskLeft>,
    },
    Awaiting {
        attempt: AttemptId,
        batch: Batch,
        rest: VecDeque<TaskLeft>,
    },
    Settling(VecDeque<TaskLeft>),
    Over,
}

impl Writer {
    /// Hears the end of the tasks that are left, one after the other.
    pub(crate) fn resume(&mut self, now: Ms, event: Option<Event>) -> Step {
        match (std::mem::replace(&mut self.resuming, Resuming::Over), event) {
            (Resuming::Begin(left), _) => self.next_task(now, left.into()),
            (Resuming::Evaluating { left, rest }, Some(Event::Transformed(outcomes))) => {
                match same_call(&left, outcomes) {
                    Some(batch) => {
                        let count = batch.rows.len() as u64;
                        self.notes.push(Note::TaskResumed(left.task.clone(), count));
                        let action = batch.awaited(left.attempt, left.task, left.until);
                        self.resuming = Resuming::Awaiting {
                            attempt: left.attempt,
                            batch,
                            rest,
                        };
                        Step::Act(action)
                    }
                    None => self.next_task(now, rest),
                }
            }
            (Resuming::Awaiting { attempt, batch, rest }, Some(Event::Answered(answer))) => {
                self.resuming = Resuming::Settling(rest);
                Step::Act(Action::Ledger(self.settle(now, attempt, &batch, answer)))
            }
            (Resuming::Settling(rest), Some(Event::Ledger(_))) => self.next_task(now, rest),
            (Resuming::Over, None) => Step::Done,
            (_, _) => self.bug("event out of order while tasks are asked about"),
        }
    }

    fn next_task(&mut self, now: Ms, mut rest: VecDeque<TaskLeft>) -> Step {
        // A question about a task is a call: it keeps to what is remembered of the target.
        if self.is_stopping() {
            return Step::Done;
        }
        // Waiting for one may have used up the time of the next.
        while rest.front().is_some_and(|left| {
            let step = left.rows.first().and_then(|row| row.step.as_deref());
            left.until <= now || self.circuits.blocked(self.target.name_of(step), now).is_some()
        }) {
            rest.pop_front();
        }
        let Some(left) = rest.pop_front() else {
            return Step::Done;
        };
        let items = left.rows.iter().map(|row| TransformItem {
            record: row.record,
            has_target: row.has_target,
            void: row.void,
        });
        let action = Action::Transform(items.collect());
        self.resuming = Resuming::Evaluating { left, rest };
        Step::Act(action)
    }
}

/// The call of a task, made once more; `None` = the scheme would make another one now.
fn same_call(left: &TaskLeft, outcomes: Vec<Transformed>) -> Option<Batch> {
    let first = left.rows.first()?;
    let (action, step) = (first.action, first.step.clone());
    if outcomes.len() != left.rows.len() {
        return None;
    }
    let rows = left.rows.iter().zip(outcomes);
    let rows = rows.map(|(row, outcome)| same_row(left.group, row, outcome));
    Some(Batch {
        action,
        step,
        group: left.group,
        rows: rows.collect::<Option<_>>()?,
    })
}

fn same_row(group: u64, row: &TaskRow, outcome: Transformed) -> Option<BatchRow> {
    let Transformed::Ready(ready) = outcome else {
        return None;
    };
    let is_same = (ready.action, ready.group) == (row.action, group)
        && (&ready.form, &ready.tkey) == (&row.form, &row.tkey);
    is_same.then(|| BatchRow {
        claim: ClaimRow {
            record: row.record,
            version: row.version.clone(),
            action: row.action,
            step: row.step.clone(),
            form: ready.form,
            tkey: ready.tkey,
            payload: ready.payload,
            wrote: ready.wrote,
        },
        next: ready.next,
        half: ready.half,
    })
}
