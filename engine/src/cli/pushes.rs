//! `engine receive`: the address that other systems push to, and what came. `engine publish usage`: who read how much.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::{AppError, Clock, Engine, Opening, SystemClock, query};
use dsl::Value;
use ledger::service::inbox::{PushRow, RefusedRow};
use ledger::service::usage::UsageRow;

use super::Done;
use super::args::{Global, PublishUsageArgs, ReceiveListArgs, ReceiveUrlArgs};
use super::env::Environment;
use super::json::object;
use super::ledgers;
use super::out::Out;
use super::run;
use super::table::{Table, one_line};
use super::time;

/// Lines of refusals that are shown: a week of ten schemes with several reasons.
const REFUSALS: u32 = 500;

/// `engine receive url SCHEME`
pub(crate) fn url(args: ReceiveUrlArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let file = file_of(&args.scheme, global, environment)?;
    let workspace = run::seen(&file, global, environment)?;
    let (plan, warnings) = workspace.compile(&file)?;
    run::warn(out, &warnings);
    let received = plan.source.receive.as_ref();
    let Some(receive) = received.filter(|_| plan.source.from_scheme.is_none()) else {
        return Err(AppError::wrong_use(
            format!("方案 {} 不接收推送", plan.scheme),
            format!("nothing is sent to the scheme {}", plan.scheme),
        ));
    };
    let known = match query::open(&workspace.data_dir()) {
        Ok(reader) if !args.renew => reader.doors()?,
        Ok(_) | Err(_) => Vec::new(),
    };
    let known = known.into_iter().find(|(scheme, _)| *scheme == plan.scheme);
    let door = match known {
        Some((_, door)) => door,
        None => {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
            let (now, fresh) = (clock.now_ms(), app::inbox::new_door()?);
            let takes = app::inbox::Takes::of(&plan, now)?.map(|takes| takes.text());
            let (scheme, renew) = (plan.scheme.clone(), args.renew);
            // Nobody is called for it: no connection is opened, and no secret is needed.
            let engine = Engine::open(workspace, clock, &[], out.lang, &Opening::default())?;
            let made = engine.with_ledger(move |ledger| {
                if renew {
                    ledger.new_door(&scheme, &fresh, now)?;
                }
                ledger.door(&scheme, &fresh, takes.as_deref(), now)
            });
            super::block_on(made)??.map_err(AppError::from)?
        }
    };
    let path = format!("/receive/{door}");
    if out.json {
        out.document(&object! {
            "schema" => "engine.receive-url/1",
            "scheme" => plan.scheme,
            "operation" => receive.operation,
            "path" => path,
        });
    } else {
        out.line(path);
        out.note("receive-url-hint", &[("operation", receive.operation.clone())]);
    }
    Ok(0)
}

/// The file of a scheme that is named by its file, or by its id.
fn file_of(named: &Path, global: &Global, environment: &Environment) -> Result<PathBuf, AppError> {
    let may_be_id = named.extension().is_none() && named.components().count() == 1;
    if may_be_id && !named.exists() {
        let folder = super::retry::folder(None);
        let (workspace, id) = (run::seen(&folder, global, environment)?, named.to_string_lossy());
        if let Some(file) = workspace.file_of(&id) {
            return Ok(file);
        }
        let folder = folder.display();
        return Err(AppError::wrong_use(
            format!("没有文件 {id},文件夹 {folder} 里也没有方案 `{id}`"),
            format!("there is no file {id}, and no file in {folder} is the scheme `{id}`"),
        ));
    }
    super::meant::is_file(named)?;
    Ok(named.to_owned())
}

