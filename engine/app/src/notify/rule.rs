//! A rule of `notify.yaml`: what it looks for, when that is told, and to whom.

use flow::ids::Ms;

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

impl Rule {
    /// Whether it is about a scheme or connection: by its name, or by the beginning of it before a `*`.
    pub(super) fn is_about(&self, subject: &str) -> bool {
        let named = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => subject.starts_with(start),
            None => subject == pattern,
        };
        self.only.is_empty() || self.only.iter().any(named)
    }
}
