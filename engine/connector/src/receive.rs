//! What another system sends by itself: whether it is believed, and what it means.
//!
//! Pure, as the rest: the bytes of a request in, a judgement out, and the answer that is to be given. Listening, storing
//! before answering, and limits on how many may talk at once are left to the server.
//!
//! Promises: what is verified is the body as it came, byte for byte; the comparison takes as long for a wrong value as
//! for a right one, and for a header that is missing; an expected value that is empty believes nobody.

use std::sync::Arc;

use dsl::catalogue::source;
use dsl::facts::OpKind;
use dsl::{Failure, Map, Value};
use sha2::Digest as _;

use crate::answer::{self, HttpAnswer};
use crate::connection::Connection;
use crate::model::{Accept, Operation, Receive, Reply};
use crate::recipe::{Names, Recipe, bytes_of, data, raw};

/// The largest push: an order with a thousand lines has some hundred KiB.
pub const PUSH_MAX: usize = 1 << 20;
/// Rows of one push; more is a file, not a push.
const ROWS_MAX: usize = 10_000;
/// Pairs of a query or a form that are looked at.
const PAIRS_MAX: usize = 1_000;

/// A request of the other system, whole.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Inbound {
    /// HTTP method.
    pub method: String,
    /// Headers as they came.
    pub headers: Vec<(String, String)>,
    /// Query, decoded.
    pub query: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
    /// Whoever took it has written its body anew, and it came as XML.
    pub came_as_xml: bool,
}

impl std::fmt::Debug for Inbound {
    // Its headers hold a token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Inbound({}, {} bytes)", self.method, self.body.len())
    }
}

/// The member under which what came as text or XML stands as it came.
pub const RAW: &str = dsl::ingest::XML_TEXT;

/// What the content of a push was written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// JSON, or a form: values.
    Values,
    /// XML: its root is a member, and all of it stands as text under [`RAW`].
    Xml,
    /// Text, under [`RAW`].
    Text,
}

/// The content of a push.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// What it was written as.
    pub form: Form,
    /// What it says.
    pub value: Arc<Value>,
}

impl Content {
    fn of(form: Form, value: Value) -> Self {
        Content {
            form,
            value: Arc::new(value),
        }
    }
}

struct PushReading {
    content: Result<Content, Failure>,
    /// The text, or the part of it that could be decoded.
    text: String,
}

/// What a push came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    /// Believed.
    Accepted(Pushed),
    /// Not believed, or not understood.
    Refused(Refusal),
}

/// What a push means.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pushed {
    /// The sender's id of what it is about.
    pub id: Option<String>,
    /// It says that this was cancelled.
    pub void: bool,
    /// The rows it holds.
    pub rows: Vec<Value>,
    /// They came as XML, in which a list of one looks like one value.
    pub xml: bool,
}

/// Why a push is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Another HTTP method.
    Method,
    /// More bytes than a push may have.
    Size,
    /// A kind of content that is not taken, or that is not what it says it is.
    Content,
    /// The token or the signature is another one.
    Verify,
    /// It was made at another time than now.
    Stale,
    /// The content has not the form that such a push has.
    Form,
}

impl Refusal {
    pub(crate) const ALL: [Refusal; 6] = [
        Refusal::Method,
        Refusal::Size,
        Refusal::Content,
        Refusal::Verify,
        Refusal::Stale,
        Refusal::Form,
    ];

    /// The word in files, and in an answer's `$error.code`.
    pub fn name(self) -> &'static str {
        match self {
            Refusal::Method => "method",
            Refusal::Size => "size",
            Refusal::Content => "content",
            Refusal::Verify => "verify",
            Refusal::Stale => "stale",
            Refusal::Form => "form",
        }
    }

    /// What the sender is told. Nothing of what was expected is in it.
    pub fn words(self) -> &'static str {
        match self {
            Refusal::Method => "another HTTP method is taken here",
            Refusal::Size => "the body is too large",
            Refusal::Content => "the body is not of a kind that is taken here",
            Refusal::Verify => "token or signature refused",
            Refusal::Stale => "the request is not of this moment",
            Refusal::Form => "the body has not the form that is taken here",
        }
    }
}

impl Connection {
    /// Judges a push to an operation of kind `receive`. `now_ms` is the instant of its arrival.
    pub fn receive(&self, operation: &str, push: &Inbound, now_ms: i64) -> Result<Received, Failure> {
        let operation = self.operation(operation)?;
        let Some(receive) = &operation.receive else {
            return Err(Failure::new(&source::NO_OPERATION)
                .with("connector", &self.connector.id)
                .with("name", &operation.name));
        };
        Ok(match self.judge_push(operation, receive, push, now_ms) {
            Ok(pushed) => Received::Accepted(pushed),
            Err(refusal) => Received::Refused(refusal),
        })
    }

