//! Columns aligned by what is seen on a screen: a Chinese character is two cells wide, a colour none.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Cells a text takes. Colours, which only [`super::out::Out`] puts in, take none.
pub(crate) fn width(text: &str) -> usize {
    let mut cells = 0;
    let mut parts = text.split("\u{1b}[");
    cells += parts.next().map_or(0, UnicodeWidthStr::width);
    for part in parts {
        cells += part.split_once('m').map_or(part, |(_, shown)| shown).width();
    }
    cells
}

/// The text, filled with spaces to a width.
pub(crate) fn pad(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

/// The text in at most so many cells, with `…` where it was cut.
pub(crate) fn cut(text: &str, to: usize) -> String {
    if width(text) <= to {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut cells = 1;
    for char in text.chars() {
        cells += char.width().unwrap_or(0);
        if cells > to {
            break;
        }
        short.push(char);
    }
    short.push('…');
    short
}

/// One line of a text that came from elsewhere: line breaks and other control characters become spaces.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect()
}

/// Between two columns.
const GAP: &str = "  ";
/// The last column is not folded narrower than this.
const NARROWEST: usize = 20;

/// Rows of columns. The last column is free text and is folded when the screen is narrow.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Starts with the names of the columns.
    pub(crate) fn new(head: Vec<String>) -> Self {
        Table { rows: vec![head] }
    }

    /// Adds a row. Cells hold no line breaks; texts from elsewhere go through [`one_line`].
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The lines. `screen` = cells of a line, `None` when nobody looks at a screen.
    pub(crate) fn lines(&self, screen: Option<usize>) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|at| {
                self.rows
                    .iter()
                    .filter_map(|row| row.get(at))
                    .map(|cell| width(cell))
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let before: usize = widths
            .iter()
            .take(columns.saturating_sub(1))
            .map(|width| width + GAP.len())
            .sum();
        let room = screen.map(|screen| screen.saturating_sub(before).max(NARROWEST));
        let mut lines = Vec::new();
        for row in &self.rows {
            let (last, fixed) = match row.split_last() {
                Some((last, fixed)) if row.len() == columns => (last.as_str(), fixed),
                Some(_) | None => ("", row.as_slice()),
            };
            let start: String = fixed
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{}{GAP}", pad(cell, *width)))
                .collect();
            for (nth, part) in fold(last, room).into_iter().enumerate() {
                let start = if nth == 0 {
                    start.clone()
                } else {
                    " ".repeat(before)
                };
                lines.push(format!("{start}{part}").trim_end().to_owned());
            }
        }
        lines
    }
}

/// A text in lines of at most `room` cells.
fn fold(text: &str, room: Option<usize>) -> Vec<String> {
    let Some(room) = room.filter(|room| width(text) > *room) else {
        return vec![text.to_owned()];
    };
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words(text) {
        if !line.is_empty() && width(&line) + width(word.trim_end()) > room {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        for char in word.chars() {
            if width(&line) + char.width().unwrap_or(0) > room {
                lines.push(std::mem::take(&mut line));
            }
            line.push(char);
        }
    }
    lines.push(line);
    lines
}

/// Where a line may be broken: behind a space, and around every wide character.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    for (at, char) in text.char_indices() {
        if char.width() == Some(2) && at > start {
            words.push(&text[start..at]);
            start = at;
        }
        if char == ' ' || char.width() == Some(2) {
            let end = at + char.len_utf8();
            words.push(&text[start..end]);
            start = end;
        }
    }
    words.push(&text[start..]);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths() {
        assert_eq!(pad("状态", 6), "状态  ");
        assert_eq!(cut("杭州云杉贸易", 7), "杭州云…");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(one_line("a\nb\u{1b}[31m"), "a b [31m");
        assert_eq!(width("\u{1b}[31m✗ 失败\u{1b}[0m"), 6);
    }

    #[test]
    fn columns_line_up_and_the_last_one_folds() {
        let mut table = Table::new(vec!["键".to_owned(), "原因".to_owned()]);
        table.row(vec![
            "B000123".to_owned(),
            "目标拒绝:FGroup: 分组不存在".to_owned(),
        ]);
        table.row(vec!["杭州".to_owned(), String::new()]);
        assert_eq!(
            table.lines(None),
            ["键       原因", "B000123  目标拒绝:FGroup: 分组不存在", "杭州"]
        );
        assert_eq!(
            table.lines(Some(30)),
            [
                "键       原因",
                "B000123  目标拒绝:FGroup: 分组",
                "         不存在",
                "杭州"
            ]
        );
    }
}
