//! `Push`: an audited document makes the one that follows it.
//!
//! Guesses of ours: which rules there are, that only audited documents can be pushed, that every push makes a new
//! document, and what stands in `ConvertResponseStatus`.

use serde_json::{Value, json};

use super::answer::{self, Refusal, Success, code};
use super::forms;
use super::save::{Executed, out_of_luck, record};
use super::steps;
use super::store::{Fields, scalar};
use crate::journal::{Action, RowLine};
use crate::state::World;
use crate::twist::Fate;

/// Rules: id, form it begins at, form it leads to.
const RULES: [(&str, &str, &str); 2] = [
    ("SAL_SaleOrder-SAL_OUTSTOCK", "SAL_SaleOrder", "SAL_OUTSTOCK"),
    ("SAL_OUTSTOCK-AR_RECEIVEBILL", "SAL_OUTSTOCK", "AR_RECEIVEBILL"),
];

pub(crate) fn push(world: &mut World, executed: Executed<'_>, form_name: &str, data: &str) -> Value {
    let Some(form) = forms::find(form_name) else {
        return answer::failed(code::NO_FORM, &format!("业务对象“{form_name}”不存在"));
    };
    let asked: Fields = serde_json::from_str(data).unwrap_or_default();
    let text = |name: &str| asked.get(name).and_then(|raw| scalar(raw)).unwrap_or_default();
    let by_default = text("IsEnableDefaultRule") == "true";
    let rule = RULES.iter().find(|(id, from, to)| {
        *from == form.name && (*id == text("RuleId") || (by_default && *to == text("TargetFormId")))
    });
    let Some(target) = rule.and_then(|(_, _, to)| forms::find(to)) else {
        return not_converted("没有可用的单据转换规则");
    };
    let named = steps::names(data, "Ids", "Numbers");
    if named.is_empty() {
        return answer::failed(code::BAD_PARAMETER, "Ids 和 Numbers 不能同时为空");
    }
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    for (dindex, name) in named.iter().enumerate() {
        let doc = match steps::find(world, form, name) {
            Ok(doc) => doc,
            Err(refusal) => {
                bad.push((dindex, refusal));
                continue;
            }
        };
        if executed.twist.fate(dindex, name.text()) == Fate::Refused {
            bad.push((dindex, out_of_luck()));
            continue;
        }
        if doc.status != 'C' {
            let why = format!("{}“{}”没有审核，不能下推", form.label, doc.number);
            bad.push((dindex, Refusal::new(code::NOT_OPERABLE, None, why)));
            continue;
        }
        let (number, org) = (doc.number.to_string(), doc.org.to_string());
        let row = RowLine {
            dindex,
            action: Action::Create,
            org,
            number: world.store.auto_number(target),
            id: world.store.next_id(),
            status: 'A',
            content: json!({"FSrcBillNo": number}).to_string(),
            keeps_lines: true,
            version: 1,
        };
        world.store.apply(target.name, world.now_ms(), &row);
        rows.push(row);
    }
    let good: Vec<Success> = rows
        .iter()
        .map(|row| Success {
            id: row.id,
            number: row.number.clone(),
            dindex: row.dindex,
        })
        .collect();
    if !rows.is_empty()
        && let Err(error) = record(world, executed, target, rows)
    {
        return answer::failed(4, &format!("写入失败：{error}"));
    }
    let status = answer::status(&good, &bad, world.settings.partial_is_success);
    json!({"Result": {"ResponseStatus": status, "ConvertResponseStatus": []}})
}

fn not_converted(message: &str) -> Value {
    let refusal = Refusal::new(code::INVALID, None, message);
    let status = answer::status(&[], &[(0, refusal)], false);
    json!({"Result": {"ResponseStatus": status, "ConvertResponseStatus": [{"IsSuccess": false, "Message": message}]}})
}
