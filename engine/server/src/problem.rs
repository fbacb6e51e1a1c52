//! Why a request is refused, as `application/problem+json` (RFC 9457) in the caller's language.
//!
//! The words stand in the catalogue. What is our own fault is written to the log and not told to the caller: it could
//! hold what the caller must not see.

use std::fmt::Display;

use app::AppError;
use axum::body::Body;
use axum::http::header::{CONTENT_LANGUAGE, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::{Response, StatusCode};
use dsl::Lang;
use dsl::catalogue::{self, Entry, server};
use dsl::diagnostic::{self, Diagnostic, Failure};
use ledger::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::language;

/// The type of the body.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Problems of a file that are told in one answer; the command line shows as many.
const MOST_DIAGNOSTICS: usize = 100;

/// A request that is refused.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    words: Words,
    diagnostics: Vec<Diagnostic>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Debug)]
enum Words {
    /// Of the catalogue.
    Entry(Box<Failure>),
    /// Of an error that words itself.
    App(Box<AppError>),
}

/// Why a request was refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// The code: `engine explain CODE` tells more.
    #[schema(example = "E6003")]
    pub code: String,
    /// What happened.
    pub title: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The same id as in the header `X-Request-Id` and in the log.
    pub request_id: String,
    /// Problems of a file, with their places.
    pub diagnostics: Vec<DiagnosticDoc>,
}

/// One problem of a file.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Diagnostic)]
pub struct DiagnosticDoc {
    /// The code.
    pub code: String,
    /// `error` or `warning`.
    pub severity: String,
    /// Name of the file.
    pub file: String,
    /// First line, from 1.
    pub line: u64,
    /// First column, from 1, counted in characters.
    pub column: u64,
    /// Last line.
    pub end_line: u64,
    /// Column behind the last character.
    pub end_column: u64,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Names that may have been meant.
    pub similar: Vec<String>,
}

impl DiagnosticDoc {
    /// In a language.
    pub fn of(diagnostic: &Diagnostic, lang: Lang) -> Self {
        let mut diagnostic = diagnostic.clone();
        // The facts that name other files: which one, and where it was looked for.
        for (name, fact) in &mut diagnostic.facts {
            if matches!(*name, "other" | "places") {
                *fact = file_names(fact);
            }
        }
        let json = diagnostic::to_json(&diagnostic, lang);
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        let number = |name: &str| json[name].as_u64().unwrap_or_default();
        DiagnosticDoc {
            code: text("code"),
            severity: text("severity"),
            file: file_name(&text("file")),
            line: number("line"),
            column: number("column"),
            end_line: number("end_line"),
            end_column: number("end_column"),
            message: text("message"),
            help: json["help"].as_str().map(str::to_owned),
            similar: diagnostic.similar,
        }
    }
}

/// The last part of a path: where the files of the server lie is nobody's business.
fn file_name(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.to_owned()
}

/// The same for several: `/a/connections.yaml, /b/connections.yaml`.
fn file_names(paths: &str) -> String {
    let mut names: Vec<String> = paths.split(", ").map(file_name).collect();
    names.dedup();
    names.join(", ")
}

impl Problem {
    /// A problem of the catalogue.
    pub fn new(status: StatusCode, entry: &'static Entry) -> Self {
        Problem {
            status,
            words: Words::Entry(Box::new(Failure::new(entry))),
            diagnostics: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Display) -> Self {
        if let Words::Entry(failure) = &mut self.words {
            failure.facts.push((name, value.to_string()));
        }
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Adds problems of a file.
    #[must_use]
    pub fn diagnostics(mut self, diagnostics: Vec<Diagnostic>) -> Self {
        self.diagnostics = diagnostics;
        self
    }

    /// There is no such thing: `scheme a`, in both languages.
    pub fn not_found(what: impl Display) -> Self {
        Problem::new(StatusCode::NOT_FOUND, &server::NOT_FOUND).with("what", what)
    }

    /// The request cannot be used.
    pub fn malformed(what: impl Display) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, &server::MALFORMED).with("what", what)
    }

    /// The state of the thing does not allow it.
    pub fn conflict(what: impl Display) -> Self {
        Problem::new(StatusCode::CONFLICT, &server::CONFLICT).with("what", what)
    }

