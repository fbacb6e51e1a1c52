//! A simulated Weaver e-cology: `/ecology/api/...`, workflows for whoever has registered a key and holds a token.
//!
//! Facts with a public source (several clients): registration with the caller's public key gives `secrit` and `spk`; a
//! token is given for `secrit` encrypted under `spk` (RSA, PKCS#1 v1.5, base64) and lives half an hour; calls carry
//! `token`, `appid` and `userid` encrypted under `spk`; bodies are forms with JSON text inside; `status: false` means
//! register again. Guesses of ours: every sentence and number of an answer beside these, which workflow has which fields,
//! that a request is found by its exact name, that names may be taken twice, and that one registration serves all tokens
//! of an application until another one is made.
//!
//! The private key below is made up for this simulator. It protects nothing.

mod rsa;

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::bills::{Bill, Bills};
use crate::clock::local;
use crate::crypto;
use crate::data::draw;
use crate::form::Pairs;
use crate::journal::{Line, Write};
use crate::kingdee::auth::Sessions;
use crate::kingdee::store::{Fields, scalar};
use crate::object::Object;
use crate::reply::{Reply, Request};
use crate::state::World;
use crate::systems::{Does, Endpoint, Kind, Param, Row, System};
use crate::twist::{Fate, Twist};

const NAME: &str = "ecology";
/// What the journal calls requests of workflows.
const REQUESTS: &str = "workflow";
const FIRST_ID: u64 = 310_001;

pub(crate) const ROW: Row = Row {
    name: NAME,
    connector: "weaver-ecology",
    connection: "oa",
    params: &[
        Param::new("server", Kind::Server("/ecology/")),
        Param::new("appid", Kind::Open("SANDBOX-OA")),
        Param::new("user_id", Kind::Open("21")),
        // The half that everybody may know; its other half is nowhere.
        Param::new(
            "public_key",
            Kind::Open(
                "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDzcdeHtdgEvw6Ecm5SocMCjLzRj59FsYh0eQdL/7MIqtE6URXaWjhDWLOliuWEGaaWlmkpTmOUljuf7fcGu8/NNUitJt7ajkSE1zR36+qu4mFDTeJagtbEHtuVFIwN9hDQpU5y/XA2ZNy1FBKqQyaOsFY0WK07/02ZTJcUsOcyBwIDAQAB",
            ),
        ),
        // Known to the simulator: who may register.
        Param::new("licence", Kind::Spare("sandbox-oa-licence")),
    ],
    endpoints: &[
        Endpoint::new("regist", Does::Else),
        Endpoint::new("applytoken", Does::Else),
        Endpoint::new("getMyWorkflowRequestList", Does::PAGES),
        Endpoint::new("doCreateRequest", Does::Writes { rows: false }),
    ],
    code: &Ecology,
};

/// A token lives half an hour, unless sessions here end earlier.
const TOKEN_MS: i64 = 30 * 60_000;
const MAX_PAGE_SIZE: usize = 100;
/// The workflow that there is, and the fields it needs.
const WORKFLOW: &str = "1001";
const NEEDED: [&str; 1] = ["khbh"];

/// What this system remembers.
#[derive(Debug)]
pub(crate) struct State {
    /// What was given at the registration of each application.
    registered: BTreeMap<String, String>,
    registrations: u64,
    tokens: Sessions,
    requests: Bills,
}

impl Default for State {
    fn default() -> State {
        State {
            registered: BTreeMap::new(),
            registrations: 0,
            tokens: Sessions::default(),
            requests: Bills::from_id(FIRST_ID),
        }
    }
}

/// An answer that refuses.
fn no(message: &str) -> Reply {
    Reply::json(json!({"status": false, "code": -1, "msg": message, "errcode": "1"}).to_string())
}

/// A refusal of a workflow, which has words for codes.
fn not(code: &str, message: &str) -> Reply {
    Reply::json(json!({"code": code, "errMsg": {"message": message}, "data": {}}).to_string())
}

#[derive(Debug)]
struct Ecology;

impl System for Ecology {
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str> {
        let path = request.path.strip_prefix("/ecology/api/")?;
        path.rsplit('/').next()
    }

