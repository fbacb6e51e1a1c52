//! What the engine executes: a checked scheme.
//!
//! A plan holds everything a run needs besides data, time and the ledger. Rows become records in
//! [`SourcePlan::ingest`], records become payloads in [`TargetPlan::build`]; both are pure.

use std::ops::Range;
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::aggregate::AggregatePlan;
use crate::cond::Cond;
use crate::cron::{Cron, Hours};
use crate::facts::{Action, OwnOperation, Proof, Text2};
use crate::lines::{KeyedList, LineIds};
use crate::lookup::{FieldTable, LookupWant};
use crate::path::{Path, Segment};
use crate::tree::{Tree, from_segments, overlap};
use crate::value::Value;

pub use crate::each::{MOST_LINES, StepEach, StepLine, keyed_otherwise, step_of};
pub use crate::ingest::{IngestCx, Ingested, Proposal, PushFacts};
pub use crate::target::{Build, Built, RecordCx, StepDone};

/// A scheme that passed every check.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The scheme's id.
    pub scheme: String,
    /// What people call it.
    pub name: Text2,
    /// The name by which old look-ups know it.
    pub uuid: Option<String>,
    /// Other names its look-ups use, and the schemes they stand for.
    pub aliases: Vec<(String, String)>,
    /// Whether `serve` runs it.
    pub enabled: bool,
    /// The zone of its times.
    pub zone: TimeZone,
    /// Twelve hexadecimal digits of the file's hash.
    pub revision: String,
    /// Where rows come from.
    pub source: SourcePlan,
    /// Where documents go; `None` for `target: none`.
    pub target: Option<TargetPlan>,
    /// When it runs.
    pub schedule: Option<Schedule>,
    /// Who goes first when several are due: 1 to 9, the greater.
    pub priority: u8,
    /// What stops its scheduled runs.
    pub brakes: Brakes,
    /// How often and after what pauses something is tried again.
    pub retry: RetryPlan,
    /// What others may read of its rows.
    pub publish: Option<PublishPlan>,
    /// Another scheme carries the same documents the other way.
    pub two_way: Option<TwoWayPlan>,
    /// Its own tests.
    pub tests: Vec<TestCase>,
    /// Its own tests that replay a whole run.
    pub recordings: Vec<RecordingTest>,
    /// How long rows and payloads are kept after they are done, in milliseconds.
    pub retention_ms: Option<i64>,
    /// The schemes and fields its look-ups use: what the ledger must keep findable.
    pub looks_up: Vec<(String, Vec<Path>)>,
    /// The field mappings it reads, by the name of the table.
    pub field_tables: Vec<(String, FieldTable)>,
    /// The fields of its rows, as far as the files know them; `None` when nobody knows.
    pub columns: Option<Vec<String>>,
}

/// Where rows come from, and how they become records.
#[derive(Debug, Clone)]
pub struct SourcePlan {
    /// The scheme that gives the rows, in place of a system. Nobody is called then; the connection is the target's, or
    /// that of the scheme that gives.
    pub from_scheme: Option<String>,
    /// That scheme gives nothing by its own word: the rows that it stores are taken.
    pub from_stored: bool,
    /// The places of the rows that people do not see because they do not in the scheme that gives them.
    pub hidden: Vec<Path>,
    /// Entry of connections.yaml.
    pub connection: String,
    /// The operation's own name.
    pub operation: String,
    /// What the scheme says of it itself.
    pub own_operation: Option<OwnOperation>,
    /// Options of a call, with their types.
    pub options: Tree,
    /// The merged request; `None` when neither side has one. Proposals are taken out of it.
    pub request: Option<Tree>,
    /// Name in the row, field asked for.
    pub fields: Option<Vec<(String, String)>>,
    /// What is asked of the source.
    pub filter: Option<SourceFilter>,
    /// Which times are read.
    pub window: WindowPlan,
    /// The second, wider pass.
    pub sweep: Option<SweepPlan>,
    /// A further call about every row.
    pub detail: Option<DetailPlan>,
    /// What the other system sends by itself.
    pub receive: Option<ReceivePlan>,
    /// The scheme's own limits where it reads.
    pub limits: OwnLimits,
    /// Rows a page, where the scheme says so.
    pub page_size: Option<u32>,
    /// Number of the first page, where the scheme says so.
    pub first_page: Option<i64>,
    /// Places that hold lists, in whatever form a row came.
    pub lists: Vec<Path>,
    /// Lists that the scheme goes through line by line.
    pub each: Vec<Path>,
    /// Lists that become rows.
    pub explode: Vec<Path>,
    /// New fields, in order.
    pub derive: Vec<(Path, Tree)>,
    /// What is kept after reading.
    pub keep: Option<Cond>,
    /// Whether a condition on a line drops the record instead of the line.
    pub keep_drops_record: bool,
    /// Identity of a row.
    pub key: Vec<Path>,
    /// What people see; the key when absent.
    pub label: Option<Path>,
    /// When a row means "cancelled".
    pub void: Option<VoidRule>,
    /// The fields whose change makes a new version, where the scheme names them.
    pub version: Option<Vec<Path>>,
    /// The field that grows with every change: a row with a smaller value never replaces one with a greater one.
    pub newest_by: Option<Path>,
    /// What happens to a row that was seen before; `None` leaves it to what the target can.
    pub on_seen: Option<OnSeen>,
    /// What the target reads of a row: the default of `version`. Empty for `target: none`, where all counts.
    pub reads: Vec<Path>,
    /// Old ways: missing is empty text, values are texts, exploded fields have names with `_` too.
    pub compat_qeasy: bool,
    /// The zone of times in rows.
    pub zone: TimeZone,
}

