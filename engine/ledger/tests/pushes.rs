//! Pushes through the real job and the real ledger, with a process that dies anywhere: what was acknowledged reaches the
//! target, in its order, and is sent twice only where a kill hit the very call.

use std::collections::{BTreeMap, BTreeSet};

use flow::classify::{Class, Delivery, OnUnknown, Proof, Verdict};
use flow::ids::{Blob, Ms, RecordId};
use flow::op::{
    Cursor, LedgerOp, LedgerReply, NewPush, OnSeen, Reason, StagedRow, Stored, Trigger, WriteAction,
};
use flow::window::Proposal;
use flow::{
    Action, Answer, Event, Inbox, Job, JobPlan, Page, Paging, Ready, RowAnswer, SourceFacts, Stages,
    TargetFacts, Transformed,
};
use ledger::{Blobs, Ledger};

const SCHEME: &str = "orders";
/// Keys that the pushes are about: few, so that most of them meet.
const KEYS: u64 = 5;

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

/// The target writes by key; a document is the number of the push that it was made of.
#[derive(Default)]
struct Target {
    /// What was executed, in order: key and push.
    executed: Vec<(String, u64)>,
    /// Pushes whose call a kill has hit.
    hit: BTreeSet<u64>,
}

struct World {
    ledger: Ledger,
    target: Target,
    random: Random,
    now: Ms,
    /// Acknowledged: number of the push, and its key.
    acknowledged: Vec<(u64, u64)>,
    next: u64,
}

fn number(bytes: &[u8]) -> u64 {
    std::str::from_utf8(bytes)
        .expect("text")
        .parse()
        .expect("a number")
}

impl World {
    fn new(seed: u64) -> Self {
        World {
            ledger: Ledger::in_memory().expect("a ledger"),
            target: Target::default(),
            random: Random(seed),
            now: 1_000_000,
            acknowledged: Vec::new(),
            next: 0,
        }
    }

