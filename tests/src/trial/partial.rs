//! A9: batches of which a part is refused, row by row and as a whole.
//!
//! Over real HTTP, at two systems: every way of accepting and refusing the six rows of a batch, and batches with one
//! row that makes the system refuse all of them without a name. And each place of that row, in simulated time.

use std::collections::{BTreeMap, BTreeSet};

use ledger::Ledger;
use ledger::read::RecordFilter;
use sandbox::Level;
use serde_json::{Value, json};

use super::named::{Given, Say, Size, Trial};
use super::plain::{self, System};
use crate::e2e::{Shop, World};
use crate::sim::line::{BEGIN, Fate, Line, MINUTE, SECOND};

/// Rows of a batch of which every subset is refused.
const ROWS: u64 = 6;
const SUBSETS: u64 = 1 << ROWS;
/// Rows of a batch with one that spoils it.
const LARGE: u64 = 100;
/// Calls that a batch of [`LARGE`] with one such row may cost.
const MOST: u64 = 15;
/// What the row says by which the simulator knows it.
const POISON: &str = "undigestible";

pub(super) const TRIAL: Trial = Trial {
    name: "A9",
    what: "all 64 ways to refuse rows of a batch of 6; one row in 100 that makes the whole batch refused",
    sizes: &[Size {
        flag: "--places",
        full: 100,
        small: 4,
    }],
    run,
};

fn run(given: &Given, say: Say<'_>) -> Result<String, String> {
    let mut refused = 0;
    for system in System::ALL {
        refused += subsets(system).map_err(|why| format!("{system:?}, subsets: {why}"))?;
        say(format!(
            "{system:?}: {SUBSETS} subsets, each row settled for itself"
        ));
    }
    let mut worst = 0;
    for place in 0..LARGE {
        worst = simulated(place)?.max(worst);
    }
    say(format!(
        "at most {worst} calls for a batch of {LARGE}, at every place of the row"
    ));
    let places = given.get("--places").clamp(1, LARGE);
    let mut told = Vec::new();
    for system in System::ALL {
        let (size, calls) = poison(system, places).map_err(|why| format!("{system:?}, poison: {why}"))?;
        say(format!(
            "{system:?}: {calls} calls for {places} batches of {size}"
        ));
        told.push(format!(
            "{}.{} calls a batch of {size} at {}",
            calls / places,
            calls * 10 / places % 10,
            system.name()
        ));
    }
    Ok(format!(
        "{} batches, {refused} rows refused in the vendor's words, every other row done once, nothing sent twice; one in \
         {LARGE}: at most {worst} calls at each of its {LARGE} places, every other row done; over HTTP at {places} places: \
         {}",
        2 * SUBSETS,
        told.join(", ")
    ))
}

/// A record as the ledger has it in the end.
struct Ended {
    state: &'static str,
    why: String,
}

fn ended(world: &World) -> Result<BTreeMap<String, Ended>, String> {
    let reader = Ledger::open_read_only(&world.data()).map_err(|error| error.to_string())?;
    let rows = reader
        .list_records(&RecordFilter::default())
        .map_err(|error| error.to_string())?;
    let ended = rows.into_iter().map(|row| {
        let why = row.reason.map(|reason| reason.text).unwrap_or_default();
        let state = row.state.word();
        (row.label, Ended { state, why })
    });
    Ok(ended.collect())
}

/// One run, its records by their label, and that a second run sends nothing.
fn settled(world: &World, system: System) -> Result<BTreeMap<String, Ended>, String> {
    let words = ["run", plain::SCHEME, "--json"];
    let ran = world.engine(&words);
    // Records are dead: the run says so.
    if ran.code != Some(1) {
        return Err(ran.to_string());
    }
    let first = ended(world)?;
    let calls = world.calls(system.writes());
    let again = world.engine(&words);
    if world.calls(system.writes()) != calls {
        return Err(format!("the second run sent something again\n{again}"));
    }
    Ok(first)
}

