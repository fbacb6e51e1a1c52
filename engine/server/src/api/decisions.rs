//! `/records/actions/…` and `/operations`: what people decide about records while runs go on.
//!
//! Each decision names the record as it was seen; one that has changed since then is left alone, and so is one that a
//! run has in hand. The ledger decides that, in one transaction per part.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use app::operate;
use axum::http::Method;
use flow::decision::{Content, Decided, Decision, Ruling};
use flow::ids::{Ms, RecordId, RunId};
use ledger::read::{RecordFilter, RecordRow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::records::StateWord;
use crate::access::Scope;
use crate::call::Call;
use crate::operation::{Accepted, Json, Operation};
use crate::problem::Problem;
use crate::state::State;
use crate::time;

/// Records of one request; the same bound as on the command line.
const MOST: u32 = operate::MAX_RETRIED;
/// Ids in one request: more are named by a filter.
const MOST_IDS: usize = 10_000;
/// Decisions of one transaction: what waits behind it waits for milliseconds.
const PART: usize = 500;
/// Operations that are remembered.
const REMEMBERED: usize = 1_000;
/// Longest reason, in characters.
const LONGEST_REASON: usize = 1_000;

pub(super) fn operations() -> Vec<Operation> {
    let post = |path, id, summary, kind: Kind| {
        let handler = move |call, (): (), body| act(call, body, kind);
        Operation::new::<(), Json<Wanted>, Accepted<OperationDoc>, _, _>(
            Method::POST,
            path,
            id,
            summary,
            handler,
        )
        .needs(Scope::Operate)
        .by_scheme()
    };
    vec![
        post(
            "/records/actions/retry",
            "retryRecords",
            "Processes records again that failed or were held",
            Kind::Retry,
        ),
        post(
            "/records/actions/skip",
            "skipRecords",
            "Leaves the current version of records unwritten",
            Kind::Skip,
        ),
        post(
            "/records/actions/hold",
            "holdRecords",
            "Does nothing with records until a person says so",
            Kind::Hold,
        ),
        post(
            "/records/actions/resolve",
            "resolveRecords",
            "Says what became of sends whose answers were lost",
            Kind::Resolve,
        ),
        Operation::new(
            Method::GET,
            "/operations/{operation}",
            "showOperation",
            "How far an operation is",
            show,
        )
        .by_scheme(),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Retry,
    Skip,
    Hold,
    Resolve,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Retry => "retry",
            Kind::Skip => "skip",
            Kind::Hold => "hold",
            Kind::Resolve => "resolve",
        }
    }
}

/// Which records, and what is decided. Either `ids` or `filter`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Decision)]
struct Wanted {
    /// Numbers of records.
    #[schema(max_items = 10000)]
    ids: Option<Vec<i64>>,
    /// All records that it means.
    filter: Option<Filter>,
    /// What was seen of records in `ids`, by number: a record that is not so any more stays as it is and is told as
    /// `changed`. `resolve` wants it of every record: what was found at the target is never said of a later send.
    #[schema(value_type = Option<HashMap<String, Seen>>)]
    seen: Option<BTreeMap<i64, Seen>>,
    /// Why; it is noted.
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
    /// Only says what would be done.
    #[serde(default)]
    dry_run: bool,
    /// For `retry`: send the stored documents as they are, instead of what the scheme makes of the rows today.
    #[serde(default)]
    as_stored: bool,
    /// For `resolve`: the document is at the target, under this id. For one record.
    done_as: Option<Document>,
    /// For `resolve`: you have looked, and it is not there.
    #[serde(default)]
    not_there: bool,
}

/// A record as the person saw it, in the words of the record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RecordSeen)]
struct Seen {
    state: StateWord,
    version: String,
    sends: u64,
}

impl Seen {
    fn is(&self, row: &RecordRow) -> bool {
        self.state.state() == row.state && self.version == row.version && self.sends == row.sends
    }
}

/// A document at the target.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Document {
    #[schema(min_length = 1)]
    id: String,
    number: Option<String>,
}

/// Which records; at least a scheme.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RecordFilter)]
struct Filter {
    scheme: String,
    state: Option<StateWord>,
    /// With this key, label, number or id, as people write it.
    key: Option<String>,
    /// With this code as the reason.
    error: Option<String>,
    /// Changed at or after this instant.
    #[schema(format = DateTime)]
    since: Option<String>,
    /// Read in this run.
    run: Option<i64>,
}

/// What became of decisions.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Operation)]
pub(crate) struct OperationDoc {
    /// Its number; 0 for a dry run.
    id: i64,
    /// `retry`, `skip`, `hold` or `resolve`.
    kind: String,
    /// `running`, `done` or `failed`.
    state: String,
    #[schema(format = DateTime)]
    began: String,
    /// Records that were meant.
    meant: u64,
    /// Records that were decided about, or would be.
    moved: u64,
    /// Records that were left, by why: `changed`, `unfit`, `taken`, `keyless`, `nothing_stored`.
    left: BTreeMap<String, u64>,
    /// The first of those that were left.
    examples: Vec<Left>,
    /// The code of what stopped it.
    code: Option<String>,
}

