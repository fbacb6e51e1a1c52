//! Policies: which scheme a call means, by its id or by its pair of objects.

use dsl::catalogue::mapping as words;
use dsl::diagnostic::{Failure, did_you_mean};
use dsl::plan::Plan;
use dsl::value::Value;
use ledger::service::mapping::MappingKey;

use super::{bad_field, denied, id};
use crate::error::AppError;
use crate::workspace::Workspace;

/// Names in a message.
const SHOWN: usize = 12;

/// A scheme that writes documents, as mappings call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its id.
    pub scheme: String,
    /// Its uuid.
    pub uuid: Option<String>,
    /// What its rows are.
    pub source_object: String,
    /// What its documents are.
    pub dest_object: String,
    /// Name of the source's connection.
    pub source: String,
    /// Name of the target's connection.
    pub target: String,
    /// The kind of its documents, as the ledger calls it.
    pub form: String,
    /// Fields of its key; 0 = its rows have none.
    pub key_fields: usize,
}

/// All policies of a folder of schemes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies {
    all: Vec<Policy>,
    /// Schemes whose object hangs on the row, or that have errors.
    vague: Vec<String>,
    /// The connections that there are.
    connections: Vec<String>,
}

impl Policies {
    /// Those of the schemes of a folder.
    pub fn of(workspace: &Workspace) -> Policies {
        let mut policies = Policies::default();
        let connections = workspace.connections().into_iter();
        policies.connections = connections
            .flat_map(|all| all.names())
            .map(str::to_owned)
            .collect();
        for (scheme, plan) in workspace.plans() {
            match plan.map(|plan| policy(workspace, &plan)) {
                Some(Standing::Policy(policy)) => policies.all.push(policy),
                Some(Standing::StoresOnly) => {}
                Some(Standing::Vague) | None => policies.vague.push(scheme),
            }
        }
        policies
    }

    /// All of them.
    pub fn all(&self) -> &[Policy] {
        &self.all
    }

    /// Those with one of these connections at an end.
    #[must_use]
    pub fn between(&self, is_meant: impl Fn(&str) -> bool) -> Policies {
        let all = self.all.iter();
        Policies {
            all: all
                .filter(|one| is_meant(&one.source) || is_meant(&one.target))
                .cloned()
                .collect(),
            vague: Vec::new(),
            connections: self.connections.clone(),
        }
    }

    /// Whether there is a connection of this name, or a scheme writes to it.
    pub(crate) fn connection(&self, name: &str) -> Result<(), AppError> {
        let own = self.all.iter().map(|policy| policy.target.as_str());
        let known: Vec<&str> = self.connections.iter().map(String::as_str).chain(own).collect();
        if known.contains(&name) {
            return Ok(());
        }
        let near = did_you_mean(name, known.iter().copied()).join(" ");
        let (zh, en) = match near.as_str() {
            "" => Default::default(),
            near => (format!(",是否想写 {near}?"), format!("; did you mean {near}?")),
        };
        Err(bad_field(
            "connection",
            &format!("没有连接 `{name}`{zh}"),
            &format!("there is no connection `{name}`{en}"),
        ))
    }

    /// The one with this id or uuid.
    pub fn named(&self, name: &str) -> Result<&Policy, AppError> {
        let known = |policy: &&Policy| policy.scheme == name || policy.uuid.as_deref() == Some(name);
        if let Some(policy) = self.all.iter().find(known) {
            return Ok(policy);
        }
        if self.vague.iter().any(|scheme| scheme == name) {
            return Err(denied(
                Failure::new(&words::OTHER_OBJECTS)
                    .with("policy", name)
                    .with("own", "?")
                    .with("given", "-"),
            ));
        }
        let mut all: Vec<&str> = self.all.iter().map(|policy| policy.scheme.as_str()).collect();
        if all.len() > SHOWN {
            all.truncate(SHOWN);
            all.push("…");
        }
        Err(denied(
            Failure::new(&words::NO_POLICY)
                .with("name", name)
                .with("all", all.join(" ")),
        ))
    }

