//! The shipped pair of schemes, accounts of the CRM and customers of an ERP, against both simulators: what people edit,
//! make and cancel on either side arrives once on the other, and nothing comes back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use tests::e2e::{World, repository};

use super::two_way::{Random, call};

const TO_ERP: &str = "schemes/fx-accounts-to-erp.yaml";
const TO_CRM: &str = "schemes/erp-accounts-to-fx.yaml";
const ACCOUNT: &str = "AccountObj";
const CUSTOMER: &str = "BD_Customer.BillHead";
const CRM: usize = 0;
const ERP: usize = 1;
/// What people edit beside the name: the field of the CRM, of the ERP.
const FIELDS: [[&str; 2]; 3] = [["tel", "phone"], ["address", "address"], ["remark", "remark"]];
/// Rounds of edits and then a run of both schemes, whoever is first.
const ROUNDS: usize = 10;
/// Edits of a round, a thousand in all; the CRM lets so many calls through in 20 seconds.
const EDITS: usize = 100;
const TRACE: &str = "thirdTraceId=376c9e5c-2a9f-4d10-97b1-790e3359e3d5";

/// What a document says, name and fields, in the words of the CRM.
type Said = BTreeMap<String, String>;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Doc {
    id: String,
    said: Said,
    cancelled: bool,
}

/// Documents by number.
type Docs = BTreeMap<String, Doc>;

/// Both systems, and people who work with them.
struct Both {
    world: World,
    crm: String,
    erp: String,
    /// Entries of the journal that people caused, by system.
    by_hand: [usize; 2],
    made: usize,
}

/// Of a round, by system: how many documents the engine must write there, and how many it must cancel there.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    writes: [usize; 2],
    voids: usize,
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn as_u64(number: usize) -> u64 {
    u64::try_from(number).expect("small")
}

impl Both {
    /// As shipped, but for who wins where both sides were changed.
    fn new([to_erp, to_crm]: [&str; 2]) -> Both {
        let world = World::small();
        let read = |path: &str| std::fs::read_to_string(repository().join(path)).expect("it is there");
        let own = read("connectors/fxiaoke/connector.yaml");
        let quick = own.replace("rate: 100/20s", "rate: 10000/20s");
        assert_ne!(own, quick);
        world.write("connectors/fxiaoke/connector.yaml", &quick);
        for (scheme, conflict) in [(TO_ERP, to_erp), (TO_CRM, to_crm)] {
            let shipped = read(scheme);
            let with = shipped.replace("conflict: hold", &format!("conflict: {conflict}"));
            assert!(with.contains(&format!("conflict: {conflict}")), "{with}");
            world.write(scheme, &with);
        }
        let at = "connector: fxiaoke-erp\n    params:\n";
        world.edit(
            "connections.yaml",
            at,
            &format!("{at}      finds_by_number: true\n"),
        );
        world.impatient();
        // This person's session is older than anything that is done with it.
        world.sandbox().advance_ms(-60_000);
        let fx = world.sandbox().params("fxiaoke").expect("a CRM");
        let token = call(
            world.addr(),
            "POST",
            &format!("/fx/oauth2.0/token?{TRACE}"),
            "",
            &json!({"appId": fx["app_id"], "appSecret": fx["app_secret"], "permanentCode": fx["code"], "grantType": "app_secret"}),
        );
        world.sandbox().advance_ms(60_000);
        let erp = world.sandbox().params("fxiaoke-erp").expect("an ERP");
        Both {
            crm: format!(
                "authorization: Bearer {}\r\nx-fs-ea: {}\r\nx-fs-userid: {}\r\n",
                text(&token["accessToken"]),
                text(&token["ea"]),
                fx["user_id"]
            ),
            erp: format!("token: {}\r\n", erp["token"]),
            world,
            by_hand: [0, 0],
            made: 0,
        }
    }

    fn crm(&self, operation: &str, data: &Value) -> Value {
        let path = format!("/fx/cgi/crm/v2/data/{operation}?{TRACE}");
        let body = json!({"data": data});
        let answer = call(self.world.addr(), "POST", &path, &self.crm, &body);
        assert_eq!(answer["errorCode"], 0, "{operation}: {answer}");
        answer
    }

    fn erp(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = call(self.world.addr(), method, path, &self.erp, body);
        assert_eq!(answer["code"], "0", "{path}: {answer}");
        answer["data"].clone()
    }

