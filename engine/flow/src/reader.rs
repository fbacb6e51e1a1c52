//! The reading half of a run: slices, pages, staging, closing.
//!
//! A page is staged before the next one is asked for, and only the transaction of a window's last page closes its
//! interval. A window that cannot be proven complete is left open and read again by the next run. What is a proof is
//! [`crate::reading`]'s.

use std::collections::VecDeque;

use crate::codes;
use crate::event::{
    Action, Event, Inbox, Look, Note, Page, ReadFailure, ReadFailureKind, Shifts, SourceFacts, Stopped,
    TargetFacts, Waiting,
};
use crate::ids::{Ms, RunId, WindowId};
use crate::op::{Cursor, LedgerOp, LedgerReply, Reason, WindowEnd};
use crate::reading::{Finding, Reading, Todo};
use crate::retry::Retry;
use crate::settle::MAX_WAIT;
use crate::skew::{self, Skew};
use crate::version::{ByVersion, VersionMarks};
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

/// Pages of what was sent that one run takes: a sender that never pauses would otherwise keep a run from its end. What is
/// left is the next run's.
const INBOX_PAGES: u32 = 1_000;

/// Cuts of one window whose pages never stand still: 16 parts, each read three times. A part of one page is still.
const MAX_CUTS: u32 = 4;

/// What the reader needs to know of its run.
pub(crate) struct Reader {
    run: RunId,
    scheme: String,
    store_only: bool,
    updates: bool,
    source: SourceFacts,
    most: Most,
    todo: VecDeque<Todo>,
    state: State,
    instant: Ms,
    skew: Skew,
    /// The source's clock when it gave the page at hand.
    clock: Option<Ms>,
    warned: bool,
    /// The window that was paused for back-pressure: continue at this page.
    paused: Option<Box<Reading>>,
    /// A stretch that the source has forgotten, to be noted in the ledger first.
    lost: Option<Interval>,
    pub(crate) open_records: u64,
    versions: Option<ByVersion>,
    /// New or changed records so far.
    pub(crate) taken: u64,
    pub(crate) pages: u64,
    pub(crate) rows: u64,
    /// The scheme's own pace, where it has one.
    pub(crate) retry: Retry,
    pub(crate) windows_left: u32,
    /// One of them for another reason than that there is enough for this run.
    pub(crate) failed: bool,
    pub(crate) stopped: Option<Stopped>,
    notes: Vec<Note>,
}

/// New or changed records after which reading stops.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Most {
    /// The person's who started the run: silently.
    pub(crate) by_hand: Option<u64>,
    /// The scheme's brake: told, and what is left is left open.
    pub(crate) brake: Option<u64>,
    /// Open records at which reading waits for the writing half.
    pub(crate) open: u64,
}

enum State {
    Next,
    Losing,
    Opening(Todo),
    Fetching(Box<Reading>),
    Staging { open: Box<Reading>, last: bool },
    Resting(Box<Reading>),
    Ending { again: Option<Todo> },
}

