//! `Submit`, `Audit`, `UnAudit`, `Delete` and `View`: what is done to documents that exist.

use serde_json::{Value, json};

use super::answer::{self, Refusal, Success, code};
use super::forms::{self, Form};
use super::save::{Executed, record};
use super::store::{Doc, Fields, scalar};
use crate::journal::{Action, RowLine};
use crate::state::World;
use crate::twist::Fate;

/// Most documents of one step.
const MAX_DOCS: usize = 1000;

/// How a caller names a document.
pub(super) enum Named {
    Id(String),
    Number(String),
}

impl Named {
    pub(super) fn text(&self) -> &str {
        match self {
            Named::Id(text) | Named::Number(text) => text,
        }
    }
}

pub(crate) fn step(world: &mut World, executed: Executed<'_>, form_name: &str, data: &str) -> Value {
    let Some(form) = forms::find(form_name) else {
        return answer::failed(code::NO_FORM, &format!("业务对象“{form_name}”不存在"));
    };
    let named = names(data, "Ids", "Numbers");
    if named.is_empty() || named.len() > MAX_DOCS {
        return answer::failed(
            code::BAD_PARAMETER,
            &format!("Ids 或 Numbers 的个数应为 1 到 {MAX_DOCS}"),
        );
    }
    let now = world.now_ms();
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    for (dindex, name) in named.iter().enumerate() {
        if executed.twist.fate(dindex, name.text()) == Fate::Refused {
            bad.push((dindex, super::save::out_of_luck()));
            continue;
        }
        match judge(world, form, executed.endpoint, dindex, name) {
            Ok(row) => {
                world.store.apply(form.name, now, &row);
                rows.push(row);
            }
            Err(refusal) => bad.push((dindex, refusal)),
        }
    }
    let good: Vec<Success> = rows
        .iter()
        .map(|r| Success {
            id: r.id,
            number: r.number.clone(),
            dindex: r.dindex,
        })
        .collect();
    if !rows.is_empty()
        && let Err(e) = record(world, executed, form, rows)
    {
        return answer::failed(4, &format!("写入失败：{e}"));
    }
    let status = answer::status(&good, &bad, world.settings.partial_is_success);
    json!({"Result": {"ResponseStatus": status}})
}

fn judge(
    world: &World,
    form: &'static Form,
    endpoint: &str,
    dindex: usize,
    name: &Named,
) -> Result<RowLine, Refusal> {
    let doc = find(world, form, name)?;
    let (action, from, to) = match endpoint {
        "Submit" => (Action::Submit, "AZD", 'B'),
        "Audit" => (Action::Audit, "B", 'C'),
        "UnAudit" => (Action::Unaudit, "C", 'D'),
        _ => (Action::Delete, "AZD", 'A'),
    };
    if !from.contains(doc.status) {
        let message = format!(
            "{}“{}”的状态为 {}，不能执行此操作",
            form.label, doc.number, doc.status
        );
        return Err(Refusal::new(code::NOT_OPERABLE, None, message));
    }
    Ok(RowLine {
        dindex,
        action,
        org: doc.org.to_string(),
        number: doc.number.to_string(),
        id: doc.id,
        status: to,
        content: String::new(),
        keeps_lines: true,
        version: doc.version,
    })
}

pub(super) fn find<'w>(world: &'w World, form: &'static Form, name: &Named) -> Result<&'w Doc, Refusal> {
    let (found, what) = match name {
        Named::Id(id) => (id.parse().ok().and_then(|id| world.store.get(form, id)), id),
        Named::Number(number) => (world.store.with_number(form, number).first().copied(), number),
    };
    found.ok_or_else(|| Refusal::new(code::NOT_FOUND, None, format!("{}“{what}”不存在", form.label)))
}

/// Ids come as text with commas or as a list, numbers as a list.
pub(super) fn names(data: &str, ids: &str, numbers: &str) -> Vec<Named> {
    let fields: Fields = serde_json::from_str(data).unwrap_or_default();
    let list = |key: &str| -> Vec<String> {
        let Some(raw) = fields.get(key) else {
            return Vec::new();
        };
        if let Ok(list) = serde_json::from_str::<Vec<Box<serde_json::value::RawValue>>>(raw.get()) {
            return list.iter().filter_map(|v| scalar(v)).collect();
        }
        let text = scalar(raw).unwrap_or_default();
        text.split(',')
            .map(|t| t.trim().to_owned())
            .filter(|t| !t.is_empty())
            .collect()
    };
    let ids = list(ids);
    if ids.is_empty() {
        return list(numbers).into_iter().map(Named::Number).collect();
    }
    ids.into_iter().map(Named::Id).collect()
}

/// The document under its property names, which are not its field names.
pub(crate) fn view(world: &World, form_name: &str, data: &str) -> Value {
    let Some(form) = forms::find(form_name) else {
        return answer::failed(code::NO_FORM, &format!("业务对象“{form_name}”不存在"));
    };
    let name = names(data, "Id", "Number")
        .into_iter()
        .find(|n| !matches!(n, Named::Id(id) if id == "0"));
    let Some(name) = name else {
        return answer::failed(code::BAD_PARAMETER, "Id 和 Number 不能同时为空");
    };
    let doc = match find(world, form, &name) {
        Ok(doc) => doc,
        Err(refusal) => return answer::failed(refusal.code, &refusal.message),
    };
    let fields = doc.fields();
    let words = |name: &str| {
        let text = fields.get(name).and_then(|v| scalar(v)).unwrap_or_default();
        json!([{"Key": 2052, "Value": text}])
    };
    let number = if form.unique { "Number" } else { "BillNo" };
    let mut document = json!({
        "Id": doc.id, "DocumentStatus": doc.status.to_string(), "Name": words("FName"), "Description": words("FDescription"),
    });
    document[number] = json!(doc.number);
    json!({"Result": {"ResponseStatus": answer::status(&[], &[], false), "Result": document}})
}
