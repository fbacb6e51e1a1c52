//! Operations that a scheme writes itself, at a REST service of nobody: every way to say who is calling, reading and
//! writing while calls go wrong, and what is refused before anything is called.

use tests::e2e::{CUSTOMERS, World};

/// A way of authentication: what the connection says, and the credential with one letter changed.
struct Mode {
    auth: &'static str,
    params: &'static [(&'static str, &'static str)],
    wrong: (&'static str, &'static str),
}

const MODES: &[Mode] = &[
    Mode {
        auth: "bearer",
        params: &[("token", "sandbox-rest-token")],
        wrong: ("token", "sandbox-rest-tokeN"),
    },
    Mode {
        auth: "basic",
        params: &[("user", "sandbox"), ("password", "sandbox-rest-password")],
        wrong: ("password", "sandbox-rest-passworD"),
    },
    Mode {
        auth: "api_key_header",
        params: &[("key_name", "X-API-Key"), ("key", "sandbox-rest-key")],
        wrong: ("key", "sandbox-rest-keY"),
    },
    Mode {
        auth: "api_key_query",
        params: &[("key_name", "api_key"), ("key", "sandbox-rest-key")],
        wrong: ("key", "sandbox-rest-keY"),
    },
    Mode {
        auth: "client_credentials",
        params: &[
            ("client_id", "sandbox-rest-client"),
            ("client_secret", "sandbox-rest-client-secret"),
        ],
        wrong: ("client_secret", "sandbox-rest-client-secreT"),
    },
    Mode {
        auth: "refresh_token",
        params: &[
            ("client_id", "sandbox-rest-client"),
            ("client_secret", "sandbox-rest-client-secret"),
            ("refresh_token", "sandbox-rest-refresh"),
        ],
        wrong: ("refresh_token", "sandbox-rest-refresH"),
    },
    Mode {
        auth: "refresh_token_fixed",
        params: &[
            ("client_id", "sandbox-rest-client"),
            ("client_secret", "sandbox-rest-client-secret"),
            ("refresh_token", "sandbox-rest-refresh"),
        ],
        wrong: ("refresh_token", "sandbox-rest-refresH"),
    },
    Mode {
        auth: "hmac",
        params: &[
            ("access_key", "sandbox-rest-access"),
            ("secret_key", "sandbox-rest-signing"),
        ],
        wrong: ("secret_key", "sandbox-rest-signinG"),
    },
];

const READ: &str = "scheme: rest-read
source:
  connection: rest
  operation:
    kind: read
    method: GET
    path: api/customers
    encode: none
    query: {page: <<$page.number|text>>, size: <<$page.size|text>>}
    page: {by: number, first: 1, size: 7, max: 100, total: total}
    rows: {at: data}
  window: none
  key: no
  label: name
target: none
schedule: {every: 6m}
";

const WRITE: &str = "scheme: rest-write
source: {connection: huke, api: search_customers, window: none, key: cid, label: nick}
target:
  connection: rest
  operation:
    kind: write
    method: PUT
    path: api/customers/<<$record.no>>
    body: <<$record>>
    writes: [create, update]
    key: [no]
    types: {no: text}
    item: {id: id, number: no}
    proof: upsert
    unknown: {wait: 1s, none: resend}
  request: {no: <<cid>>, name: <<nick>>}
schedule: {every: 6m}
";

/// The connection with this way of authentication; secrets stand in variables.
fn world(mode: &Mode) -> World {
    let mut world = World::small();
    world.impatient();
    let params: String = mode
        .params
        .iter()
        .map(|(name, _)| format!("      {name}: \"${{env:OWN_{}}}\"\n", name.to_uppercase()))
        .collect();
    let old = "      auth: bearer\n      token: \"${env:SANDBOX_REST_TOKEN}\"\n";
    let new = format!("      auth: {}\n{params}", mode.auth);
    world.edit("connections.yaml", old, &new);
    // What is read and written here is more than a cautious minute allows.
    let fast = "connector: http\n    limits: {rate: 50/s}\n";
    world.edit("connections.yaml", "connector: http\n", fast);
    for (name, value) in mode.params {
        world.set(&format!("OWN_{}", name.to_uppercase()), value);
    }
    world.write("schemes/read.yaml", READ);
    world.write("schemes/write.yaml", WRITE);
    world
}

#[test]
fn every_way_to_say_who_is_calling() {
    for mode in MODES {
        let mut world = world(mode);
        let variable = format!("OWN_{}", mode.wrong.0.to_uppercase());
        let right = world.set(&variable, mode.wrong.1).expect("it was set before");
        let ran = world.engine(&["run", "schemes/read.yaml", "--json"]);
        assert_eq!(
            ran.json()["runs"][0]["counts"]["fetched"],
            0,
            "{}: {ran}",
            mode.auth
        );
        assert_ne!(ran.code, Some(0), "{}: {ran}", mode.auth);
        for (path, bytes) in world.left_behind() {
            let text = String::from_utf8_lossy(&bytes);
            let is_shown = text.contains(mode.wrong.1) && !path.to_string_lossy().contains("sessions");
            assert!(!is_shown, "{}: {}", mode.auth, path.display());
        }
        world.set(&variable, &right);
        world.go_wrong("rest/customers", &[(2, "half_body"), (4, "http_500_before")]);
        world.until_done("schemes/read.yaml", CUSTOMERS);
        world.go_wrong(
            "rest/customer",
            &[(3, "drop_after"), (6, "half_body"), (9, "msg_code_14")],
        );
        if mode.auth.contains("client_credentials") || mode.auth.contains("refresh") {
            world.go_wrong("rest/customer", &[(12, "session_lost")]);
        }
        world.until_done("schemes/write.yaml", CUSTOMERS);
        let effects = world.sandbox().effects();
        assert_eq!(effects.len(), CUSTOMERS, "{}", mode.auth);
        assert!(
            effects.iter().all(|one| one.creates == 1),
            "{}: {effects:?}",
            mode.auth
        );
        world.verify();
    }
}

