//! `asyncpush`: the platform sends what it has.
//!
//! What is said about the request stands in its headers and is judged first; a body with a header `id` has the standard
//! form and is held against the declared object, one without is taken as it is. It is answered once it is in the inbox
//! of every scheme that takes the object: where one of them cannot receive now, the sender is to come again.

use std::sync::Arc;

use app::inbox::{Answered, Receiver};
use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::request::Parts;
use axum::http::{Method, Response};
use connector::{Content, Form, Inbound, RAW};
use dsl::Lang;
use dsl::catalogue::erp as words;
use dsl::diagnostic::did_you_mean;
use dsl::json;
use dsl::object::{Object, Standard};
use dsl::value::Value;

use super::{form, who};
use crate::problem::Problem;
use crate::receive::{self, inbound, later};
use crate::router::asked;
use crate::state::State;

/// Where it is, as the platform calls it.
pub(crate) const PATH: &str = app::objects::page::PUSHED;
/// The operation of the connector's file.
const OPERATION: &str = "asyncpush";
/// The only version that is documented.
const VERSION: &str = "v1";
/// What may be said of a push: created, updated, voided.
const OPERATION_TYPES: [&str; 3] = ["1", "2", "3"];
/// It was voided.
const VOIDED: &str = "3";
/// Rows of one push; more is a file.
const ROWS_MAX: usize = 10_000;

pub(crate) async fn asyncpush(Shared(state): Shared<State>, request: Request) -> Response<Body> {
    let asked = asked(&request);
    let (parts, incoming) = request.into_parts();
    match take(&state, &parts, incoming).await {
        Ok(response) => response,
        Err(problem) => {
            if let Some(code) = counted(&problem) {
                state.service().inbox().count_refusal(code);
            }
            form::receipt(problem, asked.lang, &asked.id)
        }
    }
}

/// What a refusal is counted as; who is not believed was counted, and what is to come again is none.
fn counted(problem: &Problem) -> Option<&'static str> {
    let told = problem.status() == axum::http::StatusCode::OK;
    let entry = dsl::catalogue::find(problem.code()).filter(|_| told)?;
    Some(entry.code)
}

async fn take(state: &State, parts: &Parts, incoming: Body) -> Result<Response<Body>, Problem> {
    if parts.method != Method::POST {
        return Err(who::refused(&dsl::catalogue::server::METHOD)
            .status_of(axum::http::StatusCode::METHOD_NOT_ALLOWED)
            .with("method", &parts.method)
            .with("path", PATH)
            .header(axum::http::header::ALLOW, "POST"));
    }
    let inbox = Arc::clone(state.service().inbox());
    let speaker = who::speaker(state, &parts.headers, who::Token::Push).inspect_err(|problem| {
        if problem.status() == axum::http::StatusCode::UNAUTHORIZED {
            inbox.count_refusal("verify");
        }
    })?;
    let object = who::needed(&parts.headers, "objectApiName")?;
    said(parts)?;
    let id = who::header(&parts.headers, "id");
    let (mut push, _taken) = inbound(state, parts, incoming).await?;
    // Schemes choose by these headers: what was left out is known by now, and what is blank was not sent.
    set(&mut push, "tenantId", Some(&speaker.tenant));
    set(&mut push, "dataCenterId", Some(&speaker.data_center));
    set(&mut push, "id", id.as_deref());
    let takers = inbox.takers(
        OPERATION,
        &push,
        |connection| speaker.is(connection),
        |connection| speaker.may_be(connection),
    )?;
    let is_shut = takers.is_one_shut || state.service().is_read_only();
    let receivers = takers.taking;
    let Some(first) = receivers.first() else {
        // One that cannot be asked now may be the one.
        return Err(match is_shut {
            true => later(inbox.again_seconds()),
            false => no_object(&object, &takers.asked),
        });
    };
    let content = first.connection().content(OPERATION, &push).map_err(|failure| {
        who::refused(&words::BODY)
            .with("why_zh", failure.message(Lang::Zh))
            .with("why_en", failure.message(Lang::En))
    })?;
    match id {
        Some(_) => {
            let loaded = state.service().loaded();
            let objects = loaded.engine.workspace.objects();
            if let Some(broken) = objects.broken_one(&object) {
                return Err(unusable(&object, &broken.error, inbox.again_seconds()));
            }
            let declared = objects.get(&object);
            let document = standard(&content, Some(&object))?;
            if let Some(declared) = declared {
                match who::header(&parts.headers, "operationType").as_deref() {
                    Some(VOIDED) => fits(&declared.voided(), &document)?,
                    _ => fits(declared, &document)?,
                }
            }
            if content.form == Form::Xml {
                // From here on it is what it would have been as JSON.
                push.body = json::to_string(&document.value()).into_bytes();
                set(&mut push, "content-type", Some("application/json"));
            }
        }
        None => is_rows(&content)?,
    }
    if is_shut {
        // It would be answered for good, and one that is to have it would never get it.
        return Err(later(inbox.again_seconds()));
    }
    let now = state.now_ms();
    // On a task of its own: a sender that goes away leaves a push that is stored and whose scheme is told of it.
    let stored = tokio::spawn(async move { inbox.deliver(&receivers, &push, now).await });
    match stored.await.map_err(Problem::bug)?? {
        Answered::Given(answer) => receive::given(&answer),
        Answered::Unbelieved => Err(Problem::new(
            axum::http::StatusCode::UNAUTHORIZED,
            &words::UNBELIEVED,
        )),
        Answered::Busy { seconds } => Err(later(seconds)),
    }
}

