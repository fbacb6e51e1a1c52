//! `Save`, `BatchSave`, `Draft`: documents are judged one by one and executed in order.
//!
//! What is executed stands in the journal before the answer is built. A refused document leaves no
//! trace and does not hinder its neighbours.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::answer::{self, Refusal, Success, code};
use super::forms::{self, Form};
use super::store::{Doc, Fields, line_id, lines, member, scalar};
use crate::journal::{Action, Line, RowLine};
use crate::state::World;
use crate::twist::{Fate, Twist};

/// Most documents of one call. The vendor documents none; this one only keeps memory small.
const MAX_DOCS: usize = 1000;
const MAX_TEXT: usize = 2000;

/// What a write call is executed under.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Executed<'a> {
    pub(crate) endpoint: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) twist: &'a Twist,
}

/// A refusal on order.
pub(crate) fn out_of_luck() -> Refusal {
    Refusal::new(code::INVALID, None, "单据数据不符合业务规则，不允许保存")
}

/// Options of a save that change what happens here.
struct Options {
    submit_and_audit: bool,
    verify_base_data: bool,
    /// `IsDeleteEntry` is false: lines that are not sent stay.
    keeps_lines: bool,
    draft: bool,
}

pub(crate) fn save(world: &mut World, executed: Executed<'_>, form_name: &str, data: &str) -> Value {
    let Some(form) = forms::find(form_name) else {
        return answer::failed(code::NO_FORM, &format!("业务对象“{form_name}”不存在"));
    };
    let fields: Fields = match serde_json::from_str(data) {
        Ok(fields) => fields,
        Err(e) => return answer::failed(code::BAD_PARAMETER, &format!("data 不是有效的 JSON 对象：{e}")),
    };
    let batch = executed.endpoint == "BatchSave";
    let models: Vec<Box<RawValue>> = match fields.get("Model") {
        Some(model) if batch => serde_json::from_str(model.get()).unwrap_or_default(),
        Some(model) if model.get().starts_with('{') => vec![model.clone()],
        _ => Vec::new(),
    };
    if models.is_empty() || models.len() > MAX_DOCS {
        let what = if batch { "数组" } else { "对象" };
        let message = format!("Model 应为{what}，且单据数为 1 到 {MAX_DOCS}");
        return answer::failed(code::BAD_PARAMETER, &message);
    }
    let package = crate::crypto::sha256_hex(format!("{form_name}\n{data}").as_bytes());
    if flag(&fields, "ValidateRepeatJson") && world.is_repeated(&package) {
        let again = "数据包重复：相同的请求数据已存在，请勿重复提交";
        let bad: Vec<_> = (0..models.len())
            .map(|n| (n, Refusal::new(code::INVALID, None, again)))
            .collect();
        return json!({"Result": {"ResponseStatus": answer::status(&[], &bad, false)}});
    }
    let options = Options {
        submit_and_audit: flag(&fields, "IsAutoSubmitAndAudit"),
        verify_base_data: flag(&fields, "IsVerifyBaseDataField"),
        // The vendor's default is true.
        keeps_lines: fields.contains_key("IsDeleteEntry") && !flag(&fields, "IsDeleteEntry"),
        draft: executed.endpoint == "Draft",
    };
    let twist = executed.twist;
    if twist.refuses_batch(models.iter().map(|model| model.get())) {
        return answer::failed(code::INVALID, "批量数据中存在不符合业务规则的单据，整批未保存");
    }
    let now = world.now_ms();
    let (mut rows, mut bad, mut unnamed) = (Vec::new(), Vec::new(), Vec::new());
    for (dindex, model) in models.iter().enumerate() {
        match twist.fate(dindex, model.get()) {
            Fate::Dropped => continue,
            Fate::Refused => {
                bad.push((dindex, out_of_luck()));
                continue;
            }
            Fate::Unnamed => unnamed.push(dindex),
            Fate::Usual | Fate::RefusedWhole | Fate::OneMore => {}
        }
        match judge(world, form, &options, dindex, model) {
            Ok(row) => {
                world.store.apply(form.name, now, &row);
                rows.push(row);
            }
            Err(refusal) => bad.push((dindex, refusal)),
        }
    }
    bad.retain(|(dindex, _)| !unnamed.contains(dindex));
    let mut good: Vec<Success> = rows
        .iter()
        .filter(|r| !unnamed.contains(&r.dindex))
        .map(|r| Success {
            id: r.id,
            number: r.number.clone(),
            dindex: r.dindex,
        })
        .collect();
    if !rows.is_empty() {
        world.remember(package);
        if let Err(e) = record(world, executed, form, rows) {
            return answer::failed(4, &format!("写入失败：{e}"));
        }
    }
    // The server saves in several threads; the order of its lists means nothing.
    if good.len() > 1 && world.data.seed % 2 == 1 {
        good.reverse();
    }
    if twist.adds_a_row() {
        let (id, number) = (world.store.next_id(), "?".to_owned());
        let dindex = models.len();
        good.push(Success { id, number, dindex });
    }
    let status = answer::status(&good, &bad, world.settings.partial_is_success);
    let returned: Vec<Value> = good
        .iter()
        .map(|saved| returned(world, form, &fields, saved))
        .collect();
    let mut result = json!({"ResponseStatus": status, "NeedReturnData": returned});
    if !batch {
        let first = good.first();
        result["Id"] = first.map_or(json!(""), |s| json!(s.id));
        result["Number"] = first.map_or(json!(""), |s| json!(s.number));
    }
    json!({"Result": result})
}

