//! What was written comes back as a row, and is no news.

use flow::decision::{Content, Decision};
use flow::ids::Ms;
use flow::op::{RecordState, SightingOutcome};
use ledger::two_way::{Conflict, NamedBy};

use crate::world::*;

#[test]
fn what_was_written_does_not_come_back() {
    for named_by in NAMES {
        let mut world = synced(named_by, Conflict::Hold);
        for _ in 0..3 {
            world.both();
        }
        assert_eq!(world.writes(), [0, 1]);
        assert_eq!(world.state(Way::BtoA, "K1").0, RecordState::Done);
        assert_eq!(world.notes(Way::BtoA, "K1"), ["echo t "]);
        // An edit goes over once, either way.
        world.edit(1, "K1", "phone", "139");
        world.both();
        world.both();
        assert_eq!((world.says(0, "K1", "phone"), world.writes()), ("139", [1, 1]));
        world.edit(0, "K1", "phone", "138");
        world.both();
        world.both();
        assert_eq!((world.says(1, "K1", "phone"), world.writes()), ("138", [1, 2]));
        assert_eq!(world.systems[0].docs.len(), 1);
        assert_eq!(world.systems[1].docs.len(), 1);
    }
}

#[test]
fn an_echo_is_counted_as_unchanged() {
    let mut world = World::new(NamedBy::Id, Conflict::Hold);
    world.make(0, "K1", "云杉");
    world.run(Way::AtoB);
    let (run, outcomes) = world.fetch(Way::BtoA);
    assert_eq!(outcomes, [(SightingOutcome::Unchanged, 1)]);
    let counts = world.end(run);
    assert_eq!((counts.fetched, counts.skipped, counts.unchanged), (1, 1, 1));
}

/// The value is the one that the scheme carried over before the partner wrote another one.
#[test]
fn setting_a_value_back_is_an_edit() {
    for (named_by, ranked) in [(NamedBy::Id, false), (NamedBy::Key, false), (NamedBy::Id, true)] {
        let mut world = synced(named_by, Conflict::Hold);
        world.ranked = ranked;
        world.edit(1, "K1", "phone", "1");
        world.both();
        world.edit(0, "K1", "phone", "2");
        world.run(Way::AtoB);
        assert_eq!(world.says(1, "K1", "phone"), "2");
        // B never told the other scheme of 2: it reads 1 twice.
        world.edit(1, "K1", "phone", "1");
        world.both();
        assert_eq!(world.says(0, "K1", "phone"), "1", "{named_by:?} {ranked}");
        world.both();
        assert_eq!(world.writes(), [2, 2]);
    }
}

/// A copy of the source that lags behind tells an old row once more; its time says that it is old.
#[test]
fn an_old_row_is_no_edit() {
    let mut world = synced(NamedBy::Id, Conflict::Hold);
    world.ranked = true;
    world.edit(1, "K1", "phone", "1");
    world.both();
    let before = world.systems[1].docs.clone();
    world.edit(0, "K1", "phone", "2");
    world.run(Way::AtoB);
    let now = std::mem::replace(&mut world.systems[1].docs, before);
    let (run, outcomes) = world.fetch(Way::BtoA);
    assert_eq!(outcomes, [(SightingOutcome::Unchanged, 1)]);
    world.end(run);
    world.systems[1].docs = now;
    world.both();
    assert_eq!(
        (world.says(0, "K1", "phone"), world.says(1, "K1", "phone")),
        ("2", "2")
    );
    assert_eq!(world.writes(), [1, 2]);
}

/// A default is filled in when B makes the document; what somebody sets it to later is an edit.
#[test]
fn what_the_other_system_fills_in_is_no_news() {
    let mut world = synced(NamedBy::Id, Conflict::Hold);
    assert_eq!(
        (world.says(1, "K1", LEVEL), world.says(0, "K1", LEVEL)),
        ("C", "")
    );
    world.edit(1, "K1", LEVEL, "A");
    world.both();
    assert_eq!(world.says(0, "K1", LEVEL), "A");
    world.edit(1, "K1", LEVEL, "C");
    world.both();
    assert_eq!(world.says(0, "K1", LEVEL), "C");
}

/// Before the other scheme has read what was made, somebody edits it there.
#[test]
fn an_edit_before_the_first_reading_is_news() {
    for named_by in NAMES {
        let mut world = World::new(named_by, Conflict::Hold);
        world.make(0, "K1", "云杉");
        world.run(Way::AtoB);
        world.edit(1, "K1", "city", "杭州");
        world.both();
        assert_eq!(world.says(0, "K1", "city"), "杭州");
        assert_eq!(world.systems[0].docs.len(), 1);
    }
}

