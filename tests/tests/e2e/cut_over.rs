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
        // One page is stored: the next life asks about it before it reads on.
        "stage_page",
        "identify",
        "call_ask",
        "resolve",
        "close_window",
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

/// A database is asked for our own notes: they say nothing of what another tool has inserted. What is written over by its
/// key needs no question.
#[test]
fn notes_of_our_own_say_nothing_of_others() {
    let world = World::small();
    world.feed();
    let file = world.path("shop.db");
    let shop = rusqlite::Connection::open(&file).expect("our own folder");
    shop.execute_batch(
        "CREATE TABLE customers (number TEXT PRIMARY KEY, name TEXT);
         CREATE TABLE engine_attempts (doc_table TEXT, doc_key TEXT, attempt TEXT, doc_id TEXT, at TEXT);
         INSERT INTO customers VALUES ('B000152', 'by another tool');",
    )
    .expect("an empty file");
    drop(shop);
    let connections = std::fs::read_to_string(world.path("connections.yaml")).expect("our own file");
    let shop = format!(
        "  shop:\n    connector: sqlite\n    params: {{file: {}, zone: Asia/Shanghai}}\n",
        file.display()
    );
    world.write("connections.yaml", &format!("{}\n{shop}", connections.trim_end()));
    let scheme = std::fs::read_to_string(world.path(MAIN)).expect("our own file");
    let (source, _) = scheme.split_once("target:").expect("it has one");
    let source = source.replace("scheme: huke-to-k3", "scheme: to-shop");
    for (api, code) in [("insert", 3), ("upsert", 0)] {
        let target = format!(
            "target:\n  connection: shop\n  api: {api}\n  options: {{table: customers}}\n  key: number\n  \
             request: {{number: <<buyerCid>>, name: <<buyerNick>>}}\nschedule: {{every: 6m}}\n"
        );
        world.write("schemes/to-shop.yaml", &format!("{source}{target}"));
        let ran = world.engine(&["adopt", "schemes/to-shop.yaml", "--dry-run", "--json"]);
        let document = ran.expect(code).json();
        match api {
            "insert" => assert!(ran.to_string().contains("E4050"), "{ran}"),
            _ => assert_eq!(count(&document, "written_over"), CUSTOMERS as u64, "{document:#}"),
        }
    }
}

fn dry(world: &World, more: &[&str]) -> Vec<Value> {
    let words: Vec<&str> = ["dry-run", MAIN, "--show", "diff", "--limit", "all", "--json"]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
    let document = world.engine(&words).json();
    world.valid("dry-run", &document);
    let calls = document["calls"].as_array().cloned().unwrap_or_default();
    let records = calls.iter().filter_map(|call| call["records"].as_array());
    records
        .flatten()
        .map(|record| record["present"].clone())
        .collect()
}

/// What the target has now, field by field; a field that it does not know is found out and named.
#[test]
fn a_document_is_compared_with_what_is_there() {
    let world = world();
    written_by_another(&world, THERE);
    let before = world.journal().len();
    let same = dry(&world, &[]);
    let there = |all: &[Value]| all.iter().filter(|one| one["found"] == "there").count();
    assert_eq!(there(&same), THERE, "{same:#?}");
    let absent = same.iter().filter(|one| one["found"] == "absent").count();
    assert_eq!(absent, CUSTOMERS - THERE, "{same:#?}");
    for one in same.iter().filter(|one| one["found"] == "there") {
        assert_eq!(one["changes"], serde_json::json!([]), "{one:#}");
        assert_eq!(one["not_compared"], serde_json::json!([]), "{one:#}");
    }
    world.edit(
        MAIN,
        "    FName: <<buyerNick>>",
        "    FName: new <<buyerNick>>\n    FNope: x\n    FShortName: {$value: secret-<<buyerNick>>, $sensitive: true}",
    );
    let changed = dry(&world, &[]);
    assert_eq!(there(&changed), THERE);
    for one in changed.iter().filter(|one| one["found"] == "there") {
        let changes = one["changes"].as_array().expect("a list");
        assert_eq!(changes.len(), 1, "{one:#}");
        assert_eq!(changes[0]["field"], "FName");
        assert!(changes[0]["after"].as_str().expect("a text").starts_with("new "));
        let left: Vec<(&str, &str)> = one["not_compared"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|left| {
                (
                    left["field"].as_str().unwrap_or(""),
                    left["why"].as_str().unwrap_or(""),
                )
            })
            .collect();
        assert_eq!(
            left,
            [("FShortName", "sensitive"), ("FNope", "not_told")],
            "{one:#}"
        );
    }
    let shown = world.engine(&["dry-run", MAIN, "--show", "diff"]);
    shown.expect(0).says("FName");
    assert!(!shown.to_string().contains("secret-"), "{shown}");
    assert_eq!(world.journal().len(), before);
}

