//! `trade_push.php`: trades from outside, made or changed by `tid`.
//!
//! The answer counts and names none. Guesses: which members a trade must have, that one bad trade refuses the whole
//! call, and that fifty are a bound (the document advises it).

use serde_json::json;
use serde_json::value::RawValue;

use super::enterprise::{FORM, Refused, code, refused};
use super::text;
use crate::form::Pairs;
use crate::journal::{Action, Line};
use crate::kingdee::store::Fields;
use crate::reply::{Reply, Request};
use crate::state::World;
use crate::twist::{Fate, Twist};

const MAX_TRADES: usize = 50;
const MAX_TID: usize = 40;

/// The key of a trade, or why it cannot be taken.
fn judge(world: &World, raw: &RawValue) -> Result<String, String> {
    let fields: Fields =
        serde_json::from_str(raw.get()).map_err(|_| "trade_list 的成员不是 JSON 对象".to_owned())?;
    let tid = text(&fields, "tid");
    let needed = [
        "tid",
        "trade_status",
        "delivery_term",
        "buyer_nick",
        "receiver_name",
        "receiver_address",
    ];
    if let Some(name) = needed.iter().find(|name| text(&fields, name).is_empty()) {
        return Err(format!("{name} 不能为空，原始单号为：{tid}"));
    }
    if tid.chars().count() > MAX_TID {
        return Err(format!("tid 超过 {MAX_TID} 个字符：{tid}"));
    }
    let orders: Vec<Fields> = fields
        .get("order_list")
        .and_then(|list| serde_json::from_str(list.get()).ok())
        .unwrap_or_default();
    let needed = ["oid", "num", "price", "spec_no"];
    let is_whole = |order: &Fields| needed.iter().all(|name| !text(order, name).is_empty());
    if orders.is_empty() || !orders.iter().all(is_whole) {
        return Err(format!(
            "order_list 不能为空，且须有 oid、num、price、spec_no，原始单号为：{tid}"
        ));
    }
    if world.refusal(&tid).is_some() {
        return Err(format!("原始单号 {tid} 不允许推送"));
    }
    Ok(tid)
}

pub(super) fn push(
    world: &mut World,
    request: &Request,
    pairs: &Pairs,
    twist: &Twist,
) -> Result<Reply, Refused> {
    if pairs.get("shop_no").is_empty() && pairs.get("shop_id").is_empty() {
        return Err(refused(code::DOCUMENT, "shop_no 与 shop_id 不能全部为空"));
    }
    let list: Vec<Box<RawValue>> = serde_json::from_str(pairs.get("trade_list"))
        .map_err(|e| refused(code::PARAMETER, format!("trade_list 不是 JSON 数组：{e}")))?;
    if list.is_empty() || list.len() > MAX_TRADES {
        return Err(refused(
            code::PARAMETER,
            format!("trade_list 应有 1 到 {MAX_TRADES} 条"),
        ));
    }
    if world.journal.is_full() {
        return Err(refused(code::BUSY, "沙箱日志已满"));
    }
    if twist.refuses_batch(list.iter().map(|one| one.get())) {
        return Err(refused(code::DOCUMENT, "订单数据不符合要求，整批未保存"));
    }
    let mut tids = Vec::new();
    for (place, raw) in list.iter().enumerate() {
        if twist.fate(place, raw.get()) == Fate::Refused {
            return Err(refused(code::DOCUMENT, "订单数据不符合业务规则"));
        }
        tids.push(judge(world, raw).map_err(|what| refused(code::DOCUMENT, what))?);
    }
    let mut rows = Vec::new();
    for (dindex, (raw, tid)) in list.iter().zip(&tids).enumerate() {
        let row = world.wdt.pushed.save(dindex, "", tid, raw.get());
        world.wdt.pushed.apply(&row);
        rows.push(row);
    }
    let made = rows.iter().filter(|row| row.action == Action::Create).count();
    let changed = rows.len() - made;
    let write = world.written("trade_push", FORM, &request.body, twist, rows);
    let appended = world.journal.append(Line::Write(write));
    appended.map_err(|e| refused(code::BUSY, format!("写入失败：{e}")))?;
    let answer = json!({"code": 0, "message": "", "new_count": made, "chg_count": changed});
    Ok(Reply::json(answer.to_string()))
}