/// A further call about every row of a page, whose answer is put into the row.
#[derive(Debug, Clone)]
pub struct DetailPlan {
    /// The operation's own name.
    pub operation: String,
    /// Its options, over the fields of the row.
    pub options: Tree,
    /// The merged request, over the fields of the row; `None` when neither side has one.
    pub request: Option<Tree>,
    /// Where its answer is put.
    pub into: Path,
    /// Whether the answer is one row and not a list.
    pub one: bool,
}

/// What the other system sends by itself, through an operation of kind `receive`.
#[derive(Debug, Clone)]
pub struct ReceivePlan {
    /// The operation's own name.
    pub operation: String,
    /// Whether all rows come this way: nothing is asked for.
    pub only: bool,
    /// Which pushes the scheme takes: options of the operation, all of them constants.
    pub options: Tree,
    /// The headers of a push that the scheme reads, in small letters.
    pub headers: Vec<String>,
}

/// What of a scheme's rows others may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishPlan {
    /// Name in the answer, field of the row.
    pub fields: Vec<(String, Path)>,
    /// The names among them that a reader may filter by.
    pub filter: Vec<String>,
    /// Rows a page when a reader says nothing.
    pub page: u32,
    /// So many calls of one token
    pub calls: u32,
    /// in so many milliseconds.
    pub per_ms: i64,
}

/// Another scheme carries the same documents the other way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwoWayPlan {
    /// That scheme.
    pub with: String,
    /// Word for what happens where both sides were changed.
    pub conflict: String,
    /// The field of the row that holds the id by which the other scheme writes it; `None` = its key, where that is an id.
    pub id: Option<Path>,
    /// Fields that the source fills in by itself when a document is made.
    pub filled: Vec<Path>,
    /// Fields of the row that the other scheme writes under another name, and where in its document.
    pub named: Vec<(Path, Path)>,
    /// The author says that nothing is on both sides beforehand, or that it is mapped.
    pub linked: bool,
}

/// A filter that the source applies.
#[derive(Debug, Clone)]
pub enum SourceFilter {
    /// Conditions, printed by the connector in the source's language.
    Cond(Cond),
    /// Text in the source's own language; only the window and the time stand in it.
    Text(Tree),
}

/// When a row means "cancelled".
#[derive(Debug, Clone)]
pub enum VoidRule {
    /// When a condition holds.
    When(Cond),
    /// When a field says true.
    Field(Path),
}

/// What happens to a row that was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSeen {
    /// Nothing.
    Skip,
    /// It is written again.
    Update,
    /// It is written again when its version differs.
    UpdateIfChanged,
}