    /// A new push, or one that was acknowledged, again. The process may die before or behind the commit.
    fn push(&mut self) {
        let again = !self.acknowledged.is_empty() && self.random.below(4) == 0;
        let (nth, key) = if again {
            let at = self.random.below(self.acknowledged.len() as u64);
            // What was sent last about it: an earlier one again is a document that goes back.
            let (_, key) = self.acknowledged[usize::try_from(at).expect("small")];
            let about = self.acknowledged.iter().filter(|(_, of)| *of == key);
            *about.max().expect("it was acknowledged")
        } else {
            self.next += 1;
            (self.next, self.random.below(KEYS))
        };
        let dies = self.random.below(10);
        if dies == 0 {
            // Nothing is on the disk and nobody was answered.
            return;
        }
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&nth.to_be_bytes());
        let op = LedgerOp::StorePush {
            giver: None,
            scheme: SCHEME.to_owned(),
            push: NewPush {
                sender: key.to_string(),
                hash,
                void: false,
                creates: None,
                rows: 1,
                content: Blob(1),
                doubt: None,
                most_rows: 1_000,
                most_bytes: 1_000_000,
            },
            now: self.now,
        };
        let blobs = Blobs::from_iter([(Blob(1), format!("{nth}").into_bytes())]);
        let replies = self.ledger.apply(&[op], &blobs).expect("a push");
        if again {
            assert!(
                matches!(replies[..], [LedgerReply::Pushed(Stored::Repeated(_))]),
                "{replies:?}"
            );
        } else {
            // Behind the commit it is there, whether its answer arrived or not.
            assert!(
                matches!(replies[..], [LedgerReply::Pushed(Stored::New(_))]),
                "{replies:?}"
            );
            self.acknowledged.push((nth, key));
        }
    }

    fn key_of(&self, nth: u64) -> u64 {
        let found = self.acknowledged.iter().find(|(known, _)| *known == nth);
        found.expect("it was acknowledged").1
    }

    /// Runs the scheme; dies at one of its effects where it is told to.
    fn run(&mut self, mut dies_after: Option<u64>) -> bool {
        let mut job = Job::new(plan(self.now));
        let mut event = Event::Start;
        let mut held: BTreeMap<u64, u64> = BTreeMap::new();
        let mut handles = 0;
        // Of the call whose answer is not noted yet.
        let mut under_way: Vec<u64> = Vec::new();
        let mut dies = || match &mut dies_after {
            None => false,
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
        };
        loop {
            self.now += 7;
            let mut wanted = None;
            for action in job.step(self.now, event) {
                match action {
                    Action::Finish(summary) => {
                        assert!(summary.counts.add_up(), "{summary:?}");
                        return true;
                    }
                    Action::Note(_) => {}
                    other => wanted = Some(other),
                }
            }
            if dies() {
                self.target.hit.extend(&under_way);
                return false;
            }
            event = match wanted.expect("it asks for something") {
                Action::Ledger(ops) => {
                    let blobs = held
                        .iter()
                        .map(|(handle, nth)| (Blob(*handle), nth.to_string().into_bytes()));
                    let replies = self.ledger.apply(&ops, &blobs.collect()).expect("a transaction");
                    under_way.clear();
                    if dies() {
                        return false;
                    }
                    Event::Ledger(replies)
                }
                Action::Fetch { cursor, .. } => {
                    assert_eq!(cursor, Cursor::Inbox);
                    let most = 1 + u32::try_from(self.random.below(4)).expect("small");
                    let found = self.ledger.reader().waiting_pushes(SCHEME, most, 100, 10_000);
                    let (pushes, more) = found.expect("a question");
                    let mut page = Page {
                        rows: Vec::new(),
                        raw_rows: pushes.len() as u64,
                        more,
                        total: None,
                        fingerprint: 0,
                        prints: Vec::new(),
                        mark: None,
                        versions: None,
                        pushes: pushes.iter().map(|push| push.id).collect(),
                    };
                    for push in &pushes {
                        let nth = number(&push.content);
                        handles += 1;
                        held.insert(handles, nth);
                        page.rows.push(row(self.key_of(nth), nth, Blob(handles)));
                    }
                    Event::Page(page)
                }
                Action::Transform(items) => {
                    let records: Vec<RecordId> = items.iter().map(|item| item.record).collect();
                    let sources = self.ledger.reader().sources(&records).expect("a question");
                    let ready = items.iter().zip(sources).map(|(item, source)| {
                        handles += 1;
                        held.insert(handles, number(&source.source));
                        Transformed::Ready(Ready {
                            action: if item.has_target {
                                WriteAction::Update
                            } else {
                                WriteAction::Create
                            },
                            group: 0,
                            form: String::new(),
                            tkey: source.key.clone(),
                            payload: Blob(handles),
                            wrote: Vec::new(),
                            next: None,
                            half: None,
                        })
                    });
                    Event::Transformed(ready.collect())
                }
                Action::Send { rows, .. } => {
                    let sent: Vec<u64> = rows.iter().map(|(_, blob)| held[&blob.0]).collect();
                    // It dies before the target has executed it, or before the answer is noted.
                    if dies() {
                        return false;
                    }
                    for nth in &sent {
                        let key = self.key_of(*nth).to_string();
                        self.target.executed.push((key, *nth));
                    }
                    under_way.clone_from(&sent);
                    if dies() {
                        self.target.hit.extend(&under_way);
                        return false;
                    }
                    Event::Answered(Answer {
                        delivery: Delivery::Answered(Class::Ok),
                        reason: Reason::new("", ""),
                        wait: None,
                        http_status: Some(200),
                        excerpt: None,
                        vendor_trace: None,
                        rows: sent.iter().map(|_| accepted()).collect(),
                    })
                }
                Action::Sleep { until, .. } => {
                    self.now = self.now.max(until);
                    Event::Woke
                }
                other => panic!("{other:?}"),
            };
            // What the ledger has taken over is not held any more but by the call that is under way.
            if held.len() > 1_000 {
                held.clear();
            }
        }
    }

    fn judge(&self, seed: u64) {
        let mut newest: BTreeMap<String, u64> = BTreeMap::new();
        for (nth, key) in &self.acknowledged {
            let key = newest.entry(key.to_string()).or_default();
            *key = (*key).max(*nth);
        }
        let mut last: BTreeMap<String, u64> = BTreeMap::new();
        let mut times: BTreeMap<u64, u64> = BTreeMap::new();
        for (key, nth) in &self.target.executed {
            let before = last.insert(key.clone(), *nth).unwrap_or(0);
            assert!(
                before <= *nth,
                "seed {seed}: {key} went back from {before} to {nth}"
            );
            *times.entry(*nth).or_default() += 1;
        }
        assert_eq!(
            last, newest,
            "seed {seed}: what was sent last is what the target has"
        );
        for (nth, times) in times {
            assert!(
                times == 1 || self.target.hit.contains(&nth),
                "seed {seed}: push {nth} was executed {times} times, and no kill hit its call"
            );
        }
        let waits = self.ledger.reader().inbox(SCHEME).expect("a question");
        assert_eq!((waits.pushes, waits.rows, waits.bytes), (0, 0, 0), "seed {seed}");
    }
}

