//! From the text of a connector file to a [`Connector`].
//!
//! Strict: a key that is not in the table, a name that nothing declares, a recipe that does not compile are errors
//! with their places, all of a file at once. A key of the format that this version does not carry out is refused by
//! name.

mod answer;
mod auth;
mod merge;
mod operation;
mod own;
mod params;
pub(crate) mod places;
mod reader;
mod receive;
mod selftest;
mod together;

use std::sync::Arc;

use dsl::builtin::Registry;
use dsl::catalogue::connector as words;
use dsl::facts::Proof;
use dsl::tree::Tree;
use dsl::yaml::Node;
use dsl::{Diagnostic, Map, Path, SourceFile, Value, yaml};
use jiff::tz::TimeZone;

use crate::keys::Place;
use crate::model::{Connector, KnownAs, Limits, Scope, Transport};
use crate::recipe::Missing;
use crate::sql::Driver;

pub(crate) use auth::BODIES;
pub(crate) use merge::lay_over;
pub(crate) use own::with_operation;
pub(crate) use params::{param_value, text_value, type_words};
pub(crate) use reader::{Members, Reader};

use reader::Names;

/// Most decoded bytes of an answer when a file says nothing.
const READ_CAP: u64 = 32 << 20;

/// Reads and checks a connector file.
pub fn load(file: &Arc<SourceFile>, registry: &Registry) -> Result<Connector, Vec<Diagnostic>> {
    let node = yaml::read(file)?;
    let mut reader = Reader::new(file, registry);
    let connector = connector(&node, &mut reader);
    match reader.diags.iter().any(Diagnostic::is_error) {
        true => Err(reader.diags),
        false => Ok(connector),
    }
}

/// What the file declares, for everything that may refer to it.
#[derive(Default)]
pub(crate) struct Declared {
    params: Vec<String>,
    lets: Vec<String>,
    forms: Vec<String>,
    /// What the logins of all modes take.
    auth: Vec<String>,
    /// The parameters that are a choice of encodings.
    encodings: Vec<String>,
}

impl Declared {
    /// The names of a place without options, lets and the like.
    fn names(&self, tree: dsl::tree::TreePlace) -> Names<'_> {
        Names {
            tree,
            params: &self.params,
            options: &[],
            lets: &[],
            auth: &self.auth,
            form: &[],
        }
    }

    /// The names a recipe over an answer may use.
    fn of_answer(&self) -> Vec<String> {
        let fixed = ["http", "body", "body_text"].map(str::to_owned);
        self.params
            .iter()
            .cloned()
            .chain(fixed)
            .chain(self.lets.iter().cloned())
            .collect()
    }
}

fn connector(node: &Node, reader: &mut Reader<'_>) -> Connector {
    let members = reader.members(node, "", Place::Connector);
    let id = reader
        .need(members, "connector", "connector")
        .and_then(|pair| id(pair, reader));
    let (zone, tz) = zone(members, reader);
    let params = params::params(members.get("params"), reader);
    let mut declared = Declared {
        params: params.iter().map(|param| param.name.clone()).collect(),
        encodings: encodings(&params),
        ..Declared::default()
    };
    let (hosts, domains) = hosts(members, &declared, reader);
    let mut account = Vec::new();
    for name in reader.texts(members.get("account")) {
        match declared.params.contains(&name) {
            true => account.push(name),
            false => unknown_param(members, "account", &name, &declared, reader),
        }
    }
    let mut known = declared.of_answer();
    let lets = reader.lets(members.get("let"), Missing::IsUndefined, &mut known);
    declared.lets = lets.iter().map(|(name, _)| name.clone()).collect();
    let forms = forms(members, reader);
    declared.forms = forms
        .iter()
        .flat_map(|(_, row): &(String, Map)| row.keys().cloned())
        .collect();
    let (choose, modes) = auth::modes(members, &params, &declared, reader);
    declared.auth = modes.iter().flat_map(auth::auth_names).collect();
    let code = members
        .get("code")
        .and_then(|pair| answer::code(pair, &declared, reader));
    let trace = reader.path(members.get("trace"));
    let outcome = answer::outcome(members.get("outcome"), &declared, &[], reader);
    let limits = limits(members, &declared, reader);
    let operations = operation::operations(members, &declared, &limits, reader);
    // A file without an id is refused already; the rest of it is checked all the same.
    let id = id.unwrap_or_default();
    let mut connector = Connector {
        file: Arc::clone(reader.file),
        name: reader
            .text2(members.get("name"))
            .unwrap_or_else(|| dsl::facts::Text2::same(&id)),
        version: reader.count(members.get("version")).unwrap_or(1),
        zone,
        tz,
        verified: verified(members, reader),
        params,
        account,
        hosts,
        domains,
        csrf: members
            .get("csrf")
            .map(|pair| auth::csrf(pair, &declared, reader)),
        transport: transport(members, reader),
        choose,
        modes,
        lets,
        code,
        trace,
        outcome,
        limits,
        forms,
        operations: operations.into_iter().map(Arc::new).collect(),
        tests: Vec::new(),
        known_as: known_as(members, reader),
        id,
    };
    together::check_together(&connector, node, reader);
    connector.tests = selftest::tests(members, &connector, reader);
    operation::add_samples(&mut connector);
    connector
}

