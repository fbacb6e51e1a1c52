//! A message about one cause or several, not yet in words.

use flow::ids::Ms;

use super::cause::{Key, Open};
use super::rule::Rule;
use super::sight::Said;

/// Names in one message.
pub(crate) const NAMED: usize = 10;

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
    /// How often it was seen: of several causes, all sights together.
    pub seen: u64,
    /// The facts of the newest sight: of several causes the counts together, and the words about the first.
    pub facts: Facts,
    /// Of several causes, how much each of those named is about.
    pub parts: Vec<(String, u64)>,
}

impl Message {
    /// About causes of one rule, in this order. There is at least one.
    pub(super) fn about(rule: &Rule, kind: Kind, causes: &[(&Key, &Open)]) -> Option<Self> {
        let (_, first) = causes.first()?;
        let counts = || causes.iter().filter_map(|(_, open)| open.facts.count);
        // Room on a disk is no sum; it is about the one machine.
        let count = counts().next().map(|_| counts().fold(0, u64::saturating_add));
        let named = causes.iter().take(NAMED);
        let part = |(key, open): &(&Key, &Open)| (key.1.clone(), open.facts.count.unwrap_or(open.seen));
        let is_sum = causes.len() > 1;
        Some(Message {
            rule: rule.clone(),
            kind,
            subjects: named.clone().map(|(key, _)| key.1.clone()).collect(),
            of: causes.len(),
            since: causes.iter().map(|(_, open)| open.since).min()?,
            seen: causes
                .iter()
                .fold(0, |seen, (_, open)| open.seen.saturating_add(seen)),
            facts: Facts {
                count,
                ..first.facts.clone()
            },
            parts: if is_sum {
                named.map(part).collect()
            } else {
                Vec::new()
            },
        })
    }
}
