//! The standard channel of Fxiaoke's data synchronisation with us as the platform: accounts of the CRM become customers
//! of a home-grown ERP, its orders become sales orders of the CRM, and ERP data are pushed into the platform.

use std::collections::{BTreeMap, BTreeSet};

use sandbox::{ErpLines, FaultKind, FaultPlan, JournalEntry, NewSettings};
use serde_json::{Value, json};
use tests::e2e::{CUSTOMERS, World, repository};

const CUSTOMERS_OUT: &str = "schemes/fx-accounts-to-erp.yaml";
const ORDERS_IN: &str = "schemes/erp-orders-to-fx.yaml";
const LINES: &str = "schemes/lines.yaml";
/// As many as one burst of the CRM lets through, twice asked and once written.
const ORDERS: usize = 40;

fn with(scheme: &str, world: World) -> World {
    let text = std::fs::read_to_string(repository().join(scheme)).expect("the repository has it");
    // One direction alone, of an ERP that may not be asked by number.
    let pairs = |line: &str| line.starts_with("two_way:") || line.starts_with("  find:");
    let alone = |line: &&str| scheme != CUSTOMERS_OUT || !pairs(line);
    let text: Vec<&str> = text.lines().filter(alone).collect();
    world.write(scheme, &text.join("\n"));
    world.impatient();
    world
}

/// Parameters of the connection of the ERP.
fn erp(world: &World, more: &str) {
    let at = "connector: fxiaoke-erp\n    params:\n";
    world.edit("connections.yaml", at, &format!("{at}{more}"));
}

fn of_form(world: &World, form: &str) -> BTreeMap<String, Vec<JournalEntry>> {
    let mut found: BTreeMap<String, Vec<JournalEntry>> = BTreeMap::new();
    let journal = world.journal().into_iter();
    for entry in journal.filter(|entry| entry.form == form) {
        found.entry(entry.number.clone()).or_default().push(entry);
    }
    found
}

fn actions(entries: &[JournalEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.action.as_str()).collect()
}

fn content(entry: &JournalEntry) -> Value {
    serde_json::from_str(&entry.content).expect("a document")
}

/// Renames every account a while ago: a window does not reach into the second that is still going on.
fn rename_all(world: &World) {
    world.sandbox().advance_ms(-30_000);
    world.control("change", &json!({"customers": CUSTOMERS}));
    world.sandbox().advance_ms(30_000);
}

fn customers(world: &World) -> BTreeMap<String, Vec<JournalEntry>> {
    of_form(world, "BD_Customer.BillHead")
}

/// A lost create waits for a person; a change is sent as an update, and asked about when its answer was lost.
#[test]
fn accounts_become_customers_and_a_lost_create_waits_for_a_person() {
    let world = with(CUSTOMERS_OUT, World::small());
    let losses = [
        (2, "drop_after"),
        (5, "half_body"),
        (9, "http_500_after"),
        (12, "drop_before"),
        (15, "html_login"),
    ];
    world.go_wrong("erp/create", &losses);
    let run = world.until_settled(CUSTOMERS_OUT, CUSTOMERS);
    assert_eq!(run["states"]["held"], losses.len(), "{run:#}");
    let made = customers(&world);
    // The login page stood in front of the ERP as the dropped call did: nothing was executed.
    assert_eq!(made.len(), CUSTOMERS - 2);
    assert!(
        made.values().all(|entries| actions(entries) == ["create"]),
        "{made:?}"
    );
    // Whoever is held stays so, whatever is run; nobody is made twice.
    world.engine(&["run", CUSTOMERS_OUT]);
    assert_eq!(customers(&world), made);
    rename_all(&world);
    let lost = [(1, "drop_after"), (4, "half_body"), (7, "drop_before")];
    world.go_wrong("erp/update", &lost);
    world.until_settled(CUSTOMERS_OUT, CUSTOMERS);
    let changed = customers(&world);
    assert_eq!(changed.len(), made.len());
    for (number, entries) in &changed {
        let ids: BTreeSet<u64> = entries.iter().map(|entry| entry.id).collect();
        assert_eq!(ids.len(), 1, "{number}");
        let updates = &entries[1..];
        assert!(
            updates.iter().all(|entry| entry.action == "update"),
            "{entries:?}"
        );
        assert!(updates.len() <= 1, "{entries:?}");
        for entry in updates {
            assert_eq!(content(entry)["masterFieldVal"]["id"], entry.id.to_string());
        }
    }
    // Whoever is held is not updated either.
    let updated = changed.values().filter(|entries| entries.len() == 2).count();
    assert_eq!(updated, CUSTOMERS - losses.len());
    assert_eq!(world.calls("erp/erp/queryMasterById"), lost.len() as u64);
    world.verify();
}