/// What other tools call the system.
fn known_as(members: Members<'_>, reader: &mut Reader<'_>) -> KnownAs {
    let Some(pair) = members.get("known_as") else {
        return KnownAs::default();
    };
    let inner = reader.members(&pair.value, "known_as", Place::KnownAs);
    let mut text = |key: &str| {
        let pair = inner.get(key)?;
        reader.text(&pair.value, key).map(str::to_owned)
    };
    let (write, fields, filter) = (text("write"), text("fields"), text("filter"));
    let mut wrap = Vec::new();
    if let Some(pair) = inner.get("wrap") {
        for pair in reader.pairs(&pair.value, "wrap") {
            wrap.push((pair.key.clone(), reader.texts(Some(pair))));
        }
    }
    KnownAs {
        names: reader.texts(inner.get("names")),
        adapters: reader.texts(inner.get("adapters")),
        write,
        fields,
        filter,
        ours: reader.texts(inner.get("ours")),
        distribute: match reader.texts(inner.get("distribute")).as_slice() {
            [operation, option] => Some((operation.clone(), option.clone())),
            _ => None,
        },
        wrap,
    }
}

/// The parameters that are a choice between ways to make bytes of a body, and nothing else.
fn encodings(params: &[crate::model::Param]) -> Vec<String> {
    let is_one = |word: &String| auth::BODIES.iter().any(|(known, _)| known == word);
    let chooses = |param: &&crate::model::Param| {
        param.default.is_some() && !param.of.is_empty() && param.of.iter().all(is_one)
    };
    params
        .iter()
        .filter(chooses)
        .map(|param| param.name.clone())
        .collect()
}

/// The hosts that may be called: addresses, of which the first is the base of every path, and names below which the
/// other system may name further ones.
fn hosts(members: Members<'_>, declared: &Declared, reader: &mut Reader<'_>) -> (Vec<Tree>, Vec<String>) {
    let (mut hosts, mut domains) = (Vec::new(), Vec::new());
    let Some(pair) = members.get("hosts") else {
        return (hosts, domains);
    };
    for node in reader.list(&pair.value, "hosts") {
        match node.scalar().map(|scalar| scalar.text.as_str()) {
            Some(text) if text.contains('*') => match domain(text).filter(|_| !hosts.is_empty()) {
                Some(domain) => domains.push(domain),
                None => reader.bad_value(
                    node,
                    "hosts",
                    (
                        "地址;或写在地址之后的 `*.域名`,域名至少两段",
                        "an address, or behind it `*.domain` with at least two parts",
                    ),
                ),
            },
            _ => hosts.push(reader.tree(node, &declared.names(places::PARAMS))),
        }
    }
    (hosts, domains)
}

/// `*.example.com` without its star. One word alone would be half of the internet.
fn domain(text: &str) -> Option<String> {
    let domain = text.strip_prefix("*.")?;
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let parts: Vec<&str> = domain.split('.').collect();
    let last = parts.last().copied().unwrap_or_default();
    let is_name = last.bytes().any(|byte| byte.is_ascii_lowercase());
    (parts.len() > 1 && is_name && parts.iter().all(|text| part(text))).then(|| domain.to_owned())
}

fn id(pair: &yaml::Pair, reader: &mut Reader<'_>) -> Option<String> {
    let text = reader.text(&pair.value, &pair.key)?;
    let fine = text.len() <= 64
        && !text.starts_with('-')
        && !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !fine {
        reader.push(reader.at(&words::BAD_ID, &pair.value.span).with("value", text));
    }
    fine.then(|| text.to_owned())
}

