//! The reading half of a run: slices, pages, staging, closing.
//!
//! A page is staged before the next one is asked for, and only the transaction of a window's last page closes its
//! interval. A window that cannot be proven complete is left open and read again by the next run.

use std::collections::{BTreeSet, VecDeque};

use crate::codes;
use crate::event::{Action, Event, Note, Page, ReadFailure, ReadFailureKind, SourceFacts, Stopped, Waiting};
use crate::ids::{Ms, RunId, WindowId};
use crate::op::{LedgerOp, LedgerReply, Reason, WindowEnd};
use crate::window::{Interval, Slice};

/// Pages of one window. A source that never ends would otherwise be read for ever; 100,000 pages of 10 rows are a
/// million rows in a slice of at most a day.
pub const MAX_PAGES: u32 = 100_000;
/// Tries of one page before its window is given up.
pub const PAGE_TRIES: u32 = 4;
/// Readings of one window whose pages shifted while they were read.
pub const WINDOW_READINGS: u32 = 3;
/// Open records of a scheme above which reading pauses until some are written (back-pressure).
pub const HIGH_WATER: u64 = 10_000;

/// What the reader needs to know of its run.
pub(crate) struct Reader {
    run: RunId,
    scheme: String,
    store_only: bool,
    source: SourceFacts,
    /// Stop when so many records are new or changed.
    limit: Option<u64>,
    slices: VecDeque<Option<Slice>>,
    state: State,
    /// The source's clock when it gave the page at hand.
    clock: Option<Ms>,
    /// The window that was paused for back-pressure: continue at this page.
    paused: Option<Open>,
    open_records: u64,
    taken: u64,
    pub(crate) pages: u64,
    pub(crate) rows: u64,
    pub(crate) windows_left: u32,
    pub(crate) stopped: Option<Stopped>,
    notes: Vec<Note>,
}

/// A window being read.
#[derive(Debug, Clone)]
struct Open {
    window: WindowId,
    slice: Option<Slice>,
    page: u32,
    tries: u32,
    readings: u32,
    raw_rows: u64,
    /// The source's total on the first page that said one.
    total: Option<u64>,
    /// The source's clock on the first page that said one.
    clock: Option<Ms>,
    /// Pages shifted in the last reading allowed: read on, but do not close.
    shifted: Option<Reason>,
    seen_pages: BTreeSet<u64>,
}

enum State {
    Next,
    Opening { slice: Option<Slice>, readings: u32 },
    Fetching(Open),
    Staging { open: Open, last: bool },
    Resting(Open),
    Ending { again: Option<(Option<Slice>, u32)> },
}

/// What a half of the run wants next.
#[expect(clippy::large_enum_variant, reason = "moved once per step, never stored")]
pub(crate) enum Step {
    /// Carry this out and come back with its event.
    Act(Action),
    /// Nothing to do until the other half has worked.
    Paused,
    /// Finished.
    Done,
}

impl Reader {
    pub(crate) fn new(
        run: RunId,
        scheme: &str,
        store_only: bool,
        source: SourceFacts,
        limit: Option<u64>,
        slices: Vec<Slice>,
        open_records: u64,
    ) -> Self {
        let slices = match source.window {
            Some(_) => slices.into_iter().map(Some).collect(),
            None => VecDeque::from([None]),
        };
        Reader {
            run,
            scheme: scheme.to_owned(),
            store_only,
            source,
            limit,
            slices,
            state: State::Next,
            clock: None,
            paused: None,
            open_records,
            taken: 0,
            pages: 0,
            rows: 0,
            windows_left: 0,
            stopped: None,
            notes: Vec::new(),
        }
    }

    pub(crate) fn notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// Called when records were written: back-pressure may be over.
    pub(crate) fn written(&mut self, open_records: u64) {
        self.open_records = open_records;
    }

    /// Ends reading: the window being read stays open. `None` = none was.
    pub(crate) fn abandon(&mut self, now: Ms, reason: Reason) -> Option<Action> {
        self.slices.clear();
        let open = match (
            self.paused.take(),
            std::mem::replace(&mut self.state, State::Next),
        ) {
            (Some(open), _) | (None, State::Fetching(open) | State::Resting(open)) => open,
            (None, _) => return None,
        };
        Some(self.end_window(now, open.window, WindowEnd::Left, reason))
    }

    /// The source's clock when it gave the page that comes next.
    pub(crate) fn source_clock(&mut self, clock: Ms) {
        self.clock = Some(clock);
    }