/// Which times a run reads.
#[derive(Debug, Clone, Default)]
pub struct WindowPlan {
    /// Whether there is no window: everything is read each time.
    pub none: bool,
    /// Start of the very first window; `None` is the moment of enabling.
    pub first: Option<First>,
    /// How far back each window reaches.
    pub overlap_ms: i64,
    /// How far behind the source's clock an interval may be closed.
    pub settle_ms: i64,
    /// Longest slice.
    pub max_ms: i64,
    /// What happens when the author's own start lies after the last closed end.
    pub catch_up: CatchUp,
    /// How far back the source answers; `None` when nobody knows a limit.
    pub keeps_ms: Option<i64>,
    /// The source's time field.
    pub field: Option<String>,
    /// The author's own start.
    pub proposal_start: Option<Tree>,
    /// The author's own end.
    pub proposal_end: Option<Tree>,
    /// The zone in which times are printed in requests; `None` = the scheme's.
    pub zone: Option<TimeZone>,
}

/// A second, wider pass over the source.
#[derive(Debug, Clone)]
pub struct SweepPlan {
    /// When it is due; the next run after that does it.
    pub when: SweepWhen,
    /// Begin of what is read again, in milliseconds before the run.
    pub start_ago_ms: i64,
    /// Its end, likewise; smaller.
    pub end_ago_ms: i64,
    /// The request of this pass; `None` when neither side has one.
    pub request: Option<Tree>,
}

/// When a second pass is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SweepWhen {
    /// So many milliseconds after the last one.
    Every(i64),
    /// At the instants of a cron text, in this zone.
    Cron(Arc<Cron>, TimeZone),
}

/// Start of the very first window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// A point in time, in milliseconds since 1970.
    At(i64),
    /// So many milliseconds before now.
    Ago(i64),
}

/// What happens when the author's own start lies after the last closed end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CatchUp {
    /// The engine starts at the last closed end.
    #[default]
    Extend,
    /// The run fails.
    Error,
    /// The author's start is used and the gap stays.
    Ignore,
}

/// Where documents go, and how records become documents.
#[derive(Debug, Clone)]
pub struct TargetPlan {
    /// Entry of connections.yaml.
    pub connection: String,
    /// What the scheme says itself of the operation that it names.
    pub own_operation: Option<OwnOperation>,
    /// The operation that creates.
    pub create: Option<String>,
    /// The operation that updates.
    pub update: Option<String>,
    /// The operation that cancels.
    pub void: Option<String>,
    /// The options each operation declares, by operation name.
    pub declared: Vec<(String, Vec<String>)>,
    /// Options of a call, with their types.
    pub options: Tree,
    /// Values computed once per record, in order.
    pub lets: Vec<(String, Tree)>,
    /// The document of one record: the operation's request with the scheme's laid over it.
    pub request: Tree,
    /// Lists of the document whose lines have keys.
    pub keyed: Vec<KeyedList>,
    /// Whether the document says by the target's ids which of its lines are meant.
    pub reads_line_ids: bool,
    /// Fields of the document that identify it, below `key_under`.
    pub key: Vec<Path>,
    /// The part of the document in which key names are looked up.
    pub key_under: Option<Path>,
    /// Whether the target is asked by key before a first create.
    pub find_before_create: bool,
    /// Most records a call.
    pub batch: u32,
    /// What happens when an answer is lost; `None` leaves it to what the operation can.
    pub on_unknown: Option<OnUnknown>,
    /// Fields of the document, below `key_under`, by which our own is told from another one with its key.
    pub fingerprint: Vec<Path>,
    /// Whether the first refused row stops the scheme.
    pub tolerate_none: bool,
    /// Typed places of the document, by last name at any depth.
    pub types: Vec<(String, String)>,
    /// What resolves a lost answer.
    pub proof: Proof,
    /// Its documents have no name at the target by the choice of the scheme: each state is a call of its own.
    pub unnamed: bool,
    /// Places masked in logs, previews and exports.
    pub sensitive: Vec<Path>,
    /// The same of the options of its calls.
    pub sensitive_options: Vec<Path>,
    /// Fields of the row that sensitive values are made of: masked where people see the row.
    pub sensitive_source: Vec<Path>,
    /// The name of the step that writes the document, where there are steps.
    pub first_step: Option<String>,
    /// The document of a step that is made once for each line.
    pub each: Option<StepEach>,
    /// The further calls that a record may get, in order.
    pub steps: Vec<StepPlan>,
    /// Several rows become one document.
    pub aggregate: Option<AggregatePlan>,
    /// What is kept beside a record once its document is written: columns and their values.
    pub saves: Vec<(String, Tree)>,
    /// What another scheme is given once all steps are done.
    pub emit: Option<EmitPlan>,
    /// The scheme's own limits where it writes.
    pub limits: OwnLimits,
    /// Old ways: missing is empty text, values are texts.
    pub compat_qeasy: bool,
}

