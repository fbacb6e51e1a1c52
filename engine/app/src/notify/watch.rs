//! What is told, and when: a pure state machine. Events and the state of the schemes go in, messages come out.
//!
//! A cause is a rule and what it is about: one scheme, one connection, the machine. The first sight of it is told at
//! once. What follows is counted and told together: ten minutes later at the earliest, then after twice as long each
//! time, up to four hours, so that a night of failures is a handful of messages. When it is over, one message says so.
//! Many causes of one rule within a minute are told in one message: when a target goes down, a hundred schemes fail.
//!
//! It has no clock and no names of platforms; how a message looks is `words`, how it travels is `post`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use flow::ids::Ms;

/// The longest pause between two digests of one cause.
const LONGEST: Ms = 4 * 3_600_000;
/// Messages of one rule within [`BURST_MS`] that are told one by one; what comes beyond is told together.
const BURST: usize = 5;
const BURST_MS: Ms = 60_000;
/// Causes that are remembered at once: as many as a process has schemes. Beyond, the newest are told in sums only.
const CAUSES_MAX: usize = 20_000;
/// Names in one message.
pub(crate) const NAMED: usize = 10;

/// What a rule looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum When {
    /// A run failed as a whole.
    Failed,
    /// More than so many records are dead.
    Dead,
    /// More than so many records wait for a person.
    Held,
    /// A record's outcome has been unknown for so long.
    Unknown,
    /// No run ended well for so many intervals.
    NoSuccess,
    /// A target cannot be reached.
    Circuit,
    /// Credentials end soon.
    Credentials,
    /// The disk has too little room.
    Disk,
    /// A scheme was paused, by the engine or by a person.
    Paused,
}

impl When {
    /// Every one, with its word in `notify.yaml`.
    pub const ALL: [(&'static str, When); 9] = [
        ("failed", When::Failed),
        ("dead", When::Dead),
        ("held", When::Held),
        ("unknown", When::Unknown),
        ("no_success", When::NoSuccess),
        ("circuit", When::Circuit),
        ("credentials", When::Credentials),
        ("disk", When::Disk),
        ("paused", When::Paused),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, when)| *when == self);
        found.map_or("", |(word, _)| word)
    }
}

/// When something is told, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name, for the history.
    pub name: String,
    /// What it looks for.
    pub when: When,
    /// More than so many records.
    pub above: u64,
    /// For so long: unknown outcomes, credentials before their end.
    pub lasting: Ms,
    /// So many intervals without success.
    pub times: u32,
    /// Only these schemes or connections; empty = all.
    pub only: Vec<String>,
    /// Where it is told.
    pub channels: Vec<String>,
    /// The shortest pause between two messages of one cause.
    pub every: Ms,
    /// Whether what records say may be told.
    pub data: bool,
    /// After how long somebody is called by name.
    pub escalate: Option<Ms>,
}

/// What somebody said about a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The code, as in `E4009`.
    pub code: String,
    /// The sentence, redacted.
    pub sentence: String,
    /// It was said about a record and may quote it.
    pub of_record: bool,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A run of a scheme ended.
    RunEnded {
        /// The scheme.
        scheme: String,
        /// It failed as a whole.
        failed: bool,
        /// Why.
        said: Option<Said>,
    },
    /// A scheme was paused.
    Paused {
        /// The scheme.
        scheme: String,
        /// Why, in the words of whoever did it.
        reason: String,
    },
    /// A scheme goes on, or is gone.
    Resumed {
        /// The scheme.
        scheme: String,
    },
    /// Credentials of a connection end then; `None` = they are good again.
    Credentials {
        /// The connection.
        connection: String,
        /// When they end.
        until: Option<Ms>,
    },
}

