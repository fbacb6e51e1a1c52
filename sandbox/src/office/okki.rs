//! A simulated XiaoMan/OKKI: `/okki/v1/...`, JSON with a bearer token of the client-credentials grant.
//!
//! Facts with a public source: the token call and its members, a life of eight hours, 401 for a token that is over, the
//! scope that a call needs, `code` 200 around `data` and `code` 404 inside HTTP 200 for a business refusal,
//! `start_index` as a number of pages and `count` as their size in a request and as the total in an answer of orders
//! (`totalItem` in one of companies), `order_id` in a push makes it a change, no key of a call, and an order that is
//! pushed twice is there twice, lines without `product_id` and `sku_id` are left out without a word.
//! Guesses of ours: `time_type` 1 for changes (2 for creation is public), the words, most members of a row, that lines
//! stand in the list, the limit of calls (none is public), that pushed orders are not among the seeded list.

use serde_json::json;

use super::{Problem, Writing, against, bearer, members, number, problem, query, reply, text};
use crate::clock::{local, parse_local};
use crate::data::cid;
use crate::kingdee::store::Fields;
use crate::names;
use crate::object::Object;
use crate::reply::{Reply, Request};
use crate::sale::{Buyer, Sale, sku};
use crate::state::{SECOND_MS, World};
use crate::systems::{Does, Endpoint, Kind, Param, Row, System};
use crate::twist::Twist;

const NAME: &str = "okki";
const FORM: &str = "okki_order";
/// One second less than eight hours, as somebody measured it.
const LIFE_MS: i64 = 28_799_000;
const MAX_COUNT: u64 = 100;
const MAX_PAGE: u64 = 1_000_000;

pub(crate) const ROW: Row = Row {
    name: NAME,
    connector: "xiaoman-okki",
    connection: "okki",
    params: &[
        Param::new("server", Kind::Server("/okki/")),
        Param::new("client_id", Kind::Open("sandbox-okki")),
        Param::new(
            "client_secret",
            Kind::Secret("sandbox-okki-secret", "SANDBOX_OKKI_SECRET"),
        ),
    ],
    endpoints: &[
        Endpoint::new("okki/access_token", Does::Else),
        Endpoint::new("okki/order/list", READS),
        Endpoint::new("okki/company/list", Does::COUNTED),
        Endpoint::new("okki/order/info", Does::Else),
        Endpoint::new("okki/order/push", Does::Writes { rows: false }),
    ],
    code: &Okki,
};

const READS: Does = Does::MOVING;

mod code {
    pub(super) const WRONG: &str = "404";
    /// A guess.
    pub(super) const BUSY: &str = "500";
    pub(super) const LIMIT: &str = "429";
    pub(super) const OVER: &str = "401";
}

#[derive(Debug)]
struct Okki;

impl System for Okki {
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str> {
        let path = request.path.strip_prefix("/okki/v1/")?;
        Some(match path {
            "oauth2/access_token" => "okki/access_token",
            "invoices/order/list" => "okki/order/list",
            "company/list" => "okki/company/list",
            "invoices/order/info" => "okki/order/info",
            "invoices/order/push" => "okki/order/push",
            other => other,
        })
    }