/// Where the ERP finds by number, a lost create is asked about: what is there is adopted, what is not is sent again.
#[test]
fn a_lost_create_is_found_by_its_number() {
    for form in ["json", "xml", "text"] {
        let world = with(CUSTOMERS_OUT, World::small());
        erp(
            &world,
            &format!("      finds_by_number: true\n      format: {form}\n"),
        );
        world
            .sandbox()
            .set(&NewSettings {
                erp_xml: Some(form == "xml"),
                ..NewSettings::default()
            })
            .expect("settings");
        let losses = [
            (2, "drop_after"),
            (5, "half_body"),
            (9, "http_500_after"),
            (12, "drop_before"),
            (15, "html_login"),
        ];
        world.go_wrong("erp/create", &losses);
        world.until_done(CUSTOMERS_OUT, CUSTOMERS);
        let made = customers(&world);
        assert_eq!(made.len(), CUSTOMERS, "{form}");
        assert!(
            made.values().all(|entries| actions(entries) == ["create"]),
            "{form} {made:?}"
        );
        assert!(world.calls("erp/erp/queryMasterById") >= 5, "{form}");
        // What was asked for is known by its id from then on.
        rename_all(&world);
        world.until_done(CUSTOMERS_OUT, CUSTOMERS);
        let changed = customers(&world);
        assert!(
            changed
                .values()
                .all(|entries| actions(entries) == ["create", "update"]),
            "{form} {changed:?}"
        );
        world.verify();
    }
}

#[test]
fn a_refusal_is_told_in_the_erps_words() {
    let world = with(CUSTOMERS_OUT, World::small());
    world.go_wrong("erp/create", &[(1, "batch_refused"), (2, "msg_code_13")]);
    let ran = world.engine(&["run", CUSTOMERS_OUT, "--json"]);
    let run = &ran.json()["runs"][0];
    assert_eq!(
        (&run["states"]["dead"], &run["states"]["done"]),
        (&json!(2), &json!(CUSTOMERS - 2)),
        "{ran}"
    );
    let rows = world
        .engine(&["rows", "list", "--state", "dead", "--json"])
        .json()
        .to_string();
    for words in ["1004 数据不符合校验规则", "-1 系统繁忙，请稍后再试"] {
        assert!(rows.contains(words), "{rows}");
    }
    assert_eq!(customers(&world).len(), CUSTOMERS - 2);
}

#[test]
fn a_wrong_token_stops_the_connection_and_stands_nowhere() {
    let mut world = with(CUSTOMERS_OUT, World::small());
    let wrong = "sandbox-erp-tokeN";
    let right = world.set("SANDBOX_ERP_TOKEN", wrong).expect("it was set before");
    let ran = world.engine(&["run", CUSTOMERS_OUT, "--json"]);
    assert!(
        ran.json()["runs"][0].to_string().contains("401 token 无效"),
        "{ran}"
    );
    assert_eq!(customers(&world).len(), 0);
    for (path, bytes) in world.left_behind() {
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            !text.contains(wrong) && !text.contains(&right),
            "a token stands in {}",
            path.display()
        );
    }
    world.set("SANDBOX_ERP_TOKEN", &right);
    world.until_done(CUSTOMERS_OUT, CUSTOMERS);
}

