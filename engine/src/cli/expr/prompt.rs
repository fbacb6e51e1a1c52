//! Reading expressions one after the other: at a terminal with history and completion, else line by line.

use std::io::{BufRead, Read};
use std::path::{Path as FilePath, PathBuf};

use app::AppError;
use dsl::{Path, Value};
use rustyline::error::ReadlineError;
use rustyline::history::{FileHistory, History};
use rustyline::{CompletionType, Config, EditMode, Editor};

use super::super::env::Environment;
use super::super::language;
use super::super::out::Out;
use super::super::time;
use super::complete::{Assistant, COMMANDS, field_names};
use super::{Session, explain_absence, explain_phrase};

/// Most bytes of one line: ten times what an expression may have, so that the bound itself is told.
const LINE_CAP: u64 = 80 << 10;
/// Lines the history keeps.
const HISTORY: usize = 1_000;

/// What to do after a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Go,
    Leave,
}

/// Reads until the end of the input or `:quit`.
pub(super) fn read(session: &mut Session, out: &Out, environment: &Environment) -> Result<(), AppError> {
    if environment.stdin_is_terminal && environment.stdout_is_terminal && !out.json {
        out.note("expr-hello", &[]);
        return talk(session, out, environment).map_err(|error| broken(&error.to_string()));
    }
    let mut stdin = std::io::stdin().lock();
    loop {
        let mut line = String::new();
        let read = stdin
            .by_ref()
            .take(LINE_CAP)
            .read_line(&mut line)
            .map_err(|error| broken(&error.to_string()))?;
        if read == 0 || answer(&line, session, out) == Next::Leave {
            return Ok(());
        }
    }
}

fn broken(what: &str) -> AppError {
    AppError::File {
        path: "stdin".to_owned(),
        what: what.to_owned(),
    }
}

fn talk(session: &mut Session, out: &Out, environment: &Environment) -> rustyline::Result<()> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .edit_mode(EditMode::Emacs)
        .max_history_size(HISTORY)?
        .history_ignore_dups(true)?
        .build();
    let history = FileHistory::with_config(&config);
    let mut editor: Editor<Assistant, FileHistory> = Editor::with_history(config, history)?;
    editor.set_helper(Some(Assistant::new(out.lang, field_names(&session.bench.row))));
    let kept = history_file(environment);
    if let Some(file) = &kept {
        // A history that cannot be read is none.
        editor.load_history(file).unwrap_or_default();
    }
    loop {
        match editor.readline("> ") {
            Ok(line) => {
                if !line.trim().is_empty() {
                    editor.add_history_entry(line.trim())?;
                }
                if answer(&line, session, out) == Next::Leave {
                    break;
                }
                if let Some(assistant) = editor.helper_mut() {
                    assistant.fields = field_names(&session.bench.row);
                }
            }
            // Ctrl-C empties the line, Ctrl-D leaves.
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error),
        }
    }
    if let Some(file) = &kept
        && !editor.history().is_empty()
        && file
            .parent()
            .is_some_and(|folder| std::fs::create_dir_all(folder).is_ok())
    {
        // Nothing else depends on it.
        editor.save_history(file).unwrap_or_default();
    }
    Ok(())
}

/// Where lines are remembered: `XDG_STATE_HOME`, else `~/.local/state`. The library keeps it readable by its owner only.
fn history_file(environment: &Environment) -> Option<PathBuf> {
    let state = match environment.get("XDG_STATE_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => FilePath::new(environment.get("HOME")?).join(".local/state"),
    };
    Some(state.join("engine").join("expr-history"))
}

/// Does what a line asks for.
fn answer(line: &str, session: &mut Session, out: &Out) -> Next {
    let text = line.trim();
    let (first, rest) = text
        .split_once(' ')
        .map_or((text, ""), |(first, rest)| (first, rest.trim()));
    match (first, rest) {
        ("", _) => {}
        (":quit" | ":q" | ":exit", _) => return Next::Leave,
        (":help" | ":h", "") => out.note("expr-help", &[]),
        (":help" | ":h", function) => match functions::registry().get(function) {
            Some(builtin) => language::explain_function(builtin, out),
            None if explain_phrase(function, out) || explain_absence(function, out) => {}
            None => unknown_function(function, out),
        },
        (":row", "") => out.line(dsl::json::to_string(&session.bench.row)),
        (":row", row) => match new_row(row) {
            Ok(row) => session.bench.row = row,
            Err(error) => out.aside(error.message(out.lang)),
        },
        (":fields", _) => out.line(field_names(&session.bench.row).join("  ")),
        (":now", instant) => match time::instant(instant) {
            Ok(now_ms) => session.bench.now_ms = now_ms,
            Err(error) => out.aside(error.message(out.lang)),
        },
        (":type", _) => switch(&mut session.show_type, first, out),
        (":trace", "") => switch(&mut session.show_trace, first, out),
        (":trace", expression) => {
            let before = std::mem::replace(&mut session.show_trace, true);
            session.one(expression, out);
            session.show_trace = before;
        }
        (command, _) if command.starts_with(':') => {
            let all = COMMANDS.join(" ");
            out.note("expr-no-command", &[("name", command.to_owned()), ("all", all)]);
        }
        _ => session.one(text, out),
    }
    Next::Go
}

fn switch(setting: &mut bool, name: &str, out: &Out) {
    *setting = !*setting;
    let key = if *setting { "expr-on" } else { "expr-off" };
    out.note(key, &[("name", name.to_owned())]);
}

fn unknown_function(name: &str, out: &Out) {
    out.note("expr-no-function", &[("name", name.to_owned())]);
    let similar = functions::registry().similar(name);
    if !similar.is_empty() {
        out.note("expr-similar", &[("names", similar.join(", "))]);
    }
}

/// A row written at the prompt, or the file it stands in.
fn new_row(text: &str) -> Result<Value, AppError> {
    if !text.starts_with('{') {
        return super::row(FilePath::new(text));
    }
    super::parsed(text.as_bytes(), ":row")
}

/// The name a field is written with between `<<` and `>>`.
pub(super) fn name_of(path: &[&str]) -> String {
    Path::names(path.iter().copied()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_may_be_written_at_the_prompt() {
        let row = new_row(r#"{"a": {"b": 1.50}}"#).expect("a row");
        assert_eq!(dsl::json::to_string(&row), r#"{"a":{"b":1.50}}"#);
        assert!(new_row("{nonsense").is_err());
        assert!(new_row("/no/such/file.json").is_err());
    }
}