/// What a scheme says of how often it may call one side: below what the connection allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnLimits {
    /// Calls, and the milliseconds in which they may be made.
    pub rate: Option<(u32, i64)>,
    /// Calls at once.
    pub concurrency: Option<u32>,
    /// Calls a day, in the other system's zone.
    pub per_day: Option<u32>,
    /// Shortest interval of its schedule, in milliseconds.
    pub min_interval_ms: Option<i64>,
}

impl OwnLimits {
    /// Whether calls wait or are counted because of them.
    pub fn hold_calls(&self) -> bool {
        self.rate.is_some() || self.concurrency.is_some() || self.per_day.is_some()
    }
}

/// How often and after what pauses something is tried again that was not executed. `None` = the engine's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetryPlan {
    /// Failures in a row after which a run gives up.
    pub max: Option<u32>,
    /// The first pause, in milliseconds; it doubles.
    pub first_ms: Option<i64>,
    /// The longest, in milliseconds.
    pub longest_ms: Option<i64>,
}

/// A further call for a record whose document is there: that one is submitted, audited, and so on, or a document of the
/// step's own is written.
#[derive(Debug, Clone)]
pub struct StepPlan {
    /// Its name in the scheme.
    pub name: String,
    /// The operation.
    pub operation: String,
    /// Options of its call, with their types; only those that the operation declares.
    pub options: Tree,
    /// Only documents of rows for which this holds get it.
    pub when: Option<Cond>,
    /// Most records a call.
    pub batch: u32,
    /// What resolves a lost answer.
    pub proof: Proof,
    /// The target makes it in the call that writes the document, as far as it gets.
    pub by_itself: bool,
    /// It writes a document of its own: where, and how.
    pub document: Option<Arc<TargetPlan>>,
}

/// What another scheme is given of a record that was written.
#[derive(Debug, Clone)]
pub struct EmitPlan {
    /// The scheme that takes it.
    pub scheme: String,
    /// The row.
    pub row: Tree,
}

/// What happens when an answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnUnknown {
    /// The target is asked.
    Query,
    /// A person decides.
    Hold,
    /// It is sent again.
    Resend,
}

/// When a scheme runs. What follows from it is reckoned in [`crate::cron`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// How often.
    pub when: When,
    /// Also when a run of the scheme with this id ended well.
    pub after: Option<String>,
    /// The zone of cron texts and hours.
    pub zone: TimeZone,
    /// Hours of the day in which it may start; none = all.
    pub hours: Hours,
    /// Hours of the day in which it does not start.
    pub quiet: Hours,
    /// What becomes of missed instants, where the scheme has no window.
    pub missed: Missed,
    /// How far starts are spread, in milliseconds; `None` = what suits the rule.
    pub jitter_ms: Option<i64>,
}

/// How often a scheme runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// Every so many milliseconds.
    Every(i64),
    /// By one cron text.
    Cron(Arc<Cron>),
    /// Reading and writing by cron texts of their own.
    Both {
        /// Of reading.
        source: Arc<Cron>,
        /// Of writing.
        target: Arc<Cron>,
    },
    /// When something is pushed to it.
    OnPush,
    /// Only after another scheme.
    After,
}

/// What becomes of instants that passed while the engine was down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missed {
    /// One run makes up for all of them.
    #[default]
    Once,
    /// They are left out.
    Skip,
}

/// What stops scheduled runs whose numbers are unusual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Brakes {
    /// Most new or changed records of one run.
    pub max_records: Option<u64>,
    /// Most times the median of the last runs.
    pub max_change: Option<u64>,
    /// Most records that a scheme writes which has never written.
    pub max_first: Option<u64>,
}

/// The priority of a scheme that names none.
pub const PRIORITY: u8 = 5;

