//! One row of the table of operations, and the types that requests and answers are made of.
//!
//! What an operation takes and gives is said once, by the types of its handler: the description is made from the same
//! types that read the request and write the answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Query as UrlQuery;
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use bytes::Bytes;
use dsl::catalogue::server;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Ref, RefOr};
use utoipa::{IntoParams, ToSchema};

use crate::access::Scope;
use crate::call::Call;
use crate::problem::Problem;

pub(crate) const JSON: &str = "application/json";
pub(crate) const YAML: &str = "application/yaml";
pub(crate) const CSV: &str = "text/csv";
pub(crate) const EVENTS: &str = "text/event-stream";

/// Named schemas that a type needs.
pub(crate) type Schemas = Vec<(String, RefOr<Schema>)>;

/// What came with a request beside its path.
pub(crate) struct Given {
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

type Answering = Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send>>;
type Handler = Arc<dyn Fn(Call, Given) -> Answering + Send + Sync>;

/// An operation of the API.
pub struct Operation {
    /// Its method.
    pub method: Method,
    /// Its path below `/api/v1`, with `{names}`.
    pub path: &'static str,
    /// Its id in the description.
    pub id: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// What a caller needs; `None` = nothing, not even a name.
    pub scope: Option<Scope>,
    /// Whether a caller who is limited to schemes may use it. The handler then looks at the scheme.
    pub limited: bool,
    /// Whether its answer holds a secret that must not be kept for a repetition.
    pub once: bool,
    /// Whether it has to say which version was read.
    pub matches: bool,
    /// Whether it only computes something, whatever its method says: it takes no key, and ends with its caller.
    pub computes: bool,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<BodyShape>,
    pub(crate) gives: Vec<GiveShape>,
    pub(crate) schemas: Schemas,
    pub(crate) handler: Handler,
}

/// What a body looks like.
pub(crate) struct BodyShape {
    pub(crate) content_type: &'static str,
    pub(crate) schema: Option<RefOr<Schema>>,
    pub(crate) required: bool,
}

/// What an answer looks like.
pub(crate) struct GiveShape {
    pub(crate) status: u16,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) schema: Option<RefOr<Schema>>,
    pub(crate) headers: &'static [&'static str],
}

impl Operation {
    pub(crate) fn new<Q, B, R, H, F>(
        method: Method,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        Q: TakesQuery,
        B: TakesBody,
        R: Gives,
        H: Fn(Call, Q, B) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<R, Problem>> + Send + 'static,
    {
        let mut schemas = Vec::new();
        let body = B::shape(&mut schemas);
        let gives = vec![R::shape(&mut schemas)];
        let handler: Handler = Arc::new(move |call, given: Given| {
            let handler = handler.clone();
            Box::pin(async move {
                let query = Q::read(&given.uri)?;
                let body = B::read(&given.headers, given.body)?;
                Ok(handler(call, query, body).await?.reply())
            })
        });
        let scope = if method == Method::GET {
            Scope::Read
        } else {
            Scope::Admin
        };
        Operation {
            method,
            path,
            id,
            summary,
            scope: Some(scope),
            limited: false,
            once: false,
            matches: false,
            computes: false,
            parameters: Q::parameters(),
            body,
            gives,
            schemas,
            handler,
        }
    }

    /// What a caller needs.
    pub(crate) fn needs(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Anybody may.
    pub(crate) fn for_anybody(mut self) -> Self {
        self.scope = None;
        self
    }

    /// Callers who are limited to schemes may, too.
    pub(crate) fn by_scheme(mut self) -> Self {
        self.limited = true;
        self
    }

    /// Its answer holds a secret.
    pub(crate) fn shown_once(mut self) -> Self {
        self.once = true;
        self
    }

    /// It has to say which version was read.
    pub(crate) fn with_match(mut self) -> Self {
        self.matches = true;
        self
    }

    /// It changes nothing: a body says what is to be computed.
    pub(crate) fn computing(mut self) -> Self {
        self.computes = true;
        self
    }

    /// Adds the schema of a type that a parameter of the query names.
    pub(crate) fn naming<T: ToSchema>(mut self) -> Self {
        named::<T>(&mut self.schemas);
        self
    }

    /// Whether it changes something.
    pub fn is_write(&self) -> bool {
        self.method != Method::GET && !self.computes
    }

    /// Whether it changes what others see. Who signs in, and who has a text checked, does not.
    pub(crate) fn changes(&self) -> bool {
        self.is_write() && self.scope.is_some_and(|scope| scope != Scope::Read)
    }

    /// Whether a key makes it be carried out once. What only reads takes none: its answers would fill the ledger for
    /// nothing.
    pub(crate) fn takes_key(&self) -> bool {
        self.changes()
    }
}

/// The query of a request.
pub(crate) trait TakesQuery: Sized + Send + 'static {
    fn parameters() -> Vec<Parameter>;
    fn read(uri: &Uri) -> Result<Self, Problem>;
}

/// The body of a request.
pub(crate) trait TakesBody: Sized + Send + 'static {
    fn shape(schemas: &mut Schemas) -> Option<BodyShape>;
    fn read(headers: &HeaderMap, body: Bytes) -> Result<Self, Problem>;
}

