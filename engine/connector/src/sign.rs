//! Authentication: sessions, and what is put onto a request once its body is bytes.
//!
//! A recipe is computed once per attempt. What comes from a secret is marked, so that a preview can mask it; nothing
//! here prints a value of a parameter in a failure.

use std::collections::BTreeMap;

use dsl::catalogue::auth as words;
use dsl::tree::Tree;
use dsl::{Failure, Lang, Map, Value};
use sha2::Digest as _;

use crate::answer::{self, HttpAnswer};
use crate::connection::Connection;
use crate::frame::Frame;
use crate::model::{Login, Sign};
use crate::recipe::{self, Names, Recipe, data};
use crate::redact::Redactor;
use crate::request::{Attempt, Prepared, check_headers, form_text};
use crate::secret::MASK;

/// Cookies that are kept; a server sets two or three.
const COOKIES_MAX: usize = 32;

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
struct Secrets {
    headers: Vec<String>,
    query: Vec<String>,
    form: Vec<String>,
    body: bool,
}

/// What a login gave: shared by everything that uses the credential.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Session {
    taken: BTreeMap<String, String>,
    cookies: Vec<(String, String)>,
    until_ms: Option<i64>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({MASK}, until {:?})", self.until_ms)
    }
}

impl Session {
    /// What a login took, as a test says it.
    pub(crate) fn of(taken: &[(String, String)]) -> Session {
        Session {
            taken: taken.iter().cloned().collect(),
            ..Session::default()
        }
    }

    /// What of it must not be seen: everything the login gave but how long it is good for, and the cookies.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.taken
            .iter()
            .filter(|(name, _)| *name != "ttl")
            .map(|(_, value)| value.as_str())
            .chain(self.cookies.iter().map(|(_, value)| value.as_str()))
    }

    fn names(&self) -> Map {
        let taken = self.taken.iter();
        taken
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect()
    }

    /// Its text, to be kept where only its owner can read. Cookies are not part of it.
    pub fn to_text(&self) -> String {
        let mut map = Map::new();
        map.insert("taken".into(), Value::Map(self.names()));
        map.insert("until_ms".into(), self.until_ms.map_or(Value::Null, Value::from));
        dsl::json::to_string(&Value::Map(map))
    }

    /// What [`Session::to_text`] gave; `None` when it is something else.
    pub fn from_text(text: &str) -> Option<Session> {
        let value = dsl::json::parse(text.as_bytes()).ok()?;
        let map = value.as_map()?;
        let taken = map.get("taken")?.as_map()?.iter();
        let taken: Option<BTreeMap<String, String>> = taken
            .map(|(name, value)| Some((name.clone(), value.as_text()?.to_owned())))
            .collect();
        let until_ms = match map.get("until_ms")? {
            Value::Null => None,
            number => Some(number.to_plain_text()?.parse().ok()?),
        };
        Some(Session {
            taken: taken?,
            cookies: Vec::new(),
            until_ms,
        })
    }

    /// Whether it is too old to be used.
    pub fn is_over(&self, at_ms: i64) -> bool {
        self.until_ms.is_some_and(|until| at_ms >= until)
    }
}

impl Connection {
    /// Whether calls need a session.
    pub fn needs_login(&self) -> bool {
        self.mode().login.is_some()
    }

    /// Whether a session must outlive the process, because a login needs what the one before it gave.
    pub fn rotates(&self) -> bool {
        self.mode().login.as_ref().is_some_and(|login| login.rotate)
    }

