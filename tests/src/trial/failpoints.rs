//! A4: the real binary ended, or held up, at every instant between two effects, at targets of every level.
//!
//! A scenario is a list of commands. It is played once to learn which instants it reaches, and then once for each of
//! them: there the process aborts, or stands still; the command is given again, as a scheduler would, and the scenario
//! goes on to its end. What is at the target then is judged by the simulator's own journal. An instant that no scenario
//! reaches is an error, so that a new kind of transaction or call cannot be forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use flow::point::{Point, Side};
use sandbox::{Config, Level};
use serde_json::{Value, json};

use super::judged::{self, Names};
use super::killed::{self, Campaign};
use super::named::{Given, Say, Size, Trial};
use super::restore;
use crate::e2e::{FEEDER, MAIN, Ran, World};

/// Every failpoint.
pub(super) const A4: Trial = Trial {
    name: "A4",
    what: "abort and delay before and after every kind of transaction and call, at K0 to K4",
    sizes: &[
        Size {
            flag: "--times",
            full: 2,
            small: 1,
        },
        Size {
            flag: "--delay-ms",
            full: 5_000,
            small: 50,
        },
        // Scenarios in which a target is left alone for a minute.
        Size {
            flag: "--slow",
            full: 1,
            small: 0,
        },
        // Only every so manyth case; 1 = all of them.
        Size {
            flag: "--every",
            full: 1,
            small: 61,
        },
        Size {
            flag: "--seed",
            full: 1,
            small: 1,
        },
    ],
    run,
};

/// Scenarios side by side: most of one is waiting.
const WORKERS: usize = 6;
/// Ordinary trades of a scenario: four a customer.
const TRADES: usize = 48;
/// Customers at the start.
const CUSTOMERS: u64 = 12;
/// Far longer than the quiet period of every connection here.
const SETTLE: &str = "30s";

/// A list of commands at one kind of target.
struct Scenario {
    name: &'static str,
    place: Place,
    script: &'static [Act],
    /// Takes more than a minute, and is there for these points alone; empty = quick, and for all points.
    slow: &'static [Point],
}

#[derive(Debug, Clone, Copy)]
enum Place {
    /// The plain system, at one level.
    Plain(Level),
    /// The main scheme.
    Kingdee(Kind),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Saved, submitted and audited by calls of their own.
    Steps,
    /// Each with a contact, which a step writes, and its number kept beside it.
    Contacts,
    /// As the scheme stands.
    Whole,
    /// Saved only, and deleted again.
    Voided,
}

/// One thing that happens; `@` stands for the scheme.
#[derive(Debug, Clone, Copy)]
enum Act {
    Engine(&'static [&'static str]),
    /// What goes wrong from here on: endpoint (`@` = the write), which call, kind.
    Faults(&'static [(&'static str, u64, &'static str)]),
    /// So many customers are renamed, and so many added.
    Change(u64, u64),
    /// The ledger is lost; what is noted beside it stays.
    LoseLedger,
    /// The whole data directory is lost.
    LoseAll,
    /// Another text stands in the scheme.
    Edit(&'static str, &'static str),
    /// The last hours are read again.
    Replay,
}

const RUN: Act = Act::Engine(&["run", "@", "--settle-wait", SETTLE]);

const ORDINARY: &[Act] = &[
    Act::Engine(&["run", "@", "--limit", "2"]),
    Act::Faults(&[
        ("@", 1, "drop_after"),
        ("@", 3, "row_errors"),
        ("@", 4, "http_500_before"),
    ]),
    RUN,
    Act::Change(3, 3),
    Act::Engine(&["retry", "--yes", "--reason", "trial"]),
    RUN,
];

