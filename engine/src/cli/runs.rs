//! `engine runs`: what each execution of a scheme did.

use std::path::PathBuf;

use app::AppError;
use dsl::{Lang, Value};
use flow::ids::RunId;
use flow::op::{Counts, RunStatus, Trigger};
use flow::timetable::Half;
use flow::window::Interval;
use ledger::Reader;
use ledger::read::{AuditFilter, AuditRow, RunFilter, RunLife, RunRow, WindowRow};

use super::Done;
use super::args::{Global, RunsCancelArgs, RunsListArgs, RunsShowArgs};
use super::ended;
use super::env::Environment;
use super::json::object;
use super::ledgers;
use super::out::Out;
use super::remote::{Begun, Remote};
use super::rows::{coded, reason_document};
use super::run::{counts_document, grouped, identity};
use super::table::{Table, one_line};
use super::time;

/// The word of a run that has not ended.
const RUNNING: &str = "running";
/// The word of one that never will: its process is gone. The next run of its scheme says so in the ledger.
const BROKEN: &str = "broken";

/// Which runs are meant by a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Ended(RunStatus),
    /// `running` or `broken`.
    Not(&'static str),
}

/// Tells runs that go on from runs whose process is gone.
struct Alive {
    dir: PathBuf,
    /// Nobody worked with the ledger before it was read.
    was_free: bool,
}

impl Alive {
    fn look(dir: PathBuf) -> Self {
        let was_free = ledger::lock::is_free(&dir);
        Alive { dir, was_free }
    }

    fn told(&self, runs: &mut [RunRow]) {
        if runs.iter().any(|run| run.status == RUNNING) && self.was_free && ledger::lock::is_free(&self.dir) {
            for run in runs.iter_mut().filter(|run| run.status == RUNNING) {
                run.status = BROKEN.to_owned();
            }
        }
    }
}

/// `engine runs list`
pub(crate) fn list(args: RunsListArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let wanted = args.status.as_deref().map(status).transpose()?;
    let filter = RunFilter {
        scheme: args.scheme,
        status: match wanted {
            Some(Wanted::Ended(status)) => Some(status),
            Some(Wanted::Not(_)) | None => None,
        },
        since: args.since.as_deref().map(time::instant).transpose()?,
        running: false,
        before: None,
        limit: args.limit,
    };
    let local = [("--sandbox", args.ledger.is_simulated())];
    let mut runs = match Remote::meant(&local, global, out, environment)? {
        Some(remote) => {
            let running = RunFilter {
                running: wanted == Some(Wanted::Not(RUNNING)),
                ..filter
            };
            remote.runs(&running, args.limit)?
        }
        None => {
            let alive = Alive::look(ledgers::dir(&args.ledger, global, environment)?);
            let reader = ledgers::open(&args.ledger, global, environment)?;
            ledgers::known(&reader, filter.scheme.as_deref())?;
            let mut runs = reader.list_runs(&filter)?;
            alive.told(&mut runs);
            runs
        }
    };
    if let Some(Wanted::Not(word)) = wanted {
        runs.retain(|run| run.status == word);
    }
    if out.json {
        let runs: Vec<Value> = runs.iter().map(|run| document(run, out.lang)).collect();
        out.document(&object! {"schema" => "engine.runs-list/1", "runs" => runs});
        return Ok(0);
    }
    if runs.is_empty() {
        out.say("runs-none", &[]);
        return Ok(0);
    }
    let head = [
        "column-run",
        "column-scheme",
        "column-started",
        "column-took",
        "column-status",
        "column-counts",
    ];
    let mut table = Table::new(head.iter().map(|key| out.text(key, &[])).collect());
    for run in &runs {
        table.row(vec![
            run.run.to_string(),
            run.scheme.clone(),
            time::shown(run.started),
            run.ended
                .map(|ended| time::span(ended - run.started))
                .unwrap_or_default(),
            word(run, out),
            run.counts
                .as_ref()
                .map(|counts| identity(counts, out))
                .unwrap_or_default(),
        ]);
    }
    out.table(&table);
    Ok(0)
}

/// `engine runs show`
pub(crate) fn show(args: RunsShowArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let run = args.run;
    let local = [("--sandbox", args.ledger.is_simulated())];
    let (life, why) = match Remote::meant(&local, global, out, environment)? {
        Some(remote) => {
            let life = remote.run(RunId(run))?;
            let why = remote.decision_of(&life.run)?;
            (life, why)
        }
        None => {
            let alive = Alive::look(ledgers::dir(&args.ledger, global, environment)?);
            let reader = ledgers::open(&args.ledger, global, environment)?;
            let mut life = reader.show_run(RunId(run))?.ok_or_else(|| {
                AppError::wrong_use(format!("没有运行 {run}"), format!("there is no run {run}"))
            })?;
            alive.told(std::slice::from_mut(&mut life.run));
            let why = decided(&reader, &life.run)?;
            (life, why)
        }
    };
    shown(&life, why.as_ref(), out);
    Ok(0)
}

