//! From the data of a call to the bytes that are sent, before anything is signed.
//!
//! The body is rendered once; those bytes are signed and those bytes are sent. What a call says goes through value
//! places only, so that no text of a record ever becomes part of a frame.

use std::sync::{Arc, OnceLock};

use dsl::catalogue::source;
use dsl::cond::{Asked, Op};
use dsl::facts::OpKind;
use dsl::{Failure, Map, Path, Payload, Value};
use sha2::Digest as _;

use crate::batch;
use crate::connection::Connection;
use crate::filter::{FilterValue, sql_text};
use crate::frame::Frame;
use crate::load::BODIES;
use crate::model::{BatchPart, Encode, FilterPrint, Login, Operation, PageBy, RECORD_UUID, Whole};
use crate::recipe::urlenc;
use crate::secret::MASK;
use crate::sign::as_uuid;
use crate::sql::{self, Driver};

pub(crate) use crate::url::path_fault;

/// Most decoded bytes of the answer to a write: a verdict for each of some hundred rows is a few hundred KiB.
const WRITE_READ_CAP: u64 = 4 << 20;

/// Bytes of a body around its documents, as a first guess.
const AROUND: usize = 512;

/// What stands in the place of a method where a statement is sent.
const STATEMENT: &str = "SQL";

/// The page that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageState {
    /// Its number.
    pub number: i64,
    /// Rows before it.
    pub offset: i64,
    /// Most rows on it.
    pub size: u32,
    /// What the page before gave to go on with.
    pub cursor: Option<String>,
    /// The last key of the page before.
    pub last: Option<String>,
    /// The total that the first page said.
    pub total: Option<u64>,
}

/// One call, as the engine asks for it.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// The operation, by any of its names.
    pub operation: &'a str,
    /// Its options, evaluated.
    pub options: &'a Map,
    /// The merged source request, evaluated; `None` takes the operation's own.
    pub request: Option<Value>,
    /// The documents of a write.
    pub records: Option<Records>,
    /// Name in the row, and field asked for.
    pub fields: Option<&'a [(String, String)]>,
    /// What the source is asked to filter by.
    pub filter: Option<FilterValue>,
    /// Begin and end of the window, in milliseconds.
    pub window: Option<(i64, i64)>,
    /// The source's time field.
    pub window_field: Option<&'a str>,
    /// The page.
    pub page: Option<PageState>,
    /// The keys of the documents of a write.
    pub keys: Option<Keys<'a>>,
    /// The bytes of `$uuid`, where it must be known again after the answer was lost; else they are drawn for each send.
    pub attempt: Option<[u8; 16]>,
    /// What the only record of the call is, in its version of today, however its document comes out; `None` = that is
    /// not known, and the document stands for it.
    pub identity: Option<String>,
    /// The one instant of the run.
    pub now_ms: i64,
}

/// The documents of a write.
#[derive(Debug, Clone, Default)]
pub struct Records {
    each: Vec<Payload>,
    trees: OnceLock<Vec<Value>>,
}

impl Records {
    /// The documents, in the order in which they are sent.
    pub fn each(&self) -> &[Payload] {
        &self.each
    }

    /// The same as trees, for who reads them.
    pub fn trees(&self) -> &[Value] {
        self.trees
            .get_or_init(|| self.each.iter().map(|each| each.tree().clone()).collect())
    }
}

impl From<Vec<Payload>> for Records {
    fn from(each: Vec<Payload>) -> Records {
        Records {
            each,
            trees: OnceLock::new(),
        }
    }
}

impl From<Vec<Value>> for Records {
    fn from(trees: Vec<Value>) -> Records {
        trees.into_iter().map(Payload::from).collect::<Vec<_>>().into()
    }
}

/// Under which keys the documents of a write stand.
#[derive(Debug, Clone)]
pub struct Keys<'a> {
    /// The fields, below `key_under`.
    pub fields: &'a [Path],
    /// The text of each document's key, in the order of the documents, as the ledger has it.
    pub texts: Vec<String>,
}

impl<'a> Call<'a> {
    /// A call that says nothing yet.
    pub fn new(operation: &'a str, options: &'a Map, now_ms: i64) -> Call<'a> {
        Call {
            operation,
            options,
            request: None,
            records: None,
            fields: None,
            filter: None,
            window: None,
            window_field: None,
            page: None,
            keys: None,
            attempt: None,
            identity: None,
            now_ms,
        }
    }
}

