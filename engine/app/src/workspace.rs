//! The files of a command: connections.yaml, the connectors, and the schemes of a folder that look-ups may name.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::ThreadId;

use connector::connections::{self, Connections};
use connector::{Connection, Connector, Samples, Secrets};
use dsl::builtin::Registry;
use dsl::catalogue::files;
use dsl::diagnostic::{Diagnostic, Failure, SourceFile};
use dsl::facts::{
    ConnectorFacts, Environment, NotFound, OperationFacts, SchemeFacts, SchemeLinks, TableFault, TableFile,
};
use dsl::plan::Plan;
use dsl::scheme::{Compiled, compile_scheme};
use ledger::room::Room;

use crate::error::AppError;
use crate::failpoint::Failpoint;
use crate::mapping::Policies;
use crate::objects::{self, Objects};
use crate::query;
use crate::samples;
use crate::secrets::{SecretPlaces, StoredSecrets};
use crate::systems;
use crate::tables;

/// Documents that were sent are kept for a quarter: until the books of its last month are closed.
const KEEP: i64 = 90 * 86_400_000;

/// Scheme files of one folder that are looked at; a folder with more is not a folder of schemes.
const MAX_SCHEMES: usize = 20_000;

/// Where files are, and which environment is meant.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// `--connections`.
    pub connections: Option<PathBuf>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--env`; `default` when absent.
    pub env: Option<String>,
    /// Bounds of the space that the ledger takes and leaves.
    pub room: Room,
    /// How long documents that were sent are kept after their record is done, in milliseconds; `None` = 90 days.
    pub keep_ms: Option<i64>,
    /// Where a trial lets the process fail.
    pub failpoint: Option<Arc<Failpoint>>,
    /// Where the secret store and its key are.
    pub secrets: SecretPlaces,
}

/// The simulators of `--sandbox`: parameters per connector id. No host or secret of connections.yaml is used then.
#[derive(Debug, Clone, Default)]
pub struct Simulators {
    /// Connector id -> parameter -> value.
    pub params: BTreeMap<String, BTreeMap<String, String>>,
    /// How late a simulator may execute what we gave up.
    pub quiet_period_ms: i64,
}

/// A scheme file of the folder, as far as others need it.
struct Indexed {
    file: Arc<SourceFile>,
    id: String,
    /// The scheme that it runs after, as it names it.
    after: Option<String>,
    /// The scheme whose rows are its source, as it names it.
    takes_from: Option<String>,
    /// The scheme that it gives rows, as it names it.
    gives_to: Option<String>,
    /// The connection that it reads, or writes where it reads none.
    connection: Option<String>,
}

/// Everything a command knows of its files.
pub struct Workspace {
    registry: Registry,
    connectors: Vec<Arc<Connector>>,
    connections: Option<Connections>,
    connections_path: Option<PathBuf>,
    /// Where a connections file was looked for.
    looked_in: Vec<String>,
    objects: Objects,
    schemes: Vec<Indexed>,
    /// Which of them have an id or another name.
    named: HashMap<String, Vec<usize>>,
    /// Plans of the folder's other schemes, compiled when asked for. `None` = does not compile.
    plans: Mutex<BTreeMap<String, Option<Arc<Plan>>>>,
    /// What each thread is compiling: who looks itself up is not known meanwhile.
    compiling: Mutex<HashSet<(ThreadId, String)>>,
    places: Places,
    simulators: Option<Simulators>,
    secrets: Box<dyn Secrets>,
    /// Rows that connections gave once, by connection; `None` until somebody looks: a run needs none.
    samples: Option<BTreeMap<String, Samples>>,
    /// Made when a mapping is asked for.
    policies: OnceLock<Policies>,
    /// The files of tables that schemes asked for, whether they are there or not.
    table_files: Mutex<BTreeSet<PathBuf>>,
    /// What keeps objects from being used, made when it is asked for.
    object_troubles: OnceLock<BTreeMap<String, AppError>>,
}

impl Workspace {
    /// Finds the files that belong to a scheme file or a folder of schemes.
    pub fn load(
        around: &Path,
        mut places: Places,
        simulators: Option<Simulators>,
        secrets: Box<dyn Secrets>,
    ) -> Result<Self, AppError> {
        if simulators.is_some() {
            // Its own name for them; of connections.yaml the default is meant.
            places.env.take_if(|env| env == query::SANDBOX);
        }
        let registry = functions::registry();
        let folder = if around.is_dir() { around } else { parent(around) };
        let connections_path = find_connections(folder, places.connections.as_deref())?;
        let connectors = systems::connectors(connections_path.as_deref().map(parent), &registry)?;
        let connections = match &connections_path {
            Some(path) => {
                Some(connections::load(&read(path)?, &connectors, &registry).map_err(AppError::Invalid)?)
            }
            None => None,
        };
        if let Some(env) = &places.env {
            query::environment_dir(Path::new("."), env)?;
            if let Some(connections) = &connections {
                known_environment(connections, env)?;
            }
        }
        let secrets = StoredSecrets::new(secrets, &places.secrets, connections_path.as_deref());
        let mut workspace = Workspace {
            registry,
            connectors,
            connections,
            looked_in: connections_places(folder)
                .iter()
                .map(|path| plain(path))
                .collect(),
            objects: Objects::load(&objects::folder(connections_path.as_deref(), folder))?,
            connections_path,
            schemes: Vec::new(),
            named: HashMap::new(),
            plans: Mutex::default(),
            compiling: Mutex::default(),
            places,
            simulators,
            secrets: Box::new(secrets),
            samples: None,
            policies: OnceLock::new(),
            table_files: Mutex::default(),
            object_troubles: OnceLock::new(),
        };
        workspace.index(folder)?;
        Ok(workspace)
    }

    /// The same for whoever only looks and calls nobody: `--env sandbox` means what simulators left, as `--sandbox` does.
    pub fn look(around: &Path, places: Places, secrets: Box<dyn Secrets>) -> Result<Self, AppError> {
        let is_theirs = places.env.as_deref() == Some(query::SANDBOX);
        let simulators = is_theirs.then(Simulators::default);
        Workspace::load(around, places, simulators, secrets)
    }

    /// The function registry.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The name of the environment.
    pub fn environment(&self) -> &str {
        match (&self.simulators, &self.places.env) {
            (Some(_), _) => "sandbox",
            (None, Some(env)) => env,
            (None, None) => "default",
        }
    }

    /// Where a trial lets the process fail.
    pub(crate) fn failpoint(&self) -> Option<Arc<Failpoint>> {
        self.places.failpoint.clone()
    }

    /// Whether simulators stand in for the systems.
    pub fn is_simulated(&self) -> bool {
        self.simulators.is_some()
    }

    /// How long documents that were sent are kept, in milliseconds.
    pub fn keep_ms(&self) -> i64 {
        self.places.keep_ms.unwrap_or(KEEP)
    }

    /// Bounds of the space that the ledger takes and leaves.
    pub fn room(&self) -> Room {
        self.places.room
    }

    /// Where the ledger of the environment is: `.engine/<env>/` beside connections.yaml.
    pub fn data_dir(&self) -> PathBuf {
        let base = match (&self.places.data_dir, &self.connections_path) {
            (Some(dir), _) => return dir.clone(),
            (None, Some(path)) => parent(path).to_owned(),
            (None, None) => PathBuf::from("."),
        };
        // An environment is known by the time its files are: this name is safe.
        base.join(".engine").join(self.environment())
    }

    /// The connections file found.
    pub fn connections_path(&self) -> Option<&Path> {
        self.connections_path.as_deref()
    }

    /// The connectors known.
    pub fn connectors(&self) -> &[Arc<Connector>] {
        &self.connectors
    }

    /// The objects that are declared.
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// What keeps objects from being used: their files, or what these say of connections and schemes.
    pub fn object_troubles(&self) -> &BTreeMap<String, AppError> {
        self.object_troubles.get_or_init(|| objects::troubles(self))
    }

    /// The ids of the schemes of the folder.
    pub fn scheme_ids(&self) -> impl Iterator<Item = &str> {
        self.schemes.iter().map(|indexed| indexed.id.as_str())
    }

    /// The connections of the file found.
    pub fn connections(&self) -> Option<&Connections> {
        self.connections.as_ref()
    }

    /// The connections of the file found; an error that says where it was looked for when there is none.
    pub fn connections_there(&self) -> Result<&Connections, AppError> {
        let places = self.looked_in.join(", ");
        self.connections.as_ref().ok_or_else(|| {
            AppError::wrong_use(
                format!("没有 connections.yaml;找过:{places}"),
                format!("there is no connections.yaml; looked for: {places}"),
            )
        })
    }

    /// The environment of connections.yaml that is meant, also where simulators stand in for the systems.
    pub fn connections_env(&self) -> &str {
        self.places.env.as_deref().unwrap_or(connections::DEFAULT_ENV)
    }

    /// What references stand for.
    pub(crate) fn secrets(&self) -> &dyn Secrets {
        self.secrets.as_ref()
    }

    /// The references of a connection that lead nowhere: parameter and reference, never a value. Simulators need none.
    pub fn open_references(&self, name: &str) -> Vec<(String, String)> {
        match (&self.connections, &self.simulators) {
            (Some(connections), None) => {
                connections.open_references(name, self.environment(), self.secrets.as_ref())
            }
            _ => Vec::new(),
        }
    }

    /// Refuses when references of these connections lead nowhere: one alone in its own words, several together, so
    /// that nobody sets one variable after the other.
    pub fn secrets_are_there(&self, names: &[&String]) -> Result<(), AppError> {
        let (Some(connections), None) = (&self.connections, &self.simulators) else {
            return Ok(());
        };
        let mut missing: Vec<(&str, String, String)> = Vec::new();
        for name in names {
            let open = connections.open_references(name, self.environment(), self.secrets.as_ref());
            missing.extend(
                open.into_iter()
                    .map(|(param, reference)| (name.as_str(), param, reference)),
            );
        }
        if let (false, Some(problem)) = (missing.is_empty(), self.secrets.problem()) {
            return Err(problem.into());
        }
        // One is told by `resolve`, with the line to type.
        if missing.len() < 2 {
            return Ok(());
        }
        let list: Vec<String> = missing
            .iter()
            .map(|(connection, param, reference)| format!("{connection}.{param} {reference}"))
            .collect();
        Err(Failure::new(&dsl::catalogue::auth::SECRETS_MISSING)
            .with("count", missing.len())
            .with("list", list.join(", "))
            .into())
    }

    /// Refuses a connection that is for the simulator only, where there is none.
    pub fn may_be_called(&self, name: &str) -> Result<(), AppError> {
        let (Some(connections), None) = (&self.connections, &self.simulators) else {
            return Ok(());
        };
        if connections.is_sandbox(name, self.connections_env()) {
            return Err(AppError::wrong_use(
                format!("连接 `{name}` 只用模拟器(sandbox: true);加上 --sandbox"),
                format!("the connection `{name}` is for the simulator only (sandbox: true); add --sandbox"),
            ));
        }
        Ok(())
    }

    /// A connection with its parameters; secrets are read here and only here.
    pub fn resolve(&self, name: &str) -> Result<Connection, AppError> {
        let Some(connections) = &self.connections else {
            return Err(unknown_connection(name).into());
        };
        let Some(simulators) = &self.simulators else {
            self.may_be_called(name)?;
            return Ok(connections.resolve(name, self.environment(), self.secrets.as_ref())?);
        };
        let id = connections.connector(name).map_or("", |connector| connector.id());
        let params = simulators.params.get(id).ok_or_else(|| {
            AppError::wrong_use(
                format!("连接器 `{id}` 没有模拟器,--sandbox 不会改用真实系统"),
                format!(
                    "connector `{id}` has no simulator; --sandbox never falls through to the real system"
                ),
            )
        })?;
        // What the file says of the environment chosen (the way to log in, a language) stays; hosts and secrets do not.
        let env = self.places.env.as_deref().unwrap_or(connections::DEFAULT_ENV);
        let mut connection = connections.resolve_sandbox(name, env, params)?;
        connection.quiet_period_ms = Some(simulators.quiet_period_ms);
        Ok(connection)
    }

    /// The connections to systems of one kind, each by its name, or why it cannot be used.
    pub fn resolved(&self, connector: &str) -> Vec<(String, Result<Connection, AppError>)> {
        let Some(connections) = &self.connections else {
            return Vec::new();
        };
        let is_one = |name: &&str| connections.connector(name).is_some_and(|of| of.id() == connector);
        let found = connections.names().filter(is_one);
        found.map(|name| (name.to_owned(), self.resolve(name))).collect()
    }

    /// The data centres that connections name, sorted.
    pub fn data_centers(&self) -> Vec<String> {
        let Some(connections) = &self.connections else {
            return Vec::new();
        };
        let named = |name: &str| {
            let named = match self.resolve(name) {
                Ok(connection) => connection.plain_param("data_center"),
                // Without its secrets it still has a name.
                Err(_) => connections
                    .unresolved(name, self.connections_env())
                    .ok()?
                    .plain_param("data_center"),
            };
            named.filter(|name| !name.is_empty())
        };
        let all: std::collections::BTreeSet<String> = connections.names().filter_map(named).collect();
        all.into_iter().collect()
    }

    /// What keeps a connection from being used in this environment, as far as that can be known without secrets.
    pub fn check_connection(&self, name: &str) -> Vec<Diagnostic> {
        let env = self.places.env.as_deref().unwrap_or(connections::DEFAULT_ENV);
        self.connections
            .as_ref()
            .map(|connections| connections.check(name, env))
            .unwrap_or_default()
    }

    /// Compiles one scheme file. Warnings come with the plan.
    pub fn compile(&self, path: &Path) -> Result<(Arc<Plan>, Vec<Diagnostic>), AppError> {
        let file = read(path)?;
        let compiled = self.compiled(&file);
        match compiled.plan {
            Some(plan) => Ok((Arc::new(plan), compiled.diagnostics)),
            None => Err(AppError::Invalid(compiled.diagnostics)),
        }
    }

    /// The file of the scheme with this id, in the folder that was loaded.
    pub fn file_of(&self, scheme: &str) -> Option<PathBuf> {
        let found = self.called(scheme).find(|indexed| indexed.id == scheme)?;
        Some(PathBuf::from(&found.file.name))
    }

    /// The text of the scheme with this id, as it was read from the folder.
    pub fn text_of(&self, scheme: &str) -> Option<&Arc<SourceFile>> {
        let found = self.schemes.iter().find(|indexed| indexed.id == scheme)?;
        Some(&found.file)
    }

    /// Every problem of one scheme file.
    pub fn check(&self, file: &Arc<SourceFile>) -> (Option<Plan>, Vec<Diagnostic>) {
        let compiled = self.compiled(file);
        (compiled.plan, compiled.diagnostics)
    }

    /// What the file says, and what only the folder around it knows.
    fn compiled(&self, file: &Arc<SourceFile>) -> Compiled {
        let mut compiled = compile_scheme(file, self, &self.registry);
        if self.connections.is_none() {
            for problem in &mut compiled.diagnostics {
                if problem.entry == &dsl::catalogue::scheme::UNKNOWN_CONNECTION {
                    problem.entry = &files::NO_CONNECTIONS;
                    problem.facts.push(("places", self.looked_in.join(", ")));
                }
            }
        }
        let mut further = self.doubles(file);
        if !self.objects.broken().is_empty()
            && let Some(node) = dsl::yaml::read_all(file).node
        {
            further.extend(objects::named_in_error(&self.objects, &node, file));
        }
        if let Some(plan) = &compiled.plan {
            further.extend(crate::two_way::problems(self, file, plan));
            further.extend(objects::told(&self.objects, file, plan));
        }
        if further.iter().any(Diagnostic::is_error) {
            compiled.plan = None;
        }
        compiled.diagnostics.extend(further);
        compiled
    }

    /// The other schemes of the folder that have an identity of this one: they would share its ledger.
    fn doubles(&self, file: &Arc<SourceFile>) -> Vec<Diagnostic> {
        let Some(node) = dsl::yaml::read_all(file).node else {
            return Vec::new();
        };
        let is_other = |other: &Indexed| {
            let path = |name: &str| Path::new(name).canonicalize().ok();
            other.file.name != file.name && path(&other.file.name) != path(&file.name)
        };
        let mut problems = Vec::new();
        for key in ["scheme", "uuid"] {
            let Some(pair) = node.get(key) else { continue };
            let Some(name) = pair.value.scalar().map(|scalar| scalar.text.as_str()) else {
                continue;
            };
            let same = self.called(name).find(|other| is_other(other));
            problems.extend(same.map(|other| {
                Diagnostic::new(&files::DOUBLE, file, pair.value.span.clone())
                    .with("name", name)
                    .with("other", plain(Path::new(&other.file.name)))
            }));
        }
        problems
    }

    /// The files of tables that the schemes read so far asked for.
    pub(crate) fn table_files(&self) -> Vec<PathBuf> {
        locked(&self.table_files).iter().cloned().collect()
    }

    /// The schemes that feed the look-ups of a plan, feeders first.
    pub fn feeders(&self, plan: &Plan) -> Vec<Arc<Plan>> {
        let mut order = Vec::new();
        let mut seen = BTreeSet::from([plan.scheme.clone()]);
        self.collect_feeders(plan, &mut seen, &mut order);
        order
    }

    fn collect_feeders(&self, plan: &Plan, seen: &mut BTreeSet<String>, order: &mut Vec<Arc<Plan>>) {
        for (scheme, _) in &plan.looks_up {
            if seen.insert(scheme.clone())
                && let Some(feeder) = self.plan_of(scheme)
            {
                self.collect_feeders(&feeder, seen, order);
                order.push(feeder);
            }
        }
    }

    /// The schemes of the folder, each with its plan if it compiles.
    pub(crate) fn plans(&self) -> impl Iterator<Item = (String, Option<Arc<Plan>>)> {
        self.schemes
            .iter()
            .map(|indexed| (indexed.id.clone(), self.plan_of(&indexed.id)))
    }

    /// What mappings call the schemes of the folder.
    pub fn policies(&self) -> &Policies {
        self.policies.get_or_init(|| Policies::of(self))
    }

    pub(crate) fn plan_of(&self, id: &str) -> Option<Arc<Plan>> {
        if let Some(known) = locked(&self.plans).get(id) {
            return known.clone();
        }
        // A scheme that looks itself up, over however many others, is not known while it is being compiled.
        let mine = (std::thread::current().id(), id.to_owned());
        if !locked(&self.compiling).insert(mine.clone()) {
            return None;
        }
        let plan = self
            .called(id)
            .find(|indexed| indexed.id == id)
            .and_then(|indexed| compile_scheme(&indexed.file, self, &self.registry).plan)
            .map(Arc::new);
        locked(&self.compiling).remove(&mine);
        locked(&self.plans).insert(id.to_owned(), plan.clone());
        plan
    }

    /// The schemes of the folder that have this id or another name like it.
    fn called<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Indexed> {
        let places = self.named.get(name).into_iter().flatten();
        places.filter_map(|place| self.schemes.get(*place))
    }

    /// Reads the samples beside connections.yaml, for checks and tests. Those that cannot be read are told and left
    /// aside.
    pub(crate) fn look_at_samples(&mut self) -> Vec<Diagnostic> {
        let mut known = BTreeMap::new();
        let mut problems = Vec::new();
        if let (Some(connections), Some(path)) = (&self.connections, &self.connections_path) {
            for name in connections.names() {
                let samples = samples::of_connection(parent(path), name, &mut problems);
                known.insert(name.to_owned(), samples);
            }
        }
        self.samples = Some(known);
        problems
    }

    /// The source fields that schemes of the folder mark as sensitive when they read this operation.
    pub(crate) fn sensitive_of(
        &self,
        connection: &str,
        operation: &OperationFacts,
    ) -> Result<Vec<dsl::Path>, AppError> {
        let mut marked = Vec::new();
        for indexed in &self.schemes {
            let Some(plan) = self.plan_of(&indexed.id) else {
                // Its marks would be lost without a word.
                if indexed.file.text.contains("$sensitive") {
                    let file = plain(Path::new(&indexed.file.name));
                    return Err(AppError::wrong_use(
                        format!("{file} 有错误,读不出它标为敏感($sensitive)的字段;先改正它"),
                        format!(
                            "{file} is in error, so the fields that it marks as $sensitive are not known; mend it first"
                        ),
                    ));
                }
                continue;
            };
            let reads = plan.source.connection == connection && plan.source.operation == operation.name;
            let paths = plan
                .target
                .as_ref()
                .filter(|_| reads)
                .map(|target| &target.sensitive_source);
            for path in paths.into_iter().flatten() {
                marked.push(path.clone());
                marked.extend(samples::as_fetched(path, plan.source.fields.as_deref()));
            }
        }
        Ok(marked)
    }

    /// Remembers the ids, uuids and aliases of the folder's schemes. A file that cannot be read as a scheme is left to
    /// `check`; it only cannot be looked up.
    fn index(&mut self, folder: &Path) -> Result<(), AppError> {
        let mut paths = yaml_files(folder)?;
        paths.truncate(MAX_SCHEMES);
        for path in paths {
            let Ok(file) = read(&path) else { continue };
            let Ok(node) = dsl::yaml::read(&file) else {
                continue;
            };
            let text = |key: &str| {
                node.get(key)
                    .and_then(|pair| pair.value.scalar())
                    .map(|scalar| scalar.text.clone())
            };
            if let Some(id) = text("scheme") {
                let names: Vec<String> = text("uuid").into_iter().collect();
                for name in std::iter::once(&id).chain(&names) {
                    self.named
                        .entry(name.clone())
                        .or_default()
                        .push(self.schemes.len());
                }
                let after = node.get("schedule").and_then(|pair| pair.value.get("after"));
                let after = after.and_then(|pair| pair.value.text()).map(str::to_owned);
                let below = |names: &[&str]| {
                    let mut at = &node;
                    for name in names {
                        at = &at.get(name)?.value;
                    }
                    at.text().map(str::to_owned)
                };
                // By what the file itself calls others.
                let meant = |name: String| below(&["aliases", &name]).unwrap_or(name);
                let takes_from = below(&["source", "scheme"]).map(meant);
                let gives_to = below(&["target", "on_success", "emit", "scheme"]).map(meant);
                self.schemes.push(Indexed {
                    file,
                    id,
                    after,
                    takes_from,
                    gives_to,
                    connection: below(&["source", "connection"]).or_else(|| below(&["target", "connection"])),
                });
            }
        }
        Ok(())
    }
}

impl Environment for Workspace {
    fn field_channels(&self) -> &'static [&'static str] {
        connector::FIELD_CHANNELS
    }

    fn field_types(&self) -> &'static [&'static str] {
        connector::FIELD_TYPES
    }

    fn connection(&self, name: &str) -> Result<Arc<dyn ConnectorFacts>, NotFound> {
        let Some(connections) = &self.connections else {
            return Err(NotFound::default());
        };
        let env = self.places.env.as_deref().unwrap_or(connections::DEFAULT_ENV);
        let connection = connections.unresolved(name, env)?;
        Ok(match &self.samples {
            Some(samples) => connection.facts_with(samples.get(name).cloned().unwrap_or_default()),
            None => connection.facts(),
        })
    }

    fn table_file(&self, scheme_file: &str, path: &str) -> Result<TableFile, TableFault> {
        let folder = parent(Path::new(scheme_file));
        // Also where it cannot be read: it may be put right.
        locked(&self.table_files).insert(folder.join(path));
        tables::read(folder, path)
    }

    fn object_row(&self, name: &str) -> Option<dsl::Value> {
        self.objects.get(name)?.whole_row()
    }

    fn links(&self, name: &str) -> Result<SchemeLinks, NotFound> {
        match self.called(name).next() {
            Some(indexed) => Ok(SchemeLinks {
                id: indexed.id.clone(),
                takes_from: indexed.takes_from.clone(),
                gives_to: indexed.gives_to.clone(),
                connection: indexed.connection.clone(),
            }),
            None => {
                let all: Vec<String> = self.schemes.iter().map(|indexed| indexed.id.clone()).collect();
                let similar = dsl::diagnostic::did_you_mean(name, all.iter().map(String::as_str));
                Err(NotFound { similar, all })
            }
        }
    }

    fn scheme(&self, name: &str) -> Result<SchemeFacts, NotFound> {
        match self.called(name).next() {
            Some(indexed) => {
                let plan = self.plan_of(&indexed.id);
                let saves = plan.as_ref().and_then(|plan| plan.target.as_ref());
                let saved = saves.map_or_else(Vec::new, |target| {
                    target.saves.iter().map(|(column, _)| column.clone()).collect()
                });
                let emit = saves.and_then(|target| target.emit.as_ref());
                let given = emit.map(|emit| {
                    emit.row
                        .members()
                        .iter()
                        .map(|(name, _)| (*name).to_owned())
                        .collect()
                });
                Ok(SchemeFacts {
                    id: indexed.id.clone(),
                    columns: plan.as_ref().and_then(|plan| plan.columns.clone()),
                    given,
                    saved,
                    after: indexed.after.clone(),
                    // No object has other hidden fields at another instant.
                    hidden: plan
                        .as_ref()
                        .map(|plan| crate::objects::hidden_of_rows(plan, &self.objects, 0)),
                })
            }
            None => {
                let all: Vec<String> = self.schemes.iter().map(|indexed| indexed.id.clone()).collect();
                let similar = dsl::diagnostic::did_you_mean(name, all.iter().map(String::as_str));
                Err(NotFound { similar, all })
            }
        }
    }
}

/// A panic under the lock left nothing half made: whole values are put in and taken out.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Secrets from a table: what the binary took from the environment and from secret files.
pub struct SecretTable {
    /// `${env:X}`.
    pub env: BTreeMap<String, String>,
    /// `${secret:x}`.
    pub secret: BTreeMap<String, String>,
}

impl Secrets for SecretTable {
    fn get(&self, kind: connector::SecretKind, name: &str) -> Option<String> {
        match kind {
            connector::SecretKind::Env => self.env.get(name).cloned(),
            connector::SecretKind::Secret => self.secret.get(name).cloned(),
        }
    }
}

/// Reads a text file of at most what the YAML reader would accept, and a byte more so that it can say so.
pub fn read(path: &Path) -> Result<Arc<SourceFile>, AppError> {
    use std::io::Read;
    const CAP: u64 = 4 << 20;
    let name = path.display().to_string();
    let fail = |what: String| AppError::File {
        path: name.clone(),
        what,
    };
    let file = std::fs::File::open(path).map_err(|error| fail(error.to_string()))?;
    let mut bytes = Vec::new();
    let size = file.metadata().map_err(|error| fail(error.to_string()))?.len();
    file.take(CAP)
        .read_to_end(&mut bytes)
        .map_err(|error| fail(error.to_string()))?;
    if size > CAP {
        // More than what was read: its own size is told.
        let file = SourceFile::new(&name, "");
        let problem = Diagnostic::new(&dsl::catalogue::yaml::TOO_LARGE, &file, 0..0)
            .with("size", size)
            .with("max", dsl::yaml::MAX_BYTES);
        return Err(AppError::Invalid(vec![problem]));
    }
    dsl::yaml::decode(&name, bytes).map_err(AppError::Invalid)
}

/// The YAML files of a folder, sorted; sub-folders are folders of their own.
pub fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>, AppError> {
    let fail = |error: std::io::Error| AppError::File {
        path: folder.display().to_string(),
        what: error.to_string(),
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let is_yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        if is_yaml && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

pub(crate) fn find_connections(folder: &Path, given: Option<&Path>) -> Result<Option<PathBuf>, AppError> {
    if let Some(given) = given {
        return if given.is_file() {
            Ok(Some(given.to_owned()))
        } else {
            Err(AppError::File {
                path: given.display().to_string(),
                what: "not a file".to_owned(),
            })
        };
    }
    Ok(connections_places(folder).into_iter().find(|path| path.is_file()))
}

/// Where the connections of a folder of schemes may stand: beside them, above them, or here.
fn connections_places(folder: &Path) -> Vec<PathBuf> {
    let mut places = vec![
        folder.join("connections.yaml"),
        parent(folder).join("connections.yaml"),
    ];
    let here = PathBuf::from("connections.yaml");
    if !places.iter().any(|place| plain(place) == plain(&here)) {
        places.push(here);
    }
    places
}

/// A path as people write it.
fn plain(path: &Path) -> String {
    let text = path.display().to_string();
    text.strip_prefix("./").map(str::to_owned).unwrap_or(text)
}

/// Refuses an environment that no connection around a folder knows. A connections file that cannot be read says nothing.
pub fn knows_environment(around: &Path, places: &Places) -> Result<(), AppError> {
    let Some(env) = places.env.as_deref().filter(|env| *env != query::SANDBOX) else {
        return Ok(());
    };
    let Some(path) = find_connections(around, places.connections.as_deref())? else {
        return Ok(());
    };
    let registry = functions::registry();
    let connectors = systems::connectors(Some(parent(&path)), &registry)?;
    let read = read(&path)?;
    match connections::load(&read, &connectors, &registry) {
        Ok(connections) => known_environment(&connections, env),
        Err(_) => Ok(()),
    }
}

/// An environment that no connection knows is a slip: everything would run with the values of the default one, in a
/// ledger of its own.
fn known_environment(connections: &Connections, env: &str) -> Result<(), AppError> {
    let known = connections.environments();
    if env == connections::DEFAULT_ENV || known.contains(&env) {
        return Ok(());
    }
    let all = std::iter::once(connections::DEFAULT_ENV)
        .chain(
            known
                .iter()
                .copied()
                .filter(|name| *name != connections::DEFAULT_ENV),
        )
        .collect::<Vec<_>>();
    let near = dsl::diagnostic::did_you_mean(env, all.iter().copied()).join(", ");
    let (near_zh, near_en) = match near.as_str() {
        _ if env == query::SANDBOX => (
            ";模拟器用 --sandbox".to_owned(),
            "; the simulators are meant by --sandbox".to_owned(),
        ),
        "" => Default::default(),
        near => (format!(";是否想写 {near}?"), format!("; did you mean {near}?")),
    };
    Err(AppError::wrong_use(
        format!(
            "connections.yaml 里没有环境 `{env}`;可用:{}{near_zh}",
            all.join("、")
        ),
        format!(
            "no connection knows the environment `{env}`; there are {}{near_en}",
            all.join(", ")
        ),
    ))
}

/// The folder a path stands in; `.` for a bare name, `..` for `.`.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        _ if path == Path::new(".") => Path::new(".."),
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => Path::new(".."),
    }
}

/// A missing entry, told the way `check` tells it.
fn unknown_connection(name: &str) -> Failure {
    Failure::new(&dsl::catalogue::connector::UNKNOWN_CONNECTION).with("name", name)
}
