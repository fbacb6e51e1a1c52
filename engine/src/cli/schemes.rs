//! `engine schemes`: the schemes of a folder, their pauses, and the texts that were in force.

use std::path::Path;

use app::revisions::{self, Deployment, Line};
use app::{AppError, Clock, SystemClock, Workspace};
use dsl::Value;
use dsl::plan::Plan;
use flow::op::{AuditNote, Reason};
use flow::timetable::Paused;
use ledger::read::{RunFilter, RunRow};
use ledger::service::revisions::{RevisionRow, Which};
use ledger::{Ledger, OpenOptions, Reader};

use super::Done;
use super::args::{
    Global, LedgerArgs, SchemesDeployArgs, SchemesFolderArgs, SchemesPauseArgs, SchemesRevisionsArgs,
    SchemesRollbackArgs, SchemesShowArgs,
};
use super::ask::confirmed;
use super::decide::given;
use super::env::Environment;
use super::json::object;
use super::ledgers;
use super::out::Out;
use super::run::{warn, workspace};
use super::table::{Table, one_line};
use super::time;

/// Lines around a change that are shown.
const AROUND: usize = 3;

/// One scheme of the folder.
struct Listed {
    id: String,
    file: String,
    plan: Result<Plan, usize>,
    hash: String,
}

impl Listed {
    fn word(&self, paused: bool) -> &'static str {
        match &self.plan {
            Err(_) => "invalid",
            Ok(_) if paused => "paused",
            Ok(plan) if !plan.enabled => "draft",
            Ok(_) => "enabled",
        }
    }
}

/// What the ledger knows of a scheme; nothing where there is no ledger yet.
#[derive(Default)]
struct Known {
    paused: Option<Paused>,
    newest: Option<RevisionRow>,
    last: Option<RunRow>,
}

fn known(reader: Option<&Reader>, id: &str) -> Result<Known, AppError> {
    let Some(reader) = reader else {
        return Ok(Known::default());
    };
    let filter = RunFilter {
        scheme: Some(id.to_owned()),
        limit: 1,
        ..RunFilter::default()
    };
    Ok(Known {
        paused: reader
            .timetable()?
            .remove(id)
            .and_then(|remembered| remembered.paused),
        newest: reader.revision(id, Which::Newest)?,
        last: reader.list_runs(&filter)?.into_iter().next(),
    })
}

fn listed(workspace: &Workspace, folder: &Path) -> Result<Vec<Listed>, AppError> {
    let mut all = Vec::new();
    for path in app::yaml_files(folder)? {
        let file = app::read(&path)?;
        let Some(id) = dsl::yaml::read_all(&file)
            .node
            .and_then(|node| Some(node.get("scheme")?.value.text()?.to_owned()))
        else {
            continue;
        };
        let (plan, problems) = workspace.check(&file);
        let errors = problems.iter().filter(|problem| problem.is_error()).count();
        all.push(Listed {
            id,
            file: path.display().to_string(),
            plan: plan.ok_or(errors),
            hash: revisions::hash_of(&file.text),
        });
    }
    Ok(all)
}

/// The ledger where there is one.
fn reader(args: &LedgerArgs, global: &Global, environment: &Environment) -> Result<Option<Reader>, AppError> {
    match ledgers::open(args, global, environment) {
        Ok(reader) => Ok(Some(reader)),
        Err(AppError::Store(ledger::StoreError::Missing { .. })) => Ok(None),
        Err(other) => Err(other),
    }
}

fn is_folder(folder: &Path) -> Result<(), AppError> {
    match folder.is_dir() {
        true => Ok(()),
        false => Err(AppError::wrong_use(
            format!(
                "{} 不是文件夹;用 --schemes 指出方案所在的文件夹",
                folder.display()
            ),
            format!(
                "{} is no folder; say with --schemes where the schemes are",
                folder.display()
            ),
        )),
    }
}

