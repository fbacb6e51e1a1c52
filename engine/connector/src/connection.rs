//! One system with one set of credentials: a connector and the parameters laid over it.

use std::collections::BTreeMap;
use std::sync::Arc;

use dsl::builtin::Registry;
use dsl::catalogue::source;
use dsl::facts::OwnOperation;
use dsl::{Diagnostic, Failure, Map, Value};
use sha2::Digest as _;

use crate::calendar;
use crate::frame::Frame;
use crate::model::{Connector, Limits, Mode, Operation, ParamType, Scope};
use crate::recipe::{Names, data};
use crate::redact::Redactor;
use crate::url::Server;

/// The options of operations of databases and folders that say what kind of document they write: keys of one table say
/// nothing about another's.
const PLACE_OPTIONS: [&str; 2] = ["table", "file"];

/// Time-outs of a connection; what it does not say is the transport's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timeouts {
    /// To a connection.
    pub connect_ms: Option<i64>,
    /// To the first byte of the answer.
    pub first_byte_ms: Option<i64>,
    /// Between two chunks.
    pub idle_ms: Option<i64>,
    /// In all.
    pub total_ms: Option<i64>,
}

/// An HTTP proxy between here and a system. What goes through it is judged by the same list of hosts.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// `http://host:port`
    pub url: String,
    /// User and password.
    pub login: Option<(String, String)>,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proxy({})", self.url)
    }
}

/// Which certificates a connection trusts: those of the machine's authorities, and what stands here. It belongs to the
/// place where the engine runs, not to the vendor, and so to the connection and not to the connector.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// A file of further authorities, as PEM, beside the connections file.
    pub ca_file: Option<String>,
    /// The SHA-256 of the only certificate that is trusted.
    pub certificate: Option<[u8; 32]>,
    /// No certificate is verified.
    pub insecure: bool,
}

/// A system that can be called.
///
/// It holds secrets, prints none of them, and performs no call: it turns data into requests and answers into data.
pub struct Connection {
    /// Its name in the connections file.
    pub name: String,
    /// How the system speaks.
    pub connector: Arc<Connector>,
    /// How often, how many at once.
    pub limits: Limits,
    /// Time-outs.
    pub timeouts: Timeouts,
    /// How long the target may still execute a request after we gave up; `None` is the connector's own.
    pub quiet_period_ms: Option<i64>,
    /// When its credentials end, where the file says so.
    pub expires_ms: Option<i64>,
    /// Whether only the simulator is used.
    pub sandbox: bool,
    /// Whether plain http to other machines is permitted.
    pub allow_plain_http: bool,
    /// Whether its host names may lead into a private network.
    pub private_network: bool,
    /// The proxy it goes through.
    pub proxy: Option<Proxy>,
    /// Which certificates are trusted.
    pub tls: Tls,
    pub(crate) params: Map,
    pub(crate) secret: Vec<String>,
    pub(crate) server: Server,
    pub(crate) hosts: Vec<String>,
    /// As [`Connector`] has them; none at the simulator.
    pub(crate) domains: Vec<String>,
    pub(crate) mode: usize,
    pub(crate) redactor: Redactor,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Connection({} = {} at {})",
            self.name,
            self.connector.id,
            self.server.origin()
        )
    }
}

impl Connection {
    /// The only addresses that may be called, as the connection writes them.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// The domains below which the other system may name hosts to be called, as `*.example.com`.
    pub fn domains(&self) -> impl Iterator<Item = String> {
        self.domains.iter().map(|domain| format!("*.{domain}"))
    }

    /// Whether a server that the other system named may be called.
    pub(crate) fn may_call(&self, server: &Server) -> bool {
        let is_listed =
            |listed: &String| Server::parse(listed).is_ok_and(|listed| listed.origin() == server.origin());
        let is_below = |domain: &String| {
            let rest = server.host.strip_suffix(domain.as_str());
            rest.is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        };
        self.hosts.iter().any(is_listed)
            || (server.https || self.allow_plain_http) && self.domains.iter().any(is_below)
    }

    /// The server, as `https://host:port`.
    pub fn address(&self) -> String {
        self.server.origin()
    }

    /// Where it goes and as whom: `https://host:port`, and the parameters that make up the account. A ledger belongs
    /// to one of these.
    pub fn origin(&self) -> String {
        let account = self
            .connector
            .account
            .iter()
            .filter(|name| !self.secret.contains(name));
        let account = account.map(|name| {
            let text = self
                .params
                .get(name)
                .and_then(Value::to_plain_text)
                .unwrap_or_default();
            format!(" {name}={text}")
        });
        std::iter::once(self.server.origin()).chain(account).collect()
    }

    /// What identifies the credential, for limits and sessions that all schemes share: the origin and the mode.
    pub fn credential(&self) -> String {
        format!("{} {} {}", self.connector.id, self.origin(), self.mode().name)
    }

