//! Ledger work as data: a list of [`LedgerOp`] is one transaction, answered op by op with [`LedgerReply`].
//!
//! The ledger applies the list atomically and in order; if any op fails, none has happened. Applying is the only way
//! a record changes its state, and only the transitions named here exist:
//!
//! ```text
//! StagePage   (none) -> pending | skipped | dead | done (target none)
//!             done, dead, skipped -> pending (new version);  pending -> pending (newer) or done (back to the settled one)
//!             sending, unknown, held keep their state; the newer version waits beside them, as it does beside a
//!             pending one that an earlier attempt may have written (it is sent again unchanged, or nobody would
//!             know which version the target has) and beside one whose document is written and has steps to come
//! Claim       pending -> sending | held (key conflict)
//! Settle      sending -> done | dead | pending | unknown | held          compare-and-set on the attempt
//!             unknown -> the same, where the attempt's task was asked on after a restart
//! BeginRun    sending -> unknown                                         whatever an earlier process left behind
//! Resolve     unknown -> done | pending | unknown (asked again later) | held | dead (a further step that was refused)
//! Refuse      pending -> dead | held | skipped | pending (deferred)      compare-and-set on the version
//! Adopt       pending -> pending (target id known now)
//! Suspect     pending -> unknown                                         so does a StagePage or Claim of a suspect
//! Identify    unknown -> unknown (key frozen) | held (key conflict)
//! Decide      pending -> skipped | held;  unknown -> held | done | pending     compare-and-set on state and version
//!             held -> pending | unknown | done | skipped;  dead -> pending | unknown | done | skipped
//! ```
//! A record that settles (`done`, `dead`, `skipped`) while a newer version waits becomes `pending` with that version in
//! the same transaction.

use crate::decision::{Decided, Ruling};
use crate::ids::{AttemptId, Blob, Ms, PushId, RecordId, RunId, WindowId};
use crate::version::VersionMarks;
use crate::window::Interval;

/// Why a run was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// By hand: `engine run`.
    Manual,
    /// By a schedule.
    Schedule,
    /// To rehearse; the ledger is a copy that is thrown away.
    DryRun,
    /// A past stretch of time is read again: `engine replay`.
    Replay,
    /// Another system sent something.
    Push,
}

impl Trigger {
    /// The word stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            Trigger::Manual => "manual",
            Trigger::Schedule => "schedule",
            Trigger::DryRun => "dry-run",
            Trigger::Replay => "replay",
            Trigger::Push => "push",
        }
    }
}

/// Which list of closed intervals a window adds to. Only the live one says what has been read for good; the others say
/// how far a second pass has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cursor {
    /// Ordinary polling.
    #[default]
    Live,
    /// The scheme's second, wider pass.
    Sweep,
    /// A replay of this stretch of time.
    Replay(Interval),
    /// What another system sent: no stretch of time, and nothing is ever closed by it.
    Inbox,
}

impl Cursor {
    /// The word stored.
    pub fn word(self) -> String {
        match self {
            Cursor::Live => "live".to_owned(),
            Cursor::Sweep => "sweep".to_owned(),
            Cursor::Replay(range) => format!("replay-{}-{}", range.from, range.to),
            Cursor::Inbox => "inbox".to_owned(),
        }
    }
}

/// The states of a record; the words are those of the command line and the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordState {
    /// Waits for its turn.
    Pending,
    /// Claimed; bytes may be on their way.
    Sending,
    /// Accepted by the target (or stored, where there is no target).
    Done,
    /// The answer was lost; the target will be asked.
    Unknown,
    /// A person must decide.
    Held,
    /// Refused for a reason that repeating will not mend.
    Dead,
    /// Not to be written: filtered, or cancelled before it was ever written.
    Skipped,
}

impl RecordState {
    /// All states, in the order they are shown.
    pub const ALL: [RecordState; 7] = [
        RecordState::Pending,
        RecordState::Sending,
        RecordState::Unknown,
        RecordState::Done,
        RecordState::Dead,
        RecordState::Held,
        RecordState::Skipped,
    ];

    /// The word stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            RecordState::Pending => "pending",
            RecordState::Sending => "sending",
            RecordState::Done => "done",
            RecordState::Unknown => "unknown",
            RecordState::Held => "held",
            RecordState::Dead => "dead",
            RecordState::Skipped => "skipped",
        }
    }

    /// The state of a stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// `pending`, `sending` and `unknown` are open: something is still to come.
    pub fn is_open(self) -> bool {
        matches!(
            self,
            RecordState::Pending | RecordState::Sending | RecordState::Unknown
        )
    }
}

