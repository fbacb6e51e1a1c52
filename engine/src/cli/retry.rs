//! `engine retry`: what failed or was held is processed again, after a look at what would be sent.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::operate::{self, Change, Desk, Outlook, Prospect, Retried, Way};
use app::{AppError, Clock, Engine, SystemClock, Workspace, query};
use dsl::{Lang, Value};
use flow::decision::{Decided, Decision, Ruling};
use flow::op::RecordState;
use ledger::read::{RecordFilter, RecordRow};

use super::Done;
use super::args::{Global, LedgerArgs, RecordArgs, RetryArgs};
use super::ask::confirmed;
use super::decide::{environment_name, given, ruled, shown};
use super::env::Environment;
use super::json::object;
use super::ledgers;
use super::out::Out;
use super::remote::Remote;
use super::rows::{self, coded, reason_document};
use super::run::{flags, grouped, warn, workspace};
use super::simulators::{Keep, Simulation};
use super::table::{Table, cut, one_line};

/// Records told one by one; the rest is counted.
const MAX_SHOWN: usize = 20;
/// Places of one document that are told.
const MAX_CHANGES: usize = 12;
/// Cells of one side of a change.
const SIDE: usize = 48;

/// Puts records back, or asks about them first.
pub(crate) fn retry(args: RetryArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    if let Some(reason) = &args.reason {
        given(reason)?;
    }
    if args.not_there && args.reason.is_none() {
        return Err(AppError::wrong_use(
            "--not-there 是您的担保,要写明 --reason:在目标系统里怎样确认的",
            "--not-there is your word: say with --reason how you looked",
        ));
    }
    let local = [
        ("--sandbox", args.simulated.is_wanted()),
        ("--schemes", args.schemes.is_some()),
        // What a person says about one record is said of that one.
        ("--not-there", args.not_there),
    ];
    if let Some(remote) = Remote::meant(&local, global, out, environment)? {
        return through(&remote, &args, out, environment);
    }
    let ledger_args = LedgerArgs::from(&args.simulated);
    let dir = ledgers::dir(&ledger_args, global, environment)?;
    let reader = query::open(&dir)?;
    ledgers::known(&reader, args.records.scheme.as_deref())?;
    let rows = selected(
        &args,
        |filter| operate::meant(&reader, filter),
        |key| operate::one(&reader, args.records.scheme.as_deref(), key),
    )?;
    drop(reader);
    if rows.is_empty() {
        if out.json {
            out.document(&document(&args, &[], &[], 0, out.lang));
        } else {
            out.say("retry-none", &[]);
        }
        return Ok(0);
    }
    let retried = if args.as_stored {
        Retried::AsStored
    } else {
        Retried::Latest
    };
    let now = SystemClock::default().now_ms();
    let (prospects, files) = super::block_on(look(&args, retried, rows, now, global, out, environment))??;
    let going = |one: &Prospect| decision(one, retried, args.not_there).is_some();
    let left = prospects.iter().filter(|one| !going(one)).count();
    if !out.json {
        tell(out, &args, &prospects);
    }
    if args.dry_run || left == prospects.len() {
        let code = u8::from(left > 0);
        if out.json {
            out.document(&document(&args, &prospects, &[], code, out.lang));
        }
        return Ok(code);
    }
    if !confirmed(out, environment, args.yes)? {
        return Ok(1);
    }
    let decided: Vec<(usize, Decided)> = prospects
        .iter()
        .enumerate()
        .filter_map(|(nth, one)| Some((nth, as_seen(&one.row, decision(one, retried, args.not_there)?))))
        .collect();
    let (places, decided): (Vec<usize>, Vec<Decided>) = decided.into_iter().unzip();
    let name = environment_name(&ledger_args, global, environment);
    let mut desk = Desk::open(&dir, &name, out.lang, environment.failpoint()?.as_ref())?;
    let reason = args.reason.clone().unwrap_or_else(|| in_words(&args));
    let rulings = desk.decide(decided, &environment.person(), &reason, now)?;
    drop(desk);
    let rulings: Vec<(usize, Ruling)> = places.into_iter().zip(rulings).collect();
    let moved = rulings
        .iter()
        .filter(|(_, ruling)| matches!(ruling, Ruling::Moved(_)))
        .count();
    let code = u8::from(moved < prospects.len());
    if out.json {
        out.document(&document(&args, &prospects, &rulings, code, out.lang));
    } else {
        put_back(out, &args, &prospects, &rulings, &files);
    }
    Ok(code)
}

