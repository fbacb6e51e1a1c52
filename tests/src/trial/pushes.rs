//! Pushes to the real `engine serve`, over real HTTP: A21 at a door of its own, and the same over the ERP protocol.
//!
//! The service is killed with `kill -9` while several senders push to it; in the end every push that was acknowledged
//! is a record, and its document was created once. Then what was captured is sent again, and nothing changes. Then as
//! many senders as fit push for a while, and their waits are measured. Last, a wrong token at a door that is there is
//! held against a door that is not: who measures how long the refusal takes learns nothing (Welch's t).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ledger::Ledger;
use ledger::read::RecordFilter;
use sandbox::Level;
use serde_json::Value;

use super::killed::{self, Campaign};
use super::named::{Given, Say, Size, Trial};
use super::{Random, Watch, micros};
use crate::e2e::{Process, World};

/// The scheme that receives.
pub(super) const SCHEME: &str = "schemes/pushed.yaml";
const PUSHED: &str = "\
scheme: pushed
source: {connection: hooks, api: webhook, key: id}
target: {connection: plain, api: add_unique, batch: 50, request: {key: <<id>>, name: <<name>>}}
schedule: on_push
";
const HOOKS: &str = "
  hooks:
    connector: http
    params: {server: \"https://hooks.example.com/\", webhook_secret: \"${env:PUSH_TOKEN}\"}
";
pub(super) const TOKEN: &str = "t0ken-of-pushes-0123456789";
/// The same over the ERP protocol, where a platform's connection stands for the door.
const PUSHED_BY_PROTOCOL: &str = "\
scheme: pushed
source: {connection: platform, api: asyncpush, options: {objectApiName: pushedObj}, key: masterFieldVal.id}
target: {connection: plain, api: add_unique, batch: 50, request: {key: <<masterFieldVal.id>>, name: <<masterFieldVal.name>>}}
schedule: on_push
";
const PLATFORM: &str = "
  platform:
    connector: fxiaoke
    params: {app_id: a, app_secret: \"${env:PUSH_TOKEN}\", code: \"${env:PUSH_TOKEN}\", user_id: \"1\", tenant_id: \"81\", push_token: \"${env:PUSH_TOKEN}\"}
";
/// Stored, and no more.
const KEPT_BY_PROTOCOL: &str = "\
scheme: pushed
source: {connection: platform, api: asyncpush, options: {objectApiName: pushedObj}, key: masterFieldVal.id}
target: none
schedule: on_push
";
/// Where the platform pushes.
const PROTOCOL: &str = "/erp/syncdata/open/objdata/asyncpush";
/// A door that is not there.
const NO_DOOR: &str = "/receive/00000000000000000000000000000000";
/// The protocol with a tenant that is not there.
const NO_TENANT: &str = "/erp/syncdata/open/objdata/asyncpush?";
/// How long a service may take until it listens, on a busy machine.
const UP_WITHIN: Duration = Duration::from_secs(60);
/// How long the last service may take until everything is settled: lost answers are asked about after a minute and a
/// half, twice where the target says that nothing is there.
const DRAINED_WITHIN: Duration = Duration::from_secs(900);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Records of one question to the ledger.
const PAGE: u32 = 500;
/// Samples of the timing that are dropped: the slowest of a hundred, where the machine did something else.
const CROPPED_PERCENT: usize = 10;
/// Above it the two are told apart.
const MOST_T: f64 = 4.5;

pub(super) const A21: Trial = Trial {
    name: "A21",
    what: "pushes: kills while they come, captured ones again, load, and what the time of a refusal tells",
    sizes: &[KILLS, REPLAYS, SECONDS, SAMPLES, SENDERS],
    run: |given, say| {
        let yard = Yard::new(&RECEIVE);
        let killed = yard.killed(given, say)?;
        let (_, load) = yard.load(seconds(given), given.get("--senders"), None)?;
        let timing = yard.timing(given.get("--samples"))?;
        Ok(format!("{killed}; {load}; {timing}"))
    },
};

pub(super) const ASYNCPUSH: Trial = Trial {
    name: "asyncpush",
    what: "the platform's pushes (asyncpush): kills while they come, captured ones again, and what the time of a refusal tells",
    sizes: &[KILLS, REPLAYS, SAMPLES, SENDERS],
    run: |given, say| {
        let yard = Yard::new(&ASYNC);
        let killed = yard.killed(given, say)?;
        let timing = yard.timing(given.get("--samples"))?;
        Ok(format!("{killed}; {timing}"))
    },
};

pub(super) const PUSHLOAD: Trial = Trial {
    name: "pushload",
    what: "the platform's pushes (asyncpush): how many a second are acknowledged, and how long a sender waits",
    sizes: &[SECONDS, SENDERS],
    run: loads,
};

const KILLS: Size = Size {
    flag: "--kills",
    full: 500,
    small: 20,
};
const REPLAYS: Size = Size {
    flag: "--replays",
    full: 10_000,
    small: 500,
};
const SECONDS: Size = Size {
    flag: "--seconds",
    full: 60,
    small: 3,
};
const SAMPLES: Size = Size {
    flag: "--samples",
    full: 100_000,
    small: 4_000,
};
const SENDERS: Size = Size {
    flag: "--senders",
    full: 16,
    small: 4,
};

fn seconds(given: &Given) -> Duration {
    Duration::from_secs(given.get("--seconds"))
}

/// As many as come through, to a scheme that keeps them and to one that writes them on; then, where they are written on,
/// half as many at a steady pace. Each time all that was acknowledged has to be there in the end.
fn loads(given: &Given, say: Say<'_>) -> Result<String, String> {
    let (length, senders) = (seconds(given), given.get("--senders"));
    let mut figures = Vec::new();
    let mut paced = None;
    for (what, way) in [("kept", &KEPT), ("written on", &ASYNC)] {
        let yard = Yard::new(way);
        let (rate, load) = yard.load(length, senders, None)?;
        yard.has_all(&rate)?;
        say(format!("pushload, {what}: {load}"));
        figures.push(format!("{what}: {load}"));
        paced = Some(rate.a_second / 2);
    }
    let pace = paced.unwrap_or_default().max(1);
    let yard = Yard::new(&ASYNC);
    let (rate, load) = yard.load(length, senders, Some(pace))?;
    yard.has_all(&rate)?;
    figures.push(format!("written on, {pace} a second sent: {load}"));
    Ok(format!("{}; every acknowledged one is there", figures.join("; ")))
}

/// A connection, a scheme that takes what is pushed to it, and where: `None` = at a door of the scheme's own.
pub(super) struct Way {
    connection: &'static str,
    scheme: &'static str,
    door: Option<&'static str>,
}

const RECEIVE: Way = Way {
    connection: HOOKS,
    scheme: PUSHED,
    door: None,
};
pub(super) const ASYNC: Way = Way {
    connection: PLATFORM,
    scheme: PUSHED_BY_PROTOCOL,
    door: Some(PROTOCOL),
};
const KEPT: Way = Way {
    scheme: KEPT_BY_PROTOCOL,
    ..ASYNC
};

/// What senders did for a while.
struct Rate {
    a_second: u64,
    /// The ids that were sent: the first one, and how many.
    first: u64,
    sent: u64,
    acknowledged: Vec<u64>,
}

/// Where the services of the trial run.
pub(super) struct Yard {
    pub(super) world: World,
    door: String,
}

/// What the kills left.
struct Killed {
    /// Acknowledged, in the order of the answers.
    acknowledged: Vec<u64>,
    sent: u64,
}

impl Yard {
    pub(super) fn new(way: &Way) -> Self {
        let campaign = Campaign {
            level: Level::UniqueKey,
            kills: 0,
            seed: 21,
            late_ms: 0,
        };
        let mut world = killed::world(&campaign, 0);
        let connections = std::fs::read_to_string(world.path("connections.yaml")).expect("it was written");
        world.write("connections.yaml", &(connections + way.connection));
        // No other scheme is to be served.
        std::fs::remove_dir_all(world.path("schemes")).expect("a folder of the trial");
        world.write(SCHEME, way.scheme);
        world.set("PUSH_TOKEN", TOKEN);
        let told = world.engine(&["receive", "url", SCHEME]);
        assert_eq!(told.code, Some(0), "{told}");
        let door = way
            .door
            .map_or_else(|| told.stdout.trim().to_owned(), str::to_owned);
        Yard { world, door }
    }

    /// The kills, and what was captured again.
    fn killed(&self, given: &Given, say: Say<'_>) -> Result<String, String> {
        let killed = self.kills(given.get("--kills"), given.get("--senders"), say)?;
        let replayed = self.replays(&killed, given.get("--replays"))?;
        Ok(format!(
            "{} kills, {} of {} pushes acknowledged: 0 lost, 0 doubled; {replayed} sent again: nothing changed",
            given.get("--kills"),
            killed.acknowledged.len(),
            killed.sent,
        ))
    }

    /// A service that listens.
    pub(super) fn serve(&self) -> Result<(Process, SocketAddr), String> {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let addr = free.map_err(|error| error.to_string())?;
        let listen = addr.to_string();
        let words = ["serve", "--schemes", "schemes", "--listen", &listen, "--quiet"];
        let mut process = self.world.command(&words).start();
        let watch = Watch::start();
        while TcpStream::connect(addr).is_err() {
            if process.wait(Duration::from_millis(5)) {
                return Err(process.finish().to_string());
            }
            if watch.passed() > UP_WITHIN {
                process.kill();
                return Err("the service does not listen".to_owned());
            }
        }
        Ok((process, addr))
    }

    fn kills(&self, kills: u64, senders: u64, say: Say<'_>) -> Result<Killed, String> {
        let mut random = Random(21);
        let next = Arc::new(AtomicU64::new(0));
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        for kill in 1..=kills {
            let (process, addr) = self.serve()?;
            let over = Arc::new(AtomicBool::new(false));
            let mut threads = Vec::new();
            for _ in 0..senders.min(8) {
                let (next, acknowledged, over) =
                    (Arc::clone(&next), Arc::clone(&acknowledged), Arc::clone(&over));
                let door = self.door.clone();
                threads.push(std::thread::spawn(move || {
                    let Ok(mut sender) = Sender::connect(addr) else {
                        return;
                    };
                    while !over.load(Ordering::Relaxed) {
                        let id = next.fetch_add(1, Ordering::Relaxed);
                        match sender.push(&door, TOKEN, id) {
                            Ok(200) => {
                                let mut acknowledged =
                                    acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
                                acknowledged.push(id);
                            }
                            // Refused for the moment: not acknowledged, which is what the sender must know.
                            Ok(503) => {}
                            Ok(other) => panic!("a good push is answered {other}"),
                            Err(_) => return,
                        }
                    }
                }));
            }
            pause(Duration::from_millis(20 + random.below(400)));
            if !process.kill() {
                return Err(format!("the service ended by itself before kill {kill}"));
            }
            over.store(true, Ordering::Relaxed);
            for thread in threads {
                thread
                    .join()
                    .map_err(|_| "a sender was answered wrongly".to_owned())?;
            }
            self.sound(kill)?;
            if kill.is_multiple_of(50) {
                let acknowledged = acknowledged.lock().unwrap_or_else(PoisonError::into_inner).len();
                say(format!("after {kill} kills: {acknowledged} acknowledged"));
            }
        }
        let acknowledged = std::mem::take(&mut *acknowledged.lock().unwrap_or_else(PoisonError::into_inner));
        let killed = Killed {
            acknowledged,
            sent: next.load(Ordering::Relaxed),
        };
        if killed.acknowledged.is_empty() {
            return Err("no push was acknowledged between two kills".to_owned());
        }
        self.judge(&killed)?;
        Ok(killed)
    }

    pub(super) fn reader(&self) -> Result<ledger::Reader, String> {
        Ledger::open_read_only(&self.world.data()).map_err(|error| error.to_string())
    }

    pub(super) fn sound(&self, kill: u64) -> Result<(), String> {
        let report = self
            .reader()?
            .verify(Some(""))
            .map_err(|error| error.to_string())?;
        match report.is_clean() {
            true => Ok(()),
            false => Err(format!("the ledger after kill {kill}: {report:?}")),
        }
    }

    /// A service that is started once more goes on with what waits and with what was cut off, without another push.
    fn drained(&self) -> Result<(), String> {
        self.served_until("gone on with after a start", |reader| {
            let open = reader.open_work(None).map_err(|error| error.to_string())?;
            Ok(open.is_empty())
        })
    }

    /// Serves until nothing waits in an inbox, and something else is so.
    fn served_until(
        &self,
        what: &str,
        is_so: impl Fn(&ledger::Reader) -> Result<bool, String>,
    ) -> Result<(), String> {
        let (process, _) = self.serve()?;
        let watch = Watch::start();
        loop {
            let reader = self.reader()?;
            let waiting = reader.inboxes_with_pushes().map_err(|error| error.to_string())?;
            if waiting.is_empty() && is_so(&reader)? {
                process.kill();
                return Ok(());
            }
            if watch.passed() > DRAINED_WITHIN {
                return Err(format!("not {what}: {waiting:?} {:?}", reader.open_work(None)));
            }
            pause(Duration::from_millis(250));
        }
    }

    /// Everything that was acknowledged is a record, and nothing is that was not sent.
    fn has_all(&self, rate: &Rate) -> Result<(), String> {
        self.served_until("taken from the inbox", |_| Ok(true))?;
        let stored = self.keys()?;
        let sent: BTreeSet<String> = (rate.first..rate.first + rate.sent).map(key).collect();
        let lost = rate.acknowledged.iter().filter(|id| !stored.contains(&key(**id)));
        let (lost, unknown): (Vec<&u64>, Vec<&String>) = (lost.collect(), stored.difference(&sent).collect());
        if lost.is_empty() && unknown.is_empty() {
            return Ok(());
        }
        Err(format!(
            "acknowledged and lost: {lost:?}; there and never sent: {unknown:?}"
        ))
    }

    /// Takes what still waits, and holds ledger and target against what was acknowledged.
    fn judge(&self, killed: &Killed) -> Result<(), String> {
        self.drained()?;
        let ran = self
            .world
            .engine(&["run", SCHEME, "--json", "--settle-wait", "60s"]);
        if !matches!(ran.code, Some(0 | 1)) {
            return Err(ran.to_string());
        }
        let stored = self.keys()?;
        let mut created: BTreeMap<String, u64> = BTreeMap::new();
        for entry in self
            .world
            .journal()
            .iter()
            .filter(|entry| entry.action == "create")
        {
            *created.entry(entry.number.clone()).or_default() += 1;
        }
        let lost: Vec<&u64> = killed
            .acknowledged
            .iter()
            .filter(|id| !stored.contains(&key(**id)) || !created.contains_key(&key(**id)))
            .collect();
        let doubled: Vec<&String> = created
            .iter()
            .filter(|(_, n)| **n > 1)
            .map(|(key, _)| key)
            .collect();
        if lost.is_empty() && doubled.is_empty() {
            return Ok(());
        }
        Err(format!(
            "acknowledged and lost: {lost:?}; created twice: {doubled:?}\n{ran}"
        ))
    }

    fn keys(&self) -> Result<BTreeSet<String>, String> {
        let reader = self.reader()?;
        let (mut keys, mut before) = (BTreeSet::new(), None);
        loop {
            let filter = RecordFilter {
                before,
                limit: PAGE,
                ..RecordFilter::default()
            };
            let page = reader.list_records(&filter).map_err(|error| error.to_string())?;
            let Some(last) = page.last() else { return Ok(keys) };
            before = Some(last.record);
            let bare = |key: &str| key.trim_matches(|c| matches!(c, '[' | ']' | '"')).to_owned();
            keys.extend(page.iter().map(|row| bare(&row.key)));
        }
    }

    /// The captured pushes again, in their order.
    fn replays(&self, killed: &Killed, replays: u64) -> Result<u64, String> {
        let (process, addr) = self.serve()?;
        let before = (self.keys()?.len(), self.world.journal().len());
        let mut sender = Sender::connect(addr).map_err(|error| error.to_string())?;
        let count = usize::try_from(replays).unwrap_or(usize::MAX);
        for id in killed.acknowledged.iter().cycle().take(count) {
            let answer = sender.push(&self.door, TOKEN, *id);
            if !matches!(answer, Ok(200)) {
                return Err(format!("the push {id} again is answered {answer:?}"));
            }
        }
        process.kill();
        let ran = self.world.engine(&["run", SCHEME, "--json"]);
        let after = (self.keys()?.len(), self.world.journal().len());
        if ran.code != Some(0) || before != after {
            return Err(format!(
                "captured pushes changed {before:?} into {after:?}\n{ran}"
            ));
        }
        Ok(replays)
    }

    /// As many as come through; with a pace, so many a second, and a wait begins when its push was to be sent.
    fn load(&self, length: Duration, senders: u64, pace: Option<u64>) -> Result<(Rate, String), String> {
        let (process, addr) = self.serve()?;
        let first = 1 << 40;
        let next = Arc::new(AtomicU64::new(first));
        let watch = Watch::start();
        let mut threads = Vec::new();
        for _ in 0..senders {
            let (next, door) = (Arc::clone(&next), self.door.clone());
            threads.push(std::thread::spawn(
                move || -> Result<(Vec<(u64, u64)>, u64), String> {
                    let mut sender = Sender::connect(addr).map_err(|error| error.to_string())?;
                    let (mut waits, mut busy) = (Vec::new(), 0);
                    while watch.passed() < length {
                        let id = next.fetch_add(1, Ordering::Relaxed);
                        let planned = match pace {
                            None => watch.passed(),
                            Some(pace) => Duration::from_micros((id - first) * 1_000_000 / pace),
                        };
                        pause(planned.saturating_sub(watch.passed()));
                        match sender.push(&door, TOKEN, id).map_err(|error| error.to_string())? {
                            200 => waits.push((id, micros(watch.passed().saturating_sub(planned)))),
                            // The target is slower than the senders: the inbox is full, and says so.
                            503 => busy += 1,
                            other => return Err(format!("a good push is answered {other}")),
                        }
                    }
                    Ok((waits, busy))
                },
            ));
        }
        let (mut all, mut busy) = (Vec::new(), 0);
        for thread in threads {
            let (more, refused) = thread.join().map_err(|_| "a sender broke".to_owned())??;
            all.extend(more);
            busy += refused;
        }
        let passed = watch.passed();
        process.kill();
        let (acknowledged, mut waits): (Vec<u64>, Vec<u64>) = all.into_iter().unzip();
        waits.sort_unstable();
        let at = |per_cent: usize| waits.get(waits.len() * per_cent / 100).copied().unwrap_or(0);
        let ms = |micros: u64| format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100);
        let count = u64::try_from(waits.len()).unwrap_or(u64::MAX);
        let rate = Rate {
            a_second: count * 1_000 / u64::try_from(passed.as_millis()).unwrap_or(u64::MAX).max(1),
            first,
            sent: next.load(Ordering::Relaxed) - first,
            acknowledged,
        };
        let load = format!(
            "{} acknowledged a second by {senders} senders, median {}, p99 {}{}",
            rate.a_second,
            ms(at(50)),
            ms(at(99)),
            if busy > 0 {
                format!(", {busy} told to come later")
            } else {
                String::new()
            }
        );
        Ok((rate, load))
    }

    /// Welch's t between the times of a wrong token at the door and at one that is not there, in turns drawn by chance.
    fn timing(&self, samples: u64) -> Result<String, String> {
        let (process, addr) = self.serve()?;
        let mut sender = Sender::connect(addr).map_err(|error| error.to_string())?;
        let mut random = Random(4);
        let mut times: [Vec<u64>; 2] = [Vec::new(), Vec::new()];
        let wrong = TOKEN.replace("0123456789", "0123456780");
        for nth in 0..samples {
            let known = random.below(2) == 0;
            let door = match known {
                true => self.door.as_str(),
                false if self.door == PROTOCOL => NO_TENANT,
                false => NO_DOOR,
            };
            // Made beforehand: what the sender itself does differently is not the service's.
            let request = request(door, &wrong, nth);
            let begun = Watch::start();
            let answer = sender.send(&request);
            let took = u64::try_from(begun.passed().as_nanos()).unwrap_or(u64::MAX);
            if !matches!(answer, Ok(401)) {
                return Err(format!("not believed, and answered {answer:?}"));
            }
            times[usize::from(known)].push(took);
        }
        process.kill();
        let t = welch(&mut times);
        if t < MOST_T {
            Ok(format!(
                "wrong token against no such door: |t| = {t:.1} over {} samples each",
                samples / 2
            ))
        } else {
            Err(format!(
                "a wrong token and a wrong door are told apart by their time: |t| = {t:.1}"
            ))
        }
    }
}

/// The absolute value of Welch's t over the samples below a bound that both share.
#[expect(clippy::cast_precision_loss, reason = "statistics of times, not of amounts")]
fn welch(times: &mut [Vec<u64>; 2]) -> f64 {
    let mut all: Vec<u64> = times.iter().flatten().copied().collect();
    all.sort_unstable();
    let bound = all
        .get(all.len() * (100 - CROPPED_PERCENT) / 100)
        .copied()
        .unwrap_or(u64::MAX);
    let parts = times.each_mut().map(|times| {
        times.retain(|time| *time < bound);
        let n = times.len().max(2) as f64;
        let mean = times.iter().map(|time| *time as f64).sum::<f64>() / n;
        let variance = times
            .iter()
            .map(|time| (*time as f64 - mean).powi(2))
            .sum::<f64>()
            / (n - 1.0);
        (mean, variance / n)
    });
    let [(one, of_one), (other, of_other)] = parts;
    (one - other).abs() / (of_one + of_other).sqrt().max(f64::MIN_POSITIVE)
}

fn key(id: u64) -> String {
    format!("P{id}")
}

/// What a request begins with.
const WORD: &str = "POST ";

/// A push as it goes over the wire.
fn request(door: &str, token: &str, id: u64) -> String {
    let key = key(id);
    let row = format!(r#"{{"id":"{key}","name":"客户 {key}"}}"#);
    let (door, headers, body) = if door.starts_with(PROTOCOL) {
        let tenant = if door == PROTOCOL { 81 } else { 80 };
        let headers = format!(
            "token: {token}\r\ntenantId: {tenant}\r\nobjectApiName: pushedObj\r\nversion: v1\r\noperationType: 1\r\n\
             id: {key}"
        );
        let body = format!(r#"{{"objAPIName":"pushedObj","masterFieldVal":{row}}}"#);
        (PROTOCOL, headers, body)
    } else {
        let headers = format!("x-webhook-token: {token}\r\nx-webhook-id: {key}");
        (door, headers, row)
    };
    format!(
        "{WORD}{door} HTTP/1.1\r\nhost: engine\r\ncontent-type: application/json\r\n{headers}\r\ncontent-length: {}\r\n\r\n\
         {body}",
        body.len()
    )
}

/// How the protocol words that a push is stored.
const SUCCESS: &[u8] = b"s106240000";

/// One connection of a sender, kept open.
pub(super) struct Sender {
    stream: TcpStream,
    got: Vec<u8>,
}

impl Sender {
    pub(super) fn connect(addr: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Sender {
            stream,
            got: Vec::new(),
        })
    }

    /// Pushes one row and gives the status of the answer.
    fn push(&mut self, door: &str, token: &str, id: u64) -> std::io::Result<u16> {
        self.send(&request(door, token, id))
    }

    /// One push as it goes over the wire; gives the status.
    fn send(&mut self, request: &str) -> std::io::Result<u16> {
        self.stream.write_all(request.as_bytes())?;
        let status = self.answer()?;
        // What is refused by the protocol is answered 200, too.
        let by_protocol = request[WORD.len()..].starts_with(PROTOCOL);
        let is_refused = || !self.got.windows(SUCCESS.len()).any(|part| part == SUCCESS);
        Ok(if by_protocol && status == 200 && is_refused() {
            422
        } else {
            status
        })
    }

    /// One call with a JSON body; gives the status and what was answered.
    pub(super) fn call(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> std::io::Result<(u16, Value)> {
        let body = body.to_string();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: engine\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        self.stream.write_all(format!("{head}\r\n{body}").as_bytes())?;
        let status = self.answer()?;
        let begin = self.got.windows(4).position(|four| four == b"\r\n\r\n");
        let answer = serde_json::from_slice(&self.got[begin.map_or(0, |end| end + 4)..])?;
        Ok((status, answer))
    }

    fn answer(&mut self) -> std::io::Result<u16> {
        let broken = || std::io::Error::new(ErrorKind::InvalidData, "no answer");
        self.got.clear();
        let mut piece = [0; 4096];
        loop {
            if let Some(end) = self.got.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.got[..end]).to_ascii_lowercase();
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok())
                    .unwrap_or(0);
                if self.got.len() >= end + 4 + length {
                    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
                    return status.ok_or_else(broken);
                }
            }
            let read = self.stream.read(&mut piece)?;
            if read == 0 {
                return Err(broken());
            }
            self.got.extend_from_slice(&piece[..read]);
        }
    }
}

pub(super) fn pause(length: Duration) {
    #[expect(
        clippy::disallowed_methods,
        reason = "real processes that are killed at an instant: there is no clock to move"
    )]
    std::thread::sleep(length);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_differ_are_told_apart() {
        let mut random = Random(1);
        let mut draw = |from: u64| (0..4_000).map(|_| from + random.below(1_000)).collect::<Vec<_>>();
        assert!(welch(&mut [draw(10_000), draw(10_000)]) < MOST_T);
        assert!(welch(&mut [draw(10_000), draw(10_200)]) > MOST_T);
    }
}
