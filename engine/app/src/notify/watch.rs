//! What is told, and when: a pure state machine. Events and the state of the schemes go in, messages come out.
//!
//! A cause is a rule and what it is about: one scheme, one connection, the machine. Which of them there are is decided
//! here, when each is told in `causes`. It has no clock and no names of platforms; how a message looks is `words`, how it
//! travels is `sender`.

use std::collections::BTreeSet;

use flow::ids::Ms;

use super::cause::{Key, Open};
use super::causes::Causes;
use super::message::{Facts, Message};
use super::rule::{Rule, When};
use super::sight::{Credentials, Event, Said, Standing, Stands, State};

/// The machine.
#[derive(Debug, Default)]
pub struct Watch {
    rules: Vec<Rule>,
    causes: Causes,
}

impl Watch {
    /// Watches for these rules; `open` is what was known before a restart.
    pub fn new(rules: Vec<Rule>, open: impl IntoIterator<Item = (Key, Open)>) -> Self {
        let known: BTreeSet<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
        let open = open.into_iter();
        Watch {
            causes: Causes::new(open.filter(|((rule, _), _)| known.contains(rule.as_str()))),
            rules,
        }
    }

    /// Something happened.
    pub fn tell(&mut self, event: &Event, now: Ms) -> Vec<Message> {
        let mut messages = Vec::new();
        match event {
            Event::RunEnded { scheme, failed, said } => {
                let facts = failed.then(|| said_of(said.clone()));
                self.each(When::Failed, scheme, now, &mut messages, |_| {
                    (facts.clone(), Counts::EverySight)
                });
            }
            Event::Paused { scheme, reason } => {
                self.state(When::Paused, scheme, now, &mut messages, |_| Some(paused(reason)));
            }
            Event::Resumed { scheme } => {
                self.state(When::Paused, scheme, now, &mut messages, |_| None);
            }
        }
        messages
    }

    /// How the schemes stand, for somebody who may have missed events: what is wrong and was not told is told, and what
    /// was told and is over ends. What was told already is not counted again.
    pub fn asked(&mut self, all: &[Stands], now: Ms) -> Vec<Message> {
        let mut messages = Vec::new();
        for one in all {
            let scheme = &one.scheme;
            self.state(When::Paused, scheme, now, &mut messages, |_| {
                one.paused.as_deref().map(paused)
            });
            match &one.failed {
                Some(said) => self.state(When::Failed, scheme, now, &mut messages, |_| {
                    Some(said_of(said.clone()))
                }),
                // A run that could not even begin is in no ledger: one that ended well before does not end that.
                None => self.ended_since(scheme, one.ended, now, &mut messages),
            }
        }
        let there: BTreeSet<&str> = all.iter().map(|one| one.scheme.as_str()).collect();
        self.without(&[When::Failed, When::Paused], &there, now, &mut messages);
        messages
    }

    /// How everything stands by now. Gives what is due as well: digests, calls by name, sums.
    pub fn look(&mut self, state: &State, now: Ms) -> Vec<Message> {
        let mut messages = Vec::new();
        for one in &state.schemes {
            self.scheme(one, now, &mut messages);
        }
        for one in &state.credentials {
            self.credentials(one, now, &mut messages);
        }
        for target in &state.circuits {
            self.state(When::Circuit, target, now, &mut messages, |_| {
                Some(Facts::default())
            });
        }
        // What is gone has no problems any more.
        let there: BTreeSet<&str> = state.schemes.iter().map(|one| one.scheme.as_str()).collect();
        let of_schemes = [When::Dead, When::Held, When::Unknown, When::NoSuccess];
        self.without(&of_schemes, &there, now, &mut messages);
        let there = state.circuits.iter().map(String::as_str).collect();
        self.without(&[When::Circuit], &there, now, &mut messages);
        let there = state
            .credentials
            .iter()
            .map(|one| one.connection.as_str())
            .collect();
        self.without(&[When::Credentials], &there, now, &mut messages);
        self.state(When::Disk, "", now, &mut messages, |_| {
            state.disk.map(|(free, _)| counted(free))
        });
        for rule in &self.rules {
            messages.extend(self.causes.due(rule, now));
        }
        messages
    }

    /// What changed since this was last asked: causes to be kept, and causes to be forgotten.
    pub fn changes(&mut self) -> (Vec<(Key, Open)>, Vec<Key>) {
        self.causes.changes()
    }

    /// What is told to a channel and not over: rule and subject.
    pub fn open_at(&self, channel: &str) -> Vec<Key> {
        let of_channel: BTreeSet<&str> = self
            .rules
            .iter()
            .filter(|rule| rule.channels.iter().any(|name| name == channel))
            .map(|rule| rule.name.as_str())
            .collect();
        let open = self.causes.lasting();
        open.filter(|((rule, _), _)| of_channel.contains(rule.as_str()))
            .map(|(key, _)| key.clone())
            .collect()
    }

