//! The wire: accepts connections, finds the simulator, and misbehaves when a fault says so.
//!
//! hyper is used without a framework above it, because several faults happen below one: a connection
//! closed without an answer, a body that breaks off, a length that lies.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE};
use hyper::service::service_fn;
use hyper::{Method, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::clock::http_date;
use crate::fault::{Fault, FaultKind, MAX_DELAY_MS};
use crate::reply::{Reply, Request};
use crate::state::World;
use crate::{control, huke, kingdee};

/// Largest request body.
const MAX_BODY: usize = 8 << 20;
/// Most connections at a time.
const MAX_CONNECTIONS: usize = 1024;
/// Longest wait for the head or the body of a request.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Long enough that what was sent before a break reaches the client.
const BREAK_AFTER: Duration = Duration::from_millis(30);

pub(crate) type Shared = Arc<Mutex<World>>;

/// A panic elsewhere must not silence the simulators; what they remember is whole between calls.
pub(crate) fn lock(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Accepts until it is aborted; its connections end with it.
pub(crate) async fn run(listener: TcpListener, world: Shared) -> Infallible {
    let mut tasks = JoinSet::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        while tasks.try_join_next().is_some() {}
        let permit = Arc::clone(&room).acquire_owned().await;
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(BREAK_AFTER).await;
            continue;
        };
        let world = Arc::clone(&world);
        tasks.spawn(async move {
            serve(stream, world).await;
            drop(permit);
        });
    }
}

async fn serve(stream: TcpStream, world: Shared) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(move |request| answer(Arc::clone(&world), request));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    // The client, or a fault, ended it: nothing to add.
    drop(connection.await);
}

/// What happens on the wire.
enum Act {
    Answer(Reply),
    Wait(Reply, u64),
    Hang,
    Close,
    /// Executed so many milliseconds after the connection is closed.
    Late(Request, Target, u64),
    /// Half of the body, then a break.
    Half(Reply),
    /// The whole body under a length that promises more.
    Longer(Reply),
    Skewed(Reply, i64),
}

#[derive(Debug, Clone)]
enum Target {
    Huke(String),
    Kingdee(String),
}

impl Target {
    fn find(path: &str) -> Option<Target> {
        let kingdee = kingdee::endpoint(path).map(|e| Target::Kingdee(e.to_owned()));
        kingdee.or_else(|| huke::endpoint(path).map(|e| Target::Huke(e.to_owned())))
    }

    fn execute(&self, world: &mut World, request: &Request, repeat_page: bool) -> Reply {
        match self {
            Target::Huke(_) => huke::handle(world, request, repeat_page),
            Target::Kingdee(method) => kingdee::handle(world, request, method, repeat_page),
        }
    }
}

#[derive(Debug)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("connection closed on purpose")
    }
}

impl std::error::Error for Closed {}

async fn answer(world: Shared, request: hyper::Request<Incoming>) -> Result<Response<Wire>, Closed> {
    let (head, body) = request.into_parts();
    let read = tokio::time::timeout(READ_TIMEOUT, Limited::new(body, MAX_BODY).collect()).await;
    let body = match read {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(e)) if e.is::<http_body_util::LengthLimitError>() => {
            return Ok(respond(
                Reply::text(413, "body too large"),
                lock(&world).now_ms(),
                Ending::Whole,
            ));
        }
        _ => return Err(Closed),
    };
    let request = Request {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
    };
    let act = decide(&mut lock(&world), request);
    let now = |skew| lock(&world).now_ms().saturating_add(skew);
    match act {
        Act::Answer(reply) => Ok(respond(reply, now(0), Ending::Whole)),
        Act::Skewed(reply, skew) => Ok(respond(reply, now(skew), Ending::Whole)),
        Act::Half(reply) => Ok(respond(reply, now(0), Ending::Half)),
        Act::Longer(reply) => Ok(respond(reply, now(0), Ending::Longer)),
        Act::Wait(reply, ms) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Ok(respond(reply, now(0), Ending::Whole))
        }
        Act::Hang => {
            tokio::time::sleep(Duration::from_millis(MAX_DELAY_MS)).await;
            Err(Closed)
        }
        Act::Close => Err(Closed),
        Act::Late(request, target, ms) => {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                let mut world = lock(&world);
                if !world.is_stopped() {
                    target.execute(&mut world, &request, false);
                }
            });
            Err(Closed)
        }
    }
}

