//! Sessions: the calls that give one, what of it outlives the process, and the token that writes need beside it.
//!
//! A login is one call or several; each step may name what the steps before it took. What a step marked with `keep`
//! took is taken again by later logins, until its time is over or the other system refuses it: then all steps are made
//! anew, once. Nothing here calls anybody or prints what it was given.

use std::collections::BTreeMap;
use std::sync::Arc;

use dsl::catalogue::auth as words;
use dsl::{Failure, Lang, Map, Value};
use sha2::Digest as _;

use crate::answer::HttpAnswer;
use crate::connection::Connection;
use crate::model::{Csrf, Encode, Login, LoginStep};
use crate::recipe::{Names, Recipe, data};
use crate::request::{Prepared, xml_body};
use crate::secret::MASK;
use crate::sign::{HttpRequest, Signing, Spots};
use crate::url::Server;

/// Cookies that are kept; a server sets two or three.
const COOKIES_MAX: usize = 32;

/// Most calls of one login: every step twice, because what was kept may turn out to be useless.
pub const LOGIN_CALLS_MAX: usize = 2 * crate::model::STEPS_MAX;

/// What a login gave: shared by everything that uses the credential.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Session {
    taken: BTreeMap<String, String>,
    pub(crate) cookies: Vec<(String, String)>,
    until_ms: Option<i64>,
    /// Until when what a step took may be used by the next login, by the step's place.
    kept: BTreeMap<usize, i64>,
    /// The token that writes carry. It is of no use without its cookies, nor with others.
    pub(crate) guard: Option<Arc<Guard>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({MASK}, until {:?})", self.until_ms)
    }
}

/// A token against forged requests, and the cookies it was given with.
#[derive(PartialEq, Eq)]
pub struct Guard {
    pub(crate) token: String,
    pub(crate) cookies: Vec<(String, String)>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Guard({MASK})")
    }
}

impl Guard {
    /// What of it must not be seen.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let cookies = self.cookies.iter().map(|(_, value)| value.as_str());
        std::iter::once(self.token.as_str()).chain(cookies)
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

    /// What of it must not be seen: everything the login gave but how long it is good for and where to call, and the
    /// cookies.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.taken
            .iter()
            .filter(|(name, value)| *name != "ttl" && Server::parse(value).is_err())
            .map(|(_, value)| value.as_str())
            .chain(self.cookies.iter().map(|(_, value)| value.as_str()))
    }

    pub(crate) fn names(&self) -> Map {
        let taken = self.taken.iter();
        taken
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect()
    }

    /// The same session with a token for writes.
    #[must_use]
    pub fn guarded(&self, guard: Arc<Guard>) -> Session {
        Session {
            guard: Some(guard),
            ..self.clone()
        }
    }

    /// Its text, to be kept where only its owner can read. Cookies and the token for writes are not part of it.
    pub fn to_text(&self) -> String {
        let mut map = Map::new();
        map.insert("taken".into(), Value::Map(self.names()));
        map.insert("until_ms".into(), self.until_ms.map_or(Value::Null, Value::from));
        let kept = self.kept.iter();
        let kept: Map = kept
            .map(|(step, until)| (step.to_string(), Value::from(*until)))
            .collect();
        map.insert("kept".into(), Value::Map(kept));
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
        // Files that were written before there were steps have none.
        let kept = map.get("kept").and_then(Value::as_map).into_iter().flatten();
        let kept: Option<BTreeMap<usize, i64>> = kept
            .map(|(step, until)| Some((step.parse().ok()?, until.to_plain_text()?.parse().ok()?)))
            .collect();
        Some(Session {
            taken: taken?,
            cookies: Vec::new(),
            until_ms,
            kept: kept?,
            guard: None,
        })
    }

    /// Whether it is too old to be used.
    pub fn is_over(&self, at_ms: i64) -> bool {
        self.until_ms.is_some_and(|until| at_ms >= until)
    }
}

/// A login between its calls.
#[derive(Debug, Clone, Default)]
pub struct LoggingIn {
    session: Session,
    /// The steps that were made; those whose values were kept are made, too.
    made: Vec<usize>,
    uses_kept: bool,
}

impl LoggingIn {
    /// What the login gave, once no call is left to be made.
    pub fn into_session(self) -> Session {
        self.session
    }

    /// A login that has got this far, as a test says it.
    pub(crate) fn at(step: usize, taken: &[(String, String)]) -> LoggingIn {
        LoggingIn {
            session: Session::of(taken),
            made: (0..step).collect(),
            uses_kept: false,
        }
    }
}

