//! `/schemes`: the files of the folder and how they stand; changes of them, and runs by hand.
//!
//! A change names the version that was read, is checked before it is kept, and replaces the file as a whole. A text
//! with an error is refused: it would stop a scheme that runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::revisions;
use app::service::SchemeStatus;
use app::service::fleet::{OTHERS, Standing};
use app::{AppError, Workspace};
use axum::http::header::IF_MATCH;
use axum::http::{Method, StatusCode};
use dsl::catalogue::server;
use dsl::diagnostic::{Diagnostic, SourceFile};
use dsl::plan::Plan;
use dsl::{Lang, SafeName};
use flow::ids::Ms;
use flow::timetable::{self, Half, Paused};
use ledger::service::revisions::NewRevision;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use crate::access::Scope;
use crate::call::Call;
use crate::cursor;
use crate::document::{ReasonDoc, RunDoc, StatesDoc, list};
use crate::operation::{Accepted, Created, Empty, Json, MaybeJson, Operation, Query, Tagged, YamlText};
use crate::problem::{DiagnosticDoc, Problem};
use crate::time;

/// Longest reason, in characters.
const LONGEST_REASON: usize = 1_000;

pub(super) fn operations() -> Vec<Operation> {
    let scheme = "/schemes/{scheme}";
    // Not for callers who are limited to schemes: the text of a scheme names connections and looks up others, so
    // whoever writes it reaches what the limit keeps from them.
    let edit = |op: Operation| op.needs(Scope::Edit);
    let operate = |op: Operation| op.needs(Scope::Operate).by_scheme();
    vec![
        Operation::new(
            Method::GET,
            "/schemes",
            "listSchemes",
            "Schemes by id, and how they stand",
            list_all,
        )
        .by_scheme(),
        edit(Operation::new(
            Method::POST,
            "/schemes",
            "createScheme",
            "Adds a scheme",
            create,
        )),
        Operation::new(Method::GET, scheme, "showScheme", "A scheme with its text", show).by_scheme(),
        edit(Operation::new(
            Method::PUT,
            scheme,
            "replaceScheme",
            "Replaces the text of a scheme",
            replace,
        ))
        .with_match(),
        edit(Operation::new(
            Method::PATCH,
            scheme,
            "changeScheme",
            "Changes one value; comments and quoting stay",
            change,
        ))
        .with_match(),
        edit(Operation::new(
            Method::DELETE,
            scheme,
            "deleteScheme",
            "Removes a scheme file; its records stay",
            remove,
        ))
        .with_match(),
        Operation::new(
            Method::POST,
            "/schemes/{scheme}/actions/check",
            "checkScheme",
            "Every problem of a scheme, or of another text for it",
            check,
        )
        .needs(Scope::Read)
        .by_scheme()
        .computing(),
        operate(Operation::new(
            Method::POST,
            "/schemes/{scheme}/actions/run",
            "runScheme",
            "Has a scheme run as soon as it may",
            run,
        )),
        operate(Operation::new(
            Method::POST,
            "/schemes/{scheme}/actions/pause",
            "pauseScheme",
            "Starts a scheme no more; a run that goes on ends by itself",
            pause,
        )),
        operate(Operation::new(
            Method::POST,
            "/schemes/{scheme}/actions/resume",
            "resumeScheme",
            "Starts a scheme again",
            resume,
        )),
    ]
}

/// A scheme and how it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SchemeState)]
pub(crate) struct SchemeDoc {
    /// Its id; of a file that cannot be read, the name of the file.
    id: String,
    /// Its name, in the language asked for.
    name: Option<String>,
    /// Name of its file.
    file: String,
    /// `enabled`, `draft`, `paused` or `invalid`.
    state: String,
    /// Why it cannot run.
    trouble: Option<ReasonDoc>,
    /// Problems of the file.
    errors: u64,
    warnings: u64,
    /// Connection it reads from.
    source: Option<String>,
    /// Connection it writes to.
    target: Option<String>,
    paused: Option<PausedDoc>,
    running: Option<RunningDoc>,
    /// When it is due next.
    #[schema(format = DateTime)]
    next: Option<String>,
    /// Its halves that have a rule.
    schedule: Vec<ScheduleDoc>,
    /// What a run of it carries as its revision.
    hash: Option<String>,
    /// Up to where its source was read for good.
    #[schema(format = DateTime)]
    watermark: Option<String>,
    /// Stored rows of another scheme that it has not taken.
    rows_behind: Option<u64>,
    last: Option<RunDoc>,
    /// When a run of it last ended well.
    #[schema(format = DateTime)]
    last_ok: Option<String>,
    /// Its records.
    records: StatesDoc,
}

