//! What people decide about records, with the real binary against the simulators.

use sandbox::FaultKind;
use serde_json::{Value, json};
use tests::e2e::{CUSTOMERS, MAIN, World, judge, numbers};

/// Organisation that the simulated target does not know: every record is refused until the scheme is mended.
const WRONG: &str = "FCreateOrgId: {FNumber: \"103\"}";
const RIGHT: &str = "FCreateOrgId: {FNumber: \"100\"}";
const SCHEME: &str = "huke-to-k3";

fn keys(world: &World, state: &str) -> Vec<String> {
    let words = [
        "rows", "list", "--scheme", SCHEME, "--state", state, "--limit", "0", "--json",
    ];
    let listed = world.engine(&words);
    let listed = listed.expect(0).json();
    let rows = listed["rows"].as_array().expect("a list");
    rows.iter()
        .map(|row| row["key"][0].as_str().expect("a key of one text").to_owned())
        .collect()
}

#[track_caller]
fn decide(world: &World, words: &[&str], code: i32) -> Value {
    // The feeder has records with the same keys.
    let more = ["--scheme", SCHEME, "--json"];
    let all: Vec<&str> = words.iter().copied().chain(more).collect();
    let ran = world.engine(&all);
    ran.expect(code);
    let document = ran.json();
    let kind = match (code, words[0]) {
        (2 | 4, _) => "error",
        (_, "retry") => "retry",
        _ => "rows-decide",
    };
    world.valid(kind, &document);
    document
}

/// A run that is not all right says why, also where the record was read by an earlier one and died once more.
#[test]
fn a_run_that_only_records_keep_from_being_right_says_why() {
    let world = World::small();
    world.feed();
    world.edit(MAIN, RIGHT, WRONG);
    let run = |dead: usize| {
        world.run(&[], 1);
        let listed = world.engine(&["runs", "list", "--scheme", SCHEME, "--limit", "1", "--json"]);
        let run = listed.expect(0).json()["runs"][0].clone();
        assert_eq!(
            (&run["status"], &run["counts"]["dead"]),
            (&json!("partial"), &json!(dead)),
            "{run:#}"
        );
        let dead = world.engine(&["rows", "list", "--scheme", SCHEME, "--state", "dead", "--json"]);
        let code = dead.json()["rows"][0]["reason"]["code"].clone();
        assert_eq!(run["reason"]["code"], code, "{run:#}");
        let shown = world.engine(&["runs", "show", &run["run"].to_string()]);
        shown.expect(0).says(code.as_str().expect("a code"));
    };
    run(CUSTOMERS);
    let dead = keys(&world, "dead");
    decide(&world, &["retry", "--key", &dead[0], "--yes"], 0);
    run(0);
    assert_eq!(keys(&world, "dead").len(), CUSTOMERS);
}

/// A record that the scheme got wrong: seen, mended, retried and written; nothing else is touched.
#[test]
fn what_the_scheme_got_wrong_is_retried() {
    let world = World::small();
    world.feed();
    world.edit(MAIN, RIGHT, WRONG);
    world.run(&["--limit", "3"], 1);
    let dead = keys(&world, "dead");
    assert_eq!(dead.len(), 3);
    world.engine(&["retry"]).expect(2).warns("--yes");
    let still = decide(&world, &["retry", "--dry-run"], 0);
    assert_eq!(
        still["records"][0]["changes"],
        json!([]),
        "the same document again"
    );

    world.edit(MAIN, WRONG, RIGHT);
    let seen = decide(&world, &["retry", "--dry-run"], 0);
    let change = json!([{"field": "FCreateOrgId.FNumber", "before": "103", "after": "100"}]);
    assert_eq!(seen["records"][0]["changes"], change, "{seen:#}");
    assert_eq!(keys(&world, "dead").len(), 3, "nothing was changed");

    let done = decide(&world, &["retry", "--key", &dead[0], "--yes"], 0);
    assert_eq!(done["records"][0]["result"], "pending");
    world.run(&["--stage", "save"], 0);
    assert!(keys(&world, "done").contains(&dead[0]));
    assert_eq!(keys(&world, "dead").len(), 2, "nothing else was retried");

    // The document as it was: refused for the same reason as before.
    let stored = decide(&world, &["retry", "--key", &dead[1], "--as-stored", "--yes"], 0);
    assert_eq!(stored["content"], "as_stored");
    world.run(&["--stage", "save"], 1);
    assert_eq!(keys(&world, "dead").len(), 2);
    assert_eq!(judge(&world.journal()), Vec::<String>::new());

    // Who, when, what and why stand in its life.
    let life = world
        .engine(&["rows", "show", &dead[0], "--scheme", SCHEME, "--json"])
        .expect(0)
        .json();
    world.valid("rows-show", &life);
    let decided = &life["rows"][0]["decisions"][0];
    assert_eq!(
        (&decided["action"], &decided["what"]),
        (&json!("retry"), &json!("dead -> pending"))
    );
    assert_eq!(life["rows"][0]["mappings"][0]["number"], dead[0].as_str());
    world.verify();
}