impl Connection {
    /// Whether calls need a session.
    pub fn needs_login(&self) -> bool {
        self.mode().login.is_some()
    }

    /// Whether something of a session must outlive the process: a login needs what the one before it gave, or a step
    /// gives what later logins may use.
    pub fn keeps_sessions(&self) -> bool {
        let keeps = |login: &Login| login.rotate || login.steps.iter().any(|step| step.keep_ms.is_some());
        self.mode().login.as_ref().is_some_and(keeps)
    }

    /// What a session that is kept belongs to: another credential, or another start, is another name. Safe in a path.
    pub fn session_name(&self) -> Result<String, Failure> {
        let start = self.start()?;
        let start = dsl::json::to_string(&Value::Map(start));
        let digest = sha2::Sha256::digest(format!("{}\n{start}", self.credential()));
        let short: String = digest[..12].iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("{}-{short}", self.connector.id))
    }

    /// What of a session is kept for other commands: all of it where each login needs the one before, else what the
    /// steps say, in a session that is over.
    pub fn to_be_kept(&self, session: &Session) -> Session {
        let Some(login) = self.mode().login.as_ref().filter(|login| !login.rotate) else {
            return session.clone();
        };
        let is_kept = |name: &String| {
            session.kept.keys().any(|step| {
                let step = login.steps.get(*step);
                step.is_some_and(|step| step.take.iter().any(|(known, _)| known == name))
            })
        };
        Session {
            taken: session
                .taken
                .iter()
                .filter(|(name, _)| is_kept(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            cookies: Vec::new(),
            until_ms: Some(0),
            kept: session.kept.clone(),
            guard: None,
        }
    }

    fn start(&self) -> Result<Map, Failure> {
        let start = self.mode().login.as_ref().map_or(&[][..], |login| &login.start);
        let pairs = self.param_frame(0).pairs(start, "login.start")?;
        Ok(pairs
            .into_iter()
            .map(|(name, value)| (name, Value::from(value)))
            .collect())
    }

    /// Begins a login with what the session before it left: everything where each login needs the one before, else
    /// what its steps said may be used for longer.
    pub fn begin_login(&self, before: Option<&Session>, at_ms: i64) -> LoggingIn {
        let mut under_way = LoggingIn::default();
        let (Some(login), Some(before)) = (&self.mode().login, before) else {
            return under_way;
        };
        if login.rotate {
            under_way.session.taken = before.taken.clone();
            return under_way;
        }
        for (place, step) in login.steps.iter().enumerate() {
            let until = before.kept.get(&place).filter(|until| at_ms < **until);
            let values = step
                .take
                .iter()
                .map(|(name, _)| Some((name.clone(), before.taken.get(name)?.clone())));
            if let (Some(until), Some(values)) = (until, values.collect::<Option<Vec<_>>>()) {
                under_way.session.taken.extend(values);
                under_way.session.kept.insert(place, *until);
                under_way.made.push(place);
                under_way.uses_kept = true;
            }
        }
        under_way
    }

    fn next_step<'c>(&'c self, under_way: &LoggingIn) -> Option<(usize, &'c Login, &'c LoginStep)> {
        let login = self.mode().login.as_ref()?;
        let mut steps = login.steps.iter().enumerate();
        let (place, step) = steps.find(|(place, _)| !under_way.made.contains(place))?;
        Some((place, login, step))
    }

    /// What the next answer of a login must say.
    pub(crate) fn login_ok(&self, under_way: &LoggingIn) -> Option<&Recipe> {
        self.next_step(under_way).map(|(_, _, step)| &step.ok)
    }

    /// Whether a call is left to be made.
    pub fn login_goes_on(&self, under_way: &LoggingIn) -> bool {
        self.next_step(under_way).is_some()
    }

    /// The next call of a login; `None` when there is none.
    pub fn login_request(
        &self,
        under_way: &LoggingIn,
        at_ms: i64,
        entropy: [u8; 16],
    ) -> Result<Option<HttpRequest>, Failure> {
        let Some((_, login, step)) = self.next_step(under_way) else {
            return Ok(None);
        };
        let known = match under_way.session.taken.is_empty() {
            true => self.start()?,
            false => under_way.session.names(),
        };
        let mut names = self.param_names();
        names.attempt(at_ms, entropy, &self.connector.zone);
        names.set(SESSION, data::give(Value::Map(known.clone())));
        let lets = self.lets(&step.lets, &mut names)?;
        let mut frame = self.attempt_frame(at_ms, entropy, lets);
        frame.set("$auth", known);
        let path = frame.text(&step.path, "login.path")?.unwrap_or_default();
        let body = match &step.body {
            Some(tree) => frame.value(tree, "login.body")?,
            None => None,
        };
        let xml = body.clone().filter(|_| step.encode == Encode::Xml);
        let mut prepared = self.request(&step.method, &path, step.encode, body.as_ref())?;
        if step.encode == Encode::Xml {
            xml_body(&mut prepared, &step.root, xml)?;
        }
        if let Some(host) = &step.host {
            let text = frame.text(host, "login.host")?.unwrap_or_default();
            self.turn_to(&mut prepared, &text)?;
        }
        prepared.query = frame.pairs(&step.query, "login.query")?;
        prepared
            .headers
            .extend(frame.pairs(&step.headers, "login.headers")?);
        if !under_way.session.cookies.is_empty() {
            let text = cookie_text(&under_way.session.cookies);
            prepared.headers.push(("cookie".to_owned(), text));
        }
        let mut spots = Spots::new(self, &step.lets, (&step.headers, &step.query, step.body.as_ref()));
        let attempt = Signing { at_ms, entropy };
        if let Some(sign) = self.mode().sign.as_ref().filter(|_| login.signed) {
            self.put_signature(sign, &mut frame, &mut prepared, &mut spots, attempt)?;
        }
        self.finish(prepared, spots).map(Some)
    }

    /// Leads a request to a server that the other system named. It is called only when the connector's file permits it:
    /// whoever answers a login must not choose where credentials go.
    pub(crate) fn turn_to(&self, prepared: &mut Prepared, address: &str) -> Result<(), Failure> {
        let refused = || {
            Failure::new(&words::HOST_UNLISTED)
                .with("connection", &self.name)
                .with("host", self.excerpt(address))
        };
        let server = Server::parse(address).map_err(|_| refused())?;
        if !self.may_call(&server) {
            return Err(refused());
        }
        let path = prepared.path.strip_prefix(self.server.path.as_str());
        prepared.path = format!("{}{}", server.path, path.unwrap_or_default());
        prepared.origin = server.origin();
        Ok(())
    }

    /// Reads the answer to [`Connection::login_request`].
    pub fn login_answer(
        &self,
        under_way: &mut LoggingIn,
        answer: &HttpAnswer,
        at_ms: i64,
    ) -> Result<(), Failure> {
        let Some((place, login, step)) = self.next_step(under_way) else {
            return Ok(());
        };
        let reading = self.reading(answer);
        let status_ok = self.connector.transport.ok_status.contains(&answer.status);
        let body = match &reading.body {
            Ok(body) if status_ok => Arc::clone(body),
            // Where a kept address leads, there may be somebody else by now.
            _ if under_way.uses_kept => {
                *under_way = LoggingIn::default();
                return Ok(());
            }
            Ok(_) => {
                let why = format!("HTTP {}", answer.status);
                return Err(self.unreadable(&why).vendor(self.excerpt(&reading.text)));
            }
            Err(failure) => {
                let why = format!("HTTP {}: {}", answer.status, failure.message(Lang::En));
                return Err(self.unreadable(&why).vendor(self.excerpt(&reading.text)));
            }
        };
        let mut names = self.param_names();
        self.set_answer(&mut names, answer, &reading);
        if !step.ok.holds(&names) {
            // What was kept may be what it did not like.
            if under_way.uses_kept {
                *under_way = LoggingIn::default();
                return Ok(());
            }
            let said = step
                .message
                .as_ref()
                .and_then(|tree| self.sentence(tree, &body, Map::new()));
            let said = said.unwrap_or_else(|| self.excerpt(&reading.text));
            return Err(Failure::new(&words::LOGIN_REFUSED)
                .with("connection", &self.name)
                .vendor(said));
        }
        let mut taken = BTreeMap::new();
        for (name, path) in &step.take {
            let value = path
                .get(&body)
                .and_then(Value::to_plain_text)
                .filter(|text| !text.is_empty());
            match value {
                Some(value) => taken.insert(name.clone(), value),
                // Not every system says how long: what is used then is `max_age`, and a refusal ends it anyway.
                None if name == "ttl" && login.max_age_ms.is_some() => continue,
                None => return Err(self.unreadable(&format!("`{path}`"))),
            };
        }
        let ttl = taken
            .get("ttl")
            .and_then(|ttl| ttl.parse::<i64>().ok())
            // Some systems say 0 for "does not end"; one that does end says so when it is called.
            .filter(|seconds| *seconds > 0)
            .map(|seconds| seconds.saturating_mul(1000));
        let life = [login.max_age_ms, ttl].into_iter().flatten().min();
        let session = &mut under_way.session;
        match login.steps.len() {
            // What a login rotates is replaced, not added to.
            1 => session.taken = taken,
            _ => session.taken.extend(taken),
        }
        let until = life.map(|life| at_ms.saturating_add(life));
        session.until_ms = [session.until_ms, until].into_iter().flatten().min();
        if let Some(keep) = step.keep_ms {
            session.kept.insert(place, at_ms.saturating_add(keep));
        }
        if login.cookies {
            keep(&mut session.cookies, answer);
        }
        under_way.made.push(place);
        Ok(())
    }

    fn unreadable(&self, why: &str) -> Failure {
        Failure::new(&words::LOGIN_ANSWER)
            .with("connection", &self.name)
            .with("host", self.address())
            .with("why", self.redact(why))
    }

    /// Takes over the cookies that an answer sets, where the mode keeps them. Gives back whether anything changed.
    pub fn keep_cookies(&self, session: &mut Session, answer: &HttpAnswer) -> bool {
        self.mode().cookies && keep(&mut session.cookies, answer)
    }

    /// Whether a call of this operation carries a token that is fetched before.
    pub fn needs_guard(&self, operation: &str) -> bool {
        let writes = |operation: &Arc<crate::model::Operation>| operation.kind != dsl::facts::OpKind::Read;
        self.connector.csrf.is_some() && self.connector.operation(operation).is_some_and(writes)
    }

    /// Whether any call of this connector carries such a token.
    pub fn has_guard(&self) -> bool {
        self.connector.csrf.is_some()
    }

    /// The call that fetches the token for writes.
    pub fn guard_request(
        &self,
        session: Option<&Session>,
        at_ms: i64,
        entropy: [u8; 16],
    ) -> Result<Option<HttpRequest>, Failure> {
        let Some(csrf) = &self.connector.csrf else {
            return Ok(None);
        };
        let frame = self.param_frame(at_ms);
        let path = frame.text(&csrf.path, "csrf.path")?.unwrap_or_default();
        let mut prepared = self.request(&csrf.method, &path, Encode::None, None)?;
        prepared.query = frame.pairs(&csrf.query, "csrf.query")?;
        prepared.headers = frame.pairs(&csrf.headers, "csrf.headers")?;
        prepared.headers.push((csrf.header.clone(), "Fetch".to_owned()));
        self.sign(&prepared, session, at_ms, entropy).map(Some)
    }

    /// Reads the answer to [`Connection::guard_request`]. The status does not matter where a token is given: services
    /// answer some requests for one with "not found".
    pub fn guard_answer(&self, answer: &HttpAnswer) -> Result<Guard, Failure> {
        let header = self.connector.csrf.as_ref().map_or("", |csrf| &csrf.header);
        let told = answer.header(header).unwrap_or_default().trim();
        let words_of_it = ["fetch", "required"];
        let is_word = words_of_it.iter().any(|word| told.eq_ignore_ascii_case(word));
        if matches!(answer.status, 401 | 403) {
            return Err(Failure::new(&words::LOGIN_REFUSED)
                .with("connection", &self.name)
                .vendor(self.excerpt(&format!("HTTP {}: {}", answer.status, self.readable(answer)))));
        }
        if told.is_empty() || is_word {
            let why = format!("HTTP {}: `{header}`", answer.status);
            return Err(self.unreadable(&why).vendor(self.excerpt(&self.readable(answer))));
        }
        let mut cookies = Vec::new();
        keep(&mut cookies, answer);
        Ok(Guard {
            token: told.to_owned(),
            cookies,
        })
    }

    /// Whether an answer says that the token for writes is not good: the call was refused before anything was looked at.
    pub fn is_guard_refused(&self, answer: &HttpAnswer) -> bool {
        self.connector.csrf.as_ref().is_some_and(|csrf| {
            let reading = self.reading(answer);
            let mut names = self.param_names();
            self.set_answer(&mut names, answer, &reading);
            refuses(csrf, &names)
        })
    }
}

/// Whether these names of an answer say that the token for writes is not good.
pub(crate) fn refuses(csrf: &Csrf, names: &Names) -> bool {
    csrf.again_when.holds(names)
}

/// The name under which recipes see what a login took.
pub(crate) const SESSION: &str = "session";

/// A `Cookie` header.
pub(crate) fn cookie_text(cookies: &[(String, String)]) -> String {
    let pairs: Vec<String> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("; ")
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
