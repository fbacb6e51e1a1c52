//! A simulated Feishu: `/feishu/open-apis/...`, a tenant token and the records of multi-dimensional tables (bitable).
//!
//! Facts with a public source: the token call, its life of two hours and its members, the bearer header, paths of
//! tables, `page_size` up to 500 and `page_token` in the address, `has_more` and `page_token` in the answer, filters of
//! `conditions` that are joined by `and`, text fields that a search shows as a list of pieces, records of a batch in
//! the order of the call, batches that are taken whole or not at all, no two writes at a time on one table (1254291),
//! 20 searches a second, the codes 99991663 for a token that is over, 99991400 and 1254290 for too many calls, 1254103
//! and 1254104 for too many records.
//! A record that is added under a `client_token` (a version 4 UUID) is added once.
//! Guesses of ours: that such a token is known for an hour, `10014` for a wrong secret, 500 records a batch (a table of codes says 1000), all sentences.

use serde_json::json;

use super::grid::{self, Asking, Batch, Op, Refusals};
use super::{Mark, Problem, RowLine, bearer, members, number, problem, query, reply, text};
use crate::kingdee::store::{Fields, scalar};
use crate::limit::Limit;
use crate::reply::{Reply, Request};
use crate::state::World;
use crate::systems::{Does, Endpoint, Kind, Param, Row, System};
use crate::twist::Twist;

const NAME: &str = "feishu";
const FORM: &str = "bitable";
const LIFE_MS: i64 = 7_200_000;
const MAX_PAGE_SIZE: u64 = 500;
const MAX_BATCH: usize = 500;
/// How long a `client_token` is known.
const KEY_LIFE_MS: i64 = 3_600_000;
/// Most of them; more than the records a test writes.
const MAX_KEYS: usize = 100_000;
const APP: &str = "bascnSandbox";
const LIMITS: &[Limit] = &[Limit::a_second(20)];

pub(crate) const ROW: Row = Row {
    name: NAME,
    connector: "feishu-bitable",
    connection: "feishu",
    params: &[
        Param::new("server", Kind::Server("/feishu/")),
        Param::new("app_id", Kind::Open("cli_sandbox")),
        Param::new(
            "app_secret",
            Kind::Secret("sandbox-feishu-secret", "SANDBOX_FEISHU_SECRET"),
        ),
        Param::new("app_token", Kind::Open(APP)),
    ],
    endpoints: &[
        Endpoint::new("tenant_access_token", Does::Else),
        Endpoint::new("bitable/records/search", Does::COUNTED),
        Endpoint::new("bitable/records/create", Does::Writes { rows: false }),
        Endpoint::new("bitable/records/batch_create", WRITES),
        Endpoint::new("bitable/records/batch_update", WRITES),
    ],
    code: &Feishu,
};

const WRITES: Does = Does::Writes { rows: true };

mod code {
    pub(super) const SECRET: &str = "10014";
    pub(super) const OVER: &str = "99991663";
    pub(super) const LIMIT: &str = "99991400";
    pub(super) const BUSY: &str = "1254291";
    pub(super) const WRONG: &str = "1254000";
    pub(super) const NO_TABLE: &str = "1254041";
    pub(super) const NO_RECORD: &str = "1254043";
    pub(super) const NO_FIELD: &str = "1254045";
    pub(super) const TOO_MANY: &str = "1254104";
    pub(super) const RULE: &str = "1254060";
}

#[derive(Debug)]
struct Feishu;

/// The table and the call of a path below the app.
fn place(request: &Request) -> Option<(&str, &str)> {
    let path = request.path.strip_prefix("/feishu/open-apis/bitable/v1/apps/")?;
    let path = path.strip_prefix(APP)?.strip_prefix("/tables/")?;
    path.split_once("/records")
        .map(|(table, call)| (table, call.trim_start_matches('/')))
}

impl System for Feishu {
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str> {
        let path = request.path.strip_prefix("/feishu/open-apis/")?;
        if path == "auth/v3/tenant_access_token/internal" {
            return Some("tenant_access_token");
        }
        Some(match place(request) {
            Some((_, "search")) => "bitable/records/search",
            Some((_, "")) => "bitable/records/create",
            Some((_, "batch_create")) => "bitable/records/batch_create",
            Some((_, "batch_update")) => "bitable/records/batch_update",
            _ => path,
        })
    }

