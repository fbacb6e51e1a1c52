//! Calls that a target takes on as tasks, and calls that never leave.

use expect_test::expect;

use crate::script::{check, plan, with_steps};
use crate::sent;

/// The task is durable before it is first asked about, and is asked about for as long as it may last from the send on.
#[test]
fn a_task_is_written_down_before_it_is_asked_about() {
    check(
        plan(),
        &sent("taken T1 limit=600000; ok; rows ok a r -; applied"),
        expect![[r#"
            < taken T1 limit=600000
                note 1 is task T1 until 700000
            < ok
                AWAIT attempt 1 task T1 until 700000 1 2 3
            < rows ok a r -
                settle 1 ok: 1 done 2 dead (X bad data) 3 unknown X until 160000
            < applied
                pick 500 after 3
        "#]],
    );
    // Nobody told its end: asked about by key, like every lost answer.
    check(
        plan(),
        &sent("taken T1; ok; lost; applied"),
        expect![[r#"
            < taken T1
                note 1 is task T1 until 120000
            < ok
                AWAIT attempt 1 task T1 until 120000 1 2 3
            < lost
                settle 1 lost: 1 unknown X until 160000 2 unknown X until 160000 3 unknown X until 160000
            < applied
                pick 500 after 3
        "#]],
    );
}

/// What an earlier process left is asked about before anything else, under the same id; it is settled as if nothing had
/// happened.
#[test]
fn a_task_that_was_left_is_asked_about_again() {
    check(
        plan(),
        "start; ...; begun left 1 2 asked-until=150000; ready; rows ok a r; applied",
        expect![[r#"
            < begun left 1 2 asked-until=150000
                TRANSFORM 1 2
            < ready
                note: task T of 2 goes on
                AWAIT attempt 90 task T until 150000 1 2
            < rows ok a r
                settle 90 ok: 1 done 2 dead (X bad data)
            < applied
                pick unknown
        "#]],
    );
    // What was refused as a whole is halved, after the reading.
    check(
        plan(),
        "start; begun left 1 2 asked-until=150000; ready; ...; all rejected; applied; unknowns; opened; page 0; staged",
        expect![[r#"
            < all rejected
                settle 90 rejected: 1 again from 100000 2 again from 100000
            < applied
                pick unknown
            < unknowns
                open window [0, 100000)
            < opened
                FETCH window 1 page 1 [0, 100000)
            < page 0
                stage window 1 page 1: 0 rows, last, close [0, 90000)
            < staged
                claim create 1, ask from 190000
        "#]],
    );
    check(
        with_steps(),
        "start; begun left 1 asked-until=150000; ...; ready then:submit; rows ok a; applied",
        expect![[r#"
            < ready then:submit
                note: task T of 1 goes on
                AWAIT attempt 90 task T until 150000 1
            < rows ok a
                settle 90 ok: 1 next submit
            < applied
                pick unknown
        "#]],
    );
}

/// Its time is over, or another call would be made of its records by now: its records stay unknown.
#[test]
fn a_task_that_cannot_be_asked_about_stays_unknown() {
    for script in [
        "start; ...; begun left 1 2 asked-until=100000",
        "start; begun left 1 2 asked-until=150000; ...; ready group2",
        "start; begun left 1 2 asked-until=150000; ...; ready create update",
        "start; begun left 1 2 asked-until=150000; ...; ready create samekey",
        "start; begun left 1 2 asked-until=150000; ...; ready create later",
        "start; ...; begun failures=5 until=130000 left 1 2 asked-until=150000",
    ] {
        let last = script.rsplit("; ").next().expect("a script");
        let want = format!("< {last}\n    pick unknown\n");
        crate::script::check_text(plan(), script, &want);
    }
}

/// A call that never left says nothing about the target: what is remembered of it stays.
#[test]
fn a_call_that_never_left_is_no_answer() {
    let probe = "start; begun failures=5 until=90000; unknowns; opened; page 3; staged new=3; picked 1 2 3; ready; claimed; ...";
    check(
        plan(),
        &format!("{probe}; withheld; applied; ended"),
        expect![[r#"
            < withheld
                settle 1 withheld: 1 again from 100000
            < applied
                note: stopping: X call
                count states
                end run failed X
            < ended
                FINISH failed, 1 pages, 1 calls, target: X call
        "#]],
    );
    // The answer of the target itself closes the circuit, also where it says that today's calls are used up.
    check(
        plan(),
        &format!("{probe}; all quota_stop; applied; ended"),
        expect![[r#"
            < all quota_stop
                settle 1 quota_stop: 1 again from 100000
                circuit 0 until 0
            < applied
                note: stopping: X call
                count states
                end run failed X
            < ended
                FINISH failed, 1 pages, 1 calls, target: X call
        "#]],
    );
}
