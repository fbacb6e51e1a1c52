//! Both sides were changed.

use flow::decision::{Content, Decision};
use flow::op::RecordState;
use ledger::two_way::{Conflict, NamedBy};

use crate::world::*;

fn edited_on_both_sides(conflict: Conflict) -> World {
    let mut world = synced(NamedBy::Id, conflict);
    world.edit(0, "K1", "phone", "a");
    world.edit(1, "K1", "phone", "b");
    world
}

#[test]
fn a_conflict_is_held_on_both_sides_until_somebody_decides() {
    for (chosen, want) in [(Way::AtoB, "a"), (Way::BtoA, "b")] {
        for first in Way::ALL {
            let mut world = edited_on_both_sides(Conflict::Hold);
            world.run(first);
            world.run(first.back());
            assert_eq!(world.writes(), [0, 1], "nothing of it is written");
            for way in Way::ALL {
                let held = (RecordState::Held, "E5043".to_owned());
                assert_eq!(world.state(way, "K1"), held);
            }
            world.decide(chosen, "K1", Decision::Retry(Content::Latest));
            assert_eq!(
                world.state(chosen.back(), "K1"),
                (RecordState::Skipped, "E5044".to_owned())
            );
            world.run(first);
            world.run(first.back());
            world.both();
            assert_eq!(
                (world.says(0, "K1", "phone"), world.says(1, "K1", "phone")),
                (want, want)
            );
            assert_eq!(world.writes().iter().sum::<usize>(), 2);
            let lost = world.record(chosen.back(), "K1").record;
            let notes = world.reader.two_way_notes(lost).expect("notes");
            let lost: Vec<_> = notes.iter().filter(|note| note.what == "lost").collect();
            assert!(
                matches!(&lost[..], [one] if one.row.is_some()),
                "the row that lost is kept: {notes:?}"
            );
        }
    }
}

#[test]
fn a_policy_decides_whoever_runs_first() {
    for (conflict, want) in [
        (Conflict::SourceWins, "a"),
        (Conflict::TargetWins, "b"),
        // B was edited last.
        (Conflict::NewestWins, "b"),
    ] {
        for first in Way::ALL {
            let mut world = synced(NamedBy::Id, conflict);
            world.ranked = true;
            world.edit(0, "K1", "phone", "a");
            world.edit(1, "K1", "phone", "b");
            world.run(first);
            world.run(first.back());
            world.both();
            let said = (world.says(0, "K1", "phone"), world.says(1, "K1", "phone"));
            assert_eq!(said, (want, want), "{conflict:?} {first:?}");
            assert_eq!(world.writes().iter().sum::<usize>(), 2, "{conflict:?} {first:?}");
        }
    }
}

#[test]
fn without_a_time_nobody_is_the_newest() {
    let mut world = edited_on_both_sides(Conflict::NewestWins);
    world.both();
    for way in Way::ALL {
        assert_eq!(world.state(way, "K1").0, RecordState::Held);
    }
}

/// A change that the other system refused has not arrived: what comes from there does not bury it.
#[test]
fn a_refused_change_is_a_conflict_too() {
    let mut world = synced(NamedBy::Id, Conflict::Hold);
    world.edit(0, "K1", "phone", "2");
    world.weather = vec![Weather::Refused];
    world.run(Way::AtoB);
    world.edit(1, "K1", "city", "杭州");
    world.run(Way::BtoA);
    assert_eq!(
        world.state(Way::BtoA, "K1"),
        (RecordState::Held, "E5043".to_owned())
    );
    assert_eq!(world.says(0, "K1", "phone"), "2");
}