/// How a scheme stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// The scheme.
    pub scheme: String,
    /// Records that are dead.
    pub dead: u64,
    /// Records that wait for a person.
    pub held: u64,
    /// Records of unknown outcome.
    pub unknown: u64,
    /// Since when the oldest of them is.
    pub unknown_since: Option<Ms>,
    /// The last run that ended well, or when the scheme was first seen.
    pub last_success: Option<Ms>,
    /// How often it should run; `None` = not on a schedule, or paused.
    pub interval: Option<Ms>,
}

/// How everything stands.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Every scheme.
    pub schemes: Vec<Standing>,
    /// Targets that cannot be reached, each until when it is left alone.
    pub circuits: Vec<String>,
    /// Free bytes of the disk and the least there should be, when there is less; `None` = there is enough.
    pub disk: Option<(u64, u64)>,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The first about a cause.
    Problem,
    /// What has come since.
    Digest,
    /// It has lasted: somebody is called by name.
    Escalated,
    /// It is over.
    Recovered,
}

impl Kind {
    /// Its word in the ledger.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Problem => "problem",
            Kind::Digest => "digest",
            Kind::Escalated => "escalated",
            Kind::Recovered => "recovered",
        }
    }
}

/// What is known of a cause.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// How many records, bytes or the like.
    pub count: Option<u64>,
    /// What was said.
    pub said: Option<Said>,
    /// An instant: since when, until when.
    pub at: Option<Ms>,
}

/// A message, not yet in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The rule.
    pub rule: Rule,
    /// What it is.
    pub kind: Kind,
    /// What it is about; several where causes are told together.
    pub subjects: Vec<String>,
    /// How many it is about, also beyond those named.
    pub of: usize,
    /// Since when.
    pub since: Ms,
    /// How often it was seen.
    pub seen: u64,
    /// The facts of the newest sight.
    pub facts: Facts,
}

/// By what a cause is told apart: its rule and what it is about.
pub type Key = (String, String);

/// A cause that was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Open {
    /// Since when.
    pub since: Ms,
    /// When it was last told; `None` = not yet.
    pub told: Option<Ms>,
    /// How often it was seen.
    pub seen: u64,
    /// How often since it was last told.
    pub untold: u64,
    /// Digests so far.
    pub digests: u32,
    /// Somebody was called by name.
    pub escalated: bool,
    /// When it was over.
    pub recovered: Option<Ms>,
    /// It was over, and that waits to be told.
    good_news: bool,
    facts: Facts,
}

impl Open {
    /// As it was before a restart.
    pub fn kept(
        since: Ms,
        told: Ms,
        counts: (u64, u64, u32),
        escalated: bool,
        recovered: Option<Ms>,
    ) -> Self {
        let (seen, untold, digests) = counts;
        Open {
            since,
            told: Some(told),
            seen,
            untold,
            digests,
            escalated,
            recovered,
            ..Open::default()
        }
    }

    /// When it may be told again.
    fn due(&self, every: Ms) -> Ms {
        let Some(told) = self.told else { return Ms::MIN };
        let factor = 1_i64 << self.digests.min(12);
        told.saturating_add(every.saturating_mul(factor).min(LONGEST.max(every)))
    }
}

/// The machine.
#[derive(Debug, Default)]
pub struct Watch {
    rules: Vec<Rule>,
    open: BTreeMap<Key, Open>,
    changed: BTreeSet<Key>,
    /// When messages of a rule were made, of late.
    bursts: BTreeMap<String, VecDeque<Ms>>,
}

impl Watch {
    /// Watches for these rules; `open` is what was known before a restart.
    pub fn new(rules: Vec<Rule>, open: impl IntoIterator<Item = (Key, Open)>) -> Self {
        let known: BTreeSet<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
        let open = open.into_iter();
        Watch {
            open: open
                .filter(|((rule, _), _)| known.contains(rule.as_str()))
                .collect(),
            rules,
            ..Watch::default()
        }
    }

