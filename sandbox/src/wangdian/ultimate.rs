//! A simulated Wangdiantong Ultimate: `/wdtu/openapi?method=...`, the arguments as a JSON list over POST.
//!
//! Facts with a public source (the vendor's documents and two clients): the query parameters and their signature over
//! the body, seconds since 2012-01-01 +08:00 and not more than 120 off, the secret that is told as `secret:salt`,
//! pages from 0, `total_count` with `calc_total` 1, windows of 60 minutes, the statuses 0 1 6 7 8 100 and the
//! sentences of 100 that are repeated here, `data.order`, the lists of lines. Guesses of ours: how many calls a minute
//! are too many, 200 as a bound of pages (the document advises it), `total_count` on page 0 only (clients ask for it
//! there only), that the end of a window does not belong to it, and every member that `rows` says is one.

use serde_json::json;
use serde_json::value::RawValue;

use super::{Asked, Edition, method_of, rows, text};
use crate::clock::parse_local;
use crate::crypto;
use crate::form::Pairs;
use crate::kingdee::store::Fields;
use crate::limit::Limit;
use crate::reply::{Reply, Request};
use crate::state::World;
use crate::systems::{Does, Endpoint, Kind, Param, Row, System};
use crate::twist::Twist;

const NAME: &str = "wdtu";
const TRADES: &str = "sales.TradeQuery.queryWithDetail";
const STOCKOUTS: &str = "wms.stockout.Sales.queryWithDetail";

pub(crate) const ROW: Row = Row {
    name: NAME,
    connector: "wangdiantong-ultimate",
    connection: "wdtu",
    params: &[
        Param::new("server", Kind::Server("/wdtu/")),
        Param::new("sid", Kind::Open("sandbox")),
        Param::new("key", Kind::Open("sandbox-wdtu")),
        // Both halves in one, as the vendor hands them out.
        Param::new(
            "secret",
            Kind::Secret("sandbox-wdtu-secret:sandbox-salt", "SANDBOX_WDTU_SECRET"),
        ),
    ],
    endpoints: &[Endpoint::new(TRADES, READS), Endpoint::new(STOCKOUTS, READS)],
    code: &Ultimate,
};

const READS: Does = Does::MOVING;

const LIMITS: &[Limit] = &[Limit::a_minute(60)];
/// 2012-01-01 00:00:00 +08:00, Unix seconds.
const EPOCH_S: i64 = 1_325_347_200;
const FRESHNESS_S: i64 = 120;
const MAX_PAGE_SIZE: u64 = 200;
const WIDEST_MS: i64 = 60 * 60_000;

pub(super) const WRONG: u32 = 1;
const ADDRESS: u32 = 6;
const STALE: u32 = 7;
const VERSION: u32 = 8;
pub(super) const OTHER: u32 = 100;

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: u32,
    pub(super) message: String,
}

pub(super) fn refused(status: u32, message: impl Into<String>) -> Refused {
    Refused {
        status,
        message: message.into(),
    }
}

impl Refused {
    fn reply(&self) -> Reply {
        Reply::json(json!({"status": self.status, "message": self.message}).to_string())
    }
}

#[derive(Debug)]
struct Ultimate;

impl System for Ultimate {
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str> {
        method_of(request, "/wdtu/openapi")
    }

    fn handle(&self, world: &mut World, request: &Request, _endpoint: &str, twist: &Twist) -> Reply {
        call(world, request, twist).unwrap_or_else(|problem| problem.reply())
    }

    fn busy(&self, _endpoint: &str, limit: bool) -> Reply {
        let problem = if limit {
            too_often()
        } else {
            refused(OTHER, "超过每分钟最大并发次数限制，请稍后重试")
        };
        problem.reply()
    }

    fn lose(&self, _world: &mut World, _request: &Request, _endpoint: &str) -> Reply {
        stale().reply()
    }
}

fn too_often() -> Refused {
    refused(OTHER, "超过每分钟最大调用频率限制，请稍后重试")
}

fn stale() -> Refused {
    refused(STALE, "时间戳错误")
}

