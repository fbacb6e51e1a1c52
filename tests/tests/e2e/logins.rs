//! Systems that are logged in to by several calls, at their simulators: where to go is asked first, a key is registered
//! before a token is given, and what may be used for longer is not asked for again.

use serde_json::{Value, json};
use tests::e2e::{CUSTOMERS, World};

/// A scheme over the customers of Huke, whole each time.
fn customers_to(name: &str, target: &str) -> String {
    format!(
        "scheme: {name}
source: {{connection: huke, api: search_customers, window: none, key: cid, label: nick}}
target:
{target}schedule: {{every: 30m}}
"
    )
}

const ORDERS: &str = "schemes/orders.yaml";
const ORDERS_READ: &str = "schemes/orders-read.yaml";
const REQUESTS: &str = "schemes/requests.yaml";

fn yonbip() -> World {
    let world = World::small();
    let target = "  connection: yonbip
  api: sales_order_save
  batch: 7
  request: {code: SO-<<cid>>, agentId: <<cid>>, memo: <<nick>>}
";
    world.write(ORDERS, &customers_to("orders", target));
    world.write(
        ORDERS_READ,
        "scheme: orders-read
source: {connection: yonbip, api: sales_order_list, window: {field: pubts, first: -1d}, page_size: 8, key: code}
target: none
schedule: {every: 6m}
",
    );
    world
}

fn ecology() -> World {
    let world = World::small();
    let target = "  connection: oa
  api: request_create
  options: {workflowId: \"1001\"}
  request:
    requestName: 客户建档-<<cid>>
    mainData: [{fieldName: khbh, fieldValue: <<cid>>}, {fieldName: khmc, fieldValue: <<nick>>}]
";
    world.write(REQUESTS, &customers_to("requests", target));
    world
}

/// Each document was made once.
#[track_caller]
fn made_once(world: &World, form: &str) {
    let effects = world.sandbox().effects();
    let made: Vec<_> = effects.iter().filter(|one| one.form == form).collect();
    assert_eq!(made.len(), CUSTOMERS);
    assert!(made.iter().all(|one| one.creates == 1), "{made:?}");
    world.verify();
}

#[test]
fn orders_arrive_once_at_the_gateway_that_was_named() {
    let world = yonbip();
    world.impatient();
    world.go_wrong("getGatewayAddress", &[(1, "http_500_before")]);
    world.go_wrong("getAccessToken", &[(1, "half_body")]);
    world.go_wrong(
        "voucherorder/batchSave",
        &[
            (1, "drop_after"),
            (3, "half_body"),
            (4, "http_500_before"),
            (6, "session_lost"),
            (8, "msg_code_14"),
        ],
    );
    world.until_done(ORDERS, CUSTOMERS);
    made_once(&world, "voucherorder");
    world.go_wrong("voucherorder/list", &[(1, "session_lost"), (3, "half_body")]);
    world.until_done(ORDERS_READ, CUSTOMERS);
}

/// The address of the gateway is kept from one command to the next, the token is not.
#[test]
fn where_to_call_is_asked_once() {
    let world = yonbip();
    for _ in 0..3 {
        world.engine(&["run", ORDERS]).expect(0);
    }
    world.control("change", &json!({"new": 1}));
    world.engine(&["run", ORDERS]).expect(0);
    assert_eq!(world.calls("yonbip/getGatewayAddress"), 1);
    assert!(world.calls("yonbip/getAccessToken") >= 2);
    let kept = std::fs::read_dir(world.data().join("sessions")).expect("something is kept");
    let texts: Vec<String> = kept
        .map(|entry| std::fs::read_to_string(entry.expect("readable").path()).expect("ours"))
        .collect();
    let texts = texts.concat();
    assert!(
        texts.contains("/yonbip/gw") && !texts.contains("access"),
        "{texts}"
    );
}

#[test]
fn a_signature_off_by_one_letter_is_refused() {
    let mut world = yonbip();
    let wrong = "sandbox-yonbip-secreT";
    let right = world
        .set("SANDBOX_YONBIP_SECRET", wrong)
        .expect("it was set before");
    let ran = world.engine(&["run", ORDERS, "--json"]);
    let run = &ran.json()["runs"][0];
    assert!(run.to_string().contains("50001 签名不正确"), "{ran}");
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(wrong), "{ran}");
    assert_eq!(world.journal().len(), 0);
    for (path, bytes) in world.left_behind() {
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            !text.contains(wrong) && !text.contains(&right),
            "{}",
            path.display()
        );
    }
    world.set("SANDBOX_YONBIP_SECRET", &right);
    world.until_done(ORDERS, CUSTOMERS);
}