/// A request before authentication and signature. The body is final.
#[derive(Clone)]
pub struct Prepared {
    /// HTTP method.
    pub method: String,
    /// `https://host:port`.
    pub origin: String,
    /// The path, exactly as it will be sent.
    pub path: String,
    /// Names and values, not yet encoded.
    pub query: Vec<(String, String)>,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The bytes of the body.
    pub body: Vec<u8>,
    /// Form fields, where the body is a form.
    pub form: Vec<(String, String)>,
    /// Most decoded bytes of the answer.
    pub read_cap: u64,
    /// Total time, in milliseconds.
    pub timeout_ms: Option<i64>,
    /// What it is rendered from again for each attempt, where it holds something that only the attempt knows.
    pub(crate) late: Option<Late>,
}

/// A frame that is still to be told session, instant and a fresh id.
#[derive(Clone)]
pub(crate) struct Late {
    operation: Arc<Operation>,
    names: Value,
    now_ms: i64,
    /// The documents that its body takes as they are.
    whole: Option<Records>,
}

/// What an attempt adds to a frame.
pub(crate) struct Attempt {
    /// What the login gave.
    pub(crate) auth: Map,
    /// The instant, in milliseconds.
    pub(crate) at_ms: i64,
    /// A fresh id.
    pub(crate) uuid: String,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Prepared({} {}{}, {} bytes)",
            self.method,
            self.origin,
            self.path,
            self.body.len()
        )
    }
}

impl Connection {
    /// Builds a request. Nothing is signed, and nothing secret is in it unless the connector's file says so.
    pub fn prepare(&self, call: &Call<'_>) -> Result<Prepared, Failure> {
        let operation = self.operation(call.operation)?;
        if operation.kind == OpKind::Receive {
            return Err(Failure::new(&source::FRAME)
                .with("place", &operation.name)
                .with("why", "kind: receive"));
        }
        let options = complete_options(operation, call.options)?;
        let mut frame = self.frame(operation, &options, call.now_ms);
        set_window(&mut frame, call);
        if let Some(page) = &call.page {
            let whole = |size: i64| page.offset % size == 0;
            let multiple = operation.page.as_ref().is_some_and(|own| own.multiple);
            if multiple && !whole(i64::from(page.size.max(1))) {
                return Err(Failure::new(&source::FRAME)
                    .with("place", "page.offset")
                    .with("why", format!("{} % {}", page.offset, page.size)));
            }
            frame.set("$page", page_names(page));
        }
        self.set_fields(operation, call, &mut frame)?;
        self.set_filter(operation, call, &mut frame)?;
        self.set_request(operation, call, &mut frame)?;
        let whole = self.taken_whole(operation, call);
        match whole {
            Some(_) => set_hole(&mut frame),
            None => set_records(call.records.as_ref(), &mut frame),
        }
        if operation.mentions(RECORD_UUID) {
            frame.set(RECORD_UUID, record_uuid(operation, call, &options)?);
        }
        if let Some(keys) = &call.keys {
            frame.set("$keys", keys_value(keys));
        }
        frame.set("$options", sent_options(operation, &options));
        let link = call.page.as_ref().and_then(|page| page.cursor.as_deref());
        let by_link = |page: &crate::model::Page| matches!(page.by, PageBy::Link(_));
        if let Some(link) = link.filter(|_| operation.page.as_ref().is_some_and(by_link)) {
            frame.set(NEXT, link);
        }
        let login = self.mode().login.as_ref();
        if !operation.waits_for_attempt() && !login.is_some_and(Login::shapes_calls) {
            return self.render(operation, frame, None, whole);
        }
        let late = Late {
            operation: Arc::clone(operation),
            names: frame.names().clone(),
            now_ms: call.now_ms,
            whole: whole.cloned(),
        };
        // What cannot be rendered is told before anything is claimed, and a preview has something to show.
        let taken = login.into_iter().flat_map(Login::taken);
        let rehearsal = Attempt {
            auth: taken.map(|name| (name.clone(), Value::from(MASK))).collect(),
            at_ms: call.now_ms,
            uuid: NIL_UUID.to_owned(),
        };
        let rendered = self.render_late(&late, rehearsal)?;
        Ok(Prepared {
            late: Some(late),
            ..rendered
        })
    }