/// The same number is given to a new document on both sides: they are one, and were changed on both.
#[test]
fn what_is_made_on_both_sides_under_one_key_is_a_conflict() {
    for (conflict, want) in [(Conflict::SourceWins, "云杉"), (Conflict::TargetWins, "清荷")] {
        for first in Way::ALL {
            let mut world = World::new(NamedBy::Key, conflict);
            world.make(0, "K1", "云杉");
            world.make(1, "K1", "清荷");
            world.run(first);
            world.run(first.back());
            world.both();
            world.both();
            let said = (world.says(0, "K1", "name"), world.says(1, "K1", "name"));
            assert_eq!(said, (want, want), "{conflict:?} {first:?}");
            assert_eq!(world.writes().iter().sum::<usize>(), 1, "{conflict:?} {first:?}");
        }
    }
}

/// The winner of a conflict was refused, and somebody skipped it: what the other side writes from then on comes back as
/// an echo.
#[test]
fn who_won_and_was_skipped_has_not_won() {
    let mut world = edited_on_both_sides(Conflict::Hold);
    world.both();
    world.decide(Way::AtoB, "K1", Decision::Retry(Content::Latest));
    world.weather = vec![Weather::Refused];
    world.run(Way::AtoB);
    assert_eq!(world.state(Way::AtoB, "K1").0, RecordState::Dead);
    world.decide(Way::AtoB, "K1", Decision::Skip);
    world.edit(1, "K1", "phone", "c");
    world.run(Way::BtoA);
    assert_eq!(world.says(0, "K1", "phone"), "c");
    let before = world.writes();
    world.both();
    world.both();
    assert_eq!(world.writes(), before, "nothing is written back");
    assert_eq!(world.state(Way::AtoB, "K1").0, RecordState::Done);
}

/// A person wants a refused document sent as it was, and has not seen that the other side was edited.
#[test]
fn a_document_as_it_was_stored_buries_no_edit() {
    let mut world = synced(NamedBy::Id, Conflict::Hold);
    world.edit(0, "K1", "phone", "1");
    world.weather = vec![Weather::Refused];
    world.run(Way::AtoB);
    let attempt = world.record(Way::AtoB, "K1").attempt.expect("an attempt");
    world.decide(Way::AtoB, "K1", Decision::Retry(Content::AsStored(attempt)));
    world.edit(1, "K1", "phone", "2");
    world.run(Way::AtoB);
    assert_eq!(world.says(1, "K1", "phone"), "2");
    for way in Way::ALL {
        assert_eq!(world.state(way, "K1"), (RecordState::Held, "E5043".to_owned()));
    }
}

/// Somebody decides a conflict by what was there to be seen; the other side was edited once more since.
#[test]
fn a_decision_does_not_bury_what_came_after() {
    let mut world = edited_on_both_sides(Conflict::Hold);
    world.both();
    world.edit(1, "K1", "city", "杭州");
    world.both();
    world.decide(Way::AtoB, "K1", Decision::Retry(Content::Latest));
    world.both();
    assert_eq!(world.says(1, "K1", "city"), "杭州");
    for way in Way::ALL {
        assert_eq!(world.state(way, "K1"), (RecordState::Held, "E5043".to_owned()));
    }
    world.decide(Way::AtoB, "K1", Decision::Retry(Content::Latest));
    world.both();
    world.both();
    settled(&world, "decided");
}

#[test]
fn rows_that_lost_are_kept_as_long_as_the_scheme_says() {
    let mut world = edited_on_both_sides(Conflict::SourceWins);
    world.both();
    let lost = world.record(Way::BtoA, "K1").record;
    let rows = |world: &World| {
        let notes = world.reader.two_way_notes(lost).expect("notes");
        notes.iter().filter(|note| note.row.is_some()).count()
    };
    world.ledger.set_retention("s", Some(MINUTE)).expect("a rule");
    assert_eq!(rows(&world), 1);
    let now = world.now + 2 * MINUTE;
    world.ledger.prune(1, now).expect("pruned");
    assert_eq!(rows(&world), 0);
    assert!(
        !world.notes(Way::BtoA, "K1").is_empty(),
        "what was decided is kept"
    );
}
