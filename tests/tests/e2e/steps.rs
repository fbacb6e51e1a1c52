//! Documents that take several calls: saved, submitted, audited. What failed is gone on with; nothing is saved again.

use sandbox::{FaultKind, JournalEntry};
use tests::e2e::{CUSTOMERS, MAIN, World};

fn world() -> World {
    let world = World::small();
    world.edit(
        MAIN,
        "  api: batchSave\n  options: {FormId: BD_Customer, IsAutoSubmitAndAudit: true}",
        "  steps: [batchSave, submit, audit]\n  options: {FormId: BD_Customer}",
    );
    world.impatient();
    world.feed();
    world
}

fn made(journal: &[JournalEntry], action: &str) -> usize {
    journal.iter().filter(|entry| entry.action == action).count()
}

/// Runs until nothing is open; then every customer was made once, submitted once and audited once.
#[track_caller]
fn settles(world: &World, what: &str) {
    let words = ["run", MAIN, "--json", "--settle-wait", "20s"];
    let mut last = None;
    for _ in 0..4 {
        let ran = world.engine(&words);
        let run = ran.json()["runs"][0].clone();
        tests::e2e::adds_up(&run);
        let done = ran.code == Some(0) && run["states"]["done"] == CUSTOMERS;
        last = Some(run);
        if done {
            let journal = world.journal();
            for action in ["create", "submit", "audit"] {
                assert_eq!(made(&journal, action), CUSTOMERS, "{what}: {action}");
            }
            assert_eq!(made(&journal, "update"), 0, "{what}: saved again");
            world.verify();
            return;
        }
    }
    panic!(
        "{what}: {:#}\n{}",
        last.unwrap_or_default(),
        world.engine(&["rows", "list"])
    );
}

#[test]
fn a_document_is_saved_submitted_and_audited() {
    let world = world();
    settles(&world, "nothing goes wrong");
    let number = world.journal()[0].number.clone();
    world
        .engine(&["rows", "show", &number])
        .expect(0)
        .says("submit")
        .says("audit");
    let shown = world
        .engine(&["rows", "show", &number, "--json"])
        .expect(0)
        .json();
    world.valid("rows-show", &shown);
    // Nothing is left to do, and nothing is done again.
    let calls = world.calls("kingdee/Submit");
    world.engine(&["run", MAIN]).expect(0);
    assert_eq!(world.calls("kingdee/Submit"), calls);
}

#[test]
fn a_step_that_fails_is_gone_on_with() {
    for endpoint in ["Submit", "Audit"] {
        for kind in [
            FaultKind::DropBefore,
            FaultKind::DropAfter,
            FaultKind::Http500Before,
            FaultKind::Http500After,
            FaultKind::HalfBody,
            FaultKind::LateCommit,
            FaultKind::SessionLost,
        ] {
            let world = world();
            world.fault(endpoint, 1, kind);
            settles(&world, &format!("{kind:?} at {endpoint}"));
        }
    }
}

/// The save is lost after it was executed, before anything else.
#[test]
fn a_lost_save_goes_on_with_its_steps() {
    for kind in [FaultKind::DropAfter, FaultKind::HalfBody] {
        let world = world();
        world.fault("BatchSave", 1, kind);
        settles(&world, &format!("{kind:?} at the save"));
    }
}

