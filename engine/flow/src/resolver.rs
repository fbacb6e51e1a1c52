//! Records whose answer was lost: asked about after the quiet period, never blindly repeated.

use std::collections::{BTreeMap, VecDeque};

use crate::circuit::Circuits;
use crate::classify::{Manner, OnUnknown, Proof, manner};
use crate::codes;
use crate::event::{
    Action, CallFacts, Event, Found, Note, Purpose, ReadFailure, ReadFailureKind, Stopped, TargetFacts,
    TransformItem, Transformed, Waiting,
};
use crate::ids::{Ms, RecordId};
use crate::op::{Identity, LedgerOp, LedgerReply, Reason, Resolution, SuspectKind, Unknown, WriteAction};
use crate::reader::Step;
use crate::trouble::Trouble;
use crate::writer::ASK;

/// After a day without an answer, and a question that failed once more, a person must look.
pub const GIVE_UP: Ms = 24 * 3_600_000;
/// Pause after a question that failed; doubles to half an hour.
const ASK_AGAIN: Ms = 30_000;
const ASK_AGAIN_MAX: Ms = 1_800_000;
/// Questions in a row that failed before this run stops asking. The records stay unknown; the next run asks again.
const MAX_FAILURES: u32 = 3;

/// The key of a document that has none, or whose key is not known.
const NO_KEY: &str = "[]";

enum State {
    Pick,
    Picking,
    Asking {
        asked: Vec<Unknown>,
        rest: VecDeque<Unknown>,
    },
    /// Suspects are evaluated, because nothing says yet under which key their documents would be.
    Naming {
        suspects: Vec<Unknown>,
    },
    Resolving {
        rest: VecDeque<Unknown>,
    },
    Sleeping,
}

/// The resolving part of a run.
pub(crate) struct Resolver {
    scheme: String,
    target: TargetFacts,
    /// Wait for questions that may not be asked yet until here; `None` = do not wait.
    wait_until: Option<Ms>,
    /// Nobody writes beside it: what went back to pending is no reason to stop waiting.
    pub(crate) alone: bool,
    state: State,
    pub(crate) circuits: Circuits,
    /// Questions in a row without an answer, by target.
    failures: BTreeMap<String, u32>,
    /// Records that went back to pending.
    pub(crate) resent: u64,
    /// Records found at the target.
    pub(crate) found: u64,
    /// A record was left to a person.
    pub(crate) trouble: Trouble,
    pub(crate) next_question: Option<Ms>,
    pub(crate) stopped: Option<Stopped>,
    canceled: bool,
    notes: Vec<Note>,
}

impl Resolver {
    pub(crate) fn new(scheme: &str, target: TargetFacts, wait_until: Option<Ms>, circuits: Circuits) -> Self {
        Resolver {
            scheme: scheme.to_owned(),
            target,
            wait_until,
            alone: false,
            state: State::Pick,
            circuits,
            failures: BTreeMap::new(),
            resent: 0,
            found: 0,
            trouble: Trouble::default(),
            next_question: None,
            stopped: None,
            canceled: false,
            notes: Vec::new(),
        }
    }

    pub(crate) fn notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    pub(crate) fn cancel(&mut self) {
        self.canceled = true;
    }

    pub(crate) fn step(&mut self, now: Ms, event: Option<Event>) -> Step {
        match (std::mem::replace(&mut self.state, State::Pick), event) {
            (State::Pick, _) => self.pick(now),
            (State::Picking, Some(Event::Ledger(replies))) => self.picked(now, replies),
            (State::Asking { asked, rest }, Some(Event::Asked(found))) => self.found(now, asked, found, rest),
            (State::Asking { asked, .. }, Some(Event::ReadFailed(failure))) => {
                self.failed(now, asked, failure)
            }
            (State::Naming { suspects }, Some(Event::Transformed(outcomes))) => {
                self.named(now, suspects, outcomes)
            }
            (State::Resolving { rest }, Some(Event::Ledger(_))) => self.ask(now, rest),
            (State::Sleeping, Some(Event::Woke)) => self.pick(now),
            (_, _) => {
                self.stopped = Some(Stopped::Target(Reason::new(
                    codes::BUG,
                    "event out of order while resolving",
                )));
                Step::Done
            }
        }
    }

