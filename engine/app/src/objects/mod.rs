//! The objects of a folder: files in `objects/` beside connections.yaml.

pub mod page;
pub mod serve;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use connector::Connection;
use dsl::catalogue::object as words;
use dsl::diagnostic::{Diagnostic, Failure, Lang, SourceFile, did_you_mean};
use dsl::lookup::Hits;
use dsl::object::{Object, Serve, Standard, read_object};
use dsl::path::{Path as Place, Segment};
use dsl::plan::Plan;
use dsl::tree::eval_value;
use dsl::value::{Map, Value};
use flow::ids::Ms;
use flow::op::Reason;

use crate::error::AppError;
use crate::scope::CallScope;
use crate::workspace::{Workspace, parent, read, yaml_files};

/// The folder.
pub(crate) const FOLDER: &str = "objects";
/// The parameter of a connection by which those are believed that call the ERP that we are.
const TOKEN: &str = "erp_token";
/// Files that are read; a folder with more is not a folder of objects.
const MAX_OBJECTS: usize = 2_000;

/// The objects that are declared, by name.
#[derive(Debug, Default, Clone)]
pub struct Objects {
    known: Vec<Declared>,
    broken: Vec<Broken>,
}

#[derive(Debug, Clone)]
struct Declared {
    file: Arc<SourceFile>,
    object: Arc<Object>,
}

/// An object whose file is in error. It keeps nothing from running that does not name it.
#[derive(Debug, Clone)]
pub struct Broken {
    /// Its name; that of its file where the file does not say.
    pub name: String,
    /// Its file.
    pub path: String,
    /// Why.
    pub error: AppError,
}

impl Objects {
    /// Reads the files of a folder; none where there is no such folder. A file in error is an object in error.
    pub(crate) fn load(folder: &Path) -> Result<Self, AppError> {
        let mut objects = Objects::default();
        for path in files(folder)? {
            let stem = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let broken = |name: String, error: AppError| Broken {
                name,
                path: path.display().to_string(),
                error,
            };
            let file = match read(&path) {
                Ok(file) => file,
                Err(error) => {
                    objects.broken.push(broken(stem, error));
                    continue;
                }
            };
            let (object, mut found) = read_object(&file);
            found.retain(Diagnostic::is_error);
            match object {
                Some(object) if found.is_empty() => objects.known.push(Declared {
                    file,
                    object: Arc::new(object),
                }),
                _ => {
                    let name = name_in(&file).unwrap_or(stem);
                    objects.broken.push(broken(name, AppError::Invalid(found)));
                }
            }
        }
        objects
            .known
            .sort_by(|one, other| one.object.name.cmp(&other.object.name));
        objects.part_doubles();
        Ok(objects)
    }

    /// Which of two declarations is meant, nobody can know: both are in error.
    fn part_doubles(&mut self) {
        let all = std::mem::take(&mut self.known);
        for one in &all {
            let name = &one.object.name;
            let is_other = |other: &&Declared| other.object.name == *name && other.file.name != one.file.name;
            match all.iter().find(is_other) {
                None => self.known.push(one.clone()),
                Some(other) => self.broken.push(Broken {
                    name: name.clone(),
                    path: one.file.name.clone(),
                    error: AppError::Invalid(vec![double(&one.file, name, &other.file)]),
                }),
            }
        }
        // A file in error that says the same name.
        let is_broken = |name: &str| self.broken.iter().any(|broken| broken.name == name);
        let (broken, known): (Vec<_>, Vec<_>) = std::mem::take(&mut self.known)
            .into_iter()
            .partition(|one| is_broken(&one.object.name));
        self.known = known;
        for one in broken {
            let name = one.object.name.clone();
            let other = self.broken.iter().find(|broken| broken.name == name);
            let other = other.map(|broken| broken.path.clone()).unwrap_or_default();
            self.broken.push(Broken {
                path: one.file.name.clone(),
                error: AppError::Invalid(vec![double(&one.file, &name, &SourceFile::new(&other, ""))]),
                name,
            });
        }
    }