    /// The request of one attempt.
    pub(crate) fn render_late(&self, late: &Late, attempt: Attempt) -> Result<Prepared, Failure> {
        let mut frame = self.param_frame(late.now_ms).with_names(late.names.clone());
        frame.set("$auth", attempt.auth);
        frame.set("$uuid", attempt.uuid);
        frame.set_instant("$clock", attempt.at_ms);
        let login = self.mode().login.as_ref();
        self.render(&late.operation, frame, login, late.whole.as_ref())
    }

    /// The documents of a call, where its body takes them as they are: then they need not be read.
    fn taken_whole<'c>(&self, operation: &Operation, call: &'c Call<'_>) -> Option<&'c Records> {
        let records = call.records.as_ref()?;
        let whole = operation
            .whole()
            .filter(|_| self.encode(operation) == Encode::Json)?;
        let has_no_place = |payload: &Payload| match payload.as_written() {
            // Alone it may be left out, which a map never is.
            Some(json) => !whole.as_list && !json.starts_with(b"{"),
            None => {
                let tree = payload.tree();
                find_instant(tree, String::new()).is_some() || !whole.as_list && tree.as_map().is_none()
            }
        };
        let is_one = whole.as_list || !records.each().is_empty();
        (is_one && !records.each().iter().any(has_no_place)).then_some(records)
    }

    /// From a complete frame to bytes; a login's members are laid over the body. Documents that are taken as they are
    /// come to their place in the bytes.
    fn render(
        &self,
        operation: &Operation,
        mut frame: Frame<'_>,
        login: Option<&Login>,
        whole: Option<&Records>,
    ) -> Result<Prepared, Failure> {
        let path = match operation.path.names().is_empty() {
            true => frame.text(&operation.path, "path")?,
            false => frame
                .in_path(&operation.path_text)
                .text(&operation.path, "path")?,
        };
        let path = path.unwrap_or_default();
        let body = match &operation.body {
            Some(tree) if operation.part.is_none() => frame.value(tree, "body")?,
            _ => None,
        };
        let body = match login {
            Some(login) => applied(body, &login.apply_body, &frame)?,
            None => body,
        };
        let encode = self.encode(operation);
        let hole = whole.and_then(|records| {
            let at = operation.whole()?;
            let place = at
                .place
                .iter()
                .try_fold(body.as_ref()?, |value, name| value.get(name))?;
            (*place == hole(at.as_list)).then_some((at, records))
        });
        if let (Some(records), None) = (whole, hole) {
            // Something else was laid over their place.
            set_records(Some(records), &mut frame);
            return self.render(operation, frame, login, None);
        }
        let frame = &frame;
        let xml = body.clone().filter(|_| encode == Encode::Xml);
        let mut prepared = self.request(
            &operation.method,
            &path,
            encode,
            body.as_ref().filter(|_| hole.is_none()),
        )?;
        if let (Some((at, records)), Some(body)) = (hole, &body) {
            no_instants(body)?;
            let length = records
                .each()
                .iter()
                .map(|each| each.json().len() + 1)
                .sum::<usize>();
            prepared.body.reserve(length + AROUND);
            json_around(body, &at.place, &|out| fill(at, records, out), &mut prepared.body);
            prepared.headers.insert(0, json_type());
        }
        if encode == Encode::Xml {
            let root = frame.text(&operation.root, "root")?.unwrap_or_default();
            xml_body(&mut prepared, &root, xml)?;
        }
        if let Some(part) = &operation.part {
            let (body, kind) = batch::render(&parts(operation, part, frame)?);
            prepared.body = body;
            prepared.headers.push(("content-type".to_owned(), kind));
        }
        if let Some(host) = login.and_then(|login| login.apply_host.as_ref()) {
            let address = frame.text(host, "apply.host")?.unwrap_or_default();
            // Where a preview goes is not known before the login.
            if !address.contains(MASK) {
                self.turn_to(&mut prepared, &address)?;
            }
        }
        prepared.query = frame.pairs(&operation.query, "query")?;
        prepared
            .headers
            .extend(frame.pairs(&operation.headers, "headers")?);
        if let Some(link) = frame
            .names()
            .as_map()
            .and_then(|names| names.get(NEXT)?.as_text())
        {
            follow(&mut prepared, link)?;
        }
        check_headers(&prepared.headers)?;
        if operation.kind != OpKind::Read {
            prepared.read_cap = prepared.read_cap.min(WRITE_READ_CAP);
        }
        Ok(prepared)
    }

