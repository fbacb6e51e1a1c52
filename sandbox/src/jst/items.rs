//! Items of the simulated Jushuitan: an upload makes what is not there and changes what is, by `sku_id`.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{FORM, Refused, code, fine, refused, text};
use crate::journal::Line;
use crate::kingdee::store::Fields;
use crate::reply::{Reply, Request};
use crate::state::World;
use crate::twist::{Fate, Twist};

const MAX_ITEMS: usize = 50;
/// Longest code or name, in characters.
const MAX_TEXT: usize = 200;

/// One item of an answer.
fn told(sku: &str, item: &str, problem: Option<&str>) -> Value {
    json!({"sku_id": sku, "i_id": item, "is_success": problem.is_none(), "msg": problem.unwrap_or_default()})
}

/// Why an item cannot be taken.
fn problem(world: &World, fields: &Fields) -> Option<&'static str> {
    let (sku, name) = (text(fields, "sku_id"), text(fields, "name"));
    let too_long = |text: &str| text.chars().count() > MAX_TEXT;
    if sku.trim().is_empty() {
        Some("商品编码 sku_id 不能为空")
    } else if name.trim().is_empty() {
        Some("商品名称 name 不能为空")
    } else if too_long(&sku) || too_long(&name) {
        Some("商品编码或商品名称过长")
    } else if world.refusal(&sku).is_some() {
        Some("商品编码已被禁用")
    } else {
        None
    }
}

pub(super) fn upload(
    world: &mut World,
    request: &Request,
    endpoint: &str,
    biz: &Fields,
    twist: &Twist,
) -> Result<Reply, Refused> {
    let raw = biz
        .get("items")
        .ok_or_else(|| refused(code::EMPTY, "items 不能为空"))?;
    let items: Vec<Box<RawValue>> = serde_json::from_str(raw.get())
        .map_err(|e| refused(code::PARAMETER, format!("items 不是数组：{e}")))?;
    if items.is_empty() {
        return Err(refused(code::EMPTY, "items 不能为空"));
    }
    if items.len() > MAX_ITEMS {
        return Err(refused(code::PARAMETER, format!("items 最多 {MAX_ITEMS} 条")));
    }
    if world.journal.is_full() {
        return Err(refused(code::INTERNAL, "沙箱日志已满"));
    }
    if twist.refuses_batch(items.iter().map(|item| item.get())) {
        return Err(refused(
            code::PARAMETER,
            "商品资料中有不符合要求的数据，整批未保存",
        ));
    }
    let (mut rows, mut datas) = (Vec::new(), Vec::new());
    for (dindex, raw) in items.iter().enumerate() {
        let fate = twist.fate(dindex, raw.get());
        if fate == Fate::Dropped {
            continue;
        }
        let fields: Option<Fields> = serde_json::from_str(raw.get()).ok();
        let why = match &fields {
            None => Some("商品资料不是 JSON 对象"),
            Some(_) if fate == Fate::Refused => Some("商品资料不符合业务规则"),
            Some(fields) => problem(world, fields),
        };
        let fields = fields.unwrap_or_default();
        let sku = text(&fields, "sku_id");
        if why.is_none() {
            let row = world.jst.items.save(dindex, "", &sku, raw.get());
            world.jst.items.apply(&row);
            rows.push(row);
        }
        if fate != Fate::Unnamed {
            datas.push(told(&sku, &text(&fields, "i_id"), why));
        }
    }
    if twist.adds_a_row() {
        datas.push(told("?", "?", None));
    }
    if !rows.is_empty() {
        let write = world.written(endpoint, FORM, &request.body, twist, rows);
        let appended = world.journal.append(Line::Write(write));
        appended.map_err(|e| refused(code::INTERNAL, format!("写入失败：{e}")))?;
    }
    Ok(fine(json!({"datas": datas})))
}
