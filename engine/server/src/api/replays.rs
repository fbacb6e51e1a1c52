//! `/replays`: past stretches of time that are read once more.

use app::Replay;
use app::service::Wish;
use axum::http::Method;
use dsl::Lang;
use flow::window::SMALLEST;
use ledger::service::operating::{ReplayFilter, ReplayRow};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::schemes::{reason_text, target_is_open};
use crate::access::Scope;
use crate::call::Call;
use crate::cursor::Paging;
use crate::document::{COUNTED, IntervalDoc, ReasonDoc, list};
use crate::operation::{Accepted, Json, Operation, Query};
use crate::problem::Problem;
use crate::time;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::GET,
            "/replays",
            "listReplays",
            "Past stretches that are or were read once more, newest first",
            list_all,
        )
        .by_scheme(),
        Operation::new(
            Method::POST,
            "/replays",
            "createReplay",
            "Has a past stretch read once more, or says what that would take",
            create,
        )
        .needs(Scope::Operate)
        .by_scheme(),
        Operation::new(
            Method::GET,
            "/replays/{replay}",
            "showReplay",
            "How far a replay is",
            show,
        )
        .by_scheme(),
        Operation::new(
            Method::POST,
            "/replays/{replay}/stop",
            "stopReplay",
            "Ends a replay; what it has read stays",
            stop,
        )
        .needs(Scope::Operate)
        .by_scheme(),
    ]
}

/// A replay.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Replay)]
pub(crate) struct ReplayDoc {
    /// Its number.
    id: i64,
    scheme: String,
    /// The stretch.
    range: IntervalDoc,
    /// Longest window, in seconds.
    step_seconds: i64,
    /// Only rows whose key is not known yet.
    only_missing: bool,
    /// `queued`, `running` (over restarts, too), `stopped`, `done` or `done_with_errors`.
    state: String,
    /// Windows there were to read when it was asked for.
    windows: u64,
    /// Rows read so far, counted at the end of a turn.
    rows: u64,
    /// Records that the target accepted so far.
    written: u64,
    /// Who wants it.
    by: String,
    /// Why.
    reason: String,
    #[schema(format = DateTime)]
    asked: String,
    #[schema(format = DateTime)]
    started: Option<String>,
    #[schema(format = DateTime)]
    ended: Option<String>,
    /// Why it ended so.
    why: Option<ReasonDoc>,
}

impl ReplayDoc {
    fn of(row: &ReplayRow, lang: Lang) -> Self {
        ReplayDoc {
            id: row.id,
            scheme: row.asked.scheme.clone(),
            range: row.asked.range.into(),
            step_seconds: row.asked.step / 1_000,
            only_missing: row.asked.only_missing,
            state: row.state.word().to_owned(),
            windows: row.asked.windows,
            rows: row.rows,
            written: row.written,
            by: row.asked.who.clone(),
            reason: row.asked.reason.clone(),
            asked: time::text(row.at),
            started: row.started.map(time::text),
            ended: row.ended.map(time::text),
            why: ReasonDoc::of(row.why.as_ref(), lang),
        }
    }
}

list! {
    /// Replays, newest first.
    ReplayList, ReplayDoc
}

/// Which replays.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct ReplaysQuery {
    /// Of this scheme.
    scheme: Option<String>,
    /// Only those that go on.
    #[serde(default)]
    open: bool,
    /// How many on a page, 1-500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

async fn list_all(
    call: Call,
    Query(query): Query<ReplaysQuery>,
    (): (),
) -> Result<Json<ReplayList>, Problem> {
    call.confine(query.scheme.as_deref())?;
    let filters = format!("{:?} {}", query.scheme, query.open);
    let paging = Paging::new("replays", query.limit, query.cursor.as_deref(), filters)?;
    let filter = ReplayFilter {
        scheme: query.scheme,
        open: query.open,
        before: paging.before,
        limit: paging.rows(),
    };
    let (mut rows, total) = call
        .ask(move |reader| {
            Ok((
                reader.replays(&filter)?,
                reader.count_replays(&filter, COUNTED + 1)?,
            ))
        })
        .await?;
    let next = paging.next(&mut rows, |row| row.id);
    let items = rows.iter().map(|row| ReplayDoc::of(row, call.lang)).collect();
    Ok(Json(ReplayList::new(items, next, total)))
}

