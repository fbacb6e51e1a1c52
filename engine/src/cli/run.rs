//! `engine run`.

use std::path::Path;
use std::sync::Arc;

use app::{
    AppError, Clock, Engine, Opening, Problem, RunOptions, RunReport, Simulators, SystemClock, Workspace,
    recording, sentence_of,
};
use dsl::Lang;
use dsl::Value;
use dsl::diagnostic::Diagnostic;
use dsl::plan::Plan;
use flow::op::{AuditNote, Counts, Reason, RecordState, RunStatus};
use flow::timetable::Half;
use flow::{Stages, Stopped, Summary};
use ledger::Suspect;

use super::Done;
use super::args::{Global, OpeningArgs, RunArgs, StageArg};
use super::ask;
use super::ended;
use super::env::Environment;
use super::json::object;
use super::meant::{is_file, not_far_ahead};
use super::out::Out;
use super::progress::Shown;
use super::remote::Remote;
use super::simulators::{Keep, Simulation};
use super::time;

/// Runs schemes one after the other; the worst exit code wins.
pub(crate) fn run(args: RunArgs, global: &Global, out: &mut Out, environment: &Environment) -> Done {
    let local = [
        ("--window", args.window.is_some()),
        ("--from", args.from.is_some()),
        ("--limit", args.limit.is_some()),
        ("--now", args.now.is_some()),
        ("--settle-wait", args.settle_wait.is_some()),
        ("--new-target", args.opening.new_target),
        ("--suspect-until", args.opening.suspect_until.is_some()),
        ("--record", args.record.is_some()),
        ("--sandbox", args.simulated.is_wanted()),
    ];
    if let Some(remote) = Remote::meant(&local, global, out, environment)? {
        if args.yes {
            return Err(AppError::wrong_use(
                "通过服务的运行不接受 --yes:被刹住的方案由服务暂停,确认无误后用 engine schemes resume 方案 --reason … 放行",
                "a run at a server takes no --yes: the service pauses a scheme that a brake stopped; if it is right, engine schemes resume SCHEME --reason ... says so",
            ));
        }
        let half = match args.stage {
            StageArg::All => Half::All,
            StageArg::Fetch => Half::Source,
            StageArg::Save => Half::Target,
        };
        let schemes: Vec<String> = args.schemes.iter().map(|path| named(path)).collect();
        return super::runs::begin(&schemes, half, &remote, out);
    }
    let options = RunOptions {
        now: args.now.as_deref().map(time::instant).transpose()?,
        window: args.window.as_deref().map(time::interval).transpose()?,
        from: args.from,
        replay: None,
        limit: args.limit,
        settle_wait: args.settle_wait.as_deref().map(time::duration).transpose()?,
        stages: match args.stage {
            StageArg::All => Stages::All,
            StageArg::Fetch => Stages::Fetch,
            StageArg::Save => Stages::Save,
        },
        dry: false,
        lang: out.lang,
        trigger: None,
        // What is recorded is recorded whole.
        confirmed: args.yes || args.record.is_some(),
        cancel: None,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    if let Some(now) = options.now {
        not_far_ahead(now, clock.now_ms(), args.simulated.is_wanted())?;
    }
    for path in &args.schemes {
        is_file(path)?;
    }
    // Simulators that are recorded begin anew, with a ledger that knows nothing: the same words give the same file.
    let anew = args.record.is_some() && args.simulated.is_wanted() && global.data_dir.is_none();
    let scratch = anew
        .then(tempfile::tempdir)
        .transpose()
        .map_err(|error| AppError::File {
            path: std::env::temp_dir().display().to_string(),
            what: error.to_string(),
        })?;
    let with_scratch = Global {
        data_dir: scratch.as_ref().map(|folder| folder.path().to_owned()),
        ..global.clone()
    };
    let global = if scratch.is_some() { &with_scratch } else { global };
    if args.record.is_some() && args.schemes.len() > 1 {
        return Err(AppError::wrong_use(
            "--record 一次只接受一个方案",
            "--record takes one scheme",
        ));
    }
    let opening = opening(&args.opening, "run", clock.now_ms(), environment)?;
    super::block_on(async {
        // A file that does not compile is refused before anything is started, or made.
        for path in &args.schemes {
            let simulators = args.simulated.is_wanted().then(Simulators::default);
            workspace(path, global, simulators, environment)?.compile(path)?;
        }
        let places = environment.places(global);
        let around = args.schemes.first().map_or(Path::new("."), |path| path.as_path());
        let simulation = Simulation::start(&args.simulated, around, &places, Keep::Always).await?;
        let mut worst = 0;
        let mut documents = Vec::new();
        let mut recorded = None;
        for path in &args.schemes {
            let workspace = workspace(path, global, simulation.simulators(), environment)?;
            let order = Order {
                path,
                options: &options,
                opening: &opening,
                simulated: simulation.simulated(),
                record: args.record.as_deref(),
                places: &places,
                may_ask: environment.stdin_is_terminal && !out.json,
            };
            let done = one(&order, workspace, out, &mut documents).await?;
            let code = done.0;
            recorded = done.1;
            worst = worst.max(code);
            if ended::is(code) {
                break;
            }
        }
        simulation.stop().await;
        if out.json {
            let mut document = dsl::Map::new();
            document.insert("schema".to_owned(), "engine.run/1".into());
            document.insert("exit_code".to_owned(), Value::from(i64::from(worst)));
            document.insert("runs".to_owned(), Value::List(documents));
            document.extend(recorded.map(|recorded| ("recording".to_owned(), recorded)));
            out.document(&Value::Map(document));
        }
        Ok(worst)
    })?
}

/// The scheme of a file that is here, or the one that a word names: a server knows schemes by their ids.
fn named(path: &Path) -> String {
    let own = || {
        let file = path.is_file().then(|| app::read(path).ok()).flatten()?;
        let node = dsl::yaml::read_all(&file).node?;
        Some(node.get("scheme")?.value.text()?.to_owned())
    };
    let is_file = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
    let word = match path.file_stem() {
        Some(stem) if is_file => stem.to_string_lossy(),
        _ => path.to_string_lossy(),
    };
    own().unwrap_or_else(|| word.into_owned())
}

/// What the command line says about the ledger. Suspicion is a decision, and noted.
pub(crate) fn opening(
    args: &OpeningArgs,
    command: &str,
    now: i64,
    environment: &Environment,
) -> Result<Opening, AppError> {
    let suspect = match &args.suspect_until {
        None => None,
        Some(text) => {
            let until = time::instant_or_now(text, now)?;
            let note = AuditNote {
                who: environment.person(),
                action: "suspect".to_owned(),
                scheme: None,
                record: None,
                what: format!("until {}", time::rfc3339(until)),
                reason: format!("{command} --suspect-until"),
            };
            Some(Suspect { until, note, now })
        }
    };
    Ok(Opening {
        new_target: args.new_target,
        suspect,
    })
}

/// What one scheme is run with.
struct Order<'a> {
    path: &'a Path,
    options: &'a RunOptions,
    opening: &'a Opening,
    simulated: bool,
    /// Where its calls are kept.
    record: Option<&'a Path>,
    places: &'a app::Places,
    /// There is somebody who can be asked.
    may_ask: bool,
}