    /// How the body of an operation becomes bytes: as its file says, or as this connection chooses.
    fn encode(&self, operation: &Operation) -> Encode {
        let chosen = operation.encode_by.as_ref().and_then(|name| {
            let word = self.params.get(name)?.as_text()?;
            BODIES.iter().find(|(known, _)| *known == word)
        });
        chosen.map_or(operation.encode, |(_, encode)| *encode)
    }

    /// A frame that knows parameters, options and the row of `forms`.
    pub(crate) fn frame(&self, operation: &Operation, options: &Map, now_ms: i64) -> Frame<'_> {
        let mut frame = self.param_frame(now_ms);
        let form = options
            .get(FORM_OPTION)
            .and_then(Value::to_plain_text)
            .unwrap_or_default();
        if operation.options.iter().any(|option| option.name == FORM_OPTION)
            && let Some(row) = self.connector.form(&form)
        {
            frame.set("$form", row.clone());
        }
        frame.set("$option", options.clone());
        frame
    }

    /// A request with its body turned into bytes.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        encode: Encode,
        body: Option<&Value>,
    ) -> Result<Prepared, Failure> {
        if let Some(why) = path_fault(path) {
            return Err(Failure::new(&source::FRAME)
                .with("place", "path")
                .with("why", why));
        }
        let path = path.strip_prefix('/').unwrap_or(path);
        let mut form = Vec::new();
        let (body, content_type) = match (encode, body) {
            (Encode::None | Encode::OdataBatch | Encode::Xml, _) | (_, None) => (Vec::new(), None),
            (Encode::Sql, Some(value)) => {
                let zone = self.zone()?;
                let driver = self.driver().unwrap_or(Driver::Sqlite);
                let cx = sql::Cx { driver, zone: &zone };
                (sql::statement(value, &cx)?, Some("application/json".to_owned()))
            }
            (Encode::Json, Some(value)) => {
                let mut bytes = Vec::new();
                json_bytes(value, &mut bytes)?;
                (bytes, Some("application/json".to_owned()))
            }
            (Encode::Text, Some(value)) => {
                let mut bytes = Vec::new();
                match value {
                    Value::Text(text) => bytes.extend_from_slice(text.as_bytes()),
                    value => json_bytes(value, &mut bytes)?,
                }
                (bytes, Some("text/plain; charset=utf-8".to_owned()))
            }
            (Encode::Multipart, Some(value)) => {
                let (bytes, boundary) = multipart(&pairs_of(value)?);
                (bytes, Some(format!("multipart/form-data; boundary={boundary}")))
            }
            (Encode::Form, Some(value)) => {
                form = pairs_of(value)?;
                (
                    form_text(&form).into_bytes(),
                    Some("application/x-www-form-urlencoded".to_owned()),
                )
            }
        };
        let headers = content_type.map(|text| ("content-type".to_owned(), text));
        Ok(Prepared {
            method: match encode {
                Encode::Sql => STATEMENT.to_owned(),
                _ => method.to_owned(),
            },
            origin: self.server.origin(),
            path: match encode {
                Encode::Sql => String::new(),
                _ => format!("{}{path}", self.server.path),
            },
            query: Vec::new(),
            headers: headers.into_iter().collect(),
            body,
            form,
            read_cap: self.connector.transport.read_cap,
            timeout_ms: self.timeouts.total_ms.or(self.connector.transport.timeout_ms),
            late: None,
        })
    }

    fn set_fields(
        &self,
        operation: &Operation,
        call: &Call<'_>,
        frame: &mut Frame<'_>,
    ) -> Result<(), Failure> {
        let Some(print) = &operation.fields else {
            return Ok(());
        };
        let fields = call.fields.unwrap_or_default();
        if fields.is_empty() {
            return match print.required {
                true => Err(Failure::new(&source::FIELDS_REQUIRED).with("operation", &operation.name)),
                false => Ok(()),
            };
        }
        for (_, field) in fields {
            match operation.encode {
                Encode::Sql => sql::check_name(field)?,
                _ => crate::filter::check_field(field)?,
            }
        }
        let names = fields.iter().map(|(_, field)| field.as_str());
        match &print.join {
            Some(with) => frame.set("$fields", names.collect::<Vec<_>>().join(with)),
            None => frame.set("$fields", names.map(Value::from).collect::<Vec<_>>()),
        }
        Ok(())
    }

    /// The window's own filter and the call's, joined.
    fn set_filter(
        &self,
        operation: &Operation,
        call: &Call<'_>,
        frame: &mut Frame<'_>,
    ) -> Result<(), Failure> {
        let Some(print) = &operation.filter else {
            return Ok(());
        };
        let mut filters = Vec::new();
        let window = operation
            .window
            .as_ref()
            .and_then(|window| window.filter.as_ref());
        if let (Some(cond), Some(_), Some(_)) = (window, call.window, call.window_field) {
            filters.push(FilterValue::Asked(frame.asked(cond, "window.filter")?));
        }
        filters.extend(call.filter.clone());
        let behind = operation.page.as_ref().and_then(|page| page.then.as_ref());
        let last = call.page.as_ref().and_then(|page| page.last.as_deref());
        if let (Some(field), Some(last)) = (behind, last) {
            filters.push(FilterValue::Asked(Asked::Test {
                field: field.clone(),
                op: Op::Gt,
                values: vec![Value::from(last)],
            }));
        }
        let is_empty = match print {
            FilterPrint::Bound => {
                let list: Option<Vec<Value>> = filters.iter().map(as_value).collect();
                // A text would have its values in it.
                let list = list.ok_or_else(|| {
                    Failure::new(&source::FRAME)
                        .with("place", "filter")
                        .with("why", "text")
                })?;
                let is_empty = list.is_empty();
                if !is_empty {
                    frame.set("$filter", list);
                }
                is_empty
            }
            FilterPrint::SqlText => {
                let text = sql_text(&filters)?;
                let is_empty = text.is_none();
                text.into_iter().for_each(|text| frame.set("$filter", text));
                is_empty
            }
            FilterPrint::Members => {
                let members = crate::conditions::members(&filters)?;
                let is_empty = members.is_empty();
                if !is_empty {
                    frame.set("$filter", members);
                }
                is_empty
            }
            FilterPrint::Odata(types) => {
                let text = crate::odata::filter(&filters, types)?;
                let is_empty = text.is_none();
                text.into_iter().for_each(|text| frame.set("$filter", text));
                is_empty
            }
            FilterPrint::Conditions(words) => {
                let list = crate::conditions::list(&filters, words)?;
                let is_empty = list.is_empty();
                if !is_empty {
                    frame.set("$filter", list);
                }
                is_empty
            }
        };
        if is_empty && operation.filter_required {
            return Err(Failure::new(&source::FRAME)
                .with("place", "filter")
                .with("why", "no condition"));
        }
        Ok(())
    }

    fn set_request(
        &self,
        operation: &Operation,
        call: &Call<'_>,
        frame: &mut Frame<'_>,
    ) -> Result<(), Failure> {
        let request = match (&call.request, &operation.request) {
            (Some(request), _) => Some(request.clone()),
            (None, Some(own)) if operation.kind == OpKind::Read => frame.value(own, "request")?,
            (None, _) => None,
        };
        if let Some(mut request) = request {
            if let Some(crate::model::Page {
                by: crate::model::PageBy::Version(versions),
                first,
                ..
            }) = &operation.page
            {
                let since = call.page.as_ref().and_then(|page| page.last.clone());
                let since = dsl::json::parse(since.unwrap_or_else(|| first.to_string()).as_bytes());
                let placed = since.is_ok_and(|since| versions.set.set(&mut request, since));
                if !placed {
                    return Err(Failure::new(&source::FRAME)
                        .with("place", "page.set")
                        .with("why", "no such place in the request"));
                }
            }
            frame.set("$request", request);
        }
        Ok(())
    }
}

