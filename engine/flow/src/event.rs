//! What the flow asks of its shell, and what the shell reports.

use crate::brake::Brakes;
use crate::classify::{Delivery, OnUnknown, Proof, Verdict};
use crate::ids::{AttemptId, Blob, Ms, PushId, RecordId, WindowId};
use crate::op::{
    Counts, Cursor, LedgerOp, LedgerReply, Loose, NewPart, OnSeen, Reason, Refusal, RunStatus, StagedRow,
    Trigger, WriteAction, step_of,
};
use crate::retry::Retry;
use crate::version::{Version, VersionRule};
use crate::window::{Interval, Proposal, WindowRule};

/// What one run has to do: facts of the scheme and its connectors, no values.
#[derive(Debug, Clone)]
pub struct JobPlan {
    /// The scheme's id.
    pub scheme: String,
    /// Revision of its file.
    pub revision: String,
    /// Why the run was started.
    pub trigger: Trigger,
    /// The instant of the run: `$now`, and the end of its last window.
    pub instant: Ms,
    /// How the source is read.
    pub source: SourceFacts,
    /// Where records go; `None` = the scheme stores only.
    pub target: Option<TargetFacts>,
    /// At most so many records are taken from the source and written; `None` = all.
    pub limit: Option<u64>,
    /// What stops it where its numbers are unusual.
    pub brakes: Brakes,
    /// How often and after what pauses something is tried again.
    pub retry: Retry,
    /// How long the run waits at its end for records whose answer was lost.
    pub settle_wait: Ms,
    /// Which halves of the run to do.
    pub stages: Stages,
    /// Another scheme carries the same documents the other way: it reads before this one writes.
    pub partner: Option<Partner>,
    /// It reads because that one wants to write: it does not stop where much is open, or both would wait for the other
    /// to write first.
    pub for_partner: bool,
}

/// The scheme of the other direction, as far as a run must know it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Partner {
    /// How far apart readings of its source are at least: so long what it read is relied upon, and
    /// [`PARTNER_FRESH`](crate::PARTNER_FRESH) at least.
    pub least: Ms,
    /// When it read for an earlier run of this scheme.
    pub read: Option<Ms>,
}

/// Which halves of a run to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stages {
    /// Read and write.
    All,
    /// Read only.
    Fetch,
    /// Write what is stored.
    Save,
    /// Read, and ask the target about what it may have already; nothing is written.
    Ask,
}

/// How the source is read.
#[derive(Debug, Clone)]
pub struct SourceFacts {
    /// `None` = no window: everything is read each time.
    pub window: Option<WindowRule>,
    /// The author's own bounds.
    pub proposal: Proposal,
    /// Bounds given by hand for this run.
    pub manual: Option<Interval>,
    /// What a second reading of a known key does.
    pub on_seen: OnSeen,
    /// How its pages hang together.
    pub paging: Paging,
    /// How far back the source keeps its rows; `None` = for ever, as far as anybody knows.
    pub keeps: Option<Ms>,
    /// The scheme's second, wider pass, when it is due.
    pub sweep: Option<Sweep>,
    /// Read this stretch of time once more, in slices of at most the window's `max`, with a cursor of its own.
    pub replay: Option<Interval>,
    /// The source is read by the versions of its rows; it has no window then.
    pub versions: Option<VersionRule>,
    /// Whether it also sends by itself.
    pub inbox: Inbox,
}

/// What of a source comes by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Inbox {
    /// Nothing, or this run leaves it.
    #[default]
    None,
    /// Some; the rest is asked for. What was sent is taken first: what is read later is at least as new.
    Beside,
    /// Everything: there is nothing to ask for.
    Only,
}

/// How the pages of one query hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging {
    /// What can shift them.
    pub shifts: Shifts,
    /// Most rows one query gives; a window with more is read in halves.
    pub max_rows: Option<u64>,
    /// Most pages one query gives.
    pub max_pages: u32,
}

impl Default for Paging {
    fn default() -> Self {
        Paging {
            shifts: Shifts::Leaving,
            max_rows: None,
            max_pages: crate::reader::MAX_PAGES,
        }
    }
}

/// What can shift the pages of one query while they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shifts {
    /// Nothing: each page begins behind the last row of the one before, wherever that row now stands.
    Never,
    /// Rows that leave the window, or arrive in it; the others keep their order.
    Leaving,
    /// Also rows that stay in it: a change moves them, or a cursor is a place in a list that is made anew each time.
    Moving,
}

