//! `source`.

use std::sync::Arc;

use super::tests_list::fitting;
use super::{Reader, member, text_of};
use crate::catalogue::{scheme as words, value as value_words};
use crate::cond::{Cond, compile_cond, drops_record as drops_line_or_record};
use crate::diagnostic::did_you_mean;
use crate::facts::{ConnectorFacts, FilterKind, OpKind, OperationFacts};
use crate::keys;
use crate::lists::is_list_path;
use crate::path::Path;
use crate::plan::{DetailPlan, OnSeen, SourceFilter, SourcePlan, TestCase, VoidRule};
use crate::tree::{Columns, Tree, TreePlace, compile_tree};
use crate::value::Value;
use crate::yaml::{Node, NodeKind, Pair};

/// The source of a scheme, and the fields of its rows where they are known.
pub(crate) struct Source {
    pub(crate) plan: SourcePlan,
    pub(crate) columns: Option<Columns>,
}

impl Reader<'_> {
    pub(crate) fn source(
        &mut self,
        root: &Node,
        node: &Node,
        connector: Option<Arc<dyn ConnectorFacts>>,
        tests: &[TestCase],
    ) -> Option<Source> {
        let (own, operation) = match node.get("operation") {
            Some(_) => self.own_operation(connector.as_ref(), node).unzip(),
            None => {
                let api = node.get("api");
                let named = api.and_then(|pair| self.operation(connector.as_ref(), &pair.value));
                (None, named)
            }
        };
        let of_kind = |kind| operation.as_ref().is_some_and(|operation| operation.kind == kind);
        // Where it is not said rightly that rows are sent, that is the problem, and not what is read of a push.
        if of_kind(OpKind::Receive) || self.on_push || node.get("receive").is_some() {
            self.row_place = TreePlace::PUSHED_ROW;
        }
        let operation = operation.filter(|operation| self.gives_rows(operation, node));
        let operations: Vec<Arc<OperationFacts>> = operation.iter().cloned().collect();
        let options = self.options(node, TreePlace::SOURCE, None, None, &operations);
        let receive = self.receive(node, connector.as_ref(), operation.as_ref(), &options);
        let pushed = operation
            .as_ref()
            .is_some_and(|operation| operation.kind == OpKind::Receive);
        let over = node.get("request").filter(|pair| pair.value.map().is_some());
        if let Some(pair) = over {
            self.options_in_request(&pair.value, &operations);
            let base = operation
                .as_ref()
                .and_then(|operation| operation.request.as_deref());
            if let Some(base) = base {
                self.misspelt(&pair.value, base);
            }
        }
        let over =
            over.map(|pair| self.compile(TreePlace::SOURCE, None, None, |cx| compile_tree(&pair.value, cx)));
        let bounds = self.bounds(node, operation.as_ref());
        let merged = self.merge_request(over, operation.as_ref(), &bounds);
        let fields = self.fields(node, operation.as_ref());
        let filter = self.filter(node, operation.as_ref());
        // What is sent has no window: a push is one moment.
        let asked = operation.as_ref().filter(|_| !pushed);
        let mut window = self.window(node, asked, &options, &merged, filter.as_ref());
        window.none |= pushed;
        self.bounds_go_out(
            node,
            asked,
            &options,
            (&merged, &bounds),
            filter.as_ref(),
            &window,
        );
        let page_size = self.page_size(node, operation.as_ref(), &merged);
        let limits = self.limits(node, connector.as_deref());
        self.limits_of_no_call(node, pushed);
        let sweep = self.sweep(node, (operation.as_ref(), &bounds), &merged, &window);

        let from = node.get("scheme").is_some();
        window.none |= from;
        let mut columns = match from {
            true => self.given_columns(root, node),
            false => self.columns(node, operation.as_ref(), fields.as_deref(), tests),
        };
        let detail = node
            .get("detail")
            .and_then(|pair| self.detail(&pair.value, connector.as_ref(), &mut columns));
        let lists = self.lists(node, columns.as_ref());
        if let Some(columns) = &mut columns {
            lists.iter().for_each(|path| columns.list(path));
        }
        let explode = match node.get("explode") {
            Some(pair) => self.paths(pair, columns.as_ref(), false).unwrap_or_default(),
            None => Vec::new(),
        };
        if let (true, Some(columns)) = (self.compat_qeasy, &mut columns) {
            explode.iter().for_each(|path| columns.flatten(path, &explode));
        }
        if let Some(columns) = &mut columns {
            explode.iter().for_each(|path| columns.explode(path));
        }
        let derive = self.derive(node, &mut columns);
        let (keep, keep_drops_record) = self.keep(node, columns.as_ref());
        let numbered = !explode.is_empty();
        let key = node
            .get("key")
            .and_then(|pair| self.paths(pair, columns.as_ref(), numbered));
        self.exploded_key(node, &explode, key.as_deref());
        if let (Some(key), Some(columns)) = (&key, &columns) {
            self.single_values(node, key, columns, &explode);
        }
        let label = node
            .get("label")
            .and_then(|pair| self.field_path("label", &pair.value, columns.as_ref(), false));
        let void = self.void(node, columns.as_ref());
        let receive =
            receive.map(|receive| self.headers_read(receive, &derive, keep.as_ref(), void.as_ref()));
        let version = node
            .get("version")
            .and_then(|pair| self.paths(pair, columns.as_ref(), false));
        let newest_by = node
            .get("newest_by")
            .and_then(|pair| self.field_path("newest_by", &pair.value, columns.as_ref(), false));
        Some(Source {
            columns,
            plan: SourcePlan {
                from_scheme: None,
                from_stored: false,
                hidden: Vec::new(),
                own_operation: own,
                connection: match from {
                    true => String::new(),
                    false => member(node, "connection")?.to_owned(),
                },
                operation: match from {
                    true => String::new(),
                    false => operation?.name.clone(),
                },
                options,
                request: merged.request,
                fields,
                filter,
                window,
                sweep,
                detail,
                receive,
                limits,
                page_size,
                first_page: merged.first_page,
                lists,
                each: Vec::new(),
                explode,
                derive,
                keep,
                keep_drops_record,
                key: key?,
                label,
                void,
                version,
                newest_by,
                on_seen: member(node, "on_seen").and_then(on_seen),
                reads: Vec::new(),
                compat_qeasy: self.compat_qeasy,
                zone: self.zone.clone(),
            },
        })
    }

    pub(crate) fn reads(&mut self, operation: &OperationFacts, node: &Node) -> bool {
        if operation.kind == OpKind::Read {
            return true;
        }
        let span = node
            .get("api")
            .map_or(node.span.clone(), |pair| pair.value.span.clone());
        self.report(
            self.problem(&words::WRONG_OPERATION, span)
                .with("name", &operation.name)
                .with("kind", operation.kind.name())
                .with("place", "源")
                .with("place_en", "a source"),
        );
        false
    }

    /// A member that the operation's own request does not have is sent along: vendors have more parameters than a
    /// connector lists. One that is spelt nearly like a member that is there, and not written, is a slip.
    fn misspelt(&mut self, node: &Node, base: &Tree) {
        let Some(pairs) = node.map() else {
            return;
        };
        let known = base.keys();
        let written = |name: &str| pairs.iter().any(|pair| pair.key == name);
        for pair in pairs {
            if let Some(below) = base.at(&Path::names([pair.key.clone()])) {
                self.misspelt(&pair.value, &below);
                continue;
            }
            let unwritten = known.iter().copied().filter(|name| !written(name));
            let near = did_you_mean(&pair.key, unwritten)
                .into_iter()
                .filter(|name| is_slip(&pair.key, name))
                .collect::<Vec<_>>();
            if !near.is_empty() && !pair.key.starts_with('$') {
                self.report(
                    self.problem(&words::MISSPELT_MEMBER, pair.key_span.clone())
                        .with("name", &pair.key)
                        .similar(near),
                );
            }
        }
    }

    fn fields(
        &mut self,
        node: &Node,
        operation: Option<&Arc<OperationFacts>>,
    ) -> Option<Vec<(String, String)>> {
        let Some(pair) = node.get("fields") else {
            if let (Some(operation), Some(api)) = (
                operation.filter(|operation| operation.fields_required),
                node.get("api"),
            ) {
                self.report(
                    self.problem(&words::FIELDS_NEEDED, api.value.span.clone())
                        .with("operation", &operation.name),
                );
            }
            return None;
        };
        self.accepted(pair, operation, |operation| {
            operation.accepts_fields || operation.fields_required
        });
        match &pair.value.kind {
            NodeKind::List(items) => Some(
                items
                    .iter()
                    .filter_map(text_of)
                    .map(|field| (field.replace('.', "_"), field.to_owned()))
                    .collect(),
            ),
            NodeKind::Map(pairs) => Some(
                pairs
                    .iter()
                    .filter_map(|pair| Some((pair.key.clone(), text_of(&pair.value)?.to_owned())))
                    .collect(),
            ),
            NodeKind::Scalar(_) => None,
        }
    }

    fn accepted(
        &mut self,
        pair: &Pair,
        operation: Option<&Arc<OperationFacts>>,
        accepts: impl Fn(&OperationFacts) -> bool,
    ) {
        if let Some(operation) = operation.filter(|operation| !accepts(operation)) {
            self.report(
                self.problem(&words::NOT_ACCEPTED, pair.key_span.clone())
                    .with("operation", &operation.name)
                    .with("key", &pair.key),
            );
        }
    }

    fn filter(&mut self, node: &Node, operation: Option<&Arc<OperationFacts>>) -> Option<SourceFilter> {
        let Some(pair) = node.get("filter") else {
            if let (Some(operation), Some(api)) = (
                operation.filter(|operation| operation.filter_required),
                node.get("api"),
            ) {
                self.report(
                    self.problem(&words::FILTER_NEEDED, api.value.span.clone())
                        .with("operation", &operation.name),
                );
            }
            return None;
        };
        let text = pair.value.scalar().is_some();
        self.accepted(pair, operation, |operation| match &operation.filter {
            Some(FilterKind::SqlText) => true,
            Some(FilterKind::Conditions(_) | FilterKind::Bound) => !text,
            None => false,
        });
        if text {
            let tree = self.compile(TreePlace::FILTER, None, None, |cx| compile_tree(&pair.value, cx));
            return Some(SourceFilter::Text(tree));
        }
        pair.value.map()?;
        let cond = self.compile(TreePlace::FILTER, None, None, |cx| compile_cond(&pair.value, cx))?;
        if let Some(operation) = operation
            && let Some(FilterKind::Conditions(known)) = &operation.filter
        {
            for op in cond.words() {
                if !known.iter().any(|known| known == op) {
                    self.report(
                        self.problem(&words::CANNOT_COMPARE, pair.value.span.clone())
                            .with("operation", &operation.name)
                            .with("op", op)
                            .with("known", known.join(" ")),
                    );
                }
            }
            let known = &operation.filter_fields;
            let fields: Vec<String> = cond.fields().iter().map(Path::to_string).collect();
            for field in fields
                .iter()
                .filter(|field| !known.is_empty() && !known.contains(field))
            {
                self.report(
                    self.problem(&words::CANNOT_COMPARE, pair.value.span.clone())
                        .with("operation", &operation.name)
                        .with("op", field)
                        .with("known", known.join(" ")),
                );
            }
        }
        Some(SourceFilter::Cond(cond))
    }

    fn page_size(
        &mut self,
        node: &Node,
        operation: Option<&Arc<OperationFacts>>,
        merged: &super::owned::Merged,
    ) -> Option<u32> {
        let written = node
            .get("page_size")
            .and_then(|pair| Some((keys::integer(text_of(&pair.value)?)?, pair.value.span.clone())));
        let (size, span) = written.or_else(|| merged.page_size.clone())?;
        let max = operation
            .and_then(|operation| operation.page)
            .map(|page| page.max);
        if let Some(max) = max.filter(|max| size > i64::from(*max)) {
            self.report(
                self.problem(&words::ABOVE_MAXIMUM, span)
                    .with("key", "page_size")
                    .with("max", max),
            );
            return None;
        }
        u32::try_from(size).ok().filter(|size| *size > 0)
    }

    /// A row of the declared object that the options name, where rows have the standard form: what is pushed without an
    /// id has any.
    fn declared(&self, source: &Node, operation: Option<&Arc<OperationFacts>>) -> Option<Value> {
        let option = operation?.options.iter().find(|option| option.object)?;
        let options = &source.get("options")?.value;
        let row = self.env.object_row(member(options, &option.name)?)?;
        let key = member(source, "key")?;
        key.starts_with("masterFieldVal.").then_some(row)
    }

    fn columns(
        &mut self,
        source: &Node,
        operation: Option<&Arc<OperationFacts>>,
        fields: Option<&[(String, String)]>,
        tests: &[TestCase],
    ) -> Option<Columns> {
        let known = operation.and_then(|operation| operation.columns.as_deref());
        let mut columns = match (fields, known) {
            (Some(fields), _) => {
                let mut columns = Columns::default();
                fields
                    .iter()
                    .for_each(|(name, _)| columns.add(&Path::names([name.clone()])));
                columns
            }
            (None, Some(known)) => {
                let mut columns = Columns::new(known.iter().map(String::as_str));
                for (name, text) in operation.iter().flat_map(|operation| &operation.words) {
                    if let Ok(path) = Path::parse(name) {
                        columns.add_word(&path, text);
                    }
                }
                columns
            }
            (None, None) => match self.declared(source, operation) {
                Some(row) => {
                    let mut columns = Columns::default();
                    columns.add_row(&row);
                    columns
                }
                None => Columns::unsure(),
            },
        };
        if fields.is_none() {
            let samples = operation.map_or_else(Vec::new, |operation| fitting(operation, source));
            let own = samples.into_iter().filter(|sample| sample.own && !sample.chosen);
            let rows: Vec<Value> = own.flat_map(|sample| sample.rows).collect();
            if columns.is_unsure() && rows.is_empty() {
                return None;
            }
            rows.iter().for_each(|row| columns.add_row(row));
        }
        tests
            .iter()
            .flat_map(|test| &test.rows)
            .for_each(|row| columns.add_row(row));
        Some(columns)
    }

    /// `source.detail`. What its answer holds is known to everything behind it.
    fn detail(
        &mut self,
        node: &Node,
        connector: Option<&Arc<dyn ConnectorFacts>>,
        columns: &mut Option<Columns>,
    ) -> Option<DetailPlan> {
        let api = node.get("api")?;
        let operation = self.operation(connector, &api.value);
        let operation = operation.filter(|operation| self.reads(operation, node));
        // It cannot be asked without a stretch of time; a row has none.
        let timed = |operation: &&Arc<OperationFacts>| operation.uses_window && !operation.window_by_field;
        if let Some(operation) = operation.as_ref().filter(timed) {
            self.report(
                self.problem(&words::NOT_ACCEPTED, api.value.span.clone())
                    .with("operation", &operation.name)
                    .with("key", "detail"),
            );
        }
        let operations: Vec<Arc<OperationFacts>> = operation.iter().cloned().collect();
        let options = self.options(node, TreePlace::DETAIL, columns.as_ref(), None, &operations);
        let over = node.get("request").filter(|pair| pair.value.map().is_some());
        if let Some(pair) = over {
            self.options_in_request(&pair.value, &operations);
        }
        let over = over.map(|pair| {
            self.compile(TreePlace::DETAIL, columns.as_ref(), None, |cx| {
                compile_tree(&pair.value, cx)
            })
        });
        let request = self.merge_request(over, operation.as_ref(), &[]).request;
        let into = node
            .get("into")
            .and_then(|pair| self.field_path("into", &pair.value, None, false))?;
        let operation = operation?;
        if let Some(columns) = columns {
            let list = if operation.one_row { "" } else { ".*" };
            let below = operation.columns.iter().flatten();
            let paths = below.map(|name| format!("{into}{list}.{name}"));
            let mut known: Vec<Path> = paths.filter_map(|path| Path::parse(&path).ok()).collect();
            if known.is_empty() {
                known.push(into.clone());
            }
            known.iter().for_each(|path| columns.add(path));
        }
        Some(DetailPlan {
            operation: operation.name.clone(),
            options,
            request,
            into,
            one: operation.one_row,
        })
    }

    fn derive(&mut self, node: &Node, columns: &mut Option<Columns>) -> Vec<(Path, Tree)> {
        let mut derived = Vec::new();
        for pair in node
            .get("derive")
            .and_then(|pair| pair.value.map())
            .unwrap_or_default()
        {
            let tree = self.compile(self.row_place, columns.as_ref(), None, |cx| {
                compile_tree(&pair.value, cx)
            });
            self.push_names(tree.names(), &pair.value);
            let path = self.compile(TreePlace::ROW, None, None, |cx| {
                cx.path(&pair.key, pair.key_span.clone())
            });
            if let Some(path) = path {
                if let Some(columns) = columns {
                    columns.add(&path);
                }
                derived.push((path, tree));
            }
        }
        derived
    }

    fn keep(&mut self, node: &Node, columns: Option<&Columns>) -> (Option<Cond>, bool) {
        let Some(pair) = node.get("keep") else {
            return (None, false);
        };
        let mut cond = pair.value.clone();
        let mut drops_record = false;
        if let NodeKind::Map(pairs) = &mut cond.kind
            && let Some(at) = pairs.iter().position(|pair| pair.key == "on_line")
        {
            let on_line = pairs.remove(at);
            drops_record = self
                .compile(self.row_place, None, None, |cx| {
                    drops_line_or_record(&on_line, cx)
                })
                .unwrap_or_default();
        }
        if cond.map().is_none() {
            return (None, false);
        }
        let keep = self.compile(self.row_place, columns, None, |cx| {
            cx.on_lines = true;
            compile_cond(&cond, cx)
        });
        if let Some(keep) = &keep {
            self.push_names(&keep.names(), &pair.value);
        }
        (keep, drops_record)
    }

    /// The places that hold lists; lists in their lines are behind a star.
    fn lists(&mut self, node: &Node, columns: Option<&Columns>) -> Vec<Path> {
        let Some(pair) = node.get("lists") else {
            return Vec::new();
        };
        let paths = self.paths(pair, columns, false).unwrap_or_default();
        for (at, path) in paths.iter().enumerate() {
            if !is_list_path(path) {
                let place = pair.value.list().and_then(|items| items.get(at));
                let span = place.unwrap_or(&pair.value).span.clone();
                self.report(
                    self.problem(&value_words::BAD_PATH, span)
                        .with("path", path)
                        .with("why", "列表的路径以名称结尾,不写下标;列表里的列表写作 `lines.*.parts`")
                        .with(
                            "why_en",
                            "that of a list ends in a name and has no numbers; a list in lines is `lines.*.parts`",
                        ),
                );
            }
        }
        paths
    }

    fn void(&mut self, node: &Node, columns: Option<&Columns>) -> Option<VoidRule> {
        let pair = node.get("void")?;
        if pair.value.map().is_some() {
            let cond = self.compile(self.row_place, columns, None, |cx| compile_cond(&pair.value, cx))?;
            self.push_names(&cond.names(), &pair.value);
            return Some(VoidRule::When(cond));
        }
        self.field_path("void", &pair.value, columns, false)
            .map(VoidRule::Field)
    }

    /// A list or an object has no text that could identify a record.
    fn single_values(&mut self, node: &Node, key: &[Path], columns: &Columns, explode: &[Path]) {
        let Some(pair) = node.get("key") else {
            return;
        };
        for (at, path) in key.iter().enumerate() {
            if columns.holds_many(path, explode) {
                let place = pair.value.list().and_then(|items| items.get(at));
                self.report(
                    self.problem(&words::KEY_HOLDS_MANY, place.unwrap_or(&pair.value).span.clone())
                        .with("path", path),
                );
            }
        }
    }

    fn exploded_key(&mut self, node: &Node, explode: &[Path], key: Option<&[Path]>) {
        let (Some(pair), Some(key)) = (node.get("key"), key) else {
            return;
        };
        let by_line = key
            .iter()
            .any(|path| path.is_special() || explode.iter().any(|list| path.below(list).is_some()));
        if !explode.is_empty() && !by_line {
            self.report(self.problem(&words::EXPLODED_KEY, pair.value.span.clone()));
        }
    }
}

/// Whether two names differ by a slip of the hand, and not as `createTime` and `updateTime` do.
fn is_slip(written: &str, name: &str) -> bool {
    let most = match written.chars().count() {
        0..=3 => 0,
        4..=8 => 1,
        _ => 2,
    };
    strsim::osa_distance(&written.to_lowercase(), &name.to_lowercase()) <= most
}

fn on_seen(word: &str) -> Option<OnSeen> {
    match word {
        "skip" => Some(OnSeen::Skip),
        "update" => Some(OnSeen::Update),
        "update_if_changed" => Some(OnSeen::UpdateIfChanged),
        _ => None,
    }
}
