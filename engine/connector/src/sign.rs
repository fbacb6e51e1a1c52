//! Authentication: sessions, and what is put onto a request once its body is bytes.
//!
//! A recipe is computed once per attempt. What comes from a secret is marked, so that a preview can mask it; nothing
//! here prints a value of a parameter in a failure.

use dsl::catalogue::auth as words;
use dsl::tree::Tree;
use dsl::{Failure, Map, Value};
use sha2::Digest as _;

use crate::connection::Connection;
use crate::frame::Frame;
use crate::login::{SESSION, Session, cookie_text};
use crate::model::{Login, Sign};
use crate::recipe::{self, Names, Recipe, data};
use crate::redact::Redactor;
use crate::request::{Attempt, Prepared, check_headers, form_text};
use crate::secret::MASK;

/// A request as it is sent, once.
#[derive(Clone)]
pub struct HttpRequest {
    /// HTTP method.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// Headers, each once.
    pub headers: Vec<(String, String)>,
    /// The bytes of the body.
    pub body: Vec<u8>,
    /// Most decoded bytes of the answer.
    pub read_cap: u64,
    /// Total time, in milliseconds.
    pub timeout_ms: Option<i64>,
    /// Whether only HTTP/1.1 may be spoken.
    pub http1_only: bool,
    /// Headers that come from a secret.
    pub secret_headers: Vec<String>,
    /// Whether the body comes from a secret.
    pub secret_body: bool,
    /// Names and values of the query, as `url` has them.
    pub query: Vec<(String, String)>,
    /// Names and values of the body, where it is a form.
    pub form: Vec<(String, String)>,
    secret_query: Vec<String>,
    secret_form: Vec<String>,
    redactor: Redactor,
}

/// A request as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// HTTP method.
    pub method: String,
    /// The address without secrets.
    pub url: String,
    /// Headers; those that come from a secret are masked.
    pub headers: Vec<(String, String)>,
    /// The body without secrets.
    pub body: String,
}

impl std::fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = self.redactor.redact(&self.masked_url());
        write!(f, "HttpRequest({} {url}, {} bytes)", self.method, self.body.len())
    }
}

impl HttpRequest {
    /// The request with everything secret masked.
    pub fn preview(&self) -> Preview {
        let is_secret = |name: &str| {
            self.secret_headers
                .iter()
                .any(|secret| secret.eq_ignore_ascii_case(name))
        };
        let headers = self.headers.iter().map(|(name, value)| {
            let shown = if is_secret(name) {
                MASK.to_owned()
            } else {
                self.redactor.redact(value)
            };
            (name.clone(), shown)
        });
        Preview {
            method: self.method.clone(),
            url: self.redactor.redact(&self.masked_url()),
            headers: headers.collect(),
            body: match self.secret_body {
                true => MASK.to_owned(),
                false if !self.secret_form.is_empty() => {
                    self.redactor.redact(&masked(&self.form, &self.secret_form))
                }
                false => self.redactor.redact(&String::from_utf8_lossy(&self.body)),
            },
        }
    }

    fn masked_url(&self) -> String {
        match self.url.split_once('?') {
            Some((before, _)) if !self.secret_query.is_empty() => {
                format!("{before}?{}", masked(&self.query, &self.secret_query))
            }
            _ => self.url.clone(),
        }
    }
}

/// Names and values as a query string, with some values masked.
fn masked(pairs: &[(String, String)], secret: &[String]) -> String {
    let shown: Vec<String> = pairs
        .iter()
        .map(|(name, value)| match secret.contains(name) {
            true => format!("{}={MASK}", recipe::urlenc(name.as_bytes())),
            false => form_text(&[(name.clone(), value.clone())]),
        })
        .collect();
    shown.join("&")
}

/// What of a request comes from a secret.
#[derive(Default)]
pub(crate) struct Spots {
    headers: Vec<String>,
    query: Vec<String>,
    form: Vec<String>,
    body: bool,
}

/// Headers, query and body as a file writes them.
type Written<'a> = (&'a [(String, Tree)], &'a [(String, Tree)], Option<&'a Tree>);

impl Spots {
    /// Those of a call whose recipes these are.
    pub(crate) fn new(
        of: &Connection,
        lets: &[(String, Recipe)],
        (headers, query, body): Written<'_>,
    ) -> Self {
        let tainted = of.tainted(lets);
        Spots {
            headers: of.secret_names(headers, &tainted),
            query: of.secret_names(query, &tainted),
            form: Vec::new(),
            body: body.is_some_and(|body| of.is_secret(body, &tainted)),
        }
    }
}

/// When a request is sent, and what is random in it.
#[derive(Clone, Copy)]
pub(crate) struct Signing {
    pub(crate) at_ms: i64,
    pub(crate) entropy: [u8; 16],
}

