//! The second way to a simulated Wangdiantong Ultimate: Taobao's gateway (Qimen), `/qimen/router/qm?method=wdt....`
//!
//! Facts that public clients in four languages agree on: the gateway's own parameters stand in the query, the caller's
//! in a form, either may stand in the other place; the outer signature (capitals) counts all of both, the inner one
//! (`wdt_sign`, small letters) the form with the method, trees flattened and texts of JSON read; `params` and `pager`
//! are such texts; pages from 1; `error_response` for what the gateway refuses and `response` with status, message and
//! data for what the ERP says; statuses and sentences as in [`ultimate`](super::ultimate). The gateway's codes 7, 15,
//! 22, 24, 25, 29 and 31 are those of its documents, and so is that a time may be ten minutes off.
//! Guesses of ours: that page 0 is refused, `total_count` on every page, how many calls a minute are too many, which
//! status the ERP gives for another customer, the sub codes.

use serde_json::json;

use super::ultimate::{Asking, OTHER, Refused, WRONG, refused};
use super::{Asked, method_of, text};
use crate::clock::parse_local;
use crate::crypto;
use crate::form::Pairs;
use crate::kingdee::store::Fields;
use crate::limit::Limit;
use crate::reply::{Reply, Request};
use crate::state::World;
use crate::systems::{Does, Endpoint, Kind, Param, Row, System};
use crate::twist::Twist;

const NAME: &str = "qimen";
const TRADES: &str = "wdt.sales.tradequery.querywithdetail";
const STOCKOUTS: &str = "wdt.wms.stockout.sales.querywithdetail";

pub(crate) const ROW: Row = Row {
    name: NAME,
    connector: "wangdiantong-qimen",
    connection: NAME,
    params: &[
        Param::new("server", Kind::Server("/qimen/")),
        Param::new("app_key", Kind::Open("sandbox-qimen")),
        Param::new(
            "app_secret",
            Kind::Secret("sandbox-qimen-secret", "SANDBOX_QIMEN_SECRET"),
        ),
        Param::new("target_app_key", Kind::Open("20000001")),
        Param::new("customer_id", Kind::Open("sandbox")),
        Param::new("wdt_appkey", Kind::Open("sandbox-wdtq")),
        // Both halves in one, as the vendor hands them out.
        Param::new(
            "wdt_secret",
            Kind::Secret("sandbox-wdtq-secret:sandbox-salt", "SANDBOX_QIMEN_WDT_SECRET"),
        ),
    ],
    endpoints: &[Endpoint::new(TRADES, READS), Endpoint::new(STOCKOUTS, READS)],
    code: &Qimen,
};

const READS: Does = Does::MOVING;

const LIMITS: &[Limit] = &[Limit::a_minute(60)];
const FRESHNESS_MS: i64 = 10 * 60_000;
const MAX_PAGE_SIZE: u64 = 200;

/// Who says no.
#[derive(Debug)]
enum No {
    /// The gateway, with a code, its sentence and a sub code.
    Gateway(u32, &'static str, &'static str),
    Erp(Refused),
}

impl From<Refused> for No {
    fn from(refused: Refused) -> No {
        No::Erp(refused)
    }
}

impl No {
    fn reply(&self) -> Reply {
        Reply::json(match self {
            No::Gateway(code, msg, sub) => json!({"error_response": {
                "code": code, "msg": msg, "sub_code": sub, "request_id": "sandbox",
            }})
            .to_string(),
            No::Erp(refused) => json!({"response": {
                "status": refused.status, "message": refused.message, "request_id": "sandbox",
            }})
            .to_string(),
        })
    }
}

#[derive(Debug)]
struct Qimen;

impl System for Qimen {
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str> {
        method_of(request, "/qimen/router/qm")
    }

    fn handle(&self, world: &mut World, request: &Request, _endpoint: &str, twist: &Twist) -> Reply {
        call(world, request, twist).unwrap_or_else(|no| no.reply())
    }

    fn busy(&self, _endpoint: &str, limit: bool) -> Reply {
        match limit {
            true => too_many().reply(),
            false => No::Gateway(15, "Remote service error", "isp.remote-service-timeout").reply(),
        }
    }

