//! A simulated NetEase Huke: `/huke/openapi/...`, signed JSON over POST.
//!
//! Facts with a public source: the four headers and their recipes, the path and request of
//! `trade/searchTrades`, `{code, msg, data}` around the answer. Not public, and therefore a guess of
//! ours: success is code 200, rows stand in `data.list` with `data.total`, all other codes, and the
//! whole of `customer/searchCustomers`. The real operation that lists customers is not known.

pub(crate) mod rows;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::crypto;
use crate::kingdee::store::{Fields, scalar};
use crate::reply::{Reply, Request};
use crate::state::World;
use crate::systems::{Does, Endpoint, Kind, Param, Row, System};
use crate::twist::Twist;

pub(crate) const ROW: Row = Row {
    name: "huke",
    connector: "netease-huke",
    connection: "huke",
    params: &[
        Param::new("server", Kind::Server("/huke/openapi/")),
        Param::new("key", Kind::Open("sandbox-huke")),
        Param::new(
            "secret",
            Kind::Secret("sandbox-huke-secret", "SANDBOX_HUKE_SECRET"),
        ),
    ],
    endpoints: &[
        Endpoint::new("searchTrades", READS),
        Endpoint::new("searchCustomers", READS),
    ],
    code: &Huke,
};

const READS: Does = Does::MOVING;

#[derive(Debug)]
struct Huke;

impl System for Huke {
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str> {
        endpoint(&request.path)
    }

    fn handle(&self, world: &mut World, request: &Request, _endpoint: &str, twist: &Twist) -> Reply {
        handle(world, request, twist)
    }

    fn busy(&self, _endpoint: &str, limit: bool) -> Reply {
        if limit {
            failed(429, "接口调用超过频率限制，请稍后再试")
        } else {
            failed(BUSY, "系统繁忙，请稍后再试")
        }
    }

    fn gateway(&self) -> Reply {
        let body: Value = json!({"code": 502, "msg": "网关错误", "data": null});
        Reply {
            status: 502,
            ..Reply::json(body.to_string())
        }
    }

    fn lose(&self, _world: &mut World, _request: &Request, _endpoint: &str) -> Reply {
        failed(STALE, "请求已过期：ur-curtime 超出允许范围")
    }
}

/// Largest page; a bigger one is refused, since cutting it quietly would lose rows.
const MAX_PAGE_SIZE: u64 = 100;
const DEFAULT_PAGE_SIZE: u64 = 10;
/// Highest page number; 5 million rows of one a page.
const MAX_PAGE: u64 = 10_000_000;

const BAD_REQUEST: u32 = 400;
const UNKNOWN_KEY: u32 = 40001;
const BAD_SIGN: u32 = 40002;
const BAD_CHECKSUM: u32 = 40003;
const STALE: u32 = 40004;
const NO_SUCH_PATH: u32 = 404;
const BUSY: u32 = 500;

/// The operation a path names: the part after its last slash.
fn endpoint(path: &str) -> Option<&str> {
    let rest = path
        .strip_prefix("/huke")
        .unwrap_or(path)
        .strip_prefix("/openapi/")?;
    rest.rsplit('/').next()
}

fn failed(code: u32, msg: &str) -> Reply {
    Reply::json(json!({"code": code, "msg": msg, "data": null}).to_string())
}

/// Executes one call.
fn handle(world: &mut World, request: &Request, twist: &Twist) -> Reply {
    if let Err((code, msg)) = check(world, request) {
        return failed(code, msg);
    }
    let path = request.path.strip_prefix("/huke").unwrap_or(&request.path);
    let trades = match path {
        "/openapi/trade/searchTrades" => true,
        "/openapi/customer/searchCustomers" => false,
        _ => return failed(NO_SUCH_PATH, "接口不存在"),
    };
    let query = match read(&request.body) {
        Ok(query) => query,
        Err(message) => return failed(BAD_REQUEST, &message),
    };
    if trades
        && twist.moves != [0; 3]
        && let Err(message) = world.move_rows(query.span, twist.moves)
    {
        return failed(BUSY, &message);
    }
    let (take, page) = match twist.page_number(query.page) {
        Some(page) => (query.page_size, page),
        None => (0, 1),
    };
    let skip = (page - 1) * query.page_size;
    let (total, rows) = if trades {
        rows::trades(&world.data, &world.changes, query.span, (skip, take))
    } else {
        rows::customers(&world.data, &world.changes, (skip, take))
    };
    let total = twist.total(total);
    let rows = rows.join(",");
    let (page, size) = (query.page, query.page_size);
    Reply::json(format!(
        r#"{{"code":200,"msg":"success","data":{{"list":[{rows}],"total":{total},"page":{page},"pageSize":{size}}}}}"#
    ))
}

