//! The loop of a service, and the runs it begins.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use dsl::catalogue::{auth, reading, target};
use flow::ids::{Ms, RunId};
use flow::op::{Reason, RecordState, RunStatus, Trigger};
use flow::timetable::{Action, Cause, Ended, Event, Half, Paused, Start};
use flow::{Note, Stages, Stopped};
use ledger::read::RecordFilter;
use ledger::service::schedule::OpenWork;
use tracing::Instrument as _;

use super::events::{RunEnd, What};
use super::replays::{ByHand, NOTHING, too_late};
use super::{Service, Table, reason_of};
use crate::error::AppError;
use crate::run::{RunOptions, RunReport};
use crate::shell::{Cancel, Progress};

/// The watchdog looks this often for what should run and does not.
const CENSUS: Ms = 60_000;
/// How long the end waits for runs to settle what is out: the longest time-out of a call and its settlement.
const STOP: Duration = Duration::from_secs(330);
/// Progress of one run is told at most so often.
const TOLD_EVERY: Ms = 500;

/// A run that is under way.
#[derive(Debug)]
pub struct Underway {
    /// The scheme.
    pub scheme: String,
    /// Which half of it.
    pub half: Half,
    /// Why it was begun.
    pub cause: Cause,
    /// When it began.
    pub began: Ms,
    pub(super) cancel: Cancel,
    /// It was told to end because its target was paused.
    pub(super) held: AtomicBool,
    /// Rows read so far.
    pub rows: AtomicU64,
    /// Records settled so far.
    pub written: AtomicU64,
    told: AtomicI64,
    /// What it is for, where it was begun by hand.
    by_hand: ByHand,
    /// The number of the replay whose turn it is; 0 = none.
    pub(super) replay: AtomicI64,
    /// Its number in the ledger; 0 = none yet.
    number: AtomicI64,
}

impl Underway {
    /// Whether it is the run with this number.
    pub(super) fn is(&self, run: RunId) -> bool {
        self.number.load(Ordering::SeqCst) == run.0
    }
}

impl Service {
    /// Runs schemes until it is told to stop; then waits for those that are under way.
    pub async fn serve(self: &Arc<Self>) -> Result<(), AppError> {
        self.begin().await?;
        let keeper = tokio::spawn(Arc::clone(self).keep_for_ever());
        let mut census = self.now_ms();
        while !self.is_stopping() {
            self.beat.beat();
            self.setting.clock.follow(self.is_idle());
            let now = self.now_ms();
            if now - census >= CENSUS || now < census {
                census = now;
                let alive = self.table().runs.keys().copied().collect();
                self.step_quietly(Event::Census(alive));
            }
            self.ask_questions(now);
            self.step_quietly(Event::Tick);
            let alarm = self.alarm().min(census + CENSUS);
            tokio::select! {
                () = tokio::time::sleep(self.setting.clock.until(alarm)) => {}
                () = self.changed.notified() => {}
                () = self.cancel.wait() => {}
            }
        }
        let all_ended = async {
            while !self.table().runs.is_empty() {
                self.changed.notified().await;
            }
        };
        let is_late = tokio::time::timeout(STOP, all_ended).await.is_err();
        keeper.abort();
        self.keep_once().await?;
        if is_late {
            return Err(AppError::bug("runs did not end within their time-outs"));
        }
        Ok(())
    }

    /// Whether no answer is awaited.
    fn is_idle(&self) -> bool {
        let table = self.table();
        table.runs.is_empty() && table.questions.is_empty()
    }

    fn alarm(&self) -> Ms {
        let table = self.table();
        let question = table.questions.first();
        let wake = table.timetable.wake();
        wake.into_iter().chain(question).min().unwrap_or(Ms::MAX)
    }

    /// The end of waits: what is stored is gone on with.
    fn ask_questions(self: &Arc<Self>, now: Ms) {
        loop {
            let scheme = self.table().questions.due(now);
            match scheme {
                Some(scheme) => self.step_quietly(Event::Settle(scheme)),
                None => return,
            }
        }
    }

