//! Which scheme starts when: the timetable of a process that serves many.
//!
//! Pure: [`Timetable::step`] takes an instant and an [`Event`] and gives the [`Action`]s to carry out; a shell starts the
//! runs, writes the rows down and wakes up at [`Timetable::wake`]. Instants come from [`Rule`]s.
//!
//! It promises:
//! * at most one run of a scheme is under way, its halves together;
//! * an instant that came is owed until a run of it has ended, over restarts and crashes, too. However many came, one
//!   run makes up for them: slices of time are cut by that run ([`crate::window`]), not here;
//! * a tick during a run is one run more after it, and counted;
//! * nothing starts before it is due, outside of hours, while paused, or nearer than the least interval, unless a person
//!   asks for it;
//! * nobody who waits for a place waits for ever ([`Places`], [`AGE`]);
//! * each event costs O(log n) of the schemes, apart from those that name all of them ([`Event::Census`], a clock that
//!   was set back).
//!
//! What a run does, what a failure means and where rows are kept is left to others. One process has one timetable: that
//! no other process works on the same ledger is promised by the ledger's lock.

mod entry;
mod event;
mod queue;
mod slot;

use std::collections::{BTreeMap, BTreeSet};

pub use event::*;
pub use queue::{AGE, Places};
use queue::{At, Credential, Key, Queue};
use slot::{Owed, Slot};

use crate::ids::Ms;
use crate::op::Reason;
use crate::{brake, codes};

/// A run that begins later than this behind its due instant is counted as late; instants that are seen later than this
/// were missed: the process did not run, or the scheme was paused.
pub const LATE: Ms = 60_000;

/// Starts may be this much nearer than the least interval: what one start was late, the next need not be.
pub const SLACK: Ms = 5_000;

/// A run that pushes start is not nearer to the one before: what comes meanwhile is the work of one run, and runs are kept
/// for ever.
pub const PUSH_PACE: Ms = 5_000;

/// The wait after the first failure; each further one doubles it.
pub const BACK_OFF: Ms = 60_000;

/// The longest wait after failures: so long after the end of an outage everything has been tried again.
pub const MAX_BACK_OFF: Ms = 15 * 60_000;

/// So many panics of a scheme within [`PANIC_SPAN`] pause it.
pub const PANICS: usize = 3;

/// See [`PANICS`].
pub const PANIC_SPAN: Ms = 10 * 60_000;

/// A run that began less than this ago may be missing in a census: it may not have been counted yet.
pub const CENSUS_GRACE: Ms = 30_000;

/// A run that could not be begun is tried again after this.
pub const NOT_BEGUN: Ms = 30_000;

/// Who pauses a scheme when it is not a person.
pub const ENGINE: &str = "engine";

/// A clock that goes back by more than this was set: everything is reckoned anew.
const SET_BACK: Ms = 60_000;

#[derive(Debug)]
struct Entry {
    spec: Spec,
    credentials: Vec<Credential>,
    slots: Vec<Slot>,
    run: Option<Run>,
    paused: Option<Paused>,
    failures: u32,
    panics: Vec<Ms>,
    /// Nothing is started before, after failures.
    not_before: Ms,
    /// When a run of it last began.
    served: Option<Ms>,
    /// Not here any more; it goes with the end of its run.
    gone: bool,
}

#[derive(Debug)]
struct Run {
    token: Token,
    half: Half,
    started: Ms,
    /// Those it took places of, whatever the scheme says by now.
    credentials: Vec<Credential>,
}

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bell {
    /// An instant of the rule.
    Due,
    /// The end of a wait.
    Held,
}

/// See the module.
#[derive(Debug)]
pub struct Timetable {
    entries: Vec<Option<Entry>>,
    free: Vec<usize>,
    by_name: BTreeMap<String, usize>,
    /// Who runs after whom.
    followers: BTreeMap<String, BTreeSet<usize>>,
    running: BTreeMap<Token, usize>,
    bells: BTreeSet<(Ms, At, Bell)>,
    queue: Queue,
    tokens: u64,
    latest: Ms,
    /// Something was made ready in a step that starts nothing.
    unserved: bool,
    actions: Vec<Action>,
}

impl Timetable {
    /// An empty timetable.
    pub fn new(places: Places) -> Timetable {
        Timetable {
            entries: Vec::new(),
            free: Vec::new(),
            by_name: BTreeMap::new(),
            followers: BTreeMap::new(),
            running: BTreeMap::new(),
            bells: BTreeSet::new(),
            queue: Queue::new(places),
            tokens: 0,
            latest: Ms::MIN,
            unserved: false,
            actions: Vec::new(),
        }
    }

