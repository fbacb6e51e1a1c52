//! One reading of one window: what its pages have shown so far, and whether they prove that no row was passed over.
//!
//! A row that leaves a window, or moves within it, while pages are read by number or offset shifts all later ones: one
//! slips over a page bound, unread. What proves that this did not happen depends on what the source can do:
//!
//! | the source | proof |
//! |---|---|
//! | asks behind the last row of the page before | none needed: nothing shifts; but see `Shifts::Moving` |
//! | asks for what changed since a version | none needed; see [`crate::version`] |
//! | gives everything in one page | none needed: one answer is one moment |
//! | says a total, and rows only leave | the total stays, as many rows came, none came twice |
//! | anything else | every page is looked at again after the last one, and all are still the same |
//!
//! The third row holds where no row arrives any more, which is so for time that has settled. So a window of several
//! pages that reaches into unsettled time is read in two parts; the young part closes nothing and needs no proof.

use std::collections::BTreeSet;

use crate::codes;
use crate::event::{Page, Paging, Shifts};
use crate::ids::{Ms, WindowId};
use crate::op::{Cursor, Reason};
use crate::window::Slice;

/// Rows of one reading that are known one by one. Beyond, rows that come twice are found only by whole pages: a
/// million hashes are a few dozen megabytes.
const MAX_KNOWN_ROWS: usize = 1_000_000;
/// Pages in a row without a row that was not there before, after which the source is taken to go round in circles.
const MAX_DULL_PAGES: u32 = 2;

/// A window to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Todo {
    /// `None` = the scheme has no window.
    pub(crate) slice: Option<Slice>,
    pub(crate) cursor: Cursor,
    /// How many times it was cut in two because its pages never stood still.
    pub(crate) cuts: u32,
    /// From 1: which reading of it.
    pub(crate) readings: u32,
}

/// A window being read.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub(crate) window: WindowId,
    pub(crate) todo: Todo,
    pub(crate) page: u32,
    pub(crate) tries: u32,
    pub(crate) raw_rows: u64,
    /// The source's total on the first page that said one.
    pub(crate) total: Option<u64>,
    /// Our clock, and the source's own, when the first page came.
    pub(crate) began: Option<(Ms, Option<Ms>)>,
    /// Pages shifted in the last reading allowed: read on, but do not close.
    pub(crate) shifted: Option<Reason>,
    /// The second look: the last page, not staged yet, and the number of the page that is looked at.
    pub(crate) again: Option<(Box<Page>, u32)>,
    pages: Vec<u64>,
    known_pages: BTreeSet<u64>,
    known_rows: BTreeSet<u64>,
    marks: BTreeSet<u64>,
    dull: u32,
    /// A row stood on two pages.
    twice: bool,
}

/// What a page means for its window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    /// Nothing is wrong with it.
    Good,
    /// Pages shifted while they were read.
    Shifted(Reason),
    /// One query cannot give the whole window.
    TooLarge(Reason),
    /// The source does not page as its connector says.
    Broken(Reason),
}

impl Reading {
    pub(crate) fn new(window: WindowId, todo: Todo) -> Self {
        Reading {
            window,
            todo,
            page: 1,
            tries: 1,
            raw_rows: 0,
            total: None,
            began: None,
            shifted: None,
            again: None,
            pages: Vec::new(),
            known_pages: BTreeSet::new(),
            known_rows: BTreeSet::new(),
            marks: BTreeSet::new(),
            dull: 0,
            twice: false,
        }
    }

