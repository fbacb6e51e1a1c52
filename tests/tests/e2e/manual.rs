//! Transcripts of the manual are what the commands really say.
//!
//! In a page, a `console` block holds commands behind `$ ` and what they print, a `diff` block an edit of the scheme.
//! They are carried out in order, in a folder like a newcomer's. `UPDATE_EXPECT=1` writes the outputs anew. Instants
//! and durations are not compared; everything else is. The guide of the scheme language says how its blocks are read.

use std::path::Path;

use dsl::{SourceFile, Value};
use tests::e2e::{FEEDER, MAIN, Run, repository};

#[test]
fn repair_a_record() {
    transcript("docs/repair-a-record.md", "en");
}

#[test]
fn repair_a_record_in_chinese() {
    transcript("docs/repair-a-record.zh.md", "zh");
}

#[test]
fn authoring() {
    transcript("docs/authoring.md", "en");
}

#[test]
fn authoring_in_chinese() {
    transcript("docs/authoring.zh.md", "zh");
}

#[test]
fn cut_over() {
    taken_over("docs/cut-over.md", "en");
}

#[test]
fn cut_over_in_chinese() {
    taken_over("docs/cut-over.zh.md", "zh");
}

/// In the target of the page another tool has written: an engine whose ledger is thrown away.
fn taken_over(page: &str, lang: &str) {
    prepared(page, lang, |folder| {
        said(
            "run schemes/huke-to-k3.yaml --sandbox --trades 120 --limit 26",
            folder,
            lang,
        );
        let data = folder.join(".engine/sandbox");
        for entry in std::fs::read_dir(&data).expect("it was made") {
            let path = entry.expect("a readable folder").path();
            if path.is_file() {
                std::fs::remove_file(path).expect("our own file");
            }
        }
        assert!(
            data.join("simulators").is_dir(),
            "what was written is still there"
        );
    });
}

/// Every example of the guide is a scheme that `check` has nothing to say about and whose tests pass.
#[test]
fn the_scheme_language() {
    guide("docs/scheme.md", "en");
}

#[test]
fn the_scheme_language_in_chinese() {
    guide("docs/scheme.zh.md", "zh");
}

/// Both languages show the same schemes.
#[test]
fn the_guide_says_the_same_twice() {
    let page =
        |name: &str| std::fs::read_to_string(repository().join(name)).expect("a page of the repository");
    let (en, zh) = (page("docs/scheme.md"), page("docs/scheme.zh.md"));
    let (en, zh) = (blocks(&en), blocks(&zh));
    assert_eq!(en.len(), zh.len());
    for (one, other) in en.iter().zip(&zh) {
        assert_eq!(one.kind, other.kind);
        if one.kind == "yaml" {
            assert_eq!(one.file(), other.file());
            assert_eq!(
                nameless(value(&one.text)),
                nameless(value(&other.text)),
                "{}",
                one.text
            );
        } else if one.kind != "console" {
            assert_eq!(one.text, other.text);
        }
    }
}

/// Names of tests are words for people.
fn nameless(mut scheme: Value) -> Value {
    if let Value::Map(map) = &mut scheme
        && let Some(Value::List(tests)) = map.get_mut("tests")
    {
        for test in tests {
            if let Value::Map(test) = test {
                test.shift_remove("name");
            }
        }
    }
    scheme
}

fn value(text: &str) -> Value {
    let node = dsl::yaml::read(&SourceFile::new("a block of the guide", text));
    node.unwrap_or_else(|problems| panic!("{problems:?}\n{text}"))
        .plain_value()
}

/// A block of a page.
struct Block {
    kind: String,
    text: String,
}

impl Block {
    /// The file that the block is: its first line, or what stands behind its kind, names it.
    fn file(&self) -> Option<&str> {
        if let Some(file) = self.kind.strip_prefix("csv ") {
            return Some(file);
        }
        let first = self.text.lines().next()?.strip_prefix("# ")?;
        (self.kind == "yaml" && first.ends_with(".yaml")).then_some(first)
    }
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(kind), None) => {
                open = Some(Block {
                    kind: kind.to_owned(),
                    text: String::new(),
                });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// `over` laid over `base`: members of maps by their names, everything else as it is.
fn laid(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Map(base), Value::Map(over)) => {
            for (name, value) in over {
                match base.get_mut(&name) {
                    Some(below) => laid(below, value),
                    None => {
                        base.insert(name, value);
                    }
                }
            }
        }
        (base, over) => *base = over,
    }
}

fn guide(page: &str, lang: &str) {
    let folder = tempfile::tempdir().expect("room for temporary files");
    let write = |name: &str, text: &str| {
        let to = folder.path().join(name);
        std::fs::create_dir_all(to.parent().expect("a file has a folder")).expect("our own folder");
        std::fs::write(to, text).expect("our own folder");
    };
    let path = repository().join(page);
    let written = std::fs::read_to_string(&path).expect("a page of the repository");
    let all = blocks(&written);
    all.iter()
        .filter_map(|block| Some((block.file()?, &block.text)))
        .for_each(|(file, text)| write(file, text));
    let smallest = all
        .iter()
        .find(|block| block.file() == Some("schemes/deliveries.yaml"));
    let smallest = value(&smallest.expect("the smallest scheme").text);
    let mut sections = 0;
    for block in all
        .iter()
        .filter(|block| block.kind == "yaml" && block.file().is_none())
    {
        sections += 1;
        let id = format!("section-{sections:02}");
        let mut scheme = smallest.clone();
        laid(&mut scheme, value(&block.text));
        laid(
            &mut scheme,
            Value::Map(
                [("scheme".to_owned(), Value::from(id.as_str()))]
                    .into_iter()
                    .collect(),
            ),
        );
        // JSON is YAML, too.
        write(&format!("schemes/{id}.yaml"), &dsl::json::to_string(&scheme));
    }
    assert!(sections > 15, "{page} has {sections} sections");
    let environment = [("ENGINE_LANG".to_owned(), "en".to_owned())];
    for words in [&["check", "schemes", "paced"][..], &["test", "schemes"]] {
        let ran = Run::new(folder.path(), &environment, words).finish();
        assert_eq!(ran.code, Some(0), "{page}: {ran}");
        assert!(ran.stderr.is_empty(), "{page}: {ran}");
    }
    same(page, &written, folder.path(), lang);
}

