//! The stored rows of a scheme, taken by another one, over hundreds of histories: rows appear and change, either scheme runs
//! or does not, a process dies between any two transactions, days pass, and the ledger is put back to an older copy of
//! itself. In the end the target has each row as it is, and nothing was ever made there twice.

use std::collections::BTreeMap;
use std::path::PathBuf;

use flow::ids::{Blob, Ms};
use flow::op::{
    AuditNote, Cursor, FromRow, LedgerOp, LedgerReply, NewPush, OnSeen, RecordState, Resolution, RunStatus,
    Settlement, StagedRow, SuspectKind, Trigger,
};
use flow::window::Interval;
use ledger::backup::restore;
use ledger::contract::{Desk, SCHEME};
use ledger::read::RecordFilter;
use ledger::{Blobs, Ledger, OpenOptions, Suspect};

/// The scheme that only fetches; the suite's own takes its rows.
const GIVER: &str = "fetched";
const KEYS: u64 = 30;
const HISTORIES: u64 = 16;
const STEPS: u64 = 40;
const DAY: Ms = 86_400_000;

/// splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }
}

struct World {
    base: tempfile::TempDir,
    ledger: Option<Ledger>,
    random: Random,
    now: Ms,
    /// The source: the version of each row, and when it changed.
    source: BTreeMap<u64, (u64, Ms)>,
    /// The target: the version of each document.
    target: BTreeMap<String, String>,
    /// Documents that were made.
    made: u64,
    copies: u64,
    copy: Option<PathBuf>,
    /// How often rows were taken with doubt.
    doubted: u64,
    told: String,
}

fn version(source: &[u8]) -> String {
    String::from_utf8_lossy(source).into_owned()
}

impl World {
    fn new(seed: u64) -> World {
        let base = tempfile::tempdir().expect("room");
        let mut world = World {
            ledger: None,
            base,
            random: Random(seed),
            now: 2_000_000,
            source: BTreeMap::new(),
            target: BTreeMap::new(),
            made: 0,
            copies: 0,
            copy: None,
            doubted: 0,
            told: format!("history {seed}"),
        };
        world.open();
        world
    }

    fn open(&mut self) {
        let dir = self.base.path().join("data");
        let mut ledger = Ledger::open(&dir, OpenOptions::new("test")).expect("a ledger");
        ledger.take_from(SCHEME, Some(GIVER), self.now).expect("noted");
        self.ledger = Some(ledger);
    }

    fn ledger(&mut self) -> &mut Ledger {
        self.ledger.as_mut().expect("it is open")
    }

    fn apply(&mut self, ops: &[LedgerOp], blobs: &Blobs) -> Vec<LedgerReply> {
        let told = self.told.clone();
        self.ledger()
            .apply(ops, blobs)
            .unwrap_or_else(|error| panic!("{told}: {error}"))
    }

    /// What a run of a scheme begins with.
    fn suspect(&mut self, scheme: &str) {
        let until = self.ledger().reader().suspicion(scheme).expect("asked");
        let Some(until) = until else { return };
        let now = self.now;
        let op = LedgerOp::Suspect {
            scheme: scheme.to_owned(),
            kind: SuspectKind::Restored,
            until,
            ask_after: now,
            now,
        };
        self.apply(&[op], &Blobs::new());
    }

    /// The giver reads what changed since it last read.
    fn fetch(&mut self) {
        self.suspect(GIVER);
        let now = self.now;
        let closed = self.ledger().reader().closed_intervals(GIVER).expect("asked");
        let from = closed.last().map_or(0, |closed| closed.to);
        let begin = LedgerOp::BeginRun {
            scheme: GIVER.to_owned(),
            revision: "r".to_owned(),
            trigger: Trigger::Manual,
            now,
        };
        let LedgerReply::RunBegun { run, .. } = self.apply(&[begin], &Blobs::new()).remove(0) else {
            panic!("no run")
        };
        let asked = Interval { from, to: now };
        let open = LedgerOp::OpenWindow {
            run,
            scheme: GIVER.to_owned(),
            asked,
            cursor: Cursor::Live,
        };
        let LedgerReply::WindowOpened(window) = self.apply(&[open], &Blobs::new()).remove(0) else {
            panic!("no window")
        };
        let (mut rows, mut blobs) = (Vec::new(), Blobs::new());
        for (key, (version, changed)) in self.source.iter().filter(|(_, row)| row.1 >= from) {
            assert!(*changed < now);
            let version = format!("v{version}");
            blobs.insert(Blob(*key), version.clone().into_bytes());
            rows.push(staged(&key.to_string(), version, Blob(*key)));
        }
        let page = LedgerOp::StagePage {
            run,
            window,
            scheme: GIVER.to_owned(),
            page: 1,
            rows,
            total: None,
            fingerprint: 1,
            on_seen: OnSeen::UpdateIfChanged,
            updates: true,
            store_only: true,
            close: Some(Some(asked)),
            now,
        };
        self.apply(&[page], &blobs);
        let end = LedgerOp::EndRun {
            run,
            status: RunStatus::Ok,
            reason: None,
            now,
        };
        self.apply(&[end], &Blobs::new());
    }

