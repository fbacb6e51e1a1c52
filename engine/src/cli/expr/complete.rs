//! What the prompt offers: functions, fields of the row, filters, commands, files; and the signature of a function
//! while its arguments are typed.

use std::borrow::Cow;

use dsl::builtin::Registry;
use dsl::filter::Filter;
use dsl::{Lang, Value};
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hint, Hinter};
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use super::prompt::name_of;

/// The commands of the prompt.
pub(super) const COMMANDS: &[&str] = &[":row", ":fields", ":trace", ":type", ":now", ":help", ":quit"];

/// Words of the language that are no functions.
const WORDS: &[&str] = &[
    "AND", "BETWEEN", "CASE", "CAST", "DIV", "ELSE", "END", "FALSE", "IN", "INTERVAL", "IS", "LIKE", "NOT",
    "NULL", "OR", "REGEXP", "THEN", "TRUE", "WHEN",
];
/// Fields that are offered at most; a row with more is not read at a prompt.
const MOST_FIELDS: usize = 500;
/// Levels of a row whose fields are offered.
const MOST_DEPTH: usize = 4;

/// Knows what can be typed.
pub(super) struct Assistant {
    registry: Registry,
    lang: Lang,
    files: FilenameCompleter,
    /// Fields of the row.
    pub(super) fields: Vec<String>,
}

impl Assistant {
    pub(super) fn new(lang: Lang, fields: Vec<String>) -> Assistant {
        Assistant {
            registry: functions::registry(),
            lang,
            files: FilenameCompleter::new(),
            fields,
        }
    }

    /// Where the word before the cursor begins, and what it could become.
    fn offers(&self, before: &str) -> (usize, Vec<String>) {
        if before.starts_with(':') && !before.contains(' ') {
            let offers = COMMANDS.iter().filter(|command| command.starts_with(before));
            return (0, offers.map(|command| format!("{command} ")).collect());
        }
        let opened = before.rfind("<<").max(before.rfind("{{"));
        if let Some(at) = opened.filter(|at| !before[*at..].contains(">>") && !before[*at..].contains("}}")) {
            return self.placeholder(before, at);
        }
        let start = before
            .char_indices()
            .rev()
            .take_while(|(_, char)| char.is_alphanumeric() || *char == '_')
            .last()
            .map_or(before.len(), |(at, _)| at);
        let typed = &before[start..];
        if typed.is_empty() {
            return (start, Vec::new());
        }
        // In the case in which the author types.
        let lower = typed.chars().all(|char| !char.is_uppercase());
        let spelled = |name: &str| {
            if lower {
                name.to_ascii_lowercase()
            } else {
                name.to_owned()
            }
        };
        let wanted = typed.to_ascii_uppercase();
        let functions = self
            .registry
            .all()
            .iter()
            .flat_map(|one| std::iter::once(one.name).chain(one.aliases.iter().copied()));
        let functions = functions.map(|name| (name, format!("{}(", spelled(name))));
        let words = WORDS.iter().map(|word| (*word, format!("{} ", spelled(word))));
        let mut offers: Vec<String> = functions
            .chain(words)
            .filter(|(name, _)| name.starts_with(&wanted))
            .map(|(_, offer)| offer)
            .collect();
        offers.sort();
        offers.dedup();
        (start, offers)
    }

    /// Inside `<<…`: a field, or behind `|` a filter.
    fn placeholder(&self, before: &str, at: usize) -> (usize, Vec<String>) {
        let close = if before[at..].starts_with("<<") {
            ">>"
        } else {
            "}}"
        };
        if let Some(bar) = before[at..].rfind('|') {
            let start = at + bar + 1;
            let typed = before[start..].trim_start();
            let filters = Filter::names().filter(|name| name.starts_with(typed));
            return (start, filters.map(|name| format!("{name}{close}")).collect());
        }
        let start = at + 2;
        let typed = &before[start..];
        let fields = self.fields.iter().filter(|name| name.starts_with(typed));
        (start, fields.map(|name| format!("{name}{close}")).collect())
    }

