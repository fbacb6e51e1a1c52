//! What a fault changes while a call is executed: which page is read, which rows are refused or left out.
//!
//! The simulators ask it and know nothing of plans. What is not asked for is as it should be.

use crate::fault::{Fault, FaultKind};
use crate::journal::Delivery;

/// Which page a read gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Page {
    #[default]
    Asked,
    Before,
    First,
    Empty,
}

/// What becomes of some rows of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Fate {
    #[default]
    Usual,
    /// They are refused, one by one.
    Refused,
    /// The whole batch is refused when there is one, and the answer names no row.
    RefusedWhole,
    /// Executed, and named in neither list.
    Unnamed,
    /// Neither executed nor named.
    Dropped,
    /// All is executed; the answer has one row more.
    OneMore,
}

/// Rows of a batch: by place and by a text they hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    places: Vec<usize>,
    value: Option<String>,
}

impl Rows {
    pub(crate) fn of(places: Option<&[usize]>, value: Option<&str>) -> Rows {
        let first = if value.is_none() { &[0][..] } else { &[] };
        Rows {
            places: places.unwrap_or(first).to_vec(),
            value: value.map(str::to_owned),
        }
    }

    fn has(&self, place: usize, content: &str) -> bool {
        self.places.contains(&place) || self.value.as_ref().is_some_and(|text| content.contains(text))
    }
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Twist {
    pub(crate) page: Page,
    pub(crate) total_by: i64,
    /// Rows to insert, update and delete before the answer.
    pub(crate) moves: [u64; 3],
    pub(crate) delivery: Delivery,
    fate: Fate,
    rows: Rows,
}

impl Twist {
    pub(crate) fn of(fault: &Fault) -> Twist {
        let usual = Twist {
            rows: fault.rows.clone(),
            ..Twist::default()
        };
        let page = |page| Twist {
            page,
            ..usual.clone()
        };
        let fate = |fate| Twist {
            fate,
            ..usual.clone()
        };
        match fault.kind {
            FaultKind::RepeatedPage => page(Page::Before),
            FaultKind::IgnoresPaging => page(Page::First),
            FaultKind::EmptyPage => page(Page::Empty),
            FaultKind::RowErrors => fate(Fate::Refused),
            FaultKind::BatchRefused => fate(Fate::RefusedWhole),
            FaultKind::RowsUnnamed if fault.commit => fate(Fate::Unnamed),
            FaultKind::RowsUnnamed => fate(Fate::Dropped),
            FaultKind::WrongRowCount => fate(Fate::OneMore),
            FaultKind::WrongTotal => Twist {
                total_by: fault.total_by,
                ..usual
            },
            FaultKind::RowsMove => Twist {
                moves: fault.moves,
                ..usual
            },
            _ => usual,
        }
    }

    pub(crate) fn delivered(&self, delivery: Delivery) -> Twist {
        Twist {
            delivery,
            ..self.clone()
        }
    }

    /// What becomes of a row.
    pub(crate) fn fate(&self, place: usize, content: &str) -> Fate {
        if self.rows.has(place, content) {
            self.fate
        } else {
            Fate::Usual
        }
    }

    /// Whether the batch is refused whole.
    pub(crate) fn refuses_batch<'a>(&self, rows: impl Iterator<Item = &'a str>) -> bool {
        self.fate == Fate::RefusedWhole && rows.enumerate().any(|(n, row)| self.rows.has(n, row))
    }

    /// Whether the answer has a row more than the request.
    pub(crate) fn adds_a_row(&self) -> bool {
        self.fate == Fate::OneMore
    }

    /// A total as it is told.
    pub(crate) fn total(&self, real: u64) -> u64 {
        match self.page {
            Page::Empty => 0,
            _ => real.saturating_add_signed(self.total_by),
        }
    }

    /// The page number that is read instead, from 1; `None` for no row at all.
    pub(crate) fn page_number(&self, asked: u64) -> Option<u64> {
        match self.page {
            Page::Asked => Some(asked),
            Page::Before => Some(asked.saturating_sub(1).max(1)),
            Page::First => Some(1),
            Page::Empty => None,
        }
    }

    /// The first row that is read instead, from 0; `None` for no row at all.
    pub(crate) fn first_row(&self, asked: usize, size: usize) -> Option<usize> {
        match self.page {
            Page::Asked => Some(asked),
            Page::Before => Some(asked.saturating_sub(size)),
            Page::First => Some(0),
            Page::Empty => None,
        }
    }
}