    /// Tells the timetable something, carries out what it wants, and lets the loop set its alarm anew.
    pub(super) fn step(self: &Arc<Self>, event: Event) {
        self.step_quietly(event);
        self.changed.notify_one();
    }

    fn step_quietly(self: &Arc<Self>, event: Event) {
        let paused = self.step_in(&mut self.table(), event);
        self.keep_paused(paused);
    }

    /// A step of a table that the caller has locked; the schemes that the table paused.
    pub(super) fn step_in(self: &Arc<Self>, table: &mut Table, event: Event) -> Vec<(String, Paused)> {
        let now = self.now_ms();
        let (mut paused, mut kept) = (Vec::new(), Vec::new());
        for action in table.timetable.step(now, event) {
            match action {
                // What is due stays due: the next process begins it.
                Action::Start(_) if self.is_stopping() => {}
                Action::Start(start) => {
                    let run = Arc::new(Underway {
                        by_hand: table.by_hand(&start),
                        scheme: start.scheme.clone(),
                        half: start.half,
                        cause: start.cause,
                        began: now,
                        cancel: self.cancel.one(),
                        held: AtomicBool::new(false),
                        rows: AtomicU64::new(0),
                        written: AtomicU64::new(0),
                        told: AtomicI64::new(now),
                        replay: AtomicI64::new(0),
                        number: AtomicI64::new(0),
                    });
                    table.runs.insert(start.token, Arc::clone(&run));
                    table.questions.begun(&start.scheme, start.half);
                    tokio::spawn(Arc::clone(self).follow(start, run));
                }
                Action::Keep(row) => kept.push(row),
                Action::Paused(scheme, why) => paused.push((scheme, why)),
            }
        }
        if !kept.is_empty() {
            // What one step wants to be remembered is remembered in one transaction.
            let mut owed = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
            owed.extend(kept.into_iter().map(|row| ((row.scheme.clone(), row.half), row)));
            self.owes.notify_one();
        }
        paused
    }

    pub(super) fn keep_paused(self: &Arc<Self>, paused: Vec<(String, Paused)>) {
        for (scheme, why) in paused {
            self.paused(&scheme, why.clone());
            let service = Arc::clone(self);
            tokio::spawn(async move {
                let engine = &service.loaded().engine;
                let written = engine.with_ledger(move |ledger| ledger.pause(&scheme, &why));
                if let Err(error) = written.await.and_then(|done| done.map_err(AppError::from)) {
                    tracing::error!(code = error.code(), "{}", error.message(service.setting.lang));
                }
            });
        }
    }

    /// Writes down what the timetable wants to be remembered, as soon as it does; what comes while a transaction is under
    /// way goes into the next one.
    async fn keep_for_ever(self: Arc<Self>) {
        loop {
            self.owes.notified().await;
            if let Err(error) = self.keep_once().await {
                // The ledger tells of itself in every run; what is owed comes with the next change.
                tracing::error!(code = error.code(), "{}", error.message(self.setting.lang));
                tokio::time::sleep(Duration::from_secs(1)).await;
                self.owes.notify_one();
            }
        }
    }

    async fn keep_once(&self) -> Result<(), AppError> {
        let rows = std::mem::take(&mut *self.owed.lock().unwrap_or_else(PoisonError::into_inner));
        if rows.is_empty() {
            return Ok(());
        }
        let kept: Vec<_> = rows.values().cloned().collect();
        let engine = &self.loaded().engine;
        let written = engine.with_ledger(move |ledger| ledger.keep_due(&kept)).await;
        let written = written.and_then(|done| done.map_err(AppError::from));
        if written.is_err() {
            let mut owed = self.owed.lock().unwrap_or_else(PoisonError::into_inner);
            for (of, row) in rows {
                owed.entry(of).or_insert(row);
            }
        }
        written
    }

