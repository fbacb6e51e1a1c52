//! A simulated Yonyou U8 OpenAPI: `/u8/...`, everything but the document of a write stands in the address.
//!
//! Facts with a public source: the token call by GET, `errcode` as a text that is `0`, the parameters around a call,
//! `page_index`, `rows_per_page`, `row_count` and `page_count` as texts, rows under the name of the object, conditions
//! by code and by the day of the last change, writes with either a `tradeid` that is fetched before or a `biz_id` of
//! one's own, `sync` 1 for an answer at once.
//! Guesses of ours: every code but 0, all sentences, 100 rows a page, the limit of calls, that a code stands once, most
//! members of a row, that a call which is not synchronous is refused (nobody here could fetch its answer later).

use hyper::Method;
use serde_json::json;

use super::{Problem, Writing, against, members, number, problem, query, reply, text};
use crate::clock::{local, parse_local};
use crate::data::cid;
use crate::form::Pairs;
use crate::kingdee::store::Fields;
use crate::limit::Limit;
use crate::reply::{Reply, Request};
use crate::state::{DAY_MS, World};
use crate::systems::{Does, Endpoint, Kind, Param, Row, System};
use crate::twist::Twist;

const NAME: &str = "u8";
const FORM: &str = "u8_customer";
const LIFE_MS: i64 = 7_200_000;
const MAX_ROWS: u64 = 100;
const LIST: &str = "customer/batch_get";
const ADD: &str = "customer/add";
const LIMITS: &[Limit] = &[Limit::a_minute(300)];

pub(crate) const ROW: Row = Row {
    name: NAME,
    connector: "yonyou-u8",
    connection: "u8",
    params: &[
        Param::new("server", Kind::Server("/u8/")),
        Param::new("from_account", Kind::Open("sandbox_dev")),
        Param::new("to_account", Kind::Open("sandbox_ent")),
        Param::new("app_key", Kind::Open("opasandbox")),
        Param::new(
            "app_secret",
            Kind::Secret("sandbox-u8-secret", "SANDBOX_U8_SECRET"),
        ),
    ],
    endpoints: &[
        Endpoint::new("system/token", Does::Else),
        Endpoint::new(LIST, Does::COUNTED),
        Endpoint::new(ADD, Does::Writes { rows: false }),
    ],
    code: &U8,
};

mod code {
    pub(super) const SECRET: &str = "20002";
    pub(super) const OVER: &str = "20008";
    pub(super) const LIMIT: &str = "20011";
    pub(super) const BUSY: &str = "-1";
    pub(super) const WRONG: &str = "30001";
    pub(super) const THERE: &str = "30002";
}

#[derive(Debug)]
struct U8;

impl System for U8 {
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str> {
        let path = request.path.strip_prefix("/u8/")?;
        Some(path.strip_prefix("api/").unwrap_or(path))
    }

