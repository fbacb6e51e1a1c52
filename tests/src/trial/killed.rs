//! One campaign: the real binary killed with `kill -9` again and again, at a target of one level that keeps failing.
//!
//! Every other kill falls at an instant drawn over the length of a run, which is learnt on the way; the others wait for
//! a write to reach the target and fall while it is under way, because that is when a kill hurts. The simulators live
//! in this process, outlive every kill, and their journal is the truth. The file of the ledger is checked after each
//! kill. In the end one run is left in peace, and [`super::judged`] says what came of it all.

use std::time::Duration;

use ledger::Ledger;
use ledger::read::RecordFilter;
use sandbox::{Config, Level, NewSettings};
use serde_json::json;

use super::judged::{self, Judged, Names};
use super::named::Say;
use super::{Random, Watch, micros};
use crate::e2e::{Ran, World, repository};

/// Ordinary trades at the start: 30 customers.
const TRADES: usize = 120;
/// Renamed and added before every run, so that there is always something to write.
const RENAMED: u64 = 3;
const ADDED: u64 = 6;
/// So many of a thousand calls about documents go wrong.
const FAULTY: u64 = 300;
/// What goes wrong; each is as likely.
const KINDS: [&str; 7] = [
    "drop_before",
    "drop_after",
    "http_500_before",
    "http_500_after",
    "half_body",
    "hang",
    "late_commit",
];
/// A write in order is executed at once and answered a little later, as by a real system.
const ANSWER_AFTER_MS: u64 = 30;
/// Of the connection to the target, in `tests/levels/connections.yaml`.
const QUIET_MS: u64 = 500;
/// The longest that an instant is drawn over; most of a longer run is waiting.
const LONGEST: Duration = Duration::from_secs(4);
/// A busy target is left alone for a minute; a run may end then with records that wait.
pub(super) const CIRCUIT: Duration = Duration::from_secs(61);
/// How often the last run may find the target left alone.
const LAST_RUNS: u32 = 3;

/// What to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Campaign {
    /// What the target can do.
    pub(super) level: Level,
    /// Kills that must hit a run.
    pub(super) kills: u64,
    /// Same seed, same data, same faults, and the same draws of instants.
    pub(super) seed: u64,
    /// How long after the connection is gone a late call is executed. The connection's quiet period is [`QUIET_MS`].
    pub(super) late_ms: u64,
}

/// What came of the kills.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) kills: u64,
    /// Records were claimed and not settled.
    pub(super) in_flight: u64,
    /// Nothing had reached the target yet.
    pub(super) before_writing: u64,
    /// Runs that ended before their kill.
    pub(super) too_late: u64,
    /// Calls about documents that went wrong.
    pub(super) faulty: u64,
    /// All calls about documents.
    pub(super) calls: u64,
}

/// How a campaign ended.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) tally: Tally,
    pub(super) judged: Judged,
}

/// The scheme that writes to a target of this level.
pub(super) fn scheme(level: Level) -> &'static str {
    match level {
        Level::None => "schemes/none.yaml",
        Level::Query => "schemes/query.yaml",
        Level::UniqueKey => "schemes/unique-key.yaml",
        Level::IdempotencyKey => "schemes/idempotency-key.yaml",
        Level::Upsert => "schemes/upsert.yaml",
    }
}

/// The level's name in the figures.
pub(super) fn name(level: Level) -> &'static str {
    match level {
        Level::None => "K0",
        Level::Upsert => "K1",
        Level::IdempotencyKey => "K2",
        Level::UniqueKey => "K3",
        Level::Query => "K4",
    }
}

/// The call that writes there.
pub(super) fn writes(level: Level) -> &'static str {
    match level {
        Level::Upsert => "putDocument",
        Level::None | Level::Query | Level::UniqueKey | Level::IdempotencyKey => "postDocuments",
    }
}

/// An aimed kill waits for one of so many writes of its run: three documents a call, or one.
fn aimed(level: Level) -> u64 {
    match level {
        Level::Upsert | Level::IdempotencyKey => 8,
        Level::None | Level::Query | Level::UniqueKey => 3,
    }
}

