//! The source side: what is asked, of whom, and which places of the request the engine fills.

use std::sync::Arc;

use dsl::catalogue::imported as words;
use dsl::diagnostic::{Failure, did_you_mean};
use dsl::facts::{OperationFacts, OwnedKind};
use dsl::tree::Tree;
use dsl::{Map, Path, Value};

use super::value::{Piece, Place, converted, pieces};
use super::{Mapper, some, text_of};
use crate::account::{is_expression, member};
use crate::model::{Field, fields};
use crate::world::System;
use crate::write::{Body, Item, data_name, unfolded};

/// The source side and what it is looked at together with.
pub(super) struct Given<'g> {
    pub(super) side: Option<&'g Map>,
    pub(super) system: Option<&'g System>,
    pub(super) target: Option<&'g Map>,
    pub(super) target_system: Option<&'g System>,
    pub(super) every_s: i64,
}

/// What the fields of a request came to.
#[derive(Default)]
struct Request {
    options: Vec<Item>,
    request: Vec<Item>,
    /// Projection: name of the row, field of the source, label, place.
    fields: Vec<(String, String, String, String)>,
    filter: Option<Item>,
    window_field: Option<String>,
    /// Whether anything speaks of the window.
    has_window: bool,
    /// How an operation of the scheme's own pages.
    page: Option<&'static str>,
    page_size: Option<String>,
}

