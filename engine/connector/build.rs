//! Puts `connectors/` of the repository into the binary: every connector file, and the samples beside it. A new system
//! is a new folder and no line of Rust.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script: cargo speaks to it through the environment"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let out = std::env::var_os("OUT_DIR")
        .map(PathBuf::from)
        .expect("cargo sets OUT_DIR");
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .expect("cargo sets it");
    let folder = here
        .join("../../connectors")
        .canonicalize()
        .expect("the folder `connectors`");
    let mut connectors = String::from("pub(super) const CONNECTORS: &[(&str, &str)] = &[\n");
    let mut samples = String::from("pub(super) const SAMPLES: &[(&str, &str, &str)] = &[\n");
    watch(&folder);
    for system in entries(&folder) {
        let file = system.join("connector.yaml");
        if !file.is_file() {
            continue;
        }
        let id = name(&system);
        watch(&system);
        row(&mut connectors, &[&id], &file);
        watch(&system.join("samples"));
        for sample in entries(&system.join("samples")) {
            // A sample with another name than an operation is for people: it shows a part, and knows no columns.
            if sample.extension().is_some_and(|ending| ending == "json") {
                let operation = name(&sample.with_extension(""));
                row(&mut samples, &[&id, &operation], &sample);
            }
        }
    }
    let text = format!("{connectors}];\n\n{samples}];\n");
    std::fs::write(out.join("connectors.rs"), text).expect("OUT_DIR can be written");
}

/// A line of a table: some texts, and the contents of a file.
fn row(table: &mut String, texts: &[&str], file: &Path) {
    let texts: String = texts.iter().map(|text| format!("{text:?}, ")).collect();
    writeln!(table, "    ({texts}include_str!({file:?})),").expect("a text can be written to");
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// New files and files that went are noticed as well; contents are watched through `include_str!`.
fn watch(folder: &Path) {
    println!("cargo::rerun-if-changed={}", folder.display());
}