    fn handle(&self, world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Reply {
        let answer = query(request, code::WRONG).and_then(|pairs| match endpoint {
            "system/token" => token(world, request, &pairs),
            _ => call(world, request, &pairs, endpoint, twist),
        });
        match answer {
            Ok(members) => reply(200, format_args!(r#"{{"errcode":"0","errmsg":"",{members}}}"#)),
            Err(problem) => told(&problem),
        }
    }

    fn takes(&self, method: &Method) -> bool {
        [Method::GET, Method::POST].contains(method)
    }

    fn busy(&self, _endpoint: &str, limit: bool) -> Reply {
        told(&if limit {
            too_often()
        } else {
            problem(code::BUSY, "系统繁忙")
        })
    }

    fn lose(&self, world: &mut World, request: &Request, _endpoint: &str) -> Reply {
        let pairs = query(request, code::WRONG).unwrap_or_default();
        world.lose_token(NAME, pairs.get("token"));
        told(&over())
    }

    fn office(&self) -> Option<(&'static str, &'static str)> {
        Some((NAME, FORM))
    }
}

fn over() -> Problem {
    problem(code::OVER, "token 无效或已过期")
}

fn too_often() -> Problem {
    problem(code::LIMIT, "调用次数超过限制，请稍后再试")
}

fn told(problem: &Problem) -> Reply {
    reply(
        problem.status,
        json!({"errcode": problem.code, "errmsg": problem.message}),
    )
}

fn token(world: &mut World, request: &Request, pairs: &Pairs) -> Result<String, Problem> {
    let right = world.is_known(
        NAME,
        ["from_account", "app_key", "app_secret"].map(|name| (name, pairs.get(name))),
    );
    if request.method != Method::GET || !right {
        return Err(problem(code::SECRET, "app_key 或 app_secret 不正确"));
    }
    let key = pairs.get("app_key");
    let (token, seconds) = world.give_token(NAME, LIFE_MS);
    Ok(format!(
        r#""token":{{"appKey":{},"expiresIn":{seconds},"id":"{token}"}}"#,
        json!(key)
    ))
}

fn call(
    world: &mut World,
    request: &Request,
    pairs: &Pairs,
    endpoint: &str,
    twist: &Twist,
) -> Result<String, Problem> {
    if !world.takes_token(NAME, pairs.get("token"), LIFE_MS) {
        return Err(over());
    }
    let right = ["from_account", "to_account", "app_key"]
        .iter()
        .all(|name| world.credential(NAME, name) == pairs.get(name));
    if !right {
        return Err(problem(code::SECRET, "调用方、提供方或应用不存在"));
    }
    world.pass(NAME, LIMITS).map_err(|_| too_often())?;
    match (endpoint, &request.method) {
        (LIST, &Method::GET) => customers(world, pairs, twist),
        (ADD, &Method::POST) => add(world, request, pairs, twist),
        (other, _) => Err(problem(code::WRONG, format!("没有接口 {other}"))),
    }
}

/// A customer as it stands.
struct Customer {
    code: String,
    name: String,
    changed_ms: i64,
}

fn customers(world: &World, pairs: &Pairs, twist: &Twist) -> Result<String, Problem> {
    let wrong = |what: &str| problem(code::WRONG, format!("{what} 不正确"));
    let page = number(pairs.get("page_index"), 1, (1, 1_000_000), &wrong("page_index"))?;
    let size = number(
        pairs.get("rows_per_page"),
        20,
        (1, MAX_ROWS),
        &wrong("rows_per_page"),
    )?;
    let day = |name: &str, usual: i64| match pairs.get(name) {
        "" => Ok(usual),
        day => parse_local(&format!("{day} 00:00:00")).ok_or_else(|| wrong(name)),
    };
    let from = day("ModifyDate_begin", i64::MIN)?;
    // Whole days, the last one among them.
    let to = day("ModifyDate_end", i64::MAX - DAY_MS)?.saturating_add(DAY_MS);
    let (first, last) = (pairs.get("code_begin"), pairs.get("code_end"));
    let (_, codes) = world.data.customer_codes(&world.changes, 0, u64::MAX);
    let seeded = codes.into_iter().map(|customer| Customer {
        code: cid(customer),
        name: world.data.nick(&world.changes, customer),
        changed_ms: world.data.base_ms,
    });
    let written = world.docs(NAME).into_iter().flat_map(|docs| docs.all(""));
    let written = written.map(|(_, doc)| Customer {
        code: doc.number.to_string(),
        name: text(&doc.fields, "name"),
        changed_ms: doc.modified_ms,
    });
    let mut rows: Vec<Customer> = seeded
        .chain(written)
        .filter(|one| (from..to).contains(&one.changed_ms))
        .filter(|one| {
            (first.is_empty() || one.code.as_str() >= first) && (last.is_empty() || one.code.as_str() <= last)
        })
        .collect();
    rows.sort_by(|a, b| a.code.cmp(&b.code));
    let total = u64::try_from(rows.len()).unwrap_or(0);
    let place = twist
        .page_number(page)
        .map(|page| (page - 1).saturating_mul(size));
    let place = place
        .and_then(|place| usize::try_from(place).ok())
        .unwrap_or(usize::MAX);
    let shown = rows.iter().skip(place).take(usize::try_from(size).unwrap_or(0));
    let list: Vec<String> = shown
        .map(|one| {
            json!({
                "code": one.code, "name": one.name, "abbrname": one.name, "sort_code": "01",
                "ModifyDate": local(one.changed_ms), "memo": null,
            })
            .to_string()
        })
        .collect();
    let told = twist.total(total);
    Ok(format!(
        r#""page_index":"{page}","rows_per_page":"{size}","row_count":"{told}","page_count":"{}","customer":[{}]"#,
        told.div_ceil(size),
        list.join(",")
    ))
}

fn add(world: &mut World, request: &Request, pairs: &Pairs, twist: &Twist) -> Result<String, Problem> {
    let (trade, own) = (pairs.get("tradeid"), pairs.get("biz_id"));
    if trade.is_empty() == own.is_empty() {
        return Err(problem(code::WRONG, "tradeid 与 biz_id 必须且只能传入一个"));
    }
    if pairs.get("sync") != "1" {
        return Err(problem(code::WRONG, "sync 应为 1"));
    }
    let body = members(request, code::WRONG)?;
    let content = body.get("customer").map_or("{}", |raw| raw.get());
    let fields: Fields =
        serde_json::from_str(content).map_err(|_| problem(code::WRONG, "customer 应为对象"))?;
    let rule = problem(code::WRONG, "客户档案不符合校验规则");
    let writing = Writing {
        system: NAME,
        form: FORM,
        request,
        endpoint: ADD,
        twist,
        rule: rule.clone(),
        is_whole: false,
    };
    let row = writing.one(world, content, |world, place, content| {
        let (number, name) = (text(&fields, "code"), text(&fields, "name"));
        if number.trim().is_empty() || name.trim().is_empty() {
            return Err(problem(code::WRONG, "客户编码 code 与名称 name 不能为空"));
        }
        against(world, &number, &rule)?;
        let (_, codes) = world.data.customer_codes(&world.changes, 0, u64::MAX);
        let docs = &world.office(NAME).docs;
        if docs.find("", &number).is_some() || codes.into_iter().any(|one| cid(one) == number) {
            return Err(problem(code::THERE, format!("客户编码 {number} 已存在")));
        }
        Ok(docs.create(place, "", &number, content))
    })?;
    Ok(format!(
        r#""tradeid":{},"id":{}"#,
        json!(trade),
        json!(row.number)
    ))
}
