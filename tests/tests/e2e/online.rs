//! `check --online`: the names of a scheme, held against what the simulated system says of its fields.

use serde_json::Value;
use tests::e2e::{MAIN, World, repository};

const DELIVERIES: &str = "schemes/jst-saleout-to-k3.yaml";

fn world() -> World {
    let world = World::small();
    let text = std::fs::read_to_string(repository().join(DELIVERIES)).expect("the repository has it");
    world.write(DELIVERIES, &text);
    world
}

fn found(world: &World, more: &[&str], code: i32) -> Vec<(String, u64, String)> {
    let words = [&["check", "schemes", "--json", "--lang", "en"], more].concat();
    let ran = world.engine(&words);
    ran.expect(code);
    let report: Value = ran.json();
    let each = report["diagnostics"].as_array().expect("a list").iter();
    each.map(|one| {
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        (text("code"), one["line"].as_u64().unwrap_or(0), one.to_string())
    })
    .collect()
}

#[test]
fn a_field_that_the_system_does_not_have_is_told_with_its_place() {
    let world = world();
    assert_eq!(found(&world, &["--online"], 0), []);
    world.edit(MAIN, "    FName: <<buyerNick>>", "    FNmae: <<buyerNick>>");
    world.edit(DELIVERIES, "        FRealQty: {", "        FRealQyt: {");
    world.edit(DELIVERIES, "    FNote: {", "    FNotes: {");
    // Without the question nobody knows.
    assert_eq!(found(&world, &[], 0), []);
    let found = found(&world, &["--online"], 1);
    let codes: Vec<&str> = found.iter().map(|(code, ..)| code.as_str()).collect();
    assert_eq!(codes, ["E1567"; 3], "{found:?}");
    for (name, near) in [("FNmae", "FName"), ("FRealQyt", "FRealQty"), ("FNotes", "FNote")] {
        let told = found.iter().find(|(_, _, text)| text.contains(name));
        let (_, _, text) = told.unwrap_or_else(|| panic!("{name}: {found:?}"));
        assert!(text.contains(near), "{name}: {text}");
    }
}

/// Fxiaoke: what a scheme writes and what another one asks for; a name that is derived from a field is none of its fields,
/// and may be read all the same.
#[test]
fn fields_of_another_system_are_known_as_well() {
    const WRITTEN: &str = "schemes/k3-to-fx-accounts.yaml";
    const READ: &str = "schemes/fx-accounts.yaml";
    let world = World::small();
    for scheme in [WRITTEN, READ] {
        let text = std::fs::read_to_string(repository().join(scheme)).expect("the repository has it");
        world.write(scheme, &text);
    }
    world.edit(READ, "name, owner,", "name, owner__r,");
    assert_eq!(found(&world, &["--online"], 0), []);
    world.edit(WRITTEN, "      account_no: <<", "      acount_no: <<");
    world.edit(WRITTEN, "  key: account_no", "  key: acount_no");
    world.edit(READ, "name, owner__r,", "name, onwer,");
    assert_eq!(found(&world, &[], 0), []);
    let found = found(&world, &["--online"], 1);
    assert_eq!(found.len(), 2, "{found:?}");
    for (name, near) in [("acount_no", "account_no"), ("onwer", "owner")] {
        let told = found.iter().find(|(_, _, text)| text.contains(name));
        let (code, _, text) = told.unwrap_or_else(|| panic!("{name}: {found:?}"));
        assert_eq!(code, "E1567", "{text}");
        assert!(text.contains(near), "{name}: {text}");
    }
}

#[test]
fn a_system_that_does_not_answer_is_a_warning() {
    let world = world();
    world.fault("QueryBusinessInfo", 1, sandbox::FaultKind::HtmlLogin);
    let found = found(&world, &["--online"], 0);
    let codes: Vec<&str> = found.iter().map(|(code, ..)| code.as_str()).collect();
    assert_eq!(codes, ["W1568"], "{found:?}");
}