fn diff(world: &World, more: &[&str]) -> Value {
    let words: Vec<&str> = ["diff", MAIN, "--json"]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
    let document = world.engine(&words).json();
    world.valid("diff", &document);
    document
}

#[test]
fn what_an_edit_changes_is_told() {
    let world = World::small();
    world.feed();
    world.run(&[], 0);
    let before = world.journal().len();
    let same = diff(&world, &["--detailed-exitcode"]);
    assert_eq!(same["exit_code"], 0, "{same:#}");
    assert_eq!(
        (&same["records"], &same["same"]),
        (&CUSTOMERS.into(), &CUSTOMERS.into()),
        "{same:#}"
    );

    world.edit(
        MAIN,
        "    FName: <<buyerNick>>",
        "    FName: new <<buyerNick>>\n    FRemark: <<$now|datetime>>",
    );
    let changed = diff(&world, &["--detailed-exitcode", "--examples", "2"]);
    assert_eq!(changed["exit_code"], 10, "{changed:#}");
    assert_eq!(changed["changed"], CUSTOMERS, "{changed:#}");
    // A field that is new is told, whatever the clock says in it.
    assert_eq!(
        changed["fields"][0],
        serde_json::json!({"field": "FName", "records": CUSTOMERS})
    );
    assert_eq!(changed["fields"][1]["field"], "FRemark");
    assert_eq!(changed["examples"].as_array().map(Vec::len), Some(2));
    let change = &changed["examples"][0]["changes"][0];
    assert_eq!(
        change["after"].as_str().expect("a text"),
        format!("new {}", change["before"].as_str().expect("a text"))
    );
    let cut = diff(&world, &["--limit", "7"]);
    assert_eq!(
        (&cut["records"], &cut["all"]),
        (&7.into(), &false.into()),
        "{cut:#}"
    );

    // What was given up is unknown, and so is what is sensitive.
    let ledger = rusqlite::Connection::open(world.data().join("ledger.db")).expect("it is there");
    ledger
        .execute("UPDATE attempt_row SET payload = NULL WHERE id <= 4", [])
        .expect("as the engine gives up what is old");
    drop(ledger);
    world.edit(
        MAIN,
        "    FName: new <<buyerNick>>\n    FRemark: <<$now|datetime>>",
        "    FName: {$value: secret-<<buyerNick>>, $sensitive: true}",
    );
    let hidden = diff(&world, &[]);
    assert_eq!(hidden["unknown"]["not_kept"], 4, "{hidden:#}");
    assert_eq!(hidden["same"], CUSTOMERS - 4, "{hidden:#}");
    assert_eq!(hidden["uncompared"], serde_json::json!(["FName"]));
    assert!(!hidden.to_string().contains("secret-"), "{hidden:#}");

    // A document that cannot be made any more.
    world.edit(
        MAIN,
        "{$value: secret-<<buyerNick>>, $sensitive: true}",
        "{$value: <<buyerNick>>, $type: int}",
    );
    let refused = diff(&world, &["--detailed-exitcode"]);
    assert_eq!(refused["exit_code"], 10, "{refused:#}");
    assert_eq!(refused["refused"][0]["records"], CUSTOMERS - 4, "{refused:#}");
    assert_eq!(world.journal().len(), before, "nothing is sent");
    world
        .engine(&["diff", tests::e2e::FEEDER])
        .expect(2)
        .warns("no target");
}

/// What another tool wrote was not sent by this engine: nobody knows its document here.
#[test]
fn what_was_taken_over_is_unknown_to_a_diff() {
    let world = world();
    written_by_another(&world, THERE);
    adopt(&world, &REAL).expect(0);
    world.run(&[], 0);
    let document = diff(&world, &[]);
    assert_eq!(document["unknown"]["never_written"], THERE, "{document:#}");
    assert_eq!(document["same"], CUSTOMERS - THERE, "{document:#}");
}