/// Skip, hold and resolve: where they lead, what they refuse, and that a reason is wanted.
#[test]
fn a_person_decides_about_one_record() {
    let world = World::small();
    world.feed();
    world.edit(MAIN, RIGHT, WRONG);
    world.run(&["--limit", "2"], 1);
    let dead = keys(&world, "dead");
    let (first, second) = (dead[0].as_str(), dead[1].as_str());
    decide(&world, &["rows", "skip", first], 2);
    decide(&world, &["rows", "skip", first, "--reason", " "], 2);
    decide(&world, &["rows", "skip", "nobody", "--reason", "x"], 2);
    let refused = decide(&world, &["rows", "hold", first, "--reason", "x"], 2);
    let message = refused["error"]["message"].as_str().expect("a message");
    assert!(message.contains("engine retry --key"), "{message}");

    let skipped = decide(&world, &["rows", "skip", first, "--reason", "a test customer"], 0);
    assert_eq!(
        (&skipped["from"], &skipped["to"]),
        (&json!("dead"), &json!("skipped"))
    );
    assert_eq!(skipped["row"]["reason"]["code"], "E5041");
    decide(&world, &["retry", "--key", first, "--yes"], 2);

    decide(&world, &["retry", "--key", second, "--yes"], 0);
    let held = decide(
        &world,
        &["rows", "hold", second, "--reason", "finance looks at it"],
        0,
    );
    assert_eq!(held["row"]["reason"]["code"], "E5040");
    world.edit(MAIN, WRONG, RIGHT);
    world.run(&["--stage", "save"], 0);
    assert!(
        !numbers(&world.journal()).contains(second),
        "what is held is left alone"
    );
    let resolved = decide(
        &world,
        &[
            "rows",
            "resolve",
            second,
            "--done-as",
            "900001",
            "--reason",
            "typed in by hand",
        ],
        0,
    );
    assert_eq!(resolved["row"]["target_id"], "900001");
    let notes = world.engine(&["rows", "show", second, "--scheme", SCHEME]);
    notes
        .expect(0)
        .says("finance looks at it")
        .says("typed in by hand");
    world.verify();
}

/// An answer that was lost: whatever is decided, nothing is written twice.
#[test]
fn what_may_have_been_written_is_asked_about() {
    let world = World::small();
    world.batch(1);
    world.impatient();
    world.feed();
    world.fault("BatchSave", 1, FaultKind::DropAfter);
    world.run(&["--limit", "1", "--settle-wait", "0s"], 1);
    let unknown = keys(&world, "unknown");
    let key = unknown[0].as_str();
    decide(&world, &["rows", "hold", key, "--reason", "what happened?"], 0);
    let asked = decide(&world, &["retry", "--key", key, "--yes"], 0);
    assert_eq!(asked["records"][0]["way"], "asked", "{asked:#}");
    assert_eq!(asked["records"][0]["result"], "unknown");
    world.run(&["--stage", "save", "--settle-wait", "20s"], 0);
    assert!(keys(&world, "done").iter().any(|done| done == key));
    let journal = world.journal();
    let creates = journal
        .iter()
        .filter(|entry| entry.action == "create" && entry.number == key);
    assert_eq!(creates.count(), 1, "found, and at most updated: {journal:#?}");
    world.verify();
}

/// A table that a spreadsheet can open, and the same for programs.
#[test]
fn records_are_exported() {
    let world = World::small();
    world.feed();
    world.run(&[], 0);
    let csv = world.engine(&["rows", "export", "--csv", "--bom", "--scheme", "huke-to-k3"]);
    let text = csv.expect(0).stdout.clone();
    assert!(text.starts_with("\u{feff}scheme,key,label,state,"), "{text}");
    assert_eq!(text.lines().count(), CUSTOMERS + 1);
    let json = world.engine(&["rows", "export", "--json", "--payload", "--limit", "2"]);
    let document = json.expect(0).json();
    world.valid("rows-export", &document);
    assert_eq!(document["rows"].as_array().map(Vec::len), Some(2));
    let out = ["rows", "export", "--out", "rows.csv"];
    world.engine(&out).expect(0).warns("rows.csv");
    world.engine(&out).expect(2);
}

