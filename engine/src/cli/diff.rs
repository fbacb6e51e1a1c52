//! `engine diff`: which stored records would get another document after an edit of their scheme.

use std::sync::Arc;

use app::diff::{Compared, Difference, Example};
use app::operate::Change;
use app::{AppError, Clock, Engine, SystemClock};
use dsl::{Lang, Value};

use super::Done;
use super::args::{DiffArgs, Global};
use super::decide::shown;
use super::ended;
use super::env::Environment;
use super::json::object;
use super::out::Out;
use super::rows::coded;
use super::run::{grouped, warn, workspace};
use super::simulators::{Keep, Simulation};
use super::table::{Table, cut, one_line};

/// Exit code of `--detailed-exitcode` when something would be another document, or none.
const CHANGES: u8 = 10;
/// Fields told by name on a terminal; JSON has all that are counted.
const MAX_FIELDS: usize = 40;
/// Places of one document that are told on a terminal.
const MAX_CHANGES: usize = 12;
/// Cells of one side of a change.
const SIDE: usize = 48;

/// Compares what was sent with what the scheme makes now.
pub(crate) fn diff(args: DiffArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    super::meant::is_file(&args.scheme)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let order = Compared {
        limit: args.limit,
        examples: args.examples as usize,
        now: clock.now_ms(),
        lang: out.lang,
    };
    super::block_on(async {
        let places = environment.places(global);
        let simulation = Simulation::start(&args.simulated, &args.scheme, &places, Keep::IfThere).await?;
        let workspace = workspace(&args.scheme, global, simulation.simulators(), environment)?;
        let (plan, warnings) = workspace.compile(&args.scheme)?;
        warn(out, &warnings);
        if plan.target.is_none() {
            return Err(AppError::wrong_use(
                format!("方案 {} 没有目标,没有报文可比较", plan.scheme),
                format!(
                    "the scheme {} has no target: there are no documents to compare",
                    plan.scheme
                ),
            ));
        }
        let engine = Engine::look(workspace, clock, &[Arc::clone(&plan)], out.lang)?;
        ended::watch(engine.cancel.clone());
        // Evaluation is work of the processor: the watcher of signals has its own thread meanwhile.
        let found = tokio::task::block_in_place(|| engine.difference(&plan, order))?;
        drop(engine);
        simulation.stop().await;
        let code = match (found.is_canceled, found.changed + found.refused()) {
            (true, _) => 130,
            (false, 1..) if args.detailed_exitcode => CHANGES,
            (false, _) => 0,
        };
        if out.json {
            out.document(&document(&plan.scheme, &plan.revision, &found, code, out.lang));
        } else {
            tell(out, &plan.scheme, &found);
        }
        Ok(code)
    })?
}

fn tell(out: &Out, scheme: &str, found: &Difference) {
    let head = [("scheme", scheme.to_owned()), ("records", grouped(found.records))];
    out.say("diff-head", &head);
    for (key, count) in [
        ("diff-same", found.same),
        ("diff-changed", found.changed),
        ("diff-refused", found.refused()),
        ("diff-never-written", found.never_written),
        ("diff-not-kept", found.not_kept),
    ] {
        if count > 0 {
            out.line(format!("{:>9}  {}", grouped(count), out.text(key, &[])));
        }
    }
    for (reason, count) in found.refused.values() {
        out.line(format!(
            "           {}  {}",
            grouped(*count),
            one_line(&coded(reason, out.lang))
        ));
    }
    let mut fields: Vec<(&String, &u64)> = found.fields.iter().collect();
    fields.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    if !fields.is_empty() {
        out.say("diff-fields", &[]);
    }
    for (field, count) in fields.iter().take(MAX_FIELDS) {
        out.line(format!("{:>9}  {}", grouped(**count), one_line(field)));
    }
    let left = fields.len().saturating_sub(MAX_FIELDS);
    if left > 0 || found.more_fields {
        out.say_in("diff-more-fields", &[]);
    }
    for (nth, example) in found.examples.iter().enumerate() {
        tell_example(out, nth + 1, example);
    }
    let told = u64::try_from(found.examples.len()).unwrap_or(u64::MAX);
    if found.changed > told {
        out.say("diff-more", &[("count", grouped(found.changed - told))]);
    }
    if !found.by_clock.is_empty() {
        let fields: Vec<&str> = found.by_clock.keys().map(String::as_str).collect();
        out.say("diff-by-clock", &[("fields", one_line(&fields.join(", ")))]);
    }
    if !found.uncompared.is_empty() {
        out.say(
            "diff-uncompared",
            &[("fields", one_line(&found.uncompared.join(", ")))],
        );
    }
    if found.is_cut {
        out.say("diff-cut", &[("records", grouped(found.records))]);
    }
    if found.is_canceled {
        out.say("diff-canceled", &[("records", grouped(found.records))]);
    }
    if found.changed > 0 {
        out.say("diff-next", &[]);
    }
}

fn tell_example(out: &Out, nth: usize, example: &Example) {
    let row = &example.row;
    let action = out.text(&format!("action-{}", example.action.word()), &[]);
    let line = format!("#{nth}  {}  {}  {action}", shown(row), one_line(&row.label));
    out.line(line.trim_end());
    let mut table = Table::default();
    for change in example.changes.iter().take(MAX_CHANGES) {
        table.row(vec![
            format!("    {}", one_line(&change.field)),
            side(out, change.before.as_ref()),
            "→".to_owned(),
            side(out, change.after.as_ref()),
        ]);
    }
    out.table(&table);
    if example.changes.len() > MAX_CHANGES {
        let left = example.changes.len() - MAX_CHANGES;
        out.say_in("diff-more-changes", &[("count", left.to_string())]);
    }
}

fn side(out: &Out, value: Option<&Value>) -> String {
    match value {
        None => out.text("diff-absent", &[]),
        Some(value) => cut(&one_line(&dsl::json::to_string(value)), SIDE),
    }
}

/// The JSON form. Its shape is fixed by `schemas/diff.json`.
fn document(scheme: &str, revision: &str, found: &Difference, code: u8, lang: Lang) -> Value {
    let counted = |fields: &std::collections::BTreeMap<String, u64>| {
        let all = fields.iter();
        all.map(|(field, count)| object! {"field" => field, "records" => *count})
            .collect::<Vec<_>>()
    };
    let refused: Vec<Value> = found
        .refused
        .values()
        .map(|(reason, count)| {
            object! {
                "code" => reason.code, "message" => app::sentence_of(reason, lang), "records" => *count,
            }
        })
        .collect();
    let examples: Vec<Value> = found
        .examples
        .iter()
        .map(|example| {
            object! {
                "key" => super::json::stored(example.row.key.as_bytes()),
                "label" => example.row.label,
                "target_id" => example.row.target_id,
                "action" => example.action.word(),
                "changes" => example.changes.iter().map(change).collect::<Vec<_>>(),
            }
        })
        .collect();
    object! {
        "schema" => "engine.diff/1",
        "exit_code" => code,
        "scheme" => scheme,
        "revision" => revision,
        "records" => found.records,
        "all" => !found.is_cut && !found.is_canceled,
        "same" => found.same,
        "changed" => found.changed,
        "refused" => refused,
        "unknown" => object! {"never_written" => found.never_written, "not_kept" => found.not_kept},
        "fields" => counted(&found.fields),
        "more_fields" => found.more_fields,
        "by_clock" => counted(&found.by_clock),
        "uncompared" => found.uncompared,
        "examples" => examples,
    }
}

fn change(one: &Change) -> Value {
    object! {"field" => one.field, "before" => one.before, "after" => one.after}
}
