//! `check`: everything `run` would refuse, without the network.
//!
//! Every file is recognised by its top-level key; all problems of all files come at once. A reference to a secret
//! counts as given, so that files can be checked where the secrets are not; everything else a connection needs must be
//! there for the environment that is meant.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use connector::{NoSecrets, connections};
use dsl::catalogue::files;
use dsl::diagnostic::{Diagnostic, Lang, SourceFile, did_you_mean};
use dsl::facts::Proof;
use dsl::lookup::FieldTable;
use dsl::plan::{OnUnknown, Plan, TargetPlan};
use dsl::yaml::{self, Node};

use crate::error::AppError;
use crate::find::find_files;
use crate::objects;
use crate::systems;
use crate::workspace::{Places, Workspace, find_connections, parent, read};

/// What was looked at, and what was found.
#[derive(Debug, Default)]
pub struct CheckReport {
    /// Every file, in order.
    pub files: Vec<Checked>,
    /// Every problem, of all files.
    pub diagnostics: Vec<Diagnostic>,
    /// What each scheme can promise.
    pub guarantees: Vec<Guaranteed>,
    /// The field mappings that schemes read, each by scheme and table.
    pub tables: Vec<(String, String, FieldTable)>,
}

/// A file that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// As it was found.
    pub path: String,
    /// What it is; `None` when that cannot be seen.
    pub kind: Option<FileKind>,
    /// It was only read, because the connections file it depends on is in error.
    pub only_read: bool,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A scheme.
    Scheme,
    /// A connector.
    Connector,
    /// Connections.
    Connections,
    /// Notifications.
    Notify,
    /// An object of another system.
    Object,
}

impl FileKind {
    /// The top-level key, which is also the word in machine-readable output.
    pub fn word(self) -> &'static str {
        match self {
            FileKind::Scheme => "scheme",
            FileKind::Connector => "connector",
            FileKind::Connections => "connections",
            FileKind::Notify => "channels",
            FileKind::Object => "object",
        }
    }
}

/// A scheme and what it can promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guaranteed {
    /// The scheme.
    pub scheme: String,
    /// Its file.
    pub file: String,
    /// The promise.
    pub guarantee: Guarantee,
}

/// What happens to a document at the target at worst, when answers are lost and processes killed; the weakest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guarantee {
    /// Nothing is written: rows are only stored.
    Stored,
    /// Exactly-once effect.
    ExactlyOnce,
    /// Exactly-once effect as long as the target remembers the key of a call.
    ExactlyOnceWhileRemembered,
    /// Exactly-once effect if the target never executes a call later than the quiet period.
    ExactlyOnceUnlessLate,
    /// Never twice; a lost answer waits for a person.
    AtMostOnce,
    /// Never lost; a lost answer may write twice.
    AtLeastOnce,
}

impl Guarantee {
    /// The word in machine-readable output.
    pub fn word(self) -> &'static str {
        match self {
            Guarantee::Stored => "stored",
            Guarantee::ExactlyOnce => "exactly-once",
            Guarantee::ExactlyOnceWhileRemembered => "exactly-once-while-remembered",
            Guarantee::ExactlyOnceUnlessLate => "exactly-once-unless-late",
            Guarantee::AtMostOnce => "at-most-once",
            Guarantee::AtLeastOnce => "at-least-once",
        }
    }

    /// What a plan promises.
    pub fn of(plan: &Plan) -> Guarantee {
        plan.target.as_ref().map_or(Guarantee::Stored, of_target)
    }
}

/// That of the document about which least can be promised: a step may write one of its own.
fn of_target(target: &TargetPlan) -> Guarantee {
    let all = target
        .documents()
        .map(|document| promise(document.proof, document.on_unknown));
    all.max().unwrap_or(Guarantee::Stored)
}