fn check(world: &World, request: &Request) -> Result<(), (u32, &'static str)> {
    let c = &world.credentials;
    let key = request.header("ur-appkey");
    if key != c.huke_key {
        return Err((UNKNOWN_KEY, "应用标识 appkey 不存在"));
    }
    let sign = request.header("ur-sign");
    if !crypto::same(sign, &crypto::huke_sign(&request.body)) {
        return Err((BAD_SIGN, "签名错误：ur-sign 与请求内容不一致"));
    }
    let time = request.header("ur-curtime");
    let want = crypto::huke_checksum(&c.huke_secret, key, sign, time);
    let got = request.header("ur-checksum");
    // Public clients differ in the case of the digits; one case at a time is accepted, not a mixture.
    if !crypto::same(&want, got) && !crypto::same(&want.to_ascii_uppercase(), got) {
        return Err((BAD_CHECKSUM, "签名错误：ur-checksum 校验失败，请检查应用密钥"));
    }
    let seconds = time.len() <= 11 && time.bytes().all(|b| b.is_ascii_digit());
    if seconds && world.is_fresh(time) {
        Ok(())
    } else {
        Err((STALE, "请求已过期：ur-curtime 超出允许范围"))
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Query {
    span: (i64, i64),
    page: u64,
    page_size: u64,
}

/// `timeRanges` is an object or a list of one; `page` and `pageSize` stand in it or beside it; numbers
/// may be text. Which of these the real service wants is not public.
fn read(body: &[u8]) -> Result<Query, String> {
    let top: Fields = serde_json::from_slice(body).map_err(|e| format!("请求内容不是 JSON 对象：{e}"))?;
    let ranges = match top.get("timeRanges") {
        None => Fields::new(),
        Some(raw) => one_object(raw)?,
    };
    let number = |name: &str| -> Result<Option<i64>, String> {
        let value = ranges.get(name).or_else(|| top.get(name));
        let Some(text) = value.and_then(|v| scalar(v)).filter(|t| !t.is_empty()) else {
            return Ok(None);
        };
        text.parse()
            .map(Some)
            .map_err(|_| format!("参数 {name} 不是整数：{text}"))
    };
    let instant = |name: &str, missing: i64| match number(name)? {
        None => Ok(missing),
        Some(ms) if (1_000_000_000_000..10_000_000_000_000).contains(&ms) => Ok(ms),
        Some(other) => Err(format!("参数 {name} 应为 13 位毫秒时间戳：{other}")),
    };
    let span = (instant("startTime", 0)?, instant("endTime", i64::MAX)?);
    if span.0 > span.1 {
        return Err("startTime 不能大于 endTime".to_owned());
    }
    let bounded = |name: &str, usual: u64, max: u64| match number(name)? {
        None => Ok(usual),
        Some(n) => match u64::try_from(n) {
            Ok(n) if (1..=max).contains(&n) => Ok(n),
            _ => Err(format!("参数 {name} 应在 1 到 {max} 之间：{n}")),
        },
    };
    let page = bounded("page", 1, MAX_PAGE)?;
    let page_size = bounded("pageSize", DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    Ok(Query {
        span,
        page,
        page_size,
    })
}

fn one_object(raw: &RawValue) -> Result<Fields, String> {
    let wrong = || "timeRanges 应为对象或只有一个对象的数组".to_owned();
    if raw.get().starts_with('[') {
        let mut list: Vec<Fields> = serde_json::from_str(raw.get()).map_err(|_| wrong())?;
        return if list.len() == 1 {
            Ok(list.remove(0))
        } else {
            Err(wrong())
        };
    }
    serde_json::from_str(raw.get()).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_the_request() {
        let want = Query {
            span: (1_700_000_000_000, 1_700_003_600_000),
            page: 2,
            page_size: 50,
        };
        let times = r#""startTime":"1700000000000","endTime":"1700003600000""#;
        let numbers = r#""startTime":1700000000000,"endTime":1700003600000"#;
        for body in [
            format!(r#"{{"source":"2","timeRanges":{{"timeType":"1",{times},"page":"2","pageSize":"50"}}}}"#),
            format!(
                r#"{{"source":"2","timeRanges":[{{"timeType":"1",{times},"page":"2","pageSize":"50"}}]}}"#
            ),
            format!(r#"{{"timeRanges":{{{numbers}}},"page":2,"pageSize":50}}"#),
            format!(r#"{{{numbers},"page":2,"pageSize":50}}"#),
        ] {
            assert_eq!(read(body.as_bytes()), Ok(Query { ..want }), "{body}");
        }
        assert_eq!(
            read(b"{}"),
            Ok(Query {
                span: (0, i64::MAX),
                page: 1,
                page_size: 10
            })
        );
    }

    #[test]
    fn what_is_refused() {
        for body in [
            "",
            "[]",
            r#"{"timeRanges":[]}"#,
            r#"{"timeRanges":"x"}"#,
            r#"{"timeRanges":{"startTime":"1700000000"}}"#,
            r#"{"timeRanges":{"startTime":"1700000000.123"}}"#,
            r#"{"timeRanges":{"startTime":"1700000000001","endTime":"1700000000000"}}"#,
            r#"{"page":0}"#,
            r#"{"pageSize":101}"#,
            r#"{"page":"zwei"}"#,
        ] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
    }
}
