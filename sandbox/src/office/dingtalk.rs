//! A simulated DingTalk: `/dingtalk/v1.0/...`, a token in a header of its own and the records of AI tables (notable).
//!
//! Facts with a public source: the token call and its life of two hours, the header, paths of tables, `operatorId` in
//! the address, `maxResults` up to 100, `nextToken` and `hasMore`, records that are listed by POST, added by POST and
//! changed by PUT, `value` with an id for each record, errors as `code` and `message`, 40 calls a second (90018) and
//! 1500 a minute (90006).
//! Guesses of ours: the statuses of errors, that a batch is taken whole or not at all, 100 records a batch, that a
//! filter may have no conditions, that the limits of the older interface hold here too.

use hyper::Method;
use serde_json::json;

use super::grid::{self, Asking, Batch, Op, Refusals};
use super::{Mark, Problem, members, number, problem, query, reply, text};
use crate::limit::Limit;
use crate::reply::{Reply, Request};
use crate::state::{SECOND_MS, World};
use crate::systems::{Does, Endpoint, Kind, Param, Row, System};
use crate::twist::Twist;

const NAME: &str = "dingtalk";
const FORM: &str = "notable";
const LIFE_MS: i64 = 7_200_000;
const MAX_RESULTS: u64 = 100;
const MAX_BATCH: usize = 100;
const BASE: &str = "baseSandbox";
const HEADER: &str = "x-acs-dingtalk-access-token";
const LIMITS: &[Limit] = &[Limit::a_second(40), Limit::a_minute(1500)];

pub(crate) const ROW: Row = Row {
    name: NAME,
    connector: "dingtalk",
    connection: "dingtalk",
    params: &[
        Param::new("server", Kind::Server("/dingtalk/")),
        Param::new("app_key", Kind::Open("dingsandbox")),
        Param::new(
            "app_secret",
            Kind::Secret("sandbox-dingtalk-secret", "SANDBOX_DINGTALK_SECRET"),
        ),
        Param::new("operator_id", Kind::Open("unionSandbox")),
        Param::new("base_id", Kind::Open(BASE)),
    ],
    endpoints: &[
        Endpoint::new("oauth2/accessToken", Does::Else),
        Endpoint::new("notable/records/list", Does::PAGES),
        Endpoint::new("notable/records", Does::Writes { rows: true }),
    ],
    code: &DingTalk,
};

#[derive(Debug)]
struct DingTalk;

/// The table of a path, and what follows `records`.
fn place(request: &Request) -> Option<(&str, &str)> {
    let path = request.path.strip_prefix("/dingtalk/v1.0/notable/bases/")?;
    let path = path.strip_prefix(BASE)?.strip_prefix("/sheets/")?;
    path.split_once("/records")
}

impl System for DingTalk {
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str> {
        let path = request.path.strip_prefix("/dingtalk/v1.0/")?;
        Some(match place(request) {
            Some((_, "/list")) => "notable/records/list",
            Some((_, "")) => "notable/records",
            _ => path,
        })
    }

