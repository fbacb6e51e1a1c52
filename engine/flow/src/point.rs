//! The instants between two effects: before and after every kind of transaction, and before and after every kind of
//! call. Whatever a process was about to do, it can only die, or be held up, at one of them.
//!
//! The list is complete by construction: a new [`LedgerOp`] or [`Action`] does not compile until [`Point::of_op`] or
//! [`Point::of_action`] names its point, and a trial that reaches a point in none of its runs fails.

use crate::event::{Action, Purpose};
use crate::op::{Cursor, LedgerOp, WriteAction};

/// On which side of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// It was prepared and has not happened: the transaction is not committed, the first byte has not gone out.
    Before,
    /// It has happened and nobody has been told.
    After,
}

impl Side {
    /// Both.
    pub const ALL: [Side; 2] = [Side::Before, Side::After];

    /// The word in settings and figures.
    pub fn word(self) -> &'static str {
        match self {
            Side::Before => "before",
            Side::After => "after",
        }
    }

    /// The side of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|side| side.word() == word)
    }
}

/// The enum, its list and its words, written once.
macro_rules! points {
    ($($point:ident $word:literal)*) => {
        /// An effect.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Point {
            $(#[doc = concat!("`", $word, "`")] $point,)*
        }

        impl Point {
            /// All of them.
            pub const ALL: &[Point] = &[$(Point::$point),*];

            /// The word in settings and figures.
            pub fn word(self) -> &'static str {
                match self {
                    $(Point::$point => $word,)*
                }
            }
        }
    };
}

points! {
    BeginRun "begin_run"
    OpenWindow "open_window"
    StagePage "stage_page"
    CloseWindow "close_window"
    EndWindow "end_window"
    Pick "pick"
    PickLoose "pick_loose"
    Freeze "freeze"
    Refuse "refuse"
    Adopt "adopt"
    Claim "claim"
    NoteTask "note_task"
    PickTasks "pick_tasks"
    Settle "settle"
    Save "save"
    PickUnknown "pick_unknown"
    Resolve "resolve"
    EndRun "end_run"
    CountStates "count_states"
    ReadCircuit "read_circuit"
    SetCircuit "set_circuit"
    Audit "audit"
    Suspect "suspect"
    Identify "identify"
    Forget "forget"
    Cover "cover"
    ReadVersions "read_versions"
    NoteVersions "note_versions"
    StorePush "store_push"
    MovePlace "move_place"
    CountPushes "count_pushes"
    TakePushes "take_pushes"
    Decide "decide"
    Page "call_page"
    Inbox "read_inbox"
    Find "call_find"
    Ask "call_ask"
    Create "call_create"
    Update "call_update"
    Void "call_void"
    Step "call_step"
    Task "call_task"
}

impl Point {
    /// The point of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|point| point.word() == word)
    }

    /// The transaction that a piece of ledger work belongs to.
    pub fn of_op(op: &LedgerOp) -> Self {
        match op {
            LedgerOp::BeginRun { .. } => Point::BeginRun,
            LedgerOp::OpenWindow { .. } => Point::OpenWindow,
            LedgerOp::StagePage { close: None, .. } => Point::StagePage,
            LedgerOp::StagePage { close: Some(_), .. } => Point::CloseWindow,
            LedgerOp::EndWindow { .. } => Point::EndWindow,
            LedgerOp::Pick { .. } => Point::Pick,
            LedgerOp::PickLoose { .. } => Point::PickLoose,
            LedgerOp::Freeze { .. } => Point::Freeze,
            LedgerOp::Refuse { .. } => Point::Refuse,
            LedgerOp::Adopt { .. } => Point::Adopt,
            LedgerOp::Claim { .. } => Point::Claim,
            LedgerOp::NoteTask { .. } => Point::NoteTask,
            LedgerOp::PickTasks { .. } => Point::PickTasks,
            LedgerOp::Settle { .. } => Point::Settle,
            LedgerOp::Save { .. } => Point::Save,
            LedgerOp::PickUnknown { .. } => Point::PickUnknown,
            LedgerOp::Resolve { .. } => Point::Resolve,
            LedgerOp::EndRun { .. } => Point::EndRun,
            LedgerOp::CountStates { .. } => Point::CountStates,
            LedgerOp::ReadCircuit { .. } => Point::ReadCircuit,
            LedgerOp::SetCircuit { .. } => Point::SetCircuit,
            LedgerOp::Audit { .. } => Point::Audit,
            LedgerOp::Suspect { .. } => Point::Suspect,
            LedgerOp::Identify { .. } => Point::Identify,
            LedgerOp::Forget { .. } => Point::Forget,
            LedgerOp::Cover { .. } => Point::Cover,
            LedgerOp::ReadVersions { .. } => Point::ReadVersions,
            LedgerOp::NoteVersions { .. } => Point::NoteVersions,
            LedgerOp::StorePush { .. } => Point::StorePush,
            LedgerOp::MovePlace { .. } => Point::MovePlace,
            LedgerOp::CountPushes { .. } => Point::CountPushes,
            LedgerOp::TakePushes { .. } => Point::TakePushes,
            LedgerOp::Decide { .. } => Point::Decide,
        }
    }

    /// The call that an action is; `None` for one that calls nobody.
    pub fn of_action(action: &Action) -> Option<Self> {
        match action {
            Action::Fetch {
                cursor: Cursor::Inbox,
                ..
            } => Some(Point::Inbox),
            Action::Fetch { .. } => Some(Point::Page),
            Action::Ask { purpose, .. } => Some(match purpose {
                Purpose::Find => Point::Find,
                Purpose::Resolve => Point::Ask,
            }),
            Action::Send { action, .. } => Some(match action {
                WriteAction::Create => Point::Create,
                WriteAction::Update => Point::Update,
                WriteAction::Void => Point::Void,
                WriteAction::Step => Point::Step,
            }),
            Action::Await { .. } => Some(Point::Task),
            // Its transactions are points of their own, by what is in them.
            Action::Ledger(_)
            | Action::Transform(_)
            | Action::Group(_)
            | Action::ReadPartner
            | Action::Sleep { .. }
            | Action::Note(_)
            | Action::Finish(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_names_one_point() {
        for (nth, point) in Point::ALL.iter().enumerate() {
            assert_eq!(Point::from_word(point.word()), Some(*point));
            assert!(Point::ALL[..nth].iter().all(|other| other.word() != point.word()));
        }
        for side in Side::ALL {
            assert_eq!(Side::from_word(side.word()), Some(side));
        }
        assert_eq!(Point::from_word("moon"), None);
    }
}
