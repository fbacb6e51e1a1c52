//! `engine fmt`: files in one layout; values, comments and order stay.

use std::io::Read;

use app::AppError;
use app::check::FileKind;
use app::fix::Write;
use app::layout::{self, Laid, Outcome, Why};
use dsl::diagnostic::{Diagnostic, to_json};
use dsl::{Value, yaml};

use super::Done;
use super::args::FmtArgs;
use super::json::object;
use super::out::Out;

/// How a text of stdin is named.
const STDIN: &str = "<stdin>";

/// `engine fmt [PATH...]`
pub(crate) fn fmt(args: FmtArgs, out: &Out) -> Done {
    if args.stdin {
        return of_stdin(args.check, out);
    }
    let write = if args.check { Write::No } else { Write::Yes };
    let all = layout::format(&args.paths, write)?;
    let count = |wanted: &dyn Fn(&Outcome) -> bool| all.iter().filter(|one| wanted(&one.outcome)).count();
    let changed = count(&|outcome| matches!(outcome, Outcome::Changed));
    let left = count(&|outcome| matches!(outcome, Outcome::Left(why) if !matches!(why, Why::Foreign)));
    let code = u8::from(left > 0 || (args.check && changed > 0));
    if out.json {
        out.document(&document(&all, write, (changed, left), code, out));
        return Ok(code);
    }
    for one in &all {
        let file = [("file", one.path.clone())];
        match &one.outcome {
            Outcome::Same => {}
            Outcome::Changed if args.check => out.say("fmt-would", &file),
            Outcome::Changed => out.say("fmt-changed", &file),
            Outcome::Left(why) => left_alone(why, &one.path, out),
        }
    }
    out.say(
        "fmt-done",
        &[
            ("files", all.len().to_string()),
            ("changed", changed.to_string()),
            ("left", left.to_string()),
        ],
    );
    Ok(code)
}

fn left_alone(why: &Why, file: &str, out: &Out) {
    let file = [("file", file.to_owned())];
    match why {
        Why::Foreign => out.note("fmt-foreign", &file),
        Why::Errors(problems) => {
            out.say("fmt-errors", &file);
            out.diagnostics(problems);
        }
        Why::Unknown => out.say("fmt-unknown", &file),
        Why::Differs => out.say("fmt-differs", &file),
    }
}

/// A text in, a text out: for editors.
fn of_stdin(is_check: bool, out: &Out) -> Done {
    let mut bytes = Vec::new();
    // One more than a file may have, so that a longer one is refused by its size.
    let most = u64::try_from(yaml::MAX_BYTES + 1).unwrap_or(u64::MAX);
    std::io::stdin()
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(|error| AppError::File {
            path: STDIN.to_owned(),
            what: error.to_string(),
        })?;
    let file = match yaml::decode(STDIN, bytes) {
        Ok(file) => file,
        Err(problems) => {
            out.diagnostics(&problems);
            return Ok(1);
        }
    };
    match layout::text(&file) {
        Ok(new) if is_check => Ok(u8::from(new != file.text)),
        Ok(new) => {
            out.raw(&new);
            Ok(0)
        }
        Err(why) => {
            match &why {
                Why::Errors(problems) => out.diagnostics(problems),
                Why::Unknown => out.note("fmt-unknown", &[("file", STDIN.to_owned())]),
                Why::Foreign | Why::Differs => out.note("fmt-differs", &[("file", STDIN.to_owned())]),
            }
            Ok(1)
        }
    }
}

/// The JSON form. Its shape is fixed by `schemas/fmt.json`.
fn document(all: &[Laid], write: Write, (changed, left): (usize, usize), code: u8, out: &Out) -> Value {
    let files: Vec<Value> = all
        .iter()
        .map(|one| {
            let (outcome, why) = match &one.outcome {
                Outcome::Same => ("same", None),
                Outcome::Changed => ("changed", None),
                Outcome::Left(why) => ("left", Some(why.word())),
            };
            object! {
                "path" => one.path,
                "kind" => one.kind.map(FileKind::word),
                "outcome" => outcome,
                "why" => why,
            }
        })
        .collect();
    let problems = all.iter().filter_map(|one| match &one.outcome {
        Outcome::Left(Why::Errors(problems)) => Some(problems),
        _ => None,
    });
    let diagnostics: Vec<_> = problems
        .flatten()
        .map(|one: &Diagnostic| to_json(one, out.lang))
        .collect();
    object! {
        "schema" => "engine.fmt/1",
        "exit_code" => code,
        "written" => write == Write::Yes,
        "summary" => object! {"files" => all.len(), "changed" => changed, "left" => left},
        "files" => files,
        "diagnostics" => diagnostics,
    }
}
