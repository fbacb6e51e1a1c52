//! Commands that ask a running server: `--server URL --token-file FILE`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tests::e2e::{CUSTOMERS, FEEDER, MAIN, Message, Ran, Recorder, Served, Serving, World, judge};

/// Organisation that the simulated target does not know.
const WRONG: &str = "FCreateOrgId: {FNumber: \"103\"}";
const RIGHT: &str = "FCreateOrgId: {FNumber: \"100\"}";
const SCHEME: &str = "huke-to-k3";
/// How long something may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(120);

fn at(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// A command that asks a server.
fn asked(world: &World, server: &str, words: &[&str]) -> Ran {
    remote(world, server, words).finish()
}

fn remote(world: &World, server: &str, words: &[&str]) -> tests::e2e::Run {
    private(world, "token");
    let more = ["--server", server, "--token-file", "token"];
    let all: Vec<&str> = words.iter().copied().chain(more).collect();
    world.command(&all)
}

/// Nobody else may read a token.
fn private(world: &World, name: &str) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(world.path(name), mode).expect("our own file");
    }
    #[cfg(not(unix))]
    let _ = (world, name);
}

/// Three records that the scheme got wrong, and a look-up that is filled.
fn with_dead() -> World {
    let world = World::small();
    world.feed();
    world.edit(MAIN, RIGHT, WRONG);
    world.run(&["--limit", "3"], 1);
    world
}

fn keys(list: &Value) -> Vec<String> {
    let rows = list["rows"].as_array().expect("a list");
    let keys = rows.iter().filter_map(|row| row["key"][0].as_str());
    keys.map(str::to_owned).collect()
}

/// Nothing moves while a server only looks, so both ways have to say the same.
#[test]
fn a_server_says_what_the_data_directory_says() {
    let world = with_dead();
    world
        .engine(&["token", "create", "second", "--scope", "read", "--for", SCHEME])
        .expect(0);
    let deploy = ["schemes", "deploy", MAIN, "--message", "first", "--yes"];
    world.engine(&deploy).expect(0);
    let served = world.serve(&["--read-only"]);
    let server = at(served.address());
    let dead = world
        .engine(&["rows", "list", "--state", "dead", "--json"])
        .json();
    let key = keys(&dead)[0].clone();
    let lists: &[(&[&str], &str)] = &[
        (&["runs", "list"], "runs-list"),
        (
            &["runs", "list", "--scheme", SCHEME, "--status", "partial"],
            "runs-list",
        ),
        (&["runs", "list", "--status", "running"], "runs-list"),
        (&["runs", "show", "2"], "runs-show"),
        (&["rows", "list"], "rows-list"),
        (&["rows", "list", "--limit", "1"], "rows-list"),
        (
            &["rows", "list", "--scheme", SCHEME, "--state", "dead"],
            "rows-list",
        ),
        (&["rows", "show", &key, "--scheme", SCHEME], "rows-show"),
        (&["schemes", "show", SCHEME], "schemes-show"),
    ];
    for (words, kind) in lists {
        let (here, there) = (world.engine(words), asked(&world, &server, words));
        assert_eq!(here.code, there.code, "{here}\n{there}");
        let (one, other) = (without_folder(&here.stdout), without_folder(&there.stdout));
        if *kind != "schemes-show" {
            assert_eq!(one, other, "{words:?}");
        }
        let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        let (here, there) = (world.engine(&words), asked(&world, &server, &words));
        world.valid(kind, &there.json());
        let (mut one, mut other) = (here.json(), there.json());
        for document in [&mut one, &mut other] {
            // A server tells the name of a file and not where it lies; its revisions are a list of their own.
            if let Some(scheme) = document.get_mut("scheme").and_then(Value::as_object_mut) {
                scheme.retain(|name, _| !matches!(name.as_str(), "file" | "revision"));
            }
        }
        assert_eq!(one, other, "{words:?}");
    }
    // What a clock goes into.
    let status = asked(&world, &server, &["status", "--json"]);
    let status = status.expect(0).json();
    world.valid("status", &status);
    assert_eq!(status["server"], server.as_str());
    let mut local = world.engine(&["status", "--json"]).json();
    let mut there = status;
    for document in [&mut local, &mut there] {
        for scheme in document["schemes"].as_array_mut().expect("a list") {
            scheme["behind_ms"] = Value::Null;
        }
    }
    assert_eq!(local["schemes"], there["schemes"]);
    let tokens = asked(&world, &server, &["token", "list", "--json"]).json();
    world.valid("token-list", &tokens);
    let names: Vec<&str> = tokens["tokens"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|token| token["name"].as_str())
        .collect();
    assert_eq!(names, ["second", "tests"]);
    let listed = asked(&world, &server, &["connection", "list", "--json"]).json();
    world.valid("connection-list", &listed);
    let here = world.engine(&["connection", "list", "--json"]).json();
    assert_eq!(listed, here);
}

