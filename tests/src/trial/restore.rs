//! A ledger that has forgotten what was sent: restored from an old copy, or lost.
//!
//! The simulated target lives in this process and its journal is the truth. The scheme does not ask before it creates,
//! so nothing but the suspicion keeps a forgotten document from being created once more; where the target itself does
//! not refuse a second document with the same number, only the question does.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::named::{Given, Say, Size, Trial};
use crate::e2e::{Config, MAIN, Ran, Strictness, World, judge_with, versions};

/// Restored, copied back by hand, lost.
pub const A19: Trial = Trial {
    name: "A19",
    what: "an old backup restored, and an empty ledger against a filled target",
    sizes: &[
        Size {
            flag: "--trades",
            full: 1_200,
            small: 120,
        },
        Size {
            flag: "--seed",
            full: 1,
            small: 1,
        },
    ],
    run,
};

fn run(given: &Given, say: Say<'_>) -> Result<String, String> {
    let mut asked = Vec::new();
    for unique in [true, false] {
        let told = if unique { "K3" } else { "K4" };
        asked.push(restored(given, unique).map_err(|why| format!("{told}, restored: {why}"))?);
        say(format!("{told}: restored"));
        lost(given, unique).map_err(|why| format!("{told}, lost: {why}"))?;
        say(format!("{told}: lost and adopted"));
    }
    Ok(format!(
        "0 lost, 0 doubled (K3, K4; {} and {} records asked about after the restore); started plainly it is refused",
        asked[0], asked[1]
    ))
}

fn world(given: &Given, unique: bool) -> Result<World, String> {
    let world = World::start(Config {
        trades: usize::try_from(given.get("--trades")).map_err(|e| e.to_string())?,
        seed: given.get("--seed"),
        unique_numbers: unique,
        ..Config::default()
    });
    world.batch(5);
    world.impatient();
    world.edit(MAIN, "  find: before_create", "  #");
    world.feed();
    Ok(world)
}

/// Half of the work, a backup, the other half and changes; then the backup again.
fn restored(given: &Given, unique: bool) -> Result<u64, String> {
    let world = world(given, unique)?;
    let half = (given.get("--trades") / 8).to_string();
    let ran = world.engine(&["run", MAIN, "--limit", &half, "--json"]);
    if executed(&world) == 0 {
        return Err(format!("nothing was written before the backup: {ran}"));
    }
    expect(&world.engine(&["backup", "--to", "copy.db"]), 0)?;
    let mut names = BTreeMap::new();
    finish(&world)?;
    change(&world, &mut names);
    finish(&world)?;

    // Copied back by hand it is recognised, and nothing is sent.
    let before = executed(&world);
    let copy = std::fs::read(world.path("copy.db")).map_err(|e| e.to_string())?;
    let ledger = world.data().join("ledger.db");
    std::fs::write(&ledger, &copy).map_err(|e| e.to_string())?;
    let refused = world.engine(&["run", MAIN]);
    expect(&refused, 3)?;
    if !refused.stderr.contains("E5016") || executed(&world) != before {
        return Err(format!("an old copy was taken: {refused}"));
    }
    expect(
        &world.engine(&["restore", "copy.db", "--reason", "trial", "--yes"]),
        0,
    )?;
    let rows = last_run(&world)?;
    verdict(&world, &names)?;
    Ok(rows)
}

/// Everything is written, and then the ledger is gone.
fn lost(given: &Given, unique: bool) -> Result<(), String> {
    let world = world(given, unique)?;
    finish(&world)?;
    let before = executed(&world);
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        drop(std::fs::remove_file(world.data().join(name)));
    }
    let refused = world.engine(&["run", MAIN]);
    expect(&refused, 3)?;
    if !refused.stderr.contains("E5016") || executed(&world) != before {
        return Err(format!("an empty ledger was begun: {refused}"));
    }
    expect(
        &world.engine(&["adopt", MAIN, "--mark-only", "--reason", "trial", "--yes"]),
        0,
    )?;
    world.feed();
    last_run(&world)?;
    if executed(&world) != before {
        return Err(format!(
            "{} documents were written once more",
            executed(&world) - before
        ));
    }
    let mut names = BTreeMap::new();
    change(&world, &mut names);
    finish(&world)?;
    verdict(&world, &names)
}

fn expect(ran: &Ran, code: i32) -> Result<(), String> {
    if ran.code == Some(code) {
        Ok(())
    } else {
        Err(ran.to_string())
    }
}

fn finish(world: &World) -> Result<(), String> {
    expect(&world.engine(&["run", MAIN, "--settle-wait", "30s"]), 0)
}

/// The run that asks first; gives how many records are done after it.
fn last_run(world: &World) -> Result<u64, String> {
    let ran = world.engine(&["run", MAIN, "--json", "--settle-wait", "60s"]);
    expect(&ran, 0)?;
    Ok(ran.json()["runs"][0]["states"]["done"].as_u64().unwrap_or(0))
}

fn executed(world: &World) -> u64 {
    world.state()["executed"].as_u64().unwrap_or(0)
}

fn change(world: &World, names: &mut BTreeMap<String, String>) {
    let answer = world.control("change", &json!({"customers": 5, "new": 5}));
    for list in ["changed", "new"] {
        for customer in answer[list].as_array().into_iter().flatten() {
            let text = |name: &str| customer[name].as_str().unwrap_or_default().to_owned();
            names.insert(text("cid"), text("nick"));
        }
    }
}

/// Which version of a document is at the target nobody remembers, so one that is found is updated to that of today:
/// under its id, with the same effect if it was that one already. Created it is once, whatever happens.
pub(super) fn verdict(world: &World, names: &BTreeMap<String, String>) -> Result<(), String> {
    let mut problems = judge_with(&world.journal(), Strictness::Effects);
    problems.retain(|problem| !problem.contains("the same content twice"));
    let journal = world.journal();
    let found = versions(&journal);
    let customers = world.state()["customers"].as_u64().unwrap_or(0);
    if found.len() as u64 != customers {
        problems.push(format!("{customers} customers, {} documents", found.len()));
    }
    for ((_, number), entries) in &found {
        let last: Value = entries
            .last()
            .and_then(|entry| serde_json::from_str(&entry.content).ok())
            .unwrap_or_default();
        if let Some(name) = names.get(number)
            && last["FName"] != name.as_str()
        {
            problems.push(format!("{number} should be {name:?} and is {}", last["FName"]));
        }
    }
    let verified = world.engine(&["verify"]);
    if verified.code != Some(0) {
        problems.push(verified.to_string());
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("\n"))
    }
}
