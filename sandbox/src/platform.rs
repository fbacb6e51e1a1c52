//! Fxiaoke's ERP data synchronisation platform as the one who calls, and an ERP that pushes to it.
//!
//! [`Platform`] does to an ERP of the standard channel what the vendor's platform does: it creates, updates, polls a
//! stretch of time page by page and asks for one document. [`Sender`] is an ERP that pushes to the platform. Both judge
//! what they hear as strictly as the public examples allow, because whoever answers them in a test is the engine.
//!
//! Facts with a public source: paths, headers, members of bodies and answers, the code of an accepted push. Guesses of
//! ours: that `0` is the code of success (the vendor lets an ERP choose), that a total may be a number or its text, that
//! pages are asked for one behind the other until the total is reached, and the root element of XML.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::net::TcpStream;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Largest answer.
const MAX_ANSWER: usize = 32 << 20;
/// Most pages of one stretch of time: an ERP that tells another total each time must not keep it for ever.
const MAX_PAGES: u32 = 10_000;
/// What an accepted push is answered with.
const ACCEPTED: &str = "s106240000";

/// In which form a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `application/json`
    Json,
    /// `application/xml`
    Xml,
    /// JSON as `text/plain`.
    Text,
}

/// What went wrong.
#[derive(Debug)]
pub enum Wrong {
    /// Nobody knows whether it was executed.
    NoAnswer(io::Error),
    /// Another status than 200.
    Status(u16, String),
    /// An answer of another form; where, and the answer.
    Form(&'static str, String),
    /// Refused: the code and the sentence.
    Refused(String, String),
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Wrong::NoAnswer(error) => write!(f, "no answer: {error}"),
            Wrong::Status(status, body) => write!(f, "HTTP {status}: {body}"),
            Wrong::Form(what, body) => write!(f, "{what}: {body}"),
            Wrong::Refused(code, message) => write!(f, "{code} {message}"),
        }
    }
}

impl std::error::Error for Wrong {}

/// What a create or an update is answered with.
#[derive(Debug, Clone, PartialEq)]
pub struct Ids {
    /// Of the document.
    pub master: String,
    /// Of its lines, as they came.
    pub details: Value,
}

/// The platform, as an ERP sees it.
#[derive(Debug, Clone)]
pub struct Platform {
    /// `http://host:port/path/`, in front of `create` and its siblings.
    pub base: String,
    /// What it shows the ERP.
    pub token: String,
    /// The code that the ERP says "done" with.
    pub ok_code: String,
    /// In which form it pushes.
    pub form: Form,
}

impl Platform {
    /// One that speaks JSON and takes `0` for success.
    pub fn new(base: impl Into<String>, token: impl Into<String>) -> Self {
        Platform {
            base: base.into(),
            token: token.into(),
            ok_code: "0".to_owned(),
            form: Form::Json,
        }
    }

    /// Creates a document: `{objAPIName, masterFieldVal, detailFieldVals}`.
    pub async fn create(&self, document: &Value) -> Result<Ids, Wrong> {
        self.push("create", document).await
    }

    /// Updates one.
    pub async fn update(&self, document: &Value) -> Result<Ids, Wrong> {
        self.push("update", document).await
    }

    async fn push(&self, verb: &str, document: &Value) -> Result<Ids, Wrong> {
        let (kind, body) = match self.form {
            Form::Json => ("application/json", document.to_string()),
            Form::Text => ("text/plain; charset=utf-8", document.to_string()),
            Form::Xml => ("application/xml; charset=utf-8", xml("request", document)),
        };
        let headers = [("token", self.token.as_str()), ("content-type", kind)];
        let heard = call(Method::POST, &format!("{}{verb}", self.base), &headers, body).await?;
        if self.form == Form::Xml {
            let part = |name| between(&heard, name);
            let code = part("code").ok_or_else(|| Wrong::Form("no code", heard.clone()))?;
            if code != self.ok_code {
                return Err(Wrong::Refused(code, part("message").unwrap_or_default()));
            }
            let master = part("masterDataId").ok_or_else(|| Wrong::Form("no masterDataId", heard.clone()))?;
            let details = part("detailDataIds").map_or(Value::Null, Value::from);
            return Ok(Ids { master, details });
        }
        let data = self.judged(&heard)?;
        let master = data.get("masterDataId").and_then(text);
        Ok(Ids {
            master: master.ok_or_else(|| Wrong::Form("no masterDataId", heard.clone()))?,
            details: data.get("detailDataIds").cloned().unwrap_or_default(),
        })
    }

    /// The `data` of an answer that says "done".
    fn judged(&self, heard: &str) -> Result<Map<String, Value>, Wrong> {
        let form = |what| Wrong::Form(what, heard.to_owned());
        let answer: Value = serde_json::from_str(heard).map_err(|_| form("no JSON"))?;
        let code = answer.get("code").and_then(text).ok_or_else(|| form("no code"))?;
        if code != self.ok_code {
            let message = answer.get("message").and_then(text).unwrap_or_default();
            return Err(Wrong::Refused(code, message));
        }
        match answer.get("data") {
            Some(Value::Object(data)) => Ok(data.clone()),
            _ => Err(form("no data")),
        }
    }

