//! Showing how a value came about: every part of an expression with its type and its value.

use super::ast::{Link, Node};
use super::run::Run;
use super::sql::{Sql, Ty};
use super::{Env, Expr, eval, print, types};
use crate::diagnostic::Failure;

/// One part of an expression.
#[derive(Debug)]
pub struct Step {
    /// How deep it lies; the whole expression is 0 and comes last.
    pub depth: usize,
    /// The part, as text.
    pub text: String,
    /// Its type, whether it has a value or not.
    pub ty: Ty,
    /// What it gives.
    pub value: Result<Sql<'static>, Failure>,
}

/// Parts a trace shows at most; an expression that needs more is not read by anyone.
const MOST_STEPS: usize = 500;

/// The parts of an expression in the order in which they are computed, literals left out. Parts that the
/// expression does not reach, such as the other branch of a CASE, are shown as well.
pub(super) fn trace(expr: &Expr, env: &dyn Env) -> Vec<Step> {
    let mut steps = Vec::new();
    part(expr, env, &expr.root, 0, &mut steps);
    steps
}

fn part(expr: &Expr, env: &dyn Env, node: &Node, depth: usize, steps: &mut Vec<Step>) {
    if matches!(node, Node::Aggregate(_)) {
        // Its parts have a value for each line, not one.
        return push(expr, env, node, depth, steps);
    }
    if let Node::Chain(first, links) = node {
        part(expr, env, first, depth + 1, steps);
        return chain(expr, env, (first, links), depth, steps);
    }
    for child in node.children() {
        part(expr, env, child, depth + 1, steps);
    }
    push(expr, env, node, depth, steps);
}

/// `a + b + c` is shown as `a + b` and then the whole.
fn chain(expr: &Expr, env: &dyn Env, (first, links): (&Node, &[Link]), depth: usize, steps: &mut Vec<Step>) {
    for (index, link) in links.iter().enumerate() {
        part(expr, env, &link.right, depth + 1, steps);
        let so_far = Node::Chain(Box::new(first.clone()), links[..=index].to_vec());
        let last = index + 1 == links.len();
        push(expr, env, &so_far, if last { depth } else { depth + 1 }, steps);
    }
}

fn push(expr: &Expr, env: &dyn Env, node: &Node, depth: usize, steps: &mut Vec<Step>) {
    if matches!(node, Node::Const(_) | Node::Truth(_) | Node::Interval(..)) && depth > 0
        || steps.len() >= MOST_STEPS
    {
        return;
    }
    let run = Run::new(expr, env);
    steps.push(Step {
        depth,
        text: print::print(node, &expr.reads),
        ty: types::of(&run, node),
        value: eval::node(&Run::new(expr, env), node).map(Sql::into_owned),
    });
}