impl Mapper<'_> {
    pub(super) fn source(&mut self, given: &Given<'_>) -> Vec<Item> {
        let Some(side) = given.side else {
            return Vec::new();
        };
        for key in ["type", "method"] {
            self.book.carried(&format!("source.{key}"), "source.api");
        }
        self.one_at_a_time(side, "source");
        let mut items = Vec::new();
        match given.system {
            Some(system) => {
                items.push(Item::text("connection", system.connection.clone()).at("source.platform"))
            }
            None => items.push(Item::raw("connection", "\"\"").off("E1714").at("source.platform")),
        }
        let api = text_of(Some(side), "api");
        let operation = self.operation(given.system, api.as_deref(), "source");
        let is_own = given.system.is_some_and(|system| system.is_generic);
        let mut request = Request::default();
        self.requests(side, given, operation.as_deref(), is_own, &mut request);
        match (&api, is_own) {
            (Some(api), false) => {
                self.book.carried("source.api", "source.api");
                items.push(Item::text("api", api.clone()).at("source.api"));
            }
            (None, false) => items.push(Item::raw("api", "\"\"").off("api?").at("source.api")),
            (api, true) => {
                self.book.carried("source.api", "source.operation.path");
                items.push(own_read(side, api.as_deref().unwrap_or_default(), &request));
            }
        }
        let derive = self.derive(side);
        let explode = self.explode(side);
        let derived = self.derived_key(side, given, &request.fields);
        let (key, key_fields) = self.key(side, explode.is_some(), derived);
        let label = self.label(side);
        let (on_seen, _) = self.on_seen(side);
        self.add_fields(
            &mut request,
            key_fields
                .into_iter()
                .chain(label.as_ref().map(|(_, name)| name.clone())),
            operation.as_deref(),
        );
        self.missing_options(&mut request.options, operation.as_deref(), "source");
        if !request.options.is_empty() {
            items.push(Item::new("options", Body::Map(request.options)));
        }
        if !request.request.is_empty() {
            items.push(Item::new("request", Body::Map(unfolded(request.request))));
        }
        if !request.fields.is_empty() {
            let inner = request.fields.into_iter().map(|(name, field, label, at)| {
                self.names.insert(at.clone(), name.clone());
                Item::text(name, field).label(label).at(at)
            });
            let inner = inner.collect();
            items.push(Item::new("fields", Body::Map(inner)));
        }
        items.extend(request.filter);
        let uses_window = operation.as_ref().is_some_and(|operation| operation.uses_window);
        let by_field = operation
            .as_ref()
            .is_some_and(|operation| operation.window_by_field);
        if let Some(field) = request.window_field {
            items.push(Item::raw(
                "window",
                format!("{{field: {}}}", crate::write::in_flow(&field)),
            ));
        } else if !request.has_window && (by_field || !uses_window) {
            self.note("source.request", Failure::new(&words::NO_WINDOW));
            items.push(Item::raw("window", "none").label("每次全读 · everything each time"));
        }
        items.extend(explode);
        items.extend(derive);
        items.extend(self.conditions(side));
        items.push(key);
        items.extend(label.map(|(item, _)| item));
        items.push(on_seen);
        items.extend(self.sweep(side));
        items
    }

    /// `operation: {method: none}` and its like: how many documents go into a call.
    pub(super) fn one_at_a_time(&mut self, side: &Map, name: &str) -> Option<u32> {
        let operation = side.get("operation")?.as_map()?.clone();
        let at = format!("{name}.operation");
        let rows = operation
            .get("rows")
            .and_then(Value::to_plain_text)
            .and_then(|text| text.parse().ok());
        match text_of(Some(&operation), "method").as_deref() {
            Some("none") => self.book.carried(&at, name),
            Some("batchArraySave") if name == "target" => {
                self.book.carried(&member(&at, "method"), "target.batch");
                self.book.carried(&member(&at, "rows"), "target.batch");
                let rows_key = member(&at, "rowsKey");
                if operation.contains_key("rowsKey") {
                    let failure = Failure::new(&words::ENGINE_DOES)
                        .with("field", "rowsKey")
                        .with("why", "单据放在哪里由操作决定")
                        .with("why_en", "the operation places the documents");
                    self.left(&rows_key, failure);
                }
                return rows.filter(|rows| *rows > 0);
            }
            _ => {}
        }
        None
    }

    /// The operation that `api` names; what is not there is told.
    pub(super) fn operation(
        &mut self,
        system: Option<&System>,
        api: Option<&str>,
        side: &str,
    ) -> Option<Arc<OperationFacts>> {
        let system = system.filter(|system| !system.is_generic)?;
        let api = api?;
        match system.facts.as_ref()?.operation(api) {
            Ok(operation) => Some(operation),
            Err(near) => {
                let names = match near.similar.is_empty() {
                    true => did_you_mean(api, near.all.iter().map(String::as_str)),
                    false => near.similar,
                };
                let all = if names.is_empty() { near.all } else { names };
                let at = format!("{side}.api");
                let failure = Failure::new(&words::NO_OPERATION)
                    .with("connector", &system.connector)
                    .with("api", api)
                    .with("all", some(&all));
                self.note(&at, failure);
                None
            }
        }
    }

    /// Sorts the fields of both requests: options, projection, condition, what the engine fills, and the rest.
    fn requests(
        &mut self,
        side: &Map,
        given: &Given<'_>,
        operation: Option<&OperationFacts>,
        is_own: bool,
        out: &mut Request,
    ) {
        let main = fields(side.get("request"), "source.request", 0);
        let other = fields(side.get("otherRequest"), "source.otherRequest", 0);
        let known = given.system.map(|system| &system.known_as);
        let is_special = |field: &Field<'_>| {
            let named = |name: &Option<String>| name.as_deref() == Some(field.name.as_str());
            known.is_some_and(|known| {
                known.ours.contains(&field.name) || named(&known.fields) || named(&known.filter)
            }) || operation.is_some_and(|operation| operation.option(&field.name).is_some())
        };
        let projects = operation.is_some_and(|operation| operation.accepts_fields)
            && known.is_some_and(|known| known.fields.is_some());
        // In the newer style the first list is the projection, and everything else stands in the second.
        let is_projection = projects && !main.is_empty() && !main.iter().any(is_special);
        for field in &main {
            match is_projection {
                true => self.projected(field, out),
                false => self.asked(
                    field,
                    &Path::names([field.name.clone()]),
                    side,
                    given,
                    operation,
                    is_own,
                    out,
                ),
            }
        }
        for field in &other {
            self.asked(
                field,
                &Path::names([field.name.clone()]),
                side,
                given,
                operation,
                is_own,
                out,
            );
        }
    }

    fn projected(&mut self, field: &Field<'_>, out: &mut Request) {
        let to = "source.fields";
        if self.blocked.contains_key(&field.at) {
            self.refused(field);
            return;
        }
        self.beside(field, to);
        self.rest_of(field, to);
        let text = field.text().filter(|text| !text.is_empty());
        let text = text.unwrap_or_else(|| field.name.clone());
        let label = if field.label == field.name {
            String::new()
        } else {
            field.label.clone()
        };
        out.fields
            .push((field.name.clone(), text, label, field.at.clone()));
    }

    /// A field of a request that is sent.
    #[expect(clippy::too_many_arguments, reason = "what a field is sorted by")]
    fn asked(
        &mut self,
        field: &Field<'_>,
        path: &Path,
        side: &Map,
        given: &Given<'_>,
        operation: Option<&OperationFacts>,
        is_own: bool,
        out: &mut Request,
    ) {
        let known = given
            .system
            .map(|system| system.known_as.clone())
            .unwrap_or_default();
        let in_top = path.segments().len() == 1;
        if in_top && known.ours.contains(&field.name) {
            self.engine_does(field, ("分页由操作负责", "the operation pages by itself"));
        } else if in_top && known.fields.as_deref() == Some(&field.name) {
            self.listed(field, side, out);
        } else if in_top && known.filter.as_deref() == Some(&field.name) {
            self.filtered(field, operation, out);
        } else if let Some(option) = operation
            .and_then(|operation| operation.option(&field.name))
            .filter(|_| in_top)
        {
            let constant = option.constant.is_some();
            self.option(field, constant, Place::Source, "source.options", &mut out.options);
        } else if let Some(item) = self.sent(field, path, given, operation, is_own, out) {
            out.request.push(item);
        }
    }

    /// A field that the engine or the connector sees to.
    pub(super) fn engine_does(&mut self, field: &Field<'_>, (why, why_en): (&str, &str)) {
        self.note(
            &field.at,
            Failure::new(&words::ENGINE_DOES)
                .with("field", &field.name)
                .with("why", why)
                .with("why_en", why_en),
        );
        self.drop_field(field, words::ENGINE_DOES.code);
    }

    /// A field that is an option of the operation.
    pub(super) fn option(
        &mut self,
        field: &Field<'_>,
        is_constant: bool,
        place: Place,
        to: &str,
        options: &mut Vec<Item>,
    ) {
        if is_constant {
            self.engine_does(field, ("操作固定这个选项", "the operation fixes this option"));
            return;
        }
        self.names.insert(field.at.clone(), field.name.clone());
        let off = self.refused(field);
        let body = self.single(field, place, to);
        self.beside(field, to);
        let Some(body) = body else {
            self.book.reported(&field.at, words::NO_VALUE.code);
            return;
        };
        self.rest_of(field, to);
        let body = match (field.text().as_deref(), field.ty.as_str()) {
            (Some(text @ ("true" | "false")), "bool" | "boolean") => Body::Raw(text.to_owned()),
            _ => body,
        };
        let mut item = Item::new(field.name.clone(), body)
            .label(&field.label)
            .at(&field.at);
        item.off = off;
        options.push(item);
    }

    /// Required options that nobody gave.
    pub(super) fn missing_options(
        &mut self,
        options: &mut Vec<Item>,
        operation: Option<&OperationFacts>,
        side: &str,
    ) {
        let required = operation.into_iter().flat_map(|operation| &operation.options);
        for option in
            required.filter(|option| option.required && option.constant.is_none() && option.default.is_none())
        {
            if options
                .iter()
                .any(|item| item.key == option.name && item.off.is_none())
            {
                continue;
            }
            let failure = Failure::new(&words::NO_OPTION)
                .with("name", &option.name)
                .with("label", &option.label.zh);
            self.note(side, failure);
            options.insert(
                0,
                Item::raw(option.name.clone(), "\"\"")
                    .label(&option.label.zh)
                    .off("E1713"),
            );
        }
    }

    /// The member that lists fields: its own value, or what is declared as the answer.
    fn listed(&mut self, field: &Field<'_>, side: &Map, out: &mut Request) {
        let to = "source.fields";
        self.beside(field, to);
        let own: Vec<String> = match (field.value, field.text()) {
            (Value::List(items), _) => items.iter().filter_map(Value::to_plain_text).collect(),
            (_, Some(text)) => text
                .split(',')
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect(),
            _ => Vec::new(),
        };
        self.rest_of(field, to);
        for name in own {
            out.fields
                .push((name.replace('.', "_"), name, String::new(), field.at.clone()));
        }
        if !out.fields.is_empty() {
            return;
        }
        let declared = fields(side.get("response"), "source.response", 0);
        if declared.is_empty() {
            return;
        }
        for declared in &declared {
            self.beside(declared, to);
            self.rest_of(declared, to);
            // Names of rows have `_` where the source has dots.
            let name = match declared.name.rsplit_once('_') {
                Some((front, back)) if front.ends_with("Id") || front.ends_with("ID") => {
                    format!("{front}.{back}")
                }
                _ => declared.name.clone(),
            };
            out.fields.push((
                declared.name.clone(),
                name,
                declared.label.clone(),
                declared.at.clone(),
            ));
        }
        let failure = Failure::new(&words::INFERRED)
            .with("field", &field.name)
            .with("why", "字段取自声明的应答,核对它们在源系统里的名称")
            .with(
                "why_en",
                "the fields are those of the declared answer: see that the source knows them by these names",
            );
        self.note(&field.at, failure);
    }

    /// The member that holds a condition as text: what speaks of the window becomes the window.
    fn filtered(&mut self, field: &Field<'_>, operation: Option<&OperationFacts>, out: &mut Request) {
        let to = "source.filter";
        let text = field.text().unwrap_or_default();
        self.beside(field, to);
        let at_value = member(&field.at, "value");
        if text.trim().is_empty() {
            self.empty.push(field.name.clone());
            self.book.reported(&field.at, words::NO_VALUE.code);
            return;
        }
        let by_field = operation.is_some_and(|operation| operation.window_by_field);
        let mut rest = Vec::new();
        for part in conjuncts(&text) {
            match bound(part).filter(|_| by_field) {
                Some(name) if out.window_field.as_deref().is_none_or(|known| known == name) => {
                    out.window_field = Some(name.to_owned());
                }
                _ => rest.push(part.trim()),
            }
        }
        let place = match rest.is_empty() {
            true => "source.window.field",
            false => to,
        };
        self.book.carried(&at_value, place);
        self.rest_of(field, place);
        if rest.is_empty() {
            return;
        }
        let written = converted(&rest.join(" AND "), Place::Source);
        out.has_window |= written.contains("$window");
        self.names.insert(field.at.clone(), field.name.clone());
        let off = self.refused(field);
        let mut item = Item::text("filter", written).label(&field.label).at(&field.at);
        item.off = off;
        out.filter = Some(item);
    }

    /// A field as it is sent. `None` where nothing is written.
    fn sent(
        &mut self,
        field: &Field<'_>,
        path: &Path,
        given: &Given<'_>,
        operation: Option<&OperationFacts>,
        is_own: bool,
        out: &mut Request,
    ) -> Option<Item> {
        let to = format!("source.request.{path}");
        self.names.insert(field.at.clone(), field.name.clone());
        let off = self.refused(field);
        let text = field.text().unwrap_or_default();
        let finish = |mapper: &mut Self, body: Body| {
            mapper.beside(field, &to);
            mapper.rest_of(field, &to);
            let mut item = Item::new(data_name(&field.name), body)
                .label(&field.label)
                .at(&field.at);
            item.off = off.clone();
            item
        };
        if !field.children.is_empty() {
            let inner: Vec<Item> = field
                .children
                .iter()
                .filter_map(|child| {
                    self.sent(
                        child,
                        &path.child(child.name.clone()),
                        given,
                        operation,
                        is_own,
                        out,
                    )
                })
                .collect();
            let is_map = operation
                .and_then(|operation| operation.request.as_deref())
                .is_none_or(|request| is_map_at(request, path));
            let is_list = field.ty == "array" && (operation.is_none() || !is_map);
            if field.ty == "array" {
                let failure = Failure::new(&words::INFERRED)
                    .with("field", &field.name)
                    .with(
                        "why",
                        if is_list {
                            "写成只有一个元素的列表"
                        } else {
                            "写成对象,与接口一致"
                        },
                    )
                    .with(
                        "why_en",
                        if is_list {
                            "became a list of one element"
                        } else {
                            "became a map, as the interface has it"
                        },
                    );
                self.note(&field.at, failure);
            }
            if inner.is_empty() {
                self.beside(field, &to);
                self.rest_of(field, "source.window");
                return None;
            }
            return Some(finish(
                self,
                match is_list {
                    true => Body::Seq(vec![Body::Map(inner)]),
                    false => Body::Map(inner),
                },
            ));
        }
        let owned =
            operation.and_then(|operation| operation.request_owned.iter().find(|owned| owned.path == *path));
        if let Some(owned) = owned {
            let is_variable = matches!(
                pieces(&text).as_slice(),
                [Piece::Field(_)] | [Piece::Field(_), Piece::Text("000")]
            );
            let is_bound = matches!(owned.what, OwnedKind::WindowStart | OwnedKind::WindowEnd);
            match owned.what {
                _ if is_bound && is_variable && speaks_of(&text, owned.what) => {
                    out.has_window = true;
                    self.milliseconds_of(field, &text);
                    self.beside(field, "source.window");
                    self.rest_of(field, "source.window");
                    return None;
                }
                OwnedKind::PageNumber | OwnedKind::PageOffset | OwnedKind::PageCursor => {
                    self.engine_does(field, ("分页由操作负责", "the operation pages by itself"));
                    return None;
                }
                OwnedKind::PageSize if text.contains("{{") => {
                    self.engine_does(
                        field,
                        ("页的大小由操作决定", "the operation says how large a page is"),
                    );
                    return None;
                }
                OwnedKind::WindowStart => self.overlap(field, &text, given.every_s),
                _ => {}
            }
        }
        if speaks_of_window(&text) {
            out.has_window = true;
        }
        if is_own && let Some(body) = own_page(field, &text, out) {
            self.rest_of(field, &to);
            return Some(finish(self, body));
        }
        if owned.is_none() && text.contains("LAST_SYNC_TIME") {
            self.overlap(field, &text, given.every_s);
        }
        match field.ty.as_str() {
            "array" if field.text().is_none() && !matches!(field.value, Value::List(_)) => {
                // What the other tool did not send: an operation of ours may have it anyway.
                self.empty.push(field.name.clone());
                self.drop_field(field, words::NO_VALUE.code);
                return None;
            }
            _ => {}
        }
        match self.single(field, Place::Source, &to) {
            Some(body) => Some(finish(self, body)),
            None => {
                self.drop_field(field, words::NO_VALUE.code);
                None
            }
        }
    }

    fn milliseconds_of(&mut self, field: &Field<'_>, text: &str) {
        // The connector prints the instant in the unit of the system.
        let says_seconds =
            !text.ends_with("000") && (field.label.contains("毫秒") || field.label.contains("(ms)"));
        if says_seconds {
            self.note(
                &field.at,
                Failure::new(&words::MILLISECONDS)
                    .with("field", &field.name)
                    .with("how", "没有换算的秒 · seconds as they are"),
            );
        }
    }

    /// A start that reaches back by a constant: each row is read again and again.
    fn overlap(&mut self, field: &Field<'_>, text: &str, every_s: i64) {
        let Some(back) = reach_back(text) else { return };
        let times = back / every_s.max(1);
        if times < 2 {
            return;
        }
        self.note(
            &field.at,
            Failure::new(&words::READ_AGAIN)
                .with("back", back)
                .with("every", every_s)
                .with("times", times),
        );
    }

    /// A key where the metadata has none: what the target's key reads, or the first declared field that looks like one.
    fn derived_key(
        &mut self,
        side: &Map,
        given: &Given<'_>,
        projected: &[(String, String, String, String)],
    ) -> Option<(String, (&'static str, &'static str))> {
        if text_of(Some(side), "id").is_some() {
            return None;
        }
        if let (Some(target), Some(system)) = (given.target, given.target_system) {
            let api = text_of(Some(target), "api").or_else(|| system.known_as.write.clone());
            let operation = api.and_then(|api| system.facts.as_ref()?.operation(&api).ok());
            let keys = operation.map_or_else(Vec::new, |operation| (operation.keys)(&Map::new()));
            let mut names: Vec<String> = keys
                .iter()
                .filter_map(|key| key.last_name().map(str::to_owned))
                .collect();
            // Most systems call the number of base data so, where the form is not known.
            names.extend(keys.iter().map(ToString::to_string));
            let all = fields(target.get("request"), "target.request", 0);
            let base = system.known_as.wrap.iter().map(|(name, _)| name.clone());
            let wanted: Vec<String> = names.into_iter().chain(base).collect();
            let found = all.iter().find_map(|field| {
                let text = field.text()?;
                let is_key = wanted.contains(&field.name);
                match pieces(&text).as_slice() {
                    [Piece::Field(path)] if is_key && !path.contains(['|', '.']) => {
                        Some(path.trim().to_owned())
                    }
                    _ => None,
                }
            });
            if let Some(found) = found {
                return Some((
                    found,
                    ("目标的编码取自它", "the number at the target is made of it"),
                ));
            }
        }
        let declared = fields(side.get("response"), "source.response", 0);
        let declared = declared.into_iter().filter(|field| field.children.is_empty());
        let names: Vec<String> = projected
            .iter()
            .map(|(name, ..)| name.clone())
            .chain(declared.map(|field| field.name))
            .collect();
        let looks_like = |name: &&String| {
            let lower = name.to_ascii_lowercase();
            ["id", "no", "code", "number"]
                .iter()
                .any(|end| lower.ends_with(end))
        };
        let first = names.iter().find(looks_like)?;
        Some((
            first.clone(),
            (
                "声明的字段里像主键的第一个",
                "the first declared field that looks like one",
            ),
        ))
    }

    /// Fields that the key and the label need.
    fn add_fields(
        &mut self,
        request: &mut Request,
        needed: impl Iterator<Item = String>,
        operation: Option<&OperationFacts>,
    ) {
        if request.fields.is_empty() || !operation.is_some_and(|operation| operation.accepts_fields) {
            return;
        }
        for name in needed {
            let is_there = request.fields.iter().any(|(known, ..)| *known == name);
            if is_there || name.contains('.') || name.starts_with('$') {
                continue;
            }
            self.note(
                "source.id",
                Failure::new(&words::FIELD_ADDED).with("field", &name),
            );
            request
                .fields
                .insert(0, (name.clone(), name, String::new(), "source.id".to_owned()));
        }
    }
}

