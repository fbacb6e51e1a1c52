//! `engine check` on files that are wrong, one case a file in `corpus/check/bad/`, and on some that are right.
//!
//! What the author of the file would see stands beside it, in Chinese and in English, and is compared byte for byte;
//! `UPDATE_EXPECT=1` writes it anew. Read what was written: the caret under the right character, every problem at
//! once, and a help that helps.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use dsl::diagnostic::SourceFile;
use dsl::yaml::{Node, NodeKind};
use serde_json::Value;
use tests::e2e::{Ran, Run, repository};

/// A folder as an author has it: connections beside the schemes' folder, one other scheme and two tables to look up in.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Desk {
            folder: tempfile::tempdir().expect("room for temporary files"),
        };
        for name in ["connections.yaml", "schemes/huke-customers.yaml"] {
            let text = std::fs::read_to_string(repository().join(name)).expect("the repository has it");
            desk.write(name, text.as_bytes());
        }
        for (name, text) in [
            ("warehouses", "code,number\r\n主仓,CK001\r\n退货仓,CK002\r\n"),
            ("twice", "code,number\n主仓,CK001\n退货仓,CK002\n主仓,CK009\n"),
        ] {
            desk.write(&format!("schemes/maps/{name}.csv"), text.as_bytes());
        }
        desk
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("our own folder");
        std::fs::write(path, bytes).expect("our own folder");
    }

    fn engine(&self, words: &[&str]) -> Ran {
        Run::new(self.folder.path(), &[], words).finish()
    }

    /// Checks one text as `schemes/NAME.yaml`.
    fn check(&self, name: &str, bytes: &[u8], more: &[&str]) -> Ran {
        let path = format!("schemes/{name}.yaml");
        self.write(&path, bytes);
        let words: Vec<&str> = ["check", &path].into_iter().chain(more.iter().copied()).collect();
        let ran = self.engine(&words);
        std::fs::remove_file(self.folder.path().join(&path)).expect("it was written above");
        ran
    }
}

fn corpus(kind: &str) -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus/check")
        .join(kind);
    let mut cases: Vec<(String, PathBuf)> = std::fs::read_dir(folder)
        .expect("the corpus is there")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .map(|path| {
            (
                path.file_stem().expect("a name").to_string_lossy().into_owned(),
                path,
            )
        })
        .collect();
    cases.sort();
    cases
}

fn is_rewriting() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the usual switch of expectation tests")]
    std::env::var_os("UPDATE_EXPECT").is_some()
}

