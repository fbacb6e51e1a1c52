//! What operators do beside running schemes: secrets, notifications, revisions, the unit, settings, the log.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use sandbox::robots::{Call, Platform, Robot};
use serde_json::Value;
use tests::e2e::{MAIN, Message, Ran, Served, World};

const CANARY: &str = "canary-store-51c0de77";

/// How long a call of the engine may take to come on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often a command looks for what is written without being awaited; each look takes a process.
const LOOKS: u32 = 2_000;

fn now_ms() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "robots check how old a signature is")]
    jiff::Timestamp::now().as_millisecond()
}

/// A robot that listens, and rings whenever it was called.
fn listening(
    platform: Platform,
    secret: Option<&str>,
    keyword: Option<&str>,
    bell: &Sender<()>,
) -> (Arc<Robot>, Served) {
    let bell = bell.clone();
    let robot = Arc::new(Robot::new(platform, secret, keyword));
    let own = Arc::clone(&robot);
    let served = Served::by(move |request: &Message| {
        let signed = request
            .header("x-engine-timestamp")
            .zip(request.header("x-engine-signature"));
        let call = Call {
            path: request.path(),
            signed,
            body: &request.body,
        };
        let answer = own.answer(call, now_ms()).1;
        // Not every test listens for it.
        bell.send(()).ok();
        answer
    });
    (robot, served)
}

/// A command and what it said, with what differs from run to run taken out.
fn transcript(world: &World, ran: &Ran, words: &str) -> String {
    let folder = world.path("").display().to_string();
    let folder = folder.trim_end_matches('/').to_owned();
    let text = format!("{}{}", ran.stdout, ran.stderr).replace(&folder, "<folder>");
    let end = match ran.code {
        Some(0) => String::new(),
        code => format!("(exit {})\n", code.unwrap_or(-1)),
    };
    format!("$ engine {words}\n{}{end}", without_times(&text))
}

/// `2026-11-21 08:06` and what follows it of a time.
fn without_times(text: &str) -> String {
    let digit = |text: &[u8], at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let date =
            (0..4).all(|n| digit(bytes, at + n)) && bytes.get(at + 4) == Some(&b'-') && digit(bytes, at + 5);
        if date {
            out.extend(b"<time>");
            while bytes
                .get(at)
                .is_some_and(|byte| byte.is_ascii_digit() || b"-:. +TZ".contains(byte))
            {
                at += 1;
            }
            if at < bytes.len() && bytes[at - 1] == b' ' {
                out.extend(b"  ");
            }
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    let text = String::from_utf8(out).expect("cut between characters");
    let lines = text.lines().map(str::trim_end).collect::<Vec<_>>();
    format!("{}\n", lines.join("\n"))
}

/// Compares with a golden file; `UPDATE_EXPECT=1` rewrites it.
#[track_caller]
pub(crate) fn golden(name: &str, text: &str) {
    let path = tests::e2e::repository().join("tests/corpus/cli").join(name);
    #[expect(clippy::disallowed_methods, reason = "the usual switch of expectation tests")]
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("our own folder");
        std::fs::write(&path, text).expect("our own folder");
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(want == text, "{name} differs; it says now:\n{text}");
}

fn in_both(world: &mut World, name: &str, commands: impl Fn(&World) -> String) {
    for lang in ["zh", "en"] {
        world.set("ENGINE_LANG", lang);
        let text = commands(world);
        assert!(!text.contains(CANARY), "{text}");
        golden(&format!("{name}.{lang}.txt"), &text);
    }
}

fn said(world: &World, words: &str, stdin: &str) -> String {
    let list: Vec<&str> = words.split(' ').collect();
    let ran = world.command(&list).stdin(stdin).finish();
    transcript(world, &ran, words)
}

#[test]
fn a_secret_is_stored_used_and_never_shown() {
    let mut world = World::small();
    let secret = world.unset_and_get("SANDBOX_K3_SECRET");
    world.edit(
        "connections.yaml",
        "\"${env:SANDBOX_K3_SECRET}\"",
        "\"${secret:k3-app}\"",
    );
    world.engine(&["run", MAIN]).expect(3).warns("k3-app");
    let set = |name: &str, value: &str| world.command(&["secret", "set", name]).stdin(value).finish();
    set("k3-app", &format!("{secret}\n")).expect(0);
    set("spare", CANARY).expect(0);
    world.feed();
    world.run(&[], 0);
    let listed = world.engine(&["secret", "list", "--json"]);
    world.valid("secret-list", &listed.json());
    let list = listed.json();
    let k3 = &list["secrets"][0];
    assert_eq!((&k3["name"], &k3["from"]), (&"k3-app".into(), &"store".into()));
    assert!(
        k3["used_by"][0].as_str().expect("used").starts_with("k3.params."),
        "{list:#}"
    );

    // Another key: told as such, before anything is called.
    let calls = world.state()["calls"].clone();
    let other = "ab".repeat(32);
    let wrong = world
        .command(&["run", MAIN])
        .env("ENGINE_SECRETS_KEY", &other)
        .finish();
    wrong.expect(3).warns("E7020");
    let bad = world
        .command(&["run", MAIN])
        .env("ENGINE_SECRETS_KEY", CANARY)
        .finish();
    bad.expect(3).warns("E7024");
    assert!(!format!("{bad}").contains(CANARY));
    assert_eq!(world.state()["calls"], calls);
    world.engine(&["secret", "rotate"]).expect(0);
    world.run(&[], 0);
    world.engine(&["secret", "rm", "k3-app"]).expect(0);
    world.engine(&["secret", "rm", "k3-ap"]).expect(2);
    world.engine(&["run", MAIN]).expect(3).warns("E7003");
    for (path, bytes) in world.left_behind() {
        for text in [CANARY, secret.as_str()] {
            let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!found, "{} holds a secret", path.display());
        }
    }
}

