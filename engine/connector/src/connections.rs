//! `connections.yaml`: which systems, with whose credentials, in which environment.
//!
//! Loading checks everything that can be known without a secret, for every environment at once. References are
//! resolved when a connection is really needed, and then only its own. A secret in clear text is an error; a secret
//! that is missing is named without its value.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use dsl::builtin::Registry;
use dsl::catalogue::{auth, connector as words};
use dsl::diagnostic::did_you_mean;
use dsl::facts::NotFound;
use dsl::yaml::{self, Node, Pair};
use dsl::{Diagnostic, Failure, Map, SourceFile, Value};

use crate::connection::{Connection, Timeouts};
use crate::keys::Place;
use crate::load::{Members, Reader, lay_over, param_value, text_value, type_words};
use crate::model::{Connector, Limits, Param, ParamType};
use crate::recipe::{Names, data};
use crate::secret::{MASK, NoSecrets, Redactor, SecretKind, Secrets};
use crate::url::Server;

/// The environment when nobody names one.
pub const DEFAULT_ENV: &str = "default";

/// Where a call would go if its server were known: nothing resolves there.
const NOWHERE: &str = "https://unresolved.invalid/";

/// The connections of a file.
#[derive(Debug)]
pub struct Connections {
    file: Arc<SourceFile>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    span: Range<usize>,
    connector: Arc<Connector>,
    base: Node,
    envs: Vec<(String, Node)>,
}

/// Reads and checks a connections file.
pub fn load(
    file: &Arc<SourceFile>,
    connectors: &[Arc<Connector>],
    registry: &Registry,
) -> Result<Connections, Vec<Diagnostic>> {
    let node = yaml::read(file)?;
    let mut reader = Reader::new(file, registry);
    let members = reader.members(&node, "", Place::Connections);
    let mut entries = Vec::new();
    if let Some(pair) = reader.need(members, "connections", "connections.yaml") {
        for pair in reader.pairs(&pair.value, "connections") {
            entries.extend(entry(pair, connectors, &mut reader));
        }
    }
    for entry in &entries {
        let mut problems = entry.addresses(DEFAULT_ENV, file);
        for (env, _) in &entry.envs {
            problems.extend(entry.addresses(env, file));
        }
        for problem in problems {
            if !reader.diags.contains(&problem) {
                reader.push(problem);
            }
        }
    }
    match reader.diags.iter().any(Diagnostic::is_error) {
        true => Err(without_secrets(file, reader.diags)),
        false => Ok(Connections {
            file: Arc::clone(file),
            entries,
        }),
    }
}

fn entry(pair: &Pair, connectors: &[Arc<Connector>], reader: &mut Reader<'_>) -> Option<Entry> {
    let members = reader.members(&pair.value, &pair.key, Place::Connection);
    let named = reader.need(members, "connector", &pair.key)?;
    let id = reader.text(&named.value, "connector")?;
    let Some(connector) = connectors.iter().find(|connector| connector.id == id) else {
        let all: Vec<&str> = connectors.iter().map(|connector| connector.id.as_str()).collect();
        reader.push(
            reader
                .at(&words::UNKNOWN_CONNECTOR, &named.value.span)
                .with("name", id)
                .with("all", all.join(", "))
                .similar(did_you_mean(id, all.iter().copied())),
        );
        return None;
    };
    check_settings(members, connector, reader);
    let mut envs = Vec::new();
    if let Some(env) = members.get("env") {
        for env in reader.pairs(&env.value, "env") {
            let inner = reader.members(&env.value, &env.key, Place::ConnectionEnv);
            check_settings(inner, connector, reader);
            envs.push((env.key.clone(), env.value.clone()));
        }
    }
    Some(Entry {
        name: pair.key.clone(),
        span: pair.key_span.clone(),
        connector: Arc::clone(connector),
        base: pair.value.clone(),
        envs,
    })
}

fn check_settings(members: Members<'_>, connector: &Connector, reader: &mut Reader<'_>) {
    settings(members, reader);
    let Some(pair) = members.get("params") else { return };
    for pair in reader.pairs(&pair.value, "params") {
        match connector.params.iter().find(|param| param.name == pair.key) {
            Some(param) => check_param(pair, param, reader),
            None => {
                let near = did_you_mean(
                    &pair.key,
                    connector.params.iter().map(|param| param.name.as_str()),
                );
                reader.push(
                    reader
                        .at(&words::UNKNOWN_PARAM, &pair.key_span)
                        .with("connector", &connector.id)
                        .with("name", &pair.key)
                        .similar(near),
                );
            }
        }
    }
}

