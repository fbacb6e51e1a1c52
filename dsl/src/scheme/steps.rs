//! `target.steps`: the first one writes the document, the others go on with it.

use std::sync::Arc;

use super::options::constant_options;
use super::{Reader, member, text_of};
use crate::catalogue::scheme as words;
use crate::cond::compile_cond;
use crate::facts::{Action, ConnectorFacts, OpKind, OperationFacts, Proof};
use crate::path::{Path, Segment};
use crate::plan::{StepEach, StepPlan, TargetPlan};
use crate::tree::{Columns, Tree, TreePlace, compile_tree, overlap};
use crate::value::Value;
use crate::yaml::{Node, NodeKind, Pair};

/// A step as it is written, with its operation.
pub(super) struct Step<'n> {
    name: String,
    node: &'n Node,
    pub(super) operation: Arc<OperationFacts>,
    /// It writes a document of its own.
    pub(super) writes: bool,
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
    if let Some(pair) = first.get("on_unknown") {
        pairs.retain(|pair| pair.key != "on_unknown");
        pairs.push(pair.clone());
    }
    Some(plain)
}

impl Reader<'_> {
    /// The steps after the first.
    pub(super) fn further<'n>(
        &mut self,
        node: &'n Node,
        connector: Option<&Arc<dyn ConnectorFacts>>,
    ) -> Vec<Step<'n>> {
        let all = node.get("steps").and_then(|pair| pair.value.list());
        let mut steps: Vec<Step<'n>> = Vec::new();
        if let Some(pair) = all
            .and_then(|all| all.first())
            .and_then(|first| first.get("each"))
        {
            let why = (
                "第一步写的是这条数据本身的单据",
                "the first step writes the document of the record itself",
            );
            self.bad_each(pair, why);
        }
        for node in all.unwrap_or_default().iter().skip(1) {
            let elsewhere = match node.get("connection") {
                Some(_) => self.connection(node),
                None => None,
            };
            let connector = match node.get("connection") {
                Some(_) => elsewhere.as_ref(),
                None => connector,
            };
            let api = node.get("api").map_or(node, |pair| &pair.value);
            // One operation an action is looked at again with the document; it has one name.
            let named = match api.map() {
                Some(pairs) => pairs.first().map(|pair| &pair.value),
                None => Some(api),
            };
            let Some(operation) = named.and_then(|named| self.operation(connector, named)) else {
                continue;
            };
            let is_step = operation.kind == OpKind::Write && operation.writes.contains(&Action::Step);
            let name = member(node, "step").unwrap_or(&operation.name).to_owned();
            for key in ["request", "connection", "key", "on_unknown", "each", "line_key"] {
                if let (true, Some(pair)) = (is_step, node.get(key)) {
                    self.report(
                        self.problem(&words::STEP_TAKES_NONE, pair.key_span.clone())
                            .with("operation", &operation.name)
                            .with("key", key),
                    );
                }
            }
            if !is_step && operation.kind == OpKind::Write && node.get("request").is_none() {
                self.report(
                    self.problem(&words::STEP_NEEDS_REQUEST, node.span.clone())
                        .with("operation", &operation.name)
                        .with("name", &name),
                );
                self.lost_steps.push(name);
                continue;
            }
            if name.contains(crate::each::MARK) {
                let span = node
                    .get("step")
                    .map_or(node.span.clone(), |pair| pair.value.span.clone());
                let problem = self.problem(&words::STEP_EACH, span);
                self.report(
                    problem
                        .with("why", "步骤名里不能有 `/[`")
                        .with("why_en", "the name of a step holds `/[`"),
                );
                continue;
            }
            if node.get("each").is_some() && !is_step {
                self.line_steps.push(name.clone());
            }
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
                writes: !is_step,
            });
        }
        steps
    }

    /// What is kept beside a record once its document is written.
    pub(super) fn saves(
        &mut self,
        node: &Node,
        (columns, hidden): (Option<&Columns>, &[Path]),
        (first, steps): (Option<&String>, &[StepPlan]),
        batch: u32,
    ) -> Vec<(String, Tree)> {
        let save = node.get("on_success").and_then(|pair| pair.value.get("save"));
        let mut saves = Vec::new();
        let names = first.into_iter().chain(steps.iter().map(|step| &step.name));
        self.steps = Some(names.cloned().collect());
        for pair in save.and_then(|pair| pair.value.map()).unwrap_or_default() {
            let tree = self
                .compile(TreePlace::ANSWER, columns, None, |cx| {
                    compile_tree(&pair.value, cx)
                })
                .settled();
            let taken = columns.is_some_and(|columns| {
                let first = columns.texts();
                first
                    .iter()
                    .any(|column| column.split('.').next() == Some(pair.key.as_str()))
            });
            if taken {
                self.report(
                    self.problem(&words::SAVE_TAKEN, pair.key_span.clone())
                        .with("column", &pair.key),
                );
            }
            let mut reads = tree.reads().iter();
            if !tree.sensitive().is_empty() || reads.any(|read| hidden.iter().any(|one| overlap(one, read))) {
                self.report(
                    self.problem(&words::SAVE_SENSITIVE, pair.value.span.clone())
                        .with("column", &pair.key),
                );
            }
            let body = Path::parse("$answer.body").expect("a path");
            if batch > 1
                && tree
                    .names()
                    .iter()
                    .any(|name| name == &body || name.below(&body).is_some())
            {
                self.report(
                    self.problem(&words::ANSWER_OF_SEVERAL, pair.value.span.clone())
                        .with("batch", batch),
                );
            }
            saves.push((pair.key.clone(), tree));
        }
        self.steps = None;
        saves
    }

    fn bad_each(&mut self, pair: &Pair, (zh, en): (&str, &str)) {
        let problem = self.problem(&words::STEP_EACH, pair.key_span.clone());
        self.report(problem.with("why", zh).with("why_en", en));
    }

    /// The lines for each of which a step is made; `Err` = what is said of them was complained about.
    fn step_each(&mut self, node: &Node, columns: Option<&Columns>) -> Result<Option<StepEach>, ()> {
        let (list, key) = match (node.get("each"), node.get("line_key")) {
            (None, None) => return Ok(None),
            (None, Some(pair)) => {
                self.bad_each(
                    pair,
                    (
                        "`line_key` 旁边没有 `each`",
                        "there is no `each` beside `line_key`",
                    ),
                );
                return Err(());
            }
            (Some(pair), None) => {
                let why = (
                    "没有 `line_key`:行的身份必须由行内字段给出",
                    "there is no `line_key`: a line is known by a field of it",
                );
                self.bad_each(pair, why);
                return Err(());
            }
            (Some(list), Some(key)) => (list, key),
        };
        let path = self.field_path("each", &list.value, columns, false).ok_or(())?;
        let is_plain = |path: &Path| {
            path.segments()
                .iter()
                .all(|part| matches!(part, Segment::Name(_)))
        };
        if !is_plain(&path) {
            let why = ("要写行里的一个列表字段", "it names one list of the row");
            self.bad_each(list, why);
            return Err(());
        }
        let nodes: Vec<&Node> = match key.value.list() {
            Some(items) => items.iter().collect(),
            None => vec![&key.value],
        };
        let mut fields = Vec::new();
        for node in nodes {
            let field = self.plain_path("line_key", node).ok_or(())?;
            if field.is_special() || !is_plain(&field) {
                let why = (
                    "`line_key` 要写行内的字段,如 `id`;行号在行换位时会变",
                    "`line_key` names a field of the line, such as `id`; the number of a line changes with its place",
                );
                self.bad_each(key, why);
                return Err(());
            }
            self.compile(TreePlace::ROW, columns, None, |cx| {
                cx.known(&path.join(&field), node.span.clone());
            });
            fields.push(field);
        }
        match fields.is_empty() {
            true => Err(()),
            false => Ok(Some(StepEach {
                list: path,
                key: fields,
            })),
        }
    }

    /// Each line has a document of its own: its key is made of the line.
    fn lines_differ(&mut self, step: &Node, document: &TargetPlan, each: &StepEach) {
        let of_line = |path: &Path| {
            let whole = document
                .key_under
                .as_ref()
                .map_or_else(|| path.clone(), |under| under.join(path));
            let part = document.request.at(&whole);
            part.is_none_or(|part| by_line(&part, &document.lets))
        };
        if !document.key.is_empty() && !document.key.iter().any(of_line) {
            let names: Vec<String> = document.key.iter().map(ToString::to_string).collect();
            let span = step
                .get("key")
                .or_else(|| step.get("request"))
                .map_or(step.span.clone(), |pair| pair.value.span.clone());
            self.report(
                self.problem(&words::STEP_LINE_KEY, span)
                    .with("path", names.join(", "))
                    .with("list", &each.list)
                    .with("field", &each.key[0]),
            );
        }
    }

    /// No identity of a line is shown of which any document of the target makes something that is to be hidden.
    pub(super) fn line_keys_are_sensitive(
        &mut self,
        further: &[Step<'_>],
        steps: &[StepPlan],
        hidden: &[Path],
    ) {
        for plan in steps {
            let each = plan.document.as_ref().and_then(|document| document.each.as_ref());
            let written = further.iter().find(|step| step.name == plan.name);
            let pair = written.and_then(|step| step.node.get("line_key"));
            let (Some(each), Some(pair)) = (each, pair) else {
                continue;
            };
            for (nth, path) in each.reads().enumerate() {
                if hidden.iter().any(|one| overlap(one, &path)) {
                    let item = pair.value.list().and_then(|items| items.get(nth));
                    let span = item.unwrap_or(&pair.value).span.clone();
                    self.report(self.problem(&words::LINE_KEY_SENSITIVE, span).with("path", &path));
                }
            }
        }
    }

    /// What is made for each line of a row follows its changes only where the scheme does.
    pub(super) fn lines_follow(&mut self, further: &[Step<'_>], updates: bool) {
        let each = further.iter().filter(|step| step.writes && !updates);
        for (step, pair) in each.filter_map(|step| Some((step, step.node.get("each")?))) {
            self.report(
                self.problem(&words::EACH_ONCE, pair.key_span.clone())
                    .with("name", &step.name),
            );
        }
    }

    fn later(&mut self, node: &Node, what: &str) {
        self.report(
            self.problem(&words::KEY_LATER, node.span.clone())
                .with("key", what),
        );
    }

    /// The document that a step writes, read as the target it would be alone.
    fn step_document(
        &mut self,
        node: &Node,
        (step, first, proof): (&Step<'_>, Option<&str>, Option<Proof>),
        columns: Option<&Columns>,
    ) -> Option<StepPlan> {
        let each = self.step_each(step.node, columns).ok()?;
        let mut options: Vec<Pair> = pairs_of(node.get("options"))
            .iter()
            .filter(|pair| step.operation.option(&pair.key).is_some())
            .cloned()
            .collect();
        lay(&mut options, pairs_of(step.node.get("options")));
        let mut pairs = Vec::new();
        for key in ["connection", "api", "request", "key", "on_unknown"] {
            pairs.extend(step.node.get(key).cloned());
        }
        if step.node.get("connection").is_none() {
            pairs.extend(node.get("connection").cloned());
        }
        pairs.extend(node.get("let").cloned());
        let by_hand = |pair: &&Pair| matches!(text_of(&pair.value), Some("hold" | "resend"));
        let inherits = step.node.get("on_unknown").is_none();
        if inherits {
            pairs.extend(node.get("on_unknown").filter(by_hand).cloned());
        }
        if let Some(pair) = step.node.get("options").or_else(|| node.get("options")) {
            let mut pair = pair.clone();
            pair.value.kind = NodeKind::Map(options);
            pairs.push(pair);
        }
        let mut whole = step.node.clone();
        whole.kind = NodeKind::Map(pairs);
        self.in_step = Some(step.name.clone());
        self.step_each = each.as_ref().map(|each| each.list.clone());
        self.inherits_of = proof.filter(|_| inherits);
        let document = self.target(&whole, columns.cloned());
        (self.in_step, self.inherits_of) = (None, None);
        let Some(mut document) = document else {
            self.step_each = None;
            return None;
        };
        // `$step` means the same in all of them.
        document.first_step = first.map(str::to_owned);
        let when = step
            .node
            .get("when")
            .and_then(|pair| self.compile(TreePlace::ROW, columns, None, |cx| compile_cond(&pair.value, cx)));
        self.step_each = None;
        if let Some(each) = &each {
            self.lines_differ(step.node, &document, each);
        }
        document.each = each;
        if !document.keyed.is_empty() || document.reads_line_ids {
            let span = step
                .node
                .get("request")
                .map_or(step.node.span.clone(), |pair| pair.key_span.clone());
            self.report(self.problem(&words::STEP_LINES, span).with("name", &step.name));
        }
        let operation = document.create.clone().or_else(|| document.update.clone())?;
        Some(StepPlan {
            name: step.name.clone(),
            operation,
            options: Tree::literal(Value::Map(crate::value::Map::new())),
            when,
            batch: document.batch,
            proof: document.proof,
            by_itself: false,
            document: Some(Arc::new(document)),
        })
    }

    /// The steps of a plan: those that are written, and those that the target makes in the same call because an option
    /// says so, in the order in which they come.
    pub(super) fn step_plans(
        &mut self,
        node: &Node,
        (further, first): (&[Step<'_>], Option<&str>),
        (main, proof): (Option<&Arc<OperationFacts>>, Option<Proof>),
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
        let outer = self.steps.take();
        for step in further {
            let earlier = first.map(str::to_owned).into_iter();
            self.steps = Some(
                earlier
                    .chain(plans.iter().map(|plan: &StepPlan| plan.name.clone()))
                    .collect(),
            );
            if step.writes {
                let document = self.step_document(node, (step, first, proof), columns);
                if document.is_none() {
                    self.lost_steps.push(step.name.clone());
                }
                plans.extend(document);
                continue;
            }
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
        self.steps = outer;
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
            document: None,
        })
    }
}

/// Also by way of a `let`, and of those that one uses: each uses earlier ones only.
fn by_line(part: &Tree, lets: &[(String, Tree)]) -> bool {
    part.reads_line()
        || lets.iter().enumerate().any(|(nth, (name, tree))| {
            let whole = Path::names(["$let", name.as_str()]);
            part.names().iter().any(|read| overlap(read, &whole)) && by_line(tree, &lets[..nth])
        })
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
