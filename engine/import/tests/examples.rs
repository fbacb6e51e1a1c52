//! The published schemes: each is brought over, every leaf of it is accounted for, and file and report are as they were.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use connector::Connector;
use dsl::{Lang, SourceFile, Value, json};
use expect_test::expect_file;
use import::account::{Fate, leaves};
use import::{Import, Input, Known, import, report};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/qeasy")
}

fn connectors() -> Vec<Arc<Connector>> {
    let registry = functions::registry();
    let load = |(id, text): &(&str, &str)| {
        let file = SourceFile::new(format!("{id}.yaml"), *text);
        Arc::new(connector::load(&file, &registry).expect("a connector of ours"))
    };
    connector::builtin().iter().map(load).collect()
}

fn brought(inputs: &[Input]) -> Import {
    let connectors = connectors();
    let registry = functions::registry();
    let known = Known {
        connectors: &connectors,
        connections: None,
        env: "default",
        registry: &registry,
        around: None,
    };
    import(inputs, &known)
}

fn input(name: &str, text: &str) -> Input {
    Input {
        name: name.to_owned(),
        bytes: text.as_bytes().to_vec(),
    }
}

fn examples() -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = std::fs::read_dir(corpus())
        .expect("the corpus")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).expect("text"))
        })
        .collect();
    found.sort();
    found
}

/// Every leaf of the schemes has one fate, and the schemes have every leaf of the text.
fn accounted(import: &Import, text: &str) {
    let mut own = 0;
    for scheme in &import.report.schemes {
        let total = scheme.total();
        assert_eq!(total.carried + total.reported, total.total, "{}", scheme.scheme);
        assert_eq!(total.total, scheme.leaves.len());
        for (path, leaf) in &scheme.leaves {
            match &leaf.fate {
                None => panic!("{}: {path} has no fate", scheme.scheme),
                Some(Fate::Carried(to)) => assert!(!to.is_empty(), "{path}"),
                Some(Fate::Reported(code)) => {
                    assert!(dsl::catalogue::find(code).is_some(), "{path}: {code}");
                    let is_told = scheme.notes.iter().any(|note| note.failure.code() == *code);
                    assert!(
                        is_told,
                        "{}: {path} is reported as {code}, and no line of the report says so",
                        scheme.scheme
                    );
                }
            }
        }
        own += total.total;
    }
    if let Ok(value) = json::parse(text.as_bytes()) {
        let mut all = 0;
        leaves(&value, "", &mut |_, _| all += 1);
        assert_eq!(own, all, "leaves of the text");
    }
}

#[test]
fn every_published_scheme_is_brought_over() {
    let examples = examples();
    assert_eq!(examples.len(), 11);
    for (name, text) in &examples {
        let import = brought(&[input(name, text)]);
        assert!(
            import.report.refused.is_empty(),
            "{name}: {:?}",
            import.report.refused
        );
        accounted(&import, text);
        let stem = name.trim_end_matches(".json");
        let expected = corpus().join("expected");
        let mut files = String::new();
        for (file, text) in &import.files {
            let read = dsl::yaml::read(&SourceFile::new(file.as_str(), text.as_str()));
            assert!(read.is_ok(), "{file}: {read:?}\n{text}");
            files.push_str(&format!("# --- {file}\n{text}"));
        }
        expect_file![expected.join(format!("{stem}.yaml"))].assert_eq(&files);
        for (lang, word) in [(Lang::En, "en"), (Lang::Zh, "zh")] {
            expect_file![expected.join(format!("{stem}.{word}.md"))]
                .assert_eq(&report::markdown(&import.report, lang));
        }
    }
}

/// All of them in one command: look-ups find what is imported beside them, and no id is there twice.
#[test]
fn all_at_once() {
    let inputs: Vec<Input> = examples().iter().map(|(name, text)| input(name, text)).collect();
    let import = brought(&inputs);
    let mut names: Vec<&str> = import.files.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    assert_eq!(count, 13);
    let fields: usize = import
        .report
        .schemes
        .iter()
        .filter_map(|scheme| scheme.totals.get(&import::account::LeafKind::Expression))
        .map(|total| total.total)
        .sum();
    // Ten of `_function`, five look-ups.
    assert_eq!(fields, 15);
    let value = Value::from("x");
    assert_eq!(value.to_plain_text().as_deref(), Some("x"));
}
