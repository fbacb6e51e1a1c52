//! The main job through the real binary: customers of one system become customers of the other, once each.

use std::collections::{BTreeMap, BTreeSet};

use std::path::PathBuf;

use serde_json::{Value, json};
use tests::e2e::{CUSTOMERS, MAIN, TRADES, World, judge, numbers, versions};

/// Hour in milliseconds.
const HOUR: i64 = 3_600_000;

fn count(run: &Value, name: &str) -> u64 {
    run["counts"][name]
        .as_u64()
        .unwrap_or_else(|| panic!("counts.{name} in {run:#}"))
}

fn small(n: usize) -> u64 {
    u64::try_from(n).expect("small worlds")
}

/// Rows of the answers of Huke that went by: the truth about what had to be moved.
fn rows_of(answers: &[(tests::e2e::Message, tests::e2e::Message)]) -> Vec<Value> {
    answers
        .iter()
        .flat_map(|(_, answer)| {
            answer.json()["data"]["list"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        })
        .collect()
}

/// Where nobody can be asked, what a brake asks about is not written; `--yes` is the answer.
#[test]
fn a_first_run_that_writes_many_is_asked_about() {
    let world = World::small();
    let text = std::fs::read_to_string(world.path(MAIN)).expect("it is there");
    world.write(MAIN, &format!("{text}\nbrakes: {{max_first: 3}}\n"));
    world.feed();
    let run = world.run(&[], 1);
    assert_eq!(run["stopped"]["code"], "E3083", "{run:#}");
    assert_eq!(world.journal().len(), 0, "nothing is written");
    let again = world.engine(&["run", MAIN]);
    again.expect(1);
    assert!(again.stdout.contains("engine run --yes"), "{again}");
    let run = world.run(&["--yes"], 0);
    assert_eq!(run["states"]["done"], CUSTOMERS);
    assert_eq!(world.run(&[], 0)["stopped"], Value::Null, "it has written before");
    assert_eq!(judge(&world.journal()), Vec::<String>::new());
    world.verify();
}

#[test]
fn first_run() {
    let world = World::small();
    let recorder = world.record();
    world.feed();
    let run = world.run(&[], 0);
    assert_eq!(count(&run, "fetched"), small(TRADES));
    assert_eq!(count(&run, "done") + count(&run, "skipped"), small(TRADES));
    assert_eq!(run["states"]["done"], CUSTOMERS);

    let journal = world.journal();
    assert_eq!(judge(&journal), Vec::<String>::new());
    assert_eq!(journal.len(), CUSTOMERS, "one write each");
    // What the source showed is what the target got, every awkward character of it.
    let shown: BTreeMap<String, String> = rows_of(&recorder.calls("trade/searchTrades"))
        .iter()
        .map(|row| {
            (
                row["buyerCid"].as_str().expect("text").to_owned(),
                row["buyerNick"].as_str().expect("text").to_owned(),
            )
        })
        .collect();
    let described: BTreeMap<String, Value> = rows_of(&recorder.calls("customer/searchCustomers"))
        .iter()
        .map(|row| {
            (
                row["cid"].as_str().expect("text").to_owned(),
                row["唯一ID"].clone(),
            )
        })
        .collect();
    assert_eq!(shown.len(), CUSTOMERS);
    for entry in &journal {
        let document: Value = serde_json::from_str(&entry.content).expect("a document");
        let want = json!({
            "FName": shown[&entry.number],
            "FNumber": entry.number,
            "FCreateOrgId": {"FNumber": "100"},
            "FUseOrgId": {"FNumber": "100"},
            "FDescription": described[&entry.number],
        });
        assert_eq!(document, want);
    }
    world.verify();
}

#[test]
fn the_second_run_writes_nothing_and_says_why() {
    let world = World::small();
    world.feed();
    world.engine(&["run", MAIN]).expect(0);
    let saves = world.calls("kingdee/BatchSave");
    let journal = world.journal();

    let again = world.engine(&["run", MAIN]);
    again.expect(0).says("unchanged");
    let run = world.run(&[], 0);
    assert_eq!((count(&run, "done"), count(&run, "open")), (0, 0));
    assert_eq!(count(&run, "unchanged"), count(&run, "fetched"));
    assert_eq!(world.journal(), journal);
    assert_eq!(world.calls("kingdee/BatchSave"), saves, "not even a call");
    world.verify();
}

#[test]
fn three_changed_customers_are_three_updates_and_no_new_document() {
    let world = World::small();
    world.feed();
    world.run(&[], 0);
    let before = world.journal();
    let changed = world.control("change", &json!({"customers": 3}));
    let names: BTreeMap<String, String> = changed["changed"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|c| {
            (
                c["cid"].as_str().expect("text").to_owned(),
                c["nick"].as_str().expect("text").to_owned(),
            )
        })
        .collect();
    assert_eq!(names.len(), 3);

    let run = world.run(&[], 0);
    assert_eq!(count(&run, "done"), 3);
    let journal = world.journal();
    let new = &journal[before.len()..];
    let written: BTreeMap<String, String> = new
        .iter()
        .map(|entry| {
            assert_eq!(entry.action, "update", "{entry:?}");
            let document: Value = serde_json::from_str(&entry.content).expect("a document");
            assert_eq!(
                document["FCUSTID"].to_string().trim_matches('"'),
                entry.id.to_string()
            );
            (
                entry.number.clone(),
                document["FName"].as_str().expect("text").to_owned(),
            )
        })
        .collect();
    assert_eq!((written, new.len()), (names, 3));
    assert_eq!(numbers(&journal).len(), CUSTOMERS, "no new document");
    assert_eq!(judge(&journal), Vec::<String>::new());
    for (key, entries) in versions(&journal) {
        let contents: BTreeSet<&str> = entries.iter().map(|entry| entry.content.as_str()).collect();
        assert_eq!(
            contents.len(),
            entries.len(),
            "{key:?}: one executed write per version"
        );
    }
    world.verify();
}

/// Bodies of the target calls of a rehearsal, in order.
fn rehearsed(document: &Value) -> Vec<String> {
    let calls = document["calls"].as_array().expect("a list");
    calls
        .iter()
        .map(|call| call["body"].as_str().expect("text").to_owned())
        .collect()
}

/// The same files with the same bytes; names what differs, not the bytes.
#[track_caller]
fn assert_same(now: &[(PathBuf, Vec<u8>)], before: &[(PathBuf, Vec<u8>)]) {
    let names = |files: &[(PathBuf, Vec<u8>)]| files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
    assert_eq!(
        names(now),
        names(before),
        "a rehearsal makes no file and removes none"
    );
    for ((path, now), (_, before)) in now.iter().zip(before) {
        // Readers of a database in this mode note in this file that they read.
        let is_note = path.to_string_lossy().ends_with("-shm");
        assert!(
            is_note || now == before,
            "{} was changed by a rehearsal",
            path.display()
        );
    }
}

#[test]
fn a_dry_run_shows_the_bytes_that_the_run_then_sends() {
    let world = World::small();
    world.batch(7);
    world.feed();
    for round in 0..2 {
        let now = world.sandbox().now_ms().to_string();
        let ledger = world.left_behind();
        let dry = world.engine(&["dry-run", MAIN, "--now", &now, "--limit", "all", "--json"]);
        let dry = dry.expect(0).json();
        world.valid("dry-run", &dry);
        assert_same(&world.left_behind(), &ledger);
        let recorded = world.journal().len();

        world.run(&["--now", &now], 0);
        let journal = world.journal();
        let mut sent: Vec<String> = journal[recorded..]
            .iter()
            .map(|entry| entry.body.to_string())
            .collect();
        sent.dedup();
        assert!(sent.len() > 1 || round > 0);
        assert_eq!(rehearsed(&dry), sent, "round {round}");
        // The second time round some documents are there and are updated, under their ids.
        world.sandbox().change(3, 2).expect("there are customers");
    }
}

#[test]
fn a_dry_run_of_an_empty_folder_writes_nothing_anywhere() {
    let world = World::small();
    let before = world.left_behind();
    let ran = world.engine(&["dry-run", MAIN]);
    ran.expect(0);
    assert_same(&world.left_behind(), &before);
    assert!(!world.path(".engine").exists());
    assert_eq!((world.journal().len(), world.calls("kingdee/BatchSave")), (0, 0));
}

#[test]
fn an_outage_of_thirty_hours_loses_nothing() {
    // The scheme looks back twenty hours by itself.
    let outage = 30 * HOUR;
    let world = World::of(|config| {
        #[expect(
            clippy::disallowed_methods,
            reason = "the simulators live before the machine's now"
        )]
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("after 1970");
        config.now_ms = Some(i64::try_from(now.as_millis()).expect("fits") - outage);
        config.freshness_ms = 2 * outage;
    });
    world.feed();
    let start = world.sandbox().now_ms();
    world.run(&["--now", &start.to_string()], 0);
    assert_eq!(numbers(&world.journal()).len(), CUSTOMERS);
    let mut missed = BTreeSet::new();
    for hours in [1, 3, 9, 10, 11, 15, 29] {
        let order = json!({"new": 2, "customers": 1, "at_ms": start + hours * HOUR});
        let answer = world.control("change", &order);
        for list in ["new", "changed"] {
            for customer in answer[list].as_array().expect("a list") {
                missed.insert((
                    customer["cid"].as_str().expect("text").to_owned(),
                    customer["nick"].as_str().expect("text").to_owned(),
                ));
            }
        }
    }
    assert_eq!(missed.len(), 21);
    world.sandbox().advance_ms(outage);
    world.run(&["--now", &(start + outage).to_string()], 0);
    let journal = world.journal();
    let last: BTreeSet<(String, String)> = versions(&journal)
        .into_iter()
        .map(|((_, number), entries)| {
            let last = entries.last().expect("at least one");
            let document: Value = serde_json::from_str(&last.content).expect("a document");
            (number, document["FName"].as_str().expect("text").to_owned())
        })
        .collect();
    let lost: Vec<_> = missed.difference(&last).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(judge(&journal), Vec::<String>::new());
    world.verify();
}

