//! The scheme that carries the same documents the other way reads before this one writes.

use expect_test::expect;
use flow::JobPlan;

use crate::script::{check, plan};

fn paired() -> JobPlan {
    JobPlan {
        partner: true,
        ..plan()
    }
}

#[test]
fn the_partner_reads_before_the_first_write() {
    check(
        paired(),
        "start; begun; unknowns; opened; page 1; ...; staged new=1 open=1; partner; picked",
        expect![[r#"
            < staged new=1 open=1
                PARTNER READS
            < partner
                pick 500 after the start
            < picked
                pick unknown
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
        "start; begun; unknowns; opened; page 1; ...; staged new=1 open=1; partner fails; ended",
        expect![[r#"
            < staged new=1 open=1
                PARTNER READS
            < partner fails
                note: stopping: X unreachable
                count states
                end run failed
            < ended
                FINISH failed, 1 pages, 0 calls, source: X unreachable
        "#]],
    );
}
