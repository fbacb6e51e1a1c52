//! The seeded rows of every source: customers and their sales, computed from their number on demand.
//!
//! All sources tell of the same sales, each in its own words (`rows` beside each simulator).
//!
//! Promises: the same seed and base time give the same rows for ever; no row is kept in memory, so
//! 200,000 trades cost nothing; rows are numbered in order of time, so a window of time is a range
//! of numbers and paging over it is stable. What control adds later (renamed customers, fresh
//! trades) is kept in [`Changes`] and comes after the seeded rows of a window, unless it is told to
//! come before them; seeded rows can be deleted and moved, so that paging is not stable any more.

use std::collections::{BTreeMap, BTreeSet};

use crate::names;
use crate::sale::{Buyer, Sale};

/// Most seeded trades; a bound against a slip of the finger, far above any test.
pub(crate) const MAX_TRADES: u64 = 5_000_000;
/// Most trades added by control; they are kept in memory and searched one by one.
pub(crate) const MAX_ADDED: usize = 200_000;
const TRADES_PER_CUSTOMER: u64 = 4;
/// Customers of other kinds get numbers from here, so that a bigger data set never meets them.
const REFUSED_FROM: u64 = 1 << 40;
const NEW_FROM: u64 = 1 << 41;

/// A well-mixed number for a place of a stream (splitmix64).
pub(crate) fn draw(seed: u64, stream: u64, index: u64) -> u64 {
    let mut z = seed
        .wrapping_add(stream.wrapping_mul(0x9E37_79B9_7F4A_7C15))
        .wrapping_add(index.wrapping_add(1).wrapping_mul(0xBF58_476D_1CE4_E5B9));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// What is generated.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    pub(crate) seed: u64,
    pub(crate) trades: u64,
    pub(crate) refuse: u64,
    pub(crate) invalid: u64,
    /// End of the seeded trades: the sandbox's clock when the data set was made.
    pub(crate) base_ms: i64,
    /// The seeded trades lie in `[base_ms - spread_ms, base_ms)`.
    pub(crate) spread_ms: i64,
}

/// What control has changed since.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    /// Customer -> how often it was renamed.
    pub(crate) versions: BTreeMap<u64, u32>,
    /// Trades added, in order of arrival.
    pub(crate) added: Vec<Added>,
    pub(crate) new_customers: u64,
    /// Where the next rename goes on.
    pub(crate) cursor: u64,
    /// Seeded trades that are not at their place any more: deleted or moved.
    pub(crate) gone: BTreeSet<u64>,
    /// Seeded trades with another time, in the order they were moved.
    pub(crate) moved: Vec<(u64, i64)>,
    /// Drifts so far; each draws other rows.
    pub(crate) drifts: u64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Added {
    pub(crate) at_ms: i64,
    pub(crate) customer: u64,
    /// Before the seeded rows of a window instead of after them.
    pub(crate) first: bool,
}

/// Rows that move while somebody reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moves {
    pub(crate) inserted_ms: i64,
    pub(crate) inserted: u64,
    pub(crate) updated: Vec<u64>,
    pub(crate) deleted: Vec<u64>,
}

/// One row of a window: where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    Seeded(u64),
    Refused(u64),
    Invalid(u64),
    Added(usize),
    /// A seeded one with another time.
    Moved(u64, i64),
}

impl Data {
    /// Ordinary customers; each has at least one trade.
    pub(crate) fn customers(&self) -> u64 {
        if self.trades == 0 {
            0
        } else {
            (self.trades / TRADES_PER_CUSTOMER).max(1)
        }
    }

    /// All customers that can be listed: ordinary, refused by the target, added by control.
    pub(crate) fn customer_count(&self, changes: &Changes) -> u64 {
        self.customers() + self.refuse + changes.new_customers
    }

    /// The code of the n-th listed customer.
    fn customer_code(&self, n: u64) -> u64 {
        if n < self.customers() {
            n
        } else if n < self.customers() + self.refuse {
            REFUSED_FROM + (n - self.customers())
        } else {
            NEW_FROM + (n - self.customers() - self.refuse)
        }
    }

