//! A18: what the ledger costs a run. The real binary writes to the plain system, ten records a call, on a disk whose
//! syncs take as long as the preload library says; how often it syncs is counted there, too.

use std::path::Path;

use ledger::Ledger;
use ledger::read::RecordFilter;
use sandbox::Level;

use super::killed::{self, Campaign};
use super::named::{Given, Say, Size, Trial};
use super::power;
use crate::e2e::Ran;

/// The cost of the ledger.
pub(super) const A18: Trial = Trial {
    name: "A18",
    what: "the ledger's cost: one target, ten records a call, on a disk that takes 5 ms to sync",
    sizes: &[
        Size {
            flag: "--records",
            full: 3_000,
            small: 60,
        },
        Size {
            flag: "--sync-us",
            full: 5_000,
            small: 100,
        },
        // 0 = a slow machine or a debug build: only the syncs are judged.
        Size {
            flag: "--least",
            full: 300,
            small: 0,
        },
    ],
    run,
};

/// Records a call.
const BATCH: u64 = 10;
/// Trades of one customer in the simulated source.
const TRADES: usize = 4;
/// A claim and a settlement.
const SYNCS: u64 = 2;
/// Syncs of a run beside its calls: the file is opened, the run begins and ends, and the log is folded into the file
/// now and then.
const BESIDE: u64 = 16;
/// Of so many calls, one may come with the log being folded.
const FOLDED: u64 = 10;
/// Records of one question to the ledger.
const PAGE: u32 = 500;

fn run(given: &Given, _say: Say<'_>) -> Result<String, String> {
    let records = usize::try_from(given.get("--records")).map_err(|e| e.to_string())?;
    let campaign = Campaign {
        level: Level::UniqueKey,
        kills: 0,
        seed: 1,
        late_ms: 0,
    };
    let world = killed::world(&campaign, records * TRADES);
    let scheme = killed::scheme(campaign.level);
    world.edit(scheme, "batch: 3", &format!("batch: {BATCH}"));
    ok(&world.engine(&["run", scheme, "--stage", "fetch"]))?;
    // As the library sees it, which reads the names of open files.
    let data = world.data().canonicalize().map_err(|e| e.to_string())?;
    let counted = world.path("syncs");
    let save = world
        .command(&["run", scheme, "--stage", "save"])
        .env("LD_PRELOAD", &power::library()?.to_string_lossy())
        .env("POWER_DIR", &data.to_string_lossy())
        .env("POWER_SYNCS", &counted.to_string_lossy())
        .env("POWER_SYNC_US", &given.get("--sync-us").to_string());
    ok(&save.finish())?;

    let times = done(&world.data())?;
    if times.len() != records {
        return Err(format!("{records} records, {} are done", times.len()));
    }
    let calls = given.get("--records").div_ceil(BATCH);
    let syncs = syncs(&counted)?;
    let most = SYNCS * calls + calls / FOLDED + BESIDE;
    if syncs < SYNCS * calls || syncs > most {
        return Err(format!(
            "{calls} calls are {syncs} syncs, and should be {} to {most}",
            SYNCS * calls
        ));
    }
    let rate = rate(&times);
    if rate < given.get("--least") {
        return Err(format!(
            "{rate} records/s, at least {} are wanted",
            given.get("--least")
        ));
    }
    Ok(format!(
        "{rate} records/s, {}.{:02} syncs for {BATCH} records ({records} records, {} µs a sync)",
        syncs / calls,
        syncs * 100 / calls % 100,
        given.get("--sync-us"),
    ))
}

fn ok(ran: &Ran) -> Result<(), String> {
    // The first of the two leaves everything to be written.
    if matches!(ran.code, Some(0 | 1)) {
        Ok(())
    } else {
        Err(ran.to_string())
    }
}

/// How often a file of the ledger was synced.
fn syncs(path: &Path) -> Result<u64, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    u64::try_from(text.lines().count()).map_err(|e| e.to_string())
}

/// When each record was done, in milliseconds, in order.
fn done(data: &Path) -> Result<Vec<i64>, String> {
    let told = |error: ledger::StoreError| error.to_string();
    let reader = Ledger::open_read_only(data).map_err(told)?;
    let (mut times, mut before) = (Vec::new(), None);
    loop {
        let filter = RecordFilter {
            before,
            limit: PAGE,
            ..RecordFilter::default()
        };
        let page = reader.list_records(&filter).map_err(told)?;
        let Some(last) = page.last() else { break };
        before = Some(last.record);
        times.extend(page.iter().filter_map(|row| row.done));
    }
    times.sort_unstable();
    Ok(times)
}

/// Records a second, between the first call's end and the last one's.
fn rate(times: &[i64]) -> u64 {
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return 0;
    };
    let later = u64::try_from(times.iter().filter(|time| *time > first).count()).unwrap_or(0);
    later * 1_000 / (last - first).unsigned_abs().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_call_is_not_part_of_the_time() {
        for (times, want) in [
            (&[][..], 0),
            (&[5], 0),
            (&[0, 0, 10, 10, 20, 20], 200),
            (&[0, 1_000], 1),
        ] {
            assert_eq!(rate(times), want, "{times:?}");
        }
    }
}