fn promise(proof: Proof, on_unknown: Option<OnUnknown>) -> Guarantee {
    match (proof, on_unknown) {
        // A person who is asked may be wrong, the engine is not: it never sends by itself.
        (_, Some(OnUnknown::Hold)) => Guarantee::AtMostOnce,
        (Proof::Upsert, _) => Guarantee::ExactlyOnce,
        (Proof::IdempotencyKey, _) => Guarantee::ExactlyOnceWhileRemembered,
        (Proof::UniqueKey | Proof::Query | Proof::None, Some(OnUnknown::Resend)) => Guarantee::AtLeastOnce,
        (Proof::UniqueKey, _) => Guarantee::ExactlyOnce,
        (Proof::Query, _) => Guarantee::ExactlyOnceUnlessLate,
        (Proof::None, _) => Guarantee::AtMostOnce,
    }
}

/// Checks files and folders.
pub fn check(paths: &[PathBuf], places: &Places) -> Result<CheckReport, AppError> {
    let found = find_files(paths)?;
    let mut checker = Checker::new(&found, places);
    for path in &found {
        checker.file(path)?;
    }
    let mut report = checker.report;
    // One connections file serves many schemes: its problems are told once.
    let mut seen = BTreeSet::new();
    let place = |one: &Diagnostic| {
        let file = one.file.name.trim_start_matches("./").to_owned();
        (file, one.span.start)
    };
    // A misspelt `connections:` is told by those who wanted connections, with the right word: that is enough.
    let told: BTreeSet<_> = report
        .diagnostics
        .iter()
        .filter(|one| one.entry != &files::UNRECOGNISED)
        .map(place)
        .collect();
    report.diagnostics.retain(|one| {
        let is_new = seen.insert((place(one), one.span.end, one.message(Lang::En)));
        is_new && (one.entry != &files::UNRECOGNISED || !told.contains(&place(one)))
    });
    Ok(report)
}

/// Looks at files one by one; what stands around them is read once.
pub(crate) struct Checker<'a> {
    places: &'a Places,
    /// All files that are looked at.
    found: &'a [PathBuf],
    /// By folder; `None` = its connections file is in error.
    workspaces: BTreeMap<PathBuf, Option<Workspace>>,
    report: CheckReport,
}

impl<'a> Checker<'a> {
    /// For all files that are looked at.
    pub(crate) fn new(found: &'a [PathBuf], places: &'a Places) -> Self {
        Checker {
            places,
            found,
            workspaces: BTreeMap::new(),
            report: CheckReport::default(),
        }
    }

    /// The problems that a file would have with this text.
    pub(crate) fn with_text(
        &mut self,
        path: &Path,
        file: &Arc<SourceFile>,
    ) -> Result<Vec<Diagnostic>, AppError> {
        let mut checked = Checked {
            path: path.display().to_string(),
            kind: None,
            only_read: false,
        };
        self.report = CheckReport::default();
        self.text(path, file, &mut checked)?;
        Ok(std::mem::take(&mut self.report).diagnostics)
    }

    fn file(&mut self, path: &Path) -> Result<(), AppError> {
        let mut checked = Checked {
            path: path.display().to_string(),
            kind: None,
            only_read: false,
        };
        match read(path) {
            Ok(file) => self.text(path, &file, &mut checked)?,
            // Not text at all: a problem of this file, not of the command.
            Err(AppError::Invalid(problems)) => self.report.diagnostics.extend(problems),
            Err(other) => return Err(other),
        }
        self.report.files.push(checked);
        Ok(())
    }

    fn text(&mut self, path: &Path, file: &Arc<SourceFile>, checked: &mut Checked) -> Result<(), AppError> {
        // What the keys mean is checked even where YAML has traps in it, so that all problems come at once.
        let reading = yaml::read_all(file);
        self.report.diagnostics.extend(reading.problems);
        match reading.node.map(|node| recognise(&node, file)) {
            Some(Ok(kind)) => {
                checked.kind = Some(kind);
                checked.only_read = !self.known(kind, path, file)?;
            }
            Some(Err(problem)) => self.report.diagnostics.push(*problem),
            None => {}
        }
        Ok(())
    }