/// Orders of a shop that become documents of the ERP, with these lists of lines.
fn orders_with(lines: &str) -> String {
    format!(
        "scheme: lines
source: {{connection: huke, api: search_customers, request: {{list: orders}}, window: none, key: number}}
target:
  connection: fx_erp
  api: {{create: create, update: update}}
  options: {{objAPIName: erpSalesOrderObj}}
  key: number
  request:
    masterFieldVal: {{number: <<number>>}}
    detailFieldVals:
{lines}schedule: {{every: 30m}}
tests:
  - name: an order
    row: {{number: A1, goods: [{{no: L1, sku: a, price: b}}], plans: [{{no: P1, amount: c}}]}}
    expect: {{}}
"
    )
}

fn order(changed: bool) -> Value {
    let line = |no: &str, price: &str| json!({"no": no, "sku": "00012", "price": price});
    let (goods, plans) = match changed {
        false => (
            vec![line("L1", "1.50"), line("L2", "2.00")],
            vec![json!({"no": "P1", "amount": "3.50"})],
        ),
        true => (
            vec![line("L2", "2.50"), line("L3", "4.00"), line("L1", "1.50")],
            vec![
                json!({"no": "P1", "amount": "5.00"}),
                json!({"no": "P2", "amount": "3.00"}),
            ],
        ),
    };
    json!({"number": "0004270002", "goods": goods, "plans": plans})
}

/// Ids of lines come back by place, by list and key, and by key alone; an update names the lines that are known and
/// brings the others without an id, in every form of the data.
#[test]
fn lines_keep_their_ids_in_every_shape_and_form() {
    for (by, form) in [
        (ErpLines::Place, "json"),
        (ErpLines::Key, "json"),
        (ErpLines::Flat, "json"),
        (ErpLines::Flat, "text"),
        // Keys of lines are no names of elements: in XML there are places only.
        (ErpLines::Place, "xml"),
    ] {
        let world = World::small();
        world.write(
            LINES,
            &orders_with(
                "      erpSalesOrderProductObj:
        $each: goods
        $key: no
        $do: {id: {$value: <<$line_id>>, $missing: omit}, number: <<$line.no>>, product_id: <<$line.sku>>, product_price: <<$line.price>>}
      erpPaymentPlanObj:
        $each: plans
        $key: no
        $do: {id: {$value: <<$line_id>>, $missing: omit}, number: <<$line.no>>, amount: <<$line.amount>>}
",
            ),
        );
        erp(&world, &format!("      format: {form}\n"));
        world
            .sandbox()
            .set(&NewSettings {
                erp_lines: Some(by),
                ..NewSettings::default()
            })
            .expect("settings");
        let shop = world.shop();
        shop.put("orders", vec![order(false)]);
        world.until_done(LINES, 1);
        shop.put("orders", vec![order(true)]);
        world.until_done(LINES, 1);
        let orders = of_form(&world, "erpSalesOrderObj");
        let entries = &orders["0004270002"];
        assert_eq!(actions(entries), ["create", "update"], "{by:?} {form}");
        let id = entries[0].id;
        let lines = content(&entries[1])["detailFieldVals"].clone();
        let told = |list: &str| -> Vec<(String, Value)> {
            let lines = lines[list].as_array().expect("lines");
            lines
                .iter()
                .map(|line| {
                    (
                        line["number"].as_str().expect("a number").to_owned(),
                        line["id"].clone(),
                    )
                })
                .collect()
        };
        // The ids that the ERP gave, in the order of the lists' names.
        let known = |nth: u64| json!((id * 1_000 + nth).to_string());
        let none = Value::Null;
        let line = |number: &str, id: &Value| (number.to_owned(), id.clone());
        assert_eq!(
            told("erpPaymentPlanObj"),
            [line("P1", &known(1)), line("P2", &none)],
            "{by:?} {form}"
        );
        let goods = [line("L2", &known(3)), line("L3", &none), line("L1", &known(2))];
        assert_eq!(told("erpSalesOrderProductObj"), goods, "{by:?} {form}");
        // Nothing new: nothing is sent.
        world.until_done(LINES, 1);
        assert_eq!(of_form(&world, "erpSalesOrderObj")["0004270002"].len(), 2);
        world.verify();
    }
}