fn registrations(world: &World) -> Value {
    world.state()["systems"]["ecology"]["registrations"].clone()
}

#[test]
fn requests_are_started_once_with_one_registration() {
    let world = ecology();
    world.impatient();
    world.go_wrong(
        "doCreateRequest",
        &[
            (2, "drop_after"),
            (5, "session_lost"),
            (9, "half_body"),
            (13, "http_500_after"),
            (17, "drop_before"),
        ],
    );
    world.until_done(REQUESTS, CUSTOMERS);
    made_once(&world, "workflow");
    assert_eq!(registrations(&world), 1);
    // Another command goes on with the registration there is; one that is refused is made again.
    world.control("change", &json!({"new": 1}));
    world.engine(&["run", REQUESTS]).expect(0);
    assert_eq!(registrations(&world), 1);
    world.control(
        "fault",
        &json!({"endpoint": "applytoken", "nth": 1, "kind": "session_lost"}),
    );
    world.control("change", &json!({"new": 1}));
    world.engine(&["run", REQUESTS]).expect(0);
    assert_eq!(registrations(&world), 2);
    // What the registration gave stands in its own file and nowhere else.
    let kept = std::fs::read_dir(world.data().join("sessions")).expect("something is kept");
    let file = kept
        .map(|entry| entry.expect("readable").path())
        .find(|path| path.extension().is_some_and(|ending| ending == "json"))
        .expect("a session");
    let text = std::fs::read_to_string(&file).expect("ours");
    let session: Value = serde_json::from_str(&text).expect("a session");
    let secret = session["taken"]["secrit"].as_str().expect("a secret").to_owned();
    for (path, bytes) in world.left_behind() {
        let text = String::from_utf8_lossy(&bytes);
        assert!(path == file || !text.contains(&secret), "{}", path.display());
    }
}

#[test]
fn an_application_with_another_letter_is_refused() {
    let world = ecology();
    world.edit("connections.yaml", "SANDBOX-OA", "SANDBOX-OB");
    let ran = world.engine(&["run", REQUESTS, "--json"]);
    assert!(
        ran.json()["runs"][0].to_string().contains("appid 未授权"),
        "{ran}"
    );
    assert_eq!(world.journal().len(), 0);
}

/// SAP: every write carries a token that was fetched with its cookies.
const SALES: &str = "schemes/sales.yaml";
const SALES_READ: &str = "schemes/sales-read.yaml";

/// Version of the protocol, operation and endpoint of a create.
const CREATES: [(bool, &str, &str); 4] = [
    (true, "sales_order_create", "postSalesOrder"),
    (true, "sales_order_create_batch", "batchSalesOrders"),
    (false, "sales_order_create_v4", "postSalesOrderV4"),
    (false, "sales_order_create_batch_v4", "batchSalesOrdersV4"),
];

fn sap(is_v2: bool, create: &str) -> World {
    sap_in(World::small(), is_v2, create)
}

