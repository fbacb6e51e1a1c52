//! Fxiaoke CRM at its simulator, as target and as source: what Kingdee has becomes accounts, once each, whatever goes
//! wrong, with a token of either generation.

use std::collections::{BTreeMap, BTreeSet};

use sandbox::JournalEntry;
use serde_json::{Value, json};
use tests::e2e::{CUSTOMERS, MAIN, World, repository};

const ACCOUNTS: &str = "schemes/k3-to-fx-accounts.yaml";
const STORED: &str = "schemes/fx-accounts.yaml";
/// Seeded accounts under the number that Kingdee has, among thirty.
const KNOWN: usize = 3;

fn world() -> World {
    let world = World::small();
    for scheme in [ACCOUNTS, STORED] {
        let text = std::fs::read_to_string(repository().join(scheme)).expect("the repository has it");
        world.write(scheme, &text);
    }
    world
}

/// Fills the simulated Kingdee a while ago: a window does not reach into the second that is still going on.
fn fill(world: &World) {
    world.sandbox().advance_ms(-60_000);
    world.engine(&["run", MAIN]).expect(0);
    world.sandbox().advance_ms(60_000);
}

/// The older generation of tokens.
fn old(world: &World) {
    world.edit(
        "connections.yaml",
        "connector: fxiaoke\n    params:\n",
        "connector: fxiaoke\n    params:\n      auth: corp_token\n",
    );
}

fn accounts(world: &World) -> BTreeMap<String, Vec<JournalEntry>> {
    let mut found: BTreeMap<String, Vec<JournalEntry>> = BTreeMap::new();
    let journal = world.journal().into_iter();
    for entry in journal.filter(|entry| entry.form == "AccountObj") {
        found.entry(entry.number.clone()).or_default().push(entry);
    }
    found
}

#[test]
fn everything_arrives_once_whatever_goes_wrong() {
    for is_old in [false, true] {
        let world = world();
        world.impatient();
        if is_old {
            old(&world);
        }
        fill(&world);
        world.go_wrong("data/query", &[(2, "session_lost"), (4, "half_body")]);
        let losses = &[(2, "drop_after"), (7, "session_lost")];
        // Both generations differ in their tokens only.
        let others = &[
            (5, "msg_code_13"),
            (9, "drop_before"),
            (12, "half_body"),
            (15, "http_500_after"),
        ];
        world.go_wrong("data/create", losses);
        world.go_wrong("data/update", &[(1, "session_lost")]);
        if !is_old {
            world.go_wrong("data/create", others);
            world.go_wrong("data/update", &[(3, "drop_after")]);
        }
        world.until_done(ACCOUNTS, CUSTOMERS);
        let struck = world.sandbox().struck();
        assert!(struck.iter().all(|times| *times == 1), "{struck:?}");

        let accounts = accounts(&world);
        assert_eq!(accounts.len(), CUSTOMERS);
        let mut adopted = 0;
        for (number, entries) in &accounts {
            let actions: Vec<&str> = entries.iter().map(|entry| entry.action.as_str()).collect();
            // An update whose answer was lost may be sent again: it is the same account and the same content.
            let is_adopted = actions.iter().all(|action| *action == "update");
            adopted += usize::from(is_adopted);
            assert!(is_adopted || actions == ["create"], "{number}: {actions:?}");
            let ids: BTreeSet<u64> = entries.iter().map(|entry| entry.id).collect();
            assert_eq!(ids.len(), 1, "{number}");
        }
        assert_eq!(adopted, KNOWN);
        let kept = names(&world);
        for (number, entries) in &accounts {
            let sent: Value = serde_json::from_str(&entries[0].content).expect("a document");
            assert_eq!(sent["account_no"], json!(number));
            assert_eq!(sent["name"], json!(kept[number]), "{number}");
        }
        let (new, old) = (
            world.calls("fx/oauth2.0/token"),
            world.calls("fx/corpAccessToken/get/V2"),
        );
        assert_eq!((new > 0, old > 0), (!is_old, is_old));
        assert_eq!(world.state()["throttled"]["oauth2.0/token"], 0);
        world.verify();
        // What was written is written: another run sends nothing.
        let before = world.journal().len();
        world.until_done(ACCOUNTS, CUSTOMERS);
        assert_eq!(world.journal().len(), before);
    }
}