#[test]
fn refused_and_keyless_rows_are_dead_and_named_and_the_others_done() {
    let world = World::of(|config| (config.refuse, config.invalid) = (2, 3));
    world.feed();
    let run = world.run(&[], 1);
    assert_eq!(count(&run, "dead"), 5);
    assert_eq!(run["states"]["done"], CUSTOMERS);
    let journal = world.journal();
    assert_eq!(numbers(&journal).len(), CUSTOMERS);
    assert_eq!(judge(&journal), Vec::<String>::new());

    let told = world.engine(&["run", MAIN, "--now", &world.sandbox().now_ms().to_string()]);
    let first = world.engine(&["rows", "list", "--state", "dead"]);
    first
        .expect(0)
        .says("R000001")
        .says("R000002")
        .says("未建档买家1")
        .says("未建档买家3");
    // The words of the vendor, in full.
    first
        .says("客户分组“未分组”不存在，请先维护基础资料")
        .says("客户名称含有敏感词，不允许保存");
    // Dead rows are not tried again by themselves, so the second run has nothing to complain about.
    assert!(told.code.is_some_and(|code| code <= 1), "{told}");
    assert_eq!(world.journal(), journal);
    world.verify();
}

#[test]
fn a_record_is_found_by_its_key_with_source_payload_and_answer() {
    let world = World::small();
    world.feed();
    world.run(&[], 0);
    let entry = world
        .journal()
        .into_iter()
        .find(|entry| entry.number.starts_with("00"))
        .expect("leading zeros");
    let shown = world.engine(&["rows", "show", &entry.number]);
    shown
        .expect(0)
        .says(&entry.number)
        .says(&entry.id.to_string())
        .says("BD_Customer");
    let payload = world.engine(&[
        "rows",
        "show",
        &entry.number,
        "--scheme",
        "huke-to-k3",
        "--show",
        "payload",
    ]);
    let payload: Value = payload.expect(0).json();
    let content: Value = serde_json::from_str(&entry.content).expect("a document");
    assert_eq!(payload, content);
    let source = world.engine(&[
        "rows",
        "show",
        &entry.number,
        "--scheme",
        "huke-to-k3",
        "--show",
        "source",
    ]);
    source
        .expect(0)
        .says(&format!("\"buyerCid\":\"{}\"", entry.number));
    let answer = world.engine(&[
        "rows",
        "show",
        &entry.number,
        "--scheme",
        "huke-to-k3",
        "--show",
        "answer",
    ]);
    answer.expect(0).says("SuccessEntitys");
    world
        .engine(&["rows", "show", "no-such-key"])
        .expect(2)
        .warns("no-such-key");
}

