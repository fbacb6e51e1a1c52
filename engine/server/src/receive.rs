//! `/receive/{door}`: where other systems send what they have.
//!
//! Thin: the bytes are read within bounds, handed to [`app::inbox::Inbox`], and its answer is given back. A door that is
//! not there and a token that is wrong are the same answer. What is read is bounded in size, in time and in how much of
//! it is held at once, by all and by one address; how many connections there may be is [`crate::listen`]'s.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::Duration;

use app::inbox::Answered;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Query, Request, State as Shared};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::routing::any;
use connector::{HttpAnswer, Inbound, PUSH_MAX};
use dsl::catalogue::receive as words;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::body::{self, Held};
use crate::listen::Peer;
use crate::problem::Problem;
use crate::router::refused;
use crate::state::State;

/// Kibibytes of bodies that are held at once.
const HELD: usize = 256 * 1024;
/// Kibibytes of them that are of one address. It takes as many addresses as there are shares to keep the others out.
const SHARE: usize = 8 * 1024;
/// Addresses that are remembered before those that hold nothing are looked for.
const MANY: usize = 1_024;
/// The room of all.
static ROOM: LazyLock<Room> = LazyLock::new(|| Room::new(HELD));
/// How long a push waits for room.
const PATIENCE: Duration = Duration::from_secs(5);
/// When to come again that found none.
const SOON_SECONDS: u32 = 2;

/// Where pushes arrive.
pub fn routes() -> Router<State> {
    Router::new().route("/receive/{door}", any(receive))
}

async fn receive(Shared(state): Shared<State>, Path(door): Path<String>, request: Request) -> Response<Body> {
    let (parts, incoming) = request.into_parts();
    let answered = take(&state, &door, &parts, incoming).await;
    answered.unwrap_or_else(|problem| refused(problem, &Request::from_parts(parts, Body::empty())))
}

async fn take(
    state: &State,
    door: &str,
    parts: &axum::http::request::Parts,
    incoming: Body,
) -> Result<Response<Body>, Problem> {
    let inbox = Arc::clone(state.service().inbox());
    let (push, _taken) = inbound(state, parts, incoming).await?;
    let (door, now) = (door.to_owned(), state.now_ms());
    // On a task of its own: a sender that goes away leaves a push that is stored and whose scheme is told of it.
    let stored = tokio::spawn(async move { inbox.push(&door, &push, now).await });
    match stored.await.map_err(Problem::bug)?? {
        Answered::Given(answer) => given(&answer),
        Answered::Unbelieved => Err(unbelieved()),
        Answered::Busy { seconds } => Err(later(seconds)),
    }
}

/// A request as it came, read within the bounds of all that others send by themselves, and the room that it takes until
/// it is stored.
pub(crate) async fn inbound(
    state: &State,
    parts: &axum::http::request::Parts,
    incoming: Body,
) -> Result<(Inbound, Taken), Problem> {
    let settings = state.settings();
    let peer = parts.extensions.get::<ConnectInfo<Peer>>();
    let mut taken = ROOM.of(peer.map(|ConnectInfo(peer)| peer.0));
    let bytes = body::read_held(incoming, PUSH_MAX, settings.body_time, &mut taken).await?;
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    let push = Inbound {
        method: parts.method.to_string(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect(),
        query: query.map(|Query(pairs)| pairs).unwrap_or_default(),
        body: bytes.to_vec(),
        came_as_xml: false,
    };
    Ok((push, taken))
}

/// Where bodies are held until they are stored.
struct Room {
    all: Arc<Semaphore>,
    shares: Mutex<HashMap<IpAddr, Weak<Semaphore>>>,
}

impl Room {
    fn new(kib: usize) -> Self {
        Room {
            all: Arc::new(Semaphore::new(kib)),
            shares: Mutex::default(),
        }
    }

    /// What a body from this address takes of it: nothing yet.
    fn of(&self, peer: Option<IpAddr>) -> Taken {
        Taken {
            all: Arc::clone(&self.all),
            share: peer.and_then(neighbours).map(|of| self.share(of)),
            kib: 0,
            permits: Vec::new(),
        }
    }

    fn share(&self, of: IpAddr) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(&of).and_then(Weak::upgrade) {
            return share;
        }
        if shares.len() >= MANY {
            shares.retain(|_, share| share.strong_count() > 0);
        }
        let share = Arc::new(Semaphore::new(SHARE));
        shares.insert(of, Arc::downgrade(&share));
        share
    }
}

