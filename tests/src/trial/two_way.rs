//! Accounts of a CRM and documents of another system, edited on both sides and carried both ways by the real binary.
//!
//! First in fine weather: each edit is one write on the other side, and nothing comes back. Then with lost answers, and
//! with `kill -9` in the runs: in the end both sides say what people said last, and nothing was made twice. Within a round
//! people edit a document on one side only, so that what it has to say is known.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use super::named::{Given, Say, Size, Trial};
use super::{Random, micros};
use crate::e2e::{Message, World, repository, send};

pub(super) const TRIAL: Trial = Trial {
    name: "twoway",
    what: "two schemes that carry the same documents both ways, edited on both sides: echoes, doubles, edits that were lost",
    sizes: &[
        Size {
            flag: "--edits",
            full: 1_000,
            small: 40,
        },
        Size {
            flag: "--kills",
            full: 100,
            small: 4,
        },
        Size {
            flag: "--seed",
            full: 1,
            small: 1,
        },
    ],
    run,
};

const TO_ERP: &str = "schemes/crm-to-erp.yaml";
const TO_CRM: &str = "schemes/erp-to-crm.yaml";
const CRM: usize = 0;
const ERP: usize = 1;
/// Fields that people edit, beside the name.
const FIELDS: [&str; 3] = ["tel", "address", "remark"];
/// Edits of a round.
const EDITS: u64 = 100;
/// Documents that people make in a round with kills, on each side.
const MADE: u64 = 2;
/// Documents of the other system at the start; the CRM has its own.
const AT_FIRST: u64 = 20;
/// Kills of a round.
const KILLS: u64 = 4;
/// The longest that an instant of a kill is drawn over.
const LONGEST: Duration = Duration::from_secs(4);
/// So many calls of a thousand go wrong while runs are killed.
const FAULTY: u64 = 250;
const KINDS: [&str; 5] = [
    "drop_before",
    "drop_after",
    "half_body",
    "http_500_before",
    "http_500_after",
];
/// What goes wrong: calls of both systems that write, and one that asks.
const ENDPOINTS: [&str; 4] = ["putDocument", "data/update", "data/create", "getDocuments"];
/// Runs of both schemes until everything is settled once nothing goes wrong any more.
const SETTLED_WITHIN: u32 = 12;

