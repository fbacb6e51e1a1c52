//! The platform's mapping functions, and our own interface of mappings, called by many at a time at the real
//! `engine serve`, which is killed in between.
//!
//! Every id that a caller sends is its own, or one that many want: so the history of the ledger says which call took
//! effect, and which did not. Each change has to be acknowledged, or cut off by a kill; begin where the one before it
//! ended; and no two source records may have one document. Counters are raised by one by who has seen them: what is
//! acknowledged is in the number at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ledger::service::mapping::EntryFilter;
use serde_json::{Value, json};

use super::Random;
use super::named::{Given, Say, Size, Trial};
use super::pushes::{ASYNC, Sender, TOKEN, Yard, pause};
use crate::e2e::Process;

pub(super) const TRIAL: Trial = Trial {
    name: "mapping",
    what: "mappings created, updated and asked for by many at a time, with kills in between: doubles, lost updates",
    sizes: &[
        Size {
            flag: "--calls",
            full: 10_000,
            small: 600,
        },
        Size {
            flag: "--callers",
            full: 16,
            small: 8,
        },
        Size {
            flag: "--kills",
            full: 20,
            small: 2,
        },
        Size {
            flag: "--seed",
            full: 1,
            small: 1,
        },
    ],
    run,
};

/// The scheme of the yard.
const POLICY: &str = "pushed";
/// Its pair of objects.
const OBJECTS: [&str; 2] = ["pushedObj", "add_unique"];
/// Source records that calls are about: few, so that they meet.
const SOURCES: u64 = 120;
/// Documents that many source records want.
const WANTED: u64 = 40;
/// Source records whose document is a number that is raised.
const COUNTERS: u64 = 4;
/// How long nobody may do anything.
const STUCK_AFTER: Duration = Duration::from_secs(120);

/// What a caller asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Create,
    Update,
    Raise,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    Refused,
    /// The service was killed before it answered.
    Unknown,
}

#[derive(Debug)]
struct Call {
    task: Task,
    source: String,
    dest: String,
    fate: Fate,
}

/// What one caller did.
#[derive(Debug, Default)]
struct Log {
    changes: Vec<Call>,
    queries: u64,
}

/// What all callers share.
struct Crowd {
    seed: u64,
    /// Calls made so far, and the most of this service's life.
    made: AtomicU64,
    most: AtomicU64,
    /// For ids that no other call has.
    next: AtomicU64,
    /// Of our own interface.
    bearer: String,
}

fn run(given: &Given, say: Say<'_>) -> Result<String, String> {
    let yard = Yard::new(&ASYNC);
    let token = yard
        .world
        .engine(&["token", "create", "trial", "--scope", "operate", "--json"]);
    let token = token.expect(0).json()["token"].as_str().map(str::to_owned);
    let crowd = Crowd {
        seed: given.get("--seed"),
        made: AtomicU64::new(0),
        most: AtomicU64::new(0),
        next: AtomicU64::new(0),
        bearer: format!("Bearer {}", token.ok_or("no token")?),
    };
    let (calls, kills) = (given.get("--calls"), given.get("--kills"));
    let mut all = Log::default();
    for life in 0..=kills {
        let (process, addr) = yard.serve()?;
        if life == 0 {
            begin(addr)?;
        }
        let is_last = life == kills;
        // Where this life ends: by a kill with calls under way, or when all have been made.
        let end = calls * (life + 1) / (kills + 1);
        crowd
            .most
            .store(if is_last { calls } else { u64::MAX }, Ordering::Relaxed);
        let mut process = Some(process);
        let logs = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..given.get("--callers"))
                .map(|nth| {
                    let crowd = &crowd;
                    scope.spawn(move || caller(crowd, addr, life * 1_000 + nth))
                })
                .collect();
            if !is_last {
                let (mut before, mut looks) = (0, 0);
                while crowd.made.load(Ordering::Relaxed) < end && looks < STUCK_AFTER.as_millis() {
                    pause(Duration::from_millis(1));
                    let made = crowd.made.load(Ordering::Relaxed);
                    looks = if made == before { looks + 1 } else { 0 };
                    before = made;
                }
                process.take().map(Process::kill);
            }
            let logs = callers.into_iter().map(|caller| {
                let log = caller.join().map_err(|_| "a caller broke".to_owned())?;
                log.map_err(|why| format!("a caller: {why}"))
            });
            logs.collect::<Result<Vec<Log>, String>>()
        });
        // The last one has answered everybody.
        process.map(Process::kill);
        for log in logs? {
            all.changes.extend(log.changes);
            all.queries += log.queries;
        }
        yard.sound(life)?;
        say(format!(
            "mapping, life {life}: {} calls",
            crowd.made.load(Ordering::Relaxed)
        ));
    }
    let made = crowd.made.load(Ordering::Relaxed);
    judge(&yard, &all)?;
    let of = |task: Task, fate: Fate| {
        let same = |call: &&Call| call.task == task && call.fate == fate;
        all.changes.iter().filter(same).count()
    };
    let cut_off = all.changes.iter().filter(|call| call.fate == Fate::Unknown);
    Ok(format!(
        "{made} calls by {} at a time, {kills} kills: {} created, {} updated, {} raised by one by who had seen the number; \
         {} refused because somebody else was first, {} cut off, {} queries: 0 doubles, 0 lost updates",
        given.get("--callers"),
        of(Task::Create, Fate::Done),
        of(Task::Update, Fate::Done),
        of(Task::Raise, Fate::Done),
        all.changes
            .iter()
            .filter(|call| call.fate == Fate::Refused)
            .count(),
        cut_off.count(),
        all.queries,
    ))
}