/// Whether it speaks as we do.
fn said(parts: &Parts) -> Result<(), Problem> {
    let version = who::needed(&parts.headers, "version")?;
    if version != VERSION {
        return Err(who::refused(&words::VERSION).with("given", who::shown(&version)));
    }
    match who::header(&parts.headers, "operationType") {
        Some(given) if !OPERATION_TYPES.contains(&given.as_str()) => {
            Err(who::refused(&words::OPERATION_TYPE).with("given", who::shown(&given)))
        }
        Some(_) | None => Ok(()),
    }
}

/// From now on a header says this, or is not there.
fn set(push: &mut Inbound, name: &str, value: Option<&str>) {
    push.headers
        .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    let value = value.filter(|value| !value.is_empty());
    push.headers
        .extend(value.map(|value| (name.to_owned(), value.to_owned())));
}

/// An object that nobody can use as its file stands: the sender keeps what it has.
pub(crate) fn unusable(object: &str, error: &app::AppError, seconds: u32) -> Problem {
    let why = |lang: Lang| match error {
        app::AppError::Invalid(problems) => {
            problems.first().map_or_else(String::new, |one| one.message(lang))
        }
        other => other.message(lang),
    };
    Problem::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, &words::UNUSABLE)
        .with("object", who::shown(object))
        .with("why_zh", why(Lang::Zh))
        .with("why_en", why(Lang::En))
        .header(axum::http::header::RETRY_AFTER, &seconds.to_string())
}

fn no_object(object: &str, receivers: &[Arc<Receiver>]) -> Problem {
    let mut known: Vec<String> = receivers
        .iter()
        .filter_map(|one| one.option("objectApiName"))
        .collect();
    known.sort();
    known.dedup();
    unknown_object(object, &known)
}

/// Nobody knows this object; the names near it first.
pub(crate) fn unknown_object(object: &str, known: &[String]) -> Problem {
    let near = did_you_mean(object, known.iter().map(String::as_str));
    let told = if near.is_empty() { known } else { &near };
    who::refused(&words::NO_OBJECT)
        .with("object", who::shown(object))
        .with(
            "known",
            if told.is_empty() {
                "-".to_owned()
            } else {
                told.join(" ")
            },
        )
}

/// A document of the standard form; of this object, where the request names one.
pub(crate) fn standard(content: &Content, object: Option<&str>) -> Result<Standard, Problem> {
    let misfit = |zh: &str, en: &str| {
        who::refused(&words::STANDARD)
            .with("why_zh", zh)
            .with("why_en", en)
    };
    let root = match (content.form, content.value.as_ref()) {
        (Form::Text, _) => {
            return Err(misfit(
                "正文既不是 JSON 也不是 XML",
                "the body is neither JSON nor XML",
            ));
        }
        // Its root may be called anything.
        (Form::Xml, Value::Map(members)) => members
            .iter()
            .find(|(name, _)| *name != RAW)
            .map(|(_, root)| root),
        (_, value) => Some(value),
    };
    let root = root.unwrap_or(&Value::Null);
    let document =
        Standard::read(root, content.form == Form::Xml).map_err(|found| misfit(&found.zh, &found.en))?;
    if object.is_some_and(|object| document.object != object) {
        let given = who::shown(&document.object);
        return Err(misfit(
            &format!("objAPIName 是 `{given}`,与请求头 objectApiName 不同"),
            &format!("objAPIName is `{given}`, another object than the header objectApiName names"),
        ));
    }
    Ok(document)
}

/// Whether a document is as its object was declared.
pub(crate) fn fits(object: &Object, document: &Standard) -> Result<(), Problem> {
    object.fits(document).map_err(|found| {
        who::refused(&words::FIELDS)
            .with("object", &object.name)
            .with("why_zh", found.zh)
            .with("why_en", found.en)
    })
}

/// Whether content of any kind can be rows.
fn is_rows(content: &Content) -> Result<(), Problem> {
    let (zh, en) = match content.value.as_ref() {
        Value::Map(_) => return Ok(()),
        Value::List(rows) if rows.len() > ROWS_MAX => (
            format!("超过 {ROWS_MAX} 行"),
            format!("more than {ROWS_MAX} rows"),
        ),
        Value::List(rows) if rows.iter().all(|row| row.as_map().is_some()) => return Ok(()),
        _ => (
            "JSON 应为对象,或对象的列表".to_owned(),
            "JSON has to be a map, or a list of maps".to_owned(),
        ),
    };
    Err(who::refused(&words::BODY).with("why_zh", zh).with("why_en", en))
}
