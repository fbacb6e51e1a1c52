//! `engine serve` as it is left to itself: twenty schemes, a source that goes on changing, calls that fail.
//!
//! `serve` kills it once, in the middle, with records on their way. A27 lets it go on for a day and watches what a
//! process may pile up: memory, open files, the write-ahead log. The simulators are the trial's own and outlive the
//! kill, so their journal is the truth; and their memory, which holds that journal, is not the engine's. Half of the
//! schemes put documents under their keys, half add documents whose keys are unique. In the end every run adds up, no
//! time was left unread, and each document is there once, the newest version last.

use std::path::PathBuf;
use std::time::Duration;

use flow::op::RecordState;
use ledger::Ledger;
use ledger::read::{RecordFilter, RunFilter};
use sandbox::Level;
use serde_json::{Value, json};

use super::Watch;
use super::judged::{self, Names};
use super::killed::{self, Campaign, pause};
use super::named::{Given, Say, Size, Trial};
use super::process::{self, Held};
use crate::e2e::{Ran, Serving, World, repository};

/// Schemes; every other one puts.
const SCHEMES: usize = 20;
/// Trades at the start: 30 customers, 600 documents.
const TRADES: usize = 120;
/// How often each scheme is due. Its connector allows it: a copy of the built-in one, for a system of this machine.
const EVERY: &str = "10s";
/// What is not read by now is read by the next run: the interval, its spread, a run on a busy machine, and the stretch
/// that is left to settle.
const UNREAD_MS: i64 = 120_000;
/// How long a service may take until records are out, when it is to be killed.
const OUT_WITHIN: Duration = Duration::from_secs(120);
/// How often the last run of a scheme may find the target left alone, which lasts a minute.
const LAST_RUNS: u32 = 5;
/// A figure that is looked at on the way, and what is asked of the API meanwhile.
const ASKED: [&str; 4] = ["/metrics", "/api/v1/schemes", "/api/v1/runs", "/healthz"];
/// Bytes of the write-ahead log.
const WAL_MOST: u64 = 64 << 20;
/// Open files that may come and go: connections that are kept, readers of the ledger.
const FILES_MORE: u64 = 24;

pub(super) const SERVE: Trial = Trial {
    name: "serve",
    what: "`engine serve` with 20 schemes, one call in ten failing, killed once in the middle",
    sizes: &[MINUTES_10, SECONDS],
    run: serve,
};

pub(super) const A27: Trial = Trial {
    name: "A27",
    what: "`engine serve` for a day: what it piles up, from the first tenth of the time to the last",
    sizes: &[
        Size {
            flag: "--minutes",
            full: 1_440,
            small: 0,
        },
        SECONDS,
        // Of a hundred: a short run is still filling its caches.
        Size {
            flag: "--growth",
            full: 5,
            small: 100,
        },
    ],
    run: soak,
};

const MINUTES_10: Size = Size {
    flag: "--minutes",
    full: 10,
    small: 0,
};
const SECONDS: Size = Size {
    flag: "--seconds",
    full: 0,
    small: 20,
};

fn length(given: &Given) -> Duration {
    Duration::from_secs(given.get("--minutes") * 60 + given.get("--seconds"))
}

fn serve(given: &Given, say: Say<'_>) -> Result<String, String> {
    let length = length(given);
    let mut yard = Yard::open(&Pace {
        faulty: 100,
        changed_every: Duration::from_secs(1),
    });
    let watch = Watch::start();
    let mut served = yard.world.serve(&[]);
    while watch.passed() < length / 2 {
        yard.second(&mut served)?;
    }
    let out = yard.killed(served)?;
    say(format!("serve: killed with {out} records on their way"));
    let mut served = yard.world.serve(&[]);
    while watch.passed() < length {
        yard.second(&mut served)?;
    }
    let told = yard.end(served, say)?;
    Ok(format!(
        "{} s, killed with {out} records on their way; {told}",
        length.as_secs()
    ))
}