/// Writes the journal line of a request; only then may it be answered.
pub(crate) fn record(
    world: &mut World,
    executed: Executed<'_>,
    form: &Form,
    rows: Vec<RowLine>,
) -> std::io::Result<()> {
    let line = world.written(executed.endpoint, form.name, executed.body, executed.twist, rows);
    world.journal.append(Line::Write(line))
}

fn judge(
    world: &World,
    form: &'static Form,
    options: &Options,
    dindex: usize,
    model: &RawValue,
) -> Result<RowLine, Refusal> {
    let fields: Fields = serde_json::from_str(model.get())
        .map_err(|_| Refusal::new(code::BAD_PARAMETER, None, "单据数据不是 JSON 对象"))?;
    let old = match fields
        .get(form.id_field)
        .and_then(|v| scalar(v))
        .filter(|id| !["", "0"].contains(&id.as_str()))
    {
        None => None,
        Some(id) => Some(
            id.parse()
                .ok()
                .and_then(|id| world.store.get(form, id))
                .ok_or_else(|| {
                    let message = format!("内码为 {id} 的{}不存在，可能已被删除", form.label);
                    Refusal::new(code::NOT_FOUND, Some(form.id_field), message)
                })?,
        ),
    };
    for (name, label) in form.required {
        required(&fields, name, label, old.is_some())?;
    }
    for (name, label) in form.orgs {
        organisation(&fields, name, label, old.is_some())?;
    }
    if let Some(raw) = fields
        .iter()
        .find_map(|(_, v)| scalar(v).filter(|t| t.len() > MAX_TEXT))
    {
        let message = format!("文本长度 {} 超过限制", raw.len());
        return Err(Refusal::new(code::INVALID, None, message));
    }
    let org = form
        .org_field
        .and_then(|f| fields.get(f))
        .and_then(|v| member(v, "FNumber"))
        .or_else(|| old.map(|d| d.org.to_string()))
        .unwrap_or_default();
    let number = match (fields.get(form.number_field), old) {
        (None, Some(old)) => old.number.to_string(),
        (None, None) => world.store.auto_number(form),
        (Some(value), _) => {
            let missing = || {
                let message = format!("字段“{}编码”是必填项", form.label);
                Refusal::new(code::VALUE_MISSING, Some(form.number_field), message)
            };
            scalar(value)
                .filter(|n| !n.trim().is_empty())
                .ok_or_else(missing)?
        }
    };
    let unique = if form.unique {
        world.settings.unique_numbers
    } else {
        world.settings.unique_bills
    };
    if unique {
        let taken = world.store.with_number(form, &number);
        if taken
            .iter()
            .any(|d| *d.org == *org && old.is_none_or(|o| o.id != d.id))
        {
            let message = format!("编码为“{number}”的{}在组织 {org} 中已存在", form.label);
            return Err(Refusal::new(code::INVALID, Some(form.number_field), message));
        }
    }
    entries(form, &fields, old)?;
    if let Some(refusal) = world.refusal(&number) {
        return Err(refusal);
    }
    if options.verify_base_data {
        base_data(&fields)?;
    }
    let status = match old {
        _ if options.draft => 'Z',
        _ if options.submit_and_audit => 'C',
        Some(old) => old.status,
        None => 'A',
    };
    Ok(RowLine {
        dindex,
        action: if old.is_some() {
            Action::Update
        } else {
            Action::Create
        },
        org,
        number,
        id: old.map_or_else(|| world.store.next_id(), |d| d.id),
        status,
        content: model.get().to_owned(),
        keeps_lines: options.keeps_lines,
        version: old.map_or(0, |d| d.version) + 1,
    })
}

