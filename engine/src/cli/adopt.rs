//! `engine adopt`: a scheme takes over from another tool, after a report of what that would come to.

use std::sync::Arc;

use app::adopt::{Adoption, Found, Outcome, TakeOver};
use app::{AppError, Clock, Engine, Opening, RunOptions, SystemClock};
use dsl::{Lang, Value};
use flow::Stages;
use flow::op::{AuditNote, Reason};
use ledger::doctor;
use ledger::read::RecordRow;

use super::Done;
use super::args::{AdoptArgs, Global};
use super::ask::confirmed;
use super::decide::{given, shown};
use super::ended;
use super::env::Environment;
use super::json::object;
use super::out::Out;
use super::progress::Shown;
use super::rows::{coded, reason_document};
use super::run::{flags, grouped, warn, workspace};
use super::simulators::{Keep, Simulation};
use super::table::{Table, cut, one_line};
use super::{time, upkeep};

/// Cells of a record's name.
const NAME: usize = 32;

/// Takes a scheme over from another tool.
pub(crate) fn adopt(args: AdoptArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    // A rehearsal's decision is forgotten with its ledger.
    let reason = args.reason.clone().unwrap_or_else(|| "--dry-run".to_owned());
    given(&reason)?;
    super::meant::is_file(&args.scheme)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let now = clock.now_ms();
    let until = time::instant_or_now(&args.until, now)?;
    let options = RunOptions {
        now: None,
        window: args.window.as_deref().map(time::interval).transpose()?,
        from: None,
        replay: None,
        limit: args.limit,
        settle_wait: args.settle_wait.as_deref().map(time::duration).transpose()?,
        stages: Stages::Ask,
        dry: args.dry_run,
        lang: out.lang,
        trigger: None,
        confirmed: true,
        cancel: None,
    };
    super::block_on(async {
        let places = environment.places(global);
        let keep = if args.dry_run { Keep::IfThere } else { Keep::Always };
        let simulation = Simulation::start(&args.simulated, &args.scheme, &places, keep).await?;
        let workspace = workspace(&args.scheme, global, simulation.simulators(), environment)?;
        let (plan, warnings) = workspace.compile(&args.scheme)?;
        warn(out, &warnings);
        if plan.target.is_none() {
            return Err(AppError::wrong_use(
                format!("方案 {} 没有目标,无需接管", plan.scheme),
                format!(
                    "the scheme {} has no target: there is nothing to take over",
                    plan.scheme
                ),
            ));
        }
        if let Some(emit) = plan.target.as_ref().and_then(|target| target.emit.as_ref())
            && !out.json
        {
            let facts = [("scheme", plan.scheme.clone()), ("taker", emit.scheme.clone())];
            out.note("adopt-gives-nothing", &facts);
        }
        if plan
            .target
            .as_ref()
            .is_some_and(|target| target.aggregate.is_some())
            && !out.json
        {
            out.note("adopt-holds-rows", &[("scheme", plan.scheme.clone())]);
        }
        if !args.dry_run {
            if !out.json {
                let facts = [("scheme", plan.scheme.clone()), ("until", time::shown(until))];
                out.note("adopt-plan", &facts);
            }
            if !confirmed(out, environment, args.yes)? {
                return Ok(1);
            }
        }
        let what = format!("until {}", time::rfc3339(until));
        let suspect = upkeep::suspect("adopt", &what, until, now, &reason, environment);
        let note = AuditNote {
            scheme: Some(plan.scheme.clone()),
            ..suspect.note.clone()
        };
        // A ledger that was lost and is begun anew is behind its note: this is the word that it is meant.
        let lost = doctor::look(&workspace.data_dir()).is_ok_and(|health| health.is_behind);
        let feeders = match simulation.simulated() && !args.mark_only {
            true => workspace.feeders(&plan),
            false => Vec::new(),
        };
        let plans: Vec<_> = feeders.iter().cloned().chain([Arc::clone(&plan)]).collect();
        let engine = if args.dry_run {
            Engine::rehearse(workspace, clock, &plans, out.lang)?
        } else {
            let opening = Opening {
                new_target: args.new_target,
                suspect: lost.then_some(suspect),
            };
            Engine::open(workspace, clock, &plans, out.lang, &opening)?
        };
        engine.may_adopt(&plan, lost, now)?;
        let told = Told {
            args: &args,
            scheme: &plan.scheme,
            until,
            flags: flags(simulation.simulated()),
        };
        if args.mark_only {
            let marked = engine.adopt(&plan, until, note).await?;
            told.marked(out, marked);
            drop(engine);
            simulation.stop().await;
            return Ok(0);
        }
        ended::watch(engine.cancel.clone());
        let progress = Shown::new(out);
        for feeder in feeders {
            let feeding = RunOptions {
                window: None,
                limit: None,
                stages: Stages::All,
                ..options.clone()
            };
            engine.run(feeder, &feeding, &progress).await?;
        }
        let order = TakeOver {
            until,
            note,
            options,
            examples: args.examples,
        };
        let adoption = engine.take_over(&plan, &order, &progress).await;
        progress.clear();
        let adoption = adoption?;
        drop(engine);
        simulation.stop().await;
        let code = adoption.exit_code();
        if out.json {
            out.document(&told.document(Some(&adoption), adoption.marked, code, out.lang));
        } else {
            told.tell(out, &adoption);
        }
        Ok(code)
    })?
}

/// What is told of every adoption.
struct Told<'a> {
    args: &'a AdoptArgs,
    scheme: &'a str,
    until: i64,
    flags: &'static str,
}