#[test]
fn a_locked_data_directory_is_exit_code_4() {
    let world = World::small();
    world.feed();
    let lock = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(world.data().join("lock"))
        .expect("it was made");
    lock.try_lock().expect("nobody has it");
    let ran = world.engine(&["run", MAIN]);
    ran.expect(4);
    assert!(!ran.stderr.is_empty(), "{ran}");
    // Reading needs no lock.
    world.engine(&["dry-run", MAIN]).expect(0);
    world.engine(&["rows", "list"]).expect(0);
    lock.unlock().expect("it is ours");
    world.run(&[], 0);
}

#[test]
fn an_error_inside_http_200_leaves_the_window_open() {
    let world = World::small();
    world.feed();
    // From the second of three pages on, however often it is tried.
    let busy = json!({"endpoint": "searchTrades", "nth": 2, "times": 100, "kind": "msg_code_13"});
    world.control("fault", &busy);
    let run = world.run(&[], 1);
    assert_eq!(run["windows_left"], 1, "{run:#}");
    let why = run["left_because"]["message"].as_str().expect("a sentence");
    assert!(why.contains("系统繁忙，请稍后再试"), "{run:#}");
    assert!(count(&run, "fetched") < small(TRADES), "{run:#}");
    world.control("fault", &json!({"clear": true}));
    let run = world.run(&[], 0);
    assert_eq!(
        count(&run, "fetched"),
        small(TRADES),
        "the window was read again, whole"
    );
    assert_eq!(numbers(&world.journal()).len(), CUSTOMERS);
    assert_eq!(judge(&world.journal()), Vec::<String>::new());
    world.verify();
}

