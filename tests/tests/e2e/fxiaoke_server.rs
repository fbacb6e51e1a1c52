//! The ERP protocol at the real service over real HTTP: pushes become accounts at the simulated CRM, and we are an ERP.

use serde_json::{Value, json};
use tests::e2e::{Serving, World};

const PUSH: &str = "/erp/syncdata/open/objdata/asyncpush";
const TOKEN: &str = "push-token-0123456789";
const ERP_TOKEN: &str = "erp-token-0123456789";

const OBJECT: &str = "\
object: erpCustomerObj
name: {zh: 客户, en: Customer}
id: number
label: name
fields:
  number: {type: text, required: true, label: {zh: 编号, en: Number}}
  name: {type: text, required: true, max: 40}
  credit: {type: decimal}
details:
  erpContactObj: {id: tel, fields: {tel: {type: text, required: true}}}
serve: {connection: CRM, rows: erp, receive: erp}
";

/// A scheme that takes what is pushed and makes accounts of it.
fn to_accounts(name: &str, object: &str, number: &str, title: &str) -> String {
    format!(
        "scheme: {name}\nsource: {{connection: CRM, api: asyncpush, options: {{objectApiName: {object}}}, key: {number}, label: {title}}}\n\
         target:\n  connection: CRM\n  api: {{create: create, update: update}}\n  options: {{object: AccountObj}}\n  key: account_no\n  find: before_create\n  \
         request: {{object_data: {{account_no: <<{number}>>, name: <<{title}>>}}}}\nschedule: on_push\n"
    )
}

fn stored(name: &str, object: &str, key: &str) -> String {
    format!(
        "scheme: {name}\nsource: {{connection: CRM, api: asyncpush, options: {{objectApiName: {object}}}, key: {key}, label: masterFieldVal.name}}\ntarget: none\nschedule: on_push\n"
    )
}

struct Erp {
    world: World,
    served: Serving,
}

impl Erp {
    fn open() -> Self {
        let mut world = World::small();
        std::fs::remove_dir_all(world.path("schemes")).expect("a folder of this test");
        for (from, to) in [("7654321", "81"), ("63f82854a8bd974420925e83", "c1")] {
            world.edit("connections.yaml", from, to);
        }
        let text = std::fs::read_to_string(world.path("connections.yaml")).expect("it was written");
        let before = text.split("connector: fxiaoke").next().expect("it is there");
        let crm = before
            .trim_end()
            .lines()
            .last()
            .expect("its name")
            .trim()
            .trim_end_matches(':')
            .to_owned();
        world.set("SANDBOX_FX_PUSH", TOKEN);
        world.set("SANDBOX_FX_ERP", ERP_TOKEN);
        let master = "masterFieldVal.number";
        for (name, text) in [
            ("objects/customer.yaml", OBJECT.to_owned()),
            (
                "schemes/standard.yaml",
                to_accounts("standard", "erpCustomerObj", master, "masterFieldVal.name"),
            ),
            (
                "schemes/xml.yaml",
                to_accounts("xml", "erpXmlObj", "Customer.No", "Customer.Name"),
            ),
            ("schemes/kept.yaml", stored("kept", "erpCustomerObj", master)),
            ("schemes/erp.yaml", stored("erp", "erpOwnObj", master)),
        ] {
            world.write(name, &text.replace("CRM", &crm));
        }
        world
            .engine(&["check", "schemes", "objects", "connections.yaml"])
            .expect(0);
        let served = world.serve(&[]);
        Erp { world, served }
    }

    fn push(&self, over: &[(&str, &str)], body: &str) -> String {
        let right = [
            ("token", TOKEN),
            ("tenantId", "81"),
            ("dataCenterId", "c1"),
            ("objectApiName", "erpCustomerObj"),
            ("version", "v1"),
        ];
        let kept = right
            .iter()
            .filter(|(name, _)| !over.iter().any(|(known, _)| known == name));
        let headers: Vec<(&str, &str)> = kept.chain(over).copied().collect();
        let (status, said) = self.served.request("POST", PUSH, &headers, body.as_bytes());
        assert_eq!(status, 200, "{said}");
        said
    }