/// The same through a server. What would be sent is not known here: that is what `rows show` and a retry on the server's
/// machine tell.
fn through(remote: &Remote, args: &RetryArgs, out: &Out, environment: &Environment) -> Done {
    let is_more = Cell::new(false);
    let rows = selected(
        args,
        |filter| {
            let (mut rows, more) = remote.records(filter)?;
            is_more.set(is_more.get() || more);
            rows.reverse();
            Ok(rows)
        },
        |key| remote.one(args.records.scheme.as_deref(), key),
    )?;
    let is_more = is_more.get();
    if !out.json {
        match rows.is_empty() {
            true => out.say("retry-none", &[]),
            false => tell_rows(out, args, &rows),
        }
    }
    if is_more {
        out.note("retry-only", &[("count", count(rows.len()))]);
    }
    let result = |done: &[(usize, Ruling)], code| {
        if out.json {
            out.document(&through_document(args, &rows, done, code, out.lang));
        }
        Ok(code)
    };
    if rows.is_empty() || args.dry_run {
        return result(&[], u8::from(is_more));
    }
    if !confirmed(out, environment, args.yes)? {
        return Ok(1);
    }
    let reason = args.reason.clone().unwrap_or_else(|| in_words(args));
    let as_stored = ("as_stored", Value::from(args.as_stored));
    let (mut moved, mut rulings) = (0, Vec::new());
    for (nth, part) in rows.chunks(AT_ONCE).enumerate() {
        let decided = remote.decide("retry", part, &reason, vec![as_stored.clone()])?;
        moved += usize::try_from(decided.moved).unwrap_or(usize::MAX);
        for (at, row) in part.iter().enumerate() {
            let left = decided.examples.iter().find(|(record, ..)| *record == row.record);
            if let Some((_, state, why)) = left {
                rulings.push((nth * AT_ONCE + at, super::decide::ruling(why, *state, row)));
            }
        }
    }
    let code = u8::from(moved < rows.len() || is_more);
    if !out.json {
        out.say(
            "retry-done-through",
            &[
                ("moved", count(moved)),
                ("left", count(rows.len().saturating_sub(moved))),
            ],
        );
        for (nth, ruling) in rulings.iter().take(MAX_SHOWN) {
            if let (Some(row), Value::Text(word)) = (rows.get(*nth), ruled(ruling)) {
                let word = word.replace('_', "-");
                let why = out.text(&format!("left-{word}"), &[]);
                out.line(format!("  {}  {why}", shown(row)));
            }
        }
    }
    result(&rulings, code)
}

/// Records of one request to a server, which takes 1.5 MiB: each is some 200 bytes with what was seen of it.
const AT_ONCE: usize = 4_000;

fn tell_rows(out: &Out, args: &RetryArgs, rows: &[RecordRow]) {
    let head = if args.as_stored {
        "retry-head-stored"
    } else {
        "retry-head-latest"
    };
    out.say(head, &[("count", count(rows.len()))]);
    for (nth, row) in rows.iter().take(MAX_SHOWN).enumerate() {
        let line = format!(
            "#{}  {}  {}  {}",
            nth + 1,
            shown(row),
            one_line(&row.label),
            out.state(row.state)
        );
        out.line(line.trim_end());
        if let Some(reason) = &row.reason {
            out.say_in("retry-was", &[("reason", one_line(&coded(reason, out.lang)))]);
        }
    }
    if rows.len() > MAX_SHOWN {
        out.say("retry-more", &[("count", count(rows.len() - MAX_SHOWN))]);
    }
}

