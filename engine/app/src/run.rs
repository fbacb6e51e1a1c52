//! One pass of one scheme: `run` and `dry-run` are the same code over different stores.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use connector::{Connection, Redactor};
use dsl::diagnostic::{Failure, Lang};
use dsl::facts::{Environment as _, OwnOperation};
use dsl::lookup::Hits;
use dsl::plan::{self, Plan, TargetPlan};
use flow::classify;
use flow::ids::Ms;
use flow::op::{AuditNote, LedgerOp, LedgerReply, OnSeen, Reason, RunStatus, SuspectKind, Trigger};
use flow::window::{CatchUp, First, Interval, WindowRule};
use flow::{CallFacts, Inbox, Job, JobPlan, SourceFacts, Stages, StepFacts, Summary, Sweep, TargetFacts};
use ledger::read::{HiddenOf, RunFilter};
use ledger::service::mapping::EntryFilter;
use ledger::{Blobs, Ledger, StoreError};

use tracing::Instrument as _;
use tracing::field::Empty;

use crate::TRACED;
use crate::caller::Caller;
use crate::callers::Callers;
use crate::clock::Clock;
use crate::error::AppError;
use crate::lookups::{Indexed, LookupReport, are_indexed, ensure_indexes, place_of};
use crate::objects::Objects;
use crate::own_pace::OwnSide;
use crate::preview::Preview;
use crate::recording::{Recording, SetUp};
use crate::revisions;
use crate::settings;
use crate::shell::{Cancel, Progress, Shell};
use crate::source::SourceReader;
use crate::store::{Store, Watch};
use crate::tape::{Takes, Tape, nowhere};
use crate::target::{TargetWriter, Ways};
use crate::two_way::{Introduction, Pair, PartnerReadings, PartnerReads, with_partners};
use crate::workspace::Workspace;

/// Added to the longest quiet period for the default of `--settle-wait`.
const SETTLE_SLACK: Ms = 30_000;

/// How long a target is taken to remember the keys of calls when its connector does not say.
const DAY: Ms = 24 * 3_600_000;

/// How to run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Instant of the run; the clock's when absent.
    pub now: Option<Ms>,
    /// Bounds given by hand.
    pub window: Option<Interval>,
    /// Begin behind this version, where the source is read by version.
    pub from: Option<flow::version::Version>,
    /// Read a past stretch once more.
    pub replay: Option<Replay>,
    /// At most so many records.
    pub limit: Option<u64>,
    /// How long to wait for lost answers.
    pub settle_wait: Option<Ms>,
    /// Which halves.
    pub stages: Stages,
    /// Send nothing, write nothing.
    pub dry: bool,
    /// Language of stored reasons.
    pub lang: Lang,
    /// Why it runs; `None` = by hand.
    pub trigger: Option<Trigger>,
    /// Somebody has said that it may write, however unusual its numbers are.
    pub confirmed: bool,
    /// Stops this run; `None` = only what stops all.
    pub cancel: Option<Cancel>,
}

/// Whether it is written down what plans were seen: their texts, what they hide, where their connections lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// They will run.
    Kept,
    /// Somebody only looks at the ledger.
    Passing,
}

/// What a person says about the ledger when it is opened.
#[derive(Debug, Clone, Default)]
pub struct Opening {
    /// Accept connections that lead somewhere else than the ledger remembers.
    pub new_target: bool,
    /// Take the ledger for one that may have been put back, and ask the target first.
    pub suspect: Option<ledger::Suspect>,
}

/// A past stretch of time to be read once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay {
    /// Which.
    pub range: Interval,
    /// Longest slice.
    pub step: Ms,
    /// Take only rows whose key is not known yet.
    pub only_missing: bool,
}

/// What a run did.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// The scheme.
    pub scheme: String,
    /// Revision of its file.
    pub revision: String,
    /// Instant of the run.
    pub instant: Ms,
    /// The flow's summary.
    pub summary: Summary,
    /// Why windows were left unread, if any were.
    pub left: Option<Reason>,
    /// What a rehearsal would have sent.
    pub previews: Vec<Preview>,
    /// Records of this run that did not end well, by code.
    pub problems: Vec<Problem>,
    /// What its look-ups came to.
    pub lookups: LookupReport,
    /// By which way its documents were made.
    pub ways: Ways,
    /// Schemes whose rows it looks up and that have none yet.
    pub empty_feeders: Vec<String>,
    /// Tables of field mappings that have no entries.
    pub empty_tables: Vec<String>,
    /// Why what is old could not be given up after the run; the run itself is as its summary says.
    pub not_pruned: Option<String>,
}

/// Records that share a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// State of the records.
    pub state: String,
    /// Code.
    pub code: String,
    /// The words of one of them.
    pub text: String,
    /// How many.
    pub count: u64,
    /// A few labels.
    pub examples: Vec<String>,
}

impl RunReport {
    /// The exit code of UX 3.2.
    pub fn exit_code(&self) -> u8 {
        match self.summary.status {
            RunStatus::Ok => 0,
            RunStatus::Partial => 1,
            RunStatus::Failed => 3,
            RunStatus::Canceled => 130,
        }
    }
}

/// Everything the runs of one command share.
pub struct Engine {
    /// Files and connections.
    pub workspace: Arc<Workspace>,
    store: Store,
    clock: Arc<dyn Clock>,
    callers: Arc<Callers>,
    began: Began,
    /// Where the calls of the run are taken down, or answered from.
    tape: Option<Arc<Tape>>,
    /// When schemes read for the other one of their pair.
    pub(crate) partner_readings: Arc<PartnerReadings>,
    /// Stop when asked.
    pub cancel: Cancel,
    /// A rehearsal asks what the target has of each document that it shows.
    pub compares: bool,
}

