//! When a cause is told.
//!
//! The first sight of it is told at once. What follows is counted and told together: ten minutes later at the earliest,
//! then after twice as long each time, up to four hours, so that a night of failures is a handful of messages. When it is
//! over, one message says so. What of one rule is due at one look is one message, with the counts of all it is about:
//! when a target goes down, a hundred schemes fail, and go on failing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use flow::ids::Ms;

use super::cause::{Key, Open};
use super::message::{Facts, Kind, Message};
use super::rule::Rule;

/// Messages of one rule within [`BURST_MS`] that are told one by one; what comes beyond is told together.
pub(super) const BURST: usize = 5;
const BURST_MS: Ms = 60_000;
/// Causes that are remembered at once: as many as a process has schemes. Beyond, the newest are told in sums only.
const CAUSES_MAX: usize = 20_000;

/// The causes that are known, and what changed of them.
#[derive(Debug, Default)]
pub(super) struct Causes {
    open: BTreeMap<Key, Open>,
    changed: BTreeSet<Key>,
    /// When messages of a rule were made, of late.
    bursts: BTreeMap<String, VecDeque<Ms>>,
}

impl Causes {
    /// With what was known before a restart.
    pub(super) fn new(open: impl IntoIterator<Item = (Key, Open)>) -> Self {
        Causes {
            open: open.into_iter().collect(),
            ..Causes::default()
        }
    }

    /// Those that are not over, by rule and subject.
    pub(super) fn lasting(&self) -> impl Iterator<Item = (&Key, &Open)> {
        self.open.iter().filter(|(_, open)| open.recovered.is_none())
    }

    /// One of them, over or not.
    pub(super) fn get(&self, key: &Key) -> Option<&Open> {
        self.open.get(key)
    }

    /// How many are known.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// What changed since this was last asked: causes to be kept, and causes to be forgotten.
    pub(super) fn changes(&mut self) -> (Vec<(Key, Open)>, Vec<Key>) {
        let (mut kept, mut forgotten) = (Vec::new(), Vec::new());
        for key in std::mem::take(&mut self.changed) {
            match self.open.get(&key) {
                Some(open) => kept.push((key, open.clone())),
                None => forgotten.push(key),
            }
        }
        (kept, forgotten)
    }

    /// It is wrong: by an event, each of which counts, or by how it stands, of which only growth does.
    pub(super) fn wrong(
        &mut self,
        rule: &Rule,
        key: Key,
        facts: Facts,
        is_event: bool,
        now: Ms,
    ) -> Option<Message> {
        // Over and past its pause: what comes now is another one.
        if self
            .open
            .get(&key)
            .is_some_and(|open| open.is_past(rule.every, now))
        {
            self.open.remove(&key);
        }
        let full = self.open.len() >= CAUSES_MAX;
        let Some(open) = self.open.get_mut(&key) else {
            if full {
                return None;
            }
            let one = Open {
                since: now,
                seen: 1,
                untold: 1,
                facts,
                ..Open::default()
            };
            self.open.insert(key.clone(), one);
            return self.by_itself(rule, &key, Kind::Problem, now);
        };
        if open.recovered.take().is_some() {
            // Back within the pause: it is told when the pause is over, as what it is.
            open.since = now;
            open.good_news = false;
            open.seen += 1;
            open.untold += 1;
            open.facts = facts;
            self.changed.insert(key);
            return None;
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
        None
    }

    /// It is right, or right again.
    pub(super) fn right(&mut self, rule: &Rule, key: &Key, now: Ms) -> Option<Message> {
        let open = self.open.get_mut(key).filter(|open| open.recovered.is_none())?;
        self.changed.insert(key.clone());
        open.recovered = Some(now);
        // Whoever was told of it is told that it is over; a relapse that nobody heard of ends in silence.
        let was_told = open.told.is_some_and(|told| told >= open.since);
        open.untold = 0;
        if was_told {
            open.good_news = true;
            return self.by_itself(rule, key, Kind::Recovered, now);
        }
        if open.told.is_none() {
            self.open.remove(key);
        }
        None
    }

    /// Tells one cause by itself, unless its rule has told many just now, or others of it wait for the sum: then it waits
    /// with them. Else those that come would put the sum off for as long as they do.
    fn by_itself(&mut self, rule: &Rule, key: &Key, kind: Kind, now: Ms) -> Option<Message> {
        self.changed.insert(key.clone());
        let burst = self.bursts.entry(key.0.clone()).or_default();
        while burst
            .front()
            .is_some_and(|first| now.saturating_sub(*first) >= BURST_MS)
        {
            burst.pop_front();
        }
        if burst.len() >= BURST || self.others_wait(key) {
            return None;
        }
        self.bursts.entry(key.0.clone()).or_default().push_back(now);
        self.together(rule, kind, vec![key.clone()], now)
    }

    /// Whether another cause of the rule waits for the sum.
    fn others_wait(&self, key: &Key) -> bool {
        let of_rule = self.open.range((key.0.clone(), String::new())..);
        of_rule
            .take_while(|((rule, _), _)| *rule == key.0)
            .any(|(other, open)| other != key && (open.told.is_none() || open.good_news))
    }

    /// Tells causes in one message, and notes that they were told.
    fn together(&mut self, rule: &Rule, kind: Kind, keys: Vec<Key>, now: Ms) -> Option<Message> {
        let causes: Vec<(&Key, &Open)> = keys
            .iter()
            .filter_map(|key| Some((key, self.open.get(key)?)))
            .collect();
        let message = Message::about(rule, kind, &causes)?;
        for key in keys {
            if let Some(open) = self.open.get_mut(&key) {
                open.was_told(kind, now);
            }
            self.changed.insert(key);
        }
        Some(message)
    }

    /// What is due of one rule: sums, digests, calls by name. Forgets what is over and past its pause.
    pub(super) fn due(&mut self, rule: &Rule, now: Ms) -> Vec<Message> {
        let calm = self
            .bursts
            .get(&rule.name)
            .and_then(VecDeque::front)
            .is_none_or(|first| now.saturating_sub(*first) >= BURST_MS);
        let (mut new, mut over, mut still, mut lasted, mut gone) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (key, open) in self.open.iter().filter(|(key, _)| key.0 == rule.name) {
            let key = key.clone();
            if open.is_past(rule.every, now) {
                gone.push(key);
            } else if open.recovered.is_some() {
                over.extend(open.good_news.then_some(key));
            } else if open.told.is_none() {
                new.push(key);
            } else {
                let is_long = rule
                    .escalate
                    .is_some_and(|after| now.saturating_sub(open.since) >= after);
                if is_long && !open.escalated {
                    lasted.push(key.clone());
                }
                if open.untold > 0 && now >= open.due(rule.every) {
                    still.push(key);
                }
            }
        }
        if !calm {
            new.clear();
            over.clear();
        }
        for key in gone {
            self.open.remove(&key);
            self.changed.insert(key);
        }
        [
            (Kind::Digest, still),
            (Kind::Escalated, lasted),
            (Kind::Problem, new),
            (Kind::Recovered, over),
        ]
        .into_iter()
        .filter_map(|(kind, keys)| self.together(rule, kind, keys, now))
        .collect()
    }
}
