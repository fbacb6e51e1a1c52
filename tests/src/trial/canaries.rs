//! A24: secrets and sensitive values, made recognisable, are looked for in everything the engine says and leaves behind.
//!
//! The forms a secret may take on its way (base64 at any offset, hex, percent, JSON inside JSON) are written down here
//! anew and not taken from the engine's own redactor. Systems that quote what they were sent, in each of these forms,
//! stand in for the sloppy gateways of this world. Secrets must be in no file at all; sensitive *values* stand in the
//! ledger's stored rows, which the engine works from, and must be in nothing that is shown, exported or quoted.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::named::{Given, Say};
use crate::e2e::{Config, Credentials, FEEDER, MAIN, Message, Ran, Recorder, Shop, World};

/// Ways to authenticate at Kingdee.
pub const MODES: [&str; 4] = ["login_by_sign", "sign", "login_by_app_secret", "validate_user"];

/// Secrets with characters that every encoding writes otherwise.
const SECRETS: [&str; 3] = [
    "canary/huke+4f1d83?=\"x\"&y",
    "canary-k3\\app+9b27c5/密钥=",
    "canary k3 password 6e01aa%2B<z>",
];

/// What a person typed wrong must not be shown either.
const WRONG: &str = "canary/wrong+secret=\"77d2f0\"";

/// What only a service uses: of a sender of pushes, of a robot, and a part of its address.
const SERVED: [&str; 3] = [
    "canary push/token+5e\"88&=",
    "canary-robot+sign/41c9=",
    "canary0robot0key0b7",
];

/// What a service answers, with a record and a run that are there.
const ANSWERS: &[&str] = &[
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/v1/openapi.json",
    "/api/v1/audit",
    "/api/v1/connections",
    "/api/v1/connectors",
    "/api/v1/data/pushed",
    "/api/v1/functions",
    "/api/v1/me",
    "/api/v1/queues",
    "/api/v1/records",
    "/api/v1/records/1",
    "/api/v1/records/1/attempts",
    "/api/v1/runs",
    "/api/v1/runs/1",
    "/api/v1/runs/2",
    "/api/v1/schemes",
    "/api/v1/schemes/huke-to-k3",
    "/api/v1/schemes/pushed",
    "/api/v1/system",
    "/api/v1/tokens",
    "/api/v1/users",
    // What is not there is answered, too.
    "/api/v1/records/999999",
    "/api/v1/canary",
];

/// What is told of a service while it does not run.
const AFTERWARDS: &[&[&str]] = &[
    &["logs"],
    &["logs", "--json"],
    &["token", "list"],
    &["token", "list", "--json"],
    &["receive", "list"],
    &["receive", "list", "--json"],
    &["publish", "usage"],
    &["publish", "usage", "--json"],
    &["notify", "list"],
    &["notify", "list", "--json"],
    &["notify", "test", "ops"],
    &["notify", "test", "ops", "--json"],
    &["secret", "list"],
    &["config", "show", "--origin"],
    &["config", "show", "--json"],
    &["status"],
    &["status", "--json"],
    &["doctor", "--json"],
    &["verify", "--json"],
    &["runs", "list", "--json"],
    &["audit", "list", "--json"],
];

/// Values of fields that a scheme marks as sensitive.
const IDCARD: &str = "110101199003071234";
const PHONE: &str = "+86 13800138000";
const CARD: &str = "6222-0200-\"7788\"-密";

/// Runs everything and gives the figure.
pub fn run(given: &Given, say: Say<'_>) -> Result<String, String> {
    let modes = usize::try_from(given.get("--modes")).unwrap_or(MODES.len());
    search(modes, say)
}

/// The same, with so many ways to authenticate.
pub fn search(modes: usize, say: Say<'_>) -> Result<String, String> {
    let modes = &MODES[..modes.clamp(1, MODES.len())];
    let mut search = Search::default();
    search.of_commands(modes, say);
    search.of_services(modes[0], say);
    search.done()
}

/// Everything said and left behind so far.
#[derive(Default)]
struct Search {
    artefacts: u64,
    forms: u64,
    hits: Vec<String>,
}

