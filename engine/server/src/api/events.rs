//! `/events`: what changes in the service, as server-sent events.
//!
//! An event says what changed; whoever shows it asks for it then. The ring of events is the service's.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use app::service::events::{Event, Since, What};
use axum::body::Body;
use axum::http::Method;
use bytes::Bytes;
use dsl::Lang;
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, watch};
use utoipa::IntoParams;

use crate::access::Identity;
use crate::call::Call;
use crate::operation::{Operation, Query, Stream};
use crate::problem::Problem;
use crate::router::{authorize, too_many};
use crate::state::State;
use crate::time;

/// Proxies close a connection on which nothing was said for a minute.
const COMMENT_EVERY: Duration = Duration::from_secs(15);
/// How soon a stream notices that the server stops or that its caller may not listen any more.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Topics of one stream.
const MOST_TOPICS: usize = 100;
/// When a browser should come back after the stream ended, in milliseconds.
const COME_BACK: u32 = 2_000;

pub(super) fn operations() -> Vec<Operation> {
    let op = Operation::new(
        Method::GET,
        "/events",
        "streamEvents",
        "What changes, as server-sent events; `Last-Event-ID` goes on where a stream broke off",
        events,
    );
    vec![op.by_scheme()]
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct EventsQuery {
    /// `runs`, `schemes`, `records`, `queues`, `scheme:ID`, separated by commas; left out = all.
    topics: Option<String>,
}

/// Which events a stream carries.
struct Topics(Vec<String>);

impl Topics {
    fn parse(text: Option<&str>) -> Result<Self, Problem> {
        let words: Vec<String> = text
            .into_iter()
            .flat_map(|text| text.split(','))
            .map(|word| word.trim().to_owned())
            .filter(|word| !word.is_empty())
            .collect();
        let is_known = |word: &String| {
            ["runs", "schemes", "records", "queues"].contains(&word.as_str())
                || word.strip_prefix("scheme:").is_some_and(|id| !id.is_empty())
        };
        if words.len() > MOST_TOPICS || !words.iter().all(is_known) {
            return Err(Problem::malformed("topics"));
        }
        Ok(Topics(words))
    }

    fn hold(&self, what: &What) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let family = match what {
            What::RunBegan { .. } | What::RunGoes { .. } | What::RunEnded(_) => "runs",
            What::Decided { .. } => "records",
            What::Arrived { .. } => "queues",
            _ => "schemes",
        };
        self.0.iter().any(|topic| match topic.strip_prefix("scheme:") {
            Some(id) => what.scheme() == Some(id),
            None => topic == family,
        })
    }
}

struct Listening {
    state: State,
    call: Call,
    topics: Topics,
    bell: watch::Receiver<u64>,
    seen: Option<u64>,
    waiting: VecDeque<Bytes>,
    _seat: OwnedSemaphorePermit,
}

async fn events(call: Call, Query(query): Query<EventsQuery>, (): ()) -> Result<Stream, Problem> {
    let topics = Topics::parse(query.topics.as_deref())?;
    let seat = call.state.streams().clone().try_acquire_owned();
    let seat = seat.map_err(|_| too_many("event streams", Duration::from_secs(5)))?;
    let last = call.headers.get("last-event-id");
    let seen = match last.map(|value| value.to_str().unwrap_or_default()) {
        None | Some("") => None,
        // What is no number of ours is too old or foreign: everything is asked for anew.
        Some(text) => Some(text.parse().unwrap_or(0)),
    };
    let state = call.state.clone();
    let bell = state.service().events().bell();
    // From now on, without those that came before.
    let seen = seen.or_else(|| Some(*bell.borrow()));
    let mut waiting = VecDeque::new();
    waiting.push_back(Bytes::from(format!("retry: {COME_BACK}\n\n")));
    let listening = Listening {
        state,
        call,
        topics,
        bell,
        seen,
        waiting,
        _seat: seat,
    };
    let frames = stream::unfold(listening, |mut listening| async move {
        let frame = listening.next().await?;
        Some((Ok::<Bytes, Infallible>(frame), listening))
    });
    Ok(Stream(Body::from_stream(frames)))
}

impl Listening {
    /// The next bytes; `None` = the stream ends.
    async fn next(&mut self) -> Option<Bytes> {
        let mut quiet = Duration::ZERO;
        loop {
            if let Some(frame) = self.waiting.pop_front() {
                return Some(frame);
            }
            if self.state.service().is_stopping() || !self.may_listen() {
                return None;
            }
            self.take();
            if !self.waiting.is_empty() {
                continue;
            }
            if quiet >= COMMENT_EVERY {
                return Some(Bytes::from_static(b": \n\n"));
            }
            // Rung, or time to look again; the service ending ends the bell.
            match tokio::time::timeout(LOOK_EVERY, self.bell.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => quiet += LOOK_EVERY,
            }
        }
    }

    /// Whether the token or the session is still good: a stream may outlive it.
    fn may_listen(&self) -> bool {
        authorize(&self.state, &self.call.headers, &Method::GET).is_ok()
    }

    fn take(&mut self) {
        match self.state.service().events().since(self.seen) {
            Since::Lost(newest) => {
                self.seen = Some(newest);
                self.waiting.push_back(frame(newest, "reset", "{}"));
            }
            Since::Events(events) => {
                for event in events {
                    self.seen = Some(event.id);
                    if self.topics.hold(&event.what) && may_know(&self.call.who, &event.what) {
                        let data = document(&event, self.call.lang).to_string();
                        self.waiting.push_back(frame(event.id, event.what.word(), &data));
                    }
                }
            }
        }
    }
}

/// Callers who are limited to schemes learn of those only.
fn may_know(who: &Identity, what: &What) -> bool {
    match what.scheme() {
        Some(scheme) => who.sees(scheme),
        None => who.schemes.is_none(),
    }
}

fn frame(id: u64, word: &str, data: &str) -> Bytes {
    Bytes::from(format!("id: {id}\nevent: {word}\ndata: {data}\n\n"))
}

/// What stands in an event. JSON has no line ends, so it fits on one line.
fn document(event: &Event, lang: Lang) -> serde_json::Value {
    let mut data = json!({
        "type": event.what.word(),
        "at": time::text(event.at),
        "id": event.what.scheme(),
        "rev": event.id,
    });
    let reason =
        |reason: &flow::op::Reason| json!({"code": reason.code, "message": app::sentence_of(reason, lang)});
    let more = match &event.what {
        What::RunGoes { rows, written, .. } => json!({"rows": rows, "written": written}),
        What::RunEnded(end) => json!({
            "status": end.status,
            "reason": end.reason.as_ref().map(reason),
            "written": end.written,
        }),
        What::Paused { by, reason: why, .. } => json!({"by": by, "reason": reason(why)}),
        What::Resumed { by, .. } => json!({"by": by}),
        What::Reloaded { ready, broken } => json!({"ready": ready, "broken": broken}),
        What::NotReloaded(why) => json!({"reason": reason(why)}),
        What::Decided { records, .. } => json!({"records": records}),
        What::RunBegan { late, .. } => json!({"late_ms": late}),
        _ => json!({}),
    };
    if let (Some(data), serde_json::Value::Object(more)) = (data.as_object_mut(), more) {
        data.extend(more);
    }
    data
}
