//! Rows that come, change and go while a window is read page by page: the real [`flow::Job`] and ledger against a model
//! source, one short history per seed, and beside it a reader that trusts page numbers.
//!
//! Whatever is closed after a run holds no row that was not seen, and after one more run over a quiet source every row
//! has been seen as it is. Where pages begin behind a key, the first run is enough.

use std::collections::{BTreeMap, BTreeSet};

use flow::ids::{Blob, Ms};
use flow::op::{LedgerOp, OnSeen, StagedRow, Trigger};
use flow::window::{CatchUp, First, Interval, Proposal, WindowRule};
use flow::{Action, Event, Job, JobPlan, Look, Page, Paging, Shifts, SourceFacts, Stages};
use ledger::{Blobs, Ledger};

use super::rng::Rng;

const SCHEME: &str = "drift";
const SECOND: Ms = 1_000;
const MINUTE: Ms = 60 * SECOND;
const HOUR: Ms = 60 * MINUTE;
/// When the first run begins.
const BEGIN: Ms = 1_700_000_000_000;
/// How late a row may be committed.
const SETTLE: Ms = MINUTE;
/// How far back the first window reaches.
const REACH: Ms = 2 * HOUR;
/// Far more than two runs of the largest history need.
const MAX_STEPS: u32 = 20_000;

/// What histories came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Histories played.
    pub histories: u64,
    /// Rows at their beginnings.
    pub rows: u64,
    /// Inserts, updates and deletes while pages were read.
    pub changes: u64,
    /// Rows that a reader which trusts page numbers passed over for good.
    pub lost_by_trust: u64,
    /// Pages asked for.
    pub calls: u64,
    /// Pages that the trusting reader asked for in its one pass.
    pub calls_by_trust: u64,
    /// Histories in which the first run closed everything that had settled.
    pub at_once: u64,
}

impl Tally {
    /// Adds another history's.
    pub fn add(&mut self, other: &Tally) {
        self.histories += other.histories;
        self.rows += other.rows;
        self.changes += other.changes;
        self.lost_by_trust += other.lost_by_trust;
        self.calls += other.calls;
        self.calls_by_trust += other.calls_by_trust;
        self.at_once += other.at_once;
    }
}

/// Which sources histories are drawn over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sources {
    /// Every kind.
    All,
    /// ERPs behind the standard channel only.
    Erps,
}

/// How the source pages and what it says.
#[derive(Debug, Clone, Copy)]
struct Manner {
    shifts: Shifts,
    total: bool,
    size: usize,
    ceiling: Option<usize>,
    /// Most changes between two calls.
    restless: i64,
    /// An ERP behind the standard channel: asked by time of change, offset and limit, it tells a total, which says
    /// whether there is another page, and promises no order.
    erp: Option<Order>,
}

/// In which order such an ERP gives its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    ByChange,
    ById,
}

impl Manner {
    /// Whether a row that changes stays in its window.
    fn keeps_windows(self) -> bool {
        self.shifts == Shifts::Moving && self.erp.is_none()
    }
}

#[derive(Debug, Clone)]
struct Row {
    id: u32,
    /// Decides the window it is in.
    stamp: Ms,
    /// Decides its place among the others.
    place: Ms,
    version: u32,
}

struct Source {
    manner: Manner,
    rows: Vec<Row>,
    next: u32,
    changes: u64,
}

impl Source {
    fn new(rng: &mut Rng, sources: Sources) -> Self {
        let shifts = rng.pick(&[Shifts::Leaving, Shifts::Leaving, Shifts::Moving, Shifts::Never]);
        let manner = Manner {
            shifts,
            total: rng.in_thousand(500),
            size: usize::try_from(rng.between(2, 9)).unwrap_or(2),
            ceiling: rng.in_thousand(200).then_some(30),
            restless: rng.pick(&[1, 1, 2, 4]),
            erp: None,
        };
        let kinds = [None, None, Some(Order::ByChange), Some(Order::ById)];
        let kinds = match sources {
            Sources::All => &kinds[..],
            Sources::Erps => &kinds[2..],
        };
        let manner = match rng.pick(kinds) {
            None => manner,
            // Read as a source whose rows move, because nobody says that they do not.
            erp => Manner {
                shifts: Shifts::Moving,
                total: true,
                ceiling: None,
                erp,
                ..manner
            },
        };
        let mut source = Source {
            manner,
            rows: Vec::new(),
            next: 0,
            changes: 0,
        };
        for _ in 0..rng.between(3, 60) {
            let stamp = BEGIN - rng.between(1, REACH);
            source.insert(stamp);
        }
        source
    }

