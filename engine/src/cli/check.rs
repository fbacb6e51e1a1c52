//! `engine check`: everything `run` would refuse, without the network.

use app::check::{self, CheckReport, FileKind};
use dsl::diagnostic::{Diagnostic, to_json};
use dsl::{Severity, Value};

use super::Done;
use super::args::{CheckArgs, Global};
use super::env::Environment;
use super::json::object;
use super::out::Out;

/// Checks files and folders.
pub(crate) fn check(args: CheckArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let report = check::check(&args.paths, &environment.places(global))?;
    let (errors, warnings) = count(&report.diagnostics);
    let failed = errors > 0 || (args.strict && warnings > 0);
    let code = u8::from(failed && !args.exit_zero);
    if out.json {
        out.document(&document(&report, errors, warnings, code, out));
        return Ok(code);
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
