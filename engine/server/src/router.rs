//! From a request to its operation: who calls, may they, the body, once or again, and the answer.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath, RawPathParams, Request, State as Shared};
use axum::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, REFERRER_POLICY, RETRY_AFTER,
    STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::{MethodFilter, MethodRouter, any, get, on};
use bytes::Bytes;
use dsl::Lang;
use dsl::catalogue::server;
use flow::ids::Ms;
use futures_util::FutureExt;
use ledger::service::access::KeptAnswer;
use sha2::{Digest, Sha256};

use crate::access::{Identity, Known, SESSION_COOKIE, Scope, short_id};
use crate::api;
use crate::body;
use crate::call::Call;
use crate::language::preferred;
use crate::listen::Peer;
use crate::operation::{Given, Operation, Reply, ReplyBody};
use crate::problem::Problem;
use crate::state::State;

/// Where the API is.
pub(crate) const ROOT: &str = "/api/v1";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// A page of a foreign origin cannot send this header without asking first, and is not allowed to.
const WRITE_HEADER: HeaderName = HeaderName::from_static("x-engine");

/// How long an answer is kept for a repetition.
const KEPT: Ms = 86_400_000;
/// Longest key of a repeated request, in bytes: a UUID several times over.
const LONGEST_KEY: usize = 128;

/// Everything the server answers.
pub fn router(state: State) -> Router {
    let mut paths: Vec<(&'static str, MethodRouter<State>, Vec<Method>)> = Vec::new();
    for operation in api::operations() {
        let operation = Arc::new(operation);
        let method = operation.method.clone();
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        let path = operation.path;
        let answer = on(
            filter,
            move |Shared(state): Shared<State>, params: RawPathParams, request: Request| {
                let operation = Arc::clone(&operation);
                async move { dispatch(state, operation, &params, request).await }
            },
        );
        match paths.iter_mut().find(|(known, ..)| *known == path) {
            Some((_, methods, allowed)) => {
                *methods = std::mem::take(methods).merge(answer);
                allowed.push(method);
            }
            None => paths.push((path, answer, vec![method])),
        }
    }
    let mut inner = Router::new().route("/openapi.json", get(description));
    for (path, methods, allowed) in paths {
        let allowed: Vec<&str> = allowed.iter().map(Method::as_str).collect();
        let allowed = allowed.join(", ");
        let refuse = any(move |request: Request| {
            let allowed = allowed.clone();
            async move {
                let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, &server::METHOD)
                    .with("method", request.method())
                    .with("path", request.uri().path().escape_debug())
                    .header(ALLOW, &allowed);
                refused(problem, &request)
            }
        });
        inner = inner.route(path, methods.fallback_service(refuse.with_state(())));
    }
    Router::new()
        .nest(ROOT, inner)
        .merge(api::health::routes())
        .merge(crate::receive::routes())
        .merge(crate::fxiaoke::routes())
        .fallback(unknown)
        .layer(from_fn_with_state(state.clone(), outermost))
        .with_state(state)
}

/// What every request has.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) id: String,
    pub(crate) lang: Lang,
}