/// Every command that shows something, with a record's key and a run's number where it takes one.
const COMMANDS: &[&[&str]] = &[
    &["run", MAIN, "-v", "-v"],
    &["run", MAIN, "--json"],
    &["run", MAIN, "--dry-run"],
    &["dry-run", MAIN, "--show", "request", "-v", "-v"],
    &["dry-run", MAIN, "--show", "trace"],
    &["dry-run", MAIN, "--show", "payload"],
    &["dry-run", MAIN, "--json"],
    &["check", "schemes", "connections.yaml"],
    &["check", "schemes", "connections.yaml", "--json"],
    &["test", "schemes"],
    &["rows", "list"],
    &["rows", "list", "--json"],
    &["runs", "list"],
    &["runs", "list", "--json"],
    &["runs", "show", "1"],
    &["runs", "show", "1", "--json"],
    &["runs", "show", "2", "--json"],
    &["verify"],
    &["verify", "--json"],
    &["backup", "--to", "backup.db"],
    &["doctor"],
    &["doctor", "--json"],
    &["secret", "list", "--json"],
    &["schemes", "list", "--json"],
    &["schemes", "show", "huke-to-k3"],
    &["schemes", "revisions", "huke-to-k3", "--show", "1"],
    &["config", "show", "--origin"],
    &["logs"],
    &["notify", "list", "--json"],
    &["notify", "test", "ops"],
    &["service", "install", "--print"],
    // A command that is not there fails, and what it says is searched all the same.
    &["rows", "export", "--out", "rows.csv"],
    &["run", MAIN, "--env", "canary"],
    &["run", "schemes/none.yaml", "--json"],
];

