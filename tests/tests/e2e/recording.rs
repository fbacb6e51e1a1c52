//! Recordings: a run kept as a test, replayed without any system, compared, renewed, and never with a secret in it.

use sandbox::FaultKind;
use serde_json::{Value, json};
use tests::e2e::{CUSTOMERS, Config, Credentials, MAIN, Ran, Run, World, repository};

/// Text that stands nowhere else.
const CANARIES: [&str; 3] = [
    "canary-huke-7731ab",
    "canary-k3-app-55d0c2",
    "canary-k3-pass-c4b9e1",
];
const FILE: &str = "schemes/samples/own.json";

fn canaries(config: &mut Config) {
    config.credentials = Credentials {
        huke_secret: CANARIES[0].to_owned(),
        app_secret: CANARIES[1].to_owned(),
        password: CANARIES[2].to_owned(),
        ..Credentials::default()
    };
}

/// Records the main scheme, and makes the recording its only test.
fn recorded(world: &World) -> Value {
    let ran = world.engine(&["run", MAIN, "--record", FILE, "--json"]);
    ran.expect(0);
    let document = ran.json();
    world.valid("run", &document);
    let text = std::fs::read_to_string(world.path(MAIN)).expect("our own file");
    let (scheme, _) = text.split_once("\ntests:\n").expect("it has tests");
    let test = "\ntests:\n  - {name: one run, recording: samples/own.json}\n";
    world.write(MAIN, &format!("{scheme}{test}"));
    document
}

/// `engine test` of the main scheme where nothing is set: there is no secret and no server.
fn tested(world: &World, more: &[&str]) -> Ran {
    let words: Vec<&str> = ["test", MAIN, "--lang", "en"]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
    Run::new(&world.path("."), &[], &words).finish()
}

#[test]
fn a_run_is_recorded_and_holds_nothing_that_must_not_be_seen() {
    let world = World::of(canaries);
    world.feed();
    let names = names(&world);
    world.edit(MAIN, "  label: buyerNick\n", "  label: buyerCid\n");
    world.edit(
        MAIN,
        "    FName: <<buyerNick>>\n",
        "    FName: {$value: <<buyerNick>>, $sensitive: true}\n",
    );
    let document = recorded(&world);
    assert_eq!(document["runs"][0]["states"]["done"], CUSTOMERS, "{document:#}");
    assert_eq!(document["recording"]["file"], FILE);
    assert_eq!(document["recording"]["records"], CUSTOMERS);
    let text = std::fs::read_to_string(world.path(FILE)).expect("it was written");
    for canary in CANARIES {
        assert!(!text.contains(canary), "{canary} is in the recording");
    }
    let port = format!(":{}", world.addr().port());
    assert!(!text.contains(&port), "the server's address is in the recording");
    let journal = world.journal();
    assert_eq!(journal.len(), CUSTOMERS);
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let calls = file["calls"].as_array().expect("calls");
    let rows = calls[0]["answer"]["json"]["data"]["list"]
        .as_array()
        .expect("rows");
    let mut masks: Vec<&str> = rows
        .iter()
        .map(|row| row["buyerNick"].as_str().expect("a text"))
        .collect();
    masks.sort_unstable();
    masks.dedup();
    assert!(masks.iter().all(|mask| mask.starts_with("***")), "{masks:?}");
    assert!(
        masks.len() > 1,
        "equal values have equal masks, others have others: {masks:?}"
    );
    // The documents were made of the masks.
    let save = calls.last().expect("a write");
    assert!(save["request"].to_string().contains(masks[0]), "{save:#}");
    for name in names {
        assert!(!text.contains(&name), "{name} is in the recording");
    }
    tested(&world, &[]).expect(0).says("one run");
    assert_eq!(world.journal().len(), journal.len(), "nobody was called");
}

/// The names of buyers that the simulators gave out.
fn names(world: &World) -> Vec<String> {
    let sample = world.engine(&[
        "sample",
        "huke",
        "search_trades",
        "--out",
        "-",
        "--rows",
        "50",
        "-q",
    ]);
    let sample: Value = serde_json::from_str(&sample.expect(0).stdout).expect("JSON");
    let rows = sample["rows"].as_array().expect("rows");
    let names = rows.iter().filter_map(|row| row["buyerNick"].as_str());
    let names: Vec<String> = names.map(str::to_owned).collect();
    assert!(names.len() > 10, "{names:?}");
    names
}

#[test]
fn a_changed_template_is_red_with_its_place_and_can_be_taken_over() {
    let world = World::small();
    world.feed();
    recorded(&world);
    tested(&world, &[]).expect(0);
    world.edit(
        MAIN,
        "    FNumber: <<buyerCid>>\n",
        "    FNumber: X<<buyerCid>>\n",
    );
    let red = tested(&world, &[]);
    red.expect(1)
        .says("k3 batch_save body.")
        .says("FNumber: expected \"")
        .says("got \"X");
    let report = Run::new(&world.path("."), &[], &["test", MAIN, "--json"]).finish();
    world.valid("test", &report.expect(1).json());
    let before = std::fs::read(world.path(FILE)).expect("the recording");
    tested(&world, &["--update"])
        .expect(0)
        .says("wrote what 1 test expects");
    assert_ne!(std::fs::read(world.path(FILE)).expect("the recording"), before);
    tested(&world, &[]).expect(0);
    // Taken back, the new expectation is the wrong one.
    world.edit(
        MAIN,
        "    FNumber: X<<buyerCid>>\n",
        "    FNumber: <<buyerCid>>\n",
    );
    tested(&world, &[]).expect(1).says("expected \"X");
    tested(&world, &["--update"]).expect(0);
    // A source that asks for something else.
    world.edit(MAIN, "timeType: \"1\"", "timeType: \"2\"");
    tested(&world, &[])
        .expect(1)
        .says("call 1, huke search_trades body.timeRanges.timeType: expected \"1\", got \"2\"");
    world.edit(MAIN, "timeType: \"2\"", "timeType: \"1\"");
    // More calls than were recorded: nobody answered them, so that nothing can be taken over.
    world.batch(1);
    tested(&world, &[])
        .expect(1)
        .says("a call that was not recorded, k3");
    tested(&world, &["--update"]).expect(1).warns("record it anew");
    // A ledger that knows the scheme is no beginning.
    world
        .engine(&["run", MAIN, "--record", FILE])
        .expect(2)
        .warns("a recording begins with its first one");
}