/// The flags in front of the words of a hint differ by where a command runs; the words do not.
fn without_folder(text: &str) -> String {
    text.replace("schemes/", "")
}

/// Decisions, a run, a pause, tokens and users, while the server works.
#[test]
fn a_server_is_operated_from_elsewhere() {
    let world = with_dead();
    let mut served = world.serve(&[]);
    served.wait_for("run.ended", SCHEME);
    let server = at(served.address());
    let ask = |words: &[&str]| asked(&world, &server, words);
    // Its data directory is its own, and who finds it taken is told whom to ask.
    let locked = world.engine(&["schemes", "pause", SCHEME, "--reason", "x"]);
    locked
        .expect(4)
        .warns("E5001")
        .warns(&format!("--server {server} --token-file"));
    let locked = world.engine(&["restore", "nothing", "--reason", "x", "--yes"]);
    assert!(!locked.stderr.contains("--token-file"), "{locked}");

    let paused = ask(&["schemes", "pause", SCHEME, "--reason", "stock taking", "--json"]);
    world.valid("schemes-pause", &paused.expect(0).json());
    ask(&["status"]).expect(0).says("stock taking").warns(&server);
    ask(&["schemes", "pause", "huke-to-k4", "--reason", "x"])
        .expect(2)
        .warns("E6003");

    let dead = ask(&[
        "rows", "list", "--scheme", SCHEME, "--state", "dead", "--limit", "0", "--json",
    ]);
    let dead = keys(&dead.expect(0).json());
    assert_eq!(dead.len(), CUSTOMERS, "the organisation is wrong");
    let skip = [
        "rows",
        "skip",
        &dead[0],
        "--scheme",
        SCHEME,
        "--reason",
        "a test customer",
        "--json",
    ];
    let skipped = ask(&skip);
    world.valid("rows-decide", &skipped.expect(0).json());
    assert_eq!(skipped.json()["to"], "skipped");
    ask(&skip[..7]).expect(2).warns("skipped");
    ask(&[
        "rows",
        "resolve",
        &dead[1],
        "--scheme",
        SCHEME,
        "--done-as",
        "100001",
        "--reason",
        "seen",
    ])
    .expect(0)
    .says("done");
    ask(&["retry", "--scheme", SCHEME]).expect(2).warns("--yes");
    let rehearsed = ask(&["retry", "--scheme", SCHEME, "--dry-run", "--json"]);
    world.valid("retry", &rehearsed.expect(0).json());
    assert_eq!(
        rehearsed.json()["records"].as_array().map(Vec::len),
        Some(CUSTOMERS - 2)
    );

    // Mended in the server's folder, and put back.
    let text = std::fs::read_to_string(world.path(MAIN)).expect("our own");
    world.write("mended.yaml", &text.replace(WRONG, RIGHT));
    let deployed = ask(&[
        "schemes",
        "deploy",
        "mended.yaml",
        "-m",
        "the organisation",
        "--yes",
        "--json",
    ]);
    world.valid("schemes-deploy", &deployed.expect(0).json());
    let now = std::fs::read_to_string(world.path(MAIN)).expect("our own");
    assert_eq!(now, text.replace(WRONG, RIGHT));
    world.write("broken.yaml", &text.replace("\nsource:", "\nsorce:"));
    let refused = ask(&["schemes", "deploy", "broken.yaml", "-m", "x", "--yes"]);
    refused.expect(2).warns("huke-to-k3.yaml:");
    let retried = ask(&["retry", "--scheme", SCHEME, "--yes", "--json"]);
    world.valid("retry", &retried.expect(0).json());
    ask(&["schemes", "resume", SCHEME, "--reason", "done"]).expect(0);
    let ran = ask(&["run", MAIN, "--json"]);
    ran.expect(0);
    world.valid("run-now", &ran.json());
    assert_eq!(ran.json()["runs"][0]["run"]["trigger"], "manual", "{ran}");
    ask(&["run", "huke-to-k4"]).expect(2).warns("E6003");
    // Whoever releases a brake there says so about the scheme.
    ask(&["run", MAIN, "--yes"]).expect(2).warns("schemes resume");
    let run = ran.json()["runs"][0]["run"]["run"].to_string();
    ask(&["runs", "cancel", &run]).expect(2).warns("E6010");

    ask(&["connection", "test", "k3", "--json"]).expect(0);
    ask(&["connection", "test", "k9"]).expect(2).warns("E6003");
    let done = ask(&[
        "rows", "list", "--scheme", SCHEME, "--state", "done", "--limit", "0", "--json",
    ]);
    assert_eq!(keys(&done.json()).len(), CUSTOMERS - 1);
    served.signal("TERM");
    served.end();
    assert!(
        !world.data().join("server").exists(),
        "the note goes with the server"
    );
    assert_eq!(judge(&world.journal()), Vec::<String>::new());
    assert_eq!(
        world.journal().len(),
        CUSTOMERS - 2,
        "one write for each that was retried"
    );
    world.verify();
}