/// Runs one scheme; gives the exit code, and what was recorded.
async fn one(
    order: &Order<'_>,
    workspace: Workspace,
    out: &Out,
    documents: &mut Vec<Value>,
) -> Result<(u8, Option<Value>), AppError> {
    let Order {
        path,
        options,
        opening,
        simulated,
        record,
        places,
        may_ask,
    } = *order;
    let (plan, warnings) = workspace.compile(path)?;
    warn(out, &warnings);
    let mut plans = if simulated {
        workspace.feeders(&plan)
    } else {
        Vec::new()
    };
    let scheme = plan.scheme.clone();
    plans.push(plan);
    // A limit, bounds or a stage are meant for the scheme that was named, not for those that feed its look-ups.
    let feeding = RunOptions {
        window: None,
        from: None,
        replay: None,
        limit: None,
        stages: Stages::All,
        confirmed: true,
        ..options.clone()
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let mut engine = Engine::open(workspace, Arc::clone(&clock), &plans, options.lang, opening)?;
    ended::watch(engine.cancel.clone());
    let shown = Shown::new(out);
    let mut worst = 0;
    let mut recorded = None;
    let is_pushed = plans.last().is_some_and(|plan| takes_pushes(plan));
    for plan in plans {
        let is_named = plan.scheme == scheme;
        if record.is_some() && is_named {
            engine.record(&plan)?;
        }
        let named = Arc::clone(&plan);
        let started = clock.now_ms();
        let of_plan = if is_named { options } else { &feeding };
        let report = engine.run(Arc::clone(&plan), of_plan, &shown).await;
        shown.clear();
        let mut report = report?;
        let mut code = exit_code(&report);
        let confirmed = confirmed(of_plan, &report.summary).filter(|_| is_named && may_ask);
        if let (Some(reason), Some(confirmed)) = (braked(&report), confirmed) {
            // What the person decides about, and what the second run knows nothing of.
            tell(out, &report, clock.now_ms() - started, flags(simulated));
            let (of_reason, text) = (reason.code.clone(), sentence_of(reason, out.lang));
            out.note("run-stopped", &[("code", of_reason), ("text", text)]);
            if ask::agreed(out) {
                let (first, again) = (report, clock.now_ms());
                report = engine.run(plan, &confirmed, &shown).await?;
                shown.clear();
                go_on_from(&first, &mut report, confirmed.stages);
                code = exit_code(&report);
                tell(out, &report, clock.now_ms() - again, flags(simulated));
            }
        } else if out.json {
            documents.push(document(&report, clock.now_ms() - started, code, out.lang));
        } else {
            tell(out, &report, clock.now_ms() - started, flags(simulated));
            if is_named && is_pushed {
                no_push(out, &report, flags(simulated));
            }
        }
        if let Some(file) = record.filter(|_| is_named) {
            let made = recording::make(&engine, path, &named, options, &report, places).await?;
            recording::keep(file, &made)?;
            recorded = Some(tell_recording(path, file, &made, out));
        }
        worst = worst.max(code);
        if ended::is(code) {
            break;
        }
    }
    Ok((worst, recorded))
}

/// Why nothing was written of what was read, where a brake is why.
fn braked(report: &RunReport) -> Option<&Reason> {
    match &report.summary.stopped {
        Some(Stopped::Braked(reason)) => Some(reason),
        _ => None,
    }
}

/// How a run that a brake stopped goes on once a person has seen why: it reads what the first one did not come to and
/// writes; where that was all that was to be read, or was limited to so much, it only writes. `None` = nobody is asked: a
/// run that was only to read never writes, whatever its brake says to the runs after it.
fn confirmed(options: &RunOptions, first: &Summary) -> Option<RunOptions> {
    let reads = first.windows_left > 0 && options.limit.is_none();
    let stages = match options.stages {
        Stages::Fetch | Stages::Ask => return None,
        Stages::All if reads => Stages::All,
        Stages::All | Stages::Save => Stages::Save,
    };
    Some(RunOptions {
        confirmed: true,
        stages,
        ..options.clone()
    })
}

/// A second run that only writes knows nothing of what the first one left unread: it is left still.
fn go_on_from(first: &RunReport, report: &mut RunReport, stages: Stages) {
    if stages == Stages::Save && first.summary.windows_left > 0 {
        report.summary.windows_left += first.summary.windows_left;
        report.left = report.left.take().or_else(|| first.left.clone());
        if report.summary.status == RunStatus::Ok {
            report.summary.status = RunStatus::Partial;
        }
    }
}

/// What was recorded, and the lines that make a test of it.
fn tell_recording(scheme: &Path, file: &Path, made: &recording::Made, out: &Out) -> Value {
    let shown = file.display().to_string();
    if !out.json {
        out.say(
            "run-recorded",
            &[
                ("file", shown.clone()),
                ("calls", grouped(made.calls as u64)),
                ("records", grouped(made.records as u64)),
            ],
        );
        let beside = scheme.parent().unwrap_or(Path::new(""));
        match file.strip_prefix(beside) {
            Ok(below) => out.note("run-recorded-test", &[("path", below.display().to_string())]),
            Err(_) => out.note("run-recorded-elsewhere", &[]),
        }
    }
    object! {"file" => shown, "calls" => made.calls, "records" => made.records}
}

/// What the run itself says, and 1 as long as the fate of some record of the scheme is unknown.
pub(crate) fn exit_code(report: &RunReport) -> u8 {
    match report.exit_code() {
        0 if in_state(report, RecordState::Unknown) > 0 => 1,
        ended::INTERRUPTED => ended::code(),
        code => code,
    }
}

/// Records of the scheme in a state, whatever run brought them.
fn in_state(report: &RunReport, state: RecordState) -> u64 {
    RecordState::ALL
        .iter()
        .zip(report.summary.states)
        .filter(|(of, _)| **of == state)
        .map(|(_, n)| n)
        .sum()
}

/// The files that belong to a scheme.
pub(crate) fn workspace(
    path: &Path,
    global: &Global,
    simulators: Option<Simulators>,
    environment: &Environment,
) -> Result<Workspace, AppError> {
    Workspace::load(
        path,
        environment.places(global),
        simulators,
        Box::new(environment.secrets()),
    )
}

/// The files around a scheme or a folder, for a command that calls nobody.
pub(crate) fn seen(path: &Path, global: &Global, environment: &Environment) -> Result<Workspace, AppError> {
    Workspace::look(path, environment.places(global), Box::new(environment.secrets()))
}

/// Warnings of files that compile.
pub(crate) fn warn(out: &Out, warnings: &[Diagnostic]) {
    if !out.json && !out.quiet {
        out.diagnostics(warnings);
    }
}

pub(crate) fn tell(out: &Out, report: &RunReport, took: i64, flags: &str) {
    let summary = &report.summary;
    let counts = &summary.counts;
    out.say(
        &format!("run-{}", summary.status.word()),
        &[("scheme", report.scheme.clone()), ("took", time::span(took))],
    );
    out.line(format!("  {}", identity(counts, out)));
    if counts.skipped > 0 {
        out.say_in(
            "run-skipped",
            &[
                ("unchanged", grouped(counts.unchanged)),
                ("superseded", grouped(counts.superseded)),
                ("filtered", grouped(counts.filtered)),
            ],
        );
    }
    out.say_in(
        "run-calls",
        &[
            ("pages", grouped(summary.pages)),
            ("calls", grouped(summary.calls)),
            ("written", grouped(summary.written)),
        ],
    );
    if summary.stopped.is_none() && summary.windows_left == 0 && summary.calls == 0 {
        nothing_written(out, counts, summary.pages, &summary.states);
    }
    for feeder in &report.empty_feeders {
        out.say_in("run-empty-feeder", &[("feeder", feeder.clone())]);
    }
    for table in &report.empty_tables {
        out.say_in("run-empty-table", &[("table", table.clone())]);
    }
    if report.lookups.misses > 0 {
        out.say_in("run-misses", &[("count", grouped(report.lookups.misses))]);
    }
    if let Some(example) = &report.lookups.several_example {
        out.say_in(
            "run-several",
            &[
                ("count", grouped(report.lookups.several)),
                ("example", example.clone()),
            ],
        );
    }
    if summary.windows_left > 0 {
        let why = report.left.as_ref();
        out.say_in(
            "run-windows-left",
            &[
                ("count", summary.windows_left.to_string()),
                ("code", why.map(|reason| reason.code.clone()).unwrap_or_default()),
                (
                    "text",
                    why.map(|reason| sentence_of(reason, out.lang))
                        .unwrap_or_default(),
                ),
            ],
        );
    }
    if let Some(reason) = stopped(report) {
        out.say_in(
            "run-stopped",
            &[
                ("code", reason.code.clone()),
                ("text", sentence_of(reason, out.lang)),
            ],
        );
    }
    if let Some(why) = &report.not_pruned {
        out.say_in("run-not-pruned", &[("text", why.clone())]);
    }
    problems(out, &report.problems);
    leftovers(out, report, flags);
    let unknown = in_state(report, RecordState::Unknown);
    let count = ("count", grouped(unknown));
    match summary.next_question {
        Some(at) => out.say_in("run-next-question", &[("at", time::shown(at)), count]),
        None if unknown > 0 => out.say_in(
            "run-unknown",
            &[
                count,
                ("scheme", report.scheme.clone()),
                ("flags", flags.to_owned()),
            ],
        ),
        None => {}
    }
    // Those that wait for something have said so above.
    let pending =
        in_state(report, RecordState::Pending).saturating_sub(told_of(report, RecordState::Pending));
    if pending > 0 {
        let words = match braked(report) {
            Some(_) => "run-braked",
            None => "run-pending",
        };
        let flags = ("flags", flags.to_owned());
        out.say_in(words, &[("count", grouped(pending)), flags]);
    }
    if let Some(first) = report.problems.first() {
        out.say_in(
            "run-what-next",
            &[
                ("scheme", report.scheme.clone()),
                ("state", first.state.clone()),
                ("flags", flags.to_owned()),
            ],
        );
    }
}

/// What a command that goes on from here needs to find the same ledger.
pub(crate) fn flags(simulated: bool) -> &'static str {
    if simulated { " --sandbox" } else { "" }
}