/// `engine schemes list`
pub(crate) fn list(args: SchemesFolderArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    is_folder(&args.schemes)?;
    let workspace = workspace(&args.schemes, global, None, environment)?;
    let all = listed(&workspace, &args.schemes)?;
    let reader = reader(&args.ledger, global, environment)?;
    let mut rows = Vec::new();
    for one in &all {
        rows.push((one, known(reader.as_ref(), &one.id)?));
    }
    if out.json {
        let schemes: Vec<Value> = rows.iter().map(|(one, known)| document(one, known)).collect();
        out.document(&object! {"schema" => "engine.schemes-list/1", "schemes" => schemes});
        return Ok(0);
    }
    if rows.is_empty() {
        out.say("schemes-none", &[("folder", args.schemes.display().to_string())]);
        return Ok(0);
    }
    let heads = [
        "column-scheme",
        "column-status",
        "column-way",
        "column-revision",
        "column-last-run",
    ];
    let mut table = Table::new(heads.iter().map(|key| out.text(key, &[])).collect());
    for (one, known) in &rows {
        table.row(vec![
            one_line(&one.id),
            out.text(&format!("scheme-{}", one.word(known.paused.is_some())), &[]),
            way(one),
            revision_text(one, known, out),
            known.last.as_ref().map_or_else(
                || "-".to_owned(),
                |run| {
                    format!(
                        "{} {}",
                        time::shown(run.started),
                        out.text(&format!("status-{}", run.status), &[])
                    )
                },
            ),
        ]);
    }
    out.table(&table);
    Ok(0)
}

fn way(one: &Listed) -> String {
    let Ok(plan) = &one.plan else {
        return "-".to_owned();
    };
    let target = plan
        .target
        .as_ref()
        .map_or("-", |target| target.connection.as_str());
    format!("{} → {target}", plan.source.connection)
}

/// The number of the revision that stands in the folder, or that the file was changed since.
fn revision_text(one: &Listed, known: &Known, out: &Out) -> String {
    match &known.newest {
        None => "-".to_owned(),
        Some(newest) if newest.hash == one.hash => newest.seq.to_string(),
        Some(newest) => out.text("scheme-changed-since", &[("seq", newest.seq.to_string())]),
    }
}

fn document(one: &Listed, known: &Known) -> Value {
    object! {
        "scheme" => one.id, "file" => one.file, "status" => one.word(known.paused.is_some()),
        "errors" => one.plan.as_ref().err().copied(),
        "source" => one.plan.as_ref().ok().map(|plan| plan.source.connection.clone()),
        "target" => one.plan.as_ref().ok().and_then(|plan| plan.target.as_ref()).map(|target| target.connection.clone()),
        "hash" => one.hash,
        "revision" => known.newest.as_ref().map(|newest| newest.seq),
        "changed" => known.newest.as_ref().is_some_and(|newest| newest.hash != one.hash),
        "paused" => known.paused.as_ref().map(|paused| object! {
            "since" => time::rfc3339(paused.since), "by" => paused.by, "reason" => paused.reason.text,
        }),
        "last_run" => known.last.as_ref().map(|run| object! {
            "run" => run.run.0, "started" => time::rfc3339(run.started), "status" => run.status,
        }),
    }
}

/// `engine schemes show SCHEME`
pub(crate) fn show(args: SchemesShowArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    is_folder(&args.folder.schemes)?;
    let workspace = workspace(&args.folder.schemes, global, None, environment)?;
    let all = listed(&workspace, &args.folder.schemes)?;
    let Some(one) = all.iter().find(|one| one.id == args.scheme) else {
        return Err(no_such(&args.scheme, &all));
    };
    let known = known(
        reader(&args.folder.ledger, global, environment)?.as_ref(),
        &one.id,
    )?;
    if out.json {
        out.document(&object! {"schema" => "engine.schemes-show/1", "scheme" => document(one, &known)});
        return Ok(0);
    }
    let state = out.text(&format!("scheme-{}", one.word(known.paused.is_some())), &[]);
    out.line(format!("{}  {state}  {}", one.id, way(one)));
    out.say_in(
        "scheme-file",
        &[
            ("file", one.file.clone()),
            ("revision", revision_text(one, &known, out)),
        ],
    );
    if let Err(errors) = &one.plan {
        out.say_in(
            "scheme-errors",
            &[("count", errors.to_string()), ("file", one.file.clone())],
        );
    }
    if let Some(paused) = &known.paused {
        out.say_in(
            "scheme-paused-by",
            &[
                ("by", one_line(&paused.by)),
                ("at", time::shown(paused.since)),
                ("reason", one_line(&paused.reason.text)),
            ],
        );
    }
    Ok(0)
}

fn no_such(name: &str, all: &[Listed]) -> AppError {
    let names: Vec<&str> = all.iter().map(|one| one.id.as_str()).collect();
    AppError::no_such(("方案", "scheme"), name, &names)
}

/// The ledger, for a change.
fn ledger(args: &LedgerArgs, global: &Global, environment: &Environment) -> Result<Ledger, AppError> {
    let dir = ledgers::dir(args, global, environment)?;
    let name = super::decide::environment_name(args, global, environment);
    Ok(Ledger::open(&dir, OpenOptions::new(name))?)
}

