//! `engine dry-run`: what would be sent, without sending.

use std::path::Path;
use std::sync::Arc;

use app::{AppError, Engine, NotCompared, Present, Preview, PreviewRow, RunOptions, RunReport, SystemClock};
use dsl::{Lang, Value};
use flow::Stages;

use super::Done;
use super::args::{DryRunArgs, Global, RunArgs, ShowArg};
use super::env::Environment;
use super::json::object;
use super::language::written;
use super::out::Out;
use super::progress::Shown;
use super::rows::{coded, reason_document};
use super::run::{
    flags, grouped, no_push, nothing_written, problems, problems_document, takes_pushes, warn, workspace,
};
use super::simulators::{Keep, Simulation};
use super::table::{Table, cut, one_line};
use super::time;

/// `run --dry-run` is `dry-run` of the one scheme it names.
pub(crate) fn from_run(args: RunArgs) -> Result<DryRunArgs, AppError> {
    let mut schemes = args.schemes.into_iter();
    let (Some(scheme), None) = (schemes.next(), schemes.next()) else {
        return Err(AppError::wrong_use(
            "--dry-run 一次只接受一个方案",
            "--dry-run takes one scheme",
        ));
    };
    Ok(DryRunArgs {
        scheme,
        limit: args
            .limit
            .map_or_else(|| "all".to_owned(), |limit| limit.to_string()),
        window: args.window,
        from: args.from,
        now: args.now,
        show: ShowArg::Trace,
        out: None,
        detailed_exitcode: false,
        simulated: args.simulated,
    })
}

/// Rehearses one scheme.
pub(crate) fn dry_run(args: DryRunArgs, global: &Global, out: &mut Out, environment: &Environment) -> Done {
    let limit = match args.limit.as_str() {
        "all" => None,
        text => Some(text.parse::<u64>().map_err(|_| {
            AppError::wrong_use(
                format!("--limit 要写数字或 all,而不是 `{text}`"),
                format!("--limit takes a number or `all`, not `{text}`"),
            )
        })?),
    };
    let mut options = RunOptions {
        now: args.now.as_deref().map(time::instant).transpose()?,
        window: args.window.as_deref().map(time::interval).transpose()?,
        from: args.from,
        replay: None,
        limit: None,
        settle_wait: None,
        stages: Stages::All,
        dry: true,
        lang: out.lang,
        trigger: None,
        confirmed: false,
        cancel: None,
    };
    super::meant::is_file(&args.scheme)?;
    if let Some(folder) = &args.out {
        must_be_empty(folder)?;
    }
    super::block_on(async {
        let places = environment.places(global);
        let simulation = Simulation::start(&args.simulated, &args.scheme, &places, Keep::IfThere).await?;
        let workspace = workspace(&args.scheme, global, simulation.simulators(), environment)?;
        let (plan, warnings) = workspace.compile(&args.scheme)?;
        warn(out, &warnings);
        let feeders = if simulation.simulated() {
            workspace.feeders(&plan)
        } else {
            Vec::new()
        };
        let plans: Vec<_> = feeders.iter().cloned().chain([Arc::clone(&plan)]).collect();
        let mut engine = Engine::rehearse(workspace, Arc::new(SystemClock::default()), &plans, out.lang)?;
        let shown = Shown::new(out);
        for feeder in feeders {
            let feeding = RunOptions {
                window: None,
                ..options.clone()
            };
            engine.run(feeder, &feeding, &shown).await?;
        }
        options.limit = limit;
        engine.compares = args.show == ShowArg::Diff;
        let is_pushed = takes_pushes(&plan);
        let report = engine.run(plan, &options, &shown).await;
        shown.clear();
        let report = report?;
        let flags = flags(simulation.simulated());
        simulation.stop().await;
        if let Some(folder) = &args.out {
            save(folder, &report)?;
        }
        let writes: usize = report.previews.iter().map(|preview| preview.rows.len()).sum();
        let code = match rehearsed(&report, limit) {
            0 if args.detailed_exitcode && writes > 0 => CHANGES,
            code => code,
        };
        if out.json {
            out.document(&document(&report, code, out.lang));
        } else {
            tell(out, &args, &report, flags);
            if is_pushed {
                no_push(out, &report, flags);
            }
        }
        Ok(code)
    })?
}

/// Cells of one side of a change.
const SIDE: usize = 48;

/// Exit code of `--detailed-exitcode` when there is something to write.
const CHANGES: u8 = 10;

/// The exit code of a rehearsal. That reading stopped where `--limit` says so is no problem.
fn rehearsed(report: &RunReport, limit: Option<u64>) -> u8 {
    let counts = &report.summary.counts;
    let is_cut = limit.is_some_and(|limit| counts.fetched >= limit);
    match report.exit_code() {
        1 if is_cut && counts.dead + counts.held + counts.unknown == 0 => 0,
        code => code,
    }
}

