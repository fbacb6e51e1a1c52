//! Steps that write a document for each line of a row: each line is made once, whatever goes wrong and wherever the engine
//! dies, and a line is known again wherever it stands.

use std::collections::BTreeMap;

use sandbox::JournalEntry;
use serde_json::{Value, json};
use tests::e2e::{Shop, World};

const SCHEME: &str = "schemes/lines.yaml";

const TEXT: &str = r#"
scheme: lines
source:
  connection: huke
  api: search_customers
  window: none
  request: {list: customers}
  key: no
  label: name
target:
  connection: k3
  steps:
    - {step: save, api: batchSave}
    - step: contact
      api: batchSave
      each: contacts
      line_key: id
      when: {field: $line.off, neq: "1"}
      options: {FormId: BD_CommonContact, IsAutoSubmitAndAudit: true}
      request: {FNumber: <<no>>-<<$line.id>>, FName: <<contacts.name>>, FCompany: {FNumber: <<$step.save.number>>}}
    - submit
  options: {FormId: BD_Customer}
  request:
    FName: <<name>>
    FNumber: <<no>>
    FCreateOrgId: {FNumber: "100"}
    FUseOrgId: {FNumber: "100"}
schedule: {every: 30m}
tests:
  - name: a row
    row: {no: A, name: a, contacts: [{id: "1", name: x, off: "0"}, {id: "2", name: y, off: "1"}]}
    expect: {FName: a, FNumber: A, FCreateOrgId: {FNumber: "100"}, FUseOrgId: {FNumber: "100"}}
    steps: {contact: [{FNumber: A-1, FName: x, FCompany: {FNumber: test-number}}]}
"#;

fn world() -> (World, Shop) {
    let world = World::small();
    world.write(SCHEME, TEXT);
    world.impatient();
    let shop = world.shop();
    (world, shop)
}

/// Lines that begin with a minus have left.
fn customer(no: &str, lines: &[&str]) -> Value {
    let contacts: Vec<Value> = lines
        .iter()
        .map(|line| {
            let id = line.trim_start_matches('-');
            json!({"id": id, "name": format!("{no}{id}"), "off": if line.starts_with('-') { "1" } else { "0" }})
        })
        .collect();
    json!({"no": no, "name": format!("name {no}"), "contacts": contacts})
}

fn customers() -> Vec<Value> {
    vec![
        customer("A", &["1", "2", "3"]),
        customer("B", &["1", "-2"]),
        json!({"no": "C", "name": "c", "contacts": null}),
        customer("D", &["9"]),
    ]
}

const CONTACTS: [&str; 5] = ["A-1", "A-2", "A-3", "B-1", "D-9"];

/// How often each document of a kind was created.
fn created(world: &World, form: &str) -> BTreeMap<String, usize> {
    let mut made = BTreeMap::new();
    for entry in world.journal() {
        if entry.form == form && entry.action == "create" {
            *made.entry(entry.number).or_insert(0) += 1;
        }
    }
    made
}

fn updated(world: &World) -> Vec<String> {
    let journal = world.journal();
    let updates = journal.iter().filter(|entry| entry.action == "update");
    updates.map(|entry| entry.number.clone()).collect()
}

fn once(numbers: &[&str]) -> BTreeMap<String, usize> {
    numbers.iter().map(|number| ((*number).to_owned(), 1)).collect()
}

/// Runs until all are done; then each customer and each contact was made once, each contact with its customer's number.
#[track_caller]
fn settles(world: &World, what: &str) {
    world.until_done(SCHEME, 4);
    assert_eq!(
        created(world, "BD_Customer"),
        once(&["A", "B", "C", "D"]),
        "{what}"
    );
    assert_eq!(created(world, "BD_CommonContact"), once(&CONTACTS), "{what}");
    assert_eq!(updated(world), [] as [&str; 0], "{what}");
    let journal: Vec<JournalEntry> = world.journal();
    for contact in journal.iter().filter(|entry| entry.form == "BD_CommonContact") {
        let company = format!("\"FCompany\":{{\"FNumber\":\"{}\"}}", &contact.number[..1]);
        assert!(contact.content.contains(&company), "{what}: {}", contact.content);
    }
    let submitted = journal
        .iter()
        .filter(|entry| entry.action == "submit" && entry.form == "BD_Customer");
    assert_eq!(submitted.count(), 4, "{what}");
    world.verify();
    // Nothing is left to do.
    let calls = world.calls("kingdee/BatchSave");
    world.engine(&["run", SCHEME]).expect(0);
    assert_eq!(world.calls("kingdee/BatchSave"), calls, "{what}");
}