    fn judge_push(
        &self,
        operation: &Operation,
        receive: &Receive,
        push: &Inbound,
        now_ms: i64,
    ) -> Result<Pushed, Refusal> {
        if push.body.len() > PUSH_MAX {
            return Err(Refusal::Size);
        }
        let (mut names, content) = self.push_names(receive, push, now_ms);
        // Who is not believed learns nothing else about what is wrong.
        let verify = &receive.verify;
        // A digest with an empty key is not empty, and anybody can compute it.
        let is_empty =
            |name: &String| self.secret.contains(name) && self.params.get(name).is_none_or(Value::is_empty);
        let open = verify.equals.reads().iter().any(is_empty);
        let given = bytes(&verify.given, &names);
        let expected = bytes(&verify.equals, &names).filter(|bytes| !bytes.is_empty() && !open);
        if !same(&given.unwrap_or_default(), expected.as_deref()) {
            return Err(Refusal::Verify);
        }
        if !push.method.eq_ignore_ascii_case(&operation.method) {
            return Err(Refusal::Method);
        }
        if let Some((at, within_ms)) = &verify.at {
            let made = at
                .eval(&names)
                .ok()
                .and_then(|made| data::take(&made)?.to_plain_text());
            let made = made
                .and_then(|made| made.trim().parse::<i64>().ok())
                .ok_or(Refusal::Stale)?;
            if now_ms.saturating_sub(made).saturating_abs() > *within_ms {
                return Err(Refusal::Stale);
            }
        }
        let Content { form, value: body } = content.ok_or(Refusal::Content)?;
        names.set("body", data::share(&body));
        if receive.ok.as_ref().is_some_and(|ok| !ok.holds(&names)) {
            return Err(Refusal::Form);
        }
        let rows = match &receive.rows {
            None => Value::clone(&body),
            Some(recipe) => {
                let found = recipe.eval(&names).map_err(|_| Refusal::Form)?;
                data::take(&found).ok_or(Refusal::Form)?
            }
        };
        let rows = match rows {
            Value::List(rows) if rows.len() <= ROWS_MAX => rows,
            row @ Value::Map(_) => vec![row],
            _ => return Err(Refusal::Form),
        };
        if rows.iter().any(|row| row.as_map().is_none()) {
            return Err(Refusal::Form);
        }
        let id = receive.id.as_ref().and_then(|recipe| {
            let found = data::take(&recipe.eval(&names).ok()?)?;
            found.to_plain_text().filter(|text| !text.is_empty())
        });
        Ok(Pushed {
            id,
            void: receive.void.as_ref().is_some_and(|void| void.holds(&names)),
            rows,
            xml: form == Form::Xml || push.came_as_xml,
        })
    }

    /// The content of a push, read as it says it is; or why not.
    pub fn content(&self, operation: &str, push: &Inbound) -> Result<Content, Failure> {
        let operation = self.operation(operation)?;
        let accept = operation.receive.as_ref().map(|receive| &receive.accept[..]);
        self.read_push(accept.unwrap_or_default(), push).content
    }

    fn read_push(&self, accept: &[Accept], push: &Inbound) -> PushReading {
        let whole = HttpAnswer {
            status: 200,
            headers: push.headers.clone(),
            body: push.body.clone(),
        };
        let transport = &self.connector.transport;
        let reading = answer::read(&whole, transport.charset.as_deref(), transport.xml);
        let is_text = !matches!(&reading.body, Err(failure) if failure.code() == source::CHARSET.code);
        let declared = whole
            .header("content-type")
            .unwrap_or_default()
            .to_ascii_lowercase();
        let takes = |kind: Accept| accept.contains(&kind);
        let refused = |why: &str| Failure::new(&source::NOT_JSON).with("why", why).with("offset", 0);
        let text = || Value::from(reading.text.as_str());
        let content = if declared.starts_with("application/x-www-form-urlencoded") {
            let read = url::form_urlencoded::parse(&push.body)
                .into_owned()
                .collect::<Vec<_>>();
            match takes(Accept::Form) && is_text {
                true => Ok(Content::of(Form::Values, Value::Map(pairs(&read)))),
                false => Err(refused("form")),
            }
        } else if is_text && takes(Accept::Xml) && is_xml(&reading.text) {
            match crate::xml::read(&reading.text) {
                Ok(Value::Map(mut members)) => {
                    // What came stays beside what was read of it, but for a root of that name.
                    members.entry(RAW.to_owned()).or_insert_with(text);
                    Ok(Content::of(Form::Xml, Value::Map(members)))
                }
                // A page, or a text that only begins like XML. Nobody sends a document type without meaning XML.
                Err(unread)
                    if takes(Accept::Text) && !answer::says_xml(&whole) && !unread.is_document_type() =>
                {
                    Ok(Content::of(
                        Form::Text,
                        Value::Map(Map::from_iter([(RAW.to_owned(), text())])),
                    ))
                }
                Ok(_) => Err(refused("XML")),
                Err(unread) => Err(Failure::new(&source::NOT_XML)
                    .with("why", unread.why)
                    .with("offset", unread.offset)),
            }
        } else {
            match &reading.body {
                Ok(body) if takes(Accept::Json) => Ok(Content {
                    form: Form::Values,
                    value: Arc::clone(body),
                }),
                // A text of another kind is kept as it is.
                _ if is_text && takes(Accept::Text) => Ok(Content::of(
                    Form::Text,
                    Value::Map(Map::from_iter([(RAW.to_owned(), text())])),
                )),
                Ok(_) => Err(refused("JSON")),
                Err(failure) => Err(failure.clone()),
            }
        };
        PushReading {
            content,
            text: reading.text,
        }
    }