/// What became of one sighting (one row of one page) when it was staged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SightingOutcome {
    /// First time this key was seen.
    New,
    /// Known key, other version: will be written again.
    Changed,
    /// Known key, same version (or `on_seen: skip`): nothing to do.
    Unchanged,
    /// A later sighting brought a newer version before this one was sent.
    Superseded,
    /// The scheme's `keep` said no.
    Filtered,
    /// Has no usable key; stored under a hash of itself and dead.
    Invalid,
}

impl SightingOutcome {
    /// All outcomes.
    pub const ALL: [SightingOutcome; 6] = [
        SightingOutcome::New,
        SightingOutcome::Changed,
        SightingOutcome::Unchanged,
        SightingOutcome::Superseded,
        SightingOutcome::Filtered,
        SightingOutcome::Invalid,
    ];

    /// The row is, or was already, one of the record's.
    pub fn is_taken(self) -> bool {
        matches!(
            self,
            SightingOutcome::New | SightingOutcome::Changed | SightingOutcome::Unchanged
        )
    }

    /// The word stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            SightingOutcome::New => "new",
            SightingOutcome::Changed => "changed",
            SightingOutcome::Unchanged => "unchanged",
            SightingOutcome::Superseded => "superseded",
            SightingOutcome::Filtered => "filtered",
            SightingOutcome::Invalid => "invalid",
        }
    }
}

/// What a second reading of a known key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSeen {
    /// Nothing, whatever changed.
    Skip,
    /// Written again, even with the same version.
    Update,
    /// Written again when the version differs.
    UpdateIfChanged,
}

/// A reason with its code, as shown to people. `text` keeps the vendor's words in full (cut at 4 KiB by the ledger).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Code of the catalogue, e.g. `E4102`.
    pub code: String,
    /// The sentence.
    pub text: String,
}

impl Reason {
    /// A reason from its parts.
    pub fn new(code: impl Into<String>, text: impl Into<String>) -> Self {
        Reason {
            code: code.into(),
            text: text.into(),
        }
    }
}

/// One row of a page, ready to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedRow {
    /// Identity within the scheme: canonical JSON list of the key's texts; for a row without a usable key a hash of the
    /// row, with `invalid` set.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// Hash of what the target reads.
    pub version: String,
    /// Where the scheme names a field that grows with every change (`newest_by`): its value. A row with a smaller one
    /// never takes the place of one with a greater one.
    pub rank: Option<i64>,
    /// The row itself, as JSON.
    pub source: Blob,
    /// `Some` = the scheme's `keep` refused it, with the reason.
    pub filtered: Option<Reason>,
    /// `Some` = no usable key, with the reason.
    pub invalid: Option<Reason>,
    /// The row means "cancelled".
    pub void: bool,
    /// It says which one was cancelled and nothing else that is taken over: what was known of that one stays its
    /// content.
    pub bare: bool,
    /// (field, value) for every field of this scheme that some scheme looks up.
    pub indexed: Vec<(String, String)>,
    /// Where another scheme carries the same documents the other way: what of the row is compared.
    pub paired: Option<Paired>,
    /// Another scheme gave it, and somebody else may have given it before.
    pub doubt: Option<SuspectKind>,
    /// The row of another scheme that it is made of.
    pub from: Option<FromRow>,
}

/// A row of another scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromRow {
    /// That scheme.
    pub scheme: String,
    /// The key of its record, as the ledger keeps it.
    pub key: String,
}

/// What of a row is compared with what was written into its document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paired {
    /// The id by which the other scheme writes the row's document; `None` = the row has none.
    pub own_id: Option<String>,
    /// The fields that the target reads.
    pub facets: Vec<Facet>,
}

/// A field of a row or of a document, and a hash of what it says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Facet {
    /// Its path in a row.
    pub field: String,
    /// [`EMPTY`] for nothing.
    pub hash: u64,
}

/// The hash of null, of an empty text and of what is not there.
pub const EMPTY: u64 = 0;

