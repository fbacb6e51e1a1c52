//! Replays within a service: a past stretch is read once more, beside the schedule.
//!
//! A replay has its turns in the place of its scheme's runs, so that it never meets one. A turn ends between two windows
//! when others wait; what it has read is closed under its own cursor, and the next turn goes on there. It stands in the
//! ledger from the moment in which it is asked for, and goes on after a restart.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dsl::plan::Plan;
use flow::ids::{Ms, RunId};
use flow::op::{AuditNote, Cursor, LedgerOp, Reason, RunStatus};
use flow::timetable::{Cause, Event, Half, Standing, Start};
use flow::{Note, Stopped};
use ledger::service::operating::{NewReplay, ReplayFilter, ReplayRow, ReplayState, Turn};

use super::{Service, Table, Underway, reason_of};
use crate::error::AppError;
use crate::replay::ReplayPlan;
use crate::run::{Engine, Replay, RunOptions, RunReport};
use crate::shell::{Cancel, Progress};

/// How long a turn is: an ordinary run of the scheme waits no longer for it than this and the window that is being read.
pub const TURN: Ms = 5 * 60_000;

/// Replays that go on, of all schemes: each is a person's decision.
const MOST: u32 = 1_000;

/// Those that have not ended, by scheme: one of each.
pub(super) type Replays = BTreeMap<String, Arc<Going>>;

/// A replay that has not ended.
#[derive(Debug)]
pub(super) struct Going {
    row: ReplayRow,
    /// A person ended it.
    stopped: AtomicBool,
}

impl Going {
    fn new(row: ReplayRow) -> Arc<Going> {
        Arc::new(Going {
            row,
            stopped: AtomicBool::new(false),
        })
    }

    fn replay(&self) -> Replay {
        Replay {
            range: self.row.asked.range,
            step: self.row.asked.step,
            only_missing: self.row.asked.only_missing,
        }
    }
}

/// What a start by hand is for. Known from its first moment: a wish that comes later is for the start after it.
#[derive(Debug)]
pub(super) enum ByHand {
    /// An ordinary run: a person wants it, or nobody asked for it by hand.
    Run,
    /// A replay has its turn.
    Turn(Arc<Going>),
    /// The replay was ended, or its scheme paused, before its turn came.
    Nothing,
}

/// In place of the number of a replay: its turn came too late.
pub(super) const NOTHING: i64 = -1;

/// The end of a run whose replay is there no more.
pub(super) fn too_late(run: &Underway) -> AppError {
    run.replay.store(NOTHING, Ordering::SeqCst);
    AppError::wrong_use(
        "补数在轮到它之前已被停止,或方案已暂停",
        "the replay was ended, or its scheme paused, before its turn",
    )
}

impl Table {
    /// What a run is for that begins now.
    pub(super) fn by_hand(&mut self, start: &Start) -> ByHand {
        let is_asked = start.cause == Cause::Manual && start.half == Half::All;
        if !is_asked || self.asked.remove(&start.scheme) {
            return ByHand::Run;
        }
        let going = self.replays.get(&start.scheme);
        let going = going.filter(|_| !self.timetable.is_paused(&start.scheme));
        going.map_or(ByHand::Nothing, |going| ByHand::Turn(Arc::clone(going)))
    }
}

/// Those that the ledger knows.
pub(super) fn kept(engine: &Engine) -> Result<Replays, AppError> {
    let filter = ReplayFilter {
        open: true,
        limit: MOST,
        ..ReplayFilter::default()
    };
    let rows = engine.reader().replays(&filter)?.into_iter();
    Ok(rows
        .map(|row| (row.asked.scheme.clone(), Going::new(row)))
        .collect())
}

/// Who wants a replay, and why.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Who.
    pub who: String,
    /// In their words; not blank.
    pub reason: String,
    /// From its beginning, also where an earlier one was interrupted.
    pub again: bool,
}

impl Service {
    /// What a replay would read; nothing is begun.
    pub fn plan_replay(&self, scheme: &str, replay: &Replay, again: bool) -> Result<ReplayPlan, AppError> {
        let plan = self.plan_to_run(scheme)?;
        self.loaded().engine.plan_replay(&plan, replay, None, again)
    }

