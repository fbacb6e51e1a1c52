//! The tape: the business calls of a run and what its look-ups found, taken down or played back.
//!
//! It sits where a call is built and not yet signed: nothing that a login brought, a signature or a header of the
//! authentication comes near it. Taken down is only what was answered (or was lost); a repeat after a lost session is
//! one call. While it plays, nobody is called and nobody waits: the time is the tape's own.

mod clock;
mod masks;

use std::sync::{Mutex, PoisonError};

use connector::{Call, Connection, HttpAnswer, Prepared};
use dsl::catalogue::reading::NOT_RECORDED;
use dsl::diagnostic::Failure;
use dsl::facts::Text2;
use dsl::lookup::{Hit, LookupWant};
use dsl::{Map, Value, json};
use transport::SendError;

use crate::caller::Ended;

pub(crate) use clock::TapeClock;
pub(crate) use masks::Masks;

/// Bytes of all answers of one recording: what a person still looks at and a repository still carries.
pub(crate) const MAX_BYTES: usize = 4 << 20;
/// Calls that were not recorded and are told one by one.
const MAX_EXTRA: usize = 20;
/// Headers whose values belong to a session or to the moment, whatever a connector reads of them.
const NEVER: [&str; 6] = [
    "set-cookie",
    "cookie",
    "authorization",
    "proxy-authorization",
    "www-authenticate",
    "date",
];
/// Headers that say what the body is, or how long to wait.
const ALWAYS: [&str; 2] = ["content-type", "retry-after"];

/// One call: what was asked, before it was signed, and what came of it.
// No `Debug`: what it holds may be secret until it is masked.
#[derive(Clone, PartialEq)]
pub(crate) struct Said {
    /// The connection.
    pub(crate) connection: String,
    /// The operation.
    pub(crate) operation: String,
    /// Method, path, query and body.
    pub(crate) request: Value,
    /// What came.
    pub(crate) outcome: Outcome,
}

/// What came of a call.
#[derive(Clone, PartialEq)]
pub(crate) enum Outcome {
    /// A whole answer.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The headers that say something about the body or that the connector reads.
        headers: Vec<(String, String)>,
        /// The body.
        body: Body,
    },
    /// None.
    Broken {
        /// Why not.
        reason: transport::Reason,
        /// In words.
        detail: String,
    },
}

/// The body of an answer.
#[derive(Clone, PartialEq)]
pub(crate) enum Body {
    /// JSON.
    Json(Value),
    /// Anything else, decoded.
    Text(String),
}

/// What one look-up found.
#[derive(Clone, PartialEq)]
pub(crate) struct Looked {
    /// The scheme whose rows were searched.
    pub(crate) scheme: String,
    /// The field that was wanted.
    pub(crate) get: String,
    /// The fields that were compared, and their texts.
    pub(crate) by: Vec<(String, String)>,
    /// What else had to hold, as it would be written.
    pub(crate) also: Option<String>,
    /// Whether several rows are an error.
    pub(crate) only: bool,
    /// What was found.
    pub(crate) value: Option<Value>,
    /// How many rows.
    pub(crate) matches: usize,
    /// The only row is dead.
    pub(crate) is_dead: bool,
    /// Its reach did not decide it.
    pub(crate) is_undecided: bool,
}

impl Looked {
    pub(crate) fn new(want: &LookupWant, hit: Option<&Hit>, is_dead: bool, is_undecided: bool) -> Looked {
        let (value, matches) = match hit {
            None | Some(Hit::None) => (None, 0),
            Some(Hit::One { value, matches }) => (Some(value.clone()), *matches),
            Some(Hit::Several(count)) => (None, *count),
        };
        let by = want.spec.by.iter().map(ToString::to_string);
        Looked {
            scheme: want.spec.scheme.clone(),
            get: want.spec.get.to_string(),
            by: by.zip(want.keys.iter().cloned()).collect(),
            also: want.also.as_ref().map(ToString::to_string),
            only: want.spec.only,
            value,
            matches,
            is_dead,
            is_undecided,
        }
    }

