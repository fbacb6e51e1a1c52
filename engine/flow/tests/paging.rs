//! What proves that no row of a window was passed over, and what happens when nothing does.

#[expect(dead_code, reason = "each of the tests of this crate uses a part of it")]
mod script;

use expect_test::expect;
use flow::window::Interval;
use flow::{JobPlan, Shifts, Stages, Sweep};
use script::{check, plan};

/// The plan over settled time, `[0, 80 s)`, of a source whose pages shift as said.
fn shifting(shifts: Shifts) -> JobPlan {
    let mut plan = plan();
    plan.source.paging.shifts = shifts;
    plan.source.manual = Interval::new(0, 80_000);
    plan.stages = Stages::Fetch;
    plan
}

/// Behind the last row of the page before, over time that has not settled: one window, no proof asked for.
#[test]
fn nothing_shifts_behind_a_key() {
    check(
        JobPlan {
            stages: Stages::Fetch,
            ..plan()
        },
        "start; begun; opened; ...; page 2 more mark=1; staged new=2; page 2 mark=2; staged new=2; ended",
        expect![[r#"
            < page 2 more mark=1
                stage window 1 page 1: 2 rows
            < staged new=2
                FETCH window 1 page 2 [0, 100000)
            < page 2 mark=2
                stage window 1 page 2: 2 rows, last, close [0, 90000)
            < staged new=2
                count states
                end run ok
            < ended
                FINISH ok, 2 pages, 0 calls
        "#]],
    );
}

/// A total that stays, and as many rows: proven without another look.
#[test]
fn a_total_proves_where_rows_only_leave() {
    check(
        shifting(Shifts::Leaving),
        "start; begun; opened; ...; page 2 more total=4; staged new=2; page 2 total=4; staged new=2",
        expect![[r#"
            < page 2 more total=4
                stage window 1 page 1: 2 rows
            < staged new=2
                FETCH window 1 page 2 [0, 80000)
            < page 2 total=4
                stage window 1 page 2: 2 rows, last, close [0, 80000)
            < staged new=2
                count states
                end run ok
        "#]],
    );
}

/// The total stands on the first page only: a row that slipped over the bound of two pages is missed all the same.
#[test]
fn a_total_on_the_first_page_counts_the_last_one() {
    check(
        shifting(Shifts::Leaving),
        "start; begun; opened; ...; page 2 more total=4; staged new=2; page 1; ok",
        expect![[r#"
            < page 2 more total=4
                stage window 1 page 1: 2 rows
            < staged new=2
                FETCH window 1 page 2 [0, 80000)
            < page 1
                note: read again: E3052 3 / 4
                end window 1 unstable: e3052 3 / 4
            < ok
                open window [0, 80000)
        "#]],
    );
}

#[test]
fn fewer_rows_than_the_total_is_read_three_times_and_then_left() {
    check(
        shifting(Shifts::Leaving),
        "start; begun; opened; ...
         page 2 total=3; ok; opened; page 2 total=3; ok; opened; page 2 total=3; staged new=2; ok; ended",
        expect![[r#"
            < page 2 total=3
                note: read again: E3052 2 / 3
                end window 1 unstable: e3052 2 / 3
            < ok
                open window [0, 80000)
            < opened
                FETCH window 2 page 1 [0, 80000)
            < page 2 total=3
                note: read again: E3052 2 / 3
                end window 2 unstable: e3052 2 / 3
            < ok
                open window [0, 80000)
            < opened
                FETCH window 3 page 1 [0, 80000)
            < page 2 total=3
                stage window 3 page 1: 2 rows
            < staged new=2
                note: window left: E3052 2 / 3
                end window 3 unstable: e3052 2 / 3
            < ok
                count states
                end run partial
            < ended
                FINISH partial, 1 pages, 0 calls, 1 windows left
        "#]],
    );
}

#[test]
fn more_rows_than_the_total_is_no_proof_either() {
    check(
        shifting(Shifts::Leaving),
        "start; begun; opened; ...; page 3 total=2; ok; opened; page 3 total=3; staged",
        expect![[r#"
            < page 3 total=2
                note: read again: E3052 3 / 2
                end window 1 unstable: e3052 3 / 2
            < ok
                open window [0, 80000)
            < opened
                FETCH window 2 page 1 [0, 80000)
            < page 3 total=3
                stage window 2 page 1: 3 rows, last, close [0, 80000)
            < staged
                count states
                end run ok
        "#]],
    );
}

#[test]
fn a_total_that_changes_between_pages_is_read_again() {
    check(
        shifting(Shifts::Leaving),
        "start; begun; opened; page 10 more total=20; staged new=10; ...
         page 9 total=19; ok; opened; page 10 more total=19; staged; page 9 total=19; staged new=1",
        expect![[r#"
            < page 9 total=19
                note: read again: E3052 20 -> 19
                end window 1 unstable: e3052 20 -> 19
            < ok
                open window [0, 80000)
            < opened
                FETCH window 2 page 1 [0, 80000)
            < page 10 more total=19
                stage window 2 page 1: 10 rows
            < staged
                FETCH window 2 page 2 [0, 80000)
            < page 9 total=19
                stage window 2 page 2: 9 rows, last, close [0, 80000)
            < staged new=1
                count states
                end run ok
        "#]],
    );
}

/// A row on two pages: something moved, and the total says nothing about it. Every page is looked at again.
#[test]
fn a_row_that_comes_twice_makes_the_total_worthless() {
    check(
        shifting(Shifts::Leaving),
        "start; begun; opened; page 2 more total=5 rows=1 print=1; staged new=2; ...; page 3 total=5 rows=1 print=2
         page 2 more print=1; page 3 print=2; staged new=1",
        expect![[r#"
            < page 3 total=5 rows=1 print=2
                FETCH window 1 page 1 [0, 80000) again
            < page 2 more print=1
                FETCH window 1 page 2 [0, 80000) again
            < page 3 print=2
                stage window 1 page 2: 3 rows, last, close [0, 80000)
            < staged new=1
                count states
                end run ok
        "#]],
    );
}

/// Rows that move within the window: the total cannot tell.
#[test]
fn where_rows_move_a_total_is_not_enough() {
    check(
        shifting(Shifts::Moving),
        "start; begun; opened; page 2 more total=4 print=1; staged new=2; ...; page 2 total=4 print=2; page 2 more print=1; page 2 print=2; staged new=2",
        expect![[r#"
            < page 2 total=4 print=2
                FETCH window 1 page 1 [0, 80000) again
            < page 2 more print=1
                FETCH window 1 page 2 [0, 80000) again
            < page 2 print=2
                stage window 1 page 2: 2 rows, last, close [0, 80000)
            < staged new=2
                count states
                end run ok
        "#]],
    );
}

/// Without a total every page is looked at again before the last one is stored; the last one closes.
#[test]
fn without_a_total_every_page_is_looked_at_again() {
    check(
        shifting(Shifts::Leaving),
        "start; begun; opened; page 2 more print=1; staged new=2; page 2 more print=2; staged new=2; ...
         page 1 print=3; page 2 more print=1; failed fault; woke; page 2 more print=2; page 1 print=3; staged new=1",
        expect![[r#"
            < page 1 print=3
                FETCH window 1 page 1 [0, 80000) again
            < page 2 more print=1
                FETCH window 1 page 2 [0, 80000) again
            < failed fault
                note: read again: X fault
                SLEEP until 101000 (source)
            < woke
                FETCH window 1 page 2 [0, 80000) again
            < page 2 more print=2
                FETCH window 1 page 3 [0, 80000) again
            < page 1 print=3
                stage window 1 page 3: 1 rows, last, close [0, 80000)
            < staged new=1
                count states
                end run ok
        "#]],
    );
    check(
        shifting(Shifts::Leaving),
        "start; begun; opened; ...; page 2; staged new=2",
        expect![[r#"
            < page 2
                stage window 1 page 1: 2 rows, last, close [0, 80000)
            < staged new=2
                count states
                end run ok
        "#]],
    );
}

/// A page that changed: read again twice, then in halves; a half of one page is still.
#[test]
fn pages_that_never_stand_still_are_read_in_halves() {
    check(
        shifting(Shifts::Leaving),
        "start; begun; opened; page 2 more print=1; staged new=2; ...
         page 1 print=2; page 2 more print=9; ok
         opened; page 2 more print=1; staged; page 1 print=2; page 2 print=1; ok
         opened; page 2 more print=1; staged; page 1 print=2; page 2 more print=9; ok
         opened; page 2; staged; opened; page 1; staged; ended",
        expect![[r#"
            < page 1 print=2
                FETCH window 1 page 1 [0, 80000) again
            < page 2 more print=9
                note: read again: E3068 1
                end window 1 unstable: e3068 1
            < ok
                open window [0, 80000)
            < opened
                FETCH window 2 page 1 [0, 80000)
            < page 2 more print=1
                stage window 2 page 1: 2 rows
            < staged
                FETCH window 2 page 2 [0, 80000)
            < page 1 print=2
                FETCH window 2 page 1 [0, 80000) again
            < page 2 print=1
                note: read again: E3068 1
                end window 2 unstable: e3068 1
            < ok
                open window [0, 80000)
            < opened
                FETCH window 3 page 1 [0, 80000)
            < page 2 more print=1
                stage window 3 page 1: 2 rows
            < staged
                FETCH window 3 page 2 [0, 80000)
            < page 1 print=2
                FETCH window 3 page 1 [0, 80000) again
            < page 2 more print=9
                end window 3 unstable: e3068 1
            < ok
                open window [0, 40000)
            < opened
                FETCH window 4 page 1 [0, 40000)
            < page 2
                stage window 4 page 1: 2 rows, last, close [0, 40000)
            < staged
                open window [40000, 80000)
            < opened
                FETCH window 5 page 1 [40000, 80000)
            < page 1
                stage window 5 page 1: 1 rows, last, close [40000, 80000)
            < staged
                count states
                end run ok
            < ended
                FINISH ok, 5 pages, 0 calls
        "#]],
    );
}

/// However restless the source, what was read is handed over; the interval stays open.
#[test]
fn what_cannot_be_halved_is_stored_and_left() {
    let mut plan = shifting(Shifts::Leaving);
    plan.source.manual = Interval::new(0, 1_000);
    let round = "opened; page 2 more print=1; staged; page 1 print=2; page 2 more print=9; ok;";
    check(
        plan,
        &format!(
            "start; begun; {round} {round} opened; page 2 more print=1; staged; page 1 print=2; ...; page 2 more print=9; staged new=1; ok; ended"
        ),
        expect![[r#"
            < page 2 more print=9
                stage window 3 page 2: 1 rows
            < staged new=1
                note: window left: E3068 1
                end window 3 unstable: e3068 1
            < ok
                count states
                end run partial
            < ended
                FINISH partial, 4 pages, 0 calls, 1 windows left
        "#]],
    );
}

/// A window of several pages that reaches into unsettled time is cut there; the young part proves and closes nothing.
#[test]
fn unsettled_time_is_read_apart() {
    let mut plan = shifting(Shifts::Leaving);
    plan.source.manual = None;
    assert_eq!(flow::codes::PARTED, "E3058");
    check(
        plan,
        "start; begun; opened; ...
         page 2 more; ok; opened; page 2 more total=3; staged new=2; page 1 total=3; staged new=1
         opened; page 2 more total=3; staged; page 2 total=4; staged; ended",
        expect![[r#"
            < page 2 more
                end window 1 left: e3058
            < ok
                open window [0, 90000)
            < opened
                FETCH window 2 page 1 [0, 90000)
            < page 2 more total=3
                stage window 2 page 1: 2 rows
            < staged new=2
                FETCH window 2 page 2 [0, 90000)
            < page 1 total=3
                stage window 2 page 2: 1 rows, last, close [0, 90000)
            < staged new=1
                open window [90000, 100000)
            < opened
                FETCH window 3 page 1 [90000, 100000)
            < page 2 more total=3
                stage window 3 page 1: 2 rows
            < staged
                FETCH window 3 page 2 [90000, 100000)
            < page 2 total=4
                stage window 3 page 2: 2 rows, last
            < staged
                count states
                end run ok
            < ended
                FINISH ok, 4 pages, 0 calls
        "#]],
    );
}

/// One query gives at most 10 rows.
#[test]
fn more_than_one_query_gives_is_read_in_halves() {
    let capped = || {
        let mut plan = shifting(Shifts::Leaving);
        plan.source.paging.max_rows = Some(10);
        plan
    };
    check(
        capped(),
        "start; begun; opened; ...; page 5 more total=11; ok; opened; page 5 more total=10; staged; page 5 total=10; staged; opened",
        expect![[r#"
            < page 5 more total=11
                end window 1 left: e3058 10
            < ok
                open window [0, 40000)
            < opened
                FETCH window 2 page 1 [0, 40000)
            < page 5 more total=10
                stage window 2 page 1: 5 rows
            < staged
                FETCH window 2 page 2 [0, 40000)
            < page 5 total=10
                stage window 2 page 2: 5 rows, last, close [0, 40000)
            < staged
                open window [40000, 80000)
            < opened
                FETCH window 3 page 1 [40000, 80000)
        "#]],
    );
    // As many as that, and no total: nobody can tell whether that was all.
    check(
        capped(),
        "start; begun; opened; page 5 more; staged; ...; page 5; ok; opened; page 9; staged; opened",
        expect![[r#"
            < page 5
                end window 1 left: e3058 10
            < ok
                open window [0, 40000)
            < opened
                FETCH window 2 page 1 [0, 40000)
            < page 9
                stage window 2 page 1: 9 rows, last, close [0, 40000)
            < staged
                open window [40000, 80000)
            < opened
                FETCH window 3 page 1 [40000, 80000)
        "#]],
    );
    let mut plan = capped();
    plan.source.manual = Interval::new(0, 1_999);
    check(
        plan,
        "start; begun; opened; ...; page 5 more total=11; ok",
        expect![[r#"
            < page 5 more total=11
                note: window left: E3059 10
                end window 1 failed: e3059 10
            < ok
                count states
                end run partial
        "#]],
    );
}

/// A source that goes round in circles ends the window: the same page, the same mark, or only rows that were there.
#[test]
fn a_source_that_makes_no_progress() {
    for script in [
        "page 2 more rows=1 print=1; staged new=2; page 2 more rows=1 print=1",
        "page 2 more rows=1 print=1; staged new=2; page 2 more rows=1 print=2; staged; page 1 more rows=1 print=3",
        "page 2 more mark=7; staged new=2; page 2 more mark=7",
    ] {
        check(
            shifting(Shifts::Leaving),
            &format!("start; begun; opened; {script}; ...; ok"),
            expect![[r#"
                < ok
                    count states
                    end run partial
            "#]],
        );
    }
    check(
        shifting(Shifts::Leaving),
        "start; begun; opened; page 2 more mark=7; staged new=2; ...; page 2 more mark=7",
        expect![[r#"
            < page 2 more mark=7
                note: window left: E3065 2
                end window 1 failed: e3065 2
        "#]],
    );
    // One page of old rows is no circle yet, and where there is a total reading ends by itself.
    check(
        shifting(Shifts::Leaving),
        "start; begun; opened; page 2 more rows=1 print=1; staged new=2; page 2 more rows=1 print=2; staged; ...
         page 2 more rows=3 print=3; staged",
        expect![[r#"
            < page 2 more rows=3 print=3
                stage window 1 page 3: 2 rows
            < staged
                FETCH window 1 page 4 [0, 80000)
        "#]],
    );
    check(
        shifting(Shifts::Leaving),
        "start; begun; opened; page 1 more rows=1 print=1 total=9; staged new=2; page 1 more rows=1 print=2 total=9; staged; ...
         page 1 more rows=1 print=3 total=9; staged",
        expect![[r#"
            < page 1 more rows=1 print=3 total=9
                stage window 1 page 3: 1 rows
            < staged
                FETCH window 1 page 4 [0, 80000)
        "#]],
    );
}

/// Suspicious windows come after the live ones and close nothing; a sweep comes last, with its own cursor.
#[test]
fn live_windows_first_then_suspicious_ones_then_the_sweep() {
    let mut swept = JobPlan {
        stages: Stages::Fetch,
        ..plan()
    };
    swept.source.sweep = Some(Sweep {
        range: Interval::new(20_000, 40_000).unwrap(),
        unless: 30_000,
        due: None,
    });
    check(
        swept.clone(),
        "start; begun closed=0..50000 kept=10000..20000 done=0..15000; opened; page 0; staged suspicious=44; opened; page 1; staged; opened; page 1; staged; ended",
        expect![[r#"
            < start
                begin run
                cover live
                cover sweep
            < begun closed=0..50000 kept=10000..20000 done=0..15000
                open window [50000, 100000)
            < opened
                FETCH window 1 page 1 [50000, 100000)
            < page 0
                stage window 1 page 1: 0 rows, last, close [50000, 90000)
            < staged suspicious=44
                note: empty [50000, 100000), usually 44
                open window [10000, 20000)
            < opened
                FETCH window 2 page 1 [10000, 20000)
            < page 1
                stage window 2 page 1: 1 rows, last
            < staged
                note: sweeping [20000, 40000)
                open window [15000, 40000) sweep
            < opened
                FETCH window 3 page 1 [15000, 40000) sweep
            < page 1
                stage window 3 page 1: 1 rows, last, close [15000, 40000)
            < staged
                count states
                end run ok
            < ended
                FINISH ok, 3 pages, 0 calls
        "#]],
    );
    // By a cron text, but it did not come since the scheme was enabled.
    let mut early = swept.clone();
    early.source.sweep = early.source.sweep.map(|sweep| Sweep {
        due: Some(i64::MIN),
        ..sweep
    });
    check(
        early.clone(),
        "start; ...; begun closed=0..50000; opened; page 0; staged; ended",
        expect![[r#"
            < begun closed=0..50000
                open window [50000, 100000)
            < opened
                FETCH window 1 page 1 [50000, 100000)
            < page 0
                stage window 1 page 1: 0 rows, last, close [50000, 90000)
            < staged
                count states
                end run ok
            < ended
                FINISH ok, 1 pages, 0 calls
        "#]],
    );
    // Once it has been done, the instant counts alone.
    check(
        early,
        "start; ...; begun closed=0..50000 done=0..15000; opened; page 0; staged; opened; page 1; staged; ended",
        expect![[r#"
            < begun closed=0..50000 done=0..15000
                open window [50000, 100000)
            < opened
                FETCH window 1 page 1 [50000, 100000)
            < page 0
                stage window 1 page 1: 0 rows, last, close [50000, 90000)
            < staged
                note: sweeping [20000, 40000)
                open window [15000, 40000) sweep
            < opened
                FETCH window 2 page 1 [15000, 40000) sweep
            < page 1
                stage window 2 page 1: 1 rows, last, close [15000, 40000)
            < staged
                count states
                end run ok
            < ended
                FINISH ok, 2 pages, 0 calls
        "#]],
    );
    // Swept lately.
    check(
        swept,
        "start; ...; begun closed=0..50000 done=0..30000; opened; page 0; staged; ended",
        expect![[r#"
            < begun closed=0..50000 done=0..30000
                open window [50000, 100000)
            < opened
                FETCH window 1 page 1 [50000, 100000)
            < page 0
                stage window 1 page 1: 0 rows, last, close [50000, 90000)
            < staged
                count states
                end run ok
            < ended
                FINISH ok, 1 pages, 0 calls
        "#]],
    );
}

/// A replay reads its stretch in steps, goes on where it stopped, and closes nothing that has not settled.
#[test]
fn a_replay_has_its_own_cursor() {
    let mut replay = JobPlan {
        stages: Stages::Fetch,
        ..plan()
    };
    replay.source.replay = Interval::new(10_000, 200_000);
    replay.source.window.as_mut().unwrap().max = 40_000;
    check(
        replay,
        "start; begun closed=0..50000 done=10000..20000; opened; page 1; staged; opened; page 1; staged; ended",
        expect![[r#"
            < start
                begin run
                cover live
                cover replay-10000-200000
            < begun closed=0..50000 done=10000..20000
                open window [20000, 60000) replay-10000-200000
            < opened
                FETCH window 1 page 1 [20000, 60000) replay-10000-200000
            < page 1
                stage window 1 page 1: 1 rows, last, close [20000, 60000)
            < staged
                open window [60000, 90000) replay-10000-200000
            < opened
                FETCH window 2 page 1 [60000, 90000) replay-10000-200000
            < page 1
                stage window 2 page 1: 1 rows, last, close [60000, 90000)
            < staged
                count states
                end run ok
            < ended
                FINISH ok, 2 pages, 0 calls
        "#]],
    );
}

/// What the source no longer keeps is told once, noted in the ledger and never closed; reading goes on behind it.
#[test]
fn time_that_the_source_forgot_is_told() {
    let mut short = JobPlan {
        stages: Stages::Fetch,
        ..plan()
    };
    short.source.keeps = Some(40_000);
    assert_eq!(flow::codes::FORGOTTEN, "E3067");
    check(
        short.clone(),
        "start; begun closed=0..20000; ...; opened; ok; opened; page 1; staged; ended",
        expect![[r#"
            < opened
                end window 1 failed: e3067
            < ok
                open window [60000, 100000)
            < opened
                FETCH window 2 page 1 [60000, 100000)
            < page 1
                stage window 2 page 1: 1 rows, last, close [60000, 90000)
            < staged
                count states
                end run partial
            < ended
                FINISH partial, 1 pages, 0 calls, 1 windows left
        "#]],
    );
    check(
        short,
        "start; begun closed=0..20000 closed=60000..80000; opened; page 1; staged; ended",
        expect![[r#"
            < start
                begin run
                cover live
            < begun closed=0..20000 closed=60000..80000
                open window [80000, 100000)
            < opened
                FETCH window 1 page 1 [80000, 100000)
            < page 1
                stage window 1 page 1: 1 rows, last, close [80000, 90000)
            < staged
                count states
                end run ok
            < ended
                FINISH ok, 1 pages, 0 calls
        "#]],
    );
}

/// After windows that shifted the next one reaches further back.
#[test]
fn unstable_windows_double_the_overlap() {
    let mut plan = shifting(Shifts::Leaving);
    plan.source.manual = None;
    plan.source.window.as_mut().unwrap().overlap = 100_000;
    check(
        plan.clone(),
        "start; ...; begun closed=0..500000 unstable=0",
        expect![[r#"
            < begun closed=0..500000 unstable=0
                count states
                end run ok
        "#]],
    );
    plan.instant = 2_000_000;
    check(
        plan,
        "start; begun closed=0..1900000 unstable=2; ...; opened",
        expect![[r#"
            < opened
                FETCH window 1 page 1 [1500000, 2000000)
        "#]],
    );
}

/// Clocks two minutes apart are a warning, a quarter of an hour stops the reading; the median of the answers counts.
#[test]
fn clocks_that_differ() {
    let page = |clock: &str, total: u32| format!("page 1 more total=5 print={total} clock={clock}; staged;");
    check(
        shifting(Shifts::Leaving),
        &format!(
            "start; begun; opened; ...; {} {}",
            page("230000", 1),
            page("230000", 2)
        ),
        expect![[r#"
            < page 1 more total=5 print=1 clock=230000
                note: clocks differ by 130000
                stage window 1 page 1: 1 rows
            < staged
                FETCH window 1 page 2 [0, 80000)
            < page 1 more total=5 print=2 clock=230000
                stage window 1 page 2: 1 rows
            < staged
                FETCH window 1 page 3 [0, 80000)
        "#]],
    );
    check(
        shifting(Shifts::Leaving),
        "start; begun; opened; ...; page 1 clock=1100001; ok; ended",
        expect![[r#"
            < page 1 clock=1100001
                note: window left: E3066 1000
                end window 1 failed: e3066 1000
            < ok
                note: stopping: E3066 1000
                count states
                end run failed E3066
            < ended
                FINISH failed, 0 pages, 0 calls, 1 windows left, source: E3066 1000
        "#]],
    );
    assert_eq!((flow::skew::WARN, flow::skew::STOP), (120_000, 900_000));
    assert!(flow::codes::ALL.contains(&flow::codes::SKEWED));
    check(
        shifting(Shifts::Leaving),
        &format!(
            "start; begun; opened; {} ...; {}",
            page("100000", 1),
            page("9000000", 2)
        ),
        expect![[r#"
            < page 1 more total=5 print=2 clock=9000000
                stage window 1 page 2: 1 rows
            < staged
                FETCH window 1 page 3 [0, 80000)
        "#]],
    );
}
