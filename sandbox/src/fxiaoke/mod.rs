//! A simulated Fxiaoke (ShareCRM): `/fx/...`, JSON over POST with a token that is fetched first.
//!
//! Facts with a public source: both generations of tokens and where each stands on a call, a token that stays the same
//! for 6600 of its 7200 seconds, ten token calls a minute and never two at a time, `thirdTraceId` on every call and
//! looked at after the credentials, failures inside HTTP 200 with `errorCode` (20016 a token that is over, 20017 none,
//! 10006 a wrong secret, 30004 and 14001 limits, 30002 the calls of the day, -1 busy), 100 calls in 20 seconds for each
//! path, queries with conditions, pages of 100 and offsets up to 10000, a total only for whoever asks, objects of one's
//! own at paths of their own, `dataId` of a create, `_id` of an update, pushes of ERP data.
//! Guesses of ours: every other code, all sentences, which of the two limits has which code, that a token call counts
//! for the whole application, which fields are unique, that invalid documents are not found and cannot be changed, the
//! default order, which objects have lines and that an update replaces them, that `N`, `NIN` and `NLIKE` hold where nothing stands, the members of an account.

mod auth;
mod objects;
mod query;
mod write;

use serde_json::value::RawValue;
use serde_json::{Value, json};

pub(crate) use objects::Objects;

use crate::form::Pairs;
use crate::journal::Write;
use crate::kingdee::store::{Fields, scalar};
use crate::limit::Limit;
use crate::reply::{Reply, Request};
use crate::shelf::Shelf;
use crate::state::{DAY_MS, World};
use crate::systems::{Does, Endpoint, Kind, Param, Row, System};
use crate::twist::Twist;

const NAME: &str = "fx";
/// What the journal calls pushed ERP data; the object is the organisation.
const ERP: &str = "erp";

/// A path, the endpoint a plan names it by, and what is behind it.
struct Path {
    path: &'static str,
    name: &'static str,
    is: Is,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    Token(auth::Age),
    Query(Whose),
    Create(Whose),
    Update(Whose),
    Invalid(Whose),
    Push,
    Describe,
}

/// Preset objects and those of one's own have paths of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Preset,
    Custom,
}

const fn at(path: &'static str, name: &'static str, is: Is) -> Path {
    Path { path, name, is }
}

const PATHS: &[Path] = &[
    at("oauth2.0/token", "oauth2.0/token", Is::Token(auth::Age::New)),
    at(
        "cgi/corpAccessToken/get/V2",
        "corpAccessToken/get/V2",
        Is::Token(auth::Age::Old),
    ),
    at("cgi/crm/v2/data/query", "data/query", Is::Query(Whose::Preset)),
    at("cgi/crm/v2/data/create", "data/create", Is::Create(Whose::Preset)),
    at("cgi/crm/v2/data/update", "data/update", Is::Update(Whose::Preset)),
    at(
        "cgi/crm/v2/data/invalid",
        "data/invalid",
        Is::Invalid(Whose::Preset),
    ),
    at(
        "cgi/crm/custom/v2/data/query",
        "custom/data/query",
        Is::Query(Whose::Custom),
    ),
    at(
        "cgi/crm/custom/v2/data/create",
        "custom/data/create",
        Is::Create(Whose::Custom),
    ),
    at(
        "cgi/crm/custom/v2/data/update",
        "custom/data/update",
        Is::Update(Whose::Custom),
    ),
    at(
        "cgi/crm/custom/v2/data/invalid",
        "custom/data/invalid",
        Is::Invalid(Whose::Custom),
    ),
    at(
        "cgi/crm/erp/syncdata/objdata/push",
        "erp/syncdata/objdata/push",
        Is::Push,
    ),
    at("cgi/crm/v2/object/describe", "object/describe", Is::Describe),
];