    /// Whether both ask the same.
    fn asks_as(&self, other: &Looked) -> bool {
        (&self.scheme, &self.get, &self.by, &self.also, self.only)
            == (&other.scheme, &other.get, &other.by, &other.also, other.only)
    }

    /// What is asked, for a message.
    pub(crate) fn shown(&self) -> String {
        let by = self.by.iter().map(|(field, text)| format!("{field}={text}"));
        let parts: Vec<String> = std::iter::once(self.scheme.clone())
            .chain(by)
            .chain(self.also.clone())
            .collect();
        format!("{} ({})", parts.join(" "), self.get)
    }
}

/// A call as it was made, before anything is masked: what was said, and where sensitive values may stand in it.
#[derive(Clone)]
pub(crate) struct Take {
    /// The call.
    pub(crate) said: Said,
    /// The documents that it wrote.
    pub(crate) documents: Vec<Value>,
    /// The options that it was made with.
    pub(crate) options: Map,
    /// The rows that it read.
    pub(crate) rows: Vec<Value>,
}

/// Everything that was taken down.
#[derive(Default, Clone)]
pub(crate) struct Takes {
    /// The calls, in order.
    pub(crate) calls: Vec<Take>,
    /// The look-ups, each once.
    pub(crate) looked: Vec<Looked>,
    /// Texts of look-ups that must not be seen.
    pub(crate) hidden: Vec<String>,
    /// Why this is no recording.
    pub(crate) spoilt: Option<Text2>,
    bytes: usize,
}

/// What the tape says to a call.
pub(crate) enum Played {
    /// An answer.
    Answer(HttpAnswer),
    /// None came.
    Broken(SendError),
    /// The call is not on it.
    Unknown(Failure),
}

/// How calls are found on the tape.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    /// The same request first, else the next one of its operation.
    Request,
    /// The next one of its operation: requests have changed because values were masked.
    Order,
}

/// What was heard while the tape played.
#[derive(Default, Clone)]
pub(crate) struct Heard {
    /// The request that each recorded call was the answer to; `None` = it was not made.
    pub(crate) requests: Vec<Option<Value>>,
    /// Calls that are not recorded.
    pub(crate) extra: Vec<(String, String, Value)>,
    /// Look-ups that are not recorded.
    pub(crate) unknown: Vec<String>,
}

struct Player {
    said: Vec<Said>,
    looked: Vec<Looked>,
    by: Match,
    heard: Heard,
}

enum State {
    Taking(Takes),
    Playing(Player),
}

/// A tape, shared by the callers of one run.
pub(crate) struct Tape(Mutex<State>);

impl Tape {
    /// An empty one.
    pub(crate) fn empty() -> Tape {
        Tape(Mutex::new(State::Taking(Takes::default())))
    }

