//! We are the ERP: the platform reads what is stored, and writes what a scheme takes on.
//!
//! A stretch of time that is read is closed before it is answered, so pages by offset stay where they are
//! ([`ledger::service::feed`]). What is written is answered once it is in the inbox of the scheme; the same again is
//! answered the same way and changes nothing, and a create of what is there is refused.

use std::sync::Arc;

use app::inbox::Kept;
use app::objects::page::{ANSWER_ROOT, ids};
use app::objects::serve::{AHEAD, Ask, MOST_BYTES, MOST_OFFSET, MOST_ROWS, ROWS};
use axum::body::Body;
use axum::extract::{Path, Query as UrlQuery, Request, State as Shared};
use axum::http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Response, StatusCode};
use connector::{Inbound, Pushed};
use dsl::catalogue::erp as words;
use dsl::json;
use dsl::object::{Object, Serve, Standard};
use dsl::value::{Map, Value};
use flow::ids::PushId;

use super::{push, who};
use crate::problem::Problem;
use crate::receive::{inbound, later};
use crate::router::{Asked, asked};
use crate::state::State;

/// The code of an answer to what went well.
const WELL: &str = "0";
/// Parameters of one question that are looked at.
const MOST_PAIRS: usize = 50;

/// What is answered, and how the request was written.
type Answer = Result<Value, Problem>;

/// What may be asked of us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Create,
    Update,
    Batch,
    ById,
}

impl Task {
    const ALL: [(&'static str, Task); 4] = [
        ("create", Task::Create),
        ("update", Task::Update),
        ("queryMasterBatch", Task::Batch),
        ("queryMasterById", Task::ById),
    ];

    fn name(self) -> &'static str {
        let found = Task::ALL.iter().find(|(_, task)| *task == self);
        found.map_or("", |(name, _)| name)
    }

    fn method(self) -> Method {
        match self {
            Task::Create | Task::Update => Method::POST,
            Task::Batch | Task::ById => Method::GET,
        }
    }
}

pub(crate) async fn called(
    Shared(state): Shared<State>,
    Path((connection, name)): Path<(String, String)>,
    request: Request,
) -> Response<Body> {
    let asked = asked(&request);
    let (parts, incoming) = request.into_parts();
    let kind = Kind::of(&who::header(&parts.headers, "content-type").unwrap_or_default());
    let answer = match Task::ALL.iter().find(|(known, _)| *known == name) {
        Some((_, task)) => answer(&state, &connection, *task, &parts, incoming).await,
        None => Err(Problem::not_found(format!("/erp/…/{}", who::shown(&name)))),
    };
    match answer {
        Ok(data) => {
            let mut response = Response::new(Body::from(kind.body(WELL, "success", Some(data))));
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static(kind.name()));
            response
        }
        Err(problem) => told(problem, &parts.headers, &asked),
    }
}

/// A refusal, written as the request was.
pub(super) fn told(problem: Problem, headers: &HeaderMap, asked: &Asked) -> Response<Body> {
    let kind = Kind::of(&who::header(headers, "content-type").unwrap_or_default());
    let body = kind.body(problem.code(), &problem.sentence(asked.lang), None);
    problem.response_as(kind.name(), body, &asked.id)
}

/// How a request is written, and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Xml,
    Text,
}

impl Kind {
    fn of(content_type: &str) -> Kind {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        match kind.to_ascii_lowercase().as_str() {
            "application/xml" | "text/xml" => Kind::Xml,
            "text/plain" => Kind::Text,
            _ => Kind::Json,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Json => "application/json",
            Kind::Xml => "application/xml; charset=utf-8",
            Kind::Text => "text/plain; charset=utf-8",
        }
    }

    fn body(self, code: &str, message: &str, data: Option<Value>) -> Vec<u8> {
        let mut members = Map::from_iter([
            ("code".to_owned(), Value::from(code)),
            ("message".to_owned(), Value::from(message)),
        ]);
        members.extend(data.map(|data| ("data".to_owned(), data)));
        let value = Value::Map(members);
        match self {
            // A name that XML cannot say: the caller at least learns what it came to.
            Kind::Xml => connector::xml_document(ANSWER_ROOT, &value)
                .unwrap_or_else(|_| Kind::Xml.body(code, message, None)),
            Kind::Json | Kind::Text => json::to_string(&value).into_bytes(),
        }
    }
}