fn function(name: &str) -> String {
    format!("/erp/syncdata/open/mapping/{name}")
}

const HEADERS: [(&str, &str); 2] = [("token", TOKEN), ("tenantId", "81")];

fn about(source: &str, dest: &str) -> Value {
    json!({
        "ployDetailId": POLICY, "sourceObjectApiName": OBJECTS[0], "destObjectApiName": OBJECTS[1],
        "sourceDataId": source, "destDataId": dest,
    })
}

/// The counters, before anybody raises them.
fn begin(addr: SocketAddr) -> Result<(), String> {
    let mut sender = Sender::connect(addr).map_err(|error| error.to_string())?;
    for nth in 0..COUNTERS {
        let (source, dest) = (format!("C{nth}"), format!("C{nth}-0"));
        let said = sender.call("POST", &function("create"), &HEADERS, &about(&source, &dest));
        match said {
            Ok((200, answer)) if answer["errCode"] == "s106240000" => {}
            other => return Err(format!("{source}: {other:?}")),
        }
    }
    Ok(())
}

/// Calls until there are enough, or the service is gone.
fn caller(crowd: &Crowd, addr: SocketAddr, nth: u64) -> Result<Log, String> {
    let mut log = Log::default();
    let Ok(mut sender) = Sender::connect(addr) else {
        return Ok(log);
    };
    let mut random = Random(crowd.seed ^ nth << 32);
    loop {
        let many = crowd.made.fetch_add(1, Ordering::Relaxed);
        if many >= crowd.most.load(Ordering::Relaxed) {
            crowd.made.fetch_sub(1, Ordering::Relaxed);
            return Ok(log);
        }
        let is_there = match random.below(10) {
            0..3 => change(crowd, &mut sender, &mut random, Task::Create, &mut log)?,
            3..7 => change(crowd, &mut sender, &mut random, Task::Update, &mut log)?,
            7 => query(&mut sender, &mut random, &mut log)?,
            _ => raise(crowd, &mut sender, &mut random, &mut log)?,
        };
        if !is_there {
            return Ok(log);
        }
    }
}

/// Creates or updates; whether the service is still there.
fn change(
    crowd: &Crowd,
    sender: &mut Sender,
    random: &mut Random,
    task: Task,
    log: &mut Log,
) -> Result<bool, String> {
    let source = format!("S{}", random.below(SOURCES));
    let dest = match random.below(3) {
        0 => format!("w{}", random.below(WANTED)),
        _ => format!("d{}", crowd.next.fetch_add(1, Ordering::Relaxed)),
    };
    let path = function(if task == Task::Create { "create" } else { "update" });
    let (fate, said) = match sender.call("POST", &path, &HEADERS, &about(&source, &dest)) {
        Err(_) => (Fate::Unknown, String::new()),
        Ok((200, answer)) => {
            let said = answer["errCode"].as_str().unwrap_or_default().to_owned();
            let fate = if said == "s106240000" {
                Fate::Done
            } else {
                Fate::Refused
            };
            (fate, said)
        }
        Ok((status, answer)) => return Err(format!("{path}: {status} {answer}")),
    };
    // Somebody else has the document; there is a mapping already, or none yet.
    let known = ["E6137", if task == Task::Create { "E6130" } else { "E6131" }];
    if fate == Fate::Refused && !known.contains(&said.as_str()) {
        return Err(format!("{path} of {source} {dest}: {said}"));
    }
    log.changes.push(Call {
        task,
        source,
        dest,
        fate,
    });
    Ok(fate != Fate::Unknown)
}

fn asked(sender: &mut Sender, source: &str) -> std::io::Result<Value> {
    let body = json!({
        "ployDetailId": POLICY, "sourceObjectApiName": OBJECTS[0], "destObjectApiName": OBJECTS[1],
        "sourceDataIds": [source],
    });
    let (_, answer) = sender.call("POST", &function("query"), &HEADERS, &body)?;
    Ok(answer)
}