    /// Those whose files are in error.
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }

    /// Why the object of this name cannot be used, if its file is in error.
    pub fn broken_one(&self, name: &str) -> Option<&Broken> {
        self.broken.iter().find(|broken| broken.name == name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.known.iter().map(|one| &one.object)
    }

    /// The object of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Object>> {
        self.iter().find(|object| object.name == name)
    }

    /// The declared object that the options of a call name.
    pub(crate) fn meant(
        &self,
        connection: &Connection,
        operation: &str,
        options: &Map,
    ) -> Option<&Arc<Object>> {
        let name = options.get(connection.object_option(operation)?)?;
        self.get(&name.to_plain_text()?)
    }

    /// The names near one that is not there.
    pub fn near(&self, name: &str) -> Vec<String> {
        did_you_mean(name, self.iter().map(|object| object.name.as_str()))
    }

    /// Whether another system reads the rows of a scheme as those of an object.
    pub fn is_read(&self, scheme: &str) -> bool {
        let mut served = self.iter().filter_map(|object| object.serve.as_ref());
        served.any(|serve| serve.rows.as_deref() == Some(scheme))
    }

    /// Those for which we are the ERP at a connection.
    pub fn served<'a>(&'a self, connection: &'a str) -> impl Iterator<Item = (&'a Arc<Object>, &'a Serve)> {
        let served = self
            .iter()
            .filter_map(|object| Some((object, object.serve.as_ref()?)));
        served.filter(move |(_, serve)| serve.connection == connection)
    }
}

/// What keeps a row, or a document on its way, from being one of an object. Members beside those of the standard form
/// are the operation's. Nothing of a value at a hidden place is told. `pushed_as` is the header `id` that it came with.
pub(crate) fn misfit(
    object: &Object,
    document: &Value,
    is_row: bool,
    pushed_as: Option<&str>,
    hidden: &[Place],
) -> Option<Failure> {
    let mut told = document.clone();
    if let (Value::Map(members), false) = (&mut told, is_row) {
        members
            .retain(|name, _| matches!(name.as_str(), "objAPIName" | "masterFieldVal" | "detailFieldVals"));
        members
            .entry("objAPIName".to_owned())
            .or_insert_with(|| Value::from(object.name.as_str()));
    }
    let read = Standard::read(&told, is_row);
    let fits = |document: Standard| object.fits_hiding(&document, hidden).map(|()| document);
    let (entry, found) = match (read.and_then(fits), pushed_as) {
        (Err(found), _) => (&dsl::catalogue::erp::FIELDS, found),
        (Ok(document), Some(id)) => {
            let found = object.is_pushed_as_hiding(&document, id, hidden).err()?;
            (&dsl::catalogue::erp::OTHER_ID, found)
        }
        (Ok(_), None) => return None,
    };
    Some(
        Failure::new(entry)
            .with("object", &object.name)
            .with("why_zh", found.zh)
            .with("why_en", found.en),
    )
}

/// The places of a scheme's rows that nobody is shown: those of which sensitive values are made, and those that the
/// declared object of its rows calls sensitive.
pub(crate) fn hidden_of_rows(plan: &Plan, objects: &Objects, now: Ms) -> Vec<Place> {
    let target = plan.target.as_ref();
    let mut hidden = target.map_or_else(Vec::new, |target| target.sensitive_source.clone());
    hidden.extend(plan.source.hidden.iter().cloned());
    hidden.extend(called_sensitive(plan, objects, now));
    let mut known = std::collections::BTreeSet::new();
    hidden.retain(|place| known.insert(place.to_string()));
    hidden
}

