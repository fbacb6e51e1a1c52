//! A plain system that stands for no vendor: `/plain/...`, JSON with a bearer token.
//!
//! It exists so that one and the same job can be run against every kind of target: a setting says what it can do for
//! somebody who does not know whether a write was executed ([`Level`]). The wire is described in `README.md`.

mod store;

use hyper::Method;
use serde_json::value::RawValue;
use serde_json::{Value, json};

pub(crate) use store::Documents;
use store::FORM;

use crate::journal::{Action, Line, Replay, RowLine, Write};
use crate::kingdee::filter::{self, Expr};
use crate::kingdee::store::{Fields, scalar};
use crate::reply::{Reply, Request};
use crate::settings::Level;
use crate::state::World;
use crate::systems::{Does, Endpoint, Kind, Param, Row, System};
use crate::twist::{Fate, Twist};
use crate::{crypto, form};

const DOCUMENTS: &str = "/plain/documents";
/// Most documents of one call, and most keys of one question.
const MAX_DOCS: usize = 1000;
const MAX_KEY: usize = 200;
const MAX_PAGE_SIZE: usize = 1000;
const DEFAULT_PAGE_SIZE: usize = 100;

pub(crate) const ROW: Row = Row {
    name: "plain",
    connector: "plain",
    connection: "plain",
    params: &[
        Param::new("server", Kind::Server("/plain/")),
        Param::new("client_id", Kind::Open("sandbox-plain")),
        Param::new(
            "client_secret",
            Kind::Secret("sandbox-plain-secret", "SANDBOX_PLAIN_SECRET"),
        ),
    ],
    endpoints: &[
        Endpoint::new("token", Does::Else),
        Endpoint::new("postDocuments", Does::Writes { rows: true }),
        Endpoint::new("putDocument", Does::Writes { rows: true }),
        Endpoint::new("getDocuments", Does::COUNTED),
    ],
    code: &Plain,
};

#[derive(Debug)]
struct Plain;

impl System for Plain {
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str> {
        endpoint(&request.method, &request.path)
    }

    fn handle(&self, world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Reply {
        handle(world, request, endpoint, twist)
    }

    fn busy(&self, _endpoint: &str, limit: bool) -> Reply {
        let problem = if limit {
            refused(200, "rate_limited", "call limit reached, try again later")
        } else {
            refused(200, "busy", "busy, try again")
        };
        problem.reply()
    }

    fn gateway(&self) -> Reply {
        refused(502, "bad_gateway", "the gateway gave up").reply()
    }

    fn lose(&self, world: &mut World, request: &Request, _endpoint: &str) -> Reply {
        world.tokens.end(token(request));
        expired().reply()
    }

    /// The endpoints know their methods.
    fn takes(&self, _method: &Method) -> bool {
        true
    }

    fn apply(&self, world: &mut World, write: &Write) {
        world.documents.apply(write);
    }

    fn counts(&self, world: &World) -> Vec<(&'static str, usize)> {
        vec![(FORM, world.documents.count())]
    }
}

/// The endpoint a request names; `None` when it is not for this system.
fn endpoint(method: &Method, path: &str) -> Option<&'static str> {
    let under = path.strip_prefix(DOCUMENTS);
    match (method, under) {
        (&Method::POST, None) if path == "/plain/token" => Some("token"),
        (&Method::POST, Some("")) => Some("postDocuments"),
        (&Method::GET, Some("")) => Some("getDocuments"),
        (&Method::PUT, Some(key)) if key.len() > 1 && key.starts_with('/') => Some("putDocument"),
        _ => None,
    }
}

/// Why a call or a document was refused.
struct Refused {
    status: u16,
    code: &'static str,
    message: String,
    /// The document that is in the way.
    id: Option<u64>,
}

fn refused(status: u16, code: &'static str, message: impl Into<String>) -> Refused {
    Refused {
        status,
        code,
        message: message.into(),
        id: None,
    }
}

impl Refused {
    fn value(&self) -> Value {
        let mut value = json!({"code": self.code, "message": self.message});
        if let Some(id) = self.id {
            value["id"] = json!(id);
        }
        value
    }

