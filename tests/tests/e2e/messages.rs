//! How messages travel: mail to a real server, channels that are slow, channels that are silent.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use serde_json::{Value, json};
use tests::e2e::{Message, Served, World};

use crate::patience::{PATIENCE, until};
use crate::smtp::{Door, House, Smtp};

const PASSWORD: &str = "canary-mail-password";
const ACCOUNT: Option<(&str, &str)> = Some(("ops@example.com", PASSWORD));

fn house(door: Door) -> House {
    House {
        door,
        account: ACCOUNT,
        nobody: "gone@example.com",
    }
}

/// A world with one mail channel to this server.
fn with_mail(smtp: &Smtp, security: &str, more: &str) -> World {
    let mut world = World::small();
    world.set("MAIL_PASSWORD", PASSWORD);
    world.set("OTHER_PASSWORD", "canary-other-password");
    world.write("mail-ca.pem", &smtp.pem);
    let ca = world.path("mail-ca.pem").display().to_string();
    world.set("SSL_CERT_FILE", &ca);
    let port = smtp.port();
    world.write(
        "notify.yaml",
        &format!(
            "lang: zh\nchannels:\n  post: {{kind: mail, server: \"localhost:{port}\", security: {security}, \
             from: 集成引擎 <engine@example.com>{more}}}\n"
        ),
    );
    world
}

const LOGIN: &str = ", user: ops@example.com, password: \"${env:MAIL_PASSWORD}\"";
const TO: &str = ", to: [li@example.com, wang@example.com]";

#[test]
fn a_mail_is_handed_in_with_tls_and_a_login() {
    for (door, security) in [(Door::Tls, "tls"), (Door::Starttls, "starttls")] {
        let smtp = Smtp::start(house(door));
        let world = with_mail(&smtp, security, &format!("{LOGIN}{TO}"));
        world.engine(&["check", "notify.yaml"]).expect(0);
        let tried = world.engine(&["notify", "test", "post"]);
        tried.expect(0).says("250 2.0.0 queued as 7");
        let seen = smtp.seen();
        assert_eq!(seen.logins, [true], "{security}");
        let [mail] = &seen.mails[..] else {
            panic!("one mail: {seen:?}");
        };
        assert!(mail.was_secret, "{security}");
        assert_eq!(mail.from, "engine@example.com");
        assert_eq!(mail.to, ["li@example.com", "wang@example.com"]);
        // Names of people and subjects are encoded words; no raw byte above ASCII in a header.
        let (headers, body) = mail.text.split_once("\n\n").expect("headers and a body");
        assert!(headers.is_ascii(), "{headers}");
        assert!(headers.contains("=?utf-8?"), "{headers}");
        assert!(headers.contains("Message-ID: <"), "{headers}");
        assert!(!body.trim().is_empty());
        let clear = seen.clear.join("\n");
        assert!(!clear.contains("AUTH") && !clear.contains("MAIL FROM"), "{clear}");
    }
}

#[test]
fn a_mail_that_is_refused_says_why_in_the_servers_words() {
    let check = |door: Door, security: &str, more: &str, want: &str| {
        let smtp = Smtp::start(house(door));
        let world = with_mail(&smtp, security, more);
        let tried = world.engine(&["notify", "test", "post"]);
        tried.expect(3).says(want);
        assert!(!tried.to_string().contains("canary"), "{tried}");
        let seen = smtp.seen();
        assert!(seen.mails.is_empty(), "{seen:?}");
        let clear = seen.clear.join("\n");
        assert!(
            !clear.contains("AUTH"),
            "a password is never sent in clear: {clear}"
        );
    };
    let wrong = ", user: ops@example.com, password: \"${env:OTHER_PASSWORD}\"";
    check(
        Door::Tls,
        "tls",
        &format!("{wrong}{TO}"),
        "535 5.7.8 username and password not accepted",
    );
    check(
        Door::Starttls,
        "starttls",
        TO,
        "530 5.7.0 authentication required",
    );
    check(
        Door::Tls,
        "tls",
        &format!("{LOGIN}, to: gone@example.com"),
        "550 5.1.1 no such user here",
    );
    // A server that has no STARTTLS, as when somebody in between takes it out.
    check(
        Door::Plain,
        "starttls",
        &format!("{LOGIN}{TO}"),
        "STARTTLS is not supported",
    );
    check(
        Door::Plain,
        "none",
        &format!("{LOGIN}{TO}"),
        "a password is never sent without TLS",
    );
}