#[test]
fn secret_commands_in_both_languages() {
    let mut world = World::small();
    in_both(&mut world, "secret", |world| {
        [
            said(world, "secret list", ""),
            said(world, "secret set k3-app", CANARY),
            said(world, "secret set k3-app", CANARY),
            said(world, "secret set k3-app", ""),
            said(world, "secret set not/a/name", CANARY),
            said(world, "secret list", ""),
            said(world, "secret list --json", ""),
            said(world, "secret list --nothing", ""),
            said(world, "secret set spare --json", CANARY),
            said(world, "secret rotate", ""),
            said(world, "secret rotate --json", ""),
            said(world, "secret rotate --nothing", ""),
            said(world, "secret rm k3", ""),
            said(world, "secret rm k3-app", ""),
            said(world, "secret rm spare --json", ""),
        ]
        .join("\n")
    });
}

#[test]
fn the_texts_that_made_documents_are_kept_and_can_be_put_back() {
    let mut world = World::small();
    world.feed();
    world.run(&[], 0);
    let id = "huke-to-k3";
    let revisions = |world: &World| {
        let listed = world.engine(&["schemes", "revisions", id, "--json"]);
        world.valid("schemes-revisions", &listed.json());
        listed.json()["revisions"].as_array().expect("a list").clone()
    };
    let first = revisions(&world);
    assert_eq!(first.len(), 1, "{first:#?}");
    // A hand in the file is seen by the next run.
    let text = std::fs::read_to_string(world.path(MAIN)).expect("our own");
    world.write(MAIN, &format!("{text}# changed by hand\n"));
    world.run(&[], 0);
    let runs = world.engine(&["runs", "list", "--scheme", id, "--json"]).json();
    assert_eq!(
        revisions(&world)[0]["hash"],
        runs["runs"][0]["revision"],
        "a run leads to its text"
    );
    // A text that does not pass the checks is not put in force.
    world.write("next.yaml", &text.replace("batchSave", "batchSav"));
    let refused = world.engine(&["schemes", "deploy", "next.yaml", "--message", "x", "--yes"]);
    refused.expect(2);
    assert_eq!(revisions(&world).len(), 2);
    world.write("next.yaml", &format!("{text}# deployed\n"));
    let deploy = [
        "schemes",
        "deploy",
        "next.yaml",
        "--message",
        "a new name",
        "--yes",
        "--json",
    ];
    let deployed = world.engine(&deploy);
    world.valid("schemes-deploy", &deployed.json());
    assert_eq!(deployed.json()["revision"], 3);
    let there = std::fs::read_to_string(world.path(MAIN)).expect("our own");
    assert!(there.ends_with("# deployed\n"));
    let shown = world.engine(&["schemes", "revisions", id, "--show", "2"]);
    assert!(shown.expect(0).stdout.ends_with("# changed by hand\n"));
    let difference = world.engine(&["schemes", "revisions", id, "--diff", "2..3", "--json"]);
    world.valid("schemes-diff", &difference.json());
    let back = world.engine(&[
        "schemes",
        "rollback",
        id,
        "--to",
        "1",
        "--message",
        "not yet",
        "--yes",
    ]);
    back.expect(0);
    assert_eq!(std::fs::read_to_string(world.path(MAIN)).expect("our own"), text);
    let all = revisions(&world);
    assert_eq!((all.len(), &all[0]["hash"]), (4, &first[0]["hash"]));
    assert_eq!(all[0]["message"], "not yet");
    let audit = world
        .engine(&["audit", "list", "--action", "revert", "--json"])
        .json();
    assert_eq!(audit["decisions"][0]["reason"], "not yet");
    world.run(&[], 0);
    world.verify();

    // Paused, it is told as such; the words are those of whoever did it.
    world
        .engine(&["schemes", "pause", id, "--reason", "stock taking"])
        .expect(0);
    let listed = world.engine(&["schemes", "list", "--json"]).json();
    world.valid("schemes-list", &listed);
    let scheme = |listed: &Value| {
        let all = listed["schemes"].as_array().expect("a list");
        all.iter().find(|one| one["scheme"] == id).expect("there").clone()
    };
    assert_eq!(scheme(&listed)["status"], "paused");
    assert_eq!(scheme(&listed)["paused"]["reason"], "stock taking");
    world
        .engine(&["schemes", "resume", id, "--reason", "done"])
        .expect(0);
    let shown = world.engine(&["schemes", "show", id, "--json"]).json();
    world.valid("schemes-show", &shown);
    assert_eq!(shown["scheme"]["status"], "enabled");
    world
        .engine(&["schemes", "show", "huke-to-k4"])
        .expect(2)
        .warns("huke-to-k3");
    world.set("ENGINE_LANG", "zh");
    world.engine(&["schemes", "pause", id, "--reason", " "]).expect(2);
}

