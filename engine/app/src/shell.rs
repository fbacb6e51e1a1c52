//! Carries out what [`flow::Job`] asks for, one action at a time, and reports what happened.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flow::ids::RunId;
use flow::op::{Cursor, LedgerOp, LedgerReply, Reason, Settlement};
use flow::point::{Point, Side};
use flow::{Action, Event, Job, Note, Purpose, ReadFailure, ReadFailureKind, Summary};
use tokio::sync::Notify;

use tracing::Instrument as _;

use crate::TRACED;
use crate::clock::Clock;
use crate::error::AppError;
use crate::failpoint::Failpoint;
use crate::payloads::BlobStore;
use crate::source::SourceReader;
use crate::store::Store;
use crate::target::{Sending, TargetWriter};
use crate::two_way::PartnerReads;

/// Told what happens while a run goes on.
pub trait Progress: Send + Sync {
    /// Something worth showing.
    fn note(&self, scheme: &str, note: &Note);
    /// The run waits until an instant.
    fn waiting(&self, scheme: &str, until_ms: i64, why: flow::Waiting);
    /// The ledger has given the run its number.
    fn begun(&self, _run: RunId) {}
}

/// Says nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn note(&self, _scheme: &str, _note: &Note) {}
    fn waiting(&self, _scheme: &str, _until_ms: i64, _why: flow::Waiting) {}
}

/// A person's wish to stop, shared by everything that runs.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<Wish>);

#[derive(Debug, Default)]
struct Wish {
    is_wished: AtomicBool,
    told: Notify,
    /// The wish to stop everything, of which this one is a part.
    all: Option<Cancel>,
}

impl Cancel {
    /// Asks every run to finish what is in flight and stop.
    pub fn cancel(&self) {
        self.0.is_wished.store(true, Ordering::SeqCst);
        self.0.told.notify_waiters();
    }

    /// A wish that stops one of them; stopping all stops it too.
    pub fn one(&self) -> Cancel {
        Cancel(Arc::new(Wish {
            all: Some(self.clone()),
            ..Wish::default()
        }))
    }

    /// Whether someone asked.
    pub fn is_canceled(&self) -> bool {
        self.0.is_wished.load(Ordering::SeqCst) || self.0.all.as_ref().is_some_and(Cancel::is_canceled)
    }

    /// Returns when somebody asks.
    pub async fn wait(&self) {
        let all = self.0.all.as_ref().map_or(self, |all| all);
        let (own, all) = (self.0.told.notified(), all.0.told.notified());
        if !self.is_canceled() {
            tokio::select! {
                () = own => {}
                () = all => {}
            }
        }
    }
}

/// One run's hands.
pub(crate) struct Shell<'a> {
    pub(crate) scheme: String,
    pub(crate) store: Store,
    pub(crate) source: Option<SourceReader>,
    pub(crate) target: Option<TargetWriter>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) cancel: Cancel,
    /// The scheme that carries the same documents the other way.
    pub(crate) partner: Option<PartnerReads<'a>>,
    /// Where a trial lets the process fail.
    pub(crate) failpoint: Option<Arc<Failpoint>>,
    /// What the run is part of: told its number as the run's own span is.
    pub(crate) around: tracing::Span,
    /// Why a window was not read to its end, the last time that happened.
    pub(crate) left: Option<Reason>,
    /// Rows on their way into the stage.
    staged: BlobStore,
    /// Documents between transform and claim.
    payloads: BlobStore,
}

impl<'a> Shell<'a> {
    pub(crate) fn new(
        scheme: &str,
        store: Store,
        source: Option<SourceReader>,
        target: Option<TargetWriter>,
        clock: Arc<dyn Clock>,
        progress: &'a dyn Progress,
        cancel: Cancel,
    ) -> Self {
        Shell {
            scheme: scheme.to_owned(),
            store,
            source,
            target,
            clock,
            progress,
            cancel,
            partner: None,
            failpoint: None,
            around: tracing::Span::none(),
            left: None,
            staged: BlobStore::default(),
            payloads: BlobStore::default(),
        }
    }