/// An operation of the scheme's own, as far as the metadata says it.
fn own_read(side: &Map, api: &str, request: &Request) -> Item {
    let method = text_of(Some(side), "method").unwrap_or_else(|| "POST".to_owned());
    let is_get = method.eq_ignore_ascii_case("GET");
    let mut items = vec![
        Item::raw("kind", "read"),
        Item::text("method", method.to_ascii_uppercase()),
        Item::text("path", api.trim_start_matches('/')),
    ];
    match is_get {
        true => items.extend([Item::raw("encode", "none"), Item::raw("query", "<<$request>>")]),
        false => items.push(Item::raw("body", "<<$request>>")),
    }
    if let Some(by) = request.page {
        let size = request.page_size.as_deref().unwrap_or("50");
        let more = match by {
            "cursor" => ", take: body.next_cursor",
            _ => ", more: short",
        };
        let first = if by == "number" { ", first: 1" } else { "" };
        items.push(
            Item::raw(
                "page",
                format!("{{by: {by}{first}, size: {size}, max: {size}{more}}}"),
            )
            .label("猜测,对照接口文档 · a guess: see the documentation of the interface"),
        );
    }
    let rows = side.get("otherResponse").and_then(|list| match list {
        Value::List(items) => text_of(items.first()?.as_map(), "value"),
        _ => None,
    });
    let rows = rows.unwrap_or_else(|| "data".to_owned());
    items.push(
        Item::raw("rows", format!("{{at: {}}}", crate::write::in_flow(&rows)))
            .label("猜测:行在应答里的位置 · a guess: where the rows stand"),
    );
    Item::new("operation", Body::Map(items)).at("source.api")
}

