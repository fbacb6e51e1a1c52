//! What a send means for each of its rows. The whole protocol hangs on [`fate`]: it is total over its enums, has no
//! wildcard arm, and nothing that may have been executed leads to "send again".

/// How far a send came, and what its answer was as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// Proof that no byte of the request was handed over: name not found, refused, connect time-out, TLS failure.
    NotSent,
    /// No byte went out, and the target had no part in that: the call could not be built, or may not be made now (hours,
    /// calls a day). It says nothing about whether the target is there.
    Withheld,
    /// Bytes went out and no whole answer came back: time-out, reset, truncated, cancelled.
    Lost,
    /// A whole answer, classed by the connector's outcome table.
    Answered(Class),
}

/// The connector's classes (FORMAT 7), and the one for "no row of the table matched".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Every record of the call was accepted.
    Ok,
    /// Judged row by row.
    Rows,
    /// The data was refused.
    Rejected,
    /// Session or token lost. `replay_write` = the vendor refuses before it executes, so a write may be repeated.
    Auth {
        /// See above.
        replay_write: bool,
    },
    /// Too many calls; nothing was executed.
    Throttled,
    /// Busy; nothing was executed.
    Transient,
    /// The quota is used up; nothing was executed.
    QuotaStop,
    /// Credentials or configuration refused; nothing was executed.
    ConfigError,
    /// A fault at the vendor's: nothing is known.
    Fault,
    /// The answer is in no row of the table: nothing is known.
    NoMatch,
}

/// What the answer says about one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Named as accepted.
    Accepted,
    /// Named as refused.
    Rejected,
    /// Refused because a document with this key is already there.
    Exists,
    /// Named as accepted and as refused: the document is written, and what the target should have done with it in the
    /// same call (submit it, audit it) is not.
    Half,
    /// Not named.
    Absent,
}

/// What happens to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Done.
    Done,
    /// Written, and the next step is to be made by a call of its own.
    GoOn,
    /// Dead, with the vendor's words.
    Dead,
    /// Proven not executed: waits and is sent again.
    Again,
    /// Proven not executed, and the connection stops: waits for a person to mend it.
    Stop,
    /// The call was refused as a whole: halve it, and the poison is found. A single row is dead.
    Halve,
    /// May be executed or already there; the target has answered, so it is asked at once.
    AskNow,
    /// May be executed, perhaps later: the target is asked after the quiet period.
    AskLater,
}

/// Classifies one row of a send.
pub fn fate(delivery: Delivery, verdict: Verdict) -> Fate {
    match delivery {
        Delivery::NotSent => Fate::Again,
        Delivery::Withheld => Fate::Stop,
        Delivery::Lost => Fate::AskLater,
        Delivery::Answered(class) => match class {
            Class::Ok | Class::Rows => match verdict {
                Verdict::Accepted => Fate::Done,
                Verdict::Rejected => Fate::Dead,
                Verdict::Exists => Fate::AskNow,
                Verdict::Half => Fate::GoOn,
                Verdict::Absent => Fate::AskLater,
            },
            Class::Rejected => match verdict {
                Verdict::Accepted => Fate::Done,
                Verdict::Rejected => Fate::Dead,
                Verdict::Exists => Fate::AskNow,
                Verdict::Half => Fate::GoOn,
                Verdict::Absent => Fate::Halve,
            },
            // A session error may come with an error list that names rows: it says nothing about them.
            Class::Auth { replay_write: true } => Fate::Again,
            Class::Auth { replay_write: false } => Fate::AskNow,
            Class::Throttled | Class::Transient => Fate::Again,
            Class::QuotaStop | Class::ConfigError => Fate::Stop,
            Class::Fault | Class::NoMatch => Fate::AskLater,
        },
    }
}

/// What resolves a lost answer at a target operation (the connector's `proof`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Proof {
    /// Sending the same again has the same effect.
    Upsert,
    /// The target drops a repeated key.
    IdempotencyKey,
    /// The target refuses a second document with the same key, and can be asked by key.
    UniqueKey,
    /// Can be asked by key.
    Query,
    /// Nothing.
    None,
}

/// The scheme's choice for a lost answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnUnknown {
    /// As the proof allows; without a proof, hold.
    ByProof,
    /// Always leave it to a person.
    Hold,
    /// Send again after the quiet period: at least once.
    Resend,
}

/// How a lost answer is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Manner {
    /// Send again after the quiet period.
    Resend,
    /// Ask by key; so many negative answers, each a quiet period apart, are proof.
    Ask {
        /// One where the target's uniqueness is the second wall, else two.
        negatives: u32,
    },
    /// A person decides.
    Hold,
}

/// How a lost answer of a create is resolved. A lost update carries the document's id: it is asked about where the
/// target can show whether it was made, and sent again otherwise, whatever stands here.
pub fn manner(proof: Proof, on_unknown: OnUnknown) -> Manner {
    match (on_unknown, proof) {
        (OnUnknown::Hold, _) => Manner::Hold,
        (OnUnknown::Resend, _) => Manner::Resend,
        (OnUnknown::ByProof, Proof::Upsert | Proof::IdempotencyKey) => Manner::Resend,
        (OnUnknown::ByProof, Proof::UniqueKey) => Manner::Ask { negatives: 1 },
        (OnUnknown::ByProof, Proof::Query) => Manner::Ask { negatives: 2 },
        (OnUnknown::ByProof, Proof::None) => Manner::Hold,
    }
}
