//! How commands end, and what they say last: exit codes, signals, what was not done and why.

use sandbox::{FaultKind, FaultPlan};
use tests::e2e::{MAIN, World, judge};

/// Organisation that the simulated target does not know: every record is refused.
const WRONG: &str = "FCreateOrgId: {FNumber: \"103\"}";
const RIGHT: &str = "FCreateOrgId: {FNumber: \"100\"}";

/// A decision is noted for ever; a blank reason is none, whoever asks for it.
#[test]
fn no_command_takes_a_blank_reason() {
    let world = World::small();
    world.feed();
    world.pass(MAIN, 0);
    world.engine(&["backup", "--to", "copy.db"]).expect(0);
    let range = ["--from", "2020-01-01 00:00:00", "--to", "2020-01-02 00:00:00"];
    let replay = [&["replay", MAIN][..], &range].concat();
    for words in [
        &["restore", "copy.db", "--yes"][..],
        &["adopt", MAIN, "--yes"],
        &["migrate", "--rollback", "--yes"],
        &["verify", "--fix", "--yes"],
        &["retry", "--key", "x", "--yes"],
        &["rows", "skip", "x"],
        &["rows", "hold", "x"],
        &["rows", "resolve", "x", "--not-there", "--yes"],
        &replay,
    ] {
        for blank in ["", " \t"] {
            let all: Vec<&str> = words.iter().copied().chain(["--reason", blank]).collect();
            world.engine(&all).expect(2).warns("--reason may not be blank");
        }
    }
    world
        .engine(&["audit", "list"])
        .expect(0)
        .says("no such decision");
}

#[test]
fn decisions_are_listed() {
    let mut world = World::small();
    world.feed();
    world.edit(MAIN, RIGHT, WRONG);
    world.run(&["--limit", "2"], 1);
    world.set("USER", "li");
    let rows = world
        .engine(&["rows", "list", "--state", "dead", "--json"])
        .json();
    let key = rows["rows"][0]["key"][0].as_str().expect("a key").to_owned();
    let skip = [
        "rows",
        "skip",
        &key,
        "--scheme",
        "huke-to-k3",
        "--reason",
        "double",
    ];
    world.engine(&skip).expect(0);
    world.engine(&["backup", "--to", "copy.db"]).expect(0);
    let restore = ["restore", "copy.db", "--reason", "a trial", "--yes"];
    world.engine(&restore).expect(0);
    let listed = world.engine(&["audit", "list", "--json"]);
    let document = listed.expect(0).json();
    world.valid("audit-list", &document);
    let told: Vec<_> = document["decisions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            [&one["who"], &one["action"], &one["reason"]].map(|text| text.as_str().unwrap_or("-").to_owned())
        })
        .collect();
    assert_eq!(told, [["li", "restore", "a trial"], ["li", "skip", "double"]]);
    assert_eq!(document["decisions"][1]["key"][0], key);
    world
        .engine(&["audit", "list", "--action", "skip", "--limit", "1"])
        .expect(0)
        .says(&key)
        .says("skipped");
    world.engine(&["audit", "list", "--action", "skp"]).expect(2);
}

/// What was read and not written is never called written.
#[test]
fn unchanged_is_not_yet_written() {
    let world = World::small();
    world.feed();
    world.edit(MAIN, RIGHT, WRONG);
    let first = world.engine(&["run", MAIN, "--limit", "3"]);
    first
        .expect(1)
        .says("pending ")
        .says(": read and not written yet");
    world.engine(&["run", MAIN]).expect(1);
    let again = world.engine(&["run", MAIN]);
    again.says("has changed; of this scheme there are dead ");
    assert!(!again.stdout.contains("versions already written"), "{again}");
}

/// A target that cannot even be asked: what is unknown is told with its number and where to look.
#[test]
fn what_is_unknown_is_told() {
    let world = World::small();
    world.impatient();
    world.feed();
    world
        .sandbox()
        .fault(FaultPlan::nth("BatchSave", 1, FaultKind::DropAfter))
        .expect("a fault");
    for query in ["ExecuteBillQuery", "BillQuery", "View"] {
        // The first one looks whether the documents are there before they are made.
        let plan = FaultPlan {
            times: Some(1_000),
            ..FaultPlan::nth(query, 2, FaultKind::ResponseError)
        };
        world.sandbox().fault(plan).expect("a fault");
    }
    let ran = world.engine(&["run", MAIN, "--settle-wait", "1s"]);
    ran.says("unknown ");
    assert!(
        ran.stdout.contains("--state unknown") || ran.stdout.contains("can be asked again from"),
        "{ran}"
    );
    assert_eq!(judge(&world.journal()), Vec::<String>::new());
}

#[test]
fn an_export_ends_whole_or_says_why() {
    let world = World::small();
    world.feed();
    world.pass(MAIN, 0);
    let saved = world.engine(&["rows", "export", "--json", "--out", "rows.json"]);
    let summary = saved.expect(0).json();
    world.valid("rows-export", &summary);
    assert_eq!(summary["file"], "rows.json");
    let text = std::fs::read_to_string(world.path("rows.json")).expect("it was written");
    let rows: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    world.valid("rows-export", &rows);
    assert_eq!(
        rows["rows"].as_array().map(Vec::len),
        summary["count"].as_u64().and_then(|n| usize::try_from(n).ok())
    );
    assert!(
        rows["rows"]
            .as_array()
            .expect("rows")
            .iter()
            .any(|row| row["sends"] == 1),
        "a send is a send"
    );
    let again = ["rows", "export", "--out", "rows.json"];
    world.engine(&again).expect(2).warns("exists already");
    #[cfg(target_os = "linux")]
    {
        let full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .expect("a device");
        let ran = world.command(&["rows", "export"]).stdout(full).finish();
        ran.expect(2).warns("cannot write stdout");
    }
}

