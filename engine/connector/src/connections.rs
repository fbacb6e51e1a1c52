//! `connections.yaml`: which systems, with whose credentials, in which environment.
//!
//! Loading checks everything that can be known without a secret, for every environment at once. References are
//! resolved when a connection is really needed, and then only its own. A secret in clear text is an error; a secret
//! that is missing is named without its value.

mod build;
mod check;
mod given;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use dsl::builtin::Registry;
use dsl::catalogue::{auth, connector as words};
use dsl::diagnostic::did_you_mean;
use dsl::facts::NotFound;
use dsl::yaml::{self, Node};
use dsl::{Diagnostic, Failure, SourceFile, Value};

use crate::connection::{Connection, Tls};
use crate::keys::Place;
use crate::load::{Reader, text_value};
use crate::model::{Connector, ParamType};
use crate::secret::{NoSecrets, Secret, SecretKind, Secrets};
use crate::sql::Driver;

use build::connection;
use check::{entry, settings, without_secrets};
use given::{Given, Part, address_problem, parts};

pub(crate) use build::made_up;

/// The environment when nobody names one.
pub const DEFAULT_ENV: &str = "default";

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
    // A misspelt key was told where it stands; that the right one is missing is the same mistake.
    let pair = match reader.diags.is_empty() {
        true => reader.need(members, "connections", "connections.yaml"),
        false => members.get("connections"),
    };
    if let Some(pair) = pair {
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
impl Connections {
    /// The names, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }

    /// The environments that a connection lists, each once, in the order of the file.
    pub fn environments(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in self.entries.iter().flat_map(|entry| &entry.envs) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// The environments that one connection lists.
    pub fn environments_of(&self, name: &str) -> Vec<&str> {
        let envs = self.entry(name).map_or(&[][..], |entry| &entry.envs);
        envs.iter().map(|(env, _)| env.as_str()).collect()
    }

    /// The parameters that a connection needs in an environment and does not give.
    pub fn absent(&self, name: &str, env: &str) -> Vec<String> {
        let Some(entry) = self.entry(name).filter(|_| !self.is_sandbox(name, env)) else {
            return Vec::new();
        };
        let given = entry.given(&entry.settled(env), &NoSecrets);
        let missing = entry.missing(&given).into_iter();
        missing.map(|param| param.name.clone()).collect()
    }

    /// What keeps any connection from being used in an environment it lists; one that lists none is meant for all.
    pub fn check_all(&self) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        for entry in &self.entries {
            if entry.envs.is_empty() {
                problems.extend(self.check(&entry.name, DEFAULT_ENV));
            }
            for (env, _) in &entry.envs {
                problems.extend(self.check(&entry.name, env));
            }
        }
        problems
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
        let insecure = node
            .get("tls")
            .and_then(|pair| pair.value.get("insecure"))
            .filter(|pair| pair.value.plain_value() == Value::Bool(true));
        // The node of an environment stands in the file as it is: its places are those of the file.
        let shouted = insecure.map(|pair| {
            Diagnostic::new(&words::INSECURE, &self.file, pair.value.span.clone()).with("connection", name)
        });
        missing.chain(shouted).collect()
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

    /// The references of a connection that nothing is found for: parameter and reference, as in `app_secret` and
    /// `${secret:k3}`.
    pub fn open_references(&self, name: &str, env: &str, secrets: &dyn Secrets) -> Vec<(String, String)> {
        let Some(entry) = self.entry(name) else {
            return Vec::new();
        };
        entry.given(&entry.settled(env), secrets).open
    }

    /// Every reference of the file, connection by connection.
    pub fn references(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        for entry in &self.entries {
            collect(&entry.base, &mut Vec::new(), &entry.name, &mut found);
        }
        found
    }

    /// The connection for calling: its references are resolved, and only its own.
    pub fn resolve(&self, name: &str, env: &str, secrets: &dyn Secrets) -> Result<Connection, Failure> {
        let entry = self
            .entry(name)
            .ok_or_else(|| Failure::new(&words::UNKNOWN_CONNECTION).with("name", name))?;
        let node = entry.settled(env);
        let given = entry.given(&node, secrets);
        if let Some((param, reference)) = given.open.first() {
            if let Some(problem) = secrets.problem() {
                return Err(problem);
            }
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
        // Only the simulator may stand elsewhere.
        let expected = entry.connector.transport.driver;
        if connection.server.driver != expected {
            let word = expected.map_or("https", Driver::name);
            return Err(Failure::new(&words::BAD_URL)
                .with("name", "hosts")
                .with("why_zh", format!("要以 {word}: 开头"))
                .with("why_en", format!("it must begin with {word}:")));
        }
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
        own.proxy = None;
        if let Some(param) = entry.missing(&own).first() {
            return Err(Failure::new(&words::MISSING_PARAM)
                .with("connection", name)
                .with("env", "sandbox")
                .with("name", &param.name));
        }
        let mut connection = self.assemble(entry, &node, own)?;
        connection.sandbox = true;
        connection.tls = Tls::default();
        connection.domains.clear();
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
/// A reference as it stands in a connections file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The connection.
    pub connection: String,
    /// The key it stands under, as in `params.app_secret` or `env.prod.params.app_secret`.
    pub key: String,
    /// Where it leads.
    pub kind: SecretKind,
    /// The name there.
    pub name: String,
}

/// The references of a node and everything below it. The depth is that of the file, which its reader bounds.
fn collect(node: &Node, path: &mut Vec<String>, connection: &str, found: &mut Vec<Reference>) {
    for pair in node.map().unwrap_or_default() {
        path.push(pair.key.clone());
        collect(&pair.value, path, connection, found);
        path.pop();
    }
    for below in node.list().unwrap_or_default() {
        collect(below, path, connection, found);
    }
    let Some(scalar) = node.scalar() else { return };
    for (kind, name) in references_in(&scalar.text).unwrap_or_default() {
        found.push(Reference {
            connection: connection.to_owned(),
            key: path.join("."),
            kind,
            name,
        });
    }
}

/// The references of a text, in order; an error is what looks like a reference and is none.
pub fn references_in(text: &str) -> Result<Vec<(SecretKind, String)>, String> {
    let parts = parts(text)?;
    let named = parts.into_iter().filter_map(|part| match part {
        Part::Reference(kind, name) => Some((kind, name.to_owned())),
        Part::Text(_) => None,
    });
    Ok(named.collect())
}

/// A text with its references resolved; `Ok(Err(reference))` names one that nothing was found for.
pub fn resolve_text(text: &str, secrets: &dyn Secrets) -> Result<Result<Secret, String>, String> {
    let mut whole = String::new();
    for part in parts(text)? {
        match part {
            Part::Text(text) => whole.push_str(text),
            Part::Reference(kind, name) => match secrets.get(kind, name) {
                Some(value) => whole.push_str(&value),
                None => return Ok(Err(format!("${{{}:{name}}}", kind.name()))),
            },
        }
    }
    Ok(Ok(Secret::new(whole)))
}

fn address_problem_of(connection: &Connection) -> Option<Failure> {
    connection
        .hosts
        .iter()
        .find_map(|host| address_problem(host, connection.allow_plain_http, "hosts"))
}