const CRM_TO_ERP: &str = "scheme: crm-to-erp
source:
  connection: crm
  api: query
  options: {object: AccountObj}
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
    tel: {$value: <<tel>>, $default: \"\"}
    address: {$value: <<address>>, $default: \"\"}
    remark: {$value: <<remark>>, $default: \"\"}
two_way: {with: erp-to-crm, conflict: hold}
schedule: {every: 6m}
";

const ERP_TO_CRM: &str = "scheme: erp-to-crm
source:
  connection: erp
  api: documents
  window: {first: -1d, overlap: 12h}
  key: key
  label: document.name
target:
  connection: crm
  api: {create: create, update: update}
  options: {object: AccountObj}
  key: account_no
  find: before_create
  request:
    object_data:
      account_no: <<key>>
      name: <<document.name>>
      tel: {$value: <<document.tel>>, $default: \"\"}
      address: {$value: <<document.address>>, $default: \"\"}
      remark: {$value: <<document.remark>>, $default: \"\"}
two_way: {with: crm-to-erp, conflict: hold}
schedule: {every: 6m}
";

type Fields = BTreeMap<String, String>;
/// By number: the id, and what it says.
type Docs = BTreeMap<String, (String, Fields)>;

fn run(given: &Given, say: Say<'_>) -> Result<String, String> {
    let seed = given.get("--seed");
    let broken = |why: String| format!("seed {seed}: {why}");
    let mut random = Random(seed);
    let fine = fine(&mut random, given.get("--edits"), say).map_err(broken)?;
    let rough = rough(&mut random, given.get("--kills"), say).map_err(broken)?;
    Ok(format!("{fine}; {rough}"))
}

fn fine(random: &mut Random, edits: u64, say: Say<'_>) -> Result<String, String> {
    let mut pair = Pair::new()?;
    let mut wanted = 0;
    let mut left = edits;
    while left > 0 {
        let count = left.min(EDITS);
        left -= count;
        let before = pair.written();
        let (writes, said) = pair.edits(random, count)?;
        let first = usize::from(random.below(2) == 0);
        for scheme in [[TO_ERP, TO_CRM], [TO_CRM, TO_ERP]][first] {
            pair.pass(scheme)?;
        }
        let after = pair.written();
        let written = [after[CRM] - before[CRM], after[ERP] - before[ERP]];
        if written != writes {
            return Err(format!(
                "{written:?} written, and {writes:?} documents say something else"
            ));
        }
        pair.agrees(&said)?;
        wanted += writes.iter().sum::<u64>();
        say(format!("twoway: {} edits", edits - left));
    }
    pair.is_quiet()?;
    Ok(format!(
        "{edits} edits on both sides: {wanted} documents say something else, {wanted} writes, 0 echoes"
    ))
}

fn rough(random: &mut Random, kills: u64, say: Say<'_>) -> Result<String, String> {
    let mut pair = Pair::new()?;
    let (mut done, mut edits, mut made, mut too_late, mut faulty) = (0, 0, 0, 0, 0);
    let mut length = LONGEST / 2;
    while done < kills {
        let (_, mut said) = pair.edits(random, EDITS / 4)?;
        edits += EDITS / 4;
        said.extend(pair.make(made, MADE)?);
        made += MADE;
        let plan = |endpoint: &&str| json!({"endpoint": endpoint, "kinds": KINDS, "per_mille": FAULTY, "seed": done});
        let plans: Vec<Value> = ENDPOINTS.iter().map(plan).collect();
        pair.world
            .control("fault", &json!({"clear": true, "plans": plans}));
        for nth in 0..KILLS {
            let scheme = [TO_ERP, TO_CRM][usize::from(nth % 2 == 1)];
            let mut process = pair
                .world
                .command(&["run", scheme, "--settle-wait", "2s", "--quiet"])
                .start();
            let ended = process.wait(Duration::from_micros(random.below(micros(length))));
            // How long runs take on this machine is learnt on the way.
            if ended || !process.kill() {
                too_late += 1;
                length = (length * 7 / 8).max(Duration::from_millis(50));
            } else {
                done += 1;
                length = (length * 9 / 8).min(LONGEST);
            }
        }
        for scheme in [TO_CRM, TO_ERP] {
            // Whatever it comes to: it is settled below.
            pair.world
                .engine(&["run", scheme, "--settle-wait", "2s", "--quiet"]);
        }
        faulty += pair.world.sandbox().struck().iter().sum::<u64>();
        pair.world.sandbox().clear_faults();
        pair.settle()?;
        pair.agrees(&said)
            .map_err(|why| format!("{why}\n{}", pair.world.engine(&["status"])))?;
        say(format!("twoway: {done} kills, {too_late} too late"));
        if too_late > 10 * kills + 40 {
            return Err(format!("{too_late} kills came too late, {done} did not"));
        }
    }
    pair.is_quiet()?;
    Ok(format!(
        "{done} kills and {faulty} calls that went wrong, {edits} edits and {} new documents meanwhile: 0 doubled, 0 edits lost",
        2 * made
    ))
}

/// Both systems, and a person who has access to both.
struct Pair {
    world: World,
    /// Headers of that person's calls, by system.
    headers: [String; 2],
    /// What people wrote, by system: as many entries of the journal.
    by_hand: [u64; 2],
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn call(to: SocketAddr, method: &str, path: &str, headers: &str, body: &Value) -> Result<Value, String> {
    let body = body.to_string();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n{headers}content-type: application/json\r\ncontent-length: {}",
        body.len()
    );
    let body = body.into_bytes();
    let answer = send(to, &Message { head, body }).map_err(|error| format!("{method} {path}: {error}"))?;
    match answer.status() {
        Some(200 | 201) => Ok(answer.json()),
        _ => Err(format!("{method} {path}: {}", answer.text())),
    }
}

const TRACE: &str = "thirdTraceId=376c9e5c-2a9f-4d10-97b1-790e3359e3d5";

impl Pair {
    /// Both systems with their documents, each of which is on the other side.
    fn new() -> Result<Pair, String> {
        let mut world = World::small();
        let read = |path: &str| std::fs::read_to_string(repository().join(path)).expect("it is there");
        world.write(
            "connectors/plain/connector.yaml",
            &read("tests/levels/connectors/plain/connector.yaml"),
        );
        // The rate of the CRM is not what this is about.
        let quick = read("connectors/fxiaoke/connector.yaml").replace("rate: 100/20s", "rate: 10000/20s");
        world.write("connectors/fxiaoke/connector.yaml", &quick);
        world.write(TO_ERP, CRM_TO_ERP);
        world.write(TO_CRM, ERP_TO_CRM);
        let plain = world.sandbox().params("plain").ok_or("no plain system")?;
        let fx = world.sandbox().params("fxiaoke").ok_or("no CRM")?;
        let connections = std::fs::read_to_string(world.path("connections.yaml")).expect("our own");
        let params = json!({"server": plain["server"], "client_id": plain["client_id"], "client_secret": "${env:ERP_SECRET}"});
        world.set("ERP_SECRET", &plain["client_secret"]);
        world.write(
            "connections.yaml",
            &format!(
                "{connections}  erp:\n    connector: plain\n    params: {params}\n    quiet_period: 500ms\n"
            ),
        );
        world.impatient();
        world.control("clock", &json!({"plain": "upsert", "calls_per_s": 0, "calls_per_min": 0, "session_max_calls": 0, "session_ttl_ms": 7_200_000}));
        let addr = world.addr();
        // A person's sessions are older than anything that is done with them.
        world.sandbox().advance_ms(-60_000);
        let client = json!({"client_id": plain["client_id"], "client_secret": plain["client_secret"]});
        let erp = call(addr, "POST", "/plain/token", "", &client)?;
        let app = json!({"appId": fx["app_id"], "appSecret": fx["app_secret"], "permanentCode": fx["code"], "grantType": "app_secret"});
        let crm = call(addr, "POST", &format!("/fx/oauth2.0/token?{TRACE}"), "", &app)?;
        world.sandbox().advance_ms(60_000);
        let headers = [
            format!(
                "authorization: Bearer {}\r\nx-fs-ea: {}\r\nx-fs-userid: {}\r\n",
                text(&crm["accessToken"]),
                text(&crm["ea"]),
                fx["user_id"]
            ),
            format!("authorization: Bearer {}\r\n", text(&erp["access_token"])),
        ];
        let mut pair = Pair {
            world,
            headers,
            by_hand: [0, 0],
        };
        pair.earlier(|pair| {
            (0..AT_FIRST).try_for_each(|nth| {
                let fields = Fields::from([("name".to_owned(), format!("云栖{nth}号"))]);
                pair.write(ERP, &format!("E{nth:04}"), "", &fields)
            })
        })?;
        let accounts = u64::try_from(pair.state()?[CRM].len()).unwrap_or_default();
        for scheme in [TO_ERP, TO_CRM, TO_CRM, TO_ERP] {
            pair.pass(scheme)?;
        }
        pair.agrees(&BTreeMap::new())?;
        match pair.written() {
            written if written == [AT_FIRST, accounts] => Ok(pair),
            written => Err(format!(
                "{written:?} written at first, not {AT_FIRST} and {accounts}"
            )),
        }
    }

    fn crm(&self, operation: &str, data: &Value) -> Result<Value, String> {
        let path = format!("/fx/cgi/crm/v2/data/{operation}?{TRACE}");
        let body = json!({"data": data});
        let answer = call(self.world.addr(), "POST", &path, &self.headers[CRM], &body)?;
        match answer["errorCode"].as_i64() {
            Some(0) => Ok(answer),
            _ => Err(format!("{operation}: {answer}")),
        }
    }

    /// What both have. A number that is there twice is an error.
    fn state(&self) -> Result<[Docs; 2], String> {
        let fields = |of: &Value| -> Fields {
            let value = |name: &&str| of.get(*name).filter(|value| !value.is_null()).map(text);
            let names = ["name"].iter().chain(&FIELDS);
            names
                .map(|name| ((*name).to_owned(), value(name).unwrap_or_default()))
                .collect()
        };
        let mut docs = [Docs::new(), Docs::new()];
        let mut add = |side: usize, number: &Value, id: &Value, of: &Value| {
            let known = docs[side].insert(text(number), (text(id), fields(of)));
            known.map_or(Ok(()), |other| {
                Err(format!("{number} is there twice: {other:?} and {of}"))
            })
        };
        for offset in (0..).step_by(100) {
            let asked = json!({"dataObjectApiName": "AccountObj", "find_explicit_total_num": true, "search_query_info":
                {"limit": 100, "offset": offset, "filters": [], "orders": [{"fieldName": "_id", "isAsc": true}]}});
            let answer = self.crm("query", &asked)?;
            let rows = answer["data"]["dataList"].as_array().ok_or("no accounts")?;
            rows.iter()
                .try_for_each(|row| add(CRM, &row["account_no"], &row["_id"], row))?;
            if rows.len() < 100 {
                break;
            }
        }
        for page in 1.. {
            let path = format!("/plain/documents?page={page}&size=1000");
            let answer = call(self.world.addr(), "GET", &path, &self.headers[ERP], &Value::Null)?;
            let rows = answer["documents"].as_array().ok_or("no documents")?;
            rows.iter()
                .try_for_each(|row| add(ERP, &row["key"], &row["id"], &row["document"]))?;
            if rows.len() < 1000 {
                break;
            }
        }
        Ok(docs)
    }

    /// A person writes a document, with all its fields; in the CRM, without an id, makes one.
    fn write(&mut self, side: usize, number: &str, id: &str, fields: &Fields) -> Result<(), String> {
        let mut document = json!(fields);
        if side == CRM {
            document["dataObjectApiName"] = json!("AccountObj");
            document["account_no"] = json!(number);
            let operation = match id {
                "" => "create",
                id => {
                    document["_id"] = json!(id);
                    "update"
                }
            };
            self.crm(operation, &json!({"object_data": document}))?;
        } else {
            document["key"] = json!(number);
            let path = format!("/plain/documents/{number}");
            call(self.world.addr(), "PUT", &path, &self.headers[ERP], &document)?;
        }
        self.by_hand[side] += 1;
        Ok(())
    }

    /// Writes of the engine so far, by system.
    fn written(&self) -> [u64; 2] {
        let journal = self.world.journal();
        let of = |form: &str| journal.iter().filter(|entry| entry.form == form).count();
        [(CRM, "AccountObj"), (ERP, "documents")]
            .map(|(side, form)| u64::try_from(of(form)).unwrap_or_default() - self.by_hand[side])
    }

    /// A while ago: a window does not reach into the second that is still going on.
    fn earlier<T>(&mut self, what: impl FnOnce(&mut Self) -> T) -> T {
        self.world.sandbox().advance_ms(-30_000);
        let done = what(self);
        self.world.sandbox().advance_ms(30_000);
        done
    }

    /// People edit, each document on one side only. Gives how many documents of each side are to be written then, and
    /// what documents have to say.
    fn edits(
        &mut self,
        random: &mut Random,
        count: u64,
    ) -> Result<([u64; 2], BTreeMap<String, Fields>), String> {
        let state = self.state()?;
        let numbers: Vec<&String> = state[CRM].keys().collect();
        let many = u64::try_from(numbers.len()).unwrap_or_default();
        let own: Vec<usize> = numbers
            .iter()
            .map(|_| usize::from(random.below(2) == 0))
            .collect();
        let mut now: BTreeMap<usize, Fields> = BTreeMap::new();
        self.earlier(|pair| {
            for _ in 0..count {
                let nth = usize::try_from(random.below(many)).unwrap_or(0);
                let (id, before) = &state[own[nth]][numbers[nth]];
                let fields = now.entry(nth).or_insert_with(|| before.clone());
                let value = match random.below(5) {
                    0 => String::new(),
                    value => format!("值{value}"),
                };
                let field = FIELDS[usize::try_from(random.below(3)).unwrap_or(0)];
                fields.insert(field.to_owned(), value);
                pair.write(own[nth], numbers[nth], id, fields)?;
            }
            Ok::<_, String>(())
        })?;
        let mut wanted = [0, 0];
        for (nth, fields) in &now {
            let (_, before) = &state[own[*nth]][numbers[*nth]];
            wanted[1 - own[*nth]] += u64::from(before != fields);
        }
        let said = now.into_iter();
        Ok((
            wanted,
            said.map(|(nth, fields)| (numbers[nth].clone(), fields)).collect(),
        ))
    }

    /// People make documents, so many on each side.
    fn make(&mut self, from: u64, count: u64) -> Result<BTreeMap<String, Fields>, String> {
        let mut said = BTreeMap::new();
        self.earlier(|pair| {
            for nth in from..from + count {
                for (side, letter) in [(CRM, 'N'), (ERP, 'M')] {
                    let mut fields = Fields::from([("name".to_owned(), format!("新{letter}{nth}号"))]);
                    for field in FIELDS {
                        fields.insert(field.to_owned(), String::new());
                    }
                    let number = format!("{letter}{nth:04}");
                    pair.write(side, &number, "", &fields)?;
                    said.insert(number, fields);
                }
            }
            Ok(said)
        })
    }

    fn pass(&self, scheme: &str) -> Result<(), String> {
        let ran = self.world.engine(&["run", scheme, "--json"]);
        match ran.code {
            Some(0) => Ok(()),
            _ => Err(ran.to_string()),
        }
    }

    /// Runs until both schemes have nothing left to do.
    fn settle(&self) -> Result<(), String> {
        let mut last = None;
        for _ in 0..SETTLED_WITHIN {
            let mut is_over = true;
            for scheme in [TO_ERP, TO_CRM] {
                let ran = self
                    .world
                    .engine(&["run", scheme, "--json", "--settle-wait", "60s"]);
                let document: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
                let states = &document["runs"][0]["states"];
                // What waits for the other scheme is no error of a run.
                let open = ["pending", "sending", "unknown"].map(|state| states[state].as_u64());
                is_over &= ran.code == Some(0) && open == [Some(0); 3];
                last = Some(ran);
            }
            if is_over {
                return Ok(());
            }
            // A system that failed is left alone for a while.
            super::killed::pause(Duration::from_secs(5));
        }
        Err(format!(
            "not settled: {}",
            last.map(|ran| ran.to_string()).unwrap_or_default()
        ))
    }

    /// Both say the same, and what people said last.
    fn agrees(&self, said: &BTreeMap<String, Fields>) -> Result<(), String> {
        let [crm, erp] = self.state()?;
        for number in crm.keys().chain(erp.keys()) {
            let of = |docs: &Docs| docs.get(number).map(|(_, fields)| fields.clone());
            if of(&crm) != of(&erp) {
                return Err(format!("{number}: {:?} and {:?}", of(&crm), of(&erp)));
            }
        }
        for (number, fields) in said {
            if crm.get(number).map(|(_, says)| says) != Some(fields) {
                return Err(format!(
                    "{number} is to say {fields:?}, and says {:?}",
                    crm.get(number)
                ));
            }
        }
        Ok(())
    }

    /// Nothing comes back, and the ledger is sound.
    fn is_quiet(&self) -> Result<(), String> {
        let before = self.written();
        for scheme in [TO_ERP, TO_CRM, TO_ERP] {
            self.pass(scheme)?;
        }
        let after = self.written();
        if before != after {
            return Err(format!("{before:?} were written, and without an edit {after:?}"));
        }
        self.world.verify();
        Ok(())
    }
}