impl Search {
    /// What single commands say and leave behind.
    fn of_commands(&mut self, modes: &[&'static str], say: Say<'_>) {
        for mode in modes {
            self.runs_that_go_wrong(mode);
            say(format!("{mode}: {} artefacts so far", self.artefacts));
        }
        for mode in modes {
            self.systems_that_quote(mode);
            say(format!("{mode} quoted: {} artefacts so far", self.artefacts));
        }
        self.mistakes(modes);
        say(format!("mistakes: {} artefacts so far", self.artefacts));
        self.sensitive_values();
    }

    /// What services say and leave behind, with secrets that are right and with wrong ones.
    fn of_services(&mut self, mode: &str, say: Say<'_>) {
        for wrong in [false, true] {
            self.a_service(mode, wrong);
            say(format!(
                "a service, wrong secrets {wrong}: {} artefacts so far",
                self.artefacts
            ));
        }
    }

    /// Faults, refusals and lost sessions, which the engine tells in the other side's words.
    fn runs_that_go_wrong(&mut self, mode: &str) {
        let world = world(mode);
        let recorder = world.record();
        world.fault("BatchSave", 1, sandbox::FaultKind::DropAfter);
        world.fault("ExecuteBillQuery", 2, sandbox::FaultKind::SessionLost);
        let fed = world.engine(&["run", FEEDER]);
        let said = commands(&world, fed);
        if !world.path("backup.db").is_file() {
            self.hits
                .push("no backup was made, so none was searched".to_owned());
        }
        let mut secrets = secrets();
        secrets.extend(sessions(&recorder));
        self.read(&said, &secrets);
        self.read_files(&world, &secrets);
    }

    /// A service with everything it can be asked and told: pushes that are believed and refused, answers of its API, its
    /// events and its log, what it publishes, and notifications that do not arrive.
    fn a_service(&mut self, mode: &str, wrong: bool) {
        let mut world = world(mode);
        world.write("schemes/pushed.yaml", PUSHED);
        let connections = std::fs::read_to_string(world.path("connections.yaml")).expect("our own file");
        world.write("connections.yaml", &(connections + HOOKS));
        world.write("notify.yaml", OPS);
        for (name, value) in ["PUSH_TOKEN", "OPS_SIGN"].into_iter().zip(SERVED) {
            world.set(name, value);
        }
        // Nobody listens there, which is said with the address.
        world.set("OPS", &format!("http://127.0.0.1:9/robot?key={}", SERVED[2]));
        if wrong {
            for name in ["SANDBOX_HUKE_SECRET", "SANDBOX_K3_SECRET", "K3_PASSWORD"] {
                world.set(name, WRONG);
            }
        }
        let told = world.engine(&["receive", "url", "schemes/pushed.yaml"]);
        let door = told.stdout.trim().to_owned();
        let mut served = world.serve(&[]);
        let token = std::fs::read_to_string(world.path("token")).expect("it was made before the start");
        let token = token.trim().to_owned();
        // It is in the file of this trial, which is not the engine's.
        world.write("token", "");
        let mut secrets = secrets();
        secrets.extend(SERVED.map(str::to_owned));
        secrets.extend([WRONG.to_owned(), token.clone()]);

        served.wait_for_any("run.ended", "huke-customers");
        served.wait_for_any("run.ended", "huke-to-k3");
        for (nth, sent) in [SERVED[0], WRONG].into_iter().enumerate() {
            let push = Message {
                head: format!(
                    "POST {door} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
                     x-webhook-token: {sent}\r\nx-webhook-id: {nth}\r\ncontent-length: 10"
                ),
                body: format!("{{\"id\":\"{nth}\"}}").into_bytes(),
            };
            let answer = crate::e2e::send(served.address(), &push).expect("an answer");
            if (answer.status() == Some(200)) != (nth == 0) {
                self.hits.push(format!("a push was answered {}", answer.head));
            }
            self.look("the answer to a push", &answer.text(), &secrets);
        }
        served.wait_for_any("run.ended", "pushed");
        for path in ANSWERS {
            for token in [token.as_str(), WRONG] {
                let answer = served.call("GET", path, token, "");
                self.look(path, &format!("{}\n{}", answer.head, answer.text()), &secrets);
            }
        }
        for (path, body) in [
            ("/api/v1/schemes/huke-to-k3/actions/run", "{}"),
            (
                "/api/v1/session",
                r#"{"name":"canary","password":"canary k3 password"}"#,
            ),
        ] {
            let answer = served.call("POST", path, &token, body);
            self.look(path, &format!("{}\n{}", answer.head, answer.text()), &secrets);
        }
        let events = served.stream("/api/v1/events", &token);
        if !events.contains("run.ended") {
            self.hits.push(format!("no events were streamed: {events}"));
        }
        self.look("/api/v1/events", &events, &secrets);
        served.signal("TERM");
        let (seen, said) = served.end_and_tell();
        for event in seen {
            self.look("an event", &event.to_string(), &secrets);
        }
        for line in said {
            self.look("the log of a service", &line, &secrets);
        }
        let said: Vec<Ran> = AFTERWARDS.iter().map(|words| world.engine(words)).collect();
        for ran in said.iter().filter(|ran| ran.code == Some(2)) {
            self.hits.push(format!("nothing was told: {ran}"));
        }
        self.read(&said, &secrets);
        self.read_files(&world, &secrets);
    }

    /// Systems that answer with what they were sent.
    fn systems_that_quote(&mut self, mode: &'static str) {
        // What comes before the write is the same in every mode but for the login. Pages in place of a login or of rows
        // are waited for and asked for again, which takes too long here and says nothing else.
        let cases: &[(&str, Shape)] = match mode {
            "login_by_sign" => &[
                ("LoginBy", Shape::Refusal),
                ("trade/searchTrades", Shape::Refusal),
                ("ExecuteBillQuery", Shape::Refusal),
                ("BatchSave", Shape::Refusal),
                ("BatchSave", Shape::Page),
                ("BatchSave", Shape::Half),
            ],
            "sign" => &[("BatchSave", Shape::Refusal)],
            "validate_user" => &[("ValidateUser", Shape::Refusal), ("BatchSave", Shape::Page)],
            _ => &[("LoginBy", Shape::Refusal)],
        };
        for (endpoint, shape) in cases.iter().copied() {
            let world = world(mode);
            world.impatient();
            let place = endpoint.to_owned();
            let recorder = world.record_twisted(Arc::new(move |request, answer| {
                if request.path().contains(&place) {
                    quoting(request, shape, &in_use(mode))
                } else {
                    answer
                }
            }));
            let fed = world.engine(&["run", FEEDER]);
            let mut said = vec![
                fed,
                world.engine(&["run", MAIN, "-v", "-v", "--settle-wait", "0s"]),
                world.engine(&["rows", "list", "--json"]),
                world.engine(&["runs", "list", "--json"]),
                world.engine(&["runs", "show", "2"]),
                world.engine(&["runs", "show", "2", "--json"]),
            ];
            said.extend(rows(&world));
            let mut secrets = secrets();
            secrets.extend(sessions(&recorder));
            self.read(&said, &secrets);
            self.read_files(&world, &secrets);
        }
    }

    /// Secrets that are wrong, missing, or written where they do not belong.
    fn mistakes(&mut self, modes: &[&str]) {
        for mode in modes {
            let mut world = world(mode);
            for name in ["SANDBOX_HUKE_SECRET", "SANDBOX_K3_SECRET", "K3_PASSWORD"] {
                world.set(name, WRONG);
            }
            let said = commands(&world, world.engine(&["run", FEEDER, "--json"]));
            let secrets = [WRONG.to_owned()];
            self.read(&said, &secrets);
            self.read_files(&world, &secrets);
        }
        // In clear text the secret is in the file, and must not be in what is said about the file.
        let world = world("login_by_sign");
        for (from, to) in [
            ("\"${env:SANDBOX_K3_SECRET}\"", "\"canary-clear-0c31\""),
            ("\"canary-clear-0c31\"", "\"${env:X}canary-clear-0c31\""),
            ("\"${env:X}canary-clear-0c31\"", "\"${wrong:canary-clear-0c31\""),
            ("\"${wrong:canary-clear-0c31\"", "[canary-clear-0c31]"),
        ] {
            world.edit("connections.yaml", from, to);
            let said = [
                world.engine(&["check", "connections.yaml"]),
                world.engine(&["check", "connections.yaml", "--json"]),
                world.engine(&["run", MAIN]),
                world.engine(&["run", MAIN, "--json"]),
                world.engine(&["dry-run", MAIN]),
            ];
            // An open brace is quoted as the author wrote it: it may be anything but a secret that was in use.
            if !to.contains("wrong:") {
                self.read(&said, &["canary-clear-0c31".to_owned()]);
            }
        }
    }

    /// Fields marked `$sensitive`: in documents, options, look-ups that wait, refusals and failures.
    fn sensitive_values(&mut self) {
        let world = World::of(|config: &mut Config| config.trades = 4);
        world.write("schemes/cards.yaml", CARDS);
        world.write("schemes/people.yaml", PEOPLE);
        // The source is the trial's own; the recorder then stands before what is left of the simulators.
        let shop: Shop = world.shop();
        let _recorder = world.record_twisted(Arc::new(|request, answer| {
            if request.path().contains("BatchSave") {
                quoting(request, Shape::Refusal, &[])
            } else {
                answer
            }
        }));
        let person = |no: &str, card: &str, idcard: &str| json!({"no": no, "name": "张三", "idcard": idcard, "phone": PHONE, "card": {"no": card}});
        shop.put(
            "people",
            vec![
                person("P1", "known", IDCARD),
                person("P2", CARD, IDCARD),
                person("P3", "known", "not a number 110101199003071234"),
            ],
        );
        shop.put("cards", vec![json!({"id": "C1", "code": "known"})]);
        let values: Vec<String> = [IDCARD, PHONE, CARD].map(str::to_owned).to_vec();
        let people = "schemes/people.yaml";
        let mut said = vec![world.engine(&["run", "schemes/cards.yaml"])];
        for words in [
            &["dry-run", people, "--show", "request"][..],
            &["dry-run", people, "--show", "trace"],
            &["dry-run", people, "--show", "payload"],
            &["dry-run", people, "--json"],
            &["dry-run", people, "--out", "rehearsed"],
            &["run", people, "-v", "-v"],
            &["run", people, "--json"],
            &["rows", "list"],
            &["rows", "list", "--json"],
            &["runs", "list", "--json"],
            &["runs", "show", "2"],
            &["runs", "show", "2", "--json"],
        ] {
            said.push(world.engine(words));
        }
        for key in ["P1", "P2", "P3"] {
            for part in [&["rows", "show", key][..], &["rows", "show", key, "--json"]] {
                said.push(world.engine(part));
            }
            for part in ["source", "payload", "answer"] {
                said.push(world.engine(&["rows", "show", key, "--show", part]));
            }
        }
        let all: String = said
            .iter()
            .map(|ran| format!("{}{}", ran.stdout, ran.stderr))
            .collect();
        for wanted in ["E4018", "E4000", "\"idcard\":\"***\"", "\"no\":\"***\""] {
            if !all.contains(wanted) {
                self.hits.push(format!(
                    "nothing was said of {wanted}, so this shows nothing: {said:#?}"
                ));
            }
        }
        self.read(&said, &values);
        let out = world.path("rehearsed");
        for (path, bytes) in world.left_behind() {
            if path.starts_with(&out) {
                self.look(
                    &path.display().to_string(),
                    &String::from_utf8_lossy(&bytes),
                    &values,
                );
            }
        }
        // What was stored of answers and reasons, though the row itself is stored as it came.
        for (path, bytes) in world.left_behind() {
            if path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("ledger"))
            {
                let text = String::from_utf8_lossy(&bytes);
                for quoted in [
                    "refused quoting",
                    "\"FDescription\":\"110101",
                    "13800138000\",\"FCreate",
                ] {
                    if quoted != "refused quoting" && text.contains(quoted) {
                        self.hits.push(format!("{}: {quoted}", path.display()));
                    }
                }
            }
        }
    }

