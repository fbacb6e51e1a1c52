//! What a server printed, compared row by row with what we print.

mod common;

use common::{Fixed, printed};
use proptest::prelude::*;

/// The recorded rows, by family, and how many there are at least.
const MEASURED: &[(&str, usize)] = &[
    (include_str!("../../tests/corpus/functions/measured.tsv"), 78),
    (include_str!("../../tests/corpus/functions/text.tsv"), 500),
    (include_str!("../../tests/corpus/functions/times.tsv"), 2000),
    (include_str!("../../tests/corpus/functions/regexp.tsv"), 150),
    (include_str!("../../tests/corpus/functions/json.tsv"), 200),
    (include_str!("../../tests/corpus/functions/numbers.tsv"), 1800),
];
/// Rows that are known not to agree yet. One that begins to agree has to move to the measured ones.
const NOT_YET: &str = include_str!("../../tests/corpus/functions/not-yet.tsv");

fn rows(file: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    file.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once('\t').unwrap_or((line, "")))
}

/// The server's syntax error is any problem found in the text, its unknown function is ours.
fn agrees(got: &Result<String, String>, want: &str) -> bool {
    match (got, want) {
        (Err(code), "ERROR 1305") => matches!(code.as_str(), "E1301" | "E1338"),
        (Err(code), "ERROR 1139") => code == "E1329",
        (Err(code), "ERROR 1582") => code == "E1302",
        (Err(code), "ERROR 1690") => code == "E2054",
        (Err(code), "ERROR 1064") => code.starts_with("E13") && code != "E1301",
        (Ok(text), want) => text == want,
        _ => false,
    }
}

#[test]
fn measured_rows_agree() {
    let env = Fixed::new("{}");
    let mut wrong = Vec::new();
    for (file, least) in MEASURED {
        let mut count = 0;
        for (expr, want) in rows(file) {
            count += 1;
            let got = printed(expr, &env);
            if !agrees(&got, want) {
                wrong.push(format!("{expr}: {got:?}, measured {want}"));
            }
        }
        assert!(count >= *least, "the corpus has shrunk to {count} rows");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rows_that_do_not_agree_yet_are_known() {
    let env = Fixed::new("{}");
    for (expr, want) in rows(NOT_YET) {
        assert!(
            !agrees(&printed(expr, &env), want),
            "agrees now, move it to measured.tsv: {expr}"
        );
    }
}

/// A scheme's window bounds must have 13 digits at every millisecond: trailing zeros may not get lost.
#[test]
fn time_expressions_have_13_digits_at_every_millisecond() {
    let mut env = Fixed::new("{}");
    let start = "REPLACE(unix_timestamp(current_timestamp(3))-72000,'.','')";
    let end = "REPLACE(unix_timestamp(current_timestamp(3)),'.','')";
    for ms in 0..1000 {
        env.now_ms = 1_700_000_000_000 + ms;
        assert_eq!(
            printed(start, &env).as_deref(),
            Ok(&*(env.now_ms - 72_000_000).to_string())
        );
        assert_eq!(printed(end, &env).as_deref(), Ok(&*env.now_ms.to_string()));
    }
}

/// Words an expression is made of, so that random texts get past the first token.
const WORDS: &[&str] = &[
    "case",
    "when",
    "then",
    "else",
    "end",
    "and",
    "or",
    "not",
    "in",
    "is",
    "like",
    "between",
    "null",
    "true",
    "(",
    ")",
    ",",
    "+",
    "-",
    "*",
    "/",
    "%",
    "div",
    "=",
    "<",
    "<=>",
    "1",
    "2.50",
    "'a'",
    "'1'",
    "\"b\"",
    "<<a>>",
    "{{b}}",
    "'<<a>>-{{b}}'",
    "{{a}}000",
    "<<c.*.d>>",
    "round(",
    "concat(",
    "if(",
    "sum(",
    "now()",
    "interval",
    "day",
    "cast(",
    "as",
    "decimal(10,2)",
    "regexp",
    "replace(",
    "_findCollection find a from b where c=d _endFind",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_text_never_panics(text in "\\PC{0,60}") {
        let env = Fixed::new(r#"{"a": "00123", "b": 2.50}"#);
        drop(printed(&text, &env));
    }

    #[test]
    fn random_words_never_panic(words in prop::collection::vec(prop::sample::select(WORDS), 0..14)) {
        let env = Fixed::new(r#"{"a": "00123", "b": 2.50, "c": [{"d": 1}, {"d": "x"}, {}]}"#);
        drop(printed(&words.join(" "), &env));
    }
}
