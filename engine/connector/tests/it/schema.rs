//! The JSON Schemas, the table of keys and the loaders refuse the same keys and words.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use connector::holds::{Holds, holds};
use connector::keys::{KEYS, Place, State, at};
use connector::schema::{connections_schema, connector_schema};
use connector::{Connector, connections};
use dsl::{Lang, SourceFile, Value};

use crate::common::connectors;

/// What the built-in connectors leave unsaid: the places that none of them has.
const OTHERS: &str = r#"
connector: others
name: others
params: {server: {type: url}, user: {type: text}, password: {type: text, secret: true}}
hosts: [<<$param.server>>]
auth: {basic: [<<$param.user>>, <<$param.password>>], headers: {x-a: b}}
sign: {let: {s: req.body | md5 | hex}, headers: {x-s: <<$let.s>>}}
outcome: [{when: http.status == 200, class: ok}, {when: http.status == 420, class: quota_stop, until: midnight}]
limits: {rate: 10/s, scope: app, app: [user], concurrency: 2, per_day: 1000}
forms: {"*": {id: id, key: [number], number: number, proof: query, label: rest, entries: [lines]}}
operations:
  list:
    kind: read
    method: GET
    path: list
    filter: {as: conditions, names: {field: f, op: o, value: v}, ops: {eq: "="}}
    fields: {as: list}
    window: {max: 1h, keeps: 30d}
    page: {by: number, first: 1, size: 10, max: 10, more: short, order: fixed, total_on: every}
    rows: {at: data, columns: fields}
    limits: {rate: 1/s, concurrency: 1}
  hook:
    kind: receive
    path: hook
    accept: [json]
    verify: {given: headers.token, equals: password, at: "now('unix_ms')", within: 1m}
    push: {id: body.id, void: body.gone, rows: body, ok: body.id is defined}
    answer: {stored: {status: 200, headers: {a: b}, body: {ok: true}}, refused: {status: 401}}
  pages:
    kind: read
    path: pages
    filter: {as: sql_text}
    page: {by: offset, size: 10, max: 10, more: short, multiple: true, ceiling: 1000, then: {by: key, field: id}}
    rows: {at: data}
  save:
    kind: write
    path: save
    encode: json
    options: {FormId: {type: text, required: true, send: false, needed_when: update_with_lines}}
    body: {rows: <<$records>>}
    writes: [create, update]
    key: number
    batch: {max: 10}
    types: {number: text}
    items: {all: body.rows, good_when: item.ok, index: {key: number, record: number}, id: id, neither: unknown}
    proof: query
    unknown: {wait: 10s, ask: list, fields: {id: id}, by: key, none: resend, many: hold}
    async: {task: task, poll: told, option: id, every: 1s, until: body.done, take: result, timeout: 1m}
  told:
    kind: call
    path: told
    options: {id: {type: text, required: true}, FormId: {type: text, required: true}}
    body: <<$options>>
    describes: {option: FormId, head: body.fields, also: "[body.id]", name: name, lists: body.lists, list_name: name, list_fields: fields}
  one:
    kind: write
    path: one
    body: <<$record>>
    writes: [create]
    key: number
    item: {id: id, number: number}
    proof: none
tests:
  - name: one
    operation: one
    records: 1
    answer: {status: 200, headers: {a: b}, json: {id: 7}}
    expect: {class: ok, items: [{ok: true, id: "7"}]}
  - name: pushed
    operation: hook
    push: {method: POST, now: 1, headers: {token: made-up}, query: {a: b}, json: {id: 7}}
    expect: {id: "7", void: false, rows: [{id: 7}], reply: {ok: true}}
  - name: signed
    sign: {now: 1, method: POST, path: /one, body: "{}"}
    expect: {headers: {x-s: 99914b932bd37a50b983c5e7c90ae93b}}
"#;

const CONNECTIONS: &str = r#"
connections:
  huke:
    connector: netease-huke
    params: {key: k, secret: "${secret:huke}"}
    limits: {rate: 60/min, concurrency: 1, per_day: 1000, hours: ["22:00-06:00"]}
    timeouts: {connect: 1s, first_byte: 2s, idle: 3s, total: 4s}
    quiet_period: 5m
    sandbox: false
    allow_plain_http: false
    private_network: true
    proxy: {url: "http://proxy.example.com:3128", user: office, password: "${secret:proxy}"}
    tls: {ca_file: certs/company.pem}
    note: ours
    env:
      test: {params: {key: t}, limits: {rate: 30/min}, timeouts: {total: 9s}, note: $drop}