/// Gives a request its id and every answer the headers that browsers need to be told.
async fn outermost(Shared(state): Shared<State>, mut request: Request, next: Next) -> Response<Body> {
    let asked = Asked {
        id: short_id(),
        lang: preferred(request.headers()),
    };
    // The route, not the path: the name of a door is a secret, and so may be what somebody tries by mistake.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("-", MatchedPath::as_str);
    let method = request.method().clone();
    request.extensions_mut().insert(asked.clone());
    // A panic in one request is the end of that request, and of nothing else.
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|_| {
        Problem::bug(format!("panic in {method} {route}")).response(asked.lang, &asked.id)
    });
    let status = response.status().as_u16();
    tracing::debug!(request_id = asked.id, %method, route, status, "request");
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&asked.id) {
        headers.insert(REQUEST_ID, id);
    }
    let fixed = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ];
    for (name, value) in fixed {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if state.settings().is_tls {
        headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    state.counters().answered(status);
    response
}

pub(crate) fn asked(request: &Request) -> Asked {
    request.extensions().get::<Asked>().cloned().unwrap_or(Asked {
        id: String::new(),
        lang: Lang::Zh,
    })
}

/// A problem as the answer to a request.
pub(crate) fn refused(problem: Problem, request: &Request) -> Response<Body> {
    let asked = asked(request);
    problem.response(asked.lang, &asked.id)
}

async fn unknown(request: Request) -> Response<Body> {
    let path = request.uri().path();
    let shown: String = path.chars().take(200).collect();
    let problem = Problem::not_found(shown.escape_debug());
    crate::fxiaoke::unknown(&request, problem).unwrap_or_else(|problem| refused(problem, &request))
}

async fn description(Shared(state): Shared<State>) -> Response<Body> {
    let mut response = Response::new(Body::from(state.description().to_owned()));
    response.headers_mut().insert(
        axum::http::header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

async fn dispatch(
    state: State,
    operation: Arc<Operation>,
    params: &RawPathParams,
    request: Request,
) -> Response<Body> {
    let asked = asked(&request);
    match answer(state, operation, params, request, asked.lang).await {
        Ok(reply) => response(reply),
        Err(problem) => problem.response(asked.lang, &asked.id),
    }
}

async fn answer(
    state: State,
    operation: Arc<Operation>,
    params: &RawPathParams,
    request: Request,
    lang: Lang,
) -> Result<Reply, Problem> {
    let now = state.now_ms();
    let peer = request
        .extensions()
        .get::<ConnectInfo<Peer>>()
        .map(|ConnectInfo(peer)| peer.0.to_string())
        .unwrap_or_default();
    let (parts, incoming) = request.into_parts();
    let who = match operation.scope {
        None => Call::nobody(),
        Some(scope) => {
            let who = authorize(&state, &parts.headers, &parts.method)?;
            if !who.may(scope) {
                return Err(
                    Problem::new(StatusCode::FORBIDDEN, &server::NOT_ALLOWED).with("scope", scope.word())
                );
            }
            if who.schemes.is_some() && !operation.limited {
                return Err(
                    Problem::new(StatusCode::FORBIDDEN, &server::NOT_ALLOWED).with("scope", "all schemes")
                );
            }
            who
        }
    };
    if operation.changes() && state.service().is_read_only() {
        return Err(Problem::conflict("read-only"));
    }
    let settings = state.settings();
    let body = body::read(incoming, settings.most_bytes, settings.body_time).await?;
    let path: HashMap<String, String> = params
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let call = Call {
        state: state.clone(),
        who: who.clone(),
        lang,
        now,
        path,
        headers: parts.headers.clone(),
        peer,
    };
    let key = parts
        .headers
        .get(IDEMPOTENCY_KEY)
        .filter(|_| operation.takes_key())
        .map(key_of)
        .transpose()?;
    let given = Given {
        uri: parts.uri,
        headers: parts.headers,
        body,
    };
    if !operation.is_write() {
        return (operation.handler)(call, given).await;
    }
    // A write is carried out whole, with what belongs to it, also when nobody waits for the answer any more: the
    // future of a request is dropped where it stands when its client hangs up.
    let writing = state.writing().await?;
    let whole = async move {
        let _writing = writing;
        match key {
            None => (operation.handler)(call, given).await,
            Some(key) => once(&state, &operation, call, given, who.key(), key).await,
        }
    };
    match tokio::spawn(whole).await {
        Ok(done) => done,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(ended) => Err(Problem::bug(ended)),
        },
    }
}

fn key_of(value: &HeaderValue) -> Result<String, Problem> {
    let text = value.to_str().unwrap_or_default();
    if text.is_empty() || text.len() > LONGEST_KEY {
        return Err(Problem::malformed(format!("Idempotency-Key: 1-{LONGEST_KEY}")));
    }
    Ok(text.to_owned())
}

/// Carries a write out once; a repetition gets the answer of the first.
async fn once(
    state: &State,
    operation: &Operation,
    call: Call,
    given: Given,
    who: String,
    key: String,
) -> Result<Reply, Problem> {
    let request = fingerprint(&operation.method, &given);
    let reused = || Problem::new(StatusCode::CONFLICT, &server::KEY_REUSED);
    let mark = (who.clone(), key.clone());
    let taken = {
        let mut under_way = state.under_way().lock().unwrap_or_else(PoisonError::into_inner);
        under_way.insert(mark.clone())
    };
    if !taken {
        return Err(reused());
    }
    let _mark = UnderWay { state, mark };
    let (asks_who, asks_key) = (who.clone(), key.clone());
    let known = call
        .ask(move |reader| Ok(reader.kept_answer(&asks_who, &asks_key)?))
        .await?;
    if let Some(kept) = known {
        if kept.request != request {
            return Err(reused());
        }
        let Some(body) = kept.body else {
            return Err(Problem::new(StatusCode::CONFLICT, &server::SHOWN_ONCE));
        };
        let status = StatusCode::from_u16(kept.status).map_err(Problem::bug)?;
        return Reply::kept(status, body);
    }
    let now = call.now;
    let reply = (operation.handler)(call, given).await?;
    if let ReplyBody::Bytes(bytes) = &reply.body {
        let kept = KeptAnswer {
            request,
            status: reply.status.as_u16(),
            body: (!operation.once).then(|| reply.to_keep(bytes)),
        };
        let done = state.with_ledger(move |ledger| ledger.keep_answer(&who, &key, &kept, now, now - KEPT));
        // What was asked for is done: an answer that cannot be kept must not look as if it was not.
        warn(done.await, "an answer could not be kept");
    }
    Ok(reply)
}

struct UnderWay<'a> {
    state: &'a State,
    mark: (String, String),
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let under_way = self.state.under_way().lock();
        under_way
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.mark);
    }
}

