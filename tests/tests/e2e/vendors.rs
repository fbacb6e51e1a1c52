//! The built-in connectors at their simulators: everything arrives once while calls go wrong, and a signature made with
//! another secret is refused in the vendor's words.

use tests::e2e::{CUSTOMERS, TRADES, World, judge, numbers, repository};

/// A scheme of the repository, and what goes wrong on its way: endpoint, which call, kind.
struct Case {
    scheme: &'static str,
    faults: &'static [(&'static str, u64, &'static str)],
}

const CASES: &[Case] = &[
    Case {
        scheme: "schemes/jst-saleout-to-k3.yaml",
        faults: &[
            ("orders/out/simple/query", 1, "session_lost"),
            ("orders/out/simple/query", 3, "half_body"),
            ("orders/out/simple/query", 4, "http_500_before"),
        ],
    },
    Case {
        scheme: "schemes/wdt-stockout-to-k3.yaml",
        faults: &[
            ("stockout_order_query_trade", 1, "html_login"),
            ("stockout_order_query_trade", 3, "half_body"),
            ("stockout_order_query_trade", 5, "http_500_before"),
        ],
    },
];

fn world(scheme: &str) -> World {
    let world = World::small();
    let text = std::fs::read_to_string(repository().join(scheme)).expect("the repository has it");
    world.write(scheme, &text);
    world
}

#[test]
fn everything_arrives_once_whatever_goes_wrong() {
    for case in CASES {
        let world = world(case.scheme);
        world.impatient();
        for (endpoint, nth, kind) in case.faults {
            world.go_wrong(endpoint, &[(*nth, kind)]);
        }
        world.go_wrong("BatchSave", &[(1, "drop_after"), (4, "half_body")]);
        world.until_done(case.scheme, TRADES);
        assert_eq!(numbers(&world.journal()).len(), TRADES, "{}", case.scheme);
        assert_eq!(judge(&world.journal()), Vec::<String>::new(), "{}", case.scheme);
        world.verify();
    }
}

/// The secret of each system, with one letter changed, and the vendor's words for what comes of it.
#[test]
fn a_signature_off_by_one_byte_is_refused() {
    for (scheme, secret, wrong, words) in [
        (
            "schemes/jst-saleout-to-k3.yaml",
            "SANDBOX_JST_SECRET",
            "sandbox-jst-secreT",
            "签名错误",
        ),
        (
            "schemes/wdt-stockout-to-k3.yaml",
            "SANDBOX_WDT_SECRET",
            "sandbox-wdt-secreT",
            "签名错误",
        ),
        (
            ULTIMATE,
            "SANDBOX_WDTU_SECRET",
            "sandbox-wdtu-secreT:sandbox-salt",
            "验证失败",
        ),
    ] {
        let mut world = match scheme {
            ULTIMATE => ultimate(),
            scheme => world(scheme),
        };
        let right = world.set(secret, wrong);
        let ran = world.engine(&["run", scheme, "--json"]);
        let run = &ran.json()["runs"][0];
        assert!(format!("{run}").contains(words), "{scheme}: {ran}");
        assert_eq!(run["counts"]["fetched"], 0, "{scheme}: {ran}");
        assert!(
            !format!("{}{}", ran.stdout, ran.stderr).contains(wrong),
            "{scheme}"
        );
        assert_eq!(world.journal().len(), 0, "{scheme}");
        // With the right one everything that was not read is read.
        world.set(secret, &right.expect("it was set before"));
        let ran = world.engine(&["run", scheme, "--json"]);
        assert_eq!(
            ran.json()["runs"][0]["counts"]["fetched"],
            TRADES,
            "{scheme}: {ran}"
        );
    }
}

const ULTIMATE: &str = "schemes/wdtu-trades.yaml";

/// A scheme that only stores what Wangdiantong Ultimate has.
fn ultimate() -> World {
    let world = World::small();
    world.write(
        ULTIMATE,
        "scheme: wdtu-trades
source: {connection: wdtu, api: sales.TradeQuery.queryWithDetail, window: {first: -1d}, key: trade_no}
target: none
schedule: {every: 6m}
",
    );
    world
}

/// Trades of a day in slices of an hour, each of which the vendor bounds, while calls go wrong.
#[test]
fn what_is_only_stored_is_whole_as_well() {
    let world = ultimate();
    world.impatient();
    world.go_wrong(
        "sales.TradeQuery.queryWithDetail",
        &[(2, "half_body"), (5, "http_500_before")],
    );
    world.until_done(ULTIMATE, TRADES);
}

