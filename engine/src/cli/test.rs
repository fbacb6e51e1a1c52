//! `engine test`: the cases that schemes and connectors carry.

mod junit;

use app::testing::{self, TestReport};
use dsl::Value;
use dsl::diagnostic::to_json;

use super::Done;
use super::args::{Global, TestArgs};
use super::check::count;
use super::env::Environment;
use super::json::object;
use super::out::Out;

/// Runs the cases of files and folders.
pub(crate) fn test(args: TestArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let places = environment.places(global);
    let report = testing::test(&args.paths, args.filter.as_deref(), args.update, &places)?;
    let failed = report.results.iter().filter(|result| !result.passed()).count();
    let (errors, _) = count(&report.diagnostics);
    let code = u8::from((failed > 0 || errors > 0) && !args.exit_zero);
    if let Some(path) = &args.junit {
        junit::write(path, &report, out.lang)?;
    }
    if out.json {
        out.document(&document("engine.test/1", &report, failed, code, out));
    } else {
        updated(&report, out);
        tell(&report, failed, errors, out);
    }
    Ok(code)
}

/// What `--update` wrote, and what it left.
fn updated(report: &TestReport, out: &Out) {
    for (file, updated) in &report.updated {
        let count = updated.written.len();
        if count > 0 {
            out.say(
                "test-updated",
                &[("file", file.clone()), ("count", count.to_string())],
            );
        }
        for (name, why) in &updated.left {
            let why = why.get(out.lang).to_owned();
            out.note("test-not-updated", &[("name", name.clone()), ("why", why)]);
        }
    }
}

/// For people. `connectors check` tells the same.
pub(crate) fn tell(report: &TestReport, failed: usize, errors: usize, out: &Out) {
    out.findings(&report.diagnostics);
    let mut file = "";
    for result in &report.results {
        if result.file != file && !out.quiet {
            file = &result.file;
            out.line(file);
        }
        if result.passed() {
            if !out.quiet {
                out.line(format!("  {} {}", out.painted("✓", "32"), result.name));
            }
            continue;
        }
        let place = result.line.map(|line| format!("  {}:{line}", result.file));
        let place = out.painted(&place.unwrap_or_default(), "90");
        out.line(format!("  {} {}{place}", out.painted("✗", "31"), result.name));
        for difference in &result.differences {
            out.line(format!("      {}", difference.line(out.lang)));
        }
    }
    out.say(
        "test-done",
        &[
            ("files", report.files.to_string()),
            ("passed", (report.results.len() - failed).to_string()),
            ("failed", failed.to_string()),
        ],
    );
    if errors > 0 {
        out.say("test-uncompiled", &[("errors", errors.to_string())]);
    }
    if report.results.is_empty() && errors == 0 {
        out.note("test-none", &[]);
    }
}

/// The JSON form. Its shape is fixed by `schemas/test.json` and `schemas/connectors-check.json`.
pub(crate) fn document(schema: &str, report: &TestReport, failed: usize, code: u8, out: &Out) -> Value {
    let results: Vec<Value> = report
        .results
        .iter()
        .map(|result| {
            let differences: Vec<String> = result.differences.iter().map(|one| one.line(out.lang)).collect();
            object! {
                "file" => result.file,
                "line" => result.line,
                "name" => result.name,
                "passed" => result.passed(),
                "differences" => differences,
            }
        })
        .collect();
    let diagnostics: Vec<_> = report
        .diagnostics
        .iter()
        .map(|one| to_json(one, out.lang))
        .collect();
    object! {
        "schema" => schema,
        "exit_code" => code,
        "summary" => object! {
            "files" => report.files, "passed" => report.results.len() - failed, "failed" => failed,
        },
        "results" => results,
        "diagnostics" => diagnostics,
    }
}
