//! A simulated SAP S/4HANA: `/s4/sap/opu/odata/...` (version 2) and `/s4/sap/opu/odata4/...` (version 4), sales orders.
//!
//! Facts with a public source (the standard, and what SAP says of its gateway): HTTP Basic; a token against forged
//! requests that is fetched with `x-csrf-token: Fetch`, belongs to the cookies it came with, and is asked for with 403 and
//! `x-csrf-token: Required` before anything is looked at; `d.results`, `__next`, `__count`, `/Date(ms)/` and decimals as
//! text, against `value`, `@odata.nextLink` and `@odata.count`; filters with quotes doubled; keys in the path; entity tags
//! with 428 and 412; deep inserts; `$batch` with change sets, one of which fails whole; bodies of errors. Guesses of ours:
//! which fields an order needs, every sentence, the size of a page of the server, and that a purchase order number of a
//! customer may stand in two orders.

mod batch;
mod filter;

use std::collections::BTreeMap;

use hyper::Method;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::bills::{Bill, Bills};
use crate::crypto;
use crate::data::draw;
use crate::form::Pairs;
use crate::journal::{Line, RowLine, Write};
use crate::kingdee::store::{Fields, scalar};
use crate::object::Object;
use crate::reply::{Reply, Request};
use crate::state::World;
use crate::systems::{Does, Endpoint, Kind, Param, Row, System};
use crate::twist::{Fate, Twist};

const NAME: &str = "sap";
/// What the journal calls sales orders.
const ORDERS: &str = "A_SalesOrder";
const V2: &str = "/s4/sap/opu/odata/sap/API_SALES_ORDER_SRV/";
const V4: &str = "/s4/sap/opu/odata4/sap/api_salesorder/srvd_a2x/sap/salesorder/0001/";
const COOKIE: &str = "SAP_SESSIONID_S4H_100";
/// Rows of a page when the caller does not ask for fewer.
const PAGE: usize = 20;
/// Most tokens alive; the oldest goes first.
const MAX_TOKENS: usize = 1000;
const MAX_CHANGES: usize = 200;

const READS: Does = Does::COUNTED;
const WRITES: Does = Does::Writes { rows: false };
const BATCHES: Does = Does::Writes { rows: true };

pub(crate) const ROW: Row = Row {
    name: NAME,
    connector: "sap-odata",
    connection: "sap",
    params: &[
        Param::new("server", Kind::Server("/s4/")),
        Param::new("user", Kind::Open("INTEGRATION")),
        Param::new(
            "password",
            Kind::Secret("sandbox-sap-password", "SANDBOX_SAP_PASSWORD"),
        ),
    ],
    endpoints: &[
        Endpoint::new("csrf", Does::Else),
        Endpoint::new("getSalesOrders", READS),
        Endpoint::new("postSalesOrder", WRITES),
        Endpoint::new("patchSalesOrder", WRITES),
        Endpoint::new("batchSalesOrders", BATCHES),
        Endpoint::new("getSalesOrderItems", Does::Else),
        Endpoint::new("getSalesOrdersV4", READS),
        Endpoint::new("getSalesOrderItemsV4", Does::Else),
        Endpoint::new("postSalesOrderV4", WRITES),
        Endpoint::new("patchSalesOrderV4", WRITES),
        Endpoint::new("batchSalesOrdersV4", BATCHES),
    ],
    code: &Sap,
};

/// The version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Odata {
    V2,
    V4,
}

/// What this system remembers.
#[derive(Debug)]
pub(crate) struct State {
    /// The cookie that a token was given with, and when.
    tokens: BTreeMap<String, (String, i64)>,
    given: u64,
    orders: Bills,
}

impl Default for State {
    fn default() -> State {
        State {
            tokens: BTreeMap::new(),
            given: 0,
            orders: Bills::from_id(1),
        }
    }
}

/// Why a call was refused.
#[derive(Debug)]
struct Refused {
    status: u16,
    code: &'static str,
    message: String,
}

fn refused(status: u16, code: &'static str, message: impl Into<String>) -> Refused {
    Refused {
        status,
        code,
        message: message.into(),
    }
}

impl Refused {
    fn json(&self, odata: Odata) -> String {
        let detail = json!({"code": self.code, "message": self.message, "severity": "error"});
        let error = match odata {
            Odata::V2 => json!({
                "code": self.code,
                "message": {"lang": "zh", "value": self.message},
                "innererror": {"transactionid": "0", "errordetails": [detail]},
            }),
            Odata::V4 => json!({"code": self.code, "message": self.message, "details": [detail]}),
        };
        json!({"error": error}).to_string()
    }

