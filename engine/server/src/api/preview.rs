//! `/preview` and `dry-run`: what would be sent, and nothing is.
//!
//! A preview evaluates a row that the caller gives: no ledger, no network. A dry run reads the source within the limits
//! of the service, on a copy of the ledger.

use std::collections::BTreeMap;
use std::sync::Arc;

use app::preview::{Given, Made, Outcome, Shown, of_row};
use app::service::dry::{DryRun, MOST_RECORDS, MOST_TIME};
use app::{Preview, Problem as RunProblem, RunReport, TraceLine};
use axum::http::Method;
use dsl::catalogue::{Entry, reading, target};
use dsl::diagnostic::{Diagnostic, SourceFile};
use dsl::facts::Action;
use dsl::path::Path;
use dsl::{Lang, Value};
use flow::ids::Ms;
use flow::op::Reason;
use flow::window::Interval;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::schemes::{current, docs, id_of, sees_all};
use crate::access::Scope;
use crate::call::Call;
use crate::document::{Raw, ReasonDoc, raw, raw_value};
use crate::operation::{Json, MaybeJson, Operation};
use crate::problem::{DiagnosticDoc, Problem};
use crate::router::too_many;
use crate::time;

/// Records of a dry run unless asked otherwise.
const USUAL: u64 = 20;
/// Places that a preview can be narrowed to: a form shows no more.
const MOST_FIELDS: usize = 200;
/// How far ahead of the clock an instant of a dry run may lie, in milliseconds: a year, so that its end can be rehearsed.
/// Every day between is a call to the source.
const MOST_AHEAD: Ms = 366 * DAY;
/// A day in milliseconds.
const DAY: Ms = 86_400_000;
/// Bytes of documents and bodies in one answer; calls beyond are counted.
const MOST_BYTES: usize = 8 << 20;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::POST,
            "/preview",
            "previewRow",
            "What a scheme, or a text that is none yet, makes of a row",
            preview,
        )
        .needs(Scope::Read)
        .by_scheme()
        .computing(),
        Operation::new(
            Method::POST,
            "/schemes/{scheme}/actions/dry-run",
            "dryRunScheme",
            "Reads the source and shows what would be sent; writes nothing",
            dry_run,
        )
        .needs(Scope::Operate)
        .by_scheme()
        .computing(),
    ]
}

/// A row, and the scheme to be tried on it. Either `text` or `scheme`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PreviewWanted)]
struct Wanted {
    /// The text of a scheme.
    text: Option<String>,
    /// The id of one.
    scheme: Option<String>,
    /// The row as the source gives it.
    #[schema(value_type = serde_json::Value)]
    row: Raw,
    /// Rows of other schemes, by scheme: what look-ups find.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Vec<serde_json::Value>>)]
    lookups: BTreeMap<String, Vec<Raw>>,
    /// What would be done; `create` or, where the row says so, `void` unless given.
    action: Option<ActionWord>,
    /// Places of the document that are to be shown, `FEntity.FQty`; all of it unless given.
    #[serde(default)]
    #[schema(max_items = 200)]
    fields: Vec<String>,
    /// The instant of the run; now unless given.
    #[schema(format = DateTime)]
    now: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WriteAction)]
enum ActionWord {
    Create,
    Update,
    Void,
}

/// What a scheme makes of a row.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Preview)]
struct PreviewDoc {
    /// Whether the text could run; the row is evaluated only then.
    ok: bool,
    /// Every problem of the text.
    diagnostics: Vec<DiagnosticDoc>,
    /// The records of the row, the first hundred.
    records: Vec<MadeDoc>,
    /// How many there are.
    total: u64,
}

/// A record of the row.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreviewRecord)]
struct MadeDoc {
    /// Its key: one text per field.
    #[schema(value_type = Option<Vec<String>>)]
    key: Option<Raw>,
    /// What people call it.
    label: String,
    /// `create`, `update` or `void`.
    action: String,
    /// `document`, `waits` (for a row of another scheme), `dropped` or `failed`.
    outcome: String,
    /// The document; of a scheme without a target, the row as it is stored. Sensitive values are masked.
    #[schema(value_type = serde_json::Value)]
    payload: Option<Raw>,
    /// Why there is none.
    reason: Option<ReasonDoc>,
    /// The field that failed.
    field: Option<String>,
    /// Where each field comes from.
    trace: Vec<TraceDoc>,
}

