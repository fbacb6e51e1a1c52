//! Schemes of another tool: one command brings them over, and those whose systems have simulators run.

use serde_json::{Value, json};
use tests::e2e::{World, repository};

const CUSTOMERS: &str = "01-huke-to-k3-customer";
const ORDERS: &str = "14-huke-to-k3-sales-order";
const DELIVERIES: &str = "06-jst-refund-and-sale-to-k3";

fn export(world: &World, name: &str, change: impl FnOnce(&mut Value)) -> String {
    let file = repository().join(format!("tests/corpus/qeasy/{name}.json"));
    let text = std::fs::read_to_string(file).expect("the corpus");
    let mut document: Value = serde_json::from_str(&text).expect("JSON");
    change(&mut document);
    let path = format!("exports/{name}.json");
    world.write(&path, &document.to_string());
    path
}

#[test]
fn schemes_are_brought_over_checked_and_run() {
    let world = World::small();
    // The look-up of the customers finds a scheme that is there already.
    let paths = [
        export(&world, CUSTOMERS, |_| {}),
        // Its page does not print the form.
        export(&world, ORDERS, |document| {
            document["target"]["otherRequest"] = json!([{"field": "FormId", "value": "SAL_SaleOrder"}]);
        }),
        export(&world, DELIVERIES, |_| {}),
    ];
    let mut line = vec!["import", "qeasy"];
    line.extend(paths.iter().map(String::as_str));
    line.extend(["--out", "schemes", "--report", "report.md"]);
    let told = world.engine(&[&line[..], &["--json"]].concat());
    told.expect(1);
    let document = told.json();
    world.valid("import", &document);
    let schemes = document["schemes"].as_array().expect("schemes");
    assert_eq!(schemes.len(), 4, "{document}");
    for scheme in schemes {
        for total in scheme["totals"].as_array().expect("totals") {
            let number = |name: &str| total[name].as_u64().expect("a number");
            assert_eq!(
                number("carried") + number("reported"),
                number("total"),
                "{scheme}"
            );
        }
    }
    assert_eq!(schemes[0]["whole"], true, "{}", schemes[0]);
    assert_eq!(
        document["connections"],
        json!([]),
        "those that are there are taken"
    );
    let report = std::fs::read_to_string(world.path("report.md")).expect("the report");
    assert!(report.contains("W1260") && report.contains("W1737"), "{report}");
    // What is there stays.
    world.engine(&line).expect(2).warns("E1704");
    line.push("--force");
    world.engine(&line).expect(1).says("E1714");

    for (name, least) in [(CUSTOMERS, 1), (ORDERS, 1), ("06-jst-refund-and-sale-to-k3-a", 1)] {
        let file = format!("schemes/{name}.yaml");
        let text = std::fs::read_to_string(world.path(&file)).expect("a scheme");
        // The rows of the simulators are older than this moment.
        let text = text.replacen("\n  key:", "\n  window: {first: -7d}\n  key:", 1);
        world.write(&file, &text);
        world.engine(&["check", &file]).expect(0);
        let ran = world.engine(&["run", &file, "--sandbox", "--json"]);
        ran.expect(0);
        let run = ran.json();
        // Feeders of look-ups run before it.
        let runs = run["runs"].as_array().expect("runs");
        let own = runs.iter().find(|one| one["scheme"] == name).expect("its run");
        let count = |state: &str| own["counts"][state].as_u64().expect("a count");
        assert!(count("done") >= least && count("dead") == 0, "{name}: {own}");
    }
}

#[test]
fn what_is_no_scheme_is_refused_and_nothing_is_written() {
    let world = World::small();
    world.write("broken.json", "{\"source\": {\n  \"api\": }\n}");
    world.write(
        "page.json",
        r#"{"target": {"api": "batchSave", "request": [{"field": "FEntity", "value": "items", "children": [{"field": "FQty", "value": "items.qty"}]}]}}"#,
    );
    world
        .engine(&[
            "import",
            "qeasy",
            "broken.json",
            "page.json",
            "--out",
            "own/schemes",
        ])
        .expect(1)
        .says("E1701 broken.json:2:10")
        .says("E1702 page.json");
    let written = std::fs::read_dir(world.path("own/schemes")).map_or(0, Iterator::count);
    assert_eq!(written, 0);
    // One file in another encoding keeps no other from being imported; a folder without exports is none.
    let text = std::fs::read_to_string(world.path(&export(&world, CUSTOMERS, |_| {}))).expect("an export");
    world.write("mixed/a.json", &text);
    let gbk = b"{\"source\": {\"label\": \"\xbf\xcd\xbb\xa7\"}}";
    std::fs::write(world.path("mixed/b.json"), gbk).expect("written");
    std::fs::create_dir(world.path("empty")).expect("a folder");
    world
        .engine(&["import", "qeasy", "mixed", "--out", "mixed/schemes"])
        .expect(1)
        .says("E1705 mixed/b.json:1:23");
    assert!(world.path("mixed/schemes/a.yaml").exists());
    world
        .engine(&["import", "qeasy", "empty", "--out", "own/schemes"])
        .expect(2)
        .warns("nothing to import");
    // A connection that is not there is made, with references and no secret.
    let path = export(&world, CUSTOMERS, |_| {});
    world
        .engine(&[
            "import",
            "qeasy",
            &path,
            "--out",
            "new/schemes/a.yaml",
            "--connections",
            "connections.yaml",
        ])
        .expect(1)
        .says("E1712");
    world
        .engine(&["check", "new/schemes/a.yaml", "--connections", "connections.yaml"])
        .expect(0);
}