    fn read(&mut self, said: &[Ran], secrets: &[String]) {
        for ran in said {
            self.look(&ran.to_string(), &ran.stdout, secrets);
            self.look(&ran.to_string(), &ran.stderr, secrets);
        }
    }

    fn read_files(&mut self, world: &World, secrets: &[String]) {
        for (path, bytes) in world.left_behind() {
            self.look(
                &path.display().to_string(),
                &String::from_utf8_lossy(&bytes),
                secrets,
            );
        }
    }

    fn look(&mut self, place: &str, text: &str, secrets: &[String]) {
        self.artefacts += 1;
        for secret in secrets {
            for form in forms(secret) {
                self.forms += 1;
                if text.contains(&form) {
                    let at = text.find(&form).unwrap_or_default();
                    let around = &text[text.floor_char_boundary(at.saturating_sub(60))..at];
                    let place = place.lines().next().unwrap_or_default();
                    self.hits
                        .push(format!("{secret:?} as {form:?} behind {around:?} in {place}"));
                }
            }
        }
    }

    fn done(self) -> Result<String, String> {
        if self.hits.is_empty() {
            Ok(format!(
                "{} outputs and files searched for {} forms of secrets: 0 hits",
                self.artefacts, self.forms
            ))
        } else {
            let shown: Vec<&str> = self.hits.iter().take(10).map(String::as_str).collect();
            Err(format!("{} hits\n{}", self.hits.len(), shown.join("\n")))
        }
    }
}

