//! A scheme file becomes a checked [`Plan`].
//!
//! All problems of a file are found in one pass and given in the order of the file. What is refused here is everything
//! that can be refused without the network: shapes by the table of keys, names by the environment, values by the
//! compiler of trees.

mod aggregate;
mod bounds;
mod clues;
mod fed;
mod head;
mod limits;
mod options;
mod owned;
mod paths;
mod probe;
mod publish;
mod receive;
mod schedule;
mod source;
mod steps;
mod target;
mod tests_list;
mod two_way;
mod window;

use std::ops::Range;
use std::sync::Arc;

use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use crate::builtin::Registry;
use crate::catalogue::{Entry, scheme as words};
use crate::cond::Cond;
use crate::diagnostic::{Diagnostic, SourceFile, did_you_mean};
use crate::facts::{ConnectorFacts, Environment, NotFound, OperationFacts, OwnOperation, Proof, SchemeFacts};
use crate::ingest::hex;
use crate::keys::{self, SCHEME};
use crate::lookup::{FieldTable, LookupSpec, Within};
use crate::path::Path;
use crate::plan::Plan;
use crate::tree::{Around, Columns, Compile, Table, Tree, TreePlace};
use crate::yaml::{self, Node};
use source::Source;

/// What became of a file.
#[derive(Debug)]
pub struct Compiled {
    /// The plan; `None` when there is an error.
    pub plan: Option<Plan>,
    /// The problems, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compiles a scheme file.
pub fn compile_scheme(file: &Arc<SourceFile>, env: &dyn Environment, registry: &Registry) -> Compiled {
    let reading = yaml::read_all(file);
    let Some(root) = reading.node else {
        return Compiled {
            plan: None,
            diagnostics: reading.problems,
        };
    };
    let mut reader = Reader {
        file,
        registry,
        env,
        diags: reading.problems,
        faults: 0,
        aliases: Vec::new(),
        inherited: Vec::new(),
        tables: Vec::new(),
        compat_qeasy: false,
        steps: None,
        lost_steps: Vec::new(),
        in_step: None,
        step_each: None,
        line_steps: Vec::new(),
        inherits_of: None,
        on_push: false,
        row_place: TreePlace::ROW,
        target_place: TreePlace::TARGET,
        document_place: TreePlace::DOCUMENT,
        zone: TimeZone::UTC,
    };
    keys::walk(&root, &SCHEME, file, &mut reader.diags);
    let plan = reader.plan(&root);
    let mut diagnostics = reader.diags;
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    // Two keys that are missing are two problems at one place; the same thing seen twice is one.
    diagnostics.dedup_by(|one, other| {
        one.entry.code == other.entry.code && one.span == other.span && one.facts == other.facts
    });
    let good = !diagnostics.iter().any(Diagnostic::is_error);
    Compiled {
        plan: plan.filter(|_| good),
        diagnostics,
    }
}

/// Reads the parts of one file. A part that cannot be read was complained about; the others are still read.
pub(crate) struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    registry: &'a Registry,
    env: &'a dyn Environment,
    diags: Vec<Diagnostic>,
    /// Errors in values, see [`Compile::faults`].
    faults: usize,
    aliases: Vec<(String, String)>,
    /// The places of the rows that people do not see in the scheme whose stored rows they are.
    inherited: Vec<Path>,
    tables: Vec<(String, Option<Table>)>,
    compat_qeasy: bool,
    /// The steps whose results may be read where something is compiled; `None` where there are none.
    steps: Option<Vec<String>>,
    /// Steps that were complained about: that they are read is no second problem.
    lost_steps: Vec<String>,
    /// It is the document of this step that is read.
    in_step: Option<String>,
    /// and it is made for each line of this list.
    step_each: Option<Path>,
    /// Steps that are made once for each line: they came to several things.
    line_steps: Vec<String>,
    /// Its `on_unknown` is the target's, whose own document is proven so: it holds for what is proven alike.
    inherits_of: Option<Proof>,
    /// The scheme runs when something is sent to it.
    on_push: bool,
    /// What `derive`, `keep` and `void` may read.
    row_place: TreePlace,
    /// What options and `let` of the target may read,
    target_place: TreePlace,
    /// and its document.
    document_place: TreePlace,
    zone: TimeZone,
}