#[test]
fn access_is_given_and_taken_through_a_server() {
    let world = World::small();
    let served = world.serve(&["--read-only"]);
    drop(served);
    let served = world.serve(&[]);
    let server = at(served.address());
    let ask = |words: &[&str]| asked(&world, &server, words);
    let made = ask(&[
        "token",
        "create",
        "reader",
        "--scope",
        "read",
        "--expires",
        "2d",
        "--json",
    ]);
    world.valid("token-create", &made.expect(0).json());
    ask(&["token", "create", "reader", "--expires", "90m"])
        .expect(2)
        .warns("90d");
    let token = made.json()["token"].as_str().expect("shown once").to_owned();
    world.write("reader", &token);
    private(&world, "reader");
    let id = made.json()["id"].to_string();
    let as_reader = |words: &[&str]| {
        let more = ["--token-file", "reader"];
        let all: Vec<&str> = words.iter().copied().chain(more).collect();
        world.command(&all).env("ENGINE_SERVER", &server).finish()
    };
    as_reader(&["runs", "list"]).expect(0);
    as_reader(&["schemes", "pause", SCHEME, "--reason", "x"])
        .expect(3)
        .warns("E6002");
    let shown = as_reader(&["config", "show", "--origin"]);
    shown.expect(0).says(&server).says("reader");
    assert!(!shown.to_string().contains(&token), "{shown}");
    let revoked = ask(&["token", "revoke", &id, "--json"]);
    world.valid("token-revoke", &revoked.expect(0).json());
    let refused = as_reader(&["runs", "list", "--json"]);
    refused.expect(3).warns("E6001");
    world.valid("error", &refused.json());
    assert_eq!(refused.json()["error"]["kind"], "server");
    assert!(!refused.to_string().contains(&token), "{refused}");
    ask(&["token", "revoke", "999"]).expect(2).warns("E6003");

    let password = "a long enough password";
    let user = |words: &[&str], text: &str| remote(&world, &server, words).stdin(text).finish();
    let added = user(&["user", "add", "li", "--scope", "read", "--json"], password);
    world.valid("user-change", &added.expect(0).json());
    user(&["user", "add", "li"], password).expect(2).warns("E6010");
    user(&["user", "passwd", "li"], "another password").expect(0);
    user(&["user", "passwd", "wu"], "another password")
        .expect(2)
        .warns("E6003");
    let users = ask(&["user", "list", "--json"]);
    world.valid("user-list", &users.expect(0).json());
    assert_eq!(users.json()["users"][0]["scopes"], "read");
    let login = json!({"name": "li", "password": "another password"}).to_string();
    assert_eq!(
        served.call("POST", "/api/v1/login", "", &login).status(),
        Some(200)
    );
    ask(&["user", "rm", "li"]).expect(0);
    ask(&["user", "rm", "li"]).expect(2).warns("E6003");
}

