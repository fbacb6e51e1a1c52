//! A simulated Jushuitan: `/jst/...`, signed forms over POST with the request as JSON text in `biz`.
//!
//! Facts with a public source: the parameters around a call and their signature, the token and its refresh, the codes,
//! both limits of calls (199 is the second's, 200 the minute's), pages of 50 (shops 100) counted from 1 with `has_next`,
//! windows of seven days or rows from a version on (`start_ts`), local times, uploads of 50 answered item by item.
//! Guesses of ours: in which order a call is checked, that an unknown `app_key` is 190, that limits are counted for the
//! whole application (one client says for each token and path, which lets more through), that both ends of a window
//! belong to it and the row of `start_ts` comes again, that no version goes with a window, what an item must have, all
//! sentences, and every member of a row that [`rows`] says is one.

mod auth;
mod items;
mod rows;

use serde_json::{Value, json};

pub(crate) use auth::Tokens;

use crate::clock::parse_local;
use crate::crypto;
use crate::form::Pairs;
use crate::journal::Write;
use crate::kingdee::store::{Fields, scalar};
use crate::limit::Limit;
use crate::reply::{Reply, Request};
use crate::shelf::Shelf;
use crate::state::{MINUTE_MS, SECOND_MS, World};
use crate::systems::{Does, Endpoint, Kind, Param, Row, System};
use crate::twist::Twist;

const NAME: &str = "jst";
/// What the journal calls uploaded items.
const FORM: &str = "itemsku";

pub(crate) const ROW: Row = Row {
    name: NAME,
    connector: "jushuitan",
    connection: "jst",
    params: &[
        Param::new("server", Kind::Server("/jst/")),
        Param::new("app_key", Kind::Open("sandbox-jst")),
        Param::new(
            "app_secret",
            Kind::Secret("sandbox-jst-secret", "SANDBOX_JST_SECRET"),
        ),
        // Good for the first refresh of a data set, once.
        Param::new("refresh_token", Kind::Given("sandbox-jst-refresh-first")),
    ],
    endpoints: &[
        Endpoint::new("getInitToken", Does::Else),
        Endpoint::new("refreshToken", Does::Else),
        Endpoint::new("orders/single/query", READS),
        Endpoint::new("orders/out/simple/query", READS),
        Endpoint::new("refund/single/query", READS),
        Endpoint::new(
            "shops/query",
            Does::Pages {
                total: true,
                moves: false,
            },
        ),
        Endpoint::new("jushuitan/itemsku/upload", Does::Writes { rows: true }),
    ],
    code: &Jushuitan,
};

const READS: Does = Does::Pages {
    total: true,
    moves: true,
};

/// Calls of one application.
const LIMITS: &[Limit] = &[
    Limit {
        calls: 5,
        per_ms: SECOND_MS,
    },
    Limit {
        calls: 100,
        per_ms: MINUTE_MS,
    },
];
/// The limits of this system, for a test that brings its own clock.
pub fn call_limits() -> crate::CallLimits {
    crate::CallLimits::new(LIMITS)
}

const MAX_PAGE_SIZE: u64 = 50;
const MAX_SHOPS: u64 = 100;
const DEFAULT_PAGE_SIZE: u64 = 30;
/// Highest page number; far above what a window holds.
const MAX_PAGE: u64 = 1_000_000;
const MAX_WINDOW_MS: i64 = 7 * 86_400_000;

/// What this system remembers.
#[derive(Debug, Default)]
pub(crate) struct State {
    tokens: Tokens,
    items: Shelf,
}

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refused {
    code: u32,
    message: String,
}

/// The codes of the vendor.
mod code {
    pub(super) const TOKEN: u32 = 100;
    pub(super) const ADDRESS: u32 = 110;
    pub(super) const SIGN: u32 = 120;
    pub(super) const EMPTY: u32 = 130;
    pub(super) const PARAMETER: u32 = 140;
    pub(super) const INTERNAL: u32 = 150;
    pub(super) const NO_SHOP: u32 = 170;
    pub(super) const STALE: u32 = 180;
    pub(super) const PERMISSION: u32 = 190;
    pub(super) const PER_SECOND: u32 = 199;
    pub(super) const PER_MINUTE: u32 = 200;
}

fn refused(code: u32, message: impl Into<String>) -> Refused {
    Refused {
        code,
        message: message.into(),
    }
}

impl Refused {
    fn reply(&self) -> Reply {
        let answer = json!({"code": self.code, "msg": self.message, "data": null});
        Reply::json(answer.to_string())
    }
}