impl Reader<'_> {
    fn plan(&mut self, root: &Node) -> Option<Plan> {
        let head = self.head(root);
        let source_node = root
            .get("source")
            .map(|pair| &pair.value)
            .filter(|node| node.map().is_some());
        self.on_push = Self::is_on_push(root);
        let fed = source_node.is_some_and(|node| node.get("scheme").is_some());
        let connector = source_node
            .filter(|_| !fed)
            .and_then(|node| self.connection(node));
        self.zone = self.zone_of(root, connector.as_deref());
        self.read_tables(root);
        let tests = self.read_tests(root, &self.sampled(source_node, connector.as_deref()));
        let source = source_node.and_then(|node| self.source(root, node, connector.clone(), &tests));
        let columns = source.as_ref().and_then(|source| source.columns.clone());
        let target_node = root
            .get("target")
            .map(|pair| &pair.value)
            .filter(|node| node.map().is_some());
        let source = match source_node.filter(|_| fed) {
            Some(node) => source.and_then(|source| self.fed(root, node, source)),
            None => source,
        };
        if let Some(source) = &source {
            self.inherited.clone_from(&source.plan.hidden);
        }
        let stores_only = root
            .get("target")
            .is_some_and(|pair| text_of(&pair.value) == Some("none"));
        let mut target = target_node.and_then(|node| self.target(node, columns.clone()));
        if let (Some(node), Some(target)) = (target_node, &mut target) {
            target.emit = self.emit(root, node, columns.as_ref(), target);
        }
        if let Some(node) = target_node {
            self.vanished(node);
        }
        let has_window = source.as_ref().is_some_and(|source| !source.plan.window.none);
        let schedule = self.schedule(root, connector.as_deref(), has_window);
        let hidden = target.as_ref().map_or_else(
            || self.inherited.clone(),
            |target| target.sensitive_source.clone(),
        );
        let publish = self.publish(root, columns.as_ref(), &hidden);
        // What look-ups of other schemes find must not hang on a sample that is there or not.
        let known = columns
            .as_ref()
            .filter(|columns| !columns.is_unsure())
            .map(Columns::texts);
        let mut source = source?.plan;
        match &target {
            Some(target) => {
                source.reads = match &target.aggregate {
                    Some(aggregate) => aggregate.reads(),
                    None => reads_of(target, &source),
                }
            }
            None if stores_only => source.reads = vec![Path::names(Vec::<String>::new())],
            None => return None,
        }
        if let (Some(node), Some(target)) = (target_node, &target) {
            self.key_of_the_clock(node, target);
            self.aggregate_rules(root, node, &source, target);
            self.header_is_sensitive(node, target);
        }
        if let Some(node) = source_node {
            self.label_is_sensitive(node, source.label.as_ref(), &hidden);
        }
        let rows = target.as_ref().filter(|target| target.aggregate.is_none());
        source.each = lists_gone_through(rows, &source);
        let two_way = self.two_way(root, &source, target.as_ref(), columns.as_ref());
        let looks_up = looks_up(&source, target.as_ref());
        self.check_aliases(root, &looks_up);
        let field_tables = field_tables(&source, target.as_ref());
        let tests = self.resolve_tests(root, tests, &looks_up, &field_tables);
        self.steps_of_tests(root, target.as_ref());
        let recordings = self.read_recordings(root);
        let hash = Sha256::digest(self.file.text.as_bytes());
        Some(Plan {
            scheme: head.scheme?,
            name: head.name,
            uuid: head.uuid,
            aliases: self.aliases.clone(),
            enabled: head.enabled,
            zone: self.zone.clone(),
            revision: hex(&hash[..6]),
            source,
            target,
            schedule,
            priority: self.priority(root),
            brakes: self.brakes(root),
            retry: self.retry(root),
            publish,
            two_way,
            tests,
            recordings,
            retention_ms: root
                .get("retention")
                .and_then(|pair| keys::duration_ms(text_of(&pair.value)?)),
            looks_up,
            field_tables,
            columns: known,
        })
    }

    /// Whether it is known what is looked up: no value, and no alias, has a problem.
    pub(crate) fn lookups_are_known(&self) -> bool {
        let unsure = |code: &str| {
            code.starts_with("E12") || code.starts_with("E13") || code == words::ALIAS_UNKNOWN.code
        };
        !self.diags.iter().any(|diagnostic| unsure(diagnostic.entry.code))
    }

    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.diags.push(diagnostic);
    }

    pub(crate) fn problem(&self, entry: &'static Entry, span: Range<usize>) -> Diagnostic {
        Diagnostic::new(entry, self.file, span)
    }

    /// The connection that a part names.
    pub(crate) fn connection(&mut self, node: &Node) -> Option<Arc<dyn ConnectorFacts>> {
        let pair = node.get("connection")?;
        let name = text_of(&pair.value)?;
        match self.env.connection(name) {
            Ok(facts) => Some(facts),
            Err(near) => {
                self.report(
                    self.problem(&words::UNKNOWN_CONNECTION, pair.value.span.clone())
                        .with("name", name)
                        .with("all", listed(&near.all))
                        .similar(nearest(name, near)),
                );
                None
            }
        }
    }

    /// The operation that a node names.
    pub(crate) fn operation(
        &mut self,
        connector: Option<&Arc<dyn ConnectorFacts>>,
        node: &Node,
    ) -> Option<Arc<OperationFacts>> {
        let (connector, api) = (connector?, text_of(node)?);
        match connector.operation(api) {
            Ok(operation) => Some(operation),
            Err(near) => {
                self.report(
                    self.problem(&words::UNKNOWN_API, node.span.clone())
                        .with("connector", connector.id())
                        .with("name", api)
                        .with("all", listed(&near.all))
                        .similar(nearest(api, near)),
                );
                None
            }
        }
    }

    /// The operation that a node writes itself, over the one that `api` names or whole; `None` when it writes none, or
    /// one with problems.
    pub(crate) fn own_operation(
        &mut self,
        connector: Option<&Arc<dyn ConnectorFacts>>,
        node: &Node,
    ) -> Option<(OwnOperation, Arc<OperationFacts>)> {
        let written = node.get("operation")?;
        let base = match node.get("api") {
            Some(api) if api.value.scalar().is_none() => {
                let problem = self.problem(&words::OPERATION_OF_SEVERAL, written.key_span.clone());
                self.report(problem);
                return None;
            }
            // A name that leads nowhere is complained about once.
            Some(api) => Some(self.operation(connector, &api.value)?.name.clone()),
            None => None,
        };
        let own = OwnOperation {
            base,
            node: written.value.clone(),
            file: Arc::clone(self.file),
        };
        match connector?.own_operation(&own, self.registry) {
            Ok(facts) => Some((own, facts)),
            Err(problems) => {
                self.diags.extend(problems);
                None
            }
        }
    }

    /// Runs a compiler of trees and takes over what it complains about.
    pub(crate) fn compile<T>(
        &mut self,
        place: TreePlace,
        columns: Option<&Columns>,
        lets: Option<Vec<String>>,
        run: impl FnOnce(&mut Compile<'_>) -> T,
    ) -> T {
        let aliases = self.aliases.clone();
        let env = self.env;
        let schemes = move |name: &str| resolve(env, &aliases, name);
        let mut cx = Compile::new(self.file, self.registry, place);
        cx.columns = columns.cloned();
        cx.lets = lets;
        cx.steps.clone_from(&self.steps);
        if let Some(steps) = &mut cx.steps {
            steps.extend(self.lost_steps.iter().cloned());
        }
        cx.line_steps.clone_from(&self.line_steps);
        cx.each.extend(self.step_each.clone().map(Around::unkeyed));
        cx.schemes = Some(&schemes);
        cx.tables = self.tables.clone();
        cx.compat_qeasy = self.compat_qeasy;
        cx.faults = self.faults;
        let result = run(&mut cx);
        self.faults = cx.faults;
        let found = std::mem::take(&mut cx.diags);
        drop(cx);
        self.diags.extend(found);
        result
    }
}