    fn handle(&self, world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Reply {
        if endpoint == "okki/access_token" {
            return token(world, request);
        }
        if !world.takes_token(NAME, bearer(request), LIFE_MS) {
            return told(&over());
        }
        let answer = match endpoint {
            "okki/order/list" => orders(world, request, twist),
            "okki/company/list" => companies(world, request, twist),
            "okki/order/info" => info(world, request),
            "okki/order/push" => push(world, request, endpoint, twist),
            other => Err(problem(code::WRONG, format!("没有接口 {other}"))),
        };
        match answer {
            Ok(data) => reply(
                200,
                format_args!(r#"{{"code":200,"message":"success","data":{data}}}"#),
            ),
            Err(problem) => told(&problem),
        }
    }

    fn takes(&self, _method: &hyper::Method) -> bool {
        true
    }

    fn busy(&self, _endpoint: &str, limit: bool) -> Reply {
        told(&if limit {
            problem(code::LIMIT, "调用过于频繁，请稍后再试").with_status(429)
        } else {
            problem(code::BUSY, "系统繁忙，请稍后再试")
        })
    }

    fn lose(&self, world: &mut World, request: &Request, _endpoint: &str) -> Reply {
        world.lose_token(NAME, bearer(request));
        told(&over())
    }

    fn office(&self) -> Option<(&'static str, &'static str)> {
        Some((NAME, FORM))
    }
}

fn over() -> Problem {
    problem(code::OVER, "The access token is invalid or has expired").with_status(401)
}

fn told(problem: &Problem) -> Reply {
    let code: u16 = problem.code.parse().unwrap_or(500);
    reply(
        problem.status,
        json!({"code": code, "message": problem.message, "data": null}),
    )
}

fn token(world: &mut World, request: &Request) -> Reply {
    let fields: Fields = serde_json::from_slice(&request.body).unwrap_or_default();
    let refused = |error: &str, words: &str| {
        reply(
            401,
            json!({"error": error, "error_description": words, "message": words}),
        )
    };
    if text(&fields, "grant_type") != "client_credentials" {
        return refused("unsupported_grant_type", "The grant type is not supported");
    }
    let [id, secret] = ["client_id", "client_secret"].map(|name| text(&fields, name));
    if !world.is_known(NAME, [("client_id", &id), ("client_secret", &secret)]) {
        return refused("invalid_client", "Client authentication failed");
    }
    if !text(&fields, "scope").split(' ').any(|scope| scope == "invoices") {
        return refused("invalid_scope", "no permission invoices scopes");
    }
    let (token, seconds) = world.give_token(NAME, LIFE_MS);
    reply(
        200,
        json!({"token_type": "Bearer", "expires_in": seconds, "access_token": token}),
    )
}

/// Page and size of a list.
fn page(pairs: &crate::form::Pairs) -> Result<(u64, u64), Problem> {
    let wrong = |what: &str| problem(code::WRONG, format!("{what} 参数错误"));
    Ok((
        number(pairs.get("start_index"), 1, (1, MAX_PAGE), &wrong("start_index"))?,
        number(pairs.get("count"), 20, (1, MAX_COUNT), &wrong("count"))?,
    ))
}

fn place(asked: (u64, u64), twist: &Twist) -> (u64, u64) {
    twist
        .page_number(asked.0)
        .map_or((0, 0), |page| ((page - 1).saturating_mul(asked.1), asked.1))
}

fn orders(world: &mut World, request: &Request, twist: &Twist) -> Result<String, Problem> {
    let pairs = query(request, code::WRONG)?;
    let asked = page(&pairs)?;
    let times = [pairs.get("start_time"), pairs.get("end_time")].map(parse_local);
    let [Some(from), Some(to)] = times else {
        return Err(problem(
            code::WRONG,
            "start_time、end_time 格式应为 yyyy-MM-dd HH:mm:ss",
        ));
    };
    if !["", "1", "2"].contains(&pairs.get("time_type")) || from > to {
        return Err(problem(code::WRONG, "时间参数错误"));
    }
    let span = (from, to + SECOND_MS);
    if twist.moves != [0; 3] {
        let moved = world.move_rows(span, twist.moves);
        moved.map_err(|what| problem(code::BUSY, what))?;
    }
    let (skip, take) = place(asked, twist);
    let (total, sales) = world.data.sales(&world.changes, span, skip, take);
    let rows: Vec<String> = sales.iter().map(|sale| order(world, sale)).collect();
    Ok(format!(
        r#"{{"list":[{}],"count":{}}}"#,
        rows.join(","),
        twist.total(total)
    ))
}

fn order(world: &World, sale: &Sale) -> String {
    let mut lines = Vec::new();
    for (n, one) in (1..).zip(world.data.lines(sale)) {
        lines.push(
            Object::new()
                .raw("unique_id", 80_000_000 + sale.serial * 4 + n)
                .text("product_no", &sku(one.goods))
                .text("product_name", names::goods(one.goods))
                .raw("count", one.quantity)
                .text("unit", "pcs")
                .raw(
                    "unit_price",
                    format_args!("{}.{:02}", one.cents / 100, one.cents % 100),
                )
                .raw("cost_amount", {
                    let sum = one.cents * one.quantity;
                    format!("{}.{:02}", sum / 100, sum % 100)
                })
                .end(),
        );
    }
    let made = local(sale.ms);
    let mut row = Object::new();
    // A number that a double cannot hold.
    row.raw("order_id", 9_007_199_254_740_993 + sale.serial)
        .text("order_no", &format!("SO{:08}", sale.serial))
        .text("name", &format!("Order {}", sale.serial))
        .text("currency", "USD")
        .text("create_time", &made)
        .text("update_time", &made)
        .raw("status", if sale.is_moved { 2 } else { 1 });
    match sale.buyer {
        Buyer::Known(customer) => {
            row.raw("company_id", 7_000_000 + customer % (1 << 32))
                .text("company_no", &cid(customer))
                .text("company_name", &world.data.nick(&world.changes, customer));
        }
        Buyer::Unknown(_) => {
            row.raw("company_id", "null");
        }
    }
    row.text("remark", names::remark(world.data.draw_sale(sale) >> 32))
        .list("product_list", &lines)
        .end()
}

fn companies(world: &mut World, request: &Request, twist: &Twist) -> Result<String, Problem> {
    let asked = page(&query(request, code::WRONG)?)?;
    let (skip, take) = place(asked, twist);
    let (total, codes) = world.data.customer_codes(&world.changes, skip, take);
    let rows = codes.iter().map(|customer| {
        Object::new()
            .raw("company_id", 7_000_000 + customer % (1 << 32))
            .text("serial_id", &cid(*customer))
            .text("name", &world.data.nick(&world.changes, *customer))
            .text("country", "CN")
            .end()
    });
    let rows: Vec<String> = rows.collect();
    Ok(format!(
        r#"{{"list":[{}],"totalItem":{}}}"#,
        rows.join(","),
        twist.total(total)
    ))
}

fn not_there() -> Problem {
    problem(code::WRONG, "Not Found Resource")
}

fn id_of(written: &str) -> Result<u64, Problem> {
    written.parse().map_err(|_| not_there())
}

fn info(world: &World, request: &Request) -> Result<String, Problem> {
    let pairs = query(request, code::WRONG)?;
    let docs = world.docs(NAME).ok_or_else(not_there)?;
    let id = match (pairs.get("order_id"), pairs.get("order_no")) {
        ("", "") => return Err(not_there()),
        ("", number) => docs.find("", number).ok_or_else(not_there)?,
        (id, _) => id_of(id)?,
    };
    let doc = docs.get(id).ok_or_else(not_there)?;
    let mut row = Object::new();
    row.raw("order_id", id).text("order_no", &doc.number);
    let others = doc
        .fields
        .iter()
        .filter(|(name, _)| !["order_id", "order_no"].contains(&name.as_str()));
    for (name, raw) in others {
        row.raw(name, raw.get());
    }
    Ok(row.end())
}

fn push(world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Result<String, Problem> {
    let fields = members(request, code::WRONG)?;
    let rule = problem(code::WRONG, "订单数据不符合校验规则");
    let content = String::from_utf8_lossy(&request.body).into_owned();
    let writing = Writing {
        system: NAME,
        form: FORM,
        request,
        endpoint,
        twist,
        rule: rule.clone(),
        is_whole: false,
    };
    let row = writing.one(world, &content, |world, place, content| {
        let (id, number) = (text(&fields, "order_id"), text(&fields, "order_no"));
        against(world, &number, &rule)?;
        if text(&fields, "name").trim().is_empty() {
            return Err(problem(code::WRONG, "订单名称 name 不能为空"));
        }
        let docs = &world.office(NAME).docs;
        if id.is_empty() {
            let number = match number.is_empty() {
                true => format!("AUTO{}", docs.next_id()),
                false => number,
            };
            // Nothing says that a number stands once.
            return Ok(docs.create(place, "", &number, content));
        }
        let id = id_of(&id)?;
        let known = docs.get(id).ok_or_else(not_there)?.number.to_string();
        Ok(docs.update(place, "", &known, id, content))
    })?;
    let lines: Vec<Fields> = super::list(&fields, "product_list", code::WRONG)?
        .iter()
        .filter_map(|raw| serde_json::from_str(raw.get()).ok())
        .filter(|line| {
            ["product_id", "sku_id"]
                .iter()
                .all(|name| !text(line, name).is_empty())
        })
        .collect();
    let lines: Vec<String> = (1..=lines.len())
        .map(|n| format!(r#"{{"unique_id":{}{n:03}}}"#, row.id))
        .collect();
    Ok(format!(
        r#"{{"order_id":{},"order_no":{},"product_list":[{}]}}"#,
        row.id,
        json!(row.number),
        lines.join(",")
    ))
}