fn accepted() -> RowAnswer {
    RowAnswer {
        verdict: Verdict::Accepted,
        id: Some("D".to_owned()),
        number: None,
        lines: None,
        reason: Reason::new("", ""),
    }
}

fn row(key: u64, nth: u64, source: Blob) -> StagedRow {
    StagedRow {
        key: format!("[\"{key}\"]"),
        label: key.to_string(),
        version: format!("v{nth}"),
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

fn plan(now: Ms) -> JobPlan {
    JobPlan {
        scheme: SCHEME.to_owned(),
        revision: "r".to_owned(),
        trigger: Trigger::Push,
        instant: now,
        source: SourceFacts {
            window: None,
            proposal: Proposal::default(),
            manual: None,
            // Written again even where nothing changed: what is taken twice is seen.
            on_seen: OnSeen::Update,
            paging: Paging::default(),
            keeps: None,
            sweep: None,
            replay: None,
            versions: None,
            inbox: Inbox::Only,
        },
        target: Some(TargetFacts {
            gathers: false,
            name: "t".to_owned(),
            batch: 3,
            proof: Proof::Upsert,
            on_unknown: OnUnknown::ByProof,
            timeout: 1_000,
            quiet: 1_000,
            find_before_create: false,
            updates: true,
            voids_again: false,
            asks_updates: false,
            stop_at_first_dead: false,
            remembers: 1_000_000,
            steps: Vec::new(),
        }),
        limit: None,
        settle_wait: 600_000,
        partner: None,
        for_partner: false,
        stages: Stages::All,
        brakes: flow::Brakes::default(),
        retry: flow::Retry::default(),
    }
}

#[test]
fn a_process_that_dies_anywhere_loses_and_doubles_nothing() {
    let (mut kills, mut twice) = (0_u64, 0_u64);
    for seed in 0..60 {
        let mut world = World::new(seed);
        for _ in 0..8 {
            for _ in 0..world.random.below(6) {
                world.push();
            }
            let dies_after = (world.random.below(3) > 0).then(|| world.random.below(40));
            let ended = world.run(dies_after);
            kills += u64::from(!ended);
        }
        world.now += 10_000;
        assert!(world.run(None), "the last run is left in peace");
        world.judge(seed);
        twice += world.target.hit.len() as u64;
    }
    assert!(kills > 100, "{kills} kills are too few to show anything");
    assert!(twice > 10, "{twice} calls were hit");
}
