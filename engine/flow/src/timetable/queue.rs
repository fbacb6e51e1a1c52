//! Who is next: what is due and may start, and the places there are.
//!
//! Order: priority first, but every [`AGE`] of waiting counts as much as one step of it, so nobody waits for ever; then
//! whoever was served longest ago; then whoever waits longest. What finds a credential of it full is parked there and
//! costs nothing until a place is free, so each event costs O(log n); only one that frees a place may look at everything
//! parked there, where all of it waits for another credential, too.

use std::collections::{BTreeMap, BTreeSet};

use super::event::Half;
use crate::ids::Ms;

/// How long a wait counts as much as one step of priority.
pub const AGE: Ms = 5 * 60_000;

/// How many runs may be under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// In all: each has a few buffers, a page and a batch in memory.
    pub runs: u32,
    /// With one credential: its calls share one rate limit, so more of them only wait inside their runs.
    pub per_credential: u32,
}

impl Default for Places {
    fn default() -> Self {
        Places {
            runs: 16,
            per_credential: 4,
        }
    }
}

/// Where a half of a scheme stands in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct At {
    pub(super) entry: usize,
    pub(super) half: Half,
}

/// The order of those who wait; the smallest is next. It does not change while it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    score: i64,
    served: Ms,
    since: Ms,
    pub(super) at: At,
}

impl Key {
    /// `served` is when the scheme last began a run.
    pub(super) fn new(at: At, priority: u8, served: Option<Ms>, since: Ms, by_hand: bool) -> Key {
        // A person who waits is before everything that a clock asked for.
        const BY_HAND: i64 = 1_000_000;
        let ahead = i64::from(priority) + if by_hand { BY_HAND } else { 0 };
        Key {
            score: since.div_euclid(AGE) - ahead,
            served: served.unwrap_or(Ms::MIN),
            since,
            at,
        }
    }

    pub(super) fn since(&self) -> Ms {
        self.since
    }
}

/// A credential, by number.
pub(super) type Credential = usize;

#[derive(Debug, Default)]
pub(super) struct Queue {
    places: Places,
    numbers: BTreeMap<String, Credential>,
    /// Runs with each credential.
    used: Vec<u32>,
    /// Those with one place.
    single: BTreeSet<Credential>,
    parked: Vec<BTreeSet<Key>>,
    ready: BTreeSet<Key>,
    runs: u32,
}

impl Queue {
    pub(super) fn new(places: Places) -> Queue {
        Queue {
            places,
            ..Queue::default()
        }
    }

    /// `alone` is one more, with a single place.
    pub(super) fn numbers(&mut self, names: &[String], alone: Option<&str>) -> Vec<Credential> {
        let mut found: Vec<Credential> = names.iter().map(|name| self.number(name)).collect();
        if let Some(name) = alone {
            // No credential is called so.
            let number = self.number(&format!("\0{name}"));
            self.single.insert(number);
            found.push(number);
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn number(&mut self, name: &str) -> Credential {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.used.len();
        self.numbers.insert(name.to_owned(), number);
        self.used.push(0);
        self.parked.push(BTreeSet::new());
        number
    }

    pub(super) fn push(&mut self, key: Key) {
        self.ready.insert(key);
    }

    pub(super) fn remove(&mut self, key: Key, credentials: &[Credential]) {
        if self.ready.remove(&key) {
            // It may have been pulled for a place that nobody else would look at now.
            self.pull(credentials);
        } else {
            for credential in credentials {
                self.parked[*credential].remove(&key);
            }
        }
    }

    /// The next one, whose places are taken now; `None` when nobody can begin.
    pub(super) fn pop<'e>(&mut self, of: impl Fn(At) -> &'e [Credential]) -> Option<Key> {
        while self.runs < self.places.runs {
            let key = self.ready.pop_first()?;
            let credentials = of(key.at);
            match credentials.iter().find(|credential| self.is_full(**credential)) {
                Some(full) => {
                    self.parked[*full].insert(key);
                    self.pull(credentials);
                }
                None => {
                    self.runs += 1;
                    for credential in credentials {
                        self.used[*credential] += 1;
                    }
                    self.pull(credentials);
                    return Some(key);
                }
            }
        }
        None
    }

    /// A run with these credentials is over.
    pub(super) fn release(&mut self, credentials: &[Credential]) {
        self.runs = self.runs.saturating_sub(1);
        for credential in credentials {
            self.used[*credential] = self.used[*credential].saturating_sub(1);
        }
        self.pull(credentials);
    }

    /// Takes the first of those parked at each credential that has room: it may begin, or park where there is none, which
    /// pulls the next. Each of them moves at most once for a place: a full credential is not pulled from.
    fn pull(&mut self, credentials: &[Credential]) {
        for credential in credentials {
            if !self.is_full(*credential) {
                let first = self.parked[*credential].pop_first();
                self.ready.extend(first);
            }
        }
    }

    fn is_full(&self, credential: Credential) -> bool {
        let places = match self.single.contains(&credential) {
            true => 1,
            false => self.places.per_credential,
        };
        self.used[credential] >= places
    }

    pub(super) fn waiting(&self) -> usize {
        self.ready.len() + self.parked.iter().map(BTreeSet::len).sum::<usize>()
    }

    pub(super) fn runs(&self) -> u32 {
        self.runs
    }
}