#[test]
fn schemes_commands_in_both_languages() {
    let mut world = World::small();
    let text = std::fs::read_to_string(world.path(MAIN)).expect("our own");
    world.write("next.yaml", &format!("{text}# next\n"));
    world.set("USER", "li");
    in_both(&mut world, "schemes", |world| {
        world.write(MAIN, &text);
        drop(std::fs::remove_dir_all(world.data()));
        [
            said(world, "schemes list", ""),
            said(world, "schemes list --json", ""),
            said(world, "schemes list --schemes nothing", ""),
            said(world, "schemes deploy next.yaml --message first --yes", ""),
            said(world, "schemes deploy next.yaml --message again", ""),
            said(world, "schemes deploy next.yaml --message again --yes --json", ""),
            said(world, "schemes pause huke-to-k3 --reason audit", ""),
            said(world, "schemes pause huke-to-k3 --reason audit --json", ""),
            said(world, "schemes pause huke-to-k4 --reason audit", ""),
            said(world, "schemes show huke-to-k3", ""),
            said(world, "schemes show huke-to-k3 --json", ""),
            said(world, "schemes show huke-to-k4", ""),
            said(world, "schemes resume huke-to-k3 --reason done", ""),
            said(world, "schemes resume huke-to-k3 --reason done", ""),
            said(world, "schemes resume huke-to-k3 --reason done --json", ""),
            said(world, "schemes resume huke-to-k3", ""),
            said(world, "schemes revisions huke-to-k3", ""),
            said(world, "schemes revisions huke-to-k3 --json", ""),
            said(world, "schemes revisions huke-to-k3 --diff 1..2", ""),
            said(world, "schemes revisions huke-to-k3 --diff 1-2", ""),
            said(
                world,
                "schemes rollback huke-to-k3 --to 1 --message back --yes",
                "",
            ),
            said(
                world,
                "schemes rollback huke-to-k3 --to 9 --message back --yes",
                "",
            ),
            said(
                world,
                "schemes rollback huke-to-k3 --to 2 --message forth --yes --json",
                "",
            ),
            said(world, "schemes list", ""),
        ]
        .join("\n")
    });
}

