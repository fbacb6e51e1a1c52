//! `target`.

use std::ops::Range;
use std::sync::Arc;

use super::options::constant_options;
use super::steps::without_steps;
use super::{Reader, member, text_of};
use crate::catalogue::{scheme as words, value as value_words};
use crate::diagnostic::did_you_mean;
use crate::facts::{Action, ConnectorFacts, OpKind, OperationFacts, OwnOperation, Proof};
use crate::keys;
use crate::lines::KeyedList;
use crate::path::{Path, Segment};
use crate::plan::{OnUnknown, TargetPlan};
use crate::tree::{Columns, Tree, TreePlace, compile_tree, overlap};
use crate::value::Value;
use crate::yaml::{Node, Pair};

const ACTIONS: [Action; 3] = [Action::Create, Action::Update, Action::Void];

/// The operation of each action, with the place where the file names it.
type Operations = Vec<(Action, Arc<OperationFacts>)>;

impl Reader<'_> {
    pub(crate) fn target(&mut self, written: &Node, columns: Option<Columns>) -> Option<TargetPlan> {
        let connector = self.connection(written);
        let gathered = self.aggregate(written, columns.as_ref());
        let columns = match written.get("aggregate") {
            Some(_) => {
                (self.target_place, self.document_place) = (TreePlace::GATHERED, TreePlace::GATHERED);
                gathered.as_ref().map(|gathered| gathered.columns.clone())
            }
            None => columns,
        };
        let aggregate = gathered.map(|gathered| gathered.plan);
        let further = self.further(written, connector.as_ref());
        let plain = without_steps(written);
        let node = plain.as_ref().unwrap_or(written);
        let (own, by_action) = self.target_operations(node, connector.as_ref());
        let by_action = self.restricted(node, by_action);
        let mut operations: Vec<Arc<OperationFacts>> = Vec::new();
        for (_, operation) in &by_action {
            if !operations.iter().any(|known| known.name == operation.name) {
                operations.push(Arc::clone(operation));
            }
        }
        // Each takes the options it declares: an option of a further step is none of the document's, and no mistake.
        let mut taking = operations.clone();
        let going_on = further.iter().filter(|step| !step.writes);
        taking.extend(going_on.map(|step| Arc::clone(&step.operation)));
        let lets = self.lets(node, columns.as_ref());
        let names: Vec<String> = lets.iter().map(|(name, _)| name.clone()).collect();
        let mut options = self.options(
            node,
            self.target_place,
            columns.as_ref(),
            Some(names.clone()),
            &taking,
        );
        let (mut request, line_ids) = self.target_request(node, columns.as_ref(), names, &operations);
        let secrets: Vec<Path> = lets.iter().flat_map(secrets).collect();
        options.hide(&secrets);
        request.hide(&secrets);
        options.hide_fields(&self.inherited);
        request.hide_fields(&self.inherited);
        // What a create can prove is what counts, wherever it stands among the operations.
        let creating = by_action.iter().find(|(action, _)| *action == Action::Create);
        let main = creating
            .map(|(_, operation)| operation.clone())
            .or_else(|| operations.first().cloned());
        let key = self.target_key(node, main.as_ref(), &options, &request);
        self.lines(node, &by_action, &options, &request, !line_ids.is_empty());
        self.flat(node, &operations, &options);
        let reads_line_ids = !line_ids.is_empty();
        self.line_ids(&by_action, line_ids);
        let keyed = self.keyed(&request);
        let batch = self.batch(node, &operations);
        let unnamed = main.as_ref().is_some_and(|main| is_unnamed(&options, main));
        let proof = main.as_ref().map(|main| match unnamed {
            true => Proof::None,
            false => (main.proof)(&constant_options(&options, main)),
        });
        let find_before_create = member(node, "find") == Some("before_create");
        let said = node
            .get("on_unknown")
            .filter(|_| self.inherits_of.is_none_or(|of| proof == Some(of)));
        let on_unknown = said.and_then(|pair| text_of(&pair.value)).and_then(on_unknown);
        if let (Some(main), Some(proof)) = (&main, proof)
            && !proof.can_ask()
        {
            for (key, value, is_asking) in [
                ("find", "before_create", find_before_create),
                ("on_unknown", "query", on_unknown == Some(OnUnknown::Query)),
                ("fingerprint", "[...]", true),
            ] {
                if let (Some(pair), true) = (node.get(key), is_asking) {
                    self.report(
                        self.problem(&words::CANNOT_FIND, pair.value.span.clone())
                            .with("operation", &main.name)
                            .with("value", format!("{key}: {value}")),
                    );
                }
            }
        }
        let first_step = first_name(written, main.as_ref());
        let steps = self.step_plans(
            written,
            (&further, first_step.as_deref()),
            (main.as_ref(), proof),
            &options,
            connector.as_ref(),
            columns.as_ref(),
        );
        let mut hidden = sensitive_source(&lets, [&options, &request]);
        for field in &self.inherited {
            if !hidden.contains(field) {
                hidden.push(field.clone());
            }
        }
        for document in steps.iter().filter_map(|step| step.document.as_ref()) {
            for field in &document.sensitive_source {
                if !hidden.contains(field) {
                    hidden.push(field.clone());
                }
            }
        }
        if let Some(aggregate) = &aggregate {
            hidden.extend(aggregate.behind(&hidden));
        }
        self.line_keys_are_sensitive(&further, &steps, &hidden);
        let updates = by_action.iter().any(|(action, _)| *action == Action::Update);
        self.lines_follow(&further, updates);
        let saves = self.saves(
            written,
            (columns.as_ref(), &hidden),
            (first_step.as_ref(), &steps),
            batch,
        );
        if let (Some(main), Some(Proof::None), None) = (&main, proof, said)
            // Whether there is a proof is said by the connection; without one a person decides.
            && !main.asked_by_choice
            && by_action.iter().any(|(action, _)| *action == Action::Create)
        {
            let span = node
                .get("api")
                .map_or(node.span.clone(), |pair| pair.value.span.clone());
            let (zh, en) = match &main.proof_needs {
                Some(name) if unnamed => (
                    format!(";写了选项 `{name}` 就不必,再发一次也不会写两次"),
                    format!(
                        "; with the option `{name}` neither is needed: what is sent again is written once"
                    ),
                ),
                _ => Default::default(),
            };
            let (at, at_en) = match &self.in_step {
                Some(name) => (format!("步骤 {name}"), format!("the step {name}")),
                None => ("target".to_owned(), "target".to_owned()),
            };
            self.report(
                self.problem(&words::UNSAFE_CREATE, span)
                    .with("operation", &main.name)
                    .with("where", at)
                    .with("where_en", at_en)
                    .with("more", zh)
                    .with("more_en", en),
            );
        }
        if let (Some(main), true) = (&main, unnamed)
            && said.is_some()
            && by_action.iter().any(|(action, _)| *action == Action::Update)
        {
            let span = node
                .get("api")
                .map_or(node.span.clone(), |pair| pair.value.span.clone());
            self.report(
                self.problem(&words::UNNAMED, span)
                    .with("operation", &main.name)
                    .with("name", main.proof_needs.as_deref().unwrap_or_default()),
            );
        }
        let fingerprint = self.fingerprint(node, main.as_ref(), &request);
        let operation = |action: Action| {
            by_action
                .iter()
                .find(|(known, _)| *known == action)
                .map(|(_, operation)| operation.name.clone())
        };
        let mut types: Vec<(String, String)> = Vec::new();
        for (name, ty) in operations.iter().flat_map(|operation| &operation.types) {
            if !types.iter().any(|(known, _)| known == name) {
                types.push((name.clone(), ty.clone()));
            }
        }
        Some(TargetPlan {
            own_operation: own,
            connection: member(node, "connection")?.to_owned(),
            create: operation(Action::Create),
            update: operation(Action::Update),
            void: operation(Action::Void),
            declared: operations
                .iter()
                .map(|operation| {
                    (
                        operation.name.clone(),
                        operation
                            .options
                            .iter()
                            .map(|option| option.name.clone())
                            .collect(),
                    )
                })
                .collect(),
            sensitive: request.sensitive(),
            sensitive_options: options.sensitive(),
            sensitive_source: hidden,
            options,
            lets,
            request,
            keyed,
            reads_line_ids,
            key: key?,
            key_under: main.as_ref().and_then(|main| main.key_under.clone()),
            find_before_create,
            batch,
            on_unknown,
            fingerprint: fingerprint?,
            tolerate_none: member(node, "tolerate") == Some("none"),
            types,
            proof: proof?,
            unnamed,
            first_step,
            each: None,
            steps,
            aggregate,
            saves,
            emit: None,
            limits: self.limits(node, connector.as_deref()),
            compat_qeasy: self.compat_qeasy,
        })
    }

    fn target_operations(
        &mut self,
        node: &Node,
        connector: Option<&Arc<dyn ConnectorFacts>>,
    ) -> (Option<OwnOperation>, Operations) {
        let of = |operation: &Arc<OperationFacts>| {
            ACTIONS
                .into_iter()
                .filter(|action| operation.writes.contains(action))
                .map(|action| (action, Arc::clone(operation)))
                .collect()
        };
        if let Some(written) = node.get("operation") {
            return match self.own_operation(connector, node) {
                Some((own, operation)) if self.writes(&operation, &written.value) => {
                    (Some(own), of(&operation))
                }
                _ => (None, Vec::new()),
            };
        }
        let Some(api) = node.get("api") else {
            return (None, Vec::new());
        };
        if let Some(pairs) = api.value.map() {
            let by_action = pairs
                .iter()
                .filter_map(|pair| self.action_operation(pair, connector));
            return (None, by_action.collect());
        }
        match self.operation(connector, &api.value) {
            Some(operation) if self.writes(&operation, &api.value) => (None, of(&operation)),
            _ => (None, Vec::new()),
        }
    }

    fn action_operation(
        &mut self,
        pair: &Pair,
        connector: Option<&Arc<dyn ConnectorFacts>>,
    ) -> Option<(Action, Arc<OperationFacts>)> {
        let action = Action::parse(&pair.key).filter(|action| ACTIONS.contains(action))?;
        let operation = self.operation(connector, &pair.value)?;
        if !self.writes(&operation, &pair.value) {
            return None;
        }
        if !operation.writes.contains(&action) {
            self.cannot_act(&pair.value, &operation, action);
            return None;
        }
        Some((action, operation))
    }

    fn cannot_act(&mut self, node: &Node, operation: &OperationFacts, action: Action) {
        let all: Vec<&str> = operation.writes.iter().map(|action| action.name()).collect();
        self.report(
            self.problem(&words::CANNOT_ACT, node.span.clone())
                .with("name", &operation.name)
                .with("action", action)
                .with("all", all.join(" ")),
        );
    }

    fn writes(&mut self, operation: &OperationFacts, node: &Node) -> bool {
        let good =
            operation.kind == OpKind::Write && operation.writes.iter().any(|action| ACTIONS.contains(action));
        if !good {
            self.report(
                self.problem(&words::WRONG_OPERATION, node.span.clone())
                    .with("name", &operation.name)
                    .with("kind", operation.kind.name())
                    .with("place", "目标")
                    .with("place_en", "a target"),
            );
        }
        good
    }

    /// Only the actions that the scheme names, where it names any.
    fn restricted(&mut self, node: &Node, by_action: Operations) -> Operations {
        let Some(items) = node.get("actions").and_then(|pair| pair.value.list()) else {
            return by_action;
        };
        let mut wanted = Vec::new();
        for item in items {
            let Some(action) = text_of(item).and_then(Action::parse) else {
                continue;
            };
            wanted.push(action);
            let can = by_action.iter().any(|(known, _)| *known == action);
            if let (false, Some((_, operation))) = (can, by_action.first()) {
                let operation = Arc::clone(operation);
                self.cannot_act(item, &operation, action);
            }
        }
        by_action
            .into_iter()
            .filter(|(action, _)| wanted.contains(action))
            .collect()
    }

    fn lets(&mut self, node: &Node, columns: Option<&Columns>) -> Vec<(String, Tree)> {
        let mut lets: Vec<(String, Tree)> = Vec::new();
        for pair in node
            .get("let")
            .and_then(|pair| pair.value.map())
            .unwrap_or_default()
        {
            let before = lets.iter().map(|(name, _)| name.clone()).collect();
            let mut tree = self
                .compile(self.target_place, columns, Some(before), |cx| {
                    compile_tree(&pair.value, cx)
                })
                .settled();
            tree.hide_fields(&self.inherited);
            tree.hide(&lets.iter().flat_map(secrets).collect::<Vec<_>>());
            lets.push((pair.key.clone(), tree));
        }
        lets
    }

    fn target_request(
        &mut self,
        node: &Node,
        columns: Option<&Columns>,
        lets: Vec<String>,
        operations: &[Arc<OperationFacts>],
    ) -> (Tree, Vec<Range<usize>>) {
        let base = operations.iter().find_map(|operation| operation.request.clone());
        let over = node.get("request").filter(|pair| pair.value.map().is_some());
        if let Some(pair) = over {
            self.options_in_request(&pair.value, operations);
        }
        let mut line_ids = Vec::new();
        let over = over.map(|pair| {
            self.compile(self.document_place, columns, Some(lets), |cx| {
                let tree = compile_tree(&pair.value, cx);
                line_ids = std::mem::take(&mut cx.line_ids);
                tree
            })
        });
        let request = match (base, over) {
            (Some(base), Some(over)) => Tree::merge(&base, &over),
            (Some(base), None) => (*base).clone(),
            (None, Some(over)) => over.settled(),
            (None, None) => Tree::literal(crate::value::Value::Map(crate::value::Map::new())),
        };
        (request, line_ids)
    }

    /// `$line_id` asks that every operation which writes lines tells their ids.
    fn line_ids(&mut self, by_action: &Operations, used: Vec<Range<usize>>) {
        let writes = |action: &Action| matches!(action, Action::Create | Action::Update);
        let silent = by_action
            .iter()
            .find(|(action, operation)| writes(action) && !operation.line_ids)
            .map(|(_, operation)| operation.name.clone());
        for span in used {
            if let Some(name) = &silent {
                self.report(
                    self.problem(&value_words::LINE_ID_UNTOLD, span)
                        .with("operation", name),
                );
            }
        }
    }

    /// The lists whose lines have keys. Each stands at a place of its own in the document.
    fn keyed(&mut self, request: &Tree) -> Vec<KeyedList> {
        let mut lists: Vec<KeyedList> = Vec::new();
        for keyed in request.keyed() {
            let taken = |place: &Path| lists.iter().any(|known| known.list == *place);
            let why = match keyed.place {
                None => ("它不是单据里的列表", "it is no list of the document"),
                Some(place) if taken(place) => {
                    ("同一位置已有一个 `$each`", "another `$each` stands at its place")
                }
                Some(place) => {
                    lists.push(KeyedList {
                        list: place.clone(),
                        source: keyed.source,
                        key: keyed.key.clone(),
                    });
                    continue;
                }
            };
            self.report(
                self.problem(&value_words::LINE_KEY_PLACE, keyed.span)
                    .with("why_zh", why.0)
                    .with("why_en", why.1),
            );
        }
        lists
    }

    /// The scheme's own key, else the operation's; its fields must be in the document.
    fn target_key(
        &mut self,
        node: &Node,
        main: Option<&Arc<OperationFacts>>,
        options: &Tree,
        request: &Tree,
    ) -> Option<Vec<Path>> {
        let written = node.get("key");
        let (key, span) = match (written, main) {
            (Some(pair), _) => {
                let nodes: Vec<&Node> = pair
                    .value
                    .list()
                    .map_or(vec![&pair.value], |items| items.iter().collect());
                let paths: Vec<Option<Path>> = nodes
                    .into_iter()
                    .map(|item| {
                        let example = text_of(item).and_then(|text| place_of(node.get("request")?, text));
                        self.plain_path_like("key", item, example)
                    })
                    .collect();
                (
                    paths.into_iter().collect::<Option<Vec<Path>>>()?,
                    pair.value.span.clone(),
                )
            }
            // The default key follows from the options; one that is missing is told by itself.
            (None, Some(main)) if lacks_an_option(main, options) => return None,
            (None, Some(main)) => {
                let key = (main.keys)(&constant_options(options, main));
                let span = node
                    .get("request")
                    .or_else(|| node.get("api"))
                    .map_or(node.span.clone(), |pair| pair.key_span.clone());
                // What a further step writes need not be found again: a message has no name.
                if key.is_empty() && self.in_step.is_some() {
                    return Some(Vec::new());
                }
                if key.is_empty() {
                    self.report(
                        self.problem(&words::NO_TARGET_KEY, span)
                            .with("operation", &main.name),
                    );
                    return None;
                }
                (key, span)
            }
            (None, None) => return None,
        };
        let under = main.and_then(|main| main.key_under.clone());
        let whole: Vec<Path> = key
            .iter()
            .map(|path| {
                under
                    .as_ref()
                    .map_or_else(|| path.clone(), |under| under.join(path))
            })
            .collect();
        let constant = |path: &Path| {
            let part = request.at(path)?.constant()?;
            (part.kind() != crate::value::Kind::Null).then_some(())
        };
        if let Some(path) = whole.last()
            && whole.iter().all(|path| constant(path).is_some())
        {
            let place = node
                .get("request")
                .and_then(|pair| node_at(&pair.value, path))
                .map_or(span.clone(), |node| node.span.clone());
            self.report(
                self.problem(&words::TARGET_KEY_CONSTANT, place)
                    .with("path", path),
            );
        }
        for whole in whole {
            if main.is_some() && request.has(&whole) == Some(false) {
                // The default key follows from the options, and a wrong one there is the likelier slip.
                let by_options = written.is_none().then(|| node.get("options")).flatten();
                let also = match by_options {
                    Some(_) => (
                        ";默认主键由 `options` 决定:检查那里的值,例如另一个 FormId 有另一个主键",
                        "; the default key follows from `options`: check the values there, as another FormId has another key",
                    ),
                    None => ("", ""),
                };
                let place = by_options.map_or(span.clone(), |pair| pair.value.span.clone());
                self.report(
                    self.problem(&words::TARGET_KEY_ABSENT, place)
                        .with("also_zh", also.0)
                        .with("also_en", also.1)
                        .with("path", &whole),
                );
            }
        }
        Some(key)
    }

    /// Fields that our own document is told by, where its answer was lost.
    fn fingerprint(
        &mut self,
        node: &Node,
        main: Option<&Arc<OperationFacts>>,
        request: &Tree,
    ) -> Option<Vec<Path>> {
        let items = node.get("fingerprint").and_then(|pair| pair.value.list());
        let under = main.and_then(|main| main.key_under.clone());
        let mut paths = Vec::new();
        for item in items.unwrap_or_default() {
            let example = text_of(item).and_then(|text| place_of(node.get("request")?, text));
            let path = self.plain_path_like("fingerprint", item, example)?;
            let whole = under
                .as_ref()
                .map_or_else(|| path.clone(), |under| under.join(&path));
            let is_hidden = request.sensitive().iter().any(|hidden| {
                let (hidden, whole) = (hidden.segments(), whole.segments());
                whole.starts_with(hidden) || hidden.starts_with(whole)
            });
            let why = if main.is_some() && request.has(&whole) == Some(false) {
                Some(("`request` 里没有它", "`request` does not have it"))
            } else if node
                .get("request")
                .and_then(|request| node_at(&request.value, &path))
                .is_some_and(has_parts)
            {
                Some((
                    "它由多个部分组成,目标不会原样显示;写其中的一个字段",
                    "it has parts of its own, which the target does not show as they were sent; name one of them",
                ))
            } else if is_hidden {
                Some((
                    "敏感字段不保存,无从比较",
                    "sensitive values are not kept, so there is nothing to compare with",
                ))
            } else {
                None
            };
            if let Some((zh, en)) = why {
                self.report(
                    self.problem(&words::FINGERPRINT_UNFIT, item.span.clone())
                        .with("path", &whole)
                        .with("why_zh", zh)
                        .with("why_en", en),
                );
            }
            paths.push(path);
        }
        Some(paths)
    }

    /// A document with lines that may be updated has no safe default for lines that are not sent, unless each line is
    /// sent with the id that the target gave it.
    fn lines(&mut self, node: &Node, by_action: &Operations, options: &Tree, request: &Tree, with_ids: bool) {
        let Some((_, operation)) = by_action.iter().find(|(action, _)| *action == Action::Update) else {
            return;
        };
        let (keyed, unkeyed) = (request.keyed(), request.unkeyed());
        if (keyed.is_empty() && unkeyed.is_empty()) || (with_ids && unkeyed.is_empty()) {
            return;
        }
        let needed = operation.options.iter().find(|option| {
            option.needed_when.as_deref() == Some("update_with_lines") && option.default.is_none()
        });
        if let Some(option) = needed
            && options.has(&Path::names([option.name.clone()])) == Some(false)
        {
            let span = node
                .get("options")
                .or_else(|| node.get("api"))
                .map_or(node.span.clone(), |pair| pair.key_span.clone());
            let name = option.name.clone();
            self.report(self.problem(&words::LINES_UNSAFE, span).with("name", name));
        }
    }

    /// What has no column in a document of one line.
    fn flat(&mut self, node: &Node, operations: &[Arc<OperationFacts>], options: &Tree) {
        let request = node.get("request").and_then(|pair| pair.value.map());
        for operation in operations {
            let Some(option) = &operation.flat else { continue };
            let known = constant_options(options, operation);
            let columns: Option<Vec<String>> = known
                .get(option)
                .and_then(Value::as_list)
                .map(|list| list.iter().filter_map(Value::to_plain_text).collect());
            for pair in request
                .unwrap_or_default()
                .iter()
                .filter(|pair| !pair.key.starts_with('$'))
            {
                let is_nested = pair.value.list().is_some()
                    || (pair.value.map())
                        .is_some_and(|inner| !inner.iter().any(|pair| pair.key.starts_with('$')));
                let why = match &columns {
                    _ if is_nested => (
                        "列表和对象在一行里没有列;请改写 NDJSON,或用 explode 让每行明细成为一条记录".to_owned(),
                        "a list or a map has no column in a line; write NDJSON, or make a record of each line with explode".to_owned(),
                    ),
                    Some(columns) if !columns.contains(&pair.key) => {
                        let all = columns.join(" ");
                        (
                            format!("`{option}` 里没有这一列;有:{all}"),
                            format!("`{option}` has no such column; there are: {all}"),
                        )
                    }
                    _ => continue,
                };
                let near = columns.iter().flatten().map(String::as_str);
                let near = if is_nested {
                    Vec::new()
                } else {
                    did_you_mean(&pair.key, near)
                };
                let told = self
                    .problem(&words::NO_COLUMN, pair.key_span.clone())
                    .with("name", &pair.key)
                    .with("why_zh", why.0)
                    .with("why_en", why.1)
                    .similar(near);
                self.report(told);
            }
        }
    }

    fn batch(&mut self, node: &Node, operations: &[Arc<OperationFacts>]) -> u32 {
        let max = operations
            .iter()
            .map(|operation| operation.batch_max)
            .min()
            .unwrap_or(1)
            .max(1);
        let written = node
            .get("batch")
            .and_then(|pair| Some((pair, keys::integer(text_of(&pair.value)?)?)));
        let Some((pair, size)) = written else {
            return max;
        };
        if !operations.is_empty() && size > i64::from(max) {
            self.report(
                self.problem(&words::ABOVE_MAXIMUM, pair.value.span.clone())
                    .with("key", "batch")
                    .with("max", max),
            );
        }
        u32::try_from(size).unwrap_or(max).clamp(1, max)
    }
}