/// A document is given to two organisations once, whatever becomes of the answer: one copy for each of them.
#[test]
fn what_is_allocated_has_one_copy_for_each_organisation() {
    const ORGS: &str = "schemes/huke-to-k3-orgs.yaml";
    let faults = [
        None,
        Some(FaultKind::DropBefore),
        Some(FaultKind::DropAfter),
        Some(FaultKind::HalfBody),
        Some(FaultKind::Http500After),
        Some(FaultKind::LateCommit),
    ];
    for fault in faults {
        let world = World::small();
        world.write(
            ORGS,
            &std::fs::read_to_string(tests::e2e::repository().join(ORGS)).expect("the repository has it"),
        );
        world.impatient();
        if let Some(kind) = fault {
            world.fault("Allocate", 1, kind);
        }
        world.until_done(ORGS, CUSTOMERS);
        let journal = world.journal();
        let by = |endpoint: &str| {
            let entries = journal.iter().filter(|entry| entry.endpoint == endpoint);
            let mut named: Vec<(String, String)> = entries
                .map(|entry| (entry.number.clone(), entry.org.clone()))
                .collect();
            let all = named.len();
            named.sort();
            named.dedup();
            (all, named.len())
        };
        assert_eq!(by("BatchSave"), (CUSTOMERS, CUSTOMERS), "{fault:?}");
        assert_eq!(by("Allocate"), (2 * CUSTOMERS, 2 * CUSTOMERS), "{fault:?}");
        world.verify();
        // Nothing is left to do.
        let calls = world.calls("kingdee/Allocate");
        world.engine(&["run", ORGS]).expect(0);
        assert_eq!(world.calls("kingdee/Allocate"), calls, "{fault:?}");
    }
}

/// A document that is changed is saved again; that its organisations have it already is no failure.
#[test]
fn a_changed_document_is_not_allocated_twice() {
    const ORGS: &str = "schemes/huke-to-k3-orgs.yaml";
    let world = World::small();
    world.write(
        ORGS,
        &std::fs::read_to_string(tests::e2e::repository().join(ORGS)).expect("the repository has it"),
    );
    world.impatient();
    world.until_done(ORGS, CUSTOMERS);
    let calls = world.calls("kingdee/Allocate");
    // Everything is read again and written again.
    world.edit(
        ORGS,
        "  label: buyerNick",
        "  label: buyerNick\n  on_seen: update",
    );
    let at = |ms: i64| {
        jiff::Timestamp::from_millisecond(ms)
            .expect("our own clock")
            .to_string()
    };
    let now = world.sandbox().now_ms();
    let range = [at(now - 86_400_000), at(now)];
    world
        .engine(&[
            "replay", ORGS, "--from", &range[0], "--to", &range[1], "--yes", "--reason", "names",
        ])
        .expect(0);
    world.until_done(ORGS, CUSTOMERS);
    let updated = world
        .journal()
        .iter()
        .filter(|entry| entry.action == "update")
        .count();
    assert_eq!(updated, CUSTOMERS);
    assert!(world.calls("kingdee/Allocate") > calls, "it was tried again");
    let copies = world
        .journal()
        .iter()
        .filter(|entry| entry.endpoint == "Allocate")
        .count();
    assert_eq!(copies, 2 * CUSTOMERS);
    world.verify();
}
/// The customer, then its contact as a document of its own, then the customer is submitted and audited.
const CONTACTS: &str = "  steps:
    - {step: save, api: batchSave}
    - step: contact
      api: batchSave
      options: {FormId: BD_CommonContact, IsAutoSubmitAndAudit: true}
      request: {FNumber: C-<<buyerCid>>, FName: <<buyerNick>>, FCompany: {FNumber: <<$step.save.number>>}}
    - submit
    - audit
  options: {FormId: BD_Customer}
  on_success: {save: {k3_id: <<$answer.id>>, k3_number: <<$answer.number>>, contact: <<$step.contact.id>>}}";

fn with_contacts() -> World {
    let world = patient_with_contacts();
    world.impatient();
    world.feed();
    world
}

fn patient_with_contacts() -> World {
    let world = World::small();
    world.edit(
        MAIN,
        "  api: batchSave\n  options: {FormId: BD_Customer, IsAutoSubmitAndAudit: true}",
        CONTACTS,
    );
    world.batch(5);
    world
}

fn of(journal: &[JournalEntry], form: &str, action: &str) -> Vec<JournalEntry> {
    let of = journal
        .iter()
        .filter(|entry| entry.form == form && entry.action == action);
    of.cloned().collect()
}