    /// Rows go into the inbox; gives whether there were any.
    fn move_page(&mut self) -> bool {
        let most = 1 + u32::try_from(self.random.below(3)).expect("small");
        let page = self.ledger().reader().rows_to_take(SCHEME, most, 1 << 20);
        let Some(page) = page.expect("asked") else {
            return false;
        };
        let (mut ops, mut blobs) = (Vec::new(), Blobs::new());
        for (nth, row) in (0..).zip(&page.rows) {
            blobs.insert(Blob(nth), row.source.clone());
            let mut hash = [0; 32];
            hash[..row.source.len()].copy_from_slice(&row.source);
            self.doubted += u64::from(row.doubt.is_some());
            ops.push(LedgerOp::StorePush {
                giver: None,
                scheme: SCHEME.to_owned(),
                push: NewPush {
                    sender: row.key.clone(),
                    hash,
                    void: false,
                    creates: None,
                    rows: 1,
                    content: Blob(nth),
                    doubt: row.doubt,
                    most_rows: u64::MAX,
                    most_bytes: u64::MAX,
                },
                now: self.now,
            });
        }
        ops.push(LedgerOp::MovePlace {
            scheme: SCHEME.to_owned(),
            giver: page.giver,
            from: page.from,
            to: page.to,
        });
        self.apply(&ops, &blobs);
        true
    }

    /// The taker runs; the process may die anywhere in it.
    fn take(&mut self, dies: bool) {
        self.suspect(SCHEME);
        let mut patience = if dies { self.random.below(6) } else { u64::MAX };
        let mut dies_here = move || {
            patience = patience.saturating_sub(1);
            patience == 0
        };
        while self.move_page() {
            if dies_here() {
                return;
            }
        }
        let mut desk = Desk::new(self.ledger.take().expect("it is open"));
        desk.now = self.now;
        desk.open_window_of(Cursor::Inbox, Interval { from: 0, to: 0 });
        let lived = self.stage(&mut desk, &mut dies_here) && self.write(&mut desk, &mut dies_here);
        if lived {
            desk.end();
        }
        self.ledger = Some(desk.ledger);
    }

    fn stage(&mut self, desk: &mut Desk, dies_here: &mut impl FnMut() -> bool) -> bool {
        loop {
            let (pushes, more) = desk
                .ledger
                .reader()
                .waiting_pushes(SCHEME, 2, 100, 1 << 20)
                .expect("asked");
            if pushes.is_empty() {
                return true;
            }
            let (mut rows, mut blobs) = (Vec::new(), Blobs::new());
            for (nth, push) in (0..).zip(&pushes) {
                let key = push.sender.trim_matches(['[', ']', '"']);
                blobs.insert(Blob(nth), push.content.clone());
                rows.push(StagedRow {
                    doubt: push.doubt,
                    from: Some(FromRow {
                        scheme: GIVER.to_owned(),
                        key: push.sender.clone(),
                    }),
                    ..staged(&format!("t{key}"), version(&push.content), Blob(nth))
                });
            }
            let (mut page, _) = desk.page(rows, OnSeen::UpdateIfChanged);
            if let LedgerOp::StagePage { close, .. } = &mut page {
                *close = (!more).then_some(None);
            }
            let take = LedgerOp::TakePushes {
                run: desk.run,
                scheme: SCHEME.to_owned(),
                pushes: pushes.iter().map(|push| push.id).collect(),
                now: desk.now,
            };
            desk.ledger.apply(&[page, take], &blobs).expect("a page");
            if dies_here() {
                return false;
            }
        }
    }

