//! What a run does, step by step, for every fault it must survive: scripted events in, actions out.

#[path = "traces/elsewhere.rs"]
mod elsewhere;
#[path = "traces/gathered.rs"]
mod gathered;
#[path = "traces/inbox.rs"]
mod inbox;
#[path = "traces/protocol.rs"]
mod protocol;
mod script;
#[path = "traces/tasks.rs"]
mod tasks;
#[path = "traces/two_way.rs"]
mod two_way;

use expect_test::expect;
use flow::classify::{OnUnknown, Proof};
use flow::ids::{Ms, RunId, WindowId};
use flow::op::{LedgerOp, LedgerReply, Reason};
use flow::window::{CatchUp, Interval, Proposal};
use flow::{Action, Event, Job, JobPlan, Page, Stages, TargetFacts};
use script::{check, plan, with};

/// Up to the answer of the one page: three records wait.
const READ: &str = "start; begun; unknowns; opened; page 3; staged new=3";
/// ... and up to the answer of the first call.
const SENT: &str = "start; begun; unknowns; opened; page 3; staged new=3; picked 1 2 3; ready; claimed; ...";

fn sent(rest: &str) -> String {
    format!("{SENT};{rest}")
}

fn read(rest: &str) -> String {
    format!("{READ};...;{rest}")
}

