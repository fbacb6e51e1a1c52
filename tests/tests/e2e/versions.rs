//! Orders of Jushuitan read by row version: pages, kills, a mark that outlives the run.

use serde_json::{Value, json};
use tests::e2e::{MAIN, World, repository};

const SCHEME: &str = "schemes/orders-by-version.yaml";

/// A scheme that stores orders, and a connector that takes every change for settled at once: a mark moves to the last
/// version, and not to what two minutes ago was the last.
fn world() -> World {
    let world = World::small();
    world.write(
        SCHEME,
        "scheme: orders-by-version
source:
  connection: jst
  api: order_list_by_version
  window: none
  page_size: 10
  key: o_id
  label: so_id
target: none
schedule: {every: 6m}
",
    );
    let own = repository().join("connectors/jushuitan/connector.yaml");
    let own = std::fs::read_to_string(own).expect("it is there");
    let page = "max: 50, more: short}";
    assert!(own.contains(page));
    world.write(
        "connectors/jushuitan/connector.yaml",
        &own.replace(page, "max: 50, more: short, settle: 0s}"),
    );
    world
}

fn fetched(run: &Value) -> u64 {
    run["counts"]["fetched"].as_u64().expect("a count")
}

fn done(run: &Value) -> u64 {
    run["states"]["done"].as_u64().expect("a count")
}

#[test]
fn what_was_read_is_not_read_again() {
    let world = world();
    let first = world.pass(SCHEME, 0);
    let all = done(&first);
    assert!(all > 30, "{first}");
    // The last version of a page comes again with the next one.
    assert!(fetched(&first) > all, "{first}");
    let calls = world.calls("jst");
    let second = world.pass(SCHEME, 0);
    // The last version, and one below it where a row has that: it is asked for with one less.
    assert!(fetched(&second) <= 2 && done(&second) == all, "{second}");
    assert!(world.calls("jst") <= calls + 2, "one page, and perhaps a token");
    let changed = world.control("change", &json!({"customers": 3}));
    let changed = changed["changed"].as_array().expect("a list").len() as u64;
    let third = world.pass(SCHEME, 0);
    assert!(fetched(&third) > changed, "{third}");
    assert!(done(&third) >= all, "{third}");
    // From an earlier version on, by hand: all of them.
    let again = world
        .engine(&["run", SCHEME, "--from", "0", "--json"])
        .expect(0)
        .json();
    let again = &again["runs"][0];
    assert!(fetched(again) >= done(again), "{again}");
    // A renamed buyer stands in old orders too, whose versions stay: only reading them again brings that.
    assert_eq!(done(again), done(&third), "no record is new: {again}");
    let after = world.pass(SCHEME, 0);
    assert!(fetched(&after) <= 2, "the mark is where it was: {after}");
    world.verify();
}

/// The process dies before and after pages and marks are durable; nothing is lost, and what is durable is not begun anew.
#[test]
fn a_reading_that_dies_goes_on_where_its_pages_end() {
    let world = world();
    for point in [
        "read_versions:after:1:abort",
        "call_page:after:1:abort",
        "note_versions:before:1:abort",
        "note_versions:after:2:abort",
        "stage_page:before:2:abort",
        "note_versions:after:1:abort",
        "call_page:before:3:abort",
    ] {
        let ran = world
            .command(&["run", SCHEME])
            .env("ENGINE_FAILPOINT", point)
            .finish();
        assert_ne!(ran.code, Some(0), "{point}");
    }
    let calls = world.calls("jst");
    let run = world.pass(SCHEME, 0);
    let pages = world.calls("jst") - calls;
    let fresh = world
        .engine(&["run", SCHEME, "--from", "0", "--json"])
        .expect(0)
        .json();
    let fresh = &fresh["runs"][0];
    assert_eq!(done(fresh), done(&run), "nothing was missing: {run} {fresh}");
    assert!(fetched(&run) < fetched(fresh), "in {pages} calls: {run}");
    world.verify();
}

#[test]
fn a_rehearsal_shows_the_version() {
    let world = world();
    world
        .engine(&["dry-run", SCHEME, "--limit", "3", "--lang", "en"])
        .expect(0)
        .warns("since version 0");
    assert_eq!(done(&world.pass(SCHEME, 0)), done(&world.pass(SCHEME, 0)));
    // What makes no sense with it.
    for (words, says) in [
        (
            ["run", MAIN, "--from", "7"].as_slice(),
            "--from is for sources that are read by row version",
        ),
        (&["run", SCHEME, "--window", "1..2"], "has no window"),
        (
            &[
                "replay",
                SCHEME,
                "--from",
                "2026-01-01",
                "--to",
                "2026-01-02",
                "--reason",
                "r",
                "--yes",
            ],
            "--from VERSION",
        ),
    ] {
        let words: Vec<&str> = words.iter().copied().chain(["--lang", "en"]).collect();
        world.engine(&words).expect(2).warns(says);
    }
}