    /// Reading waits for the writing half.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    /// The action just given ends a window that is open in the ledger.
    pub(crate) fn is_ending(&self) -> bool {
        matches!(self.state, State::Ending { .. })
    }

    pub(crate) fn step(&mut self, now: Ms, event: Option<Event>) -> Step {
        match (std::mem::replace(&mut self.state, State::Next), event) {
            (State::Next, _) => self.next(now),
            (State::Opening { slice, readings }, Some(Event::Ledger(replies))) => {
                let Some(LedgerReply::WindowOpened(window)) = replies.into_iter().next() else {
                    return self.fail(Reason::new(codes::BUG, "window not opened"));
                };
                self.notes.push(Note::Reading(slice.map(|slice| slice.asked)));
                self.fetch(Open {
                    window,
                    slice,
                    page: 1,
                    tries: 1,
                    readings,
                    raw_rows: 0,
                    total: None,
                    clock: None,
                    shifted: None,
                    seen_pages: BTreeSet::new(),
                })
            }
            (State::Fetching(open), Some(Event::Page(page))) => self.stage(now, open, page),
            (State::Fetching(open), Some(Event::ReadFailed(failure))) => self.failed(now, open, failure),
            (State::Resting(open), Some(Event::Woke)) => self.fetch(open),
            (State::Staging { open, last }, Some(Event::Ledger(replies))) => {
                let Some(LedgerReply::Staged {
                    outcomes,
                    open: open_records,
                    ..
                }) = replies.into_iter().next()
                else {
                    return self.fail(Reason::new(codes::BUG, "page not staged"));
                };
                self.open_records = open_records;
                self.taken += outcomes[0] + outcomes[1];
                self.notes.push(Note::Staged {
                    pages: self.pages,
                    rows: self.rows,
                });
                if last {
                    return match open.shifted.clone() {
                        Some(reason) => self.leave_as(now, open, WindowEnd::Unstable, reason),
                        None => self.next(now),
                    };
                }
                let open = Open {
                    page: open.page + 1,
                    tries: 1,
                    ..open
                };
                if self.limit.is_some_and(|limit| self.taken >= limit) {
                    self.slices.clear();
                    let window = open.window;
                    self.state = State::Ending { again: None };
                    let reason = Reason::new(codes::LIMIT, "");
                    return Step::Act(self.end_window(now, window, WindowEnd::Left, reason));
                }
                if self.open_records >= HIGH_WATER {
                    self.paused = Some(open);
                    return Step::Paused;
                }
                self.fetch(open)
            }
            (State::Ending { again }, Some(Event::Ledger(_))) => match again {
                Some((slice, readings)) => self.open(slice, readings),
                None if self.stopped.is_some() => Step::Done,
                None => self.next(now),
            },
            (_, _) => self.fail(Reason::new(codes::BUG, "event out of order while reading")),
        }
    }

    /// The next window, or the paused one.
    fn next(&mut self, _now: Ms) -> Step {
        if let Some(open) = self.paused.take() {
            if self.open_records >= HIGH_WATER {
                self.paused = Some(open);
                return Step::Paused;
            }
            return self.fetch(open);
        }
        if self.limit.is_some_and(|limit| self.taken >= limit) {
            self.slices.clear();
        }
        match self.slices.pop_front() {
            Some(slice) => self.open(slice, 1),
            None => Step::Done,
        }
    }

    fn open(&mut self, slice: Option<Slice>, readings: u32) -> Step {
        self.state = State::Opening { slice, readings };
        // A scheme without a window still gets a row in the ledger: it is what the pages belong to.
        let asked = slice.map_or(Interval { from: 0, to: 0 }, |slice| slice.asked);
        Step::Act(Action::Ledger(vec![LedgerOp::OpenWindow {
            run: self.run,
            scheme: self.scheme.clone(),
            asked,
        }]))
    }

    fn fetch(&mut self, open: Open) -> Step {
        let action = Action::Fetch {
            window: open.window,
            asked: open.slice.map(|slice| slice.asked),
            page: open.page,
        };
        self.state = State::Fetching(open);
        Step::Act(action)
    }