/// Why nothing was written, in one sentence. `states` counts the records of the scheme, whatever run brought them.
pub(crate) fn nothing_written(out: &Out, counts: &Counts, pages: u64, states: &[u64; 7]) {
    if counts.fetched == 0 && pages > 0 {
        out.say_in("run-nothing-new", &[]);
    } else if counts.fetched > 0 && counts.unchanged == counts.fetched {
        let count = ("count", grouped(counts.unchanged));
        // A row that has not changed need not have been written.
        let others = not_done(out, states);
        if others.is_empty() {
            out.say_in("run-all-unchanged", &[count]);
        } else {
            out.say_in("run-unchanged-not-done", &[count, ("states", others)]);
        }
    }
}

/// The records of a scheme that are not done, by state: `dead 15, unknown 8`; empty when all are done.
fn not_done(out: &Out, states: &[u64; 7]) -> String {
    let told: Vec<String> = RecordState::ALL
        .iter()
        .zip(states)
        .filter(|(state, n)| **state != RecordState::Done && **n > 0)
        .map(|(state, n)| {
            format!(
                "{} {}",
                out.text(&format!("state-{}", state.word()), &[]),
                grouped(*n)
            )
        })
        .collect();
    told.join(out.lang.pick("、", ", "))
}

/// Whether others send what it reads.
pub(crate) fn takes_pushes(plan: &Plan) -> bool {
    plan.source.receive.is_some() && plan.source.from_scheme.is_none()
}

