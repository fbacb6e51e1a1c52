//! A [`Connection`] from the values of its parameters.

use std::sync::Arc;

use dsl::catalogue::connector as words;
use dsl::{Failure, Map, Value};

use super::check::Settings;
use super::given::Given;
use crate::connection::{Connection, Timeouts, Tls};
use crate::load::text_value;
use crate::model::{Connector, Limits, ParamType};
use crate::redact::Redactor;
use crate::url::Server;

/// Where a call would go if its server were known: nothing resolves there.
const NOWHERE: &str = "https://unresolved.invalid/";

pub(super) fn connection(
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
    let mut secret_texts: Vec<String> = given
        .secret
        .iter()
        .filter_map(|name| given.params.get(name).and_then(Value::to_plain_text))
        .collect();
    if let Some(proxy) = &given.proxy {
        if !super::check::is_proxy(&proxy.url) {
            return Err(Failure::new(&words::BAD_URL)
                .with("name", "proxy.url")
                .with("why_zh", "不是 http://主机:端口")
                .with("why_en", "it is not http://host:port"));
        }
        secret_texts.extend(proxy.login.iter().map(|(_, password)| password.clone()));
    }
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
            scope: own.scope,
            app: own.app.clone(),
            per_day: settings.limits.per_day.or(own.per_day),
            hours: settings.limits.hours,
        },
        timeouts: Timeouts {
            connect_ms: settings.timeouts.connect_ms.or(connector.transport.connect_ms),
            ..settings.timeouts
        },
        quiet_period_ms: settings.quiet_period_ms,
        expires_ms: settings
            .expires
            .and_then(|day| day.to_zoned(connector.tz.clone()).ok())
            .map(|midnight| midnight.timestamp().as_millisecond()),
        sandbox: settings.sandbox,
        allow_plain_http: settings.allow_plain_http,
        private_network: settings.private_network,
        tls: settings.tls,
        redactor: Redactor::new(secret_texts.iter().map(String::as_str)),
        proxy: given.proxy,
        params: given.params,
        secret: given.secret,
        server,
        hosts,
        domains: connector.domains.clone(),
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
        expires: None,
        sandbox: true,
        allow_plain_http: false,
        private_network: false,
        tls: Tls::default(),
    };
    connection("test", connector, settings, given)
}
