//! The systems that are a connector file and nothing else, at their simulators: what each reads is whole and what each
//! writes is there once while calls go wrong; with a secret that is off by one letter nothing is read or written, and
//! the vendor's words say why. One row a system.

use serde_json::json;
use tests::e2e::{CUSTOMERS, TRADES, World, repository};

/// A system that is read from.
struct Source {
    connection: &'static str,
    /// `api`, options, window and key.
    source: &'static str,
    /// What goes wrong: endpoint, which call, kind.
    faults: &'static [(&'static str, u64, &'static str)],
    rows: usize,
}

const SOURCES: &[Source] = &[
    Source {
        connection: "okki",
        source: "api: order_list, window: {first: -1d}, key: order_no, page_size: 50",
        faults: &[
            ("okki/order/list", 1, "session_lost"),
            ("okki/order/list", 3, "half_body"),
            ("okki/order/list", 4, "msg_code_14"),
        ],
        rows: TRADES,
    },
    Source {
        connection: "okki",
        source: "api: company_list, window: none, key: serial_id, page_size: 7",
        faults: &[
            ("okki/company/list", 1, "session_lost"),
            ("okki/company/list", 3, "half_body"),
            ("okki/company/list", 4, "msg_code_14"),
        ],
        rows: CUSTOMERS,
    },
    Source {
        connection: "mabang",
        source: "api: order-get-order-list-new, window: {first: -1d}, key: platformOrderId, page_size: 50",
        faults: &[
            // Code 0 with a message and no data.
            ("order-get-order-list-new", 1, "msg_code_13"),
            ("order-get-order-list-new", 2, "half_body"),
            ("order-get-order-list-new", 3, "msg_code_14"),
        ],
        rows: TRADES,
    },
    Source {
        connection: "feishu",
        source: "api: search, options: {table: tblCustomers}, window: none, key: record_id, page_size: 7",
        faults: &[
            ("bitable/records/search", 1, "session_lost"),
            ("bitable/records/search", 3, "half_body"),
            ("bitable/records/search", 4, "msg_code_14"),
        ],
        rows: CUSTOMERS,
    },
    Source {
        connection: "dingtalk",
        source: "api: records_list, options: {sheet: tblCustomers}, window: none, key: id, page_size: 7",
        faults: &[
            ("notable/records/list", 1, "session_lost"),
            ("notable/records/list", 3, "half_body"),
            ("notable/records/list", 4, "msg_code_14"),
        ],
        rows: CUSTOMERS,
    },
    Source {
        connection: "wecom",
        source: "api: customers, options: {userid_list: [zhangsan]}, window: none, key: [external_contact.external_userid, follow_info.userid], page_size: 7",
        faults: &[
            ("externalcontact/batch/get_by_user", 1, "session_lost"),
            ("externalcontact/batch/get_by_user", 3, "half_body"),
            ("externalcontact/batch/get_by_user", 5, "http_500_before"),
        ],
        rows: CUSTOMERS,
    },
    Source {
        connection: "qimen",
        source: "api: trade_query, window: {first: -1d}, key: trade_no, page_size: 20",
        faults: &[
            // Too often, busy behind the gateway, a page that ends early.
            ("wdt.sales.tradequery.querywithdetail", 2, "msg_code_14"),
            ("wdt.sales.tradequery.querywithdetail", 4, "msg_code_13"),
            ("wdt.sales.tradequery.querywithdetail", 6, "half_body"),
        ],
        rows: TRADES,
    },
    Source {
        connection: "qimen",
        source: "api: wdt.wms.stockout.sales.querywithdetail, window: {first: -1d}, key: order_no, page_size: 7",
        faults: &[("wdt.wms.stockout.sales.querywithdetail", 3, "http_500_before")],
        rows: TRADES,
    },
    Source {
        connection: "u8",
        source: "api: customer_list, window: {first: -1d}, key: code, page_size: 7",
        faults: &[
            ("customer/batch_get", 1, "session_lost"),
            ("customer/batch_get", 3, "half_body"),
            ("customer/batch_get", 5, "http_500_before"),
        ],
        rows: CUSTOMERS,
    },
    Source {
        connection: "u8",
        source: "api: batch_get, options: {object: customer}, window: none, key: code, page_size: 7",
        faults: &[
            ("customer/batch_get", 1, "session_lost"),
            ("customer/batch_get", 3, "half_body"),
            ("customer/batch_get", 5, "http_500_before"),
        ],
        rows: CUSTOMERS,
    },
];