/// An answer.
pub(crate) trait Gives: Send + 'static {
    fn shape(schemas: &mut Schemas) -> GiveShape;
    fn reply(self) -> Reply;
}

/// An answer as it goes out.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: ReplyBody,
}

pub(crate) enum ReplyBody {
    Bytes(Bytes),
    Stream(Body),
}

/// Parameters of the query.
pub(crate) struct Query<T>(pub(crate) T);

/// JSON, as a body or as an answer with status 200.
pub(crate) struct Json<T>(pub(crate) T);

/// JSON that may be left out.
pub(crate) struct MaybeJson<T>(pub(crate) Option<T>);

/// The text of a scheme.
pub(crate) struct YamlText(pub(crate) String);

/// A table as text, as a body or as an answer with status 200.
pub(crate) struct CsvText(pub(crate) Bytes);

/// 201: something was made, and where it is.
pub(crate) struct Created<T>(pub(crate) T, pub(crate) String);

/// 202: it is being done.
pub(crate) struct Accepted<T>(pub(crate) T);

/// 204.
pub(crate) struct Empty;

/// 204 with a cookie.
pub(crate) struct EmptyWith(pub(crate) HeaderName, pub(crate) HeaderValue);

/// 200 with the version of what is shown.
pub(crate) struct Tagged<T>(pub(crate) T, pub(crate) String);

/// 200 with a cookie.
pub(crate) struct JsonWith<T>(pub(crate) T, pub(crate) HeaderName, pub(crate) HeaderValue);

/// A stream of events.
pub(crate) struct Stream(pub(crate) Body);

/// A reference to the schema of a type, which is put among the named ones.
pub(crate) fn named<T: ToSchema>(schemas: &mut Schemas) -> RefOr<Schema> {
    T::schemas(schemas);
    let name = T::name().into_owned();
    schemas.push((name.clone(), T::schema()));
    RefOr::Ref(Ref::from_schema_name(name))
}

impl TakesQuery for () {
    fn parameters() -> Vec<Parameter> {
        Vec::new()
    }

    fn read(_: &Uri) -> Result<Self, Problem> {
        Ok(())
    }
}

impl<T: IntoParams + DeserializeOwned + Send + 'static> TakesQuery for Query<T> {
    fn parameters() -> Vec<Parameter> {
        T::into_params(|| Some(ParameterIn::Query))
    }

    fn read(uri: &Uri) -> Result<Self, Problem> {
        match UrlQuery::<T>::try_from_uri(uri) {
            Ok(UrlQuery(query)) => Ok(Query(query)),
            Err(error) => Err(Problem::malformed(innermost(&error))),
        }
    }
}

/// The last cause of an error: the others only say that the query could not be read.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

impl TakesBody for () {
    fn shape(_: &mut Schemas) -> Option<BodyShape> {
        None
    }

    fn read(_: &HeaderMap, _: Bytes) -> Result<Self, Problem> {
        Ok(())
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    content_type(headers) == Some(JSON)
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(text.split(';').next().unwrap_or(text).trim())
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(Problem::malformed)
}

fn wrong_type(wanted: &str) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, &server::MEDIA_TYPE).with("wanted", wanted)
}

impl<T: ToSchema + DeserializeOwned + Send + 'static> TakesBody for Json<T> {
    fn shape(schemas: &mut Schemas) -> Option<BodyShape> {
        Some(BodyShape {
            content_type: JSON,
            schema: Some(named::<T>(schemas)),
            required: true,
        })
    }

    fn read(headers: &HeaderMap, body: Bytes) -> Result<Self, Problem> {
        if !is_json(headers) {
            return Err(wrong_type(JSON));
        }
        parse(&body).map(Json)
    }
}

impl<T: ToSchema + DeserializeOwned + Send + 'static> TakesBody for MaybeJson<T> {
    fn shape(schemas: &mut Schemas) -> Option<BodyShape> {
        Some(BodyShape {
            content_type: JSON,
            schema: Some(named::<T>(schemas)),
            required: false,
        })
    }

    fn read(headers: &HeaderMap, body: Bytes) -> Result<Self, Problem> {
        if body.is_empty() {
            return Ok(MaybeJson(None));
        }
        if !is_json(headers) {
            return Err(wrong_type(JSON));
        }
        parse(&body).map(|read| MaybeJson(Some(read)))
    }
}

impl TakesBody for YamlText {
    fn shape(_: &mut Schemas) -> Option<BodyShape> {
        Some(BodyShape {
            content_type: YAML,
            schema: None,
            required: true,
        })
    }

    fn read(headers: &HeaderMap, body: Bytes) -> Result<Self, Problem> {
        if content_type(headers) != Some(YAML) {
            return Err(wrong_type(YAML));
        }
        match String::from_utf8(body.into()) {
            Ok(text) => Ok(YamlText(text)),
            Err(_) => Err(Problem::malformed("UTF-8")),
        }
    }
}

