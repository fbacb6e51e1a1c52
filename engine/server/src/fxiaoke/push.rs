//! `asyncpush`: the platform sends what it has.
//!
//! What is said about the request stands in its headers and is judged first; a body with a header `id` has the standard
//! form and is held against the declared object, one without is taken as it is. A cancellation must say of what: the
//! header `id` does where the object is declared, else the scheme's key in the body. It is answered once it is in the inbox
//! of every scheme that takes the object: where one of them cannot receive now, the sender is to come again.

use std::sync::Arc;

use app::inbox::{Answered, Receiver};
use app::service::Loaded;
use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::request::Parts;
use axum::http::{Method, Response};
use connector::{Connection, Content, Form, Inbound, RAW};
use dsl::catalogue::{erp as words, source};
use dsl::diagnostic::did_you_mean;
use dsl::ingest::{IngestCx, PushFacts};
use dsl::json::{self, JsonFault};
use dsl::object::{Object, Standard};
use dsl::value::Value;
use dsl::{Failure, Lang};

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
    let speaker = who::speaker(state, &parts.headers, who::Call::Push).inspect_err(|problem| {
        if problem.status() == axum::http::StatusCode::UNAUTHORIZED {
            inbox.count_refusal("verify");
        }
    })?;
    let object = who::needed(&parts.headers, "objectApiName", who::Call::Push)?;
    said(parts)?;
    let id = who::header(&parts.headers, "id");
    let (mut push, _taken) = inbound(state, parts, incoming).await?;
    if push.body.iter().all(u8::is_ascii_whitespace) {
        // Clients name a type by themselves, a form by default; of nothing there is none.
        set(&mut push, "content-type", None);
    }
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
    let content = read(first.connection(), &push, Takes::All)?;
    let is_void = who::header(&parts.headers, "operationType").as_deref() == Some(VOIDED);
    let loaded = state.service().loaded();
    let named = || Named {
        loaded: Arc::clone(&loaded),
        receivers: receivers.clone(),
        facts: PushFacts {
            id: id.clone(),
            void: true,
            headers: lowered(&push.headers),
        },
        xml: content.form == Form::Xml,
        now: state.now_ms(),
    };
    match &id {
        Some(id) => {
            let objects = loaded.engine.workspace.objects();
            if let Some(broken) = objects.broken_one(&object) {
                return Err(unusable(&object, &broken.error, inbox.again_seconds()));
            }
            let document = match objects.get(&object) {
                Some(declared) if is_void => cancellation(declared, &content, id)?,
                Some(declared) => of_declared(declared, standard(&content, Some(&object))?, &content)?,
                None if is_void && is_blank(&content) => return Err(unnamed(Some(&object))),
                None => standard(&content, Some(&object))?,
            };
            if let Some(declared) = objects.get(&object) {
                is_about(declared, &document, id)?;
            } else if is_void && !named().are_in(vec![document.value()]).await? {
                return Err(unnamed(Some(&object)));
            }
            let came = Standard::read(&content.value, false);
            if content.form != Form::Values || came.as_ref() != Ok(&document) {
                // From here on it is what it would have been as JSON, in full.
                push.body = json::to_string(&document.value()).into_bytes();
                push.came_as_xml = content.form == Form::Xml;
                set(&mut push, "content-type", Some("application/json"));
            }
        }
        None => {
            let rows = rows(&content)?;
            if is_void && !named().are_in(rows.to_vec()).await? {
                return Err(unnamed(None));
            }
        }
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
    let version = who::needed(&parts.headers, "version", who::Call::Push)?;
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

/// What a body may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Whatever the connector's file takes.
    All,
    /// JSON and nothing else.
    Json,
}

/// A body that cannot be read, with why in Chinese and English.
fn body(takes: Takes, zh: impl std::fmt::Display, en: impl std::fmt::Display) -> Problem {
    let (takes_zh, takes_en) = match takes {
        Takes::All => (
            "可以是 JSON、XML(不含 DOCTYPE)或文本",
            "JSON, XML (without DOCTYPE) and text are taken",
        ),
        Takes::Json => ("这里只接收 JSON", "JSON is taken here, and nothing else"),
    };
    who::refused(&words::BODY)
        .with("why_zh", zh)
        .with("why_en", en)
        .with("takes_zh", takes_zh)
        .with("takes_en", takes_en)
}

/// The content of a body, in the charset that its Content-Type says.
pub(crate) fn read(connection: &Connection, push: &Inbound, takes: Takes) -> Result<Content, Problem> {
    let content = connection
        .content(OPERATION, push)
        .map_err(|failure| unread(&failure, push, takes))?;
    if takes == Takes::Json && content.form != Form::Values {
        let (zh, en) = no_json(&content);
        return Err(body(takes, zh, en));
    }
    Ok(content)
}