/// A small world with these secrets and this way to authenticate.
fn world(mode: &str) -> World {
    let mut world = World::of(|config: &mut Config| {
        config.trades = 16;
        config.refuse = 2;
        config.invalid = 1;
        config.credentials = Credentials {
            huke_secret: SECRETS[0].to_owned(),
            app_secret: SECRETS[1].to_owned(),
            password: SECRETS[2].to_owned(),
            ..Credentials::default()
        };
    });
    authenticate(&mut world, mode, SECRETS[2]);
    world
}

/// Changes connections.yaml to this way to authenticate.
pub fn authenticate(world: &mut World, mode: &str, password: &str) {
    if mode == "validate_user" {
        world.set("K3_PASSWORD", password);
        let text = std::fs::read_to_string(world.path("connections.yaml")).expect("our own file");
        let kept: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("app_"))
            .collect();
        world.write("connections.yaml", &format!("{}\n", kept.join("\n")));
        let with = "auth: validate_user\n      password: \"${env:K3_PASSWORD}\"";
        world.edit("connections.yaml", "auth: login_by_sign", with);
    } else {
        world.edit(
            "connections.yaml",
            "auth: login_by_sign",
            &format!("auth: {mode}"),
        );
    }
}

/// The secrets that a run uses.
fn in_use(mode: &str) -> [&'static str; 2] {
    match mode {
        "validate_user" => [SECRETS[0], SECRETS[2]],
        _ => [SECRETS[0], SECRETS[1]],
    }
}

fn secrets() -> Vec<String> {
    SECRETS.map(str::to_owned).to_vec()
}

/// Every command of a world, and each of its records in full.
fn commands(world: &World, first: Ran) -> Vec<Ran> {
    let mut said = vec![first];
    said.extend(COMMANDS.iter().map(|words| world.engine(words)));
    said.extend(rows(world));
    said
}

