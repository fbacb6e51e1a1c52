//! `Allocate`: base data that one organisation made is given to others, each of which gets a copy of its own.
//!
//! Guesses of ours: the wording of the refusals, that a document all of whose organisations have it is refused, and
//! that organisations which have it already are passed over otherwise.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::answer::{self, Refusal, Success, code};
use super::forms::{self, Form};
use super::save::{Executed, out_of_luck, record};
use super::steps;
use super::store::{Doc, Fields, member, scalar};
use crate::journal::{Action, RowLine};
use crate::state::World;
use crate::twist::Fate;

/// The field of a copy that names the document it was made of.
pub(super) const MASTER: &str = "FMASTERID";

/// Documents that one call may name, and organisations.
const MAX: usize = 1000;

pub(crate) fn allocate(world: &mut World, executed: Executed<'_>, form_name: &str, data: &str) -> Value {
    let Some(form) = forms::find(form_name) else {
        return answer::failed(code::NO_FORM, &format!("业务对象“{form_name}”不存在"));
    };
    if form.orgs.is_empty() {
        return answer::failed(
            code::BAD_PARAMETER,
            &format!("{}不是可以分配的基础资料", form.label),
        );
    }
    let named = steps::names(data, "PkIds", "Numbers");
    let asked: Fields = serde_json::from_str(data).unwrap_or_default();
    let text = |name: &str| asked.get(name).and_then(|raw| scalar(raw)).unwrap_or_default();
    let orgs: Vec<String> = text("TOrgIds")
        .split(',')
        .map(|id| id.trim().to_owned())
        .filter(|id| !id.is_empty())
        .collect();
    if named.is_empty() || orgs.is_empty() || named.len() > MAX || orgs.len() > MAX {
        return answer::failed(code::BAD_PARAMETER, "PkIds 和 TOrgIds 不能为空");
    }
    let mut numbers = Vec::new();
    for id in &orgs {
        match forms::org_number(id) {
            Some(number) => numbers.push(number),
            None => {
                return answer::failed(code::BAD_PARAMETER, &format!("内码为 {id} 的目标组织不存在"));
            }
        }
    }
    let audited = text("IsAutoSubmitAndAudit").eq_ignore_ascii_case("true");
    let (mut rows, mut good, mut bad) = (Vec::new(), Vec::new(), Vec::new());
    for (dindex, name) in named.iter().enumerate() {
        if executed.twist.fate(dindex, name.text()) == Fate::Refused {
            bad.push((dindex, out_of_luck()));
            continue;
        }
        match copies(world, form, dindex, name, &numbers, audited) {
            Ok((id, number, copies)) => {
                for mut row in copies {
                    row.id = world.store.next_id();
                    world.store.apply(form.name, world.now_ms(), &row);
                    rows.push(row);
                }
                good.push(Success { id, number, dindex });
            }
            Err(refusal) => bad.push((dindex, refusal)),
        }
    }
    if !rows.is_empty()
        && let Err(error) = record(world, executed, form, rows)
    {
        return answer::failed(4, &format!("写入失败：{error}"));
    }
    let status = answer::status(&good, &bad, world.settings.partial_is_success);
    json!({"Result": {"ResponseStatus": status}})
}

/// The document, and a copy of it for each organisation that has none.
fn copies(
    world: &World,
    form: &'static Form,
    dindex: usize,
    name: &steps::Named,
    orgs: &[&'static str],
    audited: bool,
) -> Result<(u64, String, Vec<RowLine>), Refusal> {
    let doc = steps::find(world, form, name)?;
    let refuse = |code, why: String| {
        Err(Refusal::new(
            code,
            None,
            format!("{}“{}”{why}", form.label, doc.number),
        ))
    };
    if is_copy(doc) {
        return refuse(code::NOT_OPERABLE, "不是由创建组织创建的，不能分配".to_owned());
    }
    if doc.status != 'C' {
        return refuse(code::NOT_OPERABLE, "没有审核，不能分配".to_owned());
    }
    let mut missing = Vec::new();
    for org in orgs {
        let same = world.store.with_number(form, &doc.number);
        let there = same.iter().find(|other| *other.org == **org);
        match there {
            None => missing.push(*org),
            Some(other) if other.id == doc.id || master(other) == Some(doc.id) => {}
            Some(_) => return refuse(code::INVALID, format!("在组织 {org} 中已有相同编码，不能分配")),
        }
    }
    if missing.is_empty() {
        return refuse(code::INVALID, format!("已经分配到组织 {}", orgs.join(",")));
    }
    let number = doc.number.to_string();
    let rows = missing
        .into_iter()
        .map(|org| {
            let mut fields = doc.fields();
            fields.insert("FUseOrgId".to_owned(), raw(&json!({"FNumber": org})));
            fields.insert(MASTER.to_owned(), raw(&json!(doc.id)));
            RowLine {
                dindex,
                action: Action::Create,
                org: org.to_owned(),
                number: number.clone(),
                id: 0,
                status: if audited { 'C' } else { 'A' },
                content: serde_json::to_string(&fields).expect("raw values are JSON"),
                keeps_lines: true,
                version: 1,
            }
        })
        .collect();
    Ok((doc.id, number, rows))
}

fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).expect("a value is JSON")
}

/// The document that a copy was made of.
fn master(doc: &Doc) -> Option<u64> {
    scalar(doc.fields().get(MASTER)?)?.parse().ok()
}

/// Whether an allocation made it.
pub(super) fn is_copy(doc: &Doc) -> bool {
    master(doc).is_some()
}

/// The number of the organisation in a field of a document.
pub(super) fn org_in(fields: &Fields, name: &str) -> Option<String> {
    let (_, raw) = fields
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    member(raw, "FNumber")
}