    pub(crate) fn new_customer_code(n: u64) -> u64 {
        NEW_FROM + n
    }

    /// Numbers whose save the target refuses.
    pub(crate) fn refused_cids(&self) -> impl Iterator<Item = String> {
        (0..self.refuse).map(|r| cid(REFUSED_FROM + r))
    }

    /// The next `n` customers to rename: all different, spread over the data set.
    pub(crate) fn choose(&self, cursor: u64, n: u64) -> Vec<u64> {
        let all = self.customers();
        let step = coprime_step(all, draw(self.seed, 9, 0));
        (0..n.min(all))
            .map(|k| affine(cursor.wrapping_add(k) % all, step, 0, all))
            .collect()
    }

    /// Time of a seeded trade; never decreasing, now and then equal to its neighbour's.
    fn trade_ms(&self, i: u64) -> i64 {
        let i = if i % 8 == 7 { i - 1 } else { i };
        let (i, n, spread) = (
            i128::from(i),
            i128::from(self.trades.max(1)),
            i128::from(self.spread_ms),
        );
        let (from, to) = (i * spread / n, (i + 1) * spread / n);
        let gap = (to - from).max(1);
        let h = draw(self.seed, 2, u64::try_from(i).unwrap_or(0));
        let offset = i64::try_from(from + i128::from(h) % gap).unwrap_or(0);
        self.base_ms - self.spread_ms + offset
    }

    /// Buyer of a seeded trade: every stretch of trades as long as the customer list has each
    /// customer once, in an order of its own.
    fn trade_buyer(&self, i: u64) -> u64 {
        let all = self.customers();
        let (block, place) = (i / all, i % all);
        let h = draw(self.seed, 3, block);
        affine(place, coprime_step(all, h), h >> 32, all)
    }

    /// First seeded trade at or after `ms`.
    fn first_at(&self, ms: i64) -> u64 {
        let (mut low, mut high) = (0, self.trades);
        while low < high {
            let middle = u64::midpoint(low, high);
            if self.trade_ms(middle) < ms {
                low = middle + 1
            } else {
                high = middle
            }
        }
        low
    }

    fn special_ms(&self, stream: u64, n: u64) -> i64 {
        let spread = u64::try_from(self.spread_ms.max(1)).unwrap_or(1);
        let offset = i64::try_from(draw(self.seed, stream, n) % spread).unwrap_or(0);
        self.base_ms - self.spread_ms + offset
    }

    /// The sales of `[start, end)`: their number and those of one page.
    pub(crate) fn sales(
        &self,
        changes: &Changes,
        span: (i64, i64),
        skip: u64,
        take: u64,
    ) -> (u64, Vec<Sale>) {
        let window = self.window(changes, span);
        let to = window.total.min(skip.saturating_add(take));
        let sales = (skip..to).map(|n| self.sale(changes, window.row(self, changes, n)));
        (window.total, sales.collect())
    }

    /// The same, of those sales only that `is_meant`; looks at every sale of the window.
    pub(crate) fn sales_where(
        &self,
        changes: &Changes,
        span: (i64, i64),
        page: (u64, u64),
        is_meant: impl Fn(&Sale) -> bool,
    ) -> (u64, Vec<Sale>) {
        let window = self.window(changes, span);
        let (skip, take) = page;
        let (mut total, mut sales) = (0, Vec::new());
        for n in 0..window.total {
            let sale = self.sale(changes, window.row(self, changes, n));
            if is_meant(&sale) {
                if (skip..skip.saturating_add(take)).contains(&total) {
                    sales.push(sale);
                }
                total += 1;
            }
        }
        (total, sales)
    }