    fn erp(&self, method: &str, path: &str, body: &str) -> Value {
        let path = format!("/erp/{}/{path}", self.connection());
        let headers = [("token", ERP_TOKEN), ("content-type", "application/json")];
        let (status, said) = self.served.request(method, &path, &headers, body.as_bytes());
        assert_eq!(status, 200, "{path}: {said}");
        serde_json::from_str(&said).expect("JSON")
    }

    fn connection(&self) -> String {
        let ran = self.world.engine(&["object", "list", "--json"]);
        let name = ran.json()["objects"][0]["serve"]["connection"].clone();
        name.as_str().expect("it is served").to_owned()
    }

    /// Waits until a scheme has so many records in a state.
    fn until(&mut self, scheme: &str, state: &str, wanted: usize) -> Vec<Value> {
        let (world, mut rows) = (&self.world, Vec::new());
        self.served
            .wait_until(&format!("{wanted} {state} of {scheme}"), |_| {
                let ran = world.engine(&["rows", "list", "--scheme", scheme, "--state", state, "--json"]);
                if ran.code == Some(0) {
                    rows = ran.json()["rows"].as_array().cloned().unwrap_or_default();
                }
                rows.len() >= wanted
            });
        rows
    }

    /// Waits until one of the records that are done is called so: what was acknowledged is in the ledger by then.
    fn until_called(&mut self, scheme: &str, label: &str) {
        let world = &self.world;
        self.served.wait_until(&format!("{label} of {scheme}"), |_| {
            let ran = world.engine(&["rows", "list", "--scheme", scheme, "--state", "done", "--json"]);
            let rows = match ran.code {
                Some(0) => ran.json()["rows"].as_array().cloned().unwrap_or_default(),
                _ => Vec::new(),
            };
            rows.iter().any(|row| row["label"] == label)
        });
    }

    fn end(self) {
        self.served.signal("KILL");
        assert_eq!(self.served.end(), None, "it ran until then");
    }
}

fn customer(number: &str, name: &str) -> String {
    json!({
        "objAPIName": "erpCustomerObj",
        "masterFieldVal": {"number": number, "name": name},
        "detailFieldVals": {"erpContactObj": [{"tel": "0571-1"}]},
    })
    .to_string()
}

const WELL: &str = r#"{"errCode":"s106240000","errMsg":"success"}"#;

#[test]
fn what_is_pushed_becomes_an_account() {
    let mut erp = Erp::open();
    let json = ("content-type", "application/json");
    assert_eq!(
        erp.push(&[("id", "E-1"), json], &customer("E-1", "杭州云杉")),
        WELL
    );
    assert_eq!(
        erp.push(&[("id", "E-1"), json], &customer("E-1", "杭州云杉")),
        WELL,
        "the same again"
    );
    let xml = [
        ("objectApiName", "erpXmlObj"),
        ("content-type", "application/xml"),
    ];
    assert_eq!(
        erp.push(&xml, "<Customer><No>X-1</No><Name>苏州清荷</Name></Customer>"),
        WELL
    );
    let refused = erp.push(
        &[("id", "E-2"), json],
        &customer("E-2", "").replace("name", "nmae"),
    );
    assert!(
        refused.contains("E6110") && refused.contains("did you mean name?"),
        "{refused}"
    );
    erp.until("standard", "done", 1);
    erp.until("xml", "done", 1);
    let created = |erp: &Erp| -> Vec<(String, String)> {
        let journal = erp
            .world
            .journal()
            .into_iter()
            .filter(|entry| entry.form == "AccountObj");
        journal.map(|entry| (entry.action, entry.number)).collect()
    };
    let mut made = created(&erp);
    made.sort();
    let create = |number: &str| ("create".to_owned(), number.to_owned());
    assert_eq!(made, [create("E-1"), create("X-1")]);

    // A new name updates it; a void is a record of its own version, and nothing is created again.
    assert_eq!(
        erp.push(
            &[("id", "E-1"), json, ("operationType", "2")],
            &customer("E-1", "杭州云松")
        ),
        WELL
    );
    let world = &erp.world;
    erp.served.wait_until("it is updated", |_| {
        world
            .journal()
            .iter()
            .any(|entry| entry.action == "update" && entry.content.contains("云松"))
    });
    assert_eq!(
        erp.push(
            &[("id", "E-1"), json, ("operationType", "3")],
            &customer("E-1", "杭州云松")
        ),
        WELL
    );
    let world = &erp.world;
    erp.served.wait_until("it is void", |_| {
        let ran = world.engine(&["rows", "list", "--scheme", "kept", "--json"]);
        ran.code == Some(0) && ran.stdout.contains("\"void\": true")
    });
    let creates = created(&erp)
        .iter()
        .filter(|(action, _)| action == "create")
        .count();
    assert_eq!(creates, 2);
    // What was sent is there to be read, as it came.
    let shown = erp
        .world
        .engine(&["rows", "show", "X-1", "--scheme", "xml", "--json"]);
    assert!(shown.stdout.contains("<Customer><No>X-1</No>"), "{shown}");
    erp.end();
}