fn decide(world: &mut World, request: Request) -> Act {
    if world.is_stopped() {
        return Act::Close;
    }
    if request.path.starts_with("/_sandbox/") {
        return Act::Answer(control::handle(world, &request));
    }
    let Some(target) = Target::find(&request.path) else {
        return Act::Answer(Reply::html(404, "<html><body><h1>404</h1></body></html>"));
    };
    if request.method != Method::POST {
        return Act::Answer(Reply::text(405, "POST only"));
    }
    let (vendor, endpoint) = match &target {
        Target::Huke(endpoint) => ("huke", endpoint),
        Target::Kingdee(endpoint) => ("kingdee", endpoint),
    };
    *world.calls.entry(format!("{vendor}/{endpoint}")).or_default() += 1;
    match world.faults.strike(vendor, endpoint) {
        None => Act::Answer(target.execute(world, &request, false)),
        Some(fault) => spoil(world, request, target, fault),
    }
}

fn spoil(world: &mut World, request: Request, target: Target, fault: Fault) -> Act {
    if fault.kind == FaultKind::LateCommit {
        return Act::Late(request, target, fault.delay_ms);
    }
    let error = || Reply::html(500, "<html><body><h1>500 - 内部服务器错误</h1></body></html>");
    let repeat = fault.kind == FaultKind::RepeatedPage;
    let real = if fault.commit {
        target.execute(world, &request, repeat)
    } else {
        error()
    };
    Act::Answer(match fault.kind {
        FaultKind::DropBefore | FaultKind::DropAfter => return Act::Close,
        FaultKind::Hang => return Act::Hang,
        FaultKind::LateCommit => return Act::Close,
        FaultKind::Delay => return Act::Wait(real, fault.delay_ms),
        FaultKind::HalfBody => return Act::Half(real),
        FaultKind::WrongLength => return Act::Longer(real),
        FaultKind::SkewedDate => return Act::Skewed(real, fault.skew_ms),
        FaultKind::RepeatedPage => real,
        FaultKind::Http500Before | FaultKind::Http500After => error(),
        FaultKind::HtmlLogin => Reply::html(
            200,
            "<!DOCTYPE html><html><head><title>金蝶云星空 登录</title></head><body><form action=\"/login\"></form></body></html>",
        ),
        FaultKind::EmptyBody => Reply::json(""),
        FaultKind::TooMany => {
            let mut reply = Reply::text(429, "Too Many Requests");
            reply
                .headers
                .extend(fault.retry_after_s.map(|s| ("retry-after", s.to_string())));
            reply
        }
        FaultKind::MsgCode13 | FaultKind::MsgCode14 => {
            let limit = fault.kind == FaultKind::MsgCode14;
            match &target {
                Target::Huke(_) => huke::busy(limit),
                Target::Kingdee(method) => kingdee::busy(method, limit),
            }
        }
        FaultKind::Http519 => match &target {
            Target::Huke(_) => huke::gateway(),
            Target::Kingdee(_) => kingdee::gateway(),
        },
        FaultKind::ResponseError => kingdee::response_error("未将对象引用设置到对象的实例。"),
        FaultKind::SessionLost => match &target {
            Target::Huke(_) => huke::failed(40004, "请求已过期：ur-curtime 超出允许范围"),
            Target::Kingdee(method) => kingdee::lose_session(world, &request, method),
        },
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Whole,
    Half,
    Longer,
}

fn respond(reply: Reply, now_ms: i64, ending: Ending) -> Response<Wire> {
    let mut response = Response::builder()
        .status(reply.status)
        .header(CONTENT_TYPE, reply.content_type);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    if let Ok(date) = http_date(now_ms).parse::<hyper::header::HeaderValue>() {
        response = response.header(DATE, date);
    }
    let mut body = reply.body;
    match ending {
        Ending::Whole => {}
        Ending::Half => body.truncate(body.len() / 2),
        Ending::Longer => response = response.header(CONTENT_LENGTH, body.len() + 7),
    }
    let breaks = (ending != Ending::Whole).then(|| Box::pin(tokio::time::sleep(BREAK_AFTER)));
    response
        .body(Wire {
            data: Some(Bytes::from(body)),
            breaks,
        })
        .expect("status and headers are our own")
}

/// A body that may break off after its data.
struct Wire {
    data: Option<Bytes>,
    breaks: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Body for Wire {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(data) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        let Some(wait) = &mut self.breaks else {
            return Poll::Ready(None);
        };
        ready!(wait.as_mut().poll(cx));
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.breaks.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.data, &self.breaks) {
            (Some(data), None) => SizeHint::with_exact(u64::try_from(data.len()).unwrap_or(0)),
            _ => SizeHint::default(),
        }
    }
}