    fn pick(&mut self, now: Ms) -> Step {
        if self.canceled || self.stopped.is_some() {
            return Step::Done;
        }
        self.state = State::Picking;
        Step::Act(Action::Ledger(vec![LedgerOp::PickUnknown {
            scheme: self.scheme.clone(),
            now,
            limit: u32::try_from(ASK * 10).unwrap_or(500),
        }]))
    }

    fn picked(&mut self, now: Ms, replies: Vec<LedgerReply>) -> Step {
        let Some(LedgerReply::Unknowns {
            records,
            next_due,
            total,
        }) = replies.into_iter().next()
        else {
            self.stopped = Some(Stopped::Target(Reason::new(
                codes::BUG,
                "unknown records not picked",
            )));
            return Step::Done;
        };
        self.next_question = next_due;
        if self.canceled {
            return Step::Done;
        }
        // A question is a call: it keeps to what is remembered of its target.
        if self.circuits.blocked(&self.target.name, now).is_some() {
            return Step::Done;
        }
        let records: VecDeque<Unknown> = records
            .into_iter()
            .filter(|unknown| self.may_ask(now, unknown))
            .collect();
        if !records.is_empty() {
            return self.ask(now, records);
        }
        match (next_due, self.wait_until) {
            // Records put back to pending are written before the wait for the rest goes on.
            (Some(due), Some(until))
                if (self.resent == 0 || self.alone)
                    && due <= until
                    && self.failures_of(&self.target.name) < MAX_FAILURES =>
            {
                self.state = State::Sleeping;
                Step::Act(Action::Sleep {
                    until: due.max(now),
                    why: Waiting::Quiet { unknown: total },
                })
            }
            _ => Step::Done,
        }
    }

    /// The target that a question would go to answers, as far as this run knows: a silent one of a step is no reason to ask
    /// the others nothing. What a person said is no question.
    fn may_ask(&self, now: Ms, unknown: &Unknown) -> bool {
        let target = self.target.name_of(unknown.step.as_deref());
        unknown.said
            || self.without_asking(now, unknown).is_some()
            || self.failures_of(target) < MAX_FAILURES && self.circuits.blocked(target, now).is_none()
    }

    fn failures_of(&self, target: &str) -> u32 {
        self.failures.get(target).copied().unwrap_or_default()
    }

    /// Resolves what needs no question, asks about the rest.
    fn ask(&mut self, now: Ms, mut rest: VecDeque<Unknown>) -> Step {
        if self.canceled {
            return Step::Done;
        }
        let suspects: Vec<Unknown> = rest
            .iter()
            .filter(|unknown| self.is_nameless(unknown))
            .take(ASK)
            .cloned()
            .collect();
        if !suspects.is_empty() {
            return self.name(suspects);
        }
        let (mut decided, mut asked, mut others) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(unknown) = rest.pop_front() {
            match self.without_asking(now, &unknown) {
                Some(resolution) => decided.push((unknown.record, resolution)),
                // One question goes to one target.
                None if asked
                    .first()
                    .is_some_and(|first| !self.is_asked_with(first, &unknown)) =>
                {
                    others.push(unknown);
                }
                None => asked.push(unknown),
            }
            if asked.len() == ASK {
                break;
            }
        }
        rest.extend(others);
        if !decided.is_empty() {
            // Decide first; what was to be asked goes back to the front.
            for unknown in asked.into_iter().rev() {
                rest.push_front(unknown);
            }
            return self.resolve(now, decided, rest, None);
        }
        if asked.is_empty() {
            return self.pick(now);
        }
        let records: Vec<RecordId> = asked.iter().map(|unknown| unknown.record).collect();
        self.state = State::Asking { asked, rest };
        Step::Act(Action::Ask {
            purpose: Purpose::Resolve,
            records,
        })
    }

    /// The target that a question goes to.
    fn asked_target(&self, asked: &[Unknown]) -> String {
        let step = asked.first().and_then(|unknown| unknown.step.as_deref());
        self.target.name_of(step).to_owned()
    }

    fn is_asked_with(&self, one: &Unknown, other: &Unknown) -> bool {
        let [one, other] = [one, other].map(|unknown| self.target.name_of(unknown.step.as_deref()));
        one == other
    }

