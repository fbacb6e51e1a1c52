//! Toy functions, and two made-up systems in the manner of Huke and Kingdee.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::sync::{Arc, LazyLock};

use dsl::builtin::{Args, Builtin, Call, CallError, Param, Registry, Type, both};
use dsl::decimal::Decimal;
use dsl::diagnostic::{Lang, SourceFile, render};
use dsl::expr::sql::Sql;
use dsl::facts::{
    Action, ConnectorFacts, Environment, FilterKind, NotFound, OpKind, OperationFacts, OptionFacts, Owned,
    OwnedKind, PageFacts, Proof, SchemeFacts, SchemeLinks, TableFault, TableFile, Text2,
};
use dsl::path::Path;
use dsl::plan::Plan;
use dsl::scheme::{Compiled, compile_scheme};
use dsl::tree::{Compile, TreePlace, compile_tree};
use dsl::value::Value;

const fn toy(
    name: &'static str,
    params: &'static [Param],
    constant: bool,
    call: fn(&Args<'_>) -> Result<Sql<'static>, CallError>,
) -> Builtin {
    Builtin {
        name,
        aliases: &[],
        summary: both("玩具函数。", "A toy."),
        params,
        returns: Type::Any,
        ty: dsl::builtin::Typing::Text,
        examples: &[],
        constant,
        call: Call::Nullable(call),
    }
}

const ANY: Param = Param::rest("x", Type::Any, both("值。", "A value."));

static REPLACE: Builtin = toy(
    "REPLACE",
    &[
        Param::required("text", Type::Text, both("文本。", "A text.")),
        Param::required("from", Type::Text, both("被替换的。", "What goes.")),
        Param::required("to", Type::Text, both("替换成的。", "What comes.")),
    ],
    true,
    |args| Ok(Sql::text(args.text(0).replace(&*args.text(1), &args.text(2)))),
);
static CONCAT: Builtin = toy("CONCAT", &[ANY], true, |args| {
    Ok(Sql::text(
        (0..args.len())
            .map(|at| args.text(at).into_owned())
            .collect::<String>(),
    ))
});
static CURRENT_TIMESTAMP: Builtin = toy("CURRENT_TIMESTAMP", &[ANY], false, |_| Ok(Sql::Null));
static UNIX_TIMESTAMP: Builtin = toy("UNIX_TIMESTAMP", &[ANY], false, |args| {
    Ok(Sql::Decimal(Decimal::from_scaled(args.now_ms(), 3)))
});

/// Four toy functions; times always have three digits.
pub(crate) fn registry() -> Registry {
    Registry::new(&[&REPLACE, &CONCAT, &CURRENT_TIMESTAMP, &UNIX_TIMESTAMP])
}

pub(crate) fn json(text: &str) -> Value {
    dsl::json::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

pub(crate) fn path(text: &str) -> Path {
    Path::parse(text).expect("a path")
}

pub(crate) fn zone() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::get("Asia/Shanghai").expect("a zone")
}

fn option(name: &str, ty: &str) -> OptionFacts {
    OptionFacts {
        name: name.to_owned(),
        ty: ty.to_owned(),
        send: true,
        ..OptionFacts::default()
    }
}

struct System {
    id: &'static str,
    operations: Vec<(Vec<&'static str>, Arc<OperationFacts>)>,
}

impl ConnectorFacts for System {
    fn id(&self) -> &str {
        self.id
    }

    fn zone(&self) -> &str {
        "Asia/Shanghai"
    }

    fn min_interval_ms(&self) -> i64 {
        360_000
    }

    fn min_interval_reason(&self) -> Option<&Text2> {
        static REASON: LazyLock<Text2> = LazyLock::new(|| Text2 {
            zh: "互客接口按 6 分钟轮询".to_owned(),
            en: "Huke is polled every 6 minutes".to_owned(),
        });
        Some(&REASON)
    }

    fn operation(&self, api: &str) -> Result<Arc<OperationFacts>, NotFound> {
        let found = self.operations.iter().find(|(names, _)| names.contains(&api));
        found
            .map(|(_, operation)| Arc::clone(operation))
            .ok_or_else(|| NotFound {
                similar: Vec::new(),
                all: self
                    .operations
                    .iter()
                    .flat_map(|(names, _)| names.iter().map(|name| (*name).to_owned()))
                    .collect(),
            })
    }
}

fn huke() -> System {
    let registry = registry();
    let file = SourceFile::new(
        "connector.yaml",
        "source: \"2\"\ndealerList: []\ntimeRanges:\n  timeType: \"1\"\n  startTime: <<$window.start|ms|text>>\n  endTime: <<$window.end|ms|text>>\n  page: <<$page.number|text>>\n  pageSize: <<$page.size|text>>\n",
    );
    let node = dsl::yaml::read(&file).expect("a request");
    let mut cx = Compile::new(&file, &registry, TreePlace::CONNECTOR);
    let request = compile_tree(&node, &mut cx);
    assert!(cx.diags.is_empty(), "{:?}", cx.diags);
    let owned = |at: &str, what: OwnedKind| Owned {
        path: path(&format!("timeRanges.{at}")),
        what,
    };
    let trades = OperationFacts {
        request: Some(Arc::new(request)),
        request_owned: vec![
            owned("startTime", OwnedKind::WindowStart),
            owned("endTime", OwnedKind::WindowEnd),
            owned("page", OwnedKind::PageNumber),
            owned("pageSize", OwnedKind::PageSize),
        ],
        uses_window: true,
        page: Some(PageFacts {
            size: 10,
            max: 100,
            first: 1,
            by: dsl::facts::PageKind::Number,
            moves: false,
            ceiling: None,
            then_by_key: false,
        }),
        columns: Some(
            [
                "tid",
                "buyerCid",
                "buyerNick",
                "createTime",
                "remark",
                "orders.*.oid",
                "orders.*.outerId",
                "orders.*.qty",
            ]
            .map(str::to_owned)
            .to_vec(),
        ),
        ..OperationFacts::new("search_trades", OpKind::Read)
    };
    let archive = OperationFacts {
        filter: Some(FilterKind::Conditions(["eq", "gte"].map(str::to_owned).to_vec())),
        ..OperationFacts::new("list_archive", OpKind::Read)
    };
    let push = OperationFacts {
        options: vec![OptionFacts {
            required: true,
            ..option("topic", "text")
        }],
        columns: Some(["tid", "buyerCid"].map(str::to_owned).to_vec()),
        ..OperationFacts::new("trade_push", OpKind::Receive)
    };
    System {
        id: "netease-huke",
        operations: vec![
            (
                vec![
                    "search_trades",
                    "openapi/trade/searchTrades",
                    "trade/searchTrades",
                ],
                Arc::new(trades),
            ),
            (vec!["list_archive"], Arc::new(archive)),
            (vec!["trade_push"], Arc::new(push)),
        ],
    }
}

fn k3() -> System {
    let options = || {
        vec![
            OptionFacts {
                required: true,
                send: false,
                ..option("FormId", "text")
            },
            OptionFacts {
                constant: Some("BatchSave".into()),
                ..option("Operation", "text")
            },
            OptionFacts {
                default: Some(Value::Bool(false)),
                makes: vec!["submit".to_owned(), "audit".to_owned()],
                ..option("IsAutoSubmitAndAudit", "bool")
            },
            OptionFacts {
                needed_when: Some("update_with_lines".into()),
                ..option("IsDeleteEntry", "bool")
            },
        ]
    };
    let save = OperationFacts {
        options: options(),
        writes: vec![Action::Create, Action::Update],
        keys: Box::new(|options| match options.get("FormId").and_then(Value::as_text) {
            Some("BD_Customer") => vec![path("FCreateOrgId.FNumber"), path("FNumber")],
            Some(_) => vec![path("FBillNo")],
            None => Vec::new(),
        }),
        proof: Box::new(|options| match options.get("FormId").and_then(Value::as_text) {
            Some("BD_Customer") => Proof::UniqueKey,
            _ => Proof::Query,
        }),
        types: vec![
            ("FNumber".into(), "text".into()),
            ("FBillNo".into(), "text".into()),
        ],
        batch_max: 50,
        ..OperationFacts::new("batch_save", OpKind::Write)
    };
    let query = OperationFacts {
        options: vec![OptionFacts {
            required: true,
            ..option("FormId", "text")
        }],
        uses_window: true,
        window_by_field: true,
        fields_required: true,
        accepts_fields: true,
        filter: Some(FilterKind::SqlText),
        page: Some(PageFacts {
            size: 2000,
            max: 2000,
            first: 0,
            by: dsl::facts::PageKind::Number,
            moves: false,
            ceiling: None,
            then_by_key: false,
        }),
        ..OperationFacts::new("bill_query", OpKind::Read)
    };
    let step = |name: &str| OperationFacts {
        options: vec![
            OptionFacts {
                required: true,
                send: false,
                ..option("FormId", "text")
            },
            option("InterationFlags", "text"),
        ],
        writes: vec![Action::Step],
        batch_max: 20,
        proof: Box::new(|_| Proof::Query),
        ..OperationFacts::new(name, OpKind::Write)
    };
    let push = OperationFacts {
        writes: vec![Action::Create],
        key_under: Some(path("masterFieldVal")),
        ..OperationFacts::new("push", OpKind::Write)
    };
    let push_by_id = OperationFacts {
        options: vec![option("id", "text")],
        writes: vec![Action::Create, Action::Update],
        key_under: Some(path("masterFieldVal")),
        proof: Box::new(|_| Proof::Upsert),
        proof_needs: Some("id".to_owned()),
        ..OperationFacts::new("push_by_id", OpKind::Write)
    };
    System {
        id: "kingdee-k3cloud",
        operations: vec![
            (vec!["batch_save", "batchSave", "BatchSave"], Arc::new(save)),
            (vec!["bill_query", "executeBillQuery"], Arc::new(query)),
            (vec!["push"], Arc::new(push)),
            (vec!["push_by_id"], Arc::new(push_by_id)),
            (vec!["submit", "Submit"], Arc::new(step("submit"))),
            (vec!["audit"], Arc::new(step("audit"))),
        ],
    }
}

pub(crate) struct World;

impl Environment for World {
    fn table_file(&self, scheme_file: &str, path: &str) -> Result<TableFile, TableFault> {
        assert_eq!(scheme_file, "schemes/huke-to-k3.yaml");
        let text = match path {
            "maps/units.csv" => "code,name,number\n个,件,PCS\n箱,箱,CTN\n个,个,PCS\n",
            "maps/twice.csv" => "code,number\nA,1\nB,2\nA,3\n",
            _ => {
                return Err(TableFault {
                    zh: "没有这个文件".to_owned(),
                    en: "there is no such file".to_owned(),
                });
            }
        };
        let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
        let mut lines = (1..).zip(text.lines().map(cells));
        Ok(TableFile {
            columns: lines.next().map(|(_, columns)| columns).unwrap_or_default(),
            lines: lines.collect(),
        })
    }

    fn connection(&self, name: &str) -> Result<Arc<dyn ConnectorFacts>, NotFound> {
        match name {
            "huke" => Ok(Arc::new(huke())),
            "k3" => Ok(Arc::new(k3())),
            _ => Err(NotFound {
                similar: Vec::new(),
                all: vec!["huke".into(), "k3".into()],
            }),
        }
    }

    fn links(&self, name: &str) -> Result<SchemeLinks, NotFound> {
        let own = || Some("huke-to-k3".to_owned());
        let id = name.to_owned();
        Ok(match name {
            "taker" => SchemeLinks {
                id,
                takes_from: own(),
                gives_to: None,
                connection: Some("k3".to_owned()),
            },
            "giver" => SchemeLinks {
                id,
                takes_from: None,
                gives_to: own(),
                connection: Some("huke".to_owned()),
            },
            "round" => SchemeLinks {
                id,
                takes_from: own(),
                ..SchemeLinks::default()
            },
            "hides" => SchemeLinks {
                id,
                connection: Some("huke".to_owned()),
                ..SchemeLinks::default()
            },
            _ => SchemeLinks {
                id: self.scheme(name)?.id,
                ..SchemeLinks::default()
            },
        })
    }

    fn scheme(&self, name: &str) -> Result<SchemeFacts, NotFound> {
        let columns = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        match name {
            "huke-customers" => Ok(SchemeFacts {
                id: name.to_owned(),
                columns: columns(&["cid", "唯一ID", "unit.number"]),
                saved: vec!["k3_number".to_owned()],
                given: None,
                after: None,
                hidden: Some(Vec::new()),
            }),
            "hides" | "broken" => Ok(SchemeFacts {
                id: name.to_owned(),
                columns: columns(&["cid", "唯一ID", "lines.*.price"]),
                saved: Vec::new(),
                given: None,
                after: None,
                hidden: (name == "hides").then(|| {
                    let places = ["唯一ID", "lines.*.price"];
                    places
                        .map(|place| dsl::Path::parse(place).expect("a path"))
                        .to_vec()
                }),
            }),
            "trades" => Ok(SchemeFacts {
                id: name.to_owned(),
                columns: columns(&["tid", "tags.*", "orders.*.oid", "address.city"]),
                saved: Vec::new(),
                given: None,
                after: Some("a".to_owned()),
                hidden: Some(Vec::new()),
            }),
            "giver" => Ok(SchemeFacts {
                id: name.to_owned(),
                columns: None,
                saved: Vec::new(),
                given: columns(&["no", "name"]),
                after: None,
                hidden: Some(Vec::new()),
            }),
            "units" | "66da8241" => Ok(SchemeFacts {
                id: "units".into(),
                columns: None,
                saved: Vec::new(),
                given: None,
                after: None,
                hidden: Some(Vec::new()),
            }),
            _ => Err(NotFound {
                similar: Vec::new(),
                all: vec!["huke-customers".into(), "units".into()],
            }),
        }
    }
}

pub(crate) fn compile(text: &str) -> Compiled {
    compile_scheme(
        &SourceFile::new("schemes/huke-to-k3.yaml", text),
        &World,
        &registry(),
    )
}

/// The plan of a scheme that has no problems.
#[track_caller]
pub(crate) fn plan(text: &str) -> Plan {
    let compiled = compile(text);
    let errors = render(&compiled.diagnostics, Lang::En, false, 50);
    compiled.plan.unwrap_or_else(|| panic!("{errors}"))
}

/// The problems of a scheme, drawn.
pub(crate) fn drawn(text: &str, lang: Lang) -> String {
    render(&compile(text).diagnostics, lang, false, 50)
}

/// The codes of the problems of a scheme, in order, each with its line and column.
pub(crate) fn codes(text: &str) -> Vec<String> {
    let at = |diagnostic: &dsl::Diagnostic| {
        let (line, column) = diagnostic.position();
        format!("{} {line}:{column}", diagnostic.entry.code)
    };
    compile(text).diagnostics.iter().map(at).collect()
}

/// The main scheme: Huke's buyers to Kingdee's customers.
pub(crate) const CUSTOMERS: &str = "\
scheme: huke-to-k3
name: {zh: 网易互客成交客户 → 金蝶云星空客户, en: Huke buyers to Kingdee customers}
source:
  connection: huke
  api: openapi/trade/searchTrades
  request:
    source: \"2\"
    timeRanges:
      timeType: \"1\"
      startTime: _function REPLACE(unix_timestamp(current_timestamp(3))-72000,'.','')
      endTime: _function REPLACE(unix_timestamp(current_timestamp(3)),'.','')
      pageSize: \"20\"
  key: buyerCid
  label: buyerNick
target:
  connection: k3
  api: batchSave
  options: {FormId: BD_Customer, IsAutoSubmitAndAudit: true}
  request:
    FName: <<buyerNick>>
    FNumber: <<buyerCid>>
    FCreateOrgId: {FNumber: \"100\"}
    FUseOrgId: {FNumber: \"100\"}
    FDescription: _findCollection find 唯一ID from dd359ae0-f1c0-3d0a-b38e-df1d6bf1f756 where cid=<<buyerCid>>
  find: before_create
aliases: {dd359ae0-f1c0-3d0a-b38e-df1d6bf1f756: huke-customers}
schedule: {every: 6m}
tests:
  - name: a buyer
    row: {buyerCid: B000123, buyerNick: 杭州云杉贸易}
    lookups: {huke-customers: [{cid: B000123, 唯一ID: \"100482\"}]}
    expect: {FName: 杭州云杉贸易, FNumber: B000123, FCreateOrgId: {FNumber: \"100\"}, FUseOrgId: {FNumber: \"100\"}, FDescription: \"100482\"}
";