/// `engine schemes pause|resume SCHEME --reason TEXT`
pub(crate) fn pause(
    args: SchemesPauseArgs,
    pause: bool,
    global: &Global,
    out: &Out,
    environment: &Environment,
) -> Done {
    given(&args.reason)?;
    is_folder(&args.folder.schemes)?;
    let workspace = workspace(&args.folder.schemes, global, None, environment)?;
    let all = listed(&workspace, &args.folder.schemes)?;
    if !all.iter().any(|one| one.id == args.scheme) {
        return Err(no_such(&args.scheme, &all));
    }
    let mut ledger = ledger(&args.folder.ledger, global, environment)?;
    let (now, who) = (SystemClock::default().now_ms(), environment.person());
    let changed = match pause {
        true => {
            let paused = Paused {
                since: now,
                by: who,
                reason: Reason::new("", args.reason.clone()),
            };
            ledger.pause(&args.scheme, &paused)?;
            true
        }
        false => ledger.resume(&args.scheme, &who, &args.reason, now)?,
    };
    if out.json {
        out.document(&object! {
            "schema" => "engine.schemes-pause/1", "scheme" => args.scheme, "paused" => pause, "changed" => changed,
        });
        return Ok(0);
    }
    let said = match (pause, changed) {
        (true, _) => "scheme-is-paused",
        (false, true) => "scheme-is-resumed",
        (false, false) => "scheme-was-not-paused",
    };
    out.say(said, &[("scheme", args.scheme)]);
    Ok(0)
}

/// `engine schemes revisions SCHEME [--show N | --diff A..B]`
pub(crate) fn revisions(
    args: SchemesRevisionsArgs,
    global: &Global,
    out: &Out,
    environment: &Environment,
) -> Done {
    let reader = ledgers::open(&args.ledger, global, environment)?;
    let rows = reader.revisions(&args.scheme, args.limit)?;
    if rows.is_empty() {
        // One that was deployed and never ran is known by its revisions only.
        ledgers::known(&reader, Some(&args.scheme))?;
    }
    if let Some(seq) = args.show {
        let row = revisions::there(&reader, &args.scheme, seq)?;
        if out.json {
            out.document(&object! {
                "schema" => "engine.schemes-revision/1", "revision" => revision(&row), "text" => row.text,
            });
        } else {
            out.raw(&row.text);
        }
        return Ok(0);
    }
    if let Some(range) = &args.diff {
        return difference(&reader, &args.scheme, range, out);
    }
    if out.json {
        let rows: Vec<Value> = rows.iter().map(revision).collect();
        out.document(
            &object! {"schema" => "engine.schemes-revisions/1", "scheme" => args.scheme, "revisions" => rows},
        );
        return Ok(0);
    }
    let heads = [
        "column-revision",
        "column-hash",
        "column-when",
        "column-who",
        "column-message",
    ];
    let mut table = Table::new(heads.iter().map(|key| out.text(key, &[])).collect());
    for row in &rows {
        table.row(vec![
            row.seq.to_string(),
            row.hash.clone(),
            time::shown(row.at),
            match row.who.is_empty() {
                true => "-".to_owned(),
                false => one_line(&row.who),
            },
            match row.message.is_empty() {
                true => out.text("scheme-found", &[]),
                false => one_line(&row.message),
            },
        ]);
    }
    out.table(&table);
    Ok(0)
}

fn revision(row: &RevisionRow) -> Value {
    object! {
        "seq" => row.seq, "hash" => row.hash, "at" => time::rfc3339(row.at), "who" => row.who,
        "message" => row.message,
    }
}

fn difference(reader: &Reader, scheme: &str, range: &str, out: &Out) -> Done {
    let seqs = range
        .split_once("..")
        .and_then(|(from, to)| Some((from.trim().parse().ok()?, to.trim().parse().ok()?)));
    let Some((from, to)) = seqs else {
        return Err(AppError::wrong_use(
            format!("--diff {range} 不可用:写两个修订号,如 1..2"),
            format!("--diff {range} cannot be used: write two numbers, such as 1..2"),
        ));
    };
    let (before, after) = (
        revisions::there(reader, scheme, from)?,
        revisions::there(reader, scheme, to)?,
    );
    let text = drawn(&before.text, &after.text, out);
    if out.json {
        out.document(&object! {
            "schema" => "engine.schemes-diff/1", "before" => revision(&before), "after" => revision(&after),
            "diff" => text,
        });
    } else {
        out.line(text.join("\n"));
    }
    Ok(0)
}