fn transcript(page: &str, lang: &str) {
    prepared(page, lang, |_| {});
}

fn prepared(page: &str, lang: &str, prepare: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().expect("room for temporary files");
    let recording = "schemes/samples/huke-to-k3.json";
    for name in ["connections.yaml", MAIN, FEEDER, recording] {
        let to = folder.path().join(name);
        std::fs::create_dir_all(to.parent().expect("a file has a folder")).expect("our own folder");
        std::fs::copy(repository().join(name), to).expect("the repository has it");
    }
    prepare(folder.path());
    let written = std::fs::read_to_string(repository().join(page)).expect("a page of the repository");
    same(page, &written, folder.path(), lang);
}

/// Carries the commands of a page out; they say what it says.
fn same(page: &str, written: &str, folder: &Path, lang: &str) {
    let path = repository().join(page);
    let real = carried_out(written, folder, lang);
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch of every test that writes what it compares"
    )]
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    if update && timeless(written) != timeless(&real) {
        std::fs::write(&path, &real).expect("a page of the repository");
        return;
    }
    let (written, real) = (timeless(written), timeless(&real));
    let differs = written.lines().zip(real.lines()).find(|(a, b)| a != b);
    assert!(
        written == real,
        "{page} does not say what the commands say; UPDATE_EXPECT=1 writes it anew\n{differs:#?}"
    );
}

/// The page with the real outputs.
fn carried_out(page: &str, folder: &Path, lang: &str) -> String {
    let mut real = String::new();
    let mut block = "";
    let mut edit = (String::new(), String::new());
    let mut commands = 0;
    for line in page.lines() {
        if let Some(kind) = line.strip_prefix("```") {
            if block == "diff" {
                mend(folder, &edit);
                edit = (String::new(), String::new());
            }
            block = if block.is_empty() { kind } else { "" };
        } else if block == "console" {
            let Some(command) = line.strip_prefix("$ engine ") else {
                // What was printed when the page was written.
                continue;
            };
            real.push_str(line);
            real.push('\n');
            real.push_str(&said(command, folder, lang));
            commands += 1;
            continue;
        } else if block == "diff" {
            let (from, to) = &mut edit;
            match (line.strip_prefix('-'), line.strip_prefix('+')) {
                (Some(old), _) => from.push_str(&format!("{old}\n")),
                (_, Some(new)) => to.push_str(&format!("{new}\n")),
                _ => panic!("an edit of lines: {line}"),
            }
        }
        real.push_str(line);
        real.push('\n');
    }
    assert!(commands > 2, "the page has commands");
    real
}

fn mend(folder: &Path, (from, to): &(String, String)) {
    let path = folder.join(MAIN);
    let text = std::fs::read_to_string(&path).expect("our own file");
    assert!(text.contains(from.as_str()), "{MAIN} does not hold {from:?}");
    std::fs::write(path, text.replacen(from.as_str(), to, 1)).expect("our own file");
}

fn said(command: &str, folder: &Path, lang: &str) -> String {
    let words = words(command);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let environment = [("ENGINE_LANG", lang), ("USER", "li")];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let ran = Run::new(folder, &environment, &words).finish();
    assert!(matches!(ran.code, Some(0 | 1)), "{ran}");
    assert!(!ran.stdout.is_empty(), "{ran}");
    let lines: Vec<&str> = ran.stdout.lines().map(str::trim_end).collect();
    format!("{}\n", lines.join("\n"))
}

/// The words of a command line; `"` keeps several together.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (nth, part) in command.split('"').enumerate() {
        if nth % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// Without instants and durations.
fn timeless(page: &str) -> String {
    let line = |line: &str| {
        let words: Vec<&str> = line
            .split(' ')
            .map(|word| if is_time(word) { "…" } else { word })
            .collect();
        words.join(" ")
    };
    page.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn is_time(word: &str) -> bool {
    let shape: String = word
        .chars()
        .map(|char| if char.is_ascii_digit() { '0' } else { char })
        .collect();
    let is_span = |word: &str| {
        let digits = word.trim_end_matches(['m', 's']);
        digits.len() < word.len()
            && digits.starts_with(|c: char| c.is_ascii_digit())
            && !digits.contains(char::is_alphabetic)
    };
    shape == "0000-00-00" || shape == "00:00:00" || is_span(word)
}

#[test]
fn only_times_are_left_out() {
    assert_eq!(
        timeless("2026-11-22 17:41:14  answer  HTTP 200  16ms  dead E4000 100 1.2s"),
        "… …  answer  HTTP 200  …  dead E4000 100 …"
    );
}