    fn scheme(&mut self, one: &Standing, now: Ms, messages: &mut Vec<Message>) {
        let name = &one.scheme;
        let many = |n: u64, rule: &Rule| (n > rule.above).then(|| counted(n));
        self.state(When::Dead, name, now, messages, |rule| many(one.dead, rule));
        self.state(When::Held, name, now, messages, |rule| many(one.held, rule));
        self.state(When::Unknown, name, now, messages, |rule| {
            let since = one
                .unknown_since
                .filter(|since| now.saturating_sub(*since) > rule.lasting)?;
            Some(Facts {
                at: Some(since),
                ..counted(one.unknown)
            })
        });
        self.state(When::NoSuccess, name, now, messages, |rule| {
            let (_, last) = one.interval.zip(one.last_success).filter(|(interval, last)| {
                now.saturating_sub(*last) > interval.saturating_mul(i64::from(rule.times))
            })?;
            Some(until(last))
        });
    }

    /// What is refused is wrong, and what ends soon. Credentials that nobody has used since the start are neither good
    /// nor bad: only their end is known.
    fn credentials(&mut self, one: &Credentials, now: Ms, messages: &mut Vec<Message>) {
        let refused = match &one.accepted {
            Some(Err(said)) => Some(said_of(Some(said.clone()))),
            _ => None,
        };
        let is_known = one.accepted.is_some();
        let wrong = |rule: &Rule| {
            let near = one
                .until
                .filter(|until| until.saturating_sub(now) <= rule.lasting);
            refused.clone().or_else(|| near.map(until))
        };
        let about = |rule: &&Rule| rule.when == When::Credentials && rule.is_about(&one.connection);
        for rule in self.rules.iter().filter(about) {
            let key = (rule.name.clone(), one.connection.clone());
            let told = match wrong(rule) {
                Some(facts) => self.causes.wrong(rule, key, facts, false, now),
                None if is_known => self.causes.right(rule, &key, now),
                None => None,
            };
            messages.extend(told);
        }
    }

    fn ended_since(&mut self, scheme: &str, ended: Option<Ms>, now: Ms, messages: &mut Vec<Message>) {
        for rule in self.rules.iter().filter(|rule| rule.when == When::Failed) {
            let key = (rule.name.clone(), scheme.to_owned());
            let known = self.causes.get(&key);
            if known.is_some_and(|open| ended.is_some_and(|ended| ended >= open.since)) {
                messages.extend(self.causes.right(rule, &key, now));
            }
        }
    }

    /// Causes of these kinds about what is not there any more are over.
    fn without(&mut self, kinds: &[When], there: &BTreeSet<&str>, now: Ms, messages: &mut Vec<Message>) {
        for rule in self.rules.iter().filter(|rule| kinds.contains(&rule.when)) {
            let gone: Vec<Key> = self
                .causes
                .lasting()
                .filter(|((name, subject), _)| *name == rule.name && !there.contains(subject.as_str()))
                .map(|(key, _)| key.clone())
                .collect();
            for key in gone {
                messages.extend(self.causes.right(rule, &key, now));
            }
        }
    }

    /// Every rule of a kind that is about this subject, over how it stands: what is wrong, if anything.
    fn state(
        &mut self,
        when: When,
        subject: &str,
        now: Ms,
        messages: &mut Vec<Message>,
        facts: impl Fn(&Rule) -> Option<Facts>,
    ) {
        self.each(when, subject, now, messages, |rule| (facts(rule), Counts::Growth));
    }

    fn each(
        &mut self,
        when: When,
        subject: &str,
        now: Ms,
        messages: &mut Vec<Message>,
        facts: impl Fn(&Rule) -> (Option<Facts>, Counts),
    ) {
        let about = |rule: &&Rule| rule.when == when && rule.is_about(subject);
        for rule in self.rules.iter().filter(about) {
            let key = (rule.name.clone(), subject.to_owned());
            let (facts, counts) = facts(rule);
            let told = match facts {
                Some(facts) => {
                    let is_event = counts == Counts::EverySight;
                    self.causes.wrong(rule, key, facts, is_event, now)
                }
                None => self.causes.right(rule, &key, now),
            };
            messages.extend(told);
        }
    }
}

/// What of a cause is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counts {
    /// An event: each one.
    EverySight,
    /// How it stands: that it has become more.
    Growth,
}

fn said_of(said: Option<Said>) -> Facts {
    Facts {
        said,
        ..Facts::default()
    }
}

fn paused(reason: &str) -> Facts {
    said_of(Some(Said {
        code: String::new(),
        sentence: reason.to_owned(),
        of_record: false,
    }))
}

fn counted(count: u64) -> Facts {
    Facts {
        count: Some(count),
        ..Facts::default()
    }
}

fn until(at: Ms) -> Facts {
    Facts {
        at: Some(at),
        ..Facts::default()
    }
}

#[cfg(test)]
#[path = "tests/watch.rs"]
mod tests;
