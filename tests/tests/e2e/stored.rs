//! The stored rows of a scheme as the source of others: one fetch, several takers, each row once in each of them, in
//! whatever instant the engine dies and however old the ledger is that is put back.

use std::collections::BTreeMap;

use sandbox::JournalEntry;
use serde_json::{Value, json};
use tests::e2e::{Shop, World};

const FETCHED: &str = "schemes/fetched.yaml";
const FIRST: &str = "schemes/first.yaml";
const SECOND: &str = "schemes/second.yaml";

/// It only fetches.
const FETCHED_TEXT: &str = r#"scheme: fetched
source:
  connection: huke
  api: search_customers
  window: none
  request: {list: people}
  key: no
  label: no
  void: {field: off, eq: "1"}
target: none
schedule: {every: 30m}
tests:
  - {name: a row, row: {no: P1, name: a, off: "0"}, expect: {no: P1, name: a, off: "0"}}
"#;

/// A contact of each row.
const TAKER: &str = r#"scheme: NAME
source: {scheme: fetched, key: no, label: name}
target:
  connection: k3
  api: {create: batchSave, update: batchSave, void: delete}
  options: {FormId: BD_CommonContact}
  request: {FNumber: NAME-<<no>>, FName: <<name>>}
schedule: {after: fetched}
tests:
  - {name: a row, row: {no: P1, name: a, off: "0"}, expect: {FNumber: NAME-P1, FName: a}}
"#;

fn world() -> (World, Shop) {
    let world = World::small();
    world.write(FETCHED, FETCHED_TEXT);
    for name in ["first", "second"] {
        world.write(&format!("schemes/{name}.yaml"), &TAKER.replace("NAME", name));
    }
    world.impatient();
    let shop = world.shop();
    (world, shop)
}

fn person(no: usize, name: &str) -> Value {
    json!({"no": format!("P{no:03}"), "name": name, "off": "0"})
}

fn people(many: usize) -> Vec<Value> {
    (0..many).map(|no| person(no, &format!("n{no}"))).collect()
}

fn of<'j>(journal: &'j [JournalEntry], taker: &str, action: &str) -> Vec<&'j JournalEntry> {
    journal
        .iter()
        .filter(|entry| entry.action == action && entry.number.starts_with(&format!("{taker}-")))
        .collect()
}

/// Each of these was made once by a taker, and is what the row says now.
#[track_caller]
fn made_once(world: &World, taker: &str, rows: &[Value], what: &str) {
    let journal = world.journal();
    let made = of(&journal, taker, "create");
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &made {
        *times.entry(&entry.number).or_default() += 1;
    }
    assert!(times.values().all(|times| *times == 1), "{what}: {times:?}");
    assert_eq!(made.len(), rows.len(), "{what}: {times:?}");
    let updated = of(&journal, taker, "update");
    for row in rows {
        let number = format!("{taker}-{}", row["no"].as_str().expect("a text"));
        let all = made.iter().chain(&updated);
        let last = all
            .filter(|entry| entry.number == number)
            .max_by_key(|entry| entry.seq);
        let last = last.unwrap_or_else(|| panic!("{what}: {number} is missing"));
        assert!(
            last.content.contains(&row["name"].to_string()),
            "{what}: {}",
            last.content
        );
    }
}

fn rows_behind(world: &World, scheme: &str) -> Value {
    let status = world.engine(&["status", "--scheme", scheme, "--json"]);
    let document = status.expect(0).json();
    world.valid("status", &document);
    document["schemes"][0]["rows_behind"].clone()
}

