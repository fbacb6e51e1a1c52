//! Windows tile the time line: whatever the instants of the runs, nothing lies in a gap and nothing young is closed.

use flow::ids::Ms;
use flow::window::{
    CatchUp, First, Interval, MAX_SLICES, Proposal, Slices, StartsTooLate, WindowRule, manual, merge, slices,
    watermark,
};
use proptest::prelude::*;

const MINUTE: Ms = 60_000;
const HOUR: Ms = 60 * MINUTE;
/// Some moment of enabling; nothing depends on it.
const T: Ms = 1_700_000_000_000;

fn rule() -> WindowRule {
    WindowRule {
        first: None,
        overlap: 2 * MINUTE,
        settle: MINUTE,
        max: 24 * HOUR,
        catch_up: CatchUp::Extend,
    }
}

fn between(from: Ms, to: Ms) -> Interval {
    Interval::new(from, to).expect("not empty")
}

fn start_at(start: Ms) -> Proposal {
    Proposal {
        start: Some(start),
        end: None,
    }
}

/// Carries a plan out as a run that reads everything would.
fn close_all(plan: &Slices, closed: &mut Vec<Interval>) {
    closed.extend(plan.slices.iter().filter_map(|slice| slice.closes));
    *closed = merge(std::mem::take(closed));
}

/// What holds for every plan: consecutive requests touch, a slice closes only what it asked for, never younger than
/// the source's clock less `settle`, and what is closed has no hole inside.
fn check_plan(plan: &Slices, rule: &WindowRule, now: Ms) {
    assert!(plan.slices.len() <= MAX_SLICES);
    let mut reading_again = plan.slices.first().is_some_and(|slice| slice.closes.is_none());
    for pair in plan.slices.windows(2) {
        assert_eq!(pair[0].asked.to, pair[1].asked.from, "requests touch");
        match (pair[0].closes, pair[1].closes) {
            (Some(earlier), Some(later)) => assert_eq!(earlier.to, later.from, "closed stretches touch"),
            // Only time that is read again closes nothing, and it comes first.
            (None, Some(later)) => assert!(later.from >= pair[1].asked.from && reading_again),
            (_, None) => {}
        }
        reading_again &= pair[1].closes.is_none();
    }
    for slice in &plan.slices {
        assert!(
            slice.asked.to - slice.asked.from <= rule.max,
            "no question is longer than the source answers"
        );
        if let Some(closes) = slice.closes {
            assert!(closes.to <= now - rule.settle, "closed up to the settled clock");
            assert!(slice.asked.from <= closes.from && closes.to <= slice.asked.to);
        }
    }
}

/// What is only read again is not asked for where the source keeps nothing any more; what is unread is, as far as it is
/// kept.
#[test]
fn time_the_source_has_given_up_is_not_read_again() {
    let rule = WindowRule {
        overlap: 3 * HOUR,
        max: HOUR,
        ..rule()
    };
    let closed = [between(T - 100 * HOUR, T - 5 * HOUR)];
    let plan = slices(&rule, Proposal::default(), &closed, T, T).expect("extend never refuses");
    assert_eq!(
        plan.slices.first().map(|slice| slice.asked.from),
        Some(T - 8 * HOUR)
    );
    let plan = plan.asking_from(T - 6 * HOUR - MINUTE);
    let first = plan.slices.first().expect("unread time");
    assert_eq!((first.asked.from, first.closes), (T - 6 * HOUR - MINUTE, None));
    let closing = plan.slices.iter().filter_map(|slice| slice.closes).next();
    assert_eq!(closing.map(|closes| closes.from), Some(T - 5 * HOUR));
}

