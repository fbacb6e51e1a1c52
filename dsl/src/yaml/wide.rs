//! Characters of a Chinese input method that stand where YAML knows the ordinary ones only.

use std::ops::Range;
use std::sync::Arc;

use crate::catalogue::yaml as words;
use crate::diagnostic::{Diagnostic, SourceFile};

/// Each character, and what is to be written for it in Chinese and English.
const MARKS: [(char, &str, &str); 16] = [
    ('\u{ff0c}', "逗号 `,`", "the comma `,`"),
    ('\u{3001}', "逗号 `,`", "the comma `,`"),
    ('\u{ff5b}', "花括号 `{`", "the brace `{`"),
    ('\u{ff5d}', "花括号 `}`", "the brace `}`"),
    ('\u{ff3b}', "方括号 `[`", "the bracket `[`"),
    ('\u{ff3d}', "方括号 `]`", "the bracket `]`"),
    ('\u{3010}', "方括号 `[`", "the bracket `[`"),
    ('\u{3011}', "方括号 `]`", "the bracket `]`"),
    ('\u{201c}', "双引号 `\"`", "the quote `\"`"),
    ('\u{201d}', "双引号 `\"`", "the quote `\"`"),
    ('\u{ff02}', "双引号 `\"`", "the quote `\"`"),
    ('\u{2018}', "单引号 `'`", "the quote `'`"),
    ('\u{2019}', "单引号 `'`", "the quote `'`"),
    ('\u{ff07}', "单引号 `'`", "the quote `'`"),
    ('\u{3000}', "空格", "a blank"),
    ('\u{a0}', "空格", "a blank"),
];

/// The problem that the character at a byte of the file is.
fn problem(file: &Arc<SourceFile>, at: usize, char: char) -> Option<Diagnostic> {
    if char == '\u{ff1a}' {
        return Some(Diagnostic::new(
            &words::FULL_WIDTH,
            file,
            at..at + char.len_utf8(),
        ));
    }
    let (_, zh, en) = MARKS.iter().find(|(mark, ..)| *mark == char)?;
    Some(
        Diagnostic::new(&words::FULL_WIDTH_MARK, file, at..at + char.len_utf8())
            .with("char", char)
            .with("hex", format_args!("{:04X}", u32::from(char)))
            .with("ascii_zh", zh)
            .with("ascii_en", en),
    )
}

/// A plain text, at `start` of the file, that stands in full-width quotes or begins with a full-width bracket.
pub(super) fn value(
    file: &Arc<SourceFile>,
    text: &str,
    span: &Range<usize>,
    flow: bool,
) -> Option<Diagnostic> {
    let first = text.chars().next()?;
    let last = text.chars().next_back()?;
    let quoted = matches!(
        (first, last),
        ('\u{201c}' | '\u{201d}', '\u{201c}' | '\u{201d}')
            | ('\u{2018}' | '\u{2019}', '\u{2018}' | '\u{2019}')
            | ('\u{ff02}', '\u{ff02}')
            | ('\u{ff07}', '\u{ff07}')
    );
    let wrapped = text.chars().count() > 1 && quoted;
    let bracket = matches!(
        (first, last),
        ('\u{ff5b}', '\u{ff5d}') | ('\u{ff3b}', '\u{ff3d}') | ('\u{3010}', '\u{3011}')
    ) && !text.starts_with("\u{ff5b}\u{ff5b}");
    if wrapped || bracket {
        return problem(file, span.start, first);
    }
    // Between two words of a list or map on one line it separates them; between Chinese words it is text.
    let comma = text.match_indices(['\u{ff0c}', '\u{3001}']).find(|(at, mark)| {
        let before = text[..*at].trim_end().chars().next_back();
        let after = text[at + mark.len()..].trim_start().chars().next();
        let word = |char: Option<char>| char.is_some_and(|char| char.is_ascii_alphanumeric() || char == '_');
        word(before) && word(after)
    });
    let (at, mark) = comma.filter(|_| flow)?;
    // The text stands in the file as it is unless it runs over several lines.
    let place = file
        .text
        .get(span.clone())
        .filter(|written| written.starts_with(&text[..at]));
    problem(
        file,
        place.map_or(span.start, |_| span.start + at),
        mark.chars().next()?,
    )
}

/// A key that is indented by blanks that are none to YAML, or stands in full-width quotes.
pub(super) fn key(file: &Arc<SourceFile>, text: &str, span: &Range<usize>) -> Option<Diagnostic> {
    match text.chars().next()? {
        char @ ('\u{3000}' | '\u{a0}') => problem(file, span.start, char),
        _ => value(file, text, span, false),
    }
}

/// A key without a value on one line that holds a full-width colon.
pub(super) fn colon(file: &Arc<SourceFile>, key: &Range<usize>) -> Option<Diagnostic> {
    let at = file.text.get(key.clone())?.find('\u{ff1a}')?;
    problem(file, key.start + at, '\u{ff1a}')
}

/// What stands outside of quotes on a line the parser refused, first where it separates or indents.
pub(super) fn line(file: &Arc<SourceFile>, line: &str, start: usize) -> Option<Diagnostic> {
    let mut quote = None;
    let mut before = ' ';
    for (at, char) in line.char_indices() {
        match quote {
            Some(open) if open == char => quote = None,
            Some(_) => {}
            None if matches!(char, '"' | '\'') && matches!(before, ' ' | '{' | '[' | ',') => {
                quote = Some(char)
            }
            None if char == '#' && before == ' ' => return None,
            // Between two Chinese words it is part of a text.
            None if is_wide(Some(before)) && is_wide(line[at + char.len_utf8()..].chars().next()) => {}
            None => {
                if let Some(problem) = problem(file, start + at, char) {
                    return Some(problem);
                }
            }
        }
        before = char;
    }
    None
}

fn is_wide(char: Option<char>) -> bool {
    char.is_some_and(|char| !char.is_ascii() && char.is_alphanumeric())
}