/// What the declared object of a scheme's rows calls sensitive.
fn called_sensitive(plan: &Plan, objects: &Objects, now: Ms) -> Vec<Place> {
    let mut hidden = Vec::new();
    let scope = CallScope::new(&plan.source.zone, now);
    let options = match eval_value(&plan.source.options, &scope, &Hits::new()) {
        Ok(Some(Value::Map(options))) => options,
        // Options that cannot be made fail the run.
        Ok(_) | Err(_) => Map::new(),
    };
    // Which option names the object is the connector's to say; another one that is called as an object is would hide more.
    let named = options.values().filter_map(Value::as_text);
    for object in named.filter_map(|name| objects.get(name)) {
        let own = object.fields.iter().filter(|field| field.sensitive);
        hidden.extend(own.flat_map(|field| places(object, &field.name)));
        for detail in &object.details {
            for field in detail.fields.iter().filter(|field| field.sensitive) {
                let names = ["detailFieldVals", detail.name.as_str(), field.name.as_str()];
                hidden.extend([Place::names(names), Place::names([names[1], names[2]])]);
            }
        }
    }
    hidden
}

/// What a scheme would show to people, or give to another scheme, though the object of its rows calls it sensitive: by
/// `on_success`, by what tells its documents apart, by what its records are called.
pub(crate) fn told(objects: &Objects, file: &Arc<SourceFile>, plan: &Plan) -> Vec<Diagnostic> {
    let Some(target) = &plan.target else {
        return Vec::new();
    };
    let hidden = called_sensitive(plan, objects, 0);
    let node = dsl::yaml::read_all(file).node;
    let span = |keys: &[&str]| {
        let at = node.as_ref().and_then(|node| {
            keys.iter()
                .try_fold(node, |node, key| Some(&node.get(key)?.value))
        });
        at.map_or(0..0, |node| node.span.clone())
    };
    let saves = target.saves.iter().map(|(column, tree)| {
        let at = span(&["target", "on_success", "save", column]);
        (column.as_str(), tree, at)
    });
    let emit = target.emit.iter().map(|emit| {
        let at = span(&["target", "on_success", "emit", "row"]);
        ("row", &emit.row, at)
    });
    let is_hidden = |read: &Place| hidden.iter().any(|place| overlap(place, read));
    let given = saves
        .chain(emit)
        .filter(|(_, tree, _)| tree.reads().iter().any(is_hidden))
        .map(|(column, _, at)| {
            Diagnostic::new(&dsl::catalogue::scheme::SAVE_SENSITIVE, file, at).with("column", column)
        });
    let header = target.aggregate.iter().flat_map(|plan| &plan.header);
    let header = header.filter(|path| is_hidden(path)).map(|path| {
        let at = span(&["target", "aggregate", "header"]);
        Diagnostic::new(&dsl::catalogue::aggregate::HEADER_SENSITIVE, file, at).with("path", path)
    });
    let label = plan
        .source
        .label
        .iter()
        .filter(|path| is_hidden(path))
        .map(|path| {
            let at = span(&["source", "label"]);
            Diagnostic::new(&dsl::catalogue::scheme::LABEL_SENSITIVE, file, at).with("path", path)
        });
    let steps = target
        .steps
        .iter()
        .filter_map(|step| step.document.as_ref()?.each.as_ref());
    let lines = steps
        .flat_map(dsl::plan::StepEach::reads)
        .filter(|path| is_hidden(path))
        .map(|path| {
            let at = span(&["target", "steps"]);
            Diagnostic::new(&dsl::catalogue::scheme::LINE_KEY_SENSITIVE, file, at).with("path", path)
        });
    given.chain(header).chain(label).chain(lines).collect()
}

/// Whether one place is the other, or lies below it, in whatever line of a list.
fn overlap(one: &Place, other: &Place) -> bool {
    let named = |segment: &&Segment| matches!(segment, Segment::Name(_));
    let (one, other) = (one.segments().iter(), other.segments().iter());
    one.filter(named)
        .zip(other.filter(named))
        .all(|(one, other)| one == other)
}

/// The files of a folder of objects; none where it is not there.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>, AppError> {
    // One that is there and cannot be read is none that is not there: what is served would be withdrawn.
    match std::fs::symlink_metadata(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Ok(_) | Err(_) => {}
    }
    let paths = yaml_files(folder)?;
    if paths.len() > MAX_OBJECTS {
        return Err(AppError::File {
            path: folder.display().to_string(),
            what: format!("{} files, at most {MAX_OBJECTS}", paths.len()),
        });
    }
    Ok(paths)
}

