//! `engine replay`: a past stretch of time is read once more.
//!
//! It has a cursor of its own, so that it can be stopped and gone on with, and never moves the one of ordinary polling
//! back. What it will do is shown first; doing it needs a reason, which is kept for ever.

use std::sync::Arc;

use app::{AppError, Clock, Engine, Opening, Replay, ReplayPlan, RunOptions, SystemClock, Why};
use dsl::Value;
use dsl::plan::Plan;
use flow::Stages;
use flow::window::Interval;

use super::Done;
use super::args::{Global, ReplayArgs};
use super::ask::confirmed;
use super::decide::given;
use super::env::Environment;
use super::json::object;
use super::meant::{is_file, not_far_ahead};
use super::out::Out;
use super::progress::Shown;
use super::run::{document, exit_code, flags, grouped, tell, warn, workspace};
use super::simulators::{Keep, Simulation};
use super::table::Table;
use super::time;

/// Windows listed by name.
const LISTED: usize = 10;

/// Plans, shows the plan, asks, reads.
pub(crate) fn replay(args: ReplayArgs, global: &Global, out: &mut Out, environment: &Environment) -> Done {
    let now = args.now.as_deref().map(time::instant).transpose()?;
    let (from, to) = (time::instant(&args.from)?, time::instant(&args.to)?);
    let range = Interval::new(from, to)
        .ok_or_else(|| AppError::wrong_use("--to 必须晚于 --from", "--to must come after --from"))?;
    let step = args.step.as_deref().map(time::duration).transpose()?;
    if let Some(reason) = &args.reason {
        given(reason)?;
    }
    let reason = args.reason.as_deref().map(str::trim);
    is_file(&args.scheme)?;
    if let Some(now) = now {
        not_far_ahead(
            now,
            SystemClock::default().now_ms(),
            args.dry_run || args.simulated.is_wanted(),
        )?;
    }
    let settle_wait = args.settle_wait.as_deref().map(time::duration).transpose()?;
    super::block_on(async {
        let places = environment.places(global);
        let keep = if args.dry_run { Keep::IfThere } else { Keep::Always };
        let simulation = Simulation::start(&args.simulated, &args.scheme, &places, keep).await?;
        let workspace = workspace(&args.scheme, global, simulation.simulators(), environment)?;
        let (plan, warnings) = workspace.compile(&args.scheme)?;
        warn(out, &warnings);
        let clock = Arc::new(SystemClock::default());
        let replay = Replay {
            range,
            step: allowed(&plan, step)?,
            only_missing: args.only_missing,
        };
        let plans = [Arc::clone(&plan)];
        let mut engine = if args.dry_run {
            Engine::rehearse(workspace, clock, &plans, out.lang)?
        } else {
            Engine::open(workspace, clock, &plans, out.lang, &Opening::default())?
        };
        let todo = engine.plan_replay(&plan, &replay, now, args.again)?;
        if args.dry_run {
            if out.json {
                out.document(&planned(&plan, &todo, None));
            } else {
                show(out, &args, &plan, &todo);
            }
            simulation.stop().await;
            return Ok(0);
        }
        if todo.slices.is_empty() {
            if out.json {
                out.document(&planned(&plan, &todo, None));
            } else {
                out.say("replay-nothing", &[("scheme", plan.scheme.clone())]);
            }
            simulation.stop().await;
            return Ok(0);
        }
        let Some(reason) = reason else {
            return Err(AppError::wrong_use(
                "补数要写明原因:--reason \"…\";原因会永久记录。先看清单:--dry-run",
                "a replay needs a reason, which is kept: --reason \"…\"; to see the plan first: --dry-run",
            ));
        };
        if !out.json {
            show(out, &args, &plan, &todo);
        }
        if !confirmed(out, environment, args.yes)? {
            simulation.stop().await;
            return Ok(0);
        }
        let who = environment.person();
        let why = Why { who: &who, reason };
        engine
            .begin_replay(&plan, &replay, why, args.again, args.share)
            .await?;
        super::ended::watch(engine.cancel.clone());
        let options = RunOptions {
            now,
            window: None,
            from: None,
            replay: Some(replay),
            limit: None,
            settle_wait,
            stages: Stages::All,
            dry: false,
            lang: out.lang,
            trigger: None,
            confirmed: true,
            cancel: None,
        };
        let shown = Shown::new(out);
        let started = engine.now_ms();
        let report = engine.run(Arc::clone(&plan), &options, &shown).await;
        shown.clear();
        let report = report?;
        let took = engine.now_ms() - started;
        let code = exit_code(&report);
        let flags = flags(simulation.simulated());
        simulation.stop().await;
        if out.json {
            out.document(&planned(
                &plan,
                &todo,
                Some(document(&report, took, code, out.lang)),
            ));
        } else {
            tell(out, &report, took, flags);
        }
        Ok(code)
    })?
}

/// The longest slice: the scheme's, or a shorter one.
fn allowed(plan: &Plan, step: Option<i64>) -> Result<i64, AppError> {
    let most = plan.source.window.max_ms;
    match step {
        None => Ok(most),
        Some(step) if step < flow::window::SMALLEST => {
            Err(AppError::wrong_use("--step 至少为 1s", "--step is at least 1s"))
        }
        Some(step) if step > most => Err(AppError::wrong_use(
            format!("--step 最长为 {}:来源一次只能问这么长的时间", time::span(most)),
            format!(
                "--step is at most {}: the source is not asked for more at once",
                time::span(most)
            ),
        )),
        Some(step) => Ok(step),
    }
}

fn show(out: &Out, args: &ReplayArgs, plan: &Plan, todo: &ReplayPlan) {
    let range = todo.range;
    out.say(
        "replay-head",
        &[
            ("scheme", plan.scheme.clone()),
            ("from", time::shown(range.from)),
            ("to", time::shown(range.to)),
        ],
    );
    out.say_in(
        "replay-windows",
        &[
            ("windows", grouped(length(todo.slices.len()))),
            ("all", grouped(length(todo.all))),
            ("share", args.share.to_string()),
        ],
    );
    let key = if args.only_missing {
        "replay-only-missing"
    } else {
        "replay-everything"
    };
    out.say_in(key, &[]);
    if !args.only_missing && plan.source.newest_by.is_none() {
        out.say_in("replay-no-order", &[]);
    }
    let mut table = Table::new(vec![out.text("column-window", &[])]);
    for slice in todo.slices.iter().take(LISTED) {
        table.row(vec![format!(
            "{} → {}",
            time::shown(slice.from),
            time::shown(slice.to)
        )]);
    }
    out.table(&table);
    if let Some(more) = todo.slices.len().checked_sub(LISTED).filter(|more| *more > 0) {
        out.say_in("replay-more", &[("count", grouped(length(more)))]);
    }
}

fn length(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// The JSON form. Its shape is fixed by `schemas/replay.json`.
fn planned(plan: &Plan, todo: &ReplayPlan, run: Option<Value>) -> Value {
    object! {
        "schema" => "engine.replay/1",
        "scheme" => plan.scheme,
        "from" => time::rfc3339(todo.range.from),
        "to" => time::rfc3339(todo.range.to),
        "windows" => length(todo.slices.len()),
        "windows_all" => length(todo.all),
        "run" => run,
    }
}