/// What there is to read.
pub(crate) struct ToRead {
    pub(crate) slices: Vec<(Slice, Cursor)>,
    pub(crate) lost: Option<Interval>,
    /// The instant of the run.
    pub(crate) instant: Ms,
    /// From which versions a source that is read by them goes on.
    pub(crate) versions: Option<VersionMarks>,
    /// How many pushes wait.
    pub(crate) waiting: u64,
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
        target: Option<&TargetFacts>,
        source: SourceFacts,
        most: Most,
        to_read: ToRead,
        open_records: u64,
    ) -> Self {
        let todo = |slice, cursor| Todo {
            slice,
            cursor,
            cuts: 0,
            readings: 1,
        };
        let mut queue: VecDeque<Todo> = match (source.window, source.inbox) {
            (_, Inbox::Only) => VecDeque::new(),
            (Some(_), _) => to_read
                .slices
                .into_iter()
                .map(|(slice, cursor)| todo(Some(slice), cursor))
                .collect(),
            (None, _) => VecDeque::from([todo(None, Cursor::Live)]),
        };
        let mut notes = Vec::new();
        if source.inbox != Inbox::None && to_read.waiting > 0 {
            queue.push_front(todo(None, Cursor::Inbox));
            notes.push(Note::Receiving(to_read.waiting));
        }
        Reader {
            run,
            scheme: scheme.to_owned(),
            store_only: target.is_none(),
            updates: target.is_none_or(|target| target.updates),
            versions: source
                .versions
                .clone()
                .map(|rule| ByVersion::new(rule, to_read.versions)),
            source,
            most,
            todo: queue,
            state: State::Next,
            instant: to_read.instant,
            skew: Skew::default(),
            clock: None,
            warned: false,
            paused: None,
            lost: to_read.lost,
            open_records,
            taken: 0,
            pages: 0,
            rows: 0,
            retry: Retry::default(),
            windows_left: 0,
            failed: false,
            stopped: None,
            notes,
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
        self.todo.clear();
        self.lost = None;
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
            (State::Next, _) => self.next(),
            (State::Losing, Some(Event::Ledger(replies))) => {
                let Some(LedgerReply::WindowOpened(window)) = replies.into_iter().next() else {
                    return self.fail(Reason::new(codes::BUG, "window not opened"));
                };
                self.state = State::Ending { again: None };
                let reason = Reason::new(codes::FORGOTTEN, "");
                Step::Act(self.end_window(now, window, WindowEnd::Failed, reason))
            }
            (State::Opening(todo), Some(Event::Ledger(replies))) => {
                let Some(LedgerReply::WindowOpened(window)) = replies.into_iter().next() else {
                    return self.fail(Reason::new(codes::BUG, "window not opened"));
                };
                match &self.versions {
                    _ if todo.cursor == Cursor::Inbox => {}
                    Some(versions) => self.notes.push(Note::ReadingSince(versions.since())),
                    None => self
                        .notes
                        .push(Note::Reading(todo.slice.map(|slice| slice.asked))),
                }
                self.fetch(Box::new(Reading::new(window, todo)))
            }
            (State::Fetching(open), Some(Event::Page(page))) => self.page(now, open, page),
            (State::Fetching(open), Some(Event::ReadFailed(failure))) => self.failed(now, open, failure),
            (State::Resting(open), Some(Event::Woke)) => self.fetch(open),
            (State::Staging { open, last }, Some(Event::Ledger(replies))) => {
                self.staged(now, open, last, replies)
            }
            (State::Ending { again }, Some(Event::Ledger(_))) => match again {
                Some(todo) => self.open(todo),
                None if self.stopped.is_some() => Step::Done,
                None => self.next(),
            },
            (_, _) => self.fail(Reason::new(codes::BUG, "event out of order while reading")),
        }
    }

    /// The next window, or the paused one.
    fn next(&mut self) -> Step {
        if let Some(open) = self.paused.take() {
            if self.open_records >= self.most.open {
                self.paused = Some(open);
                return Step::Paused;
            }
            return self.fetch(open);
        }
        if let Some(asked) = self.lost.take() {
            self.windows_left += 1;
            self.notes.push(Note::Lost(asked));
            self.state = State::Losing;
            return Step::Act(self.open_window(asked, Cursor::Live));
        }
        if self.most.by_hand.is_some_and(|most| self.taken >= most) {
            self.todo.clear();
        }
        if !self.todo.is_empty()
            && let Some(reason) = self.braked()
        {
            self.todo.clear();
            self.windows_left += 1;
            self.notes.push(Note::WindowLeft(reason));
        }
        match self.todo.pop_front() {
            Some(todo) => {
                self.tell_sweep(&todo);
                self.open(todo)
            }
            None => Step::Done,
        }
    }

    fn open(&mut self, todo: Todo) -> Step {
        self.state = State::Opening(todo);
        // A scheme without a window still gets a row in the ledger: it is what the pages belong to.
        let asked = todo
            .slice
            .map_or(Interval { from: 0, to: 0 }, |slice| slice.asked);
        Step::Act(self.open_window(asked, todo.cursor))
    }

    fn open_window(&self, asked: Interval, cursor: Cursor) -> Action {
        Action::Ledger(vec![LedgerOp::OpenWindow {
            run: self.run,
            scheme: self.scheme.clone(),
            asked,
            cursor,
        }])
    }

    fn fetch(&mut self, open: Box<Reading>) -> Step {
        let (page, look) = match &open.again {
            Some((_, number)) => (*number, Look::Again),
            None => (open.page, Look::Rows),
        };
        let action = Action::Fetch {
            window: open.window,
            asked: open.todo.slice.map(|slice| slice.asked),
            since: (open.todo.cursor != Cursor::Inbox)
                .then(|| self.versions.as_ref().map(ByVersion::since))
                .flatten(),
            page,
            cursor: open.todo.cursor,
            look,
        };
        self.state = State::Fetching(open);
        Step::Act(action)
    }

    fn page(&mut self, now: Ms, mut open: Box<Reading>, page: Page) -> Step {
        let clock = self.clock.take();
        if open.todo.cursor == Cursor::Inbox {
            // What was sent proves itself: nothing shifts, and two pushes may well look alike.
            return self.stage(now, open, page);
        }
        if let Some(clock) = clock {
            self.skew.add(clock, now);
        }
        if let Some(reason) = self.too_skewed(now) {
            self.stopped = Some(Stopped::Source(reason.clone()));
            return self.leave(now, open, reason);
        }
        open.began.get_or_insert((now, clock));
        if let Some((_, number)) = &open.again {
            let number = *number;
            return self.looked_again(now, open, number, &page);
        }
        if let Some(versions) = &mut self.versions
            && let Err(reason) = versions.take(&page)
        {
            return self.leave(now, open, reason);
        }
        match open.take(&page, &self.source.paging) {
            Finding::Broken(reason) => return self.leave(now, open, reason),
            Finding::TooLarge(reason) => return self.halve(now, open, reason),
            Finding::Shifted(reason) => match self.shifted(now, open, reason) {
                Ok(last_chance) => open = last_chance,
                Err(step) => return step,
            },
            Finding::Good => {}
        }
        if let Some(at) = self.unsettled_from(&open, &page) {
            return self.part(now, open, at);
        }
        let last = !page.more;
        if last && open.shifted.is_none() && open.wants_second_look(&self.source.paging) {
            open.again = Some((Box::new(page), 1));
            open.tries = 1;
            return self.fetch(open);
        }
        self.stage(now, open, page)
    }

    /// A page of the second look.
    fn looked_again(&mut self, now: Ms, mut open: Box<Reading>, number: u32, page: &Page) -> Step {
        let still = open.is_still(number, page);
        if still && number < open.pages() {
            if let Some((_, next)) = &mut open.again {
                *next += 1;
            }
            open.tries = 1;
            return self.fetch(open);
        }
        let held = open.again.take();
        if !still {
            let reason = Reason::new(codes::CHANGED_PAGE, number.to_string());
            match self.shifted(now, open, reason) {
                Ok(last_chance) => open = last_chance,
                Err(step) => return step,
            }
        }
        match held {
            Some((page, _)) => self.stage(now, open, *page),
            None => self.fail(Reason::new(codes::BUG, "a second look without a page")),
        }
    }

    /// Read again from the first page, then in halves; at last (`Ok`) what was read is stored all the same, or a source
    /// that is never quiet would hand over nothing.
    #[expect(clippy::result_large_err, reason = "a step is moved once, never stored")]
    fn shifted(&mut self, now: Ms, mut open: Box<Reading>, reason: Reason) -> Result<Box<Reading>, Step> {
        if open.todo.readings < WINDOW_READINGS {
            self.notes.push(Note::ReadAgain(reason.clone()));
            let again = Todo {
                readings: open.todo.readings + 1,
                ..open.todo
            };
            self.state = State::Ending { again: Some(again) };
            return Err(Step::Act(self.end_window(
                now,
                open.window,
                WindowEnd::Unstable,
                reason,
            )));
        }
        // One page is one moment: parts of it would be no quieter.
        let halves = open.todo.slice.and_then(Slice::halves);
        if let Some(halves) = halves.filter(|_| open.pages() > 1 && open.todo.cuts < MAX_CUTS) {
            return Err(self.read_parts(now, &open, halves, WindowEnd::Unstable, reason));
        }
        open.shifted = Some(reason);
        Ok(open)
    }

    /// The window is more than one query gives.
    fn halve(&mut self, now: Ms, open: Box<Reading>, reason: Reason) -> Step {
        match open.todo.slice.and_then(Slice::halves) {
            Some(halves) => {
                let reason = Reason::new(codes::PARTED, reason.text);
                self.read_parts(now, &open, halves, WindowEnd::Left, reason)
            }
            None => self.leave(now, open, reason),
        }
    }

    /// Where a window of several pages reaches into time in which rows may still arrive.
    fn unsettled_from(&self, open: &Reading, page: &Page) -> Option<Ms> {
        let slice = open.todo.slice?;
        let settled = self.closes(open)?.to;
        let several = page.more && open.page == 1;
        let counts = self.source.paging.shifts != Shifts::Never;
        (several && counts && settled < slice.asked.to).then_some(settled)
    }

    fn part(&mut self, now: Ms, open: Box<Reading>, at: Ms) -> Step {
        match open.todo.slice.and_then(|slice| slice.parted(at)) {
            Some(parts) => {
                let reason = Reason::new(codes::PARTED, "");
                self.read_parts(now, &open, parts, WindowEnd::Left, reason)
            }
            None => self.fail(Reason::new(codes::BUG, "a window cannot be parted")),
        }
    }

    fn read_parts(
        &mut self,
        now: Ms,
        open: &Reading,
        parts: [Slice; 2],
        end: WindowEnd,
        reason: Reason,
    ) -> Step {
        let [first, second] = parts.map(|part| Todo {
            slice: Some(part),
            cursor: open.todo.cursor,
            cuts: open.todo.cuts + u32::from(end == WindowEnd::Unstable),
            readings: 1,
        });
        self.todo.push_front(second);
        self.todo.push_front(first);
        self.state = State::Ending { again: None };
        Step::Act(self.end_window(now, open.window, end, reason))
    }

    fn stage(&mut self, now: Ms, open: Box<Reading>, page: Page) -> Step {
        let inbox = open.todo.cursor == Cursor::Inbox;
        let last = !page.more || inbox && open.page >= INBOX_PAGES;
        self.pages += 1;
        self.rows += page.rows.len() as u64;
        let marks = self
            .versions
            .as_mut()
            .filter(|_| !inbox)
            .and_then(|versions| versions.stored(last, now));
        let take = inbox.then(|| LedgerOp::TakePushes {
            run: self.run,
            scheme: self.scheme.clone(),
            pushes: page.pushes,
            now,
        });
        let note = marks.zip(self.source.versions.as_ref());
        let note = note.map(|(marks, rule)| LedgerOp::NoteVersions {
            scheme: self.scheme.clone(),
            source: rule.source.clone(),
            marks,
        });
        let op = LedgerOp::StagePage {
            run: self.run,
            window: open.window,
            scheme: self.scheme.clone(),
            page: open.page,
            rows: page.rows,
            total: page.total,
            fingerprint: page.fingerprint,
            on_seen: self.source.on_seen,
            updates: self.updates,
            store_only: self.store_only,
            close: (last && open.shifted.is_none()).then(|| self.closes(&open)),
            now,
        };
        self.state = State::Staging { open, last };
        Step::Act(Action::Ledger([op].into_iter().chain(note).chain(take).collect()))
    }

    fn staged(&mut self, now: Ms, mut open: Box<Reading>, last: bool, replies: Vec<LedgerReply>) -> Step {
        let Some(LedgerReply::Staged {
            outcomes,
            open: open_records,
            suspicious,
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
        if let (Some(usual), Some(slice)) = (suspicious, open.todo.slice) {
            let asked = slice.asked;
            self.notes.push(Note::Suspicious { asked, usual });
        }
        if last {
            return match open.shifted.clone() {
                Some(reason) => self.leave_as(now, &open, WindowEnd::Unstable, reason),
                None => self.next(),
            };
        }
        open.page += 1;
        open.tries = 1;
        if let Some(reason) = self.braked() {
            return self.leave_as(now, &open, WindowEnd::Left, reason);
        }
        if self.most.by_hand.is_some_and(|most| self.taken >= most) {
            self.todo.clear();
            self.state = State::Ending { again: None };
            let reason = Reason::new(codes::LIMIT, "");
            return Step::Act(self.end_window(now, open.window, WindowEnd::Left, reason));
        }
        if self.open_records >= self.most.open {
            self.paused = Some(open);
            return Step::Paused;
        }
        self.fetch(open)
    }

    /// As much was read as one run may read.
    fn braked(&self) -> Option<Reason> {
        let most = self.most.brake.filter(|most| self.taken >= *most)?;
        Some(Reason::new(codes::MOST_RECORDS, most.to_string()))
    }

    /// What the last page closes: never what the source's own clock had not settled when the first page came. With our
    /// clock ahead of it, rows stamped inside the window are still to come.
    fn closes(&self, open: &Reading) -> Option<Interval> {
        let closes = open.todo.slice.and_then(|slice| slice.closes)?;
        let (Some(rule), Some((began, clock))) = (self.source.window, open.began) else {
            return Some(closes);
        };
        let median = self.skew.median().map(|skew| began + skew);
        match clock.into_iter().chain(median).min() {
            Some(clock) => closes.until(clock - rule.settle),
            None => Some(closes),
        }
    }

    /// Warns once of clocks that are apart; `Some` when they are too far apart to read by.
    /// A run for another instant (`--now`) may be meant for a source that lives at that time.
    fn too_skewed(&mut self, now: Ms) -> Option<Reason> {
        let ours = self.skew.median()?;
        let told = now + ours - self.instant;
        let skew = if told.abs() < ours.abs() { told } else { ours };
        if self.source.window.is_none() || skew.abs() <= skew::WARN {
            return None;
        }
        if skew.abs() > skew::STOP {
            return Some(Reason::new(codes::SKEWED, (skew / 1_000).to_string()));
        }
        if !std::mem::replace(&mut self.warned, true) {
            self.notes.push(Note::Skewed(skew));
        }
        None
    }

    fn tell_sweep(&mut self, todo: &Todo) {
        if todo.cursor == Cursor::Sweep
            && let Some(sweep) = self.source.sweep.take()
        {
            self.notes.push(Note::Sweeping(sweep.range));
        }
    }

    fn failed(&mut self, now: Ms, mut open: Box<Reading>, failure: ReadFailure) -> Step {
        let again = match failure.kind {
            ReadFailureKind::Config | ReadFailureKind::Unusable => false,
            ReadFailureKind::Unreachable
            | ReadFailureKind::Lost
            | ReadFailureKind::Wait
            | ReadFailureKind::Fault => open.tries < self.retry.most(PAGE_TRIES),
        };
        if again {
            // 1 s, 2 s, 4 s: a source that is only restarting is back by then; a longer outage is the next run's.
            let pause = self.retry.pause_told(failure.wait, open.tries).clamp(0, MAX_WAIT);
            self.notes.push(Note::ReadAgain(failure.reason));
            open.tries += 1;
            self.state = State::Resting(open);
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
        }
        self.leave(now, open, failure.reason)
    }

    fn leave(&mut self, now: Ms, open: Box<Reading>, reason: Reason) -> Step {
        self.leave_as(now, &open, WindowEnd::Failed, reason)
    }

    fn leave_as(&mut self, now: Ms, open: &Reading, end: WindowEnd, reason: Reason) -> Step {
        self.windows_left += 1;
        self.failed |= ![codes::LIMIT, codes::MOST_RECORDS].contains(&reason.code.as_str());
        // Later slices would leave a gap; it would be read again anyway.
        self.todo.clear();
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
