//! `tests:` of a scheme: several rows, and records that have no document.

mod common;

use common::{codes, drawn, plan};
use dsl::diagnostic::Lang;
use dsl::testing;

const HEAD: &str = "\
scheme: orders
source:
  connection: huke
  api: search_trades
  keep: {field: remark, neq: no}
  void: {field: remark, eq: void}
  key: tid
target:
  connection: k3
  api: batchSave
  options: {FormId: SAL_SaleOrder}
  actions: [create]
  request:
    FBillNo: <<tid>>
    FQty: {$value: <<qty>>, $type: int, $missing: omit}
    FUnit: {$lookup: units, $get: number, $by: {name: <<unit>>}, $missing: defer}
schedule: {every: 6m}
tests:
";

const UNIT: &str = "lookups: {units: [{name: a, number: PCS}]}";

fn scheme(test: &str) -> String {
    let columns = "  - {name: columns, row: {tid: \"0\", remark: x, qty: 1, unit: a, lines: [{oid: a}]}, lookups: {units: [{name: a, number: PCS}]}, expect: {FBillNo: \"0\", FQty: 1, FUnit: PCS}}\n";
    format!("{HEAD}{columns}{test}\n").replace("  key: tid", "  key: tid # key")
}

/// The lines of what differs in the last test; empty when it passes. Then what `--update` would write.
fn outcome(text: &str) -> (Vec<String>, String) {
    let plan = plan(text);
    let outcome = testing::run(&plan, plan.tests.last().expect("a test"));
    assert_eq!(outcome.passed, outcome.diff.is_empty());
    let lines = outcome.diff.iter().map(|one| one.line(Lang::En)).collect();
    let got = outcome
        .got
        .map_or("-".to_owned(), |got| dsl::json::to_string(&got));
    (lines, got)
}

#[track_caller]
fn passes(test: &str) {
    let (lines, _) = outcome(&scheme(test));
    assert_eq!(lines, Vec::<String>::new(), "{test}");
}

#[track_caller]
fn fails(test: &str, lines: &[&str], got: &str) {
    let (found, update) = outcome(&scheme(test));
    assert_eq!(
        (
            found.iter().map(String::as_str).collect::<Vec<_>>().as_slice(),
            update.as_str()
        ),
        (lines, got),
        "{test}"
    );
}