/// Where a slip of the command line is meant to lead.
#[test]
fn slips_are_told_with_what_was_meant() {
    let world = World::small();
    world.feed();
    for (words, told) in [
        (&["run", "huke-to-k3"][..], "did you mean schemes/huke-to-k3.yaml"),
        (&["dry-run", "huke-to-k3"], "did you mean schemes/huke-to-k3.yaml"),
        (&["run", "schemes"], "is a folder; name the file of a scheme"),
        (
            &["run", MAIN, "--now", "2199-01-01 00:00:00"],
            "more than a day ahead",
        ),
        (
            &["rows", "list", "--env", "tset"],
            "no connection knows the environment `tset`",
        ),
        (
            &["rows", "list", "--env", "../x"],
            "cannot be the name of an environment",
        ),
        (
            &["rows", "show", "1", "--scheme", "huke-customer"],
            "did you mean huke-customers",
        ),
        (&["rows", "resolve", "1", "--reason", "x"], "--done-as ID"),
        (&["rows", "list", "--data-dir", "connections.yaml"], "is a file"),
        (&["backup", "--to", "absent/copy.db"], "the folder absent"),
        (&["backup", "--to", "schemes"], "is a folder"),
        (
            &["migrate", "--rollback", "--reason", "x"],
            "no copy from before an upgrade",
        ),
    ] {
        world.engine(words).expect(2).warns(told);
    }
    world.engine(&["schema", "rows-skip"]).expect(0);
    // Something that cannot be looked at is what the doctor found.
    let note = world.data().join("generation");
    std::fs::remove_file(&note).expect("our own file");
    std::fs::create_dir(&note).expect("our own folder");
    world.engine(&["doctor"]).expect(1).says("✗ may be looked at");
}

/// A run that hangs at its target.
#[cfg(unix)]
fn hanging(world: &World) -> tests::e2e::Process {
    world
        .sandbox()
        .fault(FaultPlan::every("BatchSave", FaultKind::Hang))
        .expect("a fault");
    let process = world.command(&["run", MAIN, "--settle-wait", "0ms"]).start();
    // As many looks as fit into the patience of a loaded machine.
    for _ in 0..2_000 {
        let listed = world
            .engine(&["runs", "list", "--status", "running", "--json"])
            .json();
        let there = listed["runs"].as_array().is_some_and(|runs| !runs.is_empty());
        if there && !world.journal().is_empty() {
            return process;
        }
    }
    panic!("the run did not come to its target");
}

/// What a service manager sends ends a run as cleanly as Ctrl-C does.
#[cfg(unix)]
#[test]
fn a_run_is_ended_by_a_service_manager() {
    let world = World::small();
    world.impatient();
    world.feed();
    let process = hanging(&world);
    let id = process.id().to_string();
    let sent = std::process::Command::new("kill").args(["-TERM", &id]).status();
    assert!(sent.expect("a program of every Unix").success());
    process.finish().expect(143).says("canceled");
    let runs = world.engine(&["runs", "list", "--json"]).json();
    assert_eq!(runs["runs"][0]["status"], "canceled");
    world.verify();
}

/// A run whose process is gone does not go on for ever.
#[cfg(unix)]
#[test]
fn a_run_that_was_killed_is_broken_off() {
    let world = World::small();
    world.impatient();
    world.feed();
    assert!(hanging(&world).kill());
    let listed = world.engine(&["runs", "list", "--json"]);
    let document = listed.expect(0).json();
    world.valid("runs-list", &document);
    assert_eq!(document["runs"][0]["status"], "broken");
    let run = document["runs"][0]["run"].to_string();
    world.engine(&["runs", "show", &run]).expect(0).says("broken off");
    world.engine(&["doctor"]).says(&format!("runs broken off: {run}"));
    let none = world.engine(&["runs", "list", "--status", "running"]);
    none.expect(0).says("no run matches");
}

/// Two commands with simulators of their own work with one folder.
#[test]
fn the_sandbox_is_one_process_at_a_time() {
    let world = World::small();
    world
        .engine(&["run", MAIN, "--sandbox", "--trades", "40"])
        .expect(0);
    let state = world.path(".engine/sandbox/simulators");
    let lock = std::fs::File::create(state.join("lock")).expect("the simulators' own");
    lock.lock().expect("nobody has it");
    for lang in ["zh", "en"] {
        let words = ["run", MAIN, "--sandbox", "--trades", "40", "--lang", lang];
        world.engine(&words).expect(4).warns("E5001");
    }
    drop(lock);
    let other = world.engine(&["run", MAIN, "--sandbox", "--trades", "41"]);
    other
        .expect(2)
        .warns("--seed 7 --trades 40")
        .warns("delete the whole folder");
}

/// What `--sandbox` left is an environment like any other for whoever only looks; whoever calls is sent to the flag.
#[test]
fn the_environment_of_the_simulators_is_named_like_any_other() {
    let world = World::small();
    world
        .engine(&["run", MAIN, "--sandbox", "--trades", "120"])
        .expect(0);
    for words in [
        &["rows", "list"][..],
        &["map", "list"],
        &["map", "export"],
        &["map", "fields", "list"],
        &["schemes", "list"],
        &["connection", "list"],
        &["check", "schemes"],
        &["object", "list"],
        &["status"],
    ] {
        let words = [words, &["--env", "sandbox"]].concat();
        world.engine(&words).expect(0);
    }
    world
        .engine(&["map", "list", "--env", "sandbox"])
        .says("huke-to-k3");
    world
        .engine(&["run", MAIN, "--env", "sandbox"])
        .expect(2)
        .warns("the simulators are meant by --sandbox");
}
