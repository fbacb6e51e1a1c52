//! A simulated Mabang: `/mabang/api/v2`, JSON over POST, one address for all calls, which are named by `api`.
//!
//! Facts with a public source: the members around a call, HMAC-SHA256 of the exact body under the developer's token as
//! hex in `Authorization` (clients write it in either case), a code that is a number or a text, 200 or 0 for success,
//! 0 with a message and null data for a failure behind the gateway, pages by `cursor` with `hasNext` and `maxRows` up
//! to 1000 in `order-get-order-list-new`, rows in `data.data`, local times, up to ten numbers in `platformOrderIds`.
//! Guesses of ours: every other code and all sentences, the name of `nextCursor`, that a number of an order stands
//! once, the limit of calls, which members an order must have.

use serde_json::json;

use super::{Mark, Problem, Writing, against, members, number, problem, reply, short, text};
use crate::clock::{local, parse_local};
use crate::crypto;
use crate::data::{cid, tid};
use crate::kingdee::store::Fields;
use crate::limit::Limit;
use crate::names;
use crate::object::Object;
use crate::reply::{Reply, Request};
use crate::sale::{Buyer, Sale, sku};
use crate::state::{SECOND_MS, World};
use crate::systems::{Does, Endpoint, Kind, Param, Row, System};
use crate::twist::Twist;

const NAME: &str = "mabang";
const FORM: &str = "mabang_order";
const LIST: &str = "order-get-order-list-new";
const CREATE: &str = "order-do-create-order";
const MAX_ROWS: u64 = 1000;
const MAX_NUMBERS: usize = 10;
/// A guess; nothing is public.
const LIMITS: &[Limit] = &[Limit::a_minute(200)];

pub(crate) const ROW: Row = Row {
    name: NAME,
    connector: "mabang",
    connection: "mabang",
    params: &[
        Param::new("server", Kind::Server("/mabang/")),
        Param::new("appkey", Kind::Open("200000")),
        Param::new(
            "token",
            Kind::Secret("sandbox-mabang-token", "SANDBOX_MABANG_TOKEN"),
        ),
    ],
    endpoints: &[
        Endpoint::new(
            LIST,
            Does::Pages {
                total: false,
                moves: true,
            },
        ),
        Endpoint::new(CREATE, Does::Writes { rows: false }),
    ],
    code: &Mabang,
};

mod code {
    /// Guesses, all of them.
    pub(super) const WRONG: &str = "400";
    pub(super) const SIGN: &str = "401";
    pub(super) const NO_API: &str = "404";
    pub(super) const LIMIT: &str = "429";
    /// Known: with a message and null data it is a failure.
    pub(super) const FAILED: &str = "0";
}

#[derive(Debug)]
struct Mabang;

impl System for Mabang {
    /// The call that the body names; one that nobody knows is counted under the system.
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str> {
        request.path.strip_prefix("/mabang/")?;
        let body: Fields = serde_json::from_slice(&request.body).unwrap_or_default();
        let api = text(&body, "api");
        Some(
            [LIST, CREATE]
                .into_iter()
                .find(|name| *name == api)
                .unwrap_or(NAME),
        )
    }

