//! Carries out what the job asks for, in simulated time, with the weather of the seed.

use std::collections::{BTreeMap, BTreeSet};

use flow::classify::{Class, Delivery, Proof, Verdict};
use flow::decision::{Decided, Decision, Ruling};
use flow::ids::{AttemptId, Blob, Ms, RecordId};
use flow::op::{
    LedgerOp, LedgerReply, OnSeen, Reason, RecordState, Refusal, StagedRow, SuspectKind, Trigger, WAIT_GAP,
    WriteAction,
};
use flow::window::Proposal;
use flow::{
    Action, Answer, CallFacts, Event, Found, Job, JobPlan, Look, MAX_UNREACHABLE, Note, PROBE_EVERY, Page,
    Purpose, ReadFailure, ReadFailureKind, Ready, RowAnswer, SourceFacts, Stages, StepFacts, Summary,
    TargetFacts, TransformItem, Transformed,
};
use ledger::read::{RecordFilter, RecordRow, SourceRow};
use ledger::{Blobs, Ledger, Reader};

use super::Report;
use super::check;
use super::content::{Content, Kind};
use super::rng::Rng;
use super::setup::{BEGIN, Drift, HOUR, MINUTE, RIVALS, SECOND, Setup};
use super::source::Source;
use super::target::{Outcome, Row, Target};

/// Reason of a record whose wait was given up.
pub(super) const GIVEN_UP: &str = "M6";
/// What has a document that the scheme does not change.
pub(super) const NO_UPDATE: &str = "M8";

/// The scheme of every world.
pub(super) const SCHEME: &str = "s";
/// Another one, where a world has it.
pub(super) const RIVAL: &str = "r";
/// A serial of the other scheme's rows; this one's are far below.
const RIVAL_SERIAL: u32 = 1_000_000;
/// Far more than any run here needs.
const MAX_STEPS: u32 = 20_000;
/// The longest wait that a target can ask for, and longer than the pause between two questions.
const LONGEST_WAIT: Ms = HOUR;
/// The longest that an answer takes, of a target that takes calls on as tasks.
const LATENCY: Ms = 30 * SECOND;
/// Runs in which everything must settle once the weather is clear.
const CALM_RUNS: u32 = 12;

/// One world.
pub(super) struct World {
    pub(super) setup: Setup,
    pub(super) rng: Rng,
    pub(super) now: Ms,
    pub(super) source: Source,
    pub(super) target: Target,
    pub(super) reader: Reader,
    /// Every (key, version) that a page brought into the ledger.
    pub(super) seen: BTreeSet<(String, String)>,
    /// Rows staged by run.
    pub(super) staged: BTreeMap<i64, u64>,
    /// Records that were unknown at some time.
    pub(super) in_doubt: BTreeSet<RecordId>,
    /// Records of which a call was not answered plainly, or not at all.
    pub(super) lost: BTreeSet<RecordId>,
    /// Records of the other scheme.
    pub(super) rivals: BTreeSet<RecordId>,
    /// Records that somebody decided about.
    pub(super) by_hand: BTreeSet<RecordId>,
    /// An earlier ledger was lost.
    pub(super) forgot: bool,
    /// The scheme that runs.
    pub(super) scheme: &'static str,
    /// The state of every record after the last transaction.
    pub(super) states: BTreeMap<RecordId, RecordState>,
    /// When the record comes for which a version waits.
    arrivals: BTreeMap<u32, Ms>,
    /// Which version of a record waits, by its key, and since when.
    waiting: BTreeMap<String, (u32, Ms)>,
    /// Those that will wait once the ledger knows it.
    to_wait: BTreeMap<String, (u32, Ms)>,
    /// The weather is clear.
    pub(super) calm: bool,
    /// When the job took its last step.
    pub(super) stepped: Ms,
    /// When the last run began.
    pub(super) instant: Ms,
    pub(super) report: Report,
    ledger: Ledger,
    blobs: Blobs,
    handles: BTreeMap<u64, Content>,
    run: i64,
    claimed_at: Ms,
    /// The target cannot be reached before.
    down_until: Ms,
    /// Calls in a row that did not come through, and the last of them.
    failures: (u32, Ms),
    /// What the target will tell of its tasks, by their ids, and from when on.
    tasks: BTreeMap<String, (Answer, Ms)>,
    /// Tasks whose ids are durable.
    noted: BTreeSet<String>,
    trace: Option<Vec<String>>,
}

/// How a run ended.
enum End {
    Finished(Box<Summary>),
    Crashed,
}

/// What happens to one call.
#[derive(Debug, Clone, Copy)]
enum Weather {
    Fine,
    NotSent,
    LostBefore,
    LostAfter,
    Late,
    FaultBefore,
    FaultAfter,
    FaultLate,
    LoginPage,
    Partial,
    Throttled,
    Transient,
    Auth,
    Quota,
    Config,
}

const STORMS: [Weather; 17] = [
    Weather::NotSent,
    Weather::LostBefore,
    Weather::LostAfter,
    Weather::LostAfter,
    Weather::Late,
    Weather::Late,
    Weather::FaultBefore,
    Weather::FaultAfter,
    Weather::FaultLate,
    Weather::LoginPage,
    Weather::Partial,
    Weather::Partial,
    Weather::Throttled,
    Weather::Transient,
    Weather::Auth,
    Weather::Quota,
    Weather::Config,
];