fn as_expected(kind: &str, least: usize, code: i32, lang: &str) {
    let desk = Desk::new();
    let mut wrong = Vec::new();
    let cases = corpus(kind);
    assert!(cases.len() >= least, "only {} cases", cases.len());
    for (name, path) in cases {
        let bytes = std::fs::read(&path).expect("a file of the corpus");
        let ran = desk.check(&name, &bytes, &["--lang", lang]);
        let shown = format!("{}{}", ran.stdout, ran.stderr);
        if ran.code != Some(code) {
            wrong.push(format!(
                "{name}: exit code {:?} in place of {code}\n{shown}",
                ran.code
            ));
        }
        let expected = path.with_extension(format!("{lang}.txt"));
        if is_rewriting() {
            std::fs::write(&expected, &shown).expect("the corpus can be written");
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != shown {
            wrong.push(format!("{name}: not as in {}\n{shown}", expected.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of the cases:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn bad_files_in_chinese() {
    as_expected("bad", 30, 1, "zh");
}

#[test]
fn bad_files_in_english() {
    as_expected("bad", 30, 1, "en");
}

/// What `check --fix` makes of the bad files, all in one folder, stands in `corpus/check/fix/` under the same names; a
/// file that has none there is not touched. A second time changes nothing, and what was told is what was done.
#[test]
fn mended_files() {
    let desk = Desk::new();
    let place = |name: &str| format!("schemes/{name}.yaml");
    let cases: Vec<(String, Vec<u8>)> = corpus("bad")
        .into_iter()
        .map(|(name, path)| (name, std::fs::read(path).expect("a file of the corpus")))
        .collect();
    for (name, before) in &cases {
        desk.write(&place(name), before);
    }
    let text = |name: &str| std::fs::read(desk.folder.path().join(place(name))).expect("written above");
    let fix = |more: &[&str]| {
        desk.engine(&[&["check", "schemes", "--fix", "--json"], more].concat())
            .json()
    };
    let rehearsed = fix(&["--dry-run"]);
    for (name, before) in &cases {
        assert_eq!(text(name), *before, "{name}: --dry-run writes nothing");
    }
    let told = fix(&[]);
    assert_eq!(rehearsed["fixes"]["changes"], told["fixes"]["changes"]);
    let mended: Vec<Vec<u8>> = cases.iter().map(|(name, _)| text(name)).collect();
    assert_eq!(
        fix(&[])["fixes"]["changes"],
        serde_json::json!([]),
        "the second time"
    );
    let changes = told["fixes"]["changes"].as_array().expect("a list");
    let mut wrong = Vec::new();
    let mut count = 0;
    for ((name, before), after) in cases.iter().zip(&mended) {
        assert_eq!(text(name), *after, "{name}: the second time");
        let is_told = changes.iter().any(|change| change["file"] == place(name));
        assert_eq!(is_told, after != before, "{name}");
        count += usize::from(is_told);
        let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("corpus/check/fix/{name}.yaml"));
        if is_rewriting() && is_told {
            std::fs::write(&expected, after).expect("the corpus can be written");
        } else if std::fs::read(&expected).unwrap_or_else(|_| before.clone()) != *after {
            let after = String::from_utf8_lossy(after);
            wrong.push(format!("{name}: not as in {}\n{after}", expected.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 25, "only {count} files");
}

/// Doubtful files: they are run all the same, and `--strict` refuses them.
#[test]
fn doubtful_files() {
    as_expected("warn", 5, 0, "zh");
    as_expected("warn", 5, 0, "en");
    let desk = Desk::new();
    for (name, path) in corpus("warn") {
        let bytes = std::fs::read(path).expect("a file of the corpus");
        let ran = desk.check(&name, &bytes, &["--strict"]);
        assert_eq!(ran.code, Some(1), "{ran}");
    }
}

#[test]
fn good_files() {
    let desk = Desk::new();
    let mut wrong = String::new();
    for (name, path) in corpus("good") {
        let ran = desk.check(
            &name,
            &std::fs::read(path).expect("a file of the corpus"),
            &["--strict"],
        );
        if ran.code != Some(0) {
            write!(wrong, "{name}:\n{ran}").expect("text grows");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Files too big or too odd to be kept: the answer is short, names the place, and comes at once.
#[test]
fn monsters() {
    let base = |name: &str, request: &str| {
        format!(
            "scheme: {name}\nsource: {{connection: huke, api: openapi/trade/searchTrades, key: buyerCid}}\ntarget:\n  \
             connection: k3\n  api: batchSave\n  options: {{FormId: BD_Customer}}\n  request:\n    FNumber: <<buyerCid>>\n    \
             FCreateOrgId: {{FNumber: \"100\"}}\n    FName: {request}\nschedule: {{every: 6m}}\n"
        )
    };
    let filler = "# 客户\n".repeat((2 << 20) / 9);
    let long = format!("_function CONCAT('客户', {})", vec!["'甲'"; 1500].join(", "));
    assert!(long.len() > 9 << 10);
    let deep = format!("_function {}1{}", "(".repeat(5_000), ")".repeat(5_000));
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "two-mebibytes",
            format!("{filler}{}", base("two-mebibytes", "x")).into_bytes(),
            "E1001",
        ),
        (
            "long-expression",
            base("long-expression", &long).into_bytes(),
            "E1313",
        ),
        (
            "deep-expression",
            base("deep-expression", &deep).into_bytes(),
            "E13",
        ),
        (
            "deep-yaml",
            base("deep-yaml", &"[".repeat(50_000)).into_bytes(),
            "E10",
        ),
        (
            "deep-block",
            (0..200)
                .map(|n| format!("{}a:\n", "  ".repeat(n)))
                .collect::<String>()
                .into_bytes(),
            "E10",
        ),
        ("gbk", b"scheme: a\nname: \xbf\xcd\xbb\xa7\n".to_vec(), "E1002"),
        ("nul", b"scheme: a\nname: \x00\n".to_vec(), "E1003"),
        ("not-text", vec![0xff; 3_000], "E1002"),
        ("lines-of-nothing", "\n".repeat(1 << 20).into_bytes(), "E10"),
        (
            "long-line",
            format!("scheme: {}\n", "客".repeat(200_000)).into_bytes(),
            "E1",
        ),
        (
            "many-keys",
            (0..20_000)
                .map(|n| format!("键{n}: 值\n"))
                .collect::<String>()
                .into_bytes(),
            "E1",
        ),
    ];
    let desk = Desk::new();
    for (name, bytes, code) in cases {
        for lang in ["zh", "en"] {
            let ran = desk.check(name, &bytes, &["--lang", lang]);
            let shown = format!("{}{}", ran.stdout, ran.stderr);
            assert_eq!(
                ran.code,
                Some(1),
                "{name}: {}",
                shown.chars().take(2_000).collect::<String>()
            );
            assert!(
                shown.contains(code),
                "{name}: {}",
                shown.chars().take(2_000).collect::<String>()
            );
            assert!(
                shown.len() < 8_000,
                "{name}: {} bytes for a person to read",
                shown.len()
            );
            assert!(!shown.contains("panicked"), "{name}: {shown}");
        }
    }
}

/// What `run` and `dry-run` make of a file that `check` refuses: exit code 2, the same words, nothing written.
#[test]
fn a_scheme_that_does_not_compile_is_not_run() {
    let desk = Desk::new();
    let (name, path) = corpus("bad")
        .into_iter()
        .find(|(name, _)| name == "many-problems")
        .expect("in the corpus");
    desk.write(
        &format!("schemes/{name}.yaml"),
        &std::fs::read(path).expect("a file of the corpus"),
    );
    let scheme = format!("schemes/{name}.yaml");
    for command in ["run", "dry-run"] {
        let ran = desk.engine(&[command, &scheme, "--sandbox"]);
        assert_eq!(ran.code, Some(2), "{ran}");
        assert!(
            ran.stderr.contains("E1301") && ran.stderr.contains("E1110"),
            "{ran}"
        );
        assert!(
            !desk.folder.path().join(".engine").exists(),
            "{command} left something behind"
        );
    }
    assert_eq!(desk.engine(&["check", "schemes/no-such-file.yaml"]).code, Some(2));
    assert_eq!(desk.engine(&["check", &scheme, "--exit-zero"]).code, Some(0));
}

// ---- The schema for editors agrees with `check`.

/// Codes of problems that a schema can see: keys that are unknown, missing, exclusive, or of the wrong form.
const STRUCTURAL: [&str; 5] = ["E1101", "E1102", "E1103", "E1104", "E1108"];

/// Cases whose structural problem lies deeper than JSON Schema looks. Each needs its reason.
const SCHEMA_IS_WEAKER: &[(&str, &str)] = &[(
    "tests-fates",
    "what `expect` may say hangs on `rows` beside it, and a document may be any map",
)];

fn validator(desk: &Desk) -> jsonschema::Validator {
    let schema = desk.engine(&["schema"]);
    assert_eq!(schema.code, Some(0), "{schema}");
    jsonschema::validator_for(&schema.json()).expect("a valid schema")
}

fn node(bytes: &[u8]) -> Option<Node> {
    let text = String::from_utf8(bytes.to_vec()).ok()?;
    dsl::yaml::read(&SourceFile::new("case.yaml".to_owned(), text)).ok()
}

fn json(node: &Node) -> Value {
    serde_json::from_str(&dsl::json::to_string(&node.plain_value())).expect("our own JSON")
}

fn codes(ran: &Ran) -> BTreeSet<String> {
    let document = ran.json();
    let list = document["diagnostics"]
        .as_array()
        .unwrap_or_else(|| panic!("{ran}"));
    list.iter()
        .map(|one| one["code"].as_str().expect("text").to_owned())
        .collect()
}

#[test]
fn schema_and_check_agree_on_the_corpus() {
    let desk = Desk::new();
    let schema = validator(&desk);
    let mut wrong = Vec::new();
    for (name, path) in corpus("good") {
        let tree = json(&node(&std::fs::read(path).expect("a file of the corpus")).expect("good YAML"));
        if tree.get("scheme").is_some()
            && let Some(error) = schema.iter_errors(&tree).next()
        {
            wrong.push(format!(
                "{name} is good, and the schema says: {}: {error}",
                error.instance_path()
            ));
        }
    }
    let mut structural = 0;
    for (name, path) in corpus("bad") {
        let bytes = std::fs::read(path).expect("a file of the corpus");
        let Some(tree) = node(&bytes)
            .map(|node| json(&node))
            .filter(|tree| tree.get("scheme").is_some())
        else {
            continue;
        };
        let found = codes(&desk.check(&name, &bytes, &["--json"]));
        let is_structural = found.iter().any(|code| STRUCTURAL.contains(&code.as_str()));
        let is_weaker = SCHEMA_IS_WEAKER.iter().any(|(known, _)| *known == name);
        structural += usize::from(is_structural);
        match (is_structural, schema.is_valid(&tree)) {
            (true, true) if !is_weaker => wrong.push(format!("{name}: the schema does not see {found:?}")),
            (true, false) if is_weaker => {
                wrong.push(format!("{name}: the schema sees it; take it off the list"))
            }
            _ => {}
        }
    }
    assert!(structural >= 6, "only {structural} structural cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every key of the good files, misspelt one at a time: both see it, or neither, because the place is data.
#[test]
fn schema_and_check_agree_on_every_misspelt_key() {
    let desk = Desk::new();
    let schema = validator(&desk);
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (name, path) in corpus("good") {
        let text = std::fs::read_to_string(path).expect("a file of the corpus");
        let Some(root) = node(text.as_bytes()).filter(|root| root.get("scheme").is_some()) else {
            continue;
        };
        let mut keys = Vec::new();
        engine_keys(&root, &mut Vec::new(), &mut keys);
        for (place, span) in keys {
            let bent = format!("{}q{}", &text[..span.end], &text[span.end..]);
            let Some(tree) = node(bent.as_bytes()).map(|node| json(&node)) else {
                continue;
            };
            let checked = desk.check(&name, bent.as_bytes(), &["--json"]);
            let refused = checked.code == Some(1);
            seen += 1;
            if refused == schema.is_valid(&tree) {
                let who = if refused {
                    "check, but not the schema,"
                } else {
                    "the schema, but not check,"
                };
                wrong.push(format!("{name}: {who} refuses `{place}q`"));
            }
        }
    }
    assert!(seen > 50, "only {seen} keys");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Keys at places where the engine, not the data, decides which there are.
fn engine_keys(node: &Node, path: &mut Vec<String>, found: &mut Vec<(String, std::ops::Range<usize>)>) {
    // `operation` has the keys of the connector format, with a schema of its own.
    const DATA: [&str; 12] = [
        "request",
        "options",
        "derive",
        "fields",
        "name",
        "maps",
        "aliases",
        "row",
        "lookups",
        "line_ids",
        "expect",
        "operation",
    ];
    match &node.kind {
        NodeKind::Map(pairs) => {
            for pair in pairs {
                path.push(pair.key.clone());
                found.push((path.join("."), pair.key_span.clone()));
                if !DATA.contains(&pair.key.as_str()) {
                    engine_keys(&pair.value, path, found);
                }
                path.pop();
            }
        }
        NodeKind::List(items) => items.iter().for_each(|item| engine_keys(item, path, found)),
        NodeKind::Scalar(_) => {}
    }
}