/// Runs until nothing is open; then every customer was made once, and every contact once, with its customer's number.
#[track_caller]
fn contacts_settle(world: &World, what: &str) {
    let words = ["run", MAIN, "--json", "--settle-wait", "20s"];
    for _ in 0..4 {
        let ran = world.engine(&words);
        let run = ran.json()["runs"][0].clone();
        tests::e2e::adds_up(&run);
        if ran.code == Some(0) && run["states"]["done"] == CUSTOMERS {
            let journal = world.journal();
            let customers = of(&journal, "BD_Customer", "create");
            let contacts = of(&journal, "BD_CommonContact", "create");
            assert_eq!(
                (customers.len(), contacts.len()),
                (CUSTOMERS, CUSTOMERS),
                "{what}"
            );
            for contact in &contacts {
                let number = contact.number.strip_prefix("C-").expect("its own number");
                let company = format!("\"FCompany\":{{\"FNumber\":\"{number}\"}}");
                assert!(contact.content.contains(&company), "{what}: {}", contact.content);
                assert_eq!(
                    customers.iter().filter(|made| made.number == number).count(),
                    1,
                    "{what}"
                );
            }
            for action in ["submit", "audit"] {
                assert_eq!(
                    of(&journal, "BD_Customer", action).len(),
                    CUSTOMERS,
                    "{what}: {action}"
                );
            }
            assert_eq!(made(&journal, "update"), 0, "{what}: written again");
            world.verify();
            return;
        }
    }
    panic!("{what}: {}", world.engine(&["rows", "list"]));
}

#[test]
fn a_step_writes_a_second_document() {
    let world = with_contacts();
    world.engine(&["check", MAIN]).expect(0);
    let dry = world.engine(&["dry-run", MAIN, "--json"]).expect(0).json();
    let text = dry.to_string();
    assert!(text.contains("C-") && text.contains("$target.number"), "{text}");
    contacts_settle(&world, "nothing goes wrong");
    let journal = world.journal();
    let (customer, contact) = (
        of(&journal, "BD_Customer", "create")[0].clone(),
        of(&journal, "BD_CommonContact", "create"),
    );
    let shown = world
        .engine(&["rows", "show", &customer.number, "--json"])
        .expect(0)
        .json();
    world.valid("rows-show", &shown);
    let of_it = contact
        .iter()
        .find(|contact| contact.number == format!("C-{}", customer.number))
        .expect("its contact");
    let saved = &shown["rows"][0]["saved"];
    assert_eq!(saved["k3_number"], customer.number, "{shown:#}");
    assert_eq!(saved["k3_id"], customer.id.to_string(), "{shown:#}");
    assert_eq!(saved["contact"], of_it.id.to_string(), "{shown:#}");
    world
        .engine(&["rows", "show", &customer.number])
        .expect(0)
        .says("contact")
        .says("k3_number");
}

#[test]
fn a_second_document_that_fails_is_gone_on_with() {
    for kind in [
        FaultKind::DropBefore,
        FaultKind::DropAfter,
        FaultKind::Http500Before,
        FaultKind::Http500After,
        FaultKind::HalfBody,
        FaultKind::LateCommit,
        FaultKind::SessionLost,
    ] {
        let world = with_contacts();
        // Six calls write the customers; the seventh is the first one with contacts.
        world.fault("BatchSave", 7, kind);
        contacts_settle(&world, &format!("{kind:?} at the contact"));
    }
}

/// What a person says of a document that a step writes is asked for by the step's name.
#[test]
fn who_says_that_it_is_not_there_is_told_what() {
    for (nth, said) in [
        (1, " of huke-to-k3 will be written again"),
        (7, "the step contact of "),
    ] {
        // Nothing is asked about before the quiet period is over: what is lost stays unknown.
        let world = patient_with_contacts();
        world.feed();
        world.fault("BatchSave", nth, FaultKind::DropAfter);
        world.engine(&["run", MAIN, "--settle-wait", "0s"]);
        let rows = world
            .engine(&["rows", "list", "--state", "unknown", "--json"])
            .json();
        let key = rows["rows"][0]["key"].to_string();
        let words = [
            "rows",
            "resolve",
            &key,
            "--scheme",
            "huke-to-k3",
            "--not-there",
            "--reason",
            "looked",
        ];
        // Nobody is there to be asked.
        let asked = world.engine(&words);
        asked.expect(2).warns(said);
        let is_contact = asked.stderr.contains("(k3 BD_CommonContact C-");
        assert_eq!(is_contact, nth == 7, "{asked}");
    }
}