    /// What is in doubt is asked for; what is pending is sent. Nothing that is there is made.
    fn write(&mut self, desk: &mut Desk, dies_here: &mut impl FnMut() -> bool) -> bool {
        let filter = RecordFilter {
            scheme: Some(SCHEME.to_owned()),
            limit: 100,
            ..RecordFilter::default()
        };
        for _ in 0..4 {
            let records = desk.ledger.reader().list_records(&filter).expect("asked");
            for record in records {
                let key = record.key.trim_matches(['[', ']', '"']).to_owned();
                match record.state {
                    RecordState::Unknown => {
                        desk.identify(&key, &record.version, &key);
                        let found = match self.target.contains_key(&key) {
                            true => Resolution::Done {
                                id: Some(format!("id-{key}")),
                                number: None,
                            },
                            false => Resolution::Resend,
                        };
                        assert!(desk.resolve(&key, found), "{}: {key}", self.told);
                        // Whether what is found is older than the row is for the resolver, and no matter of this test.
                        self.target
                            .entry(key.clone())
                            .and_modify(|known| known.clone_from(&record.version));
                    }
                    RecordState::Pending => {
                        if record.target_id.is_none() {
                            assert!(
                                !self.target.contains_key(&key),
                                "{}: {key} is made a second time",
                                self.told
                            );
                            self.made += 1;
                        }
                        let (attempt, refused) = desk.claim(&[(&key, &record.version, &key)]);
                        assert!(refused.is_empty(), "{}: {refused:?}", self.told);
                        self.target.insert(key.clone(), record.version.clone());
                        let done = Settlement::Done {
                            id: Some(format!("id-{key}")),
                            number: None,
                            lines: None,
                        };
                        desk.settle(attempt.expect("claimed"), &key, done);
                    }
                    _ => continue,
                }
                if dies_here() {
                    return false;
                }
            }
        }
        true
    }

    fn back_up(&mut self) {
        self.copies += 1;
        let to = self.base.path().join(format!("copy-{}.db", self.copies));
        self.ledger().back_up(&to).expect("a copy");
        self.copy = Some(to);
    }

    fn put_back(&mut self) {
        let Some(copy) = self.copy.clone() else { return };
        self.ledger = None;
        let suspect = Suspect {
            until: self.now,
            note: AuditNote {
                who: "li".into(),
                action: "restore".into(),
                scheme: None,
                record: None,
                what: "a copy".into(),
                reason: "the disk died".into(),
            },
            now: self.now,
        };
        restore(&self.base.path().join("data"), &copy, "test", &suspect).expect("put back");
        self.open();
        if self.random.below(2) == 0 {
            // The taker's own suspicion is over with its next run.
            self.now += 5 * DAY;
            self.take(false);
        }
    }

    fn step(&mut self) {
        self.now += 1 + match self.random.below(12) {
            0 => 5 * DAY,
            _ => 60_000,
        };
        match self.random.below(12) {
            0..=3 => {
                let (key, at) = (self.random.below(KEYS), self.now);
                let row = self.source.entry(key).or_insert((0, at));
                *row = (row.0 + 1, at);
                self.now += 1;
            }
            4..=6 => self.fetch(),
            7 | 8 => self.take(false),
            9 => self.take(true),
            10 => self.back_up(),
            _ => self.put_back(),
        }
        let now = self.now;
        self.ledger().forget_pushes(now).expect("given up");
    }
}

fn staged(key: &str, version: String, source: Blob) -> StagedRow {
    StagedRow {
        key: format!("[\"{key}\"]"),
        label: key.to_owned(),
        version,
        rank: None,
        source,
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

#[test]
fn nothing_is_lost_and_nothing_is_made_twice() {
    let (mut made, mut doubted) = (0, 0);
    for seed in 0..HISTORIES {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.step();
        }
        world.now += 60_000;
        world.fetch();
        world.take(false);
        for (key, (version, _)) in &world.source {
            let has = world.target.get(&format!("t{key}"));
            assert_eq!(has, Some(&format!("v{version}")), "history {seed}: row {key}");
        }
        assert_eq!(world.target.len(), world.source.len(), "history {seed}");
        assert_eq!(
            world.made,
            world.target.len() as u64,
            "history {seed}: made twice"
        );
        made += world.made;
        doubted += world.doubted;
    }
    assert!(made > HISTORIES, "too little happened");
    assert!(doubted > HISTORIES, "too little was put back");
}