    fn handle(&self, world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Reply {
        let answer = match endpoint {
            "tenant_access_token" => return token(world, request),
            _ => call(world, request, endpoint, twist),
        };
        match answer {
            Ok(data) => reply(200, format_args!(r#"{{"code":0,"msg":"success","data":{data}}}"#)),
            Err(problem) => told(&problem),
        }
    }

    fn busy(&self, _endpoint: &str, limit: bool) -> Reply {
        told(&if limit {
            too_often()
        } else {
            problem(code::BUSY, "Write conflict")
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
    problem(
        code::OVER,
        "Invalid access token for authorization. Please make a test attempt with the correct token.",
    )
    .with_status(400)
}

fn too_often() -> Problem {
    problem(code::LIMIT, "request trigger frequency limit").with_status(400)
}

fn told(problem: &Problem) -> Reply {
    let code: i64 = problem.code.parse().unwrap_or(-1);
    reply(
        problem.status,
        json!({"code": code, "msg": problem.message, "data": {}}),
    )
}

fn token(world: &mut World, request: &Request) -> Reply {
    let fields: Fields = serde_json::from_slice(&request.body).unwrap_or_default();
    let [id, secret] = ["app_id", "app_secret"].map(|name| text(&fields, name));
    if !world.is_known(NAME, [("app_id", &id), ("app_secret", &secret)]) {
        return told(&problem(code::SECRET, "app secret invalid"));
    }
    let (token, seconds) = world.give_token(NAME, LIFE_MS);
    reply(
        200,
        json!({"code": 0, "msg": "ok", "tenant_access_token": format!("t-{token}"), "expire": seconds}),
    )
}

fn call(world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Result<String, Problem> {
    let token = bearer(request).strip_prefix("t-").unwrap_or_default();
    if !world.takes_token(NAME, token, LIFE_MS) {
        return Err(over());
    }
    let (table, _) = place(request).ok_or_else(|| problem("1254040", "BaseTokenNotFound"))?;
    if !grid::has_table(table) {
        return Err(problem(code::NO_TABLE, "TableIdNotFound"));
    }
    world.pass(NAME, LIMITS).map_err(|_| too_often())?;
    match endpoint {
        "bitable/records/search" => search(world, request, table, twist),
        "bitable/records/create" => create(world, request, endpoint, table, twist),
        "bitable/records/batch_create" => write(world, request, endpoint, table, None, twist),
        "bitable/records/batch_update" => write(world, request, endpoint, table, Some("record_id"), twist),
        _ => Err(problem(code::WRONG, "WrongRequestBody")),
    }
}

/// A value as a search shows it: text is a list of pieces.
fn shown(raw: &str) -> String {
    match serde_json::from_str::<String>(raw) {
        Ok(text) => json!([{"text": text, "type": "text"}]).to_string(),
        Err(_) => raw.to_owned(),
    }
}

const fn compare(less: bool, equal: bool) -> Op {
    Op::Compare { less, equal }
}

const OPS: &[(&str, Op)] = &[
    ("is", Op::Is),
    ("isNot", Op::IsNot),
    ("contains", Op::Holds),
    ("doesNotContain", Op::HoldsNot),
    ("isEmpty", Op::Empty),
    ("isNotEmpty", Op::NotEmpty),
    ("isGreater", compare(false, false)),
    ("isGreaterEqual", compare(false, true)),
    ("isLess", compare(true, false)),
    ("isLessEqual", compare(true, true)),
];

fn search(world: &World, request: &Request, table: &str, twist: &Twist) -> Result<String, Problem> {
    let pairs = query(request, code::WRONG)?;
    let body = members(request, code::WRONG)?;
    let size = number(
        pairs.get("page_size"),
        20,
        (1, MAX_PAGE_SIZE),
        &problem("1254030", "TooLargeResponse"),
    )?;
    let mark = Mark::read(
        pairs.get("page_token"),
        size,
        &problem("1254024", "InvalidPageToken"),
    )?;
    let wanted: Vec<String> = super::list(&body, "field_names", code::WRONG)?
        .iter()
        .filter_map(|raw| scalar(raw))
        .collect();
    let asking = Asking {
        joined: "conjunction",
        field: "field_name",
        ops: OPS,
        wrong: problem("1254018", "InvalidFilter"),
    };
    let records = grid::records(world, NAME, table, &asking.read(&body)?);
    let (page, next) = mark.cut(twist, &records);
    let items: Vec<String> = page
        .iter()
        .map(|record| {
            let is_wanted = |name: &String| wanted.is_empty() || wanted.contains(name);
            let fields = record.fields.iter().filter(|(name, _)| is_wanted(name));
            let fields: Vec<String> = fields
                .map(|(name, raw)| format!("{}:{}", json!(name), shown(raw)))
                .collect();
            format!(
                r#"{{"record_id":"{}","created_time":{},"last_modified_time":{},"fields":{{{}}}}}"#,
                grid::id_text(record.id),
                record.created_ms,
                record.modified_ms,
                fields.join(",")
            )
        })
        .collect();
    let total = u64::try_from(records.len()).unwrap_or(0);
    let total = twist.total(total);
    let more = match next.is_empty() {
        true => r#""has_more":false"#.to_owned(),
        false => format!(r#""has_more":true,"page_token":"{next}""#),
    };
    Ok(format!(
        r#"{{"items":[{}],"total":{total},{more}}}"#,
        items.join(",")
    ))
}

/// A record as an answer to a write shows it.
fn record(row: &RowLine) -> String {
    let id = grid::id_text(row.id);
    format!(r#"{{"record_id":"{id}","fields":{}}}"#, row.content)
}

/// A version 4 UUID as it is usually written.
fn is_uuid4(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let is_hex = |group: &&str| group.bytes().all(|b| b.is_ascii_hexdigit());
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(is_hex)
        && groups[2].starts_with('4')
        && groups[3].starts_with(['8', '9', 'a', 'b'])
}

/// One record; with a `client_token` that is known nothing is written, and the record of the first call is told.
fn create(
    world: &mut World,
    request: &Request,
    endpoint: &str,
    table: &str,
    twist: &Twist,
) -> Result<String, Problem> {
    let pairs = query(request, code::WRONG)?;
    let key = pairs.get("client_token");
    if !key.is_empty() && !is_uuid4(key) {
        return Err(problem(code::WRONG, "WrongRequestBody: client_token"));
    }
    let now = world.now_ms();
    let keys = &mut world.office(NAME).keys;
    keys.retain(|_, (at, _)| now.saturating_sub(*at) < KEY_LIFE_MS);
    if let Some((_, known)) = keys.get(key) {
        return Ok(format!(r#"{{"record":{}}}"#, record(known)));
    }
    members(request, code::WRONG)?;
    let list = format!(r#"{{"records":[{}]}}"#, String::from_utf8_lossy(&request.body));
    let list: Fields = serde_json::from_str(&list).unwrap_or_default();
    let rows = written(world, request, endpoint, table, None, twist, &list)?;
    let row = rows
        .first()
        .ok_or_else(|| problem(code::RULE, "TextFieldConvFail"))?;
    if !key.is_empty() {
        let keys = &mut world.office(NAME).keys;
        if keys.len() < MAX_KEYS {
            keys.insert(key.to_owned(), (now, row.clone()));
        }
    }
    Ok(format!(r#"{{"record":{}}}"#, record(row)))
}

fn write(
    world: &mut World,
    request: &Request,
    endpoint: &str,
    table: &str,
    id: Option<&'static str>,
    twist: &Twist,
) -> Result<String, Problem> {
    let body = members(request, code::WRONG)?;
    let rows = written(world, request, endpoint, table, id, twist, &body)?;
    let rows: Vec<String> = rows.iter().map(record).collect();
    Ok(format!(r#"{{"records":[{}]}}"#, rows.join(",")))
}

/// The lines of what the records of a body became.
fn written(
    world: &mut World,
    request: &Request,
    endpoint: &str,
    table: &str,
    id: Option<&'static str>,
    twist: &Twist,
    body: &Fields,
) -> Result<Vec<RowLine>, Problem> {
    if world.under_way(NAME, endpoint) > 1 {
        return Err(problem(code::BUSY, "Write conflict"));
    }
    let batch = Batch {
        system: NAME,
        form: FORM,
        request,
        endpoint,
        table,
        id,
        twist,
        most: (MAX_BATCH, problem(code::TOO_MANY, "RecordAddOnceExceedLimit")),
        refusals: Refusals {
            no_record: problem(code::NO_RECORD, "RecordIdNotFound"),
            no_fields: problem(code::NO_FIELD, "FieldNameNotFound"),
            rule: problem(code::RULE, "TextFieldConvFail"),
        },
    };
    batch.write(world, body)
}
