//! What becomes of each row of a call, and of the pace of the calls after it.
//!
//! Every row is settled by the one classification in [`crate::classify`]; here it meets what this run knows: how many
//! rows the call had, what follows a document, and how often the target has failed in a row.

use crate::circuit::is_gateway;
use crate::classify::{Class, Delivery, Fate, Proof, Verdict, fate};
use crate::codes;
use crate::event::{Answer, Note, RowAnswer, Stopped};
use crate::ids::{AttemptId, Ms, RecordId};
use crate::op::{LedgerOp, Reason, Settlement, WriteAction};
use crate::retry::Retry;
use crate::writer::{Batch, BatchRow, Writer};

/// Throttled or busy answers in a row before the run gives up; the records wait.
pub const MAX_BUSY: u32 = 20;
/// Answers in a row that the session is lost: it was renewed in between, and that did not help.
pub const MAX_AUTH: u32 = 2;
/// Longest wait that a `Retry-After` or an outcome row can ask for.
pub(crate) const MAX_WAIT: Ms = 3_600_000;

/// How the rows of one call are settled.
#[derive(Default)]
struct Judged {
    rows: Vec<(RecordId, Settlement)>,
    /// Rows that were refused together and without a name.
    to_halve: Vec<BatchRow>,
    /// How many records came to an end.
    settled: u64,
}

impl Writer {
    /// The ledger work after an answer.
    pub(crate) fn settle(
        &mut self,
        now: Ms,
        attempt: AttemptId,
        batch: &Batch,
        answer: Answer,
    ) -> Vec<LedgerOp> {
        let (wait, circuit) = self.pace(now, &answer, batch.step.as_deref());
        let judged = self.judge(now, wait, batch, &answer);
        self.settled += judged.settled;
        let mut first = judged.to_halve;
        let second = first.split_off(first.len().div_ceil(2));
        for rows in [second, first].into_iter().filter(|rows| !rows.is_empty()) {
            self.batches.push_front(Batch {
                action: batch.action,
                step: batch.step.clone(),
                group: batch.group,
                rows,
            });
        }
        self.notes.push(Note::Written {
            calls: self.calls,
            records: self.settled,
        });
        let settle = LedgerOp::Settle {
            attempt,
            outcome: outcome_word(answer.delivery).to_owned(),
            http_status: answer.http_status,
            excerpt: answer.excerpt,
            vendor_trace: answer.vendor_trace,
            rows: judged.rows,
            now,
        };
        [settle].into_iter().chain(circuit).collect()
    }

