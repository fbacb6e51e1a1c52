//! What a person may decide about a record, and from which states.
//!
//! The one promise behind all of them: no decision leads a record that may have been executed to a second send, unless
//! the target was asked in between or the person says that the document is not there. The ledger keeps it by itself,
//! whatever a command asks for: see [`LedgerOp::Decide`](crate::op::LedgerOp::Decide).

use crate::ids::{AttemptId, RecordId};
use crate::op::RecordState;

/// A decision about one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// This version is not to be written. A later version of the row is; it is asked about first if this one may have
    /// been executed.
    Skip,
    /// Nothing is done with it until a person says so.
    Hold,
    /// Its document is there, under this id.
    DoneAs {
        /// Internal id at the target.
        id: String,
        /// Number at the target.
        number: Option<String>,
    },
    /// The person has looked: its document is not there. It is written again, but not before the quiet period of a lost
    /// answer has passed.
    NotThere,
    /// Processed again; asked about first if an earlier attempt may have been executed.
    Retry(Content),
}

/// What a retry sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// What the scheme of that day makes of the row.
    Latest,
    /// The document of an earlier attempt, as it was stored.
    AsStored(AttemptId),
}

impl Decision {
    /// The word for it in commands and in notes.
    pub fn word(&self) -> &'static str {
        match self {
            Decision::Skip => "skip",
            Decision::Hold => "hold",
            Decision::DoneAs { .. } | Decision::NotThere => "resolve",
            Decision::Retry(_) => "retry",
        }
    }

    /// Whether it may be taken about a record in this state.
    pub fn fits(&self, state: RecordState) -> bool {
        use RecordState::{Dead, Held, Pending, Unknown};
        match self {
            Decision::Skip => matches!(state, Pending | Dead | Held),
            Decision::Hold => matches!(state, Pending | Unknown),
            Decision::DoneAs { .. } => matches!(state, Unknown | Held | Dead),
            Decision::NotThere => matches!(state, Unknown | Held | Dead),
            Decision::Retry(_) => matches!(state, Dead | Held),
        }
    }
}

/// The words of the decisions that may be taken about a record in this state, in the order they are shown.
pub fn possible(state: RecordState) -> Vec<&'static str> {
    let all = [
        Decision::Retry(Content::Latest),
        Decision::Skip,
        Decision::Hold,
        Decision::NotThere,
    ];
    let fits = all.iter().filter(|decision| decision.fits(state));
    fits.map(Decision::word).collect()
}

/// A decision about a record as the person saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The record.
    pub record: RecordId,
    /// The state it was seen in; another one in the ledger refuses the decision.
    pub state: RecordState,
    /// The version it was seen in; likewise.
    pub version: String,
    /// The last call that it was seen with; likewise, so that what a person has seen is never said of a later call.
    pub attempt: Option<AttemptId>,
    /// What is decided.
    pub decision: Decision,
}

/// What became of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// Carried out; the record is in this state now.
    Moved(RecordState),
    /// The record is not as it was seen: nothing was done.
    Changed {
        /// Its state now.
        state: RecordState,
    },
    /// This decision may not be taken in this state.
    Unfit {
        /// Its state.
        state: RecordState,
    },
    /// Another record has the document with that id.
    Taken {
        /// Scheme and key of the record that has it.
        holder: String,
    },
    /// It is a row of this document, which may have been written: the document is what can be decided about.
    Member {
        /// Its number.
        document: String,
    },
    /// Its row has no usable key, so nothing of it can ever be written.
    Keyless,
    /// The stored document is not there any more.
    NothingStored,
}
