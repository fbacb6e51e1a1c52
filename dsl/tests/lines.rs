//! `$key` and `$line_id`: lines that the target knows by ids of its own.

mod common;

use std::sync::Arc;

use common::{World, json, registry, zone};
use dsl::diagnostic::SourceFile;
use dsl::facts::{
    Action, ConnectorFacts, Environment, NotFound, OpKind, OperationFacts, OptionFacts, Proof, SchemeFacts,
};
use dsl::lines::LineIds;
use dsl::lookup::{Found, Hits};
use dsl::plan::{Build, IngestCx, Plan, RecordCx};
use dsl::scheme::{Compiled, compile_scheme};
use dsl::testing;

/// A target whose answers tell ids of lines, or not.
struct Fx {
    line_ids: bool,
    option: bool,
}

impl ConnectorFacts for Fx {
    fn id(&self) -> &str {
        "fx"
    }

    fn zone(&self) -> &str {
        "Asia/Shanghai"
    }

    fn min_interval_ms(&self) -> i64 {
        60_000
    }

    fn operation(&self, _: &str) -> Result<Arc<OperationFacts>, NotFound> {
        Ok(Arc::new(OperationFacts {
            writes: vec![Action::Create, Action::Update],
            keys: Box::new(|_| vec![dsl::Path::names(["no"])]),
            proof: Box::new(|_| Proof::Query),
            line_ids: self.line_ids,
            options: self
                .option
                .then(|| OptionFacts {
                    name: "delete".into(),
                    needed_when: Some("update_with_lines".into()),
                    send: true,
                    ..OptionFacts::default()
                })
                .into_iter()
                .collect(),
            ..OperationFacts::new("save", OpKind::Write)
        }))
    }
}

struct Both(bool, bool);

impl Environment for Both {
    fn connection(&self, name: &str) -> Result<Arc<dyn ConnectorFacts>, NotFound> {
        match name {
            "fx" => Ok(Arc::new(Fx {
                line_ids: self.0,
                option: self.1,
            })),
            other => World.connection(other),
        }
    }

    fn scheme(&self, name: &str) -> Result<SchemeFacts, NotFound> {
        World.scheme(name)
    }
}

fn compiled(request: &str, more: &str, env: &Both) -> Compiled {
    let text = format!(
        "scheme: orders\nsource:\n  connection: huke\n  api: list_archive\n  window: none\n  key: tid\ntarget:\n  connection: fx\n  api: save\n{more}  request:\n    no: <<tid>>\n{request}\nschedule: {{every: 6m}}\n"
    );
    compile_scheme(&SourceFile::new("orders.yaml", text), env, &registry())
}

#[track_caller]
fn plan(request: &str) -> Plan {
    let compiled = compiled(request, "", &Both(true, false));
    let problems: Vec<&str> = compiled
        .diagnostics
        .iter()
        .map(|problem| problem.entry.code)
        .collect();
    compiled.plan.unwrap_or_else(|| panic!("{problems:?}"))
}

#[track_caller]
fn refused(request: &str, more: &str, env: &Both, codes: &[&str]) {
    let compiled = compiled(request, more, env);
    let found: Vec<&str> = compiled
        .diagnostics
        .iter()
        .map(|problem| problem.entry.code)
        .collect();
    assert_eq!(found, codes, "{request}");
}

fn build(plan: &Plan, row: &str, action: Action, line_ids: &LineIds) -> Result<Build, dsl::Failure> {
    let zone = zone();
    let record = plan
        .source
        .ingest(
            json(row),
            &IngestCx {
                now_ms: 0,
                zone: &zone,
                push: None,
                xml: false,
            },
        )
        .remove(0);
    let cx = RecordCx {
        row: &record.row,
        key: record.key.as_ref().expect("a key"),
        label: &record.label,
        target_id: None,
        target_number: None,
        action,
        line: None,
        now_ms: 0,
        zone: &zone,
        line_ids,
        steps: &[],
    };
    let target = plan.target.as_ref().expect("a target");
    let mut hits = Hits::new();
    for level in 0..target.lookup_levels() {
        for want in target.lookup_keys(level, &cx, &hits).expect("keys") {
            let found = match want.keys.iter().any(|key| key == "x") {
                true => Found::one("1".into()),
                false => Found {
                    value: Some("2".into()),
                    matches: 2,
                },
            };
            hits.insert(&want, found);
        }
    }
    target.build(&cx, &hits, None)
}

