//! A simulated Wangdiantong Enterprise: `/wdt/openapi2/<name>.php`, signed forms over POST.
//!
//! Facts with a public source: the parameters of a call and their signature over counted characters, times not more
//! than five minutes off, pages from 0 of 40 trades or 100 others, `total_count` on page 0 only, windows of 60 minutes
//! for trades and 30 days for others, lists as JSON text inside a field, code 0 as a number, the names of the lists,
//! 2900 for a call without a window, what `trade_push` answers. Guesses of ours: all other codes and sentences (1012
//! and 1040 are known as worth another try, not what for), that there is no limit of calls, that the end of a window
//! does not belong to it, and everything that `push` and `rows` say is one.

use serde_json::json;

use super::{Asked, Edition, push, rows};
use crate::clock::parse_local;
use crate::crypto;
use crate::form::Pairs;
use crate::journal::Write;
use crate::reply::{Reply, Request};
use crate::shelf::Shelf;
use crate::state::World;
use crate::systems::{Does, Endpoint, Kind, Param, Row, System};
use crate::twist::Twist;

pub(super) const NAME: &str = "wdt";
/// What the journal calls pushed trades.
pub(super) const FORM: &str = "rawtrade";

pub(crate) const ROW: Row = Row {
    name: NAME,
    connector: "wangdiantong-enterprise",
    connection: "wdt",
    params: &[
        Param::new("server", Kind::Server("/wdt/openapi2/")),
        Param::new("sid", Kind::Open("sandbox")),
        Param::new("appkey", Kind::Open("sandbox-wdt")),
        Param::new(
            "appsecret",
            Kind::Secret("sandbox-wdt-secret", "SANDBOX_WDT_SECRET"),
        ),
    ],
    endpoints: &[
        Endpoint::new("trade_query", READS),
        Endpoint::new("stockout_order_query_trade", READS),
        Endpoint::new("goods_query", Does::COUNTED),
        Endpoint::new("trade_push", Does::Writes { rows: false }),
    ],
    code: &Enterprise,
};

const READS: Does = Does::MOVING;

const FRESHNESS_MS: i64 = 5 * 60_000;
const MINUTES_60: i64 = 60 * 60_000;
const DAYS_30: i64 = 30 * 86_400_000;

/// The trades somebody pushed.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(super) pushed: Shelf,
}

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    code: u32,
    message: String,
}

pub(super) mod code {
    pub(in super::super) const SID: u32 = 1001;
    pub(in super::super) const KEY: u32 = 1002;
    pub(in super::super) const SIGN: u32 = 1003;
    pub(in super::super) const STALE: u32 = 1004;
    pub(in super::super) const PARAMETER: u32 = 1005;
    pub(in super::super) const NO_SUCH: u32 = 1006;
    pub(in super::super) const BUSY: u32 = 1012;
    pub(in super::super) const LIMIT: u32 = 1040;
    pub(in super::super) const NO_WINDOW: u32 = 2900;
    /// A document that cannot be taken.
    pub(in super::super) const DOCUMENT: u32 = 99;
}

pub(super) fn refused(code: u32, message: impl Into<String>) -> Refused {
    Refused {
        code,
        message: message.into(),
    }
}

impl Refused {
    fn reply(&self) -> Reply {
        Reply::json(json!({"code": self.code, "message": self.message}).to_string())
    }
}

#[derive(Debug)]
struct Enterprise;

impl System for Enterprise {
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str> {
        let file = request.path.strip_prefix("/wdt/openapi2/")?;
        Some(file.strip_suffix(".php").unwrap_or(file))
    }

    fn handle(&self, world: &mut World, request: &Request, _endpoint: &str, twist: &Twist) -> Reply {
        call(world, request, twist).unwrap_or_else(|problem| problem.reply())
    }

    fn busy(&self, _endpoint: &str, limit: bool) -> Reply {
        let problem = if limit {
            refused(code::LIMIT, "接口调用过于频繁，请稍后再试")
        } else {
            refused(code::BUSY, "系统繁忙，请稍后再试")
        };
        problem.reply()
    }

    fn lose(&self, _world: &mut World, _request: &Request, _endpoint: &str) -> Reply {
        stale().reply()
    }

    fn apply(&self, world: &mut World, write: &Write) {
        if write.form == FORM {
            write.rows.iter().for_each(|row| world.wdt.pushed.apply(row));
        }
    }

