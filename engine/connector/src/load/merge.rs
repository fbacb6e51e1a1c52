//! The one merge rule of the format, on nodes: maps member by member, anything else replaces, `$drop` takes away.

use dsl::yaml::{Node, NodeKind, Pair};

/// Lays one node over another. Places of the upper one are kept, so that a problem is shown where it was written.
pub(crate) fn lay_over(base: &Node, over: &Node) -> Node {
    let (NodeKind::Map(below), NodeKind::Map(above)) = (&base.kind, &over.kind) else {
        return settled(over);
    };
    let mut members: Vec<Pair> = below.clone();
    for pair in above {
        let known = members.iter().position(|member| member.key == pair.key);
        match (known, is_drop(&pair.value)) {
            (Some(at), true) => {
                members.remove(at);
            }
            (None, true) => {}
            (Some(at), false) => {
                members[at].value = lay_over(&members[at].value, &pair.value);
                members[at].key_span = pair.key_span.clone();
            }
            (None, false) => {
                let value = settled(&pair.value);
                members.push(Pair {
                    value,
                    ..pair.clone()
                });
            }
        }
    }
    Node {
        span: over.span.clone(),
        kind: NodeKind::Map(members),
    }
}

fn settled(node: &Node) -> Node {
    match &node.kind {
        NodeKind::Map(pairs) => {
            let kept = pairs.iter().filter(|pair| !is_drop(&pair.value));
            let members = kept
                .map(|pair| Pair {
                    value: settled(&pair.value),
                    ..pair.clone()
                })
                .collect();
            Node {
                span: node.span.clone(),
                kind: NodeKind::Map(members),
            }
        }
        _ => node.clone(),
    }
}

fn is_drop(node: &Node) -> bool {
    node.scalar().is_some_and(|scalar| scalar.text == "$drop")
}