pub(crate) const ROW: Row = Row {
    name: NAME,
    connector: "fxiaoke",
    connection: "crm",
    params: &[
        Param::new("server", Kind::Server("/fx/")),
        Param::new("app_id", Kind::Open("FSAID_sandbox")),
        Param::new(
            "app_secret",
            Kind::Secret("sandbox-fx-secret", "SANDBOX_FX_SECRET"),
        ),
        Param::new("code", Kind::Secret("sandbox-fx-code", "SANDBOX_FX_CODE")),
        Param::new("user_id", Kind::Open("1000")),
        Param::new("data_center", Kind::Open("63f82854a8bd974420925e83")),
        Param::new("tenant_id", Kind::Open("7654321")),
        Param::new("push_token", Kind::Secret("sandbox-fx-push", "SANDBOX_FX_PUSH")),
        Param::new("erp_token", Kind::Secret("sandbox-fx-erp", "SANDBOX_FX_ERP")),
    ],
    endpoints: &[
        Endpoint::new("oauth2.0/token", Does::Else),
        Endpoint::new("corpAccessToken/get/V2", Does::Else),
        Endpoint::new("data/query", READS),
        Endpoint::new("data/create", WRITES),
        Endpoint::new("data/update", WRITES),
        Endpoint::new("data/invalid", WRITES),
        Endpoint::new("custom/data/query", READS),
        Endpoint::new("custom/data/create", WRITES),
        Endpoint::new("custom/data/update", WRITES),
        Endpoint::new("custom/data/invalid", WRITES),
        Endpoint::new("erp/syncdata/objdata/push", WRITES),
        Endpoint::new("object/describe", Does::Else),
    ],
    code: &Fxiaoke,
};

const READS: Does = Does::COUNTED;
/// One document a call, so that no fault is about some rows of it.
const WRITES: Does = Does::Writes { rows: false };

/// Calls of one path.
const LIMITS: &[Limit] = &[Limit {
    calls: 100,
    per_ms: 20_000,
}];

/// What this system remembers.
#[derive(Debug, Default)]
pub(crate) struct State {
    tokens: auth::Tokens,
    objects: Objects,
    pushed: Shelf,
    /// The day, and the calls that were let through on it.
    today: (i64, u64),
}

/// The codes of the vendor; those that no source tells of are guesses.
mod code {
    pub(super) const BUSY: i64 = -1;
    pub(super) const SECRET: i64 = 10006;
    pub(super) const OVER: i64 = 20016;
    pub(super) const NO_TOKEN: i64 = 20017;
    /// The sources say "not authorised"; that it is the word for an unknown employee is a guess.
    pub(super) const NOT_ALLOWED: i64 = 20022;
    pub(super) const DAY: i64 = 30002;
    pub(super) const PER_PATH: i64 = 30004;
    pub(super) const TOKEN_CALLS: i64 = 14001;
    /// Guesses from here on.
    pub(super) const PARAMETER: i64 = 10000;
    pub(super) const NO_PATH: i64 = 10001;
    pub(super) const NO_OBJECT: i64 = 10002;
    pub(super) const NO_DATA: i64 = 10003;
    pub(super) const NOT_UNIQUE: i64 = 10004;
    pub(super) const RULE: i64 = 10005;
}

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refused {
    code: i64,
    message: String,
}

fn refused(code: i64, message: impl Into<String>) -> Refused {
    Refused {
        code,
        message: message.into(),
    }
}

impl Refused {
    fn reply(&self, call: u64) -> Reply {
        let short = match self.code {
            code::BUSY => "系统繁忙",
            code::SECRET => "appSecret 错误",
            code::OVER => "accessToken 已过期",
            code::NO_TOKEN => "缺少认证信息",
            code::NOT_ALLOWED => "未授权",
            code::DAY => "超出每日调用总量",
            code::PER_PATH | code::TOKEN_CALLS => "调用频率超过限制",
            code::NOT_UNIQUE => "数据重复",
            code::RULE => "不符合校验规则",
            code::NO_DATA => "数据不存在",
            code::NO_OBJECT => "对象不存在",
            code::NO_PATH => "接口不存在",
            _ => "参数错误",
        };
        let answer = json!({
            "errorCode": self.code, "errorMessage": short, "errorDescription": self.message, "traceId": trace_id(call),
        });
        Reply::json(answer.to_string())
    }
}