/// A second pass that is due unless its cursor has come far enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sweep {
    /// What is read again.
    pub range: Interval,
    /// Not due when the last one closed up to here.
    pub unless: Ms,
    /// The instant that made it due, where it has instants: the first one of a scheme comes with the first of them.
    pub due: Option<Ms>,
}

/// What the flow must know of a target.
#[derive(Debug, Clone)]
pub struct TargetFacts {
    /// Its name, for people.
    pub name: String,
    /// Records a call.
    pub batch: u32,
    /// What resolves a lost create.
    pub proof: Proof,
    /// The scheme's choice.
    pub on_unknown: OnUnknown,
    /// Longest time a call may take before we give up.
    pub timeout: Ms,
    /// How long after that the target may still execute it.
    pub quiet: Ms,
    /// Ask by key before every first create.
    pub find_before_create: bool,
    /// A document that is there can be changed.
    pub updates: bool,
    /// A document that was voided can be voided again, to the same effect.
    pub voids_again: bool,
    /// A lost update is asked about by the document's id before it is sent again.
    pub asks_updates: bool,
    /// A refused record stops the scheme.
    pub stop_at_first_dead: bool,
    /// How long the target remembers the key of a call, where that is its proof.
    pub remembers: Ms,
    /// The further calls that a document may get, in order.
    pub steps: Vec<StepFacts>,
    /// Several rows become one document.
    pub gathers: bool,
}

impl TargetFacts {
    /// What must be known of the call for a step, or for the document itself. `None` = the scheme has no such step now.
    pub fn at(&self, step: Option<&str>) -> Option<CallFacts> {
        match step {
            None => Some(CallFacts {
                batch: self.batch,
                proof: self.proof,
                on_unknown: self.on_unknown,
                timeout: self.timeout,
                quiet: self.quiet,
            }),
            Some(name) => self
                .steps
                .iter()
                .find(|step| step.name == step_of(name))
                .map(|step| step.call),
        }
    }

    /// Whether what a step wrote, or the document itself, can be changed.
    pub(crate) fn updates_at(&self, step: Option<&str>) -> bool {
        match step {
            None => self.updates,
            Some(name) => self
                .steps
                .iter()
                .any(|step| step.name == step_of(name) && step.updates),
        }
    }

    /// The name of the target that a call for a step goes to.
    pub fn name_of(&self, step: Option<&str>) -> &str {
        let step = step.map(step_of);
        let found = self.steps.iter().find(|known| Some(known.name.as_str()) == step);
        found
            .and_then(|step| step.target.as_deref())
            .unwrap_or(&self.name)
    }

    /// The names of all targets that are written to, each once; the scheme's own first.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = vec![self.name.clone()];
        for step in &self.steps {
            if let Some(name) = step.target.as_ref().filter(|name| !names.contains(name)) {
                names.push(name.clone());
            }
        }
        names
    }
}

/// A further call for a record whose document is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFacts {
    /// Its name in the scheme.
    pub name: String,
    /// The target to which it writes a document of its own; `None` = the scheme's.
    pub target: Option<String>,
    /// It writes a document of its own, and changes one that is there.
    pub updates: bool,
    /// How it is made.
    pub call: CallFacts,
}

/// What the flow must know of one kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallFacts {
    /// Records a call.
    pub batch: u32,
    /// What resolves a lost answer.
    pub proof: Proof,
    /// The scheme's choice.
    pub on_unknown: OnUnknown,
    /// Longest time a call may take before we give up.
    pub timeout: Ms,
    /// How long after that the target may still execute it.
    pub quiet: Ms,
}

