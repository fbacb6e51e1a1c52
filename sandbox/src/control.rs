//! `/_sandbox/...`: what a test or a person does to the simulators while they run.
//!
//! Only for this machine: the server listens on loopback, and requests that a web page could have
//! sent (a foreign `Host`, an `Origin`) are refused.

use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::data::{Data, cid};
use crate::fault::FaultPlan;
use crate::kingdee::forms;
use crate::reply::{Reply, Request};
use crate::state::World;

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

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ClockOrder {
    now_ms: Option<i64>,
    advance_ms: Option<i64>,
    session_ttl_ms: Option<i64>,
    /// 0 lifts the limit.
    session_max_calls: Option<u64>,
    freshness_ms: Option<i64>,
    unique_numbers: Option<bool>,
    query_max: Option<usize>,
    partial_is_success: Option<bool>,
    repeat_ms: Option<i64>,
}

pub(crate) fn handle(world: &mut World, request: &Request) -> Reply {
    if !is_local(request) {
        return problem(403, "only for programs on this machine");
    }
    let name = request.path.strip_prefix("/_sandbox/").unwrap_or_default();
    let answer = match (&request.method, name) {
        (&Method::POST, "change") => order(request).and_then(|o| change(world, &o)),
        (&Method::POST, "fault") => fault(world, request),
        (&Method::POST, "clock") => order(request).map(|o| clock(world, &o)),
        (&Method::GET, "journal") => journal(world, &request.query),
        (&Method::GET, "state") => Ok(state(world)),
        _ => return problem(404, "there are: POST change, fault, clock; GET journal, state"),
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
    for plan in order.plans {
        world.faults.add(plan)?;
    }
    Ok(json!({"plans": world.faults.plans().collect::<Vec<_>>()}))
}

fn clock(world: &mut World, order: &ClockOrder) -> Value {
    if let Some(now) = order.now_ms {
        world.clock.set(now);
    }
    world.clock.advance(order.advance_ms.unwrap_or(0));
    let s = &mut world.settings;
    s.session_ttl_ms = order.session_ttl_ms.unwrap_or(s.session_ttl_ms);
    if let Some(calls) = order.session_max_calls {
        s.session_max_calls = (calls > 0).then_some(calls);
    }
    s.freshness_ms = order.freshness_ms.unwrap_or(s.freshness_ms);
    s.unique_numbers = order.unique_numbers.unwrap_or(s.unique_numbers);
    s.query_max = order.query_max.unwrap_or(s.query_max).max(1);
    s.partial_is_success = order.partial_is_success.unwrap_or(s.partial_is_success);
    s.repeat_ms = order.repeat_ms.unwrap_or(s.repeat_ms);
    json!({"now_ms": world.now_ms(), "settings": world.settings})
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

fn state(world: &World) -> Value {
    let documents: serde_json::Map<String, Value> = forms::FORMS
        .iter()
        .map(|f| (f.name.to_owned(), json!(world.store.count(f))))
        .filter(|(_, count)| *count != json!(0))
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
        "faults": world.faults.plans().collect::<Vec<_>>(),
        "settings": world.settings,
    })
}
