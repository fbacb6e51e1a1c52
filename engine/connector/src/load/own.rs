//! An operation that a scheme writes itself: laid over one of the connector's, or a whole one.
//!
//! It is read and checked as one of a connector file is, with the places of the scheme's file, and may name what the
//! connector declares: its parameters, what its logins take, its `let`. Server, login, signature, limits and hosts stay
//! the connector's.

use std::sync::Arc;

use dsl::builtin::Registry;
use dsl::catalogue::connector as words;
use dsl::diagnostic::did_you_mean;
use dsl::facts::{Action, OwnOperation};
use dsl::yaml::{Node, NodeKind, Pair};
use dsl::{Diagnostic, yaml};

use super::operation::{extended, operation};
use super::together::check_one;
use super::{Declared, Reader, auth, lay_over, load};
use crate::model::{Class, Connector, Operation, Row};

/// The name of an operation that is written whole.
const WHOLE: &str = "operation";

/// The connector with an operation that a scheme writes, and the name of that one.
pub(crate) fn with_operation(
    connector: &Connector,
    own: &OwnOperation,
    registry: &Registry,
) -> Result<(Connector, String), Vec<Diagnostic>> {
    let mut connector = load(&connector.file, registry)?;
    let declared = Declared {
        params: connector.params.iter().map(|param| param.name.clone()).collect(),
        lets: connector.lets.iter().map(|(name, _)| name.clone()).collect(),
        forms: connector
            .forms
            .iter()
            .flat_map(|(_, row)| row.keys().cloned())
            .collect(),
        auth: connector.modes.iter().flat_map(auth::auth_names).collect(),
        encodings: super::encodings(&connector.params),
    };
    let extends = own.node.get("extends").and_then(|pair| pair.value.scalar());
    let named = own.base.clone().or(extends.map(|name| name.text.clone()));
    let below = named.and_then(|name| below(&connector, &name, &own.node, registry));
    let node = match &below {
        Some(below) => lay_over(below, &without_extends(&own.node)),
        None => own.node.clone(),
    };
    let name = own.base.clone().unwrap_or_else(|| WHOLE.to_owned());
    let mut reader = Reader::new(&own.file, registry);
    if let (None, Some(pair)) = (&below, own.node.get("extends")) {
        let named = pair.value.scalar().map_or("", |scalar| &scalar.text);
        let near = did_you_mean(named, connector.operation_names());
        let problem = reader.at(&words::EXTENDS, &pair.value.span);
        reader.push(problem.with("name", named).similar(near));
    }
    let operation = Arc::new(operation(&name, &node, &declared, &connector.limits, &mut reader));
    connector.operations.retain(|known| known.name != name);
    connector.operations.push(Arc::clone(&operation));
    let is_sound = !reader.diags.iter().any(Diagnostic::is_error);
    let place = |key: &str| {
        let inner = own.node.get(key);
        inner.map_or(own.node.span.clone(), |pair| pair.key_span.clone())
    };
    check_one(&connector, &operation, &place, is_sound, &mut reader);
    if is_sound && below.is_none() && is_by_status_alone(&operation) {
        reader.push(reader.at(&words::BY_STATUS_ALONE, &own.node.span));
    }
    match reader.diags.iter().any(Diagnostic::is_error) {
        true => Err(reader.diags),
        false => Ok((connector, name)),
    }
}

/// Whether nothing but the connector's own table, which knows no answer of this operation, says that a write succeeded.
fn is_by_status_alone(operation: &Operation) -> bool {
    let tells = |row: &Row| matches!(row.class, Class::Ok | Class::Rows);
    let item = operation.item.as_ref();
    let is_named = operation.writes.contains(&Action::Create)
        && item.is_some_and(|item| item.id.is_some() || item.number.is_some());
    operation.is_write() && operation.items.is_none() && !is_named && !operation.outcome.iter().any(tells)
}

/// The node of an operation or shape of the connector, whole; its places are that of the operation over it, because
/// they are in another file.
fn below(connector: &Connector, name: &str, over: &Node, registry: &Registry) -> Option<Node> {
    let whole = yaml::read(&connector.file).ok()?;
    let pairs = |key: &str| {
        let found = whole.get(key).and_then(|pair| pair.value.map());
        found.unwrap_or_default().to_vec()
    };
    let (operations, shapes) = (pairs("operations"), pairs("shapes"));
    let own = connector
        .operation(name)
        .map_or(name, |operation| &operation.name);
    let pair = operations.iter().chain(&shapes).find(|pair| pair.key == own)?;
    let mut reader = Reader::new(&connector.file, registry);
    let mut node = extended(pair, &operations, &shapes, &mut reader);
    if let NodeKind::Map(members) = &mut node.kind {
        members.retain(|member| !matches!(member.key.as_str(), "aliases" | "extends"));
    }
    moved(&mut node, over);
    Some(node)
}

/// Gives every part of a node the place of another one.
fn moved(node: &mut Node, to: &Node) {
    node.span = to.span.clone();
    match &mut node.kind {
        NodeKind::Map(pairs) => {
            for pair in pairs {
                pair.key_span = to.span.clone();
                moved(&mut pair.value, to);
            }
        }
        NodeKind::List(list) => list.iter_mut().for_each(|node| moved(node, to)),
        NodeKind::Scalar(_) => {}
    }
}

fn without_extends(node: &Node) -> Node {
    let mut node = node.clone();
    if let NodeKind::Map(pairs) = &mut node.kind {
        pairs.retain(|pair: &Pair| pair.key != "extends");
    }
    node
}
