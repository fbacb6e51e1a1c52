//! Reading by version at a source that changes while it is read, whose changes appear late, and whose reader is killed
//! at any step: every row is seen in its last version.

use std::collections::{BTreeMap, BTreeSet};

use flow::ids::{Blob, Ms, RunId, WindowId};
use flow::op::{Counts, LedgerOp, LedgerReply, OnSeen, StagedRow, Trigger};
use flow::version::{Version, VersionMarks, VersionRule};
use flow::window::Proposal;
use flow::{Action, Event, Job, JobPlan, Page, Paging, Shifts, SourceFacts, Stages};
use proptest::prelude::*;
use proptest::test_runner::TestRng;

const SETTLE: Ms = 60_000;

/// How a source compares, whether its rows share versions, and what its connector says of it.
#[derive(Debug, Clone, Copy)]
struct Kind {
    /// Rows from the version on that is asked with; else those behind it.
    inclusive: bool,
    shared: bool,
    again: bool,
}

const KINDS: [Kind; 5] = [
    kind(false, true, true),
    kind(false, false, false),
    kind(false, false, true),
    kind(true, true, false),
    // What is taken for granted where nobody knows how it compares.
    kind(true, true, true),
];

const fn kind(inclusive: bool, shared: bool, again: bool) -> Kind {
    Kind {
        inclusive,
        shared,
        again,
    }
}

/// A change that was begun: its version is drawn, and it can be seen later.
#[derive(Debug, Clone, Copy)]
struct Change {
    id: u32,
    version: Version,
    serial: u32,
    visible: Ms,
}

struct World {
    kind: Kind,
    rng: TestRng,
    now: Ms,
    rows: BTreeMap<u32, Change>,
    coming: Vec<Change>,
    drawn: Version,
    serial: u32,
    size: usize,
    marks: Option<VersionMarks>,
    seen: BTreeSet<(u32, u32)>,
    kills: u32,
    late: u32,
}

impl World {
    fn below(&mut self, bound: u32) -> u32 {
        self.rng.next_u32() % bound
    }

    /// A new row or another version of one, or two of them at once under one version.
    fn change(&mut self) {
        self.drawn += Version::from(1 + self.below(3));
        let visible = self.now + Ms::from(self.below(60_000));
        let count = if self.kind.shared { 1 + self.below(2) } else { 1 };
        for _ in 0..count {
            self.serial += 1;
            let id = self.below(40);
            // Changes of one row wait for each other.
            if self.coming.iter().any(|change| change.id == id) {
                continue;
            }
            self.coming.push(Change {
                id,
                version: self.drawn,
                serial: self.serial,
                visible,
            });
        }
    }

    fn pass(&mut self, by: Ms) {
        self.now += by;
        let now = self.now;
        for change in self.coming.extract_if(.., |change| change.visible <= now) {
            self.rows.insert(change.id, change);
        }
    }

    fn page(&mut self, since: Version) -> Page {
        let behind = |row: &&Change| match self.kind.inclusive {
            true => row.version >= since,
            false => row.version > since,
        };
        let mut rows: Vec<Change> = self.rows.values().filter(behind).copied().collect();
        rows.sort_by_key(|row| (row.version, row.id));
        let more = rows.len() > self.size;
        rows.truncate(self.size);
        let ends = rows.first().zip(rows.last());
        Page {
            raw_rows: rows.len() as u64,
            more,
            total: None,
            fingerprint: u64::from(self.below(u32::MAX)),
            prints: Vec::new(),
            mark: None,
            versions: ends.map(|(first, last)| (first.version, last.version)),
            pushes: Vec::new(),
            rows: rows.into_iter().map(staged).collect(),
        }
    }

    fn apply(&mut self, ops: &[LedgerOp]) -> Event {
        let replies = ops.iter().map(|op| match op {
            LedgerOp::BeginRun { .. } => LedgerReply::RunBegun {
                run: RunId(1),
                enabled: 0,
                closed: Vec::new(),
                recovered: 0,
                open: 0,
            },
            LedgerOp::ReadVersions { .. } => LedgerReply::Versions(self.marks.clone()),
            LedgerOp::OpenWindow { .. } => LedgerReply::WindowOpened(WindowId(1)),
            LedgerOp::StagePage { rows, .. } => {
                self.seen.extend(rows.iter().map(|row| {
                    let number = |text: &str| text.parse::<u32>().expect("a number");
                    (number(&row.key), number(&row.version))
                }));
                LedgerReply::Staged {
                    outcomes: [0; 6],
                    fresh: 0,
                    open: 0,
                    suspicious: None,
                }
            }
            LedgerOp::NoteVersions { marks, .. } => {
                self.marks = Some(marks.clone());
                LedgerReply::Ok
            }
            LedgerOp::CountStates { .. } => LedgerReply::States([0; 7]),
            LedgerOp::EndRun { .. } => LedgerReply::RunEnded(Counts::default()),
            other => panic!("{other:?}"),
        });
        Event::Ledger(replies.collect())
    }

