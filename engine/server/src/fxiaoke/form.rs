//! The forms in which the protocol answers.

use axum::body::Body;
use axum::http::Response;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use dsl::Lang;
use dsl::json;
use dsl::value::{Map, Value};

use crate::problem::Problem;

/// How the platform words that all is well.
pub(crate) const SUCCESS: &str = "s106240000";

/// `{"errCode", "errMsg"}`: how a push and a question about mappings are refused.
pub(crate) fn receipt(problem: Problem, lang: Lang, request_id: &str) -> Response<Body> {
    let body = Value::Map(Map::from_iter([
        ("errCode".to_owned(), Value::from(problem.code())),
        ("errMsg".to_owned(), Value::from(problem.sentence(lang))),
    ]));
    let bytes = json::to_string(&body).into_bytes();
    problem.response_as("application/json", bytes, request_id)
}

/// The same, where all is well: with what is answered beside it.
pub(crate) fn well(more: Map) -> Response<Body> {
    let mut body = Map::from_iter([
        ("errCode".to_owned(), Value::from(SUCCESS)),
        ("errMsg".to_owned(), Value::from("success")),
    ]);
    body.extend(more);
    let mut response = Response::new(Body::from(json::to_string(&Value::Map(body))));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