    /// A suspect that the target will be asked about, under a key that is not known yet.
    fn is_nameless(&self, unknown: &Unknown) -> bool {
        matches!(self.manner(unknown), Manner::Ask { .. })
            && !unknown.said
            && unknown.suspect.is_some()
            && unknown.tkey == NO_KEY
    }

    fn name(&mut self, suspects: Vec<Unknown>) -> Step {
        // Whatever the row means now: the question is whether it was ever created.
        let items = suspects.iter().map(|unknown| TransformItem {
            record: unknown.record,
            has_target: false,
            void: false,
        });
        let action = Action::Transform(items.collect());
        self.state = State::Naming { suspects };
        Step::Act(action)
    }

    /// The keys are frozen, then everything is picked anew. A record that cannot be evaluated goes back to pending,
    /// where the writing half refuses it with its reason; it stays suspect.
    fn named(&mut self, now: Ms, suspects: Vec<Unknown>, outcomes: Vec<Transformed>) -> Step {
        let (mut identities, mut rows) = (Vec::new(), Vec::new());
        for (unknown, outcome) in suspects.into_iter().zip(outcomes) {
            match outcome {
                Transformed::Ready(ready) if ready.tkey == NO_KEY => {
                    let held = Reason::new(codes::CANNOT_ASK, &unknown.reason.text);
                    rows.push((unknown.record, Resolution::Held(held)));
                }
                Transformed::Ready(ready) => identities.push(Identity {
                    record: unknown.record,
                    version: unknown.version,
                    form: ready.form,
                    tkey: ready.tkey,
                }),
                Transformed::Refused(_) => rows.push((unknown.record, Resolution::Unasked)),
            }
        }
        self.count(&rows);
        self.state = State::Resolving {
            rest: VecDeque::new(),
        };
        Step::Act(Action::Ledger(vec![
            LedgerOp::Identify {
                target: self.target.name.clone(),
                rows: identities,
                now,
            },
            LedgerOp::Resolve { rows, now },
        ]))
    }

    fn without_asking(&self, now: Ms, unknown: &Unknown) -> Option<Resolution> {
        if unknown.said && self.call(unknown).is_some() {
            return None;
        }
        let exists = unknown.reason.code == codes::EXISTS;
        let hold = |code: &str| Some(Resolution::Held(Reason::new(code, &unknown.reason.text)));
        let Some(call) = self.call(unknown) else {
            return hold(codes::CANNOT_ASK);
        };
        let answered = [codes::HALF, codes::STEP_REFUSED].contains(&unknown.reason.code.as_str());
        if answered && askable(call.proof, unknown) {
            return None;
        }
        match unknown.action {
            // The number the update wants belongs to another document; it would be refused for ever.
            WriteAction::Update if exists => hold(codes::KEY_CONFLICT),
            WriteAction::Update if self.asks_update(unknown) => None,
            // The document's id is in the payload: the same update again has the same effect.
            WriteAction::Update => Some(Resolution::Resend),
            WriteAction::Void if self.target.voids_again => Some(Resolution::Resend),
            WriteAction::Void => hold(codes::CANNOT_ASK),
            WriteAction::Create | WriteAction::Step => match manner(call.proof, call.on_unknown) {
                // Sending again would meet the same document for ever: only a question tells whose it is.
                Manner::Resend if exists && askable(call.proof, unknown) => None,
                // What was sent was another version: sent again, today's would be refused as there, and taken for done
                // with the content of yesterday.
                Manner::Resend if unknown.suspect.is_some() && askable(call.proof, unknown) => None,
                Manner::Resend | Manner::Hold if exists && !unknown.maybe_sent => hold(codes::KEY_CONFLICT),
                Manner::Resend if exists => hold(codes::CANNOT_ASK),
                // The target forgets the keys of repeated sends after a while.
                Manner::Resend
                    if Self::forgets(call) && forgotten(now, unknown.doubted, self.target.remembers) =>
                {
                    hold(codes::UNKNOWN_TOO_LONG)
                }
                Manner::Resend => Some(Resolution::Resend),
                Manner::Ask { .. } if askable(call.proof, unknown) => None,
                Manner::Ask { .. } | Manner::Hold => hold(codes::CANNOT_ASK),
            },
        }
    }

    /// Whether the document shows if a lost update was made.
    fn asks_update(&self, unknown: &Unknown) -> bool {
        self.target.asks_updates
            && self.target.on_unknown == OnUnknown::ByProof
            && unknown.action == WriteAction::Update
            && unknown.step.is_none()
    }