/// One row of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRow {
    /// The record.
    pub record: RecordId,
    /// The version that was transformed; another one in the ledger refuses the claim as stale.
    pub version: String,
    /// Create, update or void, or a further step.
    pub action: WriteAction,
    /// Which further call for the document; `None` = the document itself. Another one in the ledger is stale.
    pub step: Option<String>,
    /// Kind of document at the target, e.g. a Kingdee form id; empty where the target knows only one.
    pub form: String,
    /// Natural key at the target, canonical JSON list of texts; frozen from here on. Empty list text `[]` = has none.
    pub tkey: String,
    /// The document.
    pub payload: Blob,
    /// What it leaves in the document, where another scheme reads that.
    pub wrote: Vec<Facet>,
}

/// The step of a further call. One that is made for each line of a row has the identity of the line behind its name, as a
/// list: `contact/["C1"]`. To the ledger these are different steps.
pub fn step_of(call: &str) -> &str {
    call.split_once("/[").map_or(call, |(step, _)| step)
}

/// What is done to the target's document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WriteAction {
    /// A new document.
    Create,
    /// The known document is changed.
    Update,
    /// The known document is cancelled.
    Void,
    /// A further call for a document that is there.
    Step,
}

impl WriteAction {
    /// All of them.
    pub const ALL: [WriteAction; 4] = [
        WriteAction::Create,
        WriteAction::Update,
        WriteAction::Void,
        WriteAction::Step,
    ];

    /// The word stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            WriteAction::Create => "create",
            WriteAction::Update => "update",
            WriteAction::Void => "void",
            WriteAction::Step => "step",
        }
    }

    /// The action of a stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.word() == word)
    }
}

/// How one row of an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// Accepted. An id given here is kept for ever; a known id is not replaced by nothing.
    Done {
        /// Internal id at the target.
        id: Option<String>,
        /// Number at the target.
        number: Option<String>,
        /// The ids of its lines there, which replace those kept before; `None` = nothing new is known of them.
        lines: Option<Blob>,
    },
    /// Accepted, and a further call for the same document follows: pending at that step. Ids as in `Done`.
    Stepped {
        /// Internal id at the target of what this call wrote.
        id: Option<String>,
        /// Number at the target.
        number: Option<String>,
        /// As in `Done`.
        lines: Option<Blob>,
        /// The step that is next.
        next: String,
    },
    /// Refused for good.
    Dead(Reason),
    /// Proven not executed: may be sent again from `not_before` on. `spend` counts it as an attempt of the record.
    Retry {
        /// Earliest next send.
        not_before: Ms,
        /// Whether it uses up one of the record's attempts.
        spend: bool,
        /// What happened.
        reason: Reason,
    },
    /// May have been executed: the target is asked from `resolve_after` on.
    Unknown {
        /// Earliest question.
        resolve_after: Ms,
        /// What happened.
        reason: Reason,
    },
    /// A person must decide.
    Held(Reason),
}

/// What the target answered about a record whose answer was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// It is there: done.
    Done {
        /// Internal id at the target.
        id: Option<String>,
        /// Number at the target.
        number: Option<String>,
    },
    /// It is there, and a further call for the same document follows.
    Stepped {
        /// Internal id at the target.
        id: Option<String>,
        /// Number at the target.
        number: Option<String>,
        /// The step that is next.
        next: String,
    },
    /// It was refused, and the target does not show it done.
    Dead(Reason),
    /// It is not there (proven as far as the target can): send again.
    Resend,
    /// A document is there that this ledger knew nothing of, in a version nobody knows: its id is kept, and the record
    /// is pending.
    Known {
        /// Internal id at the target.
        id: String,
        /// Number at the target.
        number: Option<String>,
    },
    /// There was nothing to ask with: the record is pending, and as suspect as before.
    Unasked,
    /// Ask again at `at`; `missed` = this was a "not there".
    AskAgain {
        /// Earliest next question.
        at: Ms,
        /// Counts as a negative answer.
        missed: bool,
        /// What happened.
        reason: Reason,
    },
    /// A person must decide.
    Held(Reason),
}

/// What becomes of a pending record that is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The transform failed for a reason in the data.
    Dead(Reason),
    /// A person must decide.
    Held(Reason),
    /// Nothing to write (e.g. cancelled before it was ever written).
    Skipped(Reason),
    /// Waits for something else (a look-up that is not there yet): tried again in this run from `not_before` on, and at
    /// the start of every later one. When it began to wait is kept, and how long it was tried: see [`WAIT_GAP`].
    Later {
        /// Earliest next try.
        not_before: Ms,
        /// What it waits for.
        reason: Reason,
    },
}