/// A system that is written to.
struct Target {
    connection: &'static str,
    endpoint: &'static str,
    /// What the journal calls its documents.
    form: &'static str,
    /// Everything of `target` but the connection.
    target: &'static str,
    faults: &'static [(u64, &'static str)],
    /// Most records of a call whose answer was lost for good: nobody can be asked, so a person decides.
    held: usize,
}

const TARGETS: &[Target] = &[
    Target {
        connection: "okki",
        endpoint: "okki/order/push",
        form: "okki_order",
        target: "  api: order_push
  request: {order_no: <<cid>>, name: <<nick>>, product_list: [{product_id: 1, sku_id: 2, count: 1}]}
",
        faults: &[(2, "session_lost"), (5, "drop_after"), (9, "half_body")],
        held: 0,
    },
    Target {
        connection: "mabang",
        endpoint: "order-do-create-order",
        form: "mabang_order",
        target: "  api: create_order
  request: {platformOrderId: <<cid>>, buyerName: <<nick>>, orderItemList: [{stockSku: A-1, quantity: 1}]}
",
        faults: &[
            (2, "drop_after"),
            (5, "drop_before"),
            (8, "msg_code_14"),
            (11, "half_body"),
        ],
        held: 0,
    },
    Target {
        connection: "feishu",
        endpoint: "bitable/records/batch_create",
        form: "bitable",
        target: "  api: {create: batch_create, update: batch_update}
  on_unknown: hold
  options: {table: tblOrders}
  batch: 7
  key: 编号
  request: {fields: {编号: <<cid>>, 名称: <<nick>>}}
",
        faults: &[(1, "session_lost"), (3, "msg_code_13"), (5, "drop_after")],
        held: 7,
    },
    Target {
        connection: "feishu",
        endpoint: "bitable/records/create",
        form: "bitable",
        target: "  api: {create: create, update: batch_update}
  options: {table: tblOrders}
  key: 编号
  request: {fields: {编号: <<cid>>, 名称: <<nick>>}}
",
        faults: &[
            (2, "session_lost"),
            (4, "msg_code_13"),
            (6, "drop_after"),
            (9, "half_body"),
            (12, "drop_before"),
        ],
        held: 0,
    },
    Target {
        connection: "dingtalk",
        endpoint: "notable/records",
        form: "notable",
        target: "  api: {create: records_add, update: records_update}
  on_unknown: hold
  options: {sheet: tblOrders}
  key: 编号
  request: {fields: {编号: <<cid>>, 名称: <<nick>>}}
",
        faults: &[(1, "session_lost"), (3, "msg_code_14"), (9, "drop_after")],
        held: 1,
    },
    Target {
        connection: "wecom",
        endpoint: "message/send",
        form: "wecom_message",
        target: "  api: send_message
  on_unknown: hold
  key: text.content
  request: {touser: zhangsan, msgtype: text, text: {content: '<<cid>> <<nick>>'}}
",
        faults: &[(2, "session_lost"), (5, "drop_after")],
        held: 1,
    },
    Target {
        connection: "u8",
        endpoint: "customer/add",
        form: "u8_customer",
        target: "  api: customer_add
  request: {code: 'X<<cid>>', name: <<nick>>, sort_code: '01'}
",
        faults: &[
            (2, "session_lost"),
            (5, "drop_after"),
            (8, "drop_before"),
            (11, "half_body"),
        ],
        held: 0,
    },
    Target {
        connection: "ekp",
        endpoint: "km-review/addReview",
        form: "ekp_review",
        target: "  api: add_review
  on_unknown: hold
  options: {fdTemplateId: tpl1}
  key: formValues.fd_number
  request:
    docSubject: '客户 <<nick>>'
    docCreator: {LoginName: zhangsan}
    formValues: {fd_number: <<cid>>, fd_name: <<nick>>}
",
        faults: &[(5, "drop_after"), (9, "msg_code_14")],
        held: 1,
    },
];