/// The name under which a frame keeps the address of the next page; no file can say it.
const NEXT: &str = "$next";

/// Turns a request to the address of the next page. Only its path and its query are taken: a system behind a proxy gives
/// addresses that nobody outside can call, and a foreign one could lead anywhere.
fn follow(prepared: &mut Prepared, link: &str) -> Result<(), Failure> {
    let refused = |why: &str| {
        Failure::new(&source::FRAME)
            .with("place", "page.take")
            .with("why", why)
    };
    let here = url::Url::parse(&format!("{}{}", prepared.origin, prepared.path));
    let next = here
        .and_then(|here| here.join(link))
        .map_err(|error| refused(&error.to_string()))?;
    if let Some(why) = path_fault(next.path()) {
        return Err(refused(why));
    }
    // An address without a host part has none that begins so, and would be glued to ours.
    if !next.path().starts_with('/') {
        return Err(refused("no path"));
    }
    prepared.path = next.path().to_owned();
    let pairs = next.query_pairs();
    prepared.query = pairs
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    Ok(())
}

/// What stands in a preview for the id that every attempt draws anew.
const NIL_UUID: &str = "00000000-0000-0000-0000-000000000000";

/// A body with a login's members laid over it.
fn applied(
    body: Option<Value>,
    members: &[(String, dsl::tree::Tree)],
    frame: &Frame<'_>,
) -> Result<Option<Value>, Failure> {
    if members.is_empty() {
        return Ok(body);
    }
    let mut map = match body {
        None => Map::new(),
        Some(Value::Map(map)) => map,
        Some(other) => {
            return Err(Failure::new(&source::FRAME)
                .with("place", "apply.body")
                .with("why", other.kind().name()));
        }
    };
    for (name, tree) in members {
        if let Some(value) = frame.value(tree, "apply.body")? {
            map.insert(name.clone(), value);
        }
    }
    Ok(Some(Value::Map(map)))
}