/// Of the time between two tries of a waiting record, so much counts as waiting: the longest pause between two tries. A
/// machine that was off for days has not tried, and what the record waits for has had no chance to come.
pub const WAIT_GAP: Ms = 2 * 3_600_000;

/// State in which a window ended without being closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowEnd {
    /// A page failed.
    Failed,
    /// Pages shifted while they were read.
    Unstable,
    /// Left open on purpose: a limit, a stop, back-pressure.
    Left,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// Everything read is done or skipped.
    Ok,
    /// Some records are dead, held, unknown or still pending, or a window failed.
    Partial,
    /// A system is unreachable or refuses us.
    Failed,
    /// Stopped by a person.
    Canceled,
}

impl RunStatus {
    /// The word stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            RunStatus::Ok => "ok",
            RunStatus::Partial => "partial",
            RunStatus::Failed => "failed",
            RunStatus::Canceled => "canceled",
        }
    }
}

/// One piece of ledger work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerOp {
    /// Starts a run and recovers what an earlier process left: every `sending` record of the scheme becomes `unknown`
    /// with `resolve_after = max(the one stored by its claim, now)`; windows left open are marked failed (the interval
    /// was never closed, so it is read again). Records that wait for something else become due. Remembers the first start as the moment of enabling. -> `RunBegun`
    BeginRun {
        /// The scheme's id.
        scheme: String,
        /// Revision of its file.
        revision: String,
        /// Why.
        trigger: Trigger,
        /// Now.
        now: Ms,
    },
    /// T1. -> `WindowOpened`
    OpenWindow {
        /// The run.
        run: RunId,
        /// The scheme.
        scheme: String,
        /// What is asked of the source.
        asked: Interval,
        /// Where its closed interval is noted.
        cursor: Cursor,
    },
    /// T2, and with `close` T3: one page; the last page closes its interval in the same transaction. -> `Staged`
    StagePage {
        /// The run.
        run: RunId,
        /// The window.
        window: WindowId,
        /// The scheme.
        scheme: String,
        /// Page number, from 1.
        page: u32,
        /// The rows in the order of the page.
        rows: Vec<StagedRow>,
        /// Total the source claims.
        total: Option<u64>,
        /// Hash of the page's keys and versions.
        fingerprint: u64,
        /// What a second reading does.
        on_seen: OnSeen,
        /// The scheme changes documents that are written.
        updates: bool,
        /// There is no target: a stored row is done.
        store_only: bool,
        /// `Some` = this was the last page. `Some(None)` = the window ends without closing an interval (no window at
        /// the source, or nothing old enough).
        close: Option<Option<Interval>>,
        /// Now.
        now: Ms,
    },
    /// A window ends without proof; its interval stays open. -> `Ok`
    EndWindow {
        /// The window.
        window: WindowId,
        /// How.
        end: WindowEnd,
        /// Why.
        reason: Reason,
        /// Now.
        now: Ms,
    },
    /// The next records to write: pending, due, in the order of their ids, none whose target key has another record
    /// sending or unknown. -> `Picked`
    Pick {
        /// The scheme.
        scheme: String,
        /// Due at this time.
        now: Ms,
        /// Only ids after this one, so that a pass over the records ends.
        after: Option<RecordId>,
        /// At most.
        limit: u32,
    },
    /// The rows of a scheme that makes documents of several rows which are in none yet: pending, in the order of their
    /// ids. What may be in a document that the ledger has forgotten is held instead. -> `Loose`
    PickLoose {
        /// The scheme.
        scheme: String,
        /// At most.
        limit: u32,
        /// Now.
        now: Ms,
    },
    /// T3b: documents of several rows, each all or nothing: a document is a pending record of its own, and its rows are
    /// frozen with it. Compare-and-set on (pending, version, in no document) of every row, and on the last part of the
    /// group. -> `Count` of documents
    Freeze {
        /// The scheme.
        scheme: String,
        /// The documents, those of one group in their order.
        parts: Vec<NewPart>,
        /// Now.
        now: Ms,
    },
    /// Ends or postpones pending records without a send; compare-and-set on (pending, version). -> `Count` of those hit
    Refuse {
        /// Record, the version that was transformed, what becomes of it.
        rows: Vec<(RecordId, String, Refusal)>,
        /// Now.
        now: Ms,
    },
    /// Gives pending records the id of a document that was already there; compare-and-set on pending. -> `Count`
    Adopt {
        /// Record, id, number.
        rows: Vec<(RecordId, String, Option<String>)>,
        /// Now.
        now: Ms,
    },
    /// T4: claim, durable before the first byte. Rows that are stale, or whose target key another record holds, are
    /// refused and not part of the attempt (a key conflict becomes `held` naming the holder). -> `Claimed`
    Claim {
        /// The run.
        run: RunId,
        /// Name of the target (connection and operation), for people.
        target: String,
        /// The rows, one per target key.
        rows: Vec<ClaimRow>,
        /// When a lost answer may be asked about: now + time-out + quiet period.
        resolve_after: Ms,
        /// Now.
        now: Ms,
    },
    /// T5: per row of an attempt; compare-and-set on the attempt. -> `Count`
    Settle {
        /// The attempt.
        attempt: AttemptId,
        /// Word for how the send ended (`ok`, `rows`, `lost`, `not_sent`, ...).
        outcome: String,
        /// Status of the answer.
        http_status: Option<u16>,
        /// Start of the answer, redacted by the shell.
        excerpt: Option<String>,
        /// What the other system calls the call.
        vendor_trace: Option<String>,
        /// Verdict per record.
        rows: Vec<(RecordId, Settlement)>,
        /// Now.
        now: Ms,
    },
    /// The target took a call on as a task. Durable before the task is first asked about; a `Settle` of the attempt ends
    /// it. -> `Ok`
    NoteTask {
        /// The attempt.
        attempt: AttemptId,
        /// The task's id at the target.
        task: String,
        /// Which operation with which options took it on, as [`crate::Ready::group`].
        group: u64,
        /// Until when it is asked about; afterwards nothing is known of it.
        until: Ms,
    },
    /// The tasks that an earlier process left, oldest first: those that may still be asked about, none of whose records
    /// anybody has decided about meanwhile, and none of them suspect. -> `Tasks`
    PickTasks {
        /// The scheme.
        scheme: String,
        /// May be asked at this time.
        now: Ms,
    },
    /// Records whose answer was lost, oldest question first. -> `Unknowns`
    PickUnknown {
        /// The scheme.
        scheme: String,
        /// May be asked at this time.
        now: Ms,
        /// At most.
        limit: u32,
    },
    /// T6; compare-and-set on unknown. -> `Count`
    Resolve {
        /// Record and answer.
        rows: Vec<(RecordId, Resolution)>,
        /// Now.
        now: Ms,
    },
    /// What a scheme keeps beside records whose documents are written; it takes the place of what was kept before. Only
    /// of those whose call a settlement or a resolution of the same transaction, before this one, took as accepted: the
    /// ledger may decide otherwise than was asked. -> `Ok`
    Save {
        /// Record, and its columns as JSON.
        rows: Vec<(RecordId, Blob)>,
    },
    /// Ends the run and fixes its counts. A status `Ok` is stored as `Partial` when the counts show dead, held or open
    /// records. -> `RunEnded`
    EndRun {
        /// The run.
        run: RunId,
        /// How.
        status: RunStatus,
        /// Why, where it is not plain.
        reason: Option<Reason>,
        /// Now.
        now: Ms,
    },
    /// How many records of the scheme are in each state. -> `States`
    CountStates {
        /// The scheme.
        scheme: String,
    },
    /// What is remembered of a target that could not be reached or asked for a pause. -> `Circuit`
    ReadCircuit {
        /// The connection.
        target: String,
    },
    /// Remembers it, for every scheme that writes there. -> `Ok`
    SetCircuit {
        /// The connection.
        target: String,
        /// Calls in a row that did not reach it.
        failures: u32,
        /// No call before.
        until: Ms,
    },
    /// Who decided what and why, in the transaction of what was decided. -> `Ok`
    Audit {
        /// The note.
        note: AuditNote,
        /// Now.
        now: Ms,
    },
    /// Suspect mode for one scheme: pending records without a known document, and rows that come from a window before
    /// `until`, are `unknown`, so that the target is asked before the first send. Needed before the first run of each
    /// scheme of a restored ledger. -> `Count` of records that became unknown
    Suspect {
        /// The scheme.
        scheme: String,
        /// Why.
        kind: SuspectKind,
        /// Rows that the source had before this instant may have been written.
        until: Ms,
        /// Earliest question: whoever wrote them may have sent just before it went.
        ask_after: Ms,
        /// Now.
        now: Ms,
    },
    /// Freezes the keys of suspect records, so that the target can be asked about them; a key that another record holds
    /// makes its record `held`. Compare-and-set on (unknown, version). -> `Count` of those that may be asked about
    Identify {
        /// Name of the target, as in a claim.
        target: String,
        /// Their keys.
        rows: Vec<Identity>,
        /// Now.
        now: Ms,
    },
    /// A second pass begins anew: what its cursor has closed is forgotten. Refused for the live cursor. -> `Ok`
    Forget {
        /// The scheme.
        scheme: String,
        /// Which cursor.
        cursor: Cursor,
    },
    /// How far a cursor has come, and what it left behind. -> `Coverage`
    Cover {
        /// The scheme.
        scheme: String,
        /// Which cursor.
        cursor: Cursor,
        /// Suspicious windows whose re-reading is due at this time.
        now: Ms,
    },
    /// How far a source was read by version. -> `Versions`
    ReadVersions {
        /// The scheme.
        scheme: String,
        /// Whose versions.
        source: String,
    },
    /// Remembers it, in the transaction of the page that it is about. -> `Ok`
    NoteVersions {
        /// The scheme.
        scheme: String,
        /// Whose versions.
        source: String,
        /// In place of those that were there.
        marks: VersionMarks,
    },
    /// T2w: what another system sent, durable before it is answered. A push that is there already (same scheme, same id
    /// of the sender, same content) changes nothing but a count. -> `Pushed`; `Ok` where nothing is given
    StorePush {
        /// The record of another scheme that gives it: nothing is given unless the same transaction has made it done.
        giver: Option<RecordId>,
        /// Whose inbox.
        scheme: String,
        /// What came.
        push: NewPush,
        /// When it came.
        now: Ms,
    },
    /// The stored rows of another scheme are in the inbox up to here, with the pushes of the same transaction.
    /// Compare-and-set on the place; where it is another one, the whole transaction is refused. -> `Ok`
    MovePlace {
        /// Who takes them.
        scheme: String,
        /// Whose rows they are.
        giver: String,
        /// The place in the order of their changes up to which they were taken.
        from: i64,
        /// And now are.
        to: i64,
    },
    /// How much waits in the scheme's inbox, and how many stored rows of another scheme that it has not taken. -> `Waiting`
    CountPushes {
        /// The scheme.
        scheme: String,
    },
    /// These pushes are the page that is staged in the same transaction: none of them is ever read again.
    /// Compare-and-set on waiting; if one of them does not wait, the whole transaction is refused. -> `Ok`
    TakePushes {
        /// The run.
        run: RunId,
        /// The scheme.
        scheme: String,
        /// Which.
        pushes: Vec<PushId>,
        /// Now.
        now: Ms,
    },
    /// What a person decided about records, each with a note in the same transaction. Compare-and-set on state and
    /// version; what does not fit is left as it is. A record that may have been executed is `unknown` after a retry,
    /// not pending. -> `Decided`
    Decide {
        /// The decisions.
        rows: Vec<Decided>,
        /// Who decided.
        who: String,
        /// Why, in the person's words; must not be blank.
        reason: String,
        /// Now.
        now: Ms,
    },
}

