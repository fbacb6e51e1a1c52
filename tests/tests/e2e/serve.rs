//! `engine serve` as a process: what it runs, what it survives, how it is told to go on and to end.

use sandbox::{FaultKind, FaultPlan};
use serde_json::json;
use tests::e2e::{CUSTOMERS, FEEDER, MAIN, World, judge};

/// Runs after which every customer is written: what the first one looked up may not have been there yet, and a later
/// one may be asked for while another is under way.
const PASSES: usize = 6;

/// The exit code of a process that was told to end by SIGTERM.
const TERMINATED: i32 = 143;

/// A broken scheme, one that waits for a push that never comes, and two that run: the first keeps nobody from running.
#[test]
fn a_folder_is_served_and_a_broken_scheme_stops_nobody() {
    let world = World::small();
    world.write(
        "schemes/broken.yaml",
        "scheme: broken\nsource: {conection: huke}\n",
    );
    let mut served = world.serve(&[]);
    let said = served.said().join("\n");
    assert!(said.contains("schemes/broken.yaml:2:10"), "{said}");
    assert!(said.contains("2 schemes, 1 cannot run"), "{said}");
    served.wait_for_any("run.ended", "huke-to-k3");
    served.wait_for_any("run.ended", "huke-customers");
    // What it looked up may not have been there in its first run; the next one is due in six minutes, or now.
    let token = token(&world);
    for _ in 0..PASSES {
        let answer = served.call("POST", "/api/v1/schemes/huke-to-k3/actions/run", &token, "{}");
        assert_eq!(answer.status(), Some(202), "{}", answer.text());
        let end = served.wait_for("run.ended", "huke-to-k3");
        assert_eq!(end["status"], "ok", "{end:#}");
        let counts = &end["counts"];
        let sum: u64 = ["done", "dead", "held", "skipped", "open"]
            .iter()
            .filter_map(|name| counts[name].as_u64())
            .sum();
        assert_eq!(counts["fetched"].as_u64(), Some(sum), "{counts:#}");
        if world.journal().len() >= CUSTOMERS {
            break;
        }
    }
    served.signal("TERM");
    assert_eq!(served.end(), Some(TERMINATED));
    let journal = world.journal();
    assert_eq!(judge(&journal), Vec::<String>::new());
    assert_eq!(journal.len(), CUSTOMERS, "one write each");
    world.verify();
}

/// The ledger belongs to the server while it runs, so a token is made before it starts; here it was.
fn token(world: &World) -> String {
    let token = std::fs::read_to_string(world.path("token")).expect("made before the start");
    token.trim().to_owned()
}

/// A new file is run, a file that went is not, and connections that cannot be read change nothing.
#[test]
fn files_are_read_again() {
    let world = World::small();
    let mut served = world.serve(&[]);
    served.wait_for("run.ended", "huke-customers");
    let feeder = std::fs::read_to_string(world.path(FEEDER)).expect("it is there");
    let other = feeder
        .replace("scheme: huke-customers", "scheme: huke-customers-again")
        .replace("uuid: ", "# uuid: ");
    world.write("schemes/again.yaml", &other);
    std::fs::remove_file(world.path(MAIN)).expect("it was there");
    served.signal("HUP");
    // The folder is also looked at by itself, perhaps between the two changes to it.
    let mut ready = json!(3);
    while ready == 3 {
        let told = served.wait_for("reloaded", "");
        assert_eq!(told["broken"], 0, "{told:#}");
        ready = told["ready"].clone();
    }
    assert_eq!(ready, 2);
    let end = served.wait_for_any("run.ended", "huke-customers-again");
    assert_eq!(end["status"], "ok", "{end:#}");
    let connections = std::fs::read_to_string(world.path("connections.yaml")).expect("it is there");
    world.write("connections.yaml", "connections: [");
    served.signal("HUP");
    served.wait_for("not_reloaded", "");
    world.write("connections.yaml", &connections);
    served.signal("HUP");
    served.wait_for("reloaded", "");
    served.signal("TERM");
    assert_eq!(served.end(), Some(TERMINATED));
    world.verify();
}

