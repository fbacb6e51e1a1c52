//! A scheme whose rows a trial writes, at one of the sandbox's systems.

use ledger::Ledger;
use ledger::read::RecordFilter;
use sandbox::{Config, Level, NewSettings};
use serde_json::{Value, json};

use crate::e2e::{Shop, World, repository};

/// The scheme of [`world`].
pub(super) const SCHEME: &str = "schemes/rows.yaml";

const SOURCE: &str = "\
scheme: rows
name: {zh: 试验的行, en: rows of a trial}
source:
  connection: huke
  api: search_customers
  request: {list: rows}
  window: none
  page_size: 100
  key: no
  label: no
schedule: {every: 30m}
tests:
  - name: a row
    row: {no: R000001, name: buyer}
    expect: {}
";

/// A system that rows are written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    /// The one of no vendor.
    Plain,
    /// Kingdee's.
    Kingdee,
}

impl System {
    pub(super) const ALL: [System; 2] = [System::Plain, System::Kingdee];

    /// In the figures.
    pub(super) fn name(self) -> &'static str {
        match self {
            System::Plain => "the plain system",
            System::Kingdee => "Kingdee",
        }
    }

    /// As the simulators call it.
    pub(super) fn word(self) -> &'static str {
        match self {
            System::Plain => "plain",
            System::Kingdee => "kingdee",
        }
    }

    /// What is called to write.
    pub(super) fn endpoint(self) -> &'static str {
        match self {
            System::Plain => "postDocuments",
            System::Kingdee => "BatchSave",
        }
    }

    /// The same, as calls are counted.
    pub(super) fn writes(self) -> &'static str {
        match self {
            System::Plain => "plain/postDocuments",
            System::Kingdee => "kingdee/BatchSave",
        }
    }

    /// What is called to log in, as calls are counted.
    pub(super) fn login(self) -> &'static str {
        match self {
            System::Plain => "plain/token",
            System::Kingdee => "kingdee/LoginBySign",
        }
    }

    /// Its words about a row that it refuses on order.
    pub(super) fn refusal(self) -> &'static str {
        match self {
            System::Plain => "not acceptable",
            System::Kingdee => "不符合业务规则",
        }
    }

    /// Most documents of one call.
    pub(super) fn most(self) -> u64 {
        match self {
            System::Plain => 1_000,
            System::Kingdee => 50,
        }
    }

    fn target(self) -> &'static str {
        match self {
            System::Plain => {
                "\
target:
  connection: plain
  api: add_unique
  batch: BATCH
  request: {key: <<no>>, name: <<name>>}
"
            }
            System::Kingdee => {
                "\
target:
  connection: k3
  api: batchSave
  options: {FormId: BD_Customer}
  batch: BATCH
  request:
    FNumber: <<no>>
    FName: <<name>>
    FCreateOrgId: {FNumber: \"100\"}
    FUseOrgId: {FNumber: \"100\"}
  find: before_create
"
            }
        }
    }
}

/// [`at`] the plain system.
pub(super) fn world(level: Level, batch: u64) -> (World, Shop) {
    at(System::Plain, level, batch)
}

/// Simulators with a plain system of this level, a source to be filled, and the scheme that writes from the one to
/// the other.
pub(super) fn at(system: System, level: Level, batch: u64) -> (World, Shop) {
    let mut world = World::start(Config {
        trades: 4,
        settings: NewSettings {
            plain: Some(level),
            ..NewSettings::default()
        },
        ..Config::default()
    });
    let k3 = world.sandbox().connections_yaml(&["kingdee-k3cloud"]);
    let k3 = k3.find("  k3:").map_or("", |at| &k3[at..]);
    for file in ["connections.yaml", "connectors/plain/connector.yaml"] {
        let text = std::fs::read_to_string(repository().join("tests/levels").join(file));
        let mut text = text.expect("the repository has it");
        if file == "connections.yaml" {
            // Nothing is late here but the machine.
            text = text.replace(
                "first_byte: 300ms, idle: 300ms, total: 600ms",
                "first_byte: 30s, idle: 30s, total: 30s",
            );
            text.push_str(k3);
        }
        world.write(file, &text);
    }
    let shop = Shop::open();
    for (connector, param, variable) in [
        ("netease-huke", "server", "LEVELS_HUKE"),
        ("netease-huke", "key", "LEVELS_HUKE_KEY"),
        ("netease-huke", "secret", "LEVELS_HUKE_SECRET"),
        ("plain", "server", "LEVELS_PLAIN"),
        ("plain", "client_id", "LEVELS_PLAIN_ID"),
        ("plain", "client_secret", "LEVELS_PLAIN_SECRET"),
    ] {
        let params = world.sandbox().params(connector).expect("it is simulated");
        let mut value = params[param].clone();
        if variable == "LEVELS_HUKE" {
            value = value.replace(&world.addr().to_string(), &shop.addr().to_string());
        }
        world.set(variable, &value);
    }
    let text = format!("{SOURCE}{}", system.target()).replace("BATCH", &batch.to_string());
    world.write(SCHEME, &text);
    (world, shop)
}

/// The key of a row.
pub(super) fn key(nth: u64) -> String {
    format!("R{nth:06}")
}

/// A row of the source.
pub(super) fn row(nth: u64, name: &str) -> Value {
    json!({"no": key(nth), "name": name})
}

/// Records of one question to the ledger.
const PAGE: u32 = 500;

/// How many sends the records of a ledger have used up.
pub(super) fn spent(world: &World) -> Result<u64, String> {
    let reader = Ledger::open_read_only(&world.data()).map_err(|error| error.to_string())?;
    let (mut before, mut spent) = (None, 0);
    loop {
        let filter = RecordFilter {
            before,
            limit: PAGE,
            ..RecordFilter::default()
        };
        let page = reader.list_records(&filter).map_err(|error| error.to_string())?;
        let Some(last) = page.last() else { return Ok(spent) };
        before = Some(last.record);
        spent += page.iter().map(|row| u64::from(row.attempts)).sum::<u64>();
    }
}
