//! Transcripts of the manual are what the commands really say.
//!
//! In a page, a `console` block holds commands behind `$ ` and what they print, a `diff` block an edit of the scheme.
//! They are carried out in order, in a folder like a newcomer's. `UPDATE_EXPECT=1` writes the outputs anew. Instants
//! and durations are not compared; everything else is.

use std::path::Path;

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
    let path = repository().join(page);
    let written = std::fs::read_to_string(&path).expect("a page of the repository");
    let real = carried_out(&written, folder.path(), lang);
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch of every test that writes what it compares"
    )]
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    if update && timeless(&written) != timeless(&real) {
        std::fs::write(&path, &real).expect("a page of the repository");
        return;
    }
    let (written, real) = (timeless(&written), timeless(&real));
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
    assert!(commands > 3, "the page has commands");
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
