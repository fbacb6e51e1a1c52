//! The way of an author: a first scheme from two connectors, a sample of real rows, a test made of it.

use serde_json::Value;
use tests::e2e::World;

#[test]
fn a_scheme_is_begun_sampled_tested_and_run() {
    let world = World::small();
    world
        .engine(&[
            "init",
            "own",
            "--from-connector",
            "wangdiantong-ultimate",
            "--lang",
            "en",
        ])
        .expect(0)
        .says("own/connections.yaml: added the connection wangdiantong-ultimate")
        .says("wrote own/schemes/wangdiantong-rows.yaml")
        .warns("nothing is known of the rows yet");
    let connections = ["--connections", "own/connections.yaml"];
    let sample = |more: &[&str]| {
        let mut line = vec!["sample", "wangdiantong-ultimate", "trade_query", "--sandbox"];
        line.extend(connections);
        line.extend(more);
        world.engine(&line)
    };
    // To look at: nothing is kept.
    let shown = sample(&["--out", "-", "--rows", "2"]);
    shown.expect(0);
    let file = world.path("own/samples/wangdiantong-ultimate/trade_query.json");
    assert!(!file.exists());
    let kept = sample(&[
        "--mask",
        "buyer_nick",
        "--mask",
        "detail_list.*.num",
        "--mask",
        "trade_no",
        "--json",
    ]);
    kept.expect(0);
    world.valid("sample", &kept.json());
    assert_eq!(
        kept.json()["masked"],
        serde_json::json!(["buyer_nick", "detail_list.*.num", "trade_no"])
    );
    let text = std::fs::read_to_string(&file).expect("the sample");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let rows = document["rows"].as_array().expect("rows");
    assert!((1..=20).contains(&rows.len()), "{}", rows.len());
    for row in rows {
        assert_eq!(row["buyer_nick"], "***");
    }
    // With the fields known, a second beginning finds a key and a first test; a misspelt field is told.
    world
        .engine(&[
            "init",
            "own",
            "--from-connector",
            "wangdiantong-ultimate",
            "--scheme",
            "trades",
        ])
        .expect(0);
    let scheme = world.path("own/schemes/trades.yaml");
    let text = std::fs::read_to_string(&scheme).expect("the scheme");
    assert!(
        text.contains("key: trade_id") && text.contains("sample: 0"),
        "{text}"
    );
    world.engine(&["test", "own/schemes/trades.yaml"]).expect(0);
    world
        .engine(&["run", "own/schemes/trades.yaml", "--sandbox"])
        .expect(0);
    std::fs::write(&scheme, text.replace("key: trade_id", "key: trade_nr")).expect("our own file");
    world
        .engine(&["check", "own/schemes/trades.yaml", "--lang", "en"])
        .expect(1)
        .says("E1204")
        .says("trade_no");
}

#[test]
fn a_sample_is_only_read_and_only_with_what_the_operation_takes() {
    let world = World::small();
    for (line, sentence) in [
        ("k3 batch_save", "does not read"),
        ("k3 bill_query", "must be told the fields"),
        (
            "k3 bill_query --fields FNumber",
            "needs an option: --option FormId",
        ),
        (
            "k3 bill_query --fields FNumber --option FormID=BD_Customer",
            "did you mean FormId",
        ),
        ("jst order_list --fields a", "leave --fields out"),
        ("jst order_list --mask a..b", "is no path"),
        ("nobody order_list", "there is no connection `nobody`"),
    ] {
        let mut arguments = vec!["sample"];
        arguments.extend(line.split(' '));
        arguments.extend(["--sandbox", "--lang", "en"]);
        world.engine(&arguments).expect(2).warns(sentence);
    }
    assert_eq!(world.journal().len(), 0, "nothing was written");
}