/// Those who share: of IPv6 a whole network, as one host has all of its addresses. `None` = the machine itself, where a
/// proxy speaks for many.
fn neighbours(peer: IpAddr) -> Option<IpAddr> {
    match peer {
        peer if peer.is_loopback() => None,
        IpAddr::V4(_) => Some(peer),
        IpAddr::V6(peer) => {
            let network = u128::from(peer) & !u128::from(u64::MAX);
            Some(Ipv6Addr::from(network).into())
        }
    }
}

/// What one body takes.
pub(crate) struct Taken {
    all: Arc<Semaphore>,
    share: Option<Arc<Semaphore>>,
    kib: usize,
    permits: Vec<OwnedSemaphorePermit>,
}

impl Held for Taken {
    async fn hold(&mut self, bytes: usize) -> Result<(), Problem> {
        let kib = bytes.div_ceil(1_024);
        let more = u32::try_from(kib.saturating_sub(self.kib)).unwrap_or(u32::MAX);
        if more == 0 {
            return Ok(());
        }
        // The own share first: who waits for it keeps nobody out.
        let rooms: Vec<Arc<Semaphore>> = self.share.iter().chain([&self.all]).map(Arc::clone).collect();
        for room in rooms {
            match tokio::time::timeout(PATIENCE, room.acquire_many_owned(more)).await {
                Ok(Ok(permit)) => self.permits.push(permit),
                Ok(Err(_)) | Err(_) => return Err(later(SOON_SECONDS)),
            }
        }
        self.kib = kib;
        Ok(())
    }
}

fn unbelieved() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, &words::UNBELIEVED)
}

pub(crate) fn later(seconds: u32) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, &words::PUSH_LATER)
        .with("seconds", seconds)
        .header(RETRY_AFTER, &seconds.to_string())
}

/// The operation's own answer, as its connector's file says it.
pub(crate) fn given(answer: &HttpAnswer) -> Result<Response<Body>, Problem> {
    let mut response = Response::new(Body::from(answer.body.clone()));
    *response.status_mut() = StatusCode::from_u16(answer.status).map_err(Problem::bug)?;
    for (name, value) in &answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(Problem::bug)?;
        let value = HeaderValue::from_str(value).map_err(Problem::bug)?;
        response.headers_mut().append(name, value);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_their_codes() {
        assert_eq!(unbelieved().code(), "E6030");
        assert_eq!(later(7).code(), "E6031");
        let gone = HttpAnswer {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: b"{}".to_vec(),
        };
        assert_eq!(given(&gone).expect("an answer").status(), StatusCode::OK);
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_keeps_nobody_out() {
        let address = |text: &str| Some(text.parse::<IpAddr>().expect("an address"));
        let room = Room::new(HELD);
        let mut bodies = Vec::new();
        // Promises take nothing.
        for _ in 0..1_000 {
            bodies.push(room.of(address("192.0.2.1")));
        }
        let mut stored = 0;
        for body in &mut bodies {
            match body.hold(PUSH_MAX).await {
                Ok(()) => stored += 1,
                Err(problem) => {
                    assert_eq!(problem.code(), "E6031");
                    break;
                }
            }
        }
        assert_eq!(stored, 8);
        for (peer, has_room) in [
            (address("192.0.2.1"), false),
            (address("192.0.2.2"), true),
            (address("2001:db8::1"), true),
            (address("127.0.0.1"), true),
            (None, true),
        ] {
            let held = room.of(peer).hold(1).await;
            assert_eq!(held.is_ok(), has_room, "{peer:?}");
        }
        bodies.clear();
        room.of(address("192.0.2.1"))
            .hold(1)
            .await
            .expect("it is given back");
        assert_eq!(room.all.available_permits(), HELD);
    }

    #[tokio::test]
    async fn a_body_takes_room_as_it_comes() {
        let room = Room::new(HELD);
        let mut body = room.of(None);
        for (bytes, kib) in [(0, 0), (1, 1), (1_024, 1), (1_025, 2), (PUSH_MAX, 1_024)] {
            body.hold(bytes).await.expect("room");
            assert_eq!(HELD - room.all.available_permits(), kib, "{bytes}");
        }
        let same = |text: &str| neighbours(text.parse().expect("an address"));
        assert_eq!(same("2001:db8::1"), same("2001:db8::ffff:1"));
        assert_ne!(same("2001:db8::1"), same("2001:db8:0:1::1"));
    }
}