    /// What is in the CRM and in the ERP; a number that is there twice is a document made twice.
    fn state(&self) -> [Docs; 2] {
        let said = |of: &Value, side: usize| -> Said {
            let names = std::iter::once(["name"; 2]).chain(FIELDS);
            names
                .map(|name| {
                    let value = of.get(name[side]).filter(|value| !value.is_null()).map(text);
                    (name[CRM].to_owned(), value.unwrap_or_default())
                })
                .collect()
        };
        let (mut accounts, mut customers) = (Docs::new(), Docs::new());
        for offset in (0..).step_by(100) {
            let asked = json!({"dataObjectApiName": ACCOUNT, "find_explicit_total_num": true, "search_query_info":
                {"limit": 100, "offset": offset, "filters": [], "orders": [{"fieldName": "_id", "isAsc": true}]}});
            let answer = self.crm("query", &asked);
            let rows = answer["data"]["dataList"].as_array().expect("rows");
            for row in rows {
                let doc = Doc {
                    id: text(&row["_id"]),
                    said: said(row, CRM),
                    cancelled: false,
                };
                let known = accounts.insert(text(&row["account_no"]), doc);
                assert_eq!(known, None, "an account twice: {row}");
            }
            if rows.len() < 100 {
                break;
            }
        }
        for offset in (0..).step_by(1000) {
            let answer = self.erp(
                "GET",
                &format!(
                    "/erp-sim/queryMasterBatch?objAPIName={CUSTOMER}&startTime=1000000000000&endTime=9999999999999\
                     &includeDetail=false&offset={offset}&limit=1000"
                ),
                &Value::Null,
            );
            let rows = answer["dataList"].as_array().expect("rows");
            for row in rows {
                let row = &row["masterFieldVal"];
                let doc = Doc {
                    id: text(&row["id"]),
                    said: said(row, ERP),
                    cancelled: row["status"] == "cancelled",
                };
                let known = customers.insert(text(&row["number"]), doc);
                assert_eq!(known, None, "a customer twice: {row}");
            }
            if rows.len() < 1000 {
                break;
            }
        }
        [accounts, customers]
    }

    /// A person writes a document: with an id it is there, without one it is made.
    fn write(&mut self, side: usize, number: &str, id: Option<&str>, said: &Said, cancelled: bool) {
        let mut document = json!({"name": said["name"]});
        for name in FIELDS {
            document[name[side]] = json!(said.get(name[CRM]).map_or("", String::as_str));
        }
        if side == CRM {
            document["dataObjectApiName"] = json!(ACCOUNT);
            document["account_no"] = json!(number);
            match id {
                Some(id) => document["_id"] = json!(id),
                None => self.made += 1,
            }
            let operation = if id.is_some() { "update" } else { "create" };
            self.crm(operation, &json!({"object_data": document}));
        } else {
            document["number"] = json!(number);
            match id {
                Some(id) => document["id"] = json!(id),
                None => self.made += 1,
            }
            if cancelled {
                document["status"] = json!("cancelled");
            }
            let operation = if id.is_some() { "update" } else { "create" };
            let body = json!({"objAPIName": CUSTOMER, "masterFieldVal": document, "detailFieldVals": {}});
            self.erp("POST", &format!("/erp-sim/{operation}"), &body);
        }
        self.by_hand[side] += 1;
    }

    /// What the engine wrote, by system, and how much of it in the CRM cancels.
    fn written(&self) -> ([usize; 2], usize) {
        let journal = self.world.journal();
        let of = |form: &str| journal.iter().filter(|entry| entry.form == form).count();
        let voids = journal
            .iter()
            .filter(|entry| entry.form == ACCOUNT && entry.action == "delete");
        (
            [of(ACCOUNT) - self.by_hand[CRM], of(CUSTOMER) - self.by_hand[ERP]],
            voids.count(),
        )
    }

    /// A while ago: a window does not reach into the second that is still going on.
    fn earlier<T>(&mut self, what: impl FnOnce(&mut Self) -> T) -> T {
        self.world.sandbox().advance_ms(-30_000);
        let done = what(self);
        self.world.sandbox().advance_ms(30_000);
        done
    }

    fn sync(&self, first: usize) {
        for scheme in [[TO_ERP, TO_CRM], [TO_CRM, TO_ERP]][first] {
            self.world.engine(&["run", scheme]).expect(0);
        }
    }

    /// Both sides say the same of everything that is not cancelled, and that is not in the CRM any more.
    fn agree(&self, what: &str) {
        let [accounts, customers] = self.state();
        let numbers = |of: &Docs, cancelled| -> BTreeSet<String> {
            let some = of.iter().filter(|(_, doc)| doc.cancelled == cancelled);
            some.map(|(number, _)| number.clone()).collect()
        };
        assert_eq!(numbers(&accounts, false), numbers(&customers, false), "{what}");
        for (number, account) in &accounts {
            assert_eq!(account.said, customers[number].said, "{what}: {number}");
        }
    }