/// A service manager sends what it has to send as soon as it is told that the service is ready.
#[cfg(unix)]
#[test]
fn whoever_is_ready_can_be_told_to_read_again() {
    let mut world = World::small();
    let socket = world.path("manager.sock");
    let manager = std::os::unix::net::UnixDatagram::bind(&socket).expect("our own folder");
    manager
        .set_read_timeout(Some(crate::patience::PATIENCE))
        .expect("it is not zero");
    world.set("NOTIFY_SOCKET", &socket.display().to_string());
    let mut served = world.serve(&[]);
    let mut said = [0; 256];
    let mut hear = || {
        let bytes = manager.recv(&mut said).expect("it says that it is ready");
        String::from_utf8_lossy(&said[..bytes]).into_owned()
    };
    while !hear().starts_with("READY=1") {}
    served.signal("HUP");
    served.wait_for("reloaded", "");
    // Nor is anything untold that began meanwhile.
    served.wait_for_any("run.ended", "huke-customers");
    let began = |told: &serde_json::Value| told["event"] == "run.began" && told["scheme"] == "huke-customers";
    assert!(served.seen().iter().any(began), "{:#?}", served.seen());
    served.signal("TERM");
    assert_eq!(served.end(), Some(TERMINATED));
}

/// The process dies while records are on their way; the next one goes on, and nothing is lost or written twice.
#[test]
fn a_server_that_is_killed_goes_on_where_it_was() {
    let world = World::small();
    world.batch(2);
    // Longer than a kill takes, and short enough to wait for: what was out is asked about when it has passed.
    let quiet = "    quiet_period: 500ms\n";
    let timeouts = "    timeouts: {first_byte: 10s, idle: 10s, total: 10s}\n";
    world.edit("connections.yaml", quiet, &format!("{quiet}{timeouts}"));
    world.feed();
    // Whatever the speed of the machine: the write is executed, and its answer never comes.
    let hang = FaultPlan::every("BatchSave", FaultKind::Hang);
    world.sandbox().fault(hang).expect("a plan");
    let mut served = world.serve(&[]);
    served.wait_until("a write is out", |_| !world.journal().is_empty());
    served.signal("KILL");
    assert_eq!(served.end(), None);
    world.sandbox().clear_faults();
    let executed = world.journal().len();
    assert!(executed < CUSTOMERS, "{executed} of {CUSTOMERS}");
    let mut served = world.serve(&[]);
    let end = served.wait_for("run.ended", "huke-to-k3");
    assert_ne!(end["status"], "failed", "{end:#}");
    served.signal("TERM");
    assert_eq!(served.end(), Some(TERMINATED));
    // Whatever is left waits for nothing but another pass.
    world.until_done(MAIN, CUSTOMERS);
    let journal = world.journal();
    assert_eq!(judge(&journal), Vec::<String>::new());
    assert_eq!(journal.len(), CUSTOMERS, "one write each");
    world.verify();
}

/// Health is told to everybody, everything else to those who may know it.
#[test]
fn who_may_ask() {
    let world = World::small();
    let mut served = world.serve(&[]);
    served.wait_for("run.ended", "huke-customers");
    let token = token(&world);
    for (path, token, status) in [
        ("/healthz", "", 200),
        ("/readyz", "", 200),
        ("/api/v1/schemes", "", 401),
        ("/api/v1/schemes", "wrong", 401),
        ("/api/v1/schemes", token.as_str(), 200),
        ("/api/v1/runs", token.as_str(), 200),
        ("/api/v1/nothing", token.as_str(), 404),
        ("/metrics", token.as_str(), 200),
        ("/receive/0123456789abcdef0123456789abcdef", "", 401),
    ] {
        let answer = served.call("GET", path, token, "");
        assert_eq!(answer.status(), Some(status), "{path}: {}", answer.text());
    }
    let schemes = served.call("GET", "/api/v1/schemes", &token, "").json();
    let ids: Vec<&str> = schemes["items"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|scheme| scheme["id"].as_str())
        .collect();
    assert_eq!(ids, ["huke-customers", "huke-to-k3"]);
    served.signal("INT");
    assert_eq!(served.end(), Some(130));
}