    /// Takes a page into account.
    pub(crate) fn take(&mut self, page: &Page, paging: &Paging) -> Finding {
        if let Some(reason) = self.goes_round(page, paging) {
            return Finding::Broken(reason);
        }
        self.raw_rows += page.raw_rows;
        self.pages.push(page.fingerprint);
        if let Some(most) = paging.max_rows
            && self.exceeds(most, page)
        {
            return Finding::TooLarge(Reason::new(codes::CAPPED, most.to_string()));
        }
        if page.more && self.page >= paging.max_pages {
            return Finding::TooLarge(Reason::new(codes::TOO_MANY_PAGES, paging.max_pages.to_string()));
        }
        // Behind the last row of the page before, a total may well be what is left.
        let shifted = match paging.shifts {
            Shifts::Never => None,
            Shifts::Leaving | Shifts::Moving => self.miscounts(page),
        };
        self.total = self.total.or(page.total);
        match shifted {
            // What closes nothing is read again anyway.
            Some(text) if self.closes_or_has_no_window() => {
                Finding::Shifted(Reason::new(codes::UNSTABLE, text))
            }
            Some(_) | None => Finding::Good,
        }
    }

    /// More rows than one query gives. As many as that, without a total, may be all or the first of many.
    fn exceeds(&self, most: u64, page: &Page) -> bool {
        match page.total {
            Some(total) => total > most,
            None => self.raw_rows >= most,
        }
    }

    /// The same page, the same mark, or only rows that were there before.
    fn goes_round(&mut self, page: &Page, paging: &Paging) -> Option<Reason> {
        // By version, progress is seen by the versions; what shares one comes again.
        let told = page.versions.is_none();
        if told && page.raw_rows > 0 && !self.known_pages.insert(page.fingerprint) {
            return Some(Reason::new(codes::REPEATED_PAGE, ""));
        }
        if let (true, Some(mark)) = (page.more, page.mark)
            && !self.marks.insert(mark)
        {
            return Some(Reason::new(codes::NO_PROGRESS, self.page.to_string()));
        }
        let fresh = page.prints.iter().any(|row| !self.known_rows.contains(row));
        self.twice |= page.prints.iter().any(|row| self.known_rows.contains(row));
        if self.known_rows.len() < MAX_KNOWN_ROWS {
            self.known_rows.extend(&page.prints);
        }
        self.dull = if fresh || page.prints.is_empty() {
            0
        } else {
            self.dull + 1
        };
        // Where there is a total, or a mark that grows, reading ends by itself, and rows may well look alike.
        let counted = page.total.or(self.total).is_some() || page.mark.is_some();
        let endless = paging.shifts != Shifts::Never && !counted && page.more;
        (endless && self.dull >= MAX_DULL_PAGES)
            .then(|| Reason::new(codes::NO_PROGRESS, self.page.to_string()))
    }

    /// The source's total changed, or it is not the number of rows that came.
    fn miscounts(&self, page: &Page) -> Option<String> {
        // Some sources say it on the first page only; it holds for those that follow.
        let total = page.total.or(self.total)?;
        match self.total {
            Some(first) if first != total => Some(format!("{first} -> {total}")),
            _ if self.raw_rows > total || (!page.more && total > self.raw_rows) => {
                Some(format!("{} / {total}", self.raw_rows))
            }
            _ => None,
        }
    }

    fn closes_or_has_no_window(&self) -> bool {
        self.todo.slice.is_none_or(|slice| slice.closes.is_some())
    }

    /// After the last page: whether every page must be looked at again before the interval may close.
    pub(crate) fn wants_second_look(&self, paging: &Paging) -> bool {
        let closes = self.todo.slice.is_some_and(|slice| slice.closes.is_some());
        let counted = self.total.is_some() && paging.shifts == Shifts::Leaving && !self.twice;
        closes && self.pages.len() > 1 && paging.shifts != Shifts::Never && !counted
    }

    /// Whether a page of the second look is the page that was read.
    pub(crate) fn is_still(&self, number: u32, page: &Page) -> bool {
        let place = usize::try_from(number - 1).unwrap_or(usize::MAX);
        let last = place + 1 == self.pages.len();
        self.pages.get(place) == Some(&page.fingerprint) && page.more != last
    }

    /// Pages of this reading.
    pub(crate) fn pages(&self) -> u32 {
        u32::try_from(self.pages.len()).unwrap_or(u32::MAX)
    }
}