/// `engine receive list`
pub(crate) fn list(args: ReceiveListArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let reader = ledgers::open(&args.ledger, global, environment)?;
    ledgers::known(&reader, args.scheme.as_deref())?;
    let all = if args.limit == 0 { u32::MAX } else { args.limit };
    let pushes = reader.pushes(args.scheme.as_deref(), all)?;
    let mut refused = reader.refused(REFUSALS)?;
    refused.retain(|row| args.scheme.as_ref().is_none_or(|scheme| row.scheme == *scheme));
    if out.json {
        let pushes: Vec<Value> = pushes.iter().map(push).collect();
        let refused: Vec<Value> = refused.iter().map(refusal).collect();
        out.document(&object! {
            "schema" => "engine.receive-list/1",
            "pushes" => pushes,
            "refused" => refused,
        });
        return Ok(0);
    }
    if pushes.is_empty() {
        out.say("receive-none", &[]);
    } else {
        let head = [
            "receive-id",
            "receive-arrived",
            "receive-scheme",
            "receive-rows",
            "receive-state",
            "receive-about",
        ];
        let mut table = Table::new(head.iter().map(|key| out.text(key, &[])).collect());
        for row in &pushes {
            table.row(vec![
                row.id.to_string(),
                time::shown(row.arrived),
                row.scheme.clone(),
                row.rows.to_string(),
                out.text(&format!("receive-state-{}", row.state), &[]),
                about(row, out),
            ]);
        }
        out.table(&table);
    }
    for row in &refused {
        out.say(
            "receive-refused",
            &[
                ("day", time::day(row.day)),
                (
                    "scheme",
                    if row.scheme.is_empty() {
                        "-".to_owned()
                    } else {
                        row.scheme.clone()
                    },
                ),
                ("why", row.why.clone()),
                ("count", row.count.to_string()),
            ],
        );
    }
    Ok(0)
}

/// What it is about, and how often it came again.
fn about(row: &PushRow, out: &Out) -> String {
    let void = row.void.then(|| out.text("receive-void", &[]));
    let repeats =
        (row.repeats > 0).then(|| out.text("receive-repeats", &[("repeats", row.repeats.to_string())]));
    let back = row.back.then(|| out.text("receive-back", &[]));
    let parts = [Some(one_line(&row.sender)), void, back, repeats];
    let parts: Vec<String> = parts
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("  ")
}

fn push(row: &PushRow) -> Value {
    object! {
        "id" => row.id.0,
        "scheme" => row.scheme,
        "about" => row.sender,
        "void" => row.void,
        "rows" => row.rows,
        "arrived" => time::rfc3339(row.arrived),
        "state" => row.state,
        "run" => row.run,
        "repeats" => row.repeats,
        "back" => row.back,
    }
}

fn refusal(row: &RefusedRow) -> Value {
    object! {
        "day" => time::rfc3339(row.day),
        "scheme" => row.scheme,
        "why" => row.why,
        "count" => row.count,
    }
}

/// `engine publish usage`
pub(crate) fn usage(args: PublishUsageArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let since = args.since.as_deref().map(time::instant).transpose()?;
    let reader = ledgers::open(&args.ledger, global, environment)?;
    ledgers::known(&reader, args.scheme.as_deref())?;
    let all = if args.limit == 0 { u32::MAX } else { args.limit };
    let rows = reader.usage(since.unwrap_or(0), args.scheme.as_deref(), all)?;
    if out.json {
        let rows: Vec<Value> = rows.iter().map(used).collect();
        out.document(&object! {"schema" => "engine.publish-usage/1", "usage" => rows});
        return Ok(0);
    }
    if rows.is_empty() {
        out.say("usage-none", &[]);
        return Ok(0);
    }
    let head = [
        "usage-day",
        "usage-token",
        "usage-scheme",
        "usage-calls",
        "usage-rows",
        "usage-refused",
    ];
    let mut table = Table::new(head.iter().map(|key| out.text(key, &[])).collect());
    for row in &rows {
        table.row(vec![
            time::day(row.day),
            one_line(&row.token),
            row.scheme.clone(),
            row.calls.to_string(),
            row.rows.to_string(),
            row.refused.to_string(),
        ]);
    }
    out.table(&table);
    Ok(0)
}

fn used(row: &UsageRow) -> Value {
    object! {
        "day" => time::rfc3339(row.day),
        "token" => row.token,
        "scheme" => row.scheme,
        "calls" => row.calls,
        "rows" => row.rows,
        "refused" => row.refused,
    }
}