const SCENARIOS: &[Scenario] = &[
    plain(Level::None),
    plain(Level::Upsert),
    plain(Level::IdempotencyKey),
    plain(Level::UniqueKey),
    plain(Level::Query),
    adopted(Level::UniqueKey),
    adopted(Level::Query),
    Scenario {
        name: "replayed",
        place: Place::Plain(Level::Query),
        slow: &[],
        script: &[RUN, Act::Change(3, 3), Act::Replay, RUN],
    },
    Scenario {
        name: "found",
        place: Place::Kingdee(Kind::Whole),
        slow: &[],
        script: &[
            RUN,
            Act::Engine(&["run", FEEDER]),
            RUN,
            Act::LoseAll,
            Act::Engine(&["run", FEEDER]),
            RUN,
        ],
    },
    Scenario {
        name: "steps",
        place: Place::Kingdee(Kind::Steps),
        slow: &[],
        script: &[
            Act::Engine(&["run", FEEDER]),
            Act::Faults(&[("Submit", 1, "drop_after")]),
            RUN,
        ],
    },
    Scenario {
        name: "contacts",
        place: Place::Kingdee(Kind::Contacts),
        slow: &[],
        script: &[
            Act::Engine(&["run", FEEDER]),
            Act::Faults(&[("BatchSave", 2, "drop_after"), ("BatchSave", 5, "drop_after")]),
            RUN,
            // What was given is taken by another scheme.
            Act::Engine(&["run", "schemes/told.yaml", "--settle-wait", SETTLE]),
        ],
    },
    Scenario {
        name: "voided",
        place: Place::Kingdee(Kind::Voided),
        slow: &[],
        script: &[
            RUN,
            Act::Edit(
                "  key: buyerCid",
                "  void: {field: buyerCid, neq: none}\n  key: buyerCid",
            ),
            // A row that has not changed is not looked at again.
            Act::Change(CUSTOMERS, 0),
            RUN,
        ],
    },
    Scenario {
        name: "unreachable",
        place: Place::Plain(Level::Query),
        slow: &[Point::SetCircuit],
        // Four batches and the first questions about them: so many that the target is left alone for a minute.
        script: &[
            Act::Faults(&[
                ("getDocuments", 1, "drop_before"),
                ("getDocuments", 2, "drop_before"),
                ("@", 1, "drop_before"),
                ("@", 2, "drop_before"),
                ("@", 3, "drop_before"),
                ("@", 4, "drop_before"),
                ("@", 5, "drop_before"),
            ]),
            RUN,
        ],
    },
];

const fn plain(level: Level) -> Scenario {
    Scenario {
        name: "ordinary",
        place: Place::Plain(level),
        slow: &[],
        script: ORDINARY,
    }
}

const fn adopted(level: Level) -> Scenario {
    Scenario {
        name: "adopted",
        place: Place::Plain(level),
        slow: &[],
        script: &[
            RUN,
            Act::LoseLedger,
            Act::Engine(&["adopt", "@", "--reason", "trial", "--yes"]),
            RUN,
        ],
    }
}

/// Points at which processes die in tests of their own, end to end: rows of which several become one document are judged
/// by what was booked in sum; tasks need a connector that asks about them for seconds instead of minutes, versions a
/// source that has them, stored rows of another scheme more of them than a page holds. What is pushed is taken as what another scheme gives; the door of a service A21 kills at random.
const ELSEWHERE: &[Point] = &[
    Point::PickLoose,
    Point::Freeze,
    Point::NoteTask,
    Point::Task,
    Point::ReadVersions,
    Point::NoteVersions,
    Point::MovePlace,
];

/// Where one process fails.
#[derive(Debug, Clone, Copy)]
struct Fail {
    /// The command, by its place in the script.
    act: usize,
    point: Point,
    side: Side,
    nth: u64,
    /// `None` = it aborts.
    delay_ms: Option<u64>,
}

impl Fail {
    fn setting(&self) -> String {
        let then = match self.delay_ms {
            None => "abort".to_owned(),
            Some(ms) => format!("delay={ms}"),
        };
        format!("{}:{}:{}:{then}", self.point.word(), self.side.word(), self.nth)
    }
}

