//! `import`: schemes of another tool become files of this one.
//!
//! Everything is mapped and compiled in memory before anything is written; a file that exists is refused unless it may be
//! overwritten, and connections that are missing are added behind those there are. What was carried over and what was not
//! is the report's affair.

use std::io::Read;
use std::path::{Path, PathBuf};

use connector::{NoSecrets, connections};
use dsl::catalogue::imported as words;
use dsl::diagnostic::Failure;
use import::{Import, Input, Known, MAX_BYTES, MAX_INPUTS};

use crate::authoring::{self, Added};
use crate::error::AppError;
use crate::files;
use crate::workspace::{Places, Workspace, parent};

/// What a folder of exports may hold.
const EXPORTS: [&str; 5] = ["json", "txt", "md", "tsv", "html"];

/// What became of an import.
#[derive(Debug)]
pub struct Brought {
    /// Files and report.
    pub import: Import,
    /// The files that were written, in the order of the report.
    pub written: Vec<PathBuf>,
    /// Connections that were added.
    pub added: Vec<Added>,
}

/// Brings schemes over: files, and folders of files, into a folder or one file.
pub fn bring(inputs: &[PathBuf], out: &Path, force: bool, places: &Places) -> Result<Brought, AppError> {
    let is_file = out.extension().is_some_and(|end| end == "yaml" || end == "yml");
    let folder = if is_file { parent(out) } else { out };
    let found = found(inputs)?;
    if found.is_empty() {
        let ends = EXPORTS.join(" ");
        return Err(AppError::wrong_use(
            format!("没有可导入的文件:文件夹里找的是扩展名为 {ends} 的文件"),
            format!("there is nothing to import: of a folder, files that end in {ends} are read"),
        ));
    }
    let inputs = read(&found)?;
    std::fs::create_dir_all(folder).map_err(|error| fail(folder, &error))?;
    let workspace = Workspace::load(folder, places.clone(), None, Box::new(NoSecrets))?;
    let known = Known {
        connectors: workspace.connectors(),
        connections: workspace.connections(),
        env: places.env.as_deref().unwrap_or(connections::DEFAULT_ENV),
        registry: workspace.registry(),
        around: Some(&workspace),
    };
    let import = import::import(&inputs, &known);
    if is_file && import.files.len() > 1 {
        return Err(AppError::wrong_use(
            format!("有 {} 个方案,--out 要写文件夹", import.files.len()),
            format!(
                "there are {} schemes: --out has to be a folder",
                import.files.len()
            ),
        ));
    }
    let written: Vec<PathBuf> = import
        .files
        .iter()
        .map(|(name, _)| {
            if is_file {
                out.to_owned()
            } else {
                folder.join(name)
            }
        })
        .collect();
    if let Some(there) = written.iter().find(|path| !force && path.exists()) {
        let failure = Failure::new(&words::FILE_EXISTS).with("file", there.display());
        return Err(AppError::Denied(Box::new(failure)));
    }
    let mut added = Vec::new();
    for made in &import.connections {
        added.push(authoring::add_connection(
            folder,
            places,
            &made.name,
            &made.connector,
            &[],
        )?);
    }
    for (path, (_, text)) in written.iter().zip(&import.files) {
        files::replace(path, text.as_bytes())?;
    }
    Ok(Brought {
        import,
        written,
        added,
    })
}

/// The files that are meant; of a folder those that could be exports.
fn found(paths: &[PathBuf]) -> Result<Vec<PathBuf>, AppError> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).map_err(|error| fail(path, &error))? {
            let one = entry.map_err(|error| fail(path, &error))?.path();
            let end = one.extension().map(|end| end.to_string_lossy().to_lowercase());
            if one.is_file() && end.is_some_and(|end| EXPORTS.contains(&end.as_str())) {
                inside.push(one);
            }
        }
        inside.sort();
        found.extend(inside);
    }
    if found.len() > MAX_INPUTS {
        return Err(AppError::wrong_use(
            format!("一次最多导入 {MAX_INPUTS} 个文件,给了 {}", found.len()),
            format!(
                "at most {MAX_INPUTS} files at a time, and {} were given",
                found.len()
            ),
        ));
    }
    Ok(found)
}

fn read(paths: &[PathBuf]) -> Result<Vec<Input>, AppError> {
    let mut inputs = Vec::new();
    for path in paths {
        let file = std::fs::File::open(path).map_err(|error| fail(path, &error))?;
        let mut bytes = Vec::new();
        // A byte more than is read, so that it can be said.
        file.take(MAX_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| fail(path, &error))?;
        inputs.push(Input {
            name: path.display().to_string(),
            bytes,
        });
    }
    Ok(inputs)
}

fn fail(path: &Path, error: &std::io::Error) -> AppError {
    AppError::File {
        path: path.display().to_string(),
        what: error.to_string(),
    }
}
