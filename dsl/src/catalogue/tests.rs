use std::collections::BTreeSet;

use super::*;
use crate::diagnostic::{Lang, SourceFile, placeholders};

#[test]
fn codes_are_well_formed_and_unique() {
    let mut seen = BTreeSet::new();
    for entry in all() {
        let (letter, digits) = entry.code.split_at(1);
        let wanted = if entry.severity == Severity::Error {
            "E"
        } else {
            "W"
        };
        assert_eq!(letter, wanted, "{}", entry.code);
        assert!(
            digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()),
            "{}",
            entry.code
        );
        assert!(seen.insert(entry.code), "{} is there twice", entry.code);
    }
    assert_eq!(find("e9000"), Some(&internal::INTERNAL));
    assert_eq!(find("E0000"), None);
}

#[test]
fn every_entry_speaks_both_languages() {
    for entry in all() {
        let code = entry.code;
        for lang in [Lang::Zh, Lang::En] {
            assert!(!entry.text(lang).is_empty(), "{code} has no message in {lang:?}");
            assert!(
                !entry.long(lang).is_empty(),
                "{code} has no long text in {lang:?}"
            );
            assert!(
                !entry.text(lang).ends_with(['.', '\u{3002}']),
                "{code}: a message is no sentence"
            );
        }
        assert_eq!(
            entry.help_zh.is_empty(),
            entry.help_en.is_empty(),
            "{code}: help in one language only"
        );
        assert!(
            is_chinese(entry.zh) && is_chinese(entry.long_zh),
            "{code}: zh is not Chinese"
        );
        assert!(
            !is_chinese(entry.en) && !is_chinese(entry.help_en),
            "{code}: en is Chinese"
        );
    }
}

/// What a reader can compare an own file or answer with. A ledger that contradicts itself, and an engine that does,
/// have nothing that anybody wrote.
#[test]
fn every_entry_has_an_example() {
    let own_fault = |code: &str| code.starts_with("E506") || code == internal::INTERNAL.code;
    for entry in all().filter(|entry| !own_fault(entry.code)) {
        assert!(!entry.example.is_empty(), "{} has no example", entry.code);
    }
}

/// The examples of files are files.
#[test]
fn the_examples_of_yaml_produce_their_problem() {
    // Too long to be shown, or not to be written in a source file.
    let told =
        |entry: &Entry| entry.example.contains('…') || matches!(entry.code, "E1001" | "E1002" | "E1003");
    let mut wrong = Vec::new();
    for entry in yaml::ALL.iter().filter(|entry| !told(entry)) {
        let file = SourceFile::new("example.yaml", entry.example);
        let codes: Vec<&str> = match crate::yaml::read(&file) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(|problem| problem.entry.code).collect(),
        };
        if !codes.contains(&entry.code) {
            wrong.push(format!("{}: {codes:?}\n{}", entry.code, entry.example));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `expected_zh` and `expected_en` are one fact in two languages.
fn without_language(name: &str) -> &str {
    name.strip_suffix("_en")
        .or_else(|| name.strip_suffix("_zh"))
        .unwrap_or(name)
}

fn is_chinese(text: &str) -> bool {
    text.chars().any(|char| ('\u{4e00}'..='\u{9fff}').contains(&char))
}

/// A fact that one language uses and the other does not would be lost to half of the readers.
#[test]
fn both_languages_use_the_same_facts() {
    for entry in all() {
        let facts = |text: &'static str| -> BTreeSet<&str> {
            placeholders(text).into_iter().map(without_language).collect()
        };
        assert_eq!(facts(entry.zh), facts(entry.en), "{}", entry.code);
        assert_eq!(facts(entry.help_zh), facts(entry.help_en), "{}: help", entry.code);
        assert_eq!(
            facts(entry.long_zh),
            BTreeSet::new(),
            "{}: the long text stands alone",
            entry.code
        );
        assert_eq!(
            facts(entry.long_en),
            BTreeSet::new(),
            "{}: the long text stands alone",
            entry.code
        );
    }
}