/// Why a scheme that others push to read nothing.
pub(crate) fn no_push(out: &Out, report: &RunReport, flags: &str) {
    if report.summary.counts.fetched == 0 && report.summary.stopped.is_none() {
        out.say_in("run-no-push", &[("flags", flags.to_owned())]);
    }
}

/// `fetched = done + dead + held + skipped + open`
pub(crate) fn identity(counts: &Counts, out: &Out) -> String {
    out.text(
        "run-identity",
        &[
            ("fetched", grouped(counts.fetched)),
            ("done", grouped(counts.done)),
            ("dead", grouped(counts.dead)),
            ("held", grouped(counts.held)),
            ("skipped", grouped(counts.skipped)),
            ("open", grouped(counts.open())),
        ],
    )
}

/// Groups of records that did not end well.
pub(crate) fn problems(out: &Out, problems: &[Problem]) {
    for problem in problems {
        out.say_in(
            "run-problem",
            &[
                ("state", out.text(&format!("state-{}", problem.state), &[])),
                ("code", problem.code.clone()),
                (
                    "text",
                    sentence_of(&Reason::new(&problem.code, &problem.text), out.lang),
                ),
                ("count", grouped(problem.count)),
                ("examples", problem.examples.join(out.lang.pick("、", ", "))),
            ],
        );
    }
}