/// What Kingdee was given, by number.
fn names(world: &World) -> BTreeMap<String, String> {
    let journal = world.journal().into_iter();
    let customers = journal.filter(|entry| entry.form == "BD_Customer");
    customers
        .map(|entry| {
            let document: Value = serde_json::from_str(&entry.content).expect("a document");
            let name = document["FName"].as_str().expect("a name").to_owned();
            (entry.number, name)
        })
        .collect()
}

#[test]
fn a_change_at_kingdee_changes_the_account() {
    let world = world();
    fill(&world);
    world.until_done(ACCOUNTS, CUSTOMERS);
    world.sandbox().advance_ms(-30_000);
    world.control("change", &json!({"customers": 2}));
    world.engine(&["run", MAIN]).expect(0);
    world.sandbox().advance_ms(30_000);
    world.engine(&["run", ACCOUNTS]).expect(0);
    let renamed: Vec<(String, Vec<JournalEntry>)> = accounts(&world)
        .into_iter()
        .filter(|(_, entries)| entries.len() > 1)
        .collect();
    assert_eq!(renamed.len(), 2, "{renamed:?}");
    for (number, entries) in renamed {
        let last = entries.last().expect("two or more");
        assert_eq!(last.action, "update", "{number}");
        assert_eq!(last.id, entries[0].id, "{number}");
        assert!(last.content.contains("更名1"), "{}", last.content);
    }
    world.verify();
}

#[test]
fn accounts_are_stored_page_by_page_while_calls_go_wrong() {
    let world = World::of(|config| config.trades = 1200);
    let text = std::fs::read_to_string(repository().join(STORED)).expect("the repository has it");
    world.write(STORED, &text);
    world.impatient();
    let faults = [
        (1, "session_lost"),
        (5, "half_body"),
        (9, "html_login"),
        (13, "http_500_before"),
        (17, "redirect"),
    ];
    world.go_wrong("data/query", &faults);
    world.until_done(STORED, 300);
}

/// Behind the ceiling of offsets the pages go on by key, across a page that is read twice and one that is lost: all 300
/// accounts come, each once. The ceiling is lowered to 100 rows, so that there are pages on both sides of it.
#[test]
fn pages_go_on_behind_the_ceiling() {
    let world = World::of(|config| config.trades = 1200);
    let own =
        std::fs::read_to_string(repository().join("connectors/fxiaoke/connector.yaml")).expect("it is there");
    assert!(own.contains("ceiling: 10000, then:"));
    let own = own.replace("ceiling: 10000, then:", "ceiling: 100, then:");
    world.write("connectors/fxiaoke/connector.yaml", &own);
    let text = std::fs::read_to_string(repository().join(STORED)).expect("the repository has it");
    world.write(
        STORED,
        &text.replace("  key: _id\n", "  page_size: 20\n  key: _id\n"),
    );
    world.impatient();
    world.go_wrong("data/query", &[(7, "half_body"), (12, "http_500_before")]);
    world.until_done(STORED, 300);
    assert!(world.calls("fx/data/query") >= 15);
    world.verify();
}

#[test]
fn a_wrong_secret_is_refused_in_the_vendors_words() {
    for is_old in [false, true] {
        let mut world = world();
        if is_old {
            old(&world);
        }
        let wrong = "sandbox-fx-secreT";
        let right = world.set("SANDBOX_FX_SECRET", wrong).expect("it was set before");
        let ran = world.engine(&["run", STORED, "--json"]);
        let run = &ran.json()["runs"][0];
        assert!(run.to_string().contains("10006 appSecret 错误"), "{ran}");
        assert_eq!(run["counts"]["fetched"], 0, "{ran}");
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(wrong), "{ran}");
        for (path, bytes) in world.left_behind() {
            let text = String::from_utf8_lossy(&bytes);
            for secret in [wrong, &right, "sandbox-fx-code"] {
                assert!(!text.contains(secret), "{secret} stands in {}", path.display());
            }
        }
        // With the right one everything that was not read is read.
        world.set("SANDBOX_FX_SECRET", &right);
        let ran = world.engine(&["run", STORED, "--json"]);
        assert_eq!(ran.json()["runs"][0]["counts"]["fetched"], CUSTOMERS, "{ran}");
    }
}

#[test]
fn what_a_list_of_conditions_cannot_say_is_refused_by_check() {
    let world = world();
    world.edit(
        STORED,
        "  key: _id\n",
        "  filter: {any: [{field: name, eq: a}, {field: tel, eq: b}]}\n  key: _id\n",
    );
    world.engine(&["check", STORED]).expect(1).says("E1159");
    assert_eq!(world.calls("fx"), 0);
}