    /// Says whether the file could be checked.
    fn known(&mut self, kind: FileKind, path: &Path, file: &Arc<SourceFile>) -> Result<bool, AppError> {
        match kind {
            FileKind::Scheme => {
                let folder = path.parent().unwrap_or(Path::new("")).to_owned();
                if !self.workspaces.contains_key(&folder) {
                    let workspace = self.workspace(path)?;
                    self.workspaces.insert(folder.clone(), workspace);
                }
                let Some(Some(workspace)) = self.workspaces.get(&folder) else {
                    return Ok(false);
                };
                let (plan, problems) = workspace.check(file);
                self.report.diagnostics.extend(problems);
                if let Some(plan) = plan {
                    self.report.diagnostics.extend(refused(workspace, &plan));
                    self.report
                        .diagnostics
                        .extend(crate::recording::problems(file, &plan));
                    let tables = plan.field_tables.iter();
                    let tables =
                        tables.map(|(name, table)| (plan.scheme.clone(), name.clone(), table.clone()));
                    self.report.tables.extend(tables);
                    self.report.guarantees.push(Guaranteed {
                        scheme: plan.scheme.clone(),
                        file: file.name.clone(),
                        guarantee: Guarantee::of(&plan),
                    });
                }
            }
            FileKind::Connector => {
                if let Err(problems) = connector::load(file, &functions::registry()) {
                    self.report.diagnostics.extend(problems);
                }
            }
            FileKind::Notify => {
                if let Err(problems) = crate::notify::config::load(file) {
                    self.report.diagnostics.extend(problems);
                }
            }
            FileKind::Object => {
                let around = self.schemes_of(parent(path));
                if !self.workspaces.contains_key(&around) {
                    let workspace = self.workspace(&around)?;
                    self.workspaces.insert(around.clone(), workspace);
                }
                let Some(Some(workspace)) = self.workspaces.get(&around) else {
                    self.report.diagnostics.extend(dsl::object::read_object(file).1);
                    return Ok(false);
                };
                self.report.diagnostics.extend(objects::check(file, workspace));
            }
            FileKind::Connections => {
                let registry = functions::registry();
                let loaded = connections::load(
                    file,
                    &systems::connectors(Some(parent(path)), &registry)?,
                    &registry,
                );
                self.report
                    .diagnostics
                    .extend(loaded.map_or_else(|problems| problems, |known| known.check_all()));
            }
        }
        Ok(true)
    }

    /// The folder of the schemes that a folder of objects belongs to: one that is looked at, however it is called; else
    /// the one beside it.
    fn schemes_of(&self, objects: &Path) -> PathBuf {
        let same = |one: &Path, other: &Path| match (one.canonicalize(), other.canonicalize()) {
            (Ok(one), Ok(other)) => one == other,
            _ => one == other,
        };
        let belongs = |folder: &Path| {
            let connections = find_connections(folder, self.places.connections.as_deref());
            let connections = connections.ok().flatten();
            same(&objects::folder(connections.as_deref(), folder), objects)
        };
        let has_scheme = |path: &Path| {
            read(path).is_ok_and(|file| file.text.lines().any(|line| line.starts_with("scheme:")))
        };
        let folders: BTreeSet<&Path> = self.found.iter().map(|path| parent(path)).collect();
        let mut folders = folders
            .into_iter()
            .filter(|folder| !same(folder, objects) && belongs(folder));
        let found = folders.find(|folder| {
            let mut own = self.found.iter().filter(|path| parent(path) == *folder);
            own.any(|path| has_scheme(path))
        });
        if let Some(found) = found {
            return found.to_owned();
        }
        let beside = parent(objects);
        let schemes = beside.join("schemes");
        if schemes.is_dir() {
            schemes
        } else {
            beside.to_owned()
        }
    }

