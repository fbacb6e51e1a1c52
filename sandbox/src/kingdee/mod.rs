//! A simulated Kingdee K/3 Cloud: `/k3cloud/<service>.<method>.common.kdsvc`.

mod answer;
pub(crate) mod auth;
mod body;
pub(crate) mod filter;
pub(crate) mod forms;
mod query;
mod save;
mod steps;
pub(crate) mod store;

use serde_json::{Value, json};

pub(crate) use answer::{Refusal, response_error};

use crate::reply::{Reply, Request};
use crate::state::World;
use crate::twist::Twist;
use answer::code;
use save::Executed;

const DYNAMIC_FORM: &str = "Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.";
const AUTH: &str = "Kingdee.BOS.WebApi.ServicesStub.AuthService.";
const END: &str = ".common.kdsvc";

/// The method a path names; `None` when it is not a service of this system.
pub(crate) fn endpoint(path: &str) -> Option<&str> {
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
pub(crate) fn handle(world: &mut World, request: &Request, method: &str, twist: &Twist) -> Reply {
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
        "Save" | "BatchSave" | "Draft" => answer::reply(&save::save(world, executed, form, data)),
        "Submit" | "Audit" | "UnAudit" | "Delete" => answer::reply(&steps::step(world, executed, form, data)),
        "View" => answer::reply(&steps::view(world, form, data)),
        _ => response_error(&format!("沙箱没有实现服务 {method}")),
    }
}

fn lost(method: &str, message: &str) -> Reply {
    answer::reply_for(method, answer::failed(code::CONTEXT_LOST, message))
}

/// The session named by the request is gone.
pub(crate) fn lose_session(world: &mut World, request: &Request, method: &str) -> Reply {
    world.sessions.end(&auth::session_id(request).unwrap_or_default());
    lost(method, answer::SESSION_LOST)
}

/// A network-control conflict (13) or the call limit (14), as the server would say it.
pub(crate) fn busy(method: &str, limit: bool) -> Reply {
    let problem: Value = if limit {
        answer::failed(code::CALL_LIMIT, "接口调用次数超过限制，请稍后再试")
    } else {
        answer::failed(code::CONFLICT, "当前单据与其他用户的操作有冲突，请稍候再使用")
    };
    answer::reply_for(method, problem)
}

/// The gateway in front of the server gave up.
pub(crate) fn gateway() -> Reply {
    let body = json!({"errcode": 5001, "description": "request failed", "description_cn": "服务请求失败，请稍后重试"});
    Reply {
        status: 519,
        ..Reply::json(body.to_string())
    }
}
