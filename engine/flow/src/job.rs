//! One run of one scheme.

use crate::circuit::Circuits;
use crate::codes;
use crate::event::{Action, Event, Inbox, JobPlan, Note, Partner, Stages, Stopped, Summary, TargetFacts};
use crate::grouper::Grouper;
use crate::ids::{Ms, RunId};
use crate::op::{Counts, LedgerOp, LedgerReply, Reason, RecordState, RunStatus, Trigger};
use crate::reader::{HIGH_WATER, Most, Reader, Step};
use crate::resolver::Resolver;
use crate::to_read::Covered;
use crate::trouble::Trouble;
use crate::writer::Writer;

/// Rounds of writing, resolving and writing again at the end of a run. Each needs an answer that sent records back;
/// the bound keeps a target that never remembers from holding the run for ever.
const MAX_ROUNDS: u32 = 10;

/// How old the partner's reading may be when something is written, at least. Each further reading is a call a minute, and
/// only while there is something to write; what somebody edits in between is overwritten. A source that may be asked
/// every six minutes is relied upon so long.
pub const PARTNER_FRESH: Ms = 60_000;

enum Phase {
    Idle,
    Beginning,
    /// Tasks that an earlier process left come first,
    Resume,
    /// then what earlier runs left unknown.
    ResolveFirst(Box<Resolver>),
    Read,
    /// Rows of which several become one document are gathered.
    Group(Box<Grouper>),
    /// The partner reads, so that what it is about to write is known.
    Partner,
    Write,
    /// Counting what is open, to see whether reading may go on.
    Measuring,
    ResolveLast(Box<Resolver>),
    Abandoning,
    Ending,
    Finished,
}

/// One run of one scheme as a state machine. Feed [`Event::Start`], carry out what comes back, feed what happened.
pub struct Job {
    plan: JobPlan,
    phase: Phase,
    run: Option<RunId>,
    reader: Option<Reader>,
    writer: Option<Writer>,
    /// What is remembered of the targets; the writer and the resolver go on with it.
    circuits: Option<Circuits>,
    stopped: Option<Stopped>,
    settle_until: Option<Ms>,
    next_question: Option<Ms>,
    rounds: u32,
    windows_left: u32,
    /// A record was left to a person or put off.
    trouble: Trouble,
    /// Records whose lost answer turned out to be an acceptance.
    found: u64,
    /// When the partner had read; `None` = it has not, or too long ago.
    partner_read: Option<Ms>,
    /// What waits until it has.
    held_back: Option<LedgerOp>,
    /// Open records when the run began.
    open: u64,
    canceled: bool,
}

impl Job {
    /// A run that has not started.
    pub fn new(plan: JobPlan) -> Self {
        Job {
            circuits: plan.target.as_ref().map(|target| Circuits::new(&target.names())),
            plan,
            phase: Phase::Idle,
            run: None,
            reader: None,
            writer: None,
            stopped: None,
            settle_until: None,
            next_question: None,
            rounds: 0,
            windows_left: 0,
            trouble: Trouble::default(),
            found: 0,
            partner_read: None,
            held_back: None,
            open: 0,
            canceled: false,
        }
    }

    /// A person wants the run to stop: what is in flight is settled, nothing new is begun.
    pub fn cancel(&mut self) {
        self.canceled = true;
        if let Some(writer) = &mut self.writer {
            writer.cancel();
        }
        if let Phase::ResolveFirst(resolver) | Phase::ResolveLast(resolver) = &mut self.phase {
            resolver.cancel();
        }
    }

    /// What the source's own clock said when it gave the page that the next event brings: no interval is closed beyond
    /// it. A source that says nothing is taken to have our time.
    pub fn source_clock(&mut self, clock: Ms) {
        if let Some(reader) = &mut self.reader {
            reader.source_clock(clock);
        }
    }

    /// Whether [`Action::Finish`] was given.
    pub fn finished(&self) -> bool {
        matches!(self.phase, Phase::Finished)
    }

    /// Takes what happened, gives what is to be done. Notes come first; at most one action wants an answer.
    pub fn step(&mut self, now: Ms, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut event = Some(event);
        loop {
            match self.advance(now, event.take(), &mut actions) {
                Some(action) => {
                    actions.push(action);
                    return actions;
                }
                None if self.finished() => return actions,
                None => {}
            }
        }
    }