/// The request that is out is finished and settled; what comes after it is not sent.
#[test]
fn a_run_that_is_canceled_settles_what_is_out() {
    let world = World::small();
    world.batch(2);
    let gate = Arc::new((Mutex::new((0_u32, false)), Condvar::new()));
    let own = Arc::clone(&gate);
    world.record_twisted(Arc::new(move |request: &Message, answer: Message| {
        if request.path().contains("BatchSave") {
            let (state, bell) = &*own;
            let mut state = state.lock().expect("nobody panics with it");
            state.0 += 1;
            bell.notify_all();
            let wait = bell.wait_timeout_while(state, PATIENCE, |(_, is_open)| !*is_open);
            drop(wait.expect("nobody panics with it"));
        }
        answer
    }));
    world.feed();
    let served = world.serve(&[]);
    let server = at(served.address());
    let (state, bell) = &*gate;
    let out = bell
        .wait_timeout_while(state.lock().expect("ours"), PATIENCE, |(out, _)| *out == 0)
        .expect("ours");
    assert_eq!(out.0.0, 1, "one request is out");
    drop(out);
    let runs = asked(
        &world,
        &server,
        &[
            "runs", "list", "--status", "running", "--scheme", SCHEME, "--json",
        ],
    );
    let run = runs.expect(0).json()["runs"][0]["run"].to_string();
    let canceling = remote(&world, &server, &["runs", "cancel", &run, "--json"]).start();
    // It is noted once the run was told.
    let token = std::fs::read_to_string(world.path("token")).expect("made before");
    until(|| {
        let noted = served.call("GET", "/api/v1/audit?action=cancel", token.trim(), "");
        noted.json()["items"][0]["what"] == format!("run {run}")
    });
    state.lock().expect("ours").1 = true;
    bell.notify_all();
    let canceled = canceling.finish();
    canceled.expect(0);
    let document = canceled.json();
    world.valid("runs-show", &document);
    assert_eq!(document["run"]["status"], "canceled", "{canceled}");
    assert_eq!(document["counts_now"]["done"], 2, "{canceled}");
    assert_eq!(document["counts_now"]["unknown"], 0, "{canceled}");
    assert_eq!(state.lock().expect("ours").0, 1, "nothing was sent after it");
    served.signal("TERM");
    served.end();
    assert_eq!(world.journal().len(), 2);
    let run = world.run(&[], 0);
    assert_eq!(run["states"]["done"], CUSTOMERS);
    assert_eq!(judge(&world.journal()), Vec::<String>::new());
    world.verify();
}

/// Texts that were in force and the log of a run, as a server tells them.
#[test]
fn texts_and_logs_are_told_by_a_server() {
    let world = World::small();
    world.write("token", "eng_any");
    let told = Served::by(|request: &Message| {
        let revision = |seq: u32| {
            let (who, message) = match seq {
                1 => (None, None),
                _ => (Some("li"), Some("again")),
            };
            json!({"seq": seq, "hash": "24218460c2fe", "at": "2026-11-21T00:00:00.000Z", "who": who, "message": message})
        };
        match request.path() {
            "/api/v1/schemes/a/revisions?limit=50" => {
                json!({"items": [revision(2), revision(1)], "next": null, "total": 2, "more": false})
            }
            "/api/v1/schemes/a/revisions/1" => json!({"revision": revision(1), "text": "scheme: a\n"}),
            "/api/v1/schemes/a/revisions/2" => json!({"revision": revision(2), "text": "scheme: a\n# b\n"}),
            "/api/v1/runs/7/log?limit=200&level=info" => json!({
                "run": 7,
                "lines": [{
                    "at": "2026-11-21T00:00:00.000Z", "level": "info", "message": "run ended",
                    "fields": {"scheme": "a", "run": "7", "written": 3},
                }],
                "more": true,
            }),
            other => json!({"unexpected": other}),
        }
    });
    let server = at(told.addr());
    let ask = |words: &[&str]| asked(&world, &server, words);
    ask(&["schemes", "revisions", "a"])
        .expect(0)
        .says("again")
        .says("li");
    let list = ask(&["schemes", "revisions", "a", "--json"]);
    world.valid("schemes-revisions", &list.expect(0).json());
    let shown = ask(&["schemes", "revisions", "a", "--show", "1"]);
    assert_eq!(shown.expect(0).stdout, "scheme: a\n");
    ask(&["schemes", "revisions", "a", "--diff", "1..2"])
        .expect(0)
        .says("+ # b");
    let log = ask(&["logs", "--run", "7", "--level", "info"]);
    log.expect(0).says("run ended").says("written=3");
    ask(&["logs"]).expect(2).warns("--run");
    ask(&["logs", "--run", "7", "-f"]).expect(2).warns("--follow");
}