/// How often each instant is reached, by command.
type Census = BTreeMap<(Point, Side), Vec<(usize, u64)>>;

fn run(given: &Given, say: Say<'_>) -> Result<String, String> {
    let seed = given.get("--seed");
    let elsewhere = ELSEWHERE
        .iter()
        .flat_map(|point| Side::ALL.map(|side| (*point, side)));
    let mut reached: BTreeSet<(Point, Side)> = elsewhere.collect();
    let mut cases: Vec<(&Scenario, Fail)> = Vec::new();
    let (slow, quick): (Vec<_>, Vec<_>) = SCENARIOS.iter().partition(|scenario| !scenario.slow.is_empty());
    let played = if given.get("--slow") > 0 {
        [slow, quick].concat()
    } else {
        let left_out = slow.iter().flat_map(|scenario| scenario.slow);
        reached.extend(left_out.flat_map(|point| Side::ALL.map(|side| (*point, side))));
        quick
    };
    let censuses = side_by_side(played.clone(), |scenario| census(scenario, seed));
    for (scenario, census) in played.iter().zip(censuses) {
        let mut census = census.map_err(|why| format!("{}, nothing failing: {why}", told(scenario)))?;
        census.retain(|(point, _), _| scenario.slow.is_empty() || scenario.slow.contains(point));
        reached.extend(census.keys().copied());
        let times = usize::try_from(given.get("--times")).unwrap_or(usize::MAX);
        for ((point, side), places) in census {
            for (act, nth) in spread(&places, times) {
                let fail = Fail {
                    act,
                    point,
                    side,
                    nth,
                    delay_ms: None,
                };
                cases.push((scenario, fail));
            }
        }
    }
    // Behind the others, so that a sample holds both.
    let delay_ms = Some(given.get("--delay-ms"));
    let delayed: Vec<_> = cases
        .iter()
        .map(|(scenario, fail)| (*scenario, Fail { delay_ms, ..*fail }))
        .collect();
    cases.extend(delayed);
    let missing: Vec<String> = Point::ALL
        .iter()
        .flat_map(|point| Side::ALL.map(|side| (*point, side)))
        .filter(|instant| !reached.contains(instant))
        .map(|(point, side)| format!("{} {}", side.word(), point.word()))
        .collect();
    if !missing.is_empty() {
        return Err(format!("no scenario reaches {}", missing.join(", ")));
    }
    let all = cases.len();
    let every = usize::try_from(given.get("--every").max(1)).unwrap_or(1);
    let cases: Vec<_> = cases.into_iter().step_by(every).collect();
    say(format!("{} of {all} cases", cases.len()));
    let ended = side_by_side(cases.clone(), |(scenario, fail)| play(scenario, Some(fail), seed));
    let (mut aborts, mut missed, mut problems) = (0_u64, 0_u64, Vec::new());
    for ((scenario, fail), ended) in cases.iter().zip(ended) {
        match ended {
            Ok(played) => {
                aborts += u64::from(played.aborted);
                missed += u64::from(fail.delay_ms.is_none() && !played.aborted);
            }
            Err(why) => problems.push(format!(
                "{}, command {} with ENGINE_FAILPOINT={}, seed {seed}:\n{why}",
                told(scenario),
                fail.act,
                fail.setting()
            )),
        }
    }
    if !problems.is_empty() {
        return Err(format!(
            "{} of {} cases:\n{}",
            problems.len(),
            cases.len(),
            problems.join("\n\n")
        ));
    }
    // Which commands go out how often depends a little on time.
    if missed * 10 > aborts {
        return Err(format!("{missed} aborts were never reached, {aborts} were"));
    }
    Ok(format!(
        "{} instants ({} kinds of transaction and call) in {} scenarios: {aborts} aborts, {} delays, 0 lost, 0 doubled",
        reached.len(),
        Point::ALL.len(),
        played.len(),
        cases.len() as u64 - aborts - missed,
    ))
}