    /// One run, from its start to what the timetable is told of its end.
    async fn follow(self: Arc<Self>, start: Start, run: Arc<Underway>) {
        let began = What::RunBegan {
            scheme: start.scheme.clone(),
            half: start.half,
            cause: start.cause,
            late: start.late,
        };
        self.events.tell(run.began, began);
        // The number of the run is known once the ledger has given it; whoever reads the log finds its lines by it.
        let span = tracing::info_span!("run", scheme = start.scheme, run = tracing::field::Empty);
        span.in_scope(|| tracing::info!(half = start.half.word(), late_ms = start.late, "run"));
        let running = Arc::clone(&self).run(Arc::clone(&run));
        let running = tokio::spawn(running.instrument(span.clone()));
        // A panic in one scheme is that scheme's failure.
        let ran = match running.await {
            Ok(ran) => ran,
            Err(error) => Err(AppError::bug(format!("a run ended without a word: {error}"))),
        };
        let is_stopping = self.cancel.is_canceled();
        let is_turn = run.replay.load(Ordering::SeqCst) != 0;
        let how = match &ran {
            // It says nothing about the schedule: what is owed to that is owed still. What a brake holds back is asked.
            Ok(report) if is_turn => match &report.summary.stopped {
                Some(Stopped::Braked(reason)) => Ended::Braked(reason.clone()),
                _ => Ended::Stopped,
            },
            Err(_) if is_turn => Ended::Stopped,
            Ok(report) => how_it_ended(report, is_stopping),
            Err(AppError::Bug(_)) => Ended::Panicked,
            Err(AppError::Store(_) | AppError::File { .. }) => Ended::Failed,
            Err(error) if error.code().is_some_and(passes) => Ended::Failed,
            Err(_) => Ended::Refused,
        };
        let end = self.end_of(&run, &ran);
        let unsettled = match (end.status, &end.reason) {
            ("partial", None) => self.unsettled(&run.scheme, run.began).await,
            _ => None,
        };
        span.in_scope(|| tell_end(&end, unsettled.as_ref()));
        if let Err(error) = &ran
            && let id @ 1.. = run.replay.load(Ordering::SeqCst)
        {
            self.turn_broke(id, error).await;
        }
        let left = match &ran {
            Ok(report) if !is_open(&report.summary.states) => OpenWork::default(),
            _ => self.left_by_run(&run.scheme, run.half).await,
        };
        let paused = {
            // All of it at once: a run that is not counted and not ended looks as if it had vanished.
            let mut table = self.table();
            table.runs.remove(&start.token);
            table.questions.ended(self.now_ms(), &run.scheme, &how, left);
            self.events.tell(self.now_ms(), What::RunEnded(Box::new(end)));
            match how {
                // It is written down as due.
                Ended::Stopped if is_stopping => Vec::new(),
                how => self.step_in(&mut table, Event::Ended(start.token, how)),
            }
        };
        self.keep_paused(paused);
        self.tell_of_given();
        self.next_turn(&run.scheme);
        self.changed.notify_one();
    }

    /// A record of a scheme that was not settled well since then, the gravest first: its state and code. Where the ledger
    /// cannot say, none: the line of the run is told all the same.
    async fn unsettled(&self, scheme: &str, since: Ms) -> Option<(RecordState, String)> {
        const GRAVEST: [RecordState; 4] = [
            RecordState::Dead,
            RecordState::Held,
            RecordState::Unknown,
            RecordState::Pending,
        ];
        let (loaded, scheme) = (self.loaded(), scheme.to_owned());
        let found = loaded.engine.with_ledger(move |ledger| {
            let reader = ledger.reader();
            GRAVEST.into_iter().find_map(|state| {
                let filter = RecordFilter {
                    scheme: Some(scheme.clone()),
                    state: Some(state),
                    // One that waits may have been waiting before.
                    since: Some(since).filter(|_| state != RecordState::Pending),
                    limit: 1,
                    ..RecordFilter::default()
                };
                let row = reader.list_records(&filter).ok()?.pop()?;
                Some((state, row.reason.map(|reason| reason.code).unwrap_or_default()))
            })
        });
        found.await.ok().flatten()
    }

    async fn run(self: Arc<Self>, run: Arc<Underway>) -> Result<RunReport, AppError> {
        let loaded = self.loaded();
        let member = self.runnable(&run.scheme)?;
        let plan = member.runnable().cloned();
        let plan = plan.ok_or_else(|| AppError::bug("a scheme that cannot run was started"))?;
        let following = Following {
            service: &self,
            run: &run,
        };
        match &run.by_hand {
            ByHand::Run => {}
            ByHand::Turn(going) => return self.turn(going, &run, &following).await,
            ByHand::Nothing => return Err(too_late(&run)),
        }
        loaded.engine.run(plan, &self.options(&run), &following).await
    }

