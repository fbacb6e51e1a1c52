//! Several rows that become one document: each row is booked once, in whatever instant the engine dies; what is booked is
//! not touched by rows that come or change later.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::e2e::{Shop, World, judge};

const SCHEME: &str = "schemes/gathered.yaml";

const TEXT: &str = r#"
scheme: gathered
source:
  connection: huke
  api: search_customers
  window: none
  request: {list: lines}
  key: [no, line]
  label: no
  void: {field: off, eq: "1"}
target:
  connection: k3
  api: batchSave
  options: {FormId: SAL_OUTSTOCK, IsDeleteEntry: false}
  actions: [create]
  batch: 2
  aggregate:
    header: [shop]
    lines: goods
    by: [sku]
    calc: {qty: sum}
    max_lines: 2
    number: <<shop>>-<<$part>>
  request:
    FBillTypeID: {FNUMBER: XSCKD01_SYS}
    FBillNo: <<$number>>
    FDate: "2026-11-20"
    FSaleOrgId: {FNumber: "100"}
    FStockOrgId: {FNumber: "100"}
    FCustomerID: {FNumber: <<shop>>}
    FEntity:
      $each: goods
      $do: {FMaterialID: {FNumber: <<goods.sku>>}, FRealQty: <<goods.qty>>}
schedule: {every: 30m}
tests:
  - name: a row
    row: {no: A, line: "1", shop: S, sku: x, qty: "1.10", off: "0"}
    expect:
      FBillTypeID: {FNUMBER: XSCKD01_SYS}
      FBillNo: S-1
      FDate: "2026-11-20"
      FSaleOrgId: {FNumber: "100"}
      FStockOrgId: {FNumber: "100"}
      FCustomerID: {FNumber: S}
      FEntity: [{FMaterialID: {FNumber: x}, FRealQty: 1.10}]
"#;

fn world() -> (World, Shop) {
    let world = World::small();
    world.write(SCHEME, TEXT);
    world.impatient();
    let shop = world.shop();
    (world, shop)
}

fn line(no: u64, line: u64, shop: &str, sku: &str, cents: u64) -> Value {
    let qty = format!("{}.{:02}", cents / 100, cents % 100);
    json!({"no": format!("N{no:03}"), "line": line.to_string(), "shop": shop, "sku": sku, "qty": qty, "off": "0"})
}

/// Thirty lines of ten deliveries, in two shops, of three products.
fn lines() -> Vec<Value> {
    (0..30)
        .map(|n| {
            let (shop, sku) = (
                ["S", "T"][(n % 2) as usize],
                ["x", "y", "z"][(n / 2 % 3) as usize],
            );
            line(n / 3, n % 3, shop, sku, 10 + n)
        })
        .collect()
}

fn cents(quantity: &str) -> u64 {
    let (whole, part) = quantity.split_once('.').unwrap_or((quantity, ""));
    let part = format!("{part:0<2}");
    whole.parse::<u64>().expect("a number") * 100 + part[..2].parse::<u64>().expect("a number")
}

/// What was booked by shop and product, and what the rows say.
#[track_caller]
fn booked_once(world: &World, rows: &[Value], what: &str) {
    assert_eq!(judge(&world.journal()), Vec::<String>::new(), "{what}");
    let mut booked: BTreeMap<(String, String), u64> = BTreeMap::new();
    for entry in world.journal() {
        assert_eq!(entry.action, "create", "{what}: {}", entry.number);
        let document: Value = serde_json::from_str(&entry.content).expect("a document");
        let shop = document["FCustomerID"]["FNumber"]
            .as_str()
            .expect("a shop")
            .to_owned();
        let goods = document["FEntity"].as_array().expect("lines");
        assert!(goods.len() <= 2, "{what}: {document}");
        for goods in goods {
            let sku = goods["FMaterialID"]["FNumber"]
                .as_str()
                .expect("a product")
                .to_owned();
            *booked.entry((shop.clone(), sku)).or_default() += cents(&goods["FRealQty"].to_string());
        }
    }
    let mut wanted: BTreeMap<(String, String), u64> = BTreeMap::new();
    for row in rows {
        let text = |name: &str| row[name].as_str().expect("a text").to_owned();
        *wanted.entry((text("shop"), text("sku"))).or_default() += cents(&text("qty"));
    }
    assert_eq!(booked, wanted, "{what}");
}