    /// Whether both call the same system as the same user in the same way: what that system counts and remembers, it
    /// counts and remembers for both together.
    pub fn is_same_credential(&self, other: &Connection) -> bool {
        self.credential() == other.credential() && self.params == other.params
    }

    /// What identifies the application that calls, where its calls are counted together however many credentials it
    /// has ([`Scope::App`]).
    pub fn application(&self) -> Option<String> {
        let limits = &self.limits;
        (limits.scope == Scope::App).then(|| {
            let named = limits.app.iter().map(|name| {
                let value = self.params.get(name).and_then(Value::to_plain_text);
                format!(" {name}={}", value.unwrap_or_default())
            });
            let place = format!("{} {}", self.connector.id, self.server.origin());
            std::iter::once(place).chain(named).collect()
        })
    }

    /// The name of what is counted for a whole day: of the application, else of the credential. Safe in a path, and no
    /// secret can be read from it.
    pub fn budget_name(&self) -> String {
        // A simulator listens on another port each time.
        let whose = match self.sandbox {
            true => format!("{} sandbox", self.connector.id),
            // Two that differ in a secret only are two credentials.
            false => self.application().unwrap_or_else(|| {
                let params = dsl::json::to_string(&Value::Map(self.params.clone()));
                format!("{} {params}", self.credential())
            }),
        };
        let digest = sha2::Sha256::digest(format!("budget {whose}"));
        let short: String = digest[..12].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{short}", self.connector.id)
    }

    /// The day of an instant where the system is, as `2026-11-22`.
    pub fn day(&self, at_ms: i64) -> String {
        calendar::day(at_ms, &self.connector.tz)
    }

    /// When the system's next day begins.
    pub fn midnight(&self, after_ms: i64) -> i64 {
        calendar::midnight(after_ms, &self.connector.tz)
    }

    /// An instant as people read it where the system is, with its zone.
    pub fn clock(&self, at_ms: i64) -> String {
        format!(
            "{} {}",
            calendar::clock(at_ms, &self.connector.tz),
            self.connector.zone
        )
    }

    /// When calls may be made again by the connection's hours; `None` = now.
    pub fn opens(&self, now_ms: i64) -> Option<i64> {
        self.limits.hours.as_ref()?.opens(now_ms, &self.connector.tz)
    }

    /// Its parameters for a place where nobody is called: what is secret is a mask, and addresses lead to `nowhere`
    /// (`https://host`) with their own path. Lists and maps stand in the connections file only.
    pub fn told_params(&self, nowhere: &str) -> BTreeMap<String, String> {
        let mut told = BTreeMap::new();
        for param in &self.connector.params {
            let Some(text) = self.params.get(&param.name).and_then(Value::to_plain_text) else {
                continue;
            };
            let text = if self.secret.contains(&param.name) {
                crate::secret::MASK.to_owned()
            } else if param.ty == ParamType::Url {
                let rest = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
                format!("{nowhere}{}", rest.find('/').map_or("/", |at| &rest[at..]))
            } else {
                self.redact(&text)
            };
            told.insert(param.name.clone(), text);
        }
        told
    }

    /// How often the login itself may be made.
    pub fn login_rates(&self) -> &[crate::Rate] {
        let login = self.mode().login.as_ref();
        login.map_or(&[][..], |login| &login.rates)
    }

    /// A parameter that anybody may see, as text; `None` of a secret one, and where there is nothing.
    pub fn plain_param(&self, name: &str) -> Option<String> {
        let value = self
            .params
            .get(name)
            .filter(|_| !self.secret.iter().any(|one| one == name))?;
        value.to_plain_text().filter(|text| !text.is_empty())
    }

    /// Whether a parameter is given, a secret one too.
    pub fn has_param(&self, name: &str) -> bool {
        self.params.get(name).is_some_and(|value| *value != Value::Null)
    }

    /// Whether what somebody gave is this secret of the connection, in a time that depends on neither. A secret that is
    /// not there or empty is nobody's.
    pub fn matches_secret(&self, name: &str, given: &str) -> bool {
        let secret = self
            .params
            .get(name)
            .and_then(Value::to_plain_text)
            .filter(|text| !text.is_empty());
        crate::receive::same(given.as_bytes(), secret.as_deref().map(str::as_bytes))
    }

    /// The option of an operation that names the object of its rows or documents.
    pub fn object_option(&self, operation: &str) -> Option<&str> {
        let options = &self.connector.operation(operation)?.options;
        let option = options.iter().find(|option| option.object)?;
        Some(&option.name)
    }

    /// Whether an operation is one through which rows come by themselves.
    pub fn is_received(&self, operation: &str) -> bool {
        let operation = self.connector.operation(operation);
        operation.is_some_and(|operation| operation.kind == dsl::facts::OpKind::Receive)
    }

    /// Takes this connection's secrets out of a text.
    pub fn redact(&self, text: &str) -> String {
        self.redactor.redact(text)
    }