async fn answer(state: &State, connection: &str, task: Task, parts: &Parts, incoming: Body) -> Answer {
    let speaker = who::caller(state, &parts.headers, connection)?;
    if parts.method != task.method() {
        return Err(
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, &dsl::catalogue::server::METHOD)
                .with("method", &parts.method)
                .with("path", parts.uri.path().escape_debug())
                .header(ALLOW, task.method().as_str()),
        );
    }
    if matches!(task, Task::Batch | Task::ById) {
        let pairs = UrlQuery::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let UrlQuery(mut pairs) = pairs.map_err(Problem::malformed)?;
        pairs.truncate(MOST_PAIRS);
        let query = Query(pairs);
        return match task {
            Task::ById => by_id(state, connection, &query).await,
            _ => batch(state, connection, &query).await,
        };
    }
    let (push, _taken) = inbound(state, parts, incoming).await?;
    let first = speaker
        .connections
        .first()
        .ok_or_else(|| Problem::bug("a speaker without a connection"))?;
    let content = push::read(first, &push, push::Takes::All)?;
    // Whose it is, it says itself.
    let document = push::standard(&content, None)?;
    let (object, serve) = served(state, connection, &document.object, Needs::Receive)?;
    let document = push::of_declared(&object, document, &content)?;
    write(state, &object, &serve, &document, task).await
}

/// What an object must have to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Rows,
    Receive,
}

fn served(
    state: &State,
    connection: &str,
    name: &str,
    needs: Needs,
) -> Result<(Arc<Object>, Serve), Problem> {
    let loaded = state.service().loaded();
    let workspace = &loaded.engine.workspace;
    if let Some(error) = workspace.object_troubles().get(name) {
        let seconds = state.service().inbox().again_seconds();
        return Err(push::unusable(name, error, seconds));
    }
    let objects = workspace.objects();
    let has = |serve: &Serve| match needs {
        Needs::Rows => serve.rows.is_some(),
        Needs::Receive => serve.receive.is_some(),
    };
    let known: Vec<String> = objects
        .served(connection)
        .filter(|(_, serve)| has(serve))
        .map(|(object, _)| object.name.clone())
        .collect();
    let Some((object, serve)) = objects.served(connection).find(|(object, _)| object.name == name) else {
        return Err(push::unknown_object(name, &known));
    };
    if !has(serve) {
        let what = match needs {
            Needs::Rows => "query",
            Needs::Receive => "create/update",
        };
        return Err(not_served(name, what, &known));
    }
    Ok((Arc::clone(object), serve.clone()))
}

fn not_served(name: &str, what: &str, known: &[String]) -> Problem {
    who::refused(&words::NOT_SERVED)
        .with("object", who::shown(name))
        .with("what", what)
        .with(
            "known",
            if known.is_empty() {
                "-".to_owned()
            } else {
                known.join(" ")
            },
        )
}

/// What is asked, pair by pair.
struct Query(Vec<(String, String)>);

impl Query {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name)?;
        Some(found.1.as_str()).filter(|text| !text.is_empty())
    }

    fn needed(&self, name: &'static str) -> Result<&str, Problem> {
        self.get(name)
            .ok_or_else(|| wrong(name, "没有给出", "it is missing"))
    }

    fn number(&self, name: &'static str, low: i64, high: i64) -> Result<Option<i64>, Problem> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let number = text.parse::<i64>().ok();
        match number.filter(|number| (low..=high).contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(wrong(
                name,
                &format!("应为 {low} 到 {high} 的整数"),
                &format!("it must be a whole number from {low} to {high}"),
            )),
        }
    }

    fn flag(&self, name: &'static str, default: bool) -> Result<bool, Problem> {
        match self.get(name) {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(wrong(name, "应为 true 或 false", "it must be true or false")),
        }
    }
}

fn wrong(name: &str, zh: &str, en: &str) -> Problem {
    who::refused(&words::PARAMETER)
        .with("name", name)
        .with("why_zh", zh)
        .with("why_en", en)
}

/// The last millisecond of the year 9999.
const LAST_MS: i64 = 253_402_300_799_999;

async fn batch(state: &State, connection: &str, query: &Query) -> Answer {
    let name = query.needed("objAPIName")?;
    let (object, serve) = served(state, connection, name, Needs::Rows)?;
    let time = |name: &'static str| {
        query.needed(name)?;
        query.number(name, 0, LAST_MS).map(Option::unwrap_or_default)
    };
    let (start, end) = (time("startTime")?, time("endTime")?);
    if start > end {
        return Err(wrong("startTime", "晚于 endTime", "it is later than endTime"));
    }
    let now = state.now_ms();
    if end > now + AHEAD {
        let minutes = AHEAD / 60_000;
        return Err(wrong(
            "endTime",
            &format!("比本机时间晚 {minutes} 分钟以上;请核对双方的时钟"),
            &format!("it is more than {minutes} minutes ahead of the clock here; compare both clocks"),
        ));
    }
    let offset = query.number("offset", 0, i64::from(MOST_OFFSET))?.unwrap_or(0);
    let limit = query
        .number("limit", 1, i64::from(MOST_ROWS))?
        .unwrap_or(i64::from(ROWS));
    let ask = Ask {
        start,
        end,
        offset: u32::try_from(offset).map_err(Problem::bug)?,
        limit: u32::try_from(limit).map_err(Problem::bug)?,
        details: query.flag("includeDetail", true)?,
    };
    if state.service().is_read_only() {
        return Err(later(state.service().inbox().again_seconds()));
    }
    let loaded = state.service().loaded();
    let _reading = state.reading_rows().await?;
    let page = loaded.engine.visible(&object, &serve, ask, now).await?;
    // The scheme is in error, or not there any more.
    let page = page.ok_or_else(|| later(state.service().inbox().again_seconds()))?;
    if page.too_large {
        let (rows, mib) = (page.documents.len(), MOST_BYTES >> 20);
        return Err(wrong(
            "limit",
            &format!("这一页的数据超过 {mib} MiB;请少取一些:从这里起 {rows} 条放得下"),
            &format!("the rows of this page are larger than {mib} MiB; ask for fewer: from here, {rows} fit"),
        ));
    }
    let documents = page.documents.iter().map(Standard::value);
    Ok(Value::Map(Map::from_iter([
        (
            "totalNum".to_owned(),
            Value::from(i64::try_from(page.total).unwrap_or(i64::MAX)),
        ),
        ("dataList".to_owned(), Value::List(documents.collect())),
    ])))
}