    /// One that plays.
    pub(crate) fn playing(said: Vec<Said>, looked: Vec<Looked>, by: Match) -> Tape {
        let heard = Heard {
            requests: vec![None; said.len()],
            ..Heard::default()
        };
        Tape(Mutex::new(State::Playing(Player {
            said,
            looked,
            by,
            heard,
        })))
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        // A panic elsewhere leaves a tape that is only incomplete, and nobody reads it then.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether it answers.
    pub(crate) fn is_playing(&self) -> bool {
        self.with(|state| matches!(state, State::Playing(_)))
    }

    /// What was taken down so far.
    pub(crate) fn takes(&self) -> Takes {
        self.with(|state| match state {
            State::Taking(takes) => takes.clone(),
            State::Playing(_) => Takes::default(),
        })
    }

    /// What was heard so far.
    pub(crate) fn heard(&self) -> Heard {
        self.with(|state| match state {
            State::Playing(player) => player.heard.clone(),
            State::Taking(_) => Heard::default(),
        })
    }

    /// Takes down a call.
    pub(crate) fn take(&self, connection: &Connection, call: &Call<'_>, prepared: &Prepared, ended: &Ended) {
        if self.is_playing() {
            return;
        }
        let outcome = match ended {
            Ended::Answered { answer, .. } => kept(connection, answer),
            Ended::Broken(error) => Outcome::Broken {
                reason: error.reason,
                detail: connection.redact(&error.detail),
            },
            // The same call would fail in the same way.
            Ended::Unbuilt(_) => return,
            Ended::NoSession(_) | Ended::Away(_) | Ended::Closed(_) => {
                return self.spoil(Text2 {
                    zh: format!("连接 {} 没有登录成功或暂不可调用", connection.name),
                    en: format!(
                        "the connection {} was not logged into, or may not be called now",
                        connection.name
                    ),
                });
            }
        };
        let size = match &outcome {
            Outcome::Answer { body, .. } => match body {
                Body::Json(value) => json::to_string(value).len(),
                Body::Text(text) => text.len(),
            },
            Outcome::Broken { detail, .. } => detail.len(),
        };
        let rows = match ended {
            Ended::Answered { answer, .. } if call.records.is_none() => connection
                .rows(call.operation, call, answer)
                .map(|page| page.rows)
                .unwrap_or_default(),
            _ => Vec::new(),
        };
        let take = Take {
            said: Said {
                connection: connection.name.clone(),
                operation: call.operation.to_owned(),
                request: request_of(prepared),
                outcome,
            },
            documents: call
                .records
                .as_ref()
                .map_or_else(Vec::new, |records| records.trees().to_vec()),
            options: call.options.clone(),
            rows,
        };
        self.with(|state| {
            if let State::Taking(takes) = state {
                takes.bytes += size;
                if takes.bytes > MAX_BYTES {
                    takes.spoilt.get_or_insert_with(too_large);
                } else {
                    takes.calls.push(take);
                }
            }
        });
    }

    fn spoil(&self, why: Text2) {
        self.with(|state| {
            if let State::Taking(takes) = state {
                takes.spoilt.get_or_insert(why);
            }
        });
    }

    /// What the tape says to a call; `None` = it does not play.
    pub(crate) fn play(&self, connection: &str, operation: &str, prepared: &Prepared) -> Option<Played> {
        self.with(|state| match state {
            State::Taking(_) => None,
            State::Playing(player) => Some(player.play(connection, operation, request_of(prepared))),
        })
    }

    /// Takes down what a look-up found.
    pub(crate) fn looked(&self, looked: Looked, want: &LookupWant) {
        self.with(|state| {
            let State::Taking(takes) = state else { return };
            if want.hidden {
                let value = looked.value.as_ref().and_then(Value::to_plain_text);
                takes.hidden.extend(want.keys.iter().cloned().chain(value));
            }
            match takes.looked.iter_mut().find(|known| known.asks_as(&looked)) {
                Some(known) => *known = looked,
                None => takes.looked.push(looked),
            }
        });
    }

    /// What a look-up found when the tape was made.
    pub(crate) fn look_up(&self, want: &LookupWant) -> Option<Looked> {
        let asked = Looked::new(want, None, false, false);
        self.with(|state| {
            let State::Playing(player) = state else {
                return None;
            };
            let found = player.looked.iter().find(|known| known.asks_as(&asked)).cloned();
            let shown = asked.shown();
            if found.is_none()
                && player.heard.unknown.len() < MAX_EXTRA
                && !player.heard.unknown.contains(&shown)
            {
                player.heard.unknown.push(shown);
            }
            found
        })
    }
}

impl Player {
    fn play(&mut self, connection: &str, operation: &str, request: Value) -> Played {
        let open = |at: &usize| {
            let said = &self.said[*at];
            self.heard.requests[*at].is_none() && said.connection == connection && said.operation == operation
        };
        let of_operation = || (0..self.said.len()).filter(open);
        let same = match self.by {
            Match::Request => of_operation().find(|at| self.said[*at].request == request),
            Match::Order => None,
        };
        let Some(at) = same.or_else(|| of_operation().next()) else {
            if self.heard.extra.len() < MAX_EXTRA {
                self.heard
                    .extra
                    .push((connection.to_owned(), operation.to_owned(), request));
            }
            let operation = format!("{connection} {operation}");
            return Played::Unknown(Failure::new(&NOT_RECORDED).with("operation", operation));
        };
        self.heard.requests[at] = Some(request);
        match &self.said[at].outcome {
            Outcome::Answer {
                status,
                headers,
                body,
            } => Played::Answer(HttpAnswer {
                status: *status,
                headers: headers.clone(),
                body: match body {
                    Body::Json(value) => json::to_string(value).into_bytes(),
                    Body::Text(text) => text.clone().into_bytes(),
                },
            }),
            Outcome::Broken { reason, detail } => Played::Broken(SendError {
                stage: reason.stage(),
                reason: *reason,
                detail: detail.clone(),
                partial: None,
            }),
        }
    }
}

fn too_large() -> Text2 {
    let most = MAX_BYTES >> 20;
    Text2 {
        zh: format!("答复共超过 {most} MiB;用 --limit 或 --window 录制一小段"),
        en: format!("the answers take more than {most} MiB: record a part with --limit or --window"),
    }
}

/// Where nobody is: what stands in a recording for the server of a connection.
pub(crate) fn nowhere(connection: &str) -> String {
    format!("https://{connection}.invalid")
}

/// What is kept of an answer. Where it names its own server, nobody is named.
fn kept(connection: &Connection, answer: &HttpAnswer) -> Outcome {
    let here = |text: String| text.replace(&connection.address(), &nowhere(&connection.name));
    let text = here(connection.readable(answer));
    let reads = connection.connector.file().text.to_ascii_lowercase();
    let is_kept = |name: &str| {
        ALWAYS.contains(&name) || (!NEVER.contains(&name) && name.len() > 3 && reads.contains(name))
    };
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in &answer.headers {
        let name = name.to_ascii_lowercase();
        if name == "content-type" {
            let kind = value.split(';').next().unwrap_or_default().trim();
            // The body is kept as text, whatever its charset was.
            headers.push((name, format!("{kind}; charset=utf-8")));
        } else if is_kept(&name) {
            headers.push((name, here(value.clone())));
        }
    }
    headers.sort();
    let body = match json::parse(text.as_bytes()) {
        Ok(value @ (Value::Map(_) | Value::List(_))) => Body::Json(value),
        _ => Body::Text(text),
    };
    Outcome::Answer {
        status: answer.status,
        headers,
        body,
    }
}

/// What is kept of a request: what a person who compares two of them wants to see.
fn request_of(prepared: &Prepared) -> Value {
    let mut request = Map::new();
    request.insert("method".to_owned(), prepared.method.as_str().into());
    request.insert("path".to_owned(), prepared.path.as_str().into());
    if !prepared.query.is_empty() {
        request.insert("query".to_owned(), pairs(&prepared.query));
    }
    if !prepared.form.is_empty() {
        request.insert("form".to_owned(), pairs(&prepared.form));
    } else if !prepared.body.is_empty() {
        let body = match json::parse(&prepared.body) {
            Ok(value) => unfolded(value),
            Err(_) => String::from_utf8_lossy(&prepared.body).into_owned().into(),
        };
        request.insert("body".to_owned(), body);
    }
    Value::Map(request)
}

/// Names and values; a name that comes several times has a list.
fn pairs(pairs: &[(String, String)]) -> Value {
    let mut map = Map::new();
    for (name, text) in pairs {
        let value = unfolded(text.as_str().into());
        match map.get_mut(name) {
            None => {
                map.insert(name.clone(), value);
            }
            Some(Value::List(several)) => several.push(value),
            Some(one) => *one = Value::List(vec![one.clone(), value]),
        }
    }
    Value::Map(map)
}

/// JSON that stands as a text within JSON, as the document that it is: several vendors send theirs so.
fn unfolded(value: Value) -> Value {
    match value {
        Value::Text(text) if text.starts_with(['{', '[']) => match json::parse(text.as_bytes()) {
            Ok(inner) => Value::Map([("$json".to_owned(), unfolded(inner))].into_iter().collect()),
            Err(_) => Value::Text(text),
        },
        Value::List(items) => Value::List(items.into_iter().map(unfolded).collect()),
        Value::Map(map) => Value::Map(
            map.into_iter()
                .map(|(name, value)| (name, unfolded(value)))
                .collect(),
        ),
        single => single,
    }
}

#[cfg(test)]
mod tests;
