//! `engine check`: everything `run` would refuse, without the network unless it is asked for.

use std::path::Path;
use std::sync::Arc;

use app::check::{self, CheckReport, FileKind};
use app::fix::{self, Change, Write};
use app::{AppError, SystemClock, mapping, online};
use dsl::diagnostic::{Diagnostic, to_json};
use dsl::{Severity, Value};

use super::Done;
use super::args::{CheckArgs, Global, LedgerArgs};
use super::env::Environment;
use super::json::object;
use super::ledgers;
use super::out::Out;
use super::run::workspace;
use super::simulators::{Keep, Simulation};

/// Checks files and folders.
pub(crate) fn check(args: CheckArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let fixes = match (args.fix, args.dry_run) {
        (false, _) => None,
        (true, is_dry) => {
            let write = if is_dry { Write::No } else { Write::Yes };
            Some((write, fix::fix(&args.paths, &environment.places(global), write)?))
        }
    };
    let mut report = check::check(&args.paths, &environment.places(global))?;
    if args.online {
        super::block_on(online(&args, global, &mut report, out, environment))??;
    }
    let (errors, warnings) = count(&report.diagnostics);
    let failed = errors > 0 || (args.strict && warnings > 0);
    let code = u8::from(failed && !args.exit_zero);
    if out.json {
        let mut document = document(&report, errors, warnings, code, out);
        if let (Some((write, changes)), Value::Map(members)) = (&fixes, &mut document) {
            members.insert("fixes".to_owned(), fixed(*write, changes));
        }
        out.document(&document);
        return Ok(code);
    }
    if let Some((write, changes)) = &fixes {
        tell(*write, changes, out);
    }
    out.findings(&report.diagnostics);
    for file in report.files.iter().filter(|file| file.only_read) {
        out.say("check-only-read", &[("file", file.path.clone())]);
    }
    if !out.quiet {
        for one in &report.guarantees {
            let promise = out.text(&format!("guarantee-{}", one.guarantee.word()), &[]);
            out.say(
                "check-guarantee",
                &[("scheme", one.scheme.clone()), ("promise", promise)],
            );
        }
    }
    tables(&report, &args, global, out, environment)?;
    out.say(
        "check-done",
        &[
            ("files", report.files.len().to_string()),
            ("errors", errors.to_string()),
            ("warnings", warnings.to_string()),
        ],
    );
    Ok(code)
}

/// What was mended, line by line.
fn tell(write: Write, changes: &[Change], out: &Out) {
    for one in changes {
        let place = format!("{}:{}", one.file, one.line);
        out.say("mend-place", &[("place", place), ("codes", one.codes.join(", "))]);
        for line in &one.before {
            out.line(out.painted(&format!("  - {line}"), "31"));
        }
        for line in &one.after {
            out.line(out.painted(&format!("  + {line}"), "32"));
        }
        out.line("");
    }
    let key = match write {
        Write::Yes => "mend-done",
        Write::No => "mend-would",
    };
    out.say(key, &[("count", changes.len().to_string())]);
}

fn fixed(write: Write, changes: &[Change]) -> Value {
    let changes: Vec<Value> = changes
        .iter()
        .map(|one| {
            object! {
                "file" => one.file,
                "line" => one.line,
                "codes" => one.codes,
                "before" => one.before,
                "after" => one.after,
            }
        })
        .collect();
    object! {"written" => write == Write::Yes, "changes" => changes}
}

/// Says which field mappings have no entries, where there is a ledger: the first run would find nothing in them.
fn tables(
    report: &CheckReport,
    args: &CheckArgs,
    global: &Global,
    out: &Out,
    environment: &Environment,
) -> Result<(), AppError> {
    if report.tables.is_empty() {
        return Ok(());
    }
    let reader = match ledgers::open(&LedgerArgs::from(&args.simulated), global, environment) {
        Ok(reader) => reader,
        Err(AppError::Store(_)) => return Ok(()),
        Err(other) => return Err(other),
    };
    for (scheme, name, table) in &report.tables {
        let facts = [("scheme", scheme.clone()), ("table", name.clone())];
        match mapping::has_entries(&reader, name, table) {
            Ok(true) => {}
            Ok(false) => out.say("check-empty-table", &facts),
            Err(error) => out.say_in("check-table", &[("why", error.message(out.lang))]),
        }
    }
    Ok(())
}

/// Asks the systems of the schemes that are sound for their fields. What is in error already is not asked about.
async fn online(
    args: &CheckArgs,
    global: &Global,
    report: &mut CheckReport,
    out: &Out,
    environment: &Environment,
) -> Result<(), AppError> {
    let is_scheme = |file: &&check::Checked| file.kind == Some(FileKind::Scheme) && !file.only_read;
    let paths: Vec<String> = report
        .files
        .iter()
        .filter(is_scheme)
        .map(|file| file.path.clone())
        .collect();
    let around = paths.first().map_or(Path::new("."), Path::new);
    let places = environment.places(global);
    let simulation = Simulation::start(&args.simulated, around, &places, Keep::IfThere).await?;
    let mut found = Ok(Vec::new());
    for path in paths.iter().map(Path::new) {
        let one = async {
            let workspace = workspace(path, global, simulation.simulators(), environment)?;
            let Ok((plan, _)) = workspace.compile(path) else {
                return Ok(Vec::new());
            };
            let clock = Arc::new(SystemClock::default());
            online::check(&workspace, path, &plan, clock, out.lang).await
        };
        match (&mut found, one.await) {
            (Ok(all), Ok(more)) => all.extend(more),
            (Ok(_), Err(error)) => found = Err(error),
            (Err(_), _) => break,
        }
    }
    simulation.stop().await;
    report.diagnostics.extend(found?);
    Ok(())
}

/// Errors and warnings.
pub(crate) fn count(diagnostics: &[Diagnostic]) -> (usize, usize) {
    let errors = diagnostics
        .iter()
        .filter(|one| one.entry.severity == Severity::Error)
        .count();
    (errors, diagnostics.len() - errors)
}

/// The JSON form. Its shape is fixed by `schemas/check.json`.
fn document(report: &CheckReport, errors: usize, warnings: usize, code: u8, out: &Out) -> Value {
    let files: Vec<Value> = report
        .files
        .iter()
        .map(|file| {
            object! {
                "path" => file.path,
                "kind" => file.kind.map(FileKind::word),
                "checked" => !file.only_read,
            }
        })
        .collect();
    let guarantees: Vec<Value> = report
        .guarantees
        .iter()
        .map(|one| object! {"scheme" => one.scheme, "file" => one.file, "guarantee" => one.guarantee.word()})
        .collect();
    let diagnostics: Vec<_> = report
        .diagnostics
        .iter()
        .map(|one| to_json(one, out.lang))
        .collect();
    object! {
        "schema" => "engine.check/1",
        "exit_code" => code,
        "summary" => object! {"files" => report.files.len(), "errors" => errors, "warnings" => warnings},
        "files" => files,
        "guarantees" => guarantees,
        "diagnostics" => diagnostics,
    }
}