async fn by_id(state: &State, connection: &str, query: &Query) -> Answer {
    let name = query.needed("objAPIName")?;
    let (object, serve) = served(state, connection, name, Needs::Rows)?;
    let id = query.needed("dataId")?;
    let details = query.flag("includeDetail", true)?;
    let _reading = state.reading_rows().await?;
    let (loaded, asked) = (state.service().loaded(), Arc::clone(&object));
    let wanted = id.to_owned();
    let found = tokio::task::spawn_blocking(move || loaded.engine.stored(&asked, &serve, &wanted, details));
    match found.await.map_err(Problem::bug)?? {
        Some(document) => Ok(document.value()),
        None => Err(no_data(&object, id)),
    }
}

fn no_data(object: &Object, id: &str) -> Problem {
    who::refused(&words::NO_DATA)
        .with("object", &object.name)
        .with("id", who::shown(id))
}

fn there_is_one(object: &Object, id: &str) -> Problem {
    who::refused(&words::THERE_IS_ONE)
        .with("object", &object.name)
        .with("id", who::shown(id))
}

async fn write(
    state: &State,
    object: &Arc<Object>,
    serve: &Serve,
    document: &Standard,
    task: Task,
) -> Answer {
    let inbox = Arc::clone(state.service().inbox());
    let again = inbox.again_seconds();
    // A document that fits has one: it is required.
    let id = object
        .id_of(document)
        .ok_or_else(|| Problem::bug("a document that fits and has no id"))?;
    let receivers = inbox.receivers().into_iter();
    let receivers: Vec<_> = receivers
        .filter(|one| Some(&one.scheme) == serve.receive.as_ref())
        .collect();
    let Some(receiver) = receivers.first().cloned() else {
        return Err(later(again));
    };
    let pushed = Pushed {
        id: Some(id.clone()),
        void: false,
        rows: vec![document.value()],
        xml: false,
    };
    // Each task is told from the others: what was created as it was then updated is no repetition of the update.
    let push = Inbound {
        body: format!("{}\n{}", task.name(), json::to_string(&document.value())).into_bytes(),
        ..Inbound::default()
    };
    let creates = task == Task::Create;
    let (engine, scheme, sender) = (state.service().loaded(), receiver.scheme.clone(), id.clone());
    let (hash, now) = (receiver.hash(&pushed, &push), state.now_ms());
    let (of, known) = (Arc::clone(object), serve.clone());
    let asked = tokio::task::spawn_blocking(move || {
        let (engine, reader) = (&engine.engine, engine.engine.reader());
        // Before it is asked whether it was cancelled: what comes in between is behind it.
        let last = reader.last_push(&scheme, &sender)?.map(|last| last.id);
        let is_void = engine.is_void(&of, &known, &sender)?;
        // Its repetition is answered as it was, also behind updates; what was cancelled since is made once more.
        let behind = last.filter(|_| is_void == Some(true)).unwrap_or(PushId(0));
        let is_repeated = creates && reader.is_repeated(&scheme, &sender, &hash, behind, now)?;
        Ok::<_, app::AppError>((is_void, is_repeated, creates.then_some(behind)))
    });
    let (is_void, is_repeated, creates) = asked.await.map_err(Problem::bug)??;
    match task {
        Task::Create if is_void == Some(false) && !is_repeated => return Err(there_is_one(object, &id)),
        Task::Create => {}
        _ if is_void.is_none() => return Err(no_data(object, &id)),
        _ => {}
    }
    // On a task of its own: a sender that goes away leaves what is stored and a scheme that is told of it.
    let stored = tokio::spawn(async move { inbox.store(&receivers, &pushed, &push, creates, now).await });
    match stored.await.map_err(Problem::bug)?? {
        Kept::Stored => Ok(ids(object, document, &id)),
        // Another one of this id came at the same time.
        Kept::Taken => Err(there_is_one(object, &id)),
        Kept::Busy { seconds } => Err(later(seconds)),
    }
}
