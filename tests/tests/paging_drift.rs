//! Rows that move while pages are read. The full size: `cargo xtask figure A8`,
//! `cargo xtask figure erppages`, `cargo xtask figure polled`.

use tests::sim::drift::{self, Sources};
use tests::sim::polled;

#[test]
fn nothing_is_lost_while_rows_move_between_pages() {
    for sources in [Sources::All, Sources::Erps] {
        played(sources);
    }
}

fn played(sources: Sources) {
    let tally = drift::play_all(0..200, sources).unwrap_or_else(|what| panic!("{sources:?}: {what}"));
    // Histories in which nothing moves prove nothing: a reader that trusts page numbers loses rows in them.
    assert!(tally.changes > 1_000, "{tally:?}");
    assert!(tally.lost_by_trust > 50, "{tally:?}");
    assert!(tally.at_once > 50, "{tally:?}");
}

#[test]
fn who_polls_us_loses_nothing_while_rows_come_and_change() {
    let tally = polled::play_all(0..60).unwrap_or_else(|what| panic!("{what}"));
    assert!(tally.between > 200, "{tally:?}");
    assert!(tally.lost_by_time > 50, "{tally:?}");
}