    fn window(&self, changes: &Changes, span: (i64, i64)) -> Window {
        let inside = |ms: i64| span.0 <= ms && ms < span.1;
        let (low, high) = (self.first_at(span.0), self.first_at(span.1));
        let seeded = self.live(changes, low, high);
        let mut later: Vec<Row> = Vec::new();
        later.extend(
            (0..self.refuse)
                .filter(|r| inside(self.special_ms(4, *r)))
                .map(Row::Refused),
        );
        later.extend(
            (0..self.invalid)
                .filter(|r| inside(self.special_ms(5, *r)))
                .map(Row::Invalid),
        );
        let added = |first: bool| {
            let rows = changes.added.iter().enumerate();
            rows.filter(move |(_, a)| a.first == first && inside(a.at_ms))
                .map(|(n, _)| Row::Added(n))
        };
        later.extend(added(false));
        let moved = changes.moved.iter().filter(|(_, ms)| inside(*ms));
        later.extend(moved.map(|(i, ms)| Row::Moved(*i, *ms)));
        let first: Vec<Row> = added(true).collect();
        let count = |rows: &[Row]| u64::try_from(rows.len()).unwrap_or(u64::MAX);
        Window {
            total: count(&first) + seeded + count(&later),
            low,
            seeded,
            first,
            later,
        }
    }

    /// Seeded trades from `low` to `high` that are still at their place.
    fn live(&self, changes: &Changes, low: u64, high: u64) -> u64 {
        let gone = changes.gone.range(low..high.max(low)).count();
        high.saturating_sub(low) - u64::try_from(gone).unwrap_or(0)
    }

    /// The k-th of them, from 0.
    fn nth_live(&self, changes: &Changes, low: u64, k: u64) -> u64 {
        let mut i = low + k;
        for gone in changes.gone.range(low..) {
            if *gone > i {
                break;
            }
            i += 1;
        }
        i
    }

    /// Rows of a window to insert before all others, to move and to delete. The inserted ones get the time of the
    /// first row, so that they sort before it; the others are drawn, all different.
    pub(crate) fn draw_moves(&self, changes: &Changes, span: (i64, i64), moves: [u64; 3]) -> Moves {
        let (low, high) = (self.first_at(span.0), self.first_at(span.1));
        let live = self.live(changes, low, high);
        let [inserts, updates, deletes] = moves;
        let mut places = BTreeSet::new();
        let mut rows = Vec::new();
        for n in 0..live.min(updates.saturating_add(deletes)) {
            // A taken place goes on to the next free one.
            let mut place = draw(self.seed, 40 + changes.drifts, n) % live;
            while !places.insert(place) {
                place = (place + 1) % live;
            }
            rows.push(self.nth_live(changes, low, place));
        }
        let updated = usize::try_from(updates).unwrap_or(usize::MAX).min(rows.len());
        let deleted = rows.split_off(updated);
        let first = (live > 0).then(|| self.trade_ms(self.nth_live(changes, low, 0)));
        Moves {
            inserted_ms: first.unwrap_or(span.0).max(span.0),
            inserted: inserts,
            updated: rows,
            deleted,
        }
    }

    fn sale(&self, changes: &Changes, row: Row) -> Sale {
        let (serial, ms, buyer) = match row {
            Row::Seeded(i) => (i, self.trade_ms(i), Buyer::Known(self.trade_buyer(i))),
            Row::Moved(i, ms) => (i, ms, Buyer::Known(self.trade_buyer(i))),
            Row::Refused(r) => (
                MAX_TRADES + r,
                self.special_ms(4, r),
                Buyer::Known(REFUSED_FROM + r),
            ),
            Row::Invalid(r) => (MAX_TRADES * 2 + r, self.special_ms(5, r), Buyer::Unknown(r)),
            Row::Added(n) => {
                let added = changes.added[n];
                let n = u64::try_from(n).unwrap_or(0);
                (MAX_TRADES * 3 + n, added.at_ms, Buyer::Known(added.customer))
            }
        };
        Sale {
            serial,
            ms,
            buyer,
            is_moved: matches!(row, Row::Moved(..)),
        }
    }