/// An answer with code 0 around data that is JSON already.
fn fine(data: impl std::fmt::Display) -> Reply {
    Reply::json(format!(r#"{{"code":0,"msg":"执行成功","data":{data}}}"#))
}

#[derive(Debug)]
struct Jushuitan;

impl System for Jushuitan {
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str> {
        let path = request.path.strip_prefix("/jst/")?;
        let open = path.strip_prefix("open/");
        Some(
            open.or_else(|| path.strip_prefix("openWeb/auth/"))
                .unwrap_or(path),
        )
    }

    fn handle(&self, world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Reply {
        let answer = match request.path.as_str() {
            "/jst/openWeb/auth/getInitToken" => auth::first(world, request),
            "/jst/openWeb/auth/refreshToken" => auth::refresh(world, request),
            _ => call(world, request, endpoint, twist),
        };
        answer.unwrap_or_else(|problem| problem.reply())
    }

    fn busy(&self, _endpoint: &str, limit: bool) -> Reply {
        let problem = if limit {
            refused(code::PER_MINUTE, "调用频率超过限制，请稍后再试")
        } else {
            refused(code::INTERNAL, "服务器繁忙，请稍后再试")
        };
        problem.reply()
    }

    fn lose(&self, world: &mut World, request: &Request, _endpoint: &str) -> Reply {
        let pairs = Pairs::read(&request.body).unwrap_or_default();
        world.jst.tokens.end(pairs.get("access_token"));
        auth::expired().reply()
    }

    fn apply(&self, world: &mut World, write: &Write) {
        if write.form == FORM {
            write.rows.iter().for_each(|row| world.jst.items.apply(row));
        }
    }

    fn recall(&self, world: &mut World, kept: &str) {
        world.jst.tokens.recall(kept);
    }

    fn counts(&self, world: &World) -> Vec<(&'static str, usize)> {
        vec![(FORM, world.jst.items.count())]
    }

    fn figures(&self, world: &World) -> Value {
        json!({"tokens": world.jst.tokens.count(), "refreshes": world.jst.tokens.refreshes()})
    }
}

/// Signature and time; both kinds of call have them.
fn signed(world: &World, request: &Request, needed: &[&str]) -> Result<Pairs, Refused> {
    // Who stands in front says where a call came from; an address of this machine is on the list.
    let from = request.header("x-forwarded-for");
    if !["", "127.0.0.1", "::1"].contains(&from) {
        return Err(refused(code::ADDRESS, format!("IP {from} 不在白名单内")));
    }
    if !request
        .header("content-type")
        .starts_with("application/x-www-form-urlencoded")
    {
        return Err(refused(
            code::EMPTY,
            "请求参数为空：应为 application/x-www-form-urlencoded",
        ));
    }
    let pairs = Pairs::read(&request.body).map_err(|what| refused(code::PARAMETER, what))?;
    let usual = ["app_key", "timestamp", "charset", "sign"];
    if let Some(name) = usual.iter().chain(needed).find(|name| pairs.get(name).is_empty()) {
        return Err(refused(code::EMPTY, format!("参数 {name} 不能为空")));
    }
    if pairs.get("app_key") != world.credential(NAME, "app_key") {
        return Err(refused(code::PERMISSION, "app_key 不存在或没有权限"));
    }
    let want = crypto::jst_sign(world.credential(NAME, "app_secret"), &pairs);
    if !crypto::same(&want, pairs.get("sign")) {
        return Err(refused(code::SIGN, "签名错误"));
    }
    let time = pairs.get("timestamp");
    let seconds = time.len() <= 11 && time.bytes().all(|b| b.is_ascii_digit());
    if !seconds || !world.is_fresh(time) {
        return Err(refused(code::STALE, "时间戳与服务器时间相差超过十分钟"));
    }
    Ok(pairs)
}

fn call(world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Result<Reply, Refused> {
    let pairs = signed(world, request, &["access_token", "version", "biz"])?;
    if pairs.get("version") != "2" || !pairs.get("charset").eq_ignore_ascii_case("utf-8") {
        return Err(refused(code::PARAMETER, "version 应为 2，charset 应为 utf-8"));
    }
    auth::check(world, pairs.get("access_token"))?;
    if let Err(limit) = world.pass(NAME, LIMITS) {
        return Err(if limit.per_ms == SECOND_MS {
            refused(code::PER_SECOND, "每秒调用次数超过限制，请稍后再试")
        } else {
            refused(code::PER_MINUTE, "每分钟调用次数超过限制，请稍后再试")
        });
    }
    let biz: Fields = serde_json::from_str(pairs.get("biz"))
        .map_err(|e| refused(code::PARAMETER, format!("biz 不是 JSON 对象：{e}")))?;
    match (request.path.as_str(), endpoint) {
        ("/jst/open/shops/query", _) => shops(world, &biz, twist),
        ("/jst/open/orders/single/query", _) => sales(world, &biz, twist, rows::Of::Orders),
        ("/jst/open/orders/out/simple/query", _) => sales(world, &biz, twist, rows::Of::Outs),
        ("/jst/open/refund/single/query", _) => sales(world, &biz, twist, rows::Of::Refunds),
        ("/jst/open/jushuitan/itemsku/upload", endpoint) => {
            items::upload(world, request, endpoint, &biz, twist)
        }
        (path, _) => Err(refused(code::PERMISSION, format!("没有接口权限：{path}"))),
    }
}

/// A member as text; empty when it is missing, null or a tree.
fn text(biz: &Fields, name: &str) -> String {
    biz.get(name).and_then(|value| scalar(value)).unwrap_or_default()
}

/// A page that was asked for.
#[derive(Debug, Clone, Copy)]
struct Asked {
    index: u64,
    size: u64,
}

impl Asked {
    fn of(biz: &Fields, max: u64) -> Result<Asked, Refused> {
        let number = |name: &str, usual: u64, max: u64| {
            let written = text(biz, name);
            if written.is_empty() {
                return Ok(usual);
            }
            match written.parse::<u64>() {
                Ok(n) if (1..=max).contains(&n) => Ok(n),
                _ => Err(refused(code::PARAMETER, format!("{name} 应在 1 到 {max} 之间"))),
            }
        };
        Ok(Asked {
            index: number("page_index", 1, MAX_PAGE)?,
            size: number("page_size", DEFAULT_PAGE_SIZE, max)?,
        })
    }

    /// The rows to leave out and to take; none to take for a page that is emptied.
    fn place(self, twist: &Twist) -> (u64, u64) {
        match twist.page_number(self.index) {
            Some(index) => ((index - 1).saturating_mul(self.size), self.size),
            None => (0, 0),
        }
    }

    fn answer(self, twist: &Twist, list: &str, real: u64, rows: &[String]) -> Reply {
        // A fault that falsifies the total leaves `has_next` right, unless there is to be nothing at all.
        let total = twist.total(real);
        let more = self.place(twist).1 > 0 && self.index.saturating_mul(self.size) < real;
        let (index, size, pages) = (self.index, self.size, total.div_ceil(self.size));
        let rows = rows.join(",");
        fine(format_args!(
            r#"{{"page_index":{index},"page_size":{size},"data_count":{total},"page_count":{pages},"has_next":{more},"{list}":[{rows}]}}"#
        ))
    }
}

fn shops(world: &World, biz: &Fields, twist: &Twist) -> Result<Reply, Refused> {
    let asked = Asked::of(biz, MAX_SHOPS)?;
    let (total, shops) = rows::shops(&world.data, asked.place(twist));
    Ok(asked.answer(twist, "datas", total, &shops))
}

fn sales(world: &mut World, biz: &Fields, twist: &Twist, of: rows::Of) -> Result<Reply, Refused> {
    let asked = Asked::of(biz, MAX_PAGE_SIZE)?;
    let shop = text(biz, "shop_id");
    if !shop.is_empty() && !rows::has_shop(&shop) {
        return Err(refused(code::NO_SHOP, format!("店铺 {shop} 不存在")));
    }
    let since = since(biz)?;
    let span = match since {
        Some(ts) => (rows::ms_of(ts), i64::MAX),
        None => window(biz)?,
    };
    if twist.moves != [0; 3] {
        let moved = world.move_rows(span, twist.moves);
        moved.map_err(|what| refused(code::INTERNAL, what))?;
    }
    let (data, changes, place) = (&world.data, &world.changes, asked.place(twist));
    let (total, list) = match since {
        Some(ts) => rows::page_since(data, changes, ts, place, of, &shop),
        None => rows::page(data, changes, span, place, of, &shop),
    };
    Ok(asked.answer(twist, of.list(), total, &list))
}

/// `start_ts`, in place of a window: rows from this version on, in order of it. It counts only where no total is wanted.
fn since(biz: &Fields) -> Result<Option<i64>, Refused> {
    let written = text(biz, "start_ts");
    if written.is_empty() || text(biz, "is_get_total") != "false" {
        return Ok(None);
    }
    if !text(biz, "modified_begin").is_empty() || !text(biz, "modified_end").is_empty() {
        return Err(refused(
            code::PARAMETER,
            "start_ts 与 modified_begin、modified_end 不能同时使用",
        ));
    }
    match written.parse() {
        Ok(ts) if ts >= 0 => Ok(Some(ts)),
        _ => Err(refused(code::PARAMETER, "start_ts 应为不小于 0 的整数")),
    }
}

/// `modified_begin` to `modified_end`; whole seconds, both within.
fn window(biz: &Fields) -> Result<(i64, i64), Refused> {
    let [begin, end] = ["modified_begin", "modified_end"].map(|name| text(biz, name));
    if begin.is_empty() || end.is_empty() {
        return Err(refused(
            code::PARAMETER,
            "modified_begin 与 modified_end 不能为空",
        ));
    }
    let (Some(from), Some(to)) = (parse_local(&begin), parse_local(&end)) else {
        return Err(refused(code::PARAMETER, "时间格式应为 yyyy-MM-dd HH:mm:ss"));
    };
    if from > to {
        return Err(refused(code::PARAMETER, "modified_begin 不能晚于 modified_end"));
    }
    if to - from > MAX_WINDOW_MS {
        return Err(refused(code::PARAMETER, "时间间隔不能超过七天"));
    }
    Ok((from, to + SECOND_MS))
}