    /// Something happened.
    pub fn tell(&mut self, event: &Event, now: Ms) -> Vec<Message> {
        let mut messages = Vec::new();
        match event {
            Event::RunEnded { scheme, failed, said } => {
                let facts = failed.then(|| Facts {
                    said: said.clone(),
                    ..Facts::default()
                });
                self.each(When::Failed, scheme, now, &mut messages, |_| {
                    (facts.clone(), true)
                });
            }
            Event::Paused { scheme, reason } => {
                let facts = Facts {
                    said: Some(Said {
                        code: String::new(),
                        sentence: reason.clone(),
                        of_record: false,
                    }),
                    ..Facts::default()
                };
                self.each(When::Paused, scheme, now, &mut messages, |_| {
                    (Some(facts.clone()), false)
                });
            }
            Event::Resumed { scheme } => {
                self.each(When::Paused, scheme, now, &mut messages, |_| (None, false));
            }
            Event::Credentials { connection, until } => {
                self.each(When::Credentials, connection, now, &mut messages, |rule| {
                    let near = until.filter(|until| until.saturating_sub(now) <= rule.lasting);
                    let facts = near.map(|until| Facts {
                        at: Some(until),
                        ..Facts::default()
                    });
                    (facts, false)
                });
            }
        }
        messages
    }

    /// How everything stands by now. Gives what is due as well: digests, calls by name, sums.
    pub fn look(&mut self, state: &State, now: Ms) -> Vec<Message> {
        let mut messages = Vec::new();
        for one in &state.schemes {
            let many = |n: u64, rule: &Rule| {
                (n > rule.above).then(|| Facts {
                    count: Some(n),
                    ..Facts::default()
                })
            };
            let name = &one.scheme;
            self.each(When::Dead, name, now, &mut messages, |rule| {
                (many(one.dead, rule), false)
            });
            self.each(When::Held, name, now, &mut messages, |rule| {
                (many(one.held, rule), false)
            });
            self.each(When::Unknown, name, now, &mut messages, |rule| {
                let since = one
                    .unknown_since
                    .filter(|since| now.saturating_sub(*since) > rule.lasting);
                let facts = since.map(|since| Facts {
                    count: Some(one.unknown),
                    at: Some(since),
                    ..Facts::default()
                });
                (facts, false)
            });
            self.each(When::NoSuccess, name, now, &mut messages, |rule| {
                let late = one.interval.zip(one.last_success).filter(|(interval, last)| {
                    now.saturating_sub(*last) > interval.saturating_mul(i64::from(rule.times))
                });
                let facts = late.map(|(_, last)| Facts {
                    at: Some(last),
                    ..Facts::default()
                });
                (facts, false)
            });
        }
        let circuits: BTreeSet<&String> = state.circuits.iter().collect();
        let closed: Vec<String> = self.subjects(When::Circuit);
        for target in &circuits {
            self.each(When::Circuit, target, now, &mut messages, |_| {
                (Some(Facts::default()), false)
            });
        }
        for target in closed.iter().filter(|target| !circuits.contains(target)) {
            self.each(When::Circuit, target, now, &mut messages, |_| (None, false));
        }
        // A scheme that is gone has no problems any more.
        let there: BTreeSet<&str> = state.schemes.iter().map(|one| one.scheme.as_str()).collect();
        for when in [When::Dead, When::Held, When::Unknown, When::NoSuccess] {
            for gone in self.subjects(when) {
                if !there.contains(gone.as_str()) {
                    self.each(when, &gone, now, &mut messages, |_| (None, false));
                }
            }
        }
        let disk = state.disk.map(|(free, _)| Facts {
            count: Some(free),
            ..Facts::default()
        });
        self.each(When::Disk, "", now, &mut messages, |_| (disk.clone(), false));
        self.tick(now, &mut messages);
        messages
    }

    /// What changed since this was last asked: causes to be kept, and causes to be forgotten.
    pub fn changes(&mut self) -> (Vec<(Key, Open)>, Vec<Key>) {
        let (mut kept, mut forgotten) = (Vec::new(), Vec::new());
        for key in std::mem::take(&mut self.changed) {
            match self.open.get(&key) {
                Some(open) => kept.push((key, open.clone())),
                None => forgotten.push(key),
            }
        }
        (kept, forgotten)
    }

