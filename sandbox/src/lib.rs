//! Simulated vendors on loopback, one row of `systems` each, and a plain system of no vendor.
//!
//! Written from the facts of the wire and sharing no code with the engine, so that what works here
//! was said right. They recompute every signature, answer errors inside HTTP 200 and misbehave on
//! order. What was *executed* stands in an append-only journal, which is the truth of every test about
//! lost or doubled writes. See `README.md` of this crate for all switches.
//!
//! | path | what |
//! |---|---|
//! | `/huke/openapi/trade/searchTrades` | trades of a time window, by page |
//! | `/huke/openapi/customer/searchCustomers` | customers with `cid` and `唯一ID` (a made-up operation) |
//! | `/k3cloud/<service>.<method>.common.kdsvc` | log in, save, query, submit, audit, delete, view |
//! | `/plain/token`, `/plain/documents` | documents by key, at any level of what a target can do |
//! | `/jst/...` | Jushuitan: tokens, orders, stock-outs, refunds, shops, items |
//! | `/wdt/openapi2/<name>.php` | Wangdiantong Enterprise: trades, stock-outs, goods, pushed trades |
//! | `/wdtu/openapi?method=...` | Wangdiantong Ultimate: trades, stock-outs |
//! | `/qimen/router/qm?method=...` | the same through Taobao's gateway |
//! | `/fx/...` | Fxiaoke CRM: tokens of both generations, objects to query, create, update, invalidate, pushed ERP data |
//! | `/okki/v1/...` | XiaoMan/OKKI: token, orders, companies, pushed orders |
//! | `/mabang/api/v2` | Mabang: orders by cursor and by number, created orders |
//! | `/feishu/open-apis/...` | Feishu: tenant token, records of bitable |
//! | `/dingtalk/v1.0/...` | DingTalk: token, records of AI tables |
//! | `/wecom/cgi-bin/...` | WeCom: token, customers, messages |
//! | `/u8/...` | Yonyou U8: token, customers to read and to add |
//! | `/landray/api/km-review/...` | Landray EKP: processes that are started |
//! | `/rest/...` | a REST service of nobody: customers, behind any of the usual ways to say who is calling |
//! | `/yonbip/...` | Yonyou YonBIP: where to call, tokens, customers, sales orders |
//! | `/ecology/api/...` | Weaver e-cology: registration, tokens, requests of workflows |
//! | `/s4/sap/opu/odata...` | SAP S/4HANA: sales orders over OData, versions 2 and 4 |
//! | `POST /_sandbox/change` | `{"customers": 3}`: rename 3, each with a fresh trade; also `new`, `at_ms` |
//! | `POST /_sandbox/fault` | a [`FaultPlan`], or `{"clear": true, "plans": [...]}` |
//! | `POST /_sandbox/clock` | `now_ms`, `advance_ms` and [`NewSettings`] |
//! | `POST /_sandbox/move` | rows of the source move: `inserts`, `updates`, `deletes`, `start_ms`, `end_ms` |
//! | `POST /_sandbox/outage` | `for_ms`: all connections are cut, new ones refused |
//! | `GET /_sandbox/journal` | executed writes; `?from=SEQ&limit=N&bodies=0` |
//! | `GET /_sandbox/effects` | what was executed, by document key |
//! | `GET /_sandbox/state` | counts, settings, calls per endpoint |
//!
//! Left to others: everything about real tenants. Where the vendors' behaviour is not public, the
//! choice made here is marked as a guess where it is made.

mod bills;
mod clock;
mod connections;
mod control;
mod crypto;
mod data;
mod databases;
mod ecology;
mod effects;
mod erp;
mod fault;
mod form;
mod fxiaoke;
mod huke;
mod journal;
mod jst;
mod keys;
mod kingdee;
mod limit;
mod names;
mod object;
mod office;
mod plain;
pub mod platform;
mod reply;
pub mod robots;
mod sale;
mod sap;
mod server;
mod settings;
mod shelf;
mod spoil;
mod state;
mod systems;
#[cfg(test)]
mod tests;
mod twist;
mod wangdian;
mod wire;
mod yonbip;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use connections::Credentials;
pub use effects::{Effects, effects};
pub use fault::{Effect, FaultKind, FaultPlan, KINDS, KindRow, Kinds, MAX_PLANS, TABLE, Wrong};
pub use journal::{Delivery, JournalEntry};
/// The limits of the simulated Jushuitan.
pub use jst::call_limits as jushuitan_limits;
pub use keys::{Key, PLAN_KEYS, SETTING_KEYS, Takes};
pub use limit::CallLimits;
pub use settings::{ERP_LINES, ErpLines, FX_UNIQUE, FxUnique, KINGDEE_LEVELS, LEVELS, Level, NewSettings};

