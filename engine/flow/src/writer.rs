//! The writing half of a run: pick, transform, batch, claim, send, settle.
//!
//! A send happens only after its claim is durable, and every row of it is settled by the one classification in
//! [`crate::classify`]. Passes go over the records in the order of their ids, so that a dry run and a run with the same
//! instant build the same calls.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::circuit::{Circuits, MAX_UNREACHABLE};
use crate::classify::{OnUnknown, Proof};
use crate::codes;
use crate::event::{
    Action, Event, Found, Note, Purpose, ReadFailure, ReadFailureKind, Ready, Stopped, TargetFacts,
    TransformItem, Transformed, Waiting,
};
use crate::ids::{AttemptId, Blob, Ms, RecordId, RunId};
use crate::op::{
    ClaimRefused, ClaimRow, LedgerOp, LedgerReply, Picked, Reason, Refusal, TaskLeft, WriteAction, step_of,
};
use crate::reader::Step;
use crate::resolver::forgotten;
use crate::retry::Retry;
use crate::settle::MAX_WAIT;
use crate::task::Resuming;
use crate::trouble::Trouble;

/// Records picked and transformed at a time: one look-up query covers as many (DESIGN 2).
pub const PICK: u32 = 500;
/// Keys in one question to the target.
pub const ASK: usize = 50;
/// The key of a document that has none.
const NO_KEY: &str = "[]";
#[derive(Debug, Clone)]
struct Candidate {
    record: RecordId,
    version: String,
    void: bool,
    has_target: bool,
    maybe_sent: bool,
    step: Option<String>,
    doubted: Option<Ms>,
}

/// A call in the making.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) action: WriteAction,
    /// Which further call; `None` = the documents themselves.
    pub(crate) step: Option<String>,
    /// What its records have in common: operation and options.
    pub(crate) group: u64,
    pub(crate) rows: Vec<BatchRow>,
}

impl Batch {
    /// Its records with their documents, in the order in which they are sent.
    pub(crate) fn documents(&self) -> Vec<(RecordId, Blob)> {
        let documents = self.rows.iter();
        documents
            .map(|row| (row.claim.record, row.claim.payload))
            .collect()
    }

    /// The question how far its task is.
    pub(crate) fn awaited(&self, attempt: AttemptId, task: String, until: Ms) -> Action {
        Action::Await {
            attempt,
            task,
            until,
            action: self.action,
            rows: self.documents(),
        }
    }
}

/// One record of a call in the making.
#[derive(Debug, Clone)]
pub(crate) struct BatchRow {
    pub(crate) claim: ClaimRow,
    /// The step after this call.
    pub(crate) next: Option<String>,
    /// The step at which to go on after half of it.
    pub(crate) half: Option<String>,
}

enum State {
    Start,
    Picking,
    Transforming(Vec<Candidate>),
    Refusing,
    Finding {
        asked: Vec<Candidate>,
        rest: VecDeque<Candidate>,
    },
    Adopting,
    Claiming(Batch),
    Sending {
        attempt: AttemptId,
        batch: Batch,
        /// When the call went out.
        sent: Ms,
    },
    /// The target took the call on; its task is being written down.
    Taking {
        attempt: AttemptId,
        batch: Batch,
        task: String,
        until: Ms,
    },
    Waiting {
        attempt: AttemptId,
        batch: Batch,
    },
    Settling,
    Resting,
}

/// The writing half.
pub(crate) struct Writer {
    run: RunId,
    scheme: String,
    pub(crate) target: TargetFacts,
    limit: Option<u64>,
    /// The scheme's own pace, where it has one.
    pub(crate) retry: Retry,
    state: State,
    pub(crate) resuming: Resuming,
    after: Option<RecordId>,
    /// Transformed and waiting to be batched, by record.
    ready: BTreeMap<RecordId, (Candidate, Ready)>,
    /// Creates that must be asked about first.
    to_find: VecDeque<Candidate>,
    /// Found there: transformed again with the id.
    adopted: Vec<Candidate>,
    pub(crate) batches: VecDeque<Batch>,
    /// Picked so far; kept only where a limit counts them.
    picked: BTreeSet<RecordId>,
    pub(crate) circuits: Circuits,
    /// Questions in a row that failed.
    unanswered: u32,
    pub(crate) rest_until: Option<Ms>,
    pub(crate) again: bool,
    /// A second pass was asked for on behalf of newer versions; once per start.
    looked_behind: bool,
    pub(crate) calls: u64,
    pub(crate) settled: u64,
    /// Records the target accepted.
    pub(crate) written: u64,
    /// A record became dead or held, or was put off: the run has not gone through.
    pub(crate) trouble: Trouble,
    pub(crate) stopped: Option<Stopped>,
    canceled: bool,
    pub(crate) notes: Vec<Note>,
}