proptest! {
    #[test]
    fn consecutive_runs_tile_the_time_line(
        gaps in prop::collection::vec(1..40 * HOUR, 1..12),
        failed in prop::collection::vec(any::<bool>(), 12),
        overlap in 0..HOUR,
        settle in 0..HOUR,
        max in MINUTE..30 * HOUR,
        look_back in prop::option::of(HOUR..30 * HOUR),
        first in prop::option::of(0..100 * HOUR),
    ) {
        let rule = WindowRule {
            first: first.map(First::Before),
            overlap,
            settle,
            max,
            catch_up: CatchUp::Extend,
        };
        let mut closed: Vec<Interval> = Vec::new();
        let (mut now, mut begin) = (T, None);
        for (gap, failed) in gaps.into_iter().zip(failed) {
            let proposal = Proposal { start: look_back.map(|ago| now - ago), end: None };
            let plan = slices(&rule, proposal, &closed, T, now).expect("extend never refuses");
            check_plan(&plan, &rule, now);
            if let Some(mark) = watermark(&closed) && let Some(first) = plan.slices.first() {
                prop_assert!(first.asked.from <= mark - overlap, "reaches back before the watermark");
            }
            if let Some(slice) = plan.slices.last() {
                prop_assert!(slice.asked.to == now || plan.slices.len() == MAX_SLICES);
            }
            if !failed {
                close_all(&plan, &mut closed);
                begin = begin.or(closed.first().map(|first| first.from));
            }
            prop_assert!(closed.len() <= 1, "no gap: {closed:?}");
            if let (Some(begin), Some(first)) = (begin, closed.first()) {
                prop_assert!(first.from <= begin, "closed time is not forgotten");
            }
            now += gap;
        }
        // Good runs later (540 hours in slices of a minute, 400 a run) everything up to the settled clock is closed.
        for _ in 0..100 {
            let plan = slices(&rule, Proposal::default(), &closed, T, now).expect("extend never refuses");
            close_all(&plan, &mut closed);
        }
        let behind = watermark(&closed).filter(|mark| *mark != now - settle);
        prop_assert_eq!(behind, None, "{:?}", closed);
    }

    #[test]
    fn merged_intervals_cover_the_same_instants(
        raw in prop::collection::vec((0..200_i64, 1..30_i64), 0..20),
        probe in 0..240_i64,
    ) {
        let intervals: Vec<Interval> = raw.iter().map(|(from, len)| between(*from, from + len)).collect();
        let merged = merge(intervals.clone());
        let covers = |list: &[Interval]| list.iter().any(|i| i.from <= probe && probe < i.to);
        prop_assert_eq!(covers(&intervals), covers(&merged));
        prop_assert!(merged.windows(2).all(|pair| pair[0].to < pair[1].from), "sorted, apart");
    }
}

/// The seed scheme looks back 20 hours; after 30 hours of outage the 10 between would be missing.
#[test]
fn an_outage_longer_than_the_authors_look_back_leaves_no_gap() {
    let mut closed = vec![between(T - HOUR, T)];
    let now = T + 30 * HOUR;
    let plan = slices(&rule(), start_at(now - 20 * HOUR), &closed, T, now).unwrap();
    assert_eq!(plan.extended, Some(10 * HOUR));
    assert_eq!(plan.slices.first().unwrap().asked.from, T - 2 * MINUTE);
    check_plan(&plan, &rule(), now);
    close_all(&plan, &mut closed);
    assert_eq!(closed, [between(T - HOUR, now - MINUTE)]);
}

#[test]
fn catch_up_decides_what_a_late_start_means() {
    let closed = [between(T - HOUR, T)];
    let (now, start) = (T + 30 * HOUR, T + 10 * HOUR);
    let plan = |catch_up| {
        slices(
            &WindowRule { catch_up, ..rule() },
            start_at(start),
            &closed,
            T,
            now,
        )
    };

    let extended = plan(CatchUp::Extend).unwrap();
    assert_eq!(extended.extended, Some(10 * HOUR));
    assert_eq!(extended.slices[0].closes.unwrap().from, T);

    let late = StartsTooLate { start, watermark: T };
    assert_eq!(plan(CatchUp::Error), Err(late));

    // The author is believed: the gap stays, and stays visible.
    let ignored = plan(CatchUp::Ignore).unwrap();
    let mut after = closed.to_vec();
    close_all(&ignored, &mut after);
    assert_eq!(after, [closed[0], between(start, now - MINUTE)]);
    assert_eq!(watermark(&after), Some(T));
}

#[test]
fn a_start_before_the_watermark_is_the_authors_right() {
    let closed = [between(T - 40 * HOUR, T)];
    let now = T + HOUR;
    for catch_up in [CatchUp::Extend, CatchUp::Error, CatchUp::Ignore] {
        let rule = WindowRule { catch_up, ..rule() };
        let plan = slices(&rule, start_at(now - 20 * HOUR), &closed, T, now).unwrap();
        assert_eq!(plan.extended, None);
        assert_eq!(plan.slices[0].asked.from, now - 20 * HOUR);
    }
}

#[test]
fn the_first_window_starts_where_the_scheme_says() {
    let now = T + HOUR;
    let first = |first, proposal| {
        let plan = slices(&WindowRule { first, ..rule() }, proposal, &[], T, now).unwrap();
        (
            plan.slices[0].asked.from,
            plan.slices[0].closes.map(|closes| closes.from),
        )
    };
    let (two, five) = (T - 2 * HOUR, T - 5 * HOUR);
    let none = Proposal::default();
    assert_eq!(first(None, none), (T - 2 * MINUTE, Some(T)), "from enabling on");
    assert_eq!(
        first(Some(First::At(five)), none),
        (five - 2 * MINUTE, Some(five))
    );
    assert_eq!(
        first(Some(First::Before(2 * HOUR)), none),
        (two - 2 * MINUTE, Some(two))
    );
    assert_eq!(first(None, start_at(two)), (two, Some(two)));
    assert_eq!(
        first(Some(First::At(five)), start_at(two)),
        (five, Some(five)),
        "the earlier one"
    );
}