    /// One run; in a thousand steps it dies so often.
    fn run(&mut self, kills: u32, changes: u32) -> bool {
        let mut job = Job::new(plan(self.now, self.kind));
        let mut event = Event::Start;
        for _ in 0..10_000 {
            let dies = self.below(1_000) < kills;
            let action = job.step(self.now, event).pop().expect("something is wanted");
            if dies && self.below(2) == 0 {
                self.kills += 1;
                return false;
            }
            event = match action {
                Action::Ledger(ops) => self.apply(&ops),
                Action::Fetch { since, .. } => {
                    let takes = Ms::from(self.below(4_000));
                    self.pass(takes);
                    for _ in 0..self.below(changes + 1) {
                        self.change();
                    }
                    let page = self.page(since.expect("it is read by version"));
                    let low = page.versions.map(|(lowest, _)| lowest);
                    let newest = self.marks.as_ref().and_then(|marks| marks.seen.last());
                    self.late += u32::from(low.zip(newest).is_some_and(|(low, newest)| low < newest.version));
                    Event::Page(page)
                }
                Action::Finish(summary) => {
                    assert_eq!(summary.windows_left, 0, "{summary:?}");
                    return true;
                }
                other => panic!("{other:?}"),
            };
            if dies {
                self.kills += 1;
                return false;
            }
        }
        panic!("a run does not end");
    }
}

fn staged(row: Change) -> StagedRow {
    StagedRow {
        key: row.id.to_string(),
        label: String::new(),
        version: row.serial.to_string(),
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

fn plan(now: Ms, kind: Kind) -> JobPlan {
    JobPlan {
        scheme: "s".to_owned(),
        revision: "1".to_owned(),
        trigger: Trigger::Schedule,
        instant: now,
        source: SourceFacts {
            window: None,
            proposal: Proposal::default(),
            manual: None,
            on_seen: OnSeen::UpdateIfChanged,
            paging: Paging {
                shifts: Shifts::Never,
                ..Paging::default()
            },
            keeps: None,
            sweep: None,
            replay: None,
            versions: Some(VersionRule {
                source: "jst/orders".to_owned(),
                first: 0,
                from: None,
                settle: SETTLE,
                again: kind.again,
            }),
            inbox: flow::Inbox::None,
        },
        target: None,
        limit: None,
        brakes: flow::Brakes::default(),
        retry: flow::Retry::default(),
        settle_wait: 0,
        partner: None,
        for_partner: false,
        stages: Stages::All,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_row_is_seen_in_its_last_version(
        seed in any::<[u8; 16]>(),
        which in 0..KINDS.len(),
        runs in 1..12_u32,
        // A page holds more rows than share two versions.
        size in 5..9_usize,
        kills in prop_oneof![Just(0), Just(50), Just(300)],
        changes in 0..3_u32,
    ) {
        let mut world = World {
            kind: KINDS[which],
            rng: TestRng::from_seed(prop::test_runner::RngAlgorithm::XorShift, &seed),
            now: 1_700_000_000_000,
            rows: BTreeMap::new(),
            coming: Vec::new(),
            drawn: 0,
            serial: 0,
            size,
            marks: None,
            seen: BTreeSet::new(),
            kills: 0,
            late: 0,
        };
        for _ in 0..20 {
            world.change();
        }
        world.pass(SETTLE);
        for _ in 0..runs {
            world.run(kills, changes);
            let gap = [100, 10_000, 90_000, 3_600_000][world.below(4) as usize];
            for _ in 0..world.below(6) {
                world.change();
                let part = Ms::from(world.below(gap)) / 4;
                world.pass(part);
            }
        }
        world.pass(SETTLE);
        prop_assert!(world.run(0, 0));
        for row in world.rows.values() {
            prop_assert!(
                world.seen.contains(&(row.id, row.serial)),
                "{row:?} is not seen; {:?}, {} kills", world.marks, world.kills
            );
        }
    }
}