    /// So many edits by people, of whom each has their own values; `meet`: on both sides of one document, too. Some make
    /// documents, and some cancel one in the ERP that nobody edits. Gives what the engine has to write then, and what
    /// documents say in the end, where the CRM wins.
    fn edits(&mut self, random: &mut Random, count: usize, meet: bool) -> (Wanted, BTreeMap<String, Said>) {
        let state = self.state();
        let live: Vec<String> = state[CRM].keys().cloned().collect();
        let own: Vec<usize> = live.iter().map(|_| random.below(2)).collect();
        let mut now: BTreeMap<(usize, usize), Said> = BTreeMap::new();
        let mut wanted = Wanted::default();
        let mut in_the_end = BTreeMap::new();
        self.earlier(|both| {
            let cancelled = random.below(live.len());
            for _ in 0..count {
                let nth = random.below(live.len());
                if nth == cancelled {
                    continue;
                }
                let side = if meet { random.below(2) } else { own[nth] };
                let before = &state[side][&live[nth]];
                let said = now.entry((nth, side)).or_insert_with(|| before.said.clone());
                let value = match random.below(5) {
                    0 => String::new(),
                    value => format!("{}{value}", ["客", "企"][side]),
                };
                said.insert(FIELDS[random.below(FIELDS.len())][CRM].to_owned(), value);
                both.write(side, &live[nth], Some(&before.id), said, false);
            }
            for side in [CRM, ERP] {
                let (number, name) = (format!("N{side}{:04}", both.made), format!("新{}号", both.made));
                let said: Said = [("name".to_owned(), name)].into();
                both.write(side, &number, None, &said, false);
                wanted.writes[1 - side] += 1;
            }
            let gone = &state[ERP][&live[cancelled]];
            both.write(ERP, &live[cancelled], Some(&gone.id), &gone.said, true);
            wanted.voids += 1;
            wanted.writes[CRM] += 1;
        });
        for (nth, number) in live.iter().enumerate() {
            let changed = |side: usize| {
                let said = now.get(&(nth, side))?;
                (*said != state[side][number].said).then_some(said)
            };
            let winner = [CRM, ERP]
                .into_iter()
                .find_map(|side| changed(side).map(|said| (side, said)));
            if let Some((side, said)) = winner {
                wanted.writes[1 - side] += 1;
                in_the_end.insert(number.clone(), said.clone());
            }
        }
        (wanted, in_the_end)
    }

    /// Edits of what stands on one side, whatever the other side says by now.
    fn touch(&mut self, random: &mut Random, count: usize) {
        let state = self.state();
        self.earlier(|both| {
            for nth in 0..count {
                let side = random.below(2);
                let Some((number, doc)) = state[side].iter().nth(random.below(state[side].len().max(1)))
                else {
                    continue;
                };
                let mut said = doc.said.clone();
                said.insert(
                    FIELDS[random.below(FIELDS.len())][CRM].to_owned(),
                    format!("{side}值{nth}"),
                );
                both.write(side, number, Some(&doc.id), &said, false);
            }
            let said: Said = [("name".to_owned(), format!("新{}号", both.made))].into();
            let (side, number) = (random.below(2), format!("N{:04}", both.made));
            both.write(side, &number, None, &said, false);
        });
    }

    /// The first run of both: what either side has of its own is made once on the other.
    fn first(&self, first: usize) {
        let [accounts, customers] = self.state();
        assert!(!accounts.is_empty() && !customers.is_empty());
        assert!(
            accounts.keys().all(|number| !customers.contains_key(number)),
            "{customers:?}"
        );
        self.sync(first);
        let made = [customers.len(), accounts.len()];
        assert_eq!(self.written(), (made, 0), "each document was made once");
        self.agree("the first run");
    }

    /// Rounds of edits, and a run of both schemes after each.
    fn play(&mut self, seed: u64, meet: bool) {
        self.first(0);
        let mut random = Random(seed);
        for round in 0..ROUNDS {
            let what = format!("seed {seed}, round {round}");
            let (before, voided) = self.written();
            let (wanted, in_the_end) = self.edits(&mut random, EDITS, meet);
            self.sync(random.below(2));
            let (after, voids) = self.written();
            let did = Wanted {
                writes: [after[CRM] - before[CRM], after[ERP] - before[ERP]],
                voids: voids - voided,
            };
            assert_eq!(
                did, wanted,
                "{what}: a write for each document that says something else"
            );
            self.agree(&what);
            let [accounts, _] = self.state();
            for (number, said) in in_the_end {
                assert_eq!(accounts[&number].said, said, "{what}: {number}");
            }
        }
        let before = self.written();
        self.sync(0);
        self.sync(1);
        assert_eq!(self.written(), before, "nothing comes back");
        self.world.verify();
    }
}