#[test]
fn customers_without_a_file_have_no_description() {
    let world = World::small();
    // Nothing was fed: the look-up finds nobody, which is told and no reason to stop.
    let run = world.run(&[], 0);
    assert!(
        run["lookup_misses"].as_u64().expect("a number") >= small(CUSTOMERS),
        "{run:#}"
    );
    for entry in world.journal() {
        assert!(!entry.content.contains("FDescription"), "{}", entry.content);
    }
}

#[test]
fn hand_made_customers_are_adopted() {
    let world = World::small();
    world.feed();
    world.run(&[], 0);
    // Another ledger knows nothing of what is at the target.
    std::fs::remove_dir_all(world.path(".engine")).expect("it was made");
    world.sandbox().change(2, 0).expect("there are customers");
    let before = world.journal().len();
    world.feed();
    world.run(&[], 0);
    let journal = world.journal();
    assert_eq!(numbers(&journal).len(), CUSTOMERS, "found by key, not made again");
    assert!(journal[before..].iter().all(|entry| entry.action == "update"));
    world.verify();
}

#[test]
fn the_first_command_of_the_readme() {
    let world = World::small();
    let ran = world.engine(&["run", MAIN, "--sandbox", "--json"]);
    let document = ran.expect(0).json();
    world.valid("run", &document);
    for run in document["runs"].as_array().expect("a list") {
        tests::e2e::adds_up(run);
    }
    let schemes: Vec<&str> = document["runs"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|run| run["scheme"].as_str())
        .collect();
    assert_eq!(schemes, ["huke-customers", "huke-to-k3"], "the feeder goes first");
    assert_eq!(document["runs"][1]["counts"]["fetched"], 1_200);
    assert_eq!(document["runs"][1]["states"]["done"], 300);
    // Neither the real files nor their secrets are asked for; the simulators keep their state for the next run.
    let again = world
        .engine(&["run", MAIN, "--sandbox", "--json"])
        .expect(0)
        .json();
    assert_eq!(again["runs"][1]["counts"]["done"], 0, "{again:#}");
    world.engine(&["verify", "--sandbox"]).expect(0);
    assert_eq!(world.journal().len(), 0, "other simulators than ours");
    assert!(world.path(".engine/sandbox").is_dir() && !world.data().exists());
}