    /// The function whose arguments are being typed.
    fn called<'t>(&self, before: &'t str) -> Option<&'t str> {
        let mut open = 0usize;
        for (at, char) in before.char_indices().rev() {
            match char {
                ')' => open += 1,
                '(' if open > 0 => open -= 1,
                '(' => {
                    let head = before[..at].trim_end();
                    let start = head
                        .rfind(|char: char| !(char.is_alphanumeric() || char == '_'))
                        .map_or(0, |at| at + 1);
                    return head.get(start..).filter(|name| !name.is_empty());
                }
                _ => {}
            }
        }
        None
    }
}

/// The fields of a row as they are written in a placeholder: `details.qty` for the lines of a list too.
pub(super) fn field_names(row: &Value) -> Vec<String> {
    let mut names = Vec::new();
    collect(row, &mut Vec::new(), &mut names);
    names.sort();
    names.dedup();
    names
}

fn collect<'v>(value: &'v Value, path: &mut Vec<&'v str>, names: &mut Vec<String>) {
    match value {
        Value::List(lines) => {
            if let Some(first) = lines.first() {
                collect(first, path, names);
            }
        }
        Value::Map(map) if path.len() < MOST_DEPTH => {
            for (name, inner) in map {
                if names.len() >= MOST_FIELDS {
                    return;
                }
                path.push(name);
                names.push(name_of(path));
                collect(inner, path, names);
                path.pop();
            }
        }
        _ => {}
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        if line.starts_with(":row ") {
            return self.files.complete(line, position, context);
        }
        let (start, offers) = self.offers(&line[..position]);
        let pairs = offers.into_iter().map(|offer| Pair {
            display: offer.trim_end().to_owned(),
            replacement: offer,
        });
        Ok((start, pairs.collect()))
    }
}

/// What a function takes; read, never inserted.
pub(super) struct Signature(String);

impl Hint for Signature {
    fn display(&self) -> &str {
        &self.0
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Hinter for Assistant {
    type Hint = Signature;

    fn hint(&self, line: &str, position: usize, _context: &Context<'_>) -> Option<Signature> {
        if position < line.len() {
            return None;
        }
        let builtin = self.registry.get(self.called(line)?)?;
        let about = self.lang.pick(builtin.summary.zh, builtin.summary.en);
        Some(Signature(format!("    {}  {about}", builtin.signature())))
    }
}

impl Highlighter for Assistant {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[2m{hint}\x1b[0m"))
    }
}

impl Validator for Assistant {}

impl Helper for Assistant {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_what_fits_the_place() {
        let row = dsl::json::parse(r#"{"price": 1, "lines": [{"qty": 1, "单价": 2}], "a.b": 3}"#.as_bytes())
            .expect("JSON");
        let assistant = Assistant::new(Lang::En, field_names(&row));
        let rows: &[(&str, usize, &[&str])] = &[
            ("repl", 0, &["replace("]),
            ("1 + IFN", 4, &["IFNULL("]),
            ("CASE WHEN 1 TH", 12, &["THEN "]),
            ("<<pr", 2, &["price>>"]),
            ("{{lines.", 2, &["lines.qty}}", "lines.单价}}"]),
            ("<<lines.单", 2, &["lines.单价>>"]),
            ("<<a", 2, &["a\\.b>>"]),
            ("<<price|da", 8, &["date>>", "datetime>>"]),
            (":ro", 0, &[":row "]),
            ("<<price>> + nosuch", 12, &[]),
            ("1 + ", 4, &[]),
        ];
        for (line, start, offers) in rows {
            let got = assistant.offers(line);
            assert_eq!(
                (got.0, got.1.iter().map(String::as_str).collect::<Vec<_>>()),
                (*start, offers.to_vec()),
                "{line}"
            );
        }
    }

    #[test]
    fn knows_whose_arguments_are_typed() {
        let assistant = Assistant::new(Lang::En, Vec::new());
        for (line, want) in [
            ("REPLACE(", Some("REPLACE")),
            ("IF(LEFT(a,1), ", Some("IF")),
            ("1 + (2", None),
            ("LEFT('a', 1)", None),
        ] {
            assert_eq!(assistant.called(line), want, "{line}");
        }
    }
}
