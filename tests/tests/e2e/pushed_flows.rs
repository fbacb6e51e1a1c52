//! The shipped schemes and objects that others push to and poll: an ERP as it pushes to Fxiaoke, and Fxiaoke's platform
//! as it pushes to an ERP and polls it, both with the engine in the middle.

use std::collections::BTreeSet;

use sandbox::JournalEntry;
use sandbox::platform::{Form, Ids, Platform, Sender, Wrong};
use serde_json::{Value, json};
use tests::e2e::{Serving, World, repository};
use tokio::runtime::Runtime;

/// As the simulators' connections have them.
const TENANT: &str = "7654321";
const DATA_CENTER: &str = "63f82854a8bd974420925e83";
const PUSH_TOKEN: &str = "sandbox-fx-push";
const ERP_TOKEN: &str = "sandbox-fx-erp";

/// A service with some of the shipped schemes.
struct House {
    world: World,
    served: Serving,
    runtime: Runtime,
}

impl House {
    fn open(files: &[&str]) -> Self {
        let world = World::small();
        std::fs::remove_dir_all(world.path("schemes")).expect("a folder of this test");
        for file in files {
            let text = std::fs::read_to_string(repository().join(file)).expect("the repository has it");
            world.write(file, &text);
        }
        let served = world.serve(&[]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        House {
            runtime: runtime.expect("a runtime"),
            world,
            served,
        }
    }

    fn sender(&self, object: &str) -> Sender {
        let url = format!(
            "http://{}/erp/syncdata/open/objdata/asyncpush",
            self.served.address()
        );
        Sender::new(url, PUSH_TOKEN, TENANT, DATA_CENTER, object)
    }

    fn platform(&self) -> Platform {
        Platform::new(format!("http://{}/erp/crm/", self.served.address()), ERP_TOKEN)
    }

    /// What was executed for a document, once there is so much of it.
    fn executed(&mut self, form: &str, number: &str, wanted: usize) -> Vec<JournalEntry> {
        let mut found = Vec::new();
        let world = &self.world;
        self.served
            .wait_until(&format!("{wanted} of {form} {number}"), |_| {
                found = world.journal();
                found.retain(|entry| entry.form == form && entry.number == number);
                found.len() >= wanted
            });
        found
    }
}

fn actions(entries: &[JournalEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.action.as_str()).collect()
}

#[test]
fn an_erp_pushes_as_it_would_to_the_platform() {
    let mut house = House::open(&[
        "schemes/erp-push-to-fx.yaml",
        "schemes/legacy-push-to-fx.yaml",
        "objects/erpItemObj.yaml",
    ]);
    let items = house.sender("erpItemObj");
    let item = |name: &str| {
        Sender::standard(
            "erpItemObj",
            &json!({"number": "00123", "name": name}),
            &json!({}),
        )
    };
    let push = |house: &House, void: bool, body: &str| {
        let pushed = items.push(Some("00123"), void, "application/json", body);
        house.runtime.block_on(pushed)
    };
    push(&house, false, &item("云杉木板")).expect("it is taken");
    house.executed("ProductObj", "00123", 1);
    push(&house, false, &item("云杉板材")).expect("it is taken");
    house.executed("ProductObj", "00123", 2);
    // Again, after a lost answer: nothing happens.
    push(&house, false, &item("云杉板材")).expect("it is known");
    push(&house, true, &item("云杉板材")).expect("it is taken");
    let entries = house.executed("ProductObj", "00123", 3);
    assert_eq!(actions(&entries)[..2], ["create", "update"]);
    assert_eq!(entries.len(), 3, "{:?}", actions(&entries));

    // What is not the object that was declared is refused, and nothing is written.
    let wrong = Sender::standard("erpItemObj", &json!({"numbr": "1", "name": "a"}), &json!({}));
    match push(&house, false, &wrong) {
        Err(Wrong::Refused(code, message)) => {
            assert_eq!(code, "E6110", "{message}");
            assert!(message.contains("number"), "{message}");
        }
        other => panic!("{other:?}"),
    }

    let xml = "<?xml version=\"1.0\"?><order><no>04270002</no><customer><code>042700001</code></customer>\
               <total>100.50</total><lines><line><sku>000</sku><price>60.50</price></line>\
               <line><sku>001</sku><price>40</price></line></lines></order>";
    let orders = house.sender("legacyOrder");
    let pushed = orders.push(None, false, "application/xml", xml);
    house.runtime.block_on(pushed).expect("it is taken");
    let mut found = None;
    let world = &house.world;
    house.served.wait_until("it is handed on", |_| {
        let mut journal = world.journal().into_iter();
        found = journal.find(|entry| entry.endpoint == "erp/syncdata/objdata/push");
        found.is_some()
    });
    let sent: Value = serde_json::from_str(&found.expect("it was handed on").body).expect("JSON");
    assert_eq!(sent["data"]["id"], "04270002");
    assert_eq!(sent["data"]["destObjectApiName"], "SalesOrderObj");
    let lines = &sent["data"]["detailFieldVals"]["erpSalesOrderProductObj"];
    assert_eq!(
        lines[1],
        json!({"number": "04270002-2", "product_id": "001", "product_price": "40"})
    );
}

/// What was made invalid cannot be updated: an item that comes back is made once more, and once.
#[test]
fn what_was_voided_and_comes_back_is_made_anew() {
    let mut house = House::open(&["schemes/erp-push-to-fx.yaml", "objects/erpItemObj.yaml"]);
    let push = |house: &House, number: &str, void: bool, name: &str| {
        let master = match void {
            true => json!({"number": number}),
            false => json!({"number": number, "name": name}),
        };
        let body = Sender::standard("erpItemObj", &master, &json!({}));
        let sender = house.sender("erpItemObj");
        let pushed = sender.push(Some(number), void, "application/json", &body);
        house.runtime.block_on(pushed).expect("it is taken");
    };
    let number = "N-1";
    for (nth, (void, name)) in [
        (false, "a"),
        (true, ""),
        (false, "a"),
        (false, "b"),
        (true, ""),
        (true, ""),
    ]
    .into_iter()
    .enumerate()
    {
        push(&house, number, void, name);
        // The last one is a repetition.
        house.executed("ProductObj", number, (nth + 1).min(5));
    }
    push(&house, number, false, "c");
    let entries = house.executed("ProductObj", number, 6);
    assert_eq!(
        actions(&entries),
        ["create", "delete", "create", "update", "delete", "create"]
    );
    let mut ids: Vec<Value> = Vec::new();
    house.served.wait_until("it is done", |_| {
        let ran = house
            .world
            .engine(&["map", "get", number, "--scheme", "erp-push-to-fx", "--json"]);
        let Some(0) = ran.code else { return false };
        let told = ran.json();
        ids = told["history"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|change| change["before"].clone())
            .chain([told["mapping"]["dest_id"].clone()])
            .collect();
        ids.len() == 3 && ids.iter().all(Value::is_string)
    });
    let distinct: BTreeSet<&str> = ids.iter().filter_map(Value::as_str).collect();
    assert_eq!(
        distinct.len(),
        3,
        "each has an id of its own, and all are told: {ids:?}"
    );
}

#[test]
fn the_platform_takes_us_for_its_erp() {
    let mut house = House::open(&["schemes/fx-push-to-k3.yaml", "objects/erpCustomerObj.yaml"]);
    let mut platform = house.platform();
    for (nth, form) in [Form::Json, Form::Xml, Form::Text].into_iter().enumerate() {
        platform.form = form;
        let number = format!("F{nth:04}");
        let document = |name: &str| {
            let master = json!({"number": number, "name": name});
            json!({"objAPIName": "erpCustomerObj", "masterFieldVal": master, "detailFieldVals": {}})
        };
        let call = |house: &House, made: bool, name: &str| -> Result<Ids, Wrong> {
            let document = document(name);
            house.runtime.block_on(async {
                match made {
                    true => platform.create(&document).await,
                    false => platform.update(&document).await,
                }
            })
        };
        // Nothing is made by an update.
        assert!(
            matches!(call(&house, false, "清荷商行"), Err(Wrong::Refused(..))),
            "{form:?}"
        );
        let ids = call(&house, true, "清荷商行").expect("it is taken");
        assert_eq!(ids.master, number, "{form:?}");
        // The platform did not hear the answer.
        assert_eq!(call(&house, true, "清荷商行").expect("the same answer"), ids);
        house.executed("BD_Customer", &number, 1);
        call(&house, false, "清荷商行(新)").expect("it is taken");
        let entries = house.executed("BD_Customer", &number, 2);
        let saved: Vec<&JournalEntry> = entries.iter().filter(|entry| !entry.content.is_empty()).collect();
        assert_eq!(saved[0].action, "create", "{form:?}");
        assert!(
            saved.iter().skip(1).all(|entry| entry.action == "update"),
            "{form:?}"
        );
    }
}

#[test]
fn the_platform_polls_what_is_stored() {
    let mut house = House::open(&["schemes/k3-materials.yaml", "objects/erpProductObj.yaml"]);
    house.served.wait_for("run.ended", "k3-materials");
    let platform = house.platform();
    let listed = house.world.engine(&[
        "rows",
        "list",
        "--scheme",
        "k3-materials",
        "--limit",
        "500",
        "--json",
    ]);
    let rows = listed.expect(0).json()["rows"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let stored: BTreeSet<String> = rows
        .iter()
        .filter_map(|row| Some(row["key"].get(0).unwrap_or(&row["key"]).as_str()?.to_owned()))
        .collect();
    assert!(!stored.is_empty());
    // All there is, from the beginning: a page at a time.
    let now = house.world.sandbox().now_ms();
    let polled = house
        .runtime
        .block_on(platform.poll("erpProductObj", 0, now + 600_000, 7));
    let polled = polled.expect("the protocol");
    let numbers: Vec<String> = polled
        .iter()
        .filter_map(|row| Some(row["masterFieldVal"]["number"].as_str()?.to_owned()))
        .collect();
    assert_eq!(numbers.iter().cloned().collect::<BTreeSet<_>>(), stored);
    assert_eq!(numbers.len(), stored.len(), "each once");
    let one = house.runtime.block_on(platform.get("erpProductObj", &numbers[0]));
    assert_eq!(one.expect("the protocol"), polled[0]);
    let wrong = house.runtime.block_on(platform.get("erpProductObj", "no such"));
    assert!(matches!(wrong, Err(Wrong::Refused(..))), "{wrong:?}");
    let stranger = Platform::new(platform.base.clone(), "another");
    let told = house.runtime.block_on(stranger.poll("erpProductObj", 0, now, 10));
    assert!(matches!(told, Err(Wrong::Status(401, _))), "{told:?}");
}