    fn too_long(&self, now: Ms, unknown: &Unknown) -> bool {
        now - unknown.since > GIVE_UP
    }

    fn forgets(call: CallFacts) -> bool {
        call.proof == Proof::IdempotencyKey && call.on_unknown == OnUnknown::ByProof
    }

    /// What the scheme says now about the call whose answer was lost.
    fn call(&self, unknown: &Unknown) -> Option<CallFacts> {
        self.target.at(unknown.step.as_deref())
    }

    fn found(&mut self, now: Ms, asked: Vec<Unknown>, found: Vec<Found>, rest: VecDeque<Unknown>) -> Step {
        let target = self.asked_target(&asked);
        self.failures.remove(&target);
        let circuit = self.circuits.of(&target).answered();
        let resolved = asked
            .into_iter()
            .zip(found)
            .map(|(unknown, found)| (unknown.record, self.conclude(now, &unknown, found)))
            .collect();
        self.resolve(now, resolved, rest, circuit)
    }

    /// What an answer about one record means.
    fn conclude(&self, now: Ms, unknown: &Unknown, found: Found) -> Resolution {
        // "Exists" at the very first send: nothing of ours can be there.
        // A conflict that a person retries is still one as long as that document is there.
        let foreign = unknown.reason.code == codes::EXISTS && !unknown.maybe_sent
            || unknown.reason.code == codes::KEY_CONFLICT;
        match found {
            // Of an update: it is not there as it was sent. The writing half sends it again, or refuses to.
            Found::None if self.asks_update(unknown) => Resolution::Resend,
            Found::One { .. } if foreign => {
                Resolution::Held(Reason::new(codes::KEY_CONFLICT, &unknown.reason.text))
            }
            // Sent by a life that the ledger has forgotten, in some version: the update of today is sent, however far that
            // life had come with it.
            Found::One { id, number, next: _ }
                if unknown.suspect == Some(SuspectKind::Restored)
                    && self.target.updates_at(unknown.step.as_deref())
                    && !is_about_this_call(unknown) =>
            {
                Resolution::Known { id, number }
            }
            Found::One {
                id,
                number,
                next: None,
            } => Resolution::Done { id: Some(id), number },
            Found::One {
                id,
                number,
                next: Some(next),
            } => Resolution::Stepped {
                id: Some(id),
                number,
                next,
            },
            Found::None if unknown.reason.code == codes::STEP_REFUSED => {
                Resolution::Dead(unknown.reason.clone())
            }
            Found::Foreign(reason) => Resolution::Held(reason),
            Found::Many => Resolution::Held(Reason::new(codes::KEY_AMBIGUOUS, &unknown.reason.text)),
            // The target named it as written, or as there.
            Found::None if matches!(unknown.reason.code.as_str(), codes::EXISTS | codes::HALF) => {
                Resolution::Held(Reason::new(codes::EXISTS_NOT_FOUND, &unknown.reason.text))
            }
            Found::None => match self.manner(unknown) {
                Manner::Ask { negatives } if unknown.misses + 1 < negatives => Resolution::AskAgain {
                    at: now + self.call(unknown).map_or(self.target.quiet, |call| call.quiet),
                    missed: true,
                    reason: Reason::new(codes::NOT_THERE_YET, &unknown.reason.text),
                },
                Manner::Ask { .. } | Manner::Resend => Resolution::Resend,
                Manner::Hold => Resolution::Held(Reason::new(codes::CANNOT_ASK, &unknown.reason.text)),
            },
        }
    }

    fn manner(&self, unknown: &Unknown) -> Manner {
        self.call(unknown)
            .map_or(Manner::Hold, |call| manner(call.proof, call.on_unknown))
    }

    fn resolve(
        &mut self,
        now: Ms,
        rows: Vec<(RecordId, Resolution)>,
        rest: VecDeque<Unknown>,
        circuit: Option<LedgerOp>,
    ) -> Step {
        self.count(&rows);
        self.state = State::Resolving { rest };
        let resolve = LedgerOp::Resolve { rows, now };
        Step::Act(Action::Ledger([resolve].into_iter().chain(circuit).collect()))
    }

