//! Mappings that people set, with the real binary against the simulators: before the first run, in files, through a
//! server, and in the values of documents.

use serde_json::{Value, json};
use tests::e2e::{CUSTOMERS, MAIN, World};

const SCHEME: &str = "huke-to-k3";
const ORG: &str = "FCreateOrgId: {FNumber: \"100\"}";

fn listed(world: &World, words: &[&str]) -> Vec<Value> {
    let all: Vec<&str> = ["map", "list", "--json", "--limit", "1000"]
        .iter()
        .chain(words)
        .copied()
        .collect();
    let document = world.engine(&all).expect(0).json();
    world.valid("map-list", &document);
    document["mappings"].as_array().expect("a list").clone()
}

fn got(world: &World, source: &str) -> Value {
    let document = world
        .engine(&["map", "get", source, "--scheme", SCHEME, "--json"])
        .expect(0)
        .json();
    world.valid("map-get", &document);
    document
}

fn writes(world: &World) -> (usize, usize) {
    let journal = world.journal();
    let creates = journal.iter().filter(|entry| entry.action == "create").count();
    let updates = journal.iter().filter(|entry| entry.action == "update").count();
    (creates, updates)
}

/// A machine that is set up anew: what was written is told to it before its first run, and nothing is booked twice.
#[test]
fn what_was_written_before_is_updated_and_not_made_again() {
    let world = World::small();
    // Nothing but the mapping may keep it from creating.
    world.edit(
        MAIN,
        "  find: before_create                   # customers may have been typed in by hand before\n",
        "",
    );
    world.feed();
    world.run(&[], 0);
    let all = listed(&world, &["--scheme", SCHEME]);
    assert_eq!(all.len(), CUSTOMERS);
    assert_eq!(all[0]["dest_object"], "BD_Customer");
    assert_eq!(all[0]["made_by"], "engine");
    let saved = world
        .engine(&["map", "export", "--out", "all.csv", "--json"])
        .expect(0)
        .json();
    world.valid("map-export", &saved);
    world.engine(&["map", "export", "--out", "all.csv"]).expect(2);
    let (creates, _) = writes(&world);
    assert_eq!(creates, CUSTOMERS);

    std::fs::remove_dir_all(world.data()).expect("our own folder");
    let planned = world
        .engine(&["map", "import", "all.csv", "--dry-run", "--json"])
        .expect(0)
        .json();
    world.valid("map-import", &planned);
    assert_eq!(
        (&planned["made"], &planned["dry_run"]),
        (&json!(CUSTOMERS), &json!(true))
    );
    world
        .engine(&["map", "import", "all.csv"])
        .expect(2)
        .warns("--yes");
    assert!(listed(&world, &[]).is_empty());
    world
        .engine(&["map", "import", "all.csv", "--yes"])
        .expect(0)
        .says(&CUSTOMERS.to_string());
    let orphans = listed(&world, &["--orphans"]);
    assert_eq!(orphans.len(), CUSTOMERS);
    assert_eq!(orphans[0]["flaw"], "no_record");
    world.feed();
    world.run(&[], 0);
    let (creates, updates) = writes(&world);
    assert_eq!(
        (creates, updates),
        (CUSTOMERS, CUSTOMERS),
        "updates, and nothing new"
    );
    assert!(listed(&world, &["--orphans"]).is_empty());
    world.verify();

    // What a person changes is noted, and refused where it would make doubles or lose a document.
    let (one, other) = (
        all[0]["source_id"].as_str().expect("an id"),
        all[1]["source_id"].as_str().expect("an id"),
    );
    let id = |at: usize| all[at]["dest_id"].as_str().expect("an id").to_owned();
    let set = |words: &[&str], code: i32| {
        let all: Vec<&str> = ["map", "set", "--scheme", SCHEME]
            .iter()
            .chain(words)
            .copied()
            .collect();
        world.engine(&all).expect(code).stderr.clone()
    };
    assert!(set(&[one, &id(1)], 2).contains("E6137"));
    assert!(set(&[one, "999", "--expected", "nothing"], 2).contains("E6139"));
    set(&[one, "999", "--remark", "merged"], 0);
    let shown = got(&world, one);
    assert_eq!(shown["mapping"]["remark"], "merged");
    let last = shown["history"]
        .as_array()
        .and_then(|all| all.last())
        .cloned()
        .unwrap_or_default();
    assert_eq!(
        (&last["before"], &last["after"], &last["by"]),
        (&json!(id(0)), &json!("999"), &json!("cli"))
    );
    set(&[other, "999", "--allow-double"], 0);
    assert_eq!(listed(&world, &["--doubles"]).len(), 2);
    let refused = world.engine(&["map", "rm", one, "--scheme", SCHEME]);
    refused.expect(2).warns("E6140");
    world
        .engine(&["map", "get", "unheard-of", "--scheme", SCHEME])
        .expect(2)
        .warns("E6131");
    world
        .engine(&["map", "set", "a", "1", "--scheme", "no-such"])
        .expect(2)
        .warns("E6132");
    world
        .engine(&["audit", "list", "--json"])
        .expect(0)
        .says("-> 999");
}