    /// One move; `None` = the phase changed and the next one decides.
    fn advance(&mut self, now: Ms, event: Option<Event>, actions: &mut Vec<Action>) -> Option<Action> {
        match &mut self.phase {
            Phase::Idle => {
                self.phase = Phase::Beginning;
                let mut ops = vec![LedgerOp::BeginRun {
                    scheme: self.plan.scheme.clone(),
                    revision: self.plan.revision.clone(),
                    trigger: self.plan.trigger,
                    now,
                }];
                // A rehearsal calls nobody: whether the target can be reached is nothing to it.
                let scheme = &self.plan.scheme;
                if let Some(target) = self.target().filter(|_| self.plan.trigger != Trigger::DryRun) {
                    let targets = target.names().into_iter();
                    ops.extend(targets.map(|target| LedgerOp::ReadCircuit { target }));
                    ops.push(LedgerOp::PickTasks {
                        scheme: scheme.clone(),
                        now,
                    });
                }
                if let Some(rule) = &self.plan.source.versions {
                    ops.push(LedgerOp::ReadVersions {
                        scheme: scheme.clone(),
                        source: rule.source.clone(),
                    });
                }
                if self.plan.source.inbox != Inbox::None && self.plan.stages != Stages::Save {
                    ops.push(LedgerOp::CountPushes {
                        scheme: scheme.clone(),
                    });
                }
                ops.extend(
                    self.plan
                        .source
                        .cursors()
                        .into_iter()
                        .map(|cursor| LedgerOp::Cover {
                            scheme: scheme.clone(),
                            cursor,
                            now,
                        }),
                );
                Some(Action::Ledger(ops))
            }
            Phase::Beginning => self.begun(now, event, actions),
            Phase::Resume => self.resume(now, event, actions),
            Phase::ResolveFirst(resolver) => {
                let step = resolver.step(now, event);
                actions.extend(resolver.notes().into_iter().map(Action::Note));
                match step {
                    Step::Act(action) => Some(action),
                    Step::Paused | Step::Done => {
                        self.next_question = resolver.next_question;
                        self.trouble.and(&resolver.trouble);
                        self.found += resolver.found;
                        let stopped = resolver.stopped.take();
                        // What the questions learnt of the target, the calls begin with.
                        if let Some(writer) = &mut self.writer {
                            writer.circuits = resolver.circuits.clone();
                        }
                        self.after_resolving_first(now, stopped)
                    }
                }
            }
            Phase::Read => self.read(now, event, actions),
            Phase::Group(grouper) => match grouper.step(now, event) {
                Step::Act(action) => Some(action),
                Step::Paused | Step::Done => {
                    self.trouble.and(&grouper.trouble);
                    let stopped = grouper.stopped.take();
                    self.grouped(now, stopped, actions)
                }
            },
            Phase::Partner => self.partner_read(now, event, actions),
            Phase::Write => self.write(now, event, actions),
            Phase::Measuring => {
                let open = match event {
                    Some(Event::Ledger(replies)) => open_records(&replies),
                    _ => HIGH_WATER,
                };
                if self.canceled {
                    return self.cancel_now(now);
                }
                if open < HIGH_WATER {
                    if let Some(reader) = &mut self.reader {
                        reader.written(open);
                    }
                    if let Some(writer) = &mut self.writer {
                        writer.restart();
                    }
                    self.phase = Phase::Read;
                } else {
                    self.resolve_last(now);
                }
                None
            }
            Phase::ResolveLast(resolver) => {
                let step = resolver.step(now, event);
                actions.extend(resolver.notes().into_iter().map(Action::Note));
                match step {
                    Step::Act(action) => Some(action),
                    Step::Paused | Step::Done => {
                        self.next_question = resolver.next_question;
                        self.trouble.and(&resolver.trouble);
                        self.found += resolver.found;
                        let stopped = resolver.stopped.take();
                        if let Some(writer) = &mut self.writer {
                            writer.circuits = resolver.circuits.clone();
                        }
                        // A record found at the target may have had a newer version waiting, which is pending now.
                        let moved = resolver.resent + resolver.found;
                        self.after_resolving_last(now, stopped, moved)
                    }
                }
            }
            Phase::Abandoning => self.end(now),
            Phase::Ending => self.ended(event),
            Phase::Finished => None,
        }
    }