/// A row that is in no document yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loose {
    /// The record.
    pub record: RecordId,
    /// Its current version.
    pub version: String,
    /// It means "cancelled".
    pub void: bool,
}

/// A document of several rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPart {
    /// Identity of its record within the scheme: no row has it.
    pub key: String,
    /// What its rows have in common.
    pub group: String,
    /// Which document of the group, from 1.
    pub part: u32,
    /// What people call it, and the target.
    pub number: String,
    /// Hash of its row.
    pub version: String,
    /// What the target sees in the place of a row.
    pub source: Blob,
    /// Its rows with the versions that it was made of.
    pub members: Vec<(RecordId, String)>,
}

/// What another system sent by itself, judged and believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPush {
    /// The sender's id of what it is about; empty = it gives none.
    pub sender: String,
    /// Hash of everything that makes it another push: its body, and what says what it means.
    pub hash: [u8; 32],
    /// It says that this was cancelled.
    pub void: bool,
    /// It says that this is new: the same again is a repetition for as long as it is known, and anything else about a
    /// thing of which something is known is not stored. Only what came behind this push counts: what it was about was
    /// cancelled then; 0 = it was not.
    pub creates: Option<PushId>,
    /// How many rows it holds.
    pub rows: u32,
    /// Its rows and what else is kept of it, as JSON.
    pub content: Blob,
    /// It is a row of another scheme, and somebody else may have taken it before.
    pub doubt: Option<SuspectKind>,
    /// Most rows that may wait in an inbox; one more push is refused above it.
    pub most_rows: u64,
    /// Most bytes that may wait in an inbox, likewise.
    pub most_bytes: u64,
}