    fn insert(&mut self, stamp: Ms) {
        self.rows.push(Row {
            id: self.next,
            stamp,
            place: stamp,
            version: 0,
        });
        self.next += 1;
    }

    fn change(&mut self, rng: &mut Rng, now: Ms) {
        self.changes += 1;
        let what = rng.between(0, 3);
        if what == 0 || self.rows.is_empty() {
            return self.insert(now - rng.between(0, SETTLE));
        }
        let last = i64::try_from(self.rows.len()).unwrap_or(1);
        let at = usize::try_from(rng.between(0, last)).unwrap_or(0);
        if what == 1 {
            self.rows.remove(at);
            return;
        }
        let row = &mut self.rows[at];
        row.version += 1;
        row.place = now;
        // A window by another time than that of the last change: the row stays in it.
        if !self.manner.keeps_windows() {
            row.stamp = now;
        }
    }

    /// The rows of a window in the source's order.
    fn of(&self, asked: Interval) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self
            .rows
            .iter()
            .filter(|row| asked.from <= row.stamp && row.stamp < asked.to)
            .collect();
        match self.manner.erp {
            Some(Order::ById) => rows.sort_by_key(|row| row.id),
            _ => rows.sort_by_key(|row| (row.place, row.id)),
        }
        rows
    }

    /// A page: rows, whether more follow, and the total.
    fn page(&self, asked: Interval, number: usize, after: Option<(Ms, u32)>) -> (Vec<Row>, bool, usize) {
        let mut rows = self.of(asked);
        let total = rows.len();
        if let Some(most) = self.manner.ceiling {
            rows.truncate(most);
        }
        let skip = (number - 1) * self.manner.size;
        let page: Vec<Row> = if self.manner.shifts == Shifts::Never {
            let behind = rows
                .into_iter()
                .filter(|row| after.is_none_or(|after| (row.place, row.id) > after));
            behind.take(self.manner.size).cloned().collect()
        } else {
            rows.into_iter()
                .skip(skip)
                .take(self.manner.size)
                .cloned()
                .collect()
        };
        let more = match self.manner.erp {
            Some(_) => !page.is_empty() && skip + page.len() < total,
            None => page.len() == self.manner.size,
        };
        (page, more, total)
    }
}

/// A world of one history.
struct World {
    rng: Rng,
    now: Ms,
    source: Source,
    ledger: Ledger,
    /// Versions that a stored page brought.
    seen: BTreeSet<(u32, u32)>,
    after: Option<(Ms, u32)>,
    calm: bool,
    tally: Tally,
    blobs: Blobs,
}

/// Plays one history.
pub fn play(seed: u64, sources: Sources) -> Result<Tally, String> {
    history(seed, sources).map_err(|what| format!("history {seed}: {what}"))
}

/// Plays many.
pub fn play_all(seeds: std::ops::Range<u64>, sources: Sources) -> Result<Tally, String> {
    let mut sum = Tally::default();
    for seed in seeds {
        sum.add(&play(seed, sources)?);
    }
    Ok(sum)
}