/// The JSON form, with null where only the server's machine knows.
fn through_document(
    args: &RetryArgs,
    rows: &[RecordRow],
    left: &[(usize, Ruling)],
    code: u8,
    lang: Lang,
) -> Value {
    let record = |(nth, row): (usize, &RecordRow)| {
        let ruling = left
            .iter()
            .find(|(of, _)| *of == nth)
            .map(|(_, ruling)| ruled(ruling));
        object! {
            "scheme" => row.scheme, "key" => super::json::stored(row.key.as_bytes()), "label" => row.label,
            "state" => row.state.word(), "way" => None::<String>, "action" => None::<String>,
            "step" => None::<String>, "changes" => None::<String>, "uncompared" => Vec::<String>::new(),
            "refused" => reason_document(None, lang), "result" => ruling,
        }
    };
    object! {
        "schema" => "engine.retry/1", "exit_code" => code, "dry_run" => args.dry_run,
        "content" => if args.as_stored { "as_stored" } else { "latest" },
        "records" => rows.iter().enumerate().map(record).collect::<Vec<_>>(),
    }
}

/// The records meant, oldest first.
fn selected(
    args: &RetryArgs,
    meant: impl Fn(&RecordFilter) -> Result<Vec<RecordRow>, AppError>,
    one: impl Fn(&str) -> Result<RecordRow, AppError>,
) -> Result<Vec<RecordRow>, AppError> {
    let states = match args.records.state.as_deref() {
        Some("dead") => vec![RecordState::Dead],
        Some("held") => vec![RecordState::Held],
        Some(other) => {
            return Err(AppError::wrong_use(
                format!("只能重试 dead 或 held 的数据,而不是 `{other}`"),
                format!("only records that are dead or held can be retried, not `{other}`"),
            ));
        }
        // A key means its record, whichever of the two it is.
        None if args.records.key.is_some() => vec![RecordState::Dead, RecordState::Held],
        None => vec![RecordState::Dead],
    };
    let of_any_state = RecordArgs {
        state: None,
        ..args.records.clone()
    };
    let mut rows = Vec::new();
    for state in states {
        let filter = RecordFilter {
            state: Some(state),
            ..rows::filter(&of_any_state, 0)?
        };
        rows.extend(meant(&filter)?);
    }
    if let (Some(key), true) = (&args.records.key, rows.is_empty()) {
        // Nothing to retry under that key: say what it is instead.
        let row = one(key)?;
        return Err(AppError::wrong_use(
            format!(
                "{} 的状态是 {},只有 dead 和 held 可以重试",
                shown(&row),
                row.state.word()
            ),
            format!(
                "{} is {}; only records that are dead or held can be retried",
                shown(&row),
                row.state.word()
            ),
        ));
    }
    Ok(rows)
}

/// What a retry comes to, scheme by scheme, and the file of each.
async fn look(
    args: &RetryArgs,
    retried: Retried,
    rows: Vec<RecordRow>,
    now: i64,
    global: &Global,
    out: &Out,
    environment: &Environment,
) -> Result<(Vec<Prospect>, BTreeMap<String, PathBuf>), AppError> {
    let folder = folder(args.schemes.as_deref());
    let places = environment.places(global);
    let simulation = Simulation::start(&args.simulated, &folder, &places, Keep::IfThere).await?;
    let workspace = workspace(&folder, global, simulation.simulators(), environment)?;
    let mut by_scheme: BTreeMap<String, Vec<RecordRow>> = BTreeMap::new();
    for row in rows {
        by_scheme.entry(row.scheme.clone()).or_default().push(row);
    }
    let mut files = BTreeMap::new();
    let mut plans = BTreeMap::new();
    for scheme in by_scheme.keys() {
        let file = file_of(&workspace, scheme, &folder)?;
        let (plan, warnings) = workspace.compile(&file)?;
        warn(out, &warnings);
        if let (Retried::AsStored, Some(why)) = (retried, operate::not_as_stored(&plan)) {
            return Err(why);
        }
        files.insert(scheme.clone(), file);
        plans.insert(scheme.clone(), plan);
    }
    let all: Vec<_> = plans.values().cloned().collect();
    let engine = Engine::rehearse(workspace, Arc::new(SystemClock::default()), &all, out.lang)?;
    let mut prospects = Vec::new();
    for (scheme, rows) in by_scheme {
        if let Some(plan) = plans.get(&scheme) {
            prospects.extend(engine.prospects(plan, rows, retried, now, out.lang)?);
        }
    }
    drop(engine);
    simulation.stop().await;
    Ok((prospects, files))
}

