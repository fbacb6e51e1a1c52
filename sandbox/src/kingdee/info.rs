//! `QueryBusinessInfo`: the fields of a form, as the system tells them.
//!
//! Guesses of ours: the members around the fields, and which fields a bill has beside those that the vendor's templates
//! name; the real ones differ from tenant to tenant.

use serde_json::{Value, json};

use super::answer::{self, code};
use super::forms::{self, ENTRY_ID, Form};
use super::store::{Fields, scalar};

const COMMON: [&str; 6] = [
    "FDocumentStatus",
    "FForbidStatus",
    "FCreateDate",
    "FModifyDate",
    "FName",
    "FDescription",
];
/// Heads of bills.
const HEADS: [&str; 13] = [
    "FBillTypeID",
    "FDate",
    "FNote",
    "FCustId",
    "FCustomerID",
    "FSupplierId",
    "FSaleOrgId",
    "FStockOrgId",
    "FStockOutOrgId",
    "FPAYORGID",
    "FSalerId",
    "FSettleCurrId",
    "FBaseUnitId",
];
/// Lines of bills.
const LINES: [&str; 17] = [
    "FMaterialId",
    "FMaterialID",
    "FUnitID",
    "FQty",
    "FRealQty",
    "FMustQty",
    "FPrice",
    "FTaxPrice",
    "FIsFree",
    "FLot",
    "FStockId",
    "FStockID",
    "FSrcStockId",
    "FDestStockId",
    "FDeliveryDate",
    "FEntryNote",
    "FAmount",
];

/// The answer for the form that `FormId` names.
pub(crate) fn fields(data: &str) -> Value {
    let asked: Fields = serde_json::from_str(data).unwrap_or_default();
    let name = asked
        .get("FormId")
        .and_then(|raw| scalar(raw))
        .unwrap_or_default();
    let Some(form) = forms::find(&name) else {
        return answer::failed(code::NO_FORM, &format!("业务对象“{name}”不存在"));
    };
    let mut entries = vec![json!({"Key": "FBillHead", "Fields": heads(form)})];
    for list in form.entries {
        let each: Vec<Value> = std::iter::once(&ENTRY_ID)
            .chain(&LINES)
            .map(|key| json!({"Key": key}))
            .collect();
        entries.push(json!({"Key": list, "EntryPkFieldName": ENTRY_ID, "Fields": each}));
    }
    let info = json!({"Id": form.name, "PkFieldName": form.id_field, "Entrys": entries});
    json!({"Result": {"ResponseStatus": answer::status(&[], &[], false), "NeedReturnData": info}})
}

fn heads(form: &Form) -> Vec<Value> {
    let required = form.required.iter().chain(form.orgs).map(|(name, _)| *name);
    let own = form.fields.iter().copied().chain(form.org_field);
    let usual = if form.fields.is_empty() { &HEADS[..] } else { &[] };
    let mut names: Vec<&str> = vec![form.number_field];
    for name in required.chain(own).chain(COMMON).chain(usual.iter().copied()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.iter().map(|key| json!({"Key": key})).collect()
}
