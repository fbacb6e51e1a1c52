//! What a step writes at another target: its trouble holds up nothing else.

use expect_test::expect;
use flow::JobPlan;

use crate::script::{check, with_steps};

/// Documents go to `t`, and a message about each to `wecom`.
fn tells() -> JobPlan {
    let mut plan = with_steps();
    let target = plan.target.as_mut().expect("the plan has a target");
    target.steps.truncate(1);
    target.steps[0].name = "tell".to_owned();
    target.steps[0].target = Some("wecom".to_owned());
    plan
}

/// Two records stand at the step, and their call is out; one is new.
const TOLD: &str =
    "start; begun; unknowns; opened; page 1; staged new=1; picked 1 2 at:tell; ready; claimed; ...";
/// The new one is written, and what else stands at the step is not sent.
const GOES_ON: &str = "applied; picked 3; ready; claimed; all ok; applied; picked 4 5 at:tell; ready; picked";

#[test]
fn a_stop_of_a_step_s_own_target_is_none_of_the_run() {
    check(
        tells(),
        &format!("{TOLD}; all config_error; {GOES_ON}; unknowns; ended"),
        expect![[r#"
            < all config_error
                settle 1 config_error: 1 again from 100000 2 again from 100000
            < applied
                pick 500 after 2
            < picked 3
                TRANSFORM 3
            < ready
                claim create 3, ask from 190000
            < claimed
                SEND attempt 2 create 3
            < all ok
                settle 2 ok: 3 done
            < applied
                pick 500 after 3
            < picked 4 5 at:tell
                TRANSFORM 4 5
            < ready
                pick 500 after 5
            < picked
                pick unknown
            < unknowns
                count states
                end run partial X
            < ended
                FINISH partial, 1 pages, 2 calls
        "#]],
    );
}

/// The session was renewed in between, and did not help.
#[test]
fn a_login_that_is_refused_at_a_step_s_own_target_stops_no_run() {
    check(
        tells(),
        &format!(
            "{TOLD}; all auth+replay; applied; picked 1 2 at:tell; ready; claimed; ...; all auth+replay; {GOES_ON}; picked; unknowns; ended"
        ),
        expect![[r#"
            < all auth+replay
                settle 2 auth: 1 again from 100000 2 again from 100000
            < applied
                pick 500 after 2
            < picked 3
                TRANSFORM 3
            < ready
                claim create 3, ask from 190000
            < claimed
                SEND attempt 3 create 3
            < all ok
                settle 3 ok: 3 done
            < applied
                pick 500 after 3
            < picked 4 5 at:tell
                TRANSFORM 4 5
            < ready
                pick 500 after 5
            < picked
                pick 500 after the start
            < picked
                pick unknown
            < unknowns
                count states
                end run partial X
            < ended
                FINISH partial, 1 pages, 3 calls
        "#]],
    );
}

/// A short pause is waited for, a long one is left to later runs; and so are short ones that never end.
#[test]
fn a_step_s_own_target_holds_a_run_up_for_a_minute_at_most() {
    check(
        tells(),
        &format!("{TOLD}; all throttled wait=3600000; {GOES_ON}; unknowns; ended"),
        expect![[r#"
            < all throttled wait=3600000
                settle 1 throttled: 1 again from 3700000 2 again from 3700000
                circuit 0 until 3700000
            < applied
                pick 500 after 2
            < picked 3
                TRANSFORM 3
            < ready
                claim create 3, ask from 190000
            < claimed
                SEND attempt 2 create 3
            < all ok
                settle 2 ok: 3 done
            < applied
                pick 500 after 3
            < picked 4 5 at:tell
                TRANSFORM 4 5
            < ready
                pick 500 after 5
            < picked
                pick unknown
            < unknowns
                count states
                end run partial
            < ended
                FINISH partial, 1 pages, 2 calls
        "#]],
    );
    check(
        tells(),
        &format!(
            "{TOLD}; all throttled wait=40000; applied; woke; picked 1 2 at:tell; ready; claimed; all throttled wait=40000; {GOES_ON}; picked; unknowns; ended"
        ),
        expect![[r#"
            < all throttled wait=40000
                settle 1 throttled: 1 again from 140000 2 again from 140000
            < applied
                SLEEP until 140000 (target)
            < woke
                pick 500 after 2
            < picked 1 2 at:tell
                TRANSFORM 1 2
            < ready
                claim tell 1 2, ask from 190000
            < claimed
                SEND attempt 2 create 1 2
            < all throttled wait=40000
                settle 2 throttled: 1 again from 180000 2 again from 180000
            < applied
                pick 500 after 2
            < picked 3
                TRANSFORM 3
            < ready
                claim create 3, ask from 230000
            < claimed
                SEND attempt 3 create 3
            < all ok
                settle 3 ok: 3 done
            < applied
                pick 500 after 3
            < picked 4 5 at:tell
                TRANSFORM 4 5
            < ready
                pick 500 after 5
            < picked
                pick 500 after the start
            < picked
                pick unknown
            < unknowns
                count states
                end run partial
            < ended
                FINISH partial, 1 pages, 3 calls
        "#]],
    );
}

/// A step that is made for each line is one step: its lines are claimed by themselves, and those of several records are
/// one call. A lost answer is one about lines.
#[test]
fn lines_of_several_records_share_a_call() {
    check(
        tells(),
        "start; begun; unknowns; opened; page 1; staged new=1; picked 1 2 at:tell/; ready; claimed; all ok; applied; picked; unknowns 1 at:tell/; found none; applied; unknowns; ended",
        expect![[r#"
            < start
                begin run
                read circuit
                read circuit
                pick tasks
                cover live
            < begun
                pick unknown
            < unknowns
                open window [0, 100000)
            < opened
                FETCH window 1 page 1 [0, 100000)
            < page 1
                stage window 1 page 1: 1 rows, last, close [0, 90000)
            < staged new=1
                pick 500 after the start
            < picked 1 2 at:tell/
                TRANSFORM 1 2
            < ready
                claim tell/["1"] 1 2, ask from 150000
            < claimed
                SEND attempt 1 create 1 2
            < all ok
                settle 1 ok: 1 done 2 done
            < applied
                pick 500 after 2
            < picked
                pick unknown
            < unknowns 1 at:tell/
                ASK resolve 1
            < found none
                resolve 1 missed, again at 120000 E4015
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