/// What the clocks of this command and of the one before it said.
#[derive(Debug, Clone, Copy)]
struct Began {
    /// When the newest run before this command started, by its clock; where there was none, when this one began: all
    /// that is in its ledger will be younger.
    earlier: Ms,
    /// What the count of passing time was when the ledger was opened.
    opened: Ms,
}

impl Began {
    fn at(newest_run: Option<Ms>, clock: &dyn Clock) -> Began {
        Began {
            earlier: newest_run.unwrap_or_else(|| clock.now_ms()),
            opened: clock.passed_ms(),
        }
    }

    /// Now, as far as two clocks agree on it, after so much time by a count that nobody sets.
    fn today(self, now: Ms, count: Ms) -> Ms {
        let passed = count.saturating_sub(self.opened);
        now.min(self.earlier.saturating_add(passed))
    }
}

fn newest_run(store: &Store) -> Result<Option<Ms>, AppError> {
    let filter = RunFilter {
        limit: 1,
        ..RunFilter::default()
    };
    Ok(store.reader().list_runs(&filter)?.first().map(|run| run.started))
}

impl Engine {
    /// Opens the ledger of the workspace's environment, for runs of these plans. Connections are resolved here, and
    /// refused when they lead somewhere else than the ledger remembers, unless the opening says so.
    pub fn open(
        workspace: Workspace,
        clock: Arc<dyn Clock>,
        plans: &[Arc<Plan>],
        lang: Lang,
        opening: &Opening,
    ) -> Result<Self, AppError> {
        let plans = &with_partners(&workspace, plans)[..];
        let connections = connections(&workspace, plans)?;
        let dir = workspace.data_dir();
        let options = ledger::OpenOptions {
            suspect: opening.suspect.clone(),
            watch: workspace.failpoint().map(|point| point.watch()),
            ..ledger::OpenOptions::new(workspace.environment())
        };
        let mut ledger = Ledger::open(&dir, options)?.with_words(words(lang));
        for connection in &connections {
            let origin = origin(&workspace, connection);
            if opening.new_target {
                ledger.replace_origin(&connection.name, &origin)?;
            } else {
                ledger.remember_origin(&connection.name, &origin)?;
            }
        }
        for plan in plans {
            introduce(&mut ledger, plan, workspace.objects(), clock.now_ms())?;
        }
        Introduction::of(&workspace, plans).make(&mut ledger)?;
        ledger.keep_revisions(&revisions::found(&workspace, plans), clock.now_ms())?;
        let watch = Watch {
            dir,
            room: workspace.room(),
            words: words(lang),
        };
        Self::with_store(
            Arc::new(workspace),
            Store::file(ledger, watch)?,
            clock,
            connections,
        )
    }

    /// A copy of the ledger in memory: for rehearsals. Nothing is created and no lock is taken.
    pub fn rehearse(
        workspace: Workspace,
        clock: Arc<dyn Clock>,
        plans: &[Arc<Plan>],
        lang: Lang,
    ) -> Result<Self, AppError> {
        let plans = &with_partners(&workspace, plans)[..];
        let connections = connections(&workspace, plans)?;
        let dir: PathBuf = workspace.data_dir();
        let mut ledger = Ledger::copy_to_memory(Some(&dir))?.with_words(words(lang));
        ensure_indexes(&mut ledger, plans.iter().map(Arc::as_ref))?;
        for plan in plans {
            ledger.take_from(&plan.scheme, plan.source.takes_stored(), clock.now_ms())?;
        }
        Introduction::of(&workspace, plans).make(&mut ledger)?;
        Self::with_store(Arc::new(workspace), Store::memory(ledger), clock, connections)
    }

    /// The ledger as it is, for questions about its rows: nothing is created and no lock is taken. Where a plan looks rows
    /// up by columns that the ledger has no entries for yet, a copy in memory is given them.
    pub fn look(
        workspace: Workspace,
        clock: Arc<dyn Clock>,
        plans: &[Arc<Plan>],
        lang: Lang,
    ) -> Result<Self, AppError> {
        let reader = Ledger::open_read_only(&workspace.data_dir())?;
        if !are_indexed(&reader, plans.iter().map(Arc::as_ref))? {
            return Self::rehearse(workspace, clock, plans, lang);
        }
        let connections = connections(&workspace, plans)?;
        Self::with_store(Arc::new(workspace), Store::reading(reader), clock, connections)
    }

    fn with_store(
        workspace: Arc<Workspace>,
        store: Store,
        clock: Arc<dyn Clock>,
        connections: Vec<Connection>,
    ) -> Result<Self, AppError> {
        let callers = Callers::new(Arc::clone(&clock), workspace.data_dir())?;
        callers.admit(&workspace, connections)?;
        let began = Began::at(newest_run(&store)?, clock.as_ref());
        Ok(Engine {
            workspace,
            store,
            clock,
            callers: Arc::new(callers),
            began,
            tape: None,
            partner_readings: Arc::default(),
            cancel: Cancel::default(),
            compares: false,
        })
    }

    /// Where its runs write, for what a service keeps beside them.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The same engine over other files: the ledger stays open, sessions and limits go on, runs that are under way are
    /// not touched.
    pub fn over(&self, workspace: Workspace) -> Engine {
        Engine {
            workspace: Arc::new(workspace),
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
            callers: Arc::clone(&self.callers),
            began: self.began,
            tape: None,
            partner_readings: Arc::clone(&self.partner_readings),
            cancel: self.cancel.clone(),
            compares: false,
        }
    }

