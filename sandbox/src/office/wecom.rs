//! A simulated WeCom: `/wecom/cgi-bin/...`, a token in the address, customers of the sales staff, messages of an
//! application.
//!
//! Facts with a public source: the token call by GET and its life of two hours, `errcode` 0 for success, 40001 for a
//! wrong secret, 40014 and 42001 for a token that is wrong or over, 45009 and 45033 for too many calls or too many at a
//! time, 81013 for a message that reaches nobody, `invaliduser` for those whom a message does not reach, 30 messages a
//! minute and 1000 an hour of an application to one member, beyond which they are dropped without a word,
//! `externalcontact/batch/get_by_user` with `cursor`, `limit` up to 100 and an empty `next_cursor` at the end,
//! messages and their members, `msgid`, and that a message may be checked for a repetition within 1800 seconds unless
//! another stretch is told.
//! Guesses of ours: the number of calls a minute, most members of a customer, that a repeated message is answered as
//! the first one was, without being sent.

use hyper::Method;
use serde_json::json;

use super::{Mark, Problem, Writing, against, members, number, problem, query, reply, text};
use crate::crypto;
use crate::data::cid;
use crate::kingdee::store::{Fields, scalar};
use crate::limit::Limit;
use crate::reply::{Reply, Request};
use crate::state::{MINUTE_MS, World};
use crate::systems::{Does, Endpoint, Kind, Param, Row, System};
use crate::twist::Twist;

const NAME: &str = "wecom";
const FORM: &str = "wecom_message";
const LIFE_MS: i64 = 7_200_000;
const MAX_LIMIT: u64 = 100;
const MAX_USERS: usize = 100;
/// Bytes of a text message.
const MAX_CONTENT: usize = 2048;
const CUSTOMERS: &str = "externalcontact/batch/get_by_user";
const SEND: &str = "message/send";
/// The only member of staff who has customers, and the only one whom messages reach.
const STAFF: &str = "zhangsan";
/// Messages to one member, and the time in which there are no more.
const MEMBER_LIMITS: [(usize, i64); 2] = [(30, MINUTE_MS), (1000, 60 * MINUTE_MS)];
const LIMITS: &[Limit] = &[Limit::a_minute(600)];

pub(crate) const ROW: Row = Row {
    name: NAME,
    connector: "wecom",
    connection: "wecom",
    params: &[
        Param::new("server", Kind::Server("/wecom/")),
        Param::new("corp_id", Kind::Open("ww_sandbox")),
        Param::new(
            "corp_secret",
            Kind::Secret("sandbox-wecom-secret", "SANDBOX_WECOM_SECRET"),
        ),
        Param::new("agent_id", Kind::Open("1000002")),
    ],
    endpoints: &[
        Endpoint::new("gettoken", Does::Else),
        Endpoint::new(CUSTOMERS, Does::PAGES),
        Endpoint::new(SEND, Does::Writes { rows: false }),
    ],
    code: &WeCom,
};

mod code {
    pub(super) const BUSY: &str = "-1";
    pub(super) const SECRET: &str = "40001";
    pub(super) const NO_USER: &str = "40003";
    pub(super) const TOKEN: &str = "40014";
    pub(super) const OVER: &str = "42001";
    pub(super) const WRONG: &str = "40058";
    pub(super) const EMPTY: &str = "44004";
    pub(super) const AGENT: &str = "40056";
    pub(super) const NOBODY: &str = "81013";
    pub(super) const LIMIT: &str = "45009";
    pub(super) const AT_ONCE: &str = "45033";
}

#[derive(Debug)]
struct WeCom;

impl System for WeCom {
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str> {
        request.path.strip_prefix("/wecom/cgi-bin/")
    }

