//! The schemes of a service: every file of its folder, those that can run and those that cannot.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dsl::diagnostic::{Diagnostic, SourceFile};
use dsl::plan::Plan;

use crate::error::AppError;
use crate::run::{Engine, Seen};
use crate::workspace::{Workspace, parent, read, yaml_files};

/// Files beside the schemes that are none.
pub const OTHERS: [&str; 2] = ["connections.yaml", "notify.yaml"];

/// One scheme file.
#[derive(Debug)]
pub struct Member {
    /// Its id; the name of its file where it has none that can be read.
    pub id: String,
    /// Where it is.
    pub path: PathBuf,
    /// Whether the file says this id, or is only called so.
    is_named: bool,
    /// What stands in it; `None` = it cannot be read.
    pub file: Option<Arc<SourceFile>>,
    /// Whether it can run.
    pub standing: Standing,
}

/// Whether a scheme can run.
#[derive(Debug)]
pub enum Standing {
    /// It can, with these warnings.
    Ready(Arc<Plan>, Vec<Diagnostic>),
    /// It says `enabled: false`: it runs by hand only.
    Disabled(Arc<Plan>, Vec<Diagnostic>),
    /// A connection of it cannot be used.
    Unusable(Arc<Plan>, AppError),
    /// It does not pass the checks, or cannot be read.
    Invalid(AppError),
}

impl Member {
    /// What it does, where that is known.
    pub fn plan(&self) -> Option<&Arc<Plan>> {
        match &self.standing {
            Standing::Ready(plan, _) | Standing::Disabled(plan, _) | Standing::Unusable(plan, _) => {
                Some(plan)
            }
            Standing::Invalid(_) => None,
        }
    }

    /// What it does, if it can be run now.
    pub fn runnable(&self) -> Option<&Arc<Plan>> {
        match &self.standing {
            Standing::Ready(plan, _) | Standing::Disabled(plan, _) => Some(plan),
            Standing::Unusable(..) | Standing::Invalid(_) => None,
        }
    }

    /// Why it cannot run.
    pub fn trouble(&self) -> Option<&AppError> {
        match &self.standing {
            Standing::Ready(..) | Standing::Disabled(..) => None,
            Standing::Unusable(_, error) | Standing::Invalid(error) => Some(error),
        }
    }

    /// `enabled`, `draft` (not enabled) or `invalid`; whether it is paused, only the timetable knows.
    pub fn word(&self) -> &'static str {
        match &self.standing {
            Standing::Ready(..) => "enabled",
            Standing::Disabled(..) => "draft",
            Standing::Unusable(..) | Standing::Invalid(_) => "invalid",
        }
    }
}

/// All scheme files of a folder, by id.
#[derive(Debug, Default)]
pub struct Fleet {
    members: BTreeMap<String, Arc<Member>>,
    /// There is a file that does not even say which scheme it is of.
    nameless: bool,
}

impl Fleet {
    /// Reads and compiles every file of a folder, and makes an engine over them ready for those that can run. Nothing in
    /// one file keeps another from running.
    pub(crate) async fn load(folder: &Path, engine: &Engine, seen: Seen) -> Result<Fleet, AppError> {
        let mut members: Vec<Member> = Vec::new();
        for path in yaml_files(folder)? {
            let name = path.file_name().unwrap_or_default();
            if !OTHERS.iter().any(|other| name == *other) {
                members.push(member(path, &engine.workspace));
            }
        }
        let runnable: Vec<usize> = (0..members.len())
            .filter(|place| members[*place].runnable().is_some())
            .collect();
        let plans: Vec<Arc<Plan>> = runnable
            .iter()
            .filter_map(|place| members[*place].runnable().cloned())
            .collect();
        let refusals = engine.announce(&plans, seen).await?;
        for ((place, plan), refusal) in runnable.into_iter().zip(plans).zip(refusals) {
            if let Some(error) = refusal {
                members[place].standing = Standing::Unusable(plan, error);
            }
        }
        for (object, error) in engine.workspace.object_troubles() {
            tracing::error!(object, code = error.code(), "{}", error.message(dsl::Lang::En));
        }
        let mut fleet = Fleet {
            nameless: members.iter().any(|member| !member.is_named),
            ..Fleet::default()
        };
        for member in members {
            // Two files of one id are both refused by the check; both are shown.
            let mut id = member.id.clone();
            while fleet.members.contains_key(&id) {
                id = format!("{id}~");
            }
            fleet.members.insert(id, Arc::new(member));
        }
        Ok(fleet)
    }

    /// The scheme with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Member>> {
        self.members.get(id)
    }

    /// Whether a scheme that is not here may be in a file that cannot be read.
    pub fn may_hide(&self, id: &str) -> bool {
        self.nameless && !self.members.contains_key(id)
    }

    /// All, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<Member>)> {
        self.members.iter().map(|(id, member)| (id.as_str(), member))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// How many can run, and how many cannot.
    pub fn counts(&self) -> (usize, usize) {
        let broken = self.members.values().filter(|member| member.trouble().is_some());
        let broken = broken.count();
        (self.members.len() - broken, broken)
    }
}

/// Names, sizes and times of all files that make up a service, as one number.
pub(crate) fn fingerprint(folder: &Path, workspace: &Workspace) -> u64 {
    let mut hasher = DefaultHasher::new();
    let beside = workspace.connections_path().map(parent);
    let connectors = beside.map(|beside| beside.join("connectors"));
    let below = connectors
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten());
    let connectors = below.filter_map(|entry| Some(entry.ok()?.path().join("connector.yaml")));
    let mut files: Vec<PathBuf> = yaml_files(folder).unwrap_or_default();
    files.extend(workspace.connections_path().map(Path::to_owned));
    files.extend(connectors);
    files.extend(workspace.table_files());
    files.extend(
        crate::objects::files(&crate::objects::folder(workspace.connections_path(), folder))
            .unwrap_or_default(),
    );
    files.sort();
    for file in files {
        let Ok(about) = std::fs::metadata(&file) else {
            continue;
        };
        (file, about.len(), about.modified().ok()).hash(&mut hasher);
    }
    hasher.finish()
}

fn member(path: PathBuf, workspace: &Workspace) -> Member {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let stem = stem.unwrap_or_default();
    let file = match read(&path) {
        Ok(file) => file,
        Err(error) => {
            return Member {
                id: stem,
                path,
                is_named: false,
                file: None,
                standing: Standing::Invalid(error),
            };
        }
    };
    let (plan, diagnostics) = workspace.check(&file);
    let (id, standing) = match plan.map(Arc::new) {
        Some(plan) if plan.enabled => (Some(plan.scheme.clone()), Standing::Ready(plan, diagnostics)),
        Some(plan) => (Some(plan.scheme.clone()), Standing::Disabled(plan, diagnostics)),
        None => (id_of(&file), Standing::Invalid(AppError::Invalid(diagnostics))),
    };
    Member {
        is_named: id.is_some(),
        id: id.unwrap_or(stem),
        path,
        file: Some(file),
        standing,
    }
}

/// The id that a file gives itself, whatever else is wrong with it.
fn id_of(file: &Arc<SourceFile>) -> Option<String> {
    let node = dsl::yaml::read_all(file).node?;
    let text = node.get("scheme")?.value.scalar()?.text.clone();
    (!text.is_empty()).then_some(text)
}