    fn begun(&mut self, now: Ms, event: Option<Event>, actions: &mut Vec<Action>) -> Option<Action> {
        let Some(Event::Ledger(replies)) = event else {
            return self.bug(now, "run not begun");
        };
        let mut replies = replies.into_iter();
        let Some(LedgerReply::RunBegun {
            run,
            enabled,
            closed,
            recovered,
            open,
        }) = replies.next()
        else {
            return self.bug(now, "run not begun");
        };
        self.run = Some(run);
        self.open = open;
        let (mut covers, mut tasks, mut versions, mut waiting) = (Vec::new(), Vec::new(), None, 0);
        let mut targets = 0;
        for reply in replies {
            match (reply, &mut self.circuits) {
                (LedgerReply::Circuit { failures, until }, Some(circuits)) => {
                    if let Some(circuit) = circuits.nth(targets) {
                        circuit.remember(failures, until);
                    }
                    targets += 1;
                }
                (LedgerReply::Tasks(left), _) => tasks = left,
                (LedgerReply::Versions(known), _) => versions = known,
                (LedgerReply::Waiting(pushes), _) => waiting = pushes,
                (other, _) => covers.push(other),
            }
        }
        let covered = Covered::new(closed, covers.into_iter());
        if self.canceled {
            return self.cancel_now(now);
        }
        if recovered > 0 {
            actions.push(Action::Note(Note::Recovered(recovered)));
        }
        if self.plan.stages != Stages::Save {
            match self
                .plan
                .source
                .to_read(&covered, enabled, self.plan.instant, now)
            {
                Ok((mut to_read, extended)) => {
                    to_read.versions = versions;
                    to_read.waiting = waiting;
                    if let Some(by) = extended {
                        actions.push(Action::Note(Note::Extended(by)));
                    }
                    let mut reader = Reader::new(
                        run,
                        &self.plan.scheme,
                        self.plan.target.as_ref(),
                        self.plan.source.clone(),
                        Most {
                            by_hand: self.plan.limit,
                            brake: self.plan.brakes.records,
                            // Nothing makes room for what is only asked about: it is read to its end.
                            open: if self.plan.for_partner || self.plan.stages == Stages::Ask {
                                u64::MAX
                            } else {
                                HIGH_WATER
                            },
                        },
                        to_read,
                        open,
                    );
                    reader.retry = self.plan.retry;
                    self.reader = Some(reader);
                }
                Err(late) => {
                    let text = format!("{} > {}", late.start, late.watermark);
                    let reason = Reason::new(codes::STARTS_TOO_LATE, text);
                    actions.push(Action::Note(Note::WindowLeft(reason)));
                    self.windows_left += 1;
                }
            }
        }
        match self.target() {
            Some(target) => {
                let circuits = self.circuits.clone();
                let circuits = circuits.unwrap_or_else(|| Circuits::new(&target.names()));
                let scheme = &self.plan.scheme;
                let mut writer = Writer::new(run, scheme, target, self.plan.limit, circuits, tasks);
                writer.retry = self.plan.retry;
                self.writer = Some(writer);
                self.phase = Phase::Resume;
            }
            None => self.phase = Phase::Read,
        }
        None
    }

    fn resume(&mut self, now: Ms, event: Option<Event>, actions: &mut Vec<Action>) -> Option<Action> {
        let Some(writer) = &mut self.writer else {
            return self.bug(now, "nobody to ask about tasks");
        };
        let step = writer.resume(now, event);
        actions.extend(writer.notes().into_iter().map(Action::Note));
        match step {
            Step::Act(action) => Some(action),
            Step::Paused | Step::Done => {
                if let Some(stopped) = writer.stopped.take() {
                    actions.push(Action::Note(Note::Stopping(reason_of(&stopped))));
                    self.stopped = Some(stopped);
                    return self.end(now);
                }
                if self.canceled {
                    return self.cancel_now(now);
                }
                self.resolve_first();
                None
            }
        }
    }

    fn resolve_first(&mut self) {
        let (Some(target), Some(writer)) = (self.target(), &self.writer) else {
            self.phase = Phase::Read;
            return;
        };
        let resolver = Resolver::new(&self.plan.scheme, target, None, writer.circuits.clone());
        self.phase = Phase::ResolveFirst(Box::new(resolver));
    }

    fn target(&self) -> Option<TargetFacts> {
        match self.plan.stages {
            Stages::Fetch => None,
            Stages::All | Stages::Save | Stages::Ask => self.plan.target.clone(),
        }
    }

    fn after_resolving_first(&mut self, now: Ms, stopped: Option<Stopped>) -> Option<Action> {
        if let Some(stopped) = stopped {
            self.stopped = Some(stopped);
            return self.end(now);
        }
        if self.canceled {
            return self.cancel_now(now);
        }
        self.phase = Phase::Read;
        None
    }