fn check_param(pair: &Pair, param: &Param, reader: &mut Reader<'_>) {
    if is_drop(&pair.value) {
        return;
    }
    match pair.value.scalar().map(|scalar| parts(&scalar.text)) {
        Some(Err(text)) => reader.push(
            reader
                .at(&words::BAD_REFERENCE, &pair.value.span)
                .with("text", text),
        ),
        Some(Ok(parts)) if parts.iter().any(|part| matches!(part, Part::Reference(..))) => {}
        _ if param.secret => {
            reader.push(
                reader
                    .at(&words::SECRET_IN_CLEAR, &pair.value.span)
                    .with("name", &param.name),
            );
        }
        _ if param_value(&pair.value, param.ty, &param.of).is_none() => {
            reader.push(bad_type(
                reader.at(&words::PARAM_TYPE, &pair.value.span),
                pair,
                param,
            ));
        }
        _ => {}
    }
}

fn bad_type(problem: Diagnostic, pair: &Pair, param: &Param) -> Diagnostic {
    let (zh, en) = type_words(param.ty);
    let value = match (param.secret, pair.value.scalar()) {
        (true, _) => MASK.to_owned(),
        (false, Some(scalar)) => scalar.text.clone(),
        (false, None) => "…".to_owned(),
    };
    let near = did_you_mean(&value, param.of.iter().map(String::as_str));
    problem
        .with("name", &param.name)
        .with("want_zh", zh)
        .with("want_en", en)
        .with("value", value)
        .similar(near)
}

/// The same problems, drawn in a file in which secrets written in clear are covered: a problem shows its line.
fn without_secrets(file: &Arc<SourceFile>, mut problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut text = file.text.clone();
    for problem in problems
        .iter()
        .filter(|problem| problem.entry == &words::SECRET_IN_CLEAR)
    {
        if let Some(clear) = text.get(problem.span.clone()) {
            // As many bytes as before, line ends kept, so that every other place stays where it is.
            let covered: String = clear
                .bytes()
                .map(|byte| if byte == b'\n' { '\n' } else { '*' })
                .collect();
            text.replace_range(problem.span.clone(), &covered);
        }
    }
    if text != file.text {
        let covered = SourceFile::new(file.name.clone(), text);
        problems
            .iter_mut()
            .for_each(|problem| problem.file = Arc::clone(&covered));
    }
    problems
}

fn is_drop(node: &Node) -> bool {
    node.scalar().is_some_and(|scalar| scalar.text == "$drop")
}

/// What a connection says beside its parameters.
struct Settings {
    limits: Limits,
    timeouts: Timeouts,
    quiet_period_ms: Option<i64>,
    sandbox: bool,
    allow_plain_http: bool,
}

fn settings(members: Members<'_>, reader: &mut Reader<'_>) -> Settings {
    let mut limits = Limits::default();
    if let Some(pair) = members.get("limits") {
        let inner = reader.members(&pair.value, "limits", Place::ConnectionLimits);
        limits.rates = reader.rates(inner.get("rate"));
        limits.concurrency = reader.count(inner.get("concurrency"));
    }
    let mut timeouts = Timeouts::default();
    if let Some(pair) = members.get("timeouts") {
        let inner = reader.members(&pair.value, "timeouts", Place::Timeouts);
        timeouts.connect_ms = reader.duration(inner.get("connect"));
        timeouts.first_byte_ms = reader.duration(inner.get("first_byte"));
        timeouts.idle_ms = reader.duration(inner.get("idle"));
        timeouts.total_ms = reader.duration(inner.get("total"));
    }
    Settings {
        limits,
        timeouts,
        quiet_period_ms: reader.duration(members.get("quiet_period")),
        sandbox: reader.bool(members.get("sandbox")).unwrap_or(false),
        allow_plain_http: reader.bool(members.get("allow_plain_http")).unwrap_or(false),
    }
}