impl Writer {
    pub(crate) fn new(
        run: RunId,
        scheme: &str,
        target: TargetFacts,
        limit: Option<u64>,
        circuits: Circuits,
        tasks: Vec<TaskLeft>,
    ) -> Self {
        Writer {
            run,
            scheme: scheme.to_owned(),
            target,
            limit,
            state: State::Start,
            resuming: Resuming::Begin(tasks),
            after: None,
            ready: BTreeMap::new(),
            to_find: VecDeque::new(),
            adopted: Vec::new(),
            batches: VecDeque::new(),
            picked: BTreeSet::new(),
            circuits,
            unanswered: 0,
            retry: Retry::default(),
            rest_until: None,
            again: false,
            looked_behind: false,
            calls: 0,
            settled: 0,
            written: 0,
            trouble: Trouble::default(),
            stopped: None,
            canceled: false,
            notes: Vec::new(),
        }
    }

    pub(crate) fn notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// Nothing new is claimed any more; what is in flight is settled.
    pub(crate) fn cancel(&mut self) {
        self.canceled = true;
    }

    /// Starts another pass over the pending records.
    pub(crate) fn restart(&mut self) {
        self.state = State::Start;
        self.after = None;
        self.looked_behind = false;
    }

    pub(crate) fn step(&mut self, now: Ms, event: Option<Event>) -> Step {
        match (std::mem::replace(&mut self.state, State::Start), event) {
            (State::Start, _) => self.go_on(now),
            (State::Picking, Some(Event::Ledger(replies))) => self.picked(now, replies),
            (State::Transforming(items), Some(Event::Transformed(outcomes))) => {
                self.transformed(now, items, outcomes)
            }
            (State::Refusing | State::Settling, Some(Event::Ledger(_))) => self.go_on(now),
            (State::Finding { asked, rest }, Some(Event::Asked(found))) => {
                self.to_find = rest;
                self.found(now, asked, found)
            }
            (State::Finding { asked, rest }, Some(Event::ReadFailed(failure))) => {
                self.to_find = asked.into_iter().chain(rest).collect();
                self.ask_failed(now, failure)
            }
            (State::Adopting, Some(Event::Ledger(_))) => {
                let items = std::mem::take(&mut self.adopted);
                self.transform(items)
            }
            (State::Claiming(batch), Some(Event::Ledger(replies))) => self.claimed(now, batch, replies),
            (
                State::Sending { attempt, batch, .. } | State::Waiting { attempt, batch },
                Some(Event::Answered(answer)),
            ) => {
                self.state = State::Settling;
                Step::Act(Action::Ledger(self.settle(now, attempt, &batch, answer)))
            }
            (State::Sending { attempt, batch, sent }, Some(Event::Taken { task, limit })) => {
                let until = sent.saturating_add(limit);
                let op = LedgerOp::NoteTask {
                    attempt,
                    task: task.clone(),
                    group: batch.group,
                    until,
                };
                self.state = State::Taking {
                    attempt,
                    batch,
                    task,
                    until,
                };
                Step::Act(Action::Ledger(vec![op]))
            }
            (
                State::Taking {
                    attempt,
                    batch,
                    task,
                    until,
                },
                Some(Event::Ledger(_)),
            ) => {
                let action = batch.awaited(attempt, task, until);
                self.state = State::Waiting { attempt, batch };
                Step::Act(action)
            }
            (State::Resting, Some(Event::Woke)) => self.go_on(now),
            (_, _) => self.stop(Stopped::Target(Reason::new(
                codes::BUG,
                "event out of order while writing",
            ))),
        }
    }