pub use systems::ENDPOINTS;

use server::Shared;
use state::World;

/// What to simulate. `Default` is the demo: 1,200 trades of 300 customers, nothing refused.
#[derive(Debug, Clone)]
pub struct Config {
    /// Loopback address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Same seed, same data.
    pub seed: u64,
    /// Ordinary trades; every customer has about four.
    pub trades: usize,
    /// Customers, each with one trade, whose save Kingdee refuses with a sentence.
    pub refuse: usize,
    /// Trades without `buyerCid`.
    pub invalid: usize,
    /// Folder kept between runs; `None` keeps everything in memory.
    pub state: Option<PathBuf>,
    /// Life of a session or token from its login.
    pub session_ttl_ms: i64,
    /// A session is lost after so many calls.
    pub session_max_calls: Option<u64>,
    /// How far a signed time may be from the sandbox's clock.
    pub freshness_ms: i64,
    /// The trades lie in this stretch before the first start.
    pub spread_ms: i64,
    /// Where the sandbox's clock starts; the machine's time unless told.
    pub now_ms: Option<i64>,
    /// Whether base data numbers are unique in their organisation.
    pub unique_numbers: bool,
    /// Materials that Kingdee has before anybody writes to it; none without trades.
    pub materials: u64,
    /// Most rows of one bill query.
    pub query_max: usize,
    /// Whether `IsSuccess` stays true when a part of a batch is refused; the vendor does not say.
    pub partial_is_success: bool,
    /// How long an executed package is refused again under `ValidateRepeatJson`.
    pub repeat_ms: i64,
    /// What the systems accept.
    pub credentials: Credentials,
    /// Settings that have no name of their own here; they win.
    pub settings: NewSettings,
    /// Faults from the first call on.
    pub faults: Vec<FaultPlan>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            seed: 7,
            trades: 1200,
            refuse: 0,
            invalid: 0,
            state: None,
            session_ttl_ms: 20 * 60_000,
            session_max_calls: None,
            freshness_ms: 10 * 60_000,
            spread_ms: 12 * 3_600_000,
            now_ms: None,
            unique_numbers: true,
            materials: sale::GOODS,
            query_max: 2000,
            partial_is_success: false,
            repeat_ms: 10 * 60_000,
            credentials: Credentials::default(),
            settings: NewSettings::default(),
            faults: Vec::new(),
        }
    }
}

/// Starts the simulators. They run until [`Running::stop`] or until the value is dropped.
pub async fn start(config: Config) -> io::Result<Running> {
    if !config.listen.ip().is_loopback() {
        let what = format!("{}: the sandbox listens on loopback only", config.listen);
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    let mut world = World::open(&config)?;
    let outages = world.outages();
    let databases = databases::Databases::open(config.state.as_deref(), config.seed, world.now_ms())?;
    let world: Shared = Arc::new(Mutex::new(world));
    let listener = TcpListener::bind(config.listen).await?;
    let addr = listener.local_addr()?;
    let shared = Arc::clone(&world);
    let task = tokio::spawn(async move {
        server::run(listener, shared, outages).await;
    });
    Ok(Running {
        addr,
        world,
        task,
        credentials: config.credentials,
        databases: Mutex::new(databases),
    })
}

/// The simulators at work.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    world: Shared,
    task: JoinHandle<()>,
    credentials: Credentials,
    databases: Mutex<databases::Databases>,
}

impl Running {
    /// Where they listen.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Parameters of a connection to a simulated system; `None` when there is no simulator for it.
    pub fn params(&self, connector_id: &str) -> Option<BTreeMap<String, String>> {
        let simulated = self.credentials.params(self.addr, connector_id);
        simulated.or_else(|| {
            let databases = self
                .databases
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            databases.params(connector_id)
        })
    }

    /// The same for every connector that there is a simulator for, by its id.
    pub fn all_params(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        let ids = systems::SYSTEMS.iter().map(|row| row.connector);
        let ids = ids.chain(databases::Databases::connectors());
        ids.filter_map(|id| Some((id.to_owned(), self.params(id)?)))
            .collect()
    }