/// The name that a file in error says, if it comes that far.
fn name_in(file: &SourceFile) -> Option<String> {
    let said = file.text.lines().find_map(|line| line.strip_prefix("object:"))?;
    let said = said.split('#').next().unwrap_or_default().trim();
    let said = said.trim_matches(['"', '\'']);
    (!said.is_empty()).then(|| said.to_owned())
}

/// What a scheme names that is in error.
pub(crate) fn named_in_error(
    objects: &Objects,
    node: &dsl::yaml::Node,
    file: &Arc<SourceFile>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for side in [&["source"][..], &["source", "receive"], &["target"]] {
        let at = side
            .iter()
            .try_fold(node, |node, key| Some(&node.get(key)?.value));
        let options = at.and_then(|node| node.get("options")?.value.map());
        for pair in options.into_iter().flatten() {
            let Some(broken) = pair.value.text().and_then(|name| objects.broken_one(name)) else {
                continue;
            };
            found.push(
                Diagnostic::new(&words::IN_ERROR, file, pair.value.span.clone())
                    .with("name", &broken.name)
                    .with("file", &broken.path),
            );
        }
    }
    found
}

/// Why an object cannot be used: of several problems of its file the first; `engine check` tells them all.
pub fn reason(trouble: &AppError, lang: Lang) -> Reason {
    let (code, message) = match trouble {
        AppError::Invalid(problems) if !problems.is_empty() => {
            (Some(problems[0].entry.code), problems[0].message(lang))
        }
        other => (other.code(), other.message(lang)),
    };
    Reason::new(code.unwrap_or_default(), message)
}

/// What keeps the objects of a workspace from being served, by name.
pub(crate) fn troubles(workspace: &Workspace) -> BTreeMap<String, AppError> {
    let objects = workspace.objects();
    let broken = objects
        .broken
        .iter()
        .map(|broken| (broken.name.clone(), broken.error.clone()));
    let mut troubles: BTreeMap<String, AppError> = broken.collect();
    for one in &objects.known {
        let mut problems = check(&one.file, workspace);
        problems.retain(Diagnostic::is_error);
        if !problems.is_empty() {
            troubles.insert(one.object.name.clone(), AppError::Invalid(problems));
        }
    }
    troubles
}

/// The folder of the objects that belong to connections or, without, to a folder of schemes.
pub(crate) fn folder(connections: Option<&Path>, schemes: &Path) -> PathBuf {
    connections.map_or(parent(schemes), parent).join(FOLDER)
}

fn double(file: &Arc<SourceFile>, name: &str, other: &SourceFile) -> Diagnostic {
    let node = dsl::yaml::read_all(file).node;
    let span = node.and_then(|node| Some(node.get("object")?.value.span.clone()));
    Diagnostic::new(&words::DOUBLE, file, span.unwrap_or(0..0))
        .with("name", name)
        .with("other", &other.name)
}

/// Whether the rows of a scheme are told apart by a field alone.
fn is_keyed_by(plan: &Plan, places: &[Place]) -> bool {
    matches!(plan.source.key.as_slice(), [only] if places.contains(only))
}

/// Where a field of an object's master stands in a stored row.
fn places(object: &Object, field: &str) -> Vec<Place> {
    let own = object
        .fields
        .iter()
        .find(|one| one.name == field)
        .and_then(|one| one.from.clone());
    let plain = own.unwrap_or_else(|| Place::names([field]));
    vec![plain, Place::names(["masterFieldVal", field])]
}

/// Whether a connection has a parameter, if only as a reference.
fn is_given(workspace: &Workspace, connection: &str, param: &str) -> bool {
    let Some(known) = workspace.connections() else {
        return false;
    };
    let env = workspace.connections_env();
    let open = known.open_references(connection, env, &connector::NoSecrets);
    let given = known.unresolved(connection, env);
    open.iter().any(|(name, _)| name == param) || given.is_ok_and(|given| given.has_param(param))
}

