//! Everything the simulators remember, and the folder it is kept in.
//!
//! A folder holds `sandbox.json` (what the data set is made from), `journal.jsonl` (what was executed
//! and changed since) and `lock`. Documents, ids and renames are rebuilt by replaying the journal, so
//! a process killed at any instant starts again where its last answer left it. Sessions are not kept:
//! like a restarted server, a new process knows none.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::data::{self, Added, Changes, Data};
use crate::fault::{Fault, Faults};
use crate::journal::{Change, Drift, Journal, Kept, Line, RowLine, Write};
use crate::kingdee::Refusal;
use crate::kingdee::auth::Sessions;
use crate::kingdee::store::Store;
use crate::limit::{Gate, Limit};
use crate::settings::Settings;
use crate::systems::{Row, SYSTEMS};
use crate::twist::Twist;
use crate::wangdian::enterprise;
use crate::{Config, Credentials, crypto, ecology, erp, fxiaoke, jst, office, plain, sap, yonbip};

/// Most packages remembered for `ValidateRepeatJson`.
const MAX_PACKAGES: usize = 10_000;
/// Most customers one control call may change.
const MAX_CHANGE: u64 = 50_000;
/// The stretches for which limits can be set.
pub(crate) const SECOND_MS: i64 = 1000;
pub(crate) const MINUTE_MS: i64 = 60_000;
pub(crate) const DAY_MS: i64 = 86_400_000;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) credentials: Credentials,
    pub(crate) settings: Settings,
    pub(crate) data: Data,
    pub(crate) changes: Changes,
    pub(crate) store: Store,
    pub(crate) documents: plain::Documents,
    pub(crate) sessions: Sessions,
    /// Bearer tokens of the plain system.
    pub(crate) tokens: Sessions,
    pub(crate) jst: jst::State,
    pub(crate) wdt: enterprise::State,
    pub(crate) fx: fxiaoke::State,
    pub(crate) office: office::States,
    pub(crate) yonbip: yonbip::State,
    pub(crate) ecology: ecology::State,
    pub(crate) sap: sap::State,
    /// Documents of the home-grown ERP.
    pub(crate) erp: erp::Docs,
    /// Tasks of the simulated Kingdee.
    pub(crate) tasks: crate::kingdee::tasks::Tasks,
    /// Limits of calls, by system.
    pub(crate) gates: BTreeMap<&'static str, Gate>,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    /// Calls by `vendor/endpoint`.
    pub(crate) calls: BTreeMap<String, u64>,
    /// Number of the call that is being executed, over all systems.
    pub(crate) call: u64,
    /// Calls that were received and not yet answered, by `vendor/endpoint`.
    open: BTreeMap<String, u64>,
    outages: Sender<u64>,
    refused: BTreeMap<String, usize>,
    packages: VecDeque<(i64, String)>,
    /// Held as long as this process uses the folder.
    lock: Option<File>,
    stopped: bool,
}

/// What makes the data set of a folder; another seed or size is another data set.
#[derive(Debug, Serialize, Deserialize)]
struct Made {
    version: u32,
    seed: u64,
    trades: u64,
    base_ms: i64,
    spread_ms: i64,
}

/// Changes when old folders would mean something else.
const VERSION: u32 = 1;

