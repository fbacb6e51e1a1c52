//! `compat: qeasy`, rule by rule: what a scheme that was brought over means by what it says.

mod common;

use common::{codes, json, path, plan, zone};
use dsl::facts::Action;
use dsl::lines::LineIds;
use dsl::lookup::Hits;
use dsl::plan::{IngestCx, Ingested, Plan, RecordCx};
use dsl::target::Build;
use dsl::value::Value;

const NOW: i64 = 1_700_000_000_100;

fn scheme(compat: bool, source: &str, request: &str) -> String {
    let head = if compat { "compat: qeasy\n" } else { "" };
    format!(
        "scheme: orders\n{head}source:\n  connection: huke\n  api: search_trades\n{source}target:\n  connection: k3\n  \
         api: batchSave\n  options: {{FormId: SAL_SaleOrder}}\n  actions: [create]\n  request:\n    FBillNo: \
         <<tid>>\n{request}schedule: {{every: 6m}}\n"
    )
}

const KEY: &str = "  key: tid\n";

fn ingest(plan: &Plan, row: &str) -> Vec<Ingested> {
    let zone = zone();
    let cx = IngestCx {
        now_ms: NOW,
        zone: &zone,
        push: None,
        xml: false,
    };
    plan.source.ingest(json(row), &cx)
}

