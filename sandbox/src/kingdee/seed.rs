//! What the simulated Kingdee has before anybody writes to it: materials, one for each of the goods that are sold.
//!
//! They are audited, belong to one organisation and were changed one after the other over the stretch of the sales.
//! No journal knows them, and they are not counted among the documents that were written.

use serde_json::json;

use super::store::{SEEDED_FROM, Store};
use crate::data::Data;
use crate::journal::{Action, RowLine};
use crate::names;
use crate::sale::sku;

const FORM: &str = "BD_MATERIAL";
const ORG: &str = "100";

/// Puts the materials on the shelf.
pub(crate) fn materials(data: &Data, count: u64, store: &mut Store) {
    if data.trades == 0 {
        return;
    }
    for n in 0..count {
        let part = i128::from(n) * i128::from(data.spread_ms) / i128::from(count);
        let at_ms = data.base_ms - data.spread_ms + i64::try_from(part).unwrap_or(0);
        let content = json!({
            "FName": names::goods(n),
            "FSpecification": format!("规格 {:03}", n % 40),
            "FBaseUnitId": {"FNumber": if n % 7 == 0 { "Box" } else { "Pcs" }},
            "FCreateOrgId": {"FNumber": ORG},
            "FUseOrgId": {"FNumber": ORG},
            "FNumber": sku(n),
        });
        let row = RowLine {
            dindex: 0,
            action: Action::Create,
            org: ORG.to_owned(),
            number: sku(n),
            id: SEEDED_FROM + n,
            status: 'C',
            content: content.to_string(),
            keeps_lines: false,
            version: 1,
        };
        store.apply(FORM, at_ms, &row);
    }
}
