//! What a compiler cannot see: codes nobody produces, connectors without samples, dead links, names out of place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dsl::catalogue;
use dsl::diagnostic::{Lang, SourceFile};
use tests::tidy::{TextFile, files, root};

/// Codes that no test or corpus file shows yet. The list may only become shorter.
const NO_TEST_YET: &str = include_str!("../corpus/codes-without-a-test.txt");

fn listed(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

fn is_rewriting() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the usual switch of expectation tests")]
    std::env::var_os("UPDATE_EXPECT").is_some()
}

/// Identifiers and other words of a text.
fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .collect()
}

#[test]
fn every_code_has_both_languages_is_produced_and_is_tested() {
    let files = files();
    let (mut product, mut tested) = (BTreeSet::new(), BTreeSet::new());
    for file in &files {
        let is_catalogue = file.name.starts_with("dsl/src/catalogue/");
        let is_list = file.name == "tests/corpus/codes-without-a-test.txt";
        if file.is_product() && !is_catalogue {
            for (_, line) in file.product_lines() {
                product.extend(words(line));
            }
        }
        let is_test = file.name.starts_with("tests/")
            || file.name.contains("/tests")
            || file.name.contains("/contract/");
        if is_test && !is_catalogue && !is_list {
            tested.extend(words(&file.text));
        } else if file.name.ends_with(".rs") && !is_catalogue {
            let shipped: usize = file.product_lines().map(|(_, line)| line.len() + 1).sum();
            tested.extend(words(&file.text[shipped.min(file.text.len())..]));
            // The examples of a function stand beside it and are executed.
            tested.extend(
                file.text
                    .lines()
                    .filter(|line| line.contains("Example::fails"))
                    .flat_map(words),
            );
        }
    }
    let names = names_of_codes(&files);
    let mut wrong = Vec::new();
    let mut untested = BTreeSet::new();
    for entry in catalogue::all() {
        let code = entry.code;
        for lang in [Lang::Zh, Lang::En] {
            if entry.text(lang).is_empty() || entry.long(lang).is_empty() {
                wrong.push(format!("{code} says nothing in {lang:?}"));
            }
        }
        let name = names
            .get(code)
            .unwrap_or_else(|| panic!("{code} is no constant of the catalogue"));
        if !product.contains(name.as_str()) && !product.contains(code) {
            wrong.push(format!(
                "{code} ({name}) is produced nowhere: delete it, or use it"
            ));
        }
        if !tested.contains(code) && !tested.contains(name.as_str()) {
            untested.insert(code.to_owned());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    if is_rewriting() {
        let head = "# Codes that no test or corpus file shows yet. This list may only become shorter.\n";
        let body: String = untested
            .iter()
            .map(|code| format!("{code} {}\n", names[code.as_str()]))
            .collect();
        let path = root().join("tests/corpus/codes-without-a-test.txt");
        std::fs::write(path, format!("{head}{body}")).expect("the corpus can be written");
        return;
    }
    let known = listed(NO_TEST_YET);
    let new: Vec<_> = untested.difference(&known).collect();
    let old: Vec<_> = known.difference(&untested).collect();
    assert!(new.is_empty(), "no test shows {new:?}");
    assert!(
        old.is_empty(),
        "tested by now or gone, take them off the list: {old:?}"
    );
}

/// Code -> name of its constant.
fn names_of_codes(files: &[TextFile]) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for file in files
        .iter()
        .filter(|file| file.name.starts_with("dsl/src/catalogue/"))
    {
        let mut name = "";
        for line in file.text.lines() {
            let line = line.trim();
            if let Some((found, _)) = line
                .strip_prefix("pub const ")
                .and_then(|rest| rest.split_once(": Entry"))
            {
                name = found;
            } else if let Some(code) = line
                .strip_prefix("code: \"")
                .and_then(|rest| rest.strip_suffix("\","))
            {
                names.insert(code.to_owned(), name.to_owned());
            } else if let Some((found, rest)) = line.split_once(": \"").filter(|(found, _)| *found != "code")
            {
                // Families with a macro write `NAME: "E1000"`; anything else is no code.
                let code: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
                if code.len() == 5
                    && code.starts_with(['E', 'W'])
                    && found.chars().all(|c| c.is_ascii_uppercase() || c == '_')
                {
                    names.insert(code, found.to_owned());
                }
            }
        }
    }
    names
}

fn folders(of: &str) -> Vec<std::path::PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir(root().join(of))
        .expect("a folder of the repository")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

fn has_tests(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).expect("a file of the repository");
    let file = SourceFile::new(path.display().to_string(), text);
    let node = dsl::yaml::read(&file).unwrap_or_else(|problems| panic!("{problems:?}"));
    node.get("tests")
        .is_some_and(|pair| matches!(&pair.value.kind, dsl::yaml::NodeKind::List(list) if !list.is_empty()))
}

#[test]
fn every_connector_has_a_page_samples_and_tests() {
    let connectors = folders("connectors");
    assert!(connectors.len() >= 2);
    for folder in connectors {
        let shown = folder.display();
        assert!(folder.join("README.md").is_file(), "{shown} has no README.md");
        let samples = std::fs::read_dir(folder.join("samples")).map_or(0, Iterator::count);
        assert!(samples > 0, "{shown} has no samples");
        let file = folder.join("connector.yaml");
        assert!(has_tests(&file), "{shown} has no tests");
        let text = std::fs::read_to_string(&file).expect("a connector");
        assert!(
            text.contains("\nverified:"),
            "{shown} does not say what is verified"
        );
        let id = folder.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(
            text.starts_with(&format!("connector: {id}\n")),
            "{shown}: its id is its folder"
        );
    }
}