const NESTED: &str = "    orders:\n      $each: orders\n      $key: no\n      $where: {field: $line.skip, is: missing}\n      $do:\n        id: {$value: <<$line_id>>, $missing: omit}\n        n: <<$line.no>>\n        batches: {$each: $line.batches, $key: b, $missing: omit, $do: {id: {$value: <<$line_id>>, $default: new}, b: <<$line.b>>}}";

const ROW: &str = r#"{"tid":"T1","orders":[{"no":"gone","skip":1},{"no":1,"batches":[{"b":"x"},{"b":"y"}]},{"no":"L/2"},{"no":"3","batches":[{"b":"x"}]}]}"#;

fn payload(build: Build) -> String {
    match build {
        Build::Built(built) => dsl::json::to_string(&built.payload),
        Build::Defer(want) => panic!("waits for {want:?}"),
    }
}

#[test]
fn ids_come_back_by_the_keys_of_lines() {
    let plan = plan(NESTED);
    let keyed: Vec<String> = plan
        .target
        .as_ref()
        .expect("a target")
        .keyed
        .iter()
        .map(|list| format!("{} {} {}", list.list, list.source, list.key))
        .collect();
    assert_eq!(keyed, ["orders orders no", "orders.*.batches orders.*.batches b"]);

    let Build::Built(first) = build(&plan, ROW, Action::Create, LineIds::none()).expect("a document") else {
        panic!("a document")
    };
    assert_eq!(
        dsl::json::to_string(&first.payload),
        r#"{"no":"T1","orders":[{"n":1,"batches":[{"id":"new","b":"x"},{"id":"new","b":"y"}]},{"n":"L/2"},{"n":"3","batches":[{"id":"new","b":"x"}]}]}"#
    );
    let lines: Vec<String> = first
        .lines
        .iter()
        .map(|list| format!("{} {} {}", list.list, list.at, list.keys.join(" ")))
        .collect();
    assert_eq!(
        lines,
        [
            r#"orders orders ["1"] ["L/2"] ["3"]"#,
            r#"orders.*.batches orders.0.batches ["1","x"] ["1","y"]"#,
            r#"orders.*.batches orders.2.batches ["3","x"]"#,
        ]
    );

    // The target numbers the lines; the next document is in another order, and has a new line.
    let mut ids = LineIds::new();
    for (number, (list, key)) in first
        .lines
        .iter()
        .flat_map(|list| list.keys.iter().map(move |key| (list.list.to_string(), key)))
        .enumerate()
    {
        ids.insert(&list, key, format!("id{number}"));
    }
    let again = r#"{"tid":"T1","orders":[{"no":"4"},{"no":"3","batches":[{"b":"x"},{"b":"z"}]},{"no":"1","batches":[{"b":"y"}]}]}"#;
    assert_eq!(
        payload(build(&plan, again, Action::Update, &ids).expect("a document")),
        r#"{"no":"T1","orders":[{"n":"4"},{"id":"id2","n":"3","batches":[{"id":"id5","b":"x"},{"id":"new","b":"z"}]},{"id":"id0","n":"1","batches":[{"id":"id4","b":"y"}]}]}"#
    );
}

