//! The mapping as a scheme, through the code that a run uses: look-ups by page, then document by document.

use std::collections::HashMap;
use std::sync::Arc;

use dsl::builtin::Registry;
use dsl::diagnostic::{Lang, SourceFile, render};
use dsl::facts::{Action, ConnectorFacts, Environment, NotFound, OpKind, OperationFacts, SchemeFacts};
use dsl::lookup::{Found, Hits};
use dsl::plan::{Build, Plan, RecordCx};
use dsl::scheme::{Compiled, compile_scheme};
use dsl::value::Value;

use crate::mapping::Mapping;
use crate::trade;

const SCHEME: &str = r#"
scheme: trades
source: {connection: shop, api: trades, window: none, key: tid}
target:
  connection: erp
  api: save
  on_unknown: hold
  key: FBillNo
  request:
    FBillNo: <<tid>>
    FBuyer: <<buyerNick>>
    FReceiver: <<receiverName>>
    FPhone: <<receiverMobile>>
    FPost: <<postFee>>
    FShopId: <<shopId|text>>
    FAddress: <<receiverState>><<receiverCity>><<receiverAddress>>
    FRemark: HUKE-<<tid>>/<<shopNick>>
    FStatus: _function CASE <<status>> WHEN 'TRADE_FINISHED' THEN 'C' WHEN 'WAIT_SELLER_SEND' THEN 'A' ELSE 'B' END
    FDate: <<payTime|datetime>>
    FAmount: _function ROUND(<<payment>> + <<postFee>> - <<discountFee>>, 2)
    FMemo: "_function REPLACE(<<sellerMemo>>, '\n', ' ')"
    FCustId: {$lookup: customers, $get: id, $by: {cid: <<cid>>}}
    FEntity:
      $each: orders
      $do:
        FMaterialId: <<$line.skuCode>>
        FName: <<$line.title>>
        FQty: <<$line.num>>
        FAmount: _function ROUND(<<$line.price>> * <<$line.num>>, 2)
schedule: {every: 6m}
tests: []
"#;

/// The instant of the run.
pub(crate) const NOW_MS: i64 = 1_767_196_800_000;

/// The mapping.
pub struct Ours {
    plan: Plan,
    customers: HashMap<String, String>,
}

impl Ours {
    /// Compiles the scheme.
    ///
    /// # Panics
    /// When it has an error.
    pub fn new() -> Self {
        Ours {
            plan: plan(),
            customers: trade::customers(),
        }
    }
}

/// The scheme, compiled.
pub(crate) fn plan() -> Plan {
    let compiled = compiled(&functions::registry());
    let shown = render(&compiled.diagnostics, Lang::En, false, 20);
    compiled.plan.unwrap_or_else(|| panic!("{shown}"))
}

/// The scheme, compiled with these functions: what `check` and the start of a run do with a file.
pub(crate) fn compiled(registry: &Registry) -> Compiled {
    compile_scheme(&SourceFile::new("trades.yaml", SCHEME), &World, registry)
}

impl Default for Ours {
    fn default() -> Self {
        Ours::new()
    }
}

impl Mapping for Ours {
    type Row<'r> = Value;
    type Out = Value;

    fn name(&self) -> &'static str {
        "a scheme of ours"
    }

    fn parse(&self, json: &str) -> Value {
        dsl::json::parse(json.as_bytes()).expect("a trade")
    }

    fn map(&mut self, page: Vec<Value>) -> Vec<Value> {
        let target = self.plan.target.as_ref().expect("the scheme has a target");
        let cx = |row| RecordCx {
            row,
            key: "[\"T1\"]",
            label: "T1",
            target_id: None,
            target_number: None,
            action: Action::Create,
            line: None,
            now_ms: NOW_MS,
            zone: &self.plan.zone,
            line_ids: dsl::lines::LineIds::none(),
            steps: &[],
        };
        let mut hits = Hits::new();
        for level in 0..target.lookup_levels() {
            for row in &page {
                for want in target
                    .lookup_keys(level, &cx(row), &hits)
                    .expect("keys are fields")
                {
                    let found = self.customers.get(&want.keys[0]);
                    hits.insert(
                        &want,
                        found.map_or_else(Found::none, |id| Found::one(id.as_str().into())),
                    );
                }
            }
        }
        page.iter()
            .map(|row| match target.build(&cx(row), &hits, None) {
                Ok(Build::Built(built)) => built.payload,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    fn print(&self, document: &Value, to: &mut Vec<u8>) {
        dsl::json::write(document, to);
    }
}

/// One system that has trades and takes documents.
struct World;

impl Environment for World {
    fn connection(&self, _: &str) -> Result<Arc<dyn ConnectorFacts>, NotFound> {
        Ok(Arc::new(World))
    }

    fn scheme(&self, name: &str) -> Result<SchemeFacts, NotFound> {
        Ok(SchemeFacts {
            id: name.to_owned(),
            columns: None,
            saved: Vec::new(),
            given: None,
            after: None,
            hidden: Some(Vec::new()),
        })
    }
}

impl ConnectorFacts for World {
    fn id(&self) -> &str {
        "system"
    }

    fn zone(&self) -> &str {
        "Asia/Shanghai"
    }

    fn min_interval_ms(&self) -> i64 {
        360_000
    }

    fn operation(&self, api: &str) -> Result<Arc<OperationFacts>, NotFound> {
        let kind = if api == "save" {
            OpKind::Write
        } else {
            OpKind::Read
        };
        let mut facts = OperationFacts::new(api, kind);
        facts.writes = vec![Action::Create];
        Ok(Arc::new(facts))
    }
}
