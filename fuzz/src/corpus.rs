//! Texts that once went wrong, in `tests/corpus/fuzz/TARGET/`: a file is one input, byte for byte.

use std::path::PathBuf;

use crate::target::Target;
use crate::world::repository;

/// Where the inputs of a target are kept.
pub fn folder(target: Target) -> PathBuf {
    repository().join("tests/corpus/fuzz").join(target.name())
}

/// The kept inputs with their names, sorted.
///
/// # Panics
/// When a file cannot be read.
pub fn of(target: Target) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder(target))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .map(|path| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            (name, std::fs::read(&path).expect("a file of the corpus"))
        })
        .collect();
    found.sort();
    found
}