/// Bodies of another rehearsal would be taken for those of this one.
fn must_be_empty(folder: &Path) -> Result<(), AppError> {
    let is_empty = std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    if is_empty {
        return Ok(());
    }
    let folder = folder.display();
    Err(AppError::wrong_use(
        format!("--out 的文件夹 {folder} 不是空的;换一个,或先清空它"),
        format!("the folder {folder} of --out is not empty; name another, or empty it first"),
    ))
}

/// One file per call, named by its order; exactly the bytes of the body.
fn save(folder: &Path, report: &RunReport) -> Result<(), AppError> {
    std::fs::create_dir_all(folder).map_err(|error| written(folder, &error))?;
    for (index, preview) in report.previews.iter().enumerate() {
        let path = folder.join(format!("{:04}-{}.json", index + 1, preview.operation));
        std::fs::write(&path, preview.body.as_bytes()).map_err(|error| written(&path, &error))?;
    }
    Ok(())
}

fn tell(out: &Out, args: &DryRunArgs, report: &RunReport, flags: &str) {
    out.say(
        "dry-head",
        &[
            ("scheme", report.scheme.clone()),
            ("at", time::shown(report.instant)),
        ],
    );
    let mut nth = 0;
    for preview in &report.previews {
        if args.show == ShowArg::Request {
            out.line(format!("{} {}", preview.method, preview.url));
            out.line(&preview.body);
            continue;
        }
        for row in &preview.rows {
            nth += 1;
            out.say(
                "dry-row",
                &[
                    ("nth", nth.to_string()),
                    ("name", one_line(&app::query::name(&row.label, &row.key))),
                    ("key", one_line(&app::query::key_text(&row.key))),
                    ("action", out.text(&format!("action-{}", preview.action), &[])),
                    ("target", preview.target.clone()),
                ],
            );
            match args.show {
                ShowArg::Payload => out.line(format!("    {}", dsl::json::to_string(&row.payload))),
                ShowArg::Diff => present(out, row),
                ShowArg::Trace | ShowArg::Request => trace(out, preview, row),
            }
        }
    }
    for table in &report.empty_tables {
        out.say_in("run-empty-table", &[("table", table.clone())]);
    }
    problems(out, &report.problems);
    // With a limit of nothing the first page says nothing about the source.
    if report.previews.is_empty() && args.limit != "0" {
        nothing_written(
            out,
            &report.summary.counts,
            report.summary.pages,
            &report.summary.states,
        );
    }
    let counts = &report.summary.counts;
    let writes: usize = report.previews.iter().map(|preview| preview.rows.len()).sum();
    out.say(
        "dry-result",
        &[
            ("write", grouped(u64::try_from(writes).unwrap_or(u64::MAX))),
            ("skip", grouped(counts.skipped)),
            ("fail", grouped(counts.dead + counts.held)),
        ],
    );
    if let Some(folder) = &args.out {
        let count = u64::try_from(report.previews.len()).unwrap_or(u64::MAX);
        let facts = [
            ("folder", folder.display().to_string()),
            ("count", grouped(count)),
        ];
        out.say("dry-saved", &facts);
    }
    if writes > 0 {
        let facts = [
            ("scheme", args.scheme.display().to_string()),
            ("flags", flags.to_owned()),
        ];
        out.say("dry-next", &facts);
    }
}

/// What the target has of a document, and what it would be.
fn present(out: &Out, row: &PreviewRow) {
    match &row.present {
        None => {}
        Some(Present::Absent) => out.say_in("present-absent", &[]),
        Some(Present::Several) => out.say_in("present-several", &[]),
        Some(Present::Unasked(None)) => out.say_in("present-no-question", &[]),
        Some(Present::Unasked(Some(reason))) => {
            let reason = one_line(&coded(reason, out.lang));
            out.say_in("present-unasked", &[("reason", reason)]);
        }
        Some(Present::There {
            id,
            number,
            changes,
            compared,
            left,
        }) => {
            let name = [id, number].into_iter().flatten().map(|text| one_line(text));
            let facts = [
                ("document", name.collect::<Vec<_>>().join(" ")),
                ("compared", compared.to_string()),
                ("changes", changes.len().to_string()),
            ];
            out.say_in("present-there", &facts);
            let mut table = Table::default();
            for change in changes {
                let side = |value: &Option<Value>| {
                    let text = value.as_ref().map(dsl::json::to_string);
                    cut(&one_line(&text.unwrap_or_default()), SIDE)
                };
                table.row(vec![
                    format!("    {}", one_line(&change.field)),
                    side(&change.before),
                    "→".to_owned(),
                    side(&change.after),
                ]);
            }
            out.table(&table);
            for why in [NotCompared::Lines, NotCompared::Sensitive, NotCompared::NotTold] {
                let named = left.iter().filter(|(_, of)| *of == why);
                let named: Vec<&str> = named.map(|(name, _)| name.as_str()).collect();
                if !named.is_empty() {
                    let word = why.word().replace('_', "-");
                    let fields = one_line(&named.join(", "));
                    out.say_in(&format!("present-left-{word}"), &[("fields", fields)]);
                }
            }
        }
    }
}

