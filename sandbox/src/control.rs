//! `/_sandbox/...`: what a test or a person does to the simulators while they run.
//!
//! Only for this machine: the server listens on loopback, and requests that a web page could have
//! sent (a foreign `Host`, an `Origin`) are refused.

use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::data::{Data, cid, tid};
use crate::effects::Counted;
use crate::fault::{FaultPlan, MAX_DELAY_MS};
use crate::reply::{Reply, Request};
use crate::settings::NewSettings;
use crate::state::World;
use crate::systems::SYSTEMS;

/// Most journal entries of one answer; each carries its request body.
const MAX_ENTRIES: usize = 10_000;
const DEFAULT_ENTRIES: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeOrder {
    #[serde(default)]
    customers: u64,
    #[serde(default)]
    new: u64,
    at_ms: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultOrder {
    #[serde(default)]
    clear: bool,
    #[serde(default)]
    plans: Vec<FaultPlan>,
}

/// Rows of the source that move; the stretch of time is everything unless told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveOrder {
    #[serde(default)]
    inserts: u64,
    #[serde(default)]
    updates: u64,
    #[serde(default)]
    deletes: u64,
    start_ms: Option<i64>,
    end_ms: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OutageOrder {
    for_ms: u64,
}

pub(crate) fn handle(world: &mut World, request: &Request) -> Reply {
    if !is_local(request) {
        return problem(403, "only for programs on this machine");
    }
    let name = request.path.strip_prefix("/_sandbox/").unwrap_or_default();
    let answer = match (&request.method, name) {
        (&Method::POST, "change") => order(request).and_then(|o| change(world, &o)),
        (&Method::POST, "fault") => fault(world, request),
        (&Method::POST, "clock") => order(request).and_then(|o| clock(world, o)),
        (&Method::POST, "move") => order(request).and_then(|o| move_rows(world, &o)),
        (&Method::POST, "outage") => order(request).map(|o| outage(world, &o)),
        (&Method::GET, "journal") => journal(world, &request.query),
        (&Method::GET, "effects") => effects(world),
        (&Method::GET, "state") => Ok(state(world)),
        _ => {
            return problem(
                404,
                "there are: POST change, fault, clock, move, outage; GET journal, effects, state",
            );
        }
    };
    match answer {
        Ok(value) => Reply::json(value.to_string()),
        Err(what) => problem(400, &what),
    }
}

fn problem(status: u16, what: &str) -> Reply {
    Reply {
        status,
        ..Reply::json(json!({"error": what}).to_string())
    }
}

fn is_local(request: &Request) -> bool {
    let host = request.header("host");
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    ["127.0.0.1", "localhost", "[::1]"].contains(&name) && !request.headers.contains_key("origin")
}

fn order<T: for<'a> Deserialize<'a>>(request: &Request) -> Result<T, String> {
    let body = if request.body.is_empty() {
        &b"{}"[..]
    } else {
        &request.body
    };
    serde_json::from_slice(body).map_err(|e| e.to_string())
}

fn change(world: &mut World, order: &ChangeOrder) -> Result<Value, String> {
    let first_new = world.changes.new_customers;
    let change = world.change(order.customers, order.new, order.at_ms)?;
    let new = (first_new..world.changes.new_customers).map(Data::new_customer_code);
    let row =
        |customer: u64| json!({"cid": cid(customer), "nick": world.data.nick(&world.changes, customer)});
    let changed: Vec<Value> = change.renamed.iter().copied().map(row).collect();
    let added: Vec<Value> = new.map(row).collect();
    Ok(json!({"at_ms": change.at_ms, "changed": changed, "new": added}))
}

/// One plan, or `{"clear": true, "plans": [...]}`.
fn fault(world: &mut World, request: &Request) -> Result<Value, String> {
    let value: Value = order(request)?;
    let order = if value.get("endpoint").is_some() {
        let plan = serde_json::from_value(value).map_err(|e| e.to_string())?;
        FaultOrder {
            clear: false,
            plans: vec![plan],
        }
    } else {
        serde_json::from_value(value).map_err(|e| e.to_string())?
    };
    if order.clear {
        world.faults.clear();
    }
    let now = world.now_ms();
    for plan in order.plans {
        world.faults.add(plan, now)?;
    }
    Ok(json!({"plans": world.faults.plans().collect::<Vec<_>>()}))
}

/// `now_ms`, `advance_ms` and settings in one object.
fn clock(world: &mut World, order: Value) -> Result<Value, String> {
    let Value::Object(mut order) = order else {
        return Err("an object is needed".to_owned());
    };
    let mut number = |name: &str| -> Result<Option<i64>, String> {
        let value = order.remove(name).filter(|value| !value.is_null());
        value.map_or(Ok(None), |value| {
            value
                .as_i64()
                .map(Some)
                .ok_or_else(|| format!("`{name}` needs a number"))
        })
    };
    let (now, advance) = (number("now_ms")?, number("advance_ms")?);
    let new: NewSettings = serde_json::from_value(Value::Object(order)).map_err(|e| e.to_string())?;
    new.check()?;
    if let Some(now) = now {
        world.clock.set(now);
    }
    world.clock.advance(advance.unwrap_or(0));
    world.settings.take(&new);
    Ok(json!({"now_ms": world.now_ms(), "settings": world.settings}))
}

fn move_rows(world: &mut World, order: &MoveOrder) -> Result<Value, String> {
    let span = (order.start_ms.unwrap_or(0), order.end_ms.unwrap_or(i64::MAX));
    let drift = world.move_rows(span, [order.inserts, order.updates, order.deletes])?;
    Ok(json!({
        "at_ms": drift.at_ms,
        "inserted": drift.inserted,
        "inserted_ms": drift.inserted_ms,
        "updated": drift.updated.iter().map(|row| tid(*row)).collect::<Vec<_>>(),
        "deleted": drift.deleted.iter().map(|row| tid(*row)).collect::<Vec<_>>(),
    }))
}

fn outage(world: &World, order: &OutageOrder) -> Value {
    let ms = order.for_ms.min(MAX_DELAY_MS);
    world.order_outage(ms);
    json!({"for_ms": ms})
}

/// What was executed, by key; doubled keys first, at most as many as a journal answer has entries.
fn effects(world: &World) -> Result<Value, String> {
    let mut counted = Counted::default();
    let shown = world.journal.each(|entry| {
        counted.add(&entry);
        true
    });
    shown.map_err(|e| e.to_string())?;
    let mut list = counted.into_list();
    let doubled = list.iter().filter(|key| key.is_doubled()).count();
    let keys = list.len();
    list.sort_by_key(|key| !key.is_doubled());
    list.truncate(MAX_ENTRIES);
    Ok(json!({"keys": keys, "doubled": doubled, "effects": list}))
}

/// `?from=SEQ&limit=N&bodies=0`
fn journal(world: &World, query: &str) -> Result<Value, String> {
    let (mut from, mut limit, mut bodies) = (1, DEFAULT_ENTRIES, true);
    for pair in query.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let number: u64 = value.parse().map_err(|_| format!("`{name}` needs a number"))?;
        match name {
            "from" => from = number,
            "limit" => limit = usize::try_from(number).unwrap_or(MAX_ENTRIES).min(MAX_ENTRIES),
            "bodies" => bodies = number != 0,
            _ => return Err(format!("unknown parameter `{name}`")),
        }
    }
    let entries = world.journal.entries(from, limit).map_err(|e| e.to_string())?;
    let next = entries.last().map_or(from, |e| e.seq + 1);
    let mut list = serde_json::to_value(&entries).map_err(|e| e.to_string())?;
    if !bodies {
        for entry in list.as_array_mut().into_iter().flatten() {
            entry.as_object_mut().map(|e| e.remove("body"));
        }
    }
    Ok(json!({"entries": list, "next": next, "more": next < world.journal.next_seq()}))
}

