//! Random histories: whatever the order of work, counts add up, only allowed transitions happen (the database itself
//! refuses others in debug builds), and nothing is sent again while its fate is unknown.

use std::collections::BTreeMap;

use flow::ids::{AttemptId, Ms};
use flow::op::{OnSeen, Reason, RecordState, Refusal, Resolution, Settlement};
use flow::window::{Interval, merge};
use ledger::contract::{Desk, SCHEME};
use ledger::{Ledger, read::RecordFilter};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    See(usize, usize, OnSeen),
    Claim(usize, usize),
    Settle(usize, Settlement),
    Resolve(usize, Resolution),
    Refuse(usize, Refusal),
    Restart,
    Wait(Ms),
}

const KEYS: [&str; 4] = ["a", "b", "c", "d"];
const VERSIONS: [&str; 3] = ["v1", "v2", "v3"];
/// Fewer keys at the target than at the source, so that they meet.
const TARGET_KEYS: [&str; 3] = ["X", "Y", ""];

fn why() -> Reason {
    Reason::new("E4000", "because")
}

fn settlement() -> impl Strategy<Value = Settlement> {
    prop_oneof![
        3 => any::<bool>().prop_map(|id| Settlement::Done { id: id.then(|| "1".to_owned()), number: None, lines: None }),
        1 => Just(Settlement::Dead(why())),
        1 => (0..50i64, any::<bool>()).prop_map(|(wait, spend)| Settlement::Retry {
            not_before: 1_000_000 + wait,
            spend,
            reason: why()
        }),
        2 => (0..50i64).prop_map(|wait| Settlement::Unknown { resolve_after: 1_000_000 + wait, reason: why() }),
        1 => Just(Settlement::Held(why())),
    ]
}

fn resolution() -> impl Strategy<Value = Resolution> {
    prop_oneof![
        2 => Just(Resolution::Done { id: Some("2".to_owned()), number: None }),
        2 => Just(Resolution::Resend),
        1 => (0..50i64, any::<bool>()).prop_map(|(wait, missed)| Resolution::AskAgain {
            at: 1_000_000 + wait,
            missed,
            reason: why()
        }),
        1 => Just(Resolution::Held(why())),
    ]
}