/// A few records in full.
fn rows(world: &World) -> Vec<Ran> {
    let list = world.engine(&["rows", "list", "--json"]);
    let document: Value = serde_json::from_str(&list.stdout).unwrap_or_default();
    let keys = document["rows"].as_array().into_iter().flatten();
    let keys = keys
        .filter_map(|row| row["key"][0].as_str().map(str::to_owned))
        .take(3);
    let mut said = Vec::new();
    for key in keys.collect::<Vec<_>>() {
        said.push(world.engine(&["rows", "show", &key]));
        said.push(world.engine(&["rows", "show", &key, "--json"]));
        for part in ["source", "payload", "answer"] {
            said.push(world.engine(&["rows", "show", &key, "--show", part]));
        }
    }
    said
}

/// The sessions that were given out.
fn sessions(recorder: &Recorder) -> Vec<String> {
    let logins = [
        "LoginBySign.common.kdsvc",
        "LoginByAppSecret.common.kdsvc",
        "ValidateUser.common.kdsvc",
    ];
    let answers = logins.iter().flat_map(|login| recorder.calls(login));
    answers
        .filter_map(|(_, answer)| {
            let body: Value = serde_json::from_slice(&answer.body).ok()?;
            Some(body["KDSVCSessionId"].as_str()?.to_owned())
        })
        .collect()
}

/// How a system quotes.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// A refusal in JSON, as Kingdee and Huke word theirs.
    Refusal,
    /// A gateway's page.
    Page,
    /// A page that breaks off.
    Half,
}

/// An answer that says all it was sent, in every form it knows.
fn quoting(request: &Message, shape: Shape, used: &[&str]) -> Message {
    let body = request.text();
    let all = format!("{}\n{body}", request.head);
    let mut words = format!("refused quoting: {all} ");
    words.push_str(&STANDARD.encode(&all));
    words.push(' ');
    words.push_str(&all.bytes().map(|byte| format!("{byte:02x}")).collect::<String>());
    words.push(' ');
    words.push_str(&percent(&all, true));
    words.push_str(&serde_json::to_string(&all).unwrap_or_default());
    // First what the secrets in use look like, so that it stands in any excerpt.
    let written = used.iter().flat_map(|secret| whole_forms(secret));
    let words = format!("{} {words}", written.collect::<Vec<_>>().join(" "));
    let (status, kind, body) = match shape {
        Shape::Refusal => {
            let error = json!({"FieldName": "FName", "Message": words, "DIndex": 0});
            let status = json!({"IsSuccess": false, "ErrorCode": 500, "MsgCode": 11, "Errors": [error], "SuccessEntitys": []});
            let body = json!({
                "Result": {"ResponseStatus": status}, "LoginResultType": 0, "Message": words, "code": 500, "msg": words,
            });
            ("200 OK", "application/json", body.to_string())
        }
        Shape::Page | Shape::Half => (
            "502 Bad Gateway",
            "text/html",
            format!("<html><pre>{words}</pre></html>"),
        ),
    };
    let length = body.len() + if matches!(shape, Shape::Half) { 100_000 } else { 0 };
    Message {
        head: format!(
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nconnection: close\r\ncontent-length: {length}"
        ),
        body: body.into_bytes(),
    }
}

/// A secret in every form, whole.
fn whole_forms(secret: &str) -> Vec<String> {
    let quoted = serde_json::to_string(secret).unwrap_or_default();
    let inner = quoted.trim_matches('"').to_owned();
    // A quote at the end of the secret is escaped and stays.
    let inner = match secret.ends_with('"') {
        true => format!("{inner}\""),
        false => inner,
    };
    let twice = inner.replace('\\', "\\\\").replace('"', "\\\"");
    let mut forms = vec![
        secret.to_owned(),
        inner.replace('/', "\\/"),
        inner,
        twice,
        percent(secret, true),
        percent(secret, false),
        percent(secret, true).replace("%20", "+"),
        secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
        secret.bytes().map(|byte| format!("{byte:02X}")).collect(),
    ];
    for before in ["", "u", "us"] {
        forms.push(STANDARD.encode(format!("{before}{secret}")));
        forms.push(URL_SAFE_NO_PAD.encode(format!("{before}{secret}")));
    }
    forms
}