/// Customers of the world that is written from: one member is sent 30 messages a minute, calls that go wrong included.
const WRITTEN: usize = 20;

/// Secrets with one letter changed, and the vendor's words for what comes of it.
const SECRETS: &[(&str, &str, &str, &str)] = &[
    (
        "okki",
        "SANDBOX_OKKI_SECRET",
        "sandbox-okki-secreT",
        "invalid_client",
    ),
    (
        "mabang",
        "SANDBOX_MABANG_TOKEN",
        "sandbox-mabang-tokeN",
        "签名校验失败",
    ),
    (
        "feishu",
        "SANDBOX_FEISHU_SECRET",
        "sandbox-feishu-secreT",
        "app secret invalid",
    ),
    (
        "dingtalk",
        "SANDBOX_DINGTALK_SECRET",
        "sandbox-dingtalk-secreT",
        "无效的clientId或者clientSecret",
    ),
    (
        "wecom",
        "SANDBOX_WECOM_SECRET",
        "sandbox-wecom-secreT",
        "invalid credential",
    ),
    (
        "u8",
        "SANDBOX_U8_SECRET",
        "sandbox-u8-secreT",
        "app_secret 不正确",
    ),
    (
        "qimen",
        "SANDBOX_QIMEN_SECRET",
        "sandbox-qimen-secreT",
        "25 Invalid signature",
    ),
    (
        "qimen",
        "SANDBOX_QIMEN_WDT_SECRET",
        "sandbox-wdtq-secreT:sandbox-salt",
        "1 验证失败",
    ),
    (
        "ekp",
        "SANDBOX_LANDRAY_PASSWORD",
        "sandbox-landray-passworD",
        "用户名或密码错误",
    ),
];

/// A scheme that only stores what a system has.
fn stored(one: &Source) -> String {
    format!(
        "scheme: {0}-stored
source: {{connection: {0}, {1}}}
target: none
schedule: {{every: 6m}}
",
        one.connection, one.source
    )
}

/// The first row about a system that is read from.
fn source_of(connection: &str) -> Option<&'static Source> {
    SOURCES.iter().find(|one| one.connection == connection)
}

/// A scheme that writes the customers of another system, whole each time.
fn written(target: &Target) -> String {
    format!(
        "scheme: to-{0}
source: {{connection: huke, api: search_customers, window: none, key: cid, label: nick}}
target:
  connection: {0}
{1}schedule: {{every: 30m}}
",
        target.connection, target.target
    )
}

#[test]
fn what_is_read_is_whole_whatever_goes_wrong() {
    for one in SOURCES {
        let world = World::small();
        world.impatient();
        world.write("schemes/s.yaml", &stored(one));
        for (endpoint, nth, kind) in one.faults {
            world.go_wrong(endpoint, &[(*nth, kind)]);
        }
        world.until_done("schemes/s.yaml", one.rows);
        let struck = world.sandbox().struck();
        assert!(
            struck.iter().all(|times| *times == 1),
            "{}: {struck:?}",
            one.connection
        );
    }
}

/// Lets rows move at three calls: whichever of them reads the second page, of the whole window or of its settled part.
fn let_rows_move(world: &World, endpoint: &str) {
    for nth in [2, 3, 4] {
        let order = json!({
            "endpoint": endpoint, "nth": nth, "kind": "rows_move", "inserts": 0, "updates": 3, "deletes": 0,
        });
        world.control("fault", &order);
    }
}

/// A mark of Mabang's is a place in a list that is made anew for each call; a page number always is. A row that goes to the
/// end while pages are read pulls another one across a page bound, unread.
#[test]
fn rows_that_move_while_they_are_read_are_all_read() {
    for (connection, endpoint) in [
        ("mabang", "order-get-order-list-new"),
        ("okki", "okki/order/list"),
    ] {
        let world = World::small();
        world.write(
            "schemes/s.yaml",
            &stored(source_of(connection).expect("a source")),
        );
        let_rows_move(&world, endpoint);
        world.until_done("schemes/s.yaml", TRADES);
        assert_eq!(world.sandbox().struck(), [1, 1, 1], "{connection}");
    }
}

