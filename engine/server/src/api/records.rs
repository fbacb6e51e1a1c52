//! `/records`: what became of single rows, and what people decide about them.

use axum::http::Method;
use flow::ids::{RecordId, RunId};
use flow::op::RecordState;
use ledger::read::RecordFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::call::Call;
use crate::cursor::Paging;
use crate::document::{AttemptDoc, COUNTED, RecordDoc, RecordList, StoryDoc};
use crate::operation::{Json, Operation, Query};
use crate::problem::Problem;
use crate::time;

pub(super) fn operations() -> Vec<Operation> {
    let get = Method::GET;
    vec![
        Operation::new(
            get.clone(),
            "/records",
            "listRecords",
            "Records, newest first",
            list,
        )
        .naming::<StateWord>()
        .by_scheme(),
        Operation::new(
            get.clone(),
            "/records/{record}",
            "showRecord",
            "The whole story of a record",
            show,
        )
        .by_scheme(),
        Operation::new(
            get,
            "/records/{record}/attempts",
            "listAttempts",
            "Every send of a record, with documents and answers",
            attempts,
        )
        .by_scheme(),
    ]
}

/// Which records.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct RecordsQuery {
    /// Of this scheme.
    scheme: Option<String>,
    /// In this state.
    state: Option<StateWord>,
    /// With this key, label, number or id, as people write it.
    key: Option<String>,
    /// With this code as the reason.
    error: Option<String>,
    /// Changed at or after this instant.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Read in this run.
    run: Option<i64>,
    /// How many on a page, 1-500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// The state of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RecordState)]
pub(super) enum StateWord {
    Pending,
    Sending,
    Done,
    Unknown,
    Dead,
    Held,
    Skipped,
}

impl StateWord {
    pub(super) fn state(self) -> RecordState {
        match self {
            StateWord::Pending => RecordState::Pending,
            StateWord::Sending => RecordState::Sending,
            StateWord::Done => RecordState::Done,
            StateWord::Unknown => RecordState::Unknown,
            StateWord::Dead => RecordState::Dead,
            StateWord::Held => RecordState::Held,
            StateWord::Skipped => RecordState::Skipped,
        }
    }
}

async fn list(call: Call, Query(query): Query<RecordsQuery>, (): ()) -> Result<Json<RecordList>, Problem> {
    call.confine(query.scheme.as_deref())?;
    let since = time::read_maybe("since", query.since.as_deref())?;
    let filters = format!(
        "{:?} {:?} {:?} {:?} {since:?} {:?}",
        query.scheme, query.state, query.key, query.error, query.run
    );
    let paging = Paging::new("records", query.limit, query.cursor.as_deref(), filters)?;
    let filter = RecordFilter {
        scheme: query.scheme,
        state: query.state.map(StateWord::state),
        key: query.key,
        error: query.error,
        since,
        run: query.run.map(RunId),
        documents: false,
        before: paging.before.map(RecordId),
        limit: paging.rows(),
    };
    let (mut rows, total) = call
        .ask(move |reader| {
            Ok((
                reader.list_records(&filter)?,
                reader.count_records(&filter, COUNTED + 1)?,
            ))
        })
        .await?;
    let next = paging.next(&mut rows, |row| row.record.0);
    let items = rows.iter().map(|row| RecordDoc::of(row, call.lang)).collect();
    Ok(Json(RecordList::new(items, next, total)))
}

async fn story(call: &Call) -> Result<app::query::Story, Problem> {
    let record = call.number("record")?;
    let story = call
        .ask(move |reader| app::query::story(reader, RecordId(record)))
        .await?;
    story
        .filter(|story| call.who.sees(&story.life.record.scheme))
        .ok_or_else(|| Problem::not_found(format!("record {record}")))
}

async fn show(call: Call, (): (), (): ()) -> Result<Json<StoryDoc>, Problem> {
    Ok(Json(StoryDoc::of(&story(&call).await?, call.lang)))
}

/// Every send of a record.
#[derive(Debug, Serialize, ToSchema)]
struct AttemptList {
    /// In order of time.
    items: Vec<AttemptDoc>,
}

async fn attempts(call: Call, (): (), (): ()) -> Result<Json<AttemptList>, Problem> {
    let story = story(&call).await?;
    let attempts = story.life.attempts.iter();
    Ok(Json(AttemptList {
        items: attempts.map(|row| AttemptDoc::of(row, call.lang)).collect(),
    }))
}