/// A scheme by its alias in this file, or by what it is called elsewhere. An alias that leads nowhere is complained
/// about where it is written, once, and not at each look-up.
pub(crate) fn resolve(
    env: &dyn Environment,
    aliases: &[(String, String)],
    name: &str,
) -> Result<SchemeFacts, NotFound> {
    match aliases.iter().find(|(alias, _)| alias == name) {
        Some((_, id)) => Ok(env.scheme(id).unwrap_or(SchemeFacts {
            id: id.clone(),
            columns: None,
            saved: Vec::new(),
            given: None,
            after: None,
            hidden: None,
        })),
        None => env.scheme(name).map_err(|near| NotFound {
            similar: nearest(name, near),
            all: Vec::new(),
        }),
    }
}

/// What documents are made of: that of a target, and those of its steps.
fn trees_of(target: &crate::plan::TargetPlan) -> Vec<&Tree> {
    let mut trees = Vec::new();
    for document in target.documents() {
        trees.extend(document.lets.iter().map(|(_, tree)| tree));
        trees.extend([&document.options, &document.request]);
    }
    trees
}

/// What the target reads of a row.
fn reads_of(target: &crate::plan::TargetPlan, source: &crate::plan::SourcePlan) -> Vec<Path> {
    let mut trees = trees_of(target);
    trees.extend(target.saves.iter().map(|(_, tree)| tree));
    trees.extend(target.emit.iter().map(|emit| &emit.row));
    let steps = target.steps.iter();
    let mut reads: Vec<Path> = trees
        .iter()
        .copied()
        .chain(steps.clone().map(|step| &step.options))
        .flat_map(|tree| tree.reads().iter().cloned())
        .chain(steps.filter_map(|step| step.when.as_ref()).flat_map(Cond::reads))
        .collect();
    if trees.iter().any(|tree| tree.mentions("$label")) {
        reads.extend(source.label.clone());
    }
    let lines = target.documents().filter_map(|document| document.each.as_ref());
    reads.extend(lines.flat_map(crate::plan::StepEach::reads));
    reads.sort();
    reads.dedup();
    reads
}