#[test]
fn the_repository_itself_is_ready_to_run() {
    let world = World::small();
    let repository = tests::e2e::repository();
    let text = std::fs::read_to_string(repository.join("connections.yaml")).expect("the repository has it");
    world.write("connections.yaml", &text);
    world
        .engine(&["run", MAIN, "--sandbox", "--trades", "40"])
        .expect(0);
    world.engine(&["check", "schemes", "connections.yaml"]).expect(0);
    let tested = world.engine(&["test", "schemes"]);
    tested.expect(0);
    // Without the simulators its secrets are missing, and that is told before anything is called.
    let ran = world.engine(&["run", MAIN]);
    ran.expect(3);
    assert!(
        ran.stderr.contains("HUKE_KEY") || ran.stderr.contains("huke"),
        "{ran}"
    );
}

#[test]
fn two_runs_of_a_lone_sandbox() {
    // What `engine sandbox` prints is all that is needed.
    let world = World::small();
    let lone = tests::e2e::Lone::start(&["--trades", "40", "--refuse", "1"]);
    world.write("connections.yaml", &lone.connections);
    let run = |code| {
        let mut command = world.command(&["run", MAIN, "--json"]);
        for (name, value) in &lone.exports {
            command = command.env(name, value);
        }
        command.finish().expect(code).json()["runs"][0].clone()
    };
    let first = run(1);
    assert_eq!(
        (first["states"]["done"].clone(), first["states"]["dead"].clone()),
        (json!(10), json!(1))
    );
    let second = run(0);
    assert_eq!(second["counts"]["done"], 0, "{second:#}");
}

#[test]
fn another_system_under_the_same_name_is_refused_until_a_person_confirms() {
    let world = World::small();
    world.feed();
    world.run(&[], 0);
    // The same simulators under another address: the ledger cannot know that.
    let _recorder = world.record();
    let before = world.journal();
    let ran = world.engine(&["run", MAIN]);
    ran.expect(3).warns("E5013");
    assert_eq!(world.journal(), before);
    world.run(&["--new-target"], 0);
    world.run(&[], 0);
    world.verify();
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_settles_what_is_in_flight() {
    let world = World::small();
    world.batch(5);
    world.feed();
    let slow = json!({"endpoint": "BatchSave", "kind": "delay", "delay_ms": 400});
    world.control("fault", &slow);
    let process = world.command(&["run", MAIN]).start();
    // The first save is on its way: that is the moment.
    while world.calls("kingdee/BatchSave") == 0 {
        std::thread::yield_now();
    }
    let status = std::process::Command::new("kill")
        .args(["-INT", &process.id().to_string()])
        .status();
    assert!(status.is_ok_and(|status| status.success()));
    process.finish().expect(130);
    let states = world
        .engine(&["rows", "list", "--state", "sending", "--json"])
        .expect(0)
        .json();
    assert_eq!(states["rows"], json!([]), "nothing is left in flight");
    let written = world.journal().len();
    assert!(written > 0 && written < CUSTOMERS, "{written}");
    world.control("fault", &json!({"clear": true}));
    let run = world.run(&[], 0);
    assert_eq!(run["states"]["done"], CUSTOMERS);
    assert_eq!(judge(&world.journal()), Vec::<String>::new());
    world.verify();
}
