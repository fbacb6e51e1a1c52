//! A scheme takes over from another tool whose documents are at the target, with the real binary.
//!
//! The other tool is this engine with another ledger, which is thrown away: what it wrote is all that is left of it.
//! The scheme does not ask before it creates, so that nothing but the adoption keeps a document from being made twice.

use serde_json::Value;
use tests::e2e::{CUSTOMERS, MAIN, Ran, World, judge, numbers};

/// So many customers the other tool has written.
const THERE: usize = 26;

fn world() -> World {
    let world = World::small();
    world.batch(5);
    world.edit(MAIN, "  find: before_create", "  #");
    world
}

/// The other tool writes some of the documents and is gone.
fn written_by_another(world: &World, there: usize) {
    world.feed();
    world.engine(&["run", MAIN, "--limit", &there.to_string()]);
    assert_eq!(
        numbers(&world.journal()).len(),
        there,
        "what the other tool wrote"
    );
    std::fs::remove_dir_all(world.path(".engine")).expect("it was made");
    world.feed();
}

fn adopt(world: &World, more: &[&str]) -> Ran {
    let words: Vec<&str> = ["adopt", MAIN, "--json"]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
    world.engine(&words)
}

#[track_caller]
fn count(document: &Value, outcome: &str) -> u64 {
    let outcomes = document["outcomes"].as_array().expect("a list");
    let found = outcomes.iter().find(|found| found["outcome"] == outcome);
    found.map_or(0, |found| found["count"].as_u64().expect("a number"))
}

fn records(world: &World) -> usize {
    let listed = world.engine(&["rows", "list", "--scheme", "huke-to-k3", "--limit", "0", "--json"]);
    listed.json()["rows"].as_array().map_or(0, Vec::len)
}

const REAL: [&str; 3] = ["--reason", "moved", "--yes"];

#[test]
fn what_another_tool_wrote_is_not_written_again() {
    let world = world();
    written_by_another(&world, THERE);
    let before = world.journal().len();

    let dry = adopt(&world, &["--dry-run", "--examples", "3"]);
    let document = dry.expect(0).json();
    world.valid("adopt", &document);
    let missing = CUSTOMERS - THERE;
    assert_eq!(count(&document, "found"), THERE as u64, "{document:#}");
    assert_eq!(count(&document, "not_there"), missing as u64, "{document:#}");
    assert_eq!(document["mapping"]["before"], 0);
    assert_eq!(document["mapping"]["after"], THERE);
    let shown = document["outcomes"][0]["records"].as_array().expect("a list");
    assert_eq!(shown.len(), 3);
    assert!(shown[0]["target_id"].is_string(), "{document:#}");
    assert_eq!(records(&world), 0, "a report keeps nothing");
    world
        .engine(&["adopt", MAIN, "--dry-run"])
        .expect(0)
        .says("26  are at the target")
        .says("4  are not at the target");

    world
        .engine(&["adopt", MAIN, "--yes"])
        .expect(2)
        .warns("--reason");
    let real = adopt(&world, &REAL).expect(0).json();
    world.valid("adopt", &real);
    assert_eq!(count(&real, "found"), THERE as u64, "{real:#}");
    assert_eq!(count(&real, "not_there"), missing as u64, "{real:#}");
    assert_eq!(real["mapping"]["after"], THERE);
    assert_eq!(world.journal().len(), before, "nothing is written by an adoption");

    let run = world.run(&["--settle-wait", "30s"], 0);
    assert_eq!(run["states"]["done"], CUSTOMERS, "{run:#}");
    let journal = world.journal();
    assert_eq!(
        journal.len(),
        before + missing,
        "what was missing, and nothing else"
    );
    assert_eq!(judge(&journal), Vec::<String>::new());
    // Once more it finds nothing to do, and forgets nothing.
    let again = adopt(&world, &REAL).expect(0).json();
    assert_eq!(count(&again, "found"), THERE as u64, "{again:#}");
    assert_eq!(count(&again, "known"), missing as u64, "{again:#}");
    assert_eq!(again["mapping"]["after"], CUSTOMERS);
    assert_eq!(world.journal().len(), journal.len());
    world.verify();
}

/// Killed before and after each thing it does, one life after the other, and begun anew each time.
#[test]
fn an_adoption_goes_on_where_it_was_killed() {
    let world = world();
    written_by_another(&world, THERE);
    let before = world.journal().len();
    let words: Vec<&str> = ["adopt", MAIN].into_iter().chain(REAL).collect();
    for point in [
        "suspect",
        "stage_page",
        "close_window",
        "identify",
        "call_ask",
        "resolve",
        "end_run",
    ] {
        for side in ["before", "after"] {
            let failpoint = format!("{point}:{side}:1:abort");
            let killed = world.command(&words).env("ENGINE_FAILPOINT", &failpoint).finish();
            assert_eq!(killed.code, None, "{failpoint}: {killed}");
            assert_eq!(world.journal().len(), before, "{failpoint}");
        }
    }
    let real = adopt(&world, &REAL).expect(0).json();
    assert_eq!(real["mapping"]["after"], THERE, "{real:#}");
    assert_eq!(world.journal().len(), before);
    world.run(&["--settle-wait", "30s"], 0);
    let journal = world.journal();
    assert_eq!(journal.len(), before + CUSTOMERS - THERE);
    assert_eq!(judge(&journal), Vec::<String>::new());
    world.verify();
}

/// Two documents with one key, and a target that is not to be asked: a person decides, nothing is written.
#[test]
fn what_cannot_be_told_is_left_to_a_person() {
    let world = World::of(|config| config.unique_numbers = false);
    world.batch(5);
    world.edit(MAIN, "  find: before_create", "  #");
    for _ in 0..2 {
        world.feed();
        world.run(&[], 0);
        std::fs::remove_dir_all(world.path(".engine")).expect("it was made");
    }
    world.feed();
    let before = world.journal().len();
    let document = adopt(&world, &["--dry-run"]).expect(1).json();
    assert_eq!(count(&document, "several"), CUSTOMERS as u64, "{document:#}");
    assert_eq!(document["outcomes"][0]["records"][0]["reason"]["code"], "E4011");
    world.edit(MAIN, "  batch: 5", "  batch: 5\n  on_unknown: hold");
    let document = adopt(&world, &["--dry-run"]).expect(1).json();
    assert_eq!(count(&document, "cannot_ask"), CUSTOMERS as u64, "{document:#}");
    assert_eq!(world.journal().len(), before);
}

/// A row of which no document can be made has no key to ask by; that is told with its reason.
#[test]
fn what_has_no_document_is_told() {
    let world = world();
    written_by_another(&world, THERE);
    world.edit(
        MAIN,
        "    FName: <<buyerNick>>",
        "    FName: {$value: <<buyerNick>>, $type: int}",
    );
    let document = adopt(&world, &["--dry-run"]).expect(1).json();
    assert_eq!(count(&document, "not_made"), CUSTOMERS as u64, "{document:#}");
    assert!(
        document["outcomes"][0]["records"][0]["reason"]["code"].is_string(),
        "{document:#}"
    );
}

#[test]
fn a_scheme_without_a_target_has_nothing_to_take_over() {
    let world = World::small();
    world
        .engine(&["adopt", tests::e2e::FEEDER, "--dry-run"])
        .expect(2)
        .warns("no target");
}