    /// How a run is done that nobody watches.
    pub(super) fn options(&self, run: &Underway) -> RunOptions {
        RunOptions {
            now: None,
            window: None,
            from: None,
            replay: None,
            limit: None,
            // Nobody waits here: whoever has lost answers is started again when they may be asked about.
            settle_wait: Some(0),
            stages: match run.half {
                Half::All => Stages::All,
                Half::Source => Stages::Fetch,
                Half::Target => Stages::Save,
            },
            dry: false,
            lang: self.setting.lang,
            trigger: Some(match run.cause {
                Cause::Schedule | Cause::After | Cause::Settle => Trigger::Schedule,
                Cause::Push => Trigger::Push,
                Cause::Manual => Trigger::Manual,
            }),
            confirmed: false,
            cancel: Some(run.cancel.clone()),
        }
    }

    fn end_of(&self, run: &Underway, ran: &Result<RunReport, AppError>) -> RunEnd {
        let end = RunEnd {
            scheme: run.scheme.clone(),
            half: run.half,
            cause: run.cause,
            began: run.began,
            status: match run.replay.load(Ordering::SeqCst) {
                NOTHING => RunStatus::Canceled.word(),
                _ => RunStatus::Failed.word(),
            },
            reason: None,
            counts: None,
            states: None,
            windows_left: 0,
            written: 0,
        };
        match ran {
            Ok(report) => RunEnd {
                status: report.summary.status.word(),
                reason: why(report).cloned(),
                counts: Some(report.summary.counts),
                states: Some(report.summary.states),
                windows_left: report.summary.windows_left,
                written: report.summary.written,
                ..end
            },
            Err(error) => RunEnd {
                reason: Some(reason_of(error, self.setting.lang)),
                ..end
            },
        }
    }
}

/// The end of a run, as a line of its own. Where only records keep it from being all right, `unsettled` is one of them: the
/// log has its code, and where its sentence stands, which may quote the record.
fn tell_end(end: &RunEnd, unsettled: Option<&(RecordState, String)>) {
    let counts = end.counts.unwrap_or_default();
    let (code, reason) = match (&end.reason, unsettled) {
        (Some(reason), _) => (reason.code.clone(), reason.text.clone()),
        (None, Some((state, code))) => {
            let (scheme, state) = (&end.scheme, state.word());
            let told = format!("engine rows list --scheme {scheme} --state {state}");
            (code.clone(), told)
        }
        (None, None) => Default::default(),
    };
    // Of the scheme, not of the rows that this run read: one that was tried again was read long ago.
    let of = |state: RecordState| {
        let mut all = RecordState::ALL.into_iter().zip(end.states.unwrap_or_default());
        all.find_map(|(one, n)| (one == state).then_some(n))
    };
    let (dead, held, unknown) = (
        of(RecordState::Dead),
        of(RecordState::Held),
        of(RecordState::Unknown),
    );
    let (fetched, written) = (counts.fetched, end.written);
    match end.status {
        "failed" => tracing::error!(status = end.status, code, reason, fetched, written, "run ended"),
        "partial" => {
            tracing::warn!(
                status = end.status,
                code,
                reason,
                fetched,
                written,
                dead,
                held,
                unknown,
                "run ended"
            );
        }
        status => tracing::info!(status, fetched, written, "run ended"),
    }
}

/// What stopped a run, or kept it from reading to the end.
pub(super) fn why(report: &RunReport) -> Option<&Reason> {
    let stopped = report.summary.stopped.as_ref();
    let stopped = stopped.and_then(|stopped| match stopped {
        Stopped::Source(reason)
        | Stopped::Target(reason)
        | Stopped::FirstDead(reason)
        | Stopped::Braked(reason) => Some(reason),
        Stopped::Canceled => None,
    });
    stopped.or(report.left.as_ref())
}