fn told(scenario: &Scenario) -> String {
    match scenario.place {
        Place::Plain(level) => format!("{} at {}", scenario.name, killed::name(level)),
        Place::Kingdee(_) => scenario.name.to_owned(),
    }
}

/// So many of them at most: the first, the last, and some between.
fn spread(places: &[(usize, u64)], most: usize) -> Vec<(usize, u64)> {
    let all: Vec<(usize, u64)> = places
        .iter()
        .flat_map(|(act, count)| (1..=*count).map(|nth| (*act, nth)))
        .collect();
    if all.len() <= most {
        return all;
    }
    let step = |n: usize| n * (all.len() - 1) / most.saturating_sub(1).max(1);
    (0..most).map(|n| all[step(n)]).collect()
}

/// Does one thing for each of many, a few at a time; the answers in order.
fn side_by_side<I: Copy + Send + Sync, T: Send>(items: Vec<I>, work: impl Fn(I) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, T)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..WORKERS.min(items.len()) {
            scope.spawn(|| {
                while let nth = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(item) = items.get(nth)
                {
                    let answer = work(*item);
                    done.lock()
                        .expect("nobody panics while holding it")
                        .push((nth, answer));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("the workers have ended");
    done.sort_by_key(|(nth, _)| *nth);
    done.into_iter().map(|(_, answer)| answer).collect()
}

/// How a case was played.
#[derive(Debug, Default)]
struct Played {
    aborted: bool,
    /// The instants that each command reached, where nothing failed.
    census: Census,
}

fn census(scenario: &Scenario, seed: u64) -> Result<Census, String> {
    play(scenario, None, seed).map(|played| played.census)
}

/// Plays a scenario to its end and judges it.
fn play(scenario: &Scenario, fail: Option<Fail>, seed: u64) -> Result<Played, String> {
    let mut stage = Stage::new(scenario, seed);
    let mut played = Played::default();
    for (nth, act) in scenario.script.iter().enumerate() {
        let Some(words) = stage.act(act)? else { continue };
        let failing = fail.filter(|fail| fail.act == nth);
        let notes = stage.world.path(&format!("points-{nth}"));
        let setting = match (failing, fail) {
            (Some(fail), _) => Some(fail.setting()),
            (None, None) => Some(format!("note:{}", notes.display())),
            (None, Some(_)) => None,
        };
        let mut ran = stage.engine(&words, setting.as_deref());
        if ran.code.is_none() && failing.is_some_and(|fail| fail.delay_ms.is_none()) {
            played.aborted = true;
            ran = stage.engine(&words, None);
        }
        sound(&ran)?;
        stage.note_instant(&ran);
        if fail.is_none() {
            read_notes(&notes, nth, &mut played.census)?;
        }
    }
    stage.judge()?;
    Ok(played)
}

/// A command ends by itself, and not because of a bug. Decisions that were taken before the process ended are refused
/// the second time.
fn sound(ran: &Ran) -> Result<(), String> {
    match ran.code {
        Some(0..=3) => Ok(()),
        _ => Err(ran.to_string()),
    }
}

fn read_notes(path: &std::path::Path, act: usize, census: &mut Census) -> Result<(), String> {
    // A command that reaches none writes none.
    let text = std::fs::read_to_string(path).unwrap_or_default();
    for line in text.lines() {
        let instant = line
            .split_once(' ')
            .and_then(|(point, side)| Some((Point::from_word(point)?, Side::from_word(side)?)));
        let places = census
            .entry(instant.ok_or_else(|| format!("no instant: {line}"))?)
            .or_default();
        match places.last_mut() {
            Some((last, count)) if *last == act => *count += 1,
            _ => places.push((act, 1)),
        }
    }
    Ok(())
}

/// A scenario under way.
struct Stage {
    place: Place,
    world: World,
    names: Names,
    /// When the last run was, in milliseconds.
    instant: i64,
    campaign: Campaign,
}

impl Stage {
    fn new(scenario: &Scenario, seed: u64) -> Self {
        let level = match scenario.place {
            Place::Plain(level) => level,
            Place::Kingdee(_) => Level::UniqueKey,
        };
        let campaign = Campaign {
            level,
            kills: 0,
            seed,
            late_ms: 0,
        };
        let world = match scenario.place {
            Place::Plain(level) => {
                let world = killed::world(&campaign, TRADES);
                // A window of several pages.
                world.edit(killed::scheme(level), "page_size: 100", "page_size: 20");
                world
            }
            Place::Kingdee(kind) => kingdee(kind, seed),
        };
        Stage {
            place: scenario.place,
            world,
            names: Names::new(),
            instant: 0,
            campaign,
        }
    }

    fn scheme(&self) -> &'static str {
        match self.place {
            Place::Plain(level) => killed::scheme(level),
            Place::Kingdee(_) => MAIN,
        }
    }

    /// Does what is no command; gives the words of what is one.
    fn act(&mut self, act: &Act) -> Result<Option<Vec<String>>, String> {
        match act {
            Act::Engine(words) => {
                let words = words
                    .iter()
                    .map(|word| if *word == "@" { self.scheme() } else { word });
                return Ok(Some(words.map(str::to_owned).collect()));
            }
            Act::Replay => {
                let from = (self.instant - 24 * 3_600_000).to_string();
                let to = (self.instant - 60_000).to_string();
                let words = [
                    "replay",
                    self.scheme(),
                    "--from",
                    &from,
                    "--to",
                    &to,
                    "--again",
                    "--reason",
                    "trial",
                    "--yes",
                ];
                return Ok(Some(words.map(str::to_owned).to_vec()));
            }
            Act::Faults(faults) => {
                for (endpoint, nth, kind) in *faults {
                    let endpoint = if *endpoint == "@" {
                        killed::writes(self.campaign.level)
                    } else {
                        endpoint
                    };
                    let mut order = json!({"endpoint": endpoint, "nth": nth, "kind": kind});
                    if *kind == "row_errors" {
                        order["rows"] = json!([0]);
                    }
                    self.world.control("fault", &order);
                }
            }
            Act::Change(renamed, added) => self.change(*renamed, *added),
            Act::LoseLedger => {
                for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
                    drop(std::fs::remove_file(self.world.data().join(name)));
                }
            }
            Act::LoseAll => std::fs::remove_dir_all(self.world.data()).map_err(|e| e.to_string())?,
            Act::Edit(from, to) => self.world.edit(self.scheme(), from, to),
        }
        Ok(None)
    }

    fn change(&mut self, renamed: u64, added: u64) {
        let answer = self
            .world
            .control("change", &json!({"customers": renamed, "new": added}));
        for list in ["changed", "new"] {
            for customer in answer[list].as_array().into_iter().flatten() {
                let text = |name: &str| customer[name].as_str().unwrap_or_default().to_owned();
                self.names.entry(text("cid")).or_default().push(text("nick"));
            }
        }
    }

    fn engine(&self, words: &[String], setting: Option<&str>) -> Ran {
        let words: Vec<&str> = words.iter().map(String::as_str).chain(["--json"]).collect();
        let command = self.world.command(&words);
        match setting {
            Some(setting) => command.env("ENGINE_FAILPOINT", setting).finish(),
            None => command.finish(),
        }
    }

    fn note_instant(&mut self, ran: &Ran) {
        let document: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
        let instant = document["runs"][0]["instant"].as_str();
        if let Some(instant) = instant.and_then(|text| text.parse::<jiff::Timestamp>().ok()) {
            self.instant = instant.as_millisecond();
        }
    }

    /// One run in peace, and the verdict.
    fn judge(&self) -> Result<(), String> {
        self.world.control("fault", &json!({"clear": true}));
        match self.place {
            Place::Plain(level) => {
                let last = killed::last_run(&self.world, &self.campaign);
                let judged = judged::judge(&self.world, level, &self.names, &last)?;
                let problems = judged.problems();
                if problems.is_empty() {
                    Ok(())
                } else {
                    Err(problems.join("\n"))
                }
            }
            Place::Kingdee(kind) => {
                let ran = self
                    .world
                    .engine(&["run", MAIN, "--json", "--settle-wait", SETTLE]);
                let partly = kind == Kind::Voided && ran.code == Some(1);
                if ran.code != Some(0) && !partly {
                    return Err(ran.to_string());
                }
                match kind {
                    Kind::Whole | Kind::Steps => {
                        restore::verdict(&self.world, &BTreeMap::new()).and_then(|()| {
                            if kind == Kind::Steps {
                                self.stepped()
                            } else {
                                Ok(())
                            }
                        })
                    }
                    Kind::Voided => self.voided(),
                    Kind::Contacts => self.contacts(),
                }
            }
        }
    }

    /// Every document was submitted and audited, once.
    fn stepped(&self) -> Result<(), String> {
        self.made(&["create", "submit", "audit"])
    }

    /// Every customer was made once, and its contact once, with the number of the customer.
    fn contacts(&self) -> Result<(), String> {
        let journal = self.world.journal();
        let customers = self.world.state()["customers"].as_u64().unwrap_or(0);
        let of = |form: &str| -> Vec<String> {
            let made = journal
                .iter()
                .filter(|entry| entry.form == form && entry.action == "create");
            made.map(|entry| entry.number.clone()).collect()
        };
        let (made, mut contacts) = (of("BD_Customer"), of("BD_CommonContact"));
        let told = self
            .world
            .engine(&["run", "schemes/told.yaml", "--settle-wait", SETTLE]);
        if told.code != Some(0) {
            return Err(told.to_string());
        }
        let again = self.world.journal();
        let given = again
            .iter()
            .filter(|entry| entry.number.starts_with("T-") && entry.action == "create");
        contacts = contacts
            .into_iter()
            .filter(|number| number.starts_with("C-"))
            .chain(given.map(|entry| entry.number.clone()))
            .collect();
        let mut wanted: Vec<String> = made
            .iter()
            .flat_map(|number| [format!("C-{number}"), format!("T-{number}")])
            .collect();
        wanted.sort();
        contacts.sort();
        if made.len() as u64 != customers || contacts != wanted {
            return Err(format!("{customers} customers, {made:?}, contacts: {contacts:?}"));
        }
        let verified = self.world.engine(&["verify"]);
        match verified.code {
            Some(0) => Ok(()),
            _ => Err(verified.to_string()),
        }
    }

    /// Every document was made once, and deleted at most once; whether it is gone when its answer was lost, a person
    /// looks.
    fn voided(&self) -> Result<(), String> {
        self.made(&["create"])?;
        let customers = self.world.state()["customers"].as_u64().unwrap_or(0);
        let deleted = self.numbers("delete");
        let different: BTreeSet<&String> = deleted.iter().collect();
        let listed = self.world.engine(&[
            "rows",
            "list",
            "--scheme",
            "huke-to-k3",
            "--state",
            "held",
            "--limit",
            "0",
            "--json",
        ]);
        let document: Value = serde_json::from_str(&listed.stdout).map_err(|_| listed.to_string())?;
        let held = document["rows"].as_array().map_or(0, Vec::len);
        if different.len() != deleted.len() || ((deleted.len() + held) as u64) < customers {
            return Err(format!(
                "{customers} customers, {held} held, deleted: {deleted:?}"
            ));
        }
        let verified = self.world.engine(&["verify"]);
        if verified.code == Some(0) {
            Ok(())
        } else {
            Err(verified.to_string())
        }
    }

    fn made(&self, actions: &[&str]) -> Result<(), String> {
        let customers = self.world.state()["customers"].as_u64().unwrap_or(0);
        for action in actions {
            let of = self.numbers(action);
            let different: BTreeSet<&String> = of.iter().collect();
            if of.len() as u64 != customers || different.len() != of.len() {
                return Err(format!("{action}: {customers} customers, {of:?}"));
            }
        }
        Ok(())
    }

    /// Whose documents met an action at the target.
    fn numbers(&self, action: &str) -> Vec<String> {
        let journal = self.world.journal().into_iter();
        journal
            .filter(|entry| entry.action == action)
            .map(|entry| entry.number)
            .collect()
    }
}

/// A customer, and a contact with its number.
const CONTACTS: &str = "  steps:
    - {step: save, api: batchSave}
    - step: contact
      api: batchSave
      options: {FormId: BD_CommonContact}
      request: {FNumber: C-<<$step.save.number>>, FName: <<buyerNick>>}
  options: {FormId: BD_Customer, IsAutoSubmitAndAudit: true}
  on_success:
    save: {k3_number: <<$answer.number>>, contact: <<$step.contact.number>>}
    emit: {scheme: told, row: {no: T-<<buyerCid>>, name: <<buyerNick>>}}";

/// What is given to another scheme becomes a contact, too.
const TOLD: &str = "scheme: told
source: {scheme: huke-to-k3, key: no}
target:
  connection: k3
  api: batchSave
  options: {FormId: BD_CommonContact, IsAutoSubmitAndAudit: true}
  request: {FNumber: <<no>>, FName: <<name>>}
schedule: {after: huke-to-k3}
";

fn kingdee(kind: Kind, seed: u64) -> World {
    let world = World::start(Config {
        trades: TRADES,
        seed,
        ..Config::default()
    });
    world.batch(3);
    world.impatient();
    let api = "  api: batchSave\n  options: {FormId: BD_Customer, IsAutoSubmitAndAudit: true}";
    match kind {
        Kind::Whole => world.edit(
            MAIN,
            "    FDescription: _findCollection find 唯一ID from dd359ae0-f1c0-3d0a-b38e-df1d6bf1f756 where cid=<<buyerCid>>",
            "    FDescription: {$lookup: huke-customers, $get: 唯一ID, $by: {cid: <<buyerCid>>}}",
        ),
        Kind::Steps => world.edit(
            MAIN,
            api,
            "  steps: [batchSave, submit, audit]\n  options: {FormId: BD_Customer}",
        ),
        Kind::Contacts => {
            world.write("schemes/told.yaml", TOLD);
            world.edit(MAIN, api, CONTACTS);
        }
        Kind::Voided => world.edit(
            MAIN,
            api,
            "  api: {create: batchSave, update: batchSave, void: delete}\n  options: {FormId: BD_Customer}",
        ),
    }
    world
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn occurrences_are_spread() {
        let places = [(0, 3), (2, 2)];
        for (most, want) in [
            (9, &[(0, 1), (0, 2), (0, 3), (2, 1), (2, 2)][..]),
            (3, &[(0, 1), (0, 3), (2, 2)]),
            (2, &[(0, 1), (2, 2)]),
            (1, &[(0, 1)]),
            (0, &[]),
        ] {
            assert_eq!(spread(&places, most), want, "{most}");
        }
        assert_eq!(spread(&[], 2), []);
    }

    #[test]
    fn what_is_done_for_many_comes_in_order() {
        assert_eq!(
            side_by_side((0..50_u64).collect(), |n| n * n),
            (0..50).map(|n| n * n).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_setting_is_what_the_binary_reads() {
        let fail = Fail {
            act: 0,
            point: Point::Claim,
            side: Side::After,
            nth: 2,
            delay_ms: None,
        };
        assert_eq!(fail.setting(), "claim:after:2:abort");
        let held_up = Fail {
            delay_ms: Some(50),
            ..fail
        };
        assert_eq!(held_up.setting(), "claim:after:2:delay=50");
    }
}
