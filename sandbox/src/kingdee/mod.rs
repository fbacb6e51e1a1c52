//! A simulated Kingdee K/3 Cloud: `/k3cloud/<service>.<method>.common.kdsvc`.

mod allocate;
mod answer;
pub(crate) mod auth;
mod body;
pub(crate) mod filter;
pub(crate) mod forms;
mod info;
mod push;
mod query;
mod save;
pub(crate) mod seed;
mod steps;
pub(crate) mod store;
pub(crate) mod tasks;

use serde_json::{Value, json};

pub(crate) use answer::{Refusal, response_error};

use crate::journal::Write;
use crate::reply::{Reply, Request};
use crate::state::World;
use crate::systems::{Does, Endpoint, Kind, Param, Row, System};
use crate::twist::Twist;
use answer::code;
use save::Executed;

const DYNAMIC_FORM: &str = "Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.";
const AUTH: &str = "Kingdee.BOS.WebApi.ServicesStub.AuthService.";
const END: &str = ".common.kdsvc";

pub(crate) const ROW: Row = Row {
    name: "kingdee",
    connector: "kingdee-k3cloud",
    connection: "k3",
    params: &[
        Param::new("server", Kind::Server("/k3cloud/")),
        Param::new("auth", Kind::Fixed("login_by_sign")),
        Param::new("acct", Kind::Open("sandbox01")),
        Param::new("user", Kind::Open("integration")),
        Param::new("app_id", Kind::Open("240001_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX")),
        Param::new(
            "app_secret",
            Kind::Secret("sandbox-k3-secret", "SANDBOX_K3_SECRET"),
        ),
        // For `ValidateUser`.
        Param::new("password", Kind::Spare("sandbox-k3-password")),
    ],
    endpoints: &[
        Endpoint::new("LoginBySign", Does::Else),
        Endpoint::new("LoginByAppSecret", Does::Else),
        Endpoint::new("ValidateUser", Does::Else),
        Endpoint::new("Logout", Does::Else),
        Endpoint::new("Save", WRITES),
        Endpoint::new("BatchSave", WRITES),
        Endpoint::new("Draft", WRITES),
        Endpoint::new("Submit", WRITES),
        Endpoint::new("Audit", WRITES),
        Endpoint::new("UnAudit", WRITES),
        Endpoint::new("Delete", WRITES),
        Endpoint::new("View", Does::Else),
        Endpoint::new("Push", WRITES),
        Endpoint::new("Allocate", WRITES),
        Endpoint::new("QueryBusinessInfo", Does::Else),
        Endpoint::new("QueryAsyncResult", Does::Else),
        Endpoint::new("ExecuteBillQuery", READS),
        Endpoint::new("BillQuery", READS),
    ],
    code: &Kingdee,
};

const WRITES: Does = Does::Writes { rows: true };
const READS: Does = Does::PAGES;

#[derive(Debug)]
struct Kingdee;

impl System for Kingdee {
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str> {
        endpoint(&request.path)
    }

    fn handle(&self, world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Reply {
        handle(world, request, endpoint, twist)
    }

    /// A network-control conflict (13) or the call limit (14).
    fn busy(&self, endpoint: &str, limit: bool) -> Reply {
        let problem: Value = if limit {
            answer::failed(code::CALL_LIMIT, "接口调用次数超过限制，请稍后再试")
        } else {
            answer::failed(code::CONFLICT, "当前单据与其他用户的操作有冲突，请稍候再使用")
        };
        answer::reply_for(endpoint, problem)
    }

    fn gateway(&self) -> Reply {
        let body = json!({"errcode": 5001, "description": "request failed", "description_cn": "服务请求失败，请稍后重试"});
        Reply {
            status: 519,
            ..Reply::json(body.to_string())
        }
    }

    fn lose(&self, world: &mut World, request: &Request, endpoint: &str) -> Reply {
        world.sessions.end(&auth::session_id(request).unwrap_or_default());
        lost(endpoint, answer::SESSION_LOST)
    }

    fn apply(&self, world: &mut World, write: &Write) {
        for row in &write.rows {
            world.store.apply(&write.form, write.at_ms, row);
        }
    }

    fn counts(&self, world: &World) -> Vec<(&'static str, usize)> {
        let forms = forms::FORMS.iter();
        forms.map(|form| (form.name, world.store.count(form))).collect()
    }
}

/// The method a path names; `None` when it is not a service of this system.
fn endpoint(path: &str) -> Option<&str> {
    let rest = path
        .get(..9)
        .filter(|p| p.eq_ignore_ascii_case("/k3cloud/"))
        .map(|_| &path[9..])?;
    let service = rest.strip_suffix(END)?;
    service
        .strip_prefix(DYNAMIC_FORM)
        .or_else(|| service.strip_prefix(AUTH))
}

/// Executes one call.
fn handle(world: &mut World, request: &Request, method: &str, twist: &Twist) -> Reply {
    let args = match body::parse(request.header("content-type"), &request.body) {
        Ok(args) => args,
        Err(message) => return Reply::text(500, message),
    };
    match method {
        "LoginBySign" | "LoginByAppSecret" | "ValidateUser" => return auth::login(world, method, &args),
        _ => {}
    }
    if let Err(message) = auth::check(world, request) {
        return lost(method, &message);
    }
    let data = args.data().unwrap_or_default();
    let form = args.form().unwrap_or_default();
    let executed = Executed {
        endpoint: method,
        body: &request.body,
        twist,
    };
    match method {
        "Logout" => {
            world.sessions.end(&auth::session_id(request).unwrap_or_default());
            Reply::json("true")
        }
        "ExecuteBillQuery" | "BillQuery" | "View" if !world.settings.kingdee_query => answer::reply_for(
            method,
            answer::failed(code::NO_PERMISSION, "没有查询权限，请联系系统管理员"),
        ),
        "ExecuteBillQuery" | "BillQuery" => match query::run(world, data, method == "BillQuery", twist) {
            Ok(rows) => Reply::json(rows),
            Err(problem) => answer::reply_for(method, problem),
        },
        "Save" | "BatchSave" | "Draft" | "Submit" | "Audit" | "UnAudit" | "Delete"
            if world.journal.is_full() =>
        {
            answer::reply(&answer::failed(6, "沙箱日志已满"))
        }
        "BatchSave" if tasks::is_asked(&request.body) => {
            let result = save::save(world, executed, form, data);
            answer::reply(&world.tasks.begin(result))
        }
        "QueryAsyncResult" => answer::reply(&world.tasks.ask(&request.body)),
        "Save" | "BatchSave" | "Draft" => answer::reply(&save::save(world, executed, form, data)),
        "Submit" | "Audit" | "UnAudit" | "Delete" => answer::reply(&steps::step(world, executed, form, data)),
        "View" => answer::reply(&steps::view(world, form, data)),
        "Push" if world.journal.is_full() => answer::reply(&answer::failed(6, "沙箱日志已满")),
        "Push" => answer::reply(&push::push(world, executed, form, data)),
        "Allocate" if world.journal.is_full() => answer::reply(&answer::failed(6, "沙箱日志已满")),
        "Allocate" => match body::is_known(request.header("content-type")) {
            true => answer::reply(&allocate::allocate(world, executed, form, data)),
            false => response_error("不支持的 Content-Type"),
        },
        "QueryBusinessInfo" => answer::reply(&info::fields(data)),
        _ => response_error(&format!("沙箱没有实现服务 {method}")),
    }
}

fn lost(method: &str, message: &str) -> Reply {
    answer::reply_for(method, answer::failed(code::CONTEXT_LOST, message))
}