/// Runs until all is done.
#[track_caller]
fn settles(world: &World, what: &str) -> Value {
    let mut last = None;
    for _ in 0..4 {
        let ran = world.engine(&["run", SCHEME, "--json", "--settle-wait", "20s"]);
        let run = ran.json()["runs"][0].clone();
        tests::e2e::adds_up(&run);
        if ran.code == Some(0) {
            world.verify();
            return run;
        }
        last = Some(run);
    }
    panic!(
        "{what}: {:#}\n{}",
        last.unwrap_or_default(),
        world.engine(&["rows", "list"])
    );
}

/// The process dies; rows come before the next one; in the end each row is in one document, and none was sent twice.
#[test]
fn each_row_is_booked_once_wherever_the_engine_dies() {
    let points = [
        ("close_window", 1),
        ("pick_loose", 1),
        ("freeze", 1),
        ("pick", 1),
        ("claim", 1),
        ("claim", 2),
        ("call_create", 1),
        ("call_create", 2),
        ("settle", 1),
        ("settle", 2),
        ("end_run", 1),
    ];
    for (point, nth) in points {
        for side in ["before", "after"] {
            let point = format!("{point}:{side}:{nth}:abort");
            let (world, shop) = world();
            let mut rows = lines();
            shop.put("lines", rows.clone());
            let ran = world
                .command(&["run", SCHEME])
                .env("ENGINE_FAILPOINT", &point)
                .finish();
            assert_ne!(ran.code, Some(0), "{point} is reached");
            rows.push(line(90, 1, "S", "x", 500));
            rows.push(line(91, 1, "U", "x", 1));
            shop.put("lines", rows.clone());
            let run = settles(&world, &point);
            booked_once(&world, &rows, &point);
            assert_eq!(run["counts"]["open"], 0, "{point}");
            // Nothing is left to do.
            let calls = world.calls("kingdee/BatchSave");
            settles(&world, &point);
            assert_eq!(world.calls("kingdee/BatchSave"), calls, "{point}");
        }
    }
}

/// Answers that are lost, rows of a call that are refused: documents are asked about by their numbers.
#[test]
fn each_row_is_booked_once_whatever_goes_wrong() {
    for kind in [
        "drop_before",
        "drop_after",
        "half_body",
        "late_commit",
        "http_500_after",
    ] {
        let (world, shop) = world();
        shop.put("lines", lines());
        world.go_wrong("BatchSave", &[(1, kind), (2, kind)]);
        settles(&world, kind);
        booked_once(&world, &lines(), kind);
    }
}

