//! What an expression needs each of its placeholders for.

use super::ast::{Binary, Node, Unary};
use crate::builtin::Type;

/// What a placeholder is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// One value for each line, in a function over lines.
    Lines,
    /// A number: it stands bare beside an operator of arithmetic, or where a function takes a number.
    Number,
    /// One value.
    Value,
}

/// One use for each placeholder, by its number.
pub(super) fn uses(root: &Node, count: usize) -> Vec<Use> {
    let mut uses = vec![Use::Value; count];
    node(root, Use::Value, &mut uses);
    uses
}

fn node(at: &Node, wanted: Use, uses: &mut [Use]) {
    match at {
        Node::Field(slot) => put(uses, *slot, wanted),
        Node::Aggregate(lines) => {
            let order = lines.order.iter().map(|(by, _)| by);
            for child in lines.args.iter().chain(order) {
                for slot in child.slots() {
                    put(uses, slot, Use::Lines);
                }
            }
        }
        Node::Unary(Unary::Minus, inner) => node(inner, Use::Number, uses),
        Node::Chain(first, links) => {
            let wants = |op: Binary| match op {
                Binary::Add | Binary::Sub | Binary::Mul | Binary::Div | Binary::Rem | Binary::IntDiv => {
                    Use::Number
                }
                _ => Use::Value,
            };
            // A time that an interval is added to is no number.
            let shifts = links.iter().any(|link| matches!(link.right, Node::Interval(..)));
            let first_is = links.first().map_or(Use::Value, |link| wants(link.op));
            node(first, if shifts { Use::Value } else { first_is }, uses);
            for link in links {
                node(&link.right, wants(link.op), uses);
            }
        }
        Node::Call(builtin, args) => {
            for (index, arg) in args.iter().enumerate() {
                let number = builtin
                    .param(index)
                    .is_some_and(|param| matches!(param.takes, Type::Number | Type::Integer));
                node(arg, if number { Use::Number } else { Use::Value }, uses);
            }
        }
        other => other
            .children()
            .into_iter()
            .for_each(|child| node(child, Use::Value, uses)),
    }
}

fn put(uses: &mut [Use], slot: usize, wanted: Use) {
    if let Some(one) = uses.get_mut(slot) {
        *one = wanted;
    }
}
