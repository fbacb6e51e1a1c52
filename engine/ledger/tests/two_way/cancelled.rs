//! What is cancelled on one side is cancelled on the other, once.

use flow::op::RecordState;
use ledger::two_way::{Conflict, NamedBy};

use crate::world::*;

#[test]
fn what_is_cancelled_on_one_side_is_cancelled_on_the_other_once() {
    for named_by in NAMES {
        for side in [0, 1] {
            for first in Way::ALL {
                let mut world = synced(named_by, Conflict::Hold);
                let mut writes = world.writes();
                world.cancel(side, "K1");
                world.run(first);
                world.run(first.back());
                writes[1 - side] += 1;
                assert!(world.is_cancelled(1 - side, "K1"));
                world.both();
                assert_eq!(
                    world.writes(),
                    writes,
                    "{named_by:?} {side} {first:?}: once, and nothing comes back"
                );
                assert_eq!(
                    world.systems[0].docs.len() + world.systems[1].docs.len(),
                    2,
                    "none is made anew"
                );
            }
        }
    }
}

/// A system that does not show what was cancelled: nothing of it is made again.
#[test]
fn what_is_cancelled_and_hidden_is_not_made_again() {
    for named_by in NAMES {
        let mut world = synced(named_by, Conflict::Hold);
        world.hides = [true, false];
        world.cancel(1, "K1");
        world.both();
        assert!(world.is_cancelled(0, "K1"));
        assert_eq!(world.writes(), [1, 1]);
        // Somebody still edits it where it is shown.
        world.edit(1, "K1", "phone", "2");
        world.both();
        world.both();
        assert_eq!(world.writes(), [1, 1], "{named_by:?}");
        assert_eq!(world.systems[0].docs.len(), 1);
    }
}

/// What each side wants of the other is so already: nobody is asked, and nothing is sent.
#[test]
fn what_is_cancelled_on_both_sides_is_no_conflict() {
    for named_by in NAMES {
        for first in Way::ALL {
            let mut world = synced(named_by, Conflict::Hold);
            world.cancel(0, "K1");
            world.cancel(1, "K1");
            world.run(first);
            world.run(first.back());
            world.both();
            assert_eq!(world.writes(), [0, 1], "{named_by:?} {first:?}");
            for way in Way::ALL {
                assert_eq!(
                    world.state(way, "K1").0,
                    RecordState::Done,
                    "{named_by:?} {first:?}"
                );
            }
        }
    }
}

/// Cancelled on one side, edited on the other: somebody must look, or the policy says who wins.
#[test]
fn a_cancellation_meets_an_edit() {
    for first in Way::ALL {
        let mut world = synced(NamedBy::Key, Conflict::Hold);
        world.cancel(1, "K1");
        world.edit(0, "K1", "phone", "2");
        world.run(first);
        world.run(first.back());
        for way in Way::ALL {
            assert_eq!(world.state(way, "K1"), (RecordState::Held, "E5043".to_owned()));
        }
        let mut world = synced(NamedBy::Key, Conflict::TargetWins);
        world.cancel(1, "K1");
        world.edit(0, "K1", "phone", "2");
        world.run(first);
        world.run(first.back());
        world.both();
        assert!(world.is_cancelled(0, "K1"), "{first:?}");
        assert_eq!(world.writes(), [1, 1], "{first:?}");
    }
}

/// The answer to a cancellation is lost, or the process dies behind its claim: it is cancelled in the end, and not held up
/// by what comes back meanwhile.
#[test]
fn a_lost_answer_to_a_cancellation_doubles_nothing() {
    for weather in [
        Weather::LostAfter,
        Weather::LostBefore,
        Weather::DiedAfter,
        Weather::DiedBefore,
    ] {
        for side in [0, 1] {
            let mut world = synced(NamedBy::Id, Conflict::Hold);
            world.cancel(side, "K1");
            world.weather = vec![weather];
            world.run(Way::ALL[side]);
            world.both();
            world.both();
            settled(&world, &format!("{weather:?} {side}"));
            for way in Way::ALL {
                assert_eq!(world.state(way, "K1").0, RecordState::Done, "{weather:?} {side}");
            }
            assert_eq!(world.systems[0].docs.len() + world.systems[1].docs.len(), 2);
        }
    }
}
