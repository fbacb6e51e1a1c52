//! The forms in which the protocol answers.

use axum::body::Body;
use axum::http::Response;
use dsl::Lang;
use dsl::json;
use dsl::value::{Map, Value};

use crate::problem::Problem;

/// `{"errCode", "errMsg"}`: how a push and a question about mappings are refused.
pub(crate) fn receipt(problem: Problem, lang: Lang, request_id: &str) -> Response<Body> {
    let body = Value::Map(Map::from_iter([
        ("errCode".to_owned(), Value::from(problem.code())),
        ("errMsg".to_owned(), Value::from(problem.sentence(lang))),
    ]));
    let bytes = json::to_string(&body).into_bytes();
    problem.response_as("application/json", bytes, request_id)
}