/// A piece of a parameter's text.
enum Part<'t> {
    Text(&'t str),
    Reference(SecretKind, &'t str),
}

/// Takes a text apart at its references, or gives back what looks like one and is none.
fn parts(text: &str) -> Result<Vec<Part<'_>>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if at > 0 {
            found.push(Part::Text(&rest[..at]));
        }
        let Some(length) = rest[at..].find('}') else {
            return Err(rest[at..].to_owned());
        };
        let inner = &rest[at + 2..at + length];
        let reference = match inner.split_once(':') {
            Some(("env", name)) => Some((SecretKind::Env, name)),
            Some(("secret", name)) => Some((SecretKind::Secret, name)),
            _ => None,
        };
        let named = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        };
        match reference.filter(|(_, name)| named(name)) {
            Some((kind, name)) => found.push(Part::Reference(kind, name)),
            None => return Err(rest[at..=at + length].to_owned()),
        }
        rest = &rest[at + length + 1..];
    }
    if !rest.is_empty() {
        found.push(Part::Text(rest));
    }
    Ok(found)
}

/// The values of the parameters, and which must not be seen.
#[derive(Default)]
struct Given {
    params: Map,
    secret: Vec<String>,
    /// References that nothing was found for.
    open: Vec<(String, String)>,
}

impl Entry {
    fn settled(&self, env: &str) -> Node {
        let over = self.envs.iter().find(|(name, _)| name == env);
        over.map_or_else(|| self.base.clone(), |(_, over)| lay_over(&self.base, over))
    }

    fn given(&self, node: &Node, secrets: &dyn Secrets) -> Given {
        let mut given = Given::default();
        let pairs = node
            .get("params")
            .and_then(|pair| pair.value.map())
            .unwrap_or_default();
        for param in &self.connector.params {
            let pair = pairs.iter().find(|pair| pair.key == param.name);
            let value = match pair {
                Some(pair) => self.value(pair, param, secrets, &mut given),
                None => param.default.clone(),
            };
            given
                .params
                .extend(value.map(|value| (param.name.clone(), value)));
            if param.secret && !given.secret.contains(&param.name) {
                given.secret.push(param.name.clone());
            }
        }
        given
    }

    fn value(&self, pair: &Pair, param: &Param, secrets: &dyn Secrets, given: &mut Given) -> Option<Value> {
        let Some(Ok(parts)) = pair.value.scalar().map(|scalar| parts(&scalar.text)) else {
            return param_value(&pair.value, param.ty, &param.of);
        };
        let mut text = String::new();
        let mut complete = true;
        for part in parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Reference(kind, name) => {
                    if kind == SecretKind::Secret && !given.secret.contains(&param.name) {
                        given.secret.push(param.name.clone());
                    }
                    match secrets.get(kind, name) {
                        Some(found) => text.push_str(&found),
                        None => {
                            complete = false;
                            given
                                .open
                                .push((param.name.clone(), format!("${{{}:{name}}}", kind.name())));
                        }
                    }
                }
            }
        }
        if complete {
            text_value(&text, param.ty, &param.of)
        } else {
            None
        }
    }

    /// Parameters that this way of authentication needs and nobody gives.
    fn missing(&self, given: &Given) -> Vec<&Param> {
        let mut names = Names::default();
        for (name, value) in &given.params {
            names.set(name.clone(), data::give(value.clone()));
        }
        let needed = |param: &&Param| param.when.as_ref().is_none_or(|when| when.holds(&names));
        let absent = |param: &&Param| {
            !given.params.contains_key(&param.name) && !given.open.iter().any(|(name, _)| *name == param.name)
        };
        self.connector
            .params
            .iter()
            .filter(absent)
            .filter(needed)
            .collect()
    }

    /// What is wrong with the addresses of an environment, as far as they are written out.
    fn addresses(&self, env: &str, file: &Arc<SourceFile>) -> Vec<Diagnostic> {
        let node = self.settled(env);
        let plain = node
            .get("allow_plain_http")
            .is_some_and(|pair| pair.value.plain_value() == Value::Bool(true));
        let pairs = node
            .get("params")
            .and_then(|pair| pair.value.map())
            .unwrap_or_default();
        let mut problems = Vec::new();
        for param in self
            .connector
            .params
            .iter()
            .filter(|param| param.ty == ParamType::Url)
        {
            let Some(pair) = pairs.iter().find(|pair| pair.key == param.name) else {
                continue;
            };
            let Some(text) = pair.value.scalar().map(|scalar| scalar.text.as_str()) else {
                continue;
            };
            if text.contains("${") {
                continue;
            }
            if let Some(problem) = address_problem(text, plain, &param.name) {
                let mut diagnostic = Diagnostic::new(problem.entry, file, pair.value.span.clone());
                diagnostic.facts = problem.facts;
                problems.push(diagnostic);
            }
        }
        problems
    }
}