impl World {
    pub(crate) fn open(config: &Config) -> io::Result<World> {
        let clock = Clock::default();
        if let Some(now) = config.now_ms {
            clock.set(now);
        }
        let wide = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let trades = wide(config.trades);
        if trades > data::MAX_TRADES || wide(config.refuse.max(config.invalid)) > MAX_CHANGE {
            let what = format!(
                "at most {} trades and {MAX_CHANGE} refused or invalid ones",
                data::MAX_TRADES
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        let mut made = Made {
            version: VERSION,
            seed: config.seed,
            trades,
            base_ms: clock.now_ms(),
            spread_ms: config.spread_ms.max(1),
        };
        let lock = match &config.state {
            None => None,
            Some(folder) => {
                let lock = lock(folder)?;
                made = made_or_make(folder, made)?;
                Some(lock)
            }
        };
        let data = Data {
            seed: made.seed,
            trades: made.trades,
            refuse: wide(config.refuse),
            invalid: wide(config.invalid),
            base_ms: made.base_ms,
            spread_ms: made.spread_ms,
        };
        let mut faults = Faults::default();
        for plan in &config.faults {
            faults
                .add(plan.clone(), clock.now_ms())
                .map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
        }
        if let Some(name) = config.credentials.unknown() {
            let what = format!("credentials: no system has {name:?}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        let mut settings = Settings::of(config);
        config
            .settings
            .check()
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
        settings.take(&config.settings);
        // Until the server takes them; one is enough.
        let (outages, _) = channel(1);
        let mut world = World {
            clock,
            credentials: config.credentials.clone(),
            settings,
            refused: data.refused_cids().enumerate().map(|(n, cid)| (cid, n)).collect(),
            data,
            changes: Changes::default(),
            store: Store::default(),
            documents: plain::Documents::default(),
            sessions: Sessions::default(),
            tokens: Sessions::default(),
            jst: jst::State::default(),
            wdt: enterprise::State::default(),
            fx: fxiaoke::State::default(),
            office: office::States::new(),
            yonbip: yonbip::State::default(),
            ecology: ecology::State::default(),
            sap: sap::State::default(),
            erp: erp::Docs::default(),
            tasks: Default::default(),
            gates: BTreeMap::new(),
            journal: Journal::in_memory(),
            faults,
            calls: BTreeMap::new(),
            call: 0,
            open: BTreeMap::new(),
            outages,
            packages: VecDeque::new(),
            lock,
            stopped: false,
        };
        crate::kingdee::seed::materials(&world.data, config.materials, &mut world.store);
        if let Some(folder) = &config.state {
            world.journal = Journal::open(&folder.join("journal.jsonl"), |line| world.replay(&line))?;
        }
        Ok(world)
    }

    /// Does again what a line of the journal says.
    fn replay(&mut self, line: &Line) {
        match line {
            Line::Write(write) => {
                self.call = self.call.max(write.call);
                for row in SYSTEMS {
                    row.code.apply(self, write);
                }
            }
            Line::Change(change) => apply_change(&mut self.changes, change),
            Line::Drift(drift) => apply_drift(&mut self.changes, drift),
            Line::Kept(kept) => {
                if let Some(row) = Row::named(&kept.system) {
                    row.code.recall(self, &kept.text);
                }
            }
        }
    }

    /// Writes down what a system wants to know after a restart; it is recalled then, line by line.
    pub(crate) fn keep(&mut self, system: &str, text: &str) -> io::Result<()> {
        self.journal.append(Line::Kept(Kept {
            system: system.to_owned(),
            text: text.to_owned(),
        }))
    }

    /// The journal line of a call that writes; only when it is appended may the call be answered.
    pub(crate) fn written(
        &self,
        endpoint: &str,
        form: &str,
        body: &[u8],
        twist: &Twist,
        rows: Vec<RowLine>,
    ) -> Write {
        Write {
            seq: self.journal.next_seq(),
            at_ms: self.now_ms(),
            endpoint: endpoint.to_owned(),
            form: form.to_owned(),
            sha256: crypto::sha256_hex(body),
            body: Arc::from(String::from_utf8_lossy(body)),
            call: self.call,
            delivery: twist.delivery,
            replay: None,
            rows,
        }
    }

    /// A credential of a system.
    pub(crate) fn credential(&self, system: &str, name: &str) -> &str {
        self.credentials.get(system, name)
    }

    /// Lets a call of the application through, or says which limit is in the way. The settings come before what is
    /// usual for the system.
    pub(crate) fn pass(&mut self, system: &'static str, usual: &[Limit]) -> Result<(), Limit> {
        let limits: Vec<Limit> = usual
            .iter()
            .filter_map(|limit| {
                // A stretch of some seconds is told by the second.
                let seconds = u64::try_from(limit.per_ms / SECOND_MS).unwrap_or(1);
                let told = if limit.per_ms < MINUTE_MS {
                    self.settings
                        .calls_per_s
                        .map(|calls| calls.saturating_mul(seconds))
                } else {
                    self.settings.calls_per_min
                };
                let calls = told.unwrap_or(limit.calls);
                (calls > 0).then_some(Limit { calls, ..*limit })
            })
            .collect();
        let now = self.now_ms();
        self.gates.entry(system).or_default().pass(now, &limits)
    }

    /// Nothing is executed from here on, and the folder is free for another.
    pub(crate) fn stop(&mut self) {
        self.stopped = true;
        self.lock = None;
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Where outages are told from now on.
    pub(crate) fn outages(&mut self) -> Receiver<u64> {
        let (sender, receiver) = channel(1);
        self.outages = sender;
        receiver
    }

    /// Cuts all connections and refuses new ones for so long. One that is ordered during another is part of it.
    pub(crate) fn order_outage(&self, ms: u64) {
        let _ordered = self.outages.try_send(ms);
    }

    /// Counts a call and says what goes wrong with it.
    pub(crate) fn count_call(&mut self, system: &str, endpoint: &str) -> Option<Fault> {
        self.call += 1;
        *self.calls.entry(format!("{system}/{endpoint}")).or_default() += 1;
        self.faults.strike(system, endpoint, self.clock.now_ms())
    }

    /// A call was received.
    pub(crate) fn enter(&mut self, name: &str) {
        *self.open.entry(name.to_owned()).or_default() += 1;
    }

    /// It was answered, or cut off.
    pub(crate) fn leave(&mut self, name: &str) {
        if let Some(count) = self.open.get_mut(name) {
            *count -= 1;
            if *count == 0 {
                self.open.remove(name);
            }
        }
    }

    /// Calls of an endpoint that are not answered yet, this one among them.
    pub(crate) fn under_way(&self, system: &str, endpoint: &str) -> u64 {
        let count = self.open.get(&format!("{system}/{endpoint}"));
        count.copied().unwrap_or(0)
    }

    /// Whether a Unix time in seconds or milliseconds is near enough to now.
    pub(crate) fn is_fresh(&self, time: &str) -> bool {
        let Ok(number) = time.parse::<i64>() else {
            return false;
        };
        let ms = if time.len() >= 13 {
            number
        } else {
            number.saturating_mul(1000)
        };
        self.now_ms().saturating_sub(ms).saturating_abs() <= self.settings.freshness_ms
    }

    /// Whether this package was executed before and is still remembered.
    pub(crate) fn is_repeated(&self, package: &str) -> bool {
        let since = self.now_ms().saturating_sub(self.settings.repeat_ms);
        self.packages
            .iter()
            .any(|(at, known)| *at >= since && known == package)
    }

    pub(crate) fn remember(&mut self, package: String) {
        if self.packages.len() >= MAX_PACKAGES {
            self.packages.pop_front();
        }
        self.packages.push_back((self.now_ms(), package));
    }

    /// Why the target refuses this number whatever the request says (`--refuse`).
    pub(crate) fn refusal(&self, number: &str) -> Option<Refusal> {
        const REASONS: [(Option<&str>, &str); 3] = [
            (Some("FGroup"), "客户分组“未分组”不存在，请先维护基础资料"),
            (Some("FName"), "客户名称含有敏感词，不允许保存"),
            (None, "信用检查未通过：该客户已被列入黑名单"),
        ];
        let (field, message) = REASONS[self.refused.get(number)? % REASONS.len()];
        Some(Refusal::new(11, field, message))
    }

    /// Renames `customers` and adds `new` ones; each gets a trade at `at_ms` (now unless told).
    pub(crate) fn change(&mut self, customers: u64, new: u64, at_ms: Option<i64>) -> Result<Change, String> {
        let room = data::MAX_ADDED.saturating_sub(self.changes.added.len());
        let wanted = usize::try_from(customers.saturating_add(new)).unwrap_or(usize::MAX);
        if customers.max(new) > MAX_CHANGE || wanted > room {
            return Err(format!(
                "at most {MAX_CHANGE} a call and {} added trades in all",
                data::MAX_ADDED
            ));
        }
        if customers > self.data.customers() {
            return Err(format!("there are only {} customers", self.data.customers()));
        }
        let change = Change {
            at_ms: at_ms.unwrap_or_else(|| self.now_ms()),
            renamed: self.data.choose(self.changes.cursor, customers),
            new,
            cursor: self.changes.cursor.wrapping_add(customers),
        };
        self.journal
            .append(Line::Change(change.clone()))
            .map_err(|e| e.to_string())?;
        apply_change(&mut self.changes, &change);
        Ok(change)
    }

    /// Inserts, updates and deletes rows of a window of the source, as somebody does who works while it is read.
    pub(crate) fn move_rows(&mut self, span: (i64, i64), moves: [u64; 3]) -> Result<Drift, String> {
        let added = self.changes.added.len() + self.changes.gone.len();
        let wanted = moves.iter().fold(0u64, |sum, n| sum.saturating_add(*n));
        if usize::try_from(wanted).unwrap_or(usize::MAX) > data::MAX_ADDED.saturating_sub(added) {
            return Err(format!(
                "at most {} added and moved trades in all",
                data::MAX_ADDED
            ));
        }
        let at_ms = self.now_ms();
        let moves = self.data.draw_moves(&self.changes, span, moves);
        let inside = (span.0..span.1).contains(&moves.inserted_ms) && moves.inserted_ms > 0;
        let drift = Drift {
            at_ms,
            inserted: moves.inserted,
            inserted_ms: if inside { moves.inserted_ms } else { at_ms },
            updated: moves.updated,
            deleted: moves.deleted,
        };
        self.journal
            .append(Line::Drift(drift.clone()))
            .map_err(|e| e.to_string())?;
        apply_drift(&mut self.changes, &drift);
        Ok(drift)
    }
}

fn apply_drift(changes: &mut Changes, drift: &Drift) {
    for _ in 0..drift.inserted {
        add_new(changes, drift.inserted_ms, true);
    }
    for row in &drift.updated {
        changes.gone.insert(*row);
        changes.moved.push((*row, drift.at_ms));
    }
    changes.gone.extend(&drift.deleted);
    changes.drifts += 1;
}

/// A trade of a new customer.
fn add_new(changes: &mut Changes, at_ms: i64, first: bool) {
    let customer = Data::new_customer_code(changes.new_customers);
    changes.new_customers += 1;
    changes.added.push(Added {
        at_ms,
        customer,
        first,
    });
}

fn apply_change(changes: &mut Changes, change: &Change) {
    for customer in &change.renamed {
        *changes.versions.entry(*customer).or_default() += 1;
        changes.added.push(Added {
            at_ms: change.at_ms,
            customer: *customer,
            first: false,
        });
    }
    for _ in 0..change.new {
        add_new(changes, change.at_ms, false);
    }
    changes.cursor = change.cursor;
}

fn lock(folder: &Path) -> io::Result<File> {
    fs::create_dir_all(folder)?;
    let file = File::create(folder.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::Error(e)) => Err(e),
        Err(TryLockError::WouldBlock) => {
            let what = format!("{} is in use by another sandbox", folder.display());
            Err(io::Error::new(io::ErrorKind::WouldBlock, what))
        }
    }
}

/// The folder's own data set; a new folder gets `wanted`.
fn made_or_make(folder: &Path, wanted: Made) -> io::Result<Made> {
    let path = folder.join("sandbox.json");
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let new = folder.join("sandbox.json.new");
            fs::write(&new, serde_json::to_vec_pretty(&wanted)?)?;
            fs::rename(&new, &path)?;
            return Ok(wanted);
        }
        Err(e) => return Err(e),
    };
    let made: Made = serde_json::from_slice(&text)?;
    if (made.version, made.seed, made.trades) != (VERSION, wanted.seed, wanted.trades) {
        let what = format!(
            "{} holds the data of --seed {} --trades {}, not of --seed {} --trades {}",
            folder.display(),
            made.seed,
            made.trades,
            wanted.seed,
            wanted.trades
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    Ok(made)
}
