//! Whole schemes: what a plan holds, rows to records, records to documents.

mod common;

use common::{CUSTOMERS, codes, json, path, plan, zone};
use dsl::facts::{Action, Proof};
use dsl::lines::LineIds;
use dsl::lookup::Hits;
use dsl::plan::{First, IngestCx, RecordCx, SweepWhen, When};
use dsl::target::Build;
use dsl::testing;
use dsl::tree::eval_value;
use dsl::value::Value;

const NOW: i64 = 1_700_000_000_100;

fn ingest(plan: &dsl::plan::Plan, row: &str) -> Vec<dsl::plan::Ingested> {
    plan.source.ingest(
        json(row),
        &IngestCx {
            now_ms: NOW,
            zone: &zone(),
            push: None,
            xml: false,
        },
    )
}

#[test]
fn the_main_scheme() {
    let plan = plan(CUSTOMERS);
    assert_eq!(plan.scheme, "huke-to-k3");
    assert_eq!(plan.revision.len(), 12);
    assert_eq!(plan.source.operation, "search_trades");
    assert_eq!(plan.source.page_size, Some(20));
    assert_eq!(plan.source.reads, [path("buyerCid"), path("buyerNick")]);
    assert_eq!(plan.schedule.as_ref().unwrap().when, When::Every(360_000));
    let target = plan.target.as_ref().unwrap();
    assert_eq!(target.actions(), [Action::Create, Action::Update]);
    assert_eq!(target.key, [path("FCreateOrgId.FNumber"), path("FNumber")]);
    assert_eq!((target.batch, target.proof), (50, Proof::UniqueKey));
    assert_eq!(
        plan.looks_up,
        [("huke-customers".to_owned(), vec![path("cid"), path("唯一ID")])]
    );
    for test in &plan.tests {
        let outcome = testing::run(&plan, test);
        assert!(outcome.passed, "{:?}", outcome.diff);
    }
}

#[test]
fn proposals_have_thirteen_digits_at_every_millisecond() {
    let plan = plan(CUSTOMERS);
    for ms in 0..1000 {
        let now_ms = 1_700_000_000_000 + ms;
        let proposal = plan.source.proposal(now_ms, &zone(), &Hits::new()).unwrap();
        assert_eq!(proposal.start_ms, Some(now_ms - 72_000_000));
        assert_eq!(proposal.end_ms, Some(now_ms));
    }
}

struct Window;

impl dsl::tree::Scope for Window {
    fn field(&self, _: usize, _: &dsl::Path) -> Option<std::borrow::Cow<'_, Value>> {
        None
    }
    fn name(&self, path: &dsl::Path) -> Option<std::borrow::Cow<'_, Value>> {
        let value = match path.to_string().as_str() {
            "$window.start" => Value::Instant(dsl::Instant { ms: NOW - 1000 }),
            "$window.end" => Value::Instant(dsl::Instant { ms: NOW }),
            "$page.number" => Value::from(3),
            "$page.size" => Value::from(20),
            _ => return None,
        };
        Some(std::borrow::Cow::Owned(value))
    }
    fn now_ms(&self) -> i64 {
        NOW + 5
    }
    fn zone(&self) -> &jiff::tz::TimeZone {
        static UTC: jiff::tz::TimeZone = jiff::tz::TimeZone::UTC;
        &UTC
    }
    fn action(&self) -> Option<Action> {
        None
    }
}

fn sent(scheme: &str) -> String {
    let plan = plan(scheme);
    let request = plan.source.request.expect("a request");
    dsl::json::to_string(&eval_value(&request, &Window, &Hits::new()).unwrap().unwrap())
}