/// Answers are lost and processes killed while both sides are edited, made and carried; in the end there is one document
/// for each on either side, both say the same, and nothing is written any more.
#[test]
fn nothing_is_doubled_while_answers_are_lost_and_processes_die() {
    let mut both = Both::new(["source_wins", "target_wins"]);
    let mut random = Random(23);
    let kinds = ["drop_after", "drop_before", "half_body", "http_500_after"];
    for _ in 0..6 {
        for endpoint in ["erp/create", "erp/update", "data/create", "data/update"] {
            let (nth, kind) = (1 + random.below(6), kinds[random.below(kinds.len())]);
            both.world.go_wrong(endpoint, &[(as_u64(nth), kind)]);
        }
        for scheme in [TO_ERP, TO_CRM] {
            let words = ["run", scheme, "--settle-wait", "0s"];
            let mut run = both.world.command(&words).start();
            // Somewhere in the middle, or behind the end.
            if !run.wait(Duration::from_millis(200 + as_u64(random.below(2000)))) {
                run.kill();
            }
        }
        both.world.sandbox().clear_faults();
        both.touch(&mut random, 30);
    }
    // A lost answer is asked about, what it held up goes on, and what that was for comes back: three turns, and as many
    // for what the last kill left.
    for _ in 0..6 {
        for scheme in [TO_ERP, TO_CRM] {
            both.world.engine(&["run", scheme, "--settle-wait", "30s"]);
        }
    }
    both.agree("in the end");
    let before = both.written();
    both.sync(0);
    both.sync(1);
    assert_eq!(both.written(), before, "nothing comes back");
    both.world.verify();
}

/// A run lets the other scheme read, so the two go one after the other, whoever asks for what.
#[test]
fn the_two_of_a_pair_never_run_at_once() {
    let both = Both::new(["hold", "hold"]);
    let of_the_erp = both.state()[ERP].len();
    // Long enough for the other one to begin in, if it may.
    let slow = json!({"endpoint": "erp/create", "nth": 2, "kind": "delay", "delay_ms": 3000});
    both.world.control("fault", &slow);
    let mut served = both.world.serve(&[]);
    let token = std::fs::read_to_string(both.world.path("token")).expect("made before the start");
    let pair = ["fx-accounts-to-erp", "erp-accounts-to-fx"];
    served.wait_until("the first is written", |_| both.written().0[ERP] > 0);
    for _ in 0..2 {
        for scheme in pair {
            let path = format!("/api/v1/schemes/{scheme}/actions/run");
            let answer = served.call("POST", &path, token.trim(), "{}");
            assert_eq!(answer.status(), Some(202), "{}", answer.text());
        }
    }
    served.wait_until("both have run since", |served| {
        let ended = |scheme| {
            let is = |told: &&Value| told["event"] == "run.ended" && told["scheme"] == scheme;
            served.seen().iter().filter(is).count()
        };
        pair.into_iter().all(|scheme| ended(scheme) > 1)
    });
    served.wait_until("what the ERP had is in the CRM", |_| {
        both.written().0[CRM] == of_the_erp
    });
    let mut under_way = None;
    for told in served.seen() {
        let Some(scheme) = told["scheme"].as_str().filter(|scheme| pair.contains(scheme)) else {
            continue;
        };
        match told["event"].as_str() {
            Some("run.began") => assert_eq!(under_way.replace(scheme), None, "{:#?}", served.seen()),
            Some("run.ended") => assert_eq!(under_way.take(), Some(scheme), "{:#?}", served.seen()),
            _ => {}
        }
    }
}

/// Both sides have documents that the other one does not know, whichever scheme runs first.
#[test]
fn what_either_side_has_is_made_once_on_the_other() {
    for first in [0, 1] {
        let both = Both::new(["hold", "hold"]);
        both.first(first);
        let before = both.written();
        both.sync(first);
        both.sync(1 - first);
        assert_eq!(both.written(), before, "nothing comes back");
        both.world.verify();
    }
}

#[test]
fn a_thousand_edits_of_accounts_arrive_once_and_none_comes_back() {
    Both::new(["hold", "hold"]).play(17, false);
}

/// The same account edited on both sides: the CRM wins, and the ERP says the same afterwards.
#[test]
fn a_thousand_edits_that_meet_end_as_the_policy_says() {
    Both::new(["source_wins", "target_wins"]).play(19, true);
}
