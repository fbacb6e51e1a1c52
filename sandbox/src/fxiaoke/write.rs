//! Writes of the simulated Fxiaoke: one document a call.

use std::collections::BTreeMap;

use serde_json::json;

use super::objects::{self, ACCOUNT, DETAILS, Row, has_field, id_text, number_field, parse_id};
use super::{ERP, NAME, Refused, Whose, api_name, code, object, refused, text};
use crate::journal::{Action, Line, RowLine};
use crate::kingdee::store::Fields;
use crate::reply::Request;
use crate::state::World;
use crate::twist::Twist;

/// Longest name or number, in characters.
const MAX_TEXT: usize = 200;

/// A call that writes.
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    pub(super) endpoint: &'static str,
    pub(super) twist: &'a Twist,
}

/// The document of a create or an update.
struct Sent {
    api_name: String,
    fields: Fields,
    content: String,
}

impl Sent {
    fn read(data: &Fields, whose: Whose) -> Result<Sent, Refused> {
        let fields = object(data, "object_data")?;
        let api_name = api_name(&fields, whose)?;
        let is_ours = |name: &str| name == "dataObjectApiName" || has_field(&api_name, name);
        if let Some(name) = fields.keys().find(|name| !is_ours(name)) {
            return Err(refused(code::PARAMETER, format!("{api_name} 没有字段 {name}")));
        }
        let named = ["name", number_field(&api_name)].map(|name| text(&fields, name));
        if named.iter().any(|text| text.chars().count() > MAX_TEXT) {
            return Err(refused(code::RULE, "名称或编号过长"));
        }
        let content = data.get("object_data").map_or("{}", |raw| raw.get());
        let details = details(data, &api_name)?;
        Ok(Sent {
            content: match (details, content.trim_end().strip_suffix('}')) {
                (Some(details), Some(members)) => format!("{members},\"{DETAILS}\":{details}}}"),
                _ => content.to_owned(),
            },
            api_name,
            fields,
        })
    }

    fn number(&self) -> String {
        text(&self.fields, number_field(&self.api_name))
    }

    /// What a rule of the target says against it, whatever the request says.
    fn against(&self, world: &World, itself: Option<u64>) -> Result<(), Refused> {
        if world.refusal(&self.number()).is_some() {
            return Err(refused(code::RULE, "该客户不允许保存"));
        }
        let same = Row::same(world, &self.api_name, world.settings.fx_unique, &self.fields);
        match same.filter(|(_, row)| Some(row.id) != itself) {
            None => Ok(()),
            Some((field, row)) => {
                let value = row.scalar(field).unwrap_or_default();
                Err(refused(
                    code::NOT_UNIQUE,
                    format!("{field} 的值“{value}”已存在，不可重复"),
                ))
            }
        }
    }
}

/// The lists of lines of a document, as JSON. Which objects have which is a guess but for the lines of an order; an update
/// puts its lists in the place of those there were.
fn details<'d>(data: &'d Fields, api_name: &str) -> Result<Option<&'d str>, Refused> {
    let Some(raw) = data.get(DETAILS) else {
        return Ok(None);
    };
    let lists: BTreeMap<String, Vec<Fields>> = serde_json::from_str(raw.get())
        .map_err(|error| refused(code::PARAMETER, format!("details 应为明细列表：{error}")))?;
    let has = |name: &String| {
        let own = name.ends_with("__c") && objects::whose(name).is_some();
        own || (api_name == "SalesOrderObj" && name == "SalesOrderProductObj")
    };
    match lists.keys().find(|name| !has(name)) {
        Some(name) => Err(refused(code::NO_OBJECT, format!("{api_name} 没有从对象 {name}"))),
        None => Ok((!lists.is_empty()).then(|| raw.get())),
    }
}

/// An id, which is text even where it has digits only.
fn id_of(fields: &Fields, name: &str) -> Result<String, Refused> {
    match fields.get(name) {
        Some(raw) if !raw.get().starts_with('"') => Err(refused(code::PARAMETER, format!("{name} 应为文本"))),
        _ => Ok(text(fields, name)),
    }
}

fn no_data(id: &str) -> Refused {
    refused(code::NO_DATA, format!("数据 {id} 不存在或已作废"))
}