/// Why a scheme is not started.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Paused)]
pub(crate) struct PausedDoc {
    #[schema(format = DateTime)]
    since: String,
    by: String,
    /// The code of the reason; empty where a person wrote it.
    code: String,
    reason: String,
}

/// A rule of a scheme and what came of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Schedule)]
pub(crate) struct ScheduleDoc {
    /// `all`, `source` or `target`.
    half: String,
    /// The rule as it is written, with zone and hours.
    rule: String,
    #[schema(format = DateTime)]
    due: Option<String>,
    /// When a run last began.
    #[schema(format = DateTime)]
    started: Option<String>,
    /// When a run last ended.
    #[schema(format = DateTime)]
    ended: Option<String>,
    /// Runs begun.
    starts: u64,
    /// Instants that came while a run was under way or waiting.
    overlaps: u64,
    /// Times that missed instants were left out.
    skipped: u64,
    /// Runs begun late.
    late: u64,
    /// The most any began late.
    worst_late_ms: i64,
}

impl ScheduleDoc {
    fn of(half: &timetable::Status) -> Option<Self> {
        Some(ScheduleDoc {
            half: half.half.word().to_owned(),
            rule: half.rule.clone()?,
            due: half.due.map(time::text),
            started: half.started.map(time::text),
            ended: half.ended.map(time::text),
            starts: half.tally.starts,
            overlaps: half.tally.overlaps,
            skipped: half.tally.skipped,
            late: half.tally.late,
            worst_late_ms: half.tally.worst,
        })
    }
}

impl PausedDoc {
    pub(super) fn of(paused: &Paused, lang: Lang) -> Self {
        PausedDoc {
            since: time::text(paused.since),
            by: paused.by.clone(),
            code: paused.reason.code.clone(),
            reason: match paused.reason.code.as_str() {
                "" => paused.reason.text.clone(),
                _ => app::sentence_of(&paused.reason, lang),
            },
        }
    }
}

/// A run that is under way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Running)]
pub(crate) struct RunningDoc {
    #[schema(format = DateTime)]
    began: String,
    /// Rows read so far.
    rows: u64,
    /// Records settled so far.
    written: u64,
}

impl SchemeDoc {
    fn of(status: &SchemeStatus, lang: Lang) -> Self {
        use std::sync::atomic::Ordering::Relaxed;
        let member = &status.member;
        let plan = member.plan();
        let diagnostics = diagnostics(&member.standing);
        let errors = diagnostics.iter().filter(|one| one.is_error()).count();
        let warnings = diagnostics.len() - errors;
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        SchemeDoc {
            id: status.id.clone(),
            name: plan.map(|plan| plan.name.get(lang).to_owned()),
            file: file_name(&member.path),
            state: status.word.to_owned(),
            trouble: member.trouble().map(|error| trouble(error, lang)),
            errors: count(errors),
            warnings: count(warnings),
            source: plan.map(|plan| plan.source.named().to_owned()),
            target: plan.and_then(|plan| Some(plan.target.as_ref()?.connection.clone())),
            paused: status.paused.as_ref().map(|paused| PausedDoc::of(paused, lang)),
            running: status.running.as_ref().map(|run| RunningDoc {
                began: time::text(run.began),
                rows: run.rows.load(Relaxed),
                written: run.written.load(Relaxed),
            }),
            next: status.next_due().map(time::text),
            schedule: status.halves.iter().filter_map(ScheduleDoc::of).collect(),
            hash: plan.map(|plan| plan.revision.clone()),
            watermark: status.watermark.map(time::text),
            rows_behind: status.rows_behind,
            last: status.last.as_ref().map(|run| RunDoc::of(run, lang)),
            last_ok: status.last_ok.map(time::text),
            records: StatesDoc::from(status.states),
        }
    }
}

fn diagnostics(standing: &Standing) -> &[Diagnostic] {
    match standing {
        Standing::Ready(_, diagnostics) | Standing::Disabled(_, diagnostics) => diagnostics,
        Standing::Invalid(AppError::Invalid(diagnostics)) => diagnostics,
        Standing::Unusable(..) | Standing::Invalid(_) => &[],
    }
}