#[test]
fn every_scheme_has_tests() {
    let mut count = 0;
    for file in files()
        .iter()
        .filter(|file| file.name.starts_with("schemes/") && file.name.ends_with(".yaml"))
    {
        count += 1;
        assert!(has_tests(&root().join(&file.name)), "{} has no tests", file.name);
    }
    assert!(count >= 2);
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    // In pieces, because this file is looked at too.
    let forbidden: Vec<String> = [
        ["/wo", "rk/"],
        ["/tm", "p/w/"],
        ["/ro", "ot/"],
        ["artifac", "tory"],
        ["pypi.", "org"],
        ["registry.", "npmjs"],
        ["index.", "crates.io"],
        ["static.", "crates.io"],
    ]
    .iter()
    .map(|pieces| pieces.concat())
    .collect();
    for file in files() {
        for (index, line) in file.text.lines().enumerate() {
            for word in &forbidden {
                assert!(
                    !line.contains(word.as_str()),
                    "{}:{}: {line}",
                    file.name,
                    index + 1
                );
            }
        }
    }
}

#[test]
fn packages_come_from_one_place() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("it is committed");
    let sources: BTreeSet<&str> = lock
        .lines()
        .filter_map(|line| line.strip_prefix("source = "))
        .collect();
    assert_eq!(
        sources,
        BTreeSet::from(["\"registry+https://github.com/rust-lang/crates.io-index\""])
    );
    let config = std::fs::read_to_string(root().join(".cargo/config.toml")).expect("the alias stands there");
    assert!(
        !config.contains("[source") && !config.contains("[registr"),
        "a machine's own mirror is in .cargo/config.toml"
    );
}

/// What differs between systems stands in `connectors/`. Only the table of built-in connectors and the examples that
/// people read may name one.
#[test]
fn no_vendor_is_named_in_rust() {
    const VENDORS: [&str; 19] = [
        "kingdee",
        "huke",
        "netease",
        "fxiaoke",
        "sharecrm",
        "jushuitan",
        "wangdian",
        "yonyou",
        "xiaoman",
        "okki",
        "mabang",
        "feishu",
        "dingtalk",
        "wecom",
        "landray",
        "fcustid",
        "fnumber",
        "bd_customer",
        "k3cloud",
    ];
    // Group robots are no systems that data goes through: how each signs and answers is code, in one file.
    const PLACES: [&str; 2] = [
        "engine/connector/src/builtin.rs",
        "engine/app/src/notify/channel.rs",
    ];
    // The protocol of one platform that calls us, and where it is joined to the rest.
    const PROTOCOL: (&str, [&str; 2]) = ("engine/server/src/fxiaoke/", ["mod fxiaoke;", "crate::fxiaoke"]);
    let mut wrong = Vec::new();
    for file in files()
        .into_iter()
        .filter(|file| !file.name.starts_with(PROTOCOL.0))
    {
        let is_engine = ["engine/", "dsl/", "functions/"]
            .iter()
            .any(|part| file.name.starts_with(part));
        let is_testing = file.name.contains("/contract/");
        if !is_engine || !file.is_product() || is_testing || PLACES.contains(&file.name.as_str()) {
            continue;
        }
        for (number, line) in file.product_lines() {
            let lower = line.to_ascii_lowercase();
            let is_example = lower.contains("example") || lower.trim_start().starts_with("///");
            let is_named = VENDORS.iter().any(|vendor| lower.contains(vendor)) || words(line).contains("K3");
            let is_joint = PROTOCOL.1.iter().any(|joint| line.contains(joint));
            if is_named && !is_example && !is_joint {
                wrong.push(format!("{}:{number}: {}", file.name, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut wrong = Vec::new();
    let mut links = 0;
    for file in files().iter().filter(|file| file.name.ends_with(".md")) {
        let folder = root()
            .join(&file.name)
            .parent()
            .expect("a file has a folder")
            .to_owned();
        for rest in file.text.split("](").skip(1) {
            let link = rest.split([')', ' ']).next().unwrap_or_default();
            let (path, _) = link.split_once('#').unwrap_or((link, ""));
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            links += 1;
            if !folder.join(path).exists() {
                wrong.push(format!("{}: {link}", file.name));
            }
        }
    }
    assert!(links > 5, "only {links} links");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_crate_inherits_lints_and_versions() {
    let mut count = 0;
    for file in files().iter().filter(|file| file.name.ends_with("/Cargo.toml")) {
        count += 1;
        assert!(
            file.text.contains("[lints]\nworkspace = true"),
            "{} has lints of its own",
            file.name
        );
        // A workspace of its own has versions of its own.
        if file.text.contains("\n[workspace]\n") {
            continue;
        }
        let own = file.text.lines().find(|line| line.contains("version = \""));
        assert_eq!(
            own, None,
            "{}: versions stand in the workspace's manifest",
            file.name
        );
    }
    assert!(count >= 10);
    for file in files()
        .iter()
        .filter(|file| file.name.ends_with(".rs") && file.name != "tests/tests/tidy.rs")
    {
        assert!(!file.text.contains("unsafe {"), "{}", file.name);
    }
}

#[test]
fn users_can_read_what_changed() {
    let changelog = std::fs::read_to_string(root().join("CHANGELOG.md")).expect("there is one");
    assert!(changelog.to_lowercase().contains("unreleased"));
    for file in [
        "README.md",
        "README.zh.md",
        "ARCHITECTURE.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
    ] {
        assert!(root().join(file).is_file(), "{file}");
    }
}
