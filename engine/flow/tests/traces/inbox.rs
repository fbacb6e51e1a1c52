//! What other systems sent: taken first, with the transaction of its page, and never twice.

use expect_test::expect;
use flow::{Inbox, JobPlan, Stages};

use super::script::{check, plan};

fn receives(inbox: Inbox) -> JobPlan {
    let mut plan = plan();
    plan.source.inbox = inbox;
    if inbox == Inbox::Only {
        plan.source.window = None;
    }
    plan.target = None;
    plan
}

#[test]
fn pushes_come_before_what_is_asked_for() {
    check(
        receives(Inbox::Beside),
        "start; begun waiting=3; opened; page 2 more p1 p2; staged new=2; page 2 p3 print=1; staged new=1
         opened; page 1 total=1 print=1; staged new=1; ended",
        expect![[r#"
            < start
                begin run
                count pushes
                cover live
            < begun waiting=3
                note: receiving 3
                open window [0, 0) inbox
            < opened
                FETCH window 1 page 1 all inbox
            < page 2 more p1 p2
                stage window 1 page 1: 2 rows
                take 1 2
            < staged new=2
                FETCH window 1 page 2 all inbox
            < page 2 p3 print=1
                stage window 1 page 2: 2 rows, last
                take 3
            < staged new=1
                open window [0, 100000)
            < opened
                FETCH window 2 page 1 [0, 100000)
            < page 1 total=1 print=1
                stage window 2 page 1: 1 rows, last, close [0, 90000)
            < staged new=1
                count states
                end run ok
            < ended
                FINISH ok, 3 pages, 0 calls
        "#]],
    );
}

#[test]
fn a_source_that_only_sends_is_not_asked() {
    check(
        receives(Inbox::Only),
        "start; begun waiting=1; opened; page 1 p9; staged new=1; ended",
        expect![[r#"
            < start
                begin run
                count pushes
            < begun waiting=1
                note: receiving 1
                open window [0, 0) inbox
            < opened
                FETCH window 1 page 1 all inbox
            < page 1 p9
                stage window 1 page 1: 1 rows, last
                take 9
            < staged new=1
                count states
                end run ok
            < ended
                FINISH ok, 1 pages, 0 calls
        "#]],
    );
    // Nothing waits: nothing is opened.
    check(
        receives(Inbox::Only),
        "start; begun; ended",
        expect![[r#"
            < start
                begin run
                count pushes
            < begun
                count states
                end run ok
            < ended
                FINISH ok, 0 pages, 0 calls
        "#]],
    );
}

/// What is not staged is not taken: it waits for the next run.
#[test]
fn a_run_that_is_stopped_leaves_what_waits() {
    check(
        receives(Inbox::Only),
        "start; begun waiting=2; opened; cancel; page 1 more p1; ended; ended",
        expect![[r#"
            < start
                begin run
                count pushes
            < begun waiting=2
                note: receiving 2
                open window [0, 0) inbox
            < opened
                FETCH window 1 page 1 all inbox
            < page 1 more p1
                end window 1 left: e3056
            < ended
                count states
                end run canceled E3056
            < ended
                FINISH canceled, 0 pages, 0 calls, 1 windows left, canceled
        "#]],
    );
}

/// Writing alone takes nothing.
#[test]
fn a_run_that_only_writes_leaves_what_waits() {
    let mut plan = receives(Inbox::Only);
    plan.stages = Stages::Save;
    check(
        plan,
        "start; begun; ended",
        expect![[r#"
            < start
                begin run
            < begun
                count states
                end run ok
            < ended
                FINISH ok, 0 pages, 0 calls
        "#]],
    );
}