#[test]
fn lines_that_cannot_be_told_apart() {
    let plan = plan("    lines: {$each: lines, $key: no, $do: {id: <<$line_id>>}}");
    let code = |lines: &str| {
        let row = format!(r#"{{"tid":"T1","lines":{lines}}}"#);
        let failure = build(&plan, &row, Action::Create, LineIds::none()).expect_err("a failure");
        (failure.entry.code, failure.field.unwrap_or_default())
    };
    assert_eq!(code(r#"[{"no":""}]"#), ("E2017", "lines.0".to_owned()));
    assert_eq!(code(r#"[{}]"#).0, "E2017");
    assert_eq!(code(r#"[{"no":[1]}]"#).0, "E2017");
    assert_eq!(code(r#"[{"no":1}]"#), ("E2019", "lines.0.id".to_owned()));
    let mut ids = LineIds::new();
    ids.insert("lines", r#"["1"]"#, "7".to_owned());
    let twice = r#"{"tid":"T1","lines":[{"no":1},{"no":"1"}]}"#;
    let failure = build(&plan, twice, Action::Update, &ids).expect_err("a failure");
    assert_eq!(
        (failure.entry.code, failure.field.as_deref()),
        ("E2018", Some("lines.1"))
    );
}

#[test]
fn what_check_refuses() {
    let told = Both(true, false);
    let used = "    lines: {$each: lines, $key: no, $do: {id: {$value: <<$line_id>>, $missing: omit}}}";
    refused(used, "", &told, &[]);
    refused(used, "", &Both(false, false), &["E1236"]);
    refused(
        "    lines: {$each: lines, $do: {id: <<$line_id>>}}",
        "",
        &told,
        &["E1237"],
    );
    refused("    id: <<$line_id>>", "", &told, &["E1225"]);
    refused(
        "    lines: {$json: {$each: lines, $key: no, $do: 1}}",
        "",
        &told,
        &["E1238"],
    );
    refused(
        "    lines: {$each: orders, $do: {$each: $line.b, $key: no, $do: 1}}",
        "",
        &told,
        &["E1238"],
    );
    refused(
        "    lines: {$merge: [{a: {$each: b, $key: c, $do: 1}}, {a: {$each: d, $key: e, $do: 1}}]}",
        "",
        &told,
        &["E1238"],
    );
    refused(
        "    x: <<$let.a>>",
        "  let: {a: {$each: b, $key: c, $do: 1}}\n",
        &told,
        &["E1238"],
    );
    refused(
        "    x: <<$let.a>>",
        "  let: {a: {$each: b, $do: <<$line_id>>}}\n",
        &told,
        &["E1205"],
    );
    refused(
        "    lines: {$each: orders.*.batches, $do: 1}",
        "",
        &told,
        &["E1215"],
    );
    // With ids a line that is sent is the one that is meant; without, somebody must say what happens to the others.
    refused(used, "", &Both(true, true), &[]);
    refused(
        "    lines: {$each: lines, $key: no, $do: 1}",
        "",
        &Both(true, true),
        &["E1153"],
    );
    refused(
        "    lines: {$each: lines, $do: 1}",
        "",
        &Both(true, true),
        &["E1153"],
    );
    refused(
        "    lines: {$each: lines, $do: 1}",
        "  options: {delete: 'true'}\n",
        &Both(true, true),
        &[],
    );
}

#[test]
fn look_ups_that_were_read_are_counted() {
    let plan = plan(
        "    a: _findCollection find a from units where b=x\n    c: _findCollection find a from units where b=<<k>>\n    d: _findCollection find a from units where b=<<k>>\n    e: _findCollection find a from units where b=<<empty>>",
    );
    let Build::Built(built) = build(
        &plan,
        r#"{"tid":"T1","k":"K","empty":""}"#,
        Action::Create,
        LineIds::none(),
    )
    .expect("a document") else {
        panic!("a document")
    };
    let looked: Vec<String> = built
        .looked
        .iter()
        .map(|(want, matches)| format!("{} {matches}", want.shown()))
        .collect();
    assert_eq!(looked, ["b=K 2", "b= 0"]);
}

#[test]
fn tests_of_a_scheme_give_ids_and_rows() {
    let more = "tests:\n  - name: ids\n    row: {tid: T1, u: 件, orders: [{no: 1, batches: [{b: x}]}, {no: 2}]}\n    action: update\n    line_ids: {orders: {\"1\": id1}, orders.*.batches: {1/x: id2}}\n    lookups: {units: [{FName: 箱, qty: 9, FNumber: P9}, {FName: 件, qty: 3, FNumber: P3}, {FName: 件, qty: 9, FNumber: P4, $key: K}]}\n    expect: {no: T1, unit: P4, orders: [{id: id1, n: 1, batches: [{id: id2, b: x}]}, {n: 2}]}\n";
    let request = format!(
        "{NESTED}\n    unit: '_mongoQuery units findField=content.FNumber where={{\"content.FName\":\"<<u>>\",\"content.qty\":{{\"$gt\":3}},\"id\":\"K\"}}'"
    );
    let text = request + "\nschedule: {every: 6m}\n" + more;
    let whole = format!(
        "scheme: orders\nsource:\n  connection: huke\n  api: list_archive\n  window: none\n  key: tid\ntarget:\n  connection: fx\n  api: save\n  request:\n    no: <<tid>>\n{text}"
    );
    let compiled = compile_scheme(
        &SourceFile::new("orders.yaml", whole),
        &Both(true, false),
        &registry(),
    );
    let problems: Vec<String> = compiled
        .diagnostics
        .iter()
        .map(|problem| format!("{} {:?}", problem.entry.code, problem.facts))
        .collect();
    let plan = compiled.plan.unwrap_or_else(|| panic!("{problems:?}"));
    let outcome = testing::run(&plan, &plan.tests[0]);
    assert!(outcome.passed, "{:?}", outcome.diff);
}

/// Options of a call without its document: a look-up that nobody fetched is not a look-up that found nothing.
#[test]
fn options_that_read_a_look_up_are_not_known_without_it() {
    let look_up = "{$lookup: units, $get: FNumber, $by: {FName: <<u>>}, $missing: omit}";
    for (more, is_known) in [
        ("  options: {delete: <<u>>}\n".to_owned(), true),
        (format!("  options: {{delete: {look_up}}}\n"), false),
        (
            format!(
                "  options: {{delete: {}}}\n",
                look_up.replace(", $missing: omit", "")
            ),
            false,
        ),
        (
            format!(
                "  let: {{a: {look_up}}}\n  options: {{delete: {{$value: <<$let.a>>, $missing: omit}}}}\n"
            ),
            false,
        ),
        // A look-up that they do not read does not matter.
        (
            format!("  let: {{a: {look_up}}}\n  options: {{delete: <<u>>}}\n"),
            true,
        ),
    ] {
        let compiled = compiled("    n: 1", &more, &Both(true, true));
        let codes: Vec<&str> = compiled
            .diagnostics
            .iter()
            .map(|problem| problem.entry.code)
            .collect();
        let plan = compiled.plan.unwrap_or_else(|| panic!("{more}: {codes:?}"));
        let row = json(r#"{"tid":"T1","u":"x"}"#);
        let zone = zone();
        let cx = RecordCx {
            row: &row,
            key: r#"["T1"]"#,
            label: "T1",
            target_id: None,
            target_number: None,
            action: Action::Create,
            line: None,
            now_ms: 0,
            zone: &zone,
            line_ids: LineIds::none(),
            steps: &[],
        };
        let target = plan.target.expect("a target");
        let mut hits = Hits::new();
        let options = target.call_options(&cx, &hits).expect("options");
        assert_eq!(options.is_some(), is_known, "{more}: {options:?}");
        for level in 0..target.lookup_levels() {
            for want in target.lookup_keys(level, &cx, &hits).expect("keys") {
                hits.insert(&want, Found::one("P1".into()));
            }
        }
        let options = target.call_options(&cx, &hits).expect("options");
        let wanted = if is_known { "x" } else { "P1" };
        assert_eq!(
            options.expect("known").get("delete"),
            Some(&wanted.into()),
            "{more}"
        );
    }
}
