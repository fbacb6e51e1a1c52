//! A simulated Yonyou YonBIP: `/yonbip/...`, three servers under one address.
//!
//! Facts with a public source: the call that tells a tenant where its gateway and its token server are, the signed call
//! for a token (base64 of HMAC-SHA256, encoded once), the token in the query of every call, pages by `pageIndex` and
//! `pageSize` with `recordList` and `recordCount`, the codes of a success. Guesses of ours: every other code, the paths
//! of the documents, how conditions are written, the answer to a save of several, that the number of a document is
//! unique, that a token lives as long as sessions do here, and that the token server counts no calls.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::bills::{Bill, Bills};
use crate::clock::{local, parse_local};
use crate::crypto;
use crate::data::{cid, draw};
use crate::form::Pairs;
use crate::journal::{Line, Write};
use crate::kingdee::auth::Sessions;
use crate::kingdee::store::{Fields, scalar};
use crate::limit::Limit;
use crate::object::Object;
use crate::reply::{Reply, Request};
use crate::state::World;
use crate::systems::{Does, Endpoint, Kind, Param, Row, System};
use crate::twist::{Fate, Twist};

const NAME: &str = "yonbip";
/// What the journal calls sales orders.
const ORDERS: &str = "voucherorder";
/// A number that a double cannot hold, as the ids of the vendor are.
const FIRST_ID: u64 = 1_730_000_000_000_000_001;
const META: &str = "/yonbip/meta/open-auth/dataCenter/getGatewayAddress";
const TOKEN: &str = "/yonbip/auth/open-auth/selfAppAuth/base/v1/getAccessToken";
const LIST: &str = "/yonbip/gw/yonbip/sd/voucherorder/list";
const SAVE: &str = "/yonbip/gw/yonbip/sd/voucherorder/batchSave";
const CUSTOMERS: &str = "/yonbip/gw/yonbip/digitalModel/merchant/list";

const READS: Does = Does::COUNTED;

pub(crate) const ROW: Row = Row {
    name: NAME,
    connector: "yonyou-yonbip",
    connection: "yonbip",
    params: &[
        Param::new("server", Kind::Server("/yonbip/meta/")),
        Param::new("tenant", Kind::Open("sandbox01")),
        Param::new("app_key", Kind::Open("sandbox-yonbip")),
        Param::new(
            "app_secret",
            Kind::Secret("sandbox-yonbip-secret", "SANDBOX_YONBIP_SECRET"),
        ),
    ],
    endpoints: &[
        Endpoint::new("getGatewayAddress", Does::Else),
        Endpoint::new("getAccessToken", Does::Else),
        Endpoint::new("merchant/list", READS),
        Endpoint::new("voucherorder/list", READS),
        Endpoint::new("voucherorder/batchSave", Does::Writes { rows: true }),
    ],
    code: &YonBip,
};

/// Calls of one application; a guess.
const LIMITS: &[Limit] = &[Limit::a_minute(600)];
const MAX_PAGE_SIZE: u64 = 500;
const MAX_ROWS: usize = 100;

/// What this system remembers.
#[derive(Debug)]
pub(crate) struct State {
    tokens: Sessions,
    orders: Bills,
}

impl Default for State {
    fn default() -> State {
        State {
            tokens: Sessions::default(),
            orders: Bills::from_id(FIRST_ID),
        }
    }
}

