//! Time windows of polling sources: which slices to read, and how far an interval may be closed.
//!
//! Intervals are half open, `[from, to)`. The closed ones of a scheme, sorted and merged, are the truth; the watermark
//! is the end of the first unbroken stretch, so a gap is never stepped over. Consecutive slices of a run touch. Late
//! rows are not handled here: the overlap widens the request and the ledger drops what it has seen.

use crate::ids::Ms;

/// `[from, to)` in epoch milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    /// First instant inside.
    pub from: Ms,
    /// First instant after it.
    pub to: Ms,
}

impl Interval {
    /// An interval; `None` when it would be empty or turned round.
    pub fn new(from: Ms, to: Ms) -> Option<Self> {
        (from < to).then_some(Interval { from, to })
    }

    /// The part of it before `end`.
    pub fn until(self, end: Ms) -> Option<Self> {
        Self::new(self.from, self.to.min(end))
    }

    /// The part of it from `start` on.
    pub fn since(self, start: Ms) -> Option<Self> {
        Self::new(self.from.max(start), self.to)
    }
}

/// Sorts intervals and joins those that touch or overlap.
pub fn merge(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.sort_unstable();
    let mut merged: Vec<Interval> = Vec::with_capacity(intervals.len());
    for next in intervals {
        match merged.last_mut() {
            Some(last) if next.from <= last.to => last.to = last.to.max(next.to),
            _ => merged.push(next),
        }
    }
    merged
}

/// The parts of a range that no closed interval covers, in order. `closed` is sorted and merged.
pub fn missing(closed: &[Interval], range: Interval) -> Vec<Interval> {
    let mut missing = Vec::new();
    let mut from = range.from;
    for closed in closed {
        missing.extend(Interval::new(from, closed.from.min(range.to)));
        from = from.max(closed.to);
    }
    missing.extend(Interval::new(from, range.to));
    missing
}

/// The end of the first unbroken stretch of closed time.
pub fn watermark(closed: &[Interval]) -> Option<Ms> {
    closed.first().map(|first| first.to)
}

/// Where the very first window of a scheme starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// A fixed time.
    At(Ms),
    /// So long before the moment of enabling.
    Before(Ms),
}

/// What happens when an author's own start lies after the last closed end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// Start at the closed end all the same.
    Extend,
    /// Fail the window.
    Error,
    /// Believe the author: the gap stays open and visible.
    Ignore,
}

/// The scheme's window rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowRule {
    /// Start of the very first window; without it (and without a proposal) the moment of enabling.
    pub first: Option<First>,
    /// How far back each request reaches before what is still open.
    pub overlap: Ms,
    /// How far behind the source's clock an interval may be closed.
    pub settle: Ms,
    /// Longest slice.
    pub max: Ms,
    /// See [`CatchUp`].
    pub catch_up: CatchUp,
}

/// The author's own bounds, evaluated once per run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Proposal {
    /// Start.
    pub start: Option<Ms>,
    /// End.
    pub end: Option<Ms>,
}

/// One slice of a run: what is asked of the source and what may be closed once every page of it is staged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// The bounds in the request.
    pub asked: Interval,
    /// What the last page closes; `None` when all of it is younger than the source's clock less `settle`.
    pub closes: Option<Interval>,
}

impl Slice {
    /// Two slices in the place of one, parted at an instant inside; together they ask and close what it did.
    pub fn parted(self, at: Ms) -> Option<[Slice; 2]> {
        let part = |asked: Option<Interval>, closes| asked.map(|asked| Slice { asked, closes });
        let first = part(
            self.asked.until(at),
            self.closes.and_then(|closes| closes.until(at)),
        )?;
        let second = part(
            self.asked.since(at),
            self.closes.and_then(|closes| closes.since(at)),
        )?;
        Some([first, second])
    }

