//! A source that sends by itself: `api` of kind `receive`, and `source.receive`.

use std::sync::Arc;

use super::{Reader, member, text_of};
use crate::catalogue::{scheme as words, value as value_words};
use crate::cond::Cond;
use crate::facts::{ConnectorFacts, OpKind, OperationFacts};
use crate::path::Path;
use crate::plan::{ReceivePlan, VoidRule};
use crate::tree::{Tree, TreePlace};
use crate::yaml::Node;

/// Keys of a source that are about asking.
const ASKING: [&str; 7] = [
    "window",
    "request",
    "fields",
    "filter",
    "page_size",
    "sweep",
    "receive",
];

impl Reader<'_> {
    /// Whether the rows of a scheme can come from this operation, with its schedule.
    pub(super) fn gives_rows(&mut self, operation: &OperationFacts, node: &Node) -> bool {
        let span = node
            .get("api")
            .map_or(node.span.clone(), |pair| pair.value.span.clone());
        let entry = match (operation.kind, self.on_push) {
            (OpKind::Receive, true) => return self.asks_nothing(operation, node),
            (OpKind::Receive, false) => &words::RECEIVE_SCHEDULED,
            (OpKind::Read, true) => &words::ON_PUSH_READS,
            (OpKind::Read | OpKind::Write | OpKind::Call, _) => return self.reads(operation, node),
        };
        self.report(
            self.problem(entry, span)
                .with("name", &operation.name)
                .with("kind", operation.kind.name()),
        );
        false
    }

    fn asks_nothing(&mut self, operation: &OperationFacts, node: &Node) -> bool {
        for pair in ASKING.iter().filter_map(|key| node.get(key)) {
            self.report(
                self.problem(&words::NOT_OF_A_PUSH, pair.key_span.clone())
                    .with("key", &pair.key)
                    .with("name", &operation.name),
            );
        }
        true
    }

    /// What the source sends by itself; `options` are those of `api`.
    pub(super) fn receive(
        &mut self,
        node: &Node,
        connector: Option<&Arc<dyn ConnectorFacts>>,
        operation: Option<&Arc<OperationFacts>>,
        options: &Tree,
    ) -> Option<ReceivePlan> {
        if let Some(operation) = operation.filter(|operation| operation.kind == OpKind::Receive) {
            return Some(ReceivePlan {
                operation: operation.name.clone(),
                only: true,
                options: options.clone(),
                headers: Vec::new(),
            });
        }
        let written = &node.get("receive")?.value;
        let block = written.map().is_some();
        let api = if block {
            &written.get("api")?.value
        } else {
            text_of(written).map(|_| written)?
        };
        let operation = self.operation(connector, api)?;
        if operation.kind != OpKind::Receive {
            self.report(
                self.problem(&words::WRONG_OPERATION, api.span.clone())
                    .with("name", &operation.name)
                    .with("kind", operation.kind.name())
                    .with("place", "`receive`(需要 kind: receive)")
                    .with("place_en", "what a source sends (kind: receive is needed)"),
            );
            return None;
        }
        // Where nothing is written, the block is the node of the name, which has no options either.
        let options = self.options(written, TreePlace::SOURCE, None, None, &[Arc::clone(&operation)]);
        Some(ReceivePlan {
            operation: operation.name.clone(),
            only: false,
            options,
            headers: Vec::new(),
        })
    }

    /// The names below `$push` that a value reads exist.
    pub(super) fn push_names(&mut self, names: &[Path], node: &Node) {
        for name in names.iter().filter(|name| name.first_name() == Some("$push")) {
            let mut below = name
                .segments()
                .iter()
                .skip(1)
                .map(crate::tree::term::segment_name);
            let first = below.next().flatten().unwrap_or_default();
            let rest = below.count();
            let good = match first.as_str() {
                "id" | "void" => rest == 0,
                "headers" => rest == 1,
                _ => false,
            };
            if !good {
                let near = ["$push.id", "$push.void", "$push.headers.NAME"].map(str::to_owned);
                self.report(
                    self.problem(&value_words::UNKNOWN_NAME, node.span.clone())
                        .with("name", name)
                        .similar(near.to_vec()),
                );
            }
        }
    }

    /// With the headers that the scheme reads: no others are kept.
    pub(super) fn headers_read(
        &mut self,
        mut receive: ReceivePlan,
        derive: &[(Path, Tree)],
        keep: Option<&Cond>,
        void: Option<&VoidRule>,
    ) -> ReceivePlan {
        let mut names: Vec<Path> = derive
            .iter()
            .flat_map(|(_, tree)| tree.names().iter().cloned())
            .collect();
        names.extend(keep.into_iter().flat_map(Cond::names));
        if let Some(VoidRule::When(cond)) = void {
            names.extend(cond.names());
        }
        let header = |name: &Path| {
            let mut below = name
                .segments()
                .iter()
                .skip(1)
                .map(crate::tree::term::segment_name);
            let is_header = name.first_name() == Some("$push") && below.next()?? == "headers";
            below
                .next()?
                .filter(|_| is_header)
                .map(|name| name.to_ascii_lowercase())
        };
        receive.headers = names.iter().filter_map(header).collect();
        receive.headers.sort();
        receive.headers.dedup();
        receive
    }

    /// Whether the schedule of a file says `on_push`.
    pub(super) fn is_on_push(root: &Node) -> bool {
        member(root, "schedule") == Some("on_push")
    }
}