    fn reply(&self) -> Reply {
        Reply {
            status: self.status,
            ..Reply::json(json!({"error": self.value()}).to_string())
        }
    }
}

fn expired() -> Refused {
    refused(401, "token_expired", "the token is unknown or has expired")
}

fn token(request: &Request) -> &str {
    request
        .header("authorization")
        .strip_prefix("Bearer ")
        .unwrap_or_default()
}

/// Executes one call.
fn handle(world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Reply {
    let answer = match endpoint {
        "token" => log_in(world, request),
        _ => check(world, request).and_then(|()| match endpoint {
            "getDocuments" => get(world, request, twist),
            _ if world.journal.is_full() => Err(refused(507, "full", "the journal of the sandbox is full")),
            "postDocuments" => post(world, request, twist),
            _ => put(world, request, twist),
        }),
    };
    answer.unwrap_or_else(|problem| problem.reply())
}

fn log_in(world: &mut World, request: &Request) -> Result<Reply, Refused> {
    let fields: Fields = serde_json::from_slice(&request.body)
        .map_err(|e| refused(400, "bad_request", format!("not a JSON object: {e}")))?;
    let text = |name: &str| fields.get(name).and_then(|v| scalar(v)).unwrap_or_default();
    let c = &world.credentials;
    if text("client_id") != c.plain_id || !crypto::same(&text("client_secret"), &c.plain_secret) {
        return Err(refused(401, "bad_client", "client_id or client_secret is wrong"));
    }
    let now = world.now_ms();
    let token = world.tokens.start(world.data.seed, now);
    let seconds = world.settings.session_ttl_ms / 1000;
    let answer = json!({"access_token": token, "token_type": "Bearer", "expires_in": seconds});
    Ok(Reply::json(answer.to_string()))
}

fn check(world: &mut World, request: &Request) -> Result<(), Refused> {
    let now = world.now_ms();
    let (ttl, max) = (world.settings.session_ttl_ms, world.settings.session_max_calls);
    if world.tokens.use_one(token(request), now, ttl, max) {
        Ok(())
    } else {
        Err(expired())
    }
}

/// A call that writes.
struct Call<'a> {
    endpoint: &'static str,
    request: &'a Request,
    twist: &'a Twist,
    rows: Vec<RowLine>,
}

impl<'a> Call<'a> {
    fn new(endpoint: &'static str, request: &'a Request, twist: &'a Twist) -> Self {
        Call {
            endpoint,
            request,
            twist,
            rows: Vec::new(),
        }
    }

    fn execute(&mut self, world: &mut World, row: RowLine) {
        world.documents.apply_row(world.clock.now_ms(), &row);
        self.rows.push(row);
    }

    /// Writes the journal line of the call; only then may it be answered.
    fn record(self, world: &mut World, replay: Option<Replay>) -> Result<(), Refused> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let written = world.written(self.endpoint, FORM, &self.request.body, self.twist, self.rows);
        let write = Write { replay, ..written };
        world.documents.remember(&write);
        world
            .journal
            .append(Line::Write(write))
            .map_err(|e| refused(500, "not_written", e.to_string()))
    }
}

/// One document, or `{"documents": [...]}`.
fn post(world: &mut World, request: &Request, twist: &Twist) -> Result<Reply, Refused> {
    let replay_key = Some(request.header("idempotency-key"))
        .filter(|key| !key.is_empty() && world.settings.plain == Level::IdempotencyKey)
        .map(str::to_owned);
    if let Some(known) = replay_key.as_deref().and_then(|key| {
        let since = world.now_ms().saturating_sub(world.settings.idempotency_ms);
        world.documents.replay(key, since)
    }) {
        if known.sha256 != crypto::sha256_hex(&request.body) {
            let what = "this idempotency key came with another body";
            return Err(refused(422, "key_reused", what));
        }
        let mut reply = Reply::json(known.answer.clone());
        reply.status = known.status;
        reply.headers.push(("idempotent-replayed", "true".to_owned()));
        return Ok(reply);
    }
    let fields: Fields = serde_json::from_slice(&request.body)
        .map_err(|e| refused(400, "bad_request", format!("not a JSON object: {e}")))?;
    let mut call = Call::new("postDocuments", request, twist);
    let (status, answer) = match fields.get("documents") {
        Some(list) => (200, post_batch(world, &mut call, list)?),
        None => {
            let content = std::str::from_utf8(&request.body).unwrap_or_default();
            if matches!(twist.fate(0, content), Fate::Refused | Fate::RefusedWhole) {
                return Err(out_of_luck());
            }
            let row = judge(world, 0, content.trim(), None)?;
            let answer = named(&row);
            call.execute(world, row);
            (201, answer)
        }
    };
    let answer = answer.to_string();
    let replay = replay_key.map(|key| Replay {
        key,
        status,
        answer: answer.clone(),
    });
    call.record(world, replay)?;
    Ok(Reply {
        status,
        ..Reply::json(answer)
    })
}

