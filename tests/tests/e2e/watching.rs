//! Looking on: every connection tried at once, the table that goes on, and the rows of a scheme as they are read.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::Value;
use tests::e2e::{MAIN, World, engine};

use crate::patience::{PATIENCE, until};

fn states(document: &Value) -> Vec<(String, bool)> {
    let all = document["connections"].as_array().expect("a list").iter();
    all.map(|one| {
        let name = one["connection"].as_str().unwrap_or_default().to_owned();
        (name, one["passed"] == true)
    })
    .collect()
}

#[test]
fn the_doctor_tries_every_connection() {
    let mut world = World::small();
    world.feed();
    let offline = world.engine(&["doctor", "--json"]).json();
    assert!(offline["connections"].is_null(), "{offline:#}");
    let good = world.engine(&["doctor", "--online", "--json"]);
    world.valid("doctor", &good.json());
    let all = states(&good.json());
    assert!(all.len() >= 2 && all.iter().all(|(_, passed)| *passed), "{good}");
    assert_eq!(good.json()["exit_code"], offline["exit_code"], "{good}");
    world.set("SANDBOX_K3_SECRET", "canary-wrong");
    let bad = world.engine(&["doctor", "--online", "--json"]);
    bad.expect(1);
    world.valid("doctor", &bad.json());
    let failed: Vec<String> = states(&bad.json())
        .into_iter()
        .filter(|(_, passed)| !passed)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(failed, ["k3"], "{bad}");
    let words = world.engine(&["doctor", "--online"]);
    words.expect(1).says("E7001");
    assert!(!format!("{bad}{words}").contains("canary-wrong"));
}

#[test]
fn the_table_that_goes_on_needs_a_terminal() {
    let world = World::small();
    world.feed();
    let piped = world.engine(&["top"]);
    piped.expect(2).warns("engine status --json");
    world.engine(&["top", "--json"]).expect(2);
}

/// `script` of util-linux is a terminal; it is in every Linux.
#[cfg(target_os = "linux")]
#[test]
fn the_table_is_drawn_again_and_again() {
    let world = World::small();
    world.feed();
    let mut child = Command::new("script")
        .args(["--quiet", "--flush", "--command"])
        .arg(format!("{} top --every 1s", engine().display()))
        .arg("/dev/null")
        .current_dir(world.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("script is there");
    let mut pipe = child.stdout.take().expect("it is piped");
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(n) = pipe.read(&mut bytes) {
            if n == 0 || tell.send(bytes[..n].to_vec()).is_err() {
                break;
            }
        }
    });
    let mut seen = Vec::new();
    let drawn = loop {
        let more = told.recv_timeout(PATIENCE).expect("it draws");
        seen.extend(more);
        let text = String::from_utf8_lossy(&seen).into_owned();
        let tables = text
            .split("\u{1b}[2J")
            .filter(|table| table.contains("huke-customers"));
        if tables.count() >= 2 {
            break text;
        }
    };
    drop(child.kill());
    drop(child.wait());
    assert!(drawn.contains("Ctrl-C"), "{drawn}");
}

#[test]
fn rows_are_shown_as_they_are_read() {
    let world = World::small();
    world.edit(
        MAIN,
        "FName: <<buyerNick>>",
        "FName: {$value: <<buyerNick>>, $sensitive: true}",
    );
    world.feed();
    world.run(&[], 0);
    world.engine(&["tap", "huke-to-k4"]).expect(2);
    world.engine(&["tap", "huke-to-k3", "--limit", "0"]).expect(2);
    let mut tap = world
        .command(&["tap", "huke-to-k3", "--limit", "3", "--ndjson"])
        .start();
    // Runs until it has seen enough: it may have begun behind the first of them.
    until("it saw nothing", || {
        let has_ended = tap.wait(Duration::from_millis(10));
        if !has_ended {
            world.run(&[], 0);
        }
        has_ended.then_some(())
    });
    let ran = tap.finish();
    ran.expect(0);
    let lines: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 3, "{ran}");
    for line in &lines {
        world.valid("tap", line);
        assert_eq!(line["row"]["buyerNick"], "***", "{line:#}");
    }
    // Nothing is read meanwhile: it ends by itself, and says so.
    world
        .engine(&["tap", "huke-to-k3", "--duration", "0s"])
        .expect(0)
        .warns("huke-to-k3");
}