fn trace_id(call: u64) -> String {
    format!("E-O.sandbox.{call}")
}

#[derive(Debug)]
struct Fxiaoke;

impl System for Fxiaoke {
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str> {
        let path = request.path.strip_prefix("/fx/")?;
        let known = PATHS.iter().find(|known| known.path == path);
        Some(known.map_or(path, |known| known.name))
    }

    fn handle(&self, world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Reply {
        let number = world.call;
        let answer = match PATHS.iter().find(|known| known.name == endpoint) {
            Some(Path {
                is: Is::Token(age), ..
            }) => auth::give(world, request, *age),
            Some(path) => call(world, request, path, twist),
            None => Err(refused(code::NO_PATH, format!("没有接口 {endpoint}"))),
        };
        // What was found is JSON already, and is joined to what stands in every answer.
        let told = answer.map(|members| {
            let trace = trace_id(number);
            Reply::json(format!(
                r#"{{"errorCode":0,"errorMessage":"OK","traceId":"{trace}",{members}}}"#
            ))
        });
        told.unwrap_or_else(|problem| problem.reply(number))
    }

    fn busy(&self, _endpoint: &str, limit: bool) -> Reply {
        let problem = if limit {
            too_often()
        } else {
            refused(code::BUSY, "系统繁忙，请稍后再试")
        };
        problem.reply(0)
    }

    fn lose(&self, world: &mut World, request: &Request, _endpoint: &str) -> Reply {
        let body: Fields = serde_json::from_slice(&request.body).unwrap_or_default();
        auth::end(world, request, &body);
        auth::over().reply(world.call)
    }

    fn apply(&self, world: &mut World, write: &Write) {
        if write.form == ERP {
            let rows = write.rows.iter();
            rows.for_each(|row| world.fx.pushed.apply(row));
        } else if PATHS.iter().any(|path| path.name == write.endpoint) {
            let rows = write.rows.iter();
            rows.for_each(|row| world.fx.objects.apply(&write.form, write.at_ms, row));
        }
    }

    fn counts(&self, world: &World) -> Vec<(&'static str, usize)> {
        vec![
            ("crm", world.fx.objects.count()),
            ("erp", world.fx.pushed.count()),
        ]
    }

    fn figures(&self, world: &World) -> Value {
        json!({
            "tokens": world.fx.tokens.count(world.now_ms()),
            "accounts": world.data.customers(),
            "calls_today": world.fx.today.1,
        })
    }
}

fn too_often() -> Refused {
    refused(code::PER_PATH, "接口调用过于频繁：每 20 秒最多 100 次")
}

/// `thirdTraceId` of the query: a UUID as it is usually written.
fn traced(request: &Request) -> Result<(), Refused> {
    let pairs = Pairs::read(request.query.as_bytes()).map_err(|what| refused(code::PARAMETER, what))?;
    let id = pairs.get("thirdTraceId");
    let groups: Vec<&str> = id.split('-').collect();
    let is_hex = |group: &&str| group.bytes().all(|b| b.is_ascii_hexdigit());
    if groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(is_hex) {
        Ok(())
    } else {
        Err(refused(code::PARAMETER, "thirdTraceId 应为 UUID"))
    }
}

/// Counts the call; a day ends at midnight in Beijing.
fn within_the_day(world: &mut World) -> Result<(), Refused> {
    const BEIJING_MS: i64 = 8 * 3_600_000;
    let day = (world.now_ms() + BEIJING_MS).div_euclid(DAY_MS);
    let (known, calls) = world.fx.today;
    let calls = if known == day { calls } else { 0 };
    if world.settings.calls_per_day.is_some_and(|most| calls >= most) {
        return Err(refused(code::DAY, "今日调用次数已用完，零点后恢复"));
    }
    world.fx.today = (day, calls + 1);
    Ok(())
}

/// Gives the members of the answer, as JSON.
fn call(world: &mut World, request: &Request, path: &Path, twist: &Twist) -> Result<String, Refused> {
    if !request.header("content-type").starts_with("application/json") {
        return Err(refused(code::PARAMETER, "Content-Type 应为 application/json"));
    }
    let body: Fields = serde_json::from_slice(&request.body)
        .map_err(|e| refused(code::PARAMETER, format!("不是 JSON 对象：{e}")))?;
    auth::check(world, request, &body)?;
    traced(request)?;
    world.pass(path.name, LIMITS).map_err(|_| too_often())?;
    within_the_day(world)?;
    if path.is == Is::Describe {
        return describe(world, &body);
    }
    let data = object(&body, "data")?;
    let write = write::Call {
        request,
        endpoint: path.name,
        twist,
    };
    match path.is {
        Is::Query(whose) => query::run(world, &data, whose, twist),
        Is::Create(whose) => write.create(world, &data, whose),
        Is::Update(whose) => write.update(world, &data, whose),
        Is::Invalid(whose) => write.invalid(world, &data, whose),
        Is::Push => write.push(world, &data),
        Is::Token(_) | Is::Describe => Err(refused(code::NO_PATH, "没有这个接口")),
    }
}

/// The fields of an object, by name. Documents ask for it in `data`, older clients beside that.
fn describe(world: &World, body: &Fields) -> Result<String, Refused> {
    let inner = object(body, "data").map(|data| text(&data, "apiName"));
    let name = match inner {
        Ok(name) if !name.is_empty() => name,
        _ => text(body, "apiName"),
    };
    if !body.contains_key("includeDetail") {
        return Err(refused(code::PARAMETER, "includeDetail 不能为空"));
    }
    if objects::whose(&name).is_none() {
        return Err(refused(code::NO_OBJECT, format!("没有对象 {name}")));
    }
    let told = objects::described(world, &name).into_iter();
    let fields: serde_json::Map<String, Value> = told
        .map(|field| {
            let about = json!({"api_name": field, "type": "text", "is_active": true});
            (field, about)
        })
        .collect();
    let describe = json!({"api_name": name, "fields": fields});
    Ok(format!(r#""data":{{"describe":{describe}}}"#))
}

/// A member that is an object.
fn object(fields: &Fields, name: &str) -> Result<Fields, Refused> {
    let raw: Option<&RawValue> = fields.get(name).map(|raw| &**raw);
    let read = raw.and_then(|raw| serde_json::from_str(raw.get()).ok());
    read.ok_or_else(|| refused(code::PARAMETER, format!("{name} 应为对象")))
}

/// A member as text; empty when it is missing, null or a tree.
fn text(fields: &Fields, name: &str) -> String {
    fields
        .get(name)
        .and_then(|value| scalar(value))
        .unwrap_or_default()
}

/// The object of a call, which must be one that its path is for.
fn api_name(fields: &Fields, whose: Whose) -> Result<String, Refused> {
    let name = text(fields, "dataObjectApiName");
    if name.is_empty() {
        return Err(refused(code::PARAMETER, "dataObjectApiName 不能为空"));
    }
    match (objects::whose(&name), whose) {
        (None, _) => Err(refused(code::NO_OBJECT, format!("没有对象 {name}"))),
        (Some(Whose::Custom), Whose::Preset) => Err(refused(
            code::NO_OBJECT,
            format!("{name} 是自定义对象，应使用 custom 接口"),
        )),
        (Some(Whose::Preset), Whose::Custom) => Err(refused(
            code::NO_OBJECT,
            format!("{name} 是预置对象，不能使用 custom 接口"),
        )),
        _ => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_an_endpoint() {
        let paths: Vec<&str> = PATHS.iter().map(|path| path.name).collect();
        let endpoints: Vec<&str> = ROW.endpoints.iter().map(|one| one.name).collect();
        assert_eq!(paths, endpoints);
    }
}