/// A scheme over the customers of Huke, whole each time.
fn customers_to(name: &str, target: &str) -> String {
    format!(
        "scheme: {name}
source: {{connection: huke, api: search_customers, window: none, key: cid, label: nick}}
target:
  connection: crm
{target}schedule: {{every: 30m}}
"
    )
}

#[test]
fn objects_of_ones_own_are_made_changed_and_made_invalid() {
    const OWN: &str = "schemes/own.yaml";
    let world = World::small();
    world.impatient();
    let target = "  api: {create: create_custom, update: update_custom, void: invalid_custom}
  options: {object: object_1__c}
  key: name
  request: {object_data: {name: <<cid>>, title__c: <<nick>>}}
";
    world.write(OWN, &customers_to("own", target));
    world.go_wrong("custom/data/create", &[(3, "drop_after")]);
    world.until_done(OWN, CUSTOMERS);
    world.control("change", &json!({"customers": 2}));
    world.until_done(OWN, CUSTOMERS);
    world.edit(OWN, "key: cid", "void: {field: cid, neq: x}, key: cid");
    world.go_wrong("custom/data/invalid", &[(2, "drop_after"), (4, "session_lost")]);
    // A cancellation whose answer was lost waits for a person.
    let run = world.engine(&["run", OWN, "--json"]).json()["runs"][0].clone();
    assert_eq!(
        (&run["states"]["done"], &run["states"]["held"]),
        (&json!(CUSTOMERS - 1), &json!(1))
    );
    assert!(run.to_string().contains("E4013"), "{run:#}");
    let (mut updates, mut steps) = (0, 0);
    let effects = world.sandbox().effects();
    for one in &effects {
        assert_eq!((one.form.as_str(), one.creates), ("object_1__c", 1), "{one:?}");
        updates += one.updates;
        steps += one.steps;
    }
    assert_eq!((effects.len(), updates, steps), (CUSTOMERS, 2, 30));
    world.verify();
}

/// Without an id every push is a call of its own: what may have been executed waits for a person.
#[test]
fn erp_data_without_an_id_is_not_pushed_again() {
    const PUSHED: &str = "schemes/pushed.yaml";
    let world = World::small();
    world.impatient();
    let target = "  api: erp_push
  options: {objAPIName: erpCustomer}
  key: number
  request: {masterFieldVal: {number: <<cid>>, name: <<nick>>}}
";
    world.write(PUSHED, &customers_to("pushed", target));
    world.engine(&["check", PUSHED]).expect(1).says("E1154");
    world.edit(PUSHED, "  key: number\n", "  key: number\n  on_unknown: hold\n");
    world.engine(&["check", PUSHED]).expect(0);
    world.go_wrong("erp/syncdata/objdata/push", &[(2, "drop_after")]);
    // The simulated platform has no push function: all others are refused.
    let run = world.engine(&["run", PUSHED, "--json"]).json()["runs"][0].clone();
    assert_eq!(
        (&run["states"]["dead"], &run["states"]["held"]),
        (&json!(CUSTOMERS - 1), &json!(1)),
        "{run:#}"
    );
    let pushes = || usize::try_from(world.calls("fx/erp/syncdata/objdata/push")).expect("some");
    assert_eq!(pushes(), CUSTOMERS);
    world.engine(&["run", PUSHED, "--json"]);
    assert_eq!(pushes(), CUSTOMERS, "nothing is sent again by itself");
}

#[test]
fn erp_data_is_pushed_by_object_and_id() {
    const PUSHED: &str = "schemes/pushed.yaml";
    let world = World::small();
    world.impatient();
    let target = "  api: erp_push
  options: {objAPIName: erpCustomer, id: <<cid>>}
  key: number
  request: {masterFieldVal: {number: <<cid>>, name: <<nick>>}}
";
    world.write(PUSHED, &customers_to("pushed", target));
    world.go_wrong("erp/syncdata/objdata/push", &[(2, "session_lost")]);
    world.until_done(PUSHED, CUSTOMERS);
    let effects = world.sandbox().effects();
    let told = |one: &sandbox::Effects| (one.form.clone(), one.org.clone(), one.creates, one.updates);
    let wanted = ("erp".to_owned(), "erpCustomer".to_owned(), 1, 0);
    assert_eq!(effects.len(), CUSTOMERS);
    assert!(effects.iter().all(|one| told(one) == wanted), "{effects:?}");
    world.verify();
}