fn trouble(error: &AppError, lang: Lang) -> ReasonDoc {
    let problem = Problem::from(error.clone());
    ReasonDoc {
        code: problem.code().to_owned(),
        message: problem.title(lang),
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

list! {
    /// Schemes by id.
    SchemeList, SchemeDoc
}

/// Which schemes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct SchemesQuery {
    /// How many on a page, 1-500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

async fn list_all(
    call: Call,
    Query(query): Query<SchemesQuery>,
    (): (),
) -> Result<Json<SchemeList>, Problem> {
    let limit = cursor::limit(query.limit)?;
    let loaded = call.state.service().loaded();
    let ids: Vec<String> = loaded
        .fleet
        .iter()
        .map(|(id, _)| id)
        .filter(|id| call.who.sees(id))
        .map(str::to_owned)
        .collect();
    // The cursor holds the place in the order of ids; one that is added before it shifts a page by one at most.
    let filters = format!("{:?}", call.who.schemes);
    let after = match &query.cursor {
        None => 0,
        Some(text) => usize::try_from(cursor::read("schemes", &filters, text)?).unwrap_or(0),
    };
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let total = u32::try_from(ids.len()).unwrap_or(u32::MAX);
    let end = after.saturating_add(size);
    let next = (end < ids.len()).then(|| cursor::write("schemes", &filters, i64::try_from(end).unwrap_or(0)));
    let page: Vec<String> = ids.into_iter().skip(after).take(size).collect();
    let service = Arc::clone(call.state.service());
    let lang = call.lang;
    let items = call
        .think(move || {
            // One that went away meanwhile is left out.
            let found = page.iter().filter_map(|id| service.status_of(id).ok());
            Ok(found.map(|status| SchemeDoc::of(&status, lang)).collect())
        })
        .await?;
    Ok(Json(SchemeList::new(items, next, total)))
}

/// A scheme with its text.
#[derive(Debug, Serialize, ToSchema)]
struct SchemeText {
    scheme: SchemeDoc,
    /// The file, byte for byte.
    text: Option<String>,
    diagnostics: Vec<DiagnosticDoc>,
}

/// The version of a text.
fn tag_of(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

async fn show(call: Call, (): (), (): ()) -> Result<Tagged<SchemeText>, Problem> {
    let status = call.scheme().await?;
    // As it is on the disk: a change is held against that.
    let text = current(&status.member.path).ok();
    let tag = tag_of(text.as_deref().unwrap_or_default());
    let shown = SchemeText {
        diagnostics: docs(diagnostics(&status.member.standing), call.lang),
        scheme: SchemeDoc::of(&status, call.lang),
        text,
    };
    Ok(Tagged(shown, tag))
}

pub(super) fn docs(diagnostics: &[Diagnostic], lang: Lang) -> Vec<DiagnosticDoc> {
    diagnostics
        .iter()
        .map(|one| DiagnosticDoc::of(one, lang))
        .collect()
}

/// What a text comes to.
#[derive(Debug, Serialize, ToSchema)]
struct Checked {
    /// Whether it could run.
    ok: bool,
    diagnostics: Vec<DiagnosticDoc>,
}

/// A text to be checked instead of the file.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TextDoc {
    text: String,
}

async fn check(call: Call, (): (), MaybeJson(given): MaybeJson<TextDoc>) -> Result<Json<Checked>, Problem> {
    let status = call.scheme().await?;
    let text = match given {
        Some(given) => {
            sees_all(&call)?;
            given.text
        }
        None => current(&status.member.path)?,
    };
    let (plan, diagnostics) = looked_at(&call, status.member.path.clone(), text).await?;
    Ok(Json(Checked {
        ok: plan.is_some(),
        diagnostics: docs(&diagnostics, call.lang),
    }))
}

/// Refuses a text of a caller who is limited to schemes: what is wrong with it tells of other files and connections, one
/// guess after another.
pub(super) fn sees_all(call: &Call) -> Result<(), Problem> {
    match call.who.schemes {
        None => Ok(()),
        Some(_) => {
            Err(Problem::new(StatusCode::FORBIDDEN, &server::NOT_ALLOWED).with("scope", "all schemes"))
        }
    }
}

/// The file as it is on the disk now.
pub(super) fn current(path: &Path) -> Result<String, Problem> {
    Ok(app::read(path)?.text.clone())
}

async fn looked_at(
    call: &Call,
    path: PathBuf,
    text: String,
) -> Result<(Option<Plan>, Vec<Diagnostic>), Problem> {
    let workspace: Arc<Workspace> = Arc::clone(&call.state.service().loaded().engine.workspace);
    call.think(move || {
        let file = SourceFile::new(path.display().to_string(), text);
        Ok(workspace.check(&file))
    })
    .await
}

/// Refuses a change that was not made of the text that is there.
pub(super) fn matches(call: &Call, text: &str) -> Result<(), Problem> {
    let given = call.headers.get(IF_MATCH).and_then(|value| value.to_str().ok());
    let given = given.ok_or_else(|| Problem::new(StatusCode::PRECONDITION_REQUIRED, &server::NEEDS_MATCH))?;
    let now = tag_of(text);
    if given.trim().trim_matches('"') == now {
        return Ok(());
    }
    let problem = Problem::new(StatusCode::PRECONDITION_FAILED, &server::CHANGED);
    Err(problem.with("what", call.param("scheme")).with("now", now))
}

/// Keeps a text that is right in place of another, and has it take force.
///
/// From the moment in which the file is replaced the answer is that it is kept, with what could not be done after that:
/// an error would have the caller believe that the old text still stands.
async fn keep(
    call: &Call,
    path: &Path,
    before: Option<String>,
    text: String,
    id: &str,
    action: &str,
) -> Result<Stored, Problem> {
    keep_as(call, path, before, text, id, ("scheme", action)).await
}

/// The same, noted as this kind of decision and for this reason.
pub(super) async fn keep_as(
    call: &Call,
    path: &Path,
    before: Option<String>,
    text: String,
    id: &str,
    said: (&str, &str),
) -> Result<Stored, Problem> {
    let (plan, diagnostics) = looked_at(call, path.to_owned(), text.clone()).await?;
    let Some(plan) = plan else {
        return Err(AppError::Invalid(diagnostics).into());
    };
    if plan.scheme != id {
        return Err(Problem::conflict(format!("scheme: {} ≠ {id}", plan.scheme)));
    }
    let (to, new) = (path.to_owned(), text.clone());
    call.think(move || app::put_file(&to, &new)).await?;
    let revision = tag_of(&text);
    let told = match in_force(call, id, before, text, &plan.revision, said).await {
        Ok(()) => None,
        Err(problem) => {
            let code = problem.code().to_owned();
            tracing::warn!(
                scheme = id,
                code,
                "a scheme is kept, and not noted or not in force yet"
            );
            Some(ReasonDoc {
                code,
                message: problem.title(call.lang),
            })
        }
    };
    Ok(Stored {
        id: id.to_owned(),
        revision,
        trouble: told,
        diagnostics: docs(&diagnostics, call.lang),
    })
}

/// Notes who changed a scheme, with both texts, and reads the folder again.
async fn in_force(
    call: &Call,
    id: &str,
    before: Option<String>,
    text: String,
    hash: &str,
    (kind, action): (&str, &str),
) -> Result<(), Problem> {
    let revision = |who: String, message: &str, hash: String, text: String| NewRevision {
        scheme: id.to_owned(),
        hash,
        who,
        message: message.to_owned(),
        text,
    };
    let before = before.map(|text| revision(String::new(), "", revisions::hash_of(&text), text));
    let new = revision(call.who.name(), action, hash.to_owned(), text);
    let what = match kind {
        "scheme" => format!("{action} {hash}"),
        _ => hash.to_owned(),
    };
    let (note, now) = (call.note(kind, Some(id), what, action), call.now);
    let noted = call
        .state
        .with_ledger(move |ledger| ledger.deploy_revision(before.as_ref(), &new, &note, now))
        .await;
    // It takes force whether or not it could be noted.
    call.state.service().reload().await?;
    noted??;
    Ok(())
}

/// What was kept.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Stored {
    id: String,
    /// The ETag of the text.
    revision: String,
    /// Why the text is kept and not in force yet, or not noted; the folder is read again by and by.
    trouble: Option<ReasonDoc>,
    /// Warnings.
    diagnostics: Vec<DiagnosticDoc>,
}

/// Why a text is put in force.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct WhyQuery {
    /// Noted with the text; at most 1000 characters.
    #[param(max_length = 1000)]
    message: Option<String>,
}

