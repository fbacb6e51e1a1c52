//! A process that runs all schemes of a folder on their schedules, for months.
//!
//! [`Service::serve`] is the loop: it wakes when the timetable says so, begins runs, and writes down what must be known
//! after a restart. Everything else is asked of it from outside, while it goes on: by the HTTP API, by signals, by a
//! push that arrived. What starts when is decided in [`flow::timetable`]; what a run does is decided in [`flow::Job`].
//!
//! It promises: no scheme keeps another one from running, be it invalid, slow or broken; a run that is asked to stop
//! finishes and settles the call that is out; what was due and did not run is due after a restart.

pub mod dry;
pub mod events;
pub mod fleet;
mod pump;
mod replays;
mod rules;
mod status;
mod stored;
mod targets;
#[doc(hidden)]
pub mod year;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::Duration;

use dsl::diagnostic::Lang;
use dsl::plan::Plan;
use flow::ids::{Ms, RunId};
use flow::op::Reason;
use flow::timetable::{self, DueRow, Half, Paused, Places, Remembered, Spec, Timetable, Token};
use tokio::sync::{Notify, OnceCell};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::error::AppError;
use crate::inbox::{Arrived, Doors, Inbox, Shut, Takes};
use crate::run::{Engine, Opening, Seen};
use crate::service::events::{Events, What};
use crate::service::fleet::{Fleet, Member, Standing};
use crate::service::replays::Replays;
use crate::service::stored::Questions;
use crate::shell::Cancel;
use crate::workspace::Workspace;

pub use pump::Underway;
pub use replays::{TURN, Wish};
pub use status::SchemeStatus;

/// Reads the files of the folder, at the start and at every reload.
pub type Load = Box<dyn Fn() -> Result<Workspace, AppError> + Send + Sync>;

/// How a service is set up.
pub struct Setting {
    /// The folder of the schemes.
    pub folder: PathBuf,
    /// Reads connections, connectors and the index of the folder.
    pub load: Load,
    /// The clock of schedules and runs.
    pub clock: Arc<dyn Clock>,
    /// Language of stored reasons.
    pub lang: Lang,
    /// What is said about the ledger when it is opened.
    pub opening: Opening,
    /// How many runs may be under way.
    pub places: Places,
    /// How long a turn of a replay is ([`TURN`]).
    pub turn: Ms,
    /// Start nothing: for looking at a ledger.
    pub read_only: bool,
}

/// The files in force, and the engine over them. Runs keep the ones they began with.
pub struct Loaded {
    /// Runs and asks.
    pub engine: Engine,
    /// The schemes.
    pub fleet: Fleet,
    /// When they were read.
    pub at: Ms,
}

/// See the module.
pub struct Service {
    setting: Setting,
    loaded: RwLock<Arc<Loaded>>,
    table: Mutex<Table>,
    /// The table has changed: the alarm may stand wrong.
    changed: Notify,
    /// What the ledger is to remember of the timetable.
    owed: Mutex<BTreeMap<(String, Half), DueRow>>,
    owes: Notify,
    events: Events,
    inbox: Arc<Inbox>,
    cancel: Cancel,
    /// One reload at a time, or one word about a target or a replay.
    reloading: tokio::sync::Mutex<()>,
    started: Ms,
    beat: Beat,
    begun: OnceCell<()>,
}

/// When the loop last went round, by the time in which the machine is awake.
struct Beat(Mutex<Instant>);

impl Beat {
    fn new() -> Self {
        Beat(Mutex::new(Instant::now()))
    }

    fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn is_alive(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed() < STALLED
    }
}

/// The loop goes round once a minute at least: one that has not for so long stands still.
const STALLED: Duration = Duration::from_secs(120);

struct Table {
    timetable: Timetable,
    runs: BTreeMap<Token, Arc<Underway>>,
    /// When schemes go on with what they have stored, if no run comes before.
    questions: Questions,
    /// Past stretches that are read once more.
    replays: Replays,
    /// Schemes of which a person wants an ordinary run: a replay begins by hand, too.
    asked: BTreeSet<String>,
    /// Targets that nobody is to write to.
    paused_targets: BTreeMap<String, Paused>,
}