fn refusal() -> impl Strategy<Value = Refusal> {
    prop_oneof![
        Just(Refusal::Dead(why())),
        Just(Refusal::Held(why())),
        Just(Refusal::Skipped(why())),
        (0..50i64).prop_map(|wait| Refusal::Later {
            not_before: 1_000_000 + wait,
            reason: why()
        }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0..KEYS.len();
    let rule =
        prop_oneof![3 => Just(OnSeen::UpdateIfChanged), 1 => Just(OnSeen::Update), 1 => Just(OnSeen::Skip)];
    prop_oneof![
        6 => (key.clone(), 0..VERSIONS.len(), rule).prop_map(|(k, v, rule)| Step::See(k, v, rule)),
        4 => (key.clone(), 0..TARGET_KEYS.len()).prop_map(|(k, t)| Step::Claim(k, t)),
        4 => (key.clone(), settlement()).prop_map(|(k, s)| Step::Settle(k, s)),
        3 => (key.clone(), resolution()).prop_map(|(k, r)| Step::Resolve(k, r)),
        1 => (key, refusal()).prop_map(|(k, r)| Step::Refuse(k, r)),
        1 => Just(Step::Restart),
        1 => (1..40i64).prop_map(Step::Wait),
    ]
}

fn known(desk: &Desk, key: &str) -> Option<RecordState> {
    let filter = RecordFilter {
        key: Some(key.to_owned()),
        ..RecordFilter::default()
    };
    desk.ledger
        .reader()
        .list_records(&filter)
        .unwrap()
        .pop()
        .map(|record| record.state)
}

fn play(steps: &[Step]) {
    let mut desk = Desk::new(Ledger::in_memory().unwrap());
    let mut attempts: BTreeMap<usize, AttemptId> = BTreeMap::new();
    let mut runs = vec![desk.run];
    for step in steps {
        match step {
            Step::See(key, version, rule) => {
                let seen = desk.stage(&[(KEYS[*key], VERSIONS[*version])], *rule);
                assert_eq!(seen.iter().map(|(_, n)| n).sum::<u64>(), 1);
            }
            Step::Claim(key, target) => {
                if known(&desk, KEYS[*key]).is_none() {
                    continue;
                }
                let before = desk.record(KEYS[*key]);
                let (attempt, refused) = desk.claim(&[(KEYS[*key], &before.version, TARGET_KEYS[*target])]);
                assert_eq!(attempt.is_some(), refused.is_empty());
                let after = known(&desk, KEYS[*key]).unwrap();
                match attempt {
                    Some(attempt) => {
                        assert_eq!(
                            (before.state, after),
                            (RecordState::Pending, RecordState::Sending)
                        );
                        attempts.insert(*key, attempt);
                    }
                    None if before.state == RecordState::Pending => assert_eq!(after, RecordState::Held),
                    None => assert_eq!(before.state, after, "a stale claim changes nothing"),
                }
            }
            Step::Settle(key, settlement) => {
                if let Some(attempt) = attempts.get(key) {
                    let before = known(&desk, KEYS[*key]).unwrap();
                    let hit = desk.settle(*attempt, KEYS[*key], settlement.clone());
                    assert_eq!(hit, before == RecordState::Sending);
                }
            }
            Step::Resolve(key, resolution) => {
                if let Some(before) = known(&desk, KEYS[*key]) {
                    let hit = desk.resolve(KEYS[*key], resolution.clone());
                    assert_eq!(hit, before == RecordState::Unknown);
                }
            }
            Step::Refuse(key, refusal) => {
                if let Some(before) = known(&desk, KEYS[*key]) {
                    let version = desk.record(KEYS[*key]).version;
                    let hit = desk.refuse(KEYS[*key], &version, refusal.clone());
                    assert_eq!(hit, before == RecordState::Pending);
                }
            }
            Step::Restart => {
                desk.begin();
                runs.push(desk.run);
                let states = desk.ledger.reader().states(SCHEME).unwrap();
                assert_eq!(states[1], 0, "nothing is sending after a start");
            }
            Step::Wait(ms) => desk.now += ms,
        }
    }
    desk.end();
    let reader = desk.ledger.reader();
    let total: u64 = reader.states(SCHEME).unwrap().iter().sum();
    let all = RecordFilter::default();
    assert_eq!(
        usize::try_from(total).unwrap(),
        reader.list_records(&all).unwrap().len()
    );
    for run in runs {
        let life = reader.show_run(run).unwrap().unwrap();
        assert!(life.now.add_up() && life.run.counts.unwrap().add_up());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn histories(steps in prop::collection::vec(step(), 1..80)) {
        play(&steps);
    }

    /// The table of closed intervals is what merging them all at once gives.
    #[test]
    fn intervals(pairs in prop::collection::vec((0..100i64, 1..30i64), 1..20)) {
        use flow::op::LedgerOp;
        let mut desk = Desk::new(Ledger::in_memory().unwrap());
        let intervals: Vec<Interval> =
            pairs.iter().map(|(from, length)| Interval { from: *from, to: from + length }).collect();
        for interval in &intervals {
            desk.open_window(*interval);
            let (op, blobs) = desk.page(Vec::new(), OnSeen::Skip);
            let LedgerOp::StagePage { run, window, scheme, page, rows, total, fingerprint, on_seen, updates, store_only, now, .. } =
                op
            else {
                unreachable!("a page")
            };
            let close = Some(Some(*interval));
            let op = LedgerOp::StagePage {
                run, window, scheme, page, rows, total, fingerprint, on_seen, updates, store_only, close, now,
            };
            desk.try_one(op, &blobs).unwrap();
        }
        prop_assert_eq!(desk.ledger.reader().closed_intervals(SCHEME).unwrap(), merge(intervals));
        desk.end();
    }
}