    fn read(&mut self, now: Ms, event: Option<Event>, actions: &mut Vec<Action>) -> Option<Action> {
        let Some(reader) = &mut self.reader else {
            if let Some(reason) = self.braked() {
                return self.brake(now, reason, actions);
            }
            return self.before_writing(now);
        };
        if self.canceled && !matches!(event, Some(Event::Ledger(_))) {
            // The page just read is dropped: it is not staged, the window stays open and is read again.
            return self.cancel_now(now);
        }
        let step = reader.step(now, event);
        for note in reader.notes() {
            actions.push(Action::Note(note));
        }
        match step {
            Step::Act(_) if self.canceled && !reader.is_ending() => self.cancel_now(now),
            Step::Act(action) => Some(action),
            Step::Paused => {
                if let Some(reason) = self.braked() {
                    return self.brake(now, reason, actions);
                }
                self.before_writing(now)
            }
            Step::Done => {
                self.windows_left += reader.windows_left;
                reader.windows_left = 0;
                if let Some(stopped) = reader.stopped.take() {
                    actions.push(Action::Note(Note::Stopping(reason_of(&stopped))));
                    self.stopped = Some(stopped);
                }
                // Also where the source failed half-way: the rest alone may look usual.
                if let Some(reason) = self.braked() {
                    return self.brake(now, reason, actions);
                }
                self.before_writing(now)
            }
        }
    }

    /// Reading is over, or pauses.
    fn before_writing(&mut self, now: Ms) -> Option<Action> {
        if self.plan.stages == Stages::Ask {
            self.resolve_last(now);
            return None;
        }
        self.phase = match self.target().filter(|target| target.gathers && self.may_gather()) {
            Some(target) => {
                let grouper = Grouper::new(&self.plan.scheme, &target, self.plan.limit);
                Phase::Group(Box::new(grouper))
            }
            None => Phase::Write,
        };
        None
    }

    /// Rows are gathered when all that there is was read: what a page that failed would have brought makes no document of
    /// its own later. Where reading pauses because much is open, what is there must be written before it goes on.
    fn may_gather(&self) -> bool {
        match &self.reader {
            Some(reader) => reader.is_paused() || self.stopped.is_none() && !reader.failed,
            None => self.plan.stages == Stages::Save,
        }
    }

    fn grouped(&mut self, now: Ms, stopped: Option<Stopped>, actions: &mut Vec<Action>) -> Option<Action> {
        if let Some(stopped) = stopped {
            actions.push(Action::Note(Note::Stopping(reason_of(&stopped))));
            self.stopped = Some(stopped);
            return self.end(now);
        }
        if self.canceled {
            return self.cancel_now(now);
        }
        self.phase = Phase::Write;
        None
    }

    /// What the partner is about to write must be known before anything is written: it reads as late as can be, and
    /// again where writing takes long, so that little time is left for edits in between. A run that has nothing to write
    /// calls for nothing.
    fn is_partner_due(&self, now: Ms) -> bool {
        let is_old = |partner: Partner| {
            let fresh = partner.least.max(PARTNER_FRESH);
            let read = self.partner_read.or(partner.read);
            read.is_none_or(|read| now - read > fresh)
        };
        !self.canceled && self.plan.partner.is_some_and(is_old)
    }

    /// Something is there to be written, and it is not known what the partner has: it reads, then the records are picked
    /// once more.
    fn picked_too_early(&self, now: Ms, event: Option<&Event>) -> bool {
        let Some(Event::Ledger(replies)) = event else {
            return false;
        };
        let any =
            |reply: &LedgerReply| matches!(reply, LedgerReply::Picked { records, .. } if !records.is_empty());
        self.held_back.is_some() && self.is_partner_due(now) && replies.first().is_some_and(any)
    }

    /// The writer's next move. A pick is kept for when it must be made again; a claim waits for a partner that read too
    /// long ago.
    fn writes(&mut self, now: Ms, action: Action) -> Action {
        let Action::Ledger(ops) = &action else {
            return action;
        };
        let op = ops.first().filter(|_| self.plan.partner.is_some());
        match op {
            Some(op @ LedgerOp::Pick { .. }) => self.held_back = Some(op.clone()),
            Some(op @ LedgerOp::Claim { .. }) if self.is_partner_due(now) => {
                self.held_back = Some(op.clone());
                self.phase = Phase::Partner;
                return Action::ReadPartner;
            }
            _ => {}
        }
        action
    }