    /// Takes what happened and gives what is to be done, in order. Every step but one with [`Event::Put`] also starts what
    /// is due by now.
    pub fn step(&mut self, now: Ms, event: Event) -> Vec<Action> {
        if now.saturating_add(SET_BACK) < self.latest {
            self.set_back(now);
        }
        self.latest = now;
        let mut serves = true;
        match event {
            Event::Put(spec, remembered) => {
                self.put(now, *spec, remembered);
                serves = false;
            }
            Event::Remove(scheme) => self.remove(&scheme),
            Event::Tick => {}
            Event::Ended(token, how) => self.ended(now, token, How::Told(how)),
            Event::Census(alive) => self.census(now, &alive),
            Event::RunNow(scheme, half) => self.ask(now, &scheme, half, Cause::Manual),
            Event::Pushed(scheme) => self.ask(now, &scheme, Half::All, Cause::Push),
            Event::Settle(scheme) => self.ask(now, &scheme, Half::Target, Cause::Settle),
            Event::Pause(scheme, paused) => self.pause(&scheme, paused),
            Event::Resume(scheme) => self.resume(now, &scheme),
            Event::Hold(scheme, held) => self.hold(now, &scheme, held),
        }
        if serves {
            self.ring(now);
            self.serve(now);
        } else {
            self.unserved = true;
        }
        std::mem::take(&mut self.actions)
    }

    /// When to step next with [`Event::Tick`]; `None` = not before something happens.
    pub fn wake(&self) -> Option<Ms> {
        let bell = self.bells.first().map(|(at, _, _)| *at);
        if self.unserved {
            Some(self.latest)
        } else {
            bell.filter(|at| *at < Ms::MAX)
        }
    }

    /// How the halves of a scheme stand; empty = it is not here.
    pub fn status(&self, scheme: &str) -> Vec<Status> {
        let entry = self.by_name.get(scheme).and_then(|at| self.entries[*at].as_ref());
        entry.map_or_else(Vec::new, |entry| entry.status().collect())
    }

    /// Whether a scheme is paused.
    pub fn is_paused(&self, scheme: &str) -> bool {
        let entry = self.by_name.get(scheme).and_then(|at| self.entries[*at].as_ref());
        entry.is_some_and(|entry| entry.paused.is_some())
    }

