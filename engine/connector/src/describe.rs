//! What a connector can do, told without a connection: for lists, pages and the example to begin with.

use std::sync::Arc;

use dsl::Map;
use dsl::facts::ConnectorFacts;

use crate::connections::made_up;
use crate::facts::Samples;
use crate::model::{Connector, Limits, Param, ParamType};
use crate::recipe::{Names, data};

/// One way to prove who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthMode {
    /// The word that picks it; empty where there is only one.
    pub name: String,
    /// What it consists of: `headers`, `basic`, `login`, `sign`; none when calls are not authenticated.
    pub parts: Vec<&'static str>,
}

impl Connector {
    /// Calls in a time, calls at once, the shortest interval.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The parameter that picks a way of authentication, where there are several.
    pub fn chosen_by(&self) -> Option<&str> {
        self.choose.as_deref()
    }

    /// The ways of authentication.
    pub fn auth_modes(&self) -> Vec<AuthMode> {
        let parts = |mode: &crate::model::Mode| {
            let all = [
                ("headers", !mode.headers.is_empty()),
                ("basic", mode.basic.is_some()),
                ("login", mode.login.is_some()),
                ("sign", mode.sign.is_some()),
            ];
            all.into_iter()
                .filter_map(|(word, has)| has.then_some(word))
                .collect()
        };
        let modes = self.modes.iter().map(|mode| AuthMode {
            name: mode.name.clone(),
            parts: parts(mode),
        });
        modes.collect()
    }

    /// The other exact names of an operation.
    pub fn aliases(&self, operation: &str) -> &[String] {
        let found = self.operations.iter().find(|known| known.name == operation);
        found.map_or(&[], |operation| &operation.aliases)
    }

    /// What schemes are checked against, for a connection whose parameters are made up. `None` when no parameters can
    /// be made up with which it could be called.
    pub fn facts(self: &Arc<Self>) -> Option<Arc<dyn ConnectorFacts>> {
        let connection = made_up(self, &Map::new()).ok()?;
        Some(Arc::new(connection).facts())
    }

    /// The same with samples of one's own.
    pub fn facts_with(self: &Arc<Self>, samples: Samples) -> Option<Arc<dyn ConnectorFacts>> {
        let connection = made_up(self, &Map::new()).ok()?;
        Some(Arc::new(connection).facts_with(samples))
    }

    /// Parameters that a connection must give when these are given and all others have their defaults, and the rest of
    /// those without a default: both in the order of the file.
    fn to_give(&self, given: &[(String, String)]) -> (Vec<&Param>, Vec<&Param>) {
        let mut names = Names::default();
        for param in &self.params {
            let said = given.iter().find(|(name, _)| *name == param.name);
            let said = said.map(|(_, text)| dsl::Value::from(text.as_str()));
            let value = said.or_else(|| param.default.clone()).or_else(|| {
                let first = param.of.first()?;
                Some(first.as_str().into())
            });
            if let Some(value) = value {
                names.set(param.name.clone(), data::give(value));
            }
        }
        let is_given = |param: &&Param| given.iter().any(|(name, _)| *name == param.name);
        let open = self
            .params
            .iter()
            .filter(|param| param.default.is_none() && !is_given(param));
        open.partition(|param| param.when.as_ref().is_none_or(|when| when.holds(&names)))
    }

    /// An entry for connections.yaml, ready to be pasted below `connections:`: secrets are references, and what other
    /// ways of authentication need stands in comments.
    pub fn example(&self, name: &str) -> String {
        self.entry(name, &[])
    }

    /// The same with values for some of the parameters, as they were typed.
    pub fn entry(&self, name: &str, given: &[(String, String)]) -> String {
        let (needed, others) = self.to_give(given);
        let secrets = self.params.iter().filter(|param| param.secret).count();
        let written = |param: &Param| {
            let reference = match secrets {
                1 => name.to_owned(),
                _ => format!("{name}_{}", param.name),
            };
            let value = match param.ty {
                _ if param.secret => format!("${{secret:{reference}}}"),
                ParamType::List => return format!("{}: []", param.name),
                ParamType::Map => return format!("{}: {{}}", param.name),
                ParamType::Choice => param.of.first().cloned().unwrap_or_default(),
                _ => match (&param.example, param.ty) {
                    (Some(example), _) => example.clone(),
                    (None, ParamType::Url) => "https://erp.example.com/".to_owned(),
                    (None, ParamType::Int) => return format!("{}: 1", param.name),
                    (None, ParamType::Bool) => return format!("{}: false", param.name),
                    (None, _) => format!("${{env:{}}}", variable(name, &param.name)),
                },
            };
            let quoted = dsl::json::to_string(&dsl::Value::from(value.as_str()));
            format!("{}: {quoted}", param.name)
        };
        let mut text = format!("  {name}:\n    connector: {}\n", self.id);
        let typed = |param: &Param, value: &str| match param.ty {
            ParamType::Int | ParamType::Bool | ParamType::List | ParamType::Map => {
                format!("{}: {value}", param.name)
            }
            _ => format!(
                "{}: {}",
                param.name,
                dsl::json::to_string(&dsl::Value::from(value))
            ),
        };
        let said: Vec<String> = self
            .params
            .iter()
            .filter_map(|param| {
                let (_, value) = given.iter().find(|(name, _)| *name == param.name)?;
                Some(typed(param, value))
            })
            .collect();
        if !(needed.is_empty() && others.is_empty() && said.is_empty()) {
            text.push_str("    params:\n");
        }
        for line in &said {
            text.push_str(&format!("      {line}\n"));
        }
        for param in &needed {
            text.push_str(&format!("      {}\n", written(param)));
        }
        for param in &others {
            let when = param.when.as_ref().map_or("", |when| when.text());
            text.push_str(&format!("      # {}  # {when}\n", written(param)));
        }
        if needed.is_empty() && said.is_empty() && !others.is_empty() {
            text = text.replacen("    params:\n", "    # params:\n", 1);
        }
        // A system that has no https of its own is called in clear only by an express word.
        if text.contains("\"http://") {
            text.push_str("    allow_plain_http: true\n");
        }
        text
    }
}

impl ParamType {
    /// The word in connector files.
    pub fn name(self) -> &'static str {
        match self {
            ParamType::Text => "text",
            ParamType::Int => "int",
            ParamType::Bool => "bool",
            ParamType::Url => "url",
            ParamType::Path => "path",
            ParamType::Choice => "choice",
            ParamType::List => "list",
            ParamType::Map => "map",
        }
    }
}

impl Param {
    /// The recipe that says when it is needed; always when there is none.
    pub fn needed_when(&self) -> Option<&str> {
        self.when.as_ref().map(|when| when.text())
    }
}

/// `HUKE_KEY`: letters in capitals, anything that a shell would not take becomes `_`.
fn variable(connection: &str, param: &str) -> String {
    let letter = |char: char| match char {
        'a'..='z' | 'A'..='Z' | '0'..='9' => char.to_ascii_uppercase(),
        _ => '_',
    };
    format!("{connection}_{param}").chars().map(letter).collect()
}
