//! The objects of a folder: files in `objects/` beside connections.yaml.

pub mod page;
pub mod serve;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use connector::Connection;
use dsl::catalogue::object as words;
use dsl::diagnostic::{Diagnostic, Failure, SourceFile, did_you_mean};
use dsl::lookup::Hits;
use dsl::object::{Object, Serve, Standard, read_object};
use dsl::path::Path as Place;
use dsl::plan::Plan;
use dsl::tree::eval_value;
use dsl::value::{Map, Value};
use flow::ids::Ms;

use crate::error::AppError;
use crate::scope::CallScope;
use crate::workspace::{Workspace, parent, read, yaml_files};

/// The folder.
pub(crate) const FOLDER: &str = "objects";
/// Files that are looked at; a folder with more is not a folder of objects.
const MAX_OBJECTS: usize = 2_000;

/// The objects that are declared, by name.
#[derive(Debug, Default, Clone)]
pub struct Objects(Vec<Arc<Object>>);

impl Objects {
    /// Reads the files of a folder; none where there is no such folder.
    pub(crate) fn load(folder: &Path) -> Result<Self, AppError> {
        let mut known: Vec<(Arc<SourceFile>, Arc<Object>)> = Vec::new();
        let mut problems = Vec::new();
        for path in files(folder)? {
            let file = read(&path)?;
            let (object, found) = read_object(&file);
            problems.extend(found.into_iter().filter(Diagnostic::is_error));
            let Some(object) = object else { continue };
            match known.iter().find(|(_, other)| other.name == object.name) {
                Some((other, _)) => problems.push(double(&file, &object.name, other)),
                None => known.push((file, Arc::new(object))),
            }
        }
        if !problems.is_empty() {
            return Err(AppError::Invalid(problems));
        }
        let mut all: Vec<Arc<Object>> = known.into_iter().map(|(_, object)| object).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Objects(all))
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.0.iter()
    }

    /// The object of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Object>> {
        self.0.iter().find(|object| object.name == name)
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
        did_you_mean(name, self.0.iter().map(|object| object.name.as_str()))
    }

    /// Whether another system reads the rows of a scheme as those of an object.
    pub fn is_read(&self, scheme: &str) -> bool {
        let mut served = self.0.iter().filter_map(|object| object.serve.as_ref());
        served.any(|serve| serve.rows.as_deref() == Some(scheme))
    }

    /// Those for which we are the ERP at a connection.
    pub fn served<'a>(&'a self, connection: &'a str) -> impl Iterator<Item = (&'a Arc<Object>, &'a Serve)> {
        let served = self
            .0
            .iter()
            .filter_map(|object| Some((object, object.serve.as_ref()?)));
        served.filter(move |(_, serve)| serve.connection == connection)
    }
}

/// What keeps a row, or a document on its way, from being one of an object. Members beside those of the standard form
/// are the operation's. Nothing of a value at a hidden place is told.
pub(crate) fn misfit(object: &Object, document: &Value, is_row: bool, hidden: &[Place]) -> Option<Failure> {
    let mut told = document.clone();
    if let (Value::Map(members), false) = (&mut told, is_row) {
        members
            .retain(|name, _| matches!(name.as_str(), "objAPIName" | "masterFieldVal" | "detailFieldVals"));
        members
            .entry("objAPIName".to_owned())
            .or_insert_with(|| Value::from(object.name.as_str()));
    }
    let read = Standard::read(&told, is_row);
    let found = read
        .and_then(|document| object.fits_hiding(&document, hidden))
        .err()?;
    Some(
        Failure::new(&dsl::catalogue::erp::FIELDS)
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
    let mut known = std::collections::BTreeSet::new();
    hidden.retain(|place| known.insert(place.to_string()));
    hidden
}

/// The files of a folder of objects; none where it is not there.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>, AppError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = yaml_files(folder)?;
    paths.truncate(MAX_OBJECTS);
    Ok(paths)
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

/// Every problem of an object file, with what it says of connections and schemes.
pub(crate) fn check(file: &Arc<SourceFile>, workspace: &Workspace) -> Vec<Diagnostic> {
    let (object, mut problems) = read_object(file);
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
    }
    let id = &object.id;
    for (key, scheme) in [("rows", &serve.rows), ("receive", &serve.receive)] {
        let Some(scheme) = scheme else { continue };
        let Some(path) = workspace.file_of(scheme) else {
            let near = did_you_mean(scheme, workspace.scheme_ids());
            problem(key, scheme, "没有这个方案", "there is no such scheme", near);
            continue;
        };
        // A scheme that is in error is told where it stands.
        let Ok((plan, _)) = workspace.compile(&path) else {
            continue;
        };
        let is_received = plan.source.receive.as_ref().is_some_and(|receive| receive.only);
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