/// The channels of a world with four robots.
fn channels(served: &[&Served]) -> String {
    let url = |at: usize, path: &str| format!("http://{}{path}", served[at].addr());
    format!(
        "lang: zh
channels:
  ding: {{kind: dingtalk, url: \"${{env:DING}}\", sign: \"${{env:DING_SIGN}}\", keyword: 集成}}
  we: {{kind: wecom, url: \"${{env:WE}}\"}}
  fly: {{kind: feishu, url: \"${{env:FLY}}\", sign: \"${{env:FLY_SIGN}}\"}}
  hook: {{kind: webhook, url: \"{}\", sign: \"${{env:HOOK_SIGN}}\"}}
",
        url(3, "/notices")
    )
}

fn with_robots(world: &mut World) -> (Vec<Arc<Robot>>, Vec<Served>, Receiver<()>) {
    let (bell, rings) = channel();
    let robots = [
        listening(Platform::Dingtalk, Some("SECcanary-ding"), Some("集成"), &bell),
        listening(Platform::Wecom, None, None, &bell),
        listening(Platform::Feishu, Some("canary-fly-sign"), None, &bell),
        listening(Platform::Webhook, Some("canary-hook-sign"), None, &bell),
    ];
    let (robots, served): (Vec<_>, Vec<_>) = robots.into_iter().unzip();
    for (name, at, path) in [
        ("DING", 0, "/robot/send?access_token=canary0ding0token0"),
        ("WE", 1, "/cgi-bin/webhook/send?key=canary0wecom0key00"),
        ("FLY", 2, "/open-apis/bot/v2/hook/canary0feishu0hook0"),
    ] {
        world.set(name, &format!("http://{}{path}", served[at].addr()));
    }
    for (name, value) in [
        ("DING_SIGN", "SECcanary-ding"),
        ("FLY_SIGN", "canary-fly-sign"),
        ("HOOK_SIGN", "canary-hook-sign"),
    ] {
        world.set(name, value);
    }
    world.write("notify.yaml", &channels(&served.iter().collect::<Vec<_>>()));
    (robots, served, rings)
}

const ROBOT_SECRETS: [&str; 6] = [
    "SECcanary-ding",
    "canary-fly-sign",
    "canary-hook-sign",
    "canary0ding0token0",
    "canary0wecom0key00",
    "canary0feishu0hook0",
];

#[test]
fn every_platform_takes_a_trial_and_tells_why_not() {
    let mut world = World::small();
    let (robots, _served, _rings) = with_robots(&mut world);
    world.engine(&["check", "notify.yaml"]).expect(0);
    for (channel, robot) in ["ding", "we", "fly", "hook"].iter().zip(&robots) {
        let tried = world.engine(&["notify", "test", channel, "--json"]);
        tried.expect(0);
        world.valid("notify-test", &tried.json());
        assert_eq!(robot.taken().len(), 1, "{channel}");
    }
    world.set("DING_SIGN", "SECcanary-dinx");
    world.set("FLY_SIGN", "canary-fly-sigx");
    let ding = world.engine(&["notify", "test", "ding"]);
    ding.expect(3).says("310000 sign not match");
    let fly = world.engine(&["notify", "test", "fly"]);
    fly.expect(3).says("19021");
    world.engine(&["notify", "test", "dong"]).expect(2).warns("ding");
    world.unset("WE");
    let we = world.engine(&["notify", "test", "we"]);
    we.expect(3).warns("${env:WE}");
    for ran in [&ding, &fly, &we] {
        for secret in ROBOT_SECRETS {
            assert!(!ran.to_string().contains(secret), "{ran}");
        }
    }
}

#[test]
fn a_service_tells_of_a_failure_once_and_of_its_end() {
    let mut world = World::small();
    let (robots, _served, rings) = with_robots(&mut world);
    let secret = world.unset_and_get("SANDBOX_K3_SECRET");
    // Refused logins make a run fail as a whole.
    world.set("SANDBOX_K3_SECRET", "wrong");
    let serving = world.command(&["serve", "--ndjson", "--no-api"]).start();
    let told = |robot: &Robot| robot.taken().iter().any(|text| text.contains("huke-to-k3"));
    while !robots.iter().all(|robot| told(robot)) {
        let rang = rings.recv_timeout(PATIENCE);
        rang.unwrap_or_else(|_| panic!("nobody was told: {robots:#?}"));
    }
    // Whoever writes the log is told by the same event, and may be later.
    let is_logged = |_: &u32| {
        let log = world.engine(&["logs", "--level", "error"]);
        log.stdout.contains("huke-to-k3")
    };
    assert!((0..LOOKS).any(|look| is_logged(&look)), "it is not in the log");
    assert!(serving.kill());
    let notices = world.engine(&["notify", "list", "--json"]);
    world.valid("notify-list", &notices.json());
    let all = notices.json()["notices"].as_array().expect("a list").clone();
    let failed: Vec<&Value> = all.iter().filter(|one| one["subject"] == "huke-to-k3").collect();
    assert!(failed.len() >= 4, "one for each channel: {all:#?}");
    for robot in &robots {
        let texts = robot.taken();
        let of_scheme = texts
            .iter()
            .filter(|text| text.contains("huke-to-k3") && text.contains("失败"));
        assert_eq!(of_scheme.count(), 1, "{texts:#?}");
    }
    // The log has it too, and no secret stands anywhere.
    let log = world.engine(&["logs", "--level", "error"]);
    log.expect(0).says("huke-to-k3");
    let mut secrets: Vec<&str> = ROBOT_SECRETS.to_vec();
    secrets.push(&secret);
    for (path, bytes) in world.left_behind() {
        for secret in &secrets {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{} holds {secret}", path.display());
        }
    }
    for words in [
        &["logs"][..],
        &["notify", "list"],
        &["config", "show", "--origin"],
        &["schemes", "list"],
    ] {
        let ran = world.engine(words);
        for secret in &secrets {
            assert!(!ran.to_string().contains(secret), "{ran}");
        }
    }
}

/// What systemd finds wrong with a unit; nothing else than findings about this machine.
#[cfg(target_os = "linux")]
fn verified(world: &World, unit: &str) {
    let here = world.path("engine.service");
    std::fs::write(&here, unit.replace("User=engine\n", "")).expect("our own folder");
    let verified = std::process::Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(&here)
        .output()
        .expect("`cargo xtask test` installs it");
    // It tells of the units of this machine as well.
    let words = String::from_utf8_lossy(&verified.stderr).into_owned();
    let ours = words.lines().filter(|line| line.contains("engine.service"));
    let words = ours.collect::<Vec<_>>().join("\n");
    for wrong in [
        "Unknown",
        "Failed to parse",
        "Invalid",
        "ignoring",
        "not absolute",
        "engine.service:",
    ] {
        assert!(!words.contains(wrong), "{wrong}: {words}\n{unit}");
    }
}

#[cfg(not(target_os = "linux"))]
fn verified(_: &World, _: &str) {}

/// A folder whose name has a space and what systemd reads specially.
#[cfg(target_os = "linux")]
#[test]
fn a_unit_of_a_folder_with_an_odd_name_is_read_as_it_is_meant() {
    let world = World::small();
    let folder = world.path("my 100% 方案");
    std::fs::create_dir_all(&folder).expect("our own folder");
    let folder = folder.display().to_string();
    let printed = world.engine(&[
        "service",
        "install",
        "--print",
        "--schemes",
        &folder,
        "--data-dir",
        &folder,
    ]);
    let unit = printed.expect(0).stdout.clone();
    let want = format!("ReadWritePaths=\"-{}\"", folder.replace('%', "%%"));
    assert_eq!(unit.matches(&want).count(), 2, "{unit}");
    verified(&world, &unit);
}

#[test]
fn the_unit_and_the_settings_in_both_languages() {
    let mut world = World::small();
    let printed = world.engine(&["service", "install", "--print", "--account", "engine"]);
    let unit = printed.expect(0).stdout.clone();
    for line in [
        "Type=notify",
        "WatchdogSec=120",
        "SuccessExitStatus=143",
        "Wants=network-online.target time-sync.target",
        "After=network-online.target time-sync.target",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "User=engine",
        "WantedBy=multi-user.target",
    ] {
        assert!(unit.lines().any(|found| found == line), "no {line} in\n{unit}");
    }
    let folder = world.path("").display().to_string();
    let folder = folder.trim_end_matches('/');
    assert!(
        unit.contains(&format!("ReadWritePaths=\"-{folder}/.engine\"\n")),
        "{unit}"
    );
    verified(&world, &unit);
    let installed = world.engine(&["service", "install", "--user"]);
    installed.expect(0);
    let path = world.path("home/.config/systemd/user/engine.service");
    assert!(path.is_file(), "{installed}");
    world
        .engine(&["service", "uninstall", "--user", "--json"])
        .expect(0);
    assert!(!path.exists());
    world.set("ENGINE_SECRETS_KEY", CANARY);
    world.set("ENGINE_KEEP", "30d");
    let shown = world.engine(&["config", "show", "--json"]);
    world.valid("config-show", &shown.json());
    in_both(&mut world, "config", |world| {
        [
            said(world, "config show", ""),
            said(world, "config show --origin --env default", ""),
            said(world, "config show --json", ""),
            said(world, "config show --orign", ""),
            said(world, "logs", ""),
            said(world, "service install --user --name ../x", ""),
        ]
        .join("\n")
    });
}