fn soak(given: &Given, say: Say<'_>) -> Result<String, String> {
    let length = length(given);
    let mut yard = Yard::open(&Pace {
        faulty: 20,
        changed_every: Duration::from_secs(5),
    });
    let watch = Watch::start();
    let mut served = yard.world.serve(&[]);
    // One look a second: a day is a megabyte and a half.
    let mut seen: Vec<Held> = Vec::new();
    let mut wal = 0;
    while watch.passed() < length {
        yard.second(&mut served)?;
        let held = process::held(served.id())?;
        seen.push(held);
        wal = yard.wal().max(wal);
        if seen.len().is_multiple_of(600) {
            say(format!(
                "A27 after {} s: {} KiB, {} files, log of {wal} bytes",
                watch.passed().as_secs(),
                held.kib,
                held.files
            ));
        }
    }
    if seen.is_empty() {
        return Err("nothing was seen of it".to_owned());
    }
    // The middle of each stretch: one look may fall on a run, or beside it.
    let count = seen.len();
    let first = middle(&seen[count / 20..=count / 10])?;
    let last = middle(&seen[count * 19 / 20..])?;
    let most_files = seen.iter().map(|held| held.files).max().unwrap_or(0);
    let told = yard.end(served, say)?;
    let growth = i64::try_from(last.kib * 1_000 / first.kib.max(1)).unwrap_or(i64::MAX) - 1_000;
    let figure = format!(
        "{} s: {} KiB after a tenth, {} KiB at the end ({}{}.{} %); {} open files, then {}, at most {most_files}; log at most {} KiB; {told}",
        length.as_secs(),
        first.kib,
        last.kib,
        if growth < 0 { "-" } else { "+" },
        growth.abs() / 10,
        growth.abs() % 10,
        first.files,
        last.files,
        wal / 1_024,
    );
    let most = i64::try_from(given.get("--growth"))
        .unwrap_or(i64::MAX)
        .saturating_mul(10);
    if growth > most || last.files > first.files + FILES_MORE || wal > WAL_MOST {
        return Err(format!("something piles up: {figure}"));
    }
    Ok(figure)
}

/// The medians of a stretch of time.
fn middle(seen: &[Held]) -> Result<Held, String> {
    let of = |pick: fn(&Held) -> u64| {
        let mut all: Vec<u64> = seen.iter().map(pick).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied()
    };
    match (of(|held| held.kib), of(|held| held.files)) {
        (Some(kib), Some(files)) => Ok(Held { kib, files }),
        _ => Err("a stretch in which nothing was seen".to_owned()),
    }
}

/// How much happens.
struct Pace {
    /// So many of a thousand calls go wrong.
    faulty: u64,
    /// One customer is renamed and one is new.
    changed_every: Duration,
}

/// Where the service runs, and what its source has shown.
struct Yard {
    world: World,
    token: String,
    names: Names,
    changed_every: Duration,
    changed: Watch,
    seconds: u64,
    /// When the first service was started.
    began: i64,
}

impl Yard {
    fn open(pace: &Pace) -> Self {
        let campaign = Campaign {
            level: Level::Upsert,
            kills: 0,
            seed: 27,
            late_ms: 0,
        };
        let world = killed::world(&campaign, TRADES);
        let text =
            |path: &str| std::fs::read_to_string(repository().join(path)).expect("the repository has it");
        let connector = text("connectors/netease-huke/connector.yaml");
        let quick = connector
            .replace("connector: netease-huke", "connector: huke-quick")
            .replace(
                "concurrency: 1, min_interval: 6m",
                "concurrency: 4, min_interval: 5s",
            );
        assert_ne!(connector, quick, "the built-in connector is written otherwise");
        world.write("connectors/huke-quick/connector.yaml", &quick);
        world.edit("connections.yaml", "netease-huke", "huke-quick");
        std::fs::remove_dir_all(world.path("schemes")).expect("a folder of the trial");
        for nth in 0..SCHEMES {
            let (level, own) = match is_put(nth) {
                true => ("upsert", "level-upsert"),
                false => ("unique-key", "level-unique-key"),
            };
            let text = text(&format!("tests/levels/schemes/{level}.yaml"));
            let (text, _) = text.split_once("tests:").expect("it has tests");
            let text = text
                .replace(own, &id(nth))
                .replace("key: <<buyerCid>>", &format!("key: {}-<<buyerCid>>", id(nth)))
                .replace("{every: 6m}", &format!("{{every: {EVERY}}}"));
            world.write(&file(nth), &text);
        }
        for endpoint in ["plain", "huke"] {
            let plan = json!({
                "endpoint": endpoint, "kinds": ["drop_before", "drop_after", "http_500_before", "http_500_after", "half_body", "hang"],
                "per_mille": pace.faulty, "seed": 27,
            });
            world.control("fault", &plan);
        }
        Yard {
            world,
            token: String::new(),
            names: Names::new(),
            changed_every: pace.changed_every,
            changed: Watch::start(),
            seconds: 0,
            began: now_ms(),
        }
    }