impl WhyQuery {
    /// What is noted: a text that is deployed for a reason, or the plain action.
    fn said<'a>(&'a self, action: &'a str) -> Result<(&'a str, &'a str), Problem> {
        match self.message.as_deref().map(str::trim) {
            None | Some("") => Ok(("scheme", action)),
            Some(why) if why.chars().count() <= LONGEST_REASON => Ok(("deploy", why)),
            Some(_) => Err(Problem::malformed(format!("message: 1-{LONGEST_REASON}"))),
        }
    }
}

async fn create(
    call: Call,
    Query(why): Query<WhyQuery>,
    YamlText(text): YamlText,
) -> Result<Created<Stored>, Problem> {
    let said = why.said("create")?;
    let _alone = call.state.editing().lock().await;
    let id = id_of(&text)?;
    let service = call.state.service();
    let path = service.folder().join(format!("{id}.yaml"));
    if service.loaded().fleet.get(&id).is_some() || path.exists() {
        return Err(Problem::conflict(format!("scheme {id}")));
    }
    let stored = keep_as(&call, &path, None, text, &id, said).await?;
    Ok(Created(stored, format!("/api/v1/schemes/{id}")))
}

/// The id that a text gives itself. It becomes the name of a file, so it must be one that can be no path.
pub(super) fn id_of(text: &str) -> Result<String, Problem> {
    let file = SourceFile::new("scheme.yaml", text);
    let reading = dsl::yaml::read_all(&file);
    let node = match reading.node {
        Some(node) if node.get("scheme").is_some() => node,
        _ if !reading.problems.is_empty() => return Err(AppError::Invalid(reading.problems).into()),
        _ => return Err(Problem::malformed("scheme")),
    };
    let id = node
        .get("scheme")
        .and_then(|pair| pair.value.text())
        .unwrap_or_default();
    // Beside the schemes stand files that are none; no matter how a file system takes capitals.
    let is_other = |other: &&str| {
        other
            .strip_suffix(".yaml")
            .is_some_and(|stem| stem.eq_ignore_ascii_case(id))
    };
    match SafeName::parse(id) {
        Some(_) if !OTHERS.iter().any(is_other) => Ok(id.to_owned()),
        _ => Err(Problem::malformed(format!("scheme: {}", id.escape_debug()))),
    }
}