#[test]
fn owned_places_stay_the_engines() {
    assert_eq!(
        sent(CUSTOMERS),
        r#"{"source":"2","dealerList":[],"timeRanges":{"timeType":"1","startTime":"1699999999100","endTime":"1700000000100","page":"3","pageSize":"20"}}"#
    );
    // The author's expression gives a number, so the place is printed as one; a page size of another kind likewise.
    let numbers = CUSTOMERS
        .replace(
            "_function REPLACE(unix_timestamp(current_timestamp(3))-72000,'.','')",
            "_function unix_timestamp()*1000",
        )
        .replace("pageSize: \"20\"", "pageSize: 20");
    assert!(
        sent(&numbers)
            .contains(r#""startTime":1699999999100,"endTime":"1700000000100","page":"3","pageSize":20"#)
    );
    // A value with the window replaces format and place, in both spellings.
    let own = CUSTOMERS
        .replace(
            "_function REPLACE(unix_timestamp(current_timestamp(3))-72000,'.','')",
            "\"{{LAST_SYNC_TIME}}000\"",
        )
        .replace(
            "_function REPLACE(unix_timestamp(current_timestamp(3)),'.','')",
            "<<CURRENT_TIME|datetime>>",
        );
    assert!(
        sent(&own).contains(r#""startTime":"1699999999000","endTime":"2023-11-14 22:13:20""#),
        "{}",
        sent(&own)
    );
}

#[test]
fn keys_and_labels() {
    let plan = plan(CUSTOMERS);
    let key = |row: &str| ingest(&plan, row).remove(0).key;
    assert_eq!(key(r#"{"buyerCid":"00123"}"#).unwrap(), r#"["00123"]"#);
    assert_eq!(
        key(r#"{"buyerCid":1.50}"#).unwrap(),
        r#"["1.50"]"#,
        "a number prints as it was written"
    );
    assert_eq!(
        key(r#"{"buyerCid":1234567890123456789}"#).unwrap(),
        r#"["1234567890123456789"]"#
    );
    for row in [
        r#"{"buyerCid":""}"#,
        r#"{"buyerCid":null}"#,
        r#"{}"#,
        r#"{"buyerCid":["a"]}"#,
    ] {
        let failure = key(row).unwrap_err();
        assert_eq!(
            (failure.code(), failure.field.as_deref()),
            ("E2002", Some("buyerCid")),
            "{row}"
        );
    }
    let label = |row: &str| ingest(&plan, row).remove(0).label;
    assert_eq!(label(r#"{"buyerCid":"1","buyerNick":"张三"}"#), "张三");
    assert_eq!(label(r#"{"buyerCid":"1"}"#), "1");
}

#[test]
fn versions_follow_what_the_target_reads() {
    let plan = plan(CUSTOMERS);
    let version = |row: &str| ingest(&plan, row).remove(0).version;
    let base = version(r#"{"buyerCid":"1","buyerNick":"张三","remark":"x"}"#);
    assert_eq!(base.len(), 16);
    assert_eq!(
        base,
        version(r#"{"remark":"y","buyerNick":"张三","buyerCid":"1"}"#),
        "order and unread fields"
    );
    assert_ne!(base, version(r#"{"buyerCid":"1","buyerNick":"李四"}"#));
    assert_ne!(base, version(r#"{"buyerCid":"1"}"#), "absent is not empty");
    assert_ne!(
        version(r#"{"buyerCid":"1"}"#),
        version(r#"{"buyerCid":"1","buyerNick":null}"#)
    );
    assert_ne!(
        version(r#"{"buyerCid":"1"}"#),
        version(r#"{"buyerCid":1}"#),
        "kinds differ"
    );
    // A change of the algorithm makes every stored record look changed: never by accident.
    assert_eq!(version(r#"{"buyerCid":"1","buyerNick":"张三"}"#), base);
    assert_eq!(base, "9729e6319ebbbaec");
}

const STORE: &str = "\
scheme: huke-customers
source:
  connection: k3
  api: executeBillQuery
  options: {FormId: BD_Account}
  fields: {id: FACCTID, number: FNumber, 名称: FName.x}
  window: none
  key: id
target: none
schedule: {every: 2h}
";

#[test]
fn a_scheme_that_only_stores() {
    let plan = plan(STORE);
    assert!(plan.target.is_none() && plan.source.window.none);
    let version = |row: &str| ingest(&plan, row).remove(0).version;
    assert_ne!(
        version(r#"{"id":"1","number":"2"}"#),
        version(r#"{"id":"1","number":"3"}"#),
        "all of the row counts"
    );
    assert_eq!(
        version(r#"{"id":"1","number":"2"}"#),
        version(r#"{"number":"2","id":"1"}"#)
    );
}

fn order(source: &str, request: &str) -> String {
    format!(
        "scheme: orders\nsource:\n  connection: huke\n  api: search_trades\n{source}target:\n  connection: k3\n  api: batchSave\n  options: {{FormId: SAL_SaleOrder}}\n  actions: [create]\n  request:\n    FBillNo: <<tid>>\n{request}schedule: {{every: 6m}}\n"
    )
}

#[test]
fn explode_derive_keep_void() {
    let text = order(
        "  explode: orders\n  derive:\n    date: <<createTime|date>>\n    code: <<date>>-<<$row>>\n  keep: {field: orders.qty, gt: 0}\n  key: [tid, $row]\n  void: {field: remark, eq: 作废}\n",
        "    FNote: <<code>>\n    FQty: <<orders.qty>>\n",
    );
    let plan = plan(&text);
    let records = ingest(
        &plan,
        r#"{"tid":"T1","createTime":1700000000000,"remark":"作废","orders":[{"qty":2},{"qty":"0"},{"qty":1.50}]}"#,
    );
    let keys: Vec<_> = records.iter().map(|record| record.key.clone().unwrap()).collect();
    assert_eq!(keys, [r#"["T1","1"]"#, r#"["T1","2"]"#, r#"["T1","3"]"#]);
    let kept: Vec<_> = records.iter().map(|record| record.kept).collect();
    assert_eq!(kept, [Ok(()), Err("filter"), Ok(())]);
    assert!(records.iter().all(|record| record.void && record.fault.is_none()));
    assert_eq!(records[2].row.get("code"), Some(&"2023-11-15-3".into()));
    let empty = ingest(&plan, r#"{"tid":"T1","createTime":1700000000000,"orders":[]}"#);
    assert_eq!(
        (empty.len(), empty[0].kept),
        (1, Err("explode_empty")),
        "a row without lines is not lost silently"
    );
    let broken = ingest(&plan, r#"{"tid":"T1","createTime":"昨天","orders":[{"qty":1}]}"#);
    assert_eq!(broken[0].fault.as_ref().map(|fault| fault.code()), Some("E2009"));
    assert!(broken[0].key.is_ok(), "a fault is found under the record's key");
}

#[test]
fn one_line_of_xml_is_a_list_of_one() {
    let target = "    FLines:\n      $each: orders\n      $do:\n        qty: <<$line.qty>>\n        lots: {$each: $line.oid, $missing: omit, $do: <<$line>>}\n";
    let silent = plan(&order("  key: tid\n", target));
    let said = plan(&order("  lists: [orders, orders.*.oid]\n  key: tid\n", target));
    assert_eq!(silent.source.each, [path("orders"), path("orders.*.oid")]);
    let sent = |plan: &dsl::plan::Plan, xml: bool, row: &str| {
        let zone = zone();
        let cx = IngestCx {
            now_ms: NOW,
            zone: &zone,
            push: None,
            xml,
        };
        let record = plan.source.ingest(json(row), &cx).remove(0);
        let cx = RecordCx {
            row: &record.row,
            key: &record.key.unwrap(),
            label: &record.label,
            target_id: None,
            target_number: None,
            action: Action::Create,
            line: None,
            now_ms: NOW,
            zone: &zone,
            line_ids: LineIds::none(),
            steps: &[],
        };
        match plan.target.as_ref().unwrap().build(&cx, &Hits::new(), None) {
            Ok(Build::Built(built)) => dsl::json::to_string(built.payload.get("FLines").unwrap()),
            Ok(Build::Defer(want)) => panic!("waits for {want:?}"),
            Err(failure) => failure.code().to_owned(),
        }
    };
    for (row, want, json, of_xml) in [
        (
            r#"{"tid":"1","orders":{"qty":1,"oid":"a"}}"#,
            r#"[{"qty":1,"lots":["a"]}]"#,
            "E2011",
            r#"[{"qty":1,"lots":["a"]}]"#,
        ),
        (
            r#"{"tid":"1","orders":[{"qty":1,"oid":["a","b"]}]}"#,
            r#"[{"qty":1,"lots":["a","b"]}]"#,
            r#"[{"qty":1,"lots":["a","b"]}]"#,
            r#"[{"qty":1,"lots":["a","b"]}]"#,
        ),
        (r#"{"tid":"1","orders":""}"#, "[]", "E2011", "[]"),
        // A name that is misspelt is told from no lines only by the scheme.
        (r#"{"tid":"1"}"#, "[]", "E2001", "E2001"),
    ] {
        assert_eq!(sent(&said, false, row), want, "{row}");
        assert_eq!(sent(&said, true, row), want, "{row}");
        assert_eq!(sent(&silent, false, row), json, "{row}");
        assert_eq!(sent(&silent, true, row), of_xml, "{row}");
    }
}

#[test]
fn keep_on_lines() {
    let source = "  keep: {field: orders.qty, gt: 0}\n  key: tid\n";
    let lines =
        "    FSaleOrderEntry:\n      $each: orders\n      $do: {FQty: <<orders.qty>>, no: <<$index>>}\n";
    let row = r#"{"tid":"T1","orders":[{"qty":2},{"qty":0},{"qty":3}]}"#;
    let records = ingest(&plan(&order(source, lines)), row);
    assert_eq!(
        records[0].row.get("orders"),
        Some(&json(r#"[{"qty":2},{"qty":3}]"#))
    );
    let strict = source.replace("gt: 0}", "gt: 0, on_line: drop_record}");
    assert_eq!(ingest(&plan(&order(&strict, lines)), row)[0].kept, Err("filter"));
}

/// A part of the condition that says so must hold for every line; the others drop the lines for which they do not.
#[test]
fn keep_asks_some_things_of_every_line() {
    let kept = |cond: &str, orders: &str| {
        let source = format!("  keep: {cond}\n  key: tid\n");
        let records = ingest(
            &plan(&order(&source, "")),
            &format!(r#"{{"tid":"T1","orders":{orders}}}"#),
        );
        match records[0].kept {
            Ok(()) => dsl::json::to_string(records[0].row.get("orders").unwrap()),
            Err(why) => why.to_owned(),
        }
    };
    let strict = "{field: orders.outerId, eq: a, on_line: drop_record}";
    let loose = "{field: orders.qty, gt: 0}";
    let all = format!("{{all: [{strict}, {loose}]}}");
    assert_eq!(
        kept(&all, r#"[{"outerId":"a","qty":1},{"outerId":"a","qty":0}]"#),
        r#"[{"outerId":"a","qty":1}]"#
    );
    assert_eq!(
        kept(&all, r#"[{"outerId":"a","qty":1},{"outerId":"b","qty":1}]"#),
        "filter"
    );
    // As one of several ways it is a matter of the record, the other one of the line.
    let any = format!("{{any: [{strict}, {loose}]}}");
    let mixed = r#"[{"outerId":"a","qty":0},{"outerId":"b","qty":1}]"#;
    assert_eq!(kept(&any, mixed), r#"[{"outerId":"b","qty":1}]"#);
    let same = r#"[{"outerId":"a","qty":0},{"outerId":"a","qty":1}]"#;
    assert_eq!(kept(&any, same), same);
    // `not` may say it as well: no line is without a name.
    let none = "{not: {field: orders.outerId, is: empty}, on_line: drop_record}";
    assert_eq!(kept(none, mixed), mixed);
    assert_eq!(
        kept(&format!("{{all: [{none}]}}"), r#"[{"outerId":"a"},{"qty":1}]"#),
        "filter"
    );
    assert_eq!(kept(&format!("{{all: [{none}]}}"), mixed), mixed);
    // Said outright, a line is what is dropped.
    let said = all.replace("drop_record", "drop_line");
    assert_eq!(
        kept(&said, mixed.replace("\"qty\":0", "\"qty\":2").as_str()),
        r#"[{"outerId":"a","qty":2}]"#
    );
    // Elsewhere a condition has no lines to drop.
    let void = order(&format!("  void: {strict}\n  key: tid\n"), "");
    assert_eq!(common::codes(&void), ["E1227 5:40"]);
    let bad = order(
        "  keep: {all: [{field: orders.qty, gt: 0, on_line: stop}]}\n  key: tid\n",
        "",
    );
    assert_eq!(common::codes(&bad), ["E1102 5:52"]);
}

fn build(plan: &dsl::plan::Plan, row: &str, action: Action) -> Result<Build, dsl::Failure> {
    let record = ingest(plan, row).remove(0);
    let zone = zone();
    let cx = RecordCx {
        row: &record.row,
        key: &record.key.unwrap(),
        label: &record.label,
        target_id: (action != Action::Create).then_some("900"),
        target_number: None,
        action,
        line: None,
        now_ms: NOW,
        zone: &zone,
        line_ids: LineIds::none(),
        steps: &[],
    };
    plan.target.as_ref().unwrap().build(&cx, &Hits::new(), None)
}

fn payload(plan: &dsl::plan::Plan, row: &str, action: Action) -> String {
    match build(plan, row, action).unwrap() {
        Build::Built(built) => dsl::json::to_string(&built.payload),
        Build::Defer(want) => panic!("waits for {want:?}"),
    }
}

#[test]
fn documents() {
    let text = order(
        "  key: tid\n",
        "    id: {$value: <<$target.id>>, $only: update}\n    FNo: {FNumber: <<remark>>}\n    FSaleOrderEntry:\n      $each: orders\n      $key: oid\n      $where: {field: $line.qty, gt: 0}\n      $do:\n        FMaterialId: {FNumber: <<orders.outerId>>}\n        FQty: {$value: <<$line.qty>>, $type: decimal}\n        FNote: <<tid>>-<<$index>>\n        FLot: {FNumber: {$value: <<orders.lot>>, $empty: omit}}\n",
    )
    .replace("actions: [create]", "actions: [create, update]")
    .replace("{FormId: SAL_SaleOrder}", "{FormId: SAL_SaleOrder, IsDeleteEntry: true}")
        + "tests:\n  - {name: t, row: {orders: [{lot: a}]}, expect: {}}\n";
    let plan = plan(&text);
    let row = r#"{"tid":1000000000000000001,"remark":7,"orders":[{"oid":1,"outerId":42,"qty":"1.50"},{"outerId":"x","qty":0},{"oid":"2","outerId":"007","qty":2,"lot":"L1"}]}"#;
    assert_eq!(
        payload(&plan, row, Action::Create),
        r#"{"FBillNo":"1000000000000000001","FNo":{"FNumber":"7"},"FSaleOrderEntry":[{"FMaterialId":{"FNumber":"42"},"FQty":1.50,"FNote":"1000000000000000001-1"},{"FMaterialId":{"FNumber":"007"},"FQty":2,"FNote":"1000000000000000001-3","FLot":{"FNumber":"L1"}}]}"#
    );
    assert!(payload(&plan, row, Action::Update).contains(r#""id":"900""#));
    let Build::Built(built) = build(&plan, row, Action::Create).unwrap() else {
        panic!("a document")
    };
    assert_eq!(built.tkey, ["1000000000000000001"]);
    let failure = build(
        &plan,
        r#"{"tid":"1","remark":"a","orders":[{"oid":1,"qty":"viel","outerId":"x"}]}"#,
        Action::Create,
    );
    let failure = failure.unwrap_err();
    assert_eq!(
        (failure.code(), failure.field.as_deref()),
        ("E2003", Some("FSaleOrderEntry.0.FQty"))
    );
}

#[test]
fn missing_fields_name_field_and_path() {
    let plan = plan(CUSTOMERS);
    let failure = build(&plan, r#"{"buyerCid":"1"}"#, Action::Create).unwrap_err();
    assert_eq!(
        (failure.code(), failure.field.as_deref()),
        ("E2001", Some("FName"))
    );
    assert!(failure.message(dsl::Lang::Zh).contains("buyerNick"));
}

#[test]
fn failing_tests_say_where() {
    let mut plan = plan(CUSTOMERS);
    plan.tests[0].expect = json(r#"{"FName":"别的","FNumber":"B000123","Extra":1}"#);
    let outcome = testing::run(&plan, &plan.tests[0]);
    let lines: Vec<String> = outcome
        .diff
        .iter()
        .map(|difference| difference.line(dsl::Lang::Zh))
        .collect();
    assert_eq!(
        lines,
        [
            "FName:应为 \"别的\",实际 \"杭州云杉贸易\"",
            "Extra:应为 1,实际没有",
            "FCreateOrgId:不应有,实际 {\"FNumber\":\"100\"}",
            "FUseOrgId:不应有,实际 {\"FNumber\":\"100\"}",
            "FDescription:不应有,实际 \"100482\"",
        ]
    );
}

#[test]
fn windows() {
    let first = |text: &str| {
        let scheme = CUSTOMERS.replace(
            "  key: buyerCid",
            &format!("  window: {{first: {text}}}\n  key: buyerCid"),
        );
        plan(&scheme).source.window.first
    };
    assert_eq!(first("-7d"), Some(First::Ago(604_800_000)));
    assert_eq!(
        first("2023-11-15"),
        Some(First::At(1_699_977_600_000)),
        "in the connector's zone"
    );
    let window = plan(CUSTOMERS).source.window;
    assert_eq!(
        (window.overlap_ms, window.settle_ms, window.max_ms),
        (120_000, 60_000, 86_400_000)
    );
}

/// A row by which older and newer are told, and one by which they cannot be.
#[test]
fn ranks() {
    let scheme = CUSTOMERS.replace("  key: buyerCid", "  key: buyerCid\n  newest_by: createTime");
    let plan = plan(&scheme);
    let cx = dsl::plan::IngestCx {
        now_ms: 0,
        zone: &plan.source.zone,
        push: None,
        xml: false,
    };
    let rank = |row: &str| {
        let ingested = plan.source.ingest(json(row), &cx).remove(0);
        match ingested.fault {
            None => Ok(ingested.rank),
            Some(failure) => Err(failure.code().to_owned()),
        }
    };
    let of = |time: &str| {
        rank(&format!(
            r#"{{"buyerCid":"1","buyerNick":"a","createTime":{time}}}"#
        ))
    };
    assert_eq!(of("17"), Ok(Some(17)));
    assert_eq!(of("\"1699977600000\""), Ok(Some(1_699_977_600_000)));
    assert_eq!(
        of("\"2023-11-15\""),
        Ok(Some(1_699_977_600_000)),
        "in the zone of the source"
    );
    for bad in ["null", "\"\"", "\"soon\"", "1.5", "[]"] {
        assert_eq!(of(bad), Err("E2022".to_owned()), "{bad}");
    }
}

/// A second pass has bounds of its own and the source's request, with its own laid over.
#[test]
fn sweeps() {
    let with =
        |sweep: &str| CUSTOMERS.replace("  key: buyerCid", &format!("  sweep: {sweep}\n  key: buyerCid"));
    let plan = plan(&with(
        "{every: 1d, window: {start: -2d, end: -1d}, request: {source: \"3\"}}",
    ));
    let sweep = plan.source.sweep.expect("a sweep");
    assert_eq!(
        (&sweep.when, sweep.start_ago_ms, sweep.end_ago_ms),
        (&SweepWhen::Every(86_400_000), 172_800_000, 86_400_000)
    );
    let source = |tree: &dsl::tree::Tree| tree.at(&path("source")).and_then(|part| part.constant());
    assert_eq!(source(&sweep.request.expect("a request")), Some("3".into()));
    assert_ne!(source(&plan.source.request.expect("a request")), Some("3".into()));
    let never = with("{cron: \"0 0 30 2 *\", window: {start: -2d, end: -1d}}");
    let found = common::compile(&never).diagnostics;
    assert_eq!(
        found.iter().map(|one| one.entry.code).collect::<Vec<_>>(),
        ["E1183"]
    );
    // At night, by the clock of the scheme.
    let by_cron = with("{cron: \"2 2 * * *\", window: {start: -2d, end: -1d}}");
    match self::plan(&by_cron).source.sweep.expect("a sweep").when {
        SweepWhen::Cron(cron, zone) => {
            assert_eq!(
                (cron.text(), zone.iana_name()),
                ("2 2 * * *", Some("Asia/Shanghai"))
            );
        }
        SweepWhen::Every(every) => panic!("every {every} ms"),
    }
}

#[test]
fn versions_see_lines_by_the_fields_that_are_read() {
    let text = order(
        "  key: tid\n",
        "    FSaleOrderEntry:\n      $each: orders\n      $do: {FQty: <<$line.qty>>}\n",
    );
    let plan = plan(&text);
    let version = |orders: &str| {
        ingest(&plan, &format!(r#"{{"tid":"1","orders":{orders}}}"#))
            .remove(0)
            .version
    };
    let base = version(r#"[{"qty":1,"x":1},{"qty":2}]"#);
    assert_eq!(base, version(r#"[{"x":2,"qty":1},{"qty":2,"y":3}]"#));
    assert_ne!(base, version(r#"[{"qty":1},{"qty":2},{}]"#));
    assert_ne!(base, version(r#"[{"qty":2},{"qty":1}]"#));
}

#[test]
fn a_secret_of_let_stays_one() {
    let text = order(
        "  key: tid\n",
        "    FNote: <<$let.said>>\n    FOpen: <<$let.card.open>>\n    FCard: {$json: {c: <<$let.card>>}}\n    FTyped: {$value: <<$let.said>>, $type: int}\n",
    )
    .replace(
        "  request:",
        "  let:\n    card: {no: {$value: <<remark>>, $sensitive: true}, open: 1}\n    said: no. <<$let.card.no>>\n  request:",
    );
    let plan = plan(&text);
    let places: Vec<String> = plan
        .target
        .as_ref()
        .unwrap()
        .sensitive
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(places, ["FNote", "FCard", "FTyped"]);
    let failure = build(&plan, r#"{"tid":"1","remark":"4711"}"#, Action::Create).unwrap_err();
    assert!(!format!("{failure:?}").contains("4711"), "{failure:?}");
}

#[test]
fn a_typed_place_that_is_secret_tells_no_value() {
    let text = order(
        "  key: tid\n",
        "    FCard: {FNote: {$value: <<remark>>, $sensitive: true}}\n",
    );
    let mut plan = plan(&text);
    plan.target.as_mut().unwrap().types = vec![("FNote".into(), "int".into())];
    let failure = build(&plan, r#"{"tid":"1","remark":"viel"}"#, Action::Create).unwrap_err();
    assert_eq!(failure.field.as_deref(), Some("FCard.FNote"));
    assert!(!format!("{failure:?}").contains("viel"), "{failure:?}");
}

/// Which steps a document gets, in which order, and which of them the target makes by itself.
#[test]
fn steps_of_a_document() {
    let steps = |scheme: &str| -> Vec<(String, String, bool)> {
        let target = plan(scheme).target.expect("a target");
        let steps = target.steps.into_iter();
        steps
            .map(|step| (step.name, step.operation, step.by_itself))
            .collect()
    };
    let named = |list: &[(&str, &str, bool)]| -> Vec<(String, String, bool)> {
        let list = list.iter();
        list.map(|(name, operation, by_itself)| ((*name).to_owned(), (*operation).to_owned(), *by_itself))
            .collect()
    };
    let api = "  api: batchSave\n  options: {FormId: BD_Customer, IsAutoSubmitAndAudit: true}";
    assert!(CUSTOMERS.contains(api), "{CUSTOMERS}");
    let with = |text: &str| CUSTOMERS.replace(api, text);
    assert_eq!(
        steps(CUSTOMERS),
        named(&[("submit", "submit", true), ("audit", "audit", true)]),
        "what the target makes in the same call may be left to make"
    );
    let plain = with("  api: batchSave\n  options: {FormId: BD_Customer}");
    assert_eq!(steps(&plain), []);
    let short = with("  steps: [batchSave, Submit]\n  options: {FormId: BD_Customer}");
    assert_eq!(steps(&short), named(&[("submit", "submit", false)]));
    let long = with(
        "  steps:\n    - {api: batchSave, options: {IsAutoSubmitAndAudit: true}}\n    - submit\n    - {step: check, api: audit, when: {field: buyerNick, eq: a}, options: {InterationFlags: X}}\n  options: {FormId: BD_Customer}",
    );
    assert_eq!(
        steps(&long),
        named(&[("submit", "submit", true), ("check", "audit", true)])
    );
    let plan = plan(&long);
    let target = plan.target.as_ref().unwrap();
    assert_eq!(target.actions(), [Action::Create, Action::Update]);
    assert_eq!((target.steps[1].batch, target.steps[1].proof), (20, Proof::Query));
    let wanted = |nick: &str, place: usize| {
        let row = json(&format!(r#"{{"buyerCid":"1","buyerNick":"{nick}"}}"#));
        let zone = zone();
        let cx = RecordCx {
            row: &row,
            key: "[\"1\"]",
            label: "",
            target_id: None,
            target_number: None,
            action: Action::Step,
            line: None,
            now_ms: NOW,
            zone: &zone,
            line_ids: LineIds::none(),
            steps: &[],
        };
        let options = target.step_options(&cx, &target.steps[1]).unwrap();
        assert_eq!(
            dsl::json::to_string(&options),
            r#"{"FormId":"BD_Customer","InterationFlags":"X"}"#
        );
        let call = target.call_from(&cx, place, None, &|_| false).unwrap();
        call.and_then(|call| target.step(&call))
    };
    assert_eq!(
        [wanted("a", 0), wanted("a", 1), wanted("a", 2)],
        [Some(0), Some(1), None]
    );
    assert_eq!([wanted("b", 0), wanted("b", 1)], [Some(0), None]);
    assert_eq!(target.step("check"), Some(1));
}

const KEPT: &str = "\
scheme: huke-to-k3
source:
  connection: huke
  api: openapi/trade/searchTrades
  key: buyerCid
target:
  connection: k3
  api: batchSave
  options: {FormId: BD_Customer}
  request:
    FNumber: <<buyerCid>>
    FCreateOrgId: {FNumber: \"100\"}
    FSeller: {$map: <<seller>>, $table: staff}
    FUnit: {$map: <<unit>>, $table: units, $missing: empty}
    FParent: {$map: <<parent>>, $table: customers, $missing: \"null\"}
    FBack: {$map: <<back>>, $table: sources, $default: none}
maps:
  staff: {field_mapping: employee}
  units: {field_mapping: unit, channel: OA, data_center: dc, from: fs_name, to: erp_name}
  customers: {data_mapping: huke-customers}
  sources: {data_mapping: huke-customers, reverse: true}
schedule: {every: 6m}
tests:
  - name: all of them are there
    row: {buyerCid: \"1\", seller: 7, unit: 个, parent: p1, back: d1}
    lookups:
      staff: [{fs_id: \"7\", erp_id: E7}]
      units: [{fs_name: 个, erp_name: PCS}]
      huke-customers: [{$key: p1, $target.id: d1}]
    expect: {FNumber: \"1\", FCreateOrgId: {FNumber: \"100\"}, FSeller: E7, FUnit: PCS, FParent: d1, FBack: p1}
  - name: what is not there is missing
    row: {buyerCid: \"1\", seller: 7, unit: 个, parent: p1, back: d1}
    lookups: {staff: [{fs_id: \"7\", erp_id: E7}]}
    expect: {FNumber: \"1\", FCreateOrgId: {FNumber: \"100\"}, FSeller: E7, FUnit: \"\", FParent: null, FBack: none}
";

#[test]
fn tables_that_the_engine_keeps() {
    let plan = plan(KEPT);
    let names: Vec<&str> = plan.field_tables.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["staff", "units"]);
    let units = &plan.field_tables[1].1;
    assert_eq!(
        (
            units.data_type.as_str(),
            units.channel.as_deref(),
            units.data_center.as_deref()
        ),
        ("unit", Some("OA"), Some("dc"))
    );
    assert_eq!(plan.looks_up.len(), 1, "{:?}", plan.looks_up);
    for test in &plan.tests {
        let outcome = testing::run(&plan, test);
        assert!(outcome.passed, "{}: {:?}", outcome.name, outcome.diff);
    }
    // A value that nobody knows fails the record, as with a table of constants.
    let mut unknown = plan.tests[0].clone();
    unknown.lookups.clear();
    let outcome = testing::run(&plan, &unknown);
    let line = outcome.diff[0].line(dsl::Lang::En);
    assert!(line.starts_with("E2006") && line.contains("`7`"), "{line}");
}

/// Two columns of a file beside the scheme, as if they were written in it.
#[test]
fn tables_of_files() {
    let text = KEPT
        .replace(
            "units: {field_mapping: unit, channel: OA, data_center: dc, from: fs_name, to: erp_name}",
            "units: {file: maps/units.csv, from: code, to: number}",
        )
        .replace("      units: [{fs_name: 个, erp_name: PCS}]\n", "")
        .replace(
            "expect: {FNumber: \"1\", FCreateOrgId: {FNumber: \"100\"}, FSeller: E7, FUnit: \"\"",
            "expect: {FNumber: \"1\", FCreateOrgId: {FNumber: \"100\"}, FSeller: E7, FUnit: PCS",
        );
    let plan = plan(&text);
    for test in &plan.tests {
        let outcome = testing::run(&plan, test);
        assert!(outcome.passed, "{}: {:?}", outcome.name, outcome.diff);
    }
    let mut unknown = plan.tests[1].clone();
    unknown.rows = vec![json(
        r#"{"buyerCid":"1","seller":7,"unit":"打","parent":"p1","back":"d1"}"#,
    )];
    let outcome = testing::run(&plan, &unknown);
    assert!(
        !outcome.passed,
        "`打` is not in the file, and `$missing: empty` leaves it empty"
    );
}

#[test]
fn tables_that_do_not_fit() {
    for (from, to, code) in [
        ("staff: {field_mapping: employee}", "staff: {}", "E1104"),
        (
            "staff: {field_mapping: employee}",
            "staff: {field_mapping: employee, data_mapping: units}",
            "E1104",
        ),
        (
            "staff: {field_mapping: employee}",
            "staff: {field_mapping: employee, reverse: true}",
            "E1196",
        ),
        ("staff: {field_mapping: employee}", "staff: {to: fs_id}", "E1196"),
        (
            "staff: {field_mapping: employee}",
            "staff: {file: maps/units.csv, from: code}",
            "E1104",
        ),
        (
            "staff: {field_mapping: employee}",
            "staff: {file: maps/unit.csv, from: code, to: number}",
            "E1760",
        ),
        (
            "staff: {field_mapping: employee}",
            "staff: {file: maps/units.csv, from: code, to: Number}",
            "E1761",
        ),
        (
            "staff: {field_mapping: employee}",
            "staff: {file: maps/twice.csv, from: code, to: number}",
            "E1762",
        ),
        (
            "staff: {field_mapping: employee}",
            "staff: {field_mapping: employee, from: fsid}",
            "E1197",
        ),
        (
            "staff: {field_mapping: employee}",
            "staff: {field_mapping: employee, to: fs_id}",
            "E1197",
        ),
        (
            "staff: {field_mapping: employee}",
            "staff: {field_mapping: employee, to: {a: b}}",
            "E1197",
        ),
        (
            "staff: {field_mapping: employee}",
            "staff: {field_mapping: employee, to: erp_no}",
            "E1197",
        ),
        ("data_mapping: huke-customers}", "data_mapping: nobody}", "E1220"),
        (
            "data_mapping: huke-customers}",
            "data_mapping: huke-customers, channel: OA}",
            "E1196",
        ),
    ] {
        let found = common::codes(&KEPT.replace(from, to));
        assert!(
            found.iter().any(|found| found.starts_with(code)),
            "{to}: {found:?}"
        );
    }
}

/// `window.start`, `window.end` beside an operation that asks for no time itself, and what the scheme writes over them.
#[test]
fn bounds_at_places_of_the_schemes() {
    let with = |window: &str, request: &str| {
        format!(
            "scheme: s\nsource:\n  connection: huke\n  api: list_archive\n  window: {window}\n{request}  key: no\ntarget: none\nschedule: {{every: 6m}}\n"
        )
    };
    let both = "{start: {at: time.from, as: ms}, end: {at: time.to, as: datetime}, zone: UTC}";
    assert_eq!(
        sent(&with(both, "")),
        r#"{"time":{"from":1699999999100,"to":"2023-11-14 22:13:20"}}"#
    );
    assert_eq!(
        sent(&with(both, "  request: {time: {kind: changed}, from: 1}\n")),
        r#"{"time":{"from":1699999999100,"to":"2023-11-14 22:13:20","kind":"changed"},"from":1}"#
    );
    // An expression is a proposal, printed in the form of the place.
    let proposal = with(
        both,
        "  request: {time: {from: _function unix_timestamp()*1000}}\n",
    );
    assert!(plan(&proposal).source.window.proposal_start.is_some());
    assert!(
        sent(&proposal).contains(r#""from":1699999999100"#),
        "{}",
        sent(&proposal)
    );
    let window = plan(&with(both, "")).source.window;
    assert_eq!(
        window
            .zone
            .and_then(|zone| zone.iana_name().map(str::to_owned))
            .as_deref(),
        Some("UTC")
    );
    for (window, request, want) in [
        ("{start: {at: a, as: ms}, end: {at: a, as: ms}}", "", "E1127 5:41"),
        (
            "{start: {at: a, as: ms}, end: {at: a.to, as: ms}}",
            "",
            "E1127 5:41",
        ),
        (
            "{start: {at: a.from, as: ms}, end: {at: a, as: ms}}",
            "",
            "E1127 5:46",
        ),
        ("{end: {at: a, as: ms}}", "", "E1127 5:17"),
        ("{start: {at: a.0.b, as: ms}}", "", "E1127 5:24"),
        ("{start: {at: a, as: ms}}", "  request: {a: 5}\n", "E1121 6:16"),
        // What stands above the place would be sent without the bound.
        (
            "{start: {at: a.from, as: ms}}",
            "  request: {a: all}\n",
            "E1124 6:16",
        ),
        (
            "{start: {at: a.from, as: ms}}",
            "  request: {a: null}\n",
            "E1124 6:16",
        ),
        (
            "{start: {at: a.b.from, as: ms}}",
            "  request: {a: _function unix_timestamp()}\n",
            "E1124 6:16",
        ),
        (
            "{start: {at: a, as: ms}}",
            "  sweep: {every: 1d, window: {start: -2d, end: -1d}, request: {a: 5}}\n",
            "E1124 6:67",
        ),
        ("{first: -7d, zone: UTC}", "", "E1120 5:3"),
        ("{start: {at: a, as: ms}, zone: UTC}", "", "E1128 5:36"),
        (
            "{start: {at: a, as: s}, zone: UTC}",
            "  request: {b: <<$page.number>>}\n",
            "E1128 5:35",
        ),
        // What the operation prints itself is in the connector's zone.
        ("{first: -7d, zone: UTC}", "", "E1128 5:24"),
        ("{start: {at: a, as: date}}", "", "E1102 5:31"),
        ("{start: {at: a}}", "", "E1103 5:20"),
    ] {
        let got = codes(&with(window, request));
        assert!(got.contains(&want.to_owned()), "{window} {request}: {got:?}");
    }
}

/// What a scheme says of its own pace, and what it cannot say.
#[test]
fn a_scheme_has_limits_and_pauses_of_its_own() {
    let with =
        |limits: &str| CUSTOMERS.replace("  key: buyerCid", &format!("  limits: {limits}\n  key: buyerCid"));
    let own = plan(&with(
        "{rate: 30/min, concurrency: 1, per_day: 2000, min_interval: 6m}",
    ))
    .source
    .limits;
    assert_eq!(
        (own.rate, own.concurrency, own.per_day, own.min_interval_ms),
        (Some((30, 60_000)), Some(1), Some(2_000), Some(360_000))
    );
    assert!(own.hold_calls());
    assert!(!plan(CUSTOMERS).source.limits.hold_calls());
    for (limits, want) in [
        ("{concurrency: 2}", "E1131"),
        ("{min_interval: 1m}", "E1131"),
        ("{min_interval: 1h}", "E1136"),
        ("{}", "E1102"),
        ("{rate: 0/s}", "E1102"),
        ("{hours: 08:00-20:00}", "E1101"),
    ] {
        let got = codes(&with(limits));
        assert!(got.len() == 1 && got[0].starts_with(want), "{limits}: {got:?}");
    }
    let pauses = |retry: &str| format!("{CUSTOMERS}retry: {retry}\n");
    let retry = plan(&pauses("{max: 5, first: 30s, longest: 1h}")).retry;
    assert_eq!(
        (retry.max, retry.first_ms, retry.longest_ms),
        (Some(5), Some(30_000), Some(3_600_000))
    );
    for (limits, want) in [
        ("{rate: 1/s}", Some("E1132 ")),
        ("{per_day: 5}", Some("E1132 ")),
        ("{concurrency: 1}", Some("E1132 ")),
    ] {
        let given = format!(
            "scheme: s\nsource:\n  scheme: huke-customers\n  limits: {limits}\n  key: no\ntarget: none\nschedule: {{after: huke-customers}}\n"
        );
        let got = codes(&given);
        let told = got.iter().find(|code| code.starts_with("E1132 "));
        assert_eq!(told.map(|code| &code[..6]), want, "{limits}: {got:?}");
    }
    for (retry, want) in [
        ("{first: 2m, longest: 1m}", "E1137"),
        ("{first: 500ms}", "E1137"),
        ("{longest: 2h}", "E1137"),
        ("{max: 21}", "E1102"),
        ("{times: 3}", "E1101"),
    ] {
        let got = codes(&pauses(retry));
        assert!(got.len() == 1 && got[0].starts_with(want), "{retry}: {got:?}");
    }
}
