//! `/healthz`, `/readyz`, `/metrics`: for what watches the process. Outside of the API.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::routing::get;
use dsl::catalogue::server;

use crate::access::Scope;
use crate::metrics;
use crate::problem::Problem;
use crate::router::{authorize_for, refused};
use crate::state::State;

pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .route("/metrics", get(measure))
}

/// The process answers.
async fn health() -> Response<Body> {
    text("ok\n".to_owned())
}

/// The ledger answers and the loop goes round.
async fn ready(Shared(state): Shared<State>, request: Request) -> Response<Body> {
    let asked = tokio::task::spawn_blocking(move || why_not(&state)).await;
    match asked {
        Ok(Ok(())) => text("ready\n".to_owned()),
        Ok(Err(what)) => {
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, &server::UNAVAILABLE);
            refused(problem.with("what", what), &request)
        }
        Err(error) => refused(Problem::bug(error), &request),
    }
}

/// Why the service is not ready for work.
pub(super) fn why_not(state: &State) -> Result<(), String> {
    if state.service().is_stopping() {
        return Err("stopping".to_owned());
    }
    if !state.service().is_going() {
        return Err("nothing is started: the loop stands still".to_owned());
    }
    match state.reader().origins() {
        Ok(_) => Ok(()),
        Err(error) => Err(error.code().to_owned()),
    }
}

/// Needs the scope `read`, and all schemes: their names stand in it.
async fn measure(Shared(state): Shared<State>, request: Request) -> Response<Body> {
    match authorize_for(&state, request.headers(), request.method(), Scope::Read) {
        Ok(who) if who.schemes.is_none() => {}
        Ok(_) => {
            let problem = Problem::new(StatusCode::FORBIDDEN, &server::NOT_ALLOWED);
            return refused(problem.with("scope", "all schemes"), &request);
        }
        Err(problem) => return refused(problem, &request),
    }
    match metrics::text(&state).await {
        Ok(shown) => {
            let mut response = text(shown);
            response.headers_mut().insert(
                CONTENT_TYPE,
                HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
            );
            response
        }
        Err(problem) => refused(problem, &request),
    }
}

fn text(text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}