    /// Everything that changed in a stretch of time, page by page as the platform asks: the next page begins behind as
    /// many rows as came, until the total is reached.
    pub async fn poll(
        &self,
        object: &str,
        from_ms: i64,
        to_ms: i64,
        limit: usize,
    ) -> Result<Vec<Value>, Wrong> {
        let mut rows = Vec::new();
        for _ in 0..MAX_PAGES {
            let (total, page) = self.page(object, from_ms, to_ms, rows.len(), limit).await?;
            let came = page.len();
            rows.extend(page);
            if rows.len() >= total {
                return Ok(rows);
            }
            if came == 0 {
                return Err(Wrong::Form(
                    "an empty page before the total is reached",
                    format!("{} of {total}", rows.len()),
                ));
            }
        }
        Err(Wrong::Form("too many pages", object.to_owned()))
    }

    /// One page: the total, and its rows.
    pub async fn page(
        &self,
        object: &str,
        from_ms: i64,
        to_ms: i64,
        offset: usize,
        limit: usize,
    ) -> Result<(usize, Vec<Value>), Wrong> {
        let asked = format!(
            "queryMasterBatch?objAPIName={}&startTime={from_ms}&endTime={to_ms}&includeDetail=true&offset={offset}&limit={limit}",
            escaped(object)
        );
        let heard = self.ask(&asked).await?;
        let data = self.judged(&heard)?;
        let form = |what| Wrong::Form(what, heard.clone());
        let total = data.get("totalNum").and_then(text);
        let total = total.and_then(|total| total.parse().ok());
        let total = total.ok_or_else(|| form("no totalNum"))?;
        let Some(Value::Array(rows)) = data.get("dataList") else {
            return Err(form("no dataList"));
        };
        if rows.len() > limit {
            return Err(form("more rows than were asked for"));
        }
        for row in rows {
            whole(row, object).map_err(form)?;
        }
        Ok((total, rows.clone()))
    }

    /// One document by its id.
    pub async fn get(&self, object: &str, id: &str) -> Result<Value, Wrong> {
        let asked = format!(
            "queryMasterById?objAPIName={}&dataId={}&includeDetail=true",
            escaped(object),
            escaped(id)
        );
        let heard = self.ask(&asked).await?;
        let row = Value::Object(self.judged(&heard)?);
        whole(&row, object).map_err(|what| Wrong::Form(what, heard))?;
        Ok(row)
    }

    async fn ask(&self, path_and_query: &str) -> Result<String, Wrong> {
        let url = format!("{}{path_and_query}", self.base);
        call(Method::GET, &url, &[("token", &self.token)], String::new()).await
    }
}

/// A row as the protocol writes one.
fn whole(row: &Value, object: &str) -> Result<(), &'static str> {
    if row.get("objAPIName").and_then(Value::as_str) != Some(object) {
        return Err("another objAPIName");
    }
    if !row.get("masterFieldVal").is_some_and(Value::is_object) {
        return Err("no masterFieldVal");
    }
    let details = row.get("detailFieldVals");
    let lists = details.and_then(Value::as_object).ok_or("no detailFieldVals")?;
    if lists.values().all(Value::is_array) {
        Ok(())
    } else {
        Err("details that are no list")
    }
}

/// An ERP that pushes to the platform, or to whoever stands in its place.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The whole address of `asyncpush`.
    pub url: String,
    /// Headers `token`, `tenantId`, `dataCenterId`, `objectApiName`, `version` and whatever else.
    pub headers: Vec<(String, String)>,
}