    fn handle(&self, world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Reply {
        let answer = match request.path.as_str() {
            "/ecology/api/ec/dev/auth/regist" => register(world, request),
            "/ecology/api/ec/dev/auth/applytoken" => token(world, request),
            _ => call(world, request, endpoint, twist),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }

    fn busy(&self, _endpoint: &str, limit: bool) -> Reply {
        if limit {
            not("LIMIT_EXCEEDED", "调用过于频繁，请稍后再试")
        } else {
            not("SYSTEM_BUSY", "系统繁忙，请稍后再试")
        }
    }

    fn lose(&self, world: &mut World, request: &Request, _endpoint: &str) -> Reply {
        world.ecology.tokens.end(request.header("token"));
        no("token 不存在或已超时")
    }

    fn apply(&self, world: &mut World, write: &Write) {
        if write.form == REQUESTS {
            world.ecology.requests.replay(write);
        }
    }

    fn counts(&self, world: &World) -> Vec<(&'static str, usize)> {
        vec![(REQUESTS, world.ecology.requests.count())]
    }

    fn figures(&self, world: &World) -> Value {
        json!({
            "registrations": world.ecology.registrations,
            "tokens": world.ecology.tokens.count(),
        })
    }
}

fn app(world: &World, request: &Request) -> Result<String, Reply> {
    let appid = request.header("appid");
    if appid.is_empty() || appid != world.credential(NAME, "appid") {
        return Err(no("appid 未授权"));
    }
    Ok(appid.to_owned())
}

/// Registers a public key: the answer has a secret for this application, and our own public key.
fn register(world: &mut World, request: &Request) -> Result<Reply, Reply> {
    let appid = app(world, request)?;
    if request.header("cpk") != world.credential(NAME, "public_key") {
        return Err(no("cpk 不是有效的公钥"));
    }
    world.ecology.registrations += 1;
    let salt = world.data.seed ^ world.now_ms().unsigned_abs();
    let secrit = format!("{:016x}", draw(salt, 61, world.ecology.registrations));
    world.ecology.registered.insert(appid, secrit.clone());
    let answer =
        json!({"status": true, "code": 0, "msg": "ok", "errcode": "0", "secrit": secrit, "spk": rsa::SPK});
    Ok(Reply::json(answer.to_string()))
}

/// A header as it was before it was encrypted for us.
fn opened(request: &Request, name: &str) -> Option<String> {
    let bytes = crypto::unbase64(request.header(name))?;
    String::from_utf8(rsa::decrypt(&bytes)?).ok()
}

fn token(world: &mut World, request: &Request) -> Result<Reply, Reply> {
    let appid = app(world, request)?;
    let known = world
        .ecology
        .registered
        .get(&appid)
        .ok_or_else(|| no("请先注册"))?;
    let told = opened(request, "secret").unwrap_or_default();
    if !crypto::same(known, &told) {
        return Err(no("secret 校验失败"));
    }
    if request.header("time").parse::<u32>().is_err() {
        return Err(no("time 应为秒数"));
    }
    let (seed, now) = (world.data.seed, world.now_ms());
    let token = world.ecology.tokens.start(seed, now);
    Ok(Reply::json(
        json!({"status": true, "code": 0, "msg": "获取成功!", "token": token}).to_string(),
    ))
}

fn call(world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Result<Reply, Reply> {
    app(world, request)?;
    let now = world.now_ms();
    let ttl = world.settings.session_ttl_ms.min(TOKEN_MS);
    let max = world.settings.session_max_calls;
    if !world
        .ecology
        .tokens
        .use_one(request.header("token"), now, ttl, max)
    {
        return Err(no("token 不存在或已超时"));
    }
    if opened(request, "userid").as_deref() != Some(world.credential(NAME, "user_id")) {
        return Err(no("userid 无法识别"));
    }
    if !request
        .header("content-type")
        .starts_with("application/x-www-form-urlencoded")
    {
        return Err(not("PARAM_ERROR", "应为 application/x-www-form-urlencoded"));
    }
    let form = Pairs::read(&request.body).map_err(|what| not("PARAM_ERROR", &what))?;
    match request.path.as_str() {
        "/ecology/api/workflow/paService/getMyWorkflowRequestList" => list(world, &form, twist),
        "/ecology/api/workflow/paService/doCreateRequest" => create(world, request, endpoint, &form, twist),
        _ => Err(not("NO_PERMISSION", "没有这个接口")),
    }
}

fn list(world: &World, form: &Pairs, twist: &Twist) -> Result<Reply, Reply> {
    let number = |name: &str, max: usize| match form.get(name).parse::<usize>() {
        Ok(n) if (1..=max).contains(&n) => Ok(n),
        _ => Err(not("PARAM_ERROR", &format!("{name} 应在 1 到 {max} 之间"))),
    };
    let (page, size) = (number("pageNo", 1_000_000)?, number("pageSize", MAX_PAGE_SIZE)?);
    let conditions = form.find("conditions").filter(|text| !text.is_empty());
    let conditions: Fields = match conditions.map(serde_json::from_str) {
        None => Fields::new(),
        Some(Ok(fields)) => fields,
        Some(Err(_)) => return Err(not("PARAM_ERROR", "conditions 不是 JSON 对象")),
    };
    let wanted = conditions.get("requestName").and_then(|raw| scalar(raw));
    let all = world.ecology.requests.all();
    let found = all.filter(|bill| wanted.as_ref().is_none_or(|name| bill.number == *name));
    let from = twist.first_row((page - 1) * size, size);
    let rows: Vec<String> = match from {
        Some(from) => found.skip(from).take(size).map(row).collect(),
        None => Vec::new(),
    };
    Ok(Reply::json(format!(
        r#"{{"code":"SUCCESS","errMsg":{{}},"data":[{}]}}"#,
        rows.join(",")
    )))
}

fn row(bill: &Bill) -> String {
    let mut row = Object::new();
    row.text("requestId", &bill.id.to_string());
    row.text("requestName", &bill.number);
    row.text("createTime", &local(bill.modified_ms));
    row.raw("workflowId", WORKFLOW);
    row.end()
}

fn create(
    world: &mut World,
    request: &Request,
    endpoint: &str,
    form: &Pairs,
    twist: &Twist,
) -> Result<Reply, Reply> {
    if world.journal.is_full() {
        return Err(not("SYSTEM_INNER_ERROR", "沙箱日志已满"));
    }
    if form.get("workflowId") != WORKFLOW {
        return Err(not("PARAM_ERROR", "workflowId 不存在"));
    }
    let (name, content) = (form.get("requestName"), form.get("mainData"));
    if name.trim().is_empty() {
        return Err(not("PARAM_ERROR", "requestName 不能为空"));
    }
    let main: Vec<Fields> =
        serde_json::from_str(content).map_err(|_| not("PARAM_ERROR", "mainData 不是 JSON 数组"))?;
    if let Some(details) = form.find("detailData").filter(|text| !text.is_empty()) {
        let lists: Result<Vec<Box<RawValue>>, _> = serde_json::from_str(details);
        lists.map_err(|_| not("PARAM_ERROR", "detailData 不是 JSON 数组"))?;
    }
    let value = |wanted: &str| {
        let text = |field: &Fields, name: &str| field.get(name).and_then(|raw| scalar(raw));
        let found = main
            .iter()
            .find(|field| text(field, "fieldName").as_deref() == Some(wanted));
        found
            .and_then(|field| text(field, "fieldValue"))
            .unwrap_or_default()
    };
    if let Some(field) = NEEDED.iter().find(|field| value(field).trim().is_empty()) {
        return Err(not("PARAM_ERROR", &format!("字段 {field} 为必填")));
    }
    let is_refused = twist.fate(0, content) == Fate::Refused
        || twist.refuses_batch(std::iter::once(content))
        || world.refusal(&value("khbh")).is_some();
    if is_refused {
        return Err(not("USER_EXCEPTION", "流程不允许创建"));
    }
    let now = world.now_ms();
    let row = world.ecology.requests.create(0, now, name, content);
    let id = row.id;
    let write = world.written(endpoint, REQUESTS, &request.body, twist, vec![row]);
    let appended = world.journal.append(Line::Write(write));
    appended.map_err(|e| not("SYSTEM_INNER_ERROR", &format!("写入失败：{e}")))?;
    let answer = json!({"code": "SUCCESS", "errMsg": {}, "data": {"requestid": id}});
    Ok(Reply::json(answer.to_string()))
}
