//! The model source: trades with a stamp, read by time window, page by page.

use flow::ids::Ms;
use flow::window::Interval;

use super::content::{Content, Kind};
use super::rng::Rng;
use super::setup::{BEGIN, Drift, HOUR, Setup};

/// Trades at the start.
const FIRST: u32 = 25;
/// Changes of all kinds in one world.
const CHANGES: u32 = 60;

/// A trade as it is now.
#[derive(Debug, Clone)]
pub(super) struct Trade {
    /// Last change; decides the window it is in.
    pub(super) stamp: Ms,
    /// Committed then; not visible before.
    pub(super) visible: Ms,
    /// What it says.
    pub(super) content: Content,
}

/// The source.
#[derive(Debug)]
pub(super) struct Source {
    /// By number.
    pub(super) trades: Vec<Trade>,
    serial: u32,
    changes: u32,
}

/// A page.
pub(super) struct Rows {
    /// In order.
    pub(super) rows: Vec<Content>,
    /// Rows of the window at this moment.
    pub(super) total: usize,
    /// There is another page.
    pub(super) more: bool,
}

impl Source {
    /// A source with some history.
    pub(super) fn new(setup: &Setup, rng: &mut Rng) -> Self {
        let mut source = Source {
            trades: Vec::new(),
            serial: 0,
            changes: 0,
        };
        for _ in 0..FIRST {
            let stamp = BEGIN - rng.between(HOUR / 2, 47 * HOUR);
            source.add(setup, rng, stamp, stamp);
        }
        source
    }

    fn add(&mut self, setup: &Setup, rng: &mut Rng, stamp: Ms, visible: Ms) {
        let number = u32::try_from(self.trades.len()).expect("few trades");
        let customer = if setup.several { number / 3 } else { number };
        let content = self.content(setup, rng, customer);
        self.trades.push(Trade {
            stamp,
            visible,
            content,
        });
    }

    fn content(&mut self, setup: &Setup, rng: &mut Rng, customer: u32) -> Content {
        self.serial += 1;
        let kind = if rng.in_thousand(setup.special) {
            rng.pick(&[
                Kind::Poison,
                Kind::Broken,
                Kind::Filtered,
                Kind::Keyless,
                Kind::Deferred,
                Kind::Deferred,
                Kind::Deferred,
                Kind::Void,
            ])
        } else {
            Kind::Plain
        };
        Content {
            customer,
            serial: self.serial,
            kind,
        }
    }

    /// Somebody works at the source.
    pub(super) fn change(&mut self, setup: &Setup, rng: &mut Rng, now: Ms, drift: Option<Drift>) {
        if self.changes >= CHANGES {
            return;
        }
        self.changes += 1;
        // Late rows come within the scheme's `settle`.
        let settle = setup.window.map_or(0, |window| window.settle);
        let late = if drift == Some(Drift::Leave) {
            0
        } else {
            rng.between(0, settle)
        };
        if drift == Some(Drift::Arrive) || rng.in_thousand(300) {
            self.add(setup, rng, now - late, now);
            return;
        }
        let last = i64::try_from(self.trades.len()).expect("few trades");
        let at = usize::try_from(rng.between(0, last)).expect("an index");
        let customer = self.trades[at].content.customer;
        let back_to = self.trades[at].content;
        let mut content = self.content(setup, rng, customer);
        // Sometimes only the stamp changes.
        if rng.in_thousand(200) {
            content = back_to;
        }
        self.trades[at] = Trade {
            stamp: now,
            visible: now,
            content,
        };
    }

    /// One page of a window, as it is now.
    pub(super) fn page(&self, setup: &Setup, asked: Option<Interval>, page: u32, now: Ms) -> Rows {
        let mut rows: Vec<(Ms, usize)> = self
            .trades
            .iter()
            .enumerate()
            .filter(|(_, trade)| trade.visible <= now)
            .filter(|(_, trade)| {
                asked.is_none_or(|asked| asked.from <= trade.stamp && trade.stamp < asked.to)
            })
            .map(|(number, trade)| (trade.stamp, number))
            .collect();
        rows.sort_unstable();
        let total = rows.len();
        // Beyond its ceiling the source gives nothing, and does not say so.
        if let Some(most) = setup.ceiling {
            rows.truncate(usize::try_from(most).expect("small"));
        }
        let skip = usize::try_from(page - 1).expect("small") * setup.page;
        let rows: Vec<Content> = rows
            .into_iter()
            .skip(skip)
            .take(setup.page)
            .map(|(_, number)| self.trades[number].content)
            .collect();
        let more = if setup.total && setup.ceiling.is_none() {
            skip + rows.len() < total
        } else {
            rows.len() == setup.page
        };
        Rows { rows, total, more }
    }
}
