//! Texts with separators (CSV), row by row, each with the line in which it begins.
//!
//! Lines ([`Lines`]) grow from row to row, whoever wrote the file, because the line is part of a row's key.

use super::{Row, broken, quoted};
use crate::lines::Lines;
use crate::quotes::{QuoteFault, quote_fault};

pub(super) fn rows(text: &str, separator: char) -> Vec<Row> {
    let Ok(separator) = u8::try_from(separator) else {
        return broken("separator");
    };
    // What is behind such a quote cannot be told apart, and what is before it waits for the mended file.
    if let Some(fault) = quote_fault(text.as_bytes(), separator) {
        let (line, why) = match fault {
            QuoteFault::Open(line) => (line, "the quote is not closed"),
            QuoteFault::TextBehind(line) => (line, "text stands behind the closing quote"),
        };
        let members = Err(format!("line {line}: {why}"));
        return vec![Row { line, members }];
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .flexible(true)
        .from_reader(text.as_bytes());
    let names: Vec<String> = match reader.headers() {
        Ok(names) => names.iter().map(|name| name.trim().to_owned()).collect(),
        Err(error) => return broken(error.to_string()),
    };
    let mut lines = Lines::of(text.as_bytes());
    let mut rows: Vec<Row> = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = rows.last().map_or(1, |row| row.line + 1);
                rows.push(Row {
                    line,
                    members: Err(error.to_string()),
                });
                break;
            }
        };
        let begin = record.position().map_or(0, csv::Position::byte);
        let line = lines.at(usize::try_from(begin).unwrap_or(usize::MAX));
        let members = match record.len() == names.len() {
            true => Ok(names
                .iter()
                .zip(record.iter())
                .map(|(name, text)| (name.clone(), quoted(text)))
                .collect()),
            false => Err(format!(
                "{} fields where the head has {}",
                record.len(),
                names.len()
            )),
        };
        rows.push(Row { line, members });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line of each row and its first member, or `!` where it is broken.
    fn lines(text: &str) -> Vec<String> {
        let rows = rows(text, ',');
        let shown = rows.iter().map(|row| match &row.members {
            Ok(members) => format!("{} {}", row.line, members[0].1),
            Err(_) => format!("{} !", row.line),
        });
        shown.collect()
    }

    #[test]
    fn a_line_is_what_an_editor_shows() {
        for (text, want) in [
            ("no,qty\nA,1\nB,2\n", ["2 \"A\"", "3 \"B\""]),
            ("no,qty\r\nA,1\r\nB,2\r\n", ["2 \"A\"", "3 \"B\""]),
            // An old Macintosh, and whoever still writes like one.
            ("no,qty\rA,1\rB,2\r", ["2 \"A\"", "3 \"B\""]),
            ("no,qty\r\n\r\n\nA,1\r\rB,2", ["4 \"A\"", "6 \"B\""]),
            ("no,qty\n\"x\r\ny\r\",1\nB,2\n", ["2 \"x\\r\\ny\\r\"", "5 \"B\""]),
            ("no,qty\r\nshort\r\nB,2\r\n", ["2 !", "3 \"B\""]),
            // The mark of a charset is no character of a line.
            ("\u{feff}no,qty\r\nA,1\r\nB,2", ["2 \"A\"", "3 \"B\""]),
        ] {
            assert_eq!(lines(text), want, "{text:?}");
        }
    }

    #[test]
    fn a_file_with_a_broken_quote_is_one_row_that_says_so() {
        for (text, line, why) in [
            (
                "no,name\n1,a\n2,\"b\n3,c\n4,d\n",
                3,
                "line 3: the quote is not closed",
            ),
            (
                "no,name\n1,a\n2,b\n3,\"c\"d\n",
                4,
                "line 4: text stands behind the closing quote",
            ),
        ] {
            let rows = rows(text, ',');
            assert_eq!(rows.len(), 1, "{text:?}");
            assert_eq!(
                (rows[0].line, rows[0].members.clone()),
                (line, Err(why.to_owned()))
            );
        }
    }
}
