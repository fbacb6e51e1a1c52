//! The repository as text: which files it has, and their lines. What must hold of them is said in `tests/tests/tidy.rs`.

use std::path::{Path, PathBuf};

/// Folders that are not ours to keep tidy; nor is one that cargo marks as made by it, whatever its name.
const NOT_OURS: [&str; 3] = ["node_modules", ".git", ".engine"];

/// The mark of a folder that can be made again.
const MADE: &str = "CACHEDIR.TAG";

/// A text file of the repository.
#[derive(Debug, Clone)]
pub struct TextFile {
    /// Path from the root, with `/`.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests is a folder of the workspace")
}

/// Every text file, sorted by name. Files that are not UTF-8 are left out.
///
/// # Panics
/// When a folder cannot be read.
pub fn files() -> Vec<TextFile> {
    let mut paths = Vec::new();
    below(root(), &mut paths);
    paths.sort();
    paths
        .into_iter()
        .filter_map(|path| {
            let name = path
                .strip_prefix(root())
                .ok()?
                .to_string_lossy()
                .replace('\\', "/");
            let text = std::fs::read_to_string(&path).ok()?;
            Some(TextFile { name, text })
        })
        .collect()
}

fn below(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("an entry of the repository").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        // In a further work tree `.git` is a file.
        if NOT_OURS.contains(&name.as_str()) || path.join(MADE).is_file() {
            continue;
        }
        if path.is_dir() && !path.is_symlink() {
            below(&path, paths);
        } else if path.is_file() {
            paths.push(path);
        }
    }
}

impl TextFile {
    /// It is Rust that ships: neither a test nor an example.
    pub fn is_product(&self) -> bool {
        let parts: Vec<&str> = self.name.split('/').collect();
        self.name.ends_with(".rs")
            && !parts
                .iter()
                .any(|part| ["tests", "tests.rs", "benches"].contains(part))
    }

    /// The lines of the product in a Rust file: up to its module of unit tests, with numbers from 1.
    pub fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self.text.find("\n#[cfg(test)]\nmod ").unwrap_or(self.text.len());
        self.text[..end]
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }
}