/// A record that was left as it is.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RecordLeft)]
struct Left {
    record: i64,
    state: String,
    why: String,
}

/// Examples of one operation.
const MOST_EXAMPLES: usize = 20;

/// The operations of this process.
#[derive(Debug, Default)]
pub(crate) struct Operations(Mutex<VecDeque<(OperationDoc, Option<Vec<String>>)>>);

impl Operations {
    /// Remembers one, and gives it its number.
    fn begin(&self, mut operation: OperationDoc, schemes: Option<Vec<String>>) -> OperationDoc {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        operation.id = all.back().map_or(1, |(last, _)| last.id + 1);
        all.push_back((operation.clone(), schemes));
        if all.len() > REMEMBERED {
            all.pop_front();
        }
        operation
    }

    fn put(&self, operation: &OperationDoc) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, _)) = all.iter_mut().find(|(known, _)| known.id == operation.id) {
            *known = operation.clone();
        }
    }

    /// One, for a caller who sees all schemes or is limited to the same as the one who began it.
    fn get(&self, id: i64, schemes: Option<&Vec<String>>) -> Option<OperationDoc> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, limits) = all.iter().find(|(known, _)| known.id == id)?;
        (schemes.is_none() || schemes == limits.as_ref()).then(|| known.clone())
    }
}

async fn show(call: Call, (): (), (): ()) -> Result<Json<OperationDoc>, Problem> {
    let id = call.number("operation")?;
    let found = call.state.operations().get(id, call.who.schemes.as_ref());
    found
        .map(Json)
        .ok_or_else(|| Problem::not_found(format!("operation {id}")))
}

async fn act(call: Call, Json(wanted): Json<Wanted>, kind: Kind) -> Result<Accepted<OperationDoc>, Problem> {
    let length = wanted.reason.trim().chars().count();
    if !(1..=LONGEST_REASON).contains(&length) {
        return Err(Problem::malformed(format!("reason: 1-{LONGEST_REASON}")));
    }
    seen_of_meant(&wanted, kind)?;
    let rows = meant(&call, &wanted).await?;
    if rows.is_empty() {
        return Err(Problem::not_found("record"));
    }
    let decision = decision(&wanted, kind, rows.len())?;
    let mut operation = OperationDoc {
        id: 0,
        kind: kind.word().to_owned(),
        state: "running".to_owned(),
        began: time::text(call.now),
        meant: u64::try_from(rows.len()).unwrap_or(u64::MAX),
        moved: 0,
        left: BTreeMap::new(),
        examples: Vec::new(),
        code: None,
    };
    let (rows, changed): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| {
        let seen = wanted.seen.as_ref().and_then(|seen| seen.get(&row.record.0));
        seen.is_none_or(|seen| seen.is(row))
    });
    for row in &changed {
        operation.leave(row, "changed");
    }
    let work = Work {
        state: call.state.clone(),
        decision,
        as_stored: wanted.as_stored && kind == Kind::Retry,
        who: call.who.name(),
        reason: wanted.reason.trim().to_owned(),
        now: call.now,
    };
    if wanted.dry_run {
        return Ok(Accepted(work.rehearse(operation, rows)));
    }
    let operation = call.state.operations().begin(operation, call.who.schemes.clone());
    if rows.len() <= PART {
        // Done before anybody can ask.
        return Ok(Accepted(work.carry_out(operation, rows).await));
    }
    let begun = operation.clone();
    let writing = call.state.writing().await?;
    tokio::spawn(async move {
        let _writing = writing;
        work.carry_out(operation, rows).await
    });
    Ok(Accepted(begun))
}

/// What was seen is of the records that are named. A decision about a send whose answer was lost says of every one what
/// was seen: between the look at the target and the request, the service may have sent once more.
fn seen_of_meant(wanted: &Wanted, kind: Kind) -> Result<(), Problem> {
    let ids: BTreeSet<i64> = wanted.ids.iter().flatten().copied().collect();
    let seen: BTreeSet<i64> = wanted.seen.iter().flatten().map(|(id, _)| *id).collect();
    let is_whole = kind != Kind::Resolve || wanted.filter.is_none() && ids == seen;
    if seen.is_subset(&ids) && is_whole {
        return Ok(());
    }
    Err(Problem::malformed("seen"))
}

/// What is decided; `None` = a retry of what is stored, which is looked up record by record.
fn decision(wanted: &Wanted, kind: Kind, count: usize) -> Result<Decision, Problem> {
    let is_resolved = wanted.done_as.is_some() || wanted.not_there;
    if is_resolved != (kind == Kind::Resolve) || wanted.done_as.is_some() && wanted.not_there {
        return Err(Problem::malformed("done_as, not_there"));
    }
    if wanted.as_stored && kind != Kind::Retry {
        return Err(Problem::malformed("as_stored"));
    }
    Ok(match (&wanted.done_as, kind) {
        (Some(document), _) if count > 1 || document.id.trim().is_empty() => {
            return Err(Problem::malformed("done_as"));
        }
        (Some(document), _) => Decision::DoneAs {
            id: document.id.clone(),
            number: document.number.clone(),
        },
        (None, Kind::Resolve) => Decision::NotThere,
        (None, Kind::Skip) => Decision::Skip,
        (None, Kind::Hold) => Decision::Hold,
        (None, Kind::Retry) => Decision::Retry(Content::Latest),
    })
}

