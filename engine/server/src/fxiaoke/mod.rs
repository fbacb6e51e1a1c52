//! The ERP protocol of Fxiaoke, where it calls us: the only place of the server that names a vendor.
//!
//! [`who`] says who speaks, [`form`] how it is answered. What is stored and how is [`app::inbox`]'s.

mod erp;
pub(crate) mod form;
mod mapping;
mod push;
pub(crate) mod who;

use axum::Router;
use axum::routing::any;

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
