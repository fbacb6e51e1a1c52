//! What a record takes from other schemes' rows, through the real binary: what it costs, what is told, and records that
//! wait for a row and go on by themselves.

use sandbox::FaultKind;
use serde_json::{Value, json};
use tests::e2e::{Shop, World};

/// Units of measure, looked up by orders.
const UNITS: &str = "schemes/units.yaml";
/// Orders with lines, written to the target.
const ORDERS: &str = "schemes/orders.yaml";

const UNITS_YAML: &str = r#"
scheme: units
source: {connection: huke, api: search_customers, window: none, request: {list: units}, key: id}
target: none
schedule: {every: 30m}
tests: [{name: a unit, row: {id: 1, name: 件, code: Pcs, maker: a}, expect: {id: 1, name: 件, code: Pcs, maker: a}}]
"#;

/// `lines` stands for the lines of the document.
fn orders(lines: &str) -> String {
    format!(
        r#"
scheme: orders
source: {{connection: huke, api: search_customers, window: none, request: {{list: orders}}, key: no}}
target:
  connection: k3
  api: batchSave
  options: {{FormId: SAL_SaleOrder, IsDeleteEntry: false}}
  request:
    FBillNo: <<no>>
    FSaleOrderEntry:
{lines}
schedule: {{every: 30m}}
tests:
  - name: an order
    row: {{no: A1, kind: x, lines: [{{id: L1, unit: 件, maker: a, qty: 1}}]}}
    expect: {{}}
"#
    )
}

fn world(lines: &str) -> (World, Shop) {
    let world = World::small();
    world.write(UNITS, UNITS_YAML);
    world.write(ORDERS, &orders(lines));
    let shop = world.shop();
    (world, shop)
}

fn unit(id: u32, name: &str, code: &str, maker: &str) -> Value {
    json!({"id": id, "name": name, "code": code, "maker": maker})
}

/// The lines of the newest document with a number, as they were sent.
fn lines_of(world: &World, number: &str) -> Value {
    let entry = world
        .journal()
        .into_iter()
        .rfind(|entry| entry.number == number)
        .unwrap_or_else(|| panic!("no document {number}"));
    let document: Value = serde_json::from_str(&entry.content).expect("a document");
    document["FSaleOrderEntry"].clone()
}

#[test]
fn a_look_up_in_lines_costs_one_query_a_page() {
    let (world, shop) = world(
        "      $each: lines
      $do:
        FUnitID: {FNumber: {$lookup: units, $get: code, $by: {name: <<$line.unit>>, maker: <<$line.maker>>}}}
        FNote: {$lookup: units, $get: id, $by: {maker: <<$line.maker>>, name: <<$line.unit>>}}
        FQty: <<$line.qty>>",
    );
    // Every unit of two makers, under the same names; one of them is there twice, the later one wins.
    let mut units: Vec<Value> = (0..20)
        .flat_map(|n| {
            ["a", "b"].map(|maker| {
                unit(
                    n * 10 + u32::from(maker == "b"),
                    &format!("单位 {n}"),
                    &format!("{maker}{n}"),
                    maker,
                )
            })
        })
        .collect();
    units.push(unit(999, "单位 7", "newer", "a"));
    shop.put("units", units);
    let order = |nth: u32| {
        let lines: Vec<Value> = (0..6)
            .map(|n| {
                let maker = if n % 2 == 0 { "a" } else { "b" };
                json!({"id": format!("L{n}"), "unit": format!("单位 {}", (nth + n) % 20), "maker": maker, "qty": n})
            })
            .collect();
        json!({"no": format!("A{nth}"), "lines": lines})
    };
    shop.put("orders", (0..60).map(order).collect());
    world.pass(UNITS, 0);
    let run = world.pass(ORDERS, 0);
    assert_eq!(run["states"]["done"], 60);
    // 60 records, 360 lines, two look-ups by the same columns: one query.
    assert_eq!(run["lookup_queries"], 1, "{run:#}");
    assert_eq!(run["lookup_misses"], 0);
    let lines = lines_of(&world, "A7");
    assert_eq!(
        lines[0]["FUnitID"]["FNumber"], "newer",
        "the newest row wins: {lines:#}"
    );
    assert_eq!(
        (&lines[1]["FUnitID"]["FNumber"], &lines[1]["FNote"]),
        (&json!("b8"), &json!(81))
    );
    assert_eq!(lines_of(&world, "A1")[5]["FUnitID"]["FNumber"], "b6");
    // Several rows under one key are told with an example.
    assert!(run["lookup_several"].as_u64().is_some_and(|n| n > 0), "{run:#}");
    let example = run["lookup_several_example"].as_str().expect("an example");
    assert!(
        example.contains("units") && example.contains("单位 7") && example.contains("(2)"),
        "{example}"
    );
    world.verify();
}

