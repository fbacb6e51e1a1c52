//! Platforms that poll us stretch by stretch while rows come, change and are sent: the real ledger, one short history per
//! seed, and beside it rows that are shown by their own time of change, as an ERP without our feed would show them.
//!
//! Whoever asks stretch after stretch, each to the total that its first page told, knows every row as it is when all is
//! quiet, however wrong its clock is, whatever happens between two pages; and a stretch that was answered never has more
//! or fewer rows.

use std::collections::BTreeMap;

use flow::ids::Ms;
use flow::op::{OnSeen, Reason, RecordState, Settlement};
use ledger::Ledger;
use ledger::contract::{Desk, SCHEME, row};
use ledger::read::RecordFilter;
use ledger::service::feed::{FedRow, FeedPage};

use super::rng::Rng;

const SECOND: Ms = 1_000;
const MINUTE: Ms = 60 * SECOND;
const DAY: Ms = 24 * 60 * MINUTE;
/// When a history begins.
const BEGIN: Ms = 1_700_000_000_000;
/// How wrong the clock of who asks may be.
const SKEW: Ms = 10 * MINUTE;
/// How much later than its change a row may reach us.
const LATE: Ms = 5 * MINUTE;

/// What histories came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Histories played.
    pub histories: u64,
    /// Rows in the end.
    pub rows: u64,
    /// Rows that came, changed or went, and records that went on to another state.
    pub changes: u64,
    /// Those of them between two pages of a stretch.
    pub between: u64,
    /// Stretches asked for.
    pub stretches: u64,
    /// Pages asked for.
    pub pages: u64,
    /// Of who polls rows by their own time of change: rows that are not known as they are.
    pub lost_by_time: u64,
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.histories += other.histories;
        self.rows += other.rows;
        self.changes += other.changes;
        self.between += other.between;
        self.stretches += other.stretches;
        self.pages += other.pages;
        self.lost_by_time += other.lost_by_time;
    }
}

/// Plays many.
pub fn play_all(seeds: std::ops::Range<u64>) -> Result<Tally, String> {
    let mut sum = Tally::default();
    for seed in seeds {
        let played = history(seed).map_err(|what| format!("history {seed}: {what}"))?;
        sum.add(&played);
    }
    Ok(sum)
}

/// Who asks stretch after stretch.
struct Poller {
    upto: Ms,
    /// Takes the end of a stretch for part of it: the next one begins behind it.
    includes: bool,
    /// How wrong its clock is.
    skew: Ms,
    limit: u32,
    known: BTreeMap<String, FedRow>,
    /// What it would know of rows that are shown by their own time.
    by_time: BTreeMap<u64, u64>,
}

/// A row as the system has it that it comes from.
#[derive(Debug, Clone, Copy)]
struct Own {
    version: u64,
    changed: Ms,
}

struct World {
    rng: Rng,
    desk: Desk,
    now: Ms,
    own: BTreeMap<u64, Own>,
    /// Most changes between two pages.
    restless: i64,
    tally: Tally,
}

fn history(seed: u64) -> Result<Tally, String> {
    let mut rng = Rng::new(seed);
    let ledger = Ledger::in_memory().map_err(|error| error.to_string())?;
    let mut desk = Desk::new(ledger);
    desk.now = BEGIN;
    let is_early = rng.in_thousand(500);
    if is_early {
        desk.ledger
            .serve(SCHEME, BEGIN)
            .map_err(|error| error.to_string())?;
    }
    let restless = rng.pick(&[1, 1, 2, 4]);
    let mut world = World {
        rng,
        desk,
        now: BEGIN,
        own: BTreeMap::new(),
        restless,
        tally: Tally {
            histories: 1,
            ..Tally::default()
        },
    };
    for _ in 0..world.rng.between(3, 25) {
        world.row_comes(None);
    }
    if !is_early {
        world.serve()?;
    }
    let mut pollers: Vec<Poller> = (0..world.rng.between(1, 4))
        .map(|_| Poller {
            upto: 0,
            includes: world.rng.in_thousand(500),
            skew: world.rng.between(-SKEW, SKEW),
            limit: u32::try_from(world.rng.between(1, 9)).unwrap_or(1),
            known: BTreeMap::new(),
            by_time: BTreeMap::new(),
        })
        .collect();
    for _ in 0..world.rng.between(2, 7) {
        world.pass()?;
        for poller in &mut pollers {
            let end = world.now + poller.skew;
            world.ask(poller, end, true)?;
        }
    }
    // All is quiet; the most that a clock is behind goes by.
    world.now += 2 * SKEW;
    let end = world.now;
    for poller in &mut pollers {
        world.ask(poller, end, false)?;
        world.knows_all(poller)?;
        let lost = world
            .own
            .iter()
            .filter(|(nth, own)| poller.by_time.get(nth) != Some(&own.version));
        world.tally.lost_by_time += u64::try_from(lost.count()).unwrap_or_default();
    }
    world.tally.rows = u64::try_from(world.own.len()).unwrap_or_default();
    Ok(world.tally)
}