/// More than one retry takes: said, and not a success.
#[test]
fn what_a_retry_does_not_reach_is_told() {
    let world = World::small();
    world.write("token", "eng_any");
    let told = Served::by(|request: &Message| match request.path() {
        path if path.starts_with("/api/v1/records?") => {
            let at = "2026-11-21T00:00:00.000Z";
            let record = json!({
                "record": 7, "scheme": "a", "key": ["1"], "label": "", "state": "dead", "version": "v", "void": false,
                "sends": 1, "first": at, "seen": at, "changed": at, "possible": [],
            });
            json!({"items": [record], "next": "on", "total": 1_000_000, "more": true})
        }
        other => json!({"unexpected": other}),
    });
    let words = ["retry", "--scheme", "a", "--dry-run"];
    asked(&world, &at(told.addr()), &words)
        .expect(1)
        .warns("there are more");
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// A certificate that the company issued itself is believed when it is named, and only then.
#[test]
fn a_server_is_asked_over_tls() {
    let world = World::small();
    let made = world.engine(&["token", "create", "tests", "--scope", "read"]);
    world.write("token", &made.expect(0).stdout);
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    world.write("cert.pem", &pem("CERTIFICATE", certified.cert.der()));
    world.write(
        "key.pem",
        &pem("PRIVATE KEY", &certified.signing_key.serialize_der()),
    );
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = free.expect("a free port on loopback");
    let listen = address.to_string();
    let words = [
        "serve",
        "--listen",
        &listen,
        "--tls-cert",
        "cert.pem",
        "--tls-key",
        "key.pem",
    ];
    let serving = world.command(&words).start();
    until(|| TcpStream::connect(address).is_ok());
    let server = format!("https://{address}");
    asked(&world, &server, &["runs", "list"]).expect(3).warns("E6027");
    asked(&world, &server, &["runs", "list", "--server-ca", "cert.pem"]).expect(0);
    asked(&world, &server, &["runs", "list", "--server-ca", "token"]).expect(3);
    asked(&world, &at(address), &["runs", "list"]).expect(3);
    assert!(serving.kill());
}

/// Waits for a condition.
fn until(mut is: impl FnMut() -> bool) {
    #[expect(
        clippy::disallowed_methods,
        reason = "a bound on waiting, not on what is measured"
    )]
    let began = std::time::Instant::now();
    while !is() {
        assert!(began.elapsed() < PATIENCE, "it does not come");
        std::thread::yield_now();
    }
}

/// What stands between a command and a server: it cuts the answers of the first writes off.
fn cutting(to: SocketAddr, cuts: u32) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it listens");
    let left = Arc::new(AtomicU32::new(cuts));
    std::thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let left = Arc::clone(&left);
            std::thread::spawn(move || drop(pass(near, to, &left)));
        }
    });
    address
}

fn pass(mut near: TcpStream, to: SocketAddr, left: &AtomicU32) -> std::io::Result<()> {
    let mut far = TcpStream::connect(to)?;
    let is_cut = Arc::new(AtomicBool::new(false));
    let (mut back, mut into, cuts) = (far.try_clone()?, near.try_clone()?, Arc::clone(&is_cut));
    std::thread::spawn(move || {
        let mut bytes = [0; 16_384];
        while let Ok(count @ 1..) = back.read(&mut bytes) {
            // The server has answered, so it was carried out; nobody hears of it.
            if cuts.load(Ordering::SeqCst) || into.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        drop(into.shutdown(std::net::Shutdown::Both));
    });
    let mut bytes = [0; 16_384];
    loop {
        let count = near.read(&mut bytes)?;
        if count == 0 {
            return Ok(());
        }
        let taken = |left: u32| left.checked_sub(1);
        if bytes.starts_with(b"POST ")
            && left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, taken)
                .is_ok()
        {
            is_cut.store(true, Ordering::SeqCst);
        }
        far.write_all(&bytes[..count])?;
    }
}