/// One of a scheme's own tests that replays what a run recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingTest {
    /// What it is about.
    pub name: String,
    /// The file as it is written: beside the scheme's own.
    pub path: String,
    /// The path's bytes in the file.
    pub path_span: Range<usize>,
    /// Its bytes in the file.
    pub span: Range<usize>,
}

/// One of a scheme's own tests.
#[derive(Debug, Clone, PartialEq)]
pub struct TestCase {
    /// What it is about.
    pub name: String,
    /// The rows as the source gives them; one, unless the test says `rows`.
    pub rows: Vec<Value>,
    /// Rows of other schemes, by scheme id.
    pub lookups: Vec<(String, Vec<Value>)>,
    /// What the target calls the lines that it has.
    pub line_ids: LineIds,
    /// The action; `create` when nothing is said.
    pub action: Option<Action>,
    /// The document; a list of them where there may be several. In the place of a document, what else becomes of a
    /// record: see [`crate::testing::Fate`].
    pub expect: Value,
    /// The documents of steps, by their names.
    pub steps: Vec<(String, Value)>,
    /// What is kept once it is written.
    pub saved: Option<Value>,
    /// What another scheme is given.
    pub emitted: Option<Value>,
    /// Its bytes in the file.
    pub span: Range<usize>,
}

impl SourcePlan {
    /// What to call where its rows come from: the scheme, or the connection.
    pub fn named(&self) -> &str {
        self.from_scheme.as_deref().unwrap_or(&self.connection)
    }

    /// The scheme whose stored rows are taken.
    pub fn takes_stored(&self) -> Option<&str> {
        self.from_scheme.as_deref().filter(|_| self.from_stored)
    }

    /// What is hidden in the rows of this scheme, where these places are in those that it is given: a list that becomes
    /// rows has its fields one level up, and what is derived of a hidden field is hidden.
    pub fn inherited(&self, hidden: &[Path]) -> Vec<Path> {
        let mut all = hidden.to_vec();
        for list in &self.explode {
            let lines: Vec<Path> = all
                .iter()
                .filter_map(|place| place.below(list))
                .filter_map(|below| match below.segments().split_first() {
                    Some((Segment::All, rest)) => Some(from_segments(rest)),
                    _ => None,
                })
                .collect();
            all.extend(lines.iter().map(|below| list.join(below)));
            if self.compat_qeasy {
                let prefix = list.to_string().replace('.', "_");
                let flat = lines.iter().map(|below| format!("{prefix}_{below}"));
                all.extend(flat.filter_map(|name| Path::parse(&name).ok()));
            }
        }
        for (path, tree) in &self.derive {
            let reads = tree.reads();
            if all
                .iter()
                .any(|place| reads.iter().any(|read| overlap(place, read)))
            {
                all.push(path.clone());
            }
        }
        all.retain(|place| !place.segments().is_empty());
        all
    }
}

impl StepPlan {
    /// The list for each line of which it is made.
    pub fn each(&self) -> Option<&StepEach> {
        self.document.as_ref()?.each.as_ref()
    }
}

impl TargetPlan {
    /// The operation that performs an action.
    pub fn operation(&self, action: Action) -> Option<&str> {
        match action {
            Action::Create => self.create.as_deref(),
            Action::Update => self.update.as_deref(),
            Action::Void => self.void.as_deref(),
            Action::Step => None,
        }
    }

    /// This document, and those of its steps.
    pub fn documents(&self) -> impl Iterator<Item = &TargetPlan> {
        let further = self.steps.iter().filter_map(|step| step.document.as_deref());
        std::iter::once(self).chain(further)
    }

    /// The connections that it writes to, each once; its own first.
    pub fn connections(&self) -> Vec<&String> {
        let mut names: Vec<&String> = Vec::new();
        for document in self.documents() {
            if !names.contains(&&document.connection) {
                names.push(&document.connection);
            }
        }
        names
    }

    /// The actions it can perform.
    pub fn actions(&self) -> Vec<Action> {
        [Action::Create, Action::Update, Action::Void]
            .into_iter()
            .filter(|action| self.operation(*action).is_some())
            .collect()
    }
}

/// What a record waits for.
pub type Defer = LookupWant;