    pub(crate) fn nick(&self, changes: &Changes, customer: u64) -> String {
        let nick = names::nick(self.seed, customer);
        match changes.versions.get(&customer) {
            None | Some(0) => nick,
            Some(n) => format!("{nick}（更名{n}）"),
        }
    }

    /// One page of the customer list: all customers there are, and the codes of these.
    pub(crate) fn customer_codes(&self, changes: &Changes, skip: u64, take: u64) -> (u64, Vec<u64>) {
        let total = self.customer_count(changes);
        let codes = (skip..total.min(skip.saturating_add(take))).map(|n| self.customer_code(n));
        (total, codes.collect())
    }
}

/// The rows of a stretch of time, by number.
struct Window {
    total: u64,
    /// Number of the first seeded trade at or after its start.
    low: u64,
    seeded: u64,
    first: Vec<Row>,
    later: Vec<Row>,
}

impl Window {
    fn row(&self, data: &Data, changes: &Changes, n: u64) -> Row {
        let place = |k: u64| usize::try_from(k).expect("smaller than the list");
        let before = u64::try_from(self.first.len()).unwrap_or(u64::MAX);
        match n.checked_sub(before) {
            None => self.first[place(n)],
            Some(k) if k < self.seeded => Row::Seeded(data.nth_live(changes, self.low, k)),
            Some(k) => self.later[place(k - self.seeded)],
        }
    }
}

/// The vendor's customer number: leading zeros, numbers that differ only by them, 19 digits, letters.
pub(crate) fn cid(customer: u64) -> String {
    if customer >= NEW_FROM {
        return format!("N{:06}", customer - NEW_FROM + 1);
    }
    if customer >= REFUSED_FROM {
        return format!("R{:06}", customer - REFUSED_FROM + 1);
    }
    let tens = customer / 10;
    match customer % 10 {
        0 => (6_900_000_000_000_000_001 + tens).to_string(),
        1 => format!("00{}", 1000 + tens),
        2 => (1000 + tens).to_string(),
        3..=5 => format!("{:012}", 10_000 + customer),
        6 => format!("hz-{tens:05}_A"),
        _ => format!("B{:06}", 123 + customer),
    }
}

/// The number of a trade.
pub(crate) fn tid(serial: u64) -> String {
    (2_100_000_000_000_000_000 + serial).to_string()
}

/// A customer's number of 19 digits.
pub(crate) fn unique_id(customer: u64) -> String {
    (5_100_000_000_000_000_000 + (customer % REFUSED_FROM) * 1_000_003 + customer / REFUSED_FROM).to_string()
}