/// Records in a state that were told with their reason.
fn told_of(report: &RunReport, state: RecordState) -> u64 {
    let of = report.problems.iter().filter(|one| one.state == state.word());
    of.map(|one| one.count).sum()
}

/// Records of earlier runs that still want somebody.
fn leftovers(out: &Out, report: &RunReport, flags: &str) {
    let earlier = |state| in_state(report, state).saturating_sub(told_of(report, state));
    let (dead, held) = (earlier(RecordState::Dead), earlier(RecordState::Held));
    if dead + held > 0 {
        out.say_in(
            "run-leftovers",
            &[
                ("dead", grouped(dead)),
                ("held", grouped(held)),
                ("scheme", report.scheme.clone()),
                ("flags", flags.to_owned()),
            ],
        );
    }
}

fn stopped(report: &RunReport) -> Option<&Reason> {
    match &report.summary.stopped {
        Some(
            Stopped::Source(reason)
            | Stopped::Target(reason)
            | Stopped::FirstDead(reason)
            | Stopped::Braked(reason),
        ) => Some(reason),
        Some(Stopped::Canceled) | None => None,
    }
}

/// The JSON form of one run. Its shape is fixed by `schemas/run.json`.
pub(crate) fn document(report: &RunReport, took: i64, code: u8, lang: Lang) -> Value {
    let summary = &report.summary;
    let mut states = dsl::Map::new();
    for (state, count) in RecordState::ALL.iter().zip(summary.states) {
        let count = dsl::Number::parse(&count.to_string()).map_or(Value::Null, Value::Number);
        states.insert(state.word().to_owned(), count);
    }
    object! {
        "scheme" => report.scheme,
        "revision" => report.revision,
        "instant" => time::rfc3339(report.instant),
        "status" => summary.status.word(),
        "exit_code" => code,
        "took_ms" => took,
        "counts" => counts_document(&summary.counts),
        "states" => states,
        "pages" => summary.pages,
        "calls" => summary.calls,
        "written" => summary.written,
        "windows_left" => summary.windows_left,
        "left_because" => report.left.as_ref().map(|reason| {
            object! {"code" => reason.code.clone(), "message" => sentence_of(reason, lang)}
        }),
        "lookup_misses" => report.lookups.misses,
        "lookup_queries" => report.lookups.queries,
        "lookup_several" => report.lookups.several,
        "lookup_several_example" => report.lookups.several_example,
        "empty_feeders" => Value::List(report.empty_feeders.iter().cloned().map(Value::Text).collect()),
        "empty_tables" => Value::List(report.empty_tables.iter().cloned().map(Value::Text).collect()),
        "not_pruned" => report.not_pruned,
        "next_question" => summary.next_question.map(time::rfc3339),
        "stopped" => stopped(report).map(|reason| {
            object! {"code" => reason.code, "message" => sentence_of(reason, lang)}
        }),
        "problems" => problems_document(&report.problems, lang),
    }
}