    /// Two halves; `None` when it is not longer than [`SMALLEST`]. They meet at a whole second: most sources are asked in
    /// seconds.
    pub fn halves(self) -> Option<[Slice; 2]> {
        let middle = self.asked.from + (self.asked.to - self.asked.from) / 2;
        self.parted(middle - middle.rem_euclid(SMALLEST))
    }
}

/// No slice is cut shorter: sources that are asked in whole seconds would not see the difference.
pub const SMALLEST: Ms = 1_000;

/// An empty window is suspicious where windows at this hour of this weekday have more rows than this.
pub const SUSPICIOUS_ROWS: u64 = 20;

/// The longest a window reaches back after windows whose pages shifted: each of them doubles the overlap.
pub const MAX_OVERLAP: Ms = 24 * 3_600_000;

/// Least overlap to be doubled, where a scheme has none.
const LEAST_OVERLAP: Ms = 60_000;

impl WindowRule {
    /// The rule after so many windows in a row that could not be read quietly: each doubles the overlap.
    pub fn after_unstable(self, unstable: u32) -> Self {
        if unstable == 0 {
            return self;
        }
        let doubled = self
            .overlap
            .max(LEAST_OVERLAP)
            .saturating_mul(1 << unstable.min(16));
        WindowRule {
            overlap: self.overlap.max(doubled.min(MAX_OVERLAP)),
            ..self
        }
    }
}

/// What is left of a plan where the source keeps its rows for a limited time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The rule; its `first` does not lie before what the source keeps.
    pub rule: WindowRule,
    /// Closed time, and all time before what the source keeps: it is never asked for again, but it is not closed in
    /// the ledger either, so that the gap stays to be seen.
    pub closed: Vec<Interval>,
    /// Time that was never read for good and that the source has forgotten since the last run.
    pub lost: Option<Interval>,
}

/// Cuts off what the source no longer keeps: everything before `edge`.
pub fn reach(rule: &WindowRule, closed: &[Interval], enabled: Ms, edge: Ms) -> Reach {
    let first = match rule.first {
        Some(First::At(at)) => at,
        Some(First::Before(ago)) => enabled - ago,
        None => enabled,
    };
    let start = closed.first().map_or(first, |closed| closed.from.min(first));
    let Some(gone) = Interval::new(start, edge) else {
        return Reach {
            rule: *rule,
            closed: closed.to_vec(),
            lost: None,
        };
    };
    // A stretch that ends where closed time begins was told when it was lost.
    let lost = missing(closed, gone)
        .pop()
        .filter(|lost| lost.to == edge && closed.iter().all(|closed| closed.from != edge));
    if closed.is_empty() {
        return Reach {
            rule: WindowRule {
                first: Some(First::At(edge)),
                ..*rule
            },
            closed: Vec::new(),
            lost,
        };
    }
    let mut known = closed.to_vec();
    known.push(gone);
    Reach {
        rule: *rule,
        closed: merge(known),
        lost,
    }
}

/// The plan of a run's reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slices {
    /// In order of time; consecutive ones touch.
    pub slices: Vec<Slice>,
    /// The author's start lay after the watermark and was moved back to it by this much.
    pub extended: Option<Ms>,
}

impl Slices {
    /// Leaves open what is younger than `settled`: the instant of a run may be ahead of the clock, and nobody has read
    /// for good what has not happened yet.
    pub fn closing_until(mut self, settled: Ms) -> Self {
        for slice in &mut self.slices {
            slice.closes = slice.closes.and_then(|closes| closes.until(settled));
        }
        self
    }

    /// Asks for nothing before `edge`.
    pub fn asking_from(mut self, edge: Ms) -> Self {
        // What is only read again is not asked for where the source keeps nothing: it would refuse the question.
        self.slices
            .retain(|slice| slice.closes.is_some() || slice.asked.to > edge);
        for slice in &mut self.slices {
            if let Some(asked) = slice.asked.since(edge) {
                slice.asked = asked;
            }
        }
        self
    }
}

/// More slices than this in one run are left for the next one (400 days of the longest usual slice, 24 h).
pub const MAX_SLICES: usize = 400;

