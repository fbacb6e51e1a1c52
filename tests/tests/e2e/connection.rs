//! `engine connection`: each step of a trial is told with the vendor's sentence, and no secret with it.

use serde_json::{Value, json};
use tests::e2e::{MAIN, Ran, World};

const FILE: &str = "connections.yaml";
const STEPS: [&str; 6] = ["settings", "dns", "tcp", "tls", "login", "call"];

/// Tries a connection, in both forms; gives the document, and what people are told.
#[track_caller]
fn trial(world: &World, name: &str, code: i32) -> (Value, Ran) {
    let told = world.engine(&["connection", "test", name]);
    told.expect(code);
    let ran = world.engine(&["connection", "test", name, "--json"]);
    ran.expect(code);
    let document = ran.json();
    world.valid("connection-test", &document);
    let steps = document["steps"].as_array().expect("steps");
    let names: Vec<&str> = steps.iter().filter_map(|step| step["name"].as_str()).collect();
    assert_eq!(names, STEPS, "{ran}");
    (document, told)
}

/// The states of the steps by their first letters: `o`k, `f`ailed, `n`ot made.
fn states(document: &Value) -> String {
    let steps = document["steps"].as_array().expect("steps");
    let first = |step: &Value| step["state"].as_str().and_then(|word| word.chars().next());
    steps.iter().filter_map(first).collect()
}

fn message<'d>(document: &'d Value, name: &str) -> &'d str {
    let at = STEPS.iter().position(|step| *step == name).expect("a step");
    document["steps"][at]["message"].as_str().expect("text")
}

#[test]
fn what_works_is_told_step_by_step() {
    let world = World::small();
    // Signed calls and no login; a login and no call that asks for nothing; both.
    for (name, want, call) in [
        ("huke", "ononno", "search_trades"),
        ("k3", "ononon", "no read operation"),
        ("jst", "ononoo", "order_list"),
        ("wdt", "ononno", "trade_query"),
        ("wdtu", "ononno", "trade_query"),
    ] {
        let (document, told) = trial(&world, name, 0);
        assert_eq!(states(&document), want, "{document:#}");
        assert!(message(&document, "call").contains(call), "{document:#}");
        assert_eq!(document["proven"], true);
        told.says("the connection works")
            .says("plain http: there is no TLS");
    }
    assert_eq!(world.journal().len(), 0, "nothing was written");
}

#[test]
fn a_wrong_secret_is_told_in_the_vendors_words() {
    for (name, variable, want, step, sentence) in [
        (
            "huke",
            "SANDBOX_HUKE_SECRET",
            "ononnf",
            "call",
            "ur-checksum 校验失败",
        ),
        (
            "k3",
            "SANDBOX_K3_SECRET",
            "ononfn",
            "login",
            "签名验证失败，请检查应用密钥",
        ),
    ] {
        let mut world = World::small();
        let wrong = "canary-wrong-5e77a1";
        world.set(variable, wrong);
        let (document, told) = trial(&world, name, 3);
        assert_eq!(states(&document), want, "{document:#}");
        assert!(message(&document, step).contains(sentence), "{document:#}");
        told.says(sentence).says("the connection does not work");
        for text in [&told.stdout, &told.stderr, &document.to_string()] {
            assert!(!text.contains(wrong), "{text}");
        }
        for (path, bytes) in world.left_behind() {
            let found = bytes
                .windows(wrong.len())
                .any(|window| window == wrong.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
}

/// A port at which nobody listens, and a name that nobody has: the step that fails says so, the rest is not made.
#[test]
fn a_server_that_is_not_there_is_told() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let closed = free.local_addr().expect("an address");
    drop(free);
    for (server, want, step, words) in [
        (
            format!("http://{closed}/"),
            "onfnnn",
            "tcp",
            "nobody accepted the connection",
        ),
        (
            "https://no-such-host.invalid/".to_owned(),
            "ofnnnn",
            "dns",
            "the host name was not found",
        ),
    ] {
        let world = World::small();
        let address = format!("http://{}/huke/openapi/", world.addr());
        world.edit(FILE, &address, &server);
        let (document, told) = trial(&world, "huke", 3);
        assert_eq!(states(&document), want, "{document:#}");
        assert!(message(&document, step).contains(words), "{document:#}");
        assert_eq!(message(&document, "call"), "a step before it failed");
        told.says(words);
    }
}

#[test]
fn what_is_missing_is_named_and_nothing_is_called() {
    let mut world = World::small();
    world.unset("SANDBOX_K3_SECRET");
    let (document, told) = trial(&world, "k3", 3);
    assert_eq!(states(&document), "fnnnnn", "{document:#}");
    told.says("${env:SANDBOX_K3_SECRET}")
        .warns("export SANDBOX_K3_SECRET=");
    let ran = world.engine(&["connection", "list", "--json"]);
    ran.expect(0);
    let listed = ran.json();
    world.valid("connection-list", &listed);
    let entry = |name: &str| {
        let all = listed["connections"].as_array().expect("a list");
        all.iter()
            .find(|one| one["name"] == name)
            .cloned()
            .expect("an entry")
    };
    assert_eq!(entry("k3")["missing"][0]["variable"], "SANDBOX_K3_SECRET");
    assert_eq!(entry("k3")["server"], format!("http://{}", world.addr()));
    assert_eq!(entry("huke")["missing"], json!([]));
    assert!(!ran.stdout.contains("sandbox-huke-secret"), "{ran}");
    assert_eq!(world.state()["calls"], json!({}));
    world
        .engine(&["connection", "test", "k4"])
        .expect(2)
        .warns("did you mean k3?");
}

/// A connection that is for the simulator only leads nowhere else.
#[test]
fn a_connection_for_the_simulator_is_not_called() {
    let world = World::small();
    world.edit(
        FILE,
        "    connector: kingdee-k3cloud",
        "    sandbox: true\n    connector: kingdee-k3cloud",
    );
    let ran = world.engine(&["connection", "test", "k3"]);
    ran.expect(2).warns("add --sandbox");
    // Nor is anything read whose writing it is for.
    for words in [["run", MAIN], ["dry-run", MAIN]] {
        world.engine(&words).expect(2).warns("add --sandbox");
    }
    assert_eq!(world.state()["calls"], json!({}));
    world.engine(&["connection", "test", "k3", "--sandbox"]).expect(0);
}

/// In the signed mode there is neither a login nor a call that asks for nothing: that proves nothing, and says so.
#[test]
fn what_was_not_proven_is_no_success() {
    let world = World::small();
    world.edit(FILE, "auth: login_by_sign", "auth: sign");
    let (document, told) = trial(&world, "k3", 1);
    assert_eq!(states(&document), "ononnn", "{document:#}");
    assert_eq!(document["proven"], false);
    told.says("has not seen the credentials");
}