/// Runs a campaign. An error is a campaign that could not be run, or a ledger that a kill has damaged.
pub(super) fn run(campaign: &Campaign, say: Say<'_>) -> Result<Outcome, String> {
    let world = world(campaign, TRADES);
    let mut killer = Killer {
        campaign,
        world: &world,
        random: Random(campaign.seed),
        length: Duration::from_secs(2),
        names: Names::new(),
        tally: Tally::default(),
    };
    order_faults(&world, campaign);
    let watch = Watch::start();
    while killer.tally.kills < campaign.kills {
        if killer.tally.too_late > 5 * campaign.kills + 20 {
            return Err(format!("kills keep coming too late: {:?}", killer.tally));
        }
        killer.cycle()?;
        if killer.tally.kills.is_multiple_of(50) {
            let seconds = watch.passed().as_secs();
            say(format!(
                "{} after {seconds} s: {:?}",
                name(campaign.level),
                killer.tally
            ));
        }
    }
    killer.count_calls();
    world.control("fault", &json!({"clear": true}));
    if campaign.late_ms > QUIET_MS {
        // Between kills most late calls are over before anybody asks. These meet a run that asks in time.
        killer.change();
        let late = json!({
            "endpoint": writes(campaign.level), "kind": "late_commit", "delay_ms": campaign.late_ms, "nth": 1, "times": 2,
        });
        world.control("fault", &late);
    }
    let last = last_run(&world, campaign);
    pause(Duration::from_millis(campaign.late_ms + 500));
    let judged = judged::judge(&world, campaign.level, &killer.names, &last)?;
    Ok(Outcome {
        tally: killer.tally,
        judged,
    })
}

/// The levels' schemes over so many trades.
pub(super) fn world(campaign: &Campaign, trades: usize) -> World {
    let mut world = World::start(Config {
        trades,
        seed: campaign.seed,
        settings: NewSettings {
            plain: Some(campaign.level),
            ..NewSettings::default()
        },
        ..Config::default()
    });
    for file in [
        "connections.yaml",
        "connectors/plain/connector.yaml",
        scheme(campaign.level),
    ] {
        let path = repository().join("tests/levels").join(file);
        let text = std::fs::read_to_string(path).expect("the repository has it");
        world.write(file, &text);
    }
    for (connector, names) in [
        (
            "netease-huke",
            [
                ("server", "LEVELS_HUKE"),
                ("key", "LEVELS_HUKE_KEY"),
                ("secret", "LEVELS_HUKE_SECRET"),
            ],
        ),
        (
            "plain",
            [
                ("server", "LEVELS_PLAIN"),
                ("client_id", "LEVELS_PLAIN_ID"),
                ("client_secret", "LEVELS_PLAIN_SECRET"),
            ],
        ),
    ] {
        let params = world.sandbox().params(connector).expect("it is simulated");
        for (param, variable) in names {
            world.set(variable, &params[param]);
        }
    }
    world
}

/// The first plan is for questions, the last strikes every write that no other one does.
fn order_faults(world: &World, campaign: &Campaign) {
    let write = writes(campaign.level);
    let random = |endpoint: &str| {
        json!({
            "endpoint": endpoint, "kinds": KINDS, "per_mille": FAULTY, "seed": campaign.seed,
            "delay_ms": campaign.late_ms,
        })
    };
    let in_order = json!({"endpoint": write, "kind": "delay", "delay_ms": ANSWER_AFTER_MS});
    let plans = [random("getDocuments"), random(write), in_order];
    world.control("fault", &json!({"clear": true, "plans": plans}));
}

struct Killer<'a> {
    campaign: &'a Campaign,
    world: &'a World,
    random: Random,
    /// Over which instants are drawn.
    length: Duration,
    names: Names,
    tally: Tally,
}

