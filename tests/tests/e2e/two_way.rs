//! Accounts of a CRM and documents of another system, edited on both sides and carried both ways: every edit arrives
//! once, nothing comes back, nothing is made twice, whatever goes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tests::e2e::{Message, World, repository, send};

const TO_ERP: &str = "schemes/crm-to-erp.yaml";
const TO_CRM: &str = "schemes/erp-to-crm.yaml";
/// Fields that people edit, beside the name.
const FIELDS: [&str; 3] = ["tel", "address", "remark"];
/// Accounts that the simulated CRM has from its seed, and documents made in the other system.
const MADE: usize = 20;

fn to_erp(conflict: &str) -> String {
    format!(
        "scheme: crm-to-erp
name: {{zh: 客户 → 单据, en: accounts to documents}}
source:
  connection: crm
  api: query
  options: {{object: AccountObj}}
  fields: [_id, account_no, name, tel, address, remark]
  window: none
  key: _id
  label: name
target:
  connection: erp
  api: put
  request:
    key: <<account_no>>
    name: <<name>>
    tel: {{$value: <<tel>>, $default: \"\"}}
    address: {{$value: <<address>>, $default: \"\"}}
    remark: {{$value: <<remark>>, $default: \"\"}}
two_way: {{with: erp-to-crm, conflict: {conflict}}}
schedule: {{every: 6m}}
"
    )
}

fn to_crm(conflict: &str) -> String {
    format!(
        "scheme: erp-to-crm
name: {{zh: 单据 → 客户, en: documents to accounts}}
source:
  connection: erp
  api: documents
  window: {{first: -1d, overlap: 12h}}
  key: key
  label: document.name
target:
  connection: crm
  api: {{create: create, update: update}}
  options: {{object: AccountObj}}
  key: account_no
  find: before_create
  request:
    object_data:
      account_no: <<key>>
      name: <<document.name>>
      tel: {{$value: <<document.tel>>, $default: \"\"}}
      address: {{$value: <<document.address>>, $default: \"\"}}
      remark: {{$value: <<document.remark>>, $default: \"\"}}
two_way: {{with: crm-to-erp, conflict: {conflict}}}
schedule: {{every: 6m}}
"
    )
}

/// Both systems, and a person who has access to both.
struct Both {
    world: World,
    crm: String,
    erp: String,
    /// What a person wrote, by system: as many entries of the journal.
    by_hand: [usize; 2],
}

type Fields = BTreeMap<String, String>;

pub(super) fn call(to: SocketAddr, method: &str, path: &str, headers: &str, body: &Value) -> Value {
    let body = body.to_string();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n{headers}content-type: application/json\r\ncontent-length: {}",
        body.len()
    );
    let request = Message {
        head,
        body: body.into_bytes(),
    };
    let answer = send(to, &request).unwrap_or_else(|e| panic!("{method} {path}: {e}"));
    assert!(
        matches!(answer.status(), Some(200 | 201)),
        "{method} {path}: {}",
        answer.text()
    );
    answer.json()
}

impl Both {
    fn new(conflicts: [&str; 2]) -> Both {
        let mut world = World::small();
        let read = |path: &str| std::fs::read_to_string(repository().join(path)).expect("it is there");
        world.write(
            "connectors/plain/connector.yaml",
            &read("tests/levels/connectors/plain/connector.yaml"),
        );
        let own = read("connectors/fxiaoke/connector.yaml");
        let quick = own.replace("rate: 100/20s", "rate: 10000/20s");
        assert_ne!(own, quick);
        world.write("connectors/fxiaoke/connector.yaml", &quick);
        world.write(TO_ERP, &to_erp(conflicts[0]));
        world.write(TO_CRM, &to_crm(conflicts[1]));
        let plain = world.sandbox().params("plain").expect("a plain system");
        let connections = std::fs::read_to_string(world.path("connections.yaml")).expect("our own");
        let entry = format!(
            "{connections}  erp:\n    connector: plain\n    params: {}\n    quiet_period: 500ms\n",
            json!({"server": plain["server"], "client_id": plain["client_id"], "client_secret": "${env:ERP_SECRET}"})
        );
        world.set("ERP_SECRET", &plain["client_secret"]);
        world.write("connections.yaml", &entry);
        world.impatient();
        world.control("clock", &json!({"plain": "upsert", "calls_per_s": 0, "calls_per_min": 0, "session_max_calls": 0, "session_ttl_ms": 7_200_000}));
        let addr = world.addr();
        // This person's sessions are older than anything that is done with them.
        world.sandbox().advance_ms(-60_000);
        let secret = &plain["client_secret"];
        let erp = call(
            addr,
            "POST",
            "/plain/token",
            "",
            &json!({"client_id": plain["client_id"], "client_secret": secret}),
        );
        let fx = world.sandbox().params("fxiaoke").expect("a CRM");
        let crm = call(
            addr,
            "POST",
            "/fx/oauth2.0/token?thirdTraceId=376c9e5c-2a9f-4d10-97b1-790e3359e3d5",
            "",
            &json!({"appId": fx["app_id"], "appSecret": fx["app_secret"], "permanentCode": fx["code"], "grantType": "app_secret"}),
        );
        world.sandbox().advance_ms(60_000);
        let text = |value: &Value| {
            value
                .as_str()
                .unwrap_or_else(|| panic!("no token: {crm} {erp}"))
                .to_owned()
        };
        Both {
            crm: format!(
                "authorization: Bearer {}\r\nx-fs-ea: {}\r\nx-fs-userid: {}\r\n",
                text(&crm["accessToken"]),
                text(&crm["ea"]),
                fx["user_id"]
            ),
            erp: format!("authorization: Bearer {}\r\n", text(&erp["access_token"])),
            world,
            by_hand: [0, 0],
        }
    }

    fn crm(&self, operation: &str, data: &Value) -> Value {
        let path =
            format!("/fx/cgi/crm/v2/data/{operation}?thirdTraceId=376c9e5c-2a9f-4d10-97b1-790e3359e3d5");
        let answer = call(
            self.world.addr(),
            "POST",
            &path,
            &self.crm,
            &json!({"data": data}),
        );
        assert_eq!(answer["errorCode"], 0, "{operation}: {answer}");
        answer
    }

    /// What the CRM has, by number, with the ids; and the same of the other system.
    fn state(&self) -> [BTreeMap<String, (String, Fields)>; 2] {
        let (mut crm, mut erp) = (BTreeMap::new(), BTreeMap::new());
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let fields = |of: &Value| -> Fields {
            let said = |name: &&str| (**name).to_owned();
            let value = |name: &&str| of.get(*name).filter(|value| !value.is_null()).map(text);
            let names = ["name"].iter().chain(&FIELDS);
            names
                .map(|name| (said(name), value(name).unwrap_or_default()))
                .collect()
        };
        for offset in (0..).step_by(100) {
            let answer = self.crm(
                "query",
                &json!({"dataObjectApiName": "AccountObj", "find_explicit_total_num": true, "search_query_info":
                    {"limit": 100, "offset": offset, "filters": [], "orders": [{"fieldName": "_id", "isAsc": true}]}}),
            );
            let rows = answer["data"]["dataList"].as_array().expect("rows");
            for row in rows {
                let known = crm.insert(text(&row["account_no"]), (text(&row["_id"]), fields(row)));
                assert_eq!(known, None, "an account twice: {row}");
            }
            if rows.len() < 100 {
                break;
            }
        }
        for page in 1.. {
            let path = format!("/plain/documents?page={page}&size=1000");
            let answer = call(self.world.addr(), "GET", &path, &self.erp, &Value::Null);
            let rows = answer["documents"].as_array().expect("rows");
            for row in rows {
                let said = (text(&row["id"]), fields(&row["document"]));
                let known = erp.insert(text(&row["key"]), said);
                assert_eq!(known, None, "a document twice: {row}");
            }
            if rows.len() < 1000 {
                break;
            }
        }
        [crm, erp]
    }

    /// A person writes a document, with all its fields.
    fn write(&mut self, system: usize, number: &str, id: &str, fields: &Fields) {
        let mut document = json!(fields);
        if system == 0 {
            document["_id"] = json!(id);
            document["dataObjectApiName"] = json!("AccountObj");
            self.crm("update", &json!({"object_data": document}));
        } else {
            document["key"] = json!(number);
            let path = format!("/plain/documents/{number}");
            call(self.world.addr(), "PUT", &path, &self.erp, &document);
        }
        self.by_hand[system] += 1;
    }

    /// Entries of the journal that the engine caused.
    fn written(&self) -> [usize; 2] {
        let journal = self.world.journal();
        let of = |form: &str| journal.iter().filter(|entry| entry.form == form).count();
        [
            of("AccountObj") - self.by_hand[0],
            of("documents") - self.by_hand[1],
        ]
    }

    /// A while ago: a window does not reach into the second that is still going on.
    fn earlier<T>(&mut self, what: impl FnOnce(&mut Self) -> T) -> T {
        self.world.sandbox().advance_ms(-30_000);
        let done = what(self);
        self.world.sandbox().advance_ms(30_000);
        done
    }

    fn make_some(&mut self) {
        self.earlier(|both| {
            for nth in 0..MADE {
                let fields: Fields = [("name".to_owned(), format!("云栖{nth}号"))].into();
                both.write(1, &format!("E{nth:04}"), "", &fields);
            }
        });
    }

    fn sync(&self, first: usize) {
        for scheme in [[TO_ERP, TO_CRM], [TO_CRM, TO_ERP]][first] {
            self.world.pass(scheme, 0);
        }
    }

    fn agree(&self) {
        let [crm, erp] = self.state();
        let numbers = |of: &BTreeMap<String, (String, Fields)>| of.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(numbers(&crm), numbers(&erp));
        for (number, (_, account)) in &crm {
            assert_eq!(account, &erp[number].1, "{number}");
        }
    }
}

/// splitmix64.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(end).expect("small")).expect("small")
    }
}

impl Both {
    /// So many edits, each document on one side only; gives how many documents of each side are then to be written, and
    /// what they say.
    fn edits(&mut self, random: &mut Random, count: usize) -> ([usize; 2], BTreeMap<String, Fields>) {
        let state = self.state();
        let numbers: Vec<String> = state[0].keys().cloned().collect();
        let side: Vec<usize> = numbers.iter().map(|_| random.below(2)).collect();
        let mut now: BTreeMap<usize, Fields> = BTreeMap::new();
        self.earlier(|both| {
            for _ in 0..count {
                let nth = random.below(numbers.len());
                let (id, before) = &state[side[nth]][&numbers[nth]];
                let fields = now.entry(nth).or_insert_with(|| before.clone());
                let value = match random.below(5) {
                    0 => String::new(),
                    value => format!("值{value}"),
                };
                fields.insert(FIELDS[random.below(FIELDS.len())].to_owned(), value);
                both.write(side[nth], &numbers[nth], id, fields);
            }
        });
        let mut wanted = [0, 0];
        for (nth, fields) in &now {
            let (_, before) = &state[side[*nth]][&numbers[*nth]];
            wanted[1 - side[*nth]] += usize::from(before != fields);
        }
        let said = now
            .into_iter()
            .map(|(nth, fields)| (numbers[nth].clone(), fields));
        (wanted, said.collect())
    }
}

#[test]
fn a_thousand_edits_on_both_sides_arrive_once_and_none_comes_back() {
    let mut both = Both::new(["hold", "hold"]);
    both.make_some();
    let [crm, _] = both.state();
    both.sync(0);
    both.sync(1);
    both.agree();
    assert_eq!(
        both.written(),
        [MADE, crm.len()],
        "each was made once on the other side"
    );
    let mut random = Random(7);
    for round in 0..10 {
        let before = both.written();
        let (wanted, said) = both.edits(&mut random, 100);
        both.sync(round % 2);
        let after = both.written();
        let written = [after[0] - before[0], after[1] - before[1]];
        assert_eq!(
            written, wanted,
            "round {round}: a write for a document that says something else"
        );
        both.agree();
        let [crm, _] = both.state();
        for (number, fields) in said {
            assert_eq!(crm[&number].1, fields, "round {round}: {number}");
        }
    }
    let before = both.written();
    both.sync(0);
    both.sync(1);
    assert_eq!(both.written(), before, "nothing comes back");
    both.world.verify();
}

/// Answers are lost, and processes die: nothing is made twice, and in the end both sides say the same.
#[test]
fn nothing_is_doubled_and_nothing_lost_while_calls_fail_and_processes_die() {
    let mut both = Both::new(["source_wins", "target_wins"]);
    both.make_some();
    let mut random = Random(11);
    let kinds = ["drop_after", "drop_before", "half_body", "http_500_after"];
    for round in 0..6 {
        for endpoint in ["putDocument", "data/update", "data/create"] {
            let (nth, kind) = (1 + random.below(4), kinds[random.below(kinds.len())]);
            both.world
                .control("fault", &json!({"endpoint": endpoint, "nth": nth, "kind": kind}));
        }
        for scheme in [TO_ERP, TO_CRM] {
            let mut run = both
                .world
                .command(&["run", scheme, "--settle-wait", "0s"])
                .start();
            // Somewhere in the middle, or behind the end.
            let patience = Duration::from_millis(u64::try_from(200 + random.below(1500)).expect("small"));
            if !run.wait(patience) {
                run.kill();
            }
        }
        both.world.sandbox().clear_faults();
        if round > 1 {
            let [crm, erp] = both.state();
            if crm.keys().eq(erp.keys()) {
                both.edits(&mut random, 20);
            }
        }
    }
    both.world.sandbox().clear_faults();
    for _ in 0..8 {
        for scheme in [TO_ERP, TO_CRM] {
            both.world.engine(&["run", scheme, "--settle-wait", "30s"]);
        }
    }
    both.agree();
    let before = both.written();
    both.sync(0);
    assert_eq!(both.written(), before);
    both.world.verify();
}

/// What only both files show, with the words of both languages.
#[test]
fn two_schemes_that_are_no_pair_are_refused() {
    let both = Both::new(["hold", "source_wins"]);
    let refused = both.world.engine(&["check", TO_ERP]);
    refused.expect(1).says("E1187").says("erp-to-crm");
    both.world.write(TO_CRM, &to_crm("hold"));
    both.world.engine(&["check", TO_ERP, TO_CRM]).expect(0);
    // What is on both sides beforehand.
    both.world.edit(TO_CRM, "  find: before_create\n", "");
    let warned = both.world.engine(&["check", TO_CRM]);
    warned.expect(0).says("W1188").says("erp-to-crm.yaml:21:1");
    both.world
        .edit(TO_CRM, "conflict: hold", "conflict: hold, linked: true");
    let checked = both.world.engine(&["check", TO_CRM]);
    checked.expect(0);
    assert!(!checked.to_string().contains("W1188"), "{checked}");
    // One that is switched off is no half of a pair.
    both.world
        .edit(TO_CRM, "scheme: erp-to-crm", "enabled: false\nscheme: erp-to-crm");
    let refused = both.world.engine(&["check", TO_ERP]);
    refused.expect(1).says("E1187").says("switched off");
    both.world.engine(&["check", TO_CRM]).expect(0);
    both.world.write(TO_CRM, &to_crm("hold"));
    both.world.edit(TO_ERP, "with: erp-to-crm", "with: erp-to-crn");
    let refused = both.world.engine(&["check", TO_ERP]);
    refused.expect(1).says("E1186").says("erp-to-crm");
    both.world
        .write(TO_ERP, &to_erp("hold").replace("key: _id", "key: [_id, name]"));
    both.world.engine(&["check", TO_ERP]).expect(1).says("E1195");
    both.world.write(TO_ERP, &to_erp("newest_wins"));
    both.world.engine(&["check", TO_ERP]).expect(1).says("newest_by");
}

/// Nobody knows what was edited on the other side while it cannot be read: nothing is written over it.
#[test]
fn nothing_is_written_while_the_partner_cannot_read() {
    let mut both = Both::new(["hold", "hold"]);
    both.make_some();
    both.sync(0);
    both.sync(1);
    let [crm, _] = both.state();
    let (number, (id, fields)) = crm.iter().next().expect("an account");
    let mut fields = fields.clone();
    fields.insert("tel".to_owned(), "1".to_owned());
    both.earlier(|both| both.write(0, number, id, &fields));
    let right = both.world.set("ERP_SECRET", "another").expect("it was set");
    let before = both.written();
    let run = both.world.pass(TO_ERP, 3);
    assert!(run.to_string().contains("E3084"), "{run:#}");
    assert_eq!(both.written(), before);
    // It can be read again: the edit arrives.
    both.world.set("ERP_SECRET", &right);
    both.sync(0);
    let [_, erp] = both.state();
    assert_eq!(erp[number].1["tel"], "1");
}

/// Whoever paused a scheme wants its systems left alone: the other one does not write without it, and says why.
#[test]
fn a_paused_partner_is_left_alone() {
    let mut both = Both::new(["hold", "hold"]);
    both.make_some();
    both.sync(0);
    both.sync(1);
    let [crm, _] = both.state();
    let (number, (id, fields)) = crm.iter().next().expect("an account");
    let mut fields = fields.clone();
    fields.insert("tel".to_owned(), "1".to_owned());
    both.earlier(|both| both.write(0, number, id, &fields));
    let pause = ["schemes", "pause", "erp-to-crm", "--reason", "stock taking"];
    both.world.engine(&pause).expect(0);
    let (before, asked) = (both.written(), both.world.calls("plain"));
    let ran = both.world.engine(&["run", TO_ERP, "--json"]).to_string();
    for words in ["E3084", "erp-to-crm was paused by", "stock taking"] {
        assert!(ran.contains(words), "{words}: {ran}");
    }
    assert_eq!(both.written(), before);
    assert_eq!(both.world.calls("plain"), asked, "its source is not called");
    let resume = ["schemes", "resume", "erp-to-crm", "--reason", "counted"];
    both.world.engine(&resume).expect(0);
    both.world.pass(TO_ERP, 0);
    assert_eq!(both.written(), [before[0], before[1] + 1]);
}

/// What a rehearsal would do is what the run does: an echo is not written, a conflict is held.
#[test]
fn a_rehearsal_shows_echoes_and_conflicts() {
    let mut both = Both::new(["hold", "hold"]);
    both.make_some();
    both.sync(0);
    both.sync(1);
    let [crm, erp] = both.state();
    let (number, (id, fields)) = crm.iter().next().expect("an account");
    let with = |value: &str| {
        let mut fields = fields.clone();
        fields.insert("tel".to_owned(), value.to_owned());
        fields
    };
    both.earlier(|both| {
        both.write(0, number, id, &with("1"));
        both.write(1, number, &erp[number].0, &with("2"));
    });
    let dry = both.world.engine(&["dry-run", TO_ERP, "--json"]);
    let said = dry.json().to_string();
    assert!(said.contains("E5043"), "{dry}");
    let before = both.written();
    let run = both.world.pass(TO_ERP, 1);
    assert_eq!(run["counts"]["held"], 1, "{run}");
    assert_eq!(both.written(), before);
    // One side is chosen.
    let ran = both.world.engine(&[
        "retry",
        "--scheme",
        "erp-to-crm",
        "--key",
        number,
        "--reason",
        "the customer said so",
        "--yes",
    ]);
    ran.expect(0);
    both.sync(1);
    both.sync(0);
    let [crm, erp] = both.state();
    assert_eq!(
        (&crm[number].1["tel"], &erp[number].1["tel"]),
        (&"2".to_owned(), &"2".to_owned())
    );
    let shown = both.world.engine(&["rows", "show", "--scheme", "crm-to-erp", id]);
    shown.expect(0).says("both sides were changed; erp-to-crm");
    let shown = both
        .world
        .engine(&["rows", "show", "--scheme", "crm-to-erp", id, "--json"]);
    both.world.valid("rows-show", &shown.json());
    assert_eq!(
        shown.json()["rows"][0]["two_way"][1]["lost"]["tel"],
        "1",
        "{shown}"
    );
}
