//! `JSON_EXTRACT` as an operand: the server compares and computes with what the JSON says, not with its text.

use std::borrow::Cow;

use super::ast::{Binary, Node};
use super::sql::Sql;
use crate::json;
use crate::value::Value;

/// The value of a node that is an operand of `op`: a JSON string without its quotes; where a number is needed
/// TRUE is 1.
pub(super) fn operand<'a>(node: &Node, value: Sql<'a>, op: Option<Binary>) -> Sql<'a> {
    let Node::Call(builtin, _) = node else {
        return value;
    };
    let Sql::Text(text) = &value else {
        return value;
    };
    if builtin.name != "JSON_EXTRACT" {
        return value;
    }
    let compared = matches!(
        op,
        Some(Binary::Eq | Binary::Ne | Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge | Binary::NullSafe)
    );
    match &*text.text {
        "true" if !compared => Sql::bool(true),
        "false" if !compared => Sql::bool(false),
        string if string.starts_with('"') => match json::parse(string.as_bytes()) {
            Ok(Value::Text(said)) => Sql::text(Cow::Owned::<str>(said)),
            _ => value,
        },
        _ => value,
    }
}