    /// Names of the recipes over a push, and its content where it is of a kind that is taken.
    fn push_names(&self, receive: &Receive, push: &Inbound, now_ms: i64) -> (Names, Option<Content>) {
        let reading = self.read_push(&receive.accept, push);
        let mut headers = Map::new();
        for (name, value) in &push.headers {
            headers
                .entry(name.to_ascii_lowercase())
                .or_insert_with(|| Value::from(value.as_str()));
        }
        let mut names = self.param_names();
        names.attempt(now_ms, [0; 16], &self.connector.zone);
        names.set("headers", data::give(Value::Map(headers)));
        names.set("query", data::give(Value::Map(pairs(&push.query))));
        names.set("raw", raw(push.body.clone()));
        names.set("body_text", minijinja::Value::from(reading.text.as_str()));
        (names, reading.content.ok())
    }

    /// What the sender is answered: once its push is stored, or that it is refused.
    pub fn reply(&self, operation: &str, received: &Received) -> Result<HttpAnswer, Failure> {
        let operation = self.operation(operation)?;
        let Some(receive) = operation
            .receive
            .as_ref()
            .filter(|_| operation.kind == OpKind::Receive)
        else {
            return Err(Failure::new(&source::NO_OPERATION)
                .with("connector", &self.connector.id)
                .with("name", &operation.name));
        };
        let mut frame = self.param_frame(0);
        let reply: &Reply = match received {
            Received::Accepted(pushed) => {
                let id = pushed.id.as_deref().map_or(Value::Null, Value::from);
                let count = i64::try_from(pushed.rows.len()).unwrap_or(i64::MAX);
                let names = [("id".to_owned(), id), ("count".to_owned(), Value::from(count))];
                frame.set("$push", Map::from_iter(names));
                &receive.stored
            }
            Received::Refused(refusal) => {
                let names = [("code", refusal.name()), ("message", refusal.words())];
                let names = names.map(|(name, text)| (name.to_owned(), Value::from(text)));
                frame.set("$error", Map::from_iter(names));
                &receive.refused
            }
        };
        let mut headers = frame.pairs(&reply.headers, "answer.headers")?;
        let body = match &reply.body {
            Some(tree) => frame.value(tree, "answer.body")?,
            None => None,
        };
        let (body, kind) = match body {
            None => (Vec::new(), None),
            Some(Value::Text(text)) => (text.into_bytes(), Some("text/plain; charset=utf-8")),
            Some(value) => (
                dsl::json::to_string(&value).into_bytes(),
                Some("application/json"),
            ),
        };
        let has = |name: &str| headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        if let Some(kind) = kind.filter(|_| !has("content-type")) {
            headers.push(("content-type".to_owned(), kind.to_owned()));
        }
        Ok(HttpAnswer {
            status: reply.status,
            headers,
            body,
        })
    }

    /// Whether a scheme with these options takes this push: each option that has a value is the header of its name.
    pub fn takes_push(&self, operation: &str, options: &Map, push: &Inbound) -> Result<bool, Failure> {
        let operation = self.operation(operation)?;
        Ok(operation.options.iter().all(|option| {
            let wanted = options.get(&option.name).and_then(Value::to_plain_text);
            let mut given = push
                .headers
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case(&option.name));
            wanted.is_none_or(|wanted| given.next().is_some_and(|(_, value)| *value == wanted))
        }))
    }
}

/// What a recipe gives, as bytes; `None` when it gives nothing that has any.
fn bytes(recipe: &Recipe, names: &Names) -> Option<Vec<u8>> {
    bytes_of(&recipe.eval(names).ok()?)
}

/// Whether both are the same, in a time that depends on neither: their digests are compared, all of them. Without an
/// expected value nothing is.
pub(crate) fn same(given: &[u8], expected: Option<&[u8]>) -> bool {
    let one = sha2::Sha256::digest(given);
    let other = sha2::Sha256::digest(expected.unwrap_or_default());
    let differing = one
        .iter()
        .zip(other.iter())
        .fold(0, |sum, (one, other)| sum | (one ^ other));
    std::hint::black_box(differing) == 0 && expected.is_some()
}

fn pairs(pairs: &[(String, String)]) -> Map {
    let each = pairs.iter().take(PAIRS_MAX);
    each.map(|(name, value)| (name.clone(), Value::from(value.as_str())))
        .collect()
}

fn is_xml(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('<')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_like_nothing() {
        assert!(same(b"a", Some(b"a")));
        assert!(!same(b"a", Some(b"b")));
        assert!(!same(b"", Some(b"b")));
        assert!(
            !same(b"", None),
            "an expected value that is not there believes nobody"
        );
    }
}
