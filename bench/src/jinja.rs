//! The mapping as one template of minijinja, which is what a text template of a scheme uses.

use std::collections::HashMap;

use minijinja::{AutoEscape, Environment, Value};

use crate::mapping::Mapping;
use crate::trade;

const TEMPLATE: &str = r#"{"FBillNo":{{ tid|quoted }},"FBuyer":{{ buyerNick|quoted }},"FReceiver":{{ receiverName|quoted }},
"FPhone":{{ receiverMobile|quoted }},"FPost":{{ postFee|quoted }},"FShopId":"{{ shopId }}",
"FAddress":{{ (receiverState ~ receiverCity ~ receiverAddress)|quoted }},"FRemark":{{ ('HUKE-' ~ tid ~ '/' ~ shopNick)|quoted }},
"FStatus":"{% if status == 'TRADE_FINISHED' %}C{% elif status == 'WAIT_SELLER_SEND' %}A{% else %}B{% endif %}",
"FDate":"{{ payTime|shanghai }}","FAmount":{{ (payment|float + postFee|float - discountFee|float)|round(2) }},
"FMemo":{{ sellerMemo|replace('\n', ' ')|quoted }},"FCustId":{{ customer(cid)|quoted }},
"FEntity":[{% for line in orders %}{% if not loop.first %},{% endif %}{"FMaterialId":{{ line.skuCode|quoted }},
"FName":{{ line.title|quoted }},"FQty":{{ line.num }},"FAmount":{{ (line.price|float * line.num)|round(2) }}}{% endfor %}]}"#;

/// The mapping.
pub struct Jinja {
    environment: Environment<'static>,
}

impl Jinja {
    /// Knows the customers.
    ///
    /// # Panics
    /// When the template is wrong.
    pub fn new() -> Self {
        let customers: HashMap<i64, String> = trade::customers()
            .into_iter()
            .map(|(cid, id)| (cid.parse().expect("a number"), id))
            .collect();
        let zone = jiff::tz::TimeZone::get("Asia/Shanghai").expect("the zone database is built in");
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.add_filter("quoted", |text: &str| {
            serde_json::to_string(text).unwrap_or_default()
        });
        environment.add_filter("shanghai", move |ms: i64| {
            let time = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
            time.to_zoned(zone.clone())
                .strftime("%Y-%m-%d %H:%M:%S")
                .to_string()
        });
        environment.add_function("customer", move |cid: i64| {
            customers.get(&cid).cloned().unwrap_or_default()
        });
        environment
            .add_template("document", TEMPLATE)
            .expect("our own template");
        Jinja { environment }
    }
}

impl Default for Jinja {
    fn default() -> Self {
        Jinja::new()
    }
}

impl Mapping for Jinja {
    type Row<'r> = Value;
    type Out = String;

    fn name(&self) -> &'static str {
        "minijinja, one template"
    }

    fn parse(&self, json: &str) -> Value {
        let row: serde_json::Value = serde_json::from_str(json).expect("a trade");
        Value::from(minijinja::value::Serde(row))
    }

    fn map(&mut self, page: Vec<Value>) -> Vec<String> {
        let template = self.environment.get_template("document").expect("it was added");
        let print = |row| template.render(row).expect("our own template over our own row");
        page.into_iter().map(print).collect()
    }

    fn print(&self, document: &String, to: &mut Vec<u8>) {
        // Lines of the template are not lines of the output.
        to.extend(document.bytes().filter(|byte| *byte != b'\n'));
    }
}