    fn count(&mut self, rows: &[(RecordId, Resolution)]) {
        for (_, how) in rows {
            match how {
                Resolution::Resend
                | Resolution::Stepped { .. }
                | Resolution::Known { .. }
                | Resolution::Unasked => self.resent += 1,
                Resolution::Done { .. } => self.found += 1,
                Resolution::Held(reason) | Resolution::Dead(reason) => self.trouble.note(reason),
                Resolution::AskAgain { .. } => {}
            }
        }
    }

    fn failed(&mut self, now: Ms, asked: Vec<Unknown>, failure: ReadFailure) -> Step {
        self.notes.push(Note::ReadAgain(failure.reason.clone()));
        let target = self.asked_target(&asked);
        let failures = self.failures_of(&target) + 1;
        self.failures.insert(target.clone(), failures);
        let is_own = target == self.target.name;
        let circuit = match failure.kind {
            ReadFailureKind::Unreachable | ReadFailureKind::Lost => self.circuits.of(&target).failed(now),
            ReadFailureKind::Config
            | ReadFailureKind::Unusable
            | ReadFailureKind::Wait
            | ReadFailureKind::Fault => None,
        };
        let hopeless = match failure.kind {
            _ if !is_own => false,
            ReadFailureKind::Config | ReadFailureKind::Unusable => true,
            ReadFailureKind::Unreachable => failures >= MAX_FAILURES || self.circuits.is_open(&target),
            ReadFailureKind::Lost => self.circuits.is_open(&target),
            ReadFailureKind::Wait | ReadFailureKind::Fault => false,
        };
        if hopeless {
            self.stopped = Some(Stopped::Target(failure.reason.clone()));
        }
        let pause = failure
            .wait
            .unwrap_or(ASK_AGAIN << failures.saturating_sub(1).min(6));
        let at = now + pause.clamp(0, ASK_AGAIN_MAX);
        let rows = asked
            .into_iter()
            .map(|unknown| {
                if self.too_long(now, &unknown) {
                    let reason = Reason::new(codes::UNKNOWN_TOO_LONG, &unknown.reason.text);
                    return (unknown.record, Resolution::Held(reason));
                }
                // The code says how it became unknown and is needed to judge the answer: it stays.
                (
                    unknown.record,
                    Resolution::AskAgain {
                        at,
                        missed: false,
                        reason: unknown.reason,
                    },
                )
            })
            .collect();
        self.resolve(now, rows, VecDeque::new(), circuit)
    }
}

/// Whether the target no longer knows the key of a call that was made at `since`: nine tenths of the time it promises,
/// because its clock is not ours.
pub(crate) fn forgotten(now: Ms, since: Ms, remembers: Ms) -> bool {
    now - since > remembers / 10 * 9
}

/// The answer about a step is one about the call of today: a person's word, or what became of a call that went half way.
fn is_about_this_call(unknown: &Unknown) -> bool {
    unknown.step.is_some() && (unknown.said || unknown.reason.code == codes::HALF)
}