/// Whether an address may be called at all.
fn address_problem(text: &str, plain_http: bool, param: &str) -> Option<Failure> {
    match Server::parse(text) {
        Err((zh, en)) => Some(
            Failure::new(&words::BAD_URL)
                .with("name", param)
                .with("why_zh", zh)
                .with("why_en", en),
        ),
        Ok(server) if server.is_blocked() => {
            Some(Failure::new(&words::BLOCKED_ADDRESS).with("host", &server.host))
        }
        Ok(server) if !server.https && !plain_http && !server.is_near() => {
            Some(Failure::new(&words::PLAIN_HTTP).with("host", &server.host))
        }
        Ok(_) => None,
    }
}

impl Connections {
    /// The names, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }

    /// The connector of a connection.
    pub fn connector(&self, name: &str) -> Option<&Arc<Connector>> {
        self.entry(name).map(|entry| &entry.connector)
    }

    /// Whether a connection uses only the simulator in this environment.
    pub fn is_sandbox(&self, name: &str, env: &str) -> bool {
        let sandbox = |entry: &Entry| {
            let node = entry.settled(env);
            node.get("sandbox")
                .is_some_and(|pair| pair.value.plain_value() == Value::Bool(true))
        };
        self.entry(name).is_some_and(sandbox)
    }

    /// What keeps a connection from being used in an environment, as far as that can be known without secrets.
    pub fn check(&self, name: &str, env: &str) -> Vec<Diagnostic> {
        let Some(entry) = self.entry(name) else {
            return Vec::new();
        };
        if self.is_sandbox(name, env) {
            return Vec::new();
        }
        let node = entry.settled(env);
        let given = entry.given(&node, &NoSecrets);
        let missing = entry.missing(&given).into_iter().map(|param| {
            Diagnostic::new(&words::MISSING_PARAM, &self.file, entry.span.clone())
                .with("connection", name)
                .with("env", env)
                .with("name", &param.name)
        });
        missing.collect()
    }

    /// The connection for checking: no reference is resolved, nothing can be called with it.
    pub fn unresolved(&self, name: &str, env: &str) -> Result<Arc<Connection>, NotFound> {
        let entry = self.entry(name).ok_or_else(|| self.not_found(name))?;
        let node = entry.settled(env);
        let given = entry.given(&node, &NoSecrets);
        self.assemble(entry, &node, given)
            .map(Arc::new)
            .map_err(|_| self.not_found(name))
    }

    /// The connection for calling: its references are resolved, and only its own.
    pub fn resolve(&self, name: &str, env: &str, secrets: &dyn Secrets) -> Result<Connection, Failure> {
        let entry = self
            .entry(name)
            .ok_or_else(|| Failure::new(&words::UNKNOWN_CONNECTION).with("name", name))?;
        let node = entry.settled(env);
        let given = entry.given(&node, secrets);
        if let Some((param, reference)) = given.open.first() {
            return Err(Failure::new(&auth::SECRET_MISSING)
                .with("connection", name)
                .with("name", param)
                .with("reference", reference)
                .at(param));
        }
        if let Some(param) = entry.missing(&given).first() {
            return Err(Failure::new(&words::MISSING_PARAM)
                .with("connection", name)
                .with("env", env)
                .with("name", &param.name)
                .at(&param.name));
        }
        let connection = self.assemble(entry, &node, given)?;
        match address_problem_of(&connection) {
            Some(problem) => Err(problem),
            None => Ok(connection),
        }
    }

