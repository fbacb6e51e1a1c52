//! What is remembered of a target that cannot be reached, or that asked for a pause.
//!
//! After five calls in a row that did not come through, or that only a gateway answered, one call a minute finds out whether the target is back; all
//! records wait, and none is given up because of it. It is kept in the ledger, under the connection: the next run, and
//! every other scheme that writes there, begins with what the last one learnt.

use crate::ids::Ms;
use crate::op::LedgerOp;
use crate::settle::MAX_WAIT;

/// Calls in a row that could not reach the target, or whose answer was lost, before the run gives up: the records
/// wait, instead of all coming into doubt one call after another.
pub const MAX_UNREACHABLE: u32 = 5;
/// Pause between two calls to a target that could not be reached.
pub const PROBE_EVERY: Ms = 60_000;
/// Longest time, all in all, for which the target of a step's own document may hold a run up: a limit of calls a second
/// is waited for, one of calls a day is left to later runs.
pub(crate) const MAX_HELD_UP: Ms = 60_000;

/// Whether an HTTP status is the word of a gateway whose system is not there: 502, 503, 504, 519 (which the vendor's own
/// gateway uses) and the 520s of the large proxies. The system itself may have acted or not.
pub fn is_gateway(status: u16) -> bool {
    matches!(status, 502..=504 | 519..=524)
}

/// The circuit of one target.
#[derive(Debug, Clone)]
pub(crate) struct Circuit {
    target: String,
    failures: u32,
    until: Ms,
    /// The ledger holds something that is to be taken back.
    stored: bool,
    /// Throttled or busy answers in a row.
    pub(crate) busy: u32,
    /// Answers in a row that the session is lost.
    pub(crate) auth: u32,
    /// How long the run has waited for it.
    rested: Ms,
    /// This run calls it no more.
    closed: bool,
}

impl Circuit {
    pub(crate) fn new(target: &str) -> Self {
        Circuit {
            target: target.to_owned(),
            failures: 0,
            until: 0,
            stored: false,
            busy: 0,
            auth: 0,
            rested: 0,
            closed: false,
        }
    }

    /// What an earlier run left.
    pub(crate) fn remember(&mut self, failures: u32, until: Ms) {
        self.failures = failures;
        self.until = until;
        self.stored = failures > 0 || until > 0;
    }

    /// So many failures that only a probe may go out.
    pub(crate) fn is_open(&self) -> bool {
        self.failures >= MAX_UNREACHABLE
    }

    /// Until when nothing may be sent. What is further away than anything that is ever said was said by a clock that
    /// ran ahead and was put right: it closes nothing.
    pub(crate) fn blocked(&self, now: Ms) -> Option<Ms> {
        let possible = self.until <= now.saturating_add(MAX_WAIT);
        (possible && self.until > now).then_some(self.until)
    }

    /// Of a step's own target: whether the run may wait for it so long. If not, it is closed.
    pub(crate) fn may_hold_up(&mut self, wait: Ms) -> bool {
        self.rested = self.rested.saturating_add(wait);
        self.closed |= self.rested > MAX_HELD_UP;
        !self.closed
    }

    /// This run calls it no more; nothing of it is kept.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// Failures in a row.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// A call did not come through.
    pub(crate) fn failed(&mut self, now: Ms) -> Option<LedgerOp> {
        self.failures = self.failures.saturating_add(1);
        if !self.is_open() {
            return None;
        }
        self.until = now + PROBE_EVERY;
        Some(self.set())
    }

    /// The target asked for a pause. A short one ends within the run that was told.
    pub(crate) fn pause(&mut self, now: Ms, until: Ms) -> Option<LedgerOp> {
        if until - now < PROBE_EVERY {
            return None;
        }
        self.until = self.until.max(until);
        Some(self.set())
    }

    /// The target answered.
    pub(crate) fn answered(&mut self) -> Option<LedgerOp> {
        self.failures = 0;
        if !self.stored {
            return None;
        }
        self.until = 0;
        let op = self.set();
        self.stored = false;
        Some(op)
    }

