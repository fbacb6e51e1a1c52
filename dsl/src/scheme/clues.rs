//! Two slips that only the whole scheme shows: a key at the target that changes with the clock, and a label (or the header of
//! several rows) that shows what is to be hidden.

use super::Reader;
use crate::catalogue::{aggregate as gathered, scheme as words};
use crate::path::Path;
use crate::plan::TargetPlan;
use crate::tree::{Tree, overlap};
use crate::yaml::Node;

impl Reader<'_> {
    /// A key that is another one each time it is made.
    pub(crate) fn key_of_the_clock(&mut self, node: &Node, target: &TargetPlan) {
        for key in &target.key {
            let under = target.key_under.as_ref();
            let key = under.map_or_else(|| key.clone(), |under| under.join(key));
            let Some(part) = target.request.at(&key) else {
                continue;
            };
            if by_clock(&part, &target.lets) {
                let place = node
                    .get("request")
                    .and_then(|pair| super::target::node_at(&pair.value, &key))
                    .map_or(node.span.clone(), |node| node.span.clone());
                self.report(self.problem(&words::TARGET_KEY_CLOCK, place).with("path", &key));
            }
        }
    }

    /// A label that is a field of which something sensitive is made.
    pub(crate) fn label_is_sensitive(&mut self, source: &Node, label: Option<&Path>, hidden: &[Path]) {
        let (Some(label), Some(pair)) = (label, source.get("label")) else {
            return;
        };
        if hidden.iter().any(|field| overlap(field, label)) {
            let problem = self.problem(&words::LABEL_SENSITIVE, pair.value.span.clone());
            self.report(problem.with("path", label));
        }
    }

    /// The same of what tells documents of several rows apart: their key in the ledger is made of the header, and so is
    /// the number that people call them by.
    pub(crate) fn header_is_sensitive(&mut self, node: &Node, target: &TargetPlan) {
        let (Some(plan), Some(pair)) = (&target.aggregate, node.get("aggregate")) else {
            return;
        };
        let Some(header) = pair.value.get("header") else {
            return;
        };
        let hidden = &target.sensitive_source;
        for (nth, path) in plan.header.iter().enumerate() {
            if hidden.iter().any(|field| overlap(field, path)) {
                let item = header.value.list().and_then(|items| items.get(nth));
                let place = item.map_or(header.value.span.clone(), |item| item.span.clone());
                self.report(
                    self.problem(&gathered::HEADER_SENSITIVE, place)
                        .with("path", path),
                );
            }
        }
    }
}

/// Also by way of a `let`, and of those that one uses: each uses earlier ones only.
fn by_clock(part: &Tree, lets: &[(String, Tree)]) -> bool {
    part.reads_clock()
        || lets.iter().enumerate().any(|(nth, (name, tree))| {
            let whole = Path::names(["$let", name.as_str()]);
            part.names().iter().any(|read| overlap(read, &whole)) && by_clock(tree, &lets[..nth])
        })
}