/// The lists of a row that the target, or a field of its own, goes through, an outer one before those in it.
fn lists_gone_through(
    target: Option<&crate::plan::TargetPlan>,
    source: &crate::plan::SourcePlan,
) -> Vec<Path> {
    let trees = target.into_iter().flat_map(trees_of);
    let own = source.derive.iter().map(|(_, tree)| tree);
    let mut lists: Vec<Path> = trees.chain(own).flat_map(Tree::lists).collect();
    let documents = target.into_iter().flat_map(crate::plan::TargetPlan::documents);
    lists.extend(documents.filter_map(|document| Some(document.each.as_ref()?.list.clone())));
    lists.sort_by_key(|path| path.segments().len());
    lists.dedup();
    lists
}

/// Everything that is looked up.
fn specs<'p>(
    source: &'p crate::plan::SourcePlan,
    target: Option<&'p crate::plan::TargetPlan>,
) -> Vec<&'p LookupSpec> {
    let mut trees: Vec<&Tree> = vec![&source.options];
    trees.extend(&source.request);
    trees.extend(&source.window.proposal_start);
    trees.extend(&source.window.proposal_end);
    if let Some(target) = target {
        trees.extend(trees_of(target));
    }
    trees.iter().flat_map(|tree| tree.lookups()).flatten().collect()
}

/// The field mappings that are read, by the names of their tables.
fn field_tables(
    source: &crate::plan::SourcePlan,
    target: Option<&crate::plan::TargetPlan>,
) -> Vec<(String, FieldTable)> {
    let mut found: Vec<(String, FieldTable)> = Vec::new();
    for spec in specs(source, target) {
        if let Within::Fields(table) = &spec.within
            && !found.iter().any(|(name, _)| *name == spec.scheme)
        {
            found.push((spec.scheme.clone(), (**table).clone()));
        }
    }
    found
}

/// The schemes that are looked up, and the fields by which and for which.
fn looks_up(
    source: &crate::plan::SourcePlan,
    target: Option<&crate::plan::TargetPlan>,
) -> Vec<(String, Vec<Path>)> {
    let mut found: Vec<(String, Vec<Path>)> = Vec::new();
    let of_schemes = |spec: &&LookupSpec| !matches!(spec.within, Within::Fields(_));
    for spec in specs(source, target).into_iter().filter(of_schemes) {
        let at = match found.iter().position(|(scheme, _)| *scheme == spec.scheme) {
            Some(at) => at,
            None => {
                found.push((spec.scheme.clone(), Vec::new()));
                found.len() - 1
            }
        };
        for path in spec.by.iter().chain([&spec.get]) {
            if !found[at].1.contains(path) {
                found[at].1.push(path.clone());
            }
        }
    }
    found
}

/// The text of a scalar that is not null.
pub(crate) fn text_of(node: &Node) -> Option<&str> {
    keys::text(node)
}

/// The text of a member.
pub(crate) fn member<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.get(key).and_then(|pair| text_of(&pair.value))
}

/// The names that are near: those the environment gave, else by spelling.
pub(crate) fn nearest(name: &str, near: NotFound) -> Vec<String> {
    if near.similar.is_empty() {
        did_you_mean(name, near.all.iter().map(String::as_str))
    } else {
        near.similar
    }
}

/// A list of names for a message, not longer than a line or two.
pub(crate) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    const MOST: usize = 12;
    let mut shown: Vec<&str> = names.iter().map(AsRef::as_ref).take(MOST).collect();
    if names.len() > MOST {
        shown.push("…");
    }
    if shown.is_empty() {
        "-".to_owned()
    } else {
        shown.join(" ")
    }
}