/// The document of the first record of a row, or the code of what is wrong with it.
fn document(plan: &Plan, row: &str) -> String {
    let zone = zone();
    let record = ingest(plan, row).remove(0);
    let cx = RecordCx {
        row: &record.row,
        key: &record.key.expect("a key"),
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
    match plan
        .target
        .as_ref()
        .expect("a target")
        .build(&cx, &Hits::new(), None)
    {
        Ok(Build::Built(mut built)) => {
            if let Value::Map(map) = &mut built.payload {
                map.shift_remove("FBillNo");
            }
            dsl::json::to_string(&built.payload)
        }
        Ok(Build::Defer(want)) => panic!("waits for {want:?}"),
        Err(failure) => format!("{} {}", failure.code(), failure.field.unwrap_or_default()),
    }
}

/// What the old ways and the new ones make of a member.
#[track_caller]
fn both(request: &str, row: &str, old: &str, new: &str) {
    let of = |compat| document(&plan(&scheme(compat, KEY, &format!("    {request}\n"))), row);
    assert_eq!(
        (of(true).as_str(), of(false).as_str()),
        (old, new),
        "{request} of {row}"
    );
}

#[test]
fn a_missing_field_is_empty_text() {
    let row = r#"{"tid":"T1"}"#;
    both("F: <<remark>>", row, r#"{"F":""}"#, "E2001 F");
    both("F: a-<<remark>>-b", row, r#"{"F":"a--b"}"#, "E2001 F");
    both(
        "F: _function CONCAT('<<remark>>','x')",
        row,
        r#"{"F":"x"}"#,
        "E2050 F",
    );
    both(
        "F: _function CASE <<remark>> WHEN '' THEN 'e' ELSE 'n' END",
        row,
        r#"{"F":"e"}"#,
        "E2050 F",
    );
    both(
        "F: {$value: <<remark>>, $default: x}",
        row,
        r#"{"F":"x"}"#,
        r#"{"F":"x"}"#,
    );
    both(
        "F: {$value: <<remark>>, $required: true}",
        row,
        "E2103 F",
        "E2103 F",
    );
    // A list is another matter: an empty one may mean that all lines go.
    both(
        "F: {$each: orders, $do: <<$line.oid>>}",
        row,
        "E2001 F",
        "E2001 F",
    );
    both(
        "F: {$each: orders, $missing: empty, $do: <<$line.oid>>}",
        row,
        r#"{"F":[]}"#,
        r#"{"F":[]}"#,
    );
    let lines = r#"{"tid":"T1","orders":[{"oid":"a","qty":2},{"qty":3}]}"#;
    both(
        "F: {$each: orders, $do: {o: <<orders.oid>>}}",
        lines,
        r#"{"F":[{"o":"a"},{"o":""}]}"#,
        "E2001 F.1.o",
    );
}

#[test]
fn values_are_texts_unless_typed() {
    let row = r#"{"tid":"T1","remark":1.50,"buyerNick":true,"buyerCid":"0012","orders":[{"qty":2}]}"#;
    both("F: <<remark>>", row, r#"{"F":"1.50"}"#, r#"{"F":1.50}"#);
    both("F: <<buyerNick>>", row, r#"{"F":"true"}"#, r#"{"F":true}"#);
    both(
        "F: <<orders>>",
        row,
        r#"{"F":[{"qty":2}]}"#,
        r#"{"F":[{"qty":2}]}"#,
    );
    both(
        "F: {$value: <<remark>>, $type: decimal}",
        row,
        r#"{"F":1.50}"#,
        r#"{"F":1.50}"#,
    );
    both(
        "F: {$value: <<buyerCid>>, $type: int}",
        row,
        r#"{"F":12}"#,
        r#"{"F":12}"#,
    );
    // What an expression computes keeps its kind, and so does a constant.
    both("F: _function <<remark>>*2", row, r#"{"F":3.00}"#, r#"{"F":3.00}"#);
    both("F: 1.50", row, r#"{"F":1.50}"#, r#"{"F":1.50}"#);
}

#[test]
fn null_is_left_out_of_the_document_and_empty_text_is_not() {
    let row = r#"{"tid":"T1","remark":null,"buyerNick":"","orders":[{"oid":null,"qty":1}]}"#;
    both("F: <<remark>>", row, "{}", r#"{"F":null}"#);
    both("F: <<buyerNick>>", row, r#"{"F":""}"#, r#"{"F":""}"#);
    both("F: {FNumber: <<remark>>}", row, "{}", r#"{"F":{"FNumber":null}}"#);
    both("F: {$value: <<remark>>, $type: text}", row, "{}", r#"{"F":null}"#);
    both(
        "F: {$each: orders, $do: {o: <<orders.oid>>, q: <<orders.qty>>}}",
        row,
        r#"{"F":[{"q":"1"}]}"#,
        r#"{"F":[{"o":null,"q":1}]}"#,
    );
    // An element is never left out.
    both(
        "F: [<<remark>>, <<buyerNick>>]",
        row,
        r#"{"F":[null,""]}"#,
        r#"{"F":[null,""]}"#,
    );
    // Where the author asks for null, null it is.
    both("F: null", row, r#"{"F":null}"#, r#"{"F":null}"#);
    both(
        "F: {$value: <<buyerNick>>, $empty: 'null'}",
        row,
        r#"{"F":null}"#,
        r#"{"F":null}"#,
    );
    both(
        "F: {$value: <<remark>>, $empty: keep}",
        row,
        r#"{"F":null}"#,
        r#"{"F":null}"#,
    );
    // A value of `let` keeps it: what reads it decides.
    let let_plan = plan(
        &scheme(true, KEY, "    F: <<$let.r>>\n    G: x<<$let.r>>\n").replace(
            "  actions: [create]\n",
            "  actions: [create]\n  let: {r: <<remark>>}\n",
        ),
    );
    assert_eq!(document(&let_plan, row), r#"{"G":"x"}"#);
    // A derived field is a field of the row, null and all.
    let derived = plan(&scheme(
        true,
        &format!("  derive: {{d: <<remark>>}}\n{KEY}"),
        "    F: <<d>>\n",
    ));
    assert_eq!(ingest(&derived, row)[0].row.get("d"), Some(&Value::Null));
    assert_eq!(document(&derived, row), "{}");
}

#[test]
fn an_int_loses_its_fraction() {
    for (given, old, new) in [
        ("1.50", r#"{"F":1}"#, "E2003 F"),
        ("\"-1.99\"", r#"{"F":-1}"#, "E2003 F"),
        ("\"-0.5\"", r#"{"F":0}"#, "E2003 F"),
        ("2.00", r#"{"F":2}"#, r#"{"F":2}"#),
        (
            "\"12345678901234567890.9\"",
            r#"{"F":12345678901234567890}"#,
            "E2003 F",
        ),
        ("true", r#"{"F":1}"#, r#"{"F":1}"#),
        // What is no number fails here as there: a guess would be worse than a record that says so.
        ("\"1.5件\"", "E2003 F", "E2003 F"),
        ("\"\"", "E2003 F", "E2003 F"),
    ] {
        let row = format!(r#"{{"tid":"T1","remark":{given}}}"#);
        both("F: {$value: <<remark>>, $type: int}", &row, old, new);
    }
}

#[test]
fn an_exploded_line_also_has_flat_names() {
    let source = "  explode: [orders]\n  key: [tid, $row]\n";
    let row =
        r#"{"tid":"T1","orders_outerId":"own","orders":[{"oid":1,"outerId":"x","qty":{"sold":{"n":2}}}]}"#;
    let old = ingest(&plan(&scheme(true, source, "    F: <<orders_oid>>\n")), row)
        .remove(0)
        .row;
    let at = |field: &str| path(field).get(&old).cloned();
    assert_eq!(at("orders_oid"), Some(1.into()));
    assert_eq!(at("orders.oid"), Some(1.into()), "the path stays");
    assert_eq!(at("orders_qty_sold_n"), Some(2.into()), "to any depth");
    assert_eq!(
        at("orders_outerId"),
        Some("own".into()),
        "a field of the row wins"
    );
    let new = ingest(&plan(&scheme(false, source, "")), row).remove(0).row;
    assert_eq!(new.get("orders_oid"), None);
    assert_eq!(
        codes(&scheme(false, source, "    F: <<orders_oid>>\n")),
        ["E1204 14:10"]
    );
    assert_eq!(
        codes(&scheme(true, source, "    F: <<orders_oid>>\n")),
        Vec::<String>::new()
    );
}

#[test]
fn a_list_in_a_list_leaves_no_list_behind() {
    let source = "  explode: [orders, orders.lots]\n  key: [tid, $row]\n";
    // One sample more says what the lines hold.
    let tests = "tests:\n  - name: lots\n    row: {tid: T1, orders: [{oid: a, lots: [{no: L1, size: {w: 1}}], tags: [x]}]}\n    expect: {}\n";
    let text = |request: &str| format!("{}{tests}", scheme(true, source, request));
    let flat = "    F: <<orders_lots_no>>\n    G: <<orders_lots.no>>\n    H: <<orders_lots_size_w>>\n    I: <<orders_tags.0>>\n";
    assert_eq!(codes(&text(flat)), Vec::<String>::new());
    let plan = plan(&text(flat));
    let row = r#"{"tid":"T1","orders":[{"oid":"a","tags":["x","y"],"lots":[{"no":"L1","size":{"w":1}},{"no":"L2"}]},{"oid":"b","lots":[{"no":"L3"}]},{"oid":"c","lots":[]}]}"#;
    let records = ingest(&plan, row);
    let seen: Vec<_> = records
        .iter()
        .map(|record| {
            let at = |field: &str| {
                let value = path(field).get(&record.row).cloned();
                value.map_or("-".to_owned(), |value| dsl::json::to_string(&value))
            };
            format!(
                "{} {} {} {:?}",
                at("orders_lots"),
                at("orders_lots_no"),
                at("orders.lots.no"),
                record.kept
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            r#"{"no":"L1","size":{"w":1}} "L1" "L1" Ok(())"#,
            r#"{"no":"L2"} "L2" "L2" Ok(())"#,
            r#"{"no":"L3"} "L3" "L3" Ok(())"#,
            r#"[] - - Err("explode_empty")"#,
        ]
    );
    assert_eq!(document(&plan, row), r#"{"F":"L1","G":"L1","H":"1","I":"x"}"#);
    // A list of plain values is exploded under both names, too.
    let source = "  explode: [orders, orders.tags]\n  key: [tid, $row]\n";
    let tagged = common::plan(&scheme(true, source, "").replace(
        "schedule:",
        "tests: [{name: tags, row: {tid: T1, orders: [{tags: [x]}]}, expect: {}}]\nschedule:",
    ));
    let tags: Vec<_> = ingest(&tagged, row)
        .iter()
        .take(2)
        .map(|one| one.row.get("orders_tags").cloned())
        .collect();
    assert_eq!(tags, [Some("x".into()), Some("y".into())]);
}

#[test]
fn an_unknown_field_is_a_warning_where_it_reads_as_empty_text() {
    let with = |compat, source: &str, request: &str| codes(&scheme(compat, source, request));
    assert_eq!(with(true, KEY, "    F: <<buyerNik>>\n"), ["W1260 14:10"]);
    assert_eq!(with(false, KEY, "    F: <<buyerNik>>\n"), ["E1204 13:10"]);
    assert_eq!(
        with(true, KEY, "    F: _function CONCAT('<<buyerNik>>','x')\n"),
        ["W1260 14:26"]
    );
    let text = scheme(true, KEY, "    F: <<buyerNik>>\n");
    let drawn = common::drawn(&text, dsl::diagnostic::Lang::En);
    assert!(drawn.contains("buyerNick"), "the near name is offered: {drawn}");
    assert_eq!(
        document(&plan(&text), r#"{"tid":"T1","buyerNick":"n"}"#),
        r#"{"F":""}"#
    );
    // Elsewhere nothing could be meant by it.
    assert_eq!(with(true, "  key: tidd\n", ""), ["E1204 6:8"]);
    assert_eq!(
        with(true, "  keep: {field: remarc, eq: x}\n  key: tid\n", ""),
        ["E1204 6:17"]
    );
    assert_eq!(
        with(true, "  explode: [oders]\n  key: [tid, $row]\n", ""),
        ["E1204 6:13"]
    );
    assert_eq!(
        with(true, KEY, "    F: {$each: oders, $do: 1}\n"),
        ["E1204 14:16"]
    );
    assert_eq!(with(true, KEY, "    F: {$join: oders.*.oid}\n"), ["E1204 14:16"]);
}

#[test]
fn days_ago_is_so_many_days_before_the_run() {
    let row = r#"{"tid":"T1"}"#;
    // 1700000000 is 2023-11-15 06:13:20 in Shanghai.
    both(
        "F: <<DAYS_AGO_1>>",
        row,
        r#"{"F":"1699913600"}"#,
        r#"{"F":1699913600}"#,
    );
    both(
        "F: \"{{DAYS_AGO_2|datetime}}\"",
        row,
        r#"{"F":"2023-11-13 06:13:20"}"#,
        r#"{"F":"2023-11-13 06:13:20"}"#,
    );
    both(
        "F: \"{{DAYS_AGO_1}}000\"",
        row,
        r#"{"F":"1699913600000"}"#,
        r#"{"F":"1699913600000"}"#,
    );
    both(
        "F: _function <<DAY_AGO_1>>*1000",
        row,
        r#"{"F":1699913600000}"#,
        r#"{"F":1699913600000}"#,
    );
    for name in ["DAYS_AGO_0", "DAYS_AGO_01", "DAYS_AGO_367", "DAYS_AGO_x"] {
        assert_eq!(
            codes(&scheme(false, KEY, &format!("    F: <<{name}>>\n"))),
            ["E1204 13:10"],
            "{name}"
        );
    }
    // At a bound it is a proposal like any other expression.
    let bound = "  request: {timeRanges: {startTime: \"{{DAYS_AGO_1}}000\"}}\n  key: tid\n";
    let plan = plan(&scheme(true, bound, ""));
    let proposal = plan
        .source
        .proposal(NOW, &zone(), &Hits::new())
        .expect("a proposal");
    assert_eq!(
        (proposal.start_ms, proposal.end_ms),
        (Some(1_699_913_600_000), None)
    );
    // And a document must not be named by it.
    let clock = scheme(true, KEY, "").replace("FBillNo: <<tid>>", "FBillNo: <<tid>>-<<DAYS_AGO_1>>");
    assert_eq!(codes(&clock).len(), 1, "{:?}", codes(&clock));
}
