//! Which record is whose: what was mapped, restored, doubled.

use flow::decision::{Content, Decision};
use flow::op::{RecordState, Resolution};
use ledger::read::MappedFrom;
use ledger::two_way::{Conflict, NamedBy};

use crate::world::*;

/// Somebody says that a document of B is that of a second document of A.
#[test]
fn a_doubled_document_is_held() {
    let mut world = World::new(NamedBy::Id, Conflict::Hold);
    let id = world.make(1, "K1", "云杉");
    world.run(Way::BtoA);
    let second = world.make(0, "K2", "云杉");
    world.read(Way::AtoB);
    world.map(Way::AtoB, &second, &id);
    world.edit(1, "K1", "phone", "1");
    world.run(Way::BtoA);
    assert_eq!(
        world.state(Way::BtoA, "K1"),
        (RecordState::Held, "E5045".to_owned())
    );
}

/// Accounts are on both sides, and somebody says which is which, before anything was read, and before the other scheme
/// has read anything.
#[test]
fn what_was_mapped_ahead_is_not_made_again() {
    for named_by in NAMES {
        let mut world = World::new(named_by, Conflict::Hold);
        let a = world.make(0, "N1", "云杉");
        let b = world.make(1, "M1", "清荷");
        let record = world.name(&a, "N1");
        world.map(Way::AtoB, &record, &b);
        world.read(Way::BtoA);
        match named_by {
            NamedBy::Id => {
                assert!(world.pick(Way::BtoA)[0].has_target);
                assert_eq!(world.record(Way::BtoA, "M1").target_id, Some(a));
            }
            // By which id A knows it is told by the row of A alone.
            NamedBy::Key => {
                assert_eq!(world.pick(Way::BtoA), []);
                assert!(world.waits(Way::BtoA, "M1"));
            }
        }
        // The other scheme has read, and written nothing.
        let mut world = World::new(named_by, Conflict::Hold);
        let a = world.make(0, "N1", "云杉");
        let b = world.make(1, "M1", "清荷");
        let record = world.name(&a, "N1");
        world.map(Way::AtoB, &record, &b);
        world.read(Way::AtoB);
        world.read(Way::BtoA);
        assert_eq!(world.pick(Way::BtoA), []);
        for (way, number) in [(Way::AtoB, "N1"), (Way::BtoA, "M1")] {
            let held = (RecordState::Held, "E5043".to_owned());
            assert_eq!(world.state(way, number), held, "{named_by:?}");
        }
        world.decide(Way::BtoA, "M1", Decision::Retry(Content::Latest));
        let picked = world.pick(Way::BtoA);
        assert!(picked[0].has_target, "{named_by:?}");
        assert_eq!(world.record(Way::BtoA, "M1").target_id, Some(a));
    }
}

/// What came back takes what was said of it before its row came.
#[test]
fn an_echo_takes_its_mapping() {
    for right in [true, false] {
        let mut world = World::new(NamedBy::Id, Conflict::Hold);
        let a = world.make(0, "K1", "云杉");
        world.run(Way::AtoB);
        let b = world.id_of(1, "K1").expect("made");
        world.map(Way::BtoA, &b, if right { &a } else { "a9" });
        world.read(Way::BtoA);
        world.pick(Way::BtoA);
        let (state, code) = world.state(Way::BtoA, "K1");
        let orphans = world.reader.orphans(Some("s"), 9).expect("a question");
        assert_eq!(orphans, []);
        if right {
            assert_eq!(state, RecordState::Done);
        } else {
            // It is not the document that the other scheme made it of.
            assert_eq!((state, code.as_str()), (RecordState::Held, "E5045"));
        }
    }
}

/// What the other scheme made of a document is mapped both ways.
#[test]
fn an_echo_is_mapped() {
    for named_by in NAMES {
        let world = synced(named_by, Conflict::Hold);
        let (a, b) = (
            world.id_of(0, "K1").expect("there"),
            world.id_of(1, "K1").expect("there"),
        );
        let row = key(&world.name(&b, "K1"));
        let found = world
            .reader
            .mapped("s", MappedFrom::Document, std::slice::from_ref(&a));
        assert_eq!(found.expect("a question")[0].newest.as_ref(), Some(&row));
        let known = world.reader.mappings_of_keys("s", ("A", ""), &[row]);
        assert_eq!(known.expect("a question")[0].target_id, Some(a));
    }
}