async fn replace(
    call: Call,
    Query(why): Query<WhyQuery>,
    YamlText(text): YamlText,
) -> Result<Json<Stored>, Problem> {
    let said = why.said("replace")?;
    let _alone = call.state.editing().lock().await;
    let status = call.scheme().await?;
    let path = &status.member.path;
    let before = current(path)?;
    matches(&call, &before)?;
    keep_as(&call, path, Some(before), text, &status.id, said)
        .await
        .map(Json)
}

/// One value of a scheme.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Change {
    /// Where: `source.window.overlap`, `target.request.FEntity[0].FQty`.
    #[schema(example = "schedule.source.every")]
    path: String,
    /// What stands there from now on.
    #[schema(value_type = serde_json::Value)]
    value: Box<serde_json::value::RawValue>,
}

/// A scheme after a change.
#[derive(Debug, Serialize, ToSchema)]
struct Changed {
    #[serde(flatten)]
    stored: Stored,
    /// The whole text.
    text: String,
}

async fn change(call: Call, (): (), Json(change): Json<Change>) -> Result<Json<Changed>, Problem> {
    let _alone = call.state.editing().lock().await;
    let status = call.scheme().await?;
    let path = &status.member.path;
    let before = current(path)?;
    matches(&call, &before)?;
    let value = dsl::json::parse(change.value.get().as_bytes()).map_err(|_| Problem::malformed("value"))?;
    let file = SourceFile::new(path.display().to_string(), before.as_str());
    let text = match dsl::edit::set(&file, &change.path, &value) {
        Ok(text) => text,
        Err(dsl::edit::NotSet::Unreadable(problems)) => return Err(AppError::Invalid(problems).into()),
        Err(dsl::edit::NotSet::NoPlace) => {
            let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &server::NO_PLACE);
            let shown: String = change.path.chars().take(200).collect();
            return Err(problem.with("path", shown.escape_debug()));
        }
        Err(dsl::edit::NotSet::Unwritable) => return Err(Problem::malformed("value")),
    };
    let shown: String = change.path.chars().take(200).collect();
    let action = format!("change {}", shown.escape_debug());
    let stored = keep(&call, path, Some(before), text.clone(), &status.id, &action).await?;
    Ok(Json(Changed { stored, text }))
}