    /// The one that is named, or else the only one with this pair of objects.
    pub fn find(&self, name: Option<&str>, source: &str, dest: &str) -> Result<&Policy, AppError> {
        let pair = |policy: &Policy| policy.source_object == source && policy.dest_object == dest;
        if let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) {
            let policy = self.named(name)?;
            if pair(policy) {
                return Ok(policy);
            }
            return Err(denied(
                Failure::new(&words::OTHER_OBJECTS)
                    .with("policy", &policy.scheme)
                    .with(
                        "own",
                        format!("{} -> {}", policy.source_object, policy.dest_object),
                    )
                    .with("given", format!("{source} -> {dest}")),
            ));
        }
        let mut found = self.all.iter().filter(|policy| pair(policy));
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(denied(
                Failure::new(&words::NO_POLICY)
                    .with("name", format!("{source} -> {dest}"))
                    .with("all", self.pairs()),
            )),
            (Some(_), Some(_)) => {
                let all = self.all.iter().filter(|policy| pair(policy));
                let all: Vec<&str> = all.map(|policy| policy.scheme.as_str()).take(SHOWN).collect();
                Err(denied(
                    Failure::new(&words::AMBIGUOUS)
                        .with("source", source)
                        .with("dest", dest)
                        .with("all", all.join(" ")),
                ))
            }
        }
    }

    fn pairs(&self) -> String {
        let shown = self.all.iter().take(SHOWN);
        let shown = shown.map(|one| format!("{} ({} -> {})", one.scheme, one.source_object, one.dest_object));
        shown.collect::<Vec<_>>().join(", ")
    }
}

impl Policy {
    /// The mapping of a source id, as the ledger names it.
    pub fn key(&self, source_id: &str) -> Result<MappingKey, AppError> {
        Ok(MappingKey {
            scheme: self.scheme.clone(),
            key: self.stored_key(source_id)?,
            target: self.target.clone(),
            form: self.form.clone(),
        })
    }

    /// A source id as keys are stored: the texts of the key's fields.
    pub fn stored_key(&self, source_id: &str) -> Result<String, AppError> {
        let given = id("sourceDataId", source_id)?;
        let texts = |parts: Vec<String>| {
            dsl::json::to_string(&Value::List(parts.into_iter().map(Value::Text).collect()))
        };
        let listed = match dsl::json::parse(given.as_bytes()) {
            Ok(Value::List(parts)) => parts.iter().map(Value::to_plain_text).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        let wrong = || {
            denied(
                Failure::new(&words::KEY)
                    .with("given", &given)
                    .with("policy", &self.scheme)
                    .with("count", self.key_fields),
            )
        };
        match (self.key_fields, listed) {
            (0, _) => Err(wrong()),
            (count, Some(parts)) if parts.len() == count => Ok(texts(parts)),
            (1, _) => Ok(texts(vec![given.clone()])),
            (count, _) => {
                let parts: Vec<String> = given.split(',').map(|part| part.trim().to_owned()).collect();
                match parts.len() == count && parts.iter().all(|part| !part.is_empty()) {
                    true => Ok(texts(parts)),
                    false => Err(wrong()),
                }
            }
        }
    }
}

enum Standing {
    Policy(Policy),
    StoresOnly,
    Vague,
}

fn policy(workspace: &Workspace, plan: &Plan) -> Standing {
    let Some(target) = &plan.target else {
        return Standing::StoresOnly;
    };
    let Some(dest_api) = target.create.as_ref().or(target.update.as_ref()) else {
        return Standing::StoresOnly;
    };
    let connection = |name: &str| {
        let env = workspace.connections_env();
        workspace.connections()?.unresolved(name, env).ok()
    };
    let (Some(source), Some(dest)) = (
        connection(&plan.source.connection),
        connection(&target.connection),
    ) else {
        return Standing::Vague;
    };
    let given = target.options.constants();
    let (Some(source_object), Some(dest_object), Some(form)) = (
        source.object_of(&plan.source.operation, &plan.source.options.constants()),
        dest.object_of(dest_api, &given),
        dest.form_of(&given),
    ) else {
        return Standing::Vague;
    };
    Standing::Policy(Policy {
        scheme: plan.scheme.clone(),
        uuid: plan.uuid.clone(),
        source_object,
        dest_object,
        source: plan.source.connection.clone(),
        target: target.connection.clone(),
        form,
        key_fields: plan.source.key.len(),
    })
}

/// The kind of document that a plan writes, where it is always the same.
pub(crate) fn form_of(workspace: &Workspace, plan: &Plan) -> Option<String> {
    let target = plan.target.as_ref()?;
    let env = workspace.connections_env();
    let connection = workspace
        .connections()?
        .unresolved(&target.connection, env)
        .ok()?;
    connection.form_of(&target.options.constants())
}

/// A text of a call, or that it is missing.
pub(super) fn needed<'t>(name: &str, text: Option<&'t str>) -> Result<&'t str, AppError> {
    text.filter(|text| !text.trim().is_empty())
        .ok_or_else(|| bad_field(name, "缺少", "it is missing"))
}