/// Where one field of a document comes from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TraceLine)]
struct TraceDoc {
    field: String,
    /// What the scheme says.
    expr: String,
    /// What came out; sensitive values are masked.
    #[schema(value_type = serde_json::Value)]
    value: Option<Raw>,
    /// Whether it is left out of the document.
    omitted: bool,
    /// How many rows a look-up found.
    matches: Option<u64>,
}

impl From<&TraceLine> for TraceDoc {
    fn from(line: &TraceLine) -> Self {
        TraceDoc {
            field: line.field.clone(),
            expr: line.expression.clone(),
            value: line.value.as_ref().and_then(raw_value),
            omitted: line.value.is_none(),
            matches: line.matches.map(count),
        }
    }
}

impl MadeDoc {
    fn of(made: &Made, lang: Lang) -> Self {
        let told = |entry: &Entry, what: String| ReasonDoc::of(Some(&Reason::new(entry.code, what)), lang);
        let (outcome, payload, reason, field) = match &made.outcome {
            Outcome::Document(value) => ("document", raw_value(value), None, None),
            Outcome::Waits { scheme, keys } => {
                let what = format!("{scheme}: {}", keys.join("/"));
                ("waits", None, told(&target::DEFERRED, what), None)
            }
            Outcome::Dropped(why) => ("dropped", None, told(&reading::FILTERED, (*why).to_owned()), None),
            Outcome::Failed(failure) => {
                let reason = ReasonDoc {
                    code: failure.code().to_owned(),
                    message: failure.message(lang),
                };
                ("failed", None, Some(reason), failure.field.clone())
            }
        };
        MadeDoc {
            key: made.key.as_deref().and_then(|key| raw(key.as_bytes())),
            label: made.label.clone(),
            action: made.action.name().to_owned(),
            outcome: outcome.to_owned(),
            payload,
            reason,
            field,
            trace: made.trace.iter().map(TraceDoc::from).collect(),
        }
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn value_of(name: &str, raw: &Raw) -> Result<Value, Problem> {
    dsl::json::parse(raw.get().as_bytes()).map_err(|_| Problem::malformed(name))
}

fn given(call: &Call, wanted: &Wanted) -> Result<Given, Problem> {
    if wanted.fields.len() > MOST_FIELDS {
        return Err(Problem::malformed(format!("fields: 0-{MOST_FIELDS}")));
    }
    let path = |text: &String| {
        Path::parse(text).map_err(|_| Problem::malformed(format!("fields: {}", text.escape_debug())))
    };
    let mut lookups = Vec::with_capacity(wanted.lookups.len());
    for (scheme, rows) in &wanted.lookups {
        let rows: Result<Vec<Value>, Problem> = rows.iter().map(|row| value_of("lookups", row)).collect();
        lookups.push((scheme.clone(), rows?));
    }
    Ok(Given {
        row: value_of("row", &wanted.row)?,
        bytes: wanted.row.get().len(),
        lookups,
        action: wanted.action.map(|word| match word {
            ActionWord::Create => Action::Create,
            ActionWord::Update => Action::Update,
            ActionWord::Void => Action::Void,
        }),
        fields: wanted.fields.iter().map(path).collect::<Result<_, _>>()?,
        now: match &wanted.now {
            None => call.now,
            Some(text) => time::read("now", text)?,
        },
    })
}

/// The text that is tried, and the file in whose place it is.
async fn text_of(call: &Call, wanted: &Wanted) -> Result<(std::path::PathBuf, String), Problem> {
    match (&wanted.text, &wanted.scheme) {
        (None, Some(id)) => {
            let path = call.scheme_called(id.clone()).await?.member.path.clone();
            let text = current(&path)?;
            Ok((path, text))
        }
        (Some(text), None) => {
            sees_all(call)?;
            let service = call.state.service();
            // It takes the place of the scheme that it says it is; what cannot be read is told by the check.
            let id = id_of(text).unwrap_or_else(|_| "preview".to_owned());
            let path = match service.loaded().fleet.get(&id) {
                Some(member) => member.path.clone(),
                None => service.folder().join(format!("{id}.yaml")),
            };
            Ok((path, text.clone()))
        }
        _ => Err(Problem::malformed("text | scheme")),
    }
}

async fn preview(call: Call, (): (), Json(wanted): Json<Wanted>) -> Result<Json<PreviewDoc>, Problem> {
    let given = given(&call, &wanted)?;
    let (path, text) = text_of(&call, &wanted).await?;
    let place = place(call.state.previews(), "previews")?;
    let workspace = Arc::clone(&call.state.service().loaded().engine.workspace);
    let (shown, diagnostics) = call
        .think(move || {
            // Also when nobody waits any more: the thread is busy until it is done.
            let _place = place;
            let (plan, diagnostics) = workspace.check(&SourceFile::new(path.display().to_string(), text));
            let shown = plan.map(|plan| of_row(&plan, &given)).transpose()?;
            Ok((shown, diagnostics))
        })
        .await?;
    Ok(Json(match shown {
        Some(shown) => evaluated(&shown, &diagnostics, call.lang),
        None => not_evaluated(&diagnostics, call.lang),
    }))
}

fn not_evaluated(diagnostics: &[Diagnostic], lang: Lang) -> PreviewDoc {
    PreviewDoc {
        ok: false,
        diagnostics: docs(diagnostics, lang),
        records: Vec::new(),
        total: 0,
    }
}

fn evaluated(shown: &Shown, diagnostics: &[Diagnostic], lang: Lang) -> PreviewDoc {
    PreviewDoc {
        ok: true,
        diagnostics: docs(diagnostics, lang),
        records: shown.records.iter().map(|made| MadeDoc::of(made, lang)).collect(),
        total: count(shown.all),
    }
}

/// A place among those there are, or an answer that says to come again.
pub(super) fn place(
    places: &Arc<Semaphore>,
    what: &str,
) -> Result<tokio::sync::OwnedSemaphorePermit, Problem> {
    let free = Arc::clone(places).try_acquire_owned();
    free.map_err(|_| too_many(what, std::time::Duration::from_secs(2)))
}

/// How a scheme is rehearsed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DryRunWanted)]
struct Rehearsal {
    /// At most so many records; 20 unless given.
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<u64>,
    /// Bounds in place of what is due.
    window: Option<Bounds>,
    /// The instant of the run; now unless given, and at most 366 days ahead of it.
    #[schema(format = DateTime)]
    now: Option<String>,
}

/// A stretch of time, half open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Bounds)]
pub(super) struct Bounds {
    /// Its first instant.
    #[schema(format = DateTime)]
    from: String,
    /// The instant behind its last.
    #[schema(format = DateTime)]
    to: String,
}

impl Bounds {
    fn interval(&self) -> Result<Interval, Problem> {
        Self::of(&self.from, &self.to)
    }

    pub(super) fn of(from: &str, to: &str) -> Result<Interval, Problem> {
        let (from, to) = (time::read("from", from)?, time::read("to", to)?);
        Interval::new(from, to).ok_or_else(|| Problem::malformed("from < to"))
    }
}

/// What would have been sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DryRun)]
struct DryRunDoc {
    scheme: String,
    /// Revision of its file.
    revision: String,
    /// The instant of the run.
    #[schema(format = DateTime)]
    instant: String,
    /// `ok`, `partial`, `failed` or `canceled`: its time was over.
    status: String,
    fetched: u64,
    would_write: u64,
    would_skip: u64,
    /// Records that could not be made.
    errors: u64,
    /// The calls, in order.
    calls: Vec<CallDoc>,
    /// How many more there are, left out of this answer.
    calls_left: u64,
    /// Records that did not end well, by code.
    problems: Vec<RunProblemDoc>,
    /// Why windows were left unread.
    left: Option<ReasonDoc>,
}

/// A call that was not sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DryCall)]
struct CallDoc {
    /// `create`, `update` or `void`.
    action: String,
    operation: String,
    /// Kind of document at the target.
    target: String,
    method: String,
    /// Without secrets.
    url: String,
    /// As it would go out; secrets are masked.
    body: String,
    records: Vec<DryRecord>,
}

/// A record of such a call.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DryRecord)]
struct DryRecord {
    #[schema(value_type = Vec<String>)]
    key: Option<Raw>,
    label: String,
    /// Its document; sensitive values are masked.
    #[schema(value_type = serde_json::Value)]
    payload: Option<Raw>,
    trace: Vec<TraceDoc>,
}

/// Records that share a code.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunProblem)]
struct RunProblemDoc {
    state: String,
    reason: ReasonDoc,
    count: u64,
    /// A few of them.
    examples: Vec<String>,
}

impl CallDoc {
    fn of(call: &Preview) -> Self {
        let records = call.rows.iter().map(|row| DryRecord {
            key: raw(row.key.as_bytes()),
            label: row.label.clone(),
            payload: raw_value(&row.payload),
            trace: row.trace.iter().map(TraceDoc::from).collect(),
        });
        CallDoc {
            action: call.action.to_owned(),
            operation: call.operation.clone(),
            target: call.target.clone(),
            method: call.method.clone(),
            url: call.url.clone(),
            body: call.body.clone(),
            records: records.collect(),
        }
    }

    fn bytes(&self) -> usize {
        let payload = |record: &DryRecord| record.payload.as_ref().map_or(0, |raw| raw.get().len());
        // A trace says the same once more.
        self.body.len()
            + self
                .records
                .iter()
                .map(|record| 2 * payload(record))
                .sum::<usize>()
    }
}

impl RunProblemDoc {
    fn of(problem: &RunProblem, lang: Lang) -> Self {
        let reason = Reason::new(problem.code.clone(), problem.text.clone());
        RunProblemDoc {
            state: problem.state.clone(),
            reason: ReasonDoc {
                code: problem.code.clone(),
                message: app::sentence_of(&reason, lang),
            },
            count: problem.count,
            examples: problem.examples.clone(),
        }
    }
}

impl DryRunDoc {
    fn of(report: &RunReport, lang: Lang) -> Self {
        let counts = &report.summary.counts;
        let (mut calls, mut bytes) = (Vec::new(), 0);
        for preview in &report.previews {
            let call = CallDoc::of(preview);
            bytes += call.bytes();
            if bytes > MOST_BYTES && !calls.is_empty() {
                break;
            }
            calls.push(call);
        }
        DryRunDoc {
            scheme: report.scheme.clone(),
            revision: report.revision.clone(),
            instant: time::text(report.instant),
            status: report.summary.status.word().to_owned(),
            fetched: counts.fetched,
            would_write: report
                .previews
                .iter()
                .map(|preview| count(preview.rows.len()))
                .sum(),
            would_skip: counts.skipped,
            errors: counts.dead + counts.held,
            calls_left: count(report.previews.len() - calls.len()),
            calls,
            problems: report
                .problems
                .iter()
                .map(|one| RunProblemDoc::of(one, lang))
                .collect(),
            left: ReasonDoc::of(report.left.as_ref(), lang),
        }
    }
}

async fn dry_run(
    call: Call,
    (): (),
    MaybeJson(wanted): MaybeJson<Rehearsal>,
) -> Result<Json<DryRunDoc>, Problem> {
    let wanted = wanted.unwrap_or_default();
    let limit = wanted.limit.unwrap_or(USUAL);
    if !(1..=MOST_RECORDS).contains(&limit) {
        return Err(Problem::malformed(format!("limit: 1-{MOST_RECORDS}")));
    }
    let now = wanted.now.as_deref().map(|text| time::read("now", text));
    let now = now.transpose()?;
    if now.is_some_and(|now| now > call.now + MOST_AHEAD) {
        return Err(Problem::malformed(format!(
            "now: at most {} days ahead",
            MOST_AHEAD / DAY
        )));
    }
    let wanted = DryRun {
        limit,
        window: wanted.window.as_ref().map(Bounds::interval).transpose()?,
        now,
        time: MOST_TIME,
    };
    let status = call.scheme().await?;
    let free = Arc::clone(call.state.dry_runs()).try_acquire_owned();
    let place = free.map_err(|_| too_many("dry runs", MOST_TIME))?;
    let service = call.state.service();
    // Dropped with this request, when its client hangs up.
    let asker = service.asker();
    let report = service.dry_run(&status.id, wanted, &asker, place).await?;
    Ok(Json(DryRunDoc::of(&report, call.lang)))
}