#[test]
fn a_mail_server_that_nobody_vouches_for_gets_nothing() {
    for (door, security) in [(Door::Tls, "tls"), (Door::Starttls, "starttls")] {
        let (smtp, other) = (Smtp::start(house(door)), Smtp::start(house(door)));
        let world = with_mail(&smtp, security, &format!("{LOGIN}{TO}"));
        world.write("mail-ca.pem", &other.pem);
        let tried = world.engine(&["notify", "test", "post"]);
        tried.expect(3).says("certificate");
        let seen = smtp.seen();
        assert!(seen.logins.is_empty() && seen.mails.is_empty(), "{seen:?}");
    }
}

/// A server without a password, as a relay in a company's own network.
#[test]
fn a_relay_of_ones_own_needs_no_login() {
    let smtp = Smtp::start(House {
        account: None,
        ..house(Door::Plain)
    });
    let world = with_mail(&smtp, "none", TO);
    world.engine(&["notify", "test", "post"]).expect(0);
    assert_eq!(smtp.seen().mails.len(), 1);
}

/// Something that one thread waits for and another one says.
#[derive(Default)]
struct Signal(Mutex<bool>, Condvar);

impl Signal {
    fn give(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.1.notify_all();
    }

    fn wait(&self) -> bool {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.1.wait_timeout_while(held, PATIENCE, |given| !*given);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

fn hooks(all: &[(&str, &Served)]) -> String {
    let lines = all.iter().map(|(name, served)| {
        let addr = served.addr();
        format!("  {name}: {{kind: webhook, url: \"http://{addr}/notices\"}}\n")
    });
    format!("lang: en\nchannels:\n{}", lines.collect::<String>())
}

/// The first channel answers nothing until the second one was told.
#[test]
fn a_channel_that_is_slow_keeps_no_other_waiting() {
    let mut world = World::small();
    let (told, begun) = (Arc::new(Signal::default()), Arc::new(Signal::default()));
    let (wait, begins) = (Arc::clone(&told), Arc::clone(&begun));
    let slow = Served::by(move |_: &Message| {
        begins.give();
        json!({"in_time": wait.wait()})
    });
    let tell = Arc::clone(&told);
    let quick = Served::by(move |_: &Message| {
        // Not before the slow one is at work: it is the first in the outbox.
        begun.wait();
        tell.give();
        json!({})
    });
    world.write("notify.yaml", &hooks(&[("a-slow", &slow), ("b-quick", &quick)]));
    // Refused logins make a run fail as a whole.
    world.set("SANDBOX_K3_SECRET", "wrong");
    let serving = world.command(&["serve", "--ndjson", "--no-api"]).start();
    assert!(told.wait(), "the second channel was never told");
    // The first message of the slow one was taken in its first try: nothing had waited for it.
    let first = until("the slow channel was never tried", || {
        let notices = world.engine(&["notify", "list", "--json", "--channel", "a-slow"]);
        let all = notices.json()["notices"].as_array().expect("a list").clone();
        all.last().filter(|first| first["tries"] != 0).cloned()
    });
    assert!(serving.kill());
    assert_eq!(
        (&first["state"], &first["tries"]),
        (&json!("sent"), &json!(1)),
        "{first:#}"
    );
}

#[test]
fn a_silent_channel_is_told_afterwards_what_it_missed() {
    let mut world = World::small();
    let heard: Arc<Mutex<Vec<Value>>> = Arc::default();
    let all = Arc::clone(&heard);
    let ops = Served::by(move |request: &Message| {
        all.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request.json());
        json!({})
    });
    world.write("notify.yaml", &hooks(&[("ops", &ops)]));
    world
        .engine(&["notify", "mute", "opps", "--until", "2h"])
        .expect(2)
        .warns("ops");
    world
        .engine(&["notify", "mute", "ops", "--until", "400d"])
        .expect(2);
    let muted = world.engine(&["notify", "mute", "ops", "--until", "2h", "--json"]);
    world.valid("notify-mute", &muted.expect(0).json());
    world
        .engine(&["notify", "mute", "ops", "--until", "2h"])
        .expect(0)
        .says("ops");
    world.set("SANDBOX_K3_SECRET", "wrong");
    let serving = world.command(&["serve", "--ndjson", "--no-api"]).start();
    let wait_for = |what: &str, is_there: &dyn Fn(&Value) -> bool| -> Value {
        until(what, || {
            let listed = world.engine(&["notify", "list", "--json"]).json();
            is_there(&listed).then_some(listed)
        })
    };
    let dropped = |listed: &Value| {
        let notices = listed["notices"].as_array().cloned().unwrap_or_default();
        notices.iter().filter(|one| one["state"] == "dropped").count()
    };
    let listed = wait_for("nothing is dropped", &|listed| dropped(listed) > 0);
    world.valid("notify-list", &listed);
    assert_eq!(listed["muted"][0]["channel"], "ops", "{listed:#}");
    assert!(heard.lock().expect("nobody panics").is_empty());
    world
        .engine(&["notify", "mute", "ops", "--until", "now"])
        .expect(0)
        .says("speaks again");
    let sum = |listed: &Value| {
        let notices = listed["notices"].as_array().cloned().unwrap_or_default();
        notices
            .into_iter()
            .find(|one| one["rule"] == "mute" && one["state"] == "sent")
    };
    let listed = wait_for("the sum is not told", &|listed| sum(listed).is_some());
    let told = sum(&listed).expect("it is there");
    let (title, text) = (told["title"].to_string(), told["text"].to_string());
    assert!(title.contains("messages were not sent"), "{title}");
    assert!(text.contains("failed huke-to-k3"), "{text}");
    assert_eq!(listed["muted"], json!([]), "{listed:#}");
    assert!(serving.kill());
    let heard = heard.lock().expect("nobody panics");
    assert!(heard.iter().any(|one| one["rule"] == "mute"), "{heard:#?}");
}

/// A login that is refused is told by the rule about credentials as well, once.
#[test]
fn refused_credentials_are_told() {
    let mut world = World::small();
    let told = Arc::new(Signal::default());
    let tell = Arc::clone(&told);
    let ops = Served::by(move |request: &Message| {
        if request.json()["rule"] == "credentials" {
            tell.give();
        }
        json!({})
    });
    world.write("notify.yaml", &hooks(&[("ops", &ops)]));
    let secret = world.set("SANDBOX_K3_SECRET", "wrong").unwrap_or_default();
    let serving = world.command(&["serve", "--ndjson", "--no-api"]).start();
    assert!(told.wait(), "nobody was told");
    assert!(serving.kill());
    let listed = world.engine(&["notify", "list", "--json"]).json();
    let all = listed["notices"].as_array().expect("a list");
    let about: Vec<&Value> = all.iter().filter(|one| one["rule"] == "credentials").collect();
    assert_eq!(about.len(), 1, "{listed:#}");
    assert_eq!(about[0]["subject"], "k3", "{listed:#}");
    let text = about[0]["text"].as_str().unwrap_or_default();
    assert!(text.contains("E7001"), "{text}");
    assert!(secret.is_empty() || !text.contains(&secret), "{text}");
}