fn zone(members: Members<'_>, reader: &mut Reader<'_>) -> (String, TimeZone) {
    let utc = || ("UTC".to_owned(), TimeZone::UTC);
    let Some(pair) = members.get("zone") else {
        return utc();
    };
    let Some(name) = reader.text(&pair.value, "zone") else {
        return utc();
    };
    match TimeZone::get(name) {
        Ok(tz) => (name.to_owned(), tz),
        Err(_) => {
            reader.push(
                reader
                    .at(&words::UNKNOWN_ZONE, &pair.value.span)
                    .with("name", name),
            );
            utc()
        }
    }
}

fn unknown_param(members: Members<'_>, key: &str, name: &str, declared: &Declared, reader: &mut Reader<'_>) {
    let span = members.get(key).map_or(0..0, |pair| pair.value.span.clone());
    let near = dsl::diagnostic::did_you_mean(name, declared.params.iter().map(String::as_str));
    reader.push(
        reader
            .at(&words::UNKNOWN_NAME, &span)
            .with("name", format!("$param.{name}"))
            .similar(near),
    );
}

fn verified(members: Members<'_>, reader: &mut Reader<'_>) -> Vec<(String, String)> {
    const MARKS: &[(&str, &str)] = &[
        ("vector", "vector"),
        ("probe", "probe"),
        ("doc", "doc"),
        ("client", "client"),
        ("guess", "guess"),
    ];
    let Some(pair) = members.get("verified") else {
        return Vec::new();
    };
    let mut claims = Vec::new();
    for claim in reader.pairs(&pair.value, "verified") {
        if let Some(mark) = reader.word(Some(claim), MARKS) {
            claims.push((claim.key.clone(), mark.to_owned()));
        }
    }
    claims
}

fn transport(members: Members<'_>, reader: &mut Reader<'_>) -> Transport {
    let mut transport = Transport {
        http1_only: false,
        timeout_ms: None,
        connect_ms: None,
        read_cap: READ_CAP,
        ok_status: vec![200],
        gzip: true,
        charset: None,
        xml: false,
        skip_root: false,
        driver: None,
    };
    let Some(pair) = members.get("transport") else {
        return transport;
    };
    let members = reader.members(&pair.value, "transport", Place::Transport);
    transport.http1_only = reader
        .word(members.get("http"), &[("1.1", true), ("any", false)])
        .unwrap_or(false);
    let drivers = Driver::ALL.map(|driver| (driver.name(), driver));
    transport.driver = reader.word(members.get("driver"), &drivers);
    transport.gzip = reader.bool(members.get("gzip")).unwrap_or(true);
    transport.xml = reader.bool(members.get("xml")).unwrap_or(false);
    let root = reader.word(members.get("xml_root"), &[("keep", false), ("skip", true)]);
    transport.skip_root = root.unwrap_or(false);
    transport.timeout_ms = reader.duration(members.get("timeout"));
    transport.connect_ms = reader.duration(members.get("connect"));
    let size = ("大小,如 32MiB", "a size such as 32MiB");
    transport.read_cap = reader
        .parsed(members.get("read_cap"), size, crate::units::bytes)
        .unwrap_or(READ_CAP);
    if let Some(pair) = members.get("ok_status") {
        transport.ok_status.clear();
        for node in reader.list(&pair.value, "ok_status") {
            let status = reader.text(node, "ok_status").and_then(|text| text.parse().ok());
            match status.filter(|status| (100..600).contains(status)) {
                Some(status) => transport.ok_status.push(status),
                None => reader.bad_value(node, "ok_status", ("HTTP 状态", "an HTTP status")),
            }
        }
    }
    if let Some(pair) = members.get("charset") {
        let charset = reader.text(&pair.value, "charset").unwrap_or_default();
        if encoding_rs::Encoding::for_label(charset.as_bytes()).is_none() {
            reader.bad_value(
                &pair.value,
                "charset",
                ("编码名,如 gb18030", "a charset such as gb18030"),
            );
        }
        transport.charset = Some(charset.to_owned());
    }
    transport
}