    /// There is no session: the time is refused instead.
    fn lose(&self, _world: &mut World, _request: &Request, _endpoint: &str) -> Reply {
        stale().reply()
    }
}

fn too_many() -> No {
    No::Gateway(7, "App Call Limited", "accesscontrol.limited-by-app-access-count")
}

fn stale() -> No {
    No::Gateway(31, "Invalid timestamp", "")
}

/// The parameters of both places, each once.
fn all_of(request: &Request) -> Result<Pairs, No> {
    let body = std::str::from_utf8(&request.body).map_err(|_| No::Gateway(47, "Invalid encoding", ""))?;
    let joined = format!("{}&{body}", request.query);
    Pairs::read(joined.as_bytes()).map_err(|_| No::Gateway(41, "Invalid arguments", ""))
}

/// What stands between the world and the ERP: who calls, when, and whether it was signed.
fn pass_gateway(world: &World, all: &Pairs) -> Result<(), No> {
    if all.get("app_key") != world.credential(NAME, "app_key") {
        return Err(No::Gateway(29, "Invalid app Key", ""));
    }
    let sign = all.get("sign");
    if sign.is_empty() {
        return Err(No::Gateway(24, "Missing signature", ""));
    }
    let want = crypto::top_sign(world.credential(NAME, "app_secret"), all);
    if !crypto::same(&want, sign) {
        return Err(No::Gateway(25, "Invalid signature", ""));
    }
    let off = parse_local(all.get("timestamp")).map(|at| world.now_ms().saturating_sub(at).saturating_abs());
    if off.is_none_or(|off| off > FRESHNESS_MS) {
        return Err(stale());
    }
    let fixed = [("v", "2.0"), ("format", "json"), ("sign_method", "md5")];
    if fixed.iter().any(|(name, value)| all.get(name) != *value) {
        return Err(No::Gateway(41, "Invalid arguments", ""));
    }
    let is_known = all.get("target_app_key") == world.credential(NAME, "target_app_key");
    if !is_known || ![TRADES, STOCKOUTS].contains(&all.get("method")) {
        return Err(No::Gateway(22, "Invalid method", ""));
    }
    Ok(())
}

/// What the ERP itself looks at before it looks at anything else.
fn pass_erp(world: &World, all: &Pairs) -> Result<(), Refused> {
    if all.get("wdt3_customer_id") != world.credential(NAME, "customer_id") {
        return Err(refused(WRONG, "sid is not found"));
    }
    let whole = world.credential(NAME, "wdt_secret");
    let (secret, salt) = whole.split_once(':').unwrap_or((whole, ""));
    let is_known =
        all.get("wdt_appkey") == world.credential(NAME, "wdt_appkey") && all.get("wdt_salt") == salt;
    let want = crypto::qimen_wdt_sign(secret, all);
    match is_known && crypto::same(&want, all.get("wdt_sign")) {
        true => Ok(()),
        false => Err(refused(WRONG, "验证失败")),
    }
}

fn call(world: &mut World, request: &Request, twist: &Twist) -> Result<Reply, No> {
    let all = all_of(request)?;
    pass_gateway(world, &all)?;
    world.pass(NAME, LIMITS).map_err(|_| too_many())?;
    pass_erp(world, &all)?;
    let tree = |name: &str| -> Result<Fields, Refused> {
        serde_json::from_str(all.get(name)).map_err(|_| refused(WRONG, "argument type mismatch"))
    };
    let (params, pager) = (tree("params")?, tree("pager")?);
    let asked = Asked::of(
        &text(&pager, "page_no"),
        &text(&pager, "page_size"),
        MAX_PAGE_SIZE,
        MAX_PAGE_SIZE,
    );
    let mut asked = asked.map_err(|what| refused(OTHER, what))?;
    asked.no = asked
        .no
        .checked_sub(1)
        .ok_or_else(|| refused(OTHER, "page_no 应从 1 开始"))?;
    let asking = Asking {
        is_stockouts: all.get("method") == STOCKOUTS,
        params,
        asked,
    };
    let (total, found) = asking.find(world, twist)?;
    Ok(Reply::json(format!(
        r#"{{"response":{{"status":0,"message":"","data":{{"total_count":{},"order":[{}]}},"request_id":"sandbox"}}}}"#,
        twist.total(total),
        found.join(",")
    )))
}
