//! The interface of one object as people type it: addresses, headers, bodies made of its declared fields.

use dsl::json;
use dsl::object::{Object, Standard};
use dsl::value::{Map, Value};

use crate::objects::serve::ROWS;
use crate::workspace::Workspace;

/// Where a platform pushes to us.
pub const PUSHED: &str = "/erp/syncdata/open/objdata/asyncpush";
/// A stretch of six minutes, the shortest that platforms poll.
const STRETCH: (i64, i64) = (1_795_392_000_000, 1_795_392_360_000);

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectCall {
    /// The interface: `create`, `asyncpush` and so on.
    pub name: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The address.
    pub url: String,
    /// Headers; a token is `$NAME`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Value>,
    /// What is answered when all is well.
    pub answer: Value,
}

impl ObjectCall {
    /// The same as a line for a shell, in which the tokens are variables.
    pub fn curl(&self) -> String {
        let mut line = format!("curl -X {} {}", self.method, quoted(&self.url));
        for (name, value) in &self.headers {
            line.push_str(&match value.starts_with('$') {
                true => format!(" \\\n  -H \"{name}: {value}\""),
                false => format!(" \\\n  -H {}", quoted(&format!("{name}: {value}"))),
            });
        }
        if let Some(body) = &self.body {
            line.push_str(&format!(" \\\n  --data {}", quoted(&json::to_string(body))));
        }
        line
    }
}

/// A text that a shell takes as it is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Every call that is about an object, at a server with this address.
pub fn calls(object: &Object, workspace: &Workspace, base: &str) -> Vec<ObjectCall> {
    let base = base.trim_end_matches('/');
    let connection = object.serve.as_ref().map(|serve| serve.connection.as_str());
    // Without its secrets a connection does not tell its tenant either: then a variable stands for it.
    let resolved = connection.and_then(|name| workspace.resolve(name).ok());
    let told = |param: &str, variable: &str| {
        let plain = resolved.as_ref().and_then(|one| one.plain_param(param));
        plain.unwrap_or_else(|| variable.to_owned())
    };
    let tenant = [
        ("tenantId".to_owned(), told("tenant_id", "$TENANT_ID")),
        ("dataCenterId".to_owned(), told("data_center", "$DATA_CENTER_ID")),
    ];
    let document = object.example();
    let id = object.id_of(&document).unwrap_or_default();
    let mut calls = Vec::new();
    if let Some(serve) = &object.serve {
        let at = format!("{base}/erp/{}", serve.connection);
        let token = ("token".to_owned(), "$ERP_TOKEN".to_owned());
        let kind = ("content-type".to_owned(), "application/json".to_owned());
        for name in ["create", "update"]
            .into_iter()
            .filter(|_| serve.receive.is_some())
        {
            calls.push(ObjectCall {
                name,
                method: "POST",
                url: format!("{at}/{name}"),
                headers: vec![token.clone(), kind.clone()],
                body: Some(document.value()),
                answer: well(ids(object, &document, &id)),
            });
        }
        if serve.rows.is_some() {
            let (start, end) = STRETCH;
            let name = &object.name;
            let page = map([
                ("totalNum", Value::from(1)),
                ("dataList", Value::List(vec![document.value()])),
            ]);
            calls.push(ObjectCall {
                name: "queryMasterBatch",
                method: "GET",
                url: format!(
                    "{at}/queryMasterBatch?objAPIName={name}&startTime={start}&endTime={end}&includeDetail=true&offset=0&limit={ROWS}"
                ),
                headers: vec![token.clone()],
                body: None,
                answer: well(page),
            });
            calls.push(ObjectCall {
                name: "queryMasterById",
                method: "GET",
                url: format!("{at}/queryMasterById?objAPIName={name}&dataId={id}&includeDetail=true"),
                headers: vec![token],
                body: None,
                answer: well(document.value()),
            });
        }
    }
    for (name, is_standard) in [("asyncpush", true), ("asyncpush, non-standard", false)] {
        let mut headers = vec![("token".to_owned(), "$PUSH_TOKEN".to_owned())];
        headers.extend(tenant.clone());
        headers.push(("objectApiName".to_owned(), object.name.clone()));
        headers.push(("version".to_owned(), "v1".to_owned()));
        headers.push(("operationType".to_owned(), "1".to_owned()));
        headers.extend(is_standard.then(|| ("id".to_owned(), id.clone())));
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        calls.push(ObjectCall {
            name,
            method: "POST",
            url: format!("{base}{PUSHED}"),
            headers,
            body: Some(match is_standard {
                true => document.value(),
                false => Value::Map(document.master.clone()),
            }),
            answer: map([
                ("errCode", Value::from("s106240000")),
                ("errMsg", Value::from("success")),
            ]),
        });
    }
    calls
}

/// What the caller learns of a document that was taken: its id, and those of its lines by their place.
pub fn ids(object: &Object, document: &Standard, id: &str) -> Value {
    let details = document.details.iter().map(|(name, lines)| {
        let field = object
            .details
            .iter()
            .find(|detail| detail.name == *name)
            .and_then(|detail| detail.id.as_ref());
        let of = |(nth, line): (usize, &Map)| {
            let own = field.and_then(|field| line.get(field)?.to_plain_text());
            let own = own.filter(|own| !own.is_empty());
            Value::from(own.unwrap_or_else(|| format!("{id}-{}", nth + 1)))
        };
        let ids = lines.iter().enumerate().map(of);
        (name.clone(), Value::List(ids.collect()))
    });
    map([
        ("masterDataId", Value::from(id)),
        ("detailDataIds", Value::Map(details.collect())),
    ])
}

fn well(data: Value) -> Value {
    map([
        ("code", Value::from("0")),
        ("message", Value::from("success")),
        ("data", data),
    ])
}

fn map<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Map(
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}