/// The counts of a run for programs.
pub(crate) fn counts_document(counts: &Counts) -> Value {
    object! {
        "fetched" => counts.fetched,
        "done" => counts.done,
        "dead" => counts.dead,
        "held" => counts.held,
        "skipped" => counts.skipped,
        "open" => counts.open(),
        "pending" => counts.pending,
        "sending" => counts.sending,
        "unknown" => counts.unknown,
        "unchanged" => counts.unchanged,
        "superseded" => counts.superseded,
        "filtered" => counts.filtered,
    }
}

/// Problems for programs.
pub(crate) fn problems_document(problems: &[Problem], lang: Lang) -> Vec<Value> {
    let one = |problem: &Problem| {
        object! {
            "state" => problem.state,
            "code" => problem.code,
            "message" => sentence_of(&Reason::new(&problem.code, &problem.text), lang),
            "count" => problem.count,
            "examples" => problem.examples,
        }
    };
    problems.iter().map(one).collect()
}

/// Digits in groups of three.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(stages: Stages) -> RunOptions {
        RunOptions {
            now: None,
            window: None,
            from: None,
            replay: None,
            limit: None,
            settle_wait: None,
            stages,
            dry: false,
            lang: Lang::En,
            trigger: None,
            confirmed: false,
            cancel: None,
        }
    }

    fn reported(status: RunStatus, windows_left: u32) -> RunReport {
        RunReport {
            scheme: "s".to_owned(),
            revision: String::new(),
            instant: 0,
            summary: Summary {
                status,
                counts: Counts::default(),
                states: [0; 7],
                stopped: None,
                windows_left,
                next_question: None,
                pages: 0,
                calls: 0,
                written: 0,
            },
            left: (windows_left > 0).then(|| Reason::new("E4007", "500")),
            previews: Vec::new(),
            problems: Vec::new(),
            lookups: Default::default(),
            ways: Default::default(),
            empty_feeders: Vec::new(),
            empty_tables: Vec::new(),
            not_pruned: None,
        }
    }

    #[test]
    fn how_a_braked_run_goes_on() {
        use Stages::{All, Fetch, Save};
        for (stages, windows_left, limit, want) in [
            (All, 0, None, Some(Save)),
            // The source failed half-way, or there was too much at once.
            (All, 1, None, Some(All)),
            (All, 1, Some(3), Some(Save)),
            (Save, 0, None, Some(Save)),
            (Save, 1, None, Some(Save)),
            // What was only to be read is never written.
            (Fetch, 0, None, None),
            (Fetch, 1, None, None),
        ] {
            let options = RunOptions {
                limit,
                ..options(stages)
            };
            let first = reported(RunStatus::Partial, windows_left);
            let again = confirmed(&options, &first.summary);
            assert_eq!(
                again.as_ref().map(|again| again.stages),
                want,
                "{stages:?} {windows_left}"
            );
            assert!(again.is_none_or(|again| again.confirmed && again.limit == limit));
        }
    }

    #[test]
    fn what_the_first_run_left_is_left() {
        for (stages, first, second, want) in [
            (Stages::Save, 0, RunStatus::Ok, (0, 0, false)),
            (Stages::Save, 2, RunStatus::Ok, (2, 1, true)),
            (Stages::Save, 2, RunStatus::Failed, (2, 3, true)),
            // It has read on, and says itself what is left.
            (Stages::All, 2, RunStatus::Ok, (0, 0, false)),
        ] {
            let mut report = reported(second, 0);
            go_on_from(&reported(RunStatus::Partial, first), &mut report, stages);
            let told = (
                report.summary.windows_left,
                exit_code(&report),
                report.left.is_some(),
            );
            assert_eq!(told, want, "{stages:?}");
        }
    }
}
