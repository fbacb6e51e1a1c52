//! `engine import qeasy`: schemes of another tool become files of this one, with a report.

use std::path::Path;

use app::bring::{self, Brought};
use dsl::Value;
use dsl::diagnostic::{Failure, Lang};
use import::report::{Note, SchemeReport, markdown};

use super::Done;
use super::args::{Global, ImportQeasyArgs};
use super::env::{Environment, variable_for};
use super::json::{object, pretty};
use super::language::written;
use super::out::Out;

/// Notes of one scheme that are told on a terminal; the report has them all.
const TOLD: usize = 40;

/// `engine import qeasy FILE... --out FILE|FOLDER [--report FILE]`
pub(crate) fn qeasy(args: ImportQeasyArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let places = environment.places(global);
    let brought = bring::bring(&args.files, &args.out, args.force, &places)?;
    let report = &brought.import.report;
    let is_whole = report.refused.is_empty() && report.schemes.iter().all(SchemeReport::is_whole);
    let code = u8::from(!is_whole);
    if let Some(path) = &args.report {
        let is_json = path.extension().is_some_and(|end| end == "json");
        let text = match is_json {
            true => format!("{}\n", pretty(&document(&brought, code, out.lang))),
            false => markdown(report, out.lang),
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| written(folder, &error))?;
        }
        app::put_file(path, &text)?;
    }
    if out.json {
        out.document(&document(&brought, code, out.lang));
        return Ok(code);
    }
    for (_, failure) in &report.refused {
        out.line(told(failure, out.lang));
    }
    for (scheme, path) in report.schemes.iter().zip(&brought.written) {
        tell(scheme, path, out, global.verbose > 0);
    }
    for added in &brought.added {
        let file = plain(&added.path);
        let name = added.entry.trim_start().split(':').next().unwrap_or_default();
        out.say("connection-added", &[("file", file), ("name", name.to_owned())]);
    }
    let mut variables: Vec<String> = brought
        .added
        .iter()
        .flat_map(|added| &added.references)
        .filter_map(|reference| variable_for(reference))
        .collect();
    variables.sort();
    variables.dedup();
    for variable in variables {
        out.note("secret-set", &[("variable", variable)]);
    }
    let facts = [
        ("schemes", report.schemes.len().to_string()),
        (
            "whole",
            report
                .schemes
                .iter()
                .filter(|one| one.is_whole())
                .count()
                .to_string(),
        ),
        ("refused", report.refused.len().to_string()),
    ];
    out.say("import-done", &facts);
    match &args.report {
        Some(path) => out.note("import-report", &[("file", plain(path))]),
        None => out.note("import-no-report", &[]),
    }
    Ok(code)
}

fn tell(scheme: &SchemeReport, path: &Path, out: &Out, is_verbose: bool) {
    let total = scheme.total();
    let key = if scheme.is_whole() {
        "import-whole"
    } else {
        "import-gaps"
    };
    out.say(
        key,
        &[
            ("scheme", scheme.scheme.clone()),
            ("file", plain(path)),
            ("total", total.total.to_string()),
            ("carried", total.carried.to_string()),
            ("reported", total.reported.to_string()),
        ],
    );
    let (gaps, others): (Vec<&Note>, Vec<&Note>) = scheme.notes.iter().partition(|note| note.is_gap());
    let shown = gaps.iter().take(TOLD);
    for note in shown.chain(others.iter().take(if is_verbose { TOLD } else { 0 })) {
        out.line(format!("  {}", told(&note.failure, out.lang)));
    }
    if gaps.len() > TOLD {
        out.say_in("import-more", &[("count", (gaps.len() - TOLD).to_string())]);
    }
    if !others.is_empty() && !is_verbose {
        out.say_in("import-look", &[("count", others.len().to_string())]);
    }
}

fn told(failure: &Failure, lang: Lang) -> String {
    format!("{} {}", failure.code(), failure.message(lang)).replace(['\n', '\r'], " ")
}

/// A path as people write it.
fn plain(path: &Path) -> String {
    let text = path.display().to_string();
    text.strip_prefix("./").map(str::to_owned).unwrap_or(text)
}

/// The JSON form. Its shape is fixed by `schemas/import.json`.
fn document(brought: &Brought, code: u8, lang: Lang) -> Value {
    let report = &brought.import.report;
    let schemes: Vec<Value> = report
        .schemes
        .iter()
        .zip(&brought.written)
        .map(|(scheme, path)| scheme_document(scheme, path, lang))
        .collect();
    let refused: Vec<Value> = report
        .refused
        .iter()
        .map(|(file, failure)| {
            object! {
                "input" => file,
                "code" => failure.code(),
                "message" => failure.message(lang),
                "help" => failure.help(lang),
            }
        })
        .collect();
    let connections: Vec<Value> = brought
        .import
        .connections
        .iter()
        .map(|made| {
            object! {
                "name" => made.name,
                "connector" => made.connector,
                "platform" => made.platform,
                "references" => made.references,
            }
        })
        .collect();
    object! {
        "schema" => "engine.import/1",
        "exit_code" => code,
        "schemes" => schemes,
        "connections" => connections,
        "refused" => refused,
    }
}

fn scheme_document(scheme: &SchemeReport, path: &Path, lang: Lang) -> Value {
    let totals: Vec<Value> = scheme
        .totals
        .iter()
        .map(|(kind, total)| {
            object! {
                "kind" => kind.name(),
                "total" => total.total,
                "carried" => total.carried,
                "reported" => total.reported,
            }
        })
        .collect();
    let notes: Vec<Value> = scheme
        .notes
        .iter()
        .map(|note| {
            object! {
                "code" => note.failure.code(),
                "severity" => note.failure.entry.severity.name(),
                "at" => note.at,
                "line" => note.line,
                "message" => note.failure.message(lang),
                "help" => note.failure.help(lang),
            }
        })
        .collect();
    let left: Vec<Value> = scheme
        .left()
        .map(|(at, code)| object! {"at" => at, "code" => code})
        .collect();
    object! {
        "scheme" => scheme.scheme,
        "file" => plain(path),
        "input" => scheme.input,
        "at" => scheme.at,
        "whole" => scheme.is_whole(),
        "totals" => totals,
        "notes" => notes,
        "left" => left,
    }
}