/// What became of a push that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It waits.
    New(PushId),
    /// It was there already.
    Repeated(PushId),
    /// Too much waits: it was not stored.
    Full,
    /// It says that this is new, and something about it is known: it was not stored.
    Taken,
}

/// Why a document may be at the target that the ledger knows nothing of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SuspectKind {
    /// The ledger was restored: it may have been written since the copy was taken, in any version.
    Restored,
    /// Another tool wrote it before this engine took over; it is taken as it is.
    Adopted,
}

impl SuspectKind {
    /// The word stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            SuspectKind::Restored => "restored",
            SuspectKind::Adopted => "adopted",
        }
    }

    /// The kind of a stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        [SuspectKind::Restored, SuspectKind::Adopted]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// Where a record's document would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The record.
    pub record: RecordId,
    /// The version that was transformed.
    pub version: String,
    /// Kind of document.
    pub form: String,
    /// Natural key at the target, as in a claim.
    pub tkey: String,
}

/// A person's decision, or one that a command took for them, as it is kept for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditNote {
    /// Who: the account of the operating system or of the server.
    pub who: String,
    /// Word for what was done, e.g. `retry`, `skip`, `hold`, `resolve`, `restore`, `adopt`.
    pub action: String,
    /// The scheme it is about; `None` = the whole ledger.
    pub scheme: Option<String>,
    /// The record it is about.
    pub record: Option<RecordId>,
    /// What changed, in facts (an id, a state before and after, counts); no secrets, no rows.
    pub what: String,
    /// Why, in the person's words; must not be blank.
    pub reason: String,
}