/// A refresh token that changes at each use: every command goes on with the one that the command before it was given.
#[test]
fn a_refresh_token_is_kept_from_one_command_to_the_next() {
    const SCHEME: &str = "schemes/jst-saleout-to-k3.yaml";
    let mut world = world(SCHEME);
    world.edit(
        "connections.yaml",
        "connector: jushuitan\n    params:\n",
        "connector: jushuitan\n    params:\n      auth: isv\n      refresh_token: \"${env:JST_REFRESH}\"\n",
    );
    world.set("JST_REFRESH", "sandbox-jst-refresh-first");
    let lose = || {
        let order = serde_json::json!({
            "clear": true,
            "plans": [{"endpoint": "orders/out/simple/query", "kind": "session_lost", "nth": 1}]
        });
        world.control("fault", &order);
    };
    let refreshes = || world.state()["systems"]["jst"]["refreshes"].clone();
    for (command, wanted) in [
        (&["run", SCHEME][..], 1),
        (&["dry-run", SCHEME], 2),
        (&["run", SCHEME], 3),
    ] {
        world.engine(command).expect(0);
        assert_eq!(refreshes(), wanted, "{command:?}");
        // The next command finds out that its token is over, and needs the refresh token of this one.
        lose();
    }
    let kept = std::fs::read_dir(world.data().join("sessions")).expect("the session is kept");
    let names: Vec<String> = kept
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    assert!(
        names.iter().all(|name| name.starts_with("jushuitan-")),
        "{names:?}"
    );
    // Neither the first token nor those that followed stand anywhere else.
    let file = names
        .iter()
        .find(|name| name.ends_with(".json"))
        .expect("a session");
    let text = std::fs::read_to_string(world.data().join("sessions").join(file)).expect("ours");
    let session: serde_json::Value = serde_json::from_str(&text).expect("a session");
    let token = session["taken"]["refresh"].as_str().expect("a token").to_owned();
    for (path, bytes) in world.left_behind() {
        let text = String::from_utf8_lossy(&bytes);
        let is_session = path.ends_with(file);
        assert!(is_session || !text.contains(&token), "{}", path.display());
    }
    // Without what was kept there is only the first one, which was used long ago.
    std::fs::remove_dir_all(world.data().join("sessions")).expect("our own folder");
    let ran = world.engine(&["run", SCHEME, "--json"]);
    assert!(format!("{}", ran.json()["runs"][0]).contains("E7001"), "{ran}");
}

/// One row more than a query gives: both ways to ask Kingdee page to the end, and name columns as the scheme does.
#[test]
fn one_row_more_than_a_query_gives() {
    let world = World::of(|config| {
        config.trades = 41 * 4;
        config.query_max = 20;
    });
    world.edit(
        "connections.yaml",
        "connector: kingdee-k3cloud\n    params:\n",
        "connector: kingdee-k3cloud\n    params:\n      query_max: 20\n",
    );
    world.run(&[], 0);
    for (name, api) in [("listed", "ExecuteBillQuery"), ("named", "BillQuery")] {
        let scheme = format!("schemes/{name}.yaml");
        world.write(
            &scheme,
            &format!(
                "scheme: {name}
source: {{connection: k3, api: {api}, options: {{FormId: BD_Customer}}, fields: {{id: FCUSTID, no: FNumber, org: FCreateOrgId.FNumber}}, window: none, key: id, label: no}}
target: none
schedule: {{every: 1h}}
"
            ),
        );
        let run = world.pass(&scheme, 0);
        assert_eq!(run["counts"]["fetched"], 41, "{run:#}");
        let shown = world.engine(&["rows", "list", "--scheme", name, "--json", "--limit", "100"]);
        assert_eq!(shown.json()["rows"].as_array().map(Vec::len), Some(41), "{shown}");
    }
}

/// What is written to a shop system is there once, whatever becomes of the answers.
#[test]
fn what_is_written_is_there_once() {
    let head = "source: {connection: huke, api: trade/searchTrades, window: {first: -1d}, key: buyerCid, label: buyerNick}\n";
    for (endpoint, form, target) in [
        (
            "jushuitan/itemsku/upload",
            "itemsku",
            "  connection: jst
  api: item_upload
  batch: 7
  request: {sku_id: <<buyerCid>>, name: <<buyerNick>>}
",
        ),
        (
            "trade_push",
            "rawtrade",
            "  connection: wdt
  api: trade_push
  batch: 7
  options: {shop_no: \"01\"}
  request:
    tid: <<buyerCid>>
    trade_status: 30
    delivery_term: 1
    buyer_nick: <<buyerNick>>
    receiver_name: <<buyerNick>>
    receiver_address: 示例路 1 号
    order_list: [{oid: <<buyerCid>>, num: 1, price: 9.90, spec_no: A-001}]
",
        ),
    ] {
        let world = World::small();
        world.impatient();
        world.write(
            "schemes/w.yaml",
            &format!("scheme: w\n{head}target:\n{target}schedule: {{every: 6m}}\n"),
        );
        world
            .engine(&["check", "schemes/w.yaml"])
            .says("exactly-once effect");
        world.go_wrong(
            endpoint,
            &[(1, "drop_after"), (3, "half_body"), (4, "http_500_before")],
        );
        world.until_done("schemes/w.yaml", CUSTOMERS);
        let documents = &world.state()["documents"][form];
        assert_eq!(*documents, CUSTOMERS, "{endpoint}: one document a key");
        world.verify();
    }
}