impl World {
    fn serve(&mut self) -> Result<(), String> {
        let served = self.desk.ledger.serve(SCHEME, self.now);
        served.map_err(|error| error.to_string())
    }

    /// Time between two stretches, and what happens in it.
    fn pass(&mut self) -> Result<(), String> {
        self.now += match self.rng.between(0, 12) {
            0 => 45 * DAY,
            1 => 9 * DAY,
            _ => self.rng.between(6 * MINUTE, 30 * MINUTE),
        };
        for _ in 0..self.rng.between(0, 8) {
            self.change();
        }
        match self.rng.between(0, 16) {
            // The service is started again.
            0 => {
                self.desk.begin();
                self.serve()?;
            }
            // It was not served for a while.
            1 => {
                let ledger = &mut self.desk.ledger;
                ledger.unserve(SCHEME).map_err(|error| error.to_string())?;
                self.change();
                self.serve()?;
            }
            _ => {}
        }
        self.give_up()
    }

    fn give_up(&mut self) -> Result<(), String> {
        let ledger = &mut self.desk.ledger;
        let healed = ledger.heal_feed(self.now).map_err(|error| error.to_string())?;
        if healed > 0 {
            return Err(format!(
                "{healed} entries healed, and every clock is right enough"
            ));
        }
        ledger.forget_feed(self.now).map_err(|error| error.to_string())?;
        Ok(())
    }

    fn change(&mut self) {
        self.tally.changes += 1;
        match self.rng.between(0, 5) {
            0 => self.row_comes(None),
            1 => self.goes_on(),
            _ => {
                let known: Vec<u64> = self.own.keys().copied().collect();
                let nth = self.rng.pick(&known);
                self.row_comes(Some(nth));
            }
        }
    }

    /// A row comes for the first time, or with something new about it; it may go back to what it was.
    fn row_comes(&mut self, nth: Option<u64>) {
        let nth = nth.unwrap_or_else(|| u64::try_from(self.own.len()).unwrap_or_default());
        let version = match (self.own.get(&nth), self.rng.between(0, 6)) {
            (Some(own), 0) if own.version > 0 => own.version - 1,
            (Some(own), _) => own.version + 1,
            (None, _) => 0,
        };
        let changed = self.now - self.rng.between(0, LATE);
        self.own.insert(nth, Own { version, changed });
        let mut seen = row(0, &format!("k{nth}"), &format!("v{version}"));
        seen.void = self.rng.in_thousand(60);
        if self.rng.in_thousand(60) {
            seen.filtered = Some(Reason::new("E4000", "not kept"));
        }
        let source = seen.source;
        // What waited for the disk says an earlier time.
        self.desk.now = self.now - self.rng.between(0, MINUTE);
        let (op, mut blobs) = self.desk.page(vec![seen], OnSeen::UpdateIfChanged);
        blobs.insert(source, format!("{{\"v\":{version}}}").into_bytes());
        self.desk.try_one(op, &blobs).expect("a page");
    }