/// Changed lines with a few around them.
fn drawn(before: &str, after: &str, out: &Out) -> Vec<String> {
    let lines = revisions::diff(before, after);
    let near = |at: usize| {
        let from = at.saturating_sub(AROUND);
        let to = lines.len().min(at + AROUND + 1);
        lines[from..to].iter().any(|line| !matches!(line, Line::Same(_)))
    };
    let mut text = Vec::new();
    let mut left_out = false;
    for (at, line) in lines.iter().enumerate() {
        let shown = match line {
            Line::Same(_) if !near(at) => {
                left_out = true;
                continue;
            }
            Line::Same(line) => format!("  {line}"),
            Line::Gone(line) => paint(&format!("- {line}"), "31", out),
            Line::New(line) => paint(&format!("+ {line}"), "32", out),
        };
        if std::mem::take(&mut left_out) {
            text.push("  …".to_owned());
        }
        text.push(shown);
    }
    text
}

fn paint(line: &str, color: &str, out: &Out) -> String {
    match out.json {
        true => line.to_owned(),
        false => out.painted(line, color),
    }
}

/// `engine schemes deploy FILE --message TEXT`
pub(crate) fn deploy(args: SchemesDeployArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let folder = &args.force.folder.schemes;
    is_folder(folder)?;
    super::meant::is_file(&args.file)?;
    let workspace = workspace(folder, global, None, environment)?;
    let what = revisions::check_file(&workspace, folder, &args.file)?;
    let note = note("deploy", &what, &args.force.message, environment);
    force(
        &args.force,
        &what,
        &note,
        "scheme-deployed",
        global,
        out,
        environment,
    )
}

/// `engine schemes rollback SCHEME --to N --message TEXT`
pub(crate) fn rollback(
    args: SchemesRollbackArgs,
    global: &Global,
    out: &Out,
    environment: &Environment,
) -> Done {
    let folder = &args.force.folder.schemes;
    is_folder(folder)?;
    let workspace = workspace(folder, global, None, environment)?;
    let reader = ledgers::open(&args.force.folder.ledger, global, environment)?;
    let row = revisions::there(&reader, &args.scheme, args.to)?;
    drop(reader);
    let target = workspace
        .file_of(&args.scheme)
        .unwrap_or_else(|| folder.join(format!("{}.yaml", args.scheme)));
    let what = revisions::check_text(&workspace, &target, &row.text)?;
    let note = note("revert", &what, &args.force.message, environment);
    force(
        &args.force,
        &what,
        &note,
        "scheme-put-back",
        global,
        out,
        environment,
    )
}

fn note(action: &str, what: &Deployment, message: &str, environment: &Environment) -> AuditNote {
    AuditNote {
        who: environment.person(),
        action: action.to_owned(),
        scheme: Some(what.scheme.clone()),
        record: None,
        what: what.hash.clone(),
        reason: message.to_owned(),
    }
}

/// Puts a checked text in force, after it was shown what changes.
fn force(
    args: &super::args::SchemesForceArgs,
    what: &Deployment,
    note: &AuditNote,
    said: &str,
    global: &Global,
    out: &Out,
    environment: &Environment,
) -> Done {
    given(&args.message)?;
    warn(out, &what.warnings);
    let target = what.target.display().to_string();
    if !out.json {
        match &what.before {
            Some(_) if what.is_there() => out.note("scheme-same-text", &[("file", target.clone())]),
            Some(before) => out.aside(drawn(before, &what.text, out).join("\n")),
            None => out.note("scheme-new-file", &[("file", target.clone())]),
        }
    }
    if !confirmed(out, environment, args.yes)? {
        return Ok(1);
    }
    // The lock first: a service that holds it would not know of the file before it looks.
    let mut ledger = ledger(&args.folder.ledger, global, environment)?;
    let seq = revisions::deploy(&mut ledger, what, note, SystemClock::default().now_ms())?;
    if out.json {
        out.document(&object! {
            "schema" => "engine.schemes-deploy/1", "exit_code" => 0_u8, "scheme" => what.scheme, "file" => target,
            "revision" => seq, "hash" => what.hash,
        });
    } else {
        out.say(
            said,
            &[
                ("scheme", what.scheme.clone()),
                ("seq", seq.to_string()),
                ("file", target),
            ],
        );
    }
    Ok(0)
}