    fn stage(&mut self, now: Ms, mut open: Open, page: Page) -> Step {
        if page.raw_rows > 0 && !open.seen_pages.insert(page.fingerprint) {
            return self.leave(now, open, Reason::new(codes::REPEATED_PAGE, ""));
        }
        open.raw_rows += page.raw_rows;
        let last = !page.more;
        if let Some(text) = shifted(&open, &page) {
            let reason = Reason::new(codes::UNSTABLE, text);
            if open.readings < WINDOW_READINGS {
                return self.unstable(now, open, reason);
            }
            // What was read is stored all the same, or a source that is never quiet would hand over nothing.
            open.shifted = Some(reason);
        }
        open.total = open.total.or(page.total);
        open.clock = open.clock.or(self.clock.take());
        if !last && open.page >= MAX_PAGES {
            return self.leave(
                now,
                open,
                Reason::new(codes::TOO_MANY_PAGES, MAX_PAGES.to_string()),
            );
        }
        self.pages += 1;
        self.rows += page.rows.len() as u64;
        let op = LedgerOp::StagePage {
            run: self.run,
            window: open.window,
            scheme: self.scheme.clone(),
            page: open.page,
            rows: page.rows,
            total: page.total,
            fingerprint: page.fingerprint,
            on_seen: self.source.on_seen,
            store_only: self.store_only,
            close: (last && open.shifted.is_none()).then(|| self.closes(&open)),
            now,
        };
        self.state = State::Staging { open, last };
        Step::Act(Action::Ledger(vec![op]))
    }

    /// What the last page closes: never what the source's own clock has not settled. With our clock ahead of it, rows
    /// stamped inside the window are still to come.
    fn closes(&self, open: &Open) -> Option<Interval> {
        let closes = open.slice.and_then(|slice| slice.closes)?;
        match (open.clock, self.source.window) {
            (Some(clock), Some(rule)) => closes.until(clock - rule.settle),
            (None, _) | (_, None) => Some(closes),
        }
    }

    fn failed(&mut self, now: Ms, open: Open, failure: ReadFailure) -> Step {
        let again = match failure.kind {
            ReadFailureKind::Config | ReadFailureKind::Unusable => false,
            ReadFailureKind::Unreachable | ReadFailureKind::Wait | ReadFailureKind::Fault => {
                open.tries < PAGE_TRIES
            }
        };
        if again {
            // 1 s, 2 s, 4 s: a source that is only restarting is back by then; a longer outage is the next run's.
            let pause = failure
                .wait
                .unwrap_or(1_000 << (open.tries - 1))
                .clamp(0, 3_600_000);
            self.notes.push(Note::ReadAgain(failure.reason));
            self.state = State::Resting(Open {
                tries: open.tries + 1,
                ..open
            });
            return Step::Act(Action::Sleep {
                until: now + pause,
                why: Waiting::Source,
            });
        }
        if matches!(
            failure.kind,
            ReadFailureKind::Config | ReadFailureKind::Unreachable
        ) {
            self.stopped = Some(Stopped::Source(failure.reason.clone()));
            self.slices.clear();
        }
        self.leave(now, open, failure.reason)
    }

    /// The window is read again from its first page.
    fn unstable(&mut self, now: Ms, open: Open, reason: Reason) -> Step {
        self.notes.push(Note::ReadAgain(reason.clone()));
        self.state = State::Ending {
            again: Some((open.slice, open.readings + 1)),
        };
        Step::Act(self.end_window(now, open.window, WindowEnd::Unstable, reason))
    }

    fn leave(&mut self, now: Ms, open: Open, reason: Reason) -> Step {
        self.leave_as(now, open, WindowEnd::Failed, reason)
    }

    fn leave_as(&mut self, now: Ms, open: Open, end: WindowEnd, reason: Reason) -> Step {
        self.windows_left += 1;
        // Later slices would leave a gap; it would be read again anyway.
        self.slices.clear();
        self.notes.push(Note::WindowLeft(reason.clone()));
        self.state = State::Ending { again: None };
        Step::Act(self.end_window(now, open.window, end, reason))
    }

    fn end_window(&self, now: Ms, window: WindowId, end: WindowEnd, reason: Reason) -> Action {
        Action::Ledger(vec![LedgerOp::EndWindow {
            window,
            end,
            reason,
            now,
        }])
    }

    fn fail(&mut self, reason: Reason) -> Step {
        self.stopped = Some(Stopped::Source(reason));
        Step::Done
    }
}

/// Whether pages shifted while they were read: the source's total changed, or fewer rows came than it says. A row that
/// left the window (it was changed, or deleted) moves later ones up past the page bound, unread.
fn shifted(open: &Open, page: &Page) -> Option<String> {
    let total = page.total?;
    match open.total {
        Some(first) if first != total => Some(format!("{first} -> {total}")),
        _ if !page.more && total > open.raw_rows => Some(format!("{} / {total}", open.raw_rows)),
        _ => None,
    }
}