fn query(sender: &mut Sender, random: &mut Random, log: &mut Log) -> Result<bool, String> {
    let source = format!("S{}", random.below(SOURCES));
    let Ok(answer) = asked(sender, &source) else {
        return Ok(false);
    };
    log.queries += 1;
    if answer["errCode"] == "s106240000" {
        Ok(true)
    } else {
        Err(format!("query: {answer}"))
    }
}

/// Raises a counter by one over our own interface, by what was seen; nobody else may have raised it meanwhile.
fn raise(crowd: &Crowd, sender: &mut Sender, random: &mut Random, log: &mut Log) -> Result<bool, String> {
    let source = format!("C{}", random.below(COUNTERS));
    let Ok(answer) = asked(sender, &source) else {
        return Ok(false);
    };
    log.queries += 1;
    let seen = answer["data"][&source]["destDataId"].as_str().unwrap_or_default();
    let number = seen.split('-').nth(1).and_then(|text| text.parse::<u64>().ok());
    let number = number.ok_or_else(|| format!("a counter that is none: {answer}"))?;
    let dest = format!("{source}-{}", number + 1);
    let body = json!({"scheme": POLICY, "source_id": source, "dest_id": dest, "expected": seen});
    let headers = [("authorization", crowd.bearer.as_str())];
    crowd.made.fetch_add(1, Ordering::Relaxed);
    let fate = match sender.call("PATCH", "/api/v1/mappings/data", &headers, &body) {
        Err(_) => Fate::Unknown,
        Ok((200, _)) => Fate::Done,
        Ok((_, answer)) if answer["code"] == "E6139" => Fate::Refused,
        Ok((status, answer)) => return Err(format!("{body}: {status} {answer}")),
    };
    log.changes.push(Call {
        task: Task::Raise,
        source,
        dest,
        fate,
    });
    Ok(fate != Fate::Unknown)
}

/// Holds the ledger against what was answered.
fn judge(yard: &Yard, all: &Log) -> Result<(), String> {
    let told = |error: ledger::StoreError| error.to_string();
    let reader = yard.reader()?;
    let filter = EntryFilter {
        schemes: vec![POLICY.to_owned()],
        limit: u32::MAX,
        ..EntryFilter::default()
    };
    let entries = reader.mapping_entries(&filter).map_err(told)?;
    let (mut keys, mut documents) = (BTreeSet::new(), BTreeSet::new());
    let mut history: BTreeMap<(String, String), u64> = BTreeMap::new();
    for entry in &entries {
        let source = entry.at.key.trim_matches(|c| matches!(c, '[' | ']' | '"'));
        let id = entry.target_id.clone().unwrap_or_default();
        if !keys.insert(source) || !documents.insert(id.clone()) {
            return Err(format!("a double: {source} -> {id}"));
        }
        let changes = reader
            .mapping_history(POLICY, &entry.at.key, u32::MAX)
            .map_err(told)?;
        let mut last = None;
        for change in changes {
            if change.before != last {
                return Err(format!(
                    "{source}: {change:?} does not begin where it ended: {last:?}"
                ));
            }
            last = change.after.clone();
            let dest = change.after.unwrap_or_default();
            *history.entry((source.to_owned(), dest)).or_default() += 1;
        }
        if last.as_deref() != Some(id.as_str()) {
            return Err(format!("{source} is {id}, and its history ends with {last:?}"));
        }
    }
    if !reader.doubles(None, 1).map_err(told)?.is_empty() {
        return Err("documents of two source records".to_owned());
    }
    for nth in 0..COUNTERS {
        history.remove(&(format!("C{nth}"), format!("C{nth}-0")));
    }
    let mut asked: BTreeMap<(String, String), [u64; 3]> = BTreeMap::new();
    for call in &all.changes {
        let of = asked.entry((call.source.clone(), call.dest.clone())).or_default();
        of[match call.fate {
            Fate::Done => 0,
            Fate::Unknown => 1,
            Fate::Refused => 2,
        }] += 1;
    }
    for (change, times) in &history {
        let [done, unknown, _] = asked.get(change).copied().unwrap_or_default();
        if *times > done + unknown {
            return Err(format!(
                "{change:?} happened {times} times; {done} were acknowledged, {unknown} cut off"
            ));
        }
    }
    for (change, [done, ..]) in &asked {
        let times = history.get(change).copied().unwrap_or_default();
        // What many want may be asked for again while it is so, which changes nothing.
        let wanted = if change.1.starts_with('w') {
            (*done).min(1)
        } else {
            *done
        };
        if times < wanted {
            return Err(format!(
                "lost: {change:?} was acknowledged {done} times and happened {times} times"
            ));
        }
    }
    Ok(())
}