/// While it is not known whether a document was made, a row without partner may be that document.
#[test]
fn a_create_in_doubt_makes_rows_wait() {
    for (named_by, weather) in NAMES
        .into_iter()
        .flat_map(|named| [(named, Weather::LostAfter), (named, Weather::DiedAfter)])
    {
        let mut world = World::new(named_by, Conflict::Hold);
        world.make(0, "K1", "云杉");
        world.weather = vec![weather];
        world.run(Way::AtoB);
        // B has it, and nobody knows.
        let (run, outcomes) = world.fetch(Way::BtoA);
        assert_eq!(outcomes, [(SightingOutcome::New, 1)]);
        assert_eq!(world.pick(Way::BtoA), []);
        assert_eq!(
            world.state(Way::BtoA, "K1"),
            (RecordState::Pending, "E5042".to_owned())
        );
        world.end(run);
        world.both();
        world.both();
        assert_eq!(world.writes(), [0, 1], "{named_by:?} {weather:?}");
        assert_eq!((world.systems[0].docs.len(), world.systems[1].docs.len()), (1, 1));
        assert_eq!(world.state(Way::BtoA, "K1").0, RecordState::Done);
    }
}

/// Of a write in doubt nobody knows whose value a row holds: it is judged when that is known, and not before. And what
/// somebody wrote meanwhile is not buried by sending it again.
#[test]
fn an_update_in_doubt_makes_its_row_wait() {
    for weather in [
        Weather::LostBefore,
        Weather::LostAfter,
        Weather::DiedBefore,
        Weather::DiedAfter,
    ] {
        for (conflict, city) in [(Conflict::SourceWins, ""), (Conflict::Hold, "杭州")] {
            let mut world = synced(NamedBy::Id, conflict);
            world.edit(0, "K1", "phone", "2");
            world.weather = vec![weather];
            world.run(Way::AtoB);
            world.edit(1, "K1", "city", "杭州");
            world.run(Way::BtoA);
            assert_eq!(
                world.state(Way::BtoA, "K1"),
                (RecordState::Pending, "E5042".to_owned()),
                "{weather:?}"
            );
            world.both();
            world.both();
            let held = conflict == Conflict::Hold;
            for way in Way::ALL {
                assert_eq!(world.state(way, "K1").0 == RecordState::Held, held, "{weather:?}");
            }
            assert_eq!(world.says(1, "K1", "city"), city, "{weather:?}");
            assert_eq!(world.says(0, "K1", "phone"), "2", "{weather:?}");
            if held {
                world.decide(Way::BtoA, "K1", Decision::Retry(Content::Latest));
                world.both();
                world.both();
            }
            settled(&world, "decided");
        }
    }
}

#[test]
fn a_refused_write_leaves_nothing_behind() {
    let mut world = synced(NamedBy::Id, Conflict::SourceWins);
    world.edit(0, "K1", "phone", "2");
    world.weather = vec![Weather::Refused];
    world.run(Way::AtoB);
    assert_eq!(world.state(Way::AtoB, "K1").0, RecordState::Dead);
    // The same value by hand is an edit, and not what was refused.
    world.edit(1, "K1", "phone", "2");
    let (run, outcomes) = world.fetch(Way::BtoA);
    assert_eq!(outcomes, [(SightingOutcome::Changed, 1)]);
    world.end(run);
}

#[test]
fn notes_are_given_up_with_the_rest() {
    let mut world = synced(NamedBy::Id, Conflict::Hold);
    assert_eq!(world.notes(Way::BtoA, "K1").len(), 1);
    let now = world.now;
    world.ledger.prune(now - 3_600_000, now).expect("pruned");
    assert_eq!(world.notes(Way::BtoA, "K1").len(), 1);
    world.ledger.prune(now + 1, now + 1).expect("pruned");
    assert_eq!(world.notes(Way::BtoA, "K1").len(), 0);
    // What the rules need is kept.
    world.both();
    assert_eq!(world.writes(), [0, 1]);
}

