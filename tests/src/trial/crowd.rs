//! `schemes`: one `engine serve` with ten thousand of them.
//!
//! First nothing is due for half a year: how long the files take to load, what they hold in memory, and what a minute of
//! waiting costs. Then all of them are due at one second: each asks its system and stores its row, sixteen at once as is
//! usual, and none is left out. Beside it, in the same run, as many jobs of a scheduler that only counts them: the
//! program `jobs` of `bench/peers`, which `cargo xtask figure schemes` builds and names in `JOBS_BIN`.

use std::process::Command;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use ledger::Ledger;
use ledger::read::RunFilter;
use sandbox::Level;

use super::Watch;
use super::killed::{self, Campaign, pause};
use super::named::{Given, Say, Size, Trial};
use super::process;
use crate::e2e::{Serving, World, repository};

/// Credentials, so that the places of one are not what everybody waits for.
const LANES: u64 = 40;
/// How long all of them may take from the second on, on a busy machine.
const RAN_WITHIN: Duration = Duration::from_secs(900);
/// The second at which all are due is so far ahead, and as far again as the files took to write and to load the first
/// time, and half of that.
const AHEAD: Duration = Duration::from_secs(15);

pub(super) const TRIAL: Trial = Trial {
    name: "schemes",
    what: "10,000 schemes in one `engine serve`: loaded, idle, and all due in one second",
    sizes: &[
        Size {
            flag: "--schemes",
            full: 10_000,
            small: 100,
        },
        Size {
            flag: "--idle",
            full: 60,
            small: 2,
        },
        // At once; 16 is what `engine serve` takes by itself.
        Size {
            flag: "--runs",
            full: 16,
            small: 16,
        },
    ],
    run,
};

fn run(given: &Given, say: Say<'_>) -> Result<String, String> {
    let (schemes, idle) = (given.get("--schemes"), Duration::from_secs(given.get("--idle")));
    let yard = Yard::new(schemes, given.get("--runs"));
    let writing = Watch::start();
    yard.due(now().checked_add((183 * 24).hours()).map_err(|e| e.to_string())?);
    let writing = writing.passed();
    let (served, loaded) = yard.serve();
    let before = process::cpu(served.id())?;
    pause(idle);
    let cost = process::cpu(served.id())?.saturating_sub(before);
    let kib = process::held(served.id())?.kib;
    drop(served);
    let waiting = format!(
        "{schemes} schemes loaded in {} ms, {} MiB, {} ms of processor time in {} idle seconds",
        loaded.as_millis(),
        kib / 1_024,
        cost.as_millis(),
        idle.as_secs()
    );
    say(waiting.clone());

    let ahead = (writing + loaded) * 3 / 2 + AHEAD;
    let ahead = i64::try_from(ahead.as_secs()).map_err(|e| e.to_string())?;
    let due = now().checked_add(ahead.seconds()).map_err(|e| e.to_string())?;
    let due = Timestamp::from_second(due.as_second()).map_err(|e| e.to_string())?;
    yard.due(due);
    let (mut served, _) = yard.serve();
    if now() >= due {
        return Err(format!("it took longer than {ahead} s to load"));
    }
    let ran = yard.ran(&mut served, due)?;
    let busy = process::held(served.id())?.kib;
    drop(served);
    let stored = yard.stored()?;
    if stored != schemes {
        return Err(format!("{stored} of {schemes} schemes have stored their row"));
    }
    let ran = format!(
        "all due in one second: {schemes} ran and stored their row, {} at once, begun {} late, the last over after {} ms, {} MiB then",
        given.get("--runs"),
        ran.late.told(),
        ran.over,
        busy / 1_024
    );
    say(ran.clone());
    let peer = peer(schemes, idle)?;
    Ok(format!("{waiting}; {ran}{peer}"))
}

/// Ms, in order.
struct Spread(Vec<i64>);

impl Spread {
    fn told(&self) -> String {
        let at = |per_mille: usize| {
            let place = (self.0.len() * per_mille / 1_000).min(self.0.len().saturating_sub(1));
            self.0.get(place).copied().unwrap_or(0)
        };
        format!("p50 {} ms, p99 {} ms, at most {} ms", at(500), at(990), at(1_000))
    }
}

struct Ran {
    late: Spread,
    over: i64,
}

struct Yard {
    world: World,
    schemes: u64,
    /// At once.
    runs: String,
}

