//! The target side: options, the document of one record, groups of rows, and what follows a success.

use dsl::catalogue::imported as words;
use dsl::diagnostic::Failure;
use dsl::facts::Proof;
use dsl::{Map, Value};

use super::value::{Piece, Place, converted, members, pieces};
use super::{Mapper, text_of};
use crate::account::{is_expression, member};
use crate::model::{Field, fields};
use crate::world::System;
use crate::write::{Body, Item, data_name, unfolded};

impl Mapper<'_> {
    pub(super) fn target(&mut self, side: &Map, system: Option<&System>, source: Option<&Map>) -> Vec<Item> {
        for key in ["type", "method"] {
            self.book.carried(&format!("target.{key}"), "target.api");
        }
        let batch = self.one_at_a_time(side, "target");
        let mut items = Vec::new();
        match system {
            Some(system) => {
                items.push(Item::text("connection", system.connection.clone()).at("target.platform"))
            }
            None => items.push(Item::raw("connection", "\"\"").off("E1715").at("target.platform")),
        }
        let written = text_of(Some(side), "api");
        let api = written
            .clone()
            .or_else(|| system.and_then(|system| system.known_as.write.clone()));
        if let (None, Some(api)) = (&written, &api) {
            let failure = Failure::new(&words::INFERRED)
                .with("field", "api")
                .with("why", format!("没有写接口,取 {api}"))
                .with("why_en", format!("no interface is named: {api}"));
            self.note("target.api", failure);
        }
        let operation = self.operation(system, api.as_deref(), "target");
        let distributed = self.distribution(side, system);
        let is_own = system.is_some_and(|system| system.is_generic);
        match (&api, is_own) {
            (Some(api), false) => {
                self.book.carried("target.api", "target.api");
                items.push(match &distributed {
                    None => Item::text("api", api.clone()).at("target.api"),
                    Some((step, _)) => {
                        let steps = [api, step].map(|name| Body::Text(name.clone()));
                        Item::new("steps", Body::Seq(steps.into()))
                            .label("分配到组织 · allocated to organisations")
                            .at("target.api")
                    }
                });
            }
            (None, false) => items.push(Item::raw("api", "\"\"").off("api?").at("target.api")),
            (api, true) => {
                self.book.carried("target.api", "target.operation.path");
                items.push(own_write(side, api.as_deref().unwrap_or_default()));
            }
        }
        let main = fields(side.get("request"), "target.request", 0);
        let other = fields(side.get("otherRequest"), "target.otherRequest", 0);
        // An export keeps its parsers; where there is not one, the page lost them.
        let lost_parsers = !main.iter().any(has_parser);
        let (mut options, mut request) = (Vec::new(), Vec::new());
        let group = side.get("groupCalculate").and_then(Value::as_map).cloned();
        let group_line = group
            .as_ref()
            .and_then(|group| text_of(Some(group), "targetBodyName"));
        let group_list = group.as_ref().and_then(|group| text_of(Some(group), "bodyName"));
        for field in main.iter().chain(&other) {
            let option = operation
                .as_ref()
                .and_then(|operation| operation.option(&field.name));
            if let Some(option) = option {
                let constant = option.constant.is_some();
                self.option(field, constant, Place::Target, "target.options", &mut options);
                continue;
            }
            let list = group_list
                .clone()
                .filter(|_| group_line.as_deref() == Some(&field.name));
            let known = system.filter(|_| lost_parsers);
            if let Some(item) = self.document_field(field, "target.request", None, list.as_deref(), known) {
                request.push(item);
            }
        }
        self.missing_options(&mut options, operation.as_deref(), "target");
        if let Some((_, option)) = distributed {
            options.push(option);
        }
        let given: Map = options
            .iter()
            .filter(|item| item.off.is_none())
            .filter_map(|item| match &item.body {
                Body::Text(text) | Body::Raw(text) => Some((item.key.clone(), Value::from(text.as_str()))),
                _ => None,
            })
            .collect();
        if !options.is_empty() {
            items.push(Item::new("options", Body::Map(options)));
        }
        if request.is_empty() {
            self.note("target.request", Failure::new(&words::NO_TARGET));
        } else {
            items.push(Item::new("request", Body::Map(unfolded(request))));
        }
        if is_own && let Some(key) = own_key(source, &main) {
            items.push(Item::text("key", key));
        }
        if let Some(operation) = &operation {
            self.unsafe_creates((operation.proof)(&given), system, &operation.name);
        } else if is_own {
            self.unsafe_creates(Proof::None, system, api.as_deref().unwrap_or_default());
        }
        let again = source.is_some_and(|source| {
            text_of(Some(source), "idCheck").is_some_and(|text| text == "false" || text == "0")
        });
        let can_update = operation
            .as_ref()
            .is_some_and(|operation| operation.writes.contains(&dsl::facts::Action::Update));
        if can_update && !again {
            items.push(
                Item::raw("actions", "[create]")
                    .label("idCheck:写过的不再改 · what was written is not changed"),
            );
        }
        if is_own {
            items.push(
                Item::raw("on_unknown", "hold")
                    .label("丢失答复由人决定 · a person decides about a lost answer"),
            );
        }
        if let Some(batch) = batch {
            items.push(Item::raw("batch", batch.to_string()).at("target.operation"));
        }
        let gathered = group.and_then(|group| self.aggregate(&group, &main));
        if gathered.is_some() && can_update && again {
            // A document that is made of several rows is created once.
            let create = vec![Body::Text("create".to_owned())];
            items.push(Item::new("actions", Body::Seq(create)));
        }
        items.extend(gathered);
        items.extend(self.on_success(side));
        items
    }

    /// A field of the document. `within` is the list whose line it belongs to.
    fn document_field(
        &mut self,
        field: &Field<'_>,
        above: &str,
        within: Option<&str>,
        list: Option<&str>,
        lost: Option<&System>,
    ) -> Option<Item> {
        let to = format!("{above}.{}", field.name);
        self.names.insert(field.at.clone(), field.name.clone());
        let off = self.refused(field);
        let at_value = member(&field.at, "value");
        let body = if field.children.is_empty() {
            match self.lines_without_fields(field, &to) {
                Some(body) => Some(body),
                None => self
                    .single(field, Place::Target, &to)
                    .map(|body| self.wrapped(field, body, lost)),
            }
        } else {
            let inner = |mapper: &mut Self, line: Option<&str>| -> Vec<Item> {
                let children = field.children.iter();
                let inner = children.filter_map(|child| mapper.document_field(child, &to, line, None, lost));
                unfolded(inner.collect())
            };
            match field.ty.as_str() {
                "array" => {
                    let named = field.text().filter(|text| !text.trim().is_empty());
                    let named = named.or_else(|| list.map(str::to_owned));
                    let each = named.clone().or_else(|| line_of(&field.children, within));
                    self.book.carried(&at_value, &to);
                    match each {
                        Some(each) => {
                            let each = bare(&each);
                            if named.is_none() {
                                let failure = Failure::new(&words::INFERRED)
                                    .with("field", &field.name)
                                    .with("why", format!("没有写行取自哪里,按子字段取 {each}"))
                                    .with(
                                        "why_en",
                                        format!("its lines are not named: {each}, by the fields below"),
                                    );
                                self.note(&field.at, failure);
                            }
                            let inner = inner(self, Some(&each));
                            Some(Body::Map(vec![
                                Item::text("$each", each),
                                Item::new("$do", Body::Map(inner)),
                            ]))
                        }
                        None => {
                            let failure = Failure::new(&words::INFERRED)
                                .with("field", &field.name)
                                .with("why", "没有写行取自哪里,写成只有一行的列表")
                                .with("why_en", "its lines are not named: a list of one line");
                            self.note(&field.at, failure);
                            let inner = inner(self, within);
                            Some(Body::Seq(vec![Body::Map(inner)]))
                        }
                    }
                }
                _ => {
                    self.book.carried(&at_value, &to);
                    let inner = inner(self, within);
                    match parser_name(field).as_deref() {
                        // A map as pairs of name and value.
                        Some("ConvertJson") => {
                            self.book.carried(&member(&field.at, "parser"), &to);
                            let pair = |item: Item| {
                                let mut key = Item::text("Key", item.key.clone()).label(&item.label);
                                let mut value = Item::new("Value", item.body);
                                key.at.clone_from(&item.at);
                                value.at = item.at;
                                Body::Map(vec![key, value])
                            };
                            let inner = inner.into_iter().filter(|item| item.off.is_none());
                            Some(Body::Seq(inner.map(pair).collect()))
                        }
                        _ => Some(Body::Map(inner)),
                    }
                }
            }
        };
        let Some(body) = body else {
            self.drop_field(field, words::NO_VALUE.code);
            return None;
        };
        self.beside(field, &to);
        self.rest_of(field, &to);
        let mut item = Item::new(data_name(&field.name), body)
            .label(&field.label)
            .at(&field.at);
        item.off = off;
        Some(item)
    }

    /// A list without fields below it: the list of the row as it is.
    fn lines_without_fields(&mut self, field: &Field<'_>, to: &str) -> Option<Body> {
        let text = field.text()?;
        let is_path = !text.is_empty()
            && !text.contains("{{")
            && !is_expression(&text)
            && !text.contains([' ', ',', '[', '{']);
        if field.ty != "array" || field.parser.is_some() || !is_path {
            return None;
        }
        self.book.carried(&member(&field.at, "value"), to);
        Some(Body::Text(format!("<<{text}>>")))
    }

    /// A text that refers to base data, where the export lost how it was wrapped.
    fn wrapped(&mut self, field: &Field<'_>, body: Body, lost: Option<&System>) -> Body {
        let Some(system) = lost.filter(|_| field.parser.is_none()) else {
            return body;
        };
        let wraps = system.known_as.wrap.iter();
        let found = wraps.into_iter().find(|(_, fields)| fields.contains(&field.name));
        let Some((name, _)) = found.filter(|_| matches!(body, Body::Text(_))) else {
            return body;
        };
        if !self.blocked.contains_key(&field.at) {
            let failure = Failure::new(&words::WRAPPED)
                .with("field", &field.name)
                .with("name", name);
            self.note(&field.at, failure);
        }
        match &body {
            Body::Text(text) if !is_expression(text) => {
                Body::Raw(format!("{{{name}: {}}}", crate::write::in_flow(text)))
            }
            _ => Body::Map(vec![Item::new(name.clone(), body)]),
        }
    }

    fn unsafe_creates(&mut self, proof: Proof, system: Option<&System>, operation: &str) {
        if proof != Proof::None {
            return;
        }
        let connector = system.map_or("", |system| system.connector.as_str());
        self.note(
            "target.api",
            Failure::new(&words::UNSAFE)
                .with("connector", connector)
                .with("operation", operation),
        );
    }

    /// `aggregate`, from `groupCalculate`.
    fn aggregate(&mut self, group: &Map, main: &[Field<'_>]) -> Option<Item> {
        let at = "target.groupCalculate";
        let list = |key: &str| -> Vec<String> {
            let items = group.get(key).and_then(Value::as_list).unwrap_or_default();
            items.iter().filter_map(Value::to_plain_text).collect()
        };
        let texts = |names: &[String]| Body::Seq(names.iter().cloned().map(Body::Text).collect());
        let header = list("headerGroup");
        let body = list("bodyGroup");
        let mut inner = vec![Item::new("header", texts(&header)).at(member(at, "headerGroup"))];
        if let Some(name) = text_of(Some(group), "bodyName") {
            inner.push(Item::text("lines", name).at(member(at, "bodyName")));
        }
        inner.push(Item::new("by", texts(&body)).at(member(at, "bodyGroup")));
        let mut calc = Vec::new();
        if let Some(Value::Map(fields)) = group.get("calculate") {
            for (field, how) in fields {
                let how = how.to_plain_text().unwrap_or_default();
                let how = match how.trim_start_matches('$') {
                    "addToSet" => "add_to_set".to_owned(),
                    other => other.to_owned(),
                };
                calc.push(Item::text(field.clone(), how));
            }
        }
        inner.push(Item::new("calc", Body::Map(calc)).at(member(at, "calculate")));
        if let Some(most) = group.get("bodyMaxLine").and_then(Value::to_plain_text)
            && most.parse::<u32>().is_ok_and(|most| most > 0)
        {
            inner.push(Item::raw("max_lines", most).at(member(at, "bodyMaxLine")));
        }
        let number: Vec<String> = header.iter().map(|name| format!("<<{name}>>")).collect();
        let number = format!("{}-<<$now|date>>-<<$part>>", number.join("-"));
        inner.push(Item::text("number", number).label("推断 · derived"));
        let failure = Failure::new(&words::INFERRED)
            .with("field", "groupCalculate")
            .with("why", "旧平台没有合并单据的编号,按分组字段、日期与部分号取")
            .with(
                "why_en",
                "the old tool has no number for what it groups: header fields, date and part",
            );
        self.note(at, failure);
        if let Some(name) = text_of(Some(group), "targetBodyName")
            && !main.iter().any(|field| field.name == name)
        {
            self.left(
                &member(at, "targetBodyName"),
                Failure::new(&words::NOT_MAPPED).with("key", "targetBodyName"),
            );
            self.keep_quietly("target", "targetBodyName", Value::from(name.as_str()));
        }
        self.book.carried(at, "target.aggregate");
        Some(Item::new("aggregate", Body::Map(inner)).at(at))
    }

    /// Organisations that base data is allocated to: the step, and the option that names them. Where the connector has
    /// no such step, they are kept and told.
    fn distribution(&mut self, side: &Map, system: Option<&System>) -> Option<(String, Item)> {
        let at = "target.distributionOrg";
        let value = side.get("distributionOrg").cloned()?;
        let text = value.to_plain_text().filter(|text| !text.trim().is_empty());
        let Some(text) = text else {
            self.book.reported(at, words::NO_VALUE.code);
            return None;
        };
        let known = system.and_then(|system| system.known_as.distribute.clone());
        // The option takes ids and nothing else; what is anything else is for a person.
        let is_plain = text
            .split(',')
            .all(|id| !id.trim().is_empty() && id.trim().bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let Some((step, option)) = known.filter(|_| is_plain && text_of(Some(side), "api").is_some()) else {
            self.keep(at, &value, &words::NOT_MAPPED);
            return None;
        };
        self.book.carried(at, &format!("target.options.{option}"));
        let item = Item::text(option, text)
            .label("目标组织内码 · ids of the organisations")
            .at(at);
        Some((step, item))
    }

    /// `on_success`, from what is picked out of the answer and what is handed to another scheme.
    fn on_success(&mut self, side: &Map) -> Option<Item> {
        let mut inner = Vec::new();
        let declared = fields(side.get("response"), "target.response", 0);
        if let Some(picked) = declared.iter().find(|field| field.name == "primaryWriteback") {
            let to = "target.on_success.save";
            let save: Vec<Item> = picked
                .children
                .iter()
                .filter_map(|child| {
                    let text = child.text()?;
                    self.beside(child, to);
                    self.rest_of(child, to);
                    Some(
                        Item::text(child.name.clone(), answered(&text))
                            .label(&child.label)
                            .at(&child.at),
                    )
                })
                .collect();
            self.beside(picked, to);
            self.rest_of(picked, to);
            if !save.is_empty() {
                inner.push(Item::new("save", Body::Map(save)));
            }
        }
        if let Some(call) = side.get("callBackStrategy").and_then(Value::as_map) {
            let at = "target.callBackStrategy";
            let mut row = Map::new();
            let mut scheme = String::new();
            for (name, value) in call {
                match (name.as_str(), value.to_plain_text()) {
                    ("strategyId", Some(text)) => scheme = text,
                    (_, Some(text)) => {
                        row.insert(name.clone(), Value::from(answered(&text).as_str()));
                    }
                    (_, None) => {}
                }
            }
            self.book.carried(at, "target.on_success.emit");
            inner.push(
                Item::new(
                    "emit",
                    Body::Map(vec![
                        Item::text("scheme", scheme).at(member(at, "strategyId")),
                        Item::new("row", Body::Map(members(&row, Place::Target))),
                    ]),
                )
                .at(at),
            );
        }
        (!inner.is_empty()).then(|| Item::new("on_success", Body::Map(inner)).at("target.callBackStrategy"))
    }
}

/// `{{Id}}` and `{{primaryWriteback.Id}}` as names of the answer.
fn answered(text: &str) -> String {
    let mut out = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Field(name) => {
                let name = name.trim();
                let name = name.strip_prefix("primaryWriteback.").unwrap_or(name);
                match name.to_ascii_lowercase().as_str() {
                    "id" => out.push_str("<<$answer.id>>"),
                    "number" => out.push_str("<<$answer.number>>"),
                    _ => out.push_str(&format!("<<$answer.body.{name}>>")),
                }
            }
        }
    }
    out
}

