//! The interface of one object as people type it: addresses, headers, bodies made of its declared fields.
//!
//! Only what works is shown: reads and writes of our ERP as the object is served, pushes where a scheme takes them and finds its key in what is sent.

use dsl::json;
use dsl::object::{Object, Standard};
use dsl::plan::{IngestCx, Plan, PushFacts};
use dsl::value::{Map, Value};

use crate::inbox::Takes;
use crate::objects::serve::ROWS;
use crate::workspace::Workspace;

/// Where a platform pushes to us.
pub const PUSHED: &str = "/erp/syncdata/open/objdata/asyncpush";
/// The operation behind it.
const OPERATION: &str = "asyncpush";
/// The types of bodies.
const JSON: &str = "application/json";
const XML: &str = "application/xml; charset=utf-8";
/// The root element of a body in XML: any is taken.
const ROOT: &str = "data";
/// The root element of an answer in XML.
pub const ANSWER_ROOT: &str = "response";
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
    /// The body; that of XML is a text.
    pub body: Option<Value>,
    /// What is answered when all is well; XML is a text.
    pub answer: Value,
}

/// A body, or an answer, as it travels.
pub fn sent(value: &Value) -> String {
    match value {
        Value::Text(xml) => xml.clone(),
        value => json::to_string(value),
    }
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
            line.push_str(&format!(" \\\n  --data {}", quoted(&sent(body))));
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
    let mut calls = Vec::new();
    // What of it cannot be used is refused. Where no scheme is known, nobody can tell: it is shown as it is declared.
    let is_refused =
        workspace.scheme_ids().next().is_some() && workspace.object_troubles().contains_key(&object.name);
    if !is_refused {
        served(object, base, &mut calls);
    }
    for (_, plan) in workspace.plans() {
        let Some(plan) = plan.filter(|plan| takes(plan, object, workspace)) else {
            continue;
        };
        let tenant = tenant(workspace, &plan.source.connection);
        let document = object.example();
        let mut add = |found: Vec<ObjectCall>| {
            for call in found {
                // Several schemes may take the same.
                if !calls.contains(&call) {
                    calls.push(call);
                }
            }
        };
        if finds_its_key(&plan, document.value()) {
            add(standard(object, &tenant, base));
        }
        if finds_its_key(&plan, Value::Map(document.master.clone())) {
            add(vec![ObjectCall {
                name: "asyncpush, non-standard",
                method: "POST",
                url: format!("{base}{PUSHED}"),
                headers: push_headers(object, &tenant, None, JSON),
                body: Some(Value::Map(document.master)),
                answer: acknowledged(),
            }]);
        }
    }
    calls
}

/// The calls of our ERP.
fn served(object: &Object, base: &str, calls: &mut Vec<ObjectCall>) {
    let Some(serve) = &object.serve else { return };
    let document = object.example();
    let id = object.id_of(&document).unwrap_or_default();
    let at = format!("{base}/erp/{}", serve.connection);
    let token = ("token".to_owned(), "$ERP_TOKEN".to_owned());
    let with = |kind: &str| vec![token.clone(), ("content-type".to_owned(), kind.to_owned())];
    if serve.receive.is_some() {
        let answer = well(ids(object, &document, &id));
        for (name, in_xml) in [("create", "create, XML"), ("update", "update, XML")] {
            let call = |label: &'static str, kind: &str, body: Value, answer: Value| ObjectCall {
                name: label,
                method: "POST",
                url: format!("{at}/{name}"),
                headers: with(kind),
                body: Some(body),
                answer,
            };
            calls.push(call(name, JSON, document.value(), answer.clone()));
            if let (Some(body), Some(answer)) = (xml(ROOT, &document.value()), xml(ANSWER_ROOT, &answer)) {
                calls.push(call(in_xml, XML, body, answer));
            }
        }
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

/// Pushes of the standard form.
fn standard(object: &Object, tenant: &[(String, String)], base: &str) -> Vec<ObjectCall> {
    let document = object.example();
    let id = object.id_of(&document).unwrap_or_default();
    let bodies = [
        ("asyncpush", JSON, Some(document.value())),
        ("asyncpush, XML", XML, xml(ROOT, &document.value())),
    ];
    let call = |(name, kind, body): (&'static str, &str, Option<Value>)| {
        Some(ObjectCall {
            name,
            method: "POST",
            url: format!("{base}{PUSHED}"),
            headers: push_headers(object, tenant, Some(&id), kind),
            body: Some(body?),
            answer: acknowledged(),
        })
    };
    bodies.into_iter().filter_map(call).collect()
}

/// Whether a scheme takes pushes of an object that a connection may send.
fn takes(plan: &Plan, object: &Object, workspace: &Workspace) -> bool {
    // The options of a push are written as they are: no clock is in them.
    let Ok(Some(takes)) = Takes::of(plan, 0) else {
        return false;
    };
    let tenant = tenant(workspace, &plan.source.connection);
    takes.operation() == OPERATION
        && takes.option("objectApiName") == Some(&object.name)
        && tenant.iter().all(|(name, value)| {
            // What stands for it is a variable where it is not known.
            let wanted = takes.option(name);
            value.starts_with('$') || wanted.is_none_or(|wanted| wanted == value)
        })
}

/// Whether a scheme finds its key in a row.
fn finds_its_key(plan: &Plan, row: Value) -> bool {
    let facts = PushFacts::default();
    let cx = IngestCx {
        now_ms: 0,
        zone: &plan.source.zone,
        push: Some(&facts),
        xml: false,
    };
    let found = plan.source.ingest(row, &cx);
    !found.is_empty() && found.iter().all(|one| one.key.is_ok())
}

/// The headers that say whose a push is. Without its secrets a connection does not tell its tenant: then a variable
/// stands for it.
fn tenant(workspace: &Workspace, connection: &str) -> Vec<(String, String)> {
    let resolved = workspace.resolve(connection).ok();
    let told = |param: &str, variable: &str| {
        let plain = resolved.as_ref().and_then(|one| one.plain_param(param));
        plain
            .filter(|plain| !plain.is_empty())
            .unwrap_or_else(|| variable.to_owned())
    };
    vec![
        ("tenantId".to_owned(), told("tenant_id", "$TENANT_ID")),
        ("dataCenterId".to_owned(), told("data_center", "$DATA_CENTER_ID")),
    ]
}

fn push_headers(
    object: &Object,
    tenant: &[(String, String)],
    id: Option<&str>,
    kind: &str,
) -> Vec<(String, String)> {
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut headers = vec![own("token", "$PUSH_TOKEN")];
    headers.extend(tenant.iter().cloned());
    headers.extend([
        own("objectApiName", &object.name),
        own("version", "v1"),
        own("operationType", "1"),
    ]);
    headers.extend(id.map(|id| own("id", id)));
    headers.push(own("content-type", kind));
    headers
}

fn acknowledged() -> Value {
    map([
        ("errCode", Value::from("s106240000")),
        ("errMsg", Value::from("success")),
    ])
}

/// A document in XML, where its names can be said there.
fn xml(root: &str, value: &Value) -> Option<Value> {
    let bytes = connector::xml_document(root, value).ok()?;
    String::from_utf8(bytes).ok().map(Value::from)
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