#[test]
fn several_rows_where_one_is_wanted_are_that_records_error() {
    let (world, shop) = world(
        "      $each: lines
      $do:
        FUnitID: {FNumber: {$lookup: units, $get: code, $by: {name: <<$line.unit>>}, $pick: only}}",
    );
    shop.put(
        "units",
        vec![
            unit(1, "件", "Pcs", "a"),
            unit(2, "箱", "Box", "a"),
            unit(3, "箱", "Case", "b"),
        ],
    );
    let order = |no: &str, name: &str| json!({"no": no, "lines": [{"id": "L1", "unit": name}]});
    shop.put("orders", vec![order("A1", "件"), order("A2", "箱")]);
    world.pass(UNITS, 0);
    let run = world.pass(ORDERS, 1);
    assert_eq!(
        (&run["states"]["done"], &run["states"]["dead"]),
        (&json!(1), &json!(1))
    );
    let problem = &run["problems"][0];
    assert_eq!(
        (&problem["state"], &problem["examples"][0]),
        (&json!("dead"), &json!("A2"))
    );
    assert!(
        problem["message"]
            .as_str()
            .is_some_and(|text| text.contains("箱")),
        "{problem:#}"
    );
    assert_eq!(lines_of(&world, "A1")[0]["FUnitID"]["FNumber"], "Pcs");
    world.verify();
}

#[test]
fn a_record_waits_for_the_row_it_refers_to_and_goes_on_by_itself() {
    let (world, shop) = world(
        "      $each: lines
      $do:
        FUnitID: {FNumber: {$lookup: units, $get: code, $by: {name: <<$line.unit>>}}}",
    );
    let order = |no: &str, name: &str| json!({"no": no, "lines": [{"id": "L1", "unit": name}]});
    shop.put("units", vec![unit(1, "件", "Pcs", "a")]);
    shop.put(
        "orders",
        vec![order("A1", "件"), order("A2", "箱"), order("A3", "箱")],
    );
    world.pass(UNITS, 0);
    let run = world.pass(ORDERS, 1);
    assert_eq!(
        (&run["states"]["done"], &run["states"]["pending"]),
        (&json!(1), &json!(2))
    );
    let waits = |run: &Value| {
        let problem = &run["problems"][0];
        assert_eq!(
            (&problem["state"], &problem["code"]),
            (&json!("pending"), &json!("E4018"))
        );
        assert_eq!(
            (&problem["count"], &problem["examples"]),
            (&json!(2), &json!(["A3", "A2"]))
        );
        let text = problem["message"].as_str().expect("a sentence");
        assert!(text.contains("units name=箱"), "what it waits for: {text}");
    };
    waits(&run);
    let shown = world.engine(&["rows", "show", "A2"]);
    shown
        .expect(0)
        .says("E4018")
        .says("units name=箱")
        .says("every run tries again");
    let document = world.engine(&["rows", "show", "A2", "--json"]).expect(0).json();
    world.valid("rows-show", &document);
    let since = document["rows"][0]["row"]["waits_since"].clone();
    assert!(since.is_string(), "{document:#}");
    // Runs without the row tell it every time, send nothing and do not begin the wait anew.
    let saves = world.calls("kingdee/BatchSave");
    waits(&world.pass(ORDERS, 1));
    assert_eq!(world.calls("kingdee/BatchSave"), saves);
    let document = world.engine(&["rows", "show", "A3", "--json"]).expect(0).json();
    assert_eq!(document["rows"][0]["row"]["waits_since"], since);
    // The row comes; the very next run writes both, at once and once each.
    shop.put(
        "units",
        vec![unit(1, "件", "Pcs", "a"), unit(2, "箱", "Box", "b")],
    );
    world.pass(UNITS, 0);
    let run = world.pass(ORDERS, 0);
    assert_eq!(run["states"]["done"], 3, "{run:#}");
    assert_eq!(run["problems"], json!([]));
    assert_eq!(lines_of(&world, "A3")[0]["FUnitID"]["FNumber"], "Box");
    let mut numbers: Vec<String> = world.journal().into_iter().map(|entry| entry.number).collect();
    numbers.sort();
    assert_eq!(numbers, ["A1", "A2", "A3"]);
    world.pass(ORDERS, 0);
    assert_eq!(world.journal().len(), 3);
    let document = world.engine(&["rows", "show", "A2", "--json"]).expect(0).json();
    assert_eq!(document["rows"][0]["row"]["waits_since"], Value::Null);
    world.verify();
}

