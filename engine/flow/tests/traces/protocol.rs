//! Further steps of a document, targets that cannot be reached for long, keys that a target forgets.

use expect_test::expect;
use flow::classify::Proof;

use crate::script::{check, plan, with, with_steps};
use crate::{read, sent};

/// Five calls that do not come through are remembered; then one record a minute finds out whether the target is back.
#[test]
fn an_unreachable_target_is_probed_once_a_minute() {
    check(
        plan(),
        "start; begun failures=5 until=130000; ...; unknowns 7; opened; page 3; staged new=3; picked; unknowns 7 due=400000; ended",
        expect![[r#"
            < unknowns 7
                open window [0, 100000)
            < opened
                FETCH window 1 page 1 [0, 100000)
            < page 3
                stage window 1 page 1: 3 rows, last, close [0, 90000)
            < staged new=3
                pick 500 after the start
            < picked
                pick unknown
            < unknowns 7 due=400000
                count states
                end run partial
            < ended
                FINISH partial, 1 pages, 0 calls, next question 400000
        "#]],
    );
    let begun = "start; begun failures=5 until=130000; unknowns; opened; page 3; staged new=3; ...";
    check(
        plan(),
        &format!("{begun}; picked 1 2 3; ready; ended"),
        expect![[r#"
            < picked 1 2 3
                TRANSFORM 1 2 3
            < ready
                note: stopping: E4026 t
                count states
                end run failed E4026
            < ended
                FINISH failed, 1 pages, 0 calls, target: E4026 t
        "#]],
    );
    check(
        plan(),
        "start; begun failures=5 until=90000; unknowns; opened; page 3; staged new=3; picked 1 2 3; ...; ready; claimed; notsent; applied; ended",
        expect![[r#"
            < ready
                claim create 1, ask from 190000
            < claimed
                SEND attempt 1 create 1
            < notsent
                settle 1 not_sent: 1 again from 132000
                circuit 6 until 160000
            < applied
                note: stopping: X call
                count states
                end run failed X
            < ended
                FINISH failed, 1 pages, 1 calls, target: X call
        "#]],
    );
    check(
        plan(),
        "start; begun failures=5 until=90000; unknowns; opened; page 3; staged new=3; picked 1 2 3; ...; ready; claimed; all ok; applied; claimed",
        expect![[r#"
            < ready
                claim create 1, ask from 190000
            < claimed
                SEND attempt 1 create 1
            < all ok
                settle 1 ok: 1 done
                circuit 0 until 0
            < applied
                claim create 2 3, ask from 190000
            < claimed
                SEND attempt 2 create 2 3
        "#]],
    );
}

/// A gateway whose system is not there answers every call: each would bring a batch into doubt. What the system itself
/// says is an answer.
#[test]
fn a_gateway_that_answers_alone_is_an_outage() {
    let probe = "start; begun failures=5 until=90000; unknowns; opened; page 3; staged new=3; picked 1 2 3; ready; claimed; ...";
    check(
        plan(),
        &format!("{probe}; all fault http=502; applied; ended"),
        expect![[r#"
            < all fault http=502
                settle 1 fault: 1 unknown X until 160000
                circuit 6 until 160000
            < applied
                note: stopping: X call
                count states
                end run failed X
            < ended
                FINISH failed, 1 pages, 1 calls, target: X call
        "#]],
    );
    check(
        plan(),
        &format!("{probe}; all fault http=500; applied; claimed"),
        expect![[r#"
            < all fault http=500
                settle 1 fault: 1 unknown X until 160000
                circuit 0 until 0
            < applied
                claim create 2 3, ask from 190000
            < claimed
                SEND attempt 2 create 2 3
        "#]],
    );
    // A question that nothing comes back from is the same, and one that is refused is an answer.
    check(
        plan(),
        "start; begun failures=4; unknowns 7; ...; failed lost; applied; ended",
        expect![[r#"
            < failed lost
                note: read again: X lost
                resolve 7 again at 130000 X
                circuit 5 until 160000
            < applied
                count states
                end run failed X
            < ended
                FINISH failed, 0 pages, 0 calls, target: X lost
        "#]],
    );
    check(
        plan(),
        "start; begun failures=4; unknowns 7; ...; failed fault; applied; unknowns",
        expect![[r#"
            < failed fault
                note: read again: X fault
                resolve 7 again at 130000 X
            < applied
                pick unknown
            < unknowns
                open window [0, 100000)
        "#]],
    );
}

/// A pause of an hour binds the next run too.
#[test]
fn a_long_pause_is_remembered() {
    check(
        plan(),
        &sent("all throttled wait=3600000; applied"),
        expect![[r#"
            < all throttled wait=3600000
                settle 1 throttled: 1 again from 3700000 2 again from 3700000 3 again from 3700000
                circuit 0 until 3700000
            < applied
                SLEEP until 3700000 (target)
        "#]],
    );
    check(
        plan(),
        "start; begun until=190000; unknowns; opened; page 3; staged new=3; picked 1 2 3; ...; ready; woke",
        expect![[r#"
            < ready
                SLEEP until 190000 (target)
            < woke
                claim create 1 2 3, ask from 280000
        "#]],
    );
}

#[test]
fn a_document_goes_through_its_steps() {
    check(
        with_steps(),
        &sent("rows rows a h r; applied; picked"),
        expect![[r#"
            < rows rows a h r
                settle 1 rows: 1 done 2 unknown X until 160000 3 dead (X bad data)
            < applied
                pick 500 after 3
            < picked
                pick unknown
        "#]],
    );
    // Half of it done: the first half is settled, and the step that failed is made by itself.
    check(
        with_steps(),
        &read(
            "picked 1 2 3; ...; ready then:notify half:submit half:submit; claimed; rows rows a h h; applied; picked; picked 1 2 3 at:submit; ready step:audit step:audit step; claimed; all ok; applied",
        ),
        expect![[r#"
            < ready then:notify half:submit half:submit
                claim create 1 2 3, ask from 190000
            < claimed
                SEND attempt 1 create 1 2 3
            < rows rows a h h
                settle 1 rows: 1 next notify 2 unknown E4028 until 100000 3 unknown E4028 until 100000
            < applied
                pick 500 after 3
            < picked
                pick 500 after the start
            < picked 1 2 3 at:submit
                TRANSFORM 1 2 3
            < ready step:audit step:audit step
                claim submit 1 2, ask from 150000
            < claimed
                SEND attempt 2 step 1 2
            < all ok
                settle 2 ok: 1 next audit 2 next audit
            < applied
                claim submit 3, ask from 150000
        "#]],
    );
    check(
        with_steps(),
        &read(
            "picked 1 2 3 at:submit; ready step step step; ...; claimed; rows rows a r; applied; claimed; lost
             applied; picked; unknowns due=120000; woke; unknowns 3 step at:submit; found none; applied
             unknowns due=140000; woke; unknowns 3 step at:submit misses=1; found one:audit; applied; unknowns; picked 3 at:audit",
        ),
        expect![[r#"
            < claimed
                SEND attempt 1 step 1 2
            < rows rows a r
                settle 1 rows: 1 done 2 unknown E4027 until 100000
            < applied
                claim submit 3, ask from 150000
            < claimed
                SEND attempt 2 step 3
            < lost
                settle 2 lost: 3 unknown X until 120000
            < applied
                pick 500 after 3
            < picked
                pick unknown
            < unknowns due=120000
                SLEEP until 120000 (quiet, 0 unknown)
            < woke
                pick unknown
            < unknowns 3 step at:submit
                ASK resolve 3
            < found none
                resolve 3 missed, again at 140000 E4015
            < applied
                pick unknown
            < unknowns due=140000
                SLEEP until 140000 (quiet, 0 unknown)
            < woke
                pick unknown
            < unknowns 3 step at:submit misses=1
                ASK resolve 3
            < found one:audit
                resolve 3 next audit
            < applied
                pick unknown
            < unknowns
                pick 500 after the start
            < picked 3 at:audit
                TRANSFORM 3
        "#]],
    );
}

/// A step that is refused after an answer was lost may have been refused because it was done.
#[test]
fn a_step_refused_after_a_lost_answer_is_asked_about() {
    check(
        with_steps(),
        &read(
            "picked 1 sent at:submit; ready step; claimed; ...; rows rows r; applied; picked; picked; unknowns 1 step at:submit code=refused
             found none; applied",
        ),
        expect![[r#"
            < rows rows r
                settle 1 rows: 1 unknown E4027 until 100000
            < applied
                pick 500 after 1
            < picked
                pick 500 after the start
            < picked
                pick unknown
            < unknowns 1 step at:submit code=refused
                ASK resolve 1
            < found none
                resolve 1 dead (E4027 was lost)
            < applied
                pick unknown
        "#]],
    );
    check(
        with_steps(),
        &read("picked 1 at:submit; ready step; claimed; ...; rows rows r"),
        expect![[r#"
            < rows rows r
                settle 1 rows: 1 unknown E4027 until 100000
        "#]],
    );
    check(
        plan(),
        &read("picked; ...; unknowns 1 step at:gone"),
        expect![[r#"
            < unknowns 1 step at:gone
                resolve 1 held (E4013 was lost)
        "#]],
    );
}

/// The target remembers the key of a call for 1,000 s, and nine tenths of it are believed.
#[test]
fn a_key_that_may_be_forgotten_is_not_sent_again() {
    let by_key = || with(|target| target.proof = Proof::IdempotencyKey);
    for (doubted, word) in [(-799_000, "claim"), (-801_000, "held")] {
        let script = read(&format!("picked 1 sent doubted={doubted}; ...; ready"));
        match word {
            "claim" => check(
                by_key(),
                &script,
                expect![[r#"
                < ready
                    claim create 1, ask from 190000
            "#]],
            ),
            _ => check(
                by_key(),
                &script,
                expect![[r#"
                < ready
                    refuse 1 held (E4014)
            "#]],
            ),
        }
    }
    check(
        by_key(),
        &read("picked; ...; unknowns 1 doubted=-801000"),
        expect![[r#"
            < unknowns 1 doubted=-801000
                resolve 1 held (E4014 was lost)
        "#]],
    );
}
