//! Rows of which several become one document are gathered when reading is over, and frozen before anything is sent.

use expect_test::expect;
use flow::{JobPlan, Stages};

use crate::script::{check, with};

fn gathers() -> JobPlan {
    with(|target| target.gathers = true)
}

/// Up to the answer of the last page: three rows wait.
const READ: &str = "start; begun; unknowns; opened; page 3; ...; staged new=3 open=3";

#[test]
fn rows_are_gathered_then_documents_are_written() {
    check(
        gathers(),
        &format!("{READ}; loose 1 2 3; grouped 1+2 3; frozen parts=2; picked 8 9; ready; claimed"),
        expect![[r#"
            < staged new=3 open=3
                pick loose 20000
            < loose 1 2 3
                GROUP 1 2 3
            < grouped 1+2 3
                freeze G-1 2 G-2 1
            < frozen parts=2
                pick 500 after the start
            < picked 8 9
                TRANSFORM 8 9
            < ready
                claim create 8 9, ask from 190000
            < claimed
                SEND attempt 1 create 8 9
        "#]],
    );
}

/// What would be in another document when the pages that failed are there is not sent without them.
#[test]
fn nothing_is_gathered_where_reading_failed() {
    check(
        gathers(),
        "start; begun; unknowns; opened; page 3 more; staged new=3 open=3; ...; failed config; ok; picked",
        expect![[r#"
            < failed config
                note: window left: X config
                end window 1 failed: x config
            < ok
                note: stopping: X config
                pick 500 after the start
            < picked
                pick unknown
        "#]],
    );
}

#[test]
fn a_run_that_only_writes_gathers_what_is_there() {
    let plan = JobPlan {
        stages: Stages::Save,
        ..gathers()
    };
    check(
        plan,
        "start; ...; begun open=2; unknowns; loose 1 2; grouped 1+2; frozen parts=1; picked 8",
        expect![[r#"
            < begun open=2
                pick unknown
            < unknowns
                pick loose 20000
            < loose 1 2
                GROUP 1 2
            < grouped 1+2
                freeze G-1 2
            < frozen parts=1
                pick 500 after the start
            < picked 8
                TRANSFORM 8
        "#]],
    );
}

/// A person changed a row meanwhile: the rest is gathered once more, and not for ever.
#[test]
fn what_changed_meanwhile_is_gathered_again() {
    check(
        gathers(),
        &format!(
            "{READ}; loose 1 2 3; grouped 1+2 3; frozen parts=1; loose 1; grouped 1; frozen parts=0; loose 1; grouped 1; \
             frozen parts=0; picked 9"
        ),
        expect![[r#"
            < staged new=3 open=3
                pick loose 20000
            < loose 1 2 3
                GROUP 1 2 3
            < grouped 1+2 3
                freeze G-1 2 G-2 1
            < frozen parts=1
                pick loose 20000
            < loose 1
                GROUP 1
            < grouped 1
                freeze G-1 1
            < frozen parts=0
                pick loose 20000
            < loose 1
                GROUP 1
            < grouped 1
                freeze G-1 1
            < frozen parts=0
                pick 500 after the start
            < picked 9
                TRANSFORM 9
        "#]],
    );
}

/// One row that is in no document is told beside the documents, and stops the scheme where it says so.
#[test]
fn a_row_that_fails_is_told_with_the_documents() {
    check(
        gathers(),
        &format!("{READ}; loose 1 2 3; grouped 1+2 -3; frozen dead=1 parts=1; picked 8"),
        expect![[r#"
            < staged new=3 open=3
                pick loose 20000
            < loose 1 2 3
                GROUP 1 2 3
            < grouped 1+2 -3
                refuse 3 dead (X bad)
                freeze G-1 2
            < frozen dead=1 parts=1
                pick 500 after the start
            < picked 8
                TRANSFORM 8
        "#]],
    );
    check(
        with(|target| {
            target.gathers = true;
            target.stop_at_first_dead = true;
        }),
        &format!("{READ}; loose 1 2 3; grouped 1+2 -3; applied; ended"),
        expect![[r#"
            < staged new=3 open=3
                pick loose 20000
            < loose 1 2 3
                GROUP 1 2 3
            < grouped 1+2 -3
                refuse 3 dead (X bad)
            < applied
                note: stopping: X bad
                count states
                end run partial X
            < ended
                FINISH partial, 1 pages, 0 calls, first dead: X bad
        "#]],
    );
}

#[test]
fn a_wish_to_stop_is_heard_before_the_documents_are_sent() {
    check(
        gathers(),
        &format!("{READ}; loose 1 2 3; cancel; grouped 1+2 3; frozen parts=2; ended"),
        expect![[r#"
            < staged new=3 open=3
                pick loose 20000
            < loose 1 2 3
                GROUP 1 2 3
            < grouped 1+2 3
                freeze G-1 2 G-2 1
            < frozen parts=2
                count states
                end run canceled E3056
            < ended
                FINISH canceled, 1 pages, 0 calls, canceled
        "#]],
    );
}
