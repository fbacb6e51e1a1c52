//! The platform's mapping functions over HTTP: `createSyncDataMapping`, `updateSyncDataMapping`,
//! `getSyncDataMappingBySourceDataId` and `createErpfieldmapping`.
//!
//! The paths are ours; names, answers and what is refused are [`app::mapping`]'s. Who speaks sees the policies between
//! the connections that are meant and others, and no more.

use app::mapping::{self, Caller, Policies};
use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use axum::http::request::Parts;
use axum::http::{Method, Response, StatusCode};
use dsl::json;
use dsl::value::Value;

use super::{form, push, who};
use crate::problem::Problem;
use crate::receive::inbound;
use crate::router::asked;
use crate::state::State;

/// Where they are.
pub(crate) const PATHS: [&str; 4] = [
    "/erp/syncdata/open/mapping/create",
    "/erp/syncdata/open/mapping/update",
    "/erp/syncdata/open/mapping/query",
    "/erp/syncdata/open/fieldmapping/create",
];

pub(crate) async fn called(Shared(state): Shared<State>, request: Request) -> Response<Body> {
    let asked = asked(&request);
    let (parts, incoming) = request.into_parts();
    match answer(&state, &parts, incoming).await {
        Ok(data) => {
            let body = json::to_string(&mapping::answer(&Ok(data), asked.lang));
            let mut response = Response::new(Body::from(body));
            let kind = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, kind);
            response
        }
        Err(problem) => form::receipt(problem, asked.lang, &asked.id),
    }
}

async fn answer(state: &State, parts: &Parts, incoming: Body) -> Result<Option<Value>, Problem> {
    if parts.method != Method::POST {
        return Err(who::refused(&dsl::catalogue::server::METHOD)
            .status_of(StatusCode::METHOD_NOT_ALLOWED)
            .with("method", &parts.method)
            .with("path", parts.uri.path().escape_debug())
            .header(ALLOW, "POST"));
    }
    let speaker = who::speaker(state, &parts.headers, who::Call::Mapping)?;
    let (push, _taken) = inbound(state, parts, incoming).await?;
    let connection = speaker
        .connections
        .first()
        .ok_or_else(|| Problem::bug("a speaker without a connection"))?;
    let body = push::read(connection, &push, push::Takes::Json)?.value;
    let by = format!("tenant {}", speaker.tenant);
    let caller = Caller {
        who: &by,
        tenant: &speaker.tenant,
    };
    let loaded = state.service().loaded();
    let policies = loaded
        .engine
        .workspace
        .policies()
        .between(|name| speaker.is(name));
    let now = state.now_ms();
    let path = parts.uri.path();
    if path.ends_with("/query") {
        let (reader, tenant) = (state.reader(), speaker.tenant.clone());
        let asked = tokio::task::spawn_blocking(move || {
            let caller = Caller {
                who: &by,
                tenant: &tenant,
            };
            mapping::query(&reader, &policies, &body, caller)
        });
        return Ok(Some(asked.await.map_err(Problem::bug)?.map_err(told)?));
    }
    if state.service().is_read_only() {
        return Err(Problem::conflict("read-only"));
    }
    if path.contains("/fieldmapping/") {
        let wanted = mapping::create_field(&body, &speaker.data_center).map_err(told)?;
        let centre = &wanted.place.data_center;
        if *centre != speaker.data_center {
            // One of the tenant's, and who sends this is believed there, too.
            who::speaker_for(state, &parts.headers, who::Call::Mapping, Some(centre))?;
        }
        let done = state.with_ledger(move |ledger| mapping::set_field(ledger, &wanted, now));
        done.await?.map_err(told)?;
        return Ok(None);
    }
    let wanted = wanted(&policies, path, &body, caller).map_err(told)?;
    let done = state.with_ledger(move |ledger| mapping::set(ledger, &wanted, now));
    done.await?.map_err(told)?;
    Ok(None)
}

fn wanted(
    policies: &Policies,
    path: &str,
    body: &Value,
    caller: Caller<'_>,
) -> Result<ledger::service::mapping::SetMapping, app::AppError> {
    match path.ends_with("/update") {
        true => mapping::update(policies, body, caller),
        false => mapping::create(policies, body, caller),
    }
}

/// What is refused for a reason is told as the platform tells it: with HTTP 200.
fn told(error: app::AppError) -> Problem {
    let is_refusal = matches!(error, app::AppError::Denied(_));
    let problem = Problem::from(error);
    match is_refusal {
        true => problem.status_of(StatusCode::OK),
        false => problem,
    }
}
