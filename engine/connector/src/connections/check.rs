//! What a connections file says about one connection, checked.

use std::sync::Arc;

use dsl::catalogue::connector as words;
use dsl::diagnostic::did_you_mean;
use dsl::yaml::{Node, Pair};
use dsl::{Diagnostic, SafeName, SourceFile};
use jiff::civil::Date;

use super::Entry;
use super::given::{Part, parts};
use crate::connection::{Timeouts, Tls};
use crate::keys::Place;
use crate::load::{Members, Reader, param_value, type_words};
use crate::model::{Connector, Limits, Param};
use crate::secret::MASK;
use crate::sql::Driver;

/// Longest name of a connection, in characters.
const NAME_MAX: usize = 64;

/// A connection's name is told in messages and kept in the ledger: letters of any script, digits, `_` and `-`.
fn is_name(text: &str) -> bool {
    let letter = |char: char| char.is_alphanumeric() || char == '_' || char == '-';
    !text.is_empty() && text.chars().count() <= NAME_MAX && text.chars().all(letter)
}

pub(super) fn entry(pair: &Pair, connectors: &[Arc<Connector>], reader: &mut Reader<'_>) -> Option<Entry> {
    if !is_name(&pair.key) {
        reader.push(
            reader
                .at(&words::BAD_NAME, &pair.key_span)
                .with("value", &pair.key),
        );
    }
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
            if SafeName::parse(&env.key).is_none() {
                reader.push(reader.at(&words::BAD_ENV, &env.key_span).with("value", &env.key));
            }
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
    not_for_databases(members, connector, reader);
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
    let (zh, en) = type_words(param.ty, &param.of);
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
pub(super) fn without_secrets(file: &Arc<SourceFile>, mut problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
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
pub(super) struct Settings {
    pub(super) limits: Limits,
    pub(super) timeouts: Timeouts,
    pub(super) quiet_period_ms: Option<i64>,
    /// The day the credentials end.
    pub(super) expires: Option<Date>,
    pub(super) sandbox: bool,
    pub(super) allow_plain_http: bool,
    pub(super) private_network: bool,
    pub(super) tls: Tls,
}

pub(super) fn settings(members: Members<'_>, reader: &mut Reader<'_>) -> Settings {
    let mut limits = Limits::default();
    if let Some(pair) = members.get("limits") {
        let inner = reader.members(&pair.value, "limits", Place::ConnectionLimits);
        limits.rates = reader.rates(inner.get("rate"));
        limits.concurrency = reader.count(inner.get("concurrency"));
        limits.per_day = reader.count(inner.get("per_day"));
        limits.hours = reader.hours(inner.get("hours"));
    }
    let mut timeouts = Timeouts::default();
    if let Some(pair) = members.get("timeouts") {
        let inner = reader.members(&pair.value, "timeouts", Place::Timeouts);
        timeouts.connect_ms = reader.duration(inner.get("connect"));
        timeouts.first_byte_ms = reader.duration(inner.get("first_byte"));
        timeouts.idle_ms = reader.duration(inner.get("idle"));
        timeouts.total_ms = reader.duration(inner.get("total"));
    }
    let mut tls = Tls::default();
    if let Some(pair) = members.get("tls") {
        tls = trusted(pair, reader);
    }
    if let Some(pair) = members.get("proxy") {
        check_proxy(pair, reader);
    }
    Settings {
        tls,
        limits,
        timeouts,
        quiet_period_ms: reader.duration(members.get("quiet_period")),
        expires: reader.parsed(
            members.get("expires"),
            ("日期,如 2027-03-31", "a date such as 2027-03-31"),
            |text| text.parse().ok(),
        ),
        sandbox: reader.bool(members.get("sandbox")).unwrap_or(false),
        allow_plain_http: reader.bool(members.get("allow_plain_http")).unwrap_or(false),
        private_network: reader.bool(members.get("private_network")).unwrap_or(false),
    }
}

/// What a connection says that a database cannot be reached with: it would be passed over in silence.
fn not_for_databases(members: Members<'_>, connector: &Connector, reader: &mut Reader<'_>) {
    let Some(driver) = connector.transport.driver else {
        return;
    };
    let mut tell = |pair: &Pair, key: &str, why: (&str, &str)| {
        reader.push(
            reader
                .at(&words::NOT_FOR_DATABASE, &pair.key_span)
                .with("key", key)
                .with("driver", driver.name())
                .with("why_zh", why.0)
                .with("why_en", why.1),
        );
    };
    if let Some(pair) = members.get("proxy") {
        let why = (
            "数据库连接不经过 HTTP 代理;请让这台机器能直接到达服务器,或用端口转发",
            "a database is not reached through an HTTP proxy; let this machine reach the server, or forward a port",
        );
        tell(pair, "proxy", why);
    }
    let Some(tls) = members.get("tls") else { return };
    if matches!(driver, Driver::Sqlite | Driver::Files) {
        tell(tls, "tls", ("它是这台机器上的文件", "it is on this machine"));
    } else if let Some(pair) = tls.value.get("certificate").filter(|_| driver == Driver::Mysql) {
        let why = (
            "它的驱动不能只信任一张证书;请写 ca_file",
            "its driver cannot trust a single certificate; write ca_file",
        );
        tell(pair, "tls.certificate", why);
    }
}

/// Which certificates are trusted: at most one of the three ways.
fn trusted(pair: &Pair, reader: &mut Reader<'_>) -> Tls {
    let inner = reader.members(&pair.value, "tls", Place::Tls);
    let text = |key: &str, reader: &mut Reader<'_>| {
        let pair = inner.get(key)?;
        reader.text(&pair.value, key).map(str::to_owned)
    };
    let digest = reader.parsed(
        inner.get("certificate"),
        ("证书的 SHA-256", "the SHA-256 of a certificate"),
        digest,
    );
    let insecure = reader.bool(inner.get("insecure")).unwrap_or(false);
    let ways = [inner.has("ca_file"), inner.has("certificate"), insecure];
    if ways.into_iter().filter(|given| *given).count() > 1 {
        let one = (
            "ca_file、certificate、insecure 之一",
            "one of ca_file, certificate and insecure",
        );
        reader.bad_value(&pair.value, "tls", one);
    }
    Tls {
        ca_file: text("ca_file", reader),
        certificate: digest,
        insecure,
    }
}

/// 64 hexadecimal digits; tools print colons between them.
fn digest(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
    let mut digest = [0; 32];
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}

/// A proxy's address is plain http (what goes through it is not), and its password is never in clear.
fn check_proxy(pair: &Pair, reader: &mut Reader<'_>) {
    let inner = reader.members(&pair.value, "proxy", Place::Proxy);
    reader.need(inner, "url", "proxy");
    for key in ["url", "user", "password"] {
        let Some(pair) = inner.get(key) else { continue };
        let Some(text) = reader.text(&pair.value, key) else {
            continue;
        };
        match parts(text) {
            Err(text) => reader.push(
                reader
                    .at(&words::BAD_REFERENCE, &pair.value.span)
                    .with("text", text),
            ),
            Ok(parts) if parts.iter().any(|part| matches!(part, Part::Reference(..))) => {}
            Ok(_) if key == "password" => reader.push(
                reader
                    .at(&words::SECRET_IN_CLEAR, &pair.value.span)
                    .with("name", "proxy.password"),
            ),
            Ok(_) if key == "url" && !is_proxy(text) => {
                let want = (
                    "代理的地址,如 http://proxy.example.com:3128",
                    "the address of a proxy such as http://proxy.example.com:3128",
                );
                // It may hold a password.
                reader.push(
                    reader
                        .at(&words::BAD_VALUE, &pair.key_span)
                        .with("key", "url")
                        .with("want_zh", want.0)
                        .with("want_en", want.1)
                        .with("value", MASK),
                );
            }
            Ok(_) => {}
        }
    }
    for (one, other) in [("user", "password"), ("password", "user")] {
        if inner.has(one) {
            reader.need(inner, other, "proxy");
        }
    }
}

/// Whether a text is the address of a proxy: http, a host, perhaps a port, and nothing else.
pub(super) fn is_proxy(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("http://") else {
        return false;
    };
    let host = rest.strip_suffix('/').unwrap_or(rest);
    let plain = |char: char| char.is_ascii_alphanumeric() || "-._:[]".contains(char);
    !host.is_empty() && host.chars().all(plain) && url::Url::parse(text).is_ok()
}