/// Laid over an operation of a connector, which keeps its login, its signature and its answers.
#[test]
fn an_operation_laid_over_one_of_the_connector() {
    let world = World::small();
    let recorder = world.record();
    world.write(
        "schemes/over.yaml",
        "scheme: over
source:
  connection: huke
  api: search_customers
  operation: {headers: {x-eid: '7'}, page: {size: 10}}
  window: none
  key: cid
  label: nick
target: none
schedule: {every: 6m}
",
    );
    world.until_done("schemes/over.yaml", CUSTOMERS);
    let calls = recorder.calls("searchCustomers");
    assert!((3..=4).contains(&calls.len()), "pages of ten: {}", calls.len());
    for (request, _) in calls {
        assert_eq!(request.header("x-eid"), Some("7"));
        assert!(request.header("ur-checksum").is_some(), "signed as ever");
    }
}

#[test]
fn what_is_wrong_in_it_is_told_at_its_place() {
    let world = World::small();
    for (from, to, code, place) in [
        (
            "rows: {at: data}",
            "rows: {att: data}",
            "E1500",
            "read.yaml:11:12",
        ),
        ("kind: read", "kind: raed", "E1505", "read.yaml:5:11"),
        (
            "<<$page.number|text>>",
            "<<$page.nubmer|text>>",
            "E1203",
            "read.yaml:9:",
        ),
        ("    rows: {at: data}\n", "", "E1507", "read.yaml:5:5"),
        (
            "path: api/customers",
            "path: https://evil.example/x",
            "E1516",
            "read.yaml:7:11",
        ),
        (
            "  operation:\n    kind: read",
            "  operation:\n    extends: nothing\n    kind: read",
            "E1510",
            "read.yaml:5:14",
        ),
    ] {
        assert!(READ.contains(from), "{from}");
        world.write("schemes/read.yaml", &READ.replace(from, to));
        let ran = world.engine(&["check", "schemes/read.yaml"]);
        ran.expect(1).says(code).says(place);
    }
    // What the answer to a write has to say.
    let silent = WRITE.replace("    item: {id: id, number: no}\n", "");
    world.write("schemes/write.yaml", &silent);
    let ran = world.engine(&["check", "schemes/write.yaml"]);
    ran.expect(1).says("E1575").says("write.yaml:6:5");
    let by_status = "    outcome: [{when: 'http.status == 200', class: ok}]\n    proof: upsert\n";
    let told = silent.replace("    proof: upsert\n", by_status);
    world.write("schemes/write.yaml", &told);
    world.engine(&["check", "schemes/write.yaml"]).expect(0);
    // Several operations, and nothing that says which one is meant.
    world.write(
        "schemes/write.yaml",
        &WRITE.replace("  operation:\n", "  api: {create: a, update: b}\n  operation:\n"),
    );
    world
        .engine(&["check", "schemes/write.yaml"])
        .expect(1)
        .says("E1162");
    assert_eq!(world.calls("rest"), 0);
}

/// A value of a query as it went out.
fn asked_in(path: &str, name: &str) -> String {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let found = query
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let text = found.unwrap_or_else(|| panic!("{name} in {path}"));
    text.replace("%20", " ").replace('+', " ").replace("%3A", ":")
}

/// A request that says nothing of time gets the bounds where the scheme says, in its form and its zone; and the scheme
/// makes no more calls a day than it says, whatever its connection allows.
#[test]
fn bounds_and_limits_of_a_scheme_that_writes_its_operation() {
    let world = world(&MODES[0]);
    let recorder = world.record();
    let scheme = READ
        .replace("scheme: rest-read", "scheme: rest-since")
        .replace(
            "size: <<$page.size|text>>}",
            "size: <<$page.size|text>>, from: <<$request.changed.from>>, to: <<$request.changed.to|text>>}",
        )
        .replace(
            "  window: none\n",
            "  window:
    first: -2d
    start: {at: changed.from, as: datetime}
    end: {at: changed.to, as: ms}
    zone: America/New_York
  limits: {per_day: 2}
",
        );
    world.write("schemes/since.yaml", &scheme);
    let checked = world.engine(&["check", "schemes/since.yaml"]);
    assert_eq!(checked.code, Some(0), "{checked}");
    let ran = world.engine(&["run", "schemes/since.yaml"]);
    assert_ne!(ran.code, Some(0), "{ran}");
    let told = format!("{}{}", ran.stdout, ran.stderr);
    assert!(told.contains("E4043"), "{ran}");
    let calls = recorder.calls("api/customers");
    assert_eq!(calls.len(), 2);
    let zone = jiff::tz::TimeZone::get("America/New_York").expect("a zone");
    for (request, _) in &calls {
        let asked = |name: &str| asked_in(request.path(), name);
        let from: jiff::civil::DateTime = asked("from").parse().expect("a time");
        let from = from
            .to_zoned(zone.clone())
            .expect("a time")
            .timestamp()
            .as_millisecond();
        let to: i64 = asked("to").parse().expect("milliseconds");
        // A slice is a day at most; a text has whole seconds.
        assert_eq!((to - from).div_euclid(1_000), 86_400, "{from} to {to}");
    }
    // The day is spent for a second run, too.
    let again = world.engine(&["run", "schemes/since.yaml"]);
    assert!(
        format!("{}{}", again.stdout, again.stderr).contains("E4043"),
        "{again}"
    );
    assert_eq!(recorder.calls("api/customers").len(), 2);
}