/// A catch-up refused by the scheme's own rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartsTooLate {
    /// The author's start.
    pub start: Ms,
    /// The last closed end.
    pub watermark: Ms,
}

/// Cuts what a run has to read into slices.
///
/// `now` is the run's instant, `enabled` the moment the scheme was first run here, `closed` is sorted and merged.
pub fn slices(
    rule: &WindowRule,
    proposal: Proposal,
    closed: &[Interval],
    enabled: Ms,
    now: Ms,
) -> Result<Slices, StartsTooLate> {
    let first = match rule.first {
        Some(First::At(at)) => at,
        Some(First::Before(ago)) => enabled - ago,
        None => enabled,
    };
    // Bounds given by hand may have closed a later stretch first: what lies before it was never read.
    let mark = watermark(closed).map(|mark| if first < closed[0].from { first } else { mark });
    // Where unread time begins, and where the request for the first slice begins.
    let mut extended = None;
    let end = proposal.end.unwrap_or(now);
    let max = rule.max.max(1);
    let (unread, asked_from) = match (mark, proposal.start) {
        (Some(mark), None) => (mark, mark - rule.overlap),
        (Some(mark), Some(start)) if start <= mark => {
            // A start further back than one run can read would end every run at the same place: what is read again
            // is then only the last stretch of it, and never at the cost of what is unread.
            let reach = max.saturating_mul(i64::try_from(MAX_SLICES).unwrap_or(i64::MAX));
            let start = start.max(end.saturating_sub(reach).min(mark));
            (start, start.min(mark - rule.overlap))
        }
        (Some(mark), Some(start)) => match rule.catch_up {
            CatchUp::Extend => {
                extended = Some(start - mark);
                (mark, mark - rule.overlap)
            }
            CatchUp::Error => {
                return Err(StartsTooLate {
                    start,
                    watermark: mark,
                });
            }
            CatchUp::Ignore => (start, start),
        },
        (None, Some(start)) => {
            let from = first.min(start);
            (from, from)
        }
        (None, None) => (first, first - rule.overlap),
    };
    let settled = now - rule.settle;
    let mut slices = Vec::new();
    // What is read again is asked for in slices as well: no question may be longer than the source answers. Half of
    // them at most, so that every run gets on.
    let half = max.saturating_mul(i64::try_from(MAX_SLICES / 2).unwrap_or(i64::MAX));
    let mut asked = asked_from.max(unread.saturating_sub(half));
    loop {
        let to = asked.saturating_add(max).min(end);
        let Some(bounds) = Interval::new(asked, to) else {
            break;
        };
        slices.push(Slice {
            asked: bounds,
            closes: Interval::new(asked.max(unread), to.min(settled)),
        });
        if to >= end || slices.len() == MAX_SLICES {
            break;
        }
        asked = to;
    }
    Ok(Slices { slices, extended })
}

/// Slices over what is still missing of a range, each at most `step` long: a replay, or a sweep. Nothing younger than
/// `settled` is closed. There may be more than [`MAX_SLICES`]: a range given by hand is read to its end.
pub fn pieces(closed: &[Interval], range: Interval, step: Ms, settled: Ms) -> Vec<Slice> {
    let step = step.max(SMALLEST);
    let mut pieces = Vec::new();
    for gap in missing(closed, range) {
        let mut from = gap.from;
        while let Some(asked) = Interval::new(from, from.saturating_add(step).min(gap.to)) {
            pieces.push(Slice {
                asked,
                closes: asked.until(settled),
            });
            from = asked.to;
        }
    }
    pieces
}

/// The one slice of a run over bounds given by hand.
pub fn manual(bounds: Interval, rule: &WindowRule, now: Ms) -> Slices {
    let closes = Interval::new(bounds.from, bounds.to.min(now - rule.settle));
    Slices {
        slices: vec![Slice {
            asked: bounds,
            closes,
        }],
        extended: None,
    }
}
