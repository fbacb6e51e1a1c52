//! A target that already holds most of the documents, written by another tool: what taking over comes to.
//!
//! The other tool is an engine whose whole data directory is thrown away. The scheme does not ask before it creates, so
//! that nothing but the adoption keeps a document from being made twice; while it asks it is killed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::named::{Given, Say, Size, Trial};
use super::{Random, Watch};
use crate::e2e::{Config, MAIN, Ran, World, judge, numbers};

/// Most of the documents are there.
pub(super) const TRIAL: Trial = Trial {
    name: "adopt",
    what: "a target that already holds most of the documents is taken over, with kill -9 in between",
    sizes: &[
        Size {
            flag: "--documents",
            full: 3_959,
            small: 60,
        },
        Size {
            flag: "--there",
            full: 3_473,
            small: 52,
        },
        Size {
            flag: "--kills",
            full: 8,
            small: 3,
        },
        Size {
            flag: "--seed",
            full: 1,
            small: 1,
        },
    ],
    run,
};

/// Trades of one customer.
const TRADES: u64 = 4;
/// Where an adoption is killed, and how often that is reached at most in the small size.
const POINTS: [&str; 4] = ["stage_page", "call_ask", "resolve", "identify"];

fn run(given: &Given, say: Say<'_>) -> Result<String, String> {
    let (documents, there) = (given.get("--documents"), given.get("--there"));
    let seed = given.get("--seed");
    let world = World::start(Config {
        trades: usize::try_from(documents * TRADES).map_err(|e| e.to_string())?,
        seed,
        ..Config::default()
    });
    world.edit(MAIN, "  find: before_create", "  #");
    world.feed();
    world.engine(&["run", MAIN, "--limit", &there.to_string(), "--json"]);
    let held = u64::try_from(numbers(&world.journal()).len()).unwrap_or(u64::MAX);
    if held != there {
        return Err(format!("the other tool wrote {held} documents, not {there}"));
    }
    std::fs::remove_dir_all(world.path(".engine")).map_err(|e| e.to_string())?;
    world.feed();
    let before = world.journal();
    say(format!("{held} of {documents} documents are there"));

    let dry = told(
        &world.engine(&["adopt", MAIN, "--dry-run", "--json"]),
        "dry report",
    )?;
    same(
        &dry,
        "dry report",
        &[("found", there), ("not_there", documents - there)],
    )?;
    say("the dry report is right".to_owned());

    let real = ["adopt", MAIN, "--reason", "trial", "--yes", "--json"];
    let mut random = Random(seed);
    let mut kills = 0;
    for nth in 0..given.get("--kills") {
        let point = POINTS[usize::try_from(nth).unwrap_or(0) % POINTS.len()];
        let at = 1 + random.below((documents / 50).max(1));
        let failpoint = format!("{point}:after:{at}:abort");
        let killed = world.command(&real).env("ENGINE_FAILPOINT", &failpoint).finish();
        kills += u64::from(killed.code.is_none());
    }
    if kills == 0 {
        return Err("no kill hit an adoption".to_owned());
    }
    say(format!("killed {kills} times"));
    let watch = Watch::start();
    let adopted = told(&world.engine(&real), "adoption")?;
    let took = watch.passed();
    same(
        &adopted,
        "adoption",
        &[("found", there), ("not_there", documents - there)],
    )?;
    if adopted["mapping"]["after"] != there {
        return Err(format!("the mapping is not complete: {adopted:#}"));
    }
    if world.journal().len() != before.len() {
        return Err("an adoption wrote something".to_owned());
    }
    let ran = world.engine(&["run", MAIN, "--json", "--settle-wait", "60s"]);
    let done = ran.json()["runs"][0]["states"]["done"].as_u64();
    if ran.code != Some(0) || done != Some(documents) {
        return Err(format!("the run after it: {ran}"));
    }
    let journal = world.journal();
    let mut writes: BTreeMap<&str, u64> = BTreeMap::new();
    for entry in journal.iter().skip(before.len()) {
        *writes.entry(entry.number.as_str()).or_default() += 1;
    }
    let known = numbers(&before);
    let twice = writes.keys().filter(|number| known.contains(**number)).count();
    let wrong = judge(&journal);
    let written = u64::try_from(writes.len()).unwrap_or(u64::MAX);
    if twice > 0 || written != documents - there || !wrong.is_empty() {
        return Err(format!(
            "{twice} documents were written twice, {written} anew of {}; {wrong:?}",
            documents - there
        ));
    }
    if world.engine(&["verify"]).code != Some(0) {
        return Err("the ledger is not clean".to_owned());
    }
    Ok(format!(
        "{there} of {documents} documents there: found {there}, written twice 0, mapping complete; the {written} missing ones written by the next run; {kills} kills in between; the last adoption {:.1} s",
        took.as_secs_f64()
    ))
}

fn told(ran: &Ran, what: &str) -> Result<Value, String> {
    match ran.code {
        Some(0) => Ok(ran.json()),
        _ => Err(format!("{what}: {ran}")),
    }
}

fn same(document: &Value, what: &str, wanted: &[(&str, u64)]) -> Result<(), String> {
    for (outcome, count) in wanted {
        let outcomes = document["outcomes"].as_array();
        let found = outcomes.and_then(|all| all.iter().find(|one| one["outcome"] == *outcome));
        let found = found.and_then(|one| one["count"].as_u64()).unwrap_or(0);
        if found != *count {
            return Err(format!("{what}: {outcome} {found}, not {count}: {document:#}"));
        }
    }
    Ok(())
}