/// The target's options for lines: it keeps those that are not sent, and tells the ids of all.
const LINES: &str = "      $each: lines
      $key: id
      $do:
        FEntryID: {$value: <<$line_id>>, $only: update, $missing: omit}
        FNote: <<$line.id>>
        FQty: <<$line.qty>>";

fn lines_world() -> (World, Shop) {
    let (world, shop) = world(LINES);
    world.edit(
        ORDERS,
        "IsDeleteEntry: false",
        "IsDeleteEntry: false, NeedReturnFields: [FBillNo, FSaleOrderEntry.FEntryID]",
    );
    (world, shop)
}

fn order(no: &str, lines: &[(&str, u32)]) -> Value {
    let lines: Vec<Value> = lines
        .iter()
        .map(|(id, qty)| json!({"id": id, "qty": qty}))
        .collect();
    json!({"no": no, "lines": lines})
}

/// What each line of the last document with a number was sent as: its id there or `new`, and its key.
fn sent(world: &World, number: &str) -> Vec<(Option<u64>, String)> {
    let lines = lines_of(world, number);
    lines
        .as_array()
        .expect("a list")
        .iter()
        .map(|line| {
            let id = line["FEntryID"].as_str().map(|id| id.parse().expect("a number"));
            let id = id.or(line["FEntryID"].as_u64());
            (id, line["FNote"].as_str().expect("text").to_owned())
        })
        .collect()
}

#[test]
fn the_ids_of_lines_come_back_with_the_next_update() {
    let (world, shop) = lines_world();
    let recorder = world.record();
    // Two documents in one call: the answer's lists are told apart.
    shop.put(
        "orders",
        vec![order("A1", &[("L1", 1), ("L2", 2)]), order("A2", &[("L1", 9)])],
    );
    world.pass(ORDERS, 0);
    assert_eq!(
        sent(&world, "A1"),
        [(None, "L1".to_owned()), (None, "L2".to_owned())]
    );
    // One line is changed and one added, in another order.
    shop.put(
        "orders",
        vec![
            order("A1", &[("L3", 3), ("L2", 5), ("L1", 1)]),
            order("A2", &[("L1", 9)]),
        ],
    );
    world.pass(ORDERS, 0);
    let second = sent(&world, "A1");
    let [(None, _), (Some(l2), _), (Some(l1), _)] = &second[..] else {
        panic!("{second:?}")
    };
    assert_ne!(l1, l2);
    // All three are known now, after a line has gone and come back, too.
    shop.put(
        "orders",
        vec![order("A1", &[("L1", 1), ("L3", 4)]), order("A2", &[("L1", 8)])],
    );
    world.pass(ORDERS, 0);
    let third = sent(&world, "A1");
    assert_eq!(third[0], (Some(*l1), "L1".to_owned()));
    let l3 = third[1].0.expect("an id");
    shop.put(
        "orders",
        vec![
            order("A1", &[("L1", 1), ("L2", 7), ("L3", 4)]),
            order("A2", &[("L1", 8)]),
        ],
    );
    world.pass(ORDERS, 0);
    assert_eq!(
        sent(&world, "A1"),
        [
            (Some(*l1), "L1".to_owned()),
            (Some(*l2), "L2".to_owned()),
            (Some(l3), "L3".to_owned())
        ]
    );
    // The target has three lines of one order and one of the other, no line twice.
    let (_, last) = recorder.calls("BatchSave.common.kdsvc").pop().expect("a call");
    let returned = last.json()["Result"]["NeedReturnData"].clone();
    let ids = |number: &str| -> Vec<u64> {
        let mut documents = returned.as_array().expect("a list").iter();
        let document = documents
            .find(|one| one["FBillNo"] == number)
            .expect("the document");
        let lines = document["FSaleOrderEntry"].as_array().expect("lines");
        lines
            .iter()
            .map(|line| line["FEntryID"].as_u64().expect("an id"))
            .collect()
    };
    assert_eq!(ids("A1"), [*l1, *l2, l3]);
    let other = sent(&world, "A2");
    assert!(other[0].0.is_some() && ![*l1, *l2, l3].contains(&other[0].0.expect("an id")));
    world.verify();
}

