//! The values of one connection's parameters: references, defaults, what is missing, where it may go.

use std::sync::Arc;

use dsl::catalogue::connector as words;
use dsl::yaml::{Node, Pair};
use dsl::{Diagnostic, Failure, Map, SourceFile, Value};

use super::Entry;
use crate::connection::Proxy;
use crate::load::{lay_over, param_value, text_value};
use crate::model::{Param, ParamType};
use crate::recipe::{Names, data};
use crate::secret::{SecretKind, Secrets};
use crate::url::Server;

/// A piece of a parameter's text.
pub(super) enum Part<'t> {
    Text(&'t str),
    Reference(SecretKind, &'t str),
}

/// Takes a text apart at its references, or gives back what looks like one and is none.
pub(super) fn parts(text: &str) -> Result<Vec<Part<'_>>, String> {
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
pub(super) struct Given {
    pub(super) params: Map,
    pub(super) secret: Vec<String>,
    /// References that nothing was found for.
    pub(super) open: Vec<(String, String)>,
    /// The proxy, its references resolved.
    pub(super) proxy: Option<Proxy>,
}

impl Entry {
    pub(super) fn settled(&self, env: &str) -> Node {
        let over = self.envs.iter().find(|(name, _)| name == env);
        over.map_or_else(|| self.base.clone(), |(_, over)| lay_over(&self.base, over))
    }

    pub(super) fn given(&self, node: &Node, secrets: &dyn Secrets) -> Given {
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
        given.proxy = proxy(node, secrets, &mut given);
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
    pub(super) fn missing(&self, given: &Given) -> Vec<&Param> {
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
    pub(super) fn addresses(&self, env: &str, file: &Arc<SourceFile>) -> Vec<Diagnostic> {
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
/// The proxy of a connection; `None` when there is none, or a part of it is not there.
fn proxy(node: &Node, secrets: &dyn Secrets, given: &mut Given) -> Option<Proxy> {
    let pairs = node.get("proxy").and_then(|pair| pair.value.map())?;
    let mut text = |key: &str| {
        let pair = pairs.iter().find(|pair| pair.key == key)?;
        let mut text = String::new();
        let mut complete = true;
        for part in parts(&pair.value.scalar()?.text).ok()? {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Reference(kind, name) => match secrets.get(kind, name) {
                    Some(found) => text.push_str(&found),
                    None => {
                        complete = false;
                        let reference = format!("${{{}:{name}}}", kind.name());
                        given.open.push((format!("proxy.{key}"), reference));
                    }
                },
            }
        }
        complete.then_some(text)
    };
    let (url, user, password) = (text("url"), text("user"), text("password"));
    Some(Proxy {
        url: url?,
        login: user.zip(password),
    })
}

/// Whether an address may be called at all.
pub(super) fn address_problem(text: &str, plain_http: bool, param: &str) -> Option<Failure> {
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