/// Whether the target can be asked about this record.
fn askable(proof: Proof, unknown: &Unknown) -> bool {
    let has_key = unknown.tkey != NO_KEY || unknown.action == WriteAction::Step;
    matches!(proof, Proof::UniqueKey | Proof::Query) && has_key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolver(proof: Proof, on_unknown: OnUnknown, updates: bool) -> Resolver {
        let target = TargetFacts {
            gathers: false,
            name: "t".to_owned(),
            batch: 1,
            proof,
            on_unknown,
            timeout: 1,
            quiet: 1,
            find_before_create: false,
            updates,
            voids_again: false,
            asks_updates: false,
            stop_at_first_dead: false,
            remembers: 1,
            steps: Vec::new(),
        };
        Resolver::new("s", target, None, Circuits::new(&["t".to_owned()]))
    }

    /// The silent system of a step takes nothing of what may be asked of the others.
    #[test]
    fn silence_is_counted_for_each_target() {
        let mut resolver = resolver(Proof::Query, OnUnknown::ByProof, true);
        resolver.target.steps.push(crate::event::StepFacts {
            name: "tell".to_owned(),
            target: Some("messages".to_owned()),
            updates: false,
            call: CallFacts {
                batch: 1,
                proof: Proof::Query,
                on_unknown: OnUnknown::ByProof,
                timeout: 1,
                quiet: 1,
            },
        });
        let at_step = Unknown {
            record: RecordId(2),
            step: Some("tell".to_owned()),
            ..unknown(None)
        };
        let picked = |resolver: &mut Resolver, records: &[&Unknown]| {
            let step = resolver.picked(
                1,
                vec![LedgerReply::Unknowns {
                    records: records.iter().map(|record| (*record).clone()).collect(),
                    next_due: None,
                    total: 2,
                }],
            );
            match step {
                Step::Act(Action::Ask { records, .. }) => records,
                _ => Vec::new(),
            }
        };
        let own = unknown(None);
        for _ in 0..MAX_FAILURES {
            assert_eq!(picked(&mut resolver, &[&at_step]), [RecordId(2)]);
            let failure = ReadFailure {
                kind: ReadFailureKind::Wait,
                wait: None,
                reason: Reason::new("E7004", "busy"),
            };
            resolver.failed(1, vec![at_step.clone()], failure);
        }
        assert_eq!(picked(&mut resolver, &[&at_step, &own]), [RecordId(1)]);
        assert_eq!(picked(&mut resolver, &[&at_step]), []);
    }

    fn unknown(suspect: Option<SuspectKind>) -> Unknown {
        Unknown {
            record: RecordId(1),
            action: WriteAction::Create,
            form: String::new(),
            tkey: "[\"k\"]".to_owned(),
            misses: 0,
            since: 0,
            maybe_sent: false,
            version: "v".to_owned(),
            suspect,
            step: None,
            said: false,
            doubted: 0,
            reason: Reason::new("X", "was lost"),
        }
    }

    /// A record that may be there in another version is asked about, also where what is lost is sent again.
    #[test]
    fn another_version_is_not_sent_before_the_question() {
        use SuspectKind::Restored;
        let resend = OnUnknown::Resend;
        for (proof, on_unknown, suspect, asks) in [
            (Proof::UniqueKey, resend, Some(Restored), true),
            (Proof::Query, resend, Some(Restored), true),
            (Proof::UniqueKey, resend, None, false),
            (Proof::UniqueKey, OnUnknown::ByProof, None, true),
            // Whatever is there is written over.
            (Proof::Upsert, OnUnknown::ByProof, Some(Restored), false),
            (Proof::Upsert, resend, Some(Restored), false),
        ] {
            let decided = resolver(proof, on_unknown, true).without_asking(2, &unknown(suspect));
            assert_eq!(
                decided.is_none(),
                asks,
                "{proof:?} {on_unknown:?} {suspect:?}: {decided:?}"
            );
        }
    }

    /// What is said of the message behind an order is not said of the order, and the other way round.
    #[test]
    fn each_document_is_resolved_as_was_said_of_it() {
        use OnUnknown::{ByProof, Hold, Resend};
        let lost = |step: Option<&str>| Unknown {
            step: step.map(str::to_owned),
            ..unknown(None)
        };
        for (on_unknown, of_step) in [(ByProof, Hold), (ByProof, Resend), (Hold, ByProof)] {
            let mut resolver = resolver(Proof::Query, on_unknown, true);
            let call = CallFacts {
                proof: Proof::None,
                on_unknown: of_step,
                ..resolver.target.at(None).expect("the document")
            };
            resolver.target.steps = vec![crate::event::StepFacts {
                name: "tell".to_owned(),
                target: None,
                updates: false,
                call,
            }];
            let document = resolver.without_asking(2, &lost(None));
            match on_unknown {
                ByProof => assert_eq!(document, None),
                Hold | Resend => assert!(matches!(document, Some(Resolution::Held(_))), "{document:?}"),
            }
            let step = resolver.without_asking(2, &lost(Some("tell")));
            match of_step {
                Resend => assert_eq!(step, Some(Resolution::Resend)),
                Hold | ByProof => assert!(matches!(step, Some(Resolution::Held(_))), "{step:?}"),
            }
        }
    }

    /// An update is asked about where the document shows whether it was made.
    #[test]
    fn a_lost_update_is_asked_about_where_that_can_be_seen() {
        let lost = Unknown {
            action: WriteAction::Update,
            ..unknown(None)
        };
        for (asks_updates, on_unknown, asks) in [
            (true, OnUnknown::ByProof, true),
            (true, OnUnknown::Resend, false),
            (false, OnUnknown::ByProof, false),
        ] {
            let mut resolver = resolver(Proof::None, on_unknown, true);
            resolver.target.asks_updates = asks_updates;
            let decided = resolver.without_asking(2, &lost);
            assert_eq!(
                decided.is_none(),
                asks,
                "{asks_updates} {on_unknown:?}: {decided:?}"
            );
        }
        let mut resolver = resolver(Proof::None, OnUnknown::ByProof, true);
        resolver.target.asks_updates = true;
        assert_eq!(resolver.conclude(2, &lost, Found::None), Resolution::Resend);
        let there = Found::One {
            id: "7".to_owned(),
            number: None,
            next: None,
        };
        let done = resolver.conclude(2, &lost, there);
        assert!(matches!(done, Resolution::Done { .. }), "{done:?}");
    }

    /// What is found of a step or line counts by what that step can do, whatever the scheme can: what a forgotten life made
    /// is in a version that nobody knows, and is updated.
    #[test]
    fn what_a_step_wrote_is_updated_where_the_step_updates() {
        use SuspectKind::{Adopted, Restored};
        let half = Reason::new(codes::HALF, "written, not audited");
        for (updates, suspect, said, half, want) in [
            (true, Some(Restored), false, None, "known"),
            (true, Some(Restored), true, None, "done"),
            (true, Some(Restored), false, Some(half), "done"),
            (true, Some(Adopted), false, None, "done"),
            (true, None, false, None, "done"),
            (false, Some(Restored), false, None, "done"),
        ] {
            let mut resolver = resolver(Proof::Query, OnUnknown::ByProof, !updates);
            resolver.target.steps = vec![crate::event::StepFacts {
                name: "contact".to_owned(),
                target: None,
                updates,
                call: resolver.target.at(None).expect("the document"),
            }];
            let lost = unknown(suspect);
            let at_line = Unknown {
                step: Some(r#"contact/["1"]"#.to_owned()),
                said,
                reason: half.unwrap_or(lost.reason.clone()),
                ..lost
            };
            let found = Found::One {
                id: "81".to_owned(),
                number: None,
                next: None,
            };
            let got = match resolver.conclude(1, &at_line, found) {
                Resolution::Done { .. } => "done",
                Resolution::Known { .. } => "known",
                other => panic!("{other:?}"),
            };
            assert_eq!(got, want, "updates {updates}, {suspect:?}, said {said}");
        }
    }

    /// What a person said of it is fetched even where the target cannot be asked.
    #[test]
    fn what_a_person_said_of_a_step_is_taken_for_an_answer() {
        for on_unknown in [OnUnknown::ByProof, OnUnknown::Hold, OnUnknown::Resend] {
            let resolver = resolver(Proof::None, on_unknown, true);
            let lost = unknown(Some(SuspectKind::Restored));
            assert!(resolver.without_asking(1, &lost).is_some());
            let said = Unknown { said: true, ..lost };
            assert_eq!(resolver.without_asking(1, &said), None);
            assert!(!resolver.is_nameless(&said));
        }
    }

    /// A document that is there: what it means depends on who sent it, and how far it is.
    #[test]
    fn what_is_there_is_ours_in_the_version_that_was_sent() {
        use SuspectKind::{Adopted, Restored};
        let next = || Some("submit".to_owned());
        for (suspect, updates, next, want) in [
            (None, true, None, "done"),
            (None, true, next(), "stepped"),
            (Some(Restored), true, None, "known"),
            // Half done, but in a version that nobody knows.
            (Some(Restored), true, next(), "known"),
            (Some(Restored), false, None, "done"),
            (Some(Restored), false, next(), "stepped"),
            (Some(Adopted), true, None, "done"),
            (Some(Adopted), true, next(), "stepped"),
        ] {
            let resolver = resolver(Proof::Query, OnUnknown::ByProof, updates);
            let unknown = unknown(suspect);
            let case = format!("{suspect:?}, updates {updates}, {next:?}");
            let found = Found::One {
                id: "7".to_owned(),
                number: None,
                next,
            };
            let got = match resolver.conclude(1, &unknown, found) {
                Resolution::Done { .. } => "done",
                Resolution::Stepped { .. } => "stepped",
                Resolution::Known { .. } => "known",
                other => panic!("{case}: {other:?}"),
            };
            assert_eq!(got, want, "{case}");
        }
    }
}