/// Every record is done and written once, or dead in the vendor's words and never written.
fn judge(world: &World, system: System, all: u64, refused: &BTreeSet<String>) -> Result<(), String> {
    let records = settled(world, system)?;
    if u64::try_from(records.len()) != Ok(all) {
        return Err(format!("{} records of {all}", records.len()));
    }
    let mut written: BTreeMap<String, u64> = BTreeMap::new();
    for entry in world.journal() {
        *written.entry(entry.number).or_default() += 1;
    }
    for (key, record) in &records {
        let times = written.get(key).copied().unwrap_or(0);
        let want = if refused.contains(key) {
            ("dead", 0)
        } else {
            ("done", 1)
        };
        if (record.state, times) != want {
            return Err(format!(
                "{key} is {} ({}) and was written {times} times, not {want:?}",
                record.state, record.why
            ));
        }
        if want.0 == "dead" && !record.why.contains(system.refusal()) {
            return Err(format!("{key} is dead because of {:?}", record.why));
        }
    }
    Ok(())
}

/// A batch for each subset, the rows of which the target refuses by name. Gives how many rows that are.
fn subsets(system: System) -> Result<u64, String> {
    let (world, shop) = plain::at(system, Level::UniqueKey, ROWS);
    fill(&shop, (0..ROWS * SUBSETS).map(|nth| plain::row(nth, "buyer")));
    let mut plans = Vec::new();
    let mut refused = BTreeSet::new();
    for subset in 1..SUBSETS {
        let rows: Vec<u64> = (0..ROWS).filter(|row| subset >> row & 1 == 1).collect();
        refused.extend(rows.iter().map(|row| plain::key(subset * ROWS + row)));
        plans.push(json!({
            "endpoint": system.endpoint(), "kind": "row_errors", "nth": subset + 1, "rows": rows,
        }));
    }
    world.control("fault", &json!({"clear": true, "plans": plans}));
    judge(&world, system, ROWS * SUBSETS, &refused)?;
    match world.calls(system.writes()) {
        SUBSETS => Ok(u64::try_from(refused.len()).unwrap_or(u64::MAX)),
        calls => Err(format!("{calls} calls for {SUBSETS} batches")),
    }
}

fn fill(shop: &Shop, rows: impl Iterator<Item = Value>) {
    shop.put("rows", rows.collect());
}

/// A batch for each place, with one row for which the target refuses it as a whole. Gives rows and calls.
fn poison(system: System, places: u64) -> Result<(u64, u64), String> {
    let size = LARGE.min(system.most());
    let (world, shop) = plain::at(system, Level::UniqueKey, size);
    let spoils = |batch: u64| batch * size + batch * size / places;
    let refused: BTreeSet<u64> = (0..places).map(spoils).collect();
    let name = |nth| if refused.contains(&nth) { POISON } else { "buyer" };
    fill(&shop, (0..size * places).map(|nth| plain::row(nth, name(nth))));
    let plan = json!({"endpoint": system.endpoint(), "kind": "batch_refused", "value": POISON});
    world.control("fault", &json!({"clear": true, "plans": [plan]}));
    let refused = refused.into_iter().map(plain::key).collect();
    judge(&world, system, size * places, &refused)?;
    let calls = world.calls(system.writes());
    if calls > MOST * places {
        return Err(format!("{calls} calls for {places} batches"));
    }
    Ok((size, calls))
}

/// One batch in simulated time, with such a row at this place. Gives how many calls it cost.
fn simulated(place: u64) -> Result<u64, String> {
    let key = |nth: u64| format!("K{nth:03}");
    let spoils = key(place);
    let manner = Box::new(|_, _, docs: &[crate::sim::line::Doc]| {
        let is_bad = docs.iter().any(|doc| doc.key == spoils);
        (SECOND, if is_bad { Fate::RefusedWhole } else { Fate::Plain })
    });
    let mut line = Line::new(u32::try_from(LARGE).unwrap_or(u32::MAX), manner)?;
    for nth in 0..LARGE {
        line.put("s", &key(nth), 1, BEGIN - MINUTE);
    }
    line.run("s")?;
    let calls = u64::try_from(line.calls.len()).unwrap_or(u64::MAX);
    line.run("s")?;
    let states = line.states("s")?;
    let written: BTreeSet<&str> = line.journal.iter().map(|(_, doc)| doc.key.as_str()).collect();
    let good = LARGE - 1;
    let once = u64::try_from(line.journal.len()) == Ok(good) && u64::try_from(written.len()) == Ok(good);
    if !once || states != [0, 0, 0, good, 1, 0, 0] {
        return Err(format!(
            "place {place}: {states:?}, {} writes",
            line.journal.len()
        ));
    }
    if calls > MOST || u64::try_from(line.calls.len()) != Ok(calls) {
        return Err(format!(
            "place {place}: {calls} calls, {} in all",
            line.calls.len()
        ));
    }
    Ok(calls)
}
