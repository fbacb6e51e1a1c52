//! `engine replay`: a past stretch is read once more, with a cursor and a reason of its own.

use jiff::Timestamp;
use ledger::read::AuditFilter;
use serde_json::Value;
use tests::e2e::{CUSTOMERS, MAIN, World, judge};

const HOUR: i64 = 3_600_000;

/// A day that ended two minutes ago, as the command takes it: what has not settled is no past yet.
fn day(world: &World) -> [String; 4] {
    let run = world.pass(tests::e2e::FEEDER, 0);
    let now: Timestamp = run["instant"].as_str().expect("a text").parse().expect("a time");
    let ms = |ago: i64| (now.as_millisecond() - ago).to_string();
    [
        "--from".to_owned(),
        ms(24 * HOUR),
        "--to".to_owned(),
        ms(HOUR / 30),
    ]
}

fn replay(world: &World, day: &[String], more: &[&str], code: i32) -> Value {
    let day = day.iter().map(String::as_str);
    let words: Vec<&str> = ["replay", MAIN, "--json"]
        .into_iter()
        .chain(day)
        .chain(more.iter().copied())
        .collect();
    let ran = world.engine(&words);
    ran.expect(code);
    let document = ran.json();
    if code == 0 {
        world.valid("replay", &document);
    }
    document
}

#[test]
fn a_stretch_is_replayed_once_and_noted() {
    let world = World::small();
    let day = day(&world);
    // The list first: it writes nothing, and needs no reason.
    let list = replay(&world, &day, &["--step", "6h", "--dry-run"], 0);
    assert_eq!((&list["windows"], &list["run"]), (&Value::from(4), &Value::Null));
    assert!(world.journal().is_empty());
    // Doing it needs a reason, and somebody's yes: this is no terminal.
    for more in [
        &["--yes"][..],
        &["--reason", "  ", "--yes"],
        &["--reason", "history"],
    ] {
        replay(&world, &day, more, 2);
    }
    assert!(world.journal().is_empty());
    let why = [
        "--step",
        "6h",
        "--only-missing",
        "--reason",
        "history of March",
        "--yes",
    ];
    let done = replay(&world, &day, &why, 0);
    assert_eq!(done["run"]["status"], "ok", "{done:#}");
    assert_eq!(world.journal().len(), CUSTOMERS);
    assert_eq!(judge(&world.journal()), Vec::<String>::new());
    // It is finished; nothing is read twice unless somebody wants it.
    let calls = world.calls("trade/searchTrades");
    let again = replay(&world, &day, &why, 0);
    assert_eq!(
        (&again["windows"], &again["run"]),
        (&Value::from(0), &Value::Null)
    );
    assert_eq!(world.calls("trade/searchTrades"), calls);
    let anew: Vec<&str> = why.iter().copied().chain(["--again"]).collect();
    let again = replay(&world, &day, &anew, 0);
    assert_eq!(
        again["run"]["counts"]["unchanged"],
        again["run"]["counts"]["fetched"]
    );
    assert_eq!(world.journal().len(), CUSTOMERS, "known keys are left alone");
    // Ordinary polling does not take it for its own progress.
    let reader = ledger::Ledger::open_read_only(&world.data()).expect("the ledger");
    assert_eq!(reader.closed_intervals("huke-to-k3").expect("a question"), []);
    let notes = reader.audit(&AuditFilter::default()).expect("a question");
    let reasons: Vec<&str> = notes.iter().map(|row| row.note.reason.as_str()).collect();
    assert_eq!(reasons, ["history of March", "history of March"]);
    assert!(notes.iter().all(|row| row.note.action == "replay"), "{notes:?}");
    world.verify();
}

#[test]
fn what_cannot_be_replayed_is_refused() {
    let world = World::small();
    let day = day(&world);
    let yes = ["--reason", "x", "--yes"];
    let with = |more: &[&'static str]| -> Vec<&'static str> { yes.iter().chain(more).copied().collect() };
    let refused = |day: &[String], more: &[&str], words: &str| {
        let said = replay(&world, day, more, 2)["error"]["message"].to_string();
        assert!(said.contains(words), "{said}");
    };
    refused(&day, &with(&["--step", "500ms"]), "at least 1s");
    refused(&day, &with(&["--step", "48h"]), "at most");
    let turned = [day[0].clone(), day[3].clone(), day[2].clone(), day[1].clone()];
    refused(&turned, &with(&[]), "after --from");
    let future = ["--from", "2999-01-01 00:00:00", "--to", "2999-01-02 00:00:00"].map(str::to_owned);
    refused(&future, &with(&[]), "in the future");
    // The source forgets, and says so.
    world.edit(MAIN, "  key: buyerCid", "  window: {keeps: 10h}\n  key: buyerCid");
    refused(&day, &with(&[]), "no longer keeps");
    // A scheme that reads everything each time has nothing to replay.
    let feeder: Vec<&str> = ["replay", tests::e2e::FEEDER]
        .into_iter()
        .chain(day.iter().map(String::as_str))
        .collect();
    world.engine(&feeder).expect(2).warns("no window");
    assert!(world.journal().is_empty());
}