    /// Kind of document that a call with these options is about, where the system has several; empty otherwise.
    pub fn form(&self, options: &Map) -> String {
        options
            .get(crate::request::FORM_OPTION)
            .or_else(|| {
                self.driver()?;
                PLACE_OPTIONS.iter().find_map(|name| options.get(*name))
            })
            .and_then(Value::to_plain_text)
            .unwrap_or_default()
    }

    /// What the object of a call is named by among its options; `None` where the connector does not say.
    fn named_by(&self, api: &str) -> Option<&str> {
        let operation = self.connector.operation(api)?;
        let has = |name: &str| operation.options.iter().any(|own| own.name == name);
        self.object_option(api)
            .or_else(|| Some(self.described_by(api)?.1))
            .or_else(|| {
                self.driver()?;
                PLACE_OPTIONS.into_iter().find(|name| has(name))
            })
    }

    /// How data mappings call the object of an operation, when `options` are those that the scheme writes out. Where
    /// the connector names no option for it, the operation is the object; `None` = the object hangs on the row.
    pub fn object_of(&self, api: &str, options: &[(String, Option<Value>)]) -> Option<String> {
        let Some(option) = self.named_by(api) else {
            return Some(api.to_owned());
        };
        if let Some((_, given)) = options.iter().find(|(name, _)| name == option) {
            return given.as_ref()?.to_plain_text();
        }
        let operation = self.connector.operation(api)?;
        let declared = operation.options.iter().find(|own| own.name == option)?;
        let value = declared.constant.as_ref().or(declared.default.as_ref());
        Some(
            value
                .and_then(Value::to_plain_text)
                .unwrap_or_else(|| api.to_owned()),
        )
    }

    /// Kind of document that calls with these options are about, as [`Connection::form`] says it of each; `None` = it
    /// hangs on the row.
    pub fn form_of(&self, options: &[(String, Option<Value>)]) -> Option<String> {
        let named = [crate::request::FORM_OPTION].into_iter().chain(PLACE_OPTIONS);
        let hangs = |name: &str| options.iter().any(|(own, value)| own == name && value.is_none());
        if named.clone().any(hangs) {
            return None;
        }
        let known = options
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
        Some(self.form(&known.collect()))
    }

    /// From now on takes out what `common` knows, too, and lets it know this connection's secrets: the connections of one
    /// run share one, so that none shows what it came to know of another.
    pub fn share(&mut self, common: &Redactor) {
        common.learn_from(&self.redactor);
        self.redactor = common.clone();
    }

    /// The redactor of this connection's secrets.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// How long the target may still execute a write of this operation after we gave up: the connection's word, else
    /// the operation's.
    pub fn quiet_ms(&self, operation: &str) -> i64 {
        let own = self
            .connector
            .operation(operation)
            .and_then(|operation| operation.unknown.as_ref());
        self.quiet_period_ms
            .or(own.map(|unknown| unknown.wait_ms))
            .unwrap_or(0)
    }

    /// How long the target remembers the key of a call of this operation, where its connector says so.
    pub fn remembers_ms(&self, operation: &str) -> Option<i64> {
        let operation = self.connector.operation(operation)?;
        operation.unknown.as_ref()?.remembers_ms
    }

    /// The same connection with an operation that a scheme writes itself, and the name of that one.
    pub fn with_operation(
        &self,
        own: &OwnOperation,
        registry: &Registry,
    ) -> Result<(Connection, String), Vec<Diagnostic>> {
        let (connector, name) = crate::load::with_operation(&self.connector, own, registry)?;
        let connection = Connection {
            name: self.name.clone(),
            connector: Arc::new(connector),
            limits: self.limits.clone(),
            timeouts: self.timeouts,
            quiet_period_ms: self.quiet_period_ms,
            expires_ms: self.expires_ms,
            sandbox: self.sandbox,
            allow_plain_http: self.allow_plain_http,
            private_network: self.private_network,
            proxy: self.proxy.clone(),
            tls: self.tls.clone(),
            params: self.params.clone(),
            secret: self.secret.clone(),
            server: self.server.clone(),
            hosts: self.hosts.clone(),
            domains: self.domains.clone(),
            mode: self.mode,
            redactor: self.redactor.clone(),
        };
        Ok((connection, name))
    }

    pub(crate) fn mode(&self) -> &Mode {
        &self.connector.modes[self.mode]
    }

    pub(crate) fn operation(&self, api: &str) -> Result<&Arc<Operation>, Failure> {
        self.connector.operation(api).ok_or_else(|| {
            Failure::new(&source::NO_OPERATION)
                .with("connector", &self.connector.id)
                .with("name", api)
        })
    }

    /// A frame that knows the parameters.
    pub(crate) fn param_frame(&self, now_ms: i64) -> Frame<'_> {
        let mut frame = Frame::new(now_ms, &self.connector.tz);
        frame.set("$param", self.params.clone());
        frame
    }

    /// The parameters as names of a recipe.
    pub(crate) fn param_names(&self) -> Names {
        let mut names = Names::default();
        for (name, value) in &self.params {
            names.set(name.clone(), data::give(value.clone()));
        }
        names
    }
}