    /// A fault of ours: told to the log.
    pub fn bug(what: impl Display) -> Self {
        AppError::bug(what.to_string()).into()
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Its code.
    pub fn code(&self) -> &str {
        match &self.words {
            Words::Entry(failure) => failure.code(),
            Words::App(error) => match error.as_ref() {
                AppError::Invalid(diagnostics) => diagnostics
                    .iter()
                    .find(|one| one.is_error())
                    .map_or(server::MALFORMED.code, |one| one.entry.code),
                error => error.code().unwrap_or(server::MALFORMED.code),
            },
        }
    }

    /// What happened.
    pub fn title(&self, lang: Lang) -> String {
        match &self.words {
            Words::Entry(failure) => failure.message(lang),
            Words::App(error) => match error.as_ref() {
                AppError::Bug(_) => Failure::new(&catalogue::internal::INTERNAL)
                    .with("what", lang.pick("见服务的日志", "see the log of the server"))
                    .message(lang),
                // Where the server's files lie is nobody's business.
                AppError::File { path, what } => AppError::File {
                    path: file_name(path),
                    what: what.clone(),
                }
                .message(lang),
                error => error.message(lang),
            },
        }
    }

    fn detail(&self, lang: Lang) -> Option<String> {
        match &self.words {
            Words::Entry(failure) => failure.help(lang),
            Words::App(error) => error.help(lang),
        }
    }

    /// The same with another status.
    #[must_use]
    pub(crate) fn status_of(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// What happened and what to do about it, in one line.
    pub(crate) fn sentence(&self, lang: Lang) -> String {
        let title = self.title(lang);
        match self.detail(lang) {
            Some(detail) => format!("{title}{}{detail}", lang.pick(";", "; ")),
            None => title,
        }
    }

    fn log(&self, request_id: &str) {
        if self.status.is_server_error() {
            match &self.words {
                Words::App(error) => tracing::error!(request_id, code = self.code(), "{error}"),
                Words::Entry(_) => tracing::warn!(request_id, code = self.code(), "unavailable"),
            }
        }
    }

    /// As an answer in the form of somebody else.
    pub(crate) fn response_as(self, kind: &'static str, body: Vec<u8>, request_id: &str) -> Response<Body> {
        self.log(request_id);
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        response
    }

    /// As an answer.
    pub fn response(self, lang: Lang, request_id: &str) -> Response<Body> {
        self.log(request_id);
        let diagnostics = match &self.words {
            Words::App(error) => match error.as_ref() {
                AppError::Invalid(diagnostics) => diagnostics,
                _ => &self.diagnostics,
            },
            Words::Entry(_) => &self.diagnostics,
        };
        let body = ProblemBody {
            status: self.status.as_u16(),
            code: self.code().to_owned(),
            title: self.title(lang),
            detail: self.detail(lang),
            request_id: request_id.to_owned(),
            diagnostics: diagnostics
                .iter()
                .take(MOST_DIAGNOSTICS)
                .map(|one| DiagnosticDoc::of(one, lang))
                .collect(),
        };
        // Texts and numbers only: this cannot fail.
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = Response::new(Body::from(bytes));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language::tag(lang)));
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        response
    }
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        // Its own words name folders.
        if let AppError::Store(store) = &error
            && !matches!(store, StoreError::Bug(_))
        {
            tracing::warn!(code = store.code(), "{store}");
            return Problem::new(StatusCode::SERVICE_UNAVAILABLE, &server::UNAVAILABLE)
                .with("what", store.code())
                .header(RETRY_AFTER, "5");
        }
        let status = match &error {
            AppError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            AppError::Use { .. } => StatusCode::BAD_REQUEST,
            AppError::File { .. } => StatusCode::CONFLICT,
            AppError::Store(_) | AppError::Bug(_) => StatusCode::INTERNAL_SERVER_ERROR,
            AppError::Connection(_) => StatusCode::UNPROCESSABLE_ENTITY,
            AppError::Refused(_) | AppError::Denied(_) => StatusCode::CONFLICT,
            AppError::Answered(_) => StatusCode::BAD_GATEWAY,
        };
        Problem {
            status,
            words: Words::App(Box::new(error)),
            diagnostics: Vec::new(),
            headers: Vec::new(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        AppError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn shown(problem: Problem, lang: Lang) -> (u16, serde_json::Value) {
        let response = problem.response(lang, "r1");
        assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM_JSON);
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn faults_of_ours_are_not_told() {
        let (status, body) = shown(Problem::bug("the password is hunter2"), Lang::En).await;
        assert_eq!((status, body["code"].as_str()), (500, Some("E9000")));
        assert!(!body.to_string().contains("hunter2"), "{body}");
    }

    #[tokio::test]
    async fn words_in_two_languages() {
        let (status, body) = shown(Problem::not_found("scheme a"), Lang::En).await;
        assert_eq!(status, 404);
        assert_eq!(body["title"], "there is no scheme a");
        assert_eq!(body["request_id"], "r1");
        let (_, body) = shown(Problem::not_found("方案 a"), Lang::Zh).await;
        assert_eq!(body["title"], "没有 方案 a");
    }

    #[tokio::test]
    async fn the_folders_of_the_server_are_not_told() {
        let error = AppError::File {
            path: "/srv/secret/schemes/a.yaml".to_owned(),
            what: "No such file or directory (os error 2)".to_owned(),
        };
        let (status, body) = shown(error.into(), Lang::En).await;
        assert_eq!(status, 409);
        assert_eq!(body["title"], "cannot read a.yaml: no such file");
    }
}