/// The mapping of a record is put right: its document is another one, which nobody has compared yet, and what was taken
/// for it belongs to nobody that is known.
#[test]
fn a_document_that_was_linked_wrongly_is_let_go() {
    let mut world = synced(NamedBy::Id, Conflict::Hold);
    let a = world.id_of(0, "K1").expect("there");
    let b = world.make(1, "M2", "清荷");
    world.map(Way::AtoB, &a, &b);
    assert_eq!(
        world.state(Way::BtoA, "K1"),
        (RecordState::Held, "E5045".to_owned())
    );
    world.edit(1, "K1", "phone", "1");
    world.both();
    assert_eq!(
        (world.says(0, "K1", "name"), world.says(0, "K1", "phone")),
        ("云杉", "")
    );
    for (way, number) in [(Way::AtoB, "K1"), (Way::BtoA, "M2")] {
        assert_eq!(world.state(way, number), (RecordState::Held, "E5043".to_owned()));
    }
    world.decide(Way::AtoB, "K1", Decision::Retry(Content::Latest));
    world.both();
    world.both();
    assert_eq!(world.systems[1].docs[&b].says("name"), "云杉");
    assert_eq!(world.says(0, "K1", "phone"), "");
    assert_eq!(world.systems[0].docs.len(), 1);
}

/// Both have written since the copy was taken, and the target does not find the row's document by this scheme's key.
#[test]
fn a_restored_ledger_makes_nothing_that_the_other_scheme_made() {
    for named_by in NAMES {
        let mut world = World::new(named_by, Conflict::Hold);
        world.restored();
        world.make(0, "N1", "云杉");
        let b = world.make(1, "M1", "云杉");
        world.read(Way::AtoB);
        world.read(Way::BtoA);
        world.resolve_as(Way::BtoA, "M1", Resolution::Resend);
        assert_eq!(world.pick(Way::BtoA), [], "{named_by:?}");
        assert!(world.waits(Way::BtoA, "M1"));
        // It is known whose it is.
        let known = Resolution::Known { id: b, number: None };
        world.resolve_as(Way::AtoB, "N1", known);
        world.now += 2 * MINUTE;
        world.pick(Way::BtoA);
        assert_eq!(
            world.record(Way::BtoA, "M1").target_id,
            world.id_of(0, "N1"),
            "{named_by:?}"
        );
        assert!(world.pick(Way::BtoA).iter().all(|picked| picked.has_target));
        // What was really made on both sides since is made on the other one, and neither waits for the other.
        world.make(0, "N2", "银杏");
        world.make(1, "M2", "香樟");
        world.read(Way::AtoB);
        world.read(Way::BtoA);
        world.resolve_as(Way::AtoB, "N2", Resolution::Resend);
        world.resolve_as(Way::BtoA, "M2", Resolution::Resend);
        for way in Way::ALL {
            let fresh = world.pick(way).into_iter().filter(|picked| !picked.has_target);
            assert_eq!(fresh.count(), 1, "{named_by:?} {way:?}");
        }
    }
}

/// The first send of a document came to its end late, when the second had been refused.
#[test]
fn a_refused_create_that_may_be_there_makes_rows_wait() {
    for skipped in [false, true] {
        let lost = || {
            let mut world = World::new(NamedBy::Id, Conflict::Hold);
            world.make(0, "K1", "云杉");
            world.weather = vec![Weather::LostBefore];
            world.run(Way::AtoB);
            world.weather = vec![Weather::Refused];
            world.run(Way::AtoB);
            assert_eq!(world.state(Way::AtoB, "K1").0, RecordState::Dead);
            if skipped {
                world.decide(Way::AtoB, "K1", Decision::Skip);
            }
            world
        };
        let mut world = lost();
        let b = world.make(1, "K1", "云杉");
        world.read(Way::BtoA);
        assert_eq!(world.pick(Way::BtoA), [], "skipped {skipped}");
        assert!(world.waits(Way::BtoA, "K1"));
        world.now += 2 * MINUTE;
        match skipped {
            true => {
                let a = world.id_of(0, "K1").expect("a document");
                world.map(Way::AtoB, &a, &b);
            }
            false => world.decide(Way::AtoB, "K1", Decision::DoneAs { id: b, number: None }),
        }
        assert!(world.pick(Way::BtoA).iter().all(|picked| picked.has_target));
        assert_eq!(world.record(Way::BtoA, "K1").target_id, world.id_of(0, "K1"));
        // Somebody says that it is not there, and that nothing is to come of it.
        if !skipped {
            let mut world = lost();
            world.decide(Way::AtoB, "K1", Decision::NotThere);
            world.decide(Way::AtoB, "K1", Decision::Skip);
            world.make(1, "K9", "清荷");
            world.read(Way::BtoA);
            assert_eq!(world.pick(Way::BtoA).len(), 1);
        }
    }
}