fn post_batch(world: &mut World, call: &mut Call<'_>, list: &RawValue) -> Result<Value, Refused> {
    let list: Vec<Box<RawValue>> = serde_json::from_str(list.get())
        .map_err(|e| refused(400, "bad_request", format!("documents: not a list: {e}")))?;
    if list.is_empty() || list.len() > MAX_DOCS {
        return Err(refused(400, "bad_request", format!("documents: 1 to {MAX_DOCS}")));
    }
    if call.twist.refuses_batch(list.iter().map(|one| one.get())) {
        return Err(refused(
            422,
            "batch_rejected",
            "a document of the batch is not acceptable; nothing was kept",
        ));
    }
    let mut results = Vec::new();
    for (index, one) in list.iter().enumerate() {
        let fate = call.twist.fate(index, one.get());
        let judged = match fate {
            Fate::Dropped => continue,
            Fate::Refused => Err(out_of_luck()),
            _ => judge(world, index, one.get(), None),
        };
        let mut result = match judged {
            Ok(row) => {
                let result = named(&row);
                call.execute(world, row);
                result
            }
            Err(problem) => problem.value(),
        };
        result["index"] = json!(index);
        result["ok"] = json!(result.get("version").is_some());
        if fate != Fate::Unnamed {
            results.push(result);
        }
    }
    if call.twist.adds_a_row() {
        results.push(json!({"index": list.len(), "ok": true, "id": 0, "key": "?", "version": 1}));
    }
    Ok(json!({"results": results}))
}

fn out_of_luck() -> Refused {
    refused(422, "rejected", "the document is not acceptable")
}

fn named(row: &RowLine) -> Value {
    json!({"id": row.id, "key": row.number, "version": row.version})
}

/// Puts one document under its key, whether it is there or not.
fn put(world: &mut World, request: &Request, twist: &Twist) -> Result<Reply, Refused> {
    if world.settings.plain != Level::Upsert {
        return Err(refused(405, "not_allowed", "this system has no upsert"));
    }
    let key = request.path.get(DOCUMENTS.len() + 1..).unwrap_or_default();
    let key =
        form::text(key.as_bytes()).ok_or_else(|| refused(400, "bad_request", "the key is not UTF-8"))?;
    let content = std::str::from_utf8(&request.body)
        .map_err(|_| refused(400, "bad_request", "the body is not UTF-8"))?;
    if matches!(twist.fate(0, content), Fate::Refused | Fate::RefusedWhole) {
        return Err(out_of_luck());
    }
    let row = judge(world, 0, content.trim(), Some(&key))?;
    let answer = named(&row).to_string();
    let status = if row.action == Action::Create { 201 } else { 200 };
    let mut call = Call::new("putDocument", request, twist);
    call.execute(world, row);
    call.record(world, None)?;
    Ok(Reply {
        status,
        ..Reply::json(answer)
    })
}