impl TakesBody for CsvText {
    fn shape(_: &mut Schemas) -> Option<BodyShape> {
        Some(BodyShape {
            content_type: CSV,
            schema: None,
            required: true,
        })
    }

    fn read(headers: &HeaderMap, body: Bytes) -> Result<Self, Problem> {
        match content_type(headers) == Some(CSV) {
            true => Ok(CsvText(body)),
            false => Err(wrong_type(CSV)),
        }
    }
}

impl Gives for CsvText {
    fn shape(_: &mut Schemas) -> GiveShape {
        GiveShape {
            status: 200,
            content_type: Some(CSV),
            schema: None,
            headers: &[],
        }
    }

    fn reply(self) -> Reply {
        Reply {
            status: StatusCode::OK,
            headers: vec![(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"))],
            body: ReplyBody::Bytes(self.0),
        }
    }
}

impl Reply {
    fn json<T: Serialize>(status: StatusCode, value: &T) -> Self {
        let (status, bytes) = match serde_json::to_vec(value) {
            Ok(bytes) => (status, bytes),
            // Our own types: names are texts, and nothing in them fails.
            Err(error) => {
                tracing::error!("an answer cannot be written: {error}");
                (StatusCode::INTERNAL_SERVER_ERROR, Vec::new())
            }
        };
        Reply {
            status,
            headers: vec![(CONTENT_TYPE, HeaderValue::from_static(JSON))],
            body: ReplyBody::Bytes(bytes.into()),
        }
    }

    fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }
}

fn json_shape<T: ToSchema>(
    status: u16,
    headers: &'static [&'static str],
    schemas: &mut Schemas,
) -> GiveShape {
    GiveShape {
        status,
        content_type: Some(JSON),
        schema: Some(named::<T>(schemas)),
        headers,
    }
}

impl<T: ToSchema + Serialize + Send + 'static> Gives for Json<T> {
    fn shape(schemas: &mut Schemas) -> GiveShape {
        json_shape::<T>(200, &[], schemas)
    }

    fn reply(self) -> Reply {
        Reply::json(StatusCode::OK, &self.0)
    }
}

impl<T: ToSchema + Serialize + Send + 'static> Gives for Tagged<T> {
    fn shape(schemas: &mut Schemas) -> GiveShape {
        json_shape::<T>(200, &["ETag"], schemas)
    }

    fn reply(self) -> Reply {
        let tag = format!("\"{}\"", self.1);
        Reply::json(StatusCode::OK, &self.0).with(ETAG, &tag)
    }
}

impl<T: ToSchema + Serialize + Send + 'static> Gives for JsonWith<T> {
    fn shape(schemas: &mut Schemas) -> GiveShape {
        json_shape::<T>(200, &["Set-Cookie"], schemas)
    }

    fn reply(self) -> Reply {
        let mut reply = Reply::json(StatusCode::OK, &self.0);
        reply.headers.push((self.1, self.2));
        reply
    }
}

impl<T: ToSchema + Serialize + Send + 'static> Gives for Created<T> {
    fn shape(schemas: &mut Schemas) -> GiveShape {
        json_shape::<T>(201, &["Location"], schemas)
    }

    fn reply(self) -> Reply {
        Reply::json(StatusCode::CREATED, &self.0).with(LOCATION, &self.1)
    }
}

impl<T: ToSchema + Serialize + Send + 'static> Gives for Accepted<T> {
    fn shape(schemas: &mut Schemas) -> GiveShape {
        json_shape::<T>(202, &[], schemas)
    }

    fn reply(self) -> Reply {
        Reply::json(StatusCode::ACCEPTED, &self.0)
    }
}

fn empty_shape(headers: &'static [&'static str]) -> GiveShape {
    GiveShape {
        status: 204,
        content_type: None,
        schema: None,
        headers,
    }
}

fn empty() -> Reply {
    Reply {
        status: StatusCode::NO_CONTENT,
        headers: Vec::new(),
        body: ReplyBody::Bytes(Bytes::new()),
    }
}

impl Gives for Empty {
    fn shape(_: &mut Schemas) -> GiveShape {
        empty_shape(&[])
    }

    fn reply(self) -> Reply {
        empty()
    }
}

impl Gives for EmptyWith {
    fn shape(_: &mut Schemas) -> GiveShape {
        empty_shape(&["Set-Cookie"])
    }

    fn reply(self) -> Reply {
        let mut reply = empty();
        reply.headers.push((self.0, self.1));
        reply
    }
}

impl Gives for Stream {
    fn shape(_: &mut Schemas) -> GiveShape {
        GiveShape {
            status: 200,
            content_type: Some(EVENTS),
            schema: None,
            headers: &[],
        }
    }

    fn reply(self) -> Reply {
        Reply {
            status: StatusCode::OK,
            headers: vec![
                (CONTENT_TYPE, HeaderValue::from_static(EVENTS)),
                // A proxy that collects would hold events back.
                (
                    HeaderName::from_static("x-accel-buffering"),
                    HeaderValue::from_static("no"),
                ),
            ],
            body: ReplyBody::Stream(self.0),
        }
    }
}