fn trace(out: &Out, preview: &Preview, row: &PreviewRow) {
    let mut table = Table::default();
    for line in &row.trace {
        let value = match &line.value {
            None => out.text("dry-omitted", &[]),
            Some(Value::Text(text)) => text.clone(),
            Some(other) => dsl::json::to_string(other),
        };
        let matches = match line.matches {
            Some(count) => out.text("dry-matches", &[("count", count.to_string())]),
            None => String::new(),
        };
        table.row(vec![
            format!("    {}", line.field),
            one_line(&value),
            format!("← {}{matches}", one_line(&line.expression)),
        ]);
    }
    for (field, value) in constants(row) {
        // The id of the document is put into an update by the engine.
        let origin = match preview.action {
            "create" => format!("← {}", out.text("dry-constant", &[])),
            _ => String::new(),
        };
        table.row(vec![
            format!("    {field}"),
            one_line(&dsl::json::to_string(value)),
            origin,
        ]);
    }
    out.table(&table);
}

/// The members of a document that no expression made.
fn constants(row: &PreviewRow) -> impl Iterator<Item = (&String, &Value)> {
    let made = |field: &str| {
        row.trace.iter().any(|line| {
            line.field
                .strip_prefix(field)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    };
    row.payload
        .as_map()
        .into_iter()
        .flatten()
        .filter(move |(field, _)| !made(field))
}

/// The JSON form. Its shape is fixed by `schemas/dry-run.json`.
fn document(report: &RunReport, code: u8, lang: Lang) -> Value {
    let counts = &report.summary.counts;
    let writes: usize = report.previews.iter().map(|preview| preview.rows.len()).sum();
    let calls: Vec<Value> = report.previews.iter().map(|one| call(one, lang)).collect();
    object! {
        "schema" => "engine.dry-run/1",
        "exit_code" => code,
        "scheme" => report.scheme,
        "revision" => report.revision,
        "instant" => time::rfc3339(report.instant),
        "summary" => object! {
            "fetched" => counts.fetched,
            "would_write" => writes,
            "would_skip" => counts.skipped,
            "errors" => counts.dead + counts.held,
            "calls" => calls.len(),
        },
        "calls" => calls,
        "problems" => problems_document(&report.problems, lang),
    }
}

fn call(preview: &Preview, lang: Lang) -> Value {
    let records: Vec<Value> = preview.rows.iter().map(|row| record(row, lang)).collect();
    object! {
        "action" => preview.action,
        "operation" => preview.operation,
        "target" => preview.target,
        "method" => preview.method,
        "url" => preview.url,
        "body" => preview.body,
        "records" => records,
    }
}

/// What the target has, or null where nobody wanted to know.
fn present_document(present: &Present, lang: Lang) -> Value {
    let (word, reason) = match present {
        Present::There { .. } => ("there", None),
        Present::Absent => ("absent", None),
        Present::Several => ("several", None),
        Present::Unasked(reason) => ("unasked", reason.as_ref()),
    };
    let Present::There {
        id,
        number,
        changes,
        compared,
        left,
    } = present
    else {
        return object! {"found" => word, "reason" => reason_document(reason, lang)};
    };
    let changes: Vec<Value> = changes
        .iter()
        .map(|one| object! {"field" => one.field, "before" => one.before, "after" => one.after})
        .collect();
    let left: Vec<Value> = left
        .iter()
        .map(|(field, why)| object! {"field" => field, "why" => why.word()})
        .collect();
    object! {
        "found" => word, "target_id" => id, "number" => number, "compared" => *compared,
        "changes" => changes, "not_compared" => left,
    }
}

fn record(row: &PreviewRow, lang: Lang) -> Value {
    let trace: Vec<Value> = row
        .trace
        .iter()
        .map(|line| {
            object! {
                "field" => line.field,
                "expr" => line.expression,
                "value" => line.value,
                "omitted" => line.value.is_none(),
                "matches" => line.matches,
            }
        })
        .collect();
    let present = row
        .present
        .as_ref()
        .map(|present| present_document(present, lang));
    object! {
        "key" => super::json::stored(row.key.as_bytes()),
        "label" => row.label,
        "payload" => row.payload,
        "trace" => trace,
        "present" => present,
    }
}