    /// What a session that is kept belongs to: another credential, or another start, is another name. Safe in a path.
    pub fn session_name(&self) -> Result<String, Failure> {
        let start = self.start()?;
        let start = dsl::json::to_string(&Value::Map(start));
        let digest = sha2::Sha256::digest(format!("{}\n{start}", self.credential()));
        let short: String = digest[..12].iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("{}-{short}", self.connector.id))
    }

    fn start(&self) -> Result<Map, Failure> {
        let start = self.mode().login.as_ref().map_or(&[][..], |login| &login.start);
        let pairs = self.param_frame(0).pairs(start, "login.start")?;
        Ok(pairs
            .into_iter()
            .map(|(name, value)| (name, Value::from(value)))
            .collect())
    }

    /// The call that gives a session; `None` where none is needed. `before` is the session that went before it.
    pub fn login(
        &self,
        before: Option<&Session>,
        at_ms: i64,
        entropy: [u8; 16],
    ) -> Result<Option<HttpRequest>, Failure> {
        let Some(login) = &self.mode().login else {
            return Ok(None);
        };
        let mut names = self.param_names();
        names.attempt(at_ms, entropy, &self.connector.zone);
        let lets = self.lets(&login.lets, &mut names)?;
        let mut frame = self.attempt_frame(at_ms, entropy, lets);
        let known = match before.filter(|_| login.rotate) {
            Some(session) => session.names(),
            None => self.start()?,
        };
        frame.set("$auth", known);
        let path = frame.text(&login.path, "login.path")?.unwrap_or_default();
        let body = match &login.body {
            Some(tree) => frame.value(tree, "login.body")?,
            None => None,
        };
        let mut prepared = self.request(&login.method, &path, login.encode, body)?;
        prepared.query = frame.pairs(&login.query, "login.query")?;
        prepared
            .headers
            .extend(frame.pairs(&login.headers, "login.headers")?);
        let tainted = self.tainted(&login.lets);
        let body = login.body.as_ref();
        let mut secrets = Secrets {
            headers: self.secret_names(&login.headers, &tainted),
            query: self.secret_names(&login.query, &tainted),
            form: Vec::new(),
            body: body.is_some_and(|body| self.is_secret(body, &tainted)),
        };
        if let Some(sign) = self.mode().sign.as_ref().filter(|_| login.signed) {
            self.put_signature(sign, &mut frame, &mut prepared, &mut secrets, (at_ms, entropy))?;
        }
        self.finish(prepared, secrets).map(Some)
    }

    /// Reads the answer to [`Connection::login`].
    pub fn login_answer(&self, answer: &HttpAnswer, at_ms: i64) -> Result<Session, Failure> {
        let Some(login) = &self.mode().login else {
            return Ok(Session::default());
        };
        let reading = answer::read(answer, self.connector.transport.charset.as_deref());
        let unreadable = |why: String| {
            Failure::new(&words::LOGIN_ANSWER)
                .with("connection", &self.name)
                .with("host", self.address())
                .with("why", self.redact(&why))
        };
        let status_ok = self.connector.transport.ok_status.contains(&answer.status);
        let body = match &reading.body {
            Ok(body) if status_ok => std::sync::Arc::clone(body),
            Ok(_) => {
                return Err(unreadable(format!("HTTP {}", answer.status)).vendor(self.excerpt(&reading.text)));
            }
            Err(failure) => {
                let why = format!("HTTP {}: {}", answer.status, failure.message(Lang::En));
                return Err(unreadable(why).vendor(self.excerpt(&reading.text)));
            }
        };
        let mut names = self.param_names();
        self.set_answer(&mut names, answer, &reading);
        if !login.ok.holds(&names) {
            let said = login
                .message
                .as_ref()
                .and_then(|tree| self.sentence(tree, &body, Map::new()));
            let said = said.unwrap_or_else(|| self.excerpt(&reading.text));
            return Err(Failure::new(&words::LOGIN_REFUSED)
                .with("connection", &self.name)
                .vendor(said));
        }
        let mut taken = BTreeMap::new();
        for (name, path) in &login.take {
            let value = path
                .get(&body)
                .and_then(Value::to_plain_text)
                .filter(|text| !text.is_empty());
            match value {
                Some(value) => taken.insert(name.clone(), value),
                // Not every system says how long: what is used then is `max_age`, and a refusal ends it anyway.
                None if name == "ttl" && login.max_age_ms.is_some() => continue,
                None => return Err(unreadable(format!("`{path}`"))),
            };
        }
        let ttl = taken
            .get("ttl")
            .and_then(|ttl| ttl.parse::<i64>().ok())
            // Some systems say 0 for "does not end"; one that does end says so when it is called.
            .filter(|seconds| *seconds > 0)
            .map(|seconds| seconds.saturating_mul(1000));
        let life = [login.max_age_ms, ttl].into_iter().flatten().min();
        let mut session = Session {
            taken,
            cookies: Vec::new(),
            until_ms: life.map(|life| at_ms.saturating_add(life)),
        };
        if login.cookies {
            keep(&mut session.cookies, answer);
        }
        Ok(session)
    }

    /// Takes over the cookies that an answer sets, where the mode keeps them. Gives back whether anything changed.
    pub fn keep_cookies(&self, session: &mut Session, answer: &HttpAnswer) -> bool {
        self.mode().cookies && keep(&mut session.cookies, answer)
    }

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
        let mut secrets = Secrets::default();
        let mut frame = self.attempt_frame(at_ms, entropy, Map::new());
        frame.set("$auth", auth);
        set_headers(&mut prepared, frame.pairs(&mode.headers, "auth.headers")?);
        secrets.headers.extend(self.secret_names(&mode.headers, &[]));
        if let Some((user, password)) = &mode.basic {
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
        if let Some(session) = session.filter(|session| mode.cookies && !session.cookies.is_empty()) {
            let pairs: Vec<String> = session
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            set_headers(&mut prepared, vec![("cookie".to_owned(), pairs.join("; "))]);
            secrets.headers.push("cookie".to_owned());
        }
        if let Some(sign) = &mode.sign {
            self.put_signature(sign, &mut frame, &mut prepared, &mut secrets, (at_ms, entropy))?;
        }
        self.finish(prepared, secrets)
    }

    /// Computes a signature over the bytes there are and adds it to them.
    fn put_signature(
        &self,
        sign: &Sign,
        frame: &mut Frame<'_>,
        prepared: &mut Prepared,
        secrets: &mut Secrets,
        (at_ms, entropy): (i64, [u8; 16]),
    ) -> Result<(), Failure> {
        let mut names = self.param_names();
        names.attempt(at_ms, entropy, &self.connector.zone);
        names.set("req", req(prepared));
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
        secrets: &mut Secrets,
    ) -> Result<(), Failure> {
        set_headers(prepared, frame.pairs(&login.apply_headers, "apply.headers")?);
        secrets
            .headers
            .extend(self.secret_names(&login.apply_headers, &[]));
        secrets.query.extend(self.secret_names(&login.apply_query, &[]));
        set_query(prepared, frame.pairs(&login.apply_query, "apply.query")?);
        Ok(())
    }

    fn finish(&self, prepared: Prepared, secrets: Secrets) -> Result<HttpRequest, Failure> {
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

    fn attempt_frame(&self, at_ms: i64, entropy: [u8; 16], lets: Map) -> Frame<'_> {
        let mut frame = self.param_frame(at_ms);
        frame.set("$let", lets);
        frame.set("$uuid", uuid4(entropy));
        frame.set_instant("$clock", at_ms);
        frame
    }

    /// Computes recipes in order; each sees those before it.
    fn lets(&self, lets: &[(String, Recipe)], names: &mut Names) -> Result<Map, Failure> {
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
    fn tainted(&self, lets: &[(String, Recipe)]) -> Vec<String> {
        let mut tainted: Vec<String> = Vec::new();
        for (name, recipe) in lets {
            if recipe
                .reads()
                .iter()
                .any(|read| self.secret.contains(read) || tainted.contains(read))
            {
                tainted.push(name.clone());
            }
        }
        tainted
    }

    fn secret_names(&self, trees: &[(String, Tree)], tainted: &[String]) -> Vec<String> {
        let frame = self.param_frame(0);
        trees
            .iter()
            .filter(|(_, tree)| self.is_secret(tree, tainted))
            .map(|(name, _)| frame.pair_name(name))
            .collect()
    }

    fn is_secret(&self, tree: &Tree, tainted: &[String]) -> bool {
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

/// A version 4 UUID from sixteen random bytes.
fn uuid4(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// Takes `Set-Cookie` headers over: names and values only, an emptied cookie is forgotten.
fn keep(cookies: &mut Vec<(String, String)>, answer: &HttpAnswer) -> bool {
    let before = cookies.clone();
    for (name, value) in &answer.headers {
        if !name.eq_ignore_ascii_case("set-cookie") {
            continue;
        }
        let Some((name, value)) = value.split(';').next().and_then(|pair| pair.split_once('=')) else {
            continue;
        };
        let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
        cookies.retain(|(known, _)| *known != name);
        if !value.is_empty() && cookies.len() < COOKIES_MAX {
            cookies.push((name, value));
        }
    }
    *cookies != before
}