/// What a reload came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reloaded {
    /// Schemes that can run.
    pub ready: usize,
    /// Those that cannot.
    pub broken: usize,
}

impl Service {
    /// Opens the ledger and reads the folder. Nothing runs yet, and nobody is let in: see [`Service::begin`].
    pub async fn open(setting: Setting) -> Result<Arc<Service>, AppError> {
        let workspace = (setting.load)()?;
        let clock = Arc::clone(&setting.clock);
        let engine = Engine::open(workspace, clock, &[], setting.lang, &setting.opening)?;
        let fleet = Fleet::load(&setting.folder, &engine, seen(setting.read_only)).await?;
        let started = setting.clock.now_ms();
        let cancel = engine.cancel.clone();
        let replays = replays::kept(&engine)?;
        let paused_targets = engine.reader().paused_targets()?;
        let writer = engine
            .writer()
            .ok_or_else(|| AppError::bug("a service over a ledger in memory"))?;
        Ok(Arc::new_cyclic(|this: &Weak<Service>| Service {
            inbox: Arc::new(Inbox::new(writer, bell(this))),
            table: Mutex::new(Table {
                timetable: Timetable::new(setting.places),
                runs: BTreeMap::new(),
                questions: Questions::default(),
                replays,
                asked: BTreeSet::new(),
                paused_targets,
            }),
            setting,
            loaded: RwLock::new(Arc::new(Loaded {
                engine,
                fleet,
                at: started,
            })),
            changed: Notify::new(),
            owed: Mutex::default(),
            owes: Notify::new(),
            events: Events::new(started),
            cancel,
            reloading: tokio::sync::Mutex::default(),
            started,
            beat: Beat::new(),
            begun: OnceCell::new(),
        }))
    }

    /// Begins what is due and opens the doors, once. Between [`Service::open`] and this, whoever starts it makes ready
    /// what may fail, as the port it listens on: a process that cannot serve has begun nothing. Nor has one of which this
    /// fails: runs begin last.
    pub async fn begin(self: &Arc<Self>) -> Result<(), AppError> {
        let begun = self.begun.get_or_try_init(|| async {
            let loaded = self.loaded();
            let remembered = loaded.engine.with_ledger(|ledger| ledger.timetable()).await??;
            if !self.setting.read_only {
                let mut table = self.table();
                for scheme in cut_off(&remembered) {
                    table.questions.ask(self.started, scheme);
                }
            }
            self.ask_about_stored(None, |_| true).await?;
            let doors = self.doors().await?;
            // From here on nothing fails: whoever gives up on an error would cut off runs with writes out.
            self.put(&Fleet::default(), remembered);
            self.inbox.set(doors);
            if let Err(error) = self.inbox.tell_of_all_that_waits() {
                // They are told again of what waits too long.
                tracing::error!(code = error.code(), "{}", error.message(self.setting.lang));
            }
            self.tell_of_given();
            self.go_on_with_replays();
            Ok(())
        });
        begun.await.copied()
    }

    /// The files in force.
    pub fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.loaded.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where pushes arrive.
    pub fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// What happens.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// Now.
    pub fn now_ms(&self) -> Ms {
        self.setting.clock.now_ms()
    }

    /// When it was started.
    pub fn started_ms(&self) -> Ms {
        self.started
    }

    /// The language of stored reasons.
    pub fn lang(&self) -> Lang {
        self.setting.lang
    }

    /// Whether it starts nothing.
    pub fn is_read_only(&self) -> bool {
        self.setting.read_only
    }

    /// The folder of the schemes.
    pub fn folder(&self) -> &std::path::Path {
        &self.setting.folder
    }

    /// Stops everything: calls that are out are finished and settled, nothing new is begun.
    pub fn stop(&self) {
        self.cancel.cancel();
    }

    /// What stops everything when it is told to.
    pub fn stopper(&self) -> Cancel {
        self.cancel.clone()
    }

    /// A number that changes when a file of the service does: a scheme, the connections, a connector.
    pub fn fingerprint(&self) -> u64 {
        fleet::fingerprint(&self.setting.folder, &self.loaded().engine.workspace)
    }