/// Every problem of an object file, with what it says of connections and schemes.
pub(crate) fn check(file: &Arc<SourceFile>, workspace: &Workspace) -> Vec<Diagnostic> {
    let (object, mut problems) = read_object(file);
    let is_this = |broken: &&Broken| {
        let path = |name: &str| Path::new(name).canonicalize().ok();
        broken.path == file.name || path(&broken.path) == path(&file.name)
    };
    if let (Some(_), Some(broken)) = (&object, workspace.objects().broken.iter().find(is_this))
        && let AppError::Invalid(found) = &broken.error
    {
        problems.extend(found.iter().cloned());
    }
    let (Some(object), Some(node)) = (object, dsl::yaml::read_all(file).node) else {
        return problems;
    };
    let Some(serve) = &object.serve else {
        return problems;
    };
    let mut problem = |key: &'static str, name: &str, zh: &str, en: &str, near: Vec<String>| {
        let pair = node.get("serve").and_then(|pair| pair.value.get(key));
        let span = pair.map_or(0..0, |pair| pair.value.span.clone());
        problems.push(
            Diagnostic::new(&words::SERVE, file, span)
                .with("key", key)
                .with("name", name)
                .with("why_zh", zh)
                .with("why_en", en)
                .similar(near),
        );
    };
    let names: Vec<&str> = workspace
        .connections()
        .map_or_else(Vec::new, |known| known.names().collect());
    if !names.contains(&serve.connection.as_str()) {
        problem(
            "connection",
            &serve.connection,
            "connections.yaml 里没有这个连接",
            "connections.yaml has no such connection",
            did_you_mean(&serve.connection, names.iter().copied()),
        );
    } else if !workspace.is_simulated() && !is_given(workspace, &serve.connection, TOKEN) {
        problem(
            "connection",
            &serve.connection,
            "它没有 erp_token,谁都不能调用",
            "it has no erp_token: nobody could call",
            Vec::new(),
        );
    }
    let has_same = |other: &&Arc<Object>| {
        let receive = other.serve.as_ref().and_then(|serve| serve.receive.as_ref());
        other.name != object.name && receive.is_some() && receive == serve.receive.as_ref()
    };
    if let (Some(receive), Some(other)) = (&serve.receive, workspace.objects().iter().find(has_same)) {
        problem(
            "receive",
            receive,
            &format!("对象 {} 也用它:两个对象的同一个 id 会成为同一条记录", other.name),
            &format!(
                "the object {} uses it, too: one id of both would be one record",
                other.name
            ),
            Vec::new(),
        );
    }
    // Which schemes there are, a folder without any does not say.
    if workspace.scheme_ids().next().is_none() {
        return problems;
    }
    let id = &object.id;
    for (key, scheme) in [("rows", &serve.rows), ("receive", &serve.receive)] {
        let Some(scheme) = scheme else { continue };
        if workspace.file_of(scheme).is_none() {
            let near = did_you_mean(scheme, workspace.scheme_ids());
            problem(key, scheme, "没有这个方案", "there is no such scheme", near);
            continue;
        }
        // A scheme that is in error is told where it stands.
        let Some(plan) = workspace.plan_of(scheme) else {
            continue;
        };
        let is_received = plan.source.receive.as_ref().is_some_and(|receive| receive.only)
            && plan.source.from_scheme.is_none();
        let known = if key == "rows" {
            places(&object, id)
        } else {
            vec![Place::names(["masterFieldVal", id.as_str()])]
        };
        if key == "receive" && !is_received {
            problem(
                key,
                scheme,
                "它的来源不是推送",
                "its source is not pushed",
                Vec::new(),
            );
        } else if !is_keyed_by(&plan, &known) {
            let wanted = known.iter().map(Place::to_string).collect::<Vec<_>>().join(" / ");
            problem(
                key,
                scheme,
                &format!("它的主键应为 {wanted}"),
                &format!("its key must be {wanted}"),
                Vec::new(),
            );
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Places;

    /// A scheme without a target marks nothing: what the object calls sensitive is hidden all the same.
    #[test]
    fn what_an_object_calls_sensitive_is_hidden_of_its_rows() {
        let dir = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("written");
        };
        write(
            "connections.yaml",
            "connections:\n  crm:\n    connector: fxiaoke\n    params: {app_id: a, app_secret: \"${env:S}\", code: \"${env:S}\", user_id: \"1\", push_token: \"${env:S}\"}\n",
        );
        write(
            "objects/order.yaml",
            "object: order\nid: no\nfields:\n  no: {type: text, required: true}\n  phone: {type: text, sensitive: true}\ndetails:\n  lines: {fields: {sku: {type: text}, note: {type: text, sensitive: true}}}\n",
        );
        for (name, object) in [("taken", "order"), ("other", "else")] {
            write(
                &format!("schemes/{name}.yaml"),
                &format!(
                    "scheme: {name}\nsource: {{connection: crm, api: asyncpush, options: {{objectApiName: {object}}}, key: masterFieldVal.no}}\ntarget: none\nschedule: on_push\n"
                ),
            );
        }
        let schemes = dir.path().join("schemes");
        let none = Box::new(connector::NoSecrets);
        let workspace = Workspace::load(&schemes, Places::default(), None, none).expect("a workspace");
        let hidden = |name: &str| {
            let (plan, _) = workspace
                .compile(&schemes.join(format!("{name}.yaml")))
                .expect("a scheme");
            let hidden = hidden_of_rows(&plan, workspace.objects(), 0);
            hidden.iter().map(Place::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            hidden("taken"),
            "phone masterFieldVal.phone detailFieldVals.lines.note lines.note"
        );
        assert_eq!(hidden("other"), "");
    }

    const CONNECTIONS: &str = "connections:\n  crm:\n    connector: fxiaoke\n    params: {app_id: a, app_secret: \"${env:S}\", code: \"${env:S}\", user_id: \"1\", push_token: \"${env:S}\"}\n  k3:\n    connector: kingdee-k3cloud\n    params: {auth: login_by_sign, server: \"http://localhost/k3cloud/\", acct: a, user: u, app_id: a, app_secret: \"${env:S}\"}\n";

    /// What people are not shown of a row they are not shown beside it either, nor does another scheme get it.
    #[test]
    fn what_an_object_calls_sensitive_is_not_kept_or_given() {
        let dir = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("written");
        };
        write("connections.yaml", CONNECTIONS);
        write(
            "objects/order.yaml",
            "object: order\nid: no\nfields:\n  no: {type: text, required: true}\n  phone: {type: text, sensitive: true}\ndetails:\n  lines: {fields: {sku: {type: text}, note: {type: text, sensitive: true}}}\n",
        );
        let scheme = |name: &str, source: &str, on_success: &str| {
            format!(
                "scheme: {name}\nsource: {source}\ntarget:\n  connection: k3\n  api: batchSave\n  options: {{FormId: BD_Customer}}\n  request: {{FName: a, FNumber: <<masterFieldVal.no>>, FCreateOrgId: {{FNumber: \"100\"}}}}\n{on_success}schedule: on_push\n"
            )
        };
        let pushed =
            "{connection: crm, api: asyncpush, options: {objectApiName: order}, key: masterFieldVal.no}";
        let save = "  on_success:\n    save: {tel: <<masterFieldVal.phone>>, what: <<detailFieldVals.lines.0.note>>, same: <<masterFieldVal.no>>}\n    emit: {scheme: taker, row: {id: <<masterFieldVal.no>>, phone: <<masterFieldVal.phone>>}}\n";
        write("schemes/giver.yaml", &scheme("giver", pushed, save));
        write(
            "schemes/taker.yaml",
            &scheme("taker", "{scheme: giver, key: id}", "").replace("masterFieldVal.no", "id"),
        );
        let none = Box::new(connector::NoSecrets);
        let schemes = dir.path().join("schemes");
        let workspace = Workspace::load(&schemes, Places::default(), None, none).expect("a workspace");
        let Err(AppError::Invalid(found)) = workspace.compile(&schemes.join("giver.yaml")) else {
            panic!("it is refused")
        };
        let told: Vec<String> = found
            .iter()
            .filter(|one| one.is_error())
            .map(|one| format!("{} {}", one.entry.code, one.message(Lang::En)))
            .collect();
        let kept = |column: &str| {
            format!("E1787 `{column}` holds a sensitive value: on_success cannot keep it or give it away")
        };
        assert_eq!(told, [kept("tel"), kept("what"), kept("row")]);
    }

    /// Nor does it stand in what documents of several rows, or records, are called.
    #[test]
    fn what_an_object_calls_sensitive_names_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("written");
        };
        write("connections.yaml", CONNECTIONS);
        write(
            "objects/order.yaml",
            "object: order\nid: no\nfields:\n  no: {type: text, required: true}\n  phone: {type: text, sensitive: true}\n",
        );
        let source = "{connection: crm, api: asyncpush, options: {objectApiName: order}, key: masterFieldVal.no, label: masterFieldVal.phone}";
        write(
            "schemes/daily.yaml",
            &format!(
                "scheme: daily\nsource: {source}\ntarget:\n  connection: k3\n  api: batchSave\n  options: {{FormId: BD_Customer}}\n  actions: [create]\n  aggregate: {{header: [masterFieldVal.phone], lines: rows, by: [masterFieldVal.no], number: \"<<masterFieldVal.phone>>-<<$part>>\"}}\n  request: {{FNumber: <<$number>>, FName: a, FCreateOrgId: {{FNumber: \"100\"}}}}\nschedule: on_push\n"
            ),
        );
        let none = Box::new(connector::NoSecrets);
        let schemes = dir.path().join("schemes");
        let workspace = Workspace::load(&schemes, Places::default(), None, none).expect("a workspace");
        let Err(AppError::Invalid(found)) = workspace.compile(&schemes.join("daily.yaml")) else {
            panic!("it is refused")
        };
        let told: Vec<&str> = found.iter().map(|one| one.entry.code).collect();
        assert!(told.contains(&"E1776") && told.contains(&"W1158"), "{told:?}");
    }

    /// Nor in the names of the lines of a step.
    #[test]
    fn what_an_object_calls_sensitive_is_no_identity_of_a_line() {
        let dir = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("written");
        };
        write("connections.yaml", CONNECTIONS);
        write(
            "objects/order.yaml",
            "object: order\nid: no\nfields:\n  no: {type: text, required: true}\ndetails:\n  lines: {fields: {sku: {type: text}, phone: {type: text, sensitive: true}}}\n",
        );
        let scheme = |key: &str| {
            format!(
                "scheme: daily\nsource: {{connection: crm, api: asyncpush, options: {{objectApiName: order}}, key: masterFieldVal.no}}\ntarget:\n  connection: k3\n  steps:\n    - {{step: save, api: batchSave}}\n    - step: line\n      api: batchSave\n      each: detailFieldVals.lines\n      line_key: {key}\n      options: {{FormId: BD_CommonContact}}\n      request: {{FNumber: <<masterFieldVal.no>>-<<$line.sku>>, FName: a}}\n  options: {{FormId: BD_Customer}}\n  request: {{FNumber: <<masterFieldVal.no>>, FName: a, FCreateOrgId: {{FNumber: \"100\"}}}}\nschedule: on_push\n"
            )
        };
        let none = Box::new(connector::NoSecrets);
        let schemes = dir.path().join("schemes");
        write("schemes/daily.yaml", &scheme("[sku, phone]"));
        let workspace = Workspace::load(&schemes, Places::default(), None, none).expect("a workspace");
        let Err(AppError::Invalid(found)) = workspace.compile(&schemes.join("daily.yaml")) else {
            panic!("it is refused")
        };
        let errors = found.iter().filter(|one| one.is_error());
        let told: Vec<&str> = errors.map(|one| one.entry.code).collect();
        assert_eq!(told, ["E1798"]);
    }
}