/// The name of the step that writes the document.
fn first_name(written: &Node, main: Option<&Arc<OperationFacts>>) -> Option<String> {
    let first = written.get("steps")?.value.list()?.first()?;
    member(first, "step")
        .map(str::to_owned)
        .or_else(|| Some(main?.name.clone()))
}

/// What a file writes at a path of plain names.
pub(super) fn node_at<'n>(node: &'n Node, path: &Path) -> Option<&'n Node> {
    path.segments()
        .iter()
        .try_fold(node, |node, segment| match segment {
            Segment::Name(name) => node.get(name).map(|pair| &pair.value),
            Segment::Index(_) | Segment::All => None,
        })
}

/// A map or a list that is written out, not a maker such as `{$value: …}`.
fn has_parts(node: &Node) -> bool {
    let plain = |pairs: &[Pair]| pairs.iter().all(|pair| !pair.key.starts_with('$'));
    node.list().is_some() || node.map().is_some_and(plain)
}

/// The request field that is written exactly so: what the author of a template as key has in mind.
fn place_of(pair: &Pair, text: &str) -> Option<String> {
    fn below(node: &Node, text: &str) -> Option<Vec<String>> {
        match node.map() {
            Some(pairs) => pairs.iter().find_map(|pair| {
                let mut names = below(&pair.value, text)?;
                names.insert(0, pair.key.clone());
                Some(names)
            }),
            None => (text_of(node) == Some(text)).then(Vec::new),
        }
    }
    below(&pair.value, text).map(|names| Path::names(names).to_string())
}