/// The forms that are looked for, each long enough not to be chance; of base64 what does not mix with the bytes around.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = whole_forms(secret);
    let base64 = forms.split_off(forms.len() - 6);
    forms.extend(base64.iter().map(|text| {
        let text = text.trim_end_matches('=');
        text[4.min(text.len())..text.len().saturating_sub(4)].to_owned()
    }));
    forms.retain(|form| form.len() >= 8);
    forms.sort();
    forms.dedup();
    forms
}

fn percent(text: &str, upper: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ if upper => out.push_str(&format!("%{byte:02X}")),
            _ => out.push_str(&format!("%{byte:02x}")),
        }
    }
    out
}

const PUSHED: &str = "
scheme: pushed
source: {connection: hooks, api: webhook, key: id}
target: none
publish: {fields: [id]}
schedule: on_push
";

const HOOKS: &str = "
  hooks:
    connector: http
    params: {server: \"https://hooks.example.com/\", webhook_secret: \"${env:PUSH_TOKEN}\"}
";

const OPS: &str = "
lang: en
channels:
  ops: {kind: dingtalk, url: \"${env:OPS}\", sign: \"${env:OPS_SIGN}\"}
";

const CARDS: &str = r#"
scheme: cards
source: {connection: huke, api: search_customers, window: none, request: {list: cards}, key: id}
target: none
schedule: {every: 30m}
tests: [{name: a card, row: {id: a, code: b}, expect: {id: a, code: b}}]
"#;

const PEOPLE: &str = r#"
scheme: people
source: {connection: huke, api: search_customers, window: none, request: {list: people}, key: no, label: name}
target:
  connection: k3
  api: batchSave
  options:
    FormId: BD_Customer
    InterationFlags: {$value: <<phone>>, $sensitive: true}
  let:
    card: <<card.no>>
  request:
    FName: <<name>>
    FNumber: <<no>>
    FCreateOrgId: {FNumber: "100"}
    FUseOrgId: {FNumber: "100"}
    FDescription: {$value: <<idcard>>, $type: int, $sensitive: true}
    FTEL: {$value: T <<phone>>, $sensitive: true}
    FShortName: {$lookup: cards, $get: code, $by: {code: <<$let.card>>}, $sensitive: true}
schedule: {every: 30m}
tests:
  - name: a person
    row: {no: a, name: b, idcard: "1", phone: c, card: {no: d}}
    lookups: {cards: [{id: a, code: d}]}
    expect: {FName: b, FNumber: a, FCreateOrgId: {FNumber: "100"}, FUseOrgId: {FNumber: "100"}, FDescription: 1, FTEL: T c, FShortName: d}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_found_where_they_stand() {
        let secret = "ca/na+ry=密";
        let found = |text: &str| forms(secret).iter().any(|form| text.contains(form.as_str()));
        for text in [
            "key=ca/na+ry=密;".to_owned(),
            STANDARD.encode(format!("user:{secret}")),
            STANDARD.encode(format!("users:{secret}!")),
            percent(secret, false),
            json!({"a": json!({"b": secret}).to_string()}).to_string(),
            secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ] {
            assert!(found(&text), "{text}");
        }
        assert!(!found("nothing of it"));
    }

    #[test]
    fn nothing_is_told() {
        let mut search = Search::default();
        search.of_commands(&MODES[..1], &|_| ());
        let figure = search.done().unwrap_or_else(|why| panic!("{why}"));
        assert!(figure.ends_with("0 hits"), "{figure}");
    }

    #[test]
    fn a_service_tells_nothing() {
        let mut search = Search::default();
        search.of_services(MODES[0], &|_| ());
        let figure = search.done().unwrap_or_else(|why| panic!("{why}"));
        assert!(figure.ends_with("0 hits"), "{figure}");
    }

    /// Where the ledger lies.
    #[test]
    fn files_are_searched() {
        let world = world("sign");
        world.engine(&["run", FEEDER]).expect(0);
        let files: Vec<std::path::PathBuf> = world.left_behind().into_iter().map(|(path, _)| path).collect();
        assert!(
            files.iter().any(|path| path.starts_with(world.data())),
            "{files:?}"
        );
    }
}