/// A stretch to be read once more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReplayWanted)]
struct Wanted {
    scheme: String,
    /// Its first instant.
    #[schema(format = DateTime)]
    from: String,
    /// The instant behind its last.
    #[schema(format = DateTime)]
    to: String,
    /// Longest window in seconds, up to the scheme's; that unless given.
    #[schema(minimum = 1)]
    step_seconds: Option<i64>,
    /// Only rows whose key is not known yet.
    #[serde(default)]
    only_missing: bool,
    /// From its beginning, also where an earlier replay of the same stretch was interrupted.
    #[serde(default)]
    again: bool,
    /// Only says what it would take.
    #[serde(default)]
    dry_run: bool,
    /// Why; it is noted. Needed unless `dry_run`.
    #[schema(min_length = 1, max_length = 1000)]
    reason: Option<String>,
}

/// What a replay takes, and the replay where it was begun.
#[derive(Debug, Serialize, ToSchema)]
struct ReplayPlanned {
    /// The stretch, up to now.
    range: IntervalDoc,
    /// Windows that are left to read.
    windows: u64,
    /// Windows there are, with those that an earlier, interrupted replay has read.
    windows_all: u64,
    /// Calls to the source at least: a page for each window.
    calls_at_least: u64,
    /// Null where only that was asked, and where nothing is left to read.
    replay: Option<ReplayDoc>,
}

async fn create(call: Call, (): (), Json(wanted): Json<Wanted>) -> Result<Accepted<ReplayPlanned>, Problem> {
    let bounds = super::preview::Bounds::of(&wanted.from, &wanted.to)?;
    let reason = match (&wanted.reason, wanted.dry_run) {
        (Some(reason), _) => Some(reason_text("reason", reason)?.to_owned()),
        (None, true) => None,
        (None, false) => return Err(Problem::malformed("reason")),
    };
    let status = call.scheme_called(wanted.scheme.clone()).await?;
    if let Some(error) = status.member.trouble() {
        return Err(error.clone().into());
    }
    let most = status.member.plan().map_or(0, |plan| plan.source.window.max_ms);
    let step = match wanted.step_seconds {
        None => most,
        Some(seconds) => seconds.saturating_mul(1_000),
    };
    if wanted.step_seconds.is_some() && !(SMALLEST..=most).contains(&step) {
        return Err(Problem::malformed(format!(
            "step_seconds: {}-{}",
            SMALLEST / 1_000,
            most / 1_000
        )));
    }
    let replay = Replay {
        range: bounds,
        step,
        only_missing: wanted.only_missing,
    };
    let (service, scheme, again) = (call.state.service().clone(), status.id.clone(), wanted.again);
    let todo = call
        .think(move || service.plan_replay(&scheme, &replay, again))
        .await?;
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let mut planned = ReplayPlanned {
        range: todo.range.into(),
        windows: count(todo.slices.len()),
        windows_all: count(todo.all),
        calls_at_least: count(todo.slices.len()),
        replay: None,
    };
    let Some(reason) = reason.filter(|_| !wanted.dry_run && !todo.slices.is_empty()) else {
        return Ok(Accepted(planned));
    };
    target_is_open(&call, &status)?;
    let wish = Wish {
        who: call.who.name(),
        reason,
        again,
    };
    let begun = call
        .state
        .service()
        .begin_replay(&status.id, &replay, wish)
        .await?;
    let row = begun.ok_or_else(|| Problem::conflict(format!("replay {}", status.id)))?;
    planned.replay = Some(ReplayDoc::of(&row, call.lang));
    Ok(Accepted(planned))
}

async fn row(call: &Call) -> Result<ReplayRow, Problem> {
    let id = call.number("replay")?;
    let row = call.ask(move |reader| Ok(reader.replay(id)?)).await?;
    row.filter(|row| call.who.sees(&row.asked.scheme))
        .ok_or_else(|| Problem::not_found(format!("replay {id}")))
}

async fn show(call: Call, (): (), (): ()) -> Result<Json<ReplayDoc>, Problem> {
    Ok(Json(ReplayDoc::of(&row(&call).await?, call.lang)))
}

/// Why a replay is ended.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReplayStop)]
struct StopDoc {
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
}

async fn stop(call: Call, (): (), Json(why): Json<StopDoc>) -> Result<Json<ReplayDoc>, Problem> {
    let reason = reason_text("reason", &why.reason)?;
    let before = row(&call).await?;
    let scheme = before.asked.scheme.clone();
    let note = call.note("stop", Some(&scheme), format!("replay {}", before.id), reason);
    if !call.state.service().stop_replay(&before, note).await? {
        let state = row(&call).await?.state;
        return Err(Problem::conflict(format!(
            "replay {}: {}",
            before.id,
            state.word()
        )));
    }
    Ok(Json(ReplayDoc::of(&row(&call).await?, call.lang)))
}