/// What becomes of one document; under `key` it may be there already.
fn judge(world: &World, dindex: usize, content: &str, key: Option<&str>) -> Result<RowLine, Refused> {
    let fields: Fields = serde_json::from_str(content)
        .map_err(|e| refused(400, "bad_request", format!("not a JSON object: {e}")))?;
    let own = fields.get("key").and_then(|v| scalar(v));
    let number = match (key, own) {
        (Some(key), Some(own)) if own != key => {
            return Err(refused(400, "bad_request", "`key` is not the key of the path"));
        }
        (Some(key), _) => key.to_owned(),
        (None, own) => own.unwrap_or_default(),
    };
    if number.is_empty() || number.chars().count() > MAX_KEY {
        return Err(refused(
            422,
            "key_missing",
            format!("`key` has 1 to {MAX_KEY} characters"),
        ));
    }
    if world.refusal(&number).is_some() {
        return Err(out_of_luck());
    }
    let old = world.documents.with_key(&number).next();
    let is_unique = matches!(world.settings.plain, Level::UniqueKey | Level::Upsert);
    if let (None, Some(old)) = (key, old)
        && is_unique
    {
        return Err(Refused {
            id: Some(old.id),
            ..refused(
                409,
                "key_exists",
                format!("there is a document with the key {number:?}"),
            )
        });
    }
    let old = old.filter(|_| key.is_some());
    Ok(RowLine {
        dindex,
        action: if old.is_some() {
            Action::Update
        } else {
            Action::Create
        },
        org: String::new(),
        number,
        id: old.map_or_else(|| world.documents.next_id(), |old| old.id),
        status: 'A',
        content: content.to_owned(),
        keeps_lines: false,
        version: old.map_or(0, |old| old.version) + 1,
    })
}

/// `?key=A&key=B`, or `?page=1&size=100&from=MS&to=MS` by time of the last change, or `?filter=key IN ('A','B')`.
fn get(world: &World, request: &Request, twist: &Twist) -> Result<Reply, Refused> {
    if matches!(world.settings.plain, Level::None | Level::IdempotencyKey) {
        return Err(refused(403, "not_allowed", "this system cannot be asked"));
    }
    let bad = |what: String| refused(400, "bad_request", what);
    let (mut keys, mut page, mut size, mut span) = (Vec::new(), 1, DEFAULT_PAGE_SIZE, (0, i64::MAX));
    let mut filter = Expr::Always;
    for pair in request.query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let text = form::text(value.as_bytes()).ok_or_else(|| bad(format!("{name}: not UTF-8")))?;
        let number = || {
            text.parse::<usize>()
                .map_err(|_| bad(format!("{name}: not a number")))
        };
        match name {
            "key" => keys.push(text),
            "filter" => filter = asked(&text).map_err(bad)?,
            "page" => page = number()?.max(1),
            "size" => size = number()?.clamp(1, MAX_PAGE_SIZE),
            "from" | "to" => {
                let ms = text.parse().map_err(|_| bad(format!("{name}: not a number")))?;
                *(if name == "from" { &mut span.0 } else { &mut span.1 }) = ms;
            }
            _ => return Err(bad(format!("unknown parameter {name:?}"))),
        }
    }
    if keys.len() > MAX_DOCS {
        return Err(bad(format!("key: at most {MAX_DOCS}")));
    }
    let found: Vec<_> = if keys.is_empty() {
        let inside = |ms| span.0 <= ms && ms < span.1;
        world
            .documents
            .all()
            .filter(|doc| inside(doc.updated_ms) && filter.matches(&|field| doc.cell(field)))
            .collect()
    } else {
        size = usize::MAX;
        keys.iter()
            .flat_map(|key| world.documents.with_key(key))
            .collect()
    };
    let total = twist.total(u64::try_from(found.len()).unwrap_or(u64::MAX));
    let first = twist.first_row((page - 1).saturating_mul(size), size);
    let rows: Vec<String> = found
        .iter()
        .skip(first.unwrap_or(usize::MAX))
        .take(size)
        .map(|doc| doc.json())
        .collect();
    Ok(Reply::json(format!(
        r#"{{"documents":[{}],"total":{total}}}"#,
        rows.join(",")
    )))
}

/// A condition over `key` and `id`, as text like SQL's. What is not understood is refused, never everything.
fn asked(text: &str) -> Result<Expr, String> {
    let filter = filter::parse(text).map_err(|e| format!("filter: {e}"))?;
    match filter
        .fields()
        .into_iter()
        .find(|field| !["key", "id"].contains(field))
    {
        Some(field) => Err(format!("filter: no field {field:?}")),
        None => Ok(filter),
    }
}
