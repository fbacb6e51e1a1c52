//! Rows that move while pages are read. The full size: `cargo xtask figure A8`,
//! `cargo xtask figure erppages`.

use tests::sim::drift::{self, Sources};

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