/// What the other side wrote while a further call was to come is newer than the document before it.
#[test]
fn a_step_that_ends_late_forgets_nothing() {
    let mut world = synced(NamedBy::Id, Conflict::Hold);
    world.edit(0, "K1", "phone", "1");
    assert_eq!(world.write_first_calls(Way::AtoB).len(), 1);
    world.edit(1, "K1", "phone", "2");
    world.run(Way::BtoA);
    assert_eq!(world.says(0, "K1", "phone"), "2");
    world.write_further_call(Way::AtoB);
    world.edit(1, "K1", "phone", "3");
    world.both();
    world.both();
    assert_eq!(
        (world.says(0, "K1", "phone"), world.says(1, "K1", "phone")),
        ("3", "3")
    );
    assert_eq!(world.writes(), [2, 2]);
}

/// Each system writes a city in its own way: that is not carried to and fro for ever.
#[test]
fn two_ways_of_writing_a_value_are_told_of() {
    let mut world = synced(NamedBy::Id, Conflict::Hold);
    world.cased = true;
    world.edit(0, "K1", "city", "hangzhou");
    for _ in 0..10 {
        world.both();
    }
    assert_eq!(
        world.state(Way::BtoA, "K1"),
        (RecordState::Held, "E5046".to_owned())
    );
    let why = world.record(Way::BtoA, "K1").reason.expect("a reason");
    assert!(why.text.starts_with("city "), "{why:?}");
    assert!(world.writes().iter().sum::<usize>() < 8, "{:?}", world.writes());
    // Who lets it go has it written once more, and is asked again where that was no help.
    world.cased = false;
    world.decide(Way::BtoA, "K1", Decision::Retry(Content::Latest));
    world.both();
    world.both();
    assert_eq!(
        (world.says(0, "K1", "city"), world.says(1, "K1", "city")),
        ("HANGZHOU", "HANGZHOU")
    );
    settled(&world, "let go");
}

/// The pair is taken away while a run is about to write by its rules.
#[test]
fn without_its_pair_nothing_is_written() {
    let mut world = World::new(NamedBy::Id, Conflict::Hold);
    world.make(0, "K1", "云杉");
    let (run, _) = world.fetch(Way::AtoB);
    let picked = world.pick(Way::AtoB);
    world.ledger.unpair("s").expect("two schemes");
    for one in &picked {
        world.send(Way::AtoB, run, one);
    }
    world.end(run);
    assert_eq!((picked.len(), world.writes()), (1, [0, 0]));
    assert_eq!(world.state(Way::AtoB, "K1").0, RecordState::Pending);
}

/// One of two schemes has carried documents before the other was made: they are not news.
#[test]
fn what_was_written_before_they_were_a_pair_is_not_written_back() {
    for named_by in NAMES {
        let mut world = World::new(named_by, Conflict::Hold);
        let rules = world.rules(Conflict::Hold);
        world.ledger.unpair("t").expect("one scheme");
        world.alone = true;
        for number in ["K1", "K2"] {
            world.make(0, number, "云杉");
        }
        let (run, _) = world.fetch(Way::AtoB);
        for picked in world.pick(Way::AtoB) {
            world.send(Way::AtoB, run, &picked);
        }
        world.end(run);
        // B cuts names.
        let id = world.id_of(1, "K2").expect("made");
        world.systems[1]
            .docs
            .get_mut(&id)
            .expect("made")
            .fields
            .insert("name".to_owned(), "云".to_owned());
        world.alone = false;
        world.pair(&rules);
        // One of them has an edit on its way.
        world.edit(0, "K1", "phone", "1");
        world.both();
        world.both();
        assert_eq!(world.writes(), [0, 3], "{named_by:?}");
        world.edit(1, "K2", "phone", "2");
        world.both();
        world.both();
        assert_eq!(world.says(0, "K2", "phone"), "2");
        assert_eq!(world.writes(), [1, 3], "{named_by:?}");
        // Apart for a while: what was written before that is not remembered as if nothing had happened.
        world.ledger.unpair("t").expect("apart");
        world.pair(&rules);
        world.both();
        assert_eq!(world.writes(), [1, 3], "{named_by:?}");
    }
}

/// Whoever is served the rows gets those that came back, too, and what they say later.
#[test]
fn an_echo_is_served() {
    let mut world = World::new(NamedBy::Id, Conflict::Hold);
    let now = world.now;
    world.ledger.serve("s", now).expect("served");
    world.make(0, "K1", "云杉");
    world.both();
    world
        .ledger
        .close_stretch("s", 0, world.now + 1, world.now)
        .expect("closed");
    let fed = |world: &World| world.reader.feed("s", 0, Ms::MAX, 0, 9).expect("a page").total;
    assert_eq!(fed(&world), 1);
    world.edit(0, "K1", "phone", "2");
    world.both();
    assert_eq!(fed(&world), 2);
}