/// Why a body cannot be read: the failures of answers, in words for a request.
fn unread(failure: &Failure, push: &Inbound, takes: Takes) -> Problem {
    let fact = |name: &str| {
        let found = failure.facts.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, fact)| fact.as_str())
    };
    let mut headers = push.headers.iter();
    let kind = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let kind = kind.map_or("", |(_, kind)| kind.split(';').next().unwrap_or_default().trim());
    let (why, offset) = (fact("why"), fact("offset"));
    if kind.eq_ignore_ascii_case(URL_ENCODED) {
        return body(
            takes,
            format!("Content-Type 是 {URL_ENCODED}(curl 的默认值),这里不接收表单;JSON 请写 application/json"),
            format!(
                "Content-Type is {URL_ENCODED}, which is what curl says unless told, and no form is taken here; say application/json for JSON"
            ),
        );
    }
    match failure.code() {
        code if code == source::CHARSET.code => {
            let charset = who::shown(fact("charset"));
            body(
                takes,
                format!("从第 {offset} 字节起不是合法的 {charset} 文本"),
                format!("it is not valid {charset} from byte {offset} on"),
            )
        }
        code if code == source::NOT_XML.code => body(
            takes,
            format!("XML 不可读:{why},位置 {offset}"),
            format!("it is no XML that can be read: {why} at byte {offset}"),
        ),
        _ => body(takes, failure.message(Lang::Zh), failure.message(Lang::En)),
    }
}

/// What curl says of a body unless told.
const URL_ENCODED: &str = "application/x-www-form-urlencoded";

/// Why what came as text or XML is no JSON, with the place where it was meant to be.
fn no_json(content: &Content) -> (String, String) {
    let text = content
        .value
        .get(RAW)
        .and_then(Value::as_text)
        .unwrap_or_default();
    if content.form == Form::Xml {
        return ("正文是 XML".to_owned(), "the body is XML".to_owned());
    }
    if text.trim().is_empty() {
        return ("正文是空的".to_owned(), "the body is empty".to_owned());
    }
    match json::parse(text.as_bytes()) {
        Err(error) if text.trim_start().starts_with(['{', '[']) => {
            let before = text.get(..error.offset.min(text.len())).unwrap_or(text);
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|char| *char != '\n').count() + 1;
            let what = match error.what {
                JsonFault::Duplicate(name) => JsonFault::Duplicate(who::shown(&name)),
                other => other,
            };
            (
                format!("JSON 第 {line} 行第 {column} 列:{}", what.words(Lang::Zh)),
                format!("JSON, line {line}, column {column}: {}", what.words(Lang::En)),
            )
        }
        _ => (
            "正文既不是 JSON 也不是 XML".to_owned(),
            "the body is neither JSON nor XML".to_owned(),
        ),
    }
}

/// Whether nothing was sent.
fn is_blank(content: &Content) -> bool {
    let text = content.value.get(RAW).and_then(Value::as_text);
    content.form == Form::Text && text.is_some_and(|text| text.trim().is_empty())
}

/// What has not the standard form. `object` is that of the header; our ERP knows of none.
fn misfit(object: Option<&str>, zh: &str, en: &str) -> Problem {
    let (else_zh, else_en) = match object {
        Some(_) => (
            ";asyncpush 不带请求头 id 时可以是任意内容",
            "; asyncpush takes anything where the header id is not sent",
        ),
        None => ("", ""),
    };
    who::refused(&words::STANDARD)
        .with("why_zh", zh)
        .with("why_en", en)
        .with("else_zh", else_zh)
        .with("else_en", else_en)
}

/// A document of the standard form; of this object, where the request names one.
pub(crate) fn standard(content: &Content, object: Option<&str>) -> Result<Standard, Problem> {
    let root = match (content.form, content.value.as_ref()) {
        (Form::Text, _) => {
            let (zh, en) = no_json(content);
            return Err(misfit(object, &zh, &en));
        }
        // Its root may be called anything, as what stands beside it too: then it stands alone.
        (Form::Xml, Value::Map(members)) => members
            .iter()
            .find(|(name, _)| members.len() == 1 || *name != RAW)
            .map(|(_, root)| root),
        (_, value) => Some(value),
    };
    let root = root.unwrap_or(&Value::Null);
    let document = Standard::read(root, content.form == Form::Xml)
        .map_err(|found| misfit(object, &found.zh, &found.en))?;
    if object.is_some_and(|object| document.object != object) {
        let given = who::shown(&document.object);
        return Err(misfit(
            object,
            &format!("objAPIName 是 `{given}`,与请求头 objectApiName 不同"),
            &format!("objAPIName is `{given}`, another object than the header objectApiName names"),
        ));
    }
    Ok(document)
}

