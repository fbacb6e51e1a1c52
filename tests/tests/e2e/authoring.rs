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
        .expect(0)
        .says("W1254")
        .says("trade_no");
}

/// What a sample is about: rows of the same options, for checks only, and never more than was marked.
#[test]
fn a_sample_says_no_more_than_it_shows() {
    let world = World::small();
    let sample = |line: &str| {
        let mut words: Vec<&str> = vec!["sample"];
        words.extend(line.split(' '));
        words.extend(["--sandbox", "--lang", "en"]);
        world.engine(&words)
    };
    const MATERIALS: &str = "k3 bill_query --option FormId=BD_MATERIAL --fields";
    // Whether every row of the sample has this field masked.
    let is_masked = |field: &str| {
        let path = world.path("samples/k3/bill_query.BD_MATERIAL.json");
        let text = std::fs::read_to_string(path).expect("a sample");
        let document: Value = serde_json::from_str(&text).expect("JSON");
        let rows = document["rows"].as_array().expect("rows");
        !rows.is_empty() && rows.iter().all(|row| row[field] == "***")
    };
    sample(&format!(
        "{MATERIALS} FNumber,FName,FBaseUnitId.FNumber --mask FBaseUnitId.FNumber"
    ))
    .expect(0);
    assert!(is_masked("FBaseUnitId_FNumber"));
    // Taken once more, what was masked stays masked; a mask that meets nothing is told before anything is kept.
    sample(&format!("{MATERIALS} FNumber,FBaseUnitId.FNumber")).expect(0);
    assert!(is_masked("FBaseUnitId_FNumber"));
    sample(&format!("{MATERIALS} FNumber --mask FNumbr"))
        .expect(2)
        .warns("no row has this field");
    // A field that a scheme marks is masked, whatever the scheme calls it; one that cannot be read is told.
    let marks = "scheme: marks
source: {connection: k3, api: bill_query, options: {FormId: BD_MATERIAL}, fields: {code: FNumber, called: FName}, window: none, key: code}
target:
  connection: k3
  api: save
  options: {FormId: BD_MATERIAL}
  actions: [create]
  request: {FNumber: <<code>>, FCreateOrgId: {FNumber: '100'}, FName: {$value: <<called>>, $sensitive: true}}
schedule: {every: 6m}
";
    world.write("schemes/marks.yaml", marks);
    sample(&format!("{MATERIALS} FNumber,FName")).expect(0);
    assert!(is_masked("FName"));
    world.write("schemes/marks.yaml", &marks.replace("key: code", "kei: code"));
    sample(&format!("{MATERIALS} FNumber"))
        .expect(2)
        .warns("mend it first");
    std::fs::remove_file(world.path("schemes/marks.yaml")).expect("our own file");
    // Another file is not replaced.
    let before = std::fs::read_to_string(world.path("connections.yaml")).expect("a file");
    sample("jst order_list --out connections.yaml")
        .expect(2)
        .warns("is not replaced");
    let after = std::fs::read_to_string(world.path("connections.yaml")).expect("a file");
    assert_eq!(after, before);
    // A field that only samples lack is a warning; a broken sample is told and keeps nobody from running.
    sample("jst order_list --rows 1").expect(0);
    let scheme = "scheme: orders
source: {connection: jst, api: order_list, window: {first: -1d}, key: o_id, label: nobody_has_this}
target: none
schedule: {every: 6m}
";
    world.write("schemes/orders.yaml", scheme);
    let check = ["check", "schemes/orders.yaml", "--lang", "en"];
    world.engine(&check).expect(0).says("W1254");
    world.write("samples/jst/order_list.json", "{\"operation\": \"order_li");
    world.engine(&check).expect(0).says("W1055");
    let ran = world.engine(&["run", "schemes/orders.yaml", "--sandbox"]);
    ran.expect(0);
    sample("jst order_list").expect(2).warns("is not replaced");
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
    for id in ["../../esc", "Bad Id", ""] {
        world
            .engine(&[
                "init",
                "own",
                "--from-connector",
                "netease-huke",
                "--scheme",
                id,
                "--lang",
                "en",
            ])
            .expect(2)
            .warns("cannot be the id");
    }
    for (id, template, told) in [
        ("bad id", "push", "small letters, digits and hyphens"),
        ("mine", "two-way", "leave --scheme out"),
    ] {
        world
            .engine(&[
                "init",
                "own",
                "--template",
                template,
                "--scheme",
                id,
                "--lang",
                "en",
            ])
            .expect(2)
            .warns(told);
    }
    assert!(!world.path("own").exists(), "nothing was written");
    assert_eq!(world.journal().len(), 0, "nothing was written");
}