    fn reply(&self, odata: Odata) -> Reply {
        Reply {
            status: self.status,
            ..Reply::json(self.json(odata))
        }
    }
}

#[derive(Debug)]
struct Sap;

/// Version, and what follows the service.
fn service(path: &str) -> Option<(Odata, &str)> {
    let v2 = path.strip_prefix(V2).map(|rest| (Odata::V2, rest));
    v2.or_else(|| path.strip_prefix(V4).map(|rest| (Odata::V4, rest)))
}

fn set(odata: Odata) -> &'static str {
    match odata {
        Odata::V2 => "A_SalesOrder",
        Odata::V4 => "SalesOrder",
    }
}

impl System for Sap {
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str> {
        let (odata, rest) = service(&request.path)?;
        let pick = |v2, v4| match odata {
            Odata::V2 => v2,
            Odata::V4 => v4,
        };
        Some(match rest {
            "" => "csrf",
            "$batch" => pick("batchSalesOrders", "batchSalesOrdersV4"),
            rest if rest == set(odata) && request.method == Method::GET => {
                pick("getSalesOrders", "getSalesOrdersV4")
            }
            rest if rest == set(odata) => pick("postSalesOrder", "postSalesOrderV4"),
            _ if request.method == Method::GET => pick("getSalesOrderItems", "getSalesOrderItemsV4"),
            _ => pick("patchSalesOrder", "patchSalesOrderV4"),
        })
    }