#[test]
fn one_fetch_feeds_several_schemes() {
    let (world, shop) = world();
    let mut rows = people(5);
    shop.put("people", rows.clone());
    world.engine(&["check", "schemes"]).expect(0);
    world.engine(&["test", FIRST]).expect(0);
    world.pass(FETCHED, 0);
    // Rehearsed: what would be taken, and nothing is.
    let dry = world.engine(&["dry-run", FIRST, "--json"]).expect(0).json();
    world.valid("dry-run", &dry);
    assert!(dry.to_string().contains("first-P004"), "{dry:#}");
    assert!(world.journal().is_empty());
    let run = world.pass(FIRST, 0);
    assert_eq!(run["counts"]["done"], 5, "{run:#}");
    made_once(&world, "first", &rows, "first");

    // A row changes, another is new: each taker takes what it has not.
    rows[1] = person(1, "changed");
    rows.push(person(7, "new"));
    shop.put("people", rows.clone());
    world.pass(FETCHED, 0);
    assert_eq!(rows_behind(&world, "first"), 2);
    world
        .engine(&["status"])
        .expect(0)
        .says("first has not taken 2 stored rows");
    let run = world.pass(FIRST, 0);
    assert_eq!(run["counts"]["fetched"], 2, "{run:#}");
    let run = world.pass(SECOND, 0);
    assert_eq!(run["counts"]["fetched"], 6, "{run:#}");
    for taker in ["first", "second"] {
        made_once(&world, taker, &rows, taker);
        assert_eq!(rows_behind(&world, taker), 0);
    }
    assert_eq!(of(&world.journal(), "first", "update").len(), 1);

    // Nothing changed: nothing is taken. It is known which row became what.
    world.pass(FETCHED, 0);
    let run = world.pass(FIRST, 0);
    assert_eq!(run["counts"]["fetched"], 0, "{run:#}");
    let words = ["rows", "show", "P001", "--scheme", "first"];
    world
        .engine(&words)
        .expect(0)
        .says("made of the row P001 of the scheme fetched");
    let shown = world.engine(&[&words[..], &["--json"]].concat()).expect(0).json();
    world.valid("rows-show", &shown);
    assert_eq!(
        shown["rows"][0]["from"],
        json!({"scheme": "fetched", "key": ["P001"]})
    );

    // What is cancelled there is cancelled here, and what comes back there comes here.
    for (off, deleted) in [("1", 1), ("0", 1)] {
        rows[2] = json!({"no": "P002", "name": "n2", "off": off});
        shop.put("people", rows.clone());
        world.pass(FETCHED, 0);
        let run = world.engine(&["run", FIRST, "--json"]).json()["runs"][0].clone();
        assert_eq!(run["counts"]["fetched"], 1, "{run:#}");
        assert_eq!(of(&world.journal(), "first", "delete").len(), deleted, "{off}");
    }
    world.verify();
}

/// A scheme that takes, and stores only; another one takes from that.
#[test]
fn a_taker_may_store_only() {
    let (world, shop) = world();
    world.write(
        SECOND,
        "scheme: second\nsource: {scheme: fetched, key: no, keep: {field: no, neq: P000}, derive: {big: <<name|upper>>}}\ntarget: none\nschedule: {after: fetched}\ntests:\n  - {name: a row, row: {no: P1, name: a, off: \"0\"}, expect: {no: P1, name: a, off: \"0\", big: A}}\n",
    );
    world.edit(FIRST, "scheme: fetched,", "scheme: second,");
    world.edit(FIRST, "FName: <<name>>", "FName: <<big>>");
    world.edit(
        FIRST,
        "off: \"0\"}, expect: {FNumber: first-P1, FName: a}",
        "big: A, off: \"0\"}, expect: {FNumber: first-P1, FName: A}",
    );
    shop.put("people", people(3));
    world.engine(&["check", "schemes"]).expect(0);
    for scheme in [FETCHED, SECOND, FIRST] {
        world.engine(&["test", scheme]).expect(0);
        world.pass(scheme, 0);
    }
    let rows: Vec<Value> = (1..3).map(|no| person(no, &format!("N{no}"))).collect();
    made_once(&world, "first", &rows, "from a taker");
    world.verify();
}

/// The process dies in the taker, around every transaction that moves rows, on the first page and on a later one; rows
/// come before the next run. In the end each row is in the target once.
#[test]
fn each_row_is_taken_once_wherever_the_engine_dies() {
    let points = [
        ("store_push", 1),
        ("move_place", 1),
        ("move_place", 2),
        ("read_inbox", 1),
        ("stage_page", 1),
        ("take_pushes", 1),
        ("close_window", 1),
        ("claim", 1),
        ("call_create", 1),
        ("settle", 1),
    ];
    for (point, nth) in points {
        for side in ["before", "after"] {
            let point = format!("{point}:{side}:{nth}:abort");
            let (world, shop) = world();
            // Two pages of them.
            let mut rows = people(230);
            shop.put("people", rows.clone());
            world.pass(FETCHED, 0);
            let ran = world
                .command(&["run", FIRST])
                .env("ENGINE_FAILPOINT", &point)
                .finish();
            assert_ne!(ran.code, Some(0), "{point} is reached");
            rows[0] = person(0, "changed");
            rows.push(person(900, "late"));
            shop.put("people", rows.clone());
            world.pass(FETCHED, 0);
            world.until_done(FIRST, rows.len());
            made_once(&world, "first", &rows, &point);
            let run = world.pass(FIRST, 0);
            assert_eq!(run["counts"]["fetched"], 0, "{point}: {run:#}");
            world.verify();
        }
    }
}