#[test]
fn the_platform_writes_to_us_and_polls_us() {
    let mut erp = Erp::open();
    for nth in 0..5 {
        let said = erp.erp("POST", "create", &customer(&format!("C-{nth}"), "a"));
        assert_eq!(said["data"]["masterDataId"], format!("C-{nth}"), "{said}");
        assert_eq!(
            said["data"]["detailDataIds"],
            json!({"erpContactObj": ["0571-1"]})
        );
    }
    let unknown = erp.erp("POST", "update", &customer("C-9", "a"));
    assert_eq!(unknown["code"], "E6113", "{unknown}");
    assert_eq!(erp.erp("POST", "update", &customer("C-3", "b"))["code"], "0");
    erp.until("erp", "done", 5);
    let name = |erp: &Erp, number: &str| {
        let path = format!("queryMasterById?objAPIName=erpCustomerObj&dataId={number}");
        erp.erp("GET", &path, "")["data"]["masterFieldVal"]["name"].clone()
    };
    // It is answered at once, and polled once it is staged.
    assert_eq!(name(&erp, "C-3"), "b");
    erp.until_called("erp", "b");
    let polled = |erp: &Erp, start: i64, end: i64| {
        let (mut seen, mut offset) = (std::collections::BTreeMap::new(), 0);
        loop {
            let said = erp.erp(
                "GET",
                &format!("queryMasterBatch?objAPIName=erpCustomerObj&startTime={start}&endTime={end}&offset={offset}&limit=2"),
                "",
            );
            assert_eq!(said["code"], "0", "{said}");
            for row in said["data"]["dataList"].as_array().expect("a list") {
                let text = |name: &str| row["masterFieldVal"][name].as_str().expect("a text").to_owned();
                seen.insert(text("number"), text("name"));
            }
            offset += 2;
            if offset >= said["data"]["totalNum"].as_i64().expect("a number") {
                return seen;
            }
        }
    };
    let end = erp.world.sandbox().now_ms() + 60_000;
    let seen = polled(&erp, 0, end);
    let names: Vec<(&str, &str)> = seen
        .iter()
        .map(|(number, name)| (number.as_str(), name.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("C-0", "a"),
            ("C-1", "a"),
            ("C-2", "a"),
            ("C-3", "b"),
            ("C-4", "a")
        ]
    );
    // What changes afterwards is in the next stretch, though it changed before the end of the last one.
    assert_eq!(erp.erp("POST", "update", &customer("C-4", "c"))["code"], "0");
    erp.until_called("erp", "c");
    assert_eq!(polled(&erp, 0, end).len(), 5);
    let next = polled(&erp, end, end + 1);
    assert_eq!(next.get("C-4").map(String::as_str), Some("c"), "{next:?}");
    erp.end();
}