/// Values that are called otherwise on the other side: a table without entries is told, and one that is filled is used.
#[test]
fn values_are_translated_by_what_the_engine_keeps() {
    let world = World::small();
    world.edit(MAIN, ORG, "FCreateOrgId: {FNumber: {$map: main, $table: orgs}}");
    world.edit(
        MAIN,
        "schedule: {every: 6m}",
        "maps:\n  orgs: {field_mapping: AccountObj.org__c}\n\nschedule: {every: 6m}",
    );
    world.feed();
    world
        .engine(&["check", MAIN])
        .expect(0)
        .says("the table orgs has no entries yet");
    let run = world.run(&["--limit", "3"], 1);
    assert_eq!(run["empty_tables"], json!(["orgs"]));
    let rows = world
        .engine(&["rows", "list", "--state", "dead", "--json"])
        .expect(0)
        .json();
    assert_eq!(rows["rows"][0]["reason"]["code"], "E2006");

    world.write(
        "orgs.csv",
        "\u{feff}data_center,channel,data_type,fs_id,erp_id,fs_name,erp_name\r\n,OA,AccountObj.org__c,main,100,总部,\r\n",
    );
    let done = world
        .engine(&["map", "fields", "import", "orgs.csv", "--yes", "--json"])
        .expect(0)
        .json();
    world.valid("map-import", &done);
    let fields = world
        .engine(&["map", "fields", "list", "--json"])
        .expect(0)
        .json();
    world.valid("map-fields", &fields);
    assert_eq!(fields["fields"][0]["erp_id"], "100");
    world
        .engine(&["retry", "--scheme", SCHEME, "--state", "dead", "--yes"])
        .expect(0);
    let run = world.run(&[], 0);
    assert_eq!(run["empty_tables"], json!([]));
    world.verify();

    // The same id in two channels is not guessed at.
    let words = [
        "map",
        "fields",
        "set",
        "main",
        "200",
        "--type",
        "AccountObj.org__c",
        "--channel",
    ];
    let of = |channel: &'static str| words.iter().copied().chain([channel]).collect::<Vec<_>>();
    world.engine(&of("ERP_U8")).expect(0);
    world.engine(&of("ERP")).expect(2).warns("E6142");
    // It stops no run: the records that need it wait, and none does here.
    world.run(&[], 0);
    world.edit(
        MAIN,
        "{field_mapping: AccountObj.org__c}",
        "{field_mapping: AccountObj.org__c, channel: OA}",
    );
    world.run(&[], 0);
    world
        .engine(&[
            "map",
            "fields",
            "rm",
            "main",
            "--type",
            "AccountObj.org__c",
            "--channel",
            "ERP_U8",
        ])
        .expect(0);
    world
        .engine(&[
            "map",
            "fields",
            "rm",
            "main",
            "--type",
            "AccountObj.org__c",
            "--channel",
            "ERP_U8",
        ])
        .expect(2)
        .warns("E6145");
    world.edit(MAIN, "channel: OA", "channel: QA");
    world.engine(&["check", MAIN]).expect(1).says("E1198");
    world.edit(MAIN, "AccountObj.org__c, channel: QA", "depatment, channel: OA");
    world
        .engine(&["check", MAIN])
        .expect(1)
        .says("E1138")
        .says("department");
}

/// The same through a server.
#[test]
fn a_server_sets_mappings_too() {
    let world = World::small();
    world.feed();
    world.run(&[], 0);
    let here = listed(&world, &["--scheme", SCHEME]);
    let serving = world.serve(&[]);
    let server = format!("http://{}", serving.address());
    let ask = |words: &[&str], code: i32| {
        let more = ["--server", &server, "--token-file", "token"];
        let all: Vec<&str> = words.iter().copied().chain(more).collect();
        let ran = world.engine(&all);
        ran.expect(code);
        ran
    };
    let there = ask(
        &["map", "list", "--scheme", SCHEME, "--limit", "1000", "--json"],
        0,
    )
    .json();
    world.valid("map-list", &there);
    assert_eq!(there["mappings"].as_array().map(Vec::len), Some(here.len()));
    ask(
        &[
            "map", "set", "new", "77", "--scheme", SCHEME, "--remark", "by hand",
        ],
        0,
    );
    ask(&["map", "set", "new", "78", "--scheme", SCHEME], 0);
    ask(
        &["map", "set", "new", "79", "--scheme", SCHEME, "--expected", "77"],
        2,
    );
    let shown = ask(&["map", "get", "new", "--scheme", SCHEME, "--json"], 0).json();
    world.valid("map-get", &shown);
    assert_eq!(shown["mapping"]["dest_id"], "78");
    assert_eq!(shown["history"].as_array().map(Vec::len), Some(2));
    let orphans = ask(&["map", "list", "--orphans", "--json"], 0).json();
    assert_eq!(orphans["mappings"][0]["source_id"], "new");
    let text = ask(&["map", "export", "--scheme", SCHEME], 0).stdout;
    assert_eq!(text.lines().count(), here.len() + 2, "{text}");
    world.write("all.csv", &text);
    let same = ask(&["map", "import", "all.csv", "--yes", "--json"], 0).json();
    assert_eq!(same["same"], json!(here.len() + 1));
    ask(&["map", "rm", "new", "--scheme", SCHEME], 0);
    ask(&["map", "get", "new", "--scheme", SCHEME], 2);
    ask(
        &[
            "map",
            "fields",
            "set",
            "7",
            "E7",
            "--type",
            "employee",
            "--channel",
            "OA",
        ],
        0,
    );
    let fields = ask(&["map", "fields", "list", "--json"], 0).json();
    world.valid("map-fields", &fields);
    assert_eq!(fields["fields"][0]["made_by"], "api");
    let text = ask(&["map", "fields", "export"], 0).stdout;
    assert!(text.contains(",OA,employee,7,E7,"), "{text}");
    ask(
        &[
            "map",
            "fields",
            "rm",
            "7",
            "--type",
            "employee",
            "--channel",
            "OA",
        ],
        0,
    );
}
