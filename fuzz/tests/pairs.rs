//! A few thousand pairs of a scheme and a row, by both ways. A million of them: `fuzz pairs --inputs 1000000`.

use fuzz::pairs::{Counts, try_scheme};

#[test]
fn both_ways_give_the_same_bytes() {
    let (registry, mut counts) = (functions::registry(), Counts::default());
    for seed in 0..250 {
        if let Err(why) = try_scheme(seed, 24, &registry, &mut counts) {
            panic!("{why}");
        }
    }
    println!("{counts:?}");
    // Otherwise it compares nothing.
    assert!(counts.lowered * 10 > counts.schemes * 6, "{counts:?}");
    assert!(counts.built * 10 > counts.pairs * 3, "{counts:?}");
    assert!(counts.written * 10 > counts.built * 7, "{counts:?}");
}
