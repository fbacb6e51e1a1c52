//! `target.steps`: the first one writes the document, the others go on with it.

use std::sync::Arc;

use super::options::constant_options;
use super::{Reader, member, text_of};
use crate::catalogue::scheme as words;
use crate::cond::compile_cond;
use crate::facts::{Action, ConnectorFacts, OpKind, OperationFacts};
use crate::plan::StepPlan;
use crate::tree::{Columns, Tree, TreePlace};
use crate::value::Value;
use crate::yaml::{Node, NodeKind, Pair};

/// A step as it is written, with its operation.
pub(super) struct Step<'n> {
    name: String,
    node: &'n Node,
    pub(super) operation: Arc<OperationFacts>,
}

/// The target as it would be written without steps: the first step's `api`, and its options over the target's.
pub(super) fn without_steps(node: &Node) -> Option<Node> {
    let steps = node.get("steps")?;
    let first = steps.value.list()?.first()?;
    let mut plain = node.clone();
    let NodeKind::Map(pairs) = &mut plain.kind else {
        return None;
    };
    let api = match first.get("api") {
        Some(api) => api.clone(),
        None => Pair {
            key: "api".to_owned(),
            key_span: steps.key_span.clone(),
            value: first.clone(),
        },
    };
    pairs.retain(|pair| pair.key != "steps" && pair.key != "api");
    pairs.push(api);
    let mut options = pairs_of(node.get("options")).to_vec();
    lay(&mut options, pairs_of(first.get("options")));
    if let Some(pair) = first.get("options").or_else(|| node.get("options")) {
        let mut pair = pair.clone();
        pair.value.kind = NodeKind::Map(options);
        pairs.retain(|pair| pair.key != "options");
        pairs.push(pair);
    }
    Some(plain)
}

impl Reader<'_> {
    /// The steps after the first, as far as they are operations for documents that are there.
    pub(super) fn further<'n>(
        &mut self,
        node: &'n Node,
        connector: Option<&Arc<dyn ConnectorFacts>>,
    ) -> Vec<Step<'n>> {
        let all = node.get("steps").and_then(|pair| pair.value.list());
        let mut steps: Vec<Step<'n>> = Vec::new();
        for node in all.unwrap_or_default().iter().skip(1) {
            let api = node.get("api").map_or(node, |pair| &pair.value);
            if api.map().is_some() {
                self.later(api, "steps.api");
                continue;
            }
            let Some(operation) = self.operation(connector, api) else {
                continue;
            };
            if operation.kind != OpKind::Write || !operation.writes.contains(&Action::Step) {
                let what = format!("steps: {}", text_of(api).unwrap_or_default());
                self.later(api, &what);
                continue;
            }
            let name = member(node, "step").unwrap_or(&operation.name).to_owned();
            if let Some(twice) = steps.iter().find(|step| step.name == name) {
                let name = twice.name.clone();
                self.report(
                    self.problem(&words::STEP_TWICE, node.span.clone())
                        .with("name", name),
                );
                continue;
            }
            steps.push(Step {
                name,
                node,
                operation,
            });
        }
        steps
    }

    fn later(&mut self, node: &Node, what: &str) {
        self.report(
            self.problem(&words::KEY_LATER, node.span.clone())
                .with("key", what),
        );
    }

    /// The steps of a plan: those that are written, and those that the target makes in the same call because an option
    /// says so, in the order in which they come.
    pub(super) fn step_plans(
        &mut self,
        node: &Node,
        further: &[Step<'_>],
        main: Option<&Arc<OperationFacts>>,
        options: &Tree,
        connector: Option<&Arc<dyn ConnectorFacts>>,
        columns: Option<&Columns>,
    ) -> Vec<StepPlan> {
        let mut plans = Vec::new();
        for made in main.map_or(Vec::new(), |main| made_by(main, options)) {
            let written = further.iter().any(|step| step.operation.name == made);
            let operation = connector.and_then(|connector| connector.operation(&made).ok());
            if let (false, Some(operation)) = (written, operation) {
                plans.extend(self.step_plan(node, &made, &operation, None, true, columns));
            }
        }
        let made = main.map_or(Vec::new(), |main| made_by(main, options));
        for step in further {
            let by_itself = made.contains(&step.operation.name);
            plans.extend(self.step_plan(
                node,
                &step.name,
                &step.operation,
                Some(step.node),
                by_itself,
                columns,
            ));
        }
        plans
    }

    fn step_plan(
        &mut self,
        node: &Node,
        name: &str,
        operation: &Arc<OperationFacts>,
        step: Option<&Node>,
        by_itself: bool,
        columns: Option<&Columns>,
    ) -> Option<StepPlan> {
        // The target's options, as far as this operation declares them, and the step's own over them.
        let mut pairs: Vec<Pair> = pairs_of(node.get("options"))
            .iter()
            .filter(|pair| operation.option(&pair.key).is_some())
            .cloned()
            .collect();
        let own = step.and_then(|step| step.get("options"));
        lay(&mut pairs, pairs_of(own));
        let mut part = node.clone();
        part.kind = NodeKind::Map(
            own.or_else(|| node.get("options"))
                .map(|pair| {
                    let mut pair = pair.clone();
                    pair.key = "options".to_owned();
                    pair.value.kind = NodeKind::Map(pairs);
                    pair
                })
                .into_iter()
                .collect(),
        );
        let before = self.diags.len();
        let options = self.options(
            &part,
            self.target_place,
            columns,
            Some(Vec::new()),
            std::slice::from_ref(operation),
        );
        // What the target's own options lack was told of the call that writes the document.
        if own.is_none() {
            self.diags.truncate(before);
        }
        if options.lookups().iter().any(|level| !level.is_empty()) {
            self.later(step.unwrap_or(node), "steps.options: $lookup");
            return None;
        }
        let when = step
            .and_then(|step| step.get("when"))
            .and_then(|pair| self.compile(TreePlace::ROW, columns, None, |cx| compile_cond(&pair.value, cx)));
        let proof = (operation.proof)(&constant_options(&options, operation));
        Some(StepPlan {
            name: name.to_owned(),
            operation: operation.name.clone(),
            options,
            when,
            batch: operation.batch_max.max(1),
            proof,
            by_itself,
        })
    }
}

/// The operations whose steps the target makes in the call that writes, with these options.
fn made_by(main: &OperationFacts, options: &Tree) -> Vec<String> {
    let constant = constant_options(options, main);
    main.options
        .iter()
        .filter(|option| constant.get(&option.name) == Some(&Value::from(true)))
        .flat_map(|option| option.makes.iter().cloned())
        .collect()
}

fn pairs_of(pair: Option<&Pair>) -> &[Pair] {
    pair.and_then(|pair| pair.value.map()).unwrap_or_default()
}

fn lay(below: &mut Vec<Pair>, over: &[Pair]) {
    for pair in over {
        below.retain(|known| known.key != pair.key);
        below.push(pair.clone());
    }
}