/// What each record of a batch is sent as.
fn parts(operation: &Operation, part: &BatchPart, frame: &Frame<'_>) -> Result<Vec<batch::Part>, Failure> {
    let records = frame.names().as_map().and_then(|names| names.get("$records"));
    let records = records.and_then(Value::as_list).unwrap_or_default();
    let mut parts = Vec::with_capacity(records.len());
    for record in records {
        let frame = frame.about(record);
        let path = frame.in_path(&part.path_text).text(&part.path, "part.path")?;
        let path = path.unwrap_or_default();
        if let Some(why) = path_fault(&path) {
            return Err(Failure::new(&source::FRAME)
                .with("place", "part.path")
                .with("why", why));
        }
        let mut headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("accept".to_owned(), "application/json".to_owned()),
        ];
        headers.extend(frame.pairs(&part.headers, "part.headers")?);
        check_headers(&headers)?;
        let body = match &operation.body {
            Some(tree) => frame.value(tree, "body")?,
            None => None,
        };
        let mut bytes = Vec::new();
        if let Some(value) = &body {
            json_bytes(value, &mut bytes)?;
        }
        parts.push(batch::Part {
            method: part.method.clone(),
            path,
            headers,
            body: bytes,
        });
    }
    Ok(parts)
}

/// Puts a value into a request as XML.
pub(crate) fn xml_body(prepared: &mut Prepared, root: &str, value: Option<Value>) -> Result<(), Failure> {
    prepared.body = crate::xml::write(root, &value.unwrap_or(Value::Null))?;
    let kind = "application/xml; charset=utf-8".to_owned();
    prepared.headers.push(("content-type".to_owned(), kind));
    Ok(())
}

fn json_bytes(value: &Value, bytes: &mut Vec<u8>) -> Result<(), Failure> {
    no_instants(value)?;
    dsl::json::write(value, bytes);
    Ok(())
}

fn json_type() -> (String, String) {
    ("content-type".to_owned(), "application/json".to_owned())
}

/// What stands in the place of documents that are put there as bytes.
fn hole(as_list: bool) -> Value {
    match as_list {
        true => Value::List(Vec::new()),
        false => Value::Map(Map::new()),
    }
}

fn set_hole(frame: &mut Frame<'_>) {
    frame.set("$record", hole(false));
    frame.set("$records", hole(true));
}

/// The documents as they stand in their place.
fn fill(at: &Whole, records: &Records, out: &mut Vec<u8>) {
    if !at.as_list {
        records
            .each()
            .iter()
            .take(1)
            .for_each(|each| out.extend_from_slice(each.json()));
        return;
    }
    out.push(b'[');
    for (position, each) in records.each().iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        out.extend_from_slice(each.json());
    }
    out.push(b']');
}