/// What a scheme keeps is found by others.
#[test]
fn what_is_kept_after_a_write_is_looked_up() {
    let world = with_contacts();
    contacts_settle(&world, "first");
    let text = std::fs::read_to_string(world.path(MAIN)).unwrap();
    let second = text
        .replace("scheme: huke-to-k3", "scheme: second")
        .replace(CONTACTS, "  api: batchSave\n  options: {FormId: BD_CommonContact}")
        .replace(
            "    FDescription: _findCollection find 唯一ID from dd359ae0-f1c0-3d0a-b38e-df1d6bf1f756 where cid=<<buyerCid>>",
            "    FDescription: {$lookup: huke-to-k3, $by: {$key: <<buyerCid>>}, $get: k3_id}",
        )
        .replace("    FNumber: <<buyerCid>>", "    FNumber: S-<<buyerCid>>");
    let (head, _) = second.split_once("\ntests:").unwrap_or((&second, ""));
    world.write("schemes/second.yaml", head);
    let ran = world.engine(&["run", "schemes/second.yaml"]);
    ran.expect(0);
    let journal = world.journal();
    let ids: Vec<String> = of(&journal, "BD_Customer", "create")
        .iter()
        .map(|made| made.id.to_string())
        .collect();
    let second: Vec<JournalEntry> = of(&journal, "BD_CommonContact", "create")
        .into_iter()
        .filter(|made| made.number.starts_with("S-"))
        .collect();
    assert_eq!(second.len(), CUSTOMERS);
    for made in second {
        let described = ids
            .iter()
            .any(|id| made.content.contains(&format!("\"FDescription\":\"{id}\"")));
        assert!(described, "{}", made.content);
    }
}

/// A scheme that takes what the main one gives.
const TOLD: &str = "scheme: told
source: {scheme: huke-to-k3, key: no, label: name}
target:
  connection: k3
  api: batchSave
  options: {FormId: BD_CommonContact, IsAutoSubmitAndAudit: true}
  request: {FNumber: <<no>>, FName: <<name>>, FCompany: {FNumber: <<of>>}}
schedule: {after: huke-to-k3}
tests:
  - {name: a row, row: {no: T-1, name: a, of: C1}, expect: {FNumber: T-1, FName: a, FCompany: {FNumber: C1}}}
";

fn giving() -> World {
    let world = with_contacts();
    world.edit(
        MAIN,
        "contact: <<$step.contact.id>>}}",
        "contact: <<$step.contact.id>>}, emit: {scheme: told, row: {no: T-<<buyerCid>>, name: <<buyerNick>>, of: <<$answer.number>>, by: <<$step.contact.id>>}}}",
    );
    world.write("schemes/told.yaml", TOLD);
    world
}

/// So many contacts were made of what was given, each with the number of its customer.
#[track_caller]
fn told(world: &World) -> usize {
    let journal = world.journal();
    let all = of(&journal, "BD_CommonContact", "create");
    let told: Vec<&JournalEntry> = all.iter().filter(|made| made.number.starts_with("T-")).collect();
    let numbers: std::collections::BTreeSet<&str> = told.iter().map(|made| made.number.as_str()).collect();
    assert_eq!(numbers.len(), told.len(), "made twice");
    for made in &told {
        let customer = made.number.trim_start_matches("T-");
        assert!(
            made.content.contains(&format!("{{\"FNumber\":\"{customer}\"}}")),
            "{}",
            made.content
        );
    }
    told.len()
}