/// Where the scheme files are.
pub(crate) fn folder(given: Option<&Path>) -> PathBuf {
    match given {
        Some(folder) => folder.to_owned(),
        None if Path::new("schemes").is_dir() => PathBuf::from("schemes"),
        None => PathBuf::from("."),
    }
}

/// The file of a scheme that the ledger knows.
pub(crate) fn file_of(workspace: &Workspace, scheme: &str, folder: &Path) -> Result<PathBuf, AppError> {
    workspace.file_of(scheme).ok_or_else(|| {
        let folder = folder.display();
        AppError::wrong_use(
            format!("文件夹 {folder} 里没有方案 `{scheme}` 的文件;用 --schemes 指出它所在的文件夹"),
            format!("no file in {folder} is the scheme `{scheme}`; name its folder with --schemes"),
        )
    })
}

/// What is decided about a record, if anything.
fn decision(one: &Prospect, retried: Retried, not_there: bool) -> Option<Decision> {
    if let Outlook::Refused { state, .. } = &one.outlook
        && *state != RecordState::Pending.word()
    {
        return None;
    }
    match one.way {
        Way::Written | Way::Asked => Some(Decision::Retry(one.content(retried))),
        Way::Looked if not_there => Some(Decision::NotThere),
        Way::Looked | Way::Keyless | Way::NothingStored => None,
    }
}

fn as_seen(row: &RecordRow, decision: Decision) -> Decided {
    Decided {
        record: row.record,
        state: row.state,
        version: row.version.clone(),
        attempt: row.attempt,
        decision,
    }
}

/// The selection, where nobody gave another reason.
fn in_words(args: &RetryArgs) -> String {
    let mut words = vec!["engine retry".to_owned()];
    let mut add = |flag: &str, value: &Option<String>| {
        if let Some(value) = value {
            words.push(format!("{flag} {value}"));
        }
    };
    add("--scheme", &args.records.scheme);
    add("--state", &args.records.state);
    add("--key", &args.records.key);
    add("--error", &args.records.error);
    add("--since", &args.records.since);
    add("--run", &args.records.run.map(|run| run.to_string()));
    if args.as_stored {
        words.push("--as-stored".to_owned());
    }
    words.join(" ")
}

fn tell(out: &Out, args: &RetryArgs, prospects: &[Prospect]) {
    let head = if args.as_stored {
        "retry-head-stored"
    } else {
        "retry-head-latest"
    };
    out.say(head, &[("count", count(prospects.len()))]);
    for (nth, one) in prospects.iter().take(MAX_SHOWN).enumerate() {
        let action = match &one.outlook {
            Outlook::Document { action, .. } => out.text(&format!("action-{action}"), &[]),
            Outlook::Refused { .. } => String::new(),
        };
        let step = one.row.step.as_deref().map(one_line).unwrap_or_default();
        let line = format!(
            "#{}  {}  {}  {}  {action} {step}",
            nth + 1,
            shown(&one.row),
            one_line(&one.row.label),
            out.state(one.row.state),
        );
        out.line(line.trim_end());
        if let Some(reason) = &one.row.reason {
            out.say_in("retry-was", &[("reason", one_line(&coded(reason, out.lang)))]);
        }
        outlook(out, one);
        match one.way {
            Way::Written => {}
            Way::Asked => out.say_in("retry-asked", &[]),
            Way::Looked if args.not_there => out.say_in("retry-your-word", &[]),
            Way::Looked => out.say_in("retry-look", &[("key", shown(&one.row))]),
            Way::Keyless => out.say_in("retry-keyless", &[]),
            Way::NothingStored => out.say_in("retry-nothing-stored", &[]),
        }
    }
    if prospects.len() > MAX_SHOWN {
        out.say("retry-more", &[("count", count(prospects.len() - MAX_SHOWN))]);
    }
}

