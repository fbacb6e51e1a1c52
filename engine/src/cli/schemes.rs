//! `engine schemes`: the schemes of a folder, their pauses, and the texts that were in force.

use std::path::Path;

use app::revisions::{self, Deployment, Line};
use app::{AppError, Clock, SystemClock, Workspace};
use dsl::Value;
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
use super::remote::Remote;
use super::run::{self, warn};
use super::table::{Table, one_line};
use super::time;

/// Lines around a change that are shown.
const AROUND: usize = 3;

/// One scheme of the folder.
struct Listed {
    id: String,
    file: String,
    /// Errors of the file; `None` = it could run.
    errors: Option<usize>,
    is_enabled: bool,
    source: Option<String>,
    target: Option<String>,
    hash: String,
}

impl Listed {
    fn word(&self, paused: bool) -> &'static str {
        match self.errors {
            Some(_) => "invalid",
            None if paused => "paused",
            None if !self.is_enabled => "draft",
            None => "enabled",
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
        let target = plan.as_ref().and_then(|plan| plan.target.as_ref());
        all.push(Listed {
            id,
            file: path.display().to_string(),
            errors: plan.is_none().then_some(errors),
            is_enabled: plan.as_ref().is_some_and(|plan| plan.enabled),
            source: plan.as_ref().map(|plan| plan.source.named().to_owned()),
            target: target.map(|target| target.connection.clone()),
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

pub(crate) fn is_folder(folder: &Path) -> Result<(), AppError> {
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
    let local = [("--sandbox", args.ledger.is_simulated())];
    let rows = match Remote::meant(&local, global, out, environment)? {
        Some(remote) => told_by(&remote, None)?,
        None => {
            is_folder(&args.schemes)?;
            let workspace = run::seen(&args.schemes, global, environment)?;
            let reader = reader(&args.ledger, global, environment)?;
            let mut rows = Vec::new();
            for one in listed(&workspace, &args.schemes)? {
                let known = known(reader.as_ref(), &one.id)?;
                rows.push((one, known));
            }
            rows
        }
    };
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

/// The schemes of a server, or one of them.
fn told_by(remote: &Remote, meant: Option<&str>) -> Result<Vec<(Listed, Known)>, AppError> {
    let mut rows = Vec::new();
    for state in remote.schemes(meant)? {
        let newest = remote.newest(&state.id)?;
        let hash = state.hash.unwrap_or_default();
        let one = Listed {
            errors: (state.word == "invalid").then_some(usize::try_from(state.errors).unwrap_or(usize::MAX)),
            is_enabled: state.word != "draft",
            id: state.id,
            file: state.file,
            source: state.source,
            target: state.target,
            hash,
        };
        let known = Known {
            paused: state.paused,
            newest,
            last: state.last,
        };
        rows.push((one, known));
    }
    Ok(rows)
}

fn way(one: &Listed) -> String {
    let Some(source) = &one.source else {
        return "-".to_owned();
    };
    format!("{source} → {}", one.target.as_deref().unwrap_or("-"))
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
        "errors" => one.errors, "source" => one.source, "target" => one.target,
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
    let local = [("--sandbox", args.folder.ledger.is_simulated())];
    let (one, known) = match Remote::meant(&local, global, out, environment)? {
        Some(remote) => {
            let mut all = told_by(&remote, Some(&args.scheme))?;
            all.pop().ok_or_else(|| AppError::bug("a scheme that is none"))?
        }
        None => {
            is_folder(&args.folder.schemes)?;
            let workspace = run::seen(&args.folder.schemes, global, environment)?;
            let mut all = listed(&workspace, &args.folder.schemes)?;
            let Some(at) = all.iter().position(|one| one.id == args.scheme) else {
                return Err(no_such(&args.scheme, &all));
            };
            let one = all.swap_remove(at);
            let reader = reader(&args.folder.ledger, global, environment)?;
            let known = known(reader.as_ref(), &one.id)?;
            (one, known)
        }
    };
    if out.json {
        out.document(&object! {"schema" => "engine.schemes-show/1", "scheme" => document(&one, &known)});
        return Ok(0);
    }
    let state = out.text(&format!("scheme-{}", one.word(known.paused.is_some())), &[]);
    out.line(format!("{}  {state}  {}", one.id, way(&one)));
    out.say_in(
        "scheme-file",
        &[
            ("file", one.file.clone()),
            ("revision", revision_text(&one, &known, out)),
        ],
    );
    if let Some(errors) = one.errors {
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
    let local = [("--sandbox", args.folder.ledger.is_simulated())];
    let changed = match Remote::meant(&local, global, out, environment)? {
        Some(remote) => remote.pause(&args.scheme, pause, &args.reason)?,
        None => pause_here(&args, pause, global, environment)?,
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

/// Pauses or resumes in the ledger; says whether that changed anything.
fn pause_here(
    args: &SchemesPauseArgs,
    pause: bool,
    global: &Global,
    environment: &Environment,
) -> Result<bool, AppError> {
    is_folder(&args.folder.schemes)?;
    let workspace = run::seen(&args.folder.schemes, global, environment)?;
    let all = listed(&workspace, &args.folder.schemes)?;
    if !all.iter().any(|one| one.id == args.scheme) {
        return Err(no_such(&args.scheme, &all));
    }
    let mut ledger = ledger(&args.folder.ledger, global, environment)?;
    let (now, who) = (SystemClock::default().now_ms(), environment.person());
    Ok(match pause {
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
    })
}

/// `engine schemes revisions SCHEME [--show N | --diff A..B]`
pub(crate) fn revisions(
    args: SchemesRevisionsArgs,
    global: &Global,
    out: &Out,
    environment: &Environment,
) -> Done {
    let local = [("--sandbox", args.ledger.is_simulated())];
    if let Some(remote) = Remote::meant(&local, global, out, environment)? {
        let rows = remote.revisions(&args.scheme, args.limit)?;
        return tell_revisions(&args, &rows, &|seq| remote.revision(&args.scheme, seq), out);
    }
    let reader = ledgers::open(&args.ledger, global, environment)?;
    let rows = reader.revisions(&args.scheme, args.limit)?;
    if rows.is_empty() {
        // One that was deployed and never ran is known by its revisions only.
        ledgers::known(&reader, Some(&args.scheme))?;
    }
    let there = |seq| revisions::there(&reader, &args.scheme, seq);
    tell_revisions(&args, &rows, &there, out)
}

/// A revision by its number.
type There<'a> = &'a dyn Fn(u32) -> Result<RevisionRow, AppError>;

fn tell_revisions(args: &SchemesRevisionsArgs, rows: &[RevisionRow], there: There<'_>, out: &Out) -> Done {
    if let Some(seq) = args.show {
        let row = there(seq)?;
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
        return difference(there, range, out);
    }
    if out.json {
        let rows: Vec<Value> = rows.iter().map(revision).collect();
        out.document(
            &object! {"schema" => "engine.schemes-revisions/1", "scheme" => &args.scheme, "revisions" => rows},
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
    for row in rows {
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

fn difference(there: There<'_>, range: &str, out: &Out) -> Done {
    let seqs = range
        .split_once("..")
        .and_then(|(from, to)| Some((from.trim().parse().ok()?, to.trim().parse().ok()?)));
    let Some((from, to)) = seqs else {
        return Err(AppError::wrong_use(
            format!("--diff {range} 不可用:写两个修订号,如 1..2"),
            format!("--diff {range} cannot be used: write two numbers, such as 1..2"),
        ));
    };
    let (before, after) = (there(from)?, there(to)?);
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
    let mut text = Vec::new();
    let mut left_out = false;
    for line in revisions::near(&lines, AROUND) {
        let Some(line) = line else {
            left_out = true;
            continue;
        };
        let shown = match line {
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
    let local = [("--sandbox", args.force.folder.ledger.is_simulated())];
    if let Some(remote) = Remote::meant(&local, global, out, environment)? {
        given(&args.force.message)?;
        super::meant::is_file(&args.file)?;
        let file = app::read(&args.file)?;
        let reading = dsl::yaml::read_all(&file);
        if !reading.problems.is_empty() {
            return Err(AppError::Invalid(reading.problems));
        }
        let id = reading
            .node
            .and_then(|node| Some(node.get("scheme")?.value.text()?.to_owned()));
        let id = id.ok_or_else(|| {
            let file = args.file.display();
            AppError::wrong_use(
                format!("{file} 里没有 `scheme:`,不是方案"),
                format!("{file} has no `scheme:` and is no scheme"),
            )
        })?;
        let standing = remote.standing(&id)?;
        let put = |remote: &Remote| remote.deploy(&id, standing.as_ref(), &file.text, &args.force.message);
        let (before, said) = (
            standing.as_ref().map(|one| one.text.as_deref()),
            "scheme-deployed",
        );
        let what = (id.as_str(), before, file.text.as_str());
        return through(&remote, what, &args.force, said, &put, out, environment);
    }
    let folder = &args.force.folder.schemes;
    is_folder(folder)?;
    super::meant::is_file(&args.file)?;
    let workspace = run::seen(folder, global, environment)?;
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
    let local = [("--sandbox", args.force.folder.ledger.is_simulated())];
    if let Some(remote) = Remote::meant(&local, global, out, environment)? {
        given(&args.force.message)?;
        let row = remote.revision(&args.scheme, args.to)?;
        let standing = remote.standing(&args.scheme)?;
        let put =
            |remote: &Remote| remote.roll_back(&args.scheme, standing.as_ref(), args.to, &args.force.message);
        let (before, said) = (
            standing.as_ref().map(|one| one.text.as_deref()),
            "scheme-put-back",
        );
        let what = (args.scheme.as_str(), before, row.text.as_str());
        return through(&remote, what, &args.force, said, &put, out, environment);
    }
    let folder = &args.force.folder.schemes;
    is_folder(folder)?;
    let workspace = run::seen(folder, global, environment)?;
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

/// Puts a text in force at a server, after it was shown what changes. `what` is the scheme, the text that stands there
/// (where there is such a scheme) and the new one.
fn through(
    remote: &Remote,
    (scheme, before, text): (&str, Option<Option<&str>>, &str),
    args: &super::args::SchemesForceArgs,
    said: &str,
    put: &dyn Fn(&Remote) -> Result<(), AppError>,
    out: &Out,
    environment: &Environment,
) -> Done {
    if !out.json {
        match before {
            Some(Some(before)) if before == text => {
                out.note("scheme-same-text", &[("file", scheme.to_owned())])
            }
            Some(before) => out.aside(drawn(before.unwrap_or_default(), text, out).join("\n")),
            None => out.note("scheme-new-file", &[("file", scheme.to_owned())]),
        }
    }
    if !confirmed(out, environment, args.yes)? {
        return Ok(1);
    }
    put(remote)?;
    let now = remote.scheme(scheme)?;
    let seq = remote.newest(scheme)?.map_or(0, |newest| newest.seq);
    if out.json {
        out.document(&object! {
            "schema" => "engine.schemes-deploy/1", "exit_code" => 0_u8, "scheme" => scheme, "file" => now.file,
            "revision" => seq, "hash" => revisions::hash_of(text),
        });
    } else {
        let facts = [
            ("scheme", scheme.to_owned()),
            ("seq", seq.to_string()),
            ("file", now.file),
        ];
        out.say(said, &facts);
    }
    Ok(0)
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