    /// How everything stands, by the schemes' ids.
    pub fn statuses(&self) -> impl Iterator<Item = Status> + '_ {
        let entries = self.by_name.values().filter_map(|at| self.entries[*at].as_ref());
        entries.flat_map(Entry::status)
    }

    /// The runs that are under way.
    pub fn runs(&self) -> impl Iterator<Item = (Token, &str)> + '_ {
        self.running.iter().filter_map(|(token, at)| {
            let entry = self.entries[*at].as_ref()?;
            Some((*token, entry.spec.scheme.as_str()))
        })
    }

    /// How many schemes are here, how many runs are under way, and how many wait for a place.
    pub fn load(&self) -> Load {
        Load {
            schemes: self.by_name.len(),
            running: self.queue.runs(),
            waiting: self.queue.waiting(),
        }
    }

    fn put(&mut self, now: Ms, spec: Spec, remembered: Remembered) {
        let at = match self.by_name.get(&spec.scheme) {
            Some(at) => {
                let at = *at;
                self.silence(at);
                at
            }
            None => self.insert(&spec, remembered.paused),
        };
        let credentials = self.queue.numbers(&spec.credentials, spec.alone.as_deref());
        let Some(entry) = self.entries[at].as_mut() else {
            return;
        };
        let old_after = std::mem::replace(&mut entry.spec, spec).after;
        entry.credentials = credentials;
        entry.gone = false;
        let kept = entry.rules(now, &remembered.rows);
        let scheme = entry.spec.scheme.clone();
        let after = entry.spec.after.clone();
        self.actions.extend(kept.into_iter().map(Action::Keep));
        if let Some(followers) = old_after.and_then(|old| self.followers.get_mut(&old)) {
            followers.remove(&at);
        }
        if let Some(after) = after.filter(|after| *after != scheme) {
            self.followers.entry(after).or_default().insert(at);
        }
        self.arm(now, at);
    }

    fn insert(&mut self, spec: &Spec, paused: Option<Paused>) -> usize {
        let entry = Entry {
            spec: Spec::new(&spec.scheme),
            credentials: Vec::new(),
            slots: Vec::new(),
            run: None,
            paused,
            failures: 0,
            panics: Vec::new(),
            not_before: Ms::MIN,
            served: None,
            gone: false,
        };
        let at = match self.free.pop() {
            Some(at) => at,
            None => {
                self.entries.push(None);
                self.entries.len() - 1
            }
        };
        self.entries[at] = Some(entry);
        self.by_name.insert(spec.scheme.clone(), at);
        at
    }

    fn remove(&mut self, scheme: &str) {
        let Some(at) = self.by_name.get(scheme).copied() else {
            return;
        };
        self.silence(at);
        let Some(entry) = self.entries[at].as_mut() else {
            return;
        };
        if let Some(followers) = entry
            .spec
            .after
            .take()
            .and_then(|after| self.followers.get_mut(&after))
        {
            followers.remove(&at);
        }
        if entry.run.is_some() {
            entry.gone = true;
            entry.slots.iter_mut().for_each(|slot| slot.again = None);
        } else {
            self.forget(at);
        }
    }

    fn forget(&mut self, at: usize) {
        if let Some(entry) = self.entries[at].take() {
            self.by_name.remove(&entry.spec.scheme);
            self.free.push(at);
        }
    }

    /// Takes a scheme out of the queue and its timers away; what is owed stays owed.
    fn silence(&mut self, at: usize) {
        let Some(entry) = self.entries[at].as_mut() else {
            return;
        };
        for slot in &mut entry.slots {
            let here = At {
                entry: at,
                half: slot.half,
            };
            if let Some(key) = slot.key.take() {
                self.queue.remove(key, &entry.credentials);
            }
            if let Some(fires) = slot.fires.take() {
                self.bells.remove(&(fires, here, Bell::Due));
            }
            if let Some(held) = slot.held.take() {
                self.bells.remove(&(held, here, Bell::Held));
            }
        }
    }

    /// Sets the timers of a scheme that has none, and offers what is owed.
    fn arm(&mut self, now: Ms, at: usize) {
        let Some(entry) = self.entries[at].as_mut().filter(|entry| !entry.gone) else {
            return;
        };
        let is_paused = entry.paused.is_some();
        let halves: Vec<Half> = entry.slots.iter().map(|slot| slot.half).collect();
        for slot in entry.slots.iter_mut().filter(|_| !is_paused) {
            if let Some(next) = slot.next.filter(|_| slot.fires.is_none()) {
                let fires = slot.fires_at(&entry.spec.scheme, next);
                slot.fires = Some(fires);
                let here = At {
                    entry: at,
                    half: slot.half,
                };
                self.bells.insert((fires, here, Bell::Due));
            }
        }
        for half in halves {
            self.offer(now, At { entry: at, half });
        }
    }

    /// Everything whose time has come.
    fn ring(&mut self, now: Ms) {
        while let Some((time, at, bell)) = self.bells.first().copied().filter(|(time, _, _)| *time <= now) {
            self.bells.remove(&(time, at, bell));
            let Some(entry) = self.entries[at.entry].as_mut() else {
                continue;
            };
            let is_running = entry.run.as_ref().is_some_and(|run| run.half == at.half);
            let (scheme, missed) = (&entry.spec.scheme, entry.spec.missed);
            let Some(slot) = entry.slots.iter_mut().find(|slot| slot.half == at.half) else {
                continue;
            };
            if bell == Bell::Held {
                slot.held = None;
            } else {
                slot.fires = None;
                let due = slot.next.take().unwrap_or(time);
                let rule = slot.timing.as_ref().map(|timing| &timing.rule);
                // A rule that stands still would ring for ever.
                slot.next = rule
                    .and_then(|rule| rule.next(now.max(due)))
                    .filter(|next| *next > now);
                if let Some(next) = slot.next {
                    let fires = slot.fires_at(scheme, next);
                    slot.fires = Some(fires);
                    self.bells.insert((fires, at, Bell::Due));
                }
                let owed = Owed::new(due, Cause::Schedule);
                if missed == Missed::Skip && now - time > LATE {
                    slot.tally.skipped += 1;
                    self.actions.push(Action::Keep(slot.row(scheme)));
                } else if is_running {
                    slot.tally.overlaps += 1;
                    slot.again = Some(slot.again.map_or(owed, |again| again.and(owed)));
                } else {
                    slot.tally.overlaps += u64::from(slot.owed.is_some());
                    slot.owed = Some(slot.owed.map_or(owed, |old| old.and(owed)));
                }
            }
            self.offer(now, at);
        }
    }

    /// Puts what is owed into the queue, or sets a timer for when it may be.
    fn offer(&mut self, now: Ms, at: At) {
        let Some(entry) = self.entries[at.entry].as_mut() else {
            return;
        };
        let from = entry.may_start(now, at.half);
        let (priority, served) = (entry.spec.priority, entry.served);
        let is_free = entry.run.is_none() && !entry.gone;
        let Some(slot) = entry.slots.iter_mut().find(|slot| slot.half == at.half) else {
            return;
        };
        let (Some(owed), Some(from)) = (slot.owed, from) else {
            return;
        };
        if !is_free || slot.key.is_some() && !owed.by_hand() {
            return;
        }
        if let Some(held) = slot.held.take() {
            self.bells.remove(&(held, at, Bell::Held));
        }
        if from > now {
            slot.held = Some(from);
            self.bells.insert((from, at, Bell::Held));
            return;
        }
        if let Some(key) = slot.key.take() {
            self.queue.remove(key, &entry.credentials);
        }
        let key = Key::new(at, priority, served, now, owed.by_hand());
        slot.key = Some(key);
        self.queue.push(key);
    }

    /// Begins what waits, as far as there are places.
    fn serve(&mut self, now: Ms) {
        self.unserved = false;
        loop {
            let entries = &self.entries;
            let credentials = |at: At| {
                let entry = entries[at.entry].as_ref();
                entry.map_or(&[][..], |entry| entry.credentials.as_slice())
            };
            let Some(key) = self.queue.pop(credentials) else {
                return;
            };
            self.begin(now, key.at);
        }
    }

    fn begin(&mut self, now: Ms, at: At) {
        let Some(entry) = self.entries[at.entry].as_mut() else {
            return;
        };
        self.tokens += 1;
        let token = Token(self.tokens);
        let mut asked = None;
        for slot in &mut entry.slots {
            let here = At {
                half: slot.half,
                ..at
            };
            if slot.half == at.half {
                slot.key = None;
                asked = slot.owed;
                slot.begun(now);
                self.actions.push(Action::Keep(slot.row(&entry.spec.scheme)));
            } else if let Some(key) = slot.key.take() {
                // One run of a scheme at a time; the other half is offered again when this one has ended.
                self.queue.remove(key, &entry.credentials);
            }
            if let Some(held) = slot.held.take() {
                self.bells.remove(&(held, here, Bell::Held));
            }
        }
        let asked = asked.unwrap_or(Owed::new(now, Cause::Schedule));
        entry.served = Some(now);
        entry.run = Some(Run {
            token,
            half: at.half,
            started: now,
            credentials: entry.credentials.clone(),
        });
        self.running.insert(token, at.entry);
        self.actions.push(Action::Start(Start {
            token,
            scheme: entry.spec.scheme.clone(),
            half: at.half,
            cause: asked.cause,
            due: asked.due,
            late: (now - asked.due).max(0),
        }));
    }

    fn ended(&mut self, now: Ms, token: Token, how: How) {
        // A run that was taken for gone may still end; it was counted then.
        let Some(at) = self.running.remove(&token) else {
            return;
        };
        let Some(entry) = self.entries[at].as_mut() else {
            return;
        };
        let Some(run) = entry.run.take() else {
            return;
        };
        self.queue.release(&run.credentials);
        if entry.gone {
            self.forget(at);
            return;
        }
        let verdict = entry.judge(now, &how);
        let rows = entry.settle(now, &run, verdict, &how);
        self.actions.extend(rows.into_iter().map(Action::Keep));
        let scheme = entry.spec.scheme.clone();
        let paused = entry.paused.as_ref();
        let reason = match &how {
            // What a brake asks is asked also where somebody paused the scheme meanwhile: ending that pause is no answer
            // to it.
            How::Told(Ended::Braked(reason)) => {
                let is_asked = paused.is_some_and(|paused| brake::asks(&paused.reason.code));
                Some(reason.clone()).filter(|_| !is_asked)
            }
            _ if entry.panics.len() >= PANICS && paused.is_none() => {
                Some(Reason::new(codes::PANICS, PANICS.to_string()))
            }
            _ => None,
        };
        if let Some(reason) = reason {
            let paused = Paused {
                since: now,
                by: ENGINE.to_owned(),
                reason,
            };
            entry.panics.clear();
            self.actions.push(Action::Paused(scheme.clone(), paused.clone()));
            self.pause(&scheme, paused);
        }
        // What follows needs what was written: not what was only read.
        if how == How::Told(Ended::Well) && run.half != Half::Source {
            for follower in self.followers.get(&scheme).cloned().unwrap_or_default() {
                self.ask_at(now, follower, Half::All, Cause::After);
            }
        }
        self.arm(now, at);
    }

    fn ask(&mut self, now: Ms, scheme: &str, half: Half, cause: Cause) {
        if let Some(at) = self.by_name.get(scheme).copied() {
            self.ask_at(now, at, half, cause);
        }
    }

    fn ask_at(&mut self, now: Ms, at: usize, half: Half, cause: Cause) {
        let Some(entry) = self.entries[at].as_mut().filter(|entry| !entry.gone) else {
            return;
        };
        if entry.spec.by_hand && cause != Cause::Manual {
            return;
        }
        let is_running = entry.run.as_ref().is_some_and(|run| run.half == half);
        let slot = match entry.slots.iter().position(|slot| slot.half == half) {
            Some(place) => &mut entry.slots[place],
            None => {
                entry.slots.push(Slot::new(half));
                let last = entry.slots.len() - 1;
                &mut entry.slots[last]
            }
        };
        let asked = Owed::new(now, cause);
        let place = if is_running {
            &mut slot.again
        } else {
            &mut slot.owed
        };
        *place = Some(place.map_or(asked, |old| old.and(asked)));
        if cause == Cause::After {
            let row = slot.row(&entry.spec.scheme);
            self.actions.push(Action::Keep(row));
        }
        self.offer(now, At { entry: at, half });
    }

    fn pause(&mut self, scheme: &str, paused: Paused) {
        let Some(at) = self.by_name.get(scheme).copied() else {
            return;
        };
        self.silence(at);
        if let Some(entry) = self.entries[at].as_mut() {
            entry.paused = Some(paused);
        }
        // What a person asked for before goes on.
        self.arm(self.latest, at);
    }

    fn resume(&mut self, now: Ms, scheme: &str) {
        let Some(at) = self.by_name.get(scheme).copied() else {
            return;
        };
        if let Some(entry) = self.entries[at].as_mut() {
            entry.paused = None;
            entry.failures = 0;
            entry.panics.clear();
            entry.not_before = Ms::MIN;
        }
        self.arm(now, at);
    }

    fn hold(&mut self, now: Ms, scheme: &str, held: bool) {
        let Some(at) = self.by_name.get(scheme).copied() else {
            return;
        };
        self.silence(at);
        if let Some(entry) = self.entries[at].as_mut() {
            entry.spec.held = held;
        }
        self.arm(now, at);
    }

    /// Runs that are gone without a word, and anything due that nothing would start.
    fn census(&mut self, now: Ms, alive: &[Token]) {
        let alive: BTreeSet<Token> = alive.iter().copied().collect();
        let gone: Vec<Token> = self
            .running
            .iter()
            .filter(|(token, at)| {
                let run = self.entries[**at].as_ref().and_then(|entry| entry.run.as_ref());
                !alive.contains(token) && run.is_none_or(|run| now - run.started >= CENSUS_GRACE)
            })
            .map(|(token, _)| *token)
            .collect();
        for token in gone {
            self.ended(now, token, How::Gone);
        }
        for at in 0..self.entries.len() {
            let Some(entry) = self.entries[at].as_mut().filter(|entry| !entry.gone) else {
                continue;
            };
            let (is_paused, is_running) = (entry.paused.is_some(), entry.run.is_some());
            let is_held = entry.spec.held;
            let mut lost = false;
            for slot in &mut entry.slots {
                let no_timer = slot.next.is_some() && slot.fires.is_none() && !is_paused;
                let startable = !is_held && slot.owed.is_some_and(|owed| owed.by_hand() || !is_paused);
                let no_place = startable && slot.key.is_none() && slot.held.is_none() && !is_running;
                if no_timer || no_place {
                    slot.tally.rearmed += 1;
                    lost = true;
                }
            }
            if lost {
                self.arm(now, at);
            }
        }
    }

    /// The clock was set back: what was reckoned from the later time is reckoned anew, or an hour back would be an hour
    /// of silence.
    fn set_back(&mut self, now: Ms) {
        for at in 0..self.entries.len() {
            self.silence(at);
            if let Some(entry) = self.entries[at].as_mut() {
                entry.set_back(now);
            }
            self.arm(now, at);
        }
    }
}

/// How a run ended, as far as the table knows.
#[derive(Debug, Clone, PartialEq, Eq)]
enum How {
    Told(Ended),
    /// The watchdog found that it is not there.
    Gone,
}

/// What becomes of the instant that a run was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It is met.
    Met,
    /// It is still owed.
    Owed,
    /// It is owed as long as its next instant is not nearer than a second try.
    Again,
}

/// What a timetable has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Schemes that are here.
    pub schemes: usize,
    /// Runs under way.
    pub running: u32,
    /// Due, and waiting for a place.
    pub waiting: usize,
}
