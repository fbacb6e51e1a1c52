//! The writing half of a run: pick, transform, batch, claim, send, settle.
//!
//! A send happens only after its claim is durable, and every row of it is settled by the one classification in
//! [`crate::classify`]. Passes go over the records in the order of their ids, so that a dry run and a run with the same
//! instant build the same calls.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::classify::{Delivery, Fate, Verdict, fate};
use crate::codes;
use crate::event::{
    Action, Answer, Event, Found, Note, Purpose, ReadFailure, ReadFailureKind, Ready, Stopped, TargetFacts,
    TransformItem, Transformed, Waiting,
};
use crate::ids::{AttemptId, Blob, Ms, RecordId, RunId};
use crate::op::{
    ClaimRefused, ClaimRow, LedgerOp, LedgerReply, Picked, Reason, Refusal, Settlement, WriteAction,
};
use crate::reader::Step;

/// Records picked and transformed at a time: one look-up query covers as many (DESIGN 2).
pub const PICK: u32 = 500;
/// Keys in one question to the target.
pub const ASK: usize = 50;
/// Calls in a row that could not reach the target, or whose answer was lost, before the run gives up: the records
/// wait, instead of all coming into doubt one call after another.
pub const MAX_UNREACHABLE: u32 = 5;
/// Throttled or busy answers in a row before the run gives up; the records wait.
pub const MAX_BUSY: u32 = 20;
/// Answers in a row that the session is lost: it was renewed in between, and that did not help.
pub const MAX_AUTH: u32 = 2;
/// Longest wait that a `Retry-After` or an outcome row can ask for.
pub(crate) const MAX_WAIT: Ms = 3_600_000;

#[derive(Debug, Clone)]
struct Candidate {
    record: RecordId,
    version: String,
    void: bool,
    has_target: bool,
    maybe_sent: bool,
}

/// A call in the making.
#[derive(Debug, Clone)]
struct Batch {
    action: WriteAction,
    rows: Vec<ClaimRow>,
}

/// How the rows of one call are settled.
struct Judged {
    rows: Vec<(RecordId, Settlement)>,
    /// Calls to make instead of this one.
    halves: Vec<Batch>,
    /// How many records came to an end.
    settled: u64,
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
    },
    Settling,
    Resting,
}

/// The writing half.
pub(crate) struct Writer {
    run: RunId,
    scheme: String,
    target: TargetFacts,
    limit: Option<u64>,
    state: State,
    after: Option<RecordId>,
    /// Transformed and waiting to be batched, by record.
    ready: BTreeMap<RecordId, (Candidate, Ready)>,
    /// Creates that must be asked about first.
    to_find: VecDeque<Candidate>,
    /// Found there: transformed again with the id.
    adopted: Vec<Candidate>,
    batches: VecDeque<Batch>,
    /// Picked so far; kept only where a limit counts them.
    picked: BTreeSet<RecordId>,
    unreachable: u32,
    busy: u32,
    auth: u32,
    rest_until: Option<Ms>,
    again: bool,
    /// A second pass was asked for on behalf of newer versions; once per start.
    looked_behind: bool,
    pub(crate) calls: u64,
    pub(crate) settled: u64,
    /// Records the target accepted.
    pub(crate) written: u64,
    /// A record became dead or held, or was put off: the run has not gone through.
    pub(crate) troubled: bool,
    pub(crate) stopped: Option<Stopped>,
    canceled: bool,
    notes: Vec<Note>,
}

impl Writer {
    pub(crate) fn new(run: RunId, scheme: &str, target: TargetFacts, limit: Option<u64>) -> Self {
        Writer {
            run,
            scheme: scheme.to_owned(),
            target,
            limit,
            state: State::Start,
            after: None,
            ready: BTreeMap::new(),
            to_find: VecDeque::new(),
            adopted: Vec::new(),
            batches: VecDeque::new(),
            picked: BTreeSet::new(),
            unreachable: 0,
            busy: 0,
            auth: 0,
            rest_until: None,
            again: false,
            looked_behind: false,
            calls: 0,
            settled: 0,
            written: 0,
            troubled: false,
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
            (State::Sending { attempt, batch }, Some(Event::Answered(answer))) => {
                self.settle(now, attempt, batch, answer)
            }
            (State::Resting, Some(Event::Woke)) => self.go_on(now),
            (_, _) => self.stop(Stopped::Target(Reason::new(
                codes::BUG,
                "event out of order while writing",
            ))),
        }
    }

    fn stop(&mut self, stopped: Stopped) -> Step {
        self.stopped = Some(stopped);
        Step::Done
    }