    fn judge(&mut self, now: Ms, wait: Ms, batch: &Batch, answer: &Answer) -> Judged {
        let call = self.target.at(batch.step.as_deref());
        let quiet = call.map_or(self.target.quiet, |call| call.quiet);
        let can_ask = call.is_some_and(|call| matches!(call.proof, Proof::UniqueKey | Proof::Query));
        // Of a document of its own, a refusal is a refusal.
        let goes_on = batch.step.is_some() && batch.action == WriteAction::Step;
        let mut judged = Judged::default();
        let target = self.target.name_of(batch.step.as_deref()).to_owned();
        // A call that accepted a row was not refused as a whole: a row it does not name is in doubt.
        let accepted_some = answer
            .rows
            .iter()
            .any(|said| matches!(said.verdict, Verdict::Accepted | Verdict::Half));
        for (index, row) in batch.rows.iter().enumerate() {
            let said = answer.rows.get(index);
            let verdict = said.map_or(Verdict::Absent, |said| said.verdict);
            let reason = match said {
                Some(said) if !said.reason.text.is_empty() => said.reason.clone(),
                _ => answer.reason.clone(),
            };
            let settlement = match fate(answer.delivery, verdict) {
                Fate::Done => self.accepted(&mut judged, row, said, row.next.clone()),
                // Nobody goes on with the document of a step.
                Fate::GoOn if batch.step.is_some() && !goes_on => {
                    let reason = Reason::new(codes::STEP_HALF, reason.text);
                    self.trouble.note(&reason);
                    Settlement::Held(reason)
                }
                // How far it came stands in the document.
                Fate::GoOn if can_ask && row.half.is_some() => Settlement::Unknown {
                    resolve_after: now,
                    reason: Reason::new(codes::HALF, reason.text),
                },
                Fate::GoOn if row.half.is_some() => self.accepted(&mut judged, row, said, row.half.clone()),
                // Somebody may have made the step already: the document shows it.
                Fate::Dead if goes_on && can_ask => Settlement::Unknown {
                    resolve_after: now,
                    reason: Reason::new(codes::STEP_REFUSED, reason.text),
                },
                Fate::Dead => {
                    judged.settled += 1;
                    self.dead(reason)
                }
                Fate::Again => Settlement::Retry {
                    not_before: now + wait,
                    spend: false,
                    reason,
                },
                Fate::Stop => {
                    self.give_up(&target, &answer.reason);
                    Settlement::Retry {
                        not_before: now,
                        spend: false,
                        reason,
                    }
                }
                Fate::Halve if accepted_some => Settlement::Unknown {
                    resolve_after: now + quiet,
                    reason,
                },
                Fate::Halve if batch.rows.len() == 1 && goes_on && can_ask => Settlement::Unknown {
                    resolve_after: now,
                    reason: Reason::new(codes::STEP_REFUSED, reason.text),
                },
                Fate::Halve if batch.rows.len() == 1 => {
                    judged.settled += 1;
                    self.dead(reason)
                }
                Fate::Halve => {
                    judged.to_halve.push(row.clone());
                    Settlement::Retry {
                        not_before: now,
                        spend: false,
                        reason,
                    }
                }
                Fate::AskNow => {
                    let code = match verdict {
                        Verdict::Exists => codes::EXISTS.to_owned(),
                        _ => reason.code,
                    };
                    Settlement::Unknown {
                        resolve_after: now,
                        reason: Reason::new(code, reason.text),
                    }
                }
                // Without a step that could do the other half, nobody knows what the document lacks.
                Fate::AskLater | Fate::GoOn => Settlement::Unknown {
                    resolve_after: now + quiet,
                    reason,
                },
            };
            judged.rows.push((row.claim.record, settlement));
        }
        judged
    }

    /// A row that was accepted: done, or pending at the step that follows.
    fn accepted(
        &mut self,
        judged: &mut Judged,
        row: &BatchRow,
        said: Option<&RowAnswer>,
        next: Option<String>,
    ) -> Settlement {
        self.written += u64::from(row.claim.step.is_none());
        let id = said.and_then(|said| said.id.clone());
        let number = said.and_then(|said| said.number.clone());
        let lines = said.and_then(|said| said.lines);
        match next {
            // The record is picked once more, in another pass.
            Some(next) => {
                self.again = true;
                Settlement::Stepped {
                    id,
                    number,
                    lines,
                    next,
                }
            }
            None => {
                judged.settled += 1;
                Settlement::Done { id, number, lines }
            }
        }
    }

    fn dead(&mut self, reason: Reason) -> Settlement {
        self.trouble.note(&reason);
        if self.target.stop_at_first_dead && self.stopped.is_none() {
            self.stopped = Some(Stopped::FirstDead(reason.clone()));
        }
        Settlement::Dead(reason)
    }