    /// About a second of the service's life.
    fn second(&mut self, served: &mut Serving) -> Result<(), String> {
        pause(Duration::from_secs(1));
        if self.token.is_empty() {
            let token = std::fs::read_to_string(self.world.path("token")).map_err(|e| e.to_string())?;
            token.trim().clone_into(&mut self.token);
        }
        if self.changed.passed() >= self.changed_every {
            self.changed = Watch::start();
            self.change();
        }
        self.seconds += 1;
        let path = ASKED[usize::try_from(self.seconds).unwrap_or(0) % ASKED.len()];
        let answer = served.call("GET", path, &self.token, "");
        if answer.status() != Some(200) {
            return Err(format!("{path}: {}", answer.text()));
        }
        match served.forget() {
            true => Ok(()),
            false => Err(format!("the service has ended: {:?}", served.said())),
        }
    }

    /// Renames a customer and adds one; remembers what the source shows from now on.
    fn change(&mut self) {
        let answer = self.world.control("change", &json!({"customers": 1, "new": 1}));
        for list in ["changed", "new"] {
            for customer in answer[list].as_array().into_iter().flatten() {
                let text = |name: &str| customer[name].as_str().unwrap_or_default().to_owned();
                self.names.entry(text("cid")).or_default().push(text("nick"));
            }
        }
    }

    /// `kill -9` with records on their way; how many.
    fn killed(&mut self, served: Serving) -> Result<usize, String> {
        let watch = Watch::start();
        let out = loop {
            let out = self.out()?;
            if out > 0 {
                break out;
            }
            if watch.passed() > OUT_WITHIN {
                return Err("no record is on its way".to_owned());
            }
            // Something to write for every scheme.
            self.change();
            pause(Duration::from_millis(20));
        };
        served.signal("KILL");
        match served.end() {
            None => Ok(out),
            Some(code) => Err(format!("the service ended by itself with {code}")),
        }
    }

    fn reader(&self) -> Result<ledger::Reader, String> {
        Ledger::open_read_only(&self.world.data()).map_err(|error| error.to_string())
    }

    fn out(&self) -> Result<usize, String> {
        let sending = RecordFilter {
            state: Some(RecordState::Sending),
            limit: 500,
            ..RecordFilter::default()
        };
        let rows = self.reader()?.list_records(&sending);
        Ok(rows.map_err(|error| error.to_string())?.len())
    }

    /// Bytes of the write-ahead log.
    fn wal(&self) -> u64 {
        let path: PathBuf = self.world.data().join("ledger.db-wal");
        std::fs::metadata(path).map_or(0, |about| about.len())
    }

    /// Ends the service, lets every scheme run once in peace, and judges.
    fn end(self, mut served: Serving, say: Say<'_>) -> Result<String, String> {
        let calls = self.world.calls("plain") + self.world.calls("huke");
        let faulty: u64 = self.world.sandbox().struck().iter().sum();
        let ended = now_ms();
        served.forget();
        served.signal("TERM");
        if served.end() != Some(143) {
            return Err("the service did not end as it was told".to_owned());
        }
        self.uncovered(ended - UNREAD_MS)?;
        self.world.control("fault", &json!({"clear": true}));
        for nth in 0..SCHEMES {
            self.last_run(nth)?;
        }
        say("every scheme has run once more, in peace".to_owned());
        self.uncovered(ended - 10_000)?;
        let runs = self.runs()?;
        let records = self.documents()?;
        let verified = self.world.engine(&["verify"]);
        if verified.code != Some(0) {
            return Err(verified.to_string());
        }
        Ok(format!(
            "{runs} runs, {records} records, {calls} calls of which {faulty} went wrong: the counts of every run add up, 0 ms unread, 0 lost, 0 doubled, the newest version last"
        ))
    }

