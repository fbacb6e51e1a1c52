//! Lines of CSV (RFC 4180) as they go out to people.

/// One line.
pub fn line(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(&defused(cell))).collect();
    format!("{}\r\n", cells.join(","))
}

/// What a formula begins with, the full-width signs that some programs take for it included.
const FORMULA: [char; 11] = [
    '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
];

/// A text that spreadsheets would calculate is given a mark that makes it text.
fn defused(cell: &str) -> String {
    if cell.starts_with(FORMULA) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// A text without that mark.
pub(crate) fn armed(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(FORMULA) => rest,
        _ => cell,
    }
}

/// What is wrong with the quotes of a text that is to be read: the line, and why in Chinese and English.
pub(crate) fn quote_fault(text: &[u8]) -> Option<(u64, &'static str, &'static str)> {
    Some(match database::quote_fault(text, b',')? {
        database::QuoteFault::Open(line) => (line, "引号没有关上", "the quote is not closed"),
        database::QuoteFault::TextBehind(line) => (
            line,
            "关上的引号后面还有文字;少了一个引号,或里面的引号没有写两遍",
            "text stands behind the closing quote; a quote is missing, or one inside is not written twice",
        ),
    })
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) || cell != cell.trim() {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