    /// The next thing to do: wait, ask, claim, or pick more.
    fn go_on(&mut self, now: Ms) -> Step {
        if self.stopped.is_some() || self.canceled {
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
        if !self.to_find.is_empty() {
            return self.find();
        }
        if !self.ready.is_empty() {
            self.form_batches();
        }
        if let Some(batch) = self.batches.pop_front() {
            return self.claim(now, batch);
        }
        self.pick(now)
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
                     ..
                 }| Candidate {
                    record,
                    version,
                    void,
                    has_target,
                    maybe_sent,
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
                Transformed::Refused(refusal) => {
                    if self.target.stop_at_first_dead
                        && let Refusal::Dead(reason) = &refusal
                    {
                        self.stopped = Some(Stopped::FirstDead(reason.clone()));
                    }
                    self.troubled |= !matches!(refusal, Refusal::Skipped(_));
                    refused.push((item.record, item.version, refusal));
                }
                Transformed::Ready(ready) => {
                    let ask_first = self.target.find_before_create
                        && ready.action == WriteAction::Create
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
        self.unreachable = 0;
        self.busy = 0;
        let (mut adopt, mut refuse) = (Vec::new(), Vec::new());
        for (item, found) in asked.into_iter().zip(found) {
            match found {
                Found::None => {}
                Found::One { id, number } => {
                    self.ready.remove(&item.record);
                    adopt.push((item.record, id, number));
                    self.adopted.push(Candidate {
                        has_target: true,
                        ..item
                    });
                }
                Found::Many => {
                    self.ready.remove(&item.record);
                    let reason = Reason::new(codes::KEY_AMBIGUOUS, "");
                    self.troubled = true;
                    refuse.push((item.record, item.version, Refusal::Held(reason)));
                }
            }
        }
        let mut ops = Vec::new();
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
            ReadFailureKind::Unreachable | ReadFailureKind::Wait | ReadFailureKind::Fault => {
                self.unreachable += 1;
                if self.unreachable >= MAX_UNREACHABLE {
                    return self.stop(Stopped::Target(failure.reason));
                }
                let until = now
                    + failure
                        .wait
                        .unwrap_or_else(|| back_off(self.unreachable))
                        .clamp(0, MAX_WAIT);
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
        let mut open: BTreeMap<(WriteAction, u64, String), Batch> = BTreeMap::new();
        let max = usize::try_from(self.target.batch.max(1)).unwrap_or(1);
        let mut full = Vec::new();
        for (record, (item, ready)) in std::mem::take(&mut self.ready) {
            let slot = (ready.action, ready.group, ready.form.clone());
            let row = ClaimRow {
                record,
                version: item.version,
                action: ready.action,
                form: ready.form,
                tkey: ready.tkey,
                payload: ready.payload,
            };
            let batch = open.entry(slot.clone()).or_insert_with(|| Batch {
                action: row.action,
                rows: Vec::new(),
            });
            let same_key = batch
                .rows
                .iter()
                .any(|other| other.tkey == row.tkey && other.form == row.form);
            if batch.rows.len() >= max || same_key {
                full.extend(open.remove(&slot));
                open.insert(
                    slot,
                    Batch {
                        action: row.action,
                        rows: vec![row],
                    },
                );
            } else {
                batch.rows.push(row);
            }
        }
        full.extend(open.into_values());
        full.sort_by_key(|batch| batch.rows.first().map(|row| row.record));
        self.batches.extend(full);
    }

    fn claim(&mut self, now: Ms, batch: Batch) -> Step {
        let op = LedgerOp::Claim {
            run: self.run,
            target: self.target.name.clone(),
            rows: batch.rows.clone(),
            resolve_after: now + self.target.timeout + self.target.quiet,
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
        self.troubled |= refused
            .iter()
            .any(|(_, why)| matches!(why, ClaimRefused::KeyTaken { .. }));
        let refused: BTreeSet<RecordId> = refused.into_iter().map(|(record, _)| record).collect();
        batch.rows.retain(|row| !refused.contains(&row.record));
        let Some(attempt) = attempt else {
            return self.go_on(now);
        };
        let rows = batch
            .rows
            .iter()
            .map(|row| (row.record, row.payload))
            .collect::<Vec<(RecordId, Blob)>>();
        let action = batch.action;
        self.calls += 1;
        self.state = State::Sending { attempt, batch };
        Step::Act(Action::Send {
            attempt,
            action,
            rows,
        })
    }

    fn settle(&mut self, now: Ms, attempt: AttemptId, batch: Batch, answer: Answer) -> Step {
        let outcomes = self.judge(now, &batch, &answer);
        self.settled += outcomes.settled;
        let op = LedgerOp::Settle {
            attempt,
            outcome: outcome_word(answer.delivery).to_owned(),
            http_status: answer.http_status,
            excerpt: answer.excerpt,
            rows: outcomes.rows,
            now,
        };
        for half in outcomes.halves.into_iter().rev() {
            self.batches.push_front(half);
        }
        self.notes.push(Note::Written {
            calls: self.calls,
            records: self.settled,
        });
        self.state = State::Settling;
        Step::Act(Action::Ledger(vec![op]))
    }

    fn judge(&mut self, now: Ms, batch: &Batch, answer: &Answer) -> Judged {
        let wait = self.wait_after(now, answer);
        let (mut rows, mut to_halve, mut settled) = (Vec::new(), Vec::new(), 0);
        // A call that accepted a row was not refused as a whole: a row it does not name is in doubt.
        let accepted_some = answer.rows.iter().any(|said| said.verdict == Verdict::Accepted);
        for (index, row) in batch.rows.iter().enumerate() {
            let said = answer.rows.get(index);
            let verdict = said.map_or(Verdict::Absent, |said| said.verdict);
            let reason = match said {
                Some(said) if !said.reason.text.is_empty() => said.reason.clone(),
                _ => answer.reason.clone(),
            };
            let settlement = match fate(answer.delivery, verdict) {
                Fate::Done => {
                    self.written += 1;
                    settled += 1;
                    Settlement::Done {
                        id: said.and_then(|said| said.id.clone()),
                        number: said.and_then(|said| said.number.clone()),
                        lines: said.and_then(|said| said.lines),
                    }
                }
                Fate::Dead => {
                    settled += 1;
                    self.dead(reason)
                }
                Fate::Again => Settlement::Retry {
                    not_before: now + wait,
                    spend: false,
                    reason,
                },
                Fate::Stop => {
                    self.stopped = Some(Stopped::Target(answer.reason.clone()));
                    Settlement::Retry {
                        not_before: now,
                        spend: false,
                        reason,
                    }
                }
                Fate::Halve if accepted_some => Settlement::Unknown {
                    resolve_after: now + self.target.quiet,
                    reason,
                },
                Fate::Halve if batch.rows.len() == 1 => {
                    settled += 1;
                    self.dead(reason)
                }
                Fate::Halve => {
                    to_halve.push(row.clone());
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
                Fate::AskLater => Settlement::Unknown {
                    resolve_after: now + self.target.quiet,
                    reason,
                },
            };
            rows.push((row.record, settlement));
        }
        let second = to_halve.split_off(to_halve.len().div_ceil(2));
        let halves = [to_halve, second]
            .into_iter()
            .filter(|rows| !rows.is_empty())
            .map(|rows| Batch {
                action: batch.action,
                rows,
            })
            .collect();
        Judged {
            rows,
            halves,
            settled,
        }
    }

    fn dead(&mut self, reason: Reason) -> Settlement {
        self.troubled = true;
        if self.target.stop_at_first_dead && self.stopped.is_none() {
            self.stopped = Some(Stopped::FirstDead(reason.clone()));
        }
        Settlement::Dead(reason)
    }

    /// Slows the whole target down after an answer that proves nothing was executed; gives up after many in a row.
    fn wait_after(&mut self, now: Ms, answer: &Answer) -> Ms {
        use crate::classify::Class;
        let wait = match answer.delivery {
            Delivery::NotSent => {
                self.unreachable += 1;
                if self.unreachable >= MAX_UNREACHABLE {
                    self.stopped = Some(Stopped::Target(answer.reason.clone()));
                }
                back_off(self.unreachable)
            }
            Delivery::Answered(Class::Throttled | Class::Transient) => {
                self.busy += 1;
                if self.busy >= MAX_BUSY {
                    self.stopped = Some(Stopped::Target(answer.reason.clone()));
                }
                answer.wait.unwrap_or_else(|| back_off(self.busy))
            }
            Delivery::Answered(Class::Auth { replay_write }) => {
                self.auth += 1;
                if self.auth >= MAX_AUTH {
                    self.stopped = Some(Stopped::Target(answer.reason.clone()));
                }
                if !replay_write {
                    // Asked about at once, not sent again.
                    return 0;
                }
                0
            }
            Delivery::Lost => {
                self.unreachable += 1;
                if self.unreachable >= MAX_UNREACHABLE {
                    self.stopped = Some(Stopped::Target(answer.reason.clone()));
                }
                return 0;
            }
            Delivery::Answered(_) => {
                self.unreachable = 0;
                self.busy = 0;
                self.auth = 0;
                return 0;
            }
        }
        .clamp(0, MAX_WAIT);
        self.again = true;
        self.rest_until = Some(now + wait);
        wait
    }
}

/// 1 s, 2 s, 4 s ... at most a minute.
fn back_off(nth: u32) -> Ms {
    1_000_i64 << nth.saturating_sub(1).min(6)
}

/// The word stored with an attempt.
fn outcome_word(delivery: Delivery) -> &'static str {
    use crate::classify::Class;
    match delivery {
        Delivery::NotSent => "not_sent",
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