/// What a run means for when its scheme is tried again.
fn how_it_ended(report: &RunReport, is_stopping: bool) -> Ended {
    if let Some(Stopped::Braked(reason)) = &report.summary.stopped {
        return Ended::Braked(reason.clone());
    }
    match (report.summary.status, why(report)) {
        // Not more at once is what the scheme wants.
        (RunStatus::Partial, Some(reason)) if reason.code == flow::codes::MOST_RECORDS => Ended::Well,
        (RunStatus::Canceled, _) if is_stopping => Ended::Stopped,
        (RunStatus::Canceled, _) => Ended::Canceled,
        (RunStatus::Failed, Some(reason)) if refuses(&reason.code) => Ended::Refused,
        (RunStatus::Failed, _) => Ended::Failed,
        (RunStatus::Ok | RunStatus::Partial, _) if report.summary.windows_left > 0 => Ended::Failed,
        (RunStatus::Ok | RunStatus::Partial, _) => Ended::Well,
    }
}

/// Whether pending, sending or unknown records are among these.
fn is_open(states: &[u64; 7]) -> bool {
    let of_states = RecordState::ALL.iter().zip(states);
    of_states
        .filter(|(state, _)| state.is_open())
        .any(|(_, n)| *n > 0)
}

/// Whether a code says that the credentials or the settings are refused: trying again soon would lock the account, and
/// helps nobody.
fn refuses(code: &str) -> bool {
    let is_auth = auth::ALL.iter().any(|entry| entry.code == code) && !passes(code);
    is_auth || code == reading::SOURCE_REFUSES.code || code == target::REFUSES_US.code
}

/// Whether a code of a connection says what passes by itself: a gateway's page in place of an answer to the login, a disk
/// that is full.
fn passes(code: &str) -> bool {
    [&auth::LOGIN_ANSWER, &auth::SESSION_KEPT, &auth::BUDGET_KEPT]
        .iter()
        .any(|entry| entry.code == code)
}

struct Following<'a> {
    service: &'a Service,
    run: &'a Underway,
}

impl Progress for Following<'_> {
    fn note(&self, scheme: &str, note: &Note) {
        match note {
            Note::Staged { rows, .. } => self.run.rows.store(*rows, Ordering::Relaxed),
            Note::Written { records, .. } => self.run.written.store(*records, Ordering::Relaxed),
            Note::Skewed(by) => tracing::warn!(scheme, by_ms = by, "the clocks differ"),
            Note::Lost(range) => {
                tracing::error!(
                    scheme,
                    from = range.from,
                    to = range.to,
                    "the source has forgotten this"
                );
            }
            Note::Stopping(reason) | Note::WindowLeft(reason) | Note::ReadAgain(reason) => {
                tracing::warn!(scheme, code = reason.code, "{}", reason.text);
            }
            _ => return,
        }
        let now = self.service.now_ms();
        let told = self.run.told.load(Ordering::Relaxed);
        if now - told >= TOLD_EVERY {
            self.run.told.store(now, Ordering::Relaxed);
            let goes = What::RunGoes {
                scheme: scheme.to_owned(),
                rows: self.run.rows.load(Ordering::Relaxed),
                written: self.run.written.load(Ordering::Relaxed),
            };
            self.service.events.tell(now, goes);
        }
    }

    fn waiting(&self, scheme: &str, until_ms: i64, _why: flow::Waiting) {
        tracing::debug!(scheme, until_ms, "waits");
    }

    fn begun(&self, run: RunId) {
        self.run.number.store(run.0, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failure_means_for_the_next_try() {
        for (code, want) in [
            ("E3064", "refused"),
            ("E4007", "refused"),
            ("E7001", "refused"),
            ("E7003", "refused"),
            ("E7020", "refused"),
            ("E7002", "passes"),
            ("E7006", "passes"),
            ("E7007", "passes"),
            ("E3063", ""),
            ("E4026", ""),
            ("X", ""),
        ] {
            let told = match (refuses(code), passes(code)) {
                (true, false) => "refused",
                (false, true) => "passes",
                (false, false) => "",
                (true, true) => "both",
            };
            assert_eq!(told, want, "{code}");
        }
    }
}