pub(crate) fn state(world: &World) -> Value {
    let documents: serde_json::Map<String, Value> = SYSTEMS
        .iter()
        .flat_map(|row| row.code.counts(world))
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| (kind.to_owned(), json!(count)))
        .collect();
    let systems: serde_json::Map<String, Value> = SYSTEMS
        .iter()
        .map(|row| (row.name.to_owned(), row.code.figures(world)))
        .filter(|(_, figures)| !figures.is_null())
        .collect();
    let throttled: serde_json::Map<String, Value> = world
        .gates
        .iter()
        .map(|(system, gate)| ((*system).to_owned(), json!(gate.refused)))
        .collect();
    json!({
        "now_ms": world.now_ms(),
        "seed": world.data.seed,
        "trades": world.data.trades,
        "refuse": world.data.refuse,
        "invalid": world.data.invalid,
        "base_ms": world.data.base_ms,
        "customers": world.data.customer_count(&world.changes),
        "renamed": world.changes.versions.len(),
        "added_trades": world.changes.added.len(),
        "documents": documents,
        "executed": world.journal.next_seq() - 1,
        "sessions": world.sessions.count(),
        "calls": world.calls,
        "tokens": world.tokens.count(),
        "systems": systems,
        "throttled": throttled,
        "faults": world.faults.plans().collect::<Vec<_>>(),
        "struck": world.faults.struck().collect::<Vec<_>>(),
        "settings": world.settings,
    })
}
