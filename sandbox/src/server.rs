//! The wire: accepts connections, finds the simulator, and misbehaves when a fault says so.
//!
//! hyper is used without a framework above it, because several faults happen below one: a connection
//! closed without an answer, a body that breaks off, a length that lies (`wire`). Control is answered
//! before any fault is looked for.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;

use crate::fault::{Fault, FaultKind, MAX_DELAY_MS};
use crate::journal::Delivery;
use crate::reply::{Reply, Request};
use crate::state::World;
use crate::systems::Row;
use crate::twist::Twist;
use crate::wire::{BREAK_AFTER, Ending, Pace, Paced, Wire, respond};
use crate::{control, kingdee, spoil};

/// Largest request body.
const MAX_BODY: usize = 8 << 20;
/// Most connections at a time.
const MAX_CONNECTIONS: usize = 1024;
/// Longest wait for the head or the body of a request.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;
/// How often a port is asked for again after an outage, 10 ms apart.
const BIND_TRIES: u32 = 1000;

pub(crate) type Shared = Arc<Mutex<World>>;

/// A panic elsewhere must not silence the simulators; what they remember is whole between calls.
pub(crate) fn lock(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Accepts until it is aborted; its connections end with it. A number from `outages` is an outage of so many
/// milliseconds: every connection is cut and new ones are refused.
pub(crate) async fn run(mut listener: TcpListener, world: Shared, mut outages: Receiver<u64>) {
    let mut tasks = JoinSet::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        while tasks.try_join_next().is_some() {}
        let accepted = async {
            let permit = Arc::clone(&room).acquire_owned().await;
            (listener.accept().await, permit)
        };
        let (stream, permit) = tokio::select! {
            (accepted, permit) = accepted => match accepted {
                Ok((stream, _)) => (stream, permit),
                Err(_) => {
                    tokio::time::sleep(BREAK_AFTER).await;
                    continue;
                }
            },
            Some(ms) = outages.recv() => {
                tasks.shutdown().await;
                match refuse(listener, ms).await {
                    Ok(again) => listener = again,
                    // Another program took the port: nobody can be answered any more.
                    Err(_) => return,
                }
                // What was ordered meanwhile is over as well.
                while outages.try_recv().is_ok() {}
                continue;
            }
        };
        let world = Arc::clone(&world);
        tasks.spawn(async move {
            serve(stream, world).await;
            drop(permit);
        });
    }
}

/// Keeps the port without listening on it, so that connections are refused, and listens again.
async fn refuse(listener: TcpListener, ms: u64) -> io::Result<TcpListener> {
    let addr = listener.local_addr()?;
    drop(listener);
    let socket = held(addr).await?;
    tokio::time::sleep(Duration::from_millis(ms)).await;
    socket.listen(BACKLOG)
}

async fn held(addr: SocketAddr) -> io::Result<TcpSocket> {
    let mut tries = 0;
    loop {
        let socket = match addr {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.set_reuseaddr(true)?;
        match socket.bind(addr) {
            Ok(()) => return Ok(socket),
            Err(error) if tries == BIND_TRIES => return Err(error),
            Err(_) => tries += 1,
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn serve(stream: TcpStream, world: Shared) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let pace = Pace::default();
    let io = TokioIo::new(Paced::new(stream, pace.clone()));
    let service = service_fn(move |request| answer(Arc::clone(&world), request, pace.clone()));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_TIMEOUT)
        .serve_connection(io, service);
    // The client, or a fault, ended it: nothing to add.
    drop(connection.await);
}

/// What happens on the wire.
enum Act {
    Answer(Reply, Ending),
    /// Answered so many milliseconds later.
    Wait(Reply, u64),
    /// Answered at once, executed again so many milliseconds later.
    Again(Reply, Call, u64),
    Hang,
    Close,
    /// Executed so many milliseconds after the connection is closed.
    Late(Call, u64),
    /// Executed and answered so many milliseconds later, whether the client waits or not.
    Slow(Call, u64),
    /// The whole answer, a byte every so many milliseconds.
    Dribble(Reply, u64),
    Skewed(Reply, i64),
    Outage,
}

/// A request that is executed once, twice, or later.
#[derive(Debug, Clone)]
struct Call {
    request: Request,
    system: &'static Row,
    endpoint: String,
    twist: Twist,
}

impl Call {
    fn execute(&self, world: &mut World, delivery: Delivery) -> Reply {
        if world.is_stopped() {
            return Reply::text(503, "stopped");
        }
        let twist = self.twist.delivered(delivery);
        let code = self.system.code;
        code.handle(world, &self.request, &self.endpoint, &twist)
    }

    /// Executes it so many milliseconds from now, whoever still waits for the answer.
    fn later(self, world: Shared, delivery: Delivery, ms: u64) -> tokio::task::JoinHandle<Reply> {
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            self.execute(&mut lock(&world), delivery)
        })
    }
}

/// A call that is not answered yet, counted as long as this lives.
struct Open {
    world: Shared,
    name: String,
}