impl Sender {
    /// One with the headers that every push has.
    pub fn new(url: impl Into<String>, token: &str, tenant: &str, data_center: &str, object: &str) -> Self {
        let headers = [
            ("token", token),
            ("tenantId", tenant),
            ("dataCenterId", data_center),
            ("objectApiName", object),
            ("version", "v1"),
        ];
        Sender {
            url: url.into(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        }
    }

    /// Pushes a body: the standard form with an id, or anything without one. `void` = it was cancelled.
    pub async fn push(&self, id: Option<&str>, void: bool, kind: &str, body: &str) -> Result<(), Wrong> {
        let mut headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        headers.push(("content-type", kind));
        headers.push(("operationType", if void { "3" } else { "1" }));
        headers.extend(id.map(|id| ("id", id)));
        let heard = call(Method::POST, &self.url, &headers, body.to_owned()).await?;
        let answer: Value =
            serde_json::from_str(&heard).map_err(|_| Wrong::Form("no JSON", heard.clone()))?;
        let code = answer.get("errCode").and_then(Value::as_str);
        match code {
            Some(ACCEPTED) => Ok(()),
            Some(code) => {
                let message = answer.get("errMsg").and_then(Value::as_str).unwrap_or_default();
                Err(Wrong::Refused(code.to_owned(), message.to_owned()))
            }
            None => Err(Wrong::Form("no errCode", heard)),
        }
    }

    /// The standard body of a document.
    pub fn standard(object: &str, master: &Value, details: &Value) -> String {
        json!({"objAPIName": object, "masterFieldVal": master, "detailFieldVals": details}).to_string()
    }
}

/// One request on a connection of its own; the body of the answer.
async fn call(method: Method, url: &str, headers: &[(&str, &str)], body: String) -> Result<String, Wrong> {
    let lost = |error: &dyn std::fmt::Display| Wrong::NoAnswer(io::Error::other(error.to_string()));
    let answered = tokio::time::timeout(PATIENCE, exchange(method, url, headers, body)).await;
    let (status, body) = answered.map_err(|late| lost(&late))?.map_err(Wrong::NoAnswer)?;
    if status == 200 {
        Ok(body)
    } else {
        Err(Wrong::Status(status, body))
    }
}

async fn exchange(
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: String,
) -> io::Result<(u16, String)> {
    let uri: Uri = url.parse().map_err(io::Error::other)?;
    let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
    let stream = TcpStream::connect(&authority).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    let connection = tokio::spawn(connection);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", &authority);
    for (name, value) in headers {
        request = request.header(*name, value.as_bytes());
    }
    let request = request
        .body(Full::new(Bytes::from(body)))
        .map_err(io::Error::other)?;
    let answer = sender.send_request(request).await.map_err(io::Error::other)?;
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
    let body = body.map_err(io::Error::other)?.to_bytes();
    drop(sender);
    connection.abort();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

/// A number or a text, as text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn escaped(text: &str) -> String {
    let each = text.bytes().map(|byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    each.collect()
}

/// A value as elements; a list is its element again and again.
fn xml(name: &str, value: &Value) -> String {
    let inner = match value {
        Value::Array(items) => return items.iter().map(|item| xml(name, item)).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| xml(name, value)).collect(),
        Value::Null => String::new(),
        Value::String(text) => plain(text),
        other => other.to_string(),
    };
    format!("<{name}>{inner}</{name}>")
}

fn plain(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// What stands in the first element of this name.
fn between(text: &str, name: &str) -> Option<String> {
    let (_, behind) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = behind.split_once(&format!("</{name}>"))?;
    Some(inner.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_elements_of_one_name() {
        let document = json!({"objAPIName": "o", "masterFieldVal": {"name": "甲 & 乙"}, "detailFieldVals": {"lines": [{"n": 1}, {"n": "2"}]}});
        assert_eq!(
            xml("request", &document),
            "<request><detailFieldVals><lines><n>1</n></lines><lines><n>2</n></lines></detailFieldVals>\
             <masterFieldVal><name>甲 &amp; 乙</name></masterFieldVal><objAPIName>o</objAPIName></request>"
        );
    }

    #[test]
    fn answers_are_judged_by_their_code_alone() {
        let mut platform = Platform::new("http://127.0.0.1:1/", "t");
        for (ok_code, answer, wanted) in [
            ("0", r#"{"code":"0","data":{"masterDataId":"1"}}"#, None),
            (
                "0",
                r#"{"code":0,"message":"error","data":{"masterDataId":"1"}}"#,
                None,
            ),
            ("200", r#"{"code":200,"data":{}}"#, None),
            ("0", r#"{"code":"1","message":"成功","data":{}}"#, Some("1 成功")),
            ("0", r#"{"message":"success","data":{}}"#, Some("no code")),
            ("0", r#"{"code":"0"}"#, Some("no data")),
            ("0", "<html>", Some("no JSON")),
        ] {
            ok_code.clone_into(&mut platform.ok_code);
            let judged = platform.judged(answer);
            match wanted {
                None => assert!(judged.is_ok(), "{answer}"),
                Some(wanted) => {
                    let told = judged.expect_err(answer).to_string();
                    assert!(told.starts_with(wanted), "{answer}: {told}");
                }
            }
        }
    }

    #[test]
    fn rows_have_the_form_of_the_protocol() {
        for (row, is_one) in [
            (
                json!({"objAPIName": "o", "masterFieldVal": {}, "detailFieldVals": {"a": []}}),
                true,
            ),
            (
                json!({"objAPIName": "p", "masterFieldVal": {}, "detailFieldVals": {}}),
                false,
            ),
            (
                json!({"objAPIName": "o", "masterFieldVal": [], "detailFieldVals": {}}),
                false,
            ),
            (json!({"objAPIName": "o", "masterFieldVal": {}}), false),
            (
                json!({"objAPIName": "o", "masterFieldVal": {}, "detailFieldVals": {"a": {}}}),
                false,
            ),
        ] {
            assert_eq!(whole(&row, "o").is_ok(), is_one, "{row}");
        }
        assert_eq!(
            escaped("BD_Customer.BillHead/甲 1"),
            "BD_Customer.BillHead%2F%E7%94%B2%201"
        );
    }
}
