//! `--faults`: the simulators misbehave as a file says, in a run and alone.

use serde_json::json;
use tests::e2e::{CUSTOMERS, Lone, MAIN, World, ask, repository};

const PLAN: &str = "docs/faults.yaml";

/// The words of a small run against simulators of its own.
fn run<'a>(faults: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let own = ["run", MAIN, "--sandbox", "--trades", "120", "--faults", faults];
    own.into_iter().chain(more.iter().copied()).collect()
}

#[test]
fn the_example_of_the_manual_is_run() {
    let world = World::small();
    let text = std::fs::read_to_string(repository().join(PLAN)).expect("the repository has it");
    world.write("faults.yaml", &text);
    let ran = world.engine(&run("faults.yaml", &["--json", "--settle-wait", "60s"]));
    let document = ran.json();
    let last = document["runs"]
        .as_array()
        .and_then(|runs| runs.last())
        .expect("a run");
    let again = world.engine(&["run", MAIN, "--sandbox", "--trades", "120", "--json"]);
    let again = again.json()["runs"]
        .as_array()
        .and_then(|runs| runs.last().cloned())
        .expect("a run");
    let done = again["states"]["done"].as_u64().expect("a count");
    // One more customer was inserted while the source was read.
    let all = u64::try_from(CUSTOMERS).expect("a small world");
    assert!((all..=all + 1).contains(&done), "{last:#}\n{again:#}");
    world.engine(&["verify", "--sandbox"]).expect(0);
}

/// The pair of docs/fxiaoke.md as it is tried there: both systems have documents, and each is made once on the other side.
#[test]
fn a_pair_of_schemes_is_tried_with_simulators() {
    const PAIR: [&str; 2] = [
        "schemes/fx-accounts-to-erp.yaml",
        "schemes/erp-accounts-to-fx.yaml",
    ];
    for order in [[0, 1], [1, 0]] {
        let world = World::small();
        for scheme in PAIR {
            let text = std::fs::read_to_string(repository().join(scheme)).expect("the repository has it");
            world.write(scheme, &text);
        }
        let at = "connector: fxiaoke-erp\n    params:\n";
        world.edit(
            "connections.yaml",
            at,
            &format!("{at}      finds_by_number: true\n"),
        );
        let [first, second] = order.map(|nth| PAIR[nth]);
        let written = || {
            let words = ["run", first, second, "--sandbox", "--trades", "120", "--json"];
            let document = world.engine(&words).expect(0).json();
            [0, 1].map(|nth| document["runs"][order[nth]]["written"].clone())
        };
        // 30 accounts of the CRM, and 3 customers that only the ERP has.
        assert_eq!(written(), [30, 3], "{order:?}");
        assert_eq!(written(), [0, 0], "{order:?}: nothing comes back");
    }
}

#[test]
fn a_slip_in_the_file_is_told_before_anything_is_made() {
    let world = World::small();
    world.write(
        "faults.yaml",
        "faults:\n- {endpoint: '*', kind: drop_aftr, nth: 1}\n",
    );
    for words in [
        run("faults.yaml", &[]),
        vec!["sandbox", "--listen", "127.0.0.1:0", "--faults", "faults.yaml"],
    ] {
        let ran = world.engine(&words);
        ran.expect(2);
        let said = ran.stderr.clone();
        for part in ["E1054", "faults.yaml:2:25", "`drop_after`"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!world.path(".engine").exists(), "nothing was made");
    }
    world.engine(&["run", MAIN, "--faults", "faults.yaml"]).expect(2);
    world.engine(&run("absent.yaml", &[])).expect(2);
}

#[test]
fn alone_with_a_file() {
    let world = World::small();
    world.write(
        "faults.yaml",
        "settings: {plain: upsert}\nfaults:\n- {endpoint: plain, kind: http_500_before}\n",
    );
    let file = world.path("faults.yaml").display().to_string();
    let lone = Lone::start(&["--trades", "4", "--faults", &file]);
    let address = lone
        .connections
        .split("http://")
        .nth(1)
        .and_then(|rest| rest.split('/').next());
    let address = address.expect("an address").parse().expect("an address");
    let state = ask(address, "GET", "/_sandbox/state", "");
    assert_eq!(state["settings"]["plain"], "upsert");
    assert_eq!(state["faults"][0]["kind"], json!("http_500_before"));
}