    /// The subjects of the open causes of one kind.
    fn subjects(&self, when: When) -> Vec<String> {
        let rules: BTreeSet<&str> = self
            .rules
            .iter()
            .filter(|rule| rule.when == when)
            .map(|rule| rule.name.as_str())
            .collect();
        let open = self.open.iter();
        let of = open.filter(|((rule, _), open)| rules.contains(rule.as_str()) && open.recovered.is_none());
        of.map(|((_, subject), _)| subject.clone()).collect()
    }

    /// Every rule of a kind that is about this subject: what is wrong, if anything, and whether each sight counts (an
    /// event) or only a change of the count (a state).
    fn each(
        &mut self,
        when: When,
        subject: &str,
        now: Ms,
        messages: &mut Vec<Message>,
        facts: impl Fn(&Rule) -> (Option<Facts>, bool),
    ) {
        for at in 0..self.rules.len() {
            let rule = &self.rules[at];
            if rule.when != when || !is_about(rule, subject) {
                continue;
            }
            let key = (rule.name.clone(), subject.to_owned());
            match facts(rule) {
                (Some(facts), is_event) => self.wrong(at, key, facts, is_event, now, messages),
                (None, _) => self.right(at, &key, now, messages),
            }
        }
    }

    fn wrong(
        &mut self,
        at: usize,
        key: Key,
        facts: Facts,
        is_event: bool,
        now: Ms,
        messages: &mut Vec<Message>,
    ) {
        // Over and past its pause: what comes now is another one.
        let every = self.rules[at].every;
        let is_past = |open: &Open| open.recovered.is_some() && !open.good_news && now >= open.due(every);
        if self.open.get(&key).is_some_and(is_past) {
            self.open.remove(&key);
        }
        let full = self.open.len() >= CAUSES_MAX;
        let Some(open) = self.open.get_mut(&key) else {
            if !full {
                let one = Open {
                    since: now,
                    seen: 1,
                    untold: 1,
                    facts,
                    ..Open::default()
                };
                self.open.insert(key.clone(), one);
                self.one_by_one(at, &key, Kind::Problem, now, messages);
            }
            return;
        };
        if open.recovered.take().is_some() {
            // Back within the pause: it is told when the pause is over, as what it is.
            open.since = now;
            open.good_news = false;
            open.seen += 1;
            open.untold += 1;
            open.facts = facts;
            self.changed.insert(key);
            return;
        }
        // Not known after a restart: the first look then counts for nothing.
        let grew = open.facts.count.is_some_and(|known| facts.count > Some(known)) && open.told.is_some();
        if is_event || grew {
            open.seen += 1;
            open.untold += 1;
            self.changed.insert(key);
        }
        // What is smaller is not told, but what is told is what is.
        open.facts = facts;
    }

    fn right(&mut self, at: usize, key: &Key, now: Ms, messages: &mut Vec<Message>) {
        let Some(open) = self.open.get_mut(key).filter(|open| open.recovered.is_none()) else {
            return;
        };
        self.changed.insert(key.clone());
        open.recovered = Some(now);
        // Whoever was told of it is told that it is over; a relapse that nobody heard of ends in silence.
        let was_told = open.told.is_some_and(|told| told >= open.since);
        open.untold = 0;
        if was_told {
            open.good_news = true;
            self.one_by_one(at, key, Kind::Recovered, now, messages);
        } else if open.told.is_none() {
            self.open.remove(key);
        }
    }