    /// Whether the loop goes round, or ends as it was told to.
    pub fn is_going(&self) -> bool {
        self.is_stopping() || self.beat.is_alive()
    }

    /// Whether it was told to stop.
    pub fn is_stopping(&self) -> bool {
        self.cancel.is_canceled()
    }

    /// Reads the folder again. Schemes that changed run by their new files from their next run on; where the files around
    /// them (connections, connectors) are in error, the old ones stay in force.
    pub async fn reload(self: &Arc<Self>) -> Result<Reloaded, AppError> {
        self.begin().await?;
        let _alone = self.reloading.lock().await;
        let read = async {
            let engine = self.loaded().engine.over((self.setting.load)()?);
            let fleet = Fleet::load(&self.setting.folder, &engine, seen(self.setting.read_only)).await?;
            Ok::<_, AppError>(Loaded {
                engine,
                fleet,
                at: self.now_ms(),
            })
        };
        let loaded = match read.await {
            Ok(loaded) => Arc::new(loaded),
            Err(error) => {
                let told = reason_of(&error, self.setting.lang);
                self.events.tell(self.now_ms(), What::NotReloaded(told));
                return Err(error);
            }
        };
        let remembered = loaded.engine.with_ledger(|ledger| ledger.timetable()).await??;
        let before = {
            let mut current = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *current, Arc::clone(&loaded))
        };
        self.put(&before.fleet, remembered);
        // What could not run until now may have stored something; of the others it is known.
        let was_ready = |scheme: &str| {
            let member = before.fleet.get(scheme);
            member.is_some_and(|member| matches!(member.standing, Standing::Ready(..)))
        };
        self.ask_about_stored(None, |scheme| !was_ready(scheme)).await?;
        self.open_doors().await?;
        // Of schemes that could not run until now.
        self.go_on_with_replays();
        let (ready, broken) = loaded.fleet.counts();
        self.events.tell(self.now_ms(), What::Reloaded { ready, broken });
        Ok(Reloaded { ready, broken })
    }

    /// Asks for a run now. It begins when its credentials have a place.
    pub fn run_now(self: &Arc<Self>, scheme: &str, half: Half) -> Result<(), AppError> {
        self.runnable(scheme)?;
        let paused = {
            // Both at once: a run that begins in between would be taken for this one.
            let mut table = self.table();
            if half == Half::All {
                table.asked.insert(scheme.to_owned());
            }
            self.step_in(&mut table, timetable::Event::RunNow(scheme.to_owned(), half))
        };
        self.keep_paused(paused);
        self.changed.notify_one();
        Ok(())
    }

    /// Something was pushed to a scheme, and is durable.
    pub fn arrived(self: &Arc<Self>, scheme: &str) {
        let scheme = scheme.to_owned();
        self.events.tell(
            self.now_ms(),
            What::Arrived {
                scheme: scheme.clone(),
            },
        );
        self.step(timetable::Event::Pushed(scheme));
    }

    /// Asks a run to finish what is out and end; says whether it is under way. One that the ledger holds open may have
    /// died with its process, and another run of its scheme be under way: that one goes on.
    pub fn cancel_run(&self, run: RunId) -> bool {
        self.cancel_those(|underway| underway.is(run))
    }

    fn cancel_those(&self, are: impl Fn(&Underway) -> bool) -> bool {
        let table = self.table();
        let those = table.runs.values().filter(|underway| are(underway));
        those.inspect(|underway| underway.cancel.cancel()).count() > 0
    }

    /// Starts nothing of a scheme from now on, also after a restart; a run that is under way goes on.
    pub async fn pause(self: &Arc<Self>, scheme: &str, by: &str, why: &str) -> Result<(), AppError> {
        self.there(scheme)?;
        let paused = Paused {
            since: self.now_ms(),
            by: by.to_owned(),
            reason: Reason::new("", why),
        };
        let (id, kept) = (scheme.to_owned(), paused.clone());
        let loaded = self.loaded();
        let written = loaded.engine.with_ledger(move |ledger| ledger.pause(&id, &kept));
        written.await??;
        self.paused(scheme, paused.clone());
        self.step(timetable::Event::Pause(scheme.to_owned(), paused));
        Ok(())
    }

    /// Starts a scheme again.
    pub async fn resume(self: &Arc<Self>, scheme: &str, by: &str, why: &str) -> Result<(), AppError> {
        self.there(scheme)?;
        let (id, who, why, now) = (scheme.to_owned(), by.to_owned(), why.to_owned(), self.now_ms());
        let loaded = self.loaded();
        let written = loaded
            .engine
            .with_ledger(move |ledger| ledger.resume(&id, &who, &why, now));
        written.await??;
        self.events.tell(
            self.now_ms(),
            What::Resumed {
                scheme: scheme.to_owned(),
                by: by.to_owned(),
            },
        );
        self.step(timetable::Event::Resume(scheme.to_owned()));
        // What a brake held has no instant of its own.
        self.ask_about_stored(Some(scheme), |_| true).await?;
        self.go_on_with_replays();
        Ok(())
    }

    fn paused(&self, scheme: &str, paused: Paused) {
        let told = What::Paused {
            scheme: scheme.to_owned(),
            by: paused.by,
            reason: paused.reason,
        };
        self.events.tell(self.now_ms(), told);
    }

    /// The scheme with this id.
    pub fn there(&self, scheme: &str) -> Result<Arc<Member>, AppError> {
        let loaded = self.loaded();
        if let Some(member) = loaded.fleet.get(scheme) {
            return Ok(Arc::clone(member));
        }
        let all = loaded.fleet.iter().map(|(id, _)| id);
        let near = dsl::diagnostic::did_you_mean(scheme, all).join(", ");
        let (zh, en) = match near.as_str() {
            "" => Default::default(),
            near => (format!(";是否想写 {near}?"), format!("; did you mean {near}?")),
        };
        Err(AppError::wrong_use(
            format!("没有方案 {scheme}{zh}"),
            format!("there is no scheme {scheme}{en}"),
        ))
    }

    /// The scheme with this id, if it can run.
    fn runnable(&self, scheme: &str) -> Result<Arc<Member>, AppError> {
        let member = self.there(scheme)?;
        match member.trouble() {
            Some(error) => Err(error.clone()),
            None => Ok(member),
        }
    }

    /// Puts the schemes in force into the timetable, and takes away those that were there and are not any more.
    fn put(self: &Arc<Self>, before: &Fleet, mut remembered: BTreeMap<String, Remembered>) {
        if self.setting.read_only {
            return;
        }
        let loaded = self.loaded();
        for (id, member) in loaded.fleet.iter() {
            let spec = match &member.standing {
                Standing::Ready(plan, _) => rules::spec(plan, &loaded.engine),
                Standing::Disabled(..) => Spec {
                    by_hand: true,
                    ..Spec::new(id)
                },
                // What was due of it stays due.
                Standing::Unusable(..) | Standing::Invalid(_) => {
                    self.step(timetable::Event::Remove(id.to_owned()));
                    continue;
                }
            };
            let spec = Spec {
                held: self.is_held(member),
                ..spec
            };
            let remembered = remembered.remove(id).unwrap_or_default();
            self.step(timetable::Event::Put(Box::new(spec), remembered));
        }
        for (id, _) in before.iter().filter(|(id, _)| loaded.fleet.get(id).is_none()) {
            self.step(timetable::Event::Remove(id.to_owned()));
        }
        self.changed.notify_one();
    }

    /// From now on the schemes in force that receive do so.
    async fn open_doors(&self) -> Result<(), AppError> {
        let doors = self.doors().await?;
        self.inbox.set(doors);
        self.inbox.tell_of_all_that_waits()
    }

    /// Schemes that run when a row is given to them, or stored by the scheme whose rows they take, and have some waiting: told when a run has ended, and when this
    /// process begins with what the one before it left.
    fn tell_of_given(self: &Arc<Self>) {
        let loaded = self.loaded();
        for (scheme, member) in loaded.fleet.iter() {
            let Standing::Ready(plan, _) = &member.standing else {
                continue;
            };
            let on_push = plan
                .schedule
                .as_ref()
                .is_some_and(|schedule| schedule.when == dsl::plan::When::OnPush);
            if plan.source.from_scheme.is_none() || !on_push {
                continue;
            }
            let reader = loaded.engine.reader();
            let waits = reader.inbox(scheme).and_then(|waiting| {
                let behind = reader.rows_behind(scheme)?;
                Ok(waiting.pushes > 0 || behind.is_some_and(|rows| rows > 0))
            });
            match waits {
                Ok(true) => self.arrived(scheme),
                Ok(false) => {}
                Err(error) => tracing::error!(scheme, "an inbox cannot be read: {error}"),
            }
        }
    }

    /// The doors of the schemes in force that receive. A file in error turns no sender away ([`Shut`]); a service that
    /// only looks takes nothing.
    async fn doors(&self) -> Result<Doors, AppError> {
        if self.setting.read_only {
            let all_shut = |_: &str| Some(Shut::Out(None));
            return self.inbox.made(Vec::new(), all_shut, self.now_ms()).await;
        }
        let loaded = self.loaded();
        let mut receivers = Vec::new();
        for (scheme, member) in loaded.fleet.iter() {
            let Standing::Ready(plan, _) = &member.standing else {
                continue;
            };
            match loaded.engine.receivers(std::slice::from_ref(plan)) {
                Ok(receiver) => receivers.extend(receiver),
                Err(error) => {
                    tracing::error!(
                        scheme,
                        code = error.code(),
                        "{}",
                        error.message(self.setting.lang)
                    );
                }
            }
        }
        let takes = |plan: &Plan| Takes::of(plan, self.now_ms()).ok().flatten();
        let shut = |scheme: &str| match &loaded.fleet.get(scheme).map(|member| &member.standing) {
            Some(Standing::Disabled(plan, _)) if plan.source.from_scheme.is_none() => {
                plan.source.receive.as_ref().map(|_| Shut::Out(takes(plan)))
            }
            Some(Standing::Ready(plan, _) | Standing::Unusable(plan, _))
                if plan.source.from_scheme.is_none() =>
            {
                plan.source.receive.as_ref().map(|_| Shut::Broken(takes(plan)))
            }
            Some(Standing::Disabled(..) | Standing::Ready(..) | Standing::Unusable(..)) => None,
            Some(Standing::Invalid(_)) => Some(Shut::Broken(None)),
            None => loaded.fleet.may_hide(scheme).then_some(Shut::Broken(None)),
        };
        self.inbox.made(receivers, shut, self.now_ms()).await
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A service that only looks writes nothing down.
fn seen(read_only: bool) -> Seen {
    if read_only { Seen::Passing } else { Seen::Kept }
}

/// The schemes whose runs were under way when the process before this one ended. Their source is read again when they
/// are due; what they had stored is gone on with at once.
fn cut_off(remembered: &BTreeMap<String, Remembered>) -> impl Iterator<Item = &str> {
    let is_cut_off = |row: &DueRow| {
        row.started
            .is_some_and(|started| row.ended.is_none_or(|ended| ended < started))
    };
    let schemes = remembered
        .iter()
        .filter(move |(_, remembered)| remembered.rows.iter().any(is_cut_off));
    schemes.map(|(scheme, _)| scheme.as_str())
}

/// Rings when something waits in an inbox; the inbox belongs to the service and does not keep it.
fn bell(service: &Weak<Service>) -> Arrived {
    let service = Weak::clone(service);
    Arc::new(move |scheme| {
        if let Some(service) = service.upgrade() {
            service.arrived(scheme);
        }
    })
}

/// An error as a stored reason.
fn reason_of(error: &AppError, lang: Lang) -> Reason {
    Reason::new(error.code().unwrap_or_default(), error.message(lang))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_stands_still_is_told() {
        let beat = Beat::new();
        assert!(beat.is_alive());
        tokio::time::advance(STALLED).await;
        assert!(!beat.is_alive());
        beat.beat();
        assert!(beat.is_alive());
    }
}