/// Writes a value as [`dsl::json::write`] does; what stands at the place is written by `fill`.
fn json_around(value: &Value, place: &[String], fill: &dyn Fn(&mut Vec<u8>), out: &mut Vec<u8>) {
    let (Some((first, rest)), Value::Map(members)) = (place.split_first(), value) else {
        return fill(out);
    };
    out.push(b'{');
    for (position, (name, member)) in members.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        dsl::json::write_text(name, out);
        out.push(b':');
        match name == first {
            true => json_around(member, rest, fill, out),
            false => dsl::json::write(member, out),
        }
    }
    out.push(b'}');
}

/// Nothing is sent that has no form of its own.
fn no_instants(value: &Value) -> Result<(), Failure> {
    if let Some(place) = find_instant(value, String::new()) {
        return Err(Failure::new(&source::FRAME)
            .with("place", place)
            .with("why", "instant"));
    }
    Ok(())
}

/// The option by which `forms` is looked up.
pub(crate) const FORM_OPTION: &str = "FormId";

/// The options of a call with constants and defaults. A required one without a value is a failure.
pub(crate) fn complete_options(operation: &Operation, given: &Map) -> Result<Map, Failure> {
    let mut complete = Map::new();
    for option in &operation.options {
        let value = option
            .constant
            .as_ref()
            .or_else(|| given.get(&option.name))
            .or(option.default.as_ref());
        match value {
            Some(value) if !value.is_null() => {
                complete.insert(option.name.clone(), value.clone());
            }
            _ if option.required || option.needed_with(given, &operation.options).is_some() => {
                return Err(Failure::new(&source::OPTION_MISSING)
                    .with("operation", &operation.name)
                    .with("name", &option.name));
            }
            _ => {}
        }
    }
    Ok(complete)
}