fn outlook(out: &Out, one: &Prospect) {
    match &one.outlook {
        Outlook::Refused { state, reason } => out.say_in(
            if *state == RecordState::Pending.word() {
                "retry-waits"
            } else {
                "retry-again"
            },
            &[
                ("state", out.text(&format!("state-{state}"), &[])),
                ("reason", one_line(&coded(reason, out.lang))),
            ],
        ),
        Outlook::Document { changes: None, .. } => out.say_in("retry-first", &[]),
        Outlook::Document {
            changes: Some(changes),
            ..
        } if changes.is_empty() && one.uncompared.is_empty() => out.say_in("retry-same", &[]),
        Outlook::Document {
            changes: Some(changes),
            ..
        } if changes.is_empty() => out.say_in("retry-same-but", &[("fields", one.uncompared.join(", "))]),
        Outlook::Document {
            changes: Some(changes),
            ..
        } => {
            let mut table = Table::default();
            for change in changes.iter().take(MAX_CHANGES) {
                table.row(vec![
                    format!("    {}", change.field),
                    side(out, &change.before),
                    "→".to_owned(),
                    side(out, &change.after),
                ]);
            }
            out.table(&table);
            if changes.len() > MAX_CHANGES {
                out.say_in(
                    "retry-more-changes",
                    &[("count", count(changes.len() - MAX_CHANGES))],
                );
            }
        }
    }
}

fn side(out: &Out, value: &Option<Value>) -> String {
    match value {
        None => out.text("retry-absent", &[]),
        Some(value) => cut(&one_line(&dsl::json::to_string(value)), SIDE),
    }
}

fn put_back(
    out: &Out,
    args: &RetryArgs,
    prospects: &[Prospect],
    rulings: &[(usize, Ruling)],
    files: &BTreeMap<String, PathBuf>,
) {
    let in_state = |state: RecordState| {
        let there = rulings
            .iter()
            .filter(|(_, ruling)| *ruling == Ruling::Moved(state));
        there.count()
    };
    let (written, asked) = (in_state(RecordState::Pending), in_state(RecordState::Unknown));
    out.say(
        "retry-done",
        &[
            ("written", count(written)),
            ("asked", count(asked)),
            ("left", count(prospects.len().saturating_sub(written + asked))),
        ],
    );
    for (scheme, file) in files {
        let moved = rulings.iter().any(|(nth, ruling)| {
            matches!(ruling, Ruling::Moved(_))
                && prospects.get(*nth).is_some_and(|one| one.row.scheme == *scheme)
        });
        if moved {
            out.say_in(
                "retry-next",
                &[
                    ("file", file.display().to_string()),
                    ("flags", flags(args.simulated.is_wanted()).to_owned()),
                ],
            );
        }
    }
}

fn count(n: usize) -> String {
    grouped(u64::try_from(n).unwrap_or(u64::MAX))
}

/// The JSON form. Its shape is fixed by `schemas/retry.json`.
fn document(
    args: &RetryArgs,
    prospects: &[Prospect],
    rulings: &[(usize, Ruling)],
    code: u8,
    lang: Lang,
) -> Value {
    let records: Vec<Value> = prospects
        .iter()
        .enumerate()
        .map(|(nth, one)| {
            let ruling = rulings
                .iter()
                .find(|(of, _)| *of == nth)
                .map(|(_, ruling)| ruled(ruling));
            let (action, changes, refused) = match &one.outlook {
                Outlook::Document { action, changes } => (
                    Some(*action),
                    changes
                        .as_ref()
                        .map(|all| all.iter().map(change).collect::<Vec<_>>()),
                    None,
                ),
                Outlook::Refused { reason, .. } => (None, None, Some(reason)),
            };
            object! {
                "scheme" => one.row.scheme,
                "key" => super::json::stored(one.row.key.as_bytes()),
                "label" => one.row.label,
                "state" => one.row.state.word(),
                "way" => way(one.way),
                "action" => action,
                "step" => one.row.step,
                "changes" => changes,
                "uncompared" => one.uncompared,
                "refused" => reason_document(refused, lang),
                "result" => ruling,
            }
        })
        .collect();
    object! {
        "schema" => "engine.retry/1",
        "exit_code" => code,
        "dry_run" => args.dry_run,
        "content" => if args.as_stored { "as_stored" } else { "latest" },
        "records" => records,
    }
}

fn change(one: &Change) -> Value {
    object! {"field" => one.field, "before" => one.before, "after" => one.after}
}

fn way(way: Way) -> &'static str {
    match way {
        Way::Written => "written",
        Way::Asked => "asked",
        Way::Looked => "look",
        Way::Keyless => "keyless",
        Way::NothingStored => "nothing_stored",
    }
}
