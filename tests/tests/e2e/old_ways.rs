//! What schemes that were brought over rely on, through the real binary: lists in lists, and a second pass.

use sandbox::FaultKind;
use serde_json::{Value, json};
use tests::e2e::{CUSTOMERS, TRADES, World};

/// Rows of a list in a list, written one by one.
const LOTS: &str = "schemes/lots.yaml";
/// The same trades, stored.
const TRADED: &str = "schemes/traded.yaml";

const LOTS_YAML: &str = "
scheme: lots
compat: qeasy
source:
  connection: huke
  api: search_customers
  window: none
  request: {list: lots}
  explode: [details, details.lots]
  keep: {field: details.lots.qty, gt: 0}
  key: [no, $row]
target:
  connection: k3
  api: batchSave
  options: {FormId: SAL_OUTSTOCK, IsDeleteEntry: false}
  actions: [create]
  request:
    FBillNo: <<no>>-<<$row>>
    FNote: <<details_lots_no>>
    FSku: <<details_sku>>
    FQty: {$value: <<details_lots.qty>>, $type: int}
    FEmpty: <<details_lots_place>>
schedule: {every: 30m}
tests:
  - name: two lines, three lots
    row: {no: A, details: [{sku: s1, lots: [{no: L1, qty: 1.5, place: null}, {no: L2, qty: 0, place: x}]}, {sku: s2, lots: [{no: L3, qty: 2}]}]}
    expect:
      - {FBillNo: A-1, FNote: L1, FSku: s1, FQty: 1}
      - {$dropped: keep}
      - {FBillNo: A-3, FNote: L3, FSku: s2, FQty: 2, FEmpty: \"\"}
";

/// Each lot of each line is a document of its own, once, whatever becomes of an answer.
#[test]
fn lists_in_lists_become_rows_each_once() {
    for fault in [None, Some(FaultKind::DropAfter), Some(FaultKind::HalfBody)] {
        let world = World::small();
        world.impatient();
        let shop = world.shop();
        world.write(LOTS, LOTS_YAML);
        world.engine(&["test", LOTS]).expect(0);
        let order = |nth: usize| {
            let lot = |no: usize| json!({"no": format!("L{nth}{no}"), "qty": no, "place": if no == 2 { json!("x") } else { Value::Null }});
            json!({"no": format!("A{nth}"), "details": [{"sku": "s1", "lots": [lot(0), lot(1)]}, {"sku": "s2", "lots": [lot(2)]}]})
        };
        shop.put("lots", (0..20).map(order).collect());
        if let Some(kind) = fault {
            world.fault("BatchSave", 1, kind);
        }
        // Of the three lots of an order the one without a quantity is dropped.
        world.until_done(LOTS, 40);
        let journal = world.journal();
        assert_eq!(journal.len(), 40, "{fault:?}");
        let content = |number: &str| -> Value {
            let entry = journal.iter().find(|entry| entry.number == number);
            serde_json::from_str(&entry.unwrap_or_else(|| panic!("no {number}")).content).expect("a document")
        };
        assert_eq!(
            content("A7-2"),
            json!({"FBillNo": "A7-2", "FNote": "L71", "FSku": "s1", "FQty": 1}),
            "null is left out"
        );
        assert_eq!(
            content("A7-3"),
            json!({"FBillNo": "A7-3", "FNote": "L72", "FSku": "s2", "FQty": 2, "FEmpty": "x"})
        );
        world.verify();
    }
}

/// What lies before the first window is read by the second pass, once in its time, and a page that breaks off is read
/// again.
#[test]
fn a_second_pass_reads_what_was_before() {
    let scheme = |sweep: &str| {
        format!(
            "
scheme: traded
source:
  connection: huke
  api: openapi/trade/searchTrades
  request: {{source: \"2\"}}
  window: {{first: -10m}}
{sweep}  key: tid
target: none
schedule: {{every: 6m}}
"
        )
    };
    let sweep = "  sweep: {every: 1d, window: {start: -1d, end: -5m}}\n";
    let without = World::small();
    without.write(TRADED, &scheme(""));
    let seen = without.pass(TRADED, 0)["states"]["done"].as_u64().unwrap_or(0);
    assert!(
        usize::try_from(seen).is_ok_and(|seen| seen < TRADES),
        "{seen} without it"
    );
    let world = World::small();
    world.impatient();
    world.write(TRADED, &scheme(sweep));
    world.fault("searchTrades", 3, FaultKind::HalfBody);
    world.until_done(TRADED, TRADES);
    assert_eq!(world.sandbox().struck(), [1]);
    world.verify();
    // Not again before its time.
    let pages = world.calls("huke");
    world.engine(&["run", TRADED]).expect(0);
    let more = world.calls("huke") - pages;
    assert!(
        more < u64::try_from(CUSTOMERS / 10).unwrap_or(0) + 1,
        "{more} more calls"
    );
}