    /// The workspace around a scheme; `None` when its connections file is in error, which is then reported.
    fn workspace(&mut self, path: &Path) -> Result<Option<Workspace>, AppError> {
        match Workspace::look(path, self.places.clone(), Box::new(NoSecrets)) {
            Ok(mut workspace) => {
                self.report.diagnostics.extend(workspace.look_at_samples());
                Ok(Some(workspace))
            }
            Err(AppError::Invalid(problems)) => {
                self.report.diagnostics.extend(problems);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }
}

/// What a file is, by its top-level key.
pub fn recognise(node: &Node, file: &Arc<SourceFile>) -> Result<FileKind, Box<Diagnostic>> {
    let kinds = [
        FileKind::Scheme,
        FileKind::Connector,
        FileKind::Connections,
        FileKind::Notify,
        FileKind::Object,
    ];
    let mut present = kinds
        .into_iter()
        .filter_map(|kind| node.get(kind.word()).map(|pair| (kind, pair)));
    match (present.next(), present.next()) {
        (Some((kind, _)), None) => Ok(kind),
        (Some((first, _)), Some((second, pair))) => Err(Box::new(
            Diagnostic::new(&files::AMBIGUOUS, file, pair.key_span.clone())
                .with("first", first.word())
                .with("second", second.word()),
        )),
        (None, _) => {
            let start = node.span.start;
            let line = file.text[start..]
                .find('\n')
                .map_or(file.text.len(), |end| start + end);
            let near = node
                .map()
                .into_iter()
                .flatten()
                .find_map(|pair| {
                    let near = did_you_mean(&pair.key, kinds.iter().map(|kind| kind.word()));
                    (!near.is_empty()).then_some(near)
                })
                .unwrap_or_default();
            Err(Box::new(
                Diagnostic::new(&files::UNRECOGNISED, file, start..line).similar(near),
            ))
        }
    }
}

/// What `run` would refuse when it resolves the connections of a plan, shown in the connections file.
fn refused(workspace: &Workspace, plan: &Plan) -> Vec<Diagnostic> {
    let targets = plan.target.iter().flat_map(|target| target.connections());
    std::iter::once(plan.source.connection.as_str())
        .chain(targets.map(String::as_str))
        .flat_map(|name| workspace.check_connection(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises() {
        use Guarantee as G;
        for (proof, on_unknown, want) in [
            (Proof::Upsert, None, G::ExactlyOnce),
            (Proof::Upsert, Some(OnUnknown::Resend), G::ExactlyOnce),
            (Proof::IdempotencyKey, None, G::ExactlyOnceWhileRemembered),
            (Proof::UniqueKey, None, G::ExactlyOnce),
            (Proof::UniqueKey, Some(OnUnknown::Query), G::ExactlyOnce),
            (Proof::UniqueKey, Some(OnUnknown::Resend), G::AtLeastOnce),
            (Proof::Query, None, G::ExactlyOnceUnlessLate),
            (Proof::None, None, G::AtMostOnce),
            (Proof::None, Some(OnUnknown::Resend), G::AtLeastOnce),
            (Proof::UniqueKey, Some(OnUnknown::Hold), G::AtMostOnce),
        ] {
            assert_eq!(promise(proof, on_unknown), want, "{proof:?} {on_unknown:?}");
        }
    }

    #[test]
    fn files_are_recognised_by_their_top_level_key() {
        let check = |text: &str, want: Result<FileKind, &str>| {
            let file = SourceFile::new("a.yaml", text);
            let node = yaml::read(&file).expect("YAML");
            let got = recognise(&node, &file);
            assert_eq!(
                got.as_ref().map_err(|problem| problem.entry.code).copied(),
                want,
                "{text}"
            );
            if let Err(problem) = got {
                assert!(!problem.message(Lang::Zh).contains('{'), "{text}");
            }
        };
        check("scheme: a\n", Ok(FileKind::Scheme));
        check("# 注释\nconnector: a\n", Ok(FileKind::Connector));
        check("connections:\n  a: {connector: b}\n", Ok(FileKind::Connections));
        check("schem: a\n", Err("E1050"));
        check("- 1\n", Err("E1050"));
        check("scheme: a\nconnections: {}\n", Err("E1051"));
    }

    #[test]
    fn objects_name_schemes_of_any_folder() {
        let dir = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(parent(&path)).expect("a folder");
            std::fs::write(path, text).expect("a file");
        };
        write(
            "connections.yaml",
            "connections:\n  crm: {connector: fxiaoke, params: {app_id: a, app_secret: \"${env:S}\", code: \"${env:S}\", user_id: u, erp_token: \"${env:S}\"}}\n",
        );
        write(
            "flows/orders.yaml",
            "scheme: orders\nsource: {connection: crm, api: asyncpush, options: {objectApiName: o}, key: masterFieldVal.n}\ntarget: none\nschedule: on_push\n",
        );
        let object = "object: o\nid: n\nfields: {n: {type: text, required: true}}\nserve: {connection: crm, receive: SCHEME}\n";
        let told = |receive: &str, paths: &[&str]| {
            write("objects/o.yaml", &object.replace("SCHEME", receive));
            let paths: Vec<PathBuf> = paths.iter().map(|path| dir.path().join(path)).collect();
            let report = check(&paths, &Places::default()).expect("a report");
            let errors = report.diagnostics.iter().filter(|one| one.is_error());
            errors
                .map(|one| one.message(Lang::En))
                .collect::<Vec<_>>()
                .join("; ")
        };
        for paths in [&["flows", "objects"][..], &["."], &["objects"]] {
            assert_eq!(told("orders", paths), "", "{paths:?}");
        }
        let said = told("ordrs", &["flows", "objects"]);
        assert!(said.contains("there is no such scheme"), "{said}");
        // One whose file is in error is in error where it is named, and nowhere else.
        std::fs::write(dir.path().join("objects/o.yaml"), "object: o\nid: [").expect("a file");
        let paths = [dir.path().to_owned()];
        let report = check(&paths, &Places::default()).expect("a report");
        let codes: Vec<_> = report.diagnostics.iter().map(|one| one.entry.code).collect();
        assert!(codes.contains(&"E1609"), "{codes:?}");
        // Both of two declarations.
        for name in ["o", "p"] {
            write(
                &format!("objects/{name}.yaml"),
                &object.replace("SCHEME", "orders"),
            );
        }
        let report = check(&paths, &Places::default()).expect("a report");
        let doubles = report.diagnostics.iter().filter(|one| one.entry.code == "E1608");
        assert_eq!(doubles.count(), 2);
    }

    /// Codes by file name of a folder with these files.
    fn codes(files: &[(&str, &[u8])]) -> Vec<String> {
        let dir = tempfile::tempdir().expect("a folder");
        for (name, bytes) in files {
            std::fs::write(dir.path().join(name), bytes).expect("a file");
        }
        let report = check(&[dir.path().to_owned()], &Places::default()).expect("a report");
        let name = |one: &Diagnostic| Path::new(&one.file.name).file_name().map(|name| name.to_owned());
        let mut codes: Vec<String> = report
            .diagnostics
            .iter()
            .map(|one| {
                let name = name(one).unwrap_or_default();
                format!("{} {}", name.to_string_lossy(), one.entry.code)
            })
            .collect();
        codes.sort();
        codes
    }

    #[test]
    fn what_only_the_folder_shows() {
        let scheme: &[u8] = b"scheme: a\nname: a\nsource: {connection: huke, operation: trades, key: id}\n";
        let of = |files: &[(&str, &[u8])], code: &str| -> Vec<String> {
            let all = codes(files).into_iter();
            all.filter(|one| one.ends_with(code)).collect()
        };
        let both = [("a.yaml", scheme), ("b.yaml", scheme)];
        assert_eq!(of(&both, "E1052"), ["a.yaml E1052", "b.yaml E1052"]);
        assert!(of(&both[..1], "E1052").is_empty());
        assert_eq!(of(&both[..1], "E1053"), ["a.yaml E1053"]);
        // GBK is a problem of its file, and hides no other.
        let gbk = [("a.yaml", scheme), ("b.yaml", b"\xc4\xe3: 1\n")];
        assert_eq!(of(&gbk, "E1002"), ["b.yaml E1002"]);
        assert_eq!(of(&gbk, "E1053"), ["a.yaml E1053"]);
        // One slip, one problem.
        let slip = [("a.yaml", scheme), ("connections.yaml", b"conections: {}\n")];
        assert_eq!(codes(&slip), ["connections.yaml E1500"]);
        // What an environment lacks is known without a scheme.
        let lacks: &[u8] = b"connections: {h: {connector: netease-huke, env: {test: {params: {key: k}}}}}\n";
        assert_eq!(codes(&[("connections.yaml", lacks)]), ["connections.yaml E1554"]);
    }
}