fn shown(life: &RunLife, why: Option<&AuditRow>, out: &Out) {
    if out.json {
        out.document(&life_document(life, why, out.lang));
    } else {
        tell(life, why, out);
    }
}

/// `engine runs cancel`: the run finishes the request that is out, settles it, and ends.
pub(crate) fn cancel(args: RunsCancelArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let remote = Remote::meant(&[], global, out, environment)?
        .ok_or_else(|| AppError::bug("a run is stopped without a server"))?;
    let run = RunId(args.run);
    remote.cancel(run)?;
    let watching = remote.watching();
    match remote.ended(run, &watching)? {
        Some(life) => {
            let why = remote.decision_of(&life.run)?;
            shown(&life, why.as_ref(), out);
            Ok(0)
        }
        None => {
            out.note("run-goes-on", &[]);
            Ok(ended::code())
        }
    }
}

/// `engine run --server`: schemes run now, one after the other, at a server.
pub(crate) fn begin(schemes: &[String], half: Half, remote: &Remote, out: &Out) -> Done {
    let watching = remote.watching();
    let (mut worst, mut documents) = (0, Vec::new());
    for scheme in schemes {
        let life = match remote.begin(scheme, half, &watching)? {
            Begun::Ended(life) => life,
            Begun::Waits => {
                out.note("run-waits", &[("scheme", scheme.clone())]);
                worst = worst.max(1);
                continue;
            }
            Begun::Left => {
                out.note("run-goes-on", &[]);
                worst = ended::code();
                break;
            }
        };
        worst = worst.max(code_of(&life));
        if out.json {
            documents.push(life_members(&life, None, out.lang));
        } else {
            tell(&life, None, out);
        }
    }
    if out.json {
        out.document(&object! {
            "schema" => "engine.run-now/1", "exit_code" => worst, "runs" => documents,
        });
    }
    Ok(worst)
}

/// The exit code for a run that has ended: 1 unless every record is done or skipped.
fn code_of(life: &RunLife) -> u8 {
    let counts = &life.now;
    let bad = counts.dead + counts.held + counts.open();
    u8::from(life.run.status != RunStatus::Ok.word() || bad > 0)
}

/// Decisions looked through for the one that started a run; more are made between two runs by nobody.
const MAX_DECISIONS: u32 = 1_000;

/// Who wanted a replay and why: the newest decision of its kind before the run began.
fn decided(reader: &Reader, run: &RunRow) -> Result<Option<AuditRow>, AppError> {
    if run.trigger != Trigger::Replay.word() {
        return Ok(None);
    }
    let filter = AuditFilter {
        scheme: Some(run.scheme.clone()),
        limit: MAX_DECISIONS,
        ..AuditFilter::default()
    };
    let notes = reader.audit(&filter)?;
    Ok(notes
        .into_iter()
        .find(|row| row.note.action == Trigger::Replay.word() && row.at <= run.started))
}

fn status(word: &str) -> Result<Wanted, AppError> {
    let ended = [
        RunStatus::Ok,
        RunStatus::Partial,
        RunStatus::Failed,
        RunStatus::Canceled,
    ];
    if let Some(word) = [RUNNING, BROKEN].into_iter().find(|own| *own == word) {
        return Ok(Wanted::Not(word));
    }
    ended
        .into_iter()
        .find(|status| status.word() == word)
        .map(Wanted::Ended)
        .ok_or_else(|| {
            AppError::wrong_use(
                format!("没有运行状态 `{word}`;可用:running、broken、ok、partial、failed、canceled"),
                format!(
                    "there is no run status `{word}`; there are running, broken, ok, partial, failed, canceled"
                ),
            )
        })
}

fn word(run: &RunRow, out: &Out) -> String {
    let color = match run.status.as_str() {
        "ok" => "32",
        "partial" => "33",
        "failed" | BROKEN => "31",
        _ => "90",
    };
    out.painted(&out.text(&format!("status-{}", run.status), &[]), color)
}