/// A line that is named by its id must be one of the document's.
fn entries(form: &Form, fields: &Fields, old: Option<&Doc>) -> Result<(), Refusal> {
    for entry in form.entries {
        let Some(raw) = fields.get(*entry) else { continue };
        let known: Vec<String> = old
            .map(|doc| doc.lines(entry))
            .unwrap_or_default()
            .iter()
            .filter_map(line_id)
            .collect();
        let unknown = lines(raw)
            .iter()
            .filter_map(line_id)
            .find(|id| !known.contains(id));
        if let Some(id) = unknown {
            let message = format!("分录内码 {id} 不存在，可能已被删除");
            return Err(Refusal::new(code::NOT_FOUND, Some(entry), message));
        }
    }
    Ok(())
}

/// What `NeedReturnFields` asks of a saved document: `field`, or `entry.field` for each of its lines.
fn returned(world: &World, form: &'static Form, options: &Fields, saved: &Success) -> Value {
    let asked: Vec<String> = options
        .get("NeedReturnFields")
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default();
    let mut out = json!({});
    let Some(doc) = world.store.get(form, saved.id).filter(|_| !asked.is_empty()) else {
        return out;
    };
    let fields = doc.fields();
    let plain = |fields: &Fields, name: &str| fields.get(name).map_or(Value::Null, |raw| json!(raw));
    for name in &asked {
        match name.split_once('.') {
            Some((entry, field)) => {
                let lines = doc.lines(entry);
                let list = out[entry].as_array().cloned().unwrap_or_default();
                let list: Vec<Value> = lines
                    .iter()
                    .enumerate()
                    .map(|(nth, line)| {
                        let mut shown = list.get(nth).cloned().unwrap_or_else(|| json!({}));
                        shown[field] = plain(line, field);
                        shown
                    })
                    .collect();
                out[entry] = json!(list);
            }
            None if name == form.number_field => out[name] = json!(saved.number),
            None if name == form.id_field => out[name] = json!(saved.id),
            None => out[name] = plain(&fields, name),
        }
    }
    out
}

fn required(fields: &Fields, name: &str, label: &str, update: bool) -> Result<(), Refusal> {
    let filled = fields
        .get(name)
        .map(|v| scalar(v).is_some_and(|t| !t.trim().is_empty()));
    if filled == Some(true) || (update && filled.is_none()) {
        return Ok(());
    }
    Err(Refusal::new(
        code::VALUE_MISSING,
        Some(name),
        format!("字段“{label}”是必填项"),
    ))
}

fn organisation(fields: &Fields, name: &str, label: &str, update: bool) -> Result<(), Refusal> {
    let missing = || Refusal::new(code::VALUE_MISSING, Some(name), format!("字段“{label}”是必填项"));
    let Some(value) = fields.get(name) else {
        return if update { Ok(()) } else { Err(missing()) };
    };
    if !value.get().starts_with('{') {
        let message = format!("字段“{label}”的值格式不正确，应为 {{\"FNumber\":\"…\"}}");
        return Err(Refusal::new(code::BAD_PARAMETER, Some(name), message));
    }
    let number = member(value, "FNumber")
        .filter(|n| !n.is_empty())
        .ok_or_else(missing)?;
    if forms::ORGS.contains(&number.as_str()) {
        return Ok(());
    }
    Err(Refusal::new(
        code::INVALID,
        Some(name),
        format!("{label}“{number}”不存在"),
    ))
}

/// `IsVerifyBaseDataField`: the group a document names must exist.
fn base_data(fields: &Fields) -> Result<(), Refusal> {
    let group = fields
        .get("FGroup")
        .and_then(|v| member(v, "FNumber"))
        .filter(|g| !g.is_empty());
    match group {
        Some(g) if !forms::GROUPS.contains(&g.as_str()) => Err(Refusal::new(
            code::INVALID,
            Some("FGroup"),
            format!("分组“{g}”不存在"),
        )),
        _ => Ok(()),
    }
}

/// A switch as JSON bool or as the text `"true"`; both are seen in use.
fn flag(fields: &Fields, name: &str) -> bool {
    fields
        .get(name)
        .and_then(|v| scalar(v))
        .is_some_and(|t| t.eq_ignore_ascii_case("true"))
}
