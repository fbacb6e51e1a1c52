//! The ERP protocol of Fxiaoke, where it calls us: the only place of the server that names a vendor.
//!
//! [`who`] says who speaks, [`form`] how it is answered. What is stored and how is [`app::inbox`]'s.

mod erp;
pub(crate) mod form;
mod mapping;
mod push;
pub(crate) mod who;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use axum::routing::any;

use crate::problem::Problem;
use crate::router::asked;
use crate::state::State;

/// The connector whose connections are the tenants.
pub(crate) const CONNECTOR: &str = "fxiaoke";

/// Everything that the platform may call.
pub(crate) fn routes() -> Router<State> {
    let router = Router::new()
        .route(push::PATH, any(push::asyncpush))
        .route("/erp/{connection}/{operation}", any(erp::called));
    mapping::PATHS
        .into_iter()
        .fold(router, |router, path| router.route(path, any(mapping::called)))
}

/// Below this pushes and mapping functions are.
const OPEN: &str = "/erp/syncdata/open/";
/// Below this everything of the protocol is.
const ALL: &str = "/erp/";

/// The answer to a path of the protocol that there is not, in the form of those beside it; the problem again, where it is
/// none of the protocol's.
pub(crate) fn unknown(request: &Request, problem: Problem) -> Result<Response<Body>, Problem> {
    let path = request.uri().path();
    let asked = asked(request);
    match path {
        _ if path.starts_with(OPEN) => Ok(form::receipt(problem, asked.lang, &asked.id)),
        _ if path.starts_with(ALL) => Ok(erp::told(problem, request.headers(), &asked)),
        _ => Err(problem),
    }
}