    /// The connection against the simulator, whose parameters are `given`. No host, secret or reference of the file is
    /// used; what else it says (the way of authentication, a language) stays.
    pub fn resolve_sandbox(
        &self,
        name: &str,
        env: &str,
        given: &BTreeMap<String, String>,
    ) -> Result<Connection, Failure> {
        let entry = self
            .entry(name)
            .ok_or_else(|| Failure::new(&words::UNKNOWN_CONNECTION).with("name", name))?;
        let node = entry.settled(env);
        let mut own = entry.given(&node, &NoSecrets);
        for param in &entry.connector.params {
            if param.secret || param.ty == ParamType::Url {
                own.params.shift_remove(&param.name);
            }
            let simulated = given
                .get(&param.name)
                .and_then(|text| text_value(text, param.ty, &param.of));
            own.params
                .extend(simulated.map(|value| (param.name.clone(), value)));
        }
        own.open.clear();
        if let Some(param) = entry.missing(&own).first() {
            return Err(Failure::new(&words::MISSING_PARAM)
                .with("connection", name)
                .with("env", "sandbox")
                .with("name", &param.name));
        }
        let mut connection = self.assemble(entry, &node, own)?;
        connection.sandbox = true;
        Ok(connection)
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The names near one that is not there.
    pub fn not_found(&self, name: &str) -> NotFound {
        NotFound {
            similar: did_you_mean(name, self.names()),
            all: self.names().map(str::to_owned).collect(),
        }
    }

    fn assemble(&self, entry: &Entry, node: &Node, given: Given) -> Result<Connection, Failure> {
        let registry = Registry::default();
        let mut reader = Reader::new(&self.file, &registry);
        // The file was checked when it was loaded; keys of an environment are those of the whole connection.
        let members = reader.members(node, &entry.name, Place::Connection);
        let settings = settings(members, &mut reader);
        connection(&entry.name, &entry.connector, settings, given)
    }
}

fn address_problem_of(connection: &Connection) -> Option<Failure> {
    connection
        .hosts
        .iter()
        .find_map(|host| address_problem(host, connection.allow_plain_http, "hosts"))
}

fn connection(
    name: &str,
    connector: &Arc<Connector>,
    settings: Settings,
    given: Given,
) -> Result<Connection, Failure> {
    let chosen = connector
        .choose
        .as_ref()
        .and_then(|param| given.params.get(param))
        .and_then(Value::as_text);
    let mode = chosen
        .and_then(|chosen| connector.modes.iter().position(|mode| mode.name == chosen))
        .unwrap_or(0);
    let secret_texts: Vec<String> = given
        .secret
        .iter()
        .filter_map(|name| given.params.get(name).and_then(Value::to_plain_text))
        .collect();
    let mut frame = crate::frame::Frame::new(0, &connector.tz);
    frame.set("$param", given.params.clone());
    let hosts: Vec<String> = connector
        .hosts
        .iter()
        .filter_map(|tree| frame.text(tree, "hosts").ok().flatten())
        .collect();
    drop(frame);
    let server = Server::parse(hosts.first().map_or(NOWHERE, String::as_str));
    let server = server.map_err(|(zh, en)| {
        Failure::new(&words::BAD_URL)
            .with("name", "hosts")
            .with("why_zh", zh)
            .with("why_en", en)
    })?;
    let own = &connector.limits;
    Ok(Connection {
        name: name.to_owned(),
        connector: Arc::clone(connector),
        limits: Limits {
            rates: if settings.limits.rates.is_empty() {
                own.rates.clone()
            } else {
                settings.limits.rates
            },
            concurrency: settings.limits.concurrency.or(own.concurrency),
            min_interval_ms: own.min_interval_ms,
            reason: own.reason.clone(),
        },
        timeouts: Timeouts {
            connect_ms: settings.timeouts.connect_ms.or(connector.transport.connect_ms),
            ..settings.timeouts
        },
        quiet_period_ms: settings.quiet_period_ms,
        sandbox: settings.sandbox,
        allow_plain_http: settings.allow_plain_http,
        redactor: Redactor::new(secret_texts.iter().map(String::as_str)),
        params: given.params,
        secret: given.secret,
        server,
        hosts,
        mode,
    })
}

/// A connection that is no entry of a file: for tests of connector files. Parameters that are not given have their
/// defaults or are made up.
pub(crate) fn made_up(connector: &Arc<Connector>, params: &Map) -> Result<Connection, Failure> {
    let mut given = Given::default();
    for param in &connector.params {
        let text = params.get(&param.name).and_then(Value::to_plain_text);
        let value = text
            .and_then(|text| text_value(&text, param.ty, &param.of))
            .or_else(|| param.default.clone());
        let value = value.or_else(|| match param.ty {
            ParamType::Url => Some(Value::from(NOWHERE)),
            ParamType::Text => Some(Value::from("made-up")),
            _ => None,
        });
        given
            .params
            .extend(value.map(|value| (param.name.clone(), value)));
        if param.secret {
            given.secret.push(param.name.clone());
        }
    }
    let settings = Settings {
        limits: Limits::default(),
        timeouts: Timeouts::default(),
        quiet_period_ms: None,
        sandbox: true,
        allow_plain_http: false,
    };
    connection("test", connector, settings, given)
}