    /// Queues a replay; `None` = one of the scheme goes on. It begins when the scheme's place is free.
    pub async fn begin_replay(
        self: &Arc<Self>,
        scheme: &str,
        replay: &Replay,
        wish: Wish,
    ) -> Result<Option<ReplayRow>, AppError> {
        // What the ledger says of replays and what the table says is changed by one at a time.
        let _alone = self.reloading.lock().await;
        let plan = self.plan_to_run(scheme)?;
        let engine = &self.loaded().engine;
        let todo = engine.plan_replay(&plan, replay, None, wish.again)?;
        // One that goes on must not lose what it has read.
        if self.table().replays.contains_key(scheme) {
            return Ok(None);
        }
        let now = self.now_ms();
        if wish.again {
            let forget = LedgerOp::Forget {
                scheme: scheme.to_owned(),
                cursor: Cursor::Replay(replay.range),
            };
            engine.apply(vec![forget]).await?;
        }
        let new = NewReplay {
            scheme: scheme.to_owned(),
            range: replay.range,
            step: replay.step,
            only_missing: replay.only_missing,
            windows: u64::try_from(todo.slices.len()).unwrap_or(u64::MAX),
            who: wish.who,
            reason: wish.reason,
        };
        let note = crate::replay::note(scheme, replay, wish.again, &new.who, &new.reason);
        let added = engine.with_ledger(move |ledger| match ledger.add_replay(&new, &note, now)? {
            Some(id) => ledger.reader().replay(id),
            None => Ok(None),
        });
        let Some(row) = added.await?? else {
            return Ok(None);
        };
        self.table()
            .replays
            .insert(scheme.to_owned(), Going::new(row.clone()));
        self.next_turn(scheme);
        Ok(Some(row))
    }

    /// Ends a replay: the window that is being read is left, and calls that are out are settled. Says whether it went on.
    pub async fn stop_replay(self: &Arc<Self>, row: &ReplayRow, note: AuditNote) -> Result<bool, AppError> {
        let _alone = self.reloading.lock().await;
        let (id, now) = (row.id, self.now_ms());
        let engine = &self.loaded().engine;
        let stopped = engine.with_ledger(move |ledger| ledger.stop_replay(id, &note, now));
        if !stopped.await?? {
            return Ok(false);
        }
        let mut table = self.table();
        if let Some(going) = table
            .replays
            .get(&row.asked.scheme)
            .filter(|going| going.row.id == id)
        {
            going.stopped.store(true, Ordering::SeqCst);
            table.replays.remove(&row.asked.scheme);
            let runs = table.runs.values();
            runs.filter(|run| run.replay.load(Ordering::SeqCst) == id)
                .for_each(|run| run.cancel.cancel());
        }
        Ok(true)
    }

    /// The plan of a scheme that can run.
    fn plan_to_run(&self, scheme: &str) -> Result<Arc<Plan>, AppError> {
        let member = self.runnable(scheme)?;
        let plan = member.runnable().cloned();
        plan.ok_or_else(|| AppError::bug("a scheme that cannot run is replayed"))
    }

    /// The replay of a scheme goes on, unless an ordinary run goes on or waits, or the scheme is paused: the end of that
    /// asks again.
    pub(super) fn next_turn(self: &Arc<Self>, scheme: &str) {
        let wanted = {
            let table = self.table();
            let halves = table.timetable.status(scheme);
            let waits = halves.iter().any(|half| half.standing != Standing::Idle);
            table.replays.contains_key(scheme) && !waits && !table.timetable.is_paused(scheme)
        };
        // One that cannot run has no turn; the next reload asks again.
        if wanted && !self.is_stopping() && self.runnable(scheme).is_ok() {
            self.step(Event::RunNow(scheme.to_owned(), Half::All));
        }
    }

    /// Replays that a process before this one had not ended.
    pub(super) fn go_on_with_replays(self: &Arc<Self>) {
        let schemes: Vec<String> = self.table().replays.keys().cloned().collect();
        for scheme in schemes {
            self.next_turn(&scheme);
        }
    }

    /// One turn of a replay.
    pub(super) async fn turn(
        self: &Arc<Self>,
        going: &Arc<Going>,
        run: &Underway,
        progress: &dyn Progress,
    ) -> Result<RunReport, AppError> {
        run.replay.store(going.row.id, Ordering::SeqCst);
        let loaded = self.loaded();
        let (id, now) = (going.row.id, self.now_ms());
        let begun = loaded
            .engine
            .with_ledger(move |ledger| ledger.replay_begins(id, now));
        if !begun.await?? {
            // A person ended it when it stood in the ledger and not yet in the table.
            let mut table = self.table();
            if table
                .replays
                .get(&run.scheme)
                .is_some_and(|there| there.row.id == id)
            {
                table.replays.remove(&run.scheme);
            }
            return Err(too_late(run));
        }
        let plan = self.plan_to_run(&run.scheme)?;
        let bounded = Bounded {
            progress,
            until: now.saturating_add(self.setting.turn),
            service: self,
            cancel: &run.cancel,
            reads: AtomicBool::new(false),
            cut: AtomicBool::new(false),
        };
        if going.stopped.load(Ordering::SeqCst) {
            run.cancel.cancel();
        }
        let options = RunOptions {
            replay: Some(going.replay()),
            ..self.options(run)
        };
        let ran = loaded.engine.run(plan, &options, &bounded).await;
        let was_cut = bounded.cut.load(Ordering::SeqCst);
        self.turned(going, &ran, was_cut || run.held.load(Ordering::SeqCst))
            .await?;
        ran
    }