    /// Tells one cause by itself, unless its rule has told many just now: then it waits for the sum.
    fn one_by_one(&mut self, at: usize, key: &Key, kind: Kind, now: Ms, messages: &mut Vec<Message>) {
        self.changed.insert(key.clone());
        let burst = self.bursts.entry(key.0.clone()).or_default();
        while burst
            .front()
            .is_some_and(|first| now.saturating_sub(*first) >= BURST_MS)
        {
            burst.pop_front();
        }
        if burst.len() >= BURST {
            return;
        }
        burst.push_back(now);
        if let Some(open) = self.open.get_mut(key) {
            messages.push(message(&self.rules[at], kind, std::slice::from_ref(key), open));
            told(open, kind, now);
        }
    }

    fn tick(&mut self, now: Ms, messages: &mut Vec<Message>) {
        for at in 0..self.rules.len() {
            let rule = self.rules[at].clone();
            let of_rule = |key: &Key| key.0 == rule.name;
            let burst = self.bursts.entry(rule.name.clone()).or_default();
            let calm = burst
                .front()
                .is_none_or(|first| now.saturating_sub(*first) >= BURST_MS);
            let (mut new, mut over) = (Vec::new(), Vec::new());
            for (key, open) in self.open.iter_mut().filter(|(key, _)| of_rule(key)) {
                if open.recovered.is_some() {
                    if open.good_news {
                        over.push(key.clone());
                    }
                } else if open.told.is_none() {
                    new.push(key.clone());
                } else if open.untold > 0 && now >= open.due(rule.every) {
                    messages.push(message(&rule, Kind::Digest, std::slice::from_ref(key), open));
                    told(open, Kind::Digest, now);
                    self.changed.insert(key.clone());
                }
                let lasted = rule
                    .escalate
                    .is_some_and(|after| now.saturating_sub(open.since) >= after);
                if open.recovered.is_none() && lasted && !open.escalated && open.told.is_some() {
                    messages.push(message(&rule, Kind::Escalated, std::slice::from_ref(key), open));
                    told(open, Kind::Escalated, now);
                    self.changed.insert(key.clone());
                }
            }
            for (kind, keys) in [(Kind::Problem, new), (Kind::Recovered, over)] {
                if keys.is_empty() || !calm {
                    continue;
                }
                if let Some(first) = keys.first().and_then(|key| self.open.get(key)) {
                    messages.push(message(&rule, kind, &keys, first));
                }
                for key in keys {
                    if let Some(open) = self.open.get_mut(&key) {
                        told(open, kind, now);
                    }
                    self.changed.insert(key);
                }
            }
            let quiet =
                |open: &Open| open.recovered.is_some() && !open.good_news && now >= open.due(rule.every);
            let gone: Vec<Key> = self
                .open
                .iter()
                .filter(|(key, open)| of_rule(key) && quiet(open))
                .map(|(key, _)| key.clone())
                .collect();
            for key in gone {
                self.open.remove(&key);
                self.changed.insert(key);
            }
        }
    }
}

/// Notes that a cause was told.
fn told(open: &mut Open, kind: Kind, now: Ms) {
    open.told = Some(now);
    open.untold = 0;
    match kind {
        Kind::Problem => {}
        Kind::Digest => open.digests += 1,
        Kind::Escalated => open.escalated = true,
        Kind::Recovered => {
            open.good_news = false;
            open.digests = 0;
            open.escalated = false;
        }
    }
}

fn message(rule: &Rule, kind: Kind, keys: &[Key], open: &Open) -> Message {
    Message {
        rule: rule.clone(),
        kind,
        subjects: keys
            .iter()
            .take(NAMED)
            .map(|(_, subject)| subject.clone())
            .collect(),
        of: keys.len(),
        since: open.since,
        seen: open.seen,
        facts: open.facts.clone(),
    }
}

/// Whether a rule is about a scheme or connection: by its name, or by the beginning of it before a `*`.
fn is_about(rule: &Rule, subject: &str) -> bool {
    let named = |pattern: &String| match pattern.strip_suffix('*') {
        Some(start) => subject.starts_with(start),
        None => subject == pattern,
    };
    rule.only.is_empty() || rule.only.iter().any(named)
}

#[cfg(test)]
#[path = "tests/watch.rs"]
mod tests;