/// Lines without an id are added by every update that brings them: one whose answer was lost is looked for, and where it
/// is not there a person decides.
#[test]
fn lines_without_ids_are_never_brought_twice() {
    for (fault, state, writes) in [
        ("drop_after", "done", &["create", "update"][..]),
        ("drop_before", "held", &["create"]),
    ] {
        let world = World::small();
        world.write(
            LINES,
            &orders_with(
                "      erpSalesOrderProductObj:
        $each: goods
        $do: {number: <<$line.no>>, product_id: <<$line.sku>>, product_price: <<$line.price>>}
",
            ),
        );
        world.impatient();
        let shop = world.shop();
        shop.put("orders", vec![order(false)]);
        world.until_done(LINES, 1);
        shop.put("orders", vec![order(true)]);
        world.go_wrong("erp/update", &[(1, fault)]);
        let run = world.until_settled(LINES, 1);
        assert_eq!(run["states"][state], 1, "{fault}: {run:#}");
        let orders = of_form(&world, "erpSalesOrderObj");
        assert_eq!(actions(&orders["0004270002"]), writes, "{fault}");
        assert_eq!(world.calls("erp/erp/queryMasterById"), 1, "{fault}");
        // Nothing more is sent, whatever is run.
        world.engine(&["run", LINES]);
        assert_eq!(of_form(&world, "erpSalesOrderObj"), orders, "{fault}");
        world.verify();
    }
}

/// Orders with two lists of lines arrive whole while pages go wrong; those that are cancelled in the ERP later are made
/// invalid, others that change are updated.
#[test]
fn orders_become_sales_orders_and_cancelled_ones_invalid() {
    for is_xml in [false, true] {
        let world = with(ORDERS_IN, World::of(|config| config.trades = ORDERS));
        world
            .sandbox()
            .set(&NewSettings {
                erp_xml: Some(is_xml),
                ..NewSettings::default()
            })
            .expect("settings");
        erp(&world, "      page_size: 7\n");
        world.go_wrong(
            "erp/queryMasterBatch",
            &[
                (2, "half_body"),
                (4, "msg_code_13"),
                (6, "empty_page"),
                (8, "session_lost"),
            ],
        );
        world.until_done(ORDERS_IN, ORDERS);
        let made = of_form(&world, "SalesOrderObj");
        assert_eq!(made.len(), ORDERS);
        let mut plans = BTreeSet::new();
        for (number, entries) in &made {
            assert_eq!(actions(entries), ["create"], "{number}");
            let document = content(&entries[0]);
            let goods = document["details"]["SalesOrderProductObj"]
                .as_array()
                .expect("lines")
                .clone();
            assert!(
                goods[0]["line_no__c"]
                    .as_str()
                    .is_some_and(|no| no.starts_with(number.as_str())),
                "{document}"
            );
            plans.insert(
                document["details"]["order_plan__c"]
                    .as_array()
                    .expect("lines")
                    .len(),
            );
        }
        assert_eq!(
            plans,
            BTreeSet::from([1, 2]),
            "orders are paid in one part or in two"
        );
        world.sandbox().advance_ms(-30_000);
        world.control("move", &json!({"updates": 12}));
        world.sandbox().advance_ms(30_000);
        world.until_done(ORDERS_IN, ORDERS);
        let (mut updated, mut invalid) = (0, 0);
        for (number, entries) in of_form(&world, "SalesOrderObj") {
            match actions(&entries)[..] {
                ["create"] => {}
                ["create", "update"] => updated += 1,
                ["create", "delete"] => invalid += 1,
                ref other => panic!("{number}: {other:?}"),
            }
        }
        assert!(invalid > 0, "{updated} {invalid}");
        assert!(updated + invalid <= 12);
        world.verify();
    }
}

/// Rows move between pages while they are read: no order is passed over.
#[test]
fn orders_that_move_while_they_are_read_are_not_lost() {
    let world = with(ORDERS_IN, World::of(|config| config.trades = ORDERS));
    erp(&world, "      page_size: 5\n");
    for nth in [2, 4, 5] {
        let plan = FaultPlan {
            inserts: Some(1),
            updates: Some(2),
            deletes: Some(0),
            ..FaultPlan::nth("erp/queryMasterBatch", nth, FaultKind::RowsMove)
        };
        world.sandbox().fault(plan).expect("a plan");
    }
    // What moves is a while ago, and within the window that is being read.
    world.sandbox().advance_ms(-30_000);
    let run = world.until_settled(ORDERS_IN, ORDERS + 3);
    assert_eq!(run["states"]["done"], ORDERS + 3, "{run:#}");
    world.verify();
}