#[test]
fn what_was_booked_is_not_touched_by_what_comes_later() {
    let (world, shop) = world();
    let mut rows = vec![
        line(1, 1, "S", "x", 110),
        line(1, 2, "S", "y", 200),
        line(2, 1, "S", "x", 25),
    ];
    shop.put("lines", rows.clone());
    // Rehearsed: the document as it will be, and nothing is kept of it.
    let dry = world.engine(&["dry-run", SCHEME, "--json"]).expect(0).json();
    world.valid("dry-run", &dry);
    assert!(dry.to_string().contains("S-1"), "{dry:#}");
    let run = world.pass(SCHEME, 0);
    assert_eq!(run["counts"]["done"], 3, "{run:#}");
    booked_once(&world, &rows, "at first");
    assert_eq!(world.journal().len(), 1);
    // A row names its document, and the document its rows.
    let shown = world
        .engine(&["rows", "show", "[\"N001\",\"2\"]", "--json"])
        .expect(0)
        .json();
    world.valid("rows-show", &shown);
    assert_eq!(shown["rows"][0]["document"]["number"], "S-1", "{shown:#}");
    world
        .engine(&["rows", "show", "[\"N001\",\"2\"]"])
        .expect(0)
        .says("in the document S-1");
    let shown = world.engine(&["rows", "show", "S-1", "--json"]).expect(0).json();
    world.valid("rows-show", &shown);
    assert_eq!(shown["rows"][0]["members_total"], 3, "{shown:#}");
    // After an edit documents are compared, and not the rows that they were made of.
    let same = world.engine(&["diff", SCHEME, "--json"]).expect(0).json();
    world.valid("diff", &same);
    assert_eq!(
        (&same["records"], &same["same"]),
        (&json!(1), &json!(1)),
        "{same:#}"
    );
    assert_eq!(same["unknown"]["never_written"], 0, "{same:#}");
    // A row that comes later is a document of its own.
    rows.push(line(3, 1, "S", "x", 7));
    shop.put("lines", rows.clone());
    world.pass(SCHEME, 0);
    booked_once(&world, &rows, "later");
    assert_eq!(
        world.journal().last().map(|entry| entry.number.clone()),
        Some("S-2".to_owned())
    );
    // One that changes, or is cancelled, is a person's: nothing is sent.
    let booked = rows.clone();
    rows[1]["qty"] = json!("9.00");
    rows[2]["off"] = json!("1");
    shop.put("lines", rows);
    let ran = world.engine(&["run", SCHEME, "--json"]);
    let run = ran.json()["runs"][0].clone();
    tests::e2e::adds_up(&run);
    assert_eq!(run["counts"]["held"], 2, "{run:#}");
    booked_once(&world, &booked, "changed");
    for key in ["[\"N001\",\"2\"]", "[\"N002\",\"1\"]"] {
        let ran = world.engine(&["rows", "show", key]);
        ran.expect(0).says("E5020").says("S-1");
        let looked = world.engine(&["retry", "--key", key, "--dry-run"]);
        assert!(
            format!("{}{}", looked.stdout, looked.stderr).contains("E5021"),
            "{looked}"
        );
        let refused = world.engine(&["retry", "--key", key, "--yes", "--reason", "again"]);
        assert!(
            format!("{}{}", refused.stdout, refused.stderr).contains("document"),
            "{refused}"
        );
        world
            .engine(&["rows", "skip", key, "--reason", "seen to at the target"])
            .expect(0);
    }
    world.pass(SCHEME, 0);
    booked_once(&world, &booked, "in the end");
    world.verify();
}

/// Before it takes over, a scheme says what will wait for a person.
#[test]
fn rows_that_cannot_be_asked_about_are_told_beforehand() {
    let (world, shop) = world();
    shop.put("lines", vec![line(1, 1, "S", "x", 110)]);
    let words = ["adopt", SCHEME, "--dry-run", "--lang", "en"];
    world
        .engine(&words)
        .warns("one document of several rows")
        .warns("E5022");
}

/// A document that was refused was not written: a row that was mended at the source is a new chance for all of its rows.
#[test]
fn a_refused_document_is_made_anew_of_rows_that_were_mended() {
    let (world, shop) = world();
    let mut rows = vec![line(1, 1, "S", "x", 110), line(1, 2, "S", "y", 200)];
    shop.put("lines", rows.clone());
    world.go_wrong("BatchSave", &[(1, "row_errors")]);
    let ran = world.engine(&["run", SCHEME, "--json"]);
    let run = ran.json()["runs"][0].clone();
    tests::e2e::adds_up(&run);
    assert_eq!(run["counts"]["dead"], 2, "{run:#}");
    rows[0]["qty"] = json!("1.20");
    shop.put("lines", rows.clone());
    settles(&world, "mended");
    booked_once(&world, &rows, "mended");
    let numbers: Vec<String> = world.journal().into_iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, ["S-2"], "the number is not used again");
}