    /// Runs a job to its end.
    pub(crate) async fn drive(&mut self, job: &mut Job) -> Result<Summary, AppError> {
        let mut event = Event::Start;
        loop {
            if self.cancel.is_canceled() {
                job.cancel();
            }
            let mut wanted = None;
            for action in job.step(self.clock.now_ms(), event) {
                match action {
                    Action::Note(note) => {
                        self.progress.note(&self.scheme, &note);
                        if let Note::WindowLeft(reason) = note {
                            self.left = Some(reason);
                        }
                    }
                    Action::Finish(summary) => return Ok(summary),
                    other => wanted = Some(other),
                }
            }
            let action = wanted.ok_or_else(|| AppError::bug("the run asks for nothing and has not ended"))?;
            let call = Point::of_action(&action);
            self.reach(Side::Before, call);
            event = self.carry_out(action).await?;
            self.reach(Side::After, call);
            if let Some(clock) = self.source.as_mut().and_then(SourceReader::take_clock) {
                job.source_clock(clock);
            }
        }
    }

    fn reach(&self, side: Side, call: Option<Point>) {
        if let (Some(failpoint), Some(call)) = (&self.failpoint, call) {
            failpoint.reach(side, call);
        }
    }

    async fn carry_out(&mut self, action: Action) -> Result<Event, AppError> {
        let no_target = || AppError::bug("a scheme without target is written");
        match action {
            Action::Ledger(ops) => self.apply(ops).await,
            Action::Fetch {
                window,
                asked,
                since,
                page,
                cursor,
                look,
            } => {
                if let Some(reason) = self.store.tight()? {
                    // The window stays open; what is stored is still written.
                    return Ok(Event::ReadFailed(ReadFailure {
                        kind: ReadFailureKind::Unusable,
                        wait: None,
                        reason,
                    }));
                }
                let source = self.source.as_mut().ok_or_else(|| AppError::bug("no source"))?;
                if cursor == Cursor::Inbox {
                    source.take_stored(&self.store, self.clock.now_ms()).await?;
                    let taken = source.taken(self.store.reader(), &mut self.staged).await?;
                    return Ok(match taken {
                        Ok(page) => Event::Page(page),
                        Err(failure) => Event::ReadFailed(failure),
                    });
                }
                let span = tracing::info_span!(target: TRACED, "page", page = ?page);
                let fetched = source
                    .fetch(window, (asked, since), page, cursor, look, &mut self.staged)
                    .instrument(span)
                    .await;
                Ok(match fetched {
                    Ok(page) => Event::Page(page),
                    Err(failure) => Event::ReadFailed(failure),
                })
            }
            Action::Group(rows) => {
                let target = self.target.as_ref().ok_or_else(no_target)?;
                let grouped = target.group(self.store.reader(), &rows, &mut self.payloads)?;
                Ok(Event::Grouped(grouped))
            }
            Action::Transform(items) => {
                let target = self.target.as_mut().ok_or_else(no_target)?;
                let now = self.clock.now_ms();
                let outcomes = target.transform(self.store.reader(), &items, &mut self.payloads, now)?;
                Ok(Event::Transformed(outcomes))
            }
            Action::Ask {
                purpose: purpose @ (Purpose::Find | Purpose::Resolve),
                records,
            } => {
                let target = self.target.as_ref().ok_or_else(no_target)?;
                let span = tracing::info_span!(target: TRACED, "question", records = records.len());
                let asked = target.ask(self.store.reader(), purpose, &records);
                Ok(match asked.instrument(span).await? {
                    Ok(found) => Event::Asked(found),
                    Err(failure) => Event::ReadFailed(failure),
                })
            }
            Action::Send {
                attempt,
                action,
                rows,
            } => {
                let target = self.target.as_mut().ok_or_else(no_target)?;
                let mark = self.store.reader().attempt_mark(attempt)?;
                let span = tracing::info_span!(target: TRACED, "batch", rows = rows.len());
                let sent = target.send(Sending::Call, action, &rows, mark.as_ref(), &mut self.payloads);
                Ok(sent.instrument(span).await.into())
            }
            Action::Await {
                task,
                until,
                action,
                rows,
                ..
            } => {
                let target = self.target.as_mut().ok_or_else(no_target)?;
                let task = Sending::Question { task: &task, until };
                let sent = target.send(task, action, &rows, None, &mut self.payloads);
                Ok(sent.await.into())
            }
            Action::ReadPartner => {
                let partner = self.partner.as_ref();
                let partner = partner.ok_or_else(|| AppError::bug("a scheme without partner"))?;
                Ok(Event::PartnerRead(partner.read().await?))
            }
            Action::Sleep { until, why } => {
                self.progress.waiting(&self.scheme, until, why);
                let pause = self.clock.until(until);
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = self.cancel.wait() => {}
                }
                Ok(Event::Woke)
            }
            Action::Note(_) | Action::Finish(_) => Err(AppError::bug("not an action")),
        }
    }

    /// A claim says until when its answer may be waited for, counted from its first byte: logging in and waiting for the
    /// limits come before it, and its instants are those after the wait.
    async fn ready_to_claim(&self, ops: &mut [LedgerOp]) {
        let claims = ops.iter().any(|op| matches!(op, LedgerOp::Claim { .. }));
        let Some(target) = self.target.as_ref().filter(|_| claims) else {
            return;
        };
        let before = self.clock.now_ms();
        let step = ops.iter().find_map(|op| match op {
            LedgerOp::Claim { rows, .. } => rows.first()?.step.clone(),
            _ => None,
        });
        target.can_send(step.as_deref()).await;
        let waited = self.clock.now_ms() - before;
        for op in ops {
            if let LedgerOp::Claim {
                resolve_after, now, ..
            } = op
            {
                *resolve_after += waited;
                *now += waited;
            }
        }
    }

    async fn apply(&mut self, mut ops: Vec<LedgerOp>) -> Result<Event, AppError> {
        self.ready_to_claim(&mut ops).await;
        let picks = ops.iter().any(|op| matches!(op, LedgerOp::Pick { .. }));
        let stages = ops.iter().any(|op| matches!(op, LedgerOp::StagePage { .. }));
        let blobs = if stages {
            self.staged.pick(ops.iter().flat_map(|op| match op {
                LedgerOp::StagePage { rows, .. } => rows.iter().map(|row| row.source).collect(),
                _ => Vec::new(),
            }))
        } else {
            self.payloads.pick(ops.iter().flat_map(|op| {
                match op {
                    LedgerOp::Claim { rows, .. } => rows.iter().map(|row| row.payload).collect(),
                    LedgerOp::Freeze { parts, .. } => parts.iter().map(|part| part.source).collect(),
                    LedgerOp::Settle { rows, .. } => rows
                        .iter()
                        .filter_map(|(_, settlement)| match settlement {
                            Settlement::Done { lines, .. } | Settlement::Stepped { lines, .. } => *lines,
                            Settlement::Dead(_)
                            | Settlement::Held(_)
                            | Settlement::Retry { .. }
                            | Settlement::Unknown { .. } => None,
                        })
                        .collect(),
                    _ => Vec::new(),
                }
            }))
        };
        let mut blobs = blobs;
        let wanted = ops.len();
        if let Some(target) = self.target.as_mut().filter(|_| !stages) {
            let follows = target.follows(self.store.reader(), &ops, &mut self.payloads)?;
            let saved = follows.iter().flat_map(|op| match op {
                LedgerOp::Save { rows } => rows.iter().map(|(_, body)| *body).collect(),
                LedgerOp::StorePush { push, .. } => vec![push.content],
                _ => Vec::new(),
            });
            self.payloads.pick_into(&mut blobs, saved);
            ops.extend(follows);
        }
        let mut replies = self.store.apply(ops, blobs).await?;
        // The flow hears what it asked for.
        replies.truncate(wanted);
        for reply in &replies {
            if let LedgerReply::RunBegun { run, .. } = reply {
                self.around.record("run", run.0);
                tracing::Span::current().record("run", run.0);
                self.progress.begun(*run);
            }
        }
        if stages {
            self.staged.clear();
        }
        for reply in &replies {
            if let (LedgerReply::Unknowns { records, .. }, Some(target)) = (reply, &mut self.target) {
                // Nothing of what was evaluated before a question is claimed after it.
                self.payloads.clear();
                target.keep_asked(records.iter().map(|unknown| unknown.record));
            }
        }
        if picks {
            self.payloads.clear();
            if let Some(target) = &mut self.target {
                target.next_page();
            }
        }
        Ok(Event::Ledger(replies))
    }
}
