//! A problem as text on a terminal and as JSON.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde_json::json;

use super::{Diagnostic, Lang, Severity, SourceFile};

/// All problems as text, in file order, at most `max`; a last line says how many more there are.
pub fn render(diagnostics: &[Diagnostic], lang: Lang, color: bool, max: usize) -> String {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by(|a, b| {
        (&a.file.name, a.span.start, a.span.end).cmp(&(&b.file.name, b.span.start, b.span.end))
    });
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut out = String::new();
    for diagnostic in sorted.iter().take(max) {
        out.push_str(&draw(diagnostic, lang, &renderer));
        out.push_str("\n\n");
    }
    let more: usize = sorted.iter().skip(max).map(|left| left.stands_for()).sum();
    if more > 0 {
        out.push_str(&match lang {
            Lang::Zh => format!("还有 {more} 个问题\n"),
            Lang::En if more == 1 => "another problem\n".to_owned(),
            Lang::En => format!("another {more} problems\n"),
        });
    } else if out.ends_with("\n\n") {
        out.pop();
    }
    out
}

fn draw(diagnostic: &Diagnostic, lang: Lang, renderer: &Renderer) -> String {
    let level = match diagnostic.entry.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let message = diagnostic.message(lang);
    let shown = Excerpt::of(&diagnostic.file, &diagnostic.span);
    let snippet = Snippet::source(shown.text)
        .path(diagnostic.file.name.as_str())
        .line_start(shown.line)
        .annotation(AnnotationKind::Primary.span(shown.span));
    let mut group = level
        .primary_title(message.as_str())
        .id(diagnostic.entry.code)
        .element(snippet);
    let help = diagnostic.help(lang);
    if let Some(help) = &help {
        let level = match lang {
            Lang::Zh => Level::HELP.with_name("提示"),
            Lang::En => Level::HELP,
        };
        group = group.element(level.message(help.as_str()));
    }
    renderer.render(&[group])
}

/// The lines a problem is drawn on: the ones it touches, or the first of many.
struct Excerpt<'a> {
    text: &'a str,
    line: usize,
    span: Range<usize>,
}

impl<'a> Excerpt<'a> {
    /// A span over more lines than this is drawn at its first line only.
    const MOST_LINES: usize = 4;

    /// A longer row of carets says nothing more, and keeps the line from being cut to the width of a terminal.
    const MOST_MARKED: usize = 160;

    /// Where the carets end: at the end of a part of one line only if that is not far.
    fn end_of_marks(text: &str, start: usize, end: usize) -> usize {
        let marked = &text[start..end];
        if marked.contains('\n') {
            return end;
        }
        marked
            .char_indices()
            .nth(Self::MOST_MARKED)
            .map_or(end, |(length, _)| start + length)
    }

    fn of(file: &'a SourceFile, span: &Range<usize>) -> Self {
        let text = file.text.as_str();
        let start = file.floor_char(span.start);
        let mut end = file.floor_char(span.end).max(start);
        if text[start..end].bytes().filter(|byte| *byte == b'\n').count() >= Self::MOST_LINES {
            end = line_end(text, start);
        }
        // A caret on the line break itself would be drawn on the next line.
        while end > start && text[..end].ends_with(['\n', '\r']) {
            end -= 1;
        }
        let mut first = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        if text[first..].starts_with('\u{feff}') {
            first += '\u{feff}'.len_utf8();
        }
        let start = start.max(first);
        let end = Self::end_of_marks(text, start, end.max(start));
        Excerpt {
            text: &text[first..line_end(text, end)],
            line: text[..first].bytes().filter(|byte| *byte == b'\n').count() + 1,
            span: start - first..end - first,
        }
    }
}

/// The end of the line that holds `at`, before its line break.
fn line_end(text: &str, at: usize) -> usize {
    let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    if text[at..end].ends_with('\r') {
        end - 1
    } else {
        end
    }
}

/// A problem for programs: the console, an editor, `--json`.
pub fn to_json(diagnostic: &Diagnostic, lang: Lang) -> serde_json::Value {
    let (line, column) = diagnostic.position();
    let (end_line, end_column) = diagnostic
        .file
        .position(diagnostic.span.end.max(diagnostic.span.start));
    json!({
        "code": diagnostic.entry.code,
        "severity": diagnostic.entry.severity.name(),
        "file": diagnostic.file.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "message": diagnostic.message(lang),
        "help": diagnostic.help(lang),
        "similar": diagnostic.similar,
    })
}