/// A document as its object is declared.
pub(crate) fn of_declared(
    declared: &Object,
    document: Standard,
    content: &Content,
) -> Result<Standard, Problem> {
    let document = match content.form {
        Form::Xml => declared.of_xml(document),
        Form::Values | Form::Text => document,
    };
    fits(declared, &document)?;
    Ok(document)
}

/// A cancellation of a declared object: the id is all that it needs, in the body or in the header.
fn cancellation(declared: &Object, content: &Content, id: &str) -> Result<Standard, Problem> {
    let by_header = declared.cancelled(id);
    if is_blank(content) {
        return by_header.ok_or_else(|| {
            misfit(
                Some(&declared.name),
                &format!("作废没有正文,而请求头 id 不是单据的 id(push_id: any);正文要带 masterFieldVal.{}", declared.id),
                &format!("the cancellation has no body, and its header id is not that of the document (push_id: any): the body has to carry masterFieldVal.{}", declared.id),
            )
        });
    }
    let mut document = standard(content, Some(&declared.name))?;
    let is_said = document
        .master
        .get(&declared.id)
        .is_some_and(|own| !own.is_empty());
    if let (Some(by_header), false) = (by_header, is_said) {
        document.master.extend(by_header.master);
    }
    of_declared(&declared.voided(), document, content)
}

/// Whether header and body of a push mean the same document.
fn is_about(declared: &Object, document: &Standard, id: &str) -> Result<(), Problem> {
    declared.is_pushed_as(document, id).map_err(|found| {
        who::refused(&words::OTHER_ID)
            .with("object", &declared.name)
            .with("why_zh", found.zh)
            .with("why_en", found.en)
    })
}

/// A cancellation that does not say of what; of this object, where it has a header `id`.
fn unnamed(object: Option<&str>) -> Problem {
    match object {
        Some(_) => misfit(
            object,
            "作废没有说明是哪一张单据:对象没有在这里声明,请求头 id 不足以说明;正文要带方案的主键",
            "the cancellation does not say of which document: the object is not declared here, so the header id does not tell; the body has to carry the scheme's key",
        ),
        None => body(
            Takes::All,
            "作废没有说明是哪一张单据;正文要带方案的主键",
            "the cancellation does not say of which document; it has to carry the scheme's key",
        ),
    }
}

/// Headers by names in small letters.
fn lowered(headers: &[(String, String)]) -> Vec<(String, String)> {
    let headers = headers.iter();
    headers
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .collect()
}

/// By what it is known whether a push names a document.
struct Named {
    loaded: Arc<Loaded>,
    receivers: Vec<Arc<Receiver>>,
    facts: PushFacts,
    xml: bool,
    now: i64,
}

impl Named {
    /// The same on a thread of its own: thousands of rows for each of those who take it keep one busy for long.
    async fn are_in(self, rows: Vec<Value>) -> Result<bool, Problem> {
        let asked = tokio::task::spawn_blocking(move || self.is_in(&rows));
        asked.await.map_err(Problem::bug)
    }

    /// Whether one of those who take it finds its key in each of these rows.
    fn is_in(&self, rows: &[Value]) -> bool {
        self.receivers.iter().any(|receiver| {
            // Of a scheme that is in error now it is not known.
            let Some(plan) = self.loaded.fleet.get(&receiver.scheme).and_then(|one| one.plan()) else {
                return true;
            };
            let cx = IngestCx {
                now_ms: self.now,
                zone: &plan.source.zone,
                push: Some(&self.facts),
                xml: self.xml,
            };
            let has_key = |row: &Value| {
                let found = plan.source.ingest(row.clone(), &cx);
                !found.is_empty() && found.iter().all(|one| one.key.is_ok())
            };
            !rows.is_empty() && rows.iter().all(has_key)
        })
    }
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

/// The rows of content of any kind; something must be said.
fn rows(content: &Content) -> Result<&[Value], Problem> {
    let has_members = |row: &Value| row.as_map().is_some_and(|members| !members.is_empty());
    let empty = ("正文是空的".to_owned(), "the body is empty".to_owned());
    let (zh, en) = match content.value.as_ref() {
        _ if is_blank(content) => empty,
        row @ Value::Map(_) if has_members(row) => return Ok(std::slice::from_ref(row)),
        Value::List(rows) if rows.len() > ROWS_MAX => (
            format!("超过 {ROWS_MAX} 行"),
            format!("more than {ROWS_MAX} rows"),
        ),
        Value::List(rows) if !rows.is_empty() && rows.iter().all(has_members) => return Ok(rows),
        Value::Map(_) => empty,
        Value::List(rows) if rows.iter().all(|row| row.as_map().is_some()) => empty,
        _ => (
            "JSON 应为对象,或对象的列表".to_owned(),
            "JSON has to be a map, or a list of maps".to_owned(),
        ),
    };
    Err(body(Takes::All, zh, en))
}