fn limits(members: Members<'_>, declared: &Declared, reader: &mut Reader<'_>) -> Limits {
    let Some(pair) = members.get("limits") else {
        return Limits::default();
    };
    let members = reader.members(&pair.value, "limits", Place::Limits);
    let scope = reader.word(members.get("scope"), Scope::ALL).unwrap_or_default();
    let mut app = Vec::new();
    for name in reader.texts(members.get("app")) {
        match declared.params.contains(&name) {
            true => app.push(name),
            false => unknown_param(members, "app", &name, declared, reader),
        }
    }
    match (scope, members.get("app")) {
        (Scope::App, None) => {
            reader.need(members, "app", "limits");
        }
        (Scope::Token | Scope::Path, Some(pair)) => {
            let only = ("只与 `scope: app` 一起写", "only with `scope: app`");
            reader.bad_value(&pair.value, "app", only);
        }
        (Scope::App, Some(_)) | (Scope::Token | Scope::Path, None) => {}
    }
    Limits {
        rates: reader.rates(members.get("rate")),
        concurrency: reader.count(members.get("concurrency")),
        min_interval_ms: reader.duration(members.get("min_interval")),
        reason: reader.text2(members.get("reason")),
        scope,
        app,
        per_day: reader.count(members.get("per_day")),
        hours: None,
    }
}

/// `limits` of an operation: what the connector's own limits already keep would never be felt, and is refused.
pub(super) fn own_limits(pair: Option<&yaml::Pair>, connector: &Limits, reader: &mut Reader<'_>) -> Limits {
    let Some(pair) = pair else {
        return Limits::default();
    };
    let members = reader.members(&pair.value, "limits", Place::OperationLimits);
    let own = Limits {
        rates: reader.rates(members.get("rate")),
        concurrency: reader.count(members.get("concurrency")),
        ..Limits::default()
    };
    let kept = |own: &crate::units::Rate| connector.rates.iter().any(|rate| rate.keeps(*own));
    if let Some(pair) = members.get("rate").filter(|_| own.rates.iter().any(kept)) {
        let lower = (
            "比连接器的 limits 更低的频率",
            "a rate below the connector's limits",
        );
        reader.bad_value(&pair.value, "rate", lower);
    }
    let most = connector.concurrency.unwrap_or(1);
    if let Some(pair) = members
        .get("concurrency")
        .filter(|_| own.concurrency.is_some_and(|own| own > most))
    {
        let fewer = (
            "不多于连接器的 concurrency",
            "no more than the connector's concurrency",
        );
        reader.bad_value(&pair.value, "concurrency", fewer);
    }
    own
}

/// Rows of `forms`; every row is complete: what it does not say comes from the row `*`.
fn forms(members: Members<'_>, reader: &mut Reader<'_>) -> Vec<(String, Map)> {
    let Some(pair) = members.get("forms") else {
        return Vec::new();
    };
    let mut rows: Vec<(String, Map)> = Vec::new();
    for row in reader.pairs(&pair.value, "forms") {
        let inner = reader.members(&row.value, &row.key, Place::Form);
        let mut columns = Map::new();
        for key in ["id", "number"] {
            let text = inner.get(key).and_then(|pair| reader.text(&pair.value, key));
            columns.extend(text.map(|text| (key.to_owned(), Value::from(text))));
        }
        let keys = reader.texts(inner.get("key"));
        if let Some(bad) = inner
            .get("key")
            .filter(|_| keys.iter().any(|key| Path::parse(key).is_err()))
        {
            reader.bad_value(&bad.value, "key", ("路径的列表", "a list of paths"));
        }
        if inner.has("key") {
            columns.insert(
                "key".to_owned(),
                keys.into_iter().map(Value::from).collect::<Vec<_>>().into(),
            );
        }
        if let Some(proof) = reader.word(inner.get("proof"), PROOFS) {
            columns.insert("proof".to_owned(), proof.name().into());
        }
        reader.text2(inner.get("label"));
        reader.texts(inner.get("entries"));
        rows.push((row.key.clone(), columns));
    }
    match rows
        .iter()
        .find(|(name, _)| name == "*")
        .map(|(_, rest)| rest.clone())
    {
        None => reader.push(reader.at(&words::FORMS, &pair.key_span)),
        Some(rest) => {
            for (_, row) in &mut rows {
                for (name, value) in &rest {
                    row.entry(name.clone()).or_insert_with(|| value.clone());
                }
            }
        }
    }
    rows
}

pub(crate) const PROOFS: &[(&str, Proof)] = &[
    ("upsert", Proof::Upsert),
    ("idempotency_key", Proof::IdempotencyKey),
    ("unique_key", Proof::UniqueKey),
    ("query", Proof::Query),
    ("none", Proof::None),
];