#[test]
fn an_interval_below_six_minutes_is_refused_with_its_reason() {
    let world = with(ORDERS_IN, World::small());
    world.edit(ORDERS_IN, "schedule: {every: 6m}", "schedule: {every: 5m}");
    let ran = world.engine(&["check", ORDERS_IN]);
    ran.expect(1)
        .says("Fxiaoke's platform polls an ERP every 6 minutes at most");
}

fn pushed(options: &str) -> String {
    format!(
        "scheme: pushed
source: {{connection: huke, api: search_customers, window: none, key: cid, label: nick}}
target:
  connection: crm
  api: erp_push
  options: {{objAPIName: erpCustomer, id: <<cid>>{options}}}
  key: number
  request: {{masterFieldVal: {{number: <<cid>>, name: <<nick>>}}, detailFieldVals: {{}}}}
schedule: {{every: 30m}}
"
    )
}

/// A push that is to be synced at once names its destination; what the platform calls the push stands with the attempt.
#[test]
fn a_push_into_the_platform_keeps_its_trace() {
    const PUSHED: &str = "schemes/pushed.yaml";
    let world = World::small();
    world.impatient();
    world.write(PUSHED, &pushed(", directSync: true"));
    world
        .engine(&["check", PUSHED])
        .expect(1)
        .says("E1199")
        .says("destObjectApiName");
    world.write(
        PUSHED,
        &pushed(", directSync: true, destObjectApiName: AccountObj"),
    );
    world.go_wrong("erp/syncdata/objdata/push", &[(2, "batch_refused")]);
    let ran = world.engine(&["run", PUSHED, "--json"]);
    let states = &ran.json()["runs"][0]["states"];
    assert_eq!(
        (&states["done"], &states["dead"]),
        (&json!(CUSTOMERS - 1), &json!(1)),
        "{ran}"
    );
    let mut traces = BTreeSet::new();
    for state in ["done", "dead"] {
        let rows = world
            .engine(&["rows", "list", "--scheme", "pushed", "--state", state, "--json"])
            .json();
        let key = rows["rows"][0]["key"][0].as_str().expect("a row").to_owned();
        let shown = world.engine(&["rows", "show", &key, "--scheme", "pushed", "--json"]);
        let document = shown.json();
        world.valid("rows-show", &document);
        let trace = find(&document, "vendor_trace")
            .and_then(Value::as_str)
            .expect("a trace")
            .to_owned();
        assert!(trace.starts_with("E-O.sandbox."), "{shown}");
        world
            .engine(&["rows", "show", &key, "--scheme", "pushed"])
            .expect(0)
            .says(&trace);
        traces.insert(trace);
    }
    assert_eq!(traces.len(), 2);
}

/// When the calls of the day are used up, the connection stops until midnight and says so: another run asks nothing.
#[test]
fn the_quota_of_a_day_stops_the_connection() {
    const STORED: &str = "schemes/fx-accounts.yaml";
    let world = with(STORED, World::of(|config| config.trades = 1200));
    let calls = |most: u64| {
        world.sandbox().set(&NewSettings {
            calls_per_day: Some(most),
            ..NewSettings::default()
        })
    };
    for (most, code) in [(2, "E4008"), (0, "E4041")] {
        calls(most).expect("settings");
        let ran = world.engine(&["run", STORED, "--json"]);
        let stopped = &ran.json()["runs"][0]["stopped"];
        assert_eq!(stopped["code"], code, "{ran}");
        assert!(stopped.to_string().contains("30002 超出每日调用总量"), "{ran}");
        assert_eq!(world.state()["systems"]["fx"]["calls_today"], 2, "{ran}");
    }
}

/// The first member of this name, wherever it stands.
fn find<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members
            .get(name)
            .or_else(|| members.values().find_map(|member| find(member, name))),
        Value::Array(list) => list.iter().find_map(|member| find(member, name)),
        _ => None,
    }
}