    /// One run that is left in peace; again where it had to leave the target alone.
    fn last_run(&self, nth: usize) -> Result<(), String> {
        let mut said: Option<Ran> = None;
        for tried in 0..LAST_RUNS {
            if tried > 0 {
                pause(killed::CIRCUIT);
            }
            let ran = self
                .world
                .engine(&["run", &file(nth), "--json", "--settle-wait", "60s"]);
            let document: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
            let states = &document["runs"][0]["states"];
            let is_open = ["pending", "sending", "unknown"]
                .iter()
                .any(|state| states[state] != 0);
            if ran.code == Some(0) && !is_open {
                return Ok(());
            }
            said = Some(ran);
        }
        Err(said.map_or_else(String::new, |ran| ran.to_string()))
    }

    /// One stretch without a gap for each scheme, up to this instant at least.
    fn uncovered(&self, until: i64) -> Result<(), String> {
        let reader = self.reader()?;
        for nth in 0..SCHEMES {
            let closed = reader
                .closed_intervals(&id(nth))
                .map_err(|error| error.to_string())?;
            match closed.as_slice() {
                [one] if one.to >= until => {}
                // A short trial on a slow machine: nobody had to have read by then.
                [] if until < self.began => {}
                other => return Err(format!("{} has read {other:?}, and not up to {until}", id(nth))),
            }
        }
        Ok(())
    }

    /// All runs have ended and add up; how many there are.
    fn runs(&self) -> Result<usize, String> {
        let runs = self
            .reader()?
            .list_runs(&RunFilter::default())
            .map_err(|error| error.to_string())?;
        for run in &runs {
            let adds_up = run.counts.as_ref().is_some_and(flow::op::Counts::add_up);
            if run.ended.is_none() || !adds_up {
                return Err(format!("a run that does not add up: {run:?}"));
            }
        }
        Ok(runs.len())
    }

    /// What the target has executed, held against the source; how many records there are.
    fn documents(&self) -> Result<u64, String> {
        let reader = self.reader()?;
        let customers = self.world.state()["customers"].as_u64().unwrap_or(0);
        let effects = self.world.sandbox().effects();
        let mut wrong: Vec<String> = effects
            .iter()
            .filter(|one| one.is_doubled())
            .map(|one| format!("{} is {} documents", one.number, one.creates))
            .collect();
        for nth in 0..SCHEMES {
            let own = format!("{}-", id(nth));
            let written = effects.iter().filter(|one| one.number.starts_with(&own)).count();
            let states = reader.states(&id(nth)).map_err(|error| error.to_string())?;
            let mut of_states = RecordState::ALL.iter().zip(states);
            let done = of_states.find_map(|(state, n)| (*state == RecordState::Done).then_some(n));
            if states.iter().sum::<u64>() != customers
                || done != Some(customers)
                || u64::try_from(written) != Ok(customers)
            {
                wrong.push(format!(
                    "{}: {customers} customers, records {states:?}, {written} documents",
                    id(nth)
                ));
            }
        }
        let journal = self.world.journal();
        for nth in (0..SCHEMES).filter(|nth| is_put(*nth)) {
            let of_scheme =
                |(cid, names): (&String, &Vec<String>)| (format!("{}-{cid}", id(nth)), names.clone());
            wrong.extend(judged::out_of_order(
                &self.names.iter().map(of_scheme).collect(),
                &journal,
            ));
        }
        match wrong.is_empty() {
            true => Ok(customers * SCHEMES as u64),
            false => Err(wrong.join("\n")),
        }
    }
}

fn id(nth: usize) -> String {
    format!("s{:02}", nth + 1)
}

fn file(nth: usize) -> String {
    format!("schemes/{}.yaml", id(nth))
}

/// Whether it puts documents under their keys; the others add them, and renamed ones stay as they are.
fn is_put(nth: usize) -> bool {
    nth.is_multiple_of(2)
}

fn now_ms() -> i64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "held against the ledger of a real process"
    )]
    jiff::Timestamp::now().as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_stretch() {
        let held = |n: u64| Held { kib: n, files: n + 1 };
        let found = middle(&[10, 900, 20].map(held)).expect("three");
        assert_eq!((found.kib, found.files), (20, 21));
        middle(&[]).unwrap_err();
    }
}
