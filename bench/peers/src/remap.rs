//! The mapping as a program of VRL, compiled once, with a function of our own for the look-up.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use bench::mapping::Mapping;
use bench::trade;
use vrl::compiler::prelude::*;
use vrl::compiler::runtime::Runtime;
use vrl::compiler::state::RuntimeState;
use vrl::compiler::{Program, TargetValue};
use vrl::value::Secrets;

const PROGRAM: &str = r#"
status = if .status == "TRADE_FINISHED" { "C" } else if .status == "WAIT_SELLER_SEND" { "A" } else { "B" }
entries = map_values(array!(.orders)) -> |line| {
    {
        "FMaterialId": line.skuCode,
        "FName": line.title,
        "FQty": line.num,
        "FAmount": round(to_float!(line.price) * int!(line.num), precision: 2)
    }
}
{
    "FBillNo": .tid,
    "FBuyer": .buyerNick,
    "FReceiver": .receiverName,
    "FPhone": .receiverMobile,
    "FPost": .postFee,
    "FShopId": to_string!(.shopId),
    "FAddress": string!(.receiverState) + string!(.receiverCity) + string!(.receiverAddress),
    "FRemark": "HUKE-" + string!(.tid) + "/" + string!(.shopNick),
    "FStatus": status,
    "FDate": format_timestamp!(from_unix_timestamp!(int!(.payTime), unit: "milliseconds"), "%Y-%m-%d %H:%M:%S", timezone: "Asia/Shanghai"),
    "FAmount": round(to_float!(.payment) + to_float!(.postFee) - to_float!(.discountFee), precision: 2),
    "FMemo": replace(string!(.sellerMemo), "\n", " "),
    "FCustId": customer(to_string!(.cid)),
    "FEntity": entries
}
"#;

static CUSTOMERS: OnceLock<HashMap<String, Value>> = OnceLock::new();

/// `customer(cid)`: what the target calls a customer.
#[derive(Debug, Clone, Copy)]
struct Customer;

impl Function for Customer {
    fn identifier(&self) -> &'static str {
        "customer"
    }

    fn usage(&self) -> &'static str {
        "finds the target's name of a customer"
    }

    fn category(&self) -> &'static str {
        "Map"
    }

    fn return_kind(&self) -> u16 {
        kind::BYTES
    }

    fn examples(&self) -> &'static [Example] {
        &[]
    }

    fn parameters(&self) -> &'static [Parameter] {
        const CID: &[Parameter] = &[Parameter::required("cid", kind::BYTES, "the customer")];
        CID
    }

    fn compile(
        &self,
        _: &state::TypeState,
        _: &mut FunctionCompileContext,
        arguments: ArgumentList,
    ) -> Compiled {
        let cid = arguments.required("cid");
        Ok(Find { cid }.as_expr())
    }
}

#[derive(Debug, Clone)]
struct Find {
    cid: Box<dyn Expression>,
}

impl FunctionExpression for Find {
    fn resolve(&self, cx: &mut Context) -> Resolved {
        let cid = self.cid.resolve(cx)?.try_bytes()?;
        let found = std::str::from_utf8(&cid)
            .ok()
            .and_then(|cid| CUSTOMERS.get()?.get(cid).cloned());
        Ok(found.unwrap_or(Value::Null))
    }

    fn type_def(&self, _: &state::TypeState) -> TypeDef {
        TypeDef::bytes().infallible()
    }
}

/// The mapping.
pub(crate) struct Remap {
    program: Program,
    runtime: Runtime,
    zone: TimeZone,
}

impl Remap {
    /// Compiles the program.
    pub(crate) fn new() -> Self {
        CUSTOMERS.get_or_init(|| {
            let pairs = trade::customers().into_iter();
            pairs.map(|(cid, id)| (cid, Value::from(id))).collect()
        });
        let mut functions = vrl::stdlib::all();
        functions.push(Box::new(Customer));
        let compiled = vrl::compiler::compile(PROGRAM, &functions)
            .unwrap_or_else(|problems| panic!("{}", vrl::diagnostic::Formatter::new(PROGRAM, problems)));
        Remap {
            program: compiled.program,
            runtime: Runtime::new(RuntimeState::default()),
            zone: TimeZone::default(),
        }
    }
}

impl Mapping for Remap {
    type Row<'r> = Value;
    type Out = Value;

    fn name(&self) -> &'static str {
        "VRL, one program"
    }

    fn parse(&self, json: &str) -> Value {
        serde_json::from_str(json).expect("a trade")
    }

    fn map(&mut self, page: Vec<Value>) -> Vec<Value> {
        page.into_iter()
            .map(|value| {
                let mut target = TargetValue {
                    value,
                    metadata: Value::Object(BTreeMap::new()),
                    secrets: Secrets::default(),
                };
                let document = self.runtime.resolve(&mut target, &self.program, &self.zone);
                self.runtime.clear();
                document.expect("our own program over our own row")
            })
            .collect()
    }

    fn print(&self, document: &Value, to: &mut Vec<u8>) {
        serde_json::to_writer(to, document).expect("memory takes everything");
    }
}