/// What the test above would see: a connector that trusts the cursor loses rows, and no later run finds them.
#[test]
fn a_cursor_that_is_trusted_and_does_not_hold_loses_rows() {
    let world = World::small();
    let text = stored(source_of("mabang").expect("a source"));
    let trusting = text.replace(
        "page_size: 50}",
        "page_size: 50, operation: {page: {order: fixed}}}",
    );
    assert_ne!(text, trusting);
    world.write("schemes/s.yaml", &trusting);
    let_rows_move(&world, "order-get-order-list-new");
    let mut done = 0;
    for _ in 0..3 {
        let ran = world.engine(&["run", "schemes/s.yaml", "--json"]);
        done = ran.json()["runs"][0]["states"]["done"].as_u64().unwrap_or(0);
    }
    let all = u64::try_from(TRADES).expect("few");
    assert!((all / 2..all).contains(&done), "{done}");
}

/// Sent to some and not to all: neither done nor refused, so a person is told whom it did not reach.
#[test]
fn a_message_that_does_not_reach_everybody_waits_for_a_person() {
    let world = World::of(|config| config.trades = 4);
    let target = TARGETS.iter().find(|one| one.connection == "wecom");
    let text = written(target.expect("a target")).replace("touser: zhangsan", "touser: zhangsan|lisi");
    world.write("schemes/w.yaml", &text);
    let run = world.until_settled("schemes/w.yaml", 1);
    assert_eq!(run["states"]["held"], 1, "{run:#}");
    let told = world.engine(&[
        "rows", "list", "--scheme", "to-wecom", "--state", "held", "--json",
    ]);
    assert!(told.to_string().contains("ok: lisi"), "{told}");
    assert_eq!(world.journal().len(), 1);
}

#[test]
fn what_is_written_is_there_once_whatever_goes_wrong() {
    for one in TARGETS {
        let world = World::of(|config| config.trades = 4 * WRITTEN);
        world.impatient();
        world.write("schemes/w.yaml", &written(one));
        world.engine(&["check", "schemes/w.yaml"]).expect(0);
        world.go_wrong(one.endpoint, one.faults);
        let run = world.until_settled("schemes/w.yaml", WRITTEN);
        let held = usize::try_from(run["states"]["held"].as_u64().unwrap_or(0)).expect("few");
        let expected = one.held.min(1)..=one.held;
        assert!(expected.contains(&held), "{}: {run:#}", one.connection);
        let effects = world.sandbox().effects();
        let of_form: Vec<_> = effects.iter().filter(|key| key.form == one.form).collect();
        assert_eq!(of_form.len(), WRITTEN, "{}: {effects:?}", one.connection);
        assert!(
            of_form.iter().all(|key| key.creates == 1 && key.updates == 0),
            "{}: {of_form:?}",
            one.connection
        );
        world.verify();
        // What was written is written, and what waits for a person is not sent again.
        let before = world.journal().len();
        let _again = world.engine(&["run", "schemes/w.yaml", "--json"]);
        assert_eq!(world.journal().len(), before, "{}", one.connection);
    }
}

/// OKKI says the same of an order that is not there and of one that it cannot show: so nothing is sent again.
#[test]
fn what_is_not_found_is_no_proof_everywhere() {
    let world = World::of(|config| config.trades = 4 * WRITTEN);
    world.impatient();
    let target = TARGETS.iter().find(|one| one.connection == "okki");
    world.write("schemes/w.yaml", &written(target.expect("a target")));
    world.go_wrong("okki/order/push", &[(3, "drop_before"), (7, "drop_after")]);
    let run = world.until_settled("schemes/w.yaml", WRITTEN);
    assert_eq!(run["states"]["held"], 1, "{run:#}");
    assert_eq!(world.sandbox().effects().len(), WRITTEN - 1);
}