/// Pages of an interface that nobody declared, by the names people give such members.
fn own_page(field: &Field<'_>, text: &str, out: &mut Request) -> Option<Body> {
    let name: String = field
        .name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|char| char.to_ascii_lowercase())
        .collect();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_page = matches!(
        name.as_str(),
        "page" | "pageno" | "pagenum" | "pageindex" | "pagenumber" | "currentpage"
    );
    let is_size = matches!(name.as_str(), "pagesize" | "limit" | "size" | "rows");
    if is_size && (is_number || text.contains("PAGINATION_PAGE_SIZE")) {
        out.page_size = is_number.then(|| text.to_owned());
        return Some(Body::Text("<<$page.size|text>>".to_owned()));
    }
    if is_page && is_number || text.contains("PAGINATION_START_PAGE") {
        out.page = Some("number");
        return Some(Body::Text("<<$page.number|text>>".to_owned()));
    }
    if text.contains("PAGINATION_START_ROW") {
        out.page = Some("offset");
        return Some(Body::Text("<<$page.offset|text>>".to_owned()));
    }
    None
}

fn speaks_of_window(text: &str) -> bool {
    text.contains("LAST_SYNC_TIME") || text.contains("CURRENT_TIME")
}

fn speaks_of(text: &str, what: OwnedKind) -> bool {
    match what {
        OwnedKind::WindowStart => text.contains("LAST_SYNC_TIME"),
        OwnedKind::WindowEnd => text.contains("CURRENT_TIME"),
        _ => false,
    }
}