    fn set(&mut self) -> LedgerOp {
        self.stored = true;
        LedgerOp::SetCircuit {
            target: self.target.clone(),
            failures: self.failures,
            until: self.until,
        }
    }
}

/// The circuits of the targets of one scheme: of its documents, and of what its steps write elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct Circuits {
    /// The scheme's own target first.
    all: Vec<Circuit>,
}

impl Circuits {
    /// Circuits of these targets; the first is the scheme's own.
    pub(crate) fn new(targets: &[String]) -> Self {
        Circuits {
            all: targets.iter().map(|target| Circuit::new(target)).collect(),
        }
    }

    /// Those of a target.
    pub(crate) fn of(&mut self, target: &str) -> &mut Circuit {
        let at = match self.all.iter().position(|circuit| circuit.target == target) {
            Some(at) => at,
            None => {
                self.all.push(Circuit::new(target));
                self.all.len() - 1
            }
        };
        &mut self.all[at]
    }

    /// In the order in which they were given.
    pub(crate) fn nth(&mut self, at: usize) -> Option<&mut Circuit> {
        self.all.get_mut(at)
    }

    /// Until when nothing may be sent to this target.
    pub(crate) fn blocked(&self, target: &str, now: Ms) -> Option<Ms> {
        let circuit = self.all.iter().find(|circuit| circuit.target == target)?;
        circuit.blocked(now)
    }

    /// Whether this run calls this target no more.
    pub(crate) fn is_closed(&self, target: &str) -> bool {
        let circuit = self.all.iter().find(|circuit| circuit.target == target);
        circuit.is_some_and(|circuit| circuit.closed)
    }

    /// Whether only a probe may go out to this target.
    pub(crate) fn is_open(&self, target: &str) -> bool {
        let circuit = self.all.iter().find(|circuit| circuit.target == target);
        circuit.is_some_and(Circuit::is_open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An outage of one target says nothing of another.
    #[test]
    fn each_target_has_a_circuit_of_its_own() {
        let mut circuits = Circuits::new(&["k3".to_owned(), "wecom".to_owned()]);
        for nth in 0..MAX_UNREACHABLE {
            let told = circuits.of("wecom").failed(1_000 + i64::from(nth));
            let is_last = nth + 1 == MAX_UNREACHABLE;
            match told {
                Some(LedgerOp::SetCircuit { target, .. }) if is_last => assert_eq!(target, "wecom"),
                None if !is_last => {}
                other => panic!("{other:?}"),
            }
        }
        let until = 1_000 + i64::from(MAX_UNREACHABLE) - 1 + PROBE_EVERY;
        assert_eq!(circuits.blocked("wecom", 2_000), Some(until));
        assert_eq!(circuits.blocked("k3", 2_000), None);
        assert!(circuits.is_open("wecom") && !circuits.is_open("k3"));
        assert_eq!(
            circuits.nth(1).map(|circuit| circuit.failures()),
            Some(MAX_UNREACHABLE)
        );
    }

    /// Failures, until, now -> blocked until.
    #[test]
    fn a_clock_that_ran_ahead_closes_nothing_for_long() {
        let now = 1_000_000_000;
        for (failures, until, want) in [
            (0, 0, None),
            (0, now, None),
            (0, now + 90_000, Some(now + 90_000)),
            (0, now + MAX_WAIT, Some(now + MAX_WAIT)),
            (0, now + MAX_WAIT + 1, None),
            (0, now + 10 * 86_400_000, None),
            (MAX_UNREACHABLE, now + 30_000, Some(now + 30_000)),
            (MAX_UNREACHABLE, now + 10 * 86_400_000, None),
            (MAX_UNREACHABLE, now - 1, None),
        ] {
            let mut circuit = Circuit::new("erp");
            circuit.remember(failures, until);
            assert_eq!(circuit.blocked(now), want, "{failures} {until}");
        }
    }
}
