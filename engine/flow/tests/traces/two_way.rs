//! The scheme that carries the same documents the other way reads before this one writes.

use expect_test::expect;
use flow::{JobPlan, Partner, Stages};

use crate::script::{check, plan};

fn paired() -> JobPlan {
    JobPlan {
        partner: Some(Partner::default()),
        ..plan()
    }
}

#[test]
fn the_partner_reads_before_the_first_write() {
    check(
        paired(),
        "start; begun; unknowns; opened; page 1; ...; staged new=1 open=1; picked 1; partner; picked 1; ready; claimed",
        expect![[r#"
            < staged new=1 open=1
                pick 500 after the start
            < picked 1
                PARTNER READS
            < partner
                pick 500 after the start
            < picked 1
                TRANSFORM 1
            < ready
                claim create 1, ask from 190000
            < claimed
                SEND attempt 1 create 1
        "#]],
    );
}

/// What waits is open as well, and no reason to call anybody.
#[test]
fn nobody_reads_where_everything_waits() {
    check(
        paired(),
        "start; begun open=3; unknowns; opened; page 0; ...; staged open=3; picked",
        expect![[r#"
            < staged open=3
                pick 500 after the start
            < picked
                pick unknown
        "#]],
    );
}

/// Writing takes long: what the partner has may have been edited since.
#[test]
fn the_partner_reads_again_before_it_knows_too_little() {
    check(
        paired(),
        "start; begun; unknowns; opened; page 1; staged new=1 open=1; picked 1; partner; picked 1; +60001; ...; ready; partner; claimed",
        expect![[r#"
            < ready
                PARTNER READS
            < partner
                claim create 1, ask from 250001
            < claimed
                SEND attempt 1 create 1
        "#]],
    );
    check(
        paired(),
        "start; begun; unknowns; opened; page 1; staged new=1 open=1; picked 1; partner; picked 1; +60001; ready; ...; partner fails; ended",
        expect![[r#"
            < partner fails
                note: stopping: X unreachable
                count states
                end run failed X
            < ended
                FINISH failed, 1 pages, 0 calls, source: X unreachable
        "#]],
    );
}

/// A source that may be asked every six minutes is not asked more often because much is written, or because many runs
/// write a little.
#[test]
fn the_partner_keeps_its_least_interval() {
    let mut plan = paired();
    plan.partner = Some(Partner {
        least: 360_000,
        read: None,
    });
    check(
        plan.clone(),
        "start; begun; unknowns; opened; page 1; staged new=1 open=1; picked 1; partner; picked 1; +359999; ...; ready; claimed",
        expect![[r#"
            < ready
                claim create 1, ask from 549999
            < claimed
                SEND attempt 1 create 1
        "#]],
    );
    plan.partner = Some(Partner {
        least: 360_000,
        read: Some(0),
    });
    check(
        plan,
        "start; begun; unknowns; opened; page 1; staged new=1 open=1; ...; picked 1; ready; claimed",
        expect![[r#"
            < picked 1
                TRANSFORM 1
            < ready
                claim create 1, ask from 190000
            < claimed
                SEND attempt 1 create 1
        "#]],
    );
}

/// Both have as much open as reading waits for: each would wait for the other to write first.
#[test]
fn reading_for_the_other_scheme_does_not_pause() {
    let mut fetch = plan();
    fetch.stages = Stages::Fetch;
    fetch.for_partner = true;
    check(
        fetch,
        "start; begun open=10000; opened; page 1 more; ...; staged new=1 open=10001; page 1; staged new=1 open=10002; ended",
        expect![[r#"
            < staged new=1 open=10001
                FETCH window 1 page 2 [0, 100000)
            < page 1
                stage window 1 page 2: 1 rows, last, close [0, 90000)
            < staged new=1 open=10002
                count states
                end run ok
            < ended
                FINISH ok, 2 pages, 0 calls
        "#]],
    );
}

/// Nothing new, nothing to be in conflict with: the partner's source is not called.
#[test]
fn nobody_reads_where_nothing_is_to_be_written() {
    check(
        paired(),
        "start; begun; unknowns; opened; ...; page 0; staged; picked; unknowns; ended",
        expect![[r#"
            < page 0
                stage window 1 page 1: 0 rows, last, close [0, 90000)
            < staged
                pick 500 after the start
            < picked
                pick unknown
            < unknowns
                count states
                end run ok
            < ended
                FINISH ok, 1 pages, 0 calls
        "#]],
    );
}

#[test]
fn nothing_is_written_where_the_partner_could_not_read() {
    check(
        paired(),
        "start; begun; unknowns; opened; page 1; staged new=1 open=1; ...; picked 1; partner fails; ended",
        expect![[r#"
            < picked 1
                PARTNER READS
            < partner fails
                note: stopping: X unreachable
                count states
                end run failed X
            < ended
                FINISH failed, 1 pages, 0 calls, source: X unreachable
        "#]],
    );
}
