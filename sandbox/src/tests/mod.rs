//! The simulators over real sockets, asked by a client of 60 lines that knows nothing of hyper.

mod answers;
mod chains;
mod control;
mod effects;
mod erp;
mod faults;
mod forms;
mod fx;
mod huke;
mod jst;
mod kingdee;
mod known_callers;
mod levels;
mod login;
mod office;
mod paging;
mod plain;
mod qimen;
mod systems;
mod wdt;
mod wdtu;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{Config, Credentials, Running, crypto, start};

/// What came back; `whole` is false when the body broke off.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) whole: bool,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    #[track_caller]
    pub(super) fn json(&self) -> Value {
        assert!(self.whole, "{self:?}");
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub(super) type Headers = Vec<(&'static str, String)>;

/// One request on a connection of its own; `None` when it was closed without an answer.
pub(super) async fn send(
    at: &Running,
    method: &str,
    path: &str,
    headers: &Headers,
    body: &[u8],
) -> Option<Answer> {
    let mut stream = TcpStream::connect(at.addr()).await.expect("the sandbox listens");
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    if !headers.iter().any(|(name, _)| *name == "host") {
        head.push_str(&format!("host: {}\r\n", at.addr()));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream
        .write_all(head.as_bytes())
        .await
        .expect("the request is small");
    // A server that has seen enough may close while we still send.
    drop(stream.write_all(body).await);
    let mut bytes = Vec::new();
    drop(stream.read_to_end(&mut bytes).await);
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let cut = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..cut]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|l| l.split_once(": "))
        .map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned()))
        .collect();
    let mut answer = Answer {
        status,
        headers,
        body: Vec::new(),
        whole: false,
    };
    let mut rest = &bytes[cut + 4..];
    if answer.header("transfer-encoding").is_none() {
        let length: usize = answer
            .header("content-length")
            .and_then(|l| l.parse().ok())
            .unwrap_or(0);
        answer.whole = rest.len() == length;
        answer.body = rest.to_vec();
        return Some(answer);
    }
    while let Some(line) = rest.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).ok()?, 16).ok()?;
        rest = &rest[line + 2..];
        answer.whole = size == 0;
        answer.body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
    Some(answer)
}

/// A sandbox whose clock stands at the time of the published vectors.
pub(super) async fn at_vector_time(change: impl FnOnce(&mut Config)) -> Running {
    let mut config = Config {
        now_ms: Some(1_700_000_000_000),
        ..Config::default()
    };
    change(&mut config);
    start(config).await.expect("a free port on loopback")
}

pub(super) async fn sandbox(change: impl FnOnce(&mut Config)) -> Running {
    let mut config = Config::default();
    change(&mut config);
    start(config).await.expect("a free port on loopback")
}

pub(super) fn json_type() -> (&'static str, String) {
    ("content-type", "application/json; charset=utf-8".to_owned())
}

/// A signed Huke call.
pub(super) async fn ask_huke(at: &Running, path: &str, body: &str) -> Option<Answer> {
    let c = Credentials::default();
    let time = (at.now_ms() / 1000).to_string();
    let sign = crypto::huke_sign(body.as_bytes());
    let checksum = crypto::huke_checksum(&c.huke_secret, &c.huke_key, &sign, &time);
    let headers = vec![
        json_type(),
        ("ur-appkey", c.huke_key),
        ("ur-sign", sign),
        ("ur-curtime", time),
        ("ur-checksum", checksum),
    ];
    send(
        at,
        "POST",
        &format!("/huke/openapi/{path}"),
        &headers,
        body.as_bytes(),
    )
    .await
}

/// All rows of an operation, page by page.
pub(super) async fn huke_rows(at: &Running, path: &str, span: Option<(i64, i64)>, size: u64) -> Vec<Value> {
    let mut rows = Vec::new();
    for page in 1.. {
        let mut body = json!({"page": page, "pageSize": size});
        if let Some((start, end)) = span {
            body["timeRanges"] =
                json!({"timeType": "1", "startTime": start.to_string(), "endTime": end.to_string()});
        }
        let answer = ask_huke(at, path, &body.to_string()).await.unwrap().json();
        assert_eq!(answer["code"], 200, "{answer}");
        let list = answer["data"]["list"].as_array().unwrap().clone();
        let short = u64::try_from(list.len()).unwrap() < size;
        rows.extend(list);
        if short {
            break;
        }
    }
    rows
}

pub(super) fn k3_path(service: &str) -> String {
    let kind = if ["LoginBySign", "LoginByAppSecret", "ValidateUser"].contains(&service) {
        "Auth"
    } else {
        "DynamicForm"
    };
    format!("/k3cloud/Kingdee.BOS.WebApi.ServicesStub.{kind}Service.{service}.common.kdsvc")
}

pub(super) async fn k3_raw(at: &Running, service: &str, session: &str, body: &str) -> Option<Answer> {
    let headers = vec![json_type(), ("kdservice-sessionid", session.to_owned())];
    send(at, "POST", &k3_path(service), &headers, body.as_bytes()).await
}

pub(super) async fn k3(at: &Running, service: &str, session: &str, body: Value) -> Value {
    k3_raw(at, service, session, &body.to_string())
        .await
        .unwrap()
        .json()
}

/// Logs in by signature and gives the session.
pub(super) async fn login(at: &Running) -> String {
    let c = Credentials::default();
    let ts = (at.now_ms() / 1000).to_string();
    let sign = crypto::kingdee_login_sign([&c.acct, &c.user, &c.app_id, &c.app_secret, &ts]);
    let answer = k3(
        at,
        "LoginBySign",
        "",
        json!({"parameters": [c.acct, c.user, c.app_id, ts, sign, 2052]}),
    )
    .await;
    assert_eq!(answer["LoginResultType"], 1, "{answer}");
    answer["KDSVCSessionId"].as_str().unwrap().to_owned()
}

pub(super) fn customer(number: &str, name: &str) -> Value {
    let org = json!({"FNumber": "100"});
    json!({"FCreateOrgId": org, "FUseOrgId": org, "FNumber": number, "FName": name})
}

/// A batch save of customers.
pub(super) fn batch(models: &[Value]) -> Value {
    json!({"formid": "BD_Customer", "data": {"IsAutoSubmitAndAudit": "true", "Model": models}})
}

pub(super) async fn query(at: &Running, session: &str, keys: &str, filter: &str) -> Value {
    let data = json!({"FormId": "BD_Customer", "FieldKeys": keys, "FilterString": filter, "StartRow": 0, "Limit": 0});
    k3(at, "ExecuteBillQuery", session, json!({"data": data})).await
}

pub(super) async fn control(at: &Running, method: &str, name: &str, body: Value) -> Value {
    let body = if method == "GET" {
        String::new()
    } else {
        body.to_string()
    };
    send(
        at,
        method,
        &format!("/_sandbox/{name}"),
        &Headers::new(),
        body.as_bytes(),
    )
    .await
    .unwrap()
    .json()
}