/// Why a call was refused: the vendor's code and sentence.
struct Refused(&'static str, String);

fn refused(code: &'static str, message: impl Into<String>) -> Refused {
    Refused(code, message.into())
}

impl Refused {
    fn reply(&self) -> Reply {
        Reply::json(json!({"code": self.0, "message": self.1, "data": null}).to_string())
    }
}

mod code {
    pub(super) const TENANT: &str = "50000";
    pub(super) const SIGN: &str = "50001";
    pub(super) const STALE: &str = "50002";
    pub(super) const TOKEN: &str = "310036";
    pub(super) const LIMIT: &str = "310030";
    pub(super) const BUSY: &str = "310500";
    pub(super) const PARAMETER: &str = "999";
    pub(super) const NO_API: &str = "310404";
}

fn fine(code: &str, data: impl std::fmt::Display) -> Reply {
    Reply::json(format!(
        r#"{{"code":"{code}","message":"操作成功","data":{data}}}"#
    ))
}

#[derive(Debug)]
struct YonBip;

impl System for YonBip {
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str> {
        let path = request.path.strip_prefix("/yonbip/")?;
        let named = |path: &'a str, base: &str| path.strip_prefix(base);
        named(path, "gw/yonbip/sd/")
            .or_else(|| named(path, "gw/yonbip/digitalModel/"))
            .or_else(|| path.rsplit('/').next())
    }

    fn handle(&self, world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Reply {
        let answer = match request.path.as_str() {
            META => discover(world, request),
            TOKEN => token(world, request),
            _ => call(world, request, endpoint, twist),
        };
        answer.unwrap_or_else(|problem| problem.reply())
    }

    fn busy(&self, _endpoint: &str, limit: bool) -> Reply {
        let problem = if limit {
            refused(code::LIMIT, "调用次数超过限制，请稍后再试")
        } else {
            refused(code::BUSY, "系统繁忙，请稍后再试")
        };
        problem.reply()
    }

    fn lose(&self, world: &mut World, request: &Request, _endpoint: &str) -> Reply {
        let query = Pairs::read(request.query.as_bytes()).unwrap_or_default();
        world.yonbip.tokens.end(query.get("access_token"));
        expired().reply()
    }

    /// The paths know their methods.
    fn takes(&self, _method: &hyper::Method) -> bool {
        true
    }

    fn apply(&self, world: &mut World, write: &Write) {
        if write.form == ORDERS {
            world.yonbip.orders.replay(write);
        }
    }

    fn counts(&self, world: &World) -> Vec<(&'static str, usize)> {
        vec![(ORDERS, world.yonbip.orders.count())]
    }

    fn figures(&self, world: &World) -> Value {
        json!({"tokens": world.yonbip.tokens.count()})
    }
}

fn expired() -> Refused {
    refused(code::TOKEN, "非法token")
}

fn query(request: &Request) -> Result<Pairs, Refused> {
    Pairs::read(request.query.as_bytes()).map_err(|what| refused(code::PARAMETER, what))
}

/// Where a tenant's gateway and token server are: here.
fn discover(world: &World, request: &Request) -> Result<Reply, Refused> {
    if request.method != hyper::Method::GET
        || query(request)?.get("tenantId") != world.credential(NAME, "tenant")
    {
        return Err(refused(code::TENANT, "租户不存在"));
    }
    let host = request.header("host");
    let data = json!({
        "gatewayUrl": format!("http://{host}/yonbip/gw"),
        "tokenUrl": format!("http://{host}/yonbip/auth"),
    });
    Ok(fine("00000", data))
}

fn token(world: &mut World, request: &Request) -> Result<Reply, Refused> {
    let query = query(request)?;
    if request.method != hyper::Method::GET || query.get("appKey") != world.credential(NAME, "app_key") {
        return Err(refused(code::SIGN, "appKey 不存在"));
    }
    let time = query.get("timestamp");
    let want = crypto::yonbip_sign(world.credential(NAME, "app_secret"), query.get("appKey"), time);
    if !crypto::same(&want, query.get("signature")) {
        return Err(refused(code::SIGN, "签名不正确"));
    }
    if time.len() != 13 || !world.is_fresh(time) {
        return Err(refused(code::STALE, "时间戳已过期"));
    }
    let (seed, now) = (world.data.seed, world.now_ms());
    let token = world.yonbip.tokens.start(seed, now);
    let seconds = world.settings.session_ttl_ms / 1000;
    Ok(fine("00000", json!({"access_token": token, "expire": seconds})))
}

fn call(world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Result<Reply, Refused> {
    let query = query(request)?;
    let now = world.now_ms();
    let (ttl, max) = (world.settings.session_ttl_ms, world.settings.session_max_calls);
    let tokens = &mut world.yonbip.tokens;
    if !tokens.use_one(query.get("access_token"), now, ttl, max) {
        return Err(expired());
    }
    if request.method != hyper::Method::POST {
        return Err(refused(code::NO_API, "请求方式不支持"));
    }
    if world.pass(NAME, LIMITS).is_err() {
        return Err(refused(code::LIMIT, "调用次数超过限制，请稍后再试"));
    }
    let body: Fields = serde_json::from_slice(&request.body)
        .map_err(|e| refused(code::PARAMETER, format!("请求不是 JSON 对象：{e}")))?;
    match request.path.as_str() {
        LIST => orders(world, &body, twist),
        CUSTOMERS => customers(world, &body, twist),
        SAVE => save(world, request, endpoint, &body, twist),
        path => Err(refused(code::NO_API, format!("接口不存在：{path}"))),
    }
}

fn text(fields: &Fields, name: &str) -> String {
    fields
        .get(name)
        .and_then(|value| scalar(value))
        .unwrap_or_default()
}

/// `pageIndex` from 1, and `pageSize`.
fn asked(body: &Fields) -> Result<(u64, u64), Refused> {
    let number = |name: &str, max: u64| match text(body, name).parse::<u64>() {
        Ok(n) if (1..=max).contains(&n) => Ok(n),
        _ => Err(refused(code::PARAMETER, format!("{name} 应在 1 到 {max} 之间"))),
    };
    Ok((
        number("pageIndex", u64::from(u32::MAX))?,
        number("pageSize", MAX_PAGE_SIZE)?,
    ))
}

fn page(twist: &Twist, (index, size): (u64, u64), rows: &[String]) -> Reply {
    let total = twist.total(u64::try_from(rows.len()).unwrap_or(u64::MAX));
    let (skip, take) = match twist.page_number(index) {
        Some(index) => ((index - 1).saturating_mul(size), size),
        None => (0, 0),
    };
    let of = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let shown: Vec<&str> = rows
        .iter()
        .skip(of(skip))
        .take(of(take))
        .map(String::as_str)
        .collect();
    let (pages, rows) = (total.div_ceil(size), shown.join(","));
    fine(
        "200",
        format_args!(
            r#"{{"pageIndex":{index},"pageSize":{size},"pageCount":{pages},"recordCount":{total},"recordList":[{rows}]}}"#
        ),
    )
}

fn customers(world: &World, body: &Fields, twist: &Twist) -> Result<Reply, Refused> {
    let asked = asked(body)?;
    let all = world.data.customer_count(&world.changes);
    let (_, codes) = world.data.customer_codes(&world.changes, 0, all);
    let rows: Vec<String> = codes
        .into_iter()
        .map(|customer| {
            let id = FIRST_ID - 1_000_000_000 + draw(world.data.seed, 51, customer) % 1_000_000;
            let mut row = Object::new();
            row.text("id", &id.to_string());
            row.text("code", &cid(customer));
            row.text("name", &world.data.nick(&world.changes, customer));
            row.end()
        })
        .collect();
    Ok(page(twist, asked, &rows))
}

/// A condition of a query.
struct Condition {
    field: String,
    op: String,
    value: Vec<String>,
}

fn conditions(body: &Fields) -> Result<Vec<Condition>, Refused> {
    let Some(raw) = body.get("simpleVOs") else {
        return Ok(Vec::new());
    };
    let wrong = || refused(code::PARAMETER, "simpleVOs 应为条件的数组");
    let list: Vec<Fields> = serde_json::from_str(raw.get()).map_err(|_| wrong())?;
    list.iter()
        .map(|one| {
            let raw = one.get("value1").ok_or_else(wrong)?;
            let value = match serde_json::from_str::<Vec<Box<RawValue>>>(raw.get()) {
                Ok(list) => list.iter().filter_map(|value| scalar(value)).collect(),
                Err(_) => vec![scalar(raw).ok_or_else(wrong)?],
            };
            let (field, op) = (text(one, "field"), text(one, "op"));
            let known = ["id", "code", "pubts"].contains(&field.as_str());
            let known_op = ["eq", "in", "egt", "elt", "gt", "lt"].contains(&op.as_str());
            if !known || !known_op {
                return Err(refused(code::PARAMETER, format!("条件 {field} {op} 不支持")));
            }
            Ok(Condition { field, op, value })
        })
        .collect()
}

impl Condition {
    fn holds(&self, bill: &Bill) -> bool {
        let one = self.value.first().map_or("", String::as_str);
        if self.field == "pubts" {
            let Some(at) = parse_local(one) else { return false };
            let ms = bill.modified_ms - bill.modified_ms.rem_euclid(1000);
            return match self.op.as_str() {
                "egt" => ms >= at,
                "gt" => ms > at,
                "elt" => ms <= at,
                "lt" => ms < at,
                _ => ms == at,
            };
        }
        let own = if self.field == "id" {
            bill.id.to_string()
        } else {
            bill.number.clone()
        };
        self.value.contains(&own)
    }
}

fn orders(world: &World, body: &Fields, twist: &Twist) -> Result<Reply, Refused> {
    let asked = asked(body)?;
    let conditions = conditions(body)?;
    let found = world.yonbip.orders.all();
    let found = found.filter(|bill| conditions.iter().all(|condition| condition.holds(bill)));
    let rows: Vec<String> = found.map(row).collect();
    Ok(page(twist, asked, &rows))
}

/// A document as a query shows it: what was sent, with id and time of change.
fn row(bill: &Bill) -> String {
    let sent: Fields = serde_json::from_str(&bill.content).unwrap_or_default();
    let mut row = Object::new();
    row.text("id", &bill.id.to_string());
    row.text("code", &bill.number);
    row.text("pubts", &local(bill.modified_ms));
    for (name, value) in sent
        .iter()
        .filter(|(name, _)| !["id", "code", "pubts"].contains(&name.as_str()))
    {
        row.raw(name, value);
    }
    row.end()
}

fn save(
    world: &mut World,
    request: &Request,
    endpoint: &str,
    body: &Fields,
    twist: &Twist,
) -> Result<Reply, Refused> {
    let wrong = || refused(code::PARAMETER, format!("data 应为 1 到 {MAX_ROWS} 张单据的数组"));
    let list: Vec<Box<RawValue>> = body
        .get("data")
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .ok_or_else(wrong)?;
    if list.is_empty() || list.len() > MAX_ROWS {
        return Err(wrong());
    }
    if world.journal.is_full() {
        return Err(refused(code::BUSY, "沙箱日志已满"));
    }
    if twist.refuses_batch(list.iter().map(|one| one.get())) {
        return Err(refused(code::PARAMETER, "单据中有不符合要求的数据，整批未保存"));
    }
    let now = world.now_ms();
    let (mut rows, mut infos, mut messages) = (Vec::new(), Vec::new(), Vec::new());
    for (dindex, raw) in list.iter().enumerate() {
        let fate = twist.fate(dindex, raw.get());
        if fate == Fate::Dropped {
            continue;
        }
        let fields: Fields = serde_json::from_str(raw.get()).unwrap_or_default();
        let number = text(&fields, "code");
        let saved = if fate == Fate::Refused {
            Err("单据不符合业务规则".to_owned())
        } else {
            one(world, now, dindex, &fields, raw.get())
        };
        match saved {
            Ok(row) => {
                if fate != Fate::Unnamed {
                    infos.push(json!({"id": row.id.to_string(), "code": row.number}));
                }
                rows.push(row);
            }
            Err(why) => messages.push(json!({"code": number, "message": why})),
        }
    }
    if twist.adds_a_row() {
        infos.push(json!({"id": "1", "code": "?"}));
    }
    if !rows.is_empty() {
        let write = world.written(endpoint, ORDERS, &request.body, twist, rows);
        let appended = world.journal.append(Line::Write(write));
        appended.map_err(|e| refused(code::BUSY, format!("写入失败：{e}")))?;
    }
    let data = json!({
        "count": list.len(),
        "sucessCount": infos.len(),
        "failCount": messages.len(),
        "messages": messages,
        "infos": infos,
    });
    Ok(fine("200", data))
}

/// Saves one document: without an id it is new, and its number must be.
fn one(
    world: &mut World,
    now: i64,
    dindex: usize,
    fields: &Fields,
    content: &str,
) -> Result<crate::journal::RowLine, String> {
    let (number, id) = (text(fields, "code"), text(fields, "id"));
    if number.trim().is_empty() {
        return Err("单据编号不能为空".to_owned());
    }
    if text(fields, "agentId").trim().is_empty() {
        return Err("客户 agentId 不能为空".to_owned());
    }
    if world.refusal(&number).is_some() || world.refusal(&text(fields, "agentId")).is_some() {
        return Err("客户已停用".to_owned());
    }
    let orders = &mut world.yonbip.orders;
    if !id.is_empty() {
        let id = id.parse().ok();
        let found = id.and_then(|id| orders.update(dindex, now, id, content));
        return found.ok_or_else(|| "单据不存在".to_owned());
    }
    if orders.with_number(&number).next().is_some() {
        return Err(format!("单据编号【{number}】已存在，不能重复"));
    }
    Ok(orders.create(dindex, now, &number, content))
}