#[test]
fn a_record_may_have_no_document() {
    let one = |row: &str, expect: &str| format!("  - {{name: t, row: {row}, {UNIT}, expect: {expect}}}");
    passes(&one("{tid: a, remark: no, unit: a}", "{$dropped: keep}"));
    passes(&one(
        "{tid: a, remark: x, unit: a, qty: much}",
        "{$failed: E2003}",
    ));
    passes(&one("{tid: a, remark: void, unit: a}", "{$void: true}"));
    passes(&one("{tid: a, remark: x, unit: b}", "{$waits: units}"));
    // What is not so is told with what is.
    fails(
        &one("{tid: a, remark: x, unit: a}", "{$dropped: keep}"),
        &[r#": expected {"$dropped":"keep"}, got {"FBillNo":"a","FUnit":"PCS"}"#],
        r#"{"FBillNo":"a","FUnit":"PCS"}"#,
    );
    fails(
        &one("{tid: a, remark: no, unit: a}", "{$failed: E2003}"),
        &[
            r#": expected {"$failed":"E2003"}, got {"$dropped":"keep"}"#,
            "the row was dropped (keep)",
        ],
        "-",
    );
    fails(
        &one("{tid: a, remark: x, unit: a}", "{$void: true}"),
        &[r#": expected {"$void":true}, got {"FBillNo":"a","FUnit":"PCS"}"#],
        r#"{"FBillNo":"a","FUnit":"PCS"}"#,
    );
    // That there is no document is never taken over by itself.
    fails(
        &one("{tid: a, remark: no, unit: a}", "{FBillNo: a}"),
        &["the row was dropped (keep)"],
        "-",
    );
}

#[test]
fn the_records_of_an_exploded_row_each_have_their_fate() {
    let exploded = |test: &str| {
        scheme(test)
            .replace(
                "  keep: {field: remark, neq: no}",
                "  explode: lines\n  keep: {field: lines.oid, neq: b}",
            )
            .replace("  key: tid # key", "  key: [tid, lines.oid]")
    };
    let row = "row: {tid: a, remark: x, unit: a, lines: [{oid: a}, {oid: b}, {oid: c}]}";
    let test = |expect: &str| exploded(&format!("  - {{name: t, {row}, {UNIT}, expect: {expect}}}"));
    let document = "{FBillNo: a, FUnit: PCS}";
    assert_eq!(
        outcome(&test(&format!("[{document}, {{$dropped: keep}}, {document}]"))).0,
        Vec::<String>::new()
    );
    let (lines, got) = outcome(&test(&format!("[{document}, {document}, {document}]")));
    assert_eq!(
        (lines, got),
        (vec!["1: the row was dropped (keep)".to_owned()], "-".to_owned())
    );
    let (lines, _) = outcome(&test(&format!("[{document}, {{$dropped: keep}}]")));
    assert_eq!(
        lines,
        [r#"2: expected nothing, got {"FBillNo":"a","FUnit":"PCS"}"#]
    );
    let (lines, got) = outcome(&test(&format!(
        "[{{FBillNo: b}}, {{$dropped: keep}}, {document}, {document}]"
    )));
    assert_eq!(
        (lines, got.as_str()),
        (
            vec![
                r#"0.FBillNo: expected "b", got "a""#.to_owned(),
                r#"0.FUnit: expected nothing, got "PCS""#.to_owned(),
                r#"3: expected {"FBillNo":"a","FUnit":"PCS"}, got nothing"#.to_owned(),
            ],
            r#"[{"FBillNo":"a","FUnit":"PCS"},{"$dropped":"keep"},{"FBillNo":"a","FUnit":"PCS"}]"#
        )
    );
    let (lines, _) = outcome(&test(document));
    assert_eq!(
        lines.last().map(String::as_str),
        Some("the row made 3 records: `expect` must be a list of 3")
    );
    let empty =
        exploded("  - {name: t, row: {tid: a, remark: x, unit: a, lines: []}, expect: {$dropped: explode}}");
    assert_eq!(outcome(&empty).0, Vec::<String>::new());
}

#[test]
fn several_rows_give_a_list() {
    passes(&format!(
        "  - name: t\n    rows: [{{tid: a, remark: x, unit: a}}, {{tid: b, remark: no, unit: a}}, {{tid: c, remark: void, unit: a}}]\n    {UNIT}\n    expect: [{{FBillNo: a, FUnit: PCS}}, {{$dropped: keep}}, {{$void: true}}]"
    ));
    passes(&format!(
        "  - {{name: t, rows: [{{tid: a, remark: x, unit: a}}], {UNIT}, expect: [{{FBillNo: a, FUnit: PCS}}]}}"
    ));
    fails(
        &format!("  - {{name: t, rows: [{{tid: a, remark: x, unit: a}}], {UNIT}, expect: []}}"),
        &[r#"0: expected nothing, got {"FBillNo":"a","FUnit":"PCS"}"#],
        r#"[{"FBillNo":"a","FUnit":"PCS"}]"#,
    );
}

#[test]
fn what_cannot_become_of_a_record() {
    let of = |more: &str| scheme(&format!("  - {{name: t, row: {{tid: a}}, expect: {more}}}"));
    let line = scheme("").lines().count();
    for (expect, code, near) in [
        ("{$drop: keep}", "E1260", "$dropped"),
        ("{$dropped: kept}", "E1102", "keep"),
        ("{$failed: E203}", "E1102", "E2003"),
        ("{$void: false}", "E1102", "true"),
        ("[{FBillNo: a}, {$dropped: filter}]", "E1102", "keep"),
    ] {
        let found = codes(&of(expect));
        assert!(
            found
                .iter()
                .any(|one| one.starts_with(&format!("{code} {line}:"))),
            "{expect}: {found:?}"
        );
        assert!(
            drawn(&of(expect), Lang::En).contains(near),
            "{expect}: {}",
            drawn(&of(expect), Lang::En)
        );
    }
    // A document with such a member is a document.
    for expect in ["{$drop: keep, FBillNo: a}", "{$$drop: keep}"] {
        assert_eq!(codes(&of(expect)), Vec::<String>::new(), "{expect}");
    }
    let rows = |rest: &str| scheme(&format!("  - {{name: t, {rest}}}"));
    for rest in ["rows: [], expect: []", "rows: [{tid: a}], expect: {}"] {
        assert_eq!(codes(&rows(rest)).len(), 1, "{rest}: {:?}", codes(&rows(rest)));
    }
    assert!(codes(&rows("row: {tid: a}, rows: [{tid: a}], expect: []"))[0].starts_with("E1104"));
}
