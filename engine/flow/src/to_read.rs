//! What one run has to read: the live windows, the suspicious ones once more, a sweep that is due, or a replay.

use crate::event::SourceFacts;
use crate::ids::Ms;
use crate::op::{Cursor, LedgerReply};
use crate::reader::ToRead;
use crate::window::{self, Interval, Slice, Slices, StartsTooLate, WindowRule};

/// What the ledger says about the cursors of a scheme.
#[derive(Debug, Default)]
pub(crate) struct Covered {
    live: Vec<Interval>,
    unstable: u32,
    kept: Vec<Interval>,
    /// Of the sweep, or of the replay.
    other: Vec<Interval>,
}

impl Covered {
    /// From the closed time of the live cursor and the answers about [`SourceFacts::cursors`].
    pub(crate) fn new(live: Vec<Interval>, mut replies: impl Iterator<Item = LedgerReply>) -> Self {
        let mut covered = Covered {
            live,
            ..Covered::default()
        };
        if let Some(LedgerReply::Coverage { unstable, kept, .. }) = replies.next() {
            covered.unstable = unstable;
            covered.kept = kept;
        }
        if let Some(LedgerReply::Coverage { closed, .. }) = replies.next() {
            covered.other = closed;
        }
        covered
    }
}

impl SourceFacts {
    /// The cursors that a run must know, the live one first.
    pub(crate) fn cursors(&self) -> Vec<Cursor> {
        if self.window.is_none() {
            return Vec::new();
        }
        let other = match (self.replay, self.sweep) {
            (Some(range), _) => Some(Cursor::Replay(range)),
            (None, Some(_)) => Some(Cursor::Sweep),
            (None, None) => None,
        };
        std::iter::once(Cursor::Live).chain(other).collect()
    }

    /// The slices of a run in the order in which they are read, and by how much the author's start was moved back.
    pub(crate) fn to_read(
        &self,
        covered: &Covered,
        enabled: Ms,
        instant: Ms,
        now: Ms,
    ) -> Result<(ToRead, Option<Ms>), StartsTooLate> {
        let mut to_read = ToRead {
            slices: Vec::new(),
            lost: None,
            instant,
            versions: None,
            waiting: 0,
        };
        let Some(rule) = &self.window else {
            return Ok((to_read, None));
        };
        let settled = now.min(instant) - rule.settle;
        if let Some(range) = self.replay {
            // What has not settled is read by ordinary polling; a replay is of what is past.
            if let Some(past) = range.until(settled) {
                let pieces = window::pieces(&covered.other, past, rule.max, settled);
                to_read.slices = with(Cursor::Replay(range), pieces);
            }
            return Ok((to_read, None));
        }
        let (live, lost) = self.live(rule, covered, enabled, instant, now)?;
        to_read.lost = lost;
        if self.manual.is_none() {
            let kept = covered.kept.iter().map(|asked| Slice {
                asked: *asked,
                closes: None,
            });
            // The live windows come first: what is suspicious has been read once already.
            to_read.slices = with(Cursor::Live, live.slices);
            to_read.slices.extend(with(Cursor::Live, kept.collect()));
            to_read
                .slices
                .extend(with(Cursor::Sweep, self.sweep(rule, covered, enabled, settled)));
        } else {
            to_read.slices = with(Cursor::Live, live.slices);
        }
        Ok((to_read, live.extended))
    }

    fn live(
        &self,
        rule: &WindowRule,
        covered: &Covered,
        enabled: Ms,
        instant: Ms,
        now: Ms,
    ) -> Result<(Slices, Option<Interval>), StartsTooLate> {
        if let Some(bounds) = self.manual {
            let slices = window::manual(bounds, rule, instant);
            return Ok((slices.closing_until(now - rule.settle), None));
        }
        let rule = rule.after_unstable(covered.unstable);
        let edge = self.keeps.map(|keeps| instant.min(now) - keeps);
        let reach = match edge {
            Some(edge) => window::reach(&rule, &covered.live, enabled, edge),
            None => window::Reach {
                rule,
                closed: covered.live.clone(),
                lost: None,
            },
        };
        let slices = window::slices(&reach.rule, self.proposal, &reach.closed, enabled, instant)?;
        let slices = match edge {
            Some(edge) => slices.asking_from(edge),
            None => slices,
        };
        Ok((slices.closing_until(now - rule.settle), reach.lost))
    }

    /// The range of the second pass, and before it what an earlier one did not come to.
    fn sweep(&self, rule: &WindowRule, covered: &Covered, enabled: Ms, settled: Ms) -> Vec<Slice> {
        let Some(sweep) = self.sweep else {
            return Vec::new();
        };
        let done = covered.other.last().map(|last| last.to);
        let too_early = sweep.due.is_some_and(|due| due < enabled);
        if done.map_or(too_early, |done| done >= sweep.unless) {
            return Vec::new();
        }
        let from = done.map_or(sweep.range.from, |done| done.min(sweep.range.from));
        let range = Interval::new(from, sweep.range.to);
        range.map_or_else(Vec::new, |range| window::pieces(&[], range, rule.max, settled))
    }
}

fn with(cursor: Cursor, slices: Vec<Slice>) -> Vec<(Slice, Cursor)> {
    slices.into_iter().map(|slice| (slice, cursor)).collect()
}