impl Call<'_> {
    /// Nothing is executed when there is no room to write it down, or when a fault says so.
    fn may_go_on(&self, world: &World, content: &str) -> Result<(), Refused> {
        if world.journal.is_full() {
            return Err(refused(code::BUSY, "沙箱日志已满"));
        }
        if self.twist.refuses_batch(std::iter::once(content)) {
            return Err(refused(code::RULE, "数据不符合校验规则"));
        }
        Ok(())
    }

    /// Writes the journal line; only then may the call be answered.
    fn record(&self, world: &mut World, form: &str, row: RowLine) -> Result<(), Refused> {
        let write = world.written(
            self.endpoint,
            form,
            &self.request.body,
            self.twist,
            vec![row.clone()],
        );
        // The instant of the journal's line: after a restart a document is as old as it was.
        if form == ERP {
            world.fx.pushed.apply(&row);
        } else {
            world.fx.objects.apply(form, write.at_ms, &row);
        }
        let appended = world.journal.append(Line::Write(write));
        appended.map_err(|e| refused(code::BUSY, format!("写入失败：{e}")))
    }

    pub(super) fn create(&self, world: &mut World, data: &Fields, whose: Whose) -> Result<String, Refused> {
        let sent = Sent::read(data, whose)?;
        self.may_go_on(world, &sent.content)?;
        if sent.fields.contains_key("_id") {
            return Err(refused(code::PARAMETER, "新建时不能指定 _id"));
        }
        let name = text(&sent.fields, "name");
        let number = sent.number();
        let is_named = !name.trim().is_empty() || (sent.api_name != ACCOUNT && !number.trim().is_empty());
        if !is_named {
            return Err(refused(code::RULE, "名称 name 不能为空"));
        }
        sent.against(world, None)?;
        let id = world.fx.objects.next_id();
        let number = if number.is_empty() {
            world.fx.objects.auto_number()
        } else {
            number
        };
        let row = line(Action::Create, id, number, sent.content, 1);
        self.record(world, &sent.api_name, row)?;
        Ok(answer(id))
    }

    pub(super) fn update(&self, world: &mut World, data: &Fields, whose: Whose) -> Result<String, Refused> {
        let sent = Sent::read(data, whose)?;
        self.may_go_on(world, &sent.content)?;
        let told = id_of(&sent.fields, "_id")?;
        if told.is_empty() {
            return Err(refused(code::PARAMETER, "更新时 _id 不能为空"));
        }
        let id = parse_id(&told).ok_or_else(|| no_data(&told))?;
        let (version, known) = {
            let row = Row::with_id(world, &sent.api_name, id).ok_or_else(|| no_data(&told))?;
            (row.version() + 1, row.number())
        };
        let is_emptied =
            |name: &str| sent.fields.contains_key(name) && text(&sent.fields, name).trim().is_empty();
        if is_emptied("name") {
            return Err(refused(code::RULE, "名称 name 不能为空"));
        }
        sent.against(world, Some(id))?;
        let number = Some(sent.number()).filter(|number| !number.is_empty());
        let row = line(Action::Update, id, number.unwrap_or(known), sent.content, version);
        self.record(world, &sent.api_name, row)?;
        Ok(answer(id))
    }

    pub(super) fn invalid(&self, world: &mut World, data: &Fields, whose: Whose) -> Result<String, Refused> {
        let api_name = api_name(data, whose)?;
        let told = id_of(data, "object_data_id")?;
        self.may_go_on(world, &told)?;
        let id = parse_id(&told).ok_or_else(|| no_data(&told))?;
        let (version, number) = {
            let row = Row::with_id(world, &api_name, id).ok_or_else(|| no_data(&told))?;
            (row.version(), row.number())
        };
        let row = line(Action::Delete, id, number, String::new(), version);
        self.record(world, &api_name, row)?;
        Ok(answer(id))
    }

    /// ERP data by object and id; what has no id needs a function in the CRM that nobody has written here.
    pub(super) fn push(&self, world: &mut World, data: &Fields) -> Result<String, Refused> {
        let (object_name, id) = (text(data, "objAPIName"), text(data, "id"));
        if object_name.is_empty() {
            return Err(refused(code::PARAMETER, "objAPIName 不能为空"));
        }
        let center = text(data, "dataCenterId");
        if center != world.credential(NAME, "data_center") {
            return Err(refused(code::PARAMETER, format!("没有数据中心 {center}")));
        }
        let (direct, wanted) = (text(data, "directSync"), text(data, "destObjectApiName"));
        match direct.as_str() {
            "" | "false" => {}
            "true" if wanted.is_empty() => {
                return Err(refused(
                    code::PARAMETER,
                    "directSync 为 true 时 destObjectApiName 不能为空",
                ));
            }
            "true" if objects::whose(&wanted).is_none() => {
                return Err(refused(code::NO_OBJECT, format!("没有对象 {wanted}")));
            }
            "true" => {}
            other => return Err(refused(code::PARAMETER, format!("directSync 应为布尔：{other}"))),
        }
        if id.is_empty() {
            return Err(refused(code::PARAMETER, "id 为空：非标准数据需要推送函数"));
        }
        object(data, "masterFieldVal")?;
        if data.contains_key("detailFieldVals") {
            object(data, "detailFieldVals")?;
        }
        let content = json_of(data);
        self.may_go_on(world, &content)?;
        let row = world.fx.pushed.save(0, &object_name, &id, &content);
        self.record(world, ERP, row)?;
        Ok(format!(r#""data":{}"#, json!({"id": id})))
    }
}

fn json_of(fields: &Fields) -> String {
    let wanted = ["masterFieldVal", "detailFieldVals"];
    let members = wanted.iter().filter_map(|name| Some((*name, fields.get(*name)?)));
    let members: Vec<String> = members
        .map(|(name, raw)| format!("\"{name}\":{}", raw.get()))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn line(action: Action, id: u64, number: String, content: String, version: u64) -> RowLine {
    RowLine {
        dindex: 0,
        action,
        org: String::new(),
        number,
        id,
        status: 'A',
        content,
        keeps_lines: false,
        version,
    }
}

fn answer(id: u64) -> String {
    format!(r#""dataId":{}"#, json!(id_text(id)))
}