#[test]
fn what_goes_wrong_between_is_told_and_done_once() {
    let world = with_dead();
    let mut served = world.serve(&[]);
    served.wait_for("run.ended", SCHEME);
    let server = at(served.address());
    let dead = asked(
        &world,
        &server,
        &["rows", "list", "--scheme", SCHEME, "--state", "dead", "--json"],
    );
    let key = keys(&dead.json())[0].clone();
    // A write whose answer is cut off is asked once more under its key, and is carried out once.
    let skip = ["rows", "skip", &key, "--scheme", SCHEME, "--reason", "once"];
    let cut = at(cutting(served.address(), 1));
    asked(&world, &cut, &skip).expect(0).says("skipped");
    let notes = |served: &Serving| {
        let token = std::fs::read_to_string(world.path("token")).expect("made before");
        let noted = served.call("GET", "/api/v1/audit?action=skip", token.trim(), "");
        noted.json()["total"].clone()
    };
    assert_eq!(notes(&served), 1);
    let pause = ["schemes", "pause", SCHEME, "--reason", "once"];
    let cut = at(cutting(served.address(), u32::MAX));
    let lost = asked(&world, &cut, &pause);
    lost.expect(3).warns("E6028");
    asked(&world, "http://127.0.0.1:1", &["status"])
        .expect(3)
        .warns("E6027");
    asked(&world, "127.0.0.1:8080", &["status"])
        .expect(2)
        .warns("http://");
    let other = Served::by(|_| json!({"hello": "world"}));
    asked(&world, &at(other.addr()), &["status"])
        .expect(3)
        .warns("E6029");
    // A scheme that somebody else changed meanwhile is left as it is.
    let moved = Recorder::twisting(
        served.address(),
        Arc::new(|_: &Message, mut answer: Message| {
            let tag = answer.header("etag").map(str::to_owned);
            if let Some(tag) = tag {
                answer.head = answer.head.replace(&tag, "\"0000000000000000\"");
            }
            answer
        }),
    );
    let text = std::fs::read_to_string(world.path(MAIN)).expect("our own");
    world.write("next.yaml", &format!("{text}# next\n"));
    let deploy = ["schemes", "deploy", "next.yaml", "-m", "x", "--yes"];
    asked(&world, &at(moved.addr()), &deploy).expect(2).warns("E6009");
    assert_eq!(std::fs::read_to_string(world.path(MAIN)).expect("our own"), text);
    // Who asks, and what cannot be asked.
    world.write("wrong", "eng_wrong");
    let wrong = ["status", "--server", &server, "--token-file", "wrong"];
    private(&world, "wrong");
    world.engine(&wrong).expect(3).warns("E6001");
    world
        .engine(&["status", "--server", &server])
        .expect(3)
        .warns("E6001");
    asked(&world, &server, &["verify"]).expect(2).warns("--server");
    asked(&world, &server, &["check", MAIN])
        .expect(2)
        .warns("--server");
    asked(&world, &server, &["run", MAIN, "--limit", "1"])
        .expect(2)
        .warns("--limit");
    world.engine(&["runs", "cancel", "1"]).expect(2).warns("--server");
    world.write("empty", "\n");
    let empty = ["status", "--server", &server, "--token-file", "empty"];
    world.engine(&empty).expect(2).warns("empty");
    let with_variable = |words: &[&str]| world.command(words).env("ENGINE_SERVER", &server).finish();
    with_variable(&["check", FEEDER]).expect(0);
    with_variable(&["verify"]).expect(2).warns(&server);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(world.path("token"), mode).expect("our own file");
        let open = ["status", "--server", &server, "--token-file", "token"];
        world.engine(&open).expect(0).warns("chmod 600");
    }
}