#[test]
fn a_step_writes_a_document_for_each_line() {
    let (world, shop) = world();
    shop.put("customers", customers());
    world.engine(&["check", SCHEME]).expect(0);
    world.engine(&["test", SCHEME]).expect(0);
    let dry = world
        .engine(&["dry-run", SCHEME, "--json"])
        .expect(0)
        .json()
        .to_string();
    for number in CONTACTS {
        assert!(dry.contains(number), "{number}: {dry}");
    }
    assert!(
        dry.contains(r#"contact/[\"3\"]"#),
        "the rehearsal says which line it is: {dry}"
    );
    settles(&world, "nothing goes wrong");
    // Who asks about a record is told which line became what.
    let shown = world.engine(&["rows", "show", "A", "--json"]).expect(0).json();
    world.valid("rows-show", &shown);
    let steps = shown["rows"][0]["steps"].as_array().expect("steps").clone();
    let made: Vec<(&str, &str)> = steps
        .iter()
        .filter(|step| step["step"] != "submit")
        .map(|step| {
            (
                step["step"].as_str().unwrap_or("-"),
                step["number"].as_str().unwrap_or("-"),
            )
        })
        .collect();
    assert_eq!(
        made,
        [
            ("-", "A"),
            (r#"contact/["1"]"#, "A-1"),
            (r#"contact/["2"]"#, "A-2"),
            (r#"contact/["3"]"#, "A-3"),
        ],
        "{shown:#}"
    );
    let attempts = shown["rows"][0]["attempts"].as_array().expect("attempts").clone();
    let of_line: Vec<&Value> = attempts
        .iter()
        .filter(|one| one["step"] == r#"contact/["2"]"#)
        .collect();
    assert!(of_line[0].to_string().contains("A-2"), "{shown:#}");
    world
        .engine(&["rows", "show", "A"])
        .expect(0)
        .says(r#"contact/["2"] → A-2"#);
}

#[test]
fn a_line_that_fails_is_gone_on_with() {
    for kind in [
        "drop_before",
        "drop_after",
        "http_500_before",
        "http_500_after",
        "half_body",
        "late_commit",
        "session_lost",
    ] {
        // The first call writes the customers, the second their first lines.
        for nth in [2, 3, 4] {
            let (world, shop) = world();
            shop.put("customers", customers());
            world.go_wrong("BatchSave", &[(nth, kind)]);
            settles(&world, &format!("{kind} at {nth}"));
        }
    }
}

#[test]
fn each_line_is_made_once_wherever_the_engine_dies() {
    for (point, most) in [("claim", 5), ("call_create", 5), ("settle", 5), ("pick", 5)] {
        for nth in 1..=most {
            for side in ["before", "after"] {
                let point = format!("{point}:{side}:{nth}:abort");
                let (world, shop) = world();
                shop.put("customers", customers());
                let ran = world
                    .command(&["run", SCHEME])
                    .env("ENGINE_FAILPOINT", &point)
                    .finish();
                if nth <= 3 {
                    assert_ne!(ran.code, Some(0), "{point} is reached");
                }
                settles(&world, &point);
            }
        }
    }
}

/// Lines that change places change nothing; a new one is made; one that vanished stays as it is.
#[test]
fn a_row_whose_lines_change() {
    let (world, shop) = world();
    shop.put("customers", customers());
    settles(&world, "at first");
    let mut rows = customers();
    rows[0] = customer("A", &["3", "2", "1"]);
    shop.put("customers", rows.clone());
    world.until_done(SCHEME, 4);
    assert_eq!(created(&world, "BD_CommonContact"), once(&CONTACTS), "moved");
    rows[0] = customer("A", &["7", "3", "1"]);
    rows[1] = customer("B", &["1", "2"]);
    shop.put("customers", rows);
    world.until_done(SCHEME, 4);
    let more = [&CONTACTS[..], &["A-7", "B-2"]].concat();
    assert_eq!(created(&world, "BD_CommonContact"), once(&more), "new ones");
    let updates = updated(&world);
    assert!(updates.contains(&"A-3".to_owned()), "{updates:?}");
    let of_vanished = updates.iter().filter(|number| *number == "A-2").count();
    assert_eq!(
        of_vanished, 1,
        "when it moved, and not when it vanished: {updates:?}"
    );
    world.verify();
}

/// A line that is refused: the record is dead there, the lines before it are not made again, and those behind it follow.
#[test]
fn a_refused_line_is_gone_on_with_by_a_person() {
    let (world, shop) = world();
    shop.put("customers", customers());
    world.control(
        "fault",
        &json!({"endpoint": "BatchSave", "nth": 3, "kind": "row_errors", "value": "A-2"}),
    );
    let run = world.engine(&["run", SCHEME, "--json"]).json()["runs"][0].clone();
    assert_eq!(
        (&run["states"]["dead"], &run["states"]["done"]),
        (&json!(1), &json!(3)),
        "{run:#}"
    );
    let made = created(&world, "BD_CommonContact");
    assert_eq!(made, once(&["A-1", "B-1", "D-9"]));
    world
        .engine(&["rows", "show", "A"])
        .expect(0)
        .says(r#"contact/["2"]"#);
    world
        .engine(&["retry", "--dry-run"])
        .expect(0)
        .says(r#"contact/["2"]"#);
    world.engine(&["retry", "--yes", "--reason", "mended"]).expect(0);
    settles(&world, "after retry");
}

/// A line that was refused is deleted in the source: the new version of the row goes on without it.
#[test]
fn a_refused_line_that_vanishes_holds_nothing_up() {
    let (world, shop) = world();
    shop.put("customers", customers());
    world.control(
        "fault",
        &json!({"endpoint": "BatchSave", "nth": 3, "kind": "row_errors", "value": "A-2"}),
    );
    world.engine(&["run", SCHEME]);
    world
        .engine(&["rows", "show", "A"])
        .expect(0)
        .says(r#"contact/["2"]"#);
    let mut rows = customers();
    rows[0] = customer("A", &["1", "3"]);
    shop.put("customers", rows);
    world.until_done(SCHEME, 4);
    assert_eq!(
        created(&world, "BD_CommonContact"),
        once(&["A-1", "A-3", "B-1", "D-9"])
    );
    world.verify();
}

/// Where the scheme does not update, what goes on is the version that is written; but a line that was refused there and is
/// deleted in the source is not made: a person decides.
#[test]
fn a_refused_line_that_vanishes_is_not_made() {
    let (world, shop) = world();
    world.edit(
        SCHEME,
        "  connection: k3\n",
        "  connection: k3\n  actions: [create]\n",
    );
    shop.put("customers", customers());
    world.control(
        "fault",
        &json!({"endpoint": "BatchSave", "nth": 3, "kind": "row_errors", "value": "A-2"}),
    );
    world.engine(&["run", SCHEME]);
    let mut rows = customers();
    rows[0] = customer("A", &["1", "3"]);
    shop.put("customers", rows);
    for _ in 0..2 {
        world.engine(&["run", SCHEME]);
        world
            .engine(&["rows", "list", "--scheme", "lines", "--state", "held"])
            .expect(0)
            .says("E4032");
    }
    assert_eq!(created(&world, "BD_CommonContact"), once(&["A-1", "B-1", "D-9"]));
    world.verify();
}

/// The scheme is edited while a record stands at a line that it has no more: nobody guesses what is wanted.
#[test]
fn a_line_that_is_gone_is_a_person_s() {
    let (world, shop) = world();
    shop.put("customers", customers());
    world.control(
        "fault",
        &json!({"endpoint": "BatchSave", "nth": 3, "kind": "row_errors", "value": "A-2"}),
    );
    world.engine(&["run", SCHEME]);
    world.edit(SCHEME, "line_key: id", "line_key: name");
    world
        .engine(&["retry", "--yes", "--reason", "look"])
        .expect(1)
        .says("E4032");
    world.edit(SCHEME, "line_key: name", "line_key: id");
    world
        .engine(&["retry", "--yes", "--reason", "put back"])
        .expect(0);
    settles(&world, "put back");
}

/// A lost answer that nobody can be asked about: a person says of this line what is so.
#[test]
fn a_person_decides_about_a_line() {
    for (fault, words) in [
        ("drop_after", &["--done-as", "4711"][..]),
        ("drop_before", &["--not-there"]),
    ] {
        let (world, shop) = world();
        world.edit(
            SCHEME,
            "      line_key: id\n",
            "      line_key: id\n      on_unknown: hold\n",
        );
        shop.put("customers", vec![customer("A", &["1", "2", "3"])]);
        // The second line.
        world.go_wrong("BatchSave", &[(3, fault)]);
        world.until_settled(SCHEME, 1);
        let shown = world.engine(&["rows", "show", "A", "--json"]).expect(0).json();
        if shown["rows"][0]["record"]["state"] == "done" {
            // What never went out is sent again by itself.
            assert_eq!(fault, "drop_before");
            continue;
        }
        let said = [&["rows", "resolve", "A"], words, &["--reason", "seen", "--yes"]].concat();
        world.engine(&said).expect(0);
        world.until_done(SCHEME, 1);
        assert_eq!(
            created(&world, "BD_CommonContact"),
            once(&["A-1", "A-2", "A-3"]),
            "{words:?}"
        );
        world.verify();
    }
}

#[test]
fn lines_that_cannot_be_told_apart_write_nothing() {
    let (world, shop) = world();
    shop.put(
        "customers",
        vec![customer("A", &["1", "2", "1"]), customer("B", &["1"])],
    );
    let run = world.engine(&["run", SCHEME, "--json"]).json()["runs"][0].clone();
    assert_eq!(
        (&run["states"]["dead"], &run["states"]["done"]),
        (&json!(1), &json!(1)),
        "{run:#}"
    );
    world.engine(&["rows", "show", "A"]).expect(0).says("E2024");
    assert_eq!(created(&world, "BD_Customer"), once(&["B"]));
    // Mended at the source.
    shop.put(
        "customers",
        vec![customer("A", &["1", "2"]), customer("B", &["1"])],
    );
    world.until_done(SCHEME, 2);
    assert_eq!(created(&world, "BD_CommonContact"), once(&["A-1", "A-2", "B-1"]));
}

/// The scheme is edited while answers are missing, so that one record's lines have one identity: a person decides about
/// that record, and the others are asked about and written.
#[test]
fn lines_that_can_no_longer_be_told_apart_stop_no_other_record() {
    // The customer's own answer, that of its first contact, and that of its submission.
    for (form, fault) in [("customer", 1), ("contact", 2), ("said", 2)] {
        let (world, shop) = world();
        if form == "said" {
            world.edit(
                SCHEME,
                "      line_key: id\n",
                "      line_key: id\n      on_unknown: hold\n",
            );
        }
        let mut twins = customer("A", &["1", "2"]);
        twins["contacts"][1]["name"] = twins["contacts"][0]["name"].clone();
        shop.put("customers", vec![twins]);
        world.go_wrong("BatchSave", &[(fault, "drop_after")]);
        world.engine(&["run", SCHEME, "--settle-wait", "0s"]);
        world.edit(SCHEME, "line_key: id", "line_key: name");
        if form == "said" {
            let said = [
                "rows",
                "resolve",
                "A",
                "--done-as",
                "4711",
                "--reason",
                "seen",
                "--yes",
            ];
            world.engine(&said).expect(0);
        }
        shop.put("customers", vec![customer("B", &["1"])]);
        world.until_settled(SCHEME, 2);
        world
            .engine(&["rows", "show", "A"])
            .expect(0)
            .says("held")
            .says("E2024");
        assert_eq!(created(&world, "BD_Customer"), once(&["A", "B"]), "{form}");
        assert_eq!(created(&world, "BD_CommonContact").get("B-1"), Some(&1), "{form}");
        world.verify();
    }
}

/// What a forgotten life made of a line, or of a step, is in a version that nobody knows: it is updated, and made no second
/// time.
#[test]
fn lines_that_a_forgotten_life_made_are_updated() {
    for each in [true, false] {
        // The copy knows nothing of the row, or an earlier version of it.
        for known in [false, true] {
            let (world, shop) = world();
            let line = if each { "A-2" } else { "A-1" };
            if !each {
                world.edit(SCHEME, "      each: contacts\n      line_key: id\n", "");
                world.edit(SCHEME, "      when: {field: $line.off, neq: \"1\"}\n", "");
                world.edit(SCHEME, "<<no>>-<<$line.id>>", "<<no>>-1");
                world.edit(SCHEME, "FName: <<contacts.name>>", "FName: <<name>>");
            }
            let at = |name: &str| {
                let mut row = customer("A", &["1", "2"]);
                row["name"] = json!(name);
                row["contacts"][1]["name"] = json!(name);
                vec![row]
            };
            shop.put(
                "customers",
                if each {
                    vec![customer("A", &["1"])]
                } else {
                    at("first")
                },
            );
            if known {
                world.until_done(SCHEME, 1);
            } else {
                shop.put("customers", Vec::new());
                world.engine(&["run", SCHEME]).expect(0);
            }
            world.engine(&["backup", "--to", "copy.db"]).expect(0);
            shop.put("customers", at("old"));
            world.until_done(SCHEME, 1);
            world
                .engine(&["restore", "copy.db", "--reason", "disk", "--yes"])
                .expect(0);
            shop.put("customers", at("new"));
            world.until_done(SCHEME, 1);
            let what = format!("each {each}, known {known}");
            let journal = world.journal();
            let of_line: Vec<&JournalEntry> = journal
                .iter()
                .filter(|entry| entry.form == "BD_CommonContact" && entry.number == line)
                .collect();
            let created = of_line.iter().filter(|entry| entry.action == "create");
            assert_eq!(created.count(), 1, "{what}: {of_line:#?}");
            let last = of_line.last().expect("it was written");
            assert!(last.content.contains("\"FName\":\"new\""), "{what}: {of_line:#?}");
            world.verify();
        }
    }
}

/// Messages have no key: under an identity of other fields, what was sent is not sent again without a word.
#[test]
fn messages_are_not_sent_again_because_their_lines_are_told_apart_otherwise() {
    let (world, shop) = world();
    world.edit(
        SCHEME,
        "      api: batchSave\n      each: contacts\n",
        "      connection: wecom\n      api: send_message\n      on_unknown: hold\n      each: contacts\n",
    );
    world.edit(
        SCHEME,
        "      options: {FormId: BD_CommonContact, IsAutoSubmitAndAudit: true}\n      request: {FNumber: <<no>>-<<$line.id>>, FName: <<contacts.name>>, FCompany: {FNumber: <<$step.save.number>>}}\n",
        "      request: {touser: zhangsan, msgtype: text, text: {content: <<no>> <<$line.id>> <<name>>}}\n",
    );
    let sent = || {
        let journal = world.journal();
        journal
            .iter()
            .filter(|entry| entry.form == "wecom_message")
            .count()
    };
    shop.put("customers", vec![customer("A", &["1", "2"])]);
    world.until_done(SCHEME, 1);
    assert_eq!(sent(), 2);
    world.edit(SCHEME, "line_key: id", "line_key: [off, id]");
    let mut changed = customer("A", &["1", "2"]);
    changed["name"] = json!("another name");
    shop.put("customers", vec![changed.clone()]);
    world.until_settled(SCHEME, 1);
    world
        .engine(&["rows", "show", "A"])
        .expect(0)
        .says("E4033")
        .says(r#"contact/["1"]"#);
    assert_eq!(sent(), 2);
    let named = |world: &World, name: &str| {
        let journal = world.journal();
        journal
            .iter()
            .any(|entry| entry.form == "BD_Customer" && entry.content.contains(name))
    };
    assert!(!named(&world, "another name"), "nothing of the change is written");
    world.edit(SCHEME, "line_key: [off, id]", "line_key: id");
    world
        .engine(&["retry", "--key", "A", "--yes", "--reason", "put back"])
        .expect(0);
    world.until_done(SCHEME, 1);
    assert_eq!(sent(), 2);
    assert!(named(&world, "another name"));
    // Or this change is not written; or each of them is sent once more.
    world.edit(SCHEME, "line_key: id", "line_key: [off, id]");
    changed["name"] = json!("a third name");
    shop.put("customers", vec![changed.clone()]);
    world.until_settled(SCHEME, 1);
    world.engine(&["rows", "skip", "A", "--reason", "no"]).expect(0);
    world.engine(&["run", SCHEME]);
    assert!(!named(&world, "a third name"));
    changed["name"] = json!("a fourth name");
    shop.put("customers", vec![changed]);
    world.until_settled(SCHEME, 1);
    assert_eq!(sent(), 2);
    world.edit(SCHEME, "    - step: contact\n", "    - step: tell\n");
    world.edit(SCHEME, "    steps: {contact: ", "    steps: {tell: ");
    world
        .engine(&["retry", "--key", "A", "--yes", "--reason", "anew"])
        .expect(0);
    world.until_done(SCHEME, 1);
    assert_eq!(sent(), 4);
    assert!(named(&world, "a fourth name"));
    world.verify();
}

/// Contacts that another tool made, like the customer they belong to, are taken as they are; one that was not there is made.
#[test]
fn lines_that_another_tool_made_are_taken_over() {
    let (world, shop) = world();
    shop.put("customers", vec![customer("A", &["1", "2"])]);
    world.until_done(SCHEME, 1);
    std::fs::remove_dir_all(world.path(".engine")).expect("it was made");
    let mut row = customer("A", &["1", "2", "3"]);
    row["contacts"][0]["name"] = json!("what the other tool has otherwise");
    shop.put("customers", vec![row.clone()]);
    world.engine(&[
        "adopt",
        SCHEME,
        "--reason",
        "moved",
        "--yes",
        "--settle-wait",
        "30s",
    ]);
    world.until_done(SCHEME, 1);
    assert_eq!(created(&world, "BD_Customer"), once(&["A"]));
    assert_eq!(created(&world, "BD_CommonContact"), once(&["A-1", "A-2", "A-3"]));
    assert_eq!(updated(&world), [] as [&str; 0]);
    // From now on they are ours.
    row["contacts"][1]["name"] = json!("changed");
    shop.put("customers", vec![row]);
    world.until_done(SCHEME, 1);
    let updates = updated(&world);
    assert!(updates.contains(&"A-2".to_owned()), "{updates:?}");
    assert_eq!(created(&world, "BD_CommonContact"), once(&["A-1", "A-2", "A-3"]));
    world.verify();
}

/// What is hidden of a line is hidden wherever its call is shown.
#[test]
fn what_is_sensitive_in_a_line_is_masked() {
    let (world, shop) = world();
    world.edit(
        SCHEME,
        "FName: <<contacts.name>>",
        "FName: {$value: <<contacts.name>>, $sensitive: true}",
    );
    shop.put("customers", vec![customer("A", &["77", "78"])]);
    let dry = world
        .engine(&["dry-run", SCHEME, "--json"])
        .expect(0)
        .json()
        .to_string();
    assert!(dry.contains("A-78") && !dry.contains("A78"), "{dry}");
    world.control(
        "fault",
        &json!({"endpoint": "BatchSave", "nth": 3, "kind": "row_errors", "value": "A-78"}),
    );
    world.engine(&["run", SCHEME]);
    let shown = world.engine(&["rows", "show", "A", "--json"]).expect(0).json();
    let attempts = shown["rows"][0]["attempts"].to_string();
    assert!(attempts.contains("A-78"), "{attempts}");
    assert!(
        !attempts.contains("A77") && !attempts.contains("A78"),
        "{attempts}"
    );
    let sent = world.journal().iter().any(|entry| entry.content.contains("A77"));
    assert!(sent, "the target gets what is hidden from people");
}

/// A line that was taken out of the row, and is put back: whoever retries it goes on with it.
#[test]
fn a_line_that_comes_back_is_made() {
    let (world, shop) = world();
    world.edit(
        SCHEME,
        "  connection: k3\n",
        "  connection: k3\n  actions: [create]\n",
    );
    world.engine(&["check", SCHEME]).says("W1799");
    shop.put("customers", vec![customer("A", &["1", "2", "3"])]);
    world.control(
        "fault",
        &json!({"endpoint": "BatchSave", "nth": 3, "kind": "row_errors", "value": "A-2"}),
    );
    world.engine(&["run", SCHEME]);
    for (lines, held) in [(&["1", "3"][..], true), (&["1", "2", "3"], false)] {
        shop.put("customers", vec![customer("A", lines)]);
        world.engine(&["run", SCHEME]);
        world.engine(&["retry", "--key", "A", "--yes", "--reason", "look"]);
        let listed = ["rows", "list", "--scheme", "lines", "--state", "held"];
        let listed = world.engine(&listed).expect(0).to_string();
        assert_eq!(listed.contains("E4032"), held, "{lines:?}: {listed}");
    }
    world.until_done(SCHEME, 1);
    assert_eq!(created(&world, "BD_CommonContact"), once(&["A-1", "A-2", "A-3"]));
    world.verify();
}
