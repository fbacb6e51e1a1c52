//! What a [`super::watch::Watch`] is told: what happened, and how everything stands.

use flow::ids::Ms;

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

/// The credentials of a connection, as far as this process knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The connection.
    pub connection: String,
    /// When they end, as the connections file says.
    pub until: Option<Ms>,
    /// What the other system made of them when they were last used; `None` = nobody used them yet.
    pub accepted: Option<Result<(), Said>>,
}

/// How a scheme stands by its last run and its pause: what events tell, for somebody who missed them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stands {
    /// The scheme.
    pub scheme: String,
    /// When its last run ended; `None` = none has.
    pub ended: Option<Ms>,
    /// Why that run failed; `None` = it did not.
    pub failed: Option<Option<Said>>,
    /// Why it is paused; `None` = it is not.
    pub paused: Option<String>,
}

/// How everything stands.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Every scheme.
    pub schemes: Vec<Standing>,
    /// Targets that cannot be reached, each until when it is left alone.
    pub circuits: Vec<String>,
    /// The credentials of every connection that schemes use.
    pub credentials: Vec<Credentials>,
    /// Free bytes of the disk and the least there should be, when there is less; `None` = there is enough.
    pub disk: Option<(u64, u64)>,
}