    fn partner_read(&mut self, now: Ms, event: Option<Event>, actions: &mut Vec<Action>) -> Option<Action> {
        if self.canceled {
            return self.cancel_now(now);
        }
        match event {
            Some(Event::PartnerRead(None)) => {
                self.phase = Phase::Write;
                self.partner_read = Some(now);
                let mut op = self.held_back.clone()?;
                match &mut op {
                    LedgerOp::Pick { now: when, .. } => *when = now,
                    LedgerOp::Claim {
                        now: when,
                        resolve_after,
                        ..
                    } => {
                        *resolve_after += now - *when;
                        *when = now;
                    }
                    _ => {}
                }
                Some(Action::Ledger(vec![op]))
            }
            Some(Event::PartnerRead(Some(reason))) => {
                actions.push(Action::Note(Note::Stopping(reason.clone())));
                self.stopped = Some(Stopped::Source(reason));
                self.end(now)
            }
            _ => self.bug(now, "no word of the partner"),
        }
    }

    /// Why nothing may be written by now. A scheme without a target writes nothing. A run that only reads is braked as
    /// well: it alone knows how much was unusual, and what its brake says holds the half that writes.
    fn braked(&self) -> Option<Reason> {
        self.plan.target.as_ref()?;
        let (taken, open) = match &self.reader {
            Some(reader) => (reader.taken, reader.open_records),
            // A run that only writes: what others stored counts, or a first run that died before its brake was looked at
            // would be written by the next process.
            None => (0, self.open),
        };
        self.plan.brakes.stop(taken, open)
    }

    fn brake(&mut self, now: Ms, reason: Reason, actions: &mut Vec<Action>) -> Option<Action> {
        actions.push(Action::Note(Note::Stopping(reason.clone())));
        self.stopped = Some(Stopped::Braked(reason));
        self.end(now)
    }

    fn write(&mut self, now: Ms, event: Option<Event>, actions: &mut Vec<Action>) -> Option<Action> {
        if self.picked_too_early(now, event.as_ref()) {
            self.phase = Phase::Partner;
            return Some(Action::ReadPartner);
        }
        self.held_back = None;
        let Some(writer) = &mut self.writer else {
            return self.end(now);
        };
        let step = writer.step(now, event);
        for note in writer.notes() {
            actions.push(Action::Note(note));
        }
        match step {
            Step::Act(action) => Some(self.writes(now, action)),
            Step::Paused | Step::Done => {
                if let Some(stopped) = writer.stopped.take() {
                    actions.push(Action::Note(Note::Stopping(reason_of(&stopped))));
                    self.stopped = Some(stopped);
                    return self.end(now);
                }
                if self.canceled {
                    return self.cancel_now(now);
                }
                if self.reader.as_ref().is_some_and(Reader::is_paused) {
                    self.phase = Phase::Measuring;
                    return Some(Action::Ledger(vec![LedgerOp::CountStates {
                        scheme: self.plan.scheme.clone(),
                    }]));
                }
                self.resolve_last(now);
                None
            }
        }
    }

    fn resolve_last(&mut self, now: Ms) {
        let mut until = *self.settle_until.get_or_insert(now + self.plan.settle_wait);
        let alone = self.plan.stages == Stages::Ask;
        if alone && self.plan.settle_wait > 0 {
            // Whoever asks about thousands asks about some of them late: each may be asked once more.
            until = Ms::MAX;
        }
        let (Some(target), Some(writer)) = (self.target(), &self.writer) else {
            return;
        };
        let circuits = writer.circuits.clone();
        let mut resolver = Resolver::new(&self.plan.scheme, target, Some(until), circuits);
        resolver.alone = alone;
        self.phase = Phase::ResolveLast(Box::new(resolver));
    }

    fn after_resolving_last(&mut self, now: Ms, stopped: Option<Stopped>, moved: u64) -> Option<Action> {
        if let Some(stopped) = stopped {
            self.stopped = Some(stopped);
            return self.end(now);
        }
        if self.canceled {
            return self.cancel_now(now);
        }
        if moved > 0 && self.rounds < MAX_ROUNDS && self.plan.stages != Stages::Ask {
            self.rounds += 1;
            if let Some(writer) = &mut self.writer {
                writer.restart();
            }
            return self.before_writing(now);
        }
        self.end(now)
    }