    /// Nothing new is to be begun.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopped.is_some() || self.canceled
    }

    pub(crate) fn bug(&mut self, what: &str) -> Step {
        self.stop(Stopped::Target(Reason::new(codes::BUG, what)))
    }

    fn stop(&mut self, stopped: Stopped) -> Step {
        self.stopped = Some(stopped);
        Step::Done
    }

    /// The next thing to do: wait, ask, claim, or pick more.
    fn go_on(&mut self, now: Ms) -> Step {
        if self.is_stopping() {
            return Step::Done;
        }
        if let Some(until) = self.rest_until.take()
            && until > now
        {
            self.state = State::Resting;
            return Step::Act(Action::Sleep {
                until,
                why: Waiting::Target,
            });
        }
        if !self.ready.is_empty() && self.to_find.is_empty() {
            self.form_batches();
        }
        if !self.to_find.is_empty() || !self.batches.is_empty() {
            if let Some(blocked) = self.blocked(now) {
                return blocked;
            }
            if !self.to_find.is_empty() {
                return self.find();
            }
        }
        match self.batches.pop_front() {
            // What a step writes elsewhere waits for that target; nothing else does.
            Some(batch) if self.is_blocked_elsewhere(now, &batch) => {
                self.trouble.unnamed();
                self.go_on(now)
            }
            Some(batch) => {
                let batch = self.probe(batch);
                self.claim(now, batch)
            }
            None => self.pick(now),
        }
    }

    /// The calls of a step go to another target, which cannot be called now. Its records wait for another run.
    fn is_blocked_elsewhere(&self, now: Ms, batch: &Batch) -> bool {
        let target = self.target.name_of(batch.step.as_deref());
        target != self.target.name
            && (self.circuits.is_closed(target) || self.circuits.blocked(target, now).is_some())
    }

    /// What an earlier run, or another scheme's, learnt of the target.
    fn blocked(&mut self, now: Ms) -> Option<Step> {
        let until = self.circuits.blocked(&self.target.name, now)?;
        if self.circuits.is_open(&self.target.name) {
            let reason = Reason::new(codes::CIRCUIT_OPEN, self.target.name.clone());
            return Some(self.stop(Stopped::Target(reason)));
        }
        self.state = State::Resting;
        Some(Step::Act(Action::Sleep {
            until: until.min(now + MAX_WAIT),
            why: Waiting::Target,
        }))
    }

    /// A call that finds out whether the target is back brings no more than one record into doubt.
    fn probe(&mut self, mut batch: Batch) -> Batch {
        let target = self.target.name_of(batch.step.as_deref());
        if self.circuits.is_open(target) && batch.rows.len() > 1 {
            let rest = batch.rows.split_off(1);
            self.batches.push_front(Batch {
                action: batch.action,
                step: batch.step.clone(),
                group: batch.group,
                rows: rest,
            });
        }
        batch
    }

    fn pick(&mut self, now: Ms) -> Step {
        let left = self
            .limit
            .map(|limit| limit.saturating_sub(self.picked.len() as u64));
        let limit = match left {
            // Within a pass the limit ends it; a new pass is only for what was picked before.
            Some(0) if self.after.is_some() => return self.end_pass(now),
            Some(0) | None => PICK,
            Some(left) => PICK.min(u32::try_from(left).unwrap_or(PICK)),
        };
        self.state = State::Picking;
        Step::Act(Action::Ledger(vec![LedgerOp::Pick {
            scheme: self.scheme.clone(),
            now,
            after: self.after,
            limit,
        }]))
    }

    fn picked(&mut self, now: Ms, replies: Vec<LedgerReply>) -> Step {
        let Some(LedgerReply::Picked { mut records, .. }) = replies.into_iter().next() else {
            return self.stop(Stopped::Target(Reason::new(codes::BUG, "nothing picked")));
        };
        if self.limit.is_some_and(|limit| self.picked.len() as u64 >= limit) {
            records.retain(|picked| self.picked.contains(&picked.record));
        }
        if records.is_empty() {
            return self.end_pass(now);
        }
        if self.limit.is_some() {
            self.picked.extend(records.iter().map(|picked| picked.record));
        }
        self.after = records.last().map(|last| last.record);
        // A newer version waits behind a record that is sent again unchanged, and takes its place once it is settled.
        if !self.looked_behind && records.iter().any(|picked| picked.maybe_sent) {
            self.looked_behind = true;
            self.again = true;
        }
        let items = records
            .into_iter()
            .map(
                |Picked {
                     record,
                     version,
                     void,
                     has_target,
                     maybe_sent,
                     step,
                     doubted,
                     ..
                 }| Candidate {
                    record,
                    version,
                    void,
                    has_target,
                    maybe_sent,
                    step,
                    doubted,
                },
            )
            .collect();
        self.transform(items)
    }

    /// Records that were put back during this pass (throttled, unreachable) have lower ids: another pass.
    fn end_pass(&mut self, now: Ms) -> Step {
        if !std::mem::take(&mut self.again) {
            return Step::Done;
        }
        self.after = None;
        self.pick(now)
    }

    fn transform(&mut self, items: Vec<Candidate>) -> Step {
        if self.canceled {
            return Step::Done;
        }
        let wanted = items
            .iter()
            .map(|item| TransformItem {
                record: item.record,
                has_target: item.has_target,
                void: item.void,
            })
            .collect();
        self.state = State::Transforming(items);
        Step::Act(Action::Transform(wanted))
    }

    fn transformed(&mut self, now: Ms, items: Vec<Candidate>, outcomes: Vec<Transformed>) -> Step {
        let mut refused = Vec::new();
        for (item, outcome) in items.into_iter().zip(outcomes) {
            match outcome {
                Transformed::Ready(ready) if self.is_forgotten(now, &item, ready.action) => {
                    let reason = Reason::new(codes::UNKNOWN_TOO_LONG, "");
                    self.trouble.note(&reason);
                    refused.push((item.record, item.version, Refusal::Held(reason)));
                }
                Transformed::Refused(refusal) => {
                    if self.target.stop_at_first_dead
                        && let Refusal::Dead(reason) = &refusal
                    {
                        self.stopped = Some(Stopped::FirstDead(reason.clone()));
                    }
                    match &refusal {
                        Refusal::Skipped(_) => {}
                        Refusal::Dead(reason) | Refusal::Held(reason) | Refusal::Later { reason, .. } => {
                            self.trouble.note(reason);
                        }
                    }
                    refused.push((item.record, item.version, refusal));
                }
                Transformed::Ready(ready) => {
                    let ask_first = self.target.find_before_create
                        && ready.action == WriteAction::Create
                        && item.step.is_none()
                        && !item.maybe_sent;
                    if ask_first {
                        self.to_find.push_back(item.clone());
                    }
                    self.ready.insert(item.record, (item, ready));
                }
            }
        }
        if refused.is_empty() {
            return self.go_on(now);
        }
        self.state = State::Refusing;
        Step::Act(Action::Ledger(vec![LedgerOp::Refuse { rows: refused, now }]))
    }

    /// Whether sending a document again would make a second one, because the target has forgotten the first call.
    fn is_forgotten(&self, now: Ms, item: &Candidate, action: WriteAction) -> bool {
        let by_key = action == WriteAction::Create
            && self.target.at(item.step.as_deref()).is_some_and(|call| {
                call.proof == Proof::IdempotencyKey && call.on_unknown == OnUnknown::ByProof
            });
        by_key
            && item.maybe_sent
            && item
                .doubted
                .is_some_and(|since| forgotten(now, since, self.target.remembers))
    }

    fn find(&mut self) -> Step {
        let count = self.to_find.len().min(ASK);
        let asked: Vec<Candidate> = self.to_find.drain(..count).collect();
        let records = asked.iter().map(|item| item.record).collect();
        self.state = State::Finding {
            asked,
            rest: std::mem::take(&mut self.to_find),
        };
        Step::Act(Action::Ask {
            purpose: Purpose::Find,
            records,
        })
    }

    fn found(&mut self, now: Ms, asked: Vec<Candidate>, found: Vec<Found>) -> Step {
        self.unanswered = 0;
        self.circuits.of(&self.target.name).busy = 0;
        let (mut adopt, mut refuse) = (Vec::new(), Vec::new());
        let answered = self.circuits.of(&self.target.name).answered();
        let mut ops: Vec<LedgerOp> = answered.into_iter().collect();
        for (item, found) in asked.into_iter().zip(found) {
            match found {
                Found::None => {}
                Found::One { id, number, .. } => {
                    self.ready.remove(&item.record);
                    adopt.push((item.record, id, number));
                    self.adopted.push(Candidate {
                        has_target: true,
                        ..item
                    });
                }
                Found::Many | Found::Foreign(_) => {
                    self.ready.remove(&item.record);
                    let reason = match found {
                        Found::Foreign(reason) => reason,
                        _ => Reason::new(codes::KEY_AMBIGUOUS, ""),
                    };
                    self.trouble.note(&reason);
                    refuse.push((item.record, item.version, Refusal::Held(reason)));
                }
            }
        }
        if !refuse.is_empty() {
            ops.push(LedgerOp::Refuse { rows: refuse, now });
        }
        if !adopt.is_empty() {
            ops.push(LedgerOp::Adopt { rows: adopt, now });
        }
        if ops.is_empty() {
            return self.go_on(now);
        }
        self.state = if self.adopted.is_empty() {
            State::Refusing
        } else {
            State::Adopting
        };
        Step::Act(Action::Ledger(ops))
    }

    fn ask_failed(&mut self, now: Ms, failure: ReadFailure) -> Step {
        self.notes.push(Note::ReadAgain(failure.reason.clone()));
        match failure.kind {
            ReadFailureKind::Config | ReadFailureKind::Unusable => self.stop(Stopped::Target(failure.reason)),
            ReadFailureKind::Unreachable
            | ReadFailureKind::Lost
            | ReadFailureKind::Wait
            | ReadFailureKind::Fault => {
                self.unanswered += 1;
                let circuit = match failure.kind {
                    ReadFailureKind::Unreachable | ReadFailureKind::Lost => {
                        self.circuits.of(&self.target.name).failed(now)
                    }
                    _ => None,
                };
                let most = self.retry.most(MAX_UNREACHABLE).min(MAX_UNREACHABLE);
                if self.unanswered >= most || self.circuits.is_open(&self.target.name) {
                    self.stopped = Some(Stopped::Target(failure.reason));
                    self.state = State::Refusing;
                    return match circuit {
                        Some(op) => Step::Act(Action::Ledger(vec![op])),
                        None => Step::Done,
                    };
                }
                let pause = self.retry.pause_told(failure.wait, self.unanswered);
                let until = now + pause.clamp(0, MAX_WAIT);
                self.state = State::Resting;
                Step::Act(Action::Sleep {
                    until,
                    why: Waiting::Target,
                })
            }
        }
    }

    /// Groups what is ready into calls: same action and group, in the order of the records, one item per target key.
    fn form_batches(&mut self) {
        let mut open: BTreeMap<(Option<String>, WriteAction, u64, String), Batch> = BTreeMap::new();
        let mut full = Vec::new();
        for (record, (item, ready)) in std::mem::take(&mut self.ready) {
            let call = self.target.at(item.step.as_deref());
            let max = call.map_or(1, |call| usize::try_from(call.batch.max(1)).unwrap_or(1));
            // A step that is made for each line is one call for lines of several records.
            let step = item.step.as_deref().map(|step| step_of(step).to_owned());
            let slot = (step.clone(), ready.action, ready.group, ready.form.clone());
            let row = BatchRow {
                claim: ClaimRow {
                    record,
                    version: item.version,
                    action: ready.action,
                    step: item.step.clone(),
                    form: ready.form,
                    tkey: ready.tkey,
                    payload: ready.payload,
                    wrote: ready.wrote,
                },
                next: ready.next,
                half: ready.half,
            };
            let batch = open.entry(slot.clone()).or_insert_with(|| Batch {
                action: row.claim.action,
                step: step.clone(),
                group: ready.group,
                rows: Vec::new(),
            });
            // Documents without a key are told from each other by their records.
            let same_key = batch.rows.iter().any(|other| {
                other.claim.tkey == row.claim.tkey
                    && other.claim.form == row.claim.form
                    && (item.step.is_none() || row.claim.tkey != NO_KEY)
            });
            if batch.rows.len() >= max || same_key {
                full.extend(open.remove(&slot));
                open.insert(
                    slot,
                    Batch {
                        action: row.claim.action,
                        step,
                        group: ready.group,
                        rows: vec![row],
                    },
                );
            } else {
                batch.rows.push(row);
            }
        }
        full.extend(open.into_values());
        full.sort_by_key(|batch| batch.rows.first().map(|row| row.claim.record));
        self.batches.extend(full);
    }

    fn claim(&mut self, now: Ms, batch: Batch) -> Step {
        let call = self.target.at(batch.step.as_deref());
        let (timeout, quiet) = call.map_or((self.target.timeout, self.target.quiet), |call| {
            (call.timeout, call.quiet)
        });
        let op = LedgerOp::Claim {
            run: self.run,
            target: self.target.name_of(batch.step.as_deref()).to_owned(),
            rows: batch.rows.iter().map(|row| row.claim.clone()).collect(),
            resolve_after: now + timeout + quiet,
            now,
        };
        self.state = State::Claiming(batch);
        Step::Act(Action::Ledger(vec![op]))
    }

    fn claimed(&mut self, now: Ms, mut batch: Batch, replies: Vec<LedgerReply>) -> Step {
        let Some(LedgerReply::Claimed { attempt, refused }) = replies.into_iter().next() else {
            return self.stop(Stopped::Target(Reason::new(codes::BUG, "nothing claimed")));
        };
        // A key conflict leaves the record held; a stale row is picked again.
        if refused
            .iter()
            .any(|(_, why)| matches!(why, ClaimRefused::KeyTaken { .. }))
        {
            self.trouble.unnamed();
        }
        let refused: BTreeSet<RecordId> = refused.into_iter().map(|(record, _)| record).collect();
        batch.rows.retain(|row| !refused.contains(&row.claim.record));
        let Some(attempt) = attempt else {
            return self.go_on(now);
        };
        let rows = batch.documents();
        let action = batch.action;
        self.calls += 1;
        self.state = State::Sending {
            attempt,
            batch,
            sent: now,
        };
        Step::Act(Action::Send {
            attempt,
            action,
            rows,
        })
    }
}