    fn handle(&self, world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Reply {
        let answer = match endpoint {
            "gettoken" => token(world, request),
            _ => call(world, request, endpoint, twist),
        };
        match answer {
            Ok(members) => reply(200, format_args!(r#"{{"errcode":0,"errmsg":"ok",{members}}}"#)),
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
            problem(code::BUSY, "system busy")
        })
    }

    fn lose(&self, world: &mut World, request: &Request, _endpoint: &str) -> Reply {
        let pairs = query(request, code::WRONG).unwrap_or_default();
        world.lose_token(NAME, pairs.get("access_token"));
        told(&problem(code::OVER, "access_token expired"))
    }

    fn office(&self) -> Option<(&'static str, &'static str)> {
        Some((NAME, FORM))
    }
}

fn too_often() -> Problem {
    problem(code::LIMIT, "api freq out of limit")
}

fn told(problem: &Problem) -> Reply {
    let code: i64 = problem.code.parse().unwrap_or(-1);
    reply(
        problem.status,
        json!({"errcode": code, "errmsg": problem.message}),
    )
}

fn token(world: &mut World, request: &Request) -> Result<String, Problem> {
    let pairs = query(request, code::WRONG)?;
    let [id, secret] = ["corpid", "corpsecret"].map(|name| pairs.get(name));
    let right = world.is_known(NAME, [("corp_id", id), ("corp_secret", secret)]);
    if request.method != Method::GET || !right {
        return Err(problem(code::SECRET, "invalid credential"));
    }
    let (token, seconds) = world.give_token(NAME, LIFE_MS);
    Ok(format!(r#""access_token":"{token}","expires_in":{seconds}"#))
}

fn call(world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Result<String, Problem> {
    let pairs = query(request, code::WRONG)?;
    if !world.takes_token(NAME, pairs.get("access_token"), LIFE_MS) {
        return Err(problem(code::TOKEN, "invalid access_token"));
    }
    if world.under_way(NAME, endpoint) > 1 {
        return Err(problem(code::AT_ONCE, "api concurrent out of limit"));
    }
    world.pass(NAME, LIMITS).map_err(|_| too_often())?;
    match endpoint {
        CUSTOMERS => customers(world, request, twist),
        SEND => send(world, request, twist),
        _ => Err(problem("40066", "invalid url")),
    }
}

fn customers(world: &World, request: &Request, twist: &Twist) -> Result<String, Problem> {
    let body = members(request, code::WRONG)?;
    let users: Vec<String> = super::list(&body, "userid_list", code::WRONG)?
        .iter()
        .filter_map(|raw| scalar(raw))
        .collect();
    if users.is_empty() || users.len() > MAX_USERS {
        return Err(problem(code::WRONG, "userid_list invalid"));
    }
    if let Some(other) = users.iter().find(|user| *user != STAFF) {
        return Err(problem(
            code::NO_USER,
            format!("invalid userid {}", super::short(other)),
        ));
    }
    let size = number(
        &text(&body, "limit"),
        50,
        (1, MAX_LIMIT),
        &problem(code::WRONG, "limit invalid"),
    )?;
    let mark = Mark::read(
        &text(&body, "cursor"),
        size,
        &problem(code::WRONG, "cursor invalid"),
    )?;
    let (_, codes) = world.data.customer_codes(&world.changes, 0, u64::MAX);
    let (page, next) = mark.cut(twist, &codes);
    let rows: Vec<String> = page
        .iter()
        .map(|customer| {
            let nick = world.data.nick(&world.changes, *customer);
            json!({
                "external_contact": {"external_userid": format!("wm{}", cid(*customer)), "name": nick, "type": 1},
                "follow_info": {"userid": STAFF, "remark": nick, "createtime": world.data.base_ms / 1000},
            })
            .to_string()
        })
        .collect();
    Ok(format!(
        r#""external_contact_list":[{}],"next_cursor":"{next}""#,
        rows.join(",")
    ))
}

fn send(world: &mut World, request: &Request, twist: &Twist) -> Result<String, Problem> {
    let body = members(request, code::WRONG)?;
    let rule = problem(code::WRONG, "message refused");
    if text(&body, "agentid") != world.credential(NAME, "agent_id") {
        return Err(problem(code::AGENT, "invalid agentid"));
    }
    if ["touser", "toparty", "totag"]
        .iter()
        .all(|name| text(&body, name).is_empty())
    {
        return Err(problem(code::NO_USER, "touser, toparty and totag are all empty"));
    }
    let kind = text(&body, "msgtype");
    let inner = body.get(&kind).map_or("{}", |raw| raw.get());
    let inner: Fields = serde_json::from_str(inner).unwrap_or_default();
    let content = text(&inner, "content");
    if !["text", "markdown"].contains(&kind.as_str()) || content.trim().is_empty() {
        return Err(problem(code::EMPTY, "content is empty"));
    }
    if content.len() > MAX_CONTENT {
        return Err(problem("45002", "content size out of limit"));
    }
    let users = text(&body, "touser");
    let strangers: Vec<&str> = users
        .split('|')
        .filter(|user| !["", STAFF, "@all"].contains(user))
        .collect();
    let reached = users.split('|').any(|user| [STAFF, "@all"].contains(&user));
    if !reached && text(&body, "toparty").is_empty() && text(&body, "totag").is_empty() {
        return Err(problem(code::NOBODY, "user & party & tag all invalid"));
    }
    let told = |id: u64| {
        let strangers = json!(strangers.join("|"));
        format!(r#""invaliduser":{strangers},"invalidparty":"","invalidtag":"","msgid":"msg{id}""#)
    };
    let checks = text(&body, "enable_duplicate_check") == "1";
    let seconds: i64 = text(&body, "duplicate_check_interval").parse().unwrap_or(1800);
    let sent = String::from_utf8_lossy(&request.body).into_owned();
    let digest = crypto::sha256_hex(&request.body);
    let since = world.now_ms().saturating_sub(seconds.saturating_mul(1000));
    let known = world.docs(NAME).and_then(|docs| {
        let id = docs.find("", &digest)?;
        Some((id, docs.get(id)?.modified_ms))
    });
    if let Some((id, _)) = known.filter(|(_, at)| checks && *at >= since) {
        return Ok(told(id));
    }
    if is_flooded(world) {
        return Ok(told(world.office(NAME).docs.next_id()));
    }
    let writing = Writing {
        system: NAME,
        form: FORM,
        request,
        endpoint: SEND,
        twist,
        rule: rule.clone(),
        is_whole: false,
    };
    let row = writing.one(world, &sent, |world, place, sent| {
        against(world, "", &rule)?;
        let docs = &world.office(NAME).docs;
        Ok(docs.create(place, "", &digest, sent))
    })?;
    Ok(told(row.id))
}

/// Whether the only member has been sent as much as one may be. What is above is answered as if it had been sent.
fn is_flooded(world: &World) -> bool {
    let now = world.now_ms();
    let sent = |within: i64| {
        let all = world.docs(NAME).into_iter().flat_map(|docs| docs.all(""));
        all.filter(|(_, doc)| doc.created_ms > now.saturating_sub(within))
            .count()
    };
    MEMBER_LIMITS.iter().any(|(most, within)| sent(*within) >= *most)
}