fn has_parser(field: &Field<'_>) -> bool {
    field.parser.is_some() || field.children.iter().any(has_parser)
}

fn parser_name(field: &Field<'_>) -> Option<String> {
    text_of(field.parser, "name")
}

/// A list's name, with or without braces.
fn bare(text: &str) -> String {
    match pieces(text).as_slice() {
        [Piece::Field(name)] => name.trim().to_owned(),
        _ => text.trim().to_owned(),
    }
}

/// The list that the fields of a line read, where all that read lines agree.
fn line_of(children: &[Field<'_>], within: Option<&str>) -> Option<String> {
    let mut found: Option<String> = None;
    for child in children {
        let text = child.text().unwrap_or_default();
        let converted = converted(&text, Place::Target);
        for path in super::value::paths(&text) {
            let Some((front, _)) = path.rsplit_once('.') else {
                continue;
            };
            if Some(front) == within || converted.is_empty() {
                continue;
            }
            match &found {
                Some(known) if known != front => return None,
                _ => found = Some(front.to_owned()),
            }
        }
    }
    found
}

/// The field of a document that holds the key of its row.
fn own_key(source: Option<&Map>, main: &[Field<'_>]) -> Option<String> {
    let id = text_of(source, "id")?;
    let id = bare(&id);
    let holds = |field: &&Field<'_>| {
        let text = field.text().unwrap_or_default();
        matches!(pieces(&text).as_slice(), [Piece::Field(name)] if name.trim() == id)
    };
    main.iter().find(holds).map(|field| field.name.clone())
}

/// An operation of the scheme's own, as far as the metadata says it.
fn own_write(side: &Map, api: &str) -> Item {
    let method = text_of(Some(side), "method").unwrap_or_else(|| "POST".to_owned());
    let items = vec![
        Item::raw("kind", "write"),
        Item::text("method", method.to_ascii_uppercase()),
        Item::text("path", api.trim_start_matches('/')),
        Item::raw("body", "<<$record>>"),
        Item::raw("writes", "[create]"),
        Item::raw("item", "{id: data.id}")
            .label("猜测:新单据的 id 在应答里的位置 · a guess: where the new id stands"),
        Item::raw("proof", "none"),
        Item::raw("unknown", "{none: hold}"),
    ];
    Item::new("operation", Body::Map(items)).at("target.api")
}