/// Plays one world: what came of it, and the trace where one is wanted.
pub(super) fn play(seed: u64, traced: bool) -> (Result<Report, String>, Vec<String>) {
    play_in(seed, traced, |_| {})
}

/// The same in a world that is changed before it begins.
pub(super) fn play_in(
    seed: u64,
    traced: bool,
    change: impl FnOnce(&mut Setup),
) -> (Result<Report, String>, Vec<String>) {
    let mut world = match World::new(seed, traced, change) {
        Ok(world) => world,
        Err(what) => return (Err(what), Vec::new()),
    };
    let result = world.live();
    (result, world.trace.unwrap_or_default())
}

impl World {
    fn new(seed: u64, traced: bool, change: impl FnOnce(&mut Setup)) -> Result<Self, String> {
        let mut rng = Rng::new(seed);
        let mut setup = Setup::draw(&mut rng);
        change(&mut setup);
        let ledger = Ledger::in_memory().map_err(|e| e.to_string())?;
        Ok(World {
            source: Source::new(&setup, &mut rng),
            target: Target::new(&setup),
            reader: ledger.reader(),
            now: BEGIN,
            seen: BTreeSet::new(),
            staged: BTreeMap::new(),
            in_doubt: BTreeSet::new(),
            lost: BTreeSet::new(),
            rivals: BTreeSet::new(),
            by_hand: BTreeSet::new(),
            forgot: false,
            scheme: SCHEME,
            states: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            waiting: BTreeMap::new(),
            to_wait: BTreeMap::new(),
            calm: false,
            stepped: BEGIN,
            instant: BEGIN,
            report: Report::default(),
            ledger,
            blobs: Blobs::new(),
            handles: BTreeMap::new(),
            run: 0,
            claimed_at: 0,
            down_until: 0,
            failures: (0, 0),
            tasks: BTreeMap::new(),
            noted: BTreeSet::new(),
            trace: traced.then(|| vec![format!("{setup:?}")]),
            setup,
            rng,
        })
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>9} {}", self.now - BEGIN, line()));
        }
    }

    fn live(&mut self) -> Result<Report, String> {
        for _ in 0..self.setup.runs {
            self.run()?;
            self.night();
            self.between()?;
        }
        self.calm = true;
        self.down_until = 0;
        self.note(|| "the weather clears".to_owned());
        let clear = self.now;
        let patience = 2 * (self.setup.quiet + self.setup.timeout + LONGEST_WAIT);
        for _ in 0..CALM_RUNS {
            if self.setup.rival {
                self.rival()?;
            }
            let next = self.run()?;
            let open = check::unsettled(self)?;
            match open {
                None if self.now - clear > patience => {
                    return Err(format!(
                        "settled only after {} ms, {patience} are allowed",
                        self.now - clear
                    ));
                }
                None => {
                    check::settled(self)?;
                    self.report.patience_percent = ((self.now - clear) * 100 / patience).unsigned_abs();
                    self.report.records = u64::try_from(self.states.len()).unwrap_or_default();
                    self.report.in_doubt = u64::try_from(self.in_doubt.len()).unwrap_or_default();
                    self.report.simulated_ms = self.now - BEGIN;
                    return Ok(self.report);
                }
                Some((what, _)) if self.now - clear > patience => {
                    return Err(format!("does not settle: {what}"));
                }
                Some((_, due)) => {
                    let due = due.or(next).unwrap_or(self.now + MINUTE);
                    // A target that could not be reached is called once a minute.
                    self.advance((due - self.now).clamp(0, HOUR) + PROBE_EVERY + SECOND);
                }
            }
        }
        let what = check::unsettled(self)?.map_or(String::new(), |(what, _)| what);
        Err(format!("does not settle in {CALM_RUNS} runs: {what}"))
    }

    /// Time between two runs, in which the source moves on.
    fn night(&mut self) {
        let longest = self.rng.pick(&[10 * SECOND, 10 * MINUTE, 5 * HOUR, 40 * HOUR]);
        let (gap, changes) = (self.rng.between(0, longest), self.rng.between(0, 8));
        if self.setup.outages && self.rng.in_thousand(300) {
            self.down_until = self.now + gap + self.rng.between(0, 6 * HOUR);
        }
        for _ in 0..changes {
            self.advance(gap / 8);
            self.source.change(&self.setup, &mut self.rng, self.now, None);
        }
        self.advance(gap / 8 * (8 - changes) + 1);
    }

    /// What happens between two runs beside the source's changes.
    fn between(&mut self) -> Result<(), String> {
        if self.setup.people {
            for _ in 0..self.rng.between(0, 4) {
                self.somebody_decides()?;
            }
        }
        if self.setup.loses && self.rng.in_thousand(300) {
            self.lose()?;
        }
        if self.setup.rival && self.rng.in_thousand(500) {
            self.rival()?;
        }
        Ok(())
    }

    /// The other scheme runs.
    fn rival(&mut self) -> Result<(), String> {
        self.report.rivals += 1;
        self.scheme = RIVAL;
        let ran = self.run();
        self.scheme = SCHEME;
        ran.map(drop)
    }

    /// The ledger is gone. Whoever begins a new one says so, and the target is asked about everything.
    fn lose(&mut self) -> Result<(), String> {
        self.note(|| "the ledger is lost".to_owned());
        self.report.losses += 1;
        self.ledger = Ledger::in_memory().map_err(|e| e.to_string())?;
        self.reader = self.ledger.reader();
        self.forgot = true;
        for records in [
            &mut self.in_doubt,
            &mut self.lost,
            &mut self.rivals,
            &mut self.by_hand,
        ] {
            records.clear();
        }
        self.states.clear();
        self.seen.clear();
        self.staged.clear();
        self.waiting.clear();
        self.failures = (0, 0);
        self.stepped = self.now;
        self.apply(&[LedgerOp::Suspect {
            scheme: SCHEME.to_owned(),
            kind: SuspectKind::Restored,
            until: self.now,
            ask_after: self.now + self.setup.timeout + self.setup.quiet,
            now: self.now,
        }])
        .map(drop)
    }

    /// A person who has looked at the target decides about one record.
    fn somebody_decides(&mut self) -> Result<(), String> {
        let filter = RecordFilter {
            scheme: Some(SCHEME.to_owned()),
            ..RecordFilter::default()
        };
        let mut records = self.reader.list_records(&filter).map_err(|e| e.to_string())?;
        records.retain(|record| !matches!(record.state, RecordState::Done | RecordState::Skipped));
        let last = i64::try_from(records.len()).map_err(|e| e.to_string())?;
        if last == 0 {
            return Ok(());
        }
        let at = usize::try_from(self.rng.between(0, last)).map_err(|e| e.to_string())?;
        let record = records.swap_remove(at);
        let truthful = self.truthful(&record)?;
        if truthful.is_empty() {
            return Ok(());
        }
        let last = i64::try_from(truthful.len()).map_err(|e| e.to_string())?;
        let at = usize::try_from(self.rng.between(0, last)).map_err(|e| e.to_string())?;
        let decision = truthful[at].clone();
        self.note(|| format!("decision: {decision:?} about {record:?}"));
        self.report.decisions += 1;
        self.by_hand.insert(record.record);
        self.waiting.remove(&record.key);
        self.stepped = self.now;
        let op = LedgerOp::Decide {
            rows: vec![Decided {
                record: record.record,
                state: record.state,
                version: record.version.clone(),
                attempt: record.attempt,
                decision,
            }],
            who: "li".to_owned(),
            reason: "the simulation wants it".to_owned(),
            now: self.now,
        };
        match self.apply(&[op])? {
            Event::Ledger(replies) => match &replies[..] {
                [LedgerReply::Decided(rulings)]
                    if matches!(
                        rulings[..],
                        [Ruling::Moved(_) | Ruling::Keyless | Ruling::Taken { .. }]
                    ) =>
                {
                    Ok(())
                }
                other => Err(format!("decided: {other:?}")),
            },
            other => Err(format!("decided: {other:?}")),
        }
    }

    /// What somebody may decide who does not claim what is not so.
    fn truthful(&self, record: &RecordRow) -> Result<Vec<Decision>, String> {
        let customer: u32 = record.label.parse().map_err(|_| "not a customer")?;
        let tkey = self.setup.tkey(customer);
        let there = self.target.of_key(&tkey);
        let mut all = vec![
            Decision::Skip,
            Decision::Hold,
            Decision::Retry(flow::decision::Content::Latest),
        ];
        if there.is_empty() && !self.target.is_late(&tkey) {
            all.push(Decision::NotThere);
        }
        if let ([id], Some(content)) = (&there[..], Content::parse(&record.version)) {
            let document = &self.target.documents[*id];
            let is_whole = document.content == Some(content)
                && document.steps == self.setup.steps_of(&content)
                && !self.target.is_late(&tkey);
            if is_whole {
                all.push(Decision::DoneAs {
                    id: (*id).to_owned(),
                    number: None,
                });
            }
        }
        all.retain(|decision| decision.fits(record.state));
        Ok(all)
    }

    fn advance(&mut self, by: Ms) {
        self.now += by;
        self.target.advance(&self.setup, self.now);
    }

    /// One run, to its end or to a crash. Gives the next question's time.
    fn run(&mut self) -> Result<Option<Ms>, String> {
        self.report.runs += 1;
        self.blobs = Blobs::new();
        self.handles.clear();
        self.to_wait.clear();
        self.instant = self.now;
        if self.failures.0 < MAX_UNREACHABLE {
            self.failures = (0, 0);
        }
        let plan = self.plan();
        let tries_all = plan.stages != Stages::Fetch && plan.limit.is_none();
        self.note(|| format!("run: {:?} limit {:?}", plan.stages, plan.limit));
        let end = self.steps(Job::new(plan))?;
        let next = match end {
            End::Finished(summary) => {
                check::summary(self, &summary, self.run)?;
                if tries_all && summary.stopped.is_none() && self.scheme == SCHEME {
                    check::nobody_waits_in_vain(self)?;
                }
                summary.next_question
            }
            End::Crashed => {
                self.report.crashes += 1;
                let sending = self
                    .states
                    .iter()
                    .filter(|(_, state)| **state == RecordState::Sending);
                self.lost.extend(sending.map(|(id, _)| *id));
                // What it had not written down yet, nobody knows.
                self.failures = (0, 0);
                self.note(|| "CRASH".to_owned());
                None
            }
        };
        check::always(self)?;
        Ok(next)
    }

    fn plan(&mut self) -> JobPlan {
        let setup = &self.setup;
        let stages = match self.rng.between(0, 20) {
            0 if !self.calm => Stages::Fetch,
            1 if !self.calm => Stages::Save,
            _ => Stages::All,
        };
        let limited = !self.calm && self.rng.in_thousand(80);
        JobPlan {
            scheme: self.scheme.to_owned(),
            revision: "1".to_owned(),
            trigger: Trigger::Schedule,
            instant: self.now,
            source: SourceFacts {
                window: setup.window.filter(|_| self.scheme == SCHEME),
                proposal: Proposal {
                    start: setup.look_back.map(|ago| self.now - ago),
                    end: None,
                },
                manual: None,
                on_seen: setup.on_seen,
                paging: setup.paging(),
                keeps: None,
                sweep: None,
                replay: None,
                versions: None,
                inbox: flow::Inbox::None,
            },
            target: Some(TargetFacts {
                gathers: false,
                asks_updates: false,
                name: "t".to_owned(),
                batch: setup.batch,
                proof: setup.proof,
                on_unknown: setup.on_unknown,
                timeout: setup.timeout,
                quiet: setup.quiet,
                find_before_create: setup.find_before_create,
                updates: setup.updates,
                voids_again: false,
                stop_at_first_dead: setup.stop_at_first_dead && !self.calm,
                remembers: setup.remembers,
                steps: setup
                    .steps
                    .iter()
                    .map(|name| StepFacts {
                        target: None,
                        name: flow::op::step_of(name).to_owned(),
                        updates: false,
                        call: CallFacts {
                            batch: setup.batch.min(2),
                            proof: Proof::Query,
                            on_unknown: setup.on_unknown,
                            timeout: setup.timeout,
                            quiet: setup.quiet,
                        },
                    })
                    .collect(),
            }),
            limit: limited.then(|| self.rng.between(1, 12).unsigned_abs()),
            brakes: flow::Brakes::default(),
            retry: flow::Retry::default(),
            settle_wait: setup.settle_wait,
            partner: None,
            for_partner: false,
            stages,
        }
    }

    fn crashes(&mut self) -> bool {
        !self.calm && self.rng.in_thousand(self.setup.crashes)
    }

    fn steps(&mut self, mut job: Job) -> Result<End, String> {
        let mut event = Event::Start;
        let cancel_at = (!self.calm && self.rng.in_thousand(80)).then(|| self.rng.between(1, 60));
        for step in 0..MAX_STEPS {
            if self.crashes() {
                return Ok(End::Crashed);
            }
            if cancel_at == Some(i64::from(step)) {
                self.note(|| "cancel".to_owned());
                job.cancel();
            }
            self.report.steps += 1;
            self.stepped = self.now;
            let mut actions = job.step(self.now, event);
            let last = actions.pop().ok_or("the job wants nothing and has not ended")?;
            for other in actions {
                match other {
                    Action::Note(note) => {
                        self.report.resumed += u64::from(matches!(note, Note::TaskResumed(..)));
                        self.note(|| format!("note {note:?}"));
                    }
                    other => return Err(format!("two things wanted at once: {other:?} and {last:?}")),
                }
            }
            self.note(|| format!("{last:?}"));
            event = match last {
                Action::Note(note) => return Err(format!("nothing wanted after {note:?}")),
                Action::Finish(summary) => return Ok(End::Finished(Box::new(summary))),
                Action::Ledger(ops) => self.apply(&ops)?,
                Action::Fetch {
                    asked, page, look, ..
                } => self.fetch(asked, page, look),
                Action::Transform(items) => self.transform(&items)?,
                Action::Ask { purpose, records } => self.ask(purpose, &records)?,
                Action::Send {
                    attempt,
                    action,
                    rows,
                } => match self.send(attempt, action, &rows)? {
                    Some(event) => event,
                    None => return Ok(End::Crashed),
                },
                Action::Await {
                    task, until, rows, ..
                } => match self.hear(&task, until, &rows)? {
                    Some(event) => event,
                    None => return Ok(End::Crashed),
                },
                Action::Group(_) => return Err("rows are gathered".to_owned()),
                Action::ReadPartner => Event::PartnerRead(None),
                Action::Sleep { until, .. } => {
                    self.advance((until - self.now).max(0));
                    Event::Woke
                }
            };
            self.note(|| format!("-> {event:?}"));
        }
        Err(format!("a run does not end in {MAX_STEPS} steps"))
    }

    fn apply(&mut self, ops: &[LedgerOp]) -> Result<Event, String> {
        let latency = self.rng.between(0, 4);
        self.advance(latency);
        let replies = self
            .ledger
            .apply(ops, &self.blobs)
            .map_err(|e| format!("ledger: {e}"))?;
        for (op, reply) in ops.iter().zip(&replies) {
            match (op, reply) {
                (_, LedgerReply::RunBegun { run, .. }) => self.run = run.0,
                (LedgerOp::NoteTask { task, .. }, _) => {
                    self.noted.insert(task.clone());
                }
                (
                    LedgerOp::StagePage {
                        rows, run, on_seen, ..
                    },
                    _,
                ) => {
                    for row in rows {
                        let serial = Content::parse(&row.version).map(|content| content.serial);
                        let other = self.waiting.get(&row.key).map(|(waits, _)| *waits) != serial;
                        // Another version that takes the place of the one that waits waits for its own.
                        if other && row.filtered.is_none() && *on_seen != OnSeen::Skip {
                            self.waiting.remove(&row.key);
                        }
                    }
                    *self.staged.entry(run.0).or_default() += u64::try_from(rows.len()).unwrap_or_default();
                    self.seen
                        .extend(rows.iter().map(|row| (row.key.clone(), row.version.clone())));
                }
                (LedgerOp::Refuse { now, rows }, _) => {
                    // One that was only looked at to name its key does not wait yet.
                    let later = rows
                        .iter()
                        .filter(|(.., refusal)| matches!(refusal, Refusal::Later { .. }));
                    for content in later.filter_map(|(_, version, _)| Content::parse(version)) {
                        if let Some((serial, _)) = self.to_wait.remove(&content.key()) {
                            self.waiting.insert(content.key(), (serial, *now));
                        }
                    }
                }
                (LedgerOp::Claim { now, rows, .. }, _) => {
                    self.claimed_at = *now;
                    for content in rows.iter().filter_map(|row| Content::parse(&row.version)) {
                        self.waiting.remove(&content.key());
                    }
                }
                _ => {}
            }
        }
        check::transitions(self, ops)?;
        Ok(Event::Ledger(replies))
    }

    fn blob(&mut self, content: Content) -> Blob {
        let blob = Blob(u64::try_from(self.handles.len()).unwrap_or_default());
        self.handles.insert(blob.0, content);
        self.blobs.insert(blob, content.to_string().into_bytes());
        blob
    }

    fn fetch(&mut self, asked: Option<flow::window::Interval>, page: u32, look: Look) -> Event {
        let latency = self.rng.between(10, 2_000);
        self.advance(latency);
        if !self.calm && self.setup.drift != Drift::Still && self.rng.in_thousand(300) {
            let drift = match self.setup.drift {
                Drift::Both => self.rng.pick(&[Drift::Leave, Drift::Arrive]),
                one => one,
            };
            self.source
                .change(&self.setup, &mut self.rng, self.now, Some(drift));
        }
        if self.scheme == RIVAL {
            return self.rival_page();
        }
        let bad = !self.calm && self.rng.in_thousand(self.setup.source_faults);
        if bad && self.rng.in_thousand(850) {
            return self.read_failed();
        }
        // Sometimes the source ignores which page was asked for.
        let page = if bad && page > 1 { page - 1 } else { page };
        let rows = self.source.page(&self.setup, asked, page, self.now);
        let prints: Vec<u64> = rows.rows.iter().map(|row| print_of(&row.to_string())).collect();
        let fingerprint = print_of(&format!("{prints:?}"));
        let wanted = if look == Look::Again {
            Vec::new()
        } else {
            rows.rows
        };
        Event::Page(Page {
            raw_rows: u64::try_from(prints.len()).unwrap_or_default(),
            rows: wanted
                .into_iter()
                .map(|content| self.staged_row(content))
                .collect(),
            more: rows.more,
            total: self
                .setup
                .total
                .then(|| u64::try_from(rows.total).unwrap_or_default()),
            fingerprint,
            prints: if look == Look::Again { Vec::new() } else { prints },
            mark: None,
            versions: None,
            pushes: Vec::new(),
        })
    }

    /// The other scheme's source: a few rows, always the same.
    fn rival_page(&mut self) -> Event {
        let rows: Vec<Content> = (0..RIVALS)
            .map(|customer| Content {
                customer,
                serial: RIVAL_SERIAL + customer,
                kind: Kind::Plain,
            })
            .collect();
        let prints: Vec<u64> = rows.iter().map(|row| print_of(&row.to_string())).collect();
        Event::Page(Page {
            raw_rows: u64::from(RIVALS),
            fingerprint: print_of(&format!("{prints:?}")),
            rows: rows.into_iter().map(|content| self.staged_row(content)).collect(),
            more: false,
            total: Some(u64::from(RIVALS)),
            prints,
            mark: None,
            versions: None,
            pushes: Vec::new(),
        })
    }

    fn staged_row(&mut self, content: Content) -> StagedRow {
        let because = |kind, word| (content.kind == kind).then(|| Reason::new("M1", word));
        StagedRow {
            key: content.key(),
            label: content.customer.to_string(),
            version: content.to_string(),
            rank: None,
            source: self.blob(content),
            filtered: because(Kind::Filtered, "the filter says no"),
            invalid: because(Kind::Keyless, "no key"),
            void: content.kind == Kind::Void,
            bare: false,
            indexed: Vec::new(),
            paired: None,
            doubt: None,
            from: None,
        }
    }

    fn read_failed(&mut self) -> Event {
        self.report.faults += 1;
        let kind = match self.rng.between(0, 20) {
            0 => ReadFailureKind::Config,
            1 => ReadFailureKind::Unusable,
            2..7 => ReadFailureKind::Unreachable,
            7..12 => ReadFailureKind::Wait,
            _ => ReadFailureKind::Fault,
        };
        let wait = (kind == ReadFailureKind::Wait && self.rng.in_thousand(500))
            .then(|| self.rng.between(0, 2 * MINUTE));
        Event::ReadFailed(ReadFailure {
            kind,
            wait,
            reason: Reason::new("M2", "the read failed"),
        })
    }

    /// The rows behind records, with what they say.
    fn rows(&self, records: &[RecordId]) -> Result<Vec<(SourceRow, Content)>, String> {
        let rows = self.reader.sources(records).map_err(|e| e.to_string())?;
        if rows.len() != records.len() {
            return Err(format!("records without a row among {records:?}"));
        }
        rows.into_iter()
            .map(|row| {
                let text = String::from_utf8_lossy(&row.source).into_owned();
                let content = Content::parse(&text).ok_or(format!("not a row: {text}"))?;
                Ok((row, content))
            })
            .collect()
    }

    fn transform(&mut self, items: &[TransformItem]) -> Result<Event, String> {
        let ids: Vec<RecordId> = items.iter().map(|item| item.record).collect();
        let mut outcomes = Vec::new();
        for (item, (row, content)) in items.iter().zip(self.rows(&ids)?) {
            let reason = |text| Reason::new("M3", text);
            if let Some(name) = &row.step {
                let at = self.setup.steps.iter().position(|step| step == name);
                let at = at.ok_or_else(|| format!("no such step: {name}"))?;
                let next = self.setup.step_from(&content, at + 1);
                outcomes.push(Transformed::Ready(Ready {
                    action: WriteAction::Step,
                    group: 0,
                    form: String::new(),
                    tkey: "[]".to_owned(),
                    payload: self.blob(content),
                    wrote: Vec::new(),
                    next: next.map(|next| self.setup.steps[next].to_owned()),
                    half: None,
                }));
                continue;
            }
            let action = match (item.void, item.has_target || row.target_id.is_some()) {
                (true, true) => WriteAction::Void,
                (true, false) => {
                    let refusal = Refusal::Skipped(reason("cancelled before it was written"));
                    outcomes.push(Transformed::Refused(refusal));
                    continue;
                }
                (false, true) if !self.setup.updates => {
                    let refusal = Refusal::Skipped(Reason::new(NO_UPDATE, "it cannot be changed"));
                    outcomes.push(Transformed::Refused(refusal));
                    continue;
                }
                (false, true) => WriteAction::Update,
                (false, false) => WriteAction::Create,
            };
            outcomes.push(match content.kind {
                Kind::Broken => Transformed::Refused(Refusal::Dead(reason("cannot be transformed"))),
                Kind::Deferred if !self.has_come(content.serial) => {
                    Transformed::Refused(self.wait(&content, &row)?)
                }
                _ => Transformed::Ready(Ready {
                    action,
                    group: u64::from(content.customer % 2),
                    form: String::new(),
                    tkey: self.setup.tkey(content.customer),
                    payload: self.blob(content),
                    wrote: Vec::new(),
                    next: self.next(&content, action),
                    half: self.setup.by_itself.then(|| self.setup.steps[0].to_owned()),
                }),
            });
        }
        Ok(Event::Transformed(outcomes))
    }

    /// The step after a document that was written as it was meant to be.
    fn next(&self, content: &Content, action: WriteAction) -> Option<String> {
        let made = if self.setup.by_itself { 2 } else { 0 };
        let next = self.setup.step_from(content, made);
        next.filter(|_| action != WriteAction::Void)
            .map(|next| self.setup.steps[next].to_owned())
    }

    /// Whether the record has come for which a version waits.
    pub(super) fn has_come(&mut self, serial: u32) -> bool {
        let longest = self.rng.pick(&[MINUTE, 2 * HOUR, 20 * HOUR, 200 * HOUR]);
        let at = self.now + self.rng.between(0, longest);
        self.calm || *self.arrivals.entry(serial).or_insert(at) <= self.now
    }

    /// The instant at which it comes, for versions that were ever tried.
    pub(super) fn arrival(&self, serial: u32) -> Option<Ms> {
        self.arrivals.get(&serial).copied()
    }

    fn wait(&mut self, content: &Content, row: &SourceRow) -> Result<Refusal, String> {
        let since = row.waits_since;
        let known = self.waiting.get(&content.key()).copied();
        if let Some((serial, began)) = known
            && serial == content.serial
            && since != Some(began)
        {
            return Err(format!(
                "{content} waits since {began}, the ledger says {since:?}"
            ));
        }
        let tried = row.tried.map_or(0, |tried| (self.now - tried).clamp(0, WAIT_GAP));
        if row.waited + tried > self.setup.wait_for {
            self.report.given_up += 1;
            self.waiting.remove(&content.key());
            return Ok(Refusal::Dead(Reason::new(GIVEN_UP, "waited too long")));
        }
        if since.is_none() {
            self.report.waited += 1;
            self.to_wait.insert(content.key(), (content.serial, self.now));
        }
        Ok(Refusal::Later {
            not_before: self.now + self.rng.between(0, HOUR),
            reason: Reason::new("M3", "waits for another record"),
        })
    }

    fn ask(&mut self, purpose: Purpose, records: &[RecordId]) -> Result<Event, String> {
        self.calls()?;
        let rows = self.rows(records)?;
        let by_key = rows.iter().any(|(row, _)| row.step.is_none());
        let can_ask = matches!(self.setup.proof, Proof::UniqueKey | Proof::Query);
        if purpose == Purpose::Resolve && by_key && !can_ask {
            return Err("a target that cannot be asked was asked".to_owned());
        }
        let latency = self.rng.between(10, 2_000);
        self.advance(latency);
        if self.now < self.down_until {
            self.failed();
            return Ok(Event::ReadFailed(ReadFailure {
                kind: ReadFailureKind::Unreachable,
                wait: None,
                reason: Reason::new("M7", "down"),
            }));
        }
        if !self.calm && self.rng.in_thousand(self.setup.target_faults / 2) {
            let failed = self.read_failed();
            match &failed {
                Event::ReadFailed(failure) if failure.kind == ReadFailureKind::Unreachable => self.failed(),
                _ => {}
            }
            return Ok(failed);
        }
        self.failures = (0, 0);
        let answers = rows.into_iter().map(|(row, content)| self.found(&row, &content));
        Ok(Event::Asked(answers.collect()))
    }

    /// What the target shows of a record's document.
    fn found(&self, row: &SourceRow, content: &Content) -> Found {
        let named = |name: &String| self.setup.steps.iter().position(|step| step == name);
        let one = |id: &str, from: usize| Found::One {
            id: id.to_owned(),
            number: None,
            next: self
                .setup
                .step_from(content, from)
                .map(|next| self.setup.steps[next].to_owned()),
        };
        let made = |id: &str| self.target.documents.get(id).map_or(0, |document| document.steps);
        if let (Some(at), Some(id)) = (row.step.as_ref().and_then(named), &row.target_id) {
            return if made(id) > at {
                one(id, at + 1)
            } else {
                Found::None
            };
        }
        match self.target.of_key(&self.setup.tkey(content.customer))[..] {
            [] => Found::None,
            [id] => one(id, made(id)),
            _ => Found::Many,
        }
    }

    /// A call is made: never while only a probe a minute may go out.
    fn calls(&self) -> Result<(), String> {
        let (failures, last) = self.failures;
        if failures >= MAX_UNREACHABLE && self.now - last < PROBE_EVERY {
            return Err(format!(
                "a call {} ms after the last of {failures} that did not come through",
                self.now - last
            ));
        }
        Ok(())
    }

    fn failed(&mut self) {
        self.failures = (self.failures.0 + 1, self.now);
    }

    /// `None` = the process died in the middle of it.
    fn send(
        &mut self,
        attempt: AttemptId,
        action: WriteAction,
        sent: &[(RecordId, Blob)],
    ) -> Result<Option<Event>, String> {
        let ids: Vec<RecordId> = sent.iter().map(|(record, _)| *record).collect();
        let mut rows = Vec::new();
        for ((record, blob), (stored, _)) in sent.iter().zip(self.rows(&ids)?) {
            if stored.state != RecordState::Sending || stored.action != Some(action) {
                return Err(format!(
                    "attempt {attempt}: record {record} is sent without a durable claim"
                ));
            }
            let content = self.handles.get(&blob.0).copied().ok_or("no such payload")?;
            let step = stored
                .step
                .as_ref()
                .and_then(|name| self.setup.steps.iter().position(|step| step == name));
            if (action == WriteAction::Step) != step.is_some() {
                return Err(format!("{action:?} at the step {:?}", stored.step));
            }
            rows.push(Row {
                action,
                step,
                id: stored.target_id.filter(|_| action != WriteAction::Create),
                tkey: self.setup.tkey(content.customer),
                content,
            });
        }
        check::one_in_flight(self, &rows)?;
        self.calls()?;
        if !self.calm && self.rng.in_thousand(self.setup.crashes * 3) {
            self.lost.extend(ids);
            match self.rng.between(0, 3) {
                0 => {}
                1 => drop(self.execute(&rows)),
                _ => self.late(
                    rows,
                    self.claimed_at + 1,
                    self.claimed_at + self.setup.timeout + self.setup.quiet,
                ),
            }
            return Ok(None);
        }
        let weather = if self.now < self.down_until {
            self.report.faults += 1;
            Weather::NotSent
        } else if !self.calm && self.rng.in_thousand(self.setup.target_faults) {
            self.report.faults += 1;
            self.lost.extend(ids);
            self.rng.pick(&STORMS)
        } else {
            Weather::Fine
        };
        self.note(|| format!("weather: {weather:?}"));
        let begun = self.now;
        let latency = self.rng.between(10, self.setup.timeout.min(LATENCY));
        self.advance(latency);
        let answer = self.answer(weather, rows, begun);
        if self.setup.tasks
            && let Delivery::Answered(Class::Rows | Class::Rejected | Class::Fault) = answer.delivery
            && self.rng.in_thousand(700)
        {
            self.failures = (0, 0);
            let task = format!("T{}", self.tasks.len());
            let longest = if self.calm { SECOND } else { self.setup.timeout };
            let over = self.now + self.rng.between(0, longest);
            self.tasks.insert(task.clone(), (answer, over));
            let limit = self.setup.timeout;
            return Ok(Some(Event::Taken { task, limit }));
        }
        match answer.delivery {
            Delivery::NotSent | Delivery::Lost => self.failed(),
            Delivery::Withheld => {}
            Delivery::Answered(_) => self.failures = (0, 0),
        }
        Ok(Some(Event::Answered(answer)))
    }

    /// The end of a task, where it comes in time and somebody tells of it. `None` = the process died meanwhile.
    fn hear(&mut self, task: &str, until: Ms, rows: &[(RecordId, Blob)]) -> Result<Option<Event>, String> {
        if !self.noted.contains(task) {
            return Err(format!("the task {task} is asked about and not durable"));
        }
        self.calls()?;
        let (answer, over) = self.tasks.get(task).cloned().ok_or("no such task")?;
        self.report.tasks += 1;
        if !self.calm && self.rng.in_thousand(300) {
            let dies = self.rng.between(0, (until - self.now).max(1));
            self.advance(dies);
            return Ok(None);
        }
        let silent = !self.calm && self.rng.in_thousand(200);
        if over >= until || silent {
            self.lost.extend(rows.iter().map(|(record, _)| *record));
            self.advance((until - self.now).max(0));
            self.failed();
            return Ok(Some(Event::Answered(answered(Delivery::Lost, Vec::new()))));
        }
        self.advance((over - self.now).max(0));
        if answer.delivery == Delivery::Answered(Class::Fault) {
            self.lost.extend(rows.iter().map(|(record, _)| *record));
        }
        self.failures = (0, 0);
        Ok(Some(Event::Answered(answer)))
    }

    fn answer(&mut self, weather: Weather, rows: Vec<Row>, begun: Ms) -> Answer {
        use Class::{Auth, ConfigError, Fault, NoMatch, QuotaStop, Throttled, Transient};
        let whole = |delivery| answered(delivery, Vec::new());
        let (executed, delivery) = match weather {
            Weather::Fine => return self.plain(&rows, false),
            Weather::Partial => return self.plain(&rows, true),
            Weather::Late => {
                self.advance(begun + self.setup.timeout - self.now);
                self.late(
                    rows,
                    self.now,
                    self.claimed_at + self.setup.timeout + self.setup.quiet,
                );
                return whole(Delivery::Lost);
            }
            Weather::FaultLate => {
                self.late(rows, self.now, self.now + self.setup.quiet);
                return whole(Delivery::Answered(Fault));
            }
            Weather::NotSent => (false, Delivery::NotSent),
            Weather::LostBefore => (false, Delivery::Lost),
            Weather::LostAfter => (true, Delivery::Lost),
            Weather::FaultBefore => (false, Delivery::Answered(Fault)),
            Weather::FaultAfter => (true, Delivery::Answered(Fault)),
            Weather::LoginPage => (self.rng.in_thousand(500), Delivery::Answered(NoMatch)),
            Weather::Throttled => (false, Delivery::Answered(Throttled)),
            Weather::Transient => (false, Delivery::Answered(Transient)),
            Weather::Auth => {
                let replay_write = self.rng.in_thousand(500);
                (false, Delivery::Answered(Auth { replay_write }))
            }
            Weather::Quota => (false, Delivery::Answered(QuotaStop)),
            Weather::Config => (false, Delivery::Answered(ConfigError)),
        };
        if executed {
            self.execute(&rows);
        }
        let mut answer = whole(delivery);
        if self.rng.in_thousand(300) {
            answer.wait = Some(self.rng.between(0, 2 * HOUR));
        }
        answer
    }

    fn execute(&mut self, rows: &[Row]) -> Vec<Outcome> {
        if self.setup.all_or_nothing && rows.iter().any(Row::is_poison) {
            return vec![Outcome::Rejected; rows.len()];
        }
        rows.iter()
            .map(|row| self.target.execute(&self.setup, row))
            .collect()
    }

    /// Executed at some time in `[from, to)`, or later still where the setup allows it.
    fn late(&mut self, rows: Vec<Row>, from: Ms, to: Ms) {
        // Uniqueness guards creates only.
        let creates = rows.iter().all(|row| row.action == WriteAction::Create);
        let to = if self.setup.too_late && creates {
            to + 2 * (to - from)
        } else {
            to
        };
        let at = self.rng.between(from, to);
        self.note(|| format!("will be executed at {}", at - BEGIN));
        let whole = self.setup.all_or_nothing && rows.iter().any(Row::is_poison);
        if !whole {
            self.target.execute_later(at, rows);
        }
    }

    /// An answer that names every row; `partial` = all but some.
    fn plain(&mut self, rows: &[Row], partial: bool) -> Answer {
        let whole_reject = self.setup.all_or_nothing && rows.iter().any(Row::is_poison);
        if whole_reject {
            return answered(Delivery::Answered(Class::Rejected), Vec::new());
        }
        let outcomes = self.execute(rows);
        let answers = outcomes.into_iter().zip(rows).map(|(outcome, row)| {
            let (verdict, id) = match outcome {
                _ if partial && self.rng.in_thousand(400) => (Verdict::Absent, None),
                // Who names a document by its id need not be told the id.
                Outcome::Accepted(_) if row.action != WriteAction::Create && self.rng.in_thousand(500) => {
                    (Verdict::Accepted, None)
                }
                Outcome::Accepted(id) => (Verdict::Accepted, Some(id)),
                Outcome::Half(id) => (Verdict::Half, Some(id)),
                Outcome::Rejected => (Verdict::Rejected, None),
                Outcome::Exists => (Verdict::Exists, None),
            };
            RowAnswer {
                verdict,
                id,
                number: None,
                lines: None,
                reason: Reason::new("M4", "what the vendor says about the row"),
            }
        });
        let answers: Vec<RowAnswer> = answers.collect();
        // Some call a batch refused although a part of it was accepted.
        let some_accepted = answers
            .iter()
            .any(|answer| matches!(answer.verdict, Verdict::Accepted | Verdict::Half));
        let class = if partial && some_accepted && self.rng.in_thousand(500) {
            Class::Rejected
        } else {
            Class::Rows
        };
        answered(Delivery::Answered(class), answers)
    }
}

/// A hash of a text.
fn print_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |print: u64, byte| {
        (print ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn answered(delivery: Delivery, rows: Vec<RowAnswer>) -> Answer {
    Answer {
        delivery,
        reason: Reason::new("M5", "what the vendor says about the call"),
        wait: None,
        http_status: None,
        excerpt: None,
        vendor_trace: None,
        rows,
    }
}