/// While the answer to our creates is lost, somebody else books documents under the same numbers: they are neither taken
/// for ours nor overwritten. Our own are recognised.
#[test]
fn a_document_of_somebody_else_is_not_taken_for_ours() {
    const OURS: &str = "FName: <<buyerNick>>";
    const THEIRS: &str = "FName: 别家<<buyerNick>>";
    for (fault, foreign) in [(FaultKind::DropBefore, true), (FaultKind::DropAfter, false)] {
        let world = World::small();
        world.edit(MAIN, "  find: before_create ", "  fingerprint: [FName] ");
        world.impatient();
        world.feed();
        world.fault("BatchSave", 1, fault);
        world.engine(&["run", MAIN, "--settle-wait", "0s"]);
        assert_eq!(keys(&world, "unknown").len(), CUSTOMERS, "{fault:?}");
        if foreign {
            world.edit(MAIN, OURS, THEIRS);
            world.engine(&["run", MAIN, "--data-dir", "other"]).expect(0);
            world.edit(MAIN, THEIRS, OURS);
        }
        world.engine(&["run", MAIN, "--settle-wait", "20s"]);
        assert_eq!(world.journal().len(), CUSTOMERS, "{fault:?}");
        world.verify();
        if !foreign {
            assert_eq!(keys(&world, "done").len(), CUSTOMERS);
            continue;
        }
        let held = keys(&world, "held");
        assert_eq!(held.len(), CUSTOMERS);
        let shown = world.engine(&["rows", "show", &held[0], "--scheme", SCHEME]);
        shown.expect(0).says("E4030").says("FName");
        // A person looks: it is theirs, and the number is taken.
        decide(&world, &["rows", "skip", &held[0], "--reason", "theirs"], 0);
        decide(&world, &["retry", "--key", &held[1], "--yes"], 0);
        world.engine(&["run", MAIN, "--settle-wait", "20s"]);
        assert_eq!(keys(&world, "held").len(), CUSTOMERS - 1);
        assert_eq!(world.journal().len(), CUSTOMERS, "nothing was overwritten");
    }
}

/// What was kept without its sensitive values is not what was sent, whatever the scheme says later.
#[test]
fn a_masked_document_is_never_sent() {
    let world = World::small();
    world.feed();
    world.edit(
        MAIN,
        "FName: <<buyerNick>>",
        "FName: {$value: <<buyerNick>>, $sensitive: true}",
    );
    world.edit(MAIN, RIGHT, WRONG);
    world.run(&["--limit", "2"], 1);
    let dead = keys(&world, "dead");
    world.edit(
        MAIN,
        "FName: {$value: <<buyerNick>>, $sensitive: true}",
        "FName: <<buyerNick>>",
    );
    world.edit(MAIN, WRONG, RIGHT);
    let refused = decide(&world, &["retry", "--key", &dead[0], "--as-stored", "--yes"], 1);
    assert_eq!(refused["records"][0]["way"], "nothing_stored", "{refused:#}");
    world.run(&["--stage", "save"], 0);
    assert_eq!(keys(&world, "dead"), dead, "left alone");

    // And what became sensitive after it was kept is not shown.
    let world = World::small();
    world.feed();
    world.edit(MAIN, RIGHT, WRONG);
    world.run(&["--limit", "2"], 1);
    let dead = keys(&world, "dead");
    let life = |world: &World| {
        let words = ["rows", "show", &dead[0], "--scheme", SCHEME, "--json"];
        world.engine(&words).expect(0).json()["rows"][0].clone()
    };
    let name = life(&world)["row"]["label"].as_str().expect("a name").to_owned();
    world.edit(
        MAIN,
        "FName: <<buyerNick>>",
        "FName: {$value: \"<<buyerNick>>\", $sensitive: true}",
    );
    let seen = decide(&world, &["retry", "--key", &dead[0], "--dry-run"], 0);
    assert!(
        !seen["records"][0]["changes"].to_string().contains(&name),
        "{seen:#}"
    );
    assert_eq!(seen["records"][0]["uncompared"], json!(["FName"]));
    world.run(&["--stage", "save"], 1);
    let told = life(&world);
    assert!(!told["attempts"].to_string().contains(&name), "{told:#}");
    let exported = world.engine(&["rows", "export", "--scheme", SCHEME, "--payload", "--json"]);
    let exported = exported.expect(0).stdout.replace(' ', "");
    assert!(exported.contains(r#""FName":"***""#), "{exported}");
    assert!(!exported.contains(&format!(r#""FName":"{name}"#)), "{exported}");
}