fn tell(life: &RunLife, why: Option<&AuditRow>, out: &Out) {
    let run = &life.run;
    let took = run
        .ended
        .map(|ended| time::span(ended - run.started))
        .unwrap_or_else(|| "…".to_owned());
    out.say(
        "run-head",
        &[
            ("run", run.run.to_string()),
            ("scheme", run.scheme.clone()),
            ("status", word(run, out)),
            ("started", time::shown(run.started)),
            ("took", took),
        ],
    );
    out.say_in(
        "run-cause",
        &[
            ("trigger", out.text(&format!("trigger-{}", run.trigger), &[])),
            ("revision", run.revision.clone()),
        ],
    );
    if let Some(row) = why {
        out.line(format!("  {}", super::audit::line(row, out)));
    }
    if let Some(reason) = &run.reason {
        out.say_in("row-reason", &[("reason", one_line(&coded(reason, out.lang)))]);
    }
    if let Some(counts) = &run.counts {
        out.line(format!("  {}", identity(counts, out)));
    }
    if run.counts.is_some_and(|counts| life.now.fetched < counts.fetched) {
        out.say_in("run-given-up", &[]);
    } else if run.counts.as_ref() != Some(&life.now) {
        out.say_in("run-now", &[("identity", identity(&life.now, out))]);
    }
    if let (Some(first), Some(last)) = (life.closed.first(), life.closed.last()) {
        out.say_in(
            "run-read",
            &[("from", time::shown(first.from)), ("to", time::shown(last.to))],
        );
    }
    for gap in gaps(&life.closed) {
        out.say_in(
            "run-gap",
            &[("from", time::shown(gap.from)), ("to", time::shown(gap.to))],
        );
    }
    if life.windows.is_empty() {
        return;
    }
    out.line("");
    let head = [
        "column-window",
        "column-state",
        "column-pages",
        "column-rows",
        "column-reason",
    ];
    let mut table = Table::new(head.iter().map(|key| out.text(key, &[])).collect());
    for window in &life.windows {
        let rows = match window.total {
            Some(total) => format!("{} / {}", grouped(window.seen), grouped(total)),
            None => grouped(window.seen),
        };
        let of = match window.cursor.as_str() {
            "live" => String::new(),
            cursor => format!(" ({})", cursor.split('-').next().unwrap_or(cursor)),
        };
        let asked = match window.asked {
            Some(asked) => format!("{} → {}{of}", time::shown(asked.from), time::shown(asked.to)),
            None => out.text("window-pushed", &[]),
        };
        table.row(vec![
            asked,
            out.text(&format!("window-{}", window.state), &[]),
            window.page.to_string(),
            rows,
            window
                .reason
                .as_ref()
                .map(|reason| one_line(&coded(reason, out.lang)))
                .unwrap_or_default(),
        ]);
    }
    out.table(&table);
}

/// The JSON form of a run. Its shape is fixed by `schemas/runs-list.json`.
fn document(run: &RunRow, lang: Lang) -> Value {
    object! {
        "run" => run.run.0,
        "scheme" => run.scheme,
        "revision" => run.revision,
        "trigger" => run.trigger,
        "started" => time::rfc3339(run.started),
        "ended" => run.ended.map(time::rfc3339),
        "status" => run.status,
        "reason" => reason_document(run.reason.as_ref(), lang),
        "counts" => run.counts.as_ref().map(counts_of),
    }
}

/// What lies between stretches that were read for good.
fn gaps(closed: &[Interval]) -> Vec<Interval> {
    closed
        .windows(2)
        .filter_map(|pair| Interval::new(pair[0].to, pair[1].from))
        .collect()
}

fn interval_document(interval: &Interval) -> Value {
    object! {"from" => time::rfc3339(interval.from), "to" => time::rfc3339(interval.to)}
}

fn counts_of(counts: &Counts) -> Value {
    counts_document(counts)
}

fn life_document(life: &RunLife, why: Option<&AuditRow>, lang: Lang) -> Value {
    let mut document = dsl::Map::new();
    document.insert("schema".to_owned(), "engine.runs-show/1".into());
    if let Value::Map(members) = life_members(life, why, lang) {
        document.extend(members);
    }
    Value::Map(document)
}

fn life_members(life: &RunLife, why: Option<&AuditRow>, lang: Lang) -> Value {
    let windows: Vec<Value> = life
        .windows
        .iter()
        .map(|window| window_document(window, lang))
        .collect();
    object! {
        "run" => document(&life.run, lang),
        "decision" => why.map(super::audit::document),
        "counts_now" => counts_document(&life.now),
        "windows" => windows,
        "read" => Value::List(life.closed.iter().map(interval_document).collect()),
        "gaps" => Value::List(gaps(&life.closed).iter().map(interval_document).collect()),
    }
}

fn window_document(window: &WindowRow, lang: Lang) -> Value {
    object! {
        "from" => window.asked.map(|asked| time::rfc3339(asked.from)),
        "to" => window.asked.map(|asked| time::rfc3339(asked.to)),
        "cursor" => window.cursor,
        "state" => window.state,
        "pages" => window.page,
        "rows" => window.seen,
        "total" => window.total,
        "closed" => window.closed.map(|closed| {
            object! {"from" => time::rfc3339(closed.from), "to" => time::rfc3339(closed.to)}
        }),
        "ended" => window.ended.map(time::rfc3339),
        "reason" => reason_document(window.reason.as_ref(), lang),
    }
}