fn lacks_an_option(operation: &OperationFacts, options: &Tree) -> bool {
    operation.options.iter().any(|option| {
        let given = option.default.is_some() || option.constant.is_some();
        option.required && !given && options.has(&Path::names([option.name.clone()])) == Some(false)
    })
}

/// Whether documents are sent without the name by which the target would tell a repetition.
fn is_unnamed(options: &Tree, operation: &OperationFacts) -> bool {
    let Some(name) = &operation.proof_needs else {
        return false;
    };
    let is_blank = |value: &Value| value.to_plain_text().is_none_or(|text| text.is_empty());
    let constants = constant_options(options, operation);
    match constants.get(name) {
        Some(value) => is_blank(value),
        // One that depends on the record.
        None => !options.members().iter().any(|(given, _)| given == name),
    }
}

fn on_unknown(word: &str) -> Option<OnUnknown> {
    match word {
        "query" => Some(OnUnknown::Query),
        "hold" => Some(OnUnknown::Hold),
        "resend" => Some(OnUnknown::Resend),
        _ => None,
    }
}

/// The sensitive places of a `let`, by the names under which they are read.
fn secrets((name, tree): &(String, Tree)) -> Vec<Path> {
    let whole = Path::names(["$let", name.as_str()]);
    tree.sensitive().iter().map(|place| whole.join(place)).collect()
}

/// The fields of the row that sensitive values are made of, also by way of a `let`.
fn sensitive_source(lets: &[(String, Tree)], trees: [&Tree; 2]) -> Vec<Path> {
    let (mut fields, mut names): (Vec<Path>, Vec<Path>) = Default::default();
    let parts = lets.iter().map(|(_, tree)| tree).chain(trees);
    for (own, read) in parts.map(Tree::sensitive_reads) {
        fields.extend(own);
        names.extend(read);
    }
    // A `let` may use those before it only, so that one pass from the last to the first is enough.
    for (name, tree) in lets.iter().rev() {
        let whole = Path::names(["$let", name.as_str()]);
        if names.iter().any(|read| overlap(read, &whole)) {
            fields.extend(tree.reads().iter().cloned());
            names.extend(tree.names().iter().cloned());
        }
    }
    let mut once: Vec<Path> = Vec::new();
    for field in fields {
        if !once.contains(&field) {
            once.push(field);
        }
    }
    once
}