/// The records that are meant, as they are now.
async fn meant(call: &Call, wanted: &Wanted) -> Result<Vec<RecordRow>, Problem> {
    let rows = match (&wanted.ids, &wanted.filter) {
        (Some(ids), None) if ids.len() <= MOST_IDS => {
            let ids = ids.clone();
            call.ask(move |reader| {
                let mut rows = Vec::with_capacity(ids.len());
                for id in ids {
                    rows.extend(reader.record_row(RecordId(id))?);
                }
                Ok(rows)
            })
            .await?
        }
        (None, Some(filter)) => {
            call.confine(Some(&filter.scheme))?;
            let since = filter.since.as_deref();
            let filter = RecordFilter {
                scheme: Some(filter.scheme.clone()),
                state: filter.state.map(StateWord::state),
                key: filter.key.clone(),
                error: filter.error.clone(),
                since: since.map(|text| time::read("since", text)).transpose()?,
                run: filter.run.map(RunId),
                documents: false,
                before: None,
                limit: MOST,
            };
            call.ask(move |reader| operate::meant(reader, &filter)).await?
        }
        _ => return Err(Problem::malformed(format!("ids (1-{MOST_IDS}) | filter"))),
    };
    match rows.iter().find(|row| !call.who.sees(&row.scheme)) {
        Some(row) => Err(Problem::not_found(format!("record {}", row.record.0))),
        None => Ok(rows),
    }
}

/// Decisions that are being carried out.
struct Work {
    state: State,
    decision: Decision,
    as_stored: bool,
    who: String,
    reason: String,
    now: Ms,
}

impl Work {
    fn rehearse(&self, mut operation: OperationDoc, rows: Vec<RecordRow>) -> OperationDoc {
        for row in &rows {
            if !self.decision.fits(row.state) {
                operation.leave(row, "unfit");
            } else if flow::ids::is_keyless(&row.key) && matches!(self.decision, Decision::Retry(_)) {
                operation.leave(row, "keyless");
            } else {
                operation.moved += 1;
            }
        }
        operation.state = "done".to_owned();
        operation
    }

    async fn carry_out(self, mut operation: OperationDoc, rows: Vec<RecordRow>) -> OperationDoc {
        for part in rows.chunks(PART) {
            match self.part(part.to_vec(), &mut operation).await {
                Ok(()) => self.state.operations().put(&operation),
                Err(error) => {
                    tracing::warn!(code = error.code(), "a decision was not carried out");
                    operation.code = Some(error.code().to_owned());
                    operation.state = "failed".to_owned();
                    break;
                }
            }
        }
        if operation.state == "running" {
            operation.state = "done".to_owned();
        }
        self.state.operations().put(&operation);
        operation
    }

    async fn part(&self, rows: Vec<RecordRow>, operation: &mut OperationDoc) -> Result<(), Problem> {
        let mut decided = Vec::with_capacity(rows.len());
        let mut kept = Vec::with_capacity(rows.len());
        let reader = self.state.reader();
        for row in rows {
            let mut decision = self.decision.clone();
            if self.as_stored {
                match operate::stored(&reader, &row)? {
                    Some(attempt) => decision = Decision::Retry(Content::AsStored(attempt)),
                    None => {
                        operation.leave(&row, "nothing_stored");
                        continue;
                    }
                }
            }
            let one = Decided {
                record: row.record,
                state: row.state,
                version: row.version.clone(),
                attempt: row.attempt,
                decision,
            };
            decided.push((row.scheme.clone(), one));
            kept.push(row);
        }
        let service = self.state.service();
        let rulings = service.decide(decided, &self.who, &self.reason, self.now).await?;
        for (row, ruling) in kept.iter().zip(rulings) {
            match ruling {
                Ruling::Moved(_) => operation.moved += 1,
                Ruling::Changed { .. } => operation.leave(row, "changed"),
                Ruling::Unfit { .. } => operation.leave(row, "unfit"),
                Ruling::Taken { .. } => operation.leave(row, "taken"),
                Ruling::Keyless => operation.leave(row, "keyless"),
                Ruling::Member { .. } => operation.leave(row, "member"),
                Ruling::NothingStored => operation.leave(row, "nothing_stored"),
            }
        }
        Ok(())
    }
}

impl OperationDoc {
    fn leave(&mut self, row: &RecordRow, why: &str) {
        *self.left.entry(why.to_owned()).or_default() += 1;
        if self.examples.len() < MOST_EXAMPLES {
            self.examples.push(Left {
                record: row.record.0,
                state: row.state.word().to_owned(),
                why: why.to_owned(),
            });
        }
    }
}