fn call(world: &mut World, request: &Request, twist: &Twist) -> Result<Reply, Refused> {
    let query = signed(world, request)?;
    world.pass(NAME, LIMITS).map_err(|_| too_often())?;
    let method = query.get("method");
    if ![TRADES, STOCKOUTS].contains(&method) {
        return Err(refused(OTHER, "权限不足"));
    }
    if query.get("page_no").is_empty() || query.get("page_size").is_empty() {
        return Err(refused(OTHER, format!("此方法仅支持分页查询：{method}")));
    }
    let asked = Asked::of(
        query.get("page_no"),
        query.get("page_size"),
        MAX_PAGE_SIZE,
        MAX_PAGE_SIZE,
    );
    let asked = asked.map_err(|what| refused(OTHER, what))?;
    let args: Vec<Box<RawValue>> =
        serde_json::from_slice(&request.body).map_err(|_| refused(WRONG, "invalid argument count"))?;
    let [params] = args.as_slice() else {
        return Err(refused(WRONG, "参数个数错误"));
    };
    let params: Fields =
        serde_json::from_str(params.get()).map_err(|_| refused(WRONG, "argument type mismatch"))?;
    let asking = Asking {
        is_stockouts: method == STOCKOUTS,
        params,
        asked,
    };
    let (total, found) = asking.find(world, twist)?;
    let count = if asked.no == 0 && query.get("calc_total") == "1" {
        format!(r#""total_count":{},"#, twist.total(total))
    } else {
        String::new()
    };
    Ok(Reply::json(format!(
        r#"{{"status":0,"data":{{{count}"order":[{}]}}}}"#,
        found.join(",")
    )))
}

/// What a call asks for, whichever way it came.
pub(super) struct Asking {
    pub(super) is_stockouts: bool,
    pub(super) params: Fields,
    pub(super) asked: Asked,
}

impl Asking {
    /// How many rows there are, and those of the page.
    pub(super) fn find(&self, world: &mut World, twist: &Twist) -> Result<(u64, Vec<String>), Refused> {
        let span = window(&self.params)?;
        // Left out it means cancelled ones; a caller who forgets it must not think that there is nothing.
        let status = text(&self.params, "status_type");
        if self.is_stockouts && !["0", "1", "2", "3"].contains(&status.as_str()) {
            return Err(refused(OTHER, "status_type不能为空"));
        }
        if twist.moves != [0; 3] {
            let moved = world.move_rows(span, twist.moves);
            moved.map_err(|what| refused(OTHER, what))?;
        }
        let (data, changes, place) = (&world.data, &world.changes, self.asked.place(twist));
        Ok(match self.is_stockouts {
            false => rows::trades(data, changes, span, place, Edition::Ultimate),
            // None is cancelled.
            true if status == "1" => (0, Vec::new()),
            true => rows::stockouts(data, changes, span, place, Edition::Ultimate),
        })
    }
}

fn signed(world: &World, request: &Request) -> Result<Pairs, Refused> {
    let from = request.header("x-forwarded-for");
    if !["", "127.0.0.1", "::1"].contains(&from) {
        return Err(refused(ADDRESS, "ip限制"));
    }
    let query = Pairs::read(request.query.as_bytes()).map_err(|what| refused(WRONG, what))?;
    let body = std::str::from_utf8(&request.body).map_err(|_| refused(WRONG, "参数错误"))?;
    if query.get("sid") != world.credential(NAME, "sid") {
        return Err(refused(WRONG, "sid is not found"));
    }
    let whole = world.credential(NAME, "secret");
    let (secret, salt) = whole.split_once(':').unwrap_or((whole, ""));
    let is_known = query.get("key") == world.credential(NAME, "key") && query.get("salt") == salt;
    let want = crypto::wdtu_sign(secret, &query, body);
    if !is_known || !crypto::same(&want, query.get("sign")) {
        return Err(refused(WRONG, "验证失败"));
    }
    if query.get("v") != "1.0" {
        return Err(refused(VERSION, "版本错误"));
    }
    let now = world.now_ms().div_euclid(1000) - EPOCH_S;
    let time: Option<i64> = query.get("timestamp").parse().ok();
    if time.is_none_or(|time| now.saturating_sub(time).saturating_abs() > FRESHNESS_S) {
        return Err(stale());
    }
    Ok(query)
}

/// `start_time` to `end_time`, without its end.
fn window(params: &Fields) -> Result<(i64, i64), Refused> {
    let [start, end] = ["start_time", "end_time"].map(|name| text(params, name));
    if start.is_empty() || end.is_empty() {
        return Err(refused(OTHER, "参数中必须包含起止时间"));
    }
    let read =
        |text: &str| parse_local(text).ok_or_else(|| refused(OTHER, format!("Unparseable date: {text}")));
    let (from, to) = (read(&start)?, read(&end)?);
    if from > to {
        return Err(refused(OTHER, "开始时间不能大于结束时间"));
    }
    if to - from > WIDEST_MS {
        return Err(refused(OTHER, "您的查询时间过宽,查询时间不能大于60分钟"));
    }
    Ok((from, to))
}
