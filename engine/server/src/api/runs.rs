//! `/runs`: what each execution of a scheme did.

use app::logging;
use axum::http::Method;
use flow::ids::RunId;
use flow::op::RunStatus;
use ledger::read::RunFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::access::Scope;
use crate::call::Call;
use crate::cursor::Paging;
use crate::document::{COUNTED, RunDoc, RunLifeDoc, RunList};
use crate::operation::{Accepted, Json, Operation, Query};
use crate::problem::Problem;
use crate::time;

pub(super) fn operations() -> Vec<Operation> {
    let op = Operation::new(Method::GET, "/runs", "listRuns", "Runs, newest first", list)
        .naming::<Status>()
        .by_scheme();
    vec![
        op,
        Operation::new(Method::GET, "/runs/{run}", "showRun", "What a run did", show).by_scheme(),
        Operation::new(
            Method::GET,
            "/runs/{run}/log",
            "showRunLog",
            "What the service wrote down of a run",
            log,
        )
        .naming::<LevelWord>()
        .by_scheme(),
        Operation::new(
            Method::POST,
            "/runs/{run}/cancel",
            "cancelRun",
            "Asks a run to stop where that is safe",
            cancel,
        )
        .needs(Scope::Operate)
        .by_scheme(),
    ]
}

/// Which runs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct RunsQuery {
    /// Of this scheme.
    scheme: Option<String>,
    /// `running`, `ok`, `partial`, `failed` or `canceled`.
    status: Option<Status>,
    /// Started at or after this instant.
    #[param(format = DateTime)]
    since: Option<String>,
    /// How many on a page, 1-500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RunStatus)]
enum Status {
    Running,
    Ok,
    Partial,
    Failed,
    Canceled,
}

impl Status {
    /// How a run ended; `None` = it has not.
    fn ended(self) -> Option<RunStatus> {
        match self {
            Status::Running => None,
            Status::Ok => Some(RunStatus::Ok),
            Status::Partial => Some(RunStatus::Partial),
            Status::Failed => Some(RunStatus::Failed),
            Status::Canceled => Some(RunStatus::Canceled),
        }
    }
}

async fn list(call: Call, Query(query): Query<RunsQuery>, (): ()) -> Result<Json<RunList>, Problem> {
    call.confine(query.scheme.as_deref())?;
    let since = time::read_maybe("since", query.since.as_deref())?;
    let filters = format!("{:?} {:?} {since:?}", query.scheme, query.status);
    let paging = Paging::new("runs", query.limit, query.cursor.as_deref(), filters)?;
    let filter = RunFilter {
        scheme: query.scheme,
        status: query.status.and_then(Status::ended),
        running: matches!(query.status, Some(Status::Running)),
        since,
        before: paging.before.map(RunId),
        limit: paging.rows(),
    };
    let lang = call.lang;
    let (mut rows, total) = call
        .ask(move |reader| {
            Ok((
                reader.list_runs(&filter)?,
                reader.count_runs(&filter, COUNTED + 1)?,
            ))
        })
        .await?;
    let next = paging.next(&mut rows, |row| row.run.0);
    let items = rows.iter().map(|row| RunDoc::of(row, lang)).collect();
    Ok(Json(RunList::new(items, next, total)))
}

async fn life(call: &Call) -> Result<ledger::read::RunLife, Problem> {
    let run = call.number("run")?;
    let life = call.ask(move |reader| Ok(reader.show_run(RunId(run))?)).await?;
    life.filter(|life| call.who.sees(&life.run.scheme))
        .ok_or_else(|| Problem::not_found(format!("run {run}")))
}

async fn show(call: Call, (): (), (): ()) -> Result<Json<RunLifeDoc>, Problem> {
    let life = life(&call).await?;
    Ok(Json(RunLifeDoc::of(&life, call.lang)))
}

/// Which lines.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct LogQuery {
    /// At least so bad.
    level: Option<LevelWord>,
    /// The last so many, 1-500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LogLevel)]
enum LevelWord {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl LevelWord {
    fn word(self) -> &'static str {
        match self {
            LevelWord::Error => "error",
            LevelWord::Warn => "warn",
            LevelWord::Info => "info",
            LevelWord::Debug => "debug",
            LevelWord::Trace => "trace",
        }
    }
}

/// The last lines of the log that are about a run. Files of the log are given up when they are many.
#[derive(Debug, Serialize, ToSchema)]
struct RunLog {
    run: i64,
    /// In order of time.
    lines: Vec<LogLine>,
    /// Whether there are more before them.
    more: bool,
}

/// A line of the log; secrets were taken out when it was written.
#[derive(Debug, Serialize, ToSchema)]
struct LogLine {
    #[schema(format = DateTime)]
    at: String,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    level: String,
    message: String,
    /// What else it says, by name.
    fields: serde_json::Map<String, serde_json::Value>,
}

impl LogLine {
    fn of(line: &str) -> Option<Self> {
        let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).ok()?;
        let mut text = |name: &str| match fields.remove(name)? {
            serde_json::Value::String(text) => Some(text),
            other => Some(other.to_string()),
        };
        Some(LogLine {
            at: text("at")?,
            level: text("level").unwrap_or_default(),
            message: text("message").unwrap_or_default(),
            fields,
        })
    }
}

async fn log(call: Call, Query(query): Query<LogQuery>, (): ()) -> Result<Json<RunLog>, Problem> {
    let life = life(&call).await?;
    let most = crate::cursor::limit(query.limit)?;
    let run = life.run.run.0;
    let filter = logging::Filter {
        scheme: Some(life.run.scheme),
        run: Some(run.to_string()),
        level: query.level.map(|level| level.word().to_owned()),
        ..logging::Filter::default()
    };
    let dir = call.state.service().loaded().engine.workspace.data_dir();
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let place = super::preview::place(call.state.logs(), "logs")?;
    let found = call
        .think(move || {
            // Also when nobody waits any more: the thread is busy until it is done.
            let _place = place;
            logging::last(&dir, &filter, most)
        })
        .await?;
    Ok(Json(RunLog {
        run,
        lines: found.lines.iter().filter_map(|line| LogLine::of(line)).collect(),
        more: found.more,
    }))
}

/// What was asked for.
#[derive(Debug, Serialize, ToSchema)]
struct CancelDoc {
    /// The run.
    run: i64,
    /// Its scheme.
    scheme: String,
}

async fn cancel(call: Call, (): (), (): ()) -> Result<Accepted<CancelDoc>, Problem> {
    let life = life(&call).await?;
    let run = life.run.run;
    if life.run.ended.is_some() {
        return Err(Problem::conflict(format!("run {run}: {}", life.run.status)));
    }
    if !call.state.service().cancel_run(run) {
        return Err(Problem::conflict(format!("run {run}")));
    }
    let note = call.note("cancel", Some(&life.run.scheme), format!("run {run}"), "cancel");
    call.write_noted(note, |_| Ok(())).await?;
    Ok(Accepted(CancelDoc {
        run: run.0,
        scheme: life.run.scheme,
    }))
}
