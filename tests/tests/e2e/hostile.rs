//! Answers that mean harm, or that a broken gateway makes: each is refused by name, within bounds, and the next run
//! goes on as if nothing had been.

use serde_json::{Value, json};
use tests::e2e::{CUSTOMERS, MAIN, World, judge, numbers, repository};

/// Lets every call of an endpoint go wrong until [`calm`].
fn spoil(world: &World, endpoint: &str, kind: &str, more: &[(&str, Value)]) {
    let mut order = json!({"endpoint": endpoint, "kind": kind});
    for (key, value) in more {
        order[*key] = value.clone();
    }
    world.control("fault", &order);
}

fn calm(world: &World) {
    world.control("fault", &json!({"clear": true}));
}

/// Everything arrives once the other side is well again.
fn heals(world: &World) {
    calm(world);
    let run = world.run(&[], 0);
    assert_eq!(run["states"]["done"], CUSTOMERS, "{run:#}");
    assert_eq!(numbers(&world.journal()).len(), CUSTOMERS);
    assert_eq!(judge(&world.journal()), Vec::<String>::new());
    world.verify();
}

#[test]
fn a_source_that_means_harm_leaves_its_window_open() {
    for (kind, more, code, words) in [
        ("gzip_bomb", [("mib", json!(64))], "E3015", "200 times"),
        ("deep_json", [("depth", json!(100_000))], "E3061", "["),
        ("doctype", [("commit", json!(true))], "E3061", "<!DOCTYPE"),
        ("redirect", [("commit", json!(true))], "E3061", ""),
        ("html_login", [("commit", json!(false))], "E3061", "<"),
    ] {
        let world = World::small();
        world.feed();
        world.impatient();
        spoil(&world, "huke", kind, &more);
        let ran = world.engine(&["run", MAIN, "--json"]);
        let run = &ran.json()["runs"][0];
        let told = format!("{run}");
        assert!(told.contains(code) && told.contains(words), "{kind}: {ran}");
        assert_eq!(run["counts"]["fetched"], 0, "{kind}");
        assert_eq!(world.journal().len(), 0, "{kind}");
        heals(&world);
    }
}

#[test]
fn a_page_above_its_bound_is_refused_by_name() {
    let world = World::small();
    world.feed();
    let own = std::fs::read_to_string(repository().join("connectors/netease-huke/connector.yaml"));
    let own = own.expect("the repository has it");
    let small = own.replacen("transport: {", "transport: {read_cap: 1KiB, ", 1);
    assert_ne!(own, small, "the file has a transport");
    world.write("connectors/huke/connector.yaml", &small);
    let ran = world.engine(&["run", MAIN, "--json"]);
    let told = format!("{}", ran.json()["runs"][0]);
    assert!(told.contains("E3014") && told.contains("1024 bytes"), "{ran}");
    world.write("connectors/huke/connector.yaml", &own);
    heals(&world);
}

/// The write is executed, its answer cannot be believed: the records are asked about and found, none is written twice.
#[test]
fn a_target_that_means_harm_is_asked_what_it_did() {
    for kind in ["gzip_bomb", "deep_json", "doctype", "redirect", "half_body"] {
        let world = World::small();
        world.feed();
        world.impatient();
        world.control(
            "fault",
            &json!({"endpoint": "BatchSave", "kind": kind, "nth": 1, "commit": true}),
        );
        let ran = world.engine(&["run", MAIN, "--json", "--settle-wait", "20s"]);
        assert!(matches!(ran.code, Some(0 | 1)), "{kind}: {ran}");
        heals(&world);
    }
}

/// Environments are folders: a name that would lead elsewhere is refused by every command that uses one.
#[test]
fn an_environment_cannot_lead_out_of_its_folder() {
    let world = World::small();
    for name in [
        "..", "../..", "../prod", "/tmp", "a/b", "a\\b", "%2e%2e", "c:", "nul", "", "生产", "a\u{7f}b",
    ] {
        for words in [
            &["run", MAIN, "--env", name][..],
            &["dry-run", MAIN, "--env", name],
            &["rows", "list", "--env", name],
            &["runs", "list", "--env", name],
            &["verify", "--env", name],
        ] {
            let ran = world.engine(words);
            assert!(matches!(ran.code, Some(2 | 3)), "{ran}");
            assert!(ran.stderr.contains("E1562"), "{ran}");
        }
    }
    assert!(!world.path(".engine").exists(), "nothing was made");
    world.edit(
        "connections.yaml",
        "    quiet_period: 500ms\n",
        "    quiet_period: 500ms\n    env: {../prod: {note: x}}\n",
    );
    let ran = world.engine(&["check", "connections.yaml"]);
    assert!(ran.stdout.contains("E1562"), "{ran}");
}