    fn handle(&self, world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Reply {
        let answer = call(world, request, endpoint, twist);
        match answer {
            Ok(data) => reply(
                200,
                format_args!(r#"{{"code":200,"message":"成功","data":{data}}}"#),
            ),
            Err(problem) => told(&problem),
        }
    }

    fn busy(&self, _endpoint: &str, limit: bool) -> Reply {
        told(&if limit {
            too_often()
        } else {
            failed("上游网关无响应")
        })
    }

    /// There is no session: the request is too old.
    fn lose(&self, _world: &mut World, _request: &Request, _endpoint: &str) -> Reply {
        told(&stale())
    }

    fn office(&self) -> Option<(&'static str, &'static str)> {
        Some((NAME, FORM))
    }
}

fn stale() -> Problem {
    problem(code::WRONG, "timestamp 已过期，请校准时间")
}

fn too_often() -> Problem {
    problem(code::LIMIT, "请求过于频繁，请稍后再试")
}

fn failed(words: &str) -> Problem {
    problem(code::FAILED, words)
}

fn told(problem: &Problem) -> Reply {
    // Now a number, now a text: both are seen.
    let code = match problem.code {
        code::FAILED => json!(0),
        code => json!(code),
    };
    reply(
        200,
        json!({"code": code, "message": problem.message, "data": null}),
    )
}

fn call(world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Result<String, Problem> {
    let body = members(request, code::WRONG)?;
    let want = crypto::hmac_hex(world.credential(NAME, "token").as_bytes(), &request.body);
    let sent = request.header("authorization").to_ascii_lowercase();
    if !crypto::same(&want, &sent) {
        return Err(problem(code::SIGN, "Authorization 签名校验失败"));
    }
    if text(&body, "appkey") != world.credential(NAME, "appkey") {
        return Err(problem(code::SIGN, "appkey 不存在"));
    }
    if !world.is_fresh(&text(&body, "timestamp")) {
        return Err(stale());
    }
    world.pass(NAME, LIMITS).map_err(|_| too_often())?;
    let data = body.get("data").map_or("{}", |raw| raw.get());
    let data: Fields = serde_json::from_str(data).map_err(|_| problem(code::WRONG, "data 应为对象"))?;
    match endpoint {
        LIST => orders(world, &data, twist),
        CREATE => create(world, request, &body, &data, twist),
        _ => Err(problem(
            code::NO_API,
            format!("没有接口 {}", short(&text(&body, "api"))),
        )),
    }
}

fn orders(world: &mut World, data: &Fields, twist: &Twist) -> Result<String, Problem> {
    let numbers = text(data, "platformOrderIds");
    if !numbers.is_empty() {
        return by_number(world, &numbers);
    }
    let size = number(
        &text(data, "maxRows"),
        200,
        (1, MAX_ROWS),
        &problem(code::WRONG, format!("maxRows 应在 1 到 {MAX_ROWS} 之间")),
    )?;
    let times = ["updateTimeStart", "updateTimeEnd"].map(|name| parse_local(&text(data, name)));
    let [Some(from), Some(to)] = times else {
        return Err(problem(
            code::WRONG,
            "updateTimeStart、updateTimeEnd 应为 yyyy-MM-dd HH:mm:ss",
        ));
    };
    let mark = Mark::read(&text(data, "cursor"), size, &problem(code::WRONG, "cursor 无效"))?;
    let span = (from, to + SECOND_MS);
    if twist.moves != [0; 3] {
        let moved = world.move_rows(span, twist.moves);
        moved.map_err(|what| failed(&what))?;
    }
    let (_, sales) = world.data.sales(&world.changes, span, 0, u64::MAX);
    let (shown, next) = mark.cut(twist, &sales);
    let rows: Vec<String> = shown.iter().map(|sale| order(world, sale)).collect();
    Ok(format!(
        r#"{{"hasNext":{},"nextCursor":{},"data":[{}]}}"#,
        !next.is_empty(),
        json!(next),
        rows.join(",")
    ))
}

fn by_number(world: &World, numbers: &str) -> Result<String, Problem> {
    let numbers: Vec<&str> = numbers.split(',').collect();
    if numbers.len() > MAX_NUMBERS {
        return Err(problem(
            code::WRONG,
            format!("platformOrderIds 最多 {MAX_NUMBERS} 个"),
        ));
    }
    let mut rows = Vec::new();
    for number in numbers {
        let found = world
            .docs(NAME)
            .and_then(|docs| Some((docs.find("", number)?, docs)));
        if let Some((id, docs)) = found {
            let mut row = Object::new();
            row.raw("erpOrderId", id).text("platformOrderId", number);
            let fields = docs.get(id).into_iter().flat_map(|doc| &doc.fields);
            for (name, raw) in fields.filter(|(name, _)| *name != "platformOrderId") {
                row.raw(name, raw.get());
            }
            rows.push(row.end());
        }
    }
    Ok(format!(
        r#"{{"hasNext":false,"nextCursor":"","data":[{}]}}"#,
        rows.join(",")
    ))
}

fn order(world: &World, sale: &Sale) -> String {
    let mut items = Vec::new();
    for (n, one) in (1..).zip(world.data.lines(sale)) {
        items.push(
            Object::new()
                .text("erpOrderItemId", &format!("{}{n}", 50_000_000 + sale.serial))
                .text("stockSku", &sku(one.goods))
                .text("title", names::goods(one.goods))
                .text("quantity", &one.quantity.to_string())
                .text(
                    "sellPrice",
                    &format!("{}.{:02}", one.cents / 100, one.cents % 100),
                )
                .end(),
        );
    }
    let mut row = Object::new();
    row.text("erpOrderId", &(50_000_000 + sale.serial).to_string())
        .text("platformOrderId", &tid(sale.serial))
        .text("platformId", "Amazon")
        .text("orderStatus", if sale.is_moved { "2" } else { "3" })
        .text("updateTime", &local(sale.ms))
        .text("currencyId", "USD");
    if let Buyer::Known(customer) = sale.buyer {
        row.text("buyerUserId", &cid(customer))
            .text("buyerName", &world.data.nick(&world.changes, customer));
    }
    row.list("orderItem", &items).end()
}

fn create(
    world: &mut World,
    request: &Request,
    body: &Fields,
    data: &Fields,
    twist: &Twist,
) -> Result<String, Problem> {
    let rule = problem(code::WRONG, "订单数据不符合校验规则");
    let writing = Writing {
        system: NAME,
        form: FORM,
        request,
        endpoint: CREATE,
        twist,
        rule: rule.clone(),
        is_whole: false,
    };
    let content = body.get("data").map_or("{}", |raw| raw.get());
    let row = writing.one(world, content, |world, place, content| {
        let number = text(data, "platformOrderId");
        if number.trim().is_empty() {
            return Err(problem(code::WRONG, "platformOrderId 不能为空"));
        }
        against(world, &number, &rule)?;
        let items = super::list(data, "orderItemList", code::WRONG)?;
        if items.is_empty() {
            return Err(problem(code::WRONG, "orderItemList 不能为空"));
        }
        let docs = &world.office(NAME).docs;
        if docs.find("", &number).is_some() {
            return Err(problem(code::WRONG, format!("订单编号 {number} 已存在")));
        }
        Ok(docs.create(place, "", &number, content))
    })?;
    Ok(json!({"platformOrderId": row.number, "erpOrderId": row.id.to_string()}).to_string())
}