    fn counts(&self, world: &World) -> Vec<(&'static str, usize)> {
        vec![(FORM, world.wdt.pushed.count())]
    }
}

fn stale() -> Refused {
    refused(code::STALE, "timestamp 与服务器时间相差超过五分钟")
}

fn call(world: &mut World, request: &Request, twist: &Twist) -> Result<Reply, Refused> {
    let pairs = signed(world, request)?;
    match request.path.as_str() {
        "/wdt/openapi2/trade_query.php" => read(world, &pairs, twist, "trades", 40, MINUTES_60),
        "/wdt/openapi2/stockout_order_query_trade.php" => {
            read(world, &pairs, twist, "stockout_list", 100, DAYS_30)
        }
        "/wdt/openapi2/goods_query.php" => read(world, &pairs, twist, "goods_list", 100, DAYS_30),
        "/wdt/openapi2/trade_push.php" => push::push(world, request, &pairs, twist),
        path => Err(refused(code::NO_SUCH, format!("接口不存在：{path}"))),
    }
}

fn signed(world: &World, request: &Request) -> Result<Pairs, Refused> {
    if !request
        .header("content-type")
        .starts_with("application/x-www-form-urlencoded")
    {
        return Err(refused(
            code::PARAMETER,
            "请求应为 application/x-www-form-urlencoded",
        ));
    }
    let pairs = Pairs::read(&request.body).map_err(|what| refused(code::PARAMETER, what))?;
    if pairs.get("sid") != world.credential(NAME, "sid") {
        return Err(refused(code::SID, "卖家账号 sid 不存在"));
    }
    if pairs.get("appkey") != world.credential(NAME, "appkey") {
        return Err(refused(code::KEY, "接口账号 appkey 不存在"));
    }
    let want = crypto::wdt_sign(world.credential(NAME, "appsecret"), &pairs);
    if !crypto::same(&want, pairs.get("sign")) {
        return Err(refused(code::SIGN, "签名错误"));
    }
    let now = world.now_ms();
    let time: Option<i64> = pairs.get("timestamp").parse().ok();
    let off = time.map(|s| now.saturating_sub(s.saturating_mul(1000)).saturating_abs());
    if off.is_none_or(|off| off > FRESHNESS_MS) {
        return Err(stale());
    }
    Ok(pairs)
}

fn read(
    world: &mut World,
    pairs: &Pairs,
    twist: &Twist,
    list: &str,
    max: u64,
    widest_ms: i64,
) -> Result<Reply, Refused> {
    let asked = Asked::of(pairs.get("page_no"), pairs.get("page_size"), max, max);
    let asked = asked.map_err(|what| refused(code::PARAMETER, what))?;
    let span = window(pairs, widest_ms)?;
    let moves = list != "goods_list" && twist.moves != [0; 3];
    if moves && let Err(what) = world.move_rows(span, twist.moves) {
        return Err(refused(code::BUSY, what));
    }
    let (data, changes, place) = (&world.data, &world.changes, asked.place(twist));
    let (total, found) = match list {
        "trades" => rows::trades(data, changes, span, place, Edition::Enterprise),
        "stockout_list" => rows::stockouts(data, changes, span, place, Edition::Enterprise),
        _ => rows::goods(data, span, place),
    };
    let count = if asked.no == 0 {
        format!(r#""total_count":{},"#, twist.total(total))
    } else {
        String::new()
    };
    Ok(Reply::json(format!(
        r#"{{"code":0,"message":"",{count}"{list}":[{}]}}"#,
        found.join(",")
    )))
}

/// `start_time` to `end_time`, without its end.
fn window(pairs: &Pairs, widest_ms: i64) -> Result<(i64, i64), Refused> {
    let [start, end] = ["start_time", "end_time"].map(|name| pairs.get(name));
    if start.is_empty() || end.is_empty() {
        return Err(refused(code::NO_WINDOW, "时间范围与订单编号不能全部为空"));
    }
    let (Some(from), Some(to)) = (parse_local(start), parse_local(end)) else {
        return Err(refused(code::PARAMETER, "时间格式应为 yyyy-MM-dd HH:mm:ss"));
    };
    if from > to {
        return Err(refused(code::PARAMETER, "start_time 不能晚于 end_time"));
    }
    if to - from > widest_ms {
        let minutes = widest_ms / 60_000;
        return Err(refused(
            code::PARAMETER,
            format!("时间跨度不能超过 {minutes} 分钟"),
        ));
    }
    Ok((from, to))
}