/// Something to carry out. There is at most one outstanding action that wants an answer; [`Action::Note`] wants none.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Apply as one transaction. Answer: [`Event::Ledger`].
    Ledger(Vec<LedgerOp>),
    /// Read one page. Answer: [`Event::Page`] or [`Event::ReadFailed`]. A page of the cursor [`Cursor::Inbox`] is the
    /// oldest of what waits there; nobody is called for it, and its number says nothing.
    Fetch {
        /// The window.
        window: WindowId,
        /// Bounds in the request; `None` = the scheme has no window.
        asked: Option<Interval>,
        /// The version in the request, where the source is read by version.
        since: Option<Version>,
        /// From 1; a repeated number repeats the page.
        page: u32,
        /// Whose window it is: a sweep may ask otherwise.
        cursor: Cursor,
        /// What for.
        look: Look,
    },
    /// Make documents of rows, several of one document. Answer: [`Event::Grouped`].
    Group(Vec<Loose>),
    /// Evaluate records against the target. Answer: [`Event::Transformed`], one outcome per record in this order.
    Transform(Vec<TransformItem>),
    /// Ask the target by key. Answer: [`Event::Asked`] or [`Event::ReadFailed`].
    Ask {
        /// Why.
        purpose: Purpose,
        /// Which records.
        records: Vec<RecordId>,
    },
    /// Send one claimed call. Answer: [`Event::Answered`], or [`Event::Taken`].
    Send {
        /// The attempt the claim made.
        attempt: AttemptId,
        /// What is done.
        action: WriteAction,
        /// The rows in the order of the document list.
        rows: Vec<(RecordId, Blob)>,
    },
    /// Ask about a task until it is over, or until its time is. Its id is durable. Answer: [`Event::Answered`], as if the
    /// call itself had been answered.
    Await {
        /// The attempt whose call it is.
        attempt: AttemptId,
        /// The task's id at the target.
        task: String,
        /// Not asked about later.
        until: Ms,
        /// What is done.
        action: WriteAction,
        /// The rows in the order of the document list.
        rows: Vec<(RecordId, Blob)>,
    },
    /// Let the scheme that carries the same documents the other way read its source, and write nothing. Answer:
    /// [`Event::PartnerRead`].
    ReadPartner,
    /// Nothing before `until`. Answer: [`Event::Woke`].
    Sleep {
        /// When to go on.
        until: Ms,
        /// What is being waited for.
        why: Waiting,
    },
    /// Progress for people.
    Note(Note),
    /// The run has ended. Last action.
    Finish(Summary),
}

/// Why a page is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// For its rows.
    Rows,
    /// To see whether it is still the page that was read: its rows are not wanted.
    Again,
}

/// Why the target is asked by key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// An answer was lost.
    Resolve,
    /// `find: before_create`.
    Find,
}

/// What is being waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// The source, before a page is read again.
    Source,
    /// The target, before the next call.
    Target,
    /// The quiet period of lost answers.
    Quiet {
        /// How many records are unknown.
        unknown: u64,
    },
}

/// Progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Records an earlier process left in flight.
    Recovered(u64),
    /// A task that an earlier process left is asked about again: its id, and how many records it has.
    TaskResumed(String, u64),
    /// The author's window start was moved back to the watermark by this much.
    Extended(Ms),
    /// A slice is being read.
    Reading(Option<Interval>),
    /// What changed since this version is being read.
    ReadingSince(Version),
    /// A page was staged.
    Staged {
        /// Pages so far.
        pages: u64,
        /// Rows so far.
        rows: u64,
    },
    /// A call was settled.
    Written {
        /// Calls so far.
        calls: u64,
        /// Records settled so far.
        records: u64,
    },
    /// A page could not be read; it will be tried again.
    ReadAgain(Reason),
    /// A window could not be closed.
    WindowLeft(Reason),
    /// The source's clock and ours differ by this much (positive: the source is ahead).
    Skewed(Ms),
    /// A window without rows where such windows have about so many; it is kept and read again later.
    Suspicious {
        /// The window.
        asked: Interval,
        /// Median of windows at this hour of this weekday.
        usual: u64,
    },
    /// The source no longer keeps this stretch of time, which was never read for good.
    Lost(Interval),
    /// The second pass begins.
    Sweeping(Interval),
    /// So many pushes wait and are taken now.
    Receiving(u64),
    /// Something stops the run.
    Stopping(Reason),
}

/// One record to transform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransformItem {
    /// The record.
    pub record: RecordId,
    /// Its document at the target is known.
    pub has_target: bool,
    /// The row means "cancelled".
    pub void: bool,
}

/// What became of a transform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transformed {
    /// Ready to be claimed.
    Ready(Ready),
    /// Not to be sent.
    Refused(crate::op::Refusal),
}

/// A document ready to be claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// What is to be done.
    pub action: WriteAction,
    /// Records share a call only when their groups are equal (operation and evaluated options).
    pub group: u64,
    /// Kind of document.
    pub form: String,
    /// Natural key at the target.
    pub tkey: String,
    /// The document.
    pub payload: Blob,
    /// What it leaves in the document, where another scheme reads that.
    pub wrote: Vec<crate::op::Facet>,
    /// The step that follows once this call is accepted.
    pub next: Option<String>,
    /// The first of the steps that the target makes in the same call; `None` = it makes none. Where it wrote the document
    /// and did not get through them, it is asked how far it came, or, where it cannot be asked, this step is made.
    pub half: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The first event.
    Start,
    /// The transaction is durable.
    Ledger(Vec<LedgerReply>),
    /// A page was read and proven complete.
    Page(Page),
    /// A page, or a question, failed.
    ReadFailed(ReadFailure),
    /// The records were evaluated.
    Transformed(Vec<Transformed>),
    /// What the rows came to.
    Grouped(Grouped),
    /// The send ended, one way or another.
    Answered(Answer),
    /// The call was answered with the id of a task: the target does it later, or has done it and tells later.
    Taken {
        /// The task's id.
        task: String,
        /// How long it is asked about, from the send on.
        limit: Ms,
    },
    /// The target answered a question, one answer per record in the order asked.
    Asked(Vec<Found>),
    /// The partner has read what there is; `Some` = it has not, for this reason.
    PartnerRead(Option<Reason>),
    /// The wait is over.
    Woke,
}