/// Whether an operation has a map at a place of its request.
fn is_map_at(request: &Tree, path: &Path) -> bool {
    request.at(path).is_some_and(|tree| !tree.members().is_empty())
}

/// The parts of a condition that `and` joins, outside of quotes and parentheses.
fn conjuncts(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let (mut parts, mut from, mut depth, mut in_text) = (Vec::new(), 0, 0i32, false);
    for at in 0..bytes.len() {
        match bytes[at] {
            b'\'' => in_text = !in_text,
            b'(' if !in_text => depth += 1,
            b')' if !in_text => depth -= 1,
            b' ' if !in_text && depth == 0 => {
                let word = bytes.get(at + 1..at + 5).unwrap_or_default();
                if word.eq_ignore_ascii_case(b"and ") {
                    parts.push(&text[from..at]);
                    from = at + 5;
                }
            }
            _ => {}
        }
    }
    parts.push(text.get(from..).unwrap_or_default());
    parts
}

/// The field of a comparison with a bound of the window: `FApproveDate>='{{LAST_SYNC_TIME|dateTime}}'`.
fn bound(part: &str) -> Option<&str> {
    let part = part.trim();
    let at = part.find(['<', '>'])?;
    let name = part[..at].trim();
    let rest = part[at..].trim_start_matches(['<', '>', '=']).trim();
    let inner = rest.strip_prefix('\'')?.strip_suffix('\'')?;
    let is_start = part[at..].starts_with('>');
    let variable = match pieces(inner).as_slice() {
        [Piece::Field(name)] => name.split('|').next().unwrap_or(name).trim().to_owned(),
        _ => return None,
    };
    let fits = match is_start {
        true => variable == "LAST_SYNC_TIME",
        false => variable == "CURRENT_TIME",
    };
    let is_name = !name.is_empty()
        && name
            .chars()
            .all(|char| char.is_alphanumeric() || "_.".contains(char));
    (fits && is_name).then_some(name)
}

/// The constant seconds that an expression goes back: `-72000`, `-(3600 * 24)`.
fn reach_back(text: &str) -> Option<i64> {
    if !is_expression(text) {
        return None;
    }
    let tight: String = text.chars().filter(|char| !char.is_whitespace()).collect();
    let mut found = None;
    for (at, _) in tight.match_indices('-') {
        let rest = tight[at + 1..].trim_start_matches('(');
        let end = rest
            .find(|char: char| !(char.is_ascii_digit() || char == '*'))
            .unwrap_or(rest.len());
        let mut product = rest[..end].split('*').map(|factor| factor.parse::<i64>().ok());
        let product = product.try_fold(1i64, |all, factor| all.checked_mul(factor?));
        if let Some(seconds) = product.filter(|seconds| *seconds >= 60) {
            found = Some(seconds.max(found.unwrap_or(0)));
        }
    }
    found
}
