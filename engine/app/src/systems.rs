//! The connectors a command knows: those inside the binary, and those of a folder `connectors/` beside
//! connections.yaml, one folder a system. A file there with the id of a built-in one takes its place: a tenant that
//! answers otherwise than ours did needs no new binary.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use connector::Connector;
use dsl::builtin::Registry;
use dsl::diagnostic::SourceFile;
use dsl::yaml;

use crate::check::{FileKind, recognise};
use crate::error::AppError;
use crate::find::find_files;
use crate::testing::{TestReport, of_connector};
use crate::workspace::{Places, find_connections, parent, read};

/// Folders looked at below `connectors/`; a company that has more systems than this has put something else there.
const MAX_FOLDERS: usize = 500;

/// The connectors that a command in this folder knows: its own ones, and those inside the binary.
pub fn known(places: &Places) -> Result<Vec<Arc<Connector>>, AppError> {
    let path = find_connections(Path::new("."), places.connections.as_deref())?;
    let beside = path.as_deref().map_or(Path::new("."), parent);
    connectors(Some(beside), &functions::registry())
}

/// Whether a connector is one of those inside the binary, unchanged.
pub fn is_builtin(connector: &Connector) -> bool {
    let same = |(id, text): &(&str, &str)| *id == connector.id() && *text == connector.file().text;
    connector::builtin().iter().any(same)
}

/// The folder of one's own connectors: beside connections.yaml, else here.
pub fn own_folder(places: &Places) -> Result<PathBuf, AppError> {
    let path = find_connections(Path::new("."), places.connections.as_deref())?;
    Ok(path.as_deref().map_or(Path::new("."), parent).join("connectors"))
}

/// Checks connector files and runs the tests they carry. Other YAML files below a folder (samples, schemes) are passed
/// over; a file named outright must be a connector, and paths without any are an error.
pub fn check(paths: &[PathBuf]) -> Result<TestReport, AppError> {
    let mut report = TestReport::default();
    for path in find_files(paths)? {
        let file = read(&path)?;
        let named = paths.contains(&path);
        match yaml::read(&file).map(|node| recognise(&node, &file)) {
            Ok(Ok(FileKind::Connector)) => of_connector(&file, &mut report),
            Ok(Err(problem)) if named || path.ends_with("connector.yaml") => {
                report.diagnostics.push(*problem);
            }
            Err(problems) if named || path.ends_with("connector.yaml") => {
                report.diagnostics.extend(problems);
            }
            Ok(Ok(_)) | Ok(Err(_)) | Err(_) => continue,
        }
        report.files += 1;
    }
    if report.files == 0 {
        let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        let shown = shown.join(" ");
        return Err(AppError::wrong_use(
            format!("{shown} 中没有连接器文件(顶层的键是 `connector`)"),
            format!("{shown}: no connector file (its top-level key is `connector`)"),
        ));
    }
    Ok(report)
}

/// All connectors, those of the folder `connectors/` in `beside` first. `None` = there is no such place.
pub(crate) fn connectors(
    beside: Option<&Path>,
    registry: &Registry,
) -> Result<Vec<Arc<Connector>>, AppError> {
    let mut known: Vec<Arc<Connector>> = Vec::new();
    for path in beside.map(files).transpose()?.unwrap_or_default() {
        let connector = connector::load(&read(&path)?, registry).map_err(AppError::Invalid)?;
        if known.iter().any(|other| other.id() == connector.id()) {
            return Err(AppError::wrong_use(
                format!("两个文件夹里都有连接器 `{}`:{}", connector.id(), path.display()),
                format!(
                    "two folders hold a connector `{}`: {}",
                    connector.id(),
                    path.display()
                ),
            ));
        }
        known.push(Arc::new(connector));
    }
    for (id, text) in connector::builtin() {
        if known.iter().any(|own| own.id() == *id) {
            continue;
        }
        let file = SourceFile::new(format!("connectors/{id}/connector.yaml"), *text);
        known.push(Arc::new(
            connector::load(&file, registry).map_err(AppError::Invalid)?,
        ));
    }
    Ok(known)
}

/// `connectors/*/connector.yaml` in this folder, sorted; none when there is no such folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>, AppError> {
    let folder = folder.join("connectors");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let fail = |what: String| AppError::File {
        path: folder.display().to_string(),
        what,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(|error| fail(error.to_string()))? {
        let path = entry
            .map_err(|error| fail(error.to_string()))?
            .path()
            .join("connector.yaml");
        if path.is_file() {
            paths.push(path);
        }
        if paths.len() > MAX_FOLDERS {
            return Err(fail(format!("more than {MAX_FOLDERS} folders")));
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "connector: ID
name: {zh: 自有系统, en: our own}
version: 7
zone: UTC
params:
  server: {type: url}
hosts: [<<$param.server>>]
outcome: [{when: http.status == 200, class: ok}]
operations:
  orders: {kind: read, method: GET, path: orders, rows: {at: data}}
";

    fn folder(ids: &[(&str, &str)]) -> tempfile::TempDir {
        let base = tempfile::tempdir().expect("a folder");
        for (name, id) in ids {
            let place = base.path().join("connectors").join(name);
            std::fs::create_dir_all(&place).expect("a folder");
            std::fs::write(place.join("connector.yaml"), OWN.replace("ID", id)).expect("a file");
        }
        std::fs::create_dir_all(base.path().join("connectors/notes")).expect("a folder");
        base
    }

    fn versions(base: &Path) -> Result<Vec<(String, u32)>, AppError> {
        let known = connectors(Some(base), &functions::registry())?;
        Ok(known
            .iter()
            .map(|connector| (connector.id().to_owned(), connector.version()))
            .collect())
    }

    #[test]
    fn a_folder_of_connectors_is_read_beside_the_built_in_ones() {
        let builtin = connector::builtin().len();
        let base = folder(&[("ours", "our-shop"), ("k3", "kingdee-k3cloud")]);
        let known = versions(base.path()).expect("valid");
        assert_eq!(known.len(), builtin + 1, "{known:?}");
        for own in ["our-shop", "kingdee-k3cloud"] {
            assert!(known.contains(&(own.to_owned(), 7)), "{known:?}");
        }
        let none = tempfile::tempdir().expect("a folder");
        assert_eq!(versions(none.path()).expect("valid").len(), builtin);
        let twice = folder(&[("a", "our-shop"), ("b", "our-shop")]);
        assert!(matches!(versions(twice.path()), Err(AppError::Use { .. })));
    }
}