fn sent_options(operation: &Operation, options: &Map) -> Map {
    let sent = |name: &String| {
        operation
            .options
            .iter()
            .any(|option| option.name == *name && option.send)
    };
    options
        .iter()
        .filter(|(name, _)| sent(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn set_window(frame: &mut Frame<'_>, call: &Call<'_>) {
    let mut window = Map::new();
    if let Some((start, end)) = call.window {
        window.insert("start".to_owned(), Value::Instant(dsl::Instant { ms: start }));
        window.insert("end".to_owned(), Value::Instant(dsl::Instant { ms: end }));
    }
    window.extend(
        call.window_field
            .map(|field| ("field".to_owned(), Value::from(field))),
    );
    frame.set("$window", window);
}

fn page_names(page: &PageState) -> Map {
    let mut names = Map::new();
    names.insert("number".to_owned(), page.number.into());
    names.insert("offset".to_owned(), page.offset.into());
    names.insert("size".to_owned(), i64::from(page.size).into());
    names.extend(
        page.cursor
            .as_deref()
            .map(|cursor| ("cursor".to_owned(), Value::from(cursor))),
    );
    names.extend(
        page.last
            .as_deref()
            .map(|last| ("last".to_owned(), Value::from(last))),
    );
    names
}

fn keys_value(keys: &Keys<'_>) -> Map {
    let fields = keys.fields.iter().map(|path| Value::from(path.to_string()));
    let texts = keys.texts.iter().map(|text| Value::from(text.as_str()));
    Map::from_iter([
        ("fields".to_owned(), Value::List(fields.collect())),
        ("texts".to_owned(), Value::List(texts.collect())),
    ])
}

/// A condition as a value, for a frame that binds its values. A text of one's own has none.
fn as_value(filter: &FilterValue) -> Option<Value> {
    fn of(asked: &Asked) -> Value {
        let list =
            |name: &str, parts: &[Asked]| (name.to_owned(), Value::List(parts.iter().map(of).collect()));
        Value::Map(match asked {
            Asked::All(parts) => Map::from_iter([list("all", parts)]),
            Asked::Any(parts) => Map::from_iter([list("any", parts)]),
            Asked::Not(inner) => Map::from_iter([("not".to_owned(), of(inner))]),
            Asked::Test { field, op, values } => Map::from_iter([
                ("field".to_owned(), Value::from(field.to_string())),
                ("op".to_owned(), Value::from(op.name())),
                ("values".to_owned(), Value::List(values.clone())),
            ]),
        })
    }
    match filter {
        FilterValue::Asked(asked) => Some(of(asked)),
        FilterValue::Text(_) => None,
    }
}

fn set_records(records: Option<&Records>, frame: &mut Frame<'_>) {
    if let Some(records) = records {
        if let Some(first) = records.trees().first() {
            frame.set("$record", first.clone());
        }
        frame.set("$records", records.trees().to_vec());
    }
}

/// The id of the only document of a call: made of the record's version and of the operation, so that it is the same
/// however often the record is sent, and another one for another version. A document is built anew for each send, and may
/// come out otherwise: it stands for the record only where no ledger knows that.
fn record_uuid(operation: &Operation, call: &Call<'_>, options: &Map) -> Result<String, Failure> {
    let Some([record]) = call.records.as_ref().map(Records::each) else {
        return Err(Failure::new(&source::FRAME)
            .with("place", RECORD_UUID)
            .with("why", "batch > 1"));
    };
    let mut bytes = operation.name.clone().into_bytes();
    if let Some(identity) = &call.identity {
        bytes.push(0);
        bytes.extend_from_slice(identity.as_bytes());
    } else {
        for part in [&Value::Map(options.clone()), record.tree()] {
            bytes.push(0);
            json_bytes(part, &mut bytes)?;
        }
    }
    let digest = sha2::Sha256::digest(&bytes);
    let (head, _) = digest.split_at(16);
    let head = <[u8; 16]>::try_from(head).expect("a digest has 32 bytes");
    Ok(as_uuid(head))
}

/// An instant that no filter has printed has no form of its own on the wire.
fn find_instant(value: &Value, at: String) -> Option<String> {
    match value {
        Value::Instant(_) => Some(at),
        Value::List(list) => list
            .iter()
            .enumerate()
            .find_map(|(index, value)| find_instant(value, format!("{at}.{index}"))),
        Value::Map(map) => map
            .iter()
            .find_map(|(name, value)| find_instant(value, format!("{at}.{name}"))),
        _ => None,
    }
}

/// The fields of a form, which is a map of single values.
fn pairs_of(value: &Value) -> Result<Vec<(String, String)>, Failure> {
    let refused = |place: &str, why: &str| Failure::new(&source::FRAME).with("place", place).with("why", why);
    let map = value
        .as_map()
        .ok_or_else(|| refused("body", value.kind().name()))?;
    let mut fields = Vec::with_capacity(map.len());
    for (name, value) in map {
        let text = value
            .to_plain_text()
            .ok_or_else(|| refused(name, value.kind().name()))?;
        fields.push((name.clone(), text));
    }
    Ok(fields)
}

/// Texts as `multipart/form-data`, and the boundary between them: a digest of all of them, so that the same form gives
/// the same bytes and none of its texts can hold it by chance.
fn multipart(fields: &[(String, String)]) -> (Vec<u8>, String) {
    let digest = fields.iter().fold(sha2::Sha256::new(), |digest, (name, value)| {
        let lengths = format!("{} {} ", name.len(), value.len());
        digest
            .chain_update(lengths)
            .chain_update(name)
            .chain_update(value)
    });
    let boundary: String = digest.finalize()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut text = String::new();
    for (name, value) in fields {
        // As a browser writes it: these three signs would end the name or the line.
        let name = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
        text.push_str(&format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    text.push_str(&format!("--{boundary}--\r\n"));
    (text.into_bytes(), boundary)
}

/// Names and values as a query string or a form.
pub(crate) fn form_text(pairs: &[(String, String)]) -> String {
    let encoded: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", urlenc(name.as_bytes()), urlenc(value.as_bytes())))
        .collect();
    encoded.join("&")
}

/// A header holds no line end and no other control character: it would begin another header.
pub(crate) fn check_headers(headers: &[(String, String)]) -> Result<(), Failure> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    for (name, value) in headers {
        let fine = !name.is_empty() && name.bytes().all(token) && !value.chars().any(char::is_control);
        if !fine {
            return Err(Failure::new(&source::FRAME)
                .with("place", format!("headers.{name}"))
                .with("why", "\\r\\n"));
        }
    }
    Ok(())
}