    /// The same engine over a copy of its ledger in memory, for a rehearsal beside runs. Sessions and limits are shared:
    /// the source is called no more often than its rate allows, and nobody is logged out. A ledger of more bytes than
    /// `most` is not copied. What is `held` is given back with it; a copy that nobody waits for any more is made to its
    /// end, and keeps it until then.
    pub(crate) async fn rehearsal<H: Send + 'static>(
        &self,
        most: u64,
        lang: Lang,
        held: H,
    ) -> Result<(Engine, H), AppError> {
        let dir = self.workspace.data_dir();
        let copied = tokio::task::spawn_blocking(move || {
            let bytes = std::fs::metadata(dir.join(ledger::open::LEDGER_FILE)).map_or(0, |file| file.len());
            if bytes > most {
                let (bytes, most) = (bytes >> 20, most >> 20);
                return Err(AppError::wrong_use(
                    format!(
                        "账本有 {bytes} MiB,服务内的试运行要把它复制到内存,最多 {most} MiB;请在命令行用 engine dry-run"
                    ),
                    format!(
                        "the ledger has {bytes} MiB; a dry run within the service copies it into memory and takes at most {most} MiB: use `engine dry-run` on the command line"
                    ),
                ));
            }
            Ok((Ledger::copy_to_memory(Some(&dir))?, held))
        });
        let copied = copied.await.map_err(|error| AppError::bug(error.to_string()))?;
        let (copied, held) = copied?;
        let engine = Engine {
            workspace: Arc::clone(&self.workspace),
            store: Store::memory(copied.with_words(words(lang))),
            clock: Arc::clone(&self.clock),
            callers: Arc::clone(&self.callers),
            began: self.began,
            tape: None,
            partner_readings: Arc::default(),
            cancel: self.cancel.one(),
            compares: false,
        };
        Ok((engine, held))
    }

    /// Makes the engine ready for runs of further plans. What is wrong with the connections of one keeps none of the
    /// others from running: gives, for each plan, why it cannot run.
    pub async fn announce(&self, plans: &[Arc<Plan>], seen: Seen) -> Result<Vec<Option<AppError>>, AppError> {
        let mut connections: BTreeMap<&String, Result<Connection, AppError>> = BTreeMap::new();
        for name in used(plans) {
            let mut found = connection(&self.workspace, name);
            if let (Ok(connection), Seen::Kept) = (&found, seen) {
                let (name, origin) = (name.clone(), origin(&self.workspace, connection));
                let remembered = self
                    .store
                    .with_ledger(move |ledger| ledger.remember_origin(&name, &origin));
                if let Err(error) = remembered.await? {
                    found = Err(error.into());
                }
            }
            connections.insert(name, found);
        }
        let refusals = plans
            .iter()
            .map(|plan| {
                let names = used(std::slice::from_ref(plan));
                let of_each = names.into_iter().filter_map(|name| connections.get(name));
                let mut errors = of_each.filter_map(|found| found.as_ref().err());
                errors.next().cloned()
            })
            .collect();
        let usable = connections.into_values().filter_map(Result::ok).collect();
        self.callers.admit(&self.workspace, usable)?;
        if seen == Seen::Passing {
            return Ok(refusals);
        }
        let (found, now) = (revisions::found(&self.workspace, plans), self.clock.now_ms());
        let plans = with_partners(&self.workspace, plans);
        let pairs = Introduction::of(&self.workspace, &plans);
        let objects = self.workspace.objects().clone();
        let introduced = self.store.with_ledger(move |ledger| {
            pairs.make(ledger)?;
            plans
                .iter()
                .try_for_each(|plan| introduce(ledger, plan, &objects, now))?;
            ledger.keep_revisions(&found, now)?;
            Ok::<_, AppError>(())
        });
        introduced.await??;
        Ok(refusals)
    }

    /// A ledger in memory that knows nothing, and calls that a tape answers: nobody is called, no file is touched.
    pub(crate) fn replaying(
        workspace: Arc<Workspace>,
        plan: &Arc<Plan>,
        recording: &Recording,
        tape: &Arc<Tape>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AppError> {
        let mut connections = Vec::new();
        for name in used(std::slice::from_ref(plan)) {
            let Some(set_up) = recording.connections.get(name) else {
                return Err(AppError::wrong_use(
                    format!("录制里没有连接 {name};请重新录制"),
                    format!("the recording has no connection {name}: record it anew"),
                ));
            };
            let known = workspace.connections_there()?;
            let mut connection = known.resolve_sandbox(name, &recording.env, &set_up.params)?;
            connection.quiet_period_ms = set_up.quiet_ms;
            connections.push(connection);
        }
        let mut ledger = Ledger::copy_to_memory(None)?.with_words(words(Lang::En));
        ensure_indexes(&mut ledger, [plan.as_ref()])?;
        let mut engine = Self::with_store(workspace, Store::memory(ledger), clock, connections)?;
        engine.put_in(tape)?;
        Ok(engine)
    }

    /// From now on the calls of the run are taken down. A recording begins with nothing: what the ledger knows of the
    /// scheme from earlier runs would be missing when it is replayed.
    pub fn record(&mut self, plan: &Plan) -> Result<(), AppError> {
        let reader = self.store.reader();
        let scheme = &plan.scheme;
        if reader.states(scheme)? != [0; 7] || !reader.closed_intervals(scheme)?.is_empty() {
            return Err(AppError::wrong_use(
                format!(
                    "账本里已有方案 {scheme} 的运行;录制要从它的第一次运行开始:用 --sandbox,或测试账套的环境(--env)"
                ),
                format!(
                    "the ledger has runs of {scheme}; a recording begins with its first one: use --sandbox, or the environment of a test account (--env)"
                ),
            ));
        }
        self.put_in(&Arc::new(Tape::empty()))
    }

    fn put_in(&mut self, tape: &Arc<Tape>) -> Result<(), AppError> {
        self.callers.put_in(tape)?;
        self.tape = Some(Arc::clone(tape));
        Ok(())
    }

    /// What was taken down.
    pub(crate) fn takes(&self) -> Takes {
        self.tape.as_ref().map(|tape| tape.takes()).unwrap_or_default()
    }

    /// Who calls the connections.
    pub(crate) fn callers(&self) -> &Arc<Callers> {
        &self.callers
    }

    /// What knows the secrets of the connections.
    pub(crate) fn redactors(&self) -> Vec<Redactor> {
        let callers = self.callers.all();
        callers
            .iter()
            .map(|caller| caller.connection.redactor().clone())
            .collect()
    }

    /// What identifies the credential of a connection; its name where it is not resolved.
    pub(crate) fn credential(&self, connection: &str) -> String {
        let caller = self.callers.of(connection);
        caller.map_or_else(|| connection.to_owned(), |caller| caller.connection.credential())
    }

    /// How the connections of this plan are set up where nobody is called.
    pub(crate) fn set_ups(&self, plan: &Arc<Plan>) -> BTreeMap<String, SetUp> {
        let names = used(std::slice::from_ref(plan)).into_iter();
        let set_ups = names.filter_map(|name| {
            let connection = &self.callers.of(name)?.connection;
            let set_up = SetUp {
                params: connection.told_params(&nowhere(name)),
                quiet_ms: connection.quiet_period_ms,
            };
            Some((name.clone(), set_up))
        });
        set_ups.collect()
    }

    /// Whether documents of a scheme are known that no row of it has come for.
    fn is_mapped(&self, scheme: &str) -> Result<bool, AppError> {
        let any = EntryFilter {
            schemes: vec![scheme.to_owned()],
            limit: 1,
            ..EntryFilter::default()
        };
        Ok(!self.store.reader().mapping_entries(&any)?.is_empty())
    }

    /// One pass.
    pub async fn run(
        &self,
        plan: Arc<Plan>,
        options: &RunOptions,
        progress: &dyn Progress,
    ) -> Result<RunReport, AppError> {
        self.pass(plan, options, progress, false).await
    }

    /// The same; `for_partner`: the scheme of the other direction wants to write.
    pub(crate) async fn pass(
        &self,
        plan: Arc<Plan>,
        options: &RunOptions,
        progress: &dyn Progress,
        for_partner: bool,
    ) -> Result<RunReport, AppError> {
        let instant = options.now.unwrap_or_else(|| self.clock.now_ms());
        let indexed = Indexed::of(self.store.reader(), &plan.scheme)?;
        let mut empty_feeders = Vec::new();
        for (scheme, _) in &plan.looks_up {
            if self.store.reader().states(scheme)? == [0; 7] && !self.is_mapped(scheme)? {
                empty_feeders.push(scheme.clone());
            }
        }
        let mut empty_tables = Vec::new();
        for (name, table) in &plan.field_tables {
            match place_of(self.store.reader(), name, table) {
                Ok(Some(_)) => {}
                Ok(None) => empty_tables.push(name.clone()),
                // In several places: the records that need it say so.
                Err(AppError::Denied(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let mut source_caller = self.source_caller(&plan)?;
        if !options.dry && source_caller.is_database() {
            let same = Arc::clone(&source_caller.connection);
            source_caller = Arc::new(source_caller.beside(same)?.for_good());
        }
        // A recording is of one scheme alone.
        let pair = match &self.tape {
            None => Pair::of(&self.workspace, &plan)?,
            Some(_) => None,
        };
        let mut source = SourceReader::new(
            Arc::clone(&plan),
            source_caller,
            instant,
            options.lang,
            indexed,
            self.workspace.objects(),
        )?;
        source.pair.clone_from(&pair);
        let mut quiet = 0;
        let (target, facts) = match &plan.target {
            Some(target) => {
                let caller = self.target_caller(&plan.scheme, target)?;
                let facts = target_facts(target, &caller, |name| self.caller(name))?;
                quiet = facts.quiet;
                let mut writer = TargetWriter::new(
                    Arc::clone(&plan),
                    caller,
                    instant,
                    options.lang,
                    options.dry,
                    self.workspace.objects().clone(),
                )
                .with_steps(options.lang, |document| {
                    self.step_caller(&plan.scheme, target, document)
                })?;
                writer.pair.clone_from(&pair);
                writer.compares = self.compares && options.dry;
                (Some(writer), Some(facts))
            }
            None => (None, None),
        };
        let call = facts.as_ref().map_or(0, |facts| facts.timeout + facts.quiet);
        self.put_under_suspicion(&plan.scheme, call).await?;
        let settle_wait = match (options.dry, options.settle_wait) {
            (true, _) => 0,
            (false, Some(wait)) => wait,
            (false, None) => quiet + SETTLE_SLACK,
        };
        let job = JobPlan {
            scheme: plan.scheme.clone(),
            revision: plan.revision.clone(),
            trigger: match (options.dry, options.replay) {
                (true, _) => Trigger::DryRun,
                (false, Some(_)) => Trigger::Replay,
                (false, None) => options.trigger.unwrap_or(Trigger::Manual),
            },
            instant,
            source: source_facts(&plan, &source, instant, options)?,
            target: facts,
            limit: options.limit,
            brakes: self.brakes(&plan, options)?,
            retry: flow::Retry {
                max: plan.retry.max,
                first: plan.retry.first_ms,
                longest: plan.retry.longest_ms,
            },
            settle_wait,
            stages: options.stages,
            partner: pair.as_ref().map(|pair| flow::Partner {
                least: self.least_interval(&pair.partner),
                read: self
                    .partner_readings
                    .of(&pair.partner.scheme)
                    .filter(|_| !options.dry),
            }),
            for_partner,
        };
        let mut shell = Shell::new(
            &plan.scheme,
            self.store.clone(),
            Some(source),
            target,
            Arc::clone(&self.clock),
            progress,
            options.cancel.clone().unwrap_or_else(|| self.cancel.clone()),
        );
        shell.partner = pair.as_ref().map(|pair| PartnerReads::new(self, pair, options));
        shell.around = tracing::Span::current();
        shell.failpoint = self.workspace.failpoint().filter(|_| !options.dry);
        let span = tracing::info_span!(
            target: TRACED,
            "run",
            scheme = plan.scheme,
            trigger = ?job.trigger,
            run = Empty,
            status = Empty,
            fetched = Empty,
        );
        // Every call of the run is awaited in here: too large for the stacks of those who wait.
        let driven = Box::pin(shell.drive(&mut Job::new(job)).instrument(span.clone())).await;
        let summary = driven?;
        span.record("status", summary.status.word());
        span.record("fetched", summary.counts.fetched);
        let left = shell.left.take();
        let (previews, lookups, ways) = shell
            .target
            .map(|target| (target.previews, target.memo.report, target.made))
            .unwrap_or_default();
        let pruned = self.give_up_old().await;
        let not_pruned = pruned
            .err()
            .map(|error| AppError::from(error).message(options.lang));
        let problems = self.problems(&plan.scheme, &summary)?;
        Ok(RunReport {
            scheme: plan.scheme.clone(),
            revision: plan.revision.clone(),
            instant,
            summary,
            left,
            previews,
            problems,
            lookups,
            ways,
            empty_feeders,
            empty_tables,
            not_pruned,
        })
    }

    /// Gives up what is older than it is to be kept. What is old is told by the run before this one as well: a clock
    /// that is years ahead for one run gives up nothing.
    async fn give_up_old(&self) -> Result<(), StoreError> {
        let now = self.clock.now_ms();
        let today = self.began.today(now, self.clock.passed_ms());
        let before = today.saturating_sub(self.workspace.keep_ms());
        self.store.prune(before, today, now).await
    }

    /// A restored ledger: what this scheme would send is asked about first, and not before whoever sent last must have
    /// been executed or given up.
    async fn put_under_suspicion(&self, scheme: &str, call: Ms) -> Result<(), AppError> {
        let Some(until) = self.store.reader().suspicion(scheme)? else {
            return Ok(());
        };
        let op = LedgerOp::Suspect {
            scheme: scheme.to_owned(),
            kind: SuspectKind::Restored,
            until,
            ask_after: until.saturating_add(call),
            now: self.clock.now_ms(),
        };
        self.store.apply(vec![op], ledger::Blobs::new()).await?;
        Ok(())
    }

    /// Takes a scheme over from another tool: what it would send is asked about first, and what is there is done. The
    /// target is asked at once: the other tool has been stopped. Gives how many stored records that are.
    pub async fn adopt(&self, plan: &Plan, until: Ms, note: AuditNote) -> Result<u64, AppError> {
        let now = self.clock.now_ms();
        let suspect = LedgerOp::Suspect {
            scheme: plan.scheme.clone(),
            kind: SuspectKind::Adopted,
            until,
            ask_after: now,
            now,
        };
        let replies = self
            .store
            .apply(vec![suspect, LedgerOp::Audit { note, now }], ledger::Blobs::new());
        match replies.await?.first() {
            Some(LedgerReply::Count(marked)) => Ok(*marked),
            other => Err(AppError::bug(format!("a suspicion answered with {other:?}"))),
        }
    }

    /// The clock that starts a run.
    pub fn now_ms(&self) -> Ms {
        self.clock.now_ms()
    }

    /// Whether the source of a scheme is read by the versions of its rows.
    pub(crate) fn is_by_version(&self, plan: &Plan) -> bool {
        let source = &plan.source;
        let caller = self.caller_with(&source.connection, source.own_operation.as_ref());
        caller.is_ok_and(|caller| caller.connection.by_version(&source.operation).is_some())
    }

    /// How far apart readings of a scheme's source are at least.
    pub(crate) fn least_interval(&self, plan: &Plan) -> Ms {
        let connector = self.workspace.connection(&plan.source.connection);
        connector.map_or(0, |connector| connector.min_interval_ms())
    }

    /// For queries.
    pub fn reader(&self) -> &ledger::Reader {
        self.store.reader()
    }

    /// The thread that writes the ledger; `None` for a rehearsal.
    pub(crate) fn writer(&self) -> Option<ledger::Writer> {
        self.store.writer()
    }

    /// Knows the secrets of every connection that is in use, and what their sessions brought.
    pub fn redactor(&self) -> &Redactor {
        self.callers.redactor()
    }

    /// Work on the ledger that belongs to no run: what a service keeps there. It is done between two transactions of
    /// runs, and durable when this returns.
    pub async fn with_ledger<T: Send + 'static>(
        &self,
        errand: impl FnOnce(&mut Ledger) -> T + Send + 'static,
    ) -> Result<T, AppError> {
        Ok(self.store.with_ledger(errand).await?)
    }

    /// Ledger work that belongs to no run.
    pub(crate) async fn apply(&self, ops: Vec<LedgerOp>) -> Result<(), AppError> {
        self.store.apply(ops, Blobs::new()).await?;
        Ok(())
    }

    /// The same, with what the ledger answers.
    pub(crate) async fn replies(&self, ops: Vec<LedgerOp>) -> Result<Vec<LedgerReply>, AppError> {
        Ok(self.store.apply(ops, Blobs::new()).await?)
    }

    /// From now on a connection is called at a part of its rate.
    pub(crate) fn slow_down(&self, connection: &str, percent: u8) -> Result<(), AppError> {
        let slower = self.caller(connection)?.at_share(percent)?;
        self.callers.replace(connection, slower);
        Ok(())
    }

    /// The writing side of a scheme without its run, for those who want to see what it would send.
    pub(crate) fn desk(
        &self,
        plan: &Arc<Plan>,
        instant: Ms,
        lang: Lang,
    ) -> Result<(TargetWriter, TargetFacts, &ledger::Reader), AppError> {
        let target = plan.target.as_ref().ok_or_else(|| {
            AppError::wrong_use(
                format!("方案 {} 没有目标,没有可以重试的写入", plan.scheme),
                format!(
                    "the scheme {} has no target, so there is nothing to write again",
                    plan.scheme
                ),
            )
        })?;
        let caller = self.target_caller(&plan.scheme, target)?;
        let facts = target_facts(target, &caller, |name| self.caller(name))?;
        let writer = TargetWriter::new(
            Arc::clone(plan),
            caller,
            instant,
            lang,
            true,
            self.workspace.objects().clone(),
        )
        .with_steps(lang, |document| self.step_caller(&plan.scheme, target, document))?;
        Ok((writer, facts, self.store.reader()))
    }

    /// Who reads for a scheme, at its own pace.
    fn source_caller(&self, plan: &Plan) -> Result<Arc<Caller>, AppError> {
        let source = &plan.source;
        let caller = self.caller_with(&source.connection, source.own_operation.as_ref())?;
        self.callers
            .for_scheme(caller, &plan.scheme, OwnSide::Source, &source.limits)
    }

    /// Who writes for a scheme, at its own pace.
    pub(crate) fn target_caller(&self, scheme: &str, target: &TargetPlan) -> Result<Arc<Caller>, AppError> {
        let caller = self.caller_with(&target.connection, target.own_operation.as_ref())?;
        self.callers
            .for_scheme(caller, scheme, OwnSide::Target, &target.limits)
    }

    /// Who writes the document of a step; another system has a pace of its own.
    fn step_caller(
        &self,
        scheme: &str,
        target: &TargetPlan,
        document: &TargetPlan,
    ) -> Result<Arc<Caller>, AppError> {
        let caller = self.caller_with(&document.connection, None)?;
        match document.connection == target.connection {
            true => self
                .callers
                .for_scheme(caller, scheme, OwnSide::Target, &target.limits),
            false => Ok(caller),
        }
    }

    /// Who calls, with the operation that a scheme writes itself.
    pub(crate) fn caller_with(
        &self,
        connection: &str,
        own: Option<&OwnOperation>,
    ) -> Result<Arc<Caller>, AppError> {
        let caller = self.caller(connection)?;
        let Some(own) = own else { return Ok(caller) };
        let registry = self.workspace.registry();
        let with = caller.connection.with_operation(own, registry);
        let (connection, _) = with.map_err(AppError::Invalid)?;
        Ok(Arc::new(caller.beside(Arc::new(connection))?))
    }

    fn caller(&self, connection: &str) -> Result<Arc<Caller>, AppError> {
        let caller = self.callers.of(connection);
        caller.ok_or_else(|| AppError::bug("a scheme is run that was not announced"))
    }

    fn problems(&self, scheme: &str, summary: &Summary) -> Result<Vec<Problem>, AppError> {
        let counts = &summary.counts;
        if counts.dead + counts.held + counts.open() == 0 && summary.states == [0; 7] {
            return Ok(Vec::new());
        }
        crate::query::problems(self.store.reader(), scheme)
    }
}

/// The sentences of the reasons that the ledger gives itself.
pub(crate) fn words(lang: Lang) -> ledger::Words {
    Arc::new(move |code, facts| match dsl::catalogue::find(code) {
        Some(entry) => {
            let facts = facts.to_vec();
            Failure {
                entry,
                facts,
                field: None,
                vendor: None,
            }
            .message(lang)
        }
        None => ledger::plain_words()(code, facts),
    })
}

/// The names of the connections that plans use, each once.
fn used(plans: &[Arc<Plan>]) -> Vec<&String> {
    let mut names: Vec<&String> = Vec::new();
    for plan in plans {
        let targets = plan.target.iter().flat_map(|target| target.connections());
        for name in std::iter::once(&plan.source.connection).chain(targets) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// The connections that plans use, with their secrets.
fn connections(workspace: &Workspace, plans: &[Arc<Plan>]) -> Result<Vec<Connection>, AppError> {
    let names = used(plans);
    names.iter().try_for_each(|name| workspace.may_be_called(name))?;
    workspace.secrets_are_there(&names)?;
    names.into_iter().map(|name| workspace.resolve(name)).collect()
}

/// One connection that plans use, with its secrets.
fn connection(workspace: &Workspace, name: &String) -> Result<Connection, AppError> {
    workspace.may_be_called(name)?;
    workspace.secrets_are_there(&[name])?;
    workspace.resolve(name)
}

/// Where a connection leads, as the ledger remembers it. The simulators listen on another port each time, and keep what
/// they know.
fn origin(workspace: &Workspace, connection: &Connection) -> String {
    if workspace.is_simulated() {
        "sandbox".to_owned()
    } else {
        connection.origin()
    }
}

/// Tells the ledger what people must not see of a scheme, and by what its rows and those of others are looked up.
fn introduce(ledger: &mut Ledger, plan: &Plan, objects: &Objects, now: Ms) -> Result<(), AppError> {
    let is_served = objects.is_read(&plan.scheme);
    let mut rows = crate::objects::hidden_of_rows(plan, objects, now);
    if let Some(giver) = plan.source.takes_stored() {
        // What was hidden once in the rows of the other scheme is so for good, and stays so here.
        let once = crate::publish::hidden(&ledger.reader(), giver)?;
        rows.extend(plan.source.inherited(&once));
    }
    let documents = plan.target.iter().flat_map(|target| target.documents());
    let documents: Vec<dsl::Path> = documents
        .flat_map(|document| document.sensitive.clone())
        .collect();
    for (of, places) in [(HiddenOf::Rows, &rows[..]), (HiddenOf::Documents, &documents[..])] {
        let places: Vec<String> = places.iter().map(ToString::to_string).collect();
        ledger.remember_hidden(&plan.scheme, of, &places)?;
    }
    ledger.set_retention(&plan.scheme, plan.retention_ms)?;
    ensure_indexes(ledger, [plan])?;
    match (is_served, ledger.is_served(&plan.scheme)?) {
        (true, _) => ledger.serve(&plan.scheme, now)?,
        (false, true) => ledger.unserve(&plan.scheme)?,
        (false, false) => {}
    }
    crate::publish::introduce(ledger, plan, now)?;
    Ok(ledger.take_from(&plan.scheme, plan.source.takes_stored(), now)?)
}

fn source_facts(
    plan: &Plan,
    reader: &SourceReader,
    instant: Ms,
    options: &RunOptions,
) -> Result<SourceFacts, AppError> {
    let window = &plan.source.window;
    let rule = (!window.none).then(|| WindowRule {
        first: window.first.map(|first| match first {
            plan::First::At(at) => First::At(at),
            plan::First::Ago(ago) => First::Before(ago),
        }),
        overlap: window.overlap_ms,
        settle: window.settle_ms,
        max: options.replay.map_or(window.max_ms, |replay| replay.step),
        catch_up: match window.catch_up {
            plan::CatchUp::Extend => CatchUp::Extend,
            plan::CatchUp::Error => CatchUp::Error,
            plan::CatchUp::Ignore => CatchUp::Ignore,
        },
    });
    let proposal = plan.source.proposal(instant, &plan.source.zone, &Hits::new())?;
    let can_update = plan.target.as_ref().is_none_or(|target| target.update.is_some());
    let inbox = inbox_of(plan, options);
    // What is not asked has no windows, whatever the scheme says of them.
    let asks = inbox != Inbox::Only;
    Ok(SourceFacts {
        window: rule.filter(|_| asks),
        proposal: flow::window::Proposal {
            start: proposal.start_ms,
            end: proposal.end_ms,
        },
        manual: options.window,
        on_seen: match plan.source.on_seen {
            _ if options.replay.is_some_and(|replay| replay.only_missing) => OnSeen::Skip,
            Some(plan::OnSeen::Skip) => OnSeen::Skip,
            Some(plan::OnSeen::Update) => OnSeen::Update,
            Some(plan::OnSeen::UpdateIfChanged) => OnSeen::UpdateIfChanged,
            None if can_update => OnSeen::UpdateIfChanged,
            // A row that changed after it was booked with others is a person's.
            None if plan
                .target
                .as_ref()
                .is_some_and(|target| target.aggregate.is_some()) =>
            {
                OnSeen::UpdateIfChanged
            }
            None => OnSeen::Skip,
        },
        paging: reader.paging(),
        keeps: window.keeps_ms,
        sweep: sweep_due(plan, instant, options).filter(|_| asks),
        replay: options.replay.map(|replay| replay.range),
        versions: by_version(plan, reader, options)?.filter(|_| asks),
        inbox,
    })
}

/// A run of a stretch of time, or from a version, given by hand is about that alone. One that a push has started takes what
/// was sent and does not ask: the source is asked when the schedule says so, and not more often than it allows.
fn inbox_of(plan: &Plan, options: &RunOptions) -> Inbox {
    let by_hand = options.window.is_some() || options.replay.is_some() || options.from.is_some();
    match &plan.source.receive {
        Some(receive) if receive.only || options.trigger == Some(Trigger::Push) => Inbox::Only,
        Some(_) if !by_hand => Inbox::Beside,
        Some(_) | None => Inbox::None,
    }
}

fn by_version(
    plan: &Plan,
    reader: &SourceReader,
    options: &RunOptions,
) -> Result<Option<flow::version::VersionRule>, AppError> {
    let rule = reader.versions(options.from);
    let (name, of) = (&plan.scheme, &plan.source.operation);
    match &rule {
        None if options.from.is_some() => Err(AppError::wrong_use(
            format!("--from 只用于按行版本读取的来源;方案 {name} 的 {of} 不是"),
            format!("--from is for sources that are read by row version; {of} of the scheme {name} is not"),
        )),
        Some(_) if options.window.is_some() => Err(AppError::wrong_use(
            format!("方案 {name} 按行版本读取,没有时间窗口:写 --from 版本"),
            format!("the scheme {name} reads by row version and has no window: give --from VERSION"),
        )),
        _ => Ok(rule),
    }
}

/// The second pass of a whole run; the flow knows when the last one was.
fn sweep_due(plan: &Plan, instant: Ms, options: &RunOptions) -> Option<Sweep> {
    let sweep = plan.source.sweep.as_ref()?;
    let whole = options.limit.is_none() && options.window.is_none() && options.replay.is_none();
    let range = Interval::new(instant - sweep.start_ago_ms, instant - sweep.end_ago_ms)?;
    let (unless, due) = match &sweep.when {
        plan::SweepWhen::Every(every) => (range.to - every + 1, None),
        plan::SweepWhen::Cron(cron, zone) => {
            let due = cron.last(instant, zone)?;
            (due - sweep.end_ago_ms, Some(due))
        }
    };
    whole.then_some(Sweep { range, unless, due })
}

fn proof(proof: dsl::facts::Proof) -> classify::Proof {
    match proof {
        dsl::facts::Proof::Upsert => classify::Proof::Upsert,
        dsl::facts::Proof::IdempotencyKey => classify::Proof::IdempotencyKey,
        dsl::facts::Proof::UniqueKey => classify::Proof::UniqueKey,
        dsl::facts::Proof::Query => classify::Proof::Query,
        dsl::facts::Proof::None => classify::Proof::None,
    }
}

fn on_unknown(said: Option<plan::OnUnknown>) -> classify::OnUnknown {
    match said {
        Some(plan::OnUnknown::Hold) => classify::OnUnknown::Hold,
        Some(plan::OnUnknown::Resend) => classify::OnUnknown::Resend,
        Some(plan::OnUnknown::Query) | None => classify::OnUnknown::ByProof,
    }
}

fn target_facts(
    target: &plan::TargetPlan,
    caller: &Caller,
    of: impl Fn(&str) -> Result<Arc<Caller>, AppError>,
) -> Result<TargetFacts, AppError> {
    let connection = &caller.connection;
    let operation = target
        .create
        .as_deref()
        .or(target.update.as_deref())
        .unwrap_or_default();
    let mut steps = Vec::with_capacity(target.steps.len());
    let mut remembers: Vec<Ms> = Vec::new();
    for step in &target.steps {
        let elsewhere = step
            .document
            .as_ref()
            .filter(|own| own.connection != target.connection);
        let other = elsewhere.map(|own| of(&own.connection)).transpose()?;
        let connection = other.as_ref().map_or(connection, |caller| &caller.connection);
        remembers.extend(connection.remembers_ms(&step.operation));
        steps.push(StepFacts {
            name: step.name.clone(),
            target: elsewhere.map(|own| own.connection.clone()),
            updates: step.document.as_ref().is_some_and(|own| own.update.is_some()),
            call: CallFacts {
                batch: step.batch,
                proof: proof(step.proof),
                on_unknown: on_unknown(
                    step.document
                        .as_ref()
                        .map_or(target.on_unknown, |own| own.on_unknown),
                ),
                timeout: settings::call_ms(connection, &step.operation),
                quiet: connection.quiet_ms(&step.operation),
            },
        });
    }
    Ok(TargetFacts {
        name: target.connection.clone(),
        batch: target.batch,
        proof: proof(target.proof),
        on_unknown: on_unknown(target.on_unknown),
        timeout: settings::call_ms(connection, operation),
        quiet: connection.quiet_ms(operation),
        gathers: target.aggregate.is_some(),
        find_before_create: target.find_before_create,
        updates: target.update.is_some(),
        voids_again: target
            .void
            .as_deref()
            .is_some_and(|void| connection.can_repeat(void)),
        asks_updates: crate::target::asks_updates(target, connection),
        stop_at_first_dead: target.tolerate_none,
        // One figure for all writes of a scheme: the shortest.
        remembers: target
            .create
            .iter()
            .filter_map(|operation| connection.remembers_ms(operation))
            .chain(remembers)
            .min()
            .unwrap_or(DAY),
        steps,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A service runs many at once, on whatever thread is free.
    #[test]
    fn a_run_may_go_from_thread_to_thread() {
        fn is_send<T: Send>(_: fn(&'static Engine, Arc<Plan>, &'static RunOptions) -> T) {}
        is_send(|engine, plan, options| engine.run(plan, options, &crate::shell::Silent));
        fn is_shared<T: Send + Sync>() {}
        is_shared::<Engine>();
    }

    /// One clock that is wrong for one command ages nothing.
    #[test]
    fn what_is_old_is_told_by_two_clocks() {
        let day = 86_400_000;
        for (earlier, now, passed, want) in [
            (99 * day, 100 * day, 0, 99 * day),
            // Years ahead.
            (99 * day, 4_000 * day, 0, 99 * day),
            // Behind.
            (99 * day, 10 * day, 0, 10 * day),
            // A command that goes on for a year.
            (99 * day, 465 * day, 365 * day, 464 * day),
            // And whose clock is set years ahead meanwhile.
            (99 * day, 4_000 * day, 365 * day, 464 * day),
        ] {
            let began = Began { earlier, opened: 7 };
            assert_eq!(began.today(now, 7 + passed), want, "{earlier} {now} {passed}");
        }
    }

    /// A service that was started on a new ledger gives up what is old, too.
    #[test]
    fn on_a_new_ledger_the_own_beginning_counts() {
        struct Set(std::sync::atomic::AtomicI64);
        impl Clock for Set {
            fn now_ms(&self) -> i64 {
                self.0.load(std::sync::atomic::Ordering::Relaxed)
            }
        }
        let day = 86_400_000;
        let clock = Set((100 * day).into());
        let began = Began::at(None, &clock);
        clock.0.store(465 * day, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(began.today(clock.now_ms(), clock.passed_ms()), 465 * day);
    }
}