async fn remove(call: Call, (): (), (): ()) -> Result<Empty, Problem> {
    let _alone = call.state.editing().lock().await;
    let status = call.scheme().await?;
    let path = status.member.path.clone();
    matches(&call, &current(&path)?)?;
    if status.running.is_some() {
        return Err(Problem::conflict(format!("scheme {}: running", status.id)));
    }
    call.think(move || {
        std::fs::remove_file(&path).map_err(|error| AppError::File {
            path: path.display().to_string(),
            what: error.to_string(),
        })
    })
    .await?;
    // The file is gone: what fails now is told by the log, and by an event when the folder is read again.
    let note = call.note(
        "scheme",
        Some(&status.id),
        format!("delete {}", status.id),
        "delete",
    );
    let noted = call.write_noted(note, |_| Ok(())).await;
    if let Err(problem) = noted.and(call.state.service().reload().await.map_err(Problem::from)) {
        tracing::warn!(
            scheme = status.id,
            code = problem.code(),
            "a scheme is deleted, and that is not noted or not in force yet"
        );
    }
    Ok(Empty)
}

/// Which half of a scheme.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Half)]
enum HalfWord {
    #[default]
    All,
    Source,
    Target,
}

/// What is to run.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RunWanted {
    /// Reading, writing or both.
    #[serde(default)]
    half: HalfWord,
}

/// What was asked for.
#[derive(Debug, Serialize, ToSchema)]
struct Asked {
    scheme: String,
    #[schema(format = DateTime)]
    at: String,
}

impl Asked {
    fn of(scheme: String, now: Ms) -> Self {
        Asked {
            scheme,
            at: time::text(now),
        }
    }
}

async fn run(
    call: Call,
    (): (),
    MaybeJson(wanted): MaybeJson<RunWanted>,
) -> Result<Accepted<Asked>, Problem> {
    let status = call.scheme().await?;
    let half = match wanted.unwrap_or_default().half {
        HalfWord::All => Half::All,
        HalfWord::Source => Half::Source,
        HalfWord::Target => Half::Target,
    };
    target_is_open(&call, &status)?;
    call.state.service().run_now(&status.id, half)?;
    let text = status.member.plan().map(|plan| plan.revision.as_str());
    let what = format!("{} {}", status.id, text.unwrap_or_default());
    let note = call.note("run", Some(&status.id), what.trim_end().to_owned(), "run");
    call.write_noted(note, |_| Ok(())).await?;
    Ok(Accepted(Asked::of(status.id, call.now)))
}

/// Refuses what would write to a target that a person has paused.
pub(super) fn target_is_open(call: &Call, status: &SchemeStatus) -> Result<(), Problem> {
    let plan = status.member.plan();
    let target = plan
        .and_then(|plan| plan.target.as_ref())
        .map(|target| &target.connection);
    let paused = call.state.service().paused_targets();
    match target.filter(|target| paused.contains_key(*target)) {
        Some(target) => Err(Problem::conflict(format!("connection {target}: paused"))),
        None => Ok(()),
    }
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhyDoc {
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
}

fn reason_of(why: &WhyDoc) -> Result<&str, Problem> {
    reason_text("reason", &why.reason)
}

/// A reason that is one, without the blanks around it.
pub(super) fn reason_text<'a>(name: &str, text: &'a str) -> Result<&'a str, Problem> {
    let reason = text.trim();
    if (1..=LONGEST_REASON).contains(&reason.chars().count()) {
        return Ok(reason);
    }
    Err(Problem::malformed(format!("{name}: 1-{LONGEST_REASON}")))
}

async fn pause(call: Call, (): (), Json(why): Json<WhyDoc>) -> Result<Accepted<Asked>, Problem> {
    let status = call.scheme().await?;
    let service = call.state.service();
    service
        .pause(&status.id, &call.who.name(), reason_of(&why)?)
        .await?;
    Ok(Accepted(Asked::of(status.id, call.now)))
}

async fn resume(call: Call, (): (), Json(why): Json<WhyDoc>) -> Result<Accepted<Asked>, Problem> {
    let status = call.scheme().await?;
    let service = call.state.service();
    service
        .resume(&status.id, &call.who.name(), reason_of(&why)?)
        .await?;
    Ok(Accepted(Asked::of(status.id, call.now)))
}