#[test]
fn a_change_reaches_the_record_it_is_about() {
    // What cannot be asked about is not sent again; what is written by its id may be, and is the same then.
    type Faults = &'static [(u64, &'static str)];
    // How often records are changed: a call of two that is sent again, one of two calls, none.
    let cases: [(&str, &str, Faults, u64); 3] = [
        (
            "feishu",
            "bitable/records/batch_update",
            &[(1, "session_lost"), (2, "drop_after")],
            4,
        ),
        (
            "dingtalk",
            "notable/records",
            &[(1, "session_lost"), (2, "drop_after")],
            3,
        ),
        ("okki", "okki/order/push", &[(1, "session_lost")], 2),
    ];
    for (connection, endpoint, faults, updates) in cases {
        let target = TARGETS.iter().find(|one| one.connection == connection);
        let target = target.expect("a target");
        let world = World::small();
        world.impatient();
        world.write("schemes/w.yaml", &written(target));
        world.until_done("schemes/w.yaml", CUSTOMERS);
        world.control("change", &json!({"customers": 2}));
        world.go_wrong(endpoint, faults);
        world.until_done("schemes/w.yaml", CUSTOMERS);
        let effects = world.sandbox().effects();
        let changed: Vec<_> = effects.iter().filter(|key| key.updates > 0).collect();
        assert_eq!((effects.len(), changed.len()), (CUSTOMERS, 2), "{connection}");
        assert!(
            changed.iter().all(|key| key.creates == 1),
            "{connection}: {changed:?}"
        );
        let times: u64 = changed.iter().map(|key| key.updates).sum();
        assert_eq!(times, updates, "{connection}: {changed:?}");
    }
}

#[test]
fn a_secret_off_by_one_letter_is_refused() {
    for (connection, variable, wrong, words) in SECRETS {
        let mut world = World::small();
        let (text, rows) = match source_of(connection) {
            Some(one) => (stored(one), one.rows),
            None => {
                let target = TARGETS.iter().find(|one| one.connection == *connection);
                (written(target.expect("a target")), CUSTOMERS)
            }
        };
        world.write("schemes/s.yaml", &text);
        let right = world.set(variable, wrong).expect("it was set before");
        let ran = world.engine(&["run", "schemes/s.yaml", "--json"]);
        let run = &ran.json()["runs"][0];
        assert!(run.to_string().contains(words), "{connection}: {ran}");
        assert_eq!(
            run["states"]["done"].as_u64().unwrap_or(0),
            0,
            "{connection}: {ran}"
        );
        assert_eq!(world.journal().len(), 0, "{connection}");
        for (path, bytes) in world.left_behind() {
            let text = String::from_utf8_lossy(&bytes);
            for secret in [*wrong, right.as_str()] {
                assert!(!text.contains(secret), "{connection}: {}", path.display());
            }
        }
        // With the right one everything is read, or written.
        world.set(variable, &right);
        world.until_done("schemes/s.yaml", rows);
    }
}

/// What only feeds look-ups: all of it is stored while calls go wrong, and another scheme finds it by its number.
#[test]
fn materials_are_stored_and_looked_up() {
    const STORED: &str = "schemes/k3-materials.yaml";
    const GOODS: usize = 500;
    let world = World::small();
    world.impatient();
    let text = std::fs::read_to_string(repository().join(STORED)).expect("the repository has it");
    // Several pages, and each of them twice: without a total they are looked at again before the window is closed.
    world.write(
        STORED,
        &text.replace("  key: FNumber", "  page_size: 50\n  key: FNumber"),
    );
    world.go_wrong(
        "ExecuteBillQuery",
        &[(2, "session_lost"), (5, "half_body"), (8, "http_500_before")],
    );
    world.until_done(STORED, GOODS);
    assert_eq!(world.sandbox().struck(), [1, 1, 1]);
    world.write(
        "schemes/items.yaml",
        "scheme: items
source: {connection: jst, api: saleout_list, window: {first: -1d}, explode: [items], key: [io_id, items.ioi_id], label: items.name}
target:
  connection: jst
  api: item_upload
  key: sku_id
  request:
    sku_id: {$value: '<<io_id>>-<<items.ioi_id>>', $type: text}
    name: {$lookup: k3-materials, $get: FName, $by: {FNumber: <<items.sku_id>>}}
    unit: {$lookup: k3-materials, $get: FBaseUnitId_FNumber, $by: {FNumber: <<items.sku_id>>}}
schedule: {every: 6m}
",
    );
    let ran = world.engine(&["run", "schemes/items.yaml", "--json"]);
    let run = &ran.json()["runs"][0];
    assert_eq!(run["counts"]["fetched"], run["states"]["done"], "{ran}");
    assert!(run["states"]["done"].as_u64() > Some(100), "{ran}");
    let effects = world.sandbox().effects();
    assert!(
        effects
            .iter()
            .all(|one| one.form == "itemsku" && one.creates == 1)
    );
}