    /// Slows the whole target down after an answer that proves nothing was executed; gives up after many in a row.
    fn pace(&mut self, now: Ms, answer: &Answer, step: Option<&str>) -> (Ms, Option<LedgerOp>) {
        let target = self.target.name_of(step).to_owned();
        // Where a step writes to another target, its trouble ends nothing: what goes there waits.
        let is_own = target == self.target.name;
        let busy = match answer.delivery {
            // Nobody was called: an open circuit stays open, and a sound one sound.
            Delivery::Withheld => return (0, None),
            Delivery::NotSent | Delivery::Lost => {
                let op = self.circuits.of(&target).failed(now);
                let is_open = self.circuits.is_open(&target);
                let failures = self.circuits.of(&target).failures();
                let is_lost = answer.delivery == Delivery::Lost;
                if is_own && is_open || !is_lost && self.retry.is_enough(failures) {
                    self.give_up(&target, &answer.reason);
                }
                if is_lost {
                    return (0, op);
                }
                let wait = self.retry.pause(failures);
                if is_own || !is_open {
                    self.rest(now, wait, &target);
                }
                return (wait, op);
            }
            Delivery::Answered(Class::Throttled | Class::Transient) => {
                let circuit = self.circuits.of(&target);
                circuit.busy += 1;
                let busy = circuit.busy;
                if busy >= self.retry.most(MAX_BUSY) {
                    self.give_up(&target, &answer.reason);
                }
                busy
            }
            Delivery::Answered(Class::Auth { replay_write }) => {
                let circuit = self.circuits.of(&target);
                circuit.auth += 1;
                if circuit.auth >= MAX_AUTH {
                    self.give_up(&target, &answer.reason);
                }
                if replay_write {
                    self.rest(now, 0, &target);
                }
                return (0, self.circuits.of(&target).answered());
            }
            // Each such answer brings a batch into doubt: not one after another for hours.
            Delivery::Answered(Class::Fault | Class::NoMatch)
                if answer.http_status.is_some_and(is_gateway) =>
            {
                let op = self.circuits.of(&target).failed(now);
                if is_own && self.circuits.is_open(&target) {
                    self.give_up(&target, &answer.reason);
                }
                return (0, op);
            }
            Delivery::Answered(
                Class::Ok
                | Class::Rows
                | Class::Rejected
                | Class::QuotaStop
                | Class::ConfigError
                | Class::Fault
                | Class::NoMatch,
            ) => {
                let circuit = self.circuits.of(&target);
                circuit.busy = 0;
                circuit.auth = 0;
                return (0, circuit.answered());
            }
        };
        let wait = self.retry.pause_told(answer.wait, busy).clamp(0, MAX_WAIT);
        self.rest(now, wait, &target);
        let answered = self.circuits.of(&target).answered();
        // What this scheme adds by itself holds up no other one.
        let asked = answer.wait.unwrap_or_else(|| Retry::default().pause(busy));
        let until = now + asked.clamp(0, MAX_WAIT);
        (wait, self.circuits.of(&target).pause(now, until).or(answered))
    }

    /// The scheme's own target is given up with the run; of a step's own, only what goes there waits for another run.
    fn give_up(&mut self, target: &str, reason: &Reason) {
        if target == self.target.name {
            self.stopped = Some(Stopped::Target(reason.clone()));
        } else {
            self.trouble.note(reason);
            self.circuits.of(target).close();
        }
    }

    /// The run waits, and looks once more at what it put back.
    fn rest(&mut self, now: Ms, wait: Ms, target: &str) {
        if target != self.target.name && !self.circuits.of(target).may_hold_up(wait) {
            self.trouble.unnamed();
            return;
        }
        self.again = true;
        self.rest_until = Some(now + wait);
    }
}

/// The word stored with an attempt.
fn outcome_word(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::NotSent => "not_sent",
        Delivery::Withheld => "withheld",
        Delivery::Lost => "lost",
        Delivery::Answered(class) => match class {
            Class::Ok => "ok",
            Class::Rows => "rows",
            Class::Rejected => "rejected",
            Class::Auth { .. } => "auth",
            Class::Throttled => "throttled",
            Class::Transient => "transient",
            Class::QuotaStop => "quota_stop",
            Class::ConfigError => "config_error",
            Class::Fault => "fault",
            Class::NoMatch => "no_match",
        },
    }
}