    fn handle(&self, world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Reply {
        let Some((odata, rest)) = service(&request.path) else {
            return Reply::html(404, "<html><body><h1>404</h1></body></html>");
        };
        if let Some(reply) = unknown(world, request) {
            return reply;
        }
        if request.method == Method::GET || request.method == Method::HEAD {
            let mut reply = match rest {
                "" => Reply::json(format!(r#"{{"d":{{"EntitySets":["{}"]}}}}"#, set(odata))),
                rest if rest == set(odata) => {
                    let answer = list(world, request, odata, twist);
                    answer.unwrap_or_else(|problem| problem.reply(odata))
                }
                rest => match lines_of(world, rest, odata) {
                    Some(lines) => Reply::json(lines),
                    None => {
                        refused(404, "005056A509B11EE1B9A8FEC11C21578E", "Resource not found").reply(odata)
                    }
                },
            };
            if request.header("x-csrf-token").eq_ignore_ascii_case("fetch") {
                give_token(world, &mut reply);
            }
            return reply;
        }
        if !has_token(world, request) {
            return required();
        }
        let written = match (&request.method, rest) {
            (_, _) if world.journal.is_full() => Err(refused(500, "SANDBOX/FULL", "沙箱日志已满")),
            (&Method::POST, "$batch") => batch::answer(world, request, endpoint, odata, twist),
            (&Method::POST, rest) if rest == set(odata) => {
                let content = String::from_utf8_lossy(&request.body).into_owned();
                create(world, 0, &content, twist).and_then(|row| {
                    let reply = Reply {
                        status: 201,
                        ..Reply::json(created(world, row.id, odata))
                    };
                    write_down(world, request, endpoint, twist, vec![row])?;
                    Ok(reply)
                })
            }
            (&Method::PATCH, rest) => update(world, request, odata, rest, twist).and_then(|row| {
                write_down(world, request, endpoint, twist, vec![row])?;
                Ok(Reply::new(204, "application/json", ""))
            }),
            _ => Err(refused(405, "SANDBOX/405", "Method not allowed")),
        };
        written.unwrap_or_else(|problem| problem.reply(odata))
    }

    fn busy(&self, _endpoint: &str, limit: bool) -> Reply {
        let problem = if limit {
            refused(429, "SANDBOX/429", "Too many requests")
        } else {
            refused(503, "SANDBOX/503", "System is busy")
        };
        problem.reply(Odata::V2)
    }

    fn lose(&self, world: &mut World, request: &Request, _endpoint: &str) -> Reply {
        world.sap.tokens.remove(request.header("x-csrf-token"));
        required()
    }

    /// The paths know their methods.
    fn takes(&self, _method: &Method) -> bool {
        true
    }

    fn apply(&self, world: &mut World, write: &Write) {
        if write.form == ORDERS {
            world.sap.orders.replay(write);
        }
    }

    fn counts(&self, world: &World) -> Vec<(&'static str, usize)> {
        vec![(ORDERS, world.sap.orders.count())]
    }

    fn figures(&self, world: &World) -> Value {
        json!({"csrf_tokens": world.sap.given})
    }
}

/// The answer to somebody who is not known.
fn unknown(world: &World, request: &Request) -> Option<Reply> {
    let [user, password] = ["user", "password"].map(|name| world.credential(NAME, name));
    let want = format!(
        "Basic {}",
        crypto::base64(format!("{user}:{password}").as_bytes())
    );
    if crypto::same(&want, request.header("authorization")) {
        return None;
    }
    let mut reply = Reply::html(401, "<html><body><h1>Logon failed</h1></body></html>");
    reply.headers.push((
        "www-authenticate",
        "Basic realm=\"SAP NetWeaver Application Server\"".to_owned(),
    ));
    Some(reply)
}

fn required() -> Reply {
    let mut reply = Reply::text(403, "CSRF token validation failed");
    reply.headers.push(("x-csrf-token", "Required".to_owned()));
    reply
}

fn give_token(world: &mut World, reply: &mut Reply) {
    world.sap.given += 1;
    let (now, given) = (world.now_ms(), world.sap.given);
    let salt = world.data.seed ^ u64::from(std::process::id()) ^ now.unsigned_abs();
    let [token, cookie] = [71, 72].map(|stream| format!("{:016x}==", draw(salt, stream, given)));
    let tokens = &mut world.sap.tokens;
    while tokens.len() >= MAX_TOKENS {
        let oldest = tokens
            .iter()
            .min_by_key(|(_, (_, at))| *at)
            .map(|(token, _)| token.clone());
        tokens.remove(&oldest.unwrap_or_default());
    }
    tokens.insert(token.clone(), (cookie.clone(), now));
    reply.headers.push(("x-csrf-token", token));
    reply
        .headers
        .push(("set-cookie", "sap-usercontext=sap-client=100; path=/".to_owned()));
    reply.headers.push((
        "set-cookie",
        format!("{COOKIE}={cookie}; path=/; secure; HttpOnly"),
    ));
}

/// Whether a call carries a token that is alive, and the cookie that was given with it.
fn has_token(world: &World, request: &Request) -> bool {
    let Some((cookie, since)) = world.sap.tokens.get(request.header("x-csrf-token")) else {
        return false;
    };
    let cookies = request
        .header("cookie")
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='));
    let mut ours = cookies.filter(|(name, _)| *name == COOKIE);
    let is_young = world.now_ms().saturating_sub(*since) < world.settings.session_ttl_ms;
    is_young && ours.next().is_some_and(|(_, value)| crypto::same(value, cookie))
}

fn write_down(
    world: &mut World,
    request: &Request,
    endpoint: &str,
    twist: &Twist,
    rows: Vec<RowLine>,
) -> Result<(), Refused> {
    let write = world.written(endpoint, ORDERS, &request.body, twist, rows);
    let appended = world.journal.append(Line::Write(write));
    appended.map_err(|e| refused(500, "SANDBOX/IO", format!("写入失败：{e}")))
}

fn text(fields: &Fields, name: &str) -> String {
    fields
        .get(name)
        .and_then(|value| scalar(value))
        .unwrap_or_default()
}

/// The lines of an order as it was sent, in either version, bare or in `results`.
fn items(fields: &Fields) -> Result<Vec<Fields>, Refused> {
    let Some(raw) = fields.get("to_Item").or(fields.get("_Item")) else {
        return Ok(Vec::new());
    };
    let wrapped: Option<BTreeMap<String, Box<RawValue>>> = serde_json::from_str(raw.get()).ok();
    let list = wrapped.as_ref().and_then(|map| map.get("results")).unwrap_or(raw);
    serde_json::from_str(list.get()).map_err(|_| refused(400, "SY/530", "to_Item 不是数组"))
}

/// Makes one order. Nothing is executed that is refused.
fn create(world: &mut World, dindex: usize, content: &str, twist: &Twist) -> Result<RowLine, Refused> {
    let fields: Fields =
        serde_json::from_str(content).map_err(|e| refused(400, "SY/530", format!("Malformed JSON: {e}")))?;
    if fields.contains_key("SalesOrder") {
        return Err(refused(400, "V4/219", "订单编号由系统给出"));
    }
    let (customer, reference) = (
        text(&fields, "SoldToParty"),
        text(&fields, "PurchaseOrderByCustomer"),
    );
    if customer.trim().is_empty() {
        return Err(refused(400, "V1/555", "售达方 SoldToParty 必填"));
    }
    for item in items(&fields)? {
        if text(&item, "Material").is_empty() {
            return Err(refused(400, "V1/391", "行项目缺少物料 Material"));
        }
        if !item
            .get("RequestedQuantity")
            .is_some_and(|raw| raw.get().starts_with('"'))
        {
            return Err(refused(400, "SY/530", "RequestedQuantity 应为文本形式的小数"));
        }
    }
    let is_refused = twist.fate(dindex, content) == Fate::Refused
        || twist.refuses_batch(std::iter::once(content))
        || world.refusal(&customer).is_some();
    if is_refused {
        return Err(refused(400, "V1/305", format!("客户 {customer} 被冻结")));
    }
    let now = world.now_ms();
    let number = if reference.is_empty() { "-" } else { &reference };
    Ok(world.sap.orders.create(dindex, now, number, content))
}

/// The id in `A_SalesOrder('7')`; quotes within are doubled.
fn key_of(rest: &str, odata: Odata) -> Option<u64> {
    let rest = crate::form::text(rest.as_bytes())?;
    let inner = rest
        .strip_prefix(set(odata))?
        .strip_prefix("('")?
        .strip_suffix("')")?;
    inner.replace("''", "'").parse().ok()
}

/// The lines of the order that `A_SalesOrder('7')/to_Item` names.
fn lines_of(world: &World, rest: &str, odata: Odata) -> Option<String> {
    let (key, navigation) = match odata {
        Odata::V2 => (rest.strip_suffix("/to_Item")?, "to_Item"),
        Odata::V4 => (rest.strip_suffix("/_Item")?, "_Item"),
    };
    let bill = world.sap.orders.get(key_of(key, odata)?)?;
    let whole: Fields = serde_json::from_str(&row(bill, odata, None)).ok()?;
    let lines = whole.get(navigation)?;
    Some(match odata {
        Odata::V2 => format!(r#"{{"d":{lines}}}"#),
        Odata::V4 => format!(r#"{{"value":{lines}}}"#),
    })
}

fn update(
    world: &mut World,
    request: &Request,
    odata: Odata,
    rest: &str,
    twist: &Twist,
) -> Result<RowLine, Refused> {
    let not_there = || refused(404, "V1/302", "销售订单不存在");
    let id = key_of(rest, odata).ok_or_else(not_there)?;
    let bill = world.sap.orders.get(id).ok_or_else(not_there)?;
    let tag = request.header("if-match");
    if tag.is_empty() {
        return Err(refused(428, "/IWBEP/CM_MGW_RT/020", "缺少 If-Match"));
    }
    if tag != "*" && tag != etag(bill) {
        return Err(refused(412, "/IWFND/CM_MGW_RT/022", "数据已被其他人修改"));
    }
    let sent: Fields = serde_json::from_slice(&request.body)
        .map_err(|e| refused(400, "SY/530", format!("Malformed JSON: {e}")))?;
    let mut fields: Fields = serde_json::from_str(&bill.content).unwrap_or_default();
    fields.extend(sent.into_iter().filter(|(name, _)| name != "SalesOrder"));
    let content = serde_json::to_string(&fields).expect("raw values are JSON");
    if twist.fate(0, &content) == Fate::Refused {
        return Err(refused(400, "V1/305", "订单被冻结"));
    }
    let now = world.now_ms();
    world
        .sap
        .orders
        .update(0, now, id, &content)
        .ok_or_else(not_there)
}

fn etag(bill: &Bill) -> String {
    format!("W/\"{}-{}\"", bill.id, bill.version)
}

/// The body of the answer to a create.
fn created(world: &World, id: u64, odata: Odata) -> String {
    let row = world
        .sap
        .orders
        .get(id)
        .map(|bill| row(bill, odata, None))
        .unwrap_or_default();
    match odata {
        Odata::V2 => format!(r#"{{"d":{row}}}"#),
        Odata::V4 => row,
    }
}

/// A time as the version writes it.
fn time(ms: i64, odata: Odata) -> String {
    match odata {
        Odata::V2 => format!("/Date({ms}+0000)/"),
        Odata::V4 => filter::rfc3339(ms),
    }
}

/// An order with everything that was sent, or only with some fields.
fn row(bill: &Bill, odata: Odata, select: Option<&[String]>) -> String {
    let sent: Fields = serde_json::from_str(&bill.content).unwrap_or_default();
    let wanted = |name: &str| select.is_none_or(|select| select.iter().any(|known| known == name));
    let mut row = Object::new();
    match odata {
        Odata::V2 => {
            let tag = json!({"uri": format!("{V2}A_SalesOrder('{}')", bill.id), "type": "API_SALES_ORDER_SRV.A_SalesOrderType", "etag": etag(bill)});
            row.raw("__metadata", tag);
        }
        Odata::V4 => {
            row.text("@odata.etag", &etag(bill));
        }
    }
    let id = bill.id.to_string();
    for (name, value) in [
        ("SalesOrder", id.as_str()),
        ("LastChangeDateTime", &time(bill.modified_ms, odata)),
        ("TotalNetAmount", "0.00"),
    ] {
        if wanted(name) {
            row.text(name, value);
        }
    }
    let own = [
        "SalesOrder",
        "LastChangeDateTime",
        "TotalNetAmount",
        "to_Item",
        "_Item",
    ];
    for (name, value) in sent
        .iter()
        .filter(|(name, _)| wanted(name) && !own.contains(&name.as_str()))
    {
        row.raw(name, value);
    }
    if select.is_none() {
        let items = items(&sent).unwrap_or_default();
        let items: Vec<String> = items
            .iter()
            .enumerate()
            .map(|(place, item)| {
                let mut line = Object::new();
                line.text("SalesOrder", &id);
                line.text("SalesOrderItem", &((place + 1) * 10).to_string());
                for (name, value) in item {
                    line.raw(name, value);
                }
                line.end()
            })
            .collect();
        match odata {
            Odata::V2 => row.raw("to_Item", format!(r#"{{"results":[{}]}}"#, items.join(","))),
            Odata::V4 => row.list("_Item", &items),
        };
    }
    row.end()
}

fn list(world: &World, request: &Request, odata: Odata, twist: &Twist) -> Result<Reply, Refused> {
    let wrong = |what: String| refused(400, "/IWBEP/CM_MGW_RT/176", what);
    let query = Pairs::read(request.query.as_bytes()).map_err(wrong)?;
    let wanted = match query.find("$filter") {
        Some(text) => Some(filter::Filter::read(text, odata).map_err(wrong)?),
        None => None,
    };
    let select: Option<Vec<String>> = query
        .find("$select")
        .map(|names| names.split(',').map(|name| name.trim().to_owned()).collect());
    let number = |name: &str| match query.find(name) {
        None => Ok(0),
        Some(text) => text
            .parse::<usize>()
            .map_err(|_| wrong(format!("Invalid {name}"))),
    };
    let skip = number("$skiptoken")?;
    let prefer = request.header("prefer");
    let asked = prefer
        .split("odata.maxpagesize=")
        .nth(1)
        .and_then(|text| text.trim().parse().ok());
    let size = asked.map_or(PAGE, |asked: usize| asked.clamp(1, PAGE));
    let all = world.sap.orders.all();
    let found: Vec<&Bill> = all
        .filter(|bill| wanted.as_ref().is_none_or(|wanted| wanted.holds(bill)))
        .collect();
    let rows: Vec<String> = match twist.first_row(skip, size) {
        Some(from) => found
            .iter()
            .skip(from)
            .take(size)
            .map(|bill| row(bill, odata, select.as_deref()))
            .collect(),
        None => Vec::new(),
    };
    let total = twist.total(u64::try_from(found.len()).unwrap_or(u64::MAX));
    let next = (skip + size < found.len() && !rows.is_empty()).then(|| {
        let kept = query.iter().filter(|(name, _)| *name != "$skiptoken");
        let mut pairs: Vec<String> = kept
            .map(|(name, value)| format!("{name}={}", crypto::percent_encode(value)))
            .collect();
        pairs.push(format!("$skiptoken={}", skip + size));
        // The name behind the proxy is not ours.
        match odata {
            Odata::V2 => format!("https://s4.internal:44300{}?{}", request.path, pairs.join("&")),
            Odata::V4 => format!("{}?{}", set(odata), pairs.join("&")),
        }
    });
    let rows = rows.join(",");
    let text = match odata {
        Odata::V2 => {
            let mut d = Object::new();
            if query.get("$inlinecount") == "allpages" {
                d.text("__count", &total.to_string());
            }
            d.raw("results", format_args!("[{rows}]"));
            if let Some(next) = &next {
                d.text("__next", next);
            }
            format!(r#"{{"d":{}}}"#, d.end())
        }
        Odata::V4 => {
            let mut answer = Object::new();
            answer.text("@odata.context", "$metadata#SalesOrder");
            if query.get("$count") == "true" {
                answer.raw("@odata.count", total);
            }
            answer.raw("value", format_args!("[{rows}]"));
            if let Some(next) = &next {
                answer.text("@odata.nextLink", next);
            }
            answer.end()
        }
    };
    Ok(Reply::json(text))
}