impl Told<'_> {
    fn marked(&self, out: &Out, marked: u64) {
        if out.json {
            out.document(&self.document(None, marked, 0, out.lang));
            return;
        }
        let facts = [
            ("scheme", self.scheme.to_owned()),
            ("records", grouped(marked)),
            ("file", self.args.scheme.display().to_string()),
        ];
        out.say("adopt-done", &facts);
    }

    fn tell(&self, out: &Out, adoption: &Adoption) {
        let counts = &adoption.run.summary.counts;
        let head = if self.args.dry_run {
            "adopt-head-dry"
        } else {
            "adopt-head"
        };
        let facts = [
            ("scheme", self.scheme.to_owned()),
            ("rows", grouped(counts.fetched)),
            ("pages", grouped(adoption.run.summary.pages)),
        ];
        out.say(head, &facts);
        for found in &adoption.found {
            outcome(out, found, self.args.dry_run);
        }
        let (before, after) = adoption.mapped;
        let key = if self.args.dry_run {
            "adopt-mapping-dry"
        } else {
            "adopt-mapping"
        };
        out.say(key, &[("before", grouped(before)), ("after", grouped(after))]);
        if let Some(stopped) = &adoption.run.summary.stopped {
            let reason = flow::reason_of(stopped);
            out.say(
                "adopt-stopped",
                &[("reason", one_line(&coded(&reason, out.lang)))],
            );
        }
        let left = adoption.run.summary.windows_left;
        if left > 0 && !adoption.is_cut {
            let why = adoption.run.left.as_ref().map(|reason| coded(reason, out.lang));
            let facts = [
                ("count", grouped(u64::from(left))),
                ("reason", one_line(&why.unwrap_or_default())),
            ];
            out.say("adopt-windows-left", &facts);
        }
        if counts.fetched == 0 && adoption.found.is_empty() {
            out.say("adopt-nothing-read", &[]);
        }
        let file = || ("file", self.args.scheme.display().to_string());
        let flags = || ("flags", self.flags.to_owned());
        match self.args.dry_run {
            true => out.say("adopt-next-dry", &[file(), flags()]),
            false if adoption.count(Outcome::Unsettled) > 0 => {
                out.say("adopt-next-again", &[file(), flags()])
            }
            false => out.say("adopt-next", &[file(), flags()]),
        }
    }

    /// The JSON form. Its shape is fixed by `schemas/adopt.json`.
    fn document(&self, adoption: Option<&Adoption>, marked: u64, code: u8, lang: Lang) -> Value {
        let read = adoption.map(|adoption| {
            let summary = &adoption.run.summary;
            let stopped = summary.stopped.as_ref().map(flow::reason_of);
            object! {
                "status" => summary.status.word(),
                "fetched" => summary.counts.fetched,
                "pages" => summary.pages,
                "windows_left" => summary.windows_left,
                "stopped" => reason_document(stopped.as_ref(), lang),
            }
        });
        let mapping = adoption.map(|adoption| {
            let (before, after) = adoption.mapped;
            object! {"before" => before, "after" => after}
        });
        let outcomes: Vec<Value> = adoption
            .map(|adoption| &adoption.found[..])
            .unwrap_or_default()
            .iter()
            .map(|found| {
                let records: Vec<Value> = found.examples.iter().map(|one| example(one, lang)).collect();
                object! {
                    "outcome" => found.outcome.word(), "count" => found.count,
                    "open" => found.outcome.is_open(), "records" => records,
                }
            })
            .collect();
        object! {
            "schema" => "engine.adopt/1",
            "exit_code" => code,
            "scheme" => self.scheme,
            "dry_run" => self.args.dry_run,
            "until" => time::rfc3339(self.until),
            "records" => marked,
            "read" => read,
            "mapping" => mapping,
            "outcomes" => outcomes,
        }
    }
}

fn outcome(out: &Out, found: &Found, dry: bool) {
    let word = found.outcome.word().replace('_', "-");
    let more = match (found.outcome, dry) {
        (Outcome::NotThere, true) => "-dry",
        _ => "",
    };
    let what = out.text(&format!("adopted-{word}{more}"), &[]);
    out.line(format!("{:>9}  {what}", grouped(found.count)));
    let mut table = Table::default();
    for (row, reason) in &found.examples {
        table.row(vec![
            format!("           {}", cut(&shown(row), NAME)),
            cut(&one_line(&row.label), NAME),
            there(row),
            reason
                .as_ref()
                .map(|reason| one_line(&coded(reason, out.lang)))
                .unwrap_or_default(),
        ]);
    }
    out.table(&table);
    let left = found
        .count
        .saturating_sub(u64::try_from(found.examples.len()).unwrap_or(u64::MAX));
    if left > 0 && !found.examples.is_empty() {
        out.line(format!(
            "           {}",
            out.text("adopt-more", &[("count", grouped(left))])
        ));
    }
}

/// The document at the target, by id and number.
fn there(row: &RecordRow) -> String {
    match (&row.target_id, &row.number) {
        (Some(id), Some(number)) => one_line(&format!("→ {id} {number}")),
        (Some(id), None) => one_line(&format!("→ {id}")),
        (None, _) => String::new(),
    }
}

fn example((row, reason): &(RecordRow, Option<Reason>), lang: Lang) -> Value {
    object! {
        "key" => super::json::stored(row.key.as_bytes()),
        "label" => row.label,
        "target_id" => row.target_id,
        "number" => row.number,
        "reason" => reason_document(reason.as_ref(), lang),
    }
}