fn sap_in(world: World, is_v2: bool, create: &str) -> World {
    let (items, update, list) = match is_v2 {
        true => ("to_Item", "sales_order_update", "sales_order_list"),
        false => ("_Item", "sales_order_update_v4", "sales_order_list_v4"),
    };
    // What is changed is changed one by one.
    let api = match create.contains("batch") {
        true => format!("{create}\n  batch: 7"),
        false => format!("{{create: {create}, update: {update}}}"),
    };
    let target = format!(
        "  connection: sap
  api: {api}
  request:
    SalesOrderType: OR
    SoldToParty: <<cid>>
    PurchaseOrderByCustomer: O'Neil-<<cid>>
    SalesOrderText: <<nick>>
    {items}: {{$value: [{{Material: A-001, RequestedQuantity: \"2\"}}], $only: create}}
"
    );
    world.write(SALES, &customers_to("sales", &target));
    world.write(
        SALES_READ,
        &format!(
            "scheme: sales-read
source: {{connection: sap, api: {list}, window: {{field: LastChangeDateTime, first: -1d}}, page_size: 7, key: SalesOrder, label: PurchaseOrderByCustomer}}
target: none
schedule: {{every: 6m}}
"
        ),
    );
    world
}

#[test]
fn sales_orders_arrive_once_whatever_goes_wrong() {
    for (is_v2, create, endpoint) in CREATES {
        let world = sap(is_v2, create);
        world.impatient();
        world.go_wrong("csrf", &[(1, "http_500_before"), (2, "half_body")]);
        world.go_wrong(
            endpoint,
            &[
                (1, "drop_after"),
                (2, "session_lost"),
                (3, "half_body"),
                (5, "http_500_after"),
            ],
        );
        world.until_done(SALES, CUSTOMERS);
        made_once(&world, "A_SalesOrder");
        let list = if is_v2 {
            "getSalesOrders"
        } else {
            "getSalesOrdersV4"
        };
        world.control(
            "fault",
            &json!({"clear": true, "plans": [{"endpoint": list, "kind": "half_body", "nth": 2}]}),
        );
        world.until_done(SALES_READ, CUSTOMERS);
        let shown = world.engine(&[
            "rows",
            "list",
            "--scheme",
            "sales-read",
            "--json",
            "--limit",
            "100",
        ]);
        assert!(shown.json()["rows"][0].to_string().contains("O'Neil-"), "{shown}");
        if create.contains("batch") {
            continue;
        }
        // A change goes to the order that was made, by its key in the path.
        world.control("change", &json!({"customers": 2}));
        let ran = world.engine(&["run", SALES, "--json"]);
        assert_eq!(
            ran.json()["runs"][0]["states"]["done"],
            CUSTOMERS,
            "{create}: {ran}"
        );
        let updates: u64 = world.sandbox().effects().iter().map(|one| one.updates).sum();
        assert_eq!(updates, 2, "{create}");
        world.verify();
    }
}

/// One order of a batch that is refused takes no other with it.
#[test]
fn a_refused_change_set_is_the_only_one_that_fails() {
    for (is_v2, create, endpoint) in CREATES
        .into_iter()
        .filter(|(_, create, _)| create.contains("batch"))
    {
        let world = sap(is_v2, create);
        world.control(
            "fault",
            &json!({"endpoint": endpoint, "kind": "row_errors", "nth": 2, "rows": [1, 3]}),
        );
        let ran = world.engine(&["run", SALES, "--json"]);
        let run = &ran.json()["runs"][0];
        assert_eq!(run["states"]["done"], CUSTOMERS - 2, "{ran}");
        assert_eq!(run["states"]["dead"], 2, "{ran}");
        assert!(run.to_string().contains("V1/305"), "{ran}");
        assert_eq!(world.journal().len(), CUSTOMERS - 2);
        // An answer that leaves one out tells nothing of any, and all of them are asked about.
        let world = sap(is_v2, create);
        world.impatient();
        world.control(
            "fault",
            &json!({"endpoint": endpoint, "kind": "rows_unnamed", "nth": 1, "rows": [2]}),
        );
        world.until_done(SALES, CUSTOMERS);
        made_once(&world, "A_SalesOrder");
    }
}

/// The token is fetched once, and once more when it is over.
#[test]
fn a_token_for_writes_is_fetched_when_it_is_needed() {
    let world = sap(true, "sales_order_create");
    world.engine(&["run", SALES]).expect(0);
    let tokens = || world.state()["systems"]["sap"]["csrf_tokens"].clone();
    assert_eq!(tokens(), 1);
    world.go_wrong("patchSalesOrder", &[(1, "session_lost")]);
    world.control("change", &json!({"customers": 3}));
    let ran = world.engine(&["run", SALES, "--json"]);
    assert_eq!(ran.json()["runs"][0]["states"]["done"], CUSTOMERS, "{ran}");
    assert_eq!(tokens(), 3);
    let before = tokens();
    world.engine(&["run", SALES_READ]).expect(0);
    assert_eq!(tokens(), before, "who only reads needs none");
}

#[test]
fn a_password_off_by_one_letter_is_refused() {
    let mut world = sap(true, "sales_order_create");
    let wrong = "sandbox-sap-passworD";
    let right = world
        .set("SANDBOX_SAP_PASSWORD", wrong)
        .expect("it was set before");
    let ran = world.engine(&["run", SALES, "--json"]);
    assert!(
        ran.json()["runs"][0].to_string().contains("Logon failed"),
        "{ran}"
    );
    assert_eq!(world.journal().len(), 0);
    for (path, bytes) in world.left_behind() {
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            !text.contains(wrong) && !text.contains(&right),
            "{}",
            path.display()
        );
    }
    world.set("SANDBOX_SAP_PASSWORD", &right);
    world.until_done(SALES, CUSTOMERS);
}

/// One more call for every row: the lines of each order, whatever goes wrong, and an order that is refused them alone.
#[test]
fn every_row_gets_the_answer_of_a_further_call() {
    const LINES: &str = "schemes/lines.yaml";
    for (is_v2, create, list, lines) in [
        (
            true,
            "sales_order_create_batch",
            "sales_order_list",
            "sales_order_items",
        ),
        (
            false,
            "sales_order_create_batch_v4",
            "sales_order_list_v4",
            "sales_order_items_v4",
        ),
    ] {
        let world = sap(is_v2, create);
        world.impatient();
        world.until_done(SALES, CUSTOMERS);
        let scheme = |id: &str| {
            format!(
                "scheme: lines
source:
  connection: sap
  api: {list}
  window: {{field: LastChangeDateTime, first: -1d}}
  page_size: 7
  detail: {{api: {lines}, options: {{id: {id}}}, into: lines}}
  explode: [lines]
  key: [SalesOrder, lines.SalesOrderItem]
  label: lines.Material
target: none
schedule: {{every: 6m}}
"
            )
        };
        world.write(LINES, &scheme("<<SalesOrder>>"));
        world.engine(&["check", LINES]).expect(0);
        let endpoint = if is_v2 {
            "getSalesOrderItems"
        } else {
            "getSalesOrderItemsV4"
        };
        world.go_wrong(endpoint, &[(3, "half_body"), (11, "http_500_before")]);
        world.until_done(LINES, CUSTOMERS);
        assert!(world.calls(&format!("sap/{endpoint}")) >= u64::try_from(CUSTOMERS).unwrap_or(0) + 2);
        let shown = world.engine(&["rows", "list", "--scheme", "lines", "--json", "--limit", "100"]);
        assert!(shown.json()["rows"][0].to_string().contains("A-001"), "{shown}");
        world.verify();
        // Order 2 is asked for under a number that there is not.
        let other = scheme("_function CASE WHEN '<<SalesOrder>>' = '2' THEN 'x' ELSE '<<SalesOrder>>' END")
            .replace("scheme: lines", "scheme: refused");
        world.write("schemes/refused.yaml", &other);
        let ran = world.engine(&["run", "schemes/refused.yaml", "--json"]);
        let run = &ran.json()["runs"][0];
        assert_eq!(
            (&run["states"]["done"], &run["states"]["dead"]),
            (&json!(CUSTOMERS - 1), &json!(1)),
            "{ran}"
        );
        assert!(run.to_string().contains("Resource not found"), "{ran}");
        world.verify();
    }
}

/// The answer to a further call that never ends makes its row dead, and the run ends.
#[test]
fn a_further_call_has_an_end() {
    let world = sap_in(World::of(|config| config.trades = 4), true, "sales_order_create");
    world.engine(&["run", SALES]).expect(0);
    let (_, text) = connector::builtin()
        .iter()
        .find(|(id, _)| *id == "sap-odata")
        .expect("a built-in one");
    let endless = "page: {by: number, size: 1, more: body.d is defined}";
    let text = text.replace("page: {by: link, take: [d.__next], size: 1000}", endless);
    assert!(text.contains(endless));
    world.write("connectors/sap-odata/connector.yaml", &text);
    world.write(
        "schemes/lines.yaml",
        "scheme: lines
source:
  connection: sap
  api: sales_order_list
  window: {field: LastChangeDateTime, first: -1d}
  detail: {api: sales_order_items, options: {id: <<SalesOrder>>}, into: lines}
  key: SalesOrder
target: none
schedule: {every: 6m}
",
    );
    let ran = world.engine(&["run", "schemes/lines.yaml", "--json"]);
    let run = &ran.json()["runs"][0];
    assert_eq!(run["states"]["dead"], 1, "{ran}");
    assert!(run.to_string().contains("E3069"), "{ran}");
    assert_eq!(world.calls("sap/getSalesOrderItems"), 100);
}