"#;

/// A step into a value.
#[derive(Debug, Clone)]
enum Step {
    Key(String),
    Nth(usize),
}

fn value_of(text: &str) -> Value {
    let file = SourceFile::new("file.yaml", text);
    dsl::yaml::read(&file).expect("YAML").plain_value()
}

fn below<'v>(value: &'v mut Value, path: &[Step]) -> &'v mut Value {
    path.iter().fold(value, |value, step| match (step, value) {
        (Step::Key(key), Value::Map(map)) => map.get_mut(key).expect("a path of this value"),
        (Step::Nth(nth), Value::List(list)) => list.get_mut(*nth).expect("a path of this value"),
        (step, _) => panic!("{step:?} leads nowhere"),
    })
}

/// Every map of a file whose keys are the table's.
fn maps(value: &Value, place: Place, path: &mut Vec<Step>, found: &mut Vec<(Place, Vec<Step>)>) {
    let Value::Map(map) = value else { return };
    found.push((place, path.clone()));
    for (key, inner) in map {
        let Some(row) = at(place).find(|row| row.name == key) else {
            continue;
        };
        path.push(Step::Key(key.clone()));
        match (holds(row), inner) {
            (Holds::Block(place) | Holds::TextOrBlock(place), _) => maps(inner, place, path, found),
            (Holds::Either(one, other), Value::Map(members)) => {
                let place = if members.contains_key("modes") { one } else { other };
                maps(inner, place, path, found);
            }
            (Holds::Blocks(place), Value::Map(members)) => {
                for (name, member) in members {
                    path.push(Step::Key(name.clone()));
                    maps(member, place, path, found);
                    path.pop();
                }
            }
            (Holds::Rows(place), Value::List(items)) => {
                for (nth, item) in items.iter().enumerate() {
                    path.push(Step::Nth(nth));
                    maps(item, place, path, found);
                    path.pop();
                }
            }
            _ => {}
        }
        path.pop();
    }
}

/// Files that differ from a good one by one misspelt key or word, with what was done to them.
fn misspelt(good: &Value, root: Place, seen: &mut BTreeSet<(Place, String)>) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    maps(good, root, &mut Vec::new(), &mut found);
    let mut bent = Vec::new();
    for (place, path) in found {
        // Every key of the table once: where it stands renamed, elsewhere added.
        for row in at(place) {
            let mut copy = good.clone();
            let Value::Map(map) = below(&mut copy, &path) else {
                continue;
            };
            let held = map.get(row.name).cloned();
            let mark = format!("{}{}", row.name, if held.is_some() { "" } else { "+" });
            if !seen.insert((place, mark)) {
                continue;
            }
            let wrong = format!("{}q", row.name);
            map.shift_remove(row.name);
            map.insert(wrong.clone(), held.clone().unwrap_or(Value::from("x")));
            bent.push((format!("{place:?}.{wrong}"), copy));
            if row.state == State::Later {
                let mut copy = good.clone();
                let Value::Map(map) = below(&mut copy, &path) else {
                    continue;
                };
                map.insert(row.name.to_owned(), Value::from("x"));
                bent.push((format!("{place:?}.{} of a later version", row.name), copy));
            }
            if let (Some(Value::Text(word)), Holds::Word(_)) = (&held, holds(row)) {
                let mut copy = good.clone();
                let Value::Map(map) = below(&mut copy, &path) else {
                    continue;
                };
                map.insert(row.name.to_owned(), Value::from(format!("{word}q")));
                bent.push((format!("{place:?}.{}: {word}q", row.name), copy));
            }
        }
    }
    bent
}

fn json(value: &Value) -> serde_json::Value {
    serde_json::from_str(&dsl::json::to_string(value)).expect("our own JSON")
}

fn loads(value: &Value) -> bool {
    let file = SourceFile::new("connector.yaml", dsl::json::to_string(value));
    connector::load(&file, &functions::registry()).is_ok()
}