#[test]
fn everything_goes_well() {
    check(
        plan(),
        "start; begun; unknowns; opened; page 2 more; staged new=2; page 1 total=3; staged new=1
         picked 1 2 3; ready; claimed; all ok; applied; picked; unknowns; ended",
        expect![[r#"
            < start
                begin run
                read circuit
                pick tasks
                cover live
            < begun
                pick unknown
            < unknowns
                open window [0, 100000)
            < opened
                FETCH window 1 page 1 [0, 100000)
            < page 2 more
                stage window 1 page 1: 2 rows
            < staged new=2
                FETCH window 1 page 2 [0, 100000)
            < page 1 total=3
                stage window 1 page 2: 1 rows, last, close [0, 90000)
            < staged new=1
                pick 500 after the start
            < picked 1 2 3
                TRANSFORM 1 2 3
            < ready
                claim create 1 2 3, ask from 190000
            < claimed
                SEND attempt 1 create 1 2 3
            < all ok
                settle 1 ok: 1 done 2 done 3 done
            < applied
                pick 500 after 3
            < picked
                pick unknown
            < unknowns
                count states
                end run ok
            < ended
                FINISH ok, 2 pages, 1 calls
        "#]],
    );
}

#[test]
fn what_an_earlier_process_left_is_asked_about_first() {
    check(
        plan(),
        "start; begun recovered=2 open=2 closed=0..50000; unknowns 1 2; found one none; applied; unknowns; opened",
        expect![[r#"
            < start
                begin run
                read circuit
                pick tasks
                cover live
            < begun recovered=2 open=2 closed=0..50000
                note: 2 recovered
                pick unknown
            < unknowns 1 2
                ASK resolve 1 2
            < found one none
                resolve 1 done 2 resend
            < applied
                pick unknown
            < unknowns
                open window [50000, 100000)
            < opened
                FETCH window 1 page 1 [50000, 100000)
        "#]],
    );
}

#[test]
fn a_page_that_fails_is_read_again_and_then_left_open() {
    check(
        plan(),
        "start; begun; unknowns; opened; page 2 more; staged new=2; ...
         failed fault; woke; failed unreachable; woke; failed wait wait=7000; woke; failed fault; ok; picked 1 2",
        expect![[r#"
            < failed fault
                note: read again: X fault
                SLEEP until 101000 (source)
            < woke
                FETCH window 1 page 2 [0, 100000)
            < failed unreachable
                note: read again: X unreachable
                SLEEP until 103000 (source)
            < woke
                FETCH window 1 page 2 [0, 100000)
            < failed wait wait=7000
                note: read again: X wait
                SLEEP until 110000 (source)
            < woke
                FETCH window 1 page 2 [0, 100000)
            < failed fault
                note: window left: X fault
                end window 1 failed: x fault
            < ok
                pick 500 after the start
            < picked 1 2
                TRANSFORM 1 2
        "#]],
    );
    check(
        plan(),
        "start; begun; unknowns; opened; ...; failed fault; woke; page 1; staged new=1",
        expect![[r#"
            < failed fault
                note: read again: X fault
                SLEEP until 101000 (source)
            < woke
                FETCH window 1 page 1 [0, 100000)
            < page 1
                stage window 1 page 1: 1 rows, last, close [0, 90000)
            < staged new=1
                pick 500 after the start
        "#]],
    );
}

#[test]
fn an_unreachable_source_ends_the_reading_not_the_writing() {
    check(
        plan(),
        "start; begun; unknowns; opened; ...
         failed unreachable; woke; failed unreachable; woke; failed unreachable; woke; failed unreachable; ok
         picked 7; ready; claimed; all ok; applied; picked; unknowns; ended",
        expect![[r#"
            < failed unreachable
                note: read again: X unreachable
                SLEEP until 101000 (source)
            < woke
                FETCH window 1 page 1 [0, 100000)
            < failed unreachable
                note: read again: X unreachable
                SLEEP until 103000 (source)
            < woke
                FETCH window 1 page 1 [0, 100000)
            < failed unreachable
                note: read again: X unreachable
                SLEEP until 107000 (source)
            < woke
                FETCH window 1 page 1 [0, 100000)
            < failed unreachable
                note: window left: X unreachable
                end window 1 failed: x unreachable
            < ok
                note: stopping: X unreachable
                pick 500 after the start
            < picked 7
                TRANSFORM 7
            < ready
                claim create 7, ask from 197000
            < claimed
                SEND attempt 1 create 7
            < all ok
                settle 1 ok: 7 done
            < applied
                pick 500 after 7
            < picked
                pick unknown
            < unknowns
                count states
                end run failed X
            < ended
                FINISH failed, 0 pages, 1 calls, 1 windows left, source: X unreachable
        "#]],
    );
}

#[test]
fn a_refusal_by_the_source_is_not_repeated() {
    let script = |kind: &str| {
        format!("start; begun; unknowns; opened; ...; failed {kind}; ok; picked; unknowns; ended")
    };
    check(
        plan(),
        &script("config"),
        expect![[r#"
            < failed config
                note: window left: X config
                end window 1 failed: x config
            < ok
                note: stopping: X config
                pick 500 after the start
            < picked
                pick unknown
            < unknowns
                count states
                end run failed X
            < ended
                FINISH failed, 0 pages, 0 calls, 1 windows left, source: X config
        "#]],
    );
    check(
        plan(),
        &script("unusable"),
        expect![[r#"
        < failed unusable
            note: window left: X unusable
            end window 1 failed: x unusable
        < ok
            pick 500 after the start
        < picked
            pick unknown
        < unknowns
            count states
            end run partial
        < ended
            FINISH partial, 0 pages, 0 calls, 1 windows left
    "#]],
    );
}

#[test]
fn the_same_page_twice_is_a_source_that_ignores_paging() {
    check(
        plan(),
        "start; begun; unknowns; opened; page 2 more print=9; staged new=2; ...; page 2 more print=9; ok; picked",
        expect![[r#"
            < page 2 more print=9
                note: window left: E3050
                end window 1 failed: e3050
            < ok
                pick 500 after the start
            < picked
                pick unknown
        "#]],
    );
}

#[test]
fn slices_touch_and_a_failed_one_ends_the_reading() {
    let mut plan = plan();
    plan.source.window.as_mut().unwrap().max = 40_000;
    check(
        plan,
        "start; begun; unknowns; ...; opened; page 1; staged new=1; opened; failed config; ok; picked 1",
        expect![[r#"
            < opened
                FETCH window 1 page 1 [0, 40000)
            < page 1
                stage window 1 page 1: 1 rows, last, close [0, 40000)
            < staged new=1
                open window [40000, 80000)
            < opened
                FETCH window 2 page 1 [40000, 80000)
            < failed config
                note: window left: X config
                end window 2 failed: x config
            < ok
                note: stopping: X config
                pick 500 after the start
            < picked 1
                TRANSFORM 1
        "#]],
    );
}

#[test]
fn a_start_that_leaves_a_gap_reads_nothing_when_the_scheme_says_so() {
    let mut plan = plan();
    plan.source.window.as_mut().unwrap().catch_up = CatchUp::Error;
    plan.source.proposal = Proposal {
        start: Some(70_000),
        end: None,
    };
    check(
        plan,
        "start; begun closed=0..50000; unknowns; picked; unknowns; ended",
        expect![[r#"
            < start
                begin run
                read circuit
                pick tasks
                cover live
            < begun closed=0..50000
                note: window left: E3054 70000 > 50000
                pick unknown
            < unknowns
                pick 500 after the start
            < picked
                pick unknown
            < unknowns
                count states
                end run partial
            < ended
                FINISH partial, 0 pages, 0 calls, 1 windows left
        "#]],
    );
}

#[test]
fn too_many_open_records_pause_the_reading() {
    check(
        plan(),
        "start; begun; unknowns; opened; page 3 more; ...; staged new=3 open=10000
         picked 1; ready; claimed; all ok; applied; picked; states open=9999
         page 1; staged new=1; picked; unknowns; ended",
        expect![[r#"
            < staged new=3 open=10000
                pick 500 after the start
            < picked 1
                TRANSFORM 1
            < ready
                claim create 1, ask from 190000
            < claimed
                SEND attempt 1 create 1
            < all ok
                settle 1 ok: 1 done
            < applied
                pick 500 after 1
            < picked
                count states
            < states open=9999
                FETCH window 1 page 2 [0, 100000)
            < page 1
                stage window 1 page 2: 1 rows, last, close [0, 90000)
            < staged new=1
                pick 500 after the start
            < picked
                pick unknown
            < unknowns
                count states
                end run ok
            < ended
                FINISH ok, 2 pages, 1 calls
        "#]],
    );
}

#[test]
fn reading_is_given_up_when_writing_makes_no_room() {
    check(
        plan(),
        "start; begun; unknowns; opened; page 3 more; ...; staged new=3 open=10000
         picked; states open=10000; unknowns; ok; ended",
        expect![[r#"
            < staged new=3 open=10000
                pick 500 after the start
            < picked
                count states
            < states open=10000
                pick unknown
            < unknowns
                end window 1 left: e3055 10000
            < ok
                count states
                end run partial
            < ended
                FINISH partial, 1 pages, 0 calls, 1 windows left
        "#]],
    );
}

#[test]
fn a_refusal_by_the_target_stops_the_run_and_kills_nothing() {
    check(
        plan(),
        &sent("all config_error; applied; ended"),
        expect![[r#"
            < all config_error
                settle 1 config_error: 1 again from 100000 2 again from 100000 3 again from 100000
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
        &sent("all quota_stop; applied; ended"),
        expect![[r#"
            < all quota_stop
                settle 1 quota_stop: 1 again from 100000 2 again from 100000 3 again from 100000
            < applied
                note: stopping: X call
                count states
                end run failed X
            < ended
                FINISH failed, 1 pages, 1 calls, target: X call
        "#]],
    );
}

#[test]
fn not_sent_is_sent_again_with_growing_pauses_five_times() {
    check(
        with(|target| target.batch = 3),
        &sent(
            "notsent; applied; woke; picked; picked 1 2 3; ready; claimed
             notsent; applied; woke; picked; picked 1 2 3; ready; claimed; ...
             notsent; applied; woke; picked; picked 1 2 3; ready; claimed
             notsent; applied; woke; picked; picked 1 2 3; ready; claimed
             notsent; applied; ended",
        ),
        expect![[r#"
            < notsent
                settle 3 not_sent: 1 again from 107000 2 again from 107000 3 again from 107000
            < applied
                SLEEP until 107000 (target)
            < woke
                pick 500 after 3
            < picked
                pick 500 after the start
            < picked 1 2 3
                TRANSFORM 1 2 3
            < ready
                claim create 1 2 3, ask from 197000
            < claimed
                SEND attempt 4 create 1 2 3
            < notsent
                settle 4 not_sent: 1 again from 115000 2 again from 115000 3 again from 115000
            < applied
                SLEEP until 115000 (target)
            < woke
                pick 500 after 3
            < picked
                pick 500 after the start
            < picked 1 2 3
                TRANSFORM 1 2 3
            < ready
                claim create 1 2 3, ask from 205000
            < claimed
                SEND attempt 5 create 1 2 3
            < notsent
                settle 5 not_sent: 1 again from 131000 2 again from 131000 3 again from 131000
                circuit 5 until 175000
            < applied
                note: stopping: X call
                count states
                end run failed X
            < ended
                FINISH failed, 1 pages, 5 calls, target: X call
        "#]],
    );
}

#[test]
fn one_answer_makes_the_target_reachable_again() {
    check(
        with(|target| target.batch = 1),
        &sent(
            "notsent; applied; woke; claimed; all ok; applied; claimed; notsent; applied; woke
             picked; picked 1 3; ready",
        ),
        expect![[r#"
            < notsent
                settle 1 not_sent: 1 again from 101000
            < applied
                SLEEP until 101000 (target)
            < woke
                claim create 2, ask from 191000
            < claimed
                SEND attempt 2 create 2
            < all ok
                settle 2 ok: 2 done
            < applied
                claim create 3, ask from 191000
            < claimed
                SEND attempt 3 create 3
            < notsent
                settle 3 not_sent: 3 again from 102000
            < applied
                SLEEP until 102000 (target)
            < woke
                pick 500 after 3
            < picked
                pick 500 after the start
            < picked 1 3
                TRANSFORM 1 3
            < ready
                claim create 1, ask from 192000
        "#]],
    );
}

#[test]
fn throttled_waits_as_the_vendor_says_and_spends_nothing() {
    check(
        plan(),
        &sent("all throttled wait=5000; applied; woke; picked; picked 1 2 3; ready; claimed; all ok"),
        expect![[r#"
            < all throttled wait=5000
                settle 1 throttled: 1 again from 105000 2 again from 105000 3 again from 105000
            < applied
                SLEEP until 105000 (target)
            < woke
                pick 500 after 3
            < picked
                pick 500 after the start
            < picked 1 2 3
                TRANSFORM 1 2 3
            < ready
                claim create 1 2 3, ask from 195000
            < claimed
                SEND attempt 2 create 1 2 3
            < all ok
                settle 2 ok: 1 done 2 done 3 done
        "#]],
    );
    check(
        plan(),
        &sent("all throttled wait=999999999; applied"),
        expect![[r#"
            < all throttled wait=999999999
                settle 1 throttled: 1 again from 3700000 2 again from 3700000 3 again from 3700000
                circuit 0 until 3700000
            < applied
                SLEEP until 3700000 (target)
        "#]],
    );
}

#[test]
fn a_refused_batch_is_halved_until_the_poison_is_alone() {
    check(
        with(|target| target.batch = 4),
        &read(
            "picked 1 2 3 4; ready; claimed; ...; all rejected; applied
             claimed; all ok; applied; claimed; all rejected; applied
             claimed; all rejected; applied; claimed; all ok; applied; picked",
        ),
        expect![[r#"
            < all rejected
                settle 1 rejected: 1 again from 100000 2 again from 100000 3 again from 100000 4 again from 100000
            < applied
                claim create 1 2, ask from 190000
            < claimed
                SEND attempt 2 create 1 2
            < all ok
                settle 2 ok: 1 done 2 done
            < applied
                claim create 3 4, ask from 190000
            < claimed
                SEND attempt 3 create 3 4
            < all rejected
                settle 3 rejected: 3 again from 100000 4 again from 100000
            < applied
                claim create 3, ask from 190000
            < claimed
                SEND attempt 4 create 3
            < all rejected
                settle 4 rejected: 3 dead (X call)
            < applied
                claim create 4, ask from 190000
            < claimed
                SEND attempt 5 create 4
            < all ok
                settle 5 ok: 4 done
            < applied
                pick 500 after 4
            < picked
                pick unknown
        "#]],
    );
}

#[test]
fn rows_that_a_refusal_names_are_settled_and_the_rest_is_halved() {
    check(
        plan(),
        &sent("rows rejected r - -; applied"),
        expect![[r#"
        < rows rejected r - -
            settle 1 rejected: 1 dead (X bad data) 2 again from 100000 3 again from 100000
        < applied
            claim create 2, ask from 190000
    "#]],
    );
}

#[test]
fn a_refusal_that_accepted_a_row_was_not_one_of_the_whole_call() {
    check(
        plan(),
        &sent("rows rejected a r -; applied"),
        expect![[r#"
        < rows rejected a r -
            settle 1 rejected: 1 done 2 dead (X bad data) 3 unknown X until 160000
        < applied
            pick 500 after 3
    "#]],
    );
}

#[test]
fn rows_are_settled_one_by_one() {
    check(
        with(|target| target.batch = 4),
        &read("picked 1 2 3 4; ready; claimed; ...; rows rows a r e -; applied"),
        expect![[r#"
            < rows rows a r e -
                settle 1 rows: 1 done 2 dead (X bad data) 3 unknown E4016 until 100000 4 unknown X until 160000
            < applied
                pick 500 after 4
        "#]],
    );
}

#[test]
fn a_lost_answer_is_asked_about_after_the_quiet_period() {
    check(
        plan(),
        &sent(
            "lost; applied; picked; unknowns due=160000; woke
             unknowns 1 2 3; found one none none; applied; unknowns
             picked 2 3 sent; ready; claimed; all ok; applied; picked; picked; unknowns; ended",
        ),
        expect![[r#"
            < lost
                settle 1 lost: 1 unknown X until 160000 2 unknown X until 160000 3 unknown X until 160000
            < applied
                pick 500 after 3
            < picked
                pick unknown
            < unknowns due=160000
                SLEEP until 160000 (quiet, 0 unknown)
            < woke
                pick unknown
            < unknowns 1 2 3
                ASK resolve 1 2 3
            < found one none none
                resolve 1 done 2 resend 3 resend
            < applied
                pick unknown
            < unknowns
                pick 500 after the start
            < picked 2 3 sent
                TRANSFORM 2 3
            < ready
                claim create 2 3, ask from 250000
            < claimed
                SEND attempt 2 create 2 3
            < all ok
                settle 2 ok: 2 done 3 done
            < applied
                pick 500 after 3
            < picked
                pick 500 after the start
            < picked
                pick unknown
            < unknowns
                count states
                end run ok
            < ended
                FINISH ok, 1 pages, 2 calls
        "#]],
    );
}

#[test]
fn without_uniqueness_not_there_must_be_said_twice() {
    check(
        with(|target| target.proof = Proof::Query),
        &sent(
            "lost; applied; picked; unknowns due=160000; woke; unknowns 1; ...
             found none; applied; unknowns due=220000; woke; unknowns 1 misses=1 code=E4015; found none",
        ),
        expect![[r#"
            < found none
                resolve 1 missed, again at 220000 E4015
            < applied
                pick unknown
            < unknowns due=220000
                SLEEP until 220000 (quiet, 0 unknown)
            < woke
                pick unknown
            < unknowns 1 misses=1 code=E4015
                ASK resolve 1
            < found none
                resolve 1 resend
        "#]],
    );
}

#[test]
fn a_fault_and_an_unreadable_answer_are_lost_answers() {
    check(
        plan(),
        &sent("all fault; applied"),
        expect![[r#"
        < all fault
            settle 1 fault: 1 unknown X until 160000 2 unknown X until 160000 3 unknown X until 160000
        < applied
            pick 500 after 3
    "#]],
    );
    check(
        plan(),
        &sent("all no_match"),
        expect![[r#"
        < all no_match
            settle 1 no_match: 1 unknown X until 160000 2 unknown X until 160000 3 unknown X until 160000
    "#]],
    );
}

#[test]
fn a_lost_session_is_asked_about_at_once_unless_replay_is_safe() {
    check(
        plan(),
        &sent("all auth; applied; picked; unknowns 1 2 3; found none none none; applied"),
        expect![[r#"
            < all auth
                settle 1 auth: 1 unknown X until 100000 2 unknown X until 100000 3 unknown X until 100000
            < applied
                pick 500 after 3
            < picked
                pick unknown
            < unknowns 1 2 3
                ASK resolve 1 2 3
            < found none none none
                resolve 1 resend 2 resend 3 resend
            < applied
                pick unknown
        "#]],
    );
    check(
        plan(),
        &sent("all auth+replay; applied; picked; picked 1 2 3"),
        expect![[r#"
            < all auth+replay
                settle 1 auth: 1 again from 100000 2 again from 100000 3 again from 100000
            < applied
                pick 500 after 3
            < picked
                pick 500 after the start
            < picked 1 2 3
                TRANSFORM 1 2 3
        "#]],
    );
}

#[test]
fn a_session_lost_twice_in_a_row_stops_the_run() {
    let one_by_one = || with(|target| target.batch = 1);
    check(
        one_by_one(),
        &sent("all auth; applied; claimed; all auth; applied; ended"),
        expect![[r#"
            < all auth
                settle 1 auth: 1 unknown X until 100000
            < applied
                claim create 2, ask from 190000
            < claimed
                SEND attempt 2 create 2
            < all auth
                settle 2 auth: 2 unknown X until 100000
            < applied
                note: stopping: X call
                count states
                end run failed X
            < ended
                FINISH failed, 1 pages, 2 calls, target: X call
        "#]],
    );
    check(
        one_by_one(),
        &sent("all auth+replay; applied; claimed; all ok; applied; claimed; all auth+replay; applied"),
        expect![[r#"
            < all auth+replay
                settle 1 auth: 1 again from 100000
            < applied
                claim create 2, ask from 190000
            < claimed
                SEND attempt 2 create 2
            < all ok
                settle 2 ok: 2 done
            < applied
                claim create 3, ask from 190000
            < claimed
                SEND attempt 3 create 3
            < all auth+replay
                settle 3 auth: 3 again from 100000
            < applied
                pick 500 after 3
        "#]],
    );
}

#[test]
fn answers_lost_in_a_row_stop_the_run_before_everything_is_in_doubt() {
    check(
        with(|target| target.batch = 1),
        &read(
            "picked 1 2 3 4 5 6 7 8; ready; claimed; lost; applied; claimed; lost; applied; claimed; lost; applied
             claimed; lost; applied; claimed; ...; lost; applied; ended",
        ),
        expect![[r#"
            < lost
                settle 5 lost: 5 unknown X until 160000
                circuit 5 until 160000
            < applied
                note: stopping: X call
                count states
                end run failed X
            < ended
                FINISH failed, 1 pages, 5 calls, target: X call
        "#]],
    );
}

#[test]
fn exists_at_the_first_send_is_somebody_elses_document() {
    check(
        plan(),
        &sent(
            "rows rows e a a; applied; picked; unknowns 1 code=exists; found one; applied; unknowns; ended",
        ),
        expect![[r#"
            < rows rows e a a
                settle 1 rows: 1 unknown E4016 until 100000 2 done 3 done
            < applied
                pick 500 after 3
            < picked
                pick unknown
            < unknowns 1 code=exists
                ASK resolve 1
            < found one
                resolve 1 held (E4010 was lost)
            < applied
                pick unknown
            < unknowns
                count states
                end run partial E4010
            < ended
                FINISH partial, 1 pages, 1 calls
        "#]],
    );
}

#[test]
fn exists_after_a_lost_answer_is_ours() {
    check(
        plan(),
        &sent("rows rows e a a; applied; picked; unknowns 1 code=exists sent; found one; applied; unknowns"),
        expect![[r#"
            < rows rows e a a
                settle 1 rows: 1 unknown E4016 until 100000 2 done 3 done
            < applied
                pick 500 after 3
            < picked
                pick unknown
            < unknowns 1 code=exists sent
                ASK resolve 1
            < found one
                resolve 1 done
            < applied
                pick unknown
            < unknowns
                pick 500 after the start
        "#]],
    );
}

#[test]
fn exists_that_the_question_does_not_confirm_is_held() {
    let ask = "rows rows e a a; applied; picked; ...; unknowns 1 code=exists sent;";
    check(
        plan(),
        &sent(&format!("{ask} found none")),
        expect![[r#"
        < unknowns 1 code=exists sent
            ASK resolve 1
        < found none
            resolve 1 held (E4012 was lost)
    "#]],
    );
    check(
        plan(),
        &sent(&format!("{ask} found many")),
        expect![[r#"
        < unknowns 1 code=exists sent
            ASK resolve 1
        < found many
            resolve 1 held (E4011 was lost)
    "#]],
    );
}

/// Sending the same again would meet the same document for ever.
#[test]
fn exists_is_never_answered_by_sending_again() {
    let ask = "rows rows e a a; applied; picked; ...;";
    let resend = || with(|target| target.on_unknown = OnUnknown::Resend);
    check(
        resend(),
        &sent(&format!("{ask} unknowns 1 code=exists sent; found one")),
        expect![[r#"
            < unknowns 1 code=exists sent
                ASK resolve 1
            < found one
                resolve 1 done
        "#]],
    );
    check(
        with(|target| target.proof = Proof::Upsert),
        &sent(&format!("{ask} unknowns 1 code=exists sent")),
        expect![[r#"
            < unknowns 1 code=exists sent
                resolve 1 held (E4013 was lost)
        "#]],
    );
    check(
        plan(),
        &sent(&format!("{ask} unknowns 1 code=exists update")),
        expect![[r#"
            < unknowns 1 code=exists update
                resolve 1 held (E4010 was lost)
        "#]],
    );
}

#[test]
fn a_lost_update_is_sent_again() {
    check(
        plan(),
        &sent(
            "lost; applied; picked; unknowns due=160000; woke; unknowns 1 update; applied; unknowns; picked 1 target",
        ),
        expect![[r#"
            < lost
                settle 1 lost: 1 unknown X until 160000 2 unknown X until 160000 3 unknown X until 160000
            < applied
                pick 500 after 3
            < picked
                pick unknown
            < unknowns due=160000
                SLEEP until 160000 (quiet, 0 unknown)
            < woke
                pick unknown
            < unknowns 1 update
                resolve 1 resend
            < applied
                pick unknown
            < unknowns
                pick 500 after the start
            < picked 1 target
                TRANSFORM 1+id
        "#]],
    );
}

#[test]
fn what_cannot_be_asked_is_held() {
    let lost = "lost; applied; picked; ...;";
    check(
        with(|target| target.proof = Proof::None),
        &sent(&format!("{lost} unknowns 1")),
        expect![[r#"
            < unknowns 1
                resolve 1 held (E4013 was lost)
        "#]],
    );
    check(
        with(|target| target.on_unknown = OnUnknown::Hold),
        &sent(&format!("{lost} unknowns 1")),
        expect![[r#"
            < unknowns 1
                resolve 1 held (E4013 was lost)
        "#]],
    );
    check(
        plan(),
        &sent(&format!("{lost} unknowns 1 keyless")),
        expect![[r#"
            < unknowns 1 keyless
                resolve 1 held (E4013 was lost)
        "#]],
    );
    check(
        plan(),
        &sent(&format!("{lost} unknowns 1 void")),
        expect![[r#"
        < unknowns 1 void
            resolve 1 held (E4013 was lost)
    "#]],
    );
    check(
        with(|target| target.on_unknown = OnUnknown::Resend),
        &sent(&format!("{lost} unknowns 1")),
        expect![[r#"
            < unknowns 1
                resolve 1 resend
        "#]],
    );
}

#[test]
fn a_question_that_fails_leaves_the_record_unknown() {
    check(
        plan(),
        &sent(
            "lost; applied; picked; unknowns 1; ...; failed fault; applied; unknowns due=130000; woke
             unknowns 1; failed fault; applied; unknowns due=190000; woke
             unknowns 1; failed fault; applied; unknowns due=310000; ended",
        ),
        expect![[r#"
            < failed fault
                note: read again: X fault
                resolve 1 again at 130000 X
            < applied
                pick unknown
            < unknowns due=130000
                SLEEP until 130000 (quiet, 0 unknown)
            < woke
                pick unknown
            < unknowns 1
                ASK resolve 1
            < failed fault
                note: read again: X fault
                resolve 1 again at 190000 X
            < applied
                pick unknown
            < unknowns due=190000
                SLEEP until 190000 (quiet, 0 unknown)
            < woke
                pick unknown
            < unknowns 1
                ASK resolve 1
            < failed fault
                note: read again: X fault
                resolve 1 again at 310000 X
            < applied
                pick unknown
            < unknowns due=310000
                count states
                end run partial
            < ended
                FINISH partial, 1 pages, 1 calls, next question 310000
        "#]],
    );
    check(
        plan(),
        &sent("lost; applied; picked; unknowns 1; ...; failed config; applied; ended"),
        expect![[r#"
            < failed config
                note: read again: X config
                resolve 1 again at 130000 X
            < applied
                count states
                end run failed X
            < ended
                FINISH failed, 1 pages, 1 calls, target: X config
        "#]],
    );
}

/// Questions are given up for this run even when more records could be asked about at once.
#[test]
fn three_failed_questions_are_enough() {
    check(
        plan(),
        &sent(
            "lost; applied; picked; unknowns 1; failed fault; applied; unknowns 2; failed fault; applied
             unknowns 3; ...; failed fault; applied; unknowns 4; ended",
        ),
        expect![[r#"
            < failed fault
                note: read again: X fault
                resolve 3 again at 220000 X
            < applied
                pick unknown
            < unknowns 4
                count states
                end run ok
            < ended
                FINISH ok, 1 pages, 1 calls
        "#]],
    );
}

/// The engine may simply not have run for a weekend: it asks before it gives up.
#[test]
fn a_day_without_an_answer_is_given_up_only_after_asking() {
    let start = "start; +90000000; begun; ...; unknowns 1 since=100000;";
    check(
        plan(),
        &format!("{start} found one"),
        expect![[r#"
        < unknowns 1 since=100000
            ASK resolve 1
        < found one
            resolve 1 done
    "#]],
    );
    check(
        plan(),
        &format!("{start} found none"),
        expect![[r#"
        < unknowns 1 since=100000
            ASK resolve 1
        < found none
            resolve 1 resend
    "#]],
    );
    check(
        plan(),
        &format!("{start} failed fault"),
        expect![[r#"
        < unknowns 1 since=100000
            ASK resolve 1
        < failed fault
            note: read again: X fault
            resolve 1 held (E4014 was lost)
    "#]],
    );
    check(
        with(|target| target.proof = Proof::IdempotencyKey),
        "start; +90000000; begun; ...; unknowns 1 since=100000",
        expect![[r#"
            < unknowns 1 since=100000
                resolve 1 held (E4014 was lost)
        "#]],
    );
}

#[test]
fn the_wait_for_lost_answers_ends_with_its_limit() {
    let mut plan = plan();
    plan.settle_wait = 1_000;
    check(
        plan,
        &sent("lost; applied; picked; unknowns due=160000; ended"),
        expect![[r#"
            < lost
                settle 1 lost: 1 unknown X until 160000 2 unknown X until 160000 3 unknown X until 160000
            < applied
                pick 500 after 3
            < picked
                pick unknown
            < unknowns due=160000
                count states
                end run partial
            < ended
                FINISH partial, 1 pages, 1 calls, next question 160000
        "#]],
    );
}

#[test]
fn tolerate_none_stops_at_the_first_refused_record() {
    let strict = || with(|target| target.stop_at_first_dead = true);
    check(
        strict(),
        &sent("rows rows a r a; applied; ended"),
        expect![[r#"
            < rows rows a r a
                settle 1 rows: 1 done 2 dead (X bad data) 3 done
            < applied
                note: stopping: X bad data
                count states
                end run partial X
            < ended
                FINISH partial, 1 pages, 1 calls, first dead: X bad data
        "#]],
    );
    check(
        strict(),
        &read("picked 1 2; ready dead create; applied; ended"),
        expect![[r#"
            < picked 1 2
                TRANSFORM 1 2
            < ready dead create
                refuse 1 dead (X refused)
            < applied
                note: stopping: X refused
                count states
                end run partial X
            < ended
                FINISH partial, 1 pages, 0 calls, first dead: X refused
        "#]],
    );
}

#[test]
fn a_record_that_cannot_be_transformed_does_not_stop_the_others() {
    check(
        plan(),
        &read("picked 1 2 3 4 5; ready dead held skip later create; applied; claimed"),
        expect![[r#"
            < picked 1 2 3 4 5
                TRANSFORM 1 2 3 4 5
            < ready dead held skip later create
                refuse 1 dead (X refused) 2 held (X refused) 3 skipped 4 not before 900000
            < applied
                claim create 5, ask from 190000
            < claimed
                SEND attempt 1 create 5
        "#]],
    );
}

#[test]
fn calls_are_cut_by_action_group_size_and_key() {
    check(
        with(|target| target.batch = 2),
        &read(
            "picked 1 2 3 4 5 6; ready create update create group2 create create
             claimed; all ok; applied; claimed; all ok; applied; claimed; all ok; applied; claimed; all ok; applied",
        ),
        expect![[r#"
            < picked 1 2 3 4 5 6
                TRANSFORM 1 2 3 4 5 6
            < ready create update create group2 create create
                claim create 1 3, ask from 190000
            < claimed
                SEND attempt 1 create 1 3
            < all ok
                settle 1 ok: 1 done 3 done
            < applied
                claim update 2, ask from 190000
            < claimed
                SEND attempt 2 update 2
            < all ok
                settle 2 ok: 2 done
            < applied
                claim create 4, ask from 190000
            < claimed
                SEND attempt 3 create 4
            < all ok
                settle 3 ok: 4 done
            < applied
                claim create 5 6, ask from 190000
            < claimed
                SEND attempt 4 create 5 6
            < all ok
                settle 4 ok: 5 done 6 done
            < applied
                pick 500 after 6
        "#]],
    );
    check(
        plan(),
        &read("picked 1 2 3; ready samekey create samekey; claimed; all ok; applied; claimed held=3 none"),
        expect![[r#"
            < picked 1 2 3
                TRANSFORM 1 2 3
            < ready samekey create samekey
                claim create 1 2, ask from 190000
            < claimed
                SEND attempt 1 create 1 2
            < all ok
                settle 1 ok: 1 done 2 done
            < applied
                claim create 3, ask from 190000
            < claimed held=3 none
                pick 500 after 3
        "#]],
    );
}

#[test]
fn a_key_taken_by_another_record_is_left_out_of_the_call() {
    check(
        plan(),
        &read("picked 1 2 3; ready; claimed held=2"),
        expect![[r#"
            < picked 1 2 3
                TRANSFORM 1 2 3
            < ready
                claim create 1 2 3, ask from 190000
            < claimed held=2
                SEND attempt 1 create 1 3
        "#]],
    );
}

#[test]
fn a_limit_bounds_what_is_read_and_written() {
    let mut plan = plan();
    plan.limit = Some(2);
    check(
        plan,
        "start; begun; unknowns; opened; page 2 more; staged new=2; ok
         picked 1 2; ready; claimed; all ok; applied; unknowns; ended",
        expect![[r#"
            < start
                begin run
                read circuit
                pick tasks
                cover live
            < begun
                pick unknown
            < unknowns
                open window [0, 100000)
            < opened
                FETCH window 1 page 1 [0, 100000)
            < page 2 more
                stage window 1 page 1: 2 rows
            < staged new=2
                end window 1 left: e3053
            < ok
                pick 2 after the start
            < picked 1 2
                TRANSFORM 1 2
            < ready
                claim create 1 2, ask from 190000
            < claimed
                SEND attempt 1 create 1 2
            < all ok
                settle 1 ok: 1 done 2 done
            < applied
                pick unknown
            < unknowns
                count states
                end run ok
            < ended
                FINISH ok, 1 pages, 1 calls
        "#]],
    );
}

/// A limit counts records, not sends.
#[test]
fn a_limit_does_not_keep_a_record_from_being_sent_again() {
    let mut plan = plan();
    plan.limit = Some(2);
    check(
        plan,
        "start; begun; unknowns; opened; page 3; staged new=3; picked 1 2; ready; claimed; ...
         all throttled; applied; woke; picked 1 2 3; ready; claimed; all ok; applied; unknowns; ended",
        expect![[r#"
            < all throttled
                settle 1 throttled: 1 again from 101000 2 again from 101000
            < applied
                SLEEP until 101000 (target)
            < woke
                pick 500 after the start
            < picked 1 2 3
                TRANSFORM 1 2
            < ready
                claim create 1 2, ask from 191000
            < claimed
                SEND attempt 2 create 1 2
            < all ok
                settle 2 ok: 1 done 2 done
            < applied
                pick unknown
            < unknowns
                count states
                end run ok
            < ended
                FINISH ok, 1 pages, 2 calls
        "#]],
    );
}

#[test]
fn find_before_create_adopts_what_is_there() {
    let asks: fn(&mut TargetFacts) = |target| target.find_before_create = true;
    check(
        with(asks),
        &read("picked 1 2 3; ready; found one none many; applied; ready; claimed; all ok; applied; claimed"),
        expect![[r#"
            < picked 1 2 3
                TRANSFORM 1 2 3
            < ready
                ASK find 1 2 3
            < found one none many
                refuse 3 held (E4011)
                adopt 1
            < applied
                TRANSFORM 1+id
            < ready
                claim update 1, ask from 190000
            < claimed
                SEND attempt 1 update 1
            < all ok
                settle 1 ok: 1 done
            < applied
                claim create 2, ask from 190000
            < claimed
                SEND attempt 2 create 2
        "#]],
    );
    check(
        with(asks),
        &read("picked 1; ready; failed fault; woke; found none; claimed"),
        expect![[r#"
            < picked 1
                TRANSFORM 1
            < ready
                ASK find 1
            < failed fault
                note: read again: X fault
                SLEEP until 101000 (target)
            < woke
                ASK find 1
            < found none
                claim create 1, ask from 191000
            < claimed
                SEND attempt 1 create 1
        "#]],
    );
    check(
        with(asks),
        &read("picked 1 sent; ready; claimed"),
        expect![[r#"
        < picked 1 sent
            TRANSFORM 1
        < ready
            claim create 1, ask from 190000
        < claimed
            SEND attempt 1 create 1
    "#]],
    );
}

#[test]
fn halves_of_a_run() {
    let mut fetch = plan();
    fetch.stages = Stages::Fetch;
    check(
        fetch,
        "start; begun; opened; page 3; staged; ended",
        expect![[r#"
            < start
                begin run
                cover live
            < begun
                open window [0, 100000)
            < opened
                FETCH window 1 page 1 [0, 100000)
            < page 3
                stage window 1 page 1: 3 rows, last, close [0, 90000)
            < staged
                count states
                end run ok
            < ended
                FINISH ok, 1 pages, 0 calls
        "#]],
    );
    let mut save = plan();
    save.stages = Stages::Save;
    check(
        save,
        "start; begun; unknowns; picked; unknowns; ended",
        expect![[r#"
            < start
                begin run
                read circuit
                pick tasks
                cover live
            < begun
                pick unknown
            < unknowns
                pick 500 after the start
            < picked
                pick unknown
            < unknowns
                count states
                end run ok
            < ended
                FINISH ok, 0 pages, 0 calls
        "#]],
    );
}

/// What another tool may have written: everything is read, all of it is asked about, nothing is picked to be written,
/// and what went back to pending is no reason not to wait for the rest.
#[test]
fn a_run_that_only_asks() {
    let mut ask = with(|target| target.proof = Proof::Query);
    ask.stages = Stages::Ask;
    check(
        ask,
        "start; begun open=20000; unknowns; opened; page 3 more; staged new=3 open=20003; page 3; staged new=3 open=20006; \
         unknowns 1 2 3 adopted; found one none many; applied; unknowns due=160000; woke; unknowns 2 adopted misses=1; \
         found none; applied; unknowns due=190000; woke; unknowns 4 adopted; found one; applied; unknowns; ended",
        expect![[r#"
            < start
                begin run
                read circuit
                pick tasks
                cover live
            < begun open=20000
                pick unknown
            < unknowns
                open window [0, 100000)
            < opened
                FETCH window 1 page 1 [0, 100000)
            < page 3 more
                stage window 1 page 1: 3 rows
            < staged new=3 open=20003
                FETCH window 1 page 2 [0, 100000)
            < page 3
                stage window 1 page 2: 3 rows, last, close [0, 90000)
            < staged new=3 open=20006
                pick unknown
            < unknowns 1 2 3 adopted
                ASK resolve 1 2 3
            < found one none many
                resolve 1 done 2 missed, again at 160000 E4015 3 held (E4011 was lost)
            < applied
                pick unknown
            < unknowns due=160000
                SLEEP until 160000 (quiet, 0 unknown)
            < woke
                pick unknown
            < unknowns 2 adopted misses=1
                ASK resolve 2
            < found none
                resolve 2 resend
            < applied
                pick unknown
            < unknowns due=190000
                SLEEP until 190000 (quiet, 0 unknown)
            < woke
                pick unknown
            < unknowns 4 adopted
                ASK resolve 4
            < found one
                resolve 4 done
            < applied
                pick unknown
            < unknowns
                count states
                end run partial E4011
            < ended
                FINISH partial, 2 pages, 0 calls
        "#]],
    );
}

#[test]
fn an_event_out_of_order_stops_the_run_with_a_code() {
    check(
        plan(),
        "start; begun; unknowns; opened; woke; picked; unknowns; ended",
        expect![[r#"
            < start
                begin run
                read circuit
                pick tasks
                cover live
            < begun
                pick unknown
            < unknowns
                open window [0, 100000)
            < opened
                FETCH window 1 page 1 [0, 100000)
            < woke
                note: stopping: E9000 event out of order while reading
                pick 500 after the start
            < picked
                pick unknown
            < unknowns
                count states
                end run failed E9000
            < ended
                FINISH failed, 0 pages, 0 calls, source: E9000 event out of order while reading
        "#]],
    );
}

/// Canceled at every place: what is in flight is settled, nothing is begun, the run ends.
#[test]
fn cancel_at_every_step() {
    let script = "start; begun; unknowns 9; found none; applied; unknowns; opened; page 2 more; staged new=2
         failed fault; woke; page 1; staged new=1; picked 1 2 3; ready; claimed; lost; applied; picked
         unknowns due=160000; woke; unknowns 1 2 3; found none none none; applied; unknowns; picked 1 2 3; ready";
    check(
        plan(),
        script,
        expect![[r#"
            < start
                begin run
                read circuit
                pick tasks
                cover live
            < begun
                pick unknown
            < unknowns 9
                ASK resolve 9
            < found none
                resolve 9 resend
            < applied
                pick unknown
            < unknowns
                open window [0, 100000)
            < opened
                FETCH window 1 page 1 [0, 100000)
            < page 2 more
                stage window 1 page 1: 2 rows
            < staged new=2
                FETCH window 1 page 2 [0, 100000)
            < failed fault
                note: read again: X fault
                SLEEP until 101000 (source)
            < woke
                FETCH window 1 page 2 [0, 100000)
            < page 1
                stage window 1 page 2: 1 rows, last, close [0, 90000)
            < staged new=1
                pick 500 after the start
            < picked 1 2 3
                TRANSFORM 1 2 3
            < ready
                claim create 1 2 3, ask from 191000
            < claimed
                SEND attempt 1 create 1 2 3
            < lost
                settle 1 lost: 1 unknown X until 161000 2 unknown X until 161000 3 unknown X until 161000
            < applied
                pick 500 after 3
            < picked
                pick unknown
            < unknowns due=160000
                SLEEP until 160000 (quiet, 0 unknown)
            < woke
                pick unknown
            < unknowns 1 2 3
                ASK resolve 1 2 3
            < found none none none
                resolve 1 resend 2 resend 3 resend
            < applied
                pick unknown
            < unknowns
                pick 500 after the start
            < picked 1 2 3
                TRANSFORM 1 2 3
            < ready
                claim create 1 2 3, ask from 250000
        "#]],
    );
    let steps: Vec<&str> = script.split(['\n', ';']).map(str::trim).collect();
    let mut summary = String::new();
    for at in 1..steps.len() {
        summary.push_str(&script::after_cancel(plan(), &steps[..at], steps[at]));
    }
    expect![[r#"
        begun                        FINISH canceled, 0 pages, 0 calls, canceled
        unknowns 9                   FINISH canceled, 0 pages, 0 calls, canceled
        found none                   resolve 9 resend | FINISH canceled, 0 pages, 0 calls, canceled
        applied                      FINISH canceled, 0 pages, 0 calls, canceled
        unknowns                     FINISH canceled, 0 pages, 0 calls, canceled
        opened                       end window 1 left: e3056 | FINISH canceled, 0 pages, 0 calls, 1 windows left, canceled
        page 2 more                  end window 1 left: e3056 | FINISH canceled, 0 pages, 0 calls, 1 windows left, canceled
        staged new=2                 end window 1 left: e3056 | FINISH canceled, 1 pages, 0 calls, 1 windows left, canceled
        failed fault                 end window 1 left: e3056 | FINISH canceled, 1 pages, 0 calls, 1 windows left, canceled
        woke                         end window 1 left: e3056 | FINISH canceled, 1 pages, 0 calls, 1 windows left, canceled
        page 1                       end window 1 left: e3056 | FINISH canceled, 1 pages, 0 calls, 1 windows left, canceled
        staged new=1                 FINISH canceled, 2 pages, 0 calls, canceled
        picked 1 2 3                 FINISH canceled, 2 pages, 0 calls, canceled
        ready                        FINISH canceled, 2 pages, 0 calls, canceled
        claimed                      SEND attempt 1 create 1 2 3 | settle 1 lost: 1 unknown X until 161000 2 unknown X until 161000 3 unknown X until 161000 | FINISH canceled, 2 pages, 1 calls, canceled
        lost                         settle 1 lost: 1 unknown X until 161000 2 unknown X until 161000 3 unknown X until 161000 | FINISH canceled, 2 pages, 1 calls, canceled
        applied                      FINISH canceled, 2 pages, 1 calls, canceled
        picked                       FINISH canceled, 2 pages, 1 calls, canceled
        unknowns due=160000          FINISH canceled, 2 pages, 1 calls, canceled, next question 160000
        woke                         FINISH canceled, 2 pages, 1 calls, canceled, next question 160000
        unknowns 1 2 3               FINISH canceled, 2 pages, 1 calls, canceled
        found none none none         resolve 1 resend 2 resend 3 resend | FINISH canceled, 2 pages, 1 calls, canceled
        applied                      FINISH canceled, 2 pages, 1 calls, canceled
        unknowns                     FINISH canceled, 2 pages, 1 calls, canceled
        picked 1 2 3                 FINISH canceled, 2 pages, 1 calls, canceled
        ready                        FINISH canceled, 2 pages, 1 calls, canceled
    "#]].assert_eq(&summary);
}

/// What the last page of the plan's window closes, in a run begun at `clock` whose source answers at `source`.
fn closed_by(clock: Ms, source: Option<Ms>) -> Option<Interval> {
    let mut job = Job::new(JobPlan {
        stages: Stages::Fetch,
        ..plan()
    });
    let begun = LedgerReply::RunBegun {
        run: RunId(1),
        enabled: 0,
        closed: Vec::new(),
        recovered: 0,
        open: 0,
    };
    let page = Page {
        rows: Vec::new(),
        raw_rows: 0,
        more: false,
        total: None,
        fingerprint: 1,
        prints: Vec::new(),
        mark: None,
        versions: None,
        pushes: Vec::new(),
    };
    job.step(clock, Event::Start);
    job.step(clock, Event::Ledger(vec![begun]));
    job.step(clock, Event::Ledger(vec![LedgerReply::WindowOpened(WindowId(1))]));
    if let Some(source) = source {
        job.source_clock(source);
    }
    let Some(Action::Ledger(ops)) = job.step(clock, Event::Page(page)).pop() else {
        panic!("no page is stored");
    };
    match ops.as_slice() {
        [LedgerOp::StagePage { close, .. }] => close.flatten(),
        other => panic!("{other:?}"),
    }
}

/// An interval closes up to the source's clock less `settle` (10 s), and up to ours: whichever is behind.
#[test]
fn a_window_closes_no_further_than_any_clock_allows() {
    assert_eq!(closed_by(100_000, None), Interval::new(0, 90_000));
    assert_eq!(closed_by(100_000, Some(160_000)), Interval::new(0, 90_000));
    assert_eq!(closed_by(100_000, Some(70_000)), Interval::new(0, 60_000));
    assert_eq!(
        closed_by(50_000, None),
        Interval::new(0, 40_000),
        "`--now` ahead of the clock"
    );
    assert_eq!(closed_by(100_000, Some(5_000)), None);
}

/// `brakes.max_records`: the window stays open, what was read is written, and the run says so.
#[test]
fn a_run_reads_no_more_than_its_brake_allows() {
    let mut plan = plan();
    plan.brakes.records = Some(2);
    check(
        plan,
        "start; begun; unknowns; opened; page 2 more; staged new=2; applied
         picked 1 2; ready; claimed; all ok; applied; picked; unknowns; ended",
        expect![[r#"
            < start
                begin run
                read circuit
                pick tasks
                cover live
            < begun
                pick unknown
            < unknowns
                open window [0, 100000)
            < opened
                FETCH window 1 page 1 [0, 100000)
            < page 2 more
                stage window 1 page 1: 2 rows
            < staged new=2
                note: window left: E3081 2
                end window 1 left: e3081 2
            < applied
                pick 500 after the start
            < picked 1 2
                TRANSFORM 1 2
            < ready
                claim create 1 2, ask from 190000
            < claimed
                SEND attempt 1 create 1 2
            < all ok
                settle 1 ok: 1 done 2 done
            < applied
                pick 500 after 2
            < picked
                pick unknown
            < unknowns
                count states
                end run partial
            < ended
                FINISH partial, 1 pages, 1 calls, 1 windows left
        "#]],
    );
}

/// `brakes.max_change`: nothing is written; the window is closed, and what was read is pending.
#[test]
fn an_unusual_change_is_not_written() {
    let mut plan = plan();
    plan.brakes.changes = Some(2);
    check(
        plan,
        "start; begun; unknowns; opened; page 3; staged new=3; ended",
        expect![[r#"
            < start
                begin run
                read circuit
                pick tasks
                cover live
            < begun
                pick unknown
            < unknowns
                open window [0, 100000)
            < opened
                FETCH window 1 page 1 [0, 100000)
            < page 3
                stage window 1 page 1: 3 rows, last, close [0, 90000)
            < staged new=3
                note: stopping: E3082 3 > 2
                count states
                end run partial E3082
            < ended
                FINISH partial, 1 pages, 0 calls, braked: E3082 3 > 2
        "#]],
    );
}

/// The half that writes sees only what waits, not how much of it one run brought: the half that reads has to say so.
#[test]
fn an_unusual_change_is_told_by_the_half_that_reads() {
    let mut plan = plan();
    plan.brakes.changes = Some(2);
    plan.stages = Stages::Fetch;
    check(
        plan,
        "start; begun; opened; page 3; staged new=3; ended",
        expect![[r#"
            < start
                begin run
                cover live
            < begun
                open window [0, 100000)
            < opened
                FETCH window 1 page 1 [0, 100000)
            < page 3
                stage window 1 page 1: 3 rows, last, close [0, 90000)
            < staged new=3
                note: stopping: E3082 3 > 2
                count states
                end run partial E3082
            < ended
                FINISH partial, 1 pages, 0 calls, braked: E3082 3 > 2
        "#]],
    );
}

/// A source that fails half-way does not release a brake: of a scheme whose read is begun again, only the rest would be
/// counted.
#[test]
fn a_source_that_stops_half_way_does_not_release_a_brake() {
    let mut plan = plan();
    plan.brakes.changes = Some(2);
    check(
        plan,
        "start; begun; unknowns; opened; page 3 more; staged new=3; failed config; applied; ended",
        expect![[r#"
            < start
                begin run
                read circuit
                pick tasks
                cover live
            < begun
                pick unknown
            < unknowns
                open window [0, 100000)
            < opened
                FETCH window 1 page 1 [0, 100000)
            < page 3 more
                stage window 1 page 1: 3 rows
            < staged new=3
                FETCH window 1 page 2 [0, 100000)
            < failed config
                note: window left: X config
                end window 1 failed: x config
            < applied
                note: stopping: X config
                note: stopping: E3082 3 > 2
                count states
                end run partial E3082
            < ended
                FINISH partial, 1 pages, 0 calls, 1 windows left, braked: E3082 3 > 2
        "#]],
    );
}

/// `brakes.max_first`, and the runs after it until somebody has said yes; the writing half alone as well.
#[test]
fn what_a_brake_holds_is_not_written() {
    let mut first = plan();
    first.brakes.first = Some(2);
    let script = "start; begun; unknowns; opened; page 3; staged new=3; ended";
    check(
        first,
        script,
        expect![[r#"
            < start
                begin run
                read circuit
                pick tasks
                cover live
            < begun
                pick unknown
            < unknowns
                open window [0, 100000)
            < opened
                FETCH window 1 page 1 [0, 100000)
            < page 3
                stage window 1 page 1: 3 rows, last, close [0, 90000)
            < staged new=3
                note: stopping: E3083 3 > 2
                count states
                end run partial E3083
            < ended
                FINISH partial, 1 pages, 0 calls, braked: E3083 3 > 2
        "#]],
    );
    // What a process stored that died before its brake was looked at: the next one's writing half does not write it.
    let mut died = plan();
    died.brakes.first = Some(2);
    died.stages = Stages::Save;
    check(
        died,
        "start; begun open=3; unknowns; ended",
        expect![[r#"
            < start
                begin run
                read circuit
                pick tasks
                cover live
            < begun open=3
                pick unknown
            < unknowns
                note: stopping: E3083 3 > 2
                count states
                end run partial E3083
            < ended
                FINISH partial, 0 pages, 0 calls, braked: E3083 3 > 2
        "#]],
    );
    let mut held = plan();
    held.brakes.held = Some(Reason::new("E3083", "3 > 2"));
    held.stages = Stages::Save;
    check(
        held,
        "start; begun; unknowns; ended",
        expect![[r#"
            < start
                begin run
                read circuit
                pick tasks
                cover live
            < begun
                pick unknown
            < unknowns
                note: stopping: E3083 3 > 2
                count states
                end run partial E3083
            < ended
                FINISH partial, 0 pages, 0 calls, braked: E3083 3 > 2
        "#]],
    );
}

/// `retry`: pauses of the scheme's own, of which other schemes of the target learn nothing; a longer one that the target
/// asks for counts, and the last failure ends the run.
#[test]
fn a_scheme_has_pauses_of_its_own() {
    let mut plan = plan();
    plan.retry = flow::Retry {
        max: Some(3),
        first: Some(120_000),
        longest: Some(180_000),
    };
    check(
        plan,
        &sent(
            "all throttled; applied; woke; picked; picked 1 2 3; ready; claimed; all throttled wait=400000; applied; woke; picked; picked 1 2 3; ready; claimed; all throttled; applied",
        ),
        expect![[r#"
            < all throttled
                settle 1 throttled: 1 again from 220000 2 again from 220000 3 again from 220000
            < applied
                SLEEP until 220000 (target)
            < woke
                pick 500 after 3
            < picked
                pick 500 after the start
            < picked 1 2 3
                TRANSFORM 1 2 3
            < ready
                claim create 1 2 3, ask from 310000
            < claimed
                SEND attempt 2 create 1 2 3
            < all throttled wait=400000
                settle 2 throttled: 1 again from 620000 2 again from 620000 3 again from 620000
                circuit 0 until 620000
            < applied
                SLEEP until 620000 (target)
            < woke
                pick 500 after 3
            < picked
                pick 500 after the start
            < picked 1 2 3
                TRANSFORM 1 2 3
            < ready
                claim create 1 2 3, ask from 710000
            < claimed
                SEND attempt 3 create 1 2 3
            < all throttled
                settle 3 throttled: 1 again from 800000 2 again from 800000 3 again from 800000
                circuit 0 until 0
            < applied
                note: stopping: X call
                count states
                end run failed X
        "#]],
    );
}

#[test]
fn a_page_is_read_as_often_as_the_scheme_says() {
    let mut plan = plan();
    plan.retry = flow::Retry {
        max: Some(2),
        first: Some(30_000),
        longest: None,
    };
    check(
        plan,
        "start; begun; unknowns; opened; ...
         failed fault; woke; failed fault; applied",
        expect![[r#"
            < failed fault
                note: read again: X fault
                SLEEP until 130000 (source)
            < woke
                FETCH window 1 page 1 [0, 100000)
            < failed fault
                note: window left: X fault
                end window 1 failed: x fault
            < applied
                pick 500 after the start
        "#]],
    );
}