    /// A `connections.yaml` for a sandbox that runs alone, with a connection to each simulated system of these
    /// connectors; its secrets come from [`Running::exports`].
    pub fn connections_yaml(&self, connectors: &[&str]) -> String {
        self.credentials.yaml(self.addr, connectors)
    }

    /// Environment variables that [`Running::connections_yaml`] refers to.
    pub fn exports(&self, connectors: &[&str]) -> Vec<(String, String)> {
        self.credentials.exports(connectors)
    }

    /// How many calls of a system (`jst`, `wdtu`) were refused because there were too many; some systems count each
    /// path.
    pub fn throttled(&self, system: &str) -> u64 {
        let row = systems::Row::named(system);
        let endpoints = row.into_iter().flat_map(|row| row.endpoints);
        let names = std::iter::once(system).chain(endpoints.map(|one| one.name));
        let world = server::lock(&self.world);
        names
            .filter_map(|name| world.gates.get(name))
            .map(|gate| gate.refused)
            .sum()
    }

    /// What `GET /_sandbox/state` answers.
    pub fn state(&self) -> serde_json::Value {
        control::state(&server::lock(&self.world))
    }

    /// Everything executed so far.
    ///
    /// # Panics
    /// When the journal file of the state folder was damaged or removed while the sandbox runs.
    pub fn journal(&self) -> Vec<JournalEntry> {
        let world = server::lock(&self.world);
        world
            .journal
            .entries(1, usize::MAX)
            .expect("this process wrote the journal and holds its lock")
    }

    /// The sandbox's clock.
    pub fn now_ms(&self) -> i64 {
        server::lock(&self.world).now_ms()
    }

    /// Moves the sandbox's clock.
    pub fn advance_ms(&self, by_ms: i64) {
        server::lock(&self.world).clock.advance(by_ms);
    }

    /// Renames `customers` and adds `new` ones, each with a trade at the sandbox's now.
    pub fn change(&self, customers: u64, new: u64) -> Result<(), String> {
        server::lock(&self.world).change(customers, new, None).map(drop)
    }

    /// Adds a fault plan; the error names the key that is wrong.
    pub fn fault(&self, plan: FaultPlan) -> Result<(), String> {
        let mut world = server::lock(&self.world);
        let now = world.now_ms();
        world.faults.add(plan, now)
    }

    /// Takes all fault plans away.
    pub fn clear_faults(&self) {
        server::lock(&self.world).faults.clear();
    }

    /// How often each plan has struck, in the order they were given.
    pub fn struck(&self) -> Vec<u64> {
        server::lock(&self.world).faults.struck().collect()
    }

    /// Makes the simulators something else; the error names the setting that is wrong.
    pub fn set(&self, settings: &NewSettings) -> Result<(), String> {
        settings.check()?;
        server::lock(&self.world).settings.take(settings);
        Ok(())
    }

    /// Inserts, updates and deletes rows of the source in `[start_ms, end_ms)`: the inserted ones come before all
    /// others, the updated ones get the time of now, so that both disturb who reads page by page.
    pub fn move_rows(&self, start_ms: i64, end_ms: i64, moves: [u64; 3]) -> Result<(), String> {
        let mut world = server::lock(&self.world);
        world.move_rows((start_ms, end_ms), moves).map(drop)
    }

    /// Cuts every connection and refuses new ones for so long, ten minutes at most.
    pub fn outage_ms(&self, ms: u64) {
        server::lock(&self.world).order_outage(ms.min(fault::MAX_DELAY_MS));
    }

    /// What was executed, by document key.
    ///
    /// # Panics
    /// As [`Running::journal`].
    pub fn effects(&self) -> Vec<Effects> {
        let mut counted = effects::Counted::default();
        let shown = server::lock(&self.world).journal.each(|entry| {
            counted.add(&entry);
            true
        });
        shown.expect("this process wrote the journal and holds its lock");
        counted.into_list()
    }

    /// Stops listening and closes all connections; requests in flight are cut off.
    pub async fn stop(mut self) {
        server::lock(&self.world).stop();
        self.task.abort();
        // The only possible outcome is "cancelled".
        drop((&mut self.task).await);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        server::lock(&self.world).stop();
        self.task.abort();
    }
}