#[test]
fn a_damaged_recording_is_told_with_its_place() {
    let world = World::small();
    world.feed();
    recorded(&world);
    let whole = std::fs::read_to_string(world.path(FILE)).expect("the recording");
    let line = std::fs::read_to_string(world.path(MAIN)).expect("our own file");
    let line = line
        .lines()
        .position(|line| line.contains("recording:"))
        .expect("the test")
        + 1;
    for (text, why) in [
        (whole[..whole.len() / 2].to_owned(), "it is no JSON, line "),
        (
            whole.replacen("\"status\": 200", "\"status\": \"no\"", 1),
            "`calls.0.answer.status` is missing or wrong",
        ),
        (
            whole.replacen("\"huke-to-k3\"", "\"other\"", 1),
            "it is of the scheme other",
        ),
        ("{}".to_owned(), "engine run --record did not write it"),
    ] {
        world.write(FILE, &text);
        for command in ["check", "test"] {
            world
                .engine(&[command, MAIN, "--lang", "en"])
                .expect(1)
                .says("E1172")
                .says(why)
                .says(&format!("huke-to-k3.yaml:{line}:"));
        }
    }
    // A run needs no recording.
    world.engine(&["run", MAIN]).expect(0);
    std::fs::remove_file(world.path(FILE)).expect("our own file");
    world
        .engine(&["check", MAIN, "--lang", "en"])
        .expect(1)
        .says("there is no such file");
    world.edit(MAIN, "samples/own.json", "../outside.json");
    world
        .engine(&["check", MAIN, "--lang", "en"])
        .expect(1)
        .says("not within the scheme's folder");
    // What was changed by hand is seen.
    world.edit(MAIN, "../outside.json", "samples/own.json");
    world.write(
        FILE,
        &whole.replacen("\"state\":\"done\"", "\"state\":\"dead\"", 1),
    );
    tested(&world, &[])
        .expect(1)
        .says("state: expected \"dead\", got \"done\"");
    // A file that is something else stays.
    world.write("schemes/samples/notes.json", "{\"mine\": 1}\n");
    world
        .engine(&[
            "run",
            MAIN,
            "--sandbox",
            "--trades",
            "5",
            "--record",
            "schemes/samples/notes.json",
        ])
        .expect(2)
        .warns("is no recording");
}

/// Lost answers, the questions about them and the waits between replay as they were, in no time.
#[test]
fn lost_answers_are_part_of_a_recording() {
    let world = World::small();
    world.feed();
    world.batch(1);
    world.fault("BatchSave", 2, FaultKind::DropAfter);
    let document = recorded(&world);
    assert_eq!(document["runs"][0]["states"]["done"], CUSTOMERS, "{document:#}");
    let file = std::fs::read_to_string(world.path(FILE)).expect("the recording");
    let file: Value = serde_json::from_str(&file).expect("JSON");
    let lost = |call: &&Value| call["broken"] != json!(null);
    assert_eq!(
        file["calls"]
            .as_array()
            .expect("calls")
            .iter()
            .filter(lost)
            .count(),
        1
    );
    tested(&world, &[]).expect(0);
}

/// The words of the README, for systems that answer in JSON, in OData batches and in SQL.
#[test]
fn simulators_are_recorded_anew_each_time() {
    let base = tempfile::tempdir().expect("a folder");
    let copy = |name: &str| {
        let to = base.path().join(name);
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("our own folder");
        std::fs::copy(repository().join(name), to).expect("the repository has it");
    };
    copy("connections.yaml");
    for scheme in ["okki-to-sap", "mysql-to-k3", "jst-saleout-to-k3"] {
        let path = format!("schemes/{scheme}.yaml");
        copy(&path);
        let text = std::fs::read_to_string(base.path().join(&path)).expect("our own file");
        let (text, _) = text.split_once("\ntests:\n").expect("it has tests");
        let test = format!("\ntests:\n  - {{name: one run, recording: {scheme}.json}}\n");
        std::fs::write(base.path().join(&path), format!("{text}{test}")).expect("our own file");
        for _ in 0..2 {
            let file = format!("schemes/{scheme}.json");
            let words = [
                "run",
                &path,
                "--sandbox",
                "--trades",
                "3",
                "--limit",
                "3",
                "--record",
                &file,
            ];
            let ran = Run::new(base.path(), &[], &words).finish();
            assert!(ran.code.is_some_and(|code| code < 2), "{ran}");
        }
        Run::new(base.path(), &[], &["test", &path]).finish().expect(0);
    }
    assert!(
        !base.path().join(".engine").exists(),
        "the ledger was a temporary one"
    );
    Run::new(
        base.path(),
        &[],
        &[
            "run",
            "schemes/okki-to-sap.yaml",
            "--record",
            "x.json",
            "--stage",
            "fetch",
        ],
    )
    .finish()
    .expect(2);
}
