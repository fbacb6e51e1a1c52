//! One scheme of the table: what its runs' ends mean for it.

use super::event::{DueRow, Ended, First, Half, Paused, Standing, Status};
use super::slot::{Owed, Slot};
use super::{
    BACK_OFF, Cause, Entry, How, MAX_BACK_OFF, NOT_BEGUN, PANIC_SPAN, PANICS, PUSH_PACE, Run, SLACK, Verdict,
};
use crate::ids::Ms;

impl Entry {
    /// Takes over the rules of a new spec, and what is remembered; gives the rows that changed.
    pub(super) fn rules(&mut self, now: Ms, remembered: &[DueRow]) -> Vec<DueRow> {
        let mut old = std::mem::take(&mut self.slots);
        let mut changed = Vec::new();
        for timing in &self.spec.timings {
            let known = old.iter().position(|slot| slot.half == timing.half);
            let row = remembered.iter().find(|row| row.half == timing.half);
            let mut slot = match (known, row) {
                (Some(known), _) => old.swap_remove(known),
                (None, row) => {
                    let mut slot = Slot::new(timing.half);
                    slot.next = row.and_then(|row| row.next);
                    row.inspect(|row| slot.remember(row));
                    slot
                }
            };
            let text = slot.timing.take().map(|timing| timing.text);
            let text = text.as_deref().or(row.map(|row| row.rule.as_str()));
            let rule = timing.rule.next(now);
            let next = match (text, slot.next) {
                // What was due before the rule changed is owed; what would have been is not.
                (Some(_), Some(due)) if due <= now => Some(due),
                // A clock that was ahead when this was written down.
                (Some(text), Some(due)) if text == timing.text && rule.is_none_or(|next| due <= next) => {
                    Some(due)
                }
                (None, None) if timing.first == First::AtOnce => Some(now),
                _ => rule,
            };
            slot.next = next;
            slot.timing = Some(timing.clone());
            changed.push(slot.row(&self.spec.scheme));
            self.slots.push(slot);
        }
        let (follows, by_hand) = (self.spec.after.is_some(), self.spec.by_hand);
        for slot in &mut old {
            slot.timing = None;
            slot.next = None;
            // What only the old rule asked for, nobody wants any more: the scheme may have been disabled.
            let wanted = |owed: Owed| match owed.cause {
                Cause::Schedule => None,
                Cause::After => Some(owed).filter(|_| follows),
                Cause::Push | Cause::Settle => Some(owed).filter(|_| !by_hand),
                // What a person wants is not owed to the rule any more.
                Cause::Manual => Some(Owed::new(owed.due, Cause::Manual)),
            };
            slot.owed = slot.owed.and_then(wanted);
            slot.again = slot.again.and_then(wanted);
            changed.push(slot.row(&self.spec.scheme));
        }
        self.slots.extend(old);
        changed.extend(self.without_rules(now, remembered));
        changed
    }

    /// Halves that only a person, a push or another scheme starts: their counts go on. Where that other scheme ended well
    /// and this process ended before its follower began, the run is owed. Gives the rows that changed.
    fn without_rules(&mut self, now: Ms, remembered: &[DueRow]) -> Vec<DueRow> {
        let mut changed = Vec::new();
        for row in remembered {
            if self.slots.iter().any(|slot| slot.half == row.half) {
                continue;
            }
            let mut slot = Slot::new(row.half);
            slot.remember(row);
            let due = row.next.filter(|due| *due <= now);
            let follows = self.spec.after.is_some() && row.half == Half::All;
            slot.owed = due.filter(|_| follows).map(|due| Owed::new(due, Cause::After));
            let kept = slot.row(&self.spec.scheme);
            if kept.next != row.next {
                changed.push(kept);
            }
            self.slots.push(slot);
        }
        changed
    }

    /// The first instant from now on at which what is owed to a half may begin; `None` = not before something changes.
    pub(super) fn may_start(&self, now: Ms, half: Half) -> Option<Ms> {
        let slot = self.slots.iter().find(|slot| slot.half == half)?;
        let owed = slot.owed?;
        if self.spec.held {
            return None;
        }
        if owed.by_hand() {
            return Some(now);
        }
        if self.paused.is_some() {
            return None;
        }
        // A push has its source asked nothing.
        let paced = match owed.cause {
            Cause::Push => slot
                .started
                .map_or(Ms::MIN, |last| last.saturating_add(PUSH_PACE)),
            _ => self.paced(half),
        };
        Some(self.opens(now.max(self.not_before).max(paced)))
    }

    fn opens(&self, at: Ms) -> Ms {
        let rules = self.spec.timings.iter().map(|timing| timing.rule.opens(at));
        rules.min().unwrap_or(at)
    }