impl Connection {
    /// Puts authentication and signature onto a request.
    pub fn sign(
        &self,
        prepared: &Prepared,
        session: Option<&Session>,
        at_ms: i64,
        entropy: [u8; 16],
    ) -> Result<HttpRequest, Failure> {
        let mode = self.mode();
        let auth = session.map(Session::names).unwrap_or_default();
        let mut prepared = match &prepared.late {
            None => prepared.clone(),
            Some(late) => {
                let attempt = Attempt {
                    auth: auth.clone(),
                    at_ms,
                    uuid: uuid4(entropy),
                };
                self.render_late(late, attempt)?
            }
        };
        let mut secrets = Spots::default();
        let mut frame = self.attempt_frame(at_ms, entropy, Map::new());
        frame.set("$auth", auth);
        set_headers(&mut prepared, frame.pairs(&mode.headers, "auth.headers")?);
        secrets.headers.extend(self.secret_names(&mode.headers, &[]));
        // A database is logged into when it is connected to.
        if let Some((user, password)) = mode.basic.as_ref().filter(|_| self.driver().is_none()) {
            let user = frame.text(user, "auth.basic")?.unwrap_or_default();
            let password = frame.text(password, "auth.basic")?.unwrap_or_default();
            let pair = recipe::b64(format!("{user}:{password}").as_bytes());
            set_headers(
                &mut prepared,
                vec![("authorization".to_owned(), format!("Basic {pair}"))],
            );
            secrets.headers.push("authorization".to_owned());
        }
        if let (Some(login), Some(_)) = (&mode.login, session) {
            self.apply(login, &frame, &mut prepared, &mut secrets)?;
        }
        let guard = session.and_then(|session| session.guard.as_ref());
        let mut cookies = match session.filter(|_| mode.cookies) {
            Some(session) => session.cookies.clone(),
            None => Vec::new(),
        };
        if let Some((guard, csrf)) = guard.zip(self.connector.csrf.as_ref()) {
            // Token and cookies were given together and go together; a session's own cookies stay beside them.
            cookies.retain(|(name, _)| guard.cookies.iter().all(|(theirs, _)| theirs != name));
            cookies.extend(guard.cookies.iter().cloned());
            set_headers(&mut prepared, vec![(csrf.header.clone(), guard.token.clone())]);
            secrets.headers.push(csrf.header.clone());
        }
        if !cookies.is_empty() {
            set_headers(&mut prepared, vec![("cookie".to_owned(), cookie_text(&cookies))]);
            secrets.headers.push("cookie".to_owned());
        }
        if let Some(sign) = &mode.sign {
            self.put_signature(
                sign,
                &mut frame,
                &mut prepared,
                &mut secrets,
                Signing { at_ms, entropy },
            )?;
        }
        self.finish(prepared, secrets)
    }

    /// Computes a signature over the bytes there are and adds it to them.
    pub(crate) fn put_signature(
        &self,
        sign: &Sign,
        frame: &mut Frame<'_>,
        prepared: &mut Prepared,
        secrets: &mut Spots,
        Signing { at_ms, entropy }: Signing,
    ) -> Result<(), Failure> {
        let mut names = self.param_names();
        names.attempt(at_ms, entropy, &self.connector.zone);
        names.set("req", req(prepared));
        if let Some(known) = frame.names().as_map().and_then(|names| names.get("$auth")) {
            names.set(SESSION, data::give(known.clone()));
        }
        frame.set("$let", self.lets(&sign.lets, &mut names)?);
        set_headers(prepared, frame.pairs(&sign.headers, "sign.headers")?);
        set_query(prepared, frame.pairs(&sign.query, "sign.query")?);
        if !sign.form.is_empty() {
            prepared.form.extend(frame.pairs(&sign.form, "sign.form")?);
            prepared.body = form_text(&prepared.form).into_bytes();
        }
        let tainted = self.tainted(&sign.lets);
        secrets.headers.extend(self.secret_names(&sign.headers, &tainted));
        secrets.query.extend(self.secret_names(&sign.query, &tainted));
        secrets.form.extend(self.secret_names(&sign.form, &tainted));
        Ok(())
    }

    fn apply(
        &self,
        login: &Login,
        frame: &Frame<'_>,
        prepared: &mut Prepared,
        secrets: &mut Spots,
    ) -> Result<(), Failure> {
        set_headers(prepared, frame.pairs(&login.apply_headers, "apply.headers")?);
        secrets
            .headers
            .extend(self.secret_names(&login.apply_headers, &[]));
        secrets.query.extend(self.secret_names(&login.apply_query, &[]));
        set_query(prepared, frame.pairs(&login.apply_query, "apply.query")?);
        Ok(())
    }