/// A document with keyed lines that goes through further calls: its lines' ids are kept with the first of them.
#[test]
fn lines_are_known_while_further_calls_are_made() {
    let (world, shop) = lines_world();
    world.edit(ORDERS, "  api: batchSave", "  steps: [batchSave, submit]");
    shop.put(
        "orders",
        vec![order("A1", &[("L1", 1)]), order("A2", &[("L1", 9)])],
    );
    let run = world.pass(ORDERS, 0);
    assert_eq!(run["states"]["done"], 2, "{run:#}");
    let actions: Vec<String> = world.journal().into_iter().map(|entry| entry.action).collect();
    assert_eq!(actions, ["create", "create", "submit", "submit"]);
    world.verify();
}

#[test]
fn no_line_is_doubled_when_an_answer_is_lost() {
    // The answer to an update that adds a line is lost: it is not sent again.
    let (world, shop) = lines_world();
    world.impatient();
    shop.put("orders", vec![order("A1", &[("L1", 1)])]);
    world.pass(ORDERS, 0);
    shop.put("orders", vec![order("A1", &[("L1", 1), ("L2", 2)])]);
    world.fault("BatchSave", 1, FaultKind::DropAfter);
    let run = world.pass(ORDERS, 1);
    assert_eq!(run["states"]["held"], 1, "{run:#}");
    assert_eq!(run["problems"][0]["code"], "E4024", "{run:#}");
    assert_eq!(world.journal().len(), 2, "one create and one update");
    world.pass(ORDERS, 0);
    assert_eq!(world.journal().len(), 2, "and it stays so");
    world.verify();

    // An update that adds nothing is sent again, with the ids.
    let (world, shop) = lines_world();
    world.impatient();
    shop.put("orders", vec![order("A1", &[("L1", 1)])]);
    world.pass(ORDERS, 0);
    shop.put("orders", vec![order("A1", &[("L1", 2)])]);
    world.fault("BatchSave", 1, FaultKind::DropAfter);
    let run = world.pass(ORDERS, 0);
    assert_eq!(run["states"]["done"], 1, "{run:#}");
    assert!(sent(&world, "A1")[0].0.is_some());
    world.verify();

    // The answer to a create is lost: the document is found, the ids of its lines are not known.
    let (world, shop) = lines_world();
    world.impatient();
    shop.put("orders", vec![order("A1", &[("L1", 1)])]);
    world.fault("BatchSave", 1, FaultKind::DropAfter);
    let run = world.pass(ORDERS, 0);
    assert_eq!(run["states"]["done"], 1, "{run:#}");
    shop.put("orders", vec![order("A1", &[("L1", 2)])]);
    let run = world.pass(ORDERS, 1);
    assert_eq!(
        (&run["states"]["held"], &run["problems"][0]["code"]),
        (&json!(1), &json!("E4023"))
    );
    assert_eq!(world.journal().len(), 1);
    world.verify();
}

#[test]
fn conditions_beyond_equality() {
    let (world, shop) = world(
        "      $each: lines
      $do:
        FUnitID: '_mongoQuery units findField=content.code where={\"content.name\": \"{{lines.unit}}\", \"content.id\": {\"$lt\": 100}}'
        FNote: '_mongoQuery units findField=content.id where={\"content.code\": {\"$regex\": \"^B\"}}'",
    );
    shop.put(
        "units",
        vec![
            unit(1, "件", "Pcs", "a"),
            unit(2, "箱", "Box", "a"),
            unit(300, "箱", "Case", "b"),
        ],
    );
    let order = |no: &str, name: &str| json!({"no": no, "lines": [{"id": "L1", "unit": name}]});
    shop.put(
        "orders",
        vec![order("A1", "件"), order("A2", "箱"), order("A3", "盒")],
    );
    world.pass(UNITS, 0);
    let run = world.pass(ORDERS, 0);
    assert_eq!(run["states"]["done"], 3, "{run:#}");
    assert_eq!(run["lookup_queries"], 2, "one for each of the two: {run:#}");
    assert_eq!(run["lookup_misses"], 1, "{run:#}");
    let found = |number: &str| {
        let line = lines_of(&world, number)[0].clone();
        (line["FUnitID"].clone(), line["FNote"].clone())
    };
    assert_eq!(found("A1"), (json!("Pcs"), json!(2)));
    assert_eq!(
        found("A2"),
        (json!("Box"), json!(2)),
        "not the newer one, whose id is too large"
    );
    assert_eq!(found("A3"), (Value::Null, json!(2)));
    world.verify();
}