/// A copy of the ledger is put back: what was taken and made since is asked for, and not made again; nothing is lost.
#[test]
fn an_old_ledger_loses_and_doubles_nothing() {
    for fetch_first in [true, false] {
        let (world, shop) = world();
        let mut rows = people(4);
        shop.put("people", rows.clone());
        world.pass(FETCHED, 0);
        world.pass(FIRST, 0);
        rows.push(person(4, "not taken yet"));
        shop.put("people", rows.clone());
        world.pass(FETCHED, 0);
        world.engine(&["backup", "--to", "copy.db"]).expect(0);
        rows[1] = person(1, "changed since");
        rows.push(person(5, "since"));
        shop.put("people", rows.clone());
        world.pass(FETCHED, 0);
        world.pass(FIRST, 0);
        made_once(&world, "first", &rows, "before");
        world
            .engine(&["restore", "copy.db", "--reason", "a trial", "--yes"])
            .expect(0);
        if fetch_first {
            world.pass(FETCHED, 0);
        } else {
            world.until_done(FIRST, 5);
            made_once(&world, "first", &rows, "as the copy knows them");
            world.pass(FETCHED, 0);
        }
        world.until_done(FIRST, rows.len());
        made_once(&world, "first", &rows, "after");
        // The other taker had none of them, and asks, too.
        world.until_done(SECOND, rows.len());
        made_once(&world, "second", &rows, "the other one");
        world.verify();
    }
}

/// A service runs the taker behind the other scheme, also where it runs when something comes.
#[test]
fn a_service_runs_the_scheme_that_takes() {
    for schedule in ["{after: fetched}", "on_push", "{every: 30m}"] {
        let (world, shop) = world();
        world.edit(FIRST, "{after: fetched}", schedule);
        let rows = people(3);
        shop.put("people", rows.clone());
        if schedule.contains("every") {
            // What is there already is taken by its own schedule.
            world.pass(FETCHED, 0);
        }
        let mut service = world.serve(&[]);
        service.wait_until(&format!("{schedule}: all are there"), |_| {
            of(&world.journal(), "first", "create").len() == rows.len()
        });
        service.signal("TERM");
        service.end();
        made_once(&world, "first", &rows, schedule);
    }
}

/// What people do not see in the rows of a scheme they do not see in those of a scheme that takes them.
#[test]
fn what_is_hidden_there_is_hidden_here() {
    let (world, shop) = world();
    world.write(
        FETCHED,
        &FETCHED_TEXT.replace(
            "target: none",
            "target:\n  connection: k3\n  api: batchSave\n  options: {FormId: BD_CommonContact}\n  request: {FNumber: X-<<no>>, FName: {$value: <<name>>, $sensitive: true}}",
        ).replace("expect: {no: P1, name: a, off: \"0\"}", "expect: {FNumber: X-P1, FName: a}"),
    );
    world.edit(FIRST, "key: no,", "key: no, derive: {again: <<name|upper>>},");
    world.edit(FIRST, "label: name", "label: no");
    shop.put("people", vec![person(1, "geheim")]);
    world.pass(FETCHED, 0);
    let dry = world.engine(&["dry-run", FIRST, "--json"]);
    dry.expect(0);
    assert!(!dry.to_string().to_lowercase().contains("geheim"), "{dry}");
    world.pass(FIRST, 0);
    assert_eq!(of(&world.journal(), "first", "create").len(), 1);
    for words in [
        &["rows", "show", "P001", "--scheme", "first"][..],
        &["rows", "show", "P001", "--scheme", "first", "--json"],
        &["rows", "show", "P001", "--scheme", "first", "--show", "source"],
        &["rows", "show", "P001", "--scheme", "first", "--show", "payload"],
        &["rows", "list", "--scheme", "first"],
    ] {
        let shown = world.engine(words);
        shown.expect(0);
        assert!(!shown.to_string().to_lowercase().contains("geheim"), "{shown}");
    }
}
