//! `kill -9` at random instants of a run, again and again over the same ledger, and then one run to its end.
//!
//! The simulators live in this process, so they outlive every kill and their journal is the truth: each customer was
//! created once, no content was written twice, and what the source showed last is what the target holds. Instants are
//! drawn over the length of a run that was measured first; a kill that comes after the end of its run is not counted.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Random, Watch, micros};
use crate::e2e::{Config, MAIN, Strictness, World, judge_with, versions};

/// Ordinary trades; 300 customers, 24 pages.
const TRADES: usize = 1_200;
/// Records a call: many claims, so that many kills fall between a claim and its settlement.
const BATCH: u32 = 5;
/// Renamed and added before every run, so that there is always something to write.
const RENAMED: u64 = 20;
const ADDED: u64 = 10;

/// What to do.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Kills that must hit a run.
    pub cycles: u64,
    /// Same seed, same data and the same instants (relative to the measured run).
    pub seed: u64,
    /// So many calls of a thousand go wrong at the target while the kills go on.
    pub faults_per_mille: u64,
}

/// What came of the kills.
#[derive(Debug, Default)]
struct Tally {
    kills: u64,
    too_late: u64,
    /// Records were claimed and not settled.
    in_flight: u64,
    /// Nothing had been written yet.
    before_writing: u64,
}

/// Runs the trial and says in one line how it went. An error names the seed.
pub fn run(plan: &Plan, say: &dyn Fn(String)) -> Result<(), String> {
    let mut random = Random(plan.seed);
    let world = world(plan);
    let first = measure(plan);
    let mut length = first;
    say(format!(
        "a first run takes {} ms; killing {} runs, seed {}",
        first.as_millis(),
        plan.cycles,
        plan.seed
    ));

    world.feed();
    order_faults(&world, plan);
    let mut names = BTreeMap::new();
    let mut tally = Tally::default();
    while tally.kills < plan.cycles {
        if tally.too_late > 3 * plan.cycles {
            return Err(format!(
                "seed {}: kills keep coming too late: {tally:?}",
                plan.seed
            ));
        }
        change(&world, &mut names);
        let executed = executed(&world);
        let instant = Duration::from_micros(random.below(micros(length)));
        let watch = Watch::start();
        let mut process = world
            .command(&["run", MAIN, "--json", "--settle-wait", "5s"])
            .start();
        if process.wait(instant) {
            tally.too_late += 1;
            length = (length * 7 / 8).max(watch.passed());
            continue;
        }
        let was_alive = process.kill();
        tally.kills += u64::from(was_alive);
        tally.too_late += u64::from(!was_alive);
        tally.in_flight += u64::from(has_sending(&world));
        if executed == self::executed(&world) {
            tally.before_writing += 1;
            // Too early too often is as useless as too late.
            length = (length * 9 / 8).min(first);
        }
    }
    world.control("fault", &json!({"clear": true}));
    let last = world.engine(&["run", MAIN, "--json", "--settle-wait", "30s"]);
    let problems = verdict(&world, &names, &last);
    let journal = world.journal();
    say(format!(
        "crash: seed {}, {} kills ({} with records in flight, {} before anything was written; {} runs ended before their kill), {} customers, \
         {} executed writes: {}",
        plan.seed,
        tally.kills,
        tally.in_flight,
        tally.before_writing,
        tally.too_late,
        versions(&journal).len(),
        journal.len(),
        if problems.is_empty() {
            "0 lost, 0 doubled, ledger clean".to_owned()
        } else {
            format!("{} PROBLEMS", problems.len())
        },
    ));
    if problems.is_empty() {
        Ok(())
    } else {
        Err(format!("seed {}:\n{}", plan.seed, problems.join("\n")))
    }
}

fn world(plan: &Plan) -> World {
    let world = World::start(Config {
        trades: TRADES,
        seed: plan.seed,
        ..Config::default()
    });
    world.batch(BATCH);
    world.impatient();
    world
}

/// Length of a first run, on a world of its own; later runs correct it.
fn measure(plan: &Plan) -> Duration {
    let world = world(plan);
    world.feed();
    order_faults(
        &world,
        &Plan {
            faults_per_mille: 0,
            ..*plan
        },
    );
    let watch = Watch::start();
    world.engine(&["run", MAIN]).expect(0);
    watch.passed()
}

/// A save is executed at once and answered a little later, as by a real system: that is when a kill hurts.
const ANSWER_AFTER_MS: u64 = 20;

fn order_faults(world: &World, plan: &Plan) {
    let kinds = [
        "drop_before",
        "drop_after",
        "http_500_after",
        "half_body",
        "msg_code_13",
        "session_lost",
    ];
    for (nth, kind) in kinds.iter().enumerate().filter(|_| plan.faults_per_mille > 0) {
        let share = plan.faults_per_mille.div_ceil(6);
        let order =
            json!({"endpoint": "kingdee", "kind": kind, "per_mille": share, "seed": plan.seed + nth as u64});
        world.control("fault", &order);
    }
    let slow = json!({"endpoint": "BatchSave", "kind": "delay", "delay_ms": ANSWER_AFTER_MS});
    world.control("fault", &slow);
}

/// Renames some customers and adds others; remembers what the source shows from now on.
fn change(world: &World, names: &mut BTreeMap<String, String>) {
    let answer = world.control("change", &json!({"customers": RENAMED, "new": ADDED}));
    for list in ["changed", "new"] {
        for customer in answer[list].as_array().into_iter().flatten() {
            let text = |name: &str| customer[name].as_str().unwrap_or_default().to_owned();
            names.insert(text("cid"), text("nick"));
        }
    }
}

/// Documents the target has executed.
fn executed(world: &World) -> u64 {
    world.state()["executed"].as_u64().unwrap_or(0)
}

/// Whether the kill left records behind whose fate is not known.
fn has_sending(world: &World) -> bool {
    let sending = world.engine(&["rows", "list", "--state", "sending", "--limit", "1", "--json"]);
    sending.json()["rows"]
        .as_array()
        .is_some_and(|rows| !rows.is_empty())
}

/// Everything that is wrong in the end.
fn verdict(world: &World, names: &BTreeMap<String, String>, last: &crate::e2e::Ran) -> Vec<String> {
    let mut problems = Vec::new();
    let customers = world.state()["customers"].as_u64().unwrap_or(0);
    if last.code != Some(0) {
        problems.push(format!("the run to the end: {last}"));
    }
    let document: Value = serde_json::from_str(&last.stdout).unwrap_or_default();
    if document["runs"][0]["states"]["done"] != customers {
        problems.push(format!(
            "not everybody is done: {}",
            document["runs"][0]["states"]
        ));
    }
    let journal = world.journal();
    problems.extend(judge_with(&journal, Strictness::Effects));
    let found = versions(&journal);
    if found.len() as u64 != customers {
        problems.push(format!("{customers} customers, {} documents", found.len()));
    }
    let last_names: BTreeMap<&str, String> = found
        .iter()
        .filter_map(|((_, number), entries)| {
            let document: Value = serde_json::from_str(&entries.last()?.content).ok()?;
            Some((number.as_str(), document["FName"].as_str()?.to_owned()))
        })
        .collect();
    for (number, name) in names {
        match last_names.get(number.as_str()) {
            Some(written) if written == name => {}
            other => problems.push(format!("{number} should be {name:?} and is {other:?}")),
        }
    }
    let verified = world.engine(&["verify"]);
    if verified.code != Some(0) {
        problems.push(format!("{verified}"));
    }
    problems
}
