//! Many simulated worlds. More of them: `cargo xtask sim --seeds N`.

use tests::sim::{run_seed, run_seeds, run_steps};

/// Worlds of each test here: quick enough for every change, and four tests use more than one core.
const SEEDS: u64 = 75;

/// The part in which a record is given up after it waited for its parent for a day.
const GIVEN_UP: u64 = 2;

fn check(part: u64) {
    let report = match run_seeds(part * SEEDS..(part + 1) * SEEDS) {
        Ok(report) => report,
        Err(violation) => panic!("{violation}"),
    };
    // A simulation in which nothing happens proves nothing.
    assert!(report.crashes > SEEDS, "{report:?}");
    assert!(report.faults > 3 * SEEDS, "{report:?}");
    assert!(report.in_doubt > 2 * SEEDS, "{report:?}");
    assert!(report.waited > SEEDS / 2, "{report:?}");
    assert!(report.decisions > SEEDS, "{report:?}");
    assert!(report.rivals > SEEDS / 4, "{report:?}");
    assert!(report.losses > 0, "{report:?}");
    assert!(report.tasks > SEEDS && report.resumed > SEEDS / 15, "{report:?}");
    // A wait of a whole day is rare: one part has one.
    assert!(report.given_up > 0 || part != GIVEN_UP, "{report:?}");
}

#[test]
fn no_seed_breaks_an_invariant_1() {
    check(0);
}

#[test]
fn no_seed_breaks_an_invariant_2() {
    check(1);
}

#[test]
fn no_seed_breaks_an_invariant_3() {
    check(2);
}

#[test]
fn no_seed_breaks_an_invariant_4() {
    check(3);
}

/// Where a scheme changes no document, a changed row is a new chance for a refused step, and what the document says is what
/// is called done.
#[test]
fn a_refused_step_goes_on_and_no_update_is_lost() {
    match run_steps(0..SEEDS) {
        Ok(report) => assert!(report.went_on > SEEDS, "{report:?}"),
        Err(violation) => panic!("{violation}"),
    }
}

#[test]
fn a_seed_gives_the_same_run_again() {
    for seed in 0..10 {
        assert_eq!(run_seed(seed).ok(), run_seed(seed).ok(), "seed {seed}");
    }
}
