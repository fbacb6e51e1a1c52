//! What keeps a run from being all right though nothing stopped it.

use crate::op::Reason;

/// Whether there was any in a run, and the first reason that was given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trouble {
    any: bool,
    reason: Option<Reason>,
}

impl Trouble {
    pub(crate) fn note(&mut self, reason: &Reason) {
        self.any = true;
        self.reason.get_or_insert_with(|| reason.clone());
    }

    /// Its reason is told elsewhere: by the record, or by what came before.
    pub(crate) fn unnamed(&mut self) {
        self.any = true;
    }

    pub(crate) fn and(&mut self, other: &Trouble) {
        self.any |= other.any;
        if self.reason.is_none() {
            self.reason.clone_from(&other.reason);
        }
    }

    pub(crate) fn is_any(&self) -> bool {
        self.any
    }

    pub(crate) fn reason(&self) -> Option<&Reason> {
        self.reason.as_ref()
    }
}