fn history(seed: u64, sources: Sources) -> Result<Tally, String> {
    let mut rng = Rng::new(seed);
    let source = Source::new(&mut rng, sources);
    let mut world = World {
        tally: Tally {
            histories: 1,
            rows: u64::try_from(source.rows.len()).unwrap_or_default(),
            ..Tally::default()
        },
        rng,
        now: BEGIN,
        source,
        ledger: Ledger::in_memory().map_err(|e| e.to_string())?,
        seen: BTreeSet::new(),
        after: None,
        calm: false,
        blobs: Blobs::new(),
    };
    trust(seed, sources, &mut world.tally);
    world.run()?;
    let first = world.closed()?;
    let settled = BEGIN - SETTLE;
    if first.last().is_some_and(|closed| closed.to == settled) {
        world.tally.at_once = 1;
    } else if world.source.manner.shifts == Shifts::Never && world.source.manner.ceiling.is_none() {
        return Err(format!("behind a key, and not closed at once: {first:?}"));
    }
    world.nothing_missing(&first, "after the first run")?;
    world.calm = true;
    world.now += 10 * MINUTE;
    let begin = world.now;
    world.run()?;
    let closed = world.closed()?;
    if closed.last().is_none_or(|closed| closed.to < begin - SETTLE) || closed.len() != 1 {
        return Err(format!("a quiet source, and closed only {closed:?}"));
    }
    world.nothing_missing(&closed, "after the second run")?;
    world.tally.changes = world.source.changes;
    Ok(world.tally)
}

/// A reader that goes from page to page until one is short: what it never saw although it was there all the time.
fn trust(seed: u64, sources: Sources, tally: &mut Tally) {
    let mut rng = Rng::new(seed);
    let mut source = Source::new(&mut rng, sources);
    let asked = Interval {
        from: BEGIN - REACH,
        to: BEGIN - SETTLE,
    };
    source.manner.ceiling = None;
    let mut there: BTreeMap<u32, ()> = source.of(asked).into_iter().map(|row| (row.id, ())).collect();
    let mut seen = BTreeSet::new();
    let (mut now, mut after) = (BEGIN, None);
    for number in 1.. {
        let (page, more, _) = source.page(asked, number, after);
        tally.calls_by_trust += 1;
        after = page.last().map(|row| (row.place, row.id)).or(after);
        seen.extend(page.iter().map(|row| row.id));
        if !more {
            break;
        }
        now += rng.between(SECOND, 5 * SECOND);
        for _ in 0..rng.between(0, source.manner.restless + 1) {
            source.change(&mut rng, now);
        }
        let left: BTreeSet<u32> = source.of(asked).into_iter().map(|row| row.id).collect();
        there.retain(|id, ()| left.contains(id));
    }
    let lost = there.keys().filter(|id| !seen.contains(*id)).count();
    tally.lost_by_trust += u64::try_from(lost).unwrap_or_default();
}

impl World {
    fn closed(&self) -> Result<Vec<Interval>, String> {
        let reader = self.ledger.reader();
        reader.closed_intervals(SCHEME).map_err(|e| e.to_string())
    }

    /// Every row in closed time has been seen: as it is now, or in any version where its window does not follow changes.
    fn nothing_missing(&self, closed: &[Interval], when: &str) -> Result<(), String> {
        let moving = self.source.manner.keeps_windows();
        for row in &self.source.rows {
            let inside = closed
                .iter()
                .any(|closed| closed.from <= row.stamp && row.stamp < closed.to);
            let seen = if moving {
                self.seen.range((row.id, 0)..=(row.id, u32::MAX)).next().is_some()
            } else {
                self.seen.contains(&(row.id, row.version))
            };
            if inside && !seen {
                let manner = self.source.manner;
                return Err(format!(
                    "{when}, {closed:?} is closed, but {row:?} was never seen; {manner:?}"
                ));
            }
        }
        Ok(())
    }

