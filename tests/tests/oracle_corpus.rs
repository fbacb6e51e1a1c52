//! What a real server answered, compared row by row with what we answer. `cargo xtask oracle` asks for more.

use std::collections::BTreeSet;

use tests::oracle::{Answer, Family, Ours, Row};

/// Functions that the server gives another result for at each call.
const NOT_COMPARED: &[&str] = &["RAND", "UUID", "SYSDATE"];

fn rows() -> Vec<(String, Row)> {
    let folder = tests::tidy::root().join("tests/corpus/functions");
    let mut rows = Vec::new();
    for (family, _) in Family::ALL {
        let name = format!("oracle-{family}.tsv");
        let page = std::fs::read_to_string(folder.join(&name)).expect("a file of the corpus");
        for (index, line) in page.lines().enumerate() {
            if let Some(row) = Row::read(line) {
                rows.push((format!("{name}:{}", index + 1), row));
            }
        }
    }
    rows
}

#[test]
fn every_recorded_answer_is_ours() {
    let ours = Ours::new();
    let rows = rows();
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(place, row)| {
            let got = ours.answer(&row.text, &row.row);
            let told = || {
                format!(
                    "{place}: {} over {}\n  ours   {got}\n  server {}",
                    row.text, row.row, row.answer
                )
            };
            (!got.agrees(&row.answer)).then(told)
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} differ\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );
    assert!(
        rows.len() >= 5_000,
        "the sample has shrunk to {} rows",
        rows.len()
    );
}

#[test]
fn every_function_is_in_the_sample_with_a_value() {
    let mut seen = BTreeSet::new();
    for (_, row) in rows() {
        if matches!(row.answer, Answer::Text(_) | Answer::Bytes(_)) {
            let words = row.text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            seen.extend(words.map(str::to_ascii_uppercase));
        }
    }
    let absent: Vec<&str> = functions::ALL
        .iter()
        .filter(|builtin| {
            let names = std::iter::once(&builtin.name).chain(builtin.aliases);
            !NOT_COMPARED.contains(&builtin.name) && names.into_iter().all(|name| !seen.contains(*name))
        })
        .map(|builtin| builtin.name)
        .collect();
    assert!(absent.is_empty(), "no row calls {absent:?}");
}