/// A step that visits every number below `n` before it comes back.
fn coprime_step(n: u64, from: u64) -> u64 {
    let mut step = from % n.max(1);
    while gcd(step, n) != 1 {
        step = (step + 1) % n.max(2);
    }
    step
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn affine(x: u64, step: u64, offset: u64, n: u64) -> u64 {
    let n = u128::from(n.max(1));
    let y = (u128::from(x) * u128::from(step) + u128::from(offset)) % n;
    u64::try_from(y).expect("smaller than n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn data(trades: u64) -> Data {
        let (base_ms, spread_ms) = (1_700_000_000_000, 12 * 3_600_000);
        Data {
            seed: 7,
            trades,
            refuse: 2,
            invalid: 3,
            base_ms,
            spread_ms,
        }
    }

    fn all(d: &Data, changes: &Changes, page: u64) -> Vec<serde_json::Value> {
        let (span, mut rows) = ((0, i64::MAX), Vec::new());
        loop {
            let skip = u64::try_from(rows.len()).unwrap();
            let (_, more) = crate::huke::rows::trades(d, changes, span, (skip, page));
            let short = more.len() < usize::try_from(page).unwrap();
            rows.extend(more.iter().map(|r| serde_json::from_str(r).unwrap()));
            if short {
                return rows;
            }
        }
    }

    #[test]
    fn every_page_size_gives_each_row_once() {
        let (d, none) = (data(1200), Changes::default());
        let reference = all(&d, &none, 100);
        assert_eq!(reference.len(), 1205);
        let tids: BTreeSet<_> = reference
            .iter()
            .map(|r| r["tid"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(tids.len(), 1205);
        for page in [1, 7, 10, 99] {
            assert_eq!(all(&d, &none, page), reference, "page size {page}");
        }
    }

    #[test]
    fn every_customer_has_trades_under_one_nick_and_is_listed() {
        for trades in [1, 2, 3, 5, 40, 1200, 1201] {
            let (d, none) = (data(trades), Changes::default());
            let mut nicks: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for row in all(&d, &none, 100) {
                if let Some(cid) = row["buyerCid"].as_str().filter(|c| !c.is_empty()) {
                    nicks
                        .entry(cid.to_owned())
                        .or_default()
                        .insert(row["buyerNick"].to_string());
                }
            }
            assert!(nicks.values().all(|n| n.len() == 1));
            let (total, rows) = crate::huke::rows::customers(&d, &none, (0, 10_000));
            let listed: BTreeSet<String> = rows
                .iter()
                .map(|r| {
                    serde_json::from_str::<serde_json::Value>(r).unwrap()["cid"]
                        .as_str()
                        .unwrap()
                        .to_owned()
                })
                .collect();
            assert_eq!(u64::try_from(listed.len()).unwrap(), total, "numbers are unique");
            assert_eq!(listed, nicks.keys().cloned().collect(), "{trades} trades");
        }
    }

    #[test]
    fn windows_tile() {
        let (d, none) = (data(1200), Changes::default());
        let (start, end) = (d.base_ms - d.spread_ms, d.base_ms);
        let cut = |a, b| d.sales(&none, (a, b), 0, 0).0;
        for middle in [start + 1, start + d.spread_ms / 3, end - 1, d.trade_ms(700)] {
            assert_eq!(cut(start, middle) + cut(middle, end), 1205);
        }
        assert!((0..1199).all(|i| d.trade_ms(i) <= d.trade_ms(i + 1)));
        assert!(
            (0..1199).any(|i| d.trade_ms(i) == d.trade_ms(i + 1)),
            "some share an instant"
        );
    }

    #[test]
    fn numbers_and_ids_stay_unique_in_a_large_set() {
        let cids: BTreeSet<String> = (0..60_000).map(cid).collect();
        assert_eq!(cids.len(), 60_000);
        let ids: BTreeSet<String> = (0..60_000)
            .chain(REFUSED_FROM..REFUSED_FROM + 9)
            .chain(NEW_FROM..NEW_FROM + 9)
            .map(unique_id)
            .collect();
        assert_eq!(ids.len(), 60_018);
        assert!(ids.iter().all(|i| i.len() == 19));
    }

    #[test]
    fn a_part_of_the_sales_is_paged_like_all() {
        let (d, none) = (data(1200), Changes::default());
        let some = |sale: &Sale| sale.serial % 7 == 3;
        let (total, all) = d.sales_where(&none, (0, i64::MAX), (0, u64::MAX), some);
        assert_eq!(u64::try_from(all.len()).unwrap(), total);
        let mut paged = Vec::new();
        for page in 0..=total / 10 {
            paged.extend(d.sales_where(&none, (0, i64::MAX), (page * 10, 10), some).1);
        }
        assert_eq!(paged, all);
    }

    #[test]
    fn renames_choose_different_customers() {
        let d = data(1200);
        let chosen: BTreeSet<u64> = d.choose(5, 300).into_iter().collect();
        assert_eq!(chosen.len(), 300);
    }

    #[test]
    fn the_last_page_of_200_000_trades_is_as_cheap_as_the_first() {
        let d = data(200_000);
        let (total, rows) = d.sales(&Changes::default(), (0, i64::MAX), 199_900, 100);
        assert_eq!((total, rows.len()), (200_005, 100));
    }
}