impl Open {
    fn enter(world: &Shared, system: &str, endpoint: &str) -> Open {
        let name = format!("{system}/{endpoint}");
        lock(world).enter(&name);
        Open {
            world: Arc::clone(world),
            name,
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        lock(&self.world).leave(&self.name);
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

async fn answer(
    world: Shared,
    request: hyper::Request<Incoming>,
    pace: Pace,
) -> Result<Response<Wire>, Closed> {
    pace.set(0);
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
    let _open = Row::of(&request).map(|(row, endpoint)| Open::enter(&world, row.name, endpoint));
    let act = decide(&mut lock(&world), request);
    let now = |skew| lock(&world).now_ms().saturating_add(skew);
    match act {
        Act::Answer(reply, ending) => Ok(respond(reply, now(0), ending)),
        Act::Skewed(reply, skew) => Ok(respond(reply, now(skew), Ending::Whole)),
        Act::Wait(reply, ms) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Ok(respond(reply, now(0), Ending::Whole))
        }
        Act::Again(reply, call, ms) => {
            drop(call.later(Arc::clone(&world), Delivery::Again, ms));
            Ok(respond(reply, now(0), Ending::Whole))
        }
        Act::Dribble(reply, ms) => {
            pace.set(ms);
            Ok(respond(reply, now(0), Ending::Whole))
        }
        Act::Hang => {
            tokio::time::sleep(Duration::from_millis(MAX_DELAY_MS)).await;
            Err(Closed)
        }
        // The connection is cut by the accepting loop.
        Act::Outage => std::future::pending().await,
        Act::Close => Err(Closed),
        Act::Late(call, ms) => {
            drop(call.later(world, Delivery::Late, ms));
            Err(Closed)
        }
        Act::Slow(call, ms) => {
            let reply = call.later(Arc::clone(&world), Delivery::Late, ms).await;
            Ok(respond(reply.map_err(|_| Closed)?, now(0), Ending::Whole))
        }
    }
}

fn decide(world: &mut World, request: Request) -> Act {
    if world.is_stopped() {
        return Act::Close;
    }
    let whole = |reply| Act::Answer(reply, Ending::Whole);
    if request.path.starts_with("/_sandbox/") {
        return whole(control::handle(world, &request));
    }
    let Some((system, endpoint)) = Row::of(&request) else {
        return whole(Reply::html(404, "<html><body><h1>404</h1></body></html>"));
    };
    if !system.code.takes(&request.method) {
        return whole(Reply::text(405, "POST only"));
    }
    let endpoint = endpoint.to_owned();
    let fault = world.count_call(system.name, &endpoint);
    let twist = fault.as_ref().map(Twist::of).unwrap_or_default();
    let call = Call {
        request,
        system,
        endpoint,
        twist,
    };
    match fault {
        None => whole(call.execute(world, Delivery::Call)),
        Some(fault) => spoil(world, call, &fault),
    }
}

fn spoil(world: &mut World, call: Call, fault: &Fault) -> Act {
    use FaultKind as K;
    match fault.kind {
        K::LateCommit => return Act::Late(call, fault.delay_ms),
        K::SlowCommit => return Act::Slow(call, fault.delay_ms),
        K::Outage => {
            world.order_outage(fault.delay_ms);
            return Act::Outage;
        }
        _ => {}
    }
    let real = if fault.commit || matches!(fault.kind, K::BatchRefused | K::RowsUnnamed) {
        call.execute(world, Delivery::Call)
    } else {
        spoil::error(500)
    };
    let status = fault.status.unwrap_or(500);
    let reply = match fault.kind {
        K::DropBefore | K::DropAfter => return Act::Close,
        K::Hang => return Act::Hang,
        K::Delay => return Act::Wait(real, fault.delay_ms),
        K::HalfBody => return Act::Answer(real, Ending::Half),
        K::WrongLength => return Act::Answer(real, Ending::Longer),
        K::SlowBody => return Act::Answer(real, Ending::Paced(fault.delay_ms)),
        K::SlowHeaders => return Act::Dribble(real, fault.delay_ms),
        K::SkewedDate => return Act::Skewed(real, fault.skew_ms),
        K::Duplicate if fault.has_delay => return Act::Again(real, call, fault.delay_ms),
        K::Duplicate => {
            drop(call.execute(world, Delivery::Again));
            real
        }
        K::Replayed => call.execute(world, Delivery::Again),
        K::Http500Before | K::Http500After => spoil::error(status),
        K::HtmlLogin => spoil::login_page(),
        K::TooMany => spoil::too_many(fault),
        K::Redirect => spoil::redirect(fault),
        K::MsgCode13 | K::MsgCode14 => call.system.code.busy(&call.endpoint, fault.kind == K::MsgCode14),
        K::Http519 => call.system.code.gateway(),
        K::ResponseError => kingdee::response_error("未将对象引用设置到对象的实例。"),
        K::SessionLost => call.system.code.lose(world, &call.request, &call.endpoint),
        K::LateCommit | K::SlowCommit | K::Outage => return Act::Close,
        K::RepeatedPage
        | K::IgnoresPaging
        | K::EmptyPage
        | K::WrongTotal
        | K::RowsMove
        | K::RowErrors
        | K::BatchRefused
        | K::RowsUnnamed
        | K::WrongRowCount => real,
        K::EmptyBody
        | K::WrongType
        | K::DeepJson
        | K::Doctype
        | K::GbkBody
        | K::GbkUnmarked
        | K::InvalidUtf8
        | K::NulBytes
        | K::Bom
        | K::GzipBomb => spoil::bytes(fault, real),
    };
    Act::Answer(reply, Ending::Whole)
}