impl Killer<'_> {
    /// Something new at the source, a run, and its kill.
    fn cycle(&mut self) -> Result<(), String> {
        self.change();
        let before = self.writes_so_far();
        let words = [
            "run",
            scheme(self.campaign.level),
            "--settle-wait",
            "5s",
            "--quiet",
        ];
        let mut process = self.world.command(&words).start();
        let watch = Watch::start();
        let ended = if self.tally.kills.is_multiple_of(2) {
            process.wait(Duration::from_micros(self.random.below(micros(self.length))))
        } else {
            let aim = before + 1 + self.random.below(aimed(self.campaign.level));
            let mut ended = false;
            // Ends with the run, if so many writes do not come.
            while !ended && self.writes_so_far() < aim {
                ended = process.wait(Duration::from_millis(2));
            }
            ended || process.wait(Duration::from_millis(self.random.below(2 * ANSWER_AFTER_MS)))
        };
        if ended {
            self.tally.too_late += 1;
            self.length = (self.length * 7 / 8).max(Duration::from_millis(50));
            return sound(&process.finish());
        }
        if !process.kill() {
            self.tally.too_late += 1;
            return Ok(());
        }
        let passed = watch.passed();
        self.tally.kills += 1;
        let in_flight = self.look()?;
        self.tally.in_flight += u64::from(in_flight);
        if self.writes_so_far() == before && !in_flight {
            self.tally.before_writing += 1;
            // Too early too often is as useless as too late.
            self.length = (self.length.max(passed) * 9 / 8).min(LONGEST);
        }
        Ok(())
    }

    /// Renames some customers and adds others; remembers what the source shows from now on.
    fn change(&mut self) {
        let answer = self
            .world
            .control("change", &json!({"customers": RENAMED, "new": ADDED}));
        for list in ["changed", "new"] {
            for customer in answer[list].as_array().into_iter().flatten() {
                let text = |name: &str| customer[name].as_str().unwrap_or_default().to_owned();
                self.names.entry(text("cid")).or_default().push(text("nick"));
            }
        }
    }

    /// Writes that have reached the target.
    fn writes_so_far(&self) -> u64 {
        self.world.sandbox().struck().iter().skip(1).sum()
    }

    /// Whether the kill left records behind whose fate is not known. A file that it damaged is an error.
    fn look(&self) -> Result<bool, String> {
        let data = self.world.data();
        if !data.join(ledger::open::LEDGER_FILE).exists() {
            return Ok(false);
        }
        let told = |error: ledger::StoreError| format!("the ledger after kill {}: {error}", self.tally.kills);
        let reader = match Ledger::open_read_only(&data) {
            Ok(reader) => reader,
            // The very first run was killed before there were tables.
            Err(_) if self.writes_so_far() == 0 => return Ok(false),
            Err(error) => return Err(told(error)),
        };
        // No scheme has this name: only the file itself is looked at.
        let report = reader.verify(Some("")).map_err(told)?;
        if !report.is_clean() {
            return Err(format!("the ledger after kill {}: {report:?}", self.tally.kills));
        }
        let sending = RecordFilter {
            state: Some(flow::op::RecordState::Sending),
            limit: 1,
            ..RecordFilter::default()
        };
        Ok(!reader.list_records(&sending).map_err(told)?.is_empty())
    }

    fn count_calls(&mut self) {
        let struck = self.world.sandbox().struck();
        self.tally.faulty = struck.iter().rev().skip(1).sum();
        let write = writes(self.campaign.level);
        self.tally.calls =
            self.world.calls(&format!("plain/{write}")) + self.world.calls("plain/getDocuments");
    }
}

/// A run that ends by itself has done its work, or says what is left.
fn sound(ran: &Ran) -> Result<(), String> {
    match ran.code {
        // 3: the target did not answer often enough to go on; what is open is said, and is the next run's.
        Some(0 | 1 | 3) => Ok(()),
        _ => Err(ran.to_string()),
    }
}

/// The run that is left in peace; once more where it had to leave the target alone.
pub(super) fn last_run(world: &World, campaign: &Campaign) -> Ran {
    let mut last = None;
    for nth in 0..LAST_RUNS {
        if nth > 0 {
            pause(CIRCUIT);
        }
        let ran = world.engine(&["run", scheme(campaign.level), "--json", "--settle-wait", "60s"]);
        let states =
            &serde_json::from_str::<serde_json::Value>(&ran.stdout).unwrap_or_default()["runs"][0]["states"];
        let open: u64 = ["pending", "sending", "unknown"]
            .iter()
            .filter_map(|state| states[state].as_u64())
            .sum();
        let is_over = open == 0;
        last = Some(ran);
        if is_over {
            break;
        }
    }
    last.expect("there is a first run")
}

/// Lets real time pass.
pub(super) fn pause(length: Duration) {
    #[expect(
        clippy::disallowed_methods,
        reason = "real processes and a target that executes late: there is no clock to move"
    )]
    std::thread::sleep(length);
}
