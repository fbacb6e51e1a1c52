//! Random edits, with answers that are lost, late or refused and processes that die behind their claims.

use std::collections::BTreeMap;

use flow::decision::{Content, Decision};
use flow::op::RecordState;
use ledger::two_way::Conflict;

use crate::world::*;

/// splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(end).expect("small")).expect("small")
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// One world of random edits. Edits of a round are on one side of a document, unless it is one with conflicts.
fn play(seed: u64, faults: bool, conflicts: bool) {
    let mut random = Random(seed);
    let named_by = random.pick(&NAMES);
    let conflict = random.pick(&Conflict::ALL);
    let mut world = World::new(named_by, conflict);
    world.ranked = conflict == Conflict::NewestWins || random.below(2) == 0;
    let what = format!("seed {seed} {named_by:?} {conflict:?} ranked {}", world.ranked);
    let (mut made, mut effective) = (0, [0, 0]);
    // What a person wrote last, where only one side was edited.
    let mut wanted: BTreeMap<(String, String), String> = BTreeMap::new();
    for _ in 0..12 {
        let mut numbers: Vec<String> = world.systems[0]
            .docs
            .values()
            .map(|doc| doc.number.clone())
            .collect();
        numbers.retain(|number| world.id_of(1, number).is_some());
        // What is cancelled on one side is edited nowhere any more, unless conflicts are wanted.
        numbers.retain(|number| (0..2).all(|side| !world.is_cancelled(side, number)));
        for _ in 0..random.below(3) {
            made += 1;
            let (side, number) = (random.below(2), format!("K{made}"));
            world.make(side, &number, &format!("n{made}"));
            effective[1 - side] += 1;
        }
        for number in numbers {
            let sides: &[usize] = match random.below(7) {
                0 | 1 => &[0],
                2 | 3 => &[1],
                4 if conflicts => &[0, 1],
                5 if random.below(8) == 0 => {
                    let side = random.below(2);
                    world.cancel(side, &number);
                    effective[1 - side] += 1;
                    if conflicts && random.below(2) == 0 {
                        world.cancel(1 - side, &number);
                    }
                    wanted.retain(|(of, _), _| *of != number);
                    &[]
                }
                _ => &[],
            };
            for side in sides {
                let before = world.systems[*side].docs[&world.id_of(*side, &number).expect("there")].clone();
                for _ in 0..=random.below(2) {
                    let (field, value) = (random.pick(&BOTH), random.below(3));
                    let value = if value == 0 {
                        String::new()
                    } else {
                        value.to_string()
                    };
                    world.edit(*side, &number, field, &value);
                    if sides.len() == 1 {
                        wanted.insert((number.clone(), field.to_owned()), value);
                    } else {
                        wanted.remove(&(number.clone(), field.to_owned()));
                    }
                }
                let after = &world.systems[*side].docs[&world.id_of(*side, &number).expect("there")];
                effective[1 - *side] += usize::from(before.fields != after.fields && differs(&before, after));
            }
        }
        let first = random.pick(&Way::ALL);
        if faults {
            let weathers = [
                Weather::Fine,
                Weather::NotSent,
                Weather::LostBefore,
                Weather::LostAfter,
                Weather::Late,
                Weather::DiedBefore,
                Weather::DiedAfter,
            ];
            for _ in 0..random.below(4) {
                world.weather.push(random.pick(&weathers));
            }
        }
        world.run(first);
        world.run(first.back());
        if !faults && !conflicts {
            settled(&world, &what);
        }
    }
    world.weather.clear();
    for _ in 0..4 {
        world.both();
        for way in Way::ALL {
            for record in world.records(way) {
                let held = record.state == RecordState::Held
                    && record.reason.as_ref().is_some_and(|why| why.code == "E5043");
                // The other side may have lost to an earlier one of these decisions.
                if held && world.record(way, &record.label).state == RecordState::Held {
                    world.decide(way, &record.label, Decision::Retry(Content::Latest));
                }
            }
        }
    }
    world.both();
    settled(&world, &what);
    for way in Way::ALL {
        for record in world.records(way) {
            let over = matches!(record.state, RecordState::Done | RecordState::Skipped);
            assert!(over, "{what}: {record:?}");
        }
    }
    if !conflicts && !faults {
        for ((number, field), value) in &wanted {
            assert_eq!(world.says(0, number, field), value, "{what}: {field} of {number}");
        }
        assert_eq!(
            world.writes(),
            effective,
            "{what}: a write for an edit, and no other"
        );
    }
    // The dust has settled: nothing moves any more.
    let before = world.writes();
    world.both();
    world.both();
    assert_eq!(world.writes(), before, "{what}: an echo");
}

const SEEDS: u64 = 25;

#[test]
fn every_edit_arrives_once_and_none_comes_back() {
    (0..SEEDS).for_each(|seed| play(seed, false, false));
}

#[test]
fn conflicts_are_settled_one_way() {
    (0..SEEDS).for_each(|seed| play(seed, false, true));
}

#[test]
fn lost_answers_and_dead_processes_double_nothing_and_lose_nothing() {
    (0..SEEDS).for_each(|seed| play(seed, true, false));
}

#[test]
fn everything_at_once() {
    (0..SEEDS).for_each(|seed| play(seed, true, true));
}