    pub(crate) fn finish(&self, prepared: Prepared, secrets: Spots) -> Result<HttpRequest, Failure> {
        check_headers(&prepared.headers)?;
        let query = form_text(&prepared.query);
        let mark = if query.is_empty() { "" } else { "?" };
        Ok(HttpRequest {
            method: prepared.method,
            url: format!("{}{}{mark}{query}", prepared.origin, prepared.path),
            headers: prepared.headers,
            body: prepared.body,
            read_cap: prepared.read_cap,
            timeout_ms: prepared.timeout_ms,
            http1_only: self.connector.transport.http1_only,
            query: prepared.query,
            form: prepared.form,
            secret_headers: secrets.headers,
            secret_body: secrets.body,
            secret_query: secrets.query,
            secret_form: secrets.form,
            redactor: self.redactor.clone(),
        })
    }

    pub(crate) fn attempt_frame(&self, at_ms: i64, entropy: [u8; 16], lets: Map) -> Frame<'_> {
        let mut frame = self.param_frame(at_ms);
        frame.set("$let", lets);
        frame.set("$uuid", uuid4(entropy));
        frame.set_instant("$clock", at_ms);
        frame
    }

    /// Computes recipes in order; each sees those before it.
    pub(crate) fn lets(&self, lets: &[(String, Recipe)], names: &mut Names) -> Result<Map, Failure> {
        let mut values = Map::new();
        for (name, recipe) in lets {
            let failed = |why: String| {
                Failure::new(&words::SIGNATURE)
                    .with("name", name)
                    .with("why", why)
                    .with("connection", &self.name)
            };
            let value = recipe
                .eval(names)
                .map_err(|error| failed(self.redact(&error.0)))?;
            // Raw bytes may be used by the next recipe, but no value place can hold them.
            if let Some(value) = data::take(&value) {
                values.insert(name.clone(), value);
            }
            names.set(name.clone(), value);
        }
        Ok(values)
    }

    /// The recipes whose result depends on a secret.
    pub(crate) fn tainted(&self, lets: &[(String, Recipe)]) -> Vec<String> {
        let mut tainted: Vec<String> = Vec::new();
        for (name, recipe) in lets {
            if recipe
                .reads()
                .iter()
                .any(|read| read == SESSION || self.secret.contains(read) || tainted.contains(read))
            {
                tainted.push(name.clone());
            }
        }
        tainted
    }

    pub(crate) fn secret_names(&self, trees: &[(String, Tree)], tainted: &[String]) -> Vec<String> {
        let frame = self.param_frame(0);
        trees
            .iter()
            .filter(|(_, tree)| self.is_secret(tree, tainted))
            .map(|(name, _)| frame.pair_name(name))
            .collect()
    }

    pub(crate) fn is_secret(&self, tree: &Tree, tainted: &[String]) -> bool {
        tree.names().iter().any(|name| {
            let member = name.last_name().unwrap_or_default();
            match name.first_name() {
                Some("$auth") => true,
                Some("$param") => self.secret.iter().any(|secret| secret == member),
                Some("$let") => tainted.iter().any(|name| name == member),
                _ => false,
            }
        })
    }
}

/// A header that is set again replaces the one before.
fn set_headers(prepared: &mut Prepared, headers: Vec<(String, String)>) {
    for (name, value) in headers {
        prepared
            .headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
        prepared.headers.push((name, value));
    }
}

/// A part of the address that is set again replaces the one before: the address of a next page may bring it back.
fn set_query(prepared: &mut Prepared, pairs: Vec<(String, String)>) {
    for (name, value) in pairs {
        prepared.query.retain(|(known, _)| *known != name);
        prepared.query.push((name, value));
    }
}

/// What a recipe sees of a request.
fn req(prepared: &Prepared) -> minijinja::Value {
    let pairs = |pairs: &[(String, String)]| {
        let map: Map = pairs
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect();
        data::give(Value::Map(map))
    };
    recipe::map([
        ("path", minijinja::Value::from(prepared.path.as_str())),
        ("query", pairs(&prepared.query)),
        ("form", pairs(&prepared.form)),
        ("body", recipe::raw(prepared.body.clone())),
    ])
}

/// A version 4 UUID of sixteen random bytes. It is sent in clear, and they also fill what is encrypted: nobody can tell
/// them from it.
pub fn uuid4(random: [u8; 16]) -> String {
    let hashed = sha2::Sha256::new()
        .chain_update(b"uuid")
        .chain_update(random)
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hashed[..16]);
    as_uuid(bytes)
}

/// The form of a version 4 UUID, from sixteen bytes.
pub(crate) fn as_uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