/// A record that may be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picked {
    /// The record.
    pub record: RecordId,
    /// Its current version.
    pub version: String,
    /// It means "cancelled".
    pub void: bool,
    /// The target's id of its document is known.
    pub has_target: bool,
    /// Sends spent so far.
    pub attempts: u32,
    /// An earlier attempt may have been executed (its answer was lost and "not there" was the last word).
    pub maybe_sent: bool,
    /// The step that is next; `None` = the document itself.
    pub step: Option<String>,
    /// When this version was first sent without a known end; `None` = no send is in doubt.
    pub doubted: Option<Ms>,
}

/// A record whose answer was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The record.
    pub record: RecordId,
    /// What was tried.
    pub action: WriteAction,
    /// Kind of document.
    pub form: String,
    /// Its key at the target.
    pub tkey: String,
    /// "Not there" so far.
    pub misses: u32,
    /// First time it became unknown.
    pub since: Ms,
    /// The attempt before the last one may also have been executed.
    pub maybe_sent: bool,
    /// Its version.
    pub version: String,
    /// Nothing of it was sent that this ledger knows of, but somebody else may have.
    pub suspect: Option<SuspectKind>,
    /// Which further call it was; `None` = the document itself.
    pub step: Option<String>,
    /// A person said that what this call makes is there: whoever is asked answers with that.
    pub said: bool,
    /// When this version was first sent without a known end.
    pub doubted: Ms,
    /// Why it is unknown: code and the words stored with it.
    pub reason: Reason,
}

/// A task that an earlier process left, with the call that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskLeft {
    /// The attempt.
    pub attempt: AttemptId,
    /// The task's id at the target.
    pub task: String,
    /// As in `NoteTask`.
    pub group: u64,
    /// Until when it is asked about.
    pub until: Ms,
    /// All records of the call, in the order of its documents.
    pub rows: Vec<TaskRow>,
}

/// One record of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRow {
    /// The record.
    pub record: RecordId,
    /// The version that was sent; it is the record's current one.
    pub version: String,
    /// What was done.
    pub action: WriteAction,
    /// Which further call it was; `None` = the document itself.
    pub step: Option<String>,
    /// Kind of document.
    pub form: String,
    /// Its key at the target, as it was claimed.
    pub tkey: String,
    /// The row means "cancelled".
    pub void: bool,
    /// The target's id of its document was known.
    pub has_target: bool,
}