/// Orders with their items go from one system to another, each once, while calls go wrong.
#[test]
fn orders_with_items_arrive_once() {
    const SCHEME: &str = "schemes/okki-to-sap.yaml";
    const ORDERS: usize = 60;
    let world = World::of(|config| config.trades = ORDERS);
    world.impatient();
    let text = std::fs::read_to_string(repository().join(SCHEME)).expect("the repository has it");
    world.write(SCHEME, &text);
    world.go_wrong(
        "postSalesOrder",
        &[(3, "drop_after"), (9, "session_lost"), (20, "drop_before")],
    );
    world.until_done(SCHEME, ORDERS);
    let effects = world.sandbox().effects();
    assert_eq!(effects.len(), ORDERS);
    assert!(effects.iter().all(|one| one.creates == 1), "{effects:?}");
}

/// `TopRowCount` is an absolute end row, not a page size: who takes it for one loses everything behind the first page.
#[test]
fn a_query_of_one_row_more_than_a_page_gives_all_rows() {
    const STORED: &str = "schemes/k3-materials.yaml";
    const ROWS: usize = 2_001;
    let world = World::of(|config| config.materials = 2_001);
    let text = std::fs::read_to_string(repository().join(STORED)).expect("the repository has it");
    world.write(STORED, &text);
    let ran = world.engine(&["run", STORED, "--json"]);
    let run = &ran.json()["runs"][0];
    assert_eq!(run["counts"]["fetched"], ROWS, "{ran}");
    assert_eq!(run["states"]["done"], ROWS, "{ran}");
    let calls = world.calls("kingdee/ExecuteBillQuery");
    assert!(calls >= 2, "{calls} calls for more than one page");
}

/// A call that takes numbers of orders would answer another question with "not there".
#[test]
fn what_can_be_asked_by_one_field_only_is_asked_by_no_other() {
    let world = World::small();
    let scheme = |field: &str| {
        format!(
            "scheme: one
source: {{connection: mabang, api: order_by_number, filter: {{field: {field}, eq: '1'}}, window: none, key: erpOrderId}}
target: none
schedule: {{every: 6m}}
"
        )
    };
    world.write("schemes/one.yaml", &scheme("orderStatus"));
    world
        .engine(&["check", "schemes/one.yaml"])
        .expect(1)
        .says("E1159");
    world.write("schemes/one.yaml", &scheme("platformOrderId"));
    world.engine(&["check", "schemes/one.yaml"]).expect(0);
    // Nor by none: that would ask for everything.
    for (connection, api, condition) in [
        ("mabang", "order_by_number", "{field: platformOrderId, eq: '1'}"),
        ("u8", "customer_by_code", "{field: code, eq: '1'}"),
    ] {
        for (filter, code) in [(format!("filter: {condition}, "), 0), (String::new(), 1)] {
            let text = format!(
                "scheme: one
source: {{connection: {connection}, api: {api}, {filter}window: none, key: id}}
target: none
schedule: {{every: 6m}}
"
            );
            world.write("schemes/one.yaml", &text);
            let checked = world.engine(&["check", "schemes/one.yaml"]);
            checked.expect(code);
            assert_eq!(checked.to_string().contains("E1163"), code == 1, "{checked}");
        }
    }
    let ran = world.engine(&["sample", "mabang", "order_by_number"]);
    ran.expect(2).warns("asks by a condition only");
    assert_eq!(world.calls("mabang"), 0);
}