/// What rows came to of which several become one document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grouped {
    /// The documents, those of one group in their order.
    pub parts: Vec<NewPart>,
    /// Rows that are in none: record, version, what becomes of it.
    pub refused: Vec<(RecordId, String, Refusal)>,
}

/// A page.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The rows in order.
    pub rows: Vec<StagedRow>,
    /// How many rows the source's page had (one may become several, or none).
    pub raw_rows: u64,
    /// Another page follows.
    pub more: bool,
    /// The source's own total, where it says one.
    pub total: Option<u64>,
    /// Hash of the rows as read.
    pub fingerprint: u64,
    /// Hash of each row as read. A second look wants none.
    pub prints: Vec<u64>,
    /// Hash of what the next page is asked with, where the source gives something for that.
    pub mark: Option<u64>,
    /// The smallest and the greatest version among its rows; `None` = it has no rows, or rows have no versions.
    pub versions: Option<(Version, Version)>,
    /// What was sent and is this page; empty for a page that was asked for.
    pub pushes: Vec<PushId>,
}

/// Why a read failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFailure {
    /// What kind of failure.
    pub kind: ReadFailureKind,
    /// How long to wait before the next try, where the vendor says so.
    pub wait: Option<Ms>,
    /// Code and the vendor's words.
    pub reason: Reason,
}

/// Kinds of failed reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFailureKind {
    /// The system could not be reached.
    Unreachable,
    /// No whole answer came back, or only a gateway's.
    Lost,
    /// Busy or throttled: try again after `wait`.
    Wait,
    /// An error answer, or one that cannot be read.
    Fault,
    /// Credentials or configuration refused: trying again is useless.
    Config,
    /// The answer was understood and cannot be used (no such row path, rows without columns): a mistake in the files.
    Unusable,
}

/// How a send ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// How far it came.
    pub delivery: Delivery,
    /// Code and words for the call as a whole.
    pub reason: Reason,
    /// How long to wait, where the vendor says so.
    pub wait: Option<Ms>,
    /// Status.
    pub http_status: Option<u16>,
    /// Start of the answer, redacted.
    pub excerpt: Option<String>,
    /// What the other system calls the call, where it says so.
    pub vendor_trace: Option<String>,
    /// One per row sent, in order. Empty when the call was not answered.
    pub rows: Vec<RowAnswer>,
}

/// What the answer says about one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowAnswer {
    /// The verdict.
    pub verdict: Verdict,
    /// Internal id at the target.
    pub id: Option<String>,
    /// Number at the target.
    pub number: Option<String>,
    /// Internal ids of its lines, for an accepted one.
    pub lines: Option<Blob>,
    /// The vendor's words about this row.
    pub reason: Reason,
}

/// What the target has under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// One document.
    One {
        /// Its internal id.
        id: String,
        /// Its number.
        number: Option<String>,
        /// The step that follows, from what the document shows and the scheme wants; `None` = everything is done.
        next: Option<String>,
    },
    /// None.
    None,
    /// Several.
    Many,
    /// One that is not as ours was sent; why, in words.
    Foreign(Reason),
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// How it ended.
    pub status: RunStatus,
    /// Sightings of this run.
    pub counts: Counts,
    /// All records of the scheme, in the order of `RecordState::ALL`.
    pub states: [u64; 7],
    /// What stopped it.
    pub stopped: Option<Stopped>,
    /// Windows that could not be closed.
    pub windows_left: u32,
    /// When the next lost answer may be asked about.
    pub next_question: Option<Ms>,
    /// Pages read.
    pub pages: u64,
    /// Calls sent.
    pub calls: u64,
    /// Records accepted by the target in this run, whichever run read them.
    pub written: u64,
}

/// What stopped a run early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// The source is unreachable or refuses us.
    Source(Reason),
    /// The target is unreachable or refuses us.
    Target(Reason),
    /// `tolerate: none` and a record was refused.
    FirstDead(Reason),
    /// A brake: what was read is pending until a person has said that it may be written.
    Braked(Reason),
    /// A person.
    Canceled,
}