    fn cancel_now(&mut self, now: Ms) -> Option<Action> {
        self.stopped = Some(Stopped::Canceled);
        self.end(now)
    }

    /// Leaves what is open open and ends the run.
    fn end(&mut self, now: Ms) -> Option<Action> {
        let Some(run) = self.run else {
            self.phase = Phase::Finished;
            return Some(Action::Finish(self.summary(Counts::default(), [0; 7])));
        };
        if let Some(reader) = &mut self.reader {
            let reason = match &self.stopped {
                Some(Stopped::Canceled) => Reason::new(codes::CANCELED, ""),
                Some(Stopped::Braked(reason)) => reason.clone(),
                _ => Reason::new(codes::BACK_PRESSURE, HIGH_WATER.to_string()),
            };
            if let Some(action) = reader.abandon(now, reason) {
                self.windows_left += 1;
                self.phase = Phase::Abandoning;
                return Some(action);
            }
        }
        self.phase = Phase::Ending;
        Some(Action::Ledger(vec![
            LedgerOp::CountStates {
                scheme: self.plan.scheme.clone(),
            },
            LedgerOp::EndRun {
                run,
                status: self.status(None),
                reason: self.reason(),
                now,
            },
        ]))
    }

    fn ended(&mut self, event: Option<Event>) -> Option<Action> {
        let (mut states, mut counts) = ([0; 7], Counts::default());
        if let Some(Event::Ledger(replies)) = event {
            for reply in replies {
                match reply {
                    LedgerReply::States(by_state) => states = by_state,
                    LedgerReply::RunEnded(of_run) => counts = of_run,
                    _ => {}
                }
            }
        }
        self.phase = Phase::Finished;
        Some(Action::Finish(self.summary(counts, states)))
    }

    fn summary(&self, counts: Counts, states: [u64; 7]) -> Summary {
        Summary {
            status: self.status(Some(&counts)),
            counts,
            states,
            stopped: self.stopped.clone(),
            windows_left: self.windows_left,
            next_question: self.next_question,
            pages: self.reader.as_ref().map_or(0, |reader| reader.pages),
            calls: self.writer.as_ref().map_or(0, |writer| writer.calls),
            written: self.found + self.writer.as_ref().map_or(0, |writer| writer.written),
        }
    }

    fn status(&self, counts: Option<&Counts>) -> RunStatus {
        match &self.stopped {
            Some(Stopped::Canceled) => RunStatus::Canceled,
            Some(Stopped::Source(_) | Stopped::Target(_)) => RunStatus::Failed,
            Some(Stopped::FirstDead(_) | Stopped::Braked(_)) => RunStatus::Partial,
            None if self.windows_left > 0 || self.next_question.is_some() => RunStatus::Partial,
            None if self.troubles().any(Trouble::is_any) => RunStatus::Partial,
            None => match counts {
                Some(counts) if counts.dead + counts.held + counts.open() > 0 => RunStatus::Partial,
                Some(_) | None => RunStatus::Ok,
            },
        }
    }

    /// What stopped the run, or the first that kept it from being all right.
    fn reason(&self) -> Option<Reason> {
        let trouble = || self.troubles().find_map(Trouble::reason).cloned();
        self.stopped.as_ref().map(reason_of).or_else(trouble)
    }

    fn troubles(&self) -> impl Iterator<Item = &Trouble> {
        let of_writer = self.writer.as_ref().map(|writer| &writer.trouble);
        std::iter::once(&self.trouble).chain(of_writer)
    }

    fn bug(&mut self, now: Ms, what: &str) -> Option<Action> {
        self.stopped = Some(Stopped::Target(Reason::new(codes::BUG, what)));
        self.end(now)
    }
}

/// Pending, sending and unknown records of the scheme.
fn open_records(replies: &[LedgerReply]) -> u64 {
    replies.first().map_or(HIGH_WATER, |reply| match reply {
        LedgerReply::States(states) => RecordState::ALL
            .iter()
            .zip(states)
            .filter(|(state, _)| state.is_open())
            .map(|(_, n)| n)
            .sum(),
        _ => 0,
    })
}

/// Why a run stopped.
pub fn reason_of(stopped: &Stopped) -> Reason {
    match stopped {
        Stopped::Source(reason)
        | Stopped::Target(reason)
        | Stopped::FirstDead(reason)
        | Stopped::Braked(reason) => reason.clone(),
        Stopped::Canceled => Reason::new(codes::CANCELED, ""),
    }
}