impl Yard {
    fn new(schemes: u64, runs: u64) -> Self {
        let campaign = Campaign {
            level: Level::UniqueKey,
            kills: 0,
            seed: 1,
            late_ms: 0,
        };
        // One customer: every scheme reads one row.
        let world = killed::world(&campaign, 4);
        std::fs::remove_dir_all(world.path("schemes")).expect("a folder of the trial");
        let connector = repository().join("connectors/netease-huke/connector.yaml");
        let connector = std::fs::read_to_string(connector).expect("the repository has it");
        let lanes = connector
            .replace("connector: netease-huke", "connector: lanes")
            .replace("account: [key]", "account: [lane]")
            .replace(
                "  ok_code:",
                "  lane:     {type: text, label: {zh: 账号, en: account}}\n  ok_code:",
            )
            .replace("min_interval: 6m", "min_interval: 1s");
        world.write("connectors/lanes/connector.yaml", &lanes);
        let mut connections = "connections:\n".to_owned();
        for lane in 0..LANES {
            connections.push_str(&format!(
                "  lane{lane:02}:\n    connector: lanes\n    params: {{server: \"${{env:LEVELS_HUKE}}\", key: \"${{env:LEVELS_HUKE_KEY}}\", \
                 secret: \"${{env:LEVELS_HUKE_SECRET}}\", lane: \"{lane}\"}}\n"
            ));
        }
        world.write("connections.yaml", &connections);
        Yard {
            world,
            schemes,
            runs: runs.to_string(),
        }
    }

    /// Writes all files, due at this second.
    fn due(&self, at: Timestamp) {
        let at = at.to_zoned(TimeZone::UTC);
        let (second, minute, hour, day, month) = (at.second(), at.minute(), at.hour(), at.day(), at.month());
        for nth in 0..self.schemes {
            let text = format!(
                "scheme: q{nth:05}\nsource: {{connection: lane{:02}, api: search_customers, window: none, key: cid}}\ntarget: none\n\
                 schedule: {{cron: \"{second} {minute} {hour} {day} {month} ?\", zone: UTC}}\n",
                nth % LANES
            );
            self.world.write(&format!("schemes/q{nth:05}.yaml"), &text);
        }
    }

    /// A service that serves, and how long it took to come to that.
    fn serve(&self) -> (Serving, Duration) {
        // Made by the first service otherwise, and counted.
        if !self.world.path("token").is_file() {
            drop(self.world.serve(&["--read-only"]));
        }
        let watch = Watch::start();
        let served = self.world.serve(&["--runs", &self.runs]);
        (served, watch.passed())
    }

    fn reader(&self) -> Result<ledger::Reader, String> {
        Ledger::open_read_only(&self.world.data()).map_err(|error| error.to_string())
    }

    /// Waits until all have run.
    fn ran(&self, served: &mut Serving, due: Timestamp) -> Result<Ran, String> {
        let due = due.as_millisecond();
        let until = due + i64::try_from(RAN_WITHIN.as_millis()).unwrap_or(i64::MAX);
        let most = u32::try_from(self.schemes).unwrap_or(u32::MAX);
        let since = RunFilter {
            since: Some(due),
            ..RunFilter::default()
        };
        let reader = self.reader()?;
        loop {
            if !served.forget() {
                return Err(format!("the service has ended: {:?}", served.said()));
            }
            let told = |error: ledger::StoreError| error.to_string();
            let begun = reader.count_runs(&since, most).map_err(told)?;
            if begun >= most {
                let runs = reader.list_runs(&since).map_err(told)?;
                if runs.iter().all(|run| run.ended.is_some()) {
                    if let Some(run) = runs.iter().find(|run| run.status != "ok") {
                        return Err(format!("{run:?}"));
                    }
                    let mut late: Vec<i64> = runs.iter().map(|run| run.started - due).collect();
                    late.sort_unstable();
                    let over = runs.iter().filter_map(|run| run.ended).max().unwrap_or(due) - due;
                    return match runs.len() == late.len() && runs.len() as u64 == self.schemes {
                        true => Ok(Ran {
                            late: Spread(late),
                            over,
                        }),
                        false => Err(format!("{} runs of {} schemes", runs.len(), self.schemes)),
                    };
                }
            }
            if now().as_millisecond() > until {
                return Err(format!("{begun} of {most} have begun after {RAN_WITHIN:?}"));
            }
            pause(Duration::from_millis(250));
        }
    }

    /// Schemes with their one row.
    fn stored(&self) -> Result<u64, String> {
        let schemes = self.reader()?.schemes().map_err(|error| error.to_string())?;
        let with_row = schemes
            .iter()
            .filter(|scheme| scheme.states.iter().sum::<u64>() == 1);
        Ok(u64::try_from(with_row.count()).unwrap_or(0))
    }
}

/// As many jobs of the other scheduler; nothing where it was not built.
fn peer(jobs: u64, idle: Duration) -> Result<String, String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the setting of `cargo xtask figure schemes`"
    )]
    let Some(program) = std::env::var_os("JOBS_BIN") else {
        return Ok(String::new());
    };
    let ran = Command::new(&program)
        .args([jobs.to_string(), idle.as_secs().to_string()])
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    match ran.status.success() {
        true => Ok(format!("; {}", String::from_utf8_lossy(&ran.stdout).trim())),
        false => Err(String::from_utf8_lossy(&ran.stderr).into_owned()),
    }
}

fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "a real process is due by it")]
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_told_by_its_places() {
        assert_eq!(
            Spread((0..=100).collect()).told(),
            "p50 50 ms, p99 99 ms, at most 100 ms"
        );
        assert_eq!(Spread(Vec::new()).told(), "p50 0 ms, p99 0 ms, at most 0 ms");
    }
}