    /// The least interval binds what reads.
    fn paced(&self, half: Half) -> Ms {
        let reads = |half: Half| half != Half::Target;
        if self.spec.least <= 0 || !reads(half) {
            return Ms::MIN;
        }
        let slots = self.slots.iter().filter(|slot| reads(slot.half));
        let last = slots.filter_map(|slot| slot.paced).max();
        last.map_or(Ms::MIN, |last| {
            last.saturating_add(self.spec.least - SLACK.min(self.spec.least / 10))
        })
    }

    /// What the end of a run says about the scheme.
    pub(super) fn judge(&mut self, now: Ms, how: &How) -> Verdict {
        let How::Told(how) = how else {
            self.failed(now);
            return Verdict::Owed;
        };
        match how {
            Ended::Canceled | Ended::Braked(_) => Verdict::Met,
            Ended::Well => {
                self.failures = 0;
                self.panics.clear();
                self.not_before = Ms::MIN;
                Verdict::Met
            }
            Ended::Stopped => Verdict::Owed,
            Ended::NotBegun => {
                self.not_before = self.not_before.max(now + NOT_BEGUN);
                Verdict::Owed
            }
            Ended::Failed => {
                self.failed(now);
                Verdict::Again
            }
            Ended::Refused => {
                self.failed(now);
                Verdict::Met
            }
            Ended::Panicked => {
                self.failed(now);
                self.panics.retain(|at| now - at < PANIC_SPAN);
                self.panics.push(now);
                debug_assert!(self.panics.len() <= PANICS);
                Verdict::Again
            }
        }
    }

    fn failed(&mut self, now: Ms) {
        let wait = BACK_OFF.saturating_mul(1 << self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        self.not_before = now.saturating_add(wait.min(MAX_BACK_OFF));
    }

    /// What the end of a run leaves to be done; the rows that changed.
    pub(super) fn settle(&mut self, now: Ms, run: &Run, verdict: Verdict, how: &How) -> Vec<DueRow> {
        let retry = self.opens(now.max(self.not_before).max(self.paced(run.half)));
        let is_well = *how == How::Told(Ended::Well);
        let mut rows = Vec::new();
        for slot in &mut self.slots {
            let is_it = slot.half == run.half;
            if is_it {
                slot.ended = Some(now);
                slot.tally.rearmed += u64::from(*how == How::Gone);
                let met = match verdict {
                    Verdict::Met => true,
                    Verdict::Owed => false,
                    Verdict::Again => slot
                        .fires
                        .is_some_and(|fires| fires <= retry.saturating_add(BACK_OFF)),
                };
                slot.owed = slot.owed.filter(|_| !met).and_then(Owed::undone);
                // Two things owed are one run.
                if let Some(again) = slot.again.take() {
                    slot.owed = Some(slot.owed.map_or(again, |owed| owed.and(again)));
                }
            } else if is_well
                && run.half == Half::All
                && slot.owed.is_some_and(|owed| owed.due <= run.started)
            {
                // Both halves were done.
                slot.owed = None;
            } else {
                continue;
            }
            rows.push(slot.row(&self.spec.scheme));
        }
        rows
    }

    pub(super) fn set_back(&mut self, now: Ms) {
        self.not_before = self.not_before.min(now.saturating_add(MAX_BACK_OFF));
        self.panics.clear();
        self.served = self.served.map(|at| at.min(now));
        if let Some(run) = &mut self.run {
            run.started = run.started.min(now);
        }
        for slot in &mut self.slots {
            slot.paced = slot.paced.filter(|at| *at <= now);
            for owed in [&mut slot.owed, &mut slot.again].into_iter().flatten() {
                owed.due = owed.due.min(now);
            }
            let rule = slot.timing.as_ref().and_then(|timing| timing.rule.next(now));
            slot.next = match (slot.next, rule) {
                (Some(next), Some(rule)) => Some(next.min(rule)),
                (next, rule) => next.or(rule),
            };
        }
    }

    pub(super) fn status(&self) -> impl Iterator<Item = Status> + '_ {
        let paused: Option<&Paused> = self.paused.as_ref();
        self.slots.iter().map(move |slot| {
            let run = self.run.as_ref().filter(|run| run.half == slot.half);
            let standing = match (run, slot.owed) {
                (Some(run), _) => Standing::Running(run.token, run.started),
                (None, Some(owed)) => Standing::Waiting(slot.key.map_or(owed.due, |key| key.since())),
                (None, None) => Standing::Idle,
            };
            Status {
                scheme: self.spec.scheme.clone(),
                half: slot.half,
                rule: slot.timing.as_ref().map(|timing| timing.text.clone()),
                standing,
                due: slot
                    .owed
                    .filter(|_| run.is_none())
                    .map(|owed| owed.due)
                    .or(slot.next),
                not_before: slot.held.or(slot.fires),
                paused: paused.cloned(),
                failures: self.failures,
                started: slot.started,
                ended: slot.ended,
                tally: slot.tally,
            }
        })
    }
}