#[test]
fn what_is_written_is_given_to_another_scheme_once() {
    let world = giving();
    world.engine(&["check", "schemes"]).expect(0);
    world.engine(&["test", "schemes/told.yaml"]).expect(0);
    // Nothing was given yet.
    let empty = world.pass("schemes/told.yaml", 0);
    assert_eq!(empty["counts"]["fetched"], 0, "{empty:#}");
    // A lost answer of the first call, and one of a contact: what was given follows the truth.
    world.fault("BatchSave", 1, FaultKind::DropAfter);
    world.fault("BatchSave", 7, FaultKind::DropAfter);
    let words = ["run", MAIN, "--json", "--settle-wait", "20s"];
    for _ in 0..4 {
        let ran = world.engine(&words);
        if ran.code == Some(0) && ran.json()["runs"][0]["states"]["done"] == CUSTOMERS {
            break;
        }
    }
    let taken = world.pass("schemes/told.yaml", 0);
    assert_eq!(taken["states"]["done"], CUSTOMERS, "{taken:#}");
    assert_eq!(told(&world), CUSTOMERS);
    // Nothing new is written, and nothing is given again.
    world.engine(&["run", MAIN]).expect(0);
    let again = world.pass("schemes/told.yaml", 0);
    assert_eq!(again["counts"]["fetched"], 0, "{again:#}");
    assert_eq!(told(&world), CUSTOMERS);
    world.verify();
}

/// A service runs the taker behind the giver, also where it runs when something comes.
#[test]
fn a_service_runs_the_scheme_that_takes() {
    for schedule in ["{after: huke-to-k3}", "on_push"] {
        let world = giving();
        world.edit("schemes/told.yaml", "{after: huke-to-k3}", schedule);
        let mut service = world.serve(&[]);
        let is_told = || {
            let journal = world.journal();
            let contacts = of(&journal, "BD_CommonContact", "create");
            contacts
                .iter()
                .filter(|made| made.number.starts_with("T-"))
                .count()
                == CUSTOMERS
        };
        service.wait_until(&format!("{schedule}: all are told"), |_| is_told());
        service.signal("TERM");
        service.end();
        assert_eq!(told(&world), CUSTOMERS);
        world.verify();
    }
}

/// What another tool has made and handed on changes after the take-over: its taker asks before it makes anything of that,
/// however late it comes.
#[test]
fn what_is_given_after_a_take_over_is_asked_for() {
    let world = World::small();
    world.edit(
        MAIN,
        "  options: {FormId: BD_Customer, IsAutoSubmitAndAudit: true}",
        "  options: {FormId: BD_Customer, IsAutoSubmitAndAudit: true}\n  on_success: {emit: {scheme: told, row: {no: T-<<buyerCid>>, name: <<buyerNick>>, of: <<$answer.number>>}}}",
    );
    world.write("schemes/told.yaml", TOLD);
    world.batch(5);
    world.feed();
    world.engine(&["run", MAIN]).expect(0);
    world.pass("schemes/told.yaml", 0);
    assert_eq!(told(&world), CUSTOMERS, "by the other tool");
    std::fs::remove_dir_all(world.path(".engine")).expect("it was made");
    world.feed();
    world
        .engine(&["adopt", MAIN, "--reason", "moved", "--yes"])
        .expect(0);
    let none = world.pass("schemes/told.yaml", 0);
    assert_eq!(none["counts"]["fetched"], 0, "what is found gives nothing");
    // Everything is read again and written again.
    world.edit(
        MAIN,
        "  label: buyerNick",
        "  label: buyerNick\n  on_seen: update",
    );
    let at = |ms: i64| {
        jiff::Timestamp::from_millisecond(ms)
            .expect("our own clock")
            .to_string()
    };
    let now = world.sandbox().now_ms();
    let range = [at(now - 86_400_000), at(now)];
    world
        .engine(&[
            "replay", MAIN, "--from", &range[0], "--to", &range[1], "--yes", "--reason", "names",
        ])
        .expect(0);
    world.until_done(MAIN, CUSTOMERS);
    let words = ["run", "schemes/told.yaml", "--json", "--settle-wait", "30s"];
    let mut taken = 0;
    for _ in 0..4 {
        let ran = world.engine(&words).json();
        taken += ran["runs"][0]["counts"]["fetched"].as_u64().expect("a number");
        if ran["runs"][0]["states"]["done"] == CUSTOMERS {
            break;
        }
    }
    assert_eq!(taken, CUSTOMERS as u64, "given once");
    assert_eq!(told(&world), CUSTOMERS, "and not made again");
    world.verify();
}