#[track_caller]
fn agree(
    schema: &serde_json::Value,
    files: &[(String, String)],
    root: Place,
    loads: impl Fn(&Value) -> bool,
    is_mine: impl Fn(Place) -> bool,
) {
    let schema = jsonschema::validator_for(schema).expect("a schema");
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (name, text) in files {
        let good = value_of(text);
        assert!(loads(&good), "{name} is no good file");
        if let Some(error) = schema.iter_errors(&json(&good)).next() {
            wrong.push(format!(
                "{name} is good, and the schema says: {}: {error}",
                error.instance_path()
            ));
        }
        for (what, bent) in misspelt(&good, root, &mut seen) {
            count += 1;
            let (loaded, valid) = (loads(&bent), schema.is_valid(&json(&bent)));
            if loaded || valid {
                wrong.push(format!(
                    "{name}, {what}: the loader accepts {loaded}, the schema {valid}"
                ));
            }
        }
    }
    let all: BTreeSet<Place> = KEYS
        .iter()
        .map(|row| row.place)
        .filter(|place| is_mine(*place))
        .collect();
    let reached: BTreeSet<Place> = seen.iter().map(|(place, _)| *place).collect();
    assert_eq!(reached, all, "places of the table that no file has");
    assert!(count > 40, "only {count} misspelt files");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn of_connections(place: Place) -> bool {
    use Place as P;
    matches!(
        place,
        P::Connections
            | P::Connection
            | P::ConnectionEnv
            | P::ConnectionLimits
            | P::Timeouts
            | P::Proxy
            | P::Tls
    )
}

#[test]
fn schema_and_loader_refuse_the_same_keys_of_connectors() {
    let builtin = connector::builtin().iter();
    let mut files: Vec<(String, String)> = builtin
        .map(|(id, text)| ((*id).to_owned(), (*text).to_owned()))
        .collect();
    files.push(("others".to_owned(), OTHERS.to_owned()));
    agree(
        &connector_schema(Lang::En),
        &files,
        Place::Connector,
        loads,
        |place| !of_connections(place),
    );
}

#[test]
fn schema_and_loader_refuse_the_same_keys_of_connections() {
    let known = connectors();
    let loads = |value: &Value| {
        let file = SourceFile::new("connections.yaml", dsl::json::to_string(value));
        connections::load(&file, &known, &functions::registry()).is_ok()
    };
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connections.yaml");
    let own = std::fs::read_to_string(own).expect("the repository has it");
    let files = [("small", CONNECTIONS), ("connections.yaml", &own)];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let schema = connections_schema(Lang::Zh, &known);
    agree(&schema, &files, Place::Connections, loads, of_connections);
    // Parameters are the connector's, in the base and in every environment; a secret is a reference.
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    for (from, to) in [
        ("{key: k,", "{kay: k,"),
        ("{key: t}", "{kay: t}"),
        ("\"${secret:huke}\"", "in-clear"),
        ("netease-huke", "netease-hook"),
    ] {
        assert!(CONNECTIONS.contains(from), "{from}");
        let bent = value_of(&CONNECTIONS.replacen(from, to, 1));
        assert!(!loads(&bent) && !schema.is_valid(&json(&bent)), "{to}");
    }
}

/// The block that `connectors show` prints is a connection to which nothing but the secrets is missing.
#[test]
fn the_example_of_every_connector_is_a_connection() {
    let known: Vec<Arc<Connector>> = connectors();
    let schema = connections_schema(Lang::En, &known);
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    for one in &known {
        let text = format!("connections:\n{}", one.example("mine"));
        let file = SourceFile::new("connections.yaml", text.as_str());
        let loaded = connections::load(&file, &known, &functions::registry())
            .unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"));
        assert!(loaded.check_all().is_empty(), "{text}\n{:#?}", loaded.check_all());
        assert!(schema.is_valid(&json(&value_of(&text))), "{text}");
        for param in one.params().iter().filter(|param| param.secret) {
            let line = text
                .lines()
                .find(|line| line.contains(&format!("{}: ", param.name)));
            assert!(line.is_none_or(|line| line.contains("${secret:")), "{text}");
        }
        assert!(one.facts().is_some(), "{}", one.id());
        assert!(!one.auth_modes().is_empty());
    }
}