fn fingerprint(method: &Method, given: &Given) -> [u8; 32] {
    let mut hash = Sha256::new();
    let target = given.uri.path_and_query().map_or("/", |target| target.as_str());
    for part in [method.as_str().as_bytes(), target.as_bytes(), &given.body] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn response(reply: Reply) -> Response<Body> {
    let body = match reply.body {
        ReplyBody::Bytes(bytes) => Body::from(bytes),
        ReplyBody::Stream(body) => body,
    };
    let mut response = Response::new(body);
    *response.status_mut() = reply.status;
    for (name, value) in reply.headers {
        response.headers_mut().append(name, value);
    }
    response
}

/// Who a request comes from; everybody who answers requests asks this first.
pub(crate) fn authorize(state: &State, headers: &HeaderMap, method: &Method) -> Result<Identity, Problem> {
    let now = state.now_ms();
    if let Some(value) = headers.get(AUTHORIZATION) {
        let token = value.to_str().ok().and_then(bearer).unwrap_or_default();
        let (identity, is_noted) = state.tokens().find(token, now).ok_or_else(nobody)?;
        if let (true, Known::Token(id, _)) = (is_noted, &identity.known) {
            note_use(state, *id, now);
        }
        return Ok(identity);
    }
    let secret = cookie(headers).ok_or_else(nobody)?;
    let session = state.logins().find(secret, now).ok_or_else(nobody)?;
    if method != Method::GET && method != Method::HEAD && !headers.contains_key(WRITE_HEADER) {
        return Err(Problem::new(StatusCode::FORBIDDEN, &server::NEEDS_HEADER));
    }
    Ok(Identity {
        known: Known::User(session.user),
        scopes: session.scopes,
        schemes: None,
    })
}

/// The same, for those who need a scope.
pub(crate) fn authorize_for(
    state: &State,
    headers: &HeaderMap,
    method: &Method,
    scope: Scope,
) -> Result<Identity, Problem> {
    let who = authorize(state, headers, method)?;
    if who.may(scope) {
        return Ok(who);
    }
    Err(Problem::new(StatusCode::FORBIDDEN, &server::NOT_ALLOWED).with("scope", scope.word()))
}

fn nobody() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, &server::UNKNOWN_CALLER).header(WWW_AUTHENTICATE, "Bearer")
}

fn bearer(text: &str) -> Option<&str> {
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The secret of a session.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let texts = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = texts
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == SESSION_COOKIE)
        .map(|(_, value)| value)
}

/// Writes down that a token was used, without letting the request wait for it.
fn note_use(state: &State, id: i64, now: Ms) {
    if state.service().is_read_only() {
        return;
    }
    let state = state.clone();
    tokio::spawn(async move {
        let noted = state.with_ledger(move |ledger| ledger.tokens_used(&[(id, now)]));
        warn(noted.await, "the use of a token could not be noted");
    });
}

/// Tells the log of what failed beside a request.
fn warn(done: Result<Result<(), ledger::StoreError>, app::AppError>, what: &str) {
    match done {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!("{what}: {error}"),
        Err(error) => tracing::warn!("{what}: {error}"),
    }
}

/// Too much at once.
pub(crate) fn too_many(what: &str, wait: Duration) -> Problem {
    let seconds = wait.as_secs().max(1);
    Problem::new(StatusCode::TOO_MANY_REQUESTS, &server::TOO_MANY)
        .with("what", what)
        .with("seconds", seconds)
        .header(RETRY_AFTER, &seconds.to_string())
}

/// Kept bytes: the headers of the first answer that a client needs, a line each, then a blank line and the body.
impl Reply {
    fn to_keep(&self, body: &Bytes) -> Vec<u8> {
        let mut kept = Vec::new();
        for (name, value) in &self.headers {
            kept.extend_from_slice(name.as_str().as_bytes());
            kept.extend_from_slice(b": ");
            kept.extend_from_slice(value.as_bytes());
            kept.push(b'\n');
        }
        kept.push(b'\n');
        kept.extend_from_slice(body);
        kept
    }

    fn kept(status: StatusCode, kept: Vec<u8>) -> Result<Self, Problem> {
        let mut headers = Vec::new();
        let mut rest = &kept[..];
        loop {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let end = end.ok_or_else(|| Problem::bug("a kept answer without a body"))?;
            let line = &rest[..end];
            rest = &rest[end + 1..];
            if line.is_empty() {
                break;
            }
            let cut = line.windows(2).position(|pair| pair == b": ").unwrap_or(0);
            if let (Ok(name), Ok(value)) = (
                HeaderName::from_bytes(&line[..cut]),
                HeaderValue::from_bytes(line.get(cut + 2..).unwrap_or_default()),
            ) {
                headers.push((name, value));
            }
        }
        Ok(Reply {
            status,
            headers,
            body: ReplyBody::Bytes(Bytes::copy_from_slice(rest)),
        })
    }
}