    /// The record of a row is sent, answered, or neither: what came meanwhile waits beside it.
    fn goes_on(&mut self) {
        let known: Vec<u64> = self.own.keys().copied().collect();
        let key = format!("k{}", self.rng.pick(&known));
        let filter = RecordFilter {
            key: Some(key.clone()),
            ..RecordFilter::default()
        };
        let found = self.desk.ledger.reader().list_records(&filter);
        let Some(record) = found.expect("records").pop() else {
            return;
        };
        self.desk.now = self.now;
        let why = || Reason::new("E4000", "so");
        match (record.state, record.attempt) {
            (RecordState::Pending, _) => {
                self.desk.claim(&[(&key, &record.version, &key)]);
            }
            (RecordState::Sending, Some(attempt)) => {
                let settlement = match self.rng.between(0, 4) {
                    0 => Settlement::Dead(why()),
                    1 => Settlement::Held(why()),
                    _ => Settlement::Done {
                        id: Some(format!("id-{key}")),
                        number: None,
                        lines: None,
                    },
                };
                self.desk.settle(attempt, &key, settlement);
            }
            _ => {}
        }
    }

    fn page(&mut self, start: Ms, end: Ms, offset: u32, limit: u32) -> Result<FeedPage, String> {
        let told = |error: ledger::StoreError| error.to_string();
        self.tally.pages += 1;
        let reader = self.desk.ledger.reader();
        if reader.is_closed(SCHEME, start, end, self.now).map_err(told)? != Some(true) {
            let ledger = &mut self.desk.ledger;
            ledger.close_stretch(SCHEME, start, end, self.now).map_err(told)?;
        }
        reader.feed(SCHEME, start, end, offset, limit).map_err(told)
    }

    /// A stretch, page by page.
    fn ask(&mut self, poller: &mut Poller, end: Ms, restless: bool) -> Result<(), String> {
        let start = poller.upto;
        if end < start {
            return Ok(());
        }
        self.tally.stretches += 1;
        let (mut offset, mut totals) = (0, None);
        loop {
            let page = self.page(start, end, offset, poller.limit)?;
            let shown = self.by_time(start, end);
            let (total, total_by_time) = *totals.get_or_insert((page.total, shown.len()));
            if page.total != total {
                return Err(format!(
                    "{start} to {end} had {total} rows, and {} at {offset}",
                    page.total
                ));
            }
            let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
            let most = usize::try_from(poller.limit).unwrap_or(usize::MAX);
            poller.by_time.extend(shown.into_iter().skip(skipped).take(most));
            poller
                .known
                .extend(page.rows.into_iter().map(|row| (row.key.clone(), row)));
            offset += poller.limit;
            if u64::from(offset) >= total && skipped + most >= total_by_time {
                break;
            }
            self.now += self.rng.between(SECOND, 20 * SECOND);
            if restless {
                for _ in 0..self.rng.between(0, self.restless + 1) {
                    self.change();
                    self.tally.between += 1;
                }
                if self.rng.in_thousand(100) {
                    self.give_up()?;
                }
            }
        }
        poller.upto = end + Ms::from(poller.includes);
        let again = self.page(start, end, 0, 1)?.total;
        match totals {
            Some((total, _)) if total != again => {
                Err(format!("{start} to {end} had {total} rows, and has {again}"))
            }
            _ => Ok(()),
        }
    }

    /// What a stretch has where rows are shown by their own time of change.
    fn by_time(&self, start: Ms, end: Ms) -> Vec<(u64, u64)> {
        let inside = self
            .own
            .iter()
            .filter(|(_, own)| start <= own.changed && own.changed <= end);
        let mut rows: Vec<(Ms, u64, u64)> = inside
            .map(|(nth, own)| (own.changed, *nth, own.version))
            .collect();
        rows.sort_unstable();
        rows.into_iter().map(|(_, nth, version)| (nth, version)).collect()
    }

    fn knows_all(&self, poller: &Poller) -> Result<(), String> {
        for nth in self.own.keys() {
            let key = format!("[\"k{nth}\"]");
            let there = self.desk.ledger.reader().fed_row(SCHEME, &key);
            let Some(there) = there.map_err(|error| error.to_string())? else {
                continue;
            };
            let known = poller.known.get(&key);
            if known != Some(&there) {
                let text = |row: &FedRow| String::from_utf8_lossy(&row.source).into_owned();
                return Err(format!(
                    "{key} is {} (void: {}), and who asks knows {:?}",
                    text(&there),
                    there.void,
                    known.map(text)
                ));
            }
        }
        Ok(())
    }
}