    /// Writes down what a turn came to; `was_cut` = it ended so that others have their turn, or its target was paused.
    async fn turned(
        &self,
        going: &Arc<Going>,
        ran: &Result<RunReport, AppError>,
        was_cut: bool,
    ) -> Result<(), AppError> {
        let turn = ran.as_ref().map_or_else(
            |_| Turn::default(),
            |report| Turn {
                rows: report.summary.counts.fetched,
                written: report.summary.written,
            },
        );
        let ended = match ran {
            _ if going.stopped.load(Ordering::SeqCst) => None,
            Ok(report) if report.summary.status == RunStatus::Canceled => {
                // The next turn goes on, when its target may be written to again, or that of the next process does.
                let goes_on = was_cut || self.is_stopping();
                (!goes_on).then_some((ReplayState::Stopped, None))
            }
            // It goes on when the scheme is resumed.
            Ok(report) if matches!(report.summary.stopped, Some(Stopped::Braked(_))) => None,
            Ok(report) => Some(how(report, self.has_left(going)?)),
            Err(error) => Some((
                ReplayState::DoneWithErrors,
                Some(reason_of(error, self.setting.lang)),
            )),
        };
        if let Some((state, _)) = &ended {
            tracing::info!(
                scheme = going.row.asked.scheme,
                replay = going.row.id,
                state = state.word(),
                "replay ended"
            );
            self.table().replays.remove(&going.row.asked.scheme);
        }
        let (id, now) = (going.row.id, self.now_ms());
        let engine = &self.loaded().engine;
        let kept = engine.with_ledger(move |ledger| {
            let ended = ended.as_ref().map(|(state, why)| (*state, why.as_ref()));
            ledger.replay_turned(id, &turn, ended, now)
        });
        Ok(kept.await??)
    }

    /// Whether a record that a turn of it has read is neither done nor skipped, whatever run was to write it.
    fn has_left(&self, going: &Going) -> Result<bool, AppError> {
        let loaded = self.loaded();
        let asked = &going.row.asked;
        let reader = loaded.engine.reader();
        Ok(reader.has_replayed_and_left(&asked.scheme, going.row.at)?)
    }

    /// A turn that ended without a word: it panicked.
    pub(super) async fn turn_broke(&self, id: i64, error: &AppError) {
        let going = {
            let mut table = self.table();
            let scheme = table
                .replays
                .iter()
                .find(|(_, going)| going.row.id == id)
                .map(|(scheme, _)| scheme.clone());
            scheme.and_then(|scheme| table.replays.remove(&scheme))
        };
        if going.is_none() {
            return;
        }
        let (why, now) = (reason_of(error, self.setting.lang), self.now_ms());
        let engine = &self.loaded().engine;
        let kept = engine.with_ledger(move |ledger| {
            let ended = Some((ReplayState::DoneWithErrors, Some(&why)));
            ledger.replay_turned(id, &Turn::default(), ended, now)
        });
        if let Err(error) = kept.await.and_then(|done| done.map_err(AppError::from)) {
            tracing::error!(code = error.code(), "{}", error.message(self.setting.lang));
        }
    }
}

/// How a replay ended whose last turn did not end early.
fn how(report: &RunReport, has_left: bool) -> (ReplayState, Option<Reason>) {
    let is_whole = report.summary.status == RunStatus::Ok && report.summary.windows_left == 0;
    if is_whole && !has_left {
        return (ReplayState::Done, None);
    }
    (ReplayState::DoneWithErrors, super::pump::why(report).cloned())
}

/// Ends a turn between two windows when its time is over: not before the first one, or none would ever be read.
struct Bounded<'a> {
    progress: &'a dyn Progress,
    until: Ms,
    service: &'a Service,
    cancel: &'a Cancel,
    /// A window of this turn has begun.
    reads: AtomicBool,
    /// It was ended.
    cut: AtomicBool,
}

impl Progress for Bounded<'_> {
    fn note(&self, scheme: &str, note: &Note) {
        // A slice begins: what was read before it is closed.
        if matches!(note, Note::Reading(_))
            && self.reads.swap(true, Ordering::SeqCst)
            && self.service.now_ms() >= self.until
            && !self.cancel.is_canceled()
        {
            self.cut.store(true, Ordering::SeqCst);
            self.cancel.cancel();
        }
        self.progress.note(scheme, note);
    }

    fn waiting(&self, scheme: &str, until_ms: i64, why: flow::Waiting) {
        self.progress.waiting(scheme, until_ms, why);
    }

    fn begun(&self, run: RunId) {
        self.progress.begun(run);
    }
}