#[test]
fn nothing_young_is_closed_even_when_the_author_ends_in_the_future() {
    let now = T + HOUR;
    let proposal = Proposal {
        start: None,
        end: Some(now + 5 * HOUR),
    };
    let plan = slices(&rule(), proposal, &[between(T - HOUR, T)], T, now).unwrap();
    assert_eq!(plan.slices.len(), 1);
    assert_eq!(plan.slices[0].closes, Interval::new(T, now - MINUTE));
    let young = slices(&rule(), Proposal::default(), &[], T, T).unwrap();
    assert_eq!(young.slices[0].closes, None, "all of it is younger than settle");
}

#[test]
fn a_clock_set_back_reads_nothing_and_closes_nothing() {
    let closed = [between(T - HOUR, T)];
    for back in [MINUTE, HOUR, 48 * HOUR] {
        let plan = slices(&rule(), Proposal::default(), &closed, T, T - back).unwrap();
        assert!(plan.slices.iter().all(|slice| slice.closes.is_none()));
    }
}

#[test]
fn a_very_long_outage_is_caught_up_in_several_runs() {
    let now = T + 1_000 * 24 * HOUR;
    let mut closed = vec![between(T - HOUR, T)];
    let mut runs = 0;
    while watermark(&closed) != Some(now - MINUTE) {
        let plan = slices(&rule(), Proposal::default(), &closed, T, now).unwrap();
        check_plan(&plan, &rule(), now);
        close_all(&plan, &mut closed);
        runs += 1;
        assert!(runs <= 3, "{closed:?}");
    }
    assert_eq!(runs, 3, "1000 days in slices of one day, 400 a run");
}

/// An author's fixed start, more than `MAX_SLICES` slices ago: a run that began there again would never get further.
#[test]
fn a_fixed_start_far_back_does_not_stand_still() {
    let now = T + 1_000 * 24 * HOUR;
    let mut closed = Vec::new();
    for _ in 0..3 {
        let plan = slices(&rule(), start_at(T), &closed, T, now).unwrap();
        check_plan(&plan, &rule(), now);
        close_all(&plan, &mut closed);
    }
    assert_eq!(closed, [between(T, now - MINUTE)]);
}

#[test]
fn bounds_by_hand_are_one_slice_that_closes_no_more_than_it_may() {
    let now = T + HOUR;
    let asked = between(T - 90 * HOUR, now);
    let plan = manual(asked, &rule(), now);
    assert_eq!(plan.slices.len(), 1);
    assert_eq!(plan.slices[0].asked, asked);
    assert_eq!(plan.slices[0].closes, Interval::new(asked.from, now - MINUTE));
    let young = between(now - 10, now);
    assert_eq!(manual(young, &rule(), now).slices[0].closes, None);
}

/// A run over bounds given by hand closes a stretch; what the scheme has to read before it is still to be read.
#[test]
fn bounds_by_hand_do_not_move_the_beginning() {
    let now = T + 5 * HOUR;
    let by_hand = [between(T + 2 * HOUR, T + 3 * HOUR)];
    for (first, begin) in [(None, T), (Some(First::Before(30 * HOUR)), T - 30 * HOUR)] {
        for proposal in [Proposal::default(), start_at(now - HOUR)] {
            let rule = WindowRule { first, ..rule() };
            let plan = slices(&rule, proposal, &by_hand, T, now).unwrap();
            check_plan(&plan, &rule, now);
            let mut closed = by_hand.to_vec();
            close_all(&plan, &mut closed);
            assert_eq!(closed, [between(begin, now - MINUTE)]);
        }
    }
}

/// The first run failed, and the next came later than the author looks back.
#[test]
fn what_came_since_enabling_is_read_though_the_author_starts_later() {
    let now = T + 30 * HOUR;
    let plan = slices(&rule(), start_at(now - 20 * HOUR), &[], T, now).unwrap();
    assert_eq!(plan.slices[0].closes.unwrap().from, T);
}

/// `--now` ahead of the clock: what has not happened yet would otherwise be closed, and never read.
#[test]
fn an_instant_ahead_of_the_clock_closes_nothing_that_is_to_come() {
    let (clock, instant) = (T + HOUR, T + 1_000 * HOUR);
    let plan = slices(&rule(), Proposal::default(), &[between(T - HOUR, T)], T, instant).unwrap();
    let mut closed = vec![between(T - HOUR, T)];
    close_all(&plan.closing_until(clock - MINUTE), &mut closed);
    assert_eq!(closed, [between(T - HOUR, clock - MINUTE)]);
}
