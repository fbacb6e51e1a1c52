//! The recorded sample: what a server answered, kept so that a test can ask again without one.
//!
//! One file a family, `tests/corpus/functions/oracle-FAMILY.tsv`, one row a case: the expression, the record in
//! JSON, the server's answer. Only what agrees is recorded; what differs has to be mended or explained first.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use dsl::value::Value;

use super::generate::{Family, Generator};
use super::server::Server;
use super::{Answer, Ours, mine};

/// Rows of one operator or function. Enough for its corners, and the whole stays readable in a second.
const EACH: usize = 40;
/// Refusals among them: the error's number is not compared, so they say less than values.
const REFUSALS: usize = 3;
/// And NULLs.
const NULLS: usize = 9;
/// Cases tried. Some functions are hard to call without being refused.
const MOST_TRIED: u64 = 60_000;
/// Longer rows are hard to read and say no more.
const LONGEST: usize = 400;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The expression with its placeholders.
    pub text: String,
    /// The record in JSON.
    pub row: String,
    /// What the server gave.
    pub answer: Answer,
}

impl Row {
    /// Reads a line of a file; `None` for a remark.
    ///
    /// # Panics
    /// When the line has another form.
    pub fn read(line: &str) -> Option<Row> {
        if line.starts_with('#') {
            return None;
        }
        let cells: Vec<&str> = line.split('\t').collect();
        let [text, row, answer] = cells[..] else {
            panic!("not three columns: {line}");
        };
        let answer = if let Some(code) = answer.strip_prefix("ERROR ") {
            Answer::Failed(code.to_owned())
        } else if let Some(digits) = answer.strip_prefix("BYTES ") {
            Answer::Bytes(bytes(digits))
        } else {
            match dsl::json::parse(answer.as_bytes()) {
                Ok(Value::Null) => Answer::Null,
                Ok(Value::Text(text)) => Answer::Text(text),
                _ => panic!("no answer: {line}"),
            }
        };
        Some(Row {
            text: text.to_owned(),
            row: row.to_owned(),
            answer,
        })
    }

    /// The line of a file.
    fn line(&self) -> String {
        let answer = match &self.answer {
            Answer::Null => "null".to_owned(),
            Answer::Text(text) => dsl::json::to_string(&Value::Text(text.clone())),
            Answer::Bytes(bytes) => bytes.iter().fold("BYTES ".to_owned(), |mut line, byte| {
                write!(line, "{byte:02x}").expect("a string takes all");
                line
            }),
            Answer::Failed(code) => format!("ERROR {code}"),
            Answer::Panicked | Answer::Lost => unreachable!("no answer of a server is recorded so"),
        };
        format!("{}\t{}\t{answer}", self.text, self.row)
    }
}

fn bytes(digits: &str) -> Vec<u8> {
    let digits: Vec<char> = digits.chars().collect();
    digits
        .chunks(2)
        .map(|pair| {
            let text: String = pair.iter().collect();
            u8::from_str_radix(&text, 16).expect("two hexadecimal digits")
        })
        .collect()
}

/// Writes the files; `seed` says which cases.
pub fn record(socket: &Path, folder: &Path, seed: u64, say: &dyn Fn(&str)) -> Result<(), String> {
    let broken = |e: io::Error| format!("the server: {e}");
    let mut server = Server::connect(socket).map_err(broken)?;
    let version = server.version().map_err(broken)?;
    let ours = Ours::new();
    super::quiet();
    let mut total = 0;
    for (name, family) in Family::ALL {
        let generator = Generator::new(Some(family));
        let mut wanted = generator.root_labels(family);
        let mut rows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for number in 0..MOST_TRIED {
            if wanted.is_empty() {
                break;
            }
            let (label, case) = generator.labelled(seed, number);
            if !wanted.contains(&label) {
                continue;
            }
            let (text, row) = case.ours();
            if text.len() + row.len() > LONGEST || text.contains(['\t', '\n']) {
                continue;
            }
            let answer = server.answer(&case.server()).map_err(broken)?;
            let count = counts.entry(label.clone()).or_default();
            match &answer {
                Answer::Failed(_) if count.0 >= REFUSALS => continue,
                Answer::Null if count.1 >= NULLS => continue,
                answer if !mine(&ours, &case).agrees(answer) => continue,
                Answer::Failed(_) => count.0 += 1,
                Answer::Null => count.1 += 1,
                _ => {}
            }
            let of_label = rows.entry(label.clone()).or_default();
            of_label.insert(Row { text, row, answer }.line());
            if of_label.len() >= EACH {
                wanted.remove(&label);
            }
        }
        let mut page = format!(
            "# What MariaDB {version} answers: an expression, the record it is computed over, the answer as JSON text.\n\
             # Written by `cargo xtask oracle --record --seed {seed}`; not to be edited.\n\
             # Zone Asia/Shanghai, clock at 1700000000.1, utf8mb4_general_ci.\n"
        );
        let count: usize = rows.values().map(BTreeSet::len).sum();
        for line in rows.values().flatten() {
            page.push_str(line);
            page.push('\n');
        }
        let path = folder.join(format!("oracle-{name}.tsv"));
        std::fs::write(&path, page).map_err(|e| format!("{}: {e}", path.display()))?;
        let few: Vec<String> = wanted
            .iter()
            .map(|label| format!("{label} {}", rows.get(label).map_or(0, BTreeSet::len)))
            .collect();
        say(&format!(
            "{name}: {count} rows; fewer than {EACH}: {}",
            few.join(", ")
        ));
        total += count;
    }
    say(&format!("{total} rows, seed {seed}"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_was_written() {
        for answer in [
            Answer::Null,
            Answer::Text("a\tb\n\"c\" 中".to_owned()),
            Answer::Bytes(vec![0, 0xff, 0x1a]),
            Answer::Failed("1690".to_owned()),
        ] {
            let row = Row {
                text: "CONCAT(<<f0>>)".to_owned(),
                row: r#"{"f0":1.50}"#.to_owned(),
                answer,
            };
            assert_eq!(Row::read(&row.line()), Some(row));
        }
        assert_eq!(Row::read("# a remark"), None);
    }
}