    fn run(&mut self) -> Result<(), String> {
        let mut job = Job::new(JobPlan {
            scheme: SCHEME.to_owned(),
            revision: "1".to_owned(),
            trigger: Trigger::Manual,
            instant: self.now,
            source: SourceFacts {
                window: Some(WindowRule {
                    first: Some(First::At(BEGIN - REACH)),
                    overlap: 2 * MINUTE,
                    settle: SETTLE,
                    max: 24 * HOUR,
                    catch_up: CatchUp::Extend,
                }),
                proposal: Proposal::default(),
                manual: None,
                on_seen: OnSeen::UpdateIfChanged,
                paging: Paging {
                    shifts: self.source.manner.shifts,
                    max_rows: self
                        .source
                        .manner
                        .ceiling
                        .and_then(|most| u64::try_from(most).ok()),
                    ..Paging::default()
                },
                keeps: None,
                sweep: None,
                replay: None,
                versions: None,
                inbox: flow::Inbox::None,
            },
            target: None,
            limit: None,
            brakes: flow::Brakes::default(),
            retry: flow::Retry::default(),
            settle_wait: 0,
            partner: None,
            for_partner: false,
            stages: Stages::Fetch,
        });
        let mut event = Event::Start;
        for _ in 0..MAX_STEPS {
            let action = job.step(self.now, event).pop().ok_or("nothing is wanted")?;
            event = match action {
                Action::Ledger(ops) => self.apply(&ops)?,
                Action::Fetch {
                    asked, page, look, ..
                } => {
                    let asked = asked.ok_or("a page without a window")?;
                    self.fetch(asked, page, look)
                }
                Action::Sleep { until, .. } => {
                    self.now = self.now.max(until);
                    Event::Woke
                }
                Action::Finish(_) => return Ok(()),
                other => return Err(format!("not wanted: {other:?}")),
            };
        }
        Err(format!("a run does not end in {MAX_STEPS} steps"))
    }

    fn apply(&mut self, ops: &[LedgerOp]) -> Result<Event, String> {
        let replies = self.ledger.apply(ops, &self.blobs).map_err(|e| e.to_string())?;
        for op in ops {
            if let LedgerOp::StagePage { rows, .. } = op {
                self.seen.extend(rows.iter().filter_map(|row| {
                    let (id, version) = row.version.split_once('.')?;
                    Some((id.parse().ok()?, version.parse().ok()?))
                }));
            }
        }
        Ok(Event::Ledger(replies))
    }

    fn fetch(&mut self, asked: Interval, number: u32, look: Look) -> Event {
        self.tally.calls += 1;
        self.now += self.rng.between(SECOND, 5 * SECOND);
        if !self.calm {
            for _ in 0..self.rng.between(0, self.source.manner.restless + 1) {
                self.source.change(&mut self.rng, self.now);
            }
        }
        let after = self.after.filter(|_| number > 1);
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        let (rows, more, total) = self.source.page(asked, number, after);
        self.after = rows.last().map(|row| (row.place, row.id));
        let prints: Vec<u64> = rows
            .iter()
            .map(|row| u64::from(row.id) << 32 | u64::from(row.version))
            .collect();
        self.blobs = Blobs::new();
        self.blobs.insert(Blob(0), b"{}".to_vec());
        let mark = self.after.filter(|_| self.source.manner.shifts == Shifts::Never);
        Event::Page(Page {
            raw_rows: u64::try_from(rows.len()).unwrap_or_default(),
            rows: match look {
                Look::Rows => rows.iter().map(staged).collect(),
                Look::Again => Vec::new(),
            },
            more,
            total: self
                .source
                .manner
                .total
                .then_some(u64::try_from(total).unwrap_or_default()),
            fingerprint: prints.iter().fold(1, |print: u64, row| {
                print.wrapping_mul(0x0100_0000_01b3) ^ row.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            }),
            prints: if look == Look::Rows { prints } else { Vec::new() },
            mark: mark.map(|(place, id)| place.unsigned_abs() << 16 ^ u64::from(id)),
            versions: None,
            pushes: Vec::new(),
        })
    }
}

fn staged(row: &Row) -> StagedRow {
    StagedRow {
        key: format!("[\"{}\"]", row.id),
        label: row.id.to_string(),
        version: format!("{}.{}", row.id, row.version),
        rank: None,
        source: Blob(0),
        filtered: None,
        invalid: None,
        void: false,
        bare: false,
        indexed: Vec::new(),
        paired: None,
        doubt: None,
        from: None,
    }
}