    fn handle(&self, world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Reply {
        let answer = match endpoint {
            "oauth2/accessToken" => token(world, request),
            _ => call(world, request, endpoint, twist),
        };
        answer.map_or_else(|problem| told(&problem), |body| reply(200, body))
    }

    fn takes(&self, method: &Method) -> bool {
        [Method::POST, Method::PUT].contains(method)
    }

    fn busy(&self, _endpoint: &str, limit: bool) -> Reply {
        told(&if limit {
            too_often(SECOND_MS)
        } else {
            problem("ServiceUnavailable", "服务暂不可用，请稍后再试").with_status(503)
        })
    }

    fn lose(&self, world: &mut World, request: &Request, _endpoint: &str) -> Reply {
        world.lose_token(NAME, request.header(HEADER));
        told(&over())
    }

    fn office(&self) -> Option<(&'static str, &'static str)> {
        Some((NAME, FORM))
    }
}

fn over() -> Problem {
    problem("InvalidAuthentication", "不合法的access_token").with_status(401)
}

fn too_often(per_ms: i64) -> Problem {
    let code = if per_ms == SECOND_MS { "90018" } else { "90006" };
    problem(code, "您的服务器调用钉钉开放平台接口过于频繁").with_status(403)
}

fn told(problem: &Problem) -> Reply {
    reply(
        problem.status,
        json!({"code": problem.code, "message": problem.message, "requestid": "sandbox"}),
    )
}

fn wrong(what: &str) -> Problem {
    problem("invalidParameter", what).with_status(400)
}

fn token(world: &mut World, request: &Request) -> Result<String, Problem> {
    let fields = members(request, "invalidParameter").map_err(|p| p.with_status(400))?;
    let [key, secret] = ["appKey", "appSecret"].map(|name| text(&fields, name));
    if !world.is_known(NAME, [("app_key", &key), ("app_secret", &secret)]) {
        let words = "无效的clientId或者clientSecret";
        return Err(problem("invalidClientIdOrSecret", words).with_status(400));
    }
    let (token, seconds) = world.give_token(NAME, LIFE_MS);
    Ok(json!({"accessToken": token, "expireIn": seconds}).to_string())
}

fn call(world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Result<String, Problem> {
    if !world.takes_token(NAME, request.header(HEADER), LIFE_MS) {
        return Err(over());
    }
    let pairs = query(request, "invalidParameter")?;
    if pairs.get("operatorId") != world.credential(NAME, "operator_id") {
        return Err(problem("forbidden.accessDenied", "operatorId 没有权限").with_status(403));
    }
    let table = place(request)
        .map(|(table, _)| table)
        .filter(|table| grid::has_table(table));
    let table =
        table.ok_or_else(|| problem("invalidRequest.sheet.notFound", "数据表不存在").with_status(404))?;
    world
        .pass(NAME, LIMITS)
        .map_err(|limit| too_often(limit.per_ms))?;
    match (endpoint, &request.method) {
        ("notable/records/list", &Method::POST) => list(world, request, table, twist),
        ("notable/records", &Method::POST) => write(world, request, endpoint, table, None, twist),
        ("notable/records", _) => write(world, request, endpoint, table, Some("id"), twist),
        _ => Err(problem("invalidRequest", "没有这个接口").with_status(404)),
    }
}

const OPS: &[(&str, Op)] = &[
    ("equal", Op::Is),
    ("notEqual", Op::IsNot),
    ("contain", Op::Holds),
    ("notContain", Op::HoldsNot),
    ("empty", Op::Empty),
    ("notEmpty", Op::NotEmpty),
];

fn list(world: &World, request: &Request, table: &str, twist: &Twist) -> Result<String, Problem> {
    let body = members(request, "invalidParameter")?;
    let size = number(
        &text(&body, "maxResults"),
        20,
        (1, MAX_RESULTS),
        &wrong("maxResults 应在 1 到 100 之间"),
    )?;
    let asking = Asking {
        joined: "combination",
        field: "field",
        ops: OPS,
        wrong: wrong("filter"),
    };
    let mark = Mark::read(&text(&body, "nextToken"), size, &wrong("nextToken"))?;
    let records = grid::records(world, NAME, table, &asking.read(&body)?);
    let (page, next) = mark.cut(twist, &records);
    let rows: Vec<String> = page
        .iter()
        .map(|record| {
            let fields: Vec<String> = record
                .fields
                .iter()
                .map(|(name, raw)| format!("{}:{raw}", json!(name)))
                .collect();
            format!(
                r#"{{"id":"{}","createdTime":{},"lastModifiedTime":{},"fields":{{{}}}}}"#,
                grid::id_text(record.id),
                record.created_ms,
                record.modified_ms,
                fields.join(",")
            )
        })
        .collect();
    let more = match next.is_empty() {
        true => r#""hasMore":false"#.to_owned(),
        false => format!(r#""hasMore":true,"nextToken":"{next}""#),
    };
    Ok(format!(r#"{{"records":[{}],{more}}}"#, rows.join(",")))
}

fn write(
    world: &mut World,
    request: &Request,
    endpoint: &str,
    table: &str,
    id: Option<&'static str>,
    twist: &Twist,
) -> Result<String, Problem> {
    let body = members(request, "invalidParameter")?;
    let batch = Batch {
        system: NAME,
        form: FORM,
        request,
        endpoint,
        table,
        id,
        twist,
        most: (MAX_BATCH, wrong("records 应为 1 到 100 条")),
        refusals: Refusals {
            no_record: problem("invalidRequest.record.notFound", "记录不存在").with_status(404),
            no_fields: wrong("fields"),
            rule: wrong("字段值不符合要求"),
        },
    };
    let rows = batch.write(world, &body)?;
    let ids: Vec<String> = rows
        .iter()
        .map(|row| format!(r#"{{"id":"{}"}}"#, grid::id_text(row.id)))
        .collect();
    Ok(format!(r#"{{"value":[{}]}}"#, ids.join(",")))
}