/// Why a row of a claim was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimRefused {
    /// Changed or taken meanwhile: it will be picked again.
    Stale,
    /// Another record of this ledger holds the target key; this one is `held` now.
    KeyTaken {
        /// Key of the record that has it.
        holder: String,
    },
}

/// Counts of a run's sightings by outcome, and of those with a record by the state of that record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All sightings.
    pub fetched: u64,
    /// New or changed ones whose record is done.
    pub done: u64,
    /// New, changed or invalid ones whose record is dead.
    pub dead: u64,
    /// ... held.
    pub held: u64,
    /// unchanged + superseded + filtered, and new or changed ones whose record is skipped.
    pub skipped: u64,
    /// ... pending.
    pub pending: u64,
    /// ... sending.
    pub sending: u64,
    /// ... unknown.
    pub unknown: u64,
    /// Of `skipped`: nothing changed.
    pub unchanged: u64,
    /// Of `skipped`: a newer sighting replaced it.
    pub superseded: u64,
    /// Of `skipped`: the scheme's filter.
    pub filtered: u64,
}

impl Counts {
    /// Pending, sending or unknown.
    pub fn open(&self) -> u64 {
        self.pending + self.sending + self.unknown
    }

    /// `fetched = done + dead + held + skipped + open`.
    pub fn add_up(&self) -> bool {
        self.fetched == self.done + self.dead + self.held + self.skipped + self.open()
    }
}

/// Answer to one [`LedgerOp`], in the same order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerReply {
    /// Nothing to say.
    Ok,
    /// How many records were changed.
    Count(u64),
    /// A run was started.
    RunBegun {
        /// Its id.
        run: RunId,
        /// When the scheme was first run here.
        enabled: Ms,
        /// What has been read for good, sorted, merged.
        closed: Vec<Interval>,
        /// How many records were found in flight and are `unknown` now.
        recovered: u64,
        /// Open records of the scheme.
        open: u64,
    },
    /// A window was opened.
    WindowOpened(WindowId),
    /// Rows that are in no document yet.
    Loose(Vec<Loose>),
    /// A page was stored.
    Staged {
        /// Sightings by outcome, in the order of [`SightingOutcome::ALL`].
        outcomes: [u64; 6],
        /// Keys of this page not yet seen in this window.
        fresh: u64,
        /// Open records of the scheme now.
        open: u64,
        /// The page ended a window without rows where windows at this hour of this weekday have so many (their median,
        /// above [`crate::window::SUSPICIOUS_ROWS`]). The window is kept and read again by later runs.
        suspicious: Option<u64>,
    },
    /// Records to write.
    Picked {
        /// In the order of their ids.
        records: Vec<Picked>,
        /// When the next pending record that is not due yet becomes due.
        next_due: Option<Ms>,
    },
    /// A claim.
    Claimed {
        /// The attempt, `None` when every row was refused.
        attempt: Option<AttemptId>,
        /// Rows left out.
        refused: Vec<(RecordId, ClaimRefused)>,
    },
    /// Tasks that an earlier process left.
    Tasks(Vec<TaskLeft>),
    /// Records whose answer was lost and who may be asked about now.
    Unknowns {
        /// Oldest question first.
        records: Vec<Unknown>,
        /// When the next one may be asked.
        next_due: Option<Ms>,
        /// How many records of the scheme are unknown in all.
        total: u64,
    },
    /// The run's counts at its end.
    RunEnded(Counts),
    /// Records by state, in the order of [`RecordState::ALL`].
    States([u64; 7]),
    /// What is remembered of a target; zeros when nothing is.
    Circuit {
        /// Calls in a row that did not reach it.
        failures: u32,
        /// No call before.
        until: Ms,
    },
    /// How far a cursor has come.
    Coverage {
        /// What it has closed, sorted, merged.
        closed: Vec<Interval>,
        /// Its newest windows that ended unstable, since the last one that closed.
        unstable: u32,
        /// Suspicious windows to be read again now, oldest first.
        kept: Vec<Interval>,
    },
    /// How far a source was read by version; `None` = it never was.
    Versions(Option<VersionMarks>),
    /// What became of a push.
    Pushed(Stored),
    /// How many pushes wait.
    Waiting(u64),
    /// What became of each decision, in their order.
    Decided(Vec<Ruling>),
}