/// Each template passes `check`, its own tests and `fmt --check`, and runs against the simulators.
#[test]
fn every_template_is_begun_tested_and_run() {
    let world = World::small();
    let listed = world.engine(&["init", "--list", "--json"]);
    listed.expect(0);
    world.valid("init-list", &listed.json());
    let templates: Vec<String> = listed.json()["templates"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["name"].as_str().expect("a name").to_owned())
        .collect();
    assert!(templates.len() >= 7, "{templates:?}");
    for name in templates {
        let folder = format!("own-{name}");
        let begun = world.engine(&["init", &folder, "--template", &name, "--json"]);
        begun.expect(0);
        let begun = begun.json();
        world.valid("init", &begun);
        assert_eq!(begun["diagnostics"], serde_json::json!([]), "{name}");
        let connections = format!("{folder}/connections.yaml");
        let schemes = format!("{folder}/schemes");
        let of = |words: &[&str]| world.engine(&[words, &["--connections", &connections]].concat());
        of(&["check", &schemes, &connections, "--strict"]).expect(0);
        of(&["test", &schemes]).expect(0);
        of(&["fmt", "--check", &schemes]).expect(0);
        let written = std::iter::once(&begun["scheme"]).chain(begun["further"].as_array().expect("a list"));
        let mut words: Vec<&str> = vec!["run"];
        words.extend(written.map(|path| path.as_str().expect("a path")));
        words.extend(["--sandbox", "--trades", "60", "--json"]);
        let ran = of(&words);
        ran.expect(0);
        // What is there is not replaced.
        world
            .engine(&["init", &folder, "--template", &name, "--lang", "en"])
            .expect(2)
            .warns("is there already");
    }
    world
        .engine(&["init", "own", "--template", "store", "--scheme", "mine"])
        .expect(0);
    assert!(world.path("own/schemes/mine.yaml").exists());
    for words in [
        &["init", "own", "--template", "sotre"][..],
        &["init", "own", "--template", "two-way", "--scheme", "mine"],
        &["init", "own"],
    ] {
        world.engine(words).expect(2);
    }
}

/// `fmt` writes, names and refuses; what it writes is the same the second time.
#[test]
fn files_come_into_one_layout() {
    const ROUGH: &str = "# 客户\r\nscheme: rough\r\nsource:\r\n    connection:   huke   # 来源\r\n    api: search_customers\r\n    window: 'none'\r\n    key: [ cid ]\r\ntarget: none\r\nschedule: { every: 30m }";
    const FINE: &str = "# 客户\r\nscheme: rough\r\n\r\nsource:\r\n  connection: huke       # 来源\r\n  api: search_customers\r\n  window: none\r\n  key: [cid]\r\n\r\ntarget: none\r\nschedule: {every: 30m}\r\n";
    let world = World::small();
    let rough = "schemes/rough.yaml";
    world.write(rough, ROUGH);
    world.write("schemes/other.yaml", "services:   {db: 1}\n");
    world.write("schemes/wrong.yaml", "scheme: [wrong\n");
    let read = |name: &str| std::fs::read_to_string(world.path(name)).expect("written above");
    world
        .engine(&["fmt", rough, "--check", "--lang", "en"])
        .expect(1)
        .says("schemes/rough.yaml: not formatted");
    assert_eq!(read(rough), ROUGH);
    world
        .command(&["fmt", "--stdin"])
        .stdin(ROUGH)
        .finish()
        .expect(0)
        .says(FINE);
    world
        .command(&["fmt", "--stdin"])
        .stdin("a: [1\n")
        .finish()
        .expect(1)
        .warns("E1009");
    let all = world.engine(&["fmt", "schemes", "--json"]);
    all.expect(1);
    let told = all.json();
    world.valid("fmt", &told);
    let of = |name: &str| {
        let files = told["files"].as_array().expect("a list");
        let found = files
            .iter()
            .find(|one| one["path"] == name)
            .expect("it was looked at");
        (
            found["outcome"].as_str().expect("a word").to_owned(),
            found["why"].clone(),
        )
    };
    assert_eq!(of(rough), ("changed".to_owned(), Value::Null));
    assert_eq!(of("schemes/other.yaml"), ("left".to_owned(), "foreign".into()));
    assert_eq!(of("schemes/wrong.yaml"), ("left".to_owned(), "errors".into()));
    assert_eq!(read(rough), FINE);
    assert_eq!(read("schemes/other.yaml"), "services:   {db: 1}\n");
    world.engine(&["fmt", rough, "--check"]).expect(0);
    world.engine(&["fmt", rough, "--stdin"]).expect(2);
}

/// What is sure is written, and told; what is not stays for a person.
#[test]
fn slips_are_mended() {
    let world = World::small();
    let scheme = "schemes/slips.yaml";
    let text = "scheme: slips\r\nsource:\r\n  connection: huke\r\n  api: search_customers  # 不动\r\n  window: none\r\n  lable: cid\r\n  key: cid\r\ntarget: none\r\nschedule: {cron: */30 * * * *}\r\nnothing_near: 1\r\n";
    world.write(scheme, text);
    let rehearsed = world.engine(&["check", scheme, "--fix", "--dry-run", "--lang", "en"]);
    rehearsed
        .expect(1)
        .says("schemes/slips.yaml:9: [E1024]")
        .says("+ schedule: {cron: \"*/30 * * * *\"}")
        .says("nothing was written");
    let read = || std::fs::read_to_string(world.path(scheme)).expect("written above");
    assert_eq!(read(), text);
    let mended = world.engine(&["check", scheme, "--fix", "--json"]);
    mended.expect(1);
    world.valid("check", &mended.json());
    assert_eq!(mended.json()["fixes"]["written"], true);
    assert_eq!(mended.json()["summary"]["errors"], 1, "nothing_near is not known");
    let want = text
        .replace("lable", "label")
        .replace("*/30 * * * *", "\"*/30 * * * *\"");
    assert_eq!(read(), want);
    world.engine(&["check", scheme, "--dry-run"]).expect(2);
}
